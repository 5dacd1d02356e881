//! Judges how a step ended, from what the server saw and what the program reported. Pure.

use super::{LimitHit, Outcome};
use crate::executor::{ExitStatus, ReportedEnd, StepEnd, StopCause};

/// The exit code of a step that ran out of time, as of timeout(1).
const TIMED_OUT: i32 = 124;
/// The exit code of a step that was interrupted: 128 + SIGINT.
const INTERRUPTED: i32 = 130;
/// The exit code of a step that we ended for another limit, 128 + SIGKILL, whether it took the interrupt or the kill.
const KILLED: i32 = 137;

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

pub(crate) fn judge(end: &StepEnd, stop: Option<StopCause>) -> Judgement {
    let limit = match stop {
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
            let judgement = judge(&end, stop);
            assert_eq!(
                (judgement.outcome, judgement.exit_code, judgement.lost),
                (outcome, exit_code, lost),
                "{end:?} {stop:?}"
            );
        }
    }
}
