//! What an access network gets for a realm with a `vpdn` contract of its type: a tunnel (SERVICE verdicts; RFC 2868).

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use crate::common::{vpdn::*, *};
use sekisho_engine::{
    Limits,
    packet::{Action, Socket},
    snapshot::*,
};
use sekisho_lns::{balance::Strategy, health::Wanted};
use sekisho_wire::{attr, code::Code, select::AttributeId, tunnel::TunnelForm};

fn world_of(plan: Plan) -> World {
    World::with(plan, Limits::default())
}

fn world() -> World {
    world_of(vpdn_plan(Strategy::RoundRobin, three()))
}

/// The Error-Cause and the Reply-Message of the Reject to this login.
fn refused(world: &mut World, request: &[u8]) -> (u32, Option<String>) {
    assert_eq!(world.dial(request), None, "delayed");
    let back = world.pass(Duration::from_millis(550)).remove(0).1;
    assert_eq!(back.bytes[0], Code::ACCESS_REJECT.0);
    let attrs = verified_at_nas(&back, request);
    let of = |number| attrs.iter().find(|(kind, _)| *kind == number).map(|(_, value)| value.clone());
    let cause = u32::from_be_bytes(of(attr::ERROR_CAUSE).unwrap()[..].try_into().unwrap());
    (cause, of(attr::REPLY_MESSAGE).map(|text| String::from_utf8(text).unwrap()))
}

#[test]
fn a_login_gets_a_set_for_each_lns_the_chosen_one_first_and_every_password_decrypts() {
    let mut world = world();
    let mut firsts = BTreeSet::new();
    for n in 0..3 {
        let request = dial(n, "x@a.example").build(&nas_secret()).unwrap();
        let sets = tunnels(&world.dial(&request).unwrap(), &request);
        assert_eq!(sets.iter().map(|set| set.preference).collect::<Vec<_>>(), [0, 10, 20]);
        assert_eq!(sets.iter().map(|set| set.tag).collect::<BTreeSet<_>>(), [1, 2, 3].into());
        let salts: BTreeSet<u16> = sets.iter().map(|set| set.salt).collect();
        assert!(salts.len() == 3 && salts.iter().all(|salt| salt & 0x8000 != 0), "{salts:x?}");
        for set in &sets {
            let name = three().into_iter().find(|place| place.endpoint == set.endpoint).unwrap().name;
            assert_eq!(set.password, tunnel_password(name));
        }
        firsts.insert(sets[0].endpoint.clone());
    }
    assert_eq!(firsts.len(), 3, "in turn");
    assert_eq!(world.stats.replies.accept.read(), 3);
}

#[test]
fn the_same_login_repeated_gets_the_same_octets_and_is_counted_once() {
    let mut world = world();
    let request = dial(1, "x@a.example").build(&nas_secret()).unwrap();
    let first = world.dial(&request).unwrap();
    world.pass(Duration::from_secs(2));
    assert_eq!(world.dial(&request), Some(first));
    assert_eq!(world.plan.loads.contract(ContractId(CONTRACT)).pending(), 1);
}

#[test]
fn a_contract_of_another_type_serves_nobody_of_this_network() {
    for kind in [AccessType::D, AccessType::I] {
        let mut plan = vpdn_plan(Strategy::RoundRobin, three());
        plan.reshape(move |snapshot| client(snapshot, CARRIER as usize).role = ClientRole::AccessNetwork(kind));
        let mut world = world_of(plan);
        assert_eq!(refused(&mut world, &dial(1, "x@a.example").build(&nas_secret()).unwrap()).0, 502);
    }
}

#[test]
fn a_customers_own_terminal_never_gets_a_tunnel() {
    let mut plan = vpdn_plan(Strategy::RoundRobin, three());
    // A realm that only the `vpdn` contract serves.
    plan.reshape(|snapshot| Arc::get_mut(snapshot.realms[0].as_mut().unwrap()).unwrap().service = None);
    let mut world = world_of(plan);
    let request = pap(1, "alice@a.example", 1);
    assert_eq!(world.ask(&request), None);
    let back = world.pass(Duration::from_millis(1_050)).remove(0).1;
    let attrs = verified_at_nas(&back, &request);
    assert_eq!(back.bytes[0], Code::ACCESS_REJECT.0);
    assert!(attrs.iter().all(|(number, _)| !(64..=69).contains(number)), "{attrs:?}");
}

#[test]
fn whoever_has_shown_nothing_gets_no_secret() {
    let mut world = world();
    for (n, service) in [(1, 10u32), (2, 17)] {
        let request = dial(n, "x@a.example").attribute(attr::SERVICE_TYPE, service.to_be_bytes());
        assert_eq!(refused(&mut world, &request.build(&nas_secret()).unwrap()).0, 405, "{service}");
    }
    // Cisco asks for a domain with Service-Type Outbound, and is answered.
    let request = dial(3, "x@a.example").attribute(attr::SERVICE_TYPE, 5u32.to_be_bytes());
    let request = request.build(&nas_secret()).unwrap();
    assert_eq!(tunnels(&world.dial(&request).unwrap(), &request).len(), 3);
}

#[test]
fn the_network_has_the_form_that_its_equipment_wants() {
    let with = |form, alternatives| {
        let mut plan = vpdn_plan(Strategy::RoundRobin, three());
        plan.reshape(move |snapshot| {
            let access = access(snapshot);
            (access.form, access.max_alternatives) = (form, alternatives);
            (access.service_type, access.framed_protocol) = (Some(2), Some(1));
        });
        let mut world = world_of(plan);
        let request = dial(1, "x@a.example").build(&nas_secret()).unwrap();
        let accept = world.dial(&request).unwrap();
        let attrs = verified_at_nas(&accept, &request);
        assert!(attrs.contains(&(attr::SERVICE_TYPE, vec![0, 0, 0, 2])), "{attrs:?}");
        assert!(attrs.contains(&(attr::FRAMED_PROTOCOL, vec![0, 0, 0, 1])));
        attrs
    };
    let endpoints = |attrs: &[(u8, Vec<u8>)]| -> Vec<Vec<u8>> {
        attrs.iter().filter(|it| it.0 == attr::TUNNEL_SERVER_ENDPOINT).map(|it| it.1.clone()).collect()
    };
    assert_eq!(endpoints(&with(TunnelForm::Tagged, 2)).len(), 2);
    assert_eq!(endpoints(&with(TunnelForm::Tagged, 1)).len(), 1);
    let untagged = endpoints(&with(TunnelForm::Untagged, 1));
    assert!(untagged.len() == 1 && untagged[0][0] > 0x1f, "{untagged:?}");
    let cisco = with(TunnelForm::CiscoAvPair, 1);
    assert!(endpoints(&cisco).is_empty());
    assert!(cisco.iter().filter(|it| it.0 == attr::VENDOR_SPECIFIC).count() >= 3, "{cisco:?}");
}

#[test]
fn as_many_sets_as_fit_are_given() {
    let long: &'static str = "a name of many octets, as long as such a name may be, ".repeat(4).leak();
    let places = (0..8).map(|n| Place::new(format!("{long}{n}").leak(), format!("198.18.0.{n}").leak())).collect();
    let mut plan = vpdn_plan(Strategy::RoundRobin, places);
    plan.reshape(|snapshot| vpdn(snapshot).reply = [vec![18, 253], vec![b'x'; 251]].concat().repeat(8).into());
    let mut world = world_of(plan);
    let request = dial(1, "x@a.example").build(&nas_secret()).unwrap();
    let accept = world.dial(&request).unwrap();
    let sets = tunnels(&accept, &request).len();
    assert!((1..8).contains(&sets), "{sets}");
}

#[test]
fn where_everything_is_full_the_subscriber_is_told_in_the_contracts_words() {
    let places = ["198.18.0.1", "198.18.0.2"].map(|at| Place { max_sessions: 2, ..Place::new(at, at) });
    let mut plan = vpdn_plan(Strategy::LeastSessions, places.to_vec());
    plan.reshape(|snapshot| vpdn(snapshot).full_message = Some("all lines are busy".into()));
    let mut world = world_of(plan);
    for n in 0..4 {
        let request = dial(n, "x@a.example").build(&nas_secret()).unwrap();
        assert!(world.dial(&request).is_some());
    }
    let fifth = dial(4, "x@a.example").build(&nas_secret()).unwrap();
    assert_eq!(refused(&mut world, &fifth), (506, Some("all lines are busy".to_owned())));
    let stats = Arc::clone(&world.snapshot.vpdn[0].as_ref().unwrap().stats);
    assert_eq!(stats.sum(|stats| &stats.refused.all_full), 1);
    // One ends, and there is room again.
    world.account(&report(1, 1, "x@a.example").build(&nas_secret()).unwrap());
    world.account(
        &report(1, 2, "x@a.example").attribute(attr::ACCT_SESSION_TIME, [0, 0, 1, 0]).build(&nas_secret()).unwrap(),
    );
    let sixth = dial(5, "x@a.example").build(&nas_secret()).unwrap();
    assert!(world.dial(&sixth).is_some());
}

#[test]
fn what_the_operator_has_taken_down_is_in_no_answer() {
    let mut world = world();
    let lns = Arc::clone(&world.snapshot.lnss[0].as_ref().unwrap().lns);
    lns.state.health.set_operator(world.now, Some(Wanted::Down));
    for n in 0..6 {
        let request = dial(n, "x@a.example").build(&nas_secret()).unwrap();
        let sets = tunnels(&world.dial(&request).unwrap(), &request);
        assert!(sets.len() == 2 && sets.iter().all(|set| set.endpoint != "198.18.0.1"), "{sets:?}");
    }
}

#[test]
fn a_device_that_asks_again_has_one_session() {
    let mut world = world();
    for id in 0..5 {
        let mut request = dial(7, "x@a.example").attribute(attr::NAS_PORT, [0, 0, 0, id]).build(&nas_secret()).unwrap();
        request[1] = id;
        request = dial(7, "x@a.example").attribute(attr::NAS_PORT, [0, 0, 0, id]).build(&nas_secret()).unwrap();
        world.dial(&request).unwrap();
    }
    assert_eq!(world.plan.loads.contract(ContractId(CONTRACT)).pending(), 1);
}

#[test]
fn with_a_hash_a_number_has_its_lns_however_it_is_written() {
    let mut plan = vpdn_plan(Strategy::Hash, three());
    plan.reshape(|snapshot| vpdn(snapshot).key = vec![AttributeId::Plain(attr::CALLING_STATION_ID)]);
    let mut world = world_of(plan);
    let ask = |world: &mut World, n: u8, number: &str| {
        let request = sekisho_wire::build::RequestBuilder::new(Code::ACCESS_REQUEST, n, [n; 16])
            .attribute(attr::USER_NAME, "x@a.example")
            .attribute(attr::CALLING_STATION_ID, number)
            .message_authenticator()
            .build(&nas_secret())
            .unwrap();
        tunnels(&world.dial(&request).unwrap(), &request)[0].endpoint.clone()
    };
    for subscriber in 0..20 {
        let forms = [
            format!("090123456{subscriber:02}"),
            format!("+8190123456{subscriber:02}"),
            format!("8190123456{subscriber:02}"),
        ];
        let chosen: BTreeSet<String> =
            (1..).zip(&forms).map(|(n, form)| ask(&mut world, n + 3 * subscriber, form)).collect();
        assert_eq!(chosen.len(), 1, "{forms:?}");
    }
}

#[test]
fn keepalives_are_answered_at_once_and_are_no_session() {
    for (accepts, code) in [(false, Code::ACCESS_REJECT), (true, Code::ACCESS_ACCEPT)] {
        let mut plan = vpdn_plan(Strategy::RoundRobin, three());
        plan.reshape(move |snapshot| {
            let access = access(snapshot);
            (access.keepalive_users, access.keepalive_accepts) = (vec![b"alive?"[..].into()], accepts);
        });
        let mut world = world_of(plan);
        let request = dial(1, "alive?").build(&nas_secret()).unwrap();
        let back = world.dial(&request).unwrap();
        assert_eq!(back.bytes[0], code.0);
        assert_eq!(verified_at_nas(&back, &request).len(), 1, "Message-Authenticator alone");
        assert_eq!((world.stats.keepalives.read(), world.stats.replies.reject.read()), (1, 0));
        assert_eq!(refused(&mut world, &dial(2, "alive?x").build(&nas_secret()).unwrap()).0, 502);
    }
}

#[test]
fn from_the_lns_itself_a_login_is_dropped() {
    let mut plan = vpdn_plan(Strategy::RoundRobin, three());
    plan.reshape(|snapshot| {
        let client = client(snapshot, CARRIER as usize);
        (client.role, client.customer) = (ClientRole::Lns(LnsId(0)), CustomerId(0));
    });
    let mut world = world_of(plan);
    let request = dial(1, "x@a.example").build(&nas_secret()).unwrap();
    let (action, _) = world.receive(Socket::Service(AUTH), address(PGW), &request);
    assert_eq!(action, Action::Drop(sekisho_abi::Reason::WrongRole));
}
