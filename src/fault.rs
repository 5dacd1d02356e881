//! Faults of our own: a panic is caught where a caller or an episode depends on the task, logged, and told under the id it was logged with.

use std::any::Any;
use std::fmt::Display;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

/// Logs the cause of a fault and returns the id that it can be found under.
pub(crate) fn report(cause: &dyn Display) -> String {
    let id = uuid::Uuid::now_v7().to_string();
    tracing::error!(request_id = id, %cause, "internal error");
    id
}

/// Runs a future to its end, or to its panic, whose text is returned.
///
/// # Cancel-Safety
/// As the future's.
pub(crate) async fn caught<T>(future: impl Future<Output = T>) -> Result<T, String> {
    let mut future = pin!(future);
    // It is not polled again after a panic.
    poll_fn(
        |context| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
            Ok(poll) => poll.map(Ok),
            Err(panic) => Poll::Ready(Err(text(panic.as_ref()))),
        },
    )
    .await
}

fn text(panic: &(dyn Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("panicked: {}", text.unwrap_or("with no text"))
}
