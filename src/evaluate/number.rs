//! Numbers as they are written, compared exactly, however large, or within a tolerance. Pure.

/// How far a number may be from the expected one: the larger of the two holds. Both finite and not negative.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Tolerance {
    pub(crate) absolute: f64,
    /// A part of the expected number.
    pub(crate) relative: f64,
}

impl Tolerance {
    fn is_none(self) -> bool {
        self.absolute <= 0.0 && self.relative <= 0.0
    }
}

/// A finite number. None: the text is none.
fn finite(text: &str) -> Option<f64> {
    let is_number = text.bytes().any(|byte| byte.is_ascii_digit());
    let number: f64 = text.parse().ok()?;
    (is_number && number.is_finite()).then_some(number)
}

/// A number without a fraction as sign and digits, in one form for each. None: it has one, or the text is no finite number.
fn whole(text: &str) -> Option<String> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let digits = if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        digits.to_owned()
    } else {
        let number = finite(digits)?;
        if number.fract() != 0.0 || digits.starts_with(['-', '+']) {
            return None;
        }
        // Exact: a float without a fraction has a decimal expansion that ends.
        format!("{number:.0}")
    };
    let digits = digits.trim_start_matches('0');
    Some(match digits {
        "" => "0".to_owned(),
        digits => format!("{sign}{digits}"),
    })
}

/// Whether a text is a finite number.
pub(super) fn is_number(text: &str) -> bool {
    finite(text).is_some() || whole(text).is_some()
}

/// Whether a number is the expected one. False when either is no finite number.
pub(super) fn is_equal(expected: &str, got: &str, tolerance: Tolerance) -> bool {
    if let (Some(expected), Some(got)) = (whole(expected), whole(got)) {
        if expected == got {
            return true;
        }
        if tolerance.is_none() {
            return false;
        }
    }
    let (Some(expected), Some(got)) = (finite(expected), finite(got)) else {
        return false;
    };
    let most = tolerance.absolute.max(tolerance.relative * expected.abs());
    let distance = (expected - got).abs();
    // No distance is larger than a NaN, and none is within one.
    expected == got || (distance.is_finite() && distance <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(expected: &str, got: &str) -> bool {
        is_equal(expected, got, Tolerance::default())
    }

    #[test]
    fn whole_numbers_are_compared_exactly_however_large() {
        let large = "9".repeat(400);
        assert!(exact(&large, &large));
        assert!(!exact(&large, &format!("{}8", "9".repeat(399))));
        // The next to a power of two that a float can't tell from it.
        assert!(!exact("9007199254740993", "9007199254740992"));
        assert!(!exact("9007199254740993", "9007199254740992.0"));
        assert!(exact("9007199254740992", "9007199254740992.0"));
        assert!(exact("1e22", "10000000000000000000000"));
        assert!(
            !exact("1e23", "100000000000000000000000"),
            "its float is less"
        );
        for (a, b) in [
            ("1", "1.0"),
            ("-0", "0"),
            ("0.0", "-0.0"),
            ("+7", "007"),
            ("1e2", "100"),
        ] {
            assert!(exact(a, b) && exact(b, a), "{a} {b}");
        }
        for (a, b) in [("1", "-1"), ("1", "1.5"), ("0", "1e-300"), ("10", "1")] {
            assert!(!exact(a, b) && !exact(b, a), "{a} {b}");
        }
    }

    #[test]
    fn what_is_no_finite_number_equals_nothing() {
        for text in [
            "nan", "inf", "-inf", "Infinity", "", "-", "e", "1e999", "0x10", "--1", "1 2", "+-1",
            "1_000", "infinity",
        ] {
            assert!(!is_number(text), "{text}");
            let wide = Tolerance {
                absolute: f64::MAX,
                relative: 1.0,
            };
            for (a, b) in [(text, text), (text, "1"), ("1", text)] {
                assert!(!is_equal(a, b, wide), "{a} {b}");
            }
        }
        for text in ["1", "-1.5", ".5", "5.", "1e-5", "1E5", "+3"] {
            assert!(is_number(text), "{text}");
        }
    }

    #[test]
    fn a_tolerance_is_the_larger_of_both_and_includes_its_edge() {
        let tolerance = |absolute, relative| Tolerance { absolute, relative };
        assert!(is_equal("1.0", "1.5", tolerance(0.5, 0.0)));
        assert!(!is_equal("1.0", "1.500001", tolerance(0.5, 0.0)));
        assert!(is_equal("100", "101", tolerance(0.0, 0.01)));
        assert!(!is_equal("100", "102", tolerance(0.0, 0.01)));
        assert!(is_equal("0", "0.001", tolerance(0.001, 0.5)));
        assert!(
            !is_equal("0", "0.001", tolerance(0.0, 1.0)),
            "a part of nothing"
        );
        // Distances past every float.
        assert!(!is_equal("1e308", "-1e308", tolerance(f64::MAX, 1.0)));
        assert!(!is_equal(&"9".repeat(400), "1", tolerance(f64::MAX, 1.0)));
    }
}
