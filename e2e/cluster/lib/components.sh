# shellcheck shell=bash
# Each component with its flags, in the order in which they are of use. Sourced by init.sh; all paths are the node's own.

readonly etc=/run/monstrum/config pki=/run/monstrum/pki credentials=/run/monstrum/kubeconfig
readonly node=monstrum-node address=198.51.100.2 pods=198.18.0.0/16 services=198.19.0.0/16

start_components() {
  start_etcd
  supervise containerd containerd --config "$etc/containerd.toml"
  start_apiserver
  until apiserver_ready; do sleep 0.2; done
  start_controllers
  supervise kubelet kubelet --config "$etc/kubelet.yaml" --kubeconfig "$credentials/kubelet" \
    --hostname-override "$node" --node-ip "$address"
  supervise kube-proxy kube-proxy --config "$etc/kube-proxy.yaml"
  supervise provisioner provisioner -kubeconfig "$credentials/provisioner" -root /run/monstrum/volumes -node "$node"
}

apiserver_ready() { kubectl --kubeconfig "$credentials/admin" get --raw /readyz >/dev/null 2>&1; }

start_etcd() {
  # Nothing outlives the cluster, so there is nothing to protect from a power cut.
  supervise etcd etcd --name "$node" --data-dir /run/monstrum/etcd --unsafe-no-fsync \
    --listen-client-urls https://127.0.0.1:2379 --advertise-client-urls https://127.0.0.1:2379 \
    --listen-peer-urls https://127.0.0.1:2380 --initial-advertise-peer-urls https://127.0.0.1:2380 \
    --initial-cluster "$node=https://127.0.0.1:2380" --listen-metrics-urls http://127.0.0.1:2381 \
    --client-cert-auth --trusted-ca-file "$pki/etcd-ca.crt" --cert-file "$pki/etcd.crt" --key-file "$pki/etcd.key" \
    --peer-client-cert-auth --peer-trusted-ca-file "$pki/etcd-ca.crt" --peer-cert-file "$pki/etcd.crt" --peer-key-file "$pki/etcd.key"
}

start_apiserver() {
  supervise kube-apiserver kube-apiserver --advertise-address "$address" --secure-port 6443 \
    --etcd-servers https://127.0.0.1:2379 --etcd-cafile "$pki/etcd-ca.crt" \
    --etcd-certfile "$pki/apiserver-etcd.crt" --etcd-keyfile "$pki/apiserver-etcd.key" \
    --tls-cert-file "$pki/apiserver.crt" --tls-private-key-file "$pki/apiserver.key" --client-ca-file "$pki/ca.crt" \
    --authentication-config "$etc/authentication.yaml" --authorization-mode Node,RBAC \
    --enable-admission-plugins NodeRestriction --admission-control-config-file "$etc/admission.yaml" \
    --encryption-provider-config "$etc/encryption.yaml" \
    --audit-policy-file "$etc/audit.yaml" --audit-log-path /run/monstrum/log/audit.jsonl --audit-log-maxsize 100 --audit-log-maxbackup 2 \
    --service-account-issuer https://kubernetes.default.svc.cluster.local \
    --service-account-key-file "$pki/service-accounts.pub" --service-account-signing-key-file "$pki/service-accounts.key" \
    --service-cluster-ip-range "$services" \
    --kubelet-certificate-authority "$pki/ca.crt" --kubelet-preferred-address-types InternalIP \
    --kubelet-client-certificate "$pki/apiserver-kubelet.crt" --kubelet-client-key "$pki/apiserver-kubelet.key" \
    --requestheader-client-ca-file "$pki/front-proxy-ca.crt" --requestheader-allowed-names front-proxy-client \
    --requestheader-username-headers X-Remote-User --requestheader-group-headers X-Remote-Group \
    --requestheader-extra-headers-prefix X-Remote-Extra- \
    --proxy-client-cert-file "$pki/front-proxy.crt" --proxy-client-key-file "$pki/front-proxy.key" --profiling=false
}

start_controllers() {
  supervise kube-controller-manager kube-controller-manager --kubeconfig "$credentials/kube-controller-manager" \
    --authentication-kubeconfig "$credentials/kube-controller-manager" --authorization-kubeconfig "$credentials/kube-controller-manager" \
    --bind-address 127.0.0.1 --leader-elect=false --use-service-account-credentials --profiling=false \
    --allocate-node-cidrs --cluster-cidr "$pods" --node-cidr-mask-size 24 --service-cluster-ip-range "$services" \
    --root-ca-file "$pki/ca.crt" --service-account-private-key-file "$pki/service-accounts.key" \
    --cluster-signing-cert-file "$pki/ca.crt" --cluster-signing-key-file "$pki/ca.key" \
    --flex-volume-plugin-dir /var/lib/kubelet/volume-plugins --kube-api-qps 200 --kube-api-burst 400
  supervise kube-scheduler kube-scheduler --config "$etc/scheduler.yaml" --bind-address 127.0.0.1 \
    --authentication-kubeconfig "$credentials/kube-scheduler" --authorization-kubeconfig "$credentials/kube-scheduler"
}
