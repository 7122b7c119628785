//! Hosted accounts on their way from the registry to where logins find them.

use std::{collections::BTreeSet, sync::Arc};

use sekisho::registry::accounts::Intake;
use sekisho_config::Dictionary;
use sekisho_engine::{hosted, snapshot::*, stats::PerWorker};
use sekisho_registry::{
    AccountChange, AccountRow,
    account::{Account, Secret},
    keys::KeyRing,
};

/// The contracts that are served by now, for these realms.
fn routing(served: &[(&str, u32, u32)]) -> RoutingSnapshot {
    let mut snapshot = RoutingSnapshot::default();
    for (contract, group, realm) in served {
        let (group, realm) = (GroupId(*group), RealmId(*realm));
        let place = snapshot.realms.len().max(realm.index() + 1);
        snapshot.realms.resize_with(place, || None);
        snapshot.realms[realm.index()] = Some(Arc::new(Realm {
            id: realm,
            name: "acme.example".into(),
            customer: CustomerId(0),
            service: Some(RealmService::Group(group)),
            vpdn: Default::default(),
            stats: Arc::new(PerWorker::new(1)),
        }));
        snapshot.groups.push(Some(Arc::new(Group {
            id: group,
            contract: (*contract).to_owned(),
            customer: CustomerId(0),
            realms: vec![realm],
            protocols: Protocols::ALL,
            form: PasswordForm::Recoverable,
            simultaneous: 0,
            max_sessions: 0,
            calling: Calling::Any,
            reply: Box::default(),
            lockout: Lockout::default(),
            sessions: Arc::default(),
            stats: Arc::new(PerWorker::new(1)),
        })));
    }
    snapshot
}

fn row(contract: &str, user: &str, keys: &KeyRing) -> AccountRow {
    let account = Account {
        contract: contract.into(),
        realm: "acme.example".into(),
        user: user.into(),
        secret: Secret::Recoverable(b"wonderland".to_vec().into()),
        enabled: true,
        expires: None,
        simultaneous: None,
        calling: Vec::new(),
        reply: Vec::new(),
        note: String::new(),
    };
    AccountRow::seal(account, keys).unwrap()
}

/// The registry's end, and the workers'.
struct Desk {
    intake: Intake,
    table: hosted::Accounts,
    keys: KeyRing,
    dictionary: Dictionary,
}

impl Desk {
    fn new() -> Desk {
        let keys = KeyRing::generate().unwrap();
        let table = hosted::Accounts::new([7; 32]);
        Desk { intake: Intake::new(keys.clone()), table, keys, dictionary: Dictionary::default() }
    }

    fn changed(&mut self, contract: &str, user: &str, routing: &RoutingSnapshot) {
        let change = AccountChange::Changed(row(contract, user, &self.keys));
        self.intake.take(vec![change], (routing, &self.dictionary), &self.table);
    }

    fn gone(&mut self, user: &str, routing: &RoutingSnapshot) {
        let change = AccountChange::Gone { realm: "acme.example".into(), user: user.into(), revision: 9 };
        self.intake.take(vec![change], (routing, &self.dictionary), &self.table);
    }

    fn go_by(&mut self, routing: &RoutingSnapshot) {
        self.intake.go_by((routing, &self.dictionary), &self.table);
    }

    /// Who can log in, by the realm's number.
    fn ready(&self) -> Vec<(u32, String)> {
        let mut found = BTreeSet::new();
        self.table.retain(|realm, user| found.insert((realm.0, String::from_utf8(user.to_vec()).unwrap())));
        found.into_iter().collect()
    }
}

#[test]
fn an_account_that_goes_to_a_contract_that_is_not_served_yet_lets_nobody_in_by_the_former_one() {
    let mut desk = Desk::new();
    let now = routing(&[("a", 0, 0)]);
    desk.changed("a", "alice", &now);
    desk.changed("a", "bob", &now);
    desk.changed("b", "alice", &now);
    assert_eq!((desk.ready(), desk.intake.waiting()), (vec![(0, "bob".into())], 1));
    let later = routing(&[("b", 1, 0)]);
    desk.go_by(&later);
    assert_eq!((desk.ready().len(), desk.intake.waiting()), (2, 0));
}

#[test]
fn a_suspended_contract_has_no_account_back_that_has_gone_to_another_or_away() {
    let mut desk = Desk::new();
    let (served, suspended) = (routing(&[("a", 0, 0)]), routing(&[]));
    for user in ["alice", "bob", "carol"] {
        desk.changed("a", user, &served);
    }
    desk.go_by(&suspended);
    // Once more as a waiting one: what waits is of the contract that it goes to.
    desk.changed("a", "alice", &suspended);
    desk.changed("b", "alice", &suspended);
    desk.gone("bob", &suspended);
    desk.go_by(&served);
    assert_eq!(desk.ready(), [(0, "carol".into())]);
    assert_eq!(desk.intake.waiting(), 1);
}

#[test]
fn a_realm_that_another_customer_had_meanwhile_has_no_account_of_former_days() {
    let mut desk = Desk::new();
    let (formerly, meanwhile) = (routing(&[("a", 0, 0)]), routing(&[("b", 1, 1)]));
    desk.changed("a", "alice", &formerly);
    desk.go_by(&meanwhile);
    desk.gone("alice", &meanwhile);
    desk.changed("b", "alice", &meanwhile);
    assert_eq!(desk.ready(), [(1, "alice".into())], "an account is in one place");
    desk.gone("alice", &meanwhile);
    desk.go_by(&formerly);
    assert_eq!(desk.ready(), []);
}

#[test]
fn accounts_that_no_key_opened_are_ready_when_the_key_is_there() {
    let mut desk = Desk::new();
    let now = routing(&[("a", 0, 0)]);
    let right = std::mem::replace(&mut desk.keys, KeyRing::generate().unwrap());
    desk.changed("a", "alice", &now);
    desk.changed("a", "bob", &now);
    desk.go_by(&now);
    assert_eq!((desk.ready(), desk.intake.unusable()), (vec![], 2));
    assert!(!desk.intake.set_keys(right), "the same as before");
    desk.gone("bob", &now);
    assert!(desk.intake.set_keys(desk.keys.clone()));
    // Its contract is suspended just now.
    desk.go_by(&routing(&[]));
    assert_eq!((desk.ready(), desk.intake.unusable(), desk.intake.waiting()), (vec![], 0, 1));
    desk.go_by(&now);
    assert_eq!((desk.ready(), desk.intake.waiting()), (vec![(0, "alice".into())], 0));
}
