//! A WebSocket: one session, one frame in, one frame out, in order. The socket is read while a step runs, so that pings are answered and its
//! end is seen.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use futures_util::{SinkExt as _, StreamExt as _};
use http::{HeaderMap, Method, StatusCode, Version, header};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use serde_json::{Map, Value};
use tokio::io::AsyncReadExt as _;
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Bytes, Error, Message};

use super::check::{self, Data, Issue};
use super::session::Session;
use super::sessions::{Attached, NotAttached};
use super::wire::{self, Code};
use super::{OpenEnv, answer, json, mcp, page_socket};
use crate::episode::{Owner, Refusal};
use crate::fault;

/// The largest frame, and message, that is taken: 16 MiB.
pub(super) const FRAME_BYTES_MAX: usize = 16 << 20;
/// Frames that wait behind the one that is answered, and their bytes. With more the socket is not read until there are fewer.
const WAITING_MAX: usize = 16;
const WAITING_BYTES_MAX: usize = FRAME_BYTES_MAX;
/// How long a client may take for a reply.
const SEND_WITHIN: Duration = Duration::from_secs(60);
/// After how many checks without a sign of it a client has gone. A trainer's event loop may be busy with other things for a minute or two,
/// and does not answer meanwhile.
const SILENT_CHECKS_MAX: u32 = 6;
/// How long a client may take for its part of the end.
const END_WITHIN: Duration = Duration::from_secs(2);
/// What the buffers of a socket begin with: there may be thousands that are idle.
const BUFFER_BYTES: usize = 4096;

/// What is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    /// Frames of `/ws`.
    Env,
    /// JSON-RPC, on `/mcp`.
    Mcp,
    /// What the page of `/web` speaks.
    Page,
}

/// Whether a request asks for a WebSocket.
pub(super) fn is_asked_for(headers: &HeaderMap) -> bool {
    has_token(headers, &header::CONNECTION, "upgrade")
        && has_token(headers, &header::UPGRADE, "websocket")
}

fn has_token(headers: &HeaderMap, name: &http::HeaderName, token: &str) -> bool {
    let values = headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let mut tokens = values.flat_map(|value| value.split(','));
    tokens.any(|found| found.trim().eq_ignore_ascii_case(token))
}

/// Answers the request for a WebSocket (RFC 6455, section 4.2), and serves it.
pub(super) fn accept(
    openenv: Arc<OpenEnv>,
    protocol: Protocol,
    owner: Owner,
    mut request: Request,
) -> Response {
    let headers = request.headers();
    let version = headers.get(header::SEC_WEBSOCKET_VERSION);
    let fits = request.method() == Method::GET && request.version() == Version::HTTP_11;
    if !fits || !is_asked_for(headers) || version.is_none_or(|version| version != "13") {
        let mut response = answer::told(
            StatusCode::UPGRADE_REQUIRED,
            "this is a WebSocket, version 13, over HTTP/1.1",
        );
        let headers = response.headers_mut();
        headers.insert(header::UPGRADE, http::HeaderValue::from_static("websocket"));
        headers.insert(
            header::CONNECTION,
            http::HeaderValue::from_static("upgrade"),
        );
        headers.insert(
            header::SEC_WEBSOCKET_VERSION,
            http::HeaderValue::from_static("13"),
        );
        return response;
    }
    let Some(key) = headers.get(header::SEC_WEBSOCKET_KEY) else {
        return answer::told(
            StatusCode::BAD_REQUEST,
            "the header Sec-WebSocket-Key is missing",
        );
    };
    let accepted = derive_accept_key(key.as_bytes());
    let protocols = &header::SEC_WEBSOCKET_PROTOCOL;
    let offers = protocol == Protocol::Page && has_token(headers, protocols, page_socket::PROTOCOL);
    let asked = session_asked(request.uri().query().unwrap_or_default());
    let upgrade = hyper::upgrade::on(&mut request);
    let tasks = openenv.sockets.clone();
    tasks.spawn(async move {
        match upgrade.await {
            Ok(upgraded) => {
                let config = WebSocketConfig::default()
                    .read_buffer_size(BUFFER_BYTES)
                    .write_buffer_size(0)
                    .max_message_size(Some(FRAME_BYTES_MAX))
                    .max_frame_size(Some(FRAME_BYTES_MAX));
                let stream = WebSocketStream::from_raw_socket(
                    TokioIo::new(upgraded),
                    Role::Server,
                    Some(config),
                );
                let socket = Socket::new(stream.await, openenv.keepalive);
                Box::pin(serve(&openenv, protocol, socket, &owner, asked)).await;
            }
            Err(error) => tracing::debug!(%error, "a WebSocket's connection has gone"),
        }
    });
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::UPGRADE, http::HeaderValue::from_static("websocket"));
    headers.insert(
        header::CONNECTION,
        http::HeaderValue::from_static("Upgrade"),
    );
    if let Ok(accepted) = accepted.parse() {
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, accepted);
    }
    if offers {
        // A browser goes on only with a protocol that it has offered.
        let spoken = http::HeaderValue::from_static(page_socket::PROTOCOL);
        headers.insert(header::SEC_WEBSOCKET_PROTOCOL, spoken);
    }
    response
}

/// The value of `session_id` in a query. Ids of sessions have no character that a query would encode.
fn session_asked(query: &str) -> Option<String> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let mut asked = pairs.filter(|(name, value)| *name == "session_id" && !value.is_empty());
    asked.next().map(|(_, value)| value.to_owned())
}

/// The session that a socket has.
enum Held {
    /// Its own: it ends with it.
    Own {
        session: Arc<Session>,
        id: String,
    },
    Attached(Attached),
}

impl Held {
    fn session(&self) -> &Arc<Session> {
        match self {
            Self::Own { session, .. } => session,
            Self::Attached(attached) => &attached.session,
        }
    }

    fn caller(&self) -> mcp::Caller<'_> {
        let (session, id) = match self {
            Self::Own { session, id } => (session, id.as_str()),
            Self::Attached(attached) => (&attached.session, attached.id()),
        };
        mcp::Caller::Socket { session, id }
    }
}

/// Why there is no session, as a frame.
fn hold(
    openenv: &OpenEnv,
    protocol: Protocol,
    owner: &Owner,
    asked: Option<String>,
) -> Result<Held, String> {
    if let Some(id) = asked.filter(|_| protocol == Protocol::Env) {
        return openenv
            .sessions
            .attach(&id, owner)
            .map(Held::Attached)
            .map_err(|why| {
                let message = match why {
                    NotAttached::Unknown => format!("Unknown session_id: {id}"),
                    NotAttached::Taken => format!("Session {id} already has an attached WebSocket"),
                };
                wire::error(Code::Session, &message)
            });
    }
    match openenv.start_session(owner) {
        Ok(session) => Ok(Held::Own {
            session: Arc::new(session),
            id: uuid::Uuid::new_v4().to_string(),
        }),
        Err(refusal) if protocol != Protocol::Env => {
            Err(mcp::refusal(openenv, &refusal).to_string())
        }
        Err(Refusal::EpisodeLimit { .. }) => {
            let (taken, max) = openenv.episodes.places();
            Err(wire::capacity(taken, max))
        }
        Err(refusal) => Err(wire::error(Code::Session, &refusal.to_string())),
    }
}

async fn serve(
    openenv: &OpenEnv,
    protocol: Protocol,
    mut socket: Socket,
    owner: &Owner,
    asked: Option<String>,
) {
    if protocol == Protocol::Page {
        let end = page_socket::converse(openenv, &mut socket, owner).await;
        return socket.end(end).await;
    }
    let end = match hold(openenv, protocol, owner, asked) {
        // The session ends before the socket does: its place is free when the client sees the end.
        Ok(held) => {
            let end = Box::pin(converse(openenv, protocol, &mut socket, &held)).await;
            drop(held);
            end
        }
        Err(told) => {
            // A client that has gone already needs no telling.
            let _sent: bool = socket.send(told).await;
            End::Normal
        }
    };
    socket.end(end).await;
}

/// Why a socket ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The client has gone.
    Gone,
    Normal,
    /// The server ends.
    Away,
    TooLarge,
    /// What came is no WebSocket, or no text.
    Broken(CloseCode),
}

/// What came.
pub(super) enum Came {
    Frame(Message),
    End(End),
}

/// What becomes of a frame.
enum Reply {
    Frame(String),
    /// The last one.
    Last(String),
    /// None, and the end.
    End,
}

/// Answers one frame after the other, until the end.
async fn converse(openenv: &OpenEnv, protocol: Protocol, socket: &mut Socket, held: &Held) -> End {
    loop {
        let came = match socket.take_waiting() {
            Some(frame) => Came::Frame(frame),
            None => tokio::select! {
                came = socket.receive() => came,
                () = openenv.closing.cancelled() => return End::Away,
            },
        };
        let frame = match came {
            Came::Frame(frame) => frame,
            Came::End(end) => return end,
        };
        let reply = {
            let mut answering = Box::pin(answer(openenv, protocol, held, &frame));
            loop {
                tokio::select! {
                    biased;
                    reply = &mut answering => break reply,
                    came = socket.receive(), if socket.has_room() => match came {
                        Came::Frame(frame) => socket.wait(frame),
                        Came::End(end) => return end,
                    },
                }
            }
        };
        let (text, is_last) = match reply {
            Reply::Frame(text) => (text, false),
            Reply::Last(text) => (text, true),
            Reply::End => return End::Normal,
        };
        drop(frame);
        if !socket.send(text).await {
            return End::Gone;
        }
        if is_last {
            return End::Normal;
        }
    }
}

async fn answer(openenv: &OpenEnv, protocol: Protocol, held: &Held, frame: &Message) -> Reply {
    let answering = async {
        match (protocol, frame) {
            (Protocol::Env, Message::Text(text)) => answer_env(openenv, held, text.as_str()).await,
            // In the words of the incumbent, which looks for the text of a frame that has none.
            (Protocol::Env, _) => Reply::Last(wire::error(Code::Session, "'text'")),
            (_, frame) => {
                let text = frame.clone().into_data();
                let response = mcp::answer_text(openenv, held.caller(), &text).await;
                Reply::Frame(response.to_string())
            }
        }
    };
    match fault::caught(answering).await {
        Ok(reply) => reply,
        Err(cause) => {
            let id = fault::report(&cause);
            let told = Refusal::Fault { id }.to_string();
            Reply::Frame(wire::error(Code::Execution, &told))
        }
    }
}

async fn answer_env(openenv: &OpenEnv, held: &Held, text: &str) -> Reply {
    let frame = match serde_json::from_str(text) {
        Ok(Value::Object(frame)) => frame,
        Ok(other) => {
            let told = format!("'{}' object has no attribute 'get'", python_type(&other));
            return Reply::Last(wire::error(Code::Session, &told));
        }
        Err(_) => {
            let told = format!("Invalid JSON: {}", json::explain(text));
            return Reply::Frame(wire::error(Code::InvalidJson, &told));
        }
    };
    let kind = match frame.get("type") {
        Some(Value::String(kind)) => kind.clone(),
        None => String::new(),
        Some(Value::Null) => "None".to_owned(),
        Some(other) => other.to_string(),
    };
    let answered = match kind.as_str() {
        "reset" => reset(held.session(), frame).await,
        "step" => step(openenv, held.session(), frame).await,
        "state" => match check::frame_data(frame, Data::Absent) {
            Ok(_) => Ok(held.session().state().await.frame()),
            Err(issues) => Err(Unanswered::Invalid(issues)),
        },
        "close" => match check::frame_data(frame, Data::Absent) {
            Ok(_) => return Reply::End,
            Err(issues) => Err(Unanswered::Invalid(issues)),
        },
        "mcp" => match check::frame_data(frame, Data::Required) {
            Ok(request) => {
                let response = mcp::answer(openenv, held.caller(), request).await;
                Ok(wire::mcp_frame(&response))
            }
            Err(issues) => Err(Unanswered::Invalid(issues)),
        },
        _ => Ok(wire::error(
            Code::UnknownType,
            &format!("Unknown message type: {kind}"),
        )),
    };
    Reply::Frame(match answered {
        Ok(frame) => frame,
        Err(Unanswered::Invalid(issues)) => wire::invalid(&issues),
        Err(Unanswered::Refused(refusal)) => wire::error(Code::Execution, &refusal.to_string()),
    })
}

/// Why a frame has no answer of its kind.
enum Unanswered {
    Invalid(Vec<Issue>),
    Refused(Refusal),
}

impl From<Vec<Issue>> for Unanswered {
    fn from(issues: Vec<Issue>) -> Self {
        Self::Invalid(issues)
    }
}

impl From<Refusal> for Unanswered {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

async fn reset(session: &Session, frame: Map<String, Value>) -> Result<String, Unanswered> {
    let data = check::frame_data(frame, Data::Optional)?;
    let options = check::reset_data(&data)?;
    Ok(session.reset(options).await?.frame())
}

async fn step(
    openenv: &OpenEnv,
    session: &Session,
    frame: Map<String, Value>,
) -> Result<String, Unanswered> {
    let data = check::frame_data(frame, Data::Required)?;
    let code = check::action(data, openenv.profile.source_bytes())?;
    Ok(session.step(code, None).await?.frame())
}

/// What Python calls the type of a value of JSON.
fn python_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "NoneType",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float",
        Value::Number(_) => "int",
        Value::String(_) => "str",
        Value::Array(_) => "list",
        Value::Object(_) => "dict",
    }
}

/// A socket, and the frames that came while another was answered.
pub(super) struct Socket {
    stream: WebSocketStream<TokioIo<Upgraded>>,
    waiting: VecDeque<Message>,
    waiting_bytes: usize,
    /// When anything came last.
    heard: Instant,
    keepalive: Duration,
    tick: tokio::time::Interval,
}

impl Socket {
    fn new(stream: WebSocketStream<TokioIo<Upgraded>>, keepalive: Duration) -> Self {
        let now = Instant::now();
        let mut tick = interval_at(now + keepalive, keepalive);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            stream,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            heard: now,
            keepalive,
            tick,
        }
    }

    pub(super) fn take_waiting(&mut self) -> Option<Message> {
        let frame = self.waiting.pop_front()?;
        self.waiting_bytes -= frame.len();
        Some(frame)
    }

    pub(super) fn has_room(&self) -> bool {
        self.waiting.len() < WAITING_MAX && self.waiting_bytes < WAITING_BYTES_MAX
    }

    pub(super) fn wait(&mut self, frame: Message) {
        self.waiting_bytes += frame.len();
        self.waiting.push_back(frame);
    }

    /// The next frame. Meanwhile pings are answered, and a client that has gone silent is asked whether it is still there.
    ///
    /// # Cancel-Safety
    /// Safe.
    pub(super) async fn receive(&mut self) -> Came {
        loop {
            let came = tokio::select! {
                came = self.stream.next() => came,
                _ = self.tick.tick() => {
                    let silent = self.heard.elapsed();
                    if silent >= self.keepalive * SILENT_CHECKS_MAX {
                        return Came::End(End::Gone);
                    }
                    if silent >= self.keepalive {
                        let ping = self.stream.send(Message::Ping(Bytes::new()));
                        let sent = timeout(self.keepalive * SILENT_CHECKS_MAX, ping).await;
                        if !matches!(sent, Ok(Ok(()))) {
                            return Came::End(End::Gone);
                        }
                    }
                    continue;
                }
            };
            self.heard = Instant::now();
            return match came {
                Some(Ok(frame @ (Message::Text(_) | Message::Binary(_)))) => Came::Frame(frame),
                Some(Ok(Message::Close(_))) => Came::End(End::Normal),
                Some(Ok(_)) => continue,
                Some(Err(Error::Capacity(_))) => Came::End(End::TooLarge),
                Some(Err(Error::Utf8(_))) => Came::End(End::Broken(CloseCode::Invalid)),
                Some(Err(Error::Protocol(_))) => Came::End(End::Broken(CloseCode::Protocol)),
                Some(Err(_)) | None => Came::End(End::Gone),
            };
        }
    }

    /// Whether a reply could be sent.
    pub(super) async fn send(&mut self, text: String) -> bool {
        let sending = self.stream.send(Message::text(text));
        let sent = matches!(timeout(SEND_WITHIN, sending).await, Ok(Ok(())));
        // A client that took long for a reply was there meanwhile.
        self.heard = Instant::now();
        sent
    }

    /// Says good-bye, and waits a moment for the client to do so.
    async fn end(mut self, end: End) {
        let (code, reason) = match end {
            End::Gone => return,
            End::Normal => (CloseCode::Normal, String::new()),
            End::Away => (CloseCode::Away, "the server is shutting down".to_owned()),
            End::TooLarge => {
                let reason = format!("frame exceeds limit of {FRAME_BYTES_MAX} bytes");
                (CloseCode::Size, reason)
            }
            End::Broken(code) => (code, String::new()),
        };
        let close = CloseFrame {
            code,
            reason: reason.into(),
        };
        let ending = async {
            if self.stream.close(Some(close)).await.is_err() {
                return;
            }
            if end == End::TooLarge {
                // What is not read makes the kernel reset the connection, and the client lose the reason.
                let mut rest = vec![0; BUFFER_BYTES];
                while matches!(self.stream.get_mut().read(&mut rest).await, Ok(1..)) {}
            } else {
                while matches!(self.stream.next().await, Some(Ok(_))) {}
            }
        };
        drop(timeout(END_WITHIN, ending).await); // it is closed by dropping it, too
    }
}

#[cfg(test)]
mod tests {
    use super::session_asked;

    #[test]
    fn the_session_is_named_in_the_query() {
        for (query, asked) in [
            ("", None),
            ("session_id=", None),
            ("session_id=a", Some("a")),
            ("x=1&session_id=a&session_id=b", Some("a")),
            ("session_ids=a", None),
        ] {
            assert_eq!(session_asked(query).as_deref(), asked, "{query}");
        }
    }
}
