//! What copies of a live episode are kept apart by: from the plan, and nothing else. Pure.

use super::plan::{CopyWay, Level, Plan};

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

impl Separated {
    /// What is kept, by name.
    pub(crate) fn names(self) -> Vec<&'static str> {
        self.told(true)
    }

    /// What is kept, or what is not, by name.
    fn told(self, kept: bool) -> Vec<&'static str> {
        let Self {
            memory,
            files,
            signals,
            ptrace,
        } = self;
        [
            (memory, "memory"),
            (files, "files"),
            (signals, "signals"),
            (ptrace, "tracing"),
        ]
        .into_iter()
        .filter_map(|(is, name)| (is == kept).then_some(name))
        .collect()
    }
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

impl ForkFacts {
    /// Why episodes can't be copied, or what is not kept apart and why, for people. Empty: all is.
    pub(crate) fn detail(&self) -> String {
        if let Some(why) = &self.why_not {
            return why.clone();
        }
        let mut missing = self.separated.told(false);
        if !self.channel_private {
            missing.push("channels");
        }
        if missing.is_empty() {
            return String::new();
        }
        format!(
            "copies have no uids of their own here, so that these are not kept apart between copies of one tree: {}",
            missing.join(", ")
        )
    }
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
        let available = self.copies.is_ok();
        let with_uids = self.copies == Ok(CopyWay::Uid);
        // Without uids the warden delivers signals there.
        let at_landlock = available && self.level == Level::Landlock;
        ForkFacts {
            available,
            why_not: self.copies.clone().err(),
            separated: Separated {
                memory: available,
                files: with_uids,
                signals: with_uids || at_landlock,
                // Without uids: by the filter of system calls, and at level `landlock` the domain, which has no /proc, at level `namespace` PR_SET_DUMPABLE.
                ptrace: available,
            },
            depth_max: None,
            channel_private: with_uids,
            same_paths: with_uids && self.level == Level::Namespace,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::plan::Uids;
    use super::*;

    #[test]
    fn files_and_channels_are_not_kept_apart_where_there_are_no_uids() {
        for (level, apart) in [
            (Level::Landlock, ["memory", "signals", "tracing"].as_slice()),
            (Level::Namespace, &["memory", "tracing"]),
        ] {
            let facts = Plan {
                copies: Ok(CopyWay::Descent),
                ..Plan::of_level(level)
            }
            .fork_facts();
            assert!(facts.available && !facts.channel_private && !facts.same_paths);
            assert_eq!(facts.separated.names(), apart);
            let told = facts.detail();
            assert!(
                told.contains("files, ") && told.ends_with("channels"),
                "{told}"
            );
            assert_eq!(told.contains("signals"), level == Level::Namespace);
        }
    }

    #[test]
    fn all_is_kept_apart_where_there_are_uids_and_paths_are_the_same_where_there_are_roots() {
        let all = ["memory", "files", "signals", "tracing"];
        for level in [Level::Landlock, Level::Namespace] {
            let with = Plan {
                uids: Some(Uids { first: 1, count: 9 }),
                copies: Ok(CopyWay::Uid),
                ..Plan::of_level(level)
            };
            let facts = with.fork_facts();
            assert!(facts.available && facts.channel_private && facts.detail().is_empty());
            assert_eq!(facts.separated.names(), all);
            assert_eq!(facts.same_paths, level == Level::Namespace);
            let without = Plan {
                copies: Err("no uids".to_owned()),
                ..Plan::of_level(level)
            };
            let facts = without.fork_facts();
            assert_eq!(facts.why_not.as_deref(), Some("no uids"));
            assert!(!facts.available && facts.separated.names().is_empty());
        }
        let facts = Plan::of_level(Level::None).fork_facts();
        assert!(facts.available && !facts.channel_private && !facts.same_paths);
        assert_eq!(facts.separated.names(), ["memory"]);
    }
}
