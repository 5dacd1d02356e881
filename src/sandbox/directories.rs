//! Where a worker's files are, at the levels where they are on the host's disk: below the directory of this server's state.
//!
//! At level `landlock` with uids there are three directories, `CELL/BRANCH/workspace`. The first is what the Landlock domain of a cell permits, for all
//! branches that it may come to have. The second is root's, and lets nobody in but the branch's group, which is the branch's alone: whatever a
//! program does with the mode of its own directory, in the third, it opens it to no other branch. Elsewhere it is one directory. The names are
//! random: without uids they are what keeps other episodes of the same user out.

use std::fs::{DirBuilder, Permissions, remove_dir, set_permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};

use super::plan::{Level, Plan};
use super::workspace;

/// The last name of a path, where there are three.
const WORKSPACE: &str = "workspace";
/// The modes of the three: to pass through, for the group to pass through, and all for the owner.
const CELL: u32 = 0o711;
const BRANCH: u32 = 0o710;
const OWN: u32 = 0o700;

/// 122 random bits.
fn random() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

/// Whether there are three.
fn is_nested(plan: &Plan) -> bool {
    plan.level == Level::Landlock && plan.uids.is_some()
}

/// The directory of a branch, and that of its cell. None: there are no such.
fn above(workspace: &Path) -> Option<(&Path, &Path)> {
    let branch = workspace.parent()?;
    Some((branch, branch.parent()?))
}

/// The workspace of a new cell.
pub(crate) fn of_cell(plan: &Plan, state: &Path) -> PathBuf {
    if is_nested(plan) {
        state.join(random()).join(random()).join(WORKSPACE)
    } else {
        state.join(random())
    }
}

/// The workspace of a copy of the worker that has this one.
pub(crate) fn of_copy(plan: &Plan, state: &Path, parents: &Path) -> PathBuf {
    match above(parents) {
        Some((_, cell)) if is_nested(plan) => cell.join(random()).join(WORKSPACE),
        _ => state.join(random()),
    }
}

/// What the Landlock domain of a cell permits.
pub(super) fn permitted<'a>(plan: &Plan, workspace: &'a Path) -> &'a Path {
    match above(workspace) {
        Some((_, cell)) if is_nested(plan) => cell,
        _ => workspace,
    }
}

fn make(path: &Path, mode: u32) -> io::Result<()> {
    DirBuilder::new().mode(mode).create(path)?;
    // Whatever the umask is.
    set_permissions(path, Permissions::from_mode(mode))
}

/// Makes the workspace of a new cell.
pub(super) fn make_of_cell(plan: &Plan, workspace: &Path, uid: Option<u32>) -> io::Result<()> {
    if let Some((_, cell)) = above(workspace).filter(|_| is_nested(plan)) {
        make(cell, CELL)?;
    }
    make_of_copy(plan, workspace, uid)
}

/// Makes that of a copy.
pub(super) fn make_of_copy(plan: &Plan, workspace: &Path, uid: Option<u32>) -> io::Result<()> {
    if let Some((branch, _)) = above(workspace).filter(|_| is_nested(plan)) {
        make(branch, BRANCH)?;
        chown(branch, None, uid)?;
    }
    make(workspace, OWN)?;
    if uid.is_some() {
        chown(workspace, uid, uid)?;
    }
    Ok(())
}

/// Removes a workspace that has nothing in it, and what was made for it alone. False: it has something.
pub(crate) fn remove_empty(plan: &Plan, workspace: &Path) -> bool {
    let gone = |path: &Path| match remove_dir(path) {
        Ok(()) => true,
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    };
    if !gone(workspace) {
        return false;
    }
    if let Some((branch, cell)) = above(workspace).filter(|_| is_nested(plan)) {
        // Another branch's is in it but for the last time.
        let branch_gone = gone(branch);
        gone(cell);
        return branch_gone;
    }
    true
}

/// Removes a workspace with all that is in it, and what was made for it alone.
///
/// # Errors
/// See [`workspace::remove`].
pub(crate) fn remove(plan: &Plan, path: &Path) -> io::Result<()> {
    workspace::remove(path)?;
    remove_empty(plan, path);
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::MetadataExt as _;

    use super::super::plan::Uids;
    use super::*;

    fn plan(level: Level, has_uids: bool) -> Plan {
        let uids = Uids { first: 1, count: 9 };
        Plan {
            uids: has_uids.then_some(uids),
            ..Plan::of_level(level)
        }
    }

    #[test]
    fn branches_share_a_cell_and_the_last_one_takes_it_along() {
        let state = tempfile::tempdir().unwrap();
        for (level, has_uids, is_nested) in [
            (Level::None, false, false),
            (Level::Landlock, false, false),
            (Level::Landlock, true, true),
        ] {
            let plan = plan(level, has_uids);
            let first = of_cell(&plan, state.path());
            make_of_cell(&plan, &first, None).unwrap();
            let copy = of_copy(&plan, state.path(), &first);
            make_of_copy(&plan, &copy, None).unwrap();
            let last = of_copy(&plan, state.path(), &copy);
            make_of_copy(&plan, &last, None).unwrap();
            assert_eq!(permitted(&plan, &first) == first, !is_nested);
            assert_eq!(copy.starts_with(permitted(&plan, &first)), is_nested);
            assert_eq!(last.starts_with(permitted(&plan, &first)), is_nested);
            let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
            assert_eq!(mode(&copy), 0o700);
            if is_nested {
                assert_eq!(mode(copy.parent().unwrap()), 0o710);
                assert_eq!(mode(permitted(&plan, &first)), 0o711);
            }
            fs::write(first.join("file"), "x").unwrap();
            assert!(!remove_empty(&plan, &first));
            remove(&plan, &first).unwrap();
            assert!(copy.is_dir() && last.is_dir());
            assert!(remove_empty(&plan, &copy));
            fs::write(last.join("file"), "x").unwrap();
            remove(&plan, &last).unwrap();
            remove(&plan, &last).unwrap();
            assert_eq!(fs::read_dir(state.path()).unwrap().count(), 0, "{level}");
        }
    }
}
