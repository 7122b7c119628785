//! Four workers and a sweep on one table: afterwards every count is exact.

use std::{
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
    time::Duration,
};

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use sekisho_lns::{
    LnsId, SourceId, Time,
    sessions::{Attach, Filter, Report, Settings, Who},
};

use crate::sessions::world::*;

/// Few enough devices that workers meet on them all the time.
const DEVICES: u32 = 50;
const STEPS: u64 = 40_000;

fn work(world: &World, worker: u64) {
    let mut random = ChaCha8Rng::seed_from_u64(worker);
    for step in 0..STEPS {
        let mut choice = |of: u32| random.next_u32() % of;
        let now = Time::from_millis(step / 4);
        let device = world.device(&choice(DEVICES).to_string());
        let sticky = (choice(2) == 0).then_some(Duration::from_secs(5));
        let report = Report {
            source: SourceId(choice(2)),
            nas: Some(world.key("nas", &choice(3).to_string())),
            session: world.key("session", &choice(2 * DEVICES).to_string()),
            bearer: (choice(3) == 0).then(|| 5 + choice(3) as u8),
            device: (choice(10) > 0).then_some(device),
            lns: (choice(4) > 0).then(|| LnsId(choice(3))),
            event: WALL + step / 40,
            sticky,
            ..world.report("")
        };
        match choice(20) {
            0..6 => {
                let attach = Attach { who: Who::Device(device), lns: LnsId(choice(3)), sticky, ..world.given("", A) };
                _ = world.sessions.attach(now, &attach);
            }
            6..11 => _ = world.sessions.start(now, &report),
            11..14 => _ = world.sessions.interim(now, &report),
            14..19 => _ = world.sessions.stop(now, &report),
            _ if choice(50) == 0 => _ = world.sessions.nas_restarted(report.source, report.nas, report.event),
            _ => _ = world.sessions.remembered(now, device),
        }
    }
}

#[test]
fn counts_are_exact_after_four_workers_and_a_sweep_have_been_at_one_table() {
    let mut world = World::with(Settings { reservation: Duration::from_secs(3), ..Settings::default() });
    let working = AtomicBool::new(true);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..4)
            .map(|worker| {
                let world = &world;
                scope.spawn(move || work(world, worker))
            })
            .collect();
        let (world, working) = (&world, &working);
        scope.spawn(move || {
            for step in 0.. {
                if !working.load(Relaxed) {
                    break;
                }
                world.sessions.sweep(Time::from_millis(step), 500, &mut |_| ());
                if step % 100 == 0 {
                    world.sessions.list(Time(0), &Filter { lns: Some(A), ..Filter::default() });
                }
            }
        });
        workers.into_iter().for_each(|worker| worker.join().unwrap());
        working.store(false, Relaxed);
    });
    world.agree();
    assert!(world.all().0 > 0);
    // And nothing stays behind that nothing would take away.
    world.sweep_after(100_000);
    world.agree();
    // Devices are remembered a little after that.
    world.sweep_after(5);
    world.agree();
    let counts = world.sessions.counts();
    assert_eq!((counts.sessions, counts.reservations, counts.memories, counts.ended), (0, 0, 0, 0));
    for device in 0..DEVICES {
        let known = world.sessions.remembered(world.now, world.device(&device.to_string()));
        assert_eq!(known, Default::default(), "device {device}");
    }
}
