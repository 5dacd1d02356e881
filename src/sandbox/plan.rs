//! What separates episodes from the host and from one another: the decision, made once at the start.
//!
//! A [`Plan`] is a value. The warden applies it, the server tells of it; nobody decides anything about isolation anywhere else.

use crate::wire::{Malformed, Reader, Writer};

/// How strongly episodes are separated: the strongest that the host allows, or the one that was demanded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// Processes of their own with resource limits, and nothing else.
    None,
    /// A Landlock domain per episode, the system call filter, private directories with names that nobody guesses.
    Landlock,
    /// Namespaces of its own per episode: processes, files, System V objects; an empty network.
    Namespace,
}

/// The host's uids that live cells get, one each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Uids {
    pub(crate) first: u32,
    pub(crate) count: u32,
}

/// One layer of isolation, as it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layer {
    pub(crate) name: &'static str,
    pub(crate) enforced: bool,
    /// What it bounds, or why it is missing and what that means.
    pub(crate) detail: String,
}

/// Everything that was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) level: Level,
    /// The server has no privilege: the warden enters a user namespace, and every cell gets one of its own (level `namespace` only).
    pub(crate) user_namespace: bool,
    /// The system call filter.
    pub(crate) seccomp: bool,
    /// The Landlock ABI to use, from 1. None: no Landlock.
    pub(crate) landlock_abi: Option<u32>,
    /// Landlock keeps signals within a cell (ABI 6, and seen to work).
    pub(crate) landlock_signals: bool,
    /// The kill family goes to the warden, which delivers within a cell only.
    pub(crate) signal_broker: bool,
    /// A uid for each live cell.
    pub(crate) uids: Option<Uids>,
    /// Memory, processes and CPU of each cell are bounded by control groups.
    pub(crate) cgroup: bool,
    /// A cell's /proc shows processes only (mount option `subset=pid`, Linux 5.8).
    pub(crate) proc_subset: bool,
    /// A Reset may ask for a private network with loopback.
    pub(crate) loopback: bool,
    /// In force or missing, in the order in which they are told.
    pub(crate) layers: Vec<Layer>,
}

impl Plan {
    /// What the warden has to know of it, as bytes: all but the layers.
    pub(crate) fn encode(&self, message: Writer) -> Writer {
        let Self {
            level,
            user_namespace,
            seccomp,
            landlock_abi,
            landlock_signals,
            signal_broker,
            uids,
            cgroup,
            proc_subset,
            loopback,
            layers: _,
        } = self;
        let level = match level {
            Level::None => 0,
            Level::Landlock => 1,
            Level::Namespace => 2,
        };
        message
            .u8(level)
            .u8((*user_namespace).into())
            .u8((*seccomp).into())
            .u32(landlock_abi.unwrap_or(0))
            .u8((*landlock_signals).into())
            .u8((*signal_broker).into())
            .u32(uids.map_or(0, |uids| uids.first))
            .u32(uids.map_or(0, |uids| uids.count))
            .u8((*cgroup).into())
            .u8((*proc_subset).into())
            .u8((*loopback).into())
    }

    /// The inverse of [`encode`](Self::encode), without layers.
    pub(crate) fn decode(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let level = match reader.u8()? {
            0 => Level::None,
            1 => Level::Landlock,
            2 => Level::Namespace,
            _ => return Err(Malformed),
        };
        Ok(Self {
            level,
            user_namespace: reader.u8()? != 0,
            seccomp: reader.u8()? != 0,
            landlock_abi: Some(reader.u32()?).filter(|abi| *abi > 0),
            landlock_signals: reader.u8()? != 0,
            signal_broker: reader.u8()? != 0,
            uids: match (reader.u32()?, reader.u32()?) {
                (_, 0) => None,
                (first, count) => Some(Uids { first, count }),
            },
            cgroup: reader.u8()? != 0,
            proc_subset: reader.u8()? != 0,
            loopback: reader.u8()? != 0,
            layers: Vec::new(),
        })
    }
}

impl Plan {
    /// Processes with resource limits, and nothing else.
    pub(crate) fn none() -> Self {
        let layer = |name, enforced, detail: &str| Layer {
            name,
            enforced,
            detail: detail.to_owned(),
        };
        Self {
            level: Level::None,
            user_namespace: false,
            seccomp: false,
            landlock_abi: None,
            landlock_signals: false,
            signal_broker: false,
            uids: None,
            cgroup: false,
            proc_subset: false,
            loopback: false,
            layers: vec![
                layer(
                    "rlimit",
                    true,
                    "address space, open files and file size of each process of an episode; no core files",
                ),
                layer(
                    "process",
                    true,
                    "an interpreter of its own per episode, in a session of its own; it and its descendants end with the episode",
                ),
            ],
        }
    }
}
