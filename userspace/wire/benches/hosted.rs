//! What it costs to prove the password of an account of our own, and to give its keys. Names of 27 octets, passwords of 10.

#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use sekisho_wire::buf::Buf;
use sekisho_wire::build::chap_response;
use sekisho_wire::mschap::mppe::append_v1_keys;
use sekisho_wire::mschap::nt::NtHash;
use sekisho_wire::mschap::{v1, v2};
use sekisho_wire::password::{hide, verify};
use sekisho_wire::secret::Secret;
use sekisho_wire::{chap, eap};

const PASSWORD: &[u8] = b"wonderland";
const NAME: &[u8] = b"subscriber0001@acme.example";
const RA: [u8; 16] = [7; 16];

fn pap_and_chap(c: &mut Criterion) {
    let secret = Secret::new("0123456789abcdef").unwrap();
    let mut hidden = [0; 16];
    hidden[..PASSWORD.len()].copy_from_slice(PASSWORD);
    hide(&mut hidden, &secret, &RA).unwrap();
    assert!(verify(&hidden, &secret, &RA, PASSWORD));
    c.bench_function("pap/verify", |b| b.iter(|| verify(black_box(&hidden), &secret, &RA, black_box(PASSWORD))));

    let (response, id) = (chap_response(22, PASSWORD, &RA), 22);
    let response = response.last_chunk().unwrap();
    assert!(chap::verify(id, &RA, response, PASSWORD));
    c.bench_function("chap/verify", |b| b.iter(|| chap::verify(id, &RA, black_box(response), black_box(PASSWORD))));
}

fn mschap(c: &mut Criterion) {
    let secret = Secret::new("0123456789abcdef").unwrap();
    let hash = NtHash::of(PASSWORD).unwrap();
    c.bench_function("mschap/hash of a password", |b| b.iter(|| NtHash::of(black_box(PASSWORD)).is_ok()));

    let nt = hash.challenge_response(&[3; 8]);
    let response = v1::Response { ident: 1, nt: &nt };
    let mut buf = Buf::new();
    c.bench_function("mschap/v1 verify + keys", |b| {
        b.iter(|| {
            buf.trim(0);
            assert!(v1::verify(&[3; 8], black_box(&response), &hash));
            append_v1_keys(&mut buf, &hash, (&secret, &RA))
        })
    });

    let nt = v2::nt_response(&[3; 16], &[4; 16], NAME, &hash);
    let response = v2::Response { ident: 1, peer_challenge: &[4; 16], nt: &nt };
    c.bench_function("mschap/v2 verify", |b| {
        b.iter(|| v2::verify(&[3; 16], black_box(&response), NAME, &hash).is_some())
    });
    let wrong = v2::Response { peer_challenge: &[5; 16], ..response };
    c.bench_function("mschap/v2 refuse", |b| b.iter(|| v2::verify(&[3; 16], black_box(&wrong), NAME, &hash).is_some()));
    c.bench_function("mschap/v2 verify + success + keys", |b| {
        b.iter(|| {
            buf.trim(0);
            let success = v2::verify(&[3; 16], black_box(&response), NAME, &hash).unwrap();
            success.append(&mut buf, 1).unwrap();
            success.keys().append(&mut buf, (&secret, &RA, 1))
        })
    });
}

fn messages(c: &mut Criterion) {
    let value = [&[4; 16][..], &[0; 8], &[9; 24], &[0], NAME].concat();
    let length = 5 + value.len();
    let message = [&[2, 7, 0, 5 + length as u8, 26, 2, 7, 0, length as u8, 49], &value[..]].concat();
    assert!(eap::response::parse(&message).is_ok());
    c.bench_function("eap/parse mschapv2", |b| b.iter(|| eap::response::parse(black_box(&message)).is_ok()));
}

criterion_group!(benches, pap_and_chap, mschap, messages);
criterion_main!(benches);
