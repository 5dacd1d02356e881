//! Kill -9 in the middle of a fork, a rollback, an evaluation: all or none, a truthful reply, and nothing left behind.

use std::fs;
use std::time::{Duration, Instant};

use coding_env::client::{CodingEnv, Error, Options, Reason};
use coding_env::proto::v1::{Evaluation, Outcome};

use crate::crash::{expect_deaths, template, warden};
use crate::support::copies::{copying, prepared, run};
use crate::support::{
    PATIENCE, Server, command_line, is_running, kill, soak, wait_until, worker_of,
};

/// The parent of a process.
fn parent_of(pid: i32) -> Option<i32> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("PPid:"))?;
    line.trim().parse().ok()
}

/// Waits until a server has no episode, no checkpoint and no evaluation, and no process for one.
async fn is_empty(server: &Server, processes: usize) {
    let mut env = server.env().await;
    let settled = async {
        loop {
            let capacity = env.server_info().await.unwrap().capacity.unwrap();
            if (
                capacity.episodes,
                capacity.checkpoints,
                capacity.evaluations,
            ) == (0, 0, 0)
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, settled).await.unwrap();
    wait_until("only what was there at the start is left", || {
        count_processes(server) <= processes
    });
}

/// The processes of a server, without keepers, which stay.
fn count_processes(server: &Server) -> usize {
    let processes = server.processes().into_iter();
    processes
        .filter(|pid| !command_line(*pid).contains("coding-env-keeper"))
        .count()
}

/// An environment of its own that does not try again for long.
async fn impatient(server: &Server) -> CodingEnv {
    let mut options = Options::default();
    options.deadline = Duration::from_secs(20);
    CodingEnv::connect_with(&server.url(), options)
        .await
        .unwrap()
}

/// What may be told of an episode whose processes were killed.
fn is_truthful(error: &Error) -> bool {
    matches!(
        error.reason(),
        Some(Reason::EpisodeLost | Reason::ForkFailed | Reason::CheckpointNotFound)
    )
}

#[tokio::test]
async fn a_parent_or_its_reaper_that_is_killed_meanwhile_leaves_all_children_or_none() {
    let Some(mut server) = copying(&["--warm-workers", "1"]).await else {
        return;
    };
    expect_deaths(&mut server);
    // What the warden says of one that was killed while it was taken over.
    server.expect_log("a copy:");
    let processes = settled_processes(&server).await;
    for round in 0..soak(12) {
        let kills_reaper = round % 3 == 2;
        let mut env = impatient(&server).await;
        env.reset().await.unwrap();
        run(&mut env, "import os\nblob = bytearray(20_000_000)\nn = 7").await;
        let worker = worker_of(&server, &mut env).await;
        let victim = if kills_reaper {
            parent_of(worker).unwrap()
        } else {
            worker
        };
        let after = Duration::from_millis(round as u64 % 9);
        let killing = tokio::spawn(async move {
            tokio::time::sleep(after).await;
            kill(victim, "KILL");
        });
        let forked = env.fork(6).await;
        killing.await.unwrap();
        match forked {
            Ok(children) => {
                assert_eq!(children.len(), 6);
                for mut child in children {
                    match child.step("n").await {
                        Ok(reply) if reply.outcome() == Outcome::Completed => {
                            assert_eq!(reply.result(), Some("7"));
                        }
                        // With the reaper of its tree it has ended too.
                        Ok(reply) => assert!(kills_reaper && reply.done, "{reply:?}"),
                        Err(error) => assert!(kills_reaper && is_truthful(&error), "{error}"),
                    }
                    child.close().await.unwrap();
                }
            }
            Err(error) => assert!(is_truthful(&error), "{error}"),
        }
        env.close().await.unwrap();
        is_empty(&server, processes).await;
    }
}

/// The children of a process.
fn children_of(pid: i32) -> Vec<i32> {
    let path = format!("/proc/{pid}/task/{pid}/children");
    let text = fs::read_to_string(path).unwrap_or_default();
    text.split_whitespace()
        .filter_map(|pid| pid.parse().ok())
        .collect()
}

#[tokio::test]
async fn a_copy_that_is_killed_before_it_is_ready_is_missed_at_once() {
    let Some(mut server) = copying(&["--warm-workers", "1"]).await else {
        return;
    };
    expect_deaths(&mut server);
    server.expect_log("a copy");
    let processes = settled_processes(&server).await;
    for round in 0..soak(10) {
        let mut env = impatient(&server).await;
        env.reset().await.unwrap();
        run(&mut env, "blob = bytearray(50_000_000); n = 7").await;
        let worker = worker_of(&server, &mut env).await;
        let reaper = parent_of(worker).unwrap();
        let killing = tokio::task::spawn_blocking(move || {
            // The first that comes. A copy takes no longer than the pause between two looks of `wait_until`.
            let begun = Instant::now();
            let victim = loop {
                assert!(begun.elapsed() < PATIENCE, "no copy came");
                let mut children = children_of(reaper).into_iter();
                if let Some(victim) = children.find(|pid| *pid != worker) {
                    break victim;
                }
            };
            // Some looks later each time, which is where else in its making it is.
            for _ in 0..10 * round {
                children_of(reaper);
            }
            kill(victim, "KILL");
        });
        // Far less than the patience that the server has with a copy that lives: an impatient client would have given up.
        match env.fork(4).await {
            Ok(children) => {
                for mut child in children {
                    child.close().await.unwrap();
                }
            }
            Err(error) => assert_eq!(error.reason(), Some(&Reason::ForkFailed), "{error}"),
        }
        killing.await.unwrap();
        // The parent goes on.
        assert_eq!(run(&mut env, "n").await, "7");
        env.close().await.unwrap();
        is_empty(&server, processes).await;
    }
}

/// How many processes a server has with its pool full.
async fn settled_processes(server: &Server) -> usize {
    let mut env = server.env().await;
    let warm = async {
        loop {
            let info = env.server_info().await.unwrap();
            if info.runtimes[0].warm_workers >= 1 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, warm).await.unwrap();
    count_processes(server)
}

#[tokio::test]
async fn rollbacks_and_evaluations_whose_processes_are_killed_tell_the_truth() {
    let Some(mut server) = copying(&["--warm-workers", "1"]).await else {
        return;
    };
    expect_deaths(&mut server);
    // What the warden says of one that was killed while it was taken over.
    server.expect_log("a copy:");
    let processes = settled_processes(&server).await;
    for round in 0..soak(8) {
        let mut env = impatient(&server).await;
        env.reset().await.unwrap();
        run(&mut env, "n = 1").await;
        env.checkpoint("c").await.unwrap();
        let worker = worker_of(&server, &mut env).await;
        let after = Duration::from_millis(round as u64 % 5);
        let killing = tokio::spawn(async move {
            tokio::time::sleep(after).await;
            kill(worker, "KILL");
        });
        if round % 2 == 0 {
            // The checkpoint is a process of its own: the episode comes back, whenever the other one ends.
            env.rollback("c").await.unwrap();
            killing.await.unwrap();
            assert_eq!(run(&mut env, "n").await, "1");
        } else {
            let evaluated = env.evaluate(Evaluation::of("print(n)").prints("1")).await;
            killing.await.unwrap();
            match evaluated {
                Ok(result) => assert_eq!(result.score, Some(1.0), "{result:?}"),
                Err(error) => assert!(is_truthful(&error), "{error}"),
            }
            wait_until("the interpreter has ended", || !is_running(worker));
            env.rollback("c").await.unwrap();
            assert_eq!(run(&mut env, "n").await, "1");
        }
        env.close().await.unwrap();
        is_empty(&server, processes).await;
    }
}

#[tokio::test]
async fn episodes_are_copied_while_their_template_is_killed_and_replaced() {
    let Some(mut server) = copying(&["--warm-workers", "1"]).await else {
        return;
    };
    expect_deaths(&mut server);
    // What the warden says of one that was killed while it was taken over.
    server.expect_log("a copy:");
    server.expect_log("a template could not be replaced");
    let mut env = prepared(&server, "n = 0").await;
    for round in 0..4 {
        let old = template(&server);
        if let Some(old) = old {
            kill(old, "KILL");
        }
        let mut child = env.fork(3).await.unwrap().pop().unwrap();
        run(&mut child, "n += 1").await;
        env.close().await.unwrap();
        env = child;
        assert_eq!(run(&mut env, "n").await, (round + 1).to_string());
        wait_until("there is another template", || {
            template(&server).is_some_and(|new| Some(new) != old)
        });
    }
}

#[tokio::test]
async fn a_warden_that_is_killed_meanwhile_ends_the_server_and_all_copies() {
    let Some(mut server) = copying(&["--warm-workers", "1"]).await else {
        return;
    };
    server.expect_log("");
    let mut env = prepared(&server, "n = 1").await;
    env.checkpoint("c").await.unwrap();
    let children = env.fork(4).await.unwrap();
    let processes = server.processes();
    let victim = warden(&server);
    let forking = tokio::spawn(async move {
        let mut made = 0;
        while let Ok(Ok(children)) = tokio::time::timeout(Duration::from_secs(3), env.fork(4)).await
        {
            made += children.len();
        }
        made
    });
    tokio::time::sleep(Duration::from_millis(20)).await;
    kill(victim, "KILL");
    let status = server.wait();
    assert_eq!(status.code(), Some(1));
    forking.abort();
    drop(children);
    wait_until("nothing of it is left", || {
        processes.iter().all(|pid| !is_running(*pid))
    });
}
