//! What the wire looks like, for programs: JSON Schemas, and the description in OpenAPI.

use serde_json::{Map, Value, json};

use super::check::LABEL_CHARS_MAX;

/// The name under which the incumbent's task routes know this environment.
pub(super) const ENVIRONMENT: &str = "coding_env";
/// The version of the wire, as the incumbent's metadata tell it.
const WIRE_VERSION: &str = "1.0.0";

fn action() -> Value {
    json!({
        "title": "CodeAction",
        "description": "Code to run.",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "metadata": {"title": "Metadata", "description": "Of the client's. It is not looked at.", "type": "object", "additionalProperties": true},
            "code": {"title": "Code", "description": "Python source.", "type": "string"},
        },
        "required": ["code"],
    })
}

fn observation() -> Value {
    json!({
        "title": "CodeObservation",
        "description": "What a step showed.",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "done": {"title": "Done", "description": "The episode has lost its interpreter: reset to go on.", "type": "boolean", "default": false},
            "reward": {
                "title": "Reward", "description": "What the transforms made of the code.",
                "anyOf": [{"type": "boolean"}, {"type": "integer"}, {"type": "number"}, {"type": "null"}], "default": null,
            },
            "metadata": {"title": "Metadata", "description": "last_code, and what is out of the ordinary.", "type": "object", "additionalProperties": true},
            "stdout": {"title": "Stdout", "description": "What was printed, and the value of the last statement.", "type": "string", "default": ""},
            "stderr": {"title": "Stderr", "description": "What went to standard error; a traceback is at its end.", "type": "string", "default": ""},
            "exit_code": {"title": "Exit Code", "description": "0 when the code ran to its end, 1 after an exception, 124 after a timeout.", "type": "integer", "default": 0},
        },
    })
}

fn state() -> Value {
    json!({
        "title": "CodeState",
        "description": "Where an episode is.",
        "type": "object",
        "additionalProperties": true,
        "properties": {
            "episode_id": {"title": "Episode Id", "description": "What reset was given, or an id made for it.", "anyOf": [{"type": "string"}, {"type": "null"}], "default": null},
            "step_count": {"title": "Step Count", "description": "Steps since the reset.", "type": "integer", "minimum": 0, "default": 0},
            "last_exit_code": {"title": "Last Exit Code", "description": "Of the last step.", "type": "integer", "default": 0},
        },
    })
}

/// The body of `GET /schema`.
pub(super) fn schemas() -> Value {
    json!({"action": action(), "observation": observation(), "state": state(), "reset_observation": observation()})
}

/// The body of `GET /metadata`, in the incumbent's words: clients know the environment by them.
pub(super) fn metadata() -> &'static str {
    r#"{"name":"PythonCodeActEnv","description":"PythonCodeActEnv environment","readme_content":null,"version":"1.0.0","author":null,"documentation_url":null}"#
}

fn envelope() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "observation": observation(),
            "reward": {"anyOf": [{"type": "number"}, {"type": "null"}]},
            "done": {"type": "boolean"},
            "metadata": {"anyOf": [{"type": "object", "additionalProperties": true}, {"type": "null"}]},
        },
        "required": ["observation"],
    })
}

/// One way to ask.
#[derive(Debug)]
pub(super) struct Operation {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) summary: &'static str,
    request: Option<Value>,
    response: Value,
}

/// What can be asked over HTTP.
pub(super) fn operations() -> Vec<Operation> {
    let label =
        || json!({"anyOf": [{"type": "string", "maxLength": LABEL_CHARS_MAX}, {"type": "null"}]});
    let operation = |method, path, summary, request, response| Operation {
        method,
        path,
        summary,
        request,
        response,
    };
    let object = || json!({"type": "object"});
    let health = json!({
        "type": "object", "properties": {"status": {"enum": ["healthy", "unhealthy", "degraded"]}}, "required": ["status"],
    });
    let reset = json!({
        "type": "object", "additionalProperties": true,
        "properties": {
            "seed": {"anyOf": [{"type": "integer", "minimum": 0, "maximum": u64::MAX}, {"type": "null"}]},
            "episode_id": label(),
        },
    });
    let step = json!({
        "type": "object", "additionalProperties": true, "required": ["action"],
        "properties": {
            "action": action(),
            "timeout_s": {"anyOf": [{"type": "number", "exclusiveMinimum": 0}, {"type": "null"}]},
            "request_id": label(),
        },
    });
    vec![
        operation(
            "get",
            "/health",
            "Whether the server is ready",
            None,
            health,
        ),
        operation(
            "get",
            "/metadata",
            "What environment this is",
            None,
            object(),
        ),
        operation(
            "get",
            "/schema",
            "The schemas of action, observation and state",
            None,
            object(),
        ),
        operation(
            "post",
            "/reset",
            "What a fresh episode shows; the episode does not outlive the request",
            Some(reset),
            envelope(),
        ),
        operation(
            "post",
            "/step",
            "Runs code in a fresh episode, which does not outlive the request",
            Some(step),
            envelope(),
        ),
        operation(
            "get",
            "/state",
            "The state of a fresh episode",
            None,
            state(),
        ),
        operation(
            "post",
            "/mcp",
            "MCP: tools/list, tools/call, openenv/session/create, openenv/session/close",
            Some(object()),
            object(),
        ),
        operation(
            "get",
            "/list_environments",
            "The environments of this server",
            None,
            json!({"type": "array", "items": {"type": "string"}}),
        ),
    ]
}

/// The body of `GET /openapi.json`.
pub(super) fn openapi() -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for operation in operations() {
        let Operation {
            method,
            path,
            summary,
            request,
            response,
        } = operation;
        let content = |schema: Value| json!({"application/json": {"schema": schema}});
        let mut described = json!({
            "summary": summary,
            "operationId": format!("{}_{method}", path.trim_matches('/').replace('/', "_")),
            "responses": {"200": {"description": "OK", "content": content(response)}},
        });
        if let (Some(request), Some(described)) = (request, described.as_object_mut()) {
            let required = path == "/step";
            described.insert(
                "requestBody".to_owned(),
                json!({"required": required, "content": content(request)}),
            );
        }
        let entry = paths.entry(path).or_insert_with(|| json!({}));
        if let Some(entry) = entry.as_object_mut() {
            entry.insert(method.to_owned(), described);
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "OpenEnv Environment HTTP API", "version": WIRE_VERSION,
            "description": "Python episodes on OpenEnv's wire. A session is a WebSocket on /ws; these routes keep nothing.",
        },
        "paths": paths,
    })
}

/// The page of `GET /docs`. It needs nothing from elsewhere.
pub(super) fn page() -> String {
    let mut rows = String::new();
    for operation in operations() {
        let Operation {
            method,
            path,
            summary,
            request,
            response,
        } = operation;
        let shown =
            |schema: &Value| escaped(&serde_json::to_string_pretty(schema).unwrap_or_default());
        let request = request.map_or_else(String::new, |schema| {
            format!("<h3>Request</h3><pre>{}</pre>", shown(&schema))
        });
        rows += &format!(
            "<section><h2><code>{} {path}</code></h2><p>{summary}.</p><details><summary>Schemas</summary>{request}\
             <h3>Response</h3><pre>{}</pre></details></section>\n",
            method.to_uppercase(),
            shown(&response),
        );
    }
    PAGE.replace("{operations}", &rows)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

/// The style sheet of the page.
pub(super) const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem}\
pre{overflow:auto;padding:.75rem;border:1px solid #8886;border-radius:.4rem}:root{color-scheme:light dark}";

const PAGE: &str = r#"<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>coding-env: OpenEnv API</title>
<link rel="stylesheet" href="docs.css"></head>
<body>
<h1>OpenEnv API</h1>
<p>An episode that lives on is a WebSocket on <code>/ws</code>: frames <code>reset</code>, <code>step</code>, <code>state</code>,
<code>close</code> and <code>mcp</code>, one reply to each. The routes below keep nothing between requests.
The same, for programs: <a href="openapi.json">openapi.json</a>.</p>
{operations}</body>
</html>
"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_asks_nobody_else() {
        let page = page();
        assert!(!page.contains("http:") && !page.contains("https:") && !page.contains("<script"));
        assert!(page.contains("POST /step") && page.contains("exit_code"));
    }

    #[test]
    fn metadata_is_json() {
        let metadata: Value = serde_json::from_str(metadata()).unwrap();
        assert_eq!(metadata["version"], WIRE_VERSION);
    }
}
