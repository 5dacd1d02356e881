#!/usr/bin/env bash
# Tests this client against a real server: CODING_ENV_BIN, or target/release/coding-env. `./test.sh --test-name-pattern=cases` runs some.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"
CODING_ENV_BIN=$(realpath -- "${CODING_ENV_BIN:-../../target/release/coding-env}")
export CODING_ENV_BIN
if ! cmp -s package-lock.json node_modules/.of-lock; then
    timeout 300 npm ci --ignore-scripts --no-audit --no-fund
    cp package-lock.json node_modules/.of-lock
fi
rm -rf dist
timeout 120 node_modules/.bin/tsc
timeout 300 node --test --test-concurrency=1 --test-timeout=120000 "$@" dist/test/*.test.js
