//! The warden's part in copies of live workers: it holds the cell still, has the files copied, and takes the copies over as branches of the cell.
//!
//! The order: the server tells of each copy to be made ([`Order::Copy`](super::Order::Copy)), has their files made (`Prepare`), has the parent make them, and is done (`Forked`), which it says
//! whatever came in between: what was not taken over by then is nothing. In between
//! - where copies have uids and roots of their own, each asks for what it is to be by calls that wait at its template's listener: its channel, its root, its uid, and at last whether
//!   it may begin. What it is is looked at from outside then, because the code that asks is in reach of the program;
//! - elsewhere the server tells which processes the copies are (`Adopt`), as the parent says. All branches are their reaper's own children, so that is looked at and not believed.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, Mode, OFlags, fstat, openat, stat};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use rustix::process::Signal;

use super::roots;
use super::{Warden, children, report, sys, tell, tell_with};
use crate::limits::CellLimits;
use crate::sandbox::cell::{BranchAsk, COPY_CAPS};
use crate::sandbox::cgroup::{Cgroup, CgroupFacts};
use crate::sandbox::cgroup_reuse::CgroupStock;
use crate::sandbox::copyist::{self, Owners, Room};
use crate::sandbox::order::{EVENT_BYTES_MAX, Event, Files, WorkerId};
use crate::sandbox::plan::Level;
use crate::sandbox::socket::{receive, send};
use crate::sandbox::sys_broker::{self, Answer, Notification};
use crate::sandbox::template::Branch;

/// What a copy asks for by a call that is not made: `ASK_ALL` and `ASK_BEGIN` of `forks.rs`.
const ASK_ALL: u64 = 1;
const ASK_BEGIN: u64 = 2;
/// The control socket's descriptor in a worker.
const CONTROL: u32 = 3;
/// How many bits of an answer are a descriptor: `FD_BITS` of `forks.rs`.
const FD_BITS: u32 = 10;
/// The message by which a copyist hands over a root; its place follows.
const ROOT: u8 = b'T';

/// A worker that is a copy of another, and lives.
pub(super) struct Copy {
    /// The first worker of its cell.
    pub(super) cell: WorkerId,
    /// What its reaper calls it.
    pub(super) root: Branch,
    pub(super) pid: i32,
    pub(super) uid: Option<u32>,
    workspace: PathBuf,
    /// The root of its own file system, where it has one.
    files: Option<OwnedFd>,
    pub(super) cgroup: Option<Cgroup>,
    /// What it may hold nothing of: its parent's file system. None: it was looked at, and has begun.
    parents: Option<u64>,
}

/// A copy that is to be made.
struct Wanted {
    worker: WorkerId,
    workspace: PathBuf,
    /// Control socket, stdout, stderr, where they don't go through the parent.
    channel: Vec<OwnedFd>,
    uid: Option<u32>,
    /// Its root, and the root of its file system.
    place: Option<(OwnedFd, OwnedFd)>,
    taken: bool,
}

/// Copies of one worker that are under way.
#[derive(Default)]
pub(super) struct UnderWay {
    wanted: Vec<Wanted>,
    /// Where the process that copies files says how that went.
    copyist: Option<OwnedFd>,
    copyist_pid: i32,
    /// Copies that have asked for all and wait for their root, by their place: at which template's listener.
    waiting: HashMap<u32, (u64, Notification)>,
    /// The parent's cell, once its reaper was asked to hold still.
    cell: Option<WorkerId>,
    /// The parent's uid, where it has its own, and the device of its file system.
    uid: Option<u32>,
    device: u64,
}

/// All of a warden's.
#[derive(Default)]
pub(super) struct Copies {
    /// By the parent.
    under_way: HashMap<WorkerId, UnderWay>,
    pub(super) live: HashMap<WorkerId, Copy>,
}

impl Copies {
    /// What copyists say, by the parent.
    pub(super) fn listening(&self) -> impl Iterator<Item = (WorkerId, &OwnedFd)> {
        self.under_way
            .iter()
            .filter_map(|(parent, fork)| Some((*parent, fork.copyist.as_ref()?)))
    }

    fn by_pid(&mut self, pid: i32) -> Option<(WorkerId, &mut Copy)> {
        let mut live = self.live.iter_mut();
        let (worker, copy) = live.find(|(_, copy)| copy.pid == pid)?;
        Some((*worker, copy))
    }
}

/// What a process that asks for all gets.
enum Given {
    All(i64),
    /// It is no copy that is being made.
    Nothing,
    /// Its root is not ready.
    Later,
}

/// What a copyist is given.
struct Job {
    from: Vec<OwnedFd>,
    parent_uid: Option<u32>,
    room: Room,
}

impl Warden {
    /// The cell of a worker, and what its reaper calls the branch. None: it does not live.
    pub(super) fn place(&self, worker: WorkerId) -> Option<(WorkerId, Branch)> {
        if let Some(copy) = self.copies.live.get(&worker) {
            return Some((copy.cell, copy.root));
        }
        let cell = self.cells.get(&worker)?;
        (!cell.first_ended).then_some((worker, 0))
    }

    /// The worker that a cell's reaper calls this.
    pub(super) fn worker_at(&self, cell: WorkerId, root: Branch) -> Option<WorkerId> {
        if root == 0 {
            return Some(cell);
        }
        self.cells.get(&cell)?.branches.get(&root).copied()
    }

    /// Asks a cell's reaper about a branch.
    fn ask_branch(&self, cell: WorkerId, ask: BranchAsk, value: u64) -> io::Result<()> {
        match self.cells.get(&cell).and_then(|cell| cell.reaper) {
            Some(reaper) => sys::signal_with_value(reaper, ask as i32, value),
            None => Ok(()),
        }
    }

    /// A copy is to be made.
    pub(super) fn want_copy(
        &mut self,
        parent: WorkerId,
        worker: WorkerId,
        workspace: OsString,
        channel: Vec<OwnedFd>,
    ) {
        let fork = self.copies.under_way.entry(parent).or_default();
        fork.wanted.push(Wanted {
            worker,
            workspace: workspace.into(),
            channel,
            uid: None,
            place: None,
            taken: false,
        });
    }

    /// Has the files of the copies made that are wanted.
    pub(super) fn prepare_copies(&mut self, parent: WorkerId, room: Room) -> io::Result<()> {
        match self.start_copyist(parent, room) {
            Ok(()) => Ok(()),
            Err(error) => tell(&Event::Prepared {
                worker: parent,
                files: Files::Failed(error.to_string()),
            }),
        }
    }

    fn start_copyist(&mut self, parent: WorkerId, room: Room) -> io::Result<()> {
        let plan = self
            .plan
            .as_ref()
            .map_err(|why| io::Error::other(why.clone()))?;
        let level = plan.level;
        let with_uids = plan.uids.is_some();
        let gone = || io::Error::other("the parent has ended");
        let (id, _) = self.place(parent).ok_or_else(gone)?;
        let cell = self.cells.get_mut(&id).ok_or_else(gone)?;
        let reaper = cell.reaper.ok_or_else(gone)?;
        let Some(fork) = self.copies.under_way.get_mut(&parent) else {
            return Err(io::Error::other("no copy is wanted"));
        };
        cell.forked = true;
        fork.cell = Some(id);
        let first = cell.uid.map_or(0, u64::from);
        sys::signal_with_value(reaper, BranchAsk::Hold as i32, first)?;
        let copy = self.copies.live.get(&parent);
        fork.uid = copy.map_or(cell.uid, |copy| copy.uid);
        if with_uids {
            for wanted in &mut fork.wanted {
                let uid = self.uids.pop();
                wanted.uid =
                    Some(uid.ok_or_else(|| io::Error::other("every uid for episodes is in use"))?);
            }
        }
        let (ours, theirs) = socketpair(
            AddressFamily::UNIX,
            SocketType::SEQPACKET,
            SocketFlags::CLOEXEC,
            None,
        )?;
        let mut job = Job {
            from: Vec::new(),
            parent_uid: fork.uid,
            room,
        };
        let pid = if level == Level::Namespace {
            // The reaper is this process's own child and not reaped: its number is nobody else's.
            let proc = PathBuf::from(format!("/proc/{reaper}"));
            let path = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
            job.from = match copy.and_then(|copy| copy.files.as_ref()) {
                Some(files) => roots::open_places(files)?,
                None => {
                    let root = rustix::fs::open(proc.join("root"), path, Mode::empty())?;
                    roots::open_first(&root)?
                }
            };
            fork.device = job
                .from
                .first()
                .map_or(Ok(0), |from| fstat(from).map(|stat| stat.st_dev))?;
            let mounts = rustix::fs::open(
                proc.join("ns/mnt"),
                OFlags::RDONLY | OFlags::CLOEXEC,
                Mode::empty(),
            )?;
            let uids: Vec<u32> = fork.wanted.iter().filter_map(|wanted| wanted.uid).collect();
            let groups = match &cell.cgroup {
                Some(cgroup) => cgroup.attach_fds()?,
                None => Vec::new(),
            };
            let limits = cell.limits;
            sys::start_copy(|| {
                let mut trees = Vec::new();
                let made = make_roots(&job, &groups, &mounts, &limits, &uids, &theirs, &mut trees);
                let files = made.unwrap_or_else(|error| {
                    Files::Failed(format!("the copies' files could not be made: {error}"))
                });
                say(&theirs, parent, files);
                drop(trees); // nobody waits for that any more
            })?
        } else {
            for wanted in &fork.wanted {
                fs::DirBuilder::new()
                    .mode(0o700)
                    .create(&wanted.workspace)?;
            }
            let from = copy.map_or(&cell.workspace, |copy| &copy.workspace);
            job.from = vec![copyist::open(from)?];
            let to: Vec<&Path> = fork
                .wanted
                .iter()
                .map(|wanted| &*wanted.workspace)
                .collect();
            sys::start_copy(|| say(&theirs, parent, copy_all(&job, &to)))?
        };
        fork.copyist = Some(ours);
        fork.copyist_pid = pid;
        self.copyists.insert(pid);
        Ok(())
    }

    /// A copyist hands over a root, or says how it went, or has ended without.
    pub(super) fn hear_copyist(&mut self, parent: WorkerId) -> io::Result<()> {
        let Some(fork) = self.copies.under_way.get_mut(&parent) else {
            return Ok(());
        };
        let Some(socket) = fork.copyist.take() else {
            return Ok(());
        };
        let heard = receive(socket.as_fd(), EVENT_BYTES_MAX).ok().flatten();
        if let Some((bytes, fds)) = &heard
            && let [ROOT, place @ ..] = bytes.as_slice()
            && fds.len() == 2
        {
            let place = place.first_chunk().map(|place| u32::from_le_bytes(*place));
            let waits = place.and_then(|place| fork.waiting.remove(&place));
            let wanted = place.and_then(|place| fork.wanted.get_mut(usize::try_from(place).ok()?));
            if let (Some(wanted), Some((_, fds))) = (wanted, heard)
                && let Ok([top, files]) = <[OwnedFd; 2]>::try_from(fds)
            {
                wanted.place = Some((top, files));
            }
            fork.copyist = Some(socket);
            self.answer_all(waits);
            return Ok(());
        }
        // There will be no more roots.
        let waiting = std::mem::take(&mut fork.waiting);
        self.answer_all(waiting.into_values());
        match heard.map(|(bytes, _)| Event::decode(&bytes)) {
            Some(Ok(event)) => tell(&event),
            _ => tell(&Event::Prepared {
                worker: parent,
                files: Files::Failed("the process that copies files has ended".to_owned()),
            }),
        }
    }

    /// The parent says that it has made a copy, with this process id as it sees it.
    pub(super) fn adopt(&mut self, parent: WorkerId, worker: WorkerId, pid: i32) -> io::Result<()> {
        let cell = self.place(parent).map(|(cell, _)| cell);
        let root = Branch::try_from(pid).ok().filter(|root| *root > 0);
        let found = cell
            .zip(root)
            .filter(|(cell, _)| self.is_new_child(*cell, pid));
        let fork = self.copies.under_way.get_mut(&parent);
        let wanted = fork.and_then(|fork| {
            let mut wanted = fork.wanted.iter_mut();
            wanted.find(|wanted| wanted.worker == worker && wanted.channel.is_empty())
        });
        let (Some((cell, root)), Some(wanted)) = (found, wanted) else {
            return Ok(()); // told when the fork is over
        };
        wanted.taken = true;
        let copy = Copy {
            cell,
            root,
            pid,
            uid: None,
            workspace: std::mem::take(&mut wanted.workspace),
            files: None,
            cgroup: None,
            parents: None,
        };
        self.take_over(worker, copy)?;
        tell(&Event::Spawned { worker, pid })
    }

    /// Whether a process is a child of a cell's reaper and no branch yet.
    fn is_new_child(&self, cell: WorkerId, pid: i32) -> bool {
        let Some(cell) = self.cells.get(&cell) else {
            return false;
        };
        let known = self.copies.live.values().any(|copy| copy.pid == pid);
        cell.pid != pid && !known && children::parent(pid) == cell.reaper
    }

    /// Makes a process a branch of its cell.
    fn take_over(&mut self, worker: WorkerId, copy: Copy) -> io::Result<()> {
        let value = u64::from(copy.root) | u64::from(copy.uid.unwrap_or(0)) << u32::BITS;
        self.ask_branch(copy.cell, BranchAsk::Adopt, value)?;
        if let Some(cell) = self.cells.get_mut(&copy.cell) {
            cell.branches.insert(copy.root, worker);
        }
        self.copies.live.insert(worker, copy);
        Ok(())
    }

    /// Answers one call of a copy at its template's listener.
    pub(super) fn answer_copy(&mut self, serial: u64) -> io::Result<()> {
        let listener = self.templates.get(&serial);
        let Some(listener) = listener.and_then(|template| template.copy_listener.as_ref()) else {
            return Ok(());
        };
        // It has gone meanwhile, and the next poll tells what there is.
        let Ok(call) = sys_broker::receive(listener.as_fd()) else {
            return Ok(());
        };
        self.answer(serial, &call)
    }

    /// Answers calls that had to wait.
    fn answer_all(&mut self, calls: impl IntoIterator<Item = (u64, Notification)>) {
        for (serial, call) in calls {
            if let Err(error) = self.answer(serial, &call) {
                report(&format!("warden: a copy was not answered: {error}"));
            }
        }
    }

    /// Answers this call, unless it has to wait.
    fn answer(&mut self, serial: u64, call: &Notification) -> io::Result<()> {
        let listener = self.templates.get(&serial);
        let Some(listener) = listener.and_then(|template| template.copy_listener.as_ref()) else {
            return Ok(());
        };
        let listener = listener.try_clone()?;
        let answer = match self.decide_copy(serial, &listener, call) {
            Ok(Some(answer)) => answer,
            Ok(None) => return Ok(()),
            // It has ended meanwhile.
            Err(error) if is_gone(&error) => Answer::Errno(libc::EPERM),
            Err(error) => {
                report(&format!("warden: a copy: {error}"));
                Answer::Errno(libc::EPERM)
            }
        };
        match sys_broker::answer(listener.as_fd(), call.id, answer) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()), // the caller has ended
            other => other,
        }
    }

    fn decide_copy(
        &mut self,
        serial: u64,
        listener: &OwnedFd,
        call: &Notification,
    ) -> io::Result<Option<Answer>> {
        const REFUSED: Answer = Answer::Errno(libc::EPERM);
        let pid = call.thread;
        let [first, second, third, ..] = call.arguments;
        let number = libc::c_long::from(call.number);
        if number == libc::SYS_setns && first == ASK_ALL {
            return Ok(match self.give_all(serial, listener, call, second)? {
                Given::All(answer) => Some(Answer::Value(answer)),
                Given::Nothing => Some(REFUSED),
                Given::Later => None,
            });
        }
        let Some((worker, copy)) = self.copies.by_pid(pid) else {
            return Ok(Some(REFUSED));
        };
        let Some(parents) = copy.parents else {
            return Ok(Some(REFUSED));
        };
        let uid = copy.uid.map_or(u64::MAX, u64::from);
        Ok(Some(match number {
            libc::SYS_setresuid | libc::SYS_setresgid => {
                // The kernel takes the low halves.
                let same = [first, second, third].map(|id| id & u64::from(u32::MAX) == uid);
                if same == [true; 3] {
                    Answer::Run
                } else {
                    REFUSED
                }
            }
            // Where it is then is looked at before it begins. The filter knows the arguments of the other.
            libc::SYS_chroot | libc::SYS_prctl => Answer::Run,
            libc::SYS_setns if first == ASK_BEGIN => match check(copy, parents) {
                Ok(()) => {
                    copy.parents = None;
                    tell(&Event::Spawned { worker, pid })?;
                    Answer::Value(0)
                }
                Err(why) => {
                    if children::parent(pid).is_some() {
                        report(&format!("warden: a copy is not what it should be: {why}"));
                    }
                    let (cell, root) = (copy.cell, copy.root);
                    self.ask_branch(cell, BranchAsk::End, root.into())?;
                    REFUSED
                }
            },
            _ => REFUSED,
        }))
    }

    /// Gives a new copy what it is to be: control socket, stdout, stderr, root and uid.
    fn give_all(
        &mut self,
        serial: u64,
        listener: &OwnedFd,
        call: &Notification,
        index: u64,
    ) -> io::Result<Given> {
        let pid = call.thread;
        if self.copies.under_way.is_empty() {
            return Ok(Given::Nothing);
        }
        let cell = children::parent(pid).and_then(|reaper| self.cell_of.get(&reaper).copied());
        let Some(cell) = cell.filter(|cell| {
            let of = self.cells.get(cell);
            of.is_some_and(|of| of.template == serial) && self.is_new_child(*cell, pid)
        }) else {
            return Ok(Given::Nothing);
        };
        let status = Status::read(pid)?;
        let limits = self.cells.get(&cell).map(|cell| cell.limits);
        // What was read is of the caller, which waits and so has its number.
        if !sys_broker::still_waits(listener.as_fd(), call.id) {
            return Ok(Given::Nothing);
        }
        let mut waits = false;
        // It has its parent's uid yet.
        let mut forks = self.copies.under_way.values_mut();
        let fork = forks
            .find(|fork| fork.cell == Some(cell) && fork.uid.is_some() && fork.uid == status.uid());
        let wanted = fork.and_then(|fork| {
            let place = u32::try_from(index).ok()?;
            let wanted = fork.wanted.get_mut(usize::try_from(index).ok()?)?;
            if wanted.place.is_none() && fork.copyist.is_some() && !wanted.taken {
                fork.waiting.insert(place, (serial, *call));
                waits = true;
            }
            (!wanted.taken).then_some((wanted, fork.device))
        });
        if waits {
            return Ok(Given::Later);
        }
        let Some((wanted, device)) = wanted else {
            return Ok(Given::Nothing);
        };
        let (Some(uid), Some((top, files)), [control, stdout, stderr]) =
            (wanted.uid, &wanted.place, &wanted.channel[..])
        else {
            return Ok(Given::Nothing);
        };
        let give = |fd: &OwnedFd, number: Option<u32>, cloexec| {
            sys_broker::add_descriptor(listener.as_fd(), call.id, fd.as_fd(), number, cloexec)
        };
        give(control, Some(CONTROL), true)?;
        let fds = [
            give(stdout, None, false)?,
            give(stderr, None, false)?,
            give(top, None, true)?,
        ];
        let mut answer = i64::from(uid) << (3 * FD_BITS);
        for (place, fd) in (0..).zip(fds) {
            if fd >> FD_BITS != 0 {
                return Err(io::Error::other("it has too many open files"));
            }
            answer |= i64::from(fd) << (place * FD_BITS);
        }
        let cgroup = match (&mut self.cgroups, limits) {
            (Some(cgroups), Some(limits)) => {
                let name = wanted.worker.to_string();
                Some(move_to_group(cgroups, &name, &limits, pid)?)
            }
            _ => None,
        };
        let copy = Copy {
            cell,
            root: status.inner_pid,
            pid,
            uid: Some(uid),
            workspace: PathBuf::new(),
            files: Some(files.try_clone()?),
            cgroup,
            parents: Some(device),
        };
        let worker = wanted.worker;
        wanted.taken = true;
        // The warden's ends are in nobody's way any more.
        wanted.channel.clear();
        wanted.place = None;
        self.take_over(worker, copy)?;
        Ok(Given::All(answer))
    }

    /// Lends a descriptor of a copy's workspace, if it has a file system of its own. False: it has none.
    pub(super) fn lend_of_copy(&self, worker: WorkerId) -> io::Result<bool> {
        let copy = self.copies.live.get(&worker);
        let Some(files) = copy.and_then(|copy| copy.files.as_ref()) else {
            return Ok(false);
        };
        let path = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let lent = openat(files, c"workspace", path, Mode::empty()).ok();
        tell_with(
            &Event::Lent { worker },
            &lent.into_iter().collect::<Vec<_>>(),
        )?;
        Ok(true)
    }

    /// No more copies are made of a worker. Those that are wanted yet never will be.
    pub(super) fn finish_copies(&mut self, parent: WorkerId) -> io::Result<()> {
        let Some(fork) = self.copies.under_way.remove(&parent) else {
            return Ok(());
        };
        // Its number is its own until it was reaped.
        if fork.copyist.is_some() && self.copyists.contains(&fork.copyist_pid) {
            children::signal(fork.copyist_pid, Signal::KILL);
        }
        if let Some(cell) = fork.cell {
            self.ask_branch(cell, BranchAsk::GoOn, 0)?;
        }
        self.answer_all(fork.waiting.into_values());
        for wanted in fork.wanted {
            if !wanted.taken {
                self.uids.extend(wanted.uid);
                let worker = wanted.worker;
                tell(&Event::NotCopied { worker })?;
            }
        }
        Ok(())
    }

    /// A branch has ended, and its cell goes on. Returns its worker, and what its control group had counted.
    pub(super) fn end_branch(
        &mut self,
        cell: WorkerId,
        root: Branch,
    ) -> Option<(WorkerId, CgroupFacts)> {
        let of = self.cells.get_mut(&cell)?;
        if root == 0 {
            let facts = of.cgroup.as_ref().map(Cgroup::facts).unwrap_or_default();
            let told = std::mem::replace(&mut of.first_ended, true);
            return (!told).then_some((cell, facts));
        }
        let limits = of.limits;
        let worker = of.branches.remove(&root)?;
        let facts = self.free_copy(worker, limits, true);
        Some((worker, facts))
    }

    /// Gives back what a copy that has ended had of the host, and tells what its control group had counted: see [`Warden::free`].
    pub(super) fn free_copy(
        &mut self,
        worker: WorkerId,
        limits: CellLimits,
        in_order: bool,
    ) -> CgroupFacts {
        let Some(copy) = self.copies.live.remove(&worker) else {
            return CgroupFacts::default();
        };
        if in_order {
            self.uids.extend(copy.uid);
        }
        let facts = copy.cgroup.as_ref().map(Cgroup::facts).unwrap_or_default();
        if let (Some(cgroups), Some(cgroup)) = (&mut self.cgroups, copy.cgroup) {
            cgroups.give_back(cgroup, limits, &facts, in_order);
        }
        facts
    }
}

/// Moves a process to a control group of its own.
fn move_to_group(
    cgroups: &mut CgroupStock,
    name: &str,
    limits: &CellLimits,
    pid: i32,
) -> io::Result<Cgroup> {
    let cgroup = cgroups.take(name, limits)?;
    let moved = cgroup.attach_fds().and_then(|groups| {
        for group in groups {
            rustix::io::write(&group, pid.to_string().as_bytes())?;
        }
        Ok(())
    });
    match moved {
        Ok(()) => Ok(cgroup),
        Err(error) => {
            cgroups.discard(cgroup);
            Err(error)
        }
    }
}

/// Whether an error is what reading of a process that has ended gives.
fn is_gone(error: &io::Error) -> bool {
    let code = error.raw_os_error();
    error.kind() == io::ErrorKind::NotFound || code == Some(libc::ESRCH)
}

/// What /proc tells of a process.
struct Status {
    /// As the innermost pid namespace has it.
    inner_pid: Branch,
    uids: Vec<u32>,
    gids: Vec<u32>,
    threads: u32,
    capabilities: u64,
}

impl Status {
    fn read(pid: i32) -> io::Result<Self> {
        let text = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let field = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap_or_default().split_whitespace()
        };
        let numbers = |name| field(name).map_while(|id| id.parse().ok()).collect();
        let last = |name: &str| field(name).last().and_then(|number| number.parse().ok());
        let malformed = || io::Error::other("/proc/PID/status can't be read");
        let mask = field("CapPrm:").next();
        Ok(Self {
            inner_pid: last("NSpid:").ok_or_else(malformed)?,
            uids: numbers("Uid:"),
            gids: numbers("Gid:"),
            threads: last("Threads:").ok_or_else(malformed)?,
            capabilities: mask
                .and_then(|mask| u64::from_str_radix(mask, 16).ok())
                .ok_or_else(malformed)?,
        })
    }

    fn uid(&self) -> Option<u32> {
        self.uids.first().copied()
    }
}

/// Looks at a copy that wants to begin: it is what it was given, and holds nothing of its parent's files and no socket but its own. `parents` is the device of the
/// parent's file system.
fn check(copy: &Copy, parents: u64) -> Result<(), String> {
    let told = |error: io::Error| error.to_string();
    let status = Status::read(copy.pid).map_err(told)?;
    let own = copy.uid.into_iter().cycle().take(4);
    if !own.clone().eq(status.uids.iter().copied()) || !own.eq(status.gids.iter().copied()) {
        return Err("it has another uid".to_owned());
    }
    if status.threads != 1 {
        return Err("it has more than one thread".to_owned());
    }
    if status.capabilities & !COPY_CAPS != 0 {
        return Err("it has a capability".to_owned());
    }
    if !children::children(copy.pid).is_empty() {
        return Err("it has started a process".to_owned());
    }
    let proc = PathBuf::from(format!("/proc/{}", copy.pid));
    let device = |path: &str| stat(proc.join(path)).map(|stat| stat.st_dev);
    let files = copy.files.as_ref().map(fstat).transpose();
    let own = files.map_err(|error| error.to_string())?;
    let own = own.map(|stat| stat.st_dev);
    for place in ["root/workspace", "root/tmp", "root/dev/shm"] {
        if device(place).ok() != own {
            return Err(format!("its {place} is another's"));
        }
    }
    if device("cwd").is_ok_and(|device| device == parents) {
        return Err("its current directory is its parent's".to_owned());
    }
    let open = fs::read_dir(proc.join("fd")).map_err(told)?;
    for entry in open.flatten() {
        let Ok(found) = stat(entry.path()) else {
            continue; // closed meanwhile
        };
        let name = entry.file_name();
        let socket = FileType::from_raw_mode(found.st_mode) == FileType::Socket;
        if found.st_dev == parents || socket && name != "3" {
            return Err(format!("its descriptor {} is its parent's", name.display()));
        }
    }
    let maps = fs::read_to_string(proc.join("maps")).map_err(told)?;
    let device = format!(
        "{:02x}:{:02x}",
        rustix::fs::major(parents),
        rustix::fs::minor(parents)
    );
    let mut devices = maps.lines().map(|line| line.split_whitespace().nth(3));
    if devices.any(|of| of == Some(&*device)) {
        return Err("it has a file of its parent's in memory".to_owned());
    }
    Ok(())
}

/// Says how the copying of files went. The warden sees by the socket's end that it was not told.
fn say(socket: &OwnedFd, parent: WorkerId, files: Files) {
    let event = Event::Prepared {
        worker: parent,
        files,
    };
    drop(send(socket.as_fd(), &event.encode(), &[]));
}

/// Copies a directory's files into each of the others.
fn copy_all(job: &Job, to: &[&Path]) -> Files {
    for to in to {
        let made = match copyist::open(to) {
            Ok(to) => copyist::copy(&job.from, &[to], Owners::default(), job.room),
            Err(error) => Files::Failed(format!("a copy's directory can't be opened: {error}")),
        };
        if made != Files::Made {
            return made;
        }
    }
    Files::Made
}

/// Makes a root for each copy and copies the files into its file system. What these take of memory counts for the cell.
fn make_roots(
    job: &Job,
    groups: &[OwnedFd],
    mounts: &OwnedFd,
    limits: &CellLimits,
    uids: &[u32],
    socket: &OwnedFd,
    trees: &mut Vec<OwnedFd>,
) -> io::Result<Files> {
    for group in groups {
        rustix::io::write(group, b"0")?;
    }
    roots::enter(mounts)?;
    for (place, uid) in (0_u32..).zip(uids) {
        let root = roots::make(limits, *uid)?;
        let owners = Owners {
            from: job.parent_uid,
            to: Some(*uid),
        };
        let made = copyist::copy(&job.from, &root.to, owners, job.room);
        if made != Files::Made {
            return Ok(made);
        }
        let message = [&[ROOT], &place.to_le_bytes()[..]].concat();
        send(socket.as_fd(), &message, &[root.top, root.files])?;
        trees.push(root.tree);
    }
    Ok(Files::Made)
}
