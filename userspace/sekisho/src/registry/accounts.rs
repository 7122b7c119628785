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
    /// By contract and realm, those that are not served yet.
    waiting: BTreeMap<(String, String), BTreeMap<String, AccountRow>>,
    /// By realm, users that went while their realm was not served: the workers' table may still have them.
    gone: BTreeMap<String, BTreeSet<String>>,
    /// Accounts that cannot be used, by realm and user; the log has told why.
    unusable: BTreeSet<(String, String)>,
}

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

    /// The realm alone, for an account that is gone: whose it was does not matter then.
    fn realm(&self, realm: &str) -> impl Iterator<Item = RealmId> {
        self.0.iter().filter(move |((_, name), _)| *name == realm).map(|(_, (_, id))| *id)
    }
}

impl Intake {
    /// Nothing has come yet.
    pub fn new(keys: KeyRing) -> Intake {
        Intake { keys, waiting: BTreeMap::new(), gone: BTreeMap::new(), unusable: BTreeSet::new() }
    }

    /// Opens what comes from now on with these keys.
    pub fn set_keys(&mut self, keys: KeyRing) {
        self.keys = keys;
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
                AccountChange::Changed(row) => match numbers.get(&row.contract, &row.realm) {
                    Some(ids) => self.put(&row, ids, (snapshot, dictionary), accounts),
                    None => {
                        let key = (row.contract.clone(), row.realm.clone());
                        self.waiting.entry(key).or_default().insert(row.user.clone(), row);
                    }
                },
                AccountChange::Gone { realm, user, .. } => {
                    self.unusable.remove(&(realm.clone(), user.clone()));
                    for ((_, of), waiting) in &mut self.waiting {
                        if *of == realm {
                            waiting.remove(&user);
                        }
                    }
                    let mut is_served = false;
                    for id in numbers.realm(&realm) {
                        is_served = true;
                        accounts.remove(id, user.as_bytes());
                    }
                    if !is_served {
                        self.gone.entry(realm).or_default().insert(user);
                    }
                }
            }
        }
    }

    /// Has those that waited for it, now that other contracts are served.
    pub fn go_by(&mut self, routing: (&RoutingSnapshot, &Dictionary), accounts: &Accounts) {
        let numbers = Numbers::of(routing.0);
        // First of all: whoever went and came back waits below.
        self.gone.retain(|realm, users| {
            let mut is_served = false;
            for id in numbers.realm(realm) {
                is_served = true;
                for user in &*users {
                    accounts.remove(id, user.as_bytes());
                }
            }
            !is_served
        });
        let waiting = std::mem::take(&mut self.waiting);
        for ((contract, realm), rows) in waiting {
            match numbers.get(&contract, &realm) {
                Some(ids) => rows.values().for_each(|row| self.put(row, ids, routing, accounts)),
                None => {
                    self.waiting.insert((contract, realm), rows);
                }
            }
        }
    }

    /// What waits is of a registry that is not followed any more.
    pub fn begin_anew(&mut self) {
        self.waiting.clear();
        self.gone.clear();
        self.unusable.clear();
    }

    /// How many wait for their contract.
    pub fn waiting(&self) -> usize {
        self.waiting.values().map(BTreeMap::len).sum()
    }

    /// How many cannot be used.
    pub fn unusable(&self) -> usize {
        self.unusable.len()
    }

    fn put(
        &mut self,
        row: &AccountRow,
        (group, realm): (GroupId, RealmId),
        (snapshot, dictionary): (&RoutingSnapshot, &Dictionary),
        accounts: &Accounts,
    ) {
        let made = self.account(row, group, (snapshot, dictionary));
        let put = made.and_then(|account| {
            accounts.put(realm, row.user.as_bytes(), &account).map(drop).map_err(|error| error.to_string())
        });
        let key = (row.realm.clone(), row.user.clone());
        let Err(reason) = put else {
            self.unusable.remove(&key);
            return;
        };
        // What it was before must not let anybody in whom the registry no longer does.
        accounts.remove(realm, row.user.as_bytes());
        self.unusable.insert(key);
        tracing::error!(contract = row.contract, reason, "an account cannot be used: nobody logs in to it");
        tracing::debug!(contract = row.contract, realm = row.realm, user = row.user, "the account that cannot be used");
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
