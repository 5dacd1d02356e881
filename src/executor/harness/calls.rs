//! System calls and messages to the warden, for the two programs of this directory: the harness's native half and the reaper.
#![allow(dead_code, reason = "each of the two uses a part")]

use core::arch::asm;
use core::ffi::c_int;
use core::ptr::null_mut;

#[cfg(target_arch = "x86_64")]
pub mod nr {
    pub const READ: usize = 0;
    pub const WRITE: usize = 1;
    pub const MMAP: usize = 9;
    pub const MPROTECT: usize = 10;
    pub const MUNMAP: usize = 11;
    pub const SIGPROCMASK: usize = 14;
    pub const WAIT4: usize = 61;
    pub const WAITID: usize = 247;
    pub const KILL: usize = 62;
    pub const SIGTIMEDWAIT: usize = 128;
    pub const OPENAT: usize = 257;
    pub const SECCOMP: usize = 317;
    pub const PREAD: usize = 17;
    pub const SOCKET: usize = 41;
    pub const IOCTL: usize = 16;
    pub const PPOLL: usize = 271;
    pub const CLOSE: usize = 3;
    pub const DUP3: usize = 292;
    pub const SENDTO: usize = 44;
    pub const RECVFROM: usize = 45;
    pub const RECVMSG: usize = 47;
    pub const SENDMSG: usize = 46;
    pub const CLONE: usize = 56;
    pub const PRCTL: usize = 157;
    pub const GETTID: usize = 186;
    pub const SET_ROBUST_LIST: usize = 273;
    pub const GET_ROBUST_LIST: usize = 274;
    pub const PRLIMIT64: usize = 302;
    pub const EXIT_GROUP: usize = 231;
    pub const EXECVE: usize = 59;
    pub const RSEQ: usize = 334;
    pub const CLOSE_RANGE: usize = 436;
    pub const MREMAP: usize = 25;
    pub const SETSID: usize = 112;
    pub const FCHDIR: usize = 81;
    pub const GETPRIORITY: usize = 140;
    pub const CHROOT: usize = 161;
    pub const SETFSUID: usize = 122;
    pub const SETRESUID: usize = 117;
    pub const SETRESGID: usize = 119;
}
#[cfg(target_arch = "aarch64")]
pub mod nr {
    pub const READ: usize = 63;
    pub const WRITE: usize = 64;
    pub const MMAP: usize = 222;
    pub const MPROTECT: usize = 226;
    pub const MUNMAP: usize = 215;
    pub const SIGPROCMASK: usize = 135;
    pub const WAIT4: usize = 260;
    pub const WAITID: usize = 95;
    pub const KILL: usize = 129;
    pub const SIGTIMEDWAIT: usize = 137;
    pub const OPENAT: usize = 56;
    pub const SECCOMP: usize = 277;
    pub const PREAD: usize = 67;
    pub const SOCKET: usize = 198;
    pub const IOCTL: usize = 29;
    pub const PPOLL: usize = 73;
    pub const CLOSE: usize = 57;
    pub const DUP3: usize = 24;
    pub const SENDTO: usize = 206;
    pub const RECVFROM: usize = 207;
    pub const RECVMSG: usize = 212;
    pub const SENDMSG: usize = 211;
    pub const CLONE: usize = 220;
    pub const PRCTL: usize = 167;
    pub const GETTID: usize = 178;
    pub const SET_ROBUST_LIST: usize = 99;
    pub const GET_ROBUST_LIST: usize = 100;
    pub const PRLIMIT64: usize = 261;
    pub const EXIT_GROUP: usize = 94;
    pub const EXECVE: usize = 221;
    pub const RSEQ: usize = 293;
    pub const CLOSE_RANGE: usize = 436;
    pub const MREMAP: usize = 216;
    pub const SETSID: usize = 157;
    pub const FCHDIR: usize = 50;
    pub const GETPRIORITY: usize = 141;
    pub const CHROOT: usize = 51;
    pub const SETFSUID: usize = 151;
    pub const SETRESUID: usize = 147;
    pub const SETRESGID: usize = 149;
}

pub const EINTR: isize = -4;
pub const ECHILD: isize = -10;

/// One system call. Returns the result or a negative errno.
///
/// # Safety
/// The arguments must be what the kernel's manual asks of call `number`.
#[cfg(target_arch = "x86_64")]
pub unsafe fn call(number: usize, a: [usize; 6]) -> isize {
    let result: isize;
    // SAFETY: the x86-64 calling convention of syscall(2); the caller answers for the arguments.
    unsafe {
        asm!("syscall", inlateout("rax") number as isize => result,
            in("rdi") a[0], in("rsi") a[1], in("rdx") a[2], in("r10") a[3], in("r8") a[4], in("r9") a[5],
            lateout("rcx") _, lateout("r11") _, options(nostack));
    }
    result
}

/// One system call. Returns the result or a negative errno.
///
/// # Safety
/// The arguments must be what the kernel's manual asks of call `number`.
#[cfg(target_arch = "aarch64")]
pub unsafe fn call(number: usize, a: [usize; 6]) -> isize {
    let result: isize;
    // SAFETY: the arm64 calling convention of syscall(2); the caller answers for the arguments.
    unsafe {
        asm!("svc 0", in("x8") number, inlateout("x0") a[0] => result,
            in("x1") a[1], in("x2") a[2], in("x3") a[3], in("x4") a[4], in("x5") a[5], options(nostack));
    }
    result
}

/// A system call whose arguments are plain numbers, so that none can be a bad pointer.
pub fn plain(number: usize, a: [usize; 6]) -> isize {
    // SAFETY: only called for calls that take numbers.
    unsafe { call(number, a) }
}

pub fn exit(status: usize) -> ! {
    loop {
        plain(nr::EXIT_GROUP, [status, 0, 0, 0, 0, 0]);
    }
}

pub const O_RDONLY: usize = 0;
pub const O_CLOEXEC: usize = 0o2_000_000;
pub const AT_FDCWD: usize = -100_isize as usize;
pub const MSG_NOSIGNAL: usize = 0x4000;

pub const SIGKILL: usize = 9;
pub const SIGTERM: usize = 15;
pub const SIGCHLD: usize = 17;
/// A reaper's word to its worker that it may begin.
pub const SIGNAL_BEGIN: usize = 43;

pub const SIG_BLOCK_ALL: u64 = u64::MAX;
/// Of a set of signals.
pub const SET_BYTES: usize = 8;

/// The template's socket to the warden, which its reapers send on, too.
pub const TEMPLATE_SOCKET: usize = 3;

/// An order's flags. The reaper may signal everything that it can reach, because that is its cell alone.
pub const WALLED: u32 = 1;
/// The reaper hides its memory from what shares its uid.
pub const HIDDEN: u32 = 2;
/// All that has a branch's uid is of that branch, and nothing else.
pub const BY_UID: u32 = 4;

/// What makes the filter ask the warden about a call of a new copy: `COPY_MARK` of src/sandbox/seccomp.rs.
pub const COPY_MARK: usize = 0x7970_6f63_6b72_616d;

/// What a reaper is told when it begins: worker, key, the worker's pid as the reaper sees it, flags. As text, two digits of sixteen
/// letters for each byte, because it comes as a string of its environment.
pub const BRIEF_BYTES: usize = 24;

pub fn send(message: &[u8]) -> isize {
    loop {
        // SAFETY: a live slice with its size.
        let sent = unsafe {
            call(nr::SENDTO, [TEMPLATE_SOCKET, message.as_ptr() as usize, message.len(), MSG_NOSIGNAL, 0, 0])
        };
        if sent != EINTR {
            return sent;
        }
    }
}

/// A message under construction. The largest is how a worker ended.
pub struct Message {
    bytes: [u8; 64],
    filled: usize,
}

impl Message {
    pub fn new(kind: u8, worker: Option<u64>) -> Self {
        let mut message = Self { bytes: [0; 64], filled: 0 };
        message.put(&[kind]);
        if let Some(worker) = worker {
            message.put(&worker.to_le_bytes());
        }
        message
    }

    pub fn put(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if let Some(slot) = self.bytes.get_mut(self.filled) {
                *slot = *byte;
                self.filled += 1;
            }
        }
    }

    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.filled).unwrap_or(&[])
    }

    pub fn send(&self) -> isize {
        send(self.bytes())
    }

    /// Sends it with a descriptor.
    pub fn send_with(&self, descriptor: c_int) -> isize {
        // The kernel only reads it.
        let mut iov = IoVec { base: self.bytes().as_ptr().cast_mut(), bytes: self.filled };
        let bytes = RIGHTS_HEADER_BYTES + size_of::<c_int>();
        let mut right = Right { bytes, level: SOL_SOCKET, kind: SCM_RIGHTS, descriptor, padding: 0 };
        let header = MsgHdr {
            name: null_mut(),
            name_bytes: 0,
            iov: &raw mut iov,
            iov_count: 1,
            control: (&raw mut right).cast(),
            control_bytes: size_of::<Right>(),
            flags: 0,
        };
        loop {
            // SAFETY: the message points at live memory with its true sizes.
            let sent = unsafe { call(nr::SENDMSG, [TEMPLATE_SOCKET, &raw const header as usize, MSG_NOSIGNAL, 0, 0, 0]) };
            if sent != EINTR {
                return sent;
            }
        }
    }
}

/// `struct iovec` and `struct msghdr`.
#[repr(C)]
pub struct IoVec {
    pub base: *mut u8,
    pub bytes: usize,
}

#[repr(C)]
pub struct MsgHdr {
    pub name: *mut u8,
    pub name_bytes: u32,
    pub iov: *mut IoVec,
    pub iov_count: usize,
    pub control: *mut u8,
    pub control_bytes: usize,
    pub flags: c_int,
}

/// A `struct cmsghdr` with one descriptor, and what fills its last word.
#[repr(C)]
struct Right {
    bytes: usize,
    level: c_int,
    kind: c_int,
    descriptor: c_int,
    padding: c_int,
}

/// Of a `cmsghdr`, before the descriptors.
pub const RIGHTS_HEADER_BYTES: usize = 16;
const SOL_SOCKET: c_int = 1;
const SCM_RIGHTS: c_int = 1;

/// Which of an order's lists; 3 is what no list has: the fork of the worker, and the start of the reaper's own program.
pub const BEFORE: u8 = 0;
pub const WORKER: u8 = 1;
pub const AFTER: u8 = 2;
pub const START: u8 = 3;

pub fn tell_failure(worker: u64, list: u8, index: usize, error: isize) {
    let mut message = Message::new(b'S', Some(worker));
    message.put(&[list]);
    message.put(&(index as u32).to_le_bytes());
    message.put(&(error as c_int).to_le_bytes());
    message.send();
}
