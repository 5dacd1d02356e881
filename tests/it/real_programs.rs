//! Programs as people write them, and CPython's own tests, at every isolation level: as outside.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use coding_env::client::{CodingEnv, Options, StepOptions};
use coding_env::proto::v1::StepResponse;

use crate::support::hostile::shown;
use crate::support::places::{Level, NOBODY, Place, each_place, own_uid};
use crate::support::{Server, lacks};

/// How many programs run at the same time.
const AT_ONCE: usize = 2;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs_real")
}

/// The programs, by name. Those with a first line `# needs: MODULE` need a library.
fn programs() -> Vec<(String, String)> {
    let entries = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut found: Vec<_> = entries
        .filter(|path| path.extension().is_some_and(|extension| extension == "py"))
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, fs::read_to_string(path).unwrap())
        })
        .filter(|(name, _)| name != "run_cpython_tests")
        .collect();
    found.sort();
    assert!(found.len() > 15, "{}", found.len());
    found
}

fn needed(program: &str) -> Option<&str> {
    program.lines().next()?.strip_prefix("# needs: ")
}

/// What people see of a run.
type Shown = (i32, String, String);

/// Runs a program outside, in an environment like an episode's.
fn run_plain(python: &Path, arguments: &[&str]) -> Shown {
    let dir = tempfile::tempdir().unwrap();
    let output = Command::new(python)
        .arg("-u")
        .args(arguments)
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("LANG", "C.UTF-8")
        .env("PYTHONHASHSEED", "0")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .envs(["HOME", "TMPDIR", "PWD"].map(|name| (name, dir.path())))
        .envs(["USER", "LOGNAME"].map(|name| (name, "episode")))
        .envs(
            ["OMP", "OPENBLAS", "MKL", "NUMEXPR"].map(|name| (format!("{name}_NUM_THREADS"), "1")),
        )
        .current_dir(dir.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.code().unwrap_or(-1),
        text(&output.stdout),
        text(&output.stderr),
    )
}

async fn run_step(
    channel: tonic::transport::Channel,
    code: String,
) -> Result<StepResponse, String> {
    let mut env = CodingEnv::with_channel(channel, Options::default());
    env.reset()
        .await
        .map_err(|error| format!("Reset: {error}"))?;
    let mut options = StepOptions::default();
    options.timeout = Some(Duration::from_secs(300));
    let reply = env
        .step_with(code, options)
        .await
        .map_err(|error| error.to_string())?;
    env.close()
        .await
        .map_err(|error| format!("Close: {error}"))?;
    Ok(reply)
}

/// At level landlock there are no sockets with names, which a manager needs: that the message says so is what is asked for.
fn names_the_level(place: Place, program: &str, reply: &StepResponse) -> bool {
    place.level == Level::Landlock
        && program == "multiprocessing_manager"
        && reply.exit_code() == 1
        && reply
            .stderr()
            .contains("isolation level landlock has no sockets with names")
}

/// At level landlock there are no named semaphores: joblib warns of that once, and computes the same in one process.
fn is_serial(place: Place, outside: &Shown, seen: &Shown) -> bool {
    place.level == Level::Landlock
        && seen.0 == outside.0
        && seen.1.replace("in one process", "in processes") == outside.1
        && seen.2.matches("UserWarning").count() == 1
        && seen.2.contains("joblib will operate in serial mode")
}

/// Which programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needing {
    /// All whose library the interpreter has.
    WhatIsThere,
    /// Those that need a library.
    Libraries,
}

/// What was seen outside, which is the same for each place: by interpreter and program.
type SeenOutside = Mutex<BTreeMap<(PathBuf, String), Shown>>;

/// Runs programs in episodes and outside. Returns what differs.
async fn compare(
    place: Place,
    server: &Server,
    python: &Path,
    needing: Needing,
    seen_outside: &Arc<SeenOutside>,
) -> Vec<String> {
    let channel = server.channel().await;
    let mut wrong = Vec::new();
    let mut running = tokio::task::JoinSet::new();
    let mut programs = programs().into_iter().filter(|(name, code)| {
        if needing == Needing::Libraries && needed(code).is_none() {
            return false;
        }
        let has = needed(code).is_none_or(|library| has_library(python, library));
        if !has {
            eprintln!(
                "  not run: {name}, {} has no {}",
                python.display(),
                needed(code).unwrap()
            );
        }
        has
    });
    loop {
        while running.len() < AT_ONCE {
            let Some((name, code)) = programs.next() else {
                break;
            };
            let key = (python.to_owned(), name.clone());
            let (channel, seen_outside) = (channel.clone(), Arc::clone(seen_outside));
            running.spawn(async move {
                let file = folder().join(format!("{name}.py"));
                let outside = tokio::task::spawn_blocking(move || {
                    let seen = seen_outside.lock().unwrap().get(&key).cloned();
                    seen.unwrap_or_else(|| {
                        let seen = run_plain(&key.0, &[file.to_str().unwrap()]);
                        seen_outside.lock().unwrap().insert(key, seen.clone());
                        seen
                    })
                });
                let inside = run_step(channel, code).await;
                (name, outside.await.unwrap(), inside)
            });
        }
        let Some(ended) = running.join_next().await else {
            break wrong;
        };
        let (name, outside, inside) = ended.unwrap();
        match inside {
            Ok(reply) if names_the_level(place, &name, &reply) => {
                let said = reply.stderr().lines().last().unwrap_or_default();
                eprintln!("  {name}: {said}");
            }
            Ok(reply) => {
                let seen = (
                    reply.exit_code(),
                    reply.stdout().to_owned(),
                    reply.stderr().to_owned(),
                );
                if is_serial(place, &outside, &seen) {
                    eprintln!("  {name}: without processes of joblib");
                } else if seen != outside || outside.0 != 0 {
                    wrong.push(format!(
                        "{name}: outside {outside:?}, inside {}",
                        shown(&reply)
                    ));
                }
            }
            Err(error) => wrong.push(format!("{name}: {error}")),
        }
    }
}

fn has_library(python: &Path, library: &str) -> bool {
    let mut command = Command::new(python);
    command
        .args(["-I", "-c", &format!("import {library}")])
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn real_programs_run_as_outside() {
    let outside = Arc::default();
    each_place(&[], async |place, server| {
        compare(
            place,
            server,
            &place.python().unwrap(),
            Needing::WhatIsThere,
            &outside,
        )
        .await
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn libraries_run_as_outside() {
    let python = std::env::var("CODING_ENV_TEST_NUMPY_PYTHON").ok();
    let Some(python) = python.filter(|path| !path.is_empty()) else {
        return lacks("numpy");
    };
    let outside = Arc::default();
    each_place(&[], async |place, _| {
        let mut command = place.command(Path::new(&python));
        // At level landlock root's episodes have uids of their own.
        if place.level == Level::Landlock && own_uid() == 0 {
            command.uid(NOBODY).gid(NOBODY);
        }
        let output = command
            .args([
                "-I",
                "-c",
                "import joblib, matplotlib, numpy, pandas, sklearn, sympy",
            ])
            .current_dir("/")
            .output();
        match output {
            Ok(output) if output.status.success() => {}
            Ok(output) => return vec![String::from_utf8_lossy(&output.stderr).into_owned()],
            Err(error) => {
                eprintln!("  not run: {python}: {error}");
                lacks("a Python with the scientific libraries that every user can run");
                return Vec::new();
            }
        }
        match place.start(&["--python", &python]) {
            Ok(server) => {
                compare(
                    place,
                    &server,
                    Path::new(&python),
                    Needing::Libraries,
                    &outside,
                )
                .await
            }
            Err(refused) => vec![refused],
        }
    })
    .await;
}

/// At level landlock there is no other root directory: an interpreter in a home that is closed to the uids of episodes is of no use to them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interpreter_that_episodes_cannot_read_is_told_at_the_start() {
    let home = tempfile::tempdir().unwrap();
    let python = crate::crash::venv_with(home.path(), "only_here", "found = 1");
    fs::set_permissions(
        home.path(),
        std::os::unix::fs::PermissionsExt::from_mode(0o700),
    )
    .unwrap();
    each_place(&[], async |place, _| {
        let refused = match place.start(&["--python", &python]) {
            Ok(server) => {
                let code = "import only_here, subprocess, sys\nsubprocess.run([sys.executable, '-c', '1']).returncode, only_here.found";
                match run_step(server.channel().await, code.to_owned()).await {
                    Ok(reply) if reply.result() == Some("(0, 1)") => return Vec::new(),
                    Ok(reply) => format!("it started, and an episode can't import: {}", shown(&reply)),
                    Err(error) => error,
                }
            }
            Err(log) if log.contains(&*home.path().to_string_lossy()) => return Vec::new(),
            Err(log) => format!("the refusal does not name the directory: {log}"),
        };
        vec![refused]
    })
    .await;
}

/// Files that a closed directory keeps from the uids of episodes are shown where episodes have a root directory of their own, and where they
/// have none, they are not given uids: the layer is told as missing, with the directory.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn episodes_have_uids_of_their_own_only_where_those_can_open_what_is_shown() {
    // Not below /tmp, of which episodes at level namespace have their own.
    let home = tempfile::tempdir_in("/var/tmp").unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    fs::set_permissions(home.path(), mode).unwrap();
    let data = home.path().join("data");
    fs::write(&data, "shown").unwrap();
    let data = data.to_str().unwrap();
    let told = format!("{} (mode 0700) keeps", home.path().display());
    each_place(&[], async |place, _| {
        if !place.as_root {
            return Vec::new();
        }
        let shut_out = place.level == Level::Landlock;
        let mut wrong = Vec::new();
        match place.start(&["--readable", data, "--require", "uid"]) {
            Ok(_) if shut_out => wrong.push("--require uid was met".to_owned()),
            Err(log)
                if !shut_out || !log.contains("layer uid is missing") || !log.contains(&told) =>
            {
                wrong.push(format!("--require uid was refused: {log}"));
            }
            _ => {}
        }
        let server = match place.start(&["--readable", data]) {
            Ok(server) => server,
            // Below Landlock ABI 6 signals would be open then.
            Err(log) if shut_out && log.contains(&told) => return wrong,
            Err(log) => return vec![log],
        };
        let code = format!("import os\nopen({data:?}).read(), os.getuid() == 0");
        let seen = run_step(server.channel().await, code).await;
        let expected = if shut_out {
            "('shown', True)"
        } else {
            "('shown', False)"
        };
        match seen {
            Ok(reply) if reply.result() == Some(expected) => {}
            Ok(reply) => wrong.push(shown(&reply)),
            Err(error) => wrong.push(error),
        }
        wrong
    })
    .await;
}

/// CPython's test modules that say most about walls, each with the time that it takes outside in mind: a minute in all.
const MODULES: [&[&str]; 4] = [
    &[
        "test.test_tempfile",
        "test.test_mmap",
        "test.test_sqlite3",
        "test.test_thread",
        "test.test_fcntl",
        "test.test_select",
        "test.test_uuid",
        "test.test_glob",
        "test.test_random",
    ],
    &[
        "test.test_subprocess.POSIXProcessTestCase",
        "test.test_shutil",
        "test.test_epoll",
    ],
    &[
        "test.test_threading.ThreadTests.test_various_ops",
        "test.test_threading.ThreadTests.test_various_ops_small_stack",
        "test.test_threading.ThreadTests.test_foreign_thread",
        "test.test_threading.ThreadTests.test_daemon_param",
        "test.test_threading.ThreadTests.test_main_thread_after_fork",
        "test.test_threading.ThreadTests.test_reinit_tls_after_fork",
        "test.test_threading.LockTests",
        "test.test_threading.ConditionTests",
        "test.test_threading.BarrierTests",
        "test.test_asyncio.test_locks",
        "test.test_asyncio.test_queues",
        "test.test_asyncio.test_futures",
    ],
    // `ctypes.test` up to CPython 3.11.
    &["ctypes.test", "test.test_ctypes", "test.test_pathlib"],
];

/// A test that ends otherwise in an episode: a part of its name, the level if it is one's alone, and why.
type Exception = (&'static str, Option<Level>, &'static str);

/// All others end as outside.
const EXCEPTIONS: &[Exception] = &[
    (
        "test_fcntl_64_bit",
        None,
        "F_NOTIFY would watch what others do with a directory",
    ),
    (
        "test_fcntl_f_pipesize",
        None,
        "F_SETPIPE_SZ would take memory beside the limits",
    ),
    (
        "LargeMmapTests",
        None,
        "its files are larger than an episode's may be",
    ),
    (
        "_getnode",
        None,
        "there are no interfaces to ask for an address",
    ),
    (
        "xattr",
        None,
        "files of an episode have no extended attributes",
    ),
    (
        "TestZeroCopySendfile",
        None,
        "sendfile is not among the calls: files are copied by read and write",
    ),
    ("test_owner", None, "the uid of an episode has no name"),
    ("test_group", None, "the gid of an episode has no name"),
    (
        "test_home",
        None,
        "without HOME the home of a uid that has no name is not known",
    ),
    ("test_expanduser", None, "as test_home"),
    (
        "test_make_archive_owner_group",
        Some(Level::Landlock),
        "the host's /etc/group can't be read, so gids have no names",
    ),
    (
        "test_tarfile_root_owner",
        Some(Level::Landlock),
        "as test_make_archive_owner_group",
    ),
    (
        "test_extra_groups",
        Some(Level::Landlock),
        "as test_make_archive_owner_group",
    ),
    (
        "test_restore_signals",
        Some(Level::Landlock),
        "it reads /proc, which would be the host's",
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cpythons_own_tests_pass_as_outside() {
    let outside = Mutex::default();
    each_place(&[], async |place, server| {
        let python = place.python().unwrap();
        if !has_library(&python, "test.test_tempfile") {
            eprintln!("  not run: {} comes without its tests", python.display());
            return Vec::new();
        }
        let mut wrong = Vec::new();
        for modules in MODULES {
            if let Err(error) = compare_tests(place, server, &python, modules, &outside).await {
                wrong.push(error);
            }
        }
        wrong
    })
    .await;
}

/// How each test ended: status and reason.
type Ends = BTreeMap<String, (String, String)>;

/// How tests ended outside, which is the same for each place: by interpreter and modules.
type EndsOutside = Mutex<BTreeMap<(PathBuf, &'static [&'static str]), Ends>>;

async fn compare_tests(
    place: Place,
    server: &Server,
    python: &Path,
    modules: &'static [&'static str],
    seen_outside: &EndsOutside,
) -> Result<(), String> {
    let runner = fs::read_to_string(folder().join("run_cpython_tests.py")).unwrap();
    let arguments = [&["-c", &runner], modules].concat();
    let code = format!(
        "import subprocess, sys\nprint(subprocess.run([sys.executable, '-u', *{arguments:?}], stdout=subprocess.PIPE, text=True).stdout)"
    );
    let read = |text: &str| serde_json::from_str::<Ends>(text.trim());
    let key = (python.to_owned(), modules);
    let known = seen_outside.lock().unwrap().get(&key).cloned();
    let outside = match known {
        Some(outside) => outside,
        None => {
            let seen = run_plain(python, &arguments);
            let ends = read(&seen.1).map_err(|_| format!("{modules:?} outside: {seen:?}"))?;
            seen_outside.lock().unwrap().insert(key, ends.clone());
            ends
        }
    };
    let inside = run_step(server.channel().await, code).await?;
    let inside = read(inside.stdout()).map_err(|_| format!("{modules:?}: {}", shown(&inside)))?;
    let is_known = |test: &str| {
        let fits = |level: &Option<Level>| level.is_none_or(|level| level == place.level);
        let mut exceptions = EXCEPTIONS.iter();
        exceptions.any(|(name, level, _)| test.contains(name) && fits(level))
    };
    let mut wrong = Vec::new();
    for (test, (status, _)) in &outside {
        let (seen, reason) = inside.get(test).cloned().unwrap_or_default();
        // Some do not run as root, which tests may be and episodes are not.
        let more = status == "skipped" && seen == "ok";
        if seen != *status && !is_known(test) && !more && seen != "no network" {
            wrong.push(format!(
                "{test}: {status} outside, {seen:?} inside: {reason}"
            ));
        }
    }
    eprintln!(
        "  {} of {} tests end as outside",
        outside.len() - wrong.len(),
        outside.len()
    );
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(wrong.join("\n    "))
    }
}
