//! What copies of a live episode are kept apart by: from the plan, and nothing else. Pure.

use super::plan::{Level, Plan};

/// What of a copy is kept from its parent and its siblings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Separated {
    /// Variables: each has memory of its own.
    pub(crate) memory: bool,
    /// No branch can read or write another's workspace.
    pub(crate) files: bool,
    /// No branch can signal another's processes.
    pub(crate) signals: bool,
    /// No branch can look into another's processes.
    pub(crate) ptrace: bool,
}

/// What this host can do about copies of live episodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ForkFacts {
    /// Whether live episodes can be copied at all.
    pub(crate) available: bool,
    /// Why not, where they can't.
    pub(crate) why_not: Option<String>,
    /// What is kept apart.
    pub(crate) separated: Separated,
    /// How deep a copy of a copy may be, where the host bounds it.
    pub(crate) depth_max: Option<u32>,
    /// The copy's channels don't pass through its parent, which can't keep any of them.
    pub(crate) channel_private: bool,
    /// The copy's files are at the same paths as its parent's.
    pub(crate) same_paths: bool,
}

impl Plan {
    /// What can be said of copies under this plan.
    pub(crate) fn fork_facts(&self) -> ForkFacts {
        if self.level == Level::None {
            return ForkFacts {
                available: true,
                why_not: None,
                separated: Separated {
                    memory: true,
                    ..Separated::default()
                },
                depth_max: None,
                channel_private: false,
                same_paths: false,
            };
        }
        let separated = self.copies.is_ok();
        ForkFacts {
            available: separated,
            why_not: self.copies.clone().err(),
            separated: Separated {
                memory: separated,
                files: separated,
                signals: separated,
                ptrace: separated,
            },
            depth_max: None,
            channel_private: separated,
            same_paths: separated && self.level == Level::Namespace,
        }
    }
}
