//! What a glob means. Pure.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use globset::{GlobBuilder, GlobMatcher};

use super::path::{DEPTH_MAX, PATH_BYTES_MAX};

/// What begins a component that is more than a name.
const SPECIAL: [char; 6] = ['*', '?', '[', '{', '\\', '}'];

/// A glob over paths of a workspace, and where what it matches can be.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    matcher: GlobMatcher,
    /// The directory beneath which all matches are: the components before the first special one. Empty: the workspace.
    base: Vec<u8>,
    /// How many components a match has at the most.
    depth: usize,
}

impl Pattern {
    /// Reads a glob. An error says what would be right.
    pub(crate) fn new(glob: &str) -> Result<Self, String> {
        if glob.is_empty() {
            return Err("is empty: `**` is all files".to_owned());
        }
        if glob.len() > PATH_BYTES_MAX {
            return Err(format!("has more than {PATH_BYTES_MAX} bytes, the maximum"));
        }
        if glob.starts_with('/') {
            return Err(
                "begins with `/`: globs are relative to the workspace, so leave out `/workspace/` or what else it is called"
                    .to_owned(),
            );
        }
        if glob.contains('\0') {
            return Err("contains NUL, which no name can".to_owned());
        }
        let components: Vec<&str> = glob.split('/').collect();
        if components
            .iter()
            .any(|name| matches!(*name, "" | "." | ".."))
        {
            return Err("has a component that is empty, `.` or `..`".to_owned());
        }
        let matcher = GlobBuilder::new(glob)
            .literal_separator(true)
            .backslash_escape(true)
            .build()
            .map_err(|error| format!("is no glob: {}", error.kind()))?
            .compile_matcher();
        let literal = components
            .iter()
            .take_while(|name| !name.contains(SPECIAL))
            .count();
        // A pattern without anything special is a path.
        let base = components.get(..literal.min(components.len() - 1));
        let base = base.unwrap_or_default().join("/").into_bytes();
        let unbounded = glob.contains("**") || glob.contains('{');
        Ok(Self {
            matcher,
            base,
            depth: if unbounded {
                DEPTH_MAX
            } else {
                components.len()
            },
        })
    }

    /// All files.
    pub(crate) fn all() -> Result<Self, String> {
        Self::new("**")
    }

    pub(super) fn matches(&self, path: &[u8]) -> bool {
        self.matcher.is_match(Path::new(OsStr::from_bytes(path)))
    }

    pub(super) fn base(&self) -> &[u8] {
        &self.base
    }

    pub(super) fn depth(&self) -> usize {
        self.depth
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_mean_what_people_expect() {
        for (glob, matched, others) in [
            ("*.csv", &["a.csv", ".csv"][..], &["a/b.csv", "a.csv2"][..]),
            ("out/*.csv", &["out/a.csv"], &["a.csv", "out/b/a.csv"]),
            ("out/**", &["out/a", "out/a/b"], &["a", "outer/a"]),
            ("**", &["a", "a/b", ".a/b"], &[]),
            ("**/*.py", &["a.py", "a/b/c.py"], &["a.pyc"]),
            ("a/**/b", &["a/b", "a/x/y/b"], &["b"]),
            ("[a-c]?", &["ax", "c."], &["dx", "a", "a/"]),
            ("[!a]", &["b"], &["a"]),
            ("{a,b}/x", &["a/x", "b/x"], &["c/x"]),
            ("\\*", &["*"], &["a"]),
            ("a", &["a"], &["b"]),
        ] {
            let pattern = Pattern::new(glob).unwrap();
            for path in matched {
                assert!(pattern.matches(path.as_bytes()), "{glob} {path}");
            }
            for path in others {
                assert!(!pattern.matches(path.as_bytes()), "{glob} {path}");
            }
        }
        assert!(Pattern::new("*").unwrap().matches(b"\xff\xfe"));
        assert!(Pattern::new("?").unwrap().matches(b"\xff"));
    }

    #[test]
    fn a_walk_begins_where_matches_can_be_and_ends_there() {
        for (glob, base, depth) in [
            ("*.csv", "", 1),
            ("out/*.csv", "out", 2),
            ("a/b/*/c", "a/b", 4),
            ("a/b", "a", 2),
            ("a", "", 1),
            ("a/**", "a", DEPTH_MAX),
            ("{a,b/c}", "", DEPTH_MAX),
        ] {
            let pattern = Pattern::new(glob).unwrap();
            assert_eq!(
                (pattern.base(), pattern.depth()),
                (base.as_bytes(), depth),
                "{glob}"
            );
        }
    }

    #[test]
    fn what_is_no_glob_is_told() {
        for (glob, word) in [
            ("", "empty"),
            ("/a", "relative"),
            ("../*", "`..`"),
            ("a//b", "empty"),
            ("[", "no glob"),
            ("{a", "no glob"),
            ("a\0", "NUL"),
        ] {
            let error = Pattern::new(glob).unwrap_err();
            assert!(error.contains(word), "{glob}: {error}");
        }
        let longest = "a".repeat(PATH_BYTES_MAX);
        Pattern::new(&longest).unwrap();
        assert!(
            Pattern::new(&(longest + "a"))
                .unwrap_err()
                .contains("bytes")
        );
    }
}
