//! Many calls at once: as many as the pool allows, each with its own result.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio_stream::Stream;

use super::super::Error;

/// The results of many calls, as they come in. Dropping it gives up what has not: a step that runs goes on at its server.
#[derive(Debug)]
pub struct Completions<T> {
    results: mpsc::Receiver<(usize, Result<T, Error>)>,
    count: usize,
    /// Dropped with this.
    _tasks: JoinSet<()>,
}

impl<T> Completions<T> {
    /// The next result, with its place in the input; none when all have been told.
    ///
    /// # Cancel-Safety
    /// No result is lost.
    pub async fn next(&mut self) -> Option<(usize, Result<T, Error>)> {
        self.results.recv().await
    }

    /// All of them, in the order of the input.
    pub(super) async fn in_order(mut self) -> Vec<Result<T, Error>> {
        let mut results: Vec<Option<Result<T, Error>>> = (0..self.count).map(|_| None).collect();
        while let Some((at, result)) = self.next().await {
            if let Some(place) = results.get_mut(at) {
                *place = Some(result);
            }
        }
        let ended = || Error::Connect("the runtime is shutting down".to_owned());
        results
            .into_iter()
            .map(|result| result.unwrap_or_else(|| Err(ended())))
            .collect()
    }
}

impl<T> Stream for Completions<T> {
    type Item = (usize, Result<T, Error>);

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.results.poll_recv(context)
    }
}

/// Runs calls, at most as many at a time as `permits` has. The calls of a group run one after the other, in order.
pub(super) fn run<T, C, F>(
    permits: &Arc<Semaphore>,
    groups: Vec<Vec<(usize, C)>>,
    call: impl Fn(C) -> F + Clone + Send + 'static,
) -> Completions<T>
where
    T: Send + 'static,
    C: Send + 'static,
    F: Future<Output = Result<T, Error>> + Send + 'static,
{
    let count = groups.iter().map(Vec::len).sum();
    // Every result fits, so that a slow reader holds up no call.
    let (results, receiver) = mpsc::channel(usize::max(count, 1));
    let mut tasks = JoinSet::new();
    for group in groups {
        let (permits, results, call) = (Arc::clone(permits), results.clone(), call.clone());
        tasks.spawn(async move {
            for (at, input) in group {
                // The semaphore is never closed.
                let permit = permits.acquire().await;
                let result = call(input).await;
                drop(permit);
                if results.send((at, result)).await.is_err() {
                    return;
                }
            }
        });
    }
    Completions {
        results: receiver,
        count,
        _tasks: tasks,
    }
}
