//! No customer learns of another, and none takes what is another's.

use sekisho_tests::documents::home_secret;
use sekisho_tests::documents::{Customer, Server, client_secret};
use sekisho_tests::home::ScriptedHome;
use sekisho_tests::registry::{Desk, Office, group};
use sekisho_tests::sekisho::Sekisho;

use super::scene::{ALICE, SAKURA_GROUP, SAKURA_NAS, Town, login};

/// How one and the same realm can be written.
const BOOKS: [&str; 5] =
    ["bücher.example", "bu\u{308}cher.example", "BÜCHER.example", "xn--bcher-kva.example", "bücher.example."];

/// sakura with a realm beyond ASCII as well.
fn serve(town: &Town, office: &Office, desk: &Desk<'_>) {
    let sakura = town.sakura_document().realm(&format!("suffix = \"{}\"", BOOKS[0]));
    let sakura = office.document(&sakura, &group(SAKURA_GROUP, "sakura.example", ""));
    desk.serve(office, &[office.document(&town.acme_document(), ""), sakura], &["acme", "sakura"]);
    super::scene::import(office, desk, SAKURA_GROUP, &["alice"]);
}

#[test]
fn what_is_shown_of_one_customer_shows_nothing_of_another() {
    let (town, office) = (Town::new(), Office::new());
    let desk = town.desk(&office);
    serve(&town, &office, &desk);
    let (since, until) = (format!("{}T00:00:00Z", office.day(-9)), format!("{}T00:00:00Z", office.day(-5)));
    // One incident that both suffered.
    let affects = ["--contract", "acme-proxy-1", "--contract", SAKURA_GROUP];
    desk.done(&[&["incident", "open", "storm-1", "--known", &since], &affects[..]].concat());
    desk.done(&["incident", "close", "storm-1", "--ended", &until, "--fault", "operator"]);
    let month = &office.day(-9)[..7];
    let acme = [
        &["get", "customers", "--customer", "acme"][..],
        &["get", "contracts", "--customer", "acme"],
        &["get", "history", "--customer", "acme"],
        &["get", "history", "--contract", "acme-nas"],
        &["get", "incidents", "--customer", "acme"],
        &["statement", "acme", "--month", month],
        &["statement", "acme", "--month", month, "--format", "json"],
        &["statement", "acme", "--month", month, "--format", "csv"],
        &["export", "acme", "--secrets"],
        &["export", "acme"],
    ];
    for words in acme {
        let shown = desk.done(words);
        assert!(shown.contains("acme"), "{words:?}: {shown}");
        for other in ["sakura", "alice", "xn--bcher", "bücher"] {
            assert!(!shown.contains(other), "{words:?} shows {other}:\n{shown}");
        }
    }
    for words in [&["get", "customers"][..], &["get", "contracts"], &["get", "incidents"]] {
        let shown = desk.shown(&[words, &["--customer", "acme"]].concat()).to_string();
        assert!(shown.contains("acme") && !shown.contains("sakura"), "{words:?}: {shown}");
    }
    let shown = desk.done(&["export", "sakura"]);
    assert!(!shown.contains("secret-of-"), "no secret without being asked for: {shown}");
}

#[test]
fn a_document_that_takes_what_is_anothers_is_refused() {
    let (town, office) = (Town::new(), Office::new());
    let desk = town.desk(&office);
    serve(&town, &office, &desk);
    let _home = ScriptedHome::willing(&town.home, &home_secret("home1"));
    let _sekisho = Sekisho::start(&town.network, &town.node(&office));
    let free = "198.18.0.1".parse().unwrap();
    let server = || [Server::new("rogue-home", "198.18.0.2".parse().unwrap(), "")];
    let rogue = || Customer::new("rogue");
    let with = |customer: Customer| customer.client("rogue-nas", free, "").proxy(&server());
    let realm = |name: &str| with(rogue().realm(&format!("suffix = \"{name}\"")));
    let mut documents: Vec<(String, Customer)> = ["sakura.example", "Sakura.EXAMPLE", "sakura.example."]
        .iter()
        .chain(&BOOKS)
        .map(|name| ((*name).to_owned(), realm(name)))
        .collect();
    for selector in ["prefix", "apn", "nt_domain"] {
        documents.push((selector.to_owned(), with(rogue().realm(&format!("{selector} = \"sakura.example\"")))));
    }
    let client = |contract: &str, address, secret: &str| {
        rogue().client_with_secret(contract, address, secret, "").proxy(&server())
    };
    documents.extend([
        ("its address".to_owned(), client("rogue-nas", town.sakura.v4, "a-secret-of-the-rogue-alone")),
        ("its contract's name".to_owned(), client(SAKURA_NAS, free, "a-secret-of-the-rogue-alone")),
        ("its secret".to_owned(), client("rogue-nas", free, &client_secret(SAKURA_NAS))),
        ("its server's secret".to_owned(), client("rogue-nas", free, &home_secret("home1"))),
        (
            "its server".to_owned(),
            rogue().client("rogue-nas", free, "").proxy(&[Server::new("rogue-home", town.home.v4, "")]),
        ),
        (
            "an address of ours".to_owned(),
            rogue().client("rogue-nas", free, "").proxy(&[Server::new(
                "rogue-home",
                "10.99.255.1".parse().unwrap(),
                "",
            )]),
        ),
    ]);
    let before = desk.history();
    for (what, customer) in documents {
        let file = office.document(&customer, "");
        let told = desk.refused(&["apply", "-f", &file]);
        assert!(told.contains("rogue.toml:"), "{what}: by its line: {told}");
        for secret in [client_secret(SAKURA_NAS), home_secret("home1"), "a-secret-of-the-rogue".to_owned()] {
            assert!(!told.contains(&secret), "{what}: a secret is told: {told}");
        }
        assert_eq!(desk.history(), before, "{what}");
    }
    let (acme, sakura) = (town.acme_nas(), town.sakura_nas());
    assert_eq!((login(&sakura, ALICE), login(&acme, "carol@acme.example")), (2, 2));
    // Through another's terminal there is no way in either.
    assert_eq!((login(&acme, ALICE), login(&sakura, "carol@acme.example")), (3, 3));
}
