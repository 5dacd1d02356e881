//! The contract's messages about copies of episodes, and our own types, both ways.

use std::collections::HashSet;
use std::time::Duration;

use tonic::Status;

use super::{
    ID_BYTES_MAX, check_episode_id, check_id, from_zero, limits_message, lowered, outcome,
    reply_bytes, source, step_limits, step_response, timestamp,
};
use crate::episode::{
    Checkpointed, Child, EpisodeKey, Evaluated, Forked, KeptCheckpoint, NewCheckpoint,
    NewEvaluation, NewFork, Outcome, Point, Random, RolledBack,
};
use crate::evaluate::{
    self, Call, CallCheck, Check, Comparison, Kind, StdoutCheck, TestCheck, Tolerance, Verdict,
    is_function,
};
use crate::limits::{Bounds, EpisodeLimits, ForkLimits};
use crate::proto::v1;
use crate::sandbox::branches::{ForkFacts, Separated};
use crate::status::{self, Violations};

/// Checks of one evaluation.
const CHECKS_MAX: usize = 64;
/// Calls of a check, and tests of a file.
const CALLS_MAX: usize = 1024;
/// The longest text that output or a value is compared with, and the longest arguments.
const TEXT_BYTES_MAX: usize = 1 << 20;
const WEIGHT_MAX: u32 = 1000;
/// What the result of each evaluation has at least in the reply.
const RESULT_BYTES_MIN: u32 = 24 << 10;
/// How long a call of a check may run when the request does not say.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);

/// What checking a request needs of the server and the episode.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known {
    pub(crate) forks: ForkLimits,
    /// The episode's limits.
    pub(crate) limits: EpisodeLimits,
    pub(crate) bounds: Bounds,
    /// A step's timeout when the request does not say.
    pub(crate) step_timeout: Duration,
}

fn point_state(episode_id: &str, point: Point) -> Option<v1::CodeState> {
    Some(v1::CodeState {
        episode_id: episode_id.to_owned(),
        step_count: point.step_count,
        last_exit_code: point.last_exit_code,
    })
}

fn random(violations: &mut Violations, asked: i32, default: Random) -> Random {
    match v1::RandomState::try_from(asked) {
        Ok(v1::RandomState::Unspecified) => default,
        Ok(v1::RandomState::Inherit) => Random::Inherit,
        Ok(v1::RandomState::Reseed) => Random::Reseed,
        Err(_) => {
            violations.add(
                "random",
                format!(
                    "{asked} is no RandomState; they are 1 (RANDOM_STATE_INHERIT) and 2 (RANDOM_STATE_RESEED)"
                ),
                &[("value", asked.to_string())],
            );
            default
        }
    }
}

/// A number of things within its bounds, or a violation that names them.
fn counted(violations: &mut Violations, field: &str, what: &str, count: usize, max: u32) -> usize {
    let most = usize::try_from(max).unwrap_or(usize::MAX);
    if count == 0 || count > most {
        violations.add(
            field,
            format!("has {count} {what}: it may have 1 to {max}, the maximum"),
            &[("count", count.to_string()), ("maximum", max.to_string())],
        );
    }
    count
}

/// Checks a Fork of the episode `parent`.
pub(crate) fn new_fork(
    parent: EpisodeKey,
    request: v1::ForkRequest,
    known: &Known,
) -> Result<NewFork, Status> {
    let v1::ForkRequest {
        episode_id: _,
        count,
        child_ids,
        random: random_state,
        seeds,
        limits: asked,
        allow_partial,
        step_index,
    } = request;
    let mut violations = Violations::default();
    check_episode_id(&mut violations, &parent.id);
    let max = known.forks.children;
    let count = if child_ids.is_empty() {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        counted(&mut violations, "count", "children", count, max)
    } else {
        if count != 0 {
            violations.add("count", "has to be 0 beside `child_ids`", &[]);
        }
        counted(&mut violations, "child_ids", "ids", child_ids.len(), max)
    };
    let mut seen = HashSet::new();
    for (at, id) in child_ids.iter().enumerate() {
        let field = format!("child_ids[{at}]");
        if id.is_empty() {
            let text = format!("has to be 1 to {ID_BYTES_MAX} of [A-Za-z0-9_-]");
            violations.add(&field, text, &[("maximum", ID_BYTES_MAX.to_string())]);
        }
        check_id(&mut violations, &field, id);
        if *id == parent.id {
            violations.add(&field, "is the parent's", &[]);
        }
        if !seen.insert(id) {
            violations.add(&field, "is given twice", &[]);
        }
    }
    let mut random = random(&mut violations, random_state, Random::Reseed);
    if !seeds.is_empty() {
        if random_state != 0 {
            violations.add("random", "has to be absent beside `seeds`", &[]);
        }
        if seeds.len() != count {
            let given = seeds.len();
            violations.add(
                "seeds",
                format!("has {given} seeds for {count} children: it takes one for each, or none"),
                &[
                    ("given", given.to_string()),
                    ("children", count.to_string()),
                ],
            );
        }
        random = Random::Seeds(seeds);
    }
    let limits = asked.map(|asked| {
        let limits = super::limits(&mut violations, Some(asked), &known.limits, known.bounds);
        let (own, parents) = (limits.cell(), known.limits.cell());
        if own != parents {
            violations.add(
                "limits",
                "total_memory_bytes, processes, workspace_bytes, workspace_inodes and cpu_percent of a child are its parent's: leave them out",
                &[],
            );
        }
        limits
    });
    violations.check()?;
    Ok(NewFork {
        parent,
        child_ids,
        count,
        random,
        limits,
        allow_partial,
        index: step_index,
    })
}

/// The reply to Fork.
pub(crate) fn fork_response(
    parent: &str,
    forked: Forked,
    server_id: &str,
    bounds: Bounds,
) -> v1::ForkResponse {
    let Forked { children, point } = forked;
    let child = |child: Child| match child.made {
        Ok(limits) => v1::ForkedChild {
            state: point_state(&child.id, point),
            episode_id: child.id,
            limits: Some(limits_message(&limits, bounds)),
            error: None,
        },
        Err(refusal) => v1::ForkedChild {
            episode_id: child.id,
            state: None,
            limits: None,
            error: Some(status::message(&refusal.into())),
        },
    };
    v1::ForkResponse {
        children: children.into_iter().map(child).collect(),
        parent: point_state(parent, point),
        server_id: server_id.to_owned(),
    }
}

/// Checks a Checkpoint.
pub(crate) fn new_checkpoint(
    request: v1::CheckpointRequest,
) -> Result<(String, NewCheckpoint), Status> {
    let v1::CheckpointRequest {
        episode_id,
        name,
        on_full,
        step_index,
    } = request;
    let mut violations = Violations::default();
    check_episode_id(&mut violations, &episode_id);
    check_id(&mut violations, "name", &name);
    let drops_oldest = match v1::OnFull::try_from(on_full) {
        Ok(v1::OnFull::Unspecified | v1::OnFull::Refuse) => false,
        Ok(v1::OnFull::DropOldest) => true,
        Err(_) => {
            violations.add(
                "on_full",
                format!(
                    "{on_full} is no OnFull; they are 1 (ON_FULL_REFUSE) and 2 (ON_FULL_DROP_OLDEST)"
                ),
                &[("value", on_full.to_string())],
            );
            false
        }
    };
    violations.check()?;
    let name = if name.is_empty() {
        uuid::Uuid::now_v7().to_string()
    } else {
        name
    };
    let new = NewCheckpoint {
        name,
        drops_oldest,
        index: step_index,
    };
    Ok((episode_id, new))
}

/// Checks the name of a checkpoint that has to be named, beside its episode's id.
pub(crate) fn checkpoint_name(episode_id: &str, name: &str) -> Result<(), Status> {
    let mut violations = Violations::default();
    check_episode_id(&mut violations, episode_id);
    if name.is_empty() {
        violations.add("name", "is required", &[]);
    }
    check_id(&mut violations, "name", name);
    violations.check()
}

/// A Rollback, checked.
#[derive(Debug)]
pub(crate) struct NewRollback {
    pub(crate) episode_id: String,
    pub(crate) name: String,
    pub(crate) random: Random,
    pub(crate) index: Option<u32>,
}

/// Checks a Rollback.
pub(crate) fn new_rollback(request: v1::RollbackRequest) -> Result<NewRollback, Status> {
    let v1::RollbackRequest {
        episode_id,
        name,
        step_index,
        random: random_state,
    } = request;
    checkpoint_name(&episode_id, &name)?;
    let mut violations = Violations::default();
    let random = random(&mut violations, random_state, Random::Inherit);
    violations.check()?;
    Ok(NewRollback {
        episode_id,
        name,
        random,
        index: step_index,
    })
}

fn checkpoint_info(checkpoint: KeptCheckpoint) -> v1::CheckpointInfo {
    let KeptCheckpoint {
        name,
        step_count,
        created,
        private_bytes,
    } = checkpoint;
    v1::CheckpointInfo {
        name,
        step_count,
        create_time: timestamp(created),
        private_bytes,
    }
}

/// The reply to Checkpoint.
pub(crate) fn checkpoint_response(
    episode_id: &str,
    made: Checkpointed,
    server_id: &str,
) -> v1::CheckpointResponse {
    let Checkpointed {
        checkpoint,
        created,
        dropped,
        point,
    } = made;
    v1::CheckpointResponse {
        checkpoint: Some(checkpoint_info(checkpoint)),
        created,
        dropped,
        state: point_state(episode_id, point),
        server_id: server_id.to_owned(),
    }
}

/// The reply to Rollback.
pub(crate) fn rollback_response(
    episode_id: &str,
    rolled_back: RolledBack,
    server_id: &str,
) -> v1::RollbackResponse {
    let RolledBack { checkpoint, point } = rolled_back;
    v1::RollbackResponse {
        checkpoint: Some(checkpoint_info(checkpoint)),
        state: point_state(episode_id, point),
        server_id: server_id.to_owned(),
    }
}

/// The reply to ListCheckpoints.
pub(crate) fn list_checkpoints_response(
    checkpoints: Vec<KeptCheckpoint>,
    server_id: &str,
) -> v1::ListCheckpointsResponse {
    v1::ListCheckpointsResponse {
        checkpoints: checkpoints.into_iter().map(checkpoint_info).collect(),
        server_id: server_id.to_owned(),
    }
}

/// Evaluations, checked.
#[derive(Debug)]
pub(crate) struct NewEvaluations {
    pub(crate) evaluations: Vec<NewEvaluation>,
    pub(crate) random: Random,
    pub(crate) index: Option<u32>,
    pub(crate) reply_bytes: u32,
}

/// Checks an Evaluate of the episode `episode_id`.
pub(crate) fn new_evaluations(
    episode_id: &str,
    request: v1::EvaluateRequest,
    known: &Known,
) -> Result<NewEvaluations, Status> {
    let v1::EvaluateRequest {
        episode_id: _,
        evaluations,
        random: random_state,
        step_index,
        max_reply_bytes,
    } = request;
    let mut violations = Violations::default();
    check_episode_id(&mut violations, episode_id);
    let max = known.forks.evaluations;
    let count = evaluations.len();
    let what = "evaluations";
    counted(&mut violations, "evaluations", what, count, max);
    let random = random(&mut violations, random_state, Random::Inherit);
    let reply_bytes = reply_bytes(&mut violations, max_reply_bytes);
    let least = u64::from(RESULT_BYTES_MIN) * count as u64;
    if u64::from(reply_bytes) < least && count <= usize::try_from(max).unwrap_or(usize::MAX) {
        violations.add(
            "max_reply_bytes",
            format!(
                "has to be at least {least} for {count} evaluations: {RESULT_BYTES_MIN} for each"
            ),
            &[
                ("minimum", least.to_string()),
                ("count", count.to_string()),
                ("each", RESULT_BYTES_MIN.to_string()),
            ],
        );
    }
    let evaluations = evaluations
        .into_iter()
        .enumerate()
        .map(|(at, one)| evaluation(&mut violations, &format!("evaluations[{at}]"), one, known))
        .collect();
    violations.check()?;
    Ok(NewEvaluations {
        evaluations,
        random,
        index: step_index,
        reply_bytes,
    })
}

fn evaluation(
    violations: &mut Violations,
    field: &str,
    asked: v1::Evaluation,
    known: &Known,
) -> NewEvaluation {
    let v1::Evaluation {
        action,
        timeout,
        limits,
        checks,
        call_timeout,
    } = asked;
    let max = known.limits.step_timeout;
    let mut time = |name: &str, asked: Option<prost_types::Duration>, default: Duration| {
        let asked = asked.map(from_zero);
        if asked.is_some_and(|time| time.is_zero()) {
            violations.add(
                &format!("{field}.{name}"),
                format!("has to be longer than zero; the maximum is {max:?}"),
                &[("maximum", format!("{max:?}"))],
            );
        }
        asked.unwrap_or(default).min(max)
    };
    let timeout = time("timeout", timeout, known.step_timeout);
    let call_timeout = time("call_timeout", call_timeout, CALL_TIMEOUT);
    let code = source(
        violations,
        &format!("{field}.action"),
        action,
        known.limits.source_bytes,
    );
    let limits_field = format!("{field}.limits");
    let (output_bytes, cpu_time) = step_limits(violations, &limits_field, limits, &known.limits);
    if checks.len() > CHECKS_MAX {
        violations.add(
            &format!("{field}.checks"),
            format!(
                "has {} checks: it may have {CHECKS_MAX}, the maximum",
                checks.len()
            ),
            &[
                ("count", checks.len().to_string()),
                ("maximum", CHECKS_MAX.to_string()),
            ],
        );
    }
    let checks = checks
        .into_iter()
        .enumerate()
        .filter_map(|(at, one)| check(violations, &format!("{field}.checks[{at}]"), one, known))
        .collect();
    NewEvaluation {
        code,
        timeout,
        call_timeout,
        output_bytes,
        cpu_time,
        checks,
    }
}

fn check(
    violations: &mut Violations,
    field: &str,
    asked: v1::Check,
    known: &Known,
) -> Option<Check> {
    let v1::Check {
        check: kind,
        weight,
    } = asked;
    let weight_field = format!("{field}.weight");
    let weight = weight.map_or(1, |asked| {
        lowered(violations, &weight_field, Some(asked), (1, WEIGHT_MAX))
    });
    let kind = match kind {
        Some(v1::check::Check::Stdout(asked)) => Kind::Stdout(stdout(violations, field, asked)),
        Some(v1::check::Check::Calls(asked)) => Kind::Calls(calls(violations, field, asked)),
        Some(v1::check::Check::Tests(asked)) => Kind::Tests(tests(violations, field, asked, known)),
        None => {
            violations.add(
                field,
                "one of `stdout`, `calls` and `tests` is required",
                &[],
            );
            return None;
        }
    };
    Some(Check { kind, weight })
}

/// A text that is not too long, or a violation.
fn bounded(violations: &mut Violations, field: &str, text: &str, max: usize) -> bool {
    let fits = text.len() <= max;
    if !fits {
        violations.add(
            field,
            format!("has {} bytes: it may have {max}, the maximum", text.len()),
            &[
                ("bytes", text.len().to_string()),
                ("maximum", max.to_string()),
            ],
        );
    }
    fits
}

fn tolerance(violations: &mut Violations, field: &str, absolute: f64, relative: f64) -> Tolerance {
    let mut number = |name: &str, value: f64, max: f64, range: &str| {
        if !(0.0..=max).contains(&value) {
            violations.add(
                &format!("{field}.{name}"),
                format!("has to be {range}"),
                &[("value", format!("{value:?}"))],
            );
        }
    };
    number(
        "absolute_tolerance",
        absolute,
        f64::MAX,
        "finite and not negative",
    );
    number("relative_tolerance", relative, 1.0, "between 0 and 1");
    Tolerance { absolute, relative }
}

fn stdout(violations: &mut Violations, field: &str, asked: v1::StdoutCheck) -> StdoutCheck {
    let v1::StdoutCheck {
        expected,
        comparison,
        absolute_tolerance,
        relative_tolerance,
    } = asked;
    let field = format!("{field}.stdout");
    let expected_field = format!("{field}.expected");
    bounded(violations, &expected_field, &expected, TEXT_BYTES_MAX);
    let kind = match v1::TextComparison::try_from(comparison) {
        Ok(v1::TextComparison::Unspecified | v1::TextComparison::Trimmed) => Comparison::Trimmed,
        Ok(v1::TextComparison::Exact) => Comparison::Exact,
        Ok(v1::TextComparison::Tokens) => Comparison::Tokens,
        Ok(v1::TextComparison::Numeric) => Comparison::Numeric,
        Err(_) => {
            violations.add(
                &format!("{field}.comparison"),
                format!("{comparison} is no TextComparison"),
                &[("value", comparison.to_string())],
            );
            Comparison::Exact
        }
    };
    StdoutCheck {
        expected,
        comparison: kind,
        tolerance: tolerance(violations, &field, absolute_tolerance, relative_tolerance),
    }
}

fn calls(violations: &mut Violations, field: &str, asked: v1::CallCheck) -> CallCheck {
    let v1::CallCheck {
        function,
        calls: asked,
    } = asked;
    let field = format!("{field}.calls");
    if !is_function(&function) {
        violations.add(
            &format!("{field}.function"),
            "has to be a name, or names with dots between, of ASCII letters, digits and `_`, at most 256 bytes",
            &[("maximum", "256".to_owned())],
        );
    }
    let calls_field = format!("{field}.calls");
    let max = u32::try_from(CALLS_MAX).unwrap_or(u32::MAX);
    counted(violations, &calls_field, "calls", asked.len(), max);
    let mut calls = Vec::with_capacity(asked.len().min(CALLS_MAX));
    for (at, one) in asked.into_iter().enumerate().take(CALLS_MAX) {
        let v1::Call {
            args_json,
            kwargs_json,
            expected_json,
            absolute_tolerance,
            relative_tolerance,
        } = one;
        let field = format!("{calls_field}[{at}]");
        let tolerance = tolerance(violations, &field, absolute_tolerance, relative_tolerance);
        let texts = [
            ("args_json", &args_json),
            ("kwargs_json", &kwargs_json),
            ("expected_json", &expected_json),
        ];
        let fits = texts.map(|(name, text)| {
            bounded(violations, &format!("{field}.{name}"), text, TEXT_BYTES_MAX)
        });
        if fits != [true; 3] {
            continue;
        }
        match Call::new(&args_json, &kwargs_json, &expected_json, tolerance) {
            Ok(call) => calls.push(call),
            Err((name, why)) => violations.add(
                &format!("{field}.{name}"),
                why.clone(),
                &[("why", why.clone())],
            ),
        }
    }
    CallCheck { function, calls }
}

fn tests(
    violations: &mut Violations,
    field: &str,
    asked: v1::TestCheck,
    known: &Known,
) -> TestCheck {
    let v1::TestCheck { source } = asked;
    let field = format!("{field}.tests.source");
    let max = usize::try_from(known.limits.source_bytes).unwrap_or(usize::MAX);
    if !bounded(violations, &field, &source, max) {
        return TestCheck::new(String::new());
    }
    let check = TestCheck::new(source);
    let max = u32::try_from(CALLS_MAX).unwrap_or(u32::MAX);
    counted(violations, &field, "tests", check.tests.len(), max);
    check
}

/// The reply to Evaluate, of at most `reply_bytes`.
pub(crate) fn evaluate_response(
    episode_id: &str,
    (evaluated, point): (Vec<Evaluated>, Point),
    reply_bytes: u32,
    server_id: &str,
) -> v1::EvaluateResponse {
    let count = u32::try_from(evaluated.len()).unwrap_or(u32::MAX).max(1);
    let each = reply_bytes / count;
    v1::EvaluateResponse {
        results: evaluated
            .into_iter()
            .map(|evaluated| evaluation_result(evaluated, each))
            .collect(),
        state: point_state(episode_id, point),
        server_id: server_id.to_owned(),
    }
}

fn evaluation_result(evaluated: Evaluated, reply_bytes: u32) -> v1::EvaluationResult {
    /// What a failure takes beside its texts, at the most.
    const FAILURE_BYTES: usize = 32;
    let Evaluated { answer, verdicts } = evaluated;
    let mut checks: Vec<v1::CheckResult> = verdicts.iter().map(check_result).collect();
    // Descriptions get a quarter, those of the first checks first; output gets what they leave.
    let mut room = usize::try_from(reply_bytes / 4).unwrap_or(usize::MAX);
    let before = room;
    for check in &mut checks {
        check.failures.retain_mut(|failure| {
            let least = FAILURE_BYTES + failure.name.len();
            let Some(left) = room.checked_sub(least) else {
                return false;
            };
            let end = super::floor_char_boundary(&failure.description, left);
            failure.description.truncate(end);
            room = left - failure.description.len();
            true
        });
    }
    let taken = u32::try_from(before - room).unwrap_or(u32::MAX);
    let left = reply_bytes.saturating_sub(taken);
    let (score, claimed_score) = (
        evaluate::score(&verdicts, false),
        evaluate::score(&verdicts, true),
    );
    let step = step_response("", answer, left, "", String::new());
    v1::EvaluationResult {
        observation: step.observation,
        outcome: step.outcome,
        reported: step.reported,
        observed: step.observed,
        timeout: step.timeout,
        checks,
        score,
        claimed_score,
    }
}

fn check_result(verdict: &Verdict) -> v1::CheckResult {
    let failures = verdict.failures.iter().map(|failure| v1::CheckFailure {
        index: failure.index,
        name: failure.name.clone(),
        outcome: outcome(failure.outcome).into(),
        description: failure.description.clone(),
    });
    v1::CheckResult {
        passed: verdict.passed,
        total: verdict.total,
        score: verdict.score(),
        claimed: verdict.claimed,
        failures: failures.collect(),
    }
}

/// What is told of copies on this server.
pub(crate) fn fork_facts(facts: ForkFacts) -> v1::ForkFacts {
    let detail = facts.detail();
    let ForkFacts {
        available,
        why_not: _,
        separated:
            Separated {
                memory,
                files,
                signals,
                ptrace,
            },
        depth_max,
        channel_private,
        same_paths,
    } = facts;
    v1::ForkFacts {
        available,
        detail,
        memory_separated: memory,
        files_separated: files,
        signals_separated: signals,
        tracing_separated: ptrace,
        channel_private,
        same_paths,
        depth_max,
    }
}

/// What bounds copies.
pub(crate) fn limits_of_forks(limits: &ForkLimits) -> v1::ForkLimits {
    let ForkLimits {
        children,
        checkpoints,
        checkpoint_bytes,
        server_checkpoints,
        server_checkpoint_bytes,
        evaluations,
        rolls_back,
    } = *limits;
    v1::ForkLimits {
        children,
        checkpoints,
        checkpoint_bytes,
        server_checkpoints,
        server_checkpoint_bytes,
        evaluations,
        checks: u32::try_from(CHECKS_MAX).unwrap_or(u32::MAX),
        calls: u32::try_from(CALLS_MAX).unwrap_or(u32::MAX),
        on_failure: if rolls_back {
            v1::OnFailure::RollBack
        } else {
            v1::OnFailure::Keep
        }
        .into(),
    }
}

/// What is to become of an episode whose step fails.
pub(super) fn on_failure(
    violations: &mut Violations,
    asked: i32,
    outcomes: &[i32],
) -> crate::episode::OnFailure {
    let rolls_back = match v1::OnFailure::try_from(asked) {
        Ok(v1::OnFailure::Unspecified) => None,
        Ok(v1::OnFailure::Keep) => Some(false),
        Ok(v1::OnFailure::RollBack) => Some(true),
        Err(_) => {
            violations.add(
                "on_failure",
                format!(
                    "{asked} is no OnFailure; they are 1 (ON_FAILURE_KEEP) and 2 (ON_FAILURE_ROLL_BACK)"
                ),
                &[("value", asked.to_string())],
            );
            None
        }
    };
    let mut after = Vec::new();
    for (at, asked) in outcomes.iter().enumerate() {
        match v1::Outcome::try_from(*asked).ok().and_then(own_outcome) {
            Some(outcome) if !after.contains(&outcome) => after.push(outcome),
            Some(_) => {}
            None => violations.add(
                &format!("roll_back_outcomes[{at}]"),
                format!("{asked} is no Outcome that a step can have"),
                &[("value", asked.to_string())],
            ),
        }
    }
    crate::episode::OnFailure { rolls_back, after }
}

fn own_outcome(outcome: v1::Outcome) -> Option<Outcome> {
    Some(match outcome {
        v1::Outcome::Unspecified => return None,
        v1::Outcome::Completed => Outcome::Completed,
        v1::Outcome::Raised => Outcome::Raised,
        v1::Outcome::Exited => Outcome::Exited,
        v1::Outcome::Interrupted => Outcome::Interrupted,
        v1::Outcome::TimedOut => Outcome::TimedOut,
        v1::Outcome::LimitExceeded => Outcome::LimitExceeded,
        v1::Outcome::Killed => Outcome::Killed,
        v1::Outcome::ProtocolViolation => Outcome::ProtocolViolation,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use prost::Message as _;

    use super::*;
    use crate::episode::{KeptReply, StepAnswer, StepReply, Texts};
    use crate::evaluate::Failure;

    /// An evaluation of which as much is to be told as can be.
    fn verbose() -> Evaluated {
        let text = "é".repeat(1 << 20);
        let facts = StepReply {
            exception: Some(("x".repeat(4096), "y".repeat(4096))),
            timeout: Duration::from_secs(1),
            ..StepReply::default()
        };
        let texts = Texts {
            stdout: text.clone(),
            stderr: text.clone(),
            result: Some(text),
            ..Texts::default()
        };
        let reply = KeptReply::new(facts, texts);
        let failure = |index| Failure {
            index,
            name: "n".repeat(256),
            outcome: Outcome::Raised,
            description: "é".repeat(512),
        };
        let verdict = Verdict {
            passed: 0,
            total: 16,
            claimed: false,
            weight: 1,
            failures: (0..16).map(failure).collect(),
        };
        Evaluated {
            answer: StepAnswer {
                texts: reply.texts(),
                reply,
                replayed: false,
            },
            verdicts: vec![verdict; CHECKS_MAX],
        }
    }

    #[test]
    fn a_reply_stays_within_what_its_caller_decodes_however_many_results_it_has() {
        let point = Point {
            step_count: 1,
            last_exit_code: 0,
        };
        for count in [1, 3, 64, 149] {
            let bytes = (RESULT_BYTES_MIN * count).max(64 << 10);
            for bytes in [bytes, bytes * 2] {
                let evaluated = (0..count).map(|_| verbose()).collect();
                let reply = evaluate_response("e", (evaluated, point), bytes, "s");
                let taken = reply.encoded_len();
                assert!(taken <= bytes as usize, "{count}: {taken} > {bytes}");
                assert!(
                    reply
                        .results
                        .iter()
                        .all(|result| result.checks.len() == CHECKS_MAX)
                );
            }
        }
    }
}
