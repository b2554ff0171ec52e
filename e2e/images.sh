#!/usr/bin/env bash
# Builds the static binaries and, around each, an OCI archive with nothing else in it; then the sandbox image.
set -euo pipefail
cd "$(dirname "$0")/.."

cache=${MONSTRUM_CACHE:?set by the Makefile}
target=x86_64-unknown-linux-gnu
binaries=$cache/target-image/$target/image
archives=$cache/images
mkdir -p "$archives"

echo "building static binaries"
CARGO_TARGET_DIR=$cache/target-image RUSTFLAGS='-C target-feature=+crt-static' \
  cargo build --locked --profile image --target "$target" \
  -p monstrum-operator -p monstrum-gateway -p monstrum-runner -p monstrum-ledger -p monstrum-cli -p monstrum-e2e

# An archive is made anew only when its binary, or how it is packed, is another.
for name in operator gateway runner ledger fixtures; do
  binary=$binaries/monstrum-$name
  archive=$archives/$name.tar
  digest=$(cat "$binary" e2e/cluster/images/*.sh | sha256sum | cut -d' ' -f1)
  if [[ ! -f $archive || $(cat "$archive.of" 2>/dev/null) != "$digest" ]]; then
    e2e/cluster/cluster image "$name" "$binary" -o "$archive"
    echo "$digest" >"$archive.of"
  fi
  printf '  %-10s %5.1f MB\n' "$name" "$(stat -c %s "$archive" | awk '{print $1 / 1e6}')"
done
e2e/cluster/cluster sandbox-image -o "$archives/sandbox.tar"
