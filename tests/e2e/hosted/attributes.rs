//! What an Accept says, and what of an account's own decides whether there is one.

use std::time::{Duration, Instant};

use sekisho_tests::process::Program;
use sekisho_tests::wait::PATIENCE;
use sekisho_wire::attr;

use super::land::{ACCEPT, ALICE, GROUP, Land, PASSWORD, REJECT, group, rejected};

#[test]
fn an_accept_has_the_contracts_attributes_and_the_accounts_own_before_those_of_the_same_name() {
    let land = Land::new();
    let contract = group()
        .reply("\"Session-Timeout\" = 86400")
        .reply("\"Reply-Message\" = \"welcome\"")
        .reply("\"Filter-Id\" = \"gold\"");
    let accounts = "user,password,reply\n\
                    alice,wonderland,\"Framed-IP-Address = 192.0.2.10, Session-Timeout = 60\"\n\
                    bob,builder,\n\
                    carol,christmas,\"Framed-IP-Address = 192.0.2.11, Framed-Route = \"\"198.51.100.0/24 192.0.2.11 1\"\", \
                    Framed-Route = \"\"203.0.113.0/24 192.0.2.11 1\"\"\"\n";
    let service = land.service(&contract, accounts);
    let _sekisho = service.run();
    let terminal = land.terminal();
    let nothing = Vec::<Vec<u8>>::new();
    let expected = [
        ("alice", PASSWORD, 60, vec![vec![192, 0, 2, 10]], 0),
        ("bob", "builder", 86400, nothing, 0),
        ("carol", "christmas", 86400, vec![vec![192, 0, 2, 11]], 2),
    ];
    for (user, password, timeout, address, routes) in expected {
        let answer = terminal.login(&format!("{user}@acme.example"), password);
        assert_eq!(answer.code().0, ACCEPT, "{user}");
        assert_eq!(answer.values(attr::SESSION_TIMEOUT), [u32::to_be_bytes(timeout)], "{user}");
        assert_eq!(answer.values(attr::FRAMED_IP_ADDRESS), address, "{user}");
        assert_eq!(answer.values(22).len(), routes, "{user}");
        assert_eq!(
            (answer.values(18), answer.values(11)),
            (vec![b"welcome".to_vec()], vec![b"gold".to_vec()]),
            "{user}"
        );
        let refused = terminal.login(&format!("{user}@acme.example"), "looking-glass");
        assert_eq!((refused.code().0, refused.bytes.len()), (REJECT, 38), "{user}: nothing of it in a Reject");
    }
}

#[test]
fn an_account_that_is_bound_to_a_number_logs_in_from_it_in_any_of_its_forms_and_from_no_other() {
    let land = Land::new();
    let accounts = "user,password,calling\n\
                    national,wonderland,09012345678\n\
                    international,wonderland,819012345678\n\
                    two,wonderland,09011111111;+819012345678\n\
                    mac,wonderland,02-00-00-aa-bb-cc\n\
                    free,wonderland,\n";
    let service = land.service(&group(), accounts);
    let sekisho = service.run();
    let terminal = land.terminal();
    for number in ["09012345678", "819012345678", "+819012345678"] {
        for user in ["national", "international", "two", "free"] {
            assert_eq!(
                terminal.code_from(number, &format!("{user}@acme.example"), PASSWORD),
                ACCEPT,
                "{user} {number}"
            );
        }
        assert_eq!(terminal.code_from(number, "mac@acme.example", PASSWORD), REJECT, "mac {number}");
    }
    assert_eq!(terminal.code_from("02-00-00-AA-BB-CC", "mac@acme.example", PASSWORD), ACCEPT);
    let others = [
        "09012345679",
        "8109012345678",
        "9012345678",
        "+8109012345678x",
        "+829012345678",
        "0901234567",
        " ",
        "090123456789",
    ];
    let before = rejected(&sekisho, "calling");
    for number in others {
        assert_eq!(terminal.code_from(number, "national@acme.example", PASSWORD), REJECT, "{number:?}");
    }
    assert_eq!(terminal.code("national@acme.example", PASSWORD), REJECT, "without any number");
    assert_eq!(rejected(&sekisho, "calling"), before + others.len() as u64 + 1);
    assert_eq!(terminal.code("free@acme.example", PASSWORD), ACCEPT);
}

#[test]
fn an_account_expires_at_its_time_and_not_before_without_a_command() {
    let land = Land::new();
    let at = Program::new("date").args(["-u", "-d", "+4 seconds", "+%Y-%m-%dT%H:%M:%SZ"]);
    let service = land.service(&group(), "user,password\nalice,wonderland\n");
    let _sekisho = service.run();
    let terminal = land.terminal();
    assert_eq!(terminal.code(ALICE, PASSWORD), ACCEPT);
    let begun = Instant::now();
    let at = at.finish(&land.nas.namespace, "", PATIENCE).output;
    service.set(GROUP, "alice", &["--expires", at.trim()]);
    assert_eq!(terminal.code(ALICE, PASSWORD), ACCEPT, "not yet");
    assert!(begun.elapsed() < Duration::from_secs(3), "this machine is too slow for this: {:?}", begun.elapsed());
    // Whole seconds of the clock, and whole seconds of the node's: it may be two too long, and none too short.
    std::thread::sleep(Duration::from_secs(6));
    assert_eq!(terminal.code(ALICE, PASSWORD), REJECT);
    service.set(GROUP, "alice", &["--expires", "never"]);
    terminal.comes_to(ACCEPT, ALICE, PASSWORD);
}
