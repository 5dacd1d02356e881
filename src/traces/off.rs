//! What stands for traces in a build without them.

use std::time::Duration;

use http::Extensions;
pub(crate) use tower_layer::Identity as TraceLayer;

use super::StepSpan;

/// No traces.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Traces;

impl Traces {
    pub(crate) fn start(_endpoint: Option<&str>, _server_id: &str) -> Result<Self, String> {
        Ok(Self)
    }

    #[expect(clippy::unused_self, reason = "as with the feature")]
    pub(crate) fn layer(self) -> TraceLayer {
        TraceLayer::new()
    }

    pub(crate) async fn end(self, _within: Duration) {}
}

/// No call's span.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call;

#[expect(clippy::unused_self, reason = "as with the feature")]
impl Call {
    pub(crate) fn of(_extensions: &Extensions) -> Self {
        Self
    }

    pub(crate) fn episode(self, _id: &str) {}

    pub(crate) fn parent(self) -> Parent {
        Parent(())
    }
}

/// Nothing to belong to.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Parent(());

impl Parent {
    pub(crate) fn step(self, _step: StepSpan<'_>) {}
}

pub(crate) fn check_endpoint(_endpoint: &str) -> Result<(), String> {
    Err("this program was built without traces; build it with `--features otlp`".to_owned())
}

pub(crate) fn standard_endpoint() -> Result<Option<String>, String> {
    Ok(None)
}
