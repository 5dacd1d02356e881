#!/usr/bin/env bash
# Runs the hostile tests, and the real programs, in containers: Docker's default profile as root and as an unprivileged user, what
# Kubernetes' restricted standard makes of a pod, and one that may make namespaces.
#
#   tests/docker/run.sh [FILTER...]     FILTER: names of tests; by default `hostile` and `real_programs`
#
#   CODING_ENV_TEST_DOCKER_IMAGE    an image with python3 (default: built from the Dockerfile beside this file). Its C library must not be
#                                   older than that of this machine.
#   CODING_ENV_TEST_NUMPY_PYTHON    the interpreter of a virtual environment with the scientific libraries. Mounted into the containers if
#                                   the image has the interpreter that it was made with.
#   CODING_ENV_SOAK                 how often the long tests repeat (default 100)
#
# Needs a Docker engine. The tests' programs are built here and mounted read-only at their own path; nothing of an image is changed.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.."
readonly ROOT=$PWD
readonly SECONDS_EACH=900
readonly LIBRARIES=/opt/libraries

fail() {
    echo "error: $*" >&2
    exit 1
}

docker info >/dev/null 2>&1 || fail "no Docker engine answers"

filters=("$@")
if ((${#filters[@]} == 0)); then filters=(hostile real_programs); fi

image=${CODING_ENV_TEST_DOCKER_IMAGE-}
if [[ -z $image ]]; then
    image=coding-env-test:latest
    # The host's network, where a proxy or a mirror may be; the legacy builder takes it too.
    docker build --quiet --network host --tag "$image" tests/docker >/dev/null
fi

tests=$(cargo test --locked --all-features --test it --no-run --message-format=json | python3 -c '
import json, sys
for line in sys.stdin:
    try: message = json.loads(line)
    except ValueError: continue
    if message.get("executable") and message["target"]["name"] == "it": print(message["executable"])' | tail -n 1)
[[ -x $tests ]] || fail "the tests were not built"
target=$(dirname -- "$(dirname -- "$tests")")

libraries=()
if [[ -n ${CODING_ENV_TEST_NUMPY_PYTHON-} ]]; then
    folder=$(dirname -- "$(dirname -- "$CODING_ENV_TEST_NUMPY_PYTHON")")
    libraries=(--volume "$folder:$LIBRARIES:ro" --env CODING_ENV_TEST_NUMPY_PYTHON="$LIBRARIES/bin/python3")
    if ! docker run --rm --network none "${libraries[@]}" "$image" "$LIBRARIES/bin/python3" -I -c "import numpy"; then
        echo "not tested: $image can't run the scientific libraries of $folder"
        libraries=()
    fi
fi

failed=() summary=() containers=0
# in_container NAME PLACES OPTION...: the tests in one kind of container, at the places that it has to give.
in_container() {
    local name=$1 places=$2 container="coding-env-test-$$-$((++containers))" begun=$SECONDS end=ok
    shift 2
    echo "--- $name: $places"
    # What keeps copies of an episode apart there: `hostile_copies` attacks it, and fails where a named place as root has none.
    docker run --rm --network none --volume "$target:$target:ro" --env CODING_ENV_PYTHON=/usr/bin/python3 "$@" "$image" \
        "$target/coding-env" doctor | sed -n '/^Copies/,/^$/p' || true
    # A container that does not end by itself is removed with all that is in it.
    if ! timeout --kill-after=20 "$SECONDS_EACH" docker run --rm --name "$container" --init --network none \
        --memory 6g --pids-limit 8192 \
        --volume "$ROOT/tests:$ROOT/tests:ro" --volume "$target:$target:ro" --workdir /tmp \
        --env CODING_ENV_TEST_PLACES="$places" --env PATH=/usr/local/bin:/usr/bin:/bin --env RUST_BACKTRACE=0 \
        --env CODING_ENV_SOAK="${CODING_ENV_SOAK:-100}" "${libraries[@]}" \
        "$@" "$image" "$tests" "${filters[@]}" --test-threads 2; then
        failed+=("$name")
        end=FAILED
        docker rm --force "$container" >/dev/null 2>&1 || true
    fi
    summary+=("$(printf '%6d s  %s: %s' "$((SECONDS - begun))" "$name" "$end")")
}

# As the image comes: a set of capabilities, Docker's filter, no user namespaces.
in_container "default profile, root" "landlock as root,landlock as a user"
in_container "default profile, uid 65534" "landlock as a user" --user 65534:65534
# What a pod is under the restricted standard.
in_container "restricted" "landlock as a user" --user 65534:65534 --cap-drop ALL --security-opt no-new-privileges \
    --read-only --tmpfs /tmp:rw,nosuid,nodev,mode=1777,size=2g --tmpfs /var/tmp:rw,nosuid,nodev,mode=1777,size=64m
# A container that may make namespaces, and look at the processes of episodes' users, which copies need there.
in_container "namespaces allowed, root" "namespace as root,namespace as a user" --cap-add SYS_ADMIN --cap-add SYS_PTRACE \
    --security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined

printf '%s\n' "${summary[@]}"
if ((${#failed[@]} > 0)); then fail "see above: ${#failed[@]} of ${#summary[@]} kinds of container failed"; fi
