//! Customer documents: what is taken, what is the default, what is refused.

use std::time::Duration;

use crate::common::{ACME, NODE, customer_refused, customer_taken, documents, other, taken, with};
use sekisho_config::{PoolType, Ports, Require, Unserviceable};

#[test]
fn what_is_left_out_has_its_default() {
    let acme = taken(&documents(NODE, &[("acme", ACME)])).1.remove(0);
    let client = &acme.clients[0];
    assert_eq!(client.domain, "default");
    assert_eq!(client.ingresses, ["eth0", "eth1"]);
    assert_eq!((client.require_message_authenticator, client.limit_proxy_state), (Require::Auto, true));
    assert_eq!((client.reject_delay, client.answer_within), (Duration::from_secs(1), Duration::from_secs(10)));
    let proxy = &acme.proxies[0];
    assert_eq!((proxy.tiers[0].pool, proxy.realms.as_slice()), (PoolType::FailOver, acme.realms.as_slice()));
    let server = &proxy.tiers[0].servers[0];
    assert_eq!(server.ports, Ports::Both { auth: 1812, accounting: 1813 });
    assert_eq!((server.domain.as_str(), server.ingresses.len()), ("default", 2));
    assert_eq!(server.response_window, Duration::from_secs(3));
    assert_eq!(server.zombie_period, Duration::from_secs(20));
    assert_eq!(server.revive_interval, Duration::from_secs(60));
    assert_eq!((server.max_outstanding, server.require_message_authenticator), (65_536, Require::Auto));
}

#[test]
fn every_key_of_a_contract_is_taken() {
    let client = "address = \"192.0.2.1\"\ningress = [\"eth1\"]\nrequire_message_authenticator = \"yes\"\n\
                  limit_proxy_state = false\nreject_delay = \"0s\"\nanswer_within = \"1m\"";
    let acme = customer_taken("address = \"192.0.2.1\"", client);
    let client = &acme.clients[0];
    assert_eq!((client.require_message_authenticator, client.limit_proxy_state), (Require::Yes, false));
    assert_eq!((client.reject_delay, client.answer_within), (Duration::ZERO, Duration::from_secs(60)));
    assert_eq!(client.ingresses, ["eth1"]);
    let server = "address = \"2001:db8::100\"\naccounting = 1646\nrequire_message_authenticator = \"yes\"\n\
                  response_window = \"100ms\"\nzombie_period = \"1s\"\nrevive_interval = \"1h\"\nmax_outstanding = 256";
    let acme = customer_taken("address = \"192.0.2.100\"", server);
    let server = &acme.proxies[0].tiers[0].servers[0];
    assert_eq!(server.ports, Ports::Accounting(1646), "one port given is the only one");
    assert_eq!(
        (server.response_window, server.revive_interval),
        (Duration::from_millis(100), Duration::from_secs(3600))
    );
    assert_eq!(
        customer_taken("contract = \"acme-proxy\"", "contract = \"p\"\ntype = \"client-balance\"").proxies[0].tiers[0]
            .pool,
        PoolType::ClientBalance
    );
    assert_eq!(
        customer_taken("name = \"acme\"", "name = \"acme\"\ntitle = \"ACME 株式会社\"").title.as_deref(),
        Some("ACME 株式会社")
    );
}

#[test]
fn a_terminal_has_one_address_that_is_a_hosts() {
    for (to, says) in [
        ("192.0.2.0/24", "is a network; a client contract is one terminal with one address"),
        ("192.0.2.1/32", "is a network; a client contract is one terminal"),
        ("0.0.0.0", "the unspecified address"),
        ("255.255.255.255", "the broadcast address"),
        ("ff02::1", "a multicast address"),
        ("::ffff:192.0.2.1", "an IPv4 address in IPv6 form"),
        ("nas.acme.example", "is not an IP address. Give one address"),
        ("", "\"\" is not an IP address"),
    ] {
        customer_refused("\"192.0.2.1\"", &format!("{to:?}"), &["client[0].address: ", says]);
    }
}

#[test]
fn a_server_has_one_address_that_is_a_hosts() {
    for (to, says) in [
        ("home_acme.example", "\"home_acme.example\" is neither an IP address nor a host name"),
        ("192.0.2.256", "is neither an IP address nor a host name"),
        ("-.example", "is neither an IP address nor a host name"),
        ("224.0.0.5", "a multicast address"),
        ("::", "the unspecified address"),
        ("192.0.2.0/25", "is a network. Give one address"),
        ("192.0.2.100:1812", "has a port"),
    ] {
        customer_refused("\"192.0.2.100\"", &format!("{to:?}"), &["proxy[0].server[0].address: ", says]);
    }
    customer_refused("name = \"home\"", "name = \"home\"\nauth = 0", &["server[0].auth: 0 is out of bounds"]);
}

#[test]
fn a_rejects_delay_is_shorter_than_the_terminals_patience() {
    let says =
        "reject_delay: 5s is as long as the terminal waits (5s), so it would never see a Reject. Make it shorter";
    let to = "address = \"192.0.2.1\"\nreject_delay = \"5s\"\nanswer_within = \"5s\"";
    customer_refused("address = \"192.0.2.1\"", to, &[says]);
    customer_refused("address = \"192.0.2.1\"", "address = \"192.0.2.1\"\nreject_delay = \"6s\"", &["from 0s to 5s"]);
}

#[test]
fn a_word_is_one_of_those_known() {
    let to = "address = \"192.0.2.1\"\nrequire_message_authenticator = \"perhaps\"";
    customer_refused(
        "address = \"192.0.2.1\"",
        to,
        &["\"perhaps\" is none of the words known here. Say \"yes\" or \"no\" or \"auto\"."],
    );
}

#[test]
fn names_are_of_few_characters() {
    customer_refused(
        "name = \"acme\"",
        "name = \"ACME\"",
        &["customer.name: \"ACME\" cannot be a customer's name", "`title` takes"],
    );
    customer_refused(
        "contract = \"acme-nas\"",
        "contract = \"acme nas\"",
        &["client[0].contract: \"acme nas\" cannot be a name"],
    );
    customer_refused("name = \"home\"", "name = \"\"", &["server[0].name: \"\" cannot be a name"]);
    customer_refused("[customer]\nname = \"acme\"\n", "", &["customers/acme.toml:1:1: customer: is missing"]);
}

#[test]
fn names_are_unique_where_they_must_tell_things_apart() {
    let refused = |acme: &str, other: &str, says: &str| {
        crate::common::refused(&documents(NODE, &[("acme", acme), ("other", other)]), &["customers/other.toml:", says]);
    };
    refused(
        ACME,
        &with(&other(), "name = \"other\"", "name = \"acme\""),
        "customer.name: \"acme\" is another customer's name, at ",
    );
    refused(
        ACME,
        &with(&other(), "other-nas", "acme-nas"),
        "client[0].contract: \"acme-nas\" is another contract's name, at ",
    );
    refused(
        ACME,
        &with(&other(), "other-proxy", "acme-nas"),
        "proxy[0].contract: \"acme-nas\" is another contract's name, at ",
    );
    let second = format!(
        "{ACME}[[proxy.server]]\nname = \"home\"\naddress = \"192.0.2.101\"\nsecret = \"a secret of sixteen\"\n"
    );
    crate::common::refused(
        &documents(NODE, &[("acme", &second)]),
        &["proxy[0].server[1].name: \"home\" is another server of this"],
    );
}

#[test]
fn a_domain_and_an_ingress_that_are_named_exist() {
    let near = |key: &str| format!("address = \"192.0.2.1\"\n{key}");
    customer_refused(
        "address = \"192.0.2.1\"",
        &near("domain = \"south\""),
        &["client[0].domain: \"south\" is no domain of this node. Say one of: \"default\"."],
    );
    customer_refused(
        "address = \"192.0.2.1\"",
        &near("ingress = [\"eth0\", \"eth7\"]"),
        &["client[0].ingress[1]: \"eth7\" is no ingress of domain \"default\". Say one of: eth0, eth1."],
    );
    customer_refused("address = \"192.0.2.1\"", &near("ingress = []"), &["client[0].ingress: is an empty list"]);
    let two = with(
        NODE,
        "[[domain]]\n",
        "[[domain]]\nname = \"south\"\n[[domain.ingress]]\ninterface = \"eth2\"\n[[domain]]\n",
    );
    let faults = documents(&two, &[("acme", ACME)]).faults();
    assert_eq!(faults.len(), 2, "{faults:?}");
    assert!(
        faults[0].contains("client[0].domain: is missing. This node has several; say one of: \"south\", \"default\"."),
        "{faults:?}"
    );
}

#[test]
fn a_proxy_contract_has_a_server() {
    let text = ACME.split_once("[[proxy.server]]").unwrap().0;
    crate::common::refused(&documents(NODE, &[("acme", text)]), &["proxy[0].server: is missing. Add [[proxy.server]]"]);
}

#[test]
fn a_customer_that_cannot_be_served_is_a_warning_that_names_the_article() {
    let (head, proxy) = ACME.split_once("[[proxy]]").unwrap();
    let client_only = documents(NODE, &[("acme", head)]);
    assert_eq!(
        client_only.warnings(),
        [
            "customers/acme.toml:2:1: customer: has a `client` contract but no `proxy` or `group` contract, so there is nothing to \
          ask for: nothing of it is served (service regulation, Art. 5.1). It needs at least one [[client]] and at least \
          one [[proxy]] or [[group]], or a [[vpdn]]."
        ]
    );
    assert_eq!(taken(&client_only).1[0].serviceable(), Err(Unserviceable::NoService));
    let proxy_only = format!("{}[[proxy]]{proxy}", head.split_once("[[client]]").unwrap().0);
    let proxy_only = documents(NODE, &[("acme", &proxy_only)]);
    assert!(proxy_only.warnings()[0].contains("nobody may ask for it"));
    assert_eq!(taken(&proxy_only).1[0].serviceable(), Err(Unserviceable::NoClient));
    assert_eq!(taken(&documents(NODE, &[("acme", ACME)])).1[0].serviceable(), Ok(()));
    assert!(documents(NODE, &[("acme", ACME)]).warnings().is_empty());
}

#[test]
fn what_would_not_work_as_meant_is_warned_about() {
    let slow = format!(
        "{}response_window = \"10s\"\n[[proxy.server]]\nname = \"b\"\naddress = \"192.0.2.101\"\nsecret = \"a secret of sixteen\"\n",
        ACME
    );
    let warnings = documents(NODE, &[("acme", &slow)]).warnings();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(
        warnings[0].contains("response_window: 10s is as long as a client of this customer waits (10s)"),
        "{warnings:?}"
    );
    let one_kind = with(ACME, "name = \"home\"", "name = \"home\"\nauth = 1812");
    let warnings = documents(NODE, &[("acme", &one_kind)]).warnings();
    assert!(
        warnings[0].contains("no server of the contract has a port `accounting`, so accounting gets no answer"),
        "{warnings:?}"
    );
    let open = with(
        ACME,
        "address = \"192.0.2.1\"",
        "address = \"192.0.2.1\"\nrequire_message_authenticator = \"no\"\nlimit_proxy_state = false",
    );
    let warnings = documents(NODE, &[("acme", &open)]).warnings();
    assert!(
        warnings[0].contains("limit_proxy_state: the client is open to forged answers (CVE-2024-3596)"),
        "{warnings:?}"
    );
}
