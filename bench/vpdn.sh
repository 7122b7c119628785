#!/bin/bash
# What VPDN costs: an LNS chosen among 32, a session counted, a record kept. Criterion's medians, for which nobody has to be root;
# as JSON in bench/results/, and as a table. Called by bench/run.sh.
set -euo pipefail
cd "$(dirname "$0")/.."

. tests/apt.sh
apt_install jq

target=${CARGO_TARGET_DIR:-target}
began=$(mktemp)
trap 'rm -f "$began"' EXIT
cargo bench -p sekisho-lns --bench choose --bench sessions
cargo bench -p sekisho-journal --bench append

machine=$(grep -qw hypervisor /proc/cpuinfo && echo vm || echo host)-$(uname -m)-$(nproc)cpu
result=bench/results/$(date +%F)-$machine-vpdn.json
# Beside each estimate stands what it is of; those of other benches, and of other days, are left out.
find "$target/criterion" -path '*/new/estimates.json' -newer "$began" | sort | while read -r estimates; do
    jq -n --slurpfile of "$(dirname "$estimates")/benchmark.json" --slurpfile it "$estimates" '
        {name: $of[0].full_id, median_ns: ($it[0].median.point_estimate * 10 | round / 10),
         between_ns: [$it[0].median.confidence_interval | .lower_bound, .upper_bound | . * 10 | round / 10]}'
done | jq -s --arg date "$(date +%F)" --arg kernel "$(uname -r)" --arg processors "$(nproc)" \
    --arg processor "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" \
    '{date: $date, machine: {processor: $processor, processors: ($processors | tonumber), kernel: $kernel},
      method: "criterion; processor time of the thread, but where a name says wall", figures: .}' >"$result"
jq -r '.figures[] | "\(.median_ns | tostring | (" " * (10 - length)) + .) ns  \(.name)"' "$result"
echo "written to $result"
