//! Who guesses is locked out: an account for one number, and no device locks an account for another.

use std::time::{Duration, Instant};

use sekisho_tests::wait::within;

use super::land::{ACCEPT, ACCOUNTS, ALICE, Land, PASSWORD, REJECT, Terminal, group, rejected};

const THIEF: &str = "09066666666";
const OWNER: &str = "09012345678";

#[test]
fn wrong_passwords_lock_an_account_for_the_number_that_they_came_from_and_for_a_while() {
    let land = Land::new();
    let service = land.service_with("max_failures = 3\nfailure_window = \"60s\"\nlock = \"2s\"", &group(), ACCOUNTS);
    let sekisho = service.run();
    let terminal = land.terminal();
    for _ in 0..2 {
        assert_eq!(terminal.code_from(THIEF, ALICE, "looking-glass"), REJECT);
    }
    assert_eq!(terminal.code_from(THIEF, ALICE, PASSWORD), ACCEPT, "two are not three, and it begins anew");
    for _ in 0..3 {
        assert_eq!(terminal.code_from(THIEF, ALICE, "looking-glass"), REJECT);
    }
    let locked = Instant::now();
    assert_eq!(terminal.code_from(THIEF, ALICE, PASSWORD), REJECT, "locked");
    // The same number in another of its forms is the same number.
    assert_eq!(terminal.code_from("+819066666666", ALICE, PASSWORD), REJECT, "locked");
    assert_eq!(rejected(&sekisho, "locked"), 2);
    assert_eq!(terminal.code_from(OWNER, ALICE, PASSWORD), ACCEPT, "another number");
    assert_eq!(terminal.code(ALICE, PASSWORD), ACCEPT, "no number");
    let opened =
        within(Duration::from_secs(6), || (terminal.code_from(THIEF, ALICE, PASSWORD) == ACCEPT).then_some(()));
    assert!(opened.is_some(), "what is refused while it is locked does not make it longer");
    assert!(locked.elapsed() > Duration::from_secs(1), "it was locked for {:?} only", locked.elapsed());
}

#[test]
fn a_client_that_guesses_is_locked_out_and_another_client_is_not() {
    let mut land = Land::new();
    let second = land.network.host("nas2");
    let hosted = "max_failures = 0\nclient_failures = 20\nfailure_window = \"60s\"\nlock = \"60s\"";
    let documents = sekisho_tests::documents::Documents::new(&[&land.nas, &second]);
    let service = sekisho_tests::service::Service::new(&land.network, documents, hosted);
    service.serve(&land.acme(&group()).client("acme-nas-second", second.v4, super::land::AT_ONCE));
    service.import(super::land::GROUP, ACCOUNTS);
    let sekisho = service.run();
    let (first, second) = (land.terminal(), Terminal::of(&second, "acme-nas-second"));
    for n in 0..20 {
        assert_eq!(first.code_from(&format!("0907000{n:04}"), &format!("guess{n}@acme.example"), PASSWORD), REJECT);
    }
    assert_eq!(first.code_from(OWNER, ALICE, PASSWORD), REJECT, "the client is locked out");
    assert_eq!(rejected(&sekisho, "locked"), 1);
    assert_eq!(second.code_from(OWNER, ALICE, PASSWORD), ACCEPT);
}

#[test]
fn who_knows_no_secret_locks_nobody_out() {
    let land = Land::new();
    let hosted = "max_failures = 3\nclient_failures = 5\nlock = \"60s\"";
    let service = land.service_with(hosted, &group(), ACCOUNTS);
    let sekisho = service.run();
    let terminal = land.terminal();
    let stranger = Terminal::new(&land.nas, "not the secret");
    for n in 0..40 {
        // The address is right, the secret is not: with a Message-Authenticator it is dropped, without one it is no guess.
        let request = stranger.nas().request(1, n, &[(1, ALICE.as_bytes()), (2, &[n; 16]), (31, OWNER.as_bytes())]);
        let auth = sekisho_tests::network::auth(sekisho_tests::network::Family::V4);
        stranger.nas().send(auth, &request);
        stranger.nas().send(auth, &without_message_authenticator(&request));
    }
    // They share a socket each, and the answers to what was not dropped are for nobody.
    assert_eq!(terminal.code_from(OWNER, ALICE, PASSWORD), ACCEPT);
    assert_eq!(rejected(&sekisho, "locked"), 0);
}

/// The same request without the Message-Authenticator that it begins with.
fn without_message_authenticator(request: &[u8]) -> Vec<u8> {
    assert_eq!(request[20..22], [80, 18]);
    let mut short = [&request[..20], &request[38..]].concat();
    let length = (short.len() as u16).to_be_bytes();
    short[2..4].copy_from_slice(&length);
    // Another identifier and authenticator: it is no repetition.
    short[1] = short[1].wrapping_add(100);
    short[4..20].reverse();
    short
}
