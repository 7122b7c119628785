//! `[journal]`, `[sessions]` and `[l2tp]`: what is taken, what is the default, what is refused.

use std::{path::Path, time::Duration};

use crate::common::{ACME, NODE, documents, node_refused, node_taken, taken, with};
use sekisho_config::Sessions;

const MIB: u64 = 1024 * 1024;

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn what_is_left_out_has_its_default() {
    let node = taken(&documents(NODE, &[("acme", ACME)])).0;
    assert!(node.journal.directory.ends_with("state/journal"));
    assert_eq!((node.journal.segment_size, node.journal.max_size, node.journal.reserve), (64 * MIB, 0, 64 * MIB));
    assert_eq!((node.journal.segment_age, node.journal.retention), (seconds(3_600), seconds(31 * 86_400)));
    assert_eq!(node.journal.queue, 65_536);
    let sessions = Sessions {
        max_tracked: 1_000_000,
        reservation: seconds(90),
        save_interval: seconds(60),
        short: seconds(5),
        without_interims: seconds(86_400),
        customer_share: 50,
    };
    assert_eq!(node.sessions, sessions);
    assert_eq!(node.l2tp.host_name, "sekisho");
    assert_eq!((node.l2tp.ipv4, node.l2tp.ipv6), (node.upstream.ipv4, node.upstream.ipv6));
    let named =
        node_taken("[node]", "[upstream]\nipv4 = \"198.51.100.9\"\n[node]\nname = \"edge\"\nstate = \"/var/lib/s\"");
    assert_eq!(named.l2tp.host_name, "edge", "the node's name");
    assert_eq!(
        named.l2tp_for("192.0.2.1".parse().unwrap()),
        Some("198.51.100.9".parse().unwrap()),
        "as toward servers"
    );
    assert_eq!(named.journal.directory, Path::new("/var/lib/s/journal"));
}

#[test]
fn every_key_is_taken() {
    let text = r#"[journal]
directory = "/var/spool/sekisho"
segment_size = 16
segment_age = "10m"
retention = "8760h"
max_size = 4096
reserve = 0
queue = 64
[sessions]
max_tracked = 1024
reservation = "60s"
save_interval = "10s"
short = "0s"
without_interims = "168h"
customer_share = 100
[l2tp]
host_name = "lac.sekisho"
ipv4 = "198.51.100.7"
ipv6 = "2001:db8::7"
[node]"#;
    let node = node_taken("[node]", text);
    assert_eq!(node.journal.directory, Path::new("/var/spool/sekisho"));
    assert_eq!((node.journal.segment_size, node.journal.max_size, node.journal.reserve), (16 * MIB, 4_096 * MIB, 0));
    assert_eq!((node.journal.segment_age, node.journal.retention), (seconds(600), seconds(8_760 * 3_600)));
    assert_eq!((node.journal.queue, node.sessions.max_tracked), (64, 1_024));
    assert_eq!((node.sessions.reservation, node.sessions.save_interval), (seconds(60), seconds(10)));
    assert_eq!((node.sessions.short, node.sessions.without_interims), (Duration::ZERO, seconds(168 * 3_600)));
    assert_eq!(node.sessions.customer_share, 100);
    assert_eq!(node.l2tp.host_name, "lac.sekisho");
    assert_eq!(node.l2tp_for("192.0.2.1".parse().unwrap()), Some("198.51.100.7".parse().unwrap()));
    assert_eq!(node.l2tp_for("2001:db8:9::1".parse().unwrap()), Some("2001:db8::7".parse().unwrap()));
    let relative = node_taken("[node]", "[journal]\ndirectory = \"records\"\n[node]");
    assert!(relative.journal.directory.is_absolute() && relative.journal.directory.ends_with("records"));
}

#[test]
fn each_fault_is_told_with_its_place_and_remedy() {
    for (text, says) in [
        ("[journal]\ndirectory = \"\"", "journal.directory: is empty. Give a path"),
        ("[journal]\nsegment_size = 0", "journal.segment_size: 0 is out of bounds. Give a number from 1 to 1024."),
        (
            "[journal]\nsegment_age = \"25h\"",
            "journal.segment_age: \"25h\" is out of bounds. Give a time from 1m to 24h",
        ),
        (
            "[journal]\nretention = \"59m\"",
            "journal.retention: \"59m\" is out of bounds. Give a time from 1h to 87600h",
        ),
        ("[journal]\nretention = \"31d\"", "journal.retention: \"31d\" is not a time"),
        (
            "[journal]\nmax_size = 127",
            "journal.max_size: 127 MiB are less than two segments of 64 MiB, the fewest that are kept. Give at least 128, or 0",
        ),
        ("[journal]\nmax_size = 16777217", "journal.max_size: 16777217 is out of bounds"),
        ("[journal]\nreserve = -1", "journal.reserve: -1 is out of bounds"),
        ("[journal]\nqueue = 63", "journal.queue: 63 is out of bounds. Give a number from 64 to 1048576."),
        (
            "[sessions]\nmax_tracked = 1023",
            "sessions.max_tracked: 1023 is out of bounds. Give a number from 1024 to 16777216.",
        ),
        ("[sessions]\nmax_sessions = 5000", "sessions.max_sessions: there is no such key here"),
        (
            "[sessions]\nreservation = \"59s\"",
            "sessions.reservation: \"59s\" is out of bounds. Give a time from 1m to 2m",
        ),
        ("[sessions]\nsave_interval = \"9s\"", "sessions.save_interval: \"9s\" is out of bounds"),
        ("[sessions]\nshort = \"61s\"", "sessions.short: \"61s\" is out of bounds. Give a time from 0s to 1m"),
        (
            "[sessions]\nwithout_interims = \"169h\"",
            "sessions.without_interims: \"169h\" is out of bounds. Give a time from 1h to 168h",
        ),
        ("[l2tp]\nhost_name = \"a b\"", "l2tp.host_name: \"a b\" cannot be a name"),
        ("[l2tp]\nipv4 = \"::1\"", "l2tp.ipv4: \"::1\" is not an IPv4 address. Each family has its own key"),
        ("[l2tp]\nipv6 = \"127.0.0.1\"", "l2tp.ipv6: \"127.0.0.1\" is not an IPv6 address"),
        ("[l2tp]\nipv4 = \"0.0.0.0\"", "the unspecified address"),
        ("l2tp = 1", "l2tp: should be a table, but is a whole number. Begin it with [l2tp]."),
    ] {
        node_refused("[node]", &format!("{text}\n[node]"), &[says]);
    }
}

#[test]
fn what_would_not_be_kept_as_meant_is_warned_about() {
    let warnings =
        |text: &str| documents(&with(NODE, "[node]", &format!("{text}\n[node]")), &[("acme", ACME)]).warnings();
    let found = warnings("[journal]\nretention = \"1h\"\nsegment_age = \"2h\"");
    assert!(
        found[0].contains("journal.retention: 1h is less than a segment's age (2h), and a segment is removed"),
        "{found:?}"
    );
    let found = warnings("[journal]\ndirectory = \"sekisho.toml\"");
    assert!(found[0].contains("journal.directory: is a file, so nothing can be recorded there. Name a"), "{found:?}");
    assert!(warnings("[journal]\nretention = \"1h\"").is_empty());
}
