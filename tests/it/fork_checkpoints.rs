//! Checkpoints, rollback, and steps that are rolled back when they fail.

use std::time::Duration;

use coding_env::client::{CodingEnv, Error, Reason, ResetOptions, StepOptions};
use coding_env::proto::v1::{self, OnFailure, OnFull, Outcome, StateAfter};
use tonic::Code;
use tonic_types::StatusExt as _;

use crate::refusals::{refused, reset_request, step_request};
use crate::support::copies::{copying, prepared, run};
use crate::support::{Server, may_lack, soak};

fn reason(error: &Error) -> &Reason {
    error.reason().unwrap_or_else(|| panic!("{error}"))
}

async fn names(env: &CodingEnv) -> Vec<String> {
    let checkpoints = env.checkpoints().await.unwrap();
    checkpoints.into_iter().map(|one| one.name).collect()
}

#[tokio::test]
async fn an_episode_can_be_put_back_any_number_of_times() {
    let Some(server) = copying(&[]).await else {
        return;
    };
    let mut env = prepared(&server, "n = 1\nopen('f', 'w').write('one')").await;
    let made = env.checkpoint("one").await.unwrap();
    assert!(made.created && made.dropped.is_empty());
    let checkpoint = made.checkpoint.unwrap();
    assert_eq!(
        (checkpoint.name.as_str(), checkpoint.step_count),
        ("one", 1)
    );
    assert_eq!(made.state.unwrap().step_count, 1);
    for at in 2..5 {
        run(
            &mut env,
            &format!("n = {at}; open('f', 'w').write('{at}'); open('g{at}', 'w').close()"),
        )
        .await;
        let rolled_back = env.rollback("one").await.unwrap();
        // Indexes are never used twice.
        assert_eq!(rolled_back.state.unwrap().step_count, 2 * at - 2);
        assert_eq!(rolled_back.checkpoint.unwrap().name, "one");
        let seen = run(&mut env, "import os\nn, open('f').read(), os.listdir()").await;
        assert_eq!(seen, "(1, 'one', ['f'])");
    }
    assert_eq!(env.state().await.unwrap().state.unwrap().step_count, 7);
    // The calls that move files see what is there now.
    let found = env.files().unwrap().read(&["f"]).await.unwrap();
    assert_eq!(found.values().next().unwrap(), b"one");
}

#[tokio::test]
async fn a_lost_episode_is_brought_back() {
    let Some(server) = copying(&[]).await else {
        return;
    };
    let mut env = prepared(&server, "import os\nn = 1").await;
    env.checkpoint("good").await.unwrap();
    let reply = env.step("os._exit(1)").await.unwrap();
    assert!(reply.done);
    let error = env.step("n").await.unwrap_err();
    assert_eq!(*reason(&error), Reason::EpisodeLost);
    let error = env.checkpoint("bad").await.unwrap_err();
    assert_eq!(*reason(&error), Reason::EpisodeLost);
    assert_eq!(names(&env).await, ["good"]);
    env.rollback("good").await.unwrap();
    let state = env.state().await.unwrap();
    assert_eq!(state.status(), v1::EpisodeStatus::Idle);
    assert_eq!(state.loss, None);
    assert_eq!(run(&mut env, "n").await, "1");
}

#[tokio::test]
async fn checkpoints_are_listed_dropped_and_told_apart_by_their_names() {
    let Some(server) = copying(&[]).await else {
        return;
    };
    let mut env = prepared(&server, "n = 1").await;
    env.checkpoint("a").await.unwrap();
    // Nothing has run since: a retry.
    let again = env.checkpoint("a").await.unwrap();
    assert!(!again.created);
    run(&mut env, "n = 2").await;
    let error = env.checkpoint("a").await.unwrap_err();
    assert_eq!(*reason(&error), Reason::CheckpointExists, "{error}");
    env.checkpoint("b").await.unwrap();
    // Being put back is a change too, although no step has run.
    env.rollback("a").await.unwrap();
    let error = env.checkpoint("b").await.unwrap_err();
    assert_eq!(*reason(&error), Reason::CheckpointExists, "{error}");
    assert_eq!(names(&env).await, ["a", "b"]);
    let listed = env.checkpoints().await.unwrap();
    for one in &listed {
        assert!(one.private_bytes.is_some_and(|bytes| bytes > 0), "{one:?}");
        assert!(one.create_time.is_some());
    }
    assert!(env.drop_checkpoint("a").await.unwrap());
    assert!(!env.drop_checkpoint("a").await.unwrap());
    let error = env.rollback("a").await.unwrap_err();
    assert_eq!(*reason(&error), Reason::CheckpointNotFound, "{error}");
    assert_eq!(
        run(&mut env, "n").await,
        "1",
        "a refused rollback changes nothing"
    );
    env.rollback("b").await.unwrap();
    assert_eq!(run(&mut env, "n").await, "2");
    // A child has none of its parent's.
    let child = env.fork(1).await.unwrap().pop().unwrap();
    assert!(names(&child).await.is_empty());
}

#[tokio::test]
async fn budgets_refuse_or_drop_the_oldest_as_asked() {
    let flags = ["--max-checkpoints", "2", "--max-server-checkpoints", "3"];
    let Some(server) = copying(&flags).await else {
        return;
    };
    let limit = |error: Error| match error {
        Error::Refused(refusal) if refusal.reason == Reason::CheckpointLimit => {
            assert_eq!(refusal.code, Code::ResourceExhausted);
            assert_eq!(refusal.metadata["maximum"], refusal.metadata["used"]);
            refusal.metadata["limit"].clone()
        }
        error => panic!("{error}"),
    };
    let one = prepared(&server, "n = 1").await;
    for name in ["a", "b"] {
        one.checkpoint(name).await.unwrap();
    }
    assert_eq!(limit(one.checkpoint("c").await.unwrap_err()), "checkpoints");
    assert_eq!(names(&one).await, ["a", "b"]);
    let made = one.checkpoint_with("c", OnFull::DropOldest).await.unwrap();
    assert_eq!(made.dropped, ["a"]);
    assert_eq!(names(&one).await, ["b", "c"]);
    let mut other = prepared(&server, "n = 1").await;
    other.checkpoint("a").await.unwrap();
    assert_eq!(
        limit(other.checkpoint("b").await.unwrap_err()),
        "server_checkpoints"
    );
    // Of its own only.
    let made = other
        .checkpoint_with("b", OnFull::DropOldest)
        .await
        .unwrap();
    assert_eq!(made.dropped, ["a"]);
    let info = other.server_info().await.unwrap();
    assert_eq!(info.capacity.unwrap().checkpoints, 3);
    // They go with their episode.
    other.close().await.unwrap();
    assert_eq!(count(&server).await, 2);
    one.drop_checkpoint("b").await.unwrap();
    one.checkpoint("d").await.unwrap();
}

/// How many checkpoints there are on a server.
async fn count(server: &Server) -> u32 {
    let info = server.env().await.server_info().await.unwrap();
    info.capacity.unwrap().checkpoints
}

#[tokio::test]
async fn a_budget_of_memory_is_held_and_checkpoints_take_places() {
    let flags = ["--max-checkpoint-bytes", "20000000"];
    let Some(server) = copying(&flags).await else {
        return;
    };
    let mut env = prepared(&server, "blob = b'x' * 40_000_000").await;
    env.checkpoint("large").await.unwrap();
    // What it has in common with the episode is not its own, until the episode changes it.
    env.checkpoint("cheap").await.ok();
    run(&mut env, "blob = None").await;
    let error = env.checkpoint("more").await.unwrap_err();
    assert_eq!(*reason(&error), Reason::CheckpointLimit, "{error}");
    let made = env
        .checkpoint_with("more", OnFull::DropOldest)
        .await
        .unwrap();
    assert!(made.dropped.contains(&"large".to_owned()), "{made:?}");
    env.close().await.unwrap();
    drop(server);

    let Some(server) = copying(&["--max-episodes", "3"]).await else {
        return;
    };
    let env = prepared(&server, "n = 1").await;
    env.checkpoint("a").await.unwrap();
    env.checkpoint("b").await.unwrap();
    let mut client = server.raw().await;
    let status = client.reset(reset_request("more")).await.unwrap_err();
    refused(&status, Code::ResourceExhausted, "EPISODE_LIMIT");
    env.drop_checkpoint("a").await.unwrap();
    client.reset(reset_request("more")).await.unwrap();
}

#[tokio::test]
async fn a_late_retry_of_a_rollback_does_not_undo_what_came_after() {
    let Some(server) = copying(&[]).await else {
        return;
    };
    let mut client = server.raw().await;
    client.reset(reset_request("e")).await.unwrap();
    client.step(step_request("e", "n = 1")).await.unwrap();
    let checkpoint = v1::CheckpointRequest {
        episode_id: "e".to_owned(),
        name: "c".to_owned(),
        ..Default::default()
    };
    client.checkpoint(checkpoint.clone()).await.unwrap();
    let rollback = v1::RollbackRequest {
        episode_id: "e".to_owned(),
        name: "c".to_owned(),
        step_index: Some(1),
        ..Default::default()
    };
    for _ in 0..2 {
        client.rollback(rollback.clone()).await.unwrap();
    }
    client.step(step_request("e", "n = 2")).await.unwrap();
    let status = client.rollback(rollback).await.unwrap_err();
    let metadata = refused(&status, Code::FailedPrecondition, "STEP_OUT_OF_ORDER");
    assert_eq!(metadata["expected"], "2");
    for (name, on_full, field) in [("a/b", 0, "name"), ("x", 9, "on_full")] {
        let request = v1::CheckpointRequest {
            name: name.to_owned(),
            on_full,
            ..checkpoint.clone()
        };
        let status = client.checkpoint(request).await.unwrap_err();
        let metadata = refused(&status, Code::InvalidArgument, "INVALID_FIELD");
        assert_eq!(metadata["fields"], field);
    }
    let unnamed = v1::RollbackRequest {
        episode_id: "e".to_owned(),
        ..Default::default()
    };
    let status = client.rollback(unnamed).await.unwrap_err();
    refused(&status, Code::InvalidArgument, "INVALID_FIELD");
    assert!(status.get_error_details().bad_request().is_some());
    // A name is made where none is given.
    let unnamed = v1::CheckpointRequest {
        name: String::new(),
        ..checkpoint
    };
    let made = client.checkpoint(unnamed).await.unwrap().into_inner();
    assert!(made.checkpoint.unwrap().name.len() > 30);
}

#[tokio::test]
async fn the_random_state_is_put_back_with_the_rest() {
    let Some(server) = copying(&[]).await else {
        return;
    };
    let mut env = prepared(&server, "import random").await;
    env.checkpoint("c").await.unwrap();
    let mut drawn = Vec::new();
    for _ in 0..3 {
        drawn.push(run(&mut env, "random.random()").await);
        env.rollback("c").await.unwrap();
    }
    assert_eq!(drawn[0], drawn[1]);
    assert_eq!(drawn[1], drawn[2]);
}

/// A step of a program that changes heap and files, differently each time.
fn change(at: usize) -> String {
    format!(
        "trail.append({at})
data[{at} % 7] = trail[-3:]
if len(data) > 5:
    del data[min(data)]
open('f%d' % ({at} % 5), 'a').write('{at},')
if {at} % 11 == 0:
    os.remove('f%d' % ({at} % 5))"
    )
}

const BEGIN: &str = "import os\ntrail, data = [], {}";
const SEEN: &str = "trail, data, {name: open(name).read() for name in sorted(os.listdir())}";

#[tokio::test]
async fn each_step_of_a_long_episode_can_be_gone_back_to_and_is_as_a_fresh_replay() {
    let Some(server) = copying(&[]).await else {
        return;
    };
    let steps = if crate::support::is_full() {
        200
    } else {
        soak(24)
    };
    let mut env = prepared(&server, BEGIN).await;
    let mut fresh = prepared(&server, BEGIN).await;
    let mut expected = Vec::new();
    for at in 0..steps {
        run(&mut env, &change(at)).await;
        run(&mut fresh, &change(at)).await;
        env.checkpoint(format!("c{at}")).await.unwrap();
        expected.push(run(&mut fresh, SEEN).await);
    }
    // Back and forth, in an order that is no order.
    let mut at = 7 % steps;
    for _ in 0..steps {
        at = (at * 31 + 17) % steps;
        env.rollback(format!("c{at}")).await.unwrap();
        assert_eq!(run(&mut env, SEEN).await, expected[at], "step {at}");
        // What is done after it is of no other.
        run(
            &mut env,
            "trail.clear(); data.clear(); [os.remove(name) for name in os.listdir()]",
        )
        .await;
    }
    env.close().await.unwrap();
    assert_eq!(count(&server).await, 0);
}

fn rolls_back() -> StepOptions {
    let mut options = StepOptions::default();
    options.on_failure = OnFailure::RollBack;
    options
}

#[tokio::test]
async fn a_step_that_fails_leaves_the_episode_as_before_whatever_it_did() {
    let Some(server) = copying(&["--interrupt-grace", "300ms"]).await else {
        return;
    };
    let mut env = prepared(
        &server,
        "import os, signal, time\nn = 1\nopen('f', 'w').write('one')",
    )
    .await;
    let spoil = "n = 2; open('f', 'w').write('two'); open('g', 'w').close(); print('told')\n";
    let endless = "while True:\n    try: time.sleep(1)\n    except BaseException: pass";
    let rows = [
        ("raise ValueError('x')", Outcome::Raised, 1),
        ("os._exit(3)", Outcome::Killed, 3),
        ("os.kill(os.getpid(), signal.SIGSEGV)", Outcome::Killed, 139),
        ("time.sleep(60)", Outcome::TimedOut, 124),
        (endless, Outcome::TimedOut, 124),
        (
            "os.write(3, b'forged'); os.close(3)",
            Outcome::ProtocolViolation,
            1,
        ),
    ];
    for (index, (code, outcome, exit_code)) in rows.into_iter().enumerate() {
        let mut options = rolls_back();
        options.timeout = Some(Duration::from_millis(700));
        let reply = env
            .step_with(format!("{spoil}{code}"), options)
            .await
            .unwrap();
        if outcome == Outcome::ProtocolViolation {
            // Which descriptor it is the program has to guess; what matters is that the episode lives.
            assert_ne!(reply.outcome(), Outcome::Completed, "{reply:?}");
        } else {
            assert_eq!(
                (reply.outcome(), reply.exit_code()),
                (outcome, exit_code),
                "{code}"
            );
        }
        assert_eq!(reply.state_after(), StateAfter::RolledBack, "{code}");
        assert!(!reply.done, "{code}");
        assert_eq!(reply.stdout(), "told\n", "what was printed is told");
        let seen = run(&mut env, "n, open('f').read(), os.listdir()").await;
        assert_eq!(seen, "(1, 'one', ['f'])", "{code}");
        let state = env.state().await.unwrap().state.unwrap();
        assert_eq!(state.step_count as usize, 3 + 2 * index);
    }
    // One that succeeds stays, and so does `exit()`, which is no failure.
    for code in ["n = 5", "n = 6; exit(1)"] {
        let reply = env.step_with(code, rolls_back()).await.unwrap();
        assert_eq!(reply.state_after(), StateAfter::Intact, "{code}");
    }
    assert_eq!(run(&mut env, "n").await, "6");
}

#[tokio::test]
async fn which_outcomes_are_failures_can_be_said() {
    let Some(server) = copying(&[]).await else {
        return;
    };
    let mut env = prepared(&server, "n = 1").await;
    let mut options = rolls_back();
    options.roll_back_outcomes = vec![Outcome::Exited, Outcome::Completed];
    for (code, after, n) in [
        ("n = 2; raise ValueError", StateAfter::Intact, "2"),
        ("n = 3; exit()", StateAfter::RolledBack, "2"),
        ("n = 4", StateAfter::RolledBack, "2"),
    ] {
        let reply = env.step_with(code, options.clone()).await.unwrap();
        assert_eq!(reply.state_after(), after, "{code}");
        assert_eq!(run(&mut env, "n").await, n, "{code}");
    }
    let mut client = server.raw().await;
    client.reset(reset_request("e")).await.unwrap();
    for (on_failure, outcomes, field) in [
        (9, vec![], "on_failure"),
        (2, vec![0], "roll_back_outcomes[0]"),
        (2, vec![1, 99], "roll_back_outcomes[1]"),
    ] {
        let request = v1::StepRequest {
            on_failure,
            roll_back_outcomes: outcomes,
            ..step_request("e", "1")
        };
        let status = client.step(request).await.unwrap_err();
        let metadata = refused(&status, Code::InvalidArgument, "INVALID_FIELD");
        assert_eq!(metadata["fields"], field);
    }
}

#[tokio::test]
async fn a_step_that_could_not_be_rolled_back_does_not_run() {
    let Some(server) = copying(&[]).await else {
        return;
    };
    let begin = "import threading\nover = threading.Event()\nthread = threading.Thread(target=over.wait)\nthread.start()\nn = 1";
    let mut env = prepared(&server, begin).await;
    let error = env.step_with("n = 2", rolls_back()).await.unwrap_err();
    assert_eq!(*reason(&error), Reason::ForkUnsupported, "{error}");
    assert_eq!(env.state().await.unwrap().state.unwrap().step_count, 1);
    assert_eq!(run(&mut env, "n").await, "1");
    run(&mut env, "over.set(); thread.join()").await;
    env.step_with("n = 3", rolls_back()).await.unwrap();
    assert_eq!(run(&mut env, "n").await, "3");
}

#[tokio::test]
async fn a_server_can_roll_back_whatever_does_not_say_otherwise() {
    let Some(server) = copying(&["--on-failure", "roll-back"]).await else {
        return;
    };
    let mut env = prepared(&server, "import os\nn = 1").await;
    let info = env.server_info().await.unwrap();
    let limits = info.server_limits.unwrap().forks.unwrap();
    assert_eq!(limits.on_failure(), OnFailure::RollBack);
    let reply = env.step("n = 2; os.abort()").await.unwrap();
    assert_eq!(reply.state_after(), StateAfter::RolledBack);
    assert_eq!(run(&mut env, "n").await, "1");
    let mut keep = StepOptions::default();
    keep.on_failure = OnFailure::Keep;
    let reply = env.step_with("n = 2; 1 / 0", keep.clone()).await.unwrap();
    assert_eq!(reply.state_after(), StateAfter::Intact);
    assert_eq!(run(&mut env, "n").await, "2");
    let reply = env.step_with("os.abort()", keep).await.unwrap();
    assert_eq!(reply.state_after(), StateAfter::Lost);
}

#[tokio::test]
async fn a_retry_of_a_step_that_was_rolled_back_gets_its_reply() {
    let Some(server) = copying(&[]).await else {
        return;
    };
    let mut client = server.raw().await;
    client.reset(reset_request("e")).await.unwrap();
    let request = v1::StepRequest {
        step_index: Some(0),
        on_failure: OnFailure::RollBack.into(),
        ..step_request("e", "print('once'); 1/0")
    };
    let first = client.step(request.clone()).await.unwrap().into_inner();
    assert_eq!(first.state_after(), StateAfter::RolledBack);
    let again = client.step(request).await.unwrap().into_inner();
    assert!(again.replayed);
    assert_eq!(again.state_after(), StateAfter::RolledBack);
    assert_eq!(again.stdout(), "once\n");
    assert_eq!(again.state, first.state);
}

/// The kernel kills the interpreter, which has a control group of its own; the copy that takes its place has another.
#[tokio::test]
async fn a_step_that_takes_too_much_memory_is_rolled_back() {
    let Some(server) = copying(&[]).await else {
        return;
    };
    let mut env = server.env().await;
    let limits = env.server_info().await.unwrap().max_limits.unwrap();
    if limits.total_memory_bytes.is_none() {
        return may_lack("the limit total_memory_bytes");
    }
    let mut options = ResetOptions::default();
    options.limits = Some(v1::Limits {
        total_memory_bytes: Some(128 << 20),
        ..v1::Limits::default()
    });
    env.reset_with(options).await.unwrap();
    run(&mut env, "n = 1; _ = open('f', 'w').write('one')").await;
    // Twice: the first copy of the copy is bounded too.
    for _ in 0..2 {
        let spoil = "n = 2; open('f', 'w').write('two'); print('told', flush=True)\nlen(b'x' * (512 << 20))";
        let reply = env.step_with(spoil, rolls_back()).await.unwrap();
        assert_eq!(
            (reply.outcome(), reply.state_after(), reply.stdout()),
            (Outcome::LimitExceeded, StateAfter::RolledBack, "told\n"),
            "{reply:?}"
        );
        let observed = reply.observed.unwrap();
        assert_eq!(observed.limit(), v1::LimitKind::Memory);
        assert_eq!(run(&mut env, "n, open('f').read()").await, "(1, 'one')");
        // What fits still does.
        assert_eq!(run(&mut env, "len(b'x' * (32 << 20))").await, "33554432");
    }
}
