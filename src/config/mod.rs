//! Flags and environment, made into a [`Config`] that has been checked as a whole before anything starts.
//!
//! Every setting is one flag and one variable `CODING_ENV_*`; the flag wins. `coding-env serve --help` lists them.

mod flags;
mod interpreters;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

pub use self::flags::{Isolation, IsolationArgs, LogFormat, OnFailure, Open, ServeArgs};
use self::interpreters::runtimes;
use crate::auth;
use crate::executor::RuntimeConfig;
use crate::limits::{CPU_PERCENT_MAX, EpisodeLimits, FileLimits, ForkLimits, LEAST};
use crate::sandbox::plan::{self, Demand, LayerName, Level};
use crate::sandbox::probe::Shown;
use crate::tls;
use crate::traces;
use crate::transform::Chain;

/// The largest source that a server can be set to take: 16 MiB.
const SOURCE_BYTES_MAX: u32 = 16 << 20;
/// The largest text of a stream or a result that a server can be set to keep: 16 MiB.
const TEXT_BYTES_MAX: u32 = 16 << 20;
/// The most copies of an episode that one request can be allowed to make.
const COPIES_MAX: u32 = 1024;
/// The most displays of a step that a server can be set to keep.
const DISPLAYS_MAX: u32 = 1024;
/// Descriptors that the server needs beside those of episodes.
const DESCRIPTORS_RESERVED: u64 = 256;
/// Descriptors of a worker that runs a step, or did a moment ago: its control socket, stdout, stderr, and /proc/PID/stat.
const DESCRIPTORS_ACTIVE: u64 = 4;
/// Descriptors of an idle episode: its control socket. A keeper holds the others.
const DESCRIPTORS_IDLE: u64 = 1;
/// Descriptors of a call that moves files: the workspace, a directory in it, a file, and one on its way.
const DESCRIPTORS_FILE_CALL: u64 = 4;
/// Episodes that may be between a step and being parked, beside those that run one.
const SETTLING: u64 = 256;

/// A setting that can't be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(pub String);

/// The files of TLS, all PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The server's certificate, with what leads to its authority behind it.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
    /// Authorities of which clients have to show a certificate. None: they are asked for none.
    pub client_ca: Option<PathBuf>,
}

/// A server's settings, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// Address to listen on.
    pub listen: SocketAddr,
    /// Address for metrics and health in plain text. None: there is none.
    pub admin_listen: Option<SocketAddr>,
    /// What this server calls itself.
    pub server_id: String,
    /// The tokens file. None: every request is answered. With one the server listens for SIGHUP too, on which it is read again.
    pub tokens_file: Option<PathBuf>,
    /// What needs no token.
    pub open: Vec<Open>,
    /// The files of TLS. None: plain text. With them the server listens for SIGHUP too, on which they are read again.
    pub tls: Option<TlsFiles>,
    /// The runtimes; the first is `default`. Their programs are absolute paths.
    pub runtimes: Vec<RuntimeConfig>,
    /// The isolation level that is asked for.
    pub isolation: Isolation,
    /// Layers without which the server does not start.
    pub require: Vec<&'static str>,
    /// Start although episodes can signal one another.
    pub accept_open_signals: bool,
    /// What episodes may read beside what Python needs.
    pub readable: Vec<PathBuf>,
    /// The first uid of live episodes. None: where they are likely to be free.
    pub uid_first: Option<u32>,
    /// How many uids live episodes get.
    pub uid_count: u32,
    /// PYTHONHASHSEED of every interpreter.
    pub hash_seed: u32,
    /// Interpreters kept ready for each runtime.
    pub warm_workers: u16,
    /// The transforms.
    pub transforms: Chain,
    /// Live episodes.
    pub max_episodes: u32,
    /// Steps that run at the same time.
    pub max_running_steps: u32,
    /// Steps that wait for a turn.
    pub max_waiting_steps: u32,
    /// Steps queued in one episode.
    pub max_queued_steps: u32,
    /// What an episode gets, and the most that it may ask for.
    pub limits: EpisodeLimits,
    /// What bounds calls that move files.
    pub files: FileLimits,
    /// What bounds copies of episodes.
    pub forks: ForkLimits,
    /// A step's timeout when the request does not say.
    pub step_timeout: Duration,
    /// What an interrupted step gets before the kill.
    pub interrupt_grace: Duration,
    /// CPU time of an idle episode after which it is frozen.
    pub background_cpu_time: Duration,
    /// How many cells a template makes before it is replaced. 0: no bound.
    pub template_cells: u64,
    /// How old a template gets before it is replaced. Zero: no bound.
    pub template_age: Duration,
    /// How long a Reset waits for an interpreter.
    pub worker_wait: Duration,
    /// Replies kept for retries, over all episodes.
    pub kept_reply_bytes: u64,
    /// How long a session whose stream is broken is kept.
    pub session_grace: Duration,
    /// Requests of one session without a response that the client has taken.
    pub session_requests: u32,
    /// Sessions.
    pub max_sessions: u32,
    /// How long live episodes get to go on after SIGTERM.
    pub drain_timeout: Duration,
    /// How often a connection is checked.
    pub keepalive: Duration,
    /// How long a session that `openenv/session/create` made may be without a connection and without a call.
    pub session_idle_timeout: Duration,
    /// Names under which web pages may reach the server, beside those that are always its own. In lower case.
    pub allow_hosts: Vec<String>,
    /// Origins of other web pages that may use the server. In lower case.
    pub allow_origins: Vec<String>,
    /// Where the directory for workspaces is made.
    pub state_dir: PathBuf,
    /// Where traces are sent. None: there are none. Needs the feature `otlp`.
    pub otlp_endpoint: Option<String>,
    /// The program that becomes the warden. None: this one, which has to call [`enter_role`](crate::enter_role) first.
    pub role_program: Option<PathBuf>,
    /// Whether this process has no children but the server's. Then what a warden that is killed leaves behind becomes a child of this process
    /// (it is made a subreaper, prctl(2)) and is killed, daemons included. Default false: a program of its own may have other children.
    pub adopts_orphans: bool,
}

/// How many threads are to serve connections. Every one more that sleeps and has to be woken costs a short step a good part of its
/// time (two busy cores, before later gains: 2.7 to 2.9 times an empty call with two threads, 2.2 to 2.4 with one), and interpreters need cores too.
///
/// # Errors
/// When there are to be none, or more than 256.
pub fn threads(args: &ServeArgs) -> Result<usize, ConfigError> {
    let half =
        std::thread::available_parallelism().map_or(1, |cores| (cores.get() / 2).clamp(1, 256));
    match args.threads {
        None => Ok(half),
        Some(count) => in_range("threads", usize::from(count), 1, 256),
    }
}

/// Checks that a value lies in its range.
fn in_range<T: PartialOrd + std::fmt::Debug>(
    flag: &str,
    value: T,
    min: T,
    max: T,
) -> Result<T, ConfigError> {
    if value < min || value > max {
        return Err(ConfigError(format!(
            "`--{flag}` is {value:?}: it has to be between {min:?} and {max:?}"
        )));
    }
    Ok(value)
}

/// Finds the layers by their names.
fn layers(names: &[String]) -> Result<Vec<LayerName>, ConfigError> {
    let find = |name: &str| {
        let found = plan::LAYERS.into_iter().find(|layer| *layer == name);
        found.ok_or_else(|| {
            ConfigError(format!(
                "`--require` is `{name}`: there is no such layer; there are {}",
                plan::LAYERS.join(", ")
            ))
        })
    };
    let names = names.iter().map(|name| name.trim());
    names.filter(|name| !name.is_empty()).map(find).collect()
}

/// How many uids live episodes get, and whether they are enough: each cell has one, a warm one too, until its last process has gone.
fn check_uids(
    first: Option<u32>,
    count: Option<u32>,
    cells: u64,
    copies: u32,
) -> Result<(Option<u32>, u32), ConfigError> {
    /// Cells that are ending.
    const ENDING: u32 = 256;
    const COUNT_MAX: u32 = 1 << 24;
    let least = u32::try_from(cells).unwrap_or(u32::MAX).min(COUNT_MAX);
    let count = match count {
        None => least
            .saturating_add(copies)
            .saturating_add(ENDING)
            .min(COUNT_MAX),
        Some(count) => in_range("uid-count", count, least, COUNT_MAX)?,
    };
    // The last number means "no uid" to many calls.
    let first_max = u32::MAX - count;
    let first = first.map(|first| in_range("uid-first", first, 1, first_max));
    Ok((first.transpose()?, count))
}

impl Config {
    /// What its episodes are to open.
    pub(crate) fn shown(&self) -> Shown {
        let pythons = self.runtimes.iter().map(|runtime| runtime.python.clone());
        Shown {
            pythons: pythons.collect(),
            readable: self.readable.clone(),
            always: self.isolation == Isolation::Landlock,
        }
    }

    /// What it asks of isolation.
    pub(crate) fn demand(&self) -> Demand {
        Demand {
            level: match self.isolation {
                Isolation::Auto => None,
                Isolation::Namespace => Some(Level::Namespace),
                Isolation::Landlock => Some(Level::Landlock),
                Isolation::None => Some(Level::None),
            },
            require: self.require.clone(),
            accept_open_signals: self.accept_open_signals,
            uid_first: self.uid_first,
            uid_count: self.uid_count,
            uid_offset: uuid::Uuid::new_v4().as_fields().0
                % (plan::UID_OFFSETS / self.uid_count.max(1)).max(1)
                * self.uid_count,
        }
    }

    /// How many workers may hold their output pipes in the server before one that becomes idle is parked at once.
    pub(crate) fn unparked_max(&self) -> usize {
        let warm_workers = u64::from(self.warm_workers) * self.runtimes.len() as u64;
        unparked_max(
            files_beside_calls(self.files.calls),
            warm_workers,
            self.max_episodes,
            self.max_running_steps,
        )
    }
}

impl TryFrom<ServeArgs> for Config {
    type Error = ConfigError;

    /// Checks all settings and how they relate, and finds the programs.
    fn try_from(args: ServeArgs) -> Result<Self, ConfigError> {
        const DAY: Duration = Duration::from_secs(24 * 3600);
        const MILLISECOND: Duration = Duration::from_millis(1);
        let ServeArgs {
            listen,
            admin_listen,
            server_id,
            tokens_file,
            open,
            tls_cert,
            tls_key,
            tls_client_ca,
            python,
            preload,
            runtime,
            isolation:
                IsolationArgs {
                    isolation,
                    require,
                    accept_open_signals,
                    readable,
                    uid_first,
                    uid_count,
                },
            hash_seed,
            warm_workers,
            transforms,
            max_episodes,
            max_running_steps,
            max_waiting_steps,
            max_queued_steps,
            max_source_bytes,
            max_output_bytes,
            max_result_bytes,
            max_displays,
            max_display_bytes,
            step_timeout,
            max_step_timeout,
            max_step_cpu_time,
            max_idle_timeout,
            max_memory_bytes,
            max_open_files,
            max_file_bytes,
            max_total_memory_bytes,
            max_processes,
            max_workspace_bytes,
            max_workspace_inodes,
            max_cpu_percent,
            max_file_calls,
            max_waiting_file_calls,
            max_files_per_call,
            max_file_bytes_per_call,
            file_stall_timeout,
            max_fork_children,
            max_checkpoints,
            max_checkpoint_bytes,
            max_server_checkpoints,
            max_server_checkpoint_bytes,
            max_evaluations,
            on_failure,
            interrupt_grace,
            background_cpu_time,
            template_cells,
            template_age,
            worker_wait,
            kept_reply_bytes,
            session_grace,
            session_requests,
            max_sessions,
            drain_timeout,
            keepalive,
            session_idle_timeout,
            allow_host,
            allow_origin,
            space_host,
            max_concurrent_envs,
            state_dir,
            end_with_stdin: _,
            threads: _,
            otlp_endpoint,
            log_format: _,
            log: _,
        } = args;
        let limits = EpisodeLimits {
            source_bytes: in_range("max-source-bytes", max_source_bytes, 1, SOURCE_BYTES_MAX)?,
            output_bytes: in_range("max-output-bytes", max_output_bytes, 1024, TEXT_BYTES_MAX)?,
            result_bytes: in_range("max-result-bytes", max_result_bytes, 1024, TEXT_BYTES_MAX)?,
            displays: in_range("max-displays", max_displays, LEAST.displays, DISPLAYS_MAX)?,
            display_bytes: in_range(
                "max-display-bytes",
                max_display_bytes,
                LEAST.display_bytes,
                TEXT_BYTES_MAX,
            )?,
            step_timeout: in_range("max-step-timeout", max_step_timeout, MILLISECOND, 7 * DAY)?,
            step_cpu_time: in_range(
                "max-step-cpu-time",
                max_step_cpu_time,
                10 * MILLISECOND,
                7 * DAY,
            )?,
            idle_timeout: in_range(
                "max-idle-timeout",
                max_idle_timeout,
                Duration::from_secs(1),
                30 * DAY,
            )?,
            memory_bytes: in_range("max-memory-bytes", max_memory_bytes, 64 << 20, u64::MAX)?,
            open_files: in_range("max-open-files", max_open_files, 16, 1 << 20)?,
            file_bytes: in_range("max-file-bytes", max_file_bytes, 1 << 20, u64::MAX)?,
            // Past i64::MAX the kernel's own files don't take it.
            total_memory_bytes: in_range(
                "max-total-memory-bytes",
                max_total_memory_bytes,
                LEAST.total_memory_bytes,
                i64::MAX.unsigned_abs(),
            )?,
            processes: in_range("max-processes", max_processes, LEAST.processes, 1_000_000)?,
            workspace_bytes: in_range(
                "max-workspace-bytes",
                max_workspace_bytes,
                LEAST.workspace_bytes,
                i64::MAX.unsigned_abs(),
            )?,
            workspace_inodes: in_range(
                "max-workspace-inodes",
                max_workspace_inodes,
                LEAST.workspace_inodes,
                u32::MAX,
            )?,
            cpu_percent: in_range("max-cpu-percent", max_cpu_percent, 0, CPU_PERCENT_MAX)?,
        };
        let files = FileLimits {
            calls: in_range("max-file-calls", max_file_calls, 1, 4096)?,
            waiting_calls: in_range(
                "max-waiting-file-calls",
                max_waiting_file_calls,
                0,
                1_000_000,
            )?,
            files_per_call: in_range("max-files-per-call", max_files_per_call, 1, 10_000_000)?,
            bytes_per_call: in_range(
                "max-file-bytes-per-call",
                max_file_bytes_per_call,
                1024,
                u64::MAX,
            )?,
            stall_timeout: in_range(
                "file-stall-timeout",
                file_stall_timeout,
                10 * MILLISECOND,
                Duration::from_secs(3600),
            )?,
        };
        let forks = ForkLimits {
            children: in_range("max-fork-children", max_fork_children, 1, COPIES_MAX)?,
            checkpoints: in_range("max-checkpoints", max_checkpoints, 0, 100_000)?,
            checkpoint_bytes: max_checkpoint_bytes,
            server_checkpoints: in_range(
                "max-server-checkpoints",
                max_server_checkpoints,
                0,
                1_000_000,
            )?,
            server_checkpoint_bytes: max_server_checkpoint_bytes,
            evaluations: in_range("max-evaluations", max_evaluations, 1, COPIES_MAX)?,
            rolls_back: on_failure == OnFailure::RollBack,
        };
        let transforms: Chain = transforms
            .parse()
            .map_err(|error| ConfigError(format!("`--transforms`: {error}")))?;
        let runtimes = runtimes(&python, preload, &runtime)?;
        let warm_workers = in_range("warm-workers", warm_workers, 1, 1024)?;
        let max_running_steps = in_range("max-running-steps", max_running_steps, 1, 100_000)?;
        let max_episodes = check_max_episodes(
            max_episodes.or(max_concurrent_envs),
            files_beside_calls(files.calls),
            u64::from(warm_workers) * runtimes.len() as u64,
            max_running_steps,
        )?;
        let cells = u64::from(max_episodes) + u64::from(warm_workers) * runtimes.len() as u64;
        // A running step may have a copy of its interpreter beside it, to be rolled back to.
        let copies = max_running_steps.min(max_episodes);
        let (uid_first, uid_count) = check_uids(uid_first, uid_count, cells, copies)?;
        Ok(Self {
            isolation,
            require: layers(&require)?,
            accept_open_signals,
            readable: check_readable(readable)?,
            uid_first,
            uid_count,
            listen,
            admin_listen,
            server_id: check_server_id(server_id)?,
            tokens_file: check_tokens_file(tokens_file)?,
            open,
            tls: check_tls(tls_cert, tls_key, tls_client_ca)?,
            runtimes,
            hash_seed,
            warm_workers,
            transforms,
            max_episodes,
            max_running_steps,
            max_waiting_steps: in_range("max-waiting-steps", max_waiting_steps, 0, 1_000_000)?,
            max_queued_steps: in_range("max-queued-steps", max_queued_steps, 0, 1024)?,
            step_timeout: in_range(
                "step-timeout",
                step_timeout,
                MILLISECOND,
                limits.step_timeout,
            )?,
            limits,
            files,
            forks,
            interrupt_grace: in_range(
                "interrupt-grace",
                interrupt_grace,
                MILLISECOND,
                Duration::from_secs(60),
            )?,
            background_cpu_time: in_range(
                "background-cpu-time",
                background_cpu_time,
                100 * MILLISECOND,
                7 * DAY,
            )?,
            template_cells,
            template_age: if template_age.is_zero() {
                template_age
            } else {
                in_range(
                    "template-age",
                    template_age,
                    Duration::from_secs(1),
                    365 * DAY,
                )?
            },
            worker_wait: in_range(
                "worker-wait",
                worker_wait,
                10 * MILLISECOND,
                Duration::from_secs(600),
            )?,
            kept_reply_bytes,
            session_grace: in_range(
                "session-grace",
                session_grace,
                Duration::ZERO,
                Duration::from_secs(3600),
            )?,
            session_requests: in_range("session-requests", session_requests, 1, 65_536)?,
            max_sessions: in_range("max-sessions", max_sessions, 1, 100_000)?,
            drain_timeout: in_range("drain-timeout", drain_timeout, Duration::ZERO, DAY)?,
            keepalive: in_range("keepalive", keepalive, Duration::from_secs(1), DAY)?,
            session_idle_timeout: in_range(
                "session-idle-timeout",
                session_idle_timeout,
                Duration::from_secs(1),
                30 * DAY,
            )?,
            allow_hosts: check_hosts(allow_host, space_host)?,
            allow_origins: check_origins(allow_origin)?,
            state_dir: state_dir.unwrap_or_else(std::env::temp_dir),
            otlp_endpoint: check_otlp(otlp_endpoint)?,
            role_program: None,
            adopts_orphans: false,
        })
    }
}

/// Absolute paths of things that are there.
fn check_readable(paths: Vec<PathBuf>) -> Result<Vec<PathBuf>, ConfigError> {
    for path in &paths {
        if !path.is_absolute() || !path.exists() {
            return Err(ConfigError(format!(
                "--readable {}: it must be an absolute path of something that is there",
                path.display()
            )));
        }
    }
    Ok(paths)
}

/// Names of hosts without scheme and port, and that of the Space that the server runs in.
fn check_hosts(hosts: Vec<String>, space: Option<String>) -> Result<Vec<String>, ConfigError> {
    let mut checked = Vec::new();
    for host in hosts {
        let host = host.trim().to_ascii_lowercase();
        let name = host.strip_prefix("*.").unwrap_or(&host);
        let valid = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if name.is_empty() || !name.bytes().all(valid) {
            return Err(ConfigError(format!(
                "`--allow-host` is `{host}`: it has to be a name such as `code.example.org` or `*.example.org`, without scheme and port"
            )));
        }
        checked.push(host);
    }
    let space = space.filter(|host| !host.is_empty());
    checked.extend(space.map(|host| host.to_ascii_lowercase()));
    Ok(checked)
}

/// Origins as browsers send them: scheme, host, and the port unless it goes without saying.
fn check_origins(origins: Vec<String>) -> Result<Vec<String>, ConfigError> {
    let check = |origin: String| {
        let origin = origin.trim().to_ascii_lowercase();
        let rest = origin
            .strip_prefix("https://")
            .or_else(|| origin.strip_prefix("http://"));
        match rest {
            Some(host) if !host.is_empty() && !host.contains(['/', '*', '@', ' ']) => Ok(origin),
            _ => Err(ConfigError(format!(
                "`--allow-origin` is `{origin}`: it has to be one such as `https://app.example.org`, without a path"
            ))),
        }
    };
    origins.into_iter().map(check).collect()
}

/// A broken file is a setting that can't be, and told before anything starts.
fn check_tokens_file(path: Option<PathBuf>) -> Result<Option<PathBuf>, ConfigError> {
    if let Some(path) = &path {
        auth::check_file(path)
            .map_err(|error| ConfigError(format!("`--tokens-file` {}: {error}", path.display())))?;
    }
    Ok(path)
}

/// As with the tokens file.
fn check_tls(
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
    client_ca: Option<PathBuf>,
) -> Result<Option<TlsFiles>, ConfigError> {
    let files = match (certificate, key) {
        (Some(certificate), Some(key)) => TlsFiles {
            certificate,
            key,
            client_ca,
        },
        (None, None) if client_ca.is_none() => return Ok(None),
        _ => {
            return Err(ConfigError(
                "TLS takes `--tls-cert` and `--tls-key` together, and `--tls-client-ca` needs both"
                    .to_owned(),
            ));
        }
    };
    tls::load(&files)
        .map_err(|error| ConfigError(format!("`--tls-cert`, `--tls-key`: {error}")))?;
    Ok(Some(files))
}

/// Where traces go: what the flag says, else OpenTelemetry's own variables.
fn check_otlp(configured: Option<String>) -> Result<Option<String>, ConfigError> {
    let Some(endpoint) = configured else {
        return traces::standard_endpoint().map_err(ConfigError);
    };
    traces::check_endpoint(&endpoint)
        .map_err(|error| ConfigError(format!("`--otlp-endpoint`: {error}")))?;
    Ok(Some(endpoint))
}

fn check_server_id(configured: Option<String>) -> Result<String, ConfigError> {
    let id = match configured {
        Some(id) => id,
        None => rustix::system::uname()
            .nodename()
            .to_string_lossy()
            .into_owned(),
    };
    let valid = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if id.is_empty() || id.len() > 128 || !id.bytes().all(valid) {
        return Err(ConfigError(format!(
            "`--server-id` is `{id}`: it has to be 1 to 128 of [A-Za-z0-9._-]"
        )));
    }
    Ok(id)
}

/// The hard limit of open files.
pub(crate) fn files_max() -> u64 {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    limit.maximum.unwrap_or(u64::MAX)
}

/// The hard limit of open files, less what calls that move files take.
pub(crate) fn files_beside_calls(file_calls: u32) -> u64 {
    files_max().saturating_sub(u64::from(file_calls) * DESCRIPTORS_FILE_CALL)
}

/// How many episodes this many descriptors allow: an idle one has one, and as many as may run at a time, and a few that
/// are about to be parked, four.
pub(crate) fn episodes_allowed(files: u64, warm_workers: u64, running: u32) -> u32 {
    let left = files.saturating_sub(DESCRIPTORS_RESERVED + warm_workers * DESCRIPTORS_ACTIVE);
    let active = u64::from(running) + SETTLING;
    let allowed = if left / DESCRIPTORS_ACTIVE <= active {
        left / DESCRIPTORS_ACTIVE
    } else {
        (left - active * (DESCRIPTORS_ACTIVE - DESCRIPTORS_IDLE)) / DESCRIPTORS_IDLE
    };
    u32::try_from(allowed).unwrap_or(u32::MAX)
}

/// How many workers, warm ones included, may hold their pipes before one that becomes idle is parked at once, so that those that
/// run a step, and so hold theirs again, fit beside them.
fn unparked_max(files: u64, warm_workers: u64, episodes: u32, running: u32) -> usize {
    let control = DESCRIPTORS_RESERVED + (warm_workers + u64::from(episodes)) * DESCRIPTORS_IDLE;
    let active = files.saturating_sub(control) / (DESCRIPTORS_ACTIVE - DESCRIPTORS_IDLE);
    let running = u64::from(running.min(episodes));
    usize::try_from(active.saturating_sub(running)).unwrap_or(usize::MAX)
}

/// How many episodes the limit of open files allows, with the pipes of idle ones in keepers ([`episodes_allowed`]), and whether that is what was asked for.
fn check_max_episodes(
    configured: Option<u32>,
    files: u64,
    warm_workers: u64,
    running: u32,
) -> Result<u32, ConfigError> {
    const DEFAULT: u32 = 4096;
    let allowed = episodes_allowed(files, warm_workers, running);
    match configured {
        None => Ok(DEFAULT.min(allowed).max(1)),
        Some(count) => {
            in_range("max-episodes", count, 1, 1_000_000)?;
            if count > allowed {
                return Err(ConfigError(format!(
                    "`--max-episodes` is {count}: the hard limit of {files} open files allows {allowed} with \
                     `--max-running-steps` {running}; raise it (ulimit -Hn) or ask for fewer"
                )));
            }
            Ok(count)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args() -> ServeArgs {
        use clap::{Args as _, Command, FromArgMatches as _};
        let matches = ServeArgs::augment_args(Command::new("x"))
            .try_get_matches_from(["x"])
            .unwrap();
        ServeArgs::from_arg_matches(&matches).unwrap()
    }

    fn refused(change: impl FnOnce(&mut ServeArgs)) -> String {
        let mut args = args();
        change(&mut args);
        Config::try_from(args).unwrap_err().0
    }

    #[test]
    fn the_defaults_are_valid() {
        let config = Config::try_from(args()).unwrap();
        assert_eq!(config.listen.to_string(), "127.0.0.1:8000");
        assert_eq!(config.runtimes[0].name, "default");
        assert!(config.runtimes[0].python.is_absolute());
    }

    #[test]
    fn threads_are_bounded() {
        let with = |threads| ServeArgs { threads, ..args() };
        assert!(threads(&with(None)).unwrap() >= 1);
        assert_eq!(threads(&with(Some(256))), Ok(256));
        for count in [0, 257] {
            assert!(
                threads(&with(Some(count)))
                    .unwrap_err()
                    .0
                    .contains("between 1 and 256")
            );
        }
    }

    #[test]
    fn sessions_are_bounded() {
        for (requests, sessions, grace) in [(1, 1, 0), (65_536, 100_000, 3600)] {
            let config = Config::try_from(ServeArgs {
                session_requests: requests,
                max_sessions: sessions,
                session_grace: Duration::from_secs(grace),
                ..args()
            });
            config.unwrap();
        }
        for count in [0, 65_537] {
            let told = refused(|args| args.session_requests = count);
            assert!(told.contains("between 1 and 65536"), "{told}");
        }
        for count in [0, 100_001] {
            let told = refused(|args| args.max_sessions = count);
            assert!(told.contains("between 1 and 100000"), "{told}");
        }
        let told = refused(|args| args.session_grace = Duration::from_secs(3601));
        assert!(told.contains("between 0ns and 3600s"), "{told}");
    }

    #[test]
    fn what_can_not_be_is_told_with_what_can() {
        assert_eq!(
            refused(|args| args.warm_workers = 0),
            "`--warm-workers` is 0: it has to be between 1 and 1024"
        );
        assert_eq!(
            refused(|args| args.step_timeout = Duration::from_secs(7200)),
            "`--step-timeout` is 7200s: it has to be between 1ms and 3600s"
        );
        assert!(refused(|args| args.max_processes = 1).contains("between 2 and 1000000"));
        assert!(refused(|args| args.max_workspace_inodes = 63).contains("between 64 and"));
        assert!(refused(|args| args.max_cpu_percent = 100_001).contains("between 0 and 100000"));
        for below in [(64 << 20) - 1, u64::MAX] {
            assert!(
                refused(|args| args.max_total_memory_bytes = below)
                    .starts_with("`--max-total-memory-bytes` is")
            );
        }
        for below in [(1 << 20) - 1, u64::MAX] {
            assert!(
                refused(|args| args.max_workspace_bytes = below)
                    .starts_with("`--max-workspace-bytes` is")
            );
        }
        assert!(refused(|args| args.server_id = Some("a b".into())).contains("[A-Za-z0-9._-]"));
        assert!(
            refused(|args| args.python = "no-such-python".into())
                .contains("no program `no-such-python`")
        );
        assert!(
            refused(|args| args.runtime = vec!["default".into()]).contains("names `default` twice")
        );
        assert!(refused(|args| args.runtime = vec!["a b=x".into()]).contains("NAME=PYTHON"));
        assert!(refused(|args| args.transforms = "beauty".into()).contains("beauty"));
        assert!(
            refused(|args| args.max_episodes = Some(1_000_001)).contains("between 1 and 1000000")
        );
    }

    #[test]
    fn hosts_and_origins_are_what_browsers_send() {
        let mut args = args();
        args.allow_host = vec!["Code.Example.org".into(), "*.example.net".into()];
        args.space_host = Some("me-env.hf.space".into());
        args.allow_origin = vec!["https://App.example.org:8443".into()];
        args.max_concurrent_envs = Some(7);
        let config = Config::try_from(args).unwrap();
        assert_eq!(
            config.allow_hosts,
            ["code.example.org", "*.example.net", "me-env.hf.space"]
        );
        assert_eq!(config.allow_origins, ["https://app.example.org:8443"]);
        assert_eq!(config.max_episodes, 7);
        for host in ["", "*", "http://a", "a:80", "a/b"] {
            assert!(refused(|args| args.allow_host = vec![host.into()]).contains("--allow-host"));
        }
        for origin in [
            "",
            "*",
            "example.org",
            "https://",
            "https://a/b",
            "https://*.a",
        ] {
            assert!(
                refused(|args| args.allow_origin = vec![origin.into()]).contains("--allow-origin")
            );
        }
        for timeout in [
            Duration::from_millis(999),
            Duration::from_secs(30 * 24 * 3600 + 1),
        ] {
            assert!(refused(|args| args.session_idle_timeout = timeout).contains("between 1s and"));
        }
    }

    #[test]
    fn an_idle_episode_counts_one_descriptor_and_an_active_one_four() {
        // What the test machine has.
        assert_eq!(
            check_max_episodes(Some(10_000), 20_000, 8, 1024),
            Ok(10_000)
        );
        assert!(unparked_max(20_000, 8, 10_000, 1024) > 2000);
        assert_eq!(check_max_episodes(None, 20_000, 8, 1024), Ok(4096));
        // Few descriptors: all may be active.
        assert_eq!(episodes_allowed(1024, 8, 1024), 184);
        assert_eq!(check_max_episodes(None, 1024, 8, 1024), Ok(184));
        let refused = check_max_episodes(Some(185), 1024, 8, 1024).unwrap_err();
        assert!(refused.0.contains("allows 184"), "{refused}");
        assert_eq!(episodes_allowed(0, 8, 1024), 0);
        // What is allowed fits: everybody's control socket, and what those have besides that may be active at a time.
        for files in (300..30_000).step_by(97) {
            for running in [1, 64, 1024, 5000] {
                let episodes = episodes_allowed(files, 8, running);
                let unparked = unparked_max(files, 8, episodes, running) as u64;
                let active = unparked + u64::from(running.min(episodes));
                assert!(unparked >= 8 && active >= u64::from(running.min(episodes)));
                assert!(DESCRIPTORS_RESERVED + 8 + u64::from(episodes) + 3 * active <= files);
            }
        }
    }

    #[test]
    fn every_cell_gets_a_uid_and_some_wait_for_their_last_process() {
        assert_eq!(check_uids(None, None, 4112, 100), Ok((None, 4468)));
        assert_eq!(
            check_uids(Some(7), Some(4112), 4112, 100),
            Ok((Some(7), 4112))
        );
        for (first, count, text) in [
            (None, Some(4111), "between 4112 and"),
            (Some(0), None, "between 1 and"),
            (Some(u32::MAX - 4000), None, "between 1 and"),
        ] {
            let refused = check_uids(first, count, 4112, 100).unwrap_err();
            assert!(refused.0.contains(text), "{refused}");
        }
    }

    #[test]
    fn layers_are_demanded_by_their_names() {
        let mut with = args();
        with.isolation.require = vec!["uid".into(), " cgroup ".into(), String::new()];
        assert_eq!(Config::try_from(with).unwrap().require, ["uid", "cgroup"]);
        let told = refused(|args| args.isolation.require = vec!["walls".into()]);
        assert!(
            told.contains("`walls`") && told.contains("seccomp"),
            "{told}"
        );
        // The flag's own words name every one, in this order.
        let help = clap::Command::new("x");
        let help = <ServeArgs as clap::Args>::augment_args(help)
            .render_long_help()
            .to_string();
        let words = help.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains(&plan::LAYERS.join(", ")), "{words}");
    }

    #[test]
    fn runtimes_are_read_with_their_preloads() {
        let mut args = args();
        args.runtime = vec!["a".into(), "b=python3:json,re".into(), "c=:json".into()];
        let config = Config::try_from(args).unwrap();
        let preloads: Vec<_> = config
            .runtimes
            .iter()
            .map(|runtime| runtime.preloads.join("+"))
            .collect();
        assert_eq!(preloads, ["", "", "json+re", "json"]);
    }
}
