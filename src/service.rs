//! The gRPC service: check, convert, call, convert back. Nothing else.

mod files;
mod fork;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio_util::sync::CancellationToken;
use tonic::metadata::{AsciiMetadataValue, MetadataMap};
use tonic::{Extensions, Request, Response, Status, Streaming};
use tonic_types::StatusExt as _;

use crate::config::Config;
use crate::convert;
use crate::episode::{EpisodeKey, Episodes, Owner, Refusal, StepAnswer};
use crate::executor::{Executor, REPRESENTATION_BYTES_MAX, hint, missing_module};
use crate::limits::Bounds;
use crate::metrics::Counts;
use crate::proto::v1::{self, coding_env_server::CodingEnv, step_stream_response};
use crate::sandbox::plan::{Layer, Level};
use crate::session::Sessions;
use crate::stream::{self, Next, Told};
use crate::traces::Call;
use crate::{fault, status};

/// The header that names the server: see "Routing" in the contract.
const SERVER_HEADER: &str = "x-coding-env-server";
/// Added to the largest source, so that the rest of its request fits too.
pub(crate) const REQUEST_OVERHEAD_BYTES: u32 = 1 << 20;

/// The service.
#[derive(Debug, Clone)]
pub(crate) struct Service(Arc<Inner>);

/// Refusals by handlers, by reason. One without a reason is a fault of ours.
pub(crate) type Refusals = Counts<{ status::REASONS.len() }>;

#[derive(Debug)]
struct Inner {
    config: Config,
    refusals: Arc<Refusals>,
    server_header: AsciiMetadataValue,
    episodes: Episodes,
    executor: Executor,
    sessions: Sessions,
    /// Which limits of whole episodes can be held.
    bounds: Bounds,
    started: SystemTime,
}

impl Service {
    pub(crate) fn new(
        config: Config,
        episodes: Episodes,
        executor: Executor,
        closing: CancellationToken,
    ) -> Result<Self, Status> {
        let server_header = AsciiMetadataValue::try_from(&config.server_id)
            .map_err(|error| Status::internal(error.to_string()))?;
        let started = SystemTime::now();
        let bounds = executor.plan().bounds();
        let sessions = Sessions::new(&config, closing);
        Ok(Self(Arc::new(Inner {
            config,
            refusals: Arc::new(Counts::new(status::REASONS)),
            server_header,
            episodes,
            executor,
            sessions,
            bounds,
            started,
        })))
    }

    /// Runs a handler for a request.
    async fn answer<T>(
        &self,
        handler: impl Future<Output = Result<T, Status>>,
    ) -> Result<Response<T>, Status> {
        let answer = answer(&self.0.server_header, handler).await;
        if let Err(status) = &answer {
            self.count(status);
        }
        answer
    }

    fn count(&self, status: &Status) {
        count_refusal(&self.0.refusals, status);
    }

    /// Runs what belongs to a call, outside of its handler. A panic is a fault of ours.
    pub(crate) async fn guard<T>(
        &self,
        work: impl Future<Output = Result<T, Status>>,
    ) -> Result<T, Status> {
        let result = match fault::caught(work).await {
            Ok(result) => result,
            Err(cause) => Err(status::internal(&fault::report(&cause))),
        };
        result.inspect_err(|status| self.count(status))
    }

    /// Its sessions.
    pub(crate) fn sessions(&self) -> &Sessions {
        &self.0.sessions
    }

    /// What was refused so far.
    pub(crate) fn refusals(&self) -> Arc<Refusals> {
        Arc::clone(&self.0.refusals)
    }

    /// A request that names another server is refused: its episode is there.
    fn check_server(&self, metadata: &MetadataMap, episode: &str) -> Result<(), Status> {
        let here = &self.0.config.server_id;
        match metadata
            .get(SERVER_HEADER)
            .map(|value| value.to_str().unwrap_or_default())
        {
            Some(asked) if !asked.is_empty() && asked != here => {
                Err(status::server_gone(episode, asked, here))
            }
            _ => Ok(()),
        }
    }

    fn runtime_name(&self, index: usize) -> String {
        self.0
            .config
            .runtimes
            .get(index)
            .map(|runtime| runtime.name.clone())
            .unwrap_or_default()
    }
}

fn count_refusal(refusals: &Refusals, status: &Status) {
    let details = status.get_error_details();
    let reason = details.error_info().map(|info| info.reason.as_str());
    refusals.add_one(reason.unwrap_or_default());
}

/// Runs a handler. Replies and refusals name the server; a handler that panics is a fault of ours, and the call ends with it.
async fn answer<T>(
    server_header: &AsciiMetadataValue,
    handler: impl Future<Output = Result<T, Status>>,
) -> Result<Response<T>, Status> {
    let mut result = match fault::caught(handler).await {
        Ok(result) => result.map(Response::new),
        Err(cause) => Err(status::internal(&fault::report(&cause))),
    };
    let metadata = match &mut result {
        Ok(response) => response.metadata_mut(),
        Err(status) => status.metadata_mut(),
    };
    metadata.insert(SERVER_HEADER, server_header.clone());
    result
}

/// Whose a request is: [`Gate`](crate::auth::Gate) has put it there. One that did not pass it is nobody's.
fn owner(extensions: &Extensions) -> Result<Owner, Status> {
    extensions
        .get::<Owner>()
        .cloned()
        .ok_or_else(|| status::internal(&fault::report(&"a request without an owner")))
}

/// The caller's episode with this id, which the call's span is then about.
fn episode_key(extensions: &Extensions, id: String) -> Result<EpisodeKey, Status> {
    Call::of(extensions).episode(&id);
    Ok(owner(extensions)?.episode(id))
}

/// How long the caller waits, less what it takes to answer in time: gRPC's own timeout would answer CANCELLED.
fn caller_wait(metadata: &MetadataMap) -> Option<Duration> {
    const MARGIN_MAX: Duration = Duration::from_millis(100);
    let text = metadata.get("grpc-timeout")?.to_str().ok()?;
    // 1 to 8 digits and a unit: the gRPC protocol over HTTP/2, "Timeout".
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let value: u64 = digits.parse().ok()?;
    let wait = match unit {
        "H" => Duration::from_secs(value.checked_mul(3600)?),
        "M" => Duration::from_secs(value.checked_mul(60)?),
        "S" => Duration::from_secs(value),
        "m" => Duration::from_millis(value),
        "u" => Duration::from_micros(value),
        "n" => Duration::from_nanos(value),
        _ => return None,
    };
    Some(wait.saturating_sub(MARGIN_MAX.min(wait / 10)))
}

/// Waits for an answer for as long as the caller does.
async fn within<T>(
    wait: Option<Duration>,
    answer: impl Future<Output = Result<T, Refusal>>,
) -> Result<T, Refusal> {
    match wait {
        Some(wait) => tokio::time::timeout(wait, answer)
            .await
            .unwrap_or(Err(Refusal::Deadline)),
        None => answer.await,
    }
}

#[tonic::async_trait]
impl CodingEnv for Service {
    async fn reset(
        &self,
        request: Request<v1::ResetRequest>,
    ) -> Result<Response<v1::ResetResponse>, Status> {
        self.answer(self.on_reset(request)).await
    }

    async fn step(
        &self,
        request: Request<v1::StepRequest>,
    ) -> Result<Response<v1::StepResponse>, Status> {
        self.answer(self.on_step(request)).await
    }

    async fn get_state(
        &self,
        request: Request<v1::GetStateRequest>,
    ) -> Result<Response<v1::GetStateResponse>, Status> {
        self.answer(self.on_get_state(request)).await
    }

    async fn close(
        &self,
        request: Request<v1::CloseRequest>,
    ) -> Result<Response<v1::CloseResponse>, Status> {
        self.answer(self.on_close(request)).await
    }

    async fn interrupt(
        &self,
        request: Request<v1::InterruptRequest>,
    ) -> Result<Response<v1::InterruptResponse>, Status> {
        self.answer(self.on_interrupt(request)).await
    }

    async fn get_server_info(
        &self,
        request: Request<v1::GetServerInfoRequest>,
    ) -> Result<Response<v1::GetServerInfoResponse>, Status> {
        self.answer(self.on_get_server_info(request)).await
    }

    type StepStreamStream = stream::Responses<v1::StepStreamResponse>;

    async fn step_stream(
        &self,
        request: Request<v1::StepStreamRequest>,
    ) -> Result<Response<Self::StepStreamStream>, Status> {
        let told = self.answer(self.on_step_stream(request)).await?;
        let service = self.clone();
        let tell = move |mut told: Told| {
            let service = service.clone();
            async move {
                let (event, told) = match service.guard(told.next()).await.map(Next::event) {
                    Ok(Ok(event)) => (event, Some(told)),
                    Ok(Err(answer)) => {
                        let mut form = told.form().clone();
                        service.complete(&answer, &mut form).await;
                        let reply = service.reply(answer, &form);
                        (step_stream_response::Event::Reply(reply), None)
                    }
                    Err(status) => return (Some(Err(status)), None),
                };
                let response = v1::StepStreamResponse { event: Some(event) };
                (Some(Ok(response)), told)
            }
        };
        Ok(told.map(|told| stream::responses(told, tell)))
    }

    type SessionStream = stream::Responses<v1::SessionResponse>;

    async fn session(
        &self,
        request: Request<Streaming<v1::SessionRequest>>,
    ) -> Result<Response<Self::SessionStream>, Status> {
        self.answer(self.on_session(request)).await
    }

    async fn write_files(
        &self,
        request: Request<Streaming<v1::WriteFilesRequest>>,
    ) -> Result<Response<v1::WriteFilesResponse>, Status> {
        self.answer(self.on_write_files(request)).await
    }

    type ReadFilesStream = files::Replies<v1::ReadFilesResponse>;

    async fn read_files(
        &self,
        request: Request<v1::ReadFilesRequest>,
    ) -> Result<Response<Self::ReadFilesStream>, Status> {
        self.answer(self.on_read_files(request)).await
    }

    type ListFilesStream = files::Replies<v1::ListFilesResponse>;

    async fn list_files(
        &self,
        request: Request<v1::ListFilesRequest>,
    ) -> Result<Response<Self::ListFilesStream>, Status> {
        self.answer(self.on_list_files(request)).await
    }

    async fn fork(
        &self,
        request: Request<v1::ForkRequest>,
    ) -> Result<Response<v1::ForkResponse>, Status> {
        self.answer(self.on_fork(request)).await
    }

    async fn checkpoint(
        &self,
        request: Request<v1::CheckpointRequest>,
    ) -> Result<Response<v1::CheckpointResponse>, Status> {
        self.answer(self.on_checkpoint(request)).await
    }

    async fn rollback(
        &self,
        request: Request<v1::RollbackRequest>,
    ) -> Result<Response<v1::RollbackResponse>, Status> {
        self.answer(self.on_rollback(request)).await
    }

    async fn list_checkpoints(
        &self,
        request: Request<v1::ListCheckpointsRequest>,
    ) -> Result<Response<v1::ListCheckpointsResponse>, Status> {
        self.answer(self.on_list_checkpoints(request)).await
    }

    async fn drop_checkpoint(
        &self,
        request: Request<v1::DropCheckpointRequest>,
    ) -> Result<Response<v1::DropCheckpointResponse>, Status> {
        self.answer(self.on_drop_checkpoint(request)).await
    }

    async fn evaluate(
        &self,
        request: Request<v1::EvaluateRequest>,
    ) -> Result<Response<v1::EvaluateResponse>, Status> {
        self.answer(self.on_evaluate(request)).await
    }

    async fn delete_files(
        &self,
        request: Request<v1::DeleteFilesRequest>,
    ) -> Result<Response<v1::DeleteFilesResponse>, Status> {
        self.answer(self.on_delete_files(request)).await
    }
}

/// How the reply to a step is made from its answer.
#[derive(Debug, Clone)]
pub(crate) struct ReplyForm {
    key: EpisodeKey,
    /// The most that the caller decodes.
    reply_bytes: u32,
    /// What can be done about a module that is missing.
    hint: String,
}

impl ReplyForm {
    fn new(key: EpisodeKey, reply_bytes: u32) -> Self {
        Self {
            key,
            reply_bytes,
            hint: String::new(),
        }
    }
}

/// The handlers.
impl Service {
    pub(crate) async fn on_reset(
        &self,
        request: Request<v1::ResetRequest>,
    ) -> Result<v1::ResetResponse, Status> {
        let wait = caller_wait(request.metadata());
        let (metadata, extensions, request) = request.into_parts();
        let owner = owner(&extensions)?;
        let named = if request.episode_id.is_empty() {
            &request.previous_episode_id
        } else {
            &request.episode_id
        };
        self.check_server(&metadata, named)?;
        let inner = &self.0;
        let runtime = |name: &str| {
            inner.executor.runtime(name).ok_or_else(|| {
                let names: Vec<&str> = inner
                    .config
                    .runtimes
                    .iter()
                    .map(|runtime| runtime.name.as_str())
                    .collect();
                format!("`{}`", names.join("`, `"))
            })
        };
        let limits = (&inner.config.limits, inner.bounds);
        let lacks = inner.executor.plan().lacks("loopback");
        let new = convert::new_episode(request, limits, lacks, runtime, owner)?;
        let started = within(wait, inner.episodes.reset(new)).await?;
        Call::of(&extensions).episode(&started.id);
        let runtime = self.runtime_name(started.runtime);
        let reward = inner.config.transforms.reset_reward();
        Ok(convert::reset_response(
            started,
            runtime,
            reward,
            &inner.config.server_id,
            inner.bounds,
        ))
    }

    async fn on_step(&self, request: Request<v1::StepRequest>) -> Result<v1::StepResponse, Status> {
        let (answer, form) = self.run_step(request).await?;
        Ok(self.reply(answer, &form))
    }

    /// The reply that a caller gets: see [`complete`](Self::complete).
    pub(crate) fn reply(&self, answer: StepAnswer, form: &ReplyForm) -> v1::StepResponse {
        let ReplyForm {
            key,
            reply_bytes,
            hint,
        } = form;
        let server_id = &self.0.config.server_id;
        convert::step_response(&key.id, answer, *reply_bytes, server_id, hint.clone())
    }

    /// Adds to the form of a reply what is said of a module that the runtime lacks, where the step ended for want of one.
    pub(crate) async fn complete(&self, answer: &StepAnswer, form: &mut ReplyForm) {
        let exception = answer.reply.facts().exception.as_ref();
        let missing = exception.and_then(|(kind, text)| missing_module(kind, text));
        if let Some(module) = missing {
            form.hint = self.hint(module, self.0.episodes.runtime(&form.key)).await;
        }
    }

    pub(crate) async fn run_step(
        &self,
        request: Request<v1::StepRequest>,
    ) -> Result<(StepAnswer, ReplyForm), Status> {
        let wait = caller_wait(request.metadata());
        let (metadata, extensions, mut request) = request.into_parts();
        let key = episode_key(&extensions, std::mem::take(&mut request.episode_id))?;
        self.check_server(&metadata, &key.id)?;
        let inner = &self.0;
        let limits = inner.episodes.limits(&key).unwrap_or(inner.config.limits);
        let (mut step, reply_bytes) = convert::new_step(&key.id, request, &limits, wait)?;
        step.parent = Call::of(&extensions).parent();
        let answer = within(wait, inner.episodes.step(&key, step)).await?;
        let mut form = ReplyForm::new(key, reply_bytes);
        self.complete(&answer, &mut form).await;
        Ok((answer, form))
    }

    pub(crate) async fn on_step_stream(
        &self,
        request: Request<v1::StepStreamRequest>,
    ) -> Result<Told, Status> {
        let wait = caller_wait(request.metadata());
        let (metadata, extensions, mut request) = request.into_parts();
        let episode_id = request
            .step
            .as_mut()
            .map(|step| std::mem::take(&mut step.episode_id));
        let key = episode_key(&extensions, episode_id.unwrap_or_default())?;
        self.check_server(&metadata, &key.id)?;
        let inner = &self.0;
        let end = wait.map(|wait| tokio::time::Instant::now() + wait);
        let limits = inner.episodes.limits(&key).unwrap_or(inner.config.limits);
        let (step, reply_bytes, telling) =
            convert::new_step_stream(&key.id, request, &limits, wait)?;
        let following = within(wait, inner.episodes.step_stream(&key, step, telling.at)).await?;
        let form = ReplyForm::new(key, reply_bytes);
        Ok(Told::new(following, telling.heartbeat, end, form))
    }

    /// What can be done about a module that an episode's runtime lacks.
    async fn hint(&self, module: &str, runtime: Option<usize>) -> String {
        let executor = &self.0.executor;
        let (runtimes, packages) = (executor.runtimes(), executor.packages().await);
        let Some((runtime, has)) =
            runtime.and_then(|index| Some((runtimes.get(index)?, packages.get(index)?)))
        else {
            return String::new();
        };
        let others = runtimes.iter().zip(&packages);
        let others = others.filter(|(_, packages)| packages.has_module(module));
        let others: Vec<String> = others.map(|(runtime, _)| runtime.name.clone()).collect();
        hint(module, &runtime.name, &runtime.python_version, has, &others)
    }

    pub(crate) async fn on_get_state(
        &self,
        request: Request<v1::GetStateRequest>,
    ) -> Result<v1::GetStateResponse, Status> {
        let wait = caller_wait(request.metadata());
        let (metadata, extensions, v1::GetStateRequest { episode_id }) = request.into_parts();
        let key = episode_key(&extensions, episode_id)?;
        self.check_server(&metadata, &key.id)?;
        convert::episode_id(&key.id)?;
        let view = within(wait, self.0.episodes.view(&key)).await;
        let view = view?;
        let runtime = self.runtime_name(view.runtime);
        Ok(convert::state_response(
            view,
            runtime,
            &self.0.config.server_id,
            self.0.bounds,
        ))
    }

    pub(crate) async fn on_close(
        &self,
        request: Request<v1::CloseRequest>,
    ) -> Result<v1::CloseResponse, Status> {
        let (metadata, extensions, v1::CloseRequest { episode_id }) = request.into_parts();
        let key = episode_key(&extensions, episode_id)?;
        self.check_server(&metadata, &key.id)?;
        convert::episode_id(&key.id)?;
        let closed = self.0.episodes.close(&key);
        Ok(v1::CloseResponse {
            closed,
            server_id: self.0.config.server_id.clone(),
        })
    }

    pub(crate) async fn on_interrupt(
        &self,
        request: Request<v1::InterruptRequest>,
    ) -> Result<v1::InterruptResponse, Status> {
        let (
            metadata,
            extensions,
            v1::InterruptRequest {
                episode_id,
                step_index,
            },
        ) = request.into_parts();
        let key = episode_key(&extensions, episode_id)?;
        self.check_server(&metadata, &key.id)?;
        convert::episode_id(&key.id)?;
        let step_index = self.0.episodes.interrupt(&key, step_index)?;
        let server_id = self.0.config.server_id.clone();
        Ok(v1::InterruptResponse {
            interrupted: step_index.is_some(),
            step_index,
            server_id,
        })
    }

    async fn on_session(
        &self,
        request: Request<Streaming<v1::SessionRequest>>,
    ) -> Result<stream::Responses<v1::SessionResponse>, Status> {
        let (metadata, extensions, requests) = request.into_parts();
        let owner = owner(&extensions)?;
        self.check_server(&metadata, "")?;
        Ok(self.0.sessions.serve(self.clone(), owner, requests))
    }

    /// What a server that holds an episode calls itself.
    pub(crate) fn server_id(&self) -> &str {
        &self.0.config.server_id
    }

    pub(crate) fn episodes(&self) -> &Episodes {
        &self.0.episodes
    }

    async fn on_get_server_info(
        &self,
        request: Request<v1::GetServerInfoRequest>,
    ) -> Result<v1::GetServerInfoResponse, Status> {
        let v1::GetServerInfoRequest {} = request.into_inner();
        let inner = &self.0;
        let config = &inner.config;
        let (episodes, running_steps, waiting_steps) = inner.episodes.counts();
        let (checkpoints, _, evaluations) = inner.episodes.spare_counts();
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let package = |(name, version): &(String, String)| v1::Package {
            name: name.clone(),
            version: version.clone(),
        };
        let packages = inner.executor.packages().await;
        let runtimes =
            inner
                .executor
                .runtimes()
                .into_iter()
                .zip(packages)
                .map(|(runtime, packages)| v1::Runtime {
                    name: runtime.name,
                    python_version: runtime.python_version,
                    preloads: runtime.preloads,
                    hash_seed: runtime.hash_seed,
                    warm_workers: count(runtime.warm_workers),
                    packages: packages.installed.iter().map(package).collect(),
                });
        let plan = inner.executor.plan();
        let layer = |layer: &Layer| v1::IsolationLayer {
            name: layer.name.to_owned(),
            state: if layer.enforced {
                v1::IsolationLayerState::Enforced
            } else {
                v1::IsolationLayerState::Missing
            }
            .into(),
            detail: layer.detail.clone(),
        };
        let level = match plan.level {
            Level::None => v1::IsolationLevel::None,
            Level::Landlock => v1::IsolationLevel::Landlock,
            Level::Namespace => v1::IsolationLevel::Namespace,
        };
        Ok(v1::GetServerInfoResponse {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            server_id: config.server_id.clone(),
            default_limits: Some(convert::limits_message(&config.limits, inner.bounds)),
            max_limits: Some(convert::max_limits_message(&config.limits, inner.bounds)),
            server_limits: Some(v1::ServerLimits {
                episodes: config.max_episodes,
                running_steps: config.max_running_steps,
                waiting_steps: config.max_waiting_steps,
                queued_steps: config.max_queued_steps,
                request_bytes: config
                    .limits
                    .source_bytes
                    .saturating_add(REQUEST_OVERHEAD_BYTES),
                reply_bytes: convert::REPLY_BYTES,
                environment_bytes: count(convert::ENVIRONMENT_BYTES_MAX),
                default_step_timeout: convert::some_duration(config.step_timeout),
                interrupt_grace: convert::some_duration(config.interrupt_grace),
                background_cpu_time: convert::some_duration(config.background_cpu_time),
                worker_wait: convert::some_duration(config.worker_wait),
                kept_reply_bytes: config.kept_reply_bytes,
                sessions: config.max_sessions,
                session_requests: config.session_requests,
                session_grace: convert::some_duration(config.session_grace),
                files: Some(convert::files::limits_message(&config.files)),
                representation_bytes: REPRESENTATION_BYTES_MAX,
                forks: Some(convert::fork::limits_of_forks(&config.forks)),
            }),
            runtimes: runtimes.collect(),
            isolation: Some(v1::Isolation {
                level: level.into(),
                layers: plan.layers.iter().map(layer).collect(),
            }),
            capacity: Some(v1::Capacity {
                episodes: count(episodes),
                running_steps,
                waiting_steps,
                draining: inner.episodes.is_draining(),
                checkpoints: count(checkpoints),
                evaluations: count(evaluations),
            }),
            transforms: config
                .transforms
                .transforms()
                .iter()
                .map(ToString::to_string)
                .collect(),
            start_time: convert::timestamp(inner.started),
            fork: Some(convert::fork::fork_facts(plan.fork_facts())),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Mutex, PoisonError};

    use super::*;

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// No request is known to make a handler panic (it would be mended), so the guard is tried by itself.
    #[tokio::test]
    async fn a_fault_of_ours_is_told_without_its_cause_which_the_log_has_under_the_same_id() {
        let log = Log::default();
        let sink = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(move || sink.clone())
            .finish();
        let _logging = tracing::subscriber::set_default(subscriber);
        let header = AsciiMetadataValue::from_static("here");
        let handler = async {
            tokio::task::yield_now().await;
            panic!("the secret cause {}", 42)
        };
        let status = answer::<()>(&header, handler).await.unwrap_err();
        assert_eq!(status.code(), tonic::Code::Internal);
        assert_eq!(status.metadata().get(SERVER_HEADER).unwrap(), "here");
        let details = status.get_error_details();
        let id = details.request_info().unwrap().request_id.clone();
        let info = details.error_info().unwrap();
        assert_eq!(
            (info.reason.as_str(), info.domain.as_str()),
            ("INTERNAL", "coding_env")
        );
        assert_eq!(info.metadata.get("request_id"), Some(&id));
        assert!(status.message().contains(&id) && !status.message().contains("secret"));
        let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        let told = |line: &str| line.contains(&id) && line.contains("the secret cause 42");
        assert!(log.lines().any(told), "{log}");
    }
}
