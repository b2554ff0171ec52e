#!/usr/bin/env bash
# Runs the compiler, as cargo's RUSTC_WRAPPER, so that no path of this machine gets into a binary. In RUSTFLAGS the same settings
# would change cargo's hashes, which are in the paths of generated sources.
set -euo pipefail

places=()
if [[ -n ${CARGO_MANIFEST_DIR:-} ]]; then
  places+=("--remap-path-prefix=$CARGO_MANIFEST_DIR=/registry/$CARGO_PKG_NAME-$CARGO_PKG_VERSION")
fi
if [[ -n ${OUT_DIR:-} ]]; then
  places+=("--remap-path-prefix=$OUT_DIR=/generated/$CARGO_PKG_NAME-$CARGO_PKG_VERSION")
fi
exec "$@" "${places[@]}"
