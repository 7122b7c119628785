//! What the engine spends on a transaction, there and back, in batches of 64, without any socket.
//!
//! The home server's replies are made outside the measured time.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are not tests to clippy")]

#[path = "../tests/suite/common/mod.rs"]
#[allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "shared with the suite")]
mod common;

use std::time::{Duration, Instant};

use common::*;
use criterion::{Criterion, Throughput};
use sekisho_abi::{BucketParams, Limits as Rates};
use sekisho_engine::{
    Limits, Time,
    packet::{Action, BATCH, Path, Socket},
    snapshot::RoutingSnapshot,
};
use sekisho_wire::{attr, build::RequestBuilder, code::Code};

/// A request of about 14 attributes and 200 octets, as a NAS sends it.
fn request(code: Code, id: u8, salt: u32) -> Vec<u8> {
    let mut authenticator = [0; 16];
    authenticator[..4].copy_from_slice(&salt.to_be_bytes());
    let mut builder = RequestBuilder::new(code, id, authenticator)
        .attribute(attr::USER_NAME, "subscriber-0001@a.example")
        .attribute(attr::NAS_IP_ADDRESS, [192, 0, 2, 10])
        .attribute(attr::NAS_PORT, [0, 0, 0, 7])
        .attribute(attr::SERVICE_TYPE, [0, 0, 0, 2])
        .attribute(attr::FRAMED_PROTOCOL, [0, 0, 0, 1])
        .attribute(attr::CALLED_STATION_ID, "internet.a.example")
        .attribute(attr::CALLING_STATION_ID, "819012345678")
        .attribute(attr::NAS_IDENTIFIER, "bras-17.tokyo.a.example")
        .attribute(attr::ACCT_SESSION_ID, format!("{salt:016x}"))
        .attribute(attr::NAS_PORT_TYPE, [0, 0, 0, 18])
        .vendor(10415, 1, "440101234567890");
    builder = match code {
        Code::ACCESS_REQUEST => builder.user_password(b"opensesame", &nas_secret()).message_authenticator(),
        _ => builder.attribute(attr::ACCT_STATUS_TYPE, [0, 0, 0, 1]).attribute(attr::EVENT_TIMESTAMP, [0, 0, 0, 1]),
    };
    builder.build(&nas_secret()).unwrap()
}

/// Every limit there is, and none that is reached. Each request begins a session: the dearest of all cases.
fn limit(snapshot: &mut RoutingSnapshot) {
    let rate = BucketParams::per_second(1_000_000, 1_000_000);
    let limits = Rates { client: rate, session: BucketParams::per_second(20, 100), new_session: rate };
    snapshot.gate.sources.values_mut().for_each(|source| source.limits = limits);
}

/// Time that the engine takes for `rounds` batches, requests and replies together.
fn transactions(world: &mut World, service: u16, code: Code, home: usize, rounds: u64) -> Duration {
    let peer = address(NAS);
    let client = Path { socket: Socket::Service(service), peer, ifindex: IFINDEX };
    let answer = if code == Code::ACCESS_REQUEST { Code::ACCESS_ACCEPT } else { Code::ACCOUNTING_RESPONSE };
    let mut spent = Duration::ZERO;
    for round in 0..rounds {
        let requests: Vec<_> =
            (0..BATCH as u64).map(|n| request(code, (round * 64 + n) as u8, (round * 64 + n) as u32)).collect();
        world.fill(requests.iter().map(|bytes| (client, &bytes[..])));
        world.now = Time(world.now.0 + 2_000_000);
        spent += timed(|| world.engine.handle_batch(world.now, &mut world.batch));
        let replies: Vec<_> = world
            .batch
            .packets()
            .iter()
            .map(|packet| {
                let Action::Send(path) = packet.action else { panic!("{:?}", packet.action) };
                let sent = Sent { path, bytes: packet.buf.bytes().to_vec() };
                let attrs: &[(u8, &[u8])] =
                    if answer == Code::ACCESS_ACCEPT { &[(25, b"class-of-1"), (8, &[10, 0, 0, 1])] } else { &[] };
                (path, home_reply(&sent, home, answer, attrs))
            })
            .collect();
        world.fill(replies.iter().map(|(path, bytes)| (*path, &bytes[..])));
        spent += timed(|| {
            world.engine.handle_batch(world.now, &mut world.batch);
            world.engine.handle_timeout(world.now);
        });
    }
    spent
}

fn timed(work: impl FnOnce()) -> Duration {
    let begin = Instant::now();
    work();
    begin.elapsed()
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("engine");
    group.throughput(Throughput::Elements(BATCH as u64));
    let cases = [
        ("pap_with_message_authenticator", AUTH, Code::ACCESS_REQUEST, 0),
        ("accounting", ACCT, Code::ACCOUNTING_REQUEST, 2),
    ];
    for (name, service, code, home) in cases {
        group.bench_function(name, |bencher| {
            let mut world = World::new();
            bencher.iter_custom(|rounds| transactions(&mut world, service, code, home, rounds));
        });
        group.bench_function(format!("{name}_limited"), |bencher| {
            let mut world = World::with(Plan::shaped(limit), Limits::default());
            bencher.iter_custom(|rounds| transactions(&mut world, service, code, home, rounds));
        });
    }
    group.finish();
    criterion.final_summary();
}
