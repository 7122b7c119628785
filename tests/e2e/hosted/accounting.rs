//! Accounting of hosted accounts' sessions ends here: in the journal first, then acknowledged.

use sekisho_tests::sekisho::journal;

use super::land::{ACCEPT, ACCOUNTS, ALICE, GROUP, Land, PASSWORD, REALM, group, told};

#[test]
fn every_record_is_in_the_journal_under_its_contract_when_it_is_acknowledged() {
    let land = Land::new();
    let service = land.service(&group(), ACCOUNTS);
    let sekisho = service.run();
    let terminal = land.terminal();
    assert_eq!(terminal.code_from("09012345678", ALICE, PASSWORD), ACCEPT);
    let read = || journal(&land.network, service.documents(), &[]);
    for (n, status) in [1, 3, 2].into_iter().enumerate() {
        terminal.report(status, ALICE, "session-1", "09012345678");
        // Another process reads what is on the disk at this moment.
        assert_eq!(read().len(), n + 1);
    }
    // A user whom there is not has no session here; what a NAS says of one is kept all the same.
    terminal.report(2, "nobody@acme.example", "session-2", "09012345678");
    for record in read() {
        let texts = ["customer", "contract", "realm"].map(|key| record[key].as_str().unwrap_or_default());
        assert_eq!(texts, ["acme", GROUP, REALM], "{record}");
        assert!(record["from"].as_str().is_some_and(|from| from.starts_with("10.99.1.2:")), "{record}");
    }
    let said = |n: usize, name: &str| read()[n]["attributes"][name].clone();
    assert_eq!((said(0, "User-Name"), said(0, "Acct-Session-Id")), (ALICE.into(), "session-1".into()));
    let statuses: Vec<_> = read().iter().map(|record| record["status"].clone()).collect();
    assert_eq!(statuses, ["Start", "Interim-Update", "Stop", "Stop"]);
    assert_eq!(sekisho.metrics().sum("sekisho_accounting_recorded_total", &[]), 4);
    assert_eq!(told(&sekisho, GROUP)["sessions"], 0);
}

#[test]
fn a_record_that_comes_again_is_acknowledged_again_and_recorded_once() {
    let land = Land::new();
    let service = land.service(&group(), ACCOUNTS);
    let _sekisho = service.run();
    let terminal = land.terminal();
    let request = terminal.nas().request(4, 1, &[(40, &[0, 0, 0, 1]), (1, ALICE.as_bytes()), (44, b"session-1")]);
    let to = sekisho_tests::network::acct(sekisho_tests::network::Family::V4);
    let first = terminal.nas().ask(to, &request);
    assert_eq!(terminal.nas().ask(to, &request), first, "octet for octet");
    assert_eq!(journal(&land.network, service.documents(), &[]).len(), 1);
}

#[test]
fn accounting_on_and_off_of_a_nas_are_recorded_for_its_customer() {
    let land = Land::new();
    let service = land.service(&group(), ACCOUNTS);
    let _sekisho = service.run();
    let terminal = land.terminal();
    terminal.restarted(7);
    terminal.restarted(8);
    let records = journal(&land.network, service.documents(), &[]);
    let statuses: Vec<_> = records.iter().map(|record| record["status"].clone()).collect();
    assert_eq!(statuses, ["Accounting-On", "Accounting-Off"]);
    assert!(records.iter().all(|record| record["customer"] == "acme"), "{records:?}");
}
