//! The warden's part in copies of live workers: it holds the cell still, has the files copied, and takes the copies over as branches of the cell.
//!
//! The order: the server tells of each copy to be made ([`Order::Copy`](super::Order::Copy)), has their files made (`Prepare`), has the parent make them, and is done (`Forked`), which it says
//! whatever came in between: what was not taken over by then is nothing. In between
//! - where copies have uids of their own, each asks for what it is to be by calls that wait at its template's listener: its channel, its root, its uid, and at last whether
//!   it may begin. What it is is looked at from outside then ([`inspection`]), because the code that asks is in reach of the program;
//! - elsewhere the server tells which processes the copies are (`Adopt`), as the parent says. All branches are their reaper's own children, so that is looked at and not believed.

use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags, fstat, openat};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use rustix::process::Signal;

use super::inspection::{self, Expected, OwnFiles, Status};
use super::{CgroupStock, Warden, children, end_cell, report, sys, tell, tell_with};
use super::{beneath, roots};
use crate::limits::CellLimits;
use crate::sandbox::broker::{ASK, asks_for_facts};
use crate::sandbox::cell::{self, BranchAsk};
use crate::sandbox::cgroup::{Cgroup, CgroupFacts};
use crate::sandbox::copyist::{self, Owners, Room};
use crate::sandbox::directories;
use crate::sandbox::held::Numbers;
use crate::sandbox::order::{CopyRefusal, EVENT_BYTES_MAX, Event, Files, WorkerId};
use crate::sandbox::plan::{Level, Plan, Uids};
use crate::sandbox::socket::{receive, send};
use crate::sandbox::sys_broker::{self, Answer, Notification};
use crate::sandbox::template::Branch;

/// What else is asked for by the call that is never made: `ASK_ALL`, `ASK_BEGIN` and `ASK_GROUPS` of `forks.rs`.
const ASK_ALL: u64 = 1;
const ASK_BEGIN: u64 = 2;
const ASK_GROUPS: u64 = 4;
/// The control socket's descriptor in a worker.
const CONTROL: u32 = 3;
/// How many bits of an answer are a descriptor: `FD_BITS` of `forks.rs`. All of them set are none.
const FD_BITS: u32 = 10;
const NO_FD: u32 = (1 << FD_BITS) - 1;
/// How many bits of the answer about control groups are their number: `COUNT_BITS` of `forks.rs`. There are 4 at the most.
const COUNT_BITS: u32 = 3;
/// The messages of a copyist: a copy has its files, whose place among the copies follows, with its root where it has one; and what its parent has to know of itself.
const FILES: u8 = b'T';
const FACTS: u8 = b'F';

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
    /// What it moves itself to its control groups by, until it asks for that.
    groups: Vec<OwnedFd>,
    /// What it has to be, where it is looked at before it begins. None: it has begun.
    expected: Option<Box<Expected>>,
    /// What was done about its memory.
    memory: Memory,
    /// Since when there are more processes of its parent's user than there should be.
    crowded_since: Cell<Option<Instant>>,
}

/// What was done about a copy's memory: by calls that the warden lets run, and that may not have been made yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Memory {
    /// Nothing: it was closed in the parent already.
    Inherited,
    /// It changes its user, which would close it, too.
    Closing,
    /// It opens it.
    Opening,
    /// It is open, and its own.
    Own,
}

/// A copy that is to be made.
struct Wanted {
    worker: WorkerId,
    workspace: PathBuf,
    /// Control socket, stdout, stderr, where they don't go through the parent.
    channel: Vec<OwnedFd>,
    uid: Option<u32>,
    /// Its files, once they are made.
    place: Option<Place>,
    /// The directory of its own in its cell's file system, where it has that and no root.
    files: Option<OwnedFd>,
    taken: bool,
}

/// Where a copy's files are.
enum Place {
    /// In a root of its own.
    Root {
        top: OwnedFd,
        /// The root of its file system.
        files: OwnedFd,
    },
    /// In its workspace, a directory.
    Directory,
}

/// Copies of one worker that are under way.
#[derive(Default)]
pub(super) struct UnderWay {
    wanted: Vec<Wanted>,
    /// The first that was wanted. What is told of all of them is told of that one: of the same parent there may be others before long.
    first: WorkerId,
    /// Where the process that copies files says how that went.
    copyist: Option<OwnedFd>,
    copyist_pid: i32,
    /// Copies that have asked for all and wait for their root, by their place: at which template's listener.
    waiting: HashMap<u32, (u64, Notification)>,
    /// The parent's cell, once its reaper was asked to hold still.
    cell: Option<WorkerId>,
    /// The parent's process, its uid, where it has its own, and the device of its file system, where it has that.
    pid: i32,
    uid: Option<u32>,
    device: u64,
    /// What the parent has to know of itself, until it asks.
    facts: Option<OwnedFd>,
    /// The parent has closed its memory.
    closed: bool,
    /// All copies have memory of their own, so that the parent may open its own again.
    apart: bool,
    /// It was reported that a process was refused meanwhile.
    reported: bool,
}

/// All of a warden's.
#[derive(Default)]
pub(super) struct Copies {
    /// By the parent.
    under_way: HashMap<WorkerId, UnderWay>,
    pub(super) live: HashMap<WorkerId, Copy>,
    /// Calls of copies that wait until others have gone on: at which template's listener.
    held: Vec<(u64, Notification)>,
    /// The uid, of those for episodes, by which reapers signal branches, once it is needed.
    spare_uid: Option<u32>,
}

impl Copies {
    /// What copyists say, by the parent.
    pub(super) fn listening(&self) -> impl Iterator<Item = (WorkerId, &OwnedFd)> {
        self.under_way
            .iter()
            .filter_map(|(parent, fork)| Some((*parent, fork.copyist.as_ref()?)))
    }

    /// Whether calls of copies wait until others have gone on.
    pub(super) fn is_holding(&self) -> bool {
        !self.held.is_empty()
    }

    /// Workers of this cell that are being copied, and what each has to know of itself.
    pub(super) fn facts_within(
        &self,
        cell: WorkerId,
    ) -> impl Iterator<Item = (i32, BorrowedFd<'_>)> {
        let forks = self.under_way.values();
        forks.filter_map(move |fork| {
            let facts = fork.facts.as_ref().filter(|_| fork.cell == Some(cell))?;
            Some((fork.pid, facts.as_fd()))
        })
    }

    /// The worker of this cell and uid that is being copied.
    fn fork_of(&mut self, cell: WorkerId, uid: Option<u32>) -> Option<&mut UnderWay> {
        let mut forks = self.under_way.values_mut();
        forks.find(|fork| fork.cell == Some(cell) && fork.uid.is_some() && fork.uid == uid)
    }

    /// What is under way of the parent with this process.
    fn fork_by_pid(&self, pid: i32) -> Option<&UnderWay> {
        self.under_way.values().find(|fork| fork.pid == pid)
    }

    /// Whether this copy is the last of its parent's that comes apart from it: all others that were wanted have, or have ended.
    fn is_last(&self, worker: WorkerId, fork: &UnderWay) -> bool {
        let is_apart = |wanted: &Wanted| {
            let copy = self.live.get(&wanted.worker);
            let has_ended = wanted.taken && copy.is_none();
            let is_own = |copy: &Copy| wanted.worker == worker || copy.memory == Memory::Own;
            has_ended || copy.is_some_and(is_own)
        };
        fork.wanted.iter().all(is_apart)
    }

    fn by_pid(&mut self, pid: i32) -> Option<(WorkerId, &mut Copy)> {
        let mut live = self.live.iter_mut();
        let (worker, copy) = live.find(|(_, copy)| copy.pid == pid)?;
        Some((*worker, copy))
    }
}

impl UnderWay {
    /// One of the copyist's messages, but for the last. Returns the copy that has waited for it.
    fn take(&mut self, message: &[u8], fds: Vec<OwnedFd>) -> Option<(u64, Notification)> {
        let (kind, rest) = message.split_first()?;
        if *kind == FACTS {
            self.facts = fds.into_iter().next();
            return None;
        }
        let place = u32::from_le_bytes(*rest.first_chunk()?);
        let wanted = self.wanted.get_mut(usize::try_from(place).ok()?)?;
        wanted.place = Some(match <[OwnedFd; 2]>::try_from(fds) {
            Ok([top, files]) => Place::Root { top, files },
            Err(_) => Place::Directory,
        });
        self.waiting.remove(&place)
    }
}

/// What of a parent its copies may hold nothing of.
struct Parents {
    pid: i32,
    uid: u32,
    device: u64,
}

/// What a copy is given.
struct Gift<'a> {
    uid: u32,
    place: &'a Place,
    workspace: &'a Path,
    channel: [&'a OwnedFd; 3],
}

impl Gift<'_> {
    /// What it is to be when it begins.
    fn expected(&self, plan: &Plan, uids: Uids, parents: &Parents) -> io::Result<Expected> {
        let [control, stdout, stderr] = self.channel;
        Ok(Expected {
            uid: self.uid,
            capabilities: cell::kept_capabilities(plan),
            channel: [
                inspection::identity(&fstat(control)?),
                inspection::identity(&fstat(stdout)?),
                inspection::identity(&fstat(stderr)?),
            ],
            uids,
            parent: (parents.pid, parents.uid),
            files: match self.place {
                Place::Root { files, .. } => OwnFiles::Device {
                    own: fstat(files)?.st_dev,
                    parents: parents.device,
                },
                Place::Directory => OwnFiles::Directory {
                    own: self.workspace.to_owned(),
                    cell: directories::permitted(plan, self.workspace).to_owned(),
                },
            },
        })
    }

    /// Gives it to whoever waits for this call. Returns the answer, which says where.
    fn hand_over(&self, listener: &OwnedFd, call: &Notification) -> io::Result<i64> {
        let give = |fd: &OwnedFd, number: Option<u32>, cloexec| {
            sys_broker::add_descriptor(listener.as_fd(), call.id, fd.as_fd(), number, cloexec)
        };
        let [control, stdout, stderr] = self.channel;
        give(control, Some(CONTROL), true)?;
        let fds = [
            give(stdout, None, false)?,
            give(stderr, None, false)?,
            match self.place {
                Place::Root { top, .. } => give(top, None, true)?,
                Place::Directory => NO_FD,
            },
        ];
        let mut answer = i64::from(self.uid) << (3 * FD_BITS);
        for (at, fd) in (0..).zip(fds) {
            if fd > NO_FD || fd == NO_FD && at < 2 {
                return Err(too_many_files());
            }
            answer |= i64::from(fd) << (at * FD_BITS);
        }
        Ok(answer)
    }
}

/// What a process that asks for all gets.
enum Given {
    All(i64),
    /// It is no copy that is to be made, and why. Which one it would be, if that is known.
    Nothing(Option<WorkerId>, &'static str),
    /// Its root is not ready.
    Later,
}

/// Why a copy is not let begin that has a child or a thread.
const STARTED: &str = "it has started a process";
/// Why a copy is not let begin that has its memory together with another process.
const SHARES: &str = "it shares its memory";
/// Why a copy is not let begin whose parent has left a process: one that is there longer than this.
const LEFT: &str = "another process of its parent's user runs";
const LEFT_WITHIN: Duration = Duration::from_millis(500);
/// How long a copyist waits for a parent that opens its memory again, and how often it looks.
const OPEN_WITHIN: Duration = Duration::from_secs(1);
const LOOK_AGAIN: Duration = Duration::from_millis(1);

/// What a copyist is given.
struct Job {
    from: Vec<OwnedFd>,
    parent_uid: Option<u32>,
    room: Room,
    /// The parent's process, if it can't see for itself what it holds.
    blind: Option<i32>,
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

    /// Has a reaper end a branch.
    pub(super) fn end_of_branch(&self, cell: WorkerId, root: Branch) {
        if let Err(error) = self.ask_branch(cell, BranchAsk::End, root.into()) {
            report(&format!("warden: a reaper can't be asked: {error}"));
            // Its end is one that the reaper sees.
            let first = self.cells.get(&cell).map(|cell| cell.pid);
            let copy = self.worker_at(cell, root);
            let copy = copy.and_then(|worker| Some(self.copies.live.get(&worker)?.pid));
            if let Some(pid) = if root == 0 { first } else { copy } {
                children::signal(pid, Signal::KILL);
            }
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
        if fork.wanted.is_empty() {
            fork.first = worker;
        }
        fork.wanted.push(Wanted {
            worker,
            workspace: workspace.into(),
            channel,
            uid: None,
            place: None,
            files: None,
            taken: false,
        });
    }

    /// Has the files of the copies made that are wanted.
    pub(super) fn prepare_copies(&mut self, parent: WorkerId, room: Room) -> io::Result<()> {
        let files = if self.has_left_process(parent) {
            Files::LeftProcess
        } else {
            match self.start_copyist(parent, room) {
                Ok(()) => return Ok(()),
                Err(error) => Files::Failed(error.to_string()),
            }
        };
        let fork = self.copies.under_way.get(&parent);
        tell(&Event::Prepared {
            worker: fork.map_or(parent, |fork| fork.first),
            files,
        })
    }

    /// Whether a program has left a process, of which nothing tells any more what branch it would be of: where there are no uids, and as long as no branch keeps its own orphans.
    fn has_left_process(&self, parent: WorkerId) -> bool {
        let cell = self.cells.get(&parent).filter(|cell| !cell.forked);
        let Some((cell, reaper)) = cell.and_then(|cell| Some((cell, cell.reaper?))) else {
            return false;
        };
        let left = |pid: &i32| *pid != cell.pid && children::runs(*pid);
        cell.uid.is_none() && children::children(reaper).iter().any(left)
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
        let first_uid = cell.uid.map_or(0, u64::from);
        if with_uids && self.copies.spare_uid.is_none() {
            self.copies.spare_uid = self.uids.pop();
        }
        let spare = self.copies.spare_uid.map_or(0, u64::from);
        let value = first_uid | spare << u32::BITS;
        sys::signal_with_value(reaper, BranchAsk::Hold as i32, value)?;
        cell.forked = true;
        fork.cell = Some(id);
        let first = fork.first;
        let copy = self.copies.live.get(&parent);
        fork.uid = copy.map_or(cell.uid, |copy| copy.uid);
        fork.pid = copy.map_or(cell.pid, |copy| copy.pid);
        if with_uids {
            let none_left = || io::Error::other("every uid for episodes is in use");
            self.copies.spare_uid.ok_or_else(none_left)?;
            for wanted in &mut fork.wanted {
                wanted.uid = Some(self.uids.pop().ok_or_else(none_left)?);
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
            blind: (level == Level::Landlock).then_some(fork.pid),
        };
        if level == Level::Namespace {
            job.from = match copy.and_then(|copy| copy.files.as_ref()) {
                Some(files) => roots::open_places(files)?,
                None => roots::open_first(&beneath::open_root(reaper)?)?,
            };
        }
        let pid = if level == Level::Namespace && with_uids {
            fork.device = job
                .from
                .first()
                .map_or(Ok(0), |from| fstat(from).map(|stat| stat.st_dev))?;
            let mounts = rustix::fs::open(
                format!("/proc/{reaper}/ns/mnt"),
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
                say(&theirs, first, files);
                drop(trees); // nobody waits for that any more
            })?
        } else {
            if level == Level::Namespace && cell.copies_directory.is_none() {
                cell.copies_directory = Some(beneath::open_branches(reaper)?);
            }
            for wanted in &mut fork.wanted {
                match &cell.copies_directory {
                    Some(all) => wanted.files = Some(beneath::make(all, &wanted.workspace)?),
                    None => directories::make_of_copy(plan, &wanted.workspace, wanted.uid)?,
                }
            }
            if level != Level::Namespace {
                let from = copy.map_or(&cell.workspace, |copy| &copy.workspace);
                job.from = vec![copyist::open(from)?];
            }
            let wanted = &fork.wanted;
            sys::start_copy(|| {
                let files = copy_all(&job, wanted, &theirs);
                let files = files.unwrap_or_else(|error| Files::Failed(error.to_string()));
                say(&theirs, first, files);
            })?
        };
        fork.copyist = Some(ours);
        fork.copyist_pid = pid;
        self.copyists.insert(pid);
        Ok(())
    }

    /// A copyist has made a copy's files, or tells of the parent, or says how it went, or has ended without.
    pub(super) fn hear_copyist(&mut self, parent: WorkerId) -> io::Result<()> {
        let Some(fork) = self.copies.under_way.get_mut(&parent) else {
            return Ok(());
        };
        let Some(socket) = fork.copyist.take() else {
            return Ok(());
        };
        let heard = receive(socket.as_fd(), EVENT_BYTES_MAX).ok().flatten();
        match heard {
            Some((bytes, fds)) if matches!(bytes.first(), Some(&(FILES | FACTS))) => {
                fork.copyist = Some(socket);
                let waits = fork.take(&bytes, fds);
                self.answer_all(waits);
                Ok(())
            }
            // There will be no more files.
            heard => {
                let first = fork.first;
                let waiting = std::mem::take(&mut fork.waiting);
                self.answer_all(waiting.into_values());
                match heard.map(|(bytes, _)| Event::decode(&bytes)) {
                    Some(Ok(event)) => tell(&event),
                    _ => tell(&Event::Prepared {
                        worker: first,
                        files: Files::Failed("the process that copies files has ended".to_owned()),
                    }),
                }
            }
        }
    }

    /// The parent says that it has made a copy, with this process id as it sees it.
    pub(super) fn adopt(&mut self, parent: WorkerId, worker: WorkerId, pid: i32) -> io::Result<()> {
        let cell = self.place(parent).map(|(cell, _)| cell);
        let root = Branch::try_from(pid).ok().filter(|root| *root > 0);
        let pid = root
            .and_then(|root| self.seen_from_here(cell?, root))
            .unwrap_or(0);
        let found = cell
            .zip(root)
            .filter(|(cell, _)| self.is_new_child(*cell, pid));
        let Some(fork) = self.copies.under_way.get_mut(&parent) else {
            return Ok(());
        };
        let is_it = |wanted: &Wanted| wanted.worker == worker && wanted.channel.is_empty();
        let Some(place) = fork.wanted.iter().position(is_it) else {
            return Ok(());
        };
        let Some((cell, root)) = found else {
            // It has ended already, maybe after it had said that it is ready.
            let (cell, wanted) = (fork.cell, fork.wanted.swap_remove(place));
            return self.give_up(cell, wanted);
        };
        let Some(wanted) = fork.wanted.get_mut(place) else {
            return Ok(());
        };
        let limits = self.cells.get(&cell).map(|cell| cell.limits);
        let cgroup = match (&mut self.cgroups, limits) {
            (Some(cgroups), Some(limits)) => match enter_group(cgroups, worker, &limits, pid, None)
            {
                Ok((cgroup, _)) => Some(cgroup),
                Err(error) => {
                    report(&format!("warden: a copy's control group: {error}"));
                    return tell(&Event::NotCopied { worker });
                }
            },
            _ => None,
        };
        wanted.taken = true;
        let workspace = std::mem::take(&mut wanted.workspace);
        let copy = Copy {
            cell,
            root,
            pid,
            uid: None,
            workspace,
            files: wanted.files.take(),
            cgroup,
            groups: Vec::new(),
            expected: None,
            memory: Memory::Inherited,
            crowded_since: Cell::new(None),
        };
        if self.take_over(worker, copy)? {
            tell(&Event::Spawned { worker, pid })?;
        }
        Ok(())
    }

    /// The process that a cell's reaper, whose child it is, knows by this number.
    fn seen_from_here(&self, cell: WorkerId, number: Branch) -> Option<i32> {
        let same = i32::try_from(number).ok();
        if self.plan.as_ref().ok()?.level != Level::Namespace {
            return same;
        }
        let reaper = self.cells.get(&cell)?.reaper?;
        let is_it = |pid: &i32| Status::read(*pid).is_ok_and(|status| status.inner_pid == number);
        children::children(reaper).into_iter().find(is_it)
    }

    /// Has the files of a copy removed, in the file system of its cell, which lives on.
    fn remove_beneath(&mut self, cell: WorkerId, workspace: &Path) {
        let Some(of) = self.cells.get(&cell) else {
            return;
        };
        let Some(directory) = &of.copies_directory else {
            return;
        };
        let removed = sys::start_copy(|| {
            if let Err(error) = beneath::remove(directory, workspace) {
                report(&format!("warden: a copy's files were not removed: {error}"));
            }
        });
        match removed {
            Ok(pid) => {
                self.copyists.insert(pid);
            }
            Err(error) => report(&format!("warden: a copy's files were not removed: {error}")),
        }
    }

    /// Whether a process is a child of a cell's reaper and no branch yet.
    fn is_new_child(&self, cell: WorkerId, pid: i32) -> bool {
        let Some(cell) = self.cells.get(&cell) else {
            return false;
        };
        let known = self.copies.live.values().any(|copy| copy.pid == pid);
        cell.pid != pid && !known && children::parent(pid) == cell.reaper
    }

    /// Makes a process a branch of its cell. False: its reaper can't be told of it, so that it was ended, which the server was told.
    fn take_over(&mut self, worker: WorkerId, copy: Copy) -> io::Result<bool> {
        let value = u64::from(copy.root) | u64::from(copy.uid.unwrap_or(0)) << u32::BITS;
        if let Err(error) = self.ask_branch(copy.cell, BranchAsk::Adopt, value) {
            report(&format!("warden: a reaper can't be asked: {error}"));
            let reaper = self.cells.get(&copy.cell).and_then(|cell| cell.reaper);
            if children::parent(copy.pid) == reaper {
                children::signal(copy.pid, Signal::KILL);
            }
            if let (Some(cgroups), Some(cgroup)) = (&mut self.cgroups, copy.cgroup) {
                cgroups.discard(cgroup);
            }
            if copy.files.is_some() && copy.uid.is_none() {
                self.remove_beneath(copy.cell, &copy.workspace);
            }
            // Its uid is not given to another: nobody can tell when its last process has gone.
            tell(&Event::NotCopied { worker })?;
            return Ok(false);
        }
        if let Some(cell) = self.cells.get_mut(&copy.cell) {
            cell.branches.insert(copy.root, worker);
            cell.copied = true;
        }
        self.copies.live.insert(worker, copy);
        Ok(true)
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
        if number == ASK && second == ASK_ALL {
            return Ok(match self.give_all(serial, listener, call, third)? {
                Given::All(answer) => Some(Answer::Value(answer)),
                Given::Nothing(copy, why) => {
                    self.refuse(serial, copy, why)?;
                    Some(REFUSED)
                }
                Given::Later => None,
            });
        }
        if asks_for_facts(call) {
            // The caller waits, and so has its number.
            let mut forks = self.copies.under_way.values_mut();
            let facts = forks
                .find(|fork| fork.pid == pid)
                .and_then(|fork| fork.facts.take())
                .filter(|_| sys_broker::still_waits(listener.as_fd(), call.id));
            let Some(facts) = facts else {
                return Ok(Some(REFUSED));
            };
            let facts = facts.as_fd();
            let fd = sys_broker::add_descriptor(listener.as_fd(), call.id, facts, None, true)?;
            return Ok(Some(Answer::Value(fd.into())));
        }
        if number == libc::SYS_prctl && self.has_begun(pid) {
            let mut forks = self.copies.under_way.values_mut();
            return Ok(match (second, forks.find(|fork| fork.pid == pid)) {
                // Before it is copied, once: its copies are closed from their beginning.
                (0, Some(fork)) if !fork.closed && !fork.wanted.iter().any(|copy| copy.taken) => {
                    fork.closed = true;
                    Some(Answer::Run)
                }
                (1, Some(fork)) if fork.closed && !fork.apart => {
                    self.copies.held.push((serial, *call));
                    None
                }
                // Also after a fork that was before the one that is under way by now.
                (1, _) => Some(Answer::Run),
                _ => Some(REFUSED),
            });
        }
        let Some((worker, copy)) = self.copies.by_pid(pid) else {
            return Ok(Some(REFUSED));
        };
        let Some(expected) = &copy.expected else {
            return Ok(Some(REFUSED));
        };
        let uid = u64::from(expected.uid);
        let looked = match number {
            libc::SYS_setresuid | libc::SYS_setresgid => {
                // The kernel takes the low halves.
                let same = [first, second, third].map(|id| id & u64::from(u32::MAX) == uid);
                if same != [true; 3] || !matches!(copy.memory, Memory::Inherited | Memory::Closing)
                {
                    return Ok(Some(REFUSED));
                }
                copy.memory = Memory::Closing;
                return Ok(Some(Answer::Run));
            }
            // Where it is then is looked at before it begins.
            libc::SYS_chroot if copy.files.is_some() => return Ok(Some(Answer::Run)),
            ASK if second == ASK_GROUPS => self.check_apart(worker),
            libc::SYS_prctl if second == 1 => self.check_memory(worker),
            ASK if second == ASK_BEGIN => self.check_all(worker),
            _ => return Ok(Some(REFUSED)),
        };
        let Some(copy) = self.copies.live.get_mut(&worker) else {
            return Ok(Some(REFUSED));
        };
        match looked {
            Ok(false) => {
                self.copies.held.push((serial, *call));
                Ok(None)
            }
            Ok(true) if number == libc::SYS_prctl => {
                copy.memory = Memory::Opening;
                Ok(Some(Answer::Run))
            }
            Ok(true) if second == ASK_GROUPS => {
                copy.memory = Memory::Own;
                let groups = std::mem::take(&mut copy.groups);
                let expected = copy.expected.as_ref();
                let parent = expected.map_or(0, |expected| expected.parent.0);
                self.note_apart(worker, parent)?;
                give_groups(listener, call, groups).map(Some)
            }
            Ok(true) => {
                copy.expected = None;
                tell(&Event::Spawned { worker, pid })?;
                Ok(Some(Answer::Value(0)))
            }
            Err(why) => {
                self.end_unlike(worker, why)?;
                Ok(Some(REFUSED))
            }
        }
    }

    /// Ends a copy that is not what it should be, and says why.
    fn end_unlike(&self, worker: WorkerId, why: String) -> io::Result<()> {
        let Some(copy) = self.copies.live.get(&worker) else {
            return Ok(());
        };
        if why != LEFT && children::parent(copy.pid).is_some() {
            report(&format!("warden: a copy is not what it should be: {why}"));
        }
        let why = match &*why {
            LEFT => CopyRefusal::LeftProcess,
            _ => CopyRefusal::Unlike(why),
        };
        tell(&Event::CopyRefused { worker, why })?;
        self.end_of_branch(copy.cell, copy.root);
        Ok(())
    }

    /// Looks again at calls that had to wait until others have gone on.
    pub(super) fn answer_held(&mut self) {
        let held = std::mem::take(&mut self.copies.held);
        self.answer_all(held);
    }

    /// Looks at who shares memory with a copy that has changed its user: none of the copies that are made with it. That they are closed (PR_SET_DUMPABLE) is of the memory, so of all
    /// that share it, and only the warden's answer to a copy opens it. False: another copy is just opening its own; when that has gone on it can be told.
    fn check_memory(&self, worker: WorkerId) -> Result<bool, String> {
        let seen = self.copies.live.get(&worker);
        let Some((copy, expected)) = seen.and_then(|copy| Some((copy, copy.expected.as_ref()?)))
        else {
            return Err("it has begun".to_owned());
        };
        if copy.memory != Memory::Closing {
            return Err("it has not changed its user".to_owned());
        }
        if inspection::is_open(copy.pid, expected.uid) {
            return Err(SHARES.to_owned());
        }
        let mut is_sure = true;
        for other in self.copies.live.values() {
            let Some(expected) = &other.expected else {
                continue;
            };
            // One that shares this one's will find itself open.
            if other.cell == copy.cell && other.memory == Memory::Opening {
                is_sure &= !inspection::is_closed(other.pid, expected.uid);
            }
        }
        // One that was open, and that this one's change of its user has closed.
        let fork = self.copies.fork_by_pid(expected.parent.0);
        for wanted in fork.map_or(&[][..], |fork| &fork.wanted) {
            let other = self.copies.live.get(&wanted.worker);
            let own = other.filter(|other| other.memory == Memory::Own);
            if own.is_some_and(|own| {
                own.uid
                    .is_some_and(|uid| inspection::is_closed(own.pid, uid))
            }) {
                return Err(SHARES.to_owned());
            }
        }
        Ok(is_sure)
    }

    /// Looks at a copy that has opened its memory: its parent's is closed yet, so that it is another. The last of a fork's waits until the parent is alone. False: to be looked at
    /// again.
    fn check_apart(&self, worker: WorkerId) -> Result<bool, String> {
        let seen = self.copies.live.get(&worker);
        let Some((copy, expected)) = seen.and_then(|copy| Some((copy, copy.expected.as_ref()?)))
        else {
            return Err("it has begun".to_owned());
        };
        let (parent, uid) = expected.parent;
        if copy.memory != Memory::Opening || !inspection::is_open(copy.pid, expected.uid) {
            return Err("its memory is closed".to_owned());
        }
        if inspection::is_open(parent, uid) || !inspection::is_open(copy.pid, expected.uid) {
            return Err(SHARES.to_owned());
        }
        // What it has started would have its memory, and its parent's user.
        inspection::check_alone(copy.pid).map_err(|_| STARTED.to_owned())?;
        let fork = self.copies.fork_by_pid(parent);
        if !fork.is_some_and(|fork| self.copies.is_last(worker, fork)) {
            return Ok(true);
        }
        inspection::check_alone(parent)?;
        let (reaper, branches) = self.branches(copy.cell)?;
        if inspection::count_users(reaper, &branches, uid) == 0 {
            return Ok(true);
        }
        // A reaper's own, by which it signals a user, is there for a moment.
        let since = copy.crowded_since.get().unwrap_or_else(Instant::now);
        copy.crowded_since.set(Some(since));
        if since.elapsed() > LEFT_WITHIN {
            return Err(LEFT.to_owned());
        }
        Ok(false)
    }

    /// A copy has memory of its own. After the last of a fork's the parent may go on.
    fn note_apart(&mut self, worker: WorkerId, parent: i32) -> io::Result<()> {
        let Some(fork) = self.copies.fork_by_pid(parent) else {
            return Ok(());
        };
        let first = fork.first;
        if !self.copies.is_last(worker, fork) {
            return Ok(());
        }
        let mut forks = self.copies.under_way.values_mut();
        if let Some(fork) = forks.find(|fork| fork.pid == parent) {
            fork.apart = true;
        }
        tell(&Event::Apart { worker: first })
    }

    /// Whether a process is a worker that is no copy any more that is only being made.
    fn has_begun(&self, pid: i32) -> bool {
        let mut copies = self.copies.live.values();
        let mut cells = self.cells.values();
        copies.any(|copy| copy.pid == pid && copy.expected.is_none())
            || cells.any(|cell| cell.pid == pid && !cell.first_ended)
    }

    /// Looks at a copy that wants to begin, and at who else is its user: nobody. False: it is to be looked at again.
    fn check_all(&self, worker: WorkerId) -> Result<bool, String> {
        let seen = self.copies.live.get(&worker);
        let Some((copy, expected)) = seen.and_then(|copy| Some((copy, copy.expected.as_ref()?)))
        else {
            return Err("it has begun".to_owned());
        };
        if copy.memory != Memory::Own || !inspection::is_open(copy.pid, expected.uid) {
            return Err("its memory is closed".to_owned());
        }
        look_at(copy, expected)?;
        let (reaper, branches) = self.branches(copy.cell)?;
        inspection::check_strangers(
            reaper,
            |pid| branches.contains(&pid),
            |_, uid| uid == expected.uid,
        )
    }

    /// A cell's reaper, and the processes of its branches.
    fn branches(&self, cell: WorkerId) -> Result<(i32, HashSet<i32>), String> {
        let has_ended = || "its cell has ended".to_owned();
        let cell = self.cells.get(&cell).ok_or_else(has_ended)?;
        let copies = cell.branches.values();
        let copies = copies.filter_map(|worker| Some(self.copies.live.get(worker)?.pid));
        let first = (!cell.first_ended).then_some(cell.pid);
        Ok((
            cell.reaper.ok_or_else(has_ended)?,
            copies.chain(first).collect(),
        ))
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
        let Some(cell) = children::parent(pid).and_then(|reaper| self.cell_of.get(&reaper)) else {
            return Err(rustix::io::Errno::SRCH.into()); // it has ended, or its reaper has
        };
        let cell = *cell;
        let of = self.cells.get(&cell);
        if of.is_none_or(|of| of.template != serial) || !self.is_new_child(cell, pid) {
            let why = "it is no new child of its cell's reaper";
            return Ok(Given::Nothing(None, why));
        }
        let status = Status::read(pid)?;
        // What was read is of the caller, which waits and so has its number.
        if !sys_broker::still_waits(listener.as_fd(), call.id) {
            return Err(rustix::io::Errno::SRCH.into());
        }
        let parents_uid = status.uid().unwrap_or(0);
        let Some(fork) = self.copies.fork_of(cell, status.uid()) else {
            return Ok(Given::Nothing(None, "nobody of its uid is being copied"));
        };
        let is_copied = fork.copyist.is_some();
        let place = u32::try_from(index).ok();
        let wanted = place.and_then(|place| fork.wanted.get_mut(usize::try_from(place).ok()?));
        let (Some(place), Some(wanted)) = (place, wanted.filter(|wanted| !wanted.taken)) else {
            return Ok(Given::Nothing(None, "no such copy is to be made"));
        };
        let worker = wanted.worker;
        let nothing = |why| Ok(Given::Nothing(Some(worker), why));
        // As its parent's was when it was made, so that nobody of that user has opened it.
        if !inspection::is_closed(pid, parents_uid) {
            return nothing("its memory was open from the beginning");
        }
        if wanted.place.is_none() && is_copied {
            fork.waiting.insert(place, (serial, *call));
            return Ok(Given::Later);
        }
        let Some(place) = &wanted.place else {
            return nothing("its files were not made");
        };
        let (Some(uid), [control, stdout, stderr]) = (wanted.uid, &wanted.channel[..]) else {
            return nothing("it was missed, and has no channel any more");
        };
        let (Some(parents_uid), Some((plan, uids))) = (fork.uid, plan_with_uids(&self.plan)) else {
            return nothing("copies have no uids here");
        };
        let gift = Gift {
            uid,
            place,
            workspace: &wanted.workspace,
            channel: [control, stdout, stderr],
        };
        let parents = Parents {
            pid: fork.pid,
            uid: parents_uid,
            device: fork.device,
        };
        let expected = gift.expected(plan, uids, &parents)?;
        let answer = gift.hand_over(listener, call)?;
        let limits = self.cells.get(&cell).map(|cell| cell.limits);
        let (cgroup, groups) = match (&mut self.cgroups, limits) {
            (Some(cgroups), Some(limits)) => {
                let (cgroup, groups) = enter_group(cgroups, worker, &limits, pid, Some(uid))?;
                (Some(cgroup), groups)
            }
            _ => (None, Vec::new()),
        };
        let copy = Copy {
            cell,
            root: status.inner_pid,
            pid,
            uid: Some(uid),
            workspace: wanted.workspace.clone(),
            files: match place {
                Place::Root { files, .. } => Some(files.try_clone()?),
                Place::Directory => None,
            },
            cgroup,
            groups,
            expected: Some(Box::new(expected)),
            memory: Memory::Inherited,
            crowded_since: Cell::new(None),
        };
        wanted.taken = true;
        // The warden's ends are in nobody's way any more.
        wanted.channel.clear();
        wanted.place = None;
        if !self.take_over(worker, copy)? {
            return Ok(Given::Nothing(
                Some(worker),
                "its reaper can't be told of it",
            ));
        }
        Ok(Given::All(answer))
    }

    /// A process was given nothing. Whoever waits for it as a copy is told why; where nobody is known to, it is reported, once for each worker that is being copied: any
    /// program can make the call.
    fn refuse(&mut self, serial: u64, copy: Option<WorkerId>, why: &str) -> io::Result<()> {
        if let Some(worker) = copy {
            let why = CopyRefusal::Unlike(why.to_owned());
            return tell(&Event::CopyRefused { worker, why });
        }
        let cells = &self.cells;
        let is_of = |fork: &UnderWay| {
            let cell = fork.cell.and_then(|cell| cells.get(&cell));
            cell.is_some_and(|cell| cell.template == serial)
        };
        let mut forks = self.copies.under_way.values_mut();
        if let Some(fork) = forks.find(|fork| !fork.reported && is_of(fork)) {
            fork.reported = true;
            report(&format!(
                "warden: a process that asks as a copy is refused: {why}"
            ));
        }
        Ok(())
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

    /// All copies of a worker were begun. Where none of those that were not heard of yet lives any more, whoever waits for them is told by the end of their channels.
    pub(super) fn miss_copies(&mut self, parent: WorkerId) -> io::Result<()> {
        let Some(fork) = self.copies.under_way.get(&parent) else {
            return Ok(());
        };
        let (Some(id), uid) = (fork.cell, fork.uid) else {
            return Ok(());
        };
        // What a copy has opened was the parent's own, which waits to open that: they share it.
        if !fork.apart && uid.is_some_and(|uid| inspection::is_open(fork.pid, uid)) {
            let wanted: Vec<WorkerId> = fork.wanted.iter().map(|wanted| wanted.worker).collect();
            for worker in wanted {
                let copy = self.copies.live.get(&worker);
                if copy.is_some_and(|copy| copy.memory == Memory::Opening) {
                    self.end_unlike(worker, SHARES.to_owned())?;
                }
            }
        }
        let reaper = self.cells.get(&id).and_then(|cell| cell.reaper);
        let children = reaper.map(children::children).unwrap_or_default();
        let comes = |pid: i32| {
            // One that can't be read is one that ends: looked at again the next time.
            self.is_new_child(id, pid)
                && Status::read(pid).map_or(true, |status| status.uid() == uid)
        };
        if children.into_iter().any(comes) {
            return Ok(());
        }
        if let Some(fork) = self.copies.under_way.get_mut(&parent) {
            for wanted in fork.wanted.iter_mut().filter(|wanted| !wanted.taken) {
                wanted.channel.clear();
            }
        }
        Ok(())
    }

    /// No more copies are made of a worker. Those that are wanted yet never will be.
    pub(super) fn finish_copies(&mut self, parent: WorkerId, begun: bool) -> io::Result<()> {
        let Some(fork) = self.copies.under_way.remove(&parent) else {
            return Ok(());
        };
        // Its number is its own until it was reaped.
        if fork.copyist.is_some() && self.copyists.contains(&fork.copyist_pid) {
            children::signal(fork.copyist_pid, Signal::KILL);
        }
        if let Some(cell) = fork.cell {
            if let Err(error) = self.ask_branch(cell, BranchAsk::GoOn, begun.into()) {
                report(&format!("warden: a reaper can't be asked: {error}"));
                // It would wait for ever for copies that nobody has named.
                if let Some(reaper) = self.cells.get(&cell).and_then(|cell| cell.reaper) {
                    end_cell(reaper);
                }
            }
            let mut others = self.copies.under_way.values();
            let is_one = others.all(|other| other.cell != Some(cell));
            if let Some(cell) = self
                .cells
                .get_mut(&cell)
                .filter(|cell| is_one && !cell.copied)
            {
                cell.forked = false;
            }
        }
        self.answer_all(fork.waiting.into_values());
        for wanted in fork.wanted {
            if !wanted.taken {
                self.give_up(fork.cell, wanted)?;
            }
        }
        Ok(())
    }

    /// A copy that was wanted never will be.
    fn give_up(&mut self, cell: Option<WorkerId>, wanted: Wanted) -> io::Result<()> {
        if let Some(cell) = cell.filter(|_| wanted.files.is_some()) {
            self.remove_beneath(cell, &wanted.workspace);
        }
        self.uids.extend(wanted.uid);
        let worker = wanted.worker;
        tell(&Event::NotCopied { worker })
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
        let copy = self.copies.live.get(&worker);
        let beneath = copy.filter(|copy| copy.uid.is_none() && copy.files.is_some());
        if let Some(workspace) = beneath.map(|copy| copy.workspace.clone()) {
            self.remove_beneath(cell, &workspace);
        }
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

/// Makes a copy's control group. Where its process, as this user, is to move itself there, what it does that by comes with it; elsewhere it is moved.
fn enter_group(
    cgroups: &mut CgroupStock,
    worker: WorkerId,
    limits: &CellLimits,
    pid: i32,
    uid: Option<u32>,
) -> io::Result<(Cgroup, Vec<OwnedFd>)> {
    let cgroup = cgroups.take(&worker.to_string(), limits)?;
    // A process that moves itself is moved at once, another after some milliseconds.
    if let Some(fds) = uid.and_then(|uid| cgroup.attach_fds_for(uid)) {
        return Ok((cgroup, fds));
    }
    match move_to_group(&cgroup, pid) {
        Ok(()) => Ok((cgroup, Vec::new())),
        Err(error) => {
            cgroups.discard(cgroup);
            Err(error)
        }
    }
}

/// Gives a copy what it moves itself to its control groups by.
fn give_groups(
    listener: &OwnedFd,
    call: &Notification,
    groups: Vec<OwnedFd>,
) -> io::Result<Answer> {
    let mut answer = i64::try_from(groups.len()).map_err(io::Error::other)?;
    for (place, group) in (0..).zip(groups) {
        let (listener, group) = (listener.as_fd(), group.as_fd());
        let fd = sys_broker::add_descriptor(listener, call.id, group, None, true)?;
        if fd >= NO_FD {
            return Err(too_many_files());
        }
        answer |= i64::from(fd) << (COUNT_BITS + place * FD_BITS);
    }
    Ok(Answer::Value(answer))
}

/// A plan by which copies have uids of their own, and all of these.
fn plan_with_uids(plan: &Result<Plan, String>) -> Option<(&Plan, Uids)> {
    let plan = plan.as_ref().ok()?;
    Some((plan, plan.uids?))
}

/// Moves a process to a control group.
fn move_to_group(cgroup: &Cgroup, pid: i32) -> io::Result<()> {
    for group in cgroup.attach_fds()? {
        rustix::io::write(&group, pid.to_string().as_bytes())?;
    }
    Ok(())
}

/// Looks at a copy that wants to begin.
fn look_at(copy: &Copy, expected: &Expected) -> Result<(), String> {
    let placed = |cgroup: &Cgroup| cgroup.holds(copy.pid);
    if !copy.cgroup.as_ref().is_none_or(placed) {
        return Err("it is not in its control group".to_owned());
    }
    inspection::check(copy.pid, expected)
}

fn too_many_files() -> io::Error {
    io::Error::other("it has too many open files")
}

/// Whether an error is what reading of a process that has ended gives.
fn is_gone(error: &io::Error) -> bool {
    let code = error.raw_os_error();
    error.kind() == io::ErrorKind::NotFound || code == Some(libc::ESRCH)
}

/// Says how the copying of files went. The warden sees by the socket's end that it was not told.
fn say(socket: &OwnedFd, worker: WorkerId, files: Files) {
    let event = Event::Prepared { worker, files };
    drop(send(socket.as_fd(), &event.encode(), &[]));
}

/// Copies the parent's files into the directories of each copy, and looks at the parent if it needs that.
fn copy_all(job: &Job, wanted: &[Wanted], socket: &OwnedFd) -> io::Result<Files> {
    let numbers = Numbers::open()?;
    for (place, wanted) in (0_u32..).zip(wanted) {
        let owners = Owners {
            from: job.parent_uid,
            to: wanted.uid,
        };
        let to = match &wanted.files {
            Some(files) => roots::open_places(files)?,
            None => vec![copyist::open(&wanted.workspace)?],
        };
        let made = copyist::copy(&numbers, &job.from, &to, owners, job.room);
        if made != Files::Made {
            return Ok(made);
        }
        send(socket.as_fd(), &files_made(place), &[])?;
    }
    if let Some(pid) = job.blind {
        let facts = told_facts(pid, job.parent_uid)?;
        send(socket.as_fd(), &[FACTS], &[facts])?;
    }
    Ok(Files::Made)
}

/// What a parent has to know of itself. It may just be opening its memory again after the fork before.
fn told_facts(pid: i32, uid: Option<u32>) -> io::Result<OwnedFd> {
    let begun = Instant::now();
    loop {
        match inspection::facts(pid, uid) {
            Err(error)
                if error.kind() == io::ErrorKind::PermissionDenied
                    && begun.elapsed() < OPEN_WITHIN =>
            {
                std::thread::sleep(LOOK_AGAIN);
            }
            told => return told,
        }
    }
}

fn files_made(place: u32) -> Vec<u8> {
    [&[FILES], &place.to_le_bytes()[..]].concat()
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
    // There it would see the /proc of others.
    let numbers = Numbers::open()?;
    roots::enter(mounts)?;
    for (place, uid) in (0_u32..).zip(uids) {
        let root = roots::make(limits, *uid)?;
        let owners = Owners {
            from: job.parent_uid,
            to: Some(*uid),
        };
        let made = copyist::copy(&numbers, &job.from, &root.to, owners, job.room);
        if made != Files::Made {
            return Ok(made);
        }
        send(socket.as_fd(), &files_made(place), &[root.top, root.files])?;
        trees.push(root.tree);
    }
    Ok(Files::Made)
}
