//! Parking: what an idle episode costs in descriptors, and that nobody sees it in what their steps tell.

use std::collections::HashSet;
use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use coding_env::client::{CodingEnv, Options, Reason};
use coding_env::proto::v1;

use crate::support::files::{Files, path};
use crate::support::{PATIENCE, Server, kill, soak, wait_until, worker_of, workspace_of};

const KEEPER: &str = "coding-env-keeper";
/// Descriptors of a server without episodes: those of the runtime, the log, its connection, and its warm workers.
const BESIDE: usize = 60;

fn descriptors(pid: i32) -> usize {
    fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count()
}

fn pipes(pid: i32) -> HashSet<PathBuf> {
    let links = fs::read_dir(format!("/proc/{pid}/fd"))
        .into_iter()
        .flatten();
    links
        .filter_map(|link| fs::read_link(link.unwrap().path()).ok())
        .filter(|target| target.to_string_lossy().starts_with("pipe:"))
        .collect()
}

/// The output pipes that keepers hold: not those that all processes inherit, such as standard error.
fn parked(server: &Server) -> usize {
    let inherited = pipes(server.processes()[0]);
    let keepers = server.processes_named(KEEPER);
    keepers
        .iter()
        .map(|pid| pipes(*pid).difference(&inherited).count())
        .sum()
}

fn resident_kib(pid: i32) -> usize {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let value = line.and_then(|line| line.split_whitespace().nth(1));
    value.map_or(0, |value| value.parse().unwrap())
}

async fn episodes(server: &Server, count: usize) -> Vec<CodingEnv> {
    let channel = server.channel().await;
    let mut envs = Vec::new();
    for number in 0..count {
        let mut env = CodingEnv::with_channel(channel.clone(), Options::default());
        env.reset().await.unwrap();
        let reply = env.step(format!("n = {number}")).await.unwrap();
        assert_eq!(reply.outcome(), v1::Outcome::Completed, "{reply:?}");
        envs.push(env);
    }
    envs
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_episode_costs_one_descriptor_and_steps_as_before() {
    let count = soak(200).min(10_000);
    let max = count.to_string();
    let server = Server::start(&["--warm-workers", "4", "--max-episodes", &max]);
    let begun = Instant::now();
    let mut envs = episodes(&server, count).await;
    let figures = |what: &str| {
        let keepers = server.processes_named(KEEPER);
        eprintln!(
            "{:?}: {what}: {} descriptors in the server ({} KiB), keepers: {:?}",
            begun.elapsed(),
            descriptors(server.pid()),
            resident_kib(server.pid()),
            keepers
                .iter()
                .map(|pid| (descriptors(*pid), resident_kib(*pid)))
                .collect::<Vec<_>>()
        );
    };
    figures("started and stepped");
    for round in 1..=2 {
        wait_until("all are parked", || parked(&server) == 2 * count);
        figures("parked");
        assert!(descriptors(server.pid()) <= count + BESIDE);
        for (number, env) in envs.iter_mut().enumerate() {
            let reply = env.step("print(n)\nn").await.unwrap();
            assert_eq!(reply.stdout(), format!("{number}\n"));
            assert_eq!(reply.result(), Some(number.to_string().as_str()));
            assert_eq!(reply.step_index, round);
        }
        figures("stepped");
    }
    for env in &mut envs {
        env.close().await.unwrap();
    }
    wait_until("nothing is parked", || parked(&server) == 0);
    wait_until("the server has let go of all", || {
        descriptors(server.pid()) <= BESIDE
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_parked_episode_has_its_files_and_stays_parked() {
    let server = Server::start(&["--warm-workers", "4"]);
    let mut envs = episodes(&server, 1).await;
    envs[0].step("open('a', 'w').write('kept')").await.unwrap();
    wait_until("it is parked", || parked(&server) == 2);
    let mut files = Files::over(server.channel().await, envs[0].episode_id());
    for _ in 0..20 {
        let read = files.read(vec![path("a")]).await.unwrap();
        assert_eq!(read.files["a"], b"kept");
    }
    assert_eq!(parked(&server), 2);
    // A call holds descriptors for as long as it lasts, and no longer.
    wait_until("the calls' descriptors are closed", || {
        descriptors(server.pid()) <= 1 + BESIDE
    });
    let reply = envs[0].step("open('a').read()").await.unwrap();
    assert_eq!(reply.result(), Some("'kept'"));
}

/// The limit leaves the pipes of 262 workers beside those of 32 that run a step. None waits a second to be idle here.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_than_the_descriptors_allow_step_at_a_time() {
    const COUNT: usize = 360;
    let server = Server::start_limited(
        1500,
        &[
            "--warm-workers",
            "2",
            "--max-running-steps",
            "32",
            "--max-file-calls",
            "2",
            "--max-episodes",
            &COUNT.to_string(),
        ],
    );
    let mut envs = episodes(&server, COUNT).await;
    for round in 1..=4 {
        let mut steps = tokio::task::JoinSet::new();
        for mut env in envs {
            steps.spawn(async move {
                let reply = env.step("n += 1000; print(n)").await.unwrap();
                assert_eq!(reply.step_index, round);
                let told: usize = reply.stdout().trim().parse().unwrap();
                assert_eq!(told / 1000, round as usize);
                env
            });
        }
        envs = steps.join_all().await;
        assert!(parked(&server) > 0, "with so many some are parked at once");
    }
}

#[tokio::test]
async fn what_is_written_while_parked_belongs_to_the_next_step() {
    let server = Server::start(&["--warm-workers", "1"]);
    let mut envs = episodes(&server, 1).await;
    let workspace = workspace_of(&server, &mut envs[0]).await;
    let (go, done) = (workspace.join("go"), workspace.join("done"));
    let code = "import os, sys, threading, time\n\
         def late():\n\
         \x20   while not os.path.exists('go'): time.sleep(0.01)\n\
         \x20   os.write(1, b'late out'); os.write(2, b'late err')\n\
         \x20   open('done', 'w').close()\n\
         threading.Thread(target=late, daemon=True).start()";
    // Long enough for its output to be watched while it runs.
    envs[0]
        .step(format!("{code}\ntime.sleep(0.05)"))
        .await
        .unwrap();
    wait_until("it is parked", || parked(&server) == 2);
    fs::write(&go, "").unwrap();
    wait_until("it has written", || done.exists());
    assert_eq!(parked(&server), 2, "it is parked still");
    let reply = envs[0].step("print(', now')").await.unwrap();
    assert_eq!(
        (reply.stdout(), reply.stderr()),
        ("late out, now\n", "late err")
    );
}

#[tokio::test]
async fn a_parked_episode_that_is_closed_or_dies_leaves_nothing() {
    let server = Server::start(&["--warm-workers", "1"]);
    let mut envs = episodes(&server, 3).await;
    let pid = worker_of(&server, &mut envs[1]).await;
    wait_until("all are parked", || parked(&server) == 6);
    envs[0].close().await.unwrap();
    wait_until("one is left out", || parked(&server) == 4);
    kill(pid, "KILL");
    let begun = Instant::now();
    while envs[1].state().await.unwrap().status() != v1::EpisodeStatus::Lost {
        assert!(begun.elapsed() < PATIENCE, "nobody has noticed");
    }
    let error = envs[1].step("1").await.unwrap_err();
    assert_eq!(error.reason(), Some(&Reason::EpisodeLost), "{error}");
    wait_until("two are left out", || parked(&server) == 2);
    assert_eq!(envs[2].step("n").await.unwrap().result(), Some("2"));
    wait_until("it is parked again", || parked(&server) == 2);
}

#[tokio::test]
async fn a_dying_keeper_loses_the_episodes_that_it_kept_and_is_replaced() {
    let mut server = Server::start(&["--warm-workers", "1"]);
    server.expect_log("a keeper has gone");
    let mut envs = episodes(&server, 3).await;
    wait_until("all are parked", || parked(&server) == 6);
    let keeper = server.processes_named(KEEPER)[0];
    // One has its pipes back when the keeper dies.
    let pid = envs[0].step("import os\nos.getpid()").await.unwrap();
    let pid = pid.result().unwrap().to_owned();
    kill(keeper, "KILL");
    let line = server.wait_for_log("a keeper has gone");
    assert!(line.contains("\"episodes\":2"), "{line}");
    let reply = envs[0].step("n").await.unwrap();
    assert_eq!(reply.result(), Some("0"), "it lives on, as {pid}");
    for env in &mut envs[1..] {
        let error = env.step("n").await.unwrap_err();
        assert_eq!(error.reason(), Some(&Reason::EpisodeLost), "{error}");
        let state = env.state().await.unwrap();
        assert_eq!(state.status(), v1::EpisodeStatus::Lost);
        assert!(
            format!("{state:?}").contains("kept its output"),
            "{state:?}"
        );
        env.reset().await.unwrap();
        assert_eq!(env.step("6 * 7").await.unwrap().result(), Some("42"));
    }
    wait_until("a new keeper holds all", || parked(&server) == 6);
    assert_ne!(server.processes_named(KEEPER)[0], keeper);
    assert_eq!(envs[0].step("n").await.unwrap().result(), Some("0"));
}
