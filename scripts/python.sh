#!/bin/bash
# Creates a Python environment under target/ with the given packages and prints its directory: scripts/python.sh NAME PACKAGE...
set -euo pipefail
cd "$(dirname "$0")/.."
venv=target/python/$1
shift
if [ "$(cat "$venv/ready" 2>/dev/null)" != "$*" ]; then
    if ! python3 -m venv --clear "$venv" 2>/dev/null; then
        if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
            apt-get install -qq -y --no-install-recommends python3 python3-venv >&2
        else
            echo "please install: python3-venv (Debian: sudo apt-get install python3-venv)" >&2
            exit 1
        fi
        python3 -m venv --clear "$venv"
    fi
    "$venv/bin/pip" install --quiet "$@" >&2
    echo "$*" >"$venv/ready"
fi
echo "$venv"
