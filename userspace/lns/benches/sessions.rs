//! What an accounting record costs in a table of a million sessions, each with a device; and what the table costs on disk.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are not tests to clippy")]

mod spent;
#[path = "../tests/suite/sessions/world.rs"]
#[allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "shared with the suite")]
mod world;

use std::{hint::black_box, sync::Arc, time::Duration};

use criterion::Criterion;
use sekisho_lns::{
    LnsId, Loads, Time,
    sessions::{Attach, Key, Kind, Naming, Report, Sessions, Settings, Who},
};
use spent::spent;
use world::{A, World};

const SESSIONS: u32 = 1_000_000;

struct Numbers;

impl Naming for Numbers {
    fn name(&self, _: Kind, number: u32) -> Option<String> {
        Some(number.to_string())
    }

    fn number(&self, _: Kind, name: &str) -> Option<u32> {
        name.parse().ok()
    }
}

/// The keys of the n-th session and of its device.
fn keys(world: &World, n: u32) -> (Key, Key) {
    let n = n.to_be_bytes();
    (world.sessions.key(&[b"session", &n]), world.sessions.key(&[b"device", &n]))
}

fn report(world: &World, template: &Report<'static>, n: u32) -> Report<'static> {
    let (session, device) = keys(world, n);
    Report { session, device: Some(device), lns: Some(LnsId(n % 32)), ..*template }
}

fn full() -> World {
    let world =
        World::with(Settings { max_sessions: SESSIONS as usize + 10_000, customer_share: 100, ..Settings::default() });
    let template = Report { interim: Some(Duration::from_secs(600)), ..world.report("") };
    for n in 0..SESSIONS {
        world.sessions.start(world.now, &report(&world, &template, n));
    }
    world
}

/// Sessions all over the table, one after the other.
fn scattered(n: u64) -> u32 {
    (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as u32 % SESSIONS
}

fn on_disk(world: &World) {
    let mut file = Vec::with_capacity(256 << 20);
    let time = spent(|| _ = world.sessions.write_to(world.now, world.wall(), &Numbers, &mut file).unwrap());
    println!("sessions/write_a_million        {time:?}, {} octets", file.len());
    let settings = Settings { max_sessions: SESSIONS as usize + 10_000, customer_share: 100, ..Settings::default() };
    let mut restored = None;
    let time = spent(|| {
        let loads = Arc::new(Loads::new());
        restored = Some(Sessions::restore(settings, loads, &*file, Time(0), world.wall(), &Numbers).unwrap());
    });
    println!("sessions/restore_a_million      {time:?}, {:?}", restored.map(|(_, counts)| counts.sessions));
    let time = spent(|| {
        _ = world.sessions.list(world.now, &sekisho_lns::sessions::Filter { number: Some(b"1"), ..Default::default() })
    });
    println!("sessions/look_through_a_million {time:?}");
    let time = spent(|| _ = world.sessions.sweep(world.now, usize::MAX, &mut |_| ()));
    println!("sessions/sweep_a_million        {time:?}");
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let world = full();
    let template = Report { interim: Some(Duration::from_secs(600)), event: world.wall() + 60, ..world.report("") };
    let mut group = criterion.benchmark_group("sessions");
    let mut n = 0;
    group.bench_function("interim", |bencher| {
        bencher.iter_custom(|rounds| {
            let reports: Vec<_> =
                (0..rounds.min(100_000)).map(|i| report(&world, &template, scattered(n + i))).collect();
            n += rounds;
            spent(|| {
                for i in 0..rounds as usize {
                    black_box(world.sessions.interim(world.now, &reports[i % reports.len()]));
                }
            })
        });
    });
    group.bench_function("stop_and_start", |bencher| {
        bencher.iter_custom(|rounds| {
            let reports: Vec<_> =
                (0..rounds.min(100_000)).map(|i| report(&world, &template, scattered(n + i))).collect();
            n += rounds;
            spent(|| {
                for (i, round) in (0..rounds).enumerate() {
                    let mut report = reports[i % reports.len()];
                    // Later than all before, so that each Start begins another session.
                    report.event += 2 * (n + round);
                    black_box(world.sessions.stop(world.now, &report));
                    report.event += 1;
                    black_box(world.sessions.start(world.now, &report));
                }
            })
        });
    });
    group.bench_function("attach_start_stop", |bencher| {
        bencher.iter_custom(|rounds| {
            let template = Report { event: template.event + 4 * (n + rounds), ..template };
            let begun = n;
            n += rounds;
            spent(|| {
                for round in 0..rounds {
                    let mut report = report(&world, &template, SESSIONS + (round % 5_000) as u32);
                    report.event += 2 * (begun + round);
                    let who = Who::Device(report.device.unwrap());
                    let attach = Attach { who, lns: report.lns.unwrap(), ..world.given("", A) };
                    black_box(world.sessions.attach(world.now, &attach));
                    black_box(world.sessions.start(world.now, &report));
                    report.event += 1;
                    black_box(world.sessions.stop(world.now, &report));
                }
            })
        });
    });
    group.finish();
    on_disk(&world);
    criterion.final_summary();
}
