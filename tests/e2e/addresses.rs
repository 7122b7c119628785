//! A host with several addresses.

use sekisho_tests::home::ScriptedHome;
use sekisho_tests::network::{Family, acct, auth};
use sekisho_tests::sekisho::Sekisho;

use crate::scene::{Scene, home1_secret};

/// A second service address of the proxy's.
const SECOND: &str = "10.99.255.2";

#[test]
fn a_reply_comes_from_the_address_and_port_that_was_asked() {
    let scene = Scene::new();
    scene.network.proxy.ip(&format!("address add {SECOND}/32 dev lo"));
    let _home = ScriptedHome::willing(&scene.home, &home1_secret());
    let second = format!("[[listener]]\naddress = \"{SECOND}\"\nauth = 1645\naccounting = 1646\n");
    let documents = scene.documents_with(Family::V4, "reject_delay = \"10ms\"", "").with(&second);
    let _sekisho = Sekisho::start(&scene.network, &documents);
    let at = |port: u16| std::net::SocketAddr::new(SECOND.parse().unwrap(), port);
    let v4 = [(auth(Family::V4), acct(Family::V4)), (at(1645), at(1646))];
    let v6 = [(auth(Family::V6), acct(Family::V6))];
    for (family, places) in [(Family::V4, &v4[..]), (Family::V6, &v6)] {
        let nas = scene.scripted_nas(family);
        for (n, (auth, acct)) in places.iter().enumerate() {
            let id = 10 * n as u8;
            let cases = [
                (*auth, nas.login(id, "alice@acme.example", "wonderland"), 2),
                // A Reject of our own, and the answer to Status-Server, are no exception.
                (*auth, nas.login(id + 1, "bob@elsewhere.test", "wonderland"), 3),
                (*auth, nas.request(12, id + 2, &[]), 2),
                (*acct, nas.accounting(id + 3, "alice@acme.example", 1, "session"), 5),
            ];
            for (to, request, code) in cases {
                // Twice: what is remembered comes from there as well.
                for _ in 0..2 {
                    nas.send(to, &request);
                    let (bytes, from) = nas.receive_from(sekisho_tests::wait::PATIENCE).expect("an answer");
                    assert_eq!((bytes[0], from), (code, to));
                }
            }
        }
    }
}
