//! The spans, and the thread that sends them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use http::{Extensions, HeaderMap};
use opentelemetry::propagation::{Extractor, TextMapPropagator as _};
use opentelemetry::trace::{
    Span as _, SpanContext, SpanKind, Status, TraceContextExt as _, Tracer as _,
    TracerProvider as _,
};
use opentelemetry::{Context, Key, KeyValue};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _, WithTonicConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider, SpanData};
use tonic::transport::{Certificate, ClientTlsConfig};

use super::StepSpan;
use super::layer::TraceLayer;

/// The longest `tracestate` that is passed on: what W3C Trace Context asks for at least (section 3.3.1.5).
const TRACE_STATE_BYTES_MAX: usize = 512;
/// The longest id of an episode.
const EPISODE_ID_BYTES_MAX: usize = 128;
/// The variables that name a collector to every program of OpenTelemetry, the one that counts first.
const ENDPOINT_VARIABLES: [&str; 2] = [
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
];
/// Those that name a protocol to them.
const PROTOCOL_VARIABLES: [&str; 2] = [
    "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
    "OTEL_EXPORTER_OTLP_PROTOCOL",
];
/// Those that name a file of authorities (PEM) for `https`, instead of the system's.
const CERTIFICATE_VARIABLES: [&str; 2] = [
    "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_CERTIFICATE",
];
/// gRPC's codes that are a server's fault, and so the span's: OpenTelemetry, "Semantic conventions for gRPC".
const SERVER_FAULTS: [i32; 6] = [2, 4, 12, 13, 14, 15];
/// gRPC's code of a call whose caller has gone.
const CANCELLED: i32 = 1;

/// A collector's address that can be used.
pub(crate) fn check_endpoint(endpoint: &str) -> Result<(), String> {
    let uri: http::Uri = endpoint
        .parse()
        .map_err(|error| format!("it has to be a URL: {error}"))?;
    if !matches!(uri.scheme_str(), Some("http" | "https")) || uri.host().is_none_or(str::is_empty) {
        return Err("it has to be http://HOST:PORT or https://HOST:PORT".to_owned());
    }
    if uri.authority().is_some_and(|at| at.as_str().contains('@')) {
        return Err(
            "what proves who sends belongs into OTEL_EXPORTER_OTLP_HEADERS, not into the URL"
                .to_owned(),
        );
    }
    match variable(&PROTOCOL_VARIABLES) {
        Some((name, protocol)) if protocol != "grpc" => Err(format!(
            "{name} is `{protocol}`: this server speaks OTLP over gRPC alone (`grpc`, most often port 4317)"
        )),
        _ => Ok(()),
    }
}

/// The collector that OpenTelemetry's own variables name, unless they turn it off.
pub(crate) fn standard_endpoint() -> Result<Option<String>, String> {
    let is = |name, value: &str| {
        std::env::var(name).is_ok_and(|found| found.eq_ignore_ascii_case(value))
    };
    if is("OTEL_SDK_DISABLED", "true") || is("OTEL_TRACES_EXPORTER", "none") {
        return Ok(None);
    }
    match variable(&ENDPOINT_VARIABLES) {
        None => Ok(None),
        Some((name, endpoint)) => check_endpoint(&endpoint)
            .map(|()| Some(endpoint))
            .map_err(|error| format!("{name}: {error}")),
    }
}

/// The first of these variables that says something.
fn variable(names: &[&'static str]) -> Option<(&'static str, String)> {
    names.iter().find_map(|name| {
        let value = std::env::var(name).ok()?;
        (!value.is_empty()).then_some((*name, value))
    })
}

/// The traces of a server. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Traces(Option<Arc<Live>>);

#[derive(Debug)]
struct Live {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
    propagator: TraceContextPropagator,
    ended: AtomicU64,
    sent: Arc<Sent>,
}

impl Traces {
    /// Begins to send to a collector, which need not be there. Without one there are no traces. To be called in a runtime.
    pub(crate) fn start(endpoint: Option<&str>, server_id: &str) -> Result<Self, String> {
        let Some(endpoint) = endpoint else {
            return Ok(Self(None));
        };
        let mut exporter = SpanExporter::builder().with_tonic().with_endpoint(endpoint);
        if endpoint
            .parse()
            .is_ok_and(|uri: http::Uri| uri.scheme_str() == Some("https"))
        {
            exporter = exporter.with_tls_config(authorities()?);
        }
        let exporter = exporter.build().map_err(|error| error.to_string())?;
        let sent = Arc::new(Sent::default());
        let provider = SdkTracerProvider::builder()
            .with_resource(resource(server_id))
            .with_batch_exporter(Telling {
                exporter,
                sent: Arc::clone(&sent),
            })
            .build();
        tracing::info!(endpoint, "traces");
        Ok(Self(Some(Arc::new(Live {
            tracer: provider.tracer("coding_env"),
            provider,
            propagator: TraceContextPropagator::new(),
            ended: AtomicU64::new(0),
            sent,
        }))))
    }

    pub(crate) fn layer(&self) -> TraceLayer {
        TraceLayer::new(self.clone())
    }

    /// The span of a call, below the caller's. None where nobody wants one.
    pub(super) fn call(&self, path: &str, headers: &HeaderMap) -> Option<Call> {
        let live = self.0.as_ref()?;
        let (service, method) = path.strip_prefix('/')?.split_once('/')?;
        let above = live
            .propagator
            .extract_with_context(&Context::new(), &Headers(headers));
        let span = live
            .tracer
            .span_builder(format!("{service}/{method}"))
            .with_kind(SpanKind::Server)
            .with_attributes([
                KeyValue::new("rpc.system", "grpc"),
                KeyValue::new("rpc.service", service.to_owned()),
                KeyValue::new("rpc.method", method.to_owned()),
            ])
            .start_with_context(&live.tracer, &above);
        span.is_recording().then(|| {
            Call(Some(Begun {
                live: Arc::clone(live),
                context: Context::new().with_span(span),
            }))
        })
    }

    /// Sends what is left, if the collector takes it within this time.
    pub(crate) async fn end(&self, within: Duration) {
        let Some(live) = self.0.clone() else {
            return;
        };
        let ending = tokio::task::spawn_blocking(move || {
            let result = live.provider.shutdown_with_timeout(within);
            let sent = live.sent.count.load(Ordering::Relaxed);
            let dropped = live.ended.load(Ordering::Relaxed).saturating_sub(sent);
            let error = result.err().map(|error| error.to_string());
            tracing::info!(sent, dropped, error, "the traces have ended");
        });
        drop(ending.await);
    }
}

/// Whose certificates a collector may show.
fn authorities() -> Result<ClientTlsConfig, String> {
    let tls = ClientTlsConfig::new();
    let Some((name, path)) = variable(&CERTIFICATE_VARIABLES) else {
        return Ok(tls.with_enabled_roots());
    };
    let pem = std::fs::read(&path).map_err(|error| format!("{name}: {path}: {error}"))?;
    Ok(tls.ca_certificate(Certificate::from_pem(pem)))
}

/// Who sends the spans. What the standard variables say of that comes first.
fn resource(server_id: &str) -> Resource {
    let told = Resource::builder().build();
    let name = told.get(&Key::from_static_str("service.name"));
    let named = name.is_some_and(|name| !name.as_str().starts_with("unknown_service"));
    let mut builder = Resource::builder();
    if !named {
        builder = builder.with_service_name("coding-env");
    }
    for (key, value) in [
        ("service.instance.id", server_id),
        ("service.version", env!("CARGO_PKG_VERSION")),
    ] {
        if told.get(&Key::from_static_str(key)).is_none() {
            builder = builder.with_attribute(KeyValue::new(key, value.to_owned()));
        }
    }
    builder.build()
}

/// The headers of a request, for Trace Context alone.
struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        let value = self.0.get(key)?.to_str().ok()?;
        (key != "tracestate" || value.len() <= TRACE_STATE_BYTES_MAX).then_some(value)
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(http::HeaderName::as_str).collect()
    }
}

/// What has become of spans.
#[derive(Debug, Default)]
struct Sent {
    count: AtomicU64,
    failing: AtomicBool,
}

/// Sends spans, and tells once when that begins to fail and once when it is well again.
#[derive(Debug)]
struct Telling {
    exporter: SpanExporter,
    sent: Arc<Sent>,
}

impl opentelemetry_sdk::trace::SpanExporter for Telling {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let count = u64::try_from(batch.len()).unwrap_or(u64::MAX);
        let result = self.exporter.export(batch).await;
        let failing = result.is_err();
        let before = self.sent.failing.swap(failing, Ordering::Relaxed);
        match &result {
            Ok(()) => {
                self.sent.count.fetch_add(count, Ordering::Relaxed);
                if before {
                    tracing::info!("traces are sent again");
                }
            }
            Err(error) if !before => {
                tracing::warn!(%error, "traces can't be sent; they are dropped until the collector answers");
            }
            Err(_) => {}
        }
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

/// The span of a call, while that goes on.
#[derive(Debug, Clone, Default)]
pub(crate) struct Call(Option<Begun>);

#[derive(Debug, Clone)]
struct Begun {
    live: Arc<Live>,
    context: Context,
}

impl Call {
    /// That of the request with these extensions.
    pub(crate) fn of(extensions: &Extensions) -> Self {
        extensions.get::<Self>().cloned().unwrap_or_default()
    }

    /// Says which episode it is about. An id that is none, which may be long, is left out.
    pub(crate) fn episode(&self, id: &str) {
        if let Some(begun) = &self.0
            && id.len() <= EPISODE_ID_BYTES_MAX
        {
            let id = KeyValue::new("coding_env.episode_id", id.to_owned());
            begun.context.span().set_attribute(id);
        }
    }

    /// For what goes on because of it, and may outlive it.
    pub(crate) fn parent(&self) -> Parent {
        let begun = self.0.as_ref();
        Parent(begun.map(|begun| {
            let span = begun.context.span().span_context().clone();
            Box::new((Arc::clone(&begun.live), span))
        }))
    }

    /// Ends it with gRPC's code, and the reason of a refusal.
    fn end(&self, code: i32, reason: Option<String>) {
        let Some(begun) = &self.0 else {
            return;
        };
        let span = begun.context.span();
        span.set_attribute(KeyValue::new("rpc.grpc.status_code", i64::from(code)));
        if let Some(reason) = reason {
            span.set_attribute(KeyValue::new("error.type", reason));
        }
        if SERVER_FAULTS.contains(&code) {
            span.set_status(Status::error(""));
        }
        begun.live.ended.fetch_add(1, Ordering::Relaxed);
        span.end();
    }
}

/// Ends a call's span once: with its answer, or as cancelled when it is dropped before.
#[derive(Debug)]
pub(super) struct Ending(Option<Call>);

impl Ending {
    pub(super) fn new(call: Call) -> Self {
        Self(Some(call))
    }

    pub(super) fn with(&mut self, code: i32, reason: Option<String>) {
        if let Some(call) = self.0.take() {
            call.end(code, reason);
        }
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.with(CANCELLED, None);
    }
}

/// What a step's span hangs below: the span of the call that asked for it first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Parent(Option<Box<(Arc<Live>, SpanContext)>>);

impl Parent {
    /// The span of a step that has ended just now.
    pub(crate) fn step(&self, step: StepSpan<'_>) {
        let Some((live, parent)) = self.0.as_deref() else {
            return;
        };
        let ended = SystemTime::now();
        let mut attributes = vec![
            KeyValue::new("coding_env.episode_id", step.episode.to_owned()),
            KeyValue::new("coding_env.step_index", i64::from(step.index)),
            KeyValue::new("coding_env.outcome", step.outcome),
            KeyValue::new("coding_env.exit_code", i64::from(step.exit_code)),
            KeyValue::new("coding_env.state_after", step.state_after),
            KeyValue::new("coding_env.queued_seconds", step.queued_time.as_secs_f64()),
        ];
        if let Some(cpu) = step.cpu_time {
            attributes.push(KeyValue::new("coding_env.cpu_seconds", cpu.as_secs_f64()));
        }
        let mut span = live
            .tracer
            .span_builder("step")
            .with_start_time(ended.checked_sub(step.wall_time).unwrap_or(ended))
            .with_attributes(attributes)
            .start_with_context(
                &live.tracer,
                &Context::new().with_remote_span_context(parent.clone()),
            );
        live.ended.fetch_add(1, Ordering::Relaxed);
        span.end_with_timestamp(ended);
    }
}
