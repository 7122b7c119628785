//! Rates: of a client, of a session, of new sessions. The kernel keeps them, or userspace where there is no XDP, and the NAS
//! cannot tell which.

use std::time::{Duration, Instant};

use sekisho_tests::documents::{Customer, Documents, Server, client_secret, home_secret};
use sekisho_tests::home::ScriptedHome;
use sekisho_tests::metrics::Metrics;
use sekisho_tests::nas::Nas;
use sekisho_tests::network::{Family, Host, Network, acct, auth};
use sekisho_tests::sekisho::Sekisho;

/// Where limits are kept: with the gate, and without.
const PLACES: [(&str, &str); 2] = [("native", "kernel"), ("off", "userspace")];
/// So long nothing comes any more.
const QUIET: Duration = Duration::from_millis(300);

/// Two customers with a NAS and a home server each; the links say who may come in where.
struct Town {
    network: Network,
    nas: Host,
    neighbour: Host,
    home: Host,
    neighbours_home: Host,
}

impl Town {
    fn new() -> Town {
        let mut network = Network::new();
        let names = ["nas", "neighbour", "home-acme", "home-other"];
        let [nas, neighbour, home, neighbours_home] = names.map(|name| network.host(name));
        Town { network, nas, neighbour, home, neighbours_home }
    }

    /// `limits` are of acme's NAS, by both its addresses; the neighbour has those of the node.
    fn documents(&self, mode: &str, limits: &str) -> Documents {
        let hosts = [&self.nas, &self.neighbour, &self.home, &self.neighbours_home];
        Documents::new(&hosts).xdp(mode).customer(self.acme(limits)).customer(self.other())
    }

    fn acme(&self, limits: &str) -> Customer {
        let more = format!("ingress = [\"nas\"]\n{limits}");
        let customer = Customer::new("acme").client("acme-4", self.nas.v4, &more).client("acme-6", self.nas.v6, &more);
        customer.proxy(&[Server::new("home-acme", self.home.v4, "")])
    }

    fn other(&self) -> Customer {
        let server = Server::new("home-other", self.neighbours_home.v4, "");
        Customer::new("other").client("other-4", self.neighbour.v4, "").proxy(&[server])
    }

    /// Both home servers; acme's first.
    fn homes(&self) -> [ScriptedHome; 2] {
        let homes = [(&self.home, "home-acme"), (&self.neighbours_home, "home-other")];
        homes.map(|(host, name)| ScriptedHome::willing(host, &home_secret(name)))
    }

    fn nas(&self, family: Family) -> Nas {
        Nas::new(&self.nas, self.nas.address(family), &client_secret(contract(family)))
    }

    fn neighbour(&self) -> Nas {
        Nas::new(&self.neighbour, self.neighbour.v4, &client_secret("other-4"))
    }
}

fn contract(family: Family) -> &'static str {
    match family {
        Family::V4 => "acme-4",
        Family::V6 => "acme-6",
    }
}

/// What came of requests that were sent at once.
struct Burst {
    sent: u64,
    answered: u64,
    took: Duration,
}

impl Burst {
    /// Sends requests back to back and counts the answers, each of which has to verify.
    fn of(nas: &Nas, family: Family, requests: &[Vec<u8>]) -> Burst {
        let begun = Instant::now();
        for request in requests {
            nas.send(if request[0] == 4 { acct(family) } else { auth(family) }, request);
        }
        let took = begun.elapsed();
        let mut answered = 0;
        while let Some(bytes) = nas.receive(QUIET) {
            let request = requests.iter().find(|request| request[1] == bytes[1]).expect("an answer to one of them");
            nas.judge(request, bytes);
            answered += 1;
        }
        Burst { sent: requests.len() as u64, answered, took }
    }

    /// Holds that as many got through as a full bucket lets through.
    #[track_caller]
    fn is_cut_to(&self, burst: u64, rate: u64) {
        let grown = (rate as f64 * self.took.as_secs_f64()).ceil() as u64;
        let admitted = burst..=burst + grown + 1;
        assert!(admitted.contains(&self.answered), "{} of {} in {:?}", self.answered, self.sent, self.took);
    }
}

/// Logins of different users and devices: each its own session.
fn logins(nas: &Nas, ids: std::ops::Range<u8>) -> Vec<Vec<u8>> {
    ids.map(|id| login(nas, id, &format!("device-{id}"))).collect()
}

fn login(nas: &Nas, id: u8, device: &str) -> Vec<u8> {
    nas.login_with(id, &format!("user-{id}@acme.example"), "wonderland", &[(31, device.as_bytes())])
}

fn neighbours_logins(nas: &Nas) -> Vec<Vec<u8>> {
    (0..20).map(|id| nas.login(id, &format!("user-{id}@other.example"), "wonderland")).collect()
}

/// Holds that `count` were dropped there for the reason, and none for another.
#[track_caller]
fn dropped(metrics: &Metrics, place: &str, reason: &str, count: u64) {
    let all = metrics.sum("sekisho_dropped_total", &[]);
    assert_eq!((metrics.dropped(place, reason), all), (count, count), "{}", metrics.drops());
}

#[test]
fn a_client_over_its_rate_is_cut_to_it_and_its_neighbour_is_not() {
    for (mode, place) in PLACES {
        let town = Town::new();
        let [home, _other] = town.homes();
        let sekisho = Sekisho::start(&town.network, &town.documents(mode, "client_rate = 2\nclient_burst = 20"));
        let mut over = 0;
        for family in Family::BOTH {
            let nas = town.nas(family);
            let requests = logins(&nas, 0..80);
            let burst = Burst::of(&nas, family, &requests);
            burst.is_cut_to(20, 2);
            over += burst.sent - burst.answered;
            let neighbour = town.neighbour();
            let others = Burst::of(&neighbour, Family::V4, &neighbours_logins(&neighbour));
            assert_eq!(others.answered, others.sent, "{mode}");
            let metrics = sekisho.metrics();
            dropped(&metrics, place, "client_rate", over);
            if mode == "native" {
                let counted = |client, outcome| {
                    metrics.sum("sekisho_client_packets_total", &[("client", client), ("outcome", outcome)])
                };
                assert_eq!(counted(contract(family), "client_rate"), burst.sent - burst.answered);
                assert_eq!(counted(contract(family), "passed"), burst.answered);
                assert_eq!(counted("other-4", "client_rate"), 0);
            } else {
                assert_eq!(metrics.sum("sekisho_customer_dropped_total", &[("customer", "acme")]), over);
                assert_eq!(metrics.sum("sekisho_customer_dropped_total", &[("customer", "other")]), 0);
            }
        }
        assert_eq!(home.seen().len() as u64, 160 - over, "{mode}: no more reached the home server");
        if mode == "native" {
            sekisho.assert_every_packet_is_counted_once();
        }
    }
}

#[test]
fn a_session_over_its_rate_leaves_its_neighbours_at_the_same_nas() {
    for (mode, place) in PLACES {
        let town = Town::new();
        let _homes = town.homes();
        let sekisho = Sekisho::start(&town.network, &town.documents(mode, "session_rate = 1\nsession_burst = 10"));
        let mut over = 0;
        for family in Family::BOTH {
            let nas = town.nas(family);
            let mad: Vec<_> = (0..60).map(|id| login(&nas, id, "mad")).collect();
            let burst = Burst::of(&nas, family, &mad);
            burst.is_cut_to(10, 1);
            over += burst.sent - burst.answered;
            let calm = Burst::of(&nas, family, &logins(&nas, 100..140));
            assert_eq!(calm.answered, calm.sent, "{mode}: other devices at the same NAS");
            dropped(&sekisho.metrics(), place, "session_rate", over);
        }
    }
}

#[test]
fn accounting_of_one_session_is_one_session_whoever_its_user_says_he_is() {
    for (mode, place) in PLACES {
        let town = Town::new();
        let _homes = town.homes();
        let sekisho = Sekisho::start(&town.network, &town.documents(mode, "session_rate = 1\nsession_burst = 10"));
        let nas = town.nas(Family::V4);
        let records: Vec<_> =
            (0..40).map(|id| nas.accounting(id, &format!("user-{id}@acme.example"), 3, "session-1")).collect();
        let burst = Burst::of(&nas, Family::V4, &records);
        burst.is_cut_to(10, 1);
        dropped(&sekisho.metrics(), place, "session_rate", burst.sent - burst.answered);
    }
}

#[test]
fn invented_sessions_are_new_ones_and_those_that_are_known_go_on() {
    for (mode, place) in PLACES {
        let town = Town::new();
        let _homes = town.homes();
        let limits = "session_rate = 100\nsession_burst = 100\nnew_session_rate = 1\nnew_session_burst = 10";
        let sekisho = Sekisho::start(&town.network, &town.documents(mode, limits));
        let nas = town.nas(Family::V4);
        nas.ask(auth(Family::V4), &login(&nas, 200, "known"));
        let burst = Burst::of(&nas, Family::V4, &logins(&nas, 0..60));
        assert!(burst.answered >= 9, "{}", burst.answered);
        // The known one took one of the ten, and some have grown since.
        burst.is_cut_to(9, 2);
        dropped(&sekisho.metrics(), place, "new_session_rate", burst.sent - burst.answered);
        let known: Vec<_> = (201..231).map(|id| login(&nas, id, "known")).collect();
        let known = Burst::of(&nas, Family::V4, &known);
        assert_eq!(known.answered, known.sent, "{mode}: a session that is known is no new one");
    }
}

#[test]
fn invented_sessions_do_not_get_past_their_clients_rate() {
    for (mode, place) in PLACES {
        let town = Town::new();
        let _homes = town.homes();
        let limits = "client_rate = 1\nclient_burst = 15\nsession_rate = 100\nsession_burst = 100";
        let sekisho = Sekisho::start(&town.network, &town.documents(mode, limits));
        let nas = town.nas(Family::V4);
        let burst = Burst::of(&nas, Family::V4, &logins(&nas, 0..100));
        burst.is_cut_to(15, 1);
        dropped(&sekisho.metrics(), place, "client_rate", burst.sent - burst.answered);
    }
}

#[test]
fn a_reload_changes_a_limit_while_it_is_kept_and_refills_no_bucket() {
    for (mode, place) in PLACES {
        let town = Town::new();
        let _homes = town.homes();
        let mut documents = town.documents(mode, "client_rate = 1\nclient_burst = 10");
        let sekisho = Sekisho::start(&town.network, &documents);
        let nas = town.nas(Family::V4);
        let send = |from: u8| Burst::of(&nas, Family::V4, &logins(&nas, from..from + 40));
        let first = send(0);
        first.is_cut_to(10, 1);

        // The same again is no change, and no new bucket.
        let begun = Instant::now();
        assert!(sekisho.reload(&documents).status.success());
        let again = send(40);
        let grown = begun.elapsed().as_secs() + 2;
        assert!(again.answered <= grown, "{mode}: {} got through an empty bucket", again.answered);

        documents.replace(town.acme("client_rate = 0"));
        assert!(sekisho.reload(&documents).status.success());
        let free = send(80);
        assert_eq!(free.answered, free.sent, "{mode}: the limit is gone");

        documents.replace(town.acme("client_rate = 1\nclient_burst = 5"));
        assert!(sekisho.reload(&documents).status.success());
        let tight = send(120);
        assert!(tight.answered <= 7, "{mode}: {}", tight.answered);
        let over = [&first, &again, &tight].iter().map(|burst| burst.sent - burst.answered).sum();
        dropped(&sekisho.metrics(), place, "client_rate", over);
    }
}

#[test]
fn a_spoofer_on_the_wrong_link_drains_nobodys_bucket() {
    for (mode, place) in PLACES {
        let town = Town::new();
        let _homes = town.homes();
        let sekisho = Sekisho::start(&town.network, &town.documents(mode, "client_rate = 1\nclient_burst = 30"));
        for (n, family) in Family::BOTH.into_iter().enumerate() {
            let address = town.nas.address(family);
            town.neighbour.also_has(address);
            let spoofer = Nas::new(&town.neighbour, address, &client_secret(contract(family)));
            logins(&spoofer, 0..200).iter().for_each(|request| spoofer.send(auth(family), request));
            let count = 200 * (n as u64 + 1);
            sekisho
                .metrics_when("the spoofer is told apart", |metrics| metrics.dropped(place, "wrong_ingress") == count);
            let nas = town.nas(family);
            let burst = Burst::of(&nas, family, &logins(&nas, 0..30));
            assert_eq!(burst.answered, burst.sent, "{mode}: the true NAS has its whole burst");
        }
    }
}

#[test]
fn the_limits_that_a_node_has_of_itself_let_a_login_by_eap_through_whole() {
    for (mode, _) in PLACES {
        let town = Town::new();
        let _homes = town.homes();
        let sekisho = Sekisho::start(&town.network, &town.documents(mode, "").default_limits());
        for family in Family::BOTH {
            let nas = town.nas(family);
            // As many rounds of one device as EAP-TLS with long chains of certificates takes, and no pause between them.
            for id in 0..50 {
                assert_eq!(nas.ask(auth(family), &login(&nas, id, "device")).code().0, 2);
            }
            // Beyond the default burst of a session, and far below the default of a client.
            let mad: Vec<_> = (0..=254).map(|id| login(&nas, id, "mad")).collect();
            let burst = Burst::of(&nas, family, &mad);
            burst.is_cut_to(100, 20);
        }
        let metrics = sekisho.metrics();
        assert_eq!(metrics.sum("sekisho_dropped_total", &[("reason", "client_rate")]), 0, "{}", metrics.drops());
    }
}
