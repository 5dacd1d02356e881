//! A step that is told while it runs, as the contract has it: pieces, heartbeats, and the reply.

use std::pin::Pin;
use std::time::Duration;

use futures_util::stream::{Stream, unfold};
use tokio::time::Instant;
use tonic::Status;

use crate::convert;
use crate::episode::{Event, Following, Refusal, StepAnswer};
use crate::proto::v1::{self, step_stream_response::Event as Response};
use crate::service::ReplyForm;

/// The responses of one call.
pub(crate) type Responses<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// What is told of one step.
pub(crate) struct Told {
    following: Following,
    heartbeat: Duration,
    /// When the caller gives up.
    end: Option<Instant>,
    form: ReplyForm,
}

/// What is told next.
#[derive(Debug)]
pub(crate) enum Next {
    /// Output.
    Piece(v1::OutputPiece),
    /// Nothing for a while.
    Heartbeat(v1::Heartbeat),
    /// How the step ended. The last.
    End(StepAnswer),
}

impl Next {
    /// As the contract has it, but for the end.
    pub(crate) fn event(self) -> Result<Response, StepAnswer> {
        match self {
            Self::Piece(piece) => Ok(Response::Piece(piece)),
            Self::Heartbeat(heartbeat) => Ok(Response::Heartbeat(heartbeat)),
            Self::End(answer) => Err(answer),
        }
    }
}

impl Told {
    pub(crate) fn new(
        following: Following,
        heartbeat: Duration,
        end: Option<Instant>,
        form: ReplyForm,
    ) -> Self {
        Self {
            following,
            heartbeat,
            end,
            form,
        }
    }

    /// As what the reply is made.
    pub(crate) fn form(&self) -> &ReplyForm {
        &self.form
    }

    pub(crate) fn following(&mut self) -> &mut Following {
        &mut self.following
    }

    /// Waits for what is told next. The end, or an error, is the last.
    ///
    /// # Cancel-Safety
    /// Safe: nothing is taken before it is returned.
    pub(crate) async fn next(&mut self) -> Result<Next, Status> {
        let heartbeat = Instant::now() + self.heartbeat;
        let until = self.end.map_or(heartbeat, |end| end.min(heartbeat));
        match tokio::time::timeout_at(until, self.following.next()).await {
            Ok(Event::Piece(piece)) => Ok(Next::Piece(convert::output_piece(piece))),
            Ok(Event::End(Ok(answer))) => Ok(Next::End(answer)),
            Ok(Event::End(Err(refusal))) => Err(refusal.into()),
            Err(_) if self.end.is_some_and(|end| end <= until) => Err(Refusal::Deadline.into()),
            Err(_) => Ok(Next::Heartbeat(v1::Heartbeat {
                queued: self.following.is_queued(),
            })),
        }
    }
}

/// Responses that `next` makes one by one, when the client has room for them. It returns what makes those after it: nothing
/// after the last, which may be none at all.
pub(crate) fn responses<S, T, F>(source: S, next: impl Fn(S) -> F + Send + 'static) -> Responses<T>
where
    S: Send + 'static,
    T: Send + 'static,
    F: Future<Output = (Option<Result<T, Status>>, Option<S>)> + Send + 'static,
{
    Box::pin(unfold(Some((source, next)), |state| async move {
        let (source, next) = state?;
        let (response, source) = next(source).await;
        Some((response?, source.map(|source| (source, next))))
    }))
}
