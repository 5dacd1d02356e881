//! How a worker is copied: it forks itself, once for each order that comes while it says that it is ready for that.
//!
//! Where there is a warden that answers for it (`src/sandbox/warden/copies.rs`), a copy asks that for what it is to be: its channel, which so never was its worker's, its uid, and
//! a root where it gets one. Elsewhere its channel comes through the worker.
//!
//! The copy becomes a child of the worker's own parent, the reaper (CLONE_PARENT), so that it may outlive the worker. Between two copies no Python runs:
//! the interpreter's own hooks are called once before the first and once after the last, and in each copy.

use core::ffi::{c_char, c_int, c_long};
use core::mem::MaybeUninit;
use core::ptr::{addr_of, addr_of_mut, null_mut};

use crate::calls::{COPY_MARK, EINTR, IoVec, MSG_NOSIGNAL, MsgHdr, O_CLOEXEC, RIGHTS_HEADER_BYTES, SIG_BLOCK_ALL, call, exit, nr, plain};
use crate::cells::{CLONE_PARENT, clone, set_signal_mask, thread_id_slot};
use crate::{
    CONTROL, MAP_ANONYMOUS, MAP_SHARED, Object, PROT_READ, PROT_WRITE, Py_BuildValue, PyArg_ParseTuple, PyBytes_AsStringAndSize,
    PyLong_FromLong, PyOS_AfterFork_Child, PyOS_AfterFork_Parent, PyOS_BeforeFork,
};

/// The orders that come: see src/executor/frame.rs.
const COPY: u8 = 5;
const DONE: u8 = 6;
const TELL: u8 = 7;
/// The answer: how many copies were made, and the process ids.
const FORKED: u8 = 6;

/// The most copies of one fork.
const COPIES_MAX: usize = 1024;
/// The largest order: a path, and what the random state begins with.
const ORDER_BYTES_MAX: usize = 4096 + 64;
const HEADER_BYTES: usize = 4;
/// The descriptors of a copy: control, stdout, stderr.
const FDS: usize = 3;

const PR_SET_PDEATHSIG: usize = 1;
const PR_SET_CHILD_SUBREAPER: usize = 36;
const PR_GET_SECCOMP: usize = 21;
const SECCOMP_MODE_FILTER: isize = 2;
const SIGKILL: usize = 9;
const MSG_CMSG_CLOEXEC: usize = 0x4000_0000;

/// The size of the answer, its kind, how many pids, and those.
#[repr(C, packed)]
struct Answer {
    bytes: u32,
    kind: u8,
    count: u32,
    pids: [i32; COPIES_MAX],
}

static mut ANSWER: Answer = Answer { bytes: 0, kind: FORKED, count: 0, pids: [0; COPIES_MAX] };
static mut ORDER: [u8; ORDER_BYTES_MAX] = [0; ORDER_BYTES_MAX];

/// A `struct cmsghdr` with the descriptors of a copy.
#[repr(C)]
struct Rights {
    bytes: usize,
    level: c_int,
    kind: c_int,
    descriptors: [c_int; FDS + 1],
}

/// Reads exactly so many bytes, and takes descriptors that come with the first of them. False when the server has gone.
fn receive(to: *mut u8, bytes: usize, rights: &mut Rights) -> bool {
    let mut filled = 0;
    while filled < bytes {
        let mut iov = IoVec { base: to.wrapping_add(filled), bytes: bytes - filled };
        let mut message = MsgHdr {
            name: null_mut(),
            name_bytes: 0,
            iov: &raw mut iov,
            iov_count: 1,
            control: (rights as *mut Rights).cast(),
            control_bytes: if filled == 0 && rights.bytes == 0 { size_of::<Rights>() } else { 0 },
            flags: 0,
        };
        // SAFETY: the message points at live memory with its true sizes.
        let received = unsafe { call(nr::RECVMSG, [CONTROL, &raw mut message as usize, MSG_CMSG_CLOEXEC, 0, 0, 0]) };
        if received == EINTR {
            continue;
        }
        if received <= 0 {
            return false;
        }
        filled += received as usize;
    }
    true
}

fn send(bytes: *const u8, count: usize) -> bool {
    let mut sent = 0;
    while sent < count {
        // SAFETY: within what the caller has.
        let result = unsafe { call(nr::SENDTO, [CONTROL, bytes as usize + sent, count - sent, MSG_NOSIGNAL, 0, 0]) };
        if result == EINTR {
            continue;
        }
        if result <= 0 {
            return false;
        }
        sent += result as usize;
    }
    true
}

fn no_rights() -> Rights {
    Rights { bytes: 0, level: 0, kind: 0, descriptors: [-1; FDS + 1] }
}

fn close_all(rights: &Rights) {
    for fd in rights.descriptors.iter().filter(|fd| **fd >= 0) {
        plain(nr::CLOSE, [*fd as usize, 0, 0, 0, 0, 0]);
    }
}

/// What libc keeps for this thread, which a copy has to be given again.
struct Thread {
    slot: *const u32,
    robust: usize,
    robust_bytes: usize,
}

impl Thread {
    fn look() -> Self {
        let mut thread = Self { slot: thread_id_slot(), robust: 0, robust_bytes: 0 };
        // SAFETY: both addresses are of live locals of the right size.
        unsafe {
            call(
                nr::GET_ROBUST_LIST,
                [0, &raw mut thread.robust as usize, &raw mut thread.robust_bytes as usize, 0, 0, 0],
            );
        }
        thread
    }
}

/// `make_copies(answer) -> None | int | (bytes, int, int)`: sends `answer`, which says that the worker is ready to be copied, and carries out the orders that come. None in the
/// worker when all is done, 0 when the server has gone. In a copy, which has the control socket already: its order, its stdout and its stderr.
pub(crate) unsafe extern "C" fn make_copies(_: Object, object: Object) -> Object {
    let mut text: *mut c_char = null_mut();
    let mut bytes: isize = 0;
    // SAFETY: it raises for what is no bytes object.
    if unsafe { PyBytes_AsStringAndSize(object, &raw mut text, &raw mut bytes) } < 0 {
        return null_mut();
    }
    // SAFETY: the GIL is held.
    let gone = || unsafe { PyLong_FromLong(0) };
    if !send(text.cast(), bytes as usize) {
        return gone();
    }
    let thread = Thread::look();
    // Orphans of this branch are to be told from those of others. Where that is forbidden, something else tells them apart.
    plain(nr::PRCTL, [PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0, 0]);
    // Copies that have its uid are not to look into it, nor it or they into them, which inherit it. The filter lets this pass where nothing else does that.
    if plain(nr::PRCTL, [PR_GET_SECCOMP, 0, 0, 0, 0, 0]) == SECCOMP_MODE_FILTER {
        plain(nr::PRCTL, [PR_SET_DUMPABLE, 0, 0, 0, 0, 0]);
    }
    let mask = set_signal_mask(SIG_BLOCK_ALL);
    let mut begun = false;
    let mut closed = false;
    let mut count = 0_usize;
    // SAFETY: only the main thread comes here.
    let (answer, order) = unsafe { (&mut *addr_of_mut!(ANSWER), addr_of_mut!(ORDER).cast::<u8>()) };
    let whole = loop {
        let mut rights = no_rights();
        let mut header = [0_u8; HEADER_BYTES];
        if !receive(header.as_mut_ptr(), HEADER_BYTES, &mut rights) {
            break false;
        }
        let size = u32::from_le_bytes(header) as usize;
        if size == 0 || size > ORDER_BYTES_MAX || !receive(order, size, &mut rights) {
            close_all(&rights);
            break false;
        }
        // SAFETY: at least one byte is filled.
        match unsafe { order.read() } {
            DONE => break true,
            TELL => {
                let body = 1 + 4 + count * 4;
                answer.bytes = (body as u32).to_le();
                answer.count = (count as u32).to_le();
                if !send(addr_of!(*answer).cast(), HEADER_BYTES + body) {
                    break false;
                }
                continue;
            }
            COPY if count < COPIES_MAX => {}
            _ => break false,
        }
        if !begun {
            begun = true;
            // SAFETY: the GIL is held; a matching PyOS_AfterFork_* follows wherever Python runs again.
            unsafe { PyOS_BeforeFork() };
            if rights.bytes == 0 {
                // Its copies have its uid at first, and inherit this: nobody of its user opens their memory. The warden looks at them.
                closed = ask(nr::PRCTL, [PR_SET_DUMPABLE, 0, 0]) == 0;
            }
        }
        // SAFETY: the server copies a worker only if it has one thread.
        let pid = unsafe { clone(CLONE_PARENT, thread.slot) };
        if pid == 0 {
            return become_copy(&thread, &rights, count, order, size, mask);
        }
        close_all(&rights);
        if let Some(slot) = answer.pids_mut().get_mut(count * 4..count * 4 + 4) {
            slot.copy_from_slice(&(pid as i32).to_le_bytes());
        }
        count += 1;
    };
    if closed {
        // The warden lets that wait until its copies have users of their own.
        ask(nr::PRCTL, [PR_SET_DUMPABLE, 1, 0]);
    }
    if begun {
        // SAFETY: see PyOS_BeforeFork above.
        unsafe { PyOS_AfterFork_Parent() };
    }
    set_signal_mask(mask);
    if !whole {
        return gone();
    }
    // SAFETY: an empty format builds None.
    unsafe { Py_BuildValue(c"".as_ptr()) }
}

impl Answer {
    fn pids_mut(&mut self) -> &mut [u8; COPIES_MAX * 4] {
        // SAFETY: as many bytes, without an alignment of their own.
        unsafe { &mut *addr_of_mut!(self.pids).cast() }
    }
}

/// Makes a new process whole, and takes its channel. A failure ends it: the server waits for its first word.
fn become_copy(thread: &Thread, rights: &Rights, index: usize, order: *const u8, size: usize, mask: u64) -> Object {
    // SAFETY: the list head that libc registered for this thread, at the same address here.
    unsafe { call(nr::SET_ROBUST_LIST, [thread.robust, thread.robust_bytes, 0, 0, 0, 0]) };
    // A fork forgets both. Where they are forbidden, the cell's other walls do without.
    plain(nr::PRCTL, [PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0, 0]);
    plain(nr::PRCTL, [PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0, 0]);
    if plain(nr::SETSID, [0; 6]) < 0 {
        exit(71); // no number of a new process is that of a group: setsid(2)
    }
    let asked = rights.bytes == 0;
    // SAFETY: only this thread touches it.
    unsafe { ASKED = asked };
    let streams = if asked { ask_for_all(index) } else { take_channel(rights) };
    let Some([stdout, stderr]) = streams else { exit(72) };
    // SAFETY: see PyOS_BeforeFork of `make_copies`.
    unsafe { PyOS_AfterFork_Child() };
    set_signal_mask(mask);
    // SAFETY: "y#" takes a pointer and a Py_ssize_t, "i" an int.
    unsafe { Py_BuildValue(c"(y#ii)".as_ptr(), order, size as isize, stdout, stderr) }
}

/// Puts the control socket that came through the worker into its place. Returns the other two.
fn take_channel(rights: &Rights) -> Option<[c_int; 2]> {
    let [control, stdout, stderr, ..] = rights.descriptors;
    let has_all = rights.bytes == RIGHTS_HEADER_BYTES + FDS * size_of::<c_int>();
    if !has_all || plain(nr::DUP3, [control as usize, CONTROL, O_CLOEXEC, 0, 0, 0]) < 0 {
        return None;
    }
    plain(nr::CLOSE, [control as usize, 0, 0, 0, 0, 0]);
    Some([stdout, stderr])
}

/// This process is a copy that the warden answers for.
static mut ASKED: bool = false;
/// What is asked for by a call that is not made: by a copy for all that it is to be, and whether it may begin; by a worker for what it holds.
const ASK_ALL: usize = 1;
const ASK_BEGIN: usize = 2;
const ASK_FACTS: usize = 3;
/// What a copy that has its uid asks for: what it moves itself to its control groups by.
const ASK_GROUPS: usize = 4;
/// How many bits of an answer are a descriptor. All of them set are none.
const FD_BITS: usize = 10;
const NO_FD: usize = (1 << FD_BITS) - 1;
/// How many bits of the answer about control groups are the number of descriptors, which follow.
const COUNT_BITS: usize = 3;
const PR_SET_DUMPABLE: usize = 4;

/// A call about which the filter asks the warden.
fn ask(number: usize, [a, b, c]: [usize; 3]) -> isize {
    plain(number, [a, b, c, 0, 0, COPY_MARK])
}

/// Asks the warden for something. It is a call that container engines let pass; made by the kernel all the same, with this uid, it would change nothing.
fn ask_warden(what: usize, value: usize) -> isize {
    ask(nr::SETFSUID, [usize::MAX, what, value])
}

/// Takes the channel that the warden has for this copy, enters its root, if it gets one, and becomes its user. Returns stdout and stderr. The control socket is in its
/// place already: it took that of the worker's.
fn ask_for_all(index: usize) -> Option<[c_int; 2]> {
    let answer = ask_warden(ASK_ALL, index);
    if answer < 0 {
        return None;
    }
    let fd = |place: usize| answer as usize >> (place * FD_BITS) & NO_FD;
    let [stdout, stderr, root, uid] = [fd(0), fd(1), fd(2), answer as usize >> (3 * FD_BITS)];
    let mut failed = if root == NO_FD { 0 } else { enter_root(root) };
    let steps: [(&[u8], &dyn Fn() -> isize); 4] = [
        (b"setresgid", &|| ask(nr::SETRESGID, [uid; 3])),
        (b"setresuid", &|| ask(nr::SETRESUID, [uid; 3])),
        // A new uid takes it, and /proc/self with it.
        (b"prctl", &|| ask(nr::PRCTL, [PR_SET_DUMPABLE, 1, 0])),
        (b"its control groups", &enter_groups),
    ];
    let mut what: &[u8] = b"its root";
    for (name, step) in steps {
        if failed == 0 {
            what = name;
            failed = step();
        }
    }
    if failed != 0 {
        tell_failed(stderr, what, failed.unsigned_abs());
        return None;
    }
    Some([stdout as c_int, stderr as c_int])
}

/// Writes to a copy's own stderr why it can't be made, for whoever waits for it.
fn tell_failed(stderr: usize, what: &[u8], errno: usize) {
    let digits = [b'0' + (errno / 100 % 10) as u8, b'0' + (errno / 10 % 10) as u8, b'0' + (errno % 10) as u8];
    for part in [b"the copy could not be made: ".as_slice(), what, b": errno ", &digits] {
        plain(nr::WRITE, [stderr, part.as_ptr() as usize, part.len(), 0, 0, 0]);
    }
}

/// Moves this process to its control groups, where it is to do that itself. Whether it has is looked at before it begins. 0 or a negative errno.
fn enter_groups() -> isize {
    let answer = ask_warden(ASK_GROUPS, 0);
    if answer < 0 {
        return answer;
    }
    let count = answer as usize & ((1 << COUNT_BITS) - 1);
    let mut failed = 0;
    for place in 0..count {
        let fd = answer as usize >> (COUNT_BITS + place * FD_BITS) & NO_FD;
        failed = plain(nr::WRITE, [fd, c"0".as_ptr() as usize, 1, 0, 0, 0]).min(failed);
        plain(nr::CLOSE, [fd, 0, 0, 0, 0, 0]);
    }
    failed
}

/// 0 or a negative errno.
fn enter_root(root: usize) -> isize {
    let place = c".".as_ptr() as usize;
    let entered = plain(nr::FCHDIR, [root, 0, 0, 0, 0, 0]);
    if entered < 0 {
        return entered;
    }
    let entered = ask(nr::CHROOT, [place, 0, 0]);
    if entered < 0 {
        return entered;
    }
    plain(nr::CLOSE, [root, 0, 0, 0, 0, 0])
}

/// `ask_for_facts() -> int`: a descriptor of what the warden has seen of this worker, which is to be copied, where that can't see it for itself; or a negative errno.
pub(crate) unsafe extern "C" fn ask_for_facts(_: Object, _: Object) -> Object {
    // SAFETY: the GIL is held.
    unsafe { PyLong_FromLong(ask_warden(ASK_FACTS, 0) as c_long) }
}

/// `copy_is_ready() -> int`: asks the warden to look at this copy, which then is what it will be. 0 or a negative errno.
pub(crate) unsafe extern "C" fn copy_is_ready(_: Object, _: Object) -> Object {
    // SAFETY: only this thread touches it; the GIL is held.
    unsafe { PyLong_FromLong(if ASKED { ask_warden(ASK_BEGIN, 0) as c_long } else { 0 }) }
}

const MREMAP_MAYMOVE_FIXED: usize = 1 | 2;
const MAP_FIXED: usize = 0x10;
const MAP_PRIVATE: usize = 2;

/// `renew_mapping(start, bytes, protection, shared, file, offset) -> int`: replaces a mapping of what is of the process that this one is a copy of: by memory of the same content where
/// `file` is negative, else by that file, shared. 0 or a negative errno.
pub(crate) unsafe extern "C" fn renew_mapping(_: Object, args: Object) -> Object {
    let (mut start, mut bytes, mut protection, mut offset): (u64, u64, u64, u64) = (0, 0, 0, 0);
    let (mut shared, mut file): (c_int, c_int) = (0, -1);
    // SAFETY: "K" takes an unsigned long long, "i" an int.
    let parsed = unsafe {
        PyArg_ParseTuple(
            args,
            c"KKKiiK".as_ptr(),
            &raw mut start,
            &raw mut bytes,
            &raw mut protection,
            &raw mut shared,
            &raw mut file,
            &raw mut offset,
        )
    };
    if parsed == 0 {
        return null_mut();
    }
    let [start, bytes, protection, offset] = [start as usize, bytes as usize, protection as usize, offset as usize];
    let result = if file >= 0 {
        let flags = MAP_SHARED | MAP_FIXED;
        // SAFETY: the caller read the mapping from /proc/self/maps; nobody uses it meanwhile.
        unsafe { call(nr::MMAP, [start, bytes, protection, flags, file as usize, offset]) }
    } else {
        // SAFETY: as above.
        unsafe { renew_memory(start, bytes, protection, if shared != 0 { MAP_SHARED } else { MAP_PRIVATE }) }
    };
    // SAFETY: the GIL is held.
    unsafe { PyLong_FromLong(if result < 0 { result as c_long } else { 0 }) }
}

/// # Safety
/// A mapping of that size and protection, which nobody else uses meanwhile.
unsafe fn renew_memory(start: usize, bytes: usize, protection: usize, kind: usize) -> isize {
    let flags = kind | MAP_ANONYMOUS;
    let new = plain(nr::MMAP, [0, bytes, PROT_READ | PROT_WRITE, flags, usize::MAX, 0]);
    if new < 0 {
        return new;
    }
    if protection & PROT_READ != 0 {
        // SAFETY: both have that many bytes, and can be read and written.
        unsafe { (new as *mut MaybeUninit<u8>).copy_from_nonoverlapping(start as *const MaybeUninit<u8>, bytes) };
    }
    let result = plain(nr::MPROTECT, [new as usize, bytes, protection, 0, 0, 0]);
    if result < 0 {
        return result;
    }
    plain(nr::MREMAP, [new as usize, bytes, bytes, MREMAP_MAYMOVE_FIXED, start, 0])
}
