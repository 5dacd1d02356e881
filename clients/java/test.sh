#!/usr/bin/env bash
# Tests this client against a real server: CODING_ENV_BIN, or target/release/coding-env. `./test.sh -Dtest=CasesTest` runs some.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"
CODING_ENV_BIN=$(realpath -- "${CODING_ENV_BIN:-../../target/release/coding-env}")
export CODING_ENV_BIN
timeout 900 mvn --batch-mode --no-transfer-progress "$@" test
