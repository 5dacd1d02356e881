//! The raw system calls of the walls that no library wraps: the system call filter and Landlock.
#![expect(
    unsafe_code,
    reason = "each block is one call and says why it is sound"
)]

use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};

use rustix::thread::UnshareFlags;

/// The result of a raw system call.
fn result(value: libc::c_long) -> io::Result<libc::c_long> {
    if value < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(value)
    }
}

/// Leaves namespaces for new ones: unshare(2), for a process with one thread. `UnshareFlags::FILES` is not for this.
pub(super) fn unshare(flags: UnshareFlags) -> io::Result<()> {
    debug_assert!(!flags.contains(UnshareFlags::FILES));
    // SAFETY: only a descriptor table of its own could break what a borrowed descriptor promises.
    Ok(unsafe { rustix::thread::unshare_unsafe(flags) }?)
}

// === seccomp ===

/// Puts this thread, and all that it starts, under a filter for good: seccomp(2). `filter` is `struct sock_filter[]`. The thread must have
/// no_new_privs or CAP_SYS_ADMIN.
#[cfg(test)]
pub(super) fn install_filter(filter: &[u8]) -> io::Result<()> {
    let instructions: Vec<libc::sock_filter> = filter
        .chunks_exact(size_of::<libc::sock_filter>())
        .filter_map(|bytes| {
            let [code0, code1, jt, jf, k @ ..] = *bytes.first_chunk::<8>()?;
            Some(libc::sock_filter {
                code: u16::from_le_bytes([code0, code1]),
                jt,
                jf,
                k: u32::from_le_bytes(k),
            })
        })
        .collect();
    let program = libc::sock_fprog {
        len: u16::try_from(instructions.len()).map_err(io::Error::other)?,
        filter: instructions.as_ptr().cast_mut(),
    };
    // SAFETY: the program and its instructions live until the call has returned; the kernel only reads them.
    result(unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_SET_MODE_FILTER,
            0,
            &raw const program,
        )
    })
    .map(drop)
}

// === Landlock ===

/// `struct landlock_ruleset_attr` of linux/landlock.h, as of ABI 6.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct RulesetAttributes {
    /// LANDLOCK_ACCESS_FS_*: what is denied unless a rule allows it.
    pub(super) files: u64,
    /// LANDLOCK_ACCESS_NET_*, from ABI 4.
    pub(super) network: u64,
    /// LANDLOCK_SCOPE_*, from ABI 6.
    pub(super) scoped: u64,
}

/// `struct landlock_path_beneath_attr`: packed.
#[repr(C, packed)]
struct PathBeneath {
    access: u64,
    parent: i32,
}

#[cfg(test)]
const LANDLOCK_CREATE_RULESET_VERSION: u32 = 1;
const LANDLOCK_RULE_PATH_BENEATH: u32 = 1;

/// The version of Landlock that the kernel speaks, from 1. An error where it has none.
#[cfg(test)]
pub(super) fn landlock_abi() -> io::Result<u32> {
    // SAFETY: with this flag the call takes no structure.
    let abi = result(unsafe {
        libc::syscall(
            libc::SYS_landlock_create_ruleset,
            std::ptr::null::<RulesetAttributes>(),
            0_usize,
            LANDLOCK_CREATE_RULESET_VERSION,
        )
    })?;
    u32::try_from(abi).map_err(io::Error::other)
}

/// A new ruleset without rules. `size` is how much of the structure the ABI has, in bytes.
pub(super) fn create_ruleset(attributes: &RulesetAttributes, size: usize) -> io::Result<OwnedFd> {
    let size = size.min(size_of::<RulesetAttributes>());
    // SAFETY: the structure lives until the call has returned and is at least `size` long; the kernel only reads it.
    let fd = result(unsafe {
        libc::syscall(
            libc::SYS_landlock_create_ruleset,
            std::ptr::from_ref(attributes),
            size,
            0_u32,
        )
    })?;
    let fd = i32::try_from(fd).map_err(io::Error::other)?;
    // SAFETY: a new descriptor that nobody else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Allows `access` to a file, or to a directory and all beneath it.
pub(super) fn allow_beneath(
    ruleset: BorrowedFd<'_>,
    path: BorrowedFd<'_>,
    access: u64,
) -> io::Result<()> {
    let rule = PathBeneath {
        access,
        parent: path.as_raw_fd(),
    };
    // SAFETY: the structure lives until the call has returned; the kernel only reads it.
    result(unsafe {
        libc::syscall(
            libc::SYS_landlock_add_rule,
            ruleset.as_raw_fd(),
            LANDLOCK_RULE_PATH_BENEATH,
            &raw const rule,
            0_u32,
        )
    })
    .map(drop)
}

/// Puts this thread, and all that it starts, in a new domain of the ruleset for good. It must have no_new_privs or CAP_SYS_ADMIN.
#[cfg(test)]
pub(super) fn restrict_self(ruleset: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: takes numbers only.
    result(unsafe { libc::syscall(libc::SYS_landlock_restrict_self, ruleset.as_raw_fd(), 0_u32) })
        .map(drop)
}

/// Has a child of a test do something between fork and exec. Child and parent may have other threads, so what it does may lean on no lock
/// but those of memory allocation, which glibc mends.
#[cfg(test)]
pub(super) fn before_exec(
    command: &mut std::process::Command,
    setup: impl FnMut() -> io::Result<()> + Send + Sync + 'static,
) {
    use std::os::unix::process::CommandExt as _;
    // SAFETY: the setups of these tests make system calls and allocate.
    unsafe { command.pre_exec(setup) };
}
