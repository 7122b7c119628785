//! Nothing tells from outside why a login is refused, nor whether there is such an account.

use std::time::{Duration, Instant};

use sekisho_tests::documents::Documents;
use sekisho_tests::nas::Answer;
use sekisho_tests::network::{Family, auth};
use sekisho_tests::sekisho::Sekisho;
use sekisho_tests::service::Service;
use sekisho_wire::attr;

use super::land::{ACCEPT, GROUP, Land, PASSWORD, REJECT, Terminal, group, rejected};
use crate::scene::acme;

/// One account for each way of being refused; all have the same password.
const ACCOUNTS: &str = "user,password,enabled,expires,calling,simultaneous\n\
                        alice,wonderland,,,,\n\
                        wrong,wonderland,,,,\n\
                        disabled,wonderland,no,,,\n\
                        expired,wonderland,,2020-01-01T00:00:00Z,,\n\
                        elsewhere,wonderland,,,09011112222,\n\
                        busy,wonderland,,,,1\n\
                        locked,wonderland,,,,\n";

/// Names, passwords, and what is counted for them.
const REFUSED: [(&str, &str, &str); 7] = [
    ("nobody", PASSWORD, "unknown"),
    ("wrong", "looking-glass", "password"),
    ("disabled", PASSWORD, "disabled"),
    ("expired", PASSWORD, "expired"),
    ("elsewhere", PASSWORD, "calling"),
    ("busy", PASSWORD, "sessions"),
    ("locked", PASSWORD, "locked"),
];

/// The number that everybody calls from here.
const NUMBER: &str = "09033334444";

/// The node with all of them, somebody in under `busy`, and `locked` locked.
fn prepared<'l>(land: &'l Land, client: &str) -> (Service<'l>, Sekisho<'l>, Terminal) {
    let service = Service::new(&land.network, Documents::new(&[&land.nas]), "max_failures = 3");
    service.serve(&acme(&land.nas, client).group(&group()));
    service.import(GROUP, ACCOUNTS);
    let sekisho = service.run();
    let terminal = land.terminal();
    assert_eq!(terminal.code_from("08055556666", "busy@acme.example", PASSWORD), ACCEPT);
    for _ in 0..3 {
        assert_eq!(terminal.code_from(NUMBER, "locked@acme.example", "looking-glass"), REJECT);
    }
    (service, sekisho, terminal)
}

/// An answer without what differs from one to the next: identifier, Response Authenticator, Message-Authenticator.
fn shape(answer: &Answer) -> Vec<u8> {
    let mut bytes = answer.bytes.clone();
    bytes[1] = 0;
    bytes[4..20].fill(0);
    assert_eq!(bytes[20..22], [attr::MESSAGE_AUTHENTICATOR, 18], "Message-Authenticator is the first attribute");
    bytes[22..38].fill(0);
    bytes
}

#[test]
fn all_refusals_are_the_same_octets_and_are_counted_apart() {
    let land = Land::new();
    let (_service, sekisho, terminal) = prepared(&land, super::land::AT_ONCE);
    let before = REFUSED.map(|(.., reason)| rejected(&sekisho, reason));
    let by_pap =
        REFUSED.map(|(user, password, _)| terminal.login_from(NUMBER, &format!("{user}@acme.example"), password));
    let by_chap = REFUSED.map(|(user, password, _)| {
        let name = format!("{user}@acme.example");
        // Right or wrong is all one here: what the octets say is whether it is this password.
        let challenge = [7; 16];
        let response = chap(9, password, &challenge);
        let request = terminal.nas().request(
            1,
            terminal.id(),
            &[
                (attr::USER_NAME, name.as_bytes()),
                (attr::CHAP_PASSWORD, &response),
                (attr::CHAP_CHALLENGE, &challenge),
                (attr::CALLING_STATION_ID, NUMBER.as_bytes()),
            ],
        );
        terminal.nas().ask(auth(Family::V4), &request)
    });
    for answers in [by_pap, by_chap] {
        for (answer, (user, ..)) in answers.iter().zip(REFUSED) {
            assert_eq!(answer.code().0, REJECT, "{user}");
            assert_eq!(shape(answer), shape(&answers[0]), "{user}");
        }
        assert_eq!(answers[0].bytes.len(), 38, "nothing but a Message-Authenticator");
    }
    for ((user, _, reason), before) in REFUSED.iter().zip(before) {
        assert_eq!(rejected(&sekisho, reason), before + 2, "{user}");
    }
}

fn chap(id: u8, password: &str, challenge: &[u8]) -> Vec<u8> {
    use md5::{Digest, Md5};
    let digest = Md5::new().chain_update([id]).chain_update(password).chain_update(challenge).finalize();
    [&[id][..], digest.as_slice()].concat()
}

#[test]
fn all_refusals_come_after_the_same_time_and_an_accept_at_once() {
    const DELAY: Duration = Duration::from_secs(1);
    let land = Land::new();
    let (_service, _sekisho, _) = prepared(&land, "reject_delay = \"1s\"");
    let terminal = land.terminal();
    let begun = Instant::now();
    assert_eq!(terminal.code_from(NUMBER, "alice@acme.example", PASSWORD), ACCEPT);
    assert!(begun.elapsed() < Duration::from_millis(500), "{:?}", begun.elapsed());

    // All at once, so that what slows the machine down slows them all down.
    let times = std::thread::scope(|scope| {
        let asked = REFUSED.map(|(user, password, _)| {
            let terminal = land.terminal();
            scope.spawn(move || {
                let begun = Instant::now();
                let code = terminal.code_from(NUMBER, &format!("{user}@acme.example"), password);
                (user, code, begun.elapsed())
            })
        });
        asked.map(|it| it.join().expect("an answer"))
    });
    for (user, code, took) in times {
        assert_eq!(code, REJECT, "{user}");
        assert!((DELAY..DELAY + Duration::from_millis(500)).contains(&took), "{user}: {took:?}: {times:?}");
    }
}
