//! Traces, as a collector sees them.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};

use coding_env::client::CodingEnv;
use coding_env::proto::v1::coding_env_client::CodingEnvClient;
use coding_env::proto::v1::{EpisodeStatus, GetStateResponse};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use tonic::codec::CompressionEncoding;
use tonic::transport::{Channel, Identity, ServerTlsConfig};
use tonic::{Request, Response, Status};

use crate::refusals::{close_request, reset_request, step_request};
use crate::support::{PATIENCE, Server, is_running, state_request, wait_until};
use crate::tls::Authority;

/// Sends what there is every few milliseconds, not every five seconds.
const SOON: (&str, &str) = ("OTEL_BSP_SCHEDULE_DELAY", "20");
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CALLER: &str = "b7ad6b7169203331";

/// A collector, which keeps what it gets.
#[derive(Clone, Default)]
struct Collector {
    requests: Arc<Mutex<Vec<ExportTraceServiceRequest>>>,
    /// `x-key` of each request.
    headers: Arc<Mutex<Vec<Option<String>>>>,
}

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let key = request.metadata().get("x-key");
        let key = key.map(|key| key.to_str().unwrap().to_owned());
        self.headers.lock().unwrap().push(key);
        self.requests.lock().unwrap().push(request.into_inner());
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

impl Collector {
    /// Starts one, and tells where it is.
    async fn start() -> (Self, String) {
        let (collector, address) = Self::serve(tonic::transport::Server::builder()).await;
        (collector, format!("http://{address}"))
    }

    async fn serve(mut server: tonic::transport::Server) -> (Self, SocketAddr) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let collector = Self::default();
        let serving = server
            .add_service(
                TraceServiceServer::new(collector.clone())
                    .accept_compressed(CompressionEncoding::Gzip),
            )
            .serve_with_incoming(tonic::transport::server::TcpIncoming::from(listener));
        tokio::spawn(serving);
        (collector, address)
    }

    fn spans(&self) -> Vec<Span> {
        let requests = self.requests.lock().unwrap().clone();
        requests
            .into_iter()
            .flat_map(|request| request.resource_spans)
            .flat_map(|resource| resource.scope_spans)
            .flat_map(|scope| scope.spans)
            .collect()
    }

    /// Waits for the spans with this name.
    fn wait(&self, name: &str, count: usize) -> Vec<Span> {
        let named = || {
            let mut spans = self.spans();
            spans.retain(|span| span.name == name);
            spans
        };
        wait_until("the spans have arrived", || named().len() >= count);
        let spans = named();
        assert_eq!(spans.len(), count, "{spans:#?}");
        spans
    }

    /// Who sent them.
    fn resource(&self) -> Vec<KeyValue> {
        let requests = self.requests.lock().unwrap();
        let resource = requests[0].resource_spans[0].resource.as_ref();
        resource.unwrap().attributes.clone()
    }
}

/// An attribute, as text.
fn attribute(attributes: &[KeyValue], name: &str) -> Option<String> {
    let found = attributes.iter().find(|pair| pair.key == name)?;
    Some(match found.value.clone()?.value? {
        Value::StringValue(text) => text,
        Value::IntValue(number) => number.to_string(),
        Value::DoubleValue(number) => number.to_string(),
        other => panic!("{name} is {other:?}"),
    })
}

fn told<const N: usize>(span: &Span, names: [&str; N]) -> [Option<String>; N] {
    names.map(|name| attribute(&span.attributes, name))
}

fn some<const N: usize>(values: [&str; N]) -> [Option<String>; N] {
    values.map(|value| Some(value.to_owned()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A request of a caller who has a trace of its own, which it wants kept or not.
fn traced<T>(message: T, sampled: bool) -> Request<T> {
    let mut request = Request::new(message);
    let parent = format!("00-{TRACE}-{CALLER}-0{}", u8::from(sampled));
    let metadata = request.metadata_mut();
    metadata.insert("traceparent", parent.parse().unwrap());
    metadata.insert("tracestate", "vendor=opaque".parse().unwrap());
    request
}

async fn reset(client: &mut CodingEnvClient<Channel>, id: &str) {
    client.reset(reset_request(id)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_finds_its_calls_and_steps_in_its_own_trace_without_what_they_said() {
    let (collector, url) = Collector::start().await;
    let server = Server::start_with(
        &["--isolation", "none", "--otlp-endpoint", &url],
        &[SOON, ("OTEL_RESOURCE_ATTRIBUTES", "deployment=lab")],
    );
    let mut client = server.raw().await;
    reset(&mut client, "mine").await;
    let code = "print('the secret output')\nraise ValueError('the secret error')";
    let request = traced(step_request("mine", code), true);
    client.step(request).await.unwrap();

    let [call] = &collector.wait("coding_env.v1.CodingEnv/Step", 1)[..] else {
        panic!("one call is one span");
    };
    assert_eq!((hex(&call.trace_id).as_str(), call.kind), (TRACE, 2)); // SPAN_KIND_SERVER
    assert_eq!(hex(&call.parent_span_id), CALLER);
    assert_eq!(call.trace_state, "vendor=opaque");
    let names = [
        "rpc.system",
        "rpc.service",
        "rpc.method",
        "rpc.grpc.status_code",
        "coding_env.episode_id",
    ];
    let values = ["grpc", "coding_env.v1.CodingEnv", "Step", "0", "mine"];
    assert_eq!(told(call, names), some(values));

    let [step] = &collector.wait("step", 1)[..] else {
        panic!("one step is one span");
    };
    assert_eq!(hex(&step.trace_id), TRACE);
    assert_eq!(step.parent_span_id, call.span_id);
    let names = [
        "coding_env.episode_id",
        "coding_env.step_index",
        "coding_env.outcome",
        "coding_env.exit_code",
        "coding_env.state_after",
    ];
    assert_eq!(
        told(step, names),
        some(["mine", "0", "raised", "1", "intact"])
    );
    for seconds in ["coding_env.queued_seconds", "coding_env.cpu_seconds"] {
        let seconds: f64 = attribute(&step.attributes, seconds)
            .unwrap()
            .parse()
            .unwrap();
        assert!((0.0..30.0).contains(&seconds), "{seconds}");
    }
    assert!(call.start_time_unix_nano <= step.start_time_unix_nano);
    assert!(step.start_time_unix_nano < step.end_time_unix_nano);
    assert!(step.end_time_unix_nano <= call.end_time_unix_nano);

    // The Reset came without a trace, so it began one.
    let [reset] = &collector.wait("coding_env.v1.CodingEnv/Reset", 1)[..] else {
        panic!("one call is one span");
    };
    assert!(reset.parent_span_id.is_empty() && hex(&reset.trace_id) != TRACE);
    let resource = collector.resource();
    for (name, value) in [
        ("service.name", "coding-env"),
        ("service.instance.id", "test"),
        ("service.version", env!("CARGO_PKG_VERSION")),
        ("deployment", "lab"),
    ] {
        assert_eq!(attribute(&resource, name).as_deref(), Some(value), "{name}");
    }
    let all = format!("{:?}", collector.requests.lock().unwrap());
    assert!(!all.contains("secret") && !all.contains("print"), "{all}");
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_have_their_reason_and_nobody_is_traced_against_the_callers_will_or_without_a_token()
 {
    const TOKEN: &str = "trainer-0123456789abcdefghijklmno";
    let (collector, url) = Collector::start().await;
    let tokens = tempfile::NamedTempFile::new().unwrap();
    fs::write(tokens.path(), format!("trainer {TOKEN}\n")).unwrap();
    // As every program of OpenTelemetry takes it.
    let server = Server::start_with(
        &[
            "--isolation",
            "none",
            "--tokens-file",
            tokens.path().to_str().unwrap(),
        ],
        &[SOON, ("OTEL_EXPORTER_OTLP_ENDPOINT", &url)],
    );
    let mut client = server.raw().await;
    let bearing = |mut request: Request<_>| {
        let value = format!("Bearer {TOKEN}").parse().unwrap();
        request.metadata_mut().insert("authorization", value);
        request
    };
    let request = traced(state_request("nobodys"), true);
    client.get_state(request).await.unwrap_err();
    let request = bearing(traced(state_request("unsampled"), false));
    client.get_state(request).await.unwrap_err();
    let long = "x".repeat(100_000);
    for id in ["unknown", &long] {
        let request = bearing(traced(state_request(id), true));
        client.get_state(request).await.unwrap_err();
    }

    let spans = collector.wait("coding_env.v1.CodingEnv/GetState", 2);
    let names = [
        "coding_env.episode_id",
        "rpc.grpc.status_code",
        "error.type",
    ];
    assert_eq!(
        told(&spans[0], names),
        some(["unknown", "5", "EPISODE_NOT_FOUND"])
    );
    let invalid = [None, Some("3".to_owned()), Some("INVALID_FIELD".to_owned())];
    assert_eq!(told(&spans[1], names), invalid);
    let all = format!("{:?}", collector.requests.lock().unwrap());
    assert!(!all.contains(TOKEN) && !all.contains("unsampled") && !all.contains("nobodys"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_whose_caller_has_gone_is_told_and_belongs_to_its_call() {
    let (collector, url) = Collector::start().await;
    let server = Server::start_with(&["--isolation", "none", "--otlp-endpoint", &url], &[SOON]);
    let mut client = server.raw().await;
    reset(&mut client, "mine").await;
    let file = server.state_dir().join("go");
    let code = format!(
        "import os, time\nwhile not os.path.exists({:?}):\n    time.sleep(0.005)",
        file.to_str().unwrap()
    );
    let mut goes = client.clone();
    let step = async move { goes.step(step_request("mine", &code)).await };
    let call = tokio::spawn(step);
    let runs = async {
        let mut state = GetStateResponse::default();
        while state.status() != EpisodeStatus::Running {
            state = client
                .get_state(state_request("mine"))
                .await
                .unwrap()
                .into_inner();
        }
    };
    tokio::time::timeout(PATIENCE, runs).await.unwrap();
    call.abort();
    let [call] = &collector.wait("coding_env.v1.CodingEnv/Step", 1)[..] else {
        panic!("one call is one span");
    };
    // CANCELLED
    assert_eq!(told(call, ["rpc.grpc.status_code"]), some(["1"]));
    fs::write(&file, "").unwrap();
    let [step] = &collector.wait("step", 1)[..] else {
        panic!("one step is one span");
    };
    assert_eq!(step.parent_span_id, call.span_id);
    assert_eq!(told(step, ["coding_env.outcome"]), some(["completed"]));
    assert!(step.end_time_unix_nano > call.end_time_unix_nano);
    fs::remove_file(&file).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_with_tls_is_believed_when_its_authority_is_and_gets_the_headers() {
    let [authority, other] = [Authority::new(), Authority::new()];
    let (certificate, key) = authority.certify("127.0.0.1");
    let tls = ServerTlsConfig::new().identity(Identity::from_pem(certificate, key));
    let server = tonic::transport::Server::builder().tls_config(tls).unwrap();
    let (collector, address) = Collector::serve(server).await;
    let url = format!("https://{address}");
    let folder = tempfile::tempdir().unwrap();
    for (authority, is_believed) in [(&other, false), (&authority, true)] {
        let roots = folder.path().join("roots.pem");
        fs::write(&roots, &authority.pem).unwrap();
        let variables = [
            SOON,
            ("OTEL_EXPORTER_OTLP_CERTIFICATE", roots.to_str().unwrap()),
            ("OTEL_EXPORTER_OTLP_HEADERS", "x-key=secret"),
            ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "1000"),
        ];
        let flags = ["--isolation", "none", "--otlp-endpoint", &url];
        let mut server = Server::start_with(&flags, &variables);
        server.expect_log("traces can't be sent");
        reset(&mut server.raw().await, "mine").await;
        if is_believed {
            collector.wait("coding_env.v1.CodingEnv/Reset", 1);
        } else {
            server.wait_for_log("traces can't be sent");
            assert!(collector.spans().is_empty());
        }
        assert!(!server.log().join("\n").contains("x-key=secret"));
    }
    let headers = collector.headers.lock().unwrap();
    assert!(
        headers
            .iter()
            .all(|header| header.as_deref() == Some("secret"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_the_server_sends_what_is_left() {
    let (collector, url) = Collector::start().await;
    let flags = ["--isolation", "none", "--otlp-endpoint", &url];
    // Not within this test.
    let mut server = Server::start_with(&flags, &[("OTEL_BSP_SCHEDULE_DELAY", "3600000")]);
    let mut client = server.raw().await;
    reset(&mut client, "mine").await;
    client.step(step_request("mine", "1")).await.unwrap();
    client.close(close_request("mine")).await.unwrap();
    assert!(collector.spans().is_empty());
    server.signal("TERM");
    assert!(server.wait().success());
    let mut names: Vec<String> = collector
        .spans()
        .into_iter()
        .map(|span| span.name.replace("coding_env.v1.CodingEnv/", ""))
        .collect();
    names.sort();
    assert_eq!(names, ["Close", "Reset", "Step", "step"]);
    let log = server.wait_for_log("the traces have ended");
    assert!(log.contains("\"dropped\":0"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_never_answers_stops_neither_steps_nor_the_end() {
    /// Many times the queue.
    const STEPS: u32 = 100;
    // One accepts connections and never reads; one is not there.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let gone = TcpListener::bind("127.0.0.1:0").unwrap();
    let urls = [&silent, &gone].map(|listener| {
        let address = listener.local_addr().unwrap();
        format!("http://{address}")
    });
    drop(gone);
    for (url, timeout) in urls.iter().zip(["600000", "50"]) {
        let small = [
            SOON,
            ("OTEL_BSP_MAX_QUEUE_SIZE", "8"),
            ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "4"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", timeout),
        ];
        let flags = ["--isolation", "none", "--otlp-endpoint", url];
        let mut server = Server::start_with(&flags, &small);
        server.expect_log("traces can't be sent");
        let mut env = CodingEnv::connect(&server.url()).await.unwrap();
        env.reset().await.unwrap();
        for step in 0..STEPS {
            let reply = env.step(format!("{step}")).await.unwrap();
            assert_eq!(reply.result(), Some(step.to_string().as_str()));
        }
        env.close().await.unwrap();
        if timeout == "50" {
            server.wait_for_log("traces can't be sent");
        }
        let processes = server.processes();
        server.signal("TERM");
        assert!(server.wait().success());
        assert!(processes.iter().all(|pid| !is_running(*pid)));
        let log = server.wait_for_log("the traces have ended");
        assert!(log.contains("\"sent\":0"), "{log}");
    }
}

#[test]
fn a_collector_that_can_not_be_refuses_the_start() {
    for (flags, variables, named) in [
        (
            ["--otlp-endpoint", "collector:4317"].as_slice(),
            [].as_slice(),
            "--otlp-endpoint",
        ),
        (&["--otlp-endpoint", ""], &[], "--otlp-endpoint"),
        (&["--otlp-endpoint", "ftp://collector"], &[], "http://HOST"),
        (
            &["--otlp-endpoint", "http://me:word@collector"],
            &[],
            "OTEL_EXPORTER_OTLP_HEADERS",
        ),
        (
            &[],
            &[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "nowhere")],
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        ),
        (
            &["--otlp-endpoint", "http://127.0.0.1:4318"],
            &[("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")],
            "OTEL_EXPORTER_OTLP_PROTOCOL is `http/protobuf`",
        ),
    ] {
        let refused = Server::start_or_refuse_with(flags, variables);
        let log = refused.err().expect("it starts");
        assert!(log.contains(named), "{log}");
        assert!(log.contains("exit status: 64"), "{log}");
        assert!(!log.contains("word"), "{log}");
    }
    // What the standard variables turn on they can turn off.
    for off in [
        ("OTEL_SDK_DISABLED", "true"),
        ("OTEL_TRACES_EXPORTER", "none"),
    ] {
        let on = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1");
        let server = Server::start_with(&["--isolation", "none"], &[on, off]);
        assert!(
            !server
                .log()
                .iter()
                .any(|line| line.contains("\"message\":\"traces\""))
        );
    }
}
