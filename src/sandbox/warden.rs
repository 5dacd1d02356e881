//! The warden: starts templates, has them make cells, waits for every child, and kills all when the server goes away.
//!
//! It has one thread: it sleeps in poll(2) until the server orders something, a template or a reaper speaks, a child ends, or a cell's signal waits for the broker. Reapers are
//! its own children (a template forks them with CLONE_PARENT), so it alone waits for them, and a pid that it signals can't
//! have been given to somebody else. It never signals a worker: it asks the worker's reaper. It is a subreaper: what a killed reaper
//! leaves behind becomes its child, and is killed.
//!
//! Its standard input is the server's socket. It writes what goes wrong to standard error, which is the server's.

mod beneath;
mod copies;
mod inspection;
mod roots;

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::io::{self, Write as _};
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Resource, Signal, getrlimit, set_child_subreaper};

use self::copies::Copies;
use super::broker::{Broker, Waiting, Within};
use super::cell::{Ask, CellNeeds, DESCRIPTORS, QUEUED_SIGNALS_MAX, Setup};
use super::cgroup::{Cgroup, CgroupFacts, Cgroups};
use super::cgroup_reuse::CgroupStock;
use super::children;
use super::copyist::Room;
use super::directories;
use super::order::{
    Event, ExitStatus, ORDER_BYTES_MAX, Order, ProcessUsage, RuntimeIndex, WorkerId,
};
use super::plan::{Level, Plan};
use super::role;
use super::socket::{Sent, receive, receive_with_sender, send};
use super::sys::{self, Reaped, Wait};
use super::template::{self, Branch, Message, Template};
use super::walls::{Domains, Walls};
use super::workspace;
use crate::limits::CellLimits;

/// How long the end may take before it is given up. Killed processes end within milliseconds; one in an uninterruptible wait may not.
const END_WITHIN: Duration = Duration::from_secs(10);

/// How long control groups may stay busy after their last process.
const CGROUPS_GONE_WITHIN: Duration = Duration::from_secs(2);

/// Runs the warden until the server's socket closes. Returns the exit code. `state_dir` is removed at the end.
pub(crate) fn main(state_dir: Option<&Path>) -> i32 {
    let run = state_dir.and_then(Path::file_name).unwrap_or_default();
    let mut warden = match Warden::new(run) {
        Ok(warden) => warden,
        Err(error) => {
            report(&format!("warden: {error}"));
            return 1;
        }
    };
    let result = warden.run();
    if let Err(error) = &result {
        report(&format!("warden: {error}"));
    }
    let gone = children::kill_all(END_WITHIN);
    if let Some(cgroups) = warden.cgroups.take()
        && let Err(error) = cgroups.close(CGROUPS_GONE_WITHIN)
    {
        report(&format!("warden: removing control groups: {error}"));
    }
    if !gone {
        report("warden: some processes could not be killed");
    }
    if let Some(dir) = state_dir
        && let Err(error) = workspace::remove(dir)
    {
        report(&format!("warden: removing {}: {error}", dir.display()));
    }
    i32::from(result.is_err() || !gone)
}

fn report(text: &str) {
    // Nobody is left to tell when standard error is gone too.
    drop(writeln!(io::stderr(), "{text}"));
}

/// A cell: from the order to make it to the end of its reaper.
struct Cell {
    /// The serial number of the template that it descends from.
    template: u64,
    /// Its reaper, once the template has told.
    reaper: Option<i32>,
    /// What its errors are named by, until its worker is up.
    setup: Option<Box<Setup>>,
    /// Its first worker's process, once that is up.
    pid: i32,
    /// The directory of its first worker's files, where it has no file system of its own.
    workspace: PathBuf,
    /// Copies of its workers that live, by what the reaper calls them.
    branches: HashMap<Branch, WorkerId>,
    /// It has, or had, copies, or they are being made.
    forked: bool,
    /// It has, or had, copies.
    copied: bool,
    /// Where the files of those are that have no root, in its own file system: once there were any.
    copies_directory: Option<OwnedFd>,
    /// The server was told that its first worker has ended, while copies go on.
    first_ended: bool,
    /// How its last worker ended, once its reaper has told.
    end: Option<(Branch, ExitStatus, ProcessUsage)>,
    /// It was to be killed before there was a reaper to tell.
    doomed: bool,
    /// The server was told that it could not be made.
    failed: bool,
    uid: Option<u32>,
    cgroup: Option<Cgroup>,
    /// Those of its control group.
    limits: CellLimits,
}

/// Children of this process that nobody registered when the list was made, to be killed once every fork ordered before then is answered.
struct Sweep {
    suspects: Vec<i32>,
    /// The value of `Warden::ordered` when the list was made.
    mark: u64,
}

/// How often the processes of a branch are listed to be stopped.
const LISTS_MAX: usize = 8;

struct Warden {
    pid: i32,
    /// What the directories of this run are called in the file systems of control groups.
    run: String,
    /// The server's first order: what separates cells. An error is told to everybody who wants a template.
    plan: Result<Plan, String>,
    /// What the operator wants episodes to be able to read.
    readable: Vec<PathBuf>,
    cgroups: Option<CgroupStock>,
    /// Uids that no cell has.
    uids: Vec<u32>,
    children: OwnedFd,
    /// By serial number, those that have ended included while cells of theirs live.
    templates: HashMap<u64, Template>,
    /// The one to order of, for each runtime.
    current: HashMap<RuntimeIndex, u64>,
    next_template: u64,
    cells: HashMap<WorkerId, Cell>,
    cell_of: HashMap<i32, WorkerId>,
    keepers: HashSet<i32>,
    /// Children that ended before their template had answered for them, and `ordered` at that time.
    early: HashMap<i32, (Reaped, u64)>,
    /// Cells ordered so far.
    ordered: u64,
    sweep: Option<Sweep>,
    /// Make another list: a process has ended that may have left something behind.
    sweep_again: bool,
    /// Orphans that were killed and have not ended yet.
    orphans: HashSet<i32>,
    broker: Broker,
    /// Where the signals of cells wait for it: none where the plan has no broker.
    listeners: HashMap<WorkerId, OwnedFd>,
    copies: Copies,
    /// Processes that copy files, or have, and were not reaped.
    copyists: HashSet<i32>,
}

/// How soon a copy is looked at again that could not be told about.
const LOOK_AGAIN_NANOS: i64 = 1_000_000;

fn server() -> BorrowedFd<'static> {
    rustix::stdio::stdin()
}

/// Whether an order waits.
fn has_order() -> io::Result<bool> {
    let mut fds = [PollFd::from_borrowed_fd(server(), PollFlags::IN)];
    match poll(&mut fds, Some(&Timespec::default())) {
        Ok(ready) => Ok(ready > 0),
        Err(Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

impl Warden {
    fn new(run: &OsStr) -> io::Result<Self> {
        set_child_subreaper(Some(rustix::process::getpid()))?;
        Ok(Self {
            pid: i32::try_from(std::process::id()).map_err(io::Error::other)?,
            run: run.to_string_lossy().into_owned(),
            plan: Err("the server has not said what separates episodes".to_owned()),
            readable: Vec::new(),
            cgroups: None,
            uids: Vec::new(),
            children: sys::child_signals()?,
            templates: HashMap::new(),
            current: HashMap::new(),
            next_template: 1,
            cells: HashMap::new(),
            cell_of: HashMap::new(),
            keepers: HashSet::new(),
            early: HashMap::new(),
            ordered: 0,
            sweep: None,
            sweep_again: false,
            orphans: HashSet::new(),
            broker: Broker::default(),
            listeners: HashMap::new(),
            copies: Copies::default(),
            copyists: HashSet::new(),
        })
    }

    /// Serves until the server's socket closes.
    fn run(&mut self) -> io::Result<()> {
        loop {
            let serials: Vec<u64> = self.templates.keys().copied().collect();
            let listening: Vec<WorkerId> = self.listening().map(|cell| cell.worker).collect();
            let copying: Vec<WorkerId> =
                self.copies.listening().map(|(parent, _)| parent).collect();
            let asked: Vec<u64> = self.copy_listeners().map(|(serial, _)| serial).collect();
            let (server_ready, children_ready, templates_ready, copied, asks, listeners) = {
                let mut fds = vec![
                    PollFd::from_borrowed_fd(server(), PollFlags::IN),
                    PollFd::new(&self.children, PollFlags::IN),
                ];
                for template in serials
                    .iter()
                    .filter_map(|serial| self.templates.get(serial))
                {
                    fds.push(PollFd::new(&template.socket, PollFlags::IN));
                }
                for (_, copyist) in self.copies.listening() {
                    fds.push(PollFd::new(copyist, PollFlags::IN));
                }
                for (_, listener) in self.copy_listeners() {
                    fds.push(PollFd::new(listener, PollFlags::IN));
                }
                for cell in self.listening() {
                    fds.push(PollFd::from_borrowed_fd(cell.listener, PollFlags::IN));
                }
                // What is under way goes on once everybody else's business is done.
                let now = Timespec::default();
                let soon = Timespec {
                    tv_sec: 0,
                    tv_nsec: LOOK_AGAIN_NANOS,
                };
                let wait = if self.broker.is_busy() {
                    Some(&now)
                } else if self.copies.is_holding() {
                    Some(&soon)
                } else {
                    None
                };
                match poll(&mut fds, wait) {
                    Ok(_) => {}
                    Err(Errno::INTR) => continue,
                    Err(error) => return Err(error.into()),
                }
                let mut ready = fds.iter().map(|fd| !fd.revents().is_empty());
                (
                    ready.next() == Some(true),
                    ready.next() == Some(true),
                    ready.by_ref().take(serials.len()).collect::<Vec<_>>(),
                    ready.by_ref().take(copying.len()).collect::<Vec<_>>(),
                    fds.iter()
                        .skip(2 + serials.len() + copying.len())
                        .take(asked.len())
                        .map(|fd| fd.revents().contains(PollFlags::IN))
                        .collect::<Vec<_>>(),
                    fds.iter()
                        .skip(2 + serials.len() + copying.len() + asked.len())
                        .map(PollFd::revents)
                        .collect::<Vec<_>>(),
                )
            };
            // What a process said comes before its end.
            for (serial, ready) in serials.into_iter().zip(templates_ready) {
                if ready || children_ready {
                    self.hear(serial)?;
                }
            }
            for (parent, ready) in copying.into_iter().zip(copied) {
                if ready {
                    self.hear_copyist(parent)?;
                }
            }
            if children_ready {
                self.reap()?;
            }
            if server_ready && !self.obey()? {
                return Ok(());
            }
            self.finish_sweep();
            // A copy is made after the order for it was sent, which may have come since the poll.
            while asks.contains(&true) && has_order()? {
                if !self.obey()? {
                    return Ok(());
                }
            }
            // One a round: everybody else's business comes before what copies ask for.
            for (serial, ready) in asked.into_iter().zip(asks) {
                if ready && let Err(error) = self.answer_copy(serial) {
                    report(&format!("warden: a copy was not answered: {error}"));
                }
            }
            self.answer_held();
            // The last: everybody else's business comes before a cell's signals.
            if !listening.is_empty() || self.broker.is_busy() {
                self.serve_signals(&listening.into_iter().zip(listeners).collect());
            }
        }
    }

    /// Where copies ask for what they are to be, by the serial number of their template.
    fn copy_listeners(&self) -> impl Iterator<Item = (u64, &OwnedFd)> {
        self.templates
            .iter()
            .filter_map(|(serial, template)| Some((*serial, template.copy_listener.as_ref()?)))
    }

    /// The cells whose signals the broker delivers.
    fn listening(&self) -> impl Iterator<Item = Waiting<'_>> {
        self.listeners.iter().filter_map(|(worker, listener)| {
            Some(Waiting {
                worker: *worker,
                reaper: self.cells.get(worker)?.reaper?,
                listener: listener.as_fd(),
                within: self.signals_within(*worker),
                facts: self.copies.facts_within(*worker).collect(),
            })
        })
    }

    /// What a cell's signals are to stay within.
    fn signals_within(&self, cell: WorkerId) -> Within {
        let forked = self.cells.get(&cell).is_some_and(|cell| cell.forked);
        let by_landlock = self.plan.as_ref().is_ok_and(|plan| plan.landlock_signals);
        match (forked, by_landlock) {
            (true, _) => Within::Branch,
            (false, true) => Within::CellAnyway,
            (false, false) => Within::Cell,
        }
    }

    /// Answers calls that wait at the listeners.
    fn serve_signals(&mut self, polled: &HashMap<WorkerId, PollFlags>) {
        let state = |worker: &WorkerId| polled.get(worker).copied().unwrap_or(PollFlags::empty());
        let cells = &self.cells;
        self.listeners.retain(|worker, _| {
            let state = state(worker);
            // Without a call and in a state all the same: nobody is left under the filter.
            cells.contains_key(worker) && (state.contains(PollFlags::IN) || state.is_empty())
        });
        let mut broker = std::mem::take(&mut self.broker);
        let waits = |cell: &Waiting<'_>| {
            state(&cell.worker).contains(PollFlags::IN) || broker.is_busy_for(cell.worker)
        };
        let waiting = self.listening().filter(waits).collect();
        if let Err(error) = broker.round(waiting) {
            report(&format!(
                "warden: a cell's signal was not answered: {error}"
            ));
        }
        self.broker = broker;
    }

    /// Carries out one order. False when the server has gone.
    fn obey(&mut self) -> io::Result<bool> {
        let Some((message, fds)) = receive(server(), ORDER_BYTES_MAX)? else {
            return Ok(false);
        };
        match Order::decode(&message).map_err(io::Error::other)? {
            Order::Configure { plan, readable } => {
                self.readable = readable.into_iter().map(PathBuf::from).collect();
                self.plan = self.configure(&plan).map(|()| plan);
            }
            Order::StartTemplate {
                runtime,
                loopback,
                name,
                python,
                preloads,
                environment,
            } => {
                let python = Path::new(&python);
                let started = self
                    .plan
                    .clone()
                    .map_err(io::Error::other)
                    .and_then(|plan| {
                        let walls =
                            Walls::new(&plan, loopback, python, &environment, &self.readable)?;
                        Template::start(walls, runtime, &name, python, &preloads, environment)
                    });
                match started {
                    Ok(template) => {
                        self.templates.insert(self.next_template, template);
                        // One that is to take another's place does so when it is ready.
                        self.current.entry(runtime).or_insert(self.next_template);
                        self.next_template += 1;
                    }
                    Err(error) if self.current.contains_key(&runtime) => {
                        report(&format!("warden: a template is not rotated: {error}"));
                    }
                    Err(error) => {
                        tell(&Event::TemplateGone {
                            runtime,
                            reason: error.to_string(),
                        })?;
                    }
                }
            }
            Order::Measure { worker } => {
                let group = match self.copies.live.get(&worker) {
                    Some(copy) => copy.cgroup.as_ref(),
                    None => self
                        .cells
                        .get(&worker)
                        .and_then(|cell| cell.cgroup.as_ref()),
                };
                if let Some(cgroup) = group {
                    let facts = cgroup.facts();
                    tell(&Event::Measured { worker, facts })?;
                }
            }
            Order::Spawn {
                runtime,
                worker,
                workspace,
                limits,
            } => {
                if let Err(error) = self.order_cell(runtime, worker, &workspace, limits, fds) {
                    let reason = error.to_string();
                    tell(&Event::SpawnFailed { worker, reason })?;
                }
            }
            Order::StartKeeper => match start_keeper(fds) {
                Ok(pid) => {
                    self.keepers.insert(pid);
                }
                // Its socket has closed, by which the server knows.
                Err(error) => report(&format!("warden: a keeper could not be started: {error}")),
            },
            Order::Kill { worker } => self.kill(worker)?,
            Order::Copy {
                parent,
                worker,
                workspace,
            } => self.want_copy(parent, worker, workspace, fds),
            Order::Prepare {
                parent,
                bytes_max,
                entries_max,
            } => {
                let room = Room {
                    bytes: bytes_max,
                    entries: entries_max,
                };
                self.prepare_copies(parent, room)?;
            }
            Order::Adopt {
                parent,
                worker,
                pid,
            } => self.adopt(parent, worker, pid)?,
            Order::Forked { parent, begun } => self.finish_copies(parent, begun)?,
            Order::Miss { parent } => self.miss_copies(parent)?,
            Order::Ask { worker, ask } => self.ask(worker, ask)?,
        }
        Ok(true)
    }

    /// Takes what a plan needs of the host. Errors are sentences for people.
    fn configure(&mut self, plan: &Plan) -> Result<(), String> {
        if plan.user_namespace {
            sys::enter_user_namespace()
                .map_err(|error| format!("entering a user namespace: {error}"))?;
        }
        if plan.cgroup {
            let server =
                rustix::process::getppid().map_or(0, |server| server.as_raw_nonzero().get());
            let cgroups = Cgroups::find(&self.run, server)
                .map_err(|error| format!("layer cgroup: {error}"))?;
            if plan.cgroup_cpu && !cgroups.bounds_cpu() {
                return Err("layer cgroup: the cpu controller has gone".to_owned());
            }
            self.cgroups = Some(CgroupStock::new(cgroups));
        }
        if let Some(uids) = plan.uids {
            // The lowest are given out first.
            self.uids = (uids.first..uids.first.saturating_add(uids.count))
                .rev()
                .collect();
        }
        Ok(())
    }

    /// Has a template make a cell.
    fn order_cell(
        &mut self,
        runtime: RuntimeIndex,
        worker: WorkerId,
        workspace: &OsStr,
        limits: CellLimits,
        mut fds: Vec<OwnedFd>,
    ) -> io::Result<()> {
        let plan = self
            .plan
            .as_ref()
            .map_err(|why| io::Error::other(why.clone()))?;
        let serial = self.current.get(&runtime).copied();
        let Some((serial, template)) =
            serial.and_then(|serial| Some((serial, self.templates.get_mut(&serial)?)))
        else {
            return Err(io::Error::other("its template has gone"));
        };
        let uid = match plan.uids {
            Some(_) => Some(
                self.uids
                    .pop()
                    .ok_or_else(|| io::Error::other("every uid for cells is in use"))?,
            ),
            None => None,
        };
        let mut cgroup = None;
        let made = (|| {
            if plan.level != Level::Namespace {
                directories::make_of_cell(plan, Path::new(workspace), uid)?;
            }
            if let Some(cgroups) = &mut self.cgroups {
                let made = cgroups.take(&worker.to_string(), &limits)?;
                fds.extend(cgroup.insert(made).attach_fds()?);
            }
            let cgroup_fds = fds.len() - DESCRIPTORS;
            if let Some(domains) = &template.domains {
                fds.extend(domains.of_cell(plan, Path::new(workspace))?);
            }
            let needs = CellNeeds {
                worker,
                workspace,
                uid,
                limits,
                queued_signals: getrlimit(Resource::Sigpending)
                    .current
                    .map_or(QUEUED_SIGNALS_MAX, |own| own.min(QUEUED_SIGNALS_MAX)),
                loopback: template.walls.loopback(),
                cgroups: cgroup_fds,
                reaper_domain: template.domains.as_ref().is_some_and(Domains::has_scope),
                worker_domain: template.domains.is_some(),
            };
            let setup = Setup::new(plan, &needs);
            send(template.socket.as_fd(), &setup.encode(), &fds)?;
            Ok(setup)
        })();
        let setup = match made {
            Ok(setup) => setup,
            Err(error) => {
                self.uids.extend(uid);
                if let (Some(cgroups), Some(cgroup)) = (&mut self.cgroups, cgroup) {
                    cgroups.discard(cgroup);
                }
                return Err(error);
            }
        };
        self.ordered += 1;
        template.orders.push_back((self.ordered, worker));
        self.cells.insert(
            worker,
            Cell {
                template: serial,
                reaper: None,
                setup: Some(Box::new(setup)),
                pid: 0,
                workspace: workspace.into(),
                branches: HashMap::new(),
                forked: false,
                copied: false,
                copies_directory: None,
                first_ended: false,
                end: None,
                doomed: false,
                failed: false,
                uid,
                cgroup,
                limits,
            },
        );
        Ok(())
    }

    /// Ends a worker and what descends from it: the whole cell, unless that has, or had, copies.
    fn kill(&mut self, worker: WorkerId) -> io::Result<()> {
        let Some((cell, root)) = self.place(worker) else {
            return Ok(());
        };
        let Some(of) = self.cells.get_mut(&cell) else {
            return Ok(());
        };
        match of.reaper {
            Some(reaper) if of.forked => {
                self.end_of_branch(cell, root);
                children::signal(reaper, Signal::CONT);
            }
            Some(reaper) => end_cell(reaper),
            None => of.doomed = true,
        }
        Ok(())
    }

    /// Asks a cell's reaper for something. Without walls it can't reach all of its cell: then the warden does.
    fn ask(&mut self, worker: WorkerId, ask: Ask) -> io::Result<()> {
        let place = self.place(worker);
        let reaper = place.and_then(|(cell, root)| Some((self.cells.get(&cell)?, root)));
        let Some((cell, root, reaper)) =
            reaper.and_then(|(cell, root)| Some((cell, root, cell.reaper?)))
        else {
            return tell(&match ask {
                Ask::Lend => Event::Lent { worker },
                _ => Event::Signalled { worker },
            });
        };
        if ask == Ask::Lend && self.lend_of_copy(worker)? {
            return Ok(());
        }
        // A reaper reaches all of its cell at once, or all of a uid, but not all of a branch that shares the uid of others.
        let branch_by_descent = cell.forked && cell.uid.is_none();
        let walled = self.plan.as_ref().is_ok_and(Plan::is_walled) && !branch_by_descent;
        if !walled && matches!(ask, Ask::Freeze | Ask::Thaw) {
            let signal = if ask == Ask::Freeze {
                Signal::STOP
            } else {
                Signal::CONT
            };
            let list = || match self.copies.live.get(&worker) {
                Some(copy) => children::tree(copy.pid),
                None if cell.forked => children::tree(cell.pid),
                None => children::tree(reaper).split_off(1),
            };
            // Again, for what was forked while the list was made.
            let mut seen = HashSet::new();
            for _ in 0..LISTS_MAX {
                let mut pids = list();
                pids.retain(|pid| seen.insert(*pid));
                if pids.is_empty() {
                    break;
                }
                for pid in pids {
                    children::signal(pid, signal);
                }
            }
            return tell(&Event::Signalled { worker });
        }
        if let Err(error) = sys::signal_with_value(reaper, ask as i32, root.into()) {
            report(&format!("warden: a reaper can't be asked: {error}"));
            return tell(&match ask {
                Ask::Lend => Event::Lent { worker },
                _ => Event::Signalled { worker },
            });
        }
        Ok(())
    }

    /// Reads what a template and its reapers have said.
    fn hear(&mut self, serial: u64) -> io::Result<()> {
        loop {
            let Some(template) = self.templates.get(&serial) else {
                return Ok(());
            };
            let message = receive_with_sender(template.socket.as_fd(), template::MESSAGE_BYTES_MAX);
            match message {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Ok(Some(Sent {
                    message,
                    sender,
                    fd,
                })) => match Message::decode(&message) {
                    Ok(message) => self.take(serial, message, sender, fd)?,
                    Err(error) => {
                        report(&format!("warden: a template's message: {error}"));
                        return self.lose_template(serial);
                    }
                },
                // Nobody holds the other end any more.
                Ok(None) | Err(_) => {
                    self.lose_template(serial)?;
                    self.templates.remove(&serial);
                    return Ok(());
                }
            }
        }
    }

    /// One message of a template or a reaper.
    fn take(
        &mut self,
        serial: u64,
        message: Message,
        sender: i32,
        fd: Option<OwnedFd>,
    ) -> io::Result<()> {
        let Some(template) = self.templates.get_mut(&serial) else {
            return Ok(());
        };
        match message {
            Message::Ready(version, folders) => {
                let runtime = template.runtime;
                match template.walls.domains(template.pid) {
                    Ok(domains) => {
                        template.domains = domains;
                        template.ready = true;
                        self.succeed(serial, runtime);
                        tell(&Event::TemplateReady {
                            runtime,
                            version,
                            folders,
                        })
                    }
                    Err(error) => {
                        template.problem = Some(error.to_string());
                        self.lose_template(serial)
                    }
                }
            }
            Message::Problem(problem) => {
                template.problem = Some(problem);
                Ok(())
            }
            Message::Forked(pid) => match template.orders.pop_front() {
                Some((_, worker)) => {
                    self.register(worker, pid)?;
                    self.retire_template(serial);
                    Ok(())
                }
                None => self.lose_template(serial),
            },
            Message::SetupFailed {
                worker,
                list,
                index,
                errno,
            } => {
                let Some(cell) = self.cells.get_mut(&worker) else {
                    return Ok(());
                };
                let call = cell.setup.as_ref().map(|setup| setup.name(list, index));
                let reason = format!(
                    "{}: {}",
                    call.unwrap_or_default(),
                    io::Error::from_raw_os_error(errno)
                );
                if std::mem::replace(&mut cell.failed, true) {
                    return Ok(());
                }
                tell(&Event::SpawnFailed { worker, reason })
            }
            Message::CopyListener => {
                template.copy_listener = fd;
                Ok(())
            }
            Message::Listener(worker) => {
                self.listeners.extend(fd.map(|fd| (worker, fd)));
                Ok(())
            }
            Message::WorkerUp(worker) => {
                let pid = sender;
                if let Some(cell) = self.cells.get_mut(&worker) {
                    cell.setup = None;
                    cell.pid = pid;
                }
                tell(&Event::Spawned { worker, pid })
            }
            Message::Acknowledged(cell, branch) => match self.worker_at(cell, branch) {
                Some(worker) => tell(&Event::Signalled { worker }),
                None => Ok(()),
            },
            Message::Workspace(cell, branch) => match self.worker_at(cell, branch) {
                Some(worker) => {
                    tell_with(&Event::Lent { worker }, &fd.into_iter().collect::<Vec<_>>())
                }
                None => Ok(()),
            },
            Message::Ended {
                worker: cell,
                branch,
                last: false,
                status,
                usage,
            } => match self.end_branch(cell, branch) {
                Some((worker, facts)) => tell(&Event::Exited {
                    worker,
                    status,
                    usage,
                    facts,
                }),
                None => Ok(()),
            },
            Message::Ended {
                worker,
                branch,
                last: true,
                status,
                usage,
            } => {
                if let Some(cell) = self.cells.get_mut(&worker) {
                    cell.end = Some((branch, status, usage));
                }
                Ok(())
            }
        }
    }

    /// Orders go to this template from now on. The one that they went to ends when it has done what it was ordered.
    fn succeed(&mut self, serial: u64, runtime: RuntimeIndex) {
        if let Some(old) = self.current.insert(runtime, serial)
            && old != serial
        {
            self.retire_template(old);
        }
    }

    /// Ends a template that has a successor and nothing to do. Its cells live on.
    fn retire_template(&mut self, serial: u64) {
        if let Some(template) = self.templates.get(&serial)
            && template.orders.is_empty()
            && self.current.get(&template.runtime) != Some(&serial)
            && self.current.contains_key(&template.runtime)
            && template.ready
            && !template.gone
        {
            children::signal(template.pid, Signal::KILL);
        }
    }

    /// Takes over a reaper that its template has forked.
    fn register(&mut self, worker: WorkerId, pid: i64) -> io::Result<()> {
        let Some(cell) = self.cells.get_mut(&worker) else {
            return Ok(());
        };
        let Some(pid) = i32::try_from(pid).ok().filter(|pid| *pid > 0) else {
            let errno = i32::try_from(pid.unsigned_abs()).unwrap_or(0);
            let reason = format!("fork: {}", io::Error::from_raw_os_error(errno));
            if let Some(cell) = self.cells.remove(&worker) {
                self.free(cell, true);
            }
            return tell(&Event::SpawnFailed { worker, reason });
        };
        cell.reaper = Some(pid);
        if cell.doomed {
            end_cell(pid);
        }
        self.cell_of.insert(pid, worker);
        match self.early.remove(&pid) {
            Some((reaped, _)) => self.end(worker, reaped),
            None => Ok(()),
        }
    }

    /// A template has ended. Its cells live on; what it was ordered and did not answer has failed.
    fn lose_template(&mut self, serial: u64) -> io::Result<()> {
        let Some(template) = self.templates.get_mut(&serial) else {
            return Ok(());
        };
        if std::mem::replace(&mut template.gone, true) {
            return Ok(());
        }
        children::signal(template.pid, Signal::KILL);
        let (runtime, reason) = (template.runtime, template.reason());
        let served = self.current.get(&runtime) == Some(&serial);
        for (_, worker) in std::mem::take(&mut template.orders) {
            if let Some(cell) = self.cells.remove(&worker) {
                self.free(cell, false);
            }
            let reason = "its template has gone".to_owned();
            tell(&Event::SpawnFailed { worker, reason })?;
        }
        self.sweep_again = true; // it may have forked a reaper without saying so
        if served {
            self.current.remove(&runtime);
        }
        let ready = self
            .templates
            .get(&serial)
            .is_some_and(|template| template.ready);
        self.forget_template(serial);
        if served {
            return tell(&Event::TemplateGone { runtime, reason });
        }
        if !ready {
            report(&format!("warden: a template is not rotated: {reason}"));
        }
        Ok(())
    }

    /// Drops a template that has ended and has no cells left.
    fn forget_template(&mut self, serial: u64) {
        if self
            .templates
            .get(&serial)
            .is_some_and(|template| template.gone)
            && !self.cells.values().any(|cell| cell.template == serial)
        {
            self.templates.remove(&serial);
        }
    }

    /// Reaps all children that have ended.
    fn reap(&mut self) -> io::Result<()> {
        let mut drained = [0; 1024];
        while rustix::io::read(&self.children, &mut drained).is_ok() {}
        while let Wait::Ended(reaped) = sys::reap()? {
            if let Some(sweep) = &mut self.sweep {
                sweep.suspects.retain(|pid| *pid != reaped.pid);
            }
            if let Some(worker) = self.cell_of.remove(&reaped.pid) {
                self.end(worker, reaped)?;
            } else if let Some(serial) = self.template_by_pid(reaped.pid) {
                self.hear(serial)?;
                self.lose_template(serial)?;
            } else if self.keepers.remove(&reaped.pid) {
                // The server hears of it by its socket.
            } else if self.copyists.remove(&reaped.pid) {
                // It was heard, or will be, by its socket.
            } else if self.orphans.remove(&reaped.pid) {
                self.sweep_again = true;
            } else if !self.is_answered(self.ordered) {
                self.early.insert(reaped.pid, (reaped, self.ordered));
            }
        }
        Ok(())
    }

    fn template_by_pid(&self, pid: i32) -> Option<u64> {
        self.templates
            .iter()
            .find(|(_, template)| template.pid == pid && !template.gone)
            .map(|(serial, _)| *serial)
    }

    /// A reaper has ended, and with it its cell.
    fn end(&mut self, worker: WorkerId, reaper: Reaped) -> io::Result<()> {
        // Its last word may have come after the look at its socket.
        if let Some(serial) = self.cells.get(&worker).map(|cell| cell.template) {
            self.hear(serial)?;
        }
        let Some(mut cell) = self.cells.remove(&worker) else {
            return Ok(());
        };
        self.forget_template(cell.template);
        let left = std::mem::take(&mut cell.branches);
        // Killed, it could not end what was left.
        let in_order = cell.end.is_some() || cell.failed;
        self.sweep_again |= !in_order;
        let (end, failed) = (cell.end, cell.failed);
        let (limits, first_ended) = (cell.limits, cell.first_ended);
        let mut ends: Vec<(Branch, WorkerId, CgroupFacts)> = left
            .into_iter()
            .map(|(root, copy)| (root, copy, self.free_copy(copy, limits, in_order)))
            .collect();
        let facts = self.free(cell, in_order);
        if !failed && !first_ended {
            ends.push((0, worker, facts));
        }
        for (root, worker, facts) in ends {
            let end = end.filter(|(last, ..)| *last == root);
            let (_, status, usage) = end.unwrap_or((root, reaper.status, reaper.usage));
            tell(&Event::Exited {
                worker,
                status,
                usage,
                facts,
            })?;
        }
        Ok(())
    }

    /// Gives back what a cell had of the host, and tells what its control group had counted. The uid of one that did not end in order is
    /// not used again: something may still have it.
    fn free(&mut self, cell: Cell, in_order: bool) -> CgroupFacts {
        if in_order {
            self.uids.extend(cell.uid);
        }
        let facts = cell.cgroup.as_ref().map(Cgroup::facts).unwrap_or_default();
        if let (Some(cgroups), Some(cgroup)) = (&mut self.cgroups, cell.cgroup) {
            cgroups.give_back(cgroup, cell.limits, &facts, in_order);
        }
        facts
    }

    /// Kills orphans: children that are neither template, reaper nor keeper. One that was forked by a template a moment ago and not
    /// answered for looks the same, so a list of suspects is made first, and judged once all forks ordered by then are answered.
    fn finish_sweep(&mut self) {
        let oldest = self.oldest_order();
        self.early
            .retain(|_, (_, mark)| oldest.is_some_and(|oldest| oldest <= *mark));
        if self.sweep.is_none() && self.sweep_again {
            self.sweep_again = false;
            let mut suspects = children::children(self.pid);
            suspects.retain(|pid| !self.is_known(*pid));
            self.sweep = Some(Sweep {
                suspects,
                mark: self.ordered,
            });
        }
        if let Some(sweep) = self
            .sweep
            .take_if(|sweep| oldest.is_none_or(|oldest| oldest > sweep.mark))
        {
            for pid in sweep.suspects {
                if !self.is_known(pid) {
                    children::signal(pid, Signal::KILL);
                    self.orphans.insert(pid);
                }
            }
        }
    }

    /// The number of the oldest order that its template has not answered. Templates answer in order, but not one after the other.
    fn oldest_order(&self) -> Option<u64> {
        let fronts = self
            .templates
            .values()
            .filter_map(|template| template.orders.front());
        fronts.map(|(number, _)| *number).min()
    }

    /// Whether every order up to this one is answered.
    fn is_answered(&self, mark: u64) -> bool {
        self.oldest_order().is_none_or(|oldest| oldest > mark)
    }

    fn is_known(&self, pid: i32) -> bool {
        self.cell_of.contains_key(&pid)
            || self.keepers.contains(&pid)
            || self.copyists.contains(&pid)
            || self.template_by_pid(pid).is_some()
    }
}

/// Tells a reaper to end its cell. One that its own program has stopped (at level `none` it can) has to go on for that.
fn end_cell(reaper: i32) {
    children::signal(reaper, Signal::TERM);
    children::signal(reaper, Signal::CONT);
}

/// Executes this program as a keeper, with the one descriptor that came as its socket. Returns its pid.
fn start_keeper(fds: Vec<OwnedFd>) -> io::Result<i32> {
    let socket = fds
        .into_iter()
        .next()
        .ok_or_else(|| io::Error::other("no socket came with the order"))?;
    let child = Command::new("/proc/self/exe")
        .arg(role::KEEPER)
        .env_clear()
        .stdin(Stdio::from(socket))
        .stdout(Stdio::null())
        .spawn()?;
    i32::try_from(child.id()).map_err(io::Error::other)
}

fn tell(event: &Event) -> io::Result<()> {
    tell_with(event, &[])
}

fn tell_with(event: &Event, fds: &[OwnedFd]) -> io::Result<()> {
    match send(server(), &event.encode(), fds) {
        // The server has gone: the next read of its socket says so. It is a reset when it left events unread.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset
            ) =>
        {
            Ok(())
        }
        other => other,
    }
}
