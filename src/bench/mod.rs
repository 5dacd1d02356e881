//! Benchmarks: `coding-env bench`.
//!
//! Every figure that has a budget is a ratio to something else that was measured in the same run on the same machine, with rounds of the
//! two sides taken in turn (A, B, A, B, …), so that what else the machine does meets both. Medians of rounds are compared.
//!
//! The server is another process of this program (`/proc/self/exe serve`), so that client and server share no runtime. The client is one
//! thread, as an asyncio trainer is (`--client-threads` for more): generated stubs over two connections, closed loops (each sends its
//! next request when the last was answered). Client and server share the machine's cores, in the floor as in the steps.
//!
//! | rows | method |
//! |---|---|
//! | `empty_call_*`, `step_*`, `reset_*` | one client; rounds of health checks, of steps `x = 1` in one episode, and of a burst of Resets that the warm pool covers. The pool is full again before the next round |
//! | `empty_calls_N`, `steps_N` | N closed loops, of health checks and of steps in N episodes |
//! | `openenv_step_p50`, `openenv_steps_32`, `step_p50_to_openenv`, `steps_32_to_openenv` | with `--openenv URL`, a server of the incumbent: one session, and 32, of steps `x = 1` over its WebSocket there, over ours, and by gRPC, in turn |
//! | `worker_loop`, `bare_fork_loop`, `resets`, `resets_to_bare_fork` | 16 closed loops of Reset (ending the episode before) and one step `x = 1`, against two loops without a server, one per core: the first has a warden and a template of its own make cells with the same plan, run `x = 1`, and kills and reaps them, several under way at a time (`cells.rs`); the second is `os.fork`, `os._exit`, `os.waitpid` in an interpreter with the same modules. The goal against the second depends on the isolation level in force |
//! | `cell_*` | the first of those loops with plans that have more and more in them: what a cell costs, in time of one core (cores × wall time / cells). Each has a reaper. `cell_none` has nothing else; `_seccomp` adds the filter; `_landlock` is that level, `_namespace` the other, without control groups, uids, and Landlock there; `_namespace_*` adds one of these, or all. What this machine has not is shown as not measured |
//! | `idle_episode_memory` | MemAvailable before and after, by the number of episodes, at the level in force: worker and reaper together; each has run `x = 1`. A server of its own, so that nothing freed earlier is counted. `idle_memory_*`: the same at each level that is possible here |
//! | `close_hostile` | from Close to the moment when no process is left of an episode with ten daemons that ignore every signal and a fork storm of up to 40 processes, as a scan of /proc finds them by the name that they gave themselves; zombies count. The scan begins when those that were there before Close have ended |
//! | `neighbour_p99_*` | p99 of the step `x = 1` of one episode, while another one does nothing (`_quiet`), spins, forks (up to 40 processes), fills its memory, floods its output, or fills its disk; in turn. `_stream` floods its output, and a client in a thread of its own reads it all by StepStream |
//! | `stream_latency` | p99 of the time from the moment that a program reads from the clock and prints, a line every 10 ms, to the line's arrival by StepStream |
//! | `unary_steps_at_once`, `session_steps_at_once` | 2,000 episodes that all step `x = 1` at once and again when all have been answered: each step a call, or all over 4 sessions, on the same connections; in turn. `*_cpu_per_step` is what the processes of client and server used for it, without the interpreters |
//! | `strangers_*` | p50 and p99 of the step `x = 1` of a client that bears a token, alone (`_quiet_`) and while others send a thousand requests a second whose token is missing, malformed, unknown or expired; in turn. The full run refuses about ten thousand |
//! | `cpu_silent`, `cpu_printing` | `time.process_time()` around the same code in a fresh episode and in a file, least of many interleaved runs; what the server observed is compared with it |
//! | `stream_up`, `stream_down`, `files_write`, `files_read` | 30 files of 1 B, 2 B, 4 B, … 512 MiB, 1 GiB in all, in messages of 256 KiB, to an episode and back, against the same messages to and from a service that throws them away, on a thread of its own; in turn |
//! | `files_small_write`, `files_small_read` | files of 1 KiB in 100 directories, 200 in a message, in one call |
//! | `files_memory` | by how much the most memory that the server has had resident grows while the 1 GiB goes there and back |
//! | `fork_bare_*`, `fork_first_reply`, `fork_pause`, `fork_64` | an episode with a heap of about 100 MB: `os.fork` in it to the child's first byte, and Fork to the reply to the child's first step; the call of `os.fork`, and by how much a step of the parent that is sent right behind a Fork is later than one alone; 64 forks until each has written a byte, and 64 copies of one Fork, ready for their first step; in turn. At level `none` or `namespace`: elsewhere there are no copies |
//! | `fork_memory` | what 64 copies of an episode have in memory that is no other process's, by their number: without page tables |
//! | `group_forks`, `group_steps`, `group_memory` | 32 prefixes that have each made a table of 20,000 texts, forked into 16 rollouts each, all at once; then 10 steps of all 512 rollouts at once, none of which may fail; MemAvailable before and after, by the number of rollouts |
//! | `cold_start` | from the spawn to the log line that says that the server is ready, by the spawn to the end of a bare interpreter |
//!
//! Rows about the OpenEnv reference need one; that about the most episodes that can live needs more than this machine. They are shown as
//! not measured.

mod cells;
mod files;
mod forks;
mod groups;
mod hostile;
mod load;
mod memory;
mod openenv;
mod process;
mod report;
mod stats;
mod strangers;
mod streams;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};

use self::groups::Groups;
pub use self::report::{Report, row_names};

use self::cells::{CellLoops, CellOptions};
use self::hostile::Hostile;
use self::load::{
    Bearing, Call as _, Connections, Episode, Resets, latencies, latencies_for, rate,
};
use self::memory::{memory_available, settled_memory};
use self::openenv::Session;
use self::process::{BareLoops, ScratchDir, Server, ServerOptions, bare_command};
use self::stats::{Rounds, least, median, quantile};
use self::strangers::Strangers;
use crate::config::{self, Config, Isolation, IsolationArgs};
use crate::proto::v1::Limits;
use crate::sandbox::features::Features;
use crate::sandbox::plan::{self, Level, Plan, Uids};
use crate::sandbox::probe::{self, Shown};
use crate::sandbox::role;

/// Interpreters that the measured server keeps ready.
const WARM_WORKERS: u32 = 32;
/// Episodes that may live beside those of the largest load.
const EPISODES_SPARE: u32 = 512;
/// Episodes of a server for anything but memory.
const EPISODES_FEW: u32 = 256;
/// Loops that sustain resets. Enough that neither the pool nor the server ever waits for a client.
const RESET_LOOPS: usize = 16;
/// Episodes that are made at the same time to fill a server.
const FILL_LOOPS: usize = 8;
/// How many clients the throughput rows have, and their names.
const LOADS: [(usize, &str, &str); 4] = [
    (1, "empty_calls_1", "steps_1"),
    (8, "empty_calls_8", "steps_8"),
    (32, "empty_calls_32", "steps_32"),
    (128, "empty_calls_128", "steps_128"),
];

/// What to measure.
#[derive(Debug, Clone)]
pub struct Options {
    /// Fewer and shorter rounds: a look, not a measurement.
    pub quick: bool,
    /// Only the rows with these names, or whose names begin with one of these and an underscore. Empty: all.
    pub only: Vec<String>,
    /// The interpreter.
    pub python: PathBuf,
    /// What separates episodes: passed on to the servers.
    pub isolation: IsolationArgs,
    /// A server of the incumbent, at `http://HOST:PORT`, to compare with. None: those rows are not measured.
    pub openenv: Option<String>,
    /// How many threads the runtime has on which [`run`] is called, which are the client's: told in the notes.
    pub client_threads: usize,
}

/// How much is done.
#[derive(Debug, Clone, Copy)]
struct Effort {
    latency_rounds: u32,
    latency_calls: usize,
    reset_burst: usize,
    rate_rounds: u32,
    rate_time: Duration,
    reset_rounds: u32,
    reset_time: Duration,
    layer_rounds: u32,
    layer_time: Duration,
    memory_episodes: u32,
    close_rounds: u32,
    neighbour_rounds: u32,
    /// How long steps are measured beside each kind of neighbour, a round.
    neighbour_time: Duration,
    /// Lines whose latency is measured.
    stream_lines: u32,
    /// Episodes that step at once, and how often in a round.
    at_once_episodes: u32,
    at_once_rounds: u32,
    stranger_rounds: u32,
    /// How long steps are measured alone, and beside strangers, a round.
    stranger_time: Duration,
    cpu_rounds: u32,
    /// Turns of the CPU-bound program's loop.
    cpu_turns: u32,
    start_rounds: u32,
    file_rounds: u32,
    /// What is moved in a round: see [`files::Sizes`].
    file_bytes: u64,
    small_files: usize,
    fork_rounds: u32,
    /// Rollouts of copies.
    groups: Groups,
    /// The whole run.
    within: Duration,
}

impl Effort {
    const FULL: Self = Self {
        latency_rounds: 25,
        latency_calls: 300,
        reset_burst: 16,
        rate_rounds: 5,
        rate_time: Duration::from_millis(600),
        reset_rounds: 5,
        reset_time: Duration::from_millis(1500),
        layer_rounds: 5,
        layer_time: Duration::from_millis(800),
        memory_episodes: 2000,
        close_rounds: 15,
        neighbour_rounds: 5,
        neighbour_time: Duration::from_millis(800),
        stream_lines: 500,
        at_once_episodes: 2000,
        at_once_rounds: 5,
        stranger_rounds: 5,
        stranger_time: Duration::from_secs(2),
        cpu_rounds: 20,
        cpu_turns: 2_000_000,
        start_rounds: 7,
        file_rounds: 3,
        file_bytes: 1 << 30,
        small_files: 20_000,
        fork_rounds: 15,
        groups: Groups {
            prefixes: 32,
            branches: 16,
            steps: 10,
        },
        within: Duration::from_secs(360),
    };
    const QUICK: Self = Self {
        latency_rounds: 4,
        latency_calls: 100,
        reset_burst: 8,
        rate_rounds: 2,
        rate_time: Duration::from_millis(200),
        reset_rounds: 2,
        reset_time: Duration::from_millis(500),
        layer_rounds: 2,
        layer_time: Duration::from_millis(250),
        memory_episodes: 200,
        close_rounds: 3,
        neighbour_rounds: 2,
        neighbour_time: Duration::from_millis(250),
        stream_lines: 50,
        at_once_episodes: 200,
        at_once_rounds: 2,
        stranger_rounds: 2,
        stranger_time: Duration::from_millis(300),
        cpu_rounds: 5,
        cpu_turns: 300_000,
        start_rounds: 3,
        file_rounds: 2,
        file_bytes: 1 << 26,
        small_files: 2000,
        fork_rounds: 5,
        groups: Groups {
            prefixes: 4,
            branches: 8,
            steps: 4,
        },
        within: Duration::from_secs(90),
    };
}

/// The parts of a run. Each measures rows that need one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Section {
    Latency,
    Rates,
    OpenEnv,
    Resets,
    Layers,
    Memory,
    Close,
    Neighbours,
    Streams,
    Sessions,
    Strangers,
    Cpu,
    Files,
    Forks,
    Groups,
    ColdStart,
}

impl Section {
    const ALL: [Self; 16] = [
        Self::Latency,
        Self::Rates,
        Self::OpenEnv,
        Self::Resets,
        Self::Layers,
        Self::Memory,
        Self::Close,
        Self::Neighbours,
        Self::Streams,
        Self::Sessions,
        Self::Strangers,
        Self::Cpu,
        Self::Files,
        Self::Forks,
        Self::Groups,
        Self::ColdStart,
    ];

    const fn title(self) -> &'static str {
        match self {
            Self::Latency => "latency of an empty call, a step and a reset",
            Self::Rates => "empty calls and steps per second",
            Self::OpenEnv => "steps on OpenEnv's wire, here and at its reference",
            Self::Resets => "resets per second, and the same work without the server",
            Self::Layers => "what each layer of isolation costs",
            Self::Memory => "memory of idle episodes",
            Self::Close => "the end of a hostile episode",
            Self::Neighbours => "latency of a step beside hungry episodes",
            Self::Streams => "how soon output arrives",
            Self::Sessions => "many episodes stepping at once, by calls and over sessions",
            Self::Strangers => "latency of a step beside callers without a token",
            Self::Cpu => "CPU time of user code",
            Self::Files => "files to and from a workspace",
            Self::Forks => "copies of an episode with a large heap",
            Self::Groups => "groups of rollouts from one prefix each",
            Self::ColdStart => "cold start",
        }
    }

    fn has(self, row: &str) -> bool {
        match self {
            Self::Latency => matches!(
                row,
                "empty_call_p50"
                    | "empty_call_p99"
                    | "step_p50"
                    | "step_p99"
                    | "reset_p50"
                    | "reset_p99"
            ),
            Self::Rates => LOADS
                .iter()
                .any(|(_, calls, steps)| [*calls, *steps].contains(&row)),
            Self::OpenEnv => row.ends_with("_to_openenv") || row.starts_with("openenv_"),
            Self::Resets => matches!(
                row,
                "worker_loop" | "bare_fork_loop" | "resets" | "resets_to_bare_fork"
            ),
            Self::Layers => row.starts_with("cell_"),
            Self::Memory => row.starts_with("idle_"),
            Self::Close => row == "close_hostile",
            Self::Neighbours => row.starts_with("neighbour_p99_"),
            Self::Streams => row == "stream_latency",
            Self::Sessions => matches!(
                row,
                "unary_steps_at_once"
                    | "session_steps_at_once"
                    | "unary_cpu_per_step"
                    | "session_cpu_per_step"
            ),
            Self::Strangers => row.starts_with("strangers_"),
            Self::Cpu => matches!(row, "cpu_silent" | "cpu_printing"),
            Self::Files => row.starts_with("files_") || matches!(row, "stream_up" | "stream_down"),
            Self::Forks => row.starts_with("fork_"),
            Self::Groups => row.starts_with("group_"),
            Self::ColdStart => row == "cold_start",
        }
    }
}

/// Which rows are wanted.
#[derive(Debug)]
struct Selection(Vec<&'static str>);

impl Selection {
    fn new(only: &[String]) -> anyhow::Result<Self> {
        let mut rows = Vec::new();
        for asked in only {
            let before = rows.len();
            rows.extend(row_names().filter(|name| selects(asked, name)));
            if rows.len() == before {
                let names: Vec<&str> = row_names().collect();
                bail!(
                    "there is no row `{asked}`; the rows are {}",
                    names.join(", ")
                );
            }
        }
        if only.is_empty() {
            rows.extend(row_names());
        }
        Ok(Self(rows))
    }

    fn wants(&self, row: &str) -> bool {
        self.0.contains(&row)
    }
}

/// Whether a name given to `--only` means this row.
fn selects(asked: &str, row: &str) -> bool {
    row.strip_prefix(asked)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
}

/// What every section needs.
#[derive(Debug)]
struct Bench {
    python: PathBuf,
    isolation: IsolationArgs,
    openenv: Option<String>,
    /// What a server with these settings is.
    config: Config,
    /// What this machine allows.
    features: Features,
    /// What is in force in the servers.
    plan: Plan,
    selection: Selection,
    effort: Effort,
    scratch: ScratchDir,
    cores: usize,
    report: Report,
}

/// Measures, one section after the other, each bounded in time. `progress` is told what goes on. A section that fails leaves its rows
/// unmeasured and is named in [`Report::failures`].
///
/// The runtime that it is called on is the client's.
///
/// # Errors
/// An unknown row, an interpreter that isn't there, or isolation that is not possible.
pub async fn run(options: Options, mut progress: impl FnMut(&str)) -> anyhow::Result<Report> {
    let Options {
        quick,
        only,
        python,
        isolation,
        openenv,
        client_threads,
    } = options;
    let effort = if quick { Effort::QUICK } else { Effort::FULL };
    let selection = Selection::new(&only)?;
    let config = process::config(&ServerOptions {
        python,
        isolation: isolation.clone(),
        state_dir: PathBuf::new(),
        warm_workers: WARM_WORKERS,
        max_episodes: EPISODES_FEW + EPISODES_SPARE,
        workspace_bytes: None,
        tokens_file: None,
    })?;
    let runtime = config.runtimes.first().context("no runtime")?;
    let program = role::program(None).context("`coding_env::enter_role()` was not called")?;
    // The loops are run at each level.
    let shown = Shown {
        always: true,
        ..config.shown()
    };
    let features = tokio::task::spawn_blocking(move || probe::run(&program, &shown)).await??;
    let plan = plan::plan(&features, &config.demand())?;
    let mut bench = Bench {
        python: runtime.python.clone(),
        isolation,
        openenv,
        config,
        features,
        selection,
        effort,
        scratch: ScratchDir::new()?,
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        report: Report::at(plan.level),
        plan,
    };
    let begun = Instant::now();
    for section in Section::ALL {
        if !bench.selection.0.iter().any(|row| section.has(row)) {
            continue;
        }
        progress(section.title());
        let left = effort.within.saturating_sub(begun.elapsed());
        let failed = match tokio::time::timeout(left, bench.measure(section)).await {
            Ok(Ok(())) => continue,
            Ok(Err(error)) => format!("{error:#}"),
            Err(_) => format!("the time of the whole run ({:?}) is over", effort.within),
        };
        let failure = format!("not measured: {}: {failed}", section.title());
        progress(&failure);
        bench.report.failures.push(failure);
    }
    let mut note = format!(
        "coding-env {}, {}, isolation level {}, {} cores; client threads: {}, connections: {}",
        env!("CARGO_PKG_VERSION"),
        bench.python.display(),
        bench.plan.level,
        bench.cores,
        client_threads,
        load::CONNECTIONS
    );
    if cfg!(debug_assertions) {
        note.push_str(", built without optimisation: measure a release build");
    }
    if quick {
        note.push_str(", --quick: a look, not a measurement");
    }
    bench.report.notes.insert(0, note);
    Ok(bench.report)
}

impl Bench {
    async fn measure(&mut self, section: Section) -> anyhow::Result<()> {
        match section {
            Section::Latency => self.latency().await,
            Section::Rates => self.rates().await,
            Section::OpenEnv => self.openenv().await,
            Section::Resets => self.resets().await,
            Section::Layers => self.layers().await,
            Section::Memory => self.memory().await,
            Section::Close => self.close().await,
            Section::Neighbours => self.neighbours().await,
            Section::Streams => self.streams().await,
            Section::Sessions => self.sessions().await,
            Section::Strangers => self.strangers().await,
            Section::Cpu => self.cpu().await,
            Section::Files => self.files().await,
            Section::Forks => self.forks().await,
            Section::Groups => self.groups().await,
            Section::ColdStart => self.cold_start().await,
        }
    }

    async fn forks(&mut self) -> anyhow::Result<()> {
        let (server, connections) = self.server(EPISODES_FEW).await?;
        let mut parent = forks::parent(&connections).await?;
        let mut rounds = Vec::new();
        for _ in 0..self.effort.fork_rounds {
            rounds.push(forks::round(&connections, &mut parent).await?);
        }
        parent.close().await?;
        let mut small = Episode::start(connections.client(0)?, "").await?;
        small.run("x = 1").await?;
        connections.pool_full(WARM_WORKERS).await?;
        let server_pid = server.pid().context("the server has ended")?;
        let before = memory::processes_below(server_pid)?;
        let copies = forks::copies(&connections, &small, forks::GROUP).await?;
        let made = memory::processes_below(server_pid)?;
        let private = memory::private_mib(made.difference(&before).copied());
        forks::close(copies).await?;
        server.stop().await?;
        let of =
            |value: fn(&forks::Round) -> f64| median(&rounds.iter().map(value).collect::<Vec<_>>());
        let per_second = |time: Option<f64>| time.map(|time| f64::from(forks::GROUP) * 1e3 / time);
        let first = of(|round| round.bare_first);
        self.set("fork_bare_first_byte", first);
        self.set_ratio("fork_first_reply", of(|round| round.first_reply), first);
        let pause = of(|round| round.bare_pause);
        self.set("fork_bare_pause", pause);
        self.set_ratio("fork_pause", of(|round| round.pause), pause);
        let group = per_second(of(|round| round.bare_group));
        self.set("fork_bare_64", group);
        self.set_ratio("fork_64", per_second(of(|round| round.group)), group);
        let count = f64::from(forks::GROUP);
        self.set("fork_memory", Some(private / count));
        Ok(())
    }

    /// As a trainer with 32 prompts and 16 rollouts of each does, all at once.
    async fn groups(&mut self) -> anyhow::Result<()> {
        let groups = self.effort.groups;
        let count = groups.prefixes * groups.branches;
        let (server, connections) = self.server(u32::try_from(groups.prefixes + count)?).await?;
        connections.pool_full(WARM_WORKERS).await?;
        let before = settled_memory().await?;
        let (prefixes, rollouts, took) = groups::fork(&connections, groups).await?;
        let (rollouts, rate) = groups::step(rollouts, groups.steps).await?;
        let after = settled_memory().await?;
        drop((prefixes, rollouts));
        server.stop().await?;
        let count = u32::try_from(count)?;
        self.set("group_forks", Some(f64::from(count) / took.as_secs_f64()));
        self.set("group_steps", Some(rate));
        self.set(
            "group_memory",
            Some((before - after) / f64::from(count) / 1024.0),
        );
        self.report.notes.push(format!(
            "group_*: {} prefixes, {} rollouts of each, {} steps of each of these; memory with all that a rollout's steps changed",
            groups.prefixes, groups.branches, groups.steps
        ));
        Ok(())
    }

    async fn files(&mut self) -> anyhow::Result<()> {
        const MIB: f64 = 1_048_576.0;
        let effort = self.effort;
        let options = ServerOptions {
            workspace_bytes: Some(effort.file_bytes * 2),
            ..self.server_options(EPISODES_FEW)
        };
        let server = Server::start(&options).await?;
        let connections = Connections::open(&server).await?;
        connections.pool_full(WARM_WORKERS).await?;
        let episode = Episode::start(connections.client(0)?, "").await?;
        let sink = files::Sink::start()?;
        let mut floor = files::Peer::connect(&sink.url, "sink").await?;
        let mut ours = files::Peer::connect(&server.url(), episode.id()).await?;
        let sizes = files::Sizes(effort.file_bytes);
        // What is slow the first time.
        let little = files::Sizes(1 << 20);
        for peer in [&mut floor, &mut ours] {
            peer.upload(little).await?;
            peer.download(little).await?;
        }
        ours.clear().await?;
        let pid = server.pid().context("the server has ended")?;
        files::lower_peak(pid)?;
        let before = files::peak_memory(pid)?;
        let [mut up, mut down, mut write, mut read] = [(); 4].map(|()| Vec::new());
        let mib = f64::from(u32::try_from(effort.file_bytes >> 20).unwrap_or(u32::MAX));
        for _ in 0..effort.file_rounds {
            up.push(mib / floor.upload(sizes).await?.as_secs_f64());
            write.push(mib / ours.upload(sizes).await?.as_secs_f64());
            down.push(mib / floor.download(sizes).await?.as_secs_f64());
            read.push(mib / ours.download(sizes).await?.as_secs_f64());
            ours.clear().await?;
        }
        let memory = (files::peak_memory(pid)? - before) / MIB;
        let [mut small_write, mut small_read] = [(); 2].map(|()| Vec::new());
        let count = f64::from(u32::try_from(effort.small_files).unwrap_or(u32::MAX));
        for _ in 0..effort.file_rounds {
            let (wrote, took) = ours.small(effort.small_files).await?;
            small_write.push(count / wrote.as_secs_f64());
            small_read.push(count / took.as_secs_f64());
            ours.clear().await?;
        }
        episode.close().await?;
        server.stop().await?;
        self.set("stream_up", median(&up));
        self.set("stream_down", median(&down));
        self.set_ratio("files_write", median(&write), median(&up));
        self.set_ratio("files_read", median(&read), median(&down));
        self.set("files_small_write", median(&small_write));
        self.set("files_small_read", median(&small_read));
        self.set("files_memory", Some(memory));
        Ok(())
    }

    fn server_options(&self, episodes: u32) -> ServerOptions {
        ServerOptions {
            python: self.python.clone(),
            isolation: self.isolation.clone(),
            state_dir: self.scratch.path().to_owned(),
            warm_workers: WARM_WORKERS,
            max_episodes: episodes.saturating_add(EPISODES_SPARE),
            workspace_bytes: None,
            tokens_file: None,
        }
    }

    /// A server, and connections to it. Its pool is full.
    async fn server(&self, episodes: u32) -> anyhow::Result<(Server, Connections)> {
        let server = Server::start(&self.server_options(episodes)).await?;
        let connections = Connections::open(&server).await?;
        connections.pool_full(WARM_WORKERS).await?;
        Ok((server, connections))
    }

    /// Books a row if it was asked for.
    fn set(&mut self, row: &'static str, value: Option<f64>) {
        if self.selection.wants(row) {
            self.report.set(row, value);
        }
    }

    fn set_ratio(&mut self, row: &'static str, value: Option<f64>, base: Option<f64>) {
        if self.selection.wants(row) {
            self.report.set_ratio(row, value, base);
        }
    }

    async fn latency(&mut self) -> anyhow::Result<()> {
        let effort = self.effort;
        let (server, connections) = self.server(EPISODES_FEW).await?;
        let mut empty = connections.health(0)?;
        let mut episode = Episode::start(connections.client(0)?, "").await?;
        // What is slow the first time: connections, caches, pages of the interpreter.
        latencies(&mut empty, effort.latency_calls).await?;
        latencies(&mut episode, effort.latency_calls).await?;
        let [mut floor, mut step, mut reset] = [(); 3].map(|()| Rounds::default());
        for _ in 0..effort.latency_rounds {
            floor.add(&latencies(&mut empty, effort.latency_calls).await?);
            step.add(&latencies(&mut episode, effort.latency_calls).await?);
            connections.pool_full(WARM_WORKERS).await?;
            let mut burst = Vec::new();
            let mut started = Vec::new();
            for _ in 0..effort.reset_burst {
                let client = connections.client(0)?;
                let begun = Instant::now();
                let fresh = Episode::start(client, "").await?;
                burst.push(begun.elapsed());
                started.push(fresh);
            }
            reset.add(&burst);
            for episode in started {
                episode.close().await?;
            }
            connections.pool_full(WARM_WORKERS).await?;
        }
        episode.close().await?;
        server.stop().await?;
        self.set("empty_call_p50", floor.p50());
        self.set("empty_call_p99", floor.p99());
        self.set_ratio("step_p50", step.p50(), floor.p50());
        self.set_ratio("step_p99", step.p99(), floor.p99());
        self.set_ratio("reset_p50", reset.p50(), step.p50());
        self.set_ratio("reset_p99", reset.p99(), step.p99());
        Ok(())
    }

    async fn rates(&mut self) -> anyhow::Result<()> {
        let effort = self.effort;
        let lead_in = effort.rate_time / 10;
        let (server, connections) = self.server(EPISODES_FEW).await?;
        for (count, calls_row, steps_row) in LOADS {
            if !self.selection.wants(calls_row) && !self.selection.wants(steps_row) {
                continue;
            }
            let mut empty = Vec::new();
            let mut episodes = Vec::new();
            for index in 0..count {
                empty.push(connections.health(index)?);
                let mut episode = Episode::start(connections.client(index)?, "").await?;
                episode.call().await?;
                episodes.push(episode);
            }
            connections.pool_full(WARM_WORKERS).await?;
            let (mut floors, mut steps) = (Vec::new(), Vec::new());
            for _ in 0..effort.rate_rounds {
                let (floor, back) = rate(empty, lead_in, effort.rate_time).await?;
                empty = back;
                floors.push(floor);
                let (step, back) = rate(episodes, lead_in, effort.rate_time).await?;
                episodes = back;
                steps.push(step);
            }
            for episode in episodes {
                episode.close().await?;
            }
            self.set(calls_row, median(&floors));
            self.set_ratio(steps_row, median(&steps), median(&floors));
        }
        server.stop().await
    }

    /// The same steps through OpenEnv's wire against this server and the reference, and by gRPC, in turn.
    async fn openenv(&mut self) -> anyhow::Result<()> {
        const SESSIONS: usize = 32;
        let Some(reference) = self.openenv.clone() else {
            return Ok(());
        };
        let effort = self.effort;
        let (server, connections) = self.server(EPISODES_FEW).await?;
        let mut theirs = Session::start(&reference).await?;
        let mut ours = Session::start(&server.url()).await?;
        let mut grpc = Episode::start(connections.client(0)?, "").await?;
        let calls = effort.latency_calls;
        // What is slow the first time.
        latencies(&mut theirs, calls).await?;
        latencies(&mut ours, calls).await?;
        latencies(&mut grpc, calls).await?;
        let [mut base, mut wire, mut step] = [(); 3].map(|()| Rounds::default());
        for _ in 0..effort.latency_rounds {
            base.add(&latencies(&mut theirs, calls).await?);
            wire.add(&latencies(&mut ours, calls).await?);
            step.add(&latencies(&mut grpc, calls).await?);
        }
        theirs.close().await?;
        ours.close().await?;
        grpc.close().await?;
        self.set_ratio("openenv_step_p50", wire.p50(), base.p50());
        self.set_ratio("step_p50_to_openenv", step.p50(), base.p50());

        let (mut theirs, mut ours, mut grpc) = (Vec::new(), Vec::new(), Vec::new());
        for index in 0..SESSIONS {
            let session = Session::start(&reference).await;
            theirs.push(session.with_context(|| {
                format!("session {} of {SESSIONS} at the reference", index + 1)
            })?);
            ours.push(Session::start(&server.url()).await?);
            grpc.push(Episode::start(connections.client(index)?, "").await?);
        }
        let lead_in = effort.rate_time / 5;
        let [mut bases, mut wires, mut steps] = [(); 3].map(|()| Vec::new());
        for _ in 0..effort.rate_rounds {
            let (base, back) = rate(theirs, lead_in, effort.rate_time).await?;
            theirs = back;
            bases.push(base);
            let (wire, back) = rate(ours, lead_in, effort.rate_time).await?;
            ours = back;
            wires.push(wire);
            let (step, back) = rate(grpc, lead_in, effort.rate_time).await?;
            grpc = back;
            steps.push(step);
        }
        drop((theirs, ours, grpc));
        server.stop().await?;
        self.set_ratio("openenv_steps_32", median(&wires), median(&bases));
        self.set_ratio("steps_32_to_openenv", median(&steps), median(&bases));
        Ok(())
    }

    async fn resets(&mut self) -> anyhow::Result<()> {
        let effort = self.effort;
        // The pool starts full: the lead-in uses up what it is ahead.
        let lead_in = effort.reset_time / 5;
        let (server, connections) = self.server(EPISODES_FEW).await?;
        let plan = self.loop_plan(self.isolation.isolation)?;
        let mut cells = self.cell_loops(plan).await?;
        let mut forks = BareLoops::start(&self.python, self.cores)?;
        // Until each has imported what it needs, and has touched what it touches but once.
        forks.rate(lead_in).await?;
        (_, cells) = cells.rate(lead_in).await?;
        let mut clients = Vec::new();
        for index in 0..RESET_LOOPS {
            clients.push(Resets::new(connections.client(index)?));
        }
        let (mut resets, mut workers, mut bare) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..effort.reset_rounds {
            let (through_server, back) = rate(clients, lead_in, effort.reset_time).await?;
            clients = back;
            resets.push(through_server);
            connections.pool_full(WARM_WORKERS).await?;
            let (made, back) = cells.rate(effort.reset_time).await?;
            cells = back;
            workers.push(made);
            bare.push(forks.rate(effort.reset_time).await?);
        }
        cells.stop().await?;
        for client in clients {
            client.close().await?;
        }
        server.stop().await?;
        let (resets, workers, bare) = (median(&resets), median(&workers), median(&bare));
        self.set("worker_loop", workers);
        self.set("bare_fork_loop", bare);
        self.set_ratio("resets", resets, workers);
        self.set_ratio("resets_to_bare_fork", resets, bare);
        Ok(())
    }

    /// The plan of a server with this isolation, with uids for the loops' cells that no server's cell has.
    fn loop_plan(&self, isolation: Isolation) -> anyhow::Result<Plan> {
        let mut config = self.config.clone();
        config.isolation = isolation;
        let mut demand = config.demand();
        demand.require.clear();
        let ours = u32::try_from(self.cores)?.saturating_mul(cells::UIDS);
        let theirs = demand.uid_count;
        demand.uid_count = theirs.saturating_add(ours);
        let mut plan = plan::plan(&self.features, &demand)?;
        plan.uids = plan.uids.map(|Uids { first, .. }| Uids {
            first: first.saturating_add(theirs),
            count: ours,
        });
        Ok(plan)
    }

    /// Loops with cells of a plan.
    async fn cell_loops(&self, plan: Plan) -> anyhow::Result<CellLoops> {
        let options = CellOptions {
            plan,
            python: self.python.clone(),
            readable: self.config.readable.clone(),
            limits: self.config.limits.cell(),
        };
        CellLoops::start(options, self.scratch.path().to_owned(), self.cores).await
    }

    async fn layers(&mut self) -> anyhow::Result<()> {
        let effort = self.effort;
        let (mut measured, mut missing) = (Vec::new(), Vec::new());
        let mut failures = Vec::new();
        for (row, plan) in self.layer_plans() {
            match plan {
                // All are ratios to the first.
                Ok(plan) if row == "cell_none" || self.selection.wants(row) => {
                    let started = async {
                        let cells = self.cell_loops(plan).await?;
                        // What is slow the first time.
                        cells.rate(effort.layer_time / 5).await
                    };
                    match started.await {
                        Ok((_, cells)) => measured.push((row, cells, Vec::new())),
                        // The other rows are measured all the same.
                        Err(error) => failures.push(format!("{row}: {error:#}")),
                    }
                }
                Err(why) if self.selection.wants(row) => missing.push(format!("{row}: {why}")),
                _ => {}
            }
        }
        for _ in 0..effort.layer_rounds {
            let mut next = Vec::new();
            for (row, cells, mut rates) in measured {
                let (rate, cells) = cells.rate(effort.layer_time).await.context(row)?;
                rates.push(rate);
                next.push((row, cells, rates));
            }
            measured = next;
        }
        let cores = f64::from(u32::try_from(self.cores)?);
        let mut base = None;
        for (row, cells, rates) in measured {
            cells.stop().await?;
            let micros = median(&rates).map(|rate| cores * 1e6 / rate);
            if row == "cell_none" {
                base = micros;
                self.set(row, micros);
            } else {
                self.set_ratio(row, micros, base);
            }
        }
        self.report.notes.extend(missing);
        all_measured(&failures)
    }

    /// The rows about layers, each with its plan, or why this machine has none.
    fn layer_plans(&self) -> Vec<(&'static str, Result<Plan, String>)> {
        let at = |isolation: Isolation| {
            self.loop_plan(isolation)
                .map_err(|error| format!("{error:#}"))
        };
        let bare = |plan: &Plan| Plan {
            uids: None,
            cgroup: false,
            cgroup_cpu: false,
            // Without uids it would bound all that root has.
            process_count: plan.user_namespace && plan.process_count,
            ..plan.clone()
        };
        let (none, landlock, all) = (
            at(Isolation::None),
            at(Isolation::Landlock),
            at(Isolation::Namespace),
        );
        let seccomp = none.clone().and_then(|none| {
            self.features.seccomp.clone()?;
            Ok(Plan {
                seccomp: true,
                ..none
            })
        });
        let namespace = all.as_ref().map_err(Clone::clone).map(|all| Plan {
            landlock_abi: None,
            landlock_signals: false,
            ..bare(all)
        });
        // One layer of all that the level has here, added to those that it always has.
        let with = |layer: &str, add: &dyn Fn(&Plan, &mut Plan) -> bool| {
            let (mut plan, all) = (namespace.clone()?, all.clone()?);
            if add(&all, &mut plan) {
                return Ok(plan);
            }
            let told = self.plan.layers.iter().find(|told| told.name == layer);
            Err(told.map_or_else(String::new, |told| told.detail.clone()))
        };
        let with_landlock = with("landlock", &|all, plan| {
            plan.landlock_abi = all.landlock_abi;
            plan.landlock_signals = all.landlock_signals;
            plan.landlock_abi.is_some()
        });
        let with_uid = with("uid", &|all, plan| {
            plan.uids = all.uids;
            plan.process_count = all.process_count;
            plan.uids.is_some()
        });
        let with_cgroup = with("cgroup", &|all, plan| {
            plan.cgroup = all.cgroup;
            plan.cgroup_cpu = all.cgroup_cpu;
            plan.cgroup
        });
        vec![
            ("cell_none", none),
            ("cell_seccomp", seccomp),
            ("cell_landlock", landlock.map(|plan| bare(&plan))),
            ("cell_namespace", namespace.clone()),
            ("cell_namespace_landlock", with_landlock),
            ("cell_namespace_uid", with_uid),
            ("cell_namespace_cgroup", with_cgroup),
            ("cell_namespace_all", all),
        ]
    }

    async fn memory(&mut self) -> anyhow::Result<()> {
        let of_level = |level: Level| match level {
            Level::None => (Isolation::None, "idle_memory_none"),
            Level::Landlock => (Isolation::Landlock, "idle_memory_landlock"),
            Level::Namespace => (Isolation::Namespace, "idle_memory_namespace"),
        };
        let mut failures = Vec::new();
        for level in [Level::None, Level::Landlock, Level::Namespace] {
            let (isolation, row) = of_level(level);
            let in_force = level == self.plan.level;
            let wanted = in_force && self.selection.wants("idle_episode_memory");
            if !wanted && !self.selection.wants(row) {
                continue;
            }
            if let Err(why) = plan::possible(&self.features, &self.config.demand(), level) {
                self.report.notes.push(format!("{row}: {why}"));
                continue;
            }
            match self.memory_at(isolation, row).await {
                Ok(each) => {
                    self.set(row, Some(each));
                    if in_force {
                        self.set("idle_episode_memory", Some(each));
                    }
                }
                // The other levels are measured all the same.
                Err(error) => failures.push(format!("{row}: {error:#}")),
            }
        }
        all_measured(&failures)
    }

    /// MiB an idle episode costs at a level.
    async fn memory_at(&mut self, isolation: Isolation, row: &str) -> anyhow::Result<f64> {
        let wanted = self.effort.memory_episodes;
        let (count, limit) = episodes_that_fit(wanted)?;
        let mut options = self.server_options(count);
        options.isolation.isolation = isolation;
        // What was demanded is of the level that was asked for.
        options.isolation.require.clear();
        let server = Server::start(&options).await?;
        let connections = Connections::open(&server).await?;
        connections.pool_full(WARM_WORKERS).await?;
        let version = connections.python_version().await?;
        let before = settled_memory().await?;
        let mut fills = tokio::task::JoinSet::new();
        for index in 0..FILL_LOOPS {
            let client = connections.client(index)?;
            let share = (u32::try_from(index)?..count).step_by(FILL_LOOPS);
            fills.spawn(async move {
                let mut episodes = Vec::new();
                for _ in share {
                    let mut episode = Episode::start(client.clone(), "").await?;
                    episode.call().await?;
                    episodes.push(episode);
                }
                anyhow::Ok(episodes)
            });
        }
        let mut episodes = Vec::new();
        while let Some(filled) = fills.join_next().await {
            episodes.extend(filled??);
        }
        connections.pool_full(WARM_WORKERS).await?;
        let after = settled_memory().await?;
        drop(episodes);
        server.stop().await?;
        let each = (before - after) / f64::from(count) / 1024.0;
        if each <= 0.0 {
            bail!("the machine had more memory available afterwards: something else freed it");
        }
        let mut note = format!("{row}: CPython {version}, {count} episodes, no preloads");
        if let Some(limit) = limit {
            write!(note, ", not {wanted}: {limit}")?;
        }
        self.report.notes.push(note);
        Ok(each)
    }

    async fn close(&mut self) -> anyhow::Result<()> {
        let (server, connections) = self.server(EPISODES_FEW).await?;
        let code = hostile::close_code();
        let mut times = Vec::new();
        for _ in 0..self.effort.close_rounds {
            let mut episode = Episode::start(connections.client(0)?, "").await?;
            connections.pool_full(WARM_WORKERS).await?;
            episode.step(&code).await?;
            let hostile = Hostile::wait_for().await?;
            let begun = Instant::now();
            episode.close().await?;
            let gone = hostile.wait_for_none().await?;
            times.push((gone - begun).as_secs_f64() * 1e3);
        }
        server.stop().await?;
        self.set("close_hostile", median(&times));
        let longest = times.into_iter().fold(0.0, f64::max);
        self.report
            .notes
            .push(format!("close_hostile: the longest took {longest:.1} ms"));
        Ok(())
    }

    async fn neighbours(&mut self) -> anyhow::Result<()> {
        let Effort {
            latency_calls,
            neighbour_rounds,
            neighbour_time: time,
            ..
        } = self.effort;
        // From the start of the neighbour's step to the first latency, and from the last one to its end.
        let margin = time / 4;
        let (server, connections) = self.server(EPISODES_FEW).await?;
        let mut episode = Episode::start(connections.client(0)?, "").await?;
        latencies(&mut episode, latency_calls).await?;
        let mut quiet = Rounds::default();
        let mut beside = hostile::NEIGHBOURS.map(|(row, code)| (row, code, Rounds::default()));
        let mut streamed = Rounds::default();
        for _ in 0..neighbour_rounds {
            connections.pool_full(WARM_WORKERS).await?;
            quiet.add(&latencies_for(&mut episode, time).await?);
            for (row, code, rounds) in &mut beside {
                if !self.selection.wants(row) {
                    continue;
                }
                let limits = Limits {
                    memory_bytes: Some(hostile::NEIGHBOUR_MEMORY_BYTES),
                    ..Limits::default()
                };
                let client = connections.client(1)?;
                let mut neighbour = Episode::start_with(client, "", Some(limits)).await?;
                connections.pool_full(WARM_WORKERS).await?;
                let code = hostile::neighbour_code(code, time + 2 * margin);
                let running = tokio::spawn(async move {
                    neighbour.step(&code).await?;
                    neighbour.close().await
                });
                tokio::time::sleep(margin).await;
                rounds.add(&latencies_for(&mut episode, time).await?);
                running.await?.context(*row)?;
            }
            if self.selection.wants("neighbour_p99_stream") {
                let code = hostile::neighbour_code(hostile::FLOOD, time + 2 * margin);
                let running = tokio::spawn(streams::flood(server.url(), code));
                tokio::time::sleep(margin).await;
                streamed.add(&latencies_for(&mut episode, time).await?);
                running.await?.context("neighbour_p99_stream")?;
            }
        }
        episode.close().await?;
        server.stop().await?;
        self.set("neighbour_p99_quiet", quiet.p99());
        self.set_ratio("neighbour_p99_stream", streamed.p99(), quiet.p99());
        for (row, _, rounds) in beside {
            self.set_ratio(row, rounds.p99(), quiet.p99());
        }
        Ok(())
    }

    async fn streams(&mut self) -> anyhow::Result<()> {
        let (server, connections) = self.server(EPISODES_FEW).await?;
        let mut episode = Episode::start(connections.client(0)?, "").await?;
        // What is slow the first time.
        streams::latencies(&mut episode, 5).await?;
        let found = streams::latencies(&mut episode, self.effort.stream_lines).await?;
        episode.close().await?;
        server.stop().await?;
        let millis: Vec<f64> = found.iter().map(|time| time.as_secs_f64() * 1e3).collect();
        self.set("stream_latency", quantile(&millis, 0.99));
        if let Some(median) = median(&millis) {
            let note = format!("stream_latency: the median is {median:.2} ms");
            self.report.notes.push(note);
        }
        Ok(())
    }

    async fn sessions(&mut self) -> anyhow::Result<()> {
        let effort = self.effort;
        let count = effort.at_once_episodes;
        let (server, connections) = self.server(count).await?;
        let mut episodes = Vec::new();
        for index in 0..usize::try_from(count)? {
            episodes.push(Episode::start(connections.client(index)?, "").await?);
        }
        let sessions = streams::sessions(&connections)?;
        connections.pool_full(WARM_WORKERS).await?;
        // What is slow the first time.
        streams::unary(&server, &mut episodes, 1).await?;
        streams::over_sessions(&server, &sessions, &mut episodes, 1).await?;
        let (mut unary, mut over) = (Vec::new(), Vec::new());
        for _ in 0..effort.rate_rounds {
            let rounds = effort.at_once_rounds;
            unary.push(streams::unary(&server, &mut episodes, rounds).await?);
            over.push(streams::over_sessions(&server, &sessions, &mut episodes, rounds).await?);
        }
        for session in sessions {
            session.close().await?;
        }
        server.stop().await?;
        let of = |costs: &[streams::Cost], value: fn(&streams::Cost) -> f64| {
            median(&costs.iter().map(value).collect::<Vec<f64>>())
        };
        let rates = [&unary, &over].map(|costs| of(costs, |cost| cost.rate));
        let cpus = [&unary, &over].map(|costs| of(costs, |cost| cost.cpu_micros));
        self.set("unary_steps_at_once", rates[0]);
        self.set_ratio("session_steps_at_once", rates[1], rates[0]);
        self.set("unary_cpu_per_step", cpus[0]);
        self.set_ratio("session_cpu_per_step", cpus[1], cpus[0]);
        Ok(())
    }

    async fn strangers(&mut self) -> anyhow::Result<()> {
        let Effort {
            latency_calls,
            stranger_rounds,
            stranger_time: time,
            ..
        } = self.effort;
        let options = ServerOptions {
            tokens_file: Some(strangers::tokens_file(self.scratch.path())?),
            ..self.server_options(EPISODES_FEW)
        };
        let server = Server::start(&options).await?;
        let mut episode = Bearing(strangers::good_client(&server.url()).await?);
        latencies(&mut episode, latency_calls).await?;
        let (mut quiet, mut beside, mut refused) = (Rounds::default(), Rounds::default(), 0);
        for _ in 0..stranger_rounds {
            quiet.add(&latencies_for(&mut episode, time).await?);
            let strangers = Strangers::start(server.url());
            let round = latencies_for(&mut episode, time).await;
            refused += strangers.stop()?;
            beside.add(&round?);
        }
        episode.0.close().await?;
        server.stop().await?;
        self.set("strangers_quiet_p50", quiet.p50());
        self.set("strangers_quiet_p99", quiet.p99());
        self.set_ratio("strangers_p50", beside.p50(), quiet.p50());
        self.set_ratio("strangers_p99", beside.p99(), quiet.p99());
        let note = format!("strangers_*: {refused} requests were refused beside the steps");
        self.report.notes.push(note);
        Ok(())
    }

    async fn cpu(&mut self) -> anyhow::Result<()> {
        let effort = self.effort;
        let (server, connections) = self.server(EPISODES_FEW).await?;
        let turns = effort.cpu_turns;
        let silent =
            format!("total = 0\nfor number in range({turns}):\n    total += number * number\n");
        let printing = format!(
            "for number in range({}):\n    print(number, number * number)\n",
            turns / 100
        );
        for (row, code, flags, rounds) in [
            ("cpu_silent", silent, [].as_slice(), effort.cpu_rounds),
            (
                "cpu_printing",
                printing,
                ["-u"].as_slice(),
                effort.cpu_rounds.div_ceil(2),
            ),
        ] {
            if !self.selection.wants(row) {
                continue;
            }
            let timed = format!(
                "import time\nbegun = time.process_time()\n{code}spent = time.process_time() - begun\n"
            );
            let file = self.scratch.path().join(format!("{row}.py"));
            std::fs::write(
                &file,
                format!("{timed}import sys\nprint(spent, file=sys.stderr)\n"),
            )?;
            let timed = format!("{timed}spent\n");
            let (mut ours, mut observed, mut bare) = (Vec::new(), Vec::new(), Vec::new());
            for _ in 0..rounds {
                let mut episode = Episode::start(connections.client(0)?, "").await?;
                // What the pool forks in its place is not to compete.
                connections.pool_full(WARM_WORKERS).await?;
                let reply = episode.step(&timed).await?;
                let result = reply.observation.and_then(|shown| shown.result);
                ours.push(result.context("no result")?.parse::<f64>()?);
                let usage = reply.observed.and_then(|observed| observed.usage);
                observed.extend(usage.and_then(|usage| {
                    let seconds = |time: prost_types::Duration| {
                        Duration::try_from(time).ok().map(|time| time.as_secs_f64())
                    };
                    Some(seconds(usage.cpu_user_time?)? + seconds(usage.cpu_system_time?)?)
                }));
                episode.close().await?;
                let mut command = bare_command(&self.python);
                command.args(flags).arg(&file);
                let spent = process::run_draining(command).await?;
                bare.push(spent.trim().parse::<f64>()?);
            }
            let to_ms = |seconds: Option<f64>| seconds.map(|seconds| seconds * 1e3);
            let (ours, observed, bare) = (least(&ours), least(&observed), least(&bare));
            self.set_ratio(row, to_ms(ours), to_ms(bare));
            if let (Some(ours), Some(observed)) = (ours, observed) {
                self.report.notes.push(format!(
                    "{row}: {:.2} ms by the program's own clock, {:.2} ms as the server observed the whole step",
                    ours * 1e3,
                    observed * 1e3
                ));
            }
        }
        server.stop().await
    }

    async fn cold_start(&mut self) -> anyhow::Result<()> {
        let (mut ours, mut bare) = (Vec::new(), Vec::new());
        let options = ServerOptions {
            warm_workers: 16, // the default
            ..self.server_options(EPISODES_FEW)
        };
        for _ in 0..self.effort.start_rounds {
            let server = Server::start(&options).await?;
            ours.push(server.took.as_secs_f64() * 1e3);
            server.stop().await?;
            for _ in 0..3 {
                bare.push(bare_start(&self.python)?.as_secs_f64() * 1e3);
            }
        }
        self.set_ratio("cold_start", median(&ours), median(&bare));
        Ok(())
    }
}

/// An error that names all rows of a section that could not be measured.
fn all_measured(failures: &[String]) -> anyhow::Result<()> {
    ensure!(failures.is_empty(), "{}", failures.join("; "));
    Ok(())
}

/// How long the least that an interpreter can do takes. Blocks, as nothing else goes on then.
fn bare_start(python: &Path) -> anyhow::Result<Duration> {
    let mut command = std::process::Command::new(python);
    command.args(["-I", "-S", "-c", "pass"]).env_clear();
    let begun = Instant::now();
    let status = command.status()?;
    let took = begun.elapsed();
    if !status.success() {
        bail!("{} ended with {status}", python.display());
    }
    Ok(took)
}

/// How many of `wanted` episodes this machine can hold, and what limits it.
fn episodes_that_fit(wanted: u32) -> anyhow::Result<(u32, Option<String>)> {
    /// Steps that a server lets run at a time by default.
    const RUNNING: u32 = 1024;
    /// Calls that a server lets move files at a time by default.
    const FILE_CALLS: u32 = 32;
    /// What an episode may cost, with a margin: no machine is to be driven into swapping.
    const EPISODE_KIB: f64 = 4096.0;
    let files = config::files_beside_calls(FILE_CALLS);
    let allowed = config::episodes_allowed(files, u64::from(WARM_WORKERS), RUNNING)
        .saturating_sub(EPISODES_SPARE);
    let available = memory_available()?;
    if f64::from(wanted) * EPISODE_KIB > available {
        bail!("{available:.0} KiB of memory are available: not enough for {wanted} episodes");
    }
    if allowed >= wanted {
        return Ok((wanted, None));
    }
    if allowed == 0 {
        bail!("the hard limit of {files} open files leaves none for episodes");
    }
    let why = format!("the hard limit of {files} open files allows no more");
    Ok((allowed, Some(why)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_select_rows_and_the_rows_below_them() {
        let only = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            Selection::new(&names)
        };
        assert_eq!(
            only(&["step_p50"]).unwrap().0,
            ["step_p50", "step_p50_to_openenv"]
        );
        assert_eq!(only(&["cpu"]).unwrap().0, ["cpu_silent", "cpu_printing"]);
        assert!(only(&[]).unwrap().wants("cold_start"));
        assert_eq!(only(&["cold"]).unwrap().0, ["cold_start"]);
        let refused = only(&["speed"]).unwrap_err().to_string();
        assert!(refused.contains("step_p50"), "{refused}");
    }

    #[test]
    fn every_row_belongs_to_one_section_or_is_never_measured() {
        for row in row_names() {
            let sections = Section::ALL
                .iter()
                .filter(|section| section.has(row))
                .count();
            let never = row == "live_episodes";
            assert_eq!(sections, usize::from(!never), "{row}");
        }
    }

    #[test]
    fn memory_of_this_machine_is_known() {
        assert!(memory_available().unwrap() > 1024.0);
    }
}
