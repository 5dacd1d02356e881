//! Every reason of the contract's error table, as a client sees it.

use std::collections::HashMap;
use std::time::Duration;

use coding_env::proto::v1::coding_env_client::CodingEnvClient;
use coding_env::proto::v1::{
    CloseRequest, CodeAction, InterruptRequest, Limits, ResetRequest, StepRequest, StepResponse,
};
use tonic::metadata::AsciiMetadataValue;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt as _;

use crate::support::{
    PATIENCE, Server, kill, named, naming, state_request, state_where, working_dir,
};

const SERVER_HEADER: &str = "x-coding-env-server";

pub(crate) fn reset_request(id: &str) -> ResetRequest {
    ResetRequest {
        episode_id: id.to_owned(),
        ..ResetRequest::default()
    }
}

pub(crate) fn step_request(id: &str, code: &str) -> StepRequest {
    StepRequest {
        episode_id: id.to_owned(),
        action: Some(CodeAction {
            code: code.to_owned(),
        }),
        ..StepRequest::default()
    }
}

pub(crate) fn close_request(id: &str) -> CloseRequest {
    CloseRequest {
        episode_id: id.to_owned(),
    }
}

/// Checks what every refusal has, and that it is this one; returns its metadata.
pub(crate) fn refused(status: &Status, code: Code, reason: &str) -> HashMap<String, String> {
    let details = status.get_error_details();
    let info = details
        .error_info()
        .unwrap_or_else(|| panic!("no ErrorInfo: {status:?}"));
    assert_eq!(
        (status.code(), info.reason.as_str(), info.domain.as_str()),
        (code, reason, "coding_env"),
        "{status:?}"
    );
    let retry = details.retry_info().and_then(|retry| retry.retry_delay);
    let retried = matches!(code, Code::ResourceExhausted | Code::Unavailable);
    assert_eq!(
        retry.is_some_and(|delay| !delay.is_zero()),
        retried,
        "{status:?}"
    );
    assert_eq!(
        status
            .metadata()
            .get(SERVER_HEADER)
            .map(|value| value.to_str().unwrap()),
        Some("test"),
        "{status:?}"
    );
    // Every value in the message is in the metadata too: quoted ones, and numbers.
    let values = status.message().split('`').skip(1).step_by(2).chain(
        status
            .message()
            .split(|char: char| !char.is_ascii_alphanumeric())
            .filter(|word| word.parse::<u64>().is_ok()),
    );
    for value in values.filter(|_| reason != "INVALID_FIELD") {
        assert!(
            info.metadata.values().any(|told| told.contains(value)),
            "{value} is not in {:?}: {status:?}",
            info.metadata
        );
    }
    info.metadata.clone()
}

async fn step(
    client: &mut CodingEnvClient<Channel>,
    request: StepRequest,
) -> Result<StepResponse, Status> {
    client.step(request).await.map(tonic::Response::into_inner)
}

/// Starts a step and waits until it runs.
pub(crate) async fn running(
    client: &CodingEnvClient<Channel>,
    id: &str,
    code: &str,
) -> tokio::task::JoinHandle<Result<StepResponse, Status>> {
    let mut stepping = client.clone();
    let request = step_request(id, code);
    let step = tokio::spawn(async move { step(&mut stepping, request).await });
    state_where(client, id, |state| {
        state.status() == coding_env::proto::v1::EpisodeStatus::Running
    })
    .await;
    step
}

const WAITS: &str = "import time\ntime.sleep(60)";

#[tokio::test]
async fn invalid_field_tells_all_violations_at_once() {
    let server = Server::start(&[]);
    let mut client = server.raw().await;
    let request = ResetRequest {
        episode_id: "a b".to_owned(),
        request_id: "x".repeat(129),
        previous_episode_id: "ä".to_owned(),
        runtime: "ruby".to_owned(),
        limits: Some(Limits {
            open_files: Some(0),
            ..Limits::default()
        }),
        environment: HashMap::from([("LD_PRELOAD".to_owned(), "x".to_owned())]),
        ..ResetRequest::default()
    };
    let status = client.reset(request).await.unwrap_err();
    let metadata = refused(&status, Code::InvalidArgument, "INVALID_FIELD");
    assert_eq!(
        metadata["fields"],
        "episode_id,request_id,previous_episode_id,limits.open_files,environment[\"LD_PRELOAD\"],runtime"
    );
    assert_eq!(metadata["limits_open_files_minimum"], "16");
    assert_eq!(metadata["limits_open_files_maximum"], "1024");
    assert_eq!(metadata["runtime_value"], "ruby");
    assert_eq!(metadata["runtime_known"], "`default`");
    let details = status.get_error_details();
    let violations = &details.bad_request().unwrap().field_violations;
    assert_eq!(violations.len(), 6);
    for violation in violations {
        assert!(status.message().contains(&violation.field));
        assert!(status.message().contains(&violation.description));
    }

    let nothing = StepRequest {
        max_reply_bytes: Some(1),
        ..StepRequest::default()
    };
    let status = step(&mut client, nothing).await.unwrap_err();
    let metadata = refused(&status, Code::InvalidArgument, "INVALID_FIELD");
    assert_eq!(metadata["fields"], "episode_id,action,max_reply_bytes");
    for status in [
        client.get_state(state_request("")).await.unwrap_err(),
        client.close(close_request("a/b")).await.unwrap_err(),
        client
            .interrupt(InterruptRequest::default())
            .await
            .unwrap_err(),
    ] {
        let metadata = refused(&status, Code::InvalidArgument, "INVALID_FIELD");
        assert_eq!(metadata["fields"], "episode_id");
    }
}

/// A status travels in headers, which clients bound: what a caller sent must not make it larger than they take.
#[tokio::test]
async fn refusals_of_huge_requests_still_arrive() {
    let server = Server::start(&[]);
    let mut client = server.raw().await;
    let environment = (0..5000).map(|i| (format!("LD_{i}"), String::new()));
    let request = ResetRequest {
        runtime: "é".repeat(1 << 20),
        environment: environment.collect(),
        ..ResetRequest::default()
    };
    let status = client.reset(request).await.unwrap_err();
    let metadata = refused(&status, Code::InvalidArgument, "INVALID_FIELD");
    let untold: usize = metadata["untold"].parse().unwrap();
    let details = status.get_error_details();
    assert_eq!(
        details.bad_request().unwrap().field_violations.len() + untold,
        5001
    );
    assert!(status.message().ends_with(&format!("and {untold} more")));

    let mut elsewhere = Request::new(state_request(&"x".repeat(1 << 20)));
    let server_name = AsciiMetadataValue::from_static("other");
    elsewhere.metadata_mut().insert(SERVER_HEADER, server_name);
    let status = client.get_state(elsewhere).await.unwrap_err();
    refused(&status, Code::NotFound, "EPISODE_SERVER_GONE");
}

#[tokio::test]
async fn not_found_tells_what_became_of_the_episode() {
    let server = Server::start(&["--max-idle-timeout", "1s"]);
    let mut client = server.raw().await;
    let all = async |client: &mut CodingEnvClient<Channel>, id: &str, reason: &str| {
        let interrupt = InterruptRequest {
            episode_id: id.to_owned(),
            step_index: None,
        };
        for status in [
            client.step(step_request(id, "1")).await.unwrap_err(),
            client.get_state(state_request(id)).await.unwrap_err(),
            client.interrupt(interrupt).await.unwrap_err(),
        ] {
            let metadata = refused(&status, Code::NotFound, reason);
            assert_eq!(metadata["episode_id"], id);
        }
        let closed = client.close(close_request(id)).await.unwrap();
        assert!(!closed.get_ref().closed);
    };
    all(&mut client, "nobody", "EPISODE_NOT_FOUND").await;

    client.reset(reset_request("closed")).await.unwrap();
    let closed = client.close(close_request("closed")).await.unwrap();
    assert!(closed.get_ref().closed);
    all(&mut client, "closed", "EPISODE_CLOSED").await;

    client.reset(reset_request("idle")).await.unwrap();
    server.wait_for_log("\"expired\"");
    all(&mut client, "idle", "EPISODE_EXPIRED").await;
    let status = client.get_state(state_request("idle")).await.unwrap_err();
    let metadata = refused(&status, Code::NotFound, "EPISODE_EXPIRED");
    assert_eq!(metadata["idle"], "1s");
}

#[tokio::test]
async fn replies_and_refusals_name_the_server_and_others_episodes_are_gone() {
    let server = Server::start(&[]);
    let mut client = server.raw().await;
    let reply = client.reset(reset_request("e")).await.unwrap();
    assert_eq!(reply.metadata().get(SERVER_HEADER).unwrap(), "test");
    assert_eq!(reply.get_ref().server_id, "test");

    for (name, here) in [("test", true), ("", true), ("other-1", false)] {
        let mut request = Request::new(step_request("e", "1"));
        let value = AsciiMetadataValue::try_from(name).unwrap();
        request.metadata_mut().insert(SERVER_HEADER, value.clone());
        match client.step(request).await {
            Ok(reply) => {
                assert!(here, "{name}");
                assert_eq!(reply.metadata().get(SERVER_HEADER).unwrap(), "test");
                assert_eq!(reply.get_ref().server_id, "test");
            }
            Err(status) => {
                assert!(!here, "{name}");
                let metadata = refused(&status, Code::NotFound, "EPISODE_SERVER_GONE");
                assert_eq!(metadata["server_id"], name);
                assert_eq!(metadata["this_server_id"], "test");
                assert_eq!(metadata["episode_id"], "e");
            }
        }
    }
    let gone = AsciiMetadataValue::from_static("other-1");
    let mut reset = Request::new(reset_request("f"));
    reset.metadata_mut().insert(SERVER_HEADER, gone.clone());
    let mut state = Request::new(state_request("e"));
    state.metadata_mut().insert(SERVER_HEADER, gone.clone());
    let mut close = Request::new(close_request("e"));
    close.metadata_mut().insert(SERVER_HEADER, gone.clone());
    let mut interrupt = Request::new(InterruptRequest {
        episode_id: "e".to_owned(),
        step_index: None,
    });
    interrupt.metadata_mut().insert(SERVER_HEADER, gone);
    for status in [
        client.reset(reset).await.unwrap_err(),
        client.get_state(state).await.unwrap_err(),
        client.close(close).await.unwrap_err(),
        client.interrupt(interrupt).await.unwrap_err(),
    ] {
        refused(&status, Code::NotFound, "EPISODE_SERVER_GONE");
    }
    let state = client.get_state(state_request("e")).await.unwrap();
    assert_eq!(state.get_ref().state.as_ref().unwrap().step_count, 2);
}

#[tokio::test]
async fn an_id_is_used_once() {
    let server = Server::start(&[]);
    let mut client = server.raw().await;
    let request = |request_id: &str| ResetRequest {
        request_id: request_id.to_owned(),
        ..reset_request("e")
    };
    client.reset(request("first")).await.unwrap();
    client.reset(request("first")).await.unwrap();
    for other in ["second", ""] {
        let status = client.reset(request(other)).await.unwrap_err();
        let metadata = refused(&status, Code::AlreadyExists, "EPISODE_EXISTS");
        assert_eq!(metadata["episode_id"], "e");
    }
    client.close(close_request("e")).await.unwrap();
    let status = client.reset(request("first")).await.unwrap_err();
    refused(&status, Code::AlreadyExists, "EPISODE_EXISTS");
}

#[tokio::test]
async fn a_lost_episode_tells_what_happened_at_which_step() {
    let server = Server::start(&[]);
    let mut client = server.raw().await;
    client.reset(reset_request("e")).await.unwrap();
    step(&mut client, step_request("e", "1")).await.unwrap();
    let lost = step(&mut client, step_request("e", "import os; os._exit(3)"))
        .await
        .unwrap();
    assert!(lost.done);
    let status = step(&mut client, step_request("e", "1")).await.unwrap_err();
    let metadata = refused(&status, Code::FailedPrecondition, "EPISODE_LOST");
    assert_eq!(metadata["episode_id"], "e");
    assert_eq!(metadata["step_index"], "1");
    assert_eq!(metadata["outcome"], "killed");
    assert!(status.message().contains(&metadata["description"]));
    let state = client.get_state(state_request("e")).await.unwrap();
    assert_eq!(
        state.get_ref().loss.as_ref().unwrap().description,
        metadata["description"]
    );
}

#[tokio::test]
async fn steps_out_of_order_tell_the_expected_index() {
    let server = Server::start(&[]);
    let mut client = server.raw().await;
    client.reset(reset_request("e")).await.unwrap();
    let at = |index: u32, code: &str| StepRequest {
        step_index: Some(index),
        ..step_request("e", code)
    };
    step(&mut client, at(0, "x = 1")).await.unwrap();
    for (index, code) in [(2, "x"), (0, "other"), (u32::MAX, "x")] {
        let status = step(&mut client, at(index, code)).await.unwrap_err();
        let metadata = refused(&status, Code::FailedPrecondition, "STEP_OUT_OF_ORDER");
        assert_eq!(metadata["expected"], "1");
    }
    assert!(step(&mut client, at(0, "x = 1")).await.unwrap().replayed);
}

/// Replies of the last 256 steps are kept.
#[tokio::test]
async fn a_step_whose_reply_was_dropped_tells_how_it_ended() {
    let server = Server::start(&[]);
    let mut client = server.raw().await;
    client.reset(reset_request("e")).await.unwrap();
    let at = |index: u32, code: &str| StepRequest {
        step_index: Some(index),
        ..step_request("e", code)
    };
    step(&mut client, at(0, "import sys; sys.exit(7)"))
        .await
        .unwrap();
    for index in 1..=257 {
        step(&mut client, at(index, "pass")).await.unwrap();
    }
    let status = step(&mut client, at(0, "import sys; sys.exit(7)"))
        .await
        .unwrap_err();
    let metadata = refused(&status, Code::FailedPrecondition, "STEP_REPLY_DROPPED");
    assert_eq!(metadata["step_index"], "0");
    assert_eq!(metadata["outcome"], "exited");
    assert_eq!(metadata["exit_code"], "7");
    assert_eq!(metadata["state_after"], "intact");
    let status = step(&mut client, at(0, "something else"))
        .await
        .unwrap_err();
    refused(&status, Code::FailedPrecondition, "STEP_OUT_OF_ORDER");
}

#[tokio::test]
async fn steps_in_flight_are_aborted_when_their_episode_ends() {
    let server = Server::start(&["--max-queued-steps", "1"]);
    let mut client = server.raw().await;
    client.reset(reset_request("e")).await.unwrap();
    let running_step = running(&client, "e", WAITS).await;
    let mut queueing = client.clone();
    let queued = tokio::spawn(async move { step(&mut queueing, step_request("e", "1")).await });
    state_where(&client, "e", |state| state.queued_steps == 1).await;

    let status = step(&mut client, step_request("e", "2")).await.unwrap_err();
    let metadata = refused(&status, Code::ResourceExhausted, "STEP_QUEUE_FULL");
    assert_eq!(metadata["max"], "1");

    client.close(close_request("e")).await.unwrap();
    for step in [running_step, queued] {
        let status = step.await.unwrap().unwrap_err();
        let metadata = refused(&status, Code::Aborted, "EPISODE_ENDED");
        assert_eq!(metadata["episode_id"], "e");
        assert_eq!(metadata["how"], "was closed");
    }
}

#[tokio::test]
async fn a_full_server_says_when_to_try_again() {
    let server = Server::start(&[
        "--max-episodes",
        "3",
        "--max-running-steps",
        "1",
        "--max-waiting-steps",
        "1",
    ]);
    let mut client = server.raw().await;
    for id in ["a", "b", "c"] {
        client.reset(reset_request(id)).await.unwrap();
    }
    let status = client.reset(reset_request("d")).await.unwrap_err();
    let metadata = refused(&status, Code::ResourceExhausted, "EPISODE_LIMIT");
    assert_eq!(metadata["max"], "3");

    let first = running(&client, "a", WAITS).await;
    let mut waiting = client.clone();
    let second =
        tokio::spawn(async move { step(&mut waiting, step_request("b", "'b ran'")).await });
    let both = async {
        loop {
            let info = client.get_server_info(coding_env::proto::v1::GetServerInfoRequest {});
            let capacity = info.await.unwrap().into_inner().capacity.unwrap();
            if (capacity.running_steps, capacity.waiting_steps) == (1, 1) {
                return capacity;
            }
        }
    };
    let capacity = tokio::time::timeout(PATIENCE, both).await.unwrap();
    assert_eq!((capacity.episodes, capacity.draining), (3, false));
    let status = step(&mut client, step_request("c", "1")).await.unwrap_err();
    let metadata = refused(&status, Code::ResourceExhausted, "STEP_LIMIT");
    assert_eq!(metadata["waiting"], "1");

    // The one that waited gets its turn.
    client.close(close_request("a")).await.unwrap();
    let status = first.await.unwrap().unwrap_err();
    refused(&status, Code::Aborted, "EPISODE_ENDED");
    let reply = second.await.unwrap().unwrap();
    assert_eq!(reply.observation.unwrap().result(), "'b ran'");
}

#[tokio::test]
async fn without_an_interpreter_a_reset_is_told_so_in_time() {
    let mut server = Server::start(&["--worker-wait", "200ms", "--warm-workers", "1"]);
    server.expect_log("a new worker failed");
    let mut client = server.raw().await;
    // Workers are forked from it and have its command line: it is the warden's first child.
    let template = server.processes_named("coding-env-template")[0];
    kill(template, "STOP");
    // What is in the pool, or on its way there, is still handed out.
    let mut made = 0;
    let status = loop {
        match client.reset(ResetRequest::default()).await {
            Ok(_) => made += 1,
            Err(status) => break status,
        }
        assert!(made < 8, "a stopped template goes on forking");
    };
    let metadata = refused(&status, Code::Unavailable, "NO_WORKER");
    assert_eq!(metadata["waited"], "200ms");
    kill(template, "CONT");
    let again = async { while client.reset(ResetRequest::default()).await.is_err() {} };
    tokio::time::timeout(PATIENCE, again).await.unwrap();
}

#[tokio::test]
async fn a_server_that_drains_takes_no_new_episodes() {
    let mut server = Server::start(&[]);
    let mut client = server.raw().await;
    client.reset(reset_request("e")).await.unwrap();
    server.signal("TERM");
    server.wait_for_log("draining");
    let status = client.reset(reset_request("f")).await.unwrap_err();
    refused(&status, Code::Unavailable, "SHUTTING_DOWN");
    // The live one goes on until it is closed.
    let reply = step(&mut client, step_request("e", "1 + 1")).await.unwrap();
    assert_eq!(reply.observation.unwrap().result(), "2");
    client.close(close_request("e")).await.unwrap();
    assert!(server.wait().success());
}

/// The library's own timeout would answer CANCELLED.
#[tokio::test]
async fn the_callers_deadline_is_told_by_us_and_the_step_goes_on() {
    let server = Server::start(&[]);
    let mut client = server.raw().await;
    client.reset(reset_request("e")).await.unwrap();
    let (name, naming) = naming();
    step(&mut client, step_request("e", &naming)).await.unwrap();
    let go = working_dir(named(&server, &name)).join("go");
    let code =
        "import pathlib, time\nwhile not pathlib.Path('go').exists(): time.sleep(0.01)\n'done'";
    let request = StepRequest {
        step_index: Some(1),
        timeout: Some(prost_types::Duration {
            seconds: 60,
            nanos: 0,
        }),
        ..step_request("e", code)
    };
    let mut hurried = Request::new(request.clone());
    hurried.set_timeout(Duration::from_secs(1));
    let status = client.step(hurried).await.unwrap_err();
    refused(&status, Code::DeadlineExceeded, "DEADLINE");
    let state = client.get_state(state_request("e")).await.unwrap();
    assert_eq!(
        state.get_ref().status(),
        coding_env::proto::v1::EpisodeStatus::Running
    );
    // A retry collects the reply.
    let joined = tokio::spawn({
        let mut client = client.clone();
        async move { step(&mut client, request).await }
    });
    std::fs::write(go, "").unwrap();
    let reply = joined.await.unwrap().unwrap();
    assert_eq!(reply.observation.unwrap().result(), "'done'");
    assert_eq!(reply.state.unwrap().step_count, 2);
}

/// Without a timeout of its own, a step gets the call's, less a margin, so that its reply arrives.
#[tokio::test]
async fn a_steps_timeout_follows_from_the_callers_deadline() {
    let server = Server::start(&["--interrupt-grace", "100ms"]);
    let mut client = server.raw().await;
    client.reset(reset_request("e")).await.unwrap();
    let mut request = Request::new(step_request("e", WAITS));
    request.set_timeout(Duration::from_secs(3));
    let reply = client.step(request).await.unwrap().into_inner();
    assert_eq!(reply.outcome(), coding_env::proto::v1::Outcome::TimedOut);
    let timeout = Duration::try_from(reply.timeout.unwrap()).unwrap();
    assert!(
        timeout < Duration::from_secs(3) && timeout > Duration::from_secs(2),
        "{timeout:?}"
    );
    assert_eq!(reply.observation.unwrap().exit_code, 124);
}

/// What never reaches the service is answered by the library, as the contract says: without our details.
#[tokio::test]
async fn what_is_no_request_is_answered_without_details() {
    let server = Server::start(&[]);
    let mut client = tonic::client::Grpc::new(server.channel().await);
    let service = "/coding_env.v1.CodingEnv";
    for (method, code) in [("Reset", Code::Internal), ("Fetch", Code::Unimplemented)] {
        client.ready().await.unwrap();
        // Field 2 is a number here and a text in ResetRequest.
        let request = Request::new(InterruptRequest {
            episode_id: "e".to_owned(),
            step_index: Some(1),
        });
        let path = format!("{service}/{method}").parse().unwrap();
        let codec = tonic_prost::ProstCodec::<InterruptRequest, StepResponse>::default();
        let status = client.unary(request, path, codec).await.unwrap_err();
        assert_eq!(status.code(), code, "{status:?}");
        assert!(status.get_error_details().error_info().is_none());
    }
}
