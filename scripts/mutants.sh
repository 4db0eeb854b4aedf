#!/bin/bash
# Removes one guard after the other from a copy of the source and demands that the tests named for it fail: scripts/mutants.sh
# [--skip-unchanged] [NAME...]. The list is tests/mutants.toml; scripts/mutants.py says the rest.
set -euo pipefail
cd "$(dirname "$0")/.."
if ! python3 -c 'import tomllib' 2>/dev/null; then
    echo "please install: Python 3.11 or newer" >&2
    exit 1
fi
exec python3 scripts/mutants.py "$@"
