//! What the documents say of clients and servers is what the engine works by.

use std::{net::IpAddr, sync::Arc, time::Duration};

use crate::common::{NODE, client, customer, documents, first, home, owner, reload};
use sekisho_abi::{PortKind, Roles, ServiceKey, Source, SourceKey, address_bytes, mapped_v4, numbers};
use sekisho_engine::snapshot::{
    ClientRole, HomeKind, HomeService, NasKey, Pool, PoolKind, Require, RoutingSnapshot, StatusCheck, Strip, Verdict,
};
use sekisho_service::Compiled;
use sekisho_wire::select::AttributeId;

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// Customer acme with these keys at its client, at its proxy, at its server, and these tables at the end.
fn acme([at_client, at_proxy, at_server, more]: [&str; 4]) -> Compiled {
    first(&documents(NODE, &[("acme", &text([at_client, at_proxy, at_server, more]))])).unwrap()
}

fn text([at_client, at_proxy, at_server, more]: [&str; 4]) -> String {
    customer("acme", "north", "192.0.2.1")
        .replace("contract = \"acme-nas\"", &format!("contract = \"acme-nas\"\n{at_client}"))
        .replace("contract = \"acme-proxy\"", &format!("contract = \"acme-proxy\"\n{at_proxy}"))
        .replace("name = \"home\"", &format!("name = \"home\"\n{at_server}"))
        + more
}

fn pool(snapshot: &RoutingSnapshot) -> &Pool {
    let [pool] = snapshot.pools.as_slice() else { panic!("one pool") };
    pool
}

fn names<'s>(snapshot: &'s RoutingSnapshot, members: &[sekisho_engine::snapshot::Member]) -> Vec<&'s str> {
    members.iter().map(|member| snapshot.home(member.home).unwrap().name.as_str()).collect()
}

#[test]
fn a_clients_keys_are_the_engines_policies() {
    let keys = r#"
        previous_secret = "the secret that it had before"
        require_message_authenticator = "yes"
        limit_proxy_state = false
        when_unanswered = "silence"
        answer_within = "7s"
        check_nas = true
        nas_addresses = ["10.9.9.9"]
        nas_identifiers = ["nas-of-acme"]
        bare_domain = true
        outer_suffix = "Carrier.Example"
        administrative = true
        default_realm = "acme.example"
    "#;
    let compiled = acme([keys, "", "", ""]);
    let snapshot = &compiled.snapshot;
    let client = client(snapshot, "acme-nas");
    assert_eq!(client.role, ClientRole::Terminal);
    assert!(client.previous_secret.is_some() && client.previous_secret.as_ref() != Some(&client.secret));
    assert_eq!(client.require_message_authenticator, Require::Yes);
    assert!(!client.limit_proxy_state && client.bare_domain && client.administrative);
    assert_eq!((client.when_unanswered, client.answer_within), (Verdict::Silence, Duration::from_secs(7)));
    assert!(client.nas.checked);
    assert_eq!(client.nas.addresses, [address("10.9.9.9")]);
    assert_eq!(client.nas.identifiers, [Box::from(b"nas-of-acme".as_slice())]);
    assert_eq!(client.outer_suffix.as_deref(), Some(b"carrier.example".as_slice()));
    let realm = snapshot.realm(client.default_realm.unwrap()).unwrap();
    assert_eq!(realm.name, "acme.example");
    assert!(realm.service.is_some());
}

#[test]
fn what_is_left_out_is_the_safe_default() {
    let compiled = acme(["", "", "", ""]);
    let client = client(&compiled.snapshot, "acme-nas");
    assert_eq!(client.require_message_authenticator, Require::Auto);
    assert!(client.limit_proxy_state && !client.administrative && !client.nas.checked);
    assert_eq!(client.when_unanswered, Verdict::Reject);
    assert!(client.request_policies.is_empty() && client.reply_policies.is_empty());
    let server = home(&compiled.snapshot, "home", HomeKind::Auth);
    assert_eq!(server.require_message_authenticator, Require::Auto);
    assert_eq!((server.service, server.status_check), (HomeService::Up, None));
    let pool = pool(&compiled.snapshot);
    assert_eq!((pool.strip, pool.when_down), (Strip::Nothing, Verdict::Reject));
    assert!(pool.copies.is_empty() && pool.framed_networks.is_empty());
    assert_eq!(compiled.snapshot.country_code, "81");
    assert!(compiled.snapshot.salted.contains(311, 16));
}

#[test]
fn realms_are_found_by_every_selector() {
    let more = r#"
        [[realm]]
        nt_domain = "ACME"
        [[realm]]
        apn = "Internet.Acme"
        [[realm]]
        name = "branches"
        pattern = '^[a-z]+\.branch\.acme\.example$'
        [[realm]]
        default = true
    "#;
    let compiled = acme(["", "", "", more]);
    let snapshot = &compiled.snapshot;
    let acme = owner(snapshot, "acme");
    let name = |id| snapshot.realm(id).unwrap().name.as_str();
    assert_eq!(name(acme.nt_domains[b"acme".as_slice()]), "nt:acme");
    assert_eq!(name(acme.apns[b"internet.acme".as_slice()]), "apn:internet.acme");
    let [(pattern, branches)] = acme.patterns.as_slice() else { panic!("one pattern") };
    assert!(pattern.is_match(b"tokyo.branch.acme.example") && !pattern.is_match(b"branch.acme.example.evil"));
    assert_eq!(name(*branches), "pattern:branches");
    assert_eq!(name(acme.default_realm.unwrap()), "default:default");
}

#[test]
fn tiers_stand_in_their_order_and_each_has_a_seed_of_its_own() {
    let at_proxy = "type = \"keyed-balance\"\nkey = \"Calling-Station-Id\"\nstrip = \"realm\"\n\
                    when_down = \"silence\"\nframed_networks = [\"10.1.0.0/16\"]";
    let more = r#"
        [[proxy.fallback]]
        type = "load-balance"
        [[proxy.fallback.server]]
        name = "spare"
        address = "192.0.2.3"
        domain = "north"
        secret = "secret of the spare one"
        weight = 3
        [[proxy.copy]]
        name = "archive"
        address = "192.0.2.4"
        accounting = 1813
        domain = "north"
        secret = "secret of the archive"
    "#;
    let compiled = acme(["", at_proxy, "", more]);
    let snapshot = &compiled.snapshot;
    let pool = pool(snapshot);
    let [first, second] = pool.tiers.as_slice() else { panic!("two tiers: {pool:?}") };
    assert_eq!(first.kind, PoolKind::KeyedBalance(AttributeId::Plain(31)));
    assert_eq!(second.kind, PoolKind::LoadBalance);
    assert_eq!((names(snapshot, &first.auth), names(snapshot, &second.acct)), (vec!["home"], vec!["spare"]));
    assert_eq!((first.auth[0].weight, second.auth[0].weight), (1, 3));
    assert_ne!(first.seed, second.seed);
    assert_eq!((pool.strip, pool.when_down), (Strip::Realm, Verdict::Silence));
    assert_eq!(pool.framed_networks, [(address("10.1.0.0"), 16)]);
    let [archive] = pool.copies.as_slice() else { panic!("one copy") };
    let archive = snapshot.home(*archive).unwrap();
    assert_eq!((archive.kind, archive.address), (HomeKind::Acct, "192.0.2.4:1813".parse().unwrap()));
    assert!(first.acct.iter().chain(&second.acct).all(|member| member.home != archive.id));
    assert_eq!(owner(snapshot, "acme").acct_pools.len(), 1);
}

#[test]
fn a_pool_that_takes_no_accounting_is_not_fanned_out_to() {
    let compiled = acme(["", "", "auth = 1812", ""]);
    assert!(pool(&compiled.snapshot).tiers[0].acct.is_empty());
    assert!(owner(&compiled.snapshot, "acme").acct_pools.is_empty());
}

#[test]
fn a_servers_keys_are_the_engines() {
    let keys = r#"
        previous_secret = "the secret that it had before"
        require_message_authenticator = "yes"
        response_timeouts = 4
        status_check = "status-server"
        check_interval = "10s"
        check_timeout = "2s"
        num_answers_to_alive = 2
        state = "draining"
    "#;
    let compiled = acme(["", "", keys, ""]);
    for kind in [HomeKind::Auth, HomeKind::Acct] {
        let server = home(&compiled.snapshot, "home", kind);
        assert!(server.previous_secret.is_some());
        assert_eq!((server.require_message_authenticator, server.response_timeouts), (Require::Yes, 4));
        let check =
            StatusCheck { interval: Duration::from_secs(10), timeout: Duration::from_secs(2), answers_to_alive: 2 };
        assert_eq!((server.status_check, server.service), (Some(check), HomeService::Draining));
    }
}

const SENDER: &str = r#"
    [[dynauth]]
    name = "acme-coa"
    address = "10.0.0.9"
    domain = "north"
    secret = "the secret of the sender"
    answer_within = "3s"
"#;

#[test]
fn a_sender_of_coa_and_the_terminals_that_take_it_are_known_to_engine_and_gate() {
    let node = NODE.replacen("accounting = 1813", "accounting = 1813\ndynauth = 3799", 1);
    let keys = "dynauth = 3799\nnas_addresses = [\"10.9.9.9\"]\nnas_identifiers = [\"nas-of-acme\"]";
    let compiled = first(&documents(&node, &[("acme", &text([keys, "", "", SENDER]))])).unwrap();
    let snapshot = &compiled.snapshot;
    let key = |ip: &str| SourceKey { domain: numbers::domain("north"), address: address_bytes(address(ip)) };

    let service = ServiceKey { address: mapped_v4([198, 51, 100, 1]), port: 3799 };
    assert_eq!(snapshot.gate.services[&service].kind, PortKind::DynAuth as u32);

    let sender = snapshot.client(snapshot.dynauth[&key("10.0.0.9")]).unwrap();
    assert_eq!((sender.contract.as_str(), sender.role), ("acme-coa", ClientRole::DynAuth));
    assert_eq!(sender.answer_within, Duration::from_secs(3));
    let source = snapshot.gate.sources[&key("10.0.0.9")];
    assert_eq!((source.roles, source.id), (Roles::DYNAUTH, Source::NO_ID));

    let nas = home(snapshot, "acme-nas", HomeKind::DynAuth);
    assert_eq!(nas.address, "10.0.0.1:3799".parse().unwrap());
    assert_eq!(nas.secret, client(snapshot, "acme-nas").secret);
    assert_eq!(snapshot.home_by_address[&nas.address], nas.id);
    let source = snapshot.gate.sources[&key("10.0.0.1")];
    assert_eq!(source.roles, Roles::CLIENT.with(Roles::HOME_SERVER), "its answers come to upstream ports");
    assert_eq!(source.id, client(snapshot, "acme-nas").id.0);

    let nases = &owner(snapshot, "acme").nases;
    let named = [
        NasKey::Address(address("10.0.0.1")),
        NasKey::Address(address("10.9.9.9")),
        NasKey::Identifier(Box::from(b"nas-of-acme".as_slice())),
    ];
    assert_eq!(nases.len(), named.len());
    assert!(named.iter().all(|name| nases.get(name) == Some(&nas.id)));
    assert!(pool(snapshot).tiers.iter().all(|tier| tier.auth.iter().chain(&tier.acct).all(|it| it.home != nas.id)));
}

#[test]
fn a_terminal_that_sends_coa_itself_stays_the_gates_terminal() {
    let sender = SENDER.replace("10.0.0.9", "10.0.0.1");
    let compiled = acme(["", "", "", &sender]);
    let snapshot = &compiled.snapshot;
    let key = SourceKey { domain: numbers::domain("north"), address: address_bytes(address("10.0.0.1")) };
    let source = snapshot.gate.sources[&key];
    assert_eq!(source.roles, Roles::CLIENT.with(Roles::DYNAUTH));
    assert_eq!(source.id, client(snapshot, "acme-nas").id.0);
    assert_ne!(snapshot.dynauth[&key].0, source.id);
}

#[test]
fn a_terminal_without_a_port_for_it_is_no_nas_of_coa() {
    let compiled = acme(["nas_identifiers = [\"nas-of-acme\"]", "", "", SENDER]);
    assert!(owner(&compiled.snapshot, "acme").nases.is_empty());
    assert!(compiled.snapshot.homes.iter().flatten().all(|home| home.kind != HomeKind::DynAuth));
}

#[test]
fn policies_are_applied_from_the_terminal_outwards() {
    let text = text(["request_policy = \"own\"\nreply_policy = \"own\"", "", "", POLICIES]);
    let text = text.replacen("[customer]", "[customer]\nrequest_policy = \"all\"\nreply_policy = \"all\"", 1);
    let compiled = first(&documents(NODE, &[("acme", &text)])).unwrap();
    let client = client(&compiled.snapshot, "acme-nas");
    let [own, all] = client.request_policies.as_slice() else { panic!("two request policies") };
    let [all_replies, own_replies] = client.reply_policies.as_slice() else { panic!("two reply policies") };
    assert!(own != all && own == own_replies && all == all_replies);
}

const POLICIES: &str = r#"
    [[policy]]
    name = "own"
    remove = ["Filter-Id"]
    [[policy]]
    name = "all"
    remove = ["Framed-Pool"]
"#;

#[test]
fn what_was_learned_and_how_secrets_were_used_goes_on_over_a_reload() {
    let before = acme(["", "", "", ""]);
    client(&before.snapshot, "acme-nas").state.learned.set_message_authenticator(true);
    let changed = text(["reject_delay = \"500ms\"", "", "", ""]);
    let after = reload(&before, &documents(NODE, &[("acme", &changed)])).unwrap();
    let state = |compiled: &Compiled| Arc::clone(&client(&compiled.snapshot, "acme-nas").state);
    assert!(Arc::ptr_eq(&state(&before), &state(&after)));
    assert!(state(&after).learned.message_authenticator());
}
