#!/usr/bin/env bash
# Prints what binaries and images are built for: MONSTRUM_TARGET, or this machine. Both are Linux with glibc; another architecture than this
# machine's needs Rust's standard library and a C compiler for it.
set -euo pipefail
target=${MONSTRUM_TARGET:-$(uname -m)-unknown-linux-gnu}
case ${1:-} in
  '') echo "$target" ;;
  # As container images call it.
  --image)
    case ${target%%-*} in
      x86_64) echo amd64 ;;
      aarch64) echo arm64 ;;
      *) echo "${target%%-*}" ;;
    esac
    ;;
  *) echo "usage: target.sh [--image]" >&2 && exit 64 ;;
esac
