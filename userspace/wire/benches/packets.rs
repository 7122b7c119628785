//! What a packet costs. Packets of 180 octets, secrets of 16, as an access network's login has.

#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use sekisho_wire::buf::Buf;
use sekisho_wire::build::{RequestBuilder, salted_field, write_reply};
use sekisho_wire::code::Code;
use sekisho_wire::forward::forward_request;
use sekisho_wire::md5::Md5;
use sekisho_wire::md5::batch::{Message, digest_all};
use sekisho_wire::md5::lanes::compress_lanes;
use sekisho_wire::reply::{Hops, restore_reply};
use sekisho_wire::salted::Salted;
use sekisho_wire::scan::scan;
use sekisho_wire::secret::Secret;
use sekisho_wire::verify::{RequestPolicy, RequestToVerify, verify_reply, verify_request, verify_requests};

const POLICY: RequestPolicy = RequestPolicy { require_message_authenticator: false, limit_proxy_state: true };

fn secrets() -> (Secret, Secret) {
    (Secret::new("0123456789abcdef").unwrap(), Secret::new("fedcba9876543210").unwrap())
}

fn fill(request: RequestBuilder, secret: &Secret, size: usize) -> Vec<u8> {
    let len = request.clone().build(secret).unwrap().len();
    request.attribute(25, vec![7; size - len - 2]).build(secret).unwrap()
}

fn login(secret: &Secret) -> Vec<u8> {
    let request = RequestBuilder::new(Code::ACCESS_REQUEST, 1, [7; 16])
        .message_authenticator()
        .attribute(1, "subscriber0001@acme.example")
        .user_password(b"wonderland", secret)
        .attribute(4, [192, 0, 2, 1])
        .attribute(6, [0, 0, 0, 2])
        .attribute(31, "819012345678");
    fill(request, secret, 180)
}

fn accounting(secret: &Secret) -> Vec<u8> {
    let request = RequestBuilder::new(Code::ACCOUNTING_REQUEST, 1, [0; 16])
        .attribute(1, "subscriber0001@acme.example")
        .attribute(40, [0, 0, 0, 1])
        .attribute(44, "session-000001")
        .attribute(4, [192, 0, 2, 1]);
    fill(request, secret, 180)
}

fn requests(c: &mut Criterion) {
    let (from, to) = secrets();
    for (name, packet) in [("login", login(&from)), ("accounting", accounting(&from))] {
        let mut group = c.benchmark_group(name);
        let mut buf = Buf::new();
        buf.load(&packet).unwrap();
        let layout = scan(buf.bytes()).unwrap();
        let verified = verify_request(&buf, &layout, &from, POLICY).unwrap();
        group.bench_function("load", |b| b.iter(|| buf.load(black_box(&packet))));
        group.bench_function("scan", |b| b.iter(|| scan(black_box(&packet))));
        group.bench_function("verify", |b| b.iter(|| verify_request(black_box(&buf), &layout, &from, POLICY).is_ok()));
        group.bench_function("load + forward", |b| {
            b.iter(|| {
                buf.load(&packet).unwrap();
                forward_request(&mut buf, &verified, &from, &to, 2, &[9; 16], b"12345678")
            })
        });
    }
}

fn requests_together(c: &mut Criterion) {
    let (secret, _) = secrets();
    for (name, packet) in [("login", login(&secret)), ("accounting", accounting(&secret))] {
        let layout = scan(&packet).unwrap();
        for count in [1, 2, 4, 8, 16, 32] {
            let bufs: Vec<Buf> = (0..count)
                .map(|_| {
                    let mut b = Buf::new();
                    b.load(&packet).unwrap();
                    b
                })
                .collect();
            let requests: Vec<_> = bufs
                .iter()
                .map(|buf| RequestToVerify { buf, layout: &layout, secret: &secret, policy: POLICY })
                .collect();
            let mut group = c.benchmark_group(format!("{name} together"));
            group.throughput(Throughput::Elements(count));
            group.bench_function(format!("verify {count}"), |b| {
                b.iter(|| verify_requests(black_box(&requests), |_, verdict| assert!(verdict.is_ok())))
            });
        }
    }
}

fn replies(c: &mut Criterion) {
    let (client, home) = secrets();
    let tunnel = [&[1][..], &salted_field(b"an lns secret", 0x8001, &home, &[9; 16]).unwrap()].concat();
    let plain: &[(u8, &[u8])] = &[(6, &[0, 0, 0, 2]), (8, &[192, 0, 2, 9]), (25, &[7; 40]), (33, b"12345678")];
    let salted: &[(u8, &[u8])] = &[(69, &tunnel), (33, b"12345678")];
    let request = RequestBuilder::new(Code::ACCESS_REQUEST, 2, [9; 16]).attribute(33, "12345678");
    let request = request.build(&home).unwrap();
    for (name, attrs) in [("accept", plain), ("accept with tunnel password", salted)] {
        let mut group = c.benchmark_group(name);
        let mut buf = Buf::new();
        write_reply(&mut buf, Code::ACCESS_ACCEPT, 2, &[9; 16], &home, &[], attrs).unwrap();
        let packet = buf.bytes().to_vec();
        let layout = scan(&packet).unwrap();
        let reply = verify_reply(&buf, &layout, &[9; 16], &home, true).unwrap();
        group.bench_function("verify", |b| {
            b.iter(|| verify_reply(black_box(&buf), &layout, &[9; 16], &home, true).is_ok())
        });
        let mut salts = || 0x8123;
        let (upstream_request, salted) = (&request[..], &Salted::default());
        let (from, to, own_proxy_state) = (&home, &client, &b"12345678"[..]);
        let hops = Hops { upstream_request, from, to, client_id: 1, client_ra: &[7; 16], own_proxy_state, salted };
        group.bench_function("load + restore", |b| {
            b.iter(|| {
                buf.load(&packet).unwrap();
                restore_reply(&mut buf, &reply, &hops, &mut salts)
            })
        });
    }
}

fn lanes<const V: usize>(c: &mut Criterion) {
    let mut group = c.benchmark_group("compress");
    group.throughput(Throughput::Elements(4 * V as u64));
    let blocks = [[[7u8; 64]; 4]; V];
    let mut state = [[[1u32; 4]; 4]; V];
    group.bench_function(format!("{} lanes", 4 * V), |b| b.iter(|| compress_lanes(&mut state, black_box(&blocks))));
}

fn digests(c: &mut Criterion) {
    c.bench_function("compress/scalar", |b| {
        let mut state = [1u32; 4];
        b.iter(|| md5::block_api::compress(&mut state, black_box(&[[7; 64]])))
    });
    let packet = [7; 180];
    c.bench_function("digest/180 octets", |b| b.iter(|| Md5::digest(black_box(&packet))));
    for count in [1, 8, 16] {
        let messages = vec![Message::new([&packet, &[], &[], &[], &[]]); count];
        let mut digests = vec![[0; 16]; count];
        c.bench_function(&format!("digest/{count} of 180 octets together"), |b| {
            b.iter(|| digest_all(black_box(&messages), &mut digests))
        });
    }
    lanes::<1>(c);
    lanes::<2>(c);
    lanes::<3>(c);
    lanes::<4>(c);
}

criterion_group!(benches, requests, requests_together, replies, digests);
criterion_main!(benches);
