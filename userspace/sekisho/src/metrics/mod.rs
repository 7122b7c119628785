//! Prometheus metrics: rendered from a [`Report`] at each scrape.
//!
//! Nothing is counted here. Workers keep their own counters; a scrape reads them once into a report and renders that
//! through a recorder made for this one scrape. So no packet ever calls into the exporter, and what has gone from the
//! configuration is gone from the output. Labels hold names from the configuration only.

mod families;
mod histogram;
mod hosted;
mod vpdn;

use metrics_exporter_prometheus::PrometheusBuilder;

use crate::report::Report;

/// The report as Prometheus reads it (text format 0.0.4).
pub fn render(report: &Report) -> String {
    let recorder = PrometheusBuilder::new().build_recorder();
    metrics::with_local_recorder(&recorder, || {
        families::record(report);
        vpdn::record(report);
        hosted::record(report);
    });
    let mut text = recorder.handle().render();
    histogram::write(&mut text, report);
    text
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use sekisho_engine::stats::Latency;

    use super::*;
    use crate::report::{
        Avoided, Client, Count, Customer, Group, Hashes, Histogram, Interface, Lns, LnsProbe, Proof, Realm, Registry,
        Reload, Server, Unresolved, Unserved, Vpdn,
    };

    const PAGE: &str = include_str!("../../../../docs/metrics.md");

    /// A family: its type and the names of its labels.
    type Family = (String, BTreeSet<String>);

    fn report() -> Report {
        let latency = Latency::default();
        latency.record(3_000_000);
        latency.record(700_000);
        let latency = Histogram::sum([&latency].into_iter());
        let commits = latency.clone();
        let proof = Proof { message_authenticator: Some(true), previous_secret: true, previous_secret_used: Some(2.5) };
        let realm = Realm { name: "acme.example".into(), requests: 7, latency: latency.clone(), ..Realm::default() };
        let server = Server {
            name: "acme-home-1".into(),
            kind: "auth".into(),
            state: "zombie".into(),
            latency,
            proof,
            ..Server::default()
        };
        let client = Client {
            contract: "acme-nas-1".into(),
            address: "192.0.2.10".parse().unwrap(),
            dynauth: false,
            proof: Proof { message_authenticator: Some(false), ..proof },
            kernel: vec![Count::new("passed", 40), Count::new("client_rate", 5)],
        };
        let quiet = Client { contract: "acme-nas-2".into(), proof: Proof::default(), kernel: vec![], ..client.clone() };
        let unresolved = Unresolved {
            server: "acme-home-2".into(),
            host: "radius.acme.example".into(),
            why: "has no address".into(),
        };
        let customer = Customer {
            name: "acme".into(),
            requests: 9,
            clients: vec![client, quiet],
            realms: vec![realm],
            servers: vec![server],
            unresolved: vec![unresolved],
            vpdn: vec![contract()],
            lns: vec![lns()],
            groups: vec![group()],
            ..Customer::default()
        };
        let mut report = Report { customers: vec![customer], ..Report::default() };
        report.sessions.ended = vec![Count::new("stop", 5), Count::new("restart", 0)];
        report.hashes = Hashes { checked: 2, busy: 1, time: commits.clone() };
        report.registry = Some(registry());
        report.journal.commits = commits;
        report.journal.known = 3;
        report.node.reload = Some(Reload { succeeded: true, at: 1_700_000_000 });
        report.dropped = vec![Count::new("reply_forged", 3)];
        report.gate.dropped = vec![Count::new("unregistered", 10_000)];
        report.gate.packets = vec![Count::new("seen", 10_001)];
        report.gate.published = vec![Count::new("reply", 2)];
        report.gate.memory = vec![Count::new("SESSIONS", 4096)];
        report.gate.nobody = vec![Count::new("passed", 9)];
        report.gate.interfaces =
            vec![Interface { name: "lo".into(), mode: "generic".into(), reason: Some("no native XDP".into()) }];
        report
    }

    fn contract() -> Vpdn {
        Vpdn {
            contract: "acme-vpdn-d".into(),
            active: 7,
            pending: 2,
            max_sessions: 4_000,
            accepts: vec![Count::new("sticky", 6)],
            refused: vec![Count::new("contract_full", 1)],
            in_service: 1,
            ..Vpdn::default()
        }
    }

    fn lns() -> Lns {
        let probe = LnsProbe { outcome: "refused".into(), age_seconds: 1.0, latency_ms: None, misconfigured: true };
        Lns {
            customer: "acme".into(),
            name: "tokyo-1".into(),
            state: "refusing".into(),
            max_sessions: 2_000,
            active: 7,
            failed_over_from: 4,
            probe: Some(probe),
            probes: vec![Count::new("refused", 9)],
            avoided_for: vec![Avoided { network: "carrier-d".into(), seconds: 3.0 }],
            ..Lns::default()
        }
    }

    fn group() -> Group {
        Group {
            contract: "acme-group".into(),
            passwords: "argon2id".into(),
            sessions: 3,
            max_sessions: 500,
            accepts: 11,
            challenges: 4,
            rejected: vec![Count::new("password", 2), Count::new("locked", 0)],
        }
    }

    fn registry() -> Registry {
        Registry {
            location: "registry.db".into(),
            up: true,
            revision: 42,
            followed_at: 1_700_000_000,
            accounts: 100,
            account_octets: 20_000,
            accounts_waiting: 5,
            accounts_unusable: 1,
            unserved: vec![Unserved { contract: "acme-vpdn-k".into(), ..Unserved::default() }],
            ..Registry::default()
        }
    }

    fn has(text: &str, line: &str) {
        assert!(text.lines().any(|found| found == line), "no line {line:?} in\n{text}");
    }

    #[test]
    fn counters_carry_the_names_of_the_configuration() {
        let text = render(&report());
        has(&text, r#"sekisho_realm_requests_total{customer="acme",realm="acme.example"} 7"#);
        has(&text, r#"sekisho_customer_requests_total{customer="acme"} 9"#);
        has(&text, r#"sekisho_dropped_total{where="kernel",reason="unregistered"} 10000"#);
        has(&text, r#"sekisho_dropped_total{where="userspace",reason="reply_forged"} 3"#);
        has(&text, r#"sekisho_gate_packets_total{outcome="seen"} 10001"#);
        has(&text, r#"sekisho_client_packets_total{customer="acme",client="acme-nas-1",outcome="client_rate"} 5"#);
        has(&text, r#"sekisho_client_packets_total{customer="",client="",outcome="passed"} 9"#);
        has(&text, r#"sekisho_gate_memory_bytes{table="sessions"} 4096"#);
    }

    #[test]
    fn a_state_is_one_gauge_of_several() {
        let text = render(&report());
        has(&text, r#"sekisho_server_state{customer="acme",server="acme-home-1",kind="auth",state="alive"} 0"#);
        has(&text, r#"sekisho_server_state{customer="acme",server="acme-home-1",kind="auth",state="zombie"} 1"#);
        has(&text, r#"sekisho_xdp_mode{interface="lo",mode="generic"} 1"#);
        has(&text, r#"sekisho_xdp_mode{interface="lo",mode="native"} 0"#);
    }

    #[test]
    fn how_clients_and_servers_prove_themselves_is_told_where_it_is_known() {
        let text = render(&report());
        has(&text, r#"sekisho_client_message_authenticator_learned{customer="acme",client="acme-nas-1"} 0"#);
        has(&text, r#"sekisho_client_previous_secret_last_used_seconds{customer="acme",client="acme-nas-1"} 2.5"#);
        has(
            &text,
            r#"sekisho_server_message_authenticator_learned{customer="acme",server="acme-home-1",kind="auth"} 1"#,
        );
        assert!(!text.contains("acme-nas-2"), "neither `auto` nor an old secret: {text}");
        has(&text, r#"sekisho_server_unresolved{customer="acme",server="acme-home-2",host="radius.acme.example"} 1"#);
    }

    #[test]
    fn histograms_are_exact_and_cumulative() {
        let text = render(&report());
        let labels = r#"customer="acme",realm="acme.example""#;
        has(&text, &format!(r#"sekisho_realm_latency_seconds_bucket{{{labels},le="0.0005"}} 0"#));
        has(&text, &format!(r#"sekisho_realm_latency_seconds_bucket{{{labels},le="0.001"}} 1"#));
        has(&text, &format!(r#"sekisho_realm_latency_seconds_bucket{{{labels},le="+Inf"}} 2"#));
        has(&text, &format!("sekisho_realm_latency_seconds_sum{{{labels}}} 0.0037"));
        has(&text, &format!("sekisho_realm_latency_seconds_count{{{labels}}} 2"));
    }

    #[test]
    fn contracts_lnss_and_the_journal_are_counted_by_name() {
        let text = render(&report());
        for line in [
            r#"sekisho_vpdn_accepts_total{customer="acme",contract="acme-vpdn-d",why="sticky"} 6"#,
            r#"sekisho_vpdn_refused_total{customer="acme",contract="acme-vpdn-d",reason="contract_full"} 1"#,
            r#"sekisho_vpdn_sessions{customer="acme",contract="acme-vpdn-d",state="pending"} 2"#,
            r#"sekisho_vpdn_lns_in_service{customer="acme",contract="acme-vpdn-d"} 1"#,
            r#"sekisho_lns_sessions{customer="acme",lns="tokyo-1",state="active"} 7"#,
            r#"sekisho_lns_max_sessions{customer="acme",lns="tokyo-1"} 2000"#,
            r#"sekisho_lns_state{customer="acme",lns="tokyo-1",state="refusing"} 1"#,
            r#"sekisho_lns_state{customer="acme",lns="tokyo-1",state="up"} 0"#,
            r#"sekisho_lns_failed_over_total{customer="acme",lns="tokyo-1",direction="from"} 4"#,
            r#"sekisho_lns_probes_total{customer="acme",lns="tokyo-1",outcome="refused"} 9"#,
            r#"sekisho_lns_misconfigured{customer="acme",lns="tokyo-1"} 1"#,
            r#"sekisho_lns_avoided{customer="acme",lns="tokyo-1"} 1"#,
            r#"sekisho_sessions_ended_total{how="stop"} 5"#,
            r#"sekisho_journal_records_total{result="known"} 3"#,
            "sekisho_journal_failing 0",
            r#"sekisho_journal_commit_seconds_bucket{le="+Inf"} 2"#,
            "sekisho_journal_commit_seconds_count 2",
        ] {
            has(&text, line);
        }
    }

    #[test]
    fn the_registry_and_its_accounts_are_counted_and_a_lost_one_is_a_zero() {
        let mut report = report();
        let text = render(&report);
        for line in [
            "sekisho_registry_up 1",
            "sekisho_registry_revision 42",
            "sekisho_registry_unserved_contracts 1",
            r#"sekisho_accounts{state="ready"} 100"#,
            r#"sekisho_accounts{state="waiting"} 5"#,
            r#"sekisho_accounts{state="unusable"} 1"#,
            "sekisho_accounts_bytes 20000",
            r#"sekisho_group_accepts_total{customer="acme",contract="acme-group"} 11"#,
            r#"sekisho_group_rejected_total{customer="acme",contract="acme-group",reason="password"} 2"#,
            r#"sekisho_group_sessions{customer="acme",contract="acme-group"} 3"#,
            r#"sekisho_group_max_sessions{customer="acme",contract="acme-group"} 500"#,
            "sekisho_argon2_checked_total 2",
            "sekisho_argon2_busy_total 1",
            r#"sekisho_argon2_seconds_bucket{le="+Inf"} 2"#,
            "sekisho_argon2_seconds_sum 0.0037",
            "sekisho_argon2_seconds_count 2",
        ] {
            has(&text, line);
        }
        report.registry.as_mut().unwrap().up = false;
        has(&render(&report), "sekisho_registry_up 0");
        report.registry = None;
        let text = render(&report);
        assert!(
            !text.contains("sekisho_registry") && !text.contains("sekisho_accounts{"),
            "a node without one: {text}"
        );
    }

    #[test]
    fn what_has_gone_from_the_configuration_vanishes() {
        let mut report = report();
        assert!(render(&report).contains("acme"));
        report.customers.clear();
        assert!(!render(&report).contains("acme"));
    }

    #[test]
    fn every_family_is_explained_once() {
        let text = render(&report());
        for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            let name = line.split(['{', ' ']).next().unwrap();
            let family = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
            let help = format!("# HELP {family} ");
            assert_eq!(text.lines().filter(|line| line.starts_with(&help)).count(), 1, "{family}");
        }
    }

    /// The families of a scrape.
    fn rendered(text: &str) -> BTreeMap<String, Family> {
        let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
        let family = |(name, kind): (&str, &str)| {
            let series = text.lines().filter(|line| {
                let rest = line.strip_prefix(name).map(|rest| rest.strip_prefix("_bucket").unwrap_or(rest));
                rest.is_some_and(|rest| rest.starts_with(['{', ' ']))
            });
            let labels = series.flat_map(|line| {
                let inside = line.split_once('{').and_then(|(_, rest)| rest.split_once('}')).map_or("", |(all, _)| all);
                inside.split(',').filter_map(|label| Some(label.split_once('=')?.0.to_owned()))
            });
            let labels = labels.filter(|label| label != "le").collect();
            (name.to_owned(), (kind.to_owned(), labels))
        };
        types.map(family).collect()
    }

    /// The families of the page: rows of name, type, labels and meaning.
    fn documented() -> BTreeMap<String, Family> {
        let rows = PAGE.lines().filter(|line| line.starts_with("| `sekisho_"));
        let row = |line: &str| {
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            let [name, kind, labels, meaning] = cells.as_slice() else { panic!("{line}") };
            assert!(!meaning.is_empty(), "{line}");
            let code = |text: &str| text.trim().trim_matches('`').to_owned();
            let labels = labels.split(',').map(code).filter(|label| !label.is_empty()).collect();
            (code(name), ((*kind).to_owned(), labels))
        };
        rows.map(row).collect()
    }

    #[test]
    fn the_page_documents_every_family_with_its_type_and_labels_and_no_other() {
        assert_eq!(documented(), rendered(&render(&report())));
    }
}
