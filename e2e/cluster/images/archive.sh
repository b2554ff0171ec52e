#!/usr/bin/env bash
# Packs static binaries, or folders, on an empty base as an OCI archive. Usage: see usage().
set -euo pipefail
# shellcheck source=oci.sh
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/oci.sh"

usage() {
  echo "usage: image NAME BINARY[:DEST]… -o ARCHIVE [--tag REF] [--entrypoint PATH] [--user UID:GID] [--env K=V]…" >&2
  exit 64
}

name='' out='' tag='' entrypoint='' user=65532:65532
items=() environment=(PATH=/usr/local/bin:/usr/bin:/bin:/ SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt HOME=/tmp)
while (($#)); do
  case $1 in
    -o | --tag | --entrypoint | --user | --env) (($# > 1)) || usage ;;&
    -o) out=$2 && shift 2 ;;
    --tag) tag=$2 && shift 2 ;;
    --entrypoint) entrypoint=$2 && shift 2 ;;
    --user) user=$2 && shift 2 ;;
    --env) environment+=("$2") && shift 2 ;;
    -*) usage ;;
    *) if [[ -z $name ]]; then name=$1; else items+=("$1"); fi && shift ;;
  esac
done
if [[ -z $name || -z $out ]] || ((! ${#items[@]})); then usage; fi

mkdir -p "$(dirname "$out")"
work=$(mktemp -d "$out.XXXXXX")
trap 'rm -rf "$work"' EXIT
root=$work/root
install -d -m 755 "$root" "$root/etc" "$root/etc/ssl" "$root/etc/ssl/certs"
install -d -m 1777 "$root/tmp"
if [[ -f /etc/ssl/certs/ca-certificates.crt ]]; then
  install -m 644 /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
fi
printf 'root:x:0:0:root:/:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/tmp:/sbin/nologin\n' >"$root/etc/passwd"
printf 'root:x:0:\nnonroot:x:65532:\n' >"$root/etc/group"
chmod 644 "$root/etc/passwd" "$root/etc/group"

for item in "${items[@]}"; do
  source=${item%%:*} target=/$(basename "${item%%:*}")
  [[ $item != *:* ]] || target=${item#*:}
  [[ $target == /* ]] || { echo "destination must be absolute: $target" >&2 && exit 64; }
  [[ -e $source ]] || { echo "no such file: $source" >&2 && exit 66; }
  (umask 022 && mkdir -p "$root$(dirname "$target")")
  if [[ -d $source ]]; then
    cp -r --no-preserve=all "$source" "$root$target"
    chmod -R u=rwX,go=rX "$root$target"
  else
    install -m "$([[ -x $source ]] && echo 755 || echo 644)" "$source" "$root$target"
  fi
  [[ -n $entrypoint || ! -f $source ]] || entrypoint=$target
done

chown -R 0:0 "$root" 2>/dev/null || true
reproducible_tar "$work/layer.tar" "$root"
config=$(printf '{"User":"%s","Env":%s,"Entrypoint":%s,"WorkingDir":"/"}' \
  "$user" "$(json_list "${environment[@]}")" "$(json_list "$entrypoint")")
oci_archive "$out" "${tag:-monstrum.dev/$name:dev}" "$work/layer.tar" "$config"
