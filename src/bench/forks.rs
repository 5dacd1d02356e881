//! What a copy of a live episode costs, beside what fork(2) costs in that very process.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

use super::load::{Connections, Episode};
use super::memory::settled_memory;
use crate::proto::v1::{ForkRequest, ForkResponse, StepResponse};

/// Copies of a group.
pub(super) const GROUP: u32 = 64;

/// A heap of about 100 MB: what a data scientist's session has, where that is installed, and a million numbers.
const HEAP: &str = "\
import os, time
for name in ('numpy', 'pandas'):
    try: __import__(name)
    except ImportError: pass
numbers = [number * 3 for number in range(1_000_000)]
text = bytearray(os.urandom(1 << 20) * 50)";
/// One fork of the process: how long the call takes, and until the child's first byte is there. In seconds.
const BARE: &str = "\
def bare():
    reader, writer = os.pipe()
    begun = time.perf_counter()
    pid = os.fork()
    if pid == 0:
        os.write(writer, b'x')
        os._exit(0)
    forked = time.perf_counter()
    os.read(reader, 1)
    first = time.perf_counter()
    os.waitpid(pid, 0)
    os.close(reader)
    os.close(writer)
    return forked - begun, first - begun
'{} {}'.format(*bare())";
/// A group of forks, each of which writes a byte and waits to be killed, until all bytes are there. In seconds.
const BARE_GROUP: &str = "\
def group(count):
    reader, writer = os.pipe()
    pids = []
    begun = time.perf_counter()
    for _ in range(count):
        pid = os.fork()
        if pid == 0:
            os.write(writer, b'x')
            while True: time.sleep(1000)
        pids.append(pid)
    left = count
    while left: left -= len(os.read(reader, left))
    took = time.perf_counter() - begun
    for pid in pids:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
    os.close(reader)
    os.close(writer)
    return took
";

/// After which a request that was begun is on its way. The wait is a part of the pause that is told.
const SENT_WITHIN: Duration = Duration::from_micros(100);

/// One round, in milliseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Round {
    /// The call of `os.fork`.
    pub(super) bare_pause: f64,
    /// `os.fork` to the child's first byte.
    pub(super) bare_first: f64,
    /// Fork to the reply to the child's first step.
    pub(super) first_reply: f64,
    /// By how much the parent's next step is later when it is sent right behind a Fork.
    pub(super) pause: f64,
    /// A group of bare forks, and of copies that are ready.
    pub(super) bare_group: f64,
    pub(super) group: f64,
}

/// An episode with a large heap.
pub(super) async fn parent(connections: &Connections) -> anyhow::Result<Episode> {
    let mut parent = Episode::start(connections.client(0)?, "").await?;
    parent.run(HEAP).await?;
    parent.run(BARE_GROUP).await?;
    Ok(parent)
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}

/// Numbers that a step's result shows, in milliseconds.
fn times(reply: &StepResponse) -> anyhow::Result<Vec<f64>> {
    let result = reply
        .observation
        .as_ref()
        .and_then(|shown| shown.result.as_ref());
    let text = result.context("no result")?;
    let words = text.trim_matches('\'').split_whitespace();
    words.map(|word| Ok(word.parse::<f64>()? * 1e3)).collect()
}

fn request(parent: &Episode, count: u32) -> ForkRequest {
    ForkRequest {
        episode_id: parent.id().to_owned(),
        count,
        ..ForkRequest::default()
    }
}

/// The children of a Fork.
fn going_on(
    connections: &Connections,
    parent: &Episode,
    response: ForkResponse,
) -> anyhow::Result<Vec<Episode>> {
    let client = connections.client(0)?;
    let child = |id| Episode::going_on(client.clone(), id, parent.steps());
    let children = response.children.into_iter();
    Ok(children.map(|one| child(one.episode_id)).collect())
}

/// Copies an episode.
pub(super) async fn copies(
    connections: &Connections,
    parent: &Episode,
    count: u32,
) -> anyhow::Result<Vec<Episode>> {
    let mut client = connections.client(0)?;
    let response = client.fork(request(parent, count)).await?.into_inner();
    let made = going_on(connections, parent, response)?;
    ensure!(
        made.len() == usize::try_from(count)?,
        "children are missing"
    );
    Ok(made)
}

/// Ends copies.
pub(super) async fn close(copies: Vec<Episode>) -> anyhow::Result<()> {
    for copy in copies {
        copy.close().await?;
    }
    Ok(())
}

/// Both sides, in turn, each once what was copied before is gone: ending 64 copies takes the kernel longer than making one.
pub(super) async fn round(
    connections: &Connections,
    parent: &mut Episode,
) -> anyhow::Result<Round> {
    settled_memory().await?;
    let bare = times(&parent.step(BARE).await?)?;
    let &[bare_pause, bare_first] = bare.as_slice() else {
        anyhow::bail!("a bare fork told {bare:?}")
    };

    let begun = Instant::now();
    let mut made = copies(connections, parent, 1).await?;
    let child = made.last_mut().context("no child")?;
    child.step("1").await?;
    let first_reply = milliseconds(begun);
    close(made).await?;

    let begun = Instant::now();
    parent.step("1").await?;
    let alone = milliseconds(begun);
    let begun = Instant::now();
    let mut client = connections.client(0)?;
    let request = request(parent, 1);
    // A task of its own, so that the step can be sent right behind it.
    let forking = tokio::spawn(async move { client.fork(request).await });
    tokio::time::sleep(SENT_WITHIN).await;
    let (mut client, step) = parent.next_step("1");
    client.step(step).await?;
    let pause = (milliseconds(begun) - alone).max(0.0);
    let response = forking.await??.into_inner();
    close(going_on(connections, parent, response)?).await?;

    settled_memory().await?;
    let bare = times(
        &parent
            .step(&format!("'{{}}'.format(group({GROUP}))"))
            .await?,
    )?;
    settled_memory().await?;
    let begun = Instant::now();
    let made = copies(connections, parent, GROUP).await?;
    let group = milliseconds(begun);
    close(made).await?;
    Ok(Round {
        bare_pause,
        bare_first,
        first_reply,
        pause,
        bare_group: bare.first().copied().context("no time")?,
        group,
    })
}
