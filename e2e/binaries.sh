#!/usr/bin/env bash
# Builds packages as static binaries: the same bytes wherever this checkout, cargo's home and the target folder are,
# for the same versions of Rust, gcc and glibc. Usage: binaries.sh PACKAGE… (what else is built decides which features shared
# libraries have, so the Dockerfile names monstrum-cli too).
set -euo pipefail
cd "$(dirname "$0")/.."

target=$(e2e/target.sh)
cargo fetch --quiet --locked --target "$target"
# C sources name themselves in their errors; Rust sources do in panics, which rustc.sh sees to.
maps=''
for registry in "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*; do
  maps+=" -ffile-prefix-map=$registry=/registry"
done
export CFLAGS=${maps# } CXXFLAGS=${maps# }
export RUSTFLAGS='-C target-feature=+crt-static' RUSTC_WRAPPER=$PWD/e2e/rustc.sh
exec cargo build --locked --profile image --target "$target" "${@/#/--package=}"
