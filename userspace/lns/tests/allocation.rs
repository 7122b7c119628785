//! Choosing allocates nothing; an Interim of a known session neither. And what a million sessions take.

#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "suite/balance/fleet.rs"]
#[allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "shared with the suite")]
mod fleet;
#[path = "suite/sessions/world.rs"]
#[allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "shared with the suite")]
mod world;

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    hint::black_box,
};

use sekisho_lns::{
    balance::Strategy,
    sessions::{Report, Settings},
};
use world::World;

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
    /// Octets in use, as glibc's allocator rounds them: eight more, in steps of sixteen, 32 at least.
    static OCTETS: Cell<i64> = const { Cell::new(0) };
}

fn rounded(layout: Layout) -> i64 {
    (layout.size() + 8).next_multiple_of(16).max(32) as i64
}

// SAFETY: every call goes to the system's allocator unchanged; counting touches thread-local integers only.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        OCTETS.with(|octets| octets.set(octets.get() + rounded(layout)));
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        OCTETS.with(|octets| octets.set(octets.get() - rounded(layout)));
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations(work: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.with(Cell::get);
    work();
    ALLOCATIONS.with(Cell::get) - before
}

#[test]
fn a_choice_allocates_nothing() {
    for strategy in [Strategy::RoundRobin, Strategy::LeastSessions, Strategy::Hash] {
        let fleet = fleet::Fleet::new(&[fleet::even(strategy, 0..32), fleet::even(strategy, 32..64)]);
        (0..8).for_each(|lns| fleet.down(lns));
        let choose = || (0..100).for_each(|_| _ = black_box(fleet.choose("819012345678")));
        assert_eq!(allocations(choose), 0, "{strategy:?}");
    }
}

#[test]
fn an_interim_and_a_question_about_a_device_allocate_nothing() {
    let world = World::new();
    world.start("phone");
    let (report, device) = (world.report("phone"), world.device("phone"));
    let work = || {
        for _ in 0..100 {
            black_box(world.sessions.interim(world.now, &report));
            black_box(world.sessions.remembered(world.now, device));
        }
    };
    assert_eq!(allocations(work), 0);
}

/// What `sessions/mod.rs` and the configuration's documentation say.
#[test]
fn a_session_takes_no_more_than_documented() {
    const SESSIONS: usize = 200_000;
    let before = OCTETS.with(Cell::get);
    let world = World::with(Settings { max_sessions: SESSIONS, customer_share: 100, ..Settings::default() });
    let empty = OCTETS.with(Cell::get) - before;
    for n in 0..SESSIONS as u32 {
        let session = world.sessions.key(&[b"session", &n.to_be_bytes()]);
        let device = Some(world.sessions.key(&[b"device", &n.to_be_bytes()]));
        let report = Report { session, device, user: b"subscriber-0001@a.example", ..world.report("") };
        world.sessions.start(world.now, &report);
    }
    assert_eq!(world.all(), (SESSIONS as u32, 0));
    let each = (OCTETS.with(Cell::get) - before) as f64 / SESSIONS as f64;
    println!("{each:.0} octets a session, {empty} in an empty table of that size");
    assert!((230.0..280.0).contains(&each), "{each} octets a session");
}
