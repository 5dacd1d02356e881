//! Best of n: several ways on from one prefix, each in a child of its own; the server judges them, and the best goes on.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;

use coding_env::client::CodingEnv;
use coding_env::config::{Config, ServeArgs};
use coding_env::proto::v1::Evaluation;
use coding_env::server::LocalServer;

/// What all of them begin with, and what a model proposed to go on with.
const PREFIX: &str = "words = 'the cat sat on the mat and the dog sat too'.split()";
const PROPOSALS: [&str; 4] = [
    "def count(word): return words.index(word)",
    "def count(word): return sum(word in one for one in words)",
    "import collections\ncount = collections.Counter(words).__getitem__",
    "def count(word) return words.count(word)",
];
/// What the function is to return: the episodes never see it.
const CALLS: [(&str, &str); 3] = [(r#"["the"]"#, "3"), (r#"["a"]"#, "0"), (r#"["dog"]"#, "1")];

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
    root.step(PREFIX).await?;
    println!("{PREFIX}");
    let mut best = (-1.0, "nothing");
    let children = root.fork(PROPOSALS.len()).await?;
    for (mut child, code) in children.into_iter().zip(PROPOSALS) {
        child.step(code).await?;
        let asked = Evaluation::of("").returns("count", CALLS);
        let verdict = child.evaluate(asked).await?;
        let score = verdict.score.unwrap_or_default();
        println!("├─ {score:.2}  {}", code.replace('\n', "; "));
        if score > best.0 {
            best = (score, code);
        }
        child.close().await?;
    }
    println!("└─ the best: {}", best.1.replace('\n', "; "));
    Ok(root.close().await?)
}
