#!/bin/bash
# Builds the program of an earlier revision (the newest tag by default) and runs a chaos run with replicas of both versions on one
# database: scripts/two_versions.sh [REVISION] [options of silta chaos].
set -euo pipefail
cd "$(dirname "$0")/.."
revision=${1:-$(git describe --tags --abbrev=0)}
shift || true
old=target/two_versions
mkdir -p "$old"
rm -rf "$old/tree"
git worktree prune
git worktree add --force --detach "$old/tree" "$revision" >/dev/null
trap 'git worktree remove --force "$old/tree" >/dev/null 2>&1 || true' EXIT
CARGO_TARGET_DIR="$PWD/$old/target" cargo build --quiet --manifest-path "$old/tree/Cargo.toml"
cargo build --quiet
target/debug/silta chaos --passes 1 --second-program "$old/target/debug/silta" "$@"
