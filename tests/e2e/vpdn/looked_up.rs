//! How an access network's request says which realm it is for.

use sekisho_tests::documents::Customer;
use sekisho_tests::lac::{Device, Login};
use sekisho_tests::sekisho::Sekisho;
use sekisho_tests::vpdn::{Lns, Vpdn};

use super::land::{Land, NOT_ROUTABLE, at, is_refused};

/// Two customers: `acme` with realms of every kind, whose tunnels end at the first LNS, and `other`, at the second.
fn customers() -> [Customer; 2] {
    let acme = Customer::new("acme")
        .realm("prefix = \"acme\"")
        .realm("apn = \"acme.apn.example\"")
        .realm("apn = \"0312345678\"")
        .lnss(&[Lns::new("tokyo", &at(1), "")])
        .vpdn(&Vpdn::new("acme-d", "D", &["tokyo"]));
    let other =
        Customer::new("other").lnss(&[Lns::new("osaka", &at(2), "")]).vpdn(&Vpdn::new("other-d", "D", &["osaka"]));
    [acme, other]
}

/// Logs in by these names and APNs at an access network with these keys; gives where each was sent, 0 for nowhere.
fn asked(keys: &str, names: &[(&str, Option<&str>)]) -> Vec<usize> {
    let land = Land::new();
    let [acme, other] = customers();
    let _sekisho = Sekisho::start(&land.network, &land.documents_with(keys, acme).customer(other));
    let device = |(user, apn): &(&str, Option<&str>)| Device {
        number: "09012345678".to_owned(),
        user: (*user).to_owned(),
        apn: apn.map(str::to_owned),
    };
    let devices: Vec<Device> = names.iter().map(device).collect();
    let place = |login: &Login| {
        if login.is_accepted() {
            return (1..=2).find(|n| at(*n) == login.endpoint()).expect("one of the two");
        }
        is_refused(login, NOT_ROUTABLE);
        0
    };
    land.lac().logins(&devices).iter().map(place).collect()
}

#[test]
fn by_suffix_prefix_or_apn_in_the_order_that_the_network_is_given() {
    let names = [
        ("alice@acme.example", None),
        ("acme/alice", None),
        ("alice", Some("acme.apn.example")),
        ("acme/alice@other.example", None),
        ("alice@other.example", Some("ACME.apn.example.")),
        ("alice@nowhere.example", Some("acme.apn.example")),
    ];
    assert_eq!(asked("", &names), [1, 0, 0, 2, 2, 0], "the suffix alone, where nothing else is said");
    assert_eq!(asked("realms_by = [\"prefix\", \"suffix\", \"apn\"]", &names), [1, 1, 1, 1, 2, 1]);
    assert_eq!(asked("realms_by = [\"apn\", \"suffix\"]", &names), [1, 0, 1, 2, 1, 1]);
}

#[test]
fn what_names_no_realm_is_of_the_default_for_its_apn_and_then_of_the_networks() {
    let keys = "default_realms = { \"internet.example\" = \"other.example\" }\ndefault_realm = \"acme.example\"";
    let names = [
        ("alice", None),
        ("alice", Some("internet.example")),
        ("alice", Some("Internet.Example")),
        ("alice", Some("else.example")),
        ("alice@other.example", None),
        ("alice@nowhere.example", None),
    ];
    assert_eq!(asked(keys, &names), [1, 2, 2, 1, 2, 0], "a realm that nobody has is no missing one");
}

#[test]
fn a_carriers_own_suffix_is_taken_off_first() {
    let names =
        [("alice@acme.example@carrier.example", None), ("alice@other.example", None), ("alice@carrier.example", None)];
    assert_eq!(asked("outer_suffix = \"carrier.example\"", &names), [1, 2, 0]);
}

#[test]
fn a_bare_domain_is_a_realm_where_the_network_asks_so() {
    let names =
        [("acme.example", None), ("other.example", None), ("alice@acme.example", None), ("nowhere.example", None)];
    assert_eq!(asked("lookup = \"domain\"", &names), [1, 2, 1, 0]);
}

#[test]
fn a_called_number_is_one_number_however_it_is_written() {
    let names = [
        ("dnis:0312345678", None),
        ("dnis:+81312345678", None),
        ("alice@other.example", Some("81312345678")),
        ("alice@other.example", Some("0398765432")),
        ("dnis:0398765432", None),
    ];
    assert_eq!(asked("lookup = \"dnis\"", &names), [1, 1, 1, 2, 0]);
}
