//! Session: many requests on one stream, in order for each episode, and what is owed when the stream breaks.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use coding_env::client::{Error, Options, Reason, Session, StepEvent};
use coding_env::proto::v1::coding_env_client::CodingEnvClient;
use coding_env::proto::v1::session_request::Request as Asked;
use coding_env::proto::v1::session_response::Response;
use coding_env::proto::v1::{self, SessionRequest, SessionResponse};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;
use tonic::{Code, Status, Streaming};
use tonic_types::{Status as StatusMessage, StatusExt as _};

use crate::support::{PATIENCE, Server, soak};

/// A stream of a session, by hand.
pub(crate) struct Wire {
    pub(crate) requests: mpsc::Sender<SessionRequest>,
    responses: Streaming<SessionResponse>,
}

impl Wire {
    async fn start(channel: Channel) -> Self {
        Self::start_as(channel, None).await
    }

    async fn start_as(channel: Channel, token: Option<&str>) -> Self {
        let (requests, outgoing) = mpsc::channel(4096);
        let mut client = CodingEnvClient::new(channel).max_decoding_message_size(64 << 20);
        let mut request = tonic::Request::new(ReceiverStream::new(outgoing));
        if let Some(token) = token {
            let value = format!("Bearer {token}").parse().unwrap();
            request.metadata_mut().insert("authorization", value);
        }
        let responses = client.session(request).await;
        Self {
            requests,
            responses: responses.unwrap().into_inner(),
        }
    }

    /// Opens a session, and tells whether it was there.
    pub(crate) async fn open(server: &Server, session: &str, received: u64) -> (Self, bool) {
        let wire = Self::start(server.channel().await).await;
        wire.opened(session, received).await
    }

    async fn opened(self, session: &str, received: u64) -> (Self, bool) {
        let mut wire = self;
        let open = Asked::Open(v1::SessionOpen {
            session_id: session.to_owned(),
        });
        wire.send(1, received, Some(open)).await;
        let response = wire.next().await.unwrap();
        let Some(Response::Open(opened)) = response.response else {
            panic!("{response:?}");
        };
        assert_eq!(
            (opened.session_id.as_str(), opened.server_id.as_str()),
            (session, "test")
        );
        (wire, opened.resumed)
    }

    async fn send(&self, id: u64, received: u64, request: Option<Asked>) {
        let request = SessionRequest {
            id,
            received,
            request,
        };
        self.requests.send(request).await.unwrap();
    }

    pub(crate) async fn ask(&self, id: u64, request: Asked) {
        self.send(id, 0, Some(request)).await;
    }

    async fn next(&mut self) -> Result<SessionResponse, Option<Status>> {
        let next = tokio::time::timeout(PATIENCE, self.responses.message()).await;
        match next.expect("no response") {
            Ok(Some(response)) => Ok(response),
            Ok(None) => Err(None),
            Err(status) => Err(Some(status)),
        }
    }

    /// The answers to so many requests, by id. They are numbered in the order in which they come.
    pub(crate) async fn answers(&mut self, count: usize) -> BTreeMap<u64, Response> {
        let mut answers = BTreeMap::new();
        while answers.len() < count {
            let response = self.next().await.unwrap();
            if response.number > 0 {
                let before = answers.insert(response.id, response.response.unwrap());
                assert_eq!(before, None, "answered twice");
            }
        }
        answers
    }
}

pub(crate) fn reset(episode: &str) -> Asked {
    Asked::Reset(v1::ResetRequest {
        episode_id: episode.to_owned(),
        request_id: "r".to_owned(),
        ..Default::default()
    })
}

fn step_of(episode: &str, index: u32, code: &str) -> v1::StepRequest {
    v1::StepRequest {
        episode_id: episode.to_owned(),
        action: Some(v1::CodeAction {
            code: code.to_owned(),
        }),
        step_index: Some(index),
        ..Default::default()
    }
}

pub(crate) fn step(episode: &str, index: u32, code: &str) -> Asked {
    Asked::Step(step_of(episode, index, code))
}

fn close(episode: &str) -> Asked {
    Asked::Close(v1::CloseRequest {
        episode_id: episode.to_owned(),
    })
}

fn state(episode: &str) -> Asked {
    Asked::GetState(v1::GetStateRequest {
        episode_id: episode.to_owned(),
    })
}

fn stdout(response: &Response) -> &str {
    match response {
        Response::Step(reply) => reply.stdout(),
        other => panic!("{other:?}"),
    }
}

fn error(response: &Response) -> &StatusMessage {
    match response {
        Response::Error(error) => error,
        other => panic!("{other:?}"),
    }
}

/// Its reason, as of a status.
fn reason(message: &StatusMessage) -> String {
    let details = prost::Message::encode_to_vec(message);
    let status = Status::with_details(
        Code::from(message.code),
        message.message.clone(),
        details.into(),
    );
    status.get_details_error_info().unwrap().reason
}

async fn episodes(server: &Server) -> u32 {
    let info = server.env().await.server_info().await.unwrap();
    info.capacity.unwrap().episodes
}

async fn until_episodes(server: &Server, count: u32) {
    let begun = std::time::Instant::now();
    while episodes(server).await != count {
        assert!(
            begun.elapsed() < PATIENCE,
            "still {}",
            episodes(server).await
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn requests_of_an_episode_run_in_order_and_others_side_by_side() {
    let server = Server::start(&[]);
    let (mut wire, resumed) = Wire::open(&server, "s", 0).await;
    assert!(!resumed);
    // All at once, without waiting for anything.
    wire.ask(2, reset("slow")).await;
    wire.ask(
        3,
        step("slow", 0, "import time; time.sleep(0.5); print('slow')"),
    )
    .await;
    wire.ask(4, step("slow", 1, "print('after')")).await;
    wire.ask(5, state("slow")).await;
    wire.ask(6, close("slow")).await;
    wire.ask(7, step("slow", 2, "1")).await;
    wire.ask(8, reset("quick")).await;
    wire.ask(9, step("quick", 0, "print('quick')")).await;
    let mut order = Vec::new();
    let mut answers = BTreeMap::new();
    for number in 1..=8 {
        let response = wire.next().await.unwrap();
        assert_eq!(response.number, number);
        order.push(response.id);
        answers.insert(response.id, response.response.unwrap());
    }
    let place = |id: u64| order.iter().position(|other| *other == id).unwrap();
    assert!((2..7).all(|id| place(id) < place(id + 1)), "{order:?}");
    assert!(place(9) < place(3), "{order:?}");
    assert_eq!(
        [3, 4, 9].map(|id| stdout(&answers[&id])),
        ["slow\n", "after\n", "quick\n"]
    );
    let Response::GetState(state) = &answers[&5] else {
        panic!("{answers:?}");
    };
    assert_eq!(state.state.as_ref().unwrap().step_count, 2);
    assert_eq!(reason(error(&answers[&7])), "EPISODE_CLOSED");
    assert_eq!(error(&answers[&7]).code, i32::from(Code::NotFound));
    // A Reset that ends another episode waits for what runs in that.
    wire.ask(
        10,
        step(
            "quick",
            1,
            "time = __import__('time'); time.sleep(0.3); print(1)",
        ),
    )
    .await;
    let next = v1::ResetRequest {
        episode_id: "next".to_owned(),
        previous_episode_id: "quick".to_owned(),
        ..Default::default()
    };
    wire.ask(11, Asked::Reset(next)).await;
    let answers = wire.answers(2).await;
    assert_eq!(stdout(&answers[&10]), "1\n");
    assert!(matches!(answers[&11], Response::Reset(_)));
}

#[tokio::test]
async fn an_interrupt_does_not_wait_for_the_step_before_it() {
    let server = Server::start(&[]);
    let (mut wire, _) = Wire::open(&server, "s", 0).await;
    wire.ask(2, reset("e")).await;
    wire.answers(1).await;
    let streamed = v1::StepStreamRequest {
        step: Some(step_of(
            "e",
            0,
            "print('runs', flush=True)\nwhile True: pass",
        )),
        ..Default::default()
    };
    wire.ask(3, Asked::StepStream(streamed)).await;
    let piece = wire.next().await.unwrap();
    assert_eq!((piece.id, piece.number), (3, 0));
    wire.ask(
        4,
        Asked::Interrupt(v1::InterruptRequest {
            episode_id: "e".to_owned(),
            step_index: Some(0),
        }),
    )
    .await;
    let answers = wire.answers(2).await;
    let Response::Interrupt(interrupt) = &answers[&4] else {
        panic!("{answers:?}");
    };
    assert!(interrupt.interrupted);
    let Response::StepStream(end) = &answers[&3] else {
        panic!("{answers:?}");
    };
    let Some(v1::step_stream_response::Event::Reply(reply)) = &end.event else {
        panic!("{end:?}");
    };
    assert_eq!(
        (reply.outcome(), reply.stdout()),
        (v1::Outcome::Interrupted, "runs\n")
    );
}

#[tokio::test]
async fn half_close_ends_the_sessions_episodes_and_a_detached_one_lives_on() {
    let server = Server::start(&["--interrupt-grace", "300ms"]);
    let mut env = server.env().await;
    env.reset().await.unwrap();
    let (mut wire, _) = Wire::open(&server, "s", 0).await;
    for (id, episode) in [(2, "idle"), (3, "busy"), (4, "kept"), (5, "quick")] {
        wire.ask(id, reset(episode)).await;
    }
    wire.answers(4).await;
    wire.ask(
        6,
        Asked::Detach(v1::SessionDetach {
            episode_ids: vec!["kept".to_owned(), "unknown".to_owned()],
        }),
    )
    .await;
    let detached = Response::Detach(v1::SessionDetached {
        episode_ids: vec!["kept".to_owned()],
    });
    assert_eq!(wire.answers(1).await[&6], detached);
    wire.ask(7, step("busy", 0, "import time; time.sleep(1000)"))
        .await;
    wire.ask(8, step("quick", 0, "print(1)")).await;
    let Wire {
        requests,
        responses,
    } = wire;
    drop(requests);
    let (requests, _) = mpsc::channel(1);
    let mut wire = Wire {
        requests,
        responses,
    };
    let answers = wire.answers(2).await;
    assert_eq!(stdout(&answers[&8]), "1\n");
    assert_eq!(reason(error(&answers[&7])), "EPISODE_ENDED");
    assert!(matches!(wire.next().await, Err(None)), "it ends well");
    // The one beside it, and the detached one.
    assert_eq!(episodes(&server).await, 2);
    let raw = server.raw().await;
    let reply = raw.clone().step(step_of("kept", 0, "6 * 7")).await.unwrap();
    assert_eq!(reply.into_inner().result(), Some("42"));
    // Its id is free. What was asked for before the end is still done, within the grace.
    let (wire, resumed) = Wire::open(&server, "s", 0).await;
    assert!(!resumed);
    wire.ask(2, reset("last")).await;
    wire.ask(3, step("last", 0, "print('done')")).await;
    let Wire {
        requests,
        responses,
    } = wire;
    drop(requests);
    let (requests, _) = mpsc::channel(1);
    let mut wire = Wire {
        requests,
        responses,
    };
    assert_eq!(stdout(&wire.answers(2).await[&3]), "done\n");
    assert!(matches!(wire.next().await, Err(None)));
    assert_eq!(episodes(&server).await, 2);
}

#[tokio::test]
async fn a_broken_stream_keeps_the_session_for_its_grace() {
    let server = Server::start(&["--session-grace", "1s"]);
    let (mut wire, _) = Wire::open(&server, "s", 0).await;
    wire.ask(2, reset("e")).await;
    wire.ask(3, step("e", 0, "print('first')")).await;
    wire.answers(2).await;
    wire.ask(
        4,
        step(
            "e",
            1,
            "import time; time.sleep(0.2)\nran = globals().get('ran', 0) + 1\nprint(ran)",
        ),
    )
    .await;
    wire.send(0, 1, None).await;
    // Read by the server, which answers nothing of it on this stream.
    let raw = server.raw().await;
    let begun = std::time::Instant::now();
    loop {
        let request = v1::GetStateRequest {
            episode_id: "e".to_owned(),
        };
        let state = raw.clone().get_state(request).await.unwrap().into_inner();
        if state.status() == v1::EpisodeStatus::Running {
            break;
        }
        assert!(begun.elapsed() < PATIENCE);
    }
    drop(wire);
    let (mut wire, resumed) = Wire::open(&server, "s", 1).await;
    assert!(resumed);
    // What was not acknowledged comes again, then what was owed. What is asked again is not carried out again.
    wire.ask(
        4,
        step(
            "e",
            1,
            "import time; time.sleep(0.2)\nran = globals().get('ran', 0) + 1\nprint(ran)",
        ),
    )
    .await;
    for (id, number, printed) in [(3, 2, "first\n"), (4, 3, "1\n")] {
        let response = wire.next().await.unwrap();
        assert_eq!((response.id, response.number), (id, number));
        assert_eq!(stdout(&response.response.unwrap()), printed);
    }
    // A second stream takes over from one that lives.
    let (mut newer, resumed) = Wire::open(&server, "s", 3).await;
    assert!(resumed);
    let status = wire.next().await.unwrap_err().unwrap();
    assert_eq!(
        status.get_details_error_info().unwrap().reason,
        "SESSION_TAKEN_OVER"
    );
    newer.ask(5, step("e", 2, "print(ran)")).await;
    let answer = newer.next().await.unwrap();
    assert_eq!(
        (answer.number, stdout(&answer.response.unwrap())),
        (4, "1\n")
    );
    assert_eq!(episodes(&server).await, 1);
    drop(newer);
    until_episodes(&server, 0).await;
    assert!(!Wire::open(&server, "s", 0).await.1, "it was forgotten");
}

#[tokio::test]
async fn a_step_that_is_told_goes_on_without_a_stream_and_is_told_again_on_the_next() {
    let server = Server::start(&[]);
    let (mut wire, _) = Wire::open(&server, "s", 0).await;
    wire.ask(2, reset("e")).await;
    wire.answers(1).await;
    let code = "import time\nprint('before', flush=True)\ntime.sleep(1)\nprint('x' * 300_000)";
    let streamed = v1::StepStreamRequest {
        step: Some(step_of("e", 0, code)),
        ..Default::default()
    };
    wire.ask(3, Asked::StepStream(streamed)).await;
    assert_eq!((wire.next().await.unwrap().id), 3);
    drop(wire);
    let (mut wire, resumed) = Wire::open(&server, "s", 1).await;
    assert!(resumed);
    let mut told = Vec::new();
    loop {
        let response = wire.next().await.unwrap();
        assert_eq!(response.id, 3);
        let Some(Response::StepStream(event)) = response.response else {
            panic!("{response:?}");
        };
        match event.event.unwrap() {
            v1::step_stream_response::Event::Piece(piece) => {
                assert_eq!((piece.offset, piece.dropped_bytes), (told.len() as u64, 0));
                told.extend(piece.data);
            }
            v1::step_stream_response::Event::Heartbeat(_) => {}
            v1::step_stream_response::Event::Reply(reply) => {
                assert_eq!(response.number, 2);
                assert_eq!(reply.stdout().as_bytes(), told);
                break;
            }
        }
    }
    assert!(told.starts_with(b"before\nxxx") && told.len() == 300_008);
}

#[tokio::test]
async fn what_is_no_session_is_refused() {
    let server = Server::start(&["--max-sessions", "2"]);
    let refused = async |id: u64, request: Option<Asked>| {
        let mut wire = Wire::start(server.channel().await).await;
        wire.send(id, 0, request).await;
        wire.next().await.unwrap_err().unwrap()
    };
    let reason_of = |status: &Status| status.get_details_error_info().unwrap().reason;
    let open = |id: &str| {
        Some(Asked::Open(v1::SessionOpen {
            session_id: id.to_owned(),
        }))
    };
    for first in [Some(reset("e")), None, open("a b"), open(&"x".repeat(129))] {
        assert_eq!(reason_of(&refused(1, first).await), "INVALID_FIELD");
    }
    let (mut wire, _) = Wire::open(&server, &"x".repeat(128), 0).await;
    // Within a session each request is refused by itself.
    wire.ask(2, open("other").unwrap()).await;
    wire.ask(0, state("e")).await;
    wire.ask(3, state("a b")).await;
    wire.ask(4, step("none", 0, "1")).await;
    wire.ask(
        5,
        Asked::Detach(v1::SessionDetach {
            episode_ids: vec!["a b".to_owned()],
        }),
    )
    .await;
    let answers = wire.answers(5).await;
    for id in [2, 0, 3, 5] {
        assert_eq!(reason(error(&answers[&id])), "INVALID_FIELD", "{id}");
    }
    assert_eq!(reason(error(&answers[&4])), "EPISODE_NOT_FOUND");
    let (_second, _) = Wire::open(&server, "second", 0).await;
    let full = refused(1, open("third")).await;
    assert_eq!(reason_of(&full), "SESSION_LIMIT");
    assert!(full.get_details_retry_info().is_some());
}

#[tokio::test]
async fn a_session_is_of_the_token_that_made_it() {
    let tokens = [
        "alice-0123456789abcdefghijklmnop",
        "bob-0123456789abcdefghijklmnopqr",
    ];
    let [alice, bob] = tokens;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("tokens");
    std::fs::write(&file, format!("alice {alice}\nbob {bob}\n")).unwrap();
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
    let server = Server::start_open(&["--tokens-file", file.to_str().unwrap()]);
    let wire = async |token| Wire::start_as(server.channel().await, Some(token)).await;
    let (mut first, resumed) = wire(alice).await.opened("s", 0).await;
    assert!(!resumed);
    first.ask(2, reset("e")).await;
    first.answers(1).await;
    let (mut other, resumed) = wire(bob).await.opened("s", 0).await;
    assert!(!resumed, "it does not exist to others");
    other.ask(2, step("e", 0, "1")).await;
    assert_eq!(
        reason(error(&other.answers(1).await[&2])),
        "EPISODE_NOT_FOUND"
    );
    drop(other);
    drop(first);
    let (mut again, resumed) = wire(alice).await.opened("s", 1).await;
    assert!(resumed);
    again.ask(3, step("e", 0, "print(1)")).await;
    assert_eq!(stdout(&again.answers(1).await[&3]), "1\n");
}

#[tokio::test]
async fn no_more_requests_are_read_than_may_be_unanswered() {
    let server = Server::start(&["--session-requests", "3"]);
    let info = server.env().await.server_info().await.unwrap();
    assert_eq!(info.server_limits.unwrap().session_requests, 3);
    let (mut wire, _) = Wire::open(&server, "s", 0).await;
    for id in 2..5 {
        wire.ask(id, reset(&format!("e{id}"))).await;
    }
    wire.answers(3).await;
    // Three that wait: a fourth is not read, as the fifth, which would answer at once.
    for id in 5..8 {
        let code = "import time\nwhile not __import__('os').path.exists('go'): time.sleep(0.01)";
        wire.ask(id, step(&format!("e{}", id - 3), 0, code)).await;
    }
    wire.ask(8, reset("late")).await;
    let nothing = tokio::time::timeout(Duration::from_millis(300), wire.responses.message()).await;
    assert!(nothing.is_err(), "{nothing:?}");
    assert_eq!(episodes(&server).await, 3);
    let raw = server.raw().await;
    let interrupt = v1::InterruptRequest {
        episode_id: "e2".to_owned(),
        step_index: None,
    };
    assert!(
        raw.clone()
            .interrupt(interrupt)
            .await
            .unwrap()
            .into_inner()
            .interrupted
    );
    let answers = wire.answers(2).await;
    assert!(matches!(answers[&8], Response::Reset(_)), "{answers:?}");
}

#[tokio::test]
async fn many_episodes_step_at_once_and_each_gets_its_own() {
    const EPISODES: usize = 100;
    let server = Server::start(&[]);
    let session = Session::connect(&server.url(), Options::default())
        .await
        .unwrap();
    let run = async move |session: Session, number: usize| {
        let id = format!("e{number}");
        let Asked::Reset(request) = reset(&id) else {
            unreachable!();
        };
        session.reset(request).await.unwrap();
        for index in 0..3 {
            let code = format!("n = globals().get('n', {number}) + 1\nprint(n)");
            let reply = session.step(step_of(&id, index, &code)).await.unwrap();
            assert_eq!(reply.stdout(), format!("{}\n", number as u32 + index + 1));
            assert_eq!(reply.state.unwrap().episode_id, id);
        }
    };
    let mut all = tokio::task::JoinSet::new();
    for number in 0..EPISODES {
        all.spawn(run(session.clone(), number));
    }
    all.join_all().await;
    let asked = v1::GetStateRequest {
        episode_id: "e7".to_owned(),
    };
    assert_eq!(
        session
            .state(asked)
            .await
            .unwrap()
            .state
            .unwrap()
            .step_count,
        3
    );
    let error = session.step(step_of("none", 0, "1")).await.unwrap_err();
    assert_eq!(error.reason(), Some(&Reason::EpisodeNotFound));
    let mut told = session
        .step_stream(v1::StepStreamRequest {
            step: Some(step_of("e7", 3, "print('a'); print('b')\n'end'")),
            ..Default::default()
        })
        .await
        .unwrap();
    let (mut text, mut reply) = (Vec::new(), None);
    while let Some(event) = told.next().await.unwrap() {
        match event {
            StepEvent::Output(piece) => text.extend(piece.data),
            StepEvent::Reply(last) => reply = Some(last),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(
        (text.as_slice(), reply.unwrap().result()),
        (&b"a\nb\n"[..], Some("'end'"))
    );
    let ended = v1::CloseRequest {
        episode_id: "e7".to_owned(),
    };
    assert!(session.end(ended).await.unwrap().closed);
    assert_eq!(session.detach(vec!["e8".to_owned()]).await.unwrap(), ["e8"]);
    let clone = session.clone();
    session.close().await.unwrap();
    assert_eq!(episodes(&server).await, 1);
    let error = clone.reset(v1::ResetRequest::default()).await.unwrap_err();
    assert!(matches!(error, Error::Connect(_)), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_output_comes_before_the_end_of_its_step() {
    let server = Server::start(&["--threads", "4"]);
    output_comes_before_the_reply(&server.url(), "whole").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_output_comes_once_over_connections_that_are_cut() {
    let server = Server::start(&["--threads", "4"]);
    let count = AtomicU64::new(0);
    let after = move || 3000 + count.fetch_add(1, Ordering::Relaxed) * 7919 % 17_000;
    let cuts = Arc::new(AtomicU64::new(0));
    let proxy = cutting_proxy(server.address().to_owned(), after, Arc::clone(&cuts)).await;
    output_comes_before_the_reply(&format!("http://{proxy}"), "cut").await;
    assert!(cuts.load(Ordering::Relaxed) > 3, "nothing was cut");
}

async fn output_comes_before_the_reply(url: &str, name: &str) {
    const EPISODES: u32 = 8;
    let mut options = Options::default();
    options.retry_first = Duration::from_millis(1);
    options.retry_max = Duration::from_millis(50);
    let session = Session::connect(url, options).await.unwrap();
    let run = async |number: u32| {
        let id = format!("{name}{number}");
        let Asked::Reset(request) = reset(&id) else {
            unreachable!();
        };
        session.reset(request).await.unwrap();
        for index in 0..40 {
            let code = "for n in range(20): print(n)";
            let request = v1::StepStreamRequest {
                step: Some(step_of(&id, index, code)),
                ..Default::default()
            };
            let mut told = session.step_stream(request).await.unwrap();
            let mut text = Vec::new();
            while let Some(event) = told.next().await.unwrap() {
                match event {
                    StepEvent::Output(piece) => text.extend(piece.data),
                    StepEvent::Reply(reply) => {
                        assert_eq!(reply.stdout().as_bytes(), text, "step {index} of {id}");
                    }
                    other => panic!("{other:?}"),
                }
            }
        }
    };
    futures_util::future::join_all((0..EPISODES).map(run)).await;
    // Its end may be cut too: then the grace ends them.
    drop(session.close().await);
}

/// Forwards connections, and cuts each after a number of bytes of both ways that `after` gives.
pub(crate) async fn cutting_proxy(
    server: String,
    after: impl Fn() -> u64 + Send + 'static,
    cuts: Arc<AtomicU64>,
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let Ok(mut server) = TcpStream::connect(&server).await else {
                continue;
            };
            let (mut left, cuts) = (after(), Arc::clone(&cuts));
            tokio::spawn(async move {
                let (mut up, mut down) = (vec![0; 16384], vec![0; 16384]);
                loop {
                    let (bytes, is_up) = tokio::select! {
                        read = client.read(&mut up) => (up.get(..read.unwrap_or(0)).unwrap(), true),
                        read = server.read(&mut down) => (down.get(..read.unwrap_or(0)).unwrap(), false),
                    };
                    if bytes.is_empty() {
                        return;
                    }
                    let passes = left.min(bytes.len() as u64);
                    left -= passes;
                    let to = if is_up { &mut server } else { &mut client };
                    let bytes = &bytes[..passes as usize];
                    if to.write_all(bytes).await.is_err() || left == 0 {
                        cuts.fetch_add(1, Ordering::Relaxed);
                        return;
                    }
                }
            });
        }
    });
    address
}

#[tokio::test]
async fn a_client_whose_session_was_forgotten_is_told_so_and_goes_on() {
    let server = Server::start(&["--session-grace", "0s"]);
    let connections = AtomicU64::new(0);
    // The first connection breaks, the others do not.
    let after = move || match connections.fetch_add(1, Ordering::Relaxed) {
        0 => 6000,
        _ => u64::MAX,
    };
    let cuts = Arc::new(AtomicU64::new(0));
    let proxy = cutting_proxy(server.address().to_owned(), after, Arc::clone(&cuts)).await;
    let url = format!("http://{proxy}");
    // The server has long noticed when the client comes back.
    let mut options = Options::default();
    options.retry_first = Duration::from_secs(3);
    options.retry_max = Duration::from_secs(3);
    let session = Session::connect(&url, options).await.unwrap();
    let run = async |id: &str, steps: u32| {
        let Asked::Reset(request) = reset(id) else {
            unreachable!();
        };
        session.reset(request).await?;
        for index in 0..steps {
            session.step(step_of(id, index, "1")).await?;
        }
        Ok::<(), Error>(())
    };
    let error = run("first", 1000).await.unwrap_err();
    assert_eq!(error.reason(), Some(&Reason::EpisodeClosed), "{error}");
    assert_eq!(cuts.load(Ordering::Relaxed), 1);
    run("second", 3).await.unwrap();
    session.close().await.unwrap();
    assert_eq!(episodes(&server).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_cut_at_random_run_nothing_twice_and_lose_nothing() {
    const EPISODES: usize = 8;
    let steps = u32::try_from(soak(240).div_ceil(EPISODES)).unwrap();
    let server = Server::start(&["--warm-workers", "4"]);
    let seed = u64::from(std::process::id()) << 20 | 0x5eed;
    let random = AtomicU64::new(seed);
    let after = move || {
        // xorshift64*
        let mut value = random.load(Ordering::Relaxed);
        value ^= value >> 12;
        value ^= value << 25;
        value ^= value >> 27;
        random.store(value, Ordering::Relaxed);
        500 + (value.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % 12_000
    };
    let cuts = Arc::new(AtomicU64::new(0));
    let proxy = cutting_proxy(server.address().to_owned(), after, Arc::clone(&cuts)).await;
    let mut options = Options::default();
    options.retry_first = Duration::from_millis(1);
    options.retry_max = Duration::from_millis(50);
    let session = Session::connect(&format!("http://{proxy}"), options)
        .await
        .unwrap();
    let mut running = Vec::new();
    for number in 0..EPISODES {
        let session = session.clone();
        running.push(tokio::spawn(async move {
            let id = format!("e{number}");
            let Asked::Reset(request) = reset(&id) else {
                unreachable!();
            };
            session.reset(request).await.unwrap();
            for index in 0..steps {
                // Without an index: nothing but the session keeps it from running twice.
                let mut request = step_of(
                    &id,
                    index,
                    "log = globals().get('log', [])\nlog.append(len(log))\nprint(len(log))",
                );
                if number % 2 == 0 {
                    request.step_index = None;
                }
                let reply = session.step(request).await.unwrap();
                assert_eq!(reply.stdout(), format!("{}\n", index + 1), "{reply:?}");
            }
            let reply = session.step(step_of(&id, steps, "len(log)")).await.unwrap();
            assert_eq!(reply.result(), Some(steps.to_string().as_str()));
        }));
    }
    for one in running {
        one.await
            .unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    }
    let cut = cuts.load(Ordering::Relaxed);
    eprintln!("{} steps, {cut} cuts, seed {seed}", EPISODES as u32 * steps);
    assert!(cut > 3, "nothing was cut");
    assert_eq!(episodes(&server).await, EPISODES as u32);
    // Its end may be cut too: then the grace ends them, or the server does at the end of this test.
    drop(session.close().await);
}

#[tokio::test]
async fn a_session_carries_what_is_asked_of_copies_and_its_children_end_with_it() {
    let Some(server) = crate::support::copies::copying(&[]).await else {
        return;
    };
    let (mut wire, _) = Wire::open(&server, "s", 0).await;
    wire.ask(2, reset("e")).await;
    wire.ask(3, Asked::Step(step_of("e", 0, "n = 1"))).await;
    let checkpoint = v1::CheckpointRequest {
        episode_id: "e".to_owned(),
        name: "c".to_owned(),
        ..Default::default()
    };
    wire.ask(4, Asked::Checkpoint(checkpoint)).await;
    wire.ask(5, Asked::Step(step_of("e", 1, "n = 2"))).await;
    let fork = v1::ForkRequest {
        episode_id: "e".to_owned(),
        child_ids: vec!["child".to_owned()],
        ..Default::default()
    };
    wire.ask(6, Asked::Fork(fork)).await;
    // It names the child, so it waits for the fork.
    wire.ask(7, Asked::Step(step_of("child", 2, "n"))).await;
    let rollback = v1::RollbackRequest {
        episode_id: "e".to_owned(),
        name: "c".to_owned(),
        ..Default::default()
    };
    wire.ask(8, Asked::Rollback(rollback)).await;
    wire.ask(9, Asked::Step(step_of("e", 2, "n"))).await;
    let evaluate = v1::EvaluateRequest {
        episode_id: "e".to_owned(),
        evaluations: vec![v1::Evaluation::of("print(n)").prints("1")],
        ..Default::default()
    };
    wire.ask(10, Asked::Evaluate(evaluate)).await;
    let list = v1::ListCheckpointsRequest {
        episode_id: "e".to_owned(),
    };
    wire.ask(11, Asked::ListCheckpoints(list)).await;
    let drop_checkpoint = v1::DropCheckpointRequest {
        episode_id: "e".to_owned(),
        name: "c".to_owned(),
    };
    wire.ask(12, Asked::DropCheckpoint(drop_checkpoint)).await;
    let unknown = v1::ForkRequest {
        episode_id: "nobody".to_owned(),
        count: 1,
        ..Default::default()
    };
    wire.ask(13, Asked::Fork(unknown)).await;
    let answers = wire.answers(12).await;
    let result = |id: u64| match &answers[&id] {
        Response::Step(reply) => reply.result().unwrap_or_default().to_owned(),
        other => panic!("{other:?}"),
    };
    assert_eq!((result(7), result(9)), ("2".to_owned(), "1".to_owned()));
    assert!(matches!(&answers[&4], Response::Checkpoint(made) if made.created));
    assert!(matches!(&answers[&6], Response::Fork(forked) if forked.children.len() == 1));
    assert!(matches!(&answers[&8], Response::Rollback(done) if done.state.is_some()));
    assert!(
        matches!(&answers[&10], Response::Evaluate(done) if done.results[0].score == Some(1.0))
    );
    assert!(
        matches!(&answers[&11], Response::ListCheckpoints(list) if list.checkpoints.len() == 1)
    );
    assert!(matches!(&answers[&12], Response::DropCheckpoint(done) if done.dropped));
    assert!(
        matches!(&answers[&13], Response::Error(status) if status.code == i32::from(Code::NotFound))
    );
    // Half-closed: what the session has made ends, children too.
    drop(wire.requests);
    let mut env = server.env().await;
    let ended = async { while env.server_info().await.unwrap().capacity.unwrap().episodes > 0 {} };
    tokio::time::timeout(PATIENCE, ended).await.unwrap();
}
