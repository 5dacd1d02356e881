//! What a path within a workspace is. Pure.

use std::borrow::Cow;

/// The longest path: what open(2) takes, less the zero at its end.
pub(crate) const PATH_BYTES_MAX: usize = 4095;
/// The longest component: NAME_MAX of Linux.
pub(crate) const NAME_BYTES_MAX: usize = 255;
/// The most components.
pub(crate) const DEPTH_MAX: usize = 64;

/// A path relative to the workspace that leads nowhere else: names with `/` between, none of them `.` or `..`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct FilePath(Vec<u8>);

/// Why something is no such path, and what would be right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadPath {
    #[error("is empty: it has to be a path relative to the workspace, like `out/data.csv`")]
    Empty,
    #[error(
        "begins with `/`: paths are relative to the workspace, so leave out `/workspace/` or what else it is called"
    )]
    Absolute,
    #[error("has a component that is empty, `.` or `..`: name the file itself")]
    Component,
    #[error("contains NUL, which no name can")]
    Nul,
    #[error("has a component of more than {NAME_BYTES_MAX} bytes, the maximum")]
    LongName,
    #[error("has more than {PATH_BYTES_MAX} bytes, the maximum")]
    Long,
    #[error("has more than {DEPTH_MAX} components, the maximum")]
    Deep,
}

impl FilePath {
    /// Checks a path that somebody gives. A `/` at its end is not one of its bytes.
    pub(crate) fn new(bytes: &[u8]) -> Result<Self, BadPath> {
        if bytes.is_empty() {
            return Err(BadPath::Empty);
        }
        if bytes.first() == Some(&b'/') {
            return Err(BadPath::Absolute);
        }
        let bytes = bytes.strip_suffix(b"/").unwrap_or(bytes);
        if bytes.len() > PATH_BYTES_MAX {
            return Err(BadPath::Long);
        }
        if bytes.contains(&0) {
            return Err(BadPath::Nul);
        }
        let mut depth = 0;
        for name in bytes.split(|byte| *byte == b'/') {
            depth += 1;
            if matches!(name, b"" | b"." | b"..") {
                return Err(BadPath::Component);
            }
            if name.len() > NAME_BYTES_MAX {
                return Err(BadPath::LongName);
            }
        }
        if depth > DEPTH_MAX {
            return Err(BadPath::Deep);
        }
        Ok(Self(bytes.to_vec()))
    }

    /// The path of an entry of a directory; None beyond the bounds. The workspace itself is the empty path.
    pub(super) fn join(directory: &[u8], name: &[u8]) -> Option<Self> {
        let path = if directory.is_empty() {
            name.to_vec()
        } else {
            [directory, b"/", name].concat()
        };
        (path.len() <= PATH_BYTES_MAX && depth(&path) <= DEPTH_MAX).then_some(Self(path))
    }

    /// What could not be reached, to be told: it may be beyond the bounds.
    pub(super) fn unreached(directory: &[u8], name: &[u8]) -> Self {
        if directory.is_empty() {
            return Self(name.to_vec());
        }
        Self([directory, b"/", name].concat())
    }

    /// Its bytes.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// For messages.
    pub(crate) fn shown(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.0)
    }

    /// The directory that it is in, empty for the workspace itself, and its name there.
    pub(super) fn split(&self) -> (&[u8], &[u8]) {
        match self.0.iter().rposition(|byte| *byte == b'/') {
            Some(at) => {
                let (directory, name) = self.0.split_at(at);
                (directory, name.get(1..).unwrap_or_default())
            }
            None => (&[], &self.0),
        }
    }

    /// The paths that lead to it, the nearest to the workspace first, without itself.
    pub(crate) fn ancestors(&self) -> impl Iterator<Item = &[u8]> {
        let slashes = self.0.iter().enumerate().filter(|(_, byte)| **byte == b'/');
        slashes.filter_map(|(at, _)| self.0.get(..at))
    }
}

/// How many components a path has that is not empty.
pub(super) fn depth(path: &[u8]) -> usize {
    1 + path.iter().filter(|byte| **byte == b'/').count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn refused(bytes: &[u8]) -> BadPath {
        FilePath::new(bytes).unwrap_err()
    }

    #[test]
    fn a_path_leads_nowhere_else() {
        for good in ["a", "a/b", "a/", ".a", "..a/b..", "a b", "\u{e9}", "-"] {
            let path = FilePath::new(good.as_bytes()).unwrap();
            assert_eq!(path.shown(), good.trim_end_matches('/'));
        }
        FilePath::new(b"\xff\n").unwrap();
        assert_eq!(refused(b""), BadPath::Empty);
        assert_eq!(refused(b"/"), BadPath::Absolute);
        assert_eq!(refused(b"/workspace/a"), BadPath::Absolute);
        for bad in [".", "..", "a/..", "../a", "a/./b", "a//b", "./a", "a//"] {
            assert_eq!(refused(bad.as_bytes()), BadPath::Component, "{bad}");
        }
        assert_eq!(refused(b"a\0"), BadPath::Nul);
    }

    #[test]
    fn each_bound_has_two_sides() {
        let name = "n".repeat(NAME_BYTES_MAX);
        FilePath::new(name.as_bytes()).unwrap();
        assert_eq!(refused((name.clone() + "n").as_bytes()), BadPath::LongName);
        let deep = vec!["d"; DEPTH_MAX].join("/");
        FilePath::new(deep.as_bytes()).unwrap();
        assert_eq!(refused((deep.clone() + "/d").as_bytes()), BadPath::Deep);
        assert!(FilePath::join(deep.as_bytes(), b"d").is_none());
        let long = vec![name.as_str(); PATH_BYTES_MAX / (NAME_BYTES_MAX + 1) + 1].join("/");
        assert_eq!(long.len(), PATH_BYTES_MAX);
        FilePath::new(long.as_bytes()).unwrap();
        assert_eq!(refused((long.clone() + "n").as_bytes()), BadPath::Long);
        assert!(FilePath::join(long.as_bytes(), b"d").is_none());
    }

    #[test]
    fn a_path_comes_apart() {
        let path = FilePath::new(b"a/b/c").unwrap();
        assert_eq!(path.split(), (&b"a/b"[..], &b"c"[..]));
        assert!(path.ancestors().eq([&b"a"[..], &b"a/b"[..]]));
        let path = FilePath::new(b"c").unwrap();
        assert_eq!(path.split(), (&b""[..], &b"c"[..]));
        assert_eq!(path.ancestors().count(), 0);
    }

    proptest! {
        #[test]
        fn what_is_taken_stays_within(bytes in proptest::collection::vec(prop_oneof![Just(b'/'), Just(b'.'), any::<u8>()], 0..40)) {
            if let Ok(path) = FilePath::new(&bytes) {
                let mut names = path.as_bytes().split(|byte| *byte == b'/');
                prop_assert!(names.all(|name| !name.is_empty() && name != b"." && name != b".." && !name.contains(&0)));
            }
        }
    }
}
