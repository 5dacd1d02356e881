//! What a web page can do: nothing, unless it is the server's own or the operator's friend. And tokens, on this door.

use serde_json::json;

use crate::support::Server;
use crate::support::openenv::{Socket, ask};

const STEP: &str = r#"{"action":{"code":"print(1)"}}"#;

#[tokio::test]
async fn a_page_elsewhere_can_not_drive_the_server() {
    let server = Server::start(&[]);
    let address = server.address().to_owned();
    let own = format!("http://{address}");
    let port = address.rsplit(':').next().unwrap();
    let localhost = format!("localhost:{port}");
    let rebound = format!("rebound.example:{port}");
    for (host, origin, status) in [
        (address.as_str(), own.as_str(), 200),
        (&localhost, &format!("http://{localhost}"), 200),
        (&address, "http://evil.example", 403),
        (&address, "null", 403),
        (&address, "http://localhost:1", 403),
        (&rebound, &format!("http://{rebound}"), 403),
    ] {
        let headers = [("Host", host), ("Origin", origin)];
        let answer = ask(&server, "POST /step", &headers, STEP).await;
        assert_eq!(answer.status, status, "{host} {origin}: {}", answer.body);
        let mcp = ask(&server, "POST /mcp", &headers, "{}").await;
        assert_eq!(mcp.status, status);
        let preflight = ask(&server, "OPTIONS /step", &headers, "").await;
        assert!(!preflight.headers.contains("access-control-allow-origin"));
        let opened = Socket::try_open(&server, "/ws", &[("host", host), ("origin", origin)]).await;
        assert_eq!(
            opened.err(),
            (status == 403).then_some(403),
            "{host} {origin}"
        );
    }
    let cross = [
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Mode", "no-cors"),
    ];
    assert_eq!(ask(&server, "GET /health", &cross, "").await.status, 403);
    let typed = [("Sec-Fetch-Site", "none"), ("Sec-Fetch-Mode", "navigate")];
    assert_eq!(ask(&server, "GET /docs", &typed, "").await.status, 200);
}

#[tokio::test]
async fn the_operator_can_name_other_hosts_and_origins() {
    let flags = [
        "--allow-host",
        "code.example.org",
        "--allow-origin",
        "https://friend.example",
    ];
    let server = Server::start_with(&flags, &[("SPACE_HOST", "me-env.hf.space")]);
    for host in ["code.example.org", "me-env.hf.space"] {
        // A proxy has ended TLS.
        let origin = format!("https://{host}");
        let headers = [("Host", host), ("Origin", origin.as_str())];
        assert_eq!(ask(&server, "POST /step", &headers, STEP).await.status, 200);
    }
    let friend = [("Origin", "https://friend.example")];
    let preflight = ask(&server, "OPTIONS /step", &friend, "").await;
    assert_eq!(preflight.status, 204);
    let answer = ask(&server, "POST /step", &friend, STEP).await;
    for headers in [&preflight.headers, &answer.headers] {
        assert!(
            headers.contains("access-control-allow-origin: https://friend.example"),
            "{headers}"
        );
        assert!(headers.contains("vary: origin"), "{headers}");
    }
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn every_response_is_closed_to_browsers_that_would_make_more_of_it() {
    let server = Server::start(&[]);
    for request in ["GET /health", "GET /docs", "GET /nowhere", "POST /step"] {
        let headers = ask(&server, request, &[], "").await.headers;
        assert!(
            headers.contains("content-security-policy: default-src 'none'"),
            "{headers}"
        );
        assert!(
            headers.contains("x-content-type-options: nosniff"),
            "{headers}"
        );
        assert!(!headers.contains("unsafe-inline"), "{headers}");
    }
}

#[tokio::test]
async fn tokens_hold_on_this_door_too() {
    let tokens = tempfile::NamedTempFile::new().unwrap();
    let [first, second] = ["a".repeat(40), "b".repeat(40)];
    std::fs::write(tokens.path(), format!("anna {first}\nbert {second}\n")).unwrap();
    let mut server = Server::start(&["--tokens-file", tokens.path().to_str().unwrap()]);
    server.expect_log("is open to every user");
    assert_eq!(ask(&server, "GET /health", &[], "").await.status, 200);
    for request in ["GET /metadata", "POST /step", "POST /mcp", "GET /nowhere"] {
        let answer = ask(&server, request, &[], STEP).await;
        assert_eq!(answer.status, 401, "{request}");
        assert!(
            answer.headers.contains("www-authenticate: bearer"),
            "{}",
            answer.headers
        );
    }
    assert_eq!(Socket::try_open(&server, "/ws", &[]).await.err(), Some(401));
    let of = |token: &str| format!("Bearer {token}");
    let (anna, bert) = (of(&first), of(&second));
    let headers = [("Authorization", anna.as_str())];
    assert_eq!(ask(&server, "POST /step", &headers, STEP).await.status, 200);
    let mut socket = Socket::try_open(&server, "/ws", &[("authorization", &anna)])
        .await
        .unwrap();
    assert_eq!(socket.stdout("1").await, "1");
    // What one has made does not exist to the other.
    let create = json!({"jsonrpc": "2.0", "id": 1, "method": "openenv/session/create"}).to_string();
    let created = ask(&server, "POST /mcp", &headers, &create).await;
    let created: serde_json::Value = serde_json::from_str(&created.body).unwrap();
    let path = format!(
        "/ws?session_id={}",
        created["result"]["session_id"].as_str().unwrap()
    );
    let mut theirs = Socket::try_open(&server, &path, &[("authorization", &bert)])
        .await
        .unwrap();
    assert!(theirs.text().await.contains("Unknown session_id"));
    let mut own = Socket::try_open(&server, &path, &[("authorization", &anna)])
        .await
        .unwrap();
    assert_eq!(own.stdout("2").await, "2");
}
