//! What descends from a process, as /proc tells it.

use std::fs;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::sys::{self, Wait};

/// The most processes that one walk looks at: more than pid_max allows by default.
const WALK_MAX: usize = 100_000;

/// The children of a process, of all its threads. Needs CONFIG_PROC_CHILDREN, which distributions set; without it, all
/// processes are searched.
pub(crate) fn children(pid: i32) -> Vec<i32> {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else {
        return Vec::new();
    };
    let mut children = Vec::new();
    for thread in threads.flatten() {
        match fs::read_to_string(thread.path().join("children")) {
            Ok(list) => children.extend(
                list.split_whitespace()
                    .filter_map(|pid| pid.parse::<i32>().ok()),
            ),
            Err(_) if !fs::exists("/proc/self/task/self/children").unwrap_or(false) => {
                return children_by_search(pid);
            }
            Err(_) => {} // the thread has ended
        }
    }
    children
}

fn children_by_search(parent: i32) -> Vec<i32> {
    let Ok(processes) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    processes
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok())
        .filter(|pid| stat_field(*pid, 1) == Some(parent))
        .collect()
}

/// A field of /proc/PID/stat, counted from the state, which is 0 (the third of proc(5)).
fn stat_field(pid: i32, field: usize) -> Option<i32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_whitespace().nth(field)?.parse().ok()
}

/// Everything that descends from a process, itself first.
pub(crate) fn tree(root: i32) -> Vec<i32> {
    tree_up_to(root, WALK_MAX)
}

/// What descends from a process, itself first; no further once there are `most`.
pub(crate) fn tree_up_to(root: i32, most: usize) -> Vec<i32> {
    let mut found = vec![root];
    let mut next = 0;
    while let Some(pid) = found.get(next).copied() {
        next += 1;
        if found.len() < most {
            found.extend(children(pid));
        }
    }
    found
}

/// Sends a signal. A process that has gone is no error: that is what most callers want of it.
pub(crate) fn signal(pid: i32, signal: Signal) {
    if let Some(pid) = Pid::from_raw(pid)
        && let Err(error) = kill_process(pid, signal)
        && error != rustix::io::Errno::SRCH
    {
        tracing::warn!(pid = pid.as_raw_nonzero().get(), %error, "could not send a signal");
    }
}

/// Kills and reaps everything below this process, which must be a subreaper and may start no process meanwhile: a child that another
/// of its threads waits for is reaped here all the same. Returns whether all is gone.
pub(crate) fn kill_all(within: Duration) -> bool {
    const PAUSE: Duration = Duration::from_millis(1);
    let deadline = Instant::now() + within;
    let Ok(this) = i32::try_from(std::process::id()) else {
        return false;
    };
    loop {
        for child in children(this) {
            signal(child, Signal::KILL);
        }
        loop {
            match sys::reap() {
                Ok(Wait::Ended(_)) => {}
                Ok(Wait::NoneEnded) => break,
                Ok(Wait::NoChildren) => return true,
                Err(_) => return false,
            }
        }
        if Instant::now() >= deadline {
            return false;
        }
        // Orphans of what was killed arrive a moment later; nothing tells when the last one has.
        std::thread::sleep(PAUSE);
    }
}

/// The parent of a process.
pub(crate) fn parent(pid: i32) -> Option<i32> {
    stat_field(pid, 1)
}

/// The process group of a process.
pub(crate) fn group(pid: i32) -> Option<i32> {
    stat_field(pid, 2)
}

/// The process that a thread belongs to, by the thread's number or its own.
pub(crate) fn leader(thread: i32) -> Option<i32> {
    let status = fs::read_to_string(format!("/proc/{thread}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("Tgid:"))?;
    line.trim().parse().ok()
}
