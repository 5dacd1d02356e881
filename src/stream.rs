//! A step that is told while it runs, as the contract has it: pieces, heartbeats, and the reply.

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use futures_util::stream::{Stream, unfold};
use tokio::time::Instant;
use tonic::Status;

use crate::convert;
use crate::episode::{Event, Following, Refusal, StepAnswer};
use crate::proto::v1::{self, step_stream_response::Event as Response};

/// The responses of one call.
pub(crate) type Responses<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// What is told of one step.
pub(crate) struct Told {
    following: Following,
    heartbeat: Duration,
    /// When the caller gives up.
    end: Option<Instant>,
    reply: Box<dyn Fn(StepAnswer) -> v1::StepResponse + Send + Sync>,
}

impl fmt::Debug for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Told")
            .field("following", &self.following)
            .finish_non_exhaustive()
    }
}

impl Told {
    pub(crate) fn new(
        following: Following,
        heartbeat: Duration,
        end: Option<Instant>,
        reply: impl Fn(StepAnswer) -> v1::StepResponse + Send + Sync + 'static,
    ) -> Self {
        Self {
            following,
            heartbeat,
            end,
            reply: Box::new(reply),
        }
    }

    /// Waits for what is told next. The reply, or an error, is the last.
    ///
    /// # Cancel-Safety
    /// Safe: nothing is taken before it is returned.
    pub(crate) async fn next(&mut self) -> Result<v1::StepStreamResponse, Status> {
        let heartbeat = Instant::now() + self.heartbeat;
        let until = self.end.map_or(heartbeat, |end| end.min(heartbeat));
        let event = match tokio::time::timeout_at(until, self.following.next()).await {
            Ok(Event::Piece(piece)) => Response::Piece(convert::output_piece(piece)),
            Ok(Event::End(Ok(answer))) => Response::Reply((self.reply)(answer)),
            Ok(Event::End(Err(refusal))) => return Err(refusal.into()),
            Err(_) if self.end.is_some_and(|end| end <= until) => {
                return Err(Refusal::Deadline.into());
            }
            Err(_) => Response::Heartbeat(v1::Heartbeat {
                queued: self.following.is_queued(),
            }),
        };
        Ok(v1::StepStreamResponse { event: Some(event) })
    }
}

/// Whether nothing comes after this response.
pub(crate) fn is_last(response: &v1::StepStreamResponse) -> bool {
    matches!(response.event, Some(Response::Reply(_)))
}

/// Responses that `next` makes one by one, when the client has room for them. It returns what makes those after it; None after the last.
pub(crate) fn responses<S, T, F>(source: S, next: impl Fn(S) -> F + Send + 'static) -> Responses<T>
where
    S: Send + 'static,
    T: Send + 'static,
    F: Future<Output = (Result<T, Status>, Option<S>)> + Send + 'static,
{
    Box::pin(unfold(Some((source, next)), |state| async move {
        let (source, next) = state?;
        let (response, source) = next(source).await;
        Some((response, source.map(|source| (source, next))))
    }))
}
