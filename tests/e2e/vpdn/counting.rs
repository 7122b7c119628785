//! Sessions, counted from what a LAC accounts for, as the operator sees them.

use std::time::Duration;

use sekisho_tests::documents::{Customer, Documents};
use sekisho_tests::lac::{Device, Lac, Login, Session, Status};
use sekisho_tests::network::Network;
use sekisho_tests::sekisho::Sekisho;
use sekisho_tests::vpdn::{AccessNetwork, Lns, Vpdn, network_secret};
use sekisho_tests::wait::within;
use serde_json::Value;

use super::land::{CONTRACT, Land, REALM, at, lone, sharing};

/// Sessions of an LNS: those that have begun, and those that are expected.
#[track_caller]
fn counts(sekisho: &Sekisho<'_>, lns: &str) -> [u64; 2] {
    let told = sekisho.lns(lns);
    ["active", "pending"].map(|key| told[key].as_u64().unwrap_or_else(|| panic!("no {key} in {told}")))
}

#[test]
fn an_accept_is_a_reservation_its_start_a_session_and_its_stop_the_end() {
    let land = Land::new();
    let sekisho = Sekisho::start(&land.network, &land.documents(lone()));
    let lac = land.lac();
    let login = lac.login(&Device::new(1, REALM));
    assert_eq!(counts(&sekisho, "tokyo-1"), [0, 1]);
    let session = login.session();
    for _ in 0..2 {
        lac.report(Status::Start, &session);
        assert_eq!(counts(&sekisho, "tokyo-1"), [1, 0]);
    }
    lac.report(Status::Interim, &session);
    assert_eq!(counts(&sekisho, "tokyo-1"), [1, 0]);
    for late in [Status::Stop, Status::Stop, Status::Start, Status::Interim] {
        lac.report(late, &session);
        assert_eq!(counts(&sekisho, "tokyo-1"), [0, 0], "{late:?}, late, brings nothing back");
    }
    // A lost Start is healed by the next Interim; a Stop that overtakes its Start ends it for good.
    let [healed, overtaken] = [2, 3].map(|n| lac.login(&Device::new(n, REALM)).session());
    lac.report(Status::Interim, &healed);
    lac.report(Status::Stop, &overtaken);
    lac.report(Status::Start, &overtaken);
    assert_eq!(counts(&sekisho, "tokyo-1")[0], 1);
    let metrics = sekisho.metrics();
    let labels = [("customer", "acme"), ("lns", "tokyo-1"), ("state", "active")];
    assert_eq!(metrics.sum("sekisho_lns_sessions", &labels), 1);
    assert_eq!(metrics.sum("sekisho_vpdn_sessions", &[("contract", CONTRACT), ("state", "active")]), 1);
    assert_eq!(metrics.sum("sekisho_sessions_tracked", &[]), 1);
}

#[test]
fn sessions_are_listed_by_customer_contract_lns_network_number_and_user() {
    let land = Land::new();
    let other =
        Customer::new("other").lnss(&[Lns::new("osaka", &at(9), "")]).vpdn(&Vpdn::new("other-d", "D", &["osaka"]));
    let documents = land.documents(sharing(2, "strategy = \"round-robin\"")).customer(other);
    let sekisho = Sekisho::start(&land.network, &documents);
    let lac = land.lac();
    lac.start_all(&lac.logins(&Device::many(4, REALM)));
    lac.start_all(&lac.logins(&Device::many(3, "other.example")));
    lac.login(&Device::new(77, REALM));
    let all = sekisho.told("/sessions");
    assert_eq!([&all["tracked"], &all["reserved"], &all["shown"]].map(Value::as_u64), [7, 1, 8].map(Some), "{all}");
    let count = |query: &str| sekisho.sessions(query).len();
    let found = ["customer=acme", "customer=other", "contract=other-d", "network=carrier"].map(count);
    assert_eq!(found, [5, 3, 3, 8]);
    assert!(count("lns=tokyo-1") >= 2 && count("lns=tokyo-1") + count("lns=tokyo-2") == 5);
    assert_eq!(count("limit=5"), 5);
    for number in ["09000000002", "%2B819000000002", "819000000002"] {
        let users: Vec<Value> =
            sekisho.sessions(&format!("number={number}")).iter().map(|it| it["user"].clone()).collect();
        assert_eq!(users, ["user-2@acme.example", "user-2@other.example"], "{number}");
    }
    let [one] = &sekisho.sessions("user=user-1@other.example")[..] else { panic!("one of that name") };
    let texts = ["customer", "contract", "lns", "network", "state"].map(|key| one[key].as_str().unwrap_or_default());
    assert_eq!(texts, ["other", "other-d", "osaka", "carrier", "active"], "{one}");

    let shown = sekisho.command(&["sessions", "--customer", "acme", "--number", "+81 90-0000-0003"]);
    assert!(shown.status.success(), "{}", shown.output);
    assert!(shown.output.contains("user-3@acme.example") && !shown.output.contains("user-2@"), "{}", shown.output);
    let mistyped = sekisho.command(&["sessions", "--network", "carier"]);
    assert!(!mistyped.status.success() && mistyped.output.contains("carier"), "{}", mistyped.output);
    let told = sekisho.command(&["sessions", "--lns", "osaka", "--json"]);
    let told: Value = serde_json::from_str(&told.output).expect("JSON");
    assert_eq!(told["sessions"].as_array().map(Vec::len), Some(3), "{told}");
}

#[test]
fn a_session_in_another_tunnel_than_the_chosen_one_counts_there() {
    let land = Land::new();
    let sekisho = Sekisho::start(&land.network, &land.documents(sharing(2, "strategy = \"round-robin\"")));
    let lac = land.lac();
    let login = lac.login(&Device::new(1, REALM));
    let [first, second] = &login.tunnels[..] else { panic!("two tunnels: {:?}", login.tunnels) };
    let name = |endpoint: &str| format!("tokyo-{}", endpoint.rsplit('.').next().unwrap_or_default());
    let (from, to) = (name(&first.server), name(&second.server));
    assert_eq!(counts(&sekisho, &from), [0, 1]);
    lac.report(Status::Start, &login.session().at(&second.server));
    assert_eq!((counts(&sekisho, &from), counts(&sekisho, &to)), ([0, 0], [1, 0]));
    let [from, to] = [from, to].map(|name| sekisho.lns(&name));
    assert_eq!(
        [&from["chosen"], &from["started"], &from["failed_over_from"]].map(Value::as_u64),
        [1, 0, 1].map(Some),
        "{from}"
    );
    assert_eq!([&to["chosen"], &to["started"], &to["failed_over_to"]].map(Value::as_u64), [0, 1, 1].map(Some), "{to}");
}

#[test]
fn a_nas_that_begins_anew_ends_its_own_sessions_and_no_others() {
    for status in [Status::On, Status::Off] {
        let land = Land::new();
        let sekisho = Sekisho::start(&land.network, &land.documents(lone()));
        let [one, two] = ["lac-1", "lac-2"].map(|name| land.lac_called(name));
        one.start_all(&one.logins(&Device::many(5, REALM)));
        let others: Vec<Device> = (100..107).map(|n| Device::new(n, REALM)).collect();
        two.start_all(&two.logins(&others));
        assert_eq!(counts(&sekisho, "tokyo-1"), [12, 0]);
        // Seconds are the grain of what a NAS reports.
        std::thread::sleep(Duration::from_millis(1100));
        one.restarted(status);
        becomes(&sekisho, [7, 0]);
        one.connect(&Device::new(1, REALM));
        assert_eq!(counts(&sekisho, "tokyo-1"), [8, 0], "what begins after it stays");
    }
}

/// Waits until `tokyo-1` has these counts.
#[track_caller]
fn becomes(sekisho: &Sekisho<'_>, expected: [u64; 2]) {
    let found = within(Duration::from_secs(5), || (counts(sekisho, "tokyo-1") == expected).then_some(()));
    assert!(found.is_some(), "{:?}, not {expected:?}", counts(sekisho, "tokyo-1"));
}

#[test]
fn what_another_access_network_says_of_a_session_changes_nothing() {
    let mut network = Network::new();
    let [carrier, forger] = ["carrier", "forger"].map(|name| network.host(name));
    let documents = Documents::new(&[&carrier, &forger])
        .access_network(&AccessNetwork::new("carrier", "D", &carrier.networks()))
        .access_network(&AccessNetwork::new("forger", "D", &forger.networks()))
        .customer(lone());
    let sekisho = Sekisho::start(&network, &documents);
    let lac = Lac::new(&carrier, carrier.v4, &network_secret("carrier"), "lac-1");
    let sessions = lac.start_all(&lac.logins(&Device::many(5, REALM)));
    // It gives itself for the same NAS, and knows every session.
    let forger = Lac::new(&forger, forger.v4, &network_secret("forger"), "lac-1");
    std::thread::sleep(Duration::from_millis(1100));
    forger.report_all(Status::Stop, &sessions);
    forger.restarted(Status::On);
    forger.restarted(Status::Off);
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(counts(&sekisho, "tokyo-1"), [5, 0]);
    lac.report_all(Status::Stop, &sessions);
    assert_eq!(counts(&sekisho, "tokyo-1"), [0, 0]);
}

/// What the operator is told of a session, without what time changes.
fn identities(sekisho: &Sekisho<'_>) -> Vec<Value> {
    let keys = ["customer", "contract", "lns", "network", "user", "number", "state"];
    let identity = |session: &Value| Value::from(keys.map(|key| session[key].clone()).to_vec());
    sekisho.sessions("limit=1000").iter().map(identity).collect()
}

#[test]
fn after_a_restart_the_counts_are_as_before_however_the_process_ended() {
    for crash in [false, true] {
        let land = Land::new();
        let documents = land.documents(sharing(3, "strategy = \"least-sessions\""));
        let sekisho = Sekisho::start(&land.network, &documents);
        let lac = land.lac();
        let sessions = lac.start_all(&lac.logins(&Device::many(60, REALM)));
        lac.report_all(Status::Stop, &sessions[..20]);
        let before = identities(&sekisho);
        let counted = [1, 2, 3].map(|n| counts(&sekisho, &format!("tokyo-{n}")));
        assert_eq!((before.len(), counted.iter().map(|it| it[0]).sum::<u64>()), (40, 40));
        if crash {
            // What was saved last is what a crash leaves.
            std::thread::sleep(Duration::from_millis(11_500));
            sekisho.kill();
        } else {
            sekisho.stop();
        }
        let sekisho = Sekisho::start(&land.network, &documents);
        assert_eq!(identities(&sekisho), before, "crash: {crash}");
        assert_eq!([1, 2, 3].map(|n| counts(&sekisho, &format!("tokyo-{n}"))), counted);
        // They are the same sessions: what is reported of them counts nothing twice, and ends them.
        lac.report_all(Status::Interim, &sessions[20..]);
        assert_eq!(identities(&sekisho).len(), 40);
        lac.report_all(Status::Stop, &sessions[20..]);
        assert_eq!([1, 2, 3].map(|n| counts(&sekisho, &format!("tokyo-{n}"))), [[0, 0]; 3]);
    }
}

#[test]
fn what_a_crash_has_forgotten_the_next_interim_tells() {
    let land = Land::new();
    let documents = land.documents(sharing(2, "strategy = \"round-robin\""));
    let sekisho = Sekisho::start(&land.network, &documents);
    let lac = land.lac();
    let sessions = lac.start_all(&lac.logins(&Device::many(10, REALM)));
    sekisho.kill();
    let sekisho = Sekisho::start(&land.network, &documents);
    lac.report_all(Status::Interim, &sessions);
    assert_eq!(
        ["tokyo-1", "tokyo-2"].map(|name| counts(&sekisho, name)),
        [[5, 0], [5, 0]],
        "by what each says of its LNS"
    );
}

#[test]
fn without_a_number_every_login_is_a_session_of_its_own() {
    let land = Land::new();
    let sekisho = Sekisho::start(&land.network, &land.documents(lone()));
    let lac = land.lac();
    let nameless = Device { number: String::new(), ..Device::new(1, REALM) };
    let logins: Vec<Login> = (0..3).map(|_| lac.login(&nameless)).collect();
    assert_eq!(counts(&sekisho, "tokyo-1"), [0, 3]);
    let sessions: Vec<Session> = lac.start_all(&logins);
    assert_eq!(counts(&sekisho, "tokyo-1")[0], 3);
    lac.report_all(Status::Stop, &sessions);
    assert_eq!(counts(&sekisho, "tokyo-1")[0], 0);
}

#[test]
fn a_session_of_several_bearers_ends_with_the_stop_that_says_so() {
    let land = Land::new();
    let keys = "session_key = \"3gpp-charging-id\"";
    let sekisho = Sekisho::start(&land.network, &land.documents_with(keys, lone()));
    let lac = land.lac();
    let session = lac.login(&Device::new(1, REALM)).session();
    /// A sub-attribute of 3GPP's (TS 29.061 §16.4.7).
    fn of_3gpp(kind: u8, value: &[u8]) -> Vec<u8> {
        [&[0, 0, 0x28, 0xaf, kind, value.len() as u8 + 2][..], value].concat()
    }
    let report = |id, status, bearer: &[u8], last: bool| {
        let charging = [of_3gpp(2, &[0, 0, 0, 7]), of_3gpp(7, &[192, 0, 2, 1]), of_3gpp(10, bearer)];
        let mut more: Vec<(u8, &[u8])> = charging.iter().map(|value| (26, &value[..])).collect();
        let stop = of_3gpp(11, &[255]);
        if last {
            more.push((26, &stop));
        }
        // Each bearer has an Acct-Session-Id of its own.
        let named = Session { id: format!("{}-{}", session.id, bearer[0]), ..session.clone() };
        let request = lac.record(id, status, &named, &more);
        lac.nas().ask(lac.acct(), &request);
        counts(&sekisho, "tokyo-1")[0]
    };
    assert_eq!(report(101, Status::Start, b"5", false), 1);
    assert_eq!(report(102, Status::Start, b"6", false), 1, "the same session, by another bearer");
    assert_eq!(report(103, Status::Stop, b"6", false), 1);
    assert_eq!(report(104, Status::Stop, b"5", true), 0);
}
