//! Evaluations: code that runs in throw-away copies of an episode, and the server's verdict on it.
//!
//! A copy belongs to the call that asked for it: when that ends, so does the copy, in whatever it does.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tokio::sync::Notify;

use super::boundary::{Point, Random};
use super::driver::{self, StepFrame};
use super::kept::KeptReply;
use super::outcome::judge;
use super::registry::{Episode, Episodes};
use super::spare::EvaluationPlaces;
use super::{EndReason, EpisodeKey, Outcome, Refusal, StepAnswer, StepReply, Texts};
use crate::evaluate::{Check, Ran, Verdict};
use crate::executor::{Live, ResultOf, StepOrder, Worker};

/// Code to run and what to look at afterwards.
#[derive(Debug, Clone)]
pub(crate) struct NewEvaluation {
    pub(crate) code: String,
    pub(crate) timeout: Duration,
    pub(crate) call_timeout: Duration,
    pub(crate) output_bytes: Option<u32>,
    pub(crate) cpu_time: Option<Duration>,
    pub(crate) checks: Vec<Check>,
}

/// What became of an evaluation.
#[derive(Debug)]
pub(crate) struct Evaluated {
    /// What the code did.
    pub(crate) answer: StepAnswer,
    pub(crate) verdicts: Vec<Verdict>,
}

/// A throw-away copy, and what it runs steps with.
struct Copy<'a> {
    episodes: &'a Episodes,
    episode: &'a Episode,
    worker: Worker,
    evaluation: &'a NewEvaluation,
    next: u32,
    /// How it ended, once it has.
    ended: Option<Outcome>,
}

impl Episodes {
    /// Runs evaluations in copies of an episode, side by side.
    ///
    /// # Cancel-Safety
    /// Safe: the copies end with the call.
    pub(crate) async fn evaluate(
        &self,
        key: &EpisodeKey,
        evaluations: Vec<NewEvaluation>,
        random: &Random,
        index: Option<u32>,
    ) -> Result<(Vec<Evaluated>, Point), Refusal> {
        if self.is_draining() {
            return Err(Refusal::ShuttingDown);
        }
        let episode = self.find(key)?;
        let places = self.take_places(evaluations.len())?;
        let orders = random.orders(evaluations.len());
        let (workers, point) = self.copies(key, orders, index).await?;
        let running = workers.into_iter().zip(&evaluations);
        let running = running.map(|(worker, evaluation)| {
            let copy = Copy {
                episodes: self,
                episode: &episode,
                worker,
                evaluation,
                next: point.step_count,
                ended: None,
            };
            // A future of this size is best kept off the stack.
            Box::pin(copy.evaluate())
        });
        let evaluated = tokio::select! {
            evaluated = join_all(running) => evaluated,
            () = self.0.stop.cancelled() => return Err(Refusal::Ended {
                id: key.id.clone(),
                how: EndReason::Drained,
            }),
        };
        drop(places);
        self.0.metrics.evaluations.add(evaluated.len() as u64);
        Ok((evaluated, point))
    }

    fn take_places(&self, count: usize) -> Result<EvaluationPlaces, Refusal> {
        let live = self.0.lock_live();
        if self.0.room(&live) < count {
            return Err(Refusal::EpisodeLimit {
                max: self.0.config.max_episodes,
            });
        }
        Ok(EvaluationPlaces::take(&self.0.spares, count))
    }
}

impl Copy<'_> {
    /// Runs the code and then the checks.
    async fn evaluate(mut self) -> Evaluated {
        let registry = Arc::clone(&self.episodes.0);
        let waited = Instant::now();
        let turn = registry.turns.take(&self.episode.key.owner).await;
        let evaluation = self.evaluation;
        let (reply, texts) = self
            .run(
                &evaluation.code,
                ResultOf::Expression,
                evaluation.timeout,
                waited,
            )
            .await;
        let mut verdicts = Vec::with_capacity(evaluation.checks.len());
        for check in &evaluation.checks {
            let mut verdict = check.begin();
            check.judge_code(&mut verdict, &ran(&reply, &texts));
            self.call(check, &mut verdict).await;
            verdicts.push(verdict);
        }
        drop(turn);
        let kept = KeptReply::new(reply, texts);
        let answer = StepAnswer {
            texts: kept.texts(),
            reply: kept,
            replayed: false,
        };
        Evaluated { answer, verdicts }
    }

    /// Makes the calls of a check.
    async fn call(&mut self, check: &Check, verdict: &mut Verdict) {
        let timeout = self.evaluation.call_timeout;
        let mut unfit = None;
        if let Some(prelude) = check.prelude()
            && self.ended.is_none()
        {
            let (reply, _) = self
                .run(prelude, ResultOf::Expression, timeout, Instant::now())
                .await;
            if reply.outcome != Outcome::Completed {
                unfit = Some(reply.outcome);
            }
        }
        for at in 0..check.calls() {
            if let Some(outcome) = self.ended {
                check.skip_call(verdict, at, outcome, "the interpreter had ended before");
                continue;
            }
            if let Some(outcome) = unfit {
                check.skip_call(verdict, at, outcome, "the file did not come to its end");
                continue;
            }
            let Some(source) = check.call(at) else {
                continue;
            };
            let (reply, texts) = self
                .run(&source, ResultOf::Statement, timeout, Instant::now())
                .await;
            check.judge_call(verdict, at, &ran(&reply, &texts));
        }
    }

    /// Runs a step.
    async fn run(
        &mut self,
        source: &str,
        result_of: ResultOf,
        timeout: Duration,
        waited: Instant,
    ) -> (StepReply, Texts) {
        let (limits, config) = (&self.episode.limits, &self.episodes.0.config);
        let (live, interrupt) = (Live::default(), Notify::new());
        let order = StepOrder {
            number: self.next.saturating_add(1),
            source,
            result_bytes: limits.result_bytes,
            result_of,
            output_bytes: self.evaluation.output_bytes.unwrap_or(limits.output_bytes),
            displays: limits.displays,
            display_bytes: limits.display_bytes,
            display_mime_types: "",
            timeout,
            cpu_time: self.evaluation.cpu_time.unwrap_or(limits.step_cpu_time),
            interrupt_grace: config.interrupt_grace,
            live: &live,
        };
        let queued_time = waited.elapsed();
        let run = self.worker.run(order, &interrupt).await;
        let judgement = judge(&run.end, run.stop, run.usage.tree.as_ref());
        if judgement.lost {
            self.ended = Some(judgement.outcome);
        }
        let frame = StepFrame {
            step_index: self.next,
            timeout,
            queued_time,
        };
        self.next = self.next.saturating_add(1);
        let (reply, texts, _) = driver::reply(run, judgement, &frame);
        (reply, texts)
    }
}

/// What a check sees of a step.
fn ran<'a>(reply: &'a StepReply, texts: &'a Texts) -> Ran<'a> {
    Ran {
        outcome: reply.outcome,
        stdout: &texts.stdout,
        stdout_truncated: reply.stdout.truncated,
        result: texts.result.as_deref(),
        result_truncated: reply.result_truncated,
        exception: reply
            .exception
            .as_ref()
            .map(|(kind, text)| (kind.as_str(), text.as_str())),
    }
}
