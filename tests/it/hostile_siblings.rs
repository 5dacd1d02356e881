//! The sibling matrix: everything that one process can do to another, and to its files, tried by an episode on another episode, on the
//! template, on the reapers, on the warden and on the server. The attacker is told their process ids and paths.

use std::collections::BTreeMap;
use std::fs;

use coding_env::client::CodingEnv;

use crate::support::Server;
use crate::support::hostile::{becomes, episode, mark, marked, notes, numbers, shown};
use crate::support::places::{Level, Place, each_place};
use crate::support::{command_line, is_running};

/// What may come of an operation on a process. ESRCH: it is in another namespace.
const DENIED: [&str; 7] = [
    "EPERM", "EACCES", "ENOSYS", "ESRCH", "ENOENT", "EROFS", "ENOTDIR",
];

/// Operations on the process `pid`, whose memory has a secret at `address`.
const ON_PROCESSES: &[(&str, &str)] = &[
    ("kill 0", "os.kill(pid, 0)"),
    ("kill SIGCONT", "os.kill(pid, signal.SIGCONT)"),
    ("kill SIGSTOP", "os.kill(pid, signal.SIGSTOP)"),
    ("kill SIGKILL", "os.kill(pid, signal.SIGKILL)"),
    ("kill its group", "os.killpg(pid, signal.SIGKILL)"),
    ("tkill", "syscall(SYS_tkill, pid, 9)"),
    ("tgkill", "syscall(SYS_tgkill, pid, pid, 9)"),
    (
        "rt_sigqueueinfo",
        "syscall(SYS_rt_sigqueueinfo, pid, 9, (ctypes.c_int * 32)(9, 0, -1))",
    ),
    (
        "rt_tgsigqueueinfo",
        "syscall(SYS_rt_tgsigqueueinfo, pid, pid, 9, (ctypes.c_int * 32)(9, 0, -1))",
    ),
    (
        "pidfd_send_signal",
        "syscall(SYS_pidfd_send_signal, os.pidfd_open(pid), 9, 0, 0)",
    ),
    (
        "pidfd_getfd",
        "syscall(SYS_pidfd_getfd, os.pidfd_open(pid), 0, 0)",
    ),
    (
        "process_madvise",
        "syscall(SYS_process_madvise, os.pidfd_open(pid), iov(address), 1, 20, 0)",
    ),
    (
        "process_mrelease",
        "syscall(SYS_process_mrelease, os.pidfd_open(pid), 0)",
    ),
    ("setns", "syscall(SYS_setns, os.pidfd_open(pid), 0x20000)"),
    ("ptrace attach", "syscall(SYS_ptrace, 16, pid, 0, 0)"),
    ("ptrace seize", "syscall(SYS_ptrace, 0x4206, pid, 0, 0)"),
    (
        "process_vm_readv",
        "syscall(SYS_process_vm_readv, pid, iov(here), 1, iov(address), 1, 0)",
    ),
    (
        "process_vm_writev",
        "syscall(SYS_process_vm_writev, pid, iov(here), 1, iov(address), 1, 0)",
    ),
    ("read memory", "open(f'/proc/{pid}/mem', 'rb')"),
    ("write memory", "open(f'/proc/{pid}/mem', 'r+b')"),
    ("environ", "open(f'/proc/{pid}/environ', 'rb').read(1)"),
    ("maps", "open(f'/proc/{pid}/maps').read(1)"),
    ("descriptors", "os.listdir(f'/proc/{pid}/fd')"),
    ("a descriptor", "open(f'/proc/{pid}/fd/1', 'wb')"),
    ("cwd", "os.listdir(f'/proc/{pid}/cwd/')"),
    ("cwd's name", "os.readlink(f'/proc/{pid}/cwd')"),
    ("root", "os.listdir(f'/proc/{pid}/root/')"),
    ("namespaces", "open(f'/proc/{pid}/ns/mnt')"),
    ("threads", "os.listdir(f'/proc/{pid}/task')"),
    ("timers", "put(f'/proc/{pid}/timerslack_ns', '1')"),
    ("oom_score_adj", "put(f'/proc/{pid}/oom_score_adj', '1000')"),
    (
        "prlimit CPU",
        "resource.prlimit(pid, resource.RLIMIT_CPU, (1, 1))",
    ),
    (
        "prlimit NOFILE",
        "resource.prlimit(pid, resource.RLIMIT_NOFILE, (0, 0))",
    ),
    (
        "prlimit AS",
        "resource.prlimit(pid, resource.RLIMIT_AS, (0, 0))",
    ),
    (
        "prlimit, read",
        "resource.prlimit(pid, resource.RLIMIT_CPU)",
    ),
    ("affinity", "os.sched_setaffinity(pid, {0})"),
    (
        "scheduler",
        "os.sched_setscheduler(pid, os.SCHED_IDLE, os.sched_param(0))",
    ),
    (
        "scheduler's parameters",
        "os.sched_setparam(pid, os.sched_param(0))",
    ),
    (
        "scheduler's attributes",
        "syscall(SYS_sched_setattr, pid, (ctypes.c_uint32 * 12)(48), 0)",
    ),
    ("priority", "os.setpriority(os.PRIO_PROCESS, pid, 19)"),
    (
        "priority of its group",
        "os.setpriority(os.PRIO_PGRP, pid, 19)",
    ),
    ("input priority", "syscall(SYS_ioprio_set, 1, pid, 3 << 13)"),
    (
        "input priority of its group",
        "syscall(SYS_ioprio_set, 2, pid, 3 << 13)",
    ),
    ("kcmp", "syscall(SYS_kcmp, os.getpid(), pid, 1, 0, 0)"),
    ("move_pages", "syscall(SYS_move_pages, pid, 0, 0, 0, 0, 0)"),
    ("migrate_pages", "syscall(SYS_migrate_pages, pid, 0, 0, 0)"),
    (
        "perf_event_open",
        "syscall(SYS_perf_event_open, (ctypes.c_uint32 * 32)(1, 128), pid, -1, -1, 0)",
    ),
    (
        "get_robust_list",
        "syscall(SYS_get_robust_list, pid, iov(0), iov(0))",
    ),
    ("process group", "os.setpgid(pid, pid)"),
];

/// Operations on the directory `dir` of another, and on the file in it.
const ON_FILES: &[(&str, &str)] = &[
    ("list", "os.listdir(dir)"),
    ("read", "open(dir + '/secret').read()"),
    ("write", "put(dir + '/secret', 'x')"),
    ("truncate", "os.truncate(dir + '/secret', 0)"),
    ("create", "open(dir + '/new', 'x')"),
    ("mkdir", "os.mkdir(dir + '/new')"),
    ("fifo", "os.mkfifo(dir + '/new')"),
    ("symlink", "os.symlink('/', dir + '/new')"),
    ("unlink", "os.unlink(dir + '/secret')"),
    ("rename", "os.rename(dir + '/secret', dir + '/new')"),
    ("move in", "os.rename(dir + '/secret', 'mine')"),
    (
        "move out",
        "(open('mine', 'w').close(), os.rename('mine', dir + '/secret'))",
    ),
    ("link in", "os.link(dir + '/secret', 'linked')"),
    ("rename it all", "os.rename(dir, dir + '2')"),
    ("rmdir", "os.rmdir(dir + '/sub')"),
    (
        "inotify",
        "libc.inotify_add_watch(syscall(SYS_inotify_init1, 0), dir.encode(), 4095) < 0 and syscall(SYS_inotify_init1, -1)",
    ),
    (
        "through a link",
        "(os.symlink(dir, 'to'), os.listdir('to/'))",
    ),
    (
        "a file handle",
        "syscall(SYS_name_to_handle_at, -100, dir.encode(), (ctypes.c_int * 34)(128), iov(0), 0)",
    ),
    ("the list of all", "os.listdir(os.path.dirname(dir))"),
    (
        "create among all",
        "os.mkdir(os.path.dirname(dir) + '/new')",
    ),
];

/// What Landlock does not look at: it takes the name, which nobody can find out, or another user.
const BY_NAME: &[(&str, &str)] = &[
    ("chmod", "os.chmod(dir + '/secret', 0)"),
    ("chmod it all", "os.chmod(dir, 0)"),
    ("utime", "os.utime(dir + '/secret', (0, 0))"),
    ("setxattr", "os.setxattr(dir + '/secret', 'user.x', b'x')"),
    ("stat", "os.stat(dir + '/secret')"),
    ("chdir", "os.chdir(dir)"),
    (
        "access",
        "os.access(dir + '/secret', 0) or os.stat(dir + '/secret')",
    ),
];

fn parent(pid: i32) -> Option<i32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_whitespace().nth(1)?.parse().ok()
}

fn children(pid: i32) -> Vec<i32> {
    let list = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    list.split_whitespace()
        .map(|pid| pid.parse().unwrap())
        .collect()
}

/// The one process of an episode, as the host sees it.
async fn process_of(mark: &str) -> Result<i32, String> {
    match marked(mark)[..] {
        [pid] => Ok(pid),
        ref other => Err(format!("{other:?} instead of one process")),
    }
}

/// Every process that is not the attacker's, by its role.
async fn targets(
    server: &Server,
    attacker: i32,
    victim: i32,
) -> Result<BTreeMap<&'static str, i32>, String> {
    let warden = server.processes()[0];
    let mut found = BTreeMap::from([
        ("the server", server.pid()),
        ("the warden", warden),
        ("a sibling", victim),
    ]);
    for (role, worker) in [("its own reaper", attacker), ("a sibling's reaper", victim)] {
        let reaper = parent(worker).ok_or_else(|| format!("{role}: no parent of {worker}"))?;
        if reaper != warden {
            found.insert(role, reaper);
        }
    }
    // Reapers have a child, which their worker is; the template has none.
    let mut template = None;
    let is_found = becomes(|| {
        let mut childless = children(warden);
        childless.retain(|pid| {
            children(*pid).is_empty()
                && command_line(*pid).contains("python")
                && ![attacker, victim].contains(pid)
        });
        template = childless.first().copied();
        template.is_some()
    });
    if is_found.await {
        found.extend(template.map(|template| ("the template", template)));
    }
    if let Some(keeper) = server.processes_named("coding-env-keeper").first() {
        found.insert("a keeper", *keeper);
    }
    Ok(found)
}

async fn value(env: &mut CodingEnv, code: &str) -> Result<String, String> {
    let reply = env
        .step(code)
        .await
        .map_err(|error| format!("{code}: {error}"))?;
    reply
        .result()
        .map(str::to_owned)
        .ok_or_else(|| shown(&reply))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_reaches_another_process_or_its_files() {
    each_place(
        &["--warm-workers", "2"],
        async |place, server| match matrix(place, server).await {
            Ok(wrong) => wrong,
            Err(error) => vec![error],
        },
    )
    .await;
}

async fn matrix(place: Place, server: &Server) -> Result<Vec<String>, String> {
    let channel = server.channel().await;
    let (of_attacker, of_victim) = (mark(), mark());
    let mut attacker = episode(&channel, &of_attacker).await?;
    let mut victim = episode(&channel, &of_victim).await?;
    let secret = "secret = b'the secret of the victim'
urged = []
signal.signal(signal.SIGURG, lambda *a: urged.append(1))
os.mkdir('sub'); open('secret', 'w').write('kept'); limits = os.sched_getaffinity(0), os.getpriority(0, 0)
id(secret)";
    let address = value(&mut victim, secret).await?;
    let dir = value(&mut victim, "os.getcwd()").await?;
    let (attacking, attacked) = (
        process_of(&of_attacker).await?,
        process_of(&of_victim).await?,
    );
    let targets = targets(server, attacking, attacked).await?;
    eprintln!("  {targets:?}");
    let numbers = numbers![
        SYS_tkill SYS_tgkill SYS_rt_sigqueueinfo SYS_rt_tgsigqueueinfo SYS_pidfd_send_signal SYS_pidfd_getfd
        SYS_process_madvise SYS_process_mrelease SYS_setns SYS_ptrace SYS_process_vm_readv SYS_process_vm_writev SYS_kcmp
        SYS_move_pages SYS_migrate_pages SYS_perf_event_open SYS_get_robust_list SYS_sched_setattr SYS_ioprio_set
        SYS_inotify_init1 SYS_name_to_handle_at
    ];
    let setup = format!(
        "{numbers}
import resource
if not hasattr(os, 'pidfd_open'): os.pidfd_open = lambda pid: syscall(434, pid, 0)
buffer = ctypes.create_string_buffer(64)
here = ctypes.addressof(buffer)
def iov(at): return (ctypes.c_ulong * 2)(at, 32)
address, dir = {address}, {dir}"
    );
    attacker
        .step(setup)
        .await
        .map_err(|error| error.to_string())?;
    let mut wrong = Vec::new();
    for (role, pid) in &targets {
        // In a namespace of its own another process may have that number: the attacker's, or none.
        let mut code = format!("seen.clear(); pid = {pid}; assert pid != os.getpid()\n");
        for (what, call) in ON_PROCESSES {
            code += &format!("attempt({what:?}, lambda: {call})\n");
        }
        code.push_str("seen['memory'] = 'EPERM' if buffer.raw == bytes(64) else 'done'\nshow()");
        let reply = attacker
            .step(code)
            .await
            .map_err(|error| format!("on {role}: {error}"))?;
        for (what, result) in notes(&reply)? {
            if !DENIED.contains(&result.as_str()) {
                wrong.push(format!("{what} on {role}: {result}"));
            }
        }
    }
    let mut code = "seen.clear()\n".to_owned();
    // At level namespace that path is the attacker's own directory.
    if place.level != Level::Namespace {
        let by_name = if place.as_root { BY_NAME } else { &[] };
        for (what, call) in ON_FILES.iter().chain(by_name) {
            code += &format!("attempt({what:?}, lambda: {call})\n");
        }
    }
    // Nobody is there, or nobody is reached: kill(-1) succeeds also when it may signal none of those that it finds.
    code += "for everyone in (-1, -os.getpgrp(), -1000000):
    try: os.kill(everyone, signal.SIGURG)
    except OSError: pass
for number in range(2, 33):
    try: os.kill(number if number != os.getpid() else -1, signal.SIGURG)
    except OSError: pass
";
    for found in [
        "/proc/{}/cwd",
        "/proc/{}/root",
        "/proc/{}/root/workspace",
        "/proc/{}/map_files",
    ] {
        let path = found.replace("{}", &attacked.to_string());
        code += &format!("attempt({path:?}, lambda: os.listdir({path:?}))\n");
    }
    code.push_str("show()");
    let reply = attacker
        .step(code)
        .await
        .map_err(|error| error.to_string())?;
    for (what, result) in notes(&reply)? {
        if !DENIED.contains(&result.as_str()) && !["EXDEV", "ENOTSUP"].contains(&result.as_str()) {
            wrong.push(format!("{what} on a sibling's files: {result}"));
        }
    }
    let untouched = "(secret, urged, open('secret').read(), sorted(os.listdir('.')), (os.sched_getaffinity(0), os.getpriority(0, 0)) == limits)";
    let seen = value(&mut victim, untouched).await?;
    if seen != "(b'the secret of the victim', [], 'kept', ['secret', 'sub'], True)" {
        wrong.push(format!("the sibling has {seen}"));
    }
    for (role, pid) in &targets {
        if !is_running(*pid) {
            wrong.push(format!("{role} has ended"));
        }
    }
    attacker.close().await.map_err(|error| error.to_string())?;
    victim.close().await.map_err(|error| error.to_string())?;
    if !becomes(|| marked(&of_attacker).is_empty() && marked(&of_victim).is_empty()).await {
        wrong.push("processes are left".to_owned());
    }
    Ok(wrong)
}
