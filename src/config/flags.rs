//! The flags of `coding-env serve`, and their variables.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::{ConfigError, SOURCE_BYTES_MAX};

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// The isolation level that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Isolation {
    /// The strongest that this machine allows, never none.
    Auto,
    /// Namespaces of its own per episode.
    Namespace,
    /// A Landlock domain per episode, where namespaces can't be had.
    Landlock,
    /// Processes with resource limits: an episode can do what the server can.
    None,
}

/// What becomes of an episode whose step fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OnFailure {
    /// It stays as the step left it.
    Keep,
    /// It is put back to before the step.
    RollBack,
}

/// RPCs that need no token where there are tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Open {
    /// Health checks: what probes and proxies ask for.
    Health,
    /// Reflection: the contract, for tools.
    Reflection,
    /// No RPC.
    None,
}

/// The settings of isolation, which `serve` and `doctor` share.
#[derive(Debug, Clone, Args)]
pub struct IsolationArgs {
    /// What separates episodes from the host and from one another. The server does not start where the level is not possible;
    /// `coding-env doctor` tells what is.
    #[arg(long, env = "CODING_ENV_ISOLATION", value_enum, default_value_t = Isolation::Auto, value_name = "LEVEL")]
    pub isolation: Isolation,

    /// Layers of isolation without which the server does not start, separated by commas: namespaces, filesystem, landlock,
    /// signals, seccomp, no_new_privs, capabilities, network, loopback, uid, cgroup, rlimit, process.
    #[arg(
        long,
        env = "CODING_ENV_REQUIRE",
        value_delimiter = ',',
        value_name = "LAYERS"
    )]
    pub require: Vec<String>,

    /// Start although episodes can signal one another and the server: at level landlock, where neither Landlock (Linux 6.12), nor uids
    /// of their own, nor a broker in the warden (Linux 5.19) keeps that apart.
    #[arg(long, env = "CODING_ENV_ACCEPT_OPEN_SIGNALS", value_parser = clap::builder::BoolishValueParser::new())]
    pub accept_open_signals: bool,

    /// A file or directory that episodes may read, at its own path, beside what Python needs; may be given more than once. In the
    /// variable, separated by colons. Level none shows everything.
    #[arg(
        long,
        env = "CODING_ENV_READABLE",
        value_delimiter = ':',
        value_name = "PATH"
    )]
    pub readable: Vec<PathBuf>,

    /// The first of the uids that live episodes get, one each, when the server is root: 1 to 4294967294. Servers on one host
    /// need ranges of their own. [default: somewhere from 1879048192 on, or 30000 in a user namespace without those]
    #[arg(long, env = "CODING_ENV_UID_FIRST", value_name = "UID")]
    pub uid_first: Option<u32>,

    /// How many of them: at least the live and the warm episodes. [default: those, one for each running step, and 256 that wait
    /// for their last process]
    #[arg(long, env = "CODING_ENV_UID_COUNT", value_name = "COUNT")]
    pub uid_count: Option<u32>,
}

/// The settings of `coding-env serve`.
#[derive(Debug, Clone, Args)]
pub struct ServeArgs {
    /// Address to listen on. With a port of 0 the system picks one, which the log tells.
    #[arg(
        long,
        env = "CODING_ENV_LISTEN",
        default_value = "127.0.0.1:8000",
        value_name = "ADDRESS"
    )]
    pub listen: SocketAddr,

    /// Address for metrics (`/metrics`), health pages (`/healthz`, `/readyz`) and the gRPC health service, all in plain text and without
    /// tokens: for the network of who looks after the server. [default: none]
    #[arg(long, env = "CODING_ENV_ADMIN_LISTEN", value_name = "ADDRESS")]
    pub admin_listen: Option<SocketAddr>,

    /// What this server calls itself in replies and to proxies: 1 to 128 of [A-Za-z0-9._-]. [default: the host name]
    #[arg(long, env = "CODING_ENV_SERVER_ID", value_name = "ID")]
    pub server_id: Option<String>,

    /// A file of bearer tokens, without one of which no RPC is answered: a name, a token of 32 to 512 characters and, if it is to expire, a
    /// time (RFC 3339) a line, with blanks between; `#` begins a comment. An episode is of the name that made it: to others it does not
    /// exist. Read again when it changes, and on SIGHUP. [default: none, everyone may do all]
    #[arg(long, env = "CODING_ENV_TOKENS_FILE", value_name = "PATH")]
    pub tokens_file: Option<PathBuf>,

    /// What needs no token all the same, separated by commas.
    #[arg(
        long,
        env = "CODING_ENV_OPEN",
        value_enum,
        value_delimiter = ',',
        default_value = "health",
        value_name = "RPCS"
    )]
    pub open: Vec<Open>,

    /// A certificate (PEM), with what leads to its authority behind it: the port then speaks TLS alone. Read again, with the other TLS
    /// files, when one of them changes, and on SIGHUP; connections that are open go on as they are. [default: none, plain text]
    #[arg(
        long,
        env = "CODING_ENV_TLS_CERT",
        requires = "tls_key",
        value_name = "PATH"
    )]
    pub tls_cert: Option<PathBuf>,

    /// Its key (PEM).
    #[arg(
        long,
        env = "CODING_ENV_TLS_KEY",
        requires = "tls_cert",
        value_name = "PATH"
    )]
    pub tls_key: Option<PathBuf>,

    /// Certificates (PEM) of authorities: who connects has to show a certificate of one of them. [default: nobody is asked for one]
    #[arg(
        long,
        env = "CODING_ENV_TLS_CLIENT_CA",
        requires = "tls_cert",
        value_name = "PATH"
    )]
    pub tls_client_ca: Option<PathBuf>,

    /// The Python of the runtime `default`: a path, or a name on PATH. CPython 3.9 or newer.
    #[arg(
        long,
        env = "CODING_ENV_PYTHON",
        default_value = "python3",
        value_name = "PROGRAM"
    )]
    pub python: PathBuf,

    /// Modules that the runtime `default` imports before an episode starts, separated by commas.
    #[arg(
        long,
        env = "CODING_ENV_PRELOAD",
        value_delimiter = ',',
        value_name = "MODULES"
    )]
    pub preload: Vec<String>,

    /// A further runtime: NAME, NAME=PYTHON or NAME=PYTHON:MODULE,MODULE. Give it again for more; in the variable they are
    /// separated by `;`. An empty PYTHON is that of --python.
    #[arg(
        long,
        env = "CODING_ENV_RUNTIME",
        value_delimiter = ';',
        value_name = "RUNTIME"
    )]
    pub runtime: Vec<String>,

    /// What separates episodes.
    #[command(flatten)]
    pub isolation: IsolationArgs,

    /// PYTHONHASHSEED of every interpreter: 0 to 4294967295.
    #[arg(
        long,
        env = "CODING_ENV_HASH_SEED",
        default_value_t = 0,
        value_name = "NUMBER"
    )]
    pub hash_seed: u32,

    /// Interpreters kept ready for each runtime: 1 to 1024.
    #[arg(
        long,
        env = "CODING_ENV_WARM_WORKERS",
        default_value_t = 16,
        value_name = "COUNT"
    )]
    pub warm_workers: u16,

    /// Transforms that give the reward, in order, separated by commas: `safety`, `quality`, or `none`.
    #[arg(
        long,
        env = "CODING_ENV_TRANSFORMS",
        default_value = "safety,quality",
        value_name = "NAMES"
    )]
    pub transforms: String,

    /// Live episodes: 1 to 1000000. [default: 4096, or what the limit of open files allows]
    #[arg(long, env = "CODING_ENV_MAX_EPISODES", value_name = "COUNT")]
    pub max_episodes: Option<u32>,

    /// Steps that run at the same time: 1 to 100000. More wait their turn, one of each token's name after the other.
    #[arg(
        long,
        env = "CODING_ENV_MAX_RUNNING_STEPS",
        default_value_t = 1024,
        value_name = "COUNT"
    )]
    pub max_running_steps: u32,

    /// Steps that wait for a turn to run: 0 to 1000000. More are refused; with tokens, of one name those beyond as many as it leaves free.
    #[arg(
        long,
        env = "CODING_ENV_MAX_WAITING_STEPS",
        default_value_t = 16384,
        value_name = "COUNT"
    )]
    pub max_waiting_steps: u32,

    /// Steps queued behind the running one in one episode: 0 to 1024. More are refused.
    #[arg(
        long,
        env = "CODING_ENV_MAX_QUEUED_STEPS",
        default_value_t = 16,
        value_name = "COUNT"
    )]
    pub max_queued_steps: u32,

    /// The largest source of a step, in bytes: 1 to 16777216.
    #[arg(long, env = "CODING_ENV_MAX_SOURCE_BYTES", default_value_t = SOURCE_BYTES_MAX, value_name = "BYTES")]
    pub max_source_bytes: u32,

    /// The most text kept of each of stdout and stderr, in bytes: 1024 to 16777216.
    #[arg(long, env = "CODING_ENV_MAX_OUTPUT_BYTES", default_value_t = 1 << 20, value_name = "BYTES")]
    pub max_output_bytes: u32,

    /// The most text kept of a result, in bytes: 1024 to 16777216.
    #[arg(long, env = "CODING_ENV_MAX_RESULT_BYTES", default_value_t = 256 << 10, value_name = "BYTES")]
    pub max_result_bytes: u32,

    /// Displays of a step (plots, tables and the like): 1 to 1024.
    #[arg(
        long,
        env = "CODING_ENV_MAX_DISPLAYS",
        default_value_t = 64,
        value_name = "COUNT"
    )]
    pub max_displays: u32,

    /// What all displays of a step may have together in its reply, in bytes: 1024 to 16777216.
    #[arg(long, env = "CODING_ENV_MAX_DISPLAY_BYTES", default_value_t = 3 << 20, value_name = "BYTES")]
    pub max_display_bytes: u32,

    /// How long a step may run when the request does not say: 1ms to --max-step-timeout.
    #[arg(long, env = "CODING_ENV_STEP_TIMEOUT", default_value = "30s", value_parser = humantime::parse_duration, value_name = "DURATION")]
    pub step_timeout: Duration,

    /// The longest that a request may ask for: 1ms to 7d.
    #[arg(long, env = "CODING_ENV_MAX_STEP_TIMEOUT", default_value = "1h", value_parser = humantime::parse_duration, value_name = "DURATION")]
    pub max_step_timeout: Duration,

    /// The CPU time that a step may use: 10ms to 7d.
    #[arg(long, env = "CODING_ENV_MAX_STEP_CPU_TIME", default_value = "1h", value_parser = humantime::parse_duration, value_name = "DURATION")]
    pub max_step_cpu_time: Duration,

    /// How long an episode may be idle before it expires: 1s to 30d.
    #[arg(long, env = "CODING_ENV_MAX_IDLE_TIMEOUT", default_value = "1h", value_parser = humantime::parse_duration, value_name = "DURATION")]
    pub max_idle_timeout: Duration,

    /// The address space of each process of an episode, in bytes: 67108864 (64 MiB) or more.
    #[arg(long, env = "CODING_ENV_MAX_MEMORY_BYTES", default_value_t = 4 << 30, value_name = "BYTES")]
    pub max_memory_bytes: u64,

    /// Open files of each process of an episode: 16 to 1048576.
    #[arg(
        long,
        env = "CODING_ENV_MAX_OPEN_FILES",
        default_value_t = 1024,
        value_name = "COUNT"
    )]
    pub max_open_files: u32,

    /// The largest file that a process of an episode may write, in bytes: 1048576 (1 MiB) or more.
    #[arg(long, env = "CODING_ENV_MAX_FILE_BYTES", default_value_t = 1 << 30, value_name = "BYTES")]
    pub max_file_bytes: u64,

    /// Memory of all processes of an episode and of its files together, in bytes: 67108864 (64 MiB) or more. Needs layer `cgroup`.
    #[arg(long, env = "CODING_ENV_MAX_TOTAL_MEMORY_BYTES", default_value_t = 4 << 30, value_name = "BYTES")]
    pub max_total_memory_bytes: u64,

    /// Processes and threads of an episode, its interpreter included: 2 to 1000000. Needs layer `cgroup` or `uid`, or level
    /// `namespace` without privilege.
    #[arg(
        long,
        env = "CODING_ENV_MAX_PROCESSES",
        default_value_t = 256,
        value_name = "COUNT"
    )]
    pub max_processes: u32,

    /// What the files of an episode may fill, in bytes: 1048576 (1 MiB) or more. Needs level `namespace`.
    #[arg(long, env = "CODING_ENV_MAX_WORKSPACE_BYTES", default_value_t = 512 << 20, value_name = "BYTES")]
    pub max_workspace_bytes: u64,

    /// Files and directories of an episode: 64 or more. Needs level `namespace`.
    #[arg(
        long,
        env = "CODING_ENV_MAX_WORKSPACE_INODES",
        default_value_t = 65536,
        value_name = "COUNT"
    )]
    pub max_workspace_inodes: u32,

    /// CPU time per time that an episode may use, in percent of one core: 1 to 100000; 0 is as much as there is. Needs layer `cgroup`.
    #[arg(
        long,
        env = "CODING_ENV_MAX_CPU_PERCENT",
        default_value_t = 0,
        value_name = "PERCENT"
    )]
    pub max_cpu_percent: u32,

    /// Calls that move files at the same time, over all episodes: 1 to 4096. More wait their turn, one of each token's name after the other.
    #[arg(
        long,
        env = "CODING_ENV_MAX_FILE_CALLS",
        default_value_t = 32,
        value_name = "COUNT"
    )]
    pub max_file_calls: u32,

    /// Calls that move files and wait for a turn: 0 to 1000000. More are refused.
    #[arg(
        long,
        env = "CODING_ENV_MAX_WAITING_FILE_CALLS",
        default_value_t = 16384,
        value_name = "COUNT"
    )]
    pub max_waiting_file_calls: u32,

    /// Files and directories that one call moves, lists or deletes: 1 to 10000000.
    #[arg(
        long,
        env = "CODING_ENV_MAX_FILES_PER_CALL",
        default_value_t = 100_000,
        value_name = "COUNT"
    )]
    pub max_files_per_call: u32,

    /// Bytes of data that one call moves: 1024 or more.
    #[arg(long, env = "CODING_ENV_MAX_FILE_BYTES_PER_CALL", default_value_t = 16 << 30, value_name = "BYTES")]
    pub max_file_bytes_per_call: u64,

    /// How long a call that moves files waits for its client to send or to take something: 10ms to 1h.
    #[arg(long, env = "CODING_ENV_FILE_STALL_TIMEOUT", default_value = "30s", value_parser = humantime::parse_duration, value_name = "DURATION")]
    pub file_stall_timeout: Duration,

    /// Children of one Fork: 1 to 1024.
    #[arg(
        long,
        env = "CODING_ENV_MAX_FORK_CHILDREN",
        default_value_t = 256,
        value_name = "COUNT"
    )]
    pub max_fork_children: u32,

    /// Checkpoints of one episode: 0 to 100000. Each is a process, and takes a place of `--max-episodes`.
    #[arg(
        long,
        env = "CODING_ENV_MAX_CHECKPOINTS",
        default_value_t = 256,
        value_name = "COUNT"
    )]
    pub max_checkpoints: u32,

    /// The memory that the checkpoints of one episode may have for themselves, together, in bytes. Past it no more are made.
    #[arg(long, env = "CODING_ENV_MAX_CHECKPOINT_BYTES", default_value_t = 1 << 30, value_name = "BYTES")]
    pub max_checkpoint_bytes: u64,

    /// Checkpoints of all episodes: 0 to 1000000.
    #[arg(
        long,
        env = "CODING_ENV_MAX_SERVER_CHECKPOINTS",
        default_value_t = 2048,
        value_name = "COUNT"
    )]
    pub max_server_checkpoints: u32,

    /// The memory that the checkpoints of all episodes may have for themselves, together, in bytes. Past it no more are made.
    #[arg(long, env = "CODING_ENV_MAX_SERVER_CHECKPOINT_BYTES", default_value_t = 4 << 30, value_name = "BYTES")]
    pub max_server_checkpoint_bytes: u64,

    /// Evaluations of one Evaluate: 1 to 1024. Each takes a place of `--max-episodes` while it runs.
    #[arg(
        long,
        env = "CODING_ENV_MAX_EVALUATIONS",
        default_value_t = 64,
        value_name = "COUNT"
    )]
    pub max_evaluations: u32,

    /// What becomes of an episode whose step fails when the step does not say. Rolling back costs each step a copy of its interpreter.
    #[arg(long, env = "CODING_ENV_ON_FAILURE", value_enum, default_value_t = OnFailure::Keep, value_name = "WHAT")]
    pub on_failure: OnFailure,

    /// What an interrupted step gets to end by itself before the kill: 1ms to 60s.
    #[arg(long, env = "CODING_ENV_INTERRUPT_GRACE", default_value = "1s", value_parser = humantime::parse_duration, value_name = "DURATION")]
    pub interrupt_grace: Duration,

    /// CPU time of an idle episode's threads after which it is frozen until its next step: 100ms to 7d.
    #[arg(long, env = "CODING_ENV_BACKGROUND_CPU_TIME", default_value = "10s", value_parser = humantime::parse_duration, value_name = "DURATION")]
    pub background_cpu_time: Duration,

    /// After how many episodes a runtime's template is replaced by a fresh one, with another layout of memory; 0 is never.
    #[arg(
        long,
        env = "CODING_ENV_TEMPLATE_CELLS",
        default_value_t = 100_000,
        value_name = "COUNT"
    )]
    pub template_cells: u64,

    /// After how long it is, at the next episode: 1s to 365d; 0s is never.
    #[arg(long, env = "CODING_ENV_TEMPLATE_AGE", default_value = "6h", value_parser = humantime::parse_duration, value_name = "DURATION")]
    pub template_age: Duration,

    /// How long a Reset waits for an interpreter: 10ms to 10m.
    #[arg(long, env = "CODING_ENV_WORKER_WAIT", default_value = "10s", value_parser = humantime::parse_duration, value_name = "DURATION")]
    pub worker_wait: Duration,

    /// Replies kept for retries beyond each episode's last, over all episodes, in bytes.
    #[arg(long, env = "CODING_ENV_KEPT_REPLY_BYTES", default_value_t = 256 << 20, value_name = "BYTES")]
    pub kept_reply_bytes: u64,

    /// How long a session whose stream is broken is kept, with its episodes: 0s to 1h.
    #[arg(long, env = "CODING_ENV_SESSION_GRACE", default_value = "30s", value_parser = humantime::parse_duration, value_name = "DURATION")]
    pub session_grace: Duration,

    /// Requests of one session that have no response which the client has taken: 1 to 65536. Past it no more are read.
    #[arg(
        long,
        env = "CODING_ENV_SESSION_REQUESTS",
        default_value_t = 1024,
        value_name = "COUNT"
    )]
    pub session_requests: u32,

    /// Sessions, those whose stream is broken included: 1 to 100000. More are refused.
    #[arg(
        long,
        env = "CODING_ENV_MAX_SESSIONS",
        default_value_t = 1024,
        value_name = "COUNT"
    )]
    pub max_sessions: u32,

    /// How long live episodes get to go on after SIGTERM: 0s to 1d.
    #[arg(long, env = "CODING_ENV_DRAIN_TIMEOUT", default_value = "30s", value_parser = humantime::parse_duration, value_name = "DURATION")]
    pub drain_timeout: Duration,

    /// End at once, without a drain, when standard input ends: then whoever started this server with a pipe has gone, in whatever way.
    #[arg(long, env = "CODING_ENV_END_WITH_STDIN", value_parser = clap::builder::BoolishValueParser::new())]
    pub end_with_stdin: bool,

    /// Threads that serve connections: 1 to 256. Episodes run beside them, on what they leave. [default: half of the cores]
    #[arg(long, env = "CODING_ENV_THREADS", value_name = "COUNT")]
    pub threads: Option<u16>,

    /// How often a connection is checked for a peer that has gone silent: 1s to 1d.
    #[arg(long, env = "CODING_ENV_KEEPALIVE", default_value = "20s", value_parser = humantime::parse_duration, value_name = "DURATION")]
    pub keepalive: Duration,

    /// How long an OpenEnv session that `openenv/session/create` made may be without a connection and without a call: 1s to 30d.
    #[arg(long, env = "CODING_ENV_SESSION_IDLE_TIMEOUT", default_value = "15m", value_parser = humantime::parse_duration, value_name = "DURATION")]
    pub session_idle_timeout: Duration,

    /// A name under which web pages may reach the server, beside loopback names, addresses, names without a dot and those of a cluster:
    /// `code.example.org`, or `*.example.org`; may be given more than once. In the variable, separated by commas.
    #[arg(
        long,
        env = "CODING_ENV_ALLOW_HOST",
        value_delimiter = ',',
        value_name = "HOST"
    )]
    pub allow_host: Vec<String>,

    /// An origin whose web pages may use the server: `https://app.example.org`; may be given more than once. In the variable, separated
    /// by commas.
    #[arg(
        long,
        env = "CODING_ENV_ALLOW_ORIGIN",
        value_delimiter = ',',
        value_name = "ORIGIN"
    )]
    pub allow_origin: Vec<String>,

    /// What Hugging Face Spaces call the host.
    #[arg(long, env = "SPACE_HOST", hide = true)]
    pub space_host: Option<String>,

    /// What servers of OpenEnv call `--max-episodes`, which wins.
    #[arg(long, env = "MAX_CONCURRENT_ENVS", hide = true)]
    pub max_concurrent_envs: Option<u32>,

    /// Where the directory for workspaces is made. [default: TMPDIR, or /tmp]
    #[arg(long, env = "CODING_ENV_STATE_DIR", value_name = "DIRECTORY")]
    pub state_dir: Option<PathBuf>,

    /// A collector to which traces are sent by OTLP over gRPC: http://HOST:PORT, or https://HOST:PORT with the system's roots. A span for each
    /// call and each step: which episode, how it ended, how long it took; never code, output or tokens. OpenTelemetry's own OTEL_* variables
    /// hold too. Needs a program built with the feature `otlp`. [default: what OTEL_EXPORTER_OTLP_ENDPOINT says, or none]
    #[arg(long, env = "CODING_ENV_OTLP_ENDPOINT", value_name = "URL")]
    pub otlp_endpoint: Option<String>,

    /// How log lines look.
    #[arg(long, env = "CODING_ENV_LOG_FORMAT", value_enum, default_value_t = LogFormat::Text, value_name = "FORMAT")]
    pub log_format: LogFormat,

    /// What is logged: a level (error, warn, info, debug, trace), or directives as of tracing's EnvFilter.
    #[arg(
        long,
        env = "CODING_ENV_LOG",
        default_value = "info",
        value_name = "FILTER"
    )]
    pub log: String,
}

impl ServeArgs {
    /// The defaults and what the environment says, as `coding-env serve` without flags has them.
    ///
    /// # Errors
    /// A variable whose value can't be read.
    pub fn from_environment() -> Result<Self, ConfigError> {
        use clap::{Command, FromArgMatches as _};
        let matches = Self::augment_args(Command::new("coding-env"))
            .try_get_matches_from(["coding-env"])
            .map_err(|error| ConfigError(error.to_string()))?;
        Self::from_arg_matches(&matches).map_err(|error| ConfigError(error.to_string()))
    }
}
