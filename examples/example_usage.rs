//! The whole flow: reset, a few steps, the state, close.
//!
//! ```sh
//! cargo run --release --example example_usage                                # starts a server of its own
//! cargo run --release --example example_usage -- --url http://127.0.0.1:8000  # uses one that runs
//! cargo run --release --features docker --example example_usage -- --image coding-env:latest  # in a container of its own
//! ```

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;

use clap::Parser;
use coding_env::client::CodingEnv;
use coding_env::config::{Config, ServeArgs};
use coding_env::proto::v1;
use coding_env::server::LocalServer;

/// Resets an environment, runs a few steps in it, and shows what comes back.
#[derive(Debug, Parser)]
struct Args {
    /// A server that runs already, http://HOST:PORT. Without it the example starts one in this process.
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// An image to start a server from, as for `docker run`.
    #[cfg(feature = "docker")]
    #[arg(long, value_name = "IMAGE", conflicts_with = "url")]
    image: Option<String>,
}

const CODE_SAMPLES: [&str; 5] = [
    "print('Hello, World!')",
    "x = 5 + 3\nprint(f'Result: {x}')",
    "import math\nprint(math.pi)",
    "[x, x * 2]  # variables live on, and a last expression is shown as at a prompt",
    "print('before the error')\n1 / 0",
];

fn main() -> Result<(), Box<dyn Error>> {
    // The server executes this program again to get a small process that starts the interpreters.
    coding_env::enter_role();
    let args = Args::parse();
    let url = args.url;
    let runtime = tokio::runtime::Runtime::new()?;
    #[cfg(feature = "docker")]
    if let Some(image) = args.image {
        return runtime.block_on(async {
            println!("Starting a container of {image} ...");
            use_env(CodingEnv::from_docker_image(&image).await?).await?;
            println!("The container is gone");
            Ok(())
        });
    }
    runtime.block_on(async {
        match url {
            Some(url) => use_env(CodingEnv::connect(&url).await?).await,
            None => {
                println!("Starting a server in this process ...");
                let server =
                    LocalServer::start(Config::try_from(ServeArgs::from_environment()?)?).await?;
                println!("It listens on {}\n", server.url());
                let used = match CodingEnv::connect(&server.url()).await {
                    Ok(env) => use_env(env).await,
                    Err(error) => Err(error.into()),
                };
                // Whatever happened above, nothing stays behind.
                let stopped = server.stop().await;
                used?;
                stopped?;
                println!("The server has ended, and every process of it");
                Ok(())
            }
        }
    })
}

async fn use_env(mut env: CodingEnv) -> Result<(), Box<dyn Error>> {
    let used = run_samples(&mut env).await;
    // Always clean up. This ends the episode; it stops no server but one in a container that was started for it.
    let closed = env.close().await;
    used?;
    closed?;
    println!("Closed the episode");
    Ok(())
}

async fn run_samples(env: &mut CodingEnv) -> Result<(), Box<dyn Error>> {
    let reply = env.reset().await?;
    let exit_code = reply
        .observation
        .map_or(0, |observation| observation.exit_code);
    println!("Reset complete: exit_code={exit_code}");

    for code in CODE_SAMPLES {
        let reply = env.step(code).await?;
        println!("\nCode: {}", code.replace('\n', "\n      "));
        show("stdout", reply.stdout());
        show("result", reply.result().unwrap_or_default());
        show("stderr", reply.stderr());
        println!("  → exit_code: {}", reply.exit_code());
        if let Some(reward) = reply.reward {
            println!("  → reward: {reward}");
        }
        if reply.outcome() == v1::Outcome::Raised {
            println!(
                "  → the code raised; its variables are still there: done={}",
                reply.done
            );
        }
    }

    let state = env.state().await?.state.unwrap_or_default();
    let v1::CodeState {
        episode_id,
        step_count,
        last_exit_code,
    } = state;
    println!(
        "\nState: episode_id={episode_id} step_count={step_count} last_exit_code={last_exit_code}"
    );
    Ok(())
}

fn show(name: &str, text: &str) {
    if !text.is_empty() {
        println!(
            "  → {name}: {}",
            text.trim_end().replace('\n', "\n            ")
        );
    }
}
