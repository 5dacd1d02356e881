//! A small tree search over code: each node is a live episode, its children are forks of it that take one more step, and the best few of a level go on.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;

use coding_env::client::CodingEnv;
use coding_env::config::{Config, ServeArgs};
use coding_env::server::LocalServer;

/// From 1 to 47, by these steps.
const MOVES: [&str; 3] = ["n = n * 2", "n = n * 3 + 1", "n = n - 3"];
/// How many nodes of a level go on.
const BEAM: usize = 3;

fn main() -> Result<(), Box<dyn Error>> {
    coding_env::enter_role();
    tokio::runtime::Runtime::new()?.block_on(async {
        let server = LocalServer::start(Config::try_from(ServeArgs::from_environment()?)?).await?;
        let done = run(CodingEnv::connect(&server.url()).await?).await;
        server.stop().await?;
        done
    })
}

async fn run(mut root: CodingEnv) -> Result<(), Box<dyn Error>> {
    root.reset().await?;
    root.step("n = 1").await?;
    let mut level = vec![(46, Vec::new(), root)];
    // Each node by its way from the root: sorted, that is the tree.
    let mut tree = Vec::new();
    while level.iter().all(|(left, ..)| *left > 0) {
        let mut next = Vec::new();
        for (_, path, mut node) in level {
            let children = node.fork(MOVES.len()).await?.into_iter().zip(MOVES);
            for (at, (mut child, code)) in children.enumerate() {
                let step = format!("{code}\nprint(n)\nabs(n - 47)");
                let reply = child.step(step).await?;
                let left: u32 = reply.result().unwrap_or_default().parse()?;
                let path = [path.as_slice(), &[at]].concat();
                let told = format!("{code} → {}", reply.stdout().trim());
                tree.push((path.clone(), told));
                next.push((left, path, child));
            }
            node.close().await?;
        }
        // Those that are dropped here end with the server.
        next.sort_by_key(|(left, ..)| *left);
        next.truncate(BEAM);
        level = next;
    }
    tree.sort();
    for (path, told) in tree {
        println!("{}├─ {told}", "│  ".repeat(path.len() - 1));
    }
    Ok(())
}
