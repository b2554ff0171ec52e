# shellcheck shell=bash
# The node's network namespace and its one link to the host. Pods and services are routed, so the host reaches them by address.

# Taking an address that the host already routes would cut it off from its own network.
network_is_free() {
  local range route
  for range in "$host_address/30" "$pod_range" "$service_range"; do
    route=$(ip -4 route show to match "$range" | grep -v ^default || true)$(ip -4 route show to root "$range")
    [[ -z $route ]] || die "the host already routes $range: $route" "change the addresses in lib/settings.sh, config/ and addons/"
  done
}

network_up() {
  network_is_free
  ip netns add "$netns"
  ip link add "$link" type veth peer name eth0 netns "$netns"
  ip address add "$host_address/30" dev "$link"
  ip link set "$link" up
  ip route replace "$pod_range" via "$node_address" dev "$link"
  ip route replace "$service_range" via "$node_address" dev "$link"
  ip -n "$netns" address add "$node_address/30" dev eth0
  ip -n "$netns" link set eth0 up
  ip -n "$netns" link set lo up
  # kube-proxy needs a default route; nothing beyond the host answers.
  ip -n "$netns" route add default via "$host_address"
  ip netns exec "$netns" sysctl -qw net.ipv4.ip_forward=1
}

# The link's other end goes with it; the routes, too.
network_down() {
  ! ip link show "$link" >/dev/null 2>&1 || ip link delete "$link"
  ! ip netns list | grep -qw "^$netns" || ip netns delete "$netns"
  # `ip netns add` mounts its folder onto itself and leaves it so.
  if [[ -d /run/netns && -z $(ls -A /run/netns) ]]; then
    umount /run/netns 2>/dev/null || true
    rmdir /run/netns 2>/dev/null || true
  fi
}
