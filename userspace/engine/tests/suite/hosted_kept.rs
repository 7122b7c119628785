//! Sessions of hosted accounts over a restart of the process, in which everything has another number.

use std::{sync::Arc, time::Duration};

use crate::common::{hosted::*, *};
use sekisho_engine::{
    Limits,
    hosted::{Account, Hosted, Restored, Sessions as Table, Settings as Bounds},
    snapshot::*,
};
use sekisho_lns::framed::RestoreError;
use sekisho_wire::{attr, build::RequestBuilder, code::Code};

const START: u32 = 1;
const STOP: u32 = 2;
const ALICE: &str = "alice@a.example";
/// Alice's name, by which she is found in the other process of these tests.
const ALICE_THERE: &str = "alice@b.example";
/// Unix time of the save.
const WALL: u64 = 1_800_000_000;

/// Alice has one session, and bob the place of one; the contract allows each of them one.
fn before() -> (World, Vec<u8>) {
    let mut world = group_world(|group| group.simultaneous = 1);
    assert!(world.is_let_in(&login(1, ALICE, PASSWORD, "09000000001")));
    world.report(&session(1, START, "s1", ALICE, "09000000001"));
    assert!(world.is_let_in(&login(2, "bob@a.example", PASSWORD, "09000000002")));
    let file = saved(&world);
    (world, file)
}

fn saved(world: &World) -> Vec<u8> {
    let mut file = Vec::new();
    let sessions = &world.settings.hosted.sessions;
    let written = sessions.write_to(world.now, WALL, &world.snapshot, &mut file).unwrap();
    assert_eq!(written, sessions.counts().records);
    file
}

/// A process in which the customers, and all that is theirs, have each other's numbers. Alice and bob are customer 1's here, and come
/// from the second NAS.
fn swapped() -> Plan {
    let mut plan = group_plan(|_| {});
    plan.reshape(|snapshot| {
        for (number, (name, other)) in [("b", 1), ("a", 0)].into_iter().enumerate() {
            customer(snapshot, number).name = name.to_owned();
            client(snapshot, number).contract = format!("client-{other}");
            Arc::get_mut(snapshot.realms[number].as_mut().unwrap()).unwrap().name = format!("{name}.example");
            let group = Arc::get_mut(snapshot.groups[number].as_mut().unwrap()).unwrap();
            group.contract = format!("group-{name}");
            group.simultaneous = 1;
        }
    });
    plan
}

fn restored(file: &[u8], passed: u64, plan: Plan, bounds: Bounds) -> Result<(World, Restored), RestoreError> {
    let mut world = World::without_ports(plan, Limits::default());
    world.now = world.now + Duration::from_secs(500);
    let (table, restored) = Table::restore(bounds, file, world.now, WALL + passed, &world.snapshot)?;
    world.replace_hosted(Hosted::new([9; 32], table));
    for user in ["alice", "bob"] {
        for (realm, group) in [(RealmId(0), OF_A), (RealmId(1), OF_B)] {
            let account = Account { group, ..account() };
            world.settings.hosted.accounts.put(realm, user.as_bytes(), &account).unwrap();
        }
    }
    Ok((world, restored))
}

fn gets_in(world: &mut World, id: u8, user: &str, number: &str) -> bool {
    world.log_in_at(NAS_B, &login(id, user, PASSWORD, number)).bytes[0] == Code::ACCESS_ACCEPT.0
}

fn now(world: &World) -> [u32; 2] {
    [OF_A, OF_B].map(|id| world.snapshot.group(id).unwrap().sessions.now())
}

#[test]
fn a_restart_keeps_every_accounts_limit_though_all_numbers_are_others() {
    let (_, file) = before();
    let (mut world, what) = restored(&file, 5, swapped(), Bounds::default()).unwrap();
    assert_eq!((what, now(&world)), (Restored { records: 2, ..Restored::default() }, [0, 2]));
    assert!(!gets_in(&mut world, 1, ALICE_THERE, "09000000003"), "her session goes on");
    assert!(!gets_in(&mut world, 2, "bob@b.example", "09000000003"), "his place is kept");
    assert!(gets_in(&mut world, 3, "bob@b.example", "09000000002"), "for his own device");
    assert!(world.is_let_in(&login(4, ALICE, PASSWORD, "09000000003")), "another customer's alice has none");
    let list = world.settings.hosted.sessions.list(world.now, 10, |it| it.group == OF_B && !it.is_reserved);
    assert_eq!(list.len(), 1);
    assert_eq!((&*list[0].user, &*list[0].number, list[0].client), (&b"alice"[..], &b"819000000001"[..], ClientId(1)));

    world.report_at(NAS_B, &session(5, STOP, "s1", ALICE_THERE, "09000000001"));
    assert!(gets_in(&mut world, 6, ALICE_THERE, "09000000003"), "its Stop is its own");
}

#[test]
fn what_passed_since_the_save_has_passed_for_sessions_and_places() {
    let (_, file) = before();
    let (mut world, what) = restored(&file, 61, swapped(), Bounds::default()).unwrap();
    assert_eq!((what, now(&world)), (Restored { records: 1, expired: 1, ..Restored::default() }, [0, 1]));
    assert!(gets_in(&mut world, 1, "bob@b.example", "09000000003"));
    assert!(!gets_in(&mut world, 2, ALICE_THERE, "09000000003"));
    let (world, what) = restored(&file, 86_400, swapped(), Bounds::default()).unwrap();
    assert_eq!((what.expired, now(&world)), (2, [0, 0]), "a day without a word");
}

#[test]
fn an_end_is_remembered_and_a_start_that_comes_late_begins_nothing() {
    let (mut world, _) = before();
    world.report(&session(3, STOP, "s1", ALICE, "09000000001"));
    let (mut world, _) = restored(&saved(&world), 5, swapped(), Bounds::default()).unwrap();
    world.report_at(NAS_B, &session(4, START, "s1", ALICE_THERE, "09000000001"));
    assert_eq!(now(&world), [0, 1], "bob's place alone");
}

#[test]
fn a_device_that_had_attached_again_keeps_its_place_when_the_stop_of_its_first_session_comes() {
    let (mut world, _) = before();
    assert!(world.is_let_in(&login(3, ALICE, PASSWORD, "09000000001")));
    let (mut world, _) = restored(&saved(&world), 5, swapped(), Bounds::default()).unwrap();
    world.report_at(NAS_B, &session(4, STOP, "s1", ALICE_THERE, "09000000001"));
    assert!(!gets_in(&mut world, 5, ALICE_THERE, "09000000003"), "its second session is about to begin");
}

#[test]
fn a_nas_that_begins_anew_after_the_restart_ends_what_it_had_before() {
    let (_, file) = before();
    let (mut world, _) = restored(&file, 5, swapped(), Bounds::default()).unwrap();
    let on = |id| {
        RequestBuilder::new(Code::ACCOUNTING_REQUEST, id, [0; 16])
            .attribute(attr::ACCT_STATUS_TYPE, 7_u32.to_be_bytes())
            .attribute(attr::ACCT_SESSION_ID, "0")
            .build(&nas_secret())
            .unwrap()
    };
    world.report(&on(1));
    assert_eq!(now(&world), [0, 2], "another NAS's are its own");
    world.report_at(NAS_B, &on(2));
    assert_eq!(now(&world), [0, 0]);
}

#[test]
fn a_start_that_names_no_device_takes_the_place_that_its_login_had_before_the_restart() {
    let (_, file) = before();
    let (mut world, _) = restored(&file, 5, swapped(), Bounds::default()).unwrap();
    world.report_at(NAS_B, &session(1, START, "s2", "bob@b.example", ""));
    assert_eq!(now(&world), [0, 2]);
}

#[test]
fn what_the_table_had_finds_room_again_whoever_has_how_much_of_it() {
    // Live, the first contract may have half of the places, and the second then a half of what is left.
    let bounds = Bounds { max_sessions: 600, ..Bounds::default() };
    let mut world = World::without_ports(group_plan(|_| {}), Limits::default());
    world.replace_hosted(no_accounts(bounds));
    for (at, name, count) in [(NAS, "a", 290), (NAS_B, "b", 150)] {
        for n in 0..count {
            world.report_at(at, &session(n as u8, START, &format!("s{n}"), &format!("user-{n}@{name}.example"), ""));
        }
    }
    let before = now(&world);
    assert_eq!(before, [290, 150]);
    let (world, what) = restored(&saved(&world), 5, swapped(), bounds).unwrap();
    assert_eq!((what, now(&world)), (Restored { records: 440, ..Restored::default() }, [150, 290]));
}

#[test]
fn of_what_has_no_name_any_more_nothing_is_restored() {
    let (_, file) = before();
    for gone in 0..3 {
        let mut plan = swapped();
        plan.reshape(move |snapshot| match gone {
            0 => client(snapshot, 1).contract = "another".to_owned(),
            1 => Arc::get_mut(snapshot.realms[1].as_mut().unwrap()).unwrap().name = "another.example".to_owned(),
            _ => {
                Arc::get_mut(snapshot.groups[1].as_mut().unwrap()).unwrap().contract = "another".to_owned();
                Arc::get_mut(snapshot.realms[1].as_mut().unwrap()).unwrap().service = None;
            }
        });
        let (world, what) = restored(&file, 5, plan, Bounds::default()).unwrap();
        assert_eq!((what, now(&world)), (Restored { dropped: 2, ..Restored::default() }, [0, 0]), "{gone}");
    }
}

#[test]
fn sessions_of_a_contract_that_another_has_followed_in_its_realm_count_for_that_one() {
    let (_, file) = before();
    let mut plan = swapped();
    plan.reshape(|snapshot| {
        Arc::get_mut(snapshot.groups[1].as_mut().unwrap()).unwrap().contract = "another".to_owned();
    });
    let (mut world, what) = restored(&file, 5, plan, Bounds::default()).unwrap();
    assert_eq!((what.records, now(&world)), (2, [0, 2]));
    assert!(!gets_in(&mut world, 1, ALICE_THERE, "09000000003"));
}

#[test]
fn a_table_that_has_become_smaller_says_what_found_no_room() {
    let (_, file) = before();
    let bounds = Bounds { max_sessions: 1, ..Bounds::default() };
    let (world, what) = restored(&file, 5, swapped(), bounds).unwrap();
    assert_eq!((what, now(&world)), (Restored { records: 1, no_room: 1, ..Restored::default() }, [0, 1]));
}

#[test]
fn of_a_file_that_is_cut_or_changed_nothing_is_taken() {
    let (_, file) = before();
    for length in 0..file.len() {
        let error = restored(&file[..length], 5, swapped(), Bounds::default()).map(|_| ()).unwrap_err();
        assert!(matches!(error, RestoreError::Truncated), "{length}: {error}");
    }
    let whole = World::with(swapped(), Limits::default());
    for at in 0..file.len() {
        let mut damaged = file.clone();
        damaged[at] ^= 0x40;
        let read = Table::restore(Bounds::default(), &*damaged, whole.now, WALL, &whole.snapshot);
        assert!(read.is_err(), "{at}");
        assert_eq!(now(&whole), [0, 0], "{at}");
    }
}
