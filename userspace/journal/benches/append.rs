//! What a record costs: appended in batches and committed, packets of 300 octets, nothing known, everything remembered.
//!
//! `cpu` is what the writer's thread spends, in the kernel too; `wall` is how long it takes, waiting for the disk included. `disk` is in
//! the directory that `SEKISHO_BENCH_DIR` names, or the system's temporary one; `memory` is in `/dev/shm`, where `fdatasync` has nothing
//! to do.

#![allow(clippy::unwrap_used, reason = "a benchmark")]

use std::{
    env, fs,
    path::Path,
    time::{Duration, Instant},
};

use criterion::{Criterion, Throughput};
use rustix::time::{ClockId, clock_gettime};
use sekisho_journal::{Directory, Journal, Kind, Options, Record};

const NOW: u64 = 1_700_000_000_000_000_000;

/// What the calling thread has spent.
fn cpu() -> Duration {
    let spent = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(spent.tv_sec as u64, spent.tv_nsec as u32)
}

fn clock() -> Duration {
    static BEGAN: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    BEGAN.get_or_init(Instant::now).elapsed()
}

/// What `records` records take, by that clock.
fn append(journal: &mut Journal, next: &mut u64, batch: usize, records: u64, clock: fn() -> Duration) -> Duration {
    let mut packet = [0x5A; 300];
    let begin = clock();
    for _ in 0..records.div_ceil(batch as u64) {
        for _ in 0..batch {
            *next += 1;
            packet[4..12].copy_from_slice(&next.to_le_bytes());
            let record = Record {
                received: NOW + *next,
                kind: Kind::Ended,
                source: "lac-tokyo-1",
                from: ([192, 0, 2, 1], 1646).into(),
                customer: "acme",
                contract: "vpdn-0001",
                realm: "acme.example",
                packet: &packet,
            };
            // As a hash would be.
            let identity = u128::from(*next).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835);
            journal.append(NOW + *next, identity, &record).unwrap();
        }
        journal.commit().unwrap();
    }
    (clock() - begin).mul_f64(records as f64 / (records.div_ceil(batch as u64) * batch as u64) as f64)
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let temporary = env::var_os("SEKISHO_BENCH_DIR").map_or_else(env::temp_dir, Into::into);
    for (name, place) in [("disk", temporary.as_path()), ("memory", Path::new("/dev/shm"))] {
        for (what, clock) in [("cpu", cpu as fn() -> Duration), ("wall", clock)] {
            let mut group = criterion.benchmark_group(format!("{name}/{what} a record"));
            group.throughput(Throughput::Elements(1));
            for batch in [64, 1024] {
                let directory = place.join(format!("sekisho-journal-bench-{}", std::process::id()));
                // So many octets are kept and no more: a benchmark may write for long.
                let options = Options { max_octets: 256 << 20, reserve: 1 << 20, ..Options::default() };
                let (mut journal, _) = Journal::open(Directory::new(&directory), options, NOW).unwrap();
                let mut next = 0;
                group.bench_function(format!("batches of {batch}"), |bencher| {
                    bencher.iter_custom(|records| {
                        let spent = append(&mut journal, &mut next, batch, records, clock);
                        journal.maintain(NOW).unwrap();
                        spent
                    });
                });
                drop(journal);
                fs::remove_dir_all(&directory).unwrap();
            }
            group.finish();
        }
    }
    criterion.final_summary();
}
