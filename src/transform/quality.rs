//! `quality`: a bonus for short source, a penalty for source that does not parse.

use super::{Effect, StepFacts, is_python_space};

/// What short source earns.
const CONCISE_BONUS: f64 = 0.1;

/// The most code points that short source has, without the white space around it.
const CONCISE_MAX: usize = 100;

/// What source earns that `ast.parse` refuses with a `SyntaxError`.
const SYNTAX_PENALTY: f64 = -0.2;

/// Adds the score of the source to the reward; without one, the score is the reward.
///
/// The score is summed first and added as a whole, as the incumbent does, so that the doubles are
/// its doubles.
pub(super) fn apply(facts: &StepFacts<'_>, effect: &mut Effect) {
    let mut score = 0.0;
    if is_concise(facts.code) {
        score += CONCISE_BONUS;
    }
    if facts.syntax_error == Some(true) {
        score += SYNTAX_PENALTY;
    }
    effect.reward = Some(effect.reward.map_or(score, |reward| reward + score));
}

/// Whether `len(code.strip()) <= 100`, in Python's sense of white space and of length.
fn is_concise(code: &str) -> bool {
    code.trim_matches(is_python_space)
        .chars()
        .nth(CONCISE_MAX)
        .is_none()
}

#[cfg(test)]
mod tests {
    use super::super::PYTHON_SPACES;
    use super::*;

    #[test]
    fn a_hundred_code_points_are_short() {
        for unit in ["x", "é", "界", "🐍", "\u{200b}"] {
            for (count, expected) in [
                (0, true),
                (1, true),
                (99, true),
                (100, true),
                (101, false),
                (4000, false),
            ] {
                assert_eq!(
                    is_concise(&unit.repeat(count)),
                    expected,
                    "{count} of {unit:?}"
                );
            }
        }
        // Code points, not graphemes: 51 letters with an accent each are 102.
        assert!(is_concise(&"e\u{301}".repeat(50)));
        assert!(!is_concise(&"e\u{301}".repeat(51)));
    }

    #[test]
    fn white_space_around_does_not_count() {
        for space in PYTHON_SPACES {
            let around = space.to_string().repeat(60);
            let exact = format!("{around}{}{around}", "x".repeat(100));
            assert!(is_concise(&exact), "{space:?}");
            let inside = format!("x{}x", space.to_string().repeat(99));
            assert!(!is_concise(&inside), "{space:?}");
            assert!(is_concise(&space.to_string().repeat(500)), "{space:?}");
        }
        for other in [
            '\u{0}', '\u{1b}', '\u{21}', '\u{180e}', '\u{200b}', '\u{2060}', '\u{feff}',
        ] {
            assert!(!is_concise(&other.to_string().repeat(101)), "{other:?}");
        }
    }

    #[test]
    fn the_score_is_added_as_a_whole() {
        let apply_to = |reward, code: &str, syntax_error| {
            let mut effect = Effect {
                reward,
                ..Effect::default()
            };
            apply(&StepFacts { code, syntax_error }, &mut effect);
            effect.reward.map(f64::to_bits)
        };
        let long = "x".repeat(101);
        assert_eq!(apply_to(None, "x", None), Some(0.1_f64.to_bits()));
        assert_eq!(apply_to(None, &long, Some(false)), Some(0.0_f64.to_bits()));
        assert_eq!(
            apply_to(Some(0.3), "x", Some(true)),
            Some((0.3 + (0.1 + -0.2_f64)).to_bits())
        );
        assert_ne!(
            apply_to(Some(0.3), "x", Some(true)),
            Some((0.3 + 0.1 + -0.2_f64).to_bits())
        );
    }
}
