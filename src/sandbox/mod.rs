//! The processes that the server is made of, and what separates episodes from it and from one another.
//!
//! The server (tokio) never forks. It executes itself once, as the [warden](warden), a small single-threaded process that starts
//! templates, has them fork workers, waits for every child, and kills all when the server's socket closes.
//! [Keepers](keeper) hold the output pipes of idle episodes for the server.
//! [`order`] is what the two say to each other, [`sys`] the system calls that no library wraps, [`plan`] the isolation in force,
//! decided from what the [probe] found to work here ([`features`]), [`cell`] how a cell is made,
//! [`branches`] what copies of a live episode are kept apart by, [`directories`] where files are, [`cgroup`] the limits on what the processes of an episode use together, [`broker`] who delivers signals where nothing else bounds them, to many by [`delivery`].

pub(crate) mod bpf;
pub(crate) mod branches;
mod broker;
pub(crate) mod cell;
pub(crate) mod cgroup;
mod cgroup_reuse;
pub(crate) mod children;
mod copyist;
mod delivery;
pub(crate) mod directories;
pub(crate) mod features;
mod held;
pub(crate) mod jail;
pub(crate) mod keeper;
pub(crate) mod landlock;
pub(crate) mod order;
pub(crate) mod plan;
pub(crate) mod probe;
pub(crate) mod role;
pub(crate) mod seccomp;
pub(crate) mod socket;
pub(crate) mod sys;
mod sys_broker;
pub(crate) mod sys_files;
mod sys_maps;
mod sys_probe;
pub(crate) mod sys_walls;
pub(crate) mod template;
pub(crate) mod visible;
pub(crate) mod walls;
pub(crate) mod warden;
pub(crate) mod workspace;
