//! Too much of everything: what can be spared goes first, and logins and Stops go on.

use std::time::Duration;

use sekisho_tests::documents::{Documents, Server};
use sekisho_tests::home::ScriptedHome;
use sekisho_tests::nas::Nas;
use sekisho_tests::network::{Family, Host, acct, auth};
use sekisho_tests::sekisho::Sekisho;
use sekisho_tests::wait::{eventually, within};

use crate::scene::{Scene, acme, home1_secret};

const USER: &str = "alice@acme.example";
const CARRIER: &str = "secret-of-the-carrier";
const START: u32 = 1;
const STOP: u32 = 2;
const INTERIM: u32 = 3;

/// A home server that takes accounting and is silent about logins, and a node with hardly any room for those that wait.
struct Overload {
    scene: Scene,
    carrier: Host,
    home: ScriptedHome,
}

impl Overload {
    fn new() -> Overload {
        let mut scene = Scene::new();
        let carrier = scene.network.host("carrier");
        let home = ScriptedHome::start(&scene.home, &home1_secret(), |asked| match asked.code().0 {
            4 => vec![asked.accept()],
            _ => Vec::new(),
        });
        Overload { scene, carrier, home }
    }

    fn documents(&self, mode: &str) -> Documents {
        let server = Server::new("home1", self.scene.home.v4, "response_window = \"30s\"\nmax_outstanding = 8192");
        let customer = acme(&self.scene.nas, "answer_within = \"60s\"").proxy(&[server]);
        let carrier = format!(
            "[[access_network]]\nname = \"carrier\"\ntype = \"D\"\naddresses = [\"{}\"]\nsecret = \"{CARRIER}\"\n\
             reject_delay = \"1s\"\nrealm_rate = 0",
            self.carrier.v4
        );
        let documents = Documents::new(&[&self.scene.nas, &self.scene.home, &self.carrier]).xdp(mode).workers(1);
        documents.limit("max_requests", 1024).with(&carrier).customer(customer)
    }

    /// Sends so many logins that nobody answers, and waits until they are in flight.
    fn wait(&self, sekisho: &Sekisho<'_>, logins: usize) {
        let before = sekisho.metrics().sum("sekisho_in_flight", &[]);
        let mut left = logins;
        while left > 0 {
            let (nas, some) = (self.scene.scripted_nas(Family::V4), left.min(256));
            for id in 0..some {
                nas.send(auth(Family::V4), &nas.login(id as u8, USER, "wonderland"));
            }
            left -= some;
            let waiting = before + (logins - left) as u64;
            sekisho.metrics_when("they wait", |metrics| metrics.sum("sekisho_in_flight", &[]) >= waiting);
        }
    }

    /// Sends logins, a few at a time, until so much is shed and no more.
    fn fill(&self, sekisho: &Sekisho<'_>, level: u64) {
        let shedding = || sekisho.metrics().sum("sekisho_shedding_level", &[]);
        eventually("something is shed", || {
            self.wait(sekisho, 8);
            // The tables are looked at ten times a second.
            within(Duration::from_millis(250), || (shedding() >= level).then_some(()))
        });
        assert_eq!(shedding(), level);
    }
}

/// Holds that a record is acknowledged, or dropped for the reason at that place.
#[track_caller]
fn record(sekisho: &Sekisho<'_>, nas: &Nas, id: u8, status: u32, shed: Option<(&str, &str)>) {
    let request = nas.accounting(id, USER, status, &format!("session-{id}"));
    let Some((place, reason)) = shed else {
        assert_eq!(nas.ask(acct(Family::V4), &request).code().0, 5);
        return;
    };
    let before = sekisho.metrics().dropped(place, reason);
    nas.send(acct(Family::V4), &request);
    sekisho.metrics_when(reason, |metrics| metrics.dropped(place, reason) == before + 1);
    nas.expect_silence(Duration::from_millis(100));
}

#[test]
fn interims_go_first_then_starts_while_stops_and_logins_go_on() {
    for (mode, place) in [("native", "kernel"), ("off", "userspace")] {
        let overload = Overload::new();
        let sekisho = Sekisho::start(&overload.scene.network, &overload.documents(mode));
        let nas = overload.scene.scripted_nas(Family::V4);
        for (id, status) in [(1, START), (2, STOP), (3, INTERIM)] {
            record(&sekisho, &nas, id, status, None);
        }

        overload.wait(&sekisho, 750);
        assert_eq!(sekisho.metrics().sum("sekisho_shedding_level", &[]), 0, "three quarters of 1024 are not there yet");
        overload.fill(&sekisho, 1);
        record(&sekisho, &nas, 11, INTERIM, Some((place, "shed_interim")));
        record(&sekisho, &nas, 12, START, None);
        record(&sekisho, &nas, 13, STOP, None);

        overload.wait(&sekisho, 880 - sekisho.metrics().sum("sekisho_in_flight", &[]) as usize);
        overload.fill(&sekisho, 2);
        record(&sekisho, &nas, 21, INTERIM, Some((place, "shed_interim")));
        record(&sekisho, &nas, 22, START, Some((place, "shed_start")));
        record(&sekisho, &nas, 23, STOP, None);
        let before = overload.home.seen().len();
        nas.send(auth(Family::V4), &nas.login(24, "last@acme.example", "wonderland"));
        eventually("a login still reaches the home server", || {
            overload.home.seen()[before..].iter().any(|asked| asked.user() == "last@acme.example").then_some(())
        });

        let status = sekisho.command(&["status"]);
        assert!(status.output.contains("shedding Interim-Updates and Starts"), "{}", status.output);
        assert!(sekisho.log().contains("Interim-Updates and Starts are shed from now on"));
        assert_eq!(sekisho.status()["backlog"]["shedding"], 2);
        if mode == "native" {
            sekisho.assert_every_packet_is_counted_once();
        }
    }
}

#[test]
fn when_the_load_goes_what_was_shed_is_taken_again() {
    for mode in ["native", "off"] {
        let overload = Overload::new();
        let mut documents = overload.documents(mode);
        let sekisho = Sekisho::start(&overload.scene.network, &documents);
        overload.wait(&sekisho, 750);
        overload.fill(&sekisho, 1);
        // More room is the same as less in it.
        documents.set_limit("max_requests", 65_536);
        assert!(sekisho.reload(&documents).status.success());
        sekisho.metrics_when("nothing is shed", |metrics| metrics.sum("sekisho_shedding_level", &[]) == 0);
        record(&sekisho, &overload.scene.scripted_nas(Family::V4), 1, INTERIM, None);
        assert!(sekisho.log().contains("nothing is shed any more"), "{mode}");
    }
}

#[test]
fn logins_from_an_access_network_get_rejects_when_there_is_no_room_and_never_silence() {
    for mode in ["native", "off"] {
        let overload = Overload::new();
        let sekisho = Sekisho::start(&overload.scene.network, &overload.documents(mode));
        // Answers wait a second and are remembered afterwards: there is room for 1024.
        let equipment: Vec<_> = (0..12).map(|_| Nas::new(&overload.carrier, overload.carrier.v4, CARRIER)).collect();
        let mut asked = 0;
        for nas in &equipment {
            for first in (0..128).step_by(32) {
                (first..first + 32).for_each(|id| nas.send(auth(Family::V4), &nas.login(id, USER, "wonderland")));
                asked += 32;
                sekisho.metrics_when("all have been received", |metrics| {
                    metrics.sum("sekisho_requests_total", &[("code", "access")]) == asked
                });
            }
        }
        let mut answered = 0;
        for nas in &equipment {
            for _ in 0..128 {
                let Some(bytes) = nas.receive(Duration::from_secs(5)) else { break };
                assert_eq!(bytes[0], 3, "Access-Reject");
                answered += 1;
            }
        }
        let metrics = sekisho.metrics();
        assert_eq!(answered, asked, "{mode}: {}", metrics.drops());
        assert!(metrics.sum("sekisho_rejected_full_total", &[]) > 0, "{mode}: there was room for all");
    }
}
