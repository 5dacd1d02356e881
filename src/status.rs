//! The only map from what goes wrong to `tonic::Status`. Every one carries `ErrorInfo`, and each value in a message is in its metadata too.

use std::collections::HashMap;
use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt as _};

use crate::episode::{Outcome, Refusal};

/// The domain of every `ErrorInfo`.
pub(crate) const DOMAIN: &str = "coding_env";
/// The reasons of refusals by handlers, and what is none of them.
pub(crate) const REASONS: [&str; 29] = [
    "INVALID_FIELD",
    "EPISODE_NOT_FOUND",
    "EPISODE_CLOSED",
    "EPISODE_EXPIRED",
    "EPISODE_SERVER_GONE",
    "EPISODE_EXISTS",
    "EPISODE_LOST",
    "STEP_OUT_OF_ORDER",
    "STEP_REPLY_DROPPED",
    "EPISODE_ENDED",
    "EPISODE_LIMIT",
    "STEP_LIMIT",
    "STEP_QUEUE_FULL",
    "FILES_LIMIT",
    "FILES_STALLED",
    "FILES_REFUSED",
    "SESSION_TAKEN_OVER",
    "SESSION_LIMIT",
    "FORK_UNSUPPORTED",
    "FORK_TOO_LARGE",
    "FORK_DEPTH_LIMIT",
    "FORK_FAILED",
    "CHECKPOINT_NOT_FOUND",
    "CHECKPOINT_EXISTS",
    "CHECKPOINT_LIMIT",
    "NO_WORKER",
    "SHUTTING_DOWN",
    "DEADLINE",
    "INTERNAL",
];
/// What a client should wait before it tries again when the server is short of something.
const RETRY_SOON: Duration = Duration::from_millis(250);
/// The same when that takes longer: another server, or one that is starting.
const RETRY_LATER: Duration = Duration::from_secs(1);

/// The violations told of one request take at most this many bytes: a status travels in headers, which clients bound (16 KiB).
const VIOLATIONS_BYTES: usize = 2048;
/// The most of a value of the caller's that a message repeats, in bytes.
const VALUE_BYTES: usize = 128;

/// A request that does not make sense, field by field.
#[derive(Debug, Default)]
pub(crate) struct Violations {
    told: Vec<FieldViolation>,
    metadata: HashMap<String, String>,
    bytes: usize,
    untold: usize,
}

impl Violations {
    /// Adds one: the field as named in the contract, what would be right, and the values in that text, which become metadata under
    /// the field's name and theirs.
    pub(crate) fn add(
        &mut self,
        field: &str,
        description: impl Into<String>,
        values: &[(&str, String)],
    ) {
        let description = description.into();
        let bytes = field.len() + description.len();
        if self.bytes + bytes > VIOLATIONS_BYTES {
            self.untold += 1;
            return;
        }
        self.bytes += bytes;
        self.told.push(FieldViolation::new(field, description));
        let prefix = field.replace('.', "_");
        for (name, value) in values {
            self.metadata
                .insert(format!("{prefix}_{name}"), value.clone());
        }
    }

    /// An error when there are any.
    pub(crate) fn check(self) -> Result<(), Status> {
        let Self {
            told,
            mut metadata,
            bytes: _,
            untold,
        } = self;
        if told.is_empty() && untold == 0 {
            return Ok(());
        }
        let mut texts: Vec<String> = told
            .iter()
            .map(|violation| format!("{}: {}", violation.field, violation.description))
            .collect();
        if untold > 0 {
            texts.push(format!("and {untold} more"));
            metadata.insert("untold".to_owned(), untold.to_string());
        }
        let fields: Vec<&str> = told
            .iter()
            .map(|violation| violation.field.as_str())
            .collect();
        metadata.insert("fields".to_owned(), fields.join(","));
        let mut details = ErrorDetails::with_error_info("INVALID_FIELD", DOMAIN, metadata);
        details.set_bad_request(told);
        Err(Status::with_error_details(
            Code::InvalidArgument,
            texts.join("; "),
            details,
        ))
    }
}

/// A value of the caller's, short enough to be repeated in a message.
pub(crate) fn short(value: &str) -> String {
    if value.len() <= VALUE_BYTES {
        return value.to_owned();
    }
    let kept: String = value
        .char_indices()
        .take_while(|(at, char)| at + char.len_utf8() <= VALUE_BYTES)
        .map(|(_, char)| char)
        .collect();
    format!("{kept}…")
}

/// The episode's server is another one.
pub(crate) fn server_gone(episode: &str, asked: &str, here: &str) -> Status {
    let (episode, asked) = (&short(episode), &short(asked));
    let message = format!(
        "episode `{episode}` is held by server `{asked}`, and this is `{here}`: it can only be reached there"
    );
    build(
        Code::NotFound,
        "EPISODE_SERVER_GONE",
        message,
        &[
            ("episode_id", episode),
            ("server_id", asked),
            ("this_server_id", here),
        ],
        None,
    )
}

/// A fault of ours: a generic text for the caller. The log has the cause, under this id.
pub(crate) fn internal(id: &str) -> Status {
    let metadata = HashMap::from([("request_id".to_owned(), id.to_owned())]);
    let mut details = ErrorDetails::with_error_info("INTERNAL", DOMAIN, metadata);
    details.set_request_info(id, "");
    Status::with_error_details(
        Code::Internal,
        format!("internal error; the server's log tells more under {id}"),
        details,
    )
}

/// Another stream has opened the session.
pub(crate) fn session_taken_over(session: &str) -> Status {
    build(
        Code::Aborted,
        "SESSION_TAKEN_OVER",
        format!("another stream has taken over session `{session}`"),
        &[("session_id", session)],
        None,
    )
}

/// There are as many sessions as may be.
pub(crate) fn session_limit(max: u32) -> Status {
    build(
        Code::ResourceExhausted,
        "SESSION_LIMIT",
        format!("the server holds {max} sessions, which is its limit; end some, or retry later"),
        &[("max", &max.to_string())],
        Some(RETRY_LATER),
    )
}

/// A status as a message, for where it is not that of a call.
pub(crate) fn message(status: &Status) -> tonic_types::Status {
    let details = <tonic_types::Status as prost::Message>::decode(status.details());
    details.unwrap_or_else(|_| tonic_types::Status {
        code: status.code().into(),
        message: status.message().to_owned(),
        details: Vec::new(),
    })
}

/// A request without a token that this server takes. The same words whatever was wrong: the log tells more, the caller learns nothing.
pub(crate) fn token_invalid() -> Status {
    let message = "this server takes requests with a bearer token alone: send the metadata `authorization: Bearer TOKEN` with one \
                   that it lists and that has not expired";
    build(
        Code::Unauthenticated,
        "TOKEN_INVALID",
        message.to_owned(),
        &[],
        None,
    )
}

fn build(
    code: Code,
    reason: &str,
    message: String,
    metadata: &[(&str, &str)],
    retry: Option<Duration>,
) -> Status {
    let metadata: HashMap<String, String> = metadata
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    let mut details = ErrorDetails::with_error_info(reason, DOMAIN, metadata);
    if let Some(delay) = retry {
        details.set_retry_info(Some(delay));
    }
    Status::with_error_details(code, message, details)
}

impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        let message = refusal.to_string();
        let id = |id: &str| vec![("episode_id", id.to_owned())];
        let (code, reason, metadata, retry) = match &refusal {
            Refusal::NotFound(episode) => (Code::NotFound, "EPISODE_NOT_FOUND", id(episode), None),
            Refusal::Closed(episode) => (Code::NotFound, "EPISODE_CLOSED", id(episode), None),
            Refusal::Expired { id: episode, idle } => {
                let mut metadata = id(episode);
                metadata.push(("idle", format!("{idle:?}")));
                (Code::NotFound, "EPISODE_EXPIRED", metadata, None)
            }
            Refusal::Exists(episode) | Refusal::ExistedBefore(episode) => {
                (Code::AlreadyExists, "EPISODE_EXISTS", id(episode), None)
            }
            Refusal::Lost { id: episode, loss } => {
                let mut metadata = id(episode);
                metadata.push(("step_index", loss.step_index.to_string()));
                metadata.push((
                    "outcome",
                    loss.outcome.map_or("none", Outcome::name).to_owned(),
                ));
                metadata.push(("description", loss.description.clone()));
                (Code::FailedPrecondition, "EPISODE_LOST", metadata, None)
            }
            Refusal::OutOfOrder { expected } => {
                let metadata = vec![("expected", expected.to_string())];
                (
                    Code::FailedPrecondition,
                    "STEP_OUT_OF_ORDER",
                    metadata,
                    None,
                )
            }
            Refusal::ReplyDropped { index, brief } => {
                let mut metadata = vec![("step_index", index.to_string())];
                if let Some(brief) = brief {
                    metadata.push(("outcome", brief.outcome.name().to_owned()));
                    metadata.push(("exit_code", brief.exit_code.to_string()));
                    metadata.push((
                        "state_after",
                        match (brief.lost, brief.rolled_back) {
                            (true, _) => "lost",
                            (false, true) => "rolled_back",
                            (false, false) => "intact",
                        }
                        .to_owned(),
                    ));
                }
                (
                    Code::FailedPrecondition,
                    "STEP_REPLY_DROPPED",
                    metadata,
                    None,
                )
            }
            Refusal::Ended { id: episode, how } => {
                let mut metadata = id(episode);
                metadata.push(("how", how.to_string()));
                (Code::Aborted, "EPISODE_ENDED", metadata, None)
            }
            Refusal::EpisodeLimit { max } => (
                Code::ResourceExhausted,
                "EPISODE_LIMIT",
                vec![("max", max.to_string())],
                Some(RETRY_LATER),
            ),
            Refusal::StepLimit { waiting } => {
                let metadata = vec![("waiting", waiting.to_string())];
                (
                    Code::ResourceExhausted,
                    "STEP_LIMIT",
                    metadata,
                    Some(RETRY_SOON),
                )
            }
            Refusal::QueueFull { max } => (
                Code::ResourceExhausted,
                "STEP_QUEUE_FULL",
                vec![("max", max.to_string())],
                Some(RETRY_SOON),
            ),
            Refusal::FilesLimit { waiting } => {
                let metadata = vec![("waiting", waiting.to_string())];
                (
                    Code::ResourceExhausted,
                    "FILES_LIMIT",
                    metadata,
                    Some(RETRY_SOON),
                )
            }
            Refusal::FilesStalled { waited } => {
                let metadata = vec![("waited", format!("{waited:?}"))];
                (Code::Aborted, "FILES_STALLED", metadata, None)
            }
            Refusal::FilesUnavailable { why } => {
                let metadata = vec![("why", why.clone())];
                (Code::FailedPrecondition, "FILES_REFUSED", metadata, None)
            }
            Refusal::FileNotWritten { path, kind, why } => {
                let metadata = vec![
                    ("path", path.clone()),
                    ("kind", (*kind).to_owned()),
                    ("why", why.clone()),
                ];
                (Code::FailedPrecondition, "FILES_REFUSED", metadata, None)
            }
            Refusal::ForkUnsupported { obstacles } => {
                let words: Vec<&str> = obstacles.iter().map(|(word, _)| *word).collect();
                let mut metadata = vec![("obstacles", words.join(","))];
                let sentences = obstacles.iter().map(|(word, text)| (*word, text.clone()));
                metadata.extend(sentences);
                (Code::FailedPrecondition, "FORK_UNSUPPORTED", metadata, None)
            }
            Refusal::ForkTooLarge { bytes, bytes_max } => {
                let metadata = vec![
                    ("bytes", bytes.to_string()),
                    ("maximum", bytes_max.to_string()),
                ];
                (Code::FailedPrecondition, "FORK_TOO_LARGE", metadata, None)
            }
            Refusal::ForkDepth { depth, depth_max } => {
                let metadata = vec![
                    ("depth", depth.to_string()),
                    ("maximum", depth_max.to_string()),
                ];
                (Code::FailedPrecondition, "FORK_DEPTH_LIMIT", metadata, None)
            }
            Refusal::ForkFailed { why, lasts } => (
                Code::Unavailable,
                "FORK_FAILED",
                vec![("why", why.clone())],
                (!lasts).then_some(RETRY_SOON),
            ),
            Refusal::NoCheckpoint {
                id: episode,
                name,
                why,
            } => {
                let mut metadata = id(episode);
                metadata.push(("name", name.clone()));
                metadata.push(("why", why.trim_start_matches(": ").to_owned()));
                (Code::NotFound, "CHECKPOINT_NOT_FOUND", metadata, None)
            }
            Refusal::CheckpointExists {
                id: episode,
                name,
                step_count,
            } => {
                let mut metadata = id(episode);
                metadata.push(("name", name.clone()));
                metadata.push(("step_count", step_count.to_string()));
                (Code::AlreadyExists, "CHECKPOINT_EXISTS", metadata, None)
            }
            Refusal::CheckpointLimit { limit, max, used } => {
                let metadata = vec![
                    ("limit", (*limit).to_owned()),
                    ("maximum", max.to_string()),
                    ("used", used.to_string()),
                ];
                (Code::ResourceExhausted, "CHECKPOINT_LIMIT", metadata, None)
            }
            Refusal::NoWorker { waited } => (
                Code::Unavailable,
                "NO_WORKER",
                vec![("waited", format!("{waited:?}"))],
                Some(RETRY_LATER),
            ),
            Refusal::ShuttingDown => (
                Code::Unavailable,
                "SHUTTING_DOWN",
                Vec::new(),
                Some(RETRY_LATER),
            ),
            Refusal::Fault { id } => return internal(id),
            Refusal::Deadline => (Code::DeadlineExceeded, "DEADLINE", Vec::new(), None),
        };
        let metadata: Vec<(&str, &str)> = metadata
            .iter()
            .map(|(key, value)| (*key, value.as_str()))
            .collect();
        build(code, reason, message, &metadata, retry)
    }
}
