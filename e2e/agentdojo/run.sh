#!/usr/bin/env bash
# Replays AgentDojo's tasks through the permission engine. Arguments go to the replay, for example -o json.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${MONSTRUM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/monstrum}/agentdojo
version=0.1.35
suites=v1.2.2

# Once; a half-made environment has no mark and is made again.
if [[ $(cat "$cache/version" 2>/dev/null) != "$version" ]]; then
    rm -rf "$cache/venv"
    mkdir -p "$cache"
    python3 -m venv "$cache/venv"
    "$cache/venv/bin/pip" install --quiet "agentdojo==$version" >&2
    echo "$version" >"$cache/version"
fi

"$cache/venv/bin/python" "$here/extract.py" --version "$suites" banking slack >"$cache/traces.jsonl.new"
mv "$cache/traces.jsonl.new" "$cache/traces.jsonl"

cd "$here/../.."
exec cargo run --quiet --locked --package monstrum-e2e --bin monstrum-agentdojo -- \
    --policies e2e/agentdojo --traces "$cache/traces.jsonl" --traces e2e/agentdojo/variants.jsonl "$@"
