# The images of `make images`, for people who have Docker:
#   docker build --target operator --tag monstrum.dev/operator:dev .
# For another architecture: docker build --platform linux/arm64 … (the build runs on it, emulated or not).
# Targets: operator, gateway, runner, ledger. Each holds its static binary (gateway: the channel's as well), the list of certificate
# authorities, the names of two users and /tmp. `make dockerfile` builds them without Docker and compares.

# A tag names whatever its owner says today. A release is built from what was looked at, by digest:
#   docker build --build-arg RUST_IMAGE=rust@sha256:<digest of the tag below> …
ARG RUST_IMAGE=rust:1.95-bookworm

FROM ${RUST_IMAGE} AS build
WORKDIR /src
COPY . .
# monstrum-cli is in no image. It is built along because shared libraries get the features that it needs, here as there.
RUN export CARGO_TARGET_DIR=/tmp/target \
 && e2e/binaries.sh monstrum-operator monstrum-gateway monstrum-channel monstrum-runner monstrum-ledger monstrum-cli \
 && image=$CARGO_TARGET_DIR/$(e2e/target.sh)/image \
 && for name in operator runner ledger; do \
      e2e/cluster/images/root.sh /out/$name $image/monstrum-$name || exit 1; \
    done \
 && e2e/cluster/images/root.sh /out/gateway $image/monstrum-gateway $image/monstrum-channel \
 && rm -rf $CARGO_TARGET_DIR

FROM scratch AS base
ENV PATH=/usr/local/bin:/usr/bin:/bin:/ SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt HOME=/tmp
USER 65532:65532

FROM base AS operator
COPY --from=build /out/operator/ /
ENTRYPOINT ["/monstrum-operator"]

FROM base AS gateway
COPY --from=build /out/gateway/ /
ENTRYPOINT ["/monstrum-gateway"]

FROM base AS runner
COPY --from=build /out/runner/ /
ENTRYPOINT ["/monstrum-runner"]

FROM base AS ledger
COPY --from=build /out/ledger/ /
ENTRYPOINT ["/monstrum-ledger"]
