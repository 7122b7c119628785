#!/usr/bin/env bash
# Installs what the build of the eBPF object needs and this machine lacks; quick when nothing is missing.
#
# Rust's eBPF target has no prebuilt `core`, so a toolchain with the component rust-src is needed, and a bpf-linker built
# for the LLVM of that toolchain. A toolchain linked as `ebpf` comes first, then a nightly with rust-src. Where there is
# neither, Debian's rustc-web is linked as `ebpf`, and where that cannot be had, rustup is asked for a nightly.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../../tests/apt.sh"

BPF_LINKER=0.13.0
# The oldest LLVM that this bpf-linker can be built for.
OLDEST_LLVM=21

say() { echo "setup: $*"; }
fail() { echo "setup: $*" >&2; exit 1; }

# A nightly may be there without the component: look for the component.
has_rust_src() {
    local sysroot
    sysroot=$(rustup run "$1" rustc --print sysroot 2>/dev/null) && [ -d "$sysroot/lib/rustlib/src/rust/library/core" ]
}

llvm_of() { rustup run "$1" rustc -vV | sed -n 's/^LLVM version: \([0-9]*\).*/\1/p'; }

# Cargo remembers the features of what it has installed. A bpf-linker of other origin is trusted.
linker_matches() {
    command -v bpf-linker >/dev/null || return 1
    local installs=${CARGO_HOME:-$HOME/.cargo}/.crates2.json entry
    entry=$(grep -o '"bpf-linker [^}]*' "$installs" 2>/dev/null) || return 0
    grep -q "\"llvm-$1\"" <<<"$entry"
}

linker_possible() {
    linker_matches "$1" && return 0
    [ "$1" -ge "$OLDEST_LLVM" ] && { [ -d "/usr/lib/llvm-$1/include" ] || apt_available "llvm-$1-dev"; }
}

usable() { has_rust_src "$1" && linker_possible "$(llvm_of "$1")"; }

debian_toolchain() {
    # Debian moves these on within a release: an old list, or an old installation, names a rustc with too old an LLVM.
    apt_refresh
    apt_available rust-web-src && apt_available rustc-web && apt_available cargo-web || return 1
    apt_install --upgrade rustc-web cargo-web rust-web-src
    rustup toolchain link ebpf /usr
    say "Debian's rustc is the rustup toolchain \`ebpf\` now"
    usable ebpf
}

nightly_toolchain() {
    say "asking rustup for a nightly with rust-src"
    rustup toolchain install nightly --profile minimal --component rust-src && usable nightly
}

command -v rustup >/dev/null || fail "rustup is missing: https://rustup.rs tells how to install it"
command -v cc >/dev/null || apt_install gcc libc6-dev

if usable ebpf; then toolchain=ebpf
elif usable nightly; then toolchain=nightly
elif debian_toolchain; then toolchain=ebpf
elif nightly_toolchain; then toolchain=nightly
else fail "no toolchain with rust-src and a matching LLVM can be had here: rustup refuses a nightly, apt has no rustc-web"
fi

llvm=$(llvm_of "$toolchain")
if ! linker_matches "$llvm"; then
    [ -d "/usr/lib/llvm-$llvm/include" ] || apt_install "llvm-$llvm-dev"
    command -v c++ >/dev/null || apt_install g++
    say "building bpf-linker $BPF_LINKER for LLVM $llvm (a minute)"
    LLVM_PREFIX=/usr/lib/llvm-$llvm cargo install --quiet --locked --force --version "$BPF_LINKER" bpf-linker \
        --no-default-features --features "llvm-$llvm"
fi
say "eBPF toolchain: $toolchain (LLVM $llvm), $(bpf-linker --version)"
