//! The other door: OpenEnv's wire.

mod browser;
mod failures;
mod mcp;
mod page;
mod sockets;
mod transcript;
