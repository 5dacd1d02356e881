//! What goes wrong with the incumbent, and does not here: its failures by the numbers under which docs/openenv.md lists them.

use serde_json::{Value, json};

use crate::support::Server;
use crate::support::openenv::{Socket, ask, mcp};

fn text<'a>(data: &'a Value, stream: &str) -> &'a str {
    data["observation"][stream].as_str().unwrap()
}

/// 1: output before an exception is kept, and the traceback is the user's. 14 to 20, 24: it is Python.
#[tokio::test]
async fn the_language_is_python() {
    let server = Server::start(&[]);
    let mut socket = Socket::open(&server).await;
    let data = socket.step("print('before the crash')\n1/0").await;
    assert_eq!(text(&data, "stdout"), "before the crash\n", "1");
    let stderr = text(&data, "stderr");
    assert!(
        stderr.starts_with("Traceback")
            && stderr.ends_with("ZeroDivisionError: division by zero\n"),
        "1: {stderr}"
    );
    assert!(
        stderr.len() < 300 && !stderr.contains("site-packages"),
        "1: {stderr}"
    );
    assert_eq!(data["observation"]["exit_code"], 1);
    for (number, code, stdout) in [
        (14, "print('a','b',sep='-',end='!')", "a-b!"),
        (
            15,
            "class C:\n    @property\n    def p(self): return 7\nprint(C().p)",
            "7\n",
        ),
        (
            15,
            "for i in []: pass\nelse: print('else of for')\nwhile False: pass\nelse: print('else of while')",
            "else of for\nelse of while\n",
        ),
        (16, "f=lambda a,b=2:a+b; f(1)", "3"),
        (
            17,
            "def g():\n    yield 1\n    yield 2\nlist(g())",
            "[1, 2]",
        ),
        (
            17,
            "import asyncio\nasync def h(): return 5\nprint(asyncio.run(h()))",
            "5\n",
        ),
        (17, "print((n := 3), n)", "3 3\n"),
        (
            17,
            "def outer():\n    k = 1\n    def inner():\n        nonlocal k\n        k += 1\n    inner()\n    return k\nouter()",
            "2",
        ),
        (
            17,
            "count = 0\ndef bump():\n    global count\n    count += 1\nbump()\nprint(count)",
            "1\n",
        ),
        (
            17,
            "class P:\n    def m(self): return 'p'\nclass Q(P):\n    def m(self): return super().m() + 'q'\nQ().m()",
            "\"pq\"",
        ),
        (
            17,
            "a, *b = [1, 2, 3]\nprint(b, {**{'k': 1}})",
            "[2, 3] {'k': 1}\n",
        ),
        (
            17,
            "class M:\n    def __matmul__(self, other): return 'at'\nM() @ M()",
            "\"at\"",
        ),
        (
            18,
            "print(bytes(2), bytearray(1), frozenset([1]), type(object()), hash(1), 'x' in globals(), len(dir()) > 3)",
            "b'\\x00\\x00' bytearray(b'\\x00') frozenset({1}) <class 'object'> 1 False True\n",
        ),
        (
            19,
            "import os, sys, json, typing, dataclasses, functools, heapq, bisect, string, copy\nprint(json.dumps({'a': 1}))",
            "{\"a\": 1}\n",
        ),
        (
            20,
            "def deep(n): return 0 if n == 0 else deep(n - 1)\nprint(deep(200))",
            "0\n",
        ),
        (
            24,
            "import subprocess, sys\nopen('f.txt', 'w').write('kept')\nprint(open('f.txt').read(), subprocess.run([sys.executable, '-c', 'print(6*7)'], capture_output=True, text=True).stdout)",
            "kept 42\n\n",
        ),
    ] {
        assert_eq!(socket.stdout(code).await, stdout, "{number}: {code}");
    }
    let version = socket
        .stdout("import sys; print(sys.version_info >= (3, 10))")
        .await;
    if version == "True\n" {
        let code = "match [1, 2]:\n    case [x, y]: print(x + y)";
        assert_eq!(socket.stdout(code).await, "3\n", "17");
    }
    let data = socket
        .step("def endless(): return endless()\nendless()")
        .await;
    assert!(
        text(&data, "stderr").len() < 4000,
        "20: {}",
        text(&data, "stderr").len()
    );
    assert!(text(&data, "stderr").contains("RecursionError"), "20");
}

/// 2 to 4: a step's time is what bounds it, and an interrupt keeps its state.
#[tokio::test]
async fn a_timeout_interrupts_and_long_loops_may_run() {
    let server = Server::start(&["--step-timeout", "1s"]);
    let mut socket = Socket::open(&server).await;
    socket.stdout("x = 'kept'").await;
    for (number, code) in [(2, "import time; time.sleep(40)"), (3, "while True: pass")] {
        let data = socket.step(code).await;
        assert_eq!(data["observation"]["exit_code"], 124, "{number}: {data}");
        assert_eq!(data["metadata"]["outcome"], "timed_out", "{number}");
        assert_eq!(socket.stdout("print(x)").await, "kept\n", "{number}");
    }
    let server = Server::start(&["--step-timeout", "10m"]);
    let mut socket = Socket::open(&server).await;
    let code = "i = 0\nwhile i < 1_200_000: i += 1\nprint(i)";
    assert_eq!(socket.stdout(code).await, "1200000\n", "3");
    assert_eq!(
        socket
            .stdout("for i in range(10_000_000): pass\nprint(i)")
            .await,
        "9999999\n",
        "4"
    );
}

/// 5, 6, 26: nobody waits for another's code, whatever that does.
#[tokio::test]
async fn a_step_that_holds_its_interpreter_holds_nobody_else() {
    let server = Server::start(&["--step-timeout", "10m"]);
    let mut busy = Vec::new();
    for code in [
        "print('begun', flush=True)\nsum(range(4_000_000_000_000))",
        "while True: pass",
    ] {
        let mut socket = Socket::open(&server).await;
        socket.stdout("x = 1").await;
        socket
            .send(
                json!({"type": "step", "data": {"code": code}})
                    .to_string()
                    .as_str(),
            )
            .await;
        busy.push(socket);
    }
    let mut other = Socket::open(&server).await;
    for turn in 0..20 {
        assert_eq!(
            other.stdout(&format!("print({turn})")).await,
            format!("{turn}\n")
        );
        assert_eq!(ask(&server, "GET /health", &[], "").await.status, 200);
    }
    // Neither has ended meanwhile: what was measured was beside them.
    for socket in &mut busy {
        let waits = tokio::time::timeout(std::time::Duration::ZERO, socket.next()).await;
        assert!(waits.is_err(), "5, 6, 26");
    }
}

/// 7: what ends a program ends no session. 13, 21: a value that can't be shown is told.
#[tokio::test]
async fn exceptions_that_end_programs_end_no_session() {
    let server = Server::start(&[]);
    let mut socket = Socket::open(&server).await;
    socket.reset(json!({"episode_id": "mine"})).await;
    socket.stdout("x = 'still here'").await;
    for (code, exit_code) in [
        ("raise SystemExit(3)", 3),
        ("raise KeyboardInterrupt()", 130),
        ("exit()", 0),
    ] {
        let data = socket.step(code).await;
        assert_eq!(data["observation"]["exit_code"], exit_code, "7: {data}");
        assert_eq!(data["done"], false, "7");
    }
    assert_eq!(socket.stdout("print(x)").await, "still here\n", "7");
    assert_eq!(socket.state().await["episode_id"], "mine", "7");
    let data = socket.step("10**5000").await;
    if socket
        .stdout("import sys; print(hasattr(sys, 'set_int_max_str_digits'))")
        .await
        == "True\n"
    {
        assert_eq!(data["observation"]["exit_code"], 1, "13");
        assert!(
            text(&data, "stderr").contains("ValueError: Exceeds the limit"),
            "13: {data}"
        );
    } else {
        assert_eq!(text(&data, "stdout").len(), 5001, "13");
    }
    let before = socket.state().await["step_count"].as_u64().unwrap();
    let data = socket.step("print('\\ud800')").await;
    assert!(
        text(&data, "stderr").contains("UnicodeEncodeError"),
        "21: {data}"
    );
    assert_eq!(socket.state().await["step_count"], before + 1, "21");
    assert_eq!(socket.stdout("'\\ud800'").await, "\"\\ud800\"", "21");
}

/// 8: who gives up frees the place at once. (See also the tests of sockets.)
#[tokio::test]
async fn a_client_that_gives_up_leaves_no_place_taken() {
    let server = Server::start(&["--max-episodes", "1", "--step-timeout", "1h"]);
    let mut socket = Socket::open(&server).await;
    socket.stdout("import time").await;
    socket
        .send(r#"{"type":"step","data":{"code":"time.sleep(3600)"}}"#)
        .await;
    // As a client does that has waited long enough: it closes without waiting for the answer.
    socket
        .send(tokio_tungstenite::tungstenite::Message::Close(None))
        .await;
    while socket.next().await.is_some() {}
    let mut next = Socket::open(&server).await;
    assert_eq!(next.stdout("1").await, "1", "8");
}

/// 9, 10, 22, 23: nothing is shared, and a seed gives the same again.
#[tokio::test]
async fn sessions_share_nothing_and_seeds_are_honoured() {
    let server = Server::start(&[]);
    let mut first = Socket::open(&server).await;
    let mut second = Socket::open(&server).await;
    first
        .stdout("from collections import Counter\nCounter.zzz = 'leak'")
        .await;
    assert_eq!(
        second
            .stdout("from collections import Counter\nprint(hasattr(Counter, 'zzz'))")
            .await,
        "False\n",
        "9"
    );
    first.reset(json!({})).await;
    assert_eq!(
        first
            .stdout("from collections import Counter\nprint(hasattr(Counter, 'zzz'))")
            .await,
        "False\n",
        "9"
    );
    first.stdout("import random; random.seed(0)").await;
    let drawn = second.stdout("import random; print(random.random())").await;
    assert_ne!(drawn, "0.8444218515250481\n", "10");
    let mut runs = Vec::new();
    for socket in [&mut first, &mut second] {
        socket
            .reset(json!({"seed": 42, "episode_id": "my-episode"}))
            .await;
        let state = socket.state().await;
        assert_eq!(state["episode_id"], "my-episode", "22");
        let mut run = Vec::new();
        for code in [
            "import random; print(random.random())",
            "random.sample(range(100), 5)",
            "object().__hash__() is not None",
            "def f(): pass\nf.__name__",
            "set('determinism')",
        ] {
            run.push(socket.step(code).await);
        }
        assert_eq!(socket.state().await["episode_id"], "my-episode", "22");
        runs.push(run);
    }
    assert_eq!(runs[0], runs[1], "23");
}

/// 11, 12: memory and output are bounded, and what is cut is told.
#[tokio::test]
async fn memory_and_output_are_bounded() {
    let server = Server::start(&[
        "--max-memory-bytes",
        "536870912",
        "--max-output-bytes",
        "65536",
        "--max-result-bytes",
        "4096",
    ]);
    let mut socket = Socket::open(&server).await;
    let data = socket.step("a=[0]*(128*1024*1024)").await;
    assert!(
        text(&data, "stderr").ends_with("MemoryError\n"),
        "11: {data}"
    );
    let data = socket.step("'y'*10_000_000").await;
    assert_eq!(text(&data, "stdout").len(), 4096, "12");
    assert_eq!(data["metadata"]["result_truncated"], true, "12");
    let data = socket.step("print('x'*10_000_000)").await;
    let stdout = text(&data, "stdout");
    assert!(
        stdout.len() <= 65536 + 256 && stdout.starts_with('x') && stdout.ends_with("x\n"),
        "12"
    );
    assert_eq!(data["metadata"]["stdout_truncated"], true, "12");
    assert_eq!(data["metadata"]["stdout_total_bytes"], 10_000_001, "12");
}

/// 25: a session that nobody uses ends.
#[tokio::test]
async fn a_session_that_was_only_made_blocks_nobody_for_long() {
    let server = Server::start(&["--max-episodes", "1", "--session-idle-timeout", "1s"]);
    let created = mcp(&server, "openenv/session/create", json!({})).await;
    assert!(created["result"]["session_id"].is_string(), "{created}");
    let begun = std::time::Instant::now();
    loop {
        let mut socket = Socket::open(&server).await;
        socket.send(r#"{"type":"state"}"#).await;
        if socket.text().await.contains("\"type\":\"state\"") {
            break;
        }
        assert!(begun.elapsed() < crate::support::PATIENCE, "25");
    }
    // One that is in use does not: here by its socket, which is older than the limit.
    let server = Server::start(&["--max-episodes", "1", "--session-idle-timeout", "1s"]);
    let id =
        mcp(&server, "openenv/session/create", json!({})).await["result"]["session_id"].clone();
    let mut socket =
        Socket::open_at(&server, &format!("/ws?session_id={}", id.as_str().unwrap())).await;
    socket.stdout("import time; time.sleep(1.5); x = 1").await;
    assert_eq!(socket.stdout("x").await, "1", "25");
}
