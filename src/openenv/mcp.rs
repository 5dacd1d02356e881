//! MCP as the incumbent speaks it: JSON-RPC without `initialize`, sessions by id, and here the one tool that there is to give.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::OpenEnv;
use super::session::Session;
use super::sessions::Closed;
use super::wire::{self, Shown};
use crate::episode::{Owner, Refusal};

/// The tool.
const TOOL: &str = "execute_python";

const PARSE_ERROR: i32 = -32700;
const INVALID_REQUEST: i32 = -32600;
const METHOD_NOT_FOUND: i32 = -32601;
const INVALID_PARAMS: i32 = -32602;
const INTERNAL_ERROR: i32 = -32603;
const SERVER_ERROR: i32 = -32000;

/// Why a request has no result.
struct Failure {
    code: i32,
    message: String,
    data: Value,
}

impl Failure {
    fn new(code: i32, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            data: Value::Null,
        }
    }
}

fn response(id: &Value, result: Result<Value, Failure>) -> Value {
    match result {
        Ok(result) => json!({"jsonrpc": "2.0", "id": id, "result": result}),
        Err(Failure {
            code,
            message,
            data,
        }) => json!({
            "jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message, "data": data},
        }),
    }
}

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub(super) enum Caller<'a> {
    /// A request of its own, which may name a session.
    Http(&'a Owner),
    /// A connection that is a session. `id` is the one that it is attached by.
    Socket {
        session: &'a Arc<Session>,
        id: &'a str,
    },
}

/// Answers a text.
pub(super) async fn answer_text(openenv: &OpenEnv, caller: Caller<'_>, text: &[u8]) -> Value {
    match serde_json::from_slice(text) {
        Ok(Value::Object(request)) => answer(openenv, caller, request).await,
        // As the incumbent, to which anything that is no object is no JSON either.
        _ => response(&Value::Null, Err(Failure::new(PARSE_ERROR, "Parse error"))),
    }
}

/// Answers a request.
pub(super) async fn answer(
    openenv: &OpenEnv,
    caller: Caller<'_>,
    mut request: Map<String, Value>,
) -> Value {
    let id = match request.get("id") {
        Some(id @ (Value::String(_) | Value::Number(_))) => id.clone(),
        _ => Value::Null,
    };
    let result = match check(&mut request) {
        Ok((method, params)) => handle(openenv, caller, &method, params).await,
        Err(wrong) => Err(Failure::new(
            INVALID_REQUEST,
            format!("Invalid request: {wrong}"),
        )),
    };
    response(&id, result)
}

fn check(request: &mut Map<String, Value>) -> Result<(String, Map<String, Value>), String> {
    if request.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
        return Err("jsonrpc: Input should be '2.0'".to_owned());
    }
    let Some(Value::String(method)) = request.remove("method") else {
        return Err("method: Input should be a valid string".to_owned());
    };
    let params = match request.remove("params") {
        None => Map::new(),
        Some(Value::Object(params)) => params,
        Some(_) => return Err("params: Input should be a valid dictionary".to_owned()),
    };
    if !matches!(
        request.get("id"),
        None | Some(Value::Null | Value::String(_) | Value::Number(_))
    ) {
        return Err("id: Input should be a valid string or integer".to_owned());
    }
    let extra = request
        .keys()
        .find(|name| !matches!(name.as_str(), "jsonrpc" | "id"));
    match extra {
        Some(name) => Err(format!("{name}: Extra inputs are not permitted")),
        None => Ok((method, params)),
    }
}

async fn handle(
    openenv: &OpenEnv,
    caller: Caller<'_>,
    method: &str,
    params: Map<String, Value>,
) -> Result<Value, Failure> {
    match method {
        "openenv/session/create" => create(openenv, caller),
        "openenv/session/close" => close(openenv, caller, &params),
        "tools/list" => {
            known(openenv, caller, &params)?;
            Ok(json!({"tools": [tool()]}))
        }
        "tools/call" => call(openenv, caller, params).await,
        _ => Err(Failure::new(
            METHOD_NOT_FOUND,
            format!("Method not found: {method}"),
        )),
    }
}

fn create(openenv: &OpenEnv, caller: Caller<'_>) -> Result<Value, Failure> {
    let id = match caller {
        Caller::Socket { id, .. } => id.to_owned(),
        Caller::Http(owner) => {
            let session = openenv
                .start_session(owner)
                .map_err(|refusal| refused(openenv, &refusal))?;
            openenv.sessions.insert(session)
        }
    };
    Ok(json!({ "session_id": id }))
}

fn close(
    openenv: &OpenEnv,
    caller: Caller<'_>,
    params: &Map<String, Value>,
) -> Result<Value, Failure> {
    let Some(id) = session_id(params) else {
        let message = "Invalid params - 'session_id' is required";
        return Err(Failure::new(INVALID_PARAMS, message));
    };
    let owner = match caller {
        Caller::Socket { id: own, .. } if own == id => {
            let message = "Cannot close active WebSocket-managed session via MCP method";
            return Err(Failure::new(INVALID_REQUEST, message));
        }
        Caller::Socket { session, .. } => session.owner(),
        Caller::Http(owner) => owner,
    };
    match openenv.sessions.close(id, owner) {
        Closed::Now => Ok(json!({"session_id": id, "closed": true})),
        Closed::Later => Ok(json!({"session_id": id, "closed": false, "closing": true})),
        Closed::Unknown => Err(unknown(id)),
    }
}

fn session_id(params: &Map<String, Value>) -> Option<&str> {
    let id = params.get("session_id").and_then(Value::as_str);
    id.filter(|id| !id.is_empty())
}

fn unknown(id: &str) -> Failure {
    Failure::new(INVALID_PARAMS, format!("Unknown session_id: {id}"))
}

/// A session that a request names has to be there.
fn known(
    openenv: &OpenEnv,
    caller: Caller<'_>,
    params: &Map<String, Value>,
) -> Result<(), Failure> {
    match (caller, session_id(params)) {
        (Caller::Http(owner), Some(id)) => match openenv.sessions.find(id, owner) {
            Some(_) => Ok(()),
            None => Err(unknown(id)),
        },
        _ => Ok(()),
    }
}

async fn call(
    openenv: &OpenEnv,
    caller: Caller<'_>,
    mut params: Map<String, Value>,
) -> Result<Value, Failure> {
    let wrong = |message: String| Err(Failure::new(INVALID_PARAMS, message));
    let name = match params.get("name") {
        Some(Value::String(name)) if !name.is_empty() => name.clone(),
        _ => return wrong("Missing 'name' in params".to_owned()),
    };
    if name != TOOL {
        return wrong(format!("Tool not found: {name}"));
    }
    let code = match params.remove("arguments") {
        Some(Value::Object(mut arguments)) => arguments.remove("code"),
        _ => None,
    };
    let Some(Value::String(code)) = code else {
        return wrong(format!("{TOOL} takes the argument 'code', a string"));
    };
    let max = openenv.profile.source_bytes();
    if code.len() > max {
        return wrong(format!(
            "'code' has {} bytes: it may have {max}",
            code.len()
        ));
    }
    let shown = match (caller, session_id(&params)) {
        (Caller::Socket { session, .. }, _) => session.step(code, None).await,
        (Caller::Http(owner), Some(id)) => {
            let used = openenv
                .sessions
                .find(id, owner)
                .ok_or_else(|| unknown(id))?;
            used.session.step(code, None).await
        }
        (Caller::Http(owner), None) => match openenv.start_session(owner) {
            Ok(session) => session.step(code, None).await,
            Err(refusal) => Err(refusal),
        },
    };
    let shown = shown.map_err(|refusal| refused(openenv, &refusal))?;
    Ok(result(&shown))
}

/// Why a connection gets no session.
pub(super) fn refusal(openenv: &OpenEnv, refusal: &Refusal) -> Value {
    response(&Value::Null, Err(refused(openenv, refusal)))
}

fn refused(openenv: &OpenEnv, refusal: &Refusal) -> Failure {
    if !matches!(refusal, Refusal::EpisodeLimit { .. }) {
        return Failure::new(INTERNAL_ERROR, refusal.to_string());
    }
    let (taken, max) = openenv.episodes.places();
    Failure {
        code: SERVER_ERROR,
        message: wire::at_capacity(taken, max),
        data: json!({"active_sessions": taken, "max_sessions": max}),
    }
}

/// What a call gave: for clients of MCP the content, for OpenEnv's own the data.
fn result(shown: &Shown) -> Value {
    let data = json!({
        "stdout": shown.stdout, "stderr": shown.stderr, "exit_code": shown.exit_code, "reward": shown.reward,
        "done": shown.done, "metadata": shown.metadata,
    });
    json!({
        "content": [{"type": "text", "text": shown.plain()}],
        "structuredContent": data, "data": data,
        "isError": shown.exit_code != 0,
    })
}

fn tool() -> Value {
    json!({
        "name": TOOL,
        "description": "Runs Python code and returns what it printed, its traceback if it raised, and its exit code. In a session, \
                        variables, imports and files live on between calls.",
        "inputSchema": {
            "type": "object",
            "properties": {"code": {"type": "string", "description": "The code to run."}},
            "required": ["code"],
            "additionalProperties": false,
        },
    })
}
