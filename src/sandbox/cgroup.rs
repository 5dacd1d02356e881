//! Control groups of cells: what the kernel lets all processes of an episode use together, and what it counted.
//!
//! For the warden, which has one thread: the calls block, and are few. With control groups v1 (three hierarchies: memory, pids and
//! cpuacct) a cell costs 3 mkdir, 3 writes of limits (each open, write, close), 3 opens for its reaper, and 3 rmdir; with v2 one mkdir,
//! 4 writes, one open and one rmdir. A limit on CPU adds one write, and on v1 where `cpu` is mounted by itself one directory.
//!
//! Which of them serve again is `cgroup_reuse.rs`'s business; `cgroup.kill` is not used (after it, a kernel of 6.18 kills at birth what clone3(2) puts into the
//! group), and their names are numbers of our own, never of a client's making. Facts: Documentation/admin-guide/cgroup-v1 and cgroup-v2.rst of Linux.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Uid;
use rustix::thread::{
    CapabilitiesSecureBits, capabilities_secure_bits, set_capabilities_secure_bits,
    set_thread_res_uid,
};

use super::children;
use crate::limits::CellLimits;
use crate::wire::{Malformed, Reader, Writer};

/// The time over which CPU time is bounded, in microseconds: the kernel's own default. The least bound, 1 %, is then the least quota
/// that it takes, 1 ms.
const CPU_PERIOD_MICROS: u64 = 100_000;
/// One percent of a period.
const CPU_PERCENT_MICROS: u64 = CPU_PERIOD_MICROS / 100;
/// Processes that a cell has beside those that its limit counts: its reaper.
const REAPERS: u64 = 1;
/// With v2, where the server itself moves to when the group that it is in has to be free of processes. It stays behind, for the next
/// server, until the group around it goes.
const SERVER_GROUP: &str = "coding-env-server";
/// How long a group whose last process has just ended may be busy still.
const BUSY_FOR: Duration = Duration::from_millis(5);
/// How long processes are moved until none is left, and the pause between two rounds.
const MOVE_WITHIN: Duration = Duration::from_secs(1);
const MOVE_EVERY: Duration = Duration::from_millis(1);
/// What may be charged to a group that is used again: caches of the kernel's that outlive processes. Far below the least limit.
const LEFT_BYTES_MAX: u64 = 1 << 20;
/// How often a process has to be seen in a group, and not below the server, to be somebody else's.
const LOOKS_MAX: usize = 3;
/// The most that is read of one of the kernel's files. The longest of ours, memory.oom_control, has some 50 bytes; cgroup.procs is read otherwise.
const FACT_BYTES_MAX: usize = 4096;

/// Which of the two interfaces of the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    /// A hierarchy of directories for each controller, or a few.
    One,
    /// One hierarchy for all.
    Two,
}

/// What one hierarchy is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Controllers {
    memory: bool,
    pids: bool,
    /// Bounds CPU time.
    cpu: bool,
    /// Counts CPU time. With v2 that is there in every group, without a controller.
    cpuacct: bool,
}

/// One directory, and what it is used for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Hierarchy {
    path: PathBuf,
    controllers: Controllers,
}

/// Where this process stands in the trees of control groups, by what the kernel tells: nothing has been tried yet.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    /// Its group in each hierarchy that is of use.
    One(Vec<Hierarchy>),
    /// Its group, and the outermost one that it can see.
    Two { own: PathBuf, top: PathBuf },
}

/// A hierarchy as it is mounted: a line of /proc/self/mountinfo, proc(5).
#[derive(Debug, PartialEq, Eq)]
struct Mount {
    version: Version,
    /// The super block's options: with v1 the names of controllers are among them.
    options: Vec<String>,
    /// The group that is at `at`.
    root: PathBuf,
    at: PathBuf,
}

/// A field of mountinfo without its escapes: blanks and such are octal, `\040`.
fn unescape(field: &str) -> PathBuf {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let escaped = (first == b'\\')
            .then(|| tail.split_at_checked(3))
            .flatten()
            .and_then(|(digits, tail)| {
                let digits = std::str::from_utf8(digits).ok()?;
                Some((u8::from_str_radix(digits, 8).ok()?, tail))
            });
        let (byte, tail) = escaped.unwrap_or((first, tail));
        bytes.push(byte);
        rest = tail;
    }
    PathBuf::from(OsStr::from_bytes(&bytes))
}

/// The control groups in a mountinfo file; lines that are none, or malformed, are left out.
fn mounts(mountinfo: &str) -> Vec<Mount> {
    let parse = |line: &str| {
        let (mount, file_system) = line.split_once(" - ")?;
        let mut mount = mount.split(' ').skip(3);
        let (root, at) = (mount.next()?, mount.next()?);
        let mut file_system = file_system.split(' ');
        let version = match file_system.next()? {
            "cgroup" => Version::One,
            "cgroup2" => Version::Two,
            _ => return None,
        };
        let options = file_system.nth(1).unwrap_or_default();
        Some(Mount {
            version,
            options: options.split(',').map(str::to_owned).collect(),
            root: unescape(root),
            at: unescape(at),
        })
    };
    mountinfo.lines().filter_map(parse).collect()
}

/// The group of this process with a controller of v1, or, without one, with v2: a line of /proc/self/cgroup, cgroups(7).
fn membership<'a>(cgroup: &'a str, controller: Option<&str>) -> Option<&'a Path> {
    cgroup.lines().find_map(|line| {
        let mut fields = line.splitn(3, ':');
        let (number, controllers) = (fields.next()?, fields.next()?);
        let found = match controller {
            Some(controller) => controllers.split(',').any(|name| name == controller),
            None => number == "0" && controllers.is_empty(),
        };
        found.then_some(Path::new(fields.next()?))
    })
}

/// The directory of a group, and that of the outermost one, where a mount shows them.
fn directory<'a>(
    mounts: &'a [Mount],
    kind: (Version, Option<&str>),
    group: &Path,
) -> Option<(PathBuf, &'a Path)> {
    let (version, controller) = kind;
    mounts.iter().find_map(|mount| {
        let fits = mount.version == version
            && controller.is_none_or(|name| mount.options.iter().any(|option| option == name));
        // `/..` is how the kernel writes what lies outside of a process's cgroup namespace.
        let below = group
            .strip_prefix(&mount.root)
            .ok()
            .filter(|path| !path.starts_with(".."))?;
        // Without the check, joining an empty path would add a slash.
        let own = if below.as_os_str().is_empty() {
            mount.at.clone()
        } else {
            mount.at.join(below)
        };
        fits.then_some((own, mount.at.as_path()))
    })
}

/// Finds the groups of this process. `mountinfo` and `cgroup` are the files of these names in /proc/self.
fn locate(mountinfo: &str, cgroup: &str) -> Result<Place, String> {
    let mounts = mounts(mountinfo);
    let with_v1 = |controller| {
        let group = membership(cgroup, Some(controller))?;
        let (own, _) = directory(&mounts, (Version::One, Some(controller)), group)?;
        Some(own)
    };
    if let (Some(memory), Some(pids)) = (with_v1("memory"), with_v1("pids")) {
        let mut hierarchies: Vec<Hierarchy> = Vec::new();
        let mut add = |path: PathBuf, set: fn(&mut Controllers)| {
            let at = hierarchies
                .iter()
                .position(|known| known.path == path)
                .unwrap_or_else(|| {
                    let controllers = Controllers::default();
                    hierarchies.push(Hierarchy { path, controllers });
                    hierarchies.len() - 1
                });
            if let Some(hierarchy) = hierarchies.get_mut(at) {
                set(&mut hierarchy.controllers);
            }
        };
        add(memory, |controllers| controllers.memory = true);
        add(pids, |controllers| controllers.pids = true);
        if let Some(cpuacct) = with_v1("cpuacct") {
            add(cpuacct, |controllers| controllers.cpuacct = true);
        }
        if let Some(cpu) = with_v1("cpu") {
            add(cpu, |controllers| controllers.cpu = true);
        }
        return Ok(Place::One(hierarchies));
    }
    if ["memory", "pids"]
        .iter()
        .any(|name| membership(cgroup, Some(name)).is_some())
    {
        return Err("memory and pids are control groups v1, and are not mounted where this process's groups can be seen".to_owned());
    }
    let own = membership(cgroup, None).ok_or("this kernel, or /proc, has no control groups")?;
    let (own, top) = directory(&mounts, (Version::Two, None), own)
        .ok_or("control groups are not mounted where this process's group can be seen")?;
    let top = top.to_owned();
    Ok(Place::Two { own, top })
}

/// An error with the file that it is about.
fn at(path: &Path, what: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{what} {}: {error}", path.display()))
}

fn write(path: &Path, value: &str) -> io::Result<()> {
    fs::write(path, value).map_err(|error| at(path, &format!("writing {value} to"), &error))
}

/// Writes a file that older kernels, or those set up otherwise, don't have. False when it isn't there.
fn write_if_there(path: &Path, value: &str) -> io::Result<bool> {
    // Without O_CREAT, which a control group answers with EACCES.
    let result = OpenOptions::new()
        .write(true)
        .open(path)
        .and_then(|mut file| io::Write::write_all(&mut file, value.as_bytes()));
    match result {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(at(path, &format!("writing {value} to"), &error)),
    }
}

/// A short file of the kernel's. None when it is not there.
fn read(path: PathBuf) -> Option<String> {
    let mut buffer = [0; FACT_BYTES_MAX];
    let read = File::open(path).ok()?.read(&mut buffer).ok()?;
    String::from_utf8(buffer.get(..read)?.to_vec()).ok()
}

/// The number after a name: `oom_kill 3`.
fn counter(text: &str, name: &str) -> Option<u64> {
    let value = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?;
    value.trim().parse().ok()
}

fn number(text: &str) -> Option<u64> {
    text.trim().parse().ok()
}

/// What the kernel counted for a cell since it was made. A field is None where the host does not count it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct CgroupFacts {
    /// Processes that the kernel killed because the cell was at its limit of memory.
    pub(crate) oom_kills: Option<u64>,
    /// Forks and threads that the kernel refused because the cell was at its limit of processes.
    pub(crate) processes_refused: Option<u64>,
    /// CPU time of all its processes, those that have ended included: exact.
    pub(crate) cpu: Option<Duration>,
    /// The part of `cpu` in user mode: by the kernel's samples.
    pub(crate) cpu_user: Option<Duration>,
    /// The most memory that was charged to it at once: that of its processes, its files in memory, and what the kernel holds for it.
    pub(crate) peak_memory_bytes: Option<u64>,
}

impl CgroupFacts {
    /// Appends them to a message.
    pub(crate) fn encode(&self, message: Writer) -> Writer {
        let Self {
            oom_kills,
            processes_refused,
            cpu,
            cpu_user,
            peak_memory_bytes,
        } = *self;
        let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        [
            oom_kills,
            processes_refused,
            cpu.map(micros),
            cpu_user.map(micros),
            peak_memory_bytes,
        ]
        .into_iter()
        .fold(message, |message, fact| {
            message.u8(fact.is_some().into()).u64(fact.unwrap_or(0))
        })
    }

    /// The inverse of [`encode`](Self::encode).
    pub(crate) fn decode(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let mut fact = || {
            let (known, value) = (reader.u8()?, reader.u64()?);
            Ok((known != 0).then_some(value))
        };
        Ok(Self {
            oom_kills: fact()?,
            processes_refused: fact()?,
            cpu: fact()?.map(Duration::from_micros),
            cpu_user: fact()?.map(Duration::from_micros),
            peak_memory_bytes: fact()?,
        })
    }
}

/// The control groups of one run of the server: a directory of its own in each hierarchy, with the cells' below it.
#[derive(Debug)]
pub(crate) struct Cgroups {
    version: Version,
    parents: Vec<Hierarchy>,
}

impl Cgroups {
    /// Finds out what this host has and makes the directories of this run, by which it is known that it may.
    /// `run` names them: `coding-env-` and what nobody else's has.
    ///
    /// With v2 it may move the server and what descends from it one group down, because a group with limits below it may not hold
    /// processes. `server` is its pid.
    ///
    /// # Errors
    /// What is missing, in words for people.
    pub(crate) fn find(run: &str, server: i32) -> Result<Self, String> {
        let (mountinfo, cgroup) = own_files()?;
        let (version, groups) = match locate(&mountinfo, &cgroup)? {
            Place::One(groups) => (Version::One, groups),
            Place::Two { own, top } => {
                let group = base(&own, &top, &["memory", "pids"], server)?;
                (Version::Two, vec![group])
            }
        };
        Self::make(version, groups, run).map_err(|error| error.to_string())
    }

    fn make(version: Version, groups: Vec<Hierarchy>, run: &str) -> io::Result<Self> {
        let mut made = Self {
            version,
            parents: Vec::new(),
        };
        for Hierarchy {
            path,
            mut controllers,
        } in groups
        {
            let path = path.join(run);
            let result = fs::create_dir(&path)
                .map_err(|error| at(&path, "making", &error))
                .and_then(|()| {
                    if version == Version::Two {
                        enable(&path, &["memory", "pids"])?;
                        controllers.cpu = controllers.cpu && enable(&path, &["cpu"]).is_ok();
                    }
                    Ok(())
                });
            made.parents.push(Hierarchy { path, controllers });
            if let Err(error) = result {
                drop(made.close(Duration::ZERO));
                return Err(error);
            }
        }
        Ok(made)
    }

    /// Of the kernel's interface: 1 or 2.
    pub(crate) fn version(&self) -> u8 {
        match self.version {
            Version::One => 1,
            Version::Two => 2,
        }
    }

    /// Whether [`CellLimits::cpu_percent`] can be held. Memory and processes always can.
    pub(crate) fn bounds_cpu(&self) -> bool {
        self.parents.iter().any(|parent| parent.controllers.cpu)
    }

    /// Makes the group of a cell. `name` is not in use: the number of its worker. The cell's reaper and what it forks are counted
    /// as processes, so that the limit of `processes` leaves out the reaper.
    ///
    /// # Errors
    /// Which directory could not be made or which limit not set; nothing stays behind.
    pub(crate) fn create(&mut self, name: &str, limits: &CellLimits) -> io::Result<Cgroup> {
        let mut made = Cgroup {
            version: self.version,
            groups: Vec::with_capacity(self.parents.len()),
        };
        for parent in &self.parents {
            let controllers = parent.controllers;
            let only_cpu = Controllers {
                cpu: true,
                ..Controllers::default()
            };
            if controllers == only_cpu && limits.cpu_percent == 0 {
                continue;
            }
            let path = parent.path.join(name);
            let result = fs::create_dir(&path).map_err(|error| at(&path, "making", &error));
            let result = result.and_then(|()| {
                made.groups.push(Hierarchy {
                    path: path.clone(),
                    controllers,
                });
                set_limits(self.version, &path, controllers, limits)
            });
            if let Err(error) = result {
                return match made.remove() {
                    Ok(()) => Err(error),
                    Err((_, left)) => Err(io::Error::new(error.kind(), format!("{error}; {left}"))),
                };
            }
        }
        Ok(made)
    }

    /// Removes the directories of this run, with those of cells that are left in them; none may have a process. Waits for at most
    /// `within` for those that are busy still.
    ///
    /// # Errors
    /// What could not be removed.
    pub(crate) fn close(self, within: Duration) -> io::Result<()> {
        let until = Instant::now() + within;
        let remove = |parent: &Hierarchy| remove_tree(&parent.path, until);
        self.parents.iter().map(remove).fold(Ok(()), Result::and)
    }
}

/// Removes what a run has left behind whose warden was killed, when all its processes have ended. For the server. Nothing there is not
/// an error.
///
/// # Errors
/// What could not be removed.
pub(crate) fn remove_run(run: &str, within: Duration) -> Result<(), String> {
    let (mountinfo, cgroup) = own_files()?;
    let groups = match locate(&mountinfo, &cgroup)? {
        Place::One(groups) => groups.into_iter().map(|group| group.path).collect(),
        Place::Two { own, top } => {
            let ancestors = own.ancestors().take_while(|path| path.starts_with(&top));
            ancestors.map(Path::to_owned).collect::<Vec<_>>()
        }
    };
    let until = Instant::now() + within;
    let remove = |group: &PathBuf| remove_tree(&group.join(run), until);
    let result: io::Result<()> = groups.iter().map(remove).fold(Ok(()), Result::and);
    result.map_err(|error| error.to_string())
}

fn own_files() -> Result<(String, String), String> {
    let read = |path| fs::read_to_string(path).map_err(|error| format!("reading {path}: {error}"));
    Ok((read("/proc/self/mountinfo")?, read("/proc/self/cgroup")?))
}

/// Removes a group and those below it.
fn remove_tree(path: &Path, until: Instant) -> io::Result<()> {
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(at(path, "listing", &error)),
    };
    for entry in entries.flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_tree(&entry.path(), until)?;
        }
    }
    loop {
        match remove_group(path) {
            Err(error) if error.kind() == io::ErrorKind::ResourceBusy && Instant::now() < until => {
                std::thread::sleep(BUSY_FOR);
            }
            result => return result,
        }
    }
}

fn remove_group(path: &Path) -> io::Result<()> {
    match fs::remove_dir(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(at(path, "removing", &error)),
        _ => Ok(()),
    }
}

/// Sets the limits of a group that was just made.
fn set_limits(
    version: Version,
    path: &Path,
    controllers: Controllers,
    limits: &CellLimits,
) -> io::Result<()> {
    let CellLimits {
        total_memory_bytes,
        processes,
        workspace_bytes: _,
        workspace_inodes: _,
        cpu_percent,
    } = *limits;
    let memory = total_memory_bytes.to_string();
    let file = |name| path.join(name);
    match version {
        Version::One => {
            if controllers.memory {
                write(&file("memory.limit_in_bytes"), &memory)?;
                // Memory and swap together: there is no swap for a cell. Where the kernel does not count swap, it is at least to avoid it.
                if !write_if_there(&file("memory.memsw.limit_in_bytes"), &memory)? {
                    write_if_there(&file("memory.swappiness"), "0")?;
                }
            }
            if controllers.cpu && cpu_percent > 0 {
                let quota = u64::from(cpu_percent) * CPU_PERCENT_MICROS;
                write(&file("cpu.cfs_period_us"), &CPU_PERIOD_MICROS.to_string())?;
                write(&file("cpu.cfs_quota_us"), &quota.to_string())?;
            }
        }
        Version::Two => {
            write(&file("memory.max"), &memory)?;
            write_if_there(&file("memory.swap.max"), "0")?;
            // One killed process of a program is seldom what it expects, and the reaper could be the one: all go (Linux 4.19).
            write_if_there(&file("memory.oom.group"), "1")?;
            if controllers.cpu && cpu_percent > 0 {
                let quota = u64::from(cpu_percent) * CPU_PERCENT_MICROS;
                write(&file("cpu.max"), &format!("{quota} {CPU_PERIOD_MICROS}"))?;
            }
        }
    }
    if controllers.pids {
        write(
            &file("pids.max"),
            &(u64::from(processes) + REAPERS).to_string(),
        )?;
    }
    Ok(())
}

/// Has the groups below a group get these controllers. Only for v2.
fn enable(group: &Path, controllers: &[&str]) -> io::Result<()> {
    let file = group.join("cgroup.subtree_control");
    let enabled = fs::read_to_string(&file).map_err(|error| at(&file, "reading", &error))?;
    for name in controllers {
        if !enabled
            .split_ascii_whitespace()
            .any(|enabled| enabled == *name)
        {
            // One after the other: of several in one write all fail if one does.
            write(&file, &format!("+{name}"))?;
        }
    }
    Ok(())
}

/// The group below which a run's goes with v2: the one that this process is in, or, where that has to keep processes that are not ours,
/// the next one above, so long as no limit is left by that.
fn base(own: &Path, top: &Path, needed: &[&str], server: i32) -> Result<Hierarchy, String> {
    // An earlier run, or the probe, has moved the server down.
    let mut group = match own.parent() {
        Some(parent) if own.ends_with(SERVER_GROUP) => parent,
        _ => own,
    };
    let own = group;
    let available = read(own.join("cgroup.controllers"))
        .ok_or_else(|| format!("{} is no control group", own.display()))?;
    let available = |name: &str| {
        available
            .split_ascii_whitespace()
            .any(|known| known == name)
    };
    if let Some(missing) = needed.iter().find(|name| !available(name)) {
        return Err(format!(
            "the controller `{missing}` was not given to {}",
            own.display()
        ));
    }
    let mut moving = None;
    loop {
        let problem = match enable(group, needed) {
            Ok(()) => break,
            Err(error) => error,
        };
        let is_busy = problem.kind() == io::ErrorKind::ResourceBusy;
        if is_busy && group == own {
            // It holds processes, which a group with limits below it may not.
            let moved = move_down(group, group == top, server);
            match moved.and_then(|()| enable(group, needed)) {
                Ok(()) => break,
                Err(error) => moving = Some(error),
            }
        } else if group == own {
            return Err(problem.to_string());
        }
        let limit = limit_of(group).filter(|_| is_busy);
        group = match group.parent() {
            Some(parent) if is_busy && limit.is_none() && group != top => parent,
            _ => {
                let why = match (limit, moving) {
                    (Some(limit), _) => format!("{} bounds it by {limit}", group.display()),
                    (None, Some(moving)) if group == own => {
                        format!("{problem}; moving them: {moving}")
                    }
                    (None, _) => problem.to_string(),
                };
                return Err(format!(
                    "the control group {} holds processes of others, so that it can't be divided, and none above it can be used ({why}): \
                     start the server in one of its own",
                    own.display()
                ));
            }
        };
    }
    let cpu = enable(group, &["cpu"]).is_ok();
    let controllers = Controllers {
        memory: true,
        pids: true,
        cpu,
        cpuacct: true,
    };
    Ok(Hierarchy {
        path: group.to_owned(),
        controllers,
    })
}

/// Moves the server and what descends from it, or all of a group that is a whole container, one group down.
fn move_down(group: &Path, all: bool, server: i32) -> io::Result<()> {
    let below = group.join(SERVER_GROUP);
    let begun = Instant::now();
    // A process that forks while it is moved may leave a child behind; one that is ending is not moved, and is there until it has.
    for round in 0.. {
        let members = || -> io::Result<Vec<i32>> {
            let procs = fs::read_to_string(group.join("cgroup.procs"))?;
            Ok(procs.lines().filter_map(|pid| pid.parse().ok()).collect())
        };
        if members()?.is_empty() {
            return Ok(());
        }
        if begun.elapsed() > MOVE_WITHIN {
            break;
        }
        if round > 0 {
            thread::sleep(MOVE_EVERY);
        }
        let procs = if all {
            members()?
        } else {
            let found = only_ours(|| Ok((members()?, children::tree(server))))?;
            found.ok_or(io::ErrorKind::ResourceBusy)?
        };
        match fs::create_dir(&below) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        for pid in procs {
            match fs::write(below.join("cgroup.procs"), pid.to_string()) {
                // It has ended meanwhile.
                Err(error) if error.raw_os_error() == Some(libc::ESRCH) => {}
                result => {
                    result.map_err(|error| at(&below, &format!("moving {pid} to"), &error))?
                }
            }
        }
    }
    Err(io::ErrorKind::ResourceBusy.into())
}

/// Which of a group's members are the server's, by looks at who is in it and at what descends from the server. None: it holds others, too.
///
/// A process that ends between the two, or whose parent does, is not seen to descend from the server, and the probe has many of those. Others
/// are there at every look.
fn only_ours(
    mut look: impl FnMut() -> io::Result<(Vec<i32>, Vec<i32>)>,
) -> io::Result<Option<Vec<i32>>> {
    let mut suspects: Option<Vec<i32>> = None;
    for _ in 0..LOOKS_MAX {
        let (members, descendants) = look()?;
        let (ours, mut others): (Vec<i32>, Vec<i32>) = members
            .into_iter()
            .partition(|pid| descendants.contains(pid));
        if let Some(suspects) = &suspects {
            others.retain(|pid| suspects.contains(pid));
        }
        if others.is_empty() {
            return Ok(Some(ours));
        }
        suspects = Some(others);
    }
    Ok(None)
}

/// A limit that a group has. Only for v2.
fn limit_of(group: &Path) -> Option<&'static str> {
    ["memory.max", "memory.high", "pids.max", "cpu.max"]
        .into_iter()
        .find(|name| read(group.join(name)).is_some_and(|value| !value.starts_with("max")))
}

/// Does something with another effective uid and all capabilities: what is opened then is opened by that uid.
fn with_effective_uid<T>(uid: u32, action: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    let keeps = capabilities_secure_bits()?;
    // Else the capabilities would go with the uid.
    set_capabilities_secure_bits(keeps | CapabilitiesSecureBits::NO_SETUID_FIXUP)?;
    let done = set_thread_res_uid(None, Uid::from_raw(uid), None)
        .map_err(io::Error::from)
        .and_then(|()| action());
    let root = set_thread_res_uid(None, Uid::ROOT, None);
    let bits = set_capabilities_secure_bits(keeps);
    let done = done?;
    root?;
    bits?;
    Ok(done)
}

/// The control group of one cell.
#[derive(Debug)]
pub(crate) struct Cgroup {
    version: Version,
    groups: Vec<Hierarchy>,
}

impl Cgroup {
    /// What a process that is to be in it writes "0" to, each: the cell's reaper, before it forks. The right to do so is that of who opened
    /// it (Linux 5.17, and older ones with the mend of CVE-2021-4197), so the reaper needs none. It has to have one thread.
    ///
    /// A thread that moves itself is moved at once (Linux 5.5, `cgroup_procs_write_start`). For whole processes, which is all that v2 can, the kernel first waits
    /// for all processors to have passed a quiet state: some 8 ms.
    pub(crate) fn attach_fds(&self) -> io::Result<Vec<OwnedFd>> {
        let name = match self.version {
            Version::One => "tasks",
            Version::Two => "cgroup.procs",
        };
        let open = |group: &Hierarchy| {
            let path = group.path.join(name);
            let file = OpenOptions::new().write(true).open(&path);
            file.map(OwnedFd::from)
                .map_err(|error| at(&path, "opening", &error))
        };
        self.groups.iter().map(open).collect()
    }

    /// The same for a process with this uid, which these let move processes of this uid and no others, itself among them: of a file that was opened by anyone but root the
    /// kernel asks that (`__cgroup1_procs_write`). None with v2, which asks more, and where moving oneself saves no time; and where this process may not be another.
    pub(crate) fn attach_fds_for(&self, uid: u32) -> Option<Vec<OwnedFd>> {
        match self.version {
            Version::One => with_effective_uid(uid, || self.attach_fds()).ok(),
            Version::Two => None,
        }
    }

    /// Whether a process is in it.
    pub(crate) fn holds(&self, pid: i32) -> bool {
        let pid = pid.to_string();
        self.groups.iter().all(|group| {
            read(group.path.join("cgroup.procs"))
                .is_some_and(|procs| procs.lines().any(|line| line == pid))
        })
    }

    fn group(&self, has: impl Fn(&Controllers) -> bool) -> Option<&Path> {
        let found = self.groups.iter().find(|group| has(&group.controllers))?;
        Some(&found.path)
    }

    /// What was counted so far: 5 short files with v1, 4 with v2.
    pub(crate) fn facts(&self) -> CgroupFacts {
        let memory = |name: &str| read(self.group(|controllers| controllers.memory)?.join(name));
        let pids = |name: &str| read(self.group(|controllers| controllers.pids)?.join(name));
        let (kills, peak) = match self.version {
            Version::One => ("memory.oom_control", "memory.max_usage_in_bytes"),
            Version::Two => ("memory.events", "memory.peak"),
        };
        let cpu = self.cpu();
        CgroupFacts {
            oom_kills: memory(kills).and_then(|text| counter(&text, "oom_kill")),
            processes_refused: pids("pids.events").and_then(|text| counter(&text, "max")),
            cpu: cpu.map(|(cpu, _)| cpu),
            cpu_user: cpu.map(|(_, user)| user),
            peak_memory_bytes: memory(peak).and_then(|text| number(&text)),
        }
    }

    /// CPU time so far, in all and in user mode: 2 short files with v1, one with v2. The total is exact, the split by samples.
    pub(crate) fn cpu(&self) -> Option<(Duration, Duration)> {
        let group = self.group(|controllers| controllers.cpuacct)?;
        match self.version {
            Version::One => {
                let total = Duration::from_nanos(number(&read(group.join("cpuacct.usage"))?)?);
                let stat = read(group.join("cpuacct.stat"))?;
                let (user, system) = (counter(&stat, "user")?, counter(&stat, "system")?);
                Some((total, part(total, user, system)))
            }
            Version::Two => {
                let stat = read(group.join("cpu.stat"))?;
                let micros = |name| Some(Duration::from_micros(counter(&stat, name)?));
                Some((micros("usage_usec")?, micros("user_usec")?))
            }
        }
    }

    /// Whether no process is in it.
    pub(crate) fn is_empty(&self) -> bool {
        let none = |group: &Hierarchy| {
            read(group.path.join("cgroup.procs")).is_some_and(|procs| procs.is_empty())
        };
        self.groups.iter().all(none)
    }

    /// Sets back what it has counted, so that it can serve another cell with the same limits: 6 short files with v1. False when it can't,
    /// because a process or memory is left in it, or with v2, which has no such thing.
    pub(crate) fn set_back(&self) -> bool {
        let Some(memory) = self.group(|controllers| controllers.memory) else {
            return false;
        };
        let left = || number(&read(memory.join("memory.usage_in_bytes"))?);
        let is_free = self.version == Version::One
            && self.is_empty()
            && left().is_some_and(|left| left <= LEFT_BYTES_MAX);
        let zero = |path: PathBuf| write(&path, "0").is_ok();
        let cpuacct = self.group(|controllers| controllers.cpuacct);
        is_free
            && zero(memory.join("memory.max_usage_in_bytes"))
            && cpuacct.is_none_or(|group| zero(group.join("cpuacct.usage")))
    }

    /// Removes it. A moment after its last process ended it may still be busy (EBUSY): try again later with what is left.
    pub(crate) fn remove(mut self) -> Result<(), (Self, io::Error)> {
        while let Some(group) = self.groups.pop() {
            if let Err(error) = remove_group(&group.path) {
                self.groups.push(group);
                return Err((self, error));
            }
        }
        Ok(())
    }
}

/// The share of user mode, by ticks in user mode and in the kernel. Without any, all is user mode.
fn part(total: Duration, user: u64, system: u64) -> Duration {
    let ticks = u128::from(user) + u128::from(system);
    let nanos = total.as_nanos().saturating_mul(u128::from(user));
    match nanos.checked_div(ticks) {
        Some(nanos) => Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)),
        None => total,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::process::{Child, Command, Stdio};

    use super::*;

    pub(crate) const LIMITS: CellLimits = CellLimits {
        total_memory_bytes: 64 << 20,
        processes: 8,
        workspace_bytes: 1 << 20,
        workspace_inodes: 64,
        cpu_percent: 0,
    };
    pub(crate) const WITHIN: Duration = Duration::from_secs(10);

    fn one(groups: &[(&str, [bool; 4])]) -> Result<Place, String> {
        let hierarchy = |(path, [memory, pids, cpuacct, cpu]): &(&str, [bool; 4])| Hierarchy {
            path: PathBuf::from(path),
            controllers: Controllers {
                memory: *memory,
                pids: *pids,
                cpu: *cpu,
                cpuacct: *cpuacct,
            },
        };
        Ok(Place::One(groups.iter().map(hierarchy).collect()))
    }

    #[test]
    fn a_process_that_ends_while_a_group_is_looked_at_is_nobody_elses() {
        let decide = |looks: &[(&[i32], &[i32])]| {
            let mut looks = looks.iter().cycle();
            only_ours(|| {
                let (members, descendants) = looks.next().unwrap();
                Ok((members.to_vec(), descendants.to_vec()))
            })
            .unwrap()
        };
        let whole: (&[i32], &[i32]) = (&[10, 11], &[10, 11, 12]);
        assert_eq!(decide(&[whole]), Some(vec![10, 11]));
        // 13 has ended, or its parent had, and it was not found.
        let ended: (&[i32], &[i32]) = (&[10, 13], &[10]);
        assert_eq!(decide(&[ended, whole]), Some(vec![10, 11]));
        // Another one at each look.
        let next: (&[i32], &[i32]) = (&[10, 14], &[10]);
        assert_eq!(decide(&[ended, next]), Some(vec![10]));
        // Somebody else's stays, and whoever comes later is not taken for ours.
        let other: (&[i32], &[i32]) = (&[10, 13, 15], &[10]);
        assert_eq!(decide(&[ended, other]), None);
    }

    fn two(own: &str, top: &str) -> Result<Place, String> {
        Ok(Place::Two {
            own: own.into(),
            top: top.into(),
        })
    }

    #[test]
    fn groups_are_found_on_every_kind_of_host() {
        let memory = [true, false, false, false];
        let pids = [false, true, false, false];
        // Each controller by itself, and a v2 tree without any: this machine's.
        let hybrid = "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n\
             32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu\n\
             33 31 0:30 / /sys/fs/cgroup/cpuacct rw,relatime - cgroup cgroup rw,cpuacct\n\
             35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n\
             39 31 0:36 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids\n\
             40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd\n\
             41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n";
        let cgroup =
            "9:name=systemd:/\n8:pids:/\n4:memory:/process_api/a36\n2:cpuacct:/\n1:cpu:/\n0::/\n";
        assert_eq!(
            locate(hybrid, cgroup),
            one(&[
                ("/sys/fs/cgroup/memory/process_api/a36", memory),
                ("/sys/fs/cgroup/pids", pids),
                ("/sys/fs/cgroup/cpuacct", [false, false, true, false]),
                ("/sys/fs/cgroup/cpu", [false, false, false, true]),
            ])
        );

        // v2, at the root of a machine, and as a service of systemd.
        let unified = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot\n";
        assert_eq!(
            locate(unified, "0::/\n"),
            two("/sys/fs/cgroup", "/sys/fs/cgroup")
        );
        assert_eq!(
            locate(unified, "0::/system.slice/coding-env.service\n"),
            two(
                "/sys/fs/cgroup/system.slice/coding-env.service",
                "/sys/fs/cgroup"
            )
        );
        // Delegated to a user.
        let user = "/user.slice/user-1000.slice/user@1000.service/app.slice/run-r1.scope";
        assert_eq!(
            locate(unified, &format!("0::{user}\n")),
            two(&format!("/sys/fs/cgroup{user}"), "/sys/fs/cgroup")
        );
        // In a container with a cgroup namespace, and in one without.
        let container = "1200 1199 0:26 / /sys/fs/cgroup ro,nosuid,nodev,noexec,relatime - cgroup2 cgroup rw,nsdelegate\n";
        assert_eq!(
            locate(container, "0::/\n"),
            two("/sys/fs/cgroup", "/sys/fs/cgroup")
        );
        let container = container.replace("0:26 / ", "0:26 /system.slice/docker-f00.scope ");
        assert_eq!(
            locate(&container, "0::/system.slice/docker-f00.scope\n"),
            two("/sys/fs/cgroup", "/sys/fs/cgroup")
        );
        assert_eq!(
            locate(&container, "0::/system.slice/docker-f00.scope/below\n"),
            two("/sys/fs/cgroup/below", "/sys/fs/cgroup")
        );

        // Docker with v1: cpu and cpuacct in one hierarchy, and the container's group at the mount.
        let docker = "700 690 0:40 /docker/f00 /sys/fs/cgroup/cpu,cpuacct ro,nosuid master:17 - cgroup cgroup rw,cpu,cpuacct\n\
             701 690 0:41 /docker/f00 /sys/fs/cgroup/memory ro,nosuid master:18 - cgroup cgroup rw,memory\n\
             702 690 0:42 /docker/f00 /sys/fs/cgroup/pids ro,nosuid master:19 - cgroup cgroup rw,pids\n";
        let cgroup = "7:pids:/docker/f00\n6:memory:/docker/f00\n5:cpu,cpuacct:/docker/f00\n";
        assert_eq!(
            locate(docker, cgroup),
            one(&[
                ("/sys/fs/cgroup/memory", memory),
                ("/sys/fs/cgroup/pids", pids),
                ("/sys/fs/cgroup/cpu,cpuacct", [false, false, true, true]),
            ])
        );
    }

    #[test]
    fn what_is_missing_is_told() {
        let told = |mountinfo: &str, cgroup: &str| locate(mountinfo, cgroup).unwrap_err();
        assert!(told("", "").contains("no control groups"));
        assert!(told("", "0::/\n").contains("not mounted"));
        assert!(told("", "4:memory:/\n8:pids:/\n0::/\n").contains("v1, and are not mounted"));
        // Outside of its own cgroup namespace, where the mount doesn't reach.
        let mounted = "30 23 0:26 / /c rw - cgroup2 cgroup2 rw\n";
        assert!(told(mounted, "0::/../other\n").contains("can be seen"));
        assert!(told("x\n\n1 2 - cgroup2\n", "malformed\n0:\n").contains("no control groups"));
    }

    #[test]
    fn escapes_in_mountinfo_are_undone() {
        assert_eq!(unescape(r"/a\040b\134c"), Path::new(r"/a b\c"));
        assert_eq!(unescape(r"/a\04"), Path::new(r"/a\04"));
        assert_eq!(unescape(r"/a\999"), Path::new(r"/a\999"));
    }

    #[test]
    fn facts_come_out_as_they_went_in() {
        let all = CgroupFacts {
            oom_kills: Some(1),
            processes_refused: Some(2),
            cpu: Some(Duration::from_micros(3)),
            cpu_user: Some(Duration::from_micros(4)),
            peak_memory_bytes: Some(5),
        };
        let some = CgroupFacts {
            cpu: None,
            oom_kills: Some(0),
            ..all
        };
        for facts in [all, some, CgroupFacts::default()] {
            let message = facts.encode(Writer::default()).finish();
            let mut reader = Reader::new(&message);
            assert_eq!(CgroupFacts::decode(&mut reader), Ok(facts));
            assert_eq!(reader.end(), Ok(()));
            let cut = message.get(1..).unwrap();
            assert_eq!(CgroupFacts::decode(&mut Reader::new(cut)), Err(Malformed));
        }
    }

    #[test]
    fn user_mode_gets_its_share() {
        let ten = Duration::from_secs(10);
        assert_eq!(part(ten, 1, 3), ten / 4);
        assert_eq!(part(ten, 0, 3), Duration::ZERO);
        assert_eq!(part(ten, 0, 0), ten);
        assert_eq!(
            part(Duration::MAX, u64::MAX, 0),
            Duration::from_nanos(u64::MAX)
        );
    }

    /// The files of v2, as a kernel would have made them: what is written and read, not what it does.
    #[test]
    fn with_v2_every_limit_is_written_and_every_fact_read() {
        let dir = tempfile::tempdir().unwrap();
        let controllers = Controllers {
            memory: true,
            pids: true,
            cpu: true,
            cpuacct: true,
        };
        let fill = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
        let value = |name: &str| fs::read_to_string(dir.path().join(name)).unwrap();
        fill("memory.swap.max", "max");
        let limits = CellLimits {
            cpu_percent: 150,
            ..LIMITS
        };
        set_limits(Version::Two, dir.path(), controllers, &limits).unwrap();
        assert_eq!(value("memory.max"), "67108864");
        assert_eq!(value("memory.swap.max").trim_end_matches("ax"), "0");
        assert_eq!(value("pids.max"), "9");
        assert_eq!(value("cpu.max"), "150000 100000");
        // An old kernel does not have it.
        assert!(!dir.path().join("memory.oom.group").exists());

        let groups = vec![Hierarchy {
            path: dir.path().to_owned(),
            controllers,
        }];
        let group = Cgroup {
            version: Version::Two,
            groups,
        };
        assert_eq!(group.facts(), CgroupFacts::default());
        fill(
            "memory.events",
            "low 0\nhigh 0\nmax 9\noom 3\noom_kill 2\noom_group_kill 1\n",
        );
        fill("pids.events", "max 7\n");
        fill("memory.peak", "4096\n");
        fill(
            "cpu.stat",
            "usage_usec 500\nuser_usec 300\nsystem_usec 200\n",
        );
        assert_eq!(
            group.facts(),
            CgroupFacts {
                oom_kills: Some(2),
                processes_refused: Some(7),
                cpu: Some(Duration::from_micros(500)),
                cpu_user: Some(Duration::from_micros(300)),
                peak_memory_bytes: Some(4096),
            }
        );
        fill("cgroup.subtree_control", "memory");
        enable(dir.path(), &["memory"]).unwrap();
        assert_eq!(value("cgroup.subtree_control"), "memory");
        enable(dir.path(), &["memory", "pids"]).unwrap();
        assert_eq!(value("cgroup.subtree_control"), "+pids");
        assert_eq!(limit_of(dir.path()), Some("memory.max"));
        for name in ["memory.max", "pids.max", "cpu.max"] {
            fill(name, "max\n");
        }
        assert_eq!(limit_of(dir.path()), None);
    }

    /// The pid of this process.
    fn this() -> i32 {
        rustix::process::getpid().as_raw_nonzero().get()
    }

    /// The groups of a run, or that this host gives none, by name.
    pub(crate) fn groups(name: &str) -> Option<Cgroups> {
        let run = format!("coding-env-test-{name}-{}", uuid::Uuid::now_v7().simple());
        match Cgroups::find(&run, this()) {
            Ok(groups) => Some(groups),
            Err(why) => {
                eprintln!("not tested: this host lacks control groups that may be written: {why}");
                None
            }
        }
    }

    /// A shell in a group: what it is told on its standard input it runs, once it is in.
    pub(crate) fn shell(group: &Cgroup, program: &str) -> Child {
        let mut child = Command::new("python3")
            .args([
                "-I",
                "-S",
                "-c",
                "import sys\nsys.stdin.readline()\nexec(sys.argv[1])",
                program,
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        for fd in group.attach_fds().unwrap() {
            File::from(fd)
                .write_all(child.id().to_string().as_bytes())
                .unwrap();
        }
        child.stdin.take().unwrap().write_all(b"\n").unwrap();
        child
    }

    pub(crate) fn line(child: &mut Child) -> String {
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        line.trim().to_owned()
    }

    /// Removes a group whose processes have ended, which may take a moment.
    fn removed(mut group: Cgroup) {
        let until = Instant::now() + WITHIN;
        while let Err((left, error)) = group.remove() {
            assert!(Instant::now() < until, "{error}");
            std::thread::sleep(BUSY_FOR);
            group = left;
        }
    }

    #[test]
    fn memory_past_the_limit_is_a_kill_that_is_counted_and_below_it_is_none() {
        let Some(mut groups) = groups("memory") else {
            return;
        };
        for (mib, killed) in [(32, false), (256, true)] {
            let group = groups.create(&format!("{mib}"), &LIMITS).unwrap();
            assert_eq!(group.facts().oom_kills, Some(0));
            let mut child = shell(
                &group,
                &format!(
                    "x = bytearray({mib} << 20)\nfor i in range(0, len(x), 4096): x[i] = 1\nprint('done')"
                ),
            );
            assert_eq!(line(&mut child), if killed { "" } else { "done" });
            assert_eq!(child.wait().unwrap().success(), !killed);
            let facts = group.facts();
            assert_eq!(facts.oom_kills.unwrap() > 0, killed, "{facts:?}");
            let peak = facts.peak_memory_bytes.unwrap();
            assert!((32 << 20..=64 << 20).contains(&peak), "{facts:?}");
            assert!(facts.cpu.unwrap() > Duration::ZERO && facts.cpu_user <= facts.cpu);
            removed(group);
        }
        groups.close(WITHIN).unwrap();
    }

    #[test]
    fn processes_past_the_limit_are_refused_and_counted() {
        let Some(mut groups) = groups("pids") else {
            return;
        };
        let group = groups.create("1", &LIMITS).unwrap();
        // The shell stands for the reaper too, so one more than the limit, less itself, fit.
        let fork = "import os\nn = 0\ntry:\n  while n < 20:\n    if os.fork() == 0: os.read(0, 1); os._exit(0)\n    n += 1\nexcept BlockingIOError: pass\nprint(n, flush=True)\nwhile n: os.kill(0, 0); os.wait(); n -= 1";
        let mut child = shell(&group, fork);
        assert_eq!(line(&mut child), "8");
        assert_eq!(group.facts().processes_refused, Some(1));
        child.wait().unwrap();
        removed(group);
        let group = groups
            .create(
                "2",
                &CellLimits {
                    processes: 64,
                    ..LIMITS
                },
            )
            .unwrap();
        let mut child = shell(&group, fork);
        assert_eq!(line(&mut child), "20");
        child.wait().unwrap();
        assert_eq!(group.facts().processes_refused, Some(0));
        removed(group);
        groups.close(WITHIN).unwrap();
    }

    #[test]
    fn cpu_time_past_the_limit_has_to_wait() {
        let Some(mut groups) = groups("cpu") else {
            return;
        };
        if !groups.bounds_cpu() {
            eprintln!("not tested: this host lacks the controller of CPU time");
            return groups.close(WITHIN).unwrap();
        }
        let group = groups
            .create(
                "1",
                &CellLimits {
                    cpu_percent: 10,
                    ..LIMITS
                },
            )
            .unwrap();
        let mut child = shell(
            &group,
            "import time\nwhile time.process_time() < 0.2: pass\nprint(time.monotonic())",
        );
        let begun = Instant::now();
        assert_ne!(line(&mut child), "");
        // Two periods may be used whole, the first and the last; another bound than 10 % would take a fifth of this, or less.
        let (cpu, wall) = (group.facts().cpu.unwrap(), begun.elapsed());
        assert!(
            cpu >= Duration::from_millis(200) && wall >= Duration::from_millis(1200),
            "{cpu:?} in {wall:?}"
        );
        child.wait().unwrap();
        removed(group);
        groups.close(WITHIN).unwrap();
    }

    /// The rule of v2 that a group with controllers below it holds no processes, with the one controller that this kind of host leaves to v2.
    #[test]
    fn with_v2_the_server_gives_way_to_its_cells() {
        const NEEDED: [&str; 1] = ["hugetlb"];
        let mountinfo = fs::read_to_string("/proc/self/mountinfo").unwrap();
        let mounts = mounts(&mountinfo);
        let top = mounts.iter().find(|mount| mount.version == Version::Two);
        let control = |top: &Path| fs::read_to_string(top.join("cgroup.subtree_control"));
        let before = top.and_then(|mount| control(&mount.at).ok());
        let Some(top) = top
            .map(|mount| mount.at.as_path())
            .filter(|top| enable(top, &NEEDED).is_ok())
        else {
            eprintln!(
                "not tested: this host lacks control groups v2 with a controller that may be given"
            );
            return;
        };
        let own = top.join(format!(
            "coding-env-test-v2-{}",
            uuid::Uuid::now_v7().simple()
        ));
        fs::create_dir(&own).unwrap();
        // Without processes it can be used as it is, and is left for a run that the server began in its own group.
        let found = |own: &Path, top: &Path| base(own, top, &NEEDED, this()).unwrap().path;
        assert_eq!(found(&own, top), own);
        assert_eq!(found(&own.join(SERVER_GROUP), top), own);
        fs::write(own.join("cgroup.subtree_control"), "-hugetlb").unwrap();
        assert!(
            base(&own, top, &["no-such"], this())
                .unwrap_err()
                .contains("`no-such` was not given")
        );

        let controllers = Controllers {
            memory: true,
            ..Controllers::default()
        };
        let hierarchy = |path: &Path| Hierarchy {
            path: path.to_owned(),
            controllers,
        };
        let group = Cgroup {
            version: Version::Two,
            groups: vec![hierarchy(&own)],
        };
        let mut child = shell(
            &group,
            "import time\nprint(1, flush=True)\ntime.sleep(1000)",
        );
        assert_eq!(line(&mut child), "1");
        // A process of others stays where it is, and the run's go beside.
        let of = |server, top: &Path| base(&own, top, &NEEDED, server).unwrap().path;
        assert_eq!(of(0, top), top);
        assert!(!own.join(SERVER_GROUP).exists());
        // What the server has started goes with it.
        assert_eq!(of(this(), top), own);
        let moved = || fs::read_to_string(own.join(SERVER_GROUP).join("cgroup.procs")).unwrap();
        assert_eq!(moved().trim(), child.id().to_string());
        // In a container all is ours.
        fs::write(own.join("cgroup.subtree_control"), "-hugetlb").unwrap();
        fs::write(own.join("cgroup.procs"), child.id().to_string()).unwrap();
        assert_eq!(moved(), "");
        assert_eq!(of(0, &own), own);
        assert_eq!(moved().trim(), child.id().to_string());
        // A cell next to it.
        fs::create_dir(own.join("cell")).unwrap();
        assert!(own.join("cell/hugetlb.2MB.max").exists());

        child.kill().unwrap();
        child.wait().unwrap();
        remove_tree(&own, Instant::now() + WITHIN).unwrap();
        if !before.unwrap_or_default().contains("hugetlb") {
            fs::write(top.join("cgroup.subtree_control"), "-hugetlb").unwrap();
        }
    }

    #[test]
    fn a_run_ends_with_its_groups_and_one_that_was_killed_is_removed_by_name() {
        let Some(mut made) = groups("end") else {
            return;
        };
        let paths: Vec<PathBuf> = made
            .parents
            .iter()
            .map(|parent| parent.path.clone())
            .collect();
        let there = |paths: &[PathBuf]| paths.iter().filter(|path| path.exists()).count();
        let busy = made.create("1", &LIMITS).unwrap();
        made.create("2", &LIMITS).unwrap();
        // A name that is taken is refused, and nothing of the attempt stays.
        let error = made.create("1", &LIMITS).unwrap_err();
        assert!(error.to_string().contains("File exists"), "{error}");
        let mut child = shell(&busy, "import time\nprint(1, flush=True)\ntime.sleep(1000)");
        assert_eq!(line(&mut child), "1");
        let (busy, error) = busy.remove().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ResourceBusy, "{error}");
        let run = paths
            .first()
            .and_then(|path| path.file_name())
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        assert!(
            remove_run(&run, Duration::ZERO)
                .unwrap_err()
                .contains("busy")
        );
        child.kill().unwrap();
        child.wait().unwrap();
        drop(busy);
        assert!(there(&paths) >= 2);
        made.close(WITHIN).unwrap();
        assert_eq!(there(&paths), 0);

        let Some(mut made) = groups("killed") else {
            return;
        };
        let paths: Vec<PathBuf> = made
            .parents
            .iter()
            .map(|parent| parent.path.clone())
            .collect();
        made.create(
            "1",
            &CellLimits {
                cpu_percent: 50,
                ..LIMITS
            },
        )
        .unwrap();
        let run = paths
            .first()
            .and_then(|path| path.file_name())
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        drop(made);
        remove_run(&run, WITHIN).unwrap();
        assert_eq!(there(&paths), 0);
        remove_run(&run, WITHIN).unwrap();
    }
}
