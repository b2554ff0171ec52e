#!/usr/bin/env bash
# Reads the scripted model's answers with the providers' own Python clients: what they can't read is not their wire format.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${MONSTRUM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/monstrum}/sdk
wanted=$(cat "$here/requirements.txt")

# Once; a half-made environment has no mark and is made again.
if [[ $(cat "$cache/wanted" 2>/dev/null) != "$wanted" ]]; then
    rm -rf "$cache/venv"
    mkdir -p "$cache"
    python3 -m venv "$cache/venv"
    "$cache/venv/bin/pip" install --quiet --requirement "$here/requirements.txt" >&2
    echo "$wanted" >"$cache/wanted"
fi

cd "$here/../.."
# As the tests are built, so that nothing is built twice with other features.
cargo test --workspace --quiet --locked --no-run
target=${CARGO_TARGET_DIR:-target}
exec "$cache/venv/bin/python" "$here/check.py" "$target/debug/monstrum-fixtures"
