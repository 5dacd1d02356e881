//! Hostile programs as cases: what they do, and by what a user sees that it did no harm.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use coding_env::client::{CodingEnv, Options, Reason, StepOptions};
use coding_env::proto::v1::{Outcome, StateAfter, StepResponse};
use tonic::transport::Channel;

use super::{PATIENCE, Server};

/// How many hostile episodes run at the same time.
const AT_ONCE: usize = 4;

/// What an attempt that the walls refuse ends with.
pub(crate) const REFUSED: &str = "EPERM EACCES ENOSYS";
/// As [`REFUSED`], or there is nothing there to attack.
pub(crate) const REFUSED_OR_ABSENT: &str = "EPERM EACCES ENOSYS EROFS ENOENT ESRCH ENOTDIR ENXIO";

/// What every hostile program starts with. `attempt(what, call)` notes `done` or the name of the error; `show()` prints the notes.
/// `put(path, text)` writes at once, where an error of a buffered file would come too late to be seen.
/// The process and its children bear a name by which the test finds them, unless they execute something else.
const PRELUDE: &str = r"
import ctypes, errno, json, os, signal, sys, time
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
libc.prctl(15, b'MARK', 0, 0, 0)
seen = {}
def name(number): return errno.errorcode.get(number, str(number))
def syscall(number, *args):
    words = [ctypes.c_long(a) if isinstance(a, int) else a for a in args]
    words += [ctypes.c_long(0)] * (6 - len(words))
    value = libc.syscall(ctypes.c_long(number), *words)
    if value == -1: raise OSError(ctypes.get_errno(), 'refused')
    return value
def attempt(what, call):
    try: call()
    except OSError as error: seen[what] = name(error.errno)
    except BaseException as error: seen[what] = type(error).__name__
    else: seen[what] = 'done'
def put(path, text):
    fd = os.open(path, os.O_WRONLY)
    try: os.write(fd, text.encode())
    finally: os.close(fd)
def show(): print(json.dumps(seen))
";

/// The numbers of these system calls as lines of Python: `SYS_bpf = 321`.
macro_rules! numbers {
    ($($number:ident)*) => {
        [$(format!("{} = {}", stringify!($number), libc::$number)),*].join("\n")
    };
}
pub(crate) use numbers;

type Check = Box<dyn Fn(&StepResponse) -> Result<(), String> + Send + Sync>;

/// One hostile program.
pub(crate) struct Case {
    /// The number of the catalogue (security.md section 2), and its words.
    what: String,
    code: String,
    timeout: Duration,
    check: Check,
}

/// A case whose end is checked.
pub(crate) fn case(
    what: &str,
    code: impl Into<String>,
    check: impl Fn(&StepResponse) -> Result<(), String> + Send + Sync + 'static,
) -> Case {
    Case {
        what: what.to_owned(),
        code: code.into(),
        timeout: Case::TIMEOUT,
        check: Box::new(check),
    }
}

impl Case {
    /// So long that a program comes to its own end also on a machine that has much else to do.
    const TIMEOUT: Duration = Duration::from_secs(60);

    /// With less time than the minute that cases have.
    pub(crate) fn within(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }
}

/// What is attempted: its name, a Python expression, and the results that are allowed, with spaces between.
pub(crate) type Attempt<'a> = (&'a str, &'a str, &'a str);

/// A case that makes many attempts in one program and compares each result.
pub(crate) fn attempts(what: &str, setup: &str, attempts: &[Attempt<'_>]) -> Case {
    let mut code = format!("{setup}\n");
    let mut allowed = BTreeMap::new();
    for (name, call, results) in attempts {
        writeln!(code, "attempt({name:?}, lambda: {call})").unwrap();
        let results = results.split_whitespace().map(str::to_owned).collect();
        let twice = allowed.insert((*name).to_owned(), results);
        assert!(twice.is_none(), "{name} is attempted twice");
    }
    code.push_str("show()");
    case(what, code, move |reply| compare(reply, &allowed))
}

/// Compares the notes that a program printed with what is allowed.
fn compare(reply: &StepResponse, allowed: &BTreeMap<String, Vec<String>>) -> Result<(), String> {
    let seen = notes(reply)?;
    let mut wrong = Vec::new();
    for (name, results) in allowed {
        match seen.get(name) {
            Some(result) if results.contains(result) => {}
            other => wrong.push(format!(
                "{name}: {}",
                other.map_or("missing", |other| other)
            )),
        }
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(wrong.join(", "))
    }
}

/// The notes that a program printed by `show()`.
pub(crate) fn notes(reply: &StepResponse) -> Result<BTreeMap<String, String>, String> {
    let line = reply.stdout().lines().last().unwrap_or_default();
    serde_json::from_str(line).map_err(|_| format!("printed no notes: {}", shown(reply)))
}

/// A reply in a line.
pub(crate) fn shown(reply: &StepResponse) -> String {
    let short = |text: &str| {
        let skipped = text.chars().count().saturating_sub(300);
        text.chars().skip(skipped).collect::<String>()
    };
    let observed = reply.observed.clone().unwrap_or_default();
    format!(
        "{} {:?} {:?} stdout {:?} stderr {:?} limit {:?} {:?} signal {:?} {}",
        reply.exit_code(),
        reply.outcome(),
        reply.state_after(),
        short(reply.stdout()),
        short(reply.stderr()),
        observed.limit(),
        observed.limits_hit,
        observed.signal,
        observed.violation
    )
}

/// The step completed and printed this.
pub(crate) fn prints(
    expected: &'static str,
) -> impl Fn(&StepResponse) -> Result<(), String> + Send + Sync + 'static {
    move |reply| {
        let ok = reply.outcome() == Outcome::Completed && reply.stdout() == expected;
        ok.then_some(()).ok_or_else(|| shown(reply))
    }
}

/// The step ended with one of these.
pub(crate) fn ends(
    allowed: &'static [(i32, Outcome, StateAfter)],
) -> impl Fn(&StepResponse) -> Result<(), String> + Send + Sync + 'static {
    move |reply| {
        let ending = (reply.exit_code(), reply.outcome(), reply.state_after());
        let ok = allowed.contains(&ending);
        ok.then_some(()).ok_or_else(|| shown(reply))
    }
}

/// A name for processes that nobody else has: at most 15 bytes (TASK_COMM_LEN of prctl(2)).
pub(crate) fn mark() -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("h{}x{next}", std::process::id())
}

/// The processes that bear this name (/proc/PID/comm), wherever they are below the tests' own pid namespace. Zombies have ended.
pub(crate) fn marked(mark: &str) -> Vec<i32> {
    let pids = fs::read_dir("/proc").unwrap().flatten();
    pids.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok())
        .filter(|pid| {
            fs::read_to_string(format!("/proc/{pid}/comm"))
                .is_ok_and(|comm| comm.trim_end() == mark)
        })
        .filter(|pid| super::is_running(*pid))
        .collect()
}

/// What a process has mapped (/proc/PID/maps). Root without CAP_SYS_PTRACE, as in a container, has to ask as the process's own user, who
/// has the capabilities that workers keep.
///
/// # Errors
/// Why it can't be read.
pub(crate) fn maps_of(pid: i32) -> Result<String, String> {
    let path = format!("/proc/{pid}/maps");
    let refused = match fs::read_to_string(&path) {
        Ok(maps) => return Ok(maps),
        Err(error) => format!("{path}: {error}"),
    };
    let status = fs::read_to_string(format!("/proc/{pid}/status")).map_err(|_| refused.clone())?;
    let id = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name))?;
        line.split_whitespace().nth(1)?.parse::<u32>().ok()
    };
    let (Some(uid), Some(gid)) = (id("Uid:"), id("Gid:")) else {
        return Err(refused);
    };
    let kept = "+setuid,+setgid";
    let output = Command::new("setpriv")
        .args(["--reuid", &uid.to_string(), "--regid", &gid.to_string()])
        .args(["--clear-groups", "--inh-caps", kept, "--ambient-caps", kept])
        .args(["cat", &path])
        .output()
        .map_err(|error| format!("{refused}; as uid {uid}: {error}"))?;
    if !output.status.success() {
        let error = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{refused}; as uid {uid}: {error}"));
    }
    String::from_utf8(output.stdout).map_err(|error| error.to_string())
}

/// Waits until something holds, and lets other tasks go on meanwhile. False when it did not within 30 s.
pub(crate) async fn becomes(mut holds: impl FnMut() -> bool) -> bool {
    let begun = Instant::now();
    while !holds() {
        if begun.elapsed() > PATIENCE {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    true
}

/// A fresh episode whose processes bear this name and that has the helpers of hostile programs.
pub(crate) async fn episode(channel: &Channel, mark: &str) -> Result<CodingEnv, String> {
    let mut env = CodingEnv::with_channel(channel.clone(), Options::default());
    env.reset()
        .await
        .map_err(|error| format!("Reset: {error}"))?;
    let reply = env.step(PRELUDE.replace("MARK", mark)).await;
    let reply = reply.map_err(|error| format!("the first step: {error}"))?;
    match reply.outcome() {
        Outcome::Completed => Ok(env),
        _ => Err(format!("the helpers do not run: {}", shown(&reply))),
    }
}

/// Runs all cases, each in an episode of its own, some at a time, beside a neighbour that has to stay right. Returns what went wrong.
pub(crate) async fn run(server: &Server, cases: Vec<Case>) -> Vec<String> {
    let channel = server.channel().await;
    let neighbour = Neighbour::start(channel.clone());
    let count = cases.len();
    let cases = Arc::new(std::sync::Mutex::new(cases.into_iter()));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..AT_ONCE {
        let (cases, channel) = (Arc::clone(&cases), channel.clone());
        tasks.spawn(async move {
            let mut wrong = Vec::new();
            loop {
                let next = cases.lock().unwrap().next();
                let Some(case) = next else { break wrong };
                let begun = Instant::now();
                if let Err(error) = run_one(&channel, &case).await {
                    wrong.push(format!("{}: {error}", case.what));
                }
                if begun.elapsed() > Duration::from_secs(5) {
                    eprintln!("  {} took {:?}", case.what, begun.elapsed());
                }
            }
        });
    }
    let mut wrong = tasks.join_all().await.concat();
    wrong.extend(neighbour.end().await.err());
    eprintln!("  {count} cases, {} wrong", wrong.len());
    wrong
}

/// Runs a case, sees that its episode tells the truth about itself afterwards, and that nothing is left of it after Close.
async fn run_one(channel: &Channel, case: &Case) -> Result<(), String> {
    let mark = mark();
    let mut env = episode(channel, &mark).await?;
    let mut options = StepOptions::default();
    options.timeout = Some(case.timeout);
    let reply = env.step_with(case.code.as_str(), options).await;
    let reply = reply.map_err(|error| format!("an error, and no outcome: {error}"))?;
    let mut result = (case.check)(&reply);
    if reply.state_after() == StateAfter::Lost {
        let next = env.step("1").await;
        if !next.is_err_and(|error| error.reason() == Some(&Reason::EpisodeLost)) {
            result = result.and_then(|()| Err("a lost episode took a step".to_owned()));
        }
    }
    env.close()
        .await
        .map_err(|error| format!("Close: {error}"))?;
    if !becomes(|| marked(&mark).is_empty()).await {
        result = result.and_then(|()| Err(format!("left after Close: {:?}", marked(&mark))));
    }
    result
}

/// An episode that keeps counting. That its numbers are right is the sign that others do not disturb it.
pub(crate) struct Neighbour {
    stop: Arc<AtomicBool>,
    task: tokio::task::JoinHandle<Result<u32, String>>,
}

impl Neighbour {
    pub(crate) fn start(channel: Channel) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let task = tokio::spawn(async move {
            let mut env = CodingEnv::with_channel(channel, Options::default());
            env.reset()
                .await
                .map_err(|error| format!("the neighbour's Reset: {error}"))?;
            let mut count = 0;
            while !stopped.load(Ordering::Relaxed) {
                count += 1;
                let code = "n = globals().get('n', 0) + 1\nopen('n', 'w').write(str(n))\nprint(open('n').read())\nn";
                let reply = env
                    .step(code)
                    .await
                    .map_err(|error| format!("the neighbour: {error}"))?;
                let expected = (format!("{count}\n"), Some(count.to_string()));
                let seen = (reply.stdout().to_owned(), reply.result().map(str::to_owned));
                if seen != expected {
                    return Err(format!("the neighbour at step {count}: {}", shown(&reply)));
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            env.close()
                .await
                .map_err(|error| format!("the neighbour's Close: {error}"))?;
            Ok(count)
        });
        Self { stop, task }
    }

    /// Ends it and tells how many steps it made, or what was wrong.
    pub(crate) async fn end(self) -> Result<u32, String> {
        self.stop.store(true, Ordering::Relaxed);
        self.task.await.unwrap()
    }
}
