//! Bearer tokens: who may do anything, and whose a request is.
//!
//! [`tokens`] reads the file; [`gate`] looks at every request before a handler does. Behind it a request has an
//! [`Owner`](crate::episode::Owner).

mod gate;
mod tokens;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use http::{HeaderMap, header};
use tokio_util::sync::CancellationToken;

pub(crate) use self::gate::Gate;
pub(crate) use self::tokens::FileError;
use self::tokens::{Found, Rejected, TOKEN_CHARS_MAX, Tokens, is_token};
use crate::config::Open;
use crate::episode::Owner;
use crate::reload::Watch;

/// Requests refused for want of a token, by what was wrong.
#[derive(Debug, Default)]
struct Refused {
    missing: AtomicU64,
    malformed: AtomicU64,
    unknown: AtomicU64,
    expired: AtomicU64,
}

impl Refused {
    fn counts(&self) -> [u64; 4] {
        [&self.missing, &self.malformed, &self.unknown, &self.expired]
            .map(|count| count.load(Ordering::Relaxed))
    }
}

/// The tokens in force.
#[derive(Debug)]
pub(crate) struct Auth {
    path: PathBuf,
    tokens: RwLock<Arc<Tokens>>,
    open: Vec<Open>,
    refused: Refused,
}

impl Auth {
    /// Reads the file, and has it read again whenever it changes, until `stop`.
    pub(crate) async fn start(
        path: &Path,
        open: Vec<Open>,
        stop: CancellationToken,
    ) -> Result<Arc<Self>, FileError> {
        // Before the first look, so that no change is missed.
        let watch = Watch::new(vec![path.to_owned()]).await?;
        let (tokens, found) = read(path).await?;
        tell(path, found);
        let auth = Arc::new(Self {
            path: path.to_owned(),
            tokens: RwLock::new(Arc::new(tokens)),
            open,
            refused: Refused::default(),
        });
        tokio::spawn(Arc::clone(&auth).keep(watch, stop));
        Ok(auth)
    }

    /// Requests refused so far.
    pub(crate) fn refused(&self) -> u64 {
        self.refused.counts().iter().sum()
    }

    async fn keep(self: Arc<Self>, mut watch: Watch, stop: CancellationToken) {
        let mut told = [0; 4];
        let mut going_on = true;
        while going_on {
            let changed = tokio::select! {
                changed = watch.next() => changed,
                () = stop.cancelled() => {
                    going_on = false;
                    false
                }
            };
            if changed {
                self.reload().await;
            }
            self.tell_refused(&mut told);
        }
    }

    async fn reload(&self) {
        match read(&self.path).await {
            Ok((tokens, found)) => {
                *self.tokens.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(tokens);
                tell(&self.path, found);
            }
            Err(error) => tracing::warn!(
                path = %self.path.display(), %error,
                "the tokens file can't be used; the tokens it listed before stay in force"
            ),
        }
    }

    /// One line for all requests that were refused since the last.
    fn tell_refused(&self, told: &mut [u64; 4]) {
        let counts = self.refused.counts();
        if counts == *told {
            return;
        }
        let [missing, malformed, unknown, expired] = std::array::from_fn(|at| {
            let pair = counts.get(at).zip(told.get(at));
            pair.map_or(0, |(now, before)| now.saturating_sub(*before))
        });
        let total = counts.iter().sum::<u64>();
        tracing::info!(
            missing,
            malformed,
            unknown,
            expired,
            total,
            "requests without a valid token were refused"
        );
        *told = counts;
    }

    /// Whether what is below this path needs no token.
    fn is_open(&self, path: &str) -> bool {
        self.open.iter().any(|open| {
            let services: &[&str] = match open {
                Open::None => &[],
                Open::Health if path == "/health" => return true,
                Open::Health => &["/grpc.health.v1.Health/"],
                Open::Reflection => &[
                    "/grpc.reflection.v1.ServerReflection/",
                    "/grpc.reflection.v1alpha.ServerReflection/",
                ],
            };
            services.iter().any(|service| path.starts_with(service))
        })
    }

    /// Whose a request is. None when it has no token that is in force.
    fn owner(&self, headers: &HeaderMap) -> Option<Owner> {
        let refused = &self.refused;
        let mut values = headers.get_all(header::AUTHORIZATION).iter();
        let (value, further) = (values.next(), values.next());
        let Some(value) = value else {
            refused.missing.fetch_add(1, Ordering::Relaxed);
            return None;
        };
        let token = value.to_str().ok().and_then(bearer);
        let (Some(token), None) = (token, further) else {
            refused.malformed.fetch_add(1, Ordering::Relaxed);
            return None;
        };
        let tokens = Arc::clone(&self.tokens.read().unwrap_or_else(PoisonError::into_inner));
        match tokens.owner(token, SystemTime::now()) {
            Ok(owner) => Some(owner.clone()),
            Err(rejected) => {
                let count = match rejected {
                    Rejected::Unknown => &refused.unknown,
                    Rejected::Expired => &refused.expired,
                };
                count.fetch_add(1, Ordering::Relaxed);
                None
            }
        }
    }
}

/// The token of a header `Bearer TOKEN`: RFC 6750, section 2.1; the scheme in any case (RFC 9110, section 11.1).
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim_start_matches(' ');
    let valid =
        scheme.eq_ignore_ascii_case("bearer") && token.len() <= TOKEN_CHARS_MAX && is_token(token);
    valid.then_some(token)
}

/// On a thread where it may block: a file system can be slow.
async fn read(path: &Path) -> Result<(Tokens, Found), FileError> {
    let path = path.to_owned();
    let reading = tokio::task::spawn_blocking(move || Tokens::read(&path));
    reading.await.map_err(std::io::Error::other)?
}

/// Tells what an operator should know of a file whose tokens are now in force.
fn tell(path: &Path, found: Found) {
    let Found {
        tokens,
        expired,
        open_to_others,
    } = found;
    let path = path.display();
    tracing::info!(%path, tokens, expired, "tokens");
    if open_to_others {
        tracing::warn!(%path, "the tokens file is open to every user of this machine: chmod o= it");
    }
}

/// Whether a server could start with this file.
pub(crate) fn check_file(path: &Path) -> Result<(), FileError> {
    Tokens::read(path).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_holds_one_token_behind_its_scheme() {
        for (value, token) in [
            ("Bearer abc", Some("abc")),
            ("bearer  abc==", Some("abc==")),
            ("BEARER a.b", Some("a.b")),
            ("Bearer", None),
            ("Bearer ", None),
            ("Bearer a b", None),
            ("Bearer a,b", None),
            ("Basic abc", None),
            ("abc", None),
        ] {
            assert_eq!(bearer(value), token, "{value}");
        }
        let long = |count| format!("Bearer {}", "a".repeat(count));
        assert!(bearer(&long(512)).is_some());
        assert_eq!(bearer(&long(513)), None);
    }
}
