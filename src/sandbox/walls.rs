//! What is put around the cells of one template: the filter, the root, the rulesets. Made by the warden from the plan, once a template.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::fs::{Mode, OFlags};
use rustix::rand::{GetRandomFlags, getrandom};

use super::landlock::{self, FilePaths};
use super::plan::{CopyWay, Level, Plan};
use super::seccomp::{self, Policy};
use super::visible::{self, Visible};
use super::{directories, jail, sys};

/// How much rather than other processes the kernel ends those of cells when the host is out of memory: proc_pid_oom_score_adj(5), -1000 to 1000.
const OOM_SCORE: &str = "500";

/// The walls of one template's cells.
pub(super) struct Walls {
    plan: Plan,
    loopback: bool,
    /// None at level `none`.
    visible: Option<Visible>,
}

/// The rulesets of a template's cells.
pub(super) struct Domains {
    /// Of the reapers. None below ABI 6, which has no scopes.
    scope: Option<OwnedFd>,
    workers: Workers,
}

/// The rulesets of the workers.
enum Workers {
    /// Every cell mounts its own files: one will do.
    Shared(OwnedFd),
    /// Each cell may reach its own directory.
    PerWorkspace(FilePaths),
}

fn open(path: &Path) -> io::Result<OwnedFd> {
    let opened = rustix::fs::open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty());
    opened.map_err(|error| {
        let error = io::Error::from(error);
        io::Error::new(error.kind(), format!("opening {}: {error}", path.display()))
    })
}

/// Refuses what cells would cover with files of their own.
fn check_seen(visible: &Visible) -> io::Result<()> {
    let covered = |path: &&PathBuf| jail::COVERED.iter().any(|place| path.starts_with(place));
    match visible.paths.iter().find(covered) {
        Some(path) => Err(io::Error::other(format!(
            "{} can't be shown to episodes: {} are their own; move it elsewhere",
            path.display(),
            jail::COVERED.join(", ")
        ))),
        None => Ok(()),
    }
}

impl Walls {
    /// Finds out what an interpreter has to see.
    pub(super) fn new(
        plan: &Plan,
        loopback: bool,
        python: &Path,
        environment: &[(OsString, OsString)],
        readable: &[PathBuf],
    ) -> io::Result<Self> {
        let visible = if plan.level == Level::None {
            None
        } else {
            let visible = visible::visible(python, environment, readable)?;
            if plan.level == Level::Namespace {
                check_seen(&visible)?;
            }
            Some(visible)
        };
        Ok(Self {
            plan: plan.clone(),
            loopback,
            visible,
        })
    }

    /// The level that they make.
    pub(super) fn level(&self) -> Level {
        self.plan.level
    }

    /// Whether its cells have a network of their own.
    pub(super) fn loopback(&self) -> bool {
        self.loopback
    }

    /// The program to execute as the template.
    pub(super) fn program<'a>(&'a self, python: &'a Path) -> &'a Path {
        self.visible
            .as_ref()
            .map_or(python, |visible| visible.program.as_path())
    }

    /// Has the command enter the template's place before it executes. What fails is told on its standard error.
    pub(super) fn surround(&self, command: &mut Command) {
        let Some(visible) = self.visible.clone() else {
            return;
        };
        let plan = self.plan.clone();
        let enter = move || {
            std::fs::write("/proc/self/oom_score_adj", OOM_SCORE)?;
            if plan.level == Level::Namespace {
                jail::enter(&visible, &plan)?;
            }
            Ok(())
        };
        sys::before_exec(command, move || {
            enter().inspect_err(|error: &io::Error| drop(writeln!(io::stderr(), "{error}")))
        });
    }

    /// The system call filter, for the harness's `confine`; in front of it its key, and 1 if somebody is to listen for calls that wait, else 0. None at level `none`.
    pub(super) fn filter(&self) -> io::Result<Option<Vec<u8>>> {
        if !self.plan.seccomp {
            return Ok(None);
        }
        let mut key = [0; 8];
        getrandom(&mut key, GetRandomFlags::empty())?;
        let filter = seccomp::compile(&Policy {
            key: u64::from_ne_bytes(key),
            loopback: self.loopback,
            unix_sockets: self.plan.level == Level::Namespace,
            copies: self.plan.copies.as_ref().ok().copied(),
        });
        let listens = u64::from(self.plan.copies == Ok(CopyWay::Uid));
        Ok(Some([&key, &listens.to_ne_bytes()[..], &*filter].concat()))
    }

    /// The rulesets, once the template is in its place.
    pub(super) fn domains(&self, template: i32) -> io::Result<Option<Domains>> {
        let (Some(abi), Some(visible)) = (self.plan.landlock_abi, &self.visible) else {
            return Ok(None);
        };
        let root = match self.plan.level {
            Level::Namespace => open(Path::new(&format!("/proc/{template}/root")))?,
            Level::Landlock | Level::None => open(Path::new("/"))?,
        };
        let scope = if abi >= landlock::ABI_SCOPES {
            Some(landlock::scope_ruleset(abi, root.as_fd())?)
        } else {
            None
        };
        let open_all = |paths: &[PathBuf]| -> io::Result<Vec<OwnedFd>> {
            paths.iter().map(|path| open(path)).collect()
        };
        let workers = if self.plan.level == Level::Namespace {
            // Everything there is mounted read-only or is the cell's own. A rule on a place that a cell mounts over would not count.
            let paths = FilePaths {
                write: vec![root],
                ..FilePaths::default()
            };
            let ruleset = landlock::domain_ruleset(abi, &paths, &[], self.loopback)?;
            Workers::Shared(ruleset)
        } else {
            Workers::PerWorkspace(FilePaths {
                read: open_all(&visible.paths)?,
                write: Vec::new(),
                devices: open_all(&visible.devices)?,
            })
        };
        Ok(Some(Domains { scope, workers }))
    }
}

impl Domains {
    /// Whether the reapers have one.
    pub(super) fn has_scope(&self) -> bool {
        self.scope.is_some()
    }

    /// The rulesets of one cell: the reaper's, if it has one, and the worker's.
    pub(super) fn of_cell(&self, plan: &Plan, workspace: &Path) -> io::Result<Vec<OwnedFd>> {
        let worker = match &self.workers {
            Workers::Shared(ruleset) => ruleset.try_clone()?,
            Workers::PerWorkspace(paths) => {
                let workspace = open(directories::permitted(plan, workspace))?;
                let abi = plan.landlock_abi.unwrap_or(0);
                landlock::domain_ruleset(abi, paths, &[workspace.as_fd()], false)?
            }
        };
        let scope = self.scope.as_ref().map(OwnedFd::try_clone).transpose()?;
        Ok(scope.into_iter().chain([worker]).collect())
    }
}
