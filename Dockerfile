# The server and a Python, nothing else.
#
#   docker build --tag coding-env:latest .
#   docker run --rm --publish 8000:8000 --read-only --tmpfs /tmp coding-env:latest
#
#   --build-arg EXTRA_PACKAGES="numpy pandas==3.1.1"   what pip is to install: requirements, and options before them. Wheels only
#   --build-arg PYTHON_IMAGE=python:3.12-slim-bookworm  another of Docker's official Pythons
#   --build-arg REVISION="$(git rev-parse HEAD)"        for the label
#
# Wheels in a folder `wheels` beside this file are installed too, and found by EXTRA_PACKAGES.
# The C library of RUST_IMAGE must not be newer than that of PYTHON_IMAGE.

ARG RUST_IMAGE=rust:1-bookworm
ARG PYTHON_IMAGE=python:3.13-slim-bookworm

FROM ${RUST_IMAGE} AS build
WORKDIR /build
COPY Cargo.toml Cargo.lock build.rs ./
COPY proto proto
COPY src src
# Without the tests, benches and examples, whose edits would rebuild the binary: Cargo looks for each that Cargo.toml names.
RUN sed -i '/^\[\[\(bench\|example\|test\)\]\]$/,/^$/d' Cargo.toml
# Plain steps, without cache mounts, so that the builder of any Docker engine takes them.
RUN cargo build --release --locked --bin coding-env

# The users' packages, in a stage of their own: neither their wheels nor what pip was told become part of the image.
FROM ${PYTHON_IMAGE} AS packages
ARG EXTRA_PACKAGES=""
# A licence is there in any case, so that the line holds without a folder of wheels.
COPY LICENSE-MIT wheels*/*.whl /wheels/
# Without globbing, so that `numpy==2.*` stays what it is.
RUN set -ef; mkdir -p /packages/lib; \
    wheels="$(find /wheels -name '*.whl')"; \
    if [ -n "${EXTRA_PACKAGES}${wheels}" ]; then \
        python3 -m pip install --no-cache-dir --disable-pip-version-check --root-user-action=ignore \
            --only-binary :all: --find-links /wheels --prefix /packages ${EXTRA_PACKAGES} ${wheels}; \
    fi

FROM ${PYTHON_IMAGE}
ARG PYTHON_IMAGE
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="coding-env" \
      org.opencontainers.image.description="A gRPC server that runs Python episodes for reinforcement learning and agents" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="${PYTHON_IMAGE}"
COPY LICENSE-MIT LICENSE-APACHE /usr/share/doc/coding-env/
COPY --from=packages /packages/ /usr/local/
COPY --from=build /build/target/release/coding-env /usr/local/bin/coding-env

# All of a container's addresses: a published port does not reach its loopback. Every setting is a variable like this one. The only
# writable place that the server needs is /tmp, so the root may be read-only.
ENV CODING_ENV_LISTEN=0.0.0.0:8000
EXPOSE 8000

# By number, so that Kubernetes can verify `runAsNonRoot`. This user owns no file of the image.
USER 65534:65534
WORKDIR /tmp

HEALTHCHECK --interval=10s --timeout=5s --start-period=15s --retries=3 CMD ["coding-env", "health"]
ENTRYPOINT ["coding-env"]
CMD ["serve"]
