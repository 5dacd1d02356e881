//! The rows of the table: what each is, what it may be, and how they are shown. Pure.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use crate::sandbox::plan::Level;

/// How large a row's ratio may be, or its value.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Budget {
    RatioAtMost(f64),
    RatioAtLeast(f64),
    ValueAtMost(f64),
    ValueAtLeast(f64),
    /// `RatioAtLeast`, by what is paid for: with no isolation, and at level `namespace`. Level `landlock` has no such goal.
    RatioAtLeastByLevel {
        none: f64,
        namespace: f64,
    },
}

/// What a row is, before it is measured.
#[derive(Debug, Clone, Copy)]
struct Spec {
    name: &'static str,
    unit: &'static str,
    /// What the ratio is a ratio of: another row, or a program.
    of: Option<&'static str>,
    budget: Option<Budget>,
}

const fn spec(name: &'static str, unit: &'static str) -> Spec {
    Spec {
        name,
        unit,
        of: None,
        budget: None,
    }
}

const fn ratio(
    name: &'static str,
    unit: &'static str,
    of: &'static str,
    budget: Option<Budget>,
) -> Spec {
    Spec {
        name,
        unit,
        of: Some(of),
        budget,
    }
}

/// What an idle episode costs, worker and reaper together.
const fn memory(name: &'static str) -> Spec {
    Spec {
        name,
        unit: "MiB",
        of: None,
        budget: Some(Budget::ValueAtMost(1.5)),
    }
}

/// What a neighbour makes of the p99 of a step.
const fn neighbour(name: &'static str) -> Spec {
    ratio(
        name,
        "µs",
        "neighbour_p99_quiet",
        Some(Budget::RatioAtMost(3.0)),
    )
}

const REFERENCE: &str = "the OpenEnv reference";

/// Every row, in the order of the table.
const SPECS: &[Spec] = &[
    spec("empty_call_p50", "µs"),
    spec("empty_call_p99", "µs"),
    ratio(
        "step_p50",
        "µs",
        "empty_call_p50",
        Some(Budget::RatioAtMost(2.0)),
    ),
    ratio("step_p99", "µs", "empty_call_p99", None),
    ratio(
        "step_p50_to_openenv",
        "µs",
        REFERENCE,
        Some(Budget::RatioAtMost(0.35)),
    ),
    ratio(
        "openenv_step_p50",
        "µs",
        REFERENCE,
        Some(Budget::RatioAtMost(0.5)),
    ),
    ratio(
        "reset_p50",
        "µs",
        "step_p50",
        Some(Budget::RatioAtMost(1.5)),
    ),
    ratio("reset_p99", "µs", "step_p99", None),
    spec("empty_calls_1", "calls/s"),
    spec("empty_calls_8", "calls/s"),
    spec("empty_calls_32", "calls/s"),
    spec("empty_calls_128", "calls/s"),
    ratio("steps_1", "steps/s", "empty_calls_1", None),
    ratio("steps_8", "steps/s", "empty_calls_8", None),
    ratio(
        "steps_32",
        "steps/s",
        "empty_calls_32",
        Some(Budget::RatioAtLeast(0.35)),
    ),
    ratio("steps_128", "steps/s", "empty_calls_128", None),
    ratio(
        "steps_32_to_openenv",
        "steps/s",
        REFERENCE,
        Some(Budget::RatioAtLeast(5.0)),
    ),
    ratio(
        "openenv_steps_32",
        "steps/s",
        REFERENCE,
        Some(Budget::RatioAtLeast(4.0)),
    ),
    spec("worker_loop", "workers/s"),
    spec("bare_fork_loop", "forks/s"),
    ratio(
        "resets",
        "resets/s",
        "worker_loop",
        Some(Budget::RatioAtLeast(0.7)),
    ),
    ratio(
        "resets_to_bare_fork",
        "resets/s",
        "bare_fork_loop",
        Some(Budget::RatioAtLeastByLevel {
            none: 0.5,
            namespace: 0.3,
        }),
    ),
    spec("cell_none", "µs"),
    ratio("cell_seccomp", "µs", "cell_none", None),
    ratio("cell_landlock", "µs", "cell_none", None),
    ratio("cell_namespace", "µs", "cell_none", None),
    ratio("cell_namespace_landlock", "µs", "cell_none", None),
    ratio("cell_namespace_uid", "µs", "cell_none", None),
    ratio("cell_namespace_cgroup", "µs", "cell_none", None),
    ratio("cell_namespace_all", "µs", "cell_none", None),
    memory("idle_episode_memory"),
    memory("idle_memory_none"),
    memory("idle_memory_landlock"),
    memory("idle_memory_namespace"),
    Spec {
        name: "live_episodes",
        unit: "episodes",
        of: None,
        budget: Some(Budget::ValueAtLeast(10_000.0)),
    },
    Spec {
        name: "close_hostile",
        unit: "ms",
        of: None,
        budget: Some(Budget::ValueAtMost(50.0)),
    },
    spec("neighbour_p99_quiet", "µs"),
    neighbour("neighbour_p99_spin"),
    neighbour("neighbour_p99_forks"),
    neighbour("neighbour_p99_memory"),
    neighbour("neighbour_p99_output"),
    neighbour("neighbour_p99_disk"),
    neighbour("neighbour_p99_stream"),
    Spec {
        name: "stream_latency",
        unit: "ms",
        of: None,
        budget: Some(Budget::ValueAtMost(20.0)),
    },
    spec("unary_steps_at_once", "steps/s"),
    ratio(
        "session_steps_at_once",
        "steps/s",
        "unary_steps_at_once",
        Some(Budget::RatioAtLeast(1.25)),
    ),
    spec("unary_cpu_per_step", "µs"),
    ratio("session_cpu_per_step", "µs", "unary_cpu_per_step", None),
    spec("strangers_quiet_p50", "µs"),
    spec("strangers_quiet_p99", "µs"),
    ratio(
        "strangers_p50",
        "µs",
        "strangers_quiet_p50",
        Some(Budget::RatioAtMost(1.5)),
    ),
    ratio(
        "strangers_p99",
        "µs",
        "strangers_quiet_p99",
        Some(Budget::RatioAtMost(3.0)),
    ),
    ratio(
        "cpu_silent",
        "ms",
        "python3 FILE",
        Some(Budget::RatioAtMost(1.02)),
    ),
    ratio("cpu_printing", "ms", "python3 -u FILE", None),
    spec("stream_up", "MiB/s"),
    spec("stream_down", "MiB/s"),
    ratio(
        "files_write",
        "MiB/s",
        "stream_up",
        Some(Budget::RatioAtLeast(0.6)),
    ),
    ratio(
        "files_read",
        "MiB/s",
        "stream_down",
        Some(Budget::RatioAtLeast(0.6)),
    ),
    spec("files_small_write", "files/s"),
    spec("files_small_read", "files/s"),
    Spec {
        name: "files_memory",
        unit: "MiB",
        of: None,
        budget: Some(Budget::ValueAtMost(16.0)),
    },
    spec("fork_bare_first_byte", "ms"),
    ratio(
        "fork_first_reply",
        "ms",
        "fork_bare_first_byte",
        Some(Budget::RatioAtMost(2.0)),
    ),
    spec("fork_bare_pause", "ms"),
    ratio(
        "fork_pause",
        "ms",
        "fork_bare_pause",
        Some(Budget::RatioAtMost(1.2)),
    ),
    spec("fork_bare_64", "forks/s"),
    ratio(
        "fork_64",
        "forks/s",
        "fork_bare_64",
        Some(Budget::RatioAtLeast(0.7)),
    ),
    Spec {
        name: "fork_memory",
        unit: "MiB",
        of: None,
        budget: Some(Budget::ValueAtMost(1.5)),
    },
    spec("group_forks", "forks/s"),
    spec("group_steps", "steps/s"),
    spec("group_memory", "MiB"),
    ratio(
        "cold_start",
        "ms",
        "python3 -I -S -c pass",
        Some(Budget::RatioAtMost(15.0)),
    ),
];

/// The names of all rows, in the order of the table.
pub fn row_names() -> impl Iterator<Item = &'static str> {
    SPECS.iter().map(|spec| spec.name)
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Measured {
    value: f64,
    ratio: Option<f64>,
}

/// What was measured.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// The isolation level in force, which some budgets depend on. None: not known yet, and then none is meant.
    level: Option<Level>,
    measured: BTreeMap<&'static str, Measured>,
    /// What to know about the figures: the interpreter, the machine, what limited a row.
    pub notes: Vec<String>,
    /// Rows that were wanted and could not be measured, and why.
    pub failures: Vec<String>,
}

impl Report {
    /// Nothing measured yet, at this isolation level.
    pub(super) fn at(level: Level) -> Self {
        Self {
            level: Some(level),
            ..Self::default()
        }
    }

    /// Books a value without a ratio. A value of None leaves the row unmeasured.
    pub(super) fn set(&mut self, name: &'static str, value: Option<f64>) {
        self.book(name, value, None);
    }

    /// Books a value and its ratio to `base`.
    pub(super) fn set_ratio(&mut self, name: &'static str, value: Option<f64>, base: Option<f64>) {
        let ratio = value
            .zip(base)
            .map(|(value, base)| value / base)
            .filter(|ratio| ratio.is_finite());
        self.book(name, value.filter(|_| ratio.is_some()), ratio);
    }

    fn book(&mut self, name: &'static str, value: Option<f64>, ratio: Option<f64>) {
        debug_assert!(row_names().any(|known| known == name), "{name}");
        if let Some(value) = value.filter(|value| value.is_finite()) {
            self.measured.insert(name, Measured { value, ratio });
        }
    }

    /// `{"rows": [{"name", "value", "unit", "ratio", "budget", "met"}, …]}`. A row that was not measured has null in `value`, `ratio`
    /// and `met`; one that has no budget has null in `budget` and `met`.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        let row = |spec: &Spec| {
            let measured = self.measured.get(spec.name);
            serde_json::json!({
                "name": spec.name,
                "value": measured.map(|measured| measured.value),
                "unit": spec.unit,
                "ratio": measured.and_then(|measured| measured.ratio),
                "budget": spec.budget_text(self.level),
                "met": spec.met(self.level, measured),
            })
        };
        serde_json::json!({ "rows": SPECS.iter().map(row).collect::<Vec<_>>() })
    }
}

impl Spec {
    /// Its budget at a level, never one by level.
    fn budget_at(&self, level: Option<Level>) -> Option<Budget> {
        match (self.budget?, level) {
            (Budget::RatioAtLeastByLevel { none, .. }, None | Some(Level::None)) => {
                Some(Budget::RatioAtLeast(none))
            }
            (Budget::RatioAtLeastByLevel { namespace, .. }, Some(Level::Namespace)) => {
                Some(Budget::RatioAtLeast(namespace))
            }
            (Budget::RatioAtLeastByLevel { .. }, Some(Level::Landlock)) => None,
            (budget, _) => Some(budget),
        }
    }

    fn budget_text(&self, level: Option<Level>) -> Option<String> {
        match self.budget_at(level)? {
            Budget::RatioAtMost(limit) => Some(format!("≤ {limit} ×")),
            Budget::RatioAtLeast(limit) => Some(format!("≥ {limit} ×")),
            Budget::ValueAtMost(limit) => Some(format!("≤ {limit} {}", self.unit)),
            Budget::ValueAtLeast(limit) => Some(format!("≥ {limit} {}", self.unit)),
            Budget::RatioAtLeastByLevel { .. } => None,
        }
    }

    fn met(&self, level: Option<Level>, measured: Option<&Measured>) -> Option<bool> {
        let measured = measured?;
        match self.budget_at(level)? {
            Budget::RatioAtMost(limit) => Some(measured.ratio? <= limit),
            Budget::RatioAtLeast(limit) => Some(measured.ratio? >= limit),
            Budget::ValueAtMost(limit) => Some(measured.value <= limit),
            Budget::ValueAtLeast(limit) => Some(measured.value >= limit),
            Budget::RatioAtLeastByLevel { .. } => None,
        }
    }
}

/// A number with about three digits that count.
fn number(value: f64) -> String {
    match value.abs() {
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        1.0.. => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

/// Shown where there is nothing to show.
const NONE: &str = "–";

/// The table for people, and the notes.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const HEADS: [&str; 6] = ["name", "value", "unit", "ratio", "budget", "met"];
        let mut lines = vec![HEADS.map(str::to_owned)];
        for spec in SPECS {
            let measured = self.measured.get(spec.name);
            let or_none = |text: Option<String>| text.unwrap_or_else(|| NONE.to_owned());
            let ratio = measured.and_then(|measured| measured.ratio).map(number);
            let ratio = spec
                .of
                .map(|of| format!("{} × {of}", ratio.unwrap_or_else(|| NONE.to_owned())));
            let met = spec.met(self.level, measured);
            lines.push([
                spec.name.to_owned(),
                or_none(measured.map(|measured| number(measured.value))),
                spec.unit.to_owned(),
                or_none(ratio),
                or_none(spec.budget_text(self.level)),
                match met {
                    Some(true) => "yes",
                    Some(false) => "no",
                    None => NONE,
                }
                .to_owned(),
            ]);
        }
        let mut widths = [0; HEADS.len()];
        for line in &lines {
            for (width, cell) in widths.iter_mut().zip(line) {
                *width = (*width).max(cell.chars().count());
            }
        }
        for line in lines {
            let mut text = String::new();
            for (column, (cell, width)) in line.iter().zip(widths).enumerate() {
                if column == 1 {
                    write!(text, "{cell:>width$}  ")?;
                } else {
                    write!(text, "{cell:<width$}  ")?;
                }
            }
            writeln!(f, "{}", text.trim_end())?;
        }
        for note in self.notes.iter().chain(&self.failures) {
            writeln!(f, "{note}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(report: &Report, name: &str) -> serde_json::Value {
        let rows = report.to_json();
        let rows = rows["rows"].as_array().unwrap();
        rows.iter().find(|row| row["name"] == name).unwrap().clone()
    }

    #[test]
    fn a_row_that_was_not_measured_is_null_but_for_its_budget() {
        let expected = serde_json::json!({
            "name": "step_p50", "value": null, "unit": "µs", "ratio": null, "budget": "≤ 2 ×", "met": null,
        });
        assert_eq!(row(&Report::default(), "step_p50"), expected);
    }

    #[test]
    fn budgets_are_judged_in_both_directions_and_on_values() {
        let mut report = Report::default();
        report.set_ratio("step_p50", Some(200.0), Some(100.0));
        report.set_ratio("steps_32", Some(34.0), Some(100.0));
        report.set("idle_episode_memory", Some(1.6));
        report.set("empty_call_p50", Some(100.0));
        let met = |name: &str| row(&report, name)["met"].clone();
        assert_eq!(met("step_p50"), true);
        assert_eq!(met("steps_32"), false);
        assert_eq!(met("idle_episode_memory"), false);
        assert_eq!(met("empty_call_p50"), serde_json::Value::Null);
        assert_eq!(row(&report, "step_p50")["ratio"], 2.0);
    }

    #[test]
    fn the_goal_against_a_bare_fork_depends_on_the_level() {
        let mut report = Report::default();
        report.set_ratio("resets_to_bare_fork", Some(40.0), Some(100.0));
        for (level, budget, met) in [
            (Level::None, Some("≥ 0.5 ×"), Some(false)),
            (Level::Landlock, None, None),
            (Level::Namespace, Some("≥ 0.3 ×"), Some(true)),
        ] {
            report.level = Some(level);
            let row = row(&report, "resets_to_bare_fork");
            assert_eq!(
                (row["budget"].as_str(), row["met"].as_bool()),
                (budget, met)
            );
        }
    }

    #[test]
    fn a_ratio_that_is_no_number_leaves_the_row_unmeasured() {
        let mut report = Report::default();
        report.set_ratio("step_p50", Some(200.0), Some(0.0));
        report.set_ratio("resets", Some(200.0), None);
        report.set("worker_loop", Some(f64::NAN));
        for name in ["step_p50", "resets", "worker_loop"] {
            assert_eq!(row(&report, name)["value"], serde_json::Value::Null);
        }
    }

    #[test]
    fn the_table_is_aligned_and_has_one_line_a_row() {
        let mut report = Report::default();
        report.set_ratio("step_p50", Some(212.34), Some(123.0));
        report.notes.push("CPython 3.13.0".to_owned());
        let table = report.to_string();
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines.len(), 1 + SPECS.len() + 1);
        let step = lines
            .iter()
            .find(|line| line.starts_with("step_p50 "))
            .unwrap();
        let cells: Vec<&str> = step.split_whitespace().collect();
        assert_eq!(
            cells,
            [
                "step_p50",
                "212",
                "µs",
                "1.73",
                "×",
                "empty_call_p50",
                "≤",
                "2",
                "×",
                "yes"
            ]
        );
        let column = |line: &str, text: &str| line.find(text).map(|at| line[..at].chars().count());
        assert_eq!(column(lines[0], "budget"), column(step, "≤"));
        assert!(lines.iter().all(|line| !line.ends_with(' ')));
    }

    #[test]
    fn names_are_unique_and_ratios_are_of_something_that_exists() {
        let mut names: Vec<&str> = row_names().collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), SPECS.len());
        for of in SPECS.iter().filter_map(|spec| spec.of) {
            let program = of.starts_with("python3") || of == REFERENCE;
            assert!(program || names.contains(&of), "{of}");
        }
    }

    #[test]
    fn numbers_have_about_three_digits() {
        let shown = [0.8765, 1.018, 12.345, 123.4, 12345.6].map(number);
        assert_eq!(shown, ["0.876", "1.02", "12.3", "123", "12346"]);
    }
}
