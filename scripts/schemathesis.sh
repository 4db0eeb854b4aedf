#!/bin/bash
# A demo that stays up, and schemathesis at its admin API: every answer is one that openapi.yaml tells of.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=target/schemathesis
if ! [ -x "$venv/bin/st" ]; then
    if ! python3 -m venv "$venv" 2>/dev/null; then
        if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
            apt-get install -qq -y --no-install-recommends python3 python3-venv >&2
        else
            echo "please install: python3-venv (Debian: sudo apt-get install python3-venv)" >&2
            exit 1
        fi
        python3 -m venv --clear "$venv"
    fi
    "$venv/bin/pip" install --quiet "schemathesis>=4.3,<5"
fi
cargo build --quiet
log=$(mktemp)
./target/debug/silta demo --orders 6 --faults none </dev/null >"$log" 2>&1 &
demo=$!
trap 'kill -INT $demo 2>/dev/null; wait $demo 2>/dev/null || true; rm -f "$log"' EXIT
for _ in $(seq 240); do
    grep -q "stays up at" "$log" && break
    kill -0 $demo 2>/dev/null || { cat "$log" >&2; exit 1; }
    sleep 0.5
done
url=$(sed -n 's/.*stays up at \(http[^ ]*\).*/\1/p' "$log")
token=$(sed -n 's/.*admin token: \([^)]*\)).*/\1/p' "$log")
"$venv/bin/st" --config-file tests/schemathesis.toml run openapi.yaml --url "$url" \
    --header "Authorization: Bearer $token" --include-path-regex '^/(admin|livez|readyz|metrics|openapi)' \
    --phases examples,coverage,fuzzing --max-examples 20 --suppress-health-check all --warnings off "$@"
