//! What clients are sent, as text. Pure.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::check::Issue;
use crate::episode::{LimitHit, Outcome, StepReply, Texts};

/// The longest source that comes back as `last_code`. The incumbent sends every source back, twice.
const LAST_CODE_BYTES_MAX: usize = 64 << 10;

/// What a reset or a step showed.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Shown {
    pub(super) stdout: String,
    pub(super) stderr: String,
    pub(super) exit_code: i32,
    pub(super) reward: Option<f64>,
    pub(super) done: bool,
    /// Whatever else there is to say goes here: clients refuse an observation with any other key.
    pub(super) metadata: Map<String, Value>,
}

#[derive(Serialize)]
struct Observation<'a> {
    metadata: &'a Map<String, Value>,
    stdout: &'a str,
    stderr: &'a str,
    exit_code: i32,
}

#[derive(Serialize)]
struct Envelope<'a> {
    observation: Observation<'a>,
    reward: Option<f64>,
    done: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Option<&'a Map<String, Value>>>,
}

#[derive(Serialize)]
struct Frame<'a, T> {
    r#type: &'a str,
    data: T,
}

fn text(value: &impl Serialize) -> String {
    // Maps with keys that are text, numbers that are finite: nothing that can't be JSON.
    serde_json::to_string(value).unwrap_or_default()
}

impl Shown {
    /// What a reset shows.
    pub(super) fn of_reset(reward: Option<f64>) -> Self {
        Self {
            reward,
            ..Self::default()
        }
    }

    /// What a step showed, in the incumbent's form: the value of its last statement is the end of its output.
    pub(super) fn of_step(code: &str, reply: &StepReply, texts: &Texts) -> Self {
        let mut stdout = texts.stdout.clone();
        if let Some(value) = &texts.result {
            if !stdout.is_empty() {
                stdout.push('\n');
            }
            stdout.push_str(value);
        }
        Self {
            stdout,
            stderr: texts.stderr.clone(),
            exit_code: reply.exit_code,
            // Clients add rewards up.
            reward: Some(reply.reward.unwrap_or(0.0)),
            done: reply.lost,
            metadata: metadata(code, reply),
        }
    }

    fn envelope(&self, metadata: Option<Option<&Map<String, Value>>>) -> impl Serialize {
        let Self {
            stdout,
            stderr,
            exit_code,
            reward,
            done,
            metadata: nested,
        } = self;
        Envelope {
            observation: Observation {
                metadata: nested,
                stdout,
                stderr,
                exit_code: *exit_code,
            },
            reward: *reward,
            done: *done,
            metadata: metadata.map(|_| Some(nested).filter(|found| !found.is_empty())),
        }
    }

    /// As a frame.
    pub(super) fn frame(&self) -> String {
        let metadata = (!self.metadata.is_empty()).then_some(Some(&self.metadata));
        text(&Frame {
            r#type: "observation",
            data: self.envelope(metadata),
        })
    }

    /// As the body of an HTTP response, where metadata that are not there are null.
    pub(super) fn body(&self) -> String {
        text(&self.envelope(Some(None)))
    }

    /// For people and models who asked for a tool.
    pub(super) fn plain(&self) -> String {
        [&self.stdout, &self.stderr]
            .into_iter()
            .filter(|text| !text.is_empty())
            .map(|text| text.trim_end_matches('\n'))
            .collect::<Vec<_>>()
            .join("\n")
    }
}

/// What the incumbent tells, and of ours what is out of the ordinary.
fn metadata(code: &str, reply: &StepReply) -> Map<String, Value> {
    let mut told = Map::new();
    if code.len() <= LAST_CODE_BYTES_MAX {
        told.insert("last_code".to_owned(), code.into());
    } else {
        told.insert("last_code_bytes".to_owned(), code.len().into());
    }
    for (name, value) in &reply.metadata {
        told.insert(name.clone(), value.as_str().into());
    }
    if !matches!(reply.outcome, Outcome::Completed | Outcome::Raised) {
        told.insert("outcome".to_owned(), reply.outcome.name().into());
    }
    let limits: Vec<&str> = reply.limits_hit().map(limit_name).collect();
    if !limits.is_empty() {
        told.insert("limits_hit".to_owned(), limits.into());
    }
    if reply.lost || reply.rolled_back {
        told.insert("state_after".to_owned(), reply.state_after().into());
    }
    for (name, facts) in [("stdout", reply.stdout), ("stderr", reply.stderr)] {
        if facts.truncated {
            told.insert(format!("{name}_truncated"), true.into());
            told.insert(format!("{name}_total_bytes"), facts.total_bytes.into());
        }
    }
    if reply.result_truncated {
        told.insert("result_truncated".to_owned(), true.into());
    }
    told
}

fn limit_name(limit: LimitHit) -> &'static str {
    match limit {
        LimitHit::StepTimeout => "step_timeout",
        LimitHit::CpuTime => "cpu_time",
        LimitHit::Memory => "memory",
        LimitHit::Processes => "processes",
    }
}

/// The state of a session.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct StateShown {
    /// Null before the first reset.
    pub(super) episode_id: Option<String>,
    pub(super) step_count: u32,
    pub(super) last_exit_code: i32,
}

impl StateShown {
    pub(super) fn frame(&self) -> String {
        text(&Frame {
            r#type: "state",
            data: self,
        })
    }

    pub(super) fn body(&self) -> String {
        text(self)
    }
}

/// The reply to a frame of MCP.
pub(super) fn mcp_frame(response: &Value) -> String {
    text(&Frame {
        r#type: "mcp",
        data: response,
    })
}

/// The codes of error frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Code {
    InvalidJson,
    UnknownType,
    Validation,
    Execution,
    Capacity,
    Session,
}

impl Code {
    fn name(self) -> &'static str {
        match self {
            Self::InvalidJson => "INVALID_JSON",
            Self::UnknownType => "UNKNOWN_TYPE",
            Self::Validation => "VALIDATION_ERROR",
            Self::Execution => "EXECUTION_ERROR",
            Self::Capacity => "CAPACITY_REACHED",
            Self::Session => "SESSION_ERROR",
        }
    }
}

#[derive(Serialize)]
struct ErrorData<'a> {
    message: &'a str,
    code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    errors: Option<&'a [Issue]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    active_sessions: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_sessions: Option<u32>,
}

impl<'a> ErrorData<'a> {
    fn new(code: Code, message: &'a str) -> Self {
        Self {
            message,
            code: code.name(),
            errors: None,
            active_sessions: None,
            max_sessions: None,
        }
    }

    fn frame(self) -> String {
        text(&Frame {
            r#type: "error",
            data: self,
        })
    }
}

/// An error, as a frame.
pub(super) fn error(code: Code, message: &str) -> String {
    ErrorData::new(code, message).frame()
}

/// A message with these faults, as a frame.
pub(super) fn invalid(issues: &[Issue]) -> String {
    let mut data = ErrorData::new(Code::Validation, "Invalid message");
    data.errors = Some(issues);
    data.frame()
}

/// What is said to who comes when all places are taken.
pub(super) fn at_capacity(taken: usize, max: u32) -> String {
    format!("Server at capacity: {taken}/{max} sessions active. Cannot accept new connections.")
}

/// The same, as a frame.
pub(super) fn capacity(taken: usize, max: u32) -> String {
    let message = at_capacity(taken, max);
    let mut data = ErrorData::new(Code::Capacity, &message);
    data.active_sessions = Some(taken);
    data.max_sessions = Some(max);
    data.frame()
}

/// What went wrong with an HTTP request, as its body.
pub(super) fn detail(detail: impl Into<Value>) -> String {
    text(&json!({ "detail": detail.into() }))
}

/// The faults of an HTTP request's body, as that of the response.
pub(super) fn details(issues: &[Issue]) -> String {
    #[derive(Serialize)]
    struct Details<'a> {
        detail: &'a [Issue],
    }
    text(&Details { detail: issues })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::episode::StreamFacts;

    fn step(code: &str, reply: &StepReply, stdout: &str, result: Option<&str>) -> Shown {
        let texts = Texts {
            stdout: stdout.to_owned(),
            result: result.map(str::to_owned),
            ..Texts::default()
        };
        Shown::of_step(code, reply, &texts)
    }

    #[test]
    fn the_value_is_the_end_of_the_output() {
        let reply = StepReply::default();
        for (stdout, result, shown) in [
            ("", None, ""),
            ("a\n", None, "a\n"),
            ("", Some("1"), "1"),
            ("a\nb\n", Some("[1]"), "a\nb\n\n[1]"),
            ("a", Some("1"), "a\n1"),
        ] {
            assert_eq!(step("x", &reply, stdout, result).stdout, shown);
        }
    }

    #[test]
    fn a_long_source_does_not_come_back() {
        let reply = StepReply::default();
        let most = "x".repeat(LAST_CODE_BYTES_MAX);
        assert_eq!(step(&most, &reply, "", None).metadata["last_code"], most);
        let more = step(&format!("{most}x"), &reply, "", None).metadata;
        assert_eq!(
            Value::Object(more),
            json!({"last_code_bytes": LAST_CODE_BYTES_MAX + 1})
        );
    }

    #[test]
    fn what_is_out_of_the_ordinary_is_told_in_metadata_alone() {
        let reply = StepReply {
            outcome: Outcome::TimedOut,
            limit: Some(LimitHit::StepTimeout),
            lost: true,
            exit_code: 124,
            stdout: StreamFacts {
                total_bytes: 9,
                kept_bytes: 4,
                truncated: true,
                head_bytes: 2,
            },
            result_truncated: true,
            ..StepReply::default()
        };
        let shown = step("x", &reply, "", None);
        assert!(shown.done);
        assert_eq!(shown.reward, Some(0.0));
        let told = json!({
            "last_code": "x", "outcome": "timed_out", "limits_hit": ["step_timeout"], "state_after": "lost",
            "stdout_truncated": true, "stdout_total_bytes": 9, "result_truncated": true,
        });
        assert_eq!(Value::Object(shown.metadata), told);
    }

    #[test]
    fn metadata_that_are_not_there_are_left_out_of_frames_and_null_in_bodies() {
        let shown = Shown::of_reset(Some(0.0));
        let observation = r#""observation":{"metadata":{},"stdout":"","stderr":"","exit_code":0},"reward":0.0,"done":false"#;
        assert_eq!(
            shown.frame(),
            format!(r#"{{"type":"observation","data":{{{observation}}}}}"#)
        );
        assert_eq!(
            shown.body(),
            format!(r#"{{{observation},"metadata":null}}"#)
        );
    }
}
