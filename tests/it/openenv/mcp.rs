//! MCP on the other door.

use serde_json::{Value, json};

use crate::support::Server;
use crate::support::openenv::{Socket, mcp, told};

fn error(code: i32, message: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": 1, "error": {"code": code, "message": message, "data": null}})
}

#[tokio::test]
async fn one_tool_runs_code() {
    let server = Server::start(&[]);
    let tools = mcp(&server, "tools/list", json!({})).await;
    let tools = tools["result"]["tools"].as_array().unwrap().clone();
    assert_eq!(tools.len(), 1);
    assert_eq!(tools[0]["name"], "execute_python");
    assert_eq!(tools[0]["inputSchema"]["required"], json!(["code"]));
    let call = async |params: Value| mcp(&server, "tools/call", params).await;
    let ran =
        call(json!({"name": "execute_python", "arguments": {"code": "print('out')\n6 * 7"}})).await;
    assert_eq!(ran["result"]["data"]["stdout"], "out\n\n42");
    assert_eq!(ran["result"]["isError"], false);
    assert_eq!(
        ran["result"]["content"][0],
        json!({"type": "text", "text": "out\n\n42"})
    );
    let raised = call(json!({"name": "execute_python", "arguments": {"code": "1/0"}})).await;
    assert_eq!(raised["result"]["isError"], true);
    assert!(
        raised["result"]["content"][0]["text"]
            .as_str()
            .unwrap()
            .ends_with("division by zero")
    );
    for (params, message) in [
        (json!({"name": "other"}), "Tool not found: other"),
        (json!({}), "Missing 'name' in params"),
        (
            json!({"name": "execute_python"}),
            "execute_python takes the argument 'code', a string",
        ),
        (
            json!({"name": "execute_python", "arguments": {"code": 1}}),
            "execute_python takes the argument 'code', a string",
        ),
        (
            json!({"name": "execute_python", "arguments": {"code": "1"}, "session_id": "nope"}),
            "Unknown session_id: nope",
        ),
    ] {
        assert_eq!(call(params).await, error(-32602, message));
    }
}

#[tokio::test]
async fn requests_that_are_none_are_told_by_the_codes_of_json_rpc() {
    let server = Server::start(&[]);
    assert_eq!(
        mcp(&server, "initialize", json!({})).await,
        error(-32601, "Method not found: initialize")
    );
    for (body, code) in [
        ("", -32700),
        ("x", -32700),
        ("[]", -32700),
        ("{}", -32600),
        (r#"{"jsonrpc":"2.0","method":5}"#, -32600),
        (
            r#"{"jsonrpc":"2.0","method":"tools/list","params":[]}"#,
            -32600,
        ),
        (r#"{"jsonrpc":"1.0","method":"tools/list"}"#, -32600),
        (
            r#"{"jsonrpc":"2.0","method":"openenv/session/close"}"#,
            -32602,
        ),
    ] {
        let (status, answer) = told(&server, "POST /mcp", body).await;
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert_eq!(
            (status, &answer["error"]["code"]),
            (200, &json!(code)),
            "{body}"
        );
        assert_eq!(answer["jsonrpc"], "2.0");
    }
}

#[tokio::test]
async fn a_session_is_the_same_by_call_and_by_socket() {
    let server = Server::start(&["--max-episodes", "1"]);
    let created = mcp(&server, "openenv/session/create", json!({})).await;
    let id = created["result"]["session_id"].as_str().unwrap();
    let full = mcp(&server, "openenv/session/create", json!({})).await;
    assert_eq!(full["error"]["code"], -32000);
    assert_eq!(
        full["error"]["data"],
        json!({"active_sessions": 1, "max_sessions": 1})
    );
    let call = json!({"name": "execute_python", "arguments": {"code": "x = 20"}, "session_id": id});
    mcp(&server, "tools/call", call).await;
    let mut socket = Socket::open_at(&server, &format!("/ws?session_id={id}")).await;
    assert_eq!(socket.stdout("x + 1").await, "21");
    let frame = json!({"type": "mcp", "data": {
        "jsonrpc": "2.0", "id": "a", "method": "tools/call", "params": {"name": "execute_python", "arguments": {"code": "x + 2"}},
    }});
    let answer = socket.ask_json(&frame).await;
    assert_eq!(
        (&answer["type"], &answer["data"]["id"]),
        (&json!("mcp"), &json!("a"))
    );
    assert_eq!(answer["data"]["result"]["data"]["stdout"], "22");
    socket.send(r#"{"type":"close"}"#).await;
    socket.closed().await;
    let closed = mcp(&server, "openenv/session/close", json!({"session_id": id})).await;
    assert_eq!(closed["result"], json!({"session_id": id, "closed": true}));
    let closed = mcp(&server, "openenv/session/close", json!({"session_id": id})).await;
    assert_eq!(closed, error(-32602, &format!("Unknown session_id: {id}")));
    let mut socket = Socket::open_at(&server, "/mcp").await;
    let answer = socket.ask(r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"execute_python","arguments":{"code":"y = 1"}}}"#).await;
    assert!(
        answer.contains(r#""id":7"#) && answer.contains(r#""exit_code":0"#),
        "{answer}"
    );
}
