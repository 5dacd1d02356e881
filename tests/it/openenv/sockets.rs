//! The life of a session on a WebSocket.

use coding_env::proto::v1::{GetServerInfoRequest, ResetRequest};
use serde_json::json;
use tokio_tungstenite::tungstenite::{Bytes, Message};

use crate::support::openenv::{Socket, ask, mcp};
use crate::support::{Server, wait_until};

/// How many episodes the server holds.
async fn episodes(server: &Server) -> u32 {
    let info = server
        .raw()
        .await
        .get_server_info(GetServerInfoRequest {})
        .await;
    info.unwrap().into_inner().capacity.unwrap().episodes
}

/// Waits until a session can be had again. It is refused for as long as the place is taken.
async fn wait_for_place(server: &Server) -> Socket {
    for _ in 0..2000 {
        let mut socket = Socket::open(server).await;
        let answer = socket.ask_or_told(r#"{"type":"state"}"#).await;
        if answer.contains("\"type\":\"state\"") {
            return socket;
        }
        tokio::task::yield_now().await;
    }
    panic!("the place is still taken");
}

impl Socket {
    /// The first text after a frame: its answer, or why there is no session.
    async fn ask_or_told(&mut self, text: &str) -> String {
        self.send(text).await;
        self.text().await
    }
}

#[tokio::test]
async fn a_step_needs_no_reset_and_a_reset_starts_afresh() {
    let server = Server::start(&[]);
    let mut socket = Socket::open(&server).await;
    assert_eq!(episodes(&server).await, 0, "none before it is needed");
    assert_eq!(socket.stdout("x = 5\nprint(x)").await, "5\n");
    let state = socket.state().await;
    assert_eq!(
        state,
        json!({"episode_id": null, "step_count": 1, "last_exit_code": 0})
    );
    assert_eq!(episodes(&server).await, 1);
    socket.reset(json!({})).await;
    assert_eq!(episodes(&server).await, 1, "the one before has ended");
    let data = socket.step("x").await;
    assert!(
        data["observation"]["stderr"]
            .as_str()
            .unwrap()
            .contains("NameError"),
        "{data}"
    );
    let state = socket.state().await;
    assert_eq!(
        (&state["step_count"], &state["last_exit_code"]),
        (&1.into(), &1.into())
    );
}

#[tokio::test]
async fn an_episode_id_is_a_label_that_many_may_share() {
    let server = Server::start(&[]);
    let label = "../../etc \u{1f40d} \"quoted\"".to_owned() + &"é".repeat(230);
    let mut sockets = [Socket::open(&server).await, Socket::open(&server).await];
    for socket in &mut sockets {
        socket.reset(json!({ "episode_id": label })).await;
        assert_eq!(socket.state().await["episode_id"], label.as_str());
    }
    let [first, second] = &mut sockets;
    first.stdout("x = 'of the first'").await;
    assert_eq!(second.stdout("print('x' in globals())").await, "False\n");
    first.reset(json!({})).await;
    assert_ne!(first.state().await["episode_id"], label.as_str());
    let refused = first
        .ask_json(&json!({"type": "reset", "data": {"episode_id": "x".repeat(256)}}))
        .await;
    assert_eq!(refused["data"]["errors"][0]["type"], "string_too_long");
    let refused = first
        .ask_json(&json!({"type": "reset", "data": {"seed": -1}}))
        .await;
    assert_eq!(refused["data"]["code"], "VALIDATION_ERROR");
}

#[tokio::test]
async fn pings_are_answered_while_a_step_runs_and_frames_in_order() {
    let server = Server::start_open(&[]);
    let gate = server.state_dir().parent().unwrap().join("gate");
    let mut socket = Socket::open(&server).await;
    let code = format!(
        "import os, time\nwhile not os.path.exists({gate:?}):\n    time.sleep(0.01)\nprint('first')"
    );
    socket
        .send(
            json!({"type": "step", "data": {"code": code}})
                .to_string()
                .as_str(),
        )
        .await;
    socket
        .send(r#"{"type":"step","data":{"code":"print('second')"}}"#)
        .await;
    socket.send(r#"{"type":"state"}"#).await;
    socket
        .send(Message::Ping(Bytes::from_static(b"there?")))
        .await;
    match socket.next().await {
        Some(Message::Pong(told)) => assert_eq!(told.as_ref(), b"there?"),
        other => panic!("{other:?}"),
    }
    std::fs::write(&gate, "").unwrap();
    assert!(socket.text().await.contains(r#""stdout":"first\n""#));
    assert!(socket.text().await.contains(r#""stdout":"second\n""#));
    assert!(socket.text().await.contains(r#""step_count":2"#));
}

#[tokio::test]
async fn more_frames_than_may_wait_are_answered_all_the_same() {
    let server = Server::start(&[]);
    let mut socket = Socket::open(&server).await;
    for number in 0..100 {
        let frame = json!({"type": "step", "data": {"code": format!("print({number})")}});
        socket.send(frame.to_string().as_str()).await;
    }
    for number in 0..100 {
        let answer = socket.text().await;
        assert!(
            answer.contains(&format!(r#""stdout":"{number}\n""#)),
            "{number}: {answer}"
        );
    }
}

#[tokio::test]
async fn a_socket_that_goes_takes_its_episode_along_also_in_mid_step() {
    let server = Server::start(&["--max-episodes", "1", "--step-timeout", "1h"]);
    let mut socket = Socket::open(&server).await;
    socket
        .stdout("import subprocess\nchild = subprocess.Popen(['sleep', '3600'])")
        .await;
    socket
        .send(r#"{"type":"step","data":{"code":"print('runs', flush=True)\nwhile True: pass"}}"#)
        .await;
    assert!(!server.processes_named("sleep 3600").is_empty());
    drop(socket);
    let mut next = wait_for_place(&server).await;
    assert_eq!(next.stdout("print('mine')").await, "mine\n");
    drop(next);
    wait_until("what it started has ended", || {
        server.processes_named("sleep 3600").is_empty()
    });
}

#[tokio::test]
async fn a_place_that_is_free_again_is_had_at_once() {
    let server = Server::start(&["--max-episodes", "1"]);
    for _ in 0..20 {
        let mut socket = Socket::open(&server).await;
        socket.reset(json!({})).await;
        socket.stdout("x = 1").await;
        socket.send(r#"{"type":"close"}"#).await;
        // The place is free when the end is seen.
        assert_eq!(socket.closed().await.0, 1000);
    }
}

#[tokio::test]
async fn an_episode_that_is_lost_is_told_once_and_a_reset_goes_on() {
    let server = Server::start(&[]);
    let mut socket = Socket::open(&server).await;
    let data = socket
        .step("import os\nprint('last words', flush=True)\nos._exit(7)")
        .await;
    assert_eq!(data["done"], true, "{data}");
    assert_eq!(data["observation"]["exit_code"], 7);
    assert_eq!(data["observation"]["stdout"], "last words\n");
    assert_eq!(data["metadata"]["state_after"], "lost");
    let answer = socket
        .ask_json(&json!({"type": "step", "data": {"code": "1"}}))
        .await;
    assert_eq!(answer["data"]["code"], "EXECUTION_ERROR");
    assert!(
        answer["data"]["message"]
            .as_str()
            .unwrap()
            .contains("reset to go on"),
        "{answer}"
    );
    socket.reset(json!({})).await;
    assert_eq!(socket.stdout("1").await, "1");
}

#[tokio::test]
async fn places_are_shared_with_grpc_and_kept_for_sessions() {
    let server = Server::start(&["--max-episodes", "2"]);
    let mut socket = Socket::open(&server).await;
    socket.state().await;
    let mut env = server.env().await;
    env.reset().await.unwrap();
    // The typed client would try again.
    let mut other = server.raw().await;
    let refused = other.reset(ResetRequest::default()).await.unwrap_err();
    assert!(refused.message().contains("2 episodes"), "{refused:?}");
    // The place is the session's, although it had no episode yet.
    socket.reset(json!({})).await;
    socket.reset(json!({})).await;
    assert_eq!(socket.stdout("1").await, "1");
    env.close().await.unwrap();
    other.reset(ResetRequest::default()).await.unwrap();
}

#[tokio::test]
async fn a_session_made_by_a_call_is_attached_to_by_one_socket_at_a_time() {
    let server = Server::start(&["--max-episodes", "1"]);
    let id =
        mcp(&server, "openenv/session/create", json!({})).await["result"]["session_id"].clone();
    let id = id.as_str().unwrap();
    let path = format!("/ws?session_id={id}");
    let mut socket = Socket::open_at(&server, &path).await;
    assert_eq!(socket.stdout("x = 1").await, "1");
    let mut second = Socket::open_at(&server, &path).await;
    let told = format!(
        r#"{{"type":"error","data":{{"message":"Session {id} already has an attached WebSocket","code":"SESSION_ERROR"}}}}"#
    );
    assert_eq!(second.text().await, told);
    socket.send(r#"{"type":"close"}"#).await;
    assert_eq!(socket.closed().await.0, 1000);
    // It lives on, and is found again.
    let mut socket = Socket::open_at(&server, &path).await;
    assert_eq!(socket.stdout("x + 1").await, "2");
    let closing = mcp(&server, "openenv/session/close", json!({"session_id": id})).await;
    assert_eq!(
        closing["result"],
        json!({"session_id": id, "closed": false, "closing": true})
    );
    assert_eq!(socket.stdout("x + 2").await, "3");
    drop(socket);
    drop(wait_for_place(&server).await);
}

#[tokio::test]
async fn silent_clients_are_found_and_their_places_freed() {
    let server = Server::start(&["--max-episodes", "1", "--keepalive", "1s"]);
    // A client that opens a WebSocket and then neither reads nor writes, as one does whose machine has gone.
    let mut silent = std::net::TcpStream::connect(server.address()).unwrap();
    std::io::Write::write_all(
        &mut silent,
        b"GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
          Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    )
    .unwrap();
    let mut head = [0; 12];
    std::io::Read::read_exact(&mut silent, &mut head).unwrap();
    assert_eq!(&head, b"HTTP/1.1 101");
    let refused = async || {
        let mut socket = Socket::open(&server).await;
        socket
            .ask_or_told(r#"{"type":"state"}"#)
            .await
            .contains("CAPACITY_REACHED")
    };
    assert!(refused().await);
    let begun = std::time::Instant::now();
    while refused().await {
        assert!(
            begun.elapsed().as_secs() < 60,
            "the silent client keeps its place"
        );
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
}

#[tokio::test]
async fn the_end_of_the_server_closes_sockets() {
    let mut server = Server::start(&["--drain-timeout", "0s"]);
    let mut idle = Socket::open(&server).await;
    let mut busy = Socket::open(&server).await;
    busy.stdout("x = 1").await;
    server.signal("TERM");
    for socket in [&mut idle, &mut busy] {
        assert_eq!(socket.closed().await.0, 1001);
    }
    assert!(server.wait().success());
}

#[tokio::test]
async fn what_is_no_websocket_is_told_what_is() {
    let server = Server::start(&[]);
    let answer = ask(&server, "GET /ws", &[], "").await;
    assert_eq!(answer.status, 426);
    assert!(
        answer.headers.contains("sec-websocket-version: 13"),
        "{}",
        answer.headers
    );
    assert!(answer.body.contains("WebSocket"), "{}", answer.body);
}
