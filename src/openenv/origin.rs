//! Which web pages may talk to the server: its own, and those that the operator names. Pure.
//!
//! A browser sends what any page asks it to, also to a server on loopback, and a page can have its own name lead there (DNS rebinding).
//! Whoever is no browser sends neither `Origin` nor `Sec-Fetch-…`, and passes: it is kept out by other means, if at all.

use std::net::IpAddr;

use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};

const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");

/// What the operator allows.
#[derive(Debug, Clone, Default)]
pub(super) struct Rules {
    /// Names under which pages may reach the server, beside those that are always the server's own. `*.example.org` is every name below it.
    pub(super) hosts: Vec<String>,
    /// Other pages' origins, as browsers send them.
    pub(super) origins: Vec<String>,
}

/// What becomes of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    Pass,
    /// It comes from a page elsewhere that the operator allows, and which is to be told so.
    Allowed(HeaderValue),
    Refused(&'static str),
}

/// Judges a request by its headers.
pub(super) fn judge(rules: &Rules, method: &Method, uri: &Uri, headers: &HeaderMap) -> Verdict {
    let origin = headers.get(header::ORIGIN);
    let fetched = headers
        .keys()
        .any(|name| name.as_str().starts_with("sec-fetch-"));
    if origin.is_none() && !fetched {
        return Verdict::Pass;
    }
    let text = |value: &HeaderValue| value.to_str().unwrap_or_default().to_ascii_lowercase();
    let site = origin.map(text);
    if let (Some(value), Some(site)) = (origin, &site)
        && rules.origins.iter().any(|allowed| allowed == site)
    {
        return Verdict::Allowed(value.clone());
    }
    let host = match headers.get(header::HOST) {
        Some(host) => text(host),
        None => uri
            .authority()
            .map(|host| host.as_str().to_ascii_lowercase())
            .unwrap_or_default(),
    };
    if !rules.trusts(name_of(&host)) {
        return Verdict::Refused(
            "this server is not known under the name that the page reaches it by; its operator can allow it with --allow-host",
        );
    }
    let elsewhere = Verdict::Refused(
        "a page of another origin may not use this server; its operator can allow it with --allow-origin",
    );
    match site {
        Some(site) if is_of(&site, &host) => Verdict::Pass,
        Some(_) => elsewhere,
        None => {
            let is = |name: &HeaderName, expected: &[&str]| {
                let value = headers.get(name).map(text);
                value.is_some_and(|value| expected.contains(&value.as_str()))
            };
            // Who follows a link, or opens the page in a frame, reads nothing of it.
            let follows = *method == Method::GET && is(&MODE, &["navigate"]);
            if is(&SITE, &["same-origin", "none"]) || follows {
                Verdict::Pass
            } else {
                elsewhere
            }
        }
    }
}

/// The host without its port.
fn name_of(host: &str) -> &str {
    if let Some(rest) = host.strip_prefix('[') {
        return rest.split(']').next().unwrap_or_default();
    }
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

/// Whether an origin is the host that was asked. A proxy may have ended TLS, so the scheme says only which port goes without saying.
fn is_of(origin: &str, host: &str) -> bool {
    let Some((scheme, authority)) = origin.split_once("://") else {
        return false;
    };
    let port = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => return false,
    };
    let plain = |text: &str| text.strip_suffix(port).unwrap_or(text).to_owned();
    plain(authority) == plain(host)
}

impl Rules {
    /// Whether a page can't have made this name lead here by itself: names without a dot and addresses are in nobody's gift, and
    /// a cluster's names are the cluster's.
    fn trusts(&self, name: &str) -> bool {
        let name = name.strip_suffix('.').unwrap_or(name);
        let below = |parent: &str| {
            let rest = name.strip_suffix(parent);
            rest.is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
        };
        if name.is_empty() {
            return false;
        }
        name.parse::<IpAddr>().is_ok()
            || !name.contains('.')
            || ["localhost", "svc", "cluster.local"].into_iter().any(below)
            || self
                .hosts
                .iter()
                .any(|allowed| match allowed.strip_prefix("*.") {
                    Some(parent) => below(parent),
                    None => allowed == name,
                })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(headers: &[(&str, &str)], method: Method) -> Verdict {
        let rules = Rules {
            hosts: vec!["code.example.org".into(), "*.hf.space".into()],
            origins: vec!["https://friend.example".into()],
        };
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(
                HeaderName::try_from(*name).unwrap(),
                HeaderValue::from_str(value).unwrap(),
            );
        }
        judge(&rules, &method, &Uri::from_static("/step"), &map)
    }

    #[test]
    fn who_is_no_browser_passes_under_any_name() {
        for host in ["localhost:8000", "evil.example", "10.0.0.1"] {
            assert_eq!(verdict(&[("host", host)], Method::POST), Verdict::Pass);
        }
    }

    #[test]
    fn a_page_reaches_its_own_server_alone() {
        for (host, origin, passes) in [
            ("localhost:8000", "http://localhost:8000", true),
            ("127.0.0.1:8000", "http://127.0.0.1:8000", true),
            ("[::1]:8000", "http://[::1]:8000", true),
            ("app.localhost", "http://app.localhost", true),
            ("coding-env:8000", "http://coding-env:8000", true),
            ("env.team.svc", "https://env.team.svc", true),
            (
                "env.team.svc.cluster.local:443",
                "https://env.team.svc.cluster.local",
                true,
            ),
            ("code.example.org", "https://code.example.org", true),
            ("CODE.example.org:443", "https://code.example.org", true),
            ("me-env.hf.space", "https://me-env.hf.space", true),
            ("hf.space", "https://hf.space", false),
            // DNS rebinding: the page and the request agree, on a name that is not ours.
            ("evil.example:8000", "http://evil.example:8000", false),
            (
                "127.0.0.1.evil.example",
                "http://127.0.0.1.evil.example",
                false,
            ),
            ("evilsvc.example", "http://evilsvc.example", false),
            (".svc", "http://.svc", false),
            // Cross-site.
            ("localhost:8000", "http://localhost:3000", false),
            ("localhost:8000", "http://evil.example", false),
            ("localhost:8000", "null", false),
            ("localhost:8000", "file://", false),
            ("127.0.0.1:8000", "http://localhost:8000", false),
        ] {
            let verdict = verdict(&[("host", host), ("origin", origin)], Method::POST);
            assert_eq!(verdict == Verdict::Pass, passes, "{host} {origin}");
        }
    }

    #[test]
    fn origins_that_the_operator_names_are_told_so() {
        let headers = [
            ("host", "evil.example"),
            ("origin", "https://friend.example"),
        ];
        let friend = HeaderValue::from_static("https://friend.example");
        assert_eq!(verdict(&headers, Method::POST), Verdict::Allowed(friend));
    }

    #[test]
    fn without_an_origin_what_the_browser_says_of_the_site_counts() {
        let with = |site: &str, mode: &str, method| {
            let headers = [
                ("host", "localhost:8000"),
                ("sec-fetch-site", site),
                ("sec-fetch-mode", mode),
            ];
            verdict(&headers, method) == Verdict::Pass
        };
        assert!(with("same-origin", "cors", Method::GET));
        assert!(with("none", "navigate", Method::GET));
        assert!(with("cross-site", "navigate", Method::GET), "a link");
        assert!(!with("cross-site", "navigate", Method::POST), "a form");
        assert!(!with("cross-site", "no-cors", Method::GET), "an image");
        assert!(!with("same-site", "cors", Method::GET));
        let rebound = [("host", "evil.example"), ("sec-fetch-site", "same-origin")];
        assert_ne!(verdict(&rebound, Method::GET), Verdict::Pass);
    }
}
