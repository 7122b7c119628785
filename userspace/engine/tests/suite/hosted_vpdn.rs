//! `vpdn` contracts with `verify = group`: an access network's login is checked against hosted accounts, and then gets its tunnel.

use std::{sync::Arc, time::Duration};

use crate::common::{hosted::*, vpdn::*, *};
use sekisho_abi::Reason;
use sekisho_engine::{
    Limits,
    hosted::{Account, PasswordVerdict, Secret},
    packet::{Action, Socket},
    snapshot::*,
};
use sekisho_lns::balance::Strategy;
use sekisho_wire::{attr, build::RequestBuilder, code::Code, mschap::nt::NtHash, vendor::*};

const USER: &str = "alice@a.example";
const HASH: &str = "$argon2id$v=19$m=4096,t=3,p=1$c29tZXNhbHRzb21lc2FsdA$qqSCqQPLbO7RKU+qFwvGng9SW7NSAcN79ODs6fFxXms";

fn plan(shape: impl Fn(&mut Group) + 'static) -> Plan {
    let mut plan = vpdn_plan(Strategy::RoundRobin, three());
    let stats = Arc::new(sekisho_engine::stats::PerWorker::new(1));
    let sessions = Arc::default();
    plan.reshape(move |snapshot| {
        let mut group = group(OF_A, 0);
        (group.stats, group.sessions) = (Arc::clone(&stats), Arc::clone(&sessions));
        shape(&mut group);
        snapshot.groups = vec![Some(Arc::new(group))];
        vpdn(snapshot).verify = Verify::Group(OF_A);
        // Access networks only.
        Arc::get_mut(snapshot.realms[0].as_mut().unwrap()).unwrap().service = None;
    });
    plan
}

fn world_with(plan: Plan, limits: Limits) -> World {
    let world = World::with(plan, limits);
    world.put("alice", &Account { reply: [27, 6, 0, 0, 14, 16].into(), ..account() });
    world
}

fn world(shape: impl Fn(&mut Group) + 'static) -> World {
    world_with(plan(shape), Limits::default())
}

/// A device's login with a password.
fn login_of(n: u32, user: &str, password: &str) -> Vec<u8> {
    dial(n, user).user_password(password.as_bytes(), &nas_secret()).build(&nas_secret()).unwrap()
}

/// The Reject to a login, half a second after it.
fn refused(world: &mut World, request: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let (action, sent) = world.receive(Socket::Service(AUTH), address(PGW), request);
    assert_eq!((action, sent), (Action::Hold, None));
    let back = world.pass(Duration::from_millis(550)).remove(0).1;
    assert_eq!(back.bytes[0], Code::ACCESS_REJECT.0);
    verified_at_nas(&back, request)
}

#[test]
fn the_right_password_gets_tunnels_beside_the_accounts_attributes_and_a_wrong_one_a_reject() {
    let mut world = world(|_| {});
    let request = login_of(1, USER, PASSWORD);
    let accept = world.dial(&request).unwrap();
    assert_eq!(tunnels(&accept, &request).len(), 3);
    assert!(verified_at_nas(&accept, &request).contains(&(attr::SESSION_TIMEOUT, vec![0, 0, 14, 16])));
    assert_eq!(world.plan.loads.contract(ContractId(CONTRACT)).pending(), 1);
    for (n, user, password) in [(2, USER, "wrong"), (3, "nobody@a.example", PASSWORD)] {
        let attrs = refused(&mut world, &login_of(n, user, password));
        assert_eq!(attrs.len(), 1, "{attrs:?}");
    }
    assert_eq!(world.plan.loads.contract(ContractId(CONTRACT)).pending(), 1);
}

#[test]
fn keys_and_tunnel_passwords_have_salts_of_their_own() {
    let mut world = world(|_| {});
    let hash = NtHash::of(PASSWORD.as_bytes()).unwrap();
    let nt = sekisho_wire::mschap::v2::nt_response(&[1; 16], &[2; 16], USER.as_bytes(), &hash);
    let request = dial(1, USER)
        .vendor(MICROSOFT, MS_CHAP_CHALLENGE, [1; 16])
        .vendor(MICROSOFT, MS_CHAP2_RESPONSE, [&[1, 0][..], &[2; 16], &[0; 8], &nt].concat())
        .build(&nas_secret())
        .unwrap();
    let accept = world.dial(&request).unwrap();
    let mut salts: Vec<u16> = tunnels(&accept, &request).iter().map(|tunnel| tunnel.salt).collect();
    for kind in [MS_MPPE_SEND_KEY, MS_MPPE_RECV_KEY] {
        let field = sekisho_wire::select::AttributeId::Vendor(MICROSOFT, kind).find(&accept.bytes).unwrap();
        salts.push(u16::from_be_bytes([field[0], field[1]]));
    }
    salts.sort_unstable();
    salts.dedup();
    assert_eq!(salts.len(), 5, "{salts:x?}");
}

#[test]
fn a_conversation_ends_with_tunnels_too() {
    let mut world = world(|_| {});
    let eap = |n, message: &[u8], state: &[u8]| {
        let builder = dial(n, USER).attribute(attr::EAP_MESSAGE, message);
        let builder = if state.is_empty() { builder } else { builder.attribute(attr::STATE, state) };
        builder.build(&nas_secret()).unwrap()
    };
    let value = |sent: &Sent, number| said(sent, number).unwrap();
    let identity = [&[2, 1, 0, 5 + USER.len() as u8, 1][..], USER.as_bytes()].concat();
    let challenge = world.dial(&eap(1, &identity, &[])).unwrap();
    let id = value(&challenge, attr::EAP_MESSAGE)[1];
    // It wants MD5.
    let challenge = world.dial(&eap(2, &[2, id, 0, 6, 3, 4], &value(&challenge, attr::STATE))).unwrap();
    let asked = value(&challenge, attr::EAP_MESSAGE);
    let digest = sekisho_wire::build::chap_response(asked[1], PASSWORD.as_bytes(), &asked[6..22]);
    let response = [&[2, asked[1], 0, 22, 4, 16][..], &digest[1..]].concat();
    let request = eap(3, &response, &value(&challenge, attr::STATE));
    let accept = world.dial(&request).unwrap();
    assert_eq!(tunnels(&accept, &request).len(), 3);
    assert_eq!(value(&accept, attr::EAP_MESSAGE), [3, asked[1], 0, 4]);
}

fn said(sent: &Sent, number: u8) -> Option<Vec<u8>> {
    sekisho_wire::select::AttributeId::Plain(number).find(&sent.bytes).map(<[u8]>::to_vec)
}

#[test]
fn a_login_that_shows_nothing_is_rejected_and_never_met_with_silence() {
    let mut world = world(|_| {});
    let attrs = refused(&mut world, &dial(1, USER).build(&nas_secret()).unwrap());
    assert_eq!(attrs.len(), 1);
    assert_eq!(world.group_stats().rejected.protocol.read(), 1);
}

#[test]
fn a_hash_is_checked_elsewhere_and_then_the_tunnel_is_given() {
    let hashed = Account { secret: Secret::Argon2id(HASH.into()), ..account() };
    let mut world = world(|group| group.form = PasswordForm::Argon2id);
    world.put("alice", &hashed);
    let request = login_of(1, USER, PASSWORD);
    assert_eq!(world.dial(&request), None);
    let lookup = world.engine.poll_lookup().unwrap();
    world.engine.handle_verdict(world.now, lookup.token, PasswordVerdict::Right);
    let accept = world.pass(Duration::from_millis(10)).remove(0).1;
    assert_eq!(tunnels(&accept, &request).len(), 3);
    assert_eq!(world.plan.loads.contract(ContractId(CONTRACT)).pending(), 1);
}

#[test]
fn what_is_not_checked_for_want_of_room_or_in_time_is_rejected() {
    let hashed = Account { secret: Secret::Argon2id(HASH.into()), ..account() };
    let limits = Limits { max_lookups: 2, ..Limits::default() };
    let mut world = world_with(plan(|group| group.form = PasswordForm::Argon2id), limits);
    world.put("alice", &hashed);
    assert_eq!(world.dial(&login_of(1, USER, PASSWORD)), None);
    let full = world.dial(&login_of(2, USER, PASSWORD)).expect("at once");
    assert_eq!(full.bytes[0], Code::ACCESS_REJECT.0);
    let late = world.pass(Duration::from_millis(10_100));
    assert_eq!(late.iter().map(|it| it.1.bytes[0]).collect::<Vec<_>>(), [Code::ACCESS_REJECT.0]);
}

#[test]
fn where_all_lnss_are_full_the_subscriber_is_told_and_no_place_is_kept() {
    let place = Place { max_sessions: 1, ..Place::new("lns-1", "198.18.0.1") };
    let mut one = vpdn_plan(Strategy::RoundRobin, vec![place]);
    one.reshape(move |snapshot| {
        let mut group = group(OF_A, 0);
        group.simultaneous = 5;
        snapshot.groups = vec![Some(Arc::new(group))];
        vpdn(snapshot).verify = Verify::Group(OF_A);
        vpdn(snapshot).full_message = Some("full".into());
    });
    let mut world = world_with(one, Limits::default());
    assert!(world.dial(&login_of(1, USER, PASSWORD)).is_some());
    let attrs = refused(&mut world, &login_of(2, USER, PASSWORD));
    assert!(attrs.contains(&(attr::REPLY_MESSAGE, b"full".to_vec())), "{attrs:?}");
    assert_eq!(world.settings.hosted.sessions.counts().records, 1);
}

#[test]
fn sessions_of_accounts_are_counted_by_what_the_access_network_reports() {
    let mut world = world(|group| group.simultaneous = 1);
    assert!(world.dial(&login_of(1, USER, PASSWORD)).is_some());
    world.account(&report(1, 1, USER).build(&nas_secret()).unwrap());
    assert_eq!(world.keep_records(true).len(), 1);
    refused(&mut world, &login_of(2, USER, PASSWORD));
    world.account(&report(1, 2, USER).build(&nas_secret()).unwrap());
    assert_eq!(world.keep_records(true).len(), 1);
    assert!(world.dial(&login_of(3, USER, PASSWORD)).is_some());
    world.account(&report(3, 1, USER).build(&nas_secret()).unwrap());
    // Another of the network's gateways begins, and then this one.
    let on = |nas: &str, id| {
        RequestBuilder::new(Code::ACCOUNTING_REQUEST, id, [0; 16])
            .attribute(attr::ACCT_STATUS_TYPE, [0, 0, 0, 7])
            .attribute(attr::ACCT_SESSION_ID, "0")
            .attribute(attr::NAS_IDENTIFIER, nas)
            .build(&nas_secret())
            .unwrap()
    };
    world.account(&on("pgw-2", 200));
    refused(&mut world, &login_of(4, USER, PASSWORD));
    world.account(&on("pgw-1", 201));
    assert!(world.dial(&login_of(5, USER, PASSWORD)).is_some());
}

#[test]
fn an_access_network_is_never_locked_out_as_a_whole() {
    let mut world = world(|group| group.lockout = Lockout { failures: 2, client_failures: 3, ..Lockout::default() });
    for n in 0..6 {
        refused(&mut world, &login_of(n, USER, "wrong"));
    }
    assert!(world.dial(&login_of(10, USER, PASSWORD)).is_some());
    (0..2).for_each(|n| drop(refused(&mut world, &login_of(11, USER, if n == 0 { "w1" } else { "w2" }))));
    refused(&mut world, &login_of(11, USER, PASSWORD));
    assert_eq!(world.group_stats().rejected.locked.read(), 1);
}

#[test]
fn a_contract_checks_its_own_customers_accounts_only() {
    let mut plan = plan(|group| group.customer = CustomerId(1));
    plan.reshape(|_| {});
    let mut world = world_with(plan, Limits::default());
    refused(&mut world, &login_of(1, USER, PASSWORD));
    assert_eq!(world.group_stats().compared.read(), 0);
    // A terminal asks for none of it.
    let (action, _) = world.receive(Socket::Service(ACCT), address(NAS), &session(1, 1, "s", USER, ""));
    assert_eq!(action, Action::Drop(Reason::Unrouted));
}
