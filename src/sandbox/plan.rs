//! What separates episodes from the host and from one another.
//!
//! This version has the level `none` only: a process of its own with resource limits. The layers are values, so that what is
//! missing is told wherever what is there is told.

/// One layer of isolation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layer {
    pub(crate) name: &'static str,
    pub(crate) enforced: bool,
    /// What it bounds, or what its absence means.
    pub(crate) detail: &'static str,
}

/// The layers, in force or missing.
pub(crate) const LAYERS: &[Layer] = &[
    Layer {
        name: "rlimit",
        enforced: true,
        detail: "address space, open files and file size of each process of an episode; no core files",
    },
    Layer {
        name: "process",
        enforced: true,
        detail: "an interpreter of its own per episode, in a session of its own; it and its descendants end with the episode",
    },
    Layer {
        name: "filesystem",
        enforced: false,
        detail: "not implemented: an episode reads and writes what the server's user can",
    },
    Layer {
        name: "network",
        enforced: false,
        detail: "not implemented: an episode reaches what the server's user can reach",
    },
    Layer {
        name: "signals",
        enforced: false,
        detail: "not implemented: an episode can signal and trace every process of the server's user, the server included",
    },
    Layer {
        name: "memory",
        enforced: false,
        detail: "not implemented: memory is bounded for each process, not for an episode's sum",
    },
];
