//! `Customer::only`: what is left of a customer when some of its contracts are not served.

use crate::common::{ACME, BALANCED, HOSTED, TUNNEL, held_taken, tunnel_taken, with};
use sekisho_config::{Customer, Strategy, Unserviceable};

/// Terminal, accounts and home server of the same realm, and a `vpdn` contract with these keys.
fn everything(keys: &str) -> Customer {
    let proxy = ACME.split_once("[[proxy]]").unwrap().1;
    let tunnel = TUNNEL.split_once("[[lns]]").unwrap().1;
    held_taken(&format!("{HOSTED}[[proxy]]{proxy}[[lns]]{tunnel}{keys}\n"))
}

/// The customer without the contracts named.
fn without(customer: &Customer, ended: &[&str]) -> Customer {
    customer.only(&|contract| !ended.contains(&contract), &|_| None).unwrap()
}

fn contracts(customer: &Customer) -> Vec<String> {
    customer.terms().contracts.into_iter().map(|it| it.contract).collect()
}

#[test]
fn what_is_served_stays_as_it_is() {
    let customer = held_taken(ACME);
    assert_eq!(without(&customer, &[]), customer);
    assert_eq!(without(&customer, &["unknown"]), customer);
}

#[test]
fn a_contract_that_has_ended_is_gone_and_its_realm_is_still_the_customers() {
    let customer = held_taken(ACME);
    let only = without(&customer, &["acme-proxy"]);
    assert_eq!((contracts(&only), &only.realms), (vec!["acme-nas".to_owned()], &customer.realms));
    assert_eq!(only.serviceable(), Err(Unserviceable::NoService));
    assert_eq!(without(&customer, &["acme-nas"]).serviceable(), Err(Unserviceable::NoClient));
    let tunnel = tunnel_taken(TUNNEL);
    let only = without(&tunnel, &["acme-vpdn"]);
    assert_eq!((only.vpdn.len(), &only.lnss), (0, &tunnel.lnss));
}

#[test]
fn a_realm_is_answered_for_by_one_contract_at_a_time() {
    let customer = everything("");
    let said = customer.only(&|_| true, &|_| None).unwrap_err().to_string();
    let says = "customer \"acme\": contracts \"acme-proxy\" and \"acme-group\" would both answer for \"acme.example\" (service \
                regulation, Art. 6). Let one end before the other begins, or take the realm out of `realms` of one of them.";
    assert_eq!(said, says);
    assert_eq!(contracts(&without(&customer, &["acme-proxy"])), ["acme-nas", "acme-group", "acme-vpdn"]);
    assert_eq!(contracts(&without(&customer, &["acme-group"])), ["acme-nas", "acme-proxy", "acme-vpdn"]);
}

#[test]
fn what_verifies_for_vpdn_is_served_too_or_the_realm_is_not() {
    for (verify, by, other) in [("proxy", "acme-proxy", "acme-group"), ("group", "acme-group", "acme-proxy")] {
        let customer = everything(&format!("verify = \"{verify}\""));
        let served = without(&customer, &[other]);
        assert_eq!(served.vpdn, customer.vpdn, "{verify}");
        let unverified = without(&customer, &[by]);
        assert!(unverified.vpdn.is_empty(), "{verify}: nobody could say who may in");
    }
    let text = with(
        ACME,
        "[[proxy]]\n",
        "[[realm]]\nprefix = \"acme\"\n[[proxy]]\ncontract = \"b\"\nrealms = [\"acme\"]\n[[proxy.server]]\nname = \"b\"\n\
         address = \"192.0.2.101\"\nsecret = \"secret of acme's other server\"\n[[proxy]]\nrealms = [\"acme.example\"]\n",
    );
    let tunnel = TUNNEL.split_once("[[lns]]").unwrap().1;
    let customer = held_taken(&format!("{text}[[lns]]{tunnel}verify = \"proxy\"\n"));
    assert_eq!(customer.vpdn[0].realms.len(), 2);
    let realms: Vec<String> = without(&customer, &["b"]).vpdn[0].realms.iter().map(ToString::to_string).collect();
    assert_eq!(realms, ["acme.example"]);
}

#[test]
fn of_an_option_that_has_ended_one_lns_remains() {
    let customer = tunnel_taken(BALANCED);
    let survivor = |lns: &'static str| {
        customer.only(&|_| true, &move |contract| (contract == "acme-vpdn").then(|| lns.to_owned()))
    };
    let only = survivor("nagoya").unwrap();
    let [contract] = only.vpdn.as_slice() else { unreachable!() };
    assert_eq!((contract.balancing.as_ref(), contract.tiers.len()), (None, 1));
    assert_eq!(
        (contract.tiers[0].strategy, contract.tiers[0].lns.as_slice()),
        (Strategy::RoundRobin, &["nagoya".to_owned()][..])
    );
    assert_eq!(only.lnss, customer.lnss, "sessions go on where they are");
    let said = survivor("kyoto").unwrap_err().to_string();
    let says = "customer \"acme\": \"kyoto\" is no LNS of contract \"acme-vpdn\", and nothing else remains of its load-balancing \
                option (負荷分散, Art. 8.2). Name it as `lns` of the [[vpdn]], or cancel the contract as well.";
    assert_eq!(said, says);
}
