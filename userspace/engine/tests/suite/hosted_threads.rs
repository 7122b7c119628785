//! Accounts are changed while others are; what they take adds up afterwards.

use std::thread;

use sekisho_engine::{
    hosted::{Account, Accounts, Secret},
    snapshot::{GroupId, RealmId},
};
use zeroize::Zeroizing;

const NAMES: u32 = 2_000;

fn account(n: u32) -> Account {
    Account {
        group: GroupId(0),
        secret: Secret::Recoverable(Zeroizing::new(vec![b'x'; 1 + n as usize % 40].into())),
        enabled: true,
        expires: None,
        simultaneous: None,
        calling: Vec::new(),
        reply: Box::default(),
    }
}

#[test]
fn changes_from_many_threads_are_all_counted() {
    let accounts = Accounts::new([1; 32]);
    for n in 0..4 * NAMES {
        accounts.put(RealmId(n / NAMES), format!("user-{n}").as_bytes(), &account(n)).unwrap();
    }
    let all = accounts.octets();
    thread::scope(|scope| {
        for thread in 0..4 {
            let accounts = &accounts;
            scope.spawn(move || {
                for round in 0..5 {
                    for n in thread * NAMES..(thread + 1) * NAMES {
                        let user = format!("user-{n}");
                        assert!(accounts.put(RealmId(thread), user.as_bytes(), &account(n + round)).unwrap());
                        assert!(accounts.remove(RealmId(thread), user.as_bytes()));
                        // Another thread's may come and go meanwhile: not this one.
                        assert!(!accounts.put(RealmId(thread), user.as_bytes(), &account(n)).unwrap());
                    }
                }
            });
        }
    });
    assert_eq!(accounts.len(), 4 * NAMES as usize);
    // A table that has seen many come and go may have doubled: nine octets a place. No account's octets are lost or counted twice.
    let more = accounts.octets() - all;
    assert!(more <= 2 * 9 * 4 * NAMES as usize, "{more}");
    assert_eq!(accounts.clear_realm(RealmId(3)), NAMES as usize);
    assert_eq!(accounts.retain(|realm, user| realm == RealmId(0) && user.ends_with(b"7")), 3 * NAMES as usize - 200);
    assert_eq!(accounts.len(), 200);
}
