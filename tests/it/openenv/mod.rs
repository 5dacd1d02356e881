//! The other door: OpenEnv's wire.

mod browser;
mod failures;
mod mcp;
mod sockets;
mod transcript;
