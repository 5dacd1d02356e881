//! JSON, with numbers as they are written. Pure.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::number::{self, Tolerance};

/// How deep arrays and objects may lie in one another.
pub(super) const DEPTH_MAX: usize = 64;
/// The longest number.
const NUMBER_BYTES_MAX: usize = 4096;

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Json {
    Null,
    Bool(bool),
    /// As it is written.
    Number(String),
    Text(String),
    Array(Vec<Json>),
    Object(BTreeMap<String, Json>),
}

/// Reads a text, or says why it is none that can be compared.
pub(super) fn parse(text: &str) -> Result<Json, String> {
    let raw: &RawValue = serde_json::from_str(text).map_err(|error| format!("no JSON: {error}"))?;
    read(raw.get(), DEPTH_MAX)
}

fn read(text: &str, depth: usize) -> Result<Json, String> {
    let text = text.trim_ascii();
    let wrong = |error: serde_json::Error| format!("no JSON: {error}");
    let deeper = || {
        depth
            .checked_sub(1)
            .ok_or_else(|| format!("more than {DEPTH_MAX} levels deep"))
    };
    Ok(match text.as_bytes().first() {
        Some(b'n') => Json::Null,
        Some(b't') => Json::Bool(true),
        Some(b'f') => Json::Bool(false),
        Some(b'"') => Json::Text(serde_json::from_str(text).map_err(wrong)?),
        Some(b'[') => {
            let depth = deeper()?;
            let items: Vec<&RawValue> = serde_json::from_str(text).map_err(wrong)?;
            let items = items.into_iter().map(|item| read(item.get(), depth));
            Json::Array(items.collect::<Result<_, _>>()?)
        }
        Some(b'{') => {
            let depth = deeper()?;
            let entries: BTreeMap<String, &RawValue> = serde_json::from_str(text).map_err(wrong)?;
            let entries = entries
                .into_iter()
                .map(|(name, value)| Ok((name, read(value.get(), depth)?)));
            Json::Object(entries.collect::<Result<_, String>>()?)
        }
        _ if text.len() > NUMBER_BYTES_MAX => {
            return Err(format!(
                "a number of more than {NUMBER_BYTES_MAX} characters"
            ));
        }
        _ if !number::is_number(text) => return Err("a number that is not finite".to_owned()),
        _ => Json::Number(text.to_owned()),
    })
}

impl Json {
    /// Whether a value is this, the expected one; else where it differs.
    pub(super) fn compare(&self, got: &Self, tolerance: Tolerance) -> Result<(), String> {
        self.compare_at(got, tolerance, &mut String::new())
    }

    fn compare_at(
        &self,
        got: &Self,
        tolerance: Tolerance,
        path: &mut String,
    ) -> Result<(), String> {
        let differs = |path: &str, how: &str| {
            let place = if path.is_empty() { "it" } else { path };
            Err(format!("{place} {how}"))
        };
        let before = path.len();
        match (self, got) {
            (Self::Number(expected), Self::Number(got)) => {
                if number::is_equal(expected, got, tolerance) {
                    Ok(())
                } else {
                    differs(path, "is another number")
                }
            }
            (Self::Array(expected), Self::Array(got)) => {
                if expected.len() != got.len() {
                    return differs(
                        path,
                        &format!(
                            "has {} items, and {} are expected",
                            got.len(),
                            expected.len()
                        ),
                    );
                }
                for (at, (expected, got)) in expected.iter().zip(got).enumerate() {
                    path.push_str(&format!("[{at}]"));
                    expected.compare_at(got, tolerance, path)?;
                    path.truncate(before);
                }
                Ok(())
            }
            (Self::Object(expected), Self::Object(got)) => {
                if expected.len() != got.len()
                    || !expected.keys().all(|name| got.contains_key(name))
                {
                    return differs(path, "has other names");
                }
                for (name, expected) in expected {
                    if let Some(got) = got.get(name) {
                        path.push_str(&format!("[{name:?}]"));
                        expected.compare_at(got, tolerance, path)?;
                        path.truncate(before);
                    }
                }
                Ok(())
            }
            (expected, got) if expected == got => Ok(()),
            (expected, got) => differs(
                path,
                &format!("is {}, and {} is expected", got.kind(), expected.kind()),
            ),
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(true) => "true",
            Self::Bool(false) => "false",
            Self::Number(_) => "a number",
            Self::Text(_) => "a string",
            Self::Array(_) => "an array",
            Self::Object(_) => "an object",
        }
    }

    /// The same as an expression of Python.
    pub(super) fn to_python(&self, source: &mut String) {
        match self {
            Self::Null => source.push_str("None"),
            Self::Bool(true) => source.push_str("True"),
            Self::Bool(false) => source.push_str("False"),
            // JSON's numbers are Python's too.
            Self::Number(number) => source.push_str(number),
            Self::Text(text) => quote(text, source),
            Self::Array(items) => {
                source.push('[');
                for item in items {
                    item.to_python(source);
                    source.push(',');
                }
                source.push(']');
            }
            Self::Object(entries) => {
                source.push('{');
                for (name, value) in entries {
                    quote(name, source);
                    source.push(':');
                    value.to_python(source);
                    source.push(',');
                }
                source.push('}');
            }
        }
    }
}

/// A string literal of Python.
fn quote(text: &str, source: &mut String) {
    source.push('"');
    for char in text.chars() {
        match char {
            '"' | '\\' => {
                source.push('\\');
                source.push(char);
            }
            ' '..='~' => source.push(char),
            _ => source.push_str(&format!("\\U{:08x}", u32::from(char))),
        }
    }
    source.push('"');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn same(expected: &str, got: &str) -> bool {
        let [expected, got] = [expected, got].map(|text| parse(text).unwrap());
        expected.compare(&got, Tolerance::default()).is_ok()
    }

    #[test]
    fn values_are_compared_as_json_and_not_as_python() {
        for (a, b) in [
            ("1", "1.0"),
            (r#"{"a":1,"b":[2]}"#, r#"{ "b": [2.0], "a": 1 }"#),
            (r#""é""#, r#""\u00e9""#),
            (r#""😀""#, r#""\ud83d\ude00""#),
            ("[]", "[ ]"),
            ("-0.0", "0"),
        ] {
            assert!(same(a, b) && same(b, a), "{a} {b}");
        }
        for (a, b) in [
            ("1", "true"),
            ("0", "false"),
            ("0", "null"),
            ("\"1\"", "1"),
            ("[]", "{}"),
            ("[1]", "[1,1]"),
            ("[[]]", "[{}]"),
            ("[1,2]", "[2,1]"),
            (r#"{"a":1}"#, r#"{"b":1}"#),
            (r#"{"a":1}"#, r#"{"a":1,"b":1}"#),
            (r#""a""#, r#""A""#),
            ("10000000000000000000000001", "10000000000000000000000002"),
        ] {
            assert!(!same(a, b) && !same(b, a), "{a} {b}");
        }
    }

    #[test]
    fn what_is_no_json_is_refused() {
        let deep = format!("{}{}", "[".repeat(DEPTH_MAX + 1), "]".repeat(DEPTH_MAX + 1));
        let long = "1".repeat(NUMBER_BYTES_MAX + 1);
        for text in [
            "",
            "NaN",
            "Infinity",
            "-Infinity",
            "nan",
            "1e999",
            "'a'",
            "[1,]",
            "{1:2}",
            "01",
            "1 2",
            "{'a': 1}",
            "(1, 2)",
            r#""\ud800""#,
            "tru",
            "truely",
            "\u{feff}1",
            &deep,
            &long,
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
        let edge = format!("{}{}", "[".repeat(DEPTH_MAX), "]".repeat(DEPTH_MAX));
        parse(&edge).unwrap();
        parse(&"1".repeat(NUMBER_BYTES_MAX)).unwrap();
        // Far deeper than any stack, in a text of the largest size.
        parse(&"[".repeat(1 << 20)).unwrap_err();
    }

    #[test]
    fn a_difference_is_told_by_its_place() {
        let [expected, got] =
            [r#"{"a":[1,{"b":2}]}"#, r#"{"a":[1,{"b":3}]}"#].map(|text| parse(text).unwrap());
        let why = expected.compare(&got, Tolerance::default()).unwrap_err();
        assert_eq!(why, r#"["a"][1]["b"] is another number"#);
    }

    #[test]
    fn a_value_becomes_an_expression_of_python() {
        let value = parse(r#"{"k\"\n":[null,true,false,-1.5e3,"é😀\\",{}]}"#).unwrap();
        let mut source = String::new();
        value.to_python(&mut source);
        assert_eq!(
            source,
            r#"{"k\"\U0000000a":[None,True,False,-1.5e3,"\U000000e9\U0001f600\\",{},],}"#
        );
    }

    fn value() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            any::<f64>().prop_map(Into::into),
            any::<String>().prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
                prop::collection::hash_map(any::<String>(), inner, 0..6).prop_map(|entries| {
                    entries
                        .into_iter()
                        .collect::<serde_json::Map<_, _>>()
                        .into()
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_value_equals_itself_however_it_is_written(value in value()) {
            let (short, long) = (value.to_string(), serde_json::to_string_pretty(&value).unwrap());
            prop_assert!(same(&short, &long));
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,64}") {
            if parse(&text).is_ok() {
                prop_assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok());
            }
        }
    }
}
