//! Traces: a span for each call that has an owner, and one for each step, sent to a collector by OTLP over gRPC. Feature `otlp`; without it
//! everything here does nothing and costs nothing.
//!
//! A span says which episode it is about, how it ended and how long it took. It never holds code, output, results, variables or tokens.
//!
//! `TraceLayer` begins a [`Call`] for a request behind the tokens, below the caller's own span (W3C Trace Context), and ends it with the
//! reply. Handlers say what it is about. A step is of the episode and may outlive its call, so it takes a [`Parent`] with it, and its span is
//! made of its facts when it has ended. Spans wait in a bounded queue for a thread that sends them: what it has no room for is dropped.

#[cfg(feature = "otlp")]
mod layer;
#[cfg(not(feature = "otlp"))]
mod off;
#[cfg(feature = "otlp")]
mod otlp;

use std::time::Duration;

#[cfg(feature = "otlp")]
pub(crate) use self::layer::TraceLayer;
#[cfg(not(feature = "otlp"))]
pub(crate) use self::off::{Call, Parent, TraceLayer, Traces, check_endpoint, standard_endpoint};
#[cfg(feature = "otlp")]
pub(crate) use self::otlp::{Call, Parent, Traces, check_endpoint, standard_endpoint};

/// What is told of a step that has ended.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(
    not(feature = "otlp"),
    expect(dead_code, reason = "nobody is told without the feature")
)]
pub(crate) struct StepSpan<'a> {
    pub(crate) episode: &'a str,
    pub(crate) index: u32,
    pub(crate) outcome: &'static str,
    pub(crate) exit_code: i32,
    /// What has become of the interpreter.
    pub(crate) state_after: &'static str,
    pub(crate) wall_time: Duration,
    pub(crate) queued_time: Duration,
    /// Absent where it was not measured.
    pub(crate) cpu_time: Option<Duration>,
}
