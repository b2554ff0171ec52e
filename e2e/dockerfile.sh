#!/usr/bin/env bash
# Builds the Dockerfile, without Docker, and compares its images with those of `make images`: settings, files, every byte of them.
set -euo pipefail
cd "$(dirname "$0")/.."
here=$PWD/e2e/cluster
for part in settings output prerequisites; do
  # shellcheck source=/dev/null
  source "$here/lib/$part.sh"
done
# shellcheck source=dockerfile/base.sh
source e2e/dockerfile/base.sh

((EUID == 0)) || die "building images needs root" "sudo -E make dockerfile"
# shellcheck disable=SC2034 # read by name
declare -rA tools=([buildah]=buildah [mmdebstrap]=mmdebstrap [jq]=jq)
install_missing tools

readonly images=(operator gateway runner ledger) limit=30000000
readonly ours=${MONSTRUM_CACHE:?set by the Makefile}/images kept=$MONSTRUM_CACHE/dockerfile
work=$(mktemp -d)
storage=(--root "$kept/storage" --runroot "$work/run")
mkdir -p "$kept"
exec 8>"$kept/lock"
flock -n 8 || die "another 'make dockerfile' is at work" "wait for it"
from=''

# Only the image that all the work starts from is kept.
finish() {
  local image
  buildah "${storage[@]}" rm --all >/dev/null 2>&1 || true
  for image in "${images[@]}"; do buildah "${storage[@]}" rmi "$image" >/dev/null 2>&1 || true; done
  buildah "${storage[@]}" rmi --prune >/dev/null 2>&1 || true
  for image in $(buildah "${storage[@]}" images --format '{{.Name}}:{{.Tag}}' 2>/dev/null); do
    [[ -z $from || $image == "$from" ]] || buildah "${storage[@]}" rmi "$image" >/dev/null 2>&1 || true
  done
  # What an interrupted build left mounted, the deepest first.
  awk -v below="$kept/storage/" 'index($5, below) == 1 {print $5}' /proc/self/mountinfo | sort -r | xargs -r umount 2>/dev/null || true
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 143' TERM
trap 'exit 130' INT

build() {
  local cargo=${CARGO_HOME:-$HOME/.cargo} image authorities=/etc/ssl/certs/ca-certificates.crt
  mkdir -p "$cargo/registry"
  # What this machine has for `make images`, the build has too: crates, cargo's settings, certificate authorities.
  local shared=(--volume "$cargo/registry:/usr/local/cargo/registry" --volume "$authorities:$authorities:ro")
  [[ ! -f $cargo/config.toml ]] || shared+=(--volume "$cargo/config.toml:/usr/local/cargo/config.toml:ro")
  for image in "${images[@]}"; do
    step "building the Dockerfile's $image"
    buildah "${storage[@]}" bud --layers --identity-label=false --isolation chroot --network host --pull-never \
      --from "$from" "${shared[@]}" --target "$image" --tag "$image" . >&2 || die "the Dockerfile's $image cannot be built" "see above"
    buildah "${storage[@]}" push --quiet "$image" "oci-archive:$work/$image.tar:$image" >/dev/null
  done
}

# compare IMAGE: says what differs
compare() {
  local file size
  for file in "$ours/$1.tar" "$work/$1.tar"; do
    size=$(stat -c %s "$file")
    ((size < limit)) || { say "$file has $size bytes, of $limit" && return 1; }
  done
  e2e/dockerfile/facts.sh "$ours/$1.tar" >"$work/ours"
  e2e/dockerfile/facts.sh "$work/$1.tar" >"$work/theirs"
  diff -u --label "make images: $1" --label "Dockerfile: $1" "$work/ours" "$work/theirs" >&2 || return 1
  grep -q " ./monstrum-$1\$" "$work/theirs" || { say "there is no /monstrum-$1 in it" && return 1; }
  printf '  %-10s %5.1f MB  %s\n' "$1" "$(awk "BEGIN {print $size / 1e6}")" "$(sed -n "s| *\./monstrum-$1\$||p" "$work/theirs")"
}

# starts IMAGE: what is in the image runs with nothing else around it
starts() {
  local container
  container=$(buildah "${storage[@]}" from --pull-never "$1")
  buildah "${storage[@]}" run --isolation chroot "$container" -- "/monstrum-$1" --version
}

from=$(base_image)
build
different=()
for image in "${images[@]}"; do
  compare "$image" || different+=("$image")
done
((!${#different[@]})) || die "not what 'make images' made: ${different[*]}" \
  "see above; binaries are the same only for the same Rust, gcc and glibc: here $(rustc --version), $(gcc --version | head -1), in the build $from"
for image in "${images[@]}"; do
  starts "$image"
done
ok "the Dockerfile gives the images of 'make images'"
