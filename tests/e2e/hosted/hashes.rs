//! Passwords that are kept as argon2id: PAP alone, and what they cost is nobody else's loss.

use std::time::{Duration, Instant};

use sekisho_tests::documents::Documents;
use sekisho_tests::network::{Family, auth};
use sekisho_tests::radclient::Radclient;
use sekisho_tests::service::{Group, Service};

use super::land::{ACCEPT, ACCOUNTS, ALICE, GROUP, Land, PASSWORD, REJECT, group, told};
use crate::scene::nas_secret;

const HASHES: &str = "acme-hashes";
const CAROL: &str = "carol@hash.example";

/// `acme` with accounts of both kinds, each in a realm of its own.
fn served<'l>(land: &'l Land, hosted: &str) -> Service<'l> {
    let service = Service::new(&land.network, Documents::new(&[&land.nas]), hosted);
    let recoverable = group().key("realms = [\"acme.example\"]");
    let hashes = Group::new(HASHES, 100).key("realms = [\"hash.example\"]\npasswords = \"argon2id\"");
    service.serve(&land.acme(&recoverable).group(&hashes).realm("suffix = \"hash.example\""));
    service.import(GROUP, ACCOUNTS);
    service.import(HASHES, "user,password\ncarol,christmas\n");
    service
}

#[test]
fn a_hash_is_good_for_pap_and_for_nothing_else() {
    let land = Land::new();
    let service = served(&land, "");
    let sekisho = service.run();
    let login = |user: &str, pairs: &str| {
        let pairs = format!("User-Name = {user}, {pairs}, Message-Authenticator = 0x00");
        Radclient::default().login(&land.nas, auth(Family::V4), &nas_secret(Family::V4), &pairs)
    };
    login(CAROL, "User-Password = christmas").expect("Access-Accept");
    login(CAROL, "User-Password = wonderland").expect("Access-Reject");
    login("nobody@hash.example", "User-Password = christmas").expect("Access-Reject");
    login(CAROL, "CHAP-Password = christmas").expect("Access-Reject");
    login(CAROL, "MS-CHAP-Password = christmas").expect("Access-Reject");
    let told = told(&sekisho, HASHES);
    assert_eq!((&told["passwords"], &told["accepts"]), (&"argon2id".into(), &1.into()));
    assert_eq!(sekisho.metrics().sum("sekisho_argon2_checked_total", &[]), 3, "and one for the user that there is not");
    // What is stored cannot be got back, not even by the operator.
    let exported = service.does(&["accounts", "export", "--contract", HASHES, "--secrets"]);
    assert!(exported.contains("$argon2id$") && !exported.contains("christmas"), "{exported}");
}

#[test]
fn an_unknown_user_takes_as_long_as_a_wrong_password() {
    let land = Land::new();
    let service = served(&land, "");
    let _sekisho = service.run();
    let terminal = land.terminal();
    let least = |user: &str| {
        let once = |_| {
            let begun = Instant::now();
            assert_eq!(terminal.code(user, "looking-glass"), REJECT);
            begun.elapsed()
        };
        (0..5).map(once).min().expect("five")
    };
    let (known, unknown) = (least(CAROL), least("nobody@hash.example"));
    assert!(known > Duration::from_millis(1), "a hash was checked: {known:?}");
    let ratio = known.as_secs_f64() / unknown.as_secs_f64();
    assert!((0.3..3.0).contains(&ratio), "{known:?}, {unknown:?}");
}

#[test]
fn a_burst_of_hashes_is_answered_in_full_and_others_do_not_wait_for_it() {
    const BURST: usize = 200;
    let land = Land::new();
    let service = served(&land, "argon2_workers = 1\nargon2_queue = 8\nmax_failures = 0");
    let sekisho = service.run();
    let (many, other) = (land.terminal(), land.terminal());
    let requests: Vec<Vec<u8>> = (0..BURST).map(|id| many.nas().login(id as u8, CAROL, "christmas")).collect();
    let (codes, longest) = std::thread::scope(|scope| {
        let burst = scope.spawn(|| {
            requests.iter().for_each(|request| many.nas().send(auth(Family::V4), request));
            let mut codes = Vec::new();
            for _ in 0..BURST {
                let answer = many.nas().receive(Duration::from_secs(20)).expect("an answer to each");
                codes.push(many.nas().judge(&requests[usize::from(answer[1])], answer).code().0);
            }
            codes
        });
        let mut longest = Duration::ZERO;
        let mut calm = 0;
        while calm < 20 || !burst.is_finished() {
            let begun = Instant::now();
            assert_eq!(other.code(ALICE, PASSWORD), ACCEPT);
            longest = longest.max(begun.elapsed());
            calm += 1;
        }
        (burst.join().expect("no silence"), longest)
    });
    assert!(longest < Duration::from_millis(500), "somebody else waited {longest:?}");
    let accepted = codes.iter().filter(|code| **code == ACCEPT).count();
    let refused = codes.iter().filter(|code| **code == REJECT).count();
    assert_eq!(accepted + refused, BURST, "{codes:?}");
    // One contract's storm leaves half of the room to others.
    assert!(accepted >= 4 && refused > 0, "{accepted} of {BURST}");
    let metrics = sekisho.metrics();
    assert_eq!(metrics.sum("sekisho_argon2_checked_total", &[]), accepted as u64);
    let busy = metrics.sum("sekisho_group_rejected_total", &[("contract", HASHES), ("reason", "busy")]);
    assert_eq!(busy, refused as u64);
    assert_eq!(many.code(CAROL, "christmas"), ACCEPT, "and afterwards all is as before");
}
