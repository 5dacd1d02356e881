//! Rules that no compiler holds: which layer knows what (ARCHITECTURE.md), and what documents have to list.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::PROGRAM;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Every Rust file below a folder: its path from there, with `/` between, and its text.
fn sources(folder: &str) -> Vec<(String, String)> {
    let root = Path::new(ROOT).join(folder);
    let mut folders: Vec<PathBuf> = vec![root.clone()];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(&root).unwrap().to_str().unwrap();
                found.push((name.to_owned(), fs::read_to_string(&path).unwrap()));
            }
        }
    }
    assert!(found.len() > 2, "{folder}");
    found.sort();
    found
}

/// The lines of a file that are code: no comments, no unit tests.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .take_while(|line| {
            line.trim() != "#[cfg(test)]\nmod tests" && !line.starts_with("mod tests")
        })
        .enumerate()
        .map(|(at, line)| (at + 1, line.split("//").next().unwrap_or_default()))
}

fn has_word(line: &str, word: &str) -> bool {
    let is_part = |char: char| char.is_alphanumeric() || char == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line.get(..at).and_then(|text| text.chars().next_back());
        let after = line
            .get(at + word.len()..)
            .and_then(|text| text.chars().next());
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

/// Fails with each place where one of `words` stands in a file that `applies` to.
fn forbid(words: &[&str], why: &str, applies: impl Fn(&str) -> bool) {
    let mut applied = 0;
    let mut found = Vec::new();
    for (name, text) in sources("src") {
        if !applies(&name) {
            continue;
        }
        applied += 1;
        for (at, line) in code(&text) {
            for word in words.iter().filter(|word| has_word(line, word)) {
                found.push(format!("src/{name}:{at}: `{word}`"));
            }
        }
    }
    assert!(applied > 0, "no file to look at: {why}");
    assert!(found.is_empty(), "{why}:\n{}", found.join("\n"));
}

#[test]
fn what_is_behind_the_edge_knows_no_grpc() {
    let layers = [
        "episode",
        "executor",
        "files",
        "sandbox",
        "transform",
        "limits",
        "metrics",
        "openenv",
        "reload",
        "wire",
        "fault",
    ];
    forbid(
        &[
            "tonic",
            "tonic_types",
            "crate::proto",
            "prost",
            "prost_types",
        ],
        "only the edge knows gRPC and the contract",
        |name| layers.contains(&name.split(['/', '.']).next().unwrap()),
    );
}

#[test]
fn pure_files_know_neither_tasks_nor_the_clock() {
    let pure = [
        "episode/fair.rs",
        "episode/ledger.rs",
        "episode/outcome.rs",
        "executor/display.rs",
        "executor/frame.rs",
        "executor/output.rs",
        "files/path.rs",
        "files/pattern.rs",
        "session/outbox.rs",
        "wire.rs",
        "sandbox/plan.rs",
        "sandbox/features.rs",
        "openenv/check.rs",
        "openenv/json.rs",
        "openenv/origin.rs",
        "openenv/schema.rs",
        "openenv/wire.rs",
    ];
    let sources = sources("src");
    for file in pure {
        assert!(
            sources.iter().any(|(name, _)| name == file),
            "src/{file} has gone"
        );
    }
    forbid(
        &["tokio", "tokio_util", "Instant", "SystemTime"],
        "pure files take time as values",
        |name| {
            pure.contains(&name) || name.starts_with("transform/") || name.starts_with("evaluate/")
        },
    );
}

#[test]
fn unsafe_code_is_in_one_place() {
    forbid(
        &["unsafe"],
        "unsafe code belongs into sandbox/sys*.rs and the native half of the harness",
        |name| {
            let native = [
                "maps.rs",
                "native.rs",
                "cells.rs",
                "forks.rs",
                "source.rs",
                "calls.rs",
                "reaper.rs",
            ];
            !name.starts_with("sandbox/sys")
                && !native
                    .iter()
                    .any(|file| name == format!("executor/harness/{file}"))
        },
    );
}

#[test]
fn the_readme_lists_every_setting() {
    let help = Command::new(PROGRAM)
        .args(["serve", "--help"])
        .env_clear()
        .output()
        .unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let readme = fs::read_to_string(Path::new(ROOT).join("README.md")).unwrap_or_default();
    let variables: Vec<&str> = help
        .split("[env: ")
        .skip(1)
        .map(|text| text.split('=').next().unwrap())
        .collect();
    assert!(variables.len() > 20, "{variables:?}");
    let missing: Vec<&&str> = variables
        .iter()
        .filter(|name| !has_word(&readme, name))
        .collect();
    assert!(missing.is_empty(), "not in README.md: {missing:?}");
}

#[test]
fn both_clients_reseed_by_the_same_code() {
    let read = |path: &str| fs::read_to_string(Path::new(ROOT).join(path)).unwrap();
    assert_eq!(
        read("src/client/reseed.py"),
        read("clients/python/src/coding_env/_reseed.py")
    );
}

#[test]
fn the_image_has_the_version_of_the_program() {
    let dockerfile = fs::read_to_string(Path::new(ROOT).join("Dockerfile")).unwrap();
    let version = concat!("\nARG VERSION=", env!("CARGO_PKG_VERSION"), "\n");
    assert!(dockerfile.contains(version), "Dockerfile lacks {version:?}");
}

#[test]
fn what_tests_may_lack_is_what_ci_requires() {
    let required = fs::read_to_string(Path::new(ROOT).join("tests/required.txt")).unwrap();
    let required: Vec<&str> = required
        .lines()
        .filter(|line| !line.starts_with('#') && !line.trim().is_empty())
        .collect();
    let call = concat!("lacks", "(");
    // What weaker hosts lack, which CI's need not have either.
    let optional = concat!("may_lack", "(");
    let mut used = Vec::new();
    for (name, text) in sources("tests/it") {
        for (_, line) in code(&text) {
            if let Some((_, argument)) = line.split_once(optional) {
                let what = argument.split('"').nth(1);
                used.extend(what.map(str::to_owned));
            }
            let Some((before, argument)) = line.split_once(call) else {
                continue;
            };
            if before.trim_end().ends_with("fn") || name == "tidy.rs" {
                continue;
            }
            let what = argument
                .strip_prefix('"')
                .and_then(|text| text.split('"').next())
                .unwrap_or_else(|| panic!("tests/it/{name}: {line}: not a plain text"));
            assert!(
                required.contains(&what),
                "tests/required.txt lacks {what} of {name}"
            );
            used.push(what.to_owned());
        }
    }
    // The scripts say it in the same words.
    for script in [
        ".ci/run",
        "deploy/test",
        "tests/browser/run",
        "tests/image/run.sh",
    ] {
        let Ok(text) = fs::read_to_string(Path::new(ROOT).join(script)) else {
            return; // a package has no scripts
        };
        for line in text.lines() {
            let what = line
                .split_once("lacks \"")
                .and_then(|(_, rest)| rest.split_once('"'));
            if let Some((what, _)) = what {
                assert!(
                    required.contains(&what),
                    "tests/required.txt lacks {what} of {script}"
                );
                used.push(what.to_owned());
            }
        }
    }
    for what in required {
        assert!(used.iter().any(|used| used == what), "nothing needs {what}");
    }
}

#[test]
fn tests_wait_for_events_and_not_for_time() {
    let sleep = concat!("thread::", "sleep");
    let found: Vec<String> = sources("tests/it")
        .into_iter()
        .filter(|(name, text)| name != "support/mod.rs" && text.contains(sleep))
        .map(|(name, _)| name)
        .collect();
    assert!(found.is_empty(), "use support::wait_until: {found:?}");
    let ignored = concat!("#[", "ignore");
    for (name, text) in sources("tests/it").into_iter().chain(sources("src")) {
        assert!(!text.contains(ignored), "{name}: a test that is never run");
    }
}
