//! A load meets a home server directly.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::common::{home, plan, run, target};
use sekisho_bench::home::Faults;
use sekisho_bench::load::{End, Kind, Pace, Plan};
use sekisho_wire::secret::Secret;

fn reply(kind: Kind) -> &'static str {
    match kind {
        Kind::Acct => "Accounting-Response",
        Kind::Pap | Kind::Chap | Kind::MsChapV2 => "Access-Accept",
    }
}

#[test]
fn every_request_is_completed_and_no_reply_is_bad() {
    for ip in ["127.0.0.1", "::1"] {
        for kind in [Kind::Acct, Kind::Pap, Kind::Chap] {
            let home = home(ip, Faults::default());
            let report = run(&plan(kind, target(kind, &home)));
            assert_eq!((report.sent, report.completed), (2000, 2000), "{ip} {kind:?}");
            assert_eq!((report.lost, report.bad, report.duplicates, report.unsent), (0, 0, 0, 0), "{ip} {kind:?}");
            assert_eq!(report.replies, BTreeMap::from([(reply(kind).to_owned(), 2000)]));
            assert!(report.latency.p50_us > 0.0 && report.latency.p50_us <= report.latency.max_us);
            let stats = home.stop().unwrap();
            assert_eq!(stats.distinct, 2000);
            assert_eq!(stats.malformed + stats.refused + stats.misplaced, 0);
        }
    }
}

#[test]
fn a_wrong_password_is_rejected_and_that_completes_a_request() {
    let home = home("127.0.0.1", Faults::default());
    let report = run(&Plan { password: "looking-glass".into(), ..plan(Kind::Pap, target(Kind::Pap, &home)) });
    assert_eq!(report.replies, BTreeMap::from([("Access-Reject".to_owned(), 2000)]));
}

#[test]
fn unanswered_requests_are_sent_again_and_answered_then() {
    let home = home("127.0.0.1", Faults { drop_every: 10, ..Faults::default() });
    // Of repetitions every tenth is dropped as well, and one request may be among them more than once.
    let retries = 12;
    let plan = Plan { timeout: Duration::from_millis(200), retries, ..plan(Kind::Acct, target(Kind::Acct, &home)) };
    let report = run(&plan);
    assert_eq!((report.completed, report.lost), (2000, 0));
    let stats = home.stop().unwrap();
    assert!(report.retransmitted >= 200, "{report:?}");
    assert_eq!(stats.distinct, 2000, "a retransmission has the same octets");
    assert_eq!(stats.retransmits, report.retransmitted);
}

#[test]
fn a_silent_server_loses_every_request_after_all_retransmissions() {
    let home = home("127.0.0.1", Faults { drop_every: 1, ..Faults::default() });
    let plan = Plan {
        timeout: Duration::from_millis(10),
        retries: 2,
        end: End::Requests(64),
        ..plan(Kind::Pap, target(Kind::Pap, &home))
    };
    let report = run(&plan);
    assert_eq!((report.sent, report.completed, report.lost, report.retransmitted), (64, 0, 64, 128));
}

#[test]
fn forged_replies_are_bad_and_the_right_ones_still_count() {
    let home = home("127.0.0.1", Faults { forge: true, ..Faults::default() });
    let report = run(&plan(Kind::Pap, target(Kind::Pap, &home)));
    assert_eq!((report.completed, report.bad), (2000, 2000));
    assert_eq!(report.replies, BTreeMap::from([("Access-Accept".to_owned(), 2000)]));
}

#[test]
fn repeated_replies_are_told_from_bad_ones() {
    let home = home("127.0.0.1", Faults { duplicate: true, ..Faults::default() });
    let report = run(&plan(Kind::Acct, target(Kind::Acct, &home)));
    assert_eq!((report.completed, report.bad), (2000, 0));
    assert!(report.duplicates >= 1900, "the last ones may come too late: {report:?}");
}

#[test]
fn a_doubled_load_sends_everything_twice() {
    let home = home("127.0.0.1", Faults::default());
    let report = run(&Plan { double: true, ..plan(Kind::Pap, target(Kind::Pap, &home)) });
    assert_eq!((report.sent, report.completed, report.bad), (2000, 2000, 0));
    let stats = home.stop().unwrap();
    assert_eq!((stats.distinct, stats.distinct + stats.retransmits), (2000, 4000));
}

#[test]
fn a_delay_shows_in_the_latency() {
    let home = home("127.0.0.1", Faults { delay: Duration::from_millis(30), ..Faults::default() });
    let report = run(&Plan { end: End::Requests(128), ..plan(Kind::Pap, target(Kind::Pap, &home)) });
    assert_eq!(report.completed, 128);
    assert!(report.latency.p50_us >= 30_000.0, "{report:?}");
}

#[test]
fn an_open_loop_keeps_its_rate() {
    let home = home("127.0.0.1", Faults::default());
    let plan = Plan {
        pace: Pace::Rate(1000.0),
        end: End::After(Duration::from_millis(500)),
        ..plan(Kind::Acct, target(Kind::Acct, &home))
    };
    let report = run(&plan);
    assert!((490..=510).contains(&report.sent), "{report:?}");
    assert_eq!(report.completed, report.sent);
}

#[test]
fn another_secret_gets_no_answer() {
    let home = home("127.0.0.1", Faults::default());
    let plan = Plan {
        secret: Secret::new("another").unwrap(),
        timeout: Duration::from_millis(10),
        retries: 0,
        end: End::Requests(10),
        ..plan(Kind::Pap, target(Kind::Pap, &home))
    };
    let report = run(&plan);
    assert_eq!((report.completed, report.lost), (0, 10));
    assert_eq!(home.stop().unwrap().refused, 10);
}
