#!/usr/bin/env bash
# Runs the hostile tests, and the real programs, in containers: Docker's default profile as root and as an unprivileged user, and what
# Kubernetes' restricted standard makes of a pod.
#
#   tests/docker/run.sh [FILTER...]     FILTER: names of tests; by default `hostile_` and `real_programs`
#
#   CODING_ENV_TEST_DOCKER_IMAGE   an image with python3 (default python:3.13-slim-bookworm). Its C library must not be older than that of
#                                  this machine.
#
# Needs a Docker engine. The tests' programs are built here and mounted read-only at their own path; nothing of the image is changed.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.."
readonly ROOT=$PWD
readonly IMAGE=${CODING_ENV_TEST_DOCKER_IMAGE:-python:3.13-slim-bookworm}
readonly SECONDS_EACH=600

docker info >/dev/null 2>&1 || { echo "no Docker engine answers" >&2; exit 1; }

filters=("$@")
if ((${#filters[@]} == 0)); then filters=(hostile_ real_programs); fi

tests=$(cargo test --locked --test it --no-run --message-format=json | python3 -c '
import json, sys
for line in sys.stdin:
    try: message = json.loads(line)
    except ValueError: continue
    if message.get("executable") and message["target"]["name"] == "it": print(message["executable"])' | tail -n 1)
[[ -x $tests ]] || { echo "the tests were not built" >&2; exit 1; }
target=$(dirname -- "$(dirname -- "$tests")")

failed=()
# in_container NAME PLACES OPTION...: the tests in one kind of container, at the places that it has to give.
in_container() {
    local name=$1 places=$2 container="coding-env-test-$$-${#failed[@]}-$SECONDS"
    shift 2
    echo "--- $name: $places"
    # A container that does not end by itself is removed with all that is in it.
    if ! timeout --kill-after=20 "$SECONDS_EACH" docker run --rm --name "$container" --init --network none \
        --memory 6g --pids-limit 8192 \
        --volume "$ROOT/tests:$ROOT/tests:ro" --volume "$target:$target:ro" --workdir /tmp \
        --env CODING_ENV_TEST_PLACES="$places" --env PATH=/usr/local/bin:/usr/bin:/bin --env RUST_BACKTRACE=0 \
        --env CODING_ENV_SOAK="${CODING_ENV_SOAK:-100}" \
        "$@" "$IMAGE" "$tests" "${filters[@]}" --test-threads 2; then
        failed+=("$name")
        docker rm --force "$container" >/dev/null 2>&1 || true
    fi
}

# As the image comes: a set of capabilities, Docker's filter, no user namespaces.
in_container "default profile, root" "landlock as root,landlock as a user"
in_container "default profile, uid 65534" "landlock as a user" --user 65534:65534
# What a pod is under the restricted standard.
in_container "restricted" "landlock as a user" --user 65534:65534 --cap-drop ALL --security-opt no-new-privileges \
    --read-only --tmpfs /tmp:rw,nosuid,nodev,mode=1777,size=2g
# A container that may make namespaces.
in_container "namespaces allowed, root" "namespace as root" --cap-add SYS_ADMIN --security-opt seccomp=unconfined \
    --security-opt apparmor=unconfined --security-opt systempaths=unconfined

if ((${#failed[@]} > 0)); then
    printf 'failed in: %s\n' "${failed[@]}" >&2
    exit 1
fi
echo "hostile programs in containers: ok"
