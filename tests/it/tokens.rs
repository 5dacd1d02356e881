//! Bearer tokens: who is answered, and whose an episode is.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use coding_env::client::{CodingEnv, Options, Reason, Token, endpoint};
use coding_env::proto::v1::coding_env_client::CodingEnvClient;
use coding_env::proto::v1::{
    DeleteFilesRequest, GetServerInfoRequest, InterruptRequest, ListFilesRequest, Outcome,
    ReadFilesRequest, ResetRequest, WriteFilesRequest,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tonic::metadata::AsciiMetadataValue;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_types::StatusExt as _;

use crate::cli::{program, shown};
use crate::refusals::{close_request, refused, reset_request, step_request};
use crate::support::files::{file, glob};
use crate::support::{PATIENCE, Server, kill, soak, state_request, wait_until};
use crate::tls::{self, Authority};

const ALICE: &str = "alice-0123456789abcdefghijklmnop";
const BOB: &str = "bob-0123456789abcdefghijklmnopqr";
const LATE: &str = "late-0123456789abcdefghijklmnopq";
const WRONG: &str = "wrong-0123456789abcdefghijklmnop";

/// The line that a tokens file leaves in the log.
const READ: &str = "\"message\":\"tokens\"";

struct Tokens {
    dir: tempfile::TempDir,
}

impl Tokens {
    fn new() -> Self {
        let tokens = Self {
            dir: tempfile::tempdir().unwrap(),
        };
        tokens.write(&format!(
            "# name token expiry\nalice {ALICE}\nbob {BOB} 2999-01-01T00:00:00Z\nlate {LATE} 2020-02-29T12:00:00+01:00\n"
        ));
        tokens
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("tokens")
    }

    /// Replaces the file as Kubernetes does: a link to the new one is put where the old one's was.
    fn write(&self, text: &str) {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let at = |name: &str| self.dir.path().join(name);
        let version = format!("version-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        fs::create_dir(at(&version)).unwrap();
        let file = at(&version).join("tokens");
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        symlink(version, at("..data_new")).unwrap();
        fs::rename(at("..data_new"), at("..data")).unwrap();
        if !self.path().exists() {
            symlink(Path::new("..data/tokens"), self.path()).unwrap();
        }
    }

    fn serve(&self, flags: &[&str]) -> Server {
        let path = self.path();
        let own = ["--tokens-file", path.to_str().unwrap()];
        Server::start_open(&[&own, flags].concat())
    }
}

fn read_count(server: &Server) -> usize {
    let log = server.log();
    log.iter().filter(|line| line.contains(READ)).count()
}

fn with_header<T>(message: T, header: Option<&str>) -> Request<T> {
    let mut request = Request::new(message);
    if let Some(header) = header {
        let value = AsciiMetadataValue::try_from(header).unwrap();
        request.metadata_mut().insert("authorization", value);
    }
    request
}

fn of<T>(token: &str, message: T) -> Request<T> {
    with_header(message, Some(&format!("Bearer {token}")))
}

/// Checks that this is the refusal of a request without a valid token, which tells nothing but that. Returns its words.
fn token_invalid(status: &Status) -> String {
    let details = status.get_error_details();
    let info = details.error_info().unwrap();
    assert_eq!(
        (status.code(), info.reason.as_str(), info.domain.as_str()),
        (Code::Unauthenticated, "TOKEN_INVALID", "coding_env"),
        "{status:?}"
    );
    assert!(info.metadata.is_empty(), "{status:?}");
    assert!(status.metadata().get("x-coding-env-server").is_none());
    status.message().to_owned()
}

fn interrupt_request(id: &str) -> InterruptRequest {
    InterruptRequest {
        episode_id: id.to_owned(),
        step_index: None,
    }
}

fn writing(id: &str) -> WriteFilesRequest {
    WriteFilesRequest {
        episode_id: id.to_owned(),
        chunks: vec![file("x", "x")],
        sha256: false,
    }
}

fn reading(id: &str) -> ReadFilesRequest {
    ReadFilesRequest {
        episode_id: id.to_owned(),
        files: vec![glob("*")],
        ..ReadFilesRequest::default()
    }
}

fn listing(id: &str) -> ListFilesRequest {
    ListFilesRequest {
        episode_id: id.to_owned(),
        ..ListFilesRequest::default()
    }
}

fn deletion(id: &str) -> DeleteFilesRequest {
    DeleteFilesRequest {
        episode_id: id.to_owned(),
        files: vec![glob("*")],
        recursive: true,
    }
}

/// The answer of every RPC, without what it says when it is well.
async fn every_rpc(
    channel: &Channel,
    header: Option<&str>,
) -> Vec<(&'static str, Result<(), Status>)> {
    let mut client = CodingEnvClient::new(channel.clone());
    let id = "nobody-s";
    let mut reflection = ServerReflectionClient::new(channel.clone());
    let list = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let listed = async {
        let request = with_header(tokio_stream::once(list), header);
        let mut replies = reflection
            .server_reflection_info(request)
            .await?
            .into_inner();
        replies.message().await.map(drop)
    };
    vec![
        ("reflection", listed.await),
        (
            "Reset",
            client
                .reset(with_header(ResetRequest::default(), header))
                .await
                .map(drop),
        ),
        (
            "Step",
            client
                .step(with_header(step_request(id, "1"), header))
                .await
                .map(drop),
        ),
        (
            "GetState",
            client
                .get_state(with_header(state_request(id), header))
                .await
                .map(drop),
        ),
        (
            "Interrupt",
            client
                .interrupt(with_header(interrupt_request(id), header))
                .await
                .map(drop),
        ),
        (
            "Close",
            client
                .close(with_header(close_request(id), header))
                .await
                .map(drop),
        ),
        (
            "WriteFiles",
            client
                .write_files(with_header(tokio_stream::once(writing(id)), header))
                .await
                .map(drop),
        ),
        (
            "ReadFiles",
            client
                .read_files(with_header(reading(id), header))
                .await
                .map(drop),
        ),
        (
            "ListFiles",
            client
                .list_files(with_header(listing(id), header))
                .await
                .map(drop),
        ),
        (
            "DeleteFiles",
            client
                .delete_files(with_header(deletion(id), header))
                .await
                .map(drop),
        ),
        (
            "GetServerInfo",
            client
                .get_server_info(with_header(GetServerInfoRequest {}, header))
                .await
                .map(drop),
        ),
    ]
}

async fn health(channel: &Channel) -> Result<(), Status> {
    let service = "readiness".to_owned();
    let request = HealthCheckRequest { service };
    HealthClient::new(channel.clone())
        .check(request)
        .await
        .map(drop)
}

#[tokio::test]
async fn no_rpc_is_answered_without_a_token_in_force_and_none_says_what_was_wrong() {
    let tokens = Tokens::new();
    let server = tokens.serve(&[]);
    let channel = server.channel().await;
    health(&channel).await.unwrap();
    let bearer = |token: &str| Some(format!("Bearer {token}"));
    let mut told = Vec::new();
    for header in [
        None,
        bearer(WRONG),
        bearer(LATE),
        bearer(&ALICE[1..]),
        bearer(&format!("{ALICE}x")),
        bearer(&"x".repeat(10_000)),
        bearer(""),
        Some(format!("Basic {ALICE}")),
        Some(ALICE.to_owned()),
    ] {
        for (rpc, answer) in every_rpc(&channel, header.as_deref()).await {
            let status = answer.expect_err(rpc);
            told.push(token_invalid(&status));
        }
    }
    told.dedup();
    assert_eq!(told.len(), 1, "{told:?}");
    // Two tokens are none.
    let mut twice = of(ALICE, GetServerInfoRequest {});
    let again = AsciiMetadataValue::try_from(format!("Bearer {ALICE}")).unwrap();
    twice.metadata_mut().append("authorization", again);
    let mut client = CodingEnvClient::new(channel.clone());
    let status = client.get_server_info(twice).await.unwrap_err();
    token_invalid(&status);

    for token in [ALICE, BOB] {
        for (rpc, answer) in every_rpc(&channel, bearer(token).as_deref()).await {
            if let Err(status) = answer {
                assert_eq!(status.code(), Code::NotFound, "{rpc}: {status:?}");
            }
        }
    }
}

#[tokio::test]
async fn health_and_reflection_need_a_token_or_none_as_the_operator_says() {
    let tokens = Tokens::new();
    for (open, health_open, reflection_open) in
        [("health,reflection", true, true), ("none", false, false)]
    {
        let server = tokens.serve(&["--open", open]);
        let channel = server.channel().await;
        assert_eq!(health(&channel).await.is_ok(), health_open, "{open}");
        for (rpc, answer) in every_rpc(&channel, None).await {
            let is_open = rpc == "reflection" && reflection_open;
            assert_eq!(answer.is_ok(), is_open, "{open} {rpc}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn an_episode_exists_to_its_own_owner_alone() {
    let tokens = Tokens::new();
    let server = tokens.serve(&[]);
    let mut client = server.raw().await;
    let id = "same";
    client.reset(of(ALICE, reset_request(id))).await.unwrap();
    client
        .step(of(ALICE, step_request(id, "x = 'alice'")))
        .await
        .unwrap();

    // To Bob it does not exist, whatever he does with its id.
    let unknown = |status: Status| {
        refused(&status, Code::NotFound, "EPISODE_NOT_FOUND");
    };
    unknown(
        client
            .step(of(BOB, step_request(id, "x")))
            .await
            .unwrap_err(),
    );
    unknown(
        client
            .get_state(of(BOB, state_request(id)))
            .await
            .unwrap_err(),
    );
    unknown(
        client
            .interrupt(of(BOB, interrupt_request(id)))
            .await
            .unwrap_err(),
    );
    let messages = tokio_stream::once(writing(id));
    unknown(client.write_files(of(BOB, messages)).await.unwrap_err());
    unknown(client.read_files(of(BOB, reading(id))).await.unwrap_err());
    unknown(client.list_files(of(BOB, listing(id))).await.unwrap_err());
    unknown(
        client
            .delete_files(of(BOB, deletion(id)))
            .await
            .unwrap_err(),
    );
    let closed = client.close(of(BOB, close_request(id))).await.unwrap();
    assert!(!closed.into_inner().closed);
    let ending = ResetRequest {
        episode_id: "other".to_owned(),
        previous_episode_id: id.to_owned(),
        ..ResetRequest::default()
    };
    client.reset(of(BOB, ending)).await.unwrap();
    // His own episode may have that very id.
    client.reset(of(BOB, reset_request(id))).await.unwrap();
    client
        .step(of(BOB, step_request(id, "x = 'bob'")))
        .await
        .unwrap();

    for (token, name) in [(ALICE, "'alice'"), (BOB, "'bob'")] {
        let reply = client
            .step(of(token, step_request(id, "x")))
            .await
            .unwrap()
            .into_inner();
        assert_eq!(reply.result(), Some(name));
        assert_eq!(reply.step_index, 1);
    }
    // What has ended for one is alive for the other, and the reason is told to its owner alone.
    client.close(of(ALICE, close_request(id))).await.unwrap();
    let status = client
        .get_state(of(ALICE, state_request(id)))
        .await
        .unwrap_err();
    refused(&status, Code::NotFound, "EPISODE_CLOSED");
    client.get_state(of(BOB, state_request(id))).await.unwrap();
    client.close(of(BOB, close_request("other"))).await.unwrap();
    unknown(
        client
            .get_state(of(ALICE, state_request("other")))
            .await
            .unwrap_err(),
    );
    let status = client
        .reset(of(ALICE, reset_request(id)))
        .await
        .unwrap_err();
    refused(&status, Code::AlreadyExists, "EPISODE_EXISTS");
}

#[tokio::test]
async fn tokens_are_rotated_while_episodes_go_on_and_a_broken_file_changes_nothing() {
    let new = "alice-new-0123456789abcdefghijkl";
    let tokens = Tokens::new();
    let mut server = tokens.serve(&[]);
    let mut client = server.raw().await;
    client.reset(of(ALICE, reset_request("e"))).await.unwrap();
    client
        .step(of(ALICE, step_request("e", "x = 1")))
        .await
        .unwrap();

    tokens.write(&format!("alice {new}\n"));
    wait_until("the new file is read", || read_count(&server) == 2);
    let status = client
        .step(of(ALICE, step_request("e", "x")))
        .await
        .unwrap_err();
    token_invalid(&status);
    let status = client
        .get_server_info(of(BOB, GetServerInfoRequest {}))
        .await
        .unwrap_err();
    token_invalid(&status);
    let reply = client.step(of(new, step_request("e", "x"))).await.unwrap();
    assert_eq!(reply.into_inner().result(), Some("1"));

    server.expect_log("the tokens file can't be used");
    tokens.write(&format!("alice {new}\nbob short\n"));
    let told = server.wait_for_log("the tokens file can't be used");
    assert!(
        told.contains("line 2: the token has to be 32 to 512"),
        "{told}"
    );
    client.step(of(new, step_request("e", "x"))).await.unwrap();

    tokens.write(&format!("alice {ALICE}\n"));
    wait_until("it is mended", || read_count(&server) == 3);
    client
        .step(of(ALICE, step_request("e", "x")))
        .await
        .unwrap();
    // Nothing has changed: the signal alone has it read.
    kill(server.pid(), "HUP");
    wait_until("SIGHUP has it read", || read_count(&server) == 4);
    for secret in [ALICE, BOB, LATE, new] {
        assert!(!server.log().join("\n").contains(secret));
    }
}

#[tokio::test]
async fn a_file_that_can_not_be_used_refuses_the_start_and_one_open_to_all_is_told() {
    let tokens = Tokens::new();
    for (text, told) in [
        (
            format!("alice {ALICE}\nbob {}", &BOB[1..]),
            "line 2: the token has to be",
        ),
        (
            format!("alice {ALICE} tomorrow"),
            "line 1: the time has to be",
        ),
        (String::new(), "it lists no token"),
    ] {
        tokens.write(&text);
        let path = tokens.path();
        let started = Server::start_or_refuse(&["--tokens-file", path.to_str().unwrap()]);
        let log = started.err().expect("it starts");
        assert!(log.contains("--tokens-file") && log.contains(told), "{log}");
        assert!(log.contains("exit status: 64"), "{log}");
        assert!(!log.contains(ALICE) && !log.contains(&BOB[1..]), "{log}");
    }
    tokens.write(&format!("alice {ALICE}"));
    fs::set_permissions(tokens.path(), fs::Permissions::from_mode(0o644)).unwrap();
    let mut server = tokens.serve(&[]);
    server.expect_log("open to every user of this machine");
    server.wait_for_log("open to every user of this machine");
}

#[tokio::test]
async fn ten_thousand_bad_requests_are_refused_and_counted_while_others_are_served() {
    const KINDS: usize = 5;
    const STEPS: usize = 50;
    let each = soak(10_000).div_ceil(KINDS);
    let (tokens, authority) = (Tokens::new(), Authority::new());
    let files = tls::Files::new(&authority);
    let path = tokens.path();
    let server = files.serve(&["--tokens-file", path.to_str().unwrap()]);
    let mut options = tls::options(&authority, None);
    let endpoint = endpoint(&tls::url(&server), &options).unwrap();
    options.token = Some(Token::new(ALICE).unwrap());
    let mut env = CodingEnv::connect_with(&tls::url(&server), options)
        .await
        .unwrap();
    env.reset().await.unwrap();

    let channel = endpoint.connect().await.unwrap();
    let done = AtomicUsize::new(0);
    let attack = async |header: Option<String>| {
        let mut client = CodingEnvClient::new(channel.clone());
        for _ in 0..each {
            let request = with_header(step_request("e", "1"), header.as_deref());
            token_invalid(&client.step(request).await.unwrap_err());
            done.fetch_add(1, Ordering::Relaxed);
        }
    };
    // Even a good token is not looked at when it comes in plain text: who sends it gets an alert, and the end of the connection.
    let plain = async {
        let text = format!("POST / HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {BOB}\r\n\r\n");
        for _ in 0..each {
            let mut stream = TcpStream::connect(server.address()).await.unwrap();
            stream.write_all(text.as_bytes()).await.unwrap();
            let mut said = Vec::new();
            stream.read_to_end(&mut said).await.unwrap();
            // ContentType alert(21): RFC 8446, section 5.1.
            assert_eq!(said.first(), Some(&21), "{said:?}");
            done.fetch_add(1, Ordering::Relaxed);
        }
    };
    // Steps go on between them.
    let work = async {
        for step in 0..STEPS {
            while done.load(Ordering::Relaxed) < step * KINDS * each / STEPS {
                tokio::task::yield_now().await;
            }
            let reply = env.step(format!("{step} + 1")).await.unwrap();
            assert_eq!(reply.result(), Some((step + 1).to_string().as_str()));
        }
    };
    tokio::join!(
        attack(None),
        attack(Some("Basic abc".to_owned())),
        attack(Some(format!("Bearer {WRONG}"))),
        attack(Some(format!("Bearer {LATE}"))),
        plain,
        work,
    );
    // All lines of a kind, summed up.
    let sums = |text: &str, names: &[&str]| -> Vec<usize> {
        let log = server.log();
        let lines = log.iter().filter(|line| line.contains(text));
        let lines: Vec<serde_json::Value> = lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let sum = |name: &&str| lines.iter().filter_map(|line| line[name].as_u64()).sum();
        let sums: Vec<u64> = names.iter().map(sum).collect();
        sums.into_iter().map(|sum| sum as usize).collect()
    };
    let kinds = ["missing", "malformed", "unknown", "expired"];
    wait_until("all are counted in the log", || {
        sums("requests without a valid token", &kinds) == [each; 4]
            && sums("TLS handshakes have failed", &["count"]) == [each]
    });
    let log = server.log();
    assert!(log.len() < 300, "{} lines", log.len());
    for secret in [ALICE, BOB, LATE, WRONG] {
        assert!(!log.join("\n").contains(secret));
    }
}

#[tokio::test]
async fn turns_go_round_between_owners_and_one_who_sends_too_much_is_refused_before_others() {
    let tokens = Tokens::new();
    let server = tokens.serve(&["--max-running-steps", "1", "--max-waiting-steps", "4"]);
    let client = server.raw().await;
    let [go, order] = ["go", "order"].map(|name| server.state_dir().join(name));
    let step = async |token, id, code: &str| {
        let mut client = client.clone();
        client.reset(of(token, reset_request(id))).await.unwrap();
        client.step(of(token, step_request(id, code))).await
    };
    // Returns once this many steps run, and this many wait.
    let counted = async |running, waiting| {
        let mut client = client.clone();
        let looks = async {
            loop {
                let info = client.get_server_info(of(BOB, GetServerInfoRequest {}));
                let capacity = info.await.unwrap().into_inner().capacity.unwrap();
                if (capacity.running_steps, capacity.waiting_steps) == (running, waiting) {
                    break;
                }
            }
        };
        tokio::time::timeout(PATIENCE, looks).await.unwrap();
    };
    let waits =
        format!("import os, time\nwhile not os.path.exists({go:?}):\n    time.sleep(0.005)");
    let writes =
        |letter: char| format!("with open({order:?}, 'a') as file:\n    file.write('{letter}')");
    let (alices, bobs) = (writes('a'), writes('b'));
    // There is no place for one more.
    let is_refused = async |token, waiting: &str| {
        let status = step(token, "more", "1").await.unwrap_err();
        let metadata = refused(&status, Code::ResourceExhausted, "STEP_LIMIT");
        assert_eq!(metadata["waiting"], waiting);
    };
    // In this order: each is sent when the one before has been taken.
    let (first, second, third, fourth, ()) = tokio::join!(
        step(ALICE, "one", &waits),
        async {
            counted(1, 0).await;
            step(ALICE, "two", &alices).await
        },
        async {
            counted(1, 1).await;
            step(ALICE, "three", &alices).await
        },
        async {
            counted(1, 2).await;
            is_refused(ALICE, "2").await;
            step(BOB, "one", &bobs).await
        },
        async {
            counted(1, 3).await;
            is_refused(BOB, "3").await;
            fs::write(&go, "").unwrap();
        },
    );
    for answer in [first, second, third, fourth] {
        assert_eq!(answer.unwrap().into_inner().outcome(), Outcome::Completed);
    }
    assert_eq!(fs::read_to_string(&order).unwrap(), "aba");
    for file in [go, order] {
        fs::remove_file(file).unwrap();
    }
}

#[tokio::test]
async fn our_own_client_and_commands_bear_a_token() {
    let tokens = Tokens::new();
    let server = tokens.serve(&["--open", "none"]);
    let mut env = CodingEnv::connect(&server.url()).await.unwrap();
    let error = env.reset().await.unwrap_err();
    assert_eq!(error.reason(), Some(&Reason::TokenInvalid));
    let mut options = Options::default();
    options.token = Some(Token::new(BOB).unwrap());
    let mut env = CodingEnv::connect_with(&server.url(), options)
        .await
        .unwrap();
    env.reset().await.unwrap();
    assert_eq!(env.step("6 * 7").await.unwrap().result(), Some("42"));
    assert!(!format!("{env:?}").contains(BOB));

    let url = server.url();
    for (arguments, well) in [
        (["health", "--url", url.as_str()].as_slice(), "SERVING\n"),
        (&["run", "--url", &url, "-c", "6 * 7"], "42\n"),
    ] {
        let (out, _, code) = shown(
            &program(arguments)
                .env("CODING_ENV_TOKEN", ALICE)
                .output()
                .unwrap(),
        );
        assert_eq!((out.as_str(), code), (well, Some(0)));
        for token in ["", WRONG] {
            let (out, told, code) = shown(
                &program(arguments)
                    .env("CODING_ENV_TOKEN", token)
                    .output()
                    .unwrap(),
            );
            assert_eq!((out.as_str(), code), ("", Some(1)), "{told}");
            assert!(
                told.contains("bearer token") && !told.contains(WRONG),
                "{told}"
            );
        }
    }
}
