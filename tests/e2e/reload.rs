//! Documents change while requests go on.

use std::time::Duration;

use rustix::process::Signal;
use sekisho_tests::documents::{Customer, Documents, Server, client_secret, home_secret};
use sekisho_tests::home::ScriptedHome;
use sekisho_tests::load::{Load, LoadHome, count, summary};
use sekisho_tests::nas::Nas;
use sekisho_tests::network::{Family, Host, auth};
use sekisho_tests::sekisho::Sekisho;
use sekisho_tests::wait::eventually;

use crate::scene::{Scene, acme, home1_secret, nas_secret};

const USER: &str = "alice@acme.example";

fn scene_with_second_nas() -> (Scene, Host) {
    let mut scene = Scene::new();
    let second = scene.network.host("nas2");
    (scene, second)
}

fn served(scene: &Scene) -> Customer {
    acme(&scene.nas, "").proxy(&[Server::new("home1", scene.home.v4, "")])
}

#[test]
fn clients_come_and_go_under_traffic_without_a_lost_request() {
    let (scene, second) = scene_with_second_nas();
    let home = LoadHome::start(&scene.home, scene.home.v4, &home1_secret(), &[]);
    let hosts = [&scene.nas, &scene.home, &second];
    let mut documents = Documents::new(&hosts).customer(served(&scene));
    let sekisho = Sekisho::start(&scene.network, &documents);
    let load = Load::logins(&scene.nas, Family::V4, &nas_secret(Family::V4), 64);
    let mut load = load.with(&["--duration", "4s"]).start(&scene.nas);
    let newcomer = Nas::new(&second, second.v4, &client_secret("acme-nas-2"));

    for round in 0..3 {
        newcomer.send(auth(Family::V4), &newcomer.login(round, USER, "wonderland"));
        newcomer.expect_silence(Duration::from_millis(100));
        let dropped = sekisho.metrics().dropped("kernel", "unregistered");
        assert_eq!(dropped, u64::from(round + 1), "in the kernel, and at once: {}", sekisho.metrics().drops());

        documents.replace(served(&scene).client("acme-nas-2", second.v4, ""));
        let told = sekisho.reload(&documents);
        assert!(told.status.success() && told.output.contains("acme-nas-2"), "{}", told.output);
        let answer = newcomer.ask(auth(Family::V4), &newcomer.login(100 + round, USER, "wonderland"));
        assert_eq!(answer.code().0, 2);

        documents.replace(served(&scene));
        let told = sekisho.reload(&documents);
        assert!(told.status.success() && told.output.contains("acme-nas-2"), "{}", told.output);
    }
    assert!(load.exits_within(Duration::from_secs(30)).success());
    let load = summary(&load);
    assert_eq!(count(&load, "completed"), count(&load, "sent"), "{load}");
    for none in ["lost", "bad", "retransmitted"] {
        assert_eq!(count(&load, none), 0, "{none}: {load}");
    }
    assert_eq!(count(&home.counts(), "distinct"), count(&load, "sent") + 3);
    let metrics = sekisho.metrics();
    assert_eq!(metrics.sum("sekisho_config_reloads_total", &[("result", "success")]), 6);
    sekisho.assert_every_packet_is_counted_once();
}

#[test]
fn a_faulty_document_is_refused_by_its_place_and_changes_nothing() {
    let (scene, second) = scene_with_second_nas();
    let _home = ScriptedHome::willing(&scene.home, &home1_secret());
    let documents = Documents::new(&[&scene.nas, &scene.home, &second]).customer(served(&scene));
    let mut sekisho = Sekisho::start(&scene.network, &documents);
    // One customer that is in order, one that is not: all or nothing.
    let good = Customer::new("good").client("good-nas", second.v4, "");
    let documents_with_good = documents.customer(good.proxy(&[Server::new("good-home", scene.home.v6, "")]));
    documents_with_good.write();
    let faulty = "[customer]\nname = \"faulty\"\n\n[[client]]\ncontract = \"f-1\"\naddress = \"10.0.0.0/24\"\n";
    documents_with_good.write_customer("faulty", faulty);

    let told = sekisho.command(&["reload"]);
    assert_eq!(told.status.code(), Some(2), "{}", told.output);
    assert!(told.output.contains("faulty.toml:6:"), "{}", told.output);
    assert!(told.output.contains("Nothing has changed"), "{}", told.output);
    sekisho.process().signal(Signal::HUP);
    let metrics = sekisho.metrics_when("two refusals", |metrics| {
        metrics.sum("sekisho_config_reloads_total", &[("result", "refused")]) == 2
    });
    assert_eq!(metrics.sum("sekisho_config_last_reload_successful", &[]), 0);

    let nas = scene.scripted_nas(Family::V4);
    assert_eq!(nas.ask(auth(Family::V4), &nas.login(1, USER, "wonderland")).code().0, 2);
    let stranger = Nas::new(&second, second.v4, &client_secret("good-nas"));
    stranger.send(auth(Family::V4), &stranger.login(1, "bob@good.example", "wonderland"));
    stranger.expect_silence(Duration::from_millis(200));
    assert_eq!(sekisho.metrics().dropped("kernel", "unregistered"), 1);
    assert!(!sekisho.metrics().has("sekisho_customer_requests_total", &[("customer", "good")]));
}

#[test]
fn sighup_reloads_as_well() {
    let (scene, second) = scene_with_second_nas();
    let _home = ScriptedHome::willing(&scene.home, &home1_secret());
    let mut documents = Documents::new(&[&scene.nas, &scene.home, &second]).customer(served(&scene));
    let mut sekisho = Sekisho::start(&scene.network, &documents);
    documents.replace(served(&scene).client("acme-nas-2", second.v4, ""));
    documents.write();
    sekisho.process().signal(Signal::HUP);
    sekisho.metrics_when("it is reloaded", |metrics| {
        metrics.sum("sekisho_config_reloads_total", &[("result", "success")]) == 1
    });
    let nas = Nas::new(&second, second.v4, &client_secret("acme-nas-2"));
    assert_eq!(nas.ask(auth(Family::V4), &nas.login(1, USER, "wonderland")).code().0, 2);
}

#[test]
fn an_answer_under_way_from_a_server_that_was_just_removed_still_arrives() {
    let mut scene = Scene::new();
    let second = scene.network.host("home2");
    let home =
        ScriptedHome::start(&scene.home, &home1_secret(), |asked| vec![asked.accept().after(Duration::from_secs(1))]);
    let heir = ScriptedHome::willing(&second, &home_secret("home2"));
    let hosts = [&scene.nas, &scene.home, &second];
    let mut documents = Documents::new(&hosts).customer(served(&scene));
    let sekisho = Sekisho::start(&scene.network, &documents);
    let nas = scene.scripted_nas(Family::V4);
    let request = nas.login(1, USER, "wonderland");
    nas.send(auth(Family::V4), &request);
    eventually("the first server is asked", || (home.seen().len() == 1).then_some(()));
    documents.replace(acme(&scene.nas, "").proxy(&[Server::new("home2", second.v4, "")]));
    assert!(sekisho.reload(&documents).status.success());
    let other = scene.scripted_nas(Family::V4);
    assert_eq!(other.ask(auth(Family::V4), &other.login(2, USER, "wonderland")).code().0, 2);
    assert_eq!(heir.seen().len(), 1, "new requests go to the new server");
    assert_eq!(nas.answer(&request, Duration::from_secs(5)).expect("the old server's answer").code().0, 2);
    assert!(!sekisho.metrics().has("sekisho_server_requests_total", &[("server", "home1")]), "gone from the metrics");
}

#[test]
fn what_cannot_change_live_is_refused_and_nothing_of_the_rest_applied() {
    let (scene, second) = scene_with_second_nas();
    let _home = ScriptedHome::willing(&scene.home, &home1_secret());
    let documents = Documents::new(&[&scene.nas, &scene.home, &second]).customer(served(&scene));
    let sekisho = Sekisho::start(&scene.network, &documents);
    let path = documents.write();
    let text = std::fs::read_to_string(&path).unwrap().replace("workers = 2", "workers = 3");
    std::fs::write(&path, text).unwrap();
    let told = sekisho.command(&["reload"]);
    assert_eq!(told.status.code(), Some(2), "{}", told.output);
    assert!(told.output.contains("workers") && told.output.contains("next start"), "{}", told.output);
}
