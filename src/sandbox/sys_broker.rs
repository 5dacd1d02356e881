//! The system calls of the [signal broker](super::broker): a filter's listener (seccomp_unotify(2)), and signals.
#![expect(
    unsafe_code,
    reason = "each block is one call and says why it is sound"
)]

use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd};

/// SECCOMP_IOCTL_NOTIF_RECV: _IOWR('!', 0, struct seccomp_notif).
const RECEIVE: libc::c_ulong = 0xc050_2100;
/// SECCOMP_IOCTL_NOTIF_SEND: _IOWR('!', 1, struct seccomp_notif_resp).
const SEND: libc::c_ulong = 0xc018_2101;
/// SECCOMP_IOCTL_NOTIF_ID_VALID: _IOW('!', 2, __u64).
const ID_VALID: libc::c_ulong = 0x4008_2102;
/// SECCOMP_USER_NOTIF_FLAG_CONTINUE.
const CONTINUE: u32 = 1;

/// A call that waits for its answer: `struct seccomp_notif` of linux/seccomp.h.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Notification {
    pub(super) id: u64,
    /// The thread that made it, in the numbering of whoever receives this.
    pub(super) thread: i32,
    flags: u32,
    pub(super) number: i32,
    architecture: u32,
    instruction: u64,
    pub(super) arguments: [u64; 6],
}

/// `struct seccomp_notif_resp` of linux/seccomp.h.
#[repr(C)]
struct Response {
    id: u64,
    value: i64,
    error: i32,
    flags: u32,
}

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// It is not made, and this is its result.
    Value(i64),
    /// It is not made, and fails with this errno.
    Errno(i32),
    /// The kernel makes it, with the registers that the notification told: no other process can change those of a caller that waits.
    Run,
}

fn checked(result: libc::c_long) -> io::Result<()> {
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}

/// Takes a call that waits at a listener; waits for one when there is none. An error of kind `NotFound` when the caller has gone.
pub(super) fn receive(listener: BorrowedFd<'_>) -> io::Result<Notification> {
    // The kernel refuses one that is not all zeros.
    let mut notification = Notification::default();
    // SAFETY: the address of a live local of the size that the request's number tells.
    let result = unsafe { libc::ioctl(listener.as_raw_fd(), RECEIVE as _, &raw mut notification) };
    checked(result.into())?;
    Ok(notification)
}

/// Answers a call. An error of kind `NotFound` when the caller has gone.
pub(super) fn answer(listener: BorrowedFd<'_>, id: u64, answer: Answer) -> io::Result<()> {
    let (value, error, flags) = match answer {
        Answer::Value(value) => (value, 0, 0),
        Answer::Errno(errno) => (0, errno.saturating_neg(), 0),
        Answer::Run => (0, 0, CONTINUE),
    };
    let mut response = Response {
        id,
        value,
        error,
        flags,
    };
    // SAFETY: the address of a live local of the size that the request's number tells.
    let result = unsafe { libc::ioctl(listener.as_raw_fd(), SEND as _, &raw mut response) };
    checked(result.into())
}

/// SECCOMP_IOCTL_NOTIF_ADDFD: _IOW('!', 3, struct seccomp_notif_addfd).
const ADD: libc::c_ulong = 0x4018_2103;
/// SECCOMP_ADDFD_FLAG_SETFD.
const AT_NUMBER: u32 = 1;

/// `struct seccomp_notif_addfd` of linux/seccomp.h.
#[repr(C)]
struct Descriptor {
    id: u64,
    flags: u32,
    from: u32,
    to: u32,
    to_flags: u32,
}

/// Gives a call's caller a descriptor, under this number, in place of what is there, or under a free one. Returns the number. An error of kind `NotFound`
/// when the caller has gone.
pub(super) fn add_descriptor(
    listener: BorrowedFd<'_>,
    id: u64,
    descriptor: BorrowedFd<'_>,
    number: Option<u32>,
    cloexec: bool,
) -> io::Result<u32> {
    let mut add = Descriptor {
        id,
        flags: if number.is_some() { AT_NUMBER } else { 0 },
        from: descriptor.as_raw_fd().cast_unsigned(),
        to: number.unwrap_or(0),
        to_flags: if cloexec {
            libc::O_CLOEXEC.cast_unsigned()
        } else {
            0
        },
    };
    // SAFETY: the address of a live local of the size that the request's number tells.
    let result = unsafe { libc::ioctl(listener.as_raw_fd(), ADD as _, &raw mut add) };
    checked(result.into())?;
    u32::try_from(result).map_err(io::Error::other)
}

/// Whether a call's caller still waits.
pub(super) fn still_waits(listener: BorrowedFd<'_>, id: u64) -> bool {
    let mut id = id;
    // SAFETY: the address of a live local of the size that the request's number tells.
    let result = unsafe { libc::ioctl(listener.as_raw_fd(), ID_VALID as _, &raw mut id) };
    result == 0
}

/// Signals the process that a descriptor is of, also with 0, which only asks: pidfd_send_signal(2).
pub(super) fn signal_process(process: BorrowedFd<'_>, signal: i32) -> io::Result<()> {
    // SAFETY: numbers; no details of the signal are passed.
    checked(unsafe {
        libc::syscall(
            libc::SYS_pidfd_send_signal,
            process.as_raw_fd(),
            signal,
            0_usize,
            0_u32,
        )
    })
}

/// Signals one thread of a process: tgkill(2).
pub(super) fn signal_thread(process: i32, thread: i32, signal: i32) -> io::Result<()> {
    // SAFETY: numbers only.
    checked(unsafe { libc::syscall(libc::SYS_tgkill, process, thread, signal) })
}
