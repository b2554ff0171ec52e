#!/usr/bin/env bash
# First process of the node: makes its private file system, then starts and restarts the components.
set -euo pipefail
state=$1 bin=$2

private_mounts() {
  # Everything of ours moves below a fresh /run first, since the folders that hold it may be hidden afterwards.
  local run=$state/run
  mkdir -p "$run"
  mount -t tmpfs -o mode=755 tmpfs "$run"
  mkdir -p "$run/monstrum" "$run/lock" "$run/netns"
  mount --bind "$state" "$run/monstrum"
  mount --bind "$bin" "$run/monstrum/bin"
  mount --no-mtab --move "$run" /run
  mount --bind /run/monstrum/var-lib /var/lib
  mount --bind /run/monstrum/var-log /var/log
}

private_cgroups() {
  local legacy controllers
  legacy=$(grep -c '^[1-9]' /proc/self/cgroup || true)
  if ((legacy == 0)); then
    mount -t cgroup2 cgroup2 /sys/fs/cgroup
    # A v2 group that hands out controllers may hold no process itself.
    mkdir /sys/fs/cgroup/init
    xargs -n1 -I{} sh -c 'echo {} >/sys/fs/cgroup/init/cgroup.procs' </sys/fs/cgroup/cgroup.procs 2>/dev/null || true
    sed 's/[^ ]*/+&/g' /sys/fs/cgroup/cgroup.controllers >/sys/fs/cgroup/cgroup.subtree_control
    return
  fi
  mount -t tmpfs -o mode=755 tmpfs /sys/fs/cgroup
  while IFS=: read -r _ controllers _; do
    [[ -n $controllers ]] || continue
    mkdir "/sys/fs/cgroup/${controllers#name=}"
    [[ $controllers != name=* ]] || controllers=none,$controllers
    mount -t cgroup -o "$controllers" cgroup "/sys/fs/cgroup/${controllers##*name=}"
  done </proc/self/cgroup
}

# The kubelet insists on these settings and would write them for the whole machine; it finds them as it wants them instead.
pretended_sysctls() {
  local setting
  mkdir -p /run/sysctl
  for setting in vm/overcommit_memory:1 vm/panic_on_oom:0 kernel/panic:10 kernel/panic_on_oops:1 \
    kernel/keys/root_maxkeys:1000000 kernel/keys/root_maxbytes:25000000; do
    [[ -e /proc/sys/${setting%:*} ]] || continue
    echo "${setting#*:}" >"/run/sysctl/$(basename "${setting%:*}")"
    mount --bind "/run/sysctl/$(basename "${setting%:*}")" "/proc/sys/${setting%:*}"
  done
}

# supervise NAME COMMAND…: restarted when it ends, as a service manager would
supervise() {
  local name=$1
  shift
  while :; do
    "$@" >>"/run/monstrum/log/$name.log" 2>&1 || true
    echo "$name ended; starting it again" >>/run/monstrum/log/init.log
    sleep 1
  done &
}

mount --make-rprivate /
private_mounts
private_cgroups
pretended_sysctls
# Volumes with mount propagation need a shared root; this one is shared with nobody outside.
mount --make-rshared /

cd /
export PATH=/run/monstrum/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/run
# shellcheck source=components.sh
source /run/monstrum/components.sh
start_components
wait
