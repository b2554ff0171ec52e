#!/usr/bin/env bash
# Packs static binaries, or folders, on an empty base as an OCI archive. Usage: see usage().
set -euo pipefail
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
# shellcheck source=oci.sh
source "$here/oci.sh"

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
for item in "${items[@]}"; do
  # The first file is what runs, wherever it is put.
  [[ -n $entrypoint || ! -f ${item%%:*} ]] || { [[ $item == *:* ]] && entrypoint=${item#*:} || entrypoint=/$(basename "$item"); }
done
"$here/root.sh" "$work/root" "${items[@]}"
reproducible_tar "$work/layer.tar" "$work/root"
config=$(printf '{"User":"%s","Env":%s,"Entrypoint":%s,"WorkingDir":"/"}' \
  "$user" "$(json_list "${environment[@]}")" "$(json_list "$entrypoint")")
oci_archive "$out" "${tag:-monstrum.dev/$name:dev}" "$work/layer.tar" "$config"
