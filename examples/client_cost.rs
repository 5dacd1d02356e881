//! What a step costs the client's own process: its CPU time, over many steps one after another, on a server in another process.
//!
//! ```sh
//! cargo run --release --example client_cost -- --url http://127.0.0.1:8000 --steps 5000
//! ```

#![expect(clippy::print_stdout, reason = "the answer")]

use std::error::Error;
use std::time::{Duration, Instant};

use clap::Parser;
use coding_env::client::CodingEnv;

/// Prints what a step costs this process.
#[derive(Debug, Parser)]
struct Args {
    /// A server that runs already.
    #[arg(long, default_value = "http://127.0.0.1:8000", value_name = "URL")]
    url: String,
    /// How many steps. The clock of the CPU time counts in 10 ms.
    #[arg(long, default_value_t = 5000, value_name = "COUNT")]
    steps: u32,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let Args { url, steps } = Args::parse();
    let mut env = CodingEnv::connect(&url).await?;
    env.reset().await?;
    let (cpu, wall) = (cpu_time()?, Instant::now());
    for _ in 0..steps {
        env.step("x = 1").await?;
    }
    let (cpu, wall) = (cpu_time()?.saturating_sub(cpu), wall.elapsed());
    env.close().await?;
    let each = |time: Duration| time.as_secs_f64() * 1e6 / f64::from(steps);
    println!(
        "{:.0} µs of CPU and {:.0} µs a step, {steps} steps",
        each(cpu),
        each(wall)
    );
    Ok(())
}

/// The CPU time of all threads of this process so far: proc(5), /proc/pid/stat, utime and stime.
fn cpu_time() -> Result<Duration, Box<dyn Error>> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // The name of the program may hold blanks.
    let (_, fields) = stat.rsplit_once(')').ok_or("no name in /proc/self/stat")?;
    let mut times = fields.split_whitespace().skip(11);
    let mut ticks = 0;
    for _ in 0..2 {
        ticks += times
            .next()
            .ok_or("no times in /proc/self/stat")?
            .parse::<u64>()?;
    }
    let millis = ticks.saturating_mul(1000) / rustix::param::clock_ticks_per_second();
    Ok(Duration::from_millis(millis))
}
