//! Where the servers of a pool are: a name, a list, or a list that changes.

use std::collections::BTreeSet;

use tokio::sync::watch;

use super::super::Error;

/// Where the servers of a pool are. Made from
/// - `"dns:///HOST:PORT"`: every address of the name is a server, as with a headless service of Kubernetes;
/// - a URL, `"http://HOST:PORT"`, or several: those servers, whether they are up or not;
/// - a [`watch::Receiver`] of URLs: whatever your own discovery finds, and each change of it at once.
///
/// Each address has to be that of one server, not of a balancer in front of several.
#[derive(Debug, Clone)]
pub struct Target(Source);

#[derive(Debug, Clone)]
enum Source {
    /// A text, as it was given.
    Text(String),
    Urls(Vec<String>),
    Watched(watch::Receiver<Vec<String>>),
}

impl From<&str> for Target {
    fn from(text: &str) -> Self {
        Self(Source::Text(text.to_owned()))
    }
}

impl From<String> for Target {
    fn from(text: String) -> Self {
        Self(Source::Text(text))
    }
}

impl<T: Into<String>> From<Vec<T>> for Target {
    fn from(urls: Vec<T>) -> Self {
        Self(Source::Urls(urls.into_iter().map(Into::into).collect()))
    }
}

impl<T: Into<String>, const N: usize> From<[T; N]> for Target {
    fn from(urls: [T; N]) -> Self {
        Self(Source::Urls(urls.into_iter().map(Into::into).collect()))
    }
}

impl From<watch::Receiver<Vec<String>>> for Target {
    fn from(urls: watch::Receiver<Vec<String>>) -> Self {
        Self(Source::Watched(urls))
    }
}

/// A target that was looked at: it can be asked for its servers.
#[derive(Debug)]
pub(super) enum Resolver {
    Name { host: String, port: u16 },
    Urls(Vec<String>),
    Watched(watch::Receiver<Vec<String>>),
}

impl TryFrom<Target> for Resolver {
    type Error = Error;

    fn try_from(Target(source): Target) -> Result<Self, Error> {
        let urls = match source {
            Source::Watched(urls) => return Ok(Self::Watched(urls)),
            Source::Urls(urls) => urls,
            Source::Text(text) => match text.strip_prefix("dns:") {
                Some(name) => {
                    let (host, port) = name_of(name).ok_or_else(|| Error::Url(text.clone()))?;
                    return Ok(Self::Name { host, port });
                }
                None => vec![text],
            },
        };
        if urls.is_empty() {
            return Err(Error::Url(String::new()));
        }
        Ok(Self::Urls(urls))
    }
}

/// `///HOST:PORT` or `HOST:PORT`. Which servers of names are asked is the system's to say, so `//SERVER/HOST:PORT` is none.
fn name_of(text: &str) -> Option<(String, u16)> {
    let name = text.strip_prefix("///").unwrap_or(text);
    let (host, port) = name.rsplit_once(':')?;
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let plain = |host: &str| {
        !host.is_empty()
            && host
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
    };
    let host = match bare {
        Some(address) => address.parse::<std::net::Ipv6Addr>().ok()?.to_string(),
        None if plain(host) => host.to_owned(),
        None => return None,
    };
    Some((host, port.parse().ok().filter(|port| *port > 0)?))
}

impl Resolver {
    /// The URLs of all servers, each once, in order.
    ///
    /// # Errors
    /// When the name can't be resolved.
    pub(super) async fn urls(&self, secure: bool) -> Result<BTreeSet<String>, Error> {
        match self {
            Self::Urls(urls) => Ok(urls.iter().cloned().collect()),
            Self::Watched(urls) => Ok(urls.borrow().iter().cloned().collect()),
            Self::Name { host, port } => {
                let scheme = if secure { "https" } else { "http" };
                let found = tokio::net::lookup_host((host.as_str(), *port))
                    .await
                    .map_err(|error| Error::Connect(format!("resolving `{host}`: {error}")))?;
                Ok(found
                    .map(|address| format!("{scheme}://{address}"))
                    .collect())
            }
        }
    }

    /// The name that the certificates of servers bear which were found by a name.
    pub(super) fn server_name(&self) -> Option<&str> {
        match self {
            Self::Name { host, .. } => Some(host),
            Self::Urls(_) | Self::Watched(_) => None,
        }
    }

    /// Waits until the list changes; for ever, where nothing tells.
    ///
    /// # Cancel-Safety
    /// A change that was not waited for is seen the next time.
    pub(super) async fn changed(&mut self) {
        if let Self::Watched(urls) = self
            && urls.changed().await.is_ok()
        {
            return;
        }
        std::future::pending().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_from_urls() {
        for text in ["dns:///servers.ns.svc:8000", "dns:servers.ns.svc:8000"] {
            let resolver = Resolver::try_from(Target::from(text)).unwrap();
            assert_eq!(resolver.server_name(), Some("servers.ns.svc"), "{text}");
        }
        let resolver = Resolver::try_from(Target::from("http://10.0.0.1:8000")).unwrap();
        assert_eq!(resolver.server_name(), None);
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for text in [
            "dns:///",
            "dns:///host",
            "dns:///host:",
            "dns:///host:0",
            "dns:///host:99999",
            "dns:///:8000",
            "dns://1.1.1.1/host:8000",
            "dns:///a b:8000",
            "dns:///[::g]:8000",
        ] {
            let error = Resolver::try_from(Target::from(text)).unwrap_err();
            assert_eq!(error, Error::Url(text.to_owned()), "{text}");
        }
        let none = Resolver::try_from(Target::from(Vec::<String>::new()));
        assert_eq!(none.unwrap_err(), Error::Url(String::new()));
    }

    #[tokio::test]
    async fn every_address_of_a_name_is_a_server() {
        let resolver = Resolver::try_from(Target::from("dns:///127.0.0.1:8000")).unwrap();
        let urls = resolver.urls(false).await.unwrap();
        assert_eq!(
            urls.into_iter().collect::<Vec<_>>(),
            ["http://127.0.0.1:8000"]
        );
        let resolver = Resolver::try_from(Target::from("dns:///[::1]:8000")).unwrap();
        let urls = resolver.urls(true).await.unwrap();
        assert_eq!(urls.into_iter().collect::<Vec<_>>(), ["https://[::1]:8000"]);
    }
}
