//! Fork: children that go on from where their parent is, by the rules of the contract.

use std::collections::HashSet;

use coding_env::client::{CodingEnv, ForkOptions, Reason, ResetOptions, reseed_code};
use coding_env::proto::v1::coding_env_client::CodingEnvClient;
use coding_env::proto::v1::{self, ForkRequest, ForkResponse, Limits, RandomState, StepRequest};
use tonic::transport::Channel;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::refusals::{close_request, refused, reset_request, running, step_request};
use crate::support::copies::{copying, prepared, run};
use crate::support::{Server, state_request};

type Client = CodingEnvClient<Channel>;

fn ids(prefix: &str, count: usize) -> Vec<String> {
    (0..count).map(|at| format!("{prefix}-{at}")).collect()
}

fn fork_request(parent: &str, child_ids: &[String]) -> ForkRequest {
    ForkRequest {
        episode_id: parent.to_owned(),
        child_ids: child_ids.to_vec(),
        ..ForkRequest::default()
    }
}

async fn fork(client: &mut Client, request: ForkRequest) -> Result<ForkResponse, Status> {
    client.fork(request).await.map(tonic::Response::into_inner)
}

/// A parent that has run `code` as its only step.
async fn parent(client: &mut Client, id: &str, code: &str) {
    client.reset(reset_request(id)).await.unwrap();
    client.step(step_request(id, code)).await.unwrap();
}

async fn value(client: &mut Client, id: &str, code: &str) -> String {
    let reply = client.step(step_request(id, code)).await.unwrap();
    let observation = reply.into_inner().observation.unwrap();
    assert_eq!(observation.exit_code, 0, "{observation:?}");
    observation.result.unwrap_or_default()
}

async fn live(client: &mut Client) -> u32 {
    let info = client.get_server_info(v1::GetServerInfoRequest {}).await;
    info.unwrap().into_inner().capacity.unwrap().episodes
}

#[tokio::test]
async fn children_go_on_from_where_their_parent_is_and_nobody_sees_what_another_does() {
    let Some(server) = copying(&[]).await else {
        return;
    };
    let mut env = prepared(&server, "trail = ['parent']").await;
    let mut children = env.fork(5).await.unwrap();
    assert_eq!(children.len(), 5);
    for (at, child) in children.iter_mut().enumerate() {
        run(child, &format!("trail.append({at})")).await;
    }
    run(&mut env, "trail.append('after')").await;
    for (at, child) in children.iter_mut().enumerate() {
        assert_eq!(run(child, "trail").await, format!("['parent', {at}]"));
    }
    assert_eq!(run(&mut env, "trail").await, "['parent', 'after']");
    // The end of the parent is none of theirs, nor that of a sibling.
    env.close().await.unwrap();
    children.pop().unwrap().close().await.unwrap();
    for (at, child) in children.iter_mut().enumerate() {
        assert_eq!(run(child, "trail").await, format!("['parent', {at}]"));
        child.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_child_tells_where_it_comes_from_and_counts_on() {
    let Some(server) = copying(&[]).await else {
        return;
    };
    let mut client = server.raw().await;
    parent(&mut client, "p", "raise SystemExit(3)").await;
    client.step(step_request("p", "1/0")).await.unwrap();
    let children = ids("c", 2);
    let response = fork(&mut client, fork_request("p", &children))
        .await
        .unwrap();
    assert_eq!(response.server_id, "test");
    let state = |id: &str| {
        Some(v1::CodeState {
            episode_id: id.to_owned(),
            step_count: 2,
            last_exit_code: 1,
        })
    };
    assert_eq!(response.parent, state("p"));
    for (child, id) in response.children.iter().zip(&children) {
        assert_eq!((&child.episode_id, &child.state), (id, &state(id)));
        assert_eq!(child.error, None);
        let view = client
            .get_state(state_request(id))
            .await
            .unwrap()
            .into_inner();
        assert_eq!(view.state, state(id));
        assert_eq!(view.status(), v1::EpisodeStatus::Idle);
        assert_eq!(view.limits, child.limits);
        let origin = view.fork.unwrap();
        assert_eq!(
            (
                origin.parent_episode_id.as_str(),
                origin.step_count,
                origin.depth
            ),
            ("p", 2, 1)
        );
        // What ran in the parent did run, and is not told again; the next index is the parent's next.
        let early = StepRequest {
            step_index: Some(1),
            ..step_request(id, "1/0")
        };
        let status = client.step(early).await.unwrap_err();
        refused(&status, Code::FailedPrecondition, "STEP_REPLY_DROPPED");
        let next = StepRequest {
            step_index: Some(2),
            ..step_request(id, "raise ValueError")
        };
        let reply = client.step(next).await.unwrap().into_inner();
        assert_eq!(reply.step_index, 2);
        let stderr = reply.observation.unwrap().stderr;
        assert!(stderr.contains("<step 3>"), "{stderr}");
    }
    let grandchild = ids("g", 1);
    fork(&mut client, fork_request("c-0", &grandchild))
        .await
        .unwrap();
    let view = client
        .get_state(state_request("g-0"))
        .await
        .unwrap()
        .into_inner();
    let origin = view.fork.unwrap();
    assert_eq!(
        (
            origin.parent_episode_id.as_str(),
            origin.step_count,
            origin.depth
        ),
        ("c-0", 3, 2)
    );
}

#[tokio::test]
async fn a_fork_waits_for_the_steps_before_it_and_those_after_wait_for_it() {
    let Some(server) = copying(&[]).await else {
        return;
    };
    let mut client = server.raw().await;
    parent(&mut client, "p", "import time\nn = 1").await;
    let step = running(&client, "p", "time.sleep(0.5)\nn = 2").await;
    let mut forking = client.clone();
    let asked = ForkRequest {
        step_index: Some(2),
        ..fork_request("p", &ids("c", 1))
    };
    let fork = tokio::spawn(async move { fork(&mut forking, asked).await });
    // The next step comes after the fork, whenever that is granted.
    let after = StepRequest {
        step_index: Some(2),
        ..step_request("p", "n = 3")
    };
    let response = fork.await.unwrap().unwrap();
    client.step(after).await.unwrap();
    step.await.unwrap().unwrap();
    assert_eq!(response.parent.unwrap().step_count, 2);
    assert_eq!(value(&mut client, "c-0", "n").await, "2");
    assert_eq!(value(&mut client, "p", "n").await, "3");
}

#[tokio::test]
async fn a_retry_gets_the_same_children_and_makes_no_more() {
    let Some(server) = copying(&[]).await else {
        return;
    };
    let mut client = server.raw().await;
    parent(&mut client, "p", "n = 1").await;
    let children = ids("c", 3);
    let request = ForkRequest {
        step_index: Some(1),
        ..fork_request("p", &children)
    };
    // At once, as when a proxy sends it twice.
    let tries = (0..4).map(|_| {
        let (mut client, request) = (client.clone(), request.clone());
        tokio::spawn(async move { fork(&mut client, request).await })
    });
    let mut answers = Vec::new();
    for one in tries.collect::<Vec<_>>() {
        answers.push(one.await.unwrap().unwrap());
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    assert_eq!(live(&mut client).await, 4);
    // Later, when both sides have gone on, and when the parent has ended.
    value(&mut client, "c-0", "n = 2").await;
    value(&mut client, "p", "n = 3").await;
    assert_eq!(
        fork(&mut client, request.clone()).await.unwrap(),
        answers[0]
    );
    client.close(close_request("p")).await.unwrap();
    assert_eq!(
        fork(&mut client, request.clone()).await.unwrap(),
        answers[0]
    );
    assert_eq!(value(&mut client, "c-0", "n").await, "2", "it is as it was");
    // A child that has ended is not made again.
    client.close(close_request("c-1")).await.unwrap();
    let status = fork(&mut client, request).await.unwrap_err();
    refused(&status, Code::NotFound, "EPISODE_CLOSED");
    assert_eq!(live(&mut client).await, 2);
}

#[tokio::test]
async fn the_ids_of_others_are_refused_and_then_nothing_is_made() {
    let Some(server) = copying(&[]).await else {
        return;
    };
    let mut client = server.raw().await;
    for id in ["p", "q", "taken"] {
        parent(&mut client, id, "1").await;
    }
    client.reset(reset_request("ended")).await.unwrap();
    client.close(close_request("ended")).await.unwrap();
    fork(&mut client, fork_request("p", &ids("c", 2)))
        .await
        .unwrap();
    let before = live(&mut client).await;
    let other_wishes = ForkRequest {
        random: RandomState::Inherit.into(),
        ..fork_request("p", &ids("c", 2))
    };
    let mut with_ended = ids("d", 2);
    with_ended.push("ended".to_owned());
    let mut with_taken = ids("d", 2);
    with_taken.push("taken".to_owned());
    for request in [
        fork_request("q", &ids("c", 2)),
        fork_request("p", &ids("c", 3)),
        fork_request("p", &ids("c", 1)),
        other_wishes,
        fork_request("p", &with_ended),
        fork_request("p", &with_taken),
    ] {
        let status = fork(&mut client, request).await.unwrap_err();
        refused(&status, Code::AlreadyExists, "EPISODE_EXISTS");
        assert_eq!(live(&mut client).await, before);
    }
    // The ids that were refused with others are free.
    fork(&mut client, fork_request("p", &ids("d", 2)))
        .await
        .unwrap();
}

#[tokio::test]
async fn children_count_as_episodes_and_all_are_made_or_none() {
    let Some(server) = copying(&["--max-episodes", "4"]).await else {
        return;
    };
    let mut client = server.raw().await;
    parent(&mut client, "p", "1").await;
    let status = fork(&mut client, fork_request("p", &ids("c", 4)))
        .await
        .unwrap_err();
    refused(&status, Code::ResourceExhausted, "EPISODE_LIMIT");
    assert_eq!(live(&mut client).await, 1);
    let partial = ForkRequest {
        allow_partial: true,
        ..fork_request("p", &ids("c", 5))
    };
    let response = fork(&mut client, partial.clone()).await.unwrap();
    let made: Vec<bool> = response
        .children
        .iter()
        .map(|child| child.error.is_none())
        .collect();
    assert_eq!(made, [true, true, true, false, false]);
    for child in &response.children[3..] {
        let error = child.error.as_ref().unwrap();
        assert_eq!(error.code, i32::from(Code::ResourceExhausted));
        assert!(!error.details.is_empty() && child.state.is_none());
    }
    // A retry makes no more, although there is room now.
    client.close(close_request("p")).await.unwrap();
    let retried = fork(&mut client, partial).await.unwrap();
    let made: Vec<bool> = retried
        .children
        .iter()
        .map(|child| child.error.is_none())
        .collect();
    assert_eq!(made, [true, true, true, false, false]);
    assert_eq!(live(&mut client).await, 3);
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_field_by_field() {
    let server = Server::start_open(&["--max-fork-children", "3"]);
    let mut client = server.raw().await;
    parent(&mut client, "p", "1").await;
    let count = |count| ForkRequest {
        episode_id: "p".to_owned(),
        count,
        ..ForkRequest::default()
    };
    let with = |child_ids: &[&str]| ForkRequest {
        child_ids: child_ids.iter().map(|id| (*id).to_owned()).collect(),
        ..count(0)
    };
    let rows = [
        (count(0), "count"),
        (count(4), "count"),
        (
            ForkRequest {
                count: 1,
                ..with(&["a"])
            },
            "count",
        ),
        (with(&["a", "b", "c", "d"]), "child_ids"),
        (with(&["a", "a"]), "child_ids[1]"),
        (with(&["p"]), "child_ids[0]"),
        (with(&[""]), "child_ids[0]"),
        (with(&["a/b"]), "child_ids[0]"),
        (
            ForkRequest {
                episode_id: String::new(),
                ..count(1)
            },
            "episode_id",
        ),
        (
            ForkRequest {
                random: 9,
                ..count(1)
            },
            "random",
        ),
        (
            ForkRequest {
                seeds: vec![1],
                ..count(2)
            },
            "seeds",
        ),
        (
            ForkRequest {
                seeds: vec![1],
                random: 1,
                ..count(1)
            },
            "random",
        ),
        (
            ForkRequest {
                limits: Some(Limits {
                    open_files: Some(1 << 30),
                    ..Limits::default()
                }),
                ..count(1)
            },
            "limits.open_files",
        ),
    ];
    for (request, field) in rows {
        let status = fork(&mut client, request.clone()).await.unwrap_err();
        let metadata = refused(&status, Code::InvalidArgument, "INVALID_FIELD");
        assert_eq!(metadata["fields"], field, "{request:?}");
    }
    let unknown = ForkRequest {
        episode_id: "nobody".to_owned(),
        ..count(1)
    };
    let status = fork(&mut client, unknown).await.unwrap_err();
    refused(&status, Code::NotFound, "EPISODE_NOT_FOUND");
    let early = ForkRequest {
        step_index: Some(0),
        ..count(1)
    };
    let status = fork(&mut client, early).await.unwrap_err();
    let metadata = refused(&status, Code::FailedPrecondition, "STEP_OUT_OF_ORDER");
    assert_eq!(metadata["expected"], "1");
    assert_eq!(live(&mut client).await, 1);
}

#[tokio::test]
async fn limits_of_children_can_be_lowered_below_their_parents() {
    let Some(server) = copying(&[]).await else {
        return;
    };
    let mut client = server.raw().await;
    parent(&mut client, "p", "import resource").await;
    let request = ForkRequest {
        limits: Some(Limits {
            open_files: Some(64),
            output_bytes: Some(2048),
            ..Limits::default()
        }),
        ..fork_request("p", &ids("c", 1))
    };
    let response = fork(&mut client, request).await.unwrap();
    let limits = response.children[0].limits.unwrap();
    assert_eq!(
        (limits.open_files, limits.output_bytes),
        (Some(64), Some(2048))
    );
    let code = "resource.getrlimit(resource.RLIMIT_NOFILE)[0]";
    assert_eq!(value(&mut client, "c-0", code).await, "64");
    assert_eq!(value(&mut client, "p", code).await, "1024");
    let reply = client.step(step_request("c-0", "print('x' * 4096)")).await;
    let observed = reply.unwrap().into_inner().observed.unwrap();
    assert!(observed.stdout_truncated);
    // A child's child starts from the child's.
    fork(&mut client, fork_request("c-0", &ids("g", 1)))
        .await
        .unwrap();
    assert_eq!(value(&mut client, "g-0", code).await, "64");
    let raised = ForkRequest {
        limits: Some(Limits {
            open_files: Some(65),
            ..Limits::default()
        }),
        ..fork_request("c-0", &ids("h", 1))
    };
    let status = fork(&mut client, raised).await.unwrap_err();
    refused(&status, Code::InvalidArgument, "INVALID_FIELD");
}

const NUMBERS: &str = "[random.random() for _ in range(3)]";

#[tokio::test]
async fn the_random_state_of_children_is_their_own_the_same_or_seeded() {
    let Some(server) = copying(&[]).await else {
        return;
    };
    let mut env = prepared(
        &server,
        "import random, os, uuid\nrandom.random()\nown = random.Random(7)",
    )
    .await;
    let mut drawn = async |options: ForkOptions, count: usize, code: &str| {
        let mut found = Vec::new();
        for mut child in env.fork_with(count, options).await.unwrap() {
            found.push(run(&mut child, code).await);
            child.close().await.unwrap();
        }
        found
    };
    let inherit = || {
        let mut options = ForkOptions::default();
        options.random = RandomState::Inherit;
        options
    };
    let seeded = |seeds: &[u64]| {
        let mut options = ForkOptions::default();
        options.seeds = seeds.to_vec();
        options
    };
    let distinct = |found: &[String]| found.iter().collect::<HashSet<_>>().len();
    let own = drawn(ForkOptions::default(), 4, NUMBERS).await;
    assert_eq!(distinct(&own), 4, "{own:?}");
    let same = drawn(inherit(), 3, NUMBERS).await;
    assert_eq!(distinct(&same), 1, "{same:?}");
    let seeds = drawn(seeded(&[5, 6, 5]), 3, NUMBERS).await;
    assert_eq!(seeds[0], seeds[2]);
    assert_ne!(seeds[0], seeds[1]);
    // Generators that the program holds are copied as they are; kernel entropy is always fresh.
    let held = drawn(ForkOptions::default(), 2, "own.random()").await;
    assert_eq!(distinct(&held), 1);
    let mut reseeded = async |seed: u64| {
        let code = format!("{}own.random()", reseed_code(seed));
        drawn(ForkOptions::default(), 1, &code).await.remove(0)
    };
    let numbers = [reseeded(1).await, reseeded(2).await, reseeded(1).await];
    assert_eq!(numbers[0], numbers[2]);
    assert_ne!(numbers[0], numbers[1]);
    assert!(!numbers.contains(&held[0]));
    let fresh = drawn(inherit(), 3, "(os.urandom(8), uuid.uuid4())").await;
    assert_eq!(distinct(&fresh), 3);
    // The parent goes on with its own stream, which is the one that was inherited.
    assert_eq!(run(&mut env, NUMBERS).await, same[0]);
    // A seed is what it is in a Reset.
    let mut options = ResetOptions::default();
    options.seed = Some(5);
    env.reset_with(options).await.unwrap();
    run(&mut env, "import random").await;
    assert_eq!(run(&mut env, NUMBERS).await, seeds[0]);
}

#[tokio::test]
async fn the_seed_of_a_child_is_told_where_it_has_one() {
    let Some(server) = copying(&[]).await else {
        return;
    };
    let mut client = server.raw().await;
    let reset = v1::ResetRequest {
        seed: Some(3),
        ..reset_request("p")
    };
    client.reset(reset).await.unwrap();
    let rows = [
        (RandomState::Inherit, vec![], Some(3)),
        (RandomState::Reseed, vec![], None),
        (RandomState::Unspecified, vec![9], Some(9)),
    ];
    for (at, (random, seeds, told)) in rows.into_iter().enumerate() {
        let request = ForkRequest {
            random: random.into(),
            seeds,
            ..fork_request("p", &[format!("c-{at}")])
        };
        fork(&mut client, request).await.unwrap();
        let view = client.get_state(state_request(&format!("c-{at}"))).await;
        assert_eq!(view.unwrap().into_inner().seed, told);
    }
}

#[tokio::test]
async fn what_can_not_be_copied_is_refused_by_name_and_nothing_has_changed() {
    let Some(server) = copying(&[]).await else {
        return;
    };
    let rows = [
        (
            "threads",
            "import threading\nover = threading.Event()\nthread = threading.Thread(target=over.wait)\nthread.start()",
            "over.set(); thread.join()",
        ),
        (
            "child_processes",
            "import subprocess\nchild = subprocess.Popen(['sleep', '1000'])",
            "child.kill(); child.wait()",
        ),
        (
            "sockets",
            "import socket\npair = socket.socketpair()",
            "[end.close() for end in pair]",
        ),
        (
            "pipes",
            "import os\npipe = os.pipe()",
            "[os.close(end) for end in pipe]",
        ),
    ];
    for (word, begin, end) in rows {
        let mut env = prepared(&server, &format!("n = 1\n{begin}")).await;
        let error = env.fork(2).await.unwrap_err();
        assert_eq!(error.reason(), Some(&Reason::ForkUnsupported), "{error}");
        let coding_env::client::Error::Refused(refusal) = &error else {
            panic!("{error}");
        };
        let words: Vec<&str> = refusal.metadata["obstacles"].split(',').collect();
        assert!(words.contains(&word), "{word}: {refusal:?}");
        assert!(
            refusal.message.contains(&refusal.metadata[word]),
            "{refusal:?}"
        );
        assert_eq!(run(&mut env, "n").await, "1");
        run(&mut env, end).await;
        let mut child = env.fork(1).await.unwrap().pop().unwrap();
        assert_eq!(run(&mut child, "n").await, "1");
    }
}

/// Each row of the table "Copies" of the contract: what prepares it, what a child shows, and what that has to be.
const COPIED: &[(&str, &str, &str, &str)] = &[
    (
        "heap",
        "data = {'a': [1, (2, 3)]}\nalias = data['a']",
        "alias is data['a'], data",
        "(True, {'a': [1, (2, 3)]})",
    ),
    (
        "functions",
        "def f(n):\n    return n and f(n - 1) + 1",
        "f(5)",
        "5",
    ),
    (
        "classes and instances",
        "class A:\n    x = 1\na = A(); a.y = 2",
        "type(a) is A, a.x, a.y",
        "(True, 1, 2)",
    ),
    (
        "generators",
        "g = (n * n for n in range(9)); next(g); next(g)",
        "next(g)",
        "4",
    ),
    (
        "modules",
        "import sys, json; json.marked = 1",
        "sys.modules['json'].marked",
        "1",
    ),
    (
        "environment",
        "import os; os.environ['MARK'] = 'x'",
        "os.environ['MARK'], __import__('subprocess').run(['sh', '-c', 'echo $MARK'], capture_output=True).stdout",
        "('x', b'x\\n')",
    ),
    (
        "working directory",
        "import os; os.mkdir('deep'); os.chdir('deep'); open('f', 'w').write('x')",
        "os.path.basename(os.getcwd()), os.listdir()",
        "('deep', ['f'])",
    ),
    (
        "umask",
        "import os; os.umask(0o027)",
        "oct(os.umask(0))",
        "'0o27'",
    ),
    (
        "signal handlers",
        "import signal, os\nseen = []\nsignal.signal(signal.SIGUSR1, lambda *_: seen.append(1))",
        "os.kill(os.getpid(), signal.SIGUSR1), seen",
        "(None, [1])",
    ),
    (
        "memory maps",
        "import mmap; m = mmap.mmap(-1, 4096); m[:2] = b'ab'",
        "m[:2]",
        "b'ab'",
    ),
    (
        "files",
        "import os; os.mkdir('d'); open('d/f', 'w').write('x' * 100000); os.symlink('d/f', 'l'); os.link('d/f', 'h'); os.chmod('h', 0o640)",
        "len(open('l').read()), oct(os.stat('d/f').st_mode & 0o777), os.stat('h').st_nlink, os.path.samefile('h', 'd/f')",
        "(100000, '0o640', 2, True)",
    ),
    (
        "file times",
        "import os; open('t', 'w').close(); os.utime('t', ns=(10**18, 10**18 + 5))",
        "os.stat('t').st_mtime_ns",
        "1000000000000000005",
    ),
    (
        "open files",
        "f = open('o', 'w+'); f.write('hello world'); f.flush(); f.seek(6)",
        "f.read()",
        "'world'",
    ),
    (
        "files without a name",
        "import tempfile; f = tempfile.TemporaryFile(); f.write(b'hidden'); f.flush(); f.seek(2)",
        "f.read()",
        "b'dden'",
    ),
    (
        "/tmp",
        "import tempfile, os; d = tempfile.mkdtemp(); open(os.path.join(d, 'f'), 'w').write('x')",
        "os.path.exists(os.path.join(tempfile.gettempdir(), os.path.basename(d), 'f'))",
        "True",
    ),
];

#[tokio::test]
async fn each_row_of_the_table_of_what_is_copied() {
    let Some(server) = copying(&[]).await else {
        return;
    };
    for (what, prepare, show, expected) in COPIED {
        eprintln!("{what}");
        let mut env = prepared(&server, prepare).await;
        let mut children = env.fork(2).await.unwrap();
        for child in &mut children {
            let found = run(child, show).await;
            assert_eq!(found, *expected, "{what}");
        }
        assert_eq!(
            run(&mut env, show).await,
            *expected,
            "{what}: of the parent"
        );
    }
}

#[tokio::test]
async fn what_one_side_does_to_its_files_the_other_does_not_see() {
    let Some(server) = copying(&[]).await else {
        return;
    };
    let code = "import mmap, os
open('f', 'w').write('before')
f = open('f', 'r+')
f.seek(3)
m = mmap.mmap(f.fileno(), 6)";
    let mut env = prepared(&server, code).await;
    let mut child = env.fork(1).await.unwrap().pop().unwrap();
    run(
        &mut child,
        "open('f', 'w').write('CHILD!'); open('new', 'w').close(); f.seek(0)",
    )
    .await;
    assert_eq!(
        run(&mut env, "open('f').read(), os.listdir(), f.tell(), m[:]").await,
        "('before', ['f'], 3, b'before')"
    );
    run(&mut env, "m[:6] = b'PARENT'; m.flush()").await;
    assert_eq!(
        run(&mut child, "open('f').read(), m[:], sorted(os.listdir())").await,
        "('CHILD!', b'CHILD!', ['f', 'new'])"
    );
    assert_eq!(run(&mut env, "open('f').read()").await, "'PARENT'");
    // The calls that move files see each its own.
    let files = child.files().unwrap();
    let found = files.read(&["f"]).await.unwrap();
    assert_eq!(found.values().next().unwrap(), b"CHILD!");
}

#[tokio::test]
async fn output_and_interrupts_and_ends_are_each_ones_own() {
    let Some(server) = copying(&[]).await else {
        return;
    };
    let mut env = prepared(&server, "import os, time").await;
    let mut children = env.fork(3).await.unwrap();
    let says = async |env: &mut CodingEnv, text: &str| {
        let reply = env
            .step(format!("print({text:?}); os.system('echo {text}')"))
            .await;
        assert_eq!(reply.unwrap().stdout(), format!("{text}\n{text}\n"));
    };
    for (at, child) in children.iter_mut().enumerate() {
        says(child, &format!("child {at}")).await;
    }
    says(&mut env, "parent").await;
    // An interrupt reaches one.
    let interrupter = children[0].interrupter().unwrap();
    let (first, rest) = children.split_at_mut(1);
    let endless = first[0].step("while True: time.sleep(0.01)");
    let others = async {
        while !interrupter.interrupt().await.unwrap() {}
        says(&mut rest[0], "meanwhile").await;
    };
    let (reply, ()) = tokio::join!(endless, others);
    assert_eq!(reply.unwrap().outcome(), v1::Outcome::Interrupted);
    // So does the end of a process, and a timeout that ends in a kill.
    let reply = first[0].step("os._exit(3)").await.unwrap();
    assert_eq!(
        (reply.outcome(), reply.exit_code()),
        (v1::Outcome::Killed, 3)
    );
    says(&mut rest[0], "still").await;
    says(&mut env, "parent still").await;
    // A lost episode can't be copied.
    let error = first[0].fork(1).await.unwrap_err();
    assert_eq!(error.reason(), Some(&Reason::EpisodeLost), "{error}");
}

#[tokio::test]
async fn a_fork_of_a_fork_of_a_fork() {
    let Some(server) = copying(&[]).await else {
        return;
    };
    let facts = server
        .env()
        .await
        .server_info()
        .await
        .unwrap()
        .fork
        .unwrap();
    let depth = facts.depth_max.unwrap_or(100).min(100);
    let mut env = prepared(&server, "depth = 0").await;
    for at in 1..=depth {
        let mut child = env.fork(1).await.unwrap().pop().unwrap();
        // Each parent ends, and takes nothing along.
        env.close().await.unwrap();
        run(&mut child, "depth += 1").await;
        assert_eq!(run(&mut child, "depth").await, at.to_string());
        env = child;
    }
    if let Some(max) = facts.depth_max {
        let error = env.fork(1).await.unwrap_err();
        assert_eq!(error.reason(), Some(&Reason::ForkDepthLimit), "{error}");
        let coding_env::client::Error::Refused(refusal) = error else {
            panic!("{error}");
        };
        assert_eq!(refusal.metadata["maximum"], max.to_string());
    }
}

#[tokio::test]
async fn children_that_nobody_waits_for_are_left_only_where_a_retry_finds_them() {
    let Some(server) = copying(&[]).await else {
        return;
    };
    let mut client = server.raw().await;
    parent(&mut client, "p", "import time").await;
    // By count: no retry could find them. By ids: one does.
    for (by_ids, left) in [(false, 1), (true, 3)] {
        let step = running(&client, "p", "time.sleep(0.4)").await;
        let request = if by_ids {
            fork_request("p", &ids("c", 2))
        } else {
            ForkRequest {
                count: 2,
                ..fork_request("p", &[])
            }
        };
        let mut gone = client.clone();
        let mut request = tonic::Request::new(request);
        request.set_timeout(std::time::Duration::from_millis(100));
        let status = gone.fork(request).await.unwrap_err();
        assert!(
            matches!(status.code(), Code::DeadlineExceeded | Code::Cancelled),
            "{status:?}"
        );
        step.await.unwrap().unwrap();
        value(&mut client, "p", "1").await;
        let mut asked = client.clone();
        let settled = async { while live(&mut asked).await != left {} };
        tokio::time::timeout(crate::support::PATIENCE, settled)
            .await
            .unwrap();
    }
    let retried = fork(&mut client, fork_request("p", &ids("c", 2)))
        .await
        .unwrap();
    assert_eq!(retried.children.len(), 2);
    assert_eq!(live(&mut client).await, 3);
}

#[tokio::test]
async fn the_end_of_the_parent_before_the_copy_is_told() {
    let Some(server) = copying(&[]).await else {
        return;
    };
    let mut client = server.raw().await;
    parent(&mut client, "p", "import time").await;
    let step = running(&client, "p", "time.sleep(60)").await;
    let mut forking = client.clone();
    let request = fork_request("p", &ids("c", 2));
    let fork = tokio::spawn(async move { fork(&mut forking, request).await });
    // It waits behind the step: its children are counted, and are no more once it has failed.
    let mut asked = client.clone();
    let counted = async { while live(&mut asked).await != 3 {} };
    tokio::time::timeout(crate::support::PATIENCE, counted)
        .await
        .unwrap();
    client.close(close_request("p")).await.unwrap();
    let status = fork.await.unwrap().unwrap_err();
    refused(&status, Code::Aborted, "EPISODE_ENDED");
    let status = step.await.unwrap().unwrap_err();
    assert!(status.get_error_details().error_info().is_some());
    assert_eq!(live(&mut client).await, 0);
}

#[tokio::test]
async fn a_draining_server_makes_no_children() {
    let Some(server) = copying(&["--drain-timeout", "30s"]).await else {
        return;
    };
    let mut client = server.raw().await;
    parent(&mut client, "p", "n = 1").await;
    let request = fork_request("p", &ids("c", 1));
    let before = fork(&mut client, request.clone()).await.unwrap();
    server.signal("TERM");
    let mut asked = client.clone();
    let draining = async {
        let info = v1::GetServerInfoRequest {};
        while !asked
            .get_server_info(info)
            .await
            .unwrap()
            .into_inner()
            .capacity
            .unwrap()
            .draining
        {}
    };
    tokio::time::timeout(crate::support::PATIENCE, draining)
        .await
        .unwrap();
    let status = fork(&mut client, fork_request("p", &ids("d", 1)))
        .await
        .unwrap_err();
    refused(&status, Code::Unavailable, "SHUTTING_DOWN");
    assert_eq!(
        fork(&mut client, request).await.unwrap(),
        before,
        "a retry is answered"
    );
    assert_eq!(value(&mut client, "c-0", "n").await, "1");
}

#[tokio::test]
async fn children_of_an_owner_are_that_owners() {
    let tokens = tempfile::NamedTempFile::new().unwrap();
    let [alice, bob] = ["a", "b"].map(|char| char.repeat(40));
    std::fs::write(tokens.path(), format!("alice {alice}\nbob {bob}\n")).unwrap();
    let Some(server) = owned(tokens.path().to_str().unwrap(), &alice).await else {
        return;
    };
    let mut client = server.raw().await;
    let as_one = |token: &str| {
        let value: tonic::metadata::AsciiMetadataValue = format!("Bearer {token}").parse().unwrap();
        value
    };
    let (alice, bob) = (as_one(&alice), as_one(&bob));
    fn of<T>(message: T, token: &tonic::metadata::AsciiMetadataValue) -> tonic::Request<T> {
        let mut request = tonic::Request::new(message);
        request
            .metadata_mut()
            .insert("authorization", token.clone());
        request
    }
    client.reset(of(reset_request("p"), &alice)).await.unwrap();
    let request = fork_request("p", &ids("c", 1));
    let status = client.fork(of(request.clone(), &bob)).await.unwrap_err();
    refused(&status, Code::NotFound, "EPISODE_NOT_FOUND");
    client.fork(of(request, &alice)).await.unwrap();
    client
        .step(of(step_request("c-0", "1"), &alice))
        .await
        .unwrap();
    let status = client
        .step(of(step_request("c-0", "1"), &bob))
        .await
        .unwrap_err();
    refused(&status, Code::NotFound, "EPISODE_NOT_FOUND");
}

async fn owned(tokens: &str, token: &str) -> Option<Server> {
    let server = Server::start(&["--tokens-file", tokens]);
    let mut client = server.raw().await;
    let mut request = tonic::Request::new(v1::GetServerInfoRequest {});
    let value = format!("Bearer {token}").parse().unwrap();
    request.metadata_mut().insert("authorization", value);
    let info = client.get_server_info(request).await.unwrap().into_inner();
    info.fork.unwrap().available.then_some(server)
}
