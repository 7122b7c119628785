//! Editing a packet on its way, and proving a login, allocates nothing, not even the first time.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are not tests to clippy")]

#[path = "suite/common/mod.rs"]
#[allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "shared with the suite")]
mod common;

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

use common::*;
use sekisho_wire::buf::Buf;
use sekisho_wire::build::{RequestBuilder, write_reply};
use sekisho_wire::chap::ChapLogin;
use sekisho_wire::code::Code;
use sekisho_wire::dynauth::rewrite_dynauth;
use sekisho_wire::eap::response::{Answer, MsChapV2, parse};
use sekisho_wire::eap::{MAX_MESSAGE, gather, request};
use sekisho_wire::mschap::mppe::append_v1_keys;
use sekisho_wire::mschap::nt::NtHash;
use sekisho_wire::mschap::{MsChapLogin, v2};
use sekisho_wire::nai::{Place, Stripped};
use sekisho_wire::number::canonical_number;
use sekisho_wire::password;
use sekisho_wire::policy::{Policy, Rule, Value};
use sekisho_wire::salted::Salted;
use sekisho_wire::select::AttributeId::{Extended, Plain, Vendor};

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

fn counted(work: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.with(Cell::get);
    work();
    ALLOCATIONS.with(Cell::get) - before
}

fn policy() -> Policy {
    let literal = |octets: &[u8]| Value::Literal(octets.into());
    Policy::new(vec![
        Rule::Remove(Vendor(9, 1), Some(b"vpdn:"[..].into())),
        Rule::Remove(Extended(245, 1), None),
        Rule::Allow(vec![Plain(1), Plain(31), Plain(126), Vendor(9, 1), Extended(245, 2)]),
        Rule::Default(Plain(126), literal(b"1acme.example")),
        Rule::Replace(Vendor(9, 1), literal(b"ip:x")),
        Rule::Add(Plain(87), Value::Of(Plain(31))),
        Rule::Add(Extended(245, 2), literal(&[1; 600])),
    ])
}

fn cisco(request: RequestBuilder) -> RequestBuilder {
    request.vendor(9, 1, "vpdn:x").vendor(9, 1, "ip:y").vendor(10415, 1, "44010").attribute(245, b"\x01\x80long")
}

#[test]
fn rules_and_names_are_applied_without_allocating() {
    let request = cisco(RequestBuilder::new(Code::ACCESS_REQUEST, 7, RA_DOWN))
        .attribute(1, "alice@acme.example@carrier.example")
        .attribute(31, "+81 90 1234 5678");
    let mut packet = buf(&request.build(&nas()).unwrap());
    let mut request = verified(&packet, &nas());
    let policy = policy();
    let allocations = counted(|| {
        policy.edit_request(&mut packet, &mut request).unwrap();
        let mut name = [0; 253];
        let found = request.layout().user_name.unwrap();
        name[..found.len()].copy_from_slice(found.of(packet.bytes()));
        let stripped =
            Stripped::of(&name[..found.len()]).without_outer(b"carrier.example").without_realm(Place::Suffix);
        request.set_first(&mut packet, 1, stripped.user()).unwrap();
        let station = request.layout().calling_station.unwrap();
        assert!(canonical_number(station.of(packet.bytes()), "81", &mut [0; 32]).is_some());
    });
    assert_eq!(allocations, 0);
    assert_eq!(values(packet.bytes(), 1), [b"alice"]);
    assert_eq!(values(packet.bytes(), 87).len(), 1);

    let mut reply = Buf::new();
    write_reply(&mut reply, Code::ACCESS_ACCEPT, 9, &RA_UP, &home(), &[], &[(11, b"f"), (31, b"0901")]).unwrap();
    let mut accept = verified_reply(&reply, &RA_UP, &home());
    assert_eq!(counted(|| policy.edit_reply(&mut reply, &mut accept).unwrap()), 0);
    assert_eq!(values(reply.bytes(), 87), [b"0901"]);
}

#[test]
fn dynamic_authorization_is_rewritten_without_allocating() {
    let request = cisco(RequestBuilder::new(Code::COA_REQUEST, 7, [0; 16]).message_authenticator());
    let mut packet = buf(&request.vendor(311, 16, [1; 34]).build(&home()).unwrap());
    let (request, salted, nas) = (verified(&packet, &home()), Salted::default(), nas());
    let allocations = counted(|| {
        let (edits, seal) = rewrite_dynauth(&mut packet, &request, 9, OURS, &salted).unwrap();
        seal.apply(packet.bytes_mut(), &nas);
        assert_eq!(edits.hidden, 1);
    });
    assert_eq!(allocations, 0);
}

#[test]
fn logins_are_proved_and_answered_without_allocating() {
    let hash = NtHash::of(b"wonderland").unwrap();
    let nt = v2::nt_response(&[3; 16], &[4; 16], b"alice", &hash);
    let response = [&[9, 0][..], &[4; 16], &[0; 8], &nt].concat();
    let eap = [&[2, 7, 0, 64, 26, 2, 9, 0, 59, 49], &response[2..], &[0], b"alice"].concat();
    let request = RequestBuilder::new(Code::ACCESS_REQUEST, 7, RA_DOWN)
        .attribute(1, "alice")
        .user_password(b"wonderland", &nas())
        .chap_password(22, b"wonderland")
        .vendor(311, 11, [3; 16])
        .vendor(311, 25, &response)
        .attribute(79, &eap[..20])
        .attribute(79, &eap[20..]);
    let packet = request.build(&nas()).unwrap();
    let (layout, secret, mut reply) = (layout(&packet), nas(), buf(&packet));
    let allocations = counted(|| {
        let hidden = layout.user_password.unwrap().of(&packet);
        assert!(password::verify(hidden, &secret, &RA_DOWN, b"wonderland"));
        assert!(ChapLogin::find(&packet, &layout).unwrap().unwrap().is_by(b"wonderland"));
        let hash = NtHash::of(b"wonderland").unwrap();
        let Ok(Some(MsChapLogin::V2(challenge, login))) = MsChapLogin::find(&packet) else { panic!("not found") };
        let success = v2::verify(challenge, &login, b"alice", &hash).unwrap();
        success.append(&mut reply, login.ident).unwrap();
        success.keys().append(&mut reply, (&secret, &RA_DOWN, 1)).unwrap();
        append_v1_keys(&mut reply, &hash, (&secret, &RA_DOWN)).unwrap();
        let mut room = [0; MAX_MESSAGE];
        let message = gather(&packet, &mut room).unwrap().unwrap();
        let Answer::MsChapV2(MsChapV2::Response(again, b"alice")) = parse(message).unwrap().answer else {
            panic!("not found")
        };
        assert_eq!(again, login);
        let next = request::mschapv2_success(8, again.ident, &success).unwrap();
        reply.append_attribute(79, next.octets()).unwrap();
    });
    assert_eq!(allocations, 0);
}
