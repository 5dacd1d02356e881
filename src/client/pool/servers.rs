//! All servers of a pool: which there are, and where a new episode goes.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

use super::super::{CodingEnv, Error, Options};
use super::PoolOptions;
use super::server::{END_WITHIN, Place, Process, Server, ServerStatus};
use super::target::Resolver;

/// The least time between two looks at the servers, however much trouble there is.
const LOOK_SPACING: Duration = Duration::from_millis(100);

/// How many episodes of servers that were given up are remembered.
const LEFT_MAX: usize = 10_000;

#[derive(Debug)]
pub(super) struct Servers {
    options: PoolOptions,
    /// How each is spoken to: the options of the client, and for TLS the name that the target has.
    client: Options,
    all: Mutex<All>,
    /// Wakes who looks after them.
    trouble: Arc<Notify>,
    /// Wakes one who waits for a place.
    room: Notify,
    looked: watch::Sender<Looked>,
}

#[derive(Debug, Default)]
struct All {
    servers: Vec<Arc<Server>>,
    /// Why the target could not be resolved the last time, or a URL of it is none.
    error: Option<Error>,
    placements: u64,
    /// What could not be ended on servers that were given up: ended if one turns out to live on. The oldest first.
    left: Vec<(Process, CodingEnv)>,
}

/// What has been looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Looked {
    /// Servers, one by one.
    servers: u64,
    /// All of them.
    pub(super) rounds: u64,
}

impl Servers {
    pub(super) fn new(options: PoolOptions, resolver: &Resolver) -> Self {
        let mut client = options.client.clone();
        if client.tls.server_name.is_none() {
            client.tls.server_name = resolver.server_name().map(str::to_owned);
        }
        Self {
            options,
            client,
            all: Mutex::default(),
            trouble: Arc::new(Notify::new()),
            room: Notify::new(),
            looked: watch::Sender::default(),
        }
    }

    fn all(&self) -> MutexGuard<'_, All> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn looked(&self) -> watch::Receiver<Looked> {
        self.looked.subscribe()
    }

    pub(super) fn status(&self) -> Vec<ServerStatus> {
        let all = self.all();
        all.servers.iter().map(|server| server.status()).collect()
    }

    /// Takes the best place for a new episode. `holding` has the one that ends with the reset; `asked` have refused it.
    pub(super) fn place(
        &self,
        holding: Option<&Arc<Server>>,
        asked: &[Arc<Server>],
    ) -> Option<Place> {
        let mut all = self.all();
        all.placements = all.placements.wrapping_add(1);
        Place::find(&all.servers, holding, asked, all.placements)
    }

    /// Waits for what may bring a place: an episode that ended, a server that came.
    pub(super) async fn room(&self) {
        self.room.notified().await;
    }

    /// One more episode fits a server.
    pub(super) fn has_room(&self, server: &Server) {
        server.has_room();
        self.room.notify_one();
    }

    /// A server was given up with what `env` has on it. If the process lives on after all, that is ended once it answers.
    pub(super) fn leave_behind(&self, server: &Server, env: CodingEnv) {
        let Some(process) = server.process() else {
            return;
        };
        let mut all = self.all();
        if all.left.len() == LEFT_MAX {
            all.left.remove(0);
        }
        all.left.push((process, env));
    }

    /// Nobody takes new episodes: has them looked at again, and says when the first of them asked to come back.
    pub(super) fn look_again(&self) -> Option<Duration> {
        self.trouble.notify_one();
        let all = self.all();
        all.servers
            .iter()
            .filter_map(|server| server.full_for())
            .min()
    }

    /// What no later try would mend: none of them takes what is asked for, and says so.
    pub(super) fn refusal(&self) -> Option<Error> {
        let all = self.all();
        let mut refusal = None;
        for server in &all.servers {
            match server.status().error {
                Some(error) if !error.is_retryable() && error != Error::Deadline => {
                    refusal = Some(error);
                }
                _ => return None,
            }
        }
        refusal.or_else(|| {
            let wrong = |error: &Error| matches!(error, Error::Url(_) | Error::Tls(_));
            all.error.clone().filter(wrong)
        })
    }

    /// Why there is no place.
    pub(super) fn why_no_place(&self) -> Error {
        if let Some(error) = self.refusal() {
            return error;
        }
        let all = self.all();
        let of_target = all.error.iter().map(ToString::to_string);
        let each = all.servers.iter().map(|server| {
            let status = server.status();
            match status.error {
                Some(error) => format!("{}: {error}", status.url),
                None => format!("{}: {:?}", status.url, status.standing),
            }
        });
        let said: Vec<String> = of_target.chain(each).take(8).collect();
        let count = all.servers.len();
        Error::Connect(format!(
            "none of {count} servers takes new episodes: {}",
            said.join("; ")
        ))
    }

    /// Looks after the servers until the pool has gone.
    pub(super) async fn look_after(servers: Weak<Self>, mut resolver: Resolver) {
        while let Some(this) = servers.upgrade() {
            this.look(&resolver).await;
            let (trouble, period) = (Arc::clone(&this.trouble), this.options.refresh_period);
            drop(this);
            tokio::time::sleep(LOOK_SPACING).await;
            tokio::select! {
                () = tokio::time::sleep(period) => {}
                () = trouble.notified() => {}
                () = resolver.changed() => {}
            }
        }
    }

    /// Resolves the target and asks every server how it is.
    async fn look(&self, resolver: &Resolver) {
        match resolver.urls(self.options.secure).await {
            Ok(urls) => self.set_listed(&urls),
            // Those that are known may well be there yet.
            Err(error) => self.all().error = Some(error),
        }
        let mut looks = JoinSet::new();
        for server in self.all().servers.clone() {
            looks.spawn(async move {
                server.look().await;
                server
            });
        }
        while let Some(server) = looks.join_next().await {
            if let Ok(server) = server {
                self.judge(&server);
            }
            self.looked.send_modify(|looked| looked.servers += 1);
        }
        self.sort_out();
        self.looked.send_modify(|looked| looked.rounds += 1);
        self.room.notify_waiters();
    }

    fn set_listed(&self, urls: &BTreeSet<String>) {
        let mut all = self.all();
        all.error = None;
        // What comes up where one was lost is another process.
        all.servers.retain(|server| !server.is_lost());
        for server in &all.servers {
            server.set_listed(urls.contains(server.url()));
        }
        for url in urls {
            if all.servers.iter().any(|server| server.url() == url) {
                continue;
            }
            let sessions = self.options.sessions_per_server;
            match Server::new(url, &self.client, sessions, Arc::clone(&self.trouble)) {
                Ok(server) => all.servers.push(Arc::new(server)),
                Err(error) => all.error = Some(error),
            }
        }
    }

    /// Gives up a server that does not answer: after a while, or at once when the target does not name it any more.
    fn judge(&self, server: &Server) {
        let Self { options, .. } = self;
        if server.is_silent_for(options.lost_after) {
            server.give_up(&format!("no answer for {:?}", options.lost_after));
        } else if server.is_cut_off() && !server.is_listed() {
            server.give_up("it has left, and does not answer");
        }
    }

    /// Forgets servers that have left, and finds those that are listed twice.
    fn sort_out(&self) {
        let mut all = self.all();
        all.servers
            .retain(|server| !server.is_lost() && (server.is_listed() || server.episodes() > 0));
        let All { servers, left, .. } = &mut *all;
        let mut processes = Vec::new();
        for server in servers.iter().filter(|server| server.is_listed()) {
            let Some(process) = server.process() else {
                continue;
            };
            server.set_alias(processes.contains(&process));
            let here = left.extract_if(.., |(left, _)| *left == process);
            let here: Vec<CodingEnv> = here.map(|(_, env)| env).collect();
            if !here.is_empty() {
                tokio::spawn(end_left(server.env(), here));
            }
            processes.push(process);
        }
    }
}

/// Ends what was left on a server that was given up and answers again. What can't be ended now is left to its idle timeout.
async fn end_left(mut env: CodingEnv, left: Vec<CodingEnv>) {
    for each in left {
        env.adopt(each);
    }
    drop(tokio::time::timeout(END_WITHIN, env.close()).await);
}
