//! Runtimes of one's own: virtual environments, at each isolation level, what they have, and what is said of a module that one lacks.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use coding_env::client::{CodingEnv, ResetOptions};
use coding_env::proto::v1::StepResponse;

use crate::support::Server;
use crate::support::places::each_place;

/// Makes a virtual environment of this interpreter with one package in it, as `pip install` leaves one, which every user can read. Returns its
/// interpreter.
fn venv(python: &Path, folder: &Path, package: &str, version: &str) -> String {
    let made = Command::new(python)
        .args(["-m", "venv", "--without-pip", "--symlinks"])
        .arg(folder)
        .status();
    assert!(made.unwrap().success());
    let lib = fs::read_dir(folder.join("lib"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap();
    let site = lib.path().join("site-packages");
    fs::write(site.join(format!("{package}.py")), "VALUE = 42\n").unwrap();
    let info = site.join(format!("{package}-{version}.dist-info"));
    fs::create_dir(&info).unwrap();
    let metadata = format!("Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n");
    fs::write(info.join("METADATA"), metadata).unwrap();
    folder.join("bin/python3").to_str().unwrap().to_owned()
}

async fn step_in(server: &Server, runtime: &str, code: &str) -> StepResponse {
    let mut env: CodingEnv = server.env().await;
    let mut options = ResetOptions::default();
    runtime.clone_into(&mut options.runtime);
    env.reset_with(options).await.unwrap();
    env.step(code).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_virtual_environment_is_a_runtime_at_every_level() {
    each_place(&[], async |place, _| {
        // Not below /tmp, of which episodes at level namespace have their own.
        let home = tempfile::tempdir_in("/var/tmp").unwrap();
        fs::set_permissions(home.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let python = venv(&place.python().unwrap(), &home.path().join("data"), "only_in_data", "1.2.3");
        let runtime = format!("data={python}:only_in_data");
        let server = match place.start(&["--runtime", &runtime]) {
            Ok(server) => server,
            Err(log) => return vec![log],
        };
        let mut wrong = Vec::new();
        let code = "import only_in_data, subprocess, sys\nchild = subprocess.run([sys.executable, '-c', 'import only_in_data; print(only_in_data.VALUE)'], capture_output=True)\n(only_in_data.VALUE, child.stdout, sys.executable, sys.prefix != sys.base_prefix)";
        let reply = step_in(&server, "data", code).await;
        let expected = format!("(42, b'42\\n', '{python}', True)");
        if reply.result() != Some(&expected) {
            wrong.push(format!("{:?} {}", reply.result(), reply.stderr()));
        }
        // What each has is told.
        let info = server.env().await.server_info().await.unwrap();
        let data = info.runtimes.iter().find(|runtime| runtime.name == "data").unwrap();
        let packages: Vec<_> = data.packages.iter().map(|one| (one.name.as_str(), one.version.as_str())).collect();
        if packages != [("only_in_data", "1.2.3")] {
            wrong.push(format!("{packages:?}"));
        }
        // Who asks the wrong runtime is told which is the right one, and the traceback is Python's own.
        let reply = step_in(&server, "", "import only_in_data").await;
        if !reply.hint.contains("runtime `default` (CPython 3.")
            || !reply.hint.contains("has no module `only_in_data`. It is in `data`: name that as the runtime in Reset.")
        {
            wrong.push(format!("hint {:?}", reply.hint));
        }
        let traceback = "Traceback (most recent call last):\n  File \"<step 1>\", line 1, in <module>\n    import only_in_data\nModuleNotFoundError: No module named 'only_in_data'\n";
        if reply.stderr() != traceback {
            wrong.push(format!("traceback {:?}", reply.stderr()));
        }
        // One that nobody has.
        let reply = step_in(&server, "data", "import nobody_has.this").await;
        if !reply.hint.ends_with("has no module `nobody_has`. Beside the standard library it has only_in_data 1.2.3.") {
            wrong.push(format!("hint {:?}", reply.hint));
        }
        for code in ["1 / 0", "import json", "raise ModuleNotFoundError('x')", "raise ModuleNotFoundError(\"No module named 'json'\", name='json')"] {
            let reply = step_in(&server, "data", code).await;
            if !reply.hint.is_empty() {
                wrong.push(format!("{code}: hint {:?}", reply.hint));
            }
        }
        wrong
    })
    .await;
}
