//! A reaper: the process above a worker, from which the warden takes it over. A program of its own, small and without libraries, which the
//! template's fork executes once it has forked the worker (`cells.rs`): a copy of the template would cost as much as the worker.
//!
//! `build.rs` compiles this file by itself, as the harness's native half; the server embeds the result and hands it to templates.
//!
//! It never runs Python and calls no library: it waits for its worker and for the warden's signals, kills what is left when the
//! worker has ended, tells how that was, and ends.
//!
//! A worker that was copied (`forks.rs`) is one of several **branches**. Their roots are this process's own children, which the warden names to it
//! (`ASK_ADOPT`). Where each branch has a uid of its own, that tells what is of it. Elsewhere every root is a subreaper, so that whatever other child there is descends from a branch that has
//! ended; it is killed, unless copies are just being made: those look the same until they are adopted. The cell ends with its last branch.
#![no_std]
#![no_main]

mod calls;

use core::ffi::{c_int, c_long};

use calls::{
    AT_FDCWD, BRIEF_BYTES, BY_UID, ECHILD, EINTR, HIDDEN, Message, O_CLOEXEC, O_RDONLY, SET_BYTES, SIG_BLOCK_ALL, SIGCHLD, SIGKILL, SIGNAL_BEGIN, SIGTERM,
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
/// What the warden asks a reaper for, beside SIGTERM, which is the cell's end: see `Ask` of src/sandbox/cell.rs. The signal's value is the pid of the
/// branch's root, 0 that of the first; with ASK_ADOPT the branch's uid is in the high half, with ASK_GO_ON it says whether copies may have been made, and with ASK_HOLD the value is that of the first, and in the high half one that no
/// process has but those which signal a branch.
const ASK_INTERRUPT: usize = 40;
const ASK_FREEZE: usize = 41;
const ASK_THAW: usize = 42;
const ASK_LEND: usize = 44;
const ASK_ADOPT: usize = 45;
const ASK_END: usize = 46;
const ASK_HOLD: usize = 47;
const ASK_GO_ON: usize = 48;

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
    // SAFETY: the program's only thread takes it, once.
    let cell = unsafe { &mut *core::ptr::addr_of_mut!(CELL) };
    cell.begin(brief);
    let last = cell.wait();
    end_all(&cell.brief);
    cell.tell(&last, true);
    exit(0)
}

/// Branches that live at a time.
const BRANCHES_MAX: usize = 1024;
/// Ends that are kept for later: of children that nobody has named yet, and of branches whose descendants are still being killed.
const ENDS_MAX: usize = 256;
/// How often a process that signals a branch is made again.
const SIGNALLERS_MAX: u32 = 1000;
/// Looks for descendants of branches that have ended, after which it is the cell that ends.
const ROUNDS_MAX: u32 = 20_000;

/// How a child has ended.
#[derive(Clone, Copy)]
struct End {
    pid: u32,
    /// Of its branch, if it was one.
    uid: u32,
    status: c_int,
    /// CPU time in user mode and in the kernel in microseconds, peak memory in bytes, minor and major page faults.
    usage: [u64; 5],
}

const NO_END: End = End { pid: 0, uid: 0, status: 0, usage: [0; 5] };

/// A bounded list; the oldest makes room.
struct Ends {
    ends: [End; ENDS_MAX],
    /// How many were ever put into it.
    count: usize,
}

impl Ends {
    const fn new() -> Self {
        Self { ends: [NO_END; ENDS_MAX], count: 0 }
    }

    /// Keeps one. Returns the one that had to make room.
    fn put(&mut self, end: End) -> End {
        let place = self.count % ENDS_MAX;
        self.count = self.count.wrapping_add(1);
        match self.ends.get_mut(place) {
            Some(slot) => core::mem::replace(slot, end),
            None => end,
        }
    }

    /// Takes out the one of a child.
    fn take(&mut self, pid: u32) -> Option<End> {
        let end = self.ends.iter_mut().find(|end| end.pid == pid)?;
        Some(core::mem::replace(end, NO_END))
    }
}

/// A branch: its root, and its uid where each has its own.
#[derive(Clone, Copy)]
struct Branch {
    pid: u32,
    uid: u32,
}

/// The cell: its branches, and what has ended in it.
struct Cell {
    brief: Brief,
    branches: [Branch; BRANCHES_MAX],
    count: usize,
    /// How many forks are under way: children that nobody has named may be theirs. A count, because signals that wait are taken by their numbers, and not
    /// in the order in which they were sent.
    holds: i32,
    /// A uid that is nobody's.
    spare_uid: u32,
    /// Something may be left of a branch that has ended.
    sweeps: bool,
    rounds: u32,
    /// Children that were no branches when they ended.
    strangers: Ends,
    /// Branches that have ended, until nothing is left of them.
    ended: Ends,
}

static mut CELL: Cell = Cell {
    brief: Brief { worker: 0, key: 0, pid: 0, flags: 0 },
    branches: [Branch { pid: 0, uid: 0 }; BRANCHES_MAX],
    count: 0,
    holds: 0,
    spare_uid: 0,
    sweeps: false,
    rounds: 0,
    strangers: Ends::new(),
    ended: Ends::new(),
};

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

/// The part of `siginfo_t` that is looked at: three numbers, a word that aligns, who sent it, and the value.
#[repr(C)]
struct SignalInfo {
    number: c_int,
    error: c_int,
    code: c_int,
    padding: c_int,
    sender: [u32; 2],
    value: u64,
    rest: [u64; 12],
}

fn send(target: usize, signal: usize) -> isize {
    plain(nr::KILL, [target, signal, 0, 0, 0, 0])
}

impl Cell {
    fn begin(&mut self, brief: Brief) {
        self.branches[0].pid = brief.pid;
        self.count = 1;
        self.brief = brief;
    }

    fn is_branch(&self, pid: u32) -> bool {
        self.branches.iter().take(self.count).any(|branch| branch.pid == pid)
    }

    /// Takes a branch off the list, and says what its uid was. None: it is no branch.
    fn remove(&mut self, pid: u32) -> Option<u32> {
        let place = self.branches.iter().take(self.count).position(|branch| branch.pid == pid)?;
        self.count -= 1;
        let last = self.branches.get(self.count).copied()?;
        Some(core::mem::replace(self.branches.get_mut(place)?, last).uid)
    }

    /// The branch that a signal's value names, if it lives.
    fn named(&self, value: u64) -> Option<usize> {
        self.find(value).map(|branch| branch.pid as usize)
    }

    fn find(&self, value: u64) -> Option<Branch> {
        let pid = if value == 0 { self.brief.pid } else { value as u32 };
        self.branches.iter().take(self.count).find(|branch| branch.pid == pid).copied()
    }

    fn is_by_uid(&self) -> bool {
        self.brief.flags & BY_UID != 0
    }

    /// What the warden calls a branch.
    fn name(&self, pid: u32) -> u32 {
        if pid == self.brief.pid { 0 } else { pid }
    }

    /// Waits until the last branch has ended, and does what the warden asks for meanwhile. Orphans of the cell are reaped on the way.
    fn wait(&mut self) -> End {
        let all = SIG_BLOCK_ALL;
        let at_once = [0_u64; 2];
        // SAFETY: all zeros are numbers.
        let mut info: SignalInfo = unsafe { core::mem::zeroed() };
        loop {
            // A storm of orphans must not keep it from what the warden asks for.
            let mut reaped = 0;
            while reaped < REAPED_MAX {
                let Some(mut end) = reap() else { break };
                reaped += 1;
                let Some(uid) = self.remove(end.pid) else {
                    self.strangers.put(end);
                    continue;
                };
                // Before it is the last: copies that it has made may be named by signals that wait.
                if self.count == 0 {
                    self.hear_of_copies();
                }
                if self.count == 0 {
                    self.flush();
                    return end;
                }
                end.uid = uid;
                self.leave(end);
            }
            self.sweep();
            let limit = if reaped == REAPED_MAX { &raw const at_once as usize } else { 0 };
            // SAFETY: a live set, room for the details and, where more orphans may be there, a time limit of nothing.
            let signal = unsafe {
                call(nr::SIGTIMEDWAIT, [&raw const all as usize, &raw mut info as usize, limit, SET_BYTES, 0, 0])
            };
            if signal > 0 {
                self.obey(signal as usize, info.value);
            }
        }
    }

    /// Hears of all copies that signals which wait tell of: those that are made, and those that have been.
    fn hear_of_copies(&mut self) {
        let copies = 1_u64 << (ASK_ADOPT - 1) | 1_u64 << (ASK_HOLD - 1);
        let at_once = [0_u64; 2];
        // SAFETY: all zeros are numbers.
        let mut info: SignalInfo = unsafe { core::mem::zeroed() };
        loop {
            // SAFETY: a live set, room for the details, and a time limit of nothing.
            let signal = unsafe {
                call(nr::SIGTIMEDWAIT, [&raw const copies as usize, &raw mut info as usize, &raw const at_once as usize, SET_BYTES, 0, 0])
            };
            match usize::try_from(signal) {
                Ok(signal) => self.obey(signal, info.value),
                Err(_) if signal == EINTR => {}
                Err(_) => return,
            }
        }
    }

    fn obey(&mut self, signal: usize, value: u64) {
        match signal {
            // All at once where it may: what the worker has left running would take the time of those that end.
            SIGTERM => self.kill_all(),
            ASK_INTERRUPT => {
                if let Some(root) = self.named(value) {
                    send(root, SIGINT);
                }
                self.acknowledge(value);
            }
            ASK_FREEZE | ASK_THAW => {
                let signal = if signal == ASK_FREEZE { SIGSTOP } else { SIGCONT };
                match self.find(value) {
                    Some(branch) if branch.uid != 0 => self.signal_uid(branch.uid, signal),
                    Some(branch) if !self.brief.is_walled() => drop(send(branch.pid as usize, signal)),
                    Some(_) => drop(send(usize::MAX, signal)),
                    None => {}
                }
                self.acknowledge(value);
            }
            ASK_LEND => lend_workspace(&self.brief),
            ASK_ADOPT => self.adopt(value as u32, (value >> 32) as u32),
            ASK_END => {
                if let Some(root) = self.named(value) {
                    send(root, SIGKILL);
                }
            }
            ASK_HOLD => {
                self.holds = self.holds.wrapping_add(1);
                self.spare_uid = (value >> 32) as u32;
                let first = self.brief.pid;
                if let Some(branch) = self.branches.iter_mut().take(self.count).find(|branch| branch.pid == first) {
                    branch.uid = value as u32;
                }
            }
            ASK_GO_ON => {
                self.holds = self.holds.wrapping_sub(1);
                // Copies that nobody has named are nobody's. Without any, a child that is no branch is the program's.
                if value != 0 {
                    self.sweeps = true;
                    self.rounds = 0;
                }
            }
            _ => {}
        }
    }

    fn kill_all(&self) {
        if self.brief.is_walled() {
            send(usize::MAX, SIGKILL);
            return;
        }
        for branch in self.branches.iter().take(self.count) {
            send(branch.pid as usize, SIGKILL);
        }
    }

    /// A copy has been made: a child that is a branch from now on, or was one.
    fn adopt(&mut self, pid: u32, uid: u32) {
        if self.is_branch(pid) {
            return;
        }
        // A child of that number that is there is another one than the stranger that had it before.
        if let Some(mut end) = self.strangers.take(pid)
            && !is_child(pid)
        {
            end.uid = uid;
            self.leave(end);
        } else if let Some(slot) = self.branches.get_mut(self.count) {
            *slot = Branch { pid, uid };
            self.count += 1;
        } else {
            send(pid as usize, SIGKILL);
        }
    }

    /// A branch has ended, and others live. It is told once nothing is left of it.
    fn leave(&mut self, end: End) {
        self.sweeps = true;
        self.rounds = 0;
        let oldest = self.ended.put(end);
        if oldest.pid != 0 {
            self.tell(&oldest, false);
        }
    }

    /// Kills what is left of branches that have ended, as long as there is something. The next look is when one of them has ended.
    fn sweep(&mut self) {
        if !self.sweeps {
            return;
        }
        if self.is_by_uid() {
            self.sweep_by_uid();
            return;
        }
        if self.holds > 0 {
            return;
        }
        self.rounds += 1;
        if self.rounds > ROUNDS_MAX {
            // It forks faster than it is killed: the cell is ended as a whole, which is sure.
            self.kill_all();
            return;
        }
        // SAFETY: the program's only thread uses it here alone.
        let list = unsafe { &mut *core::ptr::addr_of_mut!(CHILDREN) };
        let count = read_children(list);
        // Whoever is in the list and belongs to a copy was told of before it was made.
        self.hear_of_copies();
        if self.holds > 0 {
            return;
        }
        let mut found = false;
        for pid in list.iter().take(count).filter(|pid| !self.is_branch(**pid)) {
            found = true;
            send(*pid as usize, SIGKILL);
        }
        if !found && count < CHILDREN_MAX {
            self.sweeps = false;
            self.flush();
        }
    }

    /// The same, where each branch has its uid: the kernel lets nobody fork between two signals of one kill(2).
    fn sweep_by_uid(&mut self) {
        self.sweeps = false;
        for place in 0..ENDS_MAX {
            let Some(end) = self.ended.ends.get(place).copied() else { return };
            if end.pid == 0 {
                continue;
            }
            if end.uid != 0 && has_processes(end.uid) {
                self.signal_uid(end.uid, SIGKILL);
                if has_processes(end.uid) {
                    // They are ending: each comes here to be reaped.
                    self.sweeps = true;
                    continue;
                }
            }
            if let Some(slot) = self.ended.ends.get_mut(place) {
                *slot = NO_END;
            }
            self.tell(&end, false);
        }
    }

    /// Signals all processes of a uid that this one can reach, by one that is that user for the purpose, and that they can't signal: its real uid, which counts for them, is
    /// nobody's but that of its like. One that another of those has killed on its way is made again.
    fn signal_uid(&self, uid: u32, signal: usize) {
        for _ in 0..SIGNALLERS_MAX {
            let pid = plain(nr::CLONE, [SIGCHLD, 0, 0, 0, 0, 0]);
            if pid == 0 {
                let spare = self.spare_uid as usize;
                let changed = plain(nr::SETRESUID, [spare, uid as usize, spare, 0, 0, self.brief.key as usize]);
                if changed == 0 {
                    send(usize::MAX, signal);
                }
                exit(0)
            }
            if pid < 0 {
                return;
            }
            let mut status: c_int = 0;
            // SAFETY: a live local; nobody asks what it used.
            while unsafe { call(nr::WAIT4, [pid as usize, &raw mut status as usize, 0, 0, 0, 0]) } == EINTR {}
            if status & 0x7f == 0 {
                return;
            }
        }
    }

    /// Tells of the branches that have ended.
    fn flush(&mut self) {
        if self.ended.count == 0 {
            return;
        }
        for end in &self.ended.ends {
            if end.pid != 0 {
                self.tell(end, false);
            }
        }
        self.ended = Ends::new();
    }

    /// Tells that a branch has ended and nothing is left of it. `last`: nor of the cell.
    fn tell(&self, end: &End, last: bool) {
        let mut message = Message::new(b'X', Some(self.brief.worker));
        message.put(&self.name(end.pid).to_le_bytes());
        message.put(&[u8::from(last)]);
        message.put(&end.status.to_le_bytes());
        for value in end.usage {
            message.put(&value.to_le_bytes());
        }
        message.send();
    }

    /// Tells that a signal was sent.
    fn acknowledge(&self, value: u64) {
        let mut message = Message::new(b'G', Some(self.brief.worker));
        message.put(&(value as u32).to_le_bytes());
        message.send();
    }
}

/// Whether a process of this uid is there, ended and not reaped ones included: getpriority(2).
fn has_processes(uid: u32) -> bool {
    const PRIO_USER: usize = 2;
    plain(nr::GETPRIORITY, [PRIO_USER, uid as usize, 0, 0, 0, 0]) >= 0
}

/// Whether this process has such a child, which may have ended and not be reaped: waitid(2) fails with ECHILD if not.
fn is_child(pid: u32) -> bool {
    const P_PID: usize = 1;
    const WEXITED: usize = 4;
    const WNOWAIT: usize = 0x0100_0000;
    plain(nr::WAITID, [P_PID, pid as usize, 0, WNOHANG | WEXITED | WNOWAIT, 0, 0]) == 0
}

/// Reaps a child that has ended, if there is one.
fn reap() -> Option<End> {
    let mut status = 0;
    let mut usage: Rusage = [0; 18];
    let pid = wait_any(WNOHANG, &mut status, &mut usage);
    if pid <= 0 {
        return None;
    }
    let usage = [
        micros(usage[0], usage[1]),
        micros(usage[2], usage[3]),
        usage[4].unsigned_abs() << 10,
        usage[8].unsigned_abs(),
        usage[9].unsigned_abs(),
    ];
    Some(End { pid: pid as u32, uid: 0, status, usage })
}

const O_DIRECTORY: usize = if cfg!(target_arch = "aarch64") { 0o40_000 } else { 0o200_000 };
const O_PATH: usize = 0o10_000_000;

/// Lends the warden a descriptor of the directory that the episode's files are in, where the cell has mounts of its own: no process outside has a
/// path that leads there. Nothing that the program does changes where it is, for it can't mount.
fn lend_workspace(brief: &Brief) {
    let path = c"/workspace".as_ptr();
    // SAFETY: a constant path.
    let place = unsafe { call(nr::OPENAT, [AT_FDCWD, path as usize, O_PATH | O_DIRECTORY | O_CLOEXEC, 0, 0, 0]) };
    let mut message = Message::new(b'W', Some(brief.worker));
    message.put(&0_u32.to_le_bytes());
    if place < 0 {
        message.send();
        return;
    }
    message.send_with(place as c_int);
    plain(nr::CLOSE, [place as usize, 0, 0, 0, 0, 0]);
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
                } else {
                    // SAFETY: the program's only thread uses it here alone.
                    let list = unsafe { &mut *core::ptr::addr_of_mut!(CHILDREN) };
                    let count = read_children(list);
                    for pid in list.iter().take(count) {
                        send(*pid as usize, SIGKILL);
                    }
                    if count == 0 {
                        return;
                    }
                }
                pause = 0;
            }
            error if error < 0 => return,
            _ => pause = WNOHANG,
        }
    }
}

/// Children that are looked at at once; others in a later round.
const CHILDREN_MAX: usize = 4096;
static mut CHILDREN: [u32; CHILDREN_MAX] = [0; CHILDREN_MAX];

/// This process's children, by the kernel's list of them (proc_pid_children(5), CONFIG_PROC_CHILDREN). Returns how many there are, at most as many as there
/// is room for.
fn read_children(list: &mut [u32; CHILDREN_MAX]) -> usize {
    let path = c"/proc/thread-self/children".as_ptr();
    // SAFETY: a constant path.
    let file = unsafe { call(nr::OPENAT, [AT_FDCWD, path as usize, O_RDONLY | O_CLOEXEC, 0, 0, 0]) };
    if file < 0 {
        return 0;
    }
    let mut count = 0;
    let mut pid = 0_u32;
    loop {
        let mut text = [0_u8; 4096];
        // SAFETY: a live buffer with its size.
        let filled = unsafe { call(nr::READ, [file as usize, text.as_mut_ptr() as usize, text.len(), 0, 0, 0]) };
        if filled <= 0 {
            break;
        }
        for byte in text.iter().take(filled as usize) {
            if byte.is_ascii_digit() {
                pid = pid.wrapping_mul(10).wrapping_add(u32::from(byte - b'0'));
            } else if pid > 1 {
                if let Some(slot) = list.get_mut(count) {
                    *slot = pid;
                    count += 1;
                }
                pid = 0;
            }
        }
    }
    plain(nr::CLOSE, [file as usize, 0, 0, 0, 0, 0]);
    count
}
