//! Accounting that ends here: it is in the journal before anybody is told so.

use std::time::Duration;

use sekisho_tests::documents::{Customer, Documents};
use sekisho_tests::lac::{Device, Session, Status};
use sekisho_tests::nas::Nas;
use sekisho_tests::network::{Family, acct};
use sekisho_tests::sekisho::{Sekisho, command, journal};
use sekisho_tests::vpdn::{Lns, Vpdn, network_secret};
use sekisho_tests::wait::within;

use super::land::{CONTRACT, Land, REALM, at, lone, named_sessions};

#[test]
fn a_record_is_acknowledged_once_it_is_in_the_journal() {
    let land = Land::new();
    let documents = land.documents(lone());
    let sekisho = Sekisho::start(&land.network, &documents);
    let lac = land.lac();
    let mut expected = Vec::new();
    for n in 0..5 {
        let session = Session::new(&Device::new(n, REALM), &at(1));
        for status in [Status::Start, Status::Interim, Status::Stop] {
            lac.report(status, &session);
            expected.push(session.id.clone());
            // Another process reads what is on the disk at this moment, while the node goes on.
            let records = journal(&land.network, &documents, &[]);
            assert_eq!(named_sessions(&records), expected, "in the order in which they came");
        }
    }
    let records = journal(&land.network, &documents, &[]);
    for record in &records {
        let texts = ["customer", "contract", "network", "realm"].map(|key| record[key].as_str().unwrap_or_default());
        assert_eq!(texts, ["acme", CONTRACT, "carrier", REALM], "{record}");
    }
    let metrics = sekisho.metrics();
    assert_eq!(metrics.sum("sekisho_journal_records_total", &[("result", "written")]), 15);
    assert_eq!(metrics.sum("sekisho_accounting_recorded_total", &[]), 15);
    assert_eq!(metrics.sum("sekisho_journal_failing", &[]), 0);
}

#[test]
fn a_record_that_comes_again_is_acknowledged_again_and_recorded_once() {
    let land = Land::new();
    let documents = land.documents(lone());
    let sekisho = Sekisho::start(&land.network, &documents);
    let lac = land.lac();
    let session = Session::new(&Device::new(1, REALM), &at(1));
    let request = lac.record(1, Status::Start, &session, &[]);
    let first = lac.nas().ask(lac.acct(), &request);
    assert_eq!(lac.nas().ask(lac.acct(), &request), first, "octet for octet");
    // Anew, as a NAS does whose tries are used up; and once more after a restart of ours.
    let later = |id, seconds: u32| lac.record(id, Status::Start, &session, &[(41, &seconds.to_be_bytes())]);
    lac.nas().ask(lac.acct(), &later(2, 5));
    assert_eq!(named_sessions(&journal(&land.network, &documents, &[])), [&*session.id]);
    assert_eq!(sekisho.metrics().sum("sekisho_journal_records_total", &[("result", "known")]), 1);
    sekisho.kill();
    let _sekisho = Sekisho::start(&land.network, &documents);
    lac.nas().ask(lac.acct(), &later(3, 60));
    assert_eq!(named_sessions(&journal(&land.network, &documents, &[])), [&*session.id]);
    // The Stop of the same session is another record, and so is the same Start from another NAS.
    lac.report(Status::Stop, &session);
    land.lac_called("lac-2").report(Status::Start, &session);
    assert_eq!(journal(&land.network, &documents, &[]).len(), 3);
}

#[test]
fn accounting_that_nobody_claims_and_a_nass_restart_are_recorded_and_acknowledged() {
    let land = Land::new();
    let documents = land.documents(lone());
    let _sekisho = Sekisho::start(&land.network, &documents);
    let lac = land.lac();
    let unclaimed = Session::new(&Device::new(1, "nowhere.example"), "");
    lac.report(Status::Start, &unclaimed);
    lac.report(Status::Start, &Session::new(&Device { user: String::new(), ..Device::new(2, REALM) }, ""));
    lac.restarted(Status::On);
    lac.restarted(Status::Off);
    let records = journal(&land.network, &documents, &[]);
    assert_eq!(records.len(), 4, "{records:?}");
    assert_eq!(named_sessions(&records)[0], unclaimed.id);
    for record in &records {
        assert!(record["customer"].as_str().unwrap_or_default().is_empty(), "nobody's: {record}");
        assert_eq!(record["network"], "carrier");
    }
    assert!(journal(&land.network, &documents, &["--customer", "acme"]).is_empty());
    // A Stop that has lost its name is of the contract that its Start was of.
    let session = lac.connect(&Device::new(3, REALM));
    let nameless = Session { device: Device { user: String::new(), ..session.device.clone() }, ..session };
    lac.report(Status::Stop, &nameless);
    assert_eq!(journal(&land.network, &documents, &["--contract", CONTRACT]).len(), 2);
}

#[test]
fn where_the_network_wants_silence_unclaimed_accounting_gets_it_and_is_not_recorded() {
    let land = Land::new();
    let documents = land.documents_with("unclaimed_accounting = \"silence\"", lone());
    let sekisho = Sekisho::start(&land.network, &documents);
    let lac = land.lac();
    let nas = Nas::new(&land.carrier, land.carrier.v4, &network_secret("carrier"));
    nas.send(acct(Family::V4), &nas.accounting(1, "alice@nowhere.example", 1, "session"));
    nas.expect_silence(Duration::from_millis(500));
    sekisho.metrics_when("it is told", |metrics| metrics.dropped("userspace", "unrouted") == 1);
    lac.report(Status::Start, &Session::new(&Device::new(1, REALM), &at(1)));
    // What a NAS says of itself is of every contract.
    lac.restarted(Status::On);
    assert_eq!(journal(&land.network, &documents, &[]).len(), 2);
}

#[test]
fn the_journal_is_exported_by_customer_contract_network_and_time_as_lines_of_json_or_csv() {
    let land = Land::new();
    let other =
        Customer::new("other").lnss(&[Lns::new("osaka", &at(9), "")]).vpdn(&Vpdn::new("other-d", "D", &["osaka"]));
    let documents = land.documents(lone()).customer(other);
    let sekisho = Sekisho::start(&land.network, &documents);
    let lac = land.lac();
    let report = |realm: &str, n| lac.report(Status::Start, &Session::new(&Device::new(n, realm), ""));
    report(REALM, 1);
    report("other.example", 2);
    // A name that a spreadsheet would run.
    lac.report(
        Status::Start,
        &Session::new(&Device { user: "=cmd|' /C calc'!A0@acme.example".to_owned(), ..Device::new(3, REALM) }, ""),
    );
    std::thread::sleep(Duration::from_millis(2100));
    let clock = || std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |it| it.as_secs());
    let now = (clock() - 1).to_string();
    report(REALM, 4);
    let count = |words: &[&str]| journal(&land.network, &documents, words).len();
    assert_eq!(count(&[]), 4);
    assert_eq!((count(&["--customer", "other"]), count(&["--contract", CONTRACT])), (1, 3));
    assert_eq!((count(&["--network", "carrier"]), count(&["--network", "another"])), (4, 0));
    assert_eq!((count(&["--from", &now]), count(&["--to", &now])), (1, 3));
    let config = documents.directory().join("sekisho.toml").display().to_string();
    let csv = command(&land.network, &["journal", "export", "--config", &config, "--format", "csv"]);
    assert!(csv.status.success(), "{}", csv.output);
    assert_eq!(csv.output.lines().count(), 5, "a head and four lines: {}", csv.output);
    assert!(!csv.output.contains(",=cmd") && !csv.output.contains(",\"=cmd"), "{}", csv.output);
    let list = command(&land.network, &["journal", "list", "--config", &config]);
    assert!(list.status.success() && list.output.lines().any(|line| line.contains('4')), "{}", list.output);
    sekisho.stop();
    assert_eq!(count(&[]), 4, "no node has to run");
}

#[test]
fn nobody_but_its_owner_reads_what_is_kept_of_subscribers() {
    use std::os::unix::fs::PermissionsExt as _;
    let land = Land::new();
    let documents = land.documents(lone());
    let sekisho = Sekisho::start(&land.network, &documents);
    land.lac().connect(&Device::new(1, REALM));
    sekisho.stop();
    let state = documents.directory().join("state");
    let mode = |path: &std::path::Path| std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode(&state.join("sessions")), 0o600);
    assert_eq!(mode(&state.join("journal")), 0o700);
    let files: Vec<_> = std::fs::read_dir(state.join("journal")).expect("a directory").flatten().collect();
    assert!(!files.is_empty() && files.iter().all(|file| mode(&file.path()) == 0o600));
}

/// Sends so many Starts of new sessions; gives those that were acknowledged.
fn acknowledged(land: &Land, count: usize) -> Vec<String> {
    let lac = land.lac().timeout(Duration::from_millis(300));
    let sessions: Vec<Session> = (0..count).map(|n| Session::new(&Device::new(n, REALM), &at(1))).collect();
    let answered = lac.try_report_all(Status::Start, &sessions);
    sessions.into_iter().zip(answered).filter(|(_, is)| *is).map(|(session, _)| session.id).collect()
}

/// Lets the journal's disk be a small one of its own, fills it, and makes room again. `reserve`, in megabytes, stays free.
fn survives_a_full_disk(reserve: u32, before_it_shows: usize) {
    let land = Land::new();
    let disk = tempfile::tempdir().expect("a temporary directory");
    land.network.proxy.mount_disk(disk.path(), 24);
    let directory = disk.path().join("journal");
    let keys = format!("[journal]\ndirectory = \"{}\"\nsegment_size = 1\nreserve = {reserve}", directory.display());
    let documents: Documents = land.documents(lone()).with(&keys);
    let sekisho = Sekisho::start(&land.network, &documents);
    let mut all = acknowledged(&land, 50);
    assert_eq!(all.len(), 50);

    let filler = disk.path().join("filler");
    let fill = filler.clone();
    land.network.proxy.run(move || {
        use std::io::Write as _;
        let mut file = std::fs::File::create(fill).expect("a file");
        while file.write_all(&[0; 4096]).is_ok() {}
    });
    // What was set aside for the segment is there still; it is used up at last.
    all.extend(acknowledged(&land, before_it_shows));
    let lost = within(Duration::from_secs(30), || {
        let more = acknowledged(&land, 5);
        let none = more.is_empty();
        all.extend(more);
        none.then_some(())
    });
    assert!(lost.is_some(), "records are acknowledged, and there is no room for them");
    sekisho.metrics_when("an alarm", |metrics| metrics.sum("sekisho_journal_failing", &[]) == 1);
    let logins = land.lac().logins(&Device::many(50, REALM));
    assert!(logins.iter().all(sekisho_tests::lac::Login::is_accepted), "logins go on");
    assert_eq!(
        named_sessions(&journal(&land.network, &documents, &[])),
        all,
        "what was acknowledged is there, and only that"
    );

    land.network.proxy.run(move || std::fs::remove_file(filler).expect("room"));
    let lac = land.lac().timeout(Duration::from_millis(300));
    let late: Vec<Session> = (0..20).map(|n| Session::new(&Device::new(n, REALM), &at(1))).collect();
    lac.insist_on_all(Status::Start, &late, Duration::from_secs(20));
    sekisho.metrics_when("all is well again", |metrics| metrics.sum("sekisho_journal_failing", &[]) == 0);
    all.extend(late.into_iter().map(|session| session.id));
    let mut found = named_sessions(&journal(&land.network, &documents, &[]));
    for list in [&mut found, &mut all] {
        list.sort();
    }
    assert_eq!(found, all, "each once");
}

#[test]
fn while_the_disk_is_nearly_full_nothing_is_acknowledged_and_logins_go_on() {
    survives_a_full_disk(4, 0);
}

#[test]
fn while_the_disk_has_no_room_at_all_nothing_is_acknowledged_and_logins_go_on() {
    survives_a_full_disk(0, 3000);
}
