#!/usr/bin/env bash
# The sandbox image: an ordinary Debian userland, made by Debian's own tools from the sources that this machine already uses.
set -euo pipefail
here=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")
for part in settings output prerequisites; do
  # shellcheck source=/dev/null
  source "$here/lib/$part.sh"
done
# shellcheck source=oci.sh
source "$here/images/oci.sh"

[[ $# == 2 && $1 == -o ]] || { echo "usage: sandbox-image -o ARCHIVE" >&2 && exit 64; }
out=$2
require_root sandbox-image
# shellcheck disable=SC2034 # read by name
declare -rA sandbox_packages=([mmdebstrap]=mmdebstrap)

# shellcheck source=/dev/null
suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
architecture=$(oci_architecture)
digest=$(cat "$here"/images/{sandbox.packages,sandbox.sh,oci.sh} <(echo "$suite $architecture") | sha256sum | cut -c1-16)
cached=$cache_root/sandbox/$digest.tar

make_image() {
  local work include
  work=$(mktemp -d "$cached.XXXXXX")
  # shellcheck disable=SC2064 # the folder of this run
  trap "rm -rf '$work'" EXIT
  include=$(paste -sd, "$here/images/sandbox.packages")
  step "making the sandbox image from Debian $suite packages"
  # The package database and the name of any mirror stay out of the image; so does what differs from run to run.
  # shellcheck disable=SC2016 # $1 is the hook's own
  SOURCE_DATE_EPOCH=0 mmdebstrap --quiet --mode=root --architectures="$architecture" --variant=minbase --include="$include" \
    --aptopt='Apt::Install-Recommends "false"' \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
    --customize-hook='chroot "$1" groupadd --gid 65532 bot' \
    --customize-hook='chroot "$1" useradd -K UID_MAX=70000 --uid 65532 --gid 65532 --create-home --shell /bin/bash bot' \
    --customize-hook='rm -rf "$1"/etc/apt/sources.list "$1"/etc/apt/sources.list.d "$1"/etc/apt/auth.conf.d "$1"/etc/resolv.conf "$1"/etc/hostname "$1"/var/log/* "$1"/var/lib/apt/lists/* "$1"/var/cache/*' \
    --format=tar "$suite" "$work/layer.tar"
  oci_archive "$work/image.tar" monstrum.dev/sandbox:dev "$work/layer.tar" \
    '{"User":"65532:65532","Env":["PATH=/usr/local/bin:/usr/bin:/bin","HOME=/home/bot","LANG=C.UTF-8"],"Cmd":["/bin/bash"],"WorkingDir":"/home/bot"}'
  mv "$work/image.tar" "$cached"
}

mkdir -p "$(dirname "$cached")" "$(dirname "$out")"
if [[ ! -f $cached ]]; then
  install_missing sandbox_packages
  make_image
fi
cp "$cached" "$out.part"
mv "$out.part" "$out"
ok "sandbox image: $out"
