//! Limits on the number of sessions: what is over them is refused in words, and what ends makes room.

use sekisho_tests::documents::Customer;
use sekisho_tests::lac::{Device, Login, Session, Status, shares};
use sekisho_tests::sekisho::Sekisho;
use sekisho_tests::vpdn::{Lns, Vpdn};

use super::land::{CONTRACT, Land, NO_RESOURCES, REALM, at, balanced, is_refused, lnss, lone};

const WORDS: &str = "all lines are busy";

fn device(n: usize) -> Device {
    Device::new(n, REALM)
}

#[track_caller]
fn is_full(login: &Login) {
    is_refused(login, NO_RESOURCES);
    assert_eq!(login.reason().1.as_deref(), Some(WORDS));
}

#[test]
fn a_full_contract_refuses_in_its_own_words_until_a_session_ends() {
    let land = Land::new();
    let contract = Vpdn::new(CONTRACT, "D", &["tokyo-1"]);
    let contract = contract.key(&format!("max_sessions = 5\nfull_message = \"{WORDS}\""));
    let sekisho = Sekisho::start(&land.network, &land.documents(Customer::new("acme").lnss(&lnss(1)).vpdn(&contract)));
    let lac = land.lac();
    let mut sessions: Vec<Session> = (0..3).map(|n| lac.connect(&device(n))).collect();
    // An Accept takes a place as well, before its Start.
    (3..5).for_each(|n| assert!(lac.login(&device(n)).is_accepted()));
    is_full(&lac.login(&device(5)));
    lac.report(Status::Stop, &sessions.remove(0));
    sessions.push(lac.connect(&device(5)));
    is_full(&lac.login(&device(6)));
    let labels = [("contract", CONTRACT)];
    assert_eq!(sekisho.metrics().sum("sekisho_vpdn_refused_total", &labels), 2);
}

#[test]
fn whose_stop_was_lost_is_served_when_he_comes_again() {
    let land = Land::new();
    let contract = Vpdn::new(CONTRACT, "D", &["tokyo-1"]);
    let contract = contract.key(&format!("max_sessions = 3\nfull_message = \"{WORDS}\""));
    let sekisho = Sekisho::start(&land.network, &land.documents(Customer::new("acme").lnss(&lnss(1)).vpdn(&contract)));
    let lac = land.lac();
    (0..3).for_each(|n| drop(lac.connect(&device(n))));
    is_full(&lac.login(&device(3)));
    for n in [0, 1, 2, 1] {
        lac.connect(&device(n));
        assert_eq!(sekisho.lns("tokyo-1")["active"], 3, "the old session of the same device has ended");
    }
    is_full(&lac.login(&device(3)));
}

#[test]
fn a_full_lns_is_passed_over_and_counts_for_every_contract_that_shares_it() {
    let land = Land::new();
    let small = |n| Lns::new(&format!("tokyo-{n}"), &at(n), "max_sessions = 10");
    let lnss = [small(1), small(2), Lns::new("spare", &at(9), "max_sessions = 4")];
    let first = Vpdn::new("acme-1", "D", &["tokyo-1", "tokyo-2"])
        .key(&format!("full_message = \"{WORDS}\"\nrealms = [\"acme.example\"]"))
        .balancing("strategy = \"hash\"\noverflow = [\"spare\"]");
    let second = Vpdn::new("acme-2", "D", &["tokyo-1"]).key("realms = [\"second.example\"]");
    let customer = Customer::new("acme").realm("suffix = \"second.example\"").lnss(&lnss).vpdn(&first).vpdn(&second);
    let sekisho = Sekisho::start(&land.network, &land.documents(customer));
    let lac = land.lac();
    // The other contract has taken some of the first LNS's room.
    lac.start_all(&lac.logins(&Device::many(6, "second.example")));
    let logins: Vec<Login> = (100..118).map(|n| lac.login(&device(n))).collect();
    let shared = shares(&logins);
    assert_eq!([at(1), at(2), at(9)].map(|place| shared.get(&place).copied()), [Some(4), Some(10), Some(4)]);
    for login in &logins[14..] {
        assert_eq!(login.tunnels.len(), 1, "nothing full is an alternative");
    }
    is_full(&lac.login(&device(200)));
    is_refused(&lac.login(&Device::new(50, "second.example")), NO_RESOURCES);
    for (name, most) in [("tokyo-1", 10), ("tokyo-2", 10), ("spare", 4)] {
        let told = sekisho.lns(name);
        let total = told["active"].as_u64().expect("a number") + told["pending"].as_u64().expect("a number");
        assert_eq!((total, told["max_sessions"].as_u64()), (most, Some(most)), "{told}");
    }
}

#[test]
fn a_customers_own_limit_holds_over_all_its_contracts() {
    let land = Land::new();
    let contract = |name: &str, realm: &str| {
        Vpdn::new(name, "D", &["tokyo-1"]).key(&format!("realms = [\"{realm}\"]\nfull_message = \"{WORDS}\""))
    };
    let customer = Customer::new("acme")
        .key("max_vpdn_sessions = 4")
        .realm("suffix = \"second.example\"")
        .lnss(&lnss(1))
        .vpdn(&contract("acme-1", REALM))
        .vpdn(&contract("acme-2", "second.example"));
    let _sekisho = Sekisho::start(&land.network, &land.documents(customer));
    let lac = land.lac();
    for n in 0..2 {
        lac.connect(&device(n));
        lac.connect(&Device::new(n, "second.example"));
    }
    is_full(&lac.login(&device(2)));
    is_full(&lac.login(&Device::new(2, "second.example")));
}

#[test]
fn many_logins_at_once_do_not_get_past_a_limit() {
    let land = Land::new();
    let small = [1, 2].map(|n| Lns::new(&format!("tokyo-{n}"), &at(n), "max_sessions = 20"));
    let contract = balanced(2, "strategy = \"least-sessions\"");
    let sekisho = Sekisho::start(&land.network, &land.documents(Customer::new("acme").lnss(&small).vpdn(&contract)));
    // From several ports, for all workers.
    let devices = Device::many(120, REALM);
    let logins: Vec<Login> = std::thread::scope(|scope| {
        let ports = devices.chunks(30).map(|part| scope.spawn(|| land.lac().logins(part))).collect::<Vec<_>>();
        ports.into_iter().flat_map(|port| port.join().expect("every login is answered")).collect()
    });
    let accepted = logins.iter().filter(|login| login.is_accepted()).count();
    // Workers that judge at the same moment do not see each other: one less than there are of them, at each LNS.
    assert!((40..=42).contains(&accepted), "{accepted}");
    assert!(logins.iter().filter(|login| !login.is_accepted()).all(|login| login.reason().0 == NO_RESOURCES));
    let pending: u64 = ["tokyo-1", "tokyo-2"].iter().filter_map(|name| sekisho.lns(name)["pending"].as_u64()).sum();
    assert_eq!(pending, accepted as u64);
}

#[test]
fn what_one_customer_reports_without_end_is_not_at_the_cost_of_the_others() {
    let land = Land::new();
    let contract = Vpdn::new("other-d", "D", &["osaka"]).key("max_sessions = 300");
    let other = Customer::new("other").lnss(&[Lns::new("osaka", &at(9), "")]).vpdn(&contract);
    let documents = land.documents(lone()).sessions("max_tracked = 1024\ncustomer_share = 60").customer(other);
    let sekisho = Sekisho::start(&land.network, &documents);
    let lac = land.lac();
    // Far more than there is room for in all, each with a Start that nobody has logged in for.
    let invented: Vec<Session> = Device::many(2000, REALM).iter().map(|it| Session::new(it, &at(1))).collect();
    lac.report_all(Status::Start, &invented);
    let told = sekisho.told("/sessions");
    let tracked = told["tracked"].as_u64().expect("a number");
    assert!((500..=640).contains(&tracked), "{tracked} of 1024");
    assert_eq!(told["untracked"].as_u64(), Some(2000 - tracked), "and the operator is told so");
    lac.start_all(&lac.logins(&Device::many(300, "other.example")));
    assert_eq!(sekisho.lns("osaka")["active"], 300);
    is_refused(&lac.login(&Device::new(300, "other.example")), NO_RESOURCES);
}
