//! Accounting records through sekisho to FreeRADIUS.

use sekisho_tests::freeradius::FreeRadius;
use sekisho_tests::network::{Family, acct};
use sekisho_tests::radclient::Radclient;
use sekisho_tests::sekisho::Sekisho;

use crate::scene::{Scene, home1_secret, nas_secret};

#[test]
fn start_interim_and_stop_are_recorded_once_each_and_answered() {
    let scene = Scene::new();
    let freeradius = FreeRadius::start(&scene.home.namespace, &home1_secret(), &[]);
    let sekisho = Sekisho::start(&scene.network, &scene.documents(Family::V4));
    for family in Family::BOTH {
        for status in ["Start", "Interim-Update", "Stop"] {
            let pairs = format!(
                "User-Name = alice@acme.example, Acct-Status-Type = {status}, Acct-Session-Id = \"{family:?}-{status}\", \
                 Acct-Delay-Time = 3, Event-Timestamp = \"Jan  1 2026 00:00:00 UTC\""
            );
            let answer = Radclient::default().accounting(&scene.nas, acct(family), &nas_secret(family), &pairs);
            answer.expect("Accounting-Response");
        }
    }
    let records = freeradius.records();
    assert_eq!(records.len(), 6, "{records:#?}");
    for family in Family::BOTH {
        for status in ["Start", "Interim-Update", "Stop"] {
            let id = format!("Acct-Session-Id = \"{family:?}-{status}\"");
            let record = records.iter().find(|record| record.contains(&id)).unwrap();
            assert!(record.contains(&format!("Acct-Status-Type = {status}")), "{record}");
            assert!(record.contains("User-Name = \"alice@acme.example\""), "{record}");
            assert!(record.contains("Acct-Delay-Time = 3"), "the NAS's own delay stays: {record}");
        }
    }
    let metrics = sekisho.metrics();
    assert_eq!(metrics.sum("sekisho_requests_total", &[("code", "accounting")]), 6);
    assert_eq!(metrics.sum("sekisho_replies_total", &[("code", "accounting")]), 6);
}

#[test]
fn accounting_for_a_foreign_realm_is_never_acknowledged() {
    let scene = Scene::new();
    let freeradius = FreeRadius::start(&scene.home.namespace, &home1_secret(), &[]);
    let sekisho = Sekisho::start(&scene.network, &scene.documents(Family::V4));
    let pairs = "User-Name = bob@elsewhere.example, Acct-Status-Type = Start, Acct-Session-Id = 1";
    let radclient = Radclient::default().patience(0.5, 2);
    radclient.accounting(&scene.nas, acct(Family::V4), &nas_secret(Family::V4), pairs).expect_silence();
    sekisho.metrics_when("both tries are counted", |metrics| metrics.dropped("userspace", "unrouted") == 2);
    assert!(freeradius.records().is_empty());
}

#[test]
fn a_wrong_secret_is_silence_and_a_counted_reason() {
    let scene = Scene::new();
    let freeradius = FreeRadius::start(&scene.home.namespace, &home1_secret(), &[]);
    let sekisho = Sekisho::start(&scene.network, &scene.documents(Family::V4));
    let pairs = "User-Name = alice@acme.example, Acct-Status-Type = Start, Acct-Session-Id = 1";
    let radclient = Radclient::default().patience(0.5, 2);
    radclient.accounting(&scene.nas, acct(Family::V4), "quite another secret", pairs).expect_silence();
    sekisho.metrics_when("both tries are counted", |metrics| metrics.dropped("userspace", "authenticator_bad") == 2);
    assert!(freeradius.records().is_empty());
}
