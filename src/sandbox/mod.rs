//! The processes that the server is made of, and what separates episodes from it and from one another.
//!
//! The server (tokio) never forks. It executes itself once, as the [warden](warden), a small single-threaded process that starts
//! templates, has them fork workers, waits for every child, and kills all when the server's socket closes.
//! [Keepers](keeper) hold the output pipes of idle episodes for the server.
//! [`order`] is what the two say to each other, [`sys`] the system calls that no library wraps, [`plan`] the isolation in force.

pub(crate) mod bpf;
pub(crate) mod children;
#[cfg_attr(
    not(test),
    expect(
        dead_code,
        reason = "the warden starts to use it with the core of isolation"
    )
)]
pub(crate) mod jail;
pub(crate) mod keeper;
#[cfg_attr(
    not(test),
    expect(
        dead_code,
        reason = "the warden starts to use it with the core of isolation"
    )
)]
pub(crate) mod landlock;
pub(crate) mod order;
pub(crate) mod plan;
pub(crate) mod role;
#[cfg_attr(
    not(test),
    expect(
        dead_code,
        reason = "the warden starts to use it with the core of isolation"
    )
)]
pub(crate) mod seccomp;
pub(crate) mod socket;
pub(crate) mod sys;
#[cfg_attr(
    not(test),
    expect(
        dead_code,
        reason = "the warden starts to use it with the core of isolation"
    )
)]
pub(crate) mod sys_walls;
#[cfg_attr(
    not(test),
    expect(
        dead_code,
        reason = "the warden starts to use it with the core of isolation"
    )
)]
pub(crate) mod visible;
pub(crate) mod warden;
