//! Catalogue C: attacks on the harness, which shares the interpreter. What the program claims may be false; what the server observed is
//! not, and nobody else notices. `catalogue.rs` has more of them, without walls.

use std::time::Duration;

use coding_env::client::{CodingEnv, Options, Reason};
use coding_env::proto::v1::{Outcome, StateAfter, StepResponse};
use tonic::transport::Channel;

use crate::catalogue::FORGE;
use crate::support::hostile::{Case, case, ends, episode, mark, prints, run, shown};
use crate::support::places::each_place;

/// Whatever the reply is, it is no success of a lost interpreter, and a broken channel is told as such.
fn harmless(reply: &StepResponse) -> Result<(), String> {
    let lost = reply.state_after() == StateAfter::Lost;
    let honest = lost == reply.done
        && (reply.outcome() != Outcome::Killed || lost)
        && (reply.outcome() != Outcome::ProtocolViolation || lost);
    honest.then_some(()).ok_or_else(|| shown(reply))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_program_does_to_its_harness_deceives_nobody_else() {
    each_place(&[], async |_, server| {
        let mut wrong = run(server, cases()).await;
        let channel = server.channel().await;
        wrong.extend(claims_do_not_change_facts(&channel).await.err());
        wrong.extend(late_reports(&channel).await.err());
        wrong.extend(poisoned_modules(&channel).await.err());
        wrong.extend(secrets_of_others(&channel).await.err());
        wrong.extend(
            server
                .log()
                .iter()
                .filter(|line| line.contains('\u{1b}'))
                .map(|line| format!("75 a terminal escape in the log: {line:?}")),
        );
        wrong
    })
    .await;
}

fn cases() -> Vec<Case> {
    let killed: &[(i32, Outcome, StateAfter)] = &[(0, Outcome::Killed, StateAfter::Lost)];
    vec![
        case(
            "57 frames of the harness",
            format!(
                "{FORGE}
frame = sys._getframe()
while frame:
    for key, value in list(frame.f_globals.items()):
        if 'report' in key or 'send' in key:
            try: value(b'forged')
            except BaseException: pass
    frame = frame.f_back"
            ),
            harmless,
        ),
        case(
            "58 objects of the harness",
            "import gc
for thing in gc.get_objects():
    if type(thing).__module__ in ('__main__', 'harness') and type(thing).__name__ in ('Worker', 'Harness'):
        for attribute in dir(thing):
            try: setattr(thing, attribute, None)
            except BaseException: pass",
            harmless,
        ),
        case(
            "59 builtins replaced",
            "import builtins
builtins.repr = builtins.compile = builtins.exec = lambda *a, **k: 'forged'
os.write = lambda fd, data: len(data)
json.dumps = lambda *a, **k: 'forged'
1 / 0",
            harmless,
        ),
        case(
            "60 every descriptor written to",
            "for fd in range(3, 1024):
    try: os.write(fd, b'\\xff' * 64)
    except OSError: pass",
            |reply| {
                let ok = reply.outcome() == Outcome::ProtocolViolation;
                ok.then_some(()).ok_or_else(|| shown(reply))
            },
        ),
        case(
            "61 frames by a traceback",
            "try: 1 / 0
except ZeroDivisionError as error: frame = error.__traceback__.tb_frame.f_back
while frame: frame.f_globals.clear(); frame = frame.f_back",
            harmless,
        ),
        case("62 an early exit that looks like success", "os._exit(0)", ends(killed)),
        case(
            "62 an exit before the tests",
            "sys.exit(0)",
            ends(&[(0, Outcome::Exited, StateAfter::Intact)]),
        ),
        case(
            "62 another program in its place",
            "os.execv(sys.executable, [sys.executable, '-c', 'pass'])",
            ends(killed),
        ),
        case(
            "63 exit codes that wrap",
            "sys.exit(256)",
            ends(&[(0, Outcome::Exited, StateAfter::Intact)]),
        ),
        case(
            "63 exit codes that are too wide",
            "sys.exit(2 ** 40)",
            |reply| {
                let ok = reply.outcome() == Outcome::Exited;
                ok.then_some(()).ok_or_else(|| shown(reply))
            },
        ),
        case(
            "64 exits with an object",
            "raise SystemExit(3.5)",
            ends(&[(1, Outcome::Exited, StateAfter::Intact)]),
        ),
        case(
            "68 tracing, auditing, faulthandler",
            "import faulthandler, threading
sys.settrace(lambda *a: None); sys.setprofile(lambda *a: None); threading.settrace(lambda *a: 1 / 0)
sys.addaudithook(lambda *a: None); faulthandler.enable(); sys.breakpointhook = None
print('end')",
            harmless,
        ),
        case(
            "69 memory of the harness overwritten",
            "for name in ('PyEval_EvalFrameDefault', '_PyRuntime', 'PyObject_Repr'):
    try: address = ctypes.addressof(ctypes.c_char.in_dll(ctypes.pythonapi, name))
    except ValueError: continue
    ctypes.memset(address, 0x41, 1 << 16)",
            |reply| {
                let ok = reply.outcome() == Outcome::Killed && reply.done;
                ok.then_some(()).ok_or_else(|| shown(reply))
            },
        ),
        case(
            "69 every object's type overwritten",
            "import gc
for thing in gc.get_objects()[:5000]: ctypes.memset(id(thing) + 8, 0x41, 8)",
            |reply| {
                let ok = reply.state_after() == StateAfter::Lost;
                ok.then_some(()).ok_or_else(|| shown(reply))
            },
        ),
        case(
            "71 a pickle as the result",
            "import pickle
class Bomb:
    def __reduce__(self): return os._exit, (42,)
    def __repr__(self): return repr(pickle.dumps(self))
Bomb()",
            |reply| {
                let ok = reply.outcome() == Outcome::Completed
                    && reply.result().is_some_and(|result| result.contains("_exit"));
                ok.then_some(()).ok_or_else(|| shown(reply))
            },
        ),
        case(
            "72 a clock that lies",
            "wait = time.sleep
time.time = time.monotonic = time.perf_counter = time.process_time = lambda: 0.0
wait(0.3)",
            |reply| {
                let usage = reply.observed.as_ref().unwrap().usage.unwrap();
                let wall = usage.wall_time.unwrap();
                let ok = wall.seconds > 0 || wall.nanos >= 300_000_000;
                ok.then_some(()).ok_or_else(|| shown(reply))
            },
        ),
        case(
            "75 terminal escapes",
            "class E\u{e9}(Exception): pass
print('\\x1b]0;owned\\x07\\x1b[2J')
raise E\u{e9}('\\x1b[31m')",
            |reply| {
                let ok = reply.outcome() == Outcome::Raised
                    && reply.stdout() == "\u{1b}]0;owned\u{7}\u{1b}[2J\n";
                ok.then_some(()).ok_or_else(|| shown(reply))
            },
        ),
        case(
            "105 recursion without end",
            "sys.setrecursionlimit(10 ** 8)
class R:
    def __repr__(self): return repr(self)
R()",
            |reply| {
                let ok = reply.outcome() != Outcome::Completed;
                ok.then_some(()).ok_or_else(|| shown(reply))
            },
        )
        .within(Duration::from_secs(5)),
        case(
            "106 a null pointer",
            "ctypes.string_at(0)",
            ends(&[(128 + 11, Outcome::Killed, StateAfter::Lost)]),
        ),
        case(
            "106 an abort, told as one",
            "os.abort()",
            ends(&[(128 + 6, Outcome::Killed, StateAfter::Lost)]),
        ),
        case(
            "106 signals to oneself work as in any process",
            "os.kill(os.getpid(), signal.SIGKILL)",
            ends(&[(128 + 9, Outcome::Killed, StateAfter::Lost)]),
        ),
        case(
            "106 also those that the first process of a namespace would not get",
            "signal.signal(signal.SIGALRM, signal.SIG_DFL); signal.setitimer(signal.ITIMER_REAL, 0.05); time.sleep(10)",
            ends(&[(128 + 14, Outcome::Killed, StateAfter::Lost)]),
        ),
        case(
            "67 objects that are equal to everything",
            "class Equal:
    def __eq__(self, other): return True
import builtins; builtins.sum = lambda *a: Equal(); builtins.isinstance = lambda *a: True
print(sum([1]) == 2)",
            prints("True\n"),
        ),
    ]
}

async fn send(env: &mut CodingEnv, code: &str) -> Result<StepResponse, String> {
    env.step(code)
        .await
        .map_err(|error| format!("{code}: {error}"))
}

/// 57 to 61: a forged report is a claim. How the process ended is a fact.
async fn claims_do_not_change_facts(channel: &Channel) -> Result<(), String> {
    let mut env = episode(channel, &mark()).await?;
    send(&mut env, FORGE).await?;
    let forged = "os.write(3, report(3, result=b'claimed'))\nos._exit(9)";
    let reply = send(&mut env, forged).await?;
    // The claim may have ended the step before the process did: then it is the next that tells.
    let told = reply.state_after() == StateAfter::Lost
        || env.step("1").await.map_or_else(
            |error| error.reason() == Some(&Reason::EpisodeLost),
            |next| next.state_after() == StateAfter::Lost,
        );
    drop(env.close().await);
    told.then_some(())
        .ok_or_else(|| format!("57 a forged report hid an end: {}", shown(&reply)))
}

/// 66: what comes after the end of a step is not taken for the next one's.
async fn late_reports(channel: &Channel) -> Result<(), String> {
    let mut env = episode(channel, &mark()).await?;
    send(&mut env, FORGE).await?;
    let late = "import threading
def forge():
    time.sleep(0.2); os.write(3, report(4, flags=4, result=b'claimed'))
threading.Thread(target=forge).start()";
    send(&mut env, late).await?;
    let next = env.step("import time; time.sleep(0.6)\n'true'").await;
    // It came between the steps, which is a violation, or during the step that it claims to be of: then that step's own result is false,
    // and its true report is one too many.
    let ok = match &next {
        Ok(reply) if reply.state_after() == StateAfter::Lost => true,
        Ok(reply) if reply.result() == Some("claimed") => {
            env.step("time.sleep(1)").await.map_or_else(
                |error| error.reason() == Some(&Reason::EpisodeLost),
                |after| after.outcome() == Outcome::ProtocolViolation,
            )
        }
        Ok(_) => false,
        Err(error) => error.reason() == Some(&Reason::EpisodeLost),
    };
    let mut after = CodingEnv::with_channel(channel.clone(), Options::default());
    after.reset().await.map_err(|error| error.to_string())?;
    let clean = send(&mut after, "1 + 1").await?;
    drop(after.close().await);
    drop(env.close().await);
    (ok && clean.result() == Some("2"))
        .then_some(())
        .ok_or_else(|| format!("66 a late report: {next:?}"))
}

/// 70: modules left where the harness or a later episode might import them.
async fn poisoned_modules(channel: &Channel) -> Result<(), String> {
    let mut env = episode(channel, &mark()).await?;
    let poison = "
for folder in {os.getcwd(), os.path.expanduser('~')}:
    for name in ('random', 'json', 'struct', 'traceback', 'linecache', 'sitecustomize', 'usercustomize', 'numpy', 'encodings'):
        try: open(os.path.join(folder, name + '.py'), 'w').write('raise SystemExit(77)')
        except OSError: pass
    try: open(os.path.join(folder, 'evil.pth'), 'w').write('import os; os._exit(77)')
    except OSError: pass
1 / 0";
    let reply = send(&mut env, poison).await?;
    if reply.outcome() != Outcome::Raised || !reply.stderr().contains("ZeroDivisionError") {
        return Err(format!("70 poisoned modules: {}", shown(&reply)));
    }
    env.close().await.map_err(|error| error.to_string())?;
    for _ in 0..6 {
        env.reset().await.map_err(|error| error.to_string())?;
        let used = "import random, json, struct, traceback, linecache\nimport subprocess, sys
subprocess.run([sys.executable, '-c', 'import json, random']).returncode";
        let reply = send(&mut env, used).await?;
        if reply.result() != Some("0") {
            return Err(format!(
                "70 a later episode after poison: {}",
                shown(&reply)
            ));
        }
    }
    env.close().await.map_err(|error| error.to_string())
}

/// 73, 74: what another episode had, or has, in memory or in files is not to be found.
async fn secrets_of_others(channel: &Channel) -> Result<(), String> {
    // Written so that the search does not find its own text.
    let keep = |half: &str| {
        format!(
            "secret = 'the-answer-' + '{half}' * 3\nopen('answer', 'w').write(secret)\nhash(secret)"
        )
    };
    let (mut gone, mut here) = (
        episode(channel, &mark()).await?,
        episode(channel, &mark()).await?,
    );
    send(&mut gone, &keep("gone")).await?;
    send(&mut here, &keep("here")).await?;
    gone.close().await.map_err(|error| error.to_string())?;
    let search = "
import gc
needles = ['the-answer-' + half * 3 for half in ('go' + 'ne', 'he' + 're')]
mine = {id(needles), *map(id, needles)}
found = [n for thing in gc.get_objects() if isinstance(thing, (dict, list, tuple)) and id(thing) not in mine and thing is not globals()
         for n in needles if n in (list(thing.values()) if isinstance(thing, dict) else thing)]
for folder, folders, files in os.walk('/', onerror=lambda error: None):
    folders[:] = [name for name in folders if os.path.join(folder, name) not in ('/proc', '/sys', '/usr', '/lib')][:200]
    if 'answer' in files: found.append(folder)
found";
    let mut env = episode(channel, &mark()).await?;
    let reply = send(&mut env, search).await?;
    drop(env.close().await);
    let kept = send(
        &mut here,
        "secret == 'the-answer-' + 'here' * 3, open('answer').read() == secret",
    )
    .await?;
    drop(here.close().await);
    let ok = reply.result() == Some("[]") && kept.result() == Some("(True, True)");
    ok.then_some(()).ok_or_else(|| {
        format!(
            "73, 74 secrets of others: {} {}",
            shown(&reply),
            shown(&kept)
        )
    })
}
