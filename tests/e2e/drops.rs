//! `sekisho drops`: what an operator sees of what is dropped, and what of it he never sees.

use sekisho_tests::documents::{Documents, Server};
use sekisho_tests::home::ScriptedHome;
use sekisho_tests::nas::Nas;
use sekisho_tests::network::{Family, Host, auth};
use sekisho_tests::sekisho::Sekisho;
use sekisho_tests::wait::eventually;
use serde_json::Value;

use crate::scene::{Scene, acme, home1_secret};

/// What names the subscriber, and must not be shown.
const USER: &str = "wanda";
const DEVICE: &str = "02-00-5e-10-00-99";

fn scene(mode: &str) -> (Scene, Host, Documents) {
    let mut scene = Scene::new();
    let stranger = scene.network.host("stranger");
    let limits = "ingress = [\"nas\"]\nsession_rate = 1\nsession_burst = 5";
    let customer = acme(&scene.nas, limits).proxy(&[Server::new("home1", scene.home.v4, "")]);
    let documents = Documents::new(&[&scene.nas, &scene.home, &stranger]).xdp(mode).customer(customer);
    (scene, stranger, documents)
}

fn send(nas: &Nas, family: Family, count: u8) {
    for id in 0..count {
        let login = nas.login_with(id, &format!("{USER}@acme.example"), "wonderland", &[(31, DEVICE.as_bytes())]);
        nas.send(auth(family), &login);
    }
}

fn rows(sekisho: &Sekisho<'_>, more: &[&str]) -> Vec<Value> {
    let shown = sekisho.command(&[&["drops", "--once", "--json"], more].concat());
    assert!(shown.status.success(), "{}", shown.output);
    is_discreet(&shown.output);
    serde_json::from_str::<Vec<Value>>(&shown.output).expect("a list")
}

fn total(rows: &[Value], reason: &str) -> u64 {
    rows.iter().filter(|row| row["reason"] == reason).map(|row| row["total"].as_u64().unwrap_or(0)).sum()
}

#[track_caller]
fn is_discreet(shown: &str) {
    for secret in [USER, DEVICE, "acme.example"] {
        assert!(!shown.contains(secret), "{secret} is shown: {shown}");
    }
}

#[test]
fn drops_are_shown_by_source_and_reason_with_their_rate_and_without_a_subscriber() {
    for (mode, place) in [("native", "kernel"), ("off", "userspace")] {
        let (scene, stranger, documents) = scene(mode);
        let _home = ScriptedHome::willing(&scene.home, &home1_secret());
        let sekisho = Sekisho::start(&scene.network, &documents);
        // Samples are few, so that a flood costs little: each sender goes on until one has been taken of it.
        let found = eventually("a sample of each is shown", || {
            for family in Family::BOTH {
                send(&Nas::new(&stranger, stranger.address(family), "whatever it may be"), family, 20);
                send(&scene.scripted_nas(family), family, 20);
            }
            let found = rows(&sekisho, &[]);
            (found.len() == 4).then_some(found)
        });
        let metrics = sekisho.metrics();
        for reason in ["unregistered", "session_rate"] {
            let (shown, counted) = (total(&found, reason), metrics.dropped(place, reason));
            assert!(shown <= counted && shown > 0, "{mode}: {shown} {reason} are shown of {counted}");
        }
        for family in Family::BOTH {
            let of = |host: &Host, reason: &str| {
                let address = host.address(family).to_string();
                let row = found.iter().find(|row| row["source"] == address.as_str() && row["reason"] == reason);
                row.unwrap_or_else(|| panic!("{mode}: {address} {reason} in {found:?}")).clone()
            };
            let unknown = of(&stranger, "unregistered");
            assert_eq!((unknown["where"].as_str(), unknown["interface"].as_str()), (Some(place), Some("stranger")));
            assert!(unknown["customer"].is_null() && unknown["session"].is_null(), "{unknown}");
            let mad = of(&scene.nas, "session_rate");
            assert_eq!((mad["where"].as_str(), mad["customer"].as_str()), (Some(place), Some("acme")));
            assert!(mad["name"].as_str().is_some_and(|name| name.starts_with("acme-nas-")), "{mad}");
            let session = mad["session"].as_str().expect("a session");
            assert!(session.len() == 16 && session.chars().all(|it| it.is_ascii_hexdigit()), "{session}");
        }
        assert!(!sekisho.log().contains(DEVICE));
    }
}

#[test]
fn drops_have_a_rate_while_they_go_on_and_are_explained_on_the_page() {
    let (scene, stranger, documents) = scene("native");
    let sekisho = Sekisho::start(&scene.network, &documents);
    let from = Nas::new(&stranger, stranger.v4, "whatever it may be");
    let page = eventually("a rate is shown", || {
        send(&from, Family::V4, 50);
        let found = rows(&sekisho, &["--reason", "unregistered"]);
        let has_rate = found.iter().any(|row| row["rate"].as_f64().is_some_and(|rate| rate > 0.0));
        has_rate.then(|| sekisho.command(&["drops", "--once"]).output)
    });
    is_discreet(&page);
    assert!(page.contains("PER SECOND") && page.contains("a stranger"), "{page}");
    assert!(page.contains(&format!("{} on stranger", stranger.v4)), "{page}");
    assert!(page.contains("unregistered: "), "what to do about it: {page}");
}

#[test]
fn drops_are_filtered_by_reason_and_source() {
    let (scene, stranger, documents) = scene("native");
    let _home = ScriptedHome::willing(&scene.home, &home1_secret());
    let sekisho = Sekisho::start(&scene.network, &documents);
    eventually("both are shown", || {
        send(&Nas::new(&stranger, stranger.v4, "whatever it may be"), Family::V4, 20);
        send(&scene.scripted_nas(Family::V4), Family::V4, 20);
        let found = rows(&sekisho, &[]);
        (total(&found, "unregistered") > 0 && total(&found, "session_rate") > 0).then_some(())
    });
    let only = |more: &[&str]| {
        let found = rows(&sekisho, more);
        (total(&found, "unregistered") > 0, total(&found, "session_rate") > 0)
    };
    assert_eq!(only(&["--reason", "unregistered"]), (true, false));
    assert_eq!(only(&["--source", &scene.nas.v4.to_string()]), (false, true));
    assert_eq!(only(&["--source", &format!("{}/24", stranger.v4)]), (true, false));
    assert_eq!(only(&["--source", "192.0.2.0/24"]), (false, false));
    let nonsense = sekisho.command(&["drops", "--once", "--reason", "because"]);
    assert!(!nonsense.status.success() && nonsense.output.contains("no such reason"), "{}", nonsense.output);
}
