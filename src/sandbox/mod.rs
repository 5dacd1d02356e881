//! The processes that the server is made of, and what separates episodes from it and from one another.
//!
//! The server (tokio) never forks. It executes itself once, as the [warden](warden), a small single-threaded process that starts
//! templates, has them fork workers, waits for every child, and kills all when the server's socket closes.
//! [Keepers](keeper) hold the output pipes of idle episodes for the server.
//! [`order`] is what the two say to each other, [`sys`] the system calls that no library wraps, [`plan`] the isolation in force,
//! [`cgroup`] the limits on what the processes of an episode use together.

#[cfg_attr(
    not(test),
    expect(
        dead_code,
        reason = "for the warden's cells, which are made in a change of their own"
    )
)]
pub(crate) mod cgroup;
pub(crate) mod children;
pub(crate) mod keeper;
pub(crate) mod order;
pub(crate) mod plan;
pub(crate) mod role;
pub(crate) mod socket;
pub(crate) mod sys;
pub(crate) mod warden;
