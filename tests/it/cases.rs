//! The table of cases that all clients run: clients/cases.json, as clients/README.md describes it.

use std::path::Path;
use std::time::Duration;

use coding_env::client::{CodingEnv, Error, Options, ResetOptions, StepOptions};
use coding_env::proto::v1;
use serde_json::{Map, Value};
use tonic::transport::Channel;

use crate::support::Server;

#[tokio::test]
async fn all_cases_of_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/cases.json");
    let table: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let cases = table["cases"].as_array().unwrap();
    assert!(cases.len() > 20, "{}", cases.len());
    // An interrupt has to be served in time on a busy machine, too.
    let server = Server::start(&["--interrupt-grace", "5s"]);
    let channel = server.channel().await;
    for case in cases {
        run_case(&channel, object(case)).await;
    }
}

async fn run_case(channel: &Channel, case: &Map<String, Value>) {
    let name = text(&case["name"]);
    only(case, &["name", "reset", "calls"], name);
    let mut env = CodingEnv::with_channel(channel.clone(), Options::default());
    let reset = case.get("reset").map(reset_options).unwrap_or_default();
    env.reset_with(reset)
        .await
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    for (at, call) in case["calls"].as_array().unwrap().iter().enumerate() {
        let place = format!("{name}, call {at}");
        run_call(channel, &mut env, object(call), &place).await;
    }
    env.close()
        .await
        .unwrap_or_else(|error| panic!("{name}: {error}"));
}

/// What a call came to, whatever it was.
enum Reply {
    Reset(Box<v1::ResetResponse>),
    Step(Box<v1::StepResponse>),
    State(Box<v1::GetStateResponse>),
}

async fn run_call(channel: &Channel, env: &mut CodingEnv, call: &Map<String, Value>, place: &str) {
    let known = [
        "step",
        "reset",
        "state",
        "close",
        "end",
        "interrupt",
        "expect",
        "expect_error",
    ];
    only(call, &known, place);
    let result = if let Some(asked) = call.get("step") {
        let (code, options) = step_options(asked);
        let result = if call.get("interrupt") == Some(&Value::Bool(true)) {
            interrupted(env, code, options).await
        } else {
            env.step_with(code, options).await
        };
        result.map(|reply| Reply::Step(Box::new(reply)))
    } else if let Some(asked) = call.get("reset") {
        let result = env.reset_with(reset_options(asked)).await;
        result.map(|reply| Reply::Reset(Box::new(reply)))
    } else if call.contains_key("state") {
        let result = env.state().await;
        result.map(|reply| Reply::State(Box::new(reply)))
    } else if call.contains_key("close") {
        return env
            .close()
            .await
            .unwrap_or_else(|error| panic!("{place}: {error}"));
    } else {
        assert!(call.contains_key("end"), "{place}: an unknown call");
        let mut raw = v1::coding_env_client::CodingEnvClient::new(channel.clone());
        let episode_id = env.episode_id().unwrap().to_owned();
        raw.close(v1::CloseRequest { episode_id }).await.unwrap();
        return;
    };
    match (result, call.get("expect"), call.get("expect_error")) {
        (Ok(reply), Some(expected), None) => check(&reply, object(expected), place),
        (Err(error), None, Some(expected)) => check_error(&error, object(expected), place),
        (Ok(_), _, _) => panic!("{place}: it succeeded"),
        (Err(error), _, _) => panic!("{place}: {error}"),
    }
}

/// Interrupts the episode until an interrupt has hit.
async fn interrupted(
    env: &mut CodingEnv,
    code: String,
    options: StepOptions,
) -> Result<v1::StepResponse, Error> {
    let interrupter = env.interrupter()?;
    let step = env.step_with(code, options);
    tokio::pin!(step);
    loop {
        tokio::select! {
            reply = &mut step => return reply,
            hit = interrupter.interrupt() => if hit.unwrap() {
                return step.await;
            },
        }
    }
}

fn check(reply: &Reply, expected: &Map<String, Value>, place: &str) {
    for (key, value) in expected {
        let place = format!("{place}: {key}");
        if key == "reward" {
            let reward = match reply {
                Reply::Reset(reply) => reply.reward,
                Reply::Step(reply) => reply.reward,
                Reply::State(_) => panic!("{place}"),
            };
            let near = match (reward, value.as_f64()) {
                (Some(reward), Some(expected)) => (reward - expected).abs() <= 1e-9,
                (reward, expected) => reward == expected,
            };
            assert!(near, "{place}: {reward:?}, not {value}");
        } else if let Some(stream) = key.strip_suffix("_contains") {
            let found = look(reply, stream, &place);
            assert!(text(&found).contains(text(value)), "{place}: {found}");
        } else {
            assert_eq!(&look(reply, key, &place), value, "{place}");
        }
    }
}

/// One fact of a reply, as JSON.
fn look(reply: &Reply, key: &str, place: &str) -> Value {
    match (reply, key) {
        (Reply::Reset(reply), "done") => reply.done.into(),
        (Reply::Reset(reply), "metadata") => serde_json::json!(reply.metadata),
        (Reply::Reset(reply), _) => of_observation(reply.observation.as_ref(), key, place),
        (Reply::Step(reply), "done") => reply.done.into(),
        (Reply::Step(reply), "metadata") => serde_json::json!(reply.metadata),
        (Reply::Step(reply), "outcome") => reply.outcome().as_str_name().into(),
        (Reply::Step(reply), "state_after") => reply.state_after().as_str_name().into(),
        (Reply::Step(reply), "exception") => {
            let reported = reply.reported.clone().unwrap_or_default();
            reported.exception.unwrap_or_default().r#type.into()
        }
        (Reply::Step(reply), "stdout_truncated") => {
            reply.observed.as_ref().unwrap().stdout_truncated.into()
        }
        (Reply::Step(reply), _) => of_observation(reply.observation.as_ref(), key, place),
        (Reply::State(reply), "step_count") => reply.state.as_ref().unwrap().step_count.into(),
        (Reply::State(reply), "last_exit_code") => {
            reply.state.as_ref().unwrap().last_exit_code.into()
        }
        (Reply::State(reply), "status") => reply.status().as_str_name().into(),
        (Reply::State(_), _) => panic!("{place}: an unknown key"),
    }
}

fn of_observation(observation: Option<&v1::CodeObservation>, key: &str, place: &str) -> Value {
    let observation = observation.unwrap();
    match key {
        "stdout" => observation.stdout.clone().into(),
        "stderr" => observation.stderr.clone().into(),
        "exit_code" => observation.exit_code.into(),
        "result" => observation.result.clone().into(),
        _ => panic!("{place}: an unknown key"),
    }
}

fn check_error(error: &Error, expected: &Map<String, Value>, place: &str) {
    only(expected, &["code", "reason", "fields"], place);
    let (reason, code) = match error {
        Error::Refused(refusal) => {
            let code: i32 = refusal.code.into();
            (refusal.reason.as_str(), Some(code_name(code)))
        }
        Error::NoEpisode => ("NO_EPISODE", None),
        Error::Deadline => ("DEADLINE", None),
        Error::Connect(_) => ("CONNECT", None),
        Error::Url(_) => ("URL", None),
        error => panic!("{place}: {error}"),
    };
    assert_eq!(reason, text(&expected["reason"]), "{place}: {error}");
    assert_eq!(code, expected.get("code").map(text), "{place}: {error}");
    if let Some(fields) = expected.get("fields") {
        let Error::Refused(refusal) = error else {
            panic!("{place}: {error}");
        };
        let violations = refusal.violations.iter();
        let mut found: Vec<&str> = violations.map(|each| each.field.as_str()).collect();
        found.sort_unstable();
        assert_eq!(&serde_json::json!(found), fields, "{place}");
    }
}

/// The names of google.rpc.Code that the table uses.
fn code_name(code: i32) -> &'static str {
    match code {
        3 => "INVALID_ARGUMENT",
        5 => "NOT_FOUND",
        9 => "FAILED_PRECONDITION",
        _ => panic!("a code without a name here: {code}"),
    }
}

fn reset_options(asked: &Value) -> ResetOptions {
    let mut options = ResetOptions::default();
    for (key, value) in object(asked) {
        match key.as_str() {
            "seed" => options.seed = Some(number(value)),
            "runtime" => options.runtime = text(value).to_owned(),
            "limits" => options.limits = Some(limits(object(value))),
            "environment" => {
                options.environment = object(value)
                    .iter()
                    .map(|(name, value)| (name.clone(), text(value).to_owned()))
                    .collect();
            }
            "network" => options.network = v1::Network::from_str_name(text(value)).unwrap(),
            _ => panic!("an unknown key of a reset: {key}"),
        }
    }
    options
}

fn limits(asked: &Map<String, Value>) -> v1::Limits {
    let mut limits = v1::Limits::default();
    for (key, value) in asked {
        match key.as_str() {
            "source_bytes" => limits.source_bytes = Some(small(value)),
            "output_bytes" => limits.output_bytes = Some(small(value)),
            "result_bytes" => limits.result_bytes = Some(small(value)),
            "step_timeout" => limits.step_timeout = Some(duration(value)),
            "step_cpu_time" => limits.step_cpu_time = Some(duration(value)),
            "idle_timeout" => limits.idle_timeout = Some(duration(value)),
            "memory_bytes" => limits.memory_bytes = Some(number(value)),
            "open_files" => limits.open_files = Some(small(value)),
            "file_bytes" => limits.file_bytes = Some(number(value)),
            _ => panic!("an unknown limit: {key}"),
        }
    }
    limits
}

fn step_options(asked: &Value) -> (String, StepOptions) {
    let mut code = None;
    let mut options = StepOptions::default();
    for (key, value) in object(asked) {
        match key.as_str() {
            "code" => code = Some(text(value).to_owned()),
            "timeout" => options.timeout = Some(Duration::try_from(duration(value)).unwrap()),
            "max_reply_bytes" => options.max_reply_bytes = Some(small(value)),
            "limits" => {
                let mut limits = v1::StepLimits::default();
                for (key, value) in object(value) {
                    match key.as_str() {
                        "output_bytes" => limits.output_bytes = Some(small(value)),
                        "cpu_time" => limits.cpu_time = Some(duration(value)),
                        _ => panic!("an unknown limit of a step: {key}"),
                    }
                }
                options.limits = Some(limits);
            }
            _ => panic!("an unknown key of a step: {key}"),
        }
    }
    (code.unwrap(), options)
}

fn only(found: &Map<String, Value>, known: &[&str], place: &str) {
    for key in found.keys() {
        assert!(known.contains(&key.as_str()), "{place}: unknown key {key}");
    }
}

fn object(value: &Value) -> &Map<String, Value> {
    value.as_object().unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// A number, which may be a text when it has 64 bits.
fn number(value: &Value) -> u64 {
    let of_text = || value.as_str().and_then(|text| text.parse().ok());
    value.as_u64().or_else(of_text).unwrap()
}

fn small(value: &Value) -> u32 {
    number(value).try_into().unwrap()
}

fn duration(value: &Value) -> prost_types::Duration {
    text(value).parse().unwrap()
}
