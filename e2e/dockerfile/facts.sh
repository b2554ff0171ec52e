#!/usr/bin/env bash
# Says what an image is, however it is cut into layers: its settings, then each file with mode, owner and digest.
# Usage: facts.sh OCI-ARCHIVE
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/layout" "$work/root"
tar -xf "$1" -C "$work/layout"
blob() { printf '%s/layout/blobs/%s' "$work" "${1/://}"; }
manifest=$(blob "$(jq -er '.manifests[0].digest' "$work/layout/index.json")")
config=$(blob "$(jq -er '.config.digest' "$manifest")")

# An image that names no working directory starts in the root.
jq -S '{os, architecture, settings: (.config | .WorkingDir = if (.WorkingDir // "") == "" then "/" else .WorkingDir end)}' "$config"
while read -r layer; do
  tar -xzpf "$(blob "$layer")" --numeric-owner -C "$work/root"
done < <(jq -er '.layers[].digest' "$manifest")
cd "$work/root"
find . -mindepth 1 -printf '%p %y %m %U:%G %l\n' | LC_ALL=C sort
find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum
