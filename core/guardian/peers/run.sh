#!/usr/bin/env bash
# Measures Guardian beside other engines, and writes what it finds into docs/benchmarks.md and docs/engines.svg.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")"
docs=$(cd ../../../docs && pwd)
export CARGO_TARGET_DIR=${MONSTRUM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/monstrum}/target-peers

# One processor, the last one, so that nothing moves in between.
pinned=(taskset --cpu-list "$(($(nproc) - 1))")
command -v taskset >/dev/null || pinned=()

cargo bench --locked --no-run --features cedar --bench peers
cargo bench --locked --no-run --bench peers
load=$(cut -d ' ' -f 1 /proc/loadavg)
rm -rf "$CARGO_TARGET_DIR/criterion"
"${pinned[@]}" cargo bench --quiet --locked --features cedar --bench peers
"${pinned[@]}" cargo bench --quiet --locked --bench peers

program() { cargo run --quiet --locked --profile bench --bin "$@"; }
cargo build --locked --profile bench --bins
"${pinned[@]}" "$CARGO_TARGET_DIR/release/percentiles" >"$CARGO_TARGET_DIR/percentiles.md"
program memory >"$CARGO_TARGET_DIR/memory.md"
program report "$CARGO_TARGET_DIR/criterion" "$load" "$docs/benchmarks.md" "$docs/engines.svg" \
    "$CARGO_TARGET_DIR/percentiles.md" "$CARGO_TARGET_DIR/memory.md"
