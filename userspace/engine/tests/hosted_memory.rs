//! What an account takes in memory.

#![allow(clippy::unwrap_used, reason = "helpers of tests are not tests to clippy")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

use sekisho_engine::{
    hosted::{Account, AccountError, Accounts, Secret},
    snapshot::{GroupId, RealmId},
};
use zeroize::Zeroizing;

struct Counting;

thread_local! {
    /// Octets that are allocated, as many as the system's allocator takes for them: a multiple of 16, with 8 for itself, at least 32.
    static TAKEN: Cell<isize> = const { Cell::new(0) };
}

fn taken(size: usize) -> isize {
    ((size + 8).next_multiple_of(16)).max(32) as isize
}

// SAFETY: every call goes to the system's allocator unchanged; counting touches a thread-local integer only.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        TAKEN.with(|octets| octets.set(octets.get() + taken(layout.size())));
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        TAKEN.with(|octets| octets.set(octets.get() - taken(layout.size())));
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const MANY: u32 = 100_000;

fn account(n: u32, hashed: bool) -> Account {
    let secret = if hashed {
        let phc = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$qqSCqQPLbO7RKU+qFwvGng9SW7NSAcN79ODs6fFxXms";
        Secret::Argon2id(phc.into())
    } else {
        Secret::Recoverable(Zeroizing::new(format!("password-{n:05}").into_bytes().into()))
    };
    Account {
        group: GroupId(0),
        secret,
        enabled: true,
        expires: None,
        simultaneous: None,
        calling: Vec::new(),
        // An address of its own.
        reply: [&[8, 6][..], &n.to_be_bytes()].concat().into(),
    }
}

fn user(n: u32) -> Vec<u8> {
    format!("subscriber{n:06}").into_bytes()
}

fn octets_of(hashed: bool) -> isize {
    let before = TAKEN.with(Cell::get);
    let accounts = Accounts::new([1; 32]);
    for n in 0..MANY {
        assert_eq!(accounts.put(RealmId(1), &user(n), &account(n, hashed)), Ok(false));
    }
    let all = TAKEN.with(Cell::get) - before;
    assert_eq!(accounts.len(), MANY as usize);
    let said = accounts.octets() as isize;
    assert!(said <= all && said + 2 * 24 * MANY as isize >= all, "{said} of {all}");
    for n in 0..MANY {
        // Replaced, and back.
        if n % 2 == 0 {
            assert_eq!(accounts.put(RealmId(1), &user(n), &account(n, hashed)), Ok(true));
        }
    }
    assert!((TAKEN.with(Cell::get) - before - all).abs() < 100_000, "replacing takes nothing");
    assert_eq!(accounts.clear_realm(RealmId(2)), 0);
    assert_eq!(accounts.clear_realm(RealmId(1)), MANY as usize);
    assert!(accounts.is_empty());
    let left = TAKEN.with(Cell::get) - before;
    assert!(left < MANY as isize * 24, "only tables are left: {left}");
    all / MANY as isize
}

#[test]
fn an_account_takes_what_the_page_on_accounts_says() {
    let (recoverable, hashed) = (octets_of(false), octets_of(true));
    println!("octets an account, of {MANY}: {recoverable} with a password, {hashed} with a hash");
    assert!((100..=200).contains(&recoverable), "{recoverable}");
    assert!((200..=320).contains(&hashed), "{hashed}");
}

#[test]
fn what_cannot_be_kept_is_refused_in_words_and_changes_nothing() {
    let accounts = Accounts::new([1; 32]);
    let good = account(1, false);
    accounts.put(RealmId(1), b"alice", &good).unwrap();
    let cases = [
        (vec![], good.clone(), AccountError::User(0)),
        (vec![b'x'; 254], good.clone(), AccountError::User(254)),
        (b"alice".to_vec(), Account { secret: Secret::Argon2id("".into()), ..good.clone() }, AccountError::Secret(0)),
        (
            b"alice".to_vec(),
            Account { secret: Secret::Argon2id("x".repeat(513).into()), ..good.clone() },
            AccountError::Secret(513),
        ),
        (b"alice".to_vec(), Account { calling: vec![Box::default()], ..good.clone() }, AccountError::Calling),
        (b"alice".to_vec(), Account { calling: vec![[1].into(); 33], ..good.clone() }, AccountError::Calling),
        (b"alice".to_vec(), Account { reply: [8, 7, 1].into(), ..good.clone() }, AccountError::Reply),
        (b"alice".to_vec(), Account { reply: [0; 2049].into(), ..good.clone() }, AccountError::Reply),
    ];
    for (user, account, error) in cases {
        assert_eq!(accounts.put(RealmId(1), &user, &account), Err(error));
        assert!(!error.to_string().is_empty());
    }
    assert_eq!(accounts.len(), 1);
    assert_eq!(accounts.retain(|realm, user| (realm, user) != (RealmId(1), b"alice")), 1);
}

#[test]
fn nothing_of_an_account_is_shown() {
    let account = Account { calling: vec![(*b"819000000001").into()], ..account(7, false) };
    let shown = format!("{account:?} {:?}", Accounts::new([1; 32]));
    assert!(!shown.contains("password-") && !shown.contains("8190"), "{shown}");
}
