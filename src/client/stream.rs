//! A step whose output is read while it runs.

use tokio::time::Instant;
use tonic::{Status, Streaming};

use super::error::{Error, Reason};
use super::retry::Retry;
use super::{CodingEnv, Episode, StepOptions};
use crate::proto::v1::{self, step_stream_response::Event};

/// What a step tells while it runs, and at its end.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum StepEvent {
    /// It has printed something.
    Output(v1::OutputPiece),
    /// It has ended: what [`CodingEnv::step`] would have returned. The last.
    Reply(Box<v1::StepResponse>),
}

/// A running step, made by [`CodingEnv::step_stream`].
///
/// A connection that breaks is made again, and goes on where it broke: each byte is told once, in the order in which it was written to its
/// stream. Dropping this leaves the step running; the same code again goes on with it.
#[derive(Debug)]
pub struct StepStream<'a> {
    env: &'a mut CodingEnv,
    episode: Episode,
    request: v1::StepStreamRequest,
    responses: Option<Streaming<v1::StepStreamResponse>>,
    retry: Retry,
    /// How often the server may tell where the step stands.
    corrections: u32,
    unsure: bool,
    done: bool,
}

impl CodingEnv {
    /// Runs code, and tells what it prints while it runs.
    ///
    /// ```no_run
    /// # async fn example(env: &mut coding_env::client::CodingEnv) -> Result<(), coding_env::client::Error> {
    /// use coding_env::client::StepEvent;
    ///
    /// let mut step = env.step_stream("for n in range(3): print(n)")?;
    /// while let Some(event) = step.next().await? {
    ///     match event {
    ///         StepEvent::Output(piece) => print!("{}", String::from_utf8_lossy(&piece.data)),
    ///         StepEvent::Reply(reply) => println!("exit code {}", reply.exit_code()),
    ///         _ => {}
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::NoEpisode`] before a reset; the other errors of [`step`](Self::step) come from [`StepStream::next`].
    pub fn step_stream(&mut self, code: impl Into<String>) -> Result<StepStream<'_>, Error> {
        self.step_stream_with(code, StepOptions::default())
    }

    /// Runs code with options, and tells what it prints while it runs.
    ///
    /// # Errors
    /// As [`step_stream`](Self::step_stream).
    pub fn step_stream_with(
        &mut self,
        code: impl Into<String>,
        options: StepOptions,
    ) -> Result<StepStream<'_>, Error> {
        let episode = self.episode.clone().ok_or(Error::NoEpisode)?;
        let (step, deadline) = self.step_request(&episode, code.into(), options)?;
        let request = v1::StepStreamRequest {
            step: Some(step),
            heartbeat: None,
            stdout_offset: 0,
            stderr_offset: 0,
        };
        Ok(StepStream {
            retry: Retry::new(&self.options, deadline),
            env: self,
            corrections: if episode.unsure { 2 } else { 0 },
            episode,
            request,
            responses: None,
            unsure: false,
            done: false,
        })
    }
}

impl StepStream<'_> {
    /// Waits for what comes next. None after the reply. `# Cancel-Safety`: safe; the step begins when this is first polled.
    ///
    /// # Errors
    /// As [`CodingEnv::step`]. After one, nothing more comes.
    pub async fn next(&mut self) -> Result<Option<StepEvent>, Error> {
        while !self.done {
            let status = match self.response().await {
                Ok(Some(response)) => match response.event {
                    Some(Event::Piece(piece)) => return Ok(Some(self.take(piece))),
                    Some(Event::Reply(reply)) => {
                        self.done = true;
                        self.env
                            .set_steps(reply.step_index.saturating_add(1), false);
                        return Ok(Some(StepEvent::Reply(Box::new(reply))));
                    }
                    Some(Event::Heartbeat(_)) | None => continue,
                },
                Ok(None) => Status::unavailable("the stream ended before the reply"),
                Err(status) => status,
            };
            self.responses = None;
            let error = Error::from_status(&status);
            if let Err(error) = self.go_on_after(error).await {
                self.done = true;
                return Err(error);
            }
        }
        Ok(None)
    }

    /// Reads to the end.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    pub async fn reply(mut self) -> Result<v1::StepResponse, Error> {
        while let Some(event) = self.next().await? {
            if let StepEvent::Reply(reply) = event {
                return Ok(*reply);
            }
        }
        Err(Error::NoEpisode)
    }

    async fn response(&mut self) -> Result<Option<v1::StepStreamResponse>, Status> {
        let left = self.retry.left();
        let end = Instant::now() + left;
        if self.responses.is_none() {
            let index = self.index();
            // Before the call, because this future may be dropped.
            self.env.set_steps(index, true);
            let request = self
                .env
                .request(Some(&self.episode), self.request.clone(), left);
            let transport = self.env.transport.clone();
            let call = tokio::time::timeout_at(end, transport.step_stream(request)).await;
            self.responses = Some(call.map_err(|_| timed_out())??.into_inner());
        }
        match &mut self.responses {
            Some(responses) => tokio::time::timeout_at(end, responses.message())
                .await
                .map_err(|_| timed_out())?,
            None => Ok(None),
        }
    }

    /// Notes what has come, so that a retry goes on after it.
    fn take(&mut self, piece: v1::OutputPiece) -> StepEvent {
        let end = piece.offset.saturating_add(piece.data.len() as u64);
        match piece.stream() {
            v1::OutputStream::Stdout => self.request.stdout_offset = end,
            v1::OutputStream::Stderr => self.request.stderr_offset = end,
            v1::OutputStream::Unspecified => {}
        }
        StepEvent::Output(piece)
    }

    fn index(&self) -> u32 {
        let step = self.request.step.as_ref();
        step.map(v1::StepRequest::step_index).unwrap_or_default()
    }

    /// Waits before the next try, if there may be one.
    async fn go_on_after(&mut self, error: Error) -> Result<(), Error> {
        let expected = error.expected_step().filter(|expected| {
            self.corrections > 0 && matches!(expected.checked_sub(self.episode.steps), Some(0 | 1))
        });
        if let Some(step) = &mut self.request.step
            && expected.is_some()
        {
            self.corrections -= 1;
            step.step_index = expected;
            return Ok(());
        }
        self.unsure |= error.is_unsure();
        if error.is_retryable() && self.retry.pause(error.retry_after()).await.is_ok() {
            return Ok(());
        }
        match error.reason() {
            Some(Reason::StepReplyDropped) => {
                self.env.set_steps(self.index().saturating_add(1), false);
            }
            _ if self.unsure => self.env.set_steps(self.index(), true),
            // A refusal says nothing of a step that was unsure before it.
            _ => self.env.set_steps(self.episode.steps, self.episode.unsure),
        }
        Err(error)
    }
}

/// As the library's own timeout says it, which `Error::from_status` knows.
pub(super) fn timed_out() -> Status {
    Status::cancelled("Timeout expired")
}
