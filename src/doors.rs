//! The two doors of the port: which request is gRPC's, and which is OpenEnv's.
//!
//! A request of gRPC says so in its content type, over HTTP/2. It goes straight to the service, past every router: this is the way
//! of a step.

use std::convert::Infallible;
use std::future::ready;
use std::pin::Pin;

use axum::Router;
use http::{HeaderMap, Request, Response, Version, header};
use hyper::body::Incoming;
use tonic::body::Body;
use tonic::server::NamedService as _;
use tonic::service::Routes;
use tower_layer::Layer;
use tower_service::Service as _;

use crate::auth::Gate;
use crate::proto::v1::coding_env_server::CodingEnvServer;
use crate::service::Service;
use crate::traces::TraceLayer;
use crate::{session, status};

/// The end of the path of the RPC whose end has to be told from its breaking off.
const SESSION: &str = "/Session";

/// The service, whose calls have spans where there are any.
type Traced = <TraceLayer as Layer<CodingEnvServer<Service>>>::Service;

type Answer = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

/// What answers the requests of the port.
#[derive(Debug, Clone)]
pub(crate) struct Doors {
    gate: Gate,
    coding_env: Traced,
    /// The other services of gRPC: health and reflection.
    others: Routes,
    openenv: Router,
}

impl Doors {
    /// `openenv` passes the gate by itself, because it refuses in words of its own.
    pub(crate) fn new(
        gate: Gate,
        coding_env: CodingEnvServer<Service>,
        traces: &TraceLayer,
        others: Routes,
        openenv: Router,
    ) -> Self {
        Self {
            gate,
            coding_env: traces.layer(coding_env),
            others: others.prepare(),
            openenv: openenv.with_state(()),
        }
    }

    fn grpc(&self, mut request: Request<Incoming>) -> Answer {
        if !self.gate.admits(&mut request) {
            return Box::pin(ready(Ok(status::token_invalid().into_http())));
        }
        let path = request.uri().path();
        if is_coding_env(path) {
            let mut coding_env = self.coding_env.clone();
            if path.ends_with(SESSION) {
                let request = session::tell_broken_from_closed(request.map(Body::new));
                return Box::pin(coding_env.call(request));
            }
            Box::pin(coding_env.call(request))
        } else {
            Box::pin(self.others.clone().call(request))
        }
    }
}

impl hyper::service::Service<Request<Incoming>> for Doors {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answer;

    fn call(&self, request: Request<Incoming>) -> Answer {
        if is_grpc(request.version(), request.headers()) {
            return self.grpc(request);
        }
        let answer = self
            .openenv
            .clone()
            .call(request.map(axum::body::Body::new));
        Box::pin(async { Ok(answer.await?.map(Body::new)) })
    }
}

/// Whether a request is one of gRPC: the gRPC protocol over HTTP/2, "Requests".
fn is_grpc(version: Version, headers: &HeaderMap) -> bool {
    let content = headers.get(header::CONTENT_TYPE);
    version == Version::HTTP_2
        && content.is_some_and(|content| content.as_bytes().starts_with(b"application/grpc"))
}

fn is_coding_env(path: &str) -> bool {
    let service = CodingEnvServer::<Service>::NAME;
    let rest = path
        .strip_prefix('/')
        .and_then(|path| path.strip_prefix(service));
    rest.is_some_and(|rest| rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_request_of_grpc_is_known_by_its_content_type() {
        for (version, content, expected) in [
            (Version::HTTP_2, Some("application/grpc"), true),
            (Version::HTTP_2, Some("application/grpc+proto"), true),
            (Version::HTTP_2, Some("application/json"), false),
            (Version::HTTP_2, None, false),
            (Version::HTTP_11, Some("application/grpc"), false),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(content) = content {
                headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content));
            }
            assert_eq!(is_grpc(version, &headers), expected, "{content:?}");
        }
        assert!(is_coding_env("/coding_env.v1.CodingEnv/Step"));
        for other in [
            "/coding_env.v1.CodingEnvX/Step",
            "/grpc.health.v1.Health/Check",
            "coding_env.v1.CodingEnv/Step",
        ] {
            assert!(!is_coding_env(other), "{other}");
        }
    }
}
