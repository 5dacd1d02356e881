#!/usr/bin/env bash
# Makes src/gen/ from the contract. Needs `npm ci`, and buf on PATH (`.ci/run buf` installs it, `.ci/run --tools-path` tells where).
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"
rm -rf src/gen
buf generate ../.. --template buf.gen.yaml --output .
