//! Catalogue B: escape from the cell, traces left for others, attacks on the server. Attacks on named processes and files of others are in
//! `hostile_siblings.rs`, what is left behind in `hostile_lifetime.rs`.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use coding_env::proto::v1::StateAfter;

use crate::support::Server;
use crate::support::hostile::{
    Case, REFUSED, REFUSED_OR_ABSENT, attempts, becomes, case, episode, maps_of, mark, marked,
    prints, run, shown,
};
use crate::support::places::{Level, Place, each_place};

/// A file of the host that everybody may read and write, and that no episode may see.
struct Precious {
    dir: tempfile::TempDir,
}

impl Precious {
    const TEXT: &'static str = "precious";

    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let made = Self { dir };
        fs::write(made.path(), Self::TEXT).unwrap();
        fs::set_permissions(made.path(), fs::Permissions::from_mode(0o666)).unwrap();
        made
    }

    fn path(&self) -> std::path::PathBuf {
        self.dir.path().join("precious")
    }

    /// What has become of it.
    fn harmed(&self) -> Option<String> {
        let text = fs::read_to_string(self.path()).unwrap_or_else(|error| error.to_string());
        let file = fs::metadata(self.path()).map(|file| (file.mode() & 0o7777, file.nlink()));
        let dir = fs::metadata(self.dir.path()).map(|dir| dir.mode() & 0o7777);
        let names = fs::read_dir(self.dir.path()).map(Iterator::count);
        let whole = text == Self::TEXT
            && file.as_ref().is_ok_and(|file| *file == (0o666, 1))
            && dir.as_ref().is_ok_and(|mode| *mode == 0o777)
            && names.as_ref().is_ok_and(|names| *names == 1);
        (!whole)
            .then(|| format!("a file of the host was changed: {text:?} {file:?} {dir:?} {names:?}"))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_episode_stays_in_its_cell() {
    each_place(&["--max-open-files", "64"], async |place, server| {
        let precious = Precious::new();
        let mut cases = host(place, server, &precious);
        cases.extend(own_process());
        cases.extend(planted(&precious));
        let mut wrong = run(server, cases).await;
        wrong.extend(precious.harmed());
        wrong.extend(shared_memory(server).await.err());
        wrong
    })
    .await;
}

/// 33, 40, 42, 47, 48, 50, 51, 56: the host's files.
fn host(place: Place, server: &Server, precious: &Precious) -> Vec<Case> {
    let path = precious.path();
    let path = path.to_str().unwrap();
    let dir = precious.dir.path().to_str().unwrap();
    let program = server.program();
    let program = program.to_str().unwrap();
    let state = server.state_dir().to_str().unwrap();
    let pid = server.pid();
    let setup = format!(
        "path, dir, program, state, server = {path:?}, {dir:?}, {program:?}, {state:?}, {pid}
import glob
library, cached = os.__file__, json.__cached__
# What is the host's own is opened and not changed: it has to survive also where a wall is missing.
def written(path): open(path, 'r+b').close()
def appended(path): open(path, 'ab').close()
def created(folder): open(os.path.join(folder, f'x-of-a-test-{{time.time_ns()}}'), 'x').close()
# Containers put an empty file over some.
def content(path):
    with open(path, 'rb') as file:
        if not file.read(1): raise OSError(errno.ENOENT, 'empty')
# Seen may be what leads to the interpreter, and nothing else.
def hidden(folder):
    for name in os.listdir(folder):
        if not sys.base_prefix.startswith(os.path.join(folder, name)): return
    raise OSError(errno.ENOENT, 'hidden')"
    );
    let mut cases = vec![
        attempts(
            "33, 47, 48 files of the host that everybody may use",
            &setup,
            &[
                ("read", "open(path).read()", REFUSED_OR_ABSENT),
                ("write", "put(path, 'x')", REFUSED_OR_ABSENT),
                (
                    "append",
                    "os.write(os.open(path, os.O_WRONLY | os.O_APPEND), b'x')",
                    REFUSED_OR_ABSENT,
                ),
                ("truncate", "os.truncate(path, 0)", REFUSED_OR_ABSENT),
                ("create", "created(dir)", REFUSED_OR_ABSENT),
                ("list", "os.listdir(dir)", REFUSED_OR_ABSENT),
                ("unlink", "os.unlink(path)", REFUSED_OR_ABSENT),
                ("rename", "os.rename(path, path + '2')", REFUSED_OR_ABSENT),
                (
                    "move in",
                    "os.rename(path, 'mine')",
                    "EPERM EACCES ENOENT EXDEV EROFS",
                ),
                (
                    "48 hard link in",
                    "os.link(path, 'mine')",
                    "EPERM EACCES ENOENT EXDEV EROFS",
                ),
                (
                    "hard link out",
                    "os.link(program, path + '2')",
                    "EPERM EACCES ENOENT EXDEV EROFS",
                ),
                ("mkdir", "os.mkdir(path + '2')", REFUSED_OR_ABSENT),
                ("symlink", "os.symlink('/', path + '2')", REFUSED_OR_ABSENT),
                ("fifo", "os.mkfifo(path + '2')", REFUSED_OR_ABSENT),
                (
                    "through a link of its own",
                    "(os.symlink(path, 'link'), open('link').read())",
                    REFUSED_OR_ABSENT,
                ),
                (
                    "through dots",
                    "open('../' * 40 + path[1:]).read()",
                    REFUSED_OR_ABSENT,
                ),
                (
                    "through a descriptor",
                    "os.open(path[1:], os.O_RDONLY, dir_fd=os.open('/', os.O_RDONLY | os.O_PATH))",
                    REFUSED_OR_ABSENT,
                ),
                (
                    "execute",
                    "os.posix_spawn(path, ['x'], {})",
                    REFUSED_OR_ABSENT,
                ),
                (
                    "the state directory",
                    "os.listdir(state)",
                    REFUSED_OR_ABSENT,
                ),
                (
                    "create in the state directory",
                    "created(state)",
                    REFUSED_OR_ABSENT,
                ),
                (
                    "42 the server's program",
                    "written(program)",
                    "EPERM EACCES ENOENT EROFS ETXTBSY",
                ),
                (
                    "/etc/shadow",
                    "open('/etc/shadow').read()",
                    REFUSED_OR_ABSENT,
                ),
                ("/root", "hidden('/root')", REFUSED_OR_ABSENT),
                ("/var/log", "hidden('/var/log')", REFUSED_OR_ABSENT),
                ("/boot", "hidden('/boot')", REFUSED_OR_ABSENT),
                ("/run", "hidden('/run')", REFUSED_OR_ABSENT),
                ("/home", "hidden('/home')", REFUSED_OR_ABSENT),
                (
                    "56 docker.sock",
                    "open('/run/docker.sock')",
                    REFUSED_OR_ABSENT,
                ),
            ],
        ),
        attempts(
            "33, 85 the kernel's own files",
            &setup,
            &[
                (
                    "the server's environment",
                    "open(f'/proc/{server}/environ', 'rb').read()",
                    REFUSED_OR_ABSENT,
                ),
                (
                    "the server's memory",
                    "open(f'/proc/{server}/mem', 'rb')",
                    REFUSED_OR_ABSENT,
                ),
                (
                    "the server's maps",
                    "open(f'/proc/{server}/maps').read()",
                    REFUSED_OR_ABSENT,
                ),
                (
                    "the server's descriptors",
                    "os.listdir(f'/proc/{server}/fd')",
                    REFUSED_OR_ABSENT,
                ),
                (
                    "the server's arguments",
                    "open(f'/proc/{server}/cmdline').read()",
                    REFUSED_OR_ABSENT,
                ),
                (
                    "the first process's root",
                    "os.listdir('/proc/1/root')",
                    REFUSED_OR_ABSENT,
                ),
                (
                    "the first process's memory",
                    "open('/proc/1/mem', 'rb')",
                    REFUSED_OR_ABSENT,
                ),
                (
                    "core_pattern",
                    "open('/proc/sys/kernel/core_pattern', 'r+')",
                    REFUSED_OR_ABSENT,
                ),
                (
                    "modprobe",
                    "open('/proc/sys/kernel/modprobe', 'r+')",
                    REFUSED_OR_ABSENT,
                ),
                (
                    "max_user_namespaces",
                    "open('/proc/sys/user/max_user_namespaces', 'r+')",
                    REFUSED_OR_ABSENT,
                ),
                (
                    "uid_map",
                    "put('/proc/self/uid_map', '0 0 1')",
                    REFUSED_OR_ABSENT,
                ),
                (
                    "attr",
                    "put('/proc/self/attr/current', 'x')",
                    "EPERM EACCES ENOENT EROFS EINVAL",
                ),
                ("kallsyms", "content('/proc/kallsyms')", REFUSED_OR_ABSENT),
                ("kcore", "content('/proc/kcore')", REFUSED_OR_ABSENT),
                ("keys", "content('/proc/keys')", REFUSED_OR_ABSENT),
                ("net", "open('/proc/net/tcp').read()", "EPERM EACCES ENOENT"),
                ("/sys", "os.listdir('/sys/kernel')", REFUSED_OR_ABSENT),
                (
                    "cgroups",
                    "os.listdir('/sys/fs/cgroup/memory')",
                    REFUSED_OR_ABSENT,
                ),
                (
                    "debugfs",
                    "os.listdir('/sys/kernel/debug/tracing')",
                    REFUSED_OR_ABSENT,
                ),
                ("a disk", "open('/dev/vda', 'rb')", REFUSED_OR_ABSENT),
                (
                    "the other disk",
                    "open('/dev/sda', 'rb')",
                    REFUSED_OR_ABSENT,
                ),
                (
                    "42 the running program",
                    "open('/proc/self/exe', 'r+b')",
                    "EPERM EACCES ENOENT EROFS ETXTBSY",
                ),
            ],
        ),
        attempts(
            "40 files that later episodes use",
            &setup,
            &[
                ("a library", "appended(library)", REFUSED_OR_ABSENT),
                ("compiled code", "appended(cached)", REFUSED_OR_ABSENT),
                (
                    "beside a library",
                    "created(os.path.dirname(library))",
                    REFUSED_OR_ABSENT,
                ),
                (
                    "beside compiled code",
                    "created(os.path.dirname(cached))",
                    REFUSED_OR_ABSENT,
                ),
                (
                    "the interpreter",
                    "appended(sys.executable)",
                    "EPERM EACCES ENOENT EROFS ETXTBSY",
                ),
                (
                    "rename a library",
                    "os.rename(library, library)",
                    "EPERM EACCES ENOENT EROFS EXDEV",
                ),
                (
                    "site-packages",
                    "created(next(p for p in sys.path if p.endswith('-packages')))",
                    "EPERM EACCES ENOENT EROFS StopIteration",
                ),
                ("/", "created('/')", REFUSED_OR_ABSENT),
                ("/etc", "created('/etc')", REFUSED_OR_ABSENT),
                ("/dev", "created('/dev')", REFUSED_OR_ABSENT),
                ("/usr/bin", "created('/usr/bin')", REFUSED_OR_ABSENT),
                ("/var/tmp", "created('/var/tmp')", REFUSED_OR_ABSENT),
                (
                    "mode of a library",
                    "os.chmod(library, 0o644)",
                    "EPERM EACCES ENOENT EROFS",
                ),
                (
                    "time of a library",
                    "os.utime(library)",
                    "EPERM EACCES ENOENT EROFS",
                ),
            ],
        ),
        attempts(
            "50 device nodes",
            "import stat",
            &[
                (
                    "char",
                    "os.mknod('null', 0o666 | stat.S_IFCHR, os.makedev(1, 3))",
                    REFUSED,
                ),
                (
                    "memory",
                    "os.mknod('mem', 0o666 | stat.S_IFCHR, os.makedev(1, 1))",
                    REFUSED,
                ),
                (
                    "block",
                    "os.mknod('disk', 0o666 | stat.S_IFBLK, os.makedev(8, 0))",
                    REFUSED,
                ),
            ],
        ),
        case(
            "51 programs that change the user",
            "import shutil, subprocess
shutil.copy(sys.executable, 'suid'); os.chmod('suid', 0o6755)
ids = 'import os; print(os.getresuid() + os.getresgid())'
here = subprocess.run([sys.executable, '-I', '-c', ids], capture_output=True).stdout
try: there = subprocess.run(['./suid', '-I', '-c', ids], capture_output=True).stdout
except OSError: there = here
print(there in (here, b''))",
            prints("True\n"),
        ),
    ];
    if place.level == Level::Namespace {
        cases.push(case(
            "what is there to see",
            "print(sorted(os.listdir('/proc'), key=len)[0].isdigit(), max(int(p) for p in os.listdir('/proc') if p.isdigit()) < 100)
print(os.getcwd(), [os.path.isdir(p) for p in ('/workspace', '/tmp', '/dev/shm')])
print(all('/workspace' not in open(f'/proc/{p}/cmdline').read() for p in os.listdir('/proc') if p.isdigit()))",
            prints("True True\n/workspace [True, True, True]\nTrue\n"),
        ));
    }
    cases
}

/// 34, 35, 38, 53, 55: what a program can do with what it has.
fn own_process() -> Vec<Case> {
    vec![
        attempts(
            "35 signals to whoever waits for it",
            "signal.signal(signal.SIGTERM, signal.SIG_IGN); parent = os.getppid()",
            &[
                ("35 the reaper, asked to end", "os.kill(parent, signal.SIGTERM)", "EPERM ESRCH done"),
                ("35 the reaper, killed", "os.kill(parent, signal.SIGKILL)", "EPERM ESRCH done"),
                ("35 the reaper, stopped", "os.kill(parent, signal.SIGSTOP)", "EPERM ESRCH done"),
                ("35 its group", "os.killpg(parent, signal.SIGKILL)", "EPERM ESRCH done"),
                ("pid 1", "os.kill(1, signal.SIGKILL)", "EPERM ESRCH done"),
                ("35 the reaper's memory", "open(f'/proc/{parent}/mem', 'r+b')", REFUSED_OR_ABSENT),
                ("35 the reaper's maps", "open(f'/proc/{parent}/maps').read()", REFUSED_OR_ABSENT),
            ],
        ),
        case(
            "35 and it is there still: what it waits for ends as it should",
            "for number in (signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):
    try: os.kill(os.getppid(), number)
    except OSError: pass
os._exit(5)",
            |reply| {
                let ended = reply.exit_code() == 5 && reply.state_after() == StateAfter::Lost;
                ended.then_some(()).ok_or_else(|| shown(reply))
            },
        ),
        case(
            "38 descriptors that were left open",
            "import stat
kinds = {}
for fd in range(4096):
    try: mode = os.fstat(fd).st_mode
    except OSError: continue
    kinds[fd] = 'socket' if stat.S_ISSOCK(mode) else 'pipe' if stat.S_ISFIFO(mode) else 'device' if stat.S_ISCHR(mode) else 'other'
print(kinds)",
            prints("{0: 'device', 1: 'pipe', 2: 'pipe', 3: 'socket'}\n"),
        ),
        attempts(
            "53, 55 out of the root and onto a terminal",
            "os.mkdir('jail')",
            &[
                ("chroot", "os.chroot('jail')", REFUSED),
                ("terminal", "os.open('/dev/tty', os.O_RDWR)", "ENXIO ENOENT EACCES EPERM"),
                ("new terminal", "os.openpty()", "ENOENT EACCES EPERM ENOSYS ENOSPC"),
                ("terminal of stdin", "os.ttyname(0)", "ENOTTY EPERM EACCES"),
                ("dots", "os.listdir('/' + '../' * 50 + 'lost+found')", REFUSED_OR_ABSENT),
            ],
        ),
        case(
            "33 no secrets in the environment, nothing of the server's",
            "print(sorted(k for k in os.environ if not k.endswith('_NUM_THREADS')))",
            |reply| {
                let allowed = ["HOME", "LANG", "LC_CTYPE", "LOGNAME", "MPLBACKEND", "PATH", "PWD", "PYTHONHASHSEED", "TMPDIR", "USER"];
                let names = reply.stdout().replace('\'', "\"");
                let names: Vec<String> = serde_json::from_str(&names).map_err(|_| shown(reply))?;
                let other = names.iter().find(|name| !allowed.contains(&name.as_str()) && !name.starts_with("PYTHON"));
                other.map_or(Ok(()), |other| Err(format!("{other} is in the environment")))
            },
        ),
    ]
}

/// 47, 49: what a program leaves for the server to stumble over when it removes the workspace.
fn planted(precious: &Precious) -> Vec<Case> {
    let dir = precious.dir.path().to_str().unwrap();
    vec![
        case(
            "47 links for the server to follow",
            format!(
                "os.symlink({dir:?}, 'link'); os.makedirs('a/b'); os.symlink({dir:?}, 'a/b/link'); os.symlink('/', 'root')
os.symlink('/proc/self/root', 'proc'); os.symlink('.', 'loop'); os.symlink('x' * 4000, 'far')
for name in ('a', 'b'):
    try: os.rename(os.getcwd(), os.getcwd() + name)
    except OSError: pass
try: os.rmdir(os.getcwd())
except OSError: pass
print('end')"
            ),
            prints("end\n"),
        ),
        case(
            "49 special files",
            "import socket
os.mkfifo('fifo'); os.mkfifo('unreadable', 0)
try: socket.socket(socket.AF_UNIX).bind('socket')
except OSError: pass
open('held', 'w').write('x'); os.chmod('held', 0)
os.mkdir('closed'); open('closed/file', 'w').close(); os.chmod('closed', 0)
print('end')",
            prints("end\n"),
        ),
        case(
            "47 its directory replaced by a link",
            format!(
                "here = os.getcwd()
try: os.rename(here, here + '.old'); os.symlink({dir:?}, here)
except OSError: pass
print('end')"
            ),
            prints("end\n"),
        ),
    ]
}

/// 39: pages that an episode shares with others, or could.
async fn shared_memory(server: &Server) -> Result<(), String> {
    let mark = mark();
    let mut env = episode(&server.channel().await, &mark).await?;
    let [pid] = marked(&mark)[..] else {
        return Err(format!("39: {:?} instead of one process", marked(&mark)));
    };
    let maps = maps_of(pid).map_err(|error| format!("39 {error}"))?;
    let shared: Vec<_> = maps
        .lines()
        .filter(|line| {
            let rights = line.split_whitespace().nth(1).unwrap_or_default();
            rights.contains('w') && rights.contains('s')
        })
        .collect();
    env.close().await.map_err(|error| error.to_string())?;
    if !shared.is_empty() {
        return Err(format!(
            "39 pages that are shared and can be written:\n{}",
            shared.join("\n")
        ));
    }
    becomes(|| marked(&mark).is_empty())
        .await
        .then_some(())
        .ok_or_else(|| "39 a process is left".to_owned())
}
