//! Whether a source ends in an expression, whose value is a step's result, as far as that can be told without parsing. Pure.
//!
//! Most steps end in a statement, and for those the harness need not make a syntax tree in Python's objects, which costs as much as all
//! else that it does. The answer has to be right only for sources that compile; in doubt it is no.

/// Words that begin a statement and no expression.
const KEYWORDS: [&[u8]; 20] = [
    b"import", b"from", b"def", b"class", b"if", b"for", b"while", b"with", b"try", b"else",
    b"elif", b"except", b"finally", b"async", b"del", b"pass", b"assert", b"raise", b"global",
    b"return",
];

/// What is known of the logical line that was begun last.
#[derive(Clone, Copy, Default)]
struct Line {
    /// It is in a block, begins with one of the keywords, or assigns.
    is_statement: bool,
    /// More than one statement may be in it.
    is_unclear: bool,
}

/// Whether the last statement is certainly not an expression, if the source compiles at all.
pub(super) fn ends_in_statement(source: &[u8]) -> bool {
    read(source).is_some_and(|line| line.is_statement && !line.is_unclear)
}

/// Reads a source to its end. None when it has something that this can't tell the end of.
fn read(source: &[u8]) -> Option<Line> {
    let byte = |at: usize| source.get(at).copied().unwrap_or(0);
    let mut line = Line::default();
    let (mut at, mut depth, mut fresh, mut indented) = (0, 0_u32, true, false);
    while at < source.len() {
        let here = byte(at);
        match here {
            b' ' | b'\t' => {
                indented |= fresh;
                at += 1;
                continue;
            }
            b'\n' => {
                if depth == 0 {
                    (fresh, indented) = (true, false);
                }
                at += 1;
                continue;
            }
            b'#' => {
                while at < source.len() && byte(at) != b'\n' {
                    if byte(at) == b'\r' {
                        return None;
                    }
                    at += 1;
                }
                continue;
            }
            _ => {}
        }
        if fresh {
            line = Line {
                is_statement: indented,
                is_unclear: false,
            };
        }
        let first = fresh;
        fresh = false;
        match here {
            b'\'' | b'"' => {
                at = string_end(source, at, false)?;
                continue;
            }
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.checked_sub(1)?,
            b';' => line.is_unclear = true,
            b'=' if depth == 0 => {
                // Not one of ==, <=, >=, !=, :=; <<= and >>= are left out with them.
                let compares = byte(at + 1) == b'='
                    || matches!(byte(at.wrapping_sub(1)), b'=' | b'<' | b'>' | b'!' | b':');
                line.is_statement |= !compares;
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'0'..=b'9' | 0x80.. => {
                let begin = at;
                while matches!(byte(at), b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'0'..=b'9' | 0x80..) {
                    at += 1;
                }
                let word = source.get(begin..at)?;
                if matches!(byte(at), b'\'' | b'"') {
                    let formatted = word
                        .iter()
                        .any(|letter| matches!(letter, b'f' | b'F' | b't' | b'T'));
                    at = string_end(source, at, formatted)?;
                } else if word == b"lambda" && !line.is_statement {
                    line.is_unclear = true; // its defaults look like assignments
                } else if first && KEYWORDS.contains(&word) {
                    line.is_statement = true;
                }
                continue;
            }
            b'!'..=b'~' if here != b'\\' => {}
            _ => return None,
        }
        at += 1;
    }
    (depth == 0).then_some(line)
}

/// Where the string ends that has its first quote at `begin`.
fn string_end(source: &[u8], begin: usize, formatted: bool) -> Option<usize> {
    let quote = *source.get(begin)?;
    let triple = source.get(begin + 1) == Some(&quote) && source.get(begin + 2) == Some(&quote);
    let mut at = if triple { begin + 3 } else { begin + 1 };
    let mut braces = 0_i32;
    loop {
        match *source.get(at)? {
            b'\\' if formatted => return None,
            b'\\' => at += 1,
            b'\n' if !triple => return None,
            b'{' => braces += 1,
            b'}' => braces -= 1,
            // From 3.12 on there may be strings in a replacement field, with any quotes.
            b'\'' | b'"' if formatted && *source.get(at)? != quote => return None,
            here if here == quote => {
                let closes = !triple
                    || source.get(at + 1) == Some(&quote) && source.get(at + 2) == Some(&quote);
                if formatted && (braces != 0 || !closes) {
                    return None;
                }
                if closes {
                    return Some(if triple { at + 3 } else { at + 1 });
                }
            }
            _ => {}
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::ends_in_statement;

    #[test]
    fn a_last_statement_that_is_no_expression_is_known() {
        for source in [
            "x = 1",
            "x = 1\n\n# end\n",
            "x += 1",
            "a, b = b, a",
            "d['k'] = f(1)",
            "x: int = 1",
            "import os",
            "from a import (\n b,\n)",
            "def f():\n    return 1\n",
            "for i in x:\n    print(i)",
            "if x: y",
            "x = (1,\n  2)",
            "s = '''\nx\n'''",
            "y = f'{x}'",
            "f = a = lambda: 1",
        ] {
            assert!(ends_in_statement(source.as_bytes()), "{source}");
        }
    }

    #[test]
    fn what_may_be_an_expression_is_left_to_the_parser() {
        for source in [
            "",
            "# x = 1",
            "x",
            "print(x)",
            "f(x=1)",
            "f(a,\nx = 1)",
            "x == 1",
            "x <= 1",
            "(x := 1)",
            "lambda x=1: x",
            "x = 1; x",
            "import a; a",
            "'''\nx = 1'''",
            "'\\\nx = 1'",
            "x = 1\nx",
            "if x:\n  y\nx",
            "not x",
            "await x",
            "yield",
            "x \\\n = 1",
            "f'{\nx = }'",
            "f'{a['\nx = 1\n']}'",
            "f'{'}' + x['\nx = 1#'",
            "x = 1 # \rx",
            "x = 1\rx",
        ] {
            assert!(!ends_in_statement(source.as_bytes()), "{source}");
        }
    }
}
