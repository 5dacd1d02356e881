//! The admin address: what is exported, and that its documents and the dashboard know it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;

use coding_env::client::endpoint;
use coding_env::proto::v1::GetServerInfoRequest;
use coding_env::proto::v1::coding_env_client::CodingEnvClient;
use tokio::runtime::Runtime;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::cli::{program, shown};
use crate::sessions::{Wire, reset, step};
use crate::support::{PATIENCE, Server, field, state_request, wait_until};

const ADMIN: &str = "\"message\":\"admin\"";

fn start(flags: &[&str]) -> (Server, String) {
    let server = Server::start_open(&[&["--admin-listen", "127.0.0.1:0"], flags].concat());
    let address = field(&server.wait_for_log(ADMIN), "address");
    (server, address)
}

/// The status line and the body of a page.
fn page(address: &str, path: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.lines().next().unwrap().to_owned(), body.to_owned())
}

pub(crate) fn metrics(address: &str) -> String {
    let (status, body) = page(address, "/metrics");
    assert_eq!(status, "HTTP/1.1 200 OK");
    assert!(body.ends_with("# EOF\n"), "{body}");
    body
}

/// The value of a sample, named with its labels as on the page.
pub(crate) fn sample(page: &str, name: &str) -> f64 {
    let found = page
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    found
        .unwrap_or_else(|| panic!("no {name} in {page}"))
        .parse()
        .unwrap()
}

struct Family {
    kind: String,
    help: String,
    labels: BTreeSet<String>,
}

/// What a page exports, by the names that queries use: a counter's end in `_total`.
fn families(page: &str) -> BTreeMap<String, Family> {
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    let mut helps = BTreeMap::new();
    for line in page.lines() {
        if let Some(text) = line.strip_prefix("# HELP ") {
            let (name, help) = text.split_once(' ').unwrap();
            helps.insert(name.to_owned(), help.trim_end_matches('.').to_owned());
        } else if let Some(text) = line.strip_prefix("# TYPE ") {
            let (name, kind) = text.split_once(' ').unwrap();
            let suffix = if kind == "counter" { "_total" } else { "" };
            let family = Family {
                kind: kind.to_owned(),
                help: helps[name].clone(),
                labels: BTreeSet::new(),
            };
            families.insert(format!("{name}{suffix}"), family);
        } else if !line.starts_with('#') {
            let (name, labels) = line.split_once('{').unwrap_or((line, ""));
            let name = name.split(' ').next().unwrap().trim_end_matches("_bucket");
            let Some(family) = families.get_mut(name) else {
                continue;
            };
            let labels = labels.split_once('}').map_or("", |(labels, _)| labels);
            let names = labels.split(',').filter_map(|label| label.split_once('='));
            family.labels.extend(
                names
                    .map(|(name, _)| name.to_owned())
                    .filter(|name| name != "le"),
            );
        }
    }
    families
}

fn file(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

#[tokio::test]
async fn what_happens_is_counted() {
    let (server, admin) = start(&["--max-episodes", "7"]);
    let mut env = server.env().await;
    env.reset().await.unwrap();
    env.step("1").await.unwrap();
    env.step("1 / 0").await.unwrap();
    let files = env.files().unwrap();
    files.write([("a", "four")]).await.unwrap();
    files.write([("a/b", "x")]).await.unwrap_err();
    files.read(&["*"]).await.unwrap();
    files.list(&[]).await.unwrap();
    files.delete(&["a"], false).await.unwrap();
    env.step("import os; os._exit(3)").await.unwrap();
    env.step("1").await.unwrap_err();
    let mut raw = server.raw().await;
    raw.get_state(state_request("nobody")).await.unwrap_err();

    let during = metrics(&admin);
    for (name, value) in [
        ("coding_env_episodes", 1.0),
        ("coding_env_episodes_limit", 7.0),
        // The canary's too.
        ("coding_env_resets_total", 2.0),
        ("coding_env_reset_duration_seconds_count", 2.0),
        ("coding_env_step_duration_seconds_count", 4.0),
        ("coding_env_step_queue_duration_seconds_count", 4.0),
        ("coding_env_steps_total{outcome=\"completed\"}", 2.0),
        ("coding_env_steps_total{outcome=\"raised\"}", 1.0),
        ("coding_env_steps_total{outcome=\"killed\"}", 1.0),
        ("coding_env_interpreters_lost_total{cause=\"program\"}", 1.0),
        ("coding_env_refusals_total{reason=\"EPISODE_LOST\"}", 1.0),
        (
            "coding_env_refusals_total{reason=\"EPISODE_NOT_FOUND\"}",
            1.0,
        ),
        ("coding_env_file_calls_total{call=\"write\"}", 2.0),
        ("coding_env_file_calls_total{call=\"read\"}", 1.0),
        ("coding_env_file_calls_total{call=\"list\"}", 1.0),
        ("coding_env_file_calls_total{call=\"delete\"}", 1.0),
        ("coding_env_file_bytes_total{direction=\"in\"}", 4.0),
        ("coding_env_file_bytes_total{direction=\"out\"}", 4.0),
        ("coding_env_file_failures_total", 1.0),
        ("coding_env_file_calls_running", 0.0),
        ("coding_env_file_calls_waiting", 0.0),
        ("coding_env_isolation_level_info{level=\"none\"}", 1.0),
        (
            "coding_env_isolation_layer_enforced{layer=\"namespaces\"}",
            0.0,
        ),
        ("coding_env_draining", 0.0),
        ("coding_env_checkpoints", 0.0),
        ("coding_env_checkpoint_bytes", 0.0),
        ("coding_env_evaluations_running", 0.0),
    ] {
        assert!(
            (sample(&during, name) - value).abs() < 0.5,
            "{name}: {during}"
        );
    }
    assert!(sample(&during, "coding_env_step_duration_seconds_sum") > 0.0);
    env.close().await.unwrap();
    let after = metrics(&admin);
    assert!(sample(&after, "coding_env_episodes").abs() < 0.5);
    assert!(sample(&after, "coding_env_episodes_ended_total{how=\"closed\"}") > 1.5);
    wait_until("the pool is full again", || {
        sample(
            &metrics(&admin),
            "coding_env_warm_workers{runtime=\"default\"}",
        ) > 15.5
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_are_counted() {
    let (server, admin) = start(&["--session-grace", "1h"]);
    let told = |names: [&str; 4]| names.map(|name| sample(&metrics(&admin), name) as u32);
    let held = || {
        told([
            "coding_env_sessions{stream=\"attached\"}",
            "coding_env_sessions{stream=\"broken\"}",
            "coding_env_session_requests_running",
            "coding_env_session_answers_waiting",
        ])
    };
    let totals = || {
        told([
            "coding_env_session_streams_total{how=\"opened\"}",
            "coding_env_session_streams_total{how=\"taken_over\"}",
            "coding_env_sessions_ended_total{how=\"closed\"}",
            "coding_env_sessions_ended_total{how=\"forgotten\"}",
        ])
    };
    assert_eq!((held(), totals()), ([0; 4], [0; 4]));
    assert_eq!(
        sample(&metrics(&admin), "coding_env_sessions_limit"),
        1024.0
    );

    let (apart, first) = open_apart(&server);
    first.ask(2, reset("e")).await;
    let code = "import time\nwhile True: time.sleep(0.01)";
    first.ask(3, step("e", 0, code)).await;
    first.ask(4, step("e", 1, "1")).await;
    wait_until("two are asked for", || held() == [1, 0, 2, 0]);
    apart.shutdown_background();
    wait_until("it is broken", || held() == [0, 1, 2, 0]);
    let (mut second, resumed) = Wire::open(&server, "s", 0).await;
    assert!(resumed);
    second.answers(1).await;
    assert_eq!((held(), totals()), ([1, 0, 2, 0], [1, 1, 0, 0]));
    drop(second.requests);
    wait_until("it is closed", || held() == [0; 4]);
    assert_eq!(totals(), [1, 1, 1, 0]);

    let (server, admin) = start(&["--session-grace", "0s"]);
    let (apart, kept) = open_apart(&server);
    apart.shutdown_background();
    let forgotten = "coding_env_sessions_ended_total{how=\"forgotten\"}";
    wait_until("it is forgotten", || {
        sample(&metrics(&admin), forgotten) > 0.5
    });
    drop(kept);
}

/// A session whose connection ends with a runtime of its own. A stream that is dropped may end in order before it is reset.
fn open_apart(server: &Server) -> (Runtime, Wire) {
    std::thread::scope(|scope| {
        let opening = scope.spawn(|| {
            let runtime = Runtime::new().unwrap();
            let wire = runtime.block_on(Wire::open(server, "s", 0)).0;
            (runtime, wire)
        });
        opening.join().unwrap()
    })
}

#[tokio::test]
async fn health_is_told_in_plain_text_and_nothing_else() {
    let (server, admin) = start(&[]);
    assert_eq!(page(&admin, "/healthz").0, "HTTP/1.1 200 OK");
    assert_eq!(
        page(&admin, "/readyz"),
        ("HTTP/1.1 200 OK".to_owned(), "ready\n".to_owned())
    );
    assert_eq!(page(&admin, "/").0, "HTTP/1.1 404 Not Found");
    let url = format!("http://{admin}");
    let channel = endpoint(&url, &coding_env::client::Options::default())
        .unwrap()
        .connect()
        .await
        .unwrap();
    for service in ["", "liveness", "readiness", "coding_env.v1.CodingEnv"] {
        let service = service.to_owned();
        HealthClient::new(channel.clone())
            .check(HealthCheckRequest { service })
            .await
            .unwrap();
    }
    let episodes = CodingEnvClient::new(channel)
        .get_server_info(GetServerInfoRequest {})
        .await;
    assert_ne!(episodes.unwrap_err().code(), Code::Ok);

    // The command finds it by the server's own setting, whatever the port itself asks for.
    let found = program(&["health"])
        .env("CODING_ENV_ADMIN_LISTEN", &admin)
        .env("CODING_ENV_TLS_CERT", "/some/certificate")
        .output();
    let (out, told, code) = shown(&found.unwrap());
    assert_eq!((out.as_str(), code), ("SERVING\n", Some(0)), "{told}");

    let mut env = server.env().await;
    env.reset().await.unwrap();
    server.signal("TERM");
    wait_until("the drain is told", || {
        page(&admin, "/readyz").0 == "HTTP/1.1 503 Service Unavailable"
    });
    assert!(sample(&metrics(&admin), "coding_env_draining") > 0.5);
    env.close().await.unwrap();
}

#[test]
fn the_table_of_metrics_is_what_is_exported() {
    let (_server, admin) = start(&[]);
    let mut table = String::from("| name | kind | labels | what it is |\n|---|---|---|---|\n");
    for (name, family) in families(&metrics(&admin)) {
        let Family { kind, help, labels } = family;
        let labels: Vec<String> = labels.iter().map(|label| format!("`{label}`")).collect();
        let labels = labels.join(", ");
        writeln!(table, "| `{name}` | {kind} | {labels} | {help} |").unwrap();
    }
    let document = file("docs/metrics.md");
    let told: String = document
        .lines()
        .filter(|line| line.starts_with('|'))
        .map(|line| format!("{line}\n"))
        .collect();
    assert_eq!(told, table);
}

#[test]
fn the_dashboard_asks_for_what_is_exported() {
    let (_server, admin) = start(&[]);
    let mut exported = BTreeSet::new();
    for (name, family) in families(&metrics(&admin)) {
        if family.kind == "histogram" {
            exported.extend(["_bucket", "_sum", "_count"].map(|suffix| format!("{name}{suffix}")));
        } else {
            exported.insert(name);
        }
    }
    let dashboard: serde_json::Value =
        serde_json::from_str(&file("deploy/grafana/coding-env.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let mut asked = BTreeSet::new();
    for panel in panels {
        let targets = panel["targets"].as_array().unwrap();
        assert!(!targets.is_empty(), "{panel}");
        for target in targets {
            let expression = target["expr"].as_str().unwrap();
            let names: Vec<&str> = expression
                .split(|char: char| !char.is_ascii_alphanumeric() && char != '_')
                .filter(|word| word.starts_with("coding_env_"))
                .collect();
            assert!(!names.is_empty(), "{expression}");
            for name in names {
                assert!(exported.contains(name), "{name} of {expression}");
                asked.insert(name.to_owned());
            }
        }
    }
    assert!(asked.len() > 15, "{asked:?}");
}
