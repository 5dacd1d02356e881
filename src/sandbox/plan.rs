//! What separates episodes from the host and from one another: the decision, made once at the start.
//!
//! A [`Plan`] is a value. The warden applies it, the server tells of it; nobody decides anything about isolation anywhere else.

use super::features::{Features, Found, Namespaces};
use crate::limits::Bounds;
use crate::wire::{Malformed, Reader, Writer};

/// The layers, in the order in which they are told. A demand names some of them.
pub(crate) const LAYERS: [LayerName; 13] = [
    "namespaces",
    "filesystem",
    "landlock",
    "signals",
    "seccomp",
    "no_new_privs",
    "capabilities",
    "network",
    "loopback",
    "uid",
    "cgroup",
    "rlimit",
    "process",
];

/// One of [`LAYERS`].
pub(crate) type LayerName = &'static str;

/// The flag that accepts that episodes can signal one another.
pub(crate) const OPEN_SIGNALS_FLAG: &str = "--accept-open-signals";

/// Below this Landlock ABI (Linux 6.2), a domain does not keep files from being truncated.
const LANDLOCK_TRUNCATE_ABI: u32 = 3;
/// From this Landlock ABI (Linux 6.12) on, a domain keeps signals out.
const LANDLOCK_SIGNALS_ABI: u32 = 6;

/// Where the uids of cells begin unless told otherwise, the first that are there: 0x70000000, which systemd's list of uid ranges leaves
/// unused (below are those of its containers, from 0x7ffe0000 on those of foreign images), and, where a user namespace maps only few, the
/// middle of what ordinary users get.
const UIDS_FIRST: [u32; 2] = [0x7000_0000, 30_000];
/// How far above the first of those the uids may begin.
pub(crate) const UID_OFFSETS: u32 = 0x0800_0000;

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
    /// The lowest.
    pub(crate) first: u32,
    /// How many, from there on.
    pub(crate) count: u32,
}

/// One layer of isolation, as it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layer {
    /// One of [`LAYERS`].
    pub(crate) name: LayerName,
    /// Whether it is in force for every episode (`loopback`: for every one that asks).
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
    /// The kill family goes to the warden, which delivers within a cell only, and within a branch of one that was copied: at level `landlock` without uids.
    pub(crate) signal_broker: bool,
    /// A uid for each live cell.
    pub(crate) uids: Option<Uids>,
    /// Memory, processes and CPU of each cell are bounded by control groups.
    pub(crate) cgroup: bool,
    /// The control groups bound CPU time too.
    pub(crate) cgroup_cpu: bool,
    /// The count of a cell's processes is bounded by RLIMIT_NPROC: its uid, or its user namespace, has no other ones.
    pub(crate) process_count: bool,
    /// A cell's /proc shows processes only (mount option `subset=pid`, Linux 5.8).
    pub(crate) proc_subset: bool,
    /// A Reset may ask for a private network with loopback.
    pub(crate) loopback: bool,
    /// How workers can become copies of one another. Else why they can't.
    pub(crate) copies: Found<CopyWay>,
    /// In force or missing, in the order in which they are told.
    pub(crate) layers: Vec<Layer>,
}

/// How copies of a live worker come to be, and what tells them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CopyWay {
    /// Each gets a uid of its own, and at level `namespace` a root: the warden answers for the calls that it takes, and workers keep the capabilities.
    Uid,
    /// All have their parent's uid: which processes descend from which copy tells them apart. At level `landlock` the warden delivers signals by that.
    Descent,
}

/// What a server is asked to enforce.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Demand {
    /// The level. None: the strongest that is possible, but never [`Level::None`].
    pub(crate) level: Option<Level>,
    /// Layers without which not to start.
    pub(crate) require: Vec<LayerName>,
    /// Signals between episodes may stay open at level `landlock`.
    pub(crate) accept_open_signals: bool,
    /// Where the uids of cells begin. None: where they are likely to be free.
    pub(crate) uid_first: Option<u32>,
    /// How many uids: as many as cells can live at a time.
    pub(crate) uid_count: u32,
    /// Where in the range of likely free uids they begin if nothing is said: random, because servers on one host that shared uids would
    /// count each other's processes. At most [`UID_OFFSETS`].
    pub(crate) uid_offset: u32,
}

/// Why no server is to start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// The level that was demanded is not possible.
    #[error("isolation level {level} is not possible here: {why}")]
    Level {
        /// Which.
        level: Level,
        /// What stops it.
        why: String,
    },
    /// No level is possible but `none`, which has to be asked for.
    #[error(
        "no isolation is possible here. Level namespace: {namespace}. Level landlock: {landlock}. Run the server where one of them \
         is possible, or accept that an episode can do whatever the server can: `--isolation none`"
    )]
    NoLevel {
        /// What stops level `namespace`.
        namespace: String,
        /// What stops level `landlock`.
        landlock: String,
    },
    /// Layers that were demanded are missing.
    #[error("`--require`: {}", missing(.level, .layers))]
    Layers {
        /// The level that was chosen.
        level: Level,
        /// The layers, each with why it is missing.
        layers: Vec<Layer>,
    },
}

fn missing(level: &Level, layers: &[Layer]) -> String {
    let told: Vec<String> = layers
        .iter()
        .map(|layer| format!("layer {} is missing ({})", layer.name, layer.detail))
        .collect();
    format!("{} at isolation level {level}", told.join("; "))
}

impl Level {
    /// As it is written everywhere.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Landlock => "landlock",
            Self::Namespace => "namespace",
        }
    }
}

impl std::fmt::Display for Level {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.name())
    }
}

/// What a process's reasons for not having something look like when there are several.
fn all(found: &[&Found]) -> Result<(), String> {
    let mut reasons: Vec<&str> = Vec::new();
    for reason in found.iter().filter_map(|found| found.as_ref().err()) {
        // One cause often stops several things.
        if !reasons.contains(&reason.as_str()) {
            reasons.push(reason);
        }
    }
    if reasons.is_empty() {
        Ok(())
    } else {
        Err(reasons.join("; "))
    }
}

/// What every level but `none` needs.
fn base(features: &Features) -> Result<(), String> {
    all(&[
        &features.seccomp,
        &features.no_new_privs,
        &features.close_range,
        &features.clone_parent,
    ])
}

/// Whether level `namespace` can be had in this way.
pub(super) fn complete(namespaces: &Namespaces) -> Result<(), String> {
    let Namespaces {
        cell,
        root,
        proc,
        proc_subset,
        network,
        loopback: _,
    } = namespaces;
    let proc = if proc_subset.is_ok() {
        proc_subset
    } else {
        proc
    };
    all(&[cell, root, proc, network])
}

/// The way into namespaces, and whether it is through a user namespace.
fn way(features: &Features) -> Result<(&Namespaces, bool), String> {
    let Err(privileged) = complete(&features.privileged) else {
        return Ok((&features.privileged, false));
    };
    let Err(unprivileged) = complete(&features.unprivileged) else {
        return Ok((&features.unprivileged, true));
    };
    Err(format!(
        "with this process's privilege: {privileged}; in a user namespace: {unprivileged}"
    ))
}

/// The uids that cells are to get, without a user namespace. Where cells have no root directory of their own, those uids have to be let in
/// by the host's directories, and what they leave in the host's file system has to be removed.
fn uids(features: &Features, demand: &Demand, level: Level) -> Found<Uids> {
    features.set_uid.clone()?;
    if level == Level::Landlock {
        features.others_files.clone()?;
        features.open_to_others.clone()?;
    }
    let count = demand.uid_count;
    let mapped = |first: &u32| {
        let fits = |range: &Uids| {
            range.first <= *first
                && u64::from(*first) + u64::from(count)
                    <= u64::from(range.first) + u64::from(range.count)
        };
        features.mapped_uids.iter().any(fits)
    };
    match demand.uid_first {
        Some(first) if mapped(&first) => Ok(Uids { first, count }),
        Some(first) => Err(format!(
            "not all of the {count} uids from {first} on exist in this user namespace; see `--uid-first` and `--uid-count`"
        )),
        None => std::iter::once(UIDS_FIRST[0].saturating_add(demand.uid_offset))
            .chain(UIDS_FIRST)
            .find(mapped)
            .map(|first| Uids { first, count })
            .ok_or_else(|| {
                format!("this user namespace has no {count} uids from {} or {} on; see `--uid-first` and `--uid-count`", UIDS_FIRST[0], UIDS_FIRST[1])
            }),
    }
}

/// Whether a Landlock domain keeps signals within a cell.
fn landlock_signals(features: &Features) -> bool {
    matches!(&features.landlock, Ok(abi) if *abi >= LANDLOCK_SIGNALS_ABI)
        && features.landlock_signals.is_ok()
}

/// Why level `landlock` is not possible, if it is not.
fn landlock_possible(features: &Features, demand: &Demand) -> Result<(), String> {
    base(features)?;
    let abi = features.landlock.clone()?;
    let uids = uids(features, demand, Level::Landlock);
    if abi < LANDLOCK_TRUNCATE_ABI
        && let Err(why) = &uids
    {
        return Err(format!(
            "this kernel's Landlock (ABI {abi}) does not keep an episode from truncating files of the server's user (ABI 3, Linux 6.2, does), \
             and episodes can't have uids of their own: {why}"
        ));
    }
    if landlock_signals(features) || uids.is_ok() || demand.accept_open_signals {
        return Ok(());
    }
    let uids = uids.err().unwrap_or_default();
    features.user_notification.clone().map_err(|broker| {
        format!(
            "this kernel's Landlock (ABI {abi}) does not keep episodes from signalling one another and the server (ABI 6, Linux 6.12, does), \
             they can't have uids of their own ({uids}), and the warden can't deliver their signals ({broker}). `{OPEN_SIGNALS_FLAG}` accepts that"
        )
    })
}

/// The Landlock ABI to use. Where scopes don't work, the last one before them.
fn landlock_abi(features: &Features) -> Option<u32> {
    let abi = *features.landlock.as_ref().ok()?;
    Some(if landlock_signals(features) {
        abi
    } else {
        abi.min(LANDLOCK_SIGNALS_ABI - 1)
    })
}

/// Whether a level is possible here, and if not, what stops it.
pub(crate) fn possible(features: &Features, demand: &Demand, level: Level) -> Result<(), String> {
    match level {
        Level::None => Ok(()),
        Level::Landlock => landlock_possible(features, demand),
        Level::Namespace => {
            base(features)?;
            way(features).map(drop)
        }
    }
}

/// Decides what isolation is in force: the level that is demanded, or the strongest that is possible, with every layer that adds to it.
///
/// # Errors
/// When what is demanded is not possible, or nothing is.
pub(crate) fn plan(features: &Features, demand: &Demand) -> Result<Plan, Refusal> {
    let level = match demand.level {
        Some(level) => {
            possible(features, demand, level).map_err(|why| Refusal::Level { level, why })?;
            level
        }
        None => match possible(features, demand, Level::Namespace) {
            Ok(()) => Level::Namespace,
            Err(namespace) => match possible(features, demand, Level::Landlock) {
                Ok(()) => Level::Landlock,
                Err(landlock) => {
                    return Err(Refusal::NoLevel {
                        namespace,
                        landlock,
                    });
                }
            },
        },
    };
    let mut plan = decide(features, demand, level);
    plan.layers = layers(&plan, features, demand);
    let missing: Vec<Layer> = plan
        .layers
        .iter()
        .filter(|layer| !layer.enforced && demand.require.contains(&layer.name))
        .cloned()
        .collect();
    if missing.is_empty() {
        Ok(plan)
    } else {
        Err(Refusal::Layers {
            level,
            layers: missing,
        })
    }
}

/// Everything that is in force at a level that is possible, without the layers' words.
fn decide(features: &Features, demand: &Demand, level: Level) -> Plan {
    let isolated = level != Level::None;
    let way = way(features).ok().filter(|_| level == Level::Namespace);
    let user_namespace = way.is_some_and(|(_, user_namespace)| user_namespace);
    let uids = uids(features, demand, level)
        .ok()
        .filter(|_| isolated && !user_namespace);
    let cgroup = features.cgroup.as_ref().ok().filter(|_| isolated);
    Plan {
        level,
        user_namespace,
        seccomp: isolated,
        landlock_abi: landlock_abi(features).filter(|_| isolated),
        landlock_signals: isolated && landlock_signals(features),
        // Where Landlock keeps signals within a cell, it still does not keep a cell's branches apart.
        signal_broker: level == Level::Landlock
            && uids.is_none()
            && features.user_notification.is_ok(),
        uids,
        cgroup: cgroup.is_some(),
        cgroup_cpu: cgroup.is_some_and(|cgroup| cgroup.cpu),
        process_count: uids.is_some() || (user_namespace && features.process_count.is_ok()),
        proc_subset: way.is_some_and(|(namespaces, _)| namespaces.proc_subset.is_ok()),
        loopback: way.is_some_and(|(namespaces, _)| namespaces.loopback.is_ok()),
        copies: copies(features, demand, level, uids),
        layers: Vec::new(),
    }
}

/// Whether live workers can be copied so that the copies are kept apart.
fn copies(
    features: &Features,
    demand: &Demand,
    level: Level,
    uids: Option<Uids>,
) -> Found<CopyWay> {
    if level == Level::None {
        return Err("nothing keeps episodes apart at isolation level none".to_owned());
    }
    if uids.is_none() {
        if level == Level::Landlock {
            let without = |why| format!("the warden can't answer for copies: {why}");
            features.user_notification.clone().map_err(without)?;
        }
        return Ok(CopyWay::Descent);
    }
    if demand.require.contains(&"capabilities") {
        let why = "`--require capabilities` leaves episodes none, and a copy needs some to get a uid of its own";
        return Err(why.to_owned());
    }
    features.copies.clone()?;
    if level == Level::Namespace {
        features.copies_roots.clone()?;
    }
    Ok(CopyWay::Uid)
}

/// Every layer, with what it bounds, or why it is missing and what that means.
fn layers(plan: &Plan, features: &Features, demand: &Demand) -> Vec<Layer> {
    LAYERS
        .into_iter()
        .map(|name| match layer(name, plan, features, demand) {
            Ok(detail) => Layer {
                name,
                enforced: true,
                detail,
            },
            Err(detail) => Layer {
                name,
                enforced: false,
                detail,
            },
        })
        .collect()
}

/// What a layer bounds, or why it is missing and what that means.
fn layer(
    name: LayerName,
    plan: &Plan,
    features: &Features,
    demand: &Demand,
) -> Result<String, String> {
    let bounds = plan.bounds();
    match name {
        "rlimit" => Ok(format!(
            "address space, open files and file size of each process of an episode; no core files{}",
            if plan.process_count {
                "; how many processes and threads an episode has"
            } else if bounds.processes {
                ""
            } else {
                "; how many processes and threads an episode has is not bounded"
            }
        )),
        "process" => Ok(
            "an interpreter of its own per episode, in a session of its own; it and its descendants end with the episode"
                .to_owned(),
        ),
        _ if plan.level == Level::None => {
            Err(format!("isolation level none was asked for: {}", open(name)))
        }
        "namespaces" => match (plan.level, plan.user_namespace) {
            (Level::Namespace, false) => Ok(
                "processes, mounts, host name and System V objects of its own per episode".to_owned(),
            ),
            (Level::Namespace, true) => Ok(
                "users, processes, mounts, host name and System V objects of its own per episode, in a user namespace of the server"
                    .to_owned(),
            ),
            (Level::Landlock | Level::None, _) => Err(format!(
                "{}: {}",
                possible(features, demand, Level::Namespace)
                    .err()
                    .unwrap_or_else(|| "isolation level landlock was asked for".to_owned()),
                open(name)
            )),
        },
        "filesystem" => Ok(match plan.level {
            Level::Namespace => {
                "an episode sees what Python needs, read-only, and private /workspace, /tmp and /dev/shm whose bytes and files are bounded"
            }
            Level::Landlock | Level::None => {
                "an episode can read what Python needs and write below a private directory with a random name; how much it writes there is \
                 not bounded as a whole, only each file's size"
            }
        }
        .to_owned()),
        "landlock" => match (plan.landlock_abi, &features.landlock) {
            (Some(abi), _) => Ok(format!(
                "ABI {abi}: a domain per episode keeps it from {}",
                match abi {
                    ..LANDLOCK_TRUNCATE_ABI => "other files (but for truncating them) and tracing other processes",
                    LANDLOCK_TRUNCATE_ABI => "other files and tracing other processes",
                    _ => "other files, TCP and tracing other processes",
                }
            )),
            (None, Err(why)) => Err(format!("{why}: {}", open(name))),
            (None, Ok(_)) => Err(open(name).to_owned()),
        },
        "signals" => {
            let by = [
                (plan.level == Level::Namespace, "its processes are all that it sees"),
                (plan.landlock_signals, "Landlock"),
                (plan.uids.is_some(), "its uid"),
                (plan.signal_broker, "a broker in the warden"),
            ];
            let by: Vec<&str> = by.into_iter().filter(|(is, _)| *is).map(|(_, by)| by).collect();
            if by.is_empty() {
                Err(format!("accepted by {OPEN_SIGNALS_FLAG}: {}", open(name)))
            } else {
                Ok(format!("an episode can signal its own processes only: {}", by.join(", ")))
            }
        }
        "seccomp" => Ok("system calls that Python programs need, and no others".to_owned()),
        "no_new_privs" => Ok("no program that an episode starts gains privilege".to_owned()),
        "capabilities" => Ok(match (&plan.copies, plan.level) {
            (Ok(CopyWay::Uid), Level::Namespace) => {
                "an episode has three, by which a copy of it gets a uid and a root of its own (CAP_SETUID, CAP_SETGID, CAP_SYS_CHROOT), and can use them \
                 only as the warden answers each call; no program that it starts has any"
            }
            (Ok(CopyWay::Uid), _) => {
                "an episode has two, by which a copy of it gets a uid of its own (CAP_SETUID, CAP_SETGID), and can use them only as the warden answers each \
                 call; no program that it starts has any"
            }
            (Ok(CopyWay::Descent) | Err(_), _) => "an episode has none",
        }
        .to_owned()),
        "network" => Ok(match plan.level {
            Level::Namespace => "an episode reaches none: no sockets, and an empty network of its own",
            Level::Landlock | Level::None => "an episode reaches none: no sockets",
        }
        .to_owned()),
        "loopback" => {
            if plan.loopback {
                return Ok("a Reset may ask for a private network that has nothing but loopback".to_owned());
            }
            let why = match (plan.level, way(features)) {
                (Level::Namespace, Ok((namespaces, _))) => {
                    namespaces.loopback.clone().err().unwrap_or_default()
                }
                _ => "it needs isolation level namespace".to_owned(),
            };
            Err(format!("{why}: {}", open(name)))
        }
        "uid" => match (plan.uids, uids(features, demand, plan.level)) {
            (Some(Uids { first, count }), _) => {
                let last = u64::from(first) + u64::from(count) - 1;
                Ok(format!("a uid of its own per live episode, of {first} to {last}"))
            }
            (None, Err(why)) => Err(format!("{why}: {}", open(name))),
            (None, Ok(_)) => Err(format!(
                "in the server's user namespace there is one uid only: {}",
                open(name)
            )),
        },
        _ => match &features.cgroup {
            Ok(cgroup) => Ok(format!(
                "version {}: memory of all processes and files of an episode together, how many processes and threads it has, {}",
                cgroup.version,
                if cgroup.cpu {
                    "its share of the CPUs"
                } else {
                    "but not its share of the CPUs (no controller cpu)"
                }
            )),
            Err(why) => Err(format!(
                "{why}: memory is bounded for each process, not for an episode as a whole, and its share of the CPUs is not bounded{}",
                if bounds.processes {
                    ""
                } else {
                    "; nor is how many processes and threads it has"
                }
            )),
        },
    }
}

/// What it means when a layer is missing.
fn open(name: LayerName) -> &'static str {
    match name {
        "namespaces" => {
            "episodes share the host's processes and mounts, which other layers have to keep from them"
        }
        "filesystem" => "an episode can read and write what the server's user can",
        "landlock" => "the other layers stand without a second one behind them",
        "signals" => {
            "an episode can signal other episodes of the server, and the server's processes"
        }
        "seccomp" => "an episode can make any system call",
        "no_new_privs" => "a set-user-id program that an episode starts gains privilege",
        "capabilities" => "an episode has the server's",
        "network" => "an episode reaches what the server reaches",
        "loopback" => "a Reset that asks for it is refused",
        "uid" => "episodes run as the server's user, and other layers have to keep them apart",
        "cgroup" => {
            "memory and processes of an episode as a whole, and its share of the CPUs, are not bounded"
        }
        _ => "it is not enforced",
    }
}

impl Plan {
    /// Whether a reaper may signal all that it can reach, because that is its own cell.
    pub(crate) fn is_walled(&self) -> bool {
        self.level == Level::Namespace || self.landlock_signals
    }

    /// Nothing but a level, for tests of what takes a plan.
    #[cfg(test)]
    pub(crate) fn of_level(level: Level) -> Self {
        Self {
            level,
            user_namespace: false,
            seccomp: false,
            landlock_abi: None,
            landlock_signals: false,
            signal_broker: false,
            uids: None,
            cgroup: false,
            cgroup_cpu: false,
            process_count: false,
            proc_subset: false,
            loopback: false,
            copies: Err(String::new()),
            layers: Vec::new(),
        }
    }

    /// Why a layer is missing. None: it is in force.
    pub(crate) fn lacks(&self, layer: &str) -> Option<&str> {
        let missing = |known: &&Layer| known.name == layer && !known.enforced;
        let layer = self.layers.iter().find(missing)?;
        Some(&layer.detail)
    }

    /// Which limits of a cell are enforced.
    pub(crate) fn bounds(&self) -> Bounds {
        let namespace = self.level == Level::Namespace;
        Bounds {
            total_memory: self.cgroup,
            processes: self.cgroup || self.process_count,
            workspace: namespace,
            cpu: self.cgroup_cpu,
        }
    }

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
            cgroup_cpu,
            process_count,
            proc_subset,
            loopback,
            copies,
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
            .u8((*cgroup_cpu).into())
            .u8((*process_count).into())
            .u8((*proc_subset).into())
            .u8((*loopback).into())
            .u8(match copies {
                Err(_) => 0,
                Ok(CopyWay::Uid) => 1,
                Ok(CopyWay::Descent) => 2,
            })
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
            cgroup_cpu: reader.u8()? != 0,
            process_count: reader.u8()? != 0,
            proc_subset: reader.u8()? != 0,
            loopback: reader.u8()? != 0,
            copies: match reader.u8()? {
                0 => Err(String::new()),
                1 => Ok(CopyWay::Uid),
                2 => Ok(CopyWay::Descent),
                _ => return Err(Malformed),
            },
            layers: Vec::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::features::Cgroups;
    use super::*;

    /// What can be missing, one number each: 0 is the best, and each higher one takes something away.
    type State = [usize; 11];
    /// How many states each has: namespaces with privilege, and without; seccomp, no_new_privs, close_range, clone_parent; Landlock; uids;
    /// count of processes; control groups; user notification.
    const STATES: State = [7, 7, 2, 2, 2, 2, 5, 5, 2, 3, 2];

    fn works(is: bool, what: &str) -> Found {
        if is {
            Ok(())
        } else {
            Err(format!("no {what}"))
        }
    }

    fn namespaces(state: usize) -> Namespaces {
        Namespaces {
            proc_subset: works(state != 1 && state != 6, "subset"),
            loopback: works(state != 2 && state != 3, "lo"),
            network: works(state != 3, "network"),
            root: works(state != 4, "root"),
            cell: works(state != 5, "cell"),
            proc: works(state != 6, "proc"),
        }
    }

    /// Whether level `namespace` is possible with these.
    fn is_complete(state: usize) -> bool {
        state <= 2
    }

    fn features(state: State) -> Features {
        let [
            privileged,
            unprivileged,
            seccomp,
            nnp,
            close,
            clone,
            landlock,
            uid,
            count,
            cgroup,
            notification,
        ] = state;
        Features {
            euid: 0,
            privileged: namespaces(privileged),
            unprivileged: namespaces(unprivileged),
            process_count: works(count == 0, "count"),
            landlock: [Ok(7), Ok(7), Ok(4), Ok(2), Err("no landlock".to_owned())][landlock].clone(),
            landlock_signals: works(landlock == 0, "scope"),
            seccomp: works(seccomp == 0, "seccomp"),
            user_notification: works(notification == 0, "listener"),
            set_uid: works(uid != 2, "uids"),
            others_files: works(uid != 4, "way to remove"),
            open_to_others: works(uid != 3, "way in"),
            mapped_uids: match uid {
                0 | 3 | 4 => vec![Uids {
                    first: 0,
                    count: u32::MAX,
                }],
                _ => vec![Uids {
                    first: 0,
                    count: 100,
                }],
            },
            no_new_privs: works(nnp == 0, "nnp"),
            close_range: works(close == 0, "close_range"),
            clone_parent: works(clone == 0, "clone_parent"),
            copies: works(notification == 0, "copies"),
            copies_roots: works(notification == 0, "roots"),
            cgroup: match cgroup {
                2 => Err("no cgroup".to_owned()),
                without_cpu => Ok(Cgroups {
                    version: 1,
                    cpu: without_cpu == 0,
                }),
            },
        }
    }

    fn demand(level: Option<Level>, accept_open_signals: bool) -> Demand {
        Demand {
            level,
            require: Vec::new(),
            accept_open_signals,
            uid_first: None,
            uid_count: 4368,
            uid_offset: 0,
        }
    }

    /// Every combination.
    fn states() -> impl Iterator<Item = State> {
        let count: usize = STATES.iter().product();
        (0..count).map(|mut number| {
            STATES.map(|states| {
                let state = number % states;
                number /= states;
                state
            })
        })
    }

    fn enforced(plan: &Plan, name: &str) -> bool {
        plan.layers
            .iter()
            .any(|layer| layer.name == name && layer.enforced)
    }

    /// The strongest level that a machine of this state has, as the rules say it.
    fn strongest(state: State, accept_open_signals: bool) -> Option<Level> {
        let [
            privileged,
            unprivileged,
            seccomp,
            nnp,
            close,
            clone,
            landlock,
            uid,
            ..,
            notification,
        ] = state;
        if seccomp + nnp + close + clone > 0 {
            return None;
        }
        if is_complete(privileged) || is_complete(unprivileged) {
            return Some(Level::Namespace);
        }
        let uids = uid == 0;
        let possible = match landlock {
            0 => true,
            1 | 2 => uids || notification == 0 || accept_open_signals,
            3 => uids,
            _ => false,
        };
        possible.then_some(Level::Landlock)
    }

    fn check(state: State, plan: &Plan) {
        let [
            privileged,
            unprivileged,
            ..,
            landlock,
            uid,
            count,
            cgroup,
            notification,
        ] = state;
        assert_eq!(
            plan.layers
                .iter()
                .map(|layer| layer.name)
                .collect::<Vec<_>>(),
            LAYERS
        );
        assert!(
            plan.layers
                .iter()
                .all(|layer| !layer.detail.is_empty() && !layer.detail.starts_with(':'))
        );
        let isolated = plan.level != Level::None;
        for name in [
            "seccomp",
            "no_new_privs",
            "capabilities",
            "network",
            "filesystem",
        ] {
            assert_eq!(enforced(plan, name), isolated, "{name}");
        }
        assert_eq!(plan.seccomp, isolated);
        let namespace = plan.level == Level::Namespace;
        assert_eq!(enforced(plan, "namespaces"), namespace);
        assert_eq!(plan.user_namespace, namespace && !is_complete(privileged));
        let way = if plan.user_namespace {
            unprivileged
        } else {
            privileged
        };
        assert_eq!(
            (plan.loopback, plan.proc_subset),
            (namespace && way != 2, namespace && way != 1)
        );
        assert_eq!(enforced(plan, "loopback"), plan.loopback);
        assert_eq!(plan.landlock_abi.is_some(), isolated && landlock != 4);
        assert_eq!(enforced(plan, "landlock"), plan.landlock_abi.is_some());
        assert_eq!(plan.landlock_signals, isolated && landlock == 0);
        assert_eq!(
            plan.uids.is_some(),
            isolated && !plan.user_namespace && (uid == 0 || namespace && uid >= 3)
        );
        assert_eq!(enforced(plan, "uid"), plan.uids.is_some());
        assert_eq!(
            plan.copies.is_ok(),
            isolated && (notification == 0 || namespace && plan.uids.is_none())
        );
        assert_eq!(
            plan.copies == Ok(CopyWay::Uid),
            plan.copies.is_ok() && plan.uids.is_some()
        );
        let broker = plan.level == Level::Landlock && plan.uids.is_none() && notification == 0;
        assert_eq!(plan.signal_broker, broker);
        assert_eq!(
            enforced(plan, "signals"),
            namespace || plan.landlock_signals || plan.uids.is_some() || broker
        );
        let by_broker = |layer: &Layer| layer.detail.contains("a broker in the warden");
        let signals = plan.layers.iter().find(|layer| layer.name == "signals");
        assert_eq!(signals.is_some_and(by_broker), broker);
        // Rulesets say nothing of scopes that don't work.
        assert!(plan.landlock_signals || plan.landlock_abi.is_none_or(|abi| abi < 6));
        assert_eq!(
            (plan.cgroup, plan.cgroup_cpu),
            (isolated && cgroup != 2, isolated && cgroup == 0)
        );
        assert_eq!(enforced(plan, "cgroup"), plan.cgroup);
        assert_eq!(
            plan.process_count,
            plan.uids.is_some() || (plan.user_namespace && count == 0)
        );
        let bounds = plan.bounds();
        assert_eq!(
            (bounds.total_memory, bounds.cpu),
            (plan.cgroup, plan.cgroup_cpu)
        );
        assert_eq!((bounds.workspace, bounds.workspace), (namespace, namespace));
        assert_eq!(bounds.processes, plan.cgroup || plan.process_count);
        // What is not bounded is told.
        let told = |text: &str| plan.layers.iter().any(|layer| layer.detail.contains(text));
        assert_eq!(
            told("processes and threads an episode has is not bounded"),
            !bounds.processes
        );
        if isolated && !plan.cgroup {
            assert!(told(
                "memory is bounded for each process, not for an episode"
            ));
        }
    }

    #[test]
    fn whatever_is_missing_the_strongest_level_is_chosen_and_no_layer_is_claimed_that_is_not_there()
    {
        for state in states() {
            let features = features(state);
            for accept in [false, true] {
                let strongest = strongest(state, accept);
                match plan(&features, &demand(None, accept)) {
                    Ok(plan) => {
                        assert_eq!(Some(plan.level), strongest, "{state:?}");
                        if !accept {
                            check(state, &plan);
                        }
                    }
                    Err(refusal) => {
                        assert_eq!(strongest, None, "{state:?}: {refusal}");
                        let told = refusal.to_string();
                        assert!(told.contains("--isolation none"), "{told}");
                        // The one flag is named when it would be accepted.
                        let would = super::tests::strongest(state, true).is_some();
                        assert_eq!(told.contains(OPEN_SIGNALS_FLAG), would, "{state:?}: {told}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_level_that_is_demanded_is_had_or_refused_with_the_reason() {
        // Each from the best machine, with up to two things taken away.
        for first in 0..STATES.len() {
            for second in 0..STATES.len() {
                for (one, two) in (0..STATES[first])
                    .flat_map(|one| (0..STATES[second]).map(move |two| (one, two)))
                {
                    let mut state = [0; STATES.len()];
                    state[first] = one;
                    state[second] = two;
                    let features = features(state);
                    for level in [Level::None, Level::Landlock, Level::Namespace] {
                        match plan(&features, &demand(Some(level), false)) {
                            Ok(plan) => {
                                assert_eq!(plan.level, level);
                                check(state, &plan);
                            }
                            Err(Refusal::Level { level: told, why }) => {
                                assert_eq!(told, level);
                                assert!(level != Level::None && why.contains("no "), "{why}");
                            }
                            Err(other) => panic!("{other}"),
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_taken_away_never_makes_a_level_stronger() {
        for state in states() {
            let level = strongest(state, false);
            // As the rules say it, which the test above holds the plan to: one step down each.
            for (at, states) in STATES.into_iter().enumerate() {
                let mut less = state;
                less[at] += 1;
                let ordered = at > 1 || less[at] > 2;
                if less[at] < states && ordered {
                    assert!(strongest(less, false) <= level, "{state:?} {less:?}");
                }
            }
        }
    }

    #[test]
    fn a_layer_that_is_demanded_is_there_or_named() {
        for (at, states) in STATES.into_iter().enumerate() {
            for step in 0..states {
                let mut state = [0; STATES.len()];
                state[at] = step;
                let features = features(state);
                let Ok(without) = plan(&features, &demand(None, true)) else {
                    continue;
                };
                for layer in &without.layers {
                    let mut demand = demand(None, true);
                    demand.require = vec!["rlimit", layer.name];
                    match plan(&features, &demand) {
                        Ok(plan) if layer.name == "capabilities" => {
                            // That episodes have none forbids copies with uids.
                            assert!(layer.enforced && plan.copies != Ok(CopyWay::Uid));
                        }
                        Ok(plan) => assert!(layer.enforced && plan == without),
                        Err(refusal) => {
                            let told = refusal.to_string();
                            assert!(!layer.enforced, "{told}");
                            assert!(
                                told.contains(&format!("layer {} is missing", layer.name)),
                                "{told}"
                            );
                            assert!(told.contains(&layer.detail), "{told}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn signals_stay_open_only_where_that_was_accepted() {
        let mut state = [0; STATES.len()];
        (state[0], state[1], state[6], state[7]) = (5, 5, 2, 2);
        let broker = plan(&features(state), &demand(None, true)).unwrap();
        assert!(enforced(&broker, "signals") && broker.signal_broker);
        state[10] = 1;
        let told = plan(&features(state), &demand(None, false))
            .unwrap_err()
            .to_string();
        assert!(
            told.contains("`--accept-open-signals` accepts that"),
            "{told}"
        );
        let accepted = plan(&features(state), &demand(None, true)).unwrap();
        assert!(!enforced(&accepted, "signals"));
        let mut required = demand(None, true);
        required.require = vec!["signals"];
        let told = plan(&features(state), &required).unwrap_err().to_string();
        assert!(told.contains("layer signals is missing"), "{told}");
    }

    #[test]
    fn uids_are_taken_where_they_exist() {
        let with = |first, uid_first| {
            let mut features = features([0; STATES.len()]);
            features.mapped_uids = vec![
                Uids { first: 0, count: 1 },
                Uids {
                    first,
                    count: 40_000,
                },
            ];
            let mut demand = demand(None, false);
            demand.uid_first = uid_first;
            plan(&features, &demand).unwrap()
        };
        assert_eq!(
            with(1, None).uids,
            Some(Uids {
                first: 30_000,
                count: 4368
            })
        );
        assert_eq!(
            with(0x7000_0000, None).uids,
            Some(Uids {
                first: 0x7000_0000,
                count: 4368
            })
        );
        assert_eq!(
            with(1, Some(35_633)).uids,
            Some(Uids {
                first: 35_633,
                count: 4368
            })
        );
        let past = with(1, Some(35_634));
        assert_eq!(past.uids, None);
        let detail = &past
            .layers
            .iter()
            .find(|layer| layer.name == "uid")
            .unwrap()
            .detail;
        assert!(detail.contains("--uid-first"), "{detail}");
    }

    #[test]
    fn a_plan_comes_out_as_it_went_in_but_for_the_words() {
        for state in states().step_by(97) {
            for level in [None, Some(Level::None), Some(Level::Landlock)] {
                let Ok(mut plan) = plan(&features(state), &demand(level, false)) else {
                    continue;
                };
                plan.layers.clear();
                plan.copies = plan.copies.map_err(|_| String::new());
                let bytes = plan.encode(Writer::default()).finish();
                let mut reader = Reader::new(&bytes);
                assert_eq!(Plan::decode(&mut reader), Ok(plan));
                assert_eq!(reader.end(), Ok(()));
            }
        }
    }
}
