//! Programs that run here as under `python3 -u`: the same output, the same traceback but for the file's name, the same exit code.
//! All do, without isolation and at the level that servers choose by themselves.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use coding_env::client::CodingEnv;
use tokio::process::Command;

use crate::support::{Server, pythons};

const AT_ONCE: usize = 4;
/// What some versions print as the process ends with a status wider than C's long: a step ends without that end.
const ENDING: [&str; 2] = [
    "Exception ignored on threading shutdown:\n",
    "OverflowError: Python int too large to convert to C long\n",
];

/// What a run of a program showed.
#[derive(Debug, PartialEq, Eq)]
struct Shown {
    exit_code: i32,
    stdout: String,
    stderr: String,
}

/// The programs that a CPython 3.`minor` runs: those with a first line `# requires: 3.N` need one that is new enough.
fn programs(minor: u32) -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs");
    let mut found: Vec<PathBuf> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "py"))
        .filter(|path| {
            let source = fs::read_to_string(path).unwrap();
            let first = source.lines().next().unwrap_or_default();
            first
                .strip_prefix("# requires: 3.")
                .is_none_or(|needed| needed.trim().parse::<u32>().unwrap() <= minor)
        })
        .collect();
    found.sort();
    found
}

/// Runs a program as `python3 -u FILE`, in an environment like an episode's.
async fn run_plain(python: &Path, program: &Path) -> Shown {
    let dir = tempfile::tempdir().unwrap();
    let output = Command::new(python)
        .arg("-u")
        .arg(program)
        .env_clear()
        .env(
            "PATH",
            format!(
                "{}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                python.parent().unwrap().display()
            ),
        )
        .env("LANG", "C.UTF-8")
        .env("PYTHONHASHSEED", "0")
        .envs(["HOME", "TMPDIR", "PWD"].map(|name| (name, dir.path())))
        .envs(["USER", "LOGNAME"].map(|name| (name, "episode")))
        .envs(
            ["OMP", "OPENBLAS", "MKL", "NUMEXPR"]
                .map(|library| (format!("{library}_NUM_THREADS"), "1")),
        )
        .current_dir(dir.path())
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap();
    let text = |bytes: &[u8]| {
        String::from_utf8_lossy(bytes).replace(program.to_str().unwrap(), "<step 1>")
    };
    Shown {
        exit_code: output.status.code().unwrap(),
        stdout: text(&output.stdout),
        stderr: ENDING.iter().fold(text(&output.stderr), |stderr, ending| {
            stderr.replace(ending, "")
        }),
    }
}

/// Runs a program as the one step of an episode.
async fn run_step(env: &mut CodingEnv, program: &Path) -> Shown {
    env.reset().await.unwrap();
    let reply = env
        .step(fs::read_to_string(program).unwrap())
        .await
        .unwrap();
    Shown {
        exit_code: reply.exit_code(),
        stdout: reply.stdout().to_owned(),
        stderr: reply.stderr().to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn programs_run_as_under_python() {
    let differences = differences(&["--isolation", "none"]).await;
    assert!(differences.is_empty(), "{}", told(&differences));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn isolated_programs_run_as_under_python() {
    let differences = differences(&[]).await;
    assert!(differences.is_empty(), "{}", told(&differences));
}

fn told(differences: &[String]) -> String {
    format!(
        "{} programs differ:\n{}",
        differences.len(),
        differences.join("\n")
    )
}

/// The programs that differ with these flags, each by its name and how.
async fn differences(flags: &[&str]) -> Vec<String> {
    let mut all = Vec::new();
    for python in pythons() {
        let python_flags = ["--python", python.to_str().unwrap()];
        let server = Server::start(&[&python_flags, flags].concat());
        let info = server.env().await.server_info().await.unwrap();
        let version = info.runtimes[0].python_version.clone();
        let minor = version.split('.').nth(1).unwrap().parse().unwrap();
        let programs: Arc<[PathBuf]> = programs(minor).into();
        let next = Arc::new(AtomicUsize::new(0));
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..AT_ONCE {
            let (programs, next) = (Arc::clone(&programs), Arc::clone(&next));
            let (python, version) = (python.clone(), version.clone());
            let mut env = server.env().await;
            tasks.spawn(async move {
                let mut differences = Vec::new();
                while let Some(program) = programs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let plain = run_plain(&python, program);
                    let step = run_step(&mut env, program);
                    let (plain, step) = tokio::join!(plain, step);
                    if plain != step {
                        let name = program.file_name().unwrap().to_str().unwrap();
                        differences.push(format!(
                            "{name} (CPython {version})\n  python3 {plain:?}\n  step    {step:?}"
                        ));
                    }
                }
                env.close().await.unwrap();
                differences
            });
        }
        all.extend(tasks.join_all().await.concat());
        assert!(programs.len() >= 480, "only {} programs", programs.len());
    }
    all
}
