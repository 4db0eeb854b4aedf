#!/bin/bash
# Starts a demo that stays up and runs a command against it; SILTA_URL and SILTA_TOKEN have its address and admin token.
set -euo pipefail
cd "$(dirname "$0")/.."
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
SILTA_URL=$(sed -n 's/.*stays up at \(http[^ ]*\).*/\1/p' "$log")
SILTA_TOKEN=$(sed -n 's/.*admin token: \([^)]*\)).*/\1/p' "$log")
export SILTA_URL SILTA_TOKEN
"$@"
