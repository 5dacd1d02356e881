//! Compiles the contract (no system protoc) and the native half of the harness (no C compiler).

use std::path::PathBuf;
use std::process::Command;
use std::{env, error::Error, fs};

use prost::Message as _;

const PROTO: &str = "coding_env/v1/coding_env.proto";
const NATIVE: &str = "src/executor/harness/native.rs";
/// Modules of it.
const NATIVE_CELLS: &str = "src/executor/harness/cells.rs";
const NATIVE_SOURCE: &str = "src/executor/harness/source.rs";
const NATIVE_FORKS: &str = "src/executor/harness/forks.rs";
/// The reaper, and what both have.
const REAPER: &str = "src/executor/harness/reaper.rs";
const CALLS: &str = "src/executor/harness/calls.rs";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    println!("cargo::rerun-if-changed={NATIVE}");
    println!("cargo::rerun-if-changed={NATIVE_CELLS}");
    println!("cargo::rerun-if-changed={NATIVE_SOURCE}");
    println!("cargo::rerun-if-changed={NATIVE_FORKS}");
    println!("cargo::rerun-if-changed={REAPER}");
    println!("cargo::rerun-if-changed={CALLS}");
    let out = PathBuf::from(env::var("OUT_DIR")?);

    let descriptors = protox::compile([PROTO], ["proto"])?;
    fs::write(out.join("descriptor.bin"), descriptors.encode_to_vec())?;
    tonic_prost_build::configure()
        // Not copied out of what was received.
        .bytes(".coding_env.v1.FileChunk.data")
        .build_server(env::var_os("CARGO_FEATURE_SERVER").is_some())
        .build_client(env::var_os("CARGO_FEATURE_CLIENT").is_some())
        .extern_path(".google.rpc.Status", "::tonic_types::Status")
        .compile_fds(descriptors)?;

    if env::var_os("CARGO_FEATURE_SERVER").is_some() {
        compile_native(&out)?;
    }
    Ok(())
}

/// Builds `native.rs` as a shared object that any CPython 3.9 or newer loads as an extension module, and `reaper.rs` as a program.
///
/// Each is a crate of its own without the standard library. The first needs nothing of the process that loads it but CPython's stable
/// functions and libc, the second nothing at all; the binary embeds both.
fn compile_native(out: &std::path::Path) -> Result<(), Box<dyn Error>> {
    compile(
        NATIVE,
        &out.join("native.so"),
        &["--crate-type=cdylib", "--crate-name=coding_env_native"],
    )?;
    // At a fixed address and in one segment, so that it has as few pages as can be.
    let program = [
        "--crate-type=bin",
        "--crate-name=coding_env_reaper",
        "-Crelocation-model=static",
        "-Ctarget-feature=+crt-static",
        "-Clink-arg=-nostartfiles",
        "-Clink-arg=-static",
        "-Clink-arg=-Wl,-z,noseparate-code",
        "-Clink-arg=-Wl,--build-id=none",
    ];
    compile(REAPER, &out.join("reaper"), &program)
}

fn compile(source: &str, to: &std::path::Path, kind: &[&str]) -> Result<(), Box<dyn Error>> {
    let mut rustc = Command::new(env::var("RUSTC")?);
    rustc
        .arg("--edition=2024")
        .args(kind)
        .args([
            "-Copt-level=3",
            "-Cpanic=abort",
            "-Cdebuginfo=0",
            "-Cstrip=symbols",
        ])
        .args(["-Clink-arg=-nostdlib", "-Dwarnings"])
        .args(["--target", &env::var("TARGET")?])
        .arg("-o")
        .arg(to)
        .arg(source);
    let target = env::var("TARGET")?.to_uppercase().replace('-', "_");
    if let Ok(linker) = env::var(format!("CARGO_TARGET_{target}_LINKER")) {
        rustc.arg(format!("-Clinker={linker}"));
    }
    let status = rustc.status()?;
    if !status.success() {
        return Err(format!("compiling {source}: {status}").into());
    }
    Ok(())
}
