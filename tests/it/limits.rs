//! Every limit, on both sides: what is exactly at it is taken, one past is refused or cut, and told.

use std::collections::HashMap;

use coding_env::proto::v1::coding_env_client::CodingEnvClient;
use coding_env::proto::v1::{
    CodeAction, GetServerInfoRequest, LimitKind, Limits, Outcome, ResetRequest, StateAfter,
    StepLimits, StepRequest, StepResponse,
};
use prost::Message as _;
use tonic::transport::Channel;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::refusals::{close_request, refused, reset_request, running, step_request};
use crate::support::{PATIENCE, Server, may_lack, state_request};

const MIB: usize = 1 << 20;

fn seconds(seconds: i64, nanos: i32) -> Option<prost_types::Duration> {
    Some(prost_types::Duration { seconds, nanos })
}

/// Checks that a request was refused because of this one field, and that the message names the maximum.
fn refused_field(status: &Status, field: &str, maximum: &str) {
    let metadata = refused(status, Code::InvalidArgument, "INVALID_FIELD");
    assert_eq!(metadata["fields"], field, "{status:?}");
    assert!(status.message().contains(maximum), "{maximum}: {status:?}");
    let told = format!("{}_maximum", field.replace('.', "_"));
    assert_eq!(metadata[&told], maximum, "{status:?}");
}

/// The most that this server gives.
async fn max_limits(client: &mut CodingEnvClient<Channel>) -> Limits {
    let info = client.get_server_info(GetServerInfoRequest {}).await;
    info.unwrap().into_inner().max_limits.unwrap()
}

/// A fresh episode with these limits.
async fn reset(client: &mut CodingEnvClient<Channel>, limits: Limits) -> Result<String, Status> {
    let request = ResetRequest {
        limits: Some(limits),
        ..ResetRequest::default()
    };
    let reply = client.reset(request).await?.into_inner();
    Ok(reply.state.unwrap().episode_id)
}

async fn step(client: &mut CodingEnvClient<Channel>, request: StepRequest) -> StepResponse {
    client.step(request).await.unwrap().into_inner()
}

fn stdout(reply: &StepResponse) -> &str {
    &reply.observation.as_ref().unwrap().stdout
}

fn exception(reply: &StepResponse) -> (String, String) {
    let exception = reply.reported.clone().unwrap().exception.unwrap();
    (exception.r#type, exception.message)
}

#[tokio::test]
async fn limits_of_an_episode_are_taken_up_to_the_servers_and_down_to_the_least() {
    let server = Server::start(&[]);
    let mut client = server.raw().await;
    let info = client.get_server_info(GetServerInfoRequest {}).await;
    let info = info.unwrap().into_inner();
    let max = info.max_limits.unwrap();
    let unbounded = Limits {
        cpu_percent: None,
        ..max
    };
    assert_eq!(info.default_limits.unwrap(), unbounded);
    let least = Limits {
        source_bytes: Some(1),
        output_bytes: Some(1024),
        result_bytes: Some(1024),
        step_timeout: seconds(0, 1_000_000),
        step_cpu_time: seconds(0, 10_000_000),
        idle_timeout: seconds(1, 0),
        memory_bytes: Some(64 << 20),
        open_files: Some(16),
        file_bytes: Some(1 << 20),
        // Those that this server can hold.
        total_memory_bytes: max.total_memory_bytes.map(|_| 64 << 20),
        processes: max.processes.map(|_| 2),
        workspace_bytes: max.workspace_bytes.map(|_| 1 << 20),
        workspace_inodes: max.workspace_inodes.map(|_| 64),
        cpu_percent: max.cpu_percent.map(|_| 1),
        displays: Some(1),
        display_bytes: Some(1024),
    };
    for limits in [max, least] {
        let request = ResetRequest {
            limits: Some(limits),
            ..ResetRequest::default()
        };
        let reply = client.reset(request).await.unwrap().into_inner();
        assert_eq!(reply.limits.unwrap(), limits);
        let id = reply.state.unwrap().episode_id;
        let state = client.get_state(state_request(&id)).await.unwrap();
        assert_eq!(state.get_ref().limits.unwrap(), limits);
    }

    let none = Limits::default;
    let past = [
        (
            "limits.source_bytes",
            "16777216",
            Limits {
                source_bytes: Some((16 << 20) + 1),
                ..none()
            },
        ),
        (
            "limits.source_bytes",
            "16777216",
            Limits {
                source_bytes: Some(0),
                ..none()
            },
        ),
        (
            "limits.output_bytes",
            "1048576",
            Limits {
                output_bytes: Some((1 << 20) + 1),
                ..none()
            },
        ),
        (
            "limits.output_bytes",
            "1048576",
            Limits {
                output_bytes: Some(1023),
                ..none()
            },
        ),
        (
            "limits.result_bytes",
            "262144",
            Limits {
                result_bytes: Some((256 << 10) + 1),
                ..none()
            },
        ),
        (
            "limits.result_bytes",
            "262144",
            Limits {
                result_bytes: Some(1023),
                ..none()
            },
        ),
        (
            "limits.step_timeout",
            "3600s",
            Limits {
                step_timeout: seconds(3600, 1),
                ..none()
            },
        ),
        (
            "limits.step_timeout",
            "3600s",
            Limits {
                step_timeout: seconds(0, 999_999),
                ..none()
            },
        ),
        (
            "limits.step_timeout",
            "3600s",
            Limits {
                step_timeout: seconds(-1, 0),
                ..none()
            },
        ),
        (
            "limits.step_cpu_time",
            "3600s",
            Limits {
                step_cpu_time: seconds(3600, 1),
                ..none()
            },
        ),
        (
            "limits.step_cpu_time",
            "3600s",
            Limits {
                step_cpu_time: seconds(0, 9_999_999),
                ..none()
            },
        ),
        (
            "limits.step_cpu_time",
            "3600s",
            Limits {
                step_cpu_time: seconds(0, 0),
                ..none()
            },
        ),
        (
            "limits.idle_timeout",
            "3600s",
            Limits {
                idle_timeout: seconds(3600, 1),
                ..none()
            },
        ),
        (
            "limits.idle_timeout",
            "3600s",
            Limits {
                idle_timeout: seconds(0, 999_999_999),
                ..none()
            },
        ),
        (
            "limits.idle_timeout",
            "3600s",
            Limits {
                idle_timeout: seconds(i64::MIN, 0),
                ..none()
            },
        ),
        (
            "limits.memory_bytes",
            "4294967296",
            Limits {
                memory_bytes: Some((4 << 30) + 1),
                ..none()
            },
        ),
        (
            "limits.memory_bytes",
            "4294967296",
            Limits {
                memory_bytes: Some((64 << 20) - 1),
                ..none()
            },
        ),
        (
            "limits.open_files",
            "1024",
            Limits {
                open_files: Some(1025),
                ..none()
            },
        ),
        (
            "limits.open_files",
            "1024",
            Limits {
                open_files: Some(15),
                ..none()
            },
        ),
        (
            "limits.file_bytes",
            "1073741824",
            Limits {
                file_bytes: Some((1 << 30) + 1),
                ..none()
            },
        ),
        (
            "limits.file_bytes",
            "1073741824",
            Limits {
                file_bytes: Some((1 << 20) - 1),
                ..none()
            },
        ),
        (
            "limits.displays",
            "64",
            Limits {
                displays: Some(65),
                ..none()
            },
        ),
        (
            "limits.displays",
            "64",
            Limits {
                displays: Some(0),
                ..none()
            },
        ),
        (
            "limits.display_bytes",
            "3145728",
            Limits {
                display_bytes: Some((3 << 20) + 1),
                ..none()
            },
        ),
        (
            "limits.display_bytes",
            "3145728",
            Limits {
                display_bytes: Some(1023),
                ..none()
            },
        ),
    ];
    for (field, maximum, limits) in past {
        let status = reset(&mut client, limits).await.unwrap_err();
        refused_field(&status, field, maximum);
    }
}

#[tokio::test]
async fn limits_of_whole_episodes_are_taken_where_they_can_be_held_and_else_refused() {
    let server = Server::start(&[]);
    let mut client = server.raw().await;
    let max = max_limits(&mut client).await;
    let none = Limits::default;
    let cases = [
        (
            "limits.total_memory_bytes",
            max.total_memory_bytes,
            4 << 30,
            Limits {
                total_memory_bytes: Some((4 << 30) + 1),
                ..none()
            },
        ),
        (
            "limits.total_memory_bytes",
            max.total_memory_bytes,
            4 << 30,
            Limits {
                total_memory_bytes: Some((64 << 20) - 1),
                ..none()
            },
        ),
        (
            "limits.processes",
            max.processes.map(u64::from),
            256,
            Limits {
                processes: Some(257),
                ..none()
            },
        ),
        (
            "limits.processes",
            max.processes.map(u64::from),
            256,
            Limits {
                processes: Some(1),
                ..none()
            },
        ),
        (
            "limits.workspace_bytes",
            max.workspace_bytes,
            512 << 20,
            Limits {
                workspace_bytes: Some((512 << 20) + 1),
                ..none()
            },
        ),
        (
            "limits.workspace_bytes",
            max.workspace_bytes,
            512 << 20,
            Limits {
                workspace_bytes: Some((1 << 20) - 1),
                ..none()
            },
        ),
        (
            "limits.workspace_inodes",
            max.workspace_inodes.map(u64::from),
            65536,
            Limits {
                workspace_inodes: Some(65537),
                ..none()
            },
        ),
        (
            "limits.workspace_inodes",
            max.workspace_inodes.map(u64::from),
            65536,
            Limits {
                workspace_inodes: Some(63),
                ..none()
            },
        ),
        (
            "limits.cpu_percent",
            max.cpu_percent.map(u64::from),
            100_000,
            Limits {
                cpu_percent: Some(100_001),
                ..none()
            },
        ),
        (
            "limits.cpu_percent",
            max.cpu_percent.map(u64::from),
            100_000,
            Limits {
                cpu_percent: Some(0),
                ..none()
            },
        ),
    ];
    for (field, held, maximum, limits) in cases {
        let status = reset(&mut client, limits).await.unwrap_err();
        if let Some(held) = held {
            assert_eq!(held, maximum, "{field}");
            refused_field(&status, field, &maximum.to_string());
        } else {
            let metadata = refused(&status, Code::InvalidArgument, "INVALID_FIELD");
            assert_eq!(metadata["fields"], field);
            let lacks = &metadata[&format!("{}_lacks", field.replace('.', "_"))];
            assert!(
                lacks.contains("layer `") || lacks.contains("level `"),
                "{lacks}"
            );
            assert!(status.message().contains(lacks), "{status:?}");
        }
    }
}

/// All processes of an episode share its memory: an interpreter that takes too much is gone, and of its children that do so together
/// some are, and perhaps it too. Others notice nothing.
#[tokio::test]
async fn memory_of_a_whole_episode_is_bounded() {
    let server = Server::start(&[]);
    let mut client = server.raw().await;
    if max_limits(&mut client).await.total_memory_bytes.is_none() {
        return may_lack("the limit total_memory_bytes");
    }
    let limits = Limits {
        total_memory_bytes: Some(128 << 20),
        ..Limits::default()
    };
    client.reset(reset_request("neighbour")).await.unwrap();
    step(&mut client, step_request("neighbour", "x = 7")).await;
    let id = reset(&mut client, limits).await.unwrap();
    let reply = step(&mut client, step_request(&id, "len(b'x' * (64 << 20))")).await;
    assert_eq!(reply.observation.as_ref().unwrap().result(), "67108864");
    assert_eq!(reply.observed.unwrap().limits_hit, Vec::<i32>::new());
    let reply = step(
        &mut client,
        step_request(&id, "print(1)\nlen(b'x' * (512 << 20))"),
    )
    .await;
    assert_eq!(stdout(&reply), "1\n");
    assert_eq!(reply.outcome(), Outcome::LimitExceeded);
    assert_eq!(reply.observation.as_ref().unwrap().exit_code, 137);
    assert_eq!(reply.state_after(), StateAfter::Lost);
    assert!(reply.done);
    let observed = reply.observed.unwrap();
    assert_eq!(observed.limit(), LimitKind::Memory);
    assert_eq!(
        observed.limits_hit().collect::<Vec<_>>(),
        [LimitKind::Memory]
    );
    assert_eq!(observed.signal, Some(9));
    let status = client.step(step_request(&id, "1")).await.unwrap_err();
    let metadata = refused(&status, Code::FailedPrecondition, "EPISODE_LOST");
    assert!(
        status.message().contains("more memory together"),
        "{metadata:?}"
    );

    // Each is far below what one process may have.
    let id = reset(&mut client, limits).await.unwrap();
    let code = "import os, signal, time
pids, gone = [], 0
for _ in range(6):
    r, w = os.pipe()
    pid = os.fork()
    if pid == 0:
        x = b'x' * (48 << 20)
        os.write(w, b'.')
        time.sleep(1000)
    os.close(w)
    pids.append(pid)
    os.read(r, 1)
for pid in pids:
    if os.waitpid(pid, os.WNOHANG)[0]:
        gone += 1
    else:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
print(gone > 0)";
    let reply = step(&mut client, step_request(&id, code)).await;
    assert_eq!(reply.outcome(), Outcome::LimitExceeded);
    assert_eq!(reply.observation.as_ref().unwrap().exit_code, 137);
    assert_eq!(reply.observed.as_ref().unwrap().limit(), LimitKind::Memory);
    match reply.state_after() {
        StateAfter::Intact => {
            assert_eq!(stdout(&reply), "True\n");
            let reply = step(&mut client, step_request(&id, "len(pids)")).await;
            assert_eq!(reply.observation.unwrap().result(), "6");
            assert_eq!(reply.outcome, i32::from(Outcome::Completed));
        }
        _ => {
            assert_eq!(reply.state_after(), StateAfter::Lost);
            let status = client.step(step_request(&id, "1")).await.unwrap_err();
            refused(&status, Code::FailedPrecondition, "EPISODE_LOST");
        }
    }
    let reply = step(&mut client, step_request("neighbour", "x")).await;
    assert_eq!(reply.observation.unwrap().result(), "7");
}

/// The number of processes and threads is bounded: past it Python raises, and once some have ended it goes on.
#[tokio::test]
async fn processes_of_an_episode_are_bounded() {
    let server = Server::start(&[]);
    let mut client = server.raw().await;
    if max_limits(&mut client).await.processes.is_none() {
        return may_lack("the limit processes");
    }
    let limits = Limits {
        processes: Some(8),
        ..Limits::default()
    };
    let id = reset(&mut client, limits).await.unwrap();
    let code = "import os, signal
def storm(count):
    pids = []
    try:
        for _ in range(count):
            pid = os.fork()
            if pid == 0:
                signal.pause()
            pids.append(pid)
    except BlockingIOError as error:
        print(error.errno == 11)
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    return len(pids)";
    step(&mut client, step_request(&id, code)).await;
    // At the limit: seven, and the interpreter.
    let reply = step(&mut client, step_request(&id, "storm(7)")).await;
    assert_eq!(reply.observation.as_ref().unwrap().result(), "7");
    assert_eq!(reply.observed.unwrap().limits_hit, Vec::<i32>::new());
    for _ in 0..2 {
        let reply = step(&mut client, step_request(&id, "storm(8)")).await;
        assert_eq!(stdout(&reply), "True\n");
        assert_eq!(reply.observation.as_ref().unwrap().result(), "7");
        assert_eq!(reply.outcome(), Outcome::Completed);
    }
    let code = "import threading
done = threading.Event()
try:
    for n in range(20):
        threading.Thread(target=done.wait).start()
finally:
    done.set()";
    let reply = step(&mut client, step_request(&id, code)).await;
    assert_eq!(exception(&reply).0, "RuntimeError");
    let reply = step(&mut client, step_request(&id, "n")).await;
    assert_eq!(reply.observation.unwrap().result(), "7");
}

/// Bytes and files are counted over all places where an episode may write.
#[tokio::test]
async fn files_of_an_episode_are_bounded() {
    let server = Server::start(&[]);
    let mut client = server.raw().await;
    if max_limits(&mut client).await.workspace_bytes.is_none() {
        return may_lack("the limits workspace_bytes and workspace_inodes");
    }
    let limits = Limits {
        workspace_bytes: Some(4 << 20),
        workspace_inodes: Some(64),
        ..Limits::default()
    };
    let id = reset(&mut client, limits).await.unwrap();
    let code = "import errno
def fill(path, mib):
    with open(path, 'wb', 0) as file:
        for _ in range(mib):
            if file.write(b'x' * (1 << 20)) < 1 << 20:
                raise OSError(errno.ENOSPC, 'short')";
    step(&mut client, step_request(&id, code)).await;
    let code = "fill('/workspace/a', 1); fill('/tmp/b', 1); fill('/dev/shm/c', 1)";
    let reply = step(&mut client, step_request(&id, code)).await;
    assert_eq!(reply.outcome(), Outcome::Completed, "{reply:?}");
    let code =
        "try: fill('/tmp/d', 2)\nexcept OSError as error: print(error.errno == errno.ENOSPC)";
    let reply = step(&mut client, step_request(&id, code)).await;
    assert_eq!(stdout(&reply), "True\n");

    let id = reset(&mut client, limits).await.unwrap();
    let code = "import errno
made = 0
try:
    for n in range(80):
        open(f'{(\"/tmp\", \"/workspace\")[n % 2]}/{n}', 'x').close()
        made += 1
except OSError as error:
    print(error.errno == errno.ENOSPC)
print(made == 64)";
    let reply = step(&mut client, step_request(&id, code)).await;
    assert_eq!(stdout(&reply), "True\nTrue\n");
    let reply = step(&mut client, step_request(&id, "made")).await;
    assert_eq!(reply.state_after(), StateAfter::Intact);
}

/// A bound on CPU time per time slows all processes of an episode together.
#[tokio::test]
async fn cpu_time_per_time_is_bounded() {
    let server = Server::start(&[]);
    let mut client = server.raw().await;
    if max_limits(&mut client).await.cpu_percent.is_none() {
        return may_lack("the limit cpu_percent");
    }
    let limits = Limits {
        cpu_percent: Some(20),
        ..Limits::default()
    };
    let id = reset(&mut client, limits).await.unwrap();
    let code = "import os, time
child = os.fork()
while time.process_time() < 0.2: pass
if child == 0: os._exit(0)
os.waitpid(child, 0)[1]";
    let reply = step(&mut client, step_request(&id, code)).await;
    assert_eq!(reply.observation.unwrap().result(), "0");
    // 0.4 s at a fifth of a core take 2 s, less what the first and the last period give ahead.
    let took = reply.observed.unwrap().usage.unwrap().wall_time.unwrap();
    assert!(took.seconds >= 1, "{took:?}");
}

#[tokio::test]
async fn a_step_may_lower_its_episodes_limits_and_no_more() {
    let server = Server::start(&[]);
    let mut client = server.raw().await;
    let lowered = Limits {
        output_bytes: Some(4096),
        step_cpu_time: seconds(2, 0),
        ..Limits::default()
    };
    let id = reset(&mut client, lowered).await.unwrap();
    let with = |output_bytes: Option<u32>, cpu_time: Option<prost_types::Duration>| StepRequest {
        limits: Some(StepLimits {
            output_bytes,
            cpu_time,
        }),
        ..step_request(&id, "print('x' * 8192, end='')")
    };
    for (kept, request) in [
        (4096, with(None, None)),
        (4096, with(Some(4096), seconds(2, 0))),
        (1024, with(Some(1024), None)),
    ] {
        let reply = step(&mut client, request).await;
        let observed = reply.observed.unwrap();
        assert!(observed.stdout_kept_bytes <= kept && observed.stdout_kept_bytes > kept - 200);
        assert!(observed.stdout_truncated);
        assert_eq!(observed.stdout_total_bytes, 8192);
    }
    for (field, maximum, request) in [
        ("limits.output_bytes", "4096", with(Some(4097), None)),
        ("limits.output_bytes", "4096", with(Some(1023), None)),
        ("limits.cpu_time", "2s", with(None, seconds(2, 1))),
        ("limits.cpu_time", "2s", with(None, seconds(0, 9_999_999))),
        ("limits.cpu_time", "2s", with(None, seconds(-5, 0))),
    ] {
        let status = client.step(request).await.unwrap_err();
        refused_field(&status, field, maximum);
    }
    let mut busy = with(None, seconds(0, 10_000_000));
    busy.action = Some(CodeAction {
        code: "while True: pass".to_owned(),
    });
    let reply = step(&mut client, busy).await;
    assert_eq!(reply.outcome(), Outcome::LimitExceeded);
    assert_eq!(reply.observed.unwrap().limit(), LimitKind::CpuTime);
}

#[tokio::test]
async fn a_timeout_is_clamped_and_told() {
    let server = Server::start(&["--max-step-timeout", "60s"]);
    let mut client = server.raw().await;
    client.reset(reset_request("e")).await.unwrap();
    let with = |timeout| StepRequest {
        timeout,
        ..step_request("e", "1")
    };
    for (asked, told) in [
        (None, seconds(30, 0)),
        (seconds(5, 0), seconds(5, 0)),
        (seconds(60, 0), seconds(60, 0)),
        (seconds(60, 1), seconds(60, 0)),
        (seconds(i64::MAX, 0), seconds(60, 0)),
    ] {
        assert_eq!(
            step(&mut client, with(asked)).await.timeout,
            told,
            "{asked:?}"
        );
    }
    for asked in [
        seconds(0, 0),
        seconds(0, -1),
        seconds(-1, 0),
        seconds(i64::MIN, i32::MIN),
    ] {
        let status = client.step(with(asked)).await.unwrap_err();
        refused_field(&status, "timeout", "60s");
    }
}

#[tokio::test]
async fn lowered_limits_take_effect() {
    let server = Server::start(&[]);
    let mut client = server.raw().await;
    let none = Limits::default;

    let limits = Limits {
        source_bytes: Some(10),
        ..none()
    };
    let id = reset(&mut client, limits).await.unwrap();
    step(&mut client, step_request(&id, "1234567890")).await;
    let status = client
        .step(step_request(&id, "12345678901"))
        .await
        .unwrap_err();
    refused_field(&status, "action.code", "10");
    // Bytes are counted, not characters.
    let status = client
        .step(step_request(&id, "'ääää'+'ä'"))
        .await
        .unwrap_err();
    refused_field(&status, "action.code", "10");

    let limits = Limits {
        step_timeout: seconds(0, 200_000_000),
        ..none()
    };
    let id = reset(&mut client, limits).await.unwrap();
    let reply = step(&mut client, step_request(&id, "while True: pass")).await;
    assert_eq!(reply.outcome(), Outcome::TimedOut);
    assert_eq!(reply.state_after(), StateAfter::Intact);
    assert_eq!(reply.timeout, seconds(0, 200_000_000));
    assert_eq!(reply.observed.unwrap().limit(), LimitKind::StepTimeout);

    let limits = Limits {
        step_cpu_time: seconds(0, 50_000_000),
        ..none()
    };
    let id = reset(&mut client, limits).await.unwrap();
    let reply = step(&mut client, step_request(&id, "while True: pass")).await;
    assert_eq!(reply.outcome(), Outcome::LimitExceeded);
    assert_eq!(reply.observed.unwrap().limit(), LimitKind::CpuTime);

    let limits = Limits {
        memory_bytes: Some(256 << 20),
        ..none()
    };
    let id = reset(&mut client, limits).await.unwrap();
    let reply = step(&mut client, step_request(&id, "x = bytearray(512 << 20)")).await;
    assert_eq!(exception(&reply).0, "MemoryError");
    let reply = step(&mut client, step_request(&id, "len(bytearray(64 << 20))")).await;
    assert_eq!(reply.observation.unwrap().result(), "67108864");

    let limits = Limits {
        open_files: Some(32),
        ..none()
    };
    let id = reset(&mut client, limits).await.unwrap();
    let code = "import os\nfds = []\nwhile True: fds.append(os.dup(0))";
    let reply = step(&mut client, step_request(&id, code)).await;
    let (kind, message) = exception(&reply);
    assert_eq!(kind, "OSError");
    assert!(message.contains("Too many open files"), "{message}");
    let reply = step(&mut client, step_request(&id, "max(fds)")).await;
    assert_eq!(reply.observation.unwrap().result(), "31");

    let limits = Limits {
        file_bytes: Some(1 << 20),
        ..none()
    };
    let id = reset(&mut client, limits).await.unwrap();
    let code = "f = open('f', 'wb', 0)\nprint(f.write(b'x' * (1 << 20)))\nf.write(b'x')";
    let reply = step(&mut client, step_request(&id, code)).await;
    assert_eq!(stdout(&reply), "1048576\n");
    let (kind, message) = exception(&reply);
    assert_eq!(kind, "OSError");
    assert!(message.contains("File too large"), "{message}");

    let limits = Limits {
        idle_timeout: seconds(1, 0),
        ..none()
    };
    let id = reset(&mut client, limits).await.unwrap();
    server.wait_for_log("\"expired\"");
    let status = client.step(step_request(&id, "1")).await.unwrap_err();
    refused(&status, Code::NotFound, "EPISODE_EXPIRED");
}

/// The smallest episode that may be asked for still runs code.
#[tokio::test]
async fn an_episode_with_the_least_of_everything_works() {
    let server = Server::start(&[]);
    let mut client = server.raw().await;
    let max = max_limits(&mut client).await;
    let limits = Limits {
        memory_bytes: Some(64 << 20),
        open_files: Some(16),
        file_bytes: Some(1 << 20),
        total_memory_bytes: max.total_memory_bytes.map(|_| 64 << 20),
        processes: max.processes.map(|_| 2),
        workspace_bytes: max.workspace_bytes.map(|_| 1 << 20),
        workspace_inodes: max.workspace_inodes.map(|_| 64),
        cpu_percent: max.cpu_percent.map(|_| 100),
        ..Limits::default()
    };
    let id = reset(&mut client, limits).await.unwrap();
    let code = "import json, decimal\nprint(json.dumps({'a': [1]}))\nopen('f', 'w').write('x')";
    let reply = step(&mut client, step_request(&id, code)).await;
    let observation = reply.observation.unwrap();
    assert_eq!(
        (
            observation.stdout.as_str(),
            observation.stderr.as_str(),
            observation.result()
        ),
        ("{\"a\": [1]}\n", "", "1")
    );
}

#[tokio::test]
async fn output_at_its_limit_is_whole_and_past_it_cut_and_told() {
    let server = Server::start(&[]);
    let mut client = server.raw().await;
    let limits = Limits {
        output_bytes: Some(4096),
        result_bytes: Some(1024),
        ..Limits::default()
    };
    let id = reset(&mut client, limits).await.unwrap();
    for (stream, other) in [("stdout", "stderr"), ("stderr", "stdout")] {
        for (bytes, cut) in [(4096, false), (4097, true), (3 * MIB, true)] {
            let code = format!("import sys\nn = sys.{stream}.write('x' * {bytes})");
            let reply = step(&mut client, step_request(&id, &code)).await;
            let observation = reply.observation.clone().unwrap();
            let observed = reply.observed.unwrap();
            let facts = HashMap::from([
                (
                    "stdout",
                    (
                        observation.stdout,
                        observed.stdout_truncated,
                        observed.stdout_kept_bytes,
                        observed.stdout_total_bytes,
                    ),
                ),
                (
                    "stderr",
                    (
                        observation.stderr,
                        observed.stderr_truncated,
                        observed.stderr_kept_bytes,
                        observed.stderr_total_bytes,
                    ),
                ),
            ]);
            let (text, truncated, kept, total) = &facts[stream];
            assert_eq!(
                (*truncated, *total),
                (cut, bytes as u64),
                "{stream} {bytes}"
            );
            assert!(
                *kept <= 4096 && text.len() <= 4096 + 200,
                "{stream} {bytes}: {kept}"
            );
            assert_eq!(
                text.matches('x').count(),
                *kept as usize,
                "{stream} {bytes}"
            );
            assert_eq!(facts[other], (String::new(), false, 0, 0));
        }
    }
    // A byte that is not UTF-8 becomes three of text.
    let code = "import os\nn = os.write(1, b'\\xff' * 1366)";
    let reply = step(&mut client, step_request(&id, code)).await;
    let observed = reply.observed.clone().unwrap();
    assert!(observed.stdout_truncated && observed.stdout_total_bytes == 1366);
    assert!(stdout(&reply).matches('\u{fffd}').count() <= 1365);

    for (bytes, cut) in [(1024, false), (1025, true)] {
        let code = format!("'x' * {}", bytes - 2);
        let reply = step(&mut client, step_request(&id, &code)).await;
        let result = reply.observation.unwrap().result.unwrap();
        assert_eq!(reply.reported.unwrap().result_truncated, cut, "{bytes}");
        assert!(
            result.len() <= 1024 && result.starts_with("'xxx"),
            "{bytes}"
        );
        assert_eq!(result.len() == bytes, !cut, "{bytes}");
    }
}

#[tokio::test]
async fn a_reply_stays_within_what_its_caller_decodes() {
    let server = Server::start(&[
        "--max-output-bytes",
        "16777216",
        "--max-result-bytes",
        "16777216",
    ]);
    let mut client = server.raw().await;
    client.reset(reset_request("e")).await.unwrap();
    let code = "import sys\nn = sys.stdout.write('é' * (6 << 20)) + sys.stderr.write('y' * (12 << 20))\n'z' * (12 << 20)";
    let with = |max_reply_bytes, index| StepRequest {
        max_reply_bytes,
        step_index: Some(index),
        ..step_request("e", code)
    };
    for (index, asked, bound) in [
        (0, None, 3_670_016),
        (1, Some(64 << 10), 64 << 10),
        (2, Some(1 << 20), 1 << 20),
    ] {
        let reply = step(&mut client, with(asked, index)).await;
        let bytes = reply.encoded_len();
        assert!(bytes <= bound && bytes > bound / 2, "{asked:?}: {bytes}");
        let observed = reply.observed.clone().unwrap();
        assert!(observed.stdout_truncated && observed.stderr_truncated);
        assert!(reply.reported.as_ref().unwrap().result_truncated);
        assert_eq!(observed.stdout_total_bytes, 12 << 20);
        assert_eq!(
            stdout(&reply).matches('é').count() * 2,
            observed.stdout_kept_bytes as usize
        );
    }
    let whole = step(&mut client, with(Some(64 << 20), 3)).await;
    let observed = whole.observed.clone().unwrap();
    assert!(!observed.stdout_truncated && !observed.stderr_truncated);
    assert_eq!(stdout(&whole).len(), 12 << 20);
    assert_eq!(whole.observation.unwrap().result().len(), (12 << 20) + 2);

    for asked in [0, (64 << 10) - 1, (64 << 20) + 1, u32::MAX] {
        let status = client.step(with(Some(asked), 4)).await.unwrap_err();
        refused_field(&status, "max_reply_bytes", "67108864");
    }
}

/// A client that decodes 4 MiB, as most do, gets every reply that it did not ask to be larger.
#[tokio::test]
async fn a_default_reply_fits_a_default_client() {
    let server = Server::start(&["--max-output-bytes", "16777216"]);
    let mut client = CodingEnvClient::new(server.channel().await);
    client.reset(reset_request("e")).await.unwrap();
    let code =
        "import sys\nn = sys.stdout.write('x' * (16 << 20)) + sys.stderr.write('y' * (16 << 20))";
    let reply = step(&mut client, step_request("e", code)).await;
    assert!(reply.observed.unwrap().stdout_truncated);
}

#[tokio::test]
async fn the_largest_source_runs_and_a_larger_one_is_refused() {
    let server = Server::start(&[]);
    let mut client = server.raw().await;
    client.reset(reset_request("e")).await.unwrap();
    let source = |bytes: usize| {
        let mut code = "print('ran')\n#".to_owned();
        code.extend(std::iter::repeat_n('x', bytes - code.len()));
        step_request("e", &code)
    };
    let largest = step(&mut client, source(16 * MIB));
    let reply = tokio::time::timeout(PATIENCE, largest).await.unwrap();
    assert_eq!(stdout(&reply), "ran\n");

    let status = client.step(source(16 * MIB + 1)).await.unwrap_err();
    refused_field(&status, "action.code", "16777216");
    // Past what is decoded the library answers, without our details. The connection goes on.
    let status = client.step(source(17 * MIB + 1)).await.unwrap_err();
    assert_eq!(status.code(), Code::OutOfRange);
    assert!(status.get_error_details().error_info().is_none());
    let info = client
        .get_server_info(GetServerInfoRequest {})
        .await
        .unwrap();
    let limits = info.into_inner().server_limits.unwrap();
    assert_eq!(limits.request_bytes as usize, 17 * MIB);
    let state = client.get_state(state_request("e")).await.unwrap();
    assert_eq!(state.get_ref().state.as_ref().unwrap().step_count, 1);
}

#[tokio::test]
async fn ids_have_128_characters_at_most_and_no_others_than_stated() {
    let server = Server::start(&[]);
    let mut client = server.raw().await;
    let longest = "aZ09_-xx".repeat(16);
    let request = ResetRequest {
        request_id: longest.clone(),
        previous_episode_id: "b".repeat(128),
        ..reset_request(&longest)
    };
    client.reset(request).await.unwrap();
    step(&mut client, step_request(&longest, "1")).await;
    assert!(
        client
            .close(close_request(&longest))
            .await
            .unwrap()
            .get_ref()
            .closed
    );
    let bad = [
        "x".repeat(129),
        "a b".into(),
        "a/b".into(),
        "..".into(),
        "é".into(),
        "a\0".into(),
        "a\n".into(),
    ];
    for id in bad {
        let requests = [
            ("episode_id", reset_request(&id)),
            (
                "request_id",
                ResetRequest {
                    request_id: id.clone(),
                    ..ResetRequest::default()
                },
            ),
            (
                "previous_episode_id",
                ResetRequest {
                    previous_episode_id: id.clone(),
                    ..ResetRequest::default()
                },
            ),
        ];
        for (field, request) in requests {
            let status = client.reset(request).await.unwrap_err();
            refused_field(&status, field, "128");
        }
        refused_field(
            &client.step(step_request(&id, "1")).await.unwrap_err(),
            "episode_id",
            "128",
        );
        refused_field(
            &client.get_state(state_request(&id)).await.unwrap_err(),
            "episode_id",
            "128",
        );
        refused_field(
            &client.close(close_request(&id)).await.unwrap_err(),
            "episode_id",
            "128",
        );
    }
    let same = ResetRequest {
        previous_episode_id: "e".into(),
        ..reset_request("e")
    };
    let status = client.reset(same).await.unwrap_err();
    let metadata = refused(&status, Code::InvalidArgument, "INVALID_FIELD");
    assert_eq!(metadata["fields"], "previous_episode_id");
}

#[tokio::test]
async fn the_environment_is_bounded_and_checked() {
    let server = Server::start(&[]);
    let mut client = server.raw().await;
    let with = |variables: &[(&str, &str)]| ResetRequest {
        environment: variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        ..ResetRequest::default()
    };
    let value = "é".repeat(((64 << 10) - 4) / 2);
    let request = with(&[("FULL", &value)]);
    let id = client
        .reset(request)
        .await
        .unwrap()
        .into_inner()
        .state
        .unwrap()
        .episode_id;
    let code = "import os\nlen(os.environ['FULL'].encode()), os.popen('printf %s \"${#FULL}\"').read() != '0'";
    let reply = step(&mut client, step_request(&id, code)).await;
    assert_eq!(reply.observation.unwrap().result(), "(65532, True)");

    let status = client.reset(with(&[("FULL+", &value)])).await.unwrap_err();
    refused_field(&status, "environment", "65536");
    for (name, value) in [
        ("", "x"),
        ("A=B", "x"),
        ("A\0", "x"),
        ("A", "x\0"),
        ("LD_PRELOAD", "x"),
        ("LD_", ""),
        ("PYTHONPATH", "x"),
        ("PYTHON", ""),
    ] {
        let status = client
            .reset(with(&[(name, value), ("FINE", "x")]))
            .await
            .unwrap_err();
        let metadata = refused(&status, Code::InvalidArgument, "INVALID_FIELD");
        assert_eq!(metadata["fields"], format!("environment[{name:?}]"));
    }
    let allowed = [
        ("ld_preload", "1"),
        ("python", "2"),
        ("MY_PYTHONPATH", "3"),
        ("EMPTY", ""),
        ("EQ", "a=b"),
    ];
    let id = client
        .reset(with(&allowed))
        .await
        .unwrap()
        .into_inner()
        .state
        .unwrap()
        .episode_id;
    let code = "import os\n[os.environ[n] for n in ('ld_preload', 'python', 'MY_PYTHONPATH', 'EMPTY', 'EQ')]";
    let reply = step(&mut client, step_request(&id, code)).await;
    assert_eq!(
        reply.observation.unwrap().result(),
        "['1', '2', '3', '', 'a=b']"
    );
}

#[tokio::test]
async fn the_servers_limits_are_told_as_they_are_set() {
    let server = Server::start(&[
        "--max-episodes",
        "7",
        "--max-running-steps",
        "3",
        "--max-waiting-steps",
        "0",
        "--max-queued-steps",
        "0",
        "--max-source-bytes",
        "1000",
        "--max-output-bytes",
        "2000",
        "--max-result-bytes",
        "3000",
        "--max-displays",
        "5",
        "--max-display-bytes",
        "4000",
        "--max-step-timeout",
        "4s",
        "--step-timeout",
        "2s",
        "--max-step-cpu-time",
        "5s",
        "--max-idle-timeout",
        "6s",
        "--max-memory-bytes",
        "1073741824",
        "--max-open-files",
        "64",
        "--max-file-bytes",
        "2097152",
        "--max-total-memory-bytes",
        "134217728",
        "--max-processes",
        "9",
        "--max-workspace-bytes",
        "3145728",
        "--max-workspace-inodes",
        "100",
        "--max-cpu-percent",
        "250",
        "--interrupt-grace",
        "300ms",
        "--background-cpu-time",
        "700ms",
        "--worker-wait",
        "8s",
        "--kept-reply-bytes",
        "9000",
        "--session-grace",
        "5s",
        "--session-requests",
        "6",
        "--max-sessions",
        "4",
        "--transforms",
        "none",
        "--hash-seed",
        "11",
    ]);
    let mut client = server.raw().await;
    let info = client.get_server_info(GetServerInfoRequest {}).await;
    let info = info.unwrap().into_inner();
    let limits = info.server_limits.unwrap();
    assert_eq!(
        (
            limits.episodes,
            limits.running_steps,
            limits.waiting_steps,
            limits.queued_steps
        ),
        (7, 3, 0, 0)
    );
    assert_eq!(limits.request_bytes, 1000 + (1 << 20));
    assert_eq!(
        (limits.reply_bytes, limits.environment_bytes),
        (3_670_016, 65536)
    );
    assert_eq!(limits.default_step_timeout, seconds(2, 0));
    assert_eq!(limits.interrupt_grace, seconds(0, 300_000_000));
    assert_eq!(limits.background_cpu_time, seconds(0, 700_000_000));
    assert_eq!(limits.worker_wait, seconds(8, 0));
    assert_eq!(limits.kept_reply_bytes, 9000);
    assert_eq!(limits.representation_bytes, 1 << 20);
    assert_eq!((limits.sessions, limits.session_requests), (4, 6));
    assert_eq!(limits.session_grace, seconds(5, 0));
    let told = info.max_limits.unwrap();
    let expected = Limits {
        source_bytes: Some(1000),
        output_bytes: Some(2000),
        result_bytes: Some(3000),
        step_timeout: seconds(4, 0),
        step_cpu_time: seconds(5, 0),
        idle_timeout: seconds(6, 0),
        memory_bytes: Some(1 << 30),
        open_files: Some(64),
        file_bytes: Some(2 << 20),
        // Absent where they can't be held.
        total_memory_bytes: told.total_memory_bytes.map(|_| 128 << 20),
        processes: told.processes.map(|_| 9),
        workspace_bytes: told.workspace_bytes.map(|_| 3 << 20),
        workspace_inodes: told.workspace_inodes.map(|_| 100),
        cpu_percent: told.cpu_percent.map(|_| 250),
        displays: Some(5),
        display_bytes: Some(4000),
    };
    assert_eq!(told, expected);
    assert_eq!(info.default_limits, Some(expected));
    assert!(info.transforms.is_empty());
    assert_eq!(info.runtimes[0].hash_seed, 11);

    // Nothing may queue here: a second step of a busy episode is refused at once.
    client.reset(reset_request("e")).await.unwrap();
    let first = running(&client, "e", "import time\ntime.sleep(1.5)").await;
    let status = client.step(step_request("e", "1")).await.unwrap_err();
    let metadata = refused(&status, Code::ResourceExhausted, "STEP_QUEUE_FULL");
    assert_eq!(metadata["max"], "0");
    assert_eq!(first.await.unwrap().unwrap().outcome(), Outcome::Completed);
    assert!(first_reward_is_absent(&mut client).await);
}

/// Without transforms nothing has a reward.
async fn first_reward_is_absent(client: &mut CodingEnvClient<Channel>) -> bool {
    let reset = client
        .reset(ResetRequest::default())
        .await
        .unwrap()
        .into_inner();
    let id = reset.state.unwrap().episode_id;
    reset.reward.is_none() && step(client, step_request(&id, "1")).await.reward.is_none()
}
