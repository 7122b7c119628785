#!/usr/bin/env bash
# Installs what the tests need and this machine lacks; quick when nothing is missing. No service is started or enabled.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. tests/apt.sh

say() { echo "setup: $*"; }
fail() { echo "setup: $*" >&2; exit 1; }

command -v rustup >/dev/null || fail "rustup is missing: https://rustup.rs tells how to install it"

# The Rust that the workspace asks for, with the components that the checks need.
wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
present=$(rustc --version 2>/dev/null | sed -n 's/^rustc \([0-9.]*\).*/\1/p')
if [ "$(printf '%s\n' "$wanted" "${present:-0}" | sort -V | head -n1)" != "$wanted" ]; then
    say "Rust ${present:-is missing}, $wanted is needed: asking rustup for the stable toolchain"
    rustup update stable
fi
for component in rustfmt clippy; do
    cargo "${component/rustfmt/fmt}" --version >/dev/null 2>&1 || rustup component add "$component"
done

# What builds, then who the tests talk to, then what they look with.
apt_install gcc libc6-dev \
    freeradius freeradius-utils radsecproxy eapoltest python3-pyrad xl2tpd \
    iproute2 ethtool openssl util-linux procps curl jq make prometheus systemd

# PostgreSQL's server, without the cluster that Debian makes with it: the tests make clusters of their own. Who has a server
# keeps it as it is.
if ! apt_installed postgresql; then
    clusters=/etc/postgresql-common/createcluster.d
    as_root mkdir -p "$clusters"
    echo 'create_main_cluster = off' | as_root tee "$clusters/sekisho-tests.conf" >/dev/null
    trap 'as_root rm -f "$clusters/sekisho-tests.conf"' EXIT
    apt_install postgresql
fi

userspace/kernel/setup.sh
