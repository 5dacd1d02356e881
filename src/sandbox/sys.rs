//! The system calls that no library wraps as we need them. The only file of the crate with `unsafe` in it, beside the harness's
//! native half.
#![expect(
    unsafe_code,
    reason = "each block is one call and says why it is sound"
)]

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{FromRawFd as _, OwnedFd};
use std::time::Duration;

use super::order::{ExitStatus, ProcessUsage};

/// Blocks SIGCHLD in this thread and returns a non-blocking descriptor that is readable when a child has ended: signalfd(2).
/// For a process with one thread.
pub(crate) fn child_signals() -> io::Result<OwnedFd> {
    let mut set = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: initialises the set it is given.
    unsafe { libc::sigemptyset(set.as_mut_ptr()) };
    // SAFETY: the set was initialised above.
    unsafe { libc::sigaddset(set.as_mut_ptr(), libc::SIGCHLD) };
    // SAFETY: a valid set; no old one is asked for.
    if unsafe { libc::sigprocmask(libc::SIG_BLOCK, set.as_ptr(), std::ptr::null_mut()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: a valid set; -1 asks for a new descriptor.
    let fd = unsafe { libc::signalfd(-1, set.as_ptr(), libc::SFD_CLOEXEC | libc::SFD_NONBLOCK) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: a new descriptor that nobody else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// A child that has ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reaped {
    pub(crate) pid: i32,
    pub(crate) status: ExitStatus,
    pub(crate) usage: ProcessUsage,
}

/// Whether there are children.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Wait {
    Ended(Reaped),
    NoneEnded,
    NoChildren,
}

/// Reaps one child that has ended, without waiting for one: wait4(2).
pub(crate) fn reap() -> io::Result<Wait> {
    let mut status = 0;
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: both addresses are of live locals of the right type.
    let pid = unsafe { libc::wait4(-1, &raw mut status, libc::WNOHANG, usage.as_mut_ptr()) };
    if pid < 0 {
        let error = io::Error::last_os_error();
        return if error.raw_os_error() == Some(libc::ECHILD) {
            Ok(Wait::NoChildren)
        } else {
            Err(error)
        };
    }
    if pid == 0 {
        return Ok(Wait::NoneEnded);
    }
    // SAFETY: all zeros is a valid rusage, and the kernel has filled it.
    let usage = unsafe { usage.assume_init() };
    let status = ExitStatus::from_wait(status);
    let usage = ProcessUsage {
        cpu_user: duration(usage.ru_utime),
        cpu_system: duration(usage.ru_stime),
        peak_memory_bytes: u64::try_from(usage.ru_maxrss)
            .unwrap_or(0)
            .saturating_mul(1024),
        minor_page_faults: u64::try_from(usage.ru_minflt).unwrap_or(0),
        major_page_faults: u64::try_from(usage.ru_majflt).unwrap_or(0),
    };
    Ok(Wait::Ended(Reaped { pid, status, usage }))
}

fn duration(time: libc::timeval) -> Duration {
    let micros = u32::try_from(time.tv_usec).unwrap_or(0);
    Duration::new(
        u64::try_from(time.tv_sec).unwrap_or(0),
        micros.saturating_mul(1000),
    )
}

/// Clock ids of other processes: MAKE_PROCESS_CPUCLOCK of include/linux/posix-timers_types.h.
const CPUCLOCK_PROF: i32 = 0;
const CPUCLOCK_VIRT: i32 = 1;
const CPUCLOCK_SCHED: i32 = 2;

fn process_clock(pid: i32, clock: i32) -> Option<Duration> {
    // More bits than a pid can have (PID_MAX_LIMIT is 2^22) would make another clock of it.
    if !(1..1 << 28).contains(&pid) {
        return None;
    }
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the address of a live local of the right type; an unknown clock is an error.
    let result = unsafe { libc::clock_gettime((!pid << 3) | clock, &raw mut time) };
    let seconds = u64::try_from(time.tv_sec).ok()?;
    (result == 0).then(|| Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or(0)))
}

/// The exact CPU time of a process, all threads, user mode and kernel together. None when there is no such process.
pub(crate) fn cpu_time(pid: i32) -> Option<Duration> {
    process_clock(pid, CPUCLOCK_SCHED)
}

/// What part of its CPU time a process has spent in user mode, 0.0 to 1.0, as the kernel samples it at its clock's ticks. Scaling the
/// exact total by it is what getrusage(2) does (`cputime_adjust` of kernel/sched/cputime.c).
pub(crate) fn user_part(pid: i32) -> Option<f64> {
    let user = process_clock(pid, CPUCLOCK_VIRT)?;
    let sampled = process_clock(pid, CPUCLOCK_PROF)?;
    // Without any sample, or none in the kernel, all counts as user mode.
    Some(if sampled == user {
        1.0
    } else {
        (user.as_secs_f64() / sampled.as_secs_f64()).clamp(0.0, 1.0)
    })
}

/// Sends a signal with a value: sigqueue(3). A process that has gone is no error. When too many signals wait in all (RLIMIT_SIGPENDING), one whose value is 0 is
/// sent without, as kill(2) does.
pub(crate) fn signal_with_value(pid: i32, signal: i32, number: u64) -> io::Result<()> {
    let value = libc::sigval {
        sival_ptr: std::ptr::without_provenance_mut(usize::try_from(number).unwrap_or(0)),
    };
    // SAFETY: numbers only: the value is never used as an address.
    let mut result = unsafe { libc::sigqueue(pid, signal, value) };
    if result != 0 && io::Error::last_os_error().raw_os_error() == Some(libc::EAGAIN) && number == 0
    {
        // SAFETY: numbers only.
        result = unsafe { libc::kill(pid, signal) };
    }
    if result == 0 {
        return Ok(());
    }
    match io::Error::last_os_error() {
        error if error.raw_os_error() == Some(libc::ESRCH) => Ok(()),
        error => Err(error),
    }
}

/// Starts a copy of this process that does one thing and ends: fork(2). It is killed when this process ends. Returns its pid. For a process with one
/// thread: there the child may do what any process may.
pub(crate) fn start_copy(action: impl FnOnce()) -> io::Result<i32> {
    // SAFETY: a fork of a process with one thread holds no lock of another.
    let pid = unsafe { libc::fork() };
    if pid < 0 {
        return Err(io::Error::last_os_error());
    }
    if pid > 0 {
        return Ok(pid);
    }
    // SAFETY: numbers only.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
    let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(action));
    // SAFETY: a number; it does not return, and nothing of the parent's is flushed or freed twice.
    unsafe { libc::_exit(i32::from(done.is_err())) }
}

/// Has a command do something in the child, after its standard streams are set and before it executes. For a process with one thread: there the
/// child may do what any process may.
pub(crate) fn before_exec(
    command: &mut std::process::Command,
    action: impl FnMut() -> io::Result<()> + Send + Sync + 'static,
) {
    use std::os::unix::process::CommandExt as _;
    // SAFETY: a fork of a process with one thread holds no lock of another.
    unsafe { command.pre_exec(action) };
}

/// Enters a new user namespace as its root, with this process's own ids for it: user_namespaces(7). For a process with one thread.
pub(crate) fn enter_user_namespace() -> io::Result<()> {
    let (uid, gid) = (rustix::process::geteuid(), rustix::process::getegid());
    // SAFETY: numbers only.
    if unsafe { libc::unshare(libc::CLONE_NEWUSER) } != 0 {
        return Err(io::Error::last_os_error());
    }
    let write = |name: &str, text: String| {
        let path = format!("/proc/self/{name}");
        std::fs::write(&path, text)
            .map_err(|error| io::Error::new(error.kind(), format!("writing {path}: {error}")))
    };
    write("setgroups", "deny".to_owned())?;
    write("uid_map", format!("0 {} 1\n", uid.as_raw()))?;
    write("gid_map", format!("0 {} 1\n", gid.as_raw()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_of_a_process_grows_while_it_works_and_is_none_for_nobody() {
        let pid = i32::try_from(std::process::id()).unwrap();
        let before = cpu_time(pid).unwrap();
        let mut sum = 0_u64;
        while cpu_time(pid).unwrap() < before + Duration::from_millis(5) {
            sum = std::hint::black_box(sum + 1);
        }
        assert!(user_part(pid).is_some_and(|part| (0.0..=1.0).contains(&part)));
        assert_eq!((cpu_time(i32::MAX), user_part(i32::MAX)), (None, None));
    }
}
