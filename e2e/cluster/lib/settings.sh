# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154
# Names, addresses and folders. Sourced by the front and by every script; has no effects.

readonly node_name=monstrum-node
readonly netns=monstrum
readonly link=monstrum0
# Documentation and benchmark ranges; network_is_free makes sure that the host uses none of them.
readonly host_address=198.51.100.1
readonly node_address=198.51.100.2
readonly pod_range=198.18.0.0/16
readonly service_range=198.19.0.0/16
readonly server=https://$node_address:6443

readonly cache_root=${MONSTRUM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/monstrum}/cluster
readonly state=${MONSTRUM_CLUSTER_DIR:-$cache_root/state}
readonly admin_kubeconfig=$state/kubeconfig/admin

# What the binaries are made from decides where they are kept.
sources_digest() {
  (cd "$here" && find go lib/build.sh -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum | cut -c1-16)
}
cache=$cache_root/$(sources_digest)
readonly cache
readonly bin=$cache/bin
readonly archives=$cache/images

external() { [[ ${E2E_CLUSTER:-} == external ]]; }
