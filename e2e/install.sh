#!/usr/bin/env bash
# Loads the images into the cluster, installs the charts as a user would, and the tests' servers beside them.
set -euo pipefail
cd "$(dirname "$0")/.."
eval "$(e2e/cluster/cluster env)"

archives=${MONSTRUM_CACHE:?set by the Makefile}/images
e2e/cluster/cluster load "$archives"/{operator,gateway,runner,ledger,fixtures,sandbox}.tar

# The same tag names other content after a build, so that pods must be made anew for it.
build=$(cat "$archives"/*.tar.of | sha256sum | cut -c1-16)
# Somebody may have scaled a Deployment by hand, as the tests do; the chart's word is the last.
helm upgrade --install monstrum-crds charts/monstrum-crds --wait --force-conflicts
helm upgrade --install monstrum charts/monstrum --namespace monstrum-system --create-namespace \
  --set image.tag=dev --set "pod.annotations.build=$build" --values e2e/manifests/values.yaml --force-conflicts --wait --timeout 3m
kubectl apply -f e2e/manifests/fixtures.yaml
for server in model github inbox; do
  kubectl -n monstrum-fixtures patch deployment "$server" --type merge \
    -p "{\"spec\":{\"template\":{\"metadata\":{\"annotations\":{\"build\":\"$build\"}}}}}"
done
for server in model github inbox; do
  kubectl -n monstrum-fixtures rollout status deployment "$server" --timeout 2m
done
