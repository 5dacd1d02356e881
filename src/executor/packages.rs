//! What the interpreter of a runtime can import beside the standard library, as its folders tell, and what is said of a module that it lacks.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Packages that are told of one runtime.
const PACKAGES_MAX: usize = 2048;
/// Modules that are known of one runtime.
const MODULES_MAX: usize = 65_536;
/// How much of a package's metadata is read: its name and version come first.
const METADATA_BYTES_MAX: u64 = 4096;
/// How long what was found holds: packages may be installed while the server runs.
const FRESH_FOR: Duration = Duration::from_secs(30);
/// How long a hint may be.
const HINT_BYTES_MAX: usize = 1024;
/// Packages that a hint names.
const HINT_PACKAGES_MAX: usize = 20;

/// What can be imported.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Packages {
    /// Names and versions of distributions, in order.
    pub(crate) installed: Vec<(String, String)>,
    /// Modules that can be imported by their own name, those of the standard library too.
    modules: BTreeSet<String>,
}

impl Packages {
    /// Looks into the folders that an interpreter imports from, in their order. What can't be read is left out.
    fn read(folders: &[PathBuf]) -> Self {
        let mut installed: BTreeMap<String, (String, String)> = BTreeMap::new();
        let mut modules = BTreeSet::new();
        for folder in folders {
            let Ok(entries) = fs::read_dir(folder) else {
                continue;
            };
            for entry in entries.flatten().take(MODULES_MAX) {
                let name = entry.file_name();
                let Some(name) = name.to_str() else { continue };
                if let Some((package, version)) = distribution(&entry.path(), name) {
                    let key = package.to_ascii_lowercase();
                    installed.entry(key).or_insert((package, version));
                } else if modules.len() < MODULES_MAX
                    && let Some(module) = module(name)
                {
                    modules.insert(module.to_owned());
                }
            }
        }
        Self {
            installed: installed.into_values().take(PACKAGES_MAX).collect(),
            modules,
        }
    }

    /// Whether a module of this name is among them.
    pub(crate) fn has_module(&self, name: &str) -> bool {
        self.modules.contains(name)
    }
}

/// The name and version of the distribution that a folder, or a file, of this name describes.
fn distribution(path: &Path, name: &str) -> Option<(String, String)> {
    let (stem, file) = match name.strip_suffix(".dist-info") {
        Some(stem) => (stem, "METADATA"),
        None => (name.strip_suffix(".egg-info")?, "PKG-INFO"),
    };
    let mut text = Vec::new();
    let metadata = if path.is_dir() {
        path.join(file)
    } else {
        path.to_owned()
    };
    if let Ok(file) = fs::File::open(metadata) {
        drop(file.take(METADATA_BYTES_MAX).read_to_end(&mut text));
    }
    let text = String::from_utf8_lossy(&text);
    let field = |name: &str| {
        let mut lines = text.lines().take_while(|line| !line.is_empty());
        lines
            .find_map(|line| line.strip_prefix(name))
            .map(|value| value.trim().to_owned())
    };
    let (by_name, by_version) = stem.split_once('-').unwrap_or((stem, ""));
    let version = by_version.split('-').next().unwrap_or_default();
    Some((
        field("Name:").unwrap_or_else(|| by_name.to_owned()),
        field("Version:").unwrap_or_else(|| version.to_owned()),
    ))
}

/// The module that a file or folder of this name is, if it is one.
fn module(name: &str) -> Option<&str> {
    let (stem, suffix) = name.split_once('.').unwrap_or((name, ""));
    let is_module = suffix.is_empty() || suffix == "py" || suffix.ends_with("so");
    let is_name = |text: &str| {
        let may_be = |char: char| char.is_alphanumeric() || char == '_';
        text.chars().all(may_be) && !text.starts_with(|first: char| first.is_ascii_digit())
    };
    (is_module && !stem.is_empty() && stem != "__pycache__" && is_name(stem)).then_some(stem)
}

/// What can be imported in one runtime, looked up when somebody asks.
#[derive(Debug, Default)]
pub(crate) struct Found(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    folders: Vec<PathBuf>,
    packages: Option<(Instant, Arc<Packages>)>,
}

impl Found {
    /// Takes the folders that a template imports from.
    pub(super) fn set_folders(&self, folders: Vec<PathBuf>) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *state = State {
            folders,
            packages: None,
        };
    }

    /// What can be imported. It may read folders, and blocks meanwhile.
    pub(super) fn packages(&self) -> Arc<Packages> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((since, packages)) = &state.packages
            && since.elapsed() < FRESH_FOR
        {
            return Arc::clone(packages);
        }
        let packages = Arc::new(Packages::read(&state.folders));
        state.packages = Some((Instant::now(), Arc::clone(&packages)));
        packages
    }
}

/// The module that an exception says is not there. Its type and text are claims of the program.
pub(crate) fn missing_module<'a>(kind: &str, text: &'a str) -> Option<&'a str> {
    let rest = text.strip_prefix("No module named '")?;
    let (name, _) = rest.split_once('\'')?;
    let top = name.split('.').next().unwrap_or(name);
    (kind == "ModuleNotFoundError" && module(top) == Some(top)).then_some(top)
}

/// What can be done about a module that `runtime` lacks, for people: `has` are its packages, `others` the runtimes that have the module. Empty when
/// the runtime has it after all.
pub(crate) fn hint(
    module: &str,
    runtime: &str,
    python_version: &str,
    has: &Packages,
    others: &[String],
) -> String {
    if has.has_module(module) {
        return String::new();
    }
    let mut text =
        format!("runtime `{runtime}` (CPython {python_version}) has no module `{module}`.");
    if !others.is_empty() {
        text += &format!(
            " It is in `{}`: name that as the runtime in Reset.",
            others.join("`, `")
        );
    }
    let named = has.installed.iter().take(HINT_PACKAGES_MAX);
    let named: Vec<String> = named
        .map(|(name, version)| format!("{name} {version}"))
        .collect();
    if named.is_empty() {
        text += " It has the standard library alone.";
    } else {
        text += &format!(" Beside the standard library it has {}", named.join(", "));
        match has.installed.len() - named.len() {
            0 => text += ".",
            more => text += &format!(" and {more} more, which GetServerInfo lists."),
        }
    }
    let mut end = text.len().min(HINT_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_tell_what_can_be_imported() {
        let home = tempfile::tempdir().unwrap();
        let (site, standard) = (
            home.path().join("site-packages"),
            home.path().join("python3.13"),
        );
        for folder in [
            "site-packages/numpy",
            "site-packages/numpy-2.4.6.dist-info",
            "site-packages/__pycache__",
            "site-packages/sklearn",
            "site-packages/scikit_learn-1.9.1.dist-info",
            "site-packages/numpy.libs",
            "python3.13/json",
        ] {
            fs::create_dir_all(home.path().join(folder)).unwrap();
        }
        let write = |path: &Path, text: &str| fs::write(path, text).unwrap();
        write(
            &site.join("scikit_learn-1.9.1.dist-info/METADATA"),
            "Metadata-Version: 2.1\nName: scikit-learn\nVersion: 1.9.1\n\nName: no\n",
        );
        write(&site.join("six.py"), "");
        write(&site.join("_fast.cpython-313-x86_64-linux-gnu.so"), "");
        write(&site.join("distutils-precedence.pth"), "");
        write(
            &site.join("old-1.0-py3.13.egg-info"),
            "Name: old\nVersion: 1.0\n",
        );
        write(&standard.join("os.py"), "");
        let packages = Packages::read(&[site, standard, home.path().join("not-there")]);
        let installed = [
            ("numpy", "2.4.6"),
            ("old", "1.0"),
            ("scikit-learn", "1.9.1"),
        ];
        assert_eq!(
            packages.installed,
            installed.map(|(name, version)| (name.to_owned(), version.to_owned()))
        );
        for (name, has) in [
            ("numpy", true),
            ("sklearn", true),
            ("six", true),
            ("_fast", true),
            ("json", true),
            ("os", true),
            ("__pycache__", false),
            ("numpy.libs", false),
            ("distutils-precedence", false),
        ] {
            assert_eq!(packages.has_module(name), has, "{name}");
        }
    }

    #[test]
    fn the_module_is_read_out_of_what_python_says() {
        let kind = "ModuleNotFoundError";
        assert_eq!(
            missing_module(kind, "No module named 'numpy'"),
            Some("numpy")
        );
        assert_eq!(
            missing_module(kind, "No module named 'a.b'; 'a' is not a package"),
            Some("a")
        );
        for (kind, text) in [
            ("ImportError", "No module named 'numpy'"),
            (kind, "No module named numpy"),
            (kind, "No module named '\u{1b}[31m'"),
            (kind, "No module named ''"),
            (kind, ""),
        ] {
            assert_eq!(missing_module(kind, text), None, "{kind}: {text}");
        }
    }

    #[test]
    fn a_hint_names_the_runtime_and_what_it_has_within_its_bound() {
        let installed = |count: usize| Packages {
            installed: (0..count)
                .map(|at| (format!("package-{at}"), "1.0".to_owned()))
                .collect(),
            modules: BTreeSet::from(["there".to_owned()]),
        };
        assert_eq!(
            hint("numpy", "default", "3.13.0", &installed(0), &[]),
            "runtime `default` (CPython 3.13.0) has no module `numpy`. It has the standard library alone."
        );
        assert_eq!(
            hint(
                "numpy",
                "default",
                "3.13.0",
                &installed(1),
                &["data".to_owned()]
            ),
            "runtime `default` (CPython 3.13.0) has no module `numpy`. It is in `data`: name that as the runtime in Reset. \
             Beside the standard library it has package-0 1.0."
        );
        let many = hint("numpy", "default", "3.13.0", &installed(50), &[]);
        assert!(
            many.ends_with("and 30 more, which GetServerInfo lists."),
            "{many}"
        );
        assert_eq!(hint("there", "default", "3.13.0", &installed(1), &[]), "");
        let long = hint(
            &"\u{e9}".repeat(2000),
            "default",
            "3.13.0",
            &installed(1),
            &[],
        );
        assert!(long.len() <= HINT_BYTES_MAX && long.len() > HINT_BYTES_MAX - 2);
    }
}
