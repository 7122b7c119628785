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
    waiting: Rows,
    /// Those that cannot be used; the log has told why. They are tried again when there are other keys.
    unusable: Rows,
    /// Numbers under which a realm's accounts have ever been put into the workers' table: another customer's realm of the same name has
    /// another number, and an account is in one place only.
    places: BTreeMap<String, BTreeSet<RealmId>>,
}

/// By realm and user.
type Rows = BTreeMap<String, BTreeMap<String, AccountRow>>;

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

    /// Opens what comes from now on with these keys. Where they are others, which is what comes back, [`Intake::go_by`] tries those again
    /// that could not be used.
    pub fn set_keys(&mut self, keys: KeyRing) -> bool {
        let are_others = !keys.ids().eq(self.keys.ids());
        self.keys = keys;
        if are_others {
            for (realm, users) in std::mem::take(&mut self.unusable) {
                self.waiting.entry(realm).or_default().extend(users);
            }
        }
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

    /// Has those that waited for it, now that other contracts are served.
    pub fn go_by(&mut self, routing: (&RoutingSnapshot, &Dictionary), accounts: &Accounts) {
        let numbers = Numbers::of(routing.0);
        for (realm, users) in std::mem::take(&mut self.waiting) {
            for (user, row) in users {
                match numbers.get(&row.contract, &realm) {
                    Some(ids) => self.put(row, ids, routing, accounts),
                    None => {
                        self.waiting.entry(realm.clone()).or_default().insert(user, row);
                    }
                }
            }
        }
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
        let Err(reason) = put else { return };
        // What it was before must not let anybody in whom the registry no longer does.
        accounts.remove(realm, row.user.as_bytes());
        tracing::error!(contract = row.contract, reason, "an account cannot be used: nobody logs in to it");
        let (realm, user) = (&row.realm, &row.user);
        tracing::debug!(contract = row.contract, realm, user, "the account that cannot be used");
        self.unusable.entry(row.realm.clone()).or_default().insert(row.user.clone(), row);
    }

    /// Nothing is known of it any more but what the workers have.
    fn forget(&mut self, realm: &str, user: &str) {
        for rows in [&mut self.waiting, &mut self.unusable] {
            if let Some(users) = rows.get_mut(realm) {
                users.remove(user);
            }
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
