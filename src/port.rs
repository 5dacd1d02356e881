//! The port: connections of HTTP/1.1 and HTTP/2, with TLS or without, until the server ends.

use std::convert::Infallible;
use std::io;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::Service;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tokio_stream::{Stream, StreamExt as _};
use tokio_util::sync::CancellationToken;
use tonic::body::Body;

/// How long a peer may take to answer a keepalive ping.
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(20);
/// How long a client of HTTP/1.1 may take for the head of a request.
const HEAD_WITHIN: Duration = Duration::from_secs(30);
/// Requests in flight on one connection of HTTP/2. A trainer steps thousands of episodes over one.
const STREAMS_PER_CONNECTION_MAX: u32 = 20_000;
/// HTTP/2 flow control: enough for large sources without a round trip per 64 KiB.
const STREAM_WINDOW_BYTES: u32 = 1 << 20;
const CONNECTION_WINDOW_BYTES: u32 = 16 << 20;
/// What accepting waits after an error such as too many open files.
const ACCEPT_AGAIN: Duration = Duration::from_millis(50);

/// The connections of a listener in plain text.
pub(crate) fn plain(
    listener: TcpListener,
) -> impl Stream<Item = io::Result<tokio::net::TcpStream>> + Send {
    TcpListenerStream::new(listener).map(|accepted| {
        // A reply is not to wait for more.
        accepted.and_then(|stream| stream.set_nodelay(true).map(|()| stream))
    })
}

/// Serves connections until `stop`, then lets those that are open take their last replies. One that became something else (a
/// WebSocket) is no connection of the port any more.
///
/// # Cancel-Safety
/// Not safe: connections that are open go on when it is dropped, without being told of the end.
pub(crate) async fn serve<I, S, F>(
    incoming: impl Stream<Item = io::Result<I>>,
    service: S,
    keepalive: Duration,
    stop: CancellationToken,
) where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: Service<Request<Incoming>, Response = Response<Body>, Error = Infallible, Future = F>,
    S: Clone + Send + 'static,
    F: Future<Output = Result<Response<Body>, Infallible>> + Send + 'static,
{
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(keepalive)
        .keep_alive_timeout(KEEPALIVE_TIMEOUT)
        // A request that is refused before its body has come counts as one of these: thousands without a token are no reason to cut
        // off a proxy's connection, which is others' too.
        .max_local_error_reset_streams(None::<usize>)
        .max_concurrent_streams(STREAMS_PER_CONNECTION_MAX)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES);
    let open = GracefulShutdown::new();
    {
        let mut incoming = std::pin::pin!(incoming);
        loop {
            let accepted = tokio::select! {
                accepted = incoming.next() => accepted,
                () = stop.cancelled() => break,
            };
            match accepted {
                Some(Ok(stream)) => {
                    let serving = builder
                        .serve_connection_with_upgrades(TokioIo::new(stream), service.clone())
                        .into_owned();
                    let serving = open.watch(serving);
                    tokio::spawn(async move {
                        if let Err(error) = serving.await {
                            tracing::debug!(error, "a connection has failed");
                        }
                    });
                }
                Some(Err(error)) => {
                    tracing::debug!(%error, "accepting a connection");
                    tokio::time::sleep(ACCEPT_AGAIN).await;
                }
                None => break,
            }
        }
    }
    open.shutdown().await;
}
