//! A hundred episodes over one connection, all stepping at once, as a trainer does after each forward pass.
//!
//! ```sh
//! cargo run --release --example many_episodes
//! cargo run --release --example many_episodes -- --url http://127.0.0.1:8000 --episodes 1000
//! ```

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::time::Instant;

use clap::Parser;
use coding_env::client::{self, CodingEnv, Options, endpoint};
use coding_env::config::{Config, ServeArgs};
use coding_env::server::LocalServer;
use tokio::task::JoinSet;

/// Steps many episodes at once over one connection.
#[derive(Debug, Parser)]
struct Args {
    /// A server that runs already, http://HOST:PORT. Without it the example starts one in this process.
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// How many episodes.
    #[arg(long, default_value_t = 100, value_name = "COUNT")]
    episodes: u32,
    /// How many steps each of them takes.
    #[arg(long, default_value_t = 10, value_name = "COUNT")]
    steps: u32,
}

fn main() -> Result<(), Box<dyn Error>> {
    coding_env::enter_role();
    let Args {
        url,
        episodes,
        steps,
    } = Args::parse();
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        match url {
            Some(url) => run(&url, episodes, steps).await,
            None => {
                let server =
                    LocalServer::start(Config::try_from(ServeArgs::from_environment()?)?).await?;
                let result = run(&server.url(), episodes, steps).await;
                let stopped = server.stop().await;
                result?;
                Ok(stopped?)
            }
        }
    })
}

async fn run(url: &str, episodes: u32, steps: u32) -> Result<(), Box<dyn Error>> {
    let channel = endpoint(url, &Options::default())?.connect().await?;

    let begun = Instant::now();
    let mut tasks = JoinSet::new();
    for number in 0..episodes {
        let env = CodingEnv::with_channel(channel.clone(), Options::default());
        tasks.spawn(episode(env, number, steps));
    }
    let mut right = 0;
    while let Some(total) = tasks.join_next().await {
        right += u32::from(total??);
    }
    println!(
        "{episodes} episodes of {steps} steps each, at once over one connection: {:.0?}; {right} have the right sum",
        begun.elapsed()
    );
    if right == episodes {
        Ok(())
    } else {
        Err("an episode saw what was not its own".into())
    }
}

/// One episode: adds up its own numbers, a step at a time. Returns whether the sum is right.
async fn episode(mut env: CodingEnv, number: u32, steps: u32) -> Result<bool, client::Error> {
    let right = count(&mut env, number, steps).await;
    env.close().await?;
    right
}

async fn count(env: &mut CodingEnv, number: u32, steps: u32) -> Result<bool, client::Error> {
    env.reset().await?;
    env.step("total = 0").await?;
    for _ in 0..steps {
        env.step(format!("total += {number}")).await?;
    }
    let reply = env.step("total").await?;
    Ok(reply.result() == Some(&(u64::from(number) * u64::from(steps)).to_string()))
}
