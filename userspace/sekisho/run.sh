#!/usr/bin/env bash
# Runs sekisho's trial on loopback until Ctrl-C: one customer of each kind, from what is built in, and for the customer with a server of
# its own a small home server beside it. Called by `make run`. Installs what building needs and this machine lacks, and nothing else.
set -euo pipefail
# Job control: each program gets a process group of its own, so that Ctrl-C comes to this script alone.
set -m
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

userspace/kernel/setup.sh
cargo build --release -p sekisho -p sekisho-bench --bin sekisho --bin sekisho-home
target=${CARGO_TARGET_DIR:-target}/release
# What the trial does stays there from one run to the next; remove it to begin anew.
trial=${SEKISHO_TRIAL:-${CARGO_TARGET_DIR:-target}/trial}

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

"$target/sekisho-home" --secret trial-secret-of-acme-home --user carol@acme.example:looking-glass </dev/null >/dev/null &
home=$!
"${root[@]}" "$target/sekisho" trial "$trial" </dev/null &
node=$!

for _ in $(seq 100); do
    (: </dev/tcp/127.0.0.1/9812) 2>/dev/null && break
    kill -0 "$node" 2>/dev/null || exit 1
    sleep 0.1
done

cat <<END
  accounts   alice@sakura.example, password wonderland: answered here
  home       127.0.0.1:1912 auth, 127.0.0.1:1913 acct: acme's own server, for the trial; it knows carol@acme.example, looking-glass
  trial      $trial has the documents; --config $trial names this registry

Try, in another terminal:
  $target/sekisho probe alice@sakura.example
  $target/sekisho status
  $target/sekisho get contracts --config $trial
  echo 'User-Name="alice@sakura.example",User-Password="wonderland",Message-Authenticator=0x00' \\
    | radclient -x 127.0.0.1:1812 auth trial-secret-of-sakura    # from Debian's freeradius-utils
  curl -s http://127.0.0.1:9812/metrics | grep sekisho_replies_total
Ctrl-C stops it all.

END
# Either of them ending by itself ends the trial.
wait -n "$home" "$node"
