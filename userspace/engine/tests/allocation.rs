//! After warm-up, forwarding allocates nothing.

mod common;

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

use common::*;
use sekisho_engine::packet::{Action, BATCH, Path, Socket};
use sekisho_wire::code::Code;

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call goes to the system's allocator unchanged; counting touches a thread-local integer only.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// One round: a batch of logins (each of them repeated), a batch of answers, and time.
fn round(world: &mut World, requests: &[Vec<u8>], replies: &mut Vec<(Path, Vec<u8>)>, count: &mut u64) {
    let client = Path { socket: Socket::Service(AUTH), peer: address(NAS), ifindex: IFINDEX };
    world.fill(requests.iter().map(|bytes| (client, &bytes[..])));
    *count += counted(|| world.engine.handle_batch(world.now, &mut world.batch));
    replies.clear();
    for packet in world.batch.packets() {
        if let Action::Send(path) = packet.action {
            let sent = Sent { path, bytes: packet.buf.bytes().to_vec() };
            replies.push((path, home_reply(&sent, 0, Code::ACCESS_ACCEPT, &[(18, b"hi")])));
        }
    }
    assert_eq!(replies.len(), requests.len() / 2);
    world.fill(replies.iter().map(|(path, bytes)| (*path, &bytes[..])));
    *count += counted(|| {
        world.engine.handle_batch(world.now, &mut world.batch);
        world.now = sekisho_engine::Time(world.now.0 + 500_000_000);
        world.engine.handle_timeout(world.now);
        world.batch.clear();
        world.engine.poll_transmit(&mut world.batch);
    });
}

fn counted(work: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.with(Cell::get);
    work();
    ALLOCATIONS.with(Cell::get) - before
}

#[test]
fn forwarding_allocates_nothing_after_warm_up() {
    let mut world = World::new();
    let rounds: Vec<Vec<Vec<u8>>> = (0..=255u8)
        .map(|n| {
            let ids = (0..BATCH as u8 / 2).flat_map(|id| [id; 2]);
            ids.map(|id| pap(id.wrapping_add(n), "alice@a.example", n)).collect()
        })
        .collect();
    let mut replies = Vec::new();
    let mut warm = 0;
    for requests in &rounds {
        round(&mut world, requests, &mut replies, &mut warm);
    }
    let mut count = 0;
    for requests in rounds.iter().cycle().take(1000) {
        round(&mut world, requests, &mut replies, &mut count);
    }
    assert_eq!(count, 0, "allocations in 32,000 logins, each sent twice (warm-up: {warm})");
}
