# The server and a Python, nothing else.
#
#   docker build --tag coding-env:latest .
#   docker run --rm --publish 8000:8000 --read-only --tmpfs /tmp coding-env:latest
#
# Another Python, and packages to preload: --build-arg PYTHON_IMAGE=…, or FROM this image with `pip install`.
# The C library of the build image must not be newer than that of the Python image.

ARG RUST_IMAGE=rust:1-bookworm
ARG PYTHON_IMAGE=python:3.13-slim-bookworm

FROM ${RUST_IMAGE} AS build
WORKDIR /build
COPY . .
# Plain steps, without cache mounts, so that the builder of any Docker engine takes them.
RUN cargo build --release --locked --bin coding-env

FROM ${PYTHON_IMAGE}
ARG VERSION=""
ARG REVISION=""
LABEL org.opencontainers.image.title="coding-env" \
      org.opencontainers.image.description="A gRPC server that runs Python episodes for reinforcement learning and agents" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY LICENSE-MIT LICENSE-APACHE /usr/share/doc/coding-env/
COPY --from=build /build/target/release/coding-env /usr/local/bin/coding-env

# All of a container's addresses: a published port does not reach its loopback. The only writable place that the
# server needs is /tmp, so the root may be read-only.
ENV CODING_ENV_LISTEN=0.0.0.0:8000
EXPOSE 8000

# By number, so that Kubernetes can verify `runAsNonRoot`. This user owns no file of the image.
USER 65534:65534
WORKDIR /tmp

HEALTHCHECK --interval=10s --timeout=5s --start-period=15s --retries=3 CMD ["coding-env", "health"]
ENTRYPOINT ["coding-env"]
CMD ["serve"]
