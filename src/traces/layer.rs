//! The span of each call: from its headers to the end of its reply.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::{HeaderMap, Request, Response};
use http_body::{Frame, SizeHint};
use tokio_util::either::Either;
use tonic::body::Body;
use tonic::codegen::Bytes;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use tower_layer::Layer;
use tower_service::Service;

use super::otlp::{Ending, Traces};

/// Puts [`Traced`] before a service.
#[derive(Debug, Clone)]
pub(crate) struct TraceLayer(Traces);

impl TraceLayer {
    pub(super) fn new(traces: Traces) -> Self {
        Self(traces)
    }
}

impl<S> Layer<S> for TraceLayer {
    type Service = Traced<S>;

    fn layer(&self, inner: S) -> Traced<S> {
        Traced {
            traces: self.0.clone(),
            inner,
        }
    }
}

/// A service whose requests find their [`Call`](super::Call) in their extensions.
#[derive(Debug, Clone)]
pub(crate) struct Traced<S> {
    traces: Traces,
    inner: S,
}

type Watching<E> = Pin<Box<dyn Future<Output = Result<Response<Body>, E>> + Send>>;

impl<S, B> Service<Request<B>> for Traced<S>
where
    S: Service<Request<B>, Response = Response<Body>>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Either<Watching<S::Error>, S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        // Health and reflection are asked without end, and tell nothing.
        if !request.uri().path().starts_with("/coding_env.") {
            return Either::Right(self.inner.call(request));
        }
        let Some(call) = self.traces.call(request.uri().path(), request.headers()) else {
            return Either::Right(self.inner.call(request));
        };
        request.extensions_mut().insert(call.clone());
        let ending = Ending::new(call);
        let answer = self.inner.call(request);
        Either::Left(Box::pin(async move {
            // An error here is a connection's, and `ending` tells that the call was cancelled.
            let response = answer.await?;
            Ok(watch(response, ending))
        }))
    }
}

/// A refusal has its status in the headers; everything else has it behind the body.
fn watch(response: Response<Body>, mut ending: Ending) -> Response<Body> {
    if end(&mut ending, response.headers()) {
        return response;
    }
    response.map(|inner| Body::new(Watched { inner, ending }))
}

/// Ends a span when these headers hold the call's status.
fn end(ending: &mut Ending, headers: &HeaderMap) -> bool {
    let Some(status) = Status::from_header_map(headers) else {
        return false;
    };
    let refused = status.code() != Code::Ok;
    let details = refused.then(|| status.get_error_details());
    let reason = details.and_then(|details| Some(details.error_info()?.reason.clone()));
    ending.with(status.code().into(), reason);
    true
}

/// The body of a reply, whose end is the call's.
struct Watched {
    inner: Body,
    ending: Ending,
}

impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(context));
        match &frame {
            Some(Ok(frame)) => {
                if let Some(trailers) = frame.trailers_ref() {
                    end(&mut self.ending, trailers);
                }
            }
            Some(Err(status)) => self.ending.with(status.code().into(), None),
            None => {}
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
