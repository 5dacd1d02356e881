//! A container engine as far as the client uses one: its HTTP API on a socket. A "container" is what a test says it is.

use std::collections::{HashMap, HashSet};
use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use serde_json::{Value, json};

use super::PATIENCE;

/// The API's version that this engine speaks: older than what the client knows.
const API_VERSION: &str = "1.41";

/// What a container does once it has been started.
#[derive(Debug, Clone)]
pub(crate) enum Program {
    /// A server of the test's listens on this port.
    Serves(u16),
    /// It writes this, publishes this port, if any, and goes on.
    Hangs(&'static str, Option<u16>),
    /// It writes this and ends with this code.
    Ends(&'static str, i32),
}

/// The engine. What a test sets here makes it fail in one place.
#[derive(Clone)]
pub(crate) struct Engine {
    pub(crate) address: String,
    shared: Arc<Shared>,
    _folder: Arc<tempfile::TempDir>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
pub(crate) struct State {
    /// Each request as "METHOD path", with NAME for the container's.
    pub(crate) asked: Vec<String>,
    /// What the last container was to be.
    pub(crate) created: Value,
    /// The containers that are there, by name, and the connections to their streams.
    pub(crate) containers: HashMap<String, Option<Stream>>,
    /// Images that the engine has, and those that can be pulled.
    pub(crate) images: HashSet<String>,
    pub(crate) registry: HashSet<String>,
    /// Answers instead of the ordinary ones, by what is asked.
    pub(crate) instead: HashMap<String, (u16, String)>,
    program: Option<Program>,
    exit_code: i32,
}

/// A connection of either kind.
pub(crate) enum Stream {
    Unix(UnixStream),
    Tcp(TcpStream),
}

impl Stream {
    fn try_clone(&self) -> Self {
        match self {
            Self::Unix(stream) => Self::Unix(stream.try_clone().unwrap()),
            Self::Tcp(stream) => Self::Tcp(stream.try_clone().unwrap()),
        }
    }

    fn end(&self) {
        drop(match self {
            Self::Unix(stream) => stream.shutdown(Shutdown::Both),
            Self::Tcp(stream) => stream.shutdown(Shutdown::Both),
        });
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Self::Unix(stream) => stream.read(buffer),
            Self::Tcp(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
        match self {
            Self::Unix(stream) => stream.write(buffer),
            Self::Tcp(stream) => stream.write(buffer),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Engine {
    /// Has the image `coding-env:latest`, which is this program.
    pub(crate) fn start(program: Program) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("engine.sock");
        let listener = UnixListener::bind(&path).unwrap();
        let accept = move || listener.accept().map(|(stream, _)| Stream::Unix(stream));
        Self::start_on(
            format!("unix://{}", path.display()),
            folder,
            program,
            accept,
        )
    }

    /// As `start`, on a port.
    pub(crate) fn start_on_tcp(program: Program) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("tcp://{}", listener.local_addr().unwrap());
        let accept = move || listener.accept().map(|(stream, _)| Stream::Tcp(stream));
        Self::start_on(address, tempfile::tempdir().unwrap(), program, accept)
    }

    fn start_on(
        address: String,
        folder: tempfile::TempDir,
        program: Program,
        accept: impl Fn() -> std::io::Result<Stream> + Send + 'static,
    ) -> Self {
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                images: HashSet::from(["coding-env:latest".to_owned()]),
                program: Some(program),
                ..State::default()
            }),
            changed: Condvar::new(),
        });
        let engine = Self {
            address,
            shared: Arc::clone(&shared),
            _folder: Arc::new(folder),
        };
        // Ends with the test's process.
        std::thread::spawn(move || {
            while let Ok(stream) = accept() {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || shared.serve(stream));
            }
        });
        engine
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap()
    }

    /// Waits until its state is so.
    pub(crate) fn wait_until(&self, what: &str, holds: impl Fn(&State) -> bool) {
        drop(self.shared.wait_until(what, &holds));
    }

    /// How often something was asked.
    pub(crate) fn count(&self, asked: &str) -> usize {
        self.state()
            .asked
            .iter()
            .filter(|one| *one == asked)
            .count()
    }
}

impl Shared {
    fn wait_until(&self, what: &str, holds: &dyn Fn(&State) -> bool) -> MutexGuard<'_, State> {
        let state = self.state.lock().unwrap();
        let (state, waited) = self
            .changed
            .wait_timeout_while(state, PATIENCE, |state| !holds(state))
            .unwrap();
        assert!(
            !waited.timed_out(),
            "waited in vain until {what}: {:?}",
            state.asked
        );
        state
    }

    /// One request on a connection, as the client does it.
    fn serve(&self, mut stream: Stream) {
        let mut reader = BufReader::new(stream.try_clone());
        let mut head = Vec::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            if line == "\r\n" {
                break;
            }
            head.push(line.trim_end().to_owned());
        }
        let length = head.iter().find_map(|line| {
            line.to_lowercase()
                .strip_prefix("content-length:")?
                .trim()
                .parse()
                .ok()
        });
        let mut body = vec![0; length.unwrap_or(0)];
        reader.read_exact(&mut body).unwrap();
        let mut words = head[0].split(' ');
        let (method, target) = (words.next().unwrap(), words.next().unwrap());
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        // In a version of the API, or in none.
        let path = match path
            .strip_prefix("/v1.")
            .and_then(|path| path.split_once('/'))
        {
            Some((_, rest)) => format!("/{rest}"),
            None => path.to_owned(),
        };
        let name = path
            .split('/')
            .find(|part| part.starts_with("coding-env-"))
            .map(str::to_owned);
        let asked = match &name {
            Some(name) => format!("{method} {}", path.replace(name.as_str(), "NAME")),
            None => format!("{method} {path}"),
        };
        let query: HashMap<String, String> = query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(key, value)| {
                (
                    key.to_owned(),
                    value.replace("%3A", ":").replace("%2F", "/"),
                )
            })
            .collect();
        let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
        self.state.lock().unwrap().asked.push(asked.clone());
        self.changed.notify_all();
        let attaches = asked == "POST /containers/NAME/attach";
        if attaches && !self.state.lock().unwrap().instead.contains_key(&asked) {
            self.attach(&name.unwrap(), stream);
            return;
        }
        let (status, reply) = self.answer(&asked, name.as_deref(), &query, body);
        let reply = format!(
            "HTTP/1.1 {status} -\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{reply}",
            reply.len()
        );
        // A client that was killed goes without its reply.
        drop(stream.write_all(reply.as_bytes()));
        self.changed.notify_all();
    }

    /// Until the client or the container ends. A container whose client has gone ends, and is removed.
    fn attach(&self, name: &str, mut stream: Stream) {
        let upgrade = "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n";
        self.state
            .lock()
            .unwrap()
            .containers
            .insert(name.to_owned(), Some(stream.try_clone()));
        stream.write_all(upgrade.as_bytes()).unwrap();
        drop(std::io::copy(&mut stream, &mut std::io::sink()));
        self.state.lock().unwrap().containers.remove(name);
        self.changed.notify_all();
    }

    fn answer(
        &self,
        asked: &str,
        name: Option<&str>,
        query: &HashMap<String, String>,
        body: Value,
    ) -> (u16, String) {
        let mut state = self.state.lock().unwrap();
        if let Some(answer) = state.instead.get(asked) {
            return answer.clone();
        }
        let told = |message: String| json!({ "message": message }).to_string();
        let program = state.program.clone().unwrap();
        match asked {
            "GET /version" => return (200, json!({ "ApiVersion": API_VERSION }).to_string()),
            "POST /images/create" => {
                let mut image = query["fromImage"].clone();
                if let Some(tag) = query.get("tag") {
                    image = format!("{image}:{tag}");
                }
                if !state.registry.contains(&image) {
                    return (404, told(format!("pull access denied for {image}")));
                }
                state.images.insert(image);
                return (
                    200,
                    "{\"status\":\"Pulling\"}\r\n{\"status\":\"Done\"}\r\n".to_owned(),
                );
            }
            "POST /containers/create" => {
                let image = body["Image"].as_str().unwrap().to_owned();
                let full = if image.rsplit('/').next().unwrap().contains(':') {
                    image.clone()
                } else {
                    format!("{image}:latest")
                };
                if !state.images.contains(&full) {
                    return (404, told(format!("No such image: {image}")));
                }
                state.created = body;
                state.containers.insert(query["name"].clone(), None);
                return (201, json!({ "Id": "1234", "Warnings": [] }).to_string());
            }
            _ => {}
        }
        let name = name.unwrap_or_else(|| panic!("{asked}"));
        if asked == "POST /containers/NAME/wait" {
            assert_eq!(query["condition"], "next-exit");
            drop(state);
            let state = self.wait_until("the container ends", &|state| {
                !state.containers.contains_key(name)
            });
            return (200, json!({ "StatusCode": state.exit_code }).to_string());
        }
        if !state.containers.contains_key(name) {
            return (404, told(format!("No such container: {name}")));
        }
        match asked {
            "POST /containers/NAME/start" => {
                let (log, code) = match program {
                    Program::Serves(_) => return (204, String::new()),
                    Program::Hangs(log, _) => (log, None),
                    Program::Ends(log, code) => (log, Some(code)),
                };
                if let Some(Some(streams)) = state.containers.get_mut(name) {
                    let mut frame = vec![2, 0, 0, 0];
                    frame.extend(u32::try_from(log.len()).unwrap().to_be_bytes());
                    frame.extend(log.as_bytes());
                    streams.write_all(&frame).unwrap();
                }
                if let Some(code) = code {
                    state.exit_code = code;
                    if let Some(Some(streams)) = state.containers.remove(name) {
                        streams.end();
                    }
                }
                (204, String::new())
            }
            "GET /containers/NAME/json" => {
                let port = match program {
                    Program::Serves(port) => Some(port),
                    Program::Hangs(_, port) => port,
                    Program::Ends(..) => None,
                };
                let bindings = port
                    .map(|port| json!([{ "HostIp": "127.0.0.1", "HostPort": port.to_string() }]));
                let reply = json!({
                    "State": { "Running": true },
                    "NetworkSettings": { "Ports": { "8000/tcp": bindings } },
                });
                (200, reply.to_string())
            }
            "DELETE /containers/NAME" => {
                assert_eq!(query["force"], "true");
                if let Some(Some(streams)) = state.containers.remove(name) {
                    streams.end();
                }
                (204, String::new())
            }
            _ => panic!("{asked}"),
        }
    }
}
