//! What is left of an episode when it has ended: no process, no file, no setting, no memory; however often.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use coding_env::client::{CodingEnv, Options, StepOptions};
use coding_env::proto::v1::StepResponse;
use tonic::transport::Channel;

use crate::support::hostile::{Neighbour, becomes, episode, mark, marked, shown};
use crate::support::places::{Place, each_place};
use crate::support::{Server, soak};

/// How many episodes look for what an earlier one left: more than wait in the pool, so that some were forked after it.
const LATER: usize = 8;

async fn step(env: &mut CodingEnv, code: &str) -> Result<StepResponse, String> {
    env.step(code)
        .await
        .map_err(|error| format!("{error}: {code}"))
}

async fn close(mut env: CodingEnv) -> Result<(), String> {
    env.close().await.map_err(|error| format!("Close: {error}"))
}

/// All that an episode finds when it begins, as JSON; what is its own by design (its directory's random name, process ids) is left out.
const STATE: &str = r#"
import json, os, resource, signal, sys
here = os.getcwd()
def plain(text): return text.replace(here, 'HERE')
def tried(call):
    try: return call()
    except (OSError, ValueError) as error: return type(error).__name__
state = {
    'environment': {k: plain(v) for k, v in sorted(os.environ.items())},
    'umask': os.umask(0o22),
    'limits': {n: resource.getrlimit(getattr(resource, n)) for n in sorted(dir(resource)) if n.startswith('RLIMIT_')},
    'blocked': sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
    'pending': sorted(signal.sigpending()),
    'handlers': [str(signal.getsignal(n)).split(' at ')[0] for n in range(1, 65)],
    'timer': signal.getitimer(signal.ITIMER_REAL) + signal.getitimer(signal.ITIMER_PROF),
    'nice': os.getpriority(os.PRIO_PROCESS, 0),
    'scheduler': [os.sched_getscheduler(0), sorted(os.sched_getaffinity(0))],
    'ids': [os.getresuid() == os.getresuid(), os.getgroups()],
    'oom': tried(lambda: open('/proc/self/oom_score_adj').read()),
    'host': os.uname().nodename,
    'files': sorted(os.listdir(here)),
    'home': [plain(os.path.expanduser('~')), sorted(os.listdir(os.path.expanduser('~')))],
    'tmp': tried(lambda: sorted(os.listdir(os.environ.get('TMPDIR', '/tmp')))),
    'shm': tried(lambda: sorted(os.listdir('/dev/shm'))),
    'descriptors': [fd for fd in range(256) if tried(lambda: os.fstat(fd)) != 'OSError'],
    'modules': sorted(m for m in sys.modules if 'left' in m),
    'threads': tried(lambda: len(os.listdir('/proc/self/task'))),
    'recursion': sys.getrecursionlimit(),
    'switch': sys.getswitchinterval(),
    'path': [plain(p) for p in sys.path],
}
print(json.dumps(state))
"#;

/// Leaves what it can, wherever it can, under a name that is looked for.
const LEAVE: &str = r"
import resource, subprocess, threading
def tried(call):
    try: call()
    except BaseException: pass
folders = {os.getcwd(), os.path.expanduser('~'), '/tmp', '/dev/shm', '/dev/mqueue', '/var/tmp', '/run', '/run/lock', '/', '/workspace',
           os.environ.get('TMPDIR', '/tmp'), sys.prefix, os.path.dirname(os.__file__), *filter(None, sys.path)}
def leave(folder):
    with open(os.path.join(folder, 'LEFT'), 'w') as file: file.write('x')
def leave_folder(folder): os.mkdir(os.path.join(folder, 'LEFT.d'))
for folder in folders: tried(lambda: leave(folder)); tried(lambda: leave_folder(folder))
from multiprocessing import shared_memory
tried(lambda: shared_memory.SharedMemory('LEFT', True, 4096))
tried(lambda: syscall(SYS_shmget, 0x1ef7, 4096, 0o1666))
tried(lambda: syscall(SYS_msgget, 0x1ef7, 0o1666))
tried(lambda: syscall(SYS_mq_open, b'LEFT', 0o102, 0o666, 0))
tried(lambda: syscall(SYS_add_key, b'user', b'LEFT', b'x', 1, -4))
os.environ['LEFT'] = 'x'; os.putenv('LEFT2', 'x')
tried(lambda: os.chdir('/'))
os.umask(0)
for n in (resource.RLIMIT_NOFILE, resource.RLIMIT_STACK, resource.RLIMIT_CORE, resource.RLIMIT_CPU):
    tried(lambda: resource.setrlimit(n, (100, resource.getrlimit(n)[1])))
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1, signal.SIGINT}); signal.signal(signal.SIGUSR2, signal.SIG_IGN)
os.kill(os.getpid(), signal.SIGUSR1); signal.setitimer(signal.ITIMER_REAL, 3600)
tried(lambda: os.nice(10)); tried(lambda: os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}))
tried(lambda: os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0)))
tried(lambda: open('/proc/self/oom_score_adj', 'w').write('500'))
sys.setrecursionlimit(5000); sys.setswitchinterval(1); sys.path.insert(0, '/LEFT'); sys.modules['left'] = sys
threading.Thread(target=lambda: time.sleep(1000), daemon=True).start()
print('left')
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_next_episode_finds_nothing() {
    each_place(&["--warm-workers", "3"], async |place, server| {
        persistence(place, server).await.err().into_iter().collect()
    })
    .await;
}

async fn state_of(channel: &Channel) -> Result<BTreeMap<String, serde_json::Value>, String> {
    let mut env = CodingEnv::with_channel(channel.clone(), Options::default());
    env.reset().await.map_err(|error| error.to_string())?;
    let reply = step(&mut env, STATE).await?;
    close(env).await?;
    serde_json::from_str(reply.stdout()).map_err(|_| shown(&reply))
}

/// Where a program may have left something: on the host, that is.
fn folders(place: Place, server: &Server) -> Vec<PathBuf> {
    let paths = "import sys; print(*filter(None, [sys.prefix, *sys.path]), sep='\\n')";
    let library = place
        .command(&place.python().unwrap())
        .args(["-I", "-c", paths])
        .current_dir("/")
        .output();
    let library = String::from_utf8(library.unwrap().stdout).unwrap();
    let shared = [
        "/",
        "/tmp",
        "/dev/shm",
        "/dev/mqueue",
        "/var/tmp",
        "/run",
        "/run/lock",
    ];
    let all = shared.into_iter().chain(library.lines()).map(PathBuf::from);
    all.chain([server.state_dir().to_owned()]).collect()
}

async fn persistence(place: Place, server: &Server) -> Result<(), String> {
    let channel = server.channel().await;
    let before = state_of(&channel).await?;
    let folders = folders(place, server);
    let before_it = left_on_the_host(&folders);
    let numbers = crate::support::hostile::numbers![SYS_shmget SYS_msgget SYS_mq_open SYS_add_key];
    for _ in 0..2 {
        let mark = mark();
        let mut env = episode(&channel, &mark).await?;
        let reply = step(&mut env, &format!("{numbers}{LEAVE}")).await?;
        if reply.stdout() != "left\n" {
            return Err(format!("the program that leaves things: {}", shown(&reply)));
        }
        close(env).await?;
        if !becomes(|| marked(&mark).is_empty()).await {
            return Err("its processes are left".to_owned());
        }
    }
    for _ in 0..LATER {
        let after = state_of(&channel).await?;
        for (what, value) in &after {
            if before.get(what) != Some(value) {
                return Err(format!("{what} was {:?} and is {value}", before.get(what)));
            }
        }
    }
    let find = "
import os
found = []
for folder, names, files in os.walk('/', onerror=lambda error: None):
    names[:] = [n for n in names if os.path.join(folder, n) not in ('/proc', '/sys')]
    found += [os.path.join(folder, n) for n in names + files if n.startswith('LEFT')]
found";
    let mut env = episode(&channel, &mark()).await?;
    let reply = step(&mut env, find).await?;
    close(env).await?;
    if reply.result() != Some("[]") {
        return Err(format!(
            "an episode sees what another left: {}",
            shown(&reply)
        ));
    }
    let new = || {
        let mut left = left_on_the_host(&folders);
        left.retain(|path| !before_it.contains(path));
        left
    };
    let is_clean = becomes(|| new().is_empty()).await;
    let left = new();
    // Not for the next test to find.
    for path in &left {
        drop(fs::remove_file(path).or_else(|_| fs::remove_dir(path)));
    }
    is_clean
        .then_some(())
        .ok_or_else(|| format!("on the host is left {left:?}"))
}

/// What a program has left in these folders, or among the System V objects of the host.
fn left_on_the_host(folders: &[PathBuf]) -> Vec<String> {
    let mut found: Vec<String> = folders
        .iter()
        .flat_map(|folder| fs::read_dir(folder).into_iter().flatten().flatten())
        .filter(|entry| entry.file_name().to_string_lossy().contains("LEFT"))
        .map(|entry| entry.path().display().to_string())
        .collect();
    for list in ["shm", "msg", "sem"] {
        let list = fs::read_to_string(format!("/proc/sysvipc/{list}")).unwrap_or_default();
        let key = 0x1ef7.to_string();
        found.extend(
            list.lines()
                .filter(|line| line.trim_start().starts_with(&key))
                .map(str::to_owned),
        );
    }
    found
}

/// Starts processes that leave their session, their parent and their group, and ignore every signal that can be.
const DAEMONS: &str = "
sys.stdout.flush()
def ignore():
    for number in range(1, 65):
        try: signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError): pass
    signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
for number in range(10):
    if os.fork() == 0:
        os.setsid(); ignore()
        if os.fork() == 0:
            os.setpgid(0, 0)
            os.write(1, b'x')
            while True: time.sleep(1000)
        os._exit(0)
    os.wait()
begun = time.monotonic()
";

/// Ten lines of processes that each make the next and end, at once: ten live at a time. After a thousand generations the last one stays, so
/// that a storm has not come to its end by itself.
const STORM: &str = "
def storm():
    for _ in range(1000):
        try: pid = os.fork()
        except OSError: continue
        if pid: os._exit(0)
        os.setsid()
    time.sleep(120)
sys.stdout.flush()
for _ in range(10):
    if os.fork() == 0: storm(); os._exit(0)
os.write(1, b'begun')
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn daemons_and_a_fork_storm_are_gone_after_close() {
    each_place(&["--warm-workers", "2"], async |_, server| {
        let mut wrong = Vec::new();
        let channel = server.channel().await;
        let sibling = Neighbour::start(channel.clone());
        for (what, code, count) in [("ten daemons", DAEMONS, 10), ("a fork storm", STORM, 2)] {
            // Ended by Close, by its own death, and by a step's timeout that finds nobody who listens.
            for end in ["Close", "its interpreter's end", "a timeout"] {
                match gone(&channel, code, count, end).await {
                    Ok(took) => eprintln!("  {what}, ended by {end}: gone after {took:?}"),
                    Err(error) => wrong.push(format!("31 {what}, ended by {end}: {error}")),
                }
            }
        }
        wrong.extend(sibling.end().await.err());
        wrong
    })
    .await;
}

/// Starts those processes, ends the episode, and tells how long it took until all had gone.
async fn gone(channel: &Channel, code: &str, count: usize, end: &str) -> Result<Duration, String> {
    let mark = mark();
    let mut env = episode(channel, &mark).await?;
    step(&mut env, code).await?;
    if !becomes(|| marked(&mark).len() > count).await {
        return Err(format!("{} processes were started", marked(&mark).len()));
    }
    let begun = Instant::now();
    match end {
        "Close" => {}
        "a timeout" => {
            let mut options = StepOptions::default();
            options.timeout = Some(Duration::from_millis(200));
            let code = "signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))\nwhile True: pass";
            env.step_with(code, options)
                .await
                .map_err(|error| error.to_string())?;
        }
        _ => {
            step(&mut env, "os._exit(0)").await?;
        }
    }
    if end == "Close" {
        close(env).await?;
    }
    // A storm's processes have no name for an instant: none has to be seen a few times in a row.
    let mut absent = 0;
    let is_gone = becomes(|| {
        absent = if marked(&mark).is_empty() {
            absent + 1
        } else {
            0
        };
        absent == 3
    });
    is_gone
        .await
        .then(|| begun.elapsed())
        .ok_or_else(|| format!("{:?} are left", marked(&mark)))
}

/// What the server and the host hold for it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Held {
    processes: usize,
    mounts: usize,
    cgroups: usize,
    namespaces: usize,
    descriptors: usize,
    shared_memory: usize,
    workspaces: usize,
    /// Of server and warden, in KiB.
    memory: usize,
}

fn held(server: &Server) -> Held {
    let warden = server.processes()[0];
    let count = |path: String| fs::read_dir(path).map_or(0, Iterator::count);
    let lines = |path: String| fs::read_to_string(path).map_or(0, |text| text.lines().count());
    let processes = server.processes();
    // Those of this server alone: others on this machine come and go meanwhile.
    let mut namespaces: Vec<_> = processes
        .iter()
        .flat_map(|pid| {
            fs::read_dir(format!("/proc/{pid}/ns"))
                .into_iter()
                .flatten()
                .flatten()
        })
        .filter_map(|entry| fs::read_link(entry.path()).ok())
        .collect();
    namespaces.sort();
    namespaces.dedup();
    let resident = |pid: i32| {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with("VmRSS:"));
        line.and_then(|line| line.split_whitespace().nth(1)?.parse::<usize>().ok())
            .unwrap_or(0)
    };
    let groups: Vec<_> = processes
        .iter()
        .filter_map(|pid| fs::read_to_string(format!("/proc/{pid}/cgroup")).ok())
        .collect();
    let own = groups
        .iter()
        .flat_map(|text| text.lines())
        .find_map(|line| {
            let name = line
                .split('/')
                .find(|name| name.starts_with("coding-env-"))?;
            Some(name.to_owned())
        });
    Held {
        processes: processes.len(),
        mounts: lines(format!("/proc/{warden}/mountinfo")),
        cgroups: own.map_or(0, |own| cgroups(Path::new("/sys/fs/cgroup"), &own, 0)),
        namespaces: namespaces.len(),
        descriptors: count(format!("/proc/{}/fd", server.pid()))
            + count(format!("/proc/{warden}/fd")),
        shared_memory: count("/dev/shm".to_owned()),
        workspaces: count(server.state_dir().display().to_string()),
        memory: resident(server.pid()) + resident(warden),
    }
}

/// The groups in one of this name, wherever that is.
fn cgroups(folder: &Path, name: &str, depth: usize) -> usize {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    folders
        .map(|entry| {
            let path = entry.path();
            let is_in_it = path.iter().any(|part| part == name);
            let below = if depth < 8 {
                cgroups(&path, name, depth + 1)
            } else {
                0
            };
            usize::from(is_in_it) + below
        })
        .sum()
}

/// Control groups that serve again: as many as were needed at once, and at most 64 cells' of three hierarchies. One that each reset left would be more.
const GROUPS_KEPT: usize = 64 * 3;

/// 1,000 resets are the least that `CODING_ENV_SOAK=1000` asks for; a quick run makes fewer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_resets_leave_nothing() {
    each_place(&["--warm-workers", "2"], async |_, server| {
        resets(server).await.err().into_iter().collect()
    })
    .await;
}

async fn resets(server: &Server) -> Result<(), String> {
    let count = soak(300).clamp(GROUPS_KEPT + 8, 100_000);
    let channel = server.channel().await;
    // A little of everything, so that there would be something to leave.
    let code = "
import os, tempfile, threading, time
open('file', 'w').write('x' * 10000); tempfile.mkdtemp()
threading.Thread(target=lambda: time.sleep(100), daemon=True).start()
if os.fork() == 0: os.setsid(); time.sleep(100)
6 * 7";
    let one = async || {
        let mut env = CodingEnv::with_channel(channel.clone(), Options::default());
        env.reset().await.map_err(|error| error.to_string())?;
        let reply = step(&mut env, code).await?;
        if reply.result() != Some("42") {
            return Err(shown(&reply));
        }
        close(env).await
    };
    // What is kept for good is there after some; then it stays as it is.
    for _ in 0..50 {
        one().await?;
    }
    let mut before = held(server);
    becomes(|| {
        let now = held(server);
        let is_settled = now.processes == before.processes && now.workspaces == before.workspaces;
        before = now;
        is_settled
    })
    .await;
    let begun = Instant::now();
    for _ in 0..count {
        one().await?;
    }
    let took = begun.elapsed();
    let flat = |now: &Held| {
        now.processes <= before.processes + 2
            && now.mounts <= before.mounts
            && now.descriptors <= before.descriptors + 8
            && now.workspaces <= before.workspaces + 2
            && now.memory <= before.memory + 8 * 1024
            && now.cgroups <= before.cgroups + GROUPS_KEPT
            && now.namespaces <= before.namespaces + 16
            // Other tests run at the same time and have their own.
            && now.shared_memory <= before.shared_memory + 20
    };
    let mut after = held(server);
    let is_flat = becomes(|| {
        after = held(server);
        flat(&after)
    })
    .await;
    let told = format!("{count} resets in {took:?}: before {before:?}, after {after:?}");
    eprintln!("  {told}");
    is_flat.then_some(()).ok_or(told)
}

/// Each is bounded in itself too.
const ATTACKS: [(&str, &str); 5] = [
    (
        "a fork bomb",
        "until = time.monotonic() + 3
children = []
while time.monotonic() < until:
    try: pid = os.fork() if len(children) < 250 else None
    except OSError: pid = None
    if pid == 0:
        while time.monotonic() < until: pass
        os._exit(0)
    if pid: children.append(pid)
    else: time.sleep(0.01)",
    ),
    (
        "a memory bomb",
        "kept = []
until = time.monotonic() + 3
while time.monotonic() < until:
    try: kept.append(bytearray(b'x') * (16 << 20)) if len(kept) < 128 else time.sleep(0.01)
    except MemoryError: kept.clear()",
    ),
    (
        "a full disk",
        "until = time.monotonic() + 3
number = 0
while time.monotonic() < until:
    try:
        with open(str(number % 100), 'wb') as file: file.write(b'x' * (8 << 20))
    except OSError: pass
    number += 1",
    ),
    (
        "a flood of output",
        "until = time.monotonic() + 3
while time.monotonic() < until: os.write(1, b'x' * 65536); os.write(2, b'y' * 65536)",
    ),
    (
        "a CPU spin",
        "import threading
until = time.monotonic() + 3
def spin():
    while time.monotonic() < until: pass
for _ in range(8): threading.Thread(target=spin).start()
for _ in range(2):
    if os.fork() == 0: spin(); os._exit(0)
spin()",
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_neighbour_stays_right_beside_every_bomb() {
    each_place(&["--warm-workers", "4"], async |_, server| {
        let channel = server.channel().await;
        let mut wrong = Vec::new();
        for (what, code) in ATTACKS {
            let neighbour = Neighbour::start(channel.clone());
            let mark = mark();
            let attacked = async {
                let mut env = episode(&channel, &mark).await?;
                let reply = step(&mut env, code).await?;
                let before_close = shown(&reply);
                close(env).await?;
                let is_gone = becomes(|| marked(&mark).is_empty()).await;
                is_gone.then_some(()).ok_or(before_close)
            };
            if let Err(error) = attacked.await {
                wrong.push(format!("{what}: {error}"));
            }
            match neighbour.end().await {
                // It went on all the while. How fast is what `coding-env bench` tells.
                Ok(steps) if steps >= 3 => eprintln!("  beside {what}: {steps} steps"),
                Ok(steps) => wrong.push(format!("{what}: the neighbour made only {steps} steps")),
                Err(error) => wrong.push(format!("{what}: {error}")),
            }
        }
        wrong
    })
    .await;
}
