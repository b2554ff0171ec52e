# shellcheck shell=bash
# What the machine must offer. Missing Debian packages are installed; anything else is reported with its remedy.

# command → Debian package that has it
declare -rA packages=(
  [nft]=nftables [iptables]=iptables [conntrack]=conntrack [ipset]=ipset [ip]=iproute2 [openssl]=openssl [nsenter]=util-linux
  [flock]=util-linux [/usr/lib/cni/ptp]=containernetworking-plugins
)
# Only a build needs these.
declare -rA build_packages=([pkg-config]=pkg-config [gcc]=gcc [/usr/include/seccomp.h]=libseccomp-dev)

require_root() {
  ((EUID == 0)) || die "a node needs root: namespaces, mounts and cgroups" "sudo -E $0 $*"
}

present() {
  if [[ $1 == /* ]]; then [[ -e $1 ]]; else command -v "$1" >/dev/null; fi
}

# install_missing NAME-OF-TABLE
install_missing() {
  local -n table=$1
  local probe missing=()
  for probe in "${!table[@]}"; do
    present "$probe" || missing+=("${table[$probe]}")
  done
  ((${#missing[@]})) || return 0
  command -v apt-get >/dev/null || die "missing: ${missing[*]}" "install them with this system's package manager"
  step "installing Debian packages: ${missing[*]}"
  local quiet=(-qq -o Dpkg::Use-Pty=0)
  DEBIAN_FRONTEND=noninteractive apt-get "${quiet[@]}" install -y --no-install-recommends "${missing[@]}" >/dev/null 2>&1 ||
    { apt-get "${quiet[@]}" update >&2 && DEBIAN_FRONTEND=noninteractive apt-get "${quiet[@]}" install -y --no-install-recommends "${missing[@]}" >&2; } ||
    die "apt-get could not install: ${missing[*]}" "apt-get update, then the same command again"
}

require_go() {
  command -v go >/dev/null || die "go is not on the PATH" "install Go $(sed -n 's/^go //p' "$here/go/kubernetes/go.mod") or later"
}

require_kernel() {
  local probe=monstrum-probe-$$
  ip netns add "$probe" 2>/dev/null || die "this kernel or container allows no network namespaces" "run as root on the host, or give the container CAP_SYS_ADMIN"
  local answer=0
  ip netns exec "$probe" nft add table inet probe 2>/dev/null || answer=1
  ip netns exec "$probe" ip link add probe0 type veth peer name probe1 2>/dev/null || answer=2
  ip netns delete "$probe"
  case $answer in
    1) die "nftables does not work in a network namespace" "modprobe nf_tables" ;;
    2) die "veth links cannot be made" "modprobe veth" ;;
  esac
}

require_node_packages() {
  install_missing packages
  require_kernel
}
