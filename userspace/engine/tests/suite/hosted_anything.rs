//! Whatever comes, and whatever becomes of it, the books agree (`World` asks after every step), and nobody gets in who may not.

use std::time::Duration;

use crate::common::{hosted::*, *};
use proptest::prelude::*;
use sekisho_engine::{
    Limits,
    hosted::{Account, PasswordVerdict, Secret},
    packet::Socket,
    snapshot::*,
};
use sekisho_wire::{attr, build::RequestBuilder, code::Code};

const USERS: [&str; 5] = ["alice", "bob", "hashed", "nobody", "off"];
const HASH: &str = "$argon2id$v=19$m=4096,t=3,p=1$c29tZXNhbHRzb21lc2FsdA$qqSCqQPLbO7RKU+qFwvGng9SW7NSAcN79ODs6fFxXms";

#[derive(Clone, Debug)]
enum Step {
    Login { id: u8, user: usize, right: bool, number: u8, authenticator: u8 },
    Eap { id: u8, message: Vec<u8>, state: Vec<u8> },
    Account { id: u8, user: usize, status: u32, session: u8, number: u8 },
    Verdict(u8),
    Stale,
    Record(bool),
    Pass(u16),
    Reload,
    Hashed(bool),
    Remove(usize),
    Put(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let user = 0..USERS.len();
    prop_oneof![
        8 => (0..6u8, user.clone(), any::<bool>(), 0..4u8, 0..4u8).prop_map(
            |(id, user, right, number, authenticator)| Step::Login { id, user, right, number, authenticator }),
        2 => (0..6u8, prop::collection::vec(any::<u8>(), 0..40), prop::collection::vec(any::<u8>(), 0..90)).prop_map(
            |(id, message, state)| Step::Eap { id, message, state }),
        6 => (0..6u8, user.clone(), prop::sample::select(vec![1u32, 2, 3, 7, 8, 99]), 0..4u8, 0..4u8).prop_map(
            |(id, user, status, session, number)| Step::Account { id, user, status, session, number }),
        4 => (0..3u8).prop_map(Step::Verdict),
        1 => Just(Step::Stale),
        3 => any::<bool>().prop_map(Step::Record),
        3 => (1..15_000u16).prop_map(Step::Pass),
        1 => Just(Step::Reload),
        1 => any::<bool>().prop_map(Step::Hashed),
        1 => user.clone().prop_map(Step::Remove),
        1 => user.prop_map(Step::Put),
    ]
}

fn put(world: &World, user: usize) {
    let name = USERS[user];
    match name {
        "nobody" => {}
        "hashed" => world.put(name, &Account { secret: Secret::Argon2id(HASH.into()), ..account() }),
        "off" => world.put(name, &Account { enabled: false, ..account() }),
        _ => world.put(name, &account()),
    }
}

fn number_of(number: u8) -> String {
    if number == 0 { String::new() } else { format!("0900000000{number}") }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_sequence_of_events_makes_the_books_disagree(steps in prop::collection::vec(step(), 1..60)) {
        let plan = group_plan(|group| {
            group.simultaneous = 2;
            group.max_sessions = 5;
            group.lockout = Lockout { failures: 3, client_failures: 8, ..Lockout::default() };
        });
        let limits = Limits { max_lookups: 2, max_records: 3, max_requests: 8, max_delayed_rejects: 2, ..Limits::default() };
        let mut world = World::with(plan, limits);
        (0..USERS.len()).for_each(|user| put(&world, user));
        let mut out = Vec::new();
        let mut seen = Vec::new();
        for step in steps {
            match step {
                Step::Login { id, user, right, number, authenticator } => {
                    let mut builder = RequestBuilder::new(Code::ACCESS_REQUEST, id, [authenticator; 16])
                        .attribute(attr::USER_NAME, format!("{}@a.example", USERS[user]))
                        .user_password(if right { PASSWORD.as_bytes() } else { b"wrong" }, &nas_secret());
                    if number > 0 {
                        builder = builder.attribute(attr::CALLING_STATION_ID, number_of(number));
                    }
                    let request = builder.message_authenticator().build(&nas_secret()).unwrap();
                    let answer = world.receive(Socket::Service(AUTH), address(NAS), &request).1;
                    if let Some(answer) = answer {
                        let is_accept = answer.bytes[0] == Code::ACCESS_ACCEPT.0;
                        prop_assert!(!is_accept || right && user < 3, "{step:?}");
                    }
                }
                Step::Eap { id, message, state } => {
                    let request = RequestBuilder::new(Code::ACCESS_REQUEST, id, [9; 16])
                        .attribute(attr::USER_NAME, "alice@a.example")
                        .attribute(attr::EAP_MESSAGE, message)
                        .attribute(attr::STATE, state)
                        .message_authenticator()
                        .build(&nas_secret())
                        .unwrap();
                    let answer = world.receive(Socket::Service(AUTH), address(NAS), &request).1;
                    prop_assert!(answer.is_none_or(|answer| answer.bytes[0] != Code::ACCESS_ACCEPT.0));
                }
                Step::Account { id, user, status, session: name, number } => {
                    let user = if matches!(status, 7 | 8) { String::new() } else { format!("{}@a.example", USERS[user]) };
                    let record = session(id, status, &format!("s{name}"), &user, &number_of(number));
                    world.receive(Socket::Service(ACCT), address(NAS), &record);
                }
                Step::Verdict(verdict) => {
                    out.extend(std::iter::from_fn(|| world.engine.poll_lookup()).map(|lookup| lookup.token));
                    if let Some(token) = out.pop() {
                        let verdict = [PasswordVerdict::Right, PasswordVerdict::Wrong, PasswordVerdict::Busy][verdict as usize];
                        world.engine.handle_verdict(world.now, token, verdict);
                        seen.push(token);
                    }
                }
                Step::Stale => {
                    // Never twice in fact; even so nothing comes of it but room.
                    if let Some(token) = seen.pop() {
                        world.engine.handle_verdict(world.now, token, PasswordVerdict::Right);
                    }
                }
                Step::Record(keep) => drop(world.keep_records(keep)),
                Step::Pass(ms) => drop(world.pass(Duration::from_millis(ms.into()))),
                Step::Reload => world.reload(|_| {}),
                Step::Hashed(hashed) => world.reload(|plan| {
                    let form = if hashed { PasswordForm::Argon2id } else { PasswordForm::Recoverable };
                    plan.reshape(move |snapshot| {
                        std::sync::Arc::get_mut(snapshot.groups[0].as_mut().unwrap()).unwrap().form = form;
                    });
                }),
                Step::Remove(user) => drop(world.settings.hosted.accounts.remove(RealmId(0), USERS[user].as_bytes())),
                Step::Put(user) => put(&world, user),
            }
            prop_assert!(world.engine.is_consistent());
            let sessions = &world.settings.hosted.sessions;
            let listed = sessions.list(world.now, usize::MAX, |it| it.group == OF_A).len();
            prop_assert!(listed <= world.snapshot.group(OF_A).unwrap().sessions.now() as usize);
        }
        // Everything ends.
        for token in out {
            world.engine.handle_verdict(world.now, token, PasswordVerdict::Wrong);
        }
        world.keep_records(true);
        world.pass(Duration::from_secs(15));
        prop_assert_eq!(world.engine.in_flight(), 0);
        world.now = world.now + Duration::from_secs(90_000);
        world.pass(Duration::from_secs(20));
        prop_assert_eq!(world.settings.hosted.sessions.counts().records, 0);
        prop_assert_eq!(world.snapshot.group(OF_A).unwrap().sessions.now(), 0);
    }
}
