//! Interrupt and deadlines reach whatever code does, whether its output is followed or not.

use std::path::Path;
use std::time::Duration;

use coding_env::client::{CodingEnv, Reason, StepEvent, StepOptions};
use coding_env::proto::v1::{Outcome, StateAfter, StepResponse};

use crate::support::{PATIENCE, Server, workspace_of};

/// What may become of the variables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Left {
    Intact,
    Lost,
    /// It depends on whether the signal comes before the call.
    Either,
}

/// Code that does not end by itself: it says in a file that it has begun.
const ENDLESS: [(&str, &str, Left); 7] = [
    (
        "runs bytecode",
        "while True: open('begun', 'w').close()",
        Left::Intact,
    ),
    (
        "sleeps",
        "open('begun', 'w').close(); time.sleep(1000)",
        Left::Intact,
    ),
    (
        "waits for a lock",
        "lock = threading.Lock(); lock.acquire(); open('begun', 'w').close(); lock.acquire()",
        Left::Intact,
    ),
    (
        "waits for a child",
        "open('begun', 'w').close(); subprocess.run(['sleep', '1000'])",
        Left::Intact,
    ),
    (
        "works in C that looks for signals",
        "open('begun', 'w').close(); re.match('(a+)+$', 'a' * 60 + 'b')",
        Left::Intact,
    ),
    (
        "works in C that looks for none",
        "open('begun', 'w').close(); hashlib.pbkdf2_hmac('sha256', b'x', b'y', 2**31 - 1)",
        Left::Either,
    ),
    (
        "swallows the interrupt",
        "while True:
    try:
        open('begun', 'w').close()
        for _ in itertools.count(): pass
    except KeyboardInterrupt: pass",
        Left::Lost,
    ),
];

/// Runs a step by Step or StepStream.
async fn run(
    env: &mut CodingEnv,
    code: &str,
    options: StepOptions,
    streamed: bool,
) -> StepResponse {
    if !streamed {
        return env.step_with(code, options).await.unwrap();
    }
    let mut step = env.step_stream_with(code, options).unwrap();
    let mut printed = Vec::new();
    loop {
        match step.next().await.unwrap().unwrap() {
            StepEvent::Output(piece) => printed.extend(piece.data),
            StepEvent::Reply(reply) => {
                assert_eq!(printed.len(), reply.stdout().len() + reply.stderr().len());
                return *reply;
            }
            other => panic!("{other:?}"),
        }
    }
}

async fn begun(workspace: &Path) {
    let from = std::time::Instant::now();
    while !workspace.join("begun").exists() {
        assert!(from.elapsed() < PATIENCE, "it does not begin");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// An episode with `kept` and what the code needs, and its workspace.
async fn prepared(server: &Server, env: &mut CodingEnv) -> std::path::PathBuf {
    env.reset().await.unwrap();
    let code = "import hashlib, itertools, re, subprocess, threading, time\nkept = 1";
    assert_eq!(env.step(code).await.unwrap().exit_code(), 0);
    workspace_of(server, env).await
}

async fn check(
    env: &mut CodingEnv,
    reply: &StepResponse,
    expected: (i32, Outcome),
    left: Left,
    what: &str,
) {
    assert_eq!(
        (reply.exit_code(), reply.outcome()),
        expected,
        "{what}: {reply:?}"
    );
    assert_eq!(
        reply.stdout(),
        "before\n",
        "{what}: what was printed is there"
    );
    let intact = reply.state_after() == StateAfter::Intact;
    assert!(
        left == Left::Either || intact == (left == Left::Intact),
        "{what}: {reply:?}"
    );
    assert_eq!(reply.done, !intact, "{what}");
    let next = env.step("kept").await;
    if intact {
        assert_eq!(next.unwrap().result(), Some("1"), "{what}");
    } else {
        assert_eq!(
            next.unwrap_err().reason(),
            Some(&Reason::EpisodeLost),
            "{what}"
        );
    }
}

#[tokio::test]
async fn an_interrupt_reaches_whatever_the_code_does() {
    let server = Server::start(&["--interrupt-grace", "700ms"]);
    let mut env = server.env().await;
    for (what, code, left) in ENDLESS {
        for streamed in [false, true] {
            let workspace = prepared(&server, &mut env).await;
            let interrupter = env.interrupter().unwrap();
            let interrupt = async {
                begun(&workspace).await;
                assert!(interrupter.interrupt().await.unwrap(), "{what}");
            };
            let code = format!("print('before')\n{code}");
            let running = run(&mut env, &code, StepOptions::default(), streamed);
            let (reply, ()) = tokio::join!(running, interrupt);
            let expected = (130, Outcome::Interrupted);
            check(
                &mut env,
                &reply,
                expected,
                left,
                &format!("{what}, streamed: {streamed}"),
            )
            .await;
        }
    }
}

#[tokio::test]
async fn a_deadline_reaches_whatever_the_code_does() {
    let server = Server::start(&["--interrupt-grace", "700ms"]);
    let mut env = server.env().await;
    for (what, code, left) in ENDLESS {
        for streamed in [false, true] {
            prepared(&server, &mut env).await;
            let mut options = StepOptions::default();
            options.timeout = Some(Duration::from_millis(600));
            let code = format!("print('before')\n{code}");
            let reply = run(&mut env, &code, options, streamed).await;
            let expected = (124, Outcome::TimedOut);
            check(
                &mut env,
                &reply,
                expected,
                left,
                &format!("{what}, streamed: {streamed}"),
            )
            .await;
        }
    }
}
