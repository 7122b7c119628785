//! How LNSs share a contract's sessions.

use std::collections::HashMap;

use sekisho_tests::documents::{Customer, Documents};
use sekisho_tests::lac::{Device, Login, Session, Status, shares};
use sekisho_tests::sekisho::Sekisho;
use sekisho_tests::vpdn::{Lns, Vpdn};

use super::land::{CONTRACT, Land, REALM, at, balanced, lnss, sharing};

/// Where each device was sent.
fn places(logins: &[Login]) -> HashMap<String, String> {
    logins.iter().map(|login| (login.device.number.clone(), login.endpoint().to_owned())).collect()
}

#[test]
fn in_turn_lnss_get_their_weights_share() {
    let land = Land::new();
    let weighted = [(1, 1), (2, 2), (3, 5)]
        .map(|(n, weight)| Lns::new(&format!("tokyo-{n}"), &at(n), &format!("weight = {weight}")));
    let contract = balanced(3, "strategy = \"round-robin\"");
    let sekisho = Sekisho::start(&land.network, &land.documents(Customer::new("acme").lnss(&weighted).vpdn(&contract)));
    let shares = shares(&land.lac().logins(&Device::many(1000, REALM)));
    for (n, expected) in [(1, 125), (2, 250), (3, 625usize)] {
        let share = shares[&at(n)];
        assert!(share.abs_diff(expected) <= 3, "{shares:?}");
        let told = sekisho.lns(&format!("tokyo-{n}"));
        assert_eq!(
            (told["chosen"].as_u64(), told["pending"].as_u64()),
            (Some(share as u64), Some(share as u64)),
            "{told}"
        );
    }
}

#[test]
fn by_least_sessions_an_lns_whose_sessions_end_gets_the_next_ones() {
    let land = Land::new();
    let sekisho = Sekisho::start(&land.network, &land.documents(sharing(3, "strategy = \"least-sessions\"")));
    let lac = land.lac();
    let sessions = lac.start_all(&lac.logins(&Device::many(300, REALM)));
    let active = || [1, 2, 3].map(|n| sekisho.lns(&format!("tokyo-{n}"))["active"].as_u64().expect("a number"));
    let spread = |counts: [u64; 3]| counts.iter().max().expect("three") - counts.iter().min().expect("three");
    // Requests that are judged at the same moment do not see each other: one for each worker.
    assert!(spread(active()) <= 2, "{:?}", active());
    let of_first: Vec<Session> = sessions.iter().filter(|session| session.lns == at(1)).cloned().collect();
    lac.report_all(Status::Stop, &of_first);
    assert_eq!(active()[0], 0);
    let late: Vec<Device> = (1000..1000 + of_first.len()).map(|n| Device::new(n, REALM)).collect();
    let logins = lac.logins(&late);
    assert!(shares(&logins)[&at(1)] >= late.len() - 2, "all to the empty one: {:?}", shares(&logins));
    lac.start_all(&logins);
    assert!(spread(active()) <= 2, "{:?}", active());
}

#[test]
fn by_hash_a_device_keeps_its_lns_over_a_restart_and_on_another_node() {
    let documents = |land: &Land, order: [&str; 4]| -> Documents {
        let contract = Vpdn::new(CONTRACT, "D", &order).balancing("strategy = \"hash\"");
        land.documents(Customer::new("acme").lnss(&lnss(4)).vpdn(&contract))
    };
    let devices = Device::many(200, REALM);
    let land = Land::new();
    let written = documents(&land, ["tokyo-1", "tokyo-2", "tokyo-3", "tokyo-4"]);
    let sekisho = Sekisho::start(&land.network, &written);
    let first = land.lac().logins(&devices);
    assert!(shares(&first).len() == 4 && shares(&first).values().all(|share| *share > 20), "{:?}", shares(&first));
    sekisho.kill();
    // Nothing of what was learned: the choice alone says so.
    std::fs::remove_dir_all(written.directory().join("state")).expect("the state of a node that ran");
    let sekisho = Sekisho::start(&land.network, &written);
    assert_eq!(places(&land.lac().logins(&devices)), places(&first));
    sekisho.stop();

    let another = Land::new();
    let _sekisho = Sekisho::start(&another.network, &documents(&another, ["tokyo-3", "tokyo-1", "tokyo-4", "tokyo-2"]));
    assert_eq!(places(&another.lac().logins(&devices)), places(&first), "in whatever order they are written");
}

#[test]
fn by_hash_only_the_devices_of_the_lns_that_goes_move_and_they_come_back() {
    let land = Land::new();
    let sekisho =
        Sekisho::start(&land.network, &land.documents(sharing(4, "strategy = \"hash\"\nslow_start = \"0s\"")));
    let lac = land.lac();
    let devices = Device::many(200, REALM);
    // Each device ends its session before the next login, so that nothing but the hash says where it goes.
    let round = || {
        let logins = lac.logins(&devices);
        lac.report_all(Status::Stop, &lac.start_all(&logins));
        places(&logins)
    };
    let before = round();
    assert!(sekisho.command(&["lns", "down", "acme/tokyo-2"]).status.success());
    let without = round();
    for (number, place) in &before {
        if *place == at(2) {
            assert_ne!(without[number], at(2));
        } else {
            assert_eq!(without[number], *place, "{number} had no reason to move");
        }
    }
    assert!(sekisho.command(&["lns", "up", "acme/tokyo-2"]).status.success());
    assert_eq!(round(), before);
}

#[test]
fn a_device_that_comes_back_in_time_gets_the_lns_that_it_had() {
    let land = Land::new();
    let sticky = "strategy = \"round-robin\"\nsticky = \"1h\"";
    let sekisho = Sekisho::start(&land.network, &land.documents(sharing(3, sticky)));
    let lac = land.lac();
    let devices = Device::many(30, REALM);
    let first = lac.logins(&devices);
    lac.report_all(Status::Stop, &lac.start_all(&first));
    let turned: Vec<Device> = devices.iter().rev().cloned().collect();
    assert_eq!(places(&lac.logins(&turned)), places(&first));
    // Whatever the number looks like.
    let written_otherwise =
        |device: &Device| Device { number: format!("+81{}", &device.number[1..]), ..device.clone() };
    let again: Vec<Device> = turned.iter().map(written_otherwise).collect();
    for login in lac.logins(&again) {
        let number = format!("0{}", &login.device.number[3..]);
        assert_eq!(login.endpoint(), places(&first)[&number]);
    }
    assert_eq!(sekisho.told("/sessions")["reserved"], 30, "one device, one session");
}
