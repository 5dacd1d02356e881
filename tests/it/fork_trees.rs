//! Random trees of episodes against a plain model: whatever is done, each episode is what the model says, and nothing is left at the end.

use std::collections::BTreeMap;

use coding_env::client::CodingEnv;
use coding_env::proto::v1::{Evaluation, OnFailure, StateAfter};

use crate::support::copies::{copying, run};
use crate::support::{Server, is_full, soak};

/// What an episode is, said plainly.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Model {
    trail: Vec<u32>,
    files: BTreeMap<String, String>,
}

impl Model {
    /// What `SEEN` shows of it.
    fn seen(&self) -> String {
        let trail: Vec<String> = self.trail.iter().map(ToString::to_string).collect();
        let files: Vec<String> = self
            .files
            .iter()
            .map(|(name, text)| format!("'{name}': '{text}'"))
            .collect();
        format!("([{}], {{{}}})", trail.join(", "), files.join(", "))
    }

    /// Does what `change` does.
    fn change(&mut self, number: u32) {
        self.trail.push(number);
        let name = format!("f{}", number % 4);
        if number.is_multiple_of(7) {
            self.files.remove(&name);
        } else {
            let text = self.files.entry(name).or_default();
            text.push_str(&format!("{number},"));
        }
    }
}

const BEGIN: &str = "import os\ntrail = []";
const SEEN: &str = "trail, {name: open(name).read() for name in sorted(os.listdir())}";

fn change(number: u32) -> String {
    let name = format!("f{}", number % 4);
    if number.is_multiple_of(7) {
        format!("trail.append({number})\nif os.path.exists('{name}'): os.remove('{name}')")
    } else {
        format!(
            "trail.append({number})\nwith open('{name}', 'a') as file: _n = file.write('{number},')"
        )
    }
}

/// An episode, what it should be, and its checkpoints.
struct Node {
    env: CodingEnv,
    model: Model,
    steps: u32,
    checkpoints: BTreeMap<String, Model>,
}

impl Node {
    async fn run(&mut self, code: &str) -> String {
        self.steps += 1;
        run(&mut self.env, code).await
    }
}

/// Numbers that are the same in each run: what went wrong can be done again.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        // Knuth's MMIX.
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }
}

const LIVE_MAX: usize = 24;

#[tokio::test]
async fn random_trees_are_what_a_plain_model_says() {
    let Some(server) = copying(&[]).await else {
        return;
    };
    let operations = if is_full() { 10_000 } else { soak(300) };
    let mut chance = Chance(20_261_126);
    let mut nodes: Vec<Node> = Vec::new();
    for number in 0..operations as u32 {
        if nodes.is_empty() || nodes.len() < LIVE_MAX && chance.below(20) == 0 {
            nodes.push(root(&server).await);
            continue;
        }
        let at = chance.below(nodes.len());
        let room = LIVE_MAX.saturating_sub(nodes.len());
        let kind = chance.below(16);
        let node = &mut nodes[at];
        match kind {
            0..=4 => {
                node.run(&change(number)).await;
                node.model.change(number);
            }
            5 => {
                let seen = node.run(SEEN).await;
                assert_eq!(seen, node.model.seen(), "operation {number}");
            }
            6..=7 if room > 0 => {
                let count = 1 + chance.below(room.min(3));
                let children = node.env.fork(count).await.unwrap();
                let (model, steps) = (node.model.clone(), node.steps);
                nodes.extend(children.into_iter().map(|env| Node {
                    env,
                    model: model.clone(),
                    steps,
                    checkpoints: BTreeMap::new(),
                }));
            }
            8..=9 => {
                let name = format!("c{number}");
                node.env.checkpoint(&name).await.unwrap();
                node.checkpoints.insert(name, node.model.clone());
                if node.checkpoints.len() > 4 {
                    let (oldest, _) = node.checkpoints.pop_first().unwrap();
                    assert!(node.env.drop_checkpoint(oldest).await.unwrap());
                }
            }
            10..=11 if !node.checkpoints.is_empty() => {
                let which = chance.below(node.checkpoints.len());
                let (name, model) = node.checkpoints.iter().nth(which).unwrap();
                let rolled_back = node.env.rollback(name).await.unwrap();
                assert_eq!(rolled_back.state.unwrap().step_count, node.steps);
                node.model = model.clone();
            }
            12 => {
                let code = format!("{}\nprint(({SEEN}))", change(number));
                let mut model = node.model.clone();
                model.change(number);
                let evaluation = Evaluation::of(code).prints(model.seen());
                let result = node.env.evaluate(evaluation).await.unwrap();
                assert_eq!(result.score, Some(1.0), "operation {number}: {result:?}");
            }
            13 => {
                let mut options = coding_env::client::StepOptions::default();
                options.on_failure = OnFailure::RollBack;
                let ends = ["1 / 0", "os._exit(1)", "os.abort()"][chance.below(3)];
                let code = format!("{}\n{ends}", change(number));
                let reply = node.env.step_with(code, options).await.unwrap();
                assert_eq!(reply.state_after(), StateAfter::RolledBack);
                node.steps += 1;
            }
            14 if !node.checkpoints.is_empty() => {
                // It is lost, and comes back.
                let reply = node.env.step("os._exit(7)").await.unwrap();
                assert!(reply.done);
                node.steps += 1;
                let (name, model) = node.checkpoints.last_key_value().unwrap();
                node.env.rollback(name).await.unwrap();
                node.model = model.clone();
            }
            15 => {
                let mut node = nodes.swap_remove(at);
                let seen = node.run(SEEN).await;
                assert_eq!(seen, node.model.seen(), "operation {number}");
                node.env.close().await.unwrap();
            }
            _ => {}
        }
    }
    for mut node in nodes {
        let state = node.env.state().await.unwrap().state.unwrap();
        assert_eq!(state.step_count, node.steps);
        let seen = node.run(SEEN).await;
        assert_eq!(seen, node.model.seen());
        node.env.close().await.unwrap();
    }
    let capacity = server
        .env()
        .await
        .server_info()
        .await
        .unwrap()
        .capacity
        .unwrap();
    assert_eq!(
        (
            capacity.episodes,
            capacity.checkpoints,
            capacity.evaluations
        ),
        (0, 0, 0)
    );
}

async fn root(server: &Server) -> Node {
    let mut env = server.env().await;
    env.reset().await.unwrap();
    let mut node = Node {
        env,
        model: Model::default(),
        steps: 0,
        checkpoints: BTreeMap::new(),
    };
    node.run(BEGIN).await;
    node
}
