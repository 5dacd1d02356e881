//! A client of OpenEnv's wire that sees what is on it: frames and bodies as text.

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue};
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::{PATIENCE, Server};

/// A WebSocket.
pub(crate) struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    /// Opens `/ws`.
    pub(crate) async fn open(server: &Server) -> Self {
        Self::open_at(server, "/ws").await
    }

    pub(crate) async fn open_at(server: &Server, path: &str) -> Self {
        Self::try_open(server, path, &[]).await.unwrap()
    }

    /// Opens one with further headers.
    ///
    /// # Errors
    /// The status that it was refused with.
    pub(crate) async fn try_open(
        server: &Server,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Result<Self, u16> {
        let url = format!("ws://{}{path}", server.address());
        let mut request = url.into_client_request().unwrap();
        for (name, value) in headers {
            let name = HeaderName::try_from(*name).unwrap();
            request
                .headers_mut()
                .insert(name, HeaderValue::from_str(value).unwrap());
        }
        match timeout(PATIENCE, connect_async(request)).await.unwrap() {
            Ok((socket, _)) => Ok(Self(socket)),
            Err(tungstenite::Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    /// Sends a frame.
    pub(crate) async fn send(&mut self, message: impl Into<Message>) {
        timeout(PATIENCE, self.0.send(message.into()))
            .await
            .unwrap()
            .unwrap();
    }

    /// The next frame, whatever it is. None when the connection has gone.
    pub(crate) async fn next(&mut self) -> Option<Message> {
        let next = timeout(PATIENCE, self.0.next()).await.unwrap();
        next.and_then(Result::ok)
    }

    /// The next text.
    pub(crate) async fn text(&mut self) -> String {
        loop {
            match self.next().await {
                Some(Message::Text(text)) => return text.as_str().to_owned(),
                Some(Message::Ping(_) | Message::Pong(_)) => {}
                other => panic!("no text: {other:?}"),
            }
        }
    }

    /// Sends a text, and returns the answer.
    pub(crate) async fn ask(&mut self, text: &str) -> String {
        self.send(text).await;
        self.text().await
    }

    /// Asks, and reads the answer.
    pub(crate) async fn ask_json(&mut self, frame: &Value) -> Value {
        let answer = self.ask(&frame.to_string()).await;
        serde_json::from_str(&answer).unwrap()
    }

    /// Runs code. Returns the `data` of the observation.
    pub(crate) async fn step(&mut self, code: &str) -> Value {
        let answer = self
            .ask_json(&json!({"type": "step", "data": {"code": code}}))
            .await;
        assert_eq!(answer["type"], "observation", "{code}: {answer}");
        answer["data"].clone()
    }

    /// Runs code that ends well. Returns its standard output.
    pub(crate) async fn stdout(&mut self, code: &str) -> String {
        let data = self.step(code).await;
        assert_eq!(data["observation"]["exit_code"], 0, "{code}: {data}");
        data["observation"]["stdout"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn reset(&mut self, options: Value) -> Value {
        let answer = self
            .ask_json(&json!({"type": "reset", "data": options}))
            .await;
        assert_eq!(answer["type"], "observation", "{answer}");
        answer["data"].clone()
    }

    pub(crate) async fn state(&mut self) -> Value {
        self.ask_json(&json!({"type": "state"})).await["data"].clone()
    }

    /// The code and the reason of the server's close.
    pub(crate) async fn closed(&mut self) -> (u16, String) {
        match self.next().await {
            Some(Message::Close(Some(frame))) => {
                (frame.code.into(), frame.reason.as_str().to_owned())
            }
            other => panic!("no close: {other:?}"),
        }
    }
}

/// A response over HTTP/1.1.
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// In lower case.
    pub(crate) headers: String,
    pub(crate) body: String,
}

/// Asks over HTTP/1.1, on a connection of its own: `GET /health`.
pub(crate) async fn ask(
    server: &Server,
    request: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Answer {
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    let mut text = format!("{request} HTTP/1.1\r\nConnection: close\r\n");
    if !headers.iter().any(|(name, _)| *name == "Host") {
        text += &format!("Host: {}\r\n", server.address());
    }
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    if !request.starts_with("GET") {
        text += &format!(
            "Content-Type: application/json\r\nContent-Length: {}\r\n",
            body.len()
        );
    }
    text += &format!("\r\n{body}");
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut answer))
        .await
        .unwrap()
        .unwrap();
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer {
        status,
        headers: head.to_lowercase(),
        body: body.to_owned(),
    }
}

/// Asks, and returns status and body.
pub(crate) async fn told(server: &Server, request: &str, body: &str) -> (u16, String) {
    let answer = ask(server, request, &[], body).await;
    (answer.status, answer.body)
}

/// A call of JSON-RPC.
pub(crate) async fn mcp(server: &Server, method: &str, params: Value) -> Value {
    let request = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    let (status, body) = told(server, "POST /mcp", &request.to_string()).await;
    assert_eq!(status, 200);
    serde_json::from_str(&body).unwrap()
}
