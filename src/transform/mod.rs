//! Transforms: pure functions from the source of a step to its reward and metadata.
//!
//! The two here, [`Transform::Safety`] and [`Transform::Quality`], give what the incumbent
//! `coding_env` of OpenEnv gives, down to the last bit of the reward. They judge the text of the
//! code and never how its run ended: `1/0` earns as much as `2/1`.
//!
//! ```text
//! StepFacts ──> Chain ──> safety ──> quality ──> Effect { reward, metadata }
//! ```
//!
//! A [`Chain`] runs its transforms in the order in which they were named, each on what the one
//! before it left. The order matters, as it does for the incumbent: `safety` overwrites a reward
//! when it finds a violation, `quality` adds to it.
//!
//! This module knows no clock, no runtime and no wire.

mod quality;
mod safety;

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::str::FromStr;

/// What a transform is shown: the source of the step, and what the interpreter said about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StepFacts<'a> {
    /// The source, as the client sent it.
    pub code: &'a str,
    /// Whether `ast.parse(code)` raises `SyntaxError` or a subclass of it (`IndentationError`,
    /// `TabError`). `None` when the interpreter did not say, because it died first; then nothing
    /// is taken off.
    ///
    /// It is `ast.parse` and not `compile` that decides: `return 1` at the top level, which only
    /// the compiler refuses, is no error here.
    ///
    /// Whatever else `ast.parse` may raise is not a syntax error, thus `Some(false)`: `ValueError`
    /// for a NUL byte (CPython 3.9 and 3.10; newer ones raise `SyntaxError`), `MemoryError` and
    /// `RecursionError` for source nested too deep. The incumbent catches
    /// `SyntaxError` alone; any other exception leaves its transform, and the caller gets an
    /// error in place of an observation. Here such a step keeps the reward that it has without
    /// the penalty, because user code never causes an error of the call.
    pub syntax_error: Option<bool>,
}

/// The reward and the metadata that a step or a reset gets.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Effect {
    /// The reward; `None` when no transform gave one.
    pub reward: Option<f64>,
    /// Metadata, by key. `safety_violation` holds the text of the first pattern that matched.
    pub metadata: BTreeMap<String, String>,
}

/// One transform, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transform {
    /// Punishes source that holds one of six patterns: the reward becomes -1.0, and the metadata
    /// name the pattern. Otherwise the reward is 0.0 if there was none.
    Safety,
    /// Adds 0.1 for source of at most 100 code points, takes off 0.2 for a syntax error.
    Quality,
}

impl Transform {
    /// Every transform, in the order in which the default chain runs them.
    pub const ALL: [Self; 2] = [Self::Safety, Self::Quality];

    /// The name, as it is written in a list and in messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Safety => "safety",
            Self::Quality => "quality",
        }
    }

    /// Applies this transform to a step, on top of what earlier ones left in `effect`.
    fn apply(self, facts: &StepFacts<'_>, effect: &mut Effect) {
        match self {
            Self::Safety => safety::apply(facts, effect),
            Self::Quality => quality::apply(facts, effect),
        }
    }

    /// The reward of a reset after this transform. There is no source to judge: `safety` leaves
    /// the reward alone, `quality` adds nothing to it, which makes 0.0 of none.
    fn reset_reward(self, reward: Option<f64>) -> Option<f64> {
        match self {
            Self::Safety => reward,
            Self::Quality => Some(reward.unwrap_or(0.0)),
        }
    }
}

impl fmt::Display for Transform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Transform {
    type Err = ParseTransformError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|transform| transform.name() == name)
            .ok_or_else(|| ParseTransformError::Unknown(name.to_owned()))
    }
}

/// Why a list of transforms was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParseTransformError {
    /// No transform has this name.
    Unknown(String),
    /// This transform is named twice.
    Duplicate(Transform),
}

impl fmt::Display for ParseTransformError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(name) => write!(f, "unknown transform {name:?}: ")?,
            Self::Duplicate(transform) => write!(f, "transform \"{transform}\" is named twice: ")?,
        }
        f.write_str("expected a comma-separated list of ")?;
        for (index, transform) in Transform::ALL.into_iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}\"{transform}\"")?;
        }
        f.write_str(", each at most once, or \"none\"")
    }
}

impl Error for ParseTransformError {}

/// Transforms in the order in which they are applied; no transform is in it twice.
///
/// Written as a comma-separated list (`safety,quality`, the default); `none` is the empty chain,
/// and so is the empty text. Spaces around a name do not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain(Vec<Transform>);

impl Chain {
    /// The chain without transforms: no reward, no metadata.
    #[must_use]
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// The transforms, in order.
    #[must_use]
    pub fn transforms(&self) -> &[Transform] {
        &self.0
    }

    /// Whether [`Chain::apply`] looks at [`StepFacts::syntax_error`], so that the interpreter has
    /// to parse the source for it.
    #[must_use]
    pub fn needs_syntax_check(&self) -> bool {
        self.0.contains(&Transform::Quality)
    }

    /// The reward and metadata of a step.
    #[must_use]
    pub fn apply(&self, facts: &StepFacts<'_>) -> Effect {
        let mut effect = Effect::default();
        for transform in &self.0 {
            transform.apply(facts, &mut effect);
        }
        effect
    }

    /// The reward of a reset: 0.0 where `quality` is in the chain, else none. There are never
    /// metadata.
    #[must_use]
    pub fn reset_reward(&self) -> Option<f64> {
        self.0
            .iter()
            .fold(None, |reward, transform| transform.reset_reward(reward))
    }
}

impl Default for Chain {
    fn default() -> Self {
        Self(Transform::ALL.to_vec())
    }
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("none");
        }
        for (index, transform) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "," };
            write!(f, "{separator}{transform}")?;
        }
        Ok(())
    }
}

impl FromStr for Chain {
    type Err = ParseTransformError;

    fn from_str(list: &str) -> Result<Self, Self::Err> {
        let list = list.trim();
        if list.is_empty() || list == "none" {
            return Ok(Self::none());
        }
        let mut transforms = Vec::new();
        for name in list.split(',') {
            let transform: Transform = name.trim().parse()?;
            if transforms.contains(&transform) {
                return Err(ParseTransformError::Duplicate(transform));
            }
            transforms.push(transform);
        }
        Ok(Self(transforms))
    }
}

/// Whether Python counts `c` as white space: `\s` in a `re` pattern for `str`, and what
/// `str.strip()` strips.
///
/// Unicode's White_Space property and U+001C to U+001F. CPython 3.9 to 3.13 agree on these 29,
/// found by asking each of them about every code point.
const fn is_python_space(c: char) -> bool {
    matches!(
        c,
        '\u{9}'..='\u{d}'
            | '\u{1c}'..='\u{20}'
            | '\u{85}'
            | '\u{a0}'
            | '\u{1680}'
            | '\u{2000}'..='\u{200a}'
            | '\u{2028}'
            | '\u{2029}'
            | '\u{202f}'
            | '\u{205f}'
            | '\u{3000}'
    )
}

/// The 29 characters that `re` and `str` of CPython count as white space, one by one.
#[cfg(test)]
const PYTHON_SPACES: [char; 29] = [
    '\u{9}', '\u{a}', '\u{b}', '\u{c}', '\u{d}', '\u{1c}', '\u{1d}', '\u{1e}', '\u{1f}', '\u{20}',
    '\u{85}', '\u{a0}', '\u{1680}', '\u{2000}', '\u{2001}', '\u{2002}', '\u{2003}', '\u{2004}',
    '\u{2005}', '\u{2006}', '\u{2007}', '\u{2008}', '\u{2009}', '\u{200a}', '\u{2028}', '\u{2029}',
    '\u{202f}', '\u{205f}', '\u{3000}',
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Pads `code` with a comment to more than 100 code points.
    fn long(code: &str) -> String {
        format!("{code} # {}", "x".repeat(100))
    }

    fn reward(chain: &str, code: &str, syntax_error: Option<bool>) -> Option<f64> {
        chain
            .parse::<Chain>()
            .unwrap()
            .apply(&StepFacts { code, syntax_error })
            .reward
    }

    /// Compares bits, so that 0.0 and -0.0 differ, and so do neighbours.
    #[track_caller]
    fn check(chain: &str, code: &str, syntax_error: Option<bool>, expected: Option<f64>) {
        let actual = reward(chain, code, syntax_error);
        assert_eq!(
            actual.map(f64::to_bits),
            expected.map(f64::to_bits),
            "{chain}: {code:?} gave {actual:?}, not {expected:?}"
        );
    }

    #[test]
    fn every_reward_of_the_incumbent() {
        let (ok, bad) = (Some(false), Some(true));
        // The right column is what CPython prints for the sums.
        let cases: [(String, Option<bool>, f64); 14] = [
            ("x = 1".to_owned(), ok, 0.1),
            ("1/0".to_owned(), ok, 0.1),
            (String::new(), ok, 0.1),
            ("x".to_owned(), None, 0.1),
            (long("x = 1"), ok, 0.0),
            (long("x = 1"), None, 0.0),
            ("def f(:".to_owned(), bad, -0.1),
            (long("def f(:"), bad, -0.2),
            ("import os".to_owned(), ok, -0.9),
            ("import os".to_owned(), None, -0.9),
            (long("import os"), ok, -1.0),
            ("import os (".to_owned(), bad, -1.1),
            (long("import os ("), bad, -1.2),
            (long("eval(x)"), None, -1.0),
        ];
        for (code, syntax_error, expected) in cases {
            check("safety,quality", &code, syntax_error, Some(expected));
        }
    }

    #[test]
    fn order_and_choice_of_transforms() {
        let (ok, bad) = (Some(false), Some(true));
        check("none", "import os", bad, None);
        check("safety", "x", bad, Some(0.0));
        check("safety", "import os", bad, Some(-1.0));
        check("quality", "import os", ok, Some(0.1));
        check("quality", "import os (", bad, Some(-0.1));
        // After `quality` there is a reward already: kept without a violation, lost with one.
        check("quality,safety", "x", ok, Some(0.1));
        check("quality,safety", "x (", bad, Some(-0.1));
        check("quality,safety", "import os (", bad, Some(-1.0));
    }

    #[test]
    fn metadata_names_the_pattern_only_when_safety_runs() {
        let facts = StepFacts {
            code: "import os",
            syntax_error: Some(false),
        };
        let violation =
            BTreeMap::from([("safety_violation".to_owned(), r"import\s+os".to_owned())]);
        assert_eq!(Chain::default().apply(&facts).metadata, violation);
        let quality: Chain = "quality".parse().unwrap();
        assert!(quality.apply(&facts).metadata.is_empty());
        assert_eq!(Chain::none().apply(&facts), Effect::default());
    }

    #[test]
    fn reward_of_a_reset() {
        for (chain, expected) in [
            ("safety,quality", Some(0.0)),
            ("quality,safety", Some(0.0)),
            ("quality", Some(0.0)),
            ("safety", None),
            ("none", None),
        ] {
            assert_eq!(
                chain.parse::<Chain>().unwrap().reset_reward(),
                expected,
                "{chain}"
            );
        }
    }

    #[test]
    fn only_quality_needs_the_parser() {
        for (chain, expected) in [
            ("safety,quality", true),
            ("quality", true),
            ("safety", false),
            ("none", false),
        ] {
            assert_eq!(
                chain.parse::<Chain>().unwrap().needs_syntax_check(),
                expected,
                "{chain}"
            );
        }
    }

    #[test]
    fn chains_are_read_and_written() {
        use Transform::{Quality, Safety};
        assert_eq!(Chain::default().transforms(), [Safety, Quality]);
        for (text, transforms, canonical) in [
            ("", vec![], "none"),
            ("  ", vec![], "none"),
            ("none", vec![], "none"),
            ("safety", vec![Safety], "safety"),
            (
                " quality , safety ",
                vec![Quality, Safety],
                "quality,safety",
            ),
            ("safety,quality", vec![Safety, Quality], "safety,quality"),
        ] {
            let chain: Chain = text.parse().unwrap();
            assert_eq!(chain.transforms(), transforms, "{text:?}");
            assert_eq!(chain.to_string(), canonical);
            assert_eq!(canonical.parse::<Chain>().unwrap(), chain);
        }
    }

    #[test]
    fn refusals_name_the_fault_and_what_would_be_right() {
        let right = "expected a comma-separated list of \"safety\", \"quality\", each at most \
                     once, or \"none\"";
        for (text, fault) in [
            ("Safety", "unknown transform \"Safety\""),
            ("safety,", "unknown transform \"\""),
            ("safety,,quality", "unknown transform \"\""),
            ("safety,none", "unknown transform \"none\""),
            (
                "safety,quality,safety",
                "transform \"safety\" is named twice",
            ),
        ] {
            let error = text.parse::<Chain>().unwrap_err();
            assert_eq!(error.to_string(), format!("{fault}: {right}"));
        }
        assert_eq!(
            "x".parse::<Transform>().unwrap_err(),
            ParseTransformError::Unknown("x".to_owned())
        );
    }

    #[test]
    fn white_space_is_pythons() {
        let found: Vec<char> = ('\0'..=char::MAX).filter(|&c| is_python_space(c)).collect();
        assert_eq!(found, PYTHON_SPACES);
    }
}
