//! The page of `/web`: its files, what it may do in a browser, and what its socket speaks.

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::support::Server;
use crate::support::openenv::{Socket, ask};

/// What a browser sends with the page's socket.
fn headers<'a>(server: &'a str, protocols: &'a str) -> [(&'a str, &'a str); 2] {
    [("origin", server), ("sec-websocket-protocol", protocols)]
}

async fn open(server: &Server) -> Socket {
    let origin = format!("http://{}", server.address());
    let headers = headers(&origin, "coding-env");
    let mut socket = Socket::try_open(server, "/web/socket", &headers)
        .await
        .unwrap();
    let welcome = next(&mut socket).await;
    assert_eq!(welcome["type"], "welcome", "{welcome}");
    socket
}

async fn next(socket: &mut Socket) -> Value {
    serde_json::from_str(&socket.text().await).unwrap()
}

/// Runs code. Returns what it printed while it ran, as pieces, and the last frame.
async fn run(socket: &mut Socket, id: u64, code: &str) -> (String, Value) {
    let frame = json!({"type": "run", "id": id, "code": code});
    socket.send(frame.to_string()).await;
    let mut printed = Vec::new();
    loop {
        let frame = next(socket).await;
        assert_eq!(frame["id"], id, "{frame}");
        if frame["type"] != "piece" {
            return (String::from_utf8(printed).unwrap(), frame);
        }
        let data = frame["data"].as_str().unwrap();
        printed.extend(BASE64_STANDARD.decode(data).unwrap());
    }
}

#[tokio::test]
async fn the_page_may_load_its_own_files_and_nothing_else() {
    let server = Server::start(&[]);
    let page = ask(&server, "GET /web", &[], "").await;
    assert_eq!(page.status, 200);
    let policy = page
        .headers
        .lines()
        .find_map(|line| line.strip_prefix("content-security-policy: "))
        .unwrap();
    assert!(
        policy.starts_with("default-src 'none'; script-src 'nonce-"),
        "{policy}"
    );
    assert!(!policy.contains("unsafe"), "{policy}");
    let nonce = policy
        .split("nonce-")
        .nth(1)
        .unwrap()
        .split('\'')
        .next()
        .unwrap();
    assert!(
        page.body.contains(&format!("nonce=\"{nonce}\"")),
        "the script's own"
    );
    let again = ask(&server, "GET /web", &[], "").await;
    assert!(!again.body.contains(nonce), "each page has its own");
    for (path, content) in [
        ("/web/app.js", "text/javascript"),
        ("/web/app.css", "text/css"),
        ("/web/licenses.txt", "text/plain"),
    ] {
        let file = ask(&server, &format!("GET {path}"), &[], "").await;
        assert_eq!(file.status, 200, "{path}");
        assert!(
            file.headers.contains(&format!("content-type: {content}")),
            "{path}"
        );
        assert!(!file.body.contains("https://cdn"), "{path}");
    }
    let moved = ask(&server, "GET /web/", &[], "").await;
    assert_eq!(moved.status, 307);
    assert!(
        moved.headers.contains("location: ../web\r"),
        "{}",
        moved.headers
    );
    let elsewhere = [("Origin", "http://evil.example")];
    assert_eq!(ask(&server, "GET /web", &elsewhere, "").await.status, 403);
}

#[tokio::test]
async fn a_visitor_has_an_episode_of_its_own_and_sees_output_as_it_is_printed() {
    let server = Server::start(&[]);
    let (mut first, mut second) = (open(&server).await, open(&server).await);
    let (printed, frame) = run(&mut first, 1, "x = 6\nprint('hello')\nx * 7").await;
    assert_eq!(printed, "hello\n");
    let reply = &frame["reply"];
    assert_eq!(
        (&reply["stdout"], &reply["result"]),
        (&json!("hello\n"), &json!("42"))
    );
    assert_eq!(
        (&reply["exit_code"], &reply["outcome"]),
        (&json!(0), &json!("completed"))
    );
    assert_eq!(reply["state"]["step_count"], 1);
    let (_, frame) = run(&mut second, 7, "x").await;
    assert!(
        frame["reply"]["stderr"]
            .as_str()
            .unwrap()
            .contains("NameError")
    );

    // A first piece comes while the step goes on, which only an interrupt ends.
    let endless =
        json!({"type": "run", "id": 2, "code": "print('on', flush=True)\nwhile True: pass"});
    first.send(endless.to_string()).await;
    assert_eq!(next(&mut first).await["type"], "piece");
    first.send(json!({"type": "interrupt"}).to_string()).await;
    let frame = loop {
        let frame = next(&mut first).await;
        if frame["type"] != "piece" {
            break frame; // before it, the traceback
        }
    };
    assert_eq!(frame["reply"]["outcome"], "interrupted", "{frame}");
    let (_, frame) = run(&mut first, 3, "x").await;
    assert_eq!(frame["reply"]["result"], "6", "the state is intact");

    first
        .send(json!({"type": "reset", "id": 4}).to_string())
        .await;
    let fresh = next(&mut first).await;
    assert_eq!(
        (&fresh["type"], &fresh["state"]["step_count"]),
        (&json!("reset"), &json!(0))
    );
    let (_, frame) = run(
        &mut first,
        5,
        "display('<b>bold</b>')\nimport os\nos._exit(3)",
    )
    .await;
    assert_eq!(
        (&frame["reply"]["done"], &frame["reply"]["state_after"]),
        (&json!(true), &json!("lost"))
    );
    let (_, frame) = run(&mut first, 6, "1").await;
    assert_eq!(
        (&frame["type"], &frame["reason"]),
        (&json!("refused"), &json!("EPISODE_LOST"))
    );

    for broken in [
        "",
        "[]",
        r#"{"type":"nothing"}"#,
        r#"{"type":"run","id":1}"#,
    ] {
        second.send(broken).await;
        assert_eq!(
            next(&mut second).await["reason"],
            "INVALID_FIELD",
            "{broken}"
        );
    }
    let (_, frame) = run(&mut second, 8, "'on'").await;
    assert_eq!(frame["reply"]["result"], "'on'");
}

#[tokio::test]
async fn a_socket_that_goes_takes_its_episode_along_in_mid_step() {
    let server = Server::start(&["--max-episodes", "1"]);
    let mut socket = open(&server).await;
    socket
        .send(
            json!({"type": "run", "id": 1, "code": "print('on', flush=True)\nwhile True: pass"})
                .to_string(),
        )
        .await;
    assert_eq!(next(&mut socket).await["type"], "piece");
    drop(socket);
    let origin = format!("http://{}", server.address());
    loop {
        // Refused until the server has seen the end.
        let headers = headers(&origin, "coding-env");
        let mut socket = Socket::try_open(&server, "/web/socket", &headers)
            .await
            .unwrap();
        match next(&mut socket).await["type"].as_str().unwrap() {
            "welcome" => break,
            other => assert_eq!(other, "refused"),
        }
    }
}

#[tokio::test]
async fn the_page_is_open_and_its_socket_wants_a_token() {
    let tokens = tempfile::NamedTempFile::new().unwrap();
    let token = "anna-0123456789abcdefghijklmnopqrstuv";
    std::fs::write(tokens.path(), format!("anna {token}\n")).unwrap();
    let mut server = Server::start(&["--tokens-file", tokens.path().to_str().unwrap()]);
    server.expect_log("is open to every user");
    assert_eq!(ask(&server, "GET /web", &[], "").await.status, 200);
    assert_eq!(ask(&server, "GET /web/app.js", &[], "").await.status, 200);
    let origin = format!("http://{}", server.address());
    let with = |token: &str| {
        format!(
            "coding-env, coding-env.token.{}",
            BASE64_URL_SAFE_NO_PAD.encode(token)
        )
    };
    for protocols in ["coding-env".to_owned(), with("wrong")] {
        let refused = Socket::try_open(&server, "/web/socket", &headers(&origin, &protocols)).await;
        assert_eq!(refused.err(), Some(401), "{protocols}");
    }
    let protocols = with(token);
    let mut socket = Socket::try_open(&server, "/web/socket", &headers(&origin, &protocols))
        .await
        .unwrap();
    assert_eq!(next(&mut socket).await["type"], "welcome");
    let (_, frame) = run(&mut socket, 1, "6 * 7").await;
    assert_eq!(frame["reply"]["result"], "42");
}
