//! What an evaluation looks at, and the verdict on it. Pure: it knows neither interpreters nor the contract.
//!
//! A [`Check`] is judged by what the server saw of a step that it ran in a throw-away copy ([`Ran`]). What a check compares with stays here; the program gets
//! the sources of its calls, one at a time. [`stdout`] compares texts, [`calls`] what functions return, as [`json`], with [`number`]s that are exact; [`tests`]
//! finds the tests of a file.

mod calls;
mod json;
mod number;
mod stdout;
mod tests;

pub(crate) use calls::{Call, CallCheck, is_function};
pub(crate) use number::Tolerance;
pub(crate) use stdout::{Comparison, StdoutCheck};
pub(crate) use tests::{Test, TestCheck};

use crate::episode::Outcome;

/// Failures that are told of one check.
const FAILURES_MAX: usize = 16;
/// The longest description of one.
const DESCRIPTION_BYTES_MAX: usize = 1024;

/// Something to look at, and how much it counts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Check {
    pub(crate) kind: Kind,
    /// At least 1.
    pub(crate) weight: u32,
}

/// What there is to look at.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    Stdout(StdoutCheck),
    Calls(CallCheck),
    Tests(TestCheck),
}

/// A step that was run for an evaluation, as far as a verdict needs it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ran<'a> {
    pub(crate) outcome: Outcome,
    pub(crate) stdout: &'a str,
    /// Something of it is missing.
    pub(crate) stdout_truncated: bool,
    /// The value of the last statement, as JSON where it can be that.
    pub(crate) result: Option<&'a str>,
    pub(crate) result_truncated: bool,
    /// The exception's type and text.
    pub(crate) exception: Option<(&'a str, &'a str)>,
}

/// Why something did not pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) index: u32,
    pub(crate) name: String,
    pub(crate) outcome: Outcome,
    pub(crate) description: String,
}

/// The verdict on one check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) passed: u32,
    /// Never 0.
    pub(crate) total: u32,
    /// The program itself says what passed.
    pub(crate) claimed: bool,
    pub(crate) weight: u32,
    pub(crate) failures: Vec<Failure>,
}

impl Check {
    /// What is run, after the code, before its calls. None: nothing.
    pub(crate) fn prelude(&self) -> Option<&str> {
        match &self.kind {
            Kind::Tests(check) => Some(&check.source),
            Kind::Stdout(_) | Kind::Calls(_) => None,
        }
    }

    /// How many calls it makes.
    pub(crate) fn calls(&self) -> usize {
        match &self.kind {
            Kind::Stdout(_) => 0,
            Kind::Calls(check) => check.calls.len(),
            Kind::Tests(check) => check.tests.len(),
        }
    }

    /// The source of a call, to be run as a step.
    pub(crate) fn call(&self, at: usize) -> Option<String> {
        match &self.kind {
            Kind::Stdout(_) => None,
            Kind::Calls(check) => check.calls.get(at).map(|call| call.source(&check.function)),
            Kind::Tests(check) => check.tests.get(at).map(Test::source),
        }
    }

    /// A verdict to which nothing was added yet.
    pub(crate) fn begin(&self) -> Verdict {
        let total = match &self.kind {
            Kind::Stdout(_) => 1,
            Kind::Calls(_) | Kind::Tests(_) => self.calls().max(1),
        };
        Verdict {
            passed: 0,
            total: u32::try_from(total).unwrap_or(u32::MAX),
            claimed: matches!(self.kind, Kind::Tests(_)),
            weight: self.weight.max(1),
            failures: Vec::new(),
        }
    }

    /// Judges what the code printed, where that is looked at.
    pub(crate) fn judge_code(&self, verdict: &mut Verdict, ran: &Ran<'_>) {
        if let Kind::Stdout(check) = &self.kind {
            let judged = completed(ran).and_then(|()| check.judge(ran));
            verdict.add(0, "", ran.outcome, judged);
        }
    }

    /// Judges a call.
    pub(crate) fn judge_call(&self, verdict: &mut Verdict, at: usize, ran: &Ran<'_>) {
        let (name, judged) = match &self.kind {
            Kind::Stdout(_) => return,
            Kind::Calls(check) => {
                let Some(call) = check.calls.get(at) else {
                    return;
                };
                ("", completed(ran).and_then(|()| call.judge(ran)))
            }
            Kind::Tests(check) => {
                let Some(test) = check.tests.get(at) else {
                    return;
                };
                (test.name.as_str(), completed(ran))
            }
        };
        verdict.add(at, name, ran.outcome, judged);
    }

    /// Notes that a call was not made.
    pub(crate) fn skip_call(&self, verdict: &mut Verdict, at: usize, outcome: Outcome, why: &str) {
        let name = match &self.kind {
            Kind::Tests(check) => check.tests.get(at).map_or("", |test| test.name.as_str()),
            Kind::Stdout(_) | Kind::Calls(_) => "",
        };
        verdict.add(at, name, outcome, Err(why.to_owned()));
    }
}

/// Nothing passes that did not come to its end by itself.
fn completed(ran: &Ran<'_>) -> Result<(), String> {
    if ran.outcome == Outcome::Completed {
        return Ok(());
    }
    let how = ran.outcome.name();
    Err(match ran.exception {
        Some((kind, text)) => format!("{how}: {kind}: {text}"),
        None => how.to_owned(),
    })
}

impl Verdict {
    fn add(&mut self, at: usize, name: &str, outcome: Outcome, judged: Result<(), String>) {
        match judged {
            Ok(()) => self.passed = self.passed.saturating_add(1).min(self.total),
            Err(mut description) => {
                if self.failures.len() < FAILURES_MAX {
                    let end = description.floor_char_boundary(DESCRIPTION_BYTES_MAX);
                    description.truncate(end);
                    self.failures.push(Failure {
                        index: u32::try_from(at).unwrap_or(u32::MAX),
                        name: name.to_owned(),
                        outcome,
                        description,
                    });
                }
            }
        }
    }

    /// The part that passed: 0 to 1.
    pub(crate) fn score(&self) -> f64 {
        f64::from(self.passed.min(self.total)) / f64::from(self.total.max(1))
    }
}

/// The mean of the scores by weight, of those that are claims or of those that are not: 0 to 1. None when there are none.
pub(crate) fn score(verdicts: &[Verdict], claimed: bool) -> Option<f64> {
    let counted = || verdicts.iter().filter(|verdict| verdict.claimed == claimed);
    let weights: f64 = counted().map(|verdict| f64::from(verdict.weight)).sum();
    let sum: f64 = counted()
        .map(|verdict| f64::from(verdict.weight) * verdict.score())
        .sum();
    (weights > 0.0).then(|| (sum / weights).clamp(0.0, 1.0))
}

#[cfg(test)]
mod unit {
    use proptest::prelude::*;

    use super::*;

    fn ran(outcome: Outcome, stdout: &str) -> Ran<'_> {
        Ran {
            outcome,
            stdout,
            stdout_truncated: false,
            result: None,
            result_truncated: false,
            exception: None,
        }
    }

    fn prints(expected: &str) -> Check {
        Check {
            kind: Kind::Stdout(StdoutCheck {
                expected: expected.to_owned(),
                comparison: Comparison::Exact,
                tolerance: Tolerance::default(),
            }),
            weight: 1,
        }
    }

    #[test]
    fn nothing_passes_that_did_not_come_to_its_end() {
        let check = prints("42\n");
        for outcome in [
            Outcome::Raised,
            Outcome::Exited,
            Outcome::Interrupted,
            Outcome::TimedOut,
            Outcome::LimitExceeded,
            Outcome::Killed,
            Outcome::ProtocolViolation,
        ] {
            let mut verdict = check.begin();
            check.judge_code(&mut verdict, &ran(outcome, "42\n"));
            assert_eq!((verdict.passed, verdict.total), (0, 1), "{outcome:?}");
            assert_eq!(verdict.failures[0].outcome, outcome);
        }
        let mut verdict = check.begin();
        check.judge_code(&mut verdict, &ran(Outcome::Completed, "42\n"));
        assert_eq!(verdict.score(), 1.0);
        let cut = Ran {
            stdout_truncated: true,
            ..ran(Outcome::Completed, "42\n")
        };
        let mut verdict = check.begin();
        check.judge_code(&mut verdict, &cut);
        assert_eq!(verdict.score(), 0.0);
    }

    #[test]
    fn a_failure_does_not_repeat_what_was_expected() {
        let check = prints("the secret answer");
        let mut verdict = check.begin();
        check.judge_code(&mut verdict, &ran(Outcome::Completed, "a guess"));
        assert!(!verdict.failures[0].description.contains("secret"));
    }

    #[test]
    fn failures_are_told_to_a_bound() {
        let kind = Kind::Tests(TestCheck {
            source: String::new(),
            tests: (0..100)
                .map(|at| Test {
                    name: format!("test_{at}"),
                })
                .collect(),
        });
        let check = Check { kind, weight: 1 };
        let mut verdict = check.begin();
        let long = "é".repeat(DESCRIPTION_BYTES_MAX);
        for at in 0..100 {
            check.skip_call(&mut verdict, at, Outcome::Killed, &long);
        }
        assert_eq!((verdict.passed, verdict.total), (0, 100));
        assert_eq!(verdict.failures.len(), FAILURES_MAX);
        for failure in &verdict.failures {
            assert!(failure.description.len() <= DESCRIPTION_BYTES_MAX);
        }
    }

    fn verdict() -> impl Strategy<Value = Verdict> {
        (any::<u32>(), any::<u32>(), any::<bool>(), any::<u32>()).prop_map(
            |(passed, total, claimed, weight)| Verdict {
                passed,
                total,
                claimed,
                weight,
                failures: Vec::new(),
            },
        )
    }

    proptest! {
        #[test]
        fn a_score_is_finite_and_within_its_range(verdicts in prop::collection::vec(verdict(), 0..8)) {
            for claimed in [true, false] {
                if let Some(score) = score(&verdicts, claimed) {
                    prop_assert!(score.is_finite() && (0.0..=1.0).contains(&score));
                }
            }
            for verdict in verdicts {
                let score = verdict.score();
                prop_assert!(score.is_finite() && (0.0..=1.0).contains(&score));
            }
        }
    }

    #[test]
    fn claims_are_not_mixed_with_what_the_server_judged() {
        let verdict = |passed, claimed, weight| Verdict {
            passed,
            total: 2,
            claimed,
            weight,
            failures: Vec::new(),
        };
        let verdicts = [
            verdict(2, false, 1),
            verdict(0, false, 3),
            verdict(2, true, 9),
        ];
        assert_eq!(score(&verdicts, false), Some(0.25));
        assert_eq!(score(&verdicts, true), Some(1.0));
        assert_eq!(score(&[], false), None);
    }
}
