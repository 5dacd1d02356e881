//! The processes that are measured: a server of this same program, the loops without a server, and bare interpreters.
//!
//! All get an environment from nothing, and all end with the value that owns them.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use command_fds::{CommandFdExt as _, FdMapping};

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::oneshot;

use crate::config::{Config, Isolation, IsolationArgs, ServeArgs};
use crate::sandbox::template::memory_file;

const HARNESS: &[u8] = include_bytes!("../executor/harness/harness.py");
const LOOPS: &[u8] = include_bytes!("loops.py");

/// How long a server may take to be ready, or to end.
const SERVER_WITHIN: Duration = Duration::from_secs(30);
/// Lines of a server's log that are kept, to be shown when it fails.
const LOG_LINES_KEPT: usize = 10;

/// What a server makes of these options: the absolute path of the interpreter, past any wrapper script, what it demands of isolation,
/// and the limits of a cell.
pub(super) fn config(options: &ServerOptions) -> anyhow::Result<Config> {
    let mut args = ServeArgs::from_environment()?;
    args.python.clone_from(&options.python);
    args.isolation = options.isolation.clone();
    args.warm_workers = u16::try_from(options.warm_workers)?;
    args.max_episodes = Some(options.max_episodes);
    Ok(Config::try_from(args)?)
}

/// The flags of isolation, as a server takes them.
fn isolation_flags(isolation: &IsolationArgs) -> Vec<std::ffi::OsString> {
    use clap::ValueEnum as _;
    let IsolationArgs {
        isolation,
        require,
        accept_open_signals,
        readable,
        uid_first,
        uid_count,
    } = isolation;
    let mut flags: Vec<std::ffi::OsString> = Vec::new();
    let level = isolation.to_possible_value();
    if let Some(level) = level.filter(|_| *isolation != Isolation::Auto) {
        flags.extend(["--isolation".into(), level.get_name().into()]);
    }
    for layer in require {
        flags.extend(["--require".into(), layer.into()]);
    }
    if *accept_open_signals {
        flags.push("--accept-open-signals".into());
    }
    for path in readable {
        flags.extend(["--readable".into(), path.into()]);
    }
    for (flag, value) in [("--uid-first", uid_first), ("--uid-count", uid_count)] {
        if let Some(value) = value {
            flags.extend([flag.into(), value.to_string().into()]);
        }
    }
    flags
}

/// A command with the environment that templates get, but for the variables that bound the threads of libraries.
pub(super) fn bare_command(program: &Path) -> std::process::Command {
    let mut command = std::process::Command::new(program);
    command
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("LANG", "C.UTF-8")
        .env("PYTHONHASHSEED", "0")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

/// A directory that is removed with its content.
#[derive(Debug)]
pub(super) struct ScratchDir(PathBuf);

impl ScratchDir {
    pub(super) fn new() -> anyhow::Result<Self> {
        let name = format!("coding-env-bench-{}", uuid::Uuid::now_v7().simple());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).with_context(|| format!("making {}", path.display()))?;
        Ok(Self(path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for ScratchDir {
    fn drop(&mut self) {
        // A server that was killed has a warden that may still be clearing up below.
        for _ in 0..20 {
            match std::fs::remove_dir_all(&self.0) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    std::thread::sleep(Duration::from_millis(50));
                }
                _ => return,
            }
        }
    }
}

/// What a server is to be.
#[derive(Debug, Clone)]
pub(super) struct ServerOptions {
    pub(super) python: PathBuf,
    pub(super) isolation: IsolationArgs,
    pub(super) state_dir: PathBuf,
    pub(super) warm_workers: u32,
    pub(super) max_episodes: u32,
    /// What the files of an episode may fill, if not the default.
    pub(super) workspace_bytes: Option<u64>,
    /// Where there are tokens.
    pub(super) tokens_file: Option<PathBuf>,
}

/// A server: another process of this program, so that it shares no runtime with its clients. It is killed when this is dropped, and its
/// warden then kills all below it.
#[derive(Debug)]
pub(super) struct Server {
    child: Child,
    address: String,
    /// From the spawn to the log line that says that it serves.
    pub(super) took: Duration,
    log: Arc<Mutex<VecDeque<String>>>,
}

impl Server {
    /// Starts one on a free port and waits until it is ready.
    pub(super) async fn start(options: &ServerOptions) -> anyhow::Result<Self> {
        let mut command = bare_command(Path::new("/proc/self/exe"));
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--log-format", "json"])
            .args(["--server-id", "bench", "--drain-timeout", "0s"])
            .args(isolation_flags(&options.isolation))
            .arg("--python")
            .arg(&options.python)
            .arg("--state-dir")
            .arg(&options.state_dir)
            .args(["--warm-workers", &options.warm_workers.to_string()])
            .args(["--max-episodes", &options.max_episodes.to_string()])
            .stderr(Stdio::piped());
        if let Some(bytes) = options.workspace_bytes {
            command.args(["--max-workspace-bytes", &bytes.to_string()]);
        }
        if let Some(path) = &options.tokens_file {
            command.arg("--tokens-file").arg(path);
        }
        let started = Instant::now();
        let mut child = Command::from(command).kill_on_drop(true).spawn()?;
        let stderr = child.stderr.take().context("no log")?;
        let mut lines = BufReader::new(stderr).lines();
        let log = Arc::new(Mutex::new(VecDeque::new()));
        let kept = Arc::clone(&log);
        let (tell, serving) = oneshot::channel();
        // Reads on, so that the server never waits for a reader. Ends when the server does.
        tokio::spawn(async move {
            let mut tell = Some(tell);
            while let Ok(Some(line)) = lines.next_line().await {
                if let Some(address) = serving_address(&line)
                    && let Some(tell) = tell.take()
                {
                    drop(tell.send((address, started.elapsed())));
                }
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                kept.push_back(line);
                while kept.len() > LOG_LINES_KEPT {
                    kept.pop_front();
                }
            }
        });
        let serving = tokio::time::timeout(SERVER_WITHIN, serving).await;
        let mut server = Self {
            child,
            address: String::new(),
            took: Duration::ZERO,
            log,
        };
        match serving {
            Ok(Ok((address, took))) => {
                server.address = address;
                server.took = took;
                Ok(server)
            }
            _ => bail!("the server did not start:\n{}", server.last_words()),
        }
    }

    fn last_words(&self) -> String {
        let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.iter().cloned().collect::<Vec<_>>().join("\n")
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Its process id. None once it has ended.
    pub(super) fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Asks for its end and waits for it, so that what comes next has the machine for itself.
    pub(super) async fn stop(mut self) -> anyhow::Result<()> {
        let pid = self.child.id().and_then(|pid| i32::try_from(pid).ok());
        if let Some(pid) = pid.and_then(Pid::from_raw) {
            kill_process(pid, Signal::TERM)?;
        }
        match tokio::time::timeout(SERVER_WITHIN, self.child.wait()).await {
            Ok(Ok(status)) if status.success() => Ok(()),
            _ => bail!(
                "the server did not end as it should:\n{}",
                self.last_words()
            ),
        }
    }
}

/// The address in the log line that tells it.
fn serving_address(line: &str) -> Option<String> {
    let line: serde_json::Value = serde_json::from_str(line).ok()?;
    if line.get("message")?.as_str()? != "serving" {
        return None;
    }
    Some(line.get("address")?.as_str()?.to_owned())
}

/// One process per core that forks and waits: `loops.py`, with the modules of the embedded harness.
#[derive(Debug)]
pub(super) struct BareLoops {
    processes: Vec<LoopProcess>,
}

#[derive(Debug)]
struct LoopProcess {
    /// Ends with its standard input; kept so that it is killed if it does not.
    _child: Child,
    commands: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl BareLoops {
    /// Starts `count` of them.
    pub(super) fn start(python: &Path, count: usize) -> anyhow::Result<Self> {
        let processes = (0..count).map(|_| {
            let descriptors = [
                memory_file("loops", LOOPS)?,
                memory_file("harness", HARNESS)?,
            ];
            let mappings = (3..).zip(descriptors);
            let mappings = mappings.map(|(child_fd, parent_fd)| FdMapping {
                parent_fd,
                child_fd,
            });
            let mut command = bare_command(python);
            command
                .args(["-s", "/proc/self/fd/3"])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::inherit())
                .fd_mappings(mappings.collect())?;
            let mut child = Command::from(command).kill_on_drop(true).spawn()?;
            let commands = child.stdin.take().context("no standard input")?;
            let answers = child.stdout.take().context("no standard output")?;
            Ok(LoopProcess {
                _child: child,
                commands,
                answers: BufReader::new(answers).lines(),
            })
        });
        let processes = processes.collect::<anyhow::Result<_>>()?;
        Ok(Self { processes })
    }

    /// Runs all at once. Returns the sum of their rates, in forks per second.
    pub(super) async fn rate(&mut self, time: Duration) -> anyhow::Result<f64> {
        let command = format!("{}\n", time.as_secs_f64());
        for process in &mut self.processes {
            process.commands.write_all(command.as_bytes()).await?;
        }
        let mut sum = 0.0;
        for process in &mut self.processes {
            let answer = tokio::time::timeout(time + SERVER_WITHIN, process.answers.next_line());
            let answer = answer.await??.context("a loop has ended")?;
            sum += rate_of(&answer).with_context(|| format!("a loop answered {answer:?}"))?;
        }
        Ok(sum)
    }
}

/// `COUNT SECONDS`, as a rate.
fn rate_of(answer: &str) -> Option<f64> {
    let (count, seconds) = answer.split_once(' ')?;
    Some(count.parse::<f64>().ok()? / seconds.parse::<f64>().ok()?)
}

/// Runs a command to its end and returns what it printed on standard error, which is short.
pub(super) async fn run_draining(command: std::process::Command) -> anyhow::Result<String> {
    let mut command = Command::from(command);
    command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let output = command.output().await?;
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    if !output.status.success() {
        bail!("it ended with {}: {errors}", output.status);
    }
    Ok(errors)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_line_that_says_so_has_the_address() {
        let line = r#"{"level":"INFO","message":"serving","address":"127.0.0.1:4711"}"#;
        assert_eq!(serving_address(line).as_deref(), Some("127.0.0.1:4711"));
        for other in [
            r#"{"message":"runtime","address":"x"}"#,
            "text",
            r#"{"message":"serving"}"#,
        ] {
            assert_eq!(serving_address(other), None);
        }
    }
}
