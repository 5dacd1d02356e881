//! Exactly once: a retry never runs code twice, whatever becomes of connections and callers.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use coding_env::client::{CodingEnv, Error, Options, Reason};
use coding_env::proto::v1;
use coding_env::proto::v1::coding_env_client::CodingEnvClient;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt as _;

use crate::support::{
    Server, named, naming, soak, state_request, state_where, wait_until, working_dir,
};

// === the proxy that cuts ===

/// A small random number generator (xorshift64*): what it gives need only be spread well.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % end
    }
}

/// Where a connection is cut.
#[derive(Debug, Clone, Copy)]
enum Cut {
    /// What the client sent is not forwarded.
    Before,
    /// A part of it is.
    DuringRequest,
    /// A part of the reply is.
    DuringReply,
    /// The server has answered, and nothing of it is forwarded.
    After,
}

#[derive(Default)]
struct Cuts([AtomicU64; 4]);

/// Forwards connections to `server`, and cuts each after a random number of bytes.
async fn cutting_proxy(server: String, seed: u64, cuts: Arc<Cuts>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        let mut random = Random(seed | 1);
        while let Ok((client, _)) = listener.accept().await {
            let Ok(upstream) = TcpStream::connect(&server).await else {
                continue;
            };
            let cut = [
                Cut::Before,
                Cut::DuringRequest,
                Cut::DuringReply,
                Cut::After,
            ][random.below(4) as usize];
            let after = random.below(3000) as usize;
            let cuts = Arc::clone(&cuts);
            tokio::spawn(async move {
                forward(client, upstream, cut, after).await;
                cuts.0[cut as usize].fetch_add(1, Ordering::Relaxed);
            });
        }
    });
    address
}

/// Forwards both ways until `after` bytes have passed in the direction that is cut, or one side closes.
async fn forward(mut client: TcpStream, mut server: TcpStream, cut: Cut, after: usize) {
    client.set_nodelay(true).unwrap();
    server.set_nodelay(true).unwrap();
    let (mut up, mut down) = (vec![0; 16384], vec![0; 16384]);
    let mut passed = 0;
    loop {
        let (bytes, is_up) = tokio::select! {
            read = client.read(&mut up) => (up.get(..read.unwrap_or(0)).unwrap(), true),
            read = server.read(&mut down) => (down.get(..read.unwrap_or(0)).unwrap(), false),
        };
        if bytes.is_empty() {
            return;
        }
        let counts = is_up == matches!(cut, Cut::Before | Cut::DuringRequest);
        let to = if is_up { &mut server } else { &mut client };
        if counts && passed + bytes.len() > after {
            if matches!(cut, Cut::DuringRequest | Cut::DuringReply) {
                drop(to.write_all(&bytes[..after - passed]).await);
            }
            return;
        }
        if counts {
            passed += bytes.len();
        }
        if to.write_all(bytes).await.is_err() {
            return;
        }
    }
}

fn quick_retries() -> Options {
    let mut options = Options::default();
    options.retry_first = Duration::from_millis(1);
    options.retry_max = Duration::from_millis(50);
    options
}

/// Runs resets and steps through the proxy and checks every reply. Returns how many of each.
async fn run_through(url: String, seed: u64, operations: usize) -> (usize, usize) {
    let mut random = Random(seed | 1);
    let mut env = CodingEnv::connect_with(&url, quick_retries())
        .await
        .unwrap();
    let (mut resets, mut steps, mut in_episode) = (0, 0, 0_u32);
    for _ in 0..operations {
        if env.episode_id().is_none() || random.below(20) == 0 {
            if env.episode_id().is_some() {
                check_log(&mut env, in_episode).await;
            }
            let reply = env.reset().await.unwrap();
            assert_eq!(reply.state.unwrap().step_count, 0);
            in_episode = 0;
            resets += 1;
        } else {
            let code = format!(
                "log = globals().get('log', [])\nlog.append({in_episode})\nprint({in_episode})"
            );
            let reply = env.step(code).await.unwrap();
            assert_eq!(
                (reply.stdout(), reply.step_index, reply.exit_code()),
                (format!("{in_episode}\n").as_str(), in_episode, 0),
                "{reply:?}"
            );
            in_episode += 1;
            steps += 1;
        }
    }
    check_log(&mut env, in_episode).await;
    env.close().await.unwrap();
    (resets, steps)
}

/// Each step's side effect happened once, in order.
async fn check_log(env: &mut CodingEnv, steps: u32) {
    let reply = env.step("print(globals().get('log', []))").await.unwrap();
    let expected: Vec<u32> = (0..steps).collect();
    assert_eq!(reply.stdout(), format!("{expected:?}\n"));
    assert_eq!(reply.step_index, steps);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_cut_at_random_run_nothing_twice_and_leak_nothing() {
    const CLIENTS: usize = 4;
    let server = Server::start(&["--warm-workers", "4"]);
    let seed = u64::from(std::process::id()) << 20 | 0x5bd1;
    let operations = soak(300).div_ceil(CLIENTS);
    let cuts = Arc::new(Cuts::default());
    let begun = std::time::Instant::now();
    let mut clients = Vec::new();
    for client in 0..CLIENTS as u64 {
        let seed = (seed + client).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let proxy = cutting_proxy(server.address().to_owned(), seed, Arc::clone(&cuts)).await;
        clients.push(tokio::spawn(run_through(
            format!("http://{proxy}"),
            seed.rotate_left(17),
            operations,
        )));
    }
    let (mut resets, mut steps) = (0, 0);
    for client in clients {
        let done = client
            .await
            .unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        resets += done.0;
        steps += done.1;
    }
    let cuts: Vec<u64> = cuts
        .0
        .iter()
        .map(|count| count.load(Ordering::Relaxed))
        .collect();
    eprintln!(
        "{resets} resets and {steps} steps in {:.1?}, cuts before/during/during reply/after: {cuts:?}, seed {seed}",
        begun.elapsed()
    );
    assert!(cuts.iter().sum::<u64>() > 0, "nothing was cut");
    let mut direct = server.env().await;
    let info = direct.server_info().await.unwrap();
    assert_eq!(
        info.capacity.unwrap().episodes,
        0,
        "episodes leaked, seed {seed}"
    );
    // Warden, template and the warm workers.
    wait_until("only warm workers are left", || {
        server.processes().len() == 2 + 2 * 4
    });
}

/// Forwards connections, but for replies while it is muted; connections that lost something are cut afterwards.
async fn muting_proxy(server: String, muted: Arc<AtomicBool>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut server = TcpStream::connect(&server).await.unwrap();
            let muted = Arc::clone(&muted);
            tokio::spawn(async move {
                let (mut up, mut down) = (vec![0; 16384], vec![0; 16384]);
                let mut lost = false;
                loop {
                    let (bytes, is_up) = tokio::select! {
                        read = client.read(&mut up) => (up.get(..read.unwrap_or(0)).unwrap(), true),
                        read = server.read(&mut down) => (down.get(..read.unwrap_or(0)).unwrap(), false),
                    };
                    let muted = muted.load(Ordering::SeqCst);
                    if bytes.is_empty() || lost && !muted {
                        return;
                    }
                    lost |= muted && !is_up;
                    let done = match (is_up, muted) {
                        (true, _) => server.write_all(bytes).await,
                        (false, true) => Ok(()),
                        (false, false) => client.write_all(bytes).await,
                    };
                    if done.is_err() {
                        return;
                    }
                }
            });
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_episode_whose_reset_was_never_answered_is_not_left_over() {
    let server = Server::start(&["--warm-workers", "2"]);
    let mut direct = server.env().await;
    let muted = Arc::new(AtomicBool::new(false));
    let proxy = muting_proxy(server.address().to_owned(), Arc::clone(&muted)).await;
    let mut options = quick_retries();
    options.deadline = Duration::from_secs(2);
    let mut env = CodingEnv::connect_with(&format!("http://{proxy}"), options)
        .await
        .unwrap();
    env.reset().await.unwrap();
    let first = env.episode_id().unwrap().to_owned();
    muted.store(true, Ordering::SeqCst);
    env.reset().await.unwrap_err();
    let info = direct.server_info().await.unwrap();
    assert_eq!(
        info.capacity.unwrap().episodes,
        1,
        "the server has made one and ended the one before"
    );
    muted.store(false, Ordering::SeqCst);
    env.reset().await.unwrap();
    assert_ne!(env.episode_id().unwrap(), first);
    assert_eq!(env.step("6 * 7").await.unwrap().result(), Some("42"));
    let info = direct.server_info().await.unwrap();
    assert_eq!(info.capacity.unwrap().episodes, 1);
    env.close().await.unwrap();
    let info = direct.server_info().await.unwrap();
    assert_eq!(info.capacity.unwrap().episodes, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_lost_reply_the_same_code_gets_it_and_other_code_runs_after_it() {
    let server = Server::start(&[]);
    let muted = Arc::new(AtomicBool::new(false));
    let proxy = muting_proxy(server.address().to_owned(), Arc::clone(&muted)).await;
    let mut options = quick_retries();
    options.deadline = Duration::from_secs(2);
    let mut env = CodingEnv::connect_with(&format!("http://{proxy}"), options)
        .await
        .unwrap();
    env.reset().await.unwrap();
    env.step("ran = 0").await.unwrap();
    for (next, expected) in [
        ("ran += 1\nran", (Some("1"), 1, true)),
        ("ran * 10", (Some("20"), 3, false)),
    ] {
        muted.store(true, Ordering::SeqCst);
        let error = env.step("ran += 1\nran").await.unwrap_err();
        assert_eq!(error, Error::Deadline);
        muted.store(false, Ordering::SeqCst);
        let next = env.step(next).await.unwrap();
        assert_eq!((next.result(), next.step_index, next.replayed), expected);
    }
    env.close().await.unwrap();
}

#[tokio::test]
async fn after_a_step_that_nobody_waited_for_other_code_runs_next() {
    let server = Server::start(&[]);
    let mut env = server.env().await;
    env.reset().await.unwrap();
    let (name, code) = naming();
    env.step(format!("import os, time\n{code}")).await.unwrap();
    let workspace = working_dir(named(&server, &name));
    let ran = workspace.join("ran");
    // It runs when its future is dropped.
    tokio::select! {
        reply = env.step(WAITING) => panic!("{reply:?}"),
        () = until_file(&ran) => {}
    }
    let next = env.step("open('ran').read()");
    let go = async { std::fs::write(workspace.join("go"), "").unwrap() };
    let (next, ()) = tokio::join!(next, go);
    let next = next.unwrap();
    assert_eq!((next.result(), next.step_index), (Some("'x'"), 2));
    // A refusal that leaves nothing open changes nothing.
    let error = env.step("#".repeat((16 << 20) + 1)).await.unwrap_err();
    assert_eq!(error.reason(), Some(&Reason::InvalidField), "{error}");
    assert_eq!(env.step("3").await.unwrap().step_index, 3);
    // Another client's steps are no business of this one.
    let raw = server.raw().await;
    let id = env.episode_id().unwrap().to_owned();
    step(&raw, &id, 4, "'theirs'").await.unwrap();
    let error = env.step("'ours'").await.unwrap_err();
    assert_eq!(error.reason(), Some(&Reason::StepOutOfOrder), "{error}");
}

// === the rules, one by one ===

type Raw = CodingEnvClient<Channel>;

fn order(id: &str, index: u32, code: &str) -> v1::StepRequest {
    v1::StepRequest {
        episode_id: id.to_owned(),
        action: Some(v1::CodeAction {
            code: code.to_owned(),
        }),
        step_index: Some(index),
        ..Default::default()
    }
}

async fn step(raw: &Raw, id: &str, index: u32, code: &str) -> Result<v1::StepResponse, Status> {
    let reply = raw.clone().step(order(id, index, code)).await;
    reply.map(tonic::Response::into_inner)
}

async fn reset(
    raw: &Raw,
    id: &str,
    request: &str,
    previous: &str,
) -> Result<v1::ResetResponse, Status> {
    let request = v1::ResetRequest {
        episode_id: id.to_owned(),
        request_id: request.to_owned(),
        previous_episode_id: previous.to_owned(),
        ..Default::default()
    };
    let reply = raw.clone().reset(request).await;
    reply.map(tonic::Response::into_inner)
}

/// Its reason, and the value of one entry of its metadata.
fn reason(status: &Status, key: &str) -> (String, String) {
    let info = status
        .get_details_error_info()
        .unwrap_or_else(|| panic!("{status:?}"));
    assert_eq!(info.domain, "coding_env");
    let value = info.metadata.get(key).cloned().unwrap_or_default();
    (info.reason, value)
}

/// An episode with step 0 done, and its workspace.
async fn episode(server: &Server, raw: &Raw, id: &str) -> PathBuf {
    reset(raw, id, "first", "").await.unwrap();
    let (name, code) = naming();
    let reply = step(raw, id, 0, &format!("import os, time\n{code}")).await;
    assert_eq!(reply.unwrap().result(), Some("0"));
    working_dir(named(server, &name))
}

/// Says in a file that it runs (one letter each time), then waits until there is a file `go`.
const WAITING: &str = "with open('ran', 'a') as f: f.write('x')
while not os.path.exists('go'): time.sleep(0.002)
print('went')";

async fn until_file(path: &Path) {
    let begun = std::time::Instant::now();
    while !path.exists() {
        assert!(
            begun.elapsed() < crate::support::PATIENCE,
            "no {}",
            path.display()
        );
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test]
async fn a_second_call_joins_the_running_step() {
    let server = Server::start(&[]);
    let raw = server.raw().await;
    let workspace = episode(&server, &raw, "e").await;
    let spawn = || {
        let raw = raw.clone();
        tokio::spawn(async move { step(&raw, "e", 1, WAITING).await })
    };
    let first = spawn();
    until_file(&workspace.join("ran")).await;
    let second = spawn();
    // This one waits for the step and gives up; the step goes on.
    let hasty = step(&raw, "e", 1, WAITING);
    tokio::time::timeout(Duration::from_millis(300), hasty)
        .await
        .unwrap_err();
    // Another action does not join.
    let other = step(&raw, "e", 1, "print('other')").await.unwrap_err();
    assert_eq!(
        reason(&other, "expected"),
        ("STEP_OUT_OF_ORDER".to_owned(), "2".to_owned())
    );
    std::fs::write(workspace.join("go"), "").unwrap();
    for call in [first, second] {
        let reply = call.await.unwrap().unwrap();
        assert_eq!(
            (reply.stdout(), reply.step_index, reply.replayed),
            ("went\n", 1, false)
        );
    }
    assert_eq!(std::fs::read_to_string(workspace.join("ran")).unwrap(), "x");
    let mut asking = raw.clone();
    let state = asking.get_state(state_request("e"));
    assert_eq!(
        state.await.unwrap().into_inner().state.unwrap().step_count,
        2
    );
}

#[tokio::test]
async fn a_retry_gets_the_first_reply_and_another_action_is_out_of_order() {
    let server = Server::start(&[]);
    let raw = server.raw().await;
    episode(&server, &raw, "e").await;
    let code = "n = globals().get('n', 0) + 1\nprint(n)\nn * 10";
    let first = step(&raw, "e", 1, code).await.unwrap();
    assert!(!first.replayed);
    let again = step(&raw, "e", 1, code).await.unwrap();
    assert!(again.replayed);
    assert_eq!(
        v1::StepResponse {
            replayed: false,
            ..again
        },
        first
    );
    for (index, code) in [(1, "print('else')"), (0, code), (3, code)] {
        let refused = step(&raw, "e", index, code).await.unwrap_err();
        assert_eq!(refused.code(), Code::FailedPrecondition);
        assert_eq!(
            reason(&refused, "expected"),
            ("STEP_OUT_OF_ORDER".to_owned(), "2".to_owned())
        );
    }
    // The same action as a step of its own.
    let next = step(&raw, "e", 2, code).await.unwrap();
    assert_eq!(
        (next.stdout(), next.replayed, next.step_index),
        ("2\n", false, 2)
    );
    // Earlier ones than the last are kept too.
    assert_eq!(step(&raw, "e", 1, code).await.unwrap().stdout(), "1\n");
}

#[tokio::test]
async fn output_that_was_dropped_for_space_is_told() {
    let server = Server::start(&["--kept-reply-bytes", "0"]);
    let raw = server.raw().await;
    episode(&server, &raw, "e").await;
    let (small, large) = ("print('a' * 60000)", "print('a' * 70000)\n5");
    let first = step(&raw, "e", 1, small).await.unwrap();
    let again = step(&raw, "e", 1, small).await.unwrap();
    assert!(
        again.replayed && !again.output_dropped,
        "the last small reply is always kept"
    );
    assert_eq!(again.stdout(), first.stdout());
    let first = step(&raw, "e", 2, large).await.unwrap();
    assert_eq!(
        (first.stdout().len(), first.result(), first.output_dropped),
        (70001, Some("5"), false)
    );
    let again = step(&raw, "e", 2, large).await.unwrap();
    assert!(again.replayed && again.output_dropped);
    assert_eq!(
        (again.stdout(), again.result(), again.step_index),
        ("", None, 2)
    );
    assert_eq!((again.outcome, again.state), (first.outcome, first.state));
    assert_eq!(again.observed, first.observed);
    // The small one is the last no more.
    assert!(step(&raw, "e", 1, small).await.unwrap().output_dropped);
}

#[tokio::test]
async fn of_a_step_long_ago_how_it_ended_is_told() {
    let server = Server::start(&[]);
    let raw = server.raw().await;
    episode(&server, &raw, "e").await;
    step(&raw, "e", 1, "raise SystemExit(3)").await.unwrap();
    for index in 2..258 {
        step(&raw, "e", index, "pass").await.unwrap();
    }
    let dropped = step(&raw, "e", 1, "raise SystemExit(3)").await.unwrap_err();
    assert_eq!(dropped.code(), Code::FailedPrecondition);
    let about = |key| reason(&dropped, key);
    assert_eq!(
        about("outcome"),
        ("STEP_REPLY_DROPPED".to_owned(), "exited".to_owned())
    );
    assert_eq!(
        (
            about("exit_code").1.as_str(),
            about("state_after").1.as_str()
        ),
        ("3", "intact")
    );
    assert!(
        step(&raw, "e", 2, "pass").await.unwrap().replayed,
        "256 are kept"
    );
    let other = step(&raw, "e", 1, "pass").await.unwrap_err();
    assert_eq!(
        reason(&other, "expected"),
        ("STEP_OUT_OF_ORDER".to_owned(), "258".to_owned())
    );
}

#[tokio::test]
async fn a_step_whose_caller_vanished_goes_on_and_a_retry_collects_it() {
    let server = Server::start(&[]);
    let raw = server.raw().await;
    let workspace = episode(&server, &raw, "e").await;
    // A connection of its own, which closes with the call.
    let vanishing = server.raw().await;
    let call = tokio::spawn(async move { step(&vanishing, "e", 1, WAITING).await });
    until_file(&workspace.join("ran")).await;
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    std::fs::write(workspace.join("go"), "").unwrap();
    let reply = step(&raw, "e", 1, WAITING).await.unwrap();
    assert_eq!((reply.stdout(), reply.step_index), ("went\n", 1));
    assert_eq!(std::fs::read_to_string(workspace.join("ran")).unwrap(), "x");
}

#[tokio::test]
async fn a_queued_step_whose_caller_has_gone_does_not_run() {
    let server = Server::start(&[]);
    let raw = server.raw().await;
    let workspace = episode(&server, &raw, "e").await;
    let spawn = |index, code: &'static str| {
        let raw = raw.clone();
        tokio::spawn(async move { step(&raw, "e", index, code).await })
    };
    let queued = async |count| state_where(&raw, "e", |state| state.queued_steps == count).await;
    let running = spawn(1, WAITING);
    until_file(&workspace.join("ran")).await;
    let ghost = "open('ghost', 'w').close()";
    let mut hasty = Request::new(order("e", 2, ghost));
    hasty.set_timeout(Duration::from_secs(3));
    let hasty = {
        let mut raw = raw.clone();
        tokio::spawn(async move { raw.step(hasty).await })
    };
    queued(1).await;
    let pinned = spawn(3, "print('three')");
    queued(2).await;
    let unpinned = {
        let mut raw = raw.clone();
        let request = v1::StepRequest {
            step_index: None,
            ..order("e", 0, "print('any')")
        };
        tokio::spawn(async move { raw.step(request).await.map(tonic::Response::into_inner) })
    };
    queued(3).await;
    // Who says so first, the server or this side's library, does not matter here.
    hasty.await.unwrap().unwrap_err();
    queued(2).await;
    std::fs::write(workspace.join("go"), "").unwrap();
    assert_eq!(running.await.unwrap().unwrap().stdout(), "went\n");
    let refused = pinned.await.unwrap().unwrap_err();
    assert_eq!(
        reason(&refused, "expected"),
        ("STEP_OUT_OF_ORDER".to_owned(), "2".to_owned())
    );
    // One that named no index moves up.
    let any = unpinned.await.unwrap().unwrap();
    assert_eq!((any.stdout(), any.step_index), ("any\n", 2));
    assert!(!workspace.join("ghost").exists(), "a dropped step ran");
}

#[tokio::test]
async fn replies_outlive_the_state() {
    let server = Server::start(&[]);
    let raw = server.raw().await;
    episode(&server, &raw, "e").await;
    step(&raw, "e", 1, "print('one')").await.unwrap();
    let end = "print('bye', flush=True); os._exit(7)";
    let lost = step(&raw, "e", 2, end).await.unwrap();
    assert_eq!(
        (lost.stdout(), lost.exit_code(), lost.done),
        ("bye\n", 7, true)
    );
    assert_eq!(lost.state_after(), v1::StateAfter::Lost);
    for (index, code, stdout) in [(2, end, "bye\n"), (1, "print('one')", "one\n")] {
        let again = step(&raw, "e", index, code).await.unwrap();
        assert_eq!((again.stdout(), again.replayed), (stdout, true));
    }
    let next = step(&raw, "e", 3, "1").await.unwrap_err();
    assert_eq!(
        reason(&next, "step_index"),
        ("EPISODE_LOST".to_owned(), "2".to_owned())
    );
}

#[tokio::test]
async fn a_reset_is_retried_by_its_ids() {
    let server = Server::start(&[]);
    let raw = server.raw().await;
    let first = reset(&raw, "e", "r1", "").await.unwrap();
    step(&raw, "e", 0, "x = 5").await.unwrap();
    assert_eq!(reset(&raw, "e", "r1", "").await.unwrap(), first);
    assert_eq!(
        step(&raw, "e", 1, "x").await.unwrap().result(),
        Some("5"),
        "it is the same episode"
    );
    for request in ["r2", ""] {
        let refused = reset(&raw, "e", request, "").await.unwrap_err();
        assert_eq!(refused.code(), Code::AlreadyExists);
        assert_eq!(
            reason(&refused, "episode_id"),
            ("EPISODE_EXISTS".to_owned(), "e".to_owned())
        );
    }
    let close = v1::CloseRequest {
        episode_id: "e".to_owned(),
    };
    assert!(
        raw.clone()
            .close(close.clone())
            .await
            .unwrap()
            .into_inner()
            .closed
    );
    assert!(!raw.clone().close(close).await.unwrap().into_inner().closed);
    // An ended id is not used again.
    let refused = reset(&raw, "e", "r1", "").await.unwrap_err();
    assert_eq!(reason(&refused, "").0, "EPISODE_EXISTS");
    let refused = step(&raw, "e", 2, "x").await.unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused, "").0.as_str()),
        (Code::NotFound, "EPISODE_CLOSED")
    );
}

#[tokio::test]
async fn one_reset_asked_for_many_times_at_once_makes_one_episode() {
    let server = Server::start(&["--warm-workers", "1"]);
    let raw = server.raw().await;
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let raw = raw.clone();
            tokio::spawn(async move { reset(&raw, "e", "r", "").await.unwrap() })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap().state.unwrap().episode_id, "e");
    }
    let info = server.env().await.server_info().await.unwrap();
    assert_eq!(info.capacity.unwrap().episodes, 1);
}

#[tokio::test]
async fn previous_episode_id_frees_the_slot() {
    let server = Server::start(&["--max-episodes", "1"]);
    let raw = server.raw().await;
    reset(&raw, "a", "r", "").await.unwrap();
    let refused = reset(&raw, "b", "r", "").await.unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused, "max")),
        (
            Code::ResourceExhausted,
            ("EPISODE_LIMIT".to_owned(), "1".to_owned())
        )
    );
    assert!(refused.get_details_retry_info().is_some());
    reset(&raw, "b", "r", "a").await.unwrap();
    assert_eq!(step(&raw, "b", 0, "1").await.unwrap().result(), Some("1"));
    assert_eq!(
        reason(&step(&raw, "a", 0, "1").await.unwrap_err(), "").0,
        "EPISODE_CLOSED"
    );
    // A request that is refused ends nothing.
    let bad = v1::ResetRequest {
        episode_id: "c".to_owned(),
        previous_episode_id: "b".to_owned(),
        runtime: "none such".to_owned(),
        ..Default::default()
    };
    raw.clone().reset(bad).await.unwrap_err();
    assert_eq!(step(&raw, "b", 1, "2").await.unwrap().result(), Some("2"));
}

/// Forwards connections to whichever server `current` names; those that are open are cut when it changes.
async fn switching_proxy(current: tokio::sync::watch::Receiver<String>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut current = current.clone();
            let upstream = current.borrow_and_update().clone();
            let mut server = TcpStream::connect(&upstream).await.unwrap();
            tokio::spawn(async move {
                tokio::select! {
                    _ = tokio::io::copy_bidirectional(&mut client, &mut server) => {}
                    _ = current.changed() => {}
                }
            });
        }
    });
    address
}

#[tokio::test]
async fn a_reset_goes_on_at_another_server_when_its_own_has_gone() {
    let servers = ["one", "two"].map(|name| Server::start(&["--server-id", name]));
    let (switch, current) = tokio::sync::watch::channel(servers[0].address().to_owned());
    let url = switching_proxy(current).await;
    let mut env = CodingEnv::connect_with(&url, quick_retries())
        .await
        .unwrap();
    assert_eq!(env.reset().await.unwrap().server_id, "one");

    switch.send_replace(servers[1].address().to_owned());
    let lost = env.step("1").await.unwrap_err();
    assert_eq!(lost.reason(), Some(&Reason::EpisodeServerGone));
    assert_eq!(env.reset().await.unwrap().server_id, "two");
    assert_eq!(env.step("x = 1").await.unwrap().exit_code(), 0);
    env.close().await.unwrap();
}

#[tokio::test]
async fn a_refusal_leaves_a_step_unsure_that_was_so_before() {
    let server = Server::start(&[]);
    let muted = Arc::new(AtomicBool::new(false));
    let url = muting_proxy(server.address().to_owned(), Arc::clone(&muted)).await;
    let mut options = quick_retries();
    options.deadline = Duration::from_secs(2);
    let mut env = CodingEnv::connect_with(&url, options).await.unwrap();
    env.reset().await.unwrap();

    muted.store(true, Ordering::SeqCst);
    let error = env.step("ran = 1").await.unwrap_err();
    assert!(
        matches!(error, Error::Deadline | Error::Connect(_)),
        "{error:?}"
    );
    muted.store(false, Ordering::SeqCst);
    let mut options = coding_env::client::StepOptions::default();
    options.timeout = Some(Duration::ZERO);
    let refused = env.step_with("2", options).await.unwrap_err();
    assert_eq!(refused.reason(), Some(&Reason::InvalidField));

    let reply = env.step("ran + 1").await.unwrap();
    assert_eq!((reply.result(), reply.step_index), (Some("2"), 1));
}
