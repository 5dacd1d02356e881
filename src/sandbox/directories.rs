//! Where a worker's files are, at the levels where they are on the host's disk: below the directory of this server's state.
//!
//! Where episodes can be copied at level `landlock` there are several directories, of which the first is what the Landlock domain of a cell permits, for all branches that it may
//! come to have. Elsewhere there is one. The names are random: without uids they are what keeps other episodes of the same user out.
//!
//! With uids they are `CELL/BRANCH/workspace`. The second is root's, and lets nobody in but the branch's group, which is the branch's alone: whatever a
//! program does with the mode of its own directory, in the third, it opens it to no other branch.
//!
//! Without uids they are `CELL/workspace`. A program can make, move and remove whatever is in the first, workspaces of other branches among it: no path of ours has more than its last
//! name there, which is never followed if it is a link, and what is left there goes with the last branch.

use std::fs::{DirBuilder, remove_dir};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, chown};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, fchmod, open};

use super::cell::BRANCHES;
use super::copyist::DIRECTORY;
use super::plan::{CopyWay, Level, Plan};
use super::workspace;

/// The last name of a path, where its branch has a directory, too.
const WORKSPACE: &str = "workspace";
/// The modes: to pass through, for the group to pass through, and all for the owner.
const CELL: u32 = 0o711;
const BRANCH: u32 = 0o710;
const OWN: u32 = 0o700;

/// 122 random bits.
fn random() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

/// The directories of a branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    Workspace,
    CellWorkspace,
    CellBranchWorkspace,
}

fn layout(plan: &Plan) -> Layout {
    match plan.copies {
        Ok(CopyWay::Uid) if plan.level == Level::Landlock => Layout::CellBranchWorkspace,
        Ok(CopyWay::Descent) if plan.level == Level::Landlock => Layout::CellWorkspace,
        _ => Layout::Workspace,
    }
}

/// A new workspace in the directory of a cell. None: there are no such.
fn in_cell(plan: &Plan, cell: &Path) -> Option<PathBuf> {
    match layout(plan) {
        Layout::Workspace => None,
        Layout::CellWorkspace => Some(cell.join(random())),
        Layout::CellBranchWorkspace => Some(cell.join(random()).join(WORKSPACE)),
    }
}

/// The directory of a workspace's cell. None: there are no such.
fn cell<'a>(plan: &Plan, workspace: &'a Path) -> Option<&'a Path> {
    match layout(plan) {
        Layout::Workspace => None,
        Layout::CellWorkspace => workspace.parent(),
        Layout::CellBranchWorkspace => workspace.parent()?.parent(),
    }
}

/// The directory of a branch, beside that of its files. None: there is no such.
fn branch<'a>(plan: &Plan, workspace: &'a Path) -> Option<&'a Path> {
    let has_one = layout(plan) == Layout::CellBranchWorkspace;
    workspace.parent().filter(|_| has_one)
}

/// The workspace of a new cell.
pub(crate) fn of_cell(plan: &Plan, state: &Path) -> PathBuf {
    let own = state.join(random());
    in_cell(plan, &own).unwrap_or(own)
}

/// The workspace of a copy of the worker that has this one. At level `namespace` without uids it is in the cell's own file system, and this is its path there.
pub(crate) fn of_copy(plan: &Plan, state: &Path, parents: &Path) -> PathBuf {
    if plan.level == Level::Namespace && plan.copies == Ok(CopyWay::Descent) {
        return Path::new(BRANCHES).join(random()).join(WORKSPACE);
    }
    cell(plan, parents)
        .and_then(|cell| in_cell(plan, cell))
        .unwrap_or_else(|| state.join(random()))
}

/// What the Landlock domain of a cell permits.
pub(super) fn permitted<'a>(plan: &Plan, workspace: &'a Path) -> &'a Path {
    cell(plan, workspace).unwrap_or(workspace)
}

fn make(path: &Path, mode: u32) -> io::Result<()> {
    DirBuilder::new().mode(mode).create(path)?;
    // Whatever the umask is, and whatever has taken its place.
    let made = open(path, DIRECTORY, Mode::empty())?;
    Ok(fchmod(made, Mode::from_raw_mode(mode))?)
}

/// Makes the workspace of a new cell.
pub(super) fn make_of_cell(plan: &Plan, workspace: &Path, uid: Option<u32>) -> io::Result<()> {
    if let Some(cell) = cell(plan, workspace) {
        make(cell, CELL)?;
    }
    make_of_copy(plan, workspace, uid)
}

/// Makes that of a copy.
pub(super) fn make_of_copy(plan: &Plan, workspace: &Path, uid: Option<u32>) -> io::Result<()> {
    if let Some(branch) = branch(plan, workspace) {
        make(branch, BRANCH)?;
        chown(branch, None, uid)?;
    }
    make(workspace, OWN)?;
    if uid.is_some() {
        chown(workspace, uid, uid)?;
    }
    Ok(())
}

/// Removes a workspace that has nothing in it, and what was made for it alone. False: it has something, or its cell may have.
pub(crate) fn remove_empty(plan: &Plan, workspace: &Path) -> bool {
    let gone = |path: &Path| match remove_dir(path) {
        Ok(()) => true,
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    };
    if !gone(workspace) {
        return false;
    }
    let branch_gone = branch(plan, workspace).is_none_or(gone);
    // Another branch's is in it but for the last time.
    let cell_gone = cell(plan, workspace).is_none_or(gone);
    branch_gone && (cell_gone || layout(plan) != Layout::CellWorkspace)
}

/// Removes a workspace with all that is in it, and what was made for it alone; with the last of a cell all that is in that. `is_of_another` tells whether a directory is that
/// of the cell of another branch, which lives.
///
/// # Errors
/// See [`workspace::remove`].
pub(crate) fn remove(
    plan: &Plan,
    path: &Path,
    is_of_another: impl FnOnce(&Path) -> bool,
) -> io::Result<()> {
    if layout(plan) == Layout::CellWorkspace {
        return match cell(plan, path).filter(|cell| !is_of_another(cell)) {
            Some(cell) => workspace::remove(cell),
            None => workspace::remove_shared(path),
        };
    }
    workspace::remove(path)?;
    remove_empty(plan, path);
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{MetadataExt as _, symlink};

    use super::*;

    #[test]
    fn branches_share_a_cell_and_the_last_one_takes_it_along() {
        let state = tempfile::tempdir().unwrap();
        let no_copies = || Err(String::new());
        for (level, copies, is_nested, has_branch) in [
            (Level::None, no_copies(), false, false),
            (Level::Landlock, no_copies(), false, false),
            (Level::Landlock, Ok(CopyWay::Descent), true, false),
            (Level::Landlock, Ok(CopyWay::Uid), true, true),
        ] {
            let plan = Plan {
                copies,
                ..Plan::of_level(level)
            };
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
            if has_branch {
                assert_eq!(mode(copy.parent().unwrap()), 0o710);
            }
            if is_nested {
                assert_eq!(mode(permitted(&plan, &first)), 0o711);
            }
            fs::write(first.join("file"), "x").unwrap();
            assert!(!remove_empty(&plan, &first));
            let cell = permitted(&plan, &first);
            let others_live = |of: &Path| of == cell;
            remove(&plan, &first, others_live).unwrap();
            assert!(copy.is_dir() && last.is_dir());
            let is_sure = !is_nested || has_branch;
            assert_eq!(remove_empty(&plan, &copy), is_sure);
            fs::write(last.join("file"), "x").unwrap();
            if !is_sure {
                // What a branch of the cell has put beside the workspaces, and in the place of its own.
                fs::write(cell.join("junk"), "x").unwrap();
                fs::rename(&last, cell.join("moved")).unwrap();
                symlink(state.path(), &last).unwrap();
                remove(&plan, &last, others_live).unwrap();
                assert!(cell.join("moved/file").is_file() && !last.is_symlink());
            }
            remove(&plan, &last, |_| false).unwrap();
            remove(&plan, &last, |_| false).unwrap();
            assert_eq!(fs::read_dir(state.path()).unwrap().count(), 0, "{level}");
        }
    }
}
