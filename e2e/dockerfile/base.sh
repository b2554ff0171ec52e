# shellcheck shell=bash
# shellcheck disable=SC2154 # the storage and the output are the front's
# The image that the Dockerfile builds in: the real one where it can be pulled, else one with the same in it.

base=$(sed -n 's/^ARG RUST_IMAGE=\(rust:[^ ]*\)$/\1/p' Dockerfile)
readonly base

# base_image: prints the name under which the image is in the storage
base_image() {
  step "pulling $base"
  if timeout 900 buildah "${storage[@]}" pull --quiet "$base" >&2; then
    echo "$base"
  else
    say "it cannot be pulled; a stand-in has Debian's compilers and this machine's Rust"
    stand_in
  fi
}

stand_in() {
  local release=${base#rust:} suite=${base##*-} contents=build-essential,ca-certificates,pkg-config key name
  release=${release%-*}
  [[ $(rustc --version) == "rustc $release."* ]] ||
    die "$base has Rust $release, this machine has $(rustc --version)" "rustup toolchain install $release && export RUSTUP_TOOLCHAIN=$release"
  key=$( (rustc -vV && echo "$suite $contents" && cat e2e/dockerfile/base.sh) | sha256sum | cut -c1-16)
  name=localhost/monstrum-rust:$key
  buildah "${storage[@]}" inspect --type image "$name" >/dev/null 2>&1 || make_stand_in "$name" "$suite" "$contents" >&2
  echo "$name"
}

# make_stand_in NAME SUITE PACKAGES
make_stand_in() {
  local container root toolchain
  step "making the stand-in from Debian $2 packages"
  container=$(buildah "${storage[@]}" from scratch)
  root=$(buildah "${storage[@]}" mount "$container")
  mmdebstrap --quiet --mode=root --variant=minbase --include="$3" --aptopt='Apt::Install-Recommends "false"' \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
    --format=directory "$2" "$root"
  toolchain=$(rustc --print sysroot)
  cp -a "$toolchain"/lib "$root/usr/local/"
  cp -a "$toolchain"/bin/{cargo,rustc} "$root/usr/local/bin/"
  mkdir -p "$root/usr/local/cargo/bin"
  buildah "${storage[@]}" config --env CARGO_HOME=/usr/local/cargo \
    --env PATH=/usr/local/cargo/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$container"
  buildah "${storage[@]}" umount "$container" >/dev/null
  buildah "${storage[@]}" commit --quiet --rm "$container" "$1" >/dev/null
}
