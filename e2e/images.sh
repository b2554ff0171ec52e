#!/usr/bin/env bash
# Builds the static binaries and, around each, an OCI archive with nothing else in it; then the sandbox image.
set -euo pipefail
cd "$(dirname "$0")/.."

cache=${MONSTRUM_CACHE:?set by the Makefile}
target=$(e2e/target.sh)
binaries=$cache/target-image/$target/image
archives=$cache/images
mkdir -p "$archives"

# cargo does not know that a binary depends on what its wrapper does.
if ! cmp --quiet e2e/rustc.sh "$cache/target-image/rustc.sh"; then
  rm -rf "$cache/target-image"
  install -D -m 644 e2e/rustc.sh "$cache/target-image/rustc.sh"
fi
echo "building static binaries"
CARGO_TARGET_DIR=$cache/target-image \
  e2e/binaries.sh monstrum-operator monstrum-gateway monstrum-channel monstrum-runner monstrum-ledger monstrum-cli monstrum-e2e

# An archive is made anew only when its binaries, or how they are packed, are others.
for name in operator gateway runner ledger fixtures; do
  files=("$binaries/monstrum-$name")
  # Nodes that run a channel run gateways: one image for both is one less to mirror, to pin and to pull.
  [[ $name != gateway ]] || files+=("$binaries/monstrum-channel")
  archive=$archives/$name.tar
  digest=$(cat "${files[@]}" e2e/cluster/images/*.sh | sha256sum | cut -d' ' -f1)
  if [[ ! -f $archive || $(cat "$archive.of" 2>/dev/null) != "$digest" ]]; then
    e2e/cluster/cluster image "$name" "${files[@]}" -o "$archive"
    echo "$digest" >"$archive.of"
  fi
  printf '  %-10s %5.1f MB\n' "$name" "$(stat -c %s "$archive" | awk '{print $1 / 1e6}')"
done
e2e/cluster/cluster sandbox-image -o "$archives/sandbox.tar"
