//! The harness itself, without sekisho: a test that fails here means that the others say nothing.

use sekisho_tests::freeradius::{Account, FreeRadius};
use sekisho_tests::network::{ACCT, AUTH, Family, Network};
use sekisho_tests::radclient::Radclient;
use std::net::SocketAddr;

#[test]
fn radclient_logs_in_at_freeradius_through_a_router() {
    let mut network = Network::new();
    let (nas, home) = (network.host("nas"), network.host("home1"));
    network.proxy.write_sysctl("net/ipv4/ip_forward", "1");
    network.proxy.write_sysctl("net/ipv6/conf/all/forwarding", "1");
    let alice = Account::new("alice@acme.example", "wonderland").reply("Tunnel-Password:1 = \"one\"");
    let secret = "a secret of theirs";
    let freeradius = FreeRadius::start(&home.namespace, secret, &[alice]);
    for family in Family::BOTH {
        let server = SocketAddr::new(home.address(family), AUTH);
        let pairs = "User-Name = alice@acme.example, User-Password = wonderland, Message-Authenticator = 0x00";
        let answer = Radclient::default().login(&nas, server, secret, pairs).expect("Access-Accept");
        assert_eq!(answer.values("Tunnel-Password:1"), ["one"]);
        let wrong = pairs.replace("= wonderland", "= looking-glass");
        Radclient::default().login(&nas, server, secret, &wrong).expect("Access-Reject");
        let record = "User-Name = alice@acme.example, Acct-Status-Type = Start, Acct-Session-Id = 1";
        let server = SocketAddr::new(home.address(family), ACCT);
        Radclient::default().accounting(&nas, server, secret, record).expect("Accounting-Response");
    }
    assert_eq!(freeradius.records().len(), 2);
    assert_eq!(freeradius.received("Access-Request"), 4);
}
