//! The admin address: metrics and health, in plain text, for who looks after the server. docs/metrics.md lists what is exported.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic::transport::server::TcpIncoming;
use tonic_health::pb::health_server::{Health, HealthServer};

use crate::auth::Auth;
use crate::config::Config;
use crate::episode::Episodes;
use crate::executor::Executor;
use crate::metrics::Histogram;
use crate::service::Refusals;
use crate::session::Sessions;
use crate::tls::Tls;

/// The type that Prometheus asks for: OpenMetrics, section "Protocol negotiation".
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// Requests in flight on one connection.
const STREAMS_PER_CONNECTION_MAX: u32 = 64;
/// How long a request may take.
const REQUEST_WITHIN: Duration = Duration::from_secs(10);

/// Whether the server is ready, for `/readyz`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ready(Arc<AtomicBool>);

impl Ready {
    pub(crate) fn set(&self, ready: bool) {
        self.0.store(ready, Ordering::Release);
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

#[derive(Debug, Clone)]
struct Shown {
    registry: Arc<Registry>,
    ready: Ready,
}

/// Serves until `stop`.
pub(crate) async fn serve(
    listener: TcpListener,
    health: HealthServer<impl Health>,
    ready: Ready,
    sources: Sources,
    stop: CancellationToken,
) -> Result<(), tonic::transport::Error> {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(sources));
    let shown = Shown {
        registry: Arc::new(registry),
        ready,
    };
    let pages = Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(readiness))
        .with_state(shown);
    tonic::transport::Server::builder()
        .accept_http1(true)
        .max_concurrent_streams(Some(STREAMS_PER_CONNECTION_MAX))
        .timeout(REQUEST_WITHIN)
        .add_routes(Routes::from(pages).add_service(health))
        .serve_with_incoming_shutdown(TcpIncoming::from(listener), stop.cancelled_owned())
        .await
}

async fn readiness(State(shown): State<Shown>) -> (StatusCode, &'static str) {
    if shown.ready.is_ready() {
        (StatusCode::OK, "ready\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready\n")
    }
}

async fn metrics(State(shown): State<Shown>) -> Response {
    let mut page = String::new();
    match text::encode(&mut page, &shown.registry) {
        Ok(()) => ([(header::CONTENT_TYPE, OPEN_METRICS)], page).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

/// Where the numbers come from. They are looked at when somebody asks.
#[derive(Debug)]
pub(crate) struct Sources {
    pub(crate) config: Config,
    pub(crate) episodes: Episodes,
    pub(crate) executor: Executor,
    pub(crate) refusals: Arc<Refusals>,
    pub(crate) sessions: Sessions,
    pub(crate) auth: Option<Arc<Auth>>,
    pub(crate) tls: Option<Arc<Tls>>,
}

/// Writes one metric after the other.
struct Page<'a>(DescriptorEncoder<'a>);

type Labels<'a, const N: usize> = [(&'static str, &'a str); N];

impl Page<'_> {
    fn gauge(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        let mut metric = self
            .0
            .encode_descriptor(name, help, None, MetricType::Gauge)?;
        metric.encode_gauge(&i64::try_from(value).unwrap_or(i64::MAX))
    }

    fn gauges<'l, const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        values: impl IntoIterator<Item = (Labels<'l, N>, u64)>,
    ) -> fmt::Result {
        let mut metric = self
            .0
            .encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (labels, value) in values {
            let value = i64::try_from(value).unwrap_or(i64::MAX);
            metric.encode_family(&labels)?.encode_gauge(&value)?;
        }
        Ok(())
    }

    fn counter(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        let mut metric = self
            .0
            .encode_descriptor(name, help, None, MetricType::Counter)?;
        metric.encode_counter::<NoLabelSet, u64, f64>(&value, None)
    }

    fn counters<'l>(
        &mut self,
        name: &str,
        help: &str,
        values: impl IntoIterator<Item = (Labels<'l, 1>, u64)>,
    ) -> fmt::Result {
        let mut metric = self
            .0
            .encode_descriptor(name, help, None, MetricType::Counter)?;
        for (labels, value) in values {
            let mut metric = metric.encode_family(&labels)?;
            metric.encode_counter::<NoLabelSet, u64, f64>(&value, None)?;
        }
        Ok(())
    }

    fn seconds(&mut self, name: &str, help: &str, histogram: &Histogram) -> fmt::Result {
        let (unit, kind) = (Some(&Unit::Seconds), MetricType::Histogram);
        let mut metric = self.0.encode_descriptor(name, help, unit, kind)?;
        let (sum, count, buckets) = histogram.read();
        metric.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)
    }
}

fn labelled(
    label: &'static str,
    values: impl Iterator<Item = (&'static str, u64)>,
) -> Vec<(Labels<'static, 1>, u64)> {
    values
        .map(|(name, value)| ([(label, name)], value))
        .collect()
}

impl Collector for Sources {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut page = Page(encoder);
        self.server(&mut page)?;
        self.episodes(&mut page)?;
        self.sessions(&mut page)?;
        self.pool(&mut page)?;
        self.refused(&mut page)
    }
}

impl Sources {
    fn server(&self, page: &mut Page<'_>) -> fmt::Result {
        let plan = self.executor.plan();
        page.gauges(
            "coding_env_build_info",
            "Always 1; the version is a label",
            [([("version", env!("CARGO_PKG_VERSION"))], 1)],
        )?;
        page.gauges(
            "coding_env_isolation_level_info",
            "Always 1; the isolation level in force is a label",
            [([("level", plan.level.name())], 1)],
        )?;
        let layers = plan.layers.iter();
        page.gauges(
            "coding_env_isolation_layer_enforced",
            "1 where a layer of isolation is in force, else 0",
            layers.map(|layer| ([("layer", layer.name)], u64::from(layer.enforced))),
        )?;
        page.gauge(
            "coding_env_draining",
            "1 while new episodes are refused, else 0",
            u64::from(self.episodes.is_draining()),
        )
    }

    fn episodes(&self, page: &mut Page<'_>) -> fmt::Result {
        let (live, running, waiting) = self.episodes.counts();
        let metrics = self.episodes.metrics();
        let config = &self.config;
        page.gauge(
            "coding_env_episodes",
            "Live episodes",
            u64::try_from(live).unwrap_or(u64::MAX),
        )?;
        page.gauge(
            "coding_env_episodes_limit",
            "Live episodes that the server may hold",
            config.max_episodes.into(),
        )?;
        page.counter(
            "coding_env_resets",
            "Resets that made an episode",
            metrics.resets.get(),
        )?;
        page.seconds(
            "coding_env_reset_duration",
            "From a Reset to its interpreter",
            &metrics.reset_time,
        )?;
        page.counters(
            "coding_env_episodes_ended",
            "Episodes that ended, by how",
            labelled("how", metrics.ended.read()),
        )?;
        page.counters(
            "coding_env_steps",
            "Steps that ended, by outcome",
            labelled("outcome", metrics.steps.read()),
        )?;
        page.seconds(
            "coding_env_step_duration",
            "How long the code of a step ran",
            &metrics.step_time,
        )?;
        page.seconds(
            "coding_env_step_queue_duration",
            "How long a step waited, for earlier steps of its episode or for a turn, before its code ran",
            &metrics.queued_time,
        )?;
        page.counters(
            "coding_env_interpreters_lost",
            "Interpreters that a step lost, by cause",
            labelled("cause", metrics.lost.read()),
        )?;
        page.gauge("coding_env_steps_running", "Steps that run", running.into())?;
        page.gauge(
            "coding_env_steps_running_limit",
            "Steps that may run at a time",
            config.max_running_steps.into(),
        )?;
        page.gauge(
            "coding_env_steps_waiting",
            "Steps that wait for a turn to run",
            waiting.into(),
        )?;
        page.gauge(
            "coding_env_kept_reply_bytes",
            "Texts of replies kept for retries beyond each episode's last, in bytes",
            self.episodes.kept_reply_bytes(),
        )?;
        self.files(page)?;
        self.copies(page)
    }

    fn copies(&self, page: &mut Page<'_>) -> fmt::Result {
        let (checkpoints, checkpoint_bytes, evaluations) = self.episodes.spare_counts();
        let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        let metrics = self.episodes.metrics();
        page.gauge(
            "coding_env_checkpoints",
            "Checkpoints of all episodes",
            count(checkpoints),
        )?;
        page.gauge(
            "coding_env_checkpoint_bytes",
            "Memory that checkpoints have for themselves, as it was measured last, in bytes",
            checkpoint_bytes,
        )?;
        page.gauge(
            "coding_env_evaluations_running",
            "Evaluations that run or wait for a turn",
            count(evaluations),
        )?;
        page.counter(
            "coding_env_copies",
            "Copies of interpreters that were made, whatever for",
            metrics.copies.get(),
        )?;
        page.seconds(
            "coding_env_copy_duration",
            "How long copying an interpreter took, all copies of one request together",
            &metrics.copy_time,
        )?;
        let uses = [
            ("fork", metrics.forks.get()),
            ("checkpoint", metrics.checkpoints.get()),
            ("rollback", metrics.rollbacks.get()),
            ("rolled_back_step", metrics.rolled_back.get()),
            ("evaluation", metrics.evaluations.get()),
        ];
        page.counters(
            "coding_env_copy_uses",
            "What came of copies: forks that made children, checkpoints, rollbacks to one, steps that failed and were rolled back, evaluations that ended",
            labelled("use", uses.into_iter()),
        )
    }

    fn files(&self, page: &mut Page<'_>) -> fmt::Result {
        let (running, waiting) = self.episodes.file_counts();
        let metrics = self.episodes.metrics();
        page.gauge(
            "coding_env_file_calls_running",
            "Calls that move files",
            running.into(),
        )?;
        page.gauge(
            "coding_env_file_calls_running_limit",
            "Calls that may move files at a time",
            self.config.files.calls.into(),
        )?;
        page.gauge(
            "coding_env_file_calls_waiting",
            "Calls that wait for a turn to move files",
            waiting.into(),
        )?;
        page.counters(
            "coding_env_file_calls",
            "Calls that have begun to move files, by what they do",
            labelled("call", metrics.file_calls.read()),
        )?;
        let bytes = [
            ("in", metrics.file_bytes_in.get()),
            ("out", metrics.file_bytes_out.get()),
        ];
        page.counters(
            "coding_env_file_bytes",
            "Bytes of files that were moved into and out of workspaces",
            labelled("direction", bytes.into_iter()),
        )?;
        page.counter(
            "coding_env_file_failures",
            "Files with which something went wrong, as their calls' replies tell",
            metrics.file_failures.get(),
        )
    }

    fn sessions(&self, page: &mut Page<'_>) -> fmt::Result {
        let (load, totals) = (self.sessions.load(), self.sessions.totals());
        let held = [
            ([("stream", "attached")], load.attached),
            ([("stream", "broken")], load.broken),
        ];
        page.gauges(
            "coding_env_sessions",
            "Sessions, by whether they have a stream or are kept for the next one",
            held,
        )?;
        page.gauge(
            "coding_env_sessions_limit",
            "Sessions that the server may hold",
            self.config.max_sessions.into(),
        )?;
        page.counters(
            "coding_env_session_streams",
            "Streams of sessions, by whether they opened one or took one over",
            labelled("how", totals.streams.read()),
        )?;
        page.counters(
            "coding_env_sessions_ended",
            "Sessions that ended, by whether the client closed them or did not come back",
            labelled("how", totals.ended.read()),
        )?;
        page.gauge(
            "coding_env_session_requests_running",
            "Requests of sessions that are carried out or wait for others of their episode",
            load.running,
        )?;
        page.gauge(
            "coding_env_session_answers_waiting",
            "Answers of sessions that no stream has taken yet",
            load.unsent,
        )
    }

    fn pool(&self, page: &mut Page<'_>) -> fmt::Result {
        let runtimes = self.executor.runtimes();
        let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        page.gauges(
            "coding_env_warm_workers",
            "Interpreters that are ready, by runtime",
            runtimes.iter().map(|runtime| {
                let label = ("runtime", runtime.name.as_str());
                ([label], count(runtime.warm_workers))
            }),
        )?;
        page.gauges(
            "coding_env_starting_workers",
            "Interpreters that are being started for the pool, by runtime",
            runtimes.iter().map(|runtime| {
                let label = ("runtime", runtime.name.as_str());
                ([label], count(runtime.starting_workers))
            }),
        )?;
        page.counters(
            "coding_env_templates_rotated",
            "Templates that were replaced for their age or their cells, by runtime",
            runtimes.iter().map(|runtime| {
                let label = ("runtime", runtime.name.as_str());
                ([label], runtime.rotations)
            }),
        )
    }

    fn refused(&self, page: &mut Page<'_>) -> fmt::Result {
        let tokens = self.auth.as_ref().map_or(0, |auth| auth.refused());
        let reasons = self.refusals.read().chain([("TOKEN_INVALID", tokens)]);
        page.counters(
            "coding_env_refusals",
            "Requests that were refused, by reason",
            labelled("reason", reasons),
        )?;
        page.counter(
            "coding_env_tls_handshakes_failed",
            "TLS handshakes that failed or were given up",
            self.tls.as_ref().map_or(0, |tls| tls.failures()),
        )
    }
}
