//! Between the contract's messages and our own types, both ways. Requests are taken apart without `..`, so that a new field does
//! not compile until it is handled.

pub(crate) mod files;
pub(crate) mod fork;

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use tonic::Status;

use crate::episode::{
    EpisodeView, LimitHit, NewEpisode, NewStep, Outcome, Owner, Started, Status as EpisodeStatus,
    StepAnswer, StepReply, StreamFacts,
};
use crate::executor::{
    CpuTime, Display, ExitStatus, MIME_TYPE_BYTES_MAX, OutputStream, Piece, REPRESENTATIONS_MAX,
    Representation, ResultOf, TreeUse, Usage, is_mime_type, shorten,
};
use crate::limits::{Bounds, CPU_PERCENT_MAX, EpisodeLimits, LEAST};
use crate::proto::v1;
use crate::status::{Violations, short};
use crate::traces::Parent;

/// The largest reply when the request does not say: clients decode 4 MiB by default.
pub(crate) const REPLY_BYTES: u32 = 3_670_016;
/// What a request may ask for.
const REPLY_BYTES_MIN: u32 = 64 << 10;
pub(crate) const REPLY_BYTES_MAX: u32 = 64 << 20;
/// Room in a reply for all that is not text.
const REPLY_FACTS_BYTES: usize = 16 << 10;
/// The sum of names and values of `ResetRequest.environment`.
pub(crate) const ENVIRONMENT_BYTES_MAX: usize = 64 << 10;
const ID_BYTES_MAX: usize = 128;
/// After how long without a response a heartbeat is sent, when the request does not say.
const HEARTBEAT: Duration = Duration::from_secs(10);
/// What a request may ask for.
const HEARTBEAT_MIN: Duration = Duration::from_millis(100);
const HEARTBEAT_MAX: Duration = Duration::from_secs(3600);

fn check_id(violations: &mut Violations, field: &str, id: &str) {
    let valid = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if id.len() > ID_BYTES_MAX || !id.bytes().all(valid) {
        violations.add(
            field,
            format!("has to be 1 to {ID_BYTES_MAX} of [A-Za-z0-9_-]"),
            &[("maximum", ID_BYTES_MAX.to_string())],
        );
    }
}

/// Checks the id of an episode that has to be named.
pub(crate) fn episode_id(id: &str) -> Result<(), Status> {
    let mut violations = Violations::default();
    check_episode_id(&mut violations, id);
    violations.check()
}

/// Checks the id of a session, which may be empty.
pub(crate) fn session_id(id: &str) -> Result<(), Status> {
    let mut violations = Violations::default();
    check_id(&mut violations, "open.session_id", id);
    violations.check()
}

fn check_episode_id(violations: &mut Violations, id: &str) {
    if id.is_empty() {
        violations.add("episode_id", "is required", &[]);
    }
    check_id(violations, "episode_id", id);
}

/// A duration that was asked for; a negative one becomes zero, which is never right. (prost's own conversion overflows on the
/// least of them.)
fn from_zero(asked: prost_types::Duration) -> Duration {
    let prost_types::Duration { seconds, nanos } = asked;
    match (u64::try_from(seconds), u32::try_from(nanos)) {
        (Ok(seconds), Ok(nanos)) => Duration::new(seconds, nanos),
        _ => Duration::ZERO,
    }
}

/// A limit that was asked for: within `least..=max`, or a violation that names them.
fn lowered<T: PartialOrd + Copy + std::fmt::Debug>(
    violations: &mut Violations,
    field: &str,
    asked: Option<T>,
    (least, max): (T, T),
) -> T {
    match asked {
        Some(asked) if asked < least || asked > max => {
            let values = [
                ("minimum", format!("{least:?}")),
                ("maximum", format!("{max:?}")),
            ];
            violations.add(
                field,
                format!("has to be between {least:?} and {max:?}, the maximum"),
                &values,
            );
            max
        }
        Some(asked) => asked,
        None => max,
    }
}

/// What a limit of the whole episode needs, in words: `Bounds` says which of them the server has.
const NEEDS_CGROUP: &str = "layer `cgroup`";
const NEEDS_PROCESSES: &str =
    "layer `cgroup` or `uid`, or level `namespace` of a server without privilege";
const NEEDS_NAMESPACE: &str = "level `namespace`";

/// A limit of the whole episode that was asked for, where the server can hold it; else nothing may be asked for.
fn held<T: PartialOrd + Copy + std::fmt::Debug>(
    violations: &mut Violations,
    field: &str,
    asked: Option<T>,
    range: (T, T),
    (is_held, needs): (bool, &str),
) -> T {
    if is_held || asked.is_none() {
        return lowered(violations, field, asked, range);
    }
    violations.add(
        field,
        format!(
            "can't be held by this server, which lacks {needs} (GetServerInfo tells why): leave it out"
        ),
        &[("lacks", needs.to_owned())],
    );
    range.1
}

/// The most that a Reset may ask for of CPU time per time.
fn cpu_percent_max(max: &EpisodeLimits) -> u32 {
    match max.cpu_percent {
        0 => CPU_PERCENT_MAX,
        percent => percent,
    }
}

fn limits(
    violations: &mut Violations,
    asked: Option<v1::Limits>,
    max: &EpisodeLimits,
    bounds: Bounds,
) -> EpisodeLimits {
    let Some(v1::Limits {
        source_bytes,
        output_bytes,
        result_bytes,
        step_timeout,
        step_cpu_time,
        idle_timeout,
        memory_bytes,
        open_files,
        file_bytes,
        total_memory_bytes,
        processes,
        workspace_bytes,
        workspace_inodes,
        cpu_percent,
        displays,
        display_bytes,
    }) = asked
    else {
        return *max;
    };
    let Bounds {
        total_memory,
        processes: counts_processes,
        workspace,
        cpu,
    } = bounds;
    let cpu_percent = match cpu_percent {
        None => max.cpu_percent,
        asked => held(
            violations,
            "limits.cpu_percent",
            asked,
            (LEAST.cpu_percent, cpu_percent_max(max)),
            (cpu, NEEDS_CGROUP),
        ),
    };
    let total_memory_bytes = held(
        violations,
        "limits.total_memory_bytes",
        total_memory_bytes,
        (LEAST.total_memory_bytes, max.total_memory_bytes),
        (total_memory, NEEDS_CGROUP),
    );
    let processes = held(
        violations,
        "limits.processes",
        processes,
        (LEAST.processes, max.processes),
        (counts_processes, NEEDS_PROCESSES),
    );
    let workspace_bytes = held(
        violations,
        "limits.workspace_bytes",
        workspace_bytes,
        (LEAST.workspace_bytes, max.workspace_bytes),
        (workspace, NEEDS_NAMESPACE),
    );
    let workspace_inodes = held(
        violations,
        "limits.workspace_inodes",
        workspace_inodes,
        (LEAST.workspace_inodes, max.workspace_inodes),
        (workspace, NEEDS_NAMESPACE),
    );
    let mut duration = |field: &str, asked: Option<prost_types::Duration>, least, max| {
        lowered(violations, field, asked.map(from_zero), (least, max))
    };
    let step_timeout = duration(
        "limits.step_timeout",
        step_timeout,
        LEAST.step_timeout,
        max.step_timeout,
    );
    let step_cpu_time = duration(
        "limits.step_cpu_time",
        step_cpu_time,
        LEAST.step_cpu_time,
        max.step_cpu_time,
    );
    let idle_timeout = duration(
        "limits.idle_timeout",
        idle_timeout,
        LEAST.idle_timeout,
        max.idle_timeout,
    );
    let mut number = |field: &str, asked: Option<u32>, least, max| {
        lowered(violations, field, asked, (least, max))
    };
    EpisodeLimits {
        source_bytes: number(
            "limits.source_bytes",
            source_bytes,
            LEAST.source_bytes,
            max.source_bytes,
        ),
        output_bytes: number(
            "limits.output_bytes",
            output_bytes,
            LEAST.output_bytes,
            max.output_bytes,
        ),
        result_bytes: number(
            "limits.result_bytes",
            result_bytes,
            LEAST.result_bytes,
            max.result_bytes,
        ),
        displays: number("limits.displays", displays, LEAST.displays, max.displays),
        display_bytes: number(
            "limits.display_bytes",
            display_bytes,
            LEAST.display_bytes,
            max.display_bytes,
        ),
        open_files: number(
            "limits.open_files",
            open_files,
            LEAST.open_files,
            max.open_files,
        ),
        memory_bytes: lowered(
            violations,
            "limits.memory_bytes",
            memory_bytes,
            (LEAST.memory_bytes, max.memory_bytes),
        ),
        file_bytes: lowered(
            violations,
            "limits.file_bytes",
            file_bytes,
            (LEAST.file_bytes, max.file_bytes),
        ),
        step_timeout,
        step_cpu_time,
        idle_timeout,
        total_memory_bytes,
        processes,
        workspace_bytes,
        workspace_inodes,
        cpu_percent,
    }
}

fn environment(
    violations: &mut Violations,
    asked: HashMap<String, String>,
) -> Vec<(String, String)> {
    let bytes: usize = asked
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum();
    if bytes > ENVIRONMENT_BYTES_MAX {
        violations.add(
            "environment",
            format!("has {bytes} bytes: names and values may have {ENVIRONMENT_BYTES_MAX}"),
            &[
                ("bytes", bytes.to_string()),
                ("maximum", ENVIRONMENT_BYTES_MAX.to_string()),
            ],
        );
    }
    let mut environment: Vec<(String, String)> = asked.into_iter().collect();
    environment.sort();
    for (name, value) in &environment {
        let field = format!("environment[{:?}]", short(name));
        if name.is_empty() || name.contains(['\0', '=']) {
            violations.add(
                &field,
                "a name may not be empty nor contain NUL or `=`",
                &[],
            );
        }
        if name.starts_with("LD_") || name.starts_with("PYTHON") {
            violations.add(
                &field,
                "names that begin with LD_ or PYTHON are refused",
                &[],
            );
        }
        if value.contains('\0') {
            violations.add(&field, "a value may not contain NUL", &[]);
        }
    }
    environment
}

/// Checks a Reset against the most that the server gives, and what it can hold. `runtime` finds a runtime by its name.
pub(crate) fn new_episode(
    request: v1::ResetRequest,
    (max, bounds): (&EpisodeLimits, Bounds),
    loopback_lacks: Option<&str>,
    runtime: impl FnOnce(&str) -> Result<usize, String>,
    owner: Owner,
) -> Result<NewEpisode, Status> {
    let v1::ResetRequest {
        episode_id,
        request_id,
        previous_episode_id,
        seed,
        runtime: runtime_name,
        limits: asked,
        environment: variables,
        network,
        files: first_files,
    } = request;
    let mut violations = Violations::default();
    check_id(&mut violations, "episode_id", &episode_id);
    check_id(&mut violations, "request_id", &request_id);
    check_id(&mut violations, "previous_episode_id", &previous_episode_id);
    if !episode_id.is_empty() && episode_id == previous_episode_id {
        violations.add("previous_episode_id", "has to differ from episode_id", &[]);
    }
    let limits = limits(&mut violations, asked, max, bounds);
    let environment = environment(&mut violations, variables);
    let loopback = loopback(&mut violations, network, loopback_lacks);
    let files = files::first_files(&mut violations, first_files);
    let runtime = runtime(&runtime_name).unwrap_or_else(|known| {
        let asked = short(&runtime_name);
        violations.add(
            "runtime",
            format!("there is no `{asked}`: this server has {known}"),
            &[("value", asked.clone()), ("known", known.clone())],
        );
        0
    });
    violations.check()?;
    Ok(NewEpisode {
        owner,
        id: episode_id,
        request_id,
        previous_id: previous_episode_id,
        seed,
        runtime,
        loopback,
        limits,
        environment,
        files,
    })
}

/// Whether a network with loopback is asked for. `lacks` says why this server has none.
fn loopback(violations: &mut Violations, network: i32, lacks: Option<&str>) -> bool {
    match v1::Network::try_from(network) {
        Ok(v1::Network::Unspecified | v1::Network::None) => false,
        Ok(v1::Network::Loopback) => {
            if let Some(lacks) = lacks {
                violations.add(
                    "network",
                    format!("this server has no network with loopback to give: {lacks}"),
                    &[("lacks", lacks.to_owned())],
                );
            }
            true
        }
        Err(_) => {
            violations.add(
                "network",
                format!(
                    "{network} is no Network; they are 1 (NETWORK_NONE) and 2 (NETWORK_LOOPBACK)"
                ),
                &[("value", network.to_string())],
            );
            false
        }
    }
}

/// Checks a Step of the episode `episode_id`, which the request need not hold any more. Returns the step, and how large the reply may be.
pub(crate) fn new_step(
    episode_id: &str,
    request: v1::StepRequest,
    max: &EpisodeLimits,
    caller_wait: Option<Duration>,
) -> Result<(NewStep, u32), Status> {
    step(Violations::default(), episode_id, request, max, caller_wait)
}

/// How a step is to be told while it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Telling {
    pub(crate) heartbeat: Duration,
    /// What is known already of stdout and stderr, in bytes.
    pub(crate) at: [u64; 2],
}

/// As [`new_step`], for a StepStream.
pub(crate) fn new_step_stream(
    episode_id: &str,
    request: v1::StepStreamRequest,
    max: &EpisodeLimits,
    caller_wait: Option<Duration>,
) -> Result<(NewStep, u32, Telling), Status> {
    let v1::StepStreamRequest {
        step: asked,
        heartbeat,
        stdout_offset,
        stderr_offset,
    } = request;
    let mut violations = Violations::default();
    if asked.is_none() {
        violations.add("step", "is required", &[]);
    }
    let heartbeat = heartbeat.map_or(HEARTBEAT, |asked| {
        let range = (HEARTBEAT_MIN, HEARTBEAT_MAX);
        lowered(&mut violations, "heartbeat", Some(from_zero(asked)), range)
    });
    let asked = asked.unwrap_or_default();
    let (step, reply_bytes) = step(violations, episode_id, asked, max, caller_wait)?;
    let at = [stdout_offset, stderr_offset];
    Ok((step, reply_bytes, Telling { heartbeat, at }))
}

/// Checks a step, after other fields of the same request.
fn step(
    mut violations: Violations,
    episode_id: &str,
    request: v1::StepRequest,
    max: &EpisodeLimits,
    caller_wait: Option<Duration>,
) -> Result<(NewStep, u32), Status> {
    let v1::StepRequest {
        episode_id: _,
        action,
        step_index,
        timeout,
        limits,
        max_reply_bytes,
        display_mime_types,
        on_failure,
        roll_back_outcomes,
    } = request;
    check_episode_id(&mut violations, episode_id);
    let code = source(&mut violations, "action", action, max.source_bytes);
    let timeout = timeout.map(from_zero);
    if timeout.is_some_and(|timeout| timeout.is_zero()) {
        let max = max.step_timeout;
        violations.add(
            "timeout",
            format!("has to be longer than zero; the maximum is {max:?}"),
            &[("maximum", format!("{max:?}"))],
        );
    }
    let (output_bytes, cpu_time) = step_limits(&mut violations, "limits", limits, max);
    let reply_bytes = reply_bytes(&mut violations, max_reply_bytes);
    let display_mime_types = mime_types(&mut violations, &display_mime_types);
    let on_failure = fork::on_failure(&mut violations, on_failure, &roll_back_outcomes);
    violations.check()?;
    let step = NewStep {
        code,
        index: step_index,
        timeout,
        caller_wait,
        output_bytes,
        cpu_time,
        result_of: ResultOf::Expression,
        display_mime_types,
        on_failure,
        parent: Parent::default(),
    };
    Ok((step, reply_bytes))
}

/// The source of a step.
fn source(
    violations: &mut Violations,
    field: &str,
    action: Option<v1::CodeAction>,
    bytes_max: u32,
) -> String {
    let Some(v1::CodeAction { code }) = action else {
        violations.add(field, "is required", &[]);
        return String::new();
    };
    let source_max = usize::try_from(bytes_max).unwrap_or(usize::MAX);
    if code.len() > source_max {
        violations.add(
            &format!("{field}.code"),
            format!(
                "has {} bytes: it may have {source_max}, the maximum",
                code.len()
            ),
            &[
                ("bytes", code.len().to_string()),
                ("maximum", source_max.to_string()),
            ],
        );
    }
    code
}

/// What a step lowers for itself: output and CPU time.
fn step_limits(
    violations: &mut Violations,
    field: &str,
    asked: Option<v1::StepLimits>,
    max: &EpisodeLimits,
) -> (Option<u32>, Option<Duration>) {
    let v1::StepLimits {
        output_bytes,
        cpu_time,
    } = asked.unwrap_or_default();
    let output_range = (LEAST.output_bytes, max.output_bytes);
    let cpu_range = (LEAST.step_cpu_time, max.step_cpu_time);
    let output_bytes = output_bytes.map(|bytes| {
        let field = format!("{field}.output_bytes");
        lowered(violations, &field, Some(bytes), output_range)
    });
    let cpu_time = cpu_time.map(|time| {
        let (field, time) = (format!("{field}.cpu_time"), from_zero(time));
        lowered(violations, &field, Some(time), cpu_range)
    });
    (output_bytes, cpu_time)
}

/// How large a reply may be.
fn reply_bytes(violations: &mut Violations, asked: Option<u32>) -> u32 {
    let reply_bytes = asked.unwrap_or(REPLY_BYTES);
    if !(REPLY_BYTES_MIN..=REPLY_BYTES_MAX).contains(&reply_bytes) {
        violations.add(
            "max_reply_bytes",
            format!("has to be between {REPLY_BYTES_MIN} and {REPLY_BYTES_MAX}, the maximum"),
            &[
                ("minimum", REPLY_BYTES_MIN.to_string()),
                ("maximum", REPLY_BYTES_MAX.to_string()),
            ],
        );
    }
    reply_bytes
}

/// The representations that displays are to have, as the harness takes them.
fn mime_types(violations: &mut Violations, asked: &[String]) -> String {
    let field = "display_mime_types";
    if asked.len() > REPRESENTATIONS_MAX {
        violations.add(
            field,
            format!(
                "has {} media types: it may have {REPRESENTATIONS_MAX}, the maximum",
                asked.len()
            ),
            &[
                ("count", asked.len().to_string()),
                ("maximum", REPRESENTATIONS_MAX.to_string()),
            ],
        );
    }
    for (at, mime_type) in asked.iter().enumerate() {
        if !is_mime_type(mime_type) {
            violations.add(
                &format!("{field}[{at}]"),
                format!(
                    "`{}` is no media type of at most {MIME_TYPE_BYTES_MAX} characters, as `image/png` is",
                    short(mime_type)
                ),
                &[
                    ("value", short(mime_type)),
                    ("maximum", MIME_TYPE_BYTES_MAX.to_string()),
                ],
            );
        }
    }
    asked.join(" ")
}

fn duration(duration: Duration) -> prost_types::Duration {
    prost_types::Duration::try_from(duration).unwrap_or(prost_types::Duration {
        seconds: i64::MAX,
        nanos: 0,
    })
}

/// Our durations, as the contract has them.
pub(crate) fn some_duration(value: Duration) -> Option<prost_types::Duration> {
    Some(duration(value))
}

/// A moment, as the contract has it.
pub(crate) fn timestamp(time: SystemTime) -> Option<prost_types::Timestamp> {
    Some(prost_types::Timestamp::from(time))
}

/// Limits with every field present that the server can hold.
pub(crate) fn limits_message(limits: &EpisodeLimits, bounds: Bounds) -> v1::Limits {
    let EpisodeLimits {
        source_bytes,
        output_bytes,
        result_bytes,
        step_timeout,
        step_cpu_time,
        idle_timeout,
        memory_bytes,
        open_files,
        file_bytes,
        total_memory_bytes,
        processes,
        workspace_bytes,
        workspace_inodes,
        cpu_percent,
        displays,
        display_bytes,
    } = *limits;
    v1::Limits {
        source_bytes: Some(source_bytes),
        output_bytes: Some(output_bytes),
        result_bytes: Some(result_bytes),
        step_timeout: some_duration(step_timeout),
        step_cpu_time: some_duration(step_cpu_time),
        idle_timeout: some_duration(idle_timeout),
        memory_bytes: Some(memory_bytes),
        open_files: Some(open_files),
        file_bytes: Some(file_bytes),
        total_memory_bytes: bounds.total_memory.then_some(total_memory_bytes),
        processes: bounds.processes.then_some(processes),
        workspace_bytes: bounds.workspace.then_some(workspace_bytes),
        workspace_inodes: bounds.workspace.then_some(workspace_inodes),
        cpu_percent: (bounds.cpu && cpu_percent > 0).then_some(cpu_percent),
        displays: Some(displays),
        display_bytes: Some(display_bytes),
    }
}

/// The most that may be asked for. CPU time per time may be bounded by a request although the server does not.
pub(crate) fn max_limits_message(max: &EpisodeLimits, bounds: Bounds) -> v1::Limits {
    v1::Limits {
        cpu_percent: bounds.cpu.then_some(cpu_percent_max(max)),
        ..limits_message(max, bounds)
    }
}

/// The reply to Reset.
pub(crate) fn reset_response(
    started: Started,
    runtime: String,
    reward: Option<f64>,
    server_id: &str,
    bounds: Bounds,
) -> v1::ResetResponse {
    v1::ResetResponse {
        observation: Some(v1::CodeObservation::default()),
        reward,
        done: false,
        limits: Some(limits_message(&started.limits, bounds)),
        state: Some(v1::CodeState {
            episode_id: started.id,
            step_count: 0,
            last_exit_code: 0,
        }),
        metadata: HashMap::new(),
        server_id: server_id.to_owned(),
        runtime,
    }
}

fn usage(usage: &Usage, wall: Option<Duration>, queued: Option<Duration>) -> v1::Usage {
    v1::Usage {
        scope: v1::UsageScope::Worker.into(),
        wall_time: wall.map(duration),
        queued_time: queued.map(duration),
        cpu_user_time: usage.cpu.map(|cpu| duration(cpu.user)),
        cpu_system_time: usage.cpu.map(|cpu| duration(cpu.system)),
        peak_memory_bytes: usage.memory.map(|memory| memory.peak_bytes),
        minor_page_faults: usage.memory.map(|memory| memory.minor_page_faults),
        major_page_faults: usage.memory.map(|memory| memory.major_page_faults),
    }
}

/// What a control group measured. None where there is none.
fn tree_usage(usage: &Usage) -> Option<v1::Usage> {
    let TreeUse {
        cpu,
        peak_memory_bytes,
        oom_kills: _,
        processes_refused: _,
    } = usage.tree?;
    Some(v1::Usage {
        scope: v1::UsageScope::Tree.into(),
        cpu_user_time: cpu.map(|CpuTime { user, .. }| duration(user)),
        cpu_system_time: cpu.map(|CpuTime { system, .. }| duration(system)),
        peak_memory_bytes,
        ..v1::Usage::default()
    })
}

fn limit_kind(limit: LimitHit) -> v1::LimitKind {
    match limit {
        LimitHit::StepTimeout => v1::LimitKind::StepTimeout,
        LimitHit::CpuTime => v1::LimitKind::CpuTime,
        LimitHit::Memory => v1::LimitKind::Memory,
        LimitHit::Processes => v1::LimitKind::Processes,
    }
}

fn outcome(outcome: Outcome) -> v1::Outcome {
    match outcome {
        Outcome::Completed => v1::Outcome::Completed,
        Outcome::Raised => v1::Outcome::Raised,
        Outcome::Exited => v1::Outcome::Exited,
        Outcome::Interrupted => v1::Outcome::Interrupted,
        Outcome::TimedOut => v1::Outcome::TimedOut,
        Outcome::LimitExceeded => v1::Outcome::LimitExceeded,
        Outcome::Killed => v1::Outcome::Killed,
        Outcome::ProtocolViolation => v1::Outcome::ProtocolViolation,
    }
}

fn observed(reply: &StepReply, stdout: StreamFacts, stderr: StreamFacts) -> v1::Observed {
    let bytes = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    v1::Observed {
        usage: Some(usage(
            &reply.usage,
            Some(reply.wall_time),
            Some(reply.queued_time),
        )),
        background: reply.background.as_ref().map(|background| {
            tree_usage(background).unwrap_or_else(|| usage(background, None, None))
        }),
        stdout_total_bytes: stdout.total_bytes,
        stderr_total_bytes: stderr.total_bytes,
        stdout_kept_bytes: bytes(stdout.kept_bytes),
        stderr_kept_bytes: bytes(stderr.kept_bytes),
        stdout_truncated: stdout.truncated,
        stderr_truncated: stderr.truncated,
        limit: reply
            .limit
            .map_or(v1::LimitKind::Unspecified, limit_kind)
            .into(),
        signal: match reply.process_end {
            Some(ExitStatus::Signal(signal)) => u32::try_from(signal).ok(),
            _ => None,
        },
        process_exit_code: match reply.process_end {
            Some(ExitStatus::Code(code)) => Some(code),
            _ => None,
        },
        violation: reply.violation.to_owned(),
        limits_hit: reply
            .limits_hit()
            .map(|limit| limit_kind(limit).into())
            .collect(),
        tree_usage: tree_usage(&reply.usage),
    }
}

/// Cuts a text that is too long for the reply.
fn fit(text: String, facts: &mut StreamFacts, room: usize) -> String {
    if text.len() <= room {
        return text;
    }
    let cut = shorten(text, facts.total_bytes, room);
    facts.kept_bytes = cut.kept_bytes;
    facts.truncated = true;
    cut.text
}

/// Displays within `room` bytes: representations that do not fit lose their bytes, as whole ones, and displays of which not even the names
/// fit are dropped. Returns how many were, and what the others take, too.
fn fit_displays(displays: &[Display], room: usize) -> (Vec<v1::Display>, u32, usize) {
    /// What a representation, and a display, take beside their texts and bytes, at the most: tags, lengths and a number.
    const OVERHEAD_BYTES: usize = 48;
    let mut fitted = Vec::with_capacity(displays.len());
    let (mut dropped, mut taken) = (0, 0);
    for display in displays {
        let names =
            |one: &Representation| OVERHEAD_BYTES + one.mime_type.len() + one.file_path.len();
        let least = OVERHEAD_BYTES + display.representations.iter().map(names).sum::<usize>();
        if least > room.saturating_sub(taken) {
            dropped += 1;
            continue;
        }
        taken += least;
        let representation = |one: &Representation| {
            let Representation {
                mime_type,
                data,
                total_bytes,
                file_path,
            } = one;
            let fits = data.len() <= room.saturating_sub(taken);
            let data = if fits { data.clone() } else { Vec::new() };
            taken += data.len();
            v1::Representation {
                mime_type: mime_type.clone(),
                data,
                total_bytes: *total_bytes,
                file_path: file_path.clone(),
            }
        };
        fitted.push(v1::Display {
            representations: display.representations.iter().map(representation).collect(),
            is_result: display.is_result,
        });
    }
    (fitted, dropped, taken)
}

/// The reply to Step, of at most `reply_bytes`.
pub(crate) fn step_response(
    episode_id: &str,
    answer: StepAnswer,
    reply_bytes: u32,
    server_id: &str,
    hint: String,
) -> v1::StepResponse {
    let StepAnswer {
        reply,
        texts,
        replayed,
    } = answer;
    let facts = reply.facts();
    let output_dropped = texts.is_none();
    let texts = texts.map(|texts| (*texts).clone()).unwrap_or_default();
    let (mut stdout_facts, mut stderr_facts) = (facts.stdout, facts.stderr);
    let mut result_truncated = facts.result_truncated;
    // Displays get a third of the reply, and what the texts don't need. Texts that don't fit get a third of the rest each, and what the
    // ones before left.
    let mut room = usize::try_from(reply_bytes)
        .unwrap_or(usize::MAX)
        .saturating_sub(REPLY_FACTS_BYTES);
    let text_bytes = texts.stdout.len() + texts.stderr.len();
    let text_bytes = text_bytes + texts.result.as_ref().map_or(0, String::len);
    let display_room = room.saturating_sub(text_bytes).max(room / 3);
    let (displays, dropped, display_bytes) = fit_displays(&texts.displays, display_room);
    room = room.saturating_sub(display_bytes);
    let parts = if text_bytes <= room { (1, 1) } else { (3, 2) };
    let result = texts.result.map(|mut result| {
        let end = floor_char_boundary(&result, room / parts.0);
        result_truncated |= end < result.len();
        result.truncate(end);
        result
    });
    room -= result.as_ref().map_or(0, String::len);
    let stderr = fit(texts.stderr, &mut stderr_facts, room / parts.1);
    room = room.saturating_sub(stderr.len());
    let stdout = fit(texts.stdout, &mut stdout_facts, room);
    v1::StepResponse {
        observation: Some(v1::CodeObservation {
            stdout,
            stderr,
            exit_code: facts.exit_code,
            result,
            displays,
        }),
        reward: facts.reward,
        done: facts.lost,
        outcome: outcome(facts.outcome).into(),
        state_after: if facts.lost {
            v1::StateAfter::Lost
        } else if facts.rolled_back {
            v1::StateAfter::RolledBack
        } else {
            v1::StateAfter::Intact
        }
        .into(),
        state: Some(v1::CodeState {
            episode_id: episode_id.to_owned(),
            step_count: facts.step_count,
            last_exit_code: facts.exit_code,
        }),
        metadata: facts.metadata.clone().into_iter().collect(),
        step_index: facts.step_index,
        server_id: server_id.to_owned(),
        timeout: some_duration(facts.timeout),
        reported: Some(v1::Reported {
            exception: facts
                .exception
                .clone()
                .map(|(kind, message)| v1::PythonException {
                    r#type: kind,
                    message,
                }),
            result_truncated,
            displays_dropped: facts.displays_dropped.saturating_add(dropped),
        }),
        observed: Some(observed(facts, stdout_facts, stderr_facts)),
        replayed,
        output_dropped,
        hint,
    }
}

/// A piece of output.
pub(crate) fn output_piece(piece: Piece) -> v1::OutputPiece {
    let Piece {
        stream,
        offset,
        bytes,
        dropped_bytes,
    } = piece;
    let stream = match stream {
        OutputStream::Stdout => v1::OutputStream::Stdout,
        OutputStream::Stderr => v1::OutputStream::Stderr,
    };
    v1::OutputPiece {
        stream: stream.into(),
        offset,
        data: bytes,
        dropped_bytes,
    }
}

fn floor_char_boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len()))
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0)
}

/// The reply to GetState.
pub(crate) fn state_response(
    view: EpisodeView,
    runtime: String,
    server_id: &str,
    bounds: Bounds,
) -> v1::GetStateResponse {
    let totals = view.totals;
    v1::GetStateResponse {
        state: Some(v1::CodeState {
            episode_id: view.id,
            step_count: view.step_count,
            last_exit_code: view.last_exit_code,
        }),
        status: match view.status {
            EpisodeStatus::Idle => v1::EpisodeStatus::Idle,
            EpisodeStatus::Running => v1::EpisodeStatus::Running,
            EpisodeStatus::Lost => v1::EpisodeStatus::Lost,
            EpisodeStatus::Frozen => v1::EpisodeStatus::Frozen,
        }
        .into(),
        loss: view.loss.map(|loss| v1::Loss {
            step_index: loss.step_index,
            outcome: loss
                .outcome
                .map_or(v1::Outcome::Unspecified, outcome)
                .into(),
            description: loss.description,
        }),
        server_id: server_id.to_owned(),
        runtime,
        limits: Some(limits_message(&view.limits, bounds)),
        seed: view.seed,
        create_time: timestamp(view.created),
        expire_time: view.expires.and_then(timestamp),
        queued_steps: u32::try_from(view.queued_steps).unwrap_or(u32::MAX),
        totals: Some(usage(
            &totals.usage,
            Some(totals.wall_time),
            Some(totals.queued_time),
        )),
        output_total_bytes: totals.output_bytes,
        tree_totals: tree_usage(&totals.usage),
        fork: view.origin.map(|origin| v1::ForkOrigin {
            parent_episode_id: origin.parent_id,
            step_count: origin.step_count,
            depth: origin.depth,
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::episode::{KeptReply, Texts};

    const MAX: EpisodeLimits = EpisodeLimits {
        source_bytes: 1 << 20,
        output_bytes: 1 << 20,
        result_bytes: 1 << 20,
        step_timeout: Duration::from_secs(60),
        step_cpu_time: Duration::from_secs(60),
        idle_timeout: Duration::from_secs(60),
        memory_bytes: 4 << 30,
        open_files: 1024,
        file_bytes: 1 << 30,
        total_memory_bytes: 4 << 30,
        processes: 256,
        workspace_bytes: 512 << 20,
        workspace_inodes: 65536,
        cpu_percent: 0,
        displays: 64,
        display_bytes: 3 << 20,
    };
    const ALL: Bounds = Bounds {
        total_memory: true,
        processes: true,
        workspace: true,
        cpu: true,
    };

    fn asked(
        limits: v1::Limits,
        max: &EpisodeLimits,
        bounds: Bounds,
    ) -> Result<EpisodeLimits, Status> {
        let mut violations = Violations::default();
        let limits = super::limits(&mut violations, Some(limits), max, bounds);
        violations.check().map(|()| limits)
    }

    fn metadata(status: &Status) -> HashMap<String, String> {
        use tonic_types::StatusExt as _;
        status
            .get_error_details()
            .error_info()
            .unwrap()
            .metadata
            .clone()
    }

    /// Sets one of the limits of whole episodes.
    type Set = fn(&mut v1::Limits, u64);
    const WHOLE: [(&str, Set, u64, u64); 5] = [
        (
            "limits.total_memory_bytes",
            |limits, value| limits.total_memory_bytes = Some(value),
            64 << 20,
            4 << 30,
        ),
        (
            "limits.processes",
            |limits, value| limits.processes = u32::try_from(value).ok(),
            2,
            256,
        ),
        (
            "limits.workspace_bytes",
            |limits, value| limits.workspace_bytes = Some(value),
            1 << 20,
            512 << 20,
        ),
        (
            "limits.workspace_inodes",
            |limits, value| limits.workspace_inodes = u32::try_from(value).ok(),
            64,
            65536,
        ),
        (
            "limits.cpu_percent",
            |limits, value| limits.cpu_percent = u32::try_from(value).ok(),
            1,
            100_000,
        ),
    ];

    #[test]
    fn limits_of_whole_episodes_are_taken_from_the_least_to_the_servers() {
        for (field, set, least, most) in WHOLE {
            for value in [least, most] {
                let mut limits = v1::Limits::default();
                set(&mut limits, value);
                let taken = asked(limits, &MAX, ALL).unwrap();
                // Absent ones are as the server's.
                let mut told = limits_message(&MAX, ALL);
                set(&mut told, value);
                assert_eq!(limits_message(&taken, ALL), told, "{field} {value}");
            }
            for value in [0, least - 1, most + 1] {
                let mut limits = v1::Limits::default();
                set(&mut limits, value);
                let status = asked(limits, &MAX, ALL).unwrap_err();
                let metadata = metadata(&status);
                assert_eq!(metadata["fields"], field);
                let told = format!("{}_maximum", field.replace('.', "_"));
                assert_eq!(metadata[&told], most.to_string());
                assert!(status.message().contains(&most.to_string()), "{status:?}");
            }
        }
    }

    #[test]
    fn a_limit_that_can_not_be_held_is_absent_and_asking_for_it_names_what_is_missing() {
        let none = Bounds::default();
        let with = |change: fn(&mut Bounds)| {
            let mut bounds = ALL;
            change(&mut bounds);
            bounds
        };
        let without: [(&str, Bounds, &str); 5] = [
            (
                "limits.total_memory_bytes",
                with(|bounds| bounds.total_memory = false),
                NEEDS_CGROUP,
            ),
            (
                "limits.processes",
                with(|bounds| bounds.processes = false),
                NEEDS_PROCESSES,
            ),
            (
                "limits.workspace_bytes",
                with(|bounds| bounds.workspace = false),
                NEEDS_NAMESPACE,
            ),
            (
                "limits.workspace_inodes",
                with(|bounds| bounds.workspace = false),
                NEEDS_NAMESPACE,
            ),
            (
                "limits.cpu_percent",
                with(|bounds| bounds.cpu = false),
                NEEDS_CGROUP,
            ),
        ];
        for ((field, set, least, most), (same, bounds, needs)) in WHOLE.into_iter().zip(without) {
            assert_eq!(field, same);
            for (bounds, value) in [(bounds, least), (bounds, most), (none, least), (none, 0)] {
                let mut limits = v1::Limits::default();
                set(&mut limits, value);
                let status = asked(limits, &MAX, bounds).unwrap_err();
                let metadata = metadata(&status);
                assert_eq!(metadata["fields"], field);
                assert_eq!(
                    metadata[&format!("{}_lacks", field.replace('.', "_"))],
                    needs
                );
                assert!(status.message().contains(needs), "{status:?}");
            }
            // What isn't asked for isn't refused.
            assert_eq!(asked(v1::Limits::default(), &MAX, bounds).unwrap(), MAX);
        }
        for told in [limits_message(&MAX, none), max_limits_message(&MAX, none)] {
            let whole = (
                told.total_memory_bytes,
                told.processes,
                told.workspace_bytes,
                told.workspace_inodes,
                told.cpu_percent,
            );
            assert_eq!(whole, (None, None, None, None, None));
            assert_eq!(told.memory_bytes, Some(4 << 30));
        }
    }

    #[test]
    fn cpu_time_per_time_that_the_server_does_not_bound_may_be_bounded_by_a_request() {
        assert_eq!(limits_message(&MAX, ALL).cpu_percent, None);
        assert_eq!(max_limits_message(&MAX, ALL).cpu_percent, Some(100_000));
        let bounded = EpisodeLimits {
            cpu_percent: 150,
            ..MAX
        };
        assert_eq!(limits_message(&bounded, ALL).cpu_percent, Some(150));
        assert_eq!(max_limits_message(&bounded, ALL).cpu_percent, Some(150));
        let percent = |cpu_percent| v1::Limits {
            cpu_percent,
            ..v1::Limits::default()
        };
        for (value, taken) in [(None, 150), (Some(150), 150), (Some(1), 1)] {
            let limits = asked(percent(value), &bounded, ALL).unwrap();
            assert_eq!(limits.cpu_percent, taken);
            assert_eq!(limits.cell().cpu_percent, taken);
        }
        for value in [0, 151] {
            let status = asked(percent(Some(value)), &bounded, ALL).unwrap_err();
            assert_eq!(metadata(&status)["limits_cpu_percent_maximum"], "150");
        }
        // Not bounded by either.
        let limits = asked(percent(None), &MAX, ALL).unwrap();
        assert_eq!(limits.cell().cpu_percent, 0);
    }

    #[test]
    fn what_a_control_group_counted_is_told_beside_what_the_interpreter_used() {
        let second = Duration::from_secs(1);
        let tree = TreeUse {
            cpu: Some(CpuTime {
                user: 3 * second,
                system: second,
            }),
            peak_memory_bytes: Some(7),
            oom_kills: 1,
            processes_refused: 2,
        };
        let worker = Usage {
            cpu: Some(CpuTime {
                user: second,
                system: second,
            }),
            ..Usage::default()
        };
        let reply = StepReply {
            usage: Usage {
                tree: Some(tree),
                ..worker
            },
            background: Some(Usage {
                tree: Some(tree),
                ..worker
            }),
            limit: Some(LimitHit::Memory),
            ..StepReply::default()
        };
        let stream = StreamFacts::default();
        let told = observed(&reply, stream, stream);
        let usage = told.usage.as_ref().unwrap();
        assert_eq!(usage.scope(), v1::UsageScope::Worker);
        assert_eq!(usage.cpu_user_time, some_duration(second));
        let tree = told.tree_usage.as_ref().unwrap();
        assert_eq!(tree.scope(), v1::UsageScope::Tree);
        assert_eq!(tree.cpu_user_time, some_duration(3 * second));
        assert_eq!(tree.peak_memory_bytes, Some(7));
        assert_eq!(tree.minor_page_faults, None);
        assert_eq!(told.background.as_ref(), Some(tree));
        assert_eq!(told.limit(), v1::LimitKind::Memory);
        let hit: Vec<_> = told.limits_hit().collect();
        assert_eq!(hit, [v1::LimitKind::Memory, v1::LimitKind::Processes]);
        // Nothing was counted.
        let reply = StepReply {
            usage: worker,
            background: Some(worker),
            ..StepReply::default()
        };
        let told = observed(&reply, stream, stream);
        assert_eq!(told.tree_usage, None);
        assert_eq!(told.background.unwrap().scope(), v1::UsageScope::Worker);
        assert!(told.limits_hit.is_empty());
    }

    #[test]
    fn a_reply_stays_within_what_its_caller_decodes() {
        use prost::Message as _;
        for text in ["x".repeat(3 << 20), "é".repeat(3 << 19)] {
            let texts = Texts {
                stdout: text.clone(),
                stderr: text.clone(),
                result: Some(text),
                ..Texts::default()
            };
            let total = u64::try_from(texts.stdout.len()).unwrap();
            let stream = StreamFacts {
                total_bytes: total,
                kept_bytes: texts.stdout.len(),
                truncated: false,
                head_bytes: texts.stdout.len(),
            };
            let facts = StepReply {
                stdout: stream,
                stderr: stream,
                ..StepReply::default()
            };
            let reply = KeptReply::new(facts, texts);
            for bytes in [REPLY_BYTES_MIN, REPLY_BYTES, REPLY_BYTES_MAX] {
                let texts = reply.texts();
                let answer = StepAnswer {
                    reply: Arc::clone(&reply),
                    texts,
                    replayed: false,
                };
                let response = step_response("e", answer, bytes, "s", String::new());
                assert!(
                    response.encoded_len() <= bytes as usize,
                    "{} > {bytes}",
                    response.encoded_len()
                );
                let cut = bytes < REPLY_BYTES_MAX;
                let observed = response.observed.unwrap();
                assert_eq!(
                    (observed.stdout_truncated, observed.stderr_truncated),
                    (cut, cut)
                );
                assert_eq!(response.reported.unwrap().result_truncated, cut);
                assert_eq!(observed.stdout_total_bytes, total);
            }
        }
    }
}
