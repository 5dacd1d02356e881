//! A server under test: the real program, on a port of its own, and what has to hold when it has ended.

pub(crate) mod copies;
#[cfg(feature = "docker")]
pub(crate) mod engine;
pub(crate) mod files;
pub(crate) mod hostile;
pub(crate) mod openenv;
pub(crate) mod places;

use std::collections::VecDeque;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use coding_env::client::{CodingEnv, Options, endpoint};
use coding_env::proto::v1::coding_env_client::CodingEnvClient;
use coding_env::proto::v1::{GetStateRequest, GetStateResponse};
use tonic::transport::Channel;

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_coding-env");
/// Everything that is waited for is there long before this; a test that needs it has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// What a server logs when it is ready.
const SERVING: &str = "\"message\":\"serving\"";

/// A running `coding-env serve`. Dropping it ends it, and checks that nothing of it is left and nothing unexpected was logged.
pub(crate) struct Server {
    child: Child,
    address: String,
    log: Arc<Log>,
    /// What the server keeps on disk; `home` holds it.
    state_dir: PathBuf,
    home: tempfile::TempDir,
    expected_log: Vec<String>,
}

#[derive(Default)]
struct Log {
    lines: Mutex<Vec<String>>,
    more: Condvar,
}

impl Server {
    /// Starts a server with these flags and waits until it is ready.
    pub(crate) fn start(flags: &[&str]) -> Self {
        Self::start_with(flags, &[])
    }

    /// Starts a server with flags and environment variables. Its environment has nothing else but PATH.
    pub(crate) fn start_with(flags: &[&str], variables: &[(&str, &str)]) -> Self {
        Self::start_by(Command::new(PROGRAM), flags, variables)
    }

    /// Starts a server that may have this many descriptors and no more.
    pub(crate) fn start_limited(files: u32, flags: &[&str]) -> Self {
        let mut command = Command::new("sh");
        let files = files.to_string();
        command.args(["-c", "ulimit -n \"$0\" && exec \"$@\"", &files, PROGRAM]);
        Self::start_by(command, flags, &[])
    }

    /// Starts a server that may refuse to.
    ///
    /// # Errors
    /// What it logged when it refuses.
    pub(crate) fn start_or_refuse(flags: &[&str]) -> Result<Self, String> {
        Self::start_or_refuse_with(flags, &[])
    }

    /// The same, with environment variables.
    ///
    /// # Errors
    /// What it logged when it refuses.
    pub(crate) fn start_or_refuse_with(
        flags: &[&str],
        variables: &[(&str, &str)],
    ) -> Result<Self, String> {
        let home = tempfile::tempdir().unwrap();
        Self::try_start(Command::new(PROGRAM), home, flags, variables)
    }

    fn start_by(command: Command, flags: &[&str], variables: &[(&str, &str)]) -> Self {
        let home = tempfile::tempdir().unwrap();
        Self::try_start(command, home, flags, variables)
            .unwrap_or_else(|log| panic!("the server does not start:\n{log}"))
    }

    /// Starts a server that may refuse to, by a program that executes what comes after its arguments, unless there is none; and as another user,
    /// if one is named, who can read no more than others can: the program is made reachable for them.
    ///
    /// # Errors
    /// What it logged when it refuses to start.
    pub(crate) fn start_wrapped(
        wrap: &[&str],
        user: Option<u32>,
        flags: &[&str],
    ) -> Result<Self, String> {
        let home = tempfile::tempdir().unwrap();
        let mut program = PathBuf::from(PROGRAM);
        if let Some(uid) = user {
            fs::set_permissions(home.path(), fs::Permissions::from_mode(0o755)).unwrap();
            // A link where that can be: the program is large in a debug build.
            program = home.path().join("coding-env");
            // By another process else: a child that another thread forks just then would hold the file open for writing, and nobody could run it (ETXTBSY).
            if fs::hard_link(PROGRAM, &program).is_err() {
                let copied = Command::new("cp").arg(PROGRAM).arg(&program).status();
                assert!(copied.unwrap().success());
            }
            let state = home.path().join("state");
            fs::create_dir(&state).unwrap();
            std::os::unix::fs::chown(&state, Some(uid), Some(uid)).unwrap();
        }
        let mut command = match wrap {
            [] => Command::new(program),
            [first, rest @ ..] => {
                let mut command = Command::new(first);
                command.args(rest).arg(program);
                command
            }
        };
        if let Some(uid) = user {
            command.uid(uid).gid(uid);
        }
        Self::try_start(command, home, flags, &[])
    }

    /// Starts a server whose episodes share the host's files with the test, for tests that need to tell each other something.
    pub(crate) fn start_open(flags: &[&str]) -> Self {
        Self::start(&[flags, &["--isolation", "none"]].concat())
    }

    fn try_start(
        mut command: Command,
        home: tempfile::TempDir,
        flags: &[&str],
        variables: &[(&str, &str)],
    ) -> Result<Self, String> {
        let state_dir = home.path().join("state");
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--log-format", "json"])
            .args(
                ["--server-id", "test"]
                    .iter()
                    .filter(|_| !flags.contains(&"--server-id")),
            )
            .arg("--state-dir")
            .arg(&state_dir)
            .args(flags)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        // Wrapper scripts on PATH cost time and need their own environment: name the interpreter, unless a test does.
        if !flags.contains(&"--python")
            && !variables
                .iter()
                .any(|(name, _)| *name == "CODING_ENV_PYTHON")
        {
            command.env("CODING_ENV_PYTHON", default_python());
        }
        if !state_dir.exists() {
            fs::create_dir(&state_dir).unwrap();
        }
        let mut child = command.spawn().unwrap();
        let log = Arc::new(Log::default());
        let reader = BufReader::new(child.stderr.take().unwrap());
        let sink = Arc::clone(&log);
        let reading = std::thread::spawn(move || {
            for line in reader.lines().map_while(Result::ok) {
                sink.lines.lock().unwrap().push(line);
                sink.more.notify_all();
            }
        });
        let mut server = Self {
            child,
            address: String::new(),
            log,
            state_dir,
            home,
            expected_log: Vec::new(),
        };
        if flags.windows(2).any(|pair| pair == ["--isolation", "none"]) {
            server.expect_log("isolation level none");
        }
        let mut ended = None;
        wait_until("the server serves, or has refused to", || {
            ended = server.child.try_wait().unwrap();
            ended.is_some() || server.has_logged(SERVING)
        });
        if let Some(status) = ended {
            // All of it has been read soon, unless something that the server started still holds the pipe.
            let read_by = Instant::now() + Duration::from_secs(1);
            while !reading.is_finished() && Instant::now() < read_by {
                std::thread::sleep(Duration::from_millis(5));
            }
            let log = format!("{status}: {}", server.log().join("\n"));
            // Nothing to end, and what it logged is the caller's to judge.
            let Self { home, .. } = &server;
            drop(fs::remove_dir_all(home.path()));
            server.expect_log("");
            return Err(log);
        }
        server.address = field(&server.wait_for_log(SERVING), "address");
        Ok(server)
    }

    /// Whether a line that contains `text` was logged.
    fn has_logged(&self, text: &str) -> bool {
        let lines = self.log.lines.lock().unwrap();
        lines.iter().any(|line| line.contains(text))
    }

    /// Waits for a log line that contains `text` and returns it.
    pub(crate) fn wait_for_log(&self, text: &str) -> String {
        let lines = self.log.lines.lock().unwrap();
        let found = |lines: &mut Vec<String>| !lines.iter().any(|line| line.contains(text));
        let (lines, timeout) = self
            .log
            .more
            .wait_timeout_while(lines, PATIENCE, found)
            .unwrap();
        assert!(
            !timeout.timed_out(),
            "no {text:?} in the log:\n{}",
            lines.join("\n")
        );
        lines
            .iter()
            .find(|line| line.contains(text))
            .unwrap()
            .clone()
    }

    /// Everything logged so far.
    pub(crate) fn log(&self) -> Vec<String> {
        self.log.lines.lock().unwrap().clone()
    }

    /// WARN and ERROR lines that contain this are part of the test.
    pub(crate) fn expect_log(&mut self, text: &str) {
        self.expected_log.push(text.to_owned());
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// `HOST:PORT`.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) fn pid(&self) -> i32 {
        self.child.id() as i32
    }

    pub(crate) fn state_dir(&self) -> &Path {
        &self.state_dir
    }

    /// The program that runs, where the server's user sees it.
    pub(crate) fn program(&self) -> PathBuf {
        let own = self.home.path().join("coding-env");
        if own.exists() { own } else { PROGRAM.into() }
    }

    /// A typed client.
    pub(crate) async fn env(&self) -> CodingEnv {
        CodingEnv::connect(&self.url()).await.unwrap()
    }

    pub(crate) async fn channel(&self) -> Channel {
        endpoint(&self.url(), &Options::default())
            .unwrap()
            .connect()
            .await
            .unwrap()
    }

    /// The generated client, for requests that the typed one does not make.
    pub(crate) async fn raw(&self) -> CodingEnvClient<Channel> {
        CodingEnvClient::new(self.channel().await).max_decoding_message_size(64 << 20)
    }

    /// Every process below the server: warden, templates, workers and what they started.
    pub(crate) fn processes(&self) -> Vec<i32> {
        descendants(self.pid())
    }

    /// The processes of one kind below the server, by what their command line contains.
    pub(crate) fn processes_named(&self, text: &str) -> Vec<i32> {
        self.processes()
            .into_iter()
            .filter(|pid| command_line(*pid).contains(text))
            .collect()
    }

    pub(crate) fn signal(&self, signal: &str) {
        kill(self.pid(), signal);
    }

    /// Waits for the server's end.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "the server did not end:\n{}",
                self.log().join("\n")
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn end(&mut self) {
        if self.child.try_wait().unwrap().is_none() {
            let processes = self.processes();
            self.expect_log("asked again: ending at once");
            self.signal("TERM");
            self.wait_for_log("asked to end");
            self.signal("TERM");
            let status = self.wait();
            assert!(
                status.success(),
                "the server ended with {status}:\n{}",
                self.log().join("\n")
            );
            wait_until("all processes have ended", || {
                processes.iter().all(|pid| !is_running(*pid))
            });
        }
        wait_until("the state directory is empty", || {
            fs::read_dir(&self.state_dir).map_or(true, |mut left| left.next().is_none())
        });
        let unexpected: Vec<String> = self
            .log()
            .into_iter()
            .filter(|line| {
                !line.contains("\"level\":\"INFO\"") && !line.contains("\"level\":\"DEBUG\"")
            })
            .filter(|line| {
                !self
                    .expected_log
                    .iter()
                    .any(|expected| line.contains(expected))
            })
            .collect();
        assert!(
            unexpected.is_empty(),
            "unexpected in the log:\n{}",
            unexpected.join("\n")
        );
    }
}

/// How much of a server's log a test that fails tells.
const LOG_LINES_TOLD: usize = 40;

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // The warden ends all else when the server is gone.
            drop(self.child.kill());
            drop(self.child.wait());
            let log = self.log();
            for line in log.iter().skip(log.len().saturating_sub(LOG_LINES_TOLD)) {
                eprintln!("server: {line}");
            }
        } else {
            self.end();
        }
    }
}

/// The value of a field in a line of JSON.
pub(crate) fn field(line: &str, name: &str) -> String {
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    line[name]
        .as_str()
        .unwrap_or_else(|| panic!("no {name} in {line}"))
        .to_owned()
}

/// Waits until something holds. Nothing tells when it does: it is looked at again and again.
pub(crate) fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

pub(crate) fn state_request(id: &str) -> GetStateRequest {
    GetStateRequest {
        episode_id: id.to_owned(),
    }
}

/// Asks for an episode's state until it is as it should be.
pub(crate) async fn state_where(
    client: &CodingEnvClient<Channel>,
    id: &str,
    holds: impl Fn(&GetStateResponse) -> bool,
) -> GetStateResponse {
    let mut client = client.clone();
    let asked = async {
        loop {
            let state = client.get_state(state_request(id)).await.unwrap();
            if holds(state.get_ref()) {
                return state.into_inner();
            }
        }
    };
    tokio::time::timeout(PATIENCE, asked).await.unwrap()
}

/// Sends a signal by the shell, which every host has: `TERM`, `KILL`, …
pub(crate) fn kill(pid: i32, signal: &str) {
    drop(
        Command::new("sh")
            .args(["-c", "kill -$0 $1", signal])
            .arg(pid.to_string())
            .stderr(Stdio::null())
            .status(),
    );
}

/// What the kernel calls a process. None when it has gone.
pub(crate) fn comm(pid: i32) -> Option<String> {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    Some(name.trim_end().to_owned())
}

/// The worker of an episode, as this host numbers it: found by a name that its program gives it.
pub(crate) async fn worker_of(server: &Server, env: &mut CodingEnv) -> i32 {
    let (name, code) = naming();
    let reply = env.step(&code).await.unwrap();
    assert_eq!(reply.result(), Some("0"), "{reply:?}");
    named(server, &name)
}

/// A name that no other process has, and code by which a worker takes it: its result is 0.
pub(crate) fn naming() -> (String, String) {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("worker-{}", COUNT.fetch_add(1, Ordering::Relaxed));
    // PR_SET_NAME
    let code = format!("import ctypes\nctypes.CDLL(None).prctl(15, b'{name}')");
    (name, code)
}

/// The process below the server that has taken this name.
pub(crate) fn named(server: &Server, name: &str) -> i32 {
    let mut found = server.processes().into_iter();
    found
        .find(|pid| comm(*pid).as_deref() == Some(name))
        .unwrap()
}

/// An episode's directory, whose files its program and the test share at every level. It is seen through the worker's process, and
/// no longer than that lives.
pub(crate) async fn workspace_of(server: &Server, env: &mut CodingEnv) -> PathBuf {
    working_dir(worker_of(server, env).await)
}

/// The directory in which a process is, wherever that is mounted.
pub(crate) fn working_dir(pid: i32) -> PathBuf {
    PathBuf::from(format!("/proc/{pid}/cwd"))
}

/// A process of a worker's cell, by the pid that its program knows it by.
pub(crate) fn outer_pid(worker: i32, inner: i32) -> i32 {
    let status = |pid: i32, name: &str| {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with(name))?;
        line.split_whitespace().last()?.parse::<i32>().ok()
    };
    let reaper = status(worker, "PPid:").unwrap();
    let mut found = descendants(reaper).into_iter();
    found
        .find(|pid| status(*pid, "NSpid:") == Some(inner))
        .unwrap()
}

/// Whether a process runs; a zombie does not.
pub(crate) fn is_running(pid: i32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| {
        stat.rsplit_once(')')
            .is_some_and(|(_, rest)| !rest.trim_start().starts_with(['Z', 'X']))
    })
}

/// A process's command line, with spaces between the arguments.
pub(crate) fn command_line(pid: i32) -> String {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&line).replace('\0', " ")
}

/// Everything below a process.
pub(crate) fn descendants(root: i32) -> Vec<i32> {
    let mut found = Vec::new();
    let mut next = VecDeque::from([root]);
    while let Some(pid) = next.pop_front() {
        let tasks = fs::read_dir(format!("/proc/{pid}/task"))
            .into_iter()
            .flatten()
            .flatten();
        for task in tasks {
            let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
            for child in children.split_whitespace().map(|pid| pid.parse().unwrap()) {
                found.push(child);
                next.push_back(child);
            }
        }
    }
    found
}

/// The interpreters to test with: `CODING_ENV_TEST_PYTHONS` (paths with colons between), or the one on PATH.
pub(crate) fn pythons() -> Vec<PathBuf> {
    match std::env::var_os("CODING_ENV_TEST_PYTHONS").filter(|list| !list.is_empty()) {
        Some(list) => std::env::split_paths(&list).collect(),
        None => vec![default_python()],
    }
}

/// The interpreter behind `python3`.
pub(crate) fn default_python() -> PathBuf {
    static FOUND: std::sync::OnceLock<PathBuf> = std::sync::OnceLock::new();
    let find = || {
        let output = Command::new("python3")
            .args(["-c", "import sys; print(sys.executable, end='')"])
            .output()
            .unwrap();
        PathBuf::from(String::from_utf8(output.stdout).unwrap())
    };
    FOUND.get_or_init(find).clone()
}

/// Whether everything in `tests/required.txt` has to be there (`CODING_ENV_TEST=full`, as in CI).
pub(crate) fn is_full() -> bool {
    std::env::var_os("CODING_ENV_TEST").is_some_and(|value| value == "full")
}

/// Says that this host lacks something and that a test, or a part of it, did not run. In CI that is a failure.
pub(crate) fn lacks(what: &str) {
    assert!(
        !is_full(),
        "this host lacks {what}, which CODING_ENV_TEST=full requires"
    );
    eprintln!("not tested: this host lacks {what}");
}

/// Says that this host can't do something that stronger ones can, and that a test, or a part of it, did not run. With
/// `CODING_ENV_TEST=full` that is a failure if `tests/required.txt` lists it.
pub(crate) fn may_lack(what: &str) {
    let required = include_str!("../../required.txt");
    assert!(
        !is_full() || !required.lines().any(|line| line == what),
        "this host lacks {what}, which CODING_ENV_TEST=full requires"
    );
    eprintln!("not tested: this host lacks {what}");
}

/// How much the long tests do: `CODING_ENV_SOAK`, or the small number that fits a quick run.
pub(crate) fn soak(small: usize) -> usize {
    std::env::var("CODING_ENV_SOAK")
        .ok()
        .and_then(|count| count.parse().ok())
        .unwrap_or(small)
}
