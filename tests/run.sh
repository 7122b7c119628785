#!/usr/bin/env bash
# `make test`: everything that is promised, checked, with a summary at the end. Needs root, for namespaces and XDP.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if [ "$(id -u)" -ne 0 ]; then
    echo "make test needs root: it loads XDP programs and makes network namespaces. Run it as root, or by sudo." >&2
    exit 1
fi

summary=()
failures=0
began=$SECONDS
# What is built here is built once; without what helps later builds it takes 3.4 GB instead of 13.
export CARGO_INCREMENTAL=${CARGO_INCREMENTAL:-0}
ROOM_MIB=4000

# Megabytes that are free where a directory is, or will be.
free_mib() { mkdir -p "$1" && df --output=avail -m "$1" | tail -n 1 | tr -d ' '; }

target=${CARGO_TARGET_DIR:-target}
temporary=${TMPDIR:-/tmp}

finish() {
    echo
    echo "──── make test: $((SECONDS - began)) s"
    printf '%s\n' "${summary[@]}"
    if [ "$failures" -eq 0 ]; then echo "all is well"; else echo "$failures of ${#summary[@]} steps failed"; fi
    if [ "$failures" -gt 0 ] && [ "$(free_mib "$target")" -lt 500 ]; then
        echo "The disk of $target is full: a run from nothing wants $ROOM_MIB MB. \`cargo clean\` gives back what earlier builds took."
    elif [ "$failures" -gt 0 ] && [ "$(free_mib "$temporary")" -lt 100 ]; then
        echo "The disk of $temporary is full, where tests keep their files: make room, or name another directory as TMPDIR."
    fi
    [ "$failures" -eq 0 ]
    exit
}

# step NAME COMMAND…: runs it, times it, remembers how it ended.
step() {
    local name=$1 start=$SECONDS
    shift
    echo
    echo "──── $name"
    if "$@"; then
        summary+=("$(printf 'ok      %4d s  %s' $((SECONDS - start)) "$name")")
    else
        summary+=("$(printf 'FAILED  %4d s  %s' $((SECONDS - start)) "$name")")
        failures=$((failures + 1))
        return 1
    fi
}

clippy() {
    # Bare `cargo clippy` leaves the end-to-end tests out, as bare `cargo test` does.
    cargo clippy --workspace --all-targets -- -D warnings && cargo clippy -p sekisho-tests --test e2e -- -D warnings
}

rustdoc() { RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --quiet; }

programs() { . tests/programs.sh; }

unit() {
    if cargo nextest --version >/dev/null 2>&1; then
        cargo nextest run --workspace --no-fail-fast --status-level slow --final-status-level fail
    else
        cargo test --workspace --no-fail-fast --lib --bins --tests --quiet
    fi
}

# Several at a time: most of what they do is wait. tests/nextest.toml says which want the machine nearly for themselves.
e2e() {
    if cargo nextest --version >/dev/null 2>&1; then
        cargo nextest run --config-file tests/nextest.toml -p sekisho-tests --test e2e --no-fail-fast --test-threads 4
    else
        cargo test -p sekisho-tests --test e2e -- --test-threads 2
    fi
}

if [ ! -d "$target/release" ] && [ "$(free_mib "$target")" -lt "$ROOM_MIB" ]; then
    echo "make test: $(free_mib "$target") MB are free for $target, and a first run wants $ROOM_MIB. It is tried all the same."
fi
step "set-up" tests/setup.sh || finish
step "formatting" cargo fmt --all --check
step "clippy" clippy
step "rustdoc" rustdoc
step "programs, release" programs || finish
step "unit, property and kernel tests" unit
step "tests in the documentation" cargo test --workspace --doc --quiet
step "end-to-end tests in namespaces" e2e
finish
