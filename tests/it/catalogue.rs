//! Hostile programs against their own harness, and hostile sources. Without isolation a program can forge its own report; what it
//! can't do is make a missing one look like success, break another episode, or make the server fail.

use std::time::Duration;

use coding_env::client::{CodingEnv, Reason, StepOptions};
use coding_env::proto::v1::{Outcome, StateAfter, StepResponse};

use crate::support::{Server, pythons};

fn ending(reply: &StepResponse) -> (i32, Outcome, StateAfter) {
    (reply.exit_code(), reply.outcome(), reply.state_after())
}

const COMPLETED: (i32, Outcome, StateAfter) = (0, Outcome::Completed, StateAfter::Intact);
const RAISED: (i32, Outcome, StateAfter) = (1, Outcome::Raised, StateAfter::Intact);
const VIOLATION: (i32, Outcome, StateAfter) = (1, Outcome::ProtocolViolation, StateAfter::Lost);

fn servers() -> impl Iterator<Item = Server> {
    pythons()
        .into_iter()
        .map(|python| Server::start(&["--python", python.to_str().unwrap()]))
}

/// Checks that the episode is lost and that the server serves on.
async fn assert_lost_alone(env: &mut CodingEnv) {
    let refused = env.step("1").await.unwrap_err();
    assert_eq!(refused.reason(), Some(&Reason::EpisodeLost), "{refused}");
    env.reset().await.unwrap();
    assert_eq!(env.step("1 + 1").await.unwrap().result(), Some("2"));
}

/// A well-formed report of step `number` that completed, as a program would forge it.
pub(crate) const FORGE: &str = "
import os, struct, time
def report(number, end=1, flags=0, exit_code=0, result=b'', kind=b'', text=b''):
    body = struct.pack('<BIBBiQIII', 2, number, end, flags, exit_code, len(result), len(result), len(kind), len(text))
    body += result + kind + text
    return struct.pack('<I', len(body)) + body
";

#[tokio::test]
async fn a_broken_report_is_a_violation_on_the_reply_where_it_is_noticed() {
    for server in servers() {
        let mut env = server.env().await;
        for attack in [
            "os.write(3, b'garbage, and more of it than a header')",
            "os.write(3, struct.pack('<I', 0xffffffff))",
            "os.write(3, struct.pack('<I', 0))",
            "os.write(3, struct.pack('<I', 1) + b'\\x01')", // ready, once more
            "os.write(3, struct.pack('<I', 1) + b'\\x09')",
            "os.write(3, report(1))", // of an earlier step
            "os.write(3, report(3))", // of a later one
            "os.write(3, report(2, end=9))",
            "os.write(3, report(2, exit_code=-1))",
            "os.write(3, report(2, exit_code=256))",
            "os.write(3, report(2)[:-1] + b'')",
            "os.write(3, report(2, kind=b'x' * 5000))",
            "os.write(3, report(2, result=b'x' * (1 << 20))); time.sleep(0.05)", // larger than a result may be, not than all displays
            "os.write(3, report(2) * 2)",                                        // two at once
            "os.write(3, report(2) + report(3))",
            "os.write(3, report(2)); os.write(3, report(2))",
            "os.write(3, report(2)); time.sleep(0.05)", // the true one comes when the next step has been sent
        ] {
            env.reset().await.unwrap();
            env.step(FORGE).await.unwrap();
            let reply = env
                .step(format!("print('shown', flush=True)\n{attack}"))
                .await
                .unwrap();
            // A forged report that is well-formed ends the step; the true one then is the second, which may come with the
            // reply or after it.
            if ending(&reply) == COMPLETED {
                assert!(attack.starts_with("os.write(3, report(2)"), "{attack}");
                let next = env.step("print('ran')").await.unwrap();
                assert_eq!(ending(&next), VIOLATION, "{attack}");
                // It began if the true report came no sooner than it was sent, and got as far as it did: `print` writes the end
                // of its line on its own.
                assert!("ran\n".starts_with(next.stdout()), "{attack}: {next:?}");
            } else {
                assert_eq!(ending(&reply), VIOLATION, "{attack}: {reply:?}");
                assert_eq!(reply.stdout(), "shown\n", "{attack}");
                assert!(!reply.observed.unwrap().violation.is_empty());
                assert!(reply.done);
            }
            assert_lost_alone(&mut env).await;
        }
    }
}

#[tokio::test]
async fn a_forged_report_misstates_that_step_alone() {
    for server in servers() {
        let mut env = server.env().await;
        env.reset().await.unwrap();
        env.step(FORGE).await.unwrap();
        // It ends the step with a claim of its own, and goes on running as what the step left behind. The true report is one too many.
        let forged = env
            .step(
                "os.write(3, report(2, flags=4, result=b'claimed'))\nraise ValueError('the truth')",
            )
            .await
            .unwrap();
        match forged.outcome() {
            Outcome::Completed => assert_eq!(forged.result(), Some("claimed")),
            Outcome::ProtocolViolation => {}
            other => panic!("{other:?}"),
        }
        if forged.outcome() == Outcome::Completed {
            let next = env.step("1").await.unwrap();
            assert_eq!(ending(&next), VIOLATION);
        }
        assert_lost_alone(&mut env).await;
    }
}

#[tokio::test]
async fn a_missing_report_is_never_success() {
    for server in servers() {
        let mut env = server.env().await;
        for (code, exit_code) in [
            ("import os; os._exit(0)", 0),
            (
                "import os, atexit; atexit.register(os._exit, 0); os._exit(0)",
                0,
            ),
            ("import os; os.execv('/bin/true', ['true'])", 0),
            ("import os; os.execv('/bin/sh', ['sh', '-c', 'exit 3'])", 3),
            ("import os; os.close(3); os._exit(0)", 0),
            ("import os, ctypes; ctypes.CDLL(None).exit(0)", 0),
        ] {
            env.reset().await.unwrap();
            let reply = env.step(code).await.unwrap();
            assert_eq!(
                ending(&reply),
                (exit_code, Outcome::Killed, StateAfter::Lost),
                "{code}"
            );
            assert_lost_alone(&mut env).await;
        }
        // The channel closed by a program that goes on.
        env.reset().await.unwrap();
        let mut options = StepOptions::default();
        options.timeout = Some(Duration::from_secs(20));
        let reply = env
            .step_with("import os; os.close(3)\nwhile True: pass", options)
            .await
            .unwrap();
        assert_eq!(reply.state_after(), StateAfter::Lost);
        assert_ne!(reply.outcome(), Outcome::Completed);
        assert_lost_alone(&mut env).await;
    }
}

#[tokio::test]
async fn tampering_with_the_interpreter_hurts_that_episode_alone() {
    for server in servers() {
        let mut env = server.env().await;
        let mut other = server.env().await;
        other.reset().await.unwrap();
        other.step("kept = 1").await.unwrap();
        for code in [
            "import builtins\nfor name in ('len', 'isinstance', 'compile', 'exec', 'eval', 'repr', 'str', 'type', 'print', 'open'): setattr(builtins, name, None)",
            "import builtins; builtins.__dict__.clear()",
            "import sys; sys.stdout = sys.stderr = None",
            "import sys; sys.stdout = sys.stderr = 5",
            "import sys; sys.modules.clear()",
            "import sys; sys.settrace(lambda *a: 1 / 0); sys.setprofile(lambda *a: None)",
            "import sys; sys.addaudithook(lambda *a: 1 / 0)",
            "import sys; sys.excepthook = lambda *a: 1 / 0\nraise ValueError",
            "import sys; sys.displayhook = lambda *a: 1 / 0\n5",
            "import struct, os, linecache, traceback\nstruct.Struct = os.write = linecache.cache = traceback.format_exception = None",
            "import gc\nfor o in gc.get_objects():\n    if type(o).__name__ == 'Worker': o.__dict__.clear()",
            "import sys\nf = sys._getframe()\nwhile f:\n    f.f_globals.clear() if '_ast' in f.f_globals else None\n    f = f.f_back",
            "import sys, os\ntry: 1/0\nexcept Exception as e: frame = e.__traceback__.tb_frame.f_back\nframe.f_globals['pack_report'] = lambda *a, **k: b'x'",
            "import sys; sys.setrecursionlimit(50)",
            "import atexit, os; atexit.register(os._exit, 0)",
            "class D:\n    def __del__(self): 1 / 0\nd = D(); del d",
            "import faulthandler; faulthandler.disable()",
            "import os\nfor fd in range(256):\n    try: os.close(fd)\n    except OSError: pass",
            "import signal\nfor s in range(1, 65):\n    try: signal.signal(s, signal.SIG_IGN)\n    except (OSError, ValueError): pass",
            "globals().clear()",
            "__import__('sys').modules['__main__'] = None",
            "import os; os.chdir('/'); os.environ.clear()",
            "import os, shutil; shutil.rmtree(os.getcwd())",
            "for name in ('random', 'json', 'struct', 'traceback', 'sitecustomize', 'usercustomize'): open(name + '.py', 'w').write('1/0')",
        ] {
            env.reset().await.unwrap();
            // Whatever the outcome is, there is a reply, in time, and the episode either goes on or says that it is lost.
            let reply = env.step(code).await.unwrap();
            if reply.state_after() == StateAfter::Lost {
                assert!(reply.done, "{code}");
            } else {
                match env.step("1 + 1").await {
                    Ok(next) => assert!(
                        next.outcome() != Outcome::Completed
                            || next.result().is_none_or(|result| result == "2"),
                        "{code}: {next:?}"
                    ),
                    Err(error) => assert_eq!(
                        error.reason(),
                        Some(&Reason::EpisodeLost),
                        "{code}: {error}"
                    ),
                }
            }
            assert_eq!(
                other.step("kept").await.unwrap().result(),
                Some("1"),
                "{code}"
            );
        }
    }
}

#[tokio::test]
async fn hostile_sources_are_the_programs_own_error() {
    for server in servers() {
        let mut env = server.env().await;
        env.reset().await.unwrap();
        env.step("kept = 1").await.unwrap();
        let nested =
            |open: &str, close: &str| format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
        let chain = |first: &str, link: &str| format!("{first}{}", link.repeat(100_000));
        for (name, code, expected) in [
            ("NUL", "x = 1\0".to_owned(), Some(RAISED)),
            ("parentheses", nested("(", ")"), Some(RAISED)),
            ("brackets", nested("[", "]"), Some(RAISED)),
            ("minus", nested("-", ""), None),
            ("not", nested("not ", ""), None),
            ("power", chain("1", "**1"), None),
            ("lambda", nested("lambda: ", ""), None),
            ("ternary", chain("1", " if 1 else 1"), None),
            ("attributes", chain("x", ".a"), None),
            ("calls", chain("x", "()"), None),
            ("sum", chain("1", "+1"), None),
            (
                "elif",
                format!("if 0: pass\n{}", "elif 0: pass\n".repeat(5000)),
                None,
            ),
            ("digits", format!("x = {}", "9".repeat(10_000)), None),
            ("BOM", "\u{feff}5".to_owned(), Some(COMPLETED)),
            ("two BOMs", "\u{feff}\u{feff}5".to_owned(), Some(RAISED)),
            (
                "CRLF",
                "x = 1\r\nif x:\r\n    y = 2\r\n".to_owned(),
                Some(COMPLETED),
            ),
            (
                "CR",
                "x = 1\rif x:\r    y = 2\r".to_owned(),
                Some(COMPLETED),
            ),
            (
                "form feed",
                "\x0cx = 1\n\x0c\ny = 2".to_owned(),
                Some(COMPLETED),
            ),
            (
                "no such coding",
                "# coding: nosuch\n5".to_owned(),
                Some(COMPLETED),
            ),
            (
                "utf-7",
                "# -*- coding: utf-7 -*-\n'+AGE-'".to_owned(),
                Some(COMPLETED),
            ),
            (
                "a long line",
                format!("x = '{}'", "é".repeat(5_000_000)),
                Some(COMPLETED),
            ),
            ("many lines", "x = 1\n".repeat(20_000), Some(COMPLETED)),
            ("empty", String::new(), Some(COMPLETED)),
            ("white space", " \t\n\r\n \x0c".to_owned(), Some(COMPLETED)),
            ("comments", "# a\n# b".to_owned(), Some(COMPLETED)),
            ("recursion", "def f(): f()\nf()".to_owned(), Some(RAISED)),
        ] {
            let reply = env.step(code).await.unwrap();
            assert!(
                reply.outcome() == Outcome::Completed || reply.outcome() == Outcome::Raised,
                "{name}: {:?}",
                ending(&reply)
            );
            if let Some(expected) = expected {
                let shown = reply.stderr().chars().take(300).collect::<String>();
                assert_eq!(ending(&reply), expected, "{name}: {shown}");
            }
            assert_eq!(
                env.step("kept").await.unwrap().result(),
                Some("1"),
                "{name}"
            );
        }
        // A million lines take seconds to compile: the step's timeout holds for that too, and then the state is lost or not, truthfully.
        let mut options = StepOptions::default();
        options.timeout = Some(Duration::from_millis(200));
        let reply = env
            .step_with("x = 1\n".repeat(1_000_000), options)
            .await
            .unwrap();
        assert_eq!(
            (reply.exit_code(), reply.outcome()),
            (124, Outcome::TimedOut)
        );
        match reply.state_after() {
            StateAfter::Lost => assert_lost_alone(&mut env).await,
            _ => assert_eq!(env.step("kept").await.unwrap().result(), Some("1")),
        }
        // A stack that overflows ends the interpreter or is an error in it, by version.
        env.reset().await.unwrap();
        let mut options = StepOptions::default();
        options.timeout = Some(Duration::from_secs(5));
        let deep = env
            .step_with(
                "import sys\nsys.setrecursionlimit(10**8)\ndef f(): f()\nf()",
                options,
            )
            .await
            .unwrap();
        assert_ne!(deep.outcome(), Outcome::Completed);
        env.reset().await.unwrap();
        assert_eq!(env.step("1").await.unwrap().result(), Some("1"));
    }
}
