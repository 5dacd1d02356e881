//! What a trainer asks of copies: groups of rollouts, each from a prefix that has run, all at once.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use tokio::task::JoinSet;

use super::load::{Connections, Episode};
use crate::proto::v1::ForkRequest;

/// Prefixes, rollouts of each, and steps of each of these.
#[derive(Debug, Clone, Copy)]
pub(super) struct Groups {
    pub(super) prefixes: usize,
    pub(super) branches: usize,
    pub(super) steps: u32,
}

/// A prefix: what all rollouts of a group have in common.
const PREFIX: &str = "import json, random, re
facts = {n: str(n) * 8 for n in range(20_000)}";
/// A step of a rollout.
const STEP: &str = "facts[random.randrange(20_000)] = json.dumps([len(facts), random.random()])
len(facts)";

/// The rollouts, ready to step, and how long copying all groups took.
pub(super) async fn fork(
    connections: &Connections,
    groups: Groups,
) -> anyhow::Result<(Vec<Episode>, Vec<Episode>, Duration)> {
    let mut prefixes = Vec::with_capacity(groups.prefixes);
    for index in 0..groups.prefixes {
        let mut prefix = Episode::start(connections.client(index)?, "").await?;
        prefix.run(PREFIX).await?;
        prefixes.push(prefix);
    }
    let begun = Instant::now();
    let mut forks = JoinSet::new();
    for (index, prefix) in prefixes.iter().enumerate() {
        let mut client = connections.client(index)?;
        let ids = std::iter::repeat_with(|| uuid::Uuid::now_v7().to_string());
        let request = ForkRequest {
            episode_id: prefix.id().to_owned(),
            child_ids: ids.take(groups.branches).collect(),
            ..ForkRequest::default()
        };
        forks.spawn(async move {
            let response = client.fork(request).await?.into_inner();
            let child = |id: String| Episode::going_on(client.clone(), id, 1);
            let children = response.children.into_iter().map(|one| one.episode_id);
            anyhow::Ok(children.map(child).collect::<Vec<_>>())
        });
    }
    let mut rollouts = Vec::new();
    while let Some(children) = forks.join_next().await {
        rollouts.extend(children??);
    }
    let took = begun.elapsed();
    ensure!(
        rollouts.len() == groups.prefixes * groups.branches,
        "children are missing"
    );
    Ok((prefixes, rollouts, took))
}

/// Runs all steps of all rollouts, at once, none of which may fail. Returns steps per second.
pub(super) async fn step(
    rollouts: Vec<Episode>,
    steps: u32,
) -> anyhow::Result<(Vec<Episode>, f64)> {
    let count = u32::try_from(rollouts.len())?;
    let begun = Instant::now();
    let mut running = JoinSet::new();
    for mut rollout in rollouts {
        running.spawn(async move {
            for _ in 0..steps {
                rollout.run(STEP).await?;
            }
            anyhow::Ok(rollout)
        });
    }
    let mut done = Vec::new();
    while let Some(rollout) = running.join_next().await {
        done.push(rollout.context("a rollout")??);
    }
    let rate = f64::from(count * steps) / begun.elapsed().as_secs_f64();
    Ok((done, rate))
}
