//! StepStream: output while it is printed, in order and whole, and what becomes of readers who are slow or go away.

use std::path::PathBuf;
use std::time::Duration;

use coding_env::client::{CodingEnv, Reason, StepEvent};
use coding_env::proto::v1::coding_env_client::CodingEnvClient;
use coding_env::proto::v1::step_stream_response::Event;
use coding_env::proto::v1::{self, OutputStream};
use tonic::transport::Channel;
use tonic::{Status, Streaming};
use tonic_types::StatusExt as _;

use crate::support::{
    PATIENCE, Server, is_full, named, naming, state_where, working_dir, workspace_of,
};

type Raw = CodingEnvClient<Channel>;

/// How much a stream keeps of what nobody has taken yet.
const KEPT_BYTES: u64 = 256 << 10;

fn order(id: &str, index: u32, code: &str) -> v1::StepStreamRequest {
    v1::StepStreamRequest {
        step: Some(v1::StepRequest {
            episode_id: id.to_owned(),
            action: Some(v1::CodeAction {
                code: code.to_owned(),
            }),
            step_index: Some(index),
            ..Default::default()
        }),
        ..Default::default()
    }
}

async fn open(
    raw: &Raw,
    request: v1::StepStreamRequest,
) -> Result<Streaming<v1::StepStreamResponse>, Status> {
    let responses = raw.clone().step_stream(request).await;
    responses.map(tonic::Response::into_inner)
}

/// An episode, and its workspace. Step 0 has run.
async fn episode(server: &Server, raw: &Raw, id: &str) -> PathBuf {
    let request = v1::ResetRequest {
        episode_id: id.to_owned(),
        ..Default::default()
    };
    raw.clone().reset(request).await.unwrap();
    let (name, code) = naming();
    let code = format!("import os, sys, time\n{code}");
    let told = all(open(raw, order(id, 0, &code)).await.unwrap()).await;
    assert_eq!(told.reply.unwrap().result(), Some("0"));
    working_dir(named(server, &name))
}

/// Code that waits until there is a file.
fn wait_for(file: &str) -> String {
    format!("while not os.path.exists({file:?}): time.sleep(0.002)\n")
}

/// What was told of a step.
#[derive(Debug, Default)]
struct Told {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    heartbeats: Vec<bool>,
    reply: Option<v1::StepResponse>,
    error: Option<Status>,
}

impl Told {
    /// Checks that a piece fits to those before it.
    fn take(&mut self, piece: v1::OutputPiece) {
        assert!(!piece.data.is_empty() && piece.data.len() <= 64 << 10);
        let text = match piece.stream() {
            OutputStream::Stdout => &mut self.stdout,
            OutputStream::Stderr => &mut self.stderr,
            OutputStream::Unspecified => panic!("{piece:?}"),
        };
        assert_eq!(piece.dropped_bytes, 0, "{} bytes in", text.len());
        assert_eq!(piece.offset, text.len() as u64);
        text.extend(piece.data);
    }
}

async fn next(responses: &mut Streaming<v1::StepStreamResponse>) -> Option<Event> {
    let next = tokio::time::timeout(PATIENCE, responses.message()).await;
    next.unwrap()
        .unwrap()
        .map(|response| response.event.unwrap())
}

/// The next piece; heartbeats are passed over.
async fn piece(responses: &mut Streaming<v1::StepStreamResponse>) -> v1::OutputPiece {
    loop {
        match next(responses).await {
            Some(Event::Piece(piece)) => return piece,
            Some(Event::Heartbeat(_)) => {}
            other => panic!("{other:?}"),
        }
    }
}

/// Reads so much, which begins at this offset. (A print is two writes, and each may be a piece.)
async fn read(
    responses: &mut Streaming<v1::StepStreamResponse>,
    offset: u64,
    bytes: usize,
) -> Vec<u8> {
    let mut text = Vec::new();
    while text.len() < bytes {
        let piece = piece(responses).await;
        let begins = offset + text.len() as u64;
        assert_eq!((piece.offset, piece.dropped_bytes), (begins, 0));
        text.extend(piece.data);
    }
    text
}

/// All that is told, to the end.
async fn all(mut responses: Streaming<v1::StepStreamResponse>) -> Told {
    let mut told = Told::default();
    loop {
        let next = tokio::time::timeout(PATIENCE, responses.message()).await;
        match next.unwrap() {
            Ok(Some(response)) => {
                assert!(told.reply.is_none(), "the reply is the last");
                match response.event.unwrap() {
                    Event::Piece(piece) => told.take(piece),
                    Event::Heartbeat(heartbeat) => told.heartbeats.push(heartbeat.queued),
                    Event::Reply(reply) => told.reply = Some(reply),
                }
            }
            Ok(None) => return told,
            Err(status) => {
                told.error = Some(status);
                return told;
            }
        }
    }
}

fn reason(status: &Status) -> String {
    status.get_details_error_info().unwrap().reason
}

/// Without what differs from run to run.
fn timeless(mut reply: v1::StepResponse) -> v1::StepResponse {
    let observed = reply.observed.as_mut().unwrap();
    (observed.usage, observed.background, observed.tree_usage) = (None, None, None);
    reply
}

#[tokio::test]
async fn output_comes_while_the_code_runs_and_no_line_is_waited_for() {
    let server = Server::start(&[]);
    let raw = server.raw().await;
    let workspace = episode(&server, &raw, "e").await;
    let code = format!(
        "print('half a li', end='')\n{}print('ne')\nsys.stderr.write('e\\n')\n{}b'\\xff'",
        wait_for("one"),
        wait_for("two"),
    );
    let mut responses = open(&raw, order("e", 1, &code)).await.unwrap();
    let mut told = Told::default();
    told.take(piece(&mut responses).await);
    assert_eq!(told.stdout, b"half a li");
    std::fs::write(workspace.join("one"), "").unwrap();
    while told.stdout.len() < 12 || told.stderr.len() < 2 {
        told.take(piece(&mut responses).await);
    }
    assert_eq!(
        (&told.stdout[..], &told.stderr[..]),
        (&b"half a line\n"[..], &b"e\n"[..])
    );
    std::fs::write(workspace.join("two"), "").unwrap();
    let rest = all(responses).await;
    assert_eq!((rest.stdout.len(), rest.stderr.len()), (0, 0));
    let reply = rest.reply.unwrap();
    assert_eq!((reply.stdout(), reply.stderr()), ("half a line\n", "e\n"));
    assert_eq!(
        (reply.result(), reply.step_index, reply.replayed),
        (Some("b'\\xff'"), 1, false)
    );
    // As Step tells it.
    let step = raw.clone().step(order("e", 1, &code).step.unwrap()).await;
    let step = step.unwrap().into_inner();
    assert!(step.replayed);
    assert_eq!(
        v1::StepResponse {
            replayed: false,
            ..step
        },
        reply
    );
}

#[tokio::test]
async fn the_reply_is_what_step_would_have_replied() {
    let server = Server::start(&[]);
    let mut replies = Vec::new();
    for streamed in [true, false] {
        let raw = server.raw().await;
        let id = format!("streamed-{streamed}");
        episode(&server, &raw, &id).await;
        for (index, code) in [
            (
                1,
                "print('x' * 3_000_000); sys.stderr.write('é' * 1_000_000)",
            ),
            (2, "1/0"),
            (3, "sys.stdout.buffer.write(b'\\xff' * 600_000)"),
            (4, "for n in range(100_000): print(n)"),
            (5, "pass"),
            (6, "os._exit(3)"),
        ] {
            let request = order(&id, index, code);
            let mut reply = if streamed {
                all(open(&raw, request).await.unwrap()).await.reply.unwrap()
            } else {
                let reply = raw.clone().step(request.step.unwrap()).await;
                reply.unwrap().into_inner()
            };
            reply.state.as_mut().unwrap().episode_id.clear();
            replies.push(timeless(reply));
        }
    }
    let (streamed, unary) = replies.split_at(6);
    assert_eq!(streamed, unary);
}

#[tokio::test]
async fn many_lines_come_whole_and_in_order() {
    let server = Server::start(&[]);
    let raw = server.raw().await;
    episode(&server, &raw, "e").await;
    let code = "for n in range(150):\n    print('line', n); print('error', n, file=sys.stderr); time.sleep(0.01)";
    let told = all(open(&raw, order("e", 1, code)).await.unwrap()).await;
    let lines = |word: &str| -> String { (0..150).map(|n| format!("{word} {n}\n")).collect() };
    assert_eq!(String::from_utf8(told.stdout).unwrap(), lines("line"));
    assert_eq!(String::from_utf8(told.stderr).unwrap(), lines("error"));
    assert_eq!(told.reply.unwrap().stdout(), lines("line"));
}

#[tokio::test]
async fn a_broken_stream_leaves_the_step_running_and_its_retry_replays_and_follows() {
    let server = Server::start(&[]);
    let raw = server.raw().await;
    let workspace = episode(&server, &raw, "e").await;
    let code = format!(
        "open('ran', 'a').write('x')\nprint('before')\n{}print('after')",
        wait_for("go")
    );
    let mut broken = open(&raw, order("e", 1, &code)).await.unwrap();
    assert_eq!(read(&mut broken, 0, 7).await, b"before\n");
    drop(broken);
    // Another one from its start, one that has something already, and one that asks as Step does.
    let mut retry = open(&raw, order("e", 1, &code)).await.unwrap();
    assert_eq!(read(&mut retry, 0, 7).await, b"before\n");
    let partly = v1::StepStreamRequest {
        stdout_offset: 3,
        ..order("e", 1, &code)
    };
    let mut partly = open(&raw, partly).await.unwrap();
    assert_eq!(read(&mut partly, 3, 4).await, b"ore\n");
    let step = tokio::spawn({
        let (mut raw, request) = (raw.clone(), order("e", 1, &code).step.unwrap());
        async move { raw.step(request).await.unwrap().into_inner() }
    });
    // Another action does not join.
    let other = open(&raw, order("e", 1, "print('other')")).await;
    assert_eq!(reason(&other.unwrap_err()), "STEP_OUT_OF_ORDER");
    std::fs::write(workspace.join("go"), "").unwrap();
    assert_eq!(read(&mut retry, 7, 6).await, b"after\n");
    let Some(Event::Reply(reply)) = next(&mut retry).await else {
        panic!("no reply");
    };
    assert_eq!((reply.stdout(), reply.replayed), ("before\nafter\n", false));
    assert_eq!(step.await.unwrap(), reply);
    assert_eq!(read(&mut partly, 7, 6).await, b"after\n");
    assert_eq!(std::fs::read_to_string(workspace.join("ran")).unwrap(), "x");
}

#[tokio::test]
async fn a_step_that_began_without_a_reader_is_told_from_its_start() {
    let server = Server::start(&[]);
    let raw = server.raw().await;
    let workspace = episode(&server, &raw, "e").await;
    let code = format!(
        "print('a' * 3_000_000, flush=True)\nopen('printed', 'w')\n{}print('end')",
        wait_for("go")
    );
    let step = tokio::spawn({
        let (mut raw, request) = (raw.clone(), order("e", 1, &code).step.unwrap());
        async move { raw.step(request).await.unwrap().into_inner() }
    });
    while !workspace.join("printed").exists() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let mut late = open(&raw, order("e", 1, &code)).await.unwrap();
    let (mut at, mut dropped, mut got) = (0, 0, 0);
    // The head and the tail that the reply has, but for the end.
    while at < 3_000_001 {
        let piece = piece(&mut late).await;
        assert_eq!(piece.offset, at + piece.dropped_bytes);
        dropped += piece.dropped_bytes;
        got += piece.data.len() as u64;
        at = piece.offset + piece.data.len() as u64;
    }
    assert_eq!((got, got + dropped), (1 << 20, 3_000_001));
    std::fs::write(workspace.join("go"), "").unwrap();
    assert_eq!(read(&mut late, 3_000_001, 4).await, b"end\n");
    let Some(Event::Reply(reply)) = next(&mut late).await else {
        panic!("no reply");
    };
    assert_eq!(step.await.unwrap(), reply);
}

#[tokio::test]
async fn a_step_that_has_ended_is_told_again_as_far_as_it_is_kept() {
    let server = Server::start(&["--kept-reply-bytes", "0"]);
    let raw = server.raw().await;
    episode(&server, &raw, "e").await;
    let small = "sys.stdout.buffer.write(b'a\\xff\\n'); sys.stderr.write('b')";
    for replayed in [false, true] {
        let told = all(open(&raw, order("e", 1, small)).await.unwrap()).await;
        assert_eq!(
            (&told.stdout[..], &told.stderr[..]),
            (&b"a\xff\n"[..], &b"b"[..])
        );
        let reply = told.reply.unwrap();
        assert_eq!((reply.stdout(), reply.replayed), ("a\u{fffd}\n", replayed));
    }
    // Its texts go when the next step ends: there is no budget.
    for index in [2, 1] {
        let told = all(open(&raw, order("e", index, small)).await.unwrap()).await;
        let reply = told.reply.unwrap();
        assert_eq!(reply.output_dropped, index == 1);
        assert_eq!(told.stdout.is_empty(), index == 1);
    }
}

#[tokio::test]
async fn what_was_left_out_of_a_kept_reply_is_told() {
    let server = Server::start(&["--max-output-bytes", "1024"]);
    let raw = server.raw().await;
    episode(&server, &raw, "e").await;
    let code = "for n in range(1000): print('%04d' % n)";
    let told = all(open(&raw, order("e", 1, code)).await.unwrap()).await;
    // A reader that follows gets all.
    assert_eq!(told.stdout.len(), 5000);
    let mut replay = open(&raw, order("e", 1, code)).await.unwrap();
    let head = piece(&mut replay).await;
    assert_eq!(head.data, &told.stdout[..512]);
    let tail = piece(&mut replay).await;
    assert_eq!((tail.dropped_bytes, tail.offset), (5000 - 1024, 5000 - 512));
    assert_eq!(tail.data, &told.stdout[5000 - 512..]);
    let rest = all(replay).await;
    let reply = rest.reply.unwrap();
    assert!(reply.replayed && reply.observed.unwrap().stdout_truncated);
}

#[tokio::test]
async fn silence_is_told_and_whether_the_step_waits_for_its_turn() {
    let server = Server::start(&[]);
    let raw = server.raw().await;
    let workspace = episode(&server, &raw, "e").await;
    let quiet = |index, code: &str| v1::StepStreamRequest {
        heartbeat: Some(Duration::from_millis(100).try_into().unwrap()),
        ..order("e", index, code)
    };
    let mut running = open(&raw, quiet(1, &wait_for("go"))).await.unwrap();
    let mut queued = open(&raw, quiet(2, "print(2)")).await.unwrap();
    for (responses, waits) in [(&mut running, false), (&mut queued, true)] {
        let Some(Event::Heartbeat(heartbeat)) = next(responses).await else {
            panic!("no heartbeat");
        };
        assert_eq!(heartbeat.queued, waits);
    }
    std::fs::write(workspace.join("go"), "").unwrap();
    assert!(all(running).await.reply.is_some());
    assert_eq!(all(queued).await.stdout, b"2\n");
}

#[tokio::test]
async fn a_queued_step_whose_stream_has_gone_does_not_run() {
    let server = Server::start(&[]);
    let raw = server.raw().await;
    let workspace = episode(&server, &raw, "e").await;
    let running = open(&raw, order("e", 1, &wait_for("go"))).await.unwrap();
    let dropped = open(&raw, order("e", 2, "open('ran', 'w')")).await.unwrap();
    let queued = async |count| state_where(&raw, "e", |state| state.queued_steps == count).await;
    queued(1).await;
    drop(dropped);
    queued(0).await;
    std::fs::write(workspace.join("go"), "").unwrap();
    assert!(all(running).await.reply.is_some());
    let told = all(open(&raw, order("e", 2, "os.path.exists('ran')"))
        .await
        .unwrap())
    .await;
    assert_eq!(told.reply.unwrap().result(), Some("False"));
}

#[tokio::test]
async fn what_is_refused_is_refused_as_a_step_is() {
    let server = Server::start(&[]);
    let raw = server.raw().await;
    episode(&server, &raw, "e").await;
    let refused = async |request: v1::StepStreamRequest| open(&raw, request).await.unwrap_err();
    let with_heartbeat = |millis: u64| v1::StepStreamRequest {
        heartbeat: Some(Duration::from_millis(millis).try_into().unwrap()),
        ..order("e", 1, "1")
    };
    for millis in [0, 99, 3_600_001] {
        let status = refused(with_heartbeat(millis)).await;
        let info = status.get_details_error_info().unwrap();
        assert_eq!(
            (info.reason.as_str(), info.metadata["fields"].as_str()),
            ("INVALID_FIELD", "heartbeat")
        );
        assert_eq!(info.metadata["heartbeat_maximum"], "3600s");
    }
    let none = refused(v1::StepStreamRequest::default()).await;
    assert_eq!(
        none.get_details_error_info().unwrap().metadata["fields"],
        "step,episode_id,action"
    );
    assert_eq!(
        reason(&refused(order("none", 0, "1")).await),
        "EPISODE_NOT_FOUND"
    );
    assert_eq!(
        reason(&refused(order("e", 7, "1")).await),
        "STEP_OUT_OF_ORDER"
    );
    for millis in [100, 3_600_000] {
        let told = all(open(&raw, with_heartbeat(millis)).await.unwrap()).await;
        assert!(told.reply.is_some());
    }
    // What is refused later comes on the stream.
    let running = open(&raw, order("e", 2, &wait_for("never"))).await.unwrap();
    let queued = open(&raw, order("e", 3, "1")).await.unwrap();
    let close = v1::CloseRequest {
        episode_id: "e".to_owned(),
    };
    assert!(raw.clone().close(close).await.unwrap().into_inner().closed);
    for responses in [running, queued] {
        assert_eq!(
            reason(&all(responses).await.error.unwrap()),
            "EPISODE_ENDED"
        );
    }
}

#[tokio::test]
async fn a_call_that_ends_first_is_told_so_and_its_step_goes_on() {
    let server = Server::start(&[]);
    let raw = server.raw().await;
    let workspace = episode(&server, &raw, "e").await;
    let mut code = order("e", 1, &format!("print(1)\n{}", wait_for("go")));
    code.step.as_mut().unwrap().timeout = Some(Duration::from_secs(60).try_into().unwrap());
    let mut hasty = tonic::Request::new(code.clone());
    hasty.set_timeout(Duration::from_millis(300));
    let hasty = raw.clone().step_stream(hasty).await.unwrap().into_inner();
    let told = all(hasty).await;
    assert_eq!(reason(&told.error.unwrap()), "DEADLINE");
    std::fs::write(workspace.join("go"), "").unwrap();
    assert_eq!(all(open(&raw, code).await.unwrap()).await.stdout, b"1\n");
}

/// The most memory that a process ever had, in bytes.
fn peak_memory_bytes(pid: i32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap();
    let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib << 10
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_is_told_whole_to_who_reads_it_in_bounded_memory() {
    // A second in a quick run, a GiB in CI.
    let bytes: u64 = if is_full() { 1 << 30 } else { 256 << 20 };
    let server = Server::start(&[]);
    let raw = server.raw().await;
    episode(&server, &raw, "e").await;
    let before = peak_memory_bytes(server.pid());
    let code = format!(
        "line = b'x' * 65535 + b'\\n'\nfor _ in range({}): os.write(1, line)",
        bytes >> 16
    );
    let mut responses = open(&raw, order("e", 1, &code)).await.unwrap();
    let (mut at, mut reply) = (0, None);
    while let Some(event) = next(&mut responses).await {
        match event {
            Event::Piece(piece) => {
                assert_eq!((piece.offset, piece.dropped_bytes), (at, 0));
                at += piece.data.len() as u64;
            }
            Event::Heartbeat(_) => {}
            Event::Reply(last) => reply = Some(last),
        }
    }
    let observed = reply.unwrap().observed.unwrap();
    assert_eq!((at, observed.stdout_total_bytes), (bytes, bytes));
    let grown = peak_memory_bytes(server.pid()) - before;
    assert!(grown < 32 << 20, "{grown} bytes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_who_do_not_read_hold_up_nobody_and_are_told_what_they_missed() {
    const READERS: usize = 8;
    let server = Server::start(&[]);
    let raw = server.raw().await;
    let before = peak_memory_bytes(server.pid());
    let code = "for _ in range(1000): os.write(1, b'x' * 65536)\nopen('done', 'w')";
    let mut stuck = Vec::new();
    for reader in 0..READERS {
        let id = format!("e{reader}");
        let workspace = episode(&server, &raw, &id).await;
        stuck.push((open(&raw, order(&id, 1, code)).await.unwrap(), workspace));
    }
    // Others go on meanwhile.
    let mut env = server.env().await;
    env.reset().await.unwrap();
    for index in 0..100 {
        let reply = env.step(format!("print({index})")).await.unwrap();
        assert_eq!(reply.stdout(), format!("{index}\n"));
    }
    for (_, workspace) in &stuck {
        while !workspace.join("done").exists() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    for (mut responses, _) in stuck {
        let (mut at, mut dropped, mut reply) = (0, 0, None);
        while let Some(event) = next(&mut responses).await {
            match event {
                Event::Piece(piece) => {
                    assert_eq!(piece.offset, at + piece.dropped_bytes);
                    dropped += piece.dropped_bytes;
                    at = piece.offset + piece.data.len() as u64;
                }
                Event::Heartbeat(_) => {}
                Event::Reply(last) => reply = Some(last),
            }
        }
        let total = reply.unwrap().observed.unwrap().stdout_total_bytes;
        assert_eq!((at, total), (65_536_000, 65_536_000));
        assert!(dropped > 32 << 20, "{dropped} bytes");
    }
    // What the reply keeps and what waits for the reader, of each, and what is on its way to it.
    let grown = peak_memory_bytes(server.pid()) - before;
    assert!(
        grown < (READERS as u64 + 4) * (4 << 20) + KEPT_BYTES,
        "{grown} bytes"
    );
}

// === the client ===

#[tokio::test]
async fn the_client_tells_pieces_and_then_the_reply() {
    let server = Server::start(&[]);
    let mut env = server.env().await;
    assert!(env.step_stream("1").is_err(), "before a reset");
    env.reset().await.unwrap();
    let workspace = workspace_of(&server, &mut env).await;
    let code = format!(
        "import os, time\nprint('a')\n{}print('b')\n6 * 7",
        wait_for("go")
    );
    let mut step = env.step_stream(code.clone()).unwrap();
    let mut text = Vec::new();
    while text.len() < 2 {
        let StepEvent::Output(piece) = step.next().await.unwrap().unwrap() else {
            panic!("it ended");
        };
        assert_eq!(piece.stream(), OutputStream::Stdout);
        text.extend(piece.data);
    }
    assert_eq!(text, b"a\n");
    // Who drops it leaves the step running: the same code goes on with it.
    drop(step);
    let mut step = env.step_stream(code).unwrap();
    std::fs::write(workspace.join("go"), "").unwrap();
    let mut text = Vec::new();
    loop {
        match step.next().await.unwrap().unwrap() {
            StepEvent::Output(piece) => text.extend(piece.data),
            StepEvent::Reply(reply) => {
                assert_eq!((reply.result(), reply.step_index), (Some("42"), 1));
                break;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(text, b"a\nb\n");
    assert_eq!(step.next().await.unwrap(), None);
    assert_eq!(
        env.step_stream("2")
            .unwrap()
            .reply()
            .await
            .unwrap()
            .step_index,
        2
    );
    let error = env
        .step_stream("#".repeat((16 << 20) + 1))
        .unwrap()
        .reply()
        .await;
    assert_eq!(error.unwrap_err().reason(), Some(&Reason::InvalidField));
    assert_eq!(env.step("3").await.unwrap().step_index, 3);
    drop::<CodingEnv>(env);
}
