#!/bin/bash
# Builds the fuzz targets with the stable toolchain and runs each for some seconds from its seeds. A failing input is left in
# fuzz/artifacts: add it to the seeds. `scripts/fuzz.sh 5` is a short run, `scripts/fuzz.sh 600 webhook` a long one.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-30}
only=${2:-}
if ! command -v c++ >/dev/null 2>&1; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        apt-get install -qq -y --no-install-recommends g++ >&2
    else
        echo "please install a C++ compiler: libFuzzer is written in it (Debian: sudo apt-get install g++)" >&2
        exit 1
    fi
fi
# A short run only shows that the targets work: it is built without optimising, and runs slower.
profile=dev
flags=
if [ "$seconds" -ge 60 ]; then
    profile=release
    flags=-Ccodegen-units=1
fi
host=$(rustc -vV | sed -n 's/^host: //p')
# What cargo-fuzz sets with --sanitizer none: the passes that report coverage to libFuzzer.
export RUSTFLAGS="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares $flags"
# Naming the host target keeps these flags away from build scripts and macros.
cargo build --quiet --locked --profile "$profile" --manifest-path fuzz/Cargo.toml --target "$host"
for seeds in fuzz/seeds/*/; do
    target=$(basename "$seeds")
    [ -z "$only" ] || [ "$only" = "$target" ] || continue
    mkdir -p "fuzz/corpus/$target" fuzz/artifacts
    "fuzz/target/$host/${profile/dev/debug}/$target" -max_total_time="$seconds" -max_len=20000 -timeout=10 -rss_limit_mb=2048 \
        -print_final_stats=1 -verbosity=0 -artifact_prefix="fuzz/artifacts/$target-" "fuzz/corpus/$target" "$seeds" \
        2>&1 | grep -E "stat::number_of_executed_units|stat::peak_rss_mb|panicked|ERROR|SUMMARY|Test unit" |
        sed "s/^/$target: /" || true
    if ls "fuzz/artifacts/$target-"* >/dev/null 2>&1; then
        echo "$target: failing input in fuzz/artifacts" >&2
        exit 1
    fi
done
