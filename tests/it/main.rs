//! The integration tests, in one binary. They drive the real program from outside, as users do.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::cast_lossless,
    clippy::disallowed_methods,
    reason = "a test that goes wrong is to say so at once"
)]

mod bench;
mod branches;
mod cases;
mod catalogue;
mod cells;
mod cli;
mod contract;
mod copies;
mod crash;
mod differential;
mod displays;
mod exactly_once;
mod files;
mod files_client;
mod files_hostile;
mod fork;
mod fork_checkpoints;
mod fork_evaluate;
mod fork_faults;
mod fork_trees;
#[cfg(feature = "docker")]
mod from_docker_image;
mod grpcurl;
mod hostile_copies;
mod hostile_escape;
mod hostile_harness;
mod hostile_kernel;
mod hostile_lifetime;
mod hostile_network;
mod hostile_resources;
mod hostile_siblings;
mod interrupts;
mod isolation;
mod lifecycle;
mod limits;
mod metrics;
mod openenv;
mod packages;
mod parking;
mod pool;
mod readme;
mod real_programs;
mod refusals;
mod semantics;
mod sessions;
mod signals;
mod smoke;
mod streams;
mod support;
mod tidy;
mod tls;
mod tokens;
#[cfg(feature = "otlp")]
mod traces;
