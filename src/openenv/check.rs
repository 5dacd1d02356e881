//! What clients send, checked as the incumbent checks it: every fault of a message with its place, its kind and what was there. Pure.

use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value, json};

/// The longest `episode_id` and `request_id`, in characters.
pub(super) const LABEL_CHARS_MAX: usize = 255;
/// The longest step that is asked for in seconds, before the server's maximum is looked at: 30 days.
const TIMEOUT_SECONDS_MAX: f64 = 30.0 * 24.0 * 3600.0;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Issue {
    #[serde(rename = "type")]
    kind: &'static str,
    loc: Vec<Value>,
    msg: String,
    input: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    ctx: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

impl Issue {
    fn new(kind: &'static str, loc: &[&str], msg: impl Into<String>, input: Value) -> Self {
        Self {
            kind,
            loc: loc.iter().map(|part| Value::from(*part)).collect(),
            msg: msg.into(),
            input,
            ctx: None,
            url: None,
        }
    }

    fn with(self, ctx: Value) -> Self {
        Self {
            ctx: Some(ctx),
            ..self
        }
    }

    /// With the page that explains the kind, as pydantic itself tells it; on HTTP its framework takes that off, but for actions.
    fn explained(self) -> Self {
        Self {
            url: Some(format!("https://errors.pydantic.dev/2.14/v/{}", self.kind)),
            ..self
        }
    }

    fn missing(loc: &[&str], input: Value) -> Self {
        Self::new("missing", loc, "Field required", input)
    }

    fn no_dictionary(loc: &[&str], input: Value) -> Self {
        Self::new(
            "dict_type",
            loc,
            "Input should be a valid dictionary",
            input,
        )
    }

    fn no_string(loc: &[&str], input: Value) -> Self {
        Self::new("string_type", loc, "Input should be a valid string", input)
    }

    fn too_long(loc: &[&str], max: usize, unit: &str, input: Value) -> Self {
        let msg = format!("String should have at most {max} {unit}");
        Self::new("string_too_long", loc, msg, input).with(json!({ "max_length": max }))
    }

    fn extra(name: &str, input: Value) -> Self {
        let msg = "Extra inputs are not permitted";
        Self::new("extra_forbidden", &[name], msg, input)
    }

    /// A body that is no JSON.
    pub(super) fn no_json(fault: &super::json::Fault) -> Self {
        Self {
            loc: vec![json!("body"), json!(fault.at)],
            ..Self::new("json_invalid", &[], "JSON decode error", json!({}))
        }
        .with(json!({ "error": fault.what }))
    }
}

type Checked<T> = Result<T, Vec<Issue>>;

fn checked<T>(value: T, issues: Vec<Issue>) -> Checked<T> {
    if issues.is_empty() {
        Ok(value)
    } else {
        Err(issues)
    }
}

fn explained(issues: Vec<Issue>) -> Vec<Issue> {
    issues.into_iter().map(Issue::explained).collect()
}

/// How a frame's `data` has to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Data {
    Optional,
    Required,
    Absent,
}

/// The `data` of a frame.
pub(super) fn frame_data(
    mut frame: Map<String, Value>,
    expected: Data,
) -> Checked<Map<String, Value>> {
    let mut issues = Vec::new();
    let mut data = Map::new();
    if expected != Data::Absent {
        match frame.get("data") {
            None if expected == Data::Required => {
                issues.push(Issue::missing(&["data"], Value::Object(frame.clone())));
            }
            None => {}
            Some(Value::Object(_)) => {
                if let Some(Value::Object(found)) = frame.remove("data") {
                    data = found;
                }
            }
            Some(other) => {
                issues.push(Issue::no_dictionary(&["data"], other.clone()));
                frame.remove("data");
            }
        }
    }
    for (name, value) in frame {
        if name != "type" {
            issues.push(Issue::extra(&name, value));
        }
    }
    checked(data, explained(issues))
}

/// The code of an action. `source_bytes` is the most that it may have.
pub(super) fn action(mut action: Map<String, Value>, source_bytes: usize) -> Checked<String> {
    let mut issues = Vec::new();
    if let Some(metadata) = action.get("metadata").filter(|found| !found.is_object()) {
        issues.push(Issue::no_dictionary(&["metadata"], metadata.clone()));
    }
    let code = match action.get_mut("code").map(Value::take) {
        Some(Value::String(code)) if code.len() > source_bytes => {
            issues.push(Issue::too_long(
                &["code"],
                source_bytes,
                "bytes",
                Value::Null,
            ));
            String::new()
        }
        Some(Value::String(code)) => code,
        Some(other) => {
            issues.push(Issue::no_string(&["code"], other));
            String::new()
        }
        None => {
            issues.push(Issue::missing(&["code"], Value::Object(action.clone())));
            String::new()
        }
    };
    for (name, value) in action {
        if name != "metadata" && name != "code" {
            issues.push(Issue::extra(&name, value));
        }
    }
    checked(code, explained(issues))
}

/// What a reset may ask for. Other keys are nobody's here, and pass.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ResetOptions {
    pub(super) seed: Option<u64>,
    /// What the client calls the episode: a label, not a key.
    pub(super) label: Option<String>,
}

/// The options of a reset over the WebSocket.
pub(super) fn reset_data(data: &Map<String, Value>) -> Checked<ResetOptions> {
    reset_options(data, &[]).map_err(explained)
}

fn reset_options(data: &Map<String, Value>, place: &[&str]) -> Checked<ResetOptions> {
    let mut issues = Vec::new();
    let seed_at = [place, &["seed"]].concat();
    let seed = match data.get("seed") {
        None | Some(Value::Null) => None,
        Some(value) => whole(value, &seed_at, &mut issues),
    };
    let label = label(data, "episode_id", place, &mut issues);
    checked(ResetOptions { seed, label }, issues)
}

/// A whole number from zero.
fn whole(value: &Value, loc: &[&str], issues: &mut Vec<Issue>) -> Option<u64> {
    let number = match value {
        Value::Bool(truth) => return Some(u64::from(*truth)),
        Value::Number(number) => number,
        other => {
            let msg = "Input should be a valid integer";
            issues.push(Issue::new("int_type", loc, msg, other.clone()));
            return None;
        }
    };
    if let Some(seed) = number.as_u64() {
        return Some(seed);
    }
    let input = value.clone();
    let issue = match number.as_f64() {
        Some(found) if found < 0.0 => {
            let msg = "Input should be greater than or equal to 0";
            Issue::new("greater_than_equal", loc, msg, input).with(json!({ "ge": 0 }))
        }
        Some(found) if found > 9e18 => {
            let msg = format!("Input should be less than or equal to {}", u64::MAX);
            Issue::new("less_than_equal", loc, msg, input).with(json!({ "le": u64::MAX }))
        }
        _ => {
            let msg = "Input should be a valid integer, got a number with a fractional part";
            Issue::new("int_from_float", loc, msg, input)
        }
    };
    issues.push(issue);
    None
}

fn label(
    data: &Map<String, Value>,
    name: &str,
    place: &[&str],
    issues: &mut Vec<Issue>,
) -> Option<String> {
    let loc = [place, &[name]].concat();
    match data.get(name) {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) if text.chars().count() > LABEL_CHARS_MAX => {
            let input = Value::from(text.as_str());
            issues.push(Issue::too_long(&loc, LABEL_CHARS_MAX, "characters", input));
            None
        }
        Some(Value::String(text)) => Some(text.clone()),
        Some(other) => {
            issues.push(Issue::no_string(&loc, other.clone()));
            None
        }
    }
}

/// The body of an HTTP request: an object.
pub(super) fn body(body: Value) -> Checked<Map<String, Value>> {
    match body {
        Value::Object(body) => Ok(body),
        other => {
            let msg = "Input should be a valid dictionary or object to extract fields from";
            Err(vec![Issue::new(
                "model_attributes_type",
                &["body"],
                msg,
                other,
            )])
        }
    }
}

/// The body of `POST /reset`.
pub(super) fn reset_body(body: &Map<String, Value>) -> Checked<ResetOptions> {
    reset_options(body, &["body"])
}

/// The body of `POST /step`: its action, and how long it may run.
pub(super) fn step_body(
    mut body: Map<String, Value>,
) -> Checked<(Map<String, Value>, Option<Duration>)> {
    let mut issues = Vec::new();
    let mut action = Map::new();
    match body.get("action") {
        None => issues.push(Issue::missing(
            &["body", "action"],
            Value::Object(body.clone()),
        )),
        Some(Value::Object(_)) => {
            if let Some(Value::Object(found)) = body.remove("action") {
                action = found;
            }
        }
        Some(other) => issues.push(Issue::no_dictionary(&["body", "action"], other.clone())),
    }
    let loc = ["body", "timeout_s"];
    let timeout = match body.get("timeout_s") {
        None | Some(Value::Null) => None,
        Some(value) => match value.as_f64() {
            Some(seconds) if seconds > 0.0 => {
                Some(Duration::from_secs_f64(seconds.min(TIMEOUT_SECONDS_MAX)))
            }
            Some(_) => {
                let msg = "Input should be greater than 0";
                let issue = Issue::new("greater_than", &loc, msg, value.clone());
                issues.push(issue.with(json!({ "gt": 0.0 })));
                None
            }
            None => {
                let msg = "Input should be a valid number";
                issues.push(Issue::new("float_type", &loc, msg, value.clone()));
                None
            }
        },
    };
    label(&body, "request_id", &["body"], &mut issues);
    checked((action, timeout), issues)
}

/// A request without a body where one is needed.
pub(super) fn no_body() -> Vec<Issue> {
    vec![Issue::missing(&["body"], Value::Null)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        match value {
            Value::Object(map) => map,
            other => panic!("{other}"),
        }
    }

    fn told<T: std::fmt::Debug>(checked: Checked<T>) -> Vec<(String, Vec<Value>)> {
        let issues = checked.unwrap_err();
        let tell = |issue: Issue| (issue.kind.to_owned(), issue.loc);
        issues.into_iter().map(tell).collect()
    }

    #[test]
    fn every_fault_of_a_frame_is_told() {
        let frame = json!({"type": "step", "data": 5, "x": 1});
        assert_eq!(
            told(frame_data(object(frame), Data::Required)),
            [
                ("dict_type".to_owned(), vec![json!("data")]),
                ("extra_forbidden".to_owned(), vec![json!("x")]),
            ]
        );
        let state = json!({"type": "state", "data": {}});
        assert_eq!(
            told(frame_data(object(state), Data::Absent)),
            [("extra_forbidden".to_owned(), vec![json!("data")])]
        );
        let null = json!({"type": "reset", "data": null});
        assert_eq!(
            told(frame_data(object(null), Data::Optional))[0].0,
            "dict_type"
        );
        assert!(
            frame_data(object(json!({"type": "reset"})), Data::Optional)
                .unwrap()
                .is_empty()
        );
    }

    #[test]
    fn a_seed_is_a_whole_number_of_64_bits() {
        let seed = |value: Value| reset_data(&object(json!({ "seed": value })));
        assert_eq!(seed(json!(0)).unwrap().seed, Some(0));
        assert_eq!(seed(json!(u64::MAX)).unwrap().seed, Some(u64::MAX));
        assert_eq!(seed(json!(true)).unwrap().seed, Some(1));
        assert_eq!(seed(Value::Null).unwrap().seed, None);
        for (value, kind) in [
            (json!(-1), "greater_than_equal"),
            (json!(18_446_744_073_709_551_616.0), "less_than_equal"),
            (json!(1.5), "int_from_float"),
            (json!("7"), "int_type"),
        ] {
            assert_eq!(told(seed(value.clone()))[0].0, kind, "{value}");
        }
    }

    #[test]
    fn a_label_has_at_most_255_characters() {
        let label = |text: String| reset_data(&object(json!({ "episode_id": text })));
        assert_eq!(
            label("é".repeat(255))
                .unwrap()
                .label
                .unwrap()
                .chars()
                .count(),
            255
        );
        assert_eq!(told(label("é".repeat(256)))[0].0, "string_too_long");
    }

    #[test]
    fn code_may_be_as_long_as_the_source_of_a_step() {
        let code = |length| object(json!({ "code": "x".repeat(length) }));
        assert_eq!(action(code(8), 8).unwrap().len(), 8);
        assert_eq!(told(action(code(9), 8))[0].0, "string_too_long");
    }

    #[test]
    fn a_timeout_is_longer_than_zero_and_bounded() {
        let timeout = |value: Value| {
            step_body(object(json!({ "action": {}, "timeout_s": value }))).map(|found| found.1)
        };
        assert_eq!(
            timeout(json!(0.5)).unwrap(),
            Some(Duration::from_millis(500))
        );
        assert_eq!(
            timeout(json!(1e300)).unwrap(),
            Some(Duration::from_secs(30 * 24 * 3600))
        );
        assert_eq!(told(timeout(json!(0)))[0].0, "greater_than");
        assert_eq!(told(timeout(json!("1")))[0].0, "float_type");
    }
}
