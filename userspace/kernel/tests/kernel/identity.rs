//! Rule 11: what tells one session from another, and whose buckets a packet is charged to.

use sekisho_abi::{BucketParams, Identity, Limits, Outcome, Prefix, Reason, Roles, Source};
use sekisho_kernel::{Gate, GateTable, testing::Frame};

use crate::world::*;

const USER_NAME: u8 = 1;
const VENDOR_SPECIFIC: u8 = 26;
const CALLING_STATION_ID: u8 = 31;
const ACCT_SESSION_ID: u8 = 44;

const FLOWS: [(&str, &str); 2] = [(CLIENT, AUTH), (CLIENT_V6, AUTH_V6)];

/// One packet of a session, and no more for a second.
const ONE_EACH: Limits = Limits { session: BucketParams::per_second(1, 1), ..Limits::NONE };

fn source(owner: u64, identity: Identity, limits: Limits) -> Source {
    Source { identity, limits, owner, ..Source::unlimited(Roles::CLIENT, 50) }
}

/// Both clients of [`FLOWS`], each for itself.
fn identified(identity: Identity) -> GateTable {
    let mut table = table();
    for (owner, (from, _)) in (500..).zip(FLOWS) {
        table.sources.insert(source_key(DOMAIN, from), source(owner, identity, ONE_EACH));
    }
    table
}

fn ask(gate: &Gate, (from, to): (&str, &str), attributes: &[Vec<u8>]) -> Outcome {
    outcome(gate, &Frame::udp(at(from), at(to), radius_with(1, &attributes.concat())).build())
}

fn imsi(digits: &str) -> Vec<u8> {
    // 3GPP's vendor number, type 1, the length of type, length and value.
    let head = [0, 0, 0x28, 0xaf, 1, digits.len() as u8 + 2];
    attribute(VENDOR_SPECIFIC, [&head, digits.as_bytes()].concat())
}

const OVER: Outcome = Outcome::Dropped(Reason::SessionRate);

#[test]
fn priority_names_the_session_and_not_the_order_in_the_packet() {
    let gate = timed(&identified(Identity::CLIENT));
    for flow in FLOWS {
        let name = |text: &str| attribute(USER_NAME, text);
        let station = |text: &str| attribute(CALLING_STATION_ID, text);
        let session = |text: &str| attribute(ACCT_SESSION_ID, text);
        assert_eq!(ask(&gate, flow, &[name("a"), station("x"), session("1")]), Outcome::Passed);
        assert_eq!(ask(&gate, flow, &[session("1"), station("y"), name("b")]), OVER);
        assert_eq!(ask(&gate, flow, &[station("z"), session("1")]), OVER);
        assert_eq!(ask(&gate, flow, &[name("a"), station("x"), session("2")]), Outcome::Passed, "another session");
        assert_eq!(ask(&gate, flow, &[name("a"), station("x")]), Outcome::Passed, "named by its station");
        assert_eq!(ask(&gate, flow, &[station("x"), name("b")]), OVER);
        assert_eq!(ask(&gate, flow, &[name("a")]), Outcome::Passed, "named by its user");
        assert_eq!(ask(&gate, flow, &[attribute(4, [1, 2, 3, 4]), name("a")]), OVER);
    }
}

#[test]
fn the_same_octets_in_another_attribute_are_another_session() {
    let gate = timed(&identified(Identity::CLIENT));
    for flow in FLOWS {
        for kind in [USER_NAME, CALLING_STATION_ID, ACCT_SESSION_ID] {
            assert_eq!(ask(&gate, flow, &[attribute(kind, "same")]), Outcome::Passed, "{kind}");
            assert_eq!(ask(&gate, flow, &[attribute(kind, "same")]), OVER, "{kind}");
        }
    }
}

#[test]
fn values_of_every_length_are_told_apart_from_their_beginnings() {
    let gate = timed(&identified(Identity::CLIENT));
    let value: Vec<u8> = (0..253).map(|n| n as u8 ^ 0x5a).collect();
    for flow in FLOWS {
        for length in 0..=253 {
            assert_eq!(ask(&gate, flow, &[attribute(ACCT_SESSION_ID, &value[..length])]), Outcome::Passed, "{length}");
            assert_eq!(ask(&gate, flow, &[attribute(ACCT_SESSION_ID, &value[..length])]), OVER, "{length}");
        }
        for octet in 0..20 {
            let mut other = value[..20].to_vec();
            other[octet] ^= 0x80;
            assert_eq!(ask(&gate, flow, &[attribute(ACCT_SESSION_ID, &other)]), Outcome::Passed, "octet {octet}");
        }
    }
}

#[test]
fn a_packet_that_names_no_session_is_charged_to_its_client_alone() {
    let mut table = identified(Identity::ACCESS_NETWORK);
    for (from, _) in FLOWS {
        let limits = Limits { client: BucketParams::per_second(1, 5), ..ONE_EACH };
        table.sources.get_mut(&source_key(DOMAIN, from)).unwrap().limits = limits;
    }
    let gate = timed(&table);
    for flow in FLOWS {
        let attributes = [attribute(USER_NAME, "fleet"), attribute(ACCT_SESSION_ID, "1")];
        for _ in 0..5 {
            assert_eq!(ask(&gate, flow, &attributes), Outcome::Passed);
        }
        assert_eq!(ask(&gate, flow, &attributes), dropped(Reason::ClientRate));
    }
}

#[test]
fn an_access_networks_session_is_its_station_and_then_its_subscriber() {
    let gate = timed(&identified(Identity::ACCESS_NETWORK));
    for flow in FLOWS {
        let other = attribute(VENDOR_SPECIFIC, [0, 0, 0, 9, 1, 3, 7]);
        let station = attribute(CALLING_STATION_ID, "09012345678");
        assert_eq!(ask(&gate, flow, &[imsi("440101234567890"), station.clone()]), Outcome::Passed);
        assert_eq!(ask(&gate, flow, &[station, imsi("440101234567891")]), OVER);
        assert_eq!(ask(&gate, flow, &[other.clone(), imsi("440101234567890")]), Outcome::Passed);
        assert_eq!(ask(&gate, flow, &[imsi("440101234567890"), other.clone()]), OVER);
        assert_eq!(ask(&gate, flow, &[imsi("440101234567891")]), Outcome::Passed);
        for _ in 0..3 {
            assert_eq!(ask(&gate, flow, std::slice::from_ref(&other)), Outcome::Passed, "another vendor's is none");
            let short = attribute(VENDOR_SPECIFIC, [0, 0, 0x28, 0xaf, 1]);
            assert_eq!(ask(&gate, flow, &[short]), Outcome::Passed, "nor one that ends before its value");
        }
    }
}

#[test]
fn of_a_repeated_attribute_the_last_counts() {
    let gate = timed(&identified(Identity::CLIENT));
    for flow in FLOWS {
        let session = |text: &str| attribute(ACCT_SESSION_ID, text);
        assert_eq!(ask(&gate, flow, &[session("1"), session("2")]), Outcome::Passed);
        assert_eq!(ask(&gate, flow, &[session("2")]), OVER);
        assert_eq!(ask(&gate, flow, &[session("1")]), Outcome::Passed);
    }
}

#[test]
fn two_clients_do_not_share_a_session_and_two_addresses_of_one_do() {
    let mut table = identified(Identity::CLIENT);
    table.sources.insert(source_key(DOMAIN, STRANGER), source(500, Identity::CLIENT, ONE_EACH));
    table.sources.insert(source_key(DOMAIN, OTHER_SERVICE), source(502, Identity::CLIENT, ONE_EACH));
    let gate = timed(&table);
    let session = [attribute(ACCT_SESSION_ID, "0001")];
    assert_eq!(ask(&gate, (CLIENT, AUTH), &session), Outcome::Passed);
    assert_eq!(ask(&gate, (STRANGER, AUTH), &session), OVER, "the same owner's other address");
    assert_eq!(ask(&gate, (OTHER_SERVICE, AUTH), &session), Outcome::Passed, "another owner");
    assert_eq!(ask(&gate, (CLIENT_V6, AUTH_V6), &session), Outcome::Passed, "a third one");
}

#[test]
fn all_of_a_prefix_share_its_buckets_and_an_address_of_its_own_has_its_own() {
    let shared = Limits { client: BucketParams::per_second(1, 3), ..Limits::NONE };
    for (to, within, prefix, length, exact, beside) in [
        (AUTH, ["10.1.0.1:1", "10.1.2.2:2", "10.1.255.255:3"], "10.1.0.0:1", 16, "10.1.2.3:1", "10.2.0.1:1"),
        (
            AUTH_V6,
            ["[2001:db8:7::1]:1", "[2001:db8:7:8::9]:2", "[2001:db8:7:ffff::]:3"],
            "[2001:db8:7::]:1",
            48,
            "[2001:db8:7::77]:1",
            "[2001:db8:8::1]:1",
        ),
    ] {
        let mut table = table();
        let network = Source { roles: Roles::ACCESS_NETWORK, ..source(600, Identity::ACCESS_NETWORK, shared) };
        assert!(table.prefixes.insert(Prefix::new(DOMAIN, octets(prefix), length), network));
        table.sources.insert(source_key(DOMAIN, exact), source(601, Identity::CLIENT, shared));
        let gate = timed(&table);
        for from in within {
            assert_eq!(ask(&gate, (from, to), &[]), Outcome::Passed, "{from}");
        }
        for from in within {
            assert_eq!(ask(&gate, (from, to), &[]), dropped(Reason::ClientRate), "{from}");
        }
        for _ in 0..3 {
            assert_eq!(ask(&gate, (exact, to), &[]), Outcome::Passed, "{exact}");
        }
        assert_eq!(ask(&gate, (exact, to), &[]), dropped(Reason::ClientRate), "{exact}");
        assert_eq!(ask(&gate, (beside, to), &[]), dropped(Reason::Unregistered), "{beside}");
    }
}
