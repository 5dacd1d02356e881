//! What the README shows in Rust works as it stands: its snippets are parts of the test below, which runs them on a real server.

use std::fs;
use std::path::Path;

use coding_env::client::pool::{VectorEnv, VectorOptions};
use coding_env::client::{Error, Options, Pool, Session, StepEvent};
use coding_env::proto::v1;

use crate::support::Server;

fn file(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// Without what formatting changes: blanks, and commas before a closing bracket.
fn bare(code: &str) -> String {
    let lines = code.lines().map(|line| match line.split_once(" // ") {
        Some((code, _)) => code,
        None => line,
    });
    let text: String = lines
        .flat_map(str::chars)
        .filter(|char| !char.is_whitespace())
        .collect();
    text.replace(",)", ")")
        .replace(",}", "}")
        .replace(",]", "]")
}

#[test]
fn the_snippets_are_those_that_run() {
    let readme = file("README.md");
    let here = bare(&file("tests/it/readme.rs"));
    let blocks: Vec<&str> = readme
        .split("```rust,ignore\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap())
        .filter(|block| !block.contains("from_docker_image"))
        .collect();
    assert_eq!(blocks.len(), 7);
    for block in blocks {
        assert!(block.lines().count() < 10, "{block}");
        assert!(here.contains(&bare(block)), "it is not run:\n{block}");
    }
}

#[tokio::test]
async fn the_snippets_run() -> Result<(), Error> {
    let server = Server::start(&[]);
    let url = server.url();
    let url = url.as_str();
    let home = tempfile::tempdir().unwrap();
    let (my_project, results) = (home.path().join("my-project"), home.path().join("results"));
    fs::create_dir(&my_project).unwrap();
    fs::write(my_project.join("main.py"), "print(1)").unwrap();

    let mut env = server.env().await;
    env.reset().await?;
    let files = env.files()?;
    files
        .write([("data/a.csv", "1,2"), ("data/b.csv", "3,4")])
        .await?;
    let found = files.read(&["data/*.csv"]).await?; // the content by the path
    files
        .upload(my_project, "project", |now| {
            println!("{} bytes", now.done.bytes)
        })
        .await?;
    files.download("data", results, |_| {}).await?;
    assert_eq!(found.len(), 2);
    let stored = fs::read_to_string(home.path().join("results/b.csv"));
    assert_eq!(stored.unwrap(), "3,4");

    let reply = env
        .step("class Table:\n    def _repr_html_(self): return '<td>1</td>'\nTable()")
        .await?;
    for display in reply.displays() {
        println!("{:?}", display.data("text/html")); // of a plot: "image/png"
    }
    let shown: Vec<_> = reply.displays().iter().collect();
    assert_eq!(shown[0].data("text/html"), Some(&b"<td>1</td>"[..]));

    let interrupter = env.interrupter()?;
    let step = env.step("import time; time.sleep(600)");
    let (reply, ()) = tokio::try_join!(step, async {
        while !interrupter.interrupt().await? {} // until it runs
        Ok(())
    })?;
    println!("{}", reply.exit_code()); // 130
    assert_eq!(reply.exit_code(), 130);
    // On a machine that is busy its grace may have passed.
    env.reset().await?;

    let mut step = env.step_stream("for n in range(3): print(n)")?;
    while let Some(event) = step.next().await? {
        match event {
            StepEvent::Output(piece) => print!("{}", String::from_utf8_lossy(&piece.data)),
            StepEvent::Reply(reply) => println!("exit code {}", reply.exit_code()),
            _ => {}
        }
    }

    let pool = Pool::connect(url).await?; // or "dns:///coding-env-headless.coding-env.svc:8000", or several
    let envs: Vec<_> = pool
        .reset_many(64)
        .await
        .into_iter()
        .collect::<Result<_, _>>()?;
    for reply in pool.step_many(envs.iter().map(|env| (env, "6 * 7"))).await {
        println!("{:?}", reply?.result()); // in the order of `envs`
    }

    let mut options = VectorOptions::default();
    options.autoreset = true; // a lost episode is replaced in the same call
    let envs = VectorEnv::new(&pool, 8, options);
    envs.reset_with((0..8).map(Some)).await?; // a seed for each
    let steps = envs
        .step(vec![Some("import random; random.random()"); 8])
        .await?;
    println!(
        "{:?}",
        steps.iter().map(|step| step.reward()).collect::<Vec<_>>()
    );
    assert!(steps.iter().all(|step| step.error.is_none()));

    let session = Session::connect(url, Options::default()).await?;
    let episode_id = "one".to_owned();
    let reset = v1::ResetRequest {
        episode_id: episode_id.clone(),
        ..Default::default()
    };
    session.reset(reset).await?;
    let action = Some(v1::CodeAction {
        code: "6 * 7".to_owned(),
    });
    let step = v1::StepRequest {
        episode_id,
        action,
        ..Default::default()
    };
    println!("{:?}", session.step(step).await?.result()); // as many at once as you like
    session.close().await
}
