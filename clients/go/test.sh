#!/usr/bin/env bash
# Tests this client against a real server: CODING_ENV_BIN, or target/release/coding-env. `./test.sh -run Cases` runs some.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"
CODING_ENV_BIN=$(realpath -- "${CODING_ENV_BIN:-../../target/release/coding-env}")
export CODING_ENV_BIN
unformatted=$(gofmt -l .)
[[ -z $unformatted ]] || { echo "gofmt would change: $unformatted" >&2; exit 1; }
timeout 300 go vet ./...
timeout 600 go test -count=1 -timeout 300s "$@" ./...
