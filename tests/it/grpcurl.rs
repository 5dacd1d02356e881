//! The service by reflection, as people with grpcurl and other generic clients use it.

use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

use tokio_stream::StreamExt as _;

use crate::support::{Server, lacks};

/// grpcurl's answer, or None where there is no grpcurl.
fn has_grpcurl() -> bool {
    let found = Command::new("grpcurl")
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !found {
        lacks("grpcurl");
    }
    found
}

fn grpcurl(server: &Server, request: Option<&str>, arguments: &[&str]) -> String {
    let mut command = Command::new("grpcurl");
    command.args(["-plaintext", "-max-time", "60"]);
    if request.is_some() {
        command.args(["-d", "@"]);
    }
    let mut child = command
        .arg(server.address())
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin
        .write_all(request.unwrap_or_default().as_bytes())
        .unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{arguments:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn an_episode_by_hand() {
    if !has_grpcurl() {
        return;
    }
    let server = Server::start(&[]);
    let services = grpcurl(&server, None, &["list"]);
    for service in [
        "coding_env.v1.CodingEnv",
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
    ] {
        assert!(services.lines().any(|line| line == service), "{services}");
    }
    let methods = grpcurl(&server, None, &["list", "coding_env.v1.CodingEnv"]);
    assert!(
        methods.contains("coding_env.v1.CodingEnv.Step"),
        "{methods}"
    );
    let described = grpcurl(&server, None, &["describe", "coding_env.v1.StepRequest"]);
    assert!(
        described.contains("optional uint32 step_index = 3;"),
        "{described}"
    );

    let call = |method: &str, request: &str| -> serde_json::Value {
        serde_json::from_str(&grpcurl(&server, Some(request), &[method])).unwrap()
    };
    let health = call("grpc.health.v1.Health/Check", r#"{"service": "readiness"}"#);
    assert_eq!(health["status"], "SERVING");
    let reset = call("coding_env.v1.CodingEnv/Reset", r#"{"episode_id": "hand"}"#);
    assert_eq!(reset["state"]["episodeId"], "hand");
    let step = call(
        "coding_env.v1.CodingEnv/Step",
        r#"{"episode_id": "hand", "action": {"code": "x = 5 + 3\nprint('Result:', x)"}}"#,
    );
    assert_eq!(step["observation"]["stdout"], "Result: 8\n");
    assert_eq!(step["outcome"], "OUTCOME_COMPLETED");
    let state = call(
        "coding_env.v1.CodingEnv/GetState",
        r#"{"episode_id": "hand"}"#,
    );
    // A number, not a text: counts that people read are 32-bit.
    assert_eq!(state["state"]["stepCount"], 1);
    let close = call("coding_env.v1.CodingEnv/Close", r#"{"episode_id": "hand"}"#);
    assert_eq!(close["closed"], true);
}

/// What the README shows works as it stands, but for the port.
#[test]
fn the_readmes_commands_work() {
    if !has_grpcurl() {
        return;
    }
    let server = Server::start(&[]);
    let readme = format!("{}/README.md", env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(readme).unwrap_or_default();
    // Each command, and what is shown below it.
    let mut commands: Vec<(String, Vec<&str>)> = Vec::new();
    let (mut goes_on, mut shows) = (false, false);
    for line in readme.lines() {
        if let Some((command, _)) = commands.last_mut().filter(|_| goes_on) {
            command.push('\n');
            command.push_str(line.trim_start_matches("> "));
        } else if let Some(command) = line.strip_prefix("$ grpcurl") {
            commands.push((format!("grpcurl{command}"), Vec::new()));
        } else {
            shows &= !line.starts_with("```") && !line.starts_with("$ ");
            if let Some((_, shown)) = commands.last_mut().filter(|_| shows) {
                shown.push(line);
            }
            continue;
        }
        // A line that ends in a backslash, or in the middle of a quoted text, goes on.
        let quotes = commands
            .last()
            .map_or(0, |(command, _)| command.matches('\'').count());
        (goes_on, shows) = (line.ends_with('\\') || quotes % 2 == 1, true);
    }
    for (command, shown) in commands {
        let command = ["localhost:8000", "127.0.0.1:8000"]
            .iter()
            .fold(command, |command, at| command.replace(at, server.address()));
        assert!(command.contains(server.address()), "{command}");
        let output = Command::new("bash")
            .args(["-c", &command])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        if shown.first() == Some(&"ERROR:") {
            for line in shown {
                assert!(said.contains(line), "{command}: no {line:?}\n{said}");
            }
        } else {
            assert!(output.status.success(), "{command}\n{said}");
        }
    }
}

/// Older clients know reflection only by its first name.
#[tokio::test]
async fn reflection_answers_under_both_its_names() {
    macro_rules! services {
        ($version:ident, $server:expr) => {{
            use tonic_reflection::pb::$version::ServerReflectionRequest;
            use tonic_reflection::pb::$version::server_reflection_client::ServerReflectionClient;
            use tonic_reflection::pb::$version::server_reflection_request::MessageRequest;
            use tonic_reflection::pb::$version::server_reflection_response::MessageResponse;
            let mut client = ServerReflectionClient::new($server.channel().await);
            let request = ServerReflectionRequest {
                host: String::new(),
                message_request: Some(MessageRequest::ListServices(String::new())),
            };
            let replies = client
                .server_reflection_info(tokio_stream::once(request))
                .await;
            let reply = replies.unwrap().into_inner().next().await.unwrap().unwrap();
            let Some(MessageResponse::ListServicesResponse(services)) = reply.message_response
            else {
                panic!("{reply:?}");
            };
            let names: Vec<String> = services
                .service
                .into_iter()
                .map(|service| service.name)
                .collect();
            names
        }};
    }
    let server = Server::start(&[]);
    for names in [services!(v1, server), services!(v1alpha, server)] {
        for service in ["coding_env.v1.CodingEnv", "grpc.health.v1.Health"] {
            assert!(names.iter().any(|name| name == service), "{names:?}");
        }
    }
}
