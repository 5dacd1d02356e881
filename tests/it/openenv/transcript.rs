//! The incumbent's wire, byte by byte: every literal that was recorded of it, but for the differences that docs/openenv.md lists.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_tungstenite::tungstenite::Message;
use tonic::codegen::Service as _;

use crate::support::Server;
use crate::support::openenv::{Socket, ask, told};

/// What an observation says around its output.
fn observation(stdout: &str, code: &str) -> String {
    let code = serde_json::to_string(code).unwrap();
    let stdout = serde_json::to_string(stdout).unwrap();
    let metadata = format!("{{\"last_code\":{code}}}");
    format!(
        "{{\"type\":\"observation\",\"data\":{{\"observation\":{{\"metadata\":{metadata},\"stdout\":{stdout},\
         \"stderr\":\"\",\"exit_code\":0}},\"reward\":0.1,\"done\":false,\"metadata\":{metadata}}}}}"
    )
}

#[tokio::test]
async fn a_session_says_what_the_incumbents_says() {
    let server = Server::start(&[]);
    let mut socket = Socket::open(&server).await;
    assert_eq!(
        socket.ask(r#"{"type": "state"}"#).await,
        r#"{"type":"state","data":{"episode_id":null,"step_count":0,"last_exit_code":0}}"#
    );
    let fresh = r#"{"type":"observation","data":{"observation":{"metadata":{},"stdout":"","stderr":"","exit_code":0},"reward":0.0,"done":false}}"#;
    for reset in [
        r#"{"type": "reset", "data": {}}"#,
        r#"{"type": "reset"}"#,
        r#"{"type": "reset", "data": {"anything": [1], "seed": null}}"#,
    ] {
        assert_eq!(socket.ask(reset).await, fresh);
    }
    for (frame, code, stdout) in [
        (
            r#"{"type": "step", "data": {"code": "x = 1"}}"#,
            "x = 1",
            "1",
        ),
        (
            r#"{"type": "step", "data": {"code": "print('hi')"}}"#,
            "print('hi')",
            "hi\n",
        ),
        (
            r#"{"type": "step", "data": {"code": "x + 41"}}"#,
            "x + 41",
            "42",
        ),
        (
            r#"{"type": "step", "data": {"code": "print('a'); print('b'); [x, {'k': None}]"}}"#,
            "print('a'); print('b'); [x, {'k': None}]",
            "a\nb\n\n[1, {\"k\": null}]",
        ),
        (
            r#"{"type": "step", "data": {"code": "'abc'", "metadata": {"a": 1}}}"#,
            "'abc'",
            "\"abc\"",
        ),
    ] {
        assert_eq!(socket.ask(frame).await, observation(stdout, code));
    }
    let state = socket.state().await;
    assert_eq!(state["episode_id"].as_str().unwrap().len(), 36, "{state}");
    assert_eq!(
        (&state["step_count"], &state["last_exit_code"]),
        (&5.into(), &0.into())
    );
    socket.send(r#"{"type": "close"}"#).await;
    assert_eq!(socket.closed().await, (1000, String::new()));
}

#[tokio::test]
async fn the_value_of_the_last_statement_ends_the_output() {
    let server = Server::start(&[]);
    let mut socket = Socket::open(&server).await;
    for (code, stdout) in [
        ("x = 1", "1"),
        ("a = b = [1, 2]", "[1, 2]"),
        ("c, d = 1, (2, None)", "[1, [2, null]]"),
        ("x += 2", "3"),
        ("y: int = 5", "5"),
        ("z: int", ""),
        ("d = {'k': 1}; d['k'] += 4", "5"),
        ("class C: pass\nC.a = 'é'", "\"\\u00e9\""),
        ("C.a += '!'", "\"\\u00e9!\""),
        ("x = None", ""),
        ("None", ""),
        ("{1}", "{1}"),
        ("float('nan')", "NaN"),
        ("import math", ""),
        ("for i in range(3): pass", ""),
        ("if True: x = 7", ""),
        ("del x", ""),
        ("", ""),
        ("1; # nothing\n", "1"),
        ("print('p', end='')\nq = 2", "p\n2"),
        // What was kept for a moment is gone.
        ("[name for name in globals() if 'coding' in name]", "[]"),
    ] {
        assert_eq!(socket.stdout(code).await, stdout, "{code}");
    }
    let shown = socket.stdout("def q():\n    return 1").await;
    assert!(shown.starts_with("<function q at 0x"), "{shown}");
    assert_eq!(
        socket.stdout("class D:\n    pass").await,
        "<class '__main__.D'>"
    );
    assert!(
        socket
            .stdout("async def r(): pass")
            .await
            .starts_with("<function r at 0x")
    );
    // The value is evaluated once, and targets as often as they are written.
    let code = "n = []\ndef f():\n    n.append(1)\n    return len(n)\nt = [0] * 9\nt[f()] = f()";
    assert_eq!(socket.stdout(code).await, "1");
    assert_eq!(
        socket.stdout("t[f()] += 1").await,
        "",
        "a target that would have to run again"
    );
    assert_eq!(socket.stdout("len(n)").await, "3");
    let code = "class W:\n    def __setattr__(self, name, value): pass\n    def __getattr__(self, name): return 1 if 'read' not in vars(W) else 1/0\nw = W()\nW.read = 1\ntry: w.a\nexcept ZeroDivisionError: pass\nw.a: int = 3";
    assert_eq!(socket.stdout(code).await, "", "one that can't be read");
}

#[tokio::test]
async fn rewards_and_metadata_are_the_incumbents() {
    let server = Server::start(&[]);
    let mut socket = Socket::open(&server).await;
    let long = " # ".to_owned() + &"x".repeat(100);
    for (code, reward, violation) in [
        ("x = 1".to_owned(), 0.1, None),
        ("1/0".to_owned(), 0.1, None),
        (format!("x = 1{long}"), 0.0, None),
        ("def f(:".to_owned(), -0.1, None),
        (format!("def f(:{long}"), -0.2, None),
        ("import os".to_owned(), -0.9, Some(r"import\s+os")),
        (format!("import os{long}"), -1.0, Some(r"import\s+os")),
        ("import os (".to_owned(), -1.1, Some(r"import\s+os")),
        ("eval('1')".to_owned(), -0.9, Some(r"eval\(")),
    ] {
        let data = socket.step(&code).await;
        assert_eq!(data["reward"], reward, "{code}");
        let told = &data["metadata"];
        assert_eq!(told["last_code"], code.as_str());
        assert_eq!(
            told.get("safety_violation")
                .and_then(|found| found.as_str()),
            violation
        );
        assert_eq!(told, &data["observation"]["metadata"]);
        assert_eq!(
            told.as_object().unwrap().len(),
            1 + usize::from(violation.is_some())
        );
    }
}

#[tokio::test]
async fn errors_are_told_in_the_incumbents_words() {
    let server = Server::start(&[]);
    let mut socket = Socket::open(&server).await;
    let url = |kind: &str| format!("https://errors.pydantic.dev/2.14/v/{kind}");
    let invalid = |issue: String| {
        format!(
            r#"{{"type":"error","data":{{"message":"Invalid message","code":"VALIDATION_ERROR","errors":[{issue}]}}}}"#
        )
    };
    let issue = |kind: &str, loc: &str, msg: &str, input: &str| {
        invalid(format!(
            r#"{{"type":"{kind}","loc":["{loc}"],"msg":"{msg}","input":{input},"url":"{}"}}"#,
            url(kind)
        ))
    };
    for (frame, answer) in [
        ("not json", r#"{"type":"error","data":{"message":"Invalid JSON: Expecting value: line 1 column 1 (char 0)","code":"INVALID_JSON"}}"#.to_owned()),
        (r#"{"foo":1}"#, r#"{"type":"error","data":{"message":"Unknown message type: ","code":"UNKNOWN_TYPE"}}"#.to_owned()),
        (r#"{"type":"bogus"}"#, r#"{"type":"error","data":{"message":"Unknown message type: bogus","code":"UNKNOWN_TYPE"}}"#.to_owned()),
        (r#"{"type":"step"}"#, issue("missing", "data", "Field required", r#"{"type":"step"}"#)),
        (r#"{"type":"step","data":{}}"#, issue("missing", "code", "Field required", "{}")),
        (r#"{"type":"step","data":{"code":5}}"#, issue("string_type", "code", "Input should be a valid string", "5")),
        (r#"{"type":"step","data":{"code":"1","timeout_s":3}}"#, issue("extra_forbidden", "timeout_s", "Extra inputs are not permitted", "3")),
        (r#"{"type":"reset","data":null}"#, issue("dict_type", "data", "Input should be a valid dictionary", "null")),
        (r#"{"type":"state","data":{}}"#, issue("extra_forbidden", "data", "Extra inputs are not permitted", "{}")),
        (r#"{"type":"close","data":{}}"#, issue("extra_forbidden", "data", "Extra inputs are not permitted", "{}")),
    ] {
        assert_eq!(socket.ask(frame).await, answer, "{frame}");
    }
    // None of them ended the session, or changed it.
    assert_eq!(socket.state().await["step_count"], 0);

    for (frame, message) in [
        (Message::text("[]"), "'list' object has no attribute 'get'"),
        (Message::text("5"), "'int' object has no attribute 'get'"),
        (Message::binary(vec![0_u8]), "'text'"),
    ] {
        let mut socket = Socket::open(&server).await;
        socket.send(frame).await;
        let told = format!(
            r#"{{"type":"error","data":{{"message":"{message}","code":"SESSION_ERROR"}}}}"#
        );
        assert_eq!(socket.text().await, told);
        assert_eq!(socket.closed().await, (1000, String::new()));
    }
    let mut socket = Socket::open_at(&server, "/ws?session_id=nope").await;
    assert_eq!(
        socket.text().await,
        r#"{"type":"error","data":{"message":"Unknown session_id: nope","code":"SESSION_ERROR"}}"#
    );
    assert_eq!(socket.closed().await, (1000, String::new()));
    assert_eq!(
        Socket::try_open(&server, "/elsewhere", &[]).await.err(),
        Some(403)
    );
}

#[tokio::test]
async fn one_session_too_many_is_told_so_and_closed() {
    let server = Server::start_with(&[], &[("MAX_CONCURRENT_ENVS", "1")]);
    let first = Socket::open(&server).await;
    let mut second = Socket::open(&server).await;
    assert_eq!(
        second.text().await,
        r#"{"type":"error","data":{"message":"Server at capacity: 1/1 sessions active. Cannot accept new connections.","code":"CAPACITY_REACHED","active_sessions":1,"max_sessions":1}}"#
    );
    assert_eq!(second.closed().await, (1000, String::new()));
    drop(first);
}

#[tokio::test]
async fn frames_up_to_16_mib_are_taken() {
    let server = Server::start(&[]);
    let mut socket = Socket::open(&server).await;
    let (head, tail) = (r#"{"type":"step","data":{"code":"x = 1 #"#, r#""}}"#);
    let most = 16 << 20;
    let frame = |bytes: usize| {
        format!(
            "{head}{}{tail}",
            "x".repeat(bytes - head.len() - tail.len())
        )
    };
    let answer = socket.ask(&frame(most)).await;
    assert!(answer.contains(r#""stdout":"1""#), "{}", &answer[..200]);
    assert!(answer.len() < 1000, "a source that long does not come back");
    socket.send(frame(most + 1).as_str()).await;
    let (code, reason) = socket.closed().await;
    assert_eq!(
        (code, reason.as_str()),
        (1009, "frame exceeds limit of 16777216 bytes")
    );
}

#[tokio::test]
async fn the_routes_of_http_are_the_incumbents() {
    let server = Server::start(&[]);
    let fresh = r#"{"observation":{"metadata":{},"stdout":"","stderr":"","exit_code":0},"reward":0.0,"done":false,"metadata":null}"#;
    let stepped = r#"{"observation":{"metadata":{"last_code":"print(1)"},"stdout":"1\n","stderr":"","exit_code":0},"reward":0.1,"done":false,"metadata":{"last_code":"print(1)"}}"#;
    for (request, body, status, answer) in [
        ("GET /health", "", 200, r#"{"status":"healthy"}"#),
        (
            "GET /metadata",
            "",
            200,
            r#"{"name":"PythonCodeActEnv","description":"PythonCodeActEnv environment","readme_content":null,"version":"1.0.0","author":null,"documentation_url":null}"#,
        ),
        ("POST /reset", "", 200, fresh),
        (
            "POST /reset",
            r#"{"seed":1,"episode_id":"e","other":[]}"#,
            200,
            fresh,
        ),
        (
            "POST /step",
            r#"{"action":{"code":"print(1)"}}"#,
            200,
            stepped,
        ),
        (
            "POST /step",
            r#"{"action":{"code":"print(1)"},"timeout_s":5,"request_id":"r","x":1}"#,
            200,
            stepped,
        ),
        ("GET /list_environments", "", 200, r#"["coding_env"]"#),
        (
            "GET /coding_env/splits",
            "",
            501,
            r#"{"detail":"list_splits is not supported for this environment"}"#,
        ),
        (
            "GET /nope/splits",
            "",
            404,
            r#"{"detail":"unknown environment 'nope'"}"#,
        ),
        (
            "POST /coding_env/task_range",
            "{}",
            501,
            r#"{"detail":"get_task_range is not supported for this environment"}"#,
        ),
        (
            "POST /step",
            "{}",
            422,
            r#"{"detail":[{"type":"missing","loc":["body","action"],"msg":"Field required","input":{}}]}"#,
        ),
        (
            "POST /step",
            "x",
            422,
            r#"{"detail":[{"type":"json_invalid","loc":["body",0],"msg":"JSON decode error","input":{},"ctx":{"error":"Expecting value"}}]}"#,
        ),
        (
            "POST /reset",
            r#"{"seed":-1}"#,
            422,
            r#"{"detail":[{"type":"greater_than_equal","loc":["body","seed"],"msg":"Input should be greater than or equal to 0","input":-1,"ctx":{"ge":0}}]}"#,
        ),
        (
            "POST /step",
            r#"{"action":{}}"#,
            422,
            r#"{"detail":[{"type":"missing","loc":["code"],"msg":"Field required","input":{},"url":"https://errors.pydantic.dev/2.14/v/missing"}]}"#,
        ),
        ("GET /", "", 404, r#"{"detail":"Not Found"}"#),
        ("HEAD /health", "", 405, ""),
        ("GET /step", "", 405, r#"{"detail":"Method Not Allowed"}"#),
    ] {
        assert_eq!(
            told(&server, request, body).await,
            (status, answer.to_owned()),
            "{request} {body}"
        );
    }
    let (status, state) = told(&server, "GET /state", "").await;
    assert_eq!(
        (status, state.as_str()),
        (
            200,
            r#"{"episode_id":null,"step_count":0,"last_exit_code":0}"#
        )
    );
    for path in ["/schema", "/openapi.json"] {
        let answer = ask(&server, &format!("GET {path}"), &[], "").await;
        assert_eq!(answer.status, 200);
        assert!(
            !answer.headers.contains("content-encoding"),
            "{}",
            answer.headers
        );
        let body: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        let keys: Vec<&String> = body.as_object().unwrap().keys().collect();
        if path == "/schema" {
            assert_eq!(
                keys,
                ["action", "observation", "reset_observation", "state"]
            );
            assert_eq!(body["action"]["required"], serde_json::json!(["code"]));
            assert_eq!(body["observation"]["additionalProperties"], false);
        } else {
            assert_eq!(body["info"]["version"], "1.0.0");
            let routes = ["/reset", "/step", "/state"];
            assert!(routes.iter().all(|route| body["paths"][route].is_object()));
        }
    }
    for path in ["/docs", "/redoc"] {
        let answer = ask(&server, &format!("GET {path}"), &[], "").await;
        assert!(answer.status == 200 && answer.body.starts_with("<!doctype html>"));
    }
}

#[tokio::test]
async fn a_step_over_http_has_an_episode_of_its_own_and_takes_a_timeout() {
    let server = Server::start(&["--max-episodes", "1"]);
    let step = async |code: &str, timeout: f64| {
        let body = serde_json::json!({"action": {"code": code}, "timeout_s": timeout}).to_string();
        let (status, body) = told(&server, "POST /step", &body).await;
        (
            status,
            serde_json::from_str::<serde_json::Value>(&body).unwrap(),
        )
    };
    assert_eq!(step("x = 1", 9.0).await.0, 200);
    let (_, body) = step("print('x' in globals())", 9.0).await;
    assert_eq!(body["observation"]["stdout"], "False\n");
    let (status, body) = step("print('before')\nwhile True: pass", 0.3).await;
    assert_eq!(status, 200);
    assert_eq!(body["observation"]["exit_code"], 124, "{body}");
    assert_eq!(body["observation"]["stdout"], "before\n");
    assert_eq!(body["metadata"]["outcome"], "timed_out");
    let held = Socket::open(&server).await;
    let (status, body) = step("1", 9.0).await;
    assert_eq!(status, 503);
    assert_eq!(
        body["detail"],
        "Server at capacity: 1/1 sessions active. Cannot accept new connections."
    );
    drop(held);
}

#[tokio::test]
async fn a_body_may_have_16_mib() {
    let server = Server::start(&[]);
    let (head, tail) = (r#"{"action":{"code":"x = 1 #"#, r#""}}"#);
    let most = 16 << 20;
    let body = |bytes: usize| {
        format!(
            "{head}{}{tail}",
            "x".repeat(bytes - head.len() - tail.len())
        )
    };
    let (status, answer) = told(&server, "POST /step", &body(most)).await;
    assert_eq!(status, 200, "{answer}");
    // Chunked, so that no length says it beforehand.
    let mut stream = tokio::net::TcpStream::connect(server.address())
        .await
        .unwrap();
    let head = format!(
        "POST /step HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n",
        most + 1
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body(most + 1).as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
}

#[tokio::test]
async fn a_request_over_http_2_that_is_not_grpcs_is_openenvs() {
    let server = Server::start(&[]);
    let mut channel = server.channel().await;
    let get = |path: &str| {
        let uri = format!("{}{path}", server.url());
        tonic::codegen::http::Request::get(uri)
            .body(tonic::body::Body::empty())
            .unwrap()
    };
    for (path, status) in [("/health", 200), ("/coding_env.v1.CodingEnv/Step", 404)] {
        std::future::poll_fn(|context| channel.poll_ready(context))
            .await
            .unwrap();
        let response = channel.call(get(path)).await.unwrap();
        assert_eq!(response.status().as_u16(), status, "{path}");
    }
}
