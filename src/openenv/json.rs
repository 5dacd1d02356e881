//! Why a text is no JSON, in the words of Python's `json`, which clients of the incumbent are used to. Pure.

/// What is wrong, and where, in characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) what: &'static str,
    pub(super) at: usize,
    line: usize,
    column: usize,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            what,
            at,
            line,
            column,
        } = self;
        write!(f, "{what}: line {line} column {column} (char {at})")
    }
}

/// Arrays and objects within one another. Deeper ones are not explained.
const DEPTH_MAX: usize = 512;

/// Says why a text that could not be read is no JSON. What Python would take and we do not (`NaN`, half of a surrogate pair) is told as a
/// value that was expected.
pub(super) fn explain(text: &str) -> Fault {
    let mut reader = Reader {
        text: text.chars().collect(),
        at: 0,
    };
    let (what, at) = reader.document().err().unwrap_or(("Expecting value", 0));
    let before = reader.text.get(..at).unwrap_or_default();
    let line = before.iter().filter(|char| **char == '\n').count() + 1;
    let column = before
        .iter()
        .rev()
        .take_while(|char| **char != '\n')
        .count()
        + 1;
    Fault {
        what,
        at,
        line,
        column,
    }
}

type Read = Result<(), (&'static str, usize)>;

struct Reader {
    text: Vec<char>,
    at: usize,
}

impl Reader {
    fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    fn takes(&mut self, expected: char) -> bool {
        let found = self.peek() == Some(expected);
        self.at += usize::from(found);
        found
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t' | '\n' | '\r')) {
            self.at += 1;
        }
    }

    fn document(&mut self) -> Read {
        if self.peek() == Some('\u{feff}') {
            return Err(("Unexpected UTF-8 BOM (decode using utf-8-sig)", 0));
        }
        self.skip_blanks();
        self.value(0)?;
        self.skip_blanks();
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(("Extra data", self.at)),
        }
    }

    fn value(&mut self, depth: usize) -> Read {
        let begin = self.at;
        let expected = Err(("Expecting value", begin));
        match self.peek() {
            Some('"') => self.string(),
            Some('{' | '[') if depth == DEPTH_MAX => expected,
            Some('{') => self.object(depth),
            Some('[') => self.array(depth),
            Some('-' | '0'..='9') => {
                if self.number() {
                    Ok(())
                } else {
                    Err(("Expecting value", begin))
                }
            }
            _ => {
                let rest = self.text.get(begin..).unwrap_or_default();
                let words = ["null", "true", "false"];
                let starts = |word: &&str| rest.iter().take(word.len()).copied().eq(word.chars());
                match words.iter().find(|word| starts(word)) {
                    Some(word) => {
                        self.at += word.len();
                        Ok(())
                    }
                    None => expected,
                }
            }
        }
    }

    fn digits(&mut self) -> bool {
        let begin = self.at;
        while matches!(self.peek(), Some('0'..='9')) {
            self.at += 1;
        }
        self.at > begin
    }

    fn number(&mut self) -> bool {
        self.takes('-');
        if !self.takes('0') && !self.digits() {
            return false;
        }
        let whole = self.at;
        if self.takes('.') && !self.digits() {
            self.at = whole;
            return true;
        }
        let fraction = self.at;
        if self.takes('e') || self.takes('E') {
            if !self.takes('+') {
                self.takes('-');
            }
            if !self.digits() {
                self.at = fraction;
            }
        }
        true
    }

    fn string(&mut self) -> Read {
        let begin = self.at;
        let unterminated = Err(("Unterminated string starting at", begin));
        self.at += 1;
        loop {
            match self.peek() {
                None => return unterminated,
                Some('"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some('\\') => {
                    let escape = self.at;
                    self.at += 1;
                    match self.peek() {
                        None => return unterminated,
                        Some('u') => {
                            let digits = self.text.get(escape + 2..escape + 6);
                            let valid =
                                |digits: &[char]| digits.iter().all(char::is_ascii_hexdigit);
                            if !digits.is_some_and(valid) {
                                return Err(("Invalid \\uXXXX escape", escape + 1));
                            }
                            self.at += 5;
                        }
                        Some('"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't') => self.at += 1,
                        Some(_) => return Err(("Invalid \\escape", escape)),
                    }
                }
                Some('\0'..='\u{1f}') => return Err(("Invalid control character at", self.at)),
                Some(_) => self.at += 1,
            }
        }
    }

    fn object(&mut self, depth: usize) -> Read {
        self.at += 1;
        self.skip_blanks();
        if self.takes('}') {
            return Ok(());
        }
        loop {
            if self.peek() != Some('"') {
                return Err(("Expecting property name enclosed in double quotes", self.at));
            }
            self.string()?;
            self.skip_blanks();
            if !self.takes(':') {
                return Err(("Expecting ':' delimiter", self.at));
            }
            self.skip_blanks();
            self.value(depth + 1)?;
            self.skip_blanks();
            if self.takes('}') {
                return Ok(());
            }
            if !self.takes(',') {
                return Err(("Expecting ',' delimiter", self.at));
            }
            self.skip_blanks();
        }
    }

    fn array(&mut self, depth: usize) -> Read {
        self.at += 1;
        self.skip_blanks();
        if self.takes(']') {
            return Ok(());
        }
        loop {
            self.value(depth + 1)?;
            self.skip_blanks();
            if self.takes(']') {
                return Ok(());
            }
            if !self.takes(',') {
                return Err(("Expecting ',' delimiter", self.at));
            }
            self.skip_blanks();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::explain;

    /// As CPython 3.11 says it.
    #[test]
    fn faults_are_told_as_python_tells_them() {
        for (text, told) in [
            ("", "Expecting value: line 1 column 1 (char 0)"),
            ("not json", "Expecting value: line 1 column 1 (char 0)"),
            (
                "{",
                "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
            ),
            (
                "{a: 1}",
                "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
            ),
            (
                "{\"a\" 1}",
                "Expecting ':' delimiter: line 1 column 6 (char 5)",
            ),
            ("{\"a\":}", "Expecting value: line 1 column 6 (char 5)"),
            (
                "{\"a\": 1\n\"b\": 2}",
                "Expecting ',' delimiter: line 2 column 1 (char 8)",
            ),
            ("[1 2]", "Expecting ',' delimiter: line 1 column 4 (char 3)"),
            ("{} {}", "Extra data: line 1 column 4 (char 3)"),
            (
                "\"abc",
                "Unterminated string starting at: line 1 column 1 (char 0)",
            ),
            (
                "\"a\nb\"",
                "Invalid control character at: line 1 column 3 (char 2)",
            ),
            ("\"\\x\"", "Invalid \\escape: line 1 column 2 (char 1)"),
            ("-", "Expecting value: line 1 column 1 (char 0)"),
            ("é é", "Expecting value: line 1 column 1 (char 0)"),
            ("\"é\" 1", "Extra data: line 1 column 5 (char 4)"),
        ] {
            assert_eq!(explain(text).to_string(), told, "{text:?}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        explain(&"[".repeat(1_000_000));
    }

    proptest! {
        /// Where serde finds JSON there is no fault to find.
        #[test]
        fn no_text_makes_it_panic(text in "[\\[\\]{}\":,0-9eE.\\-+ntrufalse \\\\\n]{0,40}") {
            let mut reader = super::Reader { text: text.chars().collect(), at: 0 };
            let found = reader.document();
            prop_assert!(found.is_ok() || serde_json::from_str::<serde_json::Value>(&text).is_err(), "{:?}", found);
        }
    }
}
