//! The client's side on OpenEnv's wire, against any server that speaks it.

use anyhow::{Context as _, bail, ensure};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

use super::load::Call;

/// The step that does next to nothing, as a frame.
const EMPTY_STEP: &str = r#"{"type": "step", "data": {"code": "x = 1"}}"#;
const RESET: &str = r#"{"type": "reset", "data": {}}"#;

/// A session on a WebSocket; its call is a step that does next to nothing.
#[derive(Debug)]
pub(super) struct Session(WebSocketStream<TcpStream>);

impl Session {
    /// Opens one and resets it. `url` is what clients are given: `http://HOST:PORT`, with or without a path.
    pub(super) async fn start(url: &str) -> anyhow::Result<Self> {
        let rest = url
            .strip_prefix("http://")
            .with_context(|| format!("`{url}`: it has to be http://HOST:PORT"))?
            .trim_end_matches('/');
        let host = rest.split('/').next().unwrap_or_default();
        let address = match host.rsplit_once(':') {
            Some(_) => host.to_owned(),
            None => format!("{host}:80"),
        };
        let stream = TcpStream::connect(&address)
            .await
            .with_context(|| format!("connecting to {address}"))?;
        stream.set_nodelay(true)?;
        let (socket, _) = client_async(format!("ws://{rest}/ws"), stream).await?;
        let mut session = Self(socket);
        session.ask(RESET).await?;
        Ok(session)
    }

    async fn ask(&mut self, frame: &'static str) -> anyhow::Result<()> {
        self.0.send(Message::text(frame)).await?;
        loop {
            let text = match self.0.next().await.context("the server has closed")?? {
                Message::Text(text) => text,
                Message::Ping(_) | Message::Pong(_) => continue,
                other => bail!("not a text: {other:?}"),
            };
            let answer: Value = serde_json::from_str(text.as_str())?;
            let exit_code = answer.pointer("/data/observation/exit_code");
            ensure!(
                exit_code == Some(&Value::from(0)),
                "a frame failed: {answer}"
            );
            return Ok(());
        }
    }

    pub(super) async fn close(mut self) -> anyhow::Result<()> {
        self.0.close(None).await?;
        Ok(())
    }
}

impl Call for Session {
    async fn call(&mut self) -> anyhow::Result<()> {
        self.ask(EMPTY_STEP).await
    }
}
