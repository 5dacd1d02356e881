//! What cells are made for beside an ordinary Reset: limits of their own, loopback, and templates that are rotated.

use coding_env::client::{Reason, ResetOptions};
use coding_env::proto::v1;

use crate::support::{Server, comm, command_line, wait_until};

/// Serves and calls itself, on a port that every episode may take.
const SERVE: &str = "import socket
server = socket.create_server(('127.0.0.1', 8080))
client = socket.create_connection(('127.0.0.1', 8080))
inner, _ = server.accept()
client.sendall(b'hello')
print(inner.recv(5).decode())";

/// Whether the server has a layer.
async fn has(server: &Server, layer: &str) -> bool {
    let info = server.env().await.server_info().await.unwrap();
    let layers = info.isolation.unwrap().layers;
    let found = layers.iter().find(|known| known.name == layer).unwrap();
    found.state() == v1::IsolationLayerState::Enforced
}

fn with_loopback() -> ResetOptions {
    let mut options = ResetOptions::default();
    options.network = v1::Network::Loopback;
    options
}

#[tokio::test]
async fn loopback_is_an_episodes_own_and_only_on_request() {
    let server = Server::start(&["--warm-workers", "1"]);
    let (mut one, mut other, mut plain) =
        (server.env().await, server.env().await, server.env().await);
    if !has(&server, "loopback").await {
        let error = one.reset_with(with_loopback()).await.unwrap_err();
        assert_eq!(error.reason(), Some(&Reason::InvalidField), "{error}");
        return;
    }
    // The same port in both: neither is the host's, nor the other's.
    for env in [&mut one, &mut other] {
        env.reset_with(with_loopback()).await.unwrap();
        assert_eq!(env.step(SERVE).await.unwrap().stdout(), "hello\n");
    }
    plain.reset().await.unwrap();
    let reply = plain.step(SERVE).await.unwrap();
    assert!(reply.stderr().contains("PermissionError"), "{reply:?}");
    // There is nothing but loopback.
    let out = "import socket
for host in ('192.0.2.1', '127.0.0.1'):
    try: socket.create_connection((host, 9), 5)
    except OSError as error: print(type(error).__name__, error.errno)";
    let reply = one.step(out).await.unwrap();
    assert_eq!(reply.stdout(), "OSError 101\nConnectionRefusedError 111\n");
}

#[tokio::test]
async fn a_template_is_rotated_and_its_episodes_go_on() {
    let server = Server::start(&["--warm-workers", "2", "--template-cells", "5"]);
    let templates = || {
        let mut found = server.processes_named("coding-env-template-default");
        found.retain(|pid| comm(*pid).is_some_and(|name| name.starts_with("python")));
        // A worker has its reaper above it, a template the warden.
        found.retain(|pid| {
            let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
            let parent = status.lines().find_map(|line| line.strip_prefix("PPid:"));
            parent.is_some_and(|parent| {
                command_line(parent.trim().parse().unwrap()).contains("coding-env-warden")
            })
        });
        found
    };
    let first = templates();
    let mut kept = server.env().await;
    kept.reset().await.unwrap();
    kept.step("kept = 1").await.unwrap();
    let mut env = server.env().await;
    for _ in 0..12 {
        env.reset().await.unwrap();
        assert_eq!(env.step("1 + 1").await.unwrap().result(), Some("2"));
    }
    wait_until("the first template has gone", || {
        templates().iter().all(|pid| !first.contains(pid))
    });
    assert_eq!(kept.step("kept").await.unwrap().result(), Some("1"));
    env.reset().await.unwrap();
    assert_eq!(env.step("6 * 7").await.unwrap().result(), Some("42"));
}
