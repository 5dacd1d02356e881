//! What streams cost and gain: how soon output arrives, steps over sessions, and a neighbour whose output somebody reads.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, bail, ensure};
use tokio::task::JoinSet;

use super::load::{Connections, EMPTY_CODE, Episode};
use super::process::Server;
use crate::client::{Options, Session, endpoint};
use crate::proto::v1::coding_env_client::CodingEnvClient;
use crate::proto::v1::step_stream_response::Event;
use crate::proto::v1::{OutputPiece, OutputStream, StepResponse, StepStreamRequest};

/// Streams that the steps of all episodes go over.
pub(super) const SESSIONS: usize = 4;

/// Runs a step, and gives each piece of its output.
async fn follow(
    episode: &mut Episode,
    code: &str,
    mut take: impl FnMut(OutputPiece),
) -> anyhow::Result<StepResponse> {
    let (mut client, step) = episode.next_step(code);
    let request = StepStreamRequest {
        step: Some(step),
        heartbeat: None,
        stdout_offset: 0,
        stderr_offset: 0,
    };
    let mut responses = client.step_stream(request).await?.into_inner();
    while let Some(response) = responses.message().await? {
        match response.event {
            Some(Event::Piece(piece)) => take(piece),
            Some(Event::Heartbeat(_)) | None => {}
            Some(Event::Reply(reply)) => return Ok(reply),
        }
    }
    bail!("a stream ended before its reply")
}

/// From each line's being written, as the program tells by the clock, to when it is here.
pub(super) async fn latencies(episode: &mut Episode, lines: u32) -> anyhow::Result<Vec<Duration>> {
    let code = format!(
        "import time
for _ in range({lines}):
    print(time.time_ns())
    time.sleep(0.01)
"
    );
    let mut found = Vec::new();
    let mut line = Vec::new();
    let take = |piece: OutputPiece| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.unwrap_or_default();
        line.extend(piece.data);
        while let Some(end) = line.iter().position(|byte| *byte == b'\n') {
            let text: Vec<u8> = line.drain(..=end).collect();
            let written = String::from_utf8_lossy(&text).trim().parse().ok();
            found.extend(written.map(|written| now.saturating_sub(Duration::from_nanos(written))));
        }
    };
    let reply = follow(episode, &code, take).await?;
    ensure!(reply.exit_code() == 0, "{}", reply.stderr());
    ensure!(found.len() == usize::try_from(lines)?, "lines are missing");
    Ok(found)
}

/// Has an episode print for so long, with a reader who takes all, in a thread of its own: it is not to compete with who measures.
pub(super) async fn flood(server_url: String, code: String) -> anyhow::Result<()> {
    let reading = tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(async {
            let channel = endpoint(&server_url, &Options::default())?
                .connect()
                .await?;
            let client = CodingEnvClient::new(channel).max_decoding_message_size(64 << 20);
            let mut neighbour = Episode::start(client, "").await?;
            let mut told = 0;
            let take = |piece: OutputPiece| {
                if piece.stream() == OutputStream::Stdout {
                    told += piece.data.len() as u64 + piece.dropped_bytes;
                }
            };
            let reply = follow(&mut neighbour, &code, take).await?;
            let observed = reply.observed.context("no facts")?;
            ensure!(told == observed.stdout_total_bytes, "output is missing");
            neighbour.close().await
        })
    });
    reading.await?
}

/// What a load took.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cost {
    /// Steps per second.
    pub(super) rate: f64,
    /// CPU time of client and server, in microseconds a step.
    pub(super) cpu_micros: f64,
}

/// CPU time of this process and of the server's, without its episodes.
fn cpu_time(server: &Server) -> anyhow::Result<Duration> {
    let pid = server.pid().context("the server has ended")?;
    let mut sum = Duration::ZERO;
    for stat in [format!("/proc/{pid}/stat"), "/proc/self/stat".to_owned()] {
        let stat = std::fs::read_to_string(stat)?;
        // utime and stime of proc_pid_stat(5), the 12th and 13th after the name, in ticks.
        let (_, rest) = stat.rsplit_once(')').context("no name")?;
        let ticks: u64 = rest
            .split_whitespace()
            .skip(11)
            .take(2)
            .filter_map(|ticks| ticks.parse::<u64>().ok())
            .sum();
        let a_second = rustix::param::clock_ticks_per_second().max(1);
        sum += Duration::from_millis(ticks * 1000 / a_second);
    }
    Ok(sum)
}

/// The steps of all episodes at once, each a call of its own.
pub(super) async fn unary(
    server: &Server,
    episodes: &mut [Episode],
    rounds: u32,
) -> anyhow::Result<Cost> {
    let (begun, cpu) = (Instant::now(), cpu_time(server)?);
    for _ in 0..rounds {
        let mut steps = JoinSet::new();
        for episode in episodes.iter_mut() {
            let (mut client, request) = episode.next_step(EMPTY_CODE);
            steps.spawn(async move { anyhow::Ok(client.step(request).await?.into_inner()) });
        }
        check(steps).await?;
    }
    cost(server, episodes.len(), rounds, begun, cpu)
}

/// The same over sessions.
pub(super) async fn over_sessions(
    server: &Server,
    sessions: &[Session],
    episodes: &mut [Episode],
    rounds: u32,
) -> anyhow::Result<Cost> {
    let (begun, cpu) = (Instant::now(), cpu_time(server)?);
    for _ in 0..rounds {
        let mut steps = JoinSet::new();
        for (episode, session) in episodes.iter_mut().zip(sessions.iter().cycle()) {
            let (_, request) = episode.next_step(EMPTY_CODE);
            let session = session.clone();
            steps.spawn(async move { anyhow::Ok(session.step(request).await?) });
        }
        check(steps).await?;
    }
    cost(server, episodes.len(), rounds, begun, cpu)
}

async fn check(mut steps: JoinSet<anyhow::Result<StepResponse>>) -> anyhow::Result<()> {
    while let Some(reply) = steps.join_next().await {
        let reply = reply??;
        ensure!(reply.exit_code() == 0, "a step failed: {}", reply.stderr());
    }
    Ok(())
}

fn cost(
    server: &Server,
    episodes: usize,
    rounds: u32,
    begun: Instant,
    cpu: Duration,
) -> anyhow::Result<Cost> {
    let steps = f64::from(u32::try_from(episodes)?) * f64::from(rounds);
    let used = cpu_time(server)?.saturating_sub(cpu);
    Ok(Cost {
        rate: steps / begun.elapsed().as_secs_f64(),
        cpu_micros: used.as_secs_f64() * 1e6 / steps,
    })
}

/// Sessions over the connections of a load.
pub(super) fn sessions(connections: &Connections) -> anyhow::Result<Vec<Session>> {
    (0..SESSIONS)
        .map(|index| {
            Ok(Session::with_channel(
                connections.channel(index)?,
                Options::default(),
            ))
        })
        .collect()
}
