# shellcheck shell=bash
# An OCI archive from one layer, with nothing but tar, gzip and sha256sum. Same input, same bytes.

# reproducible_tar OUT FOLDER: sorted, without times; owners as they are on disk
reproducible_tar() {
  tar --create --file "$1" --directory "$2" --sort=name --mtime=@0 --numeric-owner --format=posix \
    --pax-option=delete=atime,delete=ctime,exthdr.name=%d/PaxHeaders/%f .
}

# json_list WORD…: strings without quotes or backslashes, which no path or setting of ours has
json_list() {
  local word list=''
  for word in "$@"; do
    [[ $word != *[\"\\]* ]] || { echo "cannot put into JSON: $word" >&2 && return 1; }
    list+=",\"$word\""
  done
  printf '[%s]' "${list#,}"
}

# blob FOLDER FILE: moves the file into the layout; prints its digest
blob() {
  local digest
  digest=$(sha256sum "$2" | cut -d' ' -f1)
  mv "$2" "$1/blobs/sha256/$digest"
  chmod 644 "$1/blobs/sha256/$digest"
  printf '%s' "$digest"
}

oci_architecture() { "$(dirname "${BASH_SOURCE[0]}")/../../target.sh" --image; }

# oci_archive OUT REFERENCE LAYER CONFIG-JSON: the layer's file is consumed
oci_archive() {
  local out=$1 reference=$2 config=$4 layout content layer layer_size digest size
  layout=$(mktemp -d "$out.XXXXXX")
  mkdir -p "$layout/blobs/sha256"
  # The config names the layer by its content, the manifest by what is transferred.
  content=$(sha256sum "$3" | cut -d' ' -f1)
  gzip --no-name --force "$3"
  layer_size=$(stat -c %s "$3.gz")
  layer=$(blob "$layout" "$3.gz")
  printf '{"created":"1970-01-01T00:00:00Z","architecture":"%s","os":"linux","config":%s,"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
    "$(oci_architecture)" "$config" "$content" >"$layout/config"
  size=$(stat -c %s "$layout/config")
  digest=$(blob "$layout" "$layout/config")
  printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:%s","size":%s},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"sha256:%s","size":%s}]}' \
    "$digest" "$size" "$layer" "$layer_size" >"$layout/manifest"
  size=$(stat -c %s "$layout/manifest")
  digest=$(blob "$layout" "$layout/manifest")
  # containerd takes the name from the first annotation, other tools from the second.
  printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:%s","size":%s,"annotations":{"io.containerd.image.name":"%s","org.opencontainers.image.ref.name":"%s"}}]}' \
    "$digest" "$size" "$reference" "$reference" >"$layout/index.json"
  printf '{"imageLayoutVersion":"1.0.0"}' >"$layout/oci-layout"
  chmod 755 "$layout"
  chown -R 0:0 "$layout" 2>/dev/null || true
  reproducible_tar "$out.part" "$layout"
  mv "$out.part" "$out"
  rm -rf "$layout"
}
