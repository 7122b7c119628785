//! All hosted accounts of a node, by realm and local part of the name. A change is in force at once.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use hashbrown::{HashTable, hash_table::Entry};

use super::account::{Account, AccountError, Known};
use crate::{
    random::{HashKeys, Random},
    snapshot::{Group, GroupId, PasswordForm, RealmId},
};

/// Parts with a lock each, so that a change keeps few logins waiting.
const SHARDS: usize = 64;
/// Salt and hash that stand in the place of an unknown user's: of no password that anybody knows.
const NOBODYS_HASH: &str = "$bm9ib2R5cyBzYWx0IQ$6sUZVkp2Yl4f0pQW7n0mB3eH1rX9cTgLq5yDOa8KjvM";
/// What comes before it, while nothing is known of what a contract's own hashes cost: argon2's default, 19 MiB and two passes.
const NOBODYS_COST: &str = "$argon2id$v=19$m=19456,t=2,p=1";

type Shard = RwLock<HashTable<Arc<Known>>>;

/// The accounts. Shared by all workers; changed by whoever follows the registry.
///
/// Names are compared octet for octet: `Alice` is not `alice`.
pub struct Accounts {
    keys: HashKeys,
    shards: Box<[Shard]>,
    len: AtomicUsize,
    octets: AtomicUsize,
    /// What an unknown user's login is checked against.
    nobody: Arc<Known>,
    nobodys_hash: Arc<Known>,
    /// The same at the cost of a contract's own, as its last account has it: an unknown user's login has to take as long as others.
    nobodys_hashes: RwLock<BTreeMap<GroupId, Arc<Known>>>,
}

impl Accounts {
    /// None. The seed must be random and secret: it keys the hash of names, and makes the password that no unknown user has.
    pub fn new(seed: [u8; 32]) -> Accounts {
        let mut random = Random::new(seed);
        Accounts {
            keys: random.hash_keys(),
            shards: (0..SHARDS).map(|_| Shard::default()).collect(),
            len: AtomicUsize::new(0),
            octets: AtomicUsize::new(0),
            // Text, as MS-CHAP needs it.
            nobody: Arc::new(Known::nobody(&random.authenticator().map(|octet| b'a' + octet % 26), false)),
            nobodys_hashes: RwLock::default(),
            nobodys_hash: Arc::new(Known::nobody([NOBODYS_COST, NOBODYS_HASH].concat().as_bytes(), true)),
        }
    }

    /// Has an account from now on, in the place of the one of that name that there may be. Whether there was one.
    ///
    /// `user` is the local part of the name, to the octet: what is left of User-Name without its realm; all of it where the realm is not
    /// in the name (an APN, a default).
    ///
    /// # Errors
    ///
    /// What is said of it cannot be kept; then nothing has changed.
    pub fn put(&self, realm: RealmId, user: &[u8], account: &Account) -> Result<bool, AccountError> {
        let known = Arc::new(Known::new(realm, user, account)?);
        self.learn_cost(&known);
        let hash = self.keys.pair(realm.0, user);
        let size = known.size();
        let mut shard = self.write(hash);
        let hasher = |known: &Arc<Known>| self.keys.pair(known.realm.0, known.user());
        let before = match shard.entry(hash, |it| it.realm == realm && it.user() == user, hasher) {
            Entry::Occupied(mut entry) => Some(std::mem::replace(entry.get_mut(), known)),
            Entry::Vacant(entry) => {
                entry.insert(known);
                None
            }
        };
        drop(shard);
        self.octets.fetch_add(size, Relaxed);
        match &before {
            Some(before) => {
                self.octets.fetch_sub(before.size(), Relaxed);
            }
            None => {
                self.len.fetch_add(1, Relaxed);
            }
        }
        Ok(before.is_some())
    }

    /// Has an account no more. Whether there was one.
    pub fn remove(&self, realm: RealmId, user: &[u8]) -> bool {
        let hash = self.keys.pair(realm.0, user);
        let mut shard = self.write(hash);
        let found = shard.find_entry(hash, |it| it.realm == realm && it.user() == user);
        found.map(|entry| self.forget(&entry.remove().0)).is_ok()
    }

    /// Has no account of this realm any more. How many there were.
    pub fn clear_realm(&self, realm: RealmId) -> usize {
        self.retain(|of, _| of != realm)
    }

    /// Keeps the accounts only that this is true of, by realm and user: after a node has been away from its registry. How many went.
    /// Takes a time in proportion to all accounts; logins go on meanwhile.
    pub fn retain(&self, mut keep: impl FnMut(RealmId, &[u8]) -> bool) -> usize {
        let mut gone = 0;
        for shard in &self.shards {
            let mut shard = shard.write().unwrap_or_else(PoisonError::into_inner);
            shard.retain(|known| {
                let keep = keep(known.realm, known.user());
                if !keep {
                    gone += 1;
                    self.forget(known);
                }
                keep
            });
        }
        gone
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.len.load(Relaxed)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Octets of memory that they take: what is asked of the allocator, which adds up to 16 octets to each of two pieces of an account.
    pub fn octets(&self) -> usize {
        let tables = self.shards.iter().map(|shard| {
            let shard = shard.read().unwrap_or_else(PoisonError::into_inner);
            shard.allocation_size() + size_of::<Shard>()
        });
        self.octets.load(Relaxed) + tables.sum::<usize>()
    }

    /// The contract's account of this name.
    pub(crate) fn find(&self, group: GroupId, realm: RealmId, user: &[u8]) -> Option<Arc<Known>> {
        let hash = self.keys.pair(realm.0, user);
        let found = self.read(hash).find(hash, |it| it.realm == realm && it.user() == user).cloned();
        found.filter(|known| known.group == group)
    }

    /// What stands in the place of an account that this contract has not.
    pub(crate) fn nobody(&self, group: &Group) -> Arc<Known> {
        if group.form == PasswordForm::Recoverable {
            return Arc::clone(&self.nobody);
        }
        let hashes = self.nobodys_hashes.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(hashes.get(&group.id).unwrap_or(&self.nobodys_hash))
    }

    fn learn_cost(&self, known: &Known) {
        let Some(cost) = known.hash_cost() else { return };
        let is_same = |hashes: &BTreeMap<GroupId, Arc<Known>>| {
            hashes.get(&known.group).is_some_and(|nobody| nobody.hash_cost() == Some(cost))
        };
        if is_same(&self.nobodys_hashes.read().unwrap_or_else(PoisonError::into_inner)) {
            return;
        }
        let nobody = Arc::new(Known::nobody(&[cost, NOBODYS_HASH.as_bytes()].concat(), true));
        self.nobodys_hashes.write().unwrap_or_else(PoisonError::into_inner).insert(known.group, nobody);
    }

    fn forget(&self, known: &Known) {
        self.len.fetch_sub(1, Relaxed);
        self.octets.fetch_sub(known.size(), Relaxed);
    }

    fn read(&self, hash: u64) -> RwLockReadGuard<'_, HashTable<Arc<Known>>> {
        self.shards[shard_of(hash)].read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, hash: u64) -> RwLockWriteGuard<'_, HashTable<Arc<Known>>> {
        self.shards[shard_of(hash)].write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// By bits of a hash that its table does not begin with.
fn shard_of(hash: u64) -> usize {
    (hash >> 40) as usize % SHARDS
}

/// Only how many there are.
impl fmt::Debug for Accounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accounts").field("len", &self.len()).finish_non_exhaustive()
    }
}
