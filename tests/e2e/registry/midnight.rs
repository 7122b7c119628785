//! What begins and ends by its date, at local midnight, without anybody doing anything.

use std::time::{Duration, Instant};

use sekisho_tests::documents::Customer;
use sekisho_tests::documents::{Server, home_secret};
use sekisho_tests::home::ScriptedHome;
use sekisho_tests::nas::Nas;
use sekisho_tests::network::{Family, auth};
use sekisho_tests::postgresql::PostgreSql;
use sekisho_tests::registry::{Desk, Midnight, Office, group};
use sekisho_tests::sekisho::Sekisho;
use sekisho_tests::wait::within;

use super::scene::{ALICE, PASSWORD, SAKURA_GROUP, SAKURA_NAS, Town, import, login, lost_nothing, try_login};

/// Midnight is so far away when a node starts, in seconds.
const AHEAD: i64 = 8;
/// What comes of a midnight is there so soon after it.
const SOON: Duration = Duration::from_secs(1);
/// Nobody is asked about so short a time before it: an answer may be under way.
const BEFORE: Duration = Duration::from_millis(300);

#[test]
fn a_contract_that_ends_is_dropped_in_the_kernel_at_midnight_under_traffic_and_nobody_else_notices() {
    let (town, mut office) = (Town::new(), Office::new());
    let desk = town.desk(&office);
    town.serve_both(&office, &desk);
    // Both at once: without its group the client would be of no use, and the group must not be without a client (Art. 5.1).
    desk.cancel(&office, SAKURA_GROUP, &[SAKURA_NAS]);
    let midnight = office.ends_in(AHEAD);
    let home = town.load_home();
    let sekisho = Sekisho::start(&town.network, &town.node(&office));
    let load = town.load(300, midnight.left() + Duration::from_secs(4));
    let nas = town.sakura_nas();

    let mut served = 0;
    while midnight.left() > BEFORE {
        assert_eq!(login(&nas, ALICE), 2, "{:?} before midnight", midnight.left());
        served += 1;
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(served > 10, "{served}");
    assert_eq!(sekisho.metrics().dropped("kernel", "unregistered"), 0, "served to its last second");
    midnight.wait();
    std::thread::sleep(SOON);
    for id in 0..50 {
        nas.send(auth(Family::V4), &nas.login(id, ALICE, PASSWORD));
    }
    nas.expect_silence(Duration::from_millis(500));

    let metrics =
        sekisho.metrics_when("50 are dropped in the kernel", |metrics| metrics.dropped("kernel", "unregistered") >= 50);
    assert_eq!(metrics.dropped("kernel", "unregistered"), 50, "{}", metrics.drops());
    assert_eq!(metrics.dropped("userspace", "unregistered"), 0, "{}", metrics.drops());
    lost_nothing(load);
    drop(home);
    sekisho.assert_every_packet_is_counted_once();
    let shown = sekisho.command(&["drops", "--once", "--json"]);
    assert!(shown.status.success(), "{}", shown.output);
    let log = sekisho.log();
    assert!(log.contains("- group contract sakura-group") && log.contains("- client sakura-nas"), "{log}");
    for contract in [SAKURA_GROUP, SAKURA_NAS] {
        let desk = Desk::new(&town.network, &town.node(&office));
        assert_eq!(desk.contract(contract)["served"], false, "{contract}");
        assert_eq!(desk.contract(contract)["until"], office.day(0), "{contract}");
    }
}

#[test]
fn a_contract_starts_and_a_document_comes_into_force_at_midnight_by_themselves() {
    let (town, mut office) = (Town::new(), Office::new());
    let desk = town.desk(&office);
    let _home = ScriptedHome::willing(&town.home, &home_secret("home1"));
    let old = office.document(&town.acme_document(), "");
    desk.serve(&office, &[old], &["acme"]);
    // sakura begins tomorrow, and from tomorrow on acme's terminal has another secret.
    desk.apply(&[town.write_sakura(&office, "")], &[]);
    desk.done(&["accept", "--customer", "sakura"]);
    import(&office, &desk, SAKURA_GROUP, &["alice"]);
    desk.done(&["confirm", "--customer", "sakura", "--all"]);
    let tomorrow = office.day(1);
    desk.done(&["start", "--customer", "sakura", "--on", &tomorrow]);
    let secret = "another-secret-of-acme-nas";
    let new = Customer::new("acme").client_with_secret("acme-nas", town.acme.v4, secret, "");
    let new = new.proxy(&[Server::new("home1", town.home.v4, "")]);
    let told = desk.apply(&[office.document(&new, "")], &["--at", &tomorrow]);
    assert!(told.contains("acme-nas") && told.contains(&tomorrow) && !told.contains(secret), "{told}");

    let midnight = office.ends_in(AHEAD);
    let sekisho = Sekisho::start(&town.network, &town.node(&office));
    let (before, after) = (town.acme_nas(), Nas::new(&town.acme, town.acme.v4, secret));
    let nas = town.sakura_nas();
    assert_eq!(login(&before, "carol@acme.example"), 2);
    assert_eq!(try_login(&nas, ALICE), None, "it has not begun");
    assert!(!midnight.left().is_zero(), "this machine was too slow for the test");
    assert!(sekisho.status()["registry"]["next_change"].is_string(), "{}", sekisho.status()["registry"]);
    midnight.wait();
    std::thread::sleep(SOON);
    assert_eq!(login(&nas, ALICE), 2);
    assert_eq!(login(&after, "carol@acme.example"), 2);
    assert_eq!(try_login(&before, "carol@acme.example"), None, "the former secret is nobody's any more");
    let status = sekisho.status();
    assert!(status["registry"]["next_change"].is_null(), "{}", status["registry"]);
}

#[test]
fn a_realm_goes_from_proxy_to_group_at_midnight_without_a_lost_login() {
    let (town, mut office) = (Town::new(), Office::new());
    let desk = town.desk(&office);
    let home = ScriptedHome::willing(&town.home, &home_secret("home1"));
    desk.serve(&office, &[office.document(&town.acme_document(), "")], &["acme"]);
    let (proxy, tomorrow) = ("acme-proxy-1", office.day(1));
    let hosted = group("acme-group", "acme.example", "reply = { \"Session-Timeout\" = 4711 }");
    let both = office.document(&town.acme_document(), &hosted);
    let told = desk.refused(&["apply", "-f", &both, "--at", &tomorrow]);
    assert!(told.contains("Art. 6") && told.contains("acme-group") && told.contains(proxy), "{told}");
    desk.cancel(&office, proxy, &[]);
    desk.apply(&[both], &[]);
    desk.done(&["accept", "acme-group"]);
    import(&office, &desk, "acme-group", &["alice"]);
    desk.done(&["confirm", "acme-group", "--all"]);
    let told = desk.refused(&["start", "acme-group", "--on", &office.day(0)]);
    assert!(told.contains("Art. 6") && told.contains("acme-group"), "its last day is not over: {told}");
    desk.done(&["start", "acme-group", "--on", &tomorrow]);

    let midnight = office.ends_in(AHEAD);
    let sekisho = Sekisho::start(&town.network, &town.node(&office));
    let nas = town.acme_nas();
    let (mut forwarded, mut hosted) = (0, 0);
    let begun = Instant::now();
    while midnight.past() < Duration::from_secs(2) {
        assert!(begun.elapsed() < Duration::from_secs(60));
        let request = nas.login(1, "alice@acme.example", PASSWORD);
        nas.send(auth(Family::V4), &request);
        let answer = nas.answer(&request, Duration::from_secs(2));
        let answer = answer.unwrap_or_else(|| panic!("a login was lost {:?} after midnight", midnight.past()));
        assert_eq!(answer.code().0, 2, "{:?} before, {:?} after midnight", midnight.left(), midnight.past());
        match answer.values(27).is_empty() {
            true => {
                assert_eq!(hosted, 0, "once it has moved it stays");
                assert!(midnight.past() < SOON, "{:?} after midnight", midnight.past());
                forwarded += 1;
            }
            false => {
                assert!(midnight.left().is_zero(), "{:?} before midnight", midnight.left());
                hosted += 1;
            }
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(forwarded > 10 && hosted > 10, "{forwarded} {hosted}");
    assert_eq!(home.seen().len(), forwarded);
    assert!(!sekisho.log().contains("panicked"));
}

#[test]
fn a_contract_ends_at_midnight_while_the_database_does_not_answer() {
    let database = PostgreSql::start();
    let (town, mut office) = (Town::new(), Office::with(&database.database("registry")));
    office.write_key("0123456789abcdef");
    let desk = town.desk(&office);
    town.serve_sakura(&office, &desk);
    desk.cancel(&office, SAKURA_GROUP, &[SAKURA_NAS]);
    let midnight = office.ends_in(AHEAD + 4);
    let sekisho = Sekisho::start(&town.network, &town.node(&office));
    let nas = town.sakura_nas();
    assert_eq!(login(&nas, ALICE), 2);
    // Nobody is told, so that whoever asks it waits until it is given up.
    database.freeze();
    assert!(midnight.left() > BEFORE, "this machine was too slow for the test");
    std::thread::sleep(midnight.left() - BEFORE);
    assert_eq!(login(&nas, ALICE), 2);
    midnight.wait();
    std::thread::sleep(SOON);
    assert_eq!(try_login(&nas, ALICE), None, "its last day is over: {}", sekisho.log());
    assert_eq!(sekisho.metrics().dropped("kernel", "unregistered"), 1);
}

/// Sakura's contracts are served, and end at the next midnight.
fn sakura_ends(town: &Town, office: &mut Office) -> Midnight {
    let desk = town.desk(office);
    town.serve_sakura(office, &desk);
    desk.cancel(office, SAKURA_GROUP, &[SAKURA_NAS]);
    office.ends_in(AHEAD)
}

#[test]
fn a_midnight_does_not_wait_for_a_node_whose_own_document_is_being_changed() {
    let (town, mut office) = (Town::new(), Office::new());
    let midnight = sakura_ends(&town, &mut office);
    let documents = town.node(&office);
    let sekisho = Sekisho::start(&town.network, &documents);
    let nas = town.sakura_nas();
    assert_eq!(login(&nas, ALICE), 2);
    // Somebody is in the middle of a change of the node's own document.
    let path = documents.write();
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{text}\nno such line\n")).unwrap();
    midnight.wait();
    std::thread::sleep(SOON);
    assert_eq!(try_login(&nas, ALICE), None, "its last day is over: {}", sekisho.log());
    let reload = sekisho.command(&["reload"]);
    assert!(!reload.status.success() && reload.output.contains("sekisho.toml:"), "{}", reload.output);
}

#[test]
fn what_a_missing_file_stands_against_is_tried_again_and_not_without_end_at_once() {
    let (town, mut office) = (Town::new(), Office::new());
    let midnight = sakura_ends(&town, &mut office);
    let documents = town.node(&office);
    let sekisho = Sekisho::start(&town.network, &documents);
    let node = documents.write();
    let dictionaries = node.with_file_name("own-dictionaries");
    std::fs::create_dir(&dictionaries).unwrap();
    let text = std::fs::read_to_string(&node).unwrap();
    let named = text.replacen("[node]\n", "[node]\ndictionaries = \"own-dictionaries\"\n", 1);
    std::fs::write(&node, &named).unwrap();
    assert!(sekisho.command(&["reload"]).status.success(), "{}", sekisho.log());
    let nas = town.sakura_nas();
    assert_eq!(login(&nas, ALICE), 2);
    std::fs::remove_dir(&dictionaries).unwrap();
    midnight.wait();
    std::thread::sleep(Duration::from_secs(3));
    let refused = sekisho.metrics().sum("sekisho_config_reloads_total", &[("result", "refused")]);
    assert!((1..=5).contains(&refused), "{refused} tries in three seconds: {}", sekisho.log());
    std::fs::create_dir(&dictionaries).unwrap();
    let gone = within(Duration::from_secs(15), || try_login(&nas, ALICE).is_none().then_some(()));
    assert!(gone.is_some(), "its last day is over, and it is served: {}", sekisho.log());
}
