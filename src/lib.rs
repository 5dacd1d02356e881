//! Python episodes for reinforcement learning and agents: real CPython, one process per episode, over gRPC.
//!
//! The map, from the edge inwards (`ARCHITECTURE.md` has the long version):
//!
//! - [`proto`], the contract, generated from `proto/coding_env/v1/coding_env.proto`.
//! - [`client`], the typed client. Feature `client`.
//! - [`server`], listeners and wiring; [`config`] its settings. Feature `server`, as all that follows.
//! - [`doctor`], what isolation a machine allows.
//! - `port`, `doors`: connections, and which edge answers a request.
//! - `service`, `stream`, `convert`, `status`: the gRPC edge. Nothing behind it knows gRPC.
//! - `openenv`: the other edge, OpenEnv's wire.
//! - `admin`: metrics and health for who looks after the server; `metrics` counts.
//! - `tls`: the certificates of the port, and its handshakes.
//! - `session`: many requests on one stream, and what is owed when it breaks.
//! - `auth`: bearer tokens, and whose a request is.
//! - `reload`: files that are read again when they change.
//! - `traces`: spans of calls and steps for a collector. Feature `otlp`.
//! - `fault`: what becomes of a panic of our own.
//! - `episode`: episodes, their steps and how they end.
//! - `evaluate`: what an evaluation looks at, and its verdict.
//! - `files`: the files of a workspace, whatever its program does to them.
//! - `executor`: interpreters, forked from warm templates.
//! - `sandbox`: the processes that the server is made of.
//! - [`transform`], rewards.
//!
//! A program that starts a server calls [`enter_role`] as the first line of `main`.

/// The contract, as generated code.
pub mod proto {
    /// Version 1.
    #[cfg_attr(
        feature = "server",
        expect(clippy::allow_attributes, reason = "generated")
    )]
    #[cfg_attr(
        any(feature = "client", feature = "server"),
        expect(clippy::allow_attributes_without_reason, reason = "generated")
    )]
    #[expect(clippy::large_enum_variant, reason = "generated")]
    pub mod v1 {
        tonic::include_proto!("coding_env.v1");
    }

    /// The encoded `FileDescriptorSet` of the contract and all it imports.
    pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptor.bin"));
}

#[cfg(feature = "client")]
pub mod client;

#[cfg(feature = "server")]
mod admin;
#[cfg(feature = "server")]
mod auth;
#[cfg(feature = "server")]
pub mod bench;
#[cfg(feature = "server")]
pub mod config;
#[cfg(feature = "server")]
mod convert;
#[cfg(feature = "server")]
pub mod doctor;
#[cfg(feature = "server")]
mod doors;
#[cfg(feature = "server")]
mod episode;
#[cfg(feature = "server")]
mod evaluate;
#[cfg(feature = "server")]
mod executor;
#[cfg(feature = "server")]
mod fault;
#[cfg(feature = "server")]
mod files;
#[cfg(feature = "server")]
mod limits;
#[cfg(feature = "server")]
mod metrics;
#[cfg(feature = "server")]
mod openenv;
#[cfg(feature = "server")]
mod port;
#[cfg(feature = "server")]
mod reload;
#[cfg(feature = "server")]
mod sandbox;
#[cfg(feature = "server")]
pub mod server;
#[cfg(feature = "server")]
mod service;
#[cfg(feature = "server")]
mod session;
#[cfg(feature = "server")]
pub mod shutdown;
#[cfg(feature = "server")]
mod status;
#[cfg(feature = "server")]
mod stream;
#[cfg(feature = "server")]
pub mod telemetry;
#[cfg(feature = "server")]
mod tls;
#[cfg(feature = "server")]
mod traces;
#[cfg(feature = "server")]
pub mod transform;
#[cfg(feature = "server")]
mod wire;

#[cfg(feature = "server")]
pub use crate::executor::RuntimeConfig;
#[cfg(feature = "server")]
pub use crate::limits::{EpisodeLimits, FileLimits, ForkLimits};
#[cfg(feature = "server")]
pub use crate::sandbox::role::enter_role;
