#!/usr/bin/env bash
# Makes codingenvv1/ from the contract. Needs go, and buf on PATH (`.ci/run buf` installs it, `.ci/run --tools-path` tells where).
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"
rm -rf codingenvv1
buf generate ../.. --template buf.gen.yaml --output . --exclude-path ../../proto/google
