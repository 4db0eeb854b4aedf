#!/bin/bash
# Old and new side by side: builds the program of an earlier revision (the newest tag, unless said), and proves that a replica of
# it and one of this tree's do one service's work on one database: scripts/beside.sh [REVISION] [options of silta prove].
set -euo pipefail
cd "$(dirname "$0")/.."
revision=${1:-$(git describe --tags --abbrev=0)}
shift || true
old=target/beside
mkdir -p "$old"
rm -rf "$old/tree"
git worktree prune
git worktree add --force --detach "$old/tree" "$revision" >/dev/null
trap 'git worktree remove --force "$old/tree" >/dev/null 2>&1 || true' EXIT
CARGO_TARGET_DIR="$PWD/$old/target" cargo build --quiet --manifest-path "$old/tree/Cargo.toml"
cargo build --quiet
target/debug/silta prove --passes 1 --second-program "$old/target/debug/silta" "$@"
