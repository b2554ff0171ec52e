# shellcheck shell=bash
# Three authorities (cluster, etcd, front proxy), a certificate for every party, and the credentials made from them.

readonly pki=$state/pki

pki_request() {
  openssl req -x509 -config "$pki/request.conf" -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 365 "$@" 2>/dev/null
}

# authority NAME
authority() {
  pki_request -keyout "$pki/$1.key" -out "$pki/$1.crt" -subj "/CN=monstrum-$1" \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign,digitalSignature
}

# certificate NAME AUTHORITY SUBJECT USAGE [ALTERNATIVE-NAMES]
certificate() {
  pki_request -keyout "$pki/$1.key" -out "$pki/$1.crt" -CA "$pki/$2.crt" -CAkey "$pki/$2.key" -subj "$3" \
    -addext keyUsage=critical,digitalSignature -addext "extendedKeyUsage=$4" ${5:+-addext "subjectAltName=$5"}
}

pki_up() {
  mkdir -p "$pki"
  printf '[req]\ndistinguished_name = subject\n[subject]\n' >"$pki/request.conf"
  authority ca && authority etcd-ca && authority front-proxy-ca

  local kubernetes=DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local
  certificate apiserver ca /CN=kube-apiserver serverAuth "$kubernetes,DNS:localhost,IP:127.0.0.1,IP:198.19.0.1,IP:$node_address"
  certificate apiserver-kubelet ca /CN=kube-apiserver-kubelet-client clientAuth
  certificate apiserver-etcd etcd-ca /CN=kube-apiserver clientAuth
  certificate etcd etcd-ca /CN=etcd serverAuth,clientAuth DNS:localhost,IP:127.0.0.1
  certificate front-proxy front-proxy-ca /CN=front-proxy-client clientAuth
  certificate kubelet-server ca "/O=system:nodes/CN=system:node:$node_name" serverAuth "DNS:$node_name,IP:$node_address,IP:127.0.0.1"
  openssl ecparam -name prime256v1 -genkey -noout -out "$pki/service-accounts.key" 2>/dev/null
  openssl ec -in "$pki/service-accounts.key" -pubout -out "$pki/service-accounts.pub" 2>/dev/null

  credentials admin /O=system:masters/CN=kubernetes-admin
  credentials kubelet "/O=system:nodes/CN=system:node:$node_name"
  credentials kube-controller-manager /CN=system:kube-controller-manager
  credentials kube-scheduler /CN=system:kube-scheduler
  credentials kube-proxy /CN=system:kube-proxy
  credentials provisioner /CN=monstrum:provisioner
}

# credentials NAME SUBJECT: a client certificate and the kubeconfig that carries it
credentials() {
  certificate "client-$1" ca "$2" clientAuth
  mkdir -p "$state/kubeconfig"
  cat >"$state/kubeconfig/$1" <<EOF
apiVersion: v1
kind: Config
clusters: [{name: monstrum, cluster: {server: "$server", certificate-authority-data: $(base64 -w0 "$pki/ca.crt")}}]
users: [{name: $1, user: {client-certificate-data: $(base64 -w0 "$pki/client-$1.crt"), client-key-data: $(base64 -w0 "$pki/client-$1.key")}}]
contexts: [{name: monstrum, context: {cluster: monstrum, user: $1}}]
current-context: monstrum
EOF
}

# The key that secrets are sealed with at rest is made with the cluster and dies with it.
encryption_up() {
  cat >"$state/config/encryption.yaml" <<EOF
apiVersion: apiserver.config.k8s.io/v1
kind: EncryptionConfiguration
resources:
  - resources: [secrets]
    providers:
      - aesgcm: {keys: [{name: key1, secret: $(openssl rand -base64 32)}]}
      - identity: {}
EOF
}
