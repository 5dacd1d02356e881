//! The runtimes that are asked for, and the interpreters behind them.

use std::path::{Path, PathBuf};

use super::ConfigError;
use crate::executor::RuntimeConfig;

/// Parses the runtimes and finds their programs.
pub(super) fn runtimes(
    python: &Path,
    preload: Vec<String>,
    further: &[String],
) -> Result<Vec<RuntimeConfig>, ConfigError> {
    let split = |list: &str| -> Vec<String> {
        list.split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let mut runtimes = vec![RuntimeConfig {
        name: "default".to_owned(),
        python: find_python("python", python)?,
        preloads: split(&preload.join(",")),
    }];
    for text in further.iter().filter(|text| !text.is_empty()) {
        let (name, rest) = text.split_once('=').unwrap_or((text, ""));
        let (program, preloads) = rest.split_once(':').unwrap_or((rest, ""));
        let valid = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
        if name.is_empty() || name.len() > 64 || !name.bytes().all(valid) {
            return Err(ConfigError(format!(
                "`--runtime` is `{text}`: it has to be NAME, NAME=PYTHON or NAME=PYTHON:MODULE,MODULE with a NAME of 1 to \
                 64 of [A-Za-z0-9_-]"
            )));
        }
        if runtimes.iter().any(|runtime| runtime.name == name) {
            return Err(ConfigError(format!("`--runtime` names `{name}` twice")));
        }
        let program = if program.is_empty() {
            python
        } else {
            Path::new(program)
        };
        runtimes.push(RuntimeConfig {
            name: name.to_owned(),
            python: find_python("runtime", program)?,
            preloads: split(preloads),
        });
    }
    Ok(runtimes)
}

/// The absolute path of an interpreter. A wrapper script (such as pyenv's) needs the environment that templates
/// don't get, so it is asked which program it stands for.
fn find_python(flag: &str, program: &Path) -> Result<PathBuf, ConfigError> {
    let missing = || {
        ConfigError(format!(
            "`--{flag}`: there is no program `{}`; name a CPython 3.9 or newer",
            program.display()
        ))
    };
    let found = if program.components().count() > 1 {
        std::path::absolute(program).map_err(|_| missing())?
    } else {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path)
            .map(|dir| dir.join(program))
            .find(|candidate| candidate.is_file())
            .and_then(|found| std::path::absolute(found).ok())
            .ok_or_else(missing)?
    };
    let mut magic = [0; 2];
    let read = std::fs::File::open(&found)
        .and_then(|mut file| std::io::Read::read_exact(&mut file, &mut magic));
    read.map_err(|_| missing())?;
    if &magic != b"#!" {
        return Ok(found);
    }
    let asked = std::process::Command::new(&found)
        .args([
            "-I",
            "-S",
            "-c",
            "import sys; sys.stdout.write(sys.executable)",
        ])
        .output()
        .map_err(|_| missing())?;
    let executable = PathBuf::from(String::from_utf8_lossy(&asked.stdout).into_owned());
    if !asked.status.success() || !executable.is_absolute() {
        return Err(ConfigError(format!(
            "`--{flag}`: the script `{}` does not start a Python; name the interpreter itself",
            found.display()
        )));
    }
    Ok(executable)
}
