//! Kill -9 of each kind of process: what is told stays true, what can be replaced is, and nothing is left behind.

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use coding_env::client::{CodingEnv, Error, Options, Reason};
use coding_env::proto::v1;

use crate::support::{
    PATIENCE, Server, comm, command_line, default_python, is_running, kill, outer_pid, soak,
    wait_until, worker_of,
};

/// When a process started, in ticks since the host did, from /proc/PID/stat.
fn started(pid: i32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_whitespace().nth(19)?.parse().ok()
}

pub(crate) fn warden(server: &Server) -> i32 {
    // Not by name: a template has the warden's between fork and exec.
    let warden = server.processes()[0];
    assert!(command_line(warden).contains("coding-env-warden"));
    warden
}

/// What the warden started and has no name of its own: a template, and a reaper that was forked a moment ago, which is younger.
pub(crate) fn template(server: &Server) -> Option<i32> {
    let found = children(warden(server)).into_iter().filter(|pid| {
        comm(*pid).is_some_and(|name| name != "reaper")
            && !command_line(*pid).contains("coding-env-keeper")
    });
    found.min_by_key(|pid| started(*pid))
}

fn workers(server: &Server) -> Vec<i32> {
    let reapers = children(warden(server)).into_iter();
    let reapers = reapers.filter(|pid| comm(*pid).as_deref() == Some("reaper"));
    reapers.flat_map(children).collect()
}

pub(crate) fn children(pid: i32) -> Vec<i32> {
    let list = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    list.split_whitespace()
        .map(|pid| pid.parse().unwrap())
        .collect()
}

pub(crate) fn expect_deaths(server: &mut Server) {
    for text in [
        "a template has ended and is replaced",
        "a new worker failed",
        "a worker could not be forked",
    ] {
        server.expect_log(text);
    }
}

async fn live_episodes(server: &Server) -> u32 {
    let info = server.env().await.server_info().await.unwrap();
    info.capacity.unwrap().episodes
}

#[tokio::test]
async fn a_dying_template_disturbs_nobody_and_is_replaced() {
    let mut server = Server::start(&["--warm-workers", "2"]);
    expect_deaths(&mut server);
    let mut live = server.env().await;
    live.reset().await.unwrap();
    live.step("x = 41").await.unwrap();
    let old = template(&server).unwrap();
    kill(old, "KILL");
    server.wait_for_log("a template has ended and is replaced");
    let reply = live.step("x + 1").await.unwrap();
    assert_eq!((reply.result(), reply.step_index), (Some("42"), 1));
    // More than were warm.
    for _ in 0..6 {
        let mut fresh = server.env().await;
        fresh.reset().await.unwrap();
        assert_eq!(fresh.step("6 * 7").await.unwrap().result(), Some("42"));
    }
    assert!(template(&server).is_some_and(|new| new != old));
    assert_eq!(live.step("x").await.unwrap().result(), Some("41"));
}

/// A Python of its own that has a module to preload.
pub(crate) fn venv_with(dir: &Path, module: &str, source: &str) -> String {
    let venv = dir.join("venv");
    let made = Command::new(default_python())
        .args(["-m", "venv", "--without-pip", "--symlinks"])
        .arg(&venv)
        .status();
    assert!(made.unwrap().success());
    let lib = fs::read_dir(venv.join("lib"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    fs::write(
        lib.join("site-packages").join(format!("{module}.py")),
        source,
    )
    .unwrap();
    venv.join("bin/python3").to_str().unwrap().to_owned()
}

/// A template that can't be replaced is tried again with growing pauses, by one task, and is back as soon as it can be.
#[tokio::test]
async fn a_template_that_keeps_failing_is_tried_again_with_pauses() {
    let dir = tempfile::tempdir().unwrap();
    let (tries, broken) = (dir.path().join("tries"), dir.path().join("broken"));
    let python = venv_with(
        dir.path(),
        "on_probation",
        &format!(
            "import os\nopen({tries:?}, 'a').write('x')\nif os.path.exists({broken:?}): raise RuntimeError('broken')\n"
        ),
    );
    let mut server = Server::start_open(&[
        "--warm-workers",
        "1",
        "--python",
        &python,
        "--preload",
        "on_probation",
    ]);
    expect_deaths(&mut server);
    server.expect_log("a template could not be replaced");
    let count = || fs::read(&tries).unwrap().len();
    assert_eq!(count(), 1);
    let mut live = server.env().await;
    live.reset().await.unwrap();
    live.step("x = 1").await.unwrap();
    fs::write(&broken, "").unwrap();
    let begun = Instant::now();
    kill(template(&server).unwrap(), "KILL");
    wait_until("it was tried again", || count() >= 5);
    // The pauses before the second, third and fourth try are 100, 200 and 400 ms.
    let took = begun.elapsed();
    assert!(
        took >= Duration::from_millis(700),
        "{} tries in {took:?}",
        count()
    );
    fs::remove_file(&broken).unwrap();
    let mut fresh = server.env().await;
    fresh.reset().await.unwrap();
    fresh.reset().await.unwrap();
    assert_eq!(fresh.step("6 * 7").await.unwrap().result(), Some("42"));
    assert_eq!(live.step("x").await.unwrap().result(), Some("1"));
}

/// What a client did and saw.
#[derive(Default)]
struct Seen {
    steps: AtomicU32,
    lost: AtomicU32,
    stop: AtomicBool,
}

/// Resets and steps until told to stop; every reply has to be its own step's, or to say truthfully that the state is lost.
/// An error when the server can't be reached.
async fn load(mut env: CodingEnv, name: usize, seen: Arc<Seen>) -> Result<(), Error> {
    for round in 0.. {
        if seen.stop.load(Ordering::Relaxed) {
            break;
        }
        env.reset().await?;
        for index in 0..10 {
            let tag = format!("{name}.{round}.{index}");
            let code = format!(
                "tags = globals().get('tags', [])\ntags.append('{tag}')\nprint('{tag}', len(tags))"
            );
            match env.step(code).await {
                Ok(reply) if reply.outcome() == v1::Outcome::Completed => {
                    let expected = format!("{tag} {}\n", index + 1);
                    assert_eq!(
                        (reply.stdout(), reply.step_index),
                        (expected.as_str(), index)
                    );
                    assert!(!reply.done);
                    seen.steps.fetch_add(1, Ordering::Relaxed);
                }
                Ok(reply) => {
                    assert_eq!(reply.outcome(), v1::Outcome::Killed, "{reply:?}");
                    assert_eq!((reply.exit_code(), reply.done), (137, true), "{reply:?}");
                    assert_eq!(reply.state_after(), v1::StateAfter::Lost);
                    assert!(format!("{tag} {}\n", index + 1).starts_with(reply.stdout()));
                    let next = env.step("1").await.unwrap_err();
                    assert_eq!(next.reason(), Some(&Reason::EpisodeLost), "{next}");
                    seen.lost.fetch_add(1, Ordering::Relaxed);
                    break;
                }
                Err(error @ (Error::Connect(_) | Error::Deadline)) => return Err(error),
                Err(error) => {
                    assert_eq!(error.reason(), Some(&Reason::EpisodeLost), "{error}");
                    seen.lost.fetch_add(1, Ordering::Relaxed);
                    break;
                }
            }
        }
    }
    env.close().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_workers_and_templates_under_load_cost_their_own_episodes_only() {
    let mut server = Server::start(&["--warm-workers", "4"]);
    expect_deaths(&mut server);
    let seen = Arc::new(Seen::default());
    let mut clients = Vec::new();
    for name in 0..8 {
        let env = server.env().await;
        clients.push(tokio::spawn(load(env, name, Arc::clone(&seen))));
    }
    let kills = soak(60).min(2000);
    for round in 0..kills {
        let before = seen.steps.load(Ordering::Relaxed);
        if round % 20 == 10 {
            if let Some(pid) = template(&server) {
                kill(pid, "KILL");
            }
        } else {
            let workers = workers(&server);
            if let Some(pid) = workers.get(round * 7919 % workers.len().max(1)) {
                kill(*pid, "KILL");
            }
        }
        // The load goes on whatever was killed.
        let begun = Instant::now();
        while seen.steps.load(Ordering::Relaxed) < before + 5 {
            assert!(begun.elapsed() < PATIENCE, "no step any more");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    seen.stop.store(true, Ordering::Relaxed);
    for client in clients {
        client.await.unwrap().unwrap();
    }
    let (steps, lost) = (&seen.steps, &seen.lost);
    eprintln!("{kills} kills, {steps:?} steps, {lost:?} episodes lost");
    assert!(lost.load(Ordering::Relaxed) > 0, "no kill hit an episode");
    assert_eq!(live_episodes(&server).await, 0);
    let mut env = server.env().await;
    env.reset().await.unwrap();
    assert_eq!(env.step("1 + 1").await.unwrap().result(), Some("2"));
    env.close().await.unwrap();
    // The pool may still hold killed ones that nobody has asked for.
    wait_until("no worker is left but warm ones", || {
        workers(&server).len() <= 4
    });
}

/// A process that has left its step, its session and its parent, and waits.
const DAEMON: &str = "import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        with open('daemon', 'w') as f: f.write(str(os.getpid()))
        os.rename('daemon', 'daemon.pid')
        while True: time.sleep(1000)
    os._exit(0)
os.wait()
while not os.path.exists('daemon.pid'): time.sleep(0.001)
int(open('daemon.pid').read())";

async fn daemon_of(server: &Server, env: &mut CodingEnv) -> i32 {
    let worker = worker_of(server, env).await;
    let reply = env.step(DAEMON).await.unwrap();
    let inner = reply.result().unwrap_or_else(|| panic!("{reply:?}"));
    let pid = outer_pid(worker, inner.parse().unwrap());
    assert!(is_running(pid));
    pid
}

#[tokio::test]
async fn daemons_end_with_their_episode_and_not_with_another() {
    let server = Server::start(&[]);
    let (mut one, mut other) = (server.env().await, server.env().await);
    one.reset().await.unwrap();
    other.reset().await.unwrap();
    let (ours, theirs) = (
        daemon_of(&server, &mut one).await,
        daemon_of(&server, &mut other).await,
    );
    one.close().await.unwrap();
    wait_until("the daemon has ended", || !is_running(ours));
    assert!(is_running(theirs), "a sibling's daemon was killed");
    assert_eq!(other.step("1").await.unwrap().result(), Some("1"));
    // A lost interpreter takes its daemons along.
    let lost = other.step("os._exit(0)").await.unwrap();
    assert!(lost.done);
    wait_until("the daemon has ended", || !is_running(theirs));
}

/// Close may come at the very moment at which a step begins to start processes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_daemon_that_starts_while_its_episode_is_closed_ends_too() {
    let server = Server::start(&["--warm-workers", "4"]);
    let mut raw = server.raw().await;
    let code = "import os, time
if os.fork() == 0:
    os.setsid()
    os.execv('/bin/sleep', ['sleep-of-a-closed-episode', '1000'])
time.sleep(1000)";
    for round in 0..soak(100).min(2000) {
        let id = format!("e{round}");
        let request = v1::ResetRequest {
            episode_id: id.clone(),
            ..Default::default()
        };
        raw.reset(request).await.unwrap();
        let step = v1::StepRequest {
            episode_id: id.clone(),
            action: Some(v1::CodeAction {
                code: code.to_owned(),
            }),
            ..Default::default()
        };
        let mut stepping = raw.clone();
        let stepping = tokio::spawn(async move { stepping.step(step).await });
        let pause = Duration::from_micros(round as u64 * 37 % 1500);
        let begun = Instant::now();
        while begun.elapsed() < pause {
            tokio::task::yield_now().await;
        }
        raw.close(v1::CloseRequest { episode_id: id })
            .await
            .unwrap();
        stepping.await.unwrap().unwrap_err();
    }
    wait_until("no daemon is left", || {
        server
            .processes_named("sleep-of-a-closed-episode")
            .is_empty()
    });
    assert_eq!(live_episodes(&server).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_leaves_nothing_behind() {
    for round in 0..soak(2).min(50) {
        let mut server = Server::start(&["--warm-workers", "4"]);
        server.expect_log("a new worker failed");
        let seen = Arc::new(Seen::default());
        let mut clients = Vec::new();
        let mut options = Options::default();
        options.deadline = Duration::from_millis(500);
        for name in 0..8 {
            let mut env = CodingEnv::connect_with(&server.url(), Options::default())
                .await
                .unwrap();
            env.reset().await.unwrap();
            daemon_of(&server, &mut env).await;
            let env = CodingEnv::connect_with(&server.url(), options.clone())
                .await
                .unwrap();
            clients.push(tokio::spawn(load(env, name, Arc::clone(&seen))));
        }
        while seen.steps.load(Ordering::Relaxed) < 50 + round as u32 * 7 {
            tokio::task::yield_now().await;
        }
        let mut below: HashSet<i32> = server.processes().into_iter().collect();
        assert!(below.len() > 8 * 3, "{below:?}");
        below.extend(server.processes());
        let begun = Instant::now();
        kill(server.pid(), "KILL");
        assert_eq!(
            std::os::unix::process::ExitStatusExt::signal(&server.wait()),
            Some(9)
        );
        wait_until("all processes have ended", || {
            !below.iter().any(|pid| is_running(*pid))
        });
        eprintln!(
            "{} processes gone {:?} after the server",
            below.len(),
            begun.elapsed()
        );
        for client in clients {
            client.await.unwrap().unwrap_err(); // the server has gone
        }
        wait_until("the state directory is removed", || {
            fs::read_dir(server.state_dir()).unwrap().next().is_none()
        });
    }
}

#[tokio::test]
async fn a_server_whose_warden_was_killed_says_so_and_ends() {
    let mut server = Server::start(&["--warm-workers", "2"]);
    let mut env = server.env().await;
    env.reset().await.unwrap();
    let daemon = daemon_of(&server, &mut env).await;
    server.expect_log("the warden has gone: every episode is lost");
    server.expect_log("the warden has ended unexpectedly");
    let below = server.processes();
    kill(warden(&server), "KILL");
    assert_eq!(server.wait().code(), Some(1));
    server.wait_for_log("the warden has ended unexpectedly; every episode is lost");
    assert!(!is_running(daemon), "a daemon outlived the server");
    wait_until("all processes have ended", || {
        !below.iter().any(|pid| is_running(*pid))
    });
}

#[tokio::test]
async fn no_interpreter_is_used_by_two_episodes() {
    let server = Server::start(&["--warm-workers", "4"]);
    let mut env = server.env().await;
    for _ in 0..200 {
        env.reset().await.unwrap();
        let code = "import os, sys\nfound = ('marker' in globals(), hasattr(sys, 'marker'), os.listdir('.'), os.environ.get('MARKER'))
marker = sys.marker = 1\nopen('marker', 'w').close()\nos.environ['MARKER'] = '1'\nfound";
        let reply = env.step(code).await.unwrap();
        assert_eq!(reply.result(), Some("(False, False, [], None)"));
    }
    env.close().await.unwrap();
}

/// A number from /proc/PID/status, in KiB.
fn status_kib(pid: i32, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn resets_leave_processes_descriptors_and_memory_flat() {
    let server = Server::start(&["--warm-workers", "4"]);
    let mut env = server.env().await;
    let fds = || {
        fs::read_dir(format!("/proc/{}/fd", server.pid()))
            .unwrap()
            .count()
    };
    let settle = |fds_max: usize| {
        wait_until("the pool is full and all else has ended", || {
            server.processes().len() == 2 + 2 * 5 && fds() <= fds_max
        });
    };
    for _ in 0..100 {
        env.reset().await.unwrap();
        env.step("x = 1").await.unwrap();
    }
    settle(usize::MAX);
    let before = (
        fds(),
        status_kib(server.pid(), "VmRSS"),
        status_kib(warden(&server), "VmRSS"),
    );
    let resets = soak(300);
    for _ in 0..resets {
        env.reset().await.unwrap();
        env.step("x = 1").await.unwrap();
    }
    settle(before.0);
    let after = (
        fds(),
        status_kib(server.pid(), "VmRSS"),
        status_kib(warden(&server), "VmRSS"),
    );
    eprintln!(
        "{resets} resets: (descriptors, server KiB, warden KiB) {before:?} before, {after:?} after"
    );
    // An ended episode's id is remembered, which costs about 200 bytes; the rest is what an allocator keeps.
    assert!(
        after.1 < before.1 + 4096 + resets as u64 / 2,
        "the server grew: {before:?} {after:?}"
    );
    assert!(
        after.2 < before.2 + 1024,
        "the warden grew: {before:?} {after:?}"
    );
    let workspaces = || {
        let dirs = fs::read_dir(server.state_dir()).unwrap().flatten();
        dirs.flat_map(|dir| fs::read_dir(dir.path()).unwrap())
            .count()
    };
    // The server removes one when it hears that its process has ended, a moment after that.
    wait_until("the workspaces of ended workers are gone", || {
        workspaces() <= 5
    });
    env.close().await.unwrap();
}
