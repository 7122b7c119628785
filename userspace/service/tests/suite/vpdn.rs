//! `vpdn` contracts and LNSs, compiled.

use std::{sync::Arc, time::Duration};

use crate::common::{client, documents, first, owner, reload};
use sekisho_abi::{Roles, address_bytes, numbers};
use sekisho_engine::snapshot::{
    AccessType, Accountant, ClientRole, LnsPlan, NameLookup, RealmPlace, RoutingSnapshot, SessionName, Verify, Vpdn,
};
use sekisho_lns::{
    balance::{AllDown, Strategy},
    health::Wanted,
};
use sekisho_service::Compiled;
use sekisho_wire::{
    attr,
    policy::Rule,
    select::AttributeId,
    tunnel::{Medium, TunnelForm},
};

const NODE: &str = r#"
[[domain]]
name = "closed"
[[domain.ingress]]
interface = "eth0"
[[listener]]
address = "198.51.100.1"
auth = 1812
accounting = 1813
[[access_network]]
name = "carrier"
type = "D"
addresses = ["203.0.113.0/24"]
secret = "secret of the carrier"
"#;

const ACME: &str = r#"
[customer]
name = "acme"
max_vpdn_sessions = 4000
[[realm]]
suffix = "acme.example"
[[realm]]
apn = "0312345678"
[[lns]]
name = "one"
address = "192.0.2.1"
weight = 3
max_sessions = 100
tunnel_password = "tunnel password 1"
client_auth_id = "carrier"
[[lns]]
name = "two"
address = "2001:db8::2"
state = "draining"
probe = "l2tp"
probe_from = "2001:db8::1"
[[lns]]
name = "three"
address = "LNS.acme.example"
[[vpdn]]
contract = "acme-d"
type = "D"
lns = ["one", "two"]
max_sessions = 50
full_message = "busy"
interim_interval = "5m"
[vpdn.reply]
"Session-Timeout" = 3600
[vpdn.load_balancing]
strategy = "hash"
sticky = "1h"
all_down = "reject"
overflow = ["three"]
"#;

fn compiled(node: &str, customer: &str) -> Compiled {
    first(&documents(&format!("{NODE}{node}"), &[("acme", customer)])).unwrap()
}

fn contract<'s>(snapshot: &'s RoutingSnapshot, name: &str) -> &'s Arc<Vpdn> {
    snapshot.vpdn.iter().flatten().find(|contract| contract.contract == name).unwrap()
}

fn lns<'s>(snapshot: &'s RoutingSnapshot, name: &str) -> &'s Arc<LnsPlan> {
    snapshot.lnss.iter().flatten().find(|plan| plan.lns.name == name).unwrap()
}

#[test]
fn a_contract_serves_its_customers_realms_for_networks_of_its_type_and_no_other() {
    let snapshot = compiled("", ACME).snapshot;
    let id = contract(&snapshot, "acme-d").id;
    for realm in snapshot.realms.iter().flatten() {
        assert_eq!(realm.vpdn[AccessType::D.index()], Some(id), "{}", realm.name);
        assert_eq!((realm.vpdn[AccessType::K.index()], realm.vpdn[AccessType::I.index()]), (None, None));
        assert_eq!(realm.service, None, "nothing for terminals");
    }
    let realm = |name: &[u8]| snapshot.access_realms.apns.get(name).copied();
    assert!(realm(b"81312345678").is_some() && realm(b"81312345678") == realm(b"0312345678"), "one number");
}

#[test]
fn its_keys_are_the_engines() {
    let snapshot = compiled("", ACME).snapshot;
    let contract = contract(&snapshot, "acme-d");
    assert_eq!((contract.kind, contract.accounting), (AccessType::D, Accountant::Lac));
    assert_eq!(contract.interim_interval, Some(Duration::from_secs(300)));
    assert_eq!(contract.full_message.as_deref(), Some("busy"));
    assert_eq!(contract.reply[..], [attr::SESSION_TIMEOUT, 6, 0, 0, 14, 16]);
    assert!(matches!(contract.verify, Verify::Realm));
    let balance = &contract.balance;
    assert_eq!((balance.max_sessions, balance.customer_max, balance.alternatives), (50, 4000, 8));
    assert_eq!((balance.sticky, balance.all_down), (Some(Duration::from_secs(3600)), AllDown::Reject));
    assert_eq!(balance.slow_start, Duration::from_secs(60));
    let names = |tier: &sekisho_lns::balance::Tier| -> Vec<String> {
        tier.members().iter().map(|lns| lns.name.clone()).collect()
    };
    assert_eq!(names(&balance.tiers[0]), ["one", "two"]);
    assert_eq!(names(balance.overflow.as_ref().unwrap()), ["three"]);
    assert_eq!(balance.tiers[0].strategy(), Strategy::Hash);
    let key = [AttributeId::Plain(attr::CALLING_STATION_ID), AttributeId::Vendor(10415, 1)];
    assert_eq!(contract.key, key);
}

#[test]
fn an_lns_is_what_its_customer_says_and_what_an_accept_says_of_it() {
    let snapshot = compiled("", ACME).snapshot;
    let one = lns(&snapshot, "one");
    assert_eq!((one.lns.weight, one.lns.max_sessions, one.wanted), (3, 100, Wanted::Up));
    assert!(one.probe.is_none());
    let two = lns(&snapshot, "two");
    assert_eq!(two.wanted, Wanted::Draining);
    let target = two.probe.as_ref().unwrap();
    assert_eq!((target.lns, target.address.to_string().as_str()), (two.lns.id, "2001:db8::2"));
    assert!(target.secret.is_none(), "a shallow probe proves nothing and asks for no proof");
    let contract = contract(&snapshot, "acme-d");
    let set = contract.tunnel(one.lns.id).unwrap();
    assert_eq!((set.medium, &*set.server_endpoint, &*set.assignment_id), (Medium::Ipv4, "192.0.2.1", "acme-one"));
    assert!(set.password.is_some() && set.client_auth_id.as_deref() == Some("carrier"));
    assert_eq!(contract.tunnel(two.lns.id).unwrap().medium, Medium::Ipv6);
    let acme = owner(&snapshot, "acme").id;
    let endpoint = |name: &str| snapshot.lns_by_endpoint.get(&(acme, name.as_bytes().into())).copied();
    assert_eq!(endpoint("2001:db8::2"), Some(two.lns.id));
    assert_eq!(endpoint("lns.acme.example"), Some(lns(&snapshot, "three").lns.id));
}

#[test]
fn what_keeps_its_name_keeps_its_number_its_load_and_its_counters_over_reloads() {
    let before = compiled("", ACME);
    let (state, stats) = {
        let snapshot = &before.snapshot;
        (Arc::clone(&lns(snapshot, "two").lns.state), Arc::clone(&contract(snapshot, "acme-d").stats))
    };
    let without_one = ACME.replace("lns = [\"one\", \"two\"]", "lns = [\"two\"]");
    let after = reload(&before, &documents(NODE, &[("acme", &without_one)])).unwrap();
    let (old, new) = (&before.snapshot, &after.snapshot);
    assert_eq!(lns(old, "two").lns.id, lns(new, "two").lns.id);
    assert_eq!(contract(old, "acme-d").id, contract(new, "acme-d").id);
    assert!(Arc::ptr_eq(&contract(new, "acme-d").stats, &stats));
    assert!(Arc::ptr_eq(&lns(new, "two").lns.state, &state));
    assert_eq!(contract(new, "acme-d").balance.tiers[0].members().len(), 1);
}

#[test]
fn a_customer_with_nothing_but_a_vpdn_contract_is_served() {
    let snapshot = compiled("", ACME).snapshot;
    assert!(snapshot.clients.iter().flatten().all(|client| client.contract == "carrier"));
    assert_eq!(snapshot.vpdn.iter().flatten().count(), 1);
}

#[test]
fn with_verify_proxy_only_what_is_harmless_goes_on_and_addresses_where_networks_are_named() {
    let text = |more: &str| {
        let proxy = "[[proxy]]\ncontract = \"acme-proxy\"\n[[proxy.server]]\nname = \"home\"\naddress = \"192.0.2.200\"\n\
                     secret = \"secret of the home server\"\n";
        format!("{}{proxy}", ACME.replace("full_message", &format!("verify = \"proxy\"\n{more}full_message")))
    };
    let allowed = |text: &str| -> Vec<AttributeId> {
        let snapshot = compiled("", text).snapshot;
        let Verify::Proxy { allowed, .. } = &contract(&snapshot, "acme-d").verify else { panic!("not by proxy") };
        let [
            Rule::Remove(AttributeId::Plain(attr::USER_NAME), None),
            Rule::Remove(AttributeId::Vendor(9, 1), Some(prefix)),
            Rule::Allow(ids),
        ] = allowed.rules()
        else {
            panic!("{:?}", allowed.rules())
        };
        assert_eq!(**prefix, b"vpdn:"[..]);
        ids.clone()
    };
    let plain = |number| AttributeId::Plain(number);
    let bare = allowed(&text(""));
    assert!(bare.contains(&plain(attr::CLASS)) && !bare.contains(&plain(attr::FRAMED_IP_ADDRESS)), "{bare:?}");
    for number in [attr::FRAMED_ROUTE, attr::FRAMED_POOL, attr::FILTER_ID, 64, 67, 69, 81, 82, 83, 90, 91] {
        assert!(!bare.contains(&plain(number)), "{number}");
    }
    let more = allowed(&text("framed_networks = [\"10.0.0.0/8\"]\nallow_reply = [\"Filter-Id\", \"Cisco-AVPair\"]\n"));
    for id in [plain(attr::FRAMED_IP_ADDRESS), plain(attr::FILTER_ID), AttributeId::Vendor(9, 1)] {
        assert!(more.contains(&id), "{id:?}");
    }
    for number in [attr::FRAMED_IP_NETMASK, attr::FRAMED_IPV6_PREFIX, attr::DELEGATED_IPV6_PREFIX] {
        assert!(
            !more.contains(&plain(number)),
            "{number}: no IPv6 network is named, and a netmask is nobody's to give"
        );
    }
}

#[test]
fn an_lns_that_accounts_is_a_source_of_its_customers() {
    let text = ACME.replace("weight = 3", "weight = 3\nsecret = \"secret of LNS one\"");
    let text = text.replace("contract = \"acme-d\"", "contract = \"acme-d\"\naccounting = \"lns\"");
    let text = text.replace("probe = \"l2tp\"\nprobe_from = \"2001:db8::1\"", "secret = \"secret of LNS two\"");
    let text =
        text.replace("address = \"LNS.acme.example\"", "address = \"192.0.2.3\"\nsecret = \"secret of LNS three\"");
    let snapshot = compiled("", &text).snapshot;
    let one = client(&snapshot, "lns:one");
    assert_eq!(one.role, ClientRole::Lns(lns(&snapshot, "one").lns.id));
    assert_eq!(one.customer, owner(&snapshot, "acme").id);
    let address = address_bytes("192.0.2.1".parse().unwrap());
    let source = *snapshot.gate.source(numbers::domain("closed"), address).unwrap();
    assert_eq!((source.roles, source.id), (Roles::CLIENT, one.id.0));
    assert_eq!(contract(&snapshot, "acme-d").accounting, Accountant::Lns);
}

#[test]
fn an_access_networks_ways_are_the_engines() {
    let keys = r#"
realms_by = ["apn", "prefix"]
lookup = "dnis"
default_realm = "acme.example"
default_realms = { "apn.one" = "acme.example" }
outer_suffix = "carrier.example"
probe_users = ["alive?"]
probe_answer = "accept"
tunnel_sets = "untagged"
service_type = "outbound"
framed_protocol = "ppp"
session_key = "3gpp-charging-id"
unclaimed_accounting = "silence"
"#;
    let snapshot = compiled(keys, ACME).snapshot;
    let carrier = client(&snapshot, "carrier");
    let access = carrier.access.as_ref().unwrap();
    assert_eq!(access.places[..], [RealmPlace::Apn, RealmPlace::Prefix]);
    assert_eq!((access.lookup, access.form, access.max_alternatives), (NameLookup::Dnis, TunnelForm::Untagged, 1));
    assert_eq!((access.service_type, access.framed_protocol), (Some(5), Some(1)));
    assert_eq!((access.session_name, access.multi_bearer), (SessionName::ChargingId, true));
    assert!(!access.records_unclaimed && access.keepalive_accepts);
    assert_eq!(access.keepalive_users, [b"alive?"[..].into()]);
    let realm = carrier.default_realm.and_then(|id| snapshot.realm(id)).unwrap();
    assert_eq!(realm.name, "acme.example");
    assert_eq!(access.default_realms.get(&b"apn.one"[..]), carrier.default_realm.as_ref());
    assert_eq!(carrier.outer_suffix.as_deref(), Some(&b"carrier.example"[..]));
}
