//! Carries out a session's requests, each by the handler of its RPC.

use std::sync::Arc;

use tonic::{Request, Status};

use super::Session;
use super::outbox::Owed;
use crate::convert;
use crate::episode::StepAnswer;
use crate::proto::v1::{
    self, session_request::Request as Asked, session_response::Response, step_stream_response,
};
use crate::service::{ReplyForm, Service};
use crate::status::{self, Violations};
use crate::stream::Told;

/// The answer to a request, which can be sent more than once.
#[derive(Debug)]
pub(super) enum Answer {
    /// A step's. Its texts are held until it is sent; afterwards it has what is kept of them for retries.
    Step {
        answer: StepAnswer,
        form: ReplyForm,
        is_streamed: bool,
        service: Service,
        held_bytes: usize,
    },
    Other(Box<Response>),
}

impl Answer {
    fn step(service: &Service, answer: StepAnswer, form: ReplyForm, is_streamed: bool) -> Self {
        let held_bytes = answer.texts.as_ref().map_or(0, |texts| texts.bytes());
        Self::Step {
            answer,
            form,
            is_streamed,
            service: service.clone(),
            held_bytes,
        }
    }
}

impl Owed for Answer {
    type Message = v1::SessionResponse;

    fn message(&self, id: u64, number: u64) -> v1::SessionResponse {
        let response = match self {
            Self::Step {
                answer,
                form,
                is_streamed,
                service,
                held_bytes: _,
            } => {
                let mut answer = answer.clone();
                if answer.texts.is_none() {
                    answer.texts = answer.reply.texts();
                }
                let reply = service.reply(answer, form);
                if *is_streamed {
                    Response::StepStream(v1::StepStreamResponse {
                        event: Some(step_stream_response::Event::Reply(reply)),
                    })
                } else {
                    Response::Step(reply)
                }
            }
            Self::Other(response) => (**response).clone(),
        };
        v1::SessionResponse {
            id,
            number,
            response: Some(response),
        }
    }

    fn held_bytes(&self) -> usize {
        match self {
            Self::Step { held_bytes, .. } => *held_bytes,
            Self::Other(_) => 0,
        }
    }

    fn release(&mut self) {
        if let Self::Step {
            answer, held_bytes, ..
        } = self
        {
            answer.texts = None;
            *held_bytes = 0;
        }
    }
}

/// The episodes that a request has to wait for, and that wait for it.
fn episodes(asked: &Asked) -> Vec<String> {
    let one = |id: &String| vec![id.clone()];
    let mut episodes = match asked {
        Asked::Reset(reset) => vec![reset.episode_id.clone(), reset.previous_episode_id.clone()],
        Asked::Step(step) => one(&step.episode_id),
        Asked::StepStream(asked) => asked
            .step
            .iter()
            .map(|step| step.episode_id.clone())
            .collect(),
        Asked::GetState(asked) => one(&asked.episode_id),
        Asked::Close(asked) => one(&asked.episode_id),
        Asked::Fork(asked) => {
            let children = asked.child_ids.iter().cloned();
            children.chain([asked.episode_id.clone()]).collect()
        }
        Asked::Checkpoint(asked) => one(&asked.episode_id),
        Asked::Rollback(asked) => one(&asked.episode_id),
        Asked::Evaluate(asked) => one(&asked.episode_id),
        Asked::DropCheckpoint(asked) => one(&asked.episode_id),
        Asked::ListCheckpoints(asked) => one(&asked.episode_id),
        Asked::Open(_) | Asked::Interrupt(_) | Asked::Detach(_) => Vec::new(),
    };
    episodes.retain(|episode| !episode.is_empty());
    episodes
}

/// Begins to carry out a request, in a task that goes on when the stream breaks.
pub(super) fn begin(service: &Service, session: &Arc<Session>, id: u64, asked: Asked) {
    let episodes = episodes(&asked);
    let Some((before, done)) = session.admit(id, &episodes) else {
        return;
    };
    let (service, session) = (service.clone(), Arc::clone(session));
    tokio::spawn(async move {
        let done = done.drop_guard();
        for request in before {
            request.cancelled().await;
        }
        // On the heap, as what is large below: a future is moved when it is handed on, and a task is as large as all that it holds by value.
        let answering = Box::pin(answer(&service, &session, id, asked));
        let answer = match service.guard(answering).await {
            Ok(answer) => answer,
            Err(status) => Answer::Other(Box::new(Response::Error(status::message(&status)))),
        };
        session.answer(id, &episodes, answer);
        drop::<tokio_util::sync::DropGuard>(done);
    });
}

async fn answer(
    service: &Service,
    session: &Arc<Session>,
    id: u64,
    asked: Asked,
) -> Result<Answer, Status> {
    if id == 0 {
        refuse_id()?;
    }
    let response = match asked {
        Asked::Step(step) => {
            let (answer, form) = service.run_step(of(session, step)).await?;
            return Ok(Answer::step(service, answer, form, false));
        }
        Asked::StepStream(asked) => {
            return Box::pin(step_stream(service, session, id, asked)).await;
        }
        Asked::Reset(asked) => Response::Reset(Box::pin(reset(service, session, asked)).await?),
        Asked::GetState(asked) => {
            Response::GetState(Box::pin(service.on_get_state(of(session, asked))).await?)
        }
        Asked::Interrupt(asked) => {
            Response::Interrupt(Box::pin(service.on_interrupt(of(session, asked))).await?)
        }
        Asked::Close(asked) => {
            let episode = asked.episode_id.clone();
            let reply = service.on_close(of(session, asked)).await?;
            session.let_go(vec![episode]);
            Response::Close(reply)
        }
        // Boxed: what most requests hold is much less.
        Asked::Fork(asked) => {
            let reply = Box::pin(service.on_fork(of(session, asked))).await?;
            let made = reply.children.iter().filter(|child| child.error.is_none());
            for child in made {
                adopt(service, session, &child.episode_id);
            }
            Response::Fork(reply)
        }
        Asked::Checkpoint(asked) => {
            Response::Checkpoint(Box::pin(service.on_checkpoint(of(session, asked))).await?)
        }
        Asked::Rollback(asked) => {
            Response::Rollback(Box::pin(service.on_rollback(of(session, asked))).await?)
        }
        Asked::Evaluate(asked) => {
            Response::Evaluate(Box::pin(service.on_evaluate(of(session, asked))).await?)
        }
        Asked::DropCheckpoint(asked) => {
            Response::DropCheckpoint(service.on_drop_checkpoint(of(session, asked)).await?)
        }
        Asked::ListCheckpoints(asked) => Response::ListCheckpoints(
            Box::pin(service.on_list_checkpoints(of(session, asked))).await?,
        ),
        Asked::Detach(v1::SessionDetach { episode_ids }) => {
            for episode in &episode_ids {
                convert::episode_id(episode)?;
            }
            let mut episode_ids = session.let_go(episode_ids);
            episode_ids.sort();
            Response::Detach(v1::SessionDetached { episode_ids })
        }
        Asked::Open(_) => {
            let mut violations = Violations::default();
            violations.add(
                "open",
                "has to be the first request of a stream, and no other",
                &[],
            );
            violations.check()?;
            return Err(Status::internal("an open session was opened"));
        }
    };
    Ok(Answer::Other(Box::new(response)))
}

async fn step_stream(
    service: &Service,
    session: &Arc<Session>,
    id: u64,
    asked: v1::StepStreamRequest,
) -> Result<Answer, Status> {
    let offsets = [asked.stdout_offset, asked.stderr_offset];
    let told = service.on_step_stream(of(session, asked)).await?;
    let mut form = told.form().clone();
    let answer = tell(session, id, told, offsets).await?;
    service.complete(&answer, &mut form).await;
    Ok(Answer::step(service, answer, form, true))
}

async fn reset(
    service: &Service,
    session: &Arc<Session>,
    asked: v1::ResetRequest,
) -> Result<v1::ResetResponse, Status> {
    let previous = asked.previous_episode_id.clone();
    let reply = service.on_reset(of(session, asked)).await?;
    if !previous.is_empty() {
        session.let_go(vec![previous]);
    }
    let episode = reply.state.as_ref().map(|state| state.episode_id.clone());
    let episode = episode.unwrap_or_default();
    adopt(service, session, &episode);
    Ok(reply)
}

/// Has an episode end with its session: at once, if that has ended meanwhile.
fn adopt(service: &Service, session: &Session, episode: &str) {
    let key = |episode: &str| session.key.owner.episode(episode.to_owned());
    let is_live = |episode: &str| service.episodes().limits(&key(episode)).is_some();
    if !session.adopt(episode, is_live) {
        service.episodes().close(&key(episode));
    }
}

/// A request as its RPC gets it.
fn of<T>(session: &Session, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.extensions_mut().insert(session.key.owner.clone());
    request
}

/// Tells a step to whichever stream the session has, and returns its end. While there is none, it is not told, and waits for nobody.
async fn tell(
    session: &Session,
    id: u64,
    mut told: Told,
    offsets: [u64; 2],
) -> Result<StepAnswer, Status> {
    let mut attached = session.attached.subscribe();
    loop {
        let attachment = attached.borrow_and_update().clone();
        match &attachment {
            Some(_) => told.following().tell_from(offsets),
            None => told.following().pause(),
        }
        // Ends when the stream is another one.
        let replaced = attached.changed();
        tokio::pin!(replaced);
        loop {
            let next = tokio::select! {
                next = told.next() => next?,
                _ = &mut replaced => break,
            };
            let event = match next.event() {
                Ok(event) => event,
                Err(answer) => return Ok(answer),
            };
            let Some(pieces) = &attachment else {
                continue;
            };
            let response = v1::SessionResponse {
                id,
                number: 0,
                response: Some(Response::StepStream(v1::StepStreamResponse {
                    event: Some(event),
                })),
            };
            tokio::select! {
                // A stream that has gone is replaced soon.
                _ = pieces.send(response) => {}
                _ = &mut replaced => break,
            }
        }
    }
}

fn refuse_id() -> Result<(), Status> {
    let mut violations = Violations::default();
    violations.add(
        "id",
        "has to be a number from 1 on, unique in the session",
        &[("minimum", "1".to_owned())],
    );
    violations.check()
}
