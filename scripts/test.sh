#!/bin/bash
# Builds and runs the tests, with the time of each, and names the slowest: scripts/test.sh [ARGUMENTS OF cargo test].
set -euo pipefail
cd "$(dirname "$0")/.."
# The test programs alone print times, which libtest calls unstable; the compiler stays stable.
host=$(rustc -vV | sed -n 's/^host: //p' | tr 'a-z-' 'A-Z_')
export "CARGO_TARGET_${host}_RUNNER=env RUSTC_BOOTSTRAP=1"
# Most tests wait for PostgreSQL, for a process or for a turn: three run at once on two cores.
export RUST_TEST_THREADS="${RUST_TEST_THREADS:-3}"
separator=--
for argument in "$@"; do [ "$argument" = -- ] && separator=; done
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# shellcheck disable=SC2086
cargo test --lib --bins --tests "$@" $separator -Z unstable-options --report-time | tee "$log"
echo "slowest tests:"
sed -nE 's/^test (.*) \.\.\. ok <([0-9.]+)s>$/\2 s  \1/p' "$log" | sort -rn | sed -n 1,10p # head would end the pipe early, and sort by a signal
