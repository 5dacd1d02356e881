//! Calls of a function, and what they are to return. Pure.

use super::Ran;
use super::json::{self, Json};
use super::number::Tolerance;

/// The longest name of a function.
const FUNCTION_BYTES_MAX: usize = 256;

/// A function and its calls.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CallCheck {
    /// As [`is_function`] has it.
    pub(crate) function: String,
    pub(crate) calls: Vec<Call>,
}

/// A call and what it is to return.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Call {
    args: Vec<Json>,
    kwargs: Vec<(String, Json)>,
    expected: Json,
    tolerance: Tolerance,
}

/// Whether a text is a name, or names with dots between: nothing else is made part of a source.
pub(crate) fn is_function(text: &str) -> bool {
    text.len() <= FUNCTION_BYTES_MAX && text.split('.').all(is_name)
}

fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes
        .next()
        .is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

impl Call {
    /// A call, from JSON texts; empty ones are no arguments. Or the field that is wrong, and why.
    pub(crate) fn new(
        args: &str,
        kwargs: &str,
        expected: &str,
        tolerance: Tolerance,
    ) -> Result<Self, (&'static str, String)> {
        let args = match args {
            "" => Vec::new(),
            args => match json::parse(args) {
                Ok(Json::Array(args)) => args,
                Ok(_) => return Err(("args_json", "has to be an array".to_owned())),
                Err(why) => return Err(("args_json", why)),
            },
        };
        let kwargs = match kwargs {
            "" => Vec::new(),
            kwargs => match json::parse(kwargs) {
                Ok(Json::Object(kwargs)) => kwargs.into_iter().collect(),
                Ok(_) => return Err(("kwargs_json", "has to be an object".to_owned())),
                Err(why) => return Err(("kwargs_json", why)),
            },
        };
        if !kwargs.iter().all(|(name, _)| is_name(name)) {
            let why = "has a name that no argument can have: of ASCII letters, digits and `_`";
            return Err(("kwargs_json", why.to_owned()));
        }
        let expected = json::parse(expected).map_err(|why| ("expected_json", why))?;
        Ok(Self {
            args,
            kwargs,
            expected,
            tolerance,
        })
    }

    /// The source of the call: an expression.
    pub(super) fn source(&self, function: &str) -> String {
        let mut source = format!("{function}(*[");
        for arg in &self.args {
            arg.to_python(&mut source);
            source.push(',');
        }
        source.push_str("], **");
        let kwargs = self.kwargs.iter().cloned().collect();
        Json::Object(kwargs).to_python(&mut source);
        source.push(')');
        source
    }

    /// Judges a call that has come to its end.
    pub(super) fn judge(&self, ran: &Ran<'_>) -> Result<(), String> {
        if ran.result_truncated {
            return Err("it returned more than Limits.result_bytes".to_owned());
        }
        // What has no result is None.
        let got = json::parse(ran.result.unwrap_or("null"))
            .map_err(|why| format!("it returned what is no JSON ({why})"))?;
        self.expected.compare(&got, self.tolerance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::episode::Outcome;

    fn call(args: &str, kwargs: &str, expected: &str) -> Call {
        Call::new(args, kwargs, expected, Tolerance::default()).unwrap()
    }

    fn returns(expected: &str, result: Option<&str>) -> Result<(), String> {
        let ran = Ran {
            outcome: Outcome::Completed,
            stdout: "",
            stdout_truncated: false,
            result,
            result_truncated: false,
            exception: None,
        };
        call("", "", expected).judge(&ran)
    }

    #[test]
    fn the_source_of_a_call_has_its_arguments_and_nothing_of_what_is_expected() {
        let call = call(
            r#"[1, "a\"); import os; (\""]"#,
            r#"{"b": [null]}"#,
            "\"secret\"",
        );
        assert_eq!(
            call.source("Solution.solve"),
            r#"Solution.solve(*[1,"a\"); import os; (\"",], **{"b":[None,],})"#
        );
    }

    #[test]
    fn what_is_returned_is_compared_with_what_is_expected() {
        returns("[1, 2]", Some("[1, 2.0]")).unwrap();
        returns("null", None).unwrap();
        for (expected, result) in [
            ("[1, 2]", Some("[1, 3]")),
            ("1", None),
            ("1", Some("True")),
            ("1", Some("<AlwaysEqual object at 0x7f>")),
            ("1", Some("NaN")),
            ("1", Some("true")),
            ("1", Some("1]")),
            ("\"a\"", Some("'a'")),
        ] {
            assert!(returns(expected, result).is_err(), "{expected} {result:?}");
        }
    }

    #[test]
    fn only_names_become_part_of_a_source() {
        for name in ["f", "_f1", "Solution.solve", "a.b.c", &"f".repeat(256)] {
            assert!(is_function(name), "{name}");
        }
        for name in [
            "",
            ".",
            "f.",
            ".f",
            "f()",
            "1f",
            "f g",
            "f\n",
            "é",
            "f;g",
            "a..b",
            &"f".repeat(257),
        ] {
            assert!(!is_function(name), "{name}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_call_is_told_by_its_field() {
        let wrong = |args, kwargs, expected| {
            let call = Call::new(args, kwargs, expected, Tolerance::default());
            call.unwrap_err().0
        };
        assert_eq!(wrong("{}", "", "1"), "args_json");
        assert_eq!(wrong("[", "", "1"), "args_json");
        assert_eq!(wrong("", "[]", "1"), "kwargs_json");
        assert_eq!(wrong("", r#"{"a b": 1}"#, "1"), "kwargs_json");
        assert_eq!(wrong("", "", ""), "expected_json");
        assert_eq!(wrong("", "", "NaN"), "expected_json");
    }
}
