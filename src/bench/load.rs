//! The client's side: closed loops of calls over the generated clients.

use std::collections::HashMap;
use std::future::Future;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use tokio::task::JoinSet;
use tonic::transport::Channel;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use super::process::Server;
use crate::client::{CodingEnv, Options, endpoint};
use crate::proto::v1::coding_env_client::CodingEnvClient;
use crate::proto::v1::{
    CloseRequest, CodeAction, GetServerInfoRequest, Limits, ResetRequest, StepRequest, StepResponse,
};

/// Connections that a load goes over. HTTP/2 carries many calls on each.
pub(super) const CONNECTIONS: usize = 2;
/// How long the pool may take to be full again.
const POOL_FULL_WITHIN: Duration = Duration::from_secs(20);
/// The code of a step that does next to nothing.
pub(super) const EMPTY_CODE: &str = "x = 1";

/// The connections to one server.
#[derive(Debug, Clone)]
pub(super) struct Connections(Vec<Channel>);

impl Connections {
    pub(super) async fn open(server: &Server) -> anyhow::Result<Self> {
        let endpoint = endpoint(&server.url(), &Options::default())?;
        let mut channels = Vec::new();
        for _ in 0..CONNECTIONS {
            channels.push(endpoint.connect().await?);
        }
        Ok(Self(channels))
    }

    pub(super) fn channel(&self, index: usize) -> anyhow::Result<Channel> {
        let channel = self.0.get(index % CONNECTIONS);
        channel.cloned().context("no connection")
    }

    /// The client number `index` of a load.
    pub(super) fn client(&self, index: usize) -> anyhow::Result<CodingEnvClient<Channel>> {
        Ok(CodingEnvClient::new(self.channel(index)?).max_decoding_message_size(64 << 20))
    }

    pub(super) fn health(&self, index: usize) -> anyhow::Result<Empty> {
        Ok(Empty(HealthClient::new(self.channel(index)?)))
    }

    /// Waits until the pool of warm workers is full, so that what is measured next neither lacks them nor competes with their forks.
    pub(super) async fn pool_full(&self, warm_workers: u32) -> anyhow::Result<()> {
        let mut client = self.client(0)?;
        let begun = Instant::now();
        while begun.elapsed() < POOL_FULL_WITHIN {
            let info = client.get_server_info(GetServerInfoRequest {}).await?;
            let runtime = info.into_inner().runtimes.into_iter().next();
            if runtime.is_some_and(|runtime| runtime.warm_workers >= warm_workers) {
                return Ok(());
            }
            // Nothing tells when it is.
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        bail!("the pool of warm workers was not full within {POOL_FULL_WITHIN:?}")
    }

    /// The version of the CPython that episodes run in.
    pub(super) async fn python_version(&self) -> anyhow::Result<String> {
        let mut client = self.client(0)?;
        let info = client.get_server_info(GetServerInfoRequest {}).await?;
        let runtime = info.into_inner().runtimes.into_iter().next();
        Ok(runtime.context("no runtime")?.python_version)
    }
}

/// A closed loop's one call.
pub(super) trait Call: Send + 'static {
    fn call(&mut self) -> impl Future<Output = anyhow::Result<()>> + Send;
}

/// The empty call: what a call costs that does nothing.
#[derive(Debug)]
pub(super) struct Empty(HealthClient<Channel>);

impl Call for Empty {
    async fn call(&mut self) -> anyhow::Result<()> {
        let service = String::new();
        self.0.check(HealthCheckRequest { service }).await?;
        Ok(())
    }
}

/// An episode; its call is a step that does next to nothing.
#[derive(Debug)]
pub(super) struct Episode {
    client: CodingEnvClient<Channel>,
    id: String,
    steps: u32,
}

impl Episode {
    /// Resets, ending `previous` with it.
    pub(super) async fn start(
        client: CodingEnvClient<Channel>,
        previous: &str,
    ) -> anyhow::Result<Self> {
        Self::start_with(client, previous, None).await
    }

    /// Resets with limits of its own.
    pub(super) async fn start_with(
        mut client: CodingEnvClient<Channel>,
        previous: &str,
        limits: Option<Limits>,
    ) -> anyhow::Result<Self> {
        let id = uuid::Uuid::now_v7().to_string();
        let request = ResetRequest {
            request_id: id.clone(),
            episode_id: id.clone(),
            previous_episode_id: previous.to_owned(),
            seed: None,
            runtime: String::new(),
            limits,
            environment: HashMap::new(),
            network: 0,
            files: Vec::new(),
        };
        client.reset(request).await?;
        Ok(Self {
            client,
            id,
            steps: 0,
        })
    }

    /// One that is there, and in which so many steps have run.
    pub(super) fn going_on(client: CodingEnvClient<Channel>, id: String, steps: u32) -> Self {
        Self { client, id, steps }
    }

    /// Runs code that has to come to its end.
    pub(super) async fn run(&mut self, code: &str) -> anyhow::Result<()> {
        let (mut client, request) = self.next_step(code);
        let reply = client.step(request).await?.into_inner();
        ensure!(reply.exit_code() == 0, "{}", reply.stderr());
        Ok(())
    }

    /// How many steps have run in it.
    pub(super) fn steps(&self) -> u32 {
        self.steps
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// A client, and the request for the next step, which counts from now on.
    pub(super) fn next_step(&mut self, code: &str) -> (CodingEnvClient<Channel>, StepRequest) {
        let request = StepRequest {
            episode_id: self.id.clone(),
            action: Some(CodeAction {
                code: code.to_owned(),
            }),
            step_index: Some(self.steps),
            timeout: None,
            limits: None,
            max_reply_bytes: None,
            display_mime_types: Vec::new(),
            on_failure: 0,
            roll_back_outcomes: Vec::new(),
        };
        self.steps += 1;
        (self.client.clone(), request)
    }

    pub(super) async fn step(&mut self, code: &str) -> anyhow::Result<StepResponse> {
        let (mut client, request) = self.next_step(code);
        let reply = client.step(request).await?.into_inner();
        let shown = reply.observation.as_ref();
        ensure!(
            shown.is_some_and(|shown| shown.exit_code == 0),
            "a step failed: {shown:?}"
        );
        Ok(reply)
    }

    pub(super) async fn close(mut self) -> anyhow::Result<()> {
        let episode_id = self.id;
        self.client.close(CloseRequest { episode_id }).await?;
        Ok(())
    }
}

impl Call for Episode {
    async fn call(&mut self) -> anyhow::Result<()> {
        self.step(EMPTY_CODE).await.map(drop)
    }
}

/// An episode over the typed client, which bears a token.
#[derive(Debug)]
pub(super) struct Bearing(pub(super) CodingEnv);

impl Call for Bearing {
    async fn call(&mut self) -> anyhow::Result<()> {
        let reply = self.0.step(EMPTY_CODE).await?;
        ensure!(reply.exit_code() == 0, "a step failed: {reply:?}");
        Ok(())
    }
}

/// A trainer that starts over after each step: its call is a Reset, which ends the episode before it, and one step.
#[derive(Debug)]
pub(super) struct Resets {
    client: CodingEnvClient<Channel>,
    previous: String,
}

impl Resets {
    pub(super) fn new(client: CodingEnvClient<Channel>) -> Self {
        Self {
            client,
            previous: String::new(),
        }
    }

    pub(super) async fn close(mut self) -> anyhow::Result<()> {
        let episode_id = self.previous;
        self.client.close(CloseRequest { episode_id }).await?;
        Ok(())
    }
}

impl Call for Resets {
    async fn call(&mut self) -> anyhow::Result<()> {
        let mut episode = Episode::start(self.client.clone(), &self.previous).await?;
        episode.call().await?;
        self.previous = episode.id;
        Ok(())
    }
}

/// The latency of each of `count` calls, one after the other.
pub(super) async fn latencies(call: &mut impl Call, count: usize) -> anyhow::Result<Vec<Duration>> {
    let mut times = Vec::with_capacity(count);
    for _ in 0..count {
        let begun = Instant::now();
        call.call().await?;
        times.push(begun.elapsed());
    }
    Ok(times)
}

/// The latency of each call that begins within `time`, one after the other.
pub(super) async fn latencies_for(
    call: &mut impl Call,
    time: Duration,
) -> anyhow::Result<Vec<Duration>> {
    let from = Instant::now();
    let mut times = Vec::new();
    while from.elapsed() < time {
        let begun = Instant::now();
        call.call().await?;
        times.push(begun.elapsed());
    }
    Ok(times)
}

/// Calls per second of closed loops, one for each of `calls`, over `time` once they have run for `lead_in`. The loops are given back.
pub(super) async fn rate<C: Call>(
    calls: Vec<C>,
    lead_in: Duration,
    time: Duration,
) -> anyhow::Result<(f64, Vec<C>)> {
    let from = Instant::now() + lead_in;
    let until = from + time;
    let mut loops = JoinSet::new();
    for mut call in calls {
        loops.spawn(async move {
            let mut count = 0_u32;
            loop {
                call.call().await?;
                let now = Instant::now();
                if now >= until {
                    return anyhow::Ok((count, call));
                }
                if now >= from {
                    count += 1;
                }
            }
        });
    }
    let mut total = 0_u32;
    let mut calls = Vec::new();
    while let Some(result) = loops.join_next().await {
        let (count, call) = result??;
        total += count;
        calls.push(call);
    }
    Ok((f64::from(total) / time.as_secs_f64(), calls))
}
