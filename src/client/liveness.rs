//! Whether the server of a pool's episodes is still there.
//!
//! An episode lives and ends with its server's process. So a connection that is refused, where a server has answered before, tells that its
//! episodes are gone; silence tells it after a while. Calls that wait for such a server end at once, with one typed error.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use tonic::{Code, Status};

use super::error::{Error, Reason, Refusal};

/// What is known of one process of a server.
#[derive(Debug)]
pub(super) struct Liveness {
    /// Where it is, for people.
    address: Arc<str>,
    /// Why it is lost, once it is. Nothing takes that back: what comes up at the address later is another process.
    lost: watch::Sender<Option<Loss>>,
    /// When it answered last; none before the first time.
    heard: Mutex<Option<Instant>>,
    /// Wakes who looks after the servers.
    trouble: Arc<Notify>,
}

/// Why a server is lost.
#[derive(Debug, Clone)]
pub(super) struct Loss {
    address: Arc<str>,
    cause: Arc<str>,
}

impl Loss {
    /// What its episodes' calls end with: the answer that a proxy gives too.
    pub(super) fn error(&self, episode_id: &str) -> Error {
        let Self { address, cause } = self;
        let of_episode = if episode_id.is_empty() {
            String::new()
        } else {
            format!(" of episode `{episode_id}`")
        };
        let values = [
            ("episode_id", episode_id),
            ("address", address),
            ("cause", cause),
        ];
        Error::Refused(Box::new(Refusal {
            reason: Reason::EpisodeServerGone,
            code: Code::NotFound,
            message: format!("the server{of_episode}, at {address}, is gone: {cause}"),
            metadata: values
                .into_iter()
                .filter(|(_, value)| !value.is_empty())
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect::<HashMap<_, _>>(),
            retry_after: None,
            violations: Vec::new(),
        }))
    }
}

impl Liveness {
    pub(super) fn new(address: Arc<str>, trouble: Arc<Notify>) -> Self {
        Self {
            address,
            lost: watch::Sender::new(None),
            heard: Mutex::new(None),
            trouble,
        }
    }

    /// What came of a call: none when the reply is there.
    pub(super) fn note(&self, failure: Option<&Status>) {
        let Some(status) = failure else {
            self.set_heard();
            return;
        };
        match Error::from_status(status) {
            Error::Connect(cause) => {
                if is_refused(status) && self.silent_for().is_some() {
                    self.give_up(&cause);
                }
                self.trouble.notify_one();
            }
            Error::Refused(_) => self.set_heard(),
            _ => {}
        }
    }

    fn set_heard(&self) {
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// How long ago it answered; none when it never has.
    pub(super) fn silent_for(&self) -> Option<Duration> {
        let heard = *self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.map(|heard| heard.elapsed())
    }

    /// It is gone for good. The first cause stays.
    pub(super) fn give_up(&self, cause: &str) {
        let loss = || Loss {
            address: Arc::clone(&self.address),
            cause: cause.into(),
        };
        self.lost.send_if_modified(|lost| {
            let first = lost.is_none();
            lost.get_or_insert_with(loss);
            first
        });
        self.trouble.notify_one();
    }

    pub(super) fn cause_of_loss(&self) -> Option<Loss> {
        self.lost.borrow().clone()
    }

    /// Waits until it is lost; for ever, if it never is.
    pub(super) async fn lost(&self) {
        let mut lost = self.lost.subscribe();
        // The sender lives as long as `self`.
        drop(lost.wait_for(Option::is_some).await);
    }
}

/// Whether nobody listens at the address.
fn is_refused(status: &Status) -> bool {
    let mut cause: Option<&dyn std::error::Error> = std::error::Error::source(status);
    while let Some(error) = cause {
        let io = error.downcast_ref::<io::Error>();
        if io.is_some_and(|error| error.kind() == io::ErrorKind::ConnectionRefused) {
            return true;
        }
        cause = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn liveness() -> Liveness {
        Liveness::new("10.0.0.1:8000".into(), Arc::new(Notify::new()))
    }

    fn refused() -> Status {
        let error = io::Error::from(io::ErrorKind::ConnectionRefused);
        let mut status = Status::unavailable("tcp connect error");
        status.set_source(Arc::new(error));
        status
    }

    #[test]
    fn a_refused_connection_is_a_loss_where_a_server_was() {
        let fresh = liveness();
        fresh.note(Some(&refused()));
        assert!(fresh.cause_of_loss().is_none(), "it may be starting yet");

        let server = liveness();
        server.note(None);
        server.note(Some(&Status::unavailable("broken pipe")));
        assert!(server.cause_of_loss().is_none(), "it may be the network");
        server.note(Some(&refused()));
        let error = server.cause_of_loss().unwrap().error("e");
        assert_eq!(error.reason(), Some(&Reason::EpisodeServerGone));
        let Error::Refused(refusal) = error else {
            panic!("{error:?}")
        };
        let values = ["episode_id", "address"].map(|name| refusal.metadata[name].as_str());
        assert_eq!(values, ["e", "10.0.0.1:8000"]);
    }

    #[test]
    fn any_answer_is_a_sign_of_life() {
        let server = liveness();
        assert_eq!(server.silent_for(), None);
        server.note(Some(&Status::invalid_argument("no")));
        assert!(server.silent_for().is_some());
    }

    #[tokio::test]
    async fn the_first_cause_stays() {
        let server = liveness();
        server.give_up("one");
        server.give_up("two");
        server.lost().await;
        let error = server.cause_of_loss().unwrap().error("");
        assert_eq!(
            error.to_string(),
            "EPISODE_SERVER_GONE: the server, at 10.0.0.1:8000, is gone: one"
        );
    }
}
