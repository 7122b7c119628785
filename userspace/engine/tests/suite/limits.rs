//! Rate limits where the kernel keeps none, and what is shed (rules 9 to 11).

use std::{sync::Arc, time::Duration};

use crate::common::*;
use sekisho_abi::{BucketParams, Identity, Ingress, IngressKey, Limits as Rates, Reason, shed};
use sekisho_engine::{
    Limits,
    packet::{Action, Socket},
    snapshot::RoutingSnapshot,
};
use sekisho_wire::{attr, build::RequestBuilder, code::Code};

const NONE: BucketParams = BucketParams::NONE;

fn rate(per_second: u32, burst: u32) -> BucketParams {
    BucketParams::per_second(per_second, burst)
}

/// Gives every source these limits.
fn limit(snapshot: &mut RoutingSnapshot, limits: Rates) {
    snapshot.gate.sources.values_mut().for_each(|source| source.limits = limits);
}

fn limited(limits: Rates) -> World {
    World::with(Plan::shaped(move |snapshot| limit(snapshot, limits)), Limits::default())
}

fn outcome(world: &mut World, service: u16, request: &[u8]) -> Result<(), Reason> {
    match world.receive(Socket::Service(service), address(NAS), request).0 {
        Action::Drop(reason) => Err(reason),
        _ => Ok(()),
    }
}

/// The nth login, by the device with this number.
fn login(n: u32, device: &str) -> Vec<u8> {
    let mut authenticator = [0; 16];
    authenticator[..4].copy_from_slice(&n.to_be_bytes());
    RequestBuilder::new(Code::ACCESS_REQUEST, n as u8, authenticator)
        .attribute(attr::USER_NAME, "everybody@a.example")
        .attribute(attr::CALLING_STATION_ID, device)
        .attribute(attr::ACCT_SESSION_ID, format!("attempt {n}"))
        .message_authenticator()
        .build(&nas_secret())
        .unwrap()
}

fn status_server(id: u8) -> Vec<u8> {
    RequestBuilder::new(Code::STATUS_SERVER, id, [id; 16]).message_authenticator().build(&nas_secret()).unwrap()
}

#[test]
fn a_client_gets_its_burst_and_then_its_rate() {
    let mut world = limited(Rates { client: rate(10, 3), ..Rates::NONE });
    let mut n = 0;
    let mut next = |world: &mut World| {
        n += 1;
        outcome(world, AUTH, &login(n, "1"))
    };
    assert_eq!(
        [(); 5].map(|()| next(&mut world)),
        [Ok(()), Ok(()), Ok(()), Err(Reason::ClientRate), Err(Reason::ClientRate)]
    );
    world.pass(Duration::from_millis(100));
    assert_eq!([(); 2].map(|()| next(&mut world)), [Ok(()), Err(Reason::ClientRate)]);
    assert_eq!(world.dropped(Reason::ClientRate), 3);
    let customer = world.snapshot.customers[0].as_ref().unwrap();
    assert_eq!(customer.stats.sum(|stats| &stats.dropped), 3, "the customer's operator sees it");
    assert_eq!(world.stats.forwarded.read(), 4);
}

#[test]
fn what_is_admitted_over_a_time_is_rate_times_time_and_the_burst() {
    let mut world = limited(Rates { client: rate(70, 20), ..Rates::NONE });
    let mut admitted = 0;
    for n in 0..3_000 {
        world.now = sekisho_engine::Time(world.now.0 + 1_000_000);
        admitted += u32::from(outcome(&mut world, AUTH, &login(n, "1")).is_ok());
    }
    assert!((3 * 70 + 20u32).abs_diff(admitted) <= 1, "{admitted}");
}

#[test]
fn one_session_over_its_rate_leaves_its_neighbours_alone() {
    let mut world = limited(Rates { session: rate(1, 5), new_session: rate(1_000, 1_000), ..Rates::NONE });
    let record = |n: u32, session: &str| {
        let status = 1 + 2 * u32::from(n > 0);
        RequestBuilder::new(Code::ACCOUNTING_REQUEST, n as u8, [0; 16])
            .attribute(attr::ACCT_STATUS_TYPE, status.to_be_bytes())
            .attribute(attr::USER_NAME, format!("{n}@a.example"))
            .attribute(attr::ACCT_SESSION_ID, session)
            .build(&nas_secret())
            .unwrap()
    };
    let loud: Vec<_> = (0..20).map(|n| outcome(&mut world, ACCT, &record(n, "loud"))).collect();
    assert_eq!(loud.iter().filter(|outcome| outcome.is_ok()).count(), 5);
    assert!(loud[5..].iter().all(|outcome| *outcome == Err(Reason::SessionRate)));
    for session in 0..50 {
        assert_eq!(outcome(&mut world, ACCT, &record(100 + session, &format!("quiet {session}"))), Ok(()));
    }
    assert_eq!(outcome(&mut world, ACCT, &record(200, "loud")), Err(Reason::SessionRate));
    world.pass(Duration::from_secs(1));
    assert_eq!(outcome(&mut world, ACCT, &record(201, "loud")), Ok(()));
}

#[test]
fn whoever_invents_sessions_gets_no_further_than_the_rate_of_new_ones() {
    let mut world = limited(Rates { session: rate(1, 5), new_session: rate(10, 4), ..Rates::NONE });
    let outcomes: Vec<_> = (0..10).map(|n| outcome(&mut world, AUTH, &login(n, "the same"))).collect();
    // Acct-Session-Id goes first, so that each attempt is a session of its own.
    assert!(outcomes[..4].iter().all(Result::is_ok));
    assert!(outcomes[4..].iter().all(|outcome| *outcome == Err(Reason::NewSessionRate)));
    world.pass(Duration::from_millis(100));
    assert_eq!(outcome(&mut world, AUTH, &login(10, "the same")), Ok(()));
    let known = outcome(&mut world, AUTH, &login(1, "the same"));
    assert_eq!(known, Err(Reason::Absorbed), "a session that there is goes on");
}

#[test]
fn sessions_without_a_limit_of_their_own_are_known_again_where_new_ones_are_limited() {
    const SESSIONS: u32 = 2_000;
    let mut world = limited(Rates { new_session: rate(1, SESSIONS), ..Rates::NONE });
    for round in 1..4 {
        for session in 0..SESSIONS {
            let record = RequestBuilder::new(Code::ACCOUNTING_REQUEST, session as u8, [0; 16])
                .attribute(attr::ACCT_STATUS_TYPE, [0, 0, 0, round])
                .attribute(attr::USER_NAME, "x@nowhere.example")
                .attribute(attr::ACCT_SESSION_ID, format!("session {session}"))
                .build(&nas_secret())
                .unwrap();
            world.now = sekisho_engine::Time(world.now.0 + 1_000);
            assert_eq!(outcome(&mut world, ACCT, &record), Err(Reason::Unrouted), "{session} in round {round}");
        }
    }
}

#[test]
fn a_device_behind_an_access_network_is_known_by_its_number_whatever_else_it_says() {
    let mut world = World::with(
        Plan::shaped(|snapshot| {
            limit(snapshot, Rates { session: rate(1, 3), new_session: rate(100, 100), ..Rates::NONE });
            snapshot.gate.sources.values_mut().for_each(|source| source.identity = Identity::ACCESS_NETWORK);
        }),
        Limits::default(),
    );
    let outcomes: Vec<_> = (0..6).map(|n| outcome(&mut world, AUTH, &login(n, "819012345678"))).collect();
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 3);
    assert_eq!(outcomes[5], Err(Reason::SessionRate));
    assert_eq!(outcome(&mut world, AUTH, &login(6, "819012345679")), Ok(()), "though they share a User-Name");
}

#[test]
fn nobody_drains_a_clients_bucket_by_its_address_on_the_wrong_ingress() {
    let mut world = World::with(
        Plan::shaped(|snapshot| {
            limit(snapshot, Rates { client: rate(1, 2), ..Rates::NONE });
            snapshot.gate.sources.values_mut().for_each(|source| source.ingresses = 1);
            snapshot.gate.ingresses.insert(IngressKey::untagged(ELSEWHERE), Ingress { domain: 0, index: 1 });
        }),
        Limits::default(),
    );
    world.ifindex = ELSEWHERE;
    for n in 0..20 {
        assert_eq!(outcome(&mut world, AUTH, &login(n, "1")), Err(Reason::WrongIngress));
    }
    world.ifindex = IFINDEX;
    assert_eq!(outcome(&mut world, AUTH, &login(20, "1")), Ok(()));
    assert_eq!(outcome(&mut world, AUTH, &login(21, "1")), Ok(()));
}

#[test]
fn what_the_kernel_has_charged_is_not_charged_again() {
    let mut world = limited(Rates { client: rate(1, 1), session: rate(1, 1), new_session: rate(1, 1) });
    world.settings.limiter.set_gated(1);
    world.settings.limiter.set_shed(shed::STARTS);
    for n in 0..5 {
        assert_eq!(outcome(&mut world, AUTH, &login(n, "1")), Ok(()));
    }
    assert_eq!(outcome(&mut world, ACCT, &accounting(1, "a@a.example", 3)), Ok(()), "nor shed");
    world.settings.limiter.set_gated(0);
    assert_eq!(outcome(&mut world, AUTH, &login(5, "1")), Ok(()));
    assert_eq!(outcome(&mut world, AUTH, &login(6, "1")), Err(Reason::ClientRate));
}

#[test]
fn workers_share_the_buckets() {
    let mut one = limited(Rates { client: rate(1, 3), session: rate(1, 2), new_session: NONE });
    let mut other = one.beside(1);
    let log = |world: &mut World, n| outcome(world, AUTH, &login(n, "1").clone());
    assert_eq!([log(&mut one, 1), log(&mut other, 1)], [Ok(()), Ok(())]);
    assert_eq!(log(&mut other, 1), Err(Reason::SessionRate), "both have had a packet of this session");
    assert_eq!([log(&mut one, 2), log(&mut other, 3)], [Err(Reason::ClientRate); 2]);
}

#[test]
fn a_reload_refills_no_bucket_and_new_rates_count_at_once() {
    let state = Arc::default();
    let kept = Arc::clone(&state);
    let mut world = World::with(
        Plan::shaped(move |snapshot| {
            limit(snapshot, Rates { client: rate(1, 2), ..Rates::NONE });
            client(snapshot, 0).state = Arc::clone(&kept);
        }),
        Limits::default(),
    );
    assert_eq!([0, 1, 2].map(|n| outcome(&mut world, AUTH, &login(n, "1"))), [Ok(()), Ok(()), Err(Reason::ClientRate)]);
    world.reload(|_| {});
    assert_eq!(outcome(&mut world, AUTH, &login(3, "1")), Err(Reason::ClientRate));
    world.reload(|plan| plan.reshape(|snapshot| limit(snapshot, Rates { client: rate(100, 10), ..Rates::NONE })));
    assert_eq!(outcome(&mut world, AUTH, &login(4, "1")), Err(Reason::ClientRate));
    world.pass(Duration::from_millis(20));
    assert_eq!(outcome(&mut world, AUTH, &login(4, "1")), Ok(()), "old debts do not hold up a faster bucket");
}

#[test]
fn what_is_not_well_formed_is_charged_and_dropped_in_this_order() {
    let mut world = limited(Rates { client: rate(1, 2), session: rate(1, 9), new_session: rate(1, 1) });
    let mut broken = login(1, "1");
    broken[21] = 1;
    assert_eq!(outcome(&mut world, AUTH, &broken), Err(Reason::BadAttribute));
    assert_eq!(outcome(&mut world, AUTH, &broken), Err(Reason::BadAttribute));
    assert_eq!(outcome(&mut world, AUTH, &broken), Err(Reason::ClientRate));
    world.pass(Duration::from_secs(2));
    assert_eq!(outcome(&mut world, AUTH, &login(1, "1")), Ok(()), "it has begun no session");
}

#[test]
fn a_repetition_is_charged_like_any_other_packet() {
    let mut world = limited(Rates { client: rate(1, 3), ..Rates::NONE });
    let request = login(1, "1");
    let outcomes = [(); 4].map(|()| outcome(&mut world, AUTH, &request));
    assert_eq!(outcomes, [Ok(()), Err(Reason::Absorbed), Err(Reason::Absorbed), Err(Reason::ClientRate)]);
}

#[test]
fn status_server_is_of_no_session() {
    let mut world = limited(Rates { client: rate(1, 4), session: rate(1, 1), new_session: rate(1, 1) });
    let outcomes = [1, 2, 3, 4, 5].map(|id| outcome(&mut world, AUTH, &status_server(id)));
    assert_eq!(outcomes, [Ok(()), Ok(()), Ok(()), Ok(()), Err(Reason::ClientRate)]);
}

#[test]
fn what_names_no_session_is_charged_to_its_client_alone() {
    let mut world = limited(Rates { client: rate(1, 3), session: rate(1, 1), new_session: rate(1, 1) });
    let nameless = |id: u8| {
        let builder = RequestBuilder::new(Code::ACCESS_REQUEST, id, [id; 16]).attribute(attr::NAS_IDENTIFIER, "nas");
        builder.message_authenticator().build(&nas_secret()).unwrap()
    };
    let outcomes = [1, 2, 3, 4].map(|id| outcome(&mut world, AUTH, &nameless(id)));
    assert_eq!(outcomes, [Ok(()), Ok(()), Ok(()), Err(Reason::ClientRate)]);
}

#[test]
fn answers_of_home_servers_are_charged_to_nobody() {
    let mut world = limited(Rates { client: rate(1, 20), ..Rates::NONE });
    for n in 0..20 {
        let sent = world.ask(&login(n, "1")).unwrap();
        assert!(world.answer(&sent, &home_reply(&sent, 0, Code::ACCESS_ACCEPT, &[])).1.is_some());
    }
}

#[test]
fn interim_updates_go_first_then_starts_and_never_a_stop_or_a_login() {
    let mut world = World::new();
    let (start, stop, interim) = (1, 2, 3);
    let mut id = 0;
    let mut record = |world: &mut World, status| {
        id += 1;
        outcome(world, ACCT, &accounting(id, "alice@a.example", status))
    };
    world.settings.limiter.set_shed(shed::INTERIMS);
    assert_eq!(record(&mut world, interim), Err(Reason::ShedInterim));
    assert_eq!([record(&mut world, start), record(&mut world, stop)], [Ok(()), Ok(())]);
    world.settings.limiter.set_shed(shed::STARTS);
    assert_eq!(
        [record(&mut world, interim), record(&mut world, start)],
        [Err(Reason::ShedInterim), Err(Reason::ShedStart)]
    );
    assert_eq!([record(&mut world, stop), outcome(&mut world, AUTH, &login(1, "1"))], [Ok(()), Ok(())]);
    world.settings.limiter.set_shed(shed::CALM);
    assert_eq!(record(&mut world, interim), Ok(()));
    let customer = world.snapshot.customers[0].as_ref().unwrap();
    assert_eq!(customer.stats.sum(|stats| &stats.dropped), 3);
}

#[test]
fn a_record_that_is_known_already_is_not_shed() {
    let mut world = World::new();
    let interim = accounting(1, "alice@a.example", 3);
    let sent = world.ask_acct(&interim).unwrap();
    world.settings.limiter.set_shed(shed::INTERIMS);
    assert_eq!(outcome(&mut world, ACCT, &interim), Err(Reason::Absorbed));
    let (_, back) = world.answer(&sent, &home_reply(&sent, 2, Code::ACCOUNTING_RESPONSE, &[]));
    assert_eq!(world.ask_acct(&interim), back, "its answer is there: to repeat it costs least");
}

#[test]
fn load_is_what_is_in_flight_of_the_room_there_is() {
    let mut world = World::with(Plan::default(), Limits { max_requests: 8, ..Limits::default() });
    assert_eq!(world.engine.load().0, 0);
    for n in 0..6 {
        world.ask(&login(n, "1")).unwrap();
    }
    assert_eq!(world.engine.load().0, 192);
}

#[test]
fn a_dynamic_authorization_client_has_a_bucket_of_its_own() {
    let mut world = World::with(
        Plan::shaped(|snapshot| {
            dynauth::sender(snapshot, 9, dynauth::SENDER, 0);
            limit(snapshot, Rates { client: rate(1, 2), ..Rates::NONE });
        }),
        Limits::default(),
    );
    let ask = |world: &mut World, id: u8| {
        let bytes = dynauth::disconnect(id, &[(attr::ACCT_SESSION_ID, b"1")]);
        world.receive(Socket::Service(DYNAUTH), address(dynauth::SENDER), &bytes).0
    };
    let actions = [1, 2, 3].map(|id| ask(&mut world, id));
    assert!(actions[..2].iter().all(|action| matches!(action, Action::Send(_))), "{actions:?}");
    assert_eq!(actions[2], Action::Drop(Reason::ClientRate));
    assert_eq!(outcome(&mut world, AUTH, &login(1, "1")), Ok(()), "nobody else's");
}
