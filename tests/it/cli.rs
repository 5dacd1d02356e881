//! The program as people start it.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Output, Stdio};

use coding_env::proto::v1::GetServerInfoRequest;

use crate::refusals::reset_request;
use crate::support::{PROGRAM, Server, default_python, kill};

/// The program, with nothing in its environment but what it needs.
pub(crate) fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command
        .args(arguments)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("CODING_ENV_PYTHON", default_python())
        .stdin(Stdio::null());
    command
}

pub(crate) fn shown(output: &Output) -> (String, String, Option<i32>) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (
        text(&output.stdout),
        text(&output.stderr),
        output.status.code(),
    )
}

#[test]
fn run_shows_what_the_code_shows_and_ends_as_it_does() {
    let dir = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str], input: &str| {
        let mut child = program(&["run"])
            .args(arguments)
            .env("CODING_ENV_STATE_DIR", dir.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(input.as_bytes())
            .unwrap();
        shown(&child.wait_with_output().unwrap())
    };
    let code = "import sys\nprint('out')\nprint('err', file=sys.stderr)\n6 * 7";
    let expected = ("out\n42\n".to_owned(), "err\n".to_owned(), Some(0));
    assert_eq!(run(&["-c", code], ""), expected);
    assert_eq!(run(&["-"], code), expected);
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), code).unwrap();
    assert_eq!(run(&[file.path().to_str().unwrap()], ""), expected);

    assert_eq!(run(&["-c", "import sys; sys.exit(3)"], "").2, Some(3));
    assert_eq!(run(&["-c", "import os; os._exit(5)"], "").2, Some(5));
    let (_, stderr, code) = run(&["--code", "1 / 0"], "");
    assert_eq!(code, Some(1));
    assert!(
        stderr.ends_with("ZeroDivisionError: division by zero\n"),
        "{stderr}"
    );
    let (stdout, _, code) = run(
        &[
            "--timeout",
            "300ms",
            "-c",
            "print('kept')\nwhile True: pass",
        ],
        "",
    );
    assert_eq!((stdout.as_str(), code), ("kept\n", Some(124)));

    let (_, stderr, code) = run(&["/nowhere/x.py"], "");
    assert_eq!(code, Some(1));
    assert!(stderr.contains("/nowhere/x.py"), "{stderr}");
    assert_eq!(run(&[], "").2, Some(2), "there is nothing to run");
    assert!(
        fs::read_dir(dir.path()).unwrap().next().is_none(),
        "something was left"
    );
}

#[test]
fn run_uses_the_server_that_is_named() {
    let server = Server::start_with(&[], &[("CODING_ENV_HASH_SEED", "7")]);
    let code = "import os; os.environ['PYTHONHASHSEED']";
    let expected = ("'7'\n".to_owned(), String::new(), Some(0));
    let by_flag = program(&["run", "--url", &server.url(), "-c", code]).output();
    assert_eq!(shown(&by_flag.unwrap()), expected);
    let by_variable = program(&["run", "-c", code])
        .env("CODING_ENV_URL", server.url())
        .output();
    assert_eq!(shown(&by_variable.unwrap()), expected);
}

#[tokio::test]
async fn health_tells_whether_a_server_is_ready() {
    let mut server = Server::start(&[]);
    let url = server.url();
    let health = |arguments: &[&str]| {
        let output = program(&["health", "--url", &url]).args(arguments).output();
        shown(&output.unwrap())
    };
    let serving = ("SERVING\n".to_owned(), String::new(), Some(0));
    for name in ["readiness", "liveness", "coding_env.v1.CodingEnv", ""] {
        assert_eq!(health(&["--service", name]), serving, "{name}");
    }
    assert_eq!(health(&[]), serving);
    let (_, stderr, code) = health(&["--service", "nobody"]);
    assert_eq!(code, Some(1), "{stderr}");
    // As in a container: the server's own setting names the port.
    let output = program(&["health"])
        .env("CODING_ENV_LISTEN", server.address())
        .output();
    assert_eq!(shown(&output.unwrap()), serving);

    let mut client = server.raw().await;
    client.reset(reset_request("e")).await.unwrap();
    server.signal("TERM");
    server.wait_for_log("draining");
    let (stdout, _, code) = health(&[]);
    assert_eq!((stdout.as_str(), code), ("NOT_SERVING\n", Some(1)));
    assert_eq!(health(&["--service", "liveness"]), serving);
    server.expect_log("asked again");
    server.signal("TERM");
    server.wait();
    let (stdout, stderr, code) = health(&["--timeout", "5s"]);
    assert_eq!((stdout.as_str(), code), ("", Some(1)));
    assert!(stderr.contains(&url), "{stderr}");
}

#[test]
fn a_url_where_no_server_is_is_told_at_once_in_one_sentence() {
    for command in [&["health"][..], &["run", "-c", "1"]] {
        for (url, expected) in [
            (
                "http://127.0.0.1:1",
                "coding-env: no server answers at http://127.0.0.1:1/: Connection refused (os error 111)\n",
            ),
            (
                "https://127.0.0.1:1",
                "coding-env: no server answers at https://127.0.0.1:1/: Connection refused (os error 111)\n",
            ),
            (
                "ftp://127.0.0.1:1",
                "coding-env: `ftp://127.0.0.1:1` is no URL of a server: it has to be like http://127.0.0.1:8000 or https://HOST:8000\n",
            ),
            (
                "no url",
                "coding-env: `http://no url` is no URL of a server: it has to be like http://127.0.0.1:8000 or https://HOST:8000\n",
            ),
        ] {
            let output = program(command).args(["--url", url]).output();
            let (stdout, stderr, code) = shown(&output.unwrap());
            assert_eq!(
                (stdout.as_str(), stderr.as_str(), code),
                ("", expected, Some(1))
            );
        }
    }
}

#[test]
fn every_flag_of_serve_has_its_variable() {
    let help = program(&["serve", "--help"]).output().unwrap();
    let help = shown(&help).0;
    let mut flags = 0;
    for block in help.split("\n      --").skip(1) {
        let flag: &str = block.split([' ', '\n']).next().unwrap();
        let variable = format!("CODING_ENV_{}", flag.to_uppercase().replace('-', "_"));
        assert!(
            block.contains(&format!("[env: {variable}=")),
            "--{flag}:\n{block}"
        );
        flags += 1;
    }
    assert!(flags > 25, "{help}");
}

#[tokio::test]
async fn variables_work_as_flags_do_and_flags_win() {
    let server = Server::start_with(
        &["--max-queued-steps", "3"],
        &[
            ("CODING_ENV_MAX_EPISODES", "5"),
            ("CODING_ENV_MAX_QUEUED_STEPS", "9"),
            ("CODING_ENV_STEP_TIMEOUT", "1m 5s"),
            ("CODING_ENV_TRANSFORMS", "quality"),
            ("CODING_ENV_RUNTIME", "a;b=:json,re"),
            ("CODING_ENV_WARM_WORKERS", "1"),
        ],
    );
    let mut client = server.raw().await;
    let info = client.get_server_info(GetServerInfoRequest {}).await;
    let info = info.unwrap().into_inner();
    let limits = info.server_limits.unwrap();
    assert_eq!((limits.episodes, limits.queued_steps), (5, 3));
    assert_eq!(limits.default_step_timeout.unwrap().seconds, 65);
    assert_eq!(info.transforms, ["quality"]);
    let runtimes: Vec<(&str, String)> = info
        .runtimes
        .iter()
        .map(|runtime| (runtime.name.as_str(), runtime.preloads.join("+")))
        .collect();
    let named = |name, preloads: &str| (name, preloads.to_owned());
    assert_eq!(
        runtimes,
        [named("default", ""), named("a", ""), named("b", "json+re")]
    );
}

#[test]
fn settings_that_can_not_be_are_refused_by_name() {
    let refused = |arguments: &[&str], variable: (&str, &str)| {
        let output = program(&["serve", "--listen", "127.0.0.1:0"])
            .args(arguments)
            .env(variable.0, variable.1)
            .output();
        let (_, stderr, code) = shown(&output.unwrap());
        (stderr, code)
    };
    let none = ("LANG", "C");
    let (stderr, code) = refused(&["--warm-workers", "0"], none);
    assert_eq!(code, Some(64), "{stderr}");
    assert!(
        stderr.contains("--warm-workers") && stderr.contains("between 1 and 1024"),
        "{stderr}"
    );
    let (stderr, code) = refused(&[], ("CODING_ENV_MAX_STEP_TIMEOUT", "10s"));
    assert_eq!(code, Some(64), "{stderr}");
    assert!(stderr.contains("`--step-timeout` is 30s"), "{stderr}");
    let (stderr, code) = refused(&[], ("CODING_ENV_MAX_EPISODES", "many"));
    assert_eq!(code, Some(2), "{stderr}");
    assert!(stderr.contains("--max-episodes"), "{stderr}");
    let (stderr, code) = refused(&["--no-such-flag"], none);
    assert_eq!(code, Some(2), "{stderr}");
    let (stderr, code) = refused(&["--python", "no-such-python"], none);
    assert_eq!(code, Some(64), "{stderr}");
    assert!(stderr.contains("no-such-python"), "{stderr}");
    let (stderr, code) = refused(&["--log", "not=a=filter"], none);
    assert_eq!(code, Some(64), "{stderr}");
    assert!(stderr.contains("`--log` is `not=a=filter`"), "{stderr}");
}

#[test]
fn an_address_in_use_is_told() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = program(&["serve", "--listen", &address]).output().unwrap();
    let (_, stderr, code) = shown(&output);
    assert_eq!(code, Some(1));
    assert!(
        stderr.contains(&format!("listening on {address}")),
        "{stderr}"
    );
}

#[test]
fn logs_are_json_for_machines_and_text_for_people() {
    let server = Server::start(&[]);
    for line in server.log() {
        let line: serde_json::Value = serde_json::from_str(&line).unwrap();
        for field in ["timestamp", "level", "message", "target"] {
            assert!(line[field].is_string(), "{field}: {line}");
        }
    }
    drop(server);

    let dir = tempfile::tempdir().unwrap();
    let mut child = program(&["serve", "--listen", "127.0.0.1:0", "--warm-workers", "1"])
        .arg("--state-dir")
        .arg(dir.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let serving = lines
        .by_ref()
        .map_while(Result::ok)
        .find(|line| line.contains("serving"))
        .unwrap();
    assert!(
        serving.contains("INFO") && serving.contains("127.0.0.1:"),
        "{serving}"
    );
    assert!(
        !serving.starts_with('{') && !serving.contains('\u{1b}'),
        "{serving}"
    );
    kill(child.id() as i32, "TERM");
    let ended = lines
        .map_while(Result::ok)
        .any(|line| line.contains("ended"));
    assert!(ended && child.wait().unwrap().success());
}

#[cfg(not(feature = "otlp"))]
#[test]
fn a_program_without_traces_refuses_a_collector() {
    let flags = ["--otlp-endpoint", "http://127.0.0.1:4317"];
    let log = Server::start_or_refuse(&flags).err().expect("it starts");
    let told = log.contains("--features otlp") && log.contains("exit status: 64");
    assert!(told, "{log}");
}
