//! What `coding-env doctor` tells: whether a server would start here, what isolation it would have, and what the machine's own limits are.

use std::fmt;
use std::fs;
use std::io;

use crate::config::{Config, files_max};
use crate::sandbox::features::Features;
use crate::sandbox::plan::{self, Level, Plan, Refusal};
use crate::sandbox::{probe, role};

/// What was found, for a person ([`Display`](fmt::Display)) or a program ([`json`](Self::json)).
#[derive(Debug)]
pub struct Diagnosis {
    plan: Result<Plan, Refusal>,
    /// The levels, strongest first, with what stops them.
    levels: Vec<(Level, Result<(), String>)>,
    platform: String,
    /// What the platform is to this program.
    support: &'static str,
    hints: Vec<Hint>,
}

/// One limit of the machine.
#[derive(Debug)]
struct Hint {
    name: &'static str,
    /// None: it can't be read here.
    value: Option<u64>,
    meaning: String,
}

/// Finds out what a server with these settings would have here. Starts none.
///
/// # Errors
/// When the probe can't be run: [`enter_role`](crate::enter_role) was not called, or a process can't be started.
pub fn diagnose(config: &Config) -> io::Result<Diagnosis> {
    let program = role::program(config.role_program.as_ref()).ok_or_else(|| {
        io::Error::other("`coding_env::enter_role()` is not the first line of `main`")
    })?;
    let features = probe::run(&program, &config.shown())?;
    let demand = config.demand();
    let levels = [Level::Namespace, Level::Landlock, Level::None]
        .map(|level| (level, plan::possible(&features, &demand, level)));
    let system = rustix::system::uname();
    Ok(Diagnosis {
        plan: plan::plan(&features, &demand),
        levels: levels.into(),
        platform: format!(
            "{} {} {}",
            system.sysname().to_string_lossy(),
            system.release().to_string_lossy(),
            std::env::consts::ARCH
        ),
        support: match std::env::consts::ARCH {
            "x86_64" => "tested",
            "aarch64" => "written for, not tested",
            _ => "not written for",
        },
        hints: hints(config, &features),
    })
}

/// The machine's limits that a server of this size meets.
fn hints(config: &Config, features: &Features) -> Vec<Hint> {
    let read = |file: &str| fs::read_to_string(file).ok()?.trim().parse().ok();
    let episodes = u64::from(config.max_episodes);
    let mut hints = vec![
        Hint {
            name: "open files",
            value: Some(files_max()),
            meaning: format!(
                "the hard limit: the settings ask for {episodes} episodes, each of which takes one when idle and four while it runs"
            ),
        },
        Hint {
            name: "kernel.pid_max",
            value: read("/proc/sys/kernel/pid_max"),
            meaning: format!(
                "processes and threads of the whole machine: {episodes} idle episodes take {}",
                episodes * 2
            ),
        },
    ];
    let namespaces = [
        (
            "user.max_user_namespaces",
            "/proc/sys/user/max_user_namespaces",
        ),
        (
            "user.max_pid_namespaces",
            "/proc/sys/user/max_pid_namespaces",
        ),
        (
            "user.max_mnt_namespaces",
            "/proc/sys/user/max_mnt_namespaces",
        ),
        (
            "user.max_ipc_namespaces",
            "/proc/sys/user/max_ipc_namespaces",
        ),
    ];
    for (name, file) in namespaces {
        // Root without a user namespace needs none.
        if name.contains("user_n") && features.euid == 0 && features.privileged.cell.is_ok() {
            continue;
        }
        hints.push(Hint {
            name,
            value: read(file),
            meaning: "one per live episode at level namespace".to_owned(),
        });
    }
    hints
}

impl Diagnosis {
    /// Why a server would not start with these settings.
    #[must_use]
    pub fn refusal(&self) -> Option<String> {
        self.plan.as_ref().err().map(ToString::to_string)
    }

    /// The same for programs: an object with `starts`, `refusal`, `level`, `layers`, `copies`, `levels`, `platform`, `support`, `limits`.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        use serde_json::json;
        let Self {
            plan,
            levels,
            platform,
            support,
            hints,
        } = self;
        let plan = plan.as_ref().ok();
        let layers = plan.map(|plan| {
            let layer = |layer: &plan::Layer| {
                let plan::Layer {
                    name,
                    enforced,
                    detail,
                } = layer;
                json!({ "name": name, "enforced": enforced, "detail": detail })
            };
            plan.layers.iter().map(layer).collect::<Vec<_>>()
        });
        let level = |(level, possible): &(Level, Result<(), String>)| json!({ "name": level.name(), "possible": possible.is_ok(), "reason": possible.as_ref().err() });
        let hint =
            |Hint {
                 name,
                 value,
                 meaning,
             }: &Hint| { json!({ "name": name, "value": value, "meaning": meaning }) };
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "starts": plan.is_some(),
            "refusal": self.refusal(),
            "level": plan.map(|plan| plan.level.name()),
            "layers": layers.unwrap_or_default(),
            "copies": plan.map(|plan| {
                let facts = plan.fork_facts();
                json!({
                    "available": facts.available,
                    "reason": facts.why_not,
                    "detail": facts.detail(),
                    "separated": facts.separated.names(),
                    "channel_private": facts.channel_private,
                    "same_paths": facts.same_paths,
                })
            }),
            "levels": levels.iter().map(level).collect::<Vec<_>>(),
            "platform": platform,
            "support": support,
            "limits": hints.iter().map(hint).collect::<Vec<_>>(),
        })
    }
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            plan,
            levels,
            platform,
            support,
            hints,
        } = self;
        writeln!(
            out,
            "coding-env {} on {platform} ({support})\n",
            env!("CARGO_PKG_VERSION")
        )?;
        match plan {
            Ok(plan) => {
                writeln!(
                    out,
                    "A server starts here, with isolation level {}.\n\nLayers:",
                    plan.level
                )?;
                for layer in &plan.layers {
                    let state = if layer.enforced { "yes" } else { "NO" };
                    writeln!(out, "  {:<13} {state:<4} {}", layer.name, layer.detail)?;
                }
                let facts = plan.fork_facts();
                let apart = facts.separated.names().join(", ");
                let detail = facts.detail();
                let (state, told) = match (facts.available, &*detail) {
                    (false, why) => ("NO", why.to_owned()),
                    (true, "") => (
                        "yes",
                        format!("each with its own, which no other reaches: {apart}"),
                    ),
                    (true, weaker) => ("yes", format!("{weaker}; these are: {apart}")),
                };
                writeln!(
                    out,
                    "\nCopies of live episodes:\n  {:<13} {state:<4} {told}",
                    "forks"
                )?;
            }
            Err(refusal) => writeln!(out, "A server does not start here: {refusal}")?,
        }
        writeln!(out, "\nLevels:")?;
        for (level, possible) in levels {
            let (state, why) = match (possible, level) {
                (Ok(()), Level::None) => ("yes", "only by `--isolation none`"),
                (Ok(()), _) => ("yes", "possible here"),
                (Err(why), _) => ("NO", why.as_str()),
            };
            writeln!(out, "  {:<13} {state:<4} {why}", level.name())?;
        }
        writeln!(out, "\nLimits of this machine:")?;
        for Hint {
            name,
            value,
            meaning,
        } in hints
        {
            let value = value.map_or_else(|| "unknown".to_owned(), |value| value.to_string());
            writeln!(out, "  {name:<26} {value:<10} {meaning}")?;
        }
        Ok(())
    }
}
