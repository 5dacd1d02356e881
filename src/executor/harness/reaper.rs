//! A reaper: the process above a worker, from which the warden takes it over. A program of its own, small and without libraries, which the
//! template's fork executes once it has forked the worker (`cells.rs`): a copy of the template would cost as much as the worker.
//!
//! `build.rs` compiles this file by itself, as the harness's native half; the server embeds the result and hands it to templates.
//!
//! It never runs Python and calls no library: it waits for its worker and for the warden's signals, kills what is left when the
//! worker has ended, tells how that was, and ends.
#![no_std]
#![no_main]

mod calls;

use core::ffi::{c_int, c_long};

use calls::{
    AT_FDCWD, BRIEF_BYTES, ECHILD, EINTR, HIDDEN, Message, O_CLOEXEC, O_RDONLY, SET_BYTES, SIG_BLOCK_ALL, SIGKILL, SIGNAL_BEGIN, SIGTERM,
    START, TEMPLATE_SOCKET, WALLED, call, exit, nr, plain, tell_failure,
};

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    exit(70)
}

/// The compiler calls it to clear a buffer, and there is no libc here. Volatile, so that the loop does not become a call of itself.
///
/// # Safety
/// `bytes` bytes at `to` may be written.
#[unsafe(no_mangle)]
unsafe extern "C" fn memset(to: *mut u8, byte: c_int, bytes: usize) -> *mut u8 {
    for at in 0..bytes {
        // SAFETY: see above.
        unsafe { to.add(at).write_volatile(byte as u8) };
    }
    to
}

/// As `memset`, to copy one.
///
/// # Safety
/// `bytes` bytes at `from` may be read and as many at `to` written, and the two do not overlap.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, bytes: usize) -> *mut u8 {
    for at in 0..bytes {
        // SAFETY: see above.
        unsafe { to.add(at).write_volatile(from.add(at).read()) };
    }
    to
}

const SIGINT: usize = 2;
const SIGCONT: usize = 18;
const SIGSTOP: usize = 19;
/// What the warden asks a reaper for, beside SIGTERM, which is the end: see `Ask` of src/sandbox/cell.rs.
const ASK_INTERRUPT: usize = 40;
const ASK_FREEZE: usize = 41;
const ASK_THAW: usize = 42;
const ASK_LEND: usize = 44;

const PR_SET_DUMPABLE: usize = 4;
const PR_SET_NAME: usize = 15;

// The kernel enters with the arguments on the stack, and wants no return.
#[cfg(target_arch = "x86_64")]
core::arch::global_asm!(".globl _start", "_start:", "mov rdi, rsp", "and rsp, -16", "call {main}", "ud2", main = sym main);
#[cfg(target_arch = "aarch64")]
core::arch::global_asm!(".globl _start", "_start:", "mov x0, sp", "bl {main}", "brk #1", main = sym main);

/// What the template told: `BRIEF_BYTES` of it.
struct Brief {
    worker: u64,
    key: u64,
    /// The worker's, as this process sees it.
    pid: u32,
    flags: u32,
}

impl Brief {
    /// Reads it, and wipes it: the key is in it.
    ///
    /// # Safety
    /// A string of twice `BRIEF_BYTES` bytes that nobody else has.
    unsafe fn take(text: *mut u8) -> Self {
        let mut bytes = [0_u8; BRIEF_BYTES];
        for (at, byte) in bytes.iter_mut().enumerate() {
            for half in 0..2 {
                let letter = text.wrapping_add(at * 2 + half);
                // SAFETY: within the string; volatile, so that it is done.
                unsafe {
                    *byte = *byte << 4 | letter.read().wrapping_sub(b'a');
                    letter.write_volatile(0);
                }
            }
        }
        // SAFETY: any bytes are four numbers in this order.
        let [worker, key, last] = unsafe { core::mem::transmute::<[u8; BRIEF_BYTES], [u64; 3]>(bytes) };
        Self { worker, key, pid: last as u32, flags: (last >> 32) as u32 }
    }

    fn is_walled(&self) -> bool {
        self.flags & WALLED != 0
    }
}

/// # Safety
/// The stack as the kernel leaves it to a new program: the count of arguments, their addresses, a zero, those of the environment.
unsafe extern "C" fn main(stack: *const usize) -> ! {
    // SAFETY: see above. The template gives one argument and one string in the environment.
    let brief = unsafe { Brief::take(stack.add(stack.read() + 2).read() as *mut u8) };
    // For `ps`.
    // SAFETY: a constant text.
    unsafe { call(nr::PRCTL, [PR_SET_NAME, c"reaper".as_ptr() as usize, 0, 0, 0, 0]) };
    let mut result = plain(nr::CLOSE_RANGE, [TEMPLATE_SOCKET + 1, u32::MAX as usize, 0, 0, 0, 0]);
    if result >= 0 && brief.flags & HIDDEN != 0 {
        // Not before: the execution of a program takes it back.
        result = plain(nr::PRCTL, [PR_SET_DUMPABLE, 0, 0, 0, 0, brief.key as usize]);
    }
    if result >= 0 {
        result = plain(nr::KILL, [brief.pid as usize, SIGNAL_BEGIN, 0, 0, 0, 0]);
    }
    if result < 0 {
        tell_failure(brief.worker, START, 0, result);
        plain(nr::KILL, [brief.pid as usize, SIGKILL, 0, 0, 0, 0]);
    }
    let (status, usage) = wait(&brief);
    end_all(&brief);
    let mut message = Message::new(b'X', Some(brief.worker));
    message.put(&status.to_le_bytes());
    for value in [
        micros(usage[0], usage[1]),
        micros(usage[2], usage[3]),
        usage[4].unsigned_abs() << 10,
        usage[8].unsigned_abs(),
        usage[9].unsigned_abs(),
    ] {
        message.put(&value.to_le_bytes());
    }
    message.send();
    exit(0)
}

/// `struct rusage`: user and system time as two numbers each, then 14 counters (getrusage(2)).
type Rusage = [c_long; 18];

fn micros(seconds: c_long, microseconds: c_long) -> u64 {
    (seconds.unsigned_abs()).wrapping_mul(1_000_000).wrapping_add(microseconds.unsigned_abs())
}

const WNOHANG: usize = 1;
/// Orphans that are reaped before the next look at signals.
const REAPED_MAX: usize = 64;

/// wait4(2) for any child. Returns its pid, 0 when none has ended, or a negative errno.
fn wait_any(flags: usize, status: &mut c_int, usage: &mut Rusage) -> isize {
    loop {
        // SAFETY: two live locals of the right type.
        let pid = unsafe {
            call(nr::WAIT4, [usize::MAX, status as *mut c_int as usize, flags, usage.as_mut_ptr() as usize, 0, 0])
        };
        if pid != EINTR {
            return pid;
        }
    }
}

/// Waits for the worker's end, and does what the warden asks for meanwhile. Orphans of the cell are reaped on the way.
fn wait(brief: &Brief) -> (c_int, Rusage) {
    let worker = brief.pid as isize;
    let all = SIG_BLOCK_ALL;
    let at_once = [0_u64; 2];
    let mut status = 0;
    let mut usage = [0; 18];
    loop {
        // A storm of orphans must not keep it from what the warden asks for.
        let mut reaped = 0;
        while reaped < REAPED_MAX {
            let pid = wait_any(WNOHANG, &mut status, &mut usage);
            if pid == worker {
                return (status, usage);
            }
            if pid <= 0 {
                break;
            }
            reaped += 1;
        }
        let limit = if reaped == REAPED_MAX { &raw const at_once as usize } else { 0 };
        // SAFETY: a live set and, where more orphans may be there, a time limit of nothing; no details.
        let signal = unsafe { call(nr::SIGTIMEDWAIT, [&raw const all as usize, 0, limit, SET_BYTES, 0, 0]) };
        let send = |target: usize, signal: usize| plain(nr::KILL, [target, signal, 0, 0, 0, 0]);
        match usize::try_from(signal).unwrap_or(0) {
            // All at once where it may: what the worker has left running would take the time of those that end.
            SIGTERM => {
                send(if brief.is_walled() { usize::MAX } else { worker as usize }, SIGKILL);
            }
            ASK_INTERRUPT => {
                send(worker as usize, SIGINT);
                acknowledge(brief);
            }
            ask @ (ASK_FREEZE | ASK_THAW) => {
                let signal = if ask == ASK_FREEZE { SIGSTOP } else { SIGCONT };
                send(if brief.is_walled() { usize::MAX } else { worker as usize }, signal);
                acknowledge(brief);
            }
            ASK_LEND => lend_workspace(brief),
            _ => {}
        }
    }
}

const O_DIRECTORY: usize = if cfg!(target_arch = "aarch64") { 0o40_000 } else { 0o200_000 };
const O_PATH: usize = 0o10_000_000;

/// Lends the warden a descriptor of the directory that the episode's files are in, where the cell has mounts of its own: no process outside has a
/// path that leads there. Nothing that the program does changes where it is, for it can't mount.
fn lend_workspace(brief: &Brief) {
    let path = c"/workspace".as_ptr();
    // SAFETY: a constant path.
    let place = unsafe { call(nr::OPENAT, [AT_FDCWD, path as usize, O_PATH | O_DIRECTORY | O_CLOEXEC, 0, 0, 0]) };
    let message = Message::new(b'W', Some(brief.worker));
    if place < 0 {
        message.send();
        return;
    }
    message.send_with(place as c_int);
    plain(nr::CLOSE, [place as usize, 0, 0, 0, 0, 0]);
}

/// Tells that a signal was sent.
fn acknowledge(brief: &Brief) {
    Message::new(b'G', Some(brief.worker)).send();
}

/// Kills and reaps whatever is left of the cell: orphans become this process's children. Without walls only its own children may be
/// signalled; theirs become its own when they have ended.
fn end_all(brief: &Brief) {
    let mut status = 0;
    let mut usage = [0; 18];
    let mut pause = WNOHANG;
    loop {
        match wait_any(pause, &mut status, &mut usage) {
            ECHILD => return,
            // Some live: kill them, then wait for one of them to end.
            0 => {
                if brief.is_walled() {
                    plain(nr::KILL, [usize::MAX, SIGKILL, 0, 0, 0, 0]);
                } else if !kill_children() {
                    return;
                }
                pause = 0;
            }
            error if error < 0 => return,
            _ => pause = WNOHANG,
        }
    }
}

/// Kills this process's children, by the kernel's list of them (proc_pid_children(5), CONFIG_PROC_CHILDREN). False when there is none.
fn kill_children() -> bool {
    let path = c"/proc/thread-self/children".as_ptr();
    // SAFETY: a constant path.
    let file = unsafe { call(nr::OPENAT, [AT_FDCWD, path as usize, O_RDONLY | O_CLOEXEC, 0, 0, 0]) };
    if file < 0 {
        return false;
    }
    let mut text = [0_u8; 4096];
    // SAFETY: a live buffer with its size.
    let filled = unsafe { call(nr::READ, [file as usize, text.as_mut_ptr() as usize, text.len(), 0, 0, 0]) };
    plain(nr::CLOSE, [file as usize, 0, 0, 0, 0, 0]);
    let mut pid = 0_usize;
    // What is cut off at the buffer's end is killed in a later round.
    for byte in text.iter().take(usize::try_from(filled).unwrap_or(0)) {
        if byte.is_ascii_digit() {
            pid = pid.wrapping_mul(10).wrapping_add(usize::from(byte - b'0'));
        } else if pid > 1 {
            plain(nr::KILL, [pid, SIGKILL, 0, 0, 0, 0]);
            pid = 0;
        }
    }
    filled > 0
}
