//! The work of a Reset and a step without the server: cells made by the real warden and template, as fast as they go.
//!
//! One warden with one template and one thread that drives them, per core. A server has one warden and one template for a runtime, each
//! with one thread; a single pair would leave cores idle that the cells themselves can't fill, and a server with better plumbing could
//! pass it. So this is the upper bound: what the machine's cores can do with this way of making cells, whoever orders them.
//!
//! The thread blocks where it waits. Several cells are under way at a time, in three stages (starting, running the step, ending), so
//! that a core never idles while one waits for another process. It knows no tokio.

use std::collections::{HashMap, VecDeque};
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::fs::DirBuilderExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::pipe::{PipeFlags, pipe_with};

use crate::executor::frame::{self, FromWorker, Largest, ReportedEnd, ResultOf, Setup};
use crate::executor::{environment, start_warden};
use crate::limits::{CellLimits, LEAST};
use crate::sandbox::order::{EVENT_BYTES_MAX, Event, Order, RuntimeIndex, WorkerId};
use crate::sandbox::plan::{Level, Plan, Uids};
use crate::sandbox::{directories, role, socket};

/// The most cells in each stage: ordered and not ready yet, running their step, killed and not reaped yet.
const STARTING: usize = 4;
const RUNNING: usize = 2;
const ENDING: usize = 4;
/// Uids for the cells of one loop: more than live at a time, as some are still busy when the next is ordered.
pub(super) const UIDS: u32 = 64;
/// How long anything may take that the warden or a worker is waited for.
const WITHIN: Duration = Duration::from_secs(30);
/// The only runtime.
const RUNTIME: RuntimeIndex = 0;
/// The step of each cell.
const CODE: &str = "x = 1";
/// The largest result that the step may have, in bytes: the server's default.
const RESULT_BYTES: u32 = 256 << 10;
/// The limits of each process, as the server's defaults.
const MEMORY_BYTES: u64 = 4 << 30;
const OPEN_FILES: u32 = 1024;
const FILE_BYTES: u64 = 1 << 30;

/// What a loop's cells are to be.
#[derive(Debug, Clone)]
pub(super) struct CellOptions {
    /// What separates them.
    pub(super) plan: Plan,
    /// The interpreter, an absolute path.
    pub(super) python: PathBuf,
    /// What they may read beside what Python needs.
    pub(super) readable: Vec<PathBuf>,
    /// What the processes of one may use together.
    pub(super) limits: CellLimits,
}

/// One cell that is under way.
#[derive(Debug)]
struct UnderWay {
    worker: WorkerId,
    /// The directory that was made for it, where the level has none of its own per cell.
    workspace: PathBuf,
    /// The server's end of its control socket.
    control: UnixStream,
    /// The server's ends of its output pipes: kept open until it has ended.
    _output: [OwnedFd; 2],
}

/// A warden, its template, and the cells under way. Dropping it ends them.
#[derive(Debug)]
struct CellLoop {
    /// The server's end of the warden's socket.
    warden: OwnedFd,
    /// The directory of the workspaces, which the warden removes in the end.
    dir: PathBuf,
    plan: Plan,
    limits: CellLimits,
    next: WorkerId,
    /// The frames that a worker gets at once: its setup, and the step.
    requests: Vec<u8>,
    starting: VecDeque<UnderWay>,
    running: VecDeque<UnderWay>,
    ending: VecDeque<UnderWay>,
    /// What the warden has told of workers that nobody waits for yet: None of one that has ended, else why it could not be made.
    ended: HashMap<WorkerId, Option<String>>,
}

impl CellLoop {
    /// Starts a warden and a template below `scratch`, and waits until it is ready. `index` is the loop's number: its cells' uids are its own.
    fn start(options: &CellOptions, scratch: &Path, index: u32) -> anyhow::Result<Self> {
        let program = role::program(None).context("enter_role() was not called")?;
        let mut plan = options.plan.clone();
        if let Some(Uids { first, .. }) = plan.uids {
            plan.uids = Some(Uids {
                first: first + index * UIDS,
                count: UIDS,
            });
        }
        let dir = scratch.join(format!("coding-env-{}", uuid::Uuid::now_v7().simple()));
        // Episodes with uids of their own have to reach their workspaces in it.
        let mode = if plan.uids.is_some() { 0o711 } else { 0o700 };
        std::fs::DirBuilder::new().mode(mode).create(&dir)?;
        let warden = start_warden(&program, &dir)?;
        rustix::io::ioctl_fionbio(&warden, false)?;
        set_socket_timeout(&warden, Timeout::Recv, Some(WITHIN))?;
        let setup = Setup {
            seed: None,
            memory_bytes: MEMORY_BYTES,
            open_files: OPEN_FILES,
            file_bytes: FILE_BYTES,
            displays: LEAST.displays,
            display_bytes: LEAST.display_bytes,
            environment: Vec::new(),
        };
        let mut requests = frame::encode_setup(&setup);
        requests.extend(
            frame::encode_step(1, RESULT_BYTES, ResultOf::Expression, "", CODE)
                .context("a short step")?,
        );
        let started = Self {
            warden,
            dir,
            plan: plan.clone(),
            limits: options.limits,
            next: 1,
            requests,
            starting: VecDeque::new(),
            running: VecDeque::new(),
            ending: VecDeque::new(),
            ended: HashMap::new(),
        };
        let readable = options
            .readable
            .iter()
            .map(|path| path.clone().into_os_string());
        started.order(
            &Order::Configure {
                plan,
                readable: readable.collect(),
            },
            &[],
        )?;
        started.order(
            &Order::StartTemplate {
                runtime: RUNTIME,
                loopback: false,
                name: "bench".to_owned(),
                python: options.python.clone().into_os_string(),
                preloads: Vec::new(),
                environment: environment(&options.python, 0),
            },
            &[],
        )?;
        match started.hear()? {
            Event::TemplateReady { .. } => Ok(started),
            Event::TemplateGone { reason, .. } => bail!("a template: {reason}"),
            other => bail!("the warden told {other:?}"),
        }
    }

    fn order(&self, order: &Order, fds: &[OwnedFd]) -> io::Result<()> {
        socket::send(self.warden.as_fd(), &order.encode(), fds)
    }

    /// The next event.
    fn hear(&self) -> anyhow::Result<Event> {
        let heard = socket::receive(self.warden.as_fd(), EVENT_BYTES_MAX);
        let (message, _) = heard
            .context("waiting for the warden")?
            .context("the warden has gone")?;
        Event::decode(&message).ok().context("a malformed event")
    }

    /// Waits until a worker has ended. An error says why it could not be made.
    fn wait_for_end(&mut self, worker: WorkerId) -> anyhow::Result<()> {
        loop {
            if let Some(failed) = self.ended.remove(&worker) {
                return failed.map_or(Ok(()), |reason| bail!("a cell could not be made: {reason}"));
            }
            match self.hear()? {
                Event::Exited { worker, .. } => drop(self.ended.insert(worker, None)),
                Event::SpawnFailed { worker, reason } => {
                    self.ended.insert(worker, Some(reason));
                }
                Event::TemplateGone { reason, .. } => bail!("the template has gone: {reason}"),
                _ => {}
            }
        }
    }

    /// Makes, uses and ends cells for so long. Returns how many have gone through all stages, and how long it took.
    fn run(&mut self, time: Duration) -> anyhow::Result<(u32, Duration)> {
        let begun = Instant::now();
        let mut count = 0;
        while begun.elapsed() < time {
            count += self.advance([STARTING - 1, RUNNING - 1, ENDING - 1])?;
            self.begin()?;
        }
        count += self.advance([0; 3])?;
        Ok((count, begun.elapsed()))
    }

    /// Orders a cell.
    fn begin(&mut self) -> anyhow::Result<()> {
        let (control, theirs) = UnixStream::pair()?;
        // A worker that hangs is to be an error.
        control.set_read_timeout(Some(WITHIN))?;
        let (stdout, stdout_writer) = pipe_with(PipeFlags::CLOEXEC)?;
        let (stderr, stderr_writer) = pipe_with(PipeFlags::CLOEXEC)?;
        let worker = self.next;
        self.next += 1;
        let workspace = directories::of_cell(&self.plan, &self.dir);
        let order = Order::Spawn {
            runtime: RUNTIME,
            worker,
            workspace: workspace.clone().into_os_string(),
            limits: self.limits,
        };
        self.order(&order, &[theirs.into(), stdout_writer, stderr_writer])?;
        self.starting.push_back(UnderWay {
            worker,
            workspace,
            control,
            _output: [stdout, stderr],
        });
        Ok(())
    }

    /// Takes cells on until no more than these are in each stage, oldest first. Returns how many have left the last.
    fn advance(&mut self, most: [usize; 3]) -> anyhow::Result<u32> {
        let [starting, running, ending] = most;
        while self.starting.len() > starting
            && let Some(mut cell) = self.starting.pop_front()
        {
            let ready = matches!(read_frame(&mut cell.control), Ok(FromWorker::Ready));
            if !ready {
                // Why is in what the warden tells.
                self.order(
                    &Order::Kill {
                        worker: cell.worker,
                    },
                    &[],
                )?;
                self.wait_for_end(cell.worker)?;
                bail!("a worker was not ready");
            }
            cell.control.write_all(&self.requests)?;
            self.running.push_back(cell);
        }
        while self.running.len() > running
            && let Some(mut cell) = self.running.pop_front()
        {
            let report = read_frame(&mut cell.control)?;
            ensure!(
                matches!(&report, FromWorker::Report(report) if report.end == ReportedEnd::Completed),
                "a step did not complete: {report:?}"
            );
            self.order(
                &Order::Kill {
                    worker: cell.worker,
                },
                &[],
            )?;
            self.ending.push_back(cell);
        }
        let mut count = 0;
        while self.ending.len() > ending
            && let Some(cell) = self.ending.pop_front()
        {
            self.wait_for_end(cell.worker)?;
            if self.plan.level != Level::Namespace
                && !directories::remove_empty(&self.plan, &cell.workspace)
            {
                bail!("a workspace could not be removed");
            }
            count += 1;
        }
        Ok(count)
    }

    /// Ends the warden and all below it, and waits for that.
    fn stop(self) -> anyhow::Result<()> {
        rustix::net::shutdown(&self.warden, rustix::net::Shutdown::Write)?;
        while socket::receive(self.warden.as_fd(), EVENT_BYTES_MAX)?.is_some() {}
        Ok(())
    }
}

/// Reads one frame. A worker sends no second one before it is asked for it.
fn read_frame(control: &mut UnixStream) -> anyhow::Result<FromWorker> {
    let mut buffer = Vec::new();
    loop {
        let decoded = frame::decode(&mut buffer, Largest::of_step(RESULT_BYTES, 0));
        if let Some(frame) = decoded.ok().context("a malformed frame")? {
            return Ok(frame);
        }
        let mut bytes = [0; 4096];
        let count = control.read(&mut bytes)?;
        ensure!(count > 0, "a worker has ended");
        buffer.extend_from_slice(bytes.get(..count).unwrap_or_default());
    }
}

/// A loop for each core.
#[derive(Debug)]
pub(super) struct CellLoops(Vec<CellLoop>);

impl CellLoops {
    /// Starts `count` loops, one after the other.
    pub(super) async fn start(
        options: CellOptions,
        scratch: PathBuf,
        count: usize,
    ) -> anyhow::Result<Self> {
        let start = move || {
            let loops =
                (0..u32::try_from(count)?).map(|index| CellLoop::start(&options, &scratch, index));
            loops.collect::<anyhow::Result<_>>().map(Self)
        };
        tokio::task::spawn_blocking(start).await?
    }

    /// Runs all at once. Returns the sum of their rates, in cells per second. One that fails ends the loops.
    pub(super) async fn rate(self, time: Duration) -> anyhow::Result<(f64, Self)> {
        let mut threads = Vec::new();
        for mut cells in self.0 {
            threads.push(tokio::task::spawn_blocking(move || {
                let (count, took) = cells.run(time)?;
                anyhow::Ok((f64::from(count) / took.as_secs_f64(), cells))
            }));
        }
        let (mut sum, mut back) = (0.0, Vec::new());
        for thread in threads {
            let (rate, cells) = thread.await??;
            sum += rate;
            back.push(cells);
        }
        Ok((sum, Self(back)))
    }

    /// Ends them, and waits until nothing of them is left.
    pub(super) async fn stop(self) -> anyhow::Result<()> {
        let stop = move || self.0.into_iter().try_for_each(CellLoop::stop);
        tokio::task::spawn_blocking(stop).await?
    }
}
