//! What every request passes first: it gets its owner, or a refusal.

use std::future::{Ready, ready};
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use tokio_util::either::Either;
use tower_layer::Layer;
use tower_service::Service;

use super::Auth;
use crate::episode::Owner;
use crate::status;

/// Puts [`Checked`] before a service.
#[derive(Debug, Clone)]
pub(crate) struct AuthLayer(Option<Arc<Auth>>);

impl AuthLayer {
    /// Without tokens every request is of the owner who has no name.
    pub(crate) fn new(auth: Option<Arc<Auth>>) -> Self {
        Self(auth)
    }
}

impl<S> Layer<S> for AuthLayer {
    type Service = Checked<S>;

    fn layer(&self, inner: S) -> Checked<S> {
        Checked {
            auth: self.0.clone(),
            inner,
        }
    }
}

/// A service that only sees requests which have an owner, or need none. The body of one that is refused is not read.
#[derive(Debug, Clone)]
pub(crate) struct Checked<S> {
    auth: Option<Arc<Auth>>,
    inner: S,
}

impl<S, B, R> Service<Request<B>> for Checked<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: Default,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Either<Ready<Result<Response<R>, S::Error>>, S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        // What is open needs no owner: it is not about episodes.
        let owner = match &self.auth {
            None => Some(Owner::default()),
            Some(auth) if auth.is_open(request.uri().path()) => {
                return Either::Right(self.inner.call(request));
            }
            Some(auth) => auth.owner(request.headers()),
        };
        let Some(owner) = owner else {
            return Either::Left(ready(Ok(status::token_invalid().into_http())));
        };
        request.extensions_mut().insert(owner);
        Either::Right(self.inner.call(request))
    }
}
