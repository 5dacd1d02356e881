//! The system calls with which the [probe](super::probe) tries things, and that no library wraps as it needs them. All are for a process
//! with one thread, which the probe and its children are.
#![expect(
    unsafe_code,
    reason = "each block is one call and says why it is sound"
)]

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};

/// What a call that answers with a number or -1 has said.
fn checked(result: libc::c_long) -> io::Result<libc::c_long> {
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(result)
    }
}

fn pid(result: libc::c_long) -> io::Result<Option<i32>> {
    let pid = i32::try_from(checked(result)?).map_err(io::Error::other)?;
    Ok((pid > 0).then_some(pid))
}

/// Forks: the child's pid, or None in the child.
pub(super) fn fork() -> io::Result<Option<i32>> {
    // SAFETY: there is one thread, so no lock is held by one that the child lacks.
    pid(unsafe { libc::fork() }.into())
}

/// Starts a process that is a child of this one's parent: clone(2) with CLONE_PARENT. The child may make system calls and exit, no more.
pub(super) fn fork_sibling() -> io::Result<Option<i32>> {
    let flags = libc::c_long::from(libc::CLONE_PARENT | libc::SIGCHLD);
    // SAFETY: without CLONE_VM and with a stack of 0 this is a fork; all else that it could write to is absent.
    pid(unsafe { libc::syscall(libc::SYS_clone, flags, 0_usize, 0_usize, 0_usize, 0_usize) })
}

/// Ends this process at once, without running what is registered to run at its end.
pub(super) fn exit(code: i32) -> ! {
    // SAFETY: it does not return, and touches no memory.
    unsafe { libc::_exit(code) }
}

/// Enters new namespaces, `CLONE_NEW*`: unshare(2).
pub(super) fn unshare(namespaces: i32) -> io::Result<()> {
    let known = libc::CLONE_NEWUSER
        | libc::CLONE_NEWPID
        | libc::CLONE_NEWNS
        | libc::CLONE_NEWIPC
        | libc::CLONE_NEWUTS
        | libc::CLONE_NEWNET;
    // SAFETY: namespaces only; what would unshare memory or descriptors is masked out.
    checked(unsafe { libc::unshare(namespaces & known) }.into()).map(drop)
}

/// mount(2).
pub(super) fn mount(
    source: &CStr,
    target: &CStr,
    kind: &CStr,
    flags: libc::c_ulong,
    data: &CStr,
) -> io::Result<()> {
    // SAFETY: all are strings that live until it returns.
    let result = unsafe {
        libc::mount(
            source.as_ptr(),
            target.as_ptr(),
            kind.as_ptr(),
            flags,
            data.as_ptr().cast(),
        )
    };
    checked(result.into()).map(drop)
}

/// Takes a mount out of this mount namespace, even when it is in use: umount2(2).
pub(super) fn detach(target: &CStr) -> io::Result<()> {
    // SAFETY: a string that lives until it returns.
    checked(unsafe { libc::umount2(target.as_ptr(), libc::MNT_DETACH) }.into()).map(drop)
}

/// pivot_root(2).
pub(super) fn pivot_root(root: &CStr, old: &CStr) -> io::Result<()> {
    // SAFETY: both are strings that live until it returns.
    checked(unsafe { libc::syscall(libc::SYS_pivot_root, root.as_ptr(), old.as_ptr()) }).map(drop)
}

/// Takes one uid and gid, and no other groups, for good.
pub(super) fn become_user(uid: u32) -> io::Result<()> {
    // SAFETY: no group is read from the address.
    checked(unsafe { libc::setgroups(0, std::ptr::null()) }.into())?;
    // SAFETY: numbers only.
    checked(unsafe { libc::setresgid(uid, uid, uid) }.into())?;
    // SAFETY: numbers only.
    checked(unsafe { libc::setresuid(uid, uid, uid) }.into()).map(drop)
}

/// Closes every descriptor from one on: close_range(2).
pub(super) fn close_from(first: OwnedFd) -> io::Result<()> {
    use std::os::fd::IntoRawFd as _;
    let first = first.into_raw_fd();
    // SAFETY: the caller is a child that uses no descriptor above the one that it gave away.
    let result = unsafe { libc::syscall(libc::SYS_close_range, first, u32::MAX, 0) };
    checked(result).map(drop)
}

/// The Landlock ABI: landlock_create_ruleset(2) with LANDLOCK_CREATE_RULESET_VERSION.
pub(super) fn landlock_abi() -> io::Result<u32> {
    // SAFETY: with this flag nothing is read from the address.
    let abi = unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, 0_usize, 0_usize, 1) };
    u32::try_from(checked(abi)?).map_err(io::Error::other)
}

/// `struct landlock_ruleset_attr` of linux/landlock.h, ABI 6.
#[repr(C)]
struct RulesetAttributes {
    files: u64,
    network: u64,
    scopes: u64,
}

/// Enters a Landlock domain without a rule: none of these accesses to files is allowed (LANDLOCK_ACCESS_FS_*), and what it scopes stays inside
/// (LANDLOCK_SCOPE_*; 0 below ABI 6).
pub(super) fn enter_domain(files: u64, scopes: u64) -> io::Result<()> {
    const FILES_ONLY: usize = size_of::<u64>();
    let attributes = RulesetAttributes {
        files,
        network: 0,
        scopes,
    };
    let size = if scopes == 0 {
        FILES_ONLY
    } else {
        size_of::<RulesetAttributes>()
    };
    // SAFETY: the address of a live local, and no more of it than it has.
    let ruleset = unsafe {
        libc::syscall(
            libc::SYS_landlock_create_ruleset,
            &raw const attributes,
            size,
            0,
        )
    };
    let ruleset = i32::try_from(checked(ruleset)?).map_err(io::Error::other)?;
    // SAFETY: a new descriptor that nobody else owns.
    let ruleset = unsafe { OwnedFd::from_raw_fd(ruleset) };
    // SAFETY: a descriptor that is open; no memory is passed.
    let result = unsafe { libc::syscall(libc::SYS_landlock_restrict_self, ruleset.as_raw_fd(), 0) };
    checked(result).map(drop)
}

/// Installs a filter that gives `verdict` (SECCOMP_RET_*) for one call and allows all else: seccomp(2). With `listen`, gives the descriptor
/// where calls wait for their answer.
pub(super) fn filter(
    call: libc::c_long,
    verdict: u32,
    listen: bool,
) -> io::Result<Option<OwnedFd>> {
    /// SECCOMP_FILTER_FLAG_NEW_LISTENER and SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (Linux 5.19), as a worker installs its filter.
    const LISTEN: libc::c_ulong = 1 << 3 | 1 << 5;
    /// The code of BPF_LD | BPF_W | BPF_ABS, which loads a word of `struct seccomp_data`; the call's number is the first.
    const LOAD: u16 = 0x20;
    /// BPF_JMP | BPF_JEQ | BPF_K.
    const JUMP_IF_EQUAL: u16 = 0x15;
    /// BPF_RET | BPF_K.
    const RETURN: u16 = 0x06;
    let instruction = |code, jt, jf, k| libc::sock_filter { code, jt, jf, k };
    let number = u32::try_from(call).map_err(io::Error::other)?;
    let mut instructions = [
        instruction(LOAD, 0, 0, 0),
        instruction(JUMP_IF_EQUAL, 0, 1, number),
        instruction(RETURN, 0, 0, verdict),
        instruction(RETURN, 0, 0, libc::SECCOMP_RET_ALLOW),
    ];
    let program = libc::sock_fprog {
        len: 4,
        filter: instructions.as_mut_ptr(),
    };
    let flags = if listen { LISTEN } else { 0 };
    // SAFETY: the program and its instructions live until it returns, and it has as many as it says.
    let result = unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::c_ulong::from(libc::SECCOMP_SET_MODE_FILTER),
            flags,
            &raw const program,
        )
    };
    let result = checked(result)?;
    if !listen {
        return Ok(None);
    }
    let fd = i32::try_from(result).map_err(io::Error::other)?;
    // SAFETY: a new descriptor that nobody else owns.
    Ok(Some(unsafe { OwnedFd::from_raw_fd(fd) }))
}

/// getppid(2), as a call that a filter sees, with what the filter makes of it.
pub(super) fn getppid() -> io::Result<i64> {
    // SAFETY: no arguments, no memory.
    checked(unsafe { libc::syscall(libc::SYS_getppid) })
}

/// setfsuid(2) with a uid that can't be, which so changes nothing, with what a filter makes of it.
pub(super) fn setfsuid() -> io::Result<i64> {
    // SAFETY: a number; no memory.
    checked(unsafe { libc::syscall(libc::SYS_setfsuid, -1) })
}

/// Sets the loopback interface of this network namespace up, through any socket: netdevice(7).
pub(super) fn loopback_up(socket: BorrowedFd<'_>) -> io::Result<()> {
    // `struct ifreq`: the name (16 bytes), then, here, the flags (2 bytes) of a union of 24.
    let mut request = [0_u8; 40];
    let flags = libc::IFF_UP | libc::IFF_RUNNING;
    let flags = u16::try_from(flags)
        .map_err(io::Error::other)?
        .to_ne_bytes();
    for (at, byte) in b"lo".iter().enumerate().chain((16..).zip(&flags)) {
        if let Some(place) = request.get_mut(at) {
            *place = *byte;
        }
    }
    // SAFETY: the address of a live local of the size of `struct ifreq`.
    let result = unsafe {
        libc::ioctl(
            socket.as_raw_fd(),
            libc::SIOCSIFFLAGS as _,
            &raw mut request,
        )
    };
    checked(result.into()).map(drop)
}

/// Waits until a signal ends this process.
pub(super) fn sleep_for_ever() -> ! {
    loop {
        // SAFETY: no arguments, no memory.
        unsafe { libc::pause() };
    }
}
