//! Judges how a step ended, from what the server saw and what the program reported. Pure.

use super::{LimitHit, Outcome};
use crate::executor::{ExitStatus, ReportedEnd, StepEnd, StopCause, TreeUse};

/// The exit code of a step that ran out of time, as of timeout(1).
const TIMED_OUT: i32 = 124;
/// The exit code of a step that was interrupted: 128 + SIGINT.
const INTERRUPTED: i32 = 130;
/// The exit code of a step that we, or the kernel for lack of memory, ended for another limit, 128 + SIGKILL, whether it took the
/// interrupt or the kill.
const KILLED: i32 = 137;
/// SIGKILL of signal(7), the only signal with which the kernel ends a process for lack of memory.
const SIGKILL: i32 = 9;

/// The judgement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Judgement {
    pub(crate) outcome: Outcome,
    pub(crate) exit_code: i32,
    pub(crate) lost: bool,
    pub(crate) limit: Option<LimitHit>,
    pub(crate) process_end: Option<ExitStatus>,
}

/// What a shell would show for a process that ended like this.
fn shell_status(status: ExitStatus) -> i32 {
    match status {
        ExitStatus::Code(code) => code,
        ExitStatus::Signal(signal) => 128 + signal,
    }
}

/// Judges a step by how its process ended or what it reported, why the server stopped it (None: it did not), and what the control group of
/// its cell counted meanwhile.
///
/// What the server did comes first: a step that it stopped ended for that, even if the kernel then killed something for lack of memory.
/// Otherwise such a kill is what the step ended for, if it hit the interpreter, or one of its children while the interpreter lived on: then
/// the state is intact. An interpreter that ended in another way ended for that: its program did so, after a child was killed.
pub(crate) fn judge(end: &StepEnd, stop: Option<StopCause>, tree: Option<&TreeUse>) -> Judgement {
    let out_of_memory = tree.is_some_and(|tree| tree.oom_kills > 0);
    let mut limit = match stop {
        Some(StopCause::Timeout) => Some(LimitHit::StepTimeout),
        Some(StopCause::CpuTime) => Some(LimitHit::CpuTime),
        Some(StopCause::Interrupt) | None => None,
    };
    let (outcome, exit_code, lost, process_end) = match end {
        StepEnd::Violation(_) => (Outcome::ProtocolViolation, 1, true, None),
        StepEnd::Reported(report) => {
            let (outcome, exit_code) = match stop {
                Some(StopCause::Timeout) => (Outcome::TimedOut, TIMED_OUT),
                Some(StopCause::CpuTime) => (Outcome::LimitExceeded, KILLED),
                Some(StopCause::Interrupt) if report.interrupted => {
                    (Outcome::Interrupted, INTERRUPTED)
                }
                // It ended by itself before the interrupt reached it, or caught it and went on to its end.
                Some(StopCause::Interrupt) | None if out_of_memory => {
                    limit = Some(LimitHit::Memory);
                    (Outcome::LimitExceeded, KILLED)
                }
                Some(StopCause::Interrupt) | None => match report.end {
                    ReportedEnd::Completed => (Outcome::Completed, 0),
                    ReportedEnd::Raised if report.interrupted => (Outcome::Raised, INTERRUPTED),
                    ReportedEnd::Raised => (Outcome::Raised, 1),
                    ReportedEnd::Exited => (Outcome::Exited, report.exit_code),
                },
            };
            (outcome, exit_code, false, None)
        }
        StepEnd::Died(status) => {
            let (outcome, exit_code) = match stop {
                Some(StopCause::Timeout) => (Outcome::TimedOut, TIMED_OUT),
                Some(StopCause::CpuTime) => (Outcome::LimitExceeded, KILLED),
                Some(StopCause::Interrupt) => (Outcome::Interrupted, INTERRUPTED),
                None if out_of_memory && *status == ExitStatus::Signal(SIGKILL) => {
                    limit = Some(LimitHit::Memory);
                    (Outcome::LimitExceeded, KILLED)
                }
                None => (Outcome::Killed, shell_status(*status)),
            };
            (outcome, exit_code, true, Some(*status))
        }
    };
    Judgement {
        outcome,
        exit_code,
        lost,
        limit,
        process_end,
    }
}

/// Why the interpreter was lost, in a word.
pub(crate) fn cause_of_loss(judgement: &Judgement) -> &'static str {
    match judgement.outcome {
        Outcome::TimedOut => "step_timeout",
        Outcome::LimitExceeded if judgement.limit == Some(LimitHit::Memory) => "memory",
        Outcome::LimitExceeded => "cpu_time",
        Outcome::Interrupted => "interrupt",
        Outcome::ProtocolViolation => "protocol_violation",
        // It ended itself, or a signal of its own making did.
        _ => "program",
    }
}

/// One sentence on how the interpreter was lost.
pub(crate) fn describe_loss(judgement: &Judgement, violation: &str) -> String {
    let how = match judgement.process_end {
        Some(ExitStatus::Code(code)) => format!("its process left with status {code}"),
        Some(ExitStatus::Signal(signal)) => format!("its process was ended by signal {signal}"),
        None => "its process was killed".to_owned(),
    };
    match judgement.outcome {
        Outcome::TimedOut => {
            format!("the step ran past its timeout and ignored the interrupt; {how}")
        }
        Outcome::LimitExceeded if judgement.limit == Some(LimitHit::Memory) => {
            format!("the episode's processes used more memory together than they may; {how}")
        }
        Outcome::LimitExceeded => {
            format!("the step ran past its CPU time and ignored the interrupt; {how}")
        }
        Outcome::Interrupted => format!("the step ignored the interrupt; {how}"),
        Outcome::ProtocolViolation => format!("the program broke its channel ({violation}); {how}"),
        _ => how,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::executor::Report;

    fn report(end: ReportedEnd, exit_code: i32, interrupted: bool) -> StepEnd {
        StepEnd::Reported(Report {
            number: 1,
            end,
            exit_code,
            syntax_error: false,
            interrupted,
            result: None,
            result_truncated: false,
            exception: None,
        })
    }

    #[test]
    fn every_row_of_the_table() {
        use Outcome::*;
        use StopCause as Stop;
        let died = |status| StepEnd::Died(status);
        let rows = [
            (
                report(ReportedEnd::Completed, 0, false),
                None,
                Completed,
                0,
                false,
            ),
            (
                report(ReportedEnd::Completed, 9, false),
                None,
                Completed,
                0,
                false,
            ),
            (
                report(ReportedEnd::Raised, 1, false),
                None,
                Raised,
                1,
                false,
            ),
            (
                report(ReportedEnd::Raised, 130, true),
                None,
                Raised,
                130,
                false,
            ),
            (
                report(ReportedEnd::Exited, 7, false),
                None,
                Exited,
                7,
                false,
            ),
            (
                report(ReportedEnd::Raised, 130, true),
                Some(Stop::Interrupt),
                Interrupted,
                130,
                false,
            ),
            (
                report(ReportedEnd::Completed, 0, false),
                Some(Stop::Interrupt),
                Completed,
                0,
                false,
            ),
            (
                report(ReportedEnd::Raised, 130, true),
                Some(Stop::Timeout),
                TimedOut,
                124,
                false,
            ),
            (
                report(ReportedEnd::Completed, 0, false),
                Some(Stop::Timeout),
                TimedOut,
                124,
                false,
            ),
            (
                report(ReportedEnd::Raised, 130, true),
                Some(Stop::CpuTime),
                LimitExceeded,
                137,
                false,
            ),
            (
                died(ExitStatus::Signal(9)),
                Some(Stop::Timeout),
                TimedOut,
                124,
                true,
            ),
            (
                died(ExitStatus::Signal(9)),
                Some(Stop::CpuTime),
                LimitExceeded,
                137,
                true,
            ),
            (
                died(ExitStatus::Signal(9)),
                Some(Stop::Interrupt),
                Interrupted,
                130,
                true,
            ),
            (died(ExitStatus::Signal(11)), None, Killed, 139, true),
            (died(ExitStatus::Code(0)), None, Killed, 0, true),
            (died(ExitStatus::Code(3)), None, Killed, 3, true),
            (
                StepEnd::Violation("malformed report"),
                None,
                ProtocolViolation,
                1,
                true,
            ),
        ];
        for (end, stop, outcome, exit_code, lost) in rows {
            let judgement = judge(&end, stop, None);
            assert_eq!(
                (judgement.outcome, judgement.exit_code, judgement.lost),
                (outcome, exit_code, lost),
                "{end:?} {stop:?}"
            );
        }
    }

    #[test]
    fn the_kernels_kill_for_lack_of_memory_is_a_limit_and_what_survived_is_told() {
        use Outcome::*;
        use StopCause as Stop;
        let kills = |oom_kills| TreeUse {
            oom_kills,
            ..TreeUse::default()
        };
        let killed = StepEnd::Died(ExitStatus::Signal(9));
        let done = report(ReportedEnd::Completed, 0, false);
        let memory = Some(LimitHit::Memory);
        let rows = [
            // The interpreter was killed, by the kernel or not.
            (&killed, None, 1, (LimitExceeded, 137, true, memory)),
            (&killed, None, 0, (Killed, 137, true, None)),
            // A child was, and the interpreter lives.
            (&done, None, 1, (LimitExceeded, 137, false, memory)),
            (&done, None, 0, (Completed, 0, false, None)),
            (
                &report(ReportedEnd::Raised, 1, false),
                None,
                2,
                (LimitExceeded, 137, false, memory),
            ),
            (
                &done,
                Some(Stop::Interrupt),
                1,
                (LimitExceeded, 137, false, memory),
            ),
            // A child was, and then the interpreter ended in a way of its own.
            (
                &StepEnd::Died(ExitStatus::Code(3)),
                None,
                1,
                (Killed, 3, true, None),
            ),
            (
                &StepEnd::Died(ExitStatus::Signal(11)),
                None,
                1,
                (Killed, 139, true, None),
            ),
            // The server had stopped the step before.
            (
                &killed,
                Some(Stop::Timeout),
                1,
                (TimedOut, 124, true, Some(LimitHit::StepTimeout)),
            ),
            (
                &killed,
                Some(Stop::CpuTime),
                1,
                (LimitExceeded, 137, true, Some(LimitHit::CpuTime)),
            ),
            (
                &report(ReportedEnd::Raised, 130, true),
                Some(Stop::Interrupt),
                1,
                (Interrupted, 130, false, None),
            ),
            (
                &StepEnd::Violation("malformed report"),
                None,
                1,
                (ProtocolViolation, 1, true, None),
            ),
        ];
        for (end, stop, oom_kills, expected) in rows {
            let judgement = judge(end, stop, Some(&kills(oom_kills)));
            assert_eq!(
                (
                    judgement.outcome,
                    judgement.exit_code,
                    judgement.lost,
                    judgement.limit
                ),
                expected,
                "{end:?} {stop:?} {oom_kills}"
            );
        }
        let lost = judge(&killed, None, Some(&kills(1)));
        assert_eq!(
            describe_loss(&lost, ""),
            "the episode's processes used more memory together than they may; its process was ended by signal 9"
        );
    }

    #[test]
    fn refused_processes_end_nothing_and_are_told() {
        let refused = TreeUse {
            processes_refused: 3,
            ..TreeUse::default()
        };
        let done = report(ReportedEnd::Completed, 0, false);
        assert_eq!(judge(&done, None, Some(&refused)), judge(&done, None, None));
        let usage = crate::executor::Usage {
            tree: Some(TreeUse {
                oom_kills: 1,
                ..refused
            }),
            ..Default::default()
        };
        let reply = |limit, usage| crate::episode::StepReply {
            limit,
            usage,
            ..Default::default()
        };
        let hit = |limit, usage| reply(limit, usage).limits_hit().collect::<Vec<_>>();
        let (memory, processes) = (LimitHit::Memory, LimitHit::Processes);
        assert_eq!(hit(Some(memory), usage), [memory, processes]);
        assert_eq!(
            hit(Some(LimitHit::StepTimeout), usage),
            [LimitHit::StepTimeout, memory, processes]
        );
        assert_eq!(hit(None, Default::default()), []);
    }
}
