//! CoA and Disconnect (RFC 5176): from a customer's server to the customer's NAS, and to nobody else's.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use sekisho_tests::documents::{Customer, Documents, Server, client_secret, dynauth_secret};
use sekisho_tests::home::{Asked, Say, ScriptedHome};
use sekisho_tests::nas::Nas;
use sekisho_tests::network::{Family, Host, Network, PROXY_V4, acct, auth, dynauth};
use sekisho_tests::packet::{Proof, digested};
use sekisho_tests::process::Program;
use sekisho_tests::radclient::{Answer, Radclient};
use sekisho_tests::sekisho::Sekisho;
use sekisho_tests::wait::PATIENCE;

const DISCONNECT: u8 = 40;
const COA: u8 = 43;
const ERROR_CAUSE: u8 = 101;

/// Two customers, each with a NAS, a home server, and a server that may send CoA and Disconnect.
struct Two {
    network: Network,
    nas: [Host; 2],
    home: [Host; 2],
}

const NAMES: [&str; 2] = ["a", "b"];

impl Two {
    fn new() -> Two {
        let mut network = Network::new();
        let nas = ["nas-a", "nas-b"].map(|name| network.host(name));
        let home = ["home-a", "home-b"].map(|name| network.host(name));
        Two { network, nas, home }
    }

    /// A home server's host is the one that sends CoA and Disconnect, as it is in the field.
    fn documents(&self) -> Documents {
        let [nas_a, nas_b] = &self.nas;
        let [home_a, home_b] = &self.home;
        let customer = |n: usize| {
            let (name, nas, home) = (NAMES[n], &self.nas[n], &self.home[n]);
            let client = format!("dynauth = 3799\nnas_identifiers = [\"nas-of-{name}\"]");
            let (v4, v6) = (format!("{name}-nas-4"), format!("{name}-nas-6"));
            Customer::new(name)
                .client(&v4, nas.v4, &client)
                .client(&v6, nas.v6, "dynauth = 3799")
                .proxy(&[Server::new(&format!("{name}-home"), home.v4, "")])
                .dynauth(&format!("{name}-coa-4"), home.v4, "answer_within = \"1s\"")
                .dynauth(&format!("{name}-coa-6"), home.v6, "")
        };
        Documents::new(&[nas_a, nas_b, home_a, home_b]).dynauth().customer(customer(0)).customer(customer(1))
    }

    /// The NAS of a customer, by IPv4, with a script for what it is sent.
    fn terminal(&self, n: usize, script: impl FnMut(&Asked) -> Vec<Say> + Send + 'static) -> ScriptedHome {
        ScriptedHome::terminal(&self.nas[n], &client_secret(&format!("{}-nas-4", NAMES[n])), script)
    }

    fn obedient(&self, n: usize) -> ScriptedHome {
        self.terminal(n, |asked| vec![asked.accept()])
    }

    /// Lets a customer's server send with radclient.
    fn radclient(&self, n: usize, command: &str, pairs: &str) -> Answer {
        let secret = dynauth_secret(&format!("{}-coa-4", NAMES[n]));
        let radclient = Radclient::default().patience(3.0, 1);
        radclient.send(&self.home[n], dynauth(Family::V4), command, &secret, pairs)
    }

    /// The same server, scripted.
    fn sender(&self, n: usize) -> Sender {
        let secret = dynauth_secret(&format!("{}-coa-4", NAMES[n]));
        Sender { nas: Nas::new(&self.home[n], self.home[n].v4, &secret), secret }
    }

    /// What names the NAS of a customer: its address.
    fn at(&self, n: usize) -> String {
        format!("NAS-IP-Address = {}", self.nas[n].v4)
    }
}

struct Sender {
    nas: Nas,
    secret: String,
}

impl Sender {
    fn request(&self, code: u8, id: u8, attributes: &[(u8, &[u8])]) -> Vec<u8> {
        let attributes: Vec<_> = attributes.iter().map(|(number, value)| (*number, value.to_vec())).collect();
        digested(code, id, &self.secret, Proof::Absent, &attributes)
    }

    fn ask(&self, request: &[u8]) -> sekisho_tests::nas::Answer {
        self.nas.ask(dynauth(Family::V4), request)
    }
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

#[test]
fn radclient_disconnects_and_changes_sessions_at_the_nas_that_it_names() {
    let scene = Two::new();
    let terminal = scene.obedient(0);
    let other = scene.obedient(1);
    let sekisho = Sekisho::start(&scene.network, &scene.documents());
    let session = "User-Name = alice@a.example, Acct-Session-Id = \"0000002a\", Framed-IP-Address = 10.0.0.5";
    let nases =
        [scene.at(0), "NAS-Identifier = nas-of-a".to_owned(), format!("{}, NAS-Identifier = nas-of-a", scene.at(0))];
    for nas in &nases {
        scene.radclient(0, "disconnect", &format!("{nas}, {session}")).expect("Disconnect-ACK");
        scene.radclient(0, "coa", &format!("{nas}, {session}, Session-Timeout = 60")).expect("CoA-ACK");
    }
    let signed = format!("{}, {session}, Message-Authenticator = 0x00", scene.at(0));
    scene.radclient(0, "disconnect", &signed).expect("Disconnect-ACK");

    let seen = terminal.seen();
    let codes: Vec<u8> = seen.iter().map(|asked| asked.code().0).collect();
    assert_eq!(codes, [DISCONNECT, COA, DISCONNECT, COA, DISCONNECT, COA, DISCONNECT]);
    for asked in &seen {
        assert!(asked.digest_is_right(), "signed with the NAS's own secret");
        assert_eq!(asked.user(), "alice@a.example");
        assert_eq!(asked.values(44), [b"0000002a"]);
        assert_eq!(asked.values(8), [[10, 0, 0, 5]]);
        assert_eq!(asked.values(33).len(), 1, "our Proxy-State, and no other");
    }
    assert_eq!(seen[1].values(27), [60u32.to_be_bytes()]);
    assert_eq!(seen.iter().map(|asked| asked.values(80).len()).collect::<Vec<_>>(), [0, 0, 0, 0, 0, 0, 1]);
    assert_eq!(seen[6].bytes[20], 80, "Message-Authenticator where there was one, and first");
    assert!(other.seen().is_empty());
    let metrics = sekisho.metrics();
    assert_eq!(metrics.sum("sekisho_replies_total", &[("code", "disconnect_ack")]), 4);
    assert_eq!(metrics.sum("sekisho_replies_total", &[("code", "coa_ack")]), 3);
}

#[test]
fn over_ipv6_the_nas_is_named_by_its_ipv6_address() {
    let scene = Two::new();
    let terminal = ScriptedHome::terminal(&scene.nas[0], &client_secret("a-nas-6"), |asked| vec![asked.accept()]);
    let _sekisho = Sekisho::start(&scene.network, &scene.documents());
    let pairs = format!("NAS-IPv6-Address = {}, Acct-Session-Id = 1", scene.nas[0].v6);
    let secret = dynauth_secret("a-coa-6");
    let answer = Radclient::default().send(&scene.home[0], dynauth(Family::V6), "disconnect", &secret, &pairs);
    answer.expect("Disconnect-ACK");
    assert!(terminal.seen()[0].digest_is_right());
}

#[test]
fn what_the_nas_refuses_comes_back_with_its_reason() {
    let scene = Two::new();
    let _terminal = scene.terminal(0, |asked| vec![asked.nak(503)]);
    let _sekisho = Sekisho::start(&scene.network, &scene.documents());
    let pairs = format!("{}, Acct-Session-Id = 1", scene.at(0));
    for (command, code) in [("disconnect", "Disconnect-NAK"), ("coa", "CoA-NAK")] {
        let answer = scene.radclient(0, command, &pairs).expect(code);
        assert_eq!(answer.values("Error-Cause"), ["Session-Context-Not-Found"]);
    }
}

#[test]
fn a_nas_that_cannot_be_found_or_does_not_answer_is_a_nak_that_says_so() {
    let scene = Two::new();
    let terminal = scene.terminal(0, |_| Vec::new());
    let _sekisho = Sekisho::start(&scene.network, &scene.documents());
    let cases = [
        // Nobody's NAS: no route (RFC 5176 §3.5, 502).
        ("NAS-IP-Address = 10.1.2.3, Acct-Session-Id = 1".to_owned(), "Proxy-Request-Not-Routable", Duration::ZERO),
        // The customer's network overlaps with others': an address in it identifies no session (503).
        ("Framed-IP-Address = 10.0.0.5".to_owned(), "Session-Context-Not-Found", Duration::ZERO),
        ("Acct-Session-Id = 1".to_owned(), "Session-Context-Not-Found", Duration::ZERO),
        // The NAS is silent for answer_within (505).
        (format!("{}, Acct-Session-Id = 1", scene.at(0)), "Proxy-Processing-Error", Duration::from_millis(900)),
    ];
    for (pairs, cause, least) in cases {
        for (command, code) in [("disconnect", "Disconnect-NAK"), ("coa", "CoA-NAK")] {
            let begin = Instant::now();
            let answer = scene.radclient(0, command, &pairs).expect(code);
            // 505 is "Other Proxy Processing Error" in the RFC; FreeRADIUS's dictionary spells it its own way.
            let causes = answer.values("Error-Cause");
            assert!(causes.len() == 1 && (causes[0] == cause || causes[0].contains(cause)), "{pairs}: {causes:?}");
            assert!(begin.elapsed() >= least && begin.elapsed() < least + Duration::from_millis(1500), "{pairs}");
        }
    }
    assert_eq!(terminal.seen().len(), 2, "only where it was named");
}

#[test]
fn one_customers_server_does_nothing_to_anothers_sessions() {
    let scene = Two::new();
    let terminal = scene.obedient(0);
    let sekisho = Sekisho::start(&scene.network, &scene.documents());
    // The NAS of another customer is as unknown as one that does not exist.
    for session in ["", ", Framed-IP-Address = 10.0.0.5", ", User-Name = bob@b.example"] {
        let pairs = format!("{}, Acct-Session-Id = 1{session}", scene.at(0));
        let answer = scene.radclient(1, "disconnect", &pairs).expect("Disconnect-NAK");
        assert_eq!(answer.values("Error-Cause"), ["Proxy-Request-Not-Routable"]);
    }
    let by_name = "NAS-Identifier = nas-of-a, Acct-Session-Id = 1";
    scene.radclient(1, "coa", by_name).expect("CoA-NAK");
    // One that claims another customer's subscriber is not even answered (RFC 5176 §6.1).
    let sender = scene.sender(1);
    for nas in [&scene.nas[0], &scene.nas[1]] {
        let subscriber: [(u8, &[u8]); 2] = [(4, &octets(nas.v4)), (1, b"alice@a.example")];
        sender.nas.send(dynauth(Family::V4), &sender.request(DISCONNECT, 7, &subscriber));
    }
    sender.nas.expect_silence(Duration::from_millis(300));
    sekisho.metrics_when("both are counted", |metrics| metrics.dropped("userspace", "reverse_path") == 2);
    assert!(terminal.seen().is_empty(), "the NAS of a has heard nothing of it");
    // What is its own still works.
    let own = scene.obedient(1);
    scene.radclient(1, "disconnect", &format!("{}, User-Name = bob@b.example", scene.at(1))).expect("Disconnect-ACK");
    assert_eq!(own.seen().len(), 1);
}

#[test]
fn whoever_may_not_send_them_gets_silence_and_a_counted_reason() {
    let scene = Two::new();
    let terminal = scene.obedient(0);
    let sekisho = Sekisho::start(&scene.network, &scene.documents());
    let sender = scene.sender(0);
    let named = octets(scene.nas[0].v4);
    let request = sender.request(DISCONNECT, 1, &[(4, &named)]);
    // A terminal is no dynamic-authorization client.
    let nas = Nas::new(&scene.nas[0], scene.nas[0].v4, &client_secret("a-nas-4"));
    nas.send(dynauth(Family::V4), &request);
    // Nor are the other ports its place, nor is it theirs.
    for to in [auth(Family::V4), acct(Family::V4)] {
        nas.send(to, &request);
    }
    sender.nas.send(dynauth(Family::V4), &sender.nas.login(2, "alice@a.example", "wonderland"));
    // A wrong authenticator, and a Message-Authenticator that is wrong although nobody asked for one.
    sender
        .nas
        .send(dynauth(Family::V4), &digested(DISCONNECT, 3, "another secret", Proof::Absent, &[(4, named.clone())]));
    sender.nas.send(dynauth(Family::V4), &digested(COA, 4, &sender.secret, Proof::Bad, &[(4, named.clone())]));
    nas.expect_silence(Duration::from_millis(200));
    sender.nas.expect_silence(Duration::from_millis(100));
    let metrics = sekisho.metrics_when("each is counted", |metrics| metrics.sum("sekisho_dropped_total", &[]) == 6);
    assert_eq!(metrics.dropped("kernel", "wrong_role"), 1, "{}", metrics.drops());
    assert_eq!(metrics.dropped("kernel", "bad_code"), 3, "{}", metrics.drops());
    assert_eq!(metrics.dropped("userspace", "authenticator_bad"), 1, "{}", metrics.drops());
    assert_eq!(metrics.dropped("userspace", "message_authenticator_bad"), 1, "{}", metrics.drops());
    assert!(terminal.seen().is_empty());
    assert_eq!(sender.ask(&sender.request(DISCONNECT, 5, &[(4, &named)])).code().0, 41);
}

#[test]
fn a_request_asked_three_times_reaches_the_nas_once_and_gets_the_same_answer() {
    let scene = Two::new();
    let terminal = scene.obedient(0);
    let _sekisho = Sekisho::start(&scene.network, &scene.documents());
    let sender = scene.sender(0);
    let named = octets(scene.nas[0].v4);
    // The Proxy-States of proxies before us come back as they are, in their order.
    let request = sender.request(COA, 1, &[(4, &named), (33, b"one"), (33, b"two")]);
    let answers: Vec<_> = (0..3).map(|_| sender.ask(&request)).collect();
    assert!(answers.iter().all(|answer| *answer == answers[0]), "identical octets");
    assert_eq!(answers[0].code().0, 44);
    assert_eq!(terminal.seen().len(), 1);
    assert_eq!(terminal.seen()[0].values(33).len(), 3);
    // A NAK of our own is remembered as well.
    let unknown = sender.request(COA, 2, &[(4, &[10, 1, 2, 3])]);
    let naks = [sender.ask(&unknown), sender.ask(&unknown)];
    assert_eq!(naks[0], naks[1]);
    assert_eq!(naks[0].values(ERROR_CAUSE), [502u32.to_be_bytes()]);
}

#[test]
fn what_is_private_to_proxies_or_hidden_under_another_secret_stops_here() {
    let scene = Two::new();
    let terminal = scene.obedient(0);
    let _sekisho = Sekisho::start(&scene.network, &scene.documents());
    let named = octets(scene.nas[0].v4);
    let tunnel_password: Vec<u8> = [&[1, 0x80, 0x01][..], &[7; 16]].concat();
    let mppe: Vec<u8> = [&[0, 0, 1, 55, 17, 20, 0x80, 0x01][..], &[7; 16]].concat();
    let attributes: [(u8, &[u8]); 6] = [
        (4, &named),
        (44, b"session"),
        (126, b"1a.example"),
        (69, &tunnel_password),
        (26, &mppe),
        (26, b"\0\0\0\x09\x01\x0bip:acl=1x"),
    ];
    let sender = scene.sender(0);
    assert_eq!(sender.ask(&sender.request(COA, 1, &attributes)).code().0, 44);
    let seen = terminal.seen();
    for stopped in [126, 69] {
        assert!(seen[0].values(stopped).is_empty(), "attribute {stopped}");
    }
    assert_eq!(seen[0].values(26), [b"\0\0\0\x09\x01\x0bip:acl=1x"], "another vendor's goes on, keys do not");
    assert_eq!(seen[0].values(44), [b"session"]);
}

#[test]
fn pyrad_agrees_on_coa_and_disconnect() {
    let scene = Two::new();
    let terminal = scene.obedient(0);
    let _sekisho = Sekisho::start(&scene.network, &scene.documents());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/e2e/pyrad_coa.py");
    let secret = dynauth_secret("a-coa-4");
    for (kind, code) in [("disconnect", 41), ("coa", 44)] {
        let words = [script, &PROXY_V4.to_string(), &secret, kind, &scene.nas[0].v4.to_string()];
        let said = Program::new("/usr/bin/python3").args(words).finish(&scene.home[0].namespace, "", PATIENCE);
        assert!(said.output.contains(&format!("code {code} verified")), "{}", said.output);
    }
    assert!(terminal.seen().iter().all(Asked::digest_is_right));
}
