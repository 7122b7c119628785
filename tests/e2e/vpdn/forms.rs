//! What an Accept says of the tunnels, in each form that equipment wants, as clients of three makes read it.

use std::time::Duration;

use sekisho_tests::documents::Customer;
use sekisho_tests::lac::{Device, Login};
use sekisho_tests::network::{Family, auth};
use sekisho_tests::process::Program;
use sekisho_tests::radclient::Radclient;
use sekisho_tests::sekisho::Sekisho;
use sekisho_tests::vpdn::{Lns, Vpdn, network_secret, tunnel_password};
use sekisho_tests::wait::PATIENCE;

use super::land::{CONTRACT, Land, REALM, at, balanced, is_refused, names, sharing};

/// The login of one device at a customer, by an access network with these keys.
fn login(keys: &str, customer: Customer) -> Login {
    let land = Land::new();
    let _sekisho = Sekisho::start(&land.network, &land.documents_with(keys, customer));
    land.lac().login(&Device::new(1, REALM))
}

#[test]
fn eight_lnss_are_eight_sets_and_a_lac_can_read_every_one() {
    let login = login("", sharing(8, "strategy = \"hash\""));
    let tunnels = &login.tunnels;
    assert_eq!(
        tunnels.iter().map(|it| it.preference).collect::<Vec<_>>(),
        (0..8).map(|n| Some(n * 10)).collect::<Vec<_>>()
    );
    let mut tags: Vec<u8> = tunnels.iter().map(|it| it.tag).collect();
    tags.sort_unstable();
    assert_eq!(tags, [1, 2, 3, 4, 5, 6, 7, 8]);
    let mut all: Vec<_> = tunnels.iter().map(|it| (it.server.clone(), it.password.clone())).collect();
    all.sort();
    let expected = names(8).iter().zip(1..).map(|(name, n)| (at(n), Some(tunnel_password(name)))).collect::<Vec<_>>();
    assert_eq!(all, expected);
    for tunnel in tunnels {
        let n = tunnel.server.rsplit('.').next().unwrap_or_default();
        assert_eq!((tunnel.medium, tunnel.assignment.as_deref()), (1, Some(&*format!("acme-tokyo-{n}"))));
    }
}

#[test]
fn pyrad_reads_the_same_eight_tunnels() {
    let land = Land::new();
    let _sekisho = Sekisho::start(&land.network, &land.documents(sharing(8, "strategy = \"hash\"")));
    let device = Device::new(1, REALM);
    let ours = land.lac().login(&device);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/e2e/pyrad_vpdn.py");
    let server = Family::V4.proxy().to_string();
    let words = [script, &server, &network_secret("carrier"), &device.user, &device.number];
    let finished = Program::new("/usr/bin/python3").arg("-B").args(words).finish(&land.carrier.namespace, "", PATIENCE);
    assert!(finished.status.success(), "{}", finished.output);
    let lines: Vec<Vec<&str>> = finished.output.lines().map(|line| line.split(' ').collect()).collect();
    assert_eq!(lines[0], ["code", "2"], "{}", finished.output);
    assert_eq!(lines.len(), 9, "{}", finished.output);
    for (line, tunnel) in lines[1..].iter().zip(&ours.tunnels) {
        let preference = tunnel.preference.unwrap_or_default().to_string();
        let name = format!("tokyo-{}", tunnel.server.rsplit('.').next().unwrap_or_default());
        let (password, assignment) = (tunnel_password(&name), format!("acme-{name}"));
        let tag = tunnel.tag.to_string();
        assert_eq!(
            line[..7],
            [&*tag, &preference, "3", "1", &tunnel.server, &password, &assignment],
            "a device keeps its LNS"
        );
    }
    let mut salts: Vec<&str> = lines[1..].iter().map(|line| line[7]).collect();
    salts.sort_unstable();
    salts.dedup();
    assert_eq!(salts.len(), 8, "no salt twice: {}", finished.output);
}

#[test]
fn radclient_reads_them_too() {
    let land = Land::new();
    let _sekisho = Sekisho::start(&land.network, &land.documents(sharing(8, "strategy = \"hash\"")));
    for family in Family::BOTH {
        let pairs = "User-Name = user-1@acme.example, User-Password = wonderland, Calling-Station-Id = 09000000001";
        let secret = network_secret("carrier");
        let answer = Radclient::default().login(&land.carrier, auth(family), &secret, pairs).expect("Access-Accept");
        assert_eq!(answer.first_attribute(), Some("Message-Authenticator"));
        let mut found = Vec::new();
        for tag in 1..=8 {
            let value = |name: &str| match answer.values(&format!("{name}:{tag}"))[..] {
                [one] => one.to_owned(),
                ref other => panic!("{name}:{tag} is there {} times: {}", other.len(), answer.output()),
            };
            assert_eq!([value("Tunnel-Type"), value("Tunnel-Medium-Type")], ["L2TP", "IPv4"]);
            found.push((value("Tunnel-Server-Endpoint"), value("Tunnel-Password")));
        }
        found.sort();
        let expected: Vec<_> = names(8).iter().zip(1..).map(|(name, n)| (at(n), tunnel_password(name))).collect();
        assert_eq!(found, expected, "{}", answer.output());
    }
}

#[test]
fn the_same_request_repeated_gets_the_same_octets_and_is_one_session() {
    let land = Land::new();
    let sekisho = Sekisho::start(&land.network, &land.documents(sharing(3, "strategy = \"round-robin\"")));
    let lac = land.lac();
    let request = lac.login_request(7, &Device::new(1, REALM));
    let answers: Vec<_> = (0..5)
        .map(|_| {
            let answer = lac.nas().ask(lac.auth(), &request);
            std::thread::sleep(Duration::from_millis(20));
            answer
        })
        .collect();
    assert!(answers.iter().all(|answer| *answer == answers[0]), "identical octets, salts and all");
    assert_eq!(sekisho.told("/sessions")["reserved"], 1);
    assert_eq!(sekisho.metrics().sum("sekisho_vpdn_accepts_total", &[("contract", CONTRACT)]), 1);
}

#[test]
fn equipment_that_takes_one_tunnel_gets_one_with_a_tag_or_without() {
    let with = |keys: &str| login(keys, sharing(3, "strategy = \"hash\""));
    let [single, untagged, two] =
        ["tunnel_sets = \"single\"", "tunnel_sets = \"untagged\"", "max_alternatives = 2"].map(with);
    assert_eq!(single.tunnels.iter().map(|it| it.tag).collect::<Vec<_>>(), [1]);
    assert_eq!(untagged.tunnels.iter().map(|it| (it.tag, it.preference)).collect::<Vec<_>>(), [(0, None)]);
    assert_eq!(untagged.answer.values(67), [untagged.endpoint().as_bytes()], "no octet for a Tag before a text");
    assert_eq!(two.tunnels.len(), 2);
    for login in [&single, &untagged, &two] {
        let name = format!("tokyo-{}", login.endpoint().rsplit('.').next().unwrap_or_default());
        assert_eq!(login.tunnels[0].password, Some(tunnel_password(&name)));
        assert_eq!(login.endpoint(), two.endpoint(), "the choice is no matter of the form");
    }
}

#[test]
fn cisco_is_told_in_its_own_words() {
    let lns = Lns::new("tokyo-1", &at(1), "client_auth_id = \"lac-of-acme\"\nclient_endpoint = \"192.0.2.33\"");
    let customer = Customer::new("acme").lnss(&[lns]).vpdn(&Vpdn::new(CONTRACT, "D", &["tokyo-1"]));
    let login = login("tunnel_sets = \"cisco-avpair\"", customer);
    assert!(login.is_accepted());
    let pair = |value: Vec<u8>| {
        assert_eq!(value[..5], [0, 0, 0, 9, 1], "Cisco-AVPair");
        String::from_utf8(value[6..].to_vec()).expect("a text")
    };
    let mut pairs: Vec<String> = login.answer.values(26).into_iter().map(pair).collect();
    pairs.sort();
    let password = format!("vpdn:l2tp-tunnel-password={}", tunnel_password("tokyo-1"));
    let expected =
        ["vpdn:ip-addresses=198.18.0.1", &password, "vpdn:source-ip=192.0.2.33", "vpdn:tunnel-id=lac-of-acme"];
    assert_eq!(pairs, [&expected[..], &["vpdn:tunnel-type=l2tp"]].concat());
    assert!(login.tunnels.is_empty(), "and in no other");
}

#[test]
fn an_lns_may_have_an_ipv6_address_or_a_name_and_everything_that_a_lac_has_to_know() {
    let more = "client_endpoint = \"2001:db8::c\"\nclient_auth_id = \"lac-of-acme\"\nserver_auth_id = \"lns.acme.example\"\n\
                private_group_id = \"acme-private\"\nassignment_id = \"shared\"";
    let lnss = [
        Lns::new("six", "2001:db8::1", more),
        Lns::new("named", "LNS.acme.example", ""),
        Lns::open("open", "198.18.0.3", ""),
    ];
    let contract = Vpdn::new(CONTRACT, "D", &["six", "named", "open"]).balancing("strategy = \"hash\"");
    let login = login("", Customer::new("acme").lnss(&lnss).vpdn(&contract));
    let to = |server: &str| login.tunnels.iter().find(|it| it.server.eq_ignore_ascii_case(server)).expect("a tunnel");
    let six = to("2001:db8::1");
    let texts = [&six.client, &six.client_auth, &six.server_auth, &six.group, &six.assignment].map(Option::as_deref);
    let expected = ["2001:db8::c", "lac-of-acme", "lns.acme.example", "acme-private", "shared"];
    assert_eq!(texts, expected.map(Some));
    assert_eq!((six.medium, six.password.as_deref()), (2, Some(&*tunnel_password("six"))));
    assert_eq!(to("lns.acme.example").password, Some(tunnel_password("named")));
    let open = to("198.18.0.3");
    assert_eq!((open.medium, &open.password), (1, &None), "no password, no attribute for it");
}

#[test]
fn an_accept_carries_what_the_contract_adds_and_what_the_equipment_wants() {
    let contract = balanced(2, "strategy = \"hash\"").reply(
        "\"Session-Timeout\" = 86400\n\"Acct-Interim-Interval\" = 600\n\"Cisco-AVPair\" = [\"lcp:a=1\", \"lcp:b=2\"]",
    );
    let customer = || Customer::new("acme").lnss(&super::land::lnss(2)).vpdn(&contract);
    let plain = login("", customer());
    assert_eq!(plain.answer.values(27), [86400u32.to_be_bytes()]);
    assert_eq!(plain.answer.values(85), [600u32.to_be_bytes()]);
    let pairs = plain.answer.values(26);
    assert_eq!(pairs.iter().map(|it| &it[6..]).collect::<Vec<_>>(), [b"lcp:a=1", b"lcp:b=2"]);
    assert!([6, 7].iter().all(|number| plain.answer.values(*number).is_empty()), "nothing that nobody has asked for");
    let wants = login("service_type = \"outbound\"\nframed_protocol = \"ppp\"", customer());
    assert_eq!((wants.answer.values(6), wants.answer.values(7)), (vec![vec![0, 0, 0, 5]], vec![vec![0, 0, 0, 1]]));
    let framed = login("service_type = \"framed\"", customer());
    assert_eq!(framed.answer.values(6), [[0, 0, 0, 2]]);
}

#[test]
fn a_reload_changes_the_tunnels_of_the_next_login() {
    let land = Land::new();
    let mut documents = land.documents(super::land::lone());
    let sekisho = Sekisho::start(&land.network, &documents);
    let lac = land.lac();
    assert_eq!(lac.login(&Device::new(1, REALM)).endpoint(), at(1));
    let moved =
        Customer::new("acme").lnss(&[Lns::new("osaka", &at(9), "")]).vpdn(&Vpdn::new(CONTRACT, "D", &["osaka"]));
    documents.replace(moved);
    let reload = sekisho.reload(&documents);
    assert!(reload.status.success(), "{}", reload.output);
    let login = lac.login(&Device::new(1, REALM));
    assert_eq!((login.endpoint(), &login.tunnels[0].password), (&*at(9), &Some(tunnel_password("osaka"))));
    // The contract ends.
    documents.replace(Customer::new("acme"));
    assert!(sekisho.reload(&documents).status.success());
    is_refused(&lac.login(&Device::new(1, REALM)), super::land::NOT_ROUTABLE);
}
