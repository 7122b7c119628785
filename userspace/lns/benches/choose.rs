//! What it costs to choose among 32 LNSs.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are not tests to clippy")]

#[path = "../tests/suite/balance/fleet.rs"]
#[allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "shared with the suite")]
mod fleet;
mod spent;

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use fleet::{Fleet, number, plan};
use sekisho_lns::balance::Strategy;
use spent::spent;

fn choices(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("choose_among_32");
    let keys: Vec<String> = (0..1024).map(number).collect();
    let strategies =
        [("round_robin", Strategy::RoundRobin), ("least_sessions", Strategy::LeastSessions), ("hash", Strategy::Hash)];
    for (name, strategy) in strategies {
        for (kind, weights, down) in [("all_usable", 1, 0), ("half_down", 1, 16), ("weighted", 7, 0)] {
            let fleet = Fleet::new(&[plan(strategy, (0..32).map(|n| (n, 1 + n % weights, 100_000)))]);
            (0..down).for_each(|lns| fleet.down(lns * 2));
            (0..320).for_each(|n| fleet.occupy(n % 32, n));
            let mut keys = keys.iter().cycle();
            group.bench_function(format!("{name}/{kind}"), |bencher| {
                let mut choose = || black_box(fleet.choose(keys.next().unwrap())).unwrap().picks.len();
                bencher.iter_custom(|rounds| spent(|| (0..rounds).for_each(|_| _ = black_box(choose()))));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, choices);
criterion_main!(benches);
