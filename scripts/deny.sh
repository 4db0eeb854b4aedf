#!/bin/bash
# Runs cargo-deny over the dependencies: `scripts/deny.sh bans licenses sources`, `scripts/deny.sh advisories`.
set -euo pipefail
cd "$(dirname "$0")/.."
tools=target/tools
if ! [ -x "$tools/bin/cargo-deny" ]; then
    cargo install --quiet --debug --locked --root "$tools" cargo-deny --version ^0.20
fi
PATH="$PWD/$tools/bin:$PATH" cargo deny --log-level error check "$@"
