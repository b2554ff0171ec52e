# shellcheck shell=bash
# Binaries from the modules in go/, made once for each set of versions.

# binary|module|package|cgo|tags
readonly binaries='
kube-apiserver|kubernetes|k8s.io/kubernetes/cmd/kube-apiserver|0|
kube-controller-manager|kubernetes|k8s.io/kubernetes/cmd/kube-controller-manager|0|
kube-scheduler|kubernetes|k8s.io/kubernetes/cmd/kube-scheduler|0|
kubelet|kubernetes|k8s.io/kubernetes/cmd/kubelet|0|
kube-proxy|kubernetes|k8s.io/kubernetes/cmd/kube-proxy|0|
kubectl|kubernetes|k8s.io/kubernetes/cmd/kubectl|0|
etcd|etcd|go.etcd.io/etcd/server/v3|0|
containerd|containerd|github.com/containerd/containerd/v2/cmd/containerd|0|
containerd-shim-runc-v2|containerd|github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2|0|
ctr|containerd|github.com/containerd/containerd/v2/cmd/ctr|0|
runc|runc|github.com/opencontainers/runc|1|seccomp
coredns|coredns|github.com/coredns/coredns|0|
provisioner|provisioner|.|0|
pause|pause|.|0|
helm|helm|helm.sh/helm/v4/cmd/helm|0|
kubeconform|kubeconform|github.com/yannh/kubeconform/cmd/kubeconform|0|
crane|crane|github.com/google/go-containerregistry/cmd/crane|0|
'

# module_version MODULE PATH: the version that go.mod of a module of ours settles on
module_version() { (cd "$here/go/$1" && go list -m -f '{{.Version}}' "$2"); }

# Version stamps as each project's own build sets them; without, they report a development build.
stamps() {
  local version
  case $1 in
    kubernetes)
      version=$(module_version kubernetes k8s.io/kubernetes)
      local v=${version#v} at=k8s.io/component-base/version
      printf -- '-X %s.gitVersion=%s -X %s.gitMajor=%s -X %s.gitMinor=%s -X %s.gitTreeState=clean' \
        $at "$version" $at "${v%%.*}" $at "$(cut -d. -f2 <<<"$v")" $at
      ;;
    containerd) printf -- '-X github.com/containerd/containerd/v2/version.Version=%s' "$(module_version containerd github.com/containerd/containerd/v2)" ;;
    helm) printf -- '-X helm.sh/helm/v4/internal/version.version=%s' "$(module_version helm helm.sh/helm/v4)" ;;
    kubeconform) printf -- '-X main.version=%s' "$(module_version kubeconform github.com/yannh/kubeconform)" ;;
    crane) printf -- '-X github.com/google/go-containerregistry/cmd/crane/cmd.Version=%s' "$(module_version crane github.com/google/go-containerregistry)" ;;
  esac
}

# build_one BINARY MODULE PACKAGE CGO TAGS: whole or not at all, whatever interrupts it
build_one() {
  local flags=(-trimpath -buildvcs=false -ldflags "-s -w $(stamps "$2")") partial=$bin/.$1.$$
  [[ -z $5 ]] || flags+=(-tags "$5")
  (cd "$here/go/$2" && CGO_ENABLED=$4 GOFLAGS='' GOWORK=off go build -mod=readonly "${flags[@]}" -o "$partial" "$3") ||
    die "building $1 failed" "the compiler's message is above"
  mv "$partial" "$bin/$1"
}

built() {
  local name
  while IFS='|' read -r name _; do
    [[ -z $name || -x $bin/$name ]] || return 1
  done <<<"$binaries"
}

build_binaries() {
  built && return
  require_go
  install_missing build_packages
  mkdir -p "$bin"
  exec 8>"$cache/lock"
  flock -n 8 || { say "another build is running; waiting for it" && flock 8; }
  local total number=0 started name module package cgo tags
  total=$(grep -c '|' <<<"$binaries")
  step "building $total binaries into $bin (about 20 CPU minutes the first time)"
  while IFS='|' read -r name module package cgo tags; do
    [[ -n $name ]] || continue
    number=$((number + 1))
    [[ ! -x $bin/$name ]] || continue
    started=$SECONDS
    printf '  [%2d/%d] %-24s ' "$number" "$total" "$name" >&2
    build_one "$name" "$module" "$package" "$cgo" "$tags"
    printf '%4d s\n' $((SECONDS - started)) >&2
  done <<<"$binaries"
  exec 8>&-
}
