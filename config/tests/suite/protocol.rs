//! What the whole protocol asks of a customer's document: tiers of servers, names, secrets in rotation, dynamic authorization.

use std::time::Duration;

use crate::common::{ACME, NODE, documents, taken, with};
use sekisho_config::customer::{Host, PoolType, Require, Selector, ServerState, StatusCheck, Strip, Unanswered};

fn acme(more: &str) -> String {
    format!("{ACME}{more}")
}

fn customer_of(text: &str) -> sekisho_config::Customer {
    taken(&documents(NODE, &[("acme", text)])).1.remove(0)
}

fn refused(text: &str, says: &[&str]) {
    let faults = documents(NODE, &[("acme", text)]).faults().join("\n");
    for says in says {
        assert!(faults.contains(says), "{says:?} is not in {faults}");
    }
}

#[test]
fn a_server_has_every_key_of_its_page() {
    let customer = customer_of(&acme(
        "previous_secret = \"the one before it, retired\"\nrequire_message_authenticator = \"yes\"\nresponse_timeouts = 3\n\
         status_check = \"status-server\"\ncheck_interval = \"6s\"\nnum_answers_to_alive = 2\nweight = 5\nstate = \"draining\"\n",
    ));
    let server = customer.proxies[0].servers().next().unwrap();
    let check = StatusCheck { interval: Duration::from_secs(6), timeout: Duration::from_secs(3), answers_to_alive: 2 };
    assert_eq!(server.status_check, Some(check), "the timeout is at most half of the interval");
    assert_eq!((server.response_timeouts, server.weight, server.state), (3, 5, ServerState::Draining));
    assert_eq!(server.require_message_authenticator, Require::Yes);
    assert!(server.previous_secret.is_some());
    let named = customer_of(&with(ACME, "192.0.2.100", "Radius.ACME.example."));
    assert_eq!(named.proxies[0].servers().next().unwrap().address, Host::Name("radius.acme.example".into()));
    let lazy = acme("status_check = \"status-server\"\ncheck_interval = \"2s\"\ncheck_timeout = \"2s\"\n");
    refused(&lazy, &["check_timeout: 2s is as long as it takes to the next probe (2s)"]);
}

#[test]
fn servers_stand_in_tiers_and_each_has_its_own_choice() {
    let text = with(
        ACME,
        "[[proxy]]",
        "[[proxy]]\nstrip = \"realm\"\nwhen_down = \"silence\"\nframed_networks = [\"10.1.0.0/16\", \"2001:db8::/32\"]\ntype = \"keyed-balance\"\nkey = \"calling-station-id\"",
    ) + "[[proxy.fallback]]\ntype = \"load-balance\"\n[[proxy.fallback.server]]\nname = \"spare\"\naddress = \"192.0.2.101\"\nsecret = \"a secret of sixteen\"\n\
           [[proxy.copy]]\nname = \"billing\"\naddress = \"192.0.2.102\"\nsecret = \"a secret of sixteen\"\n";
    let customer = customer_of(&text);
    let proxy = &customer.proxies[0];
    assert_eq!((proxy.strip, proxy.when_down, proxy.framed_networks.len()), (Strip::Realm, Unanswered::Silence, 2));
    assert!(matches!(proxy.tiers[0].pool, PoolType::KeyedBalance(_)));
    assert_eq!(proxy.tiers[1].pool, PoolType::LoadBalance);
    let names: Vec<&str> = proxy.servers().map(|server| server.name.as_str()).collect();
    assert_eq!(names, ["home", "spare"]);
    assert_eq!((proxy.copies[0].ports.auth(), proxy.copies[0].ports.accounting()), (None, Some(1813)));

    for key in ["User-Password", "CHAP-Password", "Message-Authenticator", "State", "EAP-Message", "Tunnel-Password"] {
        let text = with(ACME, "[[proxy]]", &format!("[[proxy]]\ntype = \"keyed-balance\"\nkey = \"{key}\""));
        refused(
            &text,
            &[&format!("proxy[0].key: {key} is hidden, or is another one in each request. Name what stays")],
        );
    }
    let keyless = with(ACME, "[[proxy]]", "[[proxy]]\ntype = \"keyed-balance\"");
    refused(&keyless, &["proxy[0].key: is missing. Name the attribute"]);
    let idle = with(ACME, "[[proxy]]", "[[proxy]]\nkey = \"User-Name\"");
    refused(&idle, &["proxy[0].key: means nothing here"]);
    let unknown = with(ACME, "[[proxy]]", "[[proxy]]\ntype = \"keyed-balance\"\nkey = \"Caling-Station-Id\"");
    refused(&unknown, &["proxy[0].key: ", "Calling-Station-Id"]);
    let bits = with(ACME, "[[proxy]]", "[[proxy]]\nframed_networks = [\"10.1.2.0/16\"]");
    refused(&bits, &["framed_networks[0]: \"10.1.2.0/16\" has bits set behind its prefix"]);
    let twice = text.replace("192.0.2.101", "192.0.2.100");
    refused(&twice, &["192.0.2.100:1812 is a server of this customer already"]);
}

#[test]
fn sixty_five_servers_are_too_many_for_one_contract() {
    let servers: String = (0..64)
        .map(|n| format!("[[proxy.fallback]]\n[[proxy.fallback.server]]\nname = \"s{n}\"\naddress = \"192.0.3.{n}\"\nsecret = \"a secret of sixteen\"\n"))
        .collect();
    refused(&acme(&servers), &["the contract has 65 servers, and at most 64 are chosen from"]);
}

#[test]
fn a_realm_may_be_a_windows_domain_a_pattern_or_the_default() {
    let customer = customer_of(&acme(
        "[[realm]]\nnt_domain = \"ACME\"\n[[realm]]\npattern = '^(.+\\.)?acme\\.example$'\nname = \"all-of-acme\"\n[[realm]]\ndefault = true\n",
    ));
    let realms: Vec<String> = customer.realms.iter().map(ToString::to_string).collect();
    assert_eq!(realms, ["acme.example", "nt:acme", "pattern:all-of-acme", "default:default"]);
    assert_eq!(customer.realms[2].selector, Selector::Pattern);
    assert!(customer.realms[2].pattern.as_ref().unwrap().0.is_match(b"a.b.acme.example"));

    refused(
        &acme("[[realm]]\npattern = '('\nname = \"x\"\n"),
        &["realm[1].pattern: is no regular expression: unclosed group"],
    );
    refused(&acme("[[realm]]\npattern = '^a$'\n"), &["realm[1].name: is missing"]);
    refused(&acme("[[realm]]\ndefault = false\n"), &["realm[1].default: is false"]);
    refused(
        &acme("[[realm]]\ndefault = true\n[[realm]]\ndefault = true\nname = \"b\"\n"),
        &["a default realm already"],
    );
    refused(&acme("[[realm]]\nsuffix = \"b.example\"\nname = \"b\"\n"), &["realm[1].name: stands beside `suffix`"]);
    let open = documents(NODE, &[("acme", &acme("[[realm]]\npattern = 'acme'\nname = \"x\"\n"))]).warnings();
    assert!(
        open.iter().any(|line| line.contains("realm[1].pattern: also matches") && line.contains("Begin it with ^"))
    );
}

#[test]
fn a_pattern_is_written_in_any_case_and_anchored_at_both_ends_whatever_it_is_made_of() {
    let realm = |pattern: &str| acme(&format!("[[realm]]\npattern = '{pattern}'\nname = \"x\"\n"));
    let customer = customer_of(&realm("^[A-Z]+\\.ACME\\.example$"));
    let pattern = &customer.realms[1].pattern.as_ref().unwrap().0;
    assert!(pattern.is_match(b"tokyo.acme.example") && !pattern.is_match(b"tokyo.acme-example"));
    let warned = |pattern: &str| !documents(NODE, &[("acme", &realm(pattern))]).warnings().is_empty();
    for anchored in ["^a$", "^(a|b)\\.example$", "^[|]$", "^a\\|b$", "^a\\\\$"] {
        assert!(!warned(anchored), "{anchored}");
    }
    for open in ["a", "^a", "a$", "^a|b$", "^(a|b)|c$", "^a\\$"] {
        assert!(warned(open), "{open}");
    }
    refused(
        &realm("^東京\\.example$"),
        &["realm[1].pattern: holds a letter that no canonical realm has. Write the A-label"],
    );
    refused(
        &realm("^(a{1000}){1000}$"),
        &["realm[1].pattern: is no regular expression: Compiled regex exceeds size limit of 1048576 bytes. See "],
    );
}

#[test]
fn keys_that_mean_nothing_where_they_stand_are_warned_about() {
    for (text, says) in [
        (acme("weight = 2\n"), "server[0].weight: means nothing with `type = \"fail-over\"`"),
        (acme("check_interval = \"10s\"\n"), "server[0].check_interval: means nothing without a status check"),
        (
            acme("status_check = \"status-server\"\nrevive_interval = \"10s\"\n"),
            "server[0].revive_interval: means nothing with a status check",
        ),
        (
            with(ACME, "[[proxy]]\n", "[[proxy]]\nstrip = \"outer\"\n"),
            "proxy[0].strip: no terminal of this customer has an `outer_suffix`",
        ),
        (
            with(ACME, "[[client]]\n", "[[client]]\nlimit_proxy_state = false\n"),
            "client[0].limit_proxy_state: the client is open to forged answers (CVE-2024-3596): neither guard is on until it",
        ),
    ] {
        let warnings = documents(NODE, &[("acme", &text)]).warnings();
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(warnings[0].contains(says), "{says:?} is not in {warnings:?}");
    }
}

#[test]
fn two_customers_may_each_have_a_default_and_a_pattern_of_one_name() {
    let more = "[[realm]]\ndefault = true\n[[realm]]\npattern = '^x$'\nname = \"x\"\n";
    let other = crate::common::other();
    taken(&documents(NODE, &[("acme", &acme(more)), ("other", &format!("{other}{more}"))]));
}

#[test]
fn a_terminal_has_every_key_of_its_page() {
    let text = with(
        ACME,
        "secret = \"secret of acme's terminal\"\n",
        "secret = \"secret of acme's terminal\"\nprevious_secret_env = \"OLD\"\nwhen_unanswered = \"silence\"\ncheck_nas = true\n\
         nas_addresses = [\"10.0.0.1\"]\nnas_identifiers = [\"nas 1\"]\noperator_name = \"1acme.example\"\ndefault_realm = \"ACME.example\"\n\
         bare_domain = true\nouter_suffix = \"carrier.example\"\nadministrative = true\ndynauth = 3799\n",
    );
    let documents = documents(NODE, &[("acme", &text)]);
    let env = |name: &str| (name == "OLD").then(|| "the one before it, retired".to_owned());
    let (_, customers, _) = sekisho_config::load(documents.path(), &env).unwrap();
    let client = &customers[0].clients[0];
    assert!(client.previous_secret.is_some() && client.check_nas && client.bare_domain && client.administrative);
    assert_eq!(client.when_unanswered, Unanswered::Silence);
    assert_eq!(client.require_message_authenticator, Require::Auto, "the default");
    assert_eq!(client.default_realm.as_ref().unwrap().as_str(), "acme.example");
    assert_eq!((client.dynauth, client.operator_name.as_deref()), (Some(3799), Some("1acme.example")));

    refused(&text.replace("ACME.example", "b.example"), &["client[0].default_realm: \"b.example\" is no realm"]);
    refused(&text.replace("1acme.example", "acme"), &["client[0].operator_name: \"acme\" is no Operator-Name"]);
}

#[test]
fn dynamic_authorization_needs_a_listener_and_a_terminal() {
    let dynauth = "[[dynauth]]\nname = \"acme-policy\"\naddress = \"192.0.2.100\"\nsecret = \"a secret of sixteen\"\n";
    let warnings = documents(NODE, &[("acme", &acme(dynauth))]).warnings().join("\n");
    assert!(warnings.contains("no listener takes CoA and Disconnect"), "{warnings}");
    assert!(warnings.contains("no terminal of this customer takes CoA and Disconnect"), "{warnings}");
    let node = with(NODE, "accounting = 1813\n", "accounting = 1813\ndynauth = 3799\n");
    let terminal = with(&acme(dynauth), "[[client]]", "[[client]]\ndynauth = 3799");
    let complete = documents(&node, &[("acme", &terminal)]);
    assert!(complete.warnings().is_empty(), "{:?}", complete.warnings());
    let customer = taken(&complete).1.remove(0);
    assert_eq!(
        (customer.dynauth[0].name.as_str(), customer.dynauth[0].answer_within),
        ("acme-policy", Duration::from_secs(5))
    );

    refused(&acme(&dynauth.replace("acme-policy", "acme-nas")), &["\"acme-nas\" is another contract's name"]);
    refused(
        &acme(&format!("{dynauth}{}", dynauth.replace("acme-policy", "b"))),
        &["another dynamic-authorization client's"],
    );
    let own = with(NODE, "accounting = 1813\n", "accounting = 1813\ndynauth = 1812\n");
    assert!(documents(&own, &[("acme", ACME)]).faults()[0].contains("dynauth: 1812 is the port of `auth` already"));
    let same = with(&terminal, "dynauth = 3799", "dynauth = 1812").replace("192.0.2.1\"", "192.0.2.100\"");
    assert!(documents(&node, &[("acme", &same)]).faults().join("\n").contains("is where a terminal takes CoA"));
}

#[test]
fn the_node_says_where_it_keeps_what_it_learned_and_which_country_it_is_in() {
    let node = with(NODE, "[node]\n", "[node]\nstate = \"/var/lib/sekisho\"\ncountry_code = \"1\"\n");
    let (node, _) = taken(&documents(&node, &[("acme", ACME)]));
    assert_eq!((node.state.to_str(), node.country_code.as_str()), (Some("/var/lib/sekisho"), "1"));
    let node = with(NODE, "[node]\n", "[node]\nstate = \"sekisho.toml\"\n");
    let warnings = documents(&node, &[("acme", ACME)]).warnings();
    assert!(
        warnings[0].contains("node.state: is a file, so nothing can be kept there. Name a directory"),
        "{warnings:?}"
    );
    let node = with(NODE, "[node]\n", "[node]\ncountry_code = \"+81\"\n");
    assert!(documents(&node, &[("acme", ACME)]).faults()[0].contains("country_code: \"+81\" is no country code"));
}
