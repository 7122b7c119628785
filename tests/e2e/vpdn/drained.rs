//! What the operator says of an LNS: at once, for new sessions alone, and until it is taken back.

use sekisho_tests::documents::Customer;
use sekisho_tests::lac::{Device, Lac, shares};
use sekisho_tests::sekisho::Sekisho;
use sekisho_tests::vpdn::{Lns, Vpdn};

use super::land::{CONTRACT, Land, NO_RESOURCES, REALM, at, balanced, lnss, sharing};

/// The endpoints that any of so many new devices was told of, first or as an alternative.
fn told_of(lac: &Lac, from: usize) -> Vec<String> {
    let devices: Vec<Device> = (from..from + 12).map(|n| Device::new(n, REALM)).collect();
    let logins = lac.logins(&devices);
    let mut all: Vec<String> =
        logins.iter().flat_map(|login| login.tunnels.iter().map(|tunnel| tunnel.server.clone())).collect();
    all.sort();
    all.dedup();
    all
}

#[track_caller]
fn says(sekisho: &Sekisho<'_>, words: &[&str]) {
    let finished = sekisho.command(&[&["lns"], words].concat());
    assert!(finished.status.success(), "{words:?}: {}", finished.output);
}

#[test]
fn an_lns_that_drains_or_is_down_gets_no_new_session_and_keeps_those_that_it_has() {
    let land = Land::new();
    let sekisho = Sekisho::start(&land.network, &land.documents(sharing(3, "slow_start = \"0s\"")));
    let lac = land.lac();
    lac.start_all(&lac.logins(&Device::many(30, REALM)));
    for (n, (away, back, state)) in [("drain", "undrain", "draining"), ("down", "up", "down")].into_iter().enumerate() {
        says(&sekisho, &[away, "acme/tokyo-2"]);
        let told = sekisho.lns("tokyo-2");
        assert_eq!(
            (&told["state"], &told["active"], &told["operator"]),
            (&state.into(), &10.into(), &state.into()),
            "{told}"
        );
        assert_eq!(told_of(&lac, 100 + n * 100), [at(1), at(3)], "{away}");
        let table = sekisho.command(&["lns"]).output;
        let line = table.lines().find(|line| line.contains("tokyo-2")).expect("a line for it");
        assert!(line.contains(state) && line.contains(&at(2)) && line.contains(CONTRACT), "{line}");
        says(&sekisho, &[back, "acme/tokyo-2"]);
        let told = sekisho.lns("tokyo-2");
        assert!(told["operator"].is_null() && told["state"] != state, "{told}");
        assert_eq!(told_of(&lac, 150 + n * 100), [at(1), at(2), at(3)], "{back}");
    }
    assert_eq!(sekisho.sessions("lns=tokyo-2").iter().filter(|it| it["state"] == "active").count(), 10);
}

#[test]
fn the_operators_word_goes_before_the_documents_and_stays_over_a_restart() {
    for crash in [false, true] {
        let land = Land::new();
        let lnss = [
            Lns::new("tokyo-1", &at(1), ""),
            Lns::new("tokyo-2", &at(2), "state = \"draining\""),
            Lns::new("tokyo-3", &at(3), ""),
        ];
        let documents = land.documents(Customer::new("acme").lnss(&lnss).vpdn(&balanced(3, "slow_start = \"0s\"")));
        let sekisho = Sekisho::start(&land.network, &documents);
        assert_eq!(told_of(&land.lac(), 0), [at(1), at(3)], "as the document says");
        says(&sekisho, &["down", "acme/tokyo-1"]);
        says(&sekisho, &["up", "acme/tokyo-2"]);
        assert_eq!(told_of(&land.lac(), 100), [at(2), at(3)]);
        assert_eq!(sekisho.lns("tokyo-2")["document"], "draining");
        if crash {
            sekisho.kill()
        } else {
            sekisho.stop()
        }
        let sekisho = Sekisho::start(&land.network, &documents);
        assert_eq!(told_of(&land.lac(), 200), [at(2), at(3)], "crash: {crash}");
        assert!(sekisho.reload(&documents).status.success());
        assert_eq!(told_of(&land.lac(), 300), [at(2), at(3)], "a reload takes nothing back");
        says(&sekisho, &["undrain", "acme/tokyo-1"]);
        assert_eq!(told_of(&land.lac(), 400), [at(1), at(2), at(3)]);
    }
}

#[test]
fn while_every_lns_is_taken_away_logins_get_a_reject_and_no_silence() {
    let land = Land::new();
    let sekisho = Sekisho::start(&land.network, &land.documents(sharing(2, "all_down = \"fail-open\"")));
    says(&sekisho, &["drain", "acme/tokyo-1"]);
    says(&sekisho, &["down", "acme/tokyo-2"]);
    let login = land.lac().login(&Device::new(1, REALM));
    assert_eq!(login.answer.code().0, 3, "fail-open goes against health, never against the operator");
    assert_ne!(login.reason().0, NO_RESOURCES, "nothing is full");
    says(&sekisho, &["undrain", "acme/tokyo-1"]);
    assert_eq!(land.lac().login(&Device::new(1, REALM)).endpoint(), at(1));
}

#[test]
fn the_next_tier_is_used_while_the_first_has_no_lns_and_the_operator_says_when_to_go_back() {
    for failback in ["now", "manual"] {
        let land = Land::new();
        let contract = Vpdn::new(CONTRACT, "D", &["tokyo-1", "tokyo-2"])
            .balancing(&format!("failback = \"{failback}\"\nslow_start = \"0s\""))
            .tier(&["tokyo-3", "tokyo-4"]);
        let sekisho =
            Sekisho::start(&land.network, &land.documents(Customer::new("acme").lnss(&lnss(4)).vpdn(&contract)));
        let lac = land.lac();
        let firsts = |from: usize| {
            let devices: Vec<Device> = (from..from + 8).map(|n| Device::new(n, REALM)).collect();
            let mut firsts: Vec<String> = shares(&lac.logins(&devices)).into_keys().collect();
            firsts.sort();
            firsts
        };
        assert_eq!(firsts(0), [at(1), at(2)]);
        assert_eq!(told_of(&lac, 50), [at(1), at(2), at(3), at(4)], "the next tier's are where a LAC may fail over to");
        says(&sekisho, &["down", "acme/tokyo-1"]);
        assert_eq!(firsts(100), [at(2)]);
        says(&sekisho, &["down", "acme/tokyo-2"]);
        assert_eq!(firsts(200), [at(3), at(4)]);
        says(&sekisho, &["up", "acme/tokyo-2"]);
        if failback == "manual" {
            assert_eq!(firsts(300), [at(3), at(4)], "until the operator says so");
            says(&sekisho, &["failback", CONTRACT]);
        }
        assert_eq!(firsts(400), [at(2)], "{failback}");
    }
}

#[test]
fn whatever_a_document_may_call_an_lns_and_a_contract_the_operator_can_name_it() {
    let land = Land::new();
    let lnss = [Lns::new("Tokyo_1.a", &at(1), ""), Lns::new("tokyo-2", &at(2), "")];
    let contract = Vpdn::new("ACME_vpdn.d", "D", &["Tokyo_1.a"]).balancing("failback = \"manual\"").tier(&["tokyo-2"]);
    let sekisho = Sekisho::start(&land.network, &land.documents(Customer::new("acme").lnss(&lnss).vpdn(&contract)));
    for word in ["drain", "undrain", "down", "up"] {
        says(&sekisho, &[word, "acme/Tokyo_1.a"]);
    }
    says(&sekisho, &["failback", "ACME_vpdn.d"]);
    assert_eq!(land.lac().login(&Device::new(1, REALM)).endpoint(), at(1));
}

#[test]
fn what_is_not_there_cannot_be_drained_and_the_operator_is_told_so() {
    let land = Land::new();
    let sekisho = Sekisho::start(&land.network, &land.documents(sharing(2, "")));
    for words in
        [["lns", "drain", "acme/tokyo-9"], ["lns", "drain", "nobody/tokyo-1"], ["lns", "failback", "no-contract"]]
    {
        let finished = sekisho.command(&words);
        assert!(!finished.status.success(), "{words:?}: {}", finished.output);
        let name = words[2].rsplit('/').next().unwrap_or_default();
        assert!(finished.output.contains(name) || finished.output.contains("nobody"), "{}", finished.output);
    }
    let finished = sekisho.command(&["lns", "failback", CONTRACT]);
    assert!(!finished.status.success() && finished.output.contains("manual"), "{}", finished.output);
}
