//! How a template makes cells: it forks a reaper, which forks the worker, and each makes itself what the warden's order says.
//!
//! An order carries the setup as data: three lists of system calls, for the reaper before it forks the worker, for the worker, and for
//! the reaper afterwards. What they are for is the warden's business (`src/sandbox/cell.rs`, which also describes the layout of orders
//! and messages); here they are only carried out, and the first that fails is told by its place.
//!
//! The reaper is forked without a copy of the template's memory, which it uses while the template waits; only the worker gets a copy. Then it
//! executes a program of its own (`reaper.rs`).

use core::ffi::{c_int, c_long};
use core::ptr::{addr_of, addr_of_mut, null_mut};

use crate::calls::{
    AFTER, AT_FDCWD, BEFORE, BRIEF_BYTES, EINTR, IoVec, Message, MsgHdr, O_CLOEXEC, RIGHTS_HEADER_BYTES, SET_BYTES, SIG_BLOCK_ALL, SIGCHLD, SIGKILL, SIGNAL_BEGIN, START,
    TEMPLATE_SOCKET, WORKER, call, exit, nr, plain, tell_failure,
};
use crate::{
    Object, Py_BuildValue, PyArg_ParseTuple, PyErr_Clear, PyLong_FromLong, PyOS_AfterFork_Child, PyOS_AfterFork_Parent,
    PyOS_BeforeFork, dlsym, pthread_self,
};

const CLONE_VM: usize = 0x100;
const CLONE_VFORK: usize = 0x4000;
pub(crate) const CLONE_PARENT: usize = 0x8000;
const CLONE_CHILD_CLEARTID: usize = 0x20_0000;
const CLONE_CHILD_SETTID: usize = 0x0100_0000;
/// How far into its thread descriptor glibc and musl keep the thread's id, at the most.
const DESCRIPTOR_WORDS: usize = 512;

const SIG_SETMASK: usize = 2;

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

/// A `struct cmsghdr` with descriptors.
#[repr(C)]
struct Rights {
    bytes: usize,
    level: c_int,
    kind: c_int,
    descriptors: [c_int; FDS_MAX],
}

const MSG_CMSG_CLOEXEC: usize = 0x4000_0000;

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
            tell_failure(u64_at(0), list, index, result);
            return false;
        }
    }
    true
}

const O_WRONLY: usize = 1;

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
    let sent = Message::new(b'L', Some(u64_at(0))).send_with(listener as c_int);
    plain(nr::CLOSE, [listener as usize, 0, 0, 0, 0, 0]);
    sent
}

/// Where libc keeps the id of this thread, so that the kernel can mend it in the child as `fork` does; null when it
/// isn't found.
pub(crate) fn thread_id_slot() -> *const u32 {
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

pub(crate) fn set_signal_mask(mask: u64) -> u64 {
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
pub(crate) unsafe fn clone(mut flags: usize, slot: *const u32) -> isize {
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
        // SAFETY: one thread; all signals are blocked.
        let reaper = unsafe { fork_reaper(u32_at(8) as usize, &fds, slot) };
        if reaper == 0 {
            // Only the worker comes here.
            // SAFETY: the list head that libc registered for this thread in the template, at the same address here.
            unsafe { call(nr::SET_ROBUST_LIST, [robust, robust_bytes, 0, 0, 0, 0]) };
            register_rseq();
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
        wipe_brief();
        // SAFETY: see PyOS_BeforeFork above.
        unsafe { PyOS_AfterFork_Parent() };
        set_signal_mask(mask);
        for fd in fds.descriptors.iter().take(fd_count(&fds)) {
            plain(nr::CLOSE, [*fd as usize, 0, 0, 0, 0, 0]);
        }
        let mut message = Message::new(b'F', None);
        message.put(&(reaper as i64).to_le_bytes());
        message.send();
    }
}

/// The reaper's life until its own program. Returns in the worker that it forks.
extern "C" fn reap(fds: *const Rights, slot: *const u32) {
    // SAFETY: of the template, which waits until this process has memory of its own, or of the worker's copy.
    let fds = unsafe { &*fds };
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
        tell_failure(u64_at(0), START, 0, pid);
        exit(71);
    }
    let done = carry_out(AFTER, before + worker, u32_at(32) as usize, fds);
    if done {
        tell_failure(u64_at(0), START, 0, execute_reaper(pid));
    }
    plain(nr::KILL, [pid as usize, SIGKILL, 0, 0, 0, 0]);
    exit(71)
}

/// The program's file: the template keeps this number for it.
const REAPER: *const core::ffi::c_char = c"/proc/self/fd/7".as_ptr();

/// The reaper's brief, and a zero. The key is in it: the template wipes it when it has been read.
static mut BRIEF: [u8; 2 * BRIEF_BYTES + 1] = [0; 2 * BRIEF_BYTES + 1];

/// Executes the reaper's own program. Returns only an error.
fn execute_reaper(pid: isize) -> isize {
    // SAFETY: only this thread touches it.
    let key = unsafe { KEY };
    let parts = [u64_at(0), key, pid as u64 & u64::from(u32::MAX) | u64::from(u32_at(12)) << 32];
    let text = addr_of_mut!(BRIEF).cast::<u8>();
    for (at, byte) in parts.iter().flat_map(|part| part.to_ne_bytes()).enumerate() {
        for (half, digit) in [byte >> 4, byte & 15].into_iter().enumerate() {
            // SAFETY: two letters for each of BRIEF_BYTES bytes.
            unsafe { text.add(at * 2 + half).write_volatile(b'a' + digit) };
        }
    }
    let arguments = [c"reaper".as_ptr().cast::<u8>(), core::ptr::null()];
    let environment = [text.cast_const(), core::ptr::null()];
    // SAFETY: strings that end with a zero, and lists of them that do.
    unsafe { call(nr::EXECVE, [REAPER as usize, arguments.as_ptr() as usize, environment.as_ptr() as usize, 0, 0, 0]) }
}

fn wipe_brief() {
    let text = addr_of_mut!(BRIEF).cast::<u8>();
    for at in 0..2 * BRIEF_BYTES {
        // SAFETY: within it; volatile, so that it is done.
        unsafe { text.add(at).write_volatile(0) };
    }
}

/// Forks the reaper, which shares this process's memory, and has this process wait, until it executes its own program or ends. Returns its
/// pid or a negative errno, and 0 in the worker that it forks, which has a copy of the memory.
///
/// The child runs below this stack frame, as after vfork(2). What it does before it has memory of its own is a call within one block of assembly, so
/// the compiler knows of no second way out of it that could change what this process keeps on its stack.
///
/// # Safety
/// This process has one thread, and blocks all signals.
#[inline(never)]
unsafe fn fork_reaper(flags: usize, fds: &Rights, slot: *const u32) -> isize {
    // SAFETY: only this thread touches it.
    let key = unsafe { KEY } as usize;
    let flags = flags | CLONE_PARENT | CLONE_VM | CLONE_VFORK | SIGCHLD;
    let result: isize;
    // SAFETY: the x86-64 calling conventions of syscall(2) and of C; `reap` returns in the worker only, to a copy of this frame.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        core::arch::asm!("syscall", "test rax, rax", "jnz 2f", "mov rdi, r12", "mov rsi, r13", "call {reap}", "xor eax, eax", "2:",
            reap = sym reap, in("r12") fds, in("r13") slot, inlateout("rax") nr::CLONE as isize => result,
            inout("rdi") flags => _, inout("rsi") 0_usize => _, inout("rdx") 0_usize => _, inout("r10") 0_usize => _,
            inout("r8") 0_usize => _, inout("r9") key => _, clobber_abi("C"));
    }
    // SAFETY: the arm64 calling conventions of syscall(2) and of C; otherwise as above.
    #[cfg(target_arch = "aarch64")]
    unsafe {
        core::arch::asm!("svc 0", "cbnz x0, 2f", "mov x0, x20", "mov x1, x21", "bl {reap}", "mov x0, 0", "2:",
            reap = sym reap, in("x20") fds, in("x21") slot, inout("x8") nr::CLONE => _, inlateout("x0") flags => result,
            inout("x1") 0_usize => _, inout("x2") 0_usize => _, inout("x3") 0_usize => _, inout("x4") 0_usize => _,
            inout("x5") key => _, clobber_abi("C"));
    }
    result
}

/// Waits until the reaper has made itself what it has to be before code of the episode runs. It ends this process if it can't.
fn wait_for_reaper() -> bool {
    const WITHIN: [u64; 2] = [10, 0];
    let begin = 1_u64 << (SIGNAL_BEGIN - 1);
    loop {
        // SAFETY: a live set and a time limit; no details.
        let signal = unsafe {
            call(nr::SIGTIMEDWAIT, [&raw const begin as usize, 0, WITHIN.as_ptr() as usize, SET_BYTES, 0, 0])
        };
        if signal != EINTR {
            return signal == SIGNAL_BEGIN as isize;
        }
    }
}

const RSEQ_BYTES: usize = 32;
#[cfg(target_arch = "x86_64")]
const RSEQ_SIGNATURE: usize = 0x5305_3053;
#[cfg(target_arch = "aarch64")]
const RSEQ_SIGNATURE: usize = 0xd428_bc00;
/// Of `struct rseq`, and what libc has there when it could not register one.
const RSEQ_CPU_AT: usize = 4;
const RSEQ_FAILED: u32 = -2_i32 as u32;

/// Where libc keeps what the kernel tells each thread about its CPU (rseq(2)): glibc from 2.35 on says so. Null when it doesn't.
fn rseq_area() -> *mut u8 {
    // SAFETY: constant names, looked up in all that is loaded.
    let (offset, bytes) = unsafe {
        (dlsym(null_mut(), c"__rseq_offset".as_ptr()), dlsym(null_mut(), c"__rseq_size".as_ptr()))
    };
    if offset.is_null() || bytes.is_null() {
        return null_mut();
    }
    // SAFETY: a ptrdiff_t and an unsigned int (sys/rseq.h).
    let (offset, bytes) = unsafe { (offset.cast::<isize>().read(), bytes.cast::<u32>().read()) };
    if bytes == 0 {
        return null_mut();
    }
    thread_pointer().wrapping_offset(offset)
}

#[cfg(target_arch = "x86_64")]
fn thread_pointer() -> *mut u8 {
    // SAFETY: no arguments. There it is the descriptor's address.
    unsafe { pthread_self() }.cast_mut().cast()
}

#[cfg(target_arch = "aarch64")]
fn thread_pointer() -> *mut u8 {
    let pointer;
    // SAFETY: reads a register.
    unsafe { core::arch::asm!("mrs {}, tpidr_el0", out(reg) pointer, options(nomem, nostack)) };
    pointer
}

/// Registers it again in the worker: who shares memory without being a thread loses it (clone(2)), and the reaper's children with it.
fn register_rseq() {
    let area = rseq_area();
    if area.is_null() {
        return;
    }
    // SAFETY: libc's own, which nobody uses meanwhile.
    if unsafe { call(nr::RSEQ, [area as usize, RSEQ_BYTES, 0, RSEQ_SIGNATURE, 0, 0]) } < 0 {
        // SAFETY: within it.
        unsafe { area.add(RSEQ_CPU_AT).cast::<u32>().write_volatile(RSEQ_FAILED) };
    }
}

/// Makes the worker what its list says, tells the warden, and takes its control socket. A failure ends it: it is told by its place.
fn become_worker(fds: &Rights) {
    let (before, worker) = (u32_at(24) as usize, u32_at(28) as usize);
    if !carry_out(WORKER, before, worker, fds) {
        exit(71);
    }
    // SAFETY: only this thread touches it. It must not be optimised away: nothing reads it any more.
    unsafe { addr_of_mut!(KEY).write_volatile(0) };
    if !wait_for_reaper() {
        exit(71);
    }
    // By this message the warden learns its pid: the kernel adds it (SCM_CREDENTIALS, unix(7)).
    if Message::new(b'U', Some(u64_at(0))).send() < 0 || plain(nr::DUP3, [CONTROL_BEFORE, TEMPLATE_SOCKET, O_CLOEXEC, 0, 0, 0]) < 0 {
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

/// `confine(fd) -> int`: gives up every privilege that an exec could bring, and installs the system call filter from a file: the key, whether somebody listens for calls
/// that wait, then the filter's instructions. The listener goes to the warden: no fork of this process ever holds it. 0 or a negative errno.
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
    let mut result = if filled < (16 + INSTRUCTION_BYTES) as isize { -22 } else { 0 };
    if result == 0 {
        // SAFETY: eight bytes are filled; only this thread touches the key.
        unsafe { KEY = addr_of!(FILTER).cast::<u64>().read() };
        let program = FilterProgram {
            count: ((filled as usize - 16) / INSTRUCTION_BYTES) as u16,
            filter: buffer.wrapping_add(16),
        };
        // SAFETY: as above; sixteen bytes are filled.
        let listens = unsafe { addr_of!(FILTER).cast::<u64>().add(1).read() } != 0;
        let flags = if listens { NEW_LISTENER } else { 0 };
        result = plain(nr::PRCTL, [PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0]);
        if result == 0 {
            // SAFETY: a program in live memory with its true length.
            result = unsafe { call(nr::SECCOMP, [SECCOMP_SET_MODE_FILTER, flags, &raw const program as usize, 0, 0, 0]) };
            if listens && result >= 0 {
                let sent = Message::new(b'T', None).send_with(result as c_int);
                plain(nr::CLOSE, [result as usize, 0, 0, 0, 0, 0]);
                result = sent.min(0);
            }
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
