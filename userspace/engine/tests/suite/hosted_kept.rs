//! Sessions of hosted accounts over a restart of the process, in which everything has another number.

use std::{sync::Arc, time::Duration};

use crate::common::{hosted::*, *};
use sekisho_engine::{
    Limits,
    hosted::{Account, Hosted, Restored, Sessions as Table, Settings as Bounds},
    snapshot::*,
};
use sekisho_lns::framed::RestoreError;
use sekisho_wire::code::Code;

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
    let mut file = Vec::new();
    let sessions = &world.settings.hosted.sessions;
    assert_eq!(sessions.write_to(world.now, WALL, &world.snapshot, &mut file).unwrap(), 2);
    (world, file)
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
    let mut file = Vec::new();
    world.settings.hosted.sessions.write_to(world.now, WALL, &world.snapshot, &mut file).unwrap();
    let (mut world, _) = restored(&file, 5, swapped(), Bounds::default()).unwrap();
    world.report_at(NAS_B, &session(4, START, "s1", ALICE_THERE, "09000000001"));
    assert_eq!(now(&world), [0, 1], "bob's place alone");
}

#[test]
fn of_what_has_no_name_any_more_nothing_is_restored() {
    let (_, file) = before();
    for gone in 0..3 {
        let mut plan = swapped();
        plan.reshape(move |snapshot| match gone {
            0 => client(snapshot, 1).contract = "another".to_owned(),
            1 => Arc::get_mut(snapshot.realms[1].as_mut().unwrap()).unwrap().name = "another.example".to_owned(),
            _ => Arc::get_mut(snapshot.groups[1].as_mut().unwrap()).unwrap().contract = "another".to_owned(),
        });
        let (world, what) = restored(&file, 5, plan, Bounds::default()).unwrap();
        assert_eq!((what, now(&world)), (Restored { dropped: 2, ..Restored::default() }, [0, 0]), "{gone}");
    }
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
