//! A process that is killed again and again while it keeps accounting: nothing that it has acknowledged is lost or there twice.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use sekisho_tests::lac::{Device, Session, Status};
use sekisho_tests::sekisho::{Sekisho, journal};
use serde_json::{Value, json};

use super::land::{Land, REALM, at, lone, named_sessions};

/// Kills a node so many times while equipment that sends everything until it is acknowledged accounts for sessions; then compares
/// what was acknowledged with what is in the journal.
fn survives(kills: u64) -> Value {
    let land = Land::new();
    let documents = land.documents(lone());
    let mut sekisho = Sekisho::start(&land.network, &documents);
    let stop = AtomicBool::new(false);
    let mut recognised = 0;
    let acknowledged: Vec<String> = std::thread::scope(|scope| {
        let senders: Vec<_> = ["lac-1", "lac-2"]
            .map(|name| {
                let (land, stop) = (&land, &stop);
                scope.spawn(move || {
                    let lac = land.lac_called(name).timeout(Duration::from_millis(150));
                    let mut acknowledged = Vec::new();
                    for n in 0.. {
                        let batch: Vec<Session> =
                            (0..40).map(|k| Session::new(&Device::new(40 * n + k, REALM), &at(1))).collect();
                        lac.insist_on_all(Status::Start, &batch, Duration::from_secs(60));
                        acknowledged.extend(batch.into_iter().map(|session| session.id));
                        if stop.load(Relaxed) {
                            break;
                        }
                    }
                    acknowledged
                })
            })
            .into();
        for n in 0..kills {
            // At another moment of the work each time.
            std::thread::sleep(Duration::from_millis(150 + n * 61 % 350));
            recognised += sekisho.metrics().sum("sekisho_journal_records_total", &[("result", "known")]);
            sekisho.kill();
            sekisho = Sekisho::start(&land.network, &documents);
        }
        stop.store(true, Relaxed);
        senders.into_iter().flat_map(|sender| sender.join().expect("everything is acknowledged at last")).collect()
    });
    let mut found: HashMap<String, u64> = HashMap::new();
    for id in named_sessions(&journal(&land.network, &documents, &[])) {
        *found.entry(id).or_default() += 1;
    }
    let lost: Vec<&String> = acknowledged.iter().filter(|id| !found.contains_key(*id)).collect();
    let twice: Vec<(&String, &u64)> = found.iter().filter(|(_, times)| **times > 1).collect();
    assert!(lost.is_empty(), "{} of {} acknowledged records are lost: {lost:?}", lost.len(), acknowledged.len());
    assert!(twice.is_empty(), "{} records are there more than once: {twice:?}", twice.len());
    assert!(acknowledged.len() as u64 > 40 * kills, "there was work to interrupt: {}", acknowledged.len());
    assert_eq!(found.len(), acknowledged.len(), "and every record that is there was acknowledged in the end");
    json!({"kills": kills, "acknowledged": acknowledged.len(), "in_the_journal": found.len(), "lost": lost.len(),
           "twice": twice.len(), "recognised": recognised})
}

#[test]
fn of_what_was_acknowledged_under_kills_nothing_is_lost_or_there_twice() {
    survives(5);
}

#[test]
#[ignore = "takes minutes: make soak"]
fn soak_of_journal_kills() {
    crate::soak::keep("journal-kills", &survives(50));
}
