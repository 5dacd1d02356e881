//! `coding-env bench`: every documented row comes, with every key, and rows that were asked for are measured.

use std::process::Command;

use crate::support::{PROGRAM, Server, default_python};

/// The rows that README and `coding-env bench` name.
const ROWS: [&str; 72] = [
    "empty_call_p50",
    "empty_call_p99",
    "step_p50",
    "step_p99",
    "step_p50_to_openenv",
    "openenv_step_p50",
    "reset_p50",
    "reset_p99",
    "empty_calls_1",
    "empty_calls_8",
    "empty_calls_32",
    "empty_calls_128",
    "steps_1",
    "steps_8",
    "steps_32",
    "steps_128",
    "steps_32_to_openenv",
    "openenv_steps_32",
    "worker_loop",
    "bare_fork_loop",
    "resets",
    "resets_to_bare_fork",
    "cell_none",
    "cell_seccomp",
    "cell_landlock",
    "cell_namespace",
    "cell_namespace_landlock",
    "cell_namespace_uid",
    "cell_namespace_cgroup",
    "cell_namespace_all",
    "idle_episode_memory",
    "idle_memory_none",
    "idle_memory_landlock",
    "idle_memory_namespace",
    "live_episodes",
    "close_hostile",
    "neighbour_p99_quiet",
    "neighbour_p99_spin",
    "neighbour_p99_forks",
    "neighbour_p99_memory",
    "neighbour_p99_output",
    "neighbour_p99_disk",
    "neighbour_p99_stream",
    "stream_latency",
    "unary_steps_at_once",
    "session_steps_at_once",
    "unary_cpu_per_step",
    "session_cpu_per_step",
    "strangers_quiet_p50",
    "strangers_quiet_p99",
    "strangers_p50",
    "strangers_p99",
    "cpu_silent",
    "cpu_printing",
    "stream_up",
    "stream_down",
    "files_write",
    "files_read",
    "files_small_write",
    "files_small_read",
    "files_memory",
    "fork_bare_first_byte",
    "fork_first_reply",
    "fork_bare_pause",
    "fork_pause",
    "fork_bare_64",
    "fork_64",
    "fork_memory",
    "group_forks",
    "group_steps",
    "group_memory",
    "cold_start",
];

fn bench(arguments: &[&str]) -> std::process::Output {
    Command::new(PROGRAM)
        .arg("bench")
        .arg("--quick")
        .args(arguments)
        .env("CODING_ENV_PYTHON", default_python())
        .output()
        .unwrap()
}

#[test]
fn every_row_has_every_key_and_those_asked_for_are_measured() {
    let measured = [
        "step_p50",
        "steps_8",
        "resets",
        "worker_loop",
        "bare_fork_loop",
        "strangers_p50",
        "cold_start",
    ];
    let output = bench(&["--json", "--only", &measured.join(",")]);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    assert!(errors.contains("bench: cold start"), "{errors}");
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let rows = json["rows"].as_array().unwrap();
    let names: Vec<&str> = rows
        .iter()
        .map(|row| row["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ROWS);
    for row in rows {
        let keys: Vec<&str> = row
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        assert_eq!(keys, ["budget", "met", "name", "ratio", "unit", "value"]);
        let name = row["name"].as_str().unwrap();
        if measured.contains(&name) || name == "resets_to_bare_fork" {
            assert!(row["value"].as_f64().unwrap() > 0.0, "{row}");
        } else {
            let nothing = [&row["value"], &row["ratio"], &row["met"]];
            assert!(nothing.iter().all(|value| value.is_null()), "{row}");
        }
        if name == "step_p50" || name == "resets" || name == "cold_start" {
            assert!(row["ratio"].as_f64().unwrap() > 0.0, "{row}");
            assert!(
                row["met"].is_boolean() && row["budget"].is_string(),
                "{row}"
            );
        }
    }
}

#[test]
fn an_unknown_row_is_refused_with_the_names_of_all() {
    let output = bench(&["--only", "speed"]);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(errors.contains("`speed`"), "{errors}");
    assert!(ROWS.iter().all(|name| errors.contains(name)), "{errors}");
}

#[test]
fn rows_about_openenv_are_measured_against_any_server_of_it() {
    let server = Server::start(&[]);
    let rows = "openenv,step_p50_to_openenv,steps_32_to_openenv";
    let output = bench(&["--json", "--only", rows, "--openenv", &server.url()]);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    for row in json["rows"].as_array().unwrap() {
        let measured = row["name"].as_str().unwrap().contains("openenv");
        assert_eq!(row["ratio"].is_number(), measured, "{row}");
        assert!(!measured || row["met"].is_boolean(), "{row}");
    }
    let output = bench(&["--only", "openenv", "--openenv", "https://127.0.0.1:1"]);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(errors.contains("http://HOST:PORT"), "{errors}");
}
