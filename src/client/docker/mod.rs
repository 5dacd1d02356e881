//! A server in a container: started, waited for, and removed when nobody uses it any more.

mod engine;
mod lifeline;

use std::collections::HashMap;
use std::time::Duration;

use bollard::models::{ContainerCreateBody, HostConfig, PortBinding};
use tokio::time::{Instant, timeout};
use tonic::Request;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use self::engine::{Engine, Published};
use self::lifeline::Lifeline;
use super::{CodingEnv, DockerError, Error, Options, endpoint};

/// The port that the server in the image listens on.
const PORT: u16 = 8000;
const LISTEN: &str = "CODING_ENV_LISTEN";
const END_WITH_STDIN: &str = "CODING_ENV_END_WITH_STDIN";
/// How long one question for readiness may take.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);
/// The pause between two.
const PROBE_PAUSE: Duration = Duration::from_millis(50);
/// How long a container may take to be removed where nobody can await that: in a drop.
const REMOVED_WITHIN: Duration = Duration::from_secs(30);

/// How [`CodingEnv::from_docker_image_with`] runs a container. Start from [`DockerOptions::default`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct DockerOptions {
    /// Environment variables of the server: any of its settings, as `CODING_ENV_MAX_EPISODES`, but for `CODING_ENV_LISTEN` and
    /// `CODING_ENV_END_WITH_STDIN`, which are the client's. Default none.
    pub environment: HashMap<String, String>,
    /// The memory of the container, swap included, in bytes: more than zero. Default: as much as there is.
    pub memory_bytes: Option<u64>,
    /// How many cores it may use: 1.5 is one and a half. More than zero. Default: all.
    pub cpus: Option<f64>,
    /// Processes and threads in it: more than zero. Default: as many as the engine allows.
    pub processes: Option<u32>,
    /// The user that it runs as: `UID:GID`. Default: the image's.
    pub user: Option<String>,
    /// Whether it may do no more than a pod under Kubernetes' restricted standard: no capabilities, no new privileges, a read-only root
    /// with a `/tmp` in memory. Default false: what the engine gives to every container.
    pub restricted: bool,
    /// Whether an image that the engine does not have is pulled. Default true.
    pub pull: bool,
    /// How long the server may take until it is ready, from when the container was started: more than zero. Default 60 s.
    pub start_timeout: Duration,
    /// The engine: `unix:///PATH` or `tcp://HOST:PORT`. Default: `DOCKER_HOST`, or the first socket that is there, Podman's included.
    pub docker_host: Option<String>,
    /// The address of the engine's machine that the server can be reached at. Whoever reaches it can run code, so by default it is the
    /// loopback interface, `127.0.0.1`. An engine on another machine needs one that this machine reaches.
    pub publish_host: String,
}

impl Default for DockerOptions {
    fn default() -> Self {
        Self {
            environment: HashMap::new(),
            memory_bytes: None,
            cpus: None,
            processes: None,
            user: None,
            restricted: false,
            pull: true,
            start_timeout: Duration::from_secs(60),
            docker_host: None,
            publish_host: "127.0.0.1".to_owned(),
        }
    }
}

impl CodingEnv {
    /// Starts a container and connects to the server in it, once that is ready.
    ///
    /// The container listens on a free port of this machine's loopback address. It is removed by [`close`](Self::close), by a drop (in a
    /// panic too), which blocks until the engine has done it, and when this fails. A program that is ended by a signal, by Ctrl-C or
    /// SIGKILL, runs no drop: the engine notices that its connection has ended, the server ends for that reason, and the engine removes
    /// the container.
    ///
    /// # Errors
    /// [`Error::Docker`]: no engine was found, the image could not be pulled, or the server did not become ready; it has the container's log.
    ///
    /// # Cancel-Safety
    /// When this is dropped, so is the container.
    pub async fn from_docker_image(image: &str) -> Result<Self, Error> {
        Self::from_docker_image_with(image, DockerOptions::default(), Options::default()).await
    }

    /// As [`from_docker_image`](Self::from_docker_image), with options for the container and for the client.
    ///
    /// # Errors
    /// As [`from_docker_image`](Self::from_docker_image).
    ///
    /// # Cancel-Safety
    /// As [`from_docker_image`](Self::from_docker_image).
    pub async fn from_docker_image_with(
        image: &str,
        docker: DockerOptions,
        options: Options,
    ) -> Result<Self, Error> {
        docker.check()?;
        let mut container = Container::new(image, &docker).await?;
        let connected = match container.bring_up(&docker, &options).await {
            Ok(()) => Self::connect_with(&container.url, options).await,
            Err(error) => Err(Error::Docker(error)),
        };
        match connected {
            Ok(mut env) => {
                env.container = Some(container);
                Ok(env)
            }
            Err(error) => {
                // What went wrong first is what is told.
                drop(container.remove().await);
                Err(error)
            }
        }
    }
}

impl DockerOptions {
    fn check(&self) -> Result<(), DockerError> {
        for name in self.environment.keys() {
            if [LISTEN, END_WITH_STDIN].contains(&name.as_str()) {
                return Err(DockerError::new(format!(
                    "{name} can't be set: it is chosen here"
                )));
            }
            if name.is_empty() || name.contains('=') {
                return Err(DockerError::new(format!(
                    "`{name}` is no name of a variable"
                )));
            }
        }
        // To the engine, nothing is no limit.
        if self.memory_bytes == Some(0) || self.processes == Some(0) || self.start_timeout.is_zero()
        {
            return Err(DockerError::new(
                "memory_bytes, processes and start_timeout have to be more than zero",
            ));
        }
        if self
            .cpus
            .is_some_and(|cpus| !cpus.is_finite() || cpus <= 0.0)
        {
            return Err(DockerError::new("cpus has to be more than zero"));
        }
        Ok(())
    }

    /// What the engine is asked for.
    fn create_body(&self, image: &str) -> ContainerCreateBody {
        let ours = [
            (LISTEN, format!("0.0.0.0:{PORT}")),
            (END_WITH_STDIN, "true".to_owned()),
        ];
        let env = self
            .environment
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .chain(ours.map(|(name, value)| format!("{name}={value}")))
            .collect();
        let memory = self
            .memory_bytes
            .map(|bytes| i64::try_from(bytes).unwrap_or(i64::MAX));
        let mut host = HostConfig {
            // The engine removes it as soon as it ends, whoever is left then.
            auto_remove: Some(true),
            port_bindings: Some(HashMap::from([(
                port_name(),
                Some(vec![PortBinding {
                    host_ip: Some(self.publish_host.clone()),
                    host_port: Some(String::new()),
                }]),
            )])),
            memory,
            memory_swap: memory,
            nano_cpus: self.cpus.map(nano_cpus),
            pids_limit: self.processes.map(i64::from),
            ..HostConfig::default()
        };
        if self.restricted {
            host.cap_drop = Some(vec!["ALL".to_owned()]);
            host.security_opt = Some(vec!["no-new-privileges".to_owned()]);
            host.readonly_rootfs = Some(true);
            host.tmpfs = Some(HashMap::from([(
                "/tmp".to_owned(),
                "rw,nosuid,nodev,mode=1777".to_owned(),
            )]));
        }
        ContainerCreateBody {
            image: Some(image.to_owned()),
            user: self.user.clone(),
            env: Some(env),
            labels: Some(HashMap::from([
                ("coding-env.client".to_owned(), "rust".to_owned()),
                (
                    "coding-env.client-pid".to_owned(),
                    std::process::id().to_string(),
                ),
            ])),
            exposed_ports: Some(vec![port_name()]),
            // Its standard input ends with the first connection to it, which is ours.
            attach_stdin: Some(true),
            open_stdin: Some(true),
            stdin_once: Some(true),
            host_config: Some(host),
            ..ContainerCreateBody::default()
        }
    }
}

fn port_name() -> String {
    format!("{PORT}/tcp")
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "checked to be positive and finite; more than fits is as much as there is"
)]
fn nano_cpus(cpus: f64) -> i64 {
    (cpus * 1e9).round() as i64
}

/// A container. Dropping it removes it.
#[derive(Debug)]
pub(super) struct Container {
    engine: Engine,
    image: String,
    /// Named here, so that it can be removed even when the engine's reply never came.
    name: String,
    lifeline: Option<Lifeline>,
    /// The engine may have it.
    may_be_there: bool,
    /// The URL of its server.
    url: String,
}

impl Container {
    async fn new(image: &str, options: &DockerOptions) -> Result<Self, DockerError> {
        Ok(Self {
            engine: Engine::connect(options.docker_host.as_deref()).await?,
            image: image.to_owned(),
            name: format!("coding-env-{}", uuid::Uuid::now_v7()),
            lifeline: None,
            may_be_there: false,
            url: String::new(),
        })
    }

    /// Makes it, starts it, and waits until its server is ready.
    async fn bring_up(
        &mut self,
        docker: &DockerOptions,
        options: &Options,
    ) -> Result<(), DockerError> {
        self.create(docker).await?;
        let attached = self.engine.attach(&self.name).await.map_err(|error| {
            DockerError::new(format!(
                "the container of `{}` can't be attached to: {}",
                self.image, error.message
            ))
        })?;
        let lifeline = self
            .lifeline
            .insert(Lifeline::hold(attached, self.engine.exit_code(&self.name)));
        if let Err(error) = self.engine.start(&self.name).await {
            return Err(DockerError {
                message: format!(
                    "the container of `{}` does not start: {}",
                    self.image, error.message
                ),
                log: Some(lifeline.log()),
            });
        }
        let begun = Instant::now();
        self.find_port(docker).await?;
        self.wait_until_ready(begun + docker.start_timeout, docker, options)
            .await
    }

    async fn create(&mut self, options: &DockerOptions) -> Result<(), DockerError> {
        let body = options.create_body(&self.image);
        let mut may_pull = true;
        loop {
            self.may_be_there = true;
            let error = match self.engine.create(&self.name, body.clone()).await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            if error.status != Some(404) || !may_pull {
                self.may_be_there = error.status.is_none();
                return Err(DockerError::new(format!(
                    "no container can be made of the image `{}`: {}",
                    self.image, error.message
                )));
            }
            self.may_be_there = false;
            self.pull(options).await?;
            may_pull = false;
        }
    }

    async fn pull(&self, options: &DockerOptions) -> Result<(), DockerError> {
        let image = &self.image;
        let advice = format!(
            "build it (docker build --tag {image} .), or pull it by hand where that needs a login"
        );
        if !options.pull {
            return Err(DockerError::new(format!(
                "the engine has no image `{image}`, and pull is false: {advice}"
            )));
        }
        self.engine.pull(image).await.map_err(|error| {
            DockerError::new(format!(
                "the engine has no image `{image}`, and can't pull it: {}; {advice}",
                error.message
            ))
        })
    }

    async fn find_port(&mut self, options: &DockerOptions) -> Result<(), DockerError> {
        let port = match self.engine.published(&self.name, &port_name()).await {
            Ok(Published::At(port)) => port,
            Ok(Published::Nowhere) => {
                return Err(DockerError {
                    message: format!(
                        "the engine published no port for the container of `{}`",
                        self.image
                    ),
                    log: self.log(),
                });
            }
            // It is gone already where it has ended.
            Ok(Published::Ended) => return Err(self.ended().await),
            Err(error) if error.status == Some(404) => return Err(self.ended().await),
            Err(error) => return Err(DockerError::new(error.message)),
        };
        let host = match options.publish_host.as_str() {
            "" | "0.0.0.0" | "::" => self.engine.host().unwrap_or("127.0.0.1"),
            host => host,
        };
        self.url = if host.contains(':') {
            format!("http://[{host}]:{port}")
        } else {
            format!("http://{host}:{port}")
        };
        Ok(())
    }

    /// Asks until the server is ready.
    async fn wait_until_ready(
        &mut self,
        end: Instant,
        docker: &DockerOptions,
        options: &Options,
    ) -> Result<(), DockerError> {
        let channel = endpoint(&self.url, &Options::default())
            .map_err(|error| DockerError::new(error.to_string()))?
            .connect_lazy();
        let mut health = HealthClient::new(channel);
        let mut answer = "it was not asked".to_owned();
        while let Some(left) = end.checked_duration_since(Instant::now()) {
            let mut request = Request::new(HealthCheckRequest {
                service: "readiness".to_owned(),
            });
            if let Some(token) = &options.token {
                token.authorize(&mut request);
            }
            let ended = async {
                match &self.lifeline {
                    Some(lifeline) => lifeline.ended().await,
                    None => std::future::pending().await,
                }
            };
            let probe = timeout(left.min(PROBE_TIMEOUT), health.check(request));
            tokio::select! {
                biased;
                () = ended => return Err(self.ended().await),
                probed = probe => match probed {
                    Ok(Ok(reply)) if reply.get_ref().status() == ServingStatus::Serving => {
                        return Ok(());
                    }
                    Ok(Ok(_)) => answer = "it says that it is not ready".to_owned(),
                    Ok(Err(status)) => {
                        answer = format!("{:?}: {}", status.code(), status.message());
                    }
                    Err(_) => answer = "it does not answer".to_owned(),
                },
            }
            tokio::time::sleep(PROBE_PAUSE).await;
        }
        Err(DockerError {
            message: format!(
                "the server in the container of `{}` was not ready within {:?} ({answer})",
                self.image, docker.start_timeout
            ),
            log: self.log(),
        })
    }

    /// That it ended before its server was ready, with all that it wrote.
    async fn ended(&mut self) -> DockerError {
        let code = match &mut self.lifeline {
            Some(lifeline) => lifeline.exit_code().await,
            None => None,
        };
        let why = match code {
            Some(137) => {
                " (exit code 137: it was killed, as a rule because its memory was used up)"
                    .to_owned()
            }
            Some(code) => format!(" (exit code {code})"),
            None => String::new(),
        };
        DockerError {
            message: format!(
                "the container of `{}` ended before its server was ready{why}",
                self.image
            ),
            log: self.log(),
        }
    }

    fn log(&self) -> Option<String> {
        self.lifeline.as_ref().map(Lifeline::log)
    }

    /// Ends and removes it, if that has not been done.
    ///
    /// # Cancel-Safety
    /// When this is dropped midway, dropping the container removes it.
    pub(super) async fn remove(&mut self) -> Result<(), DockerError> {
        if self.may_be_there {
            self.engine.remove(&self.name).await.map_err(|error| {
                DockerError::new(format!(
                    "the container {} can't be removed: {}",
                    self.name, error.message
                ))
            })?;
            self.may_be_there = false;
        }
        Ok(())
    }

    /// That it has been removed: what an environment says that has none any more.
    pub(super) fn was_removed(&self) -> Option<Error> {
        (!self.may_be_there).then(|| {
            Error::Docker(DockerError::new(
                "the container has been removed: make another one",
            ))
        })
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        if !self.may_be_there {
            return;
        }
        let (engine, name) = (self.engine.clone(), self.name.clone());
        let remove = move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            if let Ok(runtime) = runtime {
                drop(
                    runtime.block_on(async { timeout(REMOVED_WITHIN, engine.remove(&name)).await }),
                );
            }
        };
        // In a thread, because this one may be a runtime's, which must not wait for another runtime; and waited for, because the program may
        // be about to end. What fails can't be told here; the server ends all the same, with the lifeline.
        if let Ok(removing) = std::thread::Builder::new().spawn(remove) {
            drop(removing.join());
        }
    }
}
