//! Who may come in, judged by the kernel, and in the same way by userspace where there is no XDP.

use std::net::IpAddr;
use std::time::Duration;

use sekisho_tests::freeradius::{Account, FreeRadius};
use sekisho_tests::home::ScriptedHome;
use sekisho_tests::nas::Nas;
use sekisho_tests::network::{Family, Host, auth};
use sekisho_tests::radclient::Radclient;
use sekisho_tests::sekisho::Sekisho;

use crate::scene::{Scene, acme, home1_secret, nas_secret};
use sekisho_tests::documents::{Documents, Server};

/// A stranger beside the NAS, and documents that know the NAS by its own link only.
fn with_stranger(mode: &str) -> (Scene, Host, Documents) {
    let mut scene = Scene::new();
    let stranger = scene.network.host("stranger");
    let customer =
        acme(&scene.nas, "ingress = [\"nas\"]").proxy(&[Server::new("home1", scene.home.v4, "ingress = [\"home1\"]")]);
    let documents = Documents::new(&[&scene.nas, &scene.home, &stranger]).xdp(mode).customer(customer);
    (scene, stranger, documents)
}

/// Sends `count` logins from an address, in a rhythm that the queues of a link follow.
fn flood(from: &Nas, family: Family, count: usize) {
    let packets: Vec<_> = (0..=255).map(|id| from.login(id, "alice@acme.example", "wonderland")).collect();
    for (n, packet) in packets.iter().cycle().take(count).enumerate() {
        from.send(auth(family), packet);
        if n % 32 == 31 {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

fn stranger_with(host: &Host, address: IpAddr) -> Nas {
    Nas::new(host, address, "whatever it may be")
}

#[test]
fn ten_thousand_packets_from_strangers_end_in_the_kernel_while_logins_go_on() {
    let (scene, stranger, documents) = with_stranger("native");
    let accounts = [Account::new("alice@acme.example", "wonderland")];
    let freeradius = FreeRadius::start(&scene.home.namespace, &home1_secret(), &accounts);
    let sekisho = Sekisho::start(&scene.network, &documents);
    let before = scene.network.proxy.udp_counters();

    let logins = std::thread::scope(|scope| {
        for family in Family::BOTH {
            let from = stranger_with(&stranger, stranger.address(family));
            scope.spawn(move || flood(&from, family, 5000));
        }
        let mut logins = 0;
        for _ in 0..5 {
            for family in Family::BOTH {
                let pairs = "User-Name = alice@acme.example, User-Password = wonderland";
                let answer = Radclient::default().login(&scene.nas, auth(family), &nas_secret(family), pairs);
                answer.expect("Access-Accept");
                logins += 1;
            }
        }
        logins
    });

    let metrics = sekisho.metrics_when("10,000 are counted as dropped in the kernel", |metrics| {
        metrics.dropped("kernel", "unregistered") >= 10_000
    });
    assert_eq!(metrics.dropped("kernel", "unregistered"), 10_000);
    assert_eq!(metrics.dropped("userspace", "unregistered"), 0);
    assert_eq!(metrics.received(), logins, "userspace saw the logins and nothing else");
    sekisho.assert_every_packet_is_counted_once();
    let after = scene.network.proxy.udp_counters();
    assert_eq!(after.received - before.received, 2 * logins, "requests and replies reached sockets, nothing else");
    assert_eq!((after.no_port, after.buffer_full), (before.no_port, before.buffer_full));
    assert_eq!(freeradius.received("Access-Request") as u64, logins, "no login had to be repeated");
}

#[test]
fn a_registered_address_on_the_wrong_ingress_has_a_reason_of_its_own() {
    let (scene, stranger, documents) = with_stranger("native");
    let home = ScriptedHome::willing(&scene.home, &home1_secret());
    let sekisho = Sekisho::start(&scene.network, &documents);
    for family in Family::BOTH {
        let address = scene.nas.address(family);
        stranger.also_has(address);
        flood(&Nas::new(&stranger, address, &nas_secret(family)), family, 100);
    }
    let metrics = sekisho.metrics_when("200 misplaced", |metrics| metrics.dropped("kernel", "wrong_ingress") >= 200);
    assert_eq!(metrics.dropped("kernel", "wrong_ingress"), 200);
    assert_eq!(metrics.dropped("kernel", "unregistered"), 0);
    assert_eq!(metrics.received(), 0);
    sekisho.assert_every_packet_is_counted_once();
    for family in Family::BOTH {
        let nas = scene.scripted_nas(family);
        let answer = nas.ask(auth(family), &nas.login(1, "alice@acme.example", "wonderland"));
        assert_eq!(answer.code().0, 2, "the true NAS is served");
    }
    assert_eq!(home.seen().len(), 2);
}

#[test]
fn without_xdp_userspace_gives_the_same_verdicts_for_the_same_reasons() {
    let (scene, stranger, documents) = with_stranger("off");
    let home = ScriptedHome::willing(&scene.home, &home1_secret());
    let sekisho = Sekisho::start(&scene.network, &documents);
    for family in Family::BOTH {
        flood(&stranger_with(&stranger, stranger.address(family)), family, 100);
        let address = scene.nas.address(family);
        stranger.also_has(address);
        flood(&Nas::new(&stranger, address, &nas_secret(family)), family, 50);
        let nas = scene.scripted_nas(family);
        let answer = nas.ask(auth(family), &nas.login(1, "alice@acme.example", "wonderland"));
        assert_eq!(answer.code().0, 2, "the true NAS is served");
    }
    let metrics = sekisho.metrics_when("all are counted", |metrics| metrics.received() >= 302);
    assert_eq!(metrics.dropped("userspace", "unregistered"), 200);
    assert_eq!(metrics.dropped("userspace", "wrong_ingress"), 100);
    assert_eq!(metrics.received(), 302);
    assert_eq!(metrics.sum("sekisho_dropped_total", &[("where", "kernel")]), 0);
    assert_eq!(home.seen().len(), 2);
}

#[test]
fn a_reply_from_a_host_that_is_no_home_server_is_no_reply() {
    let (mut scene, stranger, _) = with_stranger("native");
    // A second customer's server: registered, but not the one that was asked.
    let other = scene.network.host("home2");
    let server = Server::new("home1", scene.home.v4, "ingress = [\"home1\"]");
    let customer = acme(&scene.nas, "").proxy(&[server, Server::new("home2", other.v4, "ingress = [\"home2\"]")]);
    let documents = Documents::new(&[&scene.nas, &scene.home, &stranger, &other]).customer(customer);
    // The home server holds its answer back until the others have tried theirs.
    let home = ScriptedHome::start(&scene.home, &home1_secret(), |asked| {
        vec![asked.accept().after(Duration::from_millis(600))]
    });
    let sekisho = Sekisho::start(&scene.network, &documents);
    let nas = scene.scripted_nas(Family::V4);
    let request = nas.login(7, "alice@acme.example", "wonderland");
    nas.send(auth(Family::V4), &request);
    let asked = sekisho_tests::wait::eventually("the home server is asked", || home.seen().first().cloned());
    let reply = asked.accept();
    stranger.also_has(scene.home.v4);
    for (host, address) in [(&stranger, stranger.v4), (&stranger, scene.home.v4), (&other, other.v4)] {
        let socket = host.namespace.run(move || std::net::UdpSocket::bind((address, 1812))).unwrap();
        socket.send_to(reply.octets(), asked.from).unwrap();
    }
    let answer = nas.answer(&request, Duration::from_secs(5)).expect("the true home server's answer");
    assert_eq!(answer.code().0, 2);
    nas.expect_silence(Duration::from_millis(100));
    let metrics = sekisho.metrics();
    assert_eq!(metrics.dropped("kernel", "unregistered"), 1, "the stranger under its own address");
    assert_eq!(metrics.dropped("kernel", "wrong_ingress"), 1, "the stranger under the home server's");
    assert_eq!(metrics.dropped("userspace", "reply_unmatched"), 1, "another home server");
}
