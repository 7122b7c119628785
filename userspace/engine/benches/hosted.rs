//! What the engine spends on a login to one of 100,000 hosted accounts, request to answer, in batches of 64, without any socket.
//!
//! With a limit of sessions each login also keeps a place for its own.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are not tests to clippy")]

#[path = "../tests/suite/common/mod.rs"]
#[allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "shared with the suite")]
mod common;

use std::time::{Duration, Instant};

use common::{hosted::*, *};
use criterion::{Criterion, Throughput};
use sekisho_engine::{
    Time,
    packet::{Action, BATCH, Path, Socket},
};
use sekisho_wire::{
    attr,
    build::RequestBuilder,
    code::Code,
    mschap::{nt::NtHash, v2},
    vendor::{MICROSOFT, MS_CHAP_CHALLENGE, MS_CHAP2_RESPONSE},
};

const ACCOUNTS: u32 = 100_000;

fn user(n: u32) -> String {
    format!("subscriber-{n:06}")
}

/// How a login proves itself.
type Proof = fn(RequestBuilder, &str) -> RequestBuilder;

fn pap(builder: RequestBuilder, _: &str) -> RequestBuilder {
    builder.user_password(PASSWORD.as_bytes(), &nas_secret())
}

fn chap(builder: RequestBuilder, _: &str) -> RequestBuilder {
    builder.chap_password(1, PASSWORD.as_bytes())
}

fn mschapv2(builder: RequestBuilder, name: &str) -> RequestBuilder {
    let hash = NtHash::of(PASSWORD.as_bytes()).unwrap();
    let nt = v2::nt_response(&[1; 16], &[2; 16], name.as_bytes(), &hash);
    let response = [&[1, 0][..], &[2; 16], &[0; 8], &nt].concat();
    builder.vendor(MICROSOFT, MS_CHAP_CHALLENGE, [1; 16]).vendor(MICROSOFT, MS_CHAP2_RESPONSE, response)
}

fn request(n: u64, proof: Proof) -> Vec<u8> {
    // Accounts far from one another, as subscribers come.
    let name = format!("{}@a.example", user((n.wrapping_mul(48_271) % u64::from(ACCOUNTS)) as u32));
    let mut authenticator = [0; 16];
    authenticator[..8].copy_from_slice(&n.to_be_bytes());
    let builder = RequestBuilder::new(Code::ACCESS_REQUEST, n as u8, authenticator)
        .attribute(attr::USER_NAME, &name)
        .attribute(attr::NAS_IP_ADDRESS, [192, 0, 2, 10])
        .attribute(attr::NAS_PORT, [0, 0, 0, 7])
        .attribute(attr::SERVICE_TYPE, [0, 0, 0, 2])
        .attribute(attr::FRAMED_PROTOCOL, [0, 0, 0, 1])
        .attribute(attr::CALLING_STATION_ID, format!("8190{n:08}"));
    proof(builder, &name).message_authenticator().build(&nas_secret()).unwrap()
}

/// Time that the engine takes for `rounds` batches, all of which are accepted.
fn logins(world: &mut World, proof: Proof, rounds: u64) -> Duration {
    let client = Path { socket: Socket::Service(AUTH), peer: address(NAS), ifindex: IFINDEX };
    let mut spent = Duration::ZERO;
    for round in 0..rounds {
        let requests: Vec<_> = (0..BATCH as u64).map(|n| request(round * BATCH as u64 + n, proof)).collect();
        world.fill(requests.iter().map(|bytes| (client, &bytes[..])));
        world.now = Time(world.now.0 + 2_000_000);
        let begin = Instant::now();
        world.engine.handle_batch(world.now, &mut world.batch);
        world.engine.handle_timeout(world.now);
        spent += begin.elapsed();
        for packet in world.batch.packets() {
            assert!(matches!(packet.action, Action::Send(_)) && packet.buf.bytes()[0] == Code::ACCESS_ACCEPT.0);
        }
    }
    spent
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("hosted");
    group.throughput(Throughput::Elements(BATCH as u64));
    let cases: [(&str, u16, Proof); 4] =
        [("pap", 0, pap), ("chap", 0, chap), ("mschapv2", 0, mschapv2), ("pap_with_a_limit_of_sessions", 60_000, pap)];
    for (name, simultaneous, proof) in cases {
        group.bench_function(name, |bencher| {
            let mut world = group_world(move |group| {
                (group.simultaneous, group.lockout) = (simultaneous, Default::default());
            });
            (0..ACCOUNTS).for_each(|n| world.put(&user(n), &account()));
            bencher.iter_custom(|rounds| logins(&mut world, proof, rounds));
        });
    }
    group.finish();
    criterion.final_summary();
}
