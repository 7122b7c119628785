//! Hosted accounts on their way from the registry to the workers' table.
//!
//! An account is opened, given the number of its realm and contract, and put where logins find it: that is in force at once. Accounts of a
//! contract that is not served yet wait, sealed as they came.

use std::collections::{BTreeMap, BTreeSet};

use sekisho_config::Dictionary;
use sekisho_engine::{
    hosted::{self, Accounts},
    snapshot::{GroupId, RealmId, RoutingSnapshot},
};
use sekisho_registry::{AccountChange, AccountRow, account::Secret, keys::KeyRing};
use sekisho_wire::number::canonical_number;

/// What stands between the registry's accounts and the workers'.
pub struct Intake {
    keys: KeyRing,
    /// By realm and user, those whose contract is not served yet, or not now.
    waiting: Rows<AccountRow>,
    /// Those that cannot be used, and why; the log has told of them. They are tried again with other keys, and with each routing.
    unusable: Rows<(AccountRow, String)>,
    /// Numbers under which a realm's accounts have ever been put into the workers' table: another customer's realm of the same name has
    /// another number, and an account is in one place only.
    places: BTreeMap<String, BTreeSet<RealmId>>,
}

/// By realm and user.
type Rows<T> = BTreeMap<String, BTreeMap<String, T>>;

/// What is served, by the names that the registry has for it.
struct Numbers<'s>(BTreeMap<(&'s str, &'s str), (GroupId, RealmId)>);

impl<'s> Numbers<'s> {
    fn of(snapshot: &'s RoutingSnapshot) -> Numbers<'s> {
        let mut numbers = BTreeMap::new();
        for group in snapshot.groups.iter().flatten() {
            for id in &group.realms {
                if let Some(realm) = snapshot.realm(*id) {
                    numbers.insert((group.contract.as_str(), realm.name.as_str()), (group.id, *id));
                }
            }
        }
        Numbers(numbers)
    }

    fn get(&self, contract: &str, realm: &str) -> Option<(GroupId, RealmId)> {
        self.0.get(&(contract, realm)).copied()
    }
}

impl Intake {
    /// Nothing has come yet.
    pub fn new(keys: KeyRing) -> Intake {
        Intake { keys, waiting: Rows::new(), unusable: Rows::new(), places: BTreeMap::new() }
    }

    /// Opens what comes from now on with these keys; whether they are others.
    pub fn set_keys(&mut self, keys: KeyRing) -> bool {
        let are_others = !keys.ids().eq(self.keys.ids());
        self.keys = keys;
        are_others
    }

    /// Takes what the registry says of accounts.
    pub fn take(
        &mut self,
        changes: Vec<AccountChange>,
        (snapshot, dictionary): (&RoutingSnapshot, &Dictionary),
        accounts: &Accounts,
    ) {
        let numbers = Numbers::of(snapshot);
        for change in changes {
            match change {
                AccountChange::Changed(row) => {
                    self.forget(&row.realm, &row.user);
                    match numbers.get(&row.contract, &row.realm) {
                        Some(ids) => self.put(row, ids, (snapshot, dictionary), accounts),
                        None => {
                            // What it was before, of another contract perhaps, lets nobody in any more.
                            self.clear(&row.realm, &row.user, None, accounts);
                            self.waiting.entry(row.realm.clone()).or_default().insert(row.user.clone(), row);
                        }
                    }
                }
                AccountChange::Gone { realm, user, .. } => {
                    self.forget(&realm, &user);
                    self.clear(&realm, &user, None, accounts);
                }
            }
        }
    }

    /// Has those that waited for it, now that other contracts are served, and those that could not be used before.
    pub fn go_by(&mut self, routing: (&RoutingSnapshot, &Dictionary), accounts: &Accounts) {
        let numbers = Numbers::of(routing.0);
        let is_served = |row: &AccountRow| numbers.get(&row.contract, &row.realm);
        for row in drain(&mut self.waiting, |row| is_served(row).is_some()) {
            if let Some(ids) = is_served(&row) {
                self.put(row, ids, routing, accounts);
            }
        }
        for (row, ids) in self.again(is_served) {
            self.put(row, ids, routing, accounts);
        }
    }

    /// Those that could not be used, and are served.
    fn again(
        &self,
        is_served: impl Fn(&AccountRow) -> Option<(GroupId, RealmId)>,
    ) -> Vec<(AccountRow, (GroupId, RealmId))> {
        let rows = self.unusable.values().flat_map(BTreeMap::values);
        rows.filter_map(|(row, _)| Some((row.clone(), is_served(row)?))).collect()
    }

    /// What waits is of a registry that is not followed any more.
    pub fn begin_anew(&mut self) {
        self.waiting.clear();
        self.unusable.clear();
    }

    /// How many wait for their contract.
    pub fn waiting(&self) -> usize {
        self.waiting.values().map(BTreeMap::len).sum()
    }

    /// How many cannot be used.
    pub fn unusable(&self) -> usize {
        self.unusable.values().map(BTreeMap::len).sum()
    }

    fn put(
        &mut self,
        row: AccountRow,
        (group, realm): (GroupId, RealmId),
        (snapshot, dictionary): (&RoutingSnapshot, &Dictionary),
        accounts: &Accounts,
    ) {
        self.clear(&row.realm, &row.user, Some(realm), accounts);
        let made = self.account(&row, group, (snapshot, dictionary));
        let put = made.and_then(|account| {
            accounts.put(realm, row.user.as_bytes(), &account).map(drop).map_err(|error| error.to_string())
        });
        self.places.entry(row.realm.clone()).or_default().insert(realm);
        let users = self.unusable.entry(row.realm.clone()).or_default();
        let Err(reason) = put else {
            if users.remove(&row.user).is_some() {
                tracing::info!(contract = row.contract, "an account that could not be used is ready");
            }
            return;
        };
        // What it was before must not let anybody in whom the registry no longer does.
        accounts.remove(realm, row.user.as_bytes());
        if users.get(&row.user).is_none_or(|(_, before)| *before != reason) {
            tracing::error!(contract = row.contract, reason, "an account cannot be used: nobody logs in to it");
            let (realm, user) = (&row.realm, &row.user);
            tracing::debug!(contract = row.contract, realm, user, "the account that cannot be used");
        }
        users.insert(row.user.clone(), (row, reason));
    }

    /// Nothing is known of it any more but what the workers have.
    fn forget(&mut self, realm: &str, user: &str) {
        if let Some(users) = self.waiting.get_mut(realm) {
            users.remove(user);
        }
        if let Some(users) = self.unusable.get_mut(realm) {
            users.remove(user);
        }
    }

    /// Takes it out of the workers' table, wherever it has been put, but for one place.
    fn clear(&self, realm: &str, user: &str, but: Option<RealmId>, accounts: &Accounts) {
        let places = self.places.get(realm).into_iter().flatten();
        for id in places.filter(|id| Some(**id) != but) {
            accounts.remove(*id, user.as_bytes());
        }
    }

    fn account(
        &self,
        row: &AccountRow,
        group: GroupId,
        (snapshot, dictionary): (&RoutingSnapshot, &Dictionary),
    ) -> Result<hosted::Account, String> {
        let secret = match row.secret(&self.keys).map_err(|error| error.to_string())? {
            Secret::Recoverable(password) => {
                hosted::Secret::Recoverable(zeroize::Zeroizing::new(password.as_slice().into()))
            }
            Secret::Argon2id(phc) => hosted::Secret::Argon2id(phc.into()),
        };
        let number = |given: &String| {
            let mut digits = [0; 32];
            let number = canonical_number(given.as_bytes(), &snapshot.country_code, &mut digits);
            Box::from(number.unwrap_or(given.as_bytes()))
        };
        let mut reply = Vec::new();
        for (name, value) in &row.reply {
            let encoded = dictionary.encode(name, value).map_err(|problem| format!("reply: {name}: {problem}"))?;
            reply.extend_from_slice(&encoded);
        }
        Ok(hosted::Account {
            group,
            secret,
            enabled: row.enabled,
            expires: row.expires.map(|at| u64::try_from(at.as_second()).unwrap_or(0)),
            simultaneous: row.simultaneous,
            calling: row.calling.iter().map(number).collect(),
            reply: reply.into(),
        })
    }
}

/// Takes out what a condition is true of.
fn drain(rows: &mut Rows<AccountRow>, condition: impl Fn(&AccountRow) -> bool) -> Vec<AccountRow> {
    let mut taken = Vec::new();
    rows.retain(|_, users| {
        taken.extend(users.extract_if(.., |_, row| condition(row)).map(|(_, row)| row));
        !users.is_empty()
    });
    taken
}
