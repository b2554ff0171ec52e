# shellcheck shell=bash
# The node as a whole: its state folder, its first process, its end.

# node_pid: the first process of the node's pid namespace, as the host numbers it
node_pid() {
  local pid
  [[ -f $state/pid && -e /run/netns/$netns ]] || return 1
  pid=$(<"$state/pid")
  # A number from before a reboot may belong to anybody; only ours lives in our network namespace.
  [[ $(stat -Lc %i "/proc/$pid/ns/net" 2>/dev/null) == "$(stat -Lc %i "/run/netns/$netns")" ]] || return 1
  pgrep -P "$pid" | head -1
}

# node_exec COMMAND…: inside the node's namespaces
node_exec() {
  local pid
  pid=$(node_pid) || die "no node is running" "$0 up"
  nsenter -t "$pid" -m -p -n -C -- env PATH="/run/monstrum/bin:$PATH" "$@"
}

# The folder is deleted in the end, so it has to be ours from the beginning.
state_claim() {
  [[ ! -d $state || -f $state/.monstrum-cluster || -z $(ls -A "$state") ]] ||
    die "$state holds something else" "set MONSTRUM_CLUSTER_DIR to a folder that does not exist yet"
  mkdir -p "$state"
  touch "$state/.monstrum-cluster"
}

node_prepare() {
  mkdir -p "$state"/{bin,log,etcd,volumes,var-lib,var-log}
  chmod 700 "$state" "$state/etcd"
  cp -r "$here/config" "$state/config"
  cp "$here/lib/init.sh" "$here/lib/components.sh" "$state/"
  pki_up
  encryption_up
  chmod -R go= "$pki" "$state/kubeconfig" "$state/config/encryption.yaml"
}

node_start() {
  cgroups_up
  # Descriptor 9 is the lock of the front: held by a daemon it would never be released.
  (
    cgroups_enter "$BASHPID"
    exec setsid ip netns exec "$netns" unshare --mount --pid --cgroup --fork --kill-child --mount-proc \
      bash "$state/init.sh" "$state" "$bin"
  ) </dev/null >"$state/log/init.log" 2>&1 9>&- &
  echo $! >"$state/pid"
  disown
  wait_for 10 "the node's first process" node_pid
}

# Ending the first process ends every other one of the namespace, its mounts and its rules.
node_stop() {
  local pid
  if pid=$(node_pid) && [[ -n $pid ]]; then
    kill -KILL "$pid"
    wait_for 20 "the node's processes to end" eval "! kill -0 $pid"
    wait_for 5 "the node's namespace to end" eval "! kill -0 $(<"$state/pid")"
  fi
  [[ ! -e /run/netns/$netns || -z $(ip netns pids "$netns") ]] ||
    die "the network namespace $netns is in use, by a cluster of another state folder" "MONSTRUM_CLUSTER_DIR=… $0 down, or: ip netns pids $netns | xargs kill -9"
}

node_remove() {
  network_down
  cgroups_down
  [[ ! -f $state/.monstrum-cluster ]] || rm -rf --one-file-system "$state"
}
