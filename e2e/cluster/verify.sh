#!/usr/bin/env bash
# Proves that the running cluster is a real one: images, DNS, exec, logs, port-forward, storage, sealed secrets, admission.
set -euo pipefail
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
cluster=$here/cluster
eval "$("$cluster" env)"
work=$(mktemp -d)
space=verify-$$
clean() {
  [[ -z ${forward:-} ]] || kill "$forward" 2>/dev/null || true
  kubectl delete namespace "$space" --wait=false >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap clean EXIT

passed() { printf ' ok %s\n' "$*"; }
failed() { printf 'FAILED %s\n' "$*" >&2 && exit 1; }
in_pod() { kubectl -n "$space" exec deployment/client -- "$@"; }

"$cluster" image verify "$(command -v coredns)" -o "$work/verify.tar"
"$cluster" sandbox-image -o "$work/sandbox.tar"
"$cluster" load "$work/verify.tar" "$work/sandbox.tar"

kubectl create namespace "$space" >/dev/null
kubectl label namespace "$space" pod-security.kubernetes.io/enforce=restricted >/dev/null
kubectl -n "$space" apply -f "$here/verify.yaml" >/dev/null
kubectl -n "$space" wait --for=condition=Available --timeout=60s deployment/server deployment/client >/dev/null
passed "restricted pods run from loaded images"

! kubectl -n "$space" run forbidden --image=monstrum.dev/verify:dev --privileged >/dev/null 2>&1 || failed "a privileged pod was admitted"
passed "a privileged pod is refused"

[[ $(in_pod curl -sS --retry 5 --retry-all-errors --max-time 5 http://server:8080/health) == OK ]] || failed "service by name"
passed "a service answers by its DNS name"
in_pod getent hosts host.monstrum.internal >/dev/null || failed "host name"
[[ $(in_pod id -u) == 65532 ]] || failed "exec as user"
kubectl -n "$space" logs deployment/server | grep -q CoreDNS || failed "logs"
passed "exec and logs"

[[ $(curl -sS --max-time 5 "http://$(kubectl -n "$space" get service server -o 'jsonpath={.spec.clusterIP}'):8080/health") == OK ]] || failed "service from the host"
[[ $(curl -sS --max-time 5 "http://$(kubectl -n "$space" get pod -l app=server -o 'jsonpath={.items[0].status.podIP}'):8080/health") == OK ]] || failed "pod from the host"
passed "pods and services answer to the host"

kubectl -n "$space" port-forward service/server :8080 >"$work/forward" &
forward=$!
timeout 10 sh -c "until grep -q Forwarding '$work/forward'; do sleep 0.1; done" || failed "port-forward does not start"
port=$(sed -n 's/.*127.0.0.1:\([0-9]*\).*/\1/p' "$work/forward" | head -1)
[[ $(curl -sS --max-time 5 "http://127.0.0.1:$port/health") == OK ]] || failed "port-forward"
passed "port-forward"

[[ $(kubectl -n "$space" get pvc data -o 'jsonpath={.status.phase}') == Bound ]] || failed "claim is not bound"
in_pod sh -c 'echo kept >/data/file && grep -q kept /data/file' || failed "the volume can't be written"
passed "a claim binds and can be written by a user other than root"

kubectl -n "$space" create secret generic sealed --from-literal=field=plain-text-marker >/dev/null
"$cluster" exec sh -c 'grep -rqa k8s:enc:aesgcm:v1:key1 /run/monstrum/etcd' || failed "no sealed record in etcd"
! "$cluster" exec grep -rqa plain-text-marker /run/monstrum/etcd || failed "a secret is readable in etcd"
! "$cluster" exec grep -q plain-text-marker /run/monstrum/log/audit.jsonl || failed "a secret is readable in the audit log"
"$cluster" exec grep -q "\"namespace\":\"$space\",\"name\":\"sealed\"" /run/monstrum/log/audit.jsonl || failed "not audited"
passed "secrets are sealed in etcd and audited without their content"
