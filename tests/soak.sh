#!/usr/bin/env bash
# `make soak`: the end-to-end tests that take minutes. What they measured goes to tests/soak/ as JSON.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

tests/setup.sh
. tests/programs.sh
export SEKISHO_SOAK=$PWD/tests/soak
mkdir -p "$SEKISHO_SOAK"
cargo test -p sekisho-tests --test e2e -- --ignored --test-threads 1 --nocapture soak
