//! The routes of HTTP. They keep nothing between requests: each step has an episode of its own.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{any, get, post};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde_json::{Map, Value};

use super::answer::{json, told, typed};
use super::check::{self, Issue};
use super::origin::{Verdict, judge};
use super::socket::{self, FRAME_BYTES_MAX, Protocol};
use super::wire::{self, StateShown};
use super::{OpenEnv, json, mcp, page, page_socket, schema};
use crate::episode::{Owner, Refusal};
use crate::fault;

/// The largest body of a request: as much as a frame may have.
const BODY_BYTES_MAX: usize = FRAME_BYTES_MAX;
/// How long a body may take to come.
const BODY_WITHIN: Duration = Duration::from_secs(60);
/// What responses may do in a browser: nothing. A page says what it needs by itself.
const POLICY: &str = "default-src 'none'; frame-ancestors 'none'";
/// What the page of `/docs` needs.
const DOCS_POLICY: &str = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'";
/// When a client may try again for whom there was no room, in seconds.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");

type Shared = State<Arc<OpenEnv>>;

/// All that is not gRPC's.
pub(super) fn router(openenv: Arc<OpenEnv>) -> Router {
    let guarded = middleware::from_fn_with_state(Arc::clone(&openenv), guard);
    Router::new()
        .route("/health", get(health))
        .route(
            "/metadata",
            get(async || json(StatusCode::OK, schema::metadata())),
        )
        .route(
            "/schema",
            get(async || json(StatusCode::OK, schema::schemas().to_string())),
        )
        .route(
            "/openapi.json",
            get(async || json(StatusCode::OK, schema::openapi().to_string())),
        )
        .route("/docs", get(docs))
        .route("/redoc", get(docs))
        .route(
            "/docs.css",
            get(async || typed("text/css; charset=utf-8", schema::STYLE)),
        )
        .route(
            "/state",
            get(async || json(StatusCode::OK, StateShown::default().body())),
        )
        .route("/reset", post(reset))
        .route("/step", post(step))
        .route("/mcp", get(mcp_socket).post(mcp_request))
        .route("/ws", any(env_socket))
        .route("/web", get(page::page))
        .route("/web/", get(page::moved))
        .route("/web/app.js", get(page::script))
        .route("/web/app.css", get(page::style))
        .route("/web/licenses.txt", get(page::licenses))
        .route("/web/socket", any(web_socket))
        .route(
            "/list_environments",
            get(async || json(StatusCode::OK, format!("[\"{}\"]", schema::ENVIRONMENT))),
        )
        .route(
            "/{environment}/splits",
            get(async |name| no_tasks(name, "list_splits")),
        )
        .route(
            "/{environment}/tasks",
            post(async |name| no_tasks(name, "list_tasks")),
        )
        .route(
            "/{environment}/num_tasks",
            post(async |name| no_tasks(name, "num_tasks")),
        )
        .route(
            "/{environment}/task",
            post(async |name| no_tasks(name, "get_task")),
        )
        .route(
            "/{environment}/task_range",
            post(async |name| no_tasks(name, "get_task_range")),
        )
        .fallback(not_found)
        .method_not_allowed_fallback(async || {
            told(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed")
        })
        .layer(guarded)
        .with_state(openenv)
}

fn invalid(issues: &[Issue]) -> Response {
    json(StatusCode::UNPROCESSABLE_ENTITY, wire::details(issues))
}

fn refused(openenv: &OpenEnv, refusal: &Refusal) -> Response {
    let (status, detail) = match refusal {
        Refusal::EpisodeLimit { .. } => {
            let (taken, max) = openenv.episodes.places();
            (
                StatusCode::SERVICE_UNAVAILABLE,
                wire::at_capacity(taken, max),
            )
        }
        Refusal::NoWorker { .. } | Refusal::StepLimit { .. } | Refusal::ShuttingDown => {
            (StatusCode::SERVICE_UNAVAILABLE, refusal.to_string())
        }
        _ => (StatusCode::INTERNAL_SERVER_ERROR, refusal.to_string()),
    };
    let mut response = told(status, &detail);
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, RETRY_AFTER);
    }
    response
}

/// What every request passes, and every response gets: the rules of browsers, the token, and what is caught of our own faults.
async fn guard(State(openenv): Shared, mut request: Request, next: Next) -> Response {
    let verdict = judge(
        &openenv.rules,
        request.method(),
        request.uri(),
        request.headers(),
    );
    let allowed = match verdict {
        Verdict::Pass => None,
        Verdict::Allowed(origin) => Some(origin),
        Verdict::Refused(why) => return sealed(told(StatusCode::FORBIDDEN, why), None),
    };
    if allowed.is_some() && request.method() == Method::OPTIONS {
        return sealed(preflight(), allowed);
    }
    if request.uri().path() == "/web/socket"
        && let Some(authorization) = page_socket::authorization(request.headers())
    {
        request
            .headers_mut()
            .insert(header::AUTHORIZATION, authorization);
    }
    if !page::is_file(request.uri().path()) && !openenv.gate.admits(&mut request) {
        let mut response = told(
            StatusCode::UNAUTHORIZED,
            "this server takes requests with a bearer token alone: send the header `Authorization: Bearer TOKEN`",
        );
        let scheme = HeaderValue::from_static("Bearer");
        response
            .headers_mut()
            .insert(header::WWW_AUTHENTICATE, scheme);
        return sealed(response, allowed);
    }
    // The router would answer it as a GET.
    if request.method() == Method::HEAD {
        return sealed(
            told(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed"),
            allowed,
        );
    }
    let response = match fault::caught(next.run(request)).await {
        Ok(response) => response,
        Err(cause) => {
            let id = fault::report(&cause);
            told(
                StatusCode::INTERNAL_SERVER_ERROR,
                &Refusal::Fault { id }.to_string(),
            )
        }
    };
    sealed(response, allowed)
}

/// Adds what keeps a browser from making more of a response than it is.
fn sealed(mut response: Response, allowed: Option<HeaderValue>) -> Response {
    let headers = response.headers_mut();
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static(POLICY));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let resource = HeaderName::from_static("cross-origin-resource-policy");
    match allowed {
        None => {
            headers.insert(resource, HeaderValue::from_static("same-origin"));
        }
        Some(origin) => {
            headers.insert(resource, HeaderValue::from_static("cross-origin"));
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            headers.insert(header::VARY, HeaderValue::from_static("Origin"));
        }
    }
    response
}

/// What a page of an origin that is allowed may send.
fn preflight() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    for (name, value) in [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST"),
        (
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            "authorization, content-type",
        ),
        (header::ACCESS_CONTROL_MAX_AGE, "600"),
    ] {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Whose a request is: [`guard`] has put it there.
fn owner(request: &Request) -> Owner {
    request
        .extensions()
        .get::<Owner>()
        .cloned()
        .unwrap_or_default()
}

async fn health(State(openenv): Shared) -> Response {
    if openenv.ready.is_ready() {
        json(StatusCode::OK, r#"{"status":"healthy"}"#)
    } else {
        json(StatusCode::SERVICE_UNAVAILABLE, r#"{"status":"unhealthy"}"#)
    }
}

async fn docs() -> Response {
    let mut response = typed("text/html; charset=utf-8", schema::page());
    let policy = HeaderValue::from_static(DOCS_POLICY);
    response
        .headers_mut()
        .insert(header::CONTENT_SECURITY_POLICY, policy);
    response
}

/// The body of a request, or the response to one that is too large, or never came.
async fn whole(request: Request) -> Result<Bytes, Response> {
    let body = Limited::new(request.into_body(), BODY_BYTES_MAX);
    let Ok(body) = tokio::time::timeout(BODY_WITHIN, body.collect()).await else {
        let detail = format!("the body did not come within {BODY_WITHIN:?}");
        return Err(told(StatusCode::REQUEST_TIMEOUT, &detail));
    };
    match body {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(told(
            StatusCode::PAYLOAD_TOO_LARGE,
            &format!("a body may have {BODY_BYTES_MAX} bytes"),
        )),
        Err(error) => Err(told(StatusCode::BAD_REQUEST, &error.to_string())),
    }
}

/// The object that a body is. None without a body.
async fn object(request: Request) -> Result<Option<Map<String, Value>>, Response> {
    let body = whole(request).await?;
    if body.is_empty() {
        return Ok(None);
    }
    match serde_json::from_slice(&body) {
        Ok(Value::Null) => Ok(None),
        Ok(value) => check::body(value)
            .map(Some)
            .map_err(|issues| invalid(&issues)),
        Err(_) => {
            let fault = json::explain(&String::from_utf8_lossy(&body));
            Err(invalid(&[Issue::no_json(&fault)]))
        }
    }
}

/// An episode that nobody could step: what is shown of it is all there is to it.
async fn reset(State(openenv): Shared, request: Request) -> Response {
    let body = match object(request).await {
        Ok(body) => body.unwrap_or_default(),
        Err(response) => return response,
    };
    match check::reset_body(&body) {
        Ok(_) => json(StatusCode::OK, openenv.profile.reset_shown().body()),
        Err(issues) => invalid(&issues),
    }
}

async fn step(State(openenv): Shared, request: Request) -> Response {
    let owner = owner(&request);
    let body = match object(request).await {
        Ok(Some(body)) => body,
        Ok(None) => return invalid(&check::no_body()),
        Err(response) => return response,
    };
    let asked = check::step_body(body).and_then(|(action, timeout)| {
        let code = check::action(action, openenv.profile.source_bytes())?;
        Ok((code, timeout))
    });
    let (code, timeout) = match asked {
        Ok(asked) => asked,
        Err(issues) => return invalid(&issues),
    };
    let shown = match openenv.start_session(&owner) {
        Ok(session) => session.step(code, timeout).await,
        Err(refusal) => Err(refusal),
    };
    match shown {
        Ok(shown) => json(StatusCode::OK, shown.body()),
        Err(refusal) => refused(&openenv, &refusal),
    }
}

async fn mcp_request(State(openenv): Shared, request: Request) -> Response {
    let owner = owner(&request);
    let body = match whole(request).await {
        Ok(body) => body,
        Err(response) => return response,
    };
    let response = mcp::answer_text(&openenv, mcp::Caller::Http(&owner), &body).await;
    json(StatusCode::OK, response.to_string())
}

async fn env_socket(State(openenv): Shared, request: Request) -> Response {
    let owner = owner(&request);
    socket::accept(openenv, Protocol::Env, owner, request)
}

async fn web_socket(State(openenv): Shared, request: Request) -> Response {
    let owner = owner(&request);
    socket::accept(openenv, Protocol::Page, owner, request)
}

async fn mcp_socket(State(openenv): Shared, request: Request) -> Response {
    if !socket::is_asked_for(request.headers()) {
        return told(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed");
    }
    let owner = owner(&request);
    socket::accept(openenv, Protocol::Mcp, owner, request)
}

/// The task routes: there are no tasks here, which is said as the incumbent says it.
fn no_tasks(Path(environment): Path<String>, method: &str) -> Response {
    if !environment.eq_ignore_ascii_case(schema::ENVIRONMENT) {
        return told(
            StatusCode::NOT_FOUND,
            &format!("unknown environment '{environment}'"),
        );
    }
    let detail = format!("{method} is not supported for this environment");
    told(StatusCode::NOT_IMPLEMENTED, &detail)
}

async fn not_found(request: Request) -> Response {
    if socket::is_asked_for(request.headers()) {
        return told(
            StatusCode::FORBIDDEN,
            "there is no WebSocket here: it is on /ws",
        );
    }
    told(StatusCode::NOT_FOUND, "Not Found")
}
