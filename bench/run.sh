#!/bin/bash
# Proxies side by side: installs what is missing, builds what is measured, measures. Called by `make bench`; arguments go
# to sekisho-compare (--help tells them). Results go to bench/results/, the table to standard output.
set -euo pipefail
cd "$(dirname "$0")/.."

. tests/apt.sh
apt_install freeradius radsecproxy

cargo build --release -p sekisho -p sekisho-bench
target=${CARGO_TARGET_DIR:-target}/release
exec "$target/sekisho-compare" --sekisho "$target/sekisho" --results bench/results "$@"
