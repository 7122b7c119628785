//! After warm-up, forwarding allocates nothing.

#[path = "suite/common/mod.rs"]
#[allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "shared with the suite")]
mod common;

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    sync::Arc,
};

use common::*;
use sekisho_abi::{BucketParams, Limits as Rates};
use sekisho_engine::{
    Limits,
    packet::{Action, BATCH, Path, Socket},
    snapshot::{HomeKind, NasIdentity, PoolId, Require, RoutingSnapshot, Strip},
};
use sekisho_wire::{
    code::Code,
    policy::{Policy, Rule, Value},
    secret::Secret,
    select::AttributeId,
};

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
    forward_many(World::new());
}

#[test]
fn nor_does_forwarding_with_what_contracts_may_ask_for() {
    let policy = Arc::new(Policy::new(vec![
        Rule::Add(AttributeId::Plain(32), Value::Literal((*b"nas").into())),
        Rule::Remove(AttributeId::Plain(4), None),
    ]));
    let shape = move |snapshot: &mut RoutingSnapshot| {
        snapshot.pools[0].strip = Strip::Realm;
        snapshot.pools[0].framed_networks = vec![("10.0.0.0".parse().unwrap(), 8)];
        let client = client(snapshot, 0);
        client.request_policies = vec![Arc::clone(&policy)];
        client.reply_policies = vec![Arc::clone(&policy)];
        client.previous_secret = Some(Secret::new("the secret before").unwrap());
        client.require_message_authenticator = Require::Auto;
        client.nas = NasIdentity { checked: true, addresses: Vec::new(), identifiers: Vec::new() };
    };
    forward_many(World::with(Plan::shaped(shape), Limits::default()));
}

#[test]
fn nor_do_rate_limits() {
    let limited = |snapshot: &mut RoutingSnapshot| {
        let rate = |rate: u32| BucketParams::per_second(rate, rate);
        let limits = Rates { client: rate(100_000), session: rate(10_000), new_session: rate(10_000) };
        snapshot.gate.sources.values_mut().for_each(|source| source.limits = limits);
    };
    forward_many(World::with(Plan::shaped(limited), Limits::default()));
}

fn forward_many(mut world: World) {
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

/// One round: records, every third of them an Accounting-On for two pools; whatever goes to a server is answered.
fn accounting_round(world: &mut World, requests: &[Vec<u8>], count: &mut u64) -> usize {
    let client = Path { socket: Socket::Service(ACCT), peer: address(NAS), ifindex: IFINDEX };
    let mut upstream: Vec<Sent> = Vec::new();
    world.fill(requests.iter().map(|bytes| (client, &bytes[..])));
    *count += counted(|| world.engine.handle_batch(world.now, &mut world.batch));
    for _ in 0..3 {
        take(world, &mut upstream);
        *count += counted(|| {
            world.batch.clear();
            world.engine.poll_transmit(&mut world.batch);
        });
        take(world, &mut upstream);
        world.now = sekisho_engine::Time(world.now.0 + 30_000_000);
        *count += counted(|| world.engine.handle_timeout(world.now));
        world.batch.clear();
        *count += counted(|| {
            world.engine.poll_transmit(&mut world.batch);
        });
    }
    let mut answered = 0;
    for sent in upstream.chunks(BATCH) {
        let replies: Vec<_> = sent.iter().map(|sent| (sent.path, acknowledgement(sent))).collect();
        world.fill(replies.iter().map(|(path, bytes)| (*path, &bytes[..])));
        *count += counted(|| world.engine.handle_batch(world.now, &mut world.batch));
        answered += world.batch.packets().iter().filter(|packet| matches!(packet.action, Action::Send(_))).count();
    }
    world.now = sekisho_engine::Time(world.now.0 + 500_000_000);
    *count += counted(|| world.engine.handle_timeout(world.now));
    answered
}

/// What the batch has for servers.
fn take(world: &World, upstream: &mut Vec<Sent>) {
    for packet in world.batch.packets() {
        if let Action::Send(path) = packet.action {
            upstream.push(Sent { path, bytes: packet.buf.bytes().to_vec() });
        }
    }
}

fn acknowledgement(sent: &Sent) -> Vec<u8> {
    let at = |text: &str| address(text) == sent.path.peer;
    let index = if at(SECOND) { 3 } else { 2 + 2 * usize::from(at(ARCHIVE)) };
    home_reply(sent, index, Code::ACCOUNTING_RESPONSE, &[])
}

const SECOND: &str = "198.51.100.31:1813";
const ARCHIVE: &str = "198.51.100.32:1813";

#[test]
fn nor_do_copies_and_fan_outs() {
    let servers = [(3, SECOND), (4, ARCHIVE)].map(|(number, at)| Extra::new(number, at, HomeKind::Acct));
    let plan = Plan::shaped(move |snapshot| {
        servers.iter().for_each(|server| server.join(snapshot, 0));
        snapshot.pools[0].copies = vec![servers[1].id()];
        snapshot.pools.push(acct_pool("second", 0, &[&servers[0]]));
        customer(snapshot, 0).acct_pools = vec![PoolId(0), PoolId(1)];
    });
    let mut world = World::with(plan, Limits::default());
    // Other octets in every round, so that nothing is a repetition.
    let record = |n: u32, id: u8| match id % 3 {
        0 => accounting(id, &n.to_string(), 7),
        _ => accounting(id, &format!("{n}@a.example"), 1),
    };
    let rounds: Vec<Vec<Vec<u8>>> = (0..64).map(|n| (0..BATCH as u8 / 2).map(|id| record(n, id)).collect()).collect();
    let mut warm = 0;
    for requests in rounds.iter().cycle().take(96) {
        accounting_round(&mut world, requests, &mut warm);
    }
    let (mut count, mut answered) = (0, 0);
    for requests in rounds.iter().cycle().take(200) {
        answered += accounting_round(&mut world, requests, &mut count);
    }
    assert_eq!(answered, 200 * BATCH / 2);
    assert_eq!(count, 0, "allocations in 6,400 records (warm-up: {warm})");
}

/// One round of logins to hosted accounts, and of time.
fn hosted_round(world: &mut World, requests: &[Vec<u8>], count: &mut u64) -> usize {
    let client = Path { socket: Socket::Service(AUTH), peer: address(NAS), ifindex: IFINDEX };
    world.fill(requests.iter().map(|bytes| (client, &bytes[..])));
    *count += counted(|| world.engine.handle_batch(world.now, &mut world.batch));
    let sent = world.batch.packets().iter().filter(|packet| matches!(packet.action, Action::Send(_))).count();
    *count += counted(|| {
        world.now = sekisho_engine::Time(world.now.0 + 500_000_000);
        world.engine.handle_timeout(world.now);
        world.batch.clear();
        world.engine.poll_transmit(&mut world.batch);
    });
    sent
}

#[test]
fn nor_do_logins_to_hosted_accounts() {
    let mut world = hosted::group_world(|group| {
        (group.simultaneous, group.max_sessions) = (1, 1_000_000);
        group.lockout = Default::default();
        group.reply = [27, 6, 0, 0, 14, 16].into();
    });
    for n in 0..32 {
        world.put(&format!("user-{n}"), &hosted::account());
    }
    // PAP and CHAP, in turn; of eight logins one is wrong. Each device has its number, so that it has one session at most.
    let login = |id: u8, n: u8| {
        let password = if id % 8 == 7 { "wrong" } else { hosted::PASSWORD };
        let builder = sekisho_wire::build::RequestBuilder::new(Code::ACCESS_REQUEST, id.wrapping_add(n), [n; 16])
            .attribute(1, format!("user-{id}@a.example"))
            .attribute(31, format!("0900000{id:04}"));
        let builder = if n.is_multiple_of(2) {
            builder.user_password(password.as_bytes(), &nas_secret())
        } else {
            builder.chap_password(id, password.as_bytes())
        };
        builder.message_authenticator().build(&nas_secret()).unwrap()
    };
    let rounds: Vec<Vec<Vec<u8>>> = (0..=255u8).map(|n| (0..32).map(|id| login(id, n)).collect()).collect();
    let mut warm = 0;
    for requests in &rounds {
        hosted_round(&mut world, requests, &mut warm);
    }
    let (mut count, mut sent) = (0, 0);
    for requests in rounds.iter().cycle().take(1000) {
        sent += hosted_round(&mut world, requests, &mut count);
    }
    assert_eq!(sent, 28_000);
    assert_eq!(count, 0, "allocations in 32,000 logins (warm-up: {warm})");
}
