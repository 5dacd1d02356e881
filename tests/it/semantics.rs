//! What the interpreter does, case by case, as a user sees it. Each test runs on every interpreter of `support::pythons()`.

use std::time::Duration;

use coding_env::client::{CodingEnv, Error, Reason, ResetOptions, StepOptions};
use coding_env::proto::v1::{
    EpisodeStatus, LimitKind, Limits, Outcome, StateAfter, StepLimits, StepResponse, Usage,
};

use crate::support::{self, Server, pythons, wait_until};

/// How a step ended: exit code, outcome, and whether the variables are still there.
type Ending = (i32, Outcome, StateAfter);

/// Catches every interrupt. (From `try: while True: pass` CPython 3.11 and later let some escape.)
const SWALLOW: &str = "\
import itertools
while True:
    try:
        open('begun', 'w').close()
        for _ in itertools.count(): pass
    except KeyboardInterrupt: pass";
const COMPLETED: Ending = (0, Outcome::Completed, StateAfter::Intact);
const RAISED: Ending = (1, Outcome::Raised, StateAfter::Intact);

fn ending(reply: &StepResponse) -> Ending {
    assert_eq!(
        reply.done,
        reply.state_after() == StateAfter::Lost,
        "{reply:?}"
    );
    (reply.exit_code(), reply.outcome(), reply.state_after())
}

/// A step that is to run to its end without an error. Returns what it printed.
async fn run(env: &mut CodingEnv, code: &str) -> String {
    let reply = env.step(code).await.unwrap();
    assert_eq!(ending(&reply), COMPLETED, "{code}\n{}", reply.stderr());
    reply.stdout().to_owned()
}

/// The `result` of a step that is to run to its end.
async fn value(env: &mut CodingEnv, code: &str) -> String {
    let reply = env.step(code).await.unwrap();
    assert_eq!(ending(&reply), COMPLETED, "{code}\n{}", reply.stderr());
    reply.result().unwrap_or_default().to_owned()
}

/// Checks that the last step lost the interpreter, and that all say so.
async fn assert_lost(env: &mut CodingEnv) {
    let refused = env.step("1").await.unwrap_err();
    assert_eq!(refused.reason(), Some(&Reason::EpisodeLost), "{refused}");
    let state = env.state().await.unwrap();
    assert_eq!(state.status(), EpisodeStatus::Lost);
    assert!(state.loss.is_some());
}

fn limited(limits: Limits) -> ResetOptions {
    let mut options = ResetOptions::default();
    options.limits = Some(limits);
    options
}

fn seeded(seed: u64) -> ResetOptions {
    let mut options = ResetOptions::default();
    options.seed = Some(seed);
    options
}

fn within(timeout: Duration) -> StepOptions {
    let mut options = StepOptions::default();
    options.timeout = Some(timeout);
    options
}

fn usage(reply: &StepResponse) -> &Usage {
    reply.observed.as_ref().unwrap().usage.as_ref().unwrap()
}

fn cpu(usage: &Usage) -> Duration {
    let part = |time: Option<prost_types::Duration>| Duration::try_from(time.unwrap()).unwrap();
    part(usage.cpu_user_time) + part(usage.cpu_system_time)
}

/// One server for each interpreter.
fn servers(flags: &[&str]) -> impl Iterator<Item = Server> {
    pythons().into_iter().map(move |python| {
        let mut all = vec!["--python", python.to_str().unwrap()];
        all.extend(flags);
        Server::start(&all)
    })
}

#[tokio::test]
async fn code_runs_and_shows_what_it_printed_and_its_last_expression() {
    for server in servers(&[]) {
        let mut env = server.env().await;
        env.reset().await.unwrap();
        let both = env
            .step("import sys\nprint('out')\nprint('err', file=sys.stderr)")
            .await
            .unwrap();
        assert_eq!((both.stdout(), both.stderr()), ("out\n", "err\n"));
        assert_eq!((ending(&both), both.result()), (COMPLETED, None));

        for (code, result) in [
            ("", None),
            (" \n\t\n", None),
            ("# nothing", None),
            ("None", None),
            ("print", Some("<built-in function print>")),
            ("x = 20\nx + 1", Some("21")),
            ("_", Some("21")),
            ("None", None),
            ("_ * 2", Some("42")),
            ("'text'; ", Some("'text'")),
            ("'a docstring alone'", Some("'a docstring alone'")),
            ("'''docstring'''\ny = 1", None),
            ("__name__", Some("'__main__'")),
            ("if x: 5", None),
            ("for i in range(3): i", None),
        ] {
            let reply = env.step(code).await.unwrap();
            assert_eq!(
                (ending(&reply), reply.result(), reply.stdout()),
                (COMPLETED, result, ""),
                "{code:?}: {}",
                reply.stderr()
            );
        }
        assert_eq!(
            run(&mut env, "if __name__ == '__main__':\n    print('main')").await,
            "main\n"
        );
        run(&mut env, "from __future__ import annotations").await;
        run(&mut env, "def f(a: undefined_name): pass").await;
        assert_eq!(
            value(&mut env, "f.__annotations__").await,
            "{'a': 'undefined_name'}"
        );
    }
}

#[tokio::test]
async fn an_uncaught_exception_shows_the_users_frames() {
    for server in servers(&[]) {
        let mut env = server.env().await;
        env.reset().await.unwrap();
        run(&mut env, "def divide(a):\n    return a / 0  # here").await;
        let raised = env.step("print('before')\ndivide(1)").await.unwrap();
        assert_eq!((ending(&raised), raised.stdout()), (RAISED, "before\n"));
        let text = raised.stderr();
        // Newer versions underline; the frames and lines are the same.
        let lines: Vec<&str> = text
            .lines()
            .filter(|line| !line.trim_matches([' ', '~', '^']).is_empty())
            .collect();
        assert_eq!(
            lines,
            [
                "Traceback (most recent call last):",
                "  File \"<step 2>\", line 2, in <module>",
                "    divide(1)",
                "  File \"<step 1>\", line 2, in divide",
                "    return a / 0  # here",
                "ZeroDivisionError: division by zero"
            ]
        );
        let exception = raised.reported.unwrap().exception.unwrap();
        assert_eq!(
            (exception.r#type.as_str(), exception.message.as_str()),
            ("ZeroDivisionError", "division by zero")
        );

        let syntax = env.step("x = 1\ny = = 2").await.unwrap();
        assert_eq!(ending(&syntax), RAISED);
        assert_eq!(
            syntax.stderr(),
            "  File \"<step 3>\", line 2\n    y = = 2\n        ^\nSyntaxError: invalid syntax\n"
        );
        assert_eq!(
            run(&mut env, "print('x' in globals())").await,
            "False\n",
            "none of it ran"
        );

        let interrupt = env.step("raise KeyboardInterrupt").await.unwrap();
        assert_eq!(
            ending(&interrupt),
            (130, Outcome::Raised, StateAfter::Intact)
        );
        assert!(
            interrupt.stderr().ends_with("\nKeyboardInterrupt\n"),
            "{}",
            interrupt.stderr()
        );

        let json = env.step("import json\njson.loads('{')").await.unwrap();
        let exception = json.reported.unwrap().exception.unwrap();
        assert_eq!(exception.r#type, "json.decoder.JSONDecodeError");
        let long = env.step("raise ValueError('é' * 100000)").await.unwrap();
        let message = long.reported.clone().unwrap().exception.unwrap().message;
        assert!(message.len() <= 4096 && message.starts_with("éé"));
        let hostile = env
            .step("class E(Exception):\n  def __str__(self): raise KeyError(1)\nraise E")
            .await
            .unwrap();
        assert_eq!(ending(&hostile), RAISED);
        assert!(
            hostile.stderr().contains("E: <exception str() failed>"),
            "{}",
            hostile.stderr()
        );
    }
}

#[tokio::test]
async fn sys_exit_ends_the_step_as_it_would_end_a_process() {
    for server in servers(&[]) {
        let mut env = server.env().await;
        env.reset().await.unwrap();
        run(&mut env, "import sys\nkept = 1").await;
        for (code, exit_code, stderr) in [
            ("sys.exit()", 0, ""),
            ("sys.exit(None)", 0, ""),
            ("sys.exit(0)", 0, ""),
            ("sys.exit(3)", 3, ""),
            ("sys.exit(True)", 1, ""),
            ("sys.exit(256)", 0, ""),
            ("sys.exit(257)", 1, ""),
            ("sys.exit(-1)", 255, ""),
            ("sys.exit(2**31)", 0, ""),
            ("sys.exit(2**40)", 0, ""),
            ("sys.exit(2**70)", 255, ""),
            ("sys.exit('x')", 1, "x\n"),
            ("sys.exit(3.5)", 1, "3.5\n"),
            ("sys.exit((1, 2))", 1, "(1, 2)\n"),
            ("raise SystemExit", 0, ""),
            ("raise SystemExit('x')", 1, "x\n"),
            ("exit()", 0, ""),
            ("exit(5)", 5, ""),
            ("quit('bye')", 1, "bye\n"),
        ] {
            let reply = env.step(code).await.unwrap();
            assert_eq!(
                (ending(&reply), reply.stderr()),
                ((exit_code, Outcome::Exited, StateAfter::Intact), stderr),
                "{code}"
            );
        }
        assert_eq!(value(&mut env, "kept").await, "1");
        // exit() closes stdin, as at a prompt; the next input() is told the same as the first.
        for code in ["input()", "input('name? ')", "exit()", "input()"] {
            let reply = env.step(code).await.unwrap();
            if code != "exit()" {
                assert_eq!(ending(&reply), RAISED, "{code}");
                assert!(
                    reply
                        .stderr()
                        .ends_with("EOFError: EOF when reading a line\n"),
                    "{code}: {}",
                    reply.stderr()
                );
            }
        }
        assert_eq!(value(&mut env, "sys.stdin.read()").await, "''");
    }
}

#[tokio::test]
async fn what_was_printed_before_a_sudden_end_is_kept_and_the_episode_is_lost() {
    const SIGNAL_SELF: &str = "import os; os.kill(os.getpid(), ";
    for server in servers(&[]) {
        let mut env = server.env().await;
        for (code, exit_code, signal) in [
            ("import os; os._exit(0)".to_owned(), 0, None),
            ("import os; os._exit(7)".to_owned(), 7, None),
            ("import os; os._exit(256)".to_owned(), 0, None),
            (format!("{SIGNAL_SELF}9)"), 137, Some(9)),
            (format!("{SIGNAL_SELF}15)"), 143, Some(15)),
            (format!("{SIGNAL_SELF}14)"), 142, Some(14)),
            ("import os; os.abort()".to_owned(), 134, Some(6)),
            (
                "import ctypes; ctypes.string_at(0)".to_owned(),
                139,
                Some(11),
            ),
        ] {
            env.reset().await.unwrap();
            let code = format!("print('x' * 300000); print('last')\n{code}");
            let reply = env.step(&code).await.unwrap();
            assert_eq!(
                ending(&reply),
                (exit_code, Outcome::Killed, StateAfter::Lost),
                "{code}"
            );
            assert_eq!(reply.stdout().len(), 300_006, "{code}");
            assert!(reply.stdout().ends_with("x\nlast\n"), "{code}");
            let observed = reply.observed.unwrap();
            assert_eq!(observed.signal, signal, "{code}");
            assert_eq!(
                observed.process_exit_code,
                signal.is_none().then_some(exit_code),
                "{code}"
            );
            assert_lost(&mut env).await;
        }
        env.reset().await.unwrap();
        assert_eq!(value(&mut env, "1").await, "1", "a reset gives a new one");
    }
}

#[tokio::test]
async fn a_timeout_tells_whether_the_state_survived() {
    const HONOURED: Ending = (124, Outcome::TimedOut, StateAfter::Intact);
    const IGNORED: Ending = (124, Outcome::TimedOut, StateAfter::Lost);
    for server in servers(&["--interrupt-grace", "700ms"]) {
        let mut env = server.env().await;
        for (code, expected) in [
            ("while True: pass", HONOURED),
            ("import time; time.sleep(1000)", HONOURED),
            (
                "import subprocess; subprocess.run(['sleep', '1000'])",
                HONOURED,
            ),
            ("import threading; threading.Event().wait()", HONOURED),
            (
                "import itertools\ntry:\n    for _ in itertools.count(): pass\nexcept KeyboardInterrupt: caught = True",
                HONOURED,
            ),
            (SWALLOW, IGNORED),
            (
                "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass",
                IGNORED,
            ),
            ("import itertools; sum(itertools.repeat(1))", IGNORED),
            (
                "class R:\n    def __repr__(self):\n        while True: pass\nR()",
                HONOURED,
            ),
        ] {
            env.reset().await.unwrap();
            run(&mut env, "kept = 'kept'").await;
            let code = format!("print('begun')\n{code}");
            let reply = env
                .step_with(&code, within(Duration::from_millis(300)))
                .await
                .unwrap();
            assert_eq!(ending(&reply), expected, "{code}\n{}", reply.stderr());
            assert_eq!(reply.stdout(), "begun\n", "{code}");
            let observed = reply.observed.as_ref().unwrap();
            assert_eq!(observed.limit(), LimitKind::StepTimeout, "{code}");
            assert_eq!(reply.timeout.unwrap().nanos, 300_000_000);
            if expected == HONOURED {
                assert_eq!(value(&mut env, "kept").await, "'kept'", "{code}");
            } else {
                assert_eq!(observed.signal, Some(9), "{code}");
                assert_lost(&mut env).await;
            }
        }
    }
}

#[tokio::test]
async fn a_timeout_that_comes_before_the_code_has_started_is_honoured_too() {
    for server in servers(&[]) {
        let mut env = server.env().await;
        env.reset().await.unwrap();
        run(&mut env, "kept = 1").await;
        for _ in 0..support::soak(150) {
            let reply = env
                .step_with("while True: pass", within(Duration::from_millis(1)))
                .await
                .unwrap();
            assert_eq!(
                ending(&reply),
                (124, Outcome::TimedOut, StateAfter::Intact),
                "{reply:?}"
            );
        }
        assert_eq!(value(&mut env, "kept").await, "1");
    }
}

#[tokio::test]
async fn an_interrupt_tells_whether_the_state_survived() {
    for server in servers(&["--interrupt-grace", "700ms"]) {
        let mut env = server.env().await;
        for (code, expected) in [
            (
                "while True: pass",
                (130, Outcome::Interrupted, StateAfter::Intact),
            ),
            (
                "import time; time.sleep(1000)",
                (130, Outcome::Interrupted, StateAfter::Intact),
            ),
            // It caught the interrupt, and went on to an end of its own.
            (
                "import itertools\ntry:\n    open('begun', 'w').close()\n    for _ in itertools.count(): pass\nexcept KeyboardInterrupt: print('caught')",
                COMPLETED,
            ),
            (SWALLOW, (130, Outcome::Interrupted, StateAfter::Lost)),
        ] {
            env.reset().await.unwrap();
            run(&mut env, "kept = 1").await;
            let interrupter = env.interrupter().unwrap();
            let begun = support::workspace_of(&server, &mut env).await.join("begun");
            let interrupt = async {
                // Where it matters, not before the code has come to its `try`.
                while code.contains("begun") && !begun.exists() {
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
                while !interrupter.interrupt().await.unwrap() {
                    tokio::task::yield_now().await;
                }
            };
            let (reply, ()) = tokio::join!(env.step(code), interrupt);
            let reply = reply.unwrap();
            assert_eq!(ending(&reply), expected, "{code}");
            if expected.2 == StateAfter::Intact {
                assert_eq!(value(&mut env, "kept").await, "1", "{code}");
            } else {
                assert_lost(&mut env).await;
            }
        }
        assert!(!env.interrupter().unwrap().interrupt().await.unwrap());
    }
}

/// The first step is sent together with the episode's setup: an interrupt that lands in that is for the step.
#[tokio::test]
async fn an_interrupt_at_the_beginning_of_the_first_step_keeps_the_episode() {
    for server in servers(&[]) {
        let mut env = server.env().await;
        for _ in 0..40 {
            env.reset().await.unwrap();
            let interrupter = env.interrupter().unwrap();
            let interrupt = async {
                while !interrupter.interrupt().await.unwrap() {
                    tokio::task::yield_now().await;
                }
            };
            let (reply, ()) = tokio::join!(env.step("while True: pass"), interrupt);
            let expected = (130, Outcome::Interrupted, StateAfter::Intact);
            assert_eq!(ending(&reply.unwrap()), expected);
            assert_eq!(value(&mut env, "6 * 7").await, "42");
        }
    }
}

#[tokio::test]
async fn libraries_work_as_in_a_program() {
    for server in servers(&[]) {
        let mut env = server.env().await;
        env.reset().await.unwrap();
        run(
            &mut env,
            "import subprocess, sys, threading, asyncio, multiprocessing, os",
        )
        .await;
        let child = env
            .step(
                "r = subprocess.run([sys.executable, '-c', 'import sys; print(1); print(2, file=sys.stderr); sys.exit(3)'])\n\
                 r.returncode",
            )
            .await
            .unwrap();
        assert_eq!(
            (child.stdout(), child.stderr(), child.result()),
            ("1\n", "2\n", Some("3"))
        );
        for (code, stdout) in [
            (
                "print(subprocess.check_output(['echo', 'hi']).decode(), end='')",
                "hi\n",
            ),
            ("print(subprocess.getoutput('echo $((1+1))'))", "2\n"),
            ("os.system('echo shell')", "shell\n"),
            (
                "t = threading.Thread(target=print, args=('thread',)); t.start(); t.join()",
                "thread\n",
            ),
            (
                "async def go():\n    await asyncio.sleep(0)\n    return 'asyncio'\nprint(asyncio.run(go()))",
                "asyncio\n",
            ),
            (
                "from concurrent.futures import ThreadPoolExecutor, ProcessPoolExecutor\n\
                 with ThreadPoolExecutor(2) as pool: print(sum(pool.map(abs, [-1, -2])))",
                "3\n",
            ),
            (
                "def square(x): return x * x\n\
                 with multiprocessing.Pool(2) as pool: print(pool.map(square, [1, 2, 3]))",
                "[1, 4, 9]\n",
            ),
            (
                "with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context('fork')) as pool: \
                 print(list(pool.map(square, [4, 5])))",
                "[16, 25]\n",
            ),
            (
                "def child(): print('child')\n\
                 p = multiprocessing.Process(target=child); p.start(); p.join(); print(p.exitcode)",
                "child\n0\n",
            ),
            (
                "q = multiprocessing.Queue()\n\
                 p = multiprocessing.Process(target=q.put, args=('queued',)); p.start(); print(q.get()); p.join()",
                "queued\n",
            ),
            ("print(multiprocessing.get_start_method())", "fork\n"),
            (
                "import pickle\nclass Point:\n    def __init__(self, x): self.x = x",
                "",
            ),
            ("print(pickle.loads(pickle.dumps(Point(4))).x)", "4\n"),
            (
                "import inspect\nprint(inspect.getsource(square), end='')",
                "def square(x): return x * x\n",
            ),
            (
                "print(inspect.getsource(child), end='')",
                "def child(): print('child')\n",
            ),
            (
                "from dataclasses import dataclass\n@dataclass\nclass D:\n    a: int\nprint(D(1))",
                "D(a=1)\n",
            ),
            (
                "import ctypes\nlibc = ctypes.CDLL(None)\nx = libc.puts(b'libc'), libc.fflush(None)",
                "libc\n",
            ),
            ("n = os.write(1, b'raw\\n')", "raw\n"),
            ("print(open('/proc/self/fd/0').read() == '')", "True\n"),
            (
                "open('f', 'w').write('x')\nprint(os.listdir('.'))",
                "['f']\n",
            ),
            (
                "import tempfile\nprint(os.getcwd() == os.environ['HOME'], os.environ['TMPDIR'] == tempfile.gettempdir())",
                "True True\n",
            ),
            (
                "open('mine.py', 'w').write('a = 5')\nimport mine\nprint(mine.a)",
                "5\n",
            ),
        ] {
            assert_eq!(run(&mut env, code).await, stdout, "{code}");
        }
        assert_eq!(
            run(&mut env, "n = os.write(1, b'\\xff\\xfe|\\n')").await,
            "\u{fffd}\u{fffd}|\n"
        );
    }
}

#[tokio::test]
async fn without_isolation_an_episode_has_one_directory_for_all() {
    for server in servers(&["--isolation", "none"]) {
        let mut env = server.env().await;
        env.reset().await.unwrap();
        let same = "import os\nos.getcwd() == os.environ['HOME'] == os.environ['TMPDIR']";
        assert_eq!(value(&mut env, same).await, "True");
    }
}

#[tokio::test]
async fn a_forked_child_leaves_at_the_end_of_the_code() {
    for server in servers(&[]) {
        let mut env = server.env().await;
        env.reset().await.unwrap();
        run(&mut env, "import os, sys\nkept = 1").await;
        for child in [
            "x = 1",
            "sys.exit(5)",
            "raise ValueError('in the child')",
            "1/0",
        ] {
            let code = format!(
                "pid = os.fork()\n\
                 if pid: status = os.waitpid(pid, 0)[1]; print(os.WEXITSTATUS(status))\n\
                 else:\n    print('child')\n    {child}"
            );
            let reply = env.step(&code).await.unwrap();
            assert_eq!(ending(&reply), COMPLETED, "{child}: {}", reply.stderr());
            let status = match child {
                "x = 1" => 0,
                "sys.exit(5)" => 5,
                _ => 1,
            };
            assert_eq!(reply.stdout(), format!("child\n{status}\n"), "{child}");
        }
        // One that reaches the end after the step has ended.
        run(
            &mut env,
            "r, w = os.pipe()\nif os.fork() == 0:\n    os.close(w); os.read(r, 1)",
        )
        .await;
        assert_eq!(
            run(&mut env, "os.close(w); n = os.wait(); print(kept)").await,
            "1\n"
        );
        assert_eq!(value(&mut env, "os.getpid() != 1").await, "True");
    }
}

#[tokio::test]
async fn threads_and_children_go_on_between_steps() {
    for server in servers(&[]) {
        let mut env = server.env().await;
        env.reset().await.unwrap();
        let workspace = support::workspace_of(&server, &mut env).await;
        run(
            &mut env,
            "import os, threading, subprocess, time\n\
             done = threading.Event()\n\
             def work():\n    \
                 while not os.path.exists('go'): time.sleep(0.002)\n    \
                 print('from the thread', flush=True)\n    \
                 end = time.process_time() + 0.1\n    \
                 while time.process_time() < end: pass\n    \
                 open('done', 'w').close(); done.set()\n\
             threading.Thread(target=work, daemon=True).start()",
        )
        .await;
        // The step is over: what the thread does now is between two steps.
        std::fs::write(workspace.join("go"), "").unwrap();
        wait_until("the thread has done its work", || {
            workspace.join("done").exists()
        });
        let next = env.step("print('next', done.wait(10))").await.unwrap();
        assert_eq!(next.stdout(), "from the thread\nnext True\n");
        let background = next.observed.as_ref().unwrap().background.as_ref().unwrap();
        assert!(
            cpu(background) >= Duration::from_millis(90),
            "{background:?}"
        );
        assert!(cpu(usage(&next)) < Duration::from_millis(90), "{next:?}");
        let quiet = env.step("1").await.unwrap();
        assert_eq!(quiet.observed.unwrap().background, None);

        run(
            &mut env,
            "wait = 'until test -e child-go; do sleep 0.01; done'\n\
             p = subprocess.Popen(['sh', '-c', wait + '; echo from the child; echo > child'])",
        )
        .await;
        std::fs::write(workspace.join("child-go"), "").unwrap();
        wait_until("the child has written", || workspace.join("child").exists());
        assert_eq!(
            run(&mut env, "print(p.wait())").await,
            "from the child\n0\n"
        );
    }
}

#[tokio::test]
async fn an_episode_that_burns_cpu_between_steps_is_frozen_until_the_next() {
    for server in servers(&["--background-cpu-time", "100ms"]) {
        let mut env = server.env().await;
        env.reset().await.unwrap();
        run(
            &mut env,
            "import threading\ncount = 0\n\
             def spin():\n    global count\n    while True: count += 1\n\
             threading.Thread(target=spin, daemon=True).start()",
        )
        .await;
        let begun = std::time::Instant::now();
        while env.state().await.unwrap().status() != EpisodeStatus::Frozen {
            assert!(begun.elapsed() < support::PATIENCE, "it was not frozen");
            tokio::task::yield_now().await;
        }
        let thawed = env.step("count > 0").await.unwrap();
        assert_eq!(
            (ending(&thawed), thawed.result()),
            (COMPLETED, Some("True"))
        );
        let background = thawed.observed.unwrap().background.unwrap();
        assert!(
            cpu(&background) >= Duration::from_millis(100),
            "{background:?}"
        );
        // It goes on while a step runs.
        run(
            &mut env,
            "before = count\nimport time\nwhile count == before: time.sleep(0.001)",
        )
        .await;
        env.close().await.unwrap();
    }
}

#[tokio::test]
async fn randomness_differs_unless_it_is_seeded() {
    let draw = "import random\n[random.random() for _ in range(3)]";
    for server in servers(&[]) {
        let mut env = server.env().await;
        let mut draws = Vec::new();
        for seed in [
            None,
            None,
            Some(1),
            Some(1),
            Some(2),
            Some(u64::MAX),
            Some(u64::MAX),
        ] {
            env.reset_with(seed.map_or_else(ResetOptions::default, seeded))
                .await
                .unwrap();
            draws.push(value(&mut env, draw).await);
        }
        assert_ne!(draws[0], draws[1]);
        assert_eq!(draws[2], draws[3]);
        assert_eq!(draws[5], draws[6]);
        assert_ne!(draws[2], draws[4]);
        assert_ne!(draws[2], draws[5]);
        let fresh = "import secrets, uuid, os\n(secrets.token_hex(), uuid.uuid4(), os.urandom(8))";
        let hash = "hash('a'), hash(b'a')";
        let mut hashes = Vec::new();
        let mut tokens = Vec::new();
        for _ in 0..2 {
            env.reset_with(seeded(1)).await.unwrap();
            tokens.push(value(&mut env, fresh).await);
            hashes.push(value(&mut env, hash).await);
        }
        assert_ne!(tokens[0], tokens[1]);
        assert_eq!(hashes[0], hashes[1]);
    }
}

#[tokio::test]
async fn numpy_is_seeded_also_when_it_is_imported_later() {
    let python = std::env::var("CODING_ENV_TEST_NUMPY_PYTHON").ok();
    let Some(python) = python.filter(|path| !path.is_empty()) else {
        return support::lacks("numpy");
    };
    for flags in [&[][..], &["--preload", "numpy"]] {
        let mut all = vec!["--python", &python];
        all.extend(flags);
        let server = Server::start(&all);
        let mut env = server.env().await;
        let mut draws = Vec::new();
        for seed in [
            None,
            None,
            Some(7),
            Some(7),
            Some(8),
            Some(u64::MAX),
            Some(u64::MAX),
        ] {
            env.reset_with(seed.map_or_else(ResetOptions::default, seeded))
                .await
                .unwrap();
            draws.push(
                value(
                    &mut env,
                    "import numpy\nnumpy.random.rand(2).tolist(), numpy.random.randint(10**9)",
                )
                .await,
            );
        }
        assert_ne!(draws[0], draws[1], "{flags:?}");
        assert_eq!(draws[2], draws[3], "{flags:?}");
        assert_ne!(draws[2], draws[4], "{flags:?}");
        assert_eq!(draws[5], draws[6], "{flags:?}");
        let mut fresh = Vec::new();
        for _ in 0..2 {
            env.reset_with(seeded(7)).await.unwrap();
            fresh.push(
                value(
                    &mut env,
                    "import numpy\nnumpy.random.default_rng().random()",
                )
                .await,
            );
        }
        assert_ne!(fresh[0], fresh[1], "{flags:?}");
    }
}

#[tokio::test]
async fn limits_are_what_python_raises() {
    for server in servers(&[]) {
        let mut env = server.env().await;
        env.reset_with(limited(Limits {
            memory_bytes: Some(512 << 20),
            file_bytes: Some(1 << 20),
            open_files: Some(32),
            ..Limits::default()
        }))
        .await
        .unwrap();
        run(&mut env, "kept = 1").await;
        for (code, last) in [
            ("a = bytearray(1 << 30)", "MemoryError"),
            (
                "a = []\nwhile True: a.append(bytearray(1 << 20))",
                "MemoryError",
            ),
            (
                "del a\nwith open('f', 'wb') as f: f.write(bytes(2 << 20)); f.flush()\nwith open('f', 'ab') as f: f.write(b'more')",
                "OSError: [Errno 27] File too large",
            ),
            (
                "files = []\nwhile True: files.append(open('/dev/null'))",
                "OSError: [Errno 24] Too many open files: '/dev/null'",
            ),
        ] {
            let reply = env.step(code).await.unwrap();
            assert_eq!(ending(&reply), RAISED, "{code}: {}", reply.stderr());
            assert_eq!(
                reply.stderr().lines().last(),
                Some(last),
                "{code}: {}",
                reply.stderr()
            );
        }
        assert_eq!(value(&mut env, "files.clear()\nkept").await, "1");
    }
}

#[tokio::test]
async fn cpu_time_is_a_limit_of_its_own() {
    for server in servers(&["--interrupt-grace", "500ms"]) {
        let mut env = server.env().await;
        let mut options = StepOptions::default();
        options.limits = Some(StepLimits {
            cpu_time: Some(Duration::from_millis(100).try_into().unwrap()),
            ..StepLimits::default()
        });
        for (code, state) in [
            ("while True: pass", StateAfter::Intact),
            (SWALLOW, StateAfter::Lost),
        ] {
            env.reset().await.unwrap();
            run(&mut env, "kept = 1").await;
            let reply = env.step_with(code, options.clone()).await.unwrap();
            assert_eq!(
                ending(&reply),
                (137, Outcome::LimitExceeded, state),
                "{code}"
            );
            assert_eq!(reply.observed.as_ref().unwrap().limit(), LimitKind::CpuTime);
            assert!(cpu(usage(&reply)) >= Duration::from_millis(90));
            match state {
                StateAfter::Lost => assert_lost(&mut env).await,
                _ => assert_eq!(value(&mut env, "kept").await, "1"),
            }
        }
        // Sleeping costs none.
        env.reset().await.unwrap();
        let slept = env
            .step_with("import time; time.sleep(0.3)", options)
            .await
            .unwrap();
        assert_eq!(ending(&slept), COMPLETED);
    }
}

#[tokio::test]
async fn a_flood_of_output_costs_bounded_memory() {
    let mebibytes = support::soak(200);
    for server in servers(&[]) {
        let mut env = server.env().await;
        env.reset().await.unwrap();
        let code = format!(
            "import os\nprint('first')\nblock = b'x' * 65535 + b'\\n'\n\
             for _ in range({mebibytes} * 16): os.write(1, block)\nprint('last')"
        );
        let reply = env.step(&code).await.unwrap();
        assert_eq!(ending(&reply), COMPLETED);
        let observed = reply.observed.as_ref().unwrap();
        let total = (mebibytes as u64) << 20;
        assert_eq!(observed.stdout_total_bytes, total + 11);
        assert!(observed.stdout_truncated && !observed.stderr_truncated);
        assert!(observed.stdout_kept_bytes <= 1 << 20 && observed.stdout_kept_bytes > 1_000_000);
        assert!(
            reply.stdout().starts_with("first\nxxx") && reply.stdout().ends_with("xxx\nlast\n")
        );
        assert!(reply.stdout().contains("bytes left out here]"));
        let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
        let peak = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .unwrap();
        let peak: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
        assert!(peak < 100 << 10, "the server's memory rose to {peak} KiB");
        let state = env.state().await.unwrap();
        assert_eq!(state.output_total_bytes, total + 11);
        // A flood that does not end is ended by the step's timeout.
        let endless = env
            .step_with(
                "while True: os.write(1, block)",
                within(Duration::from_millis(300)),
            )
            .await
            .unwrap();
        assert_eq!(
            ending(&endless),
            (124, Outcome::TimedOut, StateAfter::Intact)
        );
        assert_eq!(run(&mut env, "print('after')").await, "after\n");
    }
}

#[tokio::test]
async fn usage_is_measured() {
    for server in servers(&[]) {
        let mut env = server.env().await;
        env.reset().await.unwrap();
        run(&mut env, "1").await;
        let small = env.step("x = 1").await.unwrap();
        let small_peak = usage(&small).peak_memory_bytes.unwrap();
        let big = env
            .step("a = bytearray(50 << 20)\nfor i in range(0, len(a), 4096): a[i] = 1")
            .await
            .unwrap();
        let big = usage(&big);
        assert!(
            big.peak_memory_bytes.unwrap() >= small_peak + (48 << 20),
            "{big:?} {small_peak}"
        );
        assert!(big.minor_page_faults.unwrap() >= 1, "{big:?}");
        assert!(big.major_page_faults.is_some());
        // What is given back is noticed, though it takes no page fault: the next step's peak is its own.
        run(&mut env, "del a").await;
        let after = env.step("x = 2").await.unwrap();
        assert!(
            usage(&after).peak_memory_bytes.unwrap() < small_peak + (20 << 20),
            "{after:?}"
        );
        let busy = env
            .step("import time\nend = time.process_time() + 0.2\nwhile time.process_time() < end: pass")
            .await
            .unwrap();
        let busy = usage(&busy);
        let wall = Duration::try_from(busy.wall_time.unwrap()).unwrap();
        assert!(
            cpu(busy) >= Duration::from_millis(190) && cpu(busy) < wall + Duration::from_millis(50),
            "{busy:?}"
        );
        assert!(busy.queued_time.is_some());
        let slept = env.step("time.sleep(0.2)").await.unwrap();
        let slept = usage(&slept);
        let wall = Duration::try_from(slept.wall_time.unwrap()).unwrap();
        assert!(
            wall >= Duration::from_millis(200) && cpu(slept) < Duration::from_millis(100),
            "{slept:?}"
        );
        let totals = env.state().await.unwrap().totals.unwrap();
        assert!(cpu(&totals) >= Duration::from_millis(190), "{totals:?}");
        assert!(
            Duration::try_from(totals.wall_time.unwrap()).unwrap() >= Duration::from_millis(390)
        );
        assert!(totals.peak_memory_bytes.unwrap() >= 50 << 20);
        // One that ends the process is measured too.
        let last = env
            .step("end = time.process_time() + 0.1\nwhile time.process_time() < end: pass\nimport os; os._exit(0)")
            .await
            .unwrap();
        assert!(cpu(usage(&last)) >= Duration::from_millis(90), "{last:?}");
    }
}

#[tokio::test]
async fn a_result_is_bounded_however_it_is_made() {
    for server in servers(&[]) {
        let mut env = server.env().await;
        env.reset().await.unwrap();
        let long = env.step("'é' * 1000000").await.unwrap();
        assert_eq!(ending(&long), COMPLETED);
        assert!(long.result().unwrap().len() <= 256 << 10);
        assert!(long.result().unwrap().starts_with("'éé"));
        assert!(long.reported.unwrap().result_truncated);
        for (code, ending_expected, stderr) in [
            ("raise ValueError('no repr')", RAISED, "ValueError: no repr"),
            (
                "return 5",
                RAISED,
                "TypeError: __repr__ returned non-string (type int)",
            ),
            (
                "import sys; sys.exit(4)",
                (4, Outcome::Exited, StateAfter::Intact),
                "",
            ),
            ("return repr(self)", RAISED, "RecursionError"),
            ("return chr(0xd800)", COMPLETED, ""),
            (
                "return type('S', (str,), {'__len__': lambda s: 0})('hostile')",
                COMPLETED,
                "",
            ),
            (
                "return type('S', (str,), {'encode': lambda *a: 5, '__getitem__': lambda *a: 5, '__str__': lambda s: 5})('x' * 9)",
                COMPLETED,
                "",
            ),
            (
                "raise KeyboardInterrupt",
                (130, Outcome::Raised, StateAfter::Intact),
                "KeyboardInterrupt",
            ),
            ("return 'x' * (1 << 60)", RAISED, "MemoryError"),
            (
                "global __builtins__, repr, str; repr = str = None; return 'x'",
                COMPLETED,
                "",
            ),
        ] {
            let code = format!("class R:\n    def __repr__(self):\n        {code}\nR()");
            let reply = env.step(&code).await.unwrap();
            assert_eq!(
                ending(&reply),
                ending_expected,
                "{code}: {}",
                reply.stderr()
            );
            assert!(
                reply
                    .stderr()
                    .lines()
                    .last()
                    .unwrap_or_default()
                    .starts_with(stderr),
                "{code}: {}",
                reply.stderr()
            );
        }
        let huge = env
            .step("class R:\n    def __repr__(self): return 'x' * (1 << 30)\nR()")
            .await
            .unwrap();
        assert_eq!(ending(&huge), COMPLETED, "{}", huge.stderr());
        assert_eq!(huge.result().unwrap().len(), 256 << 10);
        assert_eq!(value(&mut env, "type(_).__name__").await, "'R'");
        // One that never ends is the step's own time, and one that ends the process ends it.
        let mut options = StepOptions::default();
        options.timeout = Some(Duration::from_millis(300));
        let endless = "class R:\n    def __repr__(self):\n        while True: pass\nR()";
        let endless = env.step_with(endless, options).await.unwrap();
        assert_eq!(
            ending(&endless),
            (124, Outcome::TimedOut, StateAfter::Intact)
        );
        assert_eq!(endless.result(), None);
        for (code, exit_code) in [("os._exit(7)", 7), ("os.kill(os.getpid(), 9)", 137)] {
            env.reset().await.unwrap();
            let code = format!(
                "import os\nprint('before')\nclass R:\n    def __repr__(self): {code}\nR()"
            );
            let ended = env.step(&code).await.unwrap();
            assert_eq!(
                ending(&ended),
                (exit_code, Outcome::Killed, StateAfter::Lost),
                "{code}"
            );
            assert_eq!((ended.stdout(), ended.result()), ("before\n", None));
        }
    }
}

#[tokio::test]
async fn daemons_end_with_their_episode() {
    let code = "\
import os, signal, sys
r, w = os.pipe()
for _ in range(5):
    if os.fork() == 0:
        os.setsid()
        if os.fork(): os._exit(0)
        for number in range(1, 65):
            try: signal.signal(number, signal.SIG_IGN)
            except (OSError, ValueError): pass
        os.write(w, f'{os.getpid()}\\n'.encode())
        while True: signal.pause()
    os.wait()
daemons = b''
while daemons.count(b'\\n') < 5: daemons += os.read(r, 100)
print(daemons.decode(), end='')";
    for server in servers(&[]) {
        let mut env = server.env().await;
        env.reset().await.unwrap();
        let mut daemons = Vec::new();
        for end in ["close", "kill"] {
            env.reset().await.unwrap();
            let worker = support::worker_of(&server, &mut env).await;
            let printed = run(&mut env, code).await;
            let inner = printed.lines().map(|pid| pid.parse().unwrap());
            let pids: Vec<i32> = inner.map(|pid| support::outer_pid(worker, pid)).collect();
            assert!(pids.iter().all(|pid| support::is_running(*pid)), "{end}");
            if end == "close" {
                env.close().await.unwrap();
            } else {
                env.step("os._exit(0)").await.unwrap();
            }
            wait_until("the daemons have ended", || {
                !pids.iter().any(|pid| support::is_running(*pid))
            });
            daemons.extend(pids);
        }
        assert_eq!(daemons.len(), 10);
    }
}

#[tokio::test]
async fn a_server_error_is_never_what_code_does() {
    for server in servers(&[]) {
        let mut env = server.env().await;
        env.reset().await.unwrap();
        assert!(matches!(
            env.step("x = ").await.map(|reply| ending(&reply)),
            Ok(RAISED)
        ));
        let unknown = CodingEnv::connect(&server.url())
            .await
            .unwrap()
            .step("1")
            .await;
        assert!(matches!(unknown, Err(Error::NoEpisode)));
    }
}
