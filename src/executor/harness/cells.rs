//! How a template makes cells: it forks a reaper, which forks the worker, and each makes itself what the warden's order says.
//!
//! An order carries the setup as data: three lists of system calls, for the reaper before it forks the worker, for the worker, and for
//! the reaper afterwards. What they are for is the warden's business (`src/sandbox/cell.rs`, which also describes the layout of orders
//! and messages); here they are only carried out, and the first that fails is told by its place.
//!
//! A reaper never runs Python and calls no library: it waits for its worker and for the warden's signals, kills what is left when the
//! worker has ended, tells how that was, and ends.

use core::ffi::{c_int, c_long};
use core::ptr::{addr_of, addr_of_mut, null_mut};

use crate::{
    ECHILD, EINTR, MSG_NOSIGNAL, O_CLOEXEC, Object, Py_BuildValue, PyArg_ParseTuple, PyErr_Clear, PyLong_FromLong,
    PyOS_AfterFork_Child, PyOS_AfterFork_Parent, PyOS_BeforeFork, call, exit, nr, plain, pthread_self,
};

const CLONE_PARENT: usize = 0x8000;
const CLONE_CHILD_CLEARTID: usize = 0x20_0000;
const CLONE_CHILD_SETTID: usize = 0x0100_0000;
/// How far into its thread descriptor glibc and musl keep the thread's id, at the most.
const DESCRIPTOR_WORDS: usize = 512;

const SIGKILL: usize = 9;
const SIGTERM: usize = 15;
const SIGCHLD: usize = 17;
const SIGINT: usize = 2;
const SIGCONT: usize = 18;
const SIGSTOP: usize = 19;
/// What the warden asks a reaper for, beside SIGTERM, which is the end: see `Ask` of src/sandbox/cell.rs.
const ASK_INTERRUPT: usize = 40;
const ASK_FREEZE: usize = 41;
const ASK_THAW: usize = 42;

const SIG_BLOCK_ALL: u64 = u64::MAX;
const SIG_SETMASK: usize = 2;
const SET_BYTES: usize = 8;

/// The template's socket to the warden, which its reapers send on, too.
const TEMPLATE_SOCKET: usize = 3;
/// Where a worker's control socket is while it is set up: the template keeps this number taken.
const CONTROL_BEFORE: usize = 4;

/// An order's largest size, and the most descriptors with it.
const ORDER_BYTES_MAX: usize = 24 * 1024;
const FDS_MAX: usize = 12;
const HEADER_BYTES: usize = 40;
const CALL_BYTES: usize = 56;
/// Not a system call: writes a file. Path, text, bytes.
const WRITE_FILE: u32 = u32::MAX;
/// Not a system call: sets the loopback interface up. `struct ifreq`.
const LOOPBACK_UP: u32 = u32::MAX - 1;
/// Not a system call: installs a filter and hands its listener to the warden. The filter's instructions, their bytes.
const LEND_LISTENER: u32 = u32::MAX - 2;
/// The header's flag: the reaper may signal everything that it can reach, because that is its cell alone.
const WALLED: u32 = 1;

/// The order that is carried out. Only the template's one thread, and forks of it, touch it.
static mut ORDER: [u64; ORDER_BYTES_MAX / 8] = [0; ORDER_BYTES_MAX / 8];
/// What the filter wants to see in the sixth argument of calls that only setup may make. A worker wipes it before it runs Python.
static mut KEY: u64 = 0;

fn order() -> *mut u8 {
    addr_of_mut!(ORDER).cast()
}

/// A number of the order. The warden is trusted: its offsets are right.
fn u32_at(at: usize) -> u32 {
    // SAFETY: within the order's buffer, see above.
    u32::from_le(unsafe { order().add(at).cast::<u32>().read_unaligned() })
}

fn u64_at(at: usize) -> u64 {
    // SAFETY: within the order's buffer, see above.
    u64::from_le(unsafe { order().add(at).cast::<u64>().read_unaligned() })
}

/// `struct iovec`, `struct msghdr`, and a `struct cmsghdr` with descriptors.
#[repr(C)]
struct IoVec {
    base: *mut u8,
    bytes: usize,
}

#[repr(C)]
struct MsgHdr {
    name: *mut u8,
    name_bytes: u32,
    iov: *mut IoVec,
    iov_count: usize,
    control: *mut u8,
    control_bytes: usize,
    flags: c_int,
}

#[repr(C)]
struct Rights {
    bytes: usize,
    level: c_int,
    kind: c_int,
    descriptors: [c_int; FDS_MAX],
}

const MSG_CMSG_CLOEXEC: usize = 0x4000_0000;
/// Of a `cmsghdr`, before the descriptors.
const RIGHTS_HEADER_BYTES: usize = 16;

/// Waits for the warden's next order. Returns its descriptors, or None when the warden has gone.
fn receive() -> Option<Rights> {
    let mut rights = Rights { bytes: 0, level: 0, kind: 0, descriptors: [-1; FDS_MAX] };
    loop {
        let mut iov = IoVec { base: order(), bytes: ORDER_BYTES_MAX };
        let mut message = MsgHdr {
            name: null_mut(),
            name_bytes: 0,
            iov: &raw mut iov,
            iov_count: 1,
            control: (&raw mut rights).cast(),
            control_bytes: size_of::<Rights>(),
            flags: 0,
        };
        // SAFETY: the message points at live memory with its true sizes.
        let received = unsafe {
            call(nr::RECVMSG, [TEMPLATE_SOCKET, &raw mut message as usize, MSG_CMSG_CLOEXEC, 0, 0, 0])
        };
        if received == EINTR {
            continue;
        }
        return (received >= HEADER_BYTES as isize).then_some(rights);
    }
}

fn fd_count(rights: &Rights) -> usize {
    (rights.bytes.saturating_sub(RIGHTS_HEADER_BYTES) / size_of::<c_int>()).min(FDS_MAX)
}

fn send(message: &[u8]) -> isize {
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
struct Message {
    bytes: [u8; 64],
    filled: usize,
}

impl Message {
    fn new(kind: u8) -> Self {
        let mut message = Self { bytes: [0; 64], filled: 0 };
        message.put(&[kind]);
        message
    }

    fn put(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if let Some(slot) = self.bytes.get_mut(self.filled) {
                *slot = *byte;
                self.filled += 1;
            }
        }
    }

    fn send(&self) -> isize {
        send(self.bytes.get(..self.filled).unwrap_or(&[]))
    }
}

/// Which of an order's lists; 3 is the fork of the worker.
const BEFORE: u8 = 0;
const WORKER: u8 = 1;
const AFTER: u8 = 2;
const FORK: u8 = 3;

fn tell_failure(list: u8, index: usize, error: isize) {
    let mut message = Message::new(b'S');
    message.put(&u64_at(0).to_le_bytes());
    message.put(&[list]);
    message.put(&(index as u32).to_le_bytes());
    message.put(&(error as i32).to_le_bytes());
    message.send();
}

/// Carries out one list: the calls from `first`, `count` of them. True when none failed; the first that did is told.
fn carry_out(list: u8, first: usize, count: usize, fds: &Rights) -> bool {
    for index in 0..count {
        let at = HEADER_BYTES + (first + index) * CALL_BYTES;
        let number = u32_at(at);
        let kinds = u32_at(at + 4);
        let mut args = [0_usize; 6];
        for (place, arg) in args.iter_mut().enumerate() {
            let value = u64_at(at + 8 + place * 8) as usize;
            *arg = match (kinds >> (place * 4)) & 15 {
                // SAFETY: only an address; what it is used for answers for it.
                1 => unsafe { order().add(value) as usize },
                2 => fds.descriptors.get(value).map_or(usize::MAX, |fd| *fd as usize),
                // SAFETY: only this thread touches it.
                3 => unsafe { KEY as usize },
                _ => value,
            };
        }
        let result = match number {
            WRITE_FILE => write_file(args),
            LOOPBACK_UP => loopback_up(args),
            LEND_LISTENER => lend_listener(args),
            // SAFETY: the warden composed the call for the kernel's manual; its addresses are inside the order.
            number => unsafe { call(number as usize, args) },
        };
        if result < 0 {
            tell_failure(list, index, result);
            return false;
        }
    }
    true
}

const O_WRONLY: usize = 1;
const O_RDONLY: usize = 0;
const AT_FDCWD: usize = -100_isize as usize;

fn write_file(args: [usize; 6]) -> isize {
    let [path, text, bytes, ..] = args;
    // SAFETY: a path inside the order that ends with a zero.
    let file = unsafe { call(nr::OPENAT, [AT_FDCWD, path, O_WRONLY | O_CLOEXEC, 0, 0, 0]) };
    if file < 0 {
        return file;
    }
    // SAFETY: a text inside the order.
    let written = unsafe { call(nr::WRITE, [file as usize, text, bytes, 0, 0, 0]) };
    plain(nr::CLOSE, [file as usize, 0, 0, 0, 0, 0]);
    written
}

const AF_INET: usize = 2;
const SOCK_DGRAM_CLOEXEC: usize = 2 | 0o2_000_000;
const SIOCSIFFLAGS: usize = 0x8914;

/// netdevice(7). The last argument is the key.
fn loopback_up(args: [usize; 6]) -> isize {
    let [request, .., key] = args;
    let socket = plain(nr::SOCKET, [AF_INET, SOCK_DGRAM_CLOEXEC, 0, 0, 0, key]);
    if socket < 0 {
        return socket;
    }
    // SAFETY: a request inside the order.
    let result = unsafe { call(nr::IOCTL, [socket as usize, SIOCSIFFLAGS, request, 0, 0, key]) };
    plain(nr::CLOSE, [socket as usize, 0, 0, 0, 0, 0]);
    result
}

const SOL_SOCKET: c_int = 1;
const SCM_RIGHTS: c_int = 1;
const NEW_LISTENER: usize = 1 << 3;
/// Once the listener has taken a call, only a signal that ends the caller interrupts it: a signal that the answer itself brings does not
/// make the caller ask again (Linux 5.19).
const WAIT_KILLABLE_RECV: usize = 1 << 5;

/// Puts this process under a filter some of whose calls wait for an answer, and has the warden give it: user code never holds the listener.
/// The last argument is the key.
fn lend_listener(args: [usize; 6]) -> isize {
    let [filter, bytes, .., key] = args;
    let program = FilterProgram { count: (bytes / INSTRUCTION_BYTES) as u16, filter: filter as *const u8 };
    let flags = NEW_LISTENER | WAIT_KILLABLE_RECV;
    // SAFETY: instructions inside the order, as many as are told.
    let listener =
        unsafe { call(nr::SECCOMP, [SECCOMP_SET_MODE_FILTER, flags, &raw const program as usize, 0, 0, key]) };
    if listener < 0 {
        return listener;
    }
    let mut message = Message::new(b'L');
    message.put(&u64_at(0).to_le_bytes());
    let mut iov = IoVec { base: message.bytes.as_mut_ptr(), bytes: message.filled };
    let bytes = RIGHTS_HEADER_BYTES + size_of::<c_int>();
    let mut rights = Rights { bytes, level: SOL_SOCKET, kind: SCM_RIGHTS, descriptors: [listener as c_int; FDS_MAX] };
    let header = MsgHdr {
        name: null_mut(),
        name_bytes: 0,
        iov: &raw mut iov,
        iov_count: 1,
        control: (&raw mut rights).cast(),
        // With one descriptor, and padding to the next word.
        control_bytes: RIGHTS_HEADER_BYTES + size_of::<usize>(),
        flags: 0,
    };
    let sent = loop {
        // SAFETY: the message points at live memory with its true sizes.
        let sent = unsafe { call(nr::SENDMSG, [TEMPLATE_SOCKET, &raw const header as usize, MSG_NOSIGNAL, 0, 0, 0]) };
        if sent != EINTR {
            break sent;
        }
    };
    plain(nr::CLOSE, [listener as usize, 0, 0, 0, 0, 0]);
    sent
}

/// Where libc keeps the id of this thread, so that the kernel can mend it in the child as `fork` does; null when it
/// isn't found.
fn thread_id_slot() -> *const u32 {
    let id = plain(nr::GETTID, [0; 6]) as u32;
    // SAFETY: no arguments.
    let descriptor = unsafe { pthread_self() };
    for word in 0..DESCRIPTOR_WORDS {
        let slot = descriptor.wrapping_add(word);
        // SAFETY: the descriptor and the libc data behind it span more than the words looked at.
        if unsafe { slot.read_volatile() } == id {
            return slot;
        }
    }
    core::ptr::null()
}

fn set_signal_mask(mask: u64) -> u64 {
    let mut old = 0_u64;
    // SAFETY: two live sets of the size told.
    unsafe {
        call(nr::SIGPROCMASK, [SIG_SETMASK, &raw const mask as usize, &raw mut old as usize, SET_BYTES, 0, 0]);
    }
    old
}

/// clone(2) without CLONE_VM. The child's thread id goes to `slot`, if there is one. The key goes with it: the filter asks for it
/// where the flags make namespaces.
///
/// # Safety
/// This process has one thread.
unsafe fn clone(mut flags: usize, slot: *const u32) -> isize {
    if !slot.is_null() {
        flags |= CLONE_CHILD_CLEARTID | CLONE_CHILD_SETTID;
    }
    // x86-64 takes the address as fourth argument, arm64 as fifth.
    // SAFETY: no CLONE_VM, so the child has its own copy of this stack and of all memory.
    unsafe { call(nr::CLONE, [flags | SIGCHLD, 0, 0, slot as usize, slot as usize * CTID_IS_FIFTH, KEY as usize]) }
}

#[cfg(target_arch = "x86_64")]
const CTID_IS_FIFTH: usize = 0;
#[cfg(target_arch = "aarch64")]
const CTID_IS_FIFTH: usize = 1;

/// `serve_orders() -> bytes`: makes a cell for each order of the warden. Returns only in workers, ready to run Python: the text that came
/// with the order, for them. Ends the process when the warden has gone.
///
/// The reaper belongs to the warden (CLONE_PARENT), which alone waits for it. pthread_atfork handlers do not run: with one thread there
/// is no lock that they could mend.
pub(crate) unsafe extern "C" fn serve_orders(_: Object, _: Object) -> Object {
    loop {
        let Some(fds) = receive() else { exit(0) };
        let slot = thread_id_slot();
        let mut robust: usize = 0;
        let mut robust_bytes: usize = 0;
        // SAFETY: both addresses are of live locals of the right size.
        unsafe {
            call(nr::GET_ROBUST_LIST, [0, &raw mut robust as usize, &raw mut robust_bytes as usize, 0, 0, 0]);
        }
        let mask = set_signal_mask(SIG_BLOCK_ALL);
        // SAFETY: the GIL is held; a matching PyOS_AfterFork_* follows wherever Python runs again.
        unsafe { PyOS_BeforeFork() };
        // SAFETY: one thread.
        let reaper = unsafe { clone(CLONE_PARENT | u32_at(8) as usize, core::ptr::null()) };
        if reaper == 0 {
            reap(&fds, slot);
            // Only the worker comes here.
            // SAFETY: the list head that libc registered for this thread in the template, at the same address here.
            unsafe { call(nr::SET_ROBUST_LIST, [robust, robust_bytes, 0, 0, 0, 0]) };
            become_worker(&fds);
            scrub_stack();
            // SAFETY: see PyOS_BeforeFork above.
            unsafe { PyOS_AfterFork_Child() };
            set_signal_mask(mask);
            // SAFETY: "y#" takes a pointer and a Py_ssize_t: the text inside the order.
            return unsafe {
                Py_BuildValue(c"y#".as_ptr(), order().add(u32_at(16) as usize), u32_at(20) as isize)
            };
        }
        // SAFETY: see PyOS_BeforeFork above.
        unsafe { PyOS_AfterFork_Parent() };
        set_signal_mask(mask);
        for fd in fds.descriptors.iter().take(fd_count(&fds)) {
            plain(nr::CLOSE, [*fd as usize, 0, 0, 0, 0, 0]);
        }
        let mut message = Message::new(b'F');
        message.put(&(reaper as i64).to_le_bytes());
        message.send();
    }
}

/// The reaper's life. Returns in the worker that it forks.
fn reap(fds: &Rights, slot: *const u32) {
    let (before, worker) = (u32_at(24) as usize, u32_at(28) as usize);
    if !carry_out(BEFORE, 0, before, fds) {
        exit(71);
    }
    // SAFETY: one thread.
    let pid = unsafe { clone(0, slot) };
    if pid == 0 {
        return;
    }
    if pid < 0 {
        tell_failure(FORK, 0, pid);
        exit(71);
    }
    if !carry_out(AFTER, before + worker, u32_at(32) as usize, fds) {
        plain(nr::KILL, [pid as usize, SIGKILL, 0, 0, 0, 0]);
    }
    let (status, usage) = wait(pid);
    end_all();
    let mut message = Message::new(b'X');
    message.put(&u64_at(0).to_le_bytes());
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
fn wait(worker: isize) -> (c_int, Rusage) {
    let all = SIG_BLOCK_ALL;
    let mut status = 0;
    let mut usage = [0; 18];
    loop {
        loop {
            let pid = wait_any(WNOHANG, &mut status, &mut usage);
            if pid == worker {
                return (status, usage);
            }
            if pid <= 0 {
                break;
            }
        }
        // SAFETY: a live set; neither details nor a time limit.
        let signal = unsafe { call(nr::SIGTIMEDWAIT, [&raw const all as usize, 0, 0, SET_BYTES, 0, 0]) };
        let send = |target: usize, signal: usize| plain(nr::KILL, [target, signal, 0, 0, 0, 0]);
        match usize::try_from(signal).unwrap_or(0) {
            SIGTERM => {
                send(worker as usize, SIGKILL);
            }
            ASK_INTERRUPT => {
                send(worker as usize, SIGINT);
                acknowledge();
            }
            ask @ (ASK_FREEZE | ASK_THAW) => {
                let signal = if ask == ASK_FREEZE { SIGSTOP } else { SIGCONT };
                send(if is_walled() { usize::MAX } else { worker as usize }, signal);
                acknowledge();
            }
            _ => {}
        }
    }
}

fn is_walled() -> bool {
    u32_at(12) & WALLED != 0
}

/// Tells that a signal was sent.
fn acknowledge() {
    let mut message = Message::new(b'G');
    message.put(&u64_at(0).to_le_bytes());
    message.send();
}

/// Kills and reaps whatever is left of the cell: orphans become this process's children. Without walls only its own children may be
/// signalled; theirs become its own when they have ended.
fn end_all() {
    let mut status = 0;
    let mut usage = [0; 18];
    let mut pause = WNOHANG;
    loop {
        match wait_any(pause, &mut status, &mut usage) {
            ECHILD => return,
            // Some live: kill them, then wait for one of them to end.
            0 => {
                if is_walled() {
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

/// Makes the worker what its list says, tells the warden, and takes its control socket. A failure ends it: it is told by its place.
fn become_worker(fds: &Rights) {
    let (before, worker) = (u32_at(24) as usize, u32_at(28) as usize);
    if !carry_out(WORKER, before, worker, fds) {
        exit(71);
    }
    // SAFETY: only this thread touches it. It must not be optimised away: nothing reads it any more.
    unsafe { addr_of_mut!(KEY).write_volatile(0) };
    // By this message the warden learns its pid: the kernel adds it (SCM_CREDENTIALS, unix(7)).
    let mut message = Message::new(b'U');
    message.put(&u64_at(0).to_le_bytes());
    if message.send() < 0 || plain(nr::DUP3, [CONTROL_BEFORE, TEMPLATE_SOCKET, O_CLOEXEC, 0, 0, 0]) < 0 {
        exit(71);
    }
    plain(nr::CLOSE, [CONTROL_BEFORE, 0, 0, 0, 0, 0]);
}

/// Overwrites what setup left on the stack: the key was among it.
#[inline(never)]
fn scrub_stack() {
    let mut room = [0_u64; 1024];
    for slot in &mut room {
        // SAFETY: a live slot; volatile, so that it is done.
        unsafe { (slot as *mut u64).write_volatile(0) };
    }
}

const PR_SET_NO_NEW_PRIVS: usize = 38;
const SECCOMP_SET_MODE_FILTER: usize = 1;
/// `struct sock_filter`.
const INSTRUCTION_BYTES: usize = 8;

/// `struct sock_fprog`.
#[repr(C)]
struct FilterProgram {
    count: u16,
    filter: *const u8,
}

/// `confine(fd) -> int`: gives up every privilege that an exec could bring, and installs the system call filter from a file: the key, then
/// the filter's instructions. 0 or a negative errno.
pub(crate) unsafe extern "C" fn confine(_: Object, args: Object) -> Object {
    const BYTES_MAX: usize = 32 * 1024;
    static mut FILTER: [u64; BYTES_MAX / 8] = [0; BYTES_MAX / 8];
    let mut fd: c_int = 0;
    // SAFETY: one "i" takes one int.
    if unsafe { PyArg_ParseTuple(args, c"i".as_ptr(), &raw mut fd) } == 0 {
        return null_mut();
    }
    let buffer = addr_of_mut!(FILTER).cast::<u8>();
    // SAFETY: a live buffer with its size.
    let filled = unsafe { call(nr::PREAD, [fd as usize, buffer as usize, BYTES_MAX, 0, 0, 0]) };
    let mut result = if filled < (8 + INSTRUCTION_BYTES) as isize { -22 } else { 0 };
    if result == 0 {
        // SAFETY: eight bytes are filled; only this thread touches the key.
        unsafe { KEY = addr_of!(FILTER).cast::<u64>().read() };
        let program = FilterProgram {
            count: ((filled as usize - 8) / INSTRUCTION_BYTES) as u16,
            filter: buffer.wrapping_add(8),
        };
        result = plain(nr::PRCTL, [PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0]);
        if result == 0 {
            // SAFETY: a program in live memory with its true length.
            result = unsafe { call(nr::SECCOMP, [SECCOMP_SET_MODE_FILTER, 0, &raw const program as usize, 0, 0, 0]) };
        }
    }
    for slot in 0..BYTES_MAX {
        // SAFETY: within the buffer; volatile, so that it is done: the instructions hold the key.
        unsafe { buffer.add(slot).write_volatile(0) };
    }
    plain(nr::CLOSE, [fd as usize, 0, 0, 0, 0, 0]);
    // SAFETY: the GIL is held.
    unsafe { PyErr_Clear() };
    // SAFETY: as above.
    unsafe { PyLong_FromLong(result as c_long) }
}
