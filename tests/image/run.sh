#!/usr/bin/env bash
# Builds the image as the Dockerfile says, and runs it: by hand, by `from_docker_image` of the Rust and the Python client, and by the
# compose file.
#
#   tests/image/run.sh
#
#   CODING_ENV_TEST_IMAGE        an image to take instead of building one
#   CODING_ENV_TEST_WHEEL_INDEX  0: leave out the image with extra packages, which pip loads
#   CODING_ENV_CI_CACHE          where the Python client's virtual environment is kept
#   CODING_ENV_TEST              `full`: what the host lacks is a failure; else it is skipped by name
#
# Needs a Docker engine, cargo and python3; and Compose, of version 2 or 1, which root gets by apt-get. The engine keeps the image and its layers; nothing else is left.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.."
readonly HEALTHY_WITHIN=90

scratch=$(mktemp -d)
containers=()
compose=()
cleanup() {
    if ((${#compose[@]} > 0)); then "${compose[@]}" down --timeout 0 >/dev/null 2>&1 || true; fi
    if ((${#containers[@]} > 0)); then docker rm --force --volumes "${containers[@]}" >/dev/null 2>&1 || true; fi
    rm -rf -- "$scratch"
}
trap cleanup EXIT

fail() {
    echo "error: $*" >&2
    exit 1
}

# lacks WHAT: fails where nothing may be lacking, else says what is left out.
lacks() {
    [[ ${CODING_ENV_TEST-} != full ]] || fail "this host lacks $1, which CODING_ENV_TEST=full requires"
    echo "NOT TESTED: this host lacks $1"
}

docker info >/dev/null 2>&1 || fail "no Docker engine answers"

# build TAG FOLDER OPTION...: on the host's network, where a proxy or a mirror may be. The log is shown when it fails.
build() {
    local tag=$1 folder=$2 begun=$SECONDS
    shift 2
    if ! docker build --force-rm --network host --tag "$tag" "$@" "$folder" >"$scratch/build.log" 2>&1; then
        tail -n 60 "$scratch/build.log" >&2
        fail "the image $tag can't be built"
    fi
    echo "built $tag in $((SECONDS - begun)) s"
}

image=${CODING_ENV_TEST_IMAGE-}
if [[ -z $image ]]; then
    image=coding-env:latest
    build "$image" . --build-arg REVISION="$(git rev-parse HEAD 2>/dev/null || echo unknown)"
fi

# --- What is in it ----------------------------------------------------------------------------------------------

base=$(docker image inspect --format '{{index .Config.Labels "org.opencontainers.image.base.name"}}' "$image")
bytes() { docker image inspect --format '{{.Size}}' "$1"; }
size=$(bytes "$image") of_base=$(bytes "$base" 2>/dev/null || echo 0)
echo "size: $((size / 1000000)) MB, of which $(((size - of_base) / 1000000)) MB are not its base $base"

docker image inspect "$image" | python3 -c '
import json, re, sys
config = json.load(sys.stdin)[0]["Config"]
labels = config["Labels"]
prefix = "org.opencontainers.image."
version = re.search(r"^version = \"(.*)\"$", open("Cargo.toml").read(), re.M).group(1)
assert labels[prefix + "version"] == version, labels
for name in ("title", "description", "licenses", "revision", "base.name"):
    assert labels[prefix + name], name
assert config["User"] == "65534:65534", config["User"]
assert "8000/tcp" in config["ExposedPorts"], config["ExposedPorts"]
assert config["Healthcheck"]["Test"] == ["CMD", "coding-env", "health"], config["Healthcheck"]
assert "CODING_ENV_LISTEN=0.0.0.0:8000" in config["Env"], config["Env"]
'

# shellcheck disable=SC2016
docker run --rm --network none --entrypoint sh "$image" -c '
for tool in cargo rustc gcc cc g++ c++ clang make ld; do
    if command -v "$tool"; then echo "the image has $tool" >&2; exit 1; fi
done
test ! -e /build && test ! -e /wheels && test ! -w /usr/local/bin/coding-env
test "$(id -u)" = 65534
coding-env --version'

# healthy CONTAINER: waits until it is.
healthy() {
    local end=$((SECONDS + HEALTHY_WITHIN)) health=""
    until [[ $health == healthy ]]; do
        if ((SECONDS > end)) || [[ $(docker inspect --format '{{.State.Running}}' "$1") != true ]]; then
            docker logs --tail 50 "$1" >&2
            fail "$1 is ${health:-not there}, and not healthy"
        fi
        sleep 0.5
        health=$(docker inspect --format '{{.State.Health.Status}}' "$1")
    done
}

# Somebody else's may be there.
of_clients() { docker ps --all --quiet --filter label=coding-env.client | sort; }
others=$(of_clients)

# --- By hand: as each kind of user ------------------------------------------------------------------------------

readonly RESTRICTED=(--cap-drop ALL --security-opt no-new-privileges --read-only --tmpfs /tmp)
# start KIND OPTION...
start() {
    local name="coding-env-image-test-$$-$1"
    shift
    docker run --detach --name "$name" --network none --memory 2g --pids-limit 1024 \
        --env CODING_ENV_MAX_EPISODES=7 "$@" "$image" >/dev/null
    containers+=("$name")
}
start image
start root --user 0:0
start uid-65534 --user 65534:65534
start restricted "${RESTRICTED[@]}"
start restricted-root --user 0:0 "${RESTRICTED[@]}"
for name in "${containers[@]}"; do
    healthy "$name"
    answer=$(docker exec "$name" coding-env run --url http://127.0.0.1:8000 -c '6 * 7')
    [[ $answer == 42 ]] || fail "$name answers $answer"
    serving=$(docker logs "$name" 2>&1 | sed -nE 's/.* serving .*isolation="([a-z]+)".*max_episodes=([0-9]+) took=([^ ]+).*/\1, max_episodes \2, SERVING after \3/p')
    [[ $serving == *"max_episodes 7,"* ]] || fail "$name did not take its settings: $serving"
    begun=$SECONDS
    docker stop --time 20 "$name" >/dev/null
    code=$(docker inspect --format '{{.State.ExitCode}}' "$name")
    [[ $code == 0 ]] || fail "$name ended with $code"
    echo "${name##*-test-"$$"-}: healthy, ran a step, drained in $((SECONDS - begun)) s; $serving"
done

# --- From the two clients ---------------------------------------------------------------------------------------

echo "--- from_docker_image, Rust"
CODING_ENV_TEST_IMAGE=$image cargo test --locked --features docker --test it -- from_docker_image::a_real_engine \
    from_docker_image::a_client_of_a_real_engine --test-threads 1 --nocapture
program=$(cargo metadata --no-deps --format-version 1 --locked |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])')/debug/coding-env
echo "--- from_docker_image, Python"
CODING_ENV_BIN=$program CODING_ENV_TEST_IMAGE=$image clients/python/test -q -k a_real_engine

# --- The compose file -------------------------------------------------------------------------------------------

# Sets `compose` to what speaks it here.
find_compose() {
    if ! docker compose version >/dev/null 2>&1 && ! command -v docker-compose >/dev/null && ((EUID == 0)) && command -v apt-get >/dev/null; then
        export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
        timeout 300 apt-get update >/dev/null || true
        timeout --kill-after=20 600 apt-get install --yes --no-install-recommends docker-compose >/dev/null || true
    fi
    local command=()
    if docker compose version >/dev/null 2>&1; then
        command=(docker compose)
    elif command -v docker-compose >/dev/null; then
        command=(docker-compose)
    else
        lacks "docker compose"
        return 0
    fi
    compose=("${command[@]}" --project-name "coding-env-image-test-$$" --file deploy/compose.yaml)
}
find_compose
if ((${#compose[@]} > 0)); then
    CODING_ENV_PORT=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    export CODING_ENV_PORT CODING_ENV_IMAGE=$image
    "${compose[@]}" up --detach >"$scratch/compose.log" 2>&1 || {
        cat -- "$scratch/compose.log" >&2
        fail "the compose file does not come up"
    }
    name=$("${compose[@]}" ps -q coding-env)
    healthy "$name"
    answer=$("$program" run --url "http://127.0.0.1:$CODING_ENV_PORT" -c '6 * 7')
    [[ $answer == 42 ]] || fail "the server of the compose file answers $answer"
    "${compose[@]}" down >/dev/null 2>&1
    [[ -z $(docker ps --all --quiet --filter "id=$name") ]] || fail "the compose file leaves its container behind"
    echo "compose ($("${compose[@]}" version --short)): up, healthy, ran a step, down"
    compose=()
fi

# --- The users' own packages ------------------------------------------------------------------------------------

if [[ ${CODING_ENV_TEST_WHEEL_INDEX-1} != 0 && $image == coding-env:latest ]]; then
    # The same files, so that the engine has all but the packages already; and a wheel beside them.
    mkdir -- "$scratch/context"
    cp -a -- Dockerfile .dockerignore Cargo.toml Cargo.lock build.rs LICENSE-MIT LICENSE-APACHE proto src "$scratch/context"
    mkdir -- "$scratch/context/wheels"
    python3 - "$scratch/context/wheels" <<'PYTHON'
import sys, zipfile
info = "local_words-1.0.dist-info/"
with zipfile.ZipFile(sys.argv[1] + "/local_words-1.0-py3-none-any.whl", "w") as wheel:
    wheel.writestr("local_words.py", "WORD = 'local'\n")
    wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\nName: local-words\nVersion: 1.0\n")
    wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    wheel.writestr(info + "RECORD", f"local_words.py,,\n{info}METADATA,,\n{info}WHEEL,,\n{info}RECORD,,\n")
PYTHON
    build coding-env-packages:test "$scratch/context" --build-arg EXTRA_PACKAGES='six==1.* idna>=3'
    # Preloaded, so that the server's own check covers them; and read-only, so that what is compiled is in the image.
    answer=$(docker run --rm --network none "${RESTRICTED[@]}" --env CODING_ENV_PRELOAD=six,local_words coding-env-packages:test \
        run -c 'import six, idna, local_words; print(local_words.WORD, six.__version__[0], idna.__version__[0])')
    [[ $answer == "local 1 3" ]] || fail "the image with extra packages answers $answer"
    docker run --rm --network none --entrypoint sh coding-env-packages:test -c 'test ! -e /wheels'
    docker image rm coding-env-packages:test >/dev/null
    echo "extra packages: from an index, and from a folder of wheels"
    # What pip can't have as a wheel is told.
    if docker build --force-rm --network host --tag coding-env-packages:test --build-arg EXTRA_PACKAGES='./no-such.whl' "$scratch/context" \
        >"$scratch/build.log" 2>&1; then
        fail "an image with a package that is not there was built"
    fi
    grep -q "no-such.whl" "$scratch/build.log" || fail "pip does not say what it lacks"
fi

[[ $(of_clients) == "$others" ]] || fail "a client left a container behind"
echo "the image: ok"
