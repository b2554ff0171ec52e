#!/usr/bin/env bash
# A governed bot at work, told in a page. Everything that it shows is really done: by the cluster, over HTTP.
set -euo pipefail
cd "$(dirname "$0")/../.."

namespace=demo
monstrum=${MONSTRUM_BIN:-monstrum}
fixture() { echo "/api/v1/namespaces/monstrum-fixtures/services/$1:8080/proxy$2"; }

if [[ -t 1 ]]; then bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'; else bold='' dim='' plain=''; fi
say() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
run() { printf '%s$ %s%s\n' "$dim" "$*" "$plain"; "$@"; }
quietly() { "$@" >/dev/null; }

kubectl create namespace "$namespace" --dry-run=client -o yaml | quietly kubectl apply -f -
quietly kubectl label namespace "$namespace" pod-security.kubernetes.io/enforce=restricted --overwrite
for script in e2e/demo/scripts/*.json; do
  quietly kubectl replace --raw "$(fixture model "/scripts/$(basename "$script" .json)")" -f "$script"
done

say '1. A bot is a handful of objects'
run kubectl apply -n "$namespace" -f manifests/demo/model.yaml -f manifests/demo/github.yaml \
  -f manifests/demo/toolbox.yaml -f manifests/demo/bot.yaml
run kubectl wait -n "$namespace" bot/triage --for=condition=Ready --timeout=120s
run kubectl get -n "$namespace" bots

say '2. What it sees: only what somebody granted'
run "$monstrum" tools triage -n "$namespace"

say '3. A question that a grant permits: a real HTTP call, with a credential that the model never saw'
run "$monstrum" chat triage 'Which issues are open in acme/web?' -n "$namespace"

say '4. An issue that carries instructions: the model obeys them, the infrastructure does not'
run "$monstrum" chat triage 'Summarise issue 1 of acme/web' -n "$namespace"

say '5. A command in a sandbox, run as exactly the words that were judged'
run "$monstrum" chat triage 'Where do you run?' -n "$namespace"

say '6. Who saw what'
python3 e2e/demo/witness.py \
  <(kubectl get --raw "$(fixture model '/recorded?contains=')") \
  <(kubectl get --raw "$(fixture github '/recorded?contains=')")

say '7. All of it is on record'
run "$monstrum" audit list triage -n "$namespace"

say 'Try next'
cat <<EOF2
  eval "\$(e2e/cluster/cluster env)"                       # kubectl, helm, KUBECONFIG
  kubectl get monstrum -n $namespace                        # every object that governs the bot
  $monstrum explain triage github_list_issues -n $namespace --args '{"owner":"initech","repo":"payroll"}'
  kubectl edit botbinding/triage-work -n $namespace         # narrow the scope; it is enforced within a second
  $monstrum chat triage -n $namespace                       # talk to it
  make cluster-down                                         # end everything
EOF2
