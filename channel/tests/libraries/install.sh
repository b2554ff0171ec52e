#!/bin/sh
# Installs the libraries into a virtual environment of their own, once for each set of versions. Prints the interpreter.
set -eu
here=$(dirname "$0")
environment="$1/$(cksum < "$here/requirements.txt" | tr ' ' '-')"
if [ ! -e "$environment/complete" ]; then
    rm -rf "$environment"
    python3 -m venv "$environment"
    "$environment/bin/pip" install --quiet --disable-pip-version-check --requirement "$here/requirements.txt" >&2
    touch "$environment/complete"
fi
echo "$environment/bin/python"
