//! Logins for a realm with a `group` contract: answered here, by PAP and CHAP (SERVICE verdicts; RFC 2865 §5.2, §5.3).

use std::{sync::Arc, time::Duration};

use crate::common::{hosted::*, *};
use sekisho_engine::{
    hosted::Account,
    packet::{Action, Socket},
    snapshot::*,
};
use sekisho_wire::{attr, build::RequestBuilder, code::Code, secret::Secret};

#[test]
fn the_right_password_is_let_in_at_once_and_no_home_server_is_asked() {
    let mut world = group_world(|_| {});
    let request = pap(1, "alice@a.example", 1);
    let accept = world.ask(&request).unwrap();
    let attrs = verified_at_nas(&accept, &request);
    assert_eq!((accept.bytes[0], attrs[0].0), (Code::ACCESS_ACCEPT.0, attr::MESSAGE_AUTHENTICATOR), "{attrs:?}");
    assert_eq!(attrs.len(), 1, "{attrs:?}");
    assert_eq!(world.stats.forwarded.read(), 0);
    assert_eq!(world.group_stats().accepts.read(), 1);
    let realm = world.snapshot.realm(RealmId(0)).unwrap().stats.worker(0);
    assert_eq!((realm.requests.read(), realm.replies.accept.read()), (1, 1));
}

#[test]
fn passwords_of_every_length_that_can_come_are_compared_to_the_last_octet() {
    let mut world = group_world(|_| {});
    for (id, len) in [1, 15, 16, 17, 38, 127, 128].into_iter().enumerate() {
        let id = id as u8 * 4;
        let password = "x".repeat(len);
        world.put("alice", &Account { secret: recoverable(&password), ..account() });
        assert!(world.is_let_in(&login(id, "alice@a.example", &password, "")), "{len}");
        for (n, wrong) in [format!("{password}x"), "x".repeat(len - 1), format!("{}y", "x".repeat(len - 1))]
            .into_iter()
            .filter(|wrong| wrong.len() <= 128)
            .enumerate()
        {
            assert!(!world.is_let_in(&login(id + 1 + n as u8, "alice@a.example", &wrong, "")), "{len}: {n}");
        }
    }
}

#[test]
fn a_password_longer_than_pap_takes_is_not_known_by_its_beginning() {
    let mut world = group_world(|_| {});
    world.put("alice", &Account { secret: recoverable(&"x".repeat(129)), ..account() });
    assert!(!world.is_let_in(&login(1, "alice@a.example", &"x".repeat(128), "")));
}

fn chap(id: u8, user: &str, password: &[u8], challenge: Option<&[u8]>) -> Vec<u8> {
    let builder = RequestBuilder::new(Code::ACCESS_REQUEST, id, [id; 16]).attribute(attr::USER_NAME, user);
    let builder = match challenge {
        None => builder.chap_password(7, password),
        Some(challenge) => builder
            .attribute(attr::CHAP_PASSWORD, sekisho_wire::build::chap_response(7, password, challenge))
            .attribute(attr::CHAP_CHALLENGE, challenge),
    };
    builder.message_authenticator().build(&nas_secret()).unwrap()
}

#[test]
fn chap_is_answered_with_a_challenge_of_its_own_or_the_request_authenticator() {
    let mut world = group_world(|_| {});
    let user = "alice@a.example";
    assert!(world.is_let_in(&chap(1, user, PASSWORD.as_bytes(), None)));
    assert!(world.is_let_in(&chap(2, user, PASSWORD.as_bytes(), Some(b"a challenge"))));
    assert!(!world.is_let_in(&chap(3, user, b"opensesamf", None)));
    assert!(!world.is_let_in(&chap(4, user, b"opensesamf", Some(b"a challenge"))));
    assert!(!world.is_let_in(&chap(5, "carol@a.example", PASSWORD.as_bytes(), None)));
    assert_eq!((world.group_stats().rejected.password.read(), world.group_stats().rejected.unknown.read()), (2, 1));
}

#[test]
fn whatever_is_wrong_the_reject_is_the_same_and_comes_at_the_same_time() {
    let mut world = group_world(|group| {
        group.calling = Calling::WhereListed;
        group.lockout = Lockout { failures: 1, ..group.lockout };
        group.simultaneous = 1;
    });
    world.put("off", &Account { enabled: false, ..account() });
    world.put("old", &Account { expires: Some(EPOCH), ..account() });
    world.put("bound", &Account { calling: vec![(*b"819011112222").into()], ..account() });
    world.put("busy", &account());
    assert!(world.is_let_in(&login(200, "busy@a.example", PASSWORD, "09000000001")));
    let cases = [
        ("nobody", PASSWORD),
        ("alice", "wrong"),
        // Locked by the one before.
        ("alice", PASSWORD),
        ("off", PASSWORD),
        ("old", PASSWORD),
        ("bound", PASSWORD),
        ("busy", PASSWORD),
    ];
    for (id, (user, password)) in (1..).zip(cases) {
        let request = login(id, &format!("{user}@a.example"), password, "09000000000");
        let reject = world.log_in(&request);
        let attrs = verified_at_nas(&reject, &request);
        assert_eq!(reject.bytes[0], Code::ACCESS_REJECT.0, "{user}");
        assert_eq!(attrs.iter().map(|it| it.0).collect::<Vec<_>>(), [attr::MESSAGE_AUTHENTICATOR], "{user}");
    }
    let rejected = &world.group_stats().rejected;
    let counts = [
        &rejected.unknown,
        &rejected.password,
        &rejected.locked,
        &rejected.disabled,
        &rejected.expired,
        &rejected.calling,
        &rejected.sessions,
    ];
    assert_eq!(counts.map(|counter| counter.read()), [1; 7]);
    // An unknown user's login is compared like any other.
    assert_eq!(world.group_stats().compared.read(), cases.len() as u64 + 1);
}

#[test]
fn a_way_that_the_contract_does_not_allow_and_none_at_all_are_refused() {
    let only = |protocols| group_world(move |group| group.protocols = protocols);
    let user = "alice@a.example";
    let mut world = only(Protocols::CHAP);
    assert!(!world.is_let_in(&pap(1, user, 1)));
    assert!(world.is_let_in(&chap(2, user, PASSWORD.as_bytes(), None)));
    let mut world = only(Protocols::PAP.with(Protocols::MSCHAP));
    assert!(!world.is_let_in(&chap(1, user, PASSWORD.as_bytes(), None)));
    let nothing = RequestBuilder::new(Code::ACCESS_REQUEST, 2, [2; 16]).attribute(attr::USER_NAME, user);
    assert!(!world.is_let_in(&nothing.clone().message_authenticator().build(&nas_secret()).unwrap()));
    let both = nothing.user_password(PASSWORD.as_bytes(), &nas_secret()).chap_password(1, PASSWORD.as_bytes());
    assert!(!world.is_let_in(&both.message_authenticator().build(&nas_secret()).unwrap()));
    assert_eq!(world.group_stats().rejected.protocol.read(), 3);
}

#[test]
fn a_repetition_gets_the_same_octets_and_changes_nothing() {
    let mut world = group_world(|group| group.simultaneous = 1);
    let request = pap(1, "alice@a.example", 1);
    let first = world.ask(&request).unwrap();
    world.pass(Duration::from_secs(2));
    assert_eq!(world.ask(&request), Some(first));
    let wrong = login(2, "alice@a.example", "wrong", "");
    let reject = world.log_in(&wrong);
    assert_eq!(world.ask(&wrong), Some(reject));
    assert_eq!((world.group_stats().accepts.read(), world.group_stats().rejected.password.read()), (1, 1));
}

#[test]
fn an_accept_has_the_realms_attributes_and_the_accounts_own_in_their_place() {
    let mut world = group_world(|group| {
        group.reply =
            [&[27, 6, 0, 0, 14, 16][..], &[18, 4, b'h', b'i'], &[26, 9, 0, 0, 0, 9, 1, 3, b'x']].concat().into();
    });
    let own = [&[27, 6, 0, 0, 0, 60][..], &[8, 6, 10, 0, 0, 7]].concat();
    world.put("bob", &Account { reply: own.into(), ..account() });
    let attrs = |world: &mut World, id, user: &str| {
        let request = login(id, user, PASSWORD, "");
        let accept = world.log_in(&request);
        verified_at_nas(&accept, &request).split_off(1)
    };
    let vendor = (26, vec![0, 0, 0, 9, 1, 3, b'x']);
    let hi = (18, b"hi".to_vec());
    assert_eq!(attrs(&mut world, 1, "alice@a.example"), [(27, vec![0, 0, 14, 16]), hi.clone(), vendor.clone()]);
    let expected = [hi, vendor, (27, vec![0, 0, 0, 60]), (8, vec![10, 0, 0, 7])];
    assert_eq!(attrs(&mut world, 2, "bob@a.example"), expected);
}

#[test]
fn proxy_states_come_back_in_order() {
    let mut world = group_world(|_| {});
    let request = RequestBuilder::new(Code::ACCESS_REQUEST, 1, [1; 16])
        .attribute(attr::USER_NAME, "alice@a.example")
        .attribute(attr::PROXY_STATE, "one")
        .user_password(PASSWORD.as_bytes(), &nas_secret())
        .attribute(attr::PROXY_STATE, "two")
        .message_authenticator()
        .build(&nas_secret())
        .unwrap();
    let accept = world.log_in(&request);
    assert_eq!(proxy_states(&verified_at_nas(&accept, &request)), [b"one", b"two"]);
}

#[test]
fn names_are_compared_to_the_octet_without_the_realm_that_was_found_in_them() {
    let mut world = group_world(|_| {});
    world.put("odd@name", &account());
    for (id, (user, expected)) in (1..).zip([
        ("alice@a.example", true),
        ("alice@A.EXAMPLE.", true),
        ("Alice@a.example", false),
        ("odd@name@a.example", true),
        ("name@a.example", false),
        ("alice ", false),
        ("alice", false),
    ]) {
        assert_eq!(world.is_let_in(&login(id, user, PASSWORD, "")), expected, "{user}");
    }
}

#[test]
fn where_the_realm_is_not_in_the_name_the_whole_name_is_the_account() {
    let mut plan = group_plan(|_| {});
    plan.reshape(|snapshot| {
        customer(snapshot, 0).apns = Lookup::from([((*b"internet.a").into(), RealmId(0))]);
        customer(snapshot, 0).prefixes = Lookup::from([((*b"acme").into(), RealmId(0))]);
        client(snapshot, 0).outer_suffix = Some((*b"carrier.example").into());
    });
    let mut world = world_of(plan);
    let by_apn = |user: &str, id| {
        RequestBuilder::new(Code::ACCESS_REQUEST, id, [id; 16])
            .attribute(attr::USER_NAME, user)
            .attribute(attr::CALLED_STATION_ID, "internet.a")
            .user_password(PASSWORD.as_bytes(), &nas_secret())
            .message_authenticator()
            .build(&nas_secret())
            .unwrap()
    };
    assert!(world.is_let_in(&by_apn("alice", 1)));
    assert!(!world.is_let_in(&by_apn("alice@elsewhere.example", 2)), "that is another account's whole name");
    assert!(world.is_let_in(&login(3, "acme/alice", PASSWORD, "")));
    assert!(world.is_let_in(&login(4, "alice@a.example@carrier.example", PASSWORD, "")));
}

#[test]
fn a_change_is_in_force_with_the_next_login_and_a_reload_keeps_the_accounts() {
    let mut world = group_world(|_| {});
    let accounts = Arc::clone(&world.settings.hosted);
    let try_it = |world: &mut World, id, password: &str| world.is_let_in(&login(id, "alice@a.example", password, ""));
    assert!(try_it(&mut world, 1, PASSWORD));
    world.put("alice", &Account { secret: recoverable("new"), ..account() });
    assert!(!try_it(&mut world, 2, PASSWORD));
    assert!(try_it(&mut world, 3, "new"));
    world.reload(|_| {});
    assert!(try_it(&mut world, 4, "new"));
    world.put("alice", &Account { secret: recoverable("new"), enabled: false, ..account() });
    assert!(!try_it(&mut world, 5, "new"));
    assert!(accounts.accounts.remove(RealmId(0), b"alice"));
    assert!(!try_it(&mut world, 6, "new"));
    assert!(!accounts.accounts.remove(RealmId(0), b"alice"));
}

#[test]
fn an_account_expires_with_the_second_that_it_names() {
    let mut world = group_world(|_| {});
    // The world begins one second after its epoch.
    world.put("alice", &Account { expires: Some(EPOCH + 3), ..account() });
    assert!(world.is_let_in(&login(1, "alice@a.example", PASSWORD, "")));
    world.pass(Duration::from_millis(1_990));
    assert!(world.is_let_in(&login(2, "alice@a.example", PASSWORD, "")));
    world.pass(Duration::from_millis(10));
    assert!(!world.is_let_in(&login(3, "alice@a.example", PASSWORD, "")));
}

#[test]
fn an_account_is_bound_to_its_numbers_in_whatever_form_they_come() {
    for (binding, unlisted, elsewhere) in
        [(Calling::Any, true, true), (Calling::WhereListed, true, false), (Calling::Listed, false, false)]
    {
        let mut world = group_world(move |group| group.calling = binding);
        let calling = vec![(*b"819011112222").into(), (*b"00-11-22-aa-bb-cc").into()];
        world.put("alice", &Account { calling, ..account() });
        let mut id = 0;
        let mut try_it = |user: &str, number: &str| {
            id += 1;
            world.is_let_in(&login(id, user, PASSWORD, number))
        };
        for number in ["09011112222", "+81 90-1111-2222", "819011112222", "00-11-22-AA-BB-CC"] {
            assert!(try_it("alice@a.example", number), "{binding:?} {number}");
        }
        assert_eq!(try_it("alice@a.example", "09011112223"), elsewhere, "{binding:?}");
        assert_eq!(try_it("alice@a.example", ""), elsewhere, "{binding:?}");
        assert_eq!(try_it("bob@a.example", "09011112223"), unlisted, "{binding:?}");
    }
}

#[test]
fn no_client_logs_into_another_customers_accounts_however_the_realm_is_written() {
    let mut world = group_world(|_| {});
    let mut id = 0;
    let mut from_b = |user: &str, password: &str| {
        id += 1;
        world.log_in_at(NAS_B, &login(id, user, password, "")).bytes[0] == Code::ACCESS_ACCEPT.0
    };
    assert!(from_b("alice@b.example", "another"));
    assert!(!from_b("alice@b.example", PASSWORD), "the password of customer 0's alice");
    for user in
        ["alice@a.example", "alice@A.EXAMPLE.", "alice@b.example@a.example", "alice@ａ.example", "bob@b.example"]
    {
        assert!(!from_b(user, PASSWORD), "{user}");
    }
    assert_eq!(world.group_stats().accepts.read(), 0);
}

#[test]
fn an_account_is_its_own_contracts_only_and_a_contract_is_its_own_customers_only() {
    let mut world = group_world(|_| {});
    // Another contract's account that has the realm's name: its contract serves the realm no more.
    world.put("carol", &Account { group: OF_B, ..account() });
    assert!(!world.is_let_in(&login(1, "carol@a.example", PASSWORD, "")));
    let mut plan = group_plan(|_| {});
    plan.reshape(|snapshot| {
        Arc::get_mut(snapshot.realms[1].as_mut().unwrap()).unwrap().service = Some(RealmService::Group(OF_A));
    });
    let mut world = world_of(plan);
    world.settings.hosted.accounts.put(RealmId(1), b"dave", &account()).unwrap();
    assert_eq!(world.log_in_at(NAS_B, &login(2, "dave@b.example", PASSWORD, "")).bytes[0], Code::ACCESS_REJECT.0);
}

#[test]
fn a_client_may_change_its_secret_and_log_in_by_either() {
    let mut plan = group_plan(|_| {});
    plan.reshape(|snapshot| client(snapshot, 0).previous_secret = Some(Secret::new("the secret before").unwrap()));
    let mut world = world_of(plan);
    let previous = Secret::new("the secret before").unwrap();
    let request = RequestBuilder::new(Code::ACCESS_REQUEST, 1, [1; 16])
        .attribute(attr::USER_NAME, "alice@a.example")
        .user_password(PASSWORD.as_bytes(), &previous)
        .message_authenticator()
        .build(&previous)
        .unwrap();
    let (_, accept) = world.receive(Socket::Service(AUTH), address(NAS), &request);
    let accept = accept.unwrap();
    assert_eq!(accept.bytes[0], Code::ACCESS_ACCEPT.0);
    verified_with(&accept, &request, &previous);
    assert!(world.is_let_in(&login(2, "alice@a.example", PASSWORD, "")));
}

#[test]
fn a_contract_that_ends_leaves_its_realm_refused_and_its_accounts_unknown() {
    let mut world = group_world(|_| {});
    assert!(world.is_let_in(&pap(1, "alice@a.example", 1)));
    world.reload(|plan| {
        plan.reshape(|snapshot| {
            Arc::get_mut(snapshot.realms[0].as_mut().unwrap()).unwrap().service = None;
            snapshot.groups[0] = None;
        });
    });
    let request = pap(2, "alice@a.example", 2);
    let (action, _) = world.receive(Socket::Service(AUTH), address(NAS), &request);
    assert_eq!(action, Action::Hold);
    let back = world.pass(Duration::from_millis(1_050));
    assert_eq!(back[0].1.bytes[0], Code::ACCESS_REJECT.0);
}
