//! Episodes: who they are, what they have run, and how they end. Nothing here knows gRPC.
//!
//! [`Episodes`] is the registry; [`ledger`] the rules of exactly-once (pure); [`driver`] runs an episode's steps, one after the other, in a
//! task that belongs to the episode and not to a caller; [`outcome`] judges how a step ended (pure); [`kept`] is the memory of replies;
//! [`following`] tells a step's output while it runs;
//! [`owner`] whose an episode is; [`place`] room for one that is still to come; [`turns`] who may run a step, by [`fair`], a queue (pure);
//! [`files`] the calls that move files. [`boundary`] is what is done between two steps: copies, for [`fork`] (children), [`checkpoint`] (what to roll back to)
//! and [`evaluation`] (throw-away ones); [`spare`] is the room that these take.
//!
//! ```text
//! Reset ─▶ starting ─▶ idle ⇄ running ─▶ lost       (the interpreter is gone; GetState still answers)
//!              │         │       │          │
//!              ▼         ▼       ▼          ▼
//!            failed    ended: closed, expired or drained (remembered for a while)
//! ```

mod boundary;
mod checkpoint;
mod driver;
mod evaluation;
mod fair;
mod files;
mod following;
mod fork;
mod kept;
mod ledger;
mod outcome;
mod owner;
mod place;
mod registry;
mod spare;
mod turns;

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use bytes::Bytes;

pub(crate) use boundary::{Point, Random};
pub(crate) use checkpoint::{Checkpointed, KeptCheckpoint, NewCheckpoint, RolledBack};
pub(crate) use evaluation::{Evaluated, NewEvaluation};
pub(crate) use files::{FilesError, Part};
pub(crate) use following::{Event, Following};
pub(crate) use fork::{Child, Forked, NewFork};
#[cfg(test)]
pub(crate) use kept::KeptReply;
pub(crate) use owner::{EpisodeKey, Owner};
pub(crate) use place::Place;
pub(crate) use registry::{Episodes, EpisodesConfig, StepAnswer};

use crate::executor::{Display, ExitStatus, Raw, ResultOf, Usage};
use crate::files::NewFile;
use crate::limits::EpisodeLimits;
use crate::traces::Parent;

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Outcome {
    #[default]
    Completed,
    Raised,
    Exited,
    Interrupted,
    TimedOut,
    LimitExceeded,
    Killed,
    ProtocolViolation,
}

impl Outcome {
    /// All that count as failure when nobody says which.
    pub(crate) const FAILURES: [Self; 6] = [
        Self::Raised,
        Self::Interrupted,
        Self::TimedOut,
        Self::LimitExceeded,
        Self::Killed,
        Self::ProtocolViolation,
    ];

    /// Its name, in errors' metadata and metrics.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Raised => "raised",
            Self::Exited => "exited",
            Self::Interrupted => "interrupted",
            Self::TimedOut => "timed_out",
            Self::LimitExceeded => "limit_exceeded",
            Self::Killed => "killed",
            Self::ProtocolViolation => "protocol_violation",
        }
    }
}

/// A limit that a step ran into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LimitHit {
    StepTimeout,
    CpuTime,
    /// Of all processes together.
    Memory,
    /// A fork or a thread was refused. It ends no step.
    Processes,
}

/// A fresh episode, as asked for and checked.
#[derive(Debug, Clone)]
pub(crate) struct NewEpisode {
    /// Whose it is.
    pub(crate) owner: Owner,
    /// Empty: make one.
    pub(crate) id: String,
    /// Empty: none.
    pub(crate) request_id: String,
    /// Empty: none.
    pub(crate) previous_id: String,
    pub(crate) seed: Option<u64>,
    pub(crate) runtime: usize,
    /// A network of its own with loopback.
    pub(crate) loopback: bool,
    pub(crate) limits: EpisodeLimits,
    pub(crate) environment: Vec<(String, String)>,
    /// What its workspace has from the start.
    pub(crate) files: Vec<(NewFile, Bytes)>,
}

impl NewEpisode {
    /// One of the first runtime, of which nothing else is asked.
    pub(crate) fn plain(owner: Owner, limits: EpisodeLimits) -> Self {
        Self {
            owner,
            id: String::new(),
            request_id: String::new(),
            previous_id: String::new(),
            seed: None,
            runtime: 0,
            loopback: false,
            limits,
            environment: Vec::new(),
            files: Vec::new(),
        }
    }
}

/// A step, as asked for and checked against the server's limits.
#[derive(Debug, Clone)]
pub(crate) struct NewStep {
    pub(crate) code: String,
    pub(crate) index: Option<u32>,
    pub(crate) timeout: Option<Duration>,
    /// How long the caller will wait.
    pub(crate) caller_wait: Option<Duration>,
    pub(crate) output_bytes: Option<u32>,
    pub(crate) cpu_time: Option<Duration>,
    /// What its result is.
    pub(crate) result_of: ResultOf,
    /// The representations that displays are to have, with spaces between. Empty: all.
    pub(crate) display_mime_types: String,
    /// What becomes of the episode when it fails.
    pub(crate) on_failure: OnFailure,
    /// What its span hangs below.
    pub(crate) parent: Parent,
}

impl NewStep {
    /// The next step of its episode, of which nothing else is asked.
    pub(crate) fn plain(code: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            index: None,
            timeout: None,
            caller_wait: None,
            output_bytes: None,
            cpu_time: None,
            result_of: ResultOf::Expression,
            display_mime_types: String::new(),
            on_failure: OnFailure::default(),
            parent: Parent::default(),
        }
    }
}

/// What becomes of an episode whose step fails.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct OnFailure {
    /// Whether it is put back to before the step. None: as the server does.
    pub(crate) rolls_back: Option<bool>,
    /// The outcomes that count as failure. Empty: [`Outcome::FAILURES`].
    pub(crate) after: Vec<Outcome>,
}

impl OnFailure {
    /// The outcomes after which the episode is put back; empty when it never is.
    pub(crate) fn outcomes(&self, default: bool) -> &[Outcome] {
        if !self.rolls_back.unwrap_or(default) {
            return &[];
        }
        match self.after.as_slice() {
            [] => &Outcome::FAILURES,
            after => after,
        }
    }
}

/// What an episode is when it starts.
#[derive(Debug, Clone)]
pub(crate) struct Started {
    pub(crate) id: String,
    pub(crate) runtime: usize,
    pub(crate) limits: EpisodeLimits,
}

/// The state of an episode.
#[derive(Debug, Clone)]
pub(crate) struct EpisodeView {
    pub(crate) id: String,
    pub(crate) step_count: u32,
    pub(crate) last_exit_code: i32,
    pub(crate) status: Status,
    pub(crate) loss: Option<Loss>,
    pub(crate) runtime: usize,
    pub(crate) limits: EpisodeLimits,
    pub(crate) seed: Option<u64>,
    pub(crate) created: SystemTime,
    pub(crate) expires: Option<SystemTime>,
    pub(crate) queued_steps: usize,
    pub(crate) totals: Totals,
    /// None: Reset made it.
    pub(crate) origin: Option<OriginView>,
}

/// Where a copy comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OriginView {
    pub(crate) parent_id: String,
    pub(crate) step_count: u32,
    pub(crate) depth: u32,
}

/// Where an episode is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Idle,
    Running,
    Lost,
    Frozen,
}

/// The sums over an episode's steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Totals {
    pub(crate) usage: Usage,
    pub(crate) wall_time: Duration,
    pub(crate) queued_time: Duration,
    pub(crate) output_bytes: u64,
}

/// How an episode lost its interpreter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Loss {
    pub(crate) step_index: u32,
    /// None: between steps.
    pub(crate) outcome: Option<Outcome>,
    pub(crate) description: String,
}

/// The texts and displays of a reply, which may be dropped for space.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Texts {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) result: Option<String>,
    /// The bytes of stdout, where its text has others instead.
    pub(crate) stdout_raw: Option<Raw>,
    /// The same of stderr.
    pub(crate) stderr_raw: Option<Raw>,
    pub(crate) displays: Vec<Display>,
}

impl Texts {
    pub(crate) fn bytes(&self) -> usize {
        let raw = |raw: &Option<Raw>| {
            raw.as_ref()
                .map_or(0, |raw| raw.head.len() + raw.tail.len())
        };
        let texts =
            self.stdout.len() + self.stderr.len() + self.result.as_ref().map_or(0, String::len);
        let displays: usize = self.displays.iter().map(Display::bytes).sum();
        texts + raw(&self.stdout_raw) + raw(&self.stderr_raw) + displays
    }
}

/// What is known of one output stream beside its text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct StreamFacts {
    pub(crate) total_bytes: u64,
    pub(crate) kept_bytes: usize,
    pub(crate) truncated: bool,
    /// Bytes of the text before the marker: all, when there is none.
    pub(crate) head_bytes: usize,
}

/// A step that has ended, but for its texts.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct StepReply {
    pub(crate) step_index: u32,
    pub(crate) outcome: Outcome,
    pub(crate) lost: bool,
    /// The episode is as before the step.
    pub(crate) rolled_back: bool,
    pub(crate) exit_code: i32,
    pub(crate) step_count: u32,
    pub(crate) timeout: Duration,
    pub(crate) reward: Option<f64>,
    pub(crate) metadata: BTreeMap<String, String>,
    /// The exception's type and text, as reported.
    pub(crate) exception: Option<(String, String)>,
    pub(crate) result_truncated: bool,
    pub(crate) displays_dropped: u32,
    pub(crate) usage: Usage,
    pub(crate) background: Option<Usage>,
    pub(crate) wall_time: Duration,
    pub(crate) queued_time: Duration,
    pub(crate) stdout: StreamFacts,
    pub(crate) stderr: StreamFacts,
    pub(crate) limit: Option<LimitHit>,
    pub(crate) process_end: Option<ExitStatus>,
    pub(crate) violation: &'static str,
}

impl StepReply {
    /// What has become of the interpreter, in a word.
    pub(crate) fn state_after(&self) -> &'static str {
        match (self.lost, self.rolled_back) {
            (true, _) => "lost",
            (false, true) => "rolled_back",
            (false, false) => "intact",
        }
    }

    /// The limits that the step ran into, each once: the one that ended it, and what the control group counted.
    pub(crate) fn limits_hit(&self) -> impl Iterator<Item = LimitHit> {
        let tree = self.usage.tree.unwrap_or_default();
        let limit = self.limit;
        [
            (LimitHit::StepTimeout, false),
            (LimitHit::CpuTime, false),
            (LimitHit::Memory, tree.oom_kills > 0),
            (LimitHit::Processes, tree.processes_refused > 0),
        ]
        .into_iter()
        .filter(move |(kind, counted)| *counted || limit == Some(*kind))
        .map(|(kind, _)| kind)
    }
}

/// Why a request about an episode is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("there is no episode `{0}`: it was never made here, or ended long ago")]
    NotFound(String),
    #[error("episode `{0}` was closed")]
    Closed(String),
    #[error("episode `{id}` expired: nothing stepped it for {idle:?}")]
    Expired { id: String, idle: Duration },
    #[error(
        "episode `{0}` exists already, made by another request; use a fresh id, or the same request_id to retry"
    )]
    Exists(String),
    #[error("the id `{0}` was an episode's that has ended; use a fresh id")]
    ExistedBefore(String),
    #[error("episode `{id}` has lost its interpreter: {loss}; reset to go on", loss = .loss.description)]
    Lost { id: String, loss: Loss },
    #[error("step_index does not fit: the next step of this episode is {expected}")]
    OutOfOrder { expected: u32 },
    #[error("step {index} has run, and its reply was dropped for space")]
    ReplyDropped {
        index: u32,
        brief: Option<ledger::Brief>,
    },
    #[error("episode `{id}` {how} before this was done")]
    Ended { id: String, how: EndReason },
    #[error("the server holds {max} episodes, which is its limit; end some, or retry later")]
    EpisodeLimit { max: u32 },
    #[error("{waiting} steps wait for a turn to run, which is the limit; retry later")]
    StepLimit { waiting: u32 },
    #[error("{max} steps are queued in this episode, which is the limit; retry when one has ended")]
    QueueFull { max: u32 },
    #[error("{waiting} calls that move files wait for a turn, which is the limit; retry later")]
    FilesLimit { waiting: u32 },
    #[error(
        "nothing was sent or taken for {waited:?}, so the call was ended; what was complete stays"
    )]
    FilesStalled { waited: Duration },
    #[error("files can't be worked with: {why}")]
    FilesUnavailable { why: String },
    #[error("`{path}` of the Reset's files can't be written: {why}")]
    FileNotWritten {
        path: String,
        kind: &'static str,
        why: String,
    },
    #[error("{}", unsupported(obstacles))]
    ForkUnsupported {
        /// A word and a sentence each.
        obstacles: Vec<(&'static str, String)>,
    },
    #[error("the episode's files are {bytes} bytes, and {bytes_max} are copied at the most")]
    ForkTooLarge { bytes: u64, bytes_max: u64 },
    #[error(
        "the episode is a copy of depth {depth}, and this host copies to depth {depth_max} at the most"
    )]
    ForkDepth { depth: u32, depth_max: u32 },
    #[error("no copy could be made: {why}{}", if *lasts { "" } else { "; retry later" })]
    ForkFailed {
        why: String,
        /// Another try would most likely meet the same.
        lasts: bool,
    },
    #[error("episode `{id}` has no checkpoint `{name}`{why}")]
    NoCheckpoint {
        id: String,
        name: String,
        /// Empty, or what became of it.
        why: &'static str,
    },
    #[error(
        "episode `{id}` has a checkpoint `{name}` already, made at step_count {step_count}; use another name, or drop it"
    )]
    CheckpointExists {
        id: String,
        name: String,
        step_count: u32,
    },
    #[error("there is no room for a checkpoint: {limit} is {max}, and {used} are used; drop some")]
    CheckpointLimit {
        /// A field of ForkLimits.
        limit: &'static str,
        max: u64,
        used: u64,
    },
    #[error("no interpreter became ready within {waited:?}; retry later")]
    NoWorker { waited: Duration },
    #[error("the server is shutting down; use another one")]
    ShuttingDown,
    #[error(
        "the call's deadline passed before the answer was there; a retry with the same step_index, or request_id of a Reset, \
         collects it, or does what had not begun"
    )]
    Deadline,
    #[error("internal error; the server's log tells more under {id}")]
    Fault { id: String },
}

/// What is in the way of a copy, in one sentence.
fn unsupported(obstacles: &[(&'static str, String)]) -> String {
    let sentences: Vec<&str> = obstacles
        .iter()
        .map(|(_, sentence)| sentence.as_str())
        .collect();
    format!("the episode can't be copied: {}", sentences.join("; "))
}

/// How an episode ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EndReason {
    Closed,
    Expired { idle: Duration },
    Drained,
}

impl std::fmt::Display for EndReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Closed => "was closed",
            Self::Expired { .. } => "expired",
            Self::Drained => "was ended because the server shuts down",
        })
    }
}
