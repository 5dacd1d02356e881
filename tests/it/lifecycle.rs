//! Start, health, drain, expiry and end, as an operator sees them.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use coding_env::client::{CodingEnv, Options, endpoint};
use coding_env::config::{Config, ServeArgs};
use coding_env::proto::v1;
use coding_env::server::{LocalServer, ServeError};
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt as _;

use crate::crash::venv_with;
use crate::support::{PATIENCE, PROGRAM, Server, default_python, wait_until, workspace_of};

const NAMES: [&str; 4] = ["", "coding_env.v1.CodingEnv", "liveness", "readiness"];

async fn health(url: &str) -> [ServingStatus; 4] {
    let channel = endpoint(url, &Options::default())
        .unwrap()
        .connect()
        .await
        .unwrap();
    let mut client = HealthClient::new(channel);
    let mut found = [ServingStatus::Unknown; 4];
    for (name, found) in NAMES.iter().zip(&mut found) {
        let request = HealthCheckRequest {
            service: (*name).to_owned(),
        };
        *found = client.check(request).await.unwrap().into_inner().status();
    }
    found
}

const READY: [ServingStatus; 4] = [ServingStatus::Serving; 4];
const NOT_READY: [ServingStatus; 4] = [
    ServingStatus::NotServing,
    ServingStatus::NotServing,
    ServingStatus::Serving,
    ServingStatus::NotServing,
];

/// The port that a process listens on, once it does.
fn listening_port(pid: u32) -> u16 {
    let mut port = None;
    wait_until("it listens", || {
        let sockets: Vec<String> = std::fs::read_dir(format!("/proc/{pid}/fd"))
            .unwrap()
            .flatten()
            .filter_map(|fd| Some(std::fs::read_link(fd.path()).ok()?.to_str()?.to_owned()))
            .collect();
        let table = std::fs::read_to_string(format!("/proc/{pid}/net/tcp")).unwrap();
        port = table.lines().skip(1).find_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let listens = fields[3] == "0A" && sockets.contains(&format!("socket:[{}]", fields[9]));
            listens.then(|| u16::from_str_radix(fields[1].rsplit(':').next().unwrap(), 16).unwrap())
        });
        port.is_some()
    });
    port.unwrap()
}

/// Ends the program if the test fails.
struct Ended(std::process::Child);

impl Drop for Ended {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn serve(flags: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command
        .args(["serve", "--listen", "127.0.0.1:0"])
        .args(flags)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command
}

/// Runs `serve` to its end. Returns the exit code and what it wrote.
fn fails(flags: &[&str]) -> (Option<i32>, String) {
    let state = tempfile::tempdir().unwrap();
    let mut child = Ended(
        serve(flags)
            .arg("--state-dir")
            .arg(state.path())
            .spawn()
            .unwrap(),
    );
    let mut text = String::new();
    child
        .0
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    let status = child.0.wait().unwrap();
    wait_until("nothing is left in the state directory", || {
        std::fs::read_dir(state.path()).unwrap().next().is_none()
    });
    (status.code(), text)
}

#[tokio::test]
async fn health_says_not_serving_until_the_first_template_is_warm() {
    let dir = out_of_tmp().unwrap();
    // Where the module can see it.
    let go = dir.path().join("venv/go");
    let source = format!("import os, time\nwhile not os.path.exists({go:?}): time.sleep(0.005)\n");
    let python = venv_with(dir.path(), "slow_to_import", &source);
    let mut child = Ended(
        serve(&[
            "--python",
            &python,
            "--preload",
            "slow_to_import",
            "--state-dir",
        ])
        .arg(dir.path())
        .spawn()
        .unwrap(),
    );
    let url = format!("http://127.0.0.1:{}", listening_port(child.0.id()));
    assert_eq!(health(&url).await, NOT_READY);
    std::fs::write(&go, "").unwrap();
    let begun = Instant::now();
    while health(&url).await != READY {
        assert!(begun.elapsed() < PATIENCE);
    }
    crate::support::kill(child.0.id() as i32, "TERM");
    assert_eq!(child.0.wait().unwrap().code(), Some(0));
}

/// A directory for interpreters: below /tmp episodes have files of their own.
fn out_of_tmp() -> std::io::Result<tempfile::TempDir> {
    tempfile::tempdir_in("/var/tmp")
}

#[test]
fn an_interpreter_that_can_not_start_says_why() {
    // A program that is none complains of its arguments, and ends.
    let (code, text) = fails(&["--python", "ls"]);
    assert_eq!(code, Some(1));
    assert!(
        text.contains("runtime `default` (/") && text.contains("and wrote: /"),
        "{text}"
    );
}

#[tokio::test]
async fn a_preload_that_crashes_says_why_and_one_that_warns_without_end_does_no_harm() {
    let dir = out_of_tmp().unwrap();
    let source = "import sys, os\nprint('about to crash', file=sys.stderr)\nos.abort()\n";
    let python = venv_with(dir.path(), "crashes", source);
    let (code, text) = fails(&["--python", &python, "--preload", "crashes"]);
    assert_eq!(code, Some(1));
    assert!(text.contains("about to crash"), "{text}");

    let dir = out_of_tmp().unwrap();
    let source = "import warnings\nwarnings.simplefilter('always')\nfor n in range(40): warnings.warn('x' * 60_000)\n";
    let python = venv_with(dir.path(), "warns", source);
    let server = Server::start(&["--python", &python, "--preload", "warns"]);
    let mut env = server.env().await;
    env.reset().await.unwrap();
    let reply = env
        .step("import sys\nprint('mine', file=sys.stderr)")
        .await
        .unwrap();
    assert_eq!(reply.stderr(), "mine\n");
}

#[tokio::test]
async fn a_virtual_environment_is_used_as_such() {
    let dir = out_of_tmp().unwrap();
    let python = venv_with(dir.path(), "only_in_there", "value = 42\n");
    let server = Server::start(&["--python", &python]);
    let mut env = server.env().await;
    env.reset().await.unwrap();
    let reply = env
        .step("import sys, only_in_there\n(only_in_there.value, sys.executable)")
        .await
        .unwrap();
    assert_eq!(
        reply.result(),
        Some(format!("(42, '{python}')").as_str()),
        "{reply:?}"
    );
}

#[tokio::test]
async fn a_warden_that_dies_while_the_server_starts_ends_it() {
    let dir = out_of_tmp().unwrap();
    let python = venv_with(
        dir.path(),
        "never_imported",
        "import time\ntime.sleep(1000)\n",
    );
    let mut child = Ended(
        serve(&[
            "--python",
            &python,
            "--preload",
            "never_imported",
            "--state-dir",
        ])
        .arg(dir.path())
        .spawn()
        .unwrap(),
    );
    let server = child.0.id() as i32;
    // The template is known by its name: the probe, and an interpreter that tells its paths, are there before it.
    let is_template =
        |pid: &i32| crate::support::command_line(*pid).contains("coding-env-template-");
    let mut warden = None;
    wait_until("the template starts", || {
        let wardens = crate::support::descendants(server);
        let above = |warden: &&i32| {
            crate::support::descendants(**warden)
                .iter()
                .any(is_template)
        };
        warden = wardens.iter().find(above).copied();
        warden.is_some()
    });
    crate::support::kill(warden.unwrap(), "KILL");
    wait_until("the server has ended", || {
        child.0.try_wait().unwrap().is_some()
    });
    assert_eq!(child.0.wait().unwrap().code(), Some(1));
}

#[tokio::test]
async fn a_drain_refuses_resets_and_lets_live_episodes_go_on() {
    let mut server = Server::start(&[]);
    assert_eq!(health(&server.url()).await, READY);
    let mut live = server.env().await;
    live.reset().await.unwrap();
    live.step("x = 20").await.unwrap();
    let watching = endpoint(&server.url(), &Options::default())
        .unwrap()
        .connect()
        .await
        .unwrap();
    let request = HealthCheckRequest {
        service: "readiness".to_owned(),
    };
    let mut watched = HealthClient::new(watching)
        .watch(request)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        watched.message().await.unwrap().unwrap().status(),
        ServingStatus::Serving
    );
    server.signal("TERM");
    assert_eq!(
        watched.message().await.unwrap().unwrap().status(),
        ServingStatus::NotServing
    );
    drop(watched);
    assert_eq!(health(&server.url()).await, NOT_READY);
    let refused = server
        .raw()
        .await
        .reset(v1::ResetRequest::default())
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable);
    assert_eq!(
        refused.get_details_error_info().unwrap().reason,
        "SHUTTING_DOWN"
    );
    assert!(refused.get_details_retry_info().is_some());
    assert!(live.server_info().await.unwrap().capacity.unwrap().draining);
    for _ in 0..3 {
        assert_eq!(live.step("x + 1").await.unwrap().result(), Some("21"));
    }
    live.close().await.unwrap();
    assert_eq!(server.wait().code(), Some(0));
}

#[tokio::test]
async fn when_the_drain_timeout_has_passed_running_steps_are_interrupted_and_answered() {
    let mut server = Server::start(&["--drain-timeout", "300ms"]);
    let mut live = server.env().await;
    live.reset().await.unwrap();
    let code =
        "import time\nopen('ran', 'w').close()\nprint('begun')\nwhile True: time.sleep(0.01)";
    let ran = workspace_of(&server, &mut live).await.join("ran");
    let step = tokio::spawn(async move { live.step(code).await });
    while !ran.exists() {
        tokio::task::yield_now().await;
    }
    server.signal("TERM");
    let reply = step.await.unwrap().unwrap();
    assert_eq!(reply.outcome(), v1::Outcome::Interrupted);
    assert_eq!((reply.stdout(), reply.exit_code()), ("begun\n", 130));
    assert_eq!(server.wait().code(), Some(0));
}

#[tokio::test]
async fn a_second_signal_ends_at_once() {
    let mut server = Server::start(&["--drain-timeout", "1h"]);
    server.expect_log("asked again: ending at once");
    let mut live = server.env().await;
    live.reset().await.unwrap();
    live.step("1").await.unwrap();
    server.signal("INT");
    server.wait_for_log("draining");
    server.signal("TERM");
    assert_eq!(server.wait().code(), Some(0));
}

/// Whoever started it holds the other end of a pipe: when that has gone, the server ends, and every process of it.
#[tokio::test]
async fn it_ends_with_standard_input_when_asked_to() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Command::new(PROGRAM)
        .args(["serve", "--listen", "127.0.0.1:0", "--end-with-stdin"])
        .args([
            "--drain-timeout",
            "1h",
            "--log-format",
            "json",
            "--state-dir",
        ])
        .arg(folder.path())
        .arg("--python")
        .arg(default_python())
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut log = BufReader::new(server.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("\"message\":\"serving\"") {
        line.clear();
        assert!(log.read_line(&mut line).unwrap() > 0, "it does not serve");
    }
    let url = format!("http://{}", crate::support::field(&line, "address"));
    let mut live = CodingEnv::connect(&url).await.unwrap();
    live.reset().await.unwrap();
    let mut input = server.stdin.take().unwrap();
    // What is written there is of no interest.
    input.write_all(b"hello\n").unwrap();
    assert_eq!(live.step("6 * 7").await.unwrap().result(), Some("42"));
    drop(input);
    // Its standard error ends with the last process that has it.
    let mut rest = String::new();
    log.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("standard input has ended"), "{rest}");
    assert_eq!(server.wait().unwrap().code(), Some(0), "{rest}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn what_is_wrong_at_the_start_is_named_with_an_exit_code() {
    let python = default_python();
    let python = python.to_str().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let rows: [(&[&str], i32, &[&str]); 7] = [
        (&["--no-such-flag"], 2, &["--no-such-flag"]),
        (
            &["--python", python, "--warm-workers", "0"],
            64,
            &["--warm-workers", "between 1 and 1024"],
        ),
        (
            &["--python", python, "--transforms", "safety,nonsense"],
            64,
            &["--transforms", "nonsense"],
        ),
        (&["--python", "/no/such/python"], 64, &["/no/such/python"]),
        (
            &["--python", python, "--preload", "no_such_module"],
            1,
            &[
                "preload `no_such_module` failed",
                "ModuleNotFoundError",
                "runtime `default`",
            ],
        ),
        (&["--python", "/bin/true"], 1, &["/bin/true"]),
        (
            &["--python", python, "--max-episodes", "0"],
            64,
            &["--max-episodes"],
        ),
    ];
    for (flags, code, texts) in rows {
        let (found, text) = fails(flags);
        assert_eq!(found, Some(code), "{flags:?}: {text}");
        for expected in texts {
            assert!(text.contains(expected), "{flags:?}: {text}");
        }
    }
    let output = Command::new(PROGRAM)
        .args(["serve", "--python", python, "--listen", &address])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(
        text.contains(&format!("listening on {address}: ")) && text.contains("in use"),
        "{text}"
    );
}

#[tokio::test]
async fn an_idle_episode_expires_and_says_so() {
    let server = Server::start(&["--max-idle-timeout", "1s"]);
    let (mut env, mut other) = (server.env().await, server.env().await);
    env.reset().await.unwrap();
    env.step("1").await.unwrap();
    // A step that runs longer than that is not idle.
    other.reset().await.unwrap();
    other.step("import time; time.sleep(1.8)").await.unwrap();
    wait_until("it has expired", || {
        server
            .log()
            .iter()
            .any(|line| line.contains("\"message\":\"expired\""))
    });
    let error = env.step("2").await.unwrap_err();
    assert_eq!(error.reason().unwrap().as_str(), "EPISODE_EXPIRED");
    let error = env.state().await.unwrap_err();
    assert_eq!(error.reason().unwrap().as_str(), "EPISODE_EXPIRED");
    env.close().await.unwrap();
    env.reset().await.unwrap();
    assert_eq!(env.step("2").await.unwrap().result(), Some("2"));
}

fn local_config(state: &std::path::Path) -> Config {
    let mut args = ServeArgs::from_environment().unwrap();
    args.python = default_python();
    args.warm_workers = 1;
    args.state_dir = Some(state.to_owned());
    Config::try_from(args).unwrap()
}

#[tokio::test]
async fn a_program_that_enters_no_role_is_told_so() {
    let state = tempfile::tempdir().unwrap();
    let mut config = local_config(state.path());
    let error = LocalServer::start(config.clone()).await.unwrap_err();
    assert!(matches!(error, ServeError::Start(_)), "{error}");
    assert!(error.to_string().contains("enter_role"), "{error}");
    config.role_program = Some(PROGRAM.into());
    let server = LocalServer::start(config).await.unwrap();
    let mut env = CodingEnv::connect(&server.url()).await.unwrap();
    env.reset().await.unwrap();
    assert_eq!(env.step("6 * 7").await.unwrap().result(), Some("42"));
    env.close().await.unwrap();
    let begun = Instant::now();
    server.stop().await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(20));
    assert!(std::fs::read_dir(state.path()).unwrap().next().is_none());
}
