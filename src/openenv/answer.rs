//! Responses over HTTP, by what is in them. Pure.

use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};

use super::wire;

/// A body of that type.
pub(super) fn typed(content: &'static str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    let content = HeaderValue::from_static(content);
    response.headers_mut().insert(header::CONTENT_TYPE, content);
    response
}

/// JSON, with its status.
pub(super) fn json(status: StatusCode, body: impl Into<Body>) -> Response {
    let mut response = typed("application/json", body);
    *response.status_mut() = status;
    response
}

/// What went wrong, in one sentence.
pub(super) fn told(status: StatusCode, detail: &str) -> Response {
    json(status, wire::detail(detail))
}
