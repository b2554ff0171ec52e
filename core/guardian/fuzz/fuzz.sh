#!/usr/bin/env bash
# Runs the fuzz targets for a while each: fuzz.sh SECONDS [TARGET…]
# What they learn is kept in the cache; the corpora in this folder are where they begin.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${MONSTRUM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/monstrum}/fuzz
# Not the workspace's folder: these are other compiler flags.
export CARGO_TARGET_DIR=$cache/target
# shellcheck source-path=SCRIPTDIR/../../../e2e/cluster/lib
{
  source "$here/../../../e2e/cluster/lib/output.sh"
  source "$here/../../../e2e/cluster/lib/prerequisites.sh"
}
# libFuzzer is C++ and is compiled with the targets.
# shellcheck disable=SC2034
declare -rA fuzz_packages=([c++]=g++)

seconds=${1:-60}
shift || true
targets=("$@")
((${#targets[@]})) || mapfile -t targets < <(cd "$here/targets" && printf '%s\n' *.rs | sed 's/\.rs$//')
[[ $seconds =~ ^[1-9][0-9]*$ ]] || die "$seconds is not a number of seconds" "$0 60"

build() {
  command -v cargo >/dev/null || die "cargo is not on the PATH" "install Rust 1.95 or later"
  install_missing fuzz_packages
  local coverage=(-Cpasses=sancov-module)
  local option
  for option in level=4 inline-8bit-counters pc-table trace-compares; do
    coverage+=("-Cllvm-args=-sanitizer-coverage-$option")
  done
  step "building the fuzz targets"
  # A target triple keeps the flags away from build scripts and macros.
  local host
  host=$(rustc -vV | sed -n 's/^host: //p')
  (cd "$here" && RUSTFLAGS="${coverage[*]} --cfg fuzzing" cargo build --quiet --locked --release --target "$host" --bins)
  binaries=$CARGO_TARGET_DIR/$host/release
}

# run TARGET
run() {
  local name=$1 learnt=$cache/corpus/$1 found=$cache/findings/$1 log=$cache/log/$1
  [[ -x $binaries/$name ]] || die "there is no fuzz target $name" "ls $here/targets"
  mkdir -p "$learnt" "$found" "$cache/log"
  if "$binaries/$name" "$learnt" "$here/corpus/$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
    -max_len=4096 -artifact_prefix="$found/" -print_final_stats=1 >"$log" 2>&1; then
    ok "$name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs"
  else
    tail -n 40 "$log" >&2
    die "the fuzz target $name found something" "$binaries/$name $(find "$found" -type f -printf '%T@ %p\n' | sort -n | tail -n 1 | cut -d' ' -f2-)"
  fi
}

build
export binaries cache here seconds
export -f run ok say die
export bold red green plain
# shellcheck disable=SC2016
printf '%s\n' "${targets[@]}" | xargs -P "$(nproc)" -I '{}' bash -c 'run "$1"' run '{}'
