#!/bin/bash
# The gate in the kernel, VPDN, hosted logins, then proxies side by side: installs what is missing, builds what is measured,
# measures. Called by `make bench`; arguments go to sekisho-compare (--help tells them). Results go to bench/results/, the tables
# to standard output. The gate is measured by root alone; FreeRADIUS with SQLite too, whose schema only root may read.
#
# AGAINST=COMMIT builds sekisho as it was at that commit too, and lets it take part: what has a change cost?
set -euo pipefail
cd "$(dirname "$0")/.."

. tests/apt.sh
apt_install freeradius radsecproxy

target=${CARGO_TARGET_DIR:-target}
cargo build --release -p sekisho -p sekisho-bench
if [ -n "${AGAINST:-}" ]; then
    former=$target/former
    git worktree remove --force "$former/tree" 2>/dev/null || true
    git worktree prune
    git worktree add --detach "$former/tree" "$AGAINST"
    cargo build --release --manifest-path "$former/tree/Cargo.toml" --target-dir "$former/target" -p sekisho
    git worktree remove --force "$former/tree"
    set -- --former "$former/target/release/sekisho" "$@"
fi
if [ "$(id -u)" = 0 ]; then
    "$target/release/sekisho-gate-bench" --sekisho "$target/release/sekisho" --results bench/results
else
    echo "bench/run.sh: the gate is not measured: that needs root" >&2
fi
bench/vpdn.sh
"$target/release/sekisho-hosted-bench" --sekisho "$target/release/sekisho" --accounts-memory --results bench/results
exec "$target/release/sekisho-compare" --sekisho "$target/release/sekisho" --results bench/results "$@"
