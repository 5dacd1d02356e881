//! What can go wrong, as types.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use tonic::{Code, Status};

use super::files::FilesFailed;
use tonic_types::StatusExt as _;

/// Why a call failed.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
#[expect(
    clippy::error_impl_error,
    reason = "its name is client::Error, as tonic's and tokio's are"
)]
pub enum Error {
    /// The server refused it, or had a fault.
    Refused(Box<Refusal>),
    /// The deadline passed, here or at the server. A step may have run, or run still: the same code again gets its reply, and other code
    /// runs after it.
    Deadline,
    /// The connection broke, and stayed broken until the deadline.
    Connect(String),
    /// The URL is none that can be connected to.
    Url(String),
    /// The text is no bearer token. It is not repeated: it may be a secret all the same.
    Token,
    /// Certificates or keys can't be used.
    Tls(String),
    /// There is no episode: reset first.
    NoEpisode,
    /// A container could not be had, or not be removed. Feature `docker`.
    Docker(DockerError),
    /// Something went wrong with some files of a call.
    Files(FilesFailed),
    /// What was asked for can't be done on this side: a file of this machine can't be read or written, say.
    Local(String),
}

/// What is wrong with a container or its engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DockerError {
    /// What is wrong, and what would help, for people.
    pub message: String,
    /// The end of what the container wrote: at most 50 lines of 64 KiB together. None when there was no container yet.
    pub log: Option<String>,
}

impl DockerError {
    #[cfg(feature = "docker")]
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            log: None,
        }
    }
}

impl fmt::Display for DockerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.log {
            Some(log) if !log.trim().is_empty() => {
                write!(f, "\nthe container's log:\n{}", log.trim_end())
            }
            _ => Ok(()),
        }
    }
}

impl std::error::Error for DockerError {}

impl From<DockerError> for Error {
    fn from(error: DockerError) -> Self {
        Self::Docker(error)
    }
}

/// A refusal, as the contract describes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// The reason in `ErrorInfo`.
    pub reason: Reason,
    /// The gRPC code.
    pub code: Code,
    /// What would be right, for people.
    pub message: String,
    /// The values in the message: `expected`, `episode_id`, …
    pub metadata: HashMap<String, String>,
    /// When to try again, if the server said so.
    pub retry_after: Option<Duration>,
    /// What is wrong with each field, when the reason is [`Reason::InvalidField`].
    pub violations: Vec<Violation>,
}

/// What is wrong with one field of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The field, as the contract names it: `limits.memory_bytes`.
    pub field: String,
    /// What would be right.
    pub description: String,
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident = $name:literal),+ $(,)?) => {
        /// The reasons of the contract.
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Reason {
            $($(#[$doc])* $variant,)+
            /// One that this client does not know, or an error without a reason.
            Other(String),
        }

        impl Reason {
            /// The reason's name in the contract.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $name,)+
                    Self::Other(name) => name,
                }
            }
        }

        impl From<&str> for Reason {
            fn from(name: &str) -> Self {
                match name {
                    $($name => Self::$variant,)+
                    other => Self::Other(other.to_owned()),
                }
            }
        }
    };
}

reasons! {
    /// The request does not make sense.
    InvalidField = "INVALID_FIELD",
    /// There is no such episode.
    EpisodeNotFound = "EPISODE_NOT_FOUND",
    /// It was closed.
    EpisodeClosed = "EPISODE_CLOSED",
    /// It was idle for too long.
    EpisodeExpired = "EPISODE_EXPIRED",
    /// Its server is gone, or is another one than the one that was asked.
    EpisodeServerGone = "EPISODE_SERVER_GONE",
    /// The id is in use.
    EpisodeExists = "EPISODE_EXISTS",
    /// Its interpreter is gone.
    EpisodeLost = "EPISODE_LOST",
    /// The step's index does not fit.
    StepOutOfOrder = "STEP_OUT_OF_ORDER",
    /// The step has run, and its reply was dropped.
    StepReplyDropped = "STEP_REPLY_DROPPED",
    /// The episode ended while the step ran or was queued.
    EpisodeEnded = "EPISODE_ENDED",
    /// As many episodes as the server holds.
    EpisodeLimit = "EPISODE_LIMIT",
    /// As many steps as may wait for a turn.
    StepLimit = "STEP_LIMIT",
    /// As many steps as may be queued in an episode.
    StepQueueFull = "STEP_QUEUE_FULL",
    /// Another stream has opened the session.
    SessionTakenOver = "SESSION_TAKEN_OVER",
    /// As many sessions as the server holds.
    SessionLimit = "SESSION_LIMIT",
    /// As many calls that move files as may wait for a turn.
    FilesLimit = "FILES_LIMIT",
    /// Nothing was sent or taken for too long in a call that moves files.
    FilesStalled = "FILES_STALLED",
    /// Files can't be worked with, or one of a Reset can't be written.
    FilesRefused = "FILES_REFUSED",
    /// The episode has something that can't be copied, or the host can't do it.
    ForkUnsupported = "FORK_UNSUPPORTED",
    /// The episode's files are more than are copied.
    ForkTooLarge = "FORK_TOO_LARGE",
    /// A copy of a copy too many.
    ForkDepthLimit = "FORK_DEPTH_LIMIT",
    /// The host was short of something for a copy, or copies break as they are made.
    ForkFailed = "FORK_FAILED",
    /// There is no such checkpoint.
    CheckpointNotFound = "CHECKPOINT_NOT_FOUND",
    /// There is a checkpoint of this name.
    CheckpointExists = "CHECKPOINT_EXISTS",
    /// No room for a checkpoint.
    CheckpointLimit = "CHECKPOINT_LIMIT",
    /// No interpreter became ready in time.
    NoWorker = "NO_WORKER",
    /// The server is shutting down.
    ShuttingDown = "SHUTTING_DOWN",
    /// The server takes requests with a bearer token alone, and this one had none that it takes.
    TokenInvalid = "TOKEN_INVALID",
    /// A fault of the server.
    Internal = "INTERNAL",
}

impl Error {
    pub(super) fn from_status(status: &Status) -> Self {
        let details = status.get_error_details();
        let (reason, metadata) = match details.error_info() {
            Some(info) if info.reason == "DEADLINE" => return Self::Deadline,
            Some(info) => (Reason::from(info.reason.as_str()), info.metadata.clone()),
            // The library's own timeout, which looks like a broken stream otherwise.
            None if status.code() == Code::Cancelled && status.message() == "Timeout expired" => {
                return Self::Deadline;
            }
            // The transport's own words: the connection broke.
            None if status.code() == Code::Unavailable => {
                return Self::Connect(status.message().to_owned());
            }
            None if is_broken_stream(status) => return Self::Connect(status.message().to_owned()),
            None => (
                Reason::Other(format!("{:?}", status.code())),
                HashMap::new(),
            ),
        };
        Self::Refused(Box::new(Refusal {
            reason,
            code: status.code(),
            message: status.message().to_owned(),
            metadata,
            retry_after: details.retry_info().and_then(|retry| retry.retry_delay),
            violations: details
                .bad_request()
                .map(|bad| bad.field_violations.as_slice())
                .unwrap_or_default()
                .iter()
                .map(|violation| Violation {
                    field: violation.field.clone(),
                    description: violation.description.clone(),
                })
                .collect(),
        }))
    }

    /// The refusal's reason, if it is one.
    #[must_use]
    pub fn reason(&self) -> Option<&Reason> {
        match self {
            Self::Refused(refusal) => Some(&refusal.reason),
            _ => None,
        }
    }

    pub(super) fn is_retryable(&self) -> bool {
        match self {
            Self::Connect(_) => true,
            Self::Refused(refusal) => refusal.retry_after.is_some(),
            Self::Deadline
            | Self::Url(_)
            | Self::Token
            | Self::Tls(_)
            | Self::NoEpisode
            | Self::Docker(_)
            | Self::Files(_)
            | Self::Local(_) => false,
        }
    }

    /// Whether what was asked for may have been done, or be done yet.
    pub(super) fn is_unsure(&self) -> bool {
        match self {
            Self::Deadline | Self::Connect(_) => true,
            Self::Refused(refusal) => refusal.reason == Reason::Internal,
            Self::Url(_) | Self::Token | Self::Tls(_) | Self::NoEpisode | Self::Docker(_) => false,
            Self::Files(_) | Self::Local(_) => false,
        }
    }

    /// Whether another server may well do what this one refuses.
    pub(super) fn is_of_one_server(&self) -> bool {
        matches!(
            self.reason(),
            Some(Reason::EpisodeServerGone | Reason::ShuttingDown)
        )
    }

    /// The index that the server expects, when a step was out of order.
    pub(super) fn expected_step(&self) -> Option<u32> {
        match self {
            Self::Refused(refusal) if refusal.reason == Reason::StepOutOfOrder => {
                refusal.metadata.get("expected")?.parse().ok()
            }
            _ => None,
        }
    }

    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused(refusal) => refusal.retry_after,
            _ => None,
        }
    }
}

/// A connection that breaks in the middle of a reply is no UNAVAILABLE to the library: it tells the HTTP/2 or IO error.
fn is_broken_stream(status: &Status) -> bool {
    matches!(
        status.code(),
        Code::Unknown | Code::Internal | Code::Cancelled
    ) && std::error::Error::source(status).is_some()
        || status.message().starts_with("h2 protocol error")
        || status.message().starts_with("error reading a body")
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => write!(f, "{}: {}", refusal.reason.as_str(), refusal.message),
            Self::Deadline => f.write_str("the deadline passed before the reply was there"),
            Self::Connect(what) => write!(f, "the server can't be reached: {what}"),
            Self::Url(url) => write!(
                f,
                "`{url}` is no URL of a server: it has to be like http://127.0.0.1:8000 or https://HOST:8000"
            ),
            Self::Token => f.write_str(
                "a bearer token is made of [A-Za-z0-9._~+/-], with `=` at its end alone",
            ),
            Self::Tls(what) => write!(f, "TLS can't be had as asked for: {what}"),
            Self::NoEpisode => f.write_str("there is no episode: reset first"),
            Self::Docker(error) => error.fmt(f),
            Self::Files(failed) => failed.fmt(f),
            Self::Local(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for Error {}
