//! Signals within an episode are what they are outside of one, whatever keeps them from others: its own processes are there, and nobody else.

use coding_env::client::CodingEnv;
use coding_env::proto::v1::Outcome;
use tokio::time::timeout;
use tonic::transport::Channel;

use crate::support::PATIENCE;
use crate::support::hostile::{becomes, episode, mark, marked, shown};
use crate::support::places::each_place;

/// Each line's value and what it has to be. `forked(work)` is a child that has begun to work, `end(pid)` its exit code as subprocess says it.
const OWN: &[(&str, &str)] = &[
    // One process.
    ("[os.kill(forked(), 0) for _ in range(2)]", "[None, None]"),
    (
        "[ended_by(lambda pid: os.kill(pid, number)) for number in (15, 9, 10)]",
        "[-15, -9, -10]",
    ),
    ("ended_by(lambda pid: os.kill(pid, 15), os.setsid)", "-15"),
    ("stopped(forked())", "(True, True, -9)"),
    ("terminated(subprocess.Popen(['sleep', '60']))", "-15"),
    (
        "terminated(subprocess.Popen(['sleep', '60'], start_new_session=True))",
        "-15",
    ),
    ("multiprocess()", "-15"),
    ("ended_by(lambda pid: None, os.abort)", "-6"),
    (
        "ended_by(lambda pid: None, lambda: os.kill(os.getpid(), 9))",
        "-9",
    ),
    // Itself: a handler has run when the call is over, once.
    ("caught(lambda: os.kill(os.getpid(), 10))", "1"),
    ("caught(lambda: signal.raise_signal(10))", "1"),
    (
        "caught(lambda: signal.pthread_kill(threading.main_thread().ident, 10))",
        "1",
    ),
    ("caught(lambda: os.kill(0, 10))", "1"),
    ("caught(lambda: os.killpg(os.getpgrp(), 10))", "1"),
    // A thread of its own, and by a thread's number.
    ("to_thread()", "True"),
    (
        "caught(lambda: in_thread(lambda: os.kill(threading.get_native_id(), 10)))",
        "1",
    ),
    (
        "caught(lambda: in_thread(lambda: signal.raise_signal(10)))",
        "1",
    ),
    // Groups, and everybody.
    ("ended_by(lambda pid: os.killpg(pid, 9), os.setsid)", "-9"),
    ("group()", "True"),
    ("daemon()", "True"),
    ("everybody()", "[0, -10, -10, -10]"),
    // Who is not there.
    ("error(lambda: os.kill(2**30, 9))", "'ESRCH'"),
    ("error(lambda: os.killpg(2**30, 9))", "'ESRCH'"),
    ("error(lambda: os.kill(-2**31, 9))", "'ESRCH'"),
    ("error(lambda: os.kill(forked(), 65))", "'EINVAL'"),
    ("error(lambda: os.kill(os.getpid(), 65))", "'EINVAL'"),
    ("error(lambda: os.killpg(os.getpgrp(), 65))", "'EINVAL'"),
];

const SETUP: &str = r"
import multiprocessing, select, subprocess, threading
hits = []
signal.signal(signal.SIGUSR1, lambda *_: hits.append(1))
children = []
def forked(work=lambda: None):
    begun, told = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(begun)
            signal.signal(signal.SIGUSR1, signal.SIG_DFL)
            work()
            os.write(told, b'.')
            os.close(told)
            while True: signal.pause()
        finally: os._exit(77)
    os.close(told)
    os.read(begun, 1)
    os.close(begun)
    children.append(pid)
    return pid
def end(pid): return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
def ended_by(how, work=lambda: None):
    pid = forked(work)
    how(pid)
    children.remove(pid)
    return end(pid)
def stopped(pid):
    os.kill(pid, signal.SIGSTOP)
    first = os.WIFSTOPPED(os.waitpid(pid, os.WUNTRACED)[1])
    os.kill(pid, signal.SIGCONT)
    second = os.WIFCONTINUED(os.waitpid(pid, os.WCONTINUED)[1])
    os.kill(pid, 9)
    children.remove(pid)
    return first, second, end(pid)
def terminated(process):
    process.terminate()
    return process.wait()
def multiprocess():
    process = multiprocessing.get_context('fork').Process(target=signal.pause)
    process.start()
    process.terminate()
    process.join()
    return process.exitcode
def caught(call):
    hits.clear()
    call()
    return len(hits)
def in_thread(work):
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
def to_thread():
    # The signal is one thread's: nobody else can take it.
    ready, taken = threading.Event(), []
    def wait():
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])
        ready.set()
        taken.append(signal.sigwait([signal.SIGUSR2]))
    thread = threading.Thread(target=wait)
    thread.start()
    ready.wait()
    signal.pthread_kill(thread.ident, signal.SIGUSR2)
    thread.join()
    return taken == [signal.SIGUSR2]
def gone(pipe): return os.read(pipe, 1) == b''
def tree(detached):
    # A child in a session of its own with one more below, which holds the pipe and tells its number.
    ours, theirs = os.pipe()
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGUSR1, signal.SIG_DFL)
        os.setsid()
        if os.fork() == 0 or not detached:
            os.write(theirs, b'%8d' % os.getpid())
            while True: signal.pause()
        os._exit(0)
    os.close(theirs)
    if detached: end(pid)
    numbers = os.read(ours, 8) + (b'' if detached else os.read(ours, 8))
    return pid, ours, int(numbers[:8])
def group():
    pid, pipe, _ = tree(False)
    os.killpg(pid, signal.SIGUSR1)
    return end(pid) == -10 and gone(pipe)
def daemon():
    _, pipe, number = tree(True)
    os.kill(number, 9)
    return gone(pipe)
def everybody():
    for pid in children: os.kill(pid, 9); end(pid)
    children.clear()
    mine = [forked(), forked(os.setsid), forked(lambda: os.setpgid(0, 0))]
    hits.clear()
    os.kill(-1, signal.SIGUSR1)
    children.clear()
    return [len(hits)] + [end(pid) for pid in mine]
def error(call):
    try: call()
    except OSError as failed: return name(failed.errno)
    finally:
        for pid in children: os.kill(pid, 9); end(pid)
        children.clear()
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_episode_signals_its_own_processes_as_any_program_does() {
    each_place(&[], async |_, server| {
        let mark = mark();
        match own(server.channel().await, &mark).await {
            Ok(wrong) => wrong,
            Err(error) => vec![error],
        }
    })
    .await;
}

async fn own(channel: Channel, mark: &str) -> Result<Vec<String>, String> {
    let mut env = episode(&channel, mark).await?;
    value(&mut env, &format!("{SETUP}\n0")).await?;
    let mut wrong = Vec::new();
    for (code, wanted) in OWN {
        match value(&mut env, code).await {
            Ok(seen) if seen == *wanted => {}
            Ok(seen) => wrong.push(format!("{code}: {seen}, not {wanted}")),
            Err(error) => wrong.push(error),
        }
    }
    value(&mut env, "[forked(os.setsid) for _ in range(3)] and 0").await?;
    env.close().await.map_err(|error| error.to_string())?;
    if !becomes(|| marked(mark).is_empty()).await {
        wrong.push("processes are left after Close".to_owned());
    }
    Ok(wrong)
}

async fn value(env: &mut CodingEnv, code: &str) -> Result<String, String> {
    let reply = env
        .step(code)
        .await
        .map_err(|error| format!("{code}: {error}"))?;
    let result = reply.result().map(str::to_owned);
    result.ok_or_else(|| format!("{code}: {}", shown(&reply)))
}

/// Processes that signal one another without end, of each kind of call.
const FLOOD: &str = "
flooding = os.getpid()
for call in (lambda: os.kill(flooding, 0), lambda: os.kill(-1, 0), lambda: os.killpg(os.getpgrp(), 0), lambda: os.kill(1, 0)):
    for _ in range(2):
        if os.fork() == 0:
            while True:
                try: call()
                except OSError: pass
while True:
    signal.raise_signal(signal.SIGURG)";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_signals_is_its_episodes_own_matter_and_can_be_interrupted() {
    each_place(&["--warm-workers", "1"], async |_, server| {
        let mark = mark();
        match flood(server.channel().await, &mark).await {
            Ok(()) => Vec::new(),
            Err(error) => vec![error],
        }
    })
    .await;
}

async fn flood(channel: Channel, mark: &str) -> Result<(), String> {
    let mut flooding = episode(&channel, mark).await?;
    let interrupter = flooding.interrupter().map_err(|error| error.to_string())?;
    let flood = tokio::spawn(async move {
        let reply = flooding.step(FLOOD).await;
        (flooding, reply)
    });
    if !becomes(|| marked(mark).len() > 8).await {
        return Err("the flood did not begin".to_owned());
    }
    // Neighbours are made, signal, and end.
    for _ in 0..3 {
        let mut neighbour = episode(&channel, "neighbour").await?;
        let code = "child = os.spawnlp(os.P_NOWAIT, 'sleep', 'sleep', '60')\nos.kill(child, 9)\nos.waitpid(child, 0)[1]";
        let seen = timeout(PATIENCE, value(&mut neighbour, code));
        let seen = seen
            .await
            .map_err(|_| "a neighbour's signals take for ever")??;
        if seen != "9" {
            return Err(format!("a neighbour's child: {seen}"));
        }
        let ended = neighbour.close();
        ended.await.map_err(|error| error.to_string())?;
    }
    while !interrupter
        .interrupt()
        .await
        .map_err(|error| error.to_string())?
    {
        tokio::task::yield_now().await;
    }
    let (mut flooding, reply) = timeout(PATIENCE, flood)
        .await
        .map_err(|_| "an interrupt takes for ever")?
        .map_err(|error| error.to_string())?;
    let reply = reply.map_err(|error| error.to_string())?;
    if reply.outcome() != Outcome::Interrupted {
        return Err(shown(&reply));
    }
    flooding.close().await.map_err(|error| error.to_string())?;
    if !becomes(|| marked(mark).is_empty()).await {
        return Err("the flood is left after Close".to_owned());
    }
    Ok(())
}
