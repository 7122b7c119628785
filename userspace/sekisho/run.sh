#!/usr/bin/env bash
# Runs sekisho with config/examples on loopback, and a small home server beside it, until Ctrl-C. Called by `make run`.
# Installs what building needs and this machine lacks, and nothing else.
set -euo pipefail
# Job control: each program gets a process group of its own, so that Ctrl-C comes to this script alone.
set -m
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

userspace/kernel/setup.sh
cargo build --release -p sekisho -p sekisho-bench --bin sekisho --bin sekisho-home
target=${CARGO_TARGET_DIR:-target}/release

# A clone leaves the trial's secret readable for everybody: git keeps no such permission, and sekisho warns of it.
chmod o= config/examples/secrets/* 2>/dev/null || true

# The gate needs root. Without it sekisho runs all the same, and says what is missing.
root=()
if [ "$(id -u)" -ne 0 ] && command -v sudo >/dev/null && sudo -v; then
    root=(sudo -n)
fi

home= node=
stop() {
    trap '' INT TERM
    for process in "$node" "$home"; do
        [ -z "$process" ] || { kill -TERM "$process" 2>/dev/null && wait "$process"; } || true
    done
}
trap stop EXIT
trap 'exit 0' INT TERM

"$target/sekisho-home" --secret-file config/examples/secrets/acme-home-1 --user alice@acme.example:wonderland \
    </dev/null >/dev/null &
home=$!
"${root[@]}" "$target/sekisho" run --config config/examples </dev/null &
node=$!

for _ in $(seq 100); do
    (: </dev/tcp/127.0.0.1/9812) 2>/dev/null && break
    kill -0 "$node" 2>/dev/null || exit 1
    sleep 0.1
done

cat <<END
  home       127.0.0.1:1912 auth, 127.0.0.1:1913 acct, for the trial: it knows alice@acme.example, password wonderland

Try, in another terminal:
  $target/sekisho probe alice@acme.example
  $target/sekisho status
  echo 'User-Name="alice@acme.example",User-Password="wonderland",Message-Authenticator=0x00' \\
    | radclient -x 127.0.0.1:1812 auth trial-secret-of-nas-1     # from Debian's freeradius-utils
  curl -s http://127.0.0.1:9812/metrics | grep sekisho_replies_total
Ctrl-C stops it all.

END
# Either of them ending by itself ends the trial.
wait -n "$home" "$node"
