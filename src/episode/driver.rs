//! Runs the steps of one episode, one after the other, for the episode: see `Driving` of the registry.

use std::sync::{Arc, MutexGuard};
use std::time::{Duration, Instant};

use super::kept::KeptReply;
use super::ledger::Brief;
use super::outcome::{cause_of_loss, describe_loss, judge};
use super::registry::{Episode, Inner, Pending, State};
use super::{Loss, Refusal, StepAnswer, StepReply, StreamFacts, Texts};
use crate::executor::{Captured, Raw, StepEnd, StepOrder, StepRun, Worker};
use crate::traces::StepSpan;
use crate::transform::StepFacts;

/// What a caller's own deadline keeps back, beside the grace, so that the reply still arrives.
const REPLY_MARGIN: Duration = Duration::from_millis(100);

/// Runs steps until none is left or the episode ends.
///
/// # Cancel-Safety
/// Never cancelled; when the episode ends it drops the worker, which kills it.
pub(super) async fn drive(registry: Arc<Inner>, episode: Arc<Episode>) {
    while has_next(&episode) {
        let turn = tokio::select! {
            biased;
            turn = registry.turns.take(&episode.key.owner) => turn,
            () = episode.over.cancelled() => return,
        };
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
        let queued_time = pending.admitted.elapsed();
        let timeout = step_timeout(&registry, &episode, &pending);
        let run = tokio::select! {
            biased;
            run = worker.run(step_order(&registry, &episode, &pending, index, timeout), &pending.interrupt) => run,
            () = episode.over.cancelled() => return,
        };
        drop(turn);
        finish(&registry, &episode, worker, run, queued_time, timeout);
    }
}

/// Whether there is a step to run. Those that nobody waits for any more are dropped; when none is left the run is over.
fn has_next(episode: &Episode) -> bool {
    loop {
        let dropped = {
            let mut state = episode.state();
            match state.ledger.peek() {
                None => {
                    state.driving = false;
                    state.last_active = Instant::now();
                    return false;
                }
                Some((_, pending)) if !pending.is_abandoned() => return true,
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
fn refuse_all(episode: &Episode, mut state: MutexGuard<'_, State>) {
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

/// Judges a step, books it, and answers those who wait for it.
fn finish(
    registry: &Inner,
    episode: &Episode,
    mut worker: Worker,
    run: StepRun,
    queued_time: Duration,
    timeout: Duration,
) {
    let judgement = judge(&run.end, run.stop, run.usage.tree.as_ref());
    let metrics = &registry.metrics;
    metrics.steps.add_one(judgement.outcome.name());
    metrics.step_time.observe(run.wall_time);
    metrics.queued_time.observe(queued_time);
    if judgement.lost {
        metrics.lost.add_one(cause_of_loss(&judgement));
    }
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

    let mut state = episode.state();
    let Some(pending) = state.ledger.first().cloned() else {
        return;
    };
    let facts = StepFacts {
        code: &pending.order.code,
        syntax_error,
    };
    let effect = registry.config.transforms.apply(&facts);
    let step_index = state.ledger.ended();
    let reply = StepReply {
        step_index,
        outcome: judgement.outcome,
        lost: judgement.lost,
        exit_code: judgement.exit_code,
        step_count: step_index.saturating_add(1),
        timeout,
        reward: effect.reward,
        metadata: effect.metadata,
        exception,
        result_truncated,
        displays_dropped: shown.dropped,
        usage,
        background,
        wall_time,
        queued_time,
        stdout: stdout_facts,
        stderr: stderr_facts,
        limit: judgement.limit,
        process_end: judgement.process_end,
        violation,
    };
    let kept = KeptReply::new(
        reply,
        Texts {
            stdout,
            stderr,
            result,
            stdout_raw,
            stderr_raw,
            displays: shown.displays,
        },
    );
    let texts = kept.texts();
    let facts = kept.facts();
    pending.order.parent.step(StepSpan {
        episode: &episode.key.id,
        index: step_index,
        outcome: facts.outcome.name(),
        exit_code: facts.exit_code,
        lost: facts.lost,
        wall_time,
        queued_time,
        cpu_time: usage.cpu.map(|cpu| cpu.user + cpu.system),
    });

    let totals = &mut state.totals;
    totals.usage.add(&usage);
    if let Some(background) = &background {
        totals.usage.add(background);
    }
    totals.wall_time += wall_time;
    totals.queued_time += queued_time;
    totals.output_bytes += stdout_facts.total_bytes + stderr_facts.total_bytes;
    state.last_active = Instant::now();
    let brief = Brief {
        outcome: judgement.outcome,
        exit_code: judgement.exit_code,
        lost: judgement.lost,
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
    let lost = judgement.lost;
    if !lost {
        worker.after_step();
        if state.ledger.is_idle() {
            worker.park_if_crowded();
        }
        state.worker = Some(worker);
    } else {
        drop(worker);
    }
    drop(state);

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
