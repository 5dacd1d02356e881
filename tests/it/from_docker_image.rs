//! `from_docker_image`: started, waited for, and removed whatever happens. The engine is one of the tests' own; a real one is used where
//! CODING_ENV_TEST_IMAGE names an image.

use std::collections::HashMap;
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use coding_env::client::{CodingEnv, DockerError, DockerOptions, Error, Options};
use coding_env::proto::v1;

use crate::support::engine::{Engine, Program};
use crate::support::{Server, wait_until};

const IMAGE: &str = "coding-env:latest";
/// Makes `a_client_that_is_killed` the client that is, at this engine.
const ENGINE_OF_THE_KILLED: &str = "CODING_ENV_TEST_ENGINE_OF_THE_KILLED";

fn serving() -> (Server, Engine) {
    let server = Server::start_open(&[]);
    let port = server.url().rsplit(':').next().unwrap().parse().unwrap();
    (server, Engine::start(Program::Serves(port)))
}

fn at(engine: &Engine) -> DockerOptions {
    let mut docker = DockerOptions::default();
    docker.docker_host = Some(engine.address.clone());
    docker
}

async fn start(engine: &Engine) -> Result<CodingEnv, Error> {
    CodingEnv::from_docker_image_with(IMAGE, at(engine), Options::default()).await
}

fn refused(result: Result<CodingEnv, Error>) -> DockerError {
    match result {
        Err(Error::Docker(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn from_start_to_end() {
    let (_server, engine) = serving();
    let mut docker = at(&engine);
    docker.environment = HashMap::from([("CODING_ENV_MAX_EPISODES".to_owned(), "5".to_owned())]);
    docker.memory_bytes = Some(1 << 30);
    docker.cpus = Some(1.5);
    docker.processes = Some(100);
    docker.user = Some("65534:65534".to_owned());
    docker.restricted = true;
    let mut env = CodingEnv::from_docker_image_with(IMAGE, docker, Options::default())
        .await
        .unwrap();
    env.reset().await.unwrap();
    assert_eq!(env.step("6 * 7").await.unwrap().result(), Some("42"));

    let created = engine.state().created.clone();
    assert_eq!(created["Image"], IMAGE);
    assert_eq!(created["User"], "65534:65534");
    let variables = created["Env"].as_array().unwrap();
    for expected in [
        "CODING_ENV_MAX_EPISODES=5",
        "CODING_ENV_LISTEN=0.0.0.0:8000",
        "CODING_ENV_END_WITH_STDIN=true",
    ] {
        assert!(
            variables.iter().any(|variable| variable == expected),
            "{variables:?}"
        );
    }
    let host = &created["HostConfig"];
    // On loopback alone, on a port that the engine chooses.
    let bindings = serde_json::json!({ "8000/tcp": [{ "HostIp": "127.0.0.1", "HostPort": "" }] });
    assert_eq!(host["PortBindings"], bindings);
    assert_eq!(host["Memory"], 1_u64 << 30);
    assert_eq!(host["MemorySwap"], 1_u64 << 30);
    assert_eq!(host["NanoCpus"], 1_500_000_000_u64);
    assert_eq!(host["PidsLimit"], 100);
    assert_eq!(host["AutoRemove"], true);
    assert_eq!(host["CapDrop"], serde_json::json!(["ALL"]));
    assert_eq!(
        host["SecurityOpt"],
        serde_json::json!(["no-new-privileges"])
    );
    assert_eq!(host["ReadonlyRootfs"], true);
    assert!(host["Tmpfs"]["/tmp"].is_string());

    assert_eq!(engine.state().containers.len(), 1);
    env.close().await.unwrap();
    assert!(engine.state().containers.is_empty());
    // Once is enough.
    env.close().await.unwrap();
    let error = env.reset().await.unwrap_err();
    assert!(error.to_string().contains("make another one"), "{error}");
    drop(env);
    assert_eq!(engine.count("DELETE /containers/NAME"), 1);
}

#[tokio::test]
async fn dropped_and_in_a_panic() {
    let (_server, engine) = serving();
    let env = start(&engine).await.unwrap();
    drop(env);
    assert!(engine.state().containers.is_empty());

    let env = start(&engine).await.unwrap();
    assert_eq!(engine.state().containers.len(), 1);
    let panicking = tokio::spawn(async move {
        assert!(
            env.episode_id().is_some(),
            "this is the panic that is meant"
        );
    });
    assert!(panicking.await.unwrap_err().is_panic());
    assert!(engine.state().containers.is_empty());
    assert_eq!(engine.count("DELETE /containers/NAME"), 2);
}

#[test]
fn dropped_when_its_runtime_has_gone() {
    let (_server, engine) = serving();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let env = runtime.block_on(start(&engine)).unwrap();
    drop(runtime);
    drop(env);
    assert!(engine.state().containers.is_empty());
}

#[tokio::test]
async fn given_up_while_it_starts() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let engine = Engine::start(Program::Hangs(
        "",
        Some(silent.local_addr().unwrap().port()),
    ));
    let starting = tokio::spawn({
        let engine = engine.clone();
        async move { start(&engine).await }
    });
    let watching = engine.clone();
    tokio::task::spawn_blocking(move || {
        watching.wait_until("it is started", |state| {
            state
                .asked
                .iter()
                .any(|asked| asked == "GET /containers/NAME/json")
        });
    })
    .await
    .unwrap();
    starting.abort();
    assert!(starting.await.unwrap_err().is_cancelled());
    assert!(engine.state().containers.is_empty());
}

/// Runs itself once more as a client, and kills that.
#[test]
fn a_client_that_is_killed() {
    if let Ok(address) = std::env::var(ENGINE_OF_THE_KILLED) {
        let mut docker = DockerOptions::default();
        docker.docker_host = Some(address);
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let _env = CodingEnv::from_docker_image_with(IMAGE, docker, Options::default())
                .await
                .unwrap();
            std::future::pending::<()>().await;
        });
    }
    let (_server, engine) = serving();
    for signal in ["INT", "KILL"] {
        let before = engine.state().asked.len();
        let mut client = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "from_docker_image::a_client_that_is_killed"])
            .env(ENGINE_OF_THE_KILLED, &engine.address)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        engine.wait_until("it has a container", |state| {
            state.asked.len() > before
                && state.containers.values().any(Option::is_some)
                && state
                    .asked
                    .last()
                    .is_some_and(|asked| asked == "GET /containers/NAME/json")
        });
        crate::support::kill(client.id().cast_signed(), signal);
        assert!(!client.wait().unwrap().success());
        engine.wait_until("the container has gone", |state| {
            state.containers.is_empty()
        });
    }
    assert_eq!(engine.count("DELETE /containers/NAME"), 0);
}

#[tokio::test]
async fn an_image_that_has_to_be_pulled() {
    let (_server, engine) = serving();
    engine.state().images.clear();
    let full = "registry.example/team/coding-env:latest";
    engine.state().registry.insert(full.to_owned());
    let image = "registry.example/team/coding-env";
    let mut env = CodingEnv::from_docker_image_with(image, at(&engine), Options::default())
        .await
        .unwrap();
    env.close().await.unwrap();
    let asked = engine.state().asked.clone();
    let expected = [
        "POST /containers/create",
        "POST /images/create",
        "POST /containers/create",
    ];
    assert_eq!(asked.get(1..4).unwrap(), expected);
}

#[tokio::test]
async fn an_image_that_can_not_be_had() {
    let engine = Engine::start(Program::Ends("", 0));
    engine.state().images.clear();
    let error = refused(start(&engine).await);
    for told in [
        "has no image `coding-env:latest`",
        "pull access denied",
        "docker build --tag coding-env:latest .",
    ] {
        assert!(error.message.contains(told), "{error}");
    }
    let pull = "POST /images/create".to_owned();
    let failed = "{\"status\":\"Pulling\"}\r\n{\"errorDetail\":{\"message\":\"no space left on device\"},\"error\":\"no space left on device\"}\r\n";
    engine
        .state()
        .instead
        .insert(pull.clone(), (200, failed.to_owned()));
    let error = refused(start(&engine).await);
    assert!(error.message.contains("no space left on device"), "{error}");
    // Podman's way.
    let failed = "{\"cause\":\"eof\",\"message\":\"initializing source: EOF\",\"response\":500}";
    engine
        .state()
        .instead
        .insert(pull, (500, failed.to_owned()));
    let error = refused(start(&engine).await);
    assert!(
        error.message.contains("initializing source: EOF"),
        "{error}"
    );

    let before = engine.count("POST /images/create");
    let mut docker = at(&engine);
    docker.pull = false;
    let result = CodingEnv::from_docker_image_with(IMAGE, docker, Options::default()).await;
    assert!(refused(result).message.contains("pull is false"));
    assert_eq!(engine.count("POST /images/create"), before);
    assert_eq!(engine.count("DELETE /containers/NAME"), 0);
}

#[tokio::test]
async fn a_container_that_can_not_be_made_started_or_attached_to() {
    for (asked, status, message, told) in [
        (
            "POST /containers/create",
            400,
            "Minimum memory limit",
            "no container can be made",
        ),
        (
            "POST /containers/NAME/start",
            500,
            "driver failed",
            "does not start",
        ),
        (
            "POST /containers/NAME/attach",
            500,
            "hijacking is not supported",
            "can't be attached to",
        ),
    ] {
        let engine = Engine::start(Program::Ends("", 0));
        let answer = serde_json::json!({ "message": message }).to_string();
        engine
            .state()
            .instead
            .insert(asked.to_owned(), (status, answer));
        let error = refused(start(&engine).await);
        assert!(
            error.message.contains(told) && error.message.contains(message),
            "{error}"
        );
        assert!(engine.state().containers.is_empty());
    }
}

#[tokio::test]
async fn a_container_that_ends_at_once_tells_why() {
    let log = "error: --max-episodes has to be 1 to 1000000\n";
    for (code, told) in [(64, "exit code 64"), (137, "its memory was used up")] {
        let engine = Engine::start(Program::Ends(log, code));
        let error = refused(start(&engine).await);
        assert!(error.message.contains(told), "{error}");
        assert_eq!(error.log.as_deref(), Some(log));
        assert!(
            error.to_string().contains("has to be 1 to 1000000"),
            "{error}"
        );
        assert!(engine.state().containers.is_empty());
    }
}

#[tokio::test]
async fn a_server_that_is_never_ready_is_given_up() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = Some(silent.local_addr().unwrap().port());
    let engine = Engine::start(Program::Hangs("still warming up", port));
    let mut docker = at(&engine);
    docker.start_timeout = Duration::from_millis(300);
    let result = CodingEnv::from_docker_image_with(IMAGE, docker, Options::default()).await;
    let error = refused(result);
    assert!(
        error.message.contains("was not ready within 300ms"),
        "{error}"
    );
    assert_eq!(error.log.as_deref(), Some("still warming up"));
    assert!(engine.state().containers.is_empty());

    let engine = Engine::start(Program::Hangs("", None));
    let error = refused(start(&engine).await);
    assert!(error.message.contains("published no port"), "{error}");
    assert!(engine.state().containers.is_empty());
}

#[tokio::test]
async fn a_container_that_can_not_be_removed_is_tried_again() {
    let (_server, engine) = serving();
    let mut env = start(&engine).await.unwrap();
    let remove = "DELETE /containers/NAME".to_owned();
    let busy = "{\"message\":\"device or resource busy\"}".to_owned();
    engine.state().instead.insert(remove, (500, busy));
    let error = env.close().await.unwrap_err();
    assert!(
        error.to_string().contains("device or resource busy"),
        "{error}"
    );
    engine.state().instead.clear();
    env.close().await.unwrap();
    assert!(engine.state().containers.is_empty());

    // One that somebody else removed is no error.
    let mut env = start(&engine).await.unwrap();
    engine.state().containers.clear();
    env.close().await.unwrap();
}

#[tokio::test]
async fn an_engine_on_the_network() {
    let server = Server::start_open(&[]);
    let port = server.url().rsplit(':').next().unwrap().parse().unwrap();
    let engine = Engine::start_on_tcp(Program::Serves(port));
    let mut env = start(&engine).await.unwrap();
    assert_eq!(env.server_info().await.unwrap().server_id, "test");
    env.close().await.unwrap();
    assert!(engine.state().containers.is_empty());
}

#[tokio::test]
async fn an_engine_that_is_none() {
    for (address, told) in [
        ("unix:///nowhere/engine.sock", "Is it running"),
        ("tcp://127.0.0.1:1", "Is it running"),
        ("ssh://user@machine", "forward its socket"),
        ("unix://", "forward its socket"),
    ] {
        let mut docker = DockerOptions::default();
        docker.docker_host = Some(address.to_owned());
        let result = CodingEnv::from_docker_image_with(IMAGE, docker, Options::default()).await;
        let error = refused(result);
        assert!(error.message.contains(told), "{address}: {error}");
        assert!(error.message.contains(address), "{address}: {error}");
    }
    let engine = Engine::start(Program::Ends("", 0));
    for answer in [(200, "<html>hello</html>"), (404, "<html>what?</html>")] {
        let answer = (answer.0, answer.1.to_owned());
        engine
            .state()
            .instead
            .insert("GET /version".to_owned(), answer);
        let error = refused(start(&engine).await);
        assert!(error.message.contains("no container engine"), "{error}");
    }
}

#[tokio::test]
async fn options_that_can_not_be() {
    let engine = Engine::start(Program::Ends("", 0));
    let mut wrong: Vec<DockerOptions> = Vec::new();
    for name in [
        "CODING_ENV_LISTEN",
        "CODING_ENV_END_WITH_STDIN",
        "",
        "CODING_ENV_LOG=debug",
    ] {
        let mut docker = at(&engine);
        docker.environment.insert(name.to_owned(), "1".to_owned());
        wrong.push(docker);
    }
    let mut docker = at(&engine);
    docker.start_timeout = Duration::ZERO;
    wrong.push(docker);
    let mut docker = at(&engine);
    docker.memory_bytes = Some(0);
    wrong.push(docker);
    let mut docker = at(&engine);
    docker.processes = Some(0);
    wrong.push(docker);
    for cpus in [0.0, -1.0, f64::NAN] {
        let mut docker = at(&engine);
        docker.cpus = Some(cpus);
        wrong.push(docker);
    }
    for docker in wrong {
        refused(CodingEnv::from_docker_image_with(IMAGE, docker, Options::default()).await);
    }
    assert!(engine.state().asked.is_empty());
}

/// The containers of this process's that the real engine has.
fn real_containers(pid: u32) -> Vec<String> {
    let found = Command::new("docker")
        .args(["ps", "--all", "--quiet", "--filter"])
        .arg(format!("label=coding-env.client-pid={pid}"))
        .output()
        .unwrap();
    assert!(found.status.success(), "{found:?}");
    let found = String::from_utf8(found.stdout).unwrap();
    found.lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn a_real_engine() {
    let Ok(image) = std::env::var("CODING_ENV_TEST_IMAGE") else {
        eprintln!("not tested: CODING_ENV_TEST_IMAGE names no image to run on a real engine");
        return;
    };
    let own = std::process::id();
    let kinds = [
        ("as the image comes", None, false),
        ("root", Some("0:0"), false),
        ("uid 65534", Some("65534:65534"), false),
        ("restricted", None, true),
    ];
    for (kind, user, restricted) in kinds {
        let mut docker = DockerOptions::default();
        docker.memory_bytes = Some(2 << 30);
        docker.processes = Some(1024);
        docker.user = user.map(str::to_owned);
        docker.restricted = restricted;
        let begun = Instant::now();
        let mut env = CodingEnv::from_docker_image_with(&image, docker, Options::default())
            .await
            .unwrap();
        let took = begun.elapsed();
        env.reset().await.unwrap();
        let reply = env
            .step("import os, sys\nsys.version_info >= (3, 9)")
            .await
            .unwrap();
        assert_eq!(reply.result(), Some("True"), "{kind}: {reply:?}");
        let isolation = env.server_info().await.unwrap().isolation.unwrap();
        assert!(
            isolation.level() >= v1::IsolationLevel::Landlock,
            "{kind}: {isolation:?}"
        );
        eprintln!("{kind}: SERVING after {took:.2?}, {:?}", isolation.level());
        assert_eq!(real_containers(own).len(), 1, "{kind}");
        env.close().await.unwrap();
        wait_until("the container has gone", || real_containers(own).is_empty());
    }

    let mut docker = DockerOptions::default();
    docker
        .environment
        .insert("CODING_ENV_MAX_EPISODES".to_owned(), "none".to_owned());
    let result = CodingEnv::from_docker_image_with(&image, docker, Options::default()).await;
    let error = refused(result);
    assert!(error.message.contains("exit code 2"), "{error}");
    assert!(error.log.unwrap().contains("max-episodes"));
    let error = refused(CodingEnv::from_docker_image("coding-env-no-such-image:latest").await);
    assert!(error.message.contains("has no image"), "{error}");
    wait_until("no container is left", || real_containers(own).is_empty());
}

/// Runs itself once more as a client, and kills that: the engine removes what it had.
#[test]
fn a_client_of_a_real_engine_that_is_killed() {
    let Ok(image) = std::env::var("CODING_ENV_TEST_IMAGE") else {
        eprintln!("not tested: CODING_ENV_TEST_IMAGE names no image to run on a real engine");
        return;
    };
    if std::env::var_os(ENGINE_OF_THE_KILLED).is_some() {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let mut env = CodingEnv::from_docker_image(&image).await.unwrap();
            env.reset().await.unwrap();
            drop(env.step("while True: pass").await);
        });
    }
    for signal in ["INT", "KILL"] {
        let mut client = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "from_docker_image::a_client_of_a_real_engine_that_is_killed",
            ])
            .env(ENGINE_OF_THE_KILLED, "real")
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let pid = client.id();
        wait_until("it has a container that runs a step", || {
            real_containers(pid).iter().any(|id| {
                let listed = Command::new("docker").args(["top", id]).output().unwrap();
                // Server, warden, template, reapers and workers.
                String::from_utf8_lossy(&listed.stdout).lines().count() > 5
            })
        });
        crate::support::kill(pid.cast_signed(), signal);
        assert!(!client.wait().unwrap().success());
        wait_until("the container has gone", || real_containers(pid).is_empty());
    }
}
