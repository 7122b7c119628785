//! Rules 9 and 10: how much each bucket admits, and what is charged to it. A test tells the time.

use sekisho_abi::{BucketParams, Limits, Outcome, Reason, Roles, Source};
use sekisho_kernel::{
    Gate, GateTable,
    testing::{Action, Frame},
};

use crate::world::*;

const USER_NAME: u8 = 1;
const ACCT_SESSION_ID: u8 = 44;

/// One flow of each family.
const FLOWS: [(&str, &str); 2] = [(CLIENT, AUTH), (CLIENT_V6, AUTH_V6)];

/// Rates a second, bursts, and for how long packets come, in nanoseconds.
const TRIALS: [(u32, u32, u64); 6] = [
    (1, 1, 5 * SECOND),
    (10, 4, 3 * SECOND),
    (100, 10, 2 * SECOND),
    (999, 50, SECOND),
    (10_000, 2_000, SECOND / 10),
    (1_000_000, 500, SECOND / 1000),
];

/// Both clients of [`FLOWS`] with these limits, each with its own buckets.
fn limited(limits: Limits) -> GateTable {
    let mut table = table();
    for (id, (from, _)) in (100..).zip(FLOWS) {
        let source = Source { limits, ..Source::unlimited(Roles::CLIENT.with(Roles::HOME_SERVER), id) };
        table.sources.insert(source_key(DOMAIN, from), source);
    }
    table
}

fn client(rate: u32, burst: u32) -> Limits {
    Limits { client: BucketParams::per_second(rate, burst), ..Limits::NONE }
}

fn session(rate: u32, burst: u32) -> Limits {
    Limits { session: BucketParams::per_second(rate, burst), ..Limits::NONE }
}

/// New sessions are limited, and each of them hardly.
fn new_session(rate: u32, burst: u32) -> Limits {
    Limits { new_session: BucketParams::per_second(rate, burst), ..session(1_000_000, 1000) }
}

fn with_session(from: &str, to: &str, session: impl AsRef<[u8]>) -> Vec<u8> {
    Frame::udp(at(from), at(to), radius_with(1, &attribute(ACCT_SESSION_ID, session))).build()
}

/// Offers three times what is to be admitted, over this long, and tells how much was.
fn admitted(gate: &Gate, (rate, burst, over): (u32, u32, u64), mut frame: impl FnMut(u64) -> Vec<u8>) -> u64 {
    let offered = 3 * expected((rate, burst, over));
    let passes = |n: &u64| {
        gate.set_clock(START + over * n / offered);
        gate.run(LO, &frame(*n)).unwrap().action == Action::Pass
    };
    (0..=offered).filter(passes).count() as u64
}

fn expected((rate, burst, over): (u32, u32, u64)) -> u64 {
    u64::from(rate) * over / SECOND + u64::from(burst)
}

/// How many of so many copies of a frame pass, at the same moment.
fn passing(gate: &Gate, frame: &[u8], copies: usize) -> usize {
    (0..copies).filter(|_| outcome(gate, frame) == Outcome::Passed).count()
}

fn refused(gate: &Gate, reason: Reason) -> u64 {
    gate.counters().unwrap().get(dropped(reason))
}

#[test]
fn a_client_gets_its_rate_over_the_time_and_its_burst() {
    for trial in TRIALS {
        for (from, to) in FLOWS {
            let gate = timed(&limited(client(trial.0, trial.1)));
            let frame = request(from, to).build();
            let count = admitted(&gate, trial, |_| frame.clone());
            assert!(count.abs_diff(expected(trial)) <= 1, "{trial:?} {from}: {count}");
            assert_eq!(refused(&gate, Reason::ClientRate), 3 * expected(trial) + 1 - count);
        }
    }
}

#[test]
fn a_session_gets_its_rate_over_the_time_and_its_burst() {
    for trial in TRIALS {
        for (from, to) in FLOWS {
            let gate = timed(&limited(session(trial.0, trial.1)));
            let frame = with_session(from, to, "0001");
            let count = admitted(&gate, trial, |_| frame.clone());
            assert!(count.abs_diff(expected(trial)) <= 1, "{trial:?} {from}: {count}");
            assert_eq!(refused(&gate, Reason::SessionRate), 3 * expected(trial) + 1 - count);
        }
    }
}

#[test]
fn new_sessions_come_at_their_rate_over_the_time_and_their_burst() {
    for trial in TRIALS {
        for (from, to) in FLOWS {
            let gate = timed(&limited(new_session(trial.0, trial.1)));
            let count = admitted(&gate, trial, |n| with_session(from, to, n.to_string()));
            assert!(count.abs_diff(expected(trial)) <= 1, "{trial:?} {from}: {count}");
            assert_eq!(refused(&gate, Reason::NewSessionRate), 3 * expected(trial) + 1 - count);
        }
    }
}

#[test]
fn packets_in_bunches_get_as_much_as_packets_in_a_row() {
    let gate = timed(&limited(client(100, 30)));
    let frame = request(CLIENT, AUTH).build();
    // Every tenth of a second 40 at once; 10 come free meanwhile.
    let counts: Vec<usize> = (0..10)
        .map(|tenth| {
            gate.set_clock(START + tenth * SECOND / 10);
            passing(&gate, &frame, 40)
        })
        .collect();
    assert_eq!(counts, [30, 10, 10, 10, 10, 10, 10, 10, 10, 10]);
    gate.set_clock(START + 100 * SECOND);
    assert_eq!(passing(&gate, &frame, 40), 30, "a pause fills the bucket, and no more than that");
}

#[test]
fn a_processor_that_is_late_gives_nothing_back() {
    // Two processors do not read their clocks at the same moment, nor charge in the order in which they read them.
    for limits in [client(1000, 100), session(1000, 100), new_session(1000, 100)] {
        let gate = timed(&limited(limits));
        let now = START + SECOND;
        gate.set_clock(now);
        let mut sent = 0;
        let mut passing = |count: u32| {
            let frames = (0..count).map(|_| {
                sent += u32::from(limits.new_session.limits());
                with_session(CLIENT, AUTH, sent.to_string())
            });
            frames.filter(|frame| outcome(&gate, frame) == Outcome::Passed).count()
        };
        assert_eq!(passing(110), 100);
        for late in [SECOND / 1000, SECOND / 200, SECOND / 100] {
            gate.set_clock(now - late);
            assert_eq!(passing(3), 0);
            gate.set_clock(now);
            assert_eq!(passing(20), 0, "{late} ns late");
        }
    }
}

#[test]
fn a_session_over_its_limit_leaves_its_neighbours_alone() {
    let gate = timed(&limited(session(20, 5)));
    for (from, to) in FLOWS {
        let (loud, calm) = (with_session(from, to, "loud"), with_session(from, to, "calm"));
        assert_eq!(passing(&gate, &calm, 1), 1);
        assert_eq!(passing(&gate, &loud, 200), 5);
        assert_eq!(passing(&gate, &calm, 4), 4);
        assert_eq!(outcome(&gate, &calm), dropped(Reason::SessionRate));
        for n in 0..50 {
            assert_eq!(passing(&gate, &with_session(from, to, format!("calm{n}")), 1), 1);
        }
        assert_eq!(outcome(&gate, &request(from, to).build()), Outcome::Passed, "nor what has no session");
    }
}

#[test]
fn invented_sessions_get_past_neither_the_clients_limit_nor_that_of_new_ones() {
    for (from, to) in FLOWS {
        let invent = |gate: &Gate| {
            (0..500).filter(|n| outcome(gate, &with_session(from, to, format!("{n}"))) == Outcome::Passed).count()
        };
        let both = Limits { client: BucketParams::per_second(100, 50), ..session(20, 10) };
        let gate = timed(&limited(both));
        assert_eq!(invent(&gate), 50);
        assert_eq!(refused(&gate, Reason::ClientRate), 450);

        let gate = timed(&limited(new_session(10, 20)));
        let known = with_session(from, to, "known");
        assert_eq!(passing(&gate, &known, 1), 1);
        assert_eq!(invent(&gate), 19);
        assert_eq!(refused(&gate, Reason::NewSessionRate), 481);
        assert_eq!(passing(&gate, &known, 30), 30, "a session that is known goes on");
    }
}

#[test]
fn who_is_refused_as_a_client_begins_no_session() {
    let limits = Limits { client: BucketParams::per_second(1, 1), ..new_session(1, 2) };
    let gate = timed(&limited(limits));
    assert_eq!(outcome(&gate, &with_session(CLIENT, AUTH, "1")), Outcome::Passed);
    for n in 0..20 {
        let frame = with_session(CLIENT, AUTH, format!("other{n}"));
        assert_eq!(outcome(&gate, &frame), dropped(Reason::ClientRate));
    }
    gate.set_clock(START + SECOND - 1);
    assert_eq!(outcome(&gate, &with_session(CLIENT, AUTH, "2")), dropped(Reason::ClientRate));
    gate.set_clock(START + SECOND);
    assert_eq!(outcome(&gate, &with_session(CLIENT, AUTH, "2")), Outcome::Passed, "of two new ones one was left");
}

#[test]
fn what_a_spoofer_or_a_stray_sends_charges_nothing() {
    let mut table = limited(client(1, 2));
    for (from, _) in FLOWS {
        let source = table.sources.get_mut(&source_key(DOMAIN, from)).unwrap();
        (source.ingresses, source.services) = (1, 1 | 4);
    }
    // The same domain by another way in.
    let vlan = sekisho_abi::IngressKey { ifindex: LO, outer_vlan: 7, inner_vlan: 0 };
    table.ingresses.insert(vlan, sekisho_abi::Ingress { domain: DOMAIN, index: 1 });
    let gate = timed(&table);
    for (from, to, dedicated) in [(CLIENT, AUTH, DEDICATED), (CLIENT_V6, AUTH_V6, DEDICATED_V6)] {
        for _ in 0..20 {
            let spoofed = request(from, to).vlan(7);
            assert_eq!(outcome(&gate, &spoofed.build()), dropped(Reason::WrongIngress));
            assert_eq!(outcome(&gate, &request(from, dedicated).build()), dropped(Reason::WrongService));
            let spoofed = request(from, dedicated).vlan(7).fragment(1, false);
            assert_eq!(outcome(&gate, &spoofed.build()), dropped(Reason::WrongIngress));
            let malformed = |payload: Vec<u8>| Frame::udp(at(from), at(to), payload).build();
            assert_eq!(outcome(&gate, &malformed(vec![1; 19])), dropped(Reason::TooShort));
            assert_eq!(outcome(&gate, &malformed(radius(4))), dropped(Reason::BadCode));
            assert_eq!(outcome(&gate, &malformed(vec![1; 30])), dropped(Reason::BadLength));
        }
        if to == AUTH {
            for _ in 0..20 {
                let frame = Frame::udp(at(from), at(DYNAUTH), radius(40)).build();
                assert_eq!(outcome(&gate, &frame), dropped(Reason::WrongRole));
                let reply = Frame::udp(at(from), at(UPSTREAM), radius(2)).build();
                assert_eq!(outcome(&gate, &reply), Outcome::Passed, "a reply to our own port");
            }
        }
        assert_eq!(passing(&gate, &request(from, to).build(), 5), 2);
    }
}

#[test]
fn fragments_and_options_and_bad_attributes_are_paid_for() {
    for (from, to) in FLOWS {
        let gate = timed(&limited(client(1, 5)));
        let odd = match at(to).is_ipv4() {
            true => request(from, to).options(&[1; 4]),
            false => request(from, to).extension(60, &[0; 6]),
        };
        assert_eq!(outcome(&gate, &odd.build()), Outcome::Passed);
        assert_eq!(outcome(&gate, &request(from, to).fragment(0, true).build()), Outcome::Passed);
        assert_eq!(outcome(&gate, &request(from, to).fragment(9, false).build()), Outcome::Passed);
        let bad = Frame::udp(at(from), at(to), radius_with(1, &[USER_NAME, 1])).build();
        assert_eq!(outcome(&gate, &bad), dropped(Reason::BadAttribute));
        assert_eq!(outcome(&gate, &request(from, to).build()), Outcome::Passed);
        let all = [odd.build(), request(from, to).fragment(9, false).build(), bad, request(from, to).build()];
        for frame in all {
            assert_eq!(outcome(&gate, &frame), dropped(Reason::ClientRate));
        }
    }
}

#[test]
fn limits_change_while_packets_come() {
    let mut gate = timed(&limited(session(10, 4)));
    for (from, to) in FLOWS {
        assert_eq!(passing(&gate, &with_session(from, to, "1"), 6), 4);
    }
    gate.add(&limited(session(10, 6))).unwrap();
    for (from, to) in FLOWS {
        assert_eq!(passing(&gate, &with_session(from, to, "1"), 6), 2, "the session's bucket goes on");
        assert_eq!(passing(&gate, &with_session(from, to, "2"), 8), 6);
    }
    gate.add(&limited(Limits::NONE)).unwrap();
    assert_eq!(passing(&gate, &with_session(CLIENT, AUTH, "1"), 50), 50);
    gate.add(&limited(new_session(10, 1))).unwrap();
    assert_eq!(outcome(&gate, &with_session(CLIENT, AUTH, "3")), Outcome::Passed);
    assert_eq!(outcome(&gate, &with_session(CLIENT, AUTH, "4")), dropped(Reason::NewSessionRate));
}

#[test]
fn accounting_and_dynamic_authorization_are_charged_like_logins() {
    let mut table = limited(client(1, 3));
    let key = source_key(DOMAIN, CLIENT);
    table.sources.get_mut(&key).unwrap().roles = Roles::CLIENT.with(Roles::DYNAUTH);
    let gate = timed(&table);
    let to = |to: &str, code| Frame::udp(at(CLIENT), at(to), radius(code)).build();
    for frame in [to(AUTH, 12), to(ACCT, 4), to(DYNAUTH, 43)] {
        assert_eq!(outcome(&gate, &frame), Outcome::Passed);
    }
    for frame in [to(AUTH, 1), to(ACCT, 12), to(DYNAUTH, 40)] {
        assert_eq!(outcome(&gate, &frame), dropped(Reason::ClientRate));
    }
}
