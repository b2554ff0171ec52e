# The images of `make images`, for people who have Docker:
#   docker build --target operator --tag monstrum.dev/operator:dev .
# Targets: operator, gateway, runner, ledger. Each holds one static binary and the list of certificate authorities.

FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
ENV RUSTFLAGS="-C target-feature=+crt-static"
RUN cargo build --locked --profile image --target x86_64-unknown-linux-gnu \
      -p monstrum-operator -p monstrum-gateway -p monstrum-runner -p monstrum-ledger \
 && mkdir /out && cp target/x86_64-unknown-linux-gnu/image/monstrum-* /out/

FROM scratch AS base
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
USER 65532:65532

FROM base AS operator
COPY --from=build /out/monstrum-operator /monstrum-operator
ENTRYPOINT ["/monstrum-operator"]

FROM base AS gateway
COPY --from=build /out/monstrum-gateway /monstrum-gateway
ENTRYPOINT ["/monstrum-gateway"]

FROM base AS runner
COPY --from=build /out/monstrum-runner /monstrum-runner
ENTRYPOINT ["/monstrum-runner"]

FROM base AS ledger
COPY --from=build /out/monstrum-ledger /monstrum-ledger
ENTRYPOINT ["/monstrum-ledger"]
