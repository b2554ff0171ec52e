# shellcheck shell=bash
# What a cluster has beyond its components, and the question whether it is well.

admin() { "$bin/kubectl" --kubeconfig "$admin_kubeconfig" "$@"; }

api_ready() { admin --request-timeout 3s get --raw /readyz; }

addons_up() {
  admin apply -f "$here/addons" >/dev/null
}

node_ready() { [[ $(admin --request-timeout 3s get node "$node_name" -o 'jsonpath={.status.conditions[?(@.type=="Ready")].status}') == True ]]; }
dns_ready() { [[ $(admin --request-timeout 3s -n kube-system get deployment coredns -o 'jsonpath={.status.availableReplicas}') == 1 ]]; }
# Pods can't be created in a namespace that has no service account yet.
accounts_ready() { admin --request-timeout 3s -n default get serviceaccount default; }

healthy() { node_pid >/dev/null && api_ready >/dev/null && node_ready && dns_ready; } 2>/dev/null
