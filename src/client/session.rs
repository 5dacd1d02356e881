//! Many requests for many episodes on one stream.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use tokio::sync::mpsc::error::SendError;
use tokio::sync::{mpsc, oneshot};
use tokio_stream::wrappers::ReceiverStream;
use tonic::metadata::AsciiMetadataValue;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};

use super::error::{Error, Reason};
use super::liveness::Liveness;
use super::retry::Retry;
use super::stream::{StepEvent, timed_out};
use super::transport::REPLY_BYTES_MAX;
use super::{Options, SERVER_HEADER, endpoint, root_cause};
use crate::proto::v1::coding_env_client::CodingEnvClient;
use crate::proto::v1::{
    self, OutputStream, SessionRequest, SessionResponse, session_request::Request as Asked,
    session_response::Response, step_stream_response::Event,
};

/// Requests that were handed over and not sent, at the most.
const UNSENT_MAX: usize = 64;
/// Pieces of output of one step that wait to be taken, at the most. Past it they are dropped, which is told.
const PIECES_MAX: usize = 64;
/// After how many responses the server is told that they have come, when there is no request to tell it by.
const ACKNOWLEDGE_EVERY: u32 = 64;

/// A session: the requests of many episodes on one stream, answered as they finish. Cheap to clone.
///
/// The requests are the contract's own, with the caller's `episode_id`, `request_id` and `step_index`. Those that name the same episode are carried out in the
/// order in which they were first polled; all others run side by side. When the stream breaks a new one takes the session over: nothing is
/// carried out twice, and no answer is lost, until [`Options::deadline`] has passed without a connection.
///
/// ```no_run
/// # async fn example() -> Result<(), coding_env::client::Error> {
/// use coding_env::client::{Options, Session};
/// use coding_env::proto::v1::{CodeAction, ResetRequest, StepRequest};
///
/// let session = Session::connect("http://127.0.0.1:8000", Options::default()).await?;
/// let mut request = ResetRequest::default();
/// request.episode_id = "one".to_owned();
/// session.reset(request).await?;
/// let mut request = StepRequest::default();
/// request.episode_id = "one".to_owned();
/// request.action = Some(CodeAction { code: "6 * 7".to_owned() });
/// request.step_index = Some(0);
/// assert_eq!(session.step(request).await?.result(), Some("42"));
/// session.close().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Session {
    id: String,
    commands: mpsc::Sender<Command>,
}

/// What the task of a session is asked.
#[derive(Debug)]
enum Command {
    Ask(Box<Asked>, Answer),
    Close(oneshot::Sender<Result<(), Status>>),
}

/// Where an answer goes.
#[derive(Debug)]
enum Answer {
    /// A response is large, and this is handed on a few times: hence the box.
    One(oneshot::Sender<Result<Box<Response>, Status>>),
    Many(
        mpsc::Sender<v1::StepStreamResponse>,
        oneshot::Sender<Result<v1::StepResponse, Status>>,
    ),
}

impl Answer {
    fn fail(self, status: Status) {
        // Who asked may have gone.
        match self {
            Self::One(answer) => drop(answer.send(Err(status))),
            Self::Many(_, end) => drop(end.send(Err(status))),
        }
    }
}

impl Session {
    /// Connects to a server and opens a session. Has to be called on a tokio runtime.
    ///
    /// # Errors
    /// When the URL is none, nobody answers there within the deadline, or the server refuses it.
    pub async fn connect(url: &str, options: Options) -> Result<Self, Error> {
        let endpoint = endpoint(url, &options)?;
        let mut retry = Retry::new(&options, options.deadline);
        let channel = loop {
            match endpoint.connect().await {
                Ok(channel) => break channel,
                Err(error) => retry
                    .pause(None)
                    .await
                    .map_err(|()| Error::Connect(root_cause(&error)))?,
            }
        };
        Ok(Self::with_channel(channel, options))
    }

    /// Uses a connection that others may use too. The session is opened with its first request.
    #[must_use]
    pub fn with_channel(channel: Channel, options: Options) -> Self {
        Self::start(channel, options, None)
    }

    /// A session of a pool's. It waits for no place on a server that has none for a session, and ends when its server is lost.
    pub(super) fn of_pool(channel: Channel, options: Options, liveness: Arc<Liveness>) -> Self {
        Self::start(channel, options, Some(liveness))
    }

    fn start(channel: Channel, options: Options, liveness: Option<Arc<Liveness>>) -> Self {
        let id = uuid::Uuid::now_v7().to_string();
        let (commands, asked) = mpsc::channel(UNSENT_MAX);
        let client = CodingEnvClient::new(channel).max_decoding_message_size(REPLY_BYTES_MAX);
        let driver = Driver {
            client,
            options,
            liveness,
            id: id.clone(),
            server: None,
            pending: BTreeMap::new(),
            unsent: VecDeque::new(),
            // The opening request's.
            last_id: 1,
            received: 0,
            unacknowledged: 0,
            closing: None,
        };
        tokio::spawn(driver.run(asked));
        Self { id, commands }
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Starts an episode, which ends with the session.
    ///
    /// # Errors
    /// A refusal, or a connection that stays broken until the deadline.
    pub async fn reset(&self, request: v1::ResetRequest) -> Result<v1::ResetResponse, Error> {
        match *self.asked(Asked::Reset(request)).await? {
            Response::Reset(reply) => Ok(reply),
            other => Err(unexpected(&other)),
        }
    }

    /// Runs a step.
    ///
    /// # Errors
    /// As [`reset`](Self::reset).
    pub async fn step(&self, request: v1::StepRequest) -> Result<v1::StepResponse, Error> {
        match *self.asked(Asked::Step(request)).await? {
            Response::Step(reply) => Ok(reply),
            other => Err(unexpected(&other)),
        }
    }

    /// Runs a step, and tells what it prints while it runs.
    ///
    /// # Errors
    /// As [`reset`](Self::reset).
    pub async fn step_stream(&self, request: v1::StepStreamRequest) -> Result<SessionStep, Error> {
        let at = [request.stdout_offset, request.stderr_offset];
        let (told, pieces) = mpsc::channel(PIECES_MAX);
        let (end, reply) = oneshot::channel();
        let asked = Box::new(Asked::StepStream(request));
        self.send(Command::Ask(asked, Answer::Many(told, end)))
            .await
            .map_err(|status| Error::from_status(&status))?;
        Ok(SessionStep {
            pieces,
            reply: Some(reply),
            at,
            end: None,
        })
    }

    /// The state of an episode.
    ///
    /// # Errors
    /// As [`reset`](Self::reset).
    pub async fn state(&self, request: v1::GetStateRequest) -> Result<v1::GetStateResponse, Error> {
        match *self.asked(Asked::GetState(request)).await? {
            Response::GetState(reply) => Ok(reply),
            other => Err(unexpected(&other)),
        }
    }

    /// Interrupts a running step, at once.
    ///
    /// # Errors
    /// As [`reset`](Self::reset).
    pub async fn interrupt(
        &self,
        request: v1::InterruptRequest,
    ) -> Result<v1::InterruptResponse, Error> {
        match *self.asked(Asked::Interrupt(request)).await? {
            Response::Interrupt(reply) => Ok(reply),
            other => Err(unexpected(&other)),
        }
    }

    /// Ends an episode.
    ///
    /// # Errors
    /// As [`reset`](Self::reset).
    pub async fn end(&self, request: v1::CloseRequest) -> Result<v1::CloseResponse, Error> {
        match *self.asked(Asked::Close(request)).await? {
            Response::Close(reply) => Ok(reply),
            other => Err(unexpected(&other)),
        }
    }

    /// Makes episodes independent of the session, all if none are named. Returns those that were its.
    ///
    /// # Errors
    /// As [`reset`](Self::reset).
    pub async fn detach(&self, episode_ids: Vec<String>) -> Result<Vec<String>, Error> {
        let asked = Asked::Detach(v1::SessionDetach { episode_ids });
        match *self.asked(asked).await? {
            Response::Detach(v1::SessionDetached { episode_ids }) => Ok(episode_ids),
            other => Err(unexpected(&other)),
        }
    }

    /// Ends the session, and its episodes at once. A session that is dropped with all its clones ends too.
    ///
    /// # Errors
    /// A connection that broke meanwhile: the server ends the episodes after its `session_grace`.
    pub async fn close(self) -> Result<(), Error> {
        let (done, closed) = oneshot::channel();
        let ending = async {
            self.send(Command::Close(done)).await?;
            closed.await.unwrap_or_else(|_| Err(ended()))
        };
        ending.await.map_err(|status| Error::from_status(&status))
    }

    async fn asked(&self, asked: Asked) -> Result<Box<Response>, Error> {
        let answer = self.ask(asked).await;
        answer.map_err(|status| Error::from_status(&status))
    }

    /// Whether nothing can be asked any more.
    pub(super) fn has_ended(&self) -> bool {
        self.commands.is_closed()
    }

    async fn ask(&self, asked: Asked) -> Result<Box<Response>, Status> {
        self.try_ask(asked).await.unwrap_or_else(|_| Err(ended()))
    }

    /// As `ask`; gives the request back when the session has ended before it took it.
    pub(super) async fn try_ask(
        &self,
        asked: Asked,
    ) -> Result<Result<Box<Response>, Status>, Box<Asked>> {
        let (answer, answered) = oneshot::channel();
        let command = Command::Ask(Box::new(asked), Answer::One(answer));
        match self.commands.send(command).await {
            Ok(()) => Ok(answered.await.unwrap_or_else(|_| Err(ended()))),
            Err(SendError(Command::Ask(asked, _))) => Err(asked),
            Err(SendError(Command::Close(_))) => Ok(Err(ended())),
        }
    }

    async fn send(&self, command: Command) -> Result<(), Status> {
        self.commands.send(command).await.map_err(|_| ended())
    }
}

/// A step of a session that is told while it runs.
///
/// Who does not take the pieces holds up nobody: past 64 that wait, pieces are dropped, and the next one says how many bytes. When the step ended while its stream
/// was broken, what was not told of its output comes from the reply, as far as that has it whole.
#[derive(Debug)]
pub struct SessionStep {
    pieces: mpsc::Receiver<v1::StepStreamResponse>,
    reply: Option<oneshot::Receiver<Result<v1::StepResponse, Status>>>,
    /// What was told of stdout and stderr.
    at: [u64; 2],
    /// What is left once it has ended.
    end: Option<(Vec<v1::OutputPiece>, Box<v1::StepResponse>)>,
}

impl SessionStep {
    /// Waits for what comes next. None after the reply. `# Cancel-Safety`: safe.
    ///
    /// # Errors
    /// As [`Session::step`].
    pub async fn next(&mut self) -> Result<Option<StepEvent>, Error> {
        while let Some(response) = self.pieces.recv().await {
            if let Some(Event::Piece(piece)) = response.event
                && let Some(piece) = self.fit(piece)
            {
                return Ok(Some(StepEvent::Output(piece)));
            }
        }
        if let Some(reply) = &mut self.reply {
            let reply = reply.await.unwrap_or_else(|_| Err(ended()));
            self.reply = None;
            let reply = reply.map_err(|status| Error::from_status(&status))?;
            self.end = Some((self.untold(&reply), Box::new(reply)));
        }
        if let Some((untold, _)) = &mut self.end
            && let Some(piece) = untold.pop()
        {
            return Ok(Some(StepEvent::Output(piece)));
        }
        Ok(self.end.take().map(|(_, reply)| StepEvent::Reply(reply)))
    }

    /// What was not told of the output, where the reply has it as it was written.
    fn untold(&self, reply: &v1::StepResponse) -> Vec<v1::OutputPiece> {
        let observed = reply.observed.clone().unwrap_or_default();
        let streams = [
            (
                OutputStream::Stderr,
                reply.stderr(),
                observed.stderr_total_bytes,
                self.at[1],
            ),
            (
                OutputStream::Stdout,
                reply.stdout(),
                observed.stdout_total_bytes,
                self.at[0],
            ),
        ];
        let untold = |(stream, text, total_bytes, offset): (OutputStream, &str, u64, u64)| {
            let is_whole = text.len() as u64 == total_bytes && !text.contains('\u{fffd}');
            let data = text.as_bytes().get(usize::try_from(offset).ok()?..)?;
            (is_whole && !data.is_empty()).then(|| v1::OutputPiece {
                stream: stream.into(),
                offset,
                data: data.to_vec(),
                dropped_bytes: 0,
            })
        };
        streams.into_iter().filter_map(untold).collect()
    }

    /// What is new of a piece: a stream that is taken over tells output again.
    fn fit(&mut self, mut piece: v1::OutputPiece) -> Option<v1::OutputPiece> {
        let [stdout, stderr] = &mut self.at;
        let at = match piece.stream() {
            v1::OutputStream::Stderr => stderr,
            _ => stdout,
        };
        let known = usize::try_from(at.saturating_sub(piece.offset)).unwrap_or(usize::MAX);
        if known >= piece.data.len() {
            return None;
        }
        piece.data.drain(..known);
        piece.offset += known as u64;
        piece.dropped_bytes = piece.offset - *at;
        *at = piece.offset + piece.data.len() as u64;
        Some(piece)
    }
}

/// The task of a session: one stream after the other.
struct Driver {
    client: CodingEnvClient<Channel>,
    options: Options,
    /// In a pool: what tells that the server is gone.
    liveness: Option<Arc<Liveness>>,
    id: String,
    /// The server that holds it.
    server: Option<AsciiMetadataValue>,
    /// Requests without an answer, by their ids.
    pending: BTreeMap<u64, (Box<Asked>, Answer)>,
    /// Those of them that were not sent on this stream.
    unsent: VecDeque<u64>,
    last_id: u64,
    /// The number of the last answer.
    received: u64,
    /// Answers since the server was told.
    unacknowledged: u32,
    closing: Option<oneshot::Sender<Result<(), Status>>>,
}

/// How a stream ended.
enum StreamEnd {
    /// The session is over.
    Done,
    /// It can be taken over.
    Broken(Status),
    /// It can't.
    Failed(Status),
}

impl Driver {
    async fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        let mut retry = Retry::new(&self.options, self.options.deadline);
        let liveness = self.liveness.clone();
        let status = loop {
            let end = tokio::select! {
                biased;
                () = lost(liveness.as_deref()) => StreamEnd::Failed(ended()),
                end = self.stream(&mut commands, &mut retry) => end,
            };
            match end {
                StreamEnd::Done => {
                    if let Some(closing) = self.closing.take() {
                        drop(closing.send(Ok(())));
                    }
                    break ended();
                }
                StreamEnd::Failed(status) => break status,
                StreamEnd::Broken(status) if self.closing.is_some() => break status,
                StreamEnd::Broken(status) => {
                    let pause = retry.pause(Error::from_status(&status).retry_after());
                    let paused = tokio::select! {
                        biased;
                        () = lost(liveness.as_deref()) => Err(()),
                        paused = pause => paused,
                    };
                    if paused.is_err() {
                        break status;
                    }
                }
            }
        };
        if let Some(closing) = self.closing.take() {
            drop(closing.send(Err(status.clone())));
        }
        // First, so that who is told of the end below finds it.
        commands.close();
        for (_, answer) in std::mem::take(&mut self.pending).into_values() {
            answer.fail(status.clone());
        }
        while let Some(command) = commands.recv().await {
            match command {
                Command::Ask(_, answer) => answer.fail(status.clone()),
                Command::Close(closing) => drop(closing.send(Err(status.clone()))),
            }
        }
    }

    /// Opens the session on a stream, and uses that to its end.
    async fn stream(
        &mut self,
        commands: &mut mpsc::Receiver<Command>,
        retry: &mut Retry,
    ) -> StreamEnd {
        let (requests, outgoing) = mpsc::channel(UNSENT_MAX);
        let mut requests = Some(requests);
        let open = SessionRequest {
            id: 1,
            received: self.received,
            request: Some(Asked::Open(v1::SessionOpen {
                session_id: self.id.clone(),
            })),
        };
        if let Some(requests) = &requests {
            // There is room.
            drop(requests.try_send(open));
        }
        let mut request = Request::new(ReceiverStream::new(outgoing));
        if let Some(token) = &self.options.token {
            token.authorize(&mut request);
        }
        if let Some(server) = &self.server {
            request.metadata_mut().insert(SERVER_HEADER, server.clone());
        }
        let mut client = self.client.clone();
        let calling = tokio::time::timeout(retry.left(), client.session(request)).await;
        let mut responses = match calling {
            Ok(Ok(responses)) => responses.into_inner(),
            Ok(Err(status)) => return self.broken(status),
            Err(_) => return StreamEnd::Broken(timed_out()),
        };
        self.unsent = self.pending.keys().copied().collect();
        loop {
            // Acknowledges by itself when there is no request to do it.
            let acknowledges = self.unacknowledged >= ACKNOWLEDGE_EVERY;
            let has_more = !self.unsent.is_empty() || acknowledges;
            let sender = requests.clone().filter(|_| has_more);
            let sending = async move {
                match sender {
                    Some(sender) => sender.reserve_owned().await.ok(),
                    None => std::future::pending().await,
                }
            };
            let takes = self.unsent.len() < UNSENT_MAX && self.closing.is_none();
            tokio::select! {
                permit = sending => {
                    let Some(permit) = permit else {
                        requests = None; // the responses tell why
                        continue;
                    };
                    let next = self.unsent.pop_front();
                    let request = next.and_then(|id| self.pending.get(&id));
                    self.unacknowledged = 0;
                    permit.send(SessionRequest {
                        id: next.unwrap_or_default(),
                        received: self.received,
                        request: request.map(|(asked, _)| (**asked).clone()),
                    });
                }
                command = commands.recv(), if takes => match command {
                    Some(Command::Ask(asked, answer)) => {
                        self.last_id += 1;
                        self.pending.insert(self.last_id, (asked, answer));
                        self.unsent.push_back(self.last_id);
                    }
                    Some(Command::Close(closing)) => {
                        self.closing = Some(closing);
                        requests = None;
                    }
                    None => {
                        let (closing, _) = oneshot::channel();
                        self.closing = Some(closing);
                        requests = None;
                    }
                },
                response = responses.message() => match response {
                    Ok(Some(response)) => {
                        *retry = Retry::new(&self.options, self.options.deadline);
                        self.take(response);
                    }
                    Ok(None) if self.closing.is_some() => return StreamEnd::Done,
                    Ok(None) => {
                        return self.broken(Status::unavailable("the session's stream ended"));
                    }
                    Err(status) => return self.broken(status),
                },
            }
        }
    }

    fn take(&mut self, response: SessionResponse) {
        let SessionResponse {
            id,
            number,
            response,
        } = response;
        if number > 0 {
            if number <= self.received {
                return; // it came before
            }
            self.received = number;
            self.unacknowledged += 1;
        }
        let response = match response {
            Some(Response::Open(opened)) => {
                self.server = AsciiMetadataValue::try_from(opened.server_id).ok();
                if !opened.resumed {
                    // It was forgotten: another one begins, with numbers of its own.
                    (self.received, self.unacknowledged) = (0, 0);
                }
                return;
            }
            Some(response) => response,
            None => return,
        };
        if let Response::StepStream(told) = &response
            && !matches!(told.event, Some(Event::Reply(_)))
        {
            if let Some((_, Answer::Many(pieces, _))) = self.pending.get(&id) {
                // Who does not take them misses some, and is told by the offsets.
                drop(pieces.try_send(told.clone()));
            }
            return;
        }
        let Some((_, answer)) = self.pending.remove(&id) else {
            return;
        };
        // Who asked may have gone.
        match (answer, response) {
            (answer, Response::Error(error)) => answer.fail(from_message(&error)),
            (Answer::One(answer), response) => drop(answer.send(Ok(Box::new(response)))),
            (Answer::Many(_, end), Response::StepStream(told)) => {
                if let Some(Event::Reply(reply)) = told.event {
                    drop(end.send(Ok(reply)));
                }
            }
            (answer @ Answer::Many(..), response) => answer.fail(surprise(&response)),
        }
    }

    /// How a stream ended that was answered so.
    fn broken(&self, status: Status) -> StreamEnd {
        let error = Error::from_status(&status);
        let reason = error.reason();
        if let Some(liveness) = &self.liveness {
            liveness.note(Some(&status));
            match reason {
                // Whoever answers there now knows nothing of its episodes.
                Some(Reason::EpisodeServerGone) => liveness.give_up("another server answers there"),
                Some(Reason::SessionLimit) => return StreamEnd::Failed(status),
                _ => {}
            }
        }
        if error.is_retryable() && reason != Some(&Reason::SessionTakenOver) {
            StreamEnd::Broken(status)
        } else {
            StreamEnd::Failed(status)
        }
    }
}

/// Waits until the server is lost; for ever, where nobody looks after it.
async fn lost(liveness: Option<&Liveness>) {
    match liveness {
        Some(liveness) => liveness.lost().await,
        None => std::future::pending().await,
    }
}

/// An error that came as a message.
fn from_message(error: &tonic_types::Status) -> Status {
    let code = Code::from(error.code);
    let details = prost::Message::encode_to_vec(error);
    Status::with_details(code, error.message.clone(), details.into())
}

fn ended() -> Status {
    Status::unavailable("the session has ended")
}

/// As if the connection were broken: the answer is of no use.
pub(super) fn surprise(response: &Response) -> Status {
    Status::unavailable(format!("the server answered something else: {response:?}"))
}

fn unexpected(response: &Response) -> Error {
    Error::from_status(&surprise(response))
}
