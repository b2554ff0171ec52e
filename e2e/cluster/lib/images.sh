# shellcheck shell=bash
# Images of the cluster itself, and the loading of anybody's.

# The images that every node needs, made from our own binaries, once per set of versions.
build_images() {
  [[ ! -f $archives/coredns.tar || ! -f $archives/pause.tar ]] || return 0
  mkdir -p "$archives"
  "$here/images/archive.sh" pause "$bin/pause" -o "$archives/pause.tar"
  "$here/images/archive.sh" coredns "$bin/coredns" -o "$archives/coredns.tar"
}

containerd_ready() { node_exec ctr --connect-timeout 1s version; }

# load_images ARCHIVE…
load_images() {
  local archive message
  for archive in "$@"; do
    [[ -f $archive ]] || die "no such archive: $archive" "$0 image NAME BINARY -o $archive"
  done
  wait_for 30 containerd containerd_ready
  for archive in "$@"; do
    # By descriptor: the node sees other folders under some names. What ctr says is of interest only when it fails.
    message=$(node_exec ctr -n k8s.io images import - <"$archive" 2>&1) || die "$archive could not be loaded: $message"
  done
}
