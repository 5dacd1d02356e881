//! A container engine, Docker's or Podman's: where it listens, and what is asked of it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bollard::container::AttachContainerResults;
use bollard::errors::Error;
use bollard::models::ContainerCreateBody;
use bollard::query_parameters::{
    AttachContainerOptions, CreateContainerOptions, CreateImageOptions, RemoveContainerOptions,
    WaitContainerOptions,
};
use bollard::{API_DEFAULT_VERSION, Docker};
use tokio_stream::StreamExt as _;

use super::DockerError;

/// How long the engine may be silent while it works on a request, in seconds.
const SILENCE_SECONDS: u64 = 60;
/// The same while it pulls an image.
const PULL_SILENCE: Duration = Duration::from_secs(600);

/// The engine refused a request, or can't be reached.
#[derive(Debug)]
pub(super) struct EngineError {
    /// The HTTP status, when it answered.
    pub(super) status: Option<u16>,
    pub(super) message: String,
}

/// Where a port of a container can be reached.
#[derive(Debug)]
pub(super) enum Published {
    At(u16),
    Nowhere,
    /// The container does not run any more.
    Ended,
}

/// An engine that answers.
#[derive(Debug, Clone)]
pub(super) struct Engine {
    docker: Docker,
    address: String,
}

impl Engine {
    /// `unix:///PATH`, `tcp://HOST:PORT` or `http://HOST:PORT`. None: `DOCKER_HOST`, or the first socket that is there.
    pub(super) async fn connect(address: Option<&str>) -> Result<Self, DockerError> {
        let address = address
            .map(str::to_owned)
            .or_else(|| std::env::var("DOCKER_HOST").ok())
            .filter(|address| !address.is_empty());
        let address = match address {
            Some(address) => address,
            None => find(&candidates())?,
        };
        let docker = open(&address)?;
        let engine = Self { docker, address };
        // This also tells whether it is an engine.
        let docker = engine.docker.clone().negotiate_version().await;
        match docker.map_err(|error| engine.told(&error)) {
            Ok(docker) => Ok(Self { docker, ..engine }),
            Err(error) if error.status.is_some() => Err(engine.is_none()),
            Err(error) => Err(DockerError::new(error.message)),
        }
    }

    /// The machine that it runs on, when it is reached over the network.
    pub(super) fn host(&self) -> Option<&str> {
        host_of(&self.address)
    }

    pub(super) async fn create(
        &self,
        name: &str,
        body: ContainerCreateBody,
    ) -> Result<(), EngineError> {
        let options = CreateContainerOptions {
            name: Some(name.to_owned()),
            ..CreateContainerOptions::default()
        };
        self.docker
            .create_container(Some(options), body)
            .await
            .map(drop)
            .map_err(|error| self.told(&error))
    }

    /// Pulls an image from its registry.
    pub(super) async fn pull(&self, image: &str) -> Result<(), EngineError> {
        let has_tag = image.rsplit('/').next().unwrap_or(image).contains(':');
        let options = CreateImageOptions {
            from_image: Some(image.to_owned()),
            tag: (!has_tag).then(|| "latest".to_owned()),
            ..CreateImageOptions::default()
        };
        let mut progress = self.docker.create_image(Some(options), None, None);
        loop {
            match tokio::time::timeout(PULL_SILENCE, progress.next()).await {
                Ok(None) => return Ok(()),
                // A failure after the reply has begun is a piece of its own.
                Ok(Some(piece)) => drop(piece.map_err(|error| self.told(&error))?),
                Err(_) => {
                    return Err(EngineError {
                        status: None,
                        message: format!("nothing came for {PULL_SILENCE:?}"),
                    });
                }
            }
        }
    }

    /// Connects to the standard streams of a container that may not have been started yet.
    pub(super) async fn attach(&self, name: &str) -> Result<AttachContainerResults, EngineError> {
        let options = AttachContainerOptions {
            stream: true,
            stdin: true,
            stdout: true,
            stderr: true,
            ..AttachContainerOptions::default()
        };
        self.docker
            .attach_container(name, Some(options))
            .await
            .map_err(|error| self.told(&error))
    }

    pub(super) async fn start(&self, name: &str) -> Result<(), EngineError> {
        self.docker
            .start_container(name, None)
            .await
            .map_err(|error| self.told(&error))
    }

    pub(super) async fn published(&self, name: &str, port: &str) -> Result<Published, EngineError> {
        let found = self
            .docker
            .inspect_container(name, None)
            .await
            .map_err(|error| self.told(&error))?;
        if found.state.and_then(|state| state.running) == Some(false) {
            return Ok(Published::Ended);
        }
        let bindings = found
            .network_settings
            .and_then(|network| network.ports)
            .and_then(|mut ports| ports.remove(port)?);
        let port = bindings
            .into_iter()
            .flatten()
            .find_map(|binding| binding.host_port?.parse().ok());
        Ok(port.map_or(Published::Nowhere, Published::At))
    }

    /// Waits for the next end of a container, and tells what it ended with.
    pub(super) fn exit_code(&self, name: &str) -> impl Future<Output = Option<i64>> + use<> {
        let options = WaitContainerOptions {
            condition: "next-exit".to_owned(),
        };
        let mut ends = Box::pin(self.docker.wait_container(name, Some(options)));
        async move {
            match ends.next().await? {
                Ok(end) => Some(end.status_code),
                // What is not zero is an error to the library.
                Err(Error::DockerContainerWaitError { code, .. }) => Some(code),
                Err(_) => None,
            }
        }
    }

    /// Ends a container and removes it, with what it stored. One that is gone, or going, is no error.
    pub(super) async fn remove(&self, name: &str) -> Result<(), EngineError> {
        let options = RemoveContainerOptions {
            force: true,
            v: true,
            ..RemoveContainerOptions::default()
        };
        match self.docker.remove_container(name, Some(options)).await {
            Err(Error::DockerResponseServerError {
                status_code: 404 | 409,
                ..
            })
            | Ok(()) => Ok(()),
            Err(error) => Err(self.told(&error)),
        }
    }

    fn told(&self, error: &Error) -> EngineError {
        let address = &self.address;
        let message = match error {
            Error::DockerResponseServerError {
                status_code,
                message,
            } => {
                return EngineError {
                    status: Some(*status_code),
                    message: message.clone(),
                };
            }
            Error::DockerStreamError { error } => error.clone(),
            Error::JsonDataError { .. }
            | Error::JsonSerdeError { .. }
            | Error::APIVersionParseError {} => self.is_none().message,
            Error::RequestTimeoutError => {
                format!("the engine at {address} did not answer within {SILENCE_SECONDS} s")
            }
            error => unreachable(address, error),
        };
        EngineError {
            status: None,
            message,
        }
    }

    fn is_none(&self) -> DockerError {
        DockerError::new(format!(
            "what answers at {} is no container engine",
            self.address
        ))
    }
}

fn unreachable(address: &str, error: &Error) -> String {
    let mut cause: &(dyn std::error::Error + 'static) = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    let denied = cause
        .downcast_ref::<std::io::Error>()
        .is_some_and(|error| error.kind() == std::io::ErrorKind::PermissionDenied);
    if denied {
        return format!(
            "permission denied at the engine's socket {address}: let this user use it (group docker), or name another by DOCKER_HOST"
        );
    }
    format!("the engine at {address} can't be reached: {cause}. Is it running?")
}

fn host_of(address: &str) -> Option<&str> {
    let (scheme, rest) = address.split_once("://")?;
    let authority = rest.split('/').next()?;
    let host = match authority.strip_prefix('[') {
        Some(bracketed) => bracketed.split(']').next()?,
        None => authority.split(':').next()?,
    };
    (matches!(scheme, "tcp" | "http") && !host.is_empty()).then_some(host)
}

fn open(address: &str) -> Result<Docker, DockerError> {
    let failed = |error: &Error| DockerError::new(unreachable(address, error));
    if let Some(path) = address
        .strip_prefix("unix://")
        .filter(|path| !path.is_empty())
    {
        return Docker::connect_with_unix(path, SILENCE_SECONDS, API_DEFAULT_VERSION)
            .map_err(|error| failed(&error));
    }
    let secure = std::env::var_os("DOCKER_TLS_VERIFY").is_some_and(|value| !value.is_empty());
    let Some(host) = host_of(address).filter(|_| !secure) else {
        return Err(DockerError::new(format!(
            "DOCKER_HOST is `{address}`: this client speaks to unix:///PATH and, without TLS, to tcp://HOST:PORT. For another machine, \
             forward its socket and name that"
        )));
    };
    let has_port = address
        .rsplit([']', '/'])
        .next()
        .is_some_and(|end| end.contains(':'));
    let address = if has_port {
        address.to_owned()
    } else if host.contains(':') {
        format!("tcp://[{host}]:2375")
    } else {
        format!("tcp://{host}:2375")
    };
    Docker::connect_with_http(&address, SILENCE_SECONDS, API_DEFAULT_VERSION)
        .map_err(|error| failed(&error))
}

/// Where engines listen by default, Docker before Podman, the machine's before the user's.
fn candidates() -> Vec<PathBuf> {
    let home = std::env::home_dir();
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").filter(|folder| !folder.is_empty());
    let runtime = runtime.map(PathBuf::from).or_else(|| {
        use std::os::unix::fs::MetadataExt as _;
        let uid = std::fs::metadata("/proc/self").ok()?.uid();
        Some(PathBuf::from(format!("/run/user/{uid}")))
    });
    candidates_in(home.as_deref(), runtime.as_deref())
}

fn candidates_in(home: Option<&Path>, runtime: Option<&Path>) -> Vec<PathBuf> {
    [
        Some(PathBuf::from("/var/run/docker.sock")),
        runtime.map(|folder| folder.join("docker.sock")),
        home.map(|folder| folder.join(".docker/run/docker.sock")),
        runtime.map(|folder| folder.join("podman/podman.sock")),
        Some(PathBuf::from("/run/podman/podman.sock")),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn find(candidates: &[PathBuf]) -> Result<String, DockerError> {
    use std::os::unix::fs::FileTypeExt as _;
    let is_socket =
        |path: &&PathBuf| std::fs::metadata(path).is_ok_and(|found| found.file_type().is_socket());
    if let Some(path) = candidates.iter().find(is_socket) {
        return Ok(format!("unix://{}", path.display()));
    }
    let places: Vec<String> = candidates
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    Err(DockerError::new(format!(
        "no container engine was found: DOCKER_HOST is not set, and there is no socket at any of {}. Start Docker or Podman, or connect to a \
         server that runs: CodingEnv::connect",
        places.join(", ")
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn docker_is_looked_for_before_podman_and_only_sockets_are_taken() {
        let folder = tempfile::tempdir().unwrap();
        let candidates = candidates_in(Some(Path::new("/home/me")), Some(folder.path()));
        let expected = [
            PathBuf::from("/var/run/docker.sock"),
            folder.path().join("docker.sock"),
            PathBuf::from("/home/me/.docker/run/docker.sock"),
            folder.path().join("podman/podman.sock"),
            PathBuf::from("/run/podman/podman.sock"),
        ];
        assert_eq!(candidates, expected);
        // This machine's own are out of the test's hands.
        let ours = &candidates[1..4];
        std::fs::write(folder.path().join("docker.sock"), "no socket").unwrap();
        let error = find(ours).unwrap_err();
        assert!(
            error.message.contains("no container engine was found")
                && error.message.contains("docker.sock"),
            "{error}"
        );
        std::fs::create_dir(folder.path().join("podman")).unwrap();
        let podman = folder.path().join("podman/podman.sock");
        let listener = std::os::unix::net::UnixListener::bind(&podman).unwrap();
        assert_eq!(find(ours).unwrap(), format!("unix://{}", podman.display()));
        drop(listener);
    }

    #[test]
    fn the_host_of_an_engine_on_the_network() {
        for (address, host) in [
            ("tcp://engine.example:2375", Some("engine.example")),
            ("tcp://[::1]:2375", Some("::1")),
            ("http://10.0.0.1", Some("10.0.0.1")),
            ("unix:///var/run/docker.sock", None),
            ("ssh://user@machine", None),
            ("tcp://", None),
            ("engine", None),
        ] {
            assert_eq!(host_of(address), host, "{address}");
        }
    }
}
