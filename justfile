# Recipes for people. `just` alone lists them; `just ci` is what CI runs.

set shell := ["bash", "-euo", "pipefail", "-c"]

image := "coding-env:latest"

_default:
    @just --list --unsorted

# Format the code and the contract.
fmt:
    cargo fmt
    PATH="$({{ quote(just_executable()) }} _tools):$PATH"; buf format --write

# Clippy on all targets and features; a warning is a failure.
lint:
    cargo clippy --all-targets --all-features --locked -- -D warnings

# Build the documentation; a warning is a failure.
doc:
    RUSTDOCFLAGS='-D warnings' cargo doc --no-deps --all-features --locked

# The tests, or those that the arguments choose. Needs only Rust with a C compiler, and python3.
test *ARGS:
    cargo test --locked {{ ARGS }}

# Check no feature, and each feature alone.
features:
    .ci/run features

# Lint the contract (buf, kept in a cache outside the tree).
proto-lint:
    .ci/run proto

# Compare the contract with another commit: nothing that a client relies on may have changed.
proto-breaking against="HEAD":
    PATH="$({{ quote(just_executable()) }} _tools):$PATH"; buf breaking --against ".git#ref={{ against }}"

# Drive a running server by reflection with grpcurl: list, describe, health, and an episode from Reset to Close.
grpcurl-check address="127.0.0.1:8000":
    #!/usr/bin/env bash
    set -euo pipefail
    PATH="$({{ quote(just_executable()) }} _tools):$PATH"
    address={{ quote(address) }}
    service=coding_env.v1.CodingEnv
    id="grpcurl-check-$$-$(date +%s)"
    # call EXPECTED METHOD [REQUEST]: shows the reply, and fails unless it matches EXPECTED.
    call() {
        local reply method request=()
        echo "--- $2 ${3-}"
        read -ra method <<<"$2"
        if (($# > 2)); then request=(-d "$3"); fi
        reply=$(grpcurl -plaintext -max-time 60 "${request[@]}" "$address" "${method[@]}")
        echo "$reply"
        grep -qE -- "$1" <<<"$reply" || { echo "error: expected $1" >&2; exit 1; }
    }
    call "$service" list
    call "rpc Step " "describe $service"
    call '"SERVING"' grpc.health.v1.Health/Check '{"service": "readiness"}'
    call "$id" "$service/Reset" "{\"episode_id\": \"$id\"}"
    call 'Result: 8' "$service/Step" "{\"episode_id\": \"$id\", \"action\": {\"code\": \"x = 5 + 3; print('Result:', x)\"}}"
    call '"stepCount": +1' "$service/GetState" "{\"episode_id\": \"$id\"}"
    call . "$service/Close" "{\"episode_id\": \"$id\"}"
    echo "grpcurl-check: ok"

# The table of measurements (`just bench --json` for machines).
bench *ARGS:
    cargo run --release --locked -- bench {{ ARGS }}

# Levels, limits and refusals on Debian's kernels in qemu: one below 6.12, one above, with control groups v2.
vm-test *ARGS:
    tests/vm/run {{ ARGS }}

# Hostile and real programs in containers: default profile as root and as a user, restricted, namespaces allowed.
docker-test *FILTERS:
    tests/docker/run.sh {{ FILTERS }}

# Build the image and drive it by hand and by the Rust and Python clients.
image-test:
    tests/image/run.sh

# Everything that CI checks, or the steps named.
ci *STEPS:
    .ci/run {{ STEPS }}

# Render the chart into the plain manifest, and check deploy/ (`just deploy chart` or `proxy` for a part).
deploy *PARTS:
    HELM="$(deploy/test --helm)" deploy/render
    deploy/test {{ PARTS }}

# Make the page's files, which the binary embeds, from web/.
web:
    cd web && npm ci --ignore-scripts --no-audit --no-fund && npm run build

# Open the page in Chromium and use it (`just browser --test-name-pattern=keyboard` for a part). With CODING_ENV_SCREENSHOTS=FOLDER it is also
# painted; `docs/web.png` is its `light.png`.
browser *ARGS:
    cargo build --release --locked --bin coding-env
    tests/browser/run {{ ARGS }}

# Build the container image.
docker *ARGS:
    docker build --tag {{ image }} --build-arg REVISION="$(git rev-parse HEAD)" {{ ARGS }} .

# The folders of buf and grpcurl, for PATH; installed on first use.
_tools:
    @.ci/run buf grpcurl >&2
    @.ci/run --tools-path
