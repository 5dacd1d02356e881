//! The page of `/web`: its files, which the binary embeds. Their sources are in `web/`, and `npm run build` there makes them.
//!
//! Files need no token: they hold nothing. The page asks for one, and sends it with its socket (`page_socket`).

use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};

use super::answer::typed;

const PAGE: &str = include_str!("web/index.html");
const SCRIPT: &str = include_str!("web/app.js");
const STYLE: &str = include_str!("web/app.css");
const LICENSES: &str = include_str!("web/licenses.txt");
/// Where the page has the number that its script and the styles of its editor are allowed by.
const NONCE: &str = "{nonce}";
/// A place of Hugging Face's that shows the page in a frame of its own has its name in this variable.
const SPACE: &str = "SPACE_HOST";

/// Whether a path is one of the page's files.
pub(super) fn is_file(path: &str) -> bool {
    matches!(
        path,
        "/web" | "/web/" | "/web/app.js" | "/web/app.css" | "/web/licenses.txt"
    )
}

/// The page. It may load its own files and open its own socket, and nothing else; what programs show it has as bytes.
pub(super) async fn page() -> Response {
    let nonce = uuid::Uuid::new_v4().simple().to_string();
    let frames = if std::env::var_os(SPACE).is_some() {
        "'self' https://huggingface.co"
    } else {
        "'self'"
    };
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; img-src data: blob:; connect-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors {frames}"
    );
    let mut response = typed("text/html; charset=utf-8", PAGE.replace(NONCE, &nonce));
    if let Ok(policy) = HeaderValue::try_from(policy) {
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

pub(super) async fn script() -> Response {
    typed("text/javascript; charset=utf-8", SCRIPT)
}

pub(super) async fn style() -> Response {
    typed("text/css; charset=utf-8", STYLE)
}

pub(super) async fn licenses() -> Response {
    typed("text/plain; charset=utf-8", LICENSES)
}

/// The page's other name. Relative, so that it holds behind a proxy that adds a path.
pub(super) async fn moved() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::TEMPORARY_REDIRECT;
    let to = HeaderValue::from_static("../web");
    response.headers_mut().insert(header::LOCATION, to);
    response
}
