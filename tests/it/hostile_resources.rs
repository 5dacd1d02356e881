//! Catalogue A: programs that take all they can get. Every loop is bounded, so that the machine survives also where a wall is missing.

use std::time::Duration;

use coding_env::proto::v1::{Outcome, StateAfter, StepResponse};

use crate::support::Server;
use crate::support::hostile::{
    Case, REFUSED, REFUSED_OR_ABSENT, attempts, case, ends, numbers, prints, run, shown,
};
use crate::support::places::each_place;

const MIB: u64 = 1 << 20;
/// Small, so that they are reached soon.
const FLAGS: [&str; 14] = [
    "--max-memory-bytes",
    "536870912",
    "--max-open-files",
    "64",
    "--max-file-bytes",
    "16777216",
    "--max-processes",
    "40",
    "--max-total-memory-bytes",
    "402653184",
    "--max-workspace-bytes",
    "67108864",
    "--max-workspace-inodes",
    "2000",
];
const TIMED_OUT: [(i32, Outcome, StateAfter); 2] = [
    (124, Outcome::TimedOut, StateAfter::Intact),
    (124, Outcome::TimedOut, StateAfter::Lost),
];

/// What the server says that it bounds, beyond what every level does.
#[derive(Debug, Clone, Copy)]
struct Told {
    processes: bool,
    total_memory: bool,
    workspace: bool,
    inodes: bool,
}

async fn told(server: &Server) -> Told {
    let info = server.env().await.server_info().await.unwrap();
    let limits = info.max_limits.unwrap();
    Told {
        processes: limits.processes.is_some(),
        total_memory: limits.total_memory_bytes.is_some(),
        workspace: limits.workspace_bytes.is_some(),
        inodes: limits.workspace_inodes.is_some(),
    }
}

fn has_printed(text: &'static str) -> impl Fn(&StepResponse) -> Result<(), String> + Send + Sync {
    move |reply| {
        let ok = reply.stdout().contains(text) && reply.state_after() == StateAfter::Intact;
        ok.then_some(())
            .ok_or_else(|| format!("no {text:?}: {}", shown(reply)))
    }
}

/// The limit stops it, and the state survives; or the level does not bound it, says so, and the program comes to its own bounded end.
fn refused_if(
    told: bool,
    error: &'static str,
    end: &'static str,
) -> impl Fn(&StepResponse) -> Result<(), String> + Send + Sync {
    has_printed(if told { error } else { end })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_program_takes_is_bounded() {
    each_place(&FLAGS, async |_, server| {
        let told = told(server).await;
        eprintln!("  {told:?}");
        let mut cases = processes(told);
        cases.extend(memory(told));
        cases.extend(files(told));
        cases.extend(output());
        cases.extend(time());
        run(server, cases).await
    })
    .await;
}

fn processes(told: Told) -> Vec<Case> {
    vec![
        case(
            "1 fork bomb",
            "parent = os.getpid()
refused = 0
for _ in range(8):
    try: os.fork()
    except OSError as error: refused = error.errno
# At most 256 processes. Whoever was refused says so.
if refused: os.write(1, name(refused).encode() + b'\\n')
if os.getpid() != parent: time.sleep(60); os._exit(0)
time.sleep(1)
print('end', flush=True)",
            refused_if(told.processes, "EAGAIN", "end"),
        ),
        case(
            "3 thread bomb",
            // `threading` waits for each thread to have begun, which one that finds no memory never tells.
            "import _thread
_thread.stack_size(65536)
gate, before, said = _thread.allocate_lock(), _thread._count(), 'all'
gate.acquire()
def wait():
    with gate: pass
try:
    for _ in range(2000): _thread.start_new_thread(wait, ())
except (RuntimeError, MemoryError): said = 'refused'
gate.release()
until = time.monotonic() + 10
while _thread._count() > before and time.monotonic() < until: time.sleep(0.01)
print(said, 'end')",
            refused_if(told.processes, "refused", "end"),
        ),
        case(
            "27 zombies",
            "try:
    for _ in range(300):
        if os.fork() == 0: os._exit(0)
    print('all')
except OSError as error: print(name(error.errno))",
            refused_if(told.processes, "EAGAIN", "all"),
        ),
        attempts(
            "28 a greater share",
            &numbers![SYS_sched_setscheduler SYS_sched_setattr SYS_ioprio_set SYS_mlockall],
            &[
                (
                    "oom_score_adj",
                    "put('/proc/self/oom_score_adj', '-1000')",
                    "EACCES EPERM ENOENT EROFS",
                ),
                ("nice", "os.nice(-5)", REFUSED),
                (
                    "real time",
                    "os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))",
                    REFUSED,
                ),
                (
                    "deadline",
                    "syscall(SYS_sched_setattr, 0, (ctypes.c_uint64 * 6)(48 | 6 << 32, 0, 0, 10**7, 10**8, 10**8), 0)",
                    REFUSED,
                ),
                (
                    "real time input",
                    "syscall(SYS_ioprio_set, 1, 0, 1 << 13)",
                    REFUSED,
                ),
                (
                    "lock memory",
                    "syscall(SYS_mlockall, 3)",
                    "EPERM ENOMEM ENOSYS",
                ),
                (
                    "more files",
                    "__import__('resource').setrlimit(7, (4096, 4096))",
                    "ValueError EPERM",
                ),
                (
                    "more memory",
                    "__import__('resource').setrlimit(9, (-1, -1))",
                    "ValueError EPERM",
                ),
            ],
        ),
        case(
            "30 page faults without end",
            "import mmap
area, until, count = mmap.mmap(-1, 64 << 20), time.monotonic() + 1.5, 0
while time.monotonic() < until:
    for at in range(0, len(area), 4096): area[at] = 1
    area.madvise(mmap.MADV_DONTNEED); count += 1
print('end')",
            has_printed("end"),
        ),
    ]
}

fn memory(told: Told) -> Vec<Case> {
    vec![
        case(
            "4 a hundred gigabytes at once",
            "bytearray(10**11)",
            ends(&[(1, Outcome::Raised, StateAfter::Intact)]),
        ),
        case(
            "5 memory touched slowly",
            "kept = []
try:
    for _ in range(256): kept.append(bytearray(b'x') * (8 << 20))
    print('all')
except MemoryError:
    kept.clear(); print('MemoryError')",
            move |reply| {
                let killed = reply.outcome() == Outcome::LimitExceeded
                    && (reply.exit_code(), reply.state_after()) == (137, StateAfter::Lost);
                let raised =
                    reply.stdout() == "MemoryError\n" && reply.state_after() == StateAfter::Intact;
                let ok = raised || (told.total_memory && killed);
                ok.then_some(()).ok_or_else(|| shown(reply))
            },
        ),
        case(
            "6 children that are each below the limit",
            "ends = []
children = []
for _ in range(4):
    pid = os.fork()
    if pid == 0:
        kept = bytearray(b'x') * (240 << 20); os.write(1, b'held\\n'); time.sleep(1.5); os._exit(0)
    children.append(pid)
ends = [os.waitpid(pid, 0)[1] for pid in children]
print(ends)",
            move |reply| {
                let unbounded = reply.stdout().ends_with("[0, 0, 0, 0]\n");
                let killed = reply.outcome() == Outcome::LimitExceeded
                    || (reply.outcome() == Outcome::Completed && !unbounded);
                let ok = if told.total_memory { killed } else { unbounded };
                ok.then_some(()).ok_or_else(|| shown(reply))
            },
        ),
        attempts(
            "7, 8, 9 memory beside the limits",
            &numbers![SYS_memfd_create SYS_memfd_secret SYS_shmget SYS_shmat SYS_semget SYS_msgget SYS_mq_open],
            &[
                ("7 memfd_create", "os.memfd_create('x')", REFUSED),
                (
                    "7 memfd_create by number",
                    "syscall(SYS_memfd_create, b'x', 0)",
                    REFUSED,
                ),
                ("7 memfd_secret", "syscall(SYS_memfd_secret, 0)", REFUSED),
                (
                    "8 shmget",
                    "syscall(SYS_shmget, 0, 1 << 20, 0o1600)",
                    REFUSED,
                ),
                ("8 semget", "syscall(SYS_semget, 0, 1, 0o1600)", REFUSED),
                ("8 msgget", "syscall(SYS_msgget, 0, 0o1600)", REFUSED),
                (
                    "9 mq_open",
                    "syscall(SYS_mq_open, b'x', 0o102, 0o600, 0)",
                    REFUSED,
                ),
            ],
        ),
        case(
            "10 memory in socket buffers",
            "import socket
pairs = []
try:
    for _ in range(100):
        pair = socket.socketpair()
        for end in pair:
            end.setblocking(False)
            try: end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
            except PermissionError: pass
            try:
                while end.send(b'x' * 65536): pass
            except BlockingIOError: pass
        pairs.append(pair)
    print('all')
except OSError as error: print(name(error.errno))",
            move |reply| {
                let ok = reply.stdout() == "EMFILE\n"
                    || (told.total_memory && reply.outcome() == Outcome::LimitExceeded);
                ok.then_some(()).ok_or_else(|| shown(reply))
            },
        ),
        case(
            "11 memory in pipes",
            "import fcntl
pipes = []
try:
    for _ in range(100):
        pipes.append(os.pipe())
        try: fcntl.fcntl(pipes[-1][1], 1031, 16 << 20)
        except OSError as error: assert name(error.errno) in ('EPERM', 'EINVAL', 'EBUSY'), error
        else: print('a pipe of 16 MiB')
except OSError as error: print(name(error.errno))",
            prints("EMFILE\n"),
        ),
        case(
            "29 a repr that is larger than the memory",
            "class Large:
    def __repr__(self): return 'x' * (1 << 28)
Large()",
            |reply| {
                let cut = reply.outcome() == Outcome::Completed
                    && reply
                        .reported
                        .as_ref()
                        .is_some_and(|reported| reported.result_truncated);
                let ok = cut || reply.outcome() == Outcome::Raised;
                ok.then_some(()).ok_or_else(|| shown(reply))
            },
        ),
    ]
}

fn files(told: Told) -> Vec<Case> {
    vec![
        case(
            "12 a disk filled with one file",
            "file = open('large', 'wb', 0)
try:
    for _ in range(64): file.write(b'x' * MIB)
    print('all')
except OSError as error: print(name(error.errno))
file.close(); os.unlink('large')"
                .replace("MIB", &MIB.to_string()),
            |reply| {
                let ok = ["EFBIG\n", "ENOSPC\n"].contains(&reply.stdout());
                ok.then_some(()).ok_or_else(|| shown(reply))
            },
        ),
        case(
            "12 a disk filled with many files",
            "try:
    for n in range(12):
        with open(str(n), 'wb') as file: file.write(b'x' * (8 << 20))
    print('all')
except OSError as error: print(name(error.errno))",
            refused_if(told.workspace, "ENOSPC", "all"),
        ),
        case(
            "13 a file of a pebibyte without content",
            "file = open('sparse', 'wb')
try: os.ftruncate(file.fileno(), 1 << 50); print('done')
except OSError as error: print(name(error.errno))",
            prints("EFBIG\n"),
        ),
        case(
            "14 all inodes",
            "try:
    for n in range(2500): open('f%d' % n, 'x').close()
    print('all')
except OSError as error: print(name(error.errno))",
            refused_if(told.inodes, "ENOSPC", "all"),
        ),
        case(
            "15 directories a thousand deep, that nobody may read, with names that are no text",
            "for n in range(1000): os.mkdir('d' * 50); os.chdir('d' * 50)
for name in (b'\\xff\\xfe', b'new\\nline', b'-rf', b'\\x1b[2J', b'%s%n', b'x' * 255): open(name, 'w').close()
os.mkfifo('fifo'); os.symlink('/', 'root'); os.symlink('self', 'self')
os.chmod('..', 0o300); os.chmod('.', 0)
print('end')",
            has_printed("end"),
        ),
        case(
            "16 all descriptors",
            "kept = []
try:
    while len(kept) < 5000: kept.append(os.dup(0))
    print('all')
except OSError as error: print(name(error.errno))",
            prints("EMFILE\n"),
        ),
    ]
}

fn output() -> Vec<Case> {
    let cut = |reply: &StepResponse| {
        let observed = reply.observed.as_ref().unwrap();
        let ok = observed.stdout_truncated && reply.stdout().len() <= (1 << 20) + 200;
        ok.then_some(()).ok_or_else(|| shown(reply))
    };
    vec![
        case("17 a flood of output", "while True: print('x' * 10_000)", move |reply| {
            cut(reply).and_then(|()| ends(&TIMED_OUT)(reply))
        })
        .within(Duration::from_secs(2)),
        case(
            "18 a line of 100 MB",
            "for _ in range(100): sys.stdout.write('x' * 1_000_000)",
            cut,
        ),
        case(
            "19 output that is no text",
            "sys.stdout.buffer.write(bytes(range(256)) + b'\\xed\\xa0\\x80\\xf8\\x00end')",
            |reply| {
                let ok = reply.outcome() == Outcome::Completed
                    && reply.stdout().starts_with("\0\u{1}")
                    && reply.stdout().contains('\u{fffd}')
                    && reply.stdout().ends_with("\0end");
                ok.then_some(()).ok_or_else(|| shown(reply))
            },
        ),
        case(
            "20 streams closed, and replaced",
            "os.close(1); os.close(2)
null = os.open('/dev/null', os.O_WRONLY)
os.dup2(null, 1); os.dup2(null, 2)
time.sleep(0.3)
'the end came when it came'",
            |reply| {
                let ok = reply.outcome() == Outcome::Completed
                    && reply.result() == Some("'the end came when it came'");
                ok.then_some(()).ok_or_else(|| shown(reply))
            },
        ),
        case(
            "21 a hundred threads that write at once",
            "import threading
threads = [threading.Thread(target=lambda: [os.write(2, b'%03d\\n' % n) for n in range(100)]) for _ in range(20)]
for thread in threads: thread.start()
for thread in threads: thread.join()",
            |reply| {
                let ok = reply.stderr().len() == 20 * 100 * 4
                    && reply.stderr().lines().all(|line| line.len() == 3);
                ok.then_some(()).ok_or_else(|| shown(reply))
            },
        ),
    ]
}

fn time() -> Vec<Case> {
    let second = Duration::from_secs(1);
    let spins = [
        ("22 CPU spin", "while True: pass"),
        ("23 CPU spin in C", "10 ** 10 ** 8"),
        (
            "23 CPU spin in a regular expression",
            "import re; re.match('(a+)+$', 'a' * 60 + 'b')",
        ),
        ("24 sleep without end", "time.sleep(10 ** 6)"),
        (
            "25 signals that are ignored",
            "for number in range(1, 65):
    try: signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError): pass
signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
while True: pass",
        ),
        (
            "26 a process that stops itself",
            "os.kill(os.getpid(), signal.SIGSTOP); time.sleep(10 ** 6)",
        ),
        (
            "26 a group that stops itself",
            "signal.signal(signal.SIGTSTP, signal.SIG_DFL); os.killpg(0, signal.SIGSTOP); time.sleep(10 ** 6)",
        ),
        (
            "65 interrupts that are swallowed",
            "while True:
    try:
        while True: pass
    except BaseException: pass",
        ),
    ];
    let mut cases: Vec<Case> = spins
        .into_iter()
        .map(|(what, code)| case(what, code, ends(&TIMED_OUT)).within(second))
        .collect();
    cases.push(case(
        "24 a thread that never ends",
        "import threading; threading.Thread(target=lambda: time.sleep(10 ** 6)).start(); print('end')",
        prints("end\n"),
    ));
    cases.push(case(
        "28 a program that is closed while it holds everything",
        "import threading
kept = bytearray(64 << 20)
children = [os.fork() for _ in range(2)]
if 0 in children: time.sleep(60); os._exit(0)
threading.Thread(target=lambda: [None for _ in iter(int, 1)], daemon=True).start()
print('end', flush=True)",
        has_printed("end"),
    ));
    cases.push(attempts(
        "devices that are not there",
        "",
        &[
            ("/dev/mem", "open('/dev/mem', 'rb')", REFUSED_OR_ABSENT),
            ("/dev/kmsg", "open('/dev/kmsg', 'wb')", REFUSED_OR_ABSENT),
            ("/dev/ptmx", "open('/dev/ptmx', 'rb')", REFUSED_OR_ABSENT),
            (
                "/proc/sysrq-trigger",
                "put('/proc/sysrq-trigger', 'h')",
                REFUSED_OR_ABSENT,
            ),
        ],
    ));
    cases
}
