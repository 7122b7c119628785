//! Whether LNSs live, asked of real ones: xl2tpd in namespaces of their own.

use std::time::{Duration, Instant};

use sekisho_tests::documents::{Customer, Documents};
use sekisho_tests::lac::{Device, Lac, shares};
use sekisho_tests::network::{Host, Network};
use sekisho_tests::sekisho::Sekisho;
use sekisho_tests::vpdn::{AccessNetwork, Lns, Vpdn, network_secret, tunnel_password};
use sekisho_tests::xl2tpd::{Welcome, Xl2tpd};

use super::land::{CONTRACT, REALM};

/// The shortest interval that there is, and a silence is believed at once: what takes half a minute in the field takes a dozen
/// seconds here.
const PROBE: &str = "probe_interval = \"10s\"\nprobe_timeout = \"1s\"\nprobe_rise = 1\nprobe_fall = 1";
/// One interval with its jitter, and one timeout.
const NEXT_PROBE: Duration = Duration::from_secs(20);

struct Site {
    network: Network,
    carrier: Host,
    lnss: Vec<Host>,
}

impl Site {
    fn new(count: usize) -> Site {
        let mut network = Network::new();
        let carrier = network.host("carrier");
        let lnss = (1..=count).map(|n| network.host(&format!("tokyo-{n}"))).collect();
        Site { network, carrier, lnss }
    }

    /// Documents with a contract over all LNSs, the Nth of which is probed as `more[N]` says.
    fn documents(&self, more: &[&str]) -> Documents {
        self.documents_with("slow_start = \"0s\"", more)
    }

    /// The same with other keys of the load-balancing option.
    fn documents_with(&self, keys: &str, more: &[&str]) -> Documents {
        let lns = |(host, more): (&Host, &&str)| {
            Lns::new(&host.name, &host.v4.to_string(), &format!("ingress = [\"{}\"]\n{PROBE}\n{more}", host.name))
        };
        let lnss: Vec<Lns> = self.lnss.iter().zip(more).map(lns).collect();
        let names: Vec<&str> = self.lnss.iter().map(|host| &*host.name).collect();
        let contract = Vpdn::new(CONTRACT, "D", &names).balancing(keys);
        let hosts: Vec<&Host> = std::iter::once(&self.carrier).chain(&self.lnss).collect();
        Documents::new(&hosts)
            .access_network(&AccessNetwork::new("carrier", "D", &self.carrier.networks()))
            .customer(Customer::new("acme").lnss(&lnss).vpdn(&contract))
    }

    fn lac(&self) -> Lac {
        Lac::new(&self.carrier, self.carrier.v4, &network_secret("carrier"), "lac-1")
    }

    fn at(&self, n: usize) -> String {
        self.lnss[n].v4.to_string()
    }
}

/// Logs in new devices, one after the other, until the LNS is in that state; none is refused. `next` numbers the devices.
#[track_caller]
fn log_in_until(sekisho: &Sekisho<'_>, lac: &Lac, next: &mut usize, lns: &str, state: &str) {
    let end = Instant::now() + NEXT_PROBE;
    while sekisho.lns(lns)["state"] != state {
        assert!(Instant::now() < end, "it is not {state}: {}", sekisho.lns(lns));
        *next += 1;
        let login = lac.login(&Device::new(*next, REALM));
        assert!(login.is_accepted(), "{:?}", login.reason());
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn an_lns_that_dies_gets_no_new_session_and_gets_them_again_when_it_is_back() {
    let site = Site::new(3);
    let mut lnss: Vec<Xl2tpd> = site.lnss.iter().map(|host| Xl2tpd::start(host, &Welcome::everybody())).collect();
    let sekisho = Sekisho::start(&site.network, &site.documents(&["probe = \"l2tp\""; 3]));
    let (lac, mut next) = (site.lac(), 10_000);
    // Nobody has answered yet, and everybody is served.
    assert_eq!(shares(&lac.logins(&Device::many(9, REALM))).len(), 3);
    for host in &site.lnss {
        sekisho.lns_becomes(&host.name, "up", NEXT_PROBE);
    }
    let sessions = lac.start_all(&lac.logins(&Device::many(9, REALM)));
    let mut all: Vec<&str> = sessions.iter().map(|session| &*session.lns).collect();
    all.sort_unstable();
    assert_eq!(all.chunks(3).map(|three| three[0]).collect::<Vec<_>>(), [0, 1, 2].map(|n| site.at(n)));

    // One is gone with its host's port, and one falls silent.
    lnss[0].process().kill();
    lnss[1].process().freeze();
    log_in_until(&sekisho, &lac, &mut next, "tokyo-1", "down");
    log_in_until(&sekisho, &lac, &mut next, "tokyo-2", "down");
    let devices: Vec<Device> = (500..510).map(|n| Device::new(n, REALM)).collect();
    for login in lac.logins(&devices) {
        assert_eq!(
            login.tunnels.iter().map(|it| it.server.clone()).collect::<Vec<_>>(),
            [site.at(2)],
            "nor as an alternative"
        );
    }
    for lns in ["tokyo-1", "tokyo-2"] {
        assert_eq!(sekisho.lns(lns)["active"], 3, "sessions in progress are not touched");
    }
    let table = sekisho.command(&["lns"]).output;
    let line = |name: &str| table.lines().find(|line| line.contains(name)).unwrap_or_default().to_owned();
    assert!(line("tokyo-1").contains("down") && line("tokyo-3").contains("up"), "{table}");

    lnss[0] = Xl2tpd::start(&site.lnss[0], &Welcome::everybody());
    lnss[1].process().signal(rustix::process::Signal::CONT);
    log_in_until(&sekisho, &lac, &mut next, "tokyo-1", "up");
    log_in_until(&sekisho, &lac, &mut next, "tokyo-2", "up");
    let devices: Vec<Device> = (600..609).map(|n| Device::new(n, REALM)).collect();
    assert_eq!(shares(&lac.logins(&devices)).values().copied().collect::<Vec<_>>(), [3, 3, 3]);
    let metrics = sekisho.metrics();
    assert_eq!(metrics.sum("sekisho_lns_state", &[("lns", "tokyo-1"), ("state", "up")]), 1);
    assert!(metrics.sum("sekisho_lns_probes_total", &[("outcome", "silent")]) >= 2);
    for (lns, host) in lnss.iter().zip(&site.lnss) {
        assert!(lns.asked() >= 1, "{} was never asked", host.name);
        leaves_nothing(lns);
    }
}

/// Holds that probes leave no tunnel behind: each is torn down within a moment.
#[track_caller]
fn leaves_nothing(lns: &Xl2tpd) {
    let none = sekisho_tests::wait::within(Duration::from_secs(8), || (lns.tunnels() == 0).then_some(()));
    assert!(none.is_some(), "{} tunnels are open on the LNS", lns.tunnels());
}

#[test]
fn an_lns_that_answers_but_refuses_us_is_up_and_said_to_be_misconfigured() {
    let site = Site::new(4);
    let secret = |n: usize| tunnel_password(&site.lnss[n].name);
    let welcomes = [
        Welcome::nobody(),
        Welcome::with_secret(&secret(1)),
        Welcome::with_secret("another secret"),
        Welcome::nobody(),
    ];
    let lnss: Vec<Xl2tpd> =
        site.lnss.iter().zip(&welcomes).map(|(host, welcome)| Xl2tpd::start(host, welcome)).collect();
    let probes = [
        "probe = \"l2tp\"",
        "probe = \"l2tp-auth\"",
        "probe = \"l2tp-auth\"",
        "probe = \"l2tp\"\nprobe_refused = \"down\"",
    ];
    let sekisho = Sekisho::start(&site.network, &site.documents(&probes));
    let states = [("tokyo-1", "refusing"), ("tokyo-2", "up"), ("tokyo-3", "refusing"), ("tokyo-4", "down")];
    for (name, state) in states {
        sekisho.lns_becomes(name, state, NEXT_PROBE);
        let told = sekisho.lns(name);
        assert_eq!(told["probe"]["misconfigured"], state != "up", "{told}");
    }
    assert!(lnss[1].connected() >= 1, "the tunnel password was proved to the LNS, too");
    let logins = site.lac().logins(&Device::many(6, REALM));
    let mut served: Vec<String> = shares(&logins).into_keys().collect();
    served.sort();
    assert_eq!(served, [0, 1, 2].map(|n| site.at(n)), "LACs may be welcome where we are not");
    lnss.iter().for_each(leaves_nothing);
    let table = sekisho.command(&["lns"]).output;
    assert_eq!(table.matches("refusing").count(), 2, "{table}");
    assert!(table.contains("StopCCN") && table.contains("another tunnel password"), "what each of them said: {table}");
}

#[test]
fn while_all_are_down_everybody_is_served_or_nobody_as_the_contract_says() {
    for (all_down, code) in [("fail-open", 2), ("reject", 3)] {
        let site = Site::new(2);
        let mut lnss: Vec<Xl2tpd> = site.lnss.iter().map(|host| Xl2tpd::start(host, &Welcome::everybody())).collect();
        let keys = format!("all_down = \"{all_down}\"");
        let sekisho = Sekisho::start(&site.network, &site.documents_with(&keys, &["probe = \"l2tp\""; 2]));
        let become_all = |state| ["tokyo-1", "tokyo-2"].map(|name| sekisho.lns_becomes(name, state, NEXT_PROBE));
        become_all("up");
        lnss.iter_mut().for_each(|lns| lns.process().kill());
        become_all("down");
        let login = site.lac().login(&Device::new(1, REALM));
        assert_eq!(login.answer.code().0, code, "{all_down}");
        assert_eq!(login.tunnels.len(), if code == 2 { 2 } else { 0 }, "as if all were up");
    }
}

#[test]
fn a_node_that_ends_in_the_middle_of_a_probe_leaves_no_tunnel_behind() {
    let site = Site::new(1);
    let lns = Xl2tpd::start(&site.lnss[0], &Welcome::everybody());
    let sekisho = Sekisho::start(&site.network, &site.documents(&["probe = \"l2tp\""]));
    sekisho.lns_becomes("tokyo-1", "up", NEXT_PROBE);
    sekisho.stop();
    leaves_nothing(&lns);
}
