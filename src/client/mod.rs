//! The typed client.
//!
//! ```no_run
//! # async fn example() -> Result<(), coding_env::client::Error> {
//! use coding_env::client::CodingEnv;
//!
//! let mut env = CodingEnv::connect("http://127.0.0.1:8000").await?;
//! env.reset().await?;
//! let reply = env.step("print('Hello, World!')").await?;
//! println!("{}", reply.stdout());
//! env.close().await?;
//! # Ok(())
//! # }
//! ```
//!
//! Calls are retried when the connection breaks or the server says to try again, and a retry never runs code twice: every Reset bears an id
//! and a request id, every Step its index. [`Pool`] steps many episodes at once, on several servers.

#[cfg(feature = "docker")]
mod docker;
mod error;
mod files;
mod fork;
mod lane;
mod liveness;
pub mod pool;
mod retry;
mod session;
mod stream;
mod tls;
mod token;
mod transport;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tonic::metadata::AsciiMetadataValue;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Response, Status};

#[cfg(feature = "docker")]
pub use self::docker::DockerOptions;
pub use self::error::{DockerError, Error, Reason, Refusal, Violation};
pub use self::files::{Content, Files, FilesFailed, Moved, NewFile, Progress, escape};
pub use self::fork::{ForkOptions, reseed_code};
use self::liveness::Liveness;
pub use self::pool::Pool;
use self::retry::Retry;
pub use self::session::{Session, SessionStep};
pub use self::stream::{StepEvent, StepStream};
pub use self::tls::{Identity, Tls};
pub use self::token::Token;
use self::transport::Transport;
use crate::proto::v1;

/// The header that names the server which holds the episode: see "Routing" in the contract.
const SERVER_HEADER: &str = "x-coding-env-server";
const EPISODE_HEADER: &str = "x-episode-id";
/// How long a call may wait beyond the step's own timeout, when no deadline is set: for its turn, for the grace and for the network.
const CALL_SLACK: Duration = Duration::from_secs(60);

/// How a client behaves. Start from [`Options::default`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// How long a call may take in all, retries included. Default 5 min. A step whose timeout is longer gets that and a minute.
    pub deadline: Duration,
    /// The first pause before a retry; it doubles each time and is spread at random. Default 20 ms.
    pub retry_first: Duration,
    /// The longest pause before a retry. Default 2 s.
    pub retry_max: Duration,
    /// How often an idle connection is checked. Default 20 s.
    pub keepalive: Duration,
    /// The bearer token to send with every call. Default none.
    pub token: Option<Token>,
    /// TLS, for an `https` URL.
    pub tls: Tls,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(300),
            retry_first: Duration::from_millis(20),
            retry_max: Duration::from_secs(2),
            keepalive: Duration::from_secs(20),
            token: None,
            tls: Tls::default(),
        }
    }
}

/// What a Reset may ask for. Start from [`ResetOptions::default`].
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct ResetOptions {
    /// Makes the episode's random numbers reproducible.
    pub seed: Option<u64>,
    /// The runtime's name; empty for the default.
    pub runtime: String,
    /// Lowers limits for this episode.
    pub limits: Option<v1::Limits>,
    /// Environment variables to add.
    pub environment: std::collections::HashMap<String, String>,
    /// The network that the episode has.
    pub network: v1::Network,
    /// Small files that its workspace has from the start.
    pub files: Vec<v1::ResetFile>,
}

/// What a Step may ask for. Start from [`StepOptions::default`].
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct StepOptions {
    /// How long the code may run. None: the server's default.
    pub timeout: Option<Duration>,
    /// Lowers limits for this step.
    pub limits: Option<v1::StepLimits>,
    /// The largest reply, in bytes. None: the server's default.
    pub max_reply_bytes: Option<u32>,
    /// The representations that displays are to have: `image/svg+xml`. Empty: what they have, and PNG of figures.
    pub display_mime_types: Vec<String>,
    /// What becomes of the episode when the step fails. Default: as the server does.
    pub on_failure: v1::OnFailure,
    /// The outcomes that count as failure. Empty: all but completed and exited.
    pub roll_back_outcomes: Vec<v1::Outcome>,
}

/// One environment: at most one episode at a time, on one server.
///
/// Cheap to make from a shared [`Channel`], so thousands of episodes can go over one connection. Dropping it leaves the episode to the
/// server's idle timeout; [`close`](Self::close) ends it.
#[derive(Debug)]
pub struct CodingEnv {
    transport: Transport,
    options: Options,
    /// In a pool: what tells that the server is gone. A Reset then is tried once, because another server may take it.
    liveness: Option<Arc<Liveness>>,
    episode: Option<Episode>,
    /// Episodes that a Reset may have made whose reply never came: ended with the next one, so that none is left over.
    unsure: Vec<Episode>,
    /// Where its server runs, when it was started for this environment alone.
    #[cfg(feature = "docker")]
    container: Option<docker::Container>,
}

#[derive(Debug, Clone)]
struct Episode {
    id: String,
    server: Option<AsciiMetadataValue>,
    /// How many steps have run, as far as this client knows.
    steps: u32,
    /// One more may have run, or may be running: its reply never came.
    unsure: bool,
    /// It is being made, and another server than `server` may do that.
    may_move: bool,
}

/// What became of a call.
struct Answer<R> {
    result: Result<Response<R>, Error>,
    /// What was asked for may have been done, or be done yet, although the result is an error: a try before the last may have been heard.
    unsure: bool,
}

impl CodingEnv {
    /// Connects to a server: `http://HOST:PORT`, or `https://HOST:PORT`.
    ///
    /// # Errors
    /// When the URL is none, or nobody answers there within the deadline.
    pub async fn connect(url: &str) -> Result<Self, Error> {
        Self::connect_with(url, Options::default()).await
    }

    /// Connects with options.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub async fn connect_with(url: &str, options: Options) -> Result<Self, Error> {
        let endpoint = endpoint(url, &options)?;
        let mut retry = Retry::new(&options, options.deadline);
        loop {
            match endpoint.connect().await {
                Ok(channel) => return Ok(Self::with_channel(channel, options)),
                Err(error) => retry
                    .pause(None)
                    .await
                    .map_err(|()| Error::Connect(root_cause(&error)))?,
            }
        }
    }

    /// Uses a connection that others may use too.
    #[must_use]
    pub fn with_channel(channel: Channel, options: Options) -> Self {
        Self {
            transport: Transport::unary(channel),
            options,
            liveness: None,
            episode: None,
            unsure: Vec::new(),
            #[cfg(feature = "docker")]
            container: None,
        }
    }

    /// The id of the episode, once there is one.
    #[must_use]
    pub fn episode_id(&self) -> Option<&str> {
        self.episode.as_ref().map(|episode| episode.id.as_str())
    }

    /// Starts a fresh episode and ends the one before.
    ///
    /// # Errors
    /// A refusal, or a connection that stays broken until the deadline.
    pub async fn reset(&mut self) -> Result<v1::ResetResponse, Error> {
        self.reset_with(ResetOptions::default()).await
    }

    /// Starts a fresh episode with options.
    ///
    /// # Errors
    /// As [`reset`](Self::reset).
    pub async fn reset_with(&mut self, options: ResetOptions) -> Result<v1::ResetResponse, Error> {
        #[cfg(feature = "docker")]
        if let Some(error) = self
            .container
            .as_ref()
            .and_then(|container| container.was_removed())
        {
            return Err(error);
        }
        let ResetOptions {
            seed,
            runtime,
            limits,
            environment,
            network,
            files,
        } = options;
        let id = uuid::Uuid::now_v7().to_string();
        let previous = self.episode.clone();
        // A step that may yet run ends with its episode: it is not waited for.
        let waits = previous.as_ref().is_none_or(|episode| !episode.unsure);
        let mut request = v1::ResetRequest {
            episode_id: id.clone(),
            request_id: uuid::Uuid::now_v7().to_string(),
            previous_episode_id: previous
                .as_ref()
                .map(|episode| episode.id.clone())
                .unwrap_or_default(),
            seed,
            runtime,
            limits,
            environment,
            network: network.into(),
            files,
        };
        let mut episode = Episode {
            id,
            server: previous.and_then(|episode| episode.server),
            steps: 0,
            unsure: false,
            may_move: true,
        };
        let end = Instant::now() + self.options.deadline;
        let response = loop {
            // Before the call, because this future may be dropped.
            self.unsure.push(episode.clone());
            let left = end.saturating_duration_since(Instant::now());
            let Answer { result, unsure } = if waits {
                self.call(Some(&episode), left, request.clone(), Transport::reset)
                    .await
            } else {
                self.call(
                    Some(&episode),
                    left,
                    request.clone(),
                    Transport::reset_at_once,
                )
                .await
            };
            if !unsure {
                self.unsure.pop();
            }
            match result {
                // The server of the episode before takes no new one; another may. What is left there is ended later.
                Err(error) if episode.server.is_some() && error.is_of_one_server() => {
                    if error.reason() == Some(&Reason::EpisodeServerGone) {
                        self.episode = None;
                    }
                    episode.server = None;
                    request.previous_episode_id.clear();
                }
                result => break result?,
            }
        };
        let server = response.metadata().get(SERVER_HEADER).cloned();
        if request.previous_episode_id.is_empty() {
            self.unsure.extend(self.episode.take());
        }
        // A server that came back under its name has made it at the second try: nothing is left of the first.
        self.unsure
            .retain(|left| left.id != episode.id || left.server != server);
        self.episode = Some(Episode {
            server,
            may_move: false,
            ..episode
        });
        self.end_unsure().await;
        Ok(response.into_inner())
    }

    /// Runs code in the episode.
    ///
    /// After an error that leaves open whether a step ran ([`Error::Deadline`], [`Error::Connect`], or a future that was dropped), the same
    /// code again gets the reply of that step; other code runs after it.
    ///
    /// # Errors
    /// [`Error::NoEpisode`] before a reset; a refusal; a connection that stays broken until the deadline. What the code does is not an
    /// error: see [`StepResponse::outcome`](v1::StepResponse).
    pub async fn step(&mut self, code: impl Into<String>) -> Result<v1::StepResponse, Error> {
        self.step_with(code, StepOptions::default()).await
    }

    /// Runs code with options.
    ///
    /// # Errors
    /// As [`step`](Self::step).
    pub async fn step_with(
        &mut self,
        code: impl Into<String>,
        options: StepOptions,
    ) -> Result<v1::StepResponse, Error> {
        let episode = self.episode.clone().ok_or(Error::NoEpisode)?;
        let (mut request, deadline) = self.step_request(&episode, code.into(), options)?;
        let end = Instant::now() + deadline;
        // The server tells where a step stands that this client knows nothing about: it was admitted, or dropped since.
        let mut corrections = if episode.unsure { 2 } else { 0 };
        loop {
            // Before the call, because this future may be dropped.
            self.set_steps(request.step_index(), true);
            let left = end.saturating_duration_since(Instant::now());
            let Answer { result, unsure } = self
                .call(Some(&episode), left, request.clone(), Transport::step)
                .await;
            let error = match result.map(Response::into_inner) {
                Ok(response) => {
                    self.set_steps(response.step_index.saturating_add(1), false);
                    return Ok(response);
                }
                Err(error) => error,
            };
            let expected = error.expected_step().filter(|expected| {
                corrections > 0 && matches!(expected.checked_sub(episode.steps), Some(0 | 1))
            });
            if let Some(expected) = expected {
                corrections -= 1;
                request.step_index = Some(expected);
                continue;
            }
            match error.reason() {
                Some(Reason::StepReplyDropped) => {
                    self.set_steps(request.step_index().saturating_add(1), false);
                }
                _ if unsure => self.set_steps(request.step_index(), true),
                // A refusal says nothing of a step that was unsure before it.
                _ => self.set_steps(episode.steps, episode.unsure),
            }
            return Err(error);
        }
    }

    /// The request for a step, and how long a call for it may take.
    fn step_request(
        &self,
        episode: &Episode,
        code: String,
        options: StepOptions,
    ) -> Result<(v1::StepRequest, Duration), Error> {
        let StepOptions {
            timeout,
            limits,
            max_reply_bytes,
            display_mime_types,
            on_failure,
            roll_back_outcomes,
        } = options;
        let deadline = match timeout {
            Some(timeout) => self
                .options
                .deadline
                .max(timeout.saturating_add(CALL_SLACK)),
            None => self.options.deadline,
        };
        let timeout = timeout.map(prost_types::Duration::try_from).transpose();
        let request = v1::StepRequest {
            episode_id: episode.id.clone(),
            action: Some(v1::CodeAction { code }),
            step_index: Some(episode.steps),
            timeout: timeout.map_err(|error| Error::Connect(error.to_string()))?,
            limits,
            max_reply_bytes,
            display_mime_types,
            on_failure: on_failure.into(),
            roll_back_outcomes: roll_back_outcomes.into_iter().map(Into::into).collect(),
        };
        Ok((request, deadline))
    }

    fn set_steps(&mut self, steps: u32, unsure: bool) {
        if let Some(episode) = &mut self.episode {
            episode.steps = steps;
            episode.unsure = unsure;
        }
    }

    /// The state of the episode.
    ///
    /// # Errors
    /// As [`step`](Self::step).
    pub async fn state(&self) -> Result<v1::GetStateResponse, Error> {
        let episode = self.episode.clone().ok_or(Error::NoEpisode)?;
        let request = v1::GetStateRequest {
            episode_id: episode.id.clone(),
        };
        let response = self.call(
            Some(&episode),
            self.options.deadline,
            request,
            Transport::get_state,
        );
        Ok(response.await.result?.into_inner())
    }

    /// Something that can interrupt the running step from another task, while [`step`](Self::step) waits.
    ///
    /// # Errors
    /// [`Error::NoEpisode`] before a reset.
    pub fn interrupter(&self) -> Result<Interrupter, Error> {
        let episode = self.episode.clone().ok_or(Error::NoEpisode)?;
        Ok(Interrupter {
            env: self.of_episode(episode),
        })
    }

    /// The files of the episode. What it returns is of its own: it may be used while [`step`](Self::step) waits.
    ///
    /// # Errors
    /// [`Error::NoEpisode`] before a reset.
    pub fn files(&self) -> Result<Files, Error> {
        let episode = self.episode.clone().ok_or(Error::NoEpisode)?;
        Ok(Files::new(self.of_episode(episode)))
    }

    /// Uses a server of a pool.
    fn of_pool(transport: Transport, options: Options, liveness: Arc<Liveness>) -> Self {
        Self {
            transport,
            options,
            liveness: Some(liveness),
            episode: None,
            unsure: Vec::new(),
            #[cfg(feature = "docker")]
            container: None,
        }
    }

    /// What there is to end, as an environment of its own; none when there is nothing. This one is as after a close.
    fn hand_over(&mut self) -> Option<Self> {
        let left = Self {
            transport: self.transport.clone(),
            options: self.options.clone(),
            liveness: self.liveness.clone(),
            episode: self.episode.take(),
            unsure: std::mem::take(&mut self.unsure),
            #[cfg(feature = "docker")]
            container: None,
        };
        (left.episode.is_some() || !left.unsure.is_empty()).then_some(left)
    }

    /// The episode has been ended by another.
    fn forget(&mut self) {
        self.episode = None;
    }

    /// Takes over what another one has to end: the next close does that.
    fn adopt(&mut self, mut other: Self) {
        self.unsure.append(&mut other.unsure);
        self.unsure.extend(other.episode.take());
    }

    /// The same episode once more, for calls beside its steps.
    fn of_episode(&self, episode: Episode) -> Self {
        Self {
            transport: self.transport.clone(),
            options: self.options.clone(),
            liveness: self.liveness.clone(),
            episode: Some(episode),
            unsure: Vec::new(),
            #[cfg(feature = "docker")]
            container: None,
        }
    }

    /// What the server is.
    ///
    /// # Errors
    /// A connection that stays broken until the deadline.
    pub async fn server_info(&mut self) -> Result<v1::GetServerInfoResponse, Error> {
        let request = v1::GetServerInfoRequest {};
        let response = self.call(
            None,
            self.options.deadline,
            request,
            Transport::get_server_info,
        );
        Ok(response.await.result?.into_inner())
    }

    /// Ends the episode, if there is one. It does not stop the server, unless `from_docker_image` started it: then the container is removed.
    ///
    /// # Errors
    /// A connection that stays broken until the deadline; a container that can't be removed.
    pub async fn close(&mut self) -> Result<(), Error> {
        #[cfg(feature = "docker")]
        if let Some(container) = &mut self.container {
            // The episode goes with its server.
            self.episode = None;
            self.unsure.clear();
            return Ok(container.remove().await?);
        }
        self.end_unsure().await;
        let Some(episode) = self.episode.take() else {
            return Ok(());
        };
        self.end(&episode).await
    }

    /// Ends what lost Resets may have made. What can't be ended now is left to the next time, or to the server's idle timeout.
    async fn end_unsure(&mut self) {
        while let Some(episode) = self.unsure.last().cloned() {
            if self
                .end(&episode)
                .await
                .is_err_and(|error| error.is_unsure())
            {
                return;
            }
            self.unsure.pop();
        }
    }

    async fn end(&self, episode: &Episode) -> Result<(), Error> {
        let request = v1::CloseRequest {
            episode_id: episode.id.clone(),
        };
        // Whoever was to make it, it is ended where it is.
        let there = Episode {
            may_move: false,
            ..episode.clone()
        };
        let deadline = self.options.deadline;
        if episode.may_move {
            let response = self.call(Some(&there), deadline, request, Transport::close_in_order);
            response.await.result?;
        } else {
            let response = self.call(Some(&there), deadline, request, Transport::close);
            response.await.result?;
        }
        Ok(())
    }

    /// A request with its headers.
    fn request<T>(&self, episode: Option<&Episode>, message: T, left: Duration) -> Request<T> {
        let mut request = Request::new(message);
        request.set_timeout(left);
        if let Some(token) = &self.options.token {
            token.authorize(&mut request);
        }
        if let Some(episode) = episode {
            let metadata = request.metadata_mut();
            if let Some(server) = &episode.server {
                metadata.insert(SERVER_HEADER, server.clone());
            }
            if let Ok(id) = AsciiMetadataValue::try_from(&episode.id) {
                metadata.insert(EPISODE_HEADER, id);
            }
        }
        request
    }

    /// Sends a request until it is answered, refused, or the deadline has passed. Every request can be sent again: see the module.
    async fn call<T: Clone, R, F>(
        &self,
        episode: Option<&Episode>,
        deadline: Duration,
        message: T,
        send: impl Fn(Transport, Request<T>) -> F,
    ) -> Answer<R>
    where
        F: Future<Output = Result<Response<R>, Status>>,
    {
        let mut retry = Retry::new(&self.options, deadline);
        let mut unsure = false;
        let liveness = self.liveness.as_deref();
        let moves = episode.is_some_and(|episode| episode.may_move);
        let result = loop {
            if let Some(cause) = liveness.and_then(Liveness::cause_of_loss) {
                let id = episode.map_or("", |episode| &episode.id);
                break Err(cause.error(id));
            }
            let request = self.request(episode, message.clone(), retry.left());
            let sent = tokio::time::timeout(retry.left(), send(self.transport.clone(), request));
            let answer = match liveness {
                None => sent.await,
                Some(liveness) => tokio::select! {
                    biased;
                    answer = sent => answer,
                    () = liveness.lost() => continue,
                },
            };
            if let (Some(liveness), Ok(answer)) = (liveness, &answer) {
                liveness.note(answer.as_ref().err());
            }
            let status = match answer {
                Ok(Ok(response)) => break Ok(response),
                Ok(Err(status)) => status,
                Err(_) => break Err(Error::Deadline),
            };
            let error = Error::from_status(&status);
            let elsewhere = moves && episode.is_some_and(|episode| episode.server.is_some());
            if !error.is_retryable()
                || (elsewhere && error.is_of_one_server())
                || (moves && liveness.is_some())
            {
                break Err(error);
            }
            unsure |= error.is_unsure();
            let pause = retry.pause(error.retry_after());
            let paused = match liveness {
                None => pause.await,
                Some(liveness) => tokio::select! {
                    biased;
                    () = liveness.lost() => continue,
                    paused = pause => paused,
                },
            };
            if paused.is_err() {
                break Err(error);
            }
        };
        let unsure = match &result {
            Ok(_) => false,
            Err(error) => unsure || error.is_unsure(),
        };
        Answer { result, unsure }
    }
}

/// Reaches an episode while a step of it runs.
#[derive(Debug)]
pub struct Interrupter {
    env: CodingEnv,
}

impl Interrupter {
    /// The state of the episode, while a step of it runs.
    ///
    /// # Errors
    /// As [`CodingEnv::step`].
    pub async fn state(&self) -> Result<v1::GetStateResponse, Error> {
        self.env.state().await
    }

    /// Ends the episode; a step that runs ends with [`Reason::EpisodeEnded`].
    async fn end(&self) -> Result<(), Error> {
        let episode = self.env.episode.as_ref().ok_or(Error::NoEpisode)?;
        self.env.end(episode).await
    }

    /// Interrupts whichever step runs. False when none did.
    ///
    /// # Errors
    /// As [`CodingEnv::step`].
    pub async fn interrupt(&self) -> Result<bool, Error> {
        let episode = self.env.episode.clone().ok_or(Error::NoEpisode)?;
        let request = v1::InterruptRequest {
            episode_id: episode.id.clone(),
            step_index: None,
        };
        let response = self.env.call(
            Some(&episode),
            self.env.options.deadline,
            request,
            Transport::interrupt,
        );
        Ok(response.await.result?.into_inner().interrupted)
    }
}

/// How to reach a server: `http://HOST:PORT`, or `https://HOST:PORT`.
///
/// # Errors
/// When the URL is none, or what `options` say of TLS can't be used.
pub fn endpoint(url: &str, options: &Options) -> Result<Endpoint, Error> {
    let url = if url.contains("://") {
        url.to_owned()
    } else {
        format!("http://{url}")
    };
    let endpoint = Endpoint::from_shared(url.clone()).map_err(|_| Error::Url(url.clone()))?;
    let secure = match endpoint.uri().scheme_str() {
        _ if endpoint.uri().host().is_none() => return Err(Error::Url(url)),
        Some("http") => false,
        Some("https") => true,
        _ => return Err(Error::Url(url)),
    };
    let endpoint = if secure {
        endpoint
            .tls_config(options.tls.config())
            .map_err(|error| Error::Tls(root_cause(&error)))?
    } else {
        endpoint
    };
    Ok(endpoint
        .tcp_nodelay(true)
        .connect_timeout(Duration::from_secs(10))
        .http2_keep_alive_interval(options.keepalive)
        .keep_alive_while_idle(true)
        .initial_stream_window_size(1 << 20)
        .initial_connection_window_size(16 << 20))
}

/// The transport's own words are "transport error".
fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

impl v1::StepResponse {
    /// What the step printed.
    #[must_use]
    pub fn stdout(&self) -> &str {
        self.observation
            .as_ref()
            .map_or("", |observation| &observation.stdout)
    }

    /// What it printed on standard error.
    #[must_use]
    pub fn stderr(&self) -> &str {
        self.observation
            .as_ref()
            .map_or("", |observation| &observation.stderr)
    }

    /// Its exit code.
    #[must_use]
    pub fn exit_code(&self) -> i32 {
        self.observation
            .as_ref()
            .map_or(0, |observation| observation.exit_code)
    }

    /// `repr` of its last expression.
    #[must_use]
    pub fn result(&self) -> Option<&str> {
        self.observation
            .as_ref()
            .and_then(|observation| observation.result.as_deref())
    }

    /// What it showed beside its text: plots, tables and the like.
    #[must_use]
    pub fn displays(&self) -> &[v1::Display] {
        self.observation
            .as_ref()
            .map_or(&[], |observation| &observation.displays)
    }
}

impl v1::Display {
    /// Its bytes as one media type: `image/png`. None when it has none, or they are not in the reply
    /// ([`file_path`](v1::Representation) tells where they are).
    #[must_use]
    pub fn data(&self, mime_type: &str) -> Option<&[u8]> {
        let found = self
            .representations
            .iter()
            .find(|one| one.mime_type == mime_type)?;
        let is_here = found.data.len() as u64 == found.total_bytes;
        is_here.then_some(found.data.as_slice())
    }
}
