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
    let mut found = vec![root];
    let mut next = 0;
    while let Some(pid) = found.get(next).copied() {
        next += 1;
        if found.len() < WALK_MAX {
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

/// Whether a process is there and has not ended.
pub(crate) fn runs(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"));
    let state = stat
        .ok()
        .and_then(|stat| stat.rsplit_once(')')?.1.trim_start().chars().next());
    state.is_some_and(|state| !matches!(state, 'Z' | 'X'))
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

/// The longest way up that [`top`] goes. Processes further down are not found to be below.
pub(crate) const DEPTH_MAX: usize = 64;
/// How often it looks again because a parent has ended meanwhile.
const LOOKS_MAX: usize = 4;

/// The child of another process, `above`, which was not reaped, that a process is or descends from, by what tells a process's parent. None: it does not descend from that.
///
/// The way up is gone twice, the second time downwards: a process that had the same parent both times had it in between, so that the
/// parent's number was nobody else's when its own parent was looked at.
pub(crate) fn top(process: i32, above: i32, parent: impl Fn(i32) -> Option<i32>) -> Option<i32> {
    let way = || {
        let mut way = vec![process];
        for _ in 0..DEPTH_MAX {
            let next = parent(*way.last()?)?;
            if next <= 1 {
                return None;
            }
            way.push(next);
            if next == above {
                return Some(way);
            }
        }
        None
    };
    for _ in 0..LOOKS_MAX {
        let way = way()?;
        let mut links = way.iter().zip(way.iter().skip(1)).rev();
        if links.all(|(below, next)| parent(*below) == Some(*next)) {
            let [.., top, _] = way[..] else { return None };
            return Some(top);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::HashMap;

    use super::*;

    const REAPER: i32 = 100;

    #[test]
    fn a_cell_is_what_descends_from_its_reaper() {
        let parents = HashMap::from([
            (101, REAPER),
            (102, 101),
            (103, 102),
            (REAPER, 50),
            (50, 1),
            (201, 200),
            (200, 50),
            // What a namespace's outside looks like.
            (300, 0),
        ]);
        let top = |process| top(process, REAPER, |process| parents.get(&process).copied());
        for process in [101, 102, 103] {
            assert_eq!(top(process), Some(101), "{process}");
        }
        for process in [REAPER, 50, 1, 200, 201, 300, 999] {
            assert_eq!(top(process), None, "{process}");
        }
    }

    #[test]
    fn a_way_up_has_a_bound() {
        let deep = |process: i32| Some(if process == 1001 { REAPER } else { process - 1 });
        let last = 1000 + i32::try_from(DEPTH_MAX).unwrap();
        assert!(top(last, REAPER, deep).is_some());
        assert_eq!(top(last + 1, REAPER, deep), None);
        // A ring is no way at all.
        assert_eq!(top(7, REAPER, |process| Some(15 - process)), None);
    }

    #[test]
    fn a_parents_number_that_became_somebody_elses_leads_nowhere() {
        // 201 is of another cell. Its parent 102 ended when its own parent was to be looked at, and a process of this cell has that number
        // now; 201 is its reaper's.
        let asked = RefCell::new(Vec::new());
        let parent = |process: i32| {
            let first = !asked.borrow().contains(&process);
            asked.borrow_mut().push(process);
            match process {
                201 if first => Some(102),
                201 => Some(200),
                102 => Some(REAPER),
                200 => Some(50),
                50 => Some(1),
                _ => None,
            }
        };
        assert_eq!(top(201, REAPER, parent), None);
        // One of this cell whose parent has ended is found at the second look.
        asked.borrow_mut().clear();
        let parent = |process: i32| {
            let first = !asked.borrow().contains(&process);
            asked.borrow_mut().push(process);
            match process {
                103 if first => Some(102),
                103 | 102 => Some(REAPER),
                _ => None,
            }
        };
        assert!(top(103, REAPER, parent).is_some());
    }
}
