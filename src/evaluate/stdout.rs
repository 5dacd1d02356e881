//! Compares what a program printed with what is expected. Pure.

use super::Ran;
use super::number::{self, Tolerance};

/// How texts are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    /// Every character.
    Exact,
    /// Lines, without white space at their ends and empty lines at the end.
    Trimmed,
    /// Words.
    Tokens,
    /// Words, of which numbers may differ within a tolerance.
    Numeric,
}

/// What is to be printed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StdoutCheck {
    pub(crate) expected: String,
    pub(crate) comparison: Comparison,
    pub(crate) tolerance: Tolerance,
}

impl StdoutCheck {
    /// Judges the output of code that has come to its end.
    pub(super) fn judge(&self, ran: &Ran<'_>) -> Result<(), String> {
        if ran.stdout_truncated {
            return Err("it printed more than Limits.output_bytes".to_owned());
        }
        let (expected, got) = (self.expected.as_str(), ran.stdout);
        match self.comparison {
            Comparison::Exact => {
                let at = expected
                    .chars()
                    .zip(got.chars())
                    .take_while(|(expected, got)| expected == got)
                    .count();
                (expected == got)
                    .then_some(())
                    .ok_or_else(|| format!("it printed something else, from character {at} on"))
            }
            Comparison::Trimmed => compare(lines(expected), lines(got), "line", |a, b| a == b),
            Comparison::Tokens => compare(words(expected), words(got), "word", |a, b| a == b),
            Comparison::Numeric => compare(words(expected), words(got), "word", |a, b| {
                a == b || (number::is_number(a) && number::is_equal(a, b, self.tolerance))
            }),
        }
    }
}

fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

fn lines(text: &str) -> Vec<&str> {
    // A CR before the LF is white space at the end of a line.
    let mut lines: Vec<&str> = text.split('\n').map(str::trim_end).collect();
    while lines.last().is_some_and(|line| line.is_empty()) {
        lines.pop();
    }
    lines
}

fn compare(
    expected: Vec<&str>,
    got: Vec<&str>,
    what: &str,
    is_equal: impl Fn(&str, &str) -> bool,
) -> Result<(), String> {
    let pairs = expected.iter().zip(&got);
    if let Some((at, _)) = pairs
        .enumerate()
        .find(|(_, (expected, got))| !is_equal(expected, got))
    {
        return Err(format!("{what} {at} is another one"));
    }
    if expected.len() != got.len() {
        return Err(format!(
            "it printed {} {what}s, and {} are expected",
            got.len(),
            expected.len()
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::episode::Outcome;

    fn passes(comparison: Comparison, tolerance: f64, expected: &str, got: &str) -> bool {
        let check = StdoutCheck {
            expected: expected.to_owned(),
            comparison,
            tolerance: Tolerance {
                absolute: tolerance,
                relative: 0.0,
            },
        };
        let ran = Ran {
            outcome: Outcome::Completed,
            stdout: got,
            stdout_truncated: false,
            result: None,
            result_truncated: false,
            exception: None,
        };
        check.judge(&ran).is_ok()
    }

    #[test]
    fn each_comparison_sees_what_it_says() {
        use Comparison::{Exact, Numeric, Tokens, Trimmed};
        // Expected, printed, and by which comparisons they are the same.
        let rows: [(&str, &str, &[Comparison]); 17] = [
            ("42\n", "42\n", &[Exact, Trimmed, Tokens, Numeric]),
            ("42", "42\n", &[Trimmed, Tokens, Numeric]),
            ("42\n", "42\n\n  \n", &[Trimmed, Tokens, Numeric]),
            ("a\nb\n", "a  \r\nb\r\n", &[Trimmed, Tokens, Numeric]),
            ("a\nb", "a\n\nb", &[Tokens, Numeric]),
            ("a b", "a\tb", &[Tokens, Numeric]),
            ("a", " a", &[Tokens, Numeric]),
            ("", "\n \n", &[Trimmed, Tokens, Numeric]),
            ("", "x", &[]),
            ("x", "", &[]),
            ("1.0", "1", &[Numeric]),
            ("1", "1.0000", &[Numeric]),
            ("a b c", "a b", &[]),
            ("a b", "a b c", &[]),
            ("é\u{301}", "é\u{301}\n", &[Trimmed, Tokens, Numeric]),
            ("Ä", "A\u{308}", &[]),
            ("nan", "nan", &[Exact, Trimmed, Tokens, Numeric]),
        ];
        for (expected, got, same) in rows {
            for comparison in [Exact, Trimmed, Tokens, Numeric] {
                assert_eq!(
                    passes(comparison, 0.0, expected, got),
                    same.contains(&comparison),
                    "{expected:?} {got:?} {comparison:?}"
                );
            }
        }
    }

    #[test]
    fn numbers_may_differ_within_the_tolerance_and_words_may_not() {
        assert!(passes(Comparison::Numeric, 0.01, "pi 3.14", "pi 3.1415"));
        assert!(!passes(Comparison::Numeric, 0.001, "pi 3.14", "pi 3.1415"));
        assert!(!passes(Comparison::Numeric, 10.0, "pi 3.14", "po 3.14"));
        for got in ["nan", "inf", "-inf", "1e999"] {
            assert!(!passes(Comparison::Numeric, f64::MAX, "1", got), "{got}");
        }
        // Without one, however large they are.
        let large = format!("1{}", "0".repeat(50));
        let next = format!("1{}1", "0".repeat(49));
        assert!(!passes(Comparison::Numeric, 0.0, &large, &next));
    }
}
