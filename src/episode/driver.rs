//! Runs the steps of one episode, one after the other, for the episode: see `Driving` of the registry.

use std::collections::BTreeMap;
use std::sync::{Arc, MutexGuard};
use std::time::{Duration, Instant};

use super::boundary;
use super::kept::KeptReply;
use super::ledger::Brief;
use super::outcome::{Judgement, cause_of_loss, describe_loss, judge};
use super::registry::{Episode, Inner, Pending, State};
use super::{Loss, Outcome, Refusal, StepAnswer, StepReply, StreamFacts, Texts};
use crate::executor::{Captured, ForkOrder, RandomState, Raw, StepEnd, StepOrder, StepRun, Worker};
use crate::traces::StepSpan;
use crate::transform::StepFacts;

/// What a caller's own deadline keeps back, beside the grace, so that the reply still arrives.
const REPLY_MARGIN: Duration = Duration::from_millis(100);

/// What comes next in an episode.
enum Next {
    Step,
    /// Something is to be done between two steps.
    Boundary,
}

/// Runs steps, and grants wishes between them, until none is left or the episode ends.
///
/// # Cancel-Safety
/// Never cancelled; when the episode ends it drops the worker, which kills it.
pub(super) async fn drive(registry: Arc<Inner>, episode: Arc<Episode>) {
    while let Some(next) = next(&episode) {
        let turn = tokio::select! {
            biased;
            turn = registry.turns.take(&episode.key.owner) => turn,
            () = episode.over.cancelled() => return,
        };
        if matches!(next, Next::Boundary) {
            // Boxed: a step needs no room for it.
            let granted = Box::pin(boundary::grant(&registry, &episode));
            tokio::select! {
                biased;
                () = granted => continue,
                () = episode.over.cancelled() => return,
            }
        }
        let Some((index, pending, mut worker)) = start_next(&episode) else {
            continue;
        };
        if worker.is_parked() {
            let unparked = tokio::select! {
                biased;
                unparked = worker.unpark() => unparked,
                () = episode.over.cancelled() => return,
            };
            if let Err(lost) = unparked {
                lose(&episode, worker, format!("{lost}, so it was killed"));
                continue;
            }
        }
        let saved = if failures(&registry, &pending).is_empty() {
            None
        } else {
            let saving = Box::pin(save(&registry, &mut worker));
            let saved = tokio::select! {
                biased;
                saved = saving => saved,
                () = episode.over.cancelled() => return,
            };
            match saved {
                Ok(saved) => Some(saved),
                Err(refusal) => {
                    refuse_step(&episode, worker, &refusal);
                    continue;
                }
            }
        };
        let queued_time = pending.admitted.elapsed();
        let timeout = step_timeout(&registry, &episode, &pending);
        let run = tokio::select! {
            biased;
            run = worker.run(step_order(&registry, &episode, &pending, index, timeout), &pending.interrupt) => run,
            () = episode.over.cancelled() => return,
        };
        drop(turn);
        let frame = StepFrame {
            step_index: index,
            timeout,
            queued_time,
        };
        finish(
            &registry,
            &episode,
            Interpreters { worker, saved },
            run,
            &frame,
        );
    }
}

/// The outcomes after which the episode is put back to before the step.
fn failures<'a>(registry: &Inner, pending: &'a Pending) -> &'a [Outcome] {
    let default = registry.config.forks.rolls_back;
    pending.order.on_failure.outcomes(default)
}

/// Copies an interpreter before a step that is to be rolled back when it fails.
async fn save(registry: &Inner, worker: &mut Worker) -> Result<Worker, Refusal> {
    let order = [ForkOrder {
        random: RandomState::Inherit,
    }];
    let copies = boundary::copy(registry, Some(worker), &order).await;
    copies
        .map_err(boundary::refusal)?
        .pop()
        .ok_or_else(|| Refusal::ForkFailed {
            why: "none was made".to_owned(),
            lasts: false,
        })
}

/// Gives the interpreter back: the step that it was taken for can't be rolled back, so it did not run.
fn refuse_step(episode: &Episode, worker: Worker, refusal: &Refusal) {
    let mut state = episode.state();
    if state.ended().is_some() {
        return;
    }
    state.worker = Some(worker);
    state.note_death();
    state.ledger.take_back();
    if state.loss.is_some() {
        refuse_all(episode, state);
        return;
    }
    let expected = state.ledger.ended();
    let dropped = state.ledger.drop_next();
    drop(state);
    for (at, pending) in dropped.into_iter().enumerate() {
        pending.finish(Err(match at {
            0 => refusal.clone(),
            _ => Refusal::OutOfOrder { expected },
        }));
    }
}

/// What there is to do, if anything: what waits between two steps, or a step. Those that nobody waits for any more are dropped; when none is left the run is over.
fn next(episode: &Episode) -> Option<Next> {
    loop {
        let dropped = {
            let mut state = episode.state();
            let no_steps = state.ledger.is_idle();
            if state.boundary.is_due(no_steps) {
                return Some(Next::Boundary);
            }
            match state.ledger.peek() {
                None => {
                    state.driving = false;
                    state.last_active = Instant::now();
                    return None;
                }
                Some((_, pending)) if !pending.is_abandoned() => return Some(Next::Step),
                Some((index, _)) => (index, state.ledger.drop_next()),
            }
        };
        let (expected, dropped) = dropped;
        for pending in dropped {
            pending.finish(Err(Refusal::OutOfOrder { expected }));
        }
    }
}

/// Takes the next step and the interpreter. None when the step was abandoned while it waited for its turn, or the interpreter has
/// ended meanwhile: then nothing of what was admitted can run, and those who wait are told.
fn start_next(episode: &Episode) -> Option<(u32, Arc<Pending>, Worker)> {
    let mut state = episode.state();
    let (index, pending) = state
        .ledger
        .peek()
        .map(|(index, pending)| (index, Arc::clone(pending)))?;
    if pending.is_abandoned() {
        return None;
    }
    state.note_death();
    if let Some(worker) = state.worker.take() {
        state.ledger.start();
        return Some((index, pending, worker));
    }
    refuse_all(episode, state);
    None
}

/// Loses an interpreter that can't run the step that it was taken for, and tells those who wait.
fn lose(episode: &Episode, worker: Worker, description: String) {
    let mut state = episode.state();
    state.lose(description);
    refuse_all(episode, state);
    drop(worker);
}

/// Tells those who wait that nothing of what was admitted can run.
pub(super) fn refuse_all(episode: &Episode, mut state: MutexGuard<'_, State>) {
    let refusal = match state.loss.clone() {
        Some(loss) => Refusal::Lost {
            id: episode.key.id.clone(),
            loss,
        },
        None => Refusal::NotFound(episode.key.id.clone()),
    };
    let left = state.ledger.take_all();
    drop(state);
    for pending in left {
        pending.finish(Err(refusal.clone()));
    }
}

fn step_timeout(registry: &Inner, episode: &Episode, pending: &Pending) -> Duration {
    let max = episode.limits.step_timeout;
    if let Some(timeout) = pending.order.timeout {
        return timeout.min(max);
    }
    let timeout = registry.config.step_timeout.min(max);
    match pending.order.caller_wait {
        Some(wait) => {
            let margin = (registry.config.interrupt_grace + REPLY_MARGIN).min(wait / 5);
            timeout
                .min(wait.saturating_sub(margin))
                .max(Duration::from_millis(1))
        }
        None => timeout,
    }
}

fn step_order<'a>(
    registry: &Inner,
    episode: &Episode,
    pending: &'a Pending,
    index: u32,
    timeout: Duration,
) -> StepOrder<'a> {
    let limits = &episode.limits;
    StepOrder {
        number: index.saturating_add(1),
        source: &pending.order.code,
        result_bytes: limits.result_bytes,
        result_of: pending.order.result_of,
        output_bytes: pending.order.output_bytes.unwrap_or(limits.output_bytes),
        displays: limits.displays,
        display_bytes: limits.display_bytes,
        display_mime_types: &pending.order.display_mime_types,
        timeout,
        cpu_time: pending.order.cpu_time.unwrap_or(limits.step_cpu_time),
        interrupt_grace: registry.config.interrupt_grace,
        live: &pending.live,
    }
}

/// What is known of a step beside what it did.
pub(super) struct StepFrame {
    pub(super) step_index: u32,
    pub(super) timeout: Duration,
    pub(super) queued_time: Duration,
}

/// What a step was run in.
struct Interpreters {
    worker: Worker,
    /// As before the step, if it is to be rolled back.
    saved: Option<Worker>,
}

/// Makes the reply of what a step did, without what transforms add; and whether its source could be parsed, where it said so.
pub(super) fn reply(
    run: StepRun,
    judgement: Judgement,
    frame: &StepFrame,
) -> (StepReply, Texts, Option<bool>) {
    let StepRun {
        end,
        stop: _,
        stdout,
        stderr,
        shown,
        wall_time,
        usage,
        background,
    } = run;
    let (report, violation) = match end {
        StepEnd::Reported(report) => (Some(report), ""),
        StepEnd::Died(_) => (None, ""),
        StepEnd::Violation(violation) => (None, violation),
    };
    let (stdout_facts, stdout, stdout_raw) = split(stdout);
    let (stderr_facts, stderr, stderr_raw) = split(stderr);
    let syntax_error = report.as_ref().map(|report| report.syntax_error);
    let (result, result_truncated, exception) = report.map_or((None, false, None), |report| {
        (report.result, report.result_truncated, report.exception)
    });
    let reply = StepReply {
        step_index: frame.step_index,
        outcome: judgement.outcome,
        lost: judgement.lost,
        rolled_back: false,
        exit_code: judgement.exit_code,
        step_count: frame.step_index.saturating_add(1),
        timeout: frame.timeout,
        reward: None,
        metadata: BTreeMap::new(),
        exception,
        result_truncated,
        displays_dropped: shown.dropped,
        usage,
        background,
        wall_time,
        queued_time: frame.queued_time,
        stdout: stdout_facts,
        stderr: stderr_facts,
        limit: judgement.limit,
        process_end: judgement.process_end,
        violation,
    };
    let texts = Texts {
        stdout,
        stderr,
        result,
        stdout_raw,
        stderr_raw,
        displays: shown.displays,
    };
    (reply, texts, syntax_error)
}

/// Judges a step, books it, and answers those who wait for it.
fn finish(
    registry: &Inner,
    episode: &Episode,
    interpreters: Interpreters,
    run: StepRun,
    frame: &StepFrame,
) {
    let mut judgement = judge(&run.end, run.stop, run.usage.tree.as_ref());
    let (mut reply, texts, syntax_error) = reply(run, judgement, frame);
    let metrics = &registry.metrics;
    metrics.steps.add_one(judgement.outcome.name());
    metrics.step_time.observe(reply.wall_time);
    metrics.queued_time.observe(reply.queued_time);

    let mut state = episode.state();
    let Some(pending) = state.ledger.first().cloned() else {
        return;
    };
    let Interpreters { worker, saved } = interpreters;
    let fails = failures(registry, &pending).contains(&judgement.outcome);
    let saved = saved.filter(|saved| fails && saved.is_alive());
    let rolls_back = saved.is_some();
    let (mut worker, ends) = match saved {
        Some(saved) => (saved, Some(worker)),
        None => (worker, None),
    };
    if rolls_back {
        metrics.rolled_back.add_one();
        judgement.lost = false;
        (reply.lost, reply.rolled_back) = (false, true);
    }
    if judgement.lost {
        metrics.lost.add_one(cause_of_loss(&judgement));
    }
    let facts = StepFacts {
        code: &pending.order.code,
        syntax_error,
    };
    let effect = registry.config.transforms.apply(&facts);
    (reply.reward, reply.metadata) = (effect.reward, effect.metadata);
    let kept = KeptReply::new(reply, texts);
    let texts = kept.texts();
    let facts = kept.facts();
    let (step_index, violation) = (facts.step_index, facts.violation);
    pending.order.parent.step(StepSpan {
        episode: &episode.key.id,
        index: step_index,
        outcome: facts.outcome.name(),
        exit_code: facts.exit_code,
        state_after: facts.state_after(),
        wall_time: facts.wall_time,
        queued_time: facts.queued_time,
        cpu_time: facts.usage.cpu.map(|cpu| cpu.user + cpu.system),
    });

    let totals = &mut state.totals;
    totals.usage.add(&facts.usage);
    if let Some(background) = &facts.background {
        totals.usage.add(background);
    }
    totals.wall_time += facts.wall_time;
    totals.queued_time += facts.queued_time;
    totals.output_bytes += facts.stdout.total_bytes + facts.stderr.total_bytes;
    state.last_active = Instant::now();
    state.version += 1;
    let brief = Brief {
        outcome: judgement.outcome,
        exit_code: judgement.exit_code,
        lost: judgement.lost,
        rolled_back: rolls_back,
    };
    state.ledger.finish(brief, Arc::clone(&kept));
    let mut left = Vec::new();
    if judgement.lost {
        let description = describe_loss(&judgement, violation);
        let loss = Loss {
            step_index,
            outcome: Some(judgement.outcome),
            description,
        };
        let refusal = Refusal::Lost {
            id: episode.key.id.clone(),
            loss: loss.clone(),
        };
        state.loss = Some(loss);
        left = state
            .ledger
            .take_all()
            .into_iter()
            .map(|pending| (pending, refusal.clone()))
            .collect();
    }
    let previous = state.last_reply.replace(Arc::clone(&kept));
    registry.budget.succeed(previous.as_ref(), &kept);
    if judgement.lost {
        drop(worker);
    } else {
        if rolls_back {
            state.workspace = Some(worker.workspace());
        } else {
            worker.after_step();
        }
        if state.is_idle() {
            worker.park_if_crowded();
        }
        state.worker = Some(worker);
    }
    drop(state);
    drop(ends);

    pending.finish(Ok(StepAnswer {
        reply: kept,
        texts,
        replayed: false,
    }));
    for (pending, refusal) in left {
        pending.finish(Err(refusal));
    }
}

fn split(captured: Captured) -> (StreamFacts, String, Option<Raw>) {
    let Captured {
        text,
        kept_bytes,
        total_bytes,
        truncated,
        head_bytes,
        raw,
    } = captured;
    let facts = StreamFacts {
        total_bytes,
        kept_bytes,
        truncated,
        head_bytes,
    };
    (facts, text, raw)
}
