//! Callers without a token that is in force, at a steady pace, on a thread of their own: what they cost there is not the measured client's.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use tonic::metadata::AsciiMetadataValue;
use tonic::{Code, Request};

use crate::client::{CodingEnv, Options, Token, endpoint};
use crate::proto::v1::GetStateRequest;
use crate::proto::v1::coding_env_client::CodingEnvClient;

/// One request a millisecond, as long as the server keeps up.
const EVERY: Duration = Duration::from_millis(1);
/// The tokens: one that is in force, one that has expired, one that is not listed.
const GOOD: &str = "bench-0123456789abcdefghijklmnop";
const LATE: &str = "late-0123456789abcdefghijklmnopq";
const WRONG: &str = "wrong-0123456789abcdefghijklmnop";

/// Writes the tokens file of a server that strangers call.
pub(super) fn tokens_file(folder: &Path) -> anyhow::Result<PathBuf> {
    use std::os::unix::fs::PermissionsExt as _;
    let path = folder.join("tokens");
    std::fs::write(
        &path,
        format!("bench {GOOD}\nlate {LATE} 2020-01-01T00:00:00Z\n"),
    )?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    Ok(path)
}

/// An episode of the one who has a token.
pub(super) async fn good_client(url: &str) -> anyhow::Result<CodingEnv> {
    let options = Options {
        token: Some(Token::new(GOOD)?),
        ..Options::default()
    };
    let mut env = CodingEnv::connect_with(url, options).await?;
    env.reset().await?;
    Ok(env)
}

/// The callers, until they are stopped.
#[derive(Debug)]
pub(super) struct Strangers {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<anyhow::Result<u32>>,
}

impl Strangers {
    pub(super) fn start(url: String) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            runtime.block_on(call(&url, &stopped))
        });
        Self { stop, thread }
    }

    /// Ends them, and tells how many requests were refused.
    pub(super) fn stop(self) -> anyhow::Result<u32> {
        self.stop.store(true, Ordering::Relaxed);
        match self.thread.join() {
            Ok(refused) => refused,
            Err(_) => bail!("the callers without a token panicked"),
        }
    }
}

async fn call(url: &str, stop: &AtomicBool) -> anyhow::Result<u32> {
    let channel = endpoint(url, &Options::default())?.connect().await?;
    let mut client = CodingEnvClient::new(channel);
    let headers = [
        None,
        Some("Basic abc".to_owned()),
        Some(format!("Bearer {WRONG}")),
        Some(format!("Bearer {LATE}")),
    ];
    let mut pace = tokio::time::interval(EVERY);
    let mut refused = 0;
    for header in headers.iter().cycle() {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        pace.tick().await;
        let episode_id = "strange".to_owned();
        let mut request = Request::new(GetStateRequest { episode_id });
        if let Some(header) = header {
            let value = AsciiMetadataValue::try_from(header)?;
            request.metadata_mut().insert("authorization", value);
        }
        let answer = client.get_state(request).await;
        let status = answer
            .err()
            .context("a request without a token was answered")?;
        ensure!(status.code() == Code::Unauthenticated, "{status}");
        refused += 1;
    }
    Ok(refused)
}
