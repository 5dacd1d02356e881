//! What isolation a server has, and when it does not start: the doctor, the refusals, and what GetServerInfo and the log say.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use coding_env::proto::v1::{GetServerInfoRequest, IsolationLayerState, IsolationLevel};
use serde_json::Value;

use crate::support::places::{Level, each_place};
use crate::support::{PROGRAM, Server};

/// The layers, in the order in which they are told.
const LAYERS: [&str; 13] = [
    "namespaces",
    "filesystem",
    "landlock",
    "signals",
    "seccomp",
    "no_new_privs",
    "capabilities",
    "network",
    "loopback",
    "uid",
    "cgroup",
    "rlimit",
    "process",
];
/// The user `nobody` of most systems.
const NOBODY: u32 = 65534;

fn is_root() -> bool {
    rustix_euid() == 0
}

fn rustix_euid() -> u32 {
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata("/proc/self").unwrap().uid()
}

/// Runs the program, as an unprivileged user if wanted and possible: exit code, stdout, stderr.
fn run(arguments: &[&str], unprivileged: bool) -> (i32, String, String) {
    // The build's directory may be closed to that user.
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let copy = dir.path().join("coding-env");
    let mut command = if unprivileged {
        // Not by this process: a child that another test starts meanwhile would have the copy open for writing, and it could not be
        // executed (ETXTBSY).
        let copied = Command::new("cp").arg(PROGRAM).arg(&copy).status();
        assert!(copied.unwrap().success());
        let mut command = Command::new(&copy);
        if is_root() {
            command.gid(NOBODY).uid(NOBODY);
        }
        command
    } else {
        Command::new(PROGRAM)
    };
    let output = command
        .args(arguments)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        // It has to be there; none of these tests gets so far as to start it.
        .env("CODING_ENV_PYTHON", PROGRAM_FILE)
        .output()
        .unwrap();
    (
        output.status.code().unwrap(),
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

/// A file that everybody may read and that is no script.
const PROGRAM_FILE: &str = "/proc/self/exe";

fn diagnosis(arguments: &[&str], unprivileged: bool) -> (i32, Value) {
    let arguments: Vec<&str> = ["doctor", "--json"]
        .iter()
        .chain(arguments)
        .copied()
        .collect();
    let (code, stdout, stderr) = run(&arguments, unprivileged);
    assert_eq!(stderr, "");
    (code, serde_json::from_str(&stdout).unwrap())
}

fn layer<'a>(told: &'a Value, name: &str) -> &'a Value {
    let layers = told["layers"].as_array().unwrap();
    layers.iter().find(|layer| layer["name"] == name).unwrap()
}

/// What holds of every diagnosis of a machine where a server starts.
fn check(told: &Value) {
    assert_eq!(told["starts"], true, "{told:#}");
    assert!(told["refusal"].is_null());
    let names: Vec<&str> = told["layers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|layer| layer["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, LAYERS);
    for layer in told["layers"].as_array().unwrap() {
        assert!(!layer["detail"].as_str().unwrap().is_empty(), "{layer}");
    }
    let copies = &told["copies"];
    assert_eq!(copies["available"] == true, copies["reason"].is_null());
    assert_eq!(
        copies["available"] == true,
        !copies["separated"].as_array().unwrap().is_empty()
    );
    let levels = told["levels"].as_array().unwrap();
    let named: Vec<&str> = levels
        .iter()
        .map(|level| level["name"].as_str().unwrap())
        .collect();
    assert_eq!(named, ["namespace", "landlock", "none"]);
    for level in levels {
        assert_eq!(
            level["possible"] == true,
            level["reason"].is_null(),
            "{level}"
        );
    }
    // The strongest.
    let first = levels
        .iter()
        .find(|level| level["possible"] == true)
        .unwrap();
    assert_eq!(told["level"], first["name"]);
    assert_ne!(told["level"], "none");
    assert!(told["platform"].as_str().unwrap().starts_with("Linux "));
    for name in ["open files", "kernel.pid_max", "user.max_pid_namespaces"] {
        let limits = told["limits"].as_array().unwrap();
        assert!(limits.iter().any(|limit| limit["name"] == name), "{told:#}");
    }
}

#[test]
fn the_doctor_tells_the_strongest_level_and_each_layer() {
    let (code, told) = diagnosis(&[], false);
    assert_eq!(code, 0);
    check(&told);
    let (code, text, _) = run(&["doctor"], false);
    assert_eq!(code, 0);
    let level = told["level"].as_str().unwrap();
    assert!(text.contains(&format!("isolation level {level}")), "{text}");
    for name in LAYERS {
        assert!(
            text.lines().any(|line| line.trim_start().starts_with(name)),
            "{text}"
        );
    }
}

#[test]
fn an_unprivileged_user_gets_no_uids_and_is_told_what_that_means() {
    let (code, told) = diagnosis(&[], true);
    assert_eq!(code, 0);
    check(&told);
    let uid = layer(&told, "uid");
    assert_eq!(uid["enforced"], false, "{uid}");
    assert!(
        uid["detail"]
            .as_str()
            .unwrap()
            .contains("as the server's user"),
        "{uid}"
    );
    let text = run(&["doctor"], true).1;
    assert!(text.contains("uid           NO"), "{text}");
}

#[test]
fn nothing_is_left_of_the_probe() {
    let groups = || {
        let mut found = Vec::new();
        let mut folders = vec![std::path::PathBuf::from("/sys/fs/cgroup")];
        while let Some(folder) = folders.pop() {
            let Ok(entries) = fs::read_dir(&folder) else {
                continue;
            };
            for entry in entries
                .flatten()
                .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
            {
                folders.push(entry.path());
                // Other tests start servers, whose probes make groups too: those of a probe that has ended.
                let name = entry.file_name();
                let pid = name
                    .to_str()
                    .and_then(|name| name.strip_prefix("coding-env-probe-"));
                if pid.is_some_and(|pid| !fs::exists(format!("/proc/{pid}")).unwrap()) {
                    found.push(entry.path());
                }
            }
        }
        found
    };
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
    diagnosis(&[], false);
    assert_eq!(fs::read_to_string("/proc/self/mounts").unwrap(), mounts);
    crate::support::wait_until("no control group is left", || groups().is_empty());
}

#[test]
fn a_server_without_a_layer_that_is_required_does_not_start_and_says_why() {
    let refused = |arguments: &[&str], unprivileged| {
        let (code, told) = diagnosis(arguments, unprivileged);
        assert_eq!((code, &told["starts"]), (1, &Value::Bool(false)));
        let told = told["refusal"].as_str().unwrap().to_owned();
        let arguments: Vec<&str> = ["serve", "--listen", "127.0.0.1:0"]
            .iter()
            .chain(arguments)
            .copied()
            .collect();
        let (code, stdout, stderr) = run(&arguments, unprivileged);
        assert_eq!((code, stdout.as_str()), (1, ""));
        assert!(
            stderr.contains(&format!("coding-env: {told}")),
            "{told}\n{stderr}"
        );
        told
    };
    let told = refused(
        &["--isolation", "none", "--require", "rlimit,seccomp"],
        false,
    );
    assert!(
        told.starts_with("`--require`: layer seccomp is missing (") && !told.contains("rlimit"),
        "{told}"
    );
    assert!(told.ends_with("at isolation level none"), "{told}");
    let told = refused(&["--require", "uid"], true);
    assert!(told.contains("layer uid is missing"), "{told}");
}

#[test]
fn a_layer_that_does_not_exist_is_a_mistake() {
    let (code, _, stderr) = run(&["doctor", "--require", "walls"], false);
    assert_eq!(code, 64);
    assert!(
        stderr.contains("`walls`") && stderr.contains("seccomp"),
        "{stderr}"
    );
}

#[tokio::test]
async fn a_server_tells_its_level_and_layers() {
    let expected = diagnosis(&[], false).1;
    for (flags, level) in [
        (&[][..], expected["level"].as_str().unwrap()),
        (&["--isolation", "none"][..], "none"),
    ] {
        let server = Server::start(flags);
        let serving = server.wait_for_log("\"message\":\"serving\"");
        assert!(
            serving.contains(&format!("\"isolation\":\"{level}\"")),
            "{serving}"
        );
        let warned = server
            .log()
            .iter()
            .any(|line| line.contains("isolation level none"));
        assert_eq!(warned, level == "none");
        let mut client = server.raw().await;
        let info = client
            .get_server_info(GetServerInfoRequest {})
            .await
            .unwrap()
            .into_inner();
        let isolation = info.isolation.unwrap();
        let named = match isolation.level() {
            IsolationLevel::Namespace => "namespace",
            IsolationLevel::Landlock => "landlock",
            IsolationLevel::None => "none",
            IsolationLevel::Unspecified => "unspecified",
        };
        assert_eq!(named, level);
        let names: Vec<&str> = isolation
            .layers
            .iter()
            .map(|layer| layer.name.as_str())
            .collect();
        assert_eq!(names, LAYERS);
        for told in &isolation.layers {
            let state = if level == "none" {
                ["rlimit", "process"].contains(&told.name.as_str())
            } else {
                layer(&expected, &told.name)["enforced"] == true
            };
            assert_eq!(
                told.state() == IsolationLayerState::Enforced,
                state,
                "{told:?}"
            );
            assert!(!told.detail.is_empty());
        }
    }
}

/// Executes a program without a capability (its number): it is in no set after the execution.
const WITHOUT: &str = "import ctypes, os, sys
PR_CAPBSET_DROP = 24
if ctypes.CDLL(None, use_errno=True).prctl(PR_CAPBSET_DROP, int(sys.argv[1]), 0, 0, 0) != 0:
    raise OSError(ctypes.get_errno(), 'prctl')
os.execvp(sys.argv[2], sys.argv[2:])";

/// A container's root often lacks a capability. Where uids of their own need it, layer uid is missing and says what did not work, and episodes
/// do without.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_root_who_lacks_a_capability_that_uids_take_is_told_and_serves_without_uids() {
    const CASES: [(&str, &str, bool); 4] = [
        // CAP_CHOWN, CAP_KILL, CAP_DAC_OVERRIDE, CAP_FOWNER: number, what is told, and whether level namespace needs it too, where an
        // episode's files go with its mounts.
        ("0", "giving a file to another user: ", true),
        ("5", "signalling another user's process: ", true),
        ("1", "opening another user's file: ", false),
        ("3", "changing the mode of another user's file: ", false),
    ];
    // What takes those rights to remove.
    const LEAVE: &str = "import os
os.mkdir('closed')
open('closed/file', 'w').close()
os.chmod('closed', 0)
os.getuid() == 0";
    each_place(&[], async |place, _| {
        let mut wrong = Vec::new();
        if !place.as_root {
            return wrong;
        }
        let python = place.python().unwrap();
        for (capability, told, always) in CASES {
            let wrap = [python.to_str().unwrap(), "-I", "-c", WITHOUT, capability];
            let lacks = always || place.level == Level::Landlock;
            match place.start_wrapped(&wrap, &["--require", "uid"]) {
                Err(log) if lacks && log.contains("layer uid is missing") && log.contains(told) => {
                }
                Ok(_) if !lacks => {}
                other => {
                    let log = other.err().unwrap_or_else(|| "it was met".to_owned());
                    wrong.push(format!("{told}: --require uid: {log}"));
                }
            }
            let server = match place.start_wrapped(&wrap, &[]) {
                Ok(server) => server,
                Err(log) => {
                    wrong.push(format!("{told}: {log}"));
                    continue;
                }
            };
            // That nothing of it is left is looked at when the server ends.
            let mut env = server.env().await;
            env.reset().await.unwrap();
            let as_root = if lacks { "True" } else { "False" };
            let reply = env.step(LEAVE).await.unwrap();
            if reply.result() != Some(as_root) {
                wrong.push(format!("{told}: {:?} {}", reply.result(), reply.stderr()));
            }
        }
        wrong
    })
    .await;
}
