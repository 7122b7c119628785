//! Reloads: all of it or nothing, and no packet lost.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::Duration,
};

use crate::common::{Documents, Node, PASSWORD, home::Home, nas::Nas, text, until};
use rustix::process::Signal;
use sekisho_wire::code::Code;

#[test]
fn clients_come_and_go_under_traffic_without_loss() {
    let documents = Documents::new();
    // One session as fast as it can.
    documents.write_node("[limits]\nsession_rate = 0\n");
    let node = Node::with(documents);
    let home = Home::start(node.network().home());
    let (stop, lost, served) =
        (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let traffic = {
        let (stop, lost, served) = (Arc::clone(&stop), Arc::clone(&lost), Arc::clone(&served));
        let mut nas = Nas::new(node.network().nas(), node.network().node());
        thread::spawn(move || {
            while !stop.load(Relaxed) {
                match nas.login("alice@acme.example", PASSWORD) {
                    Some(Code::ACCESS_ACCEPT) => served.fetch_add(1, Relaxed),
                    _ => lost.fetch_add(1, Relaxed),
                };
            }
        })
    };
    let mut newcomer = Nas::new(node.network().host(11), node.network().node());
    newcomer.patience(Duration::from_millis(200));
    for _ in 0..5 {
        assert_eq!(newcomer.login("bob@acme.example", PASSWORD), None);
        node.documents.write_acme(&node.documents.client("acme-nas-2", 11));
        let (status, said) = node.reload();
        assert_eq!(status, 200, "{said}");
        assert!(said.contains("acme: + client acme-nas-2"), "{said}");
        assert_eq!(newcomer.login("bob@acme.example", PASSWORD), Some(Code::ACCESS_ACCEPT));

        node.documents.write_acme("");
        let output = node.command(&["reload"]);
        assert!(output.status.success() && text(&output).contains("acme: - client acme-nas-2"), "{}", text(&output));
    }
    stop.store(true, Relaxed);
    traffic.join().unwrap();
    assert_eq!(lost.load(Relaxed), 0);
    assert!(served.load(Relaxed) > 10 && home.received() == served.load(Relaxed) + 5);
    assert_eq!(node.metric(r#"sekisho_config_reloads_total{result="success"}"#), 10.0);
}

#[test]
fn a_node_that_was_started_with_a_relative_path_reloads_as_any_other() {
    let node = Node::started_in(Documents::new(), ".");
    node.documents.write_acme(&node.documents.client("acme-nas-2", 11));
    let (status, said) = node.reload();
    assert_eq!(status, 200, "{said}");
    assert!(said.contains("acme: + client acme-nas-2"), "{said}");
}

#[test]
fn a_faulty_document_changes_nothing_and_says_why() {
    let node = Node::start();
    let _home = Home::start(node.network().home());
    let mut nas = Nas::new(node.network().nas(), node.network().node());
    node.documents.write_acme("colour = \"blue\"\n");
    let output = node.command(&["reload"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        text(&output).contains("acme.toml:21:1: ") && text(&output).contains("Nothing has changed"),
        "{}",
        text(&output)
    );
    assert_eq!(nas.login("alice@acme.example", PASSWORD), Some(Code::ACCESS_ACCEPT));
    assert_eq!(node.metric(r#"sekisho_config_reloads_total{result="refused"}"#), 1.0);
    assert_eq!(node.metric("sekisho_config_last_reload_successful"), 0.0);
}

#[test]
fn what_cannot_change_live_is_refused_whole_and_by_its_key() {
    let node = Node::start();
    let file = node.documents.node_file();
    let old = fs::read_to_string(&file).unwrap();
    fs::write(&file, old.replace("workers = 2", "workers = 3")).unwrap();
    node.documents.write_acme(&node.documents.client("acme-nas-2", 11));
    let (status, said) = node.reload();
    assert_eq!(status, 422);
    assert!(said.contains("node.workers") && said.contains("next start"), "{said}");
    assert!(!node.get("/status").contains("acme-nas-2"));
}

#[test]
fn a_server_that_goes_still_answers_what_it_was_asked() {
    let node = Node::start();
    let home = Home::start(node.network().home());
    home.be_silent(true);
    let mut nas = Nas::new(node.network().nas(), node.network().node());
    let sent = nas.send_login("alice@acme.example", PASSWORD);
    until(|| home.received() == 1);
    let acme = fs::read_to_string(node.documents.acme_file()).unwrap();
    let other = acme.replace(&node.network().home().to_string(), &node.network().host(101).to_string());
    fs::write(node.documents.acme_file(), other).unwrap();
    let (status, said) = node.reload();
    assert_eq!(status, 200, "{said}");
    assert!(said.contains("~ server acme-home-1"), "{said}");

    // The client repeats, the proxy sends the same octets to the same server, and its answer is welcome.
    home.be_silent(false);
    thread::sleep(Duration::from_millis(1100));
    nas.repeat(&sent);
    assert_eq!(nas.answer(&sent), Some(Code::ACCESS_ACCEPT));
}

#[test]
fn a_hang_up_is_a_reload_and_what_has_gone_leaves_the_metrics() {
    let node = Node::start();
    node.documents.write_acme(&node.documents.client("acme-nas-2", 11));
    node.signal(Signal::HUP);
    until(|| node.get("/status").contains("acme-nas-2"));
    assert!(node.get("/metrics").contains("acme.example"));
    let acme = fs::read_to_string(node.documents.acme_file()).unwrap();
    fs::write(node.documents.acme_file(), acme.replace("acme.example", "new.example")).unwrap();
    assert_eq!(node.reload().0, 200);
    let metrics = node.get("/metrics");
    assert!(metrics.contains("new.example") && !metrics.contains("acme.example"), "{metrics}");
}

#[test]
fn a_line_for_everything_that_a_reload_changes() {
    let node = Node::start();
    let (coa, spare) = (node.network().host(50), node.network().host(101));
    let more = format!(
        "[[proxy.fallback]]\n[[proxy.fallback.server]]\nname = \"spare\"\naddress = \"{spare}\"\n\
         secret = \"a-secret-of-the-spare\"\n\
         [[realm]]\ndefault = true\n\
         [[dynauth]]\nname = \"acme-coa\"\naddress = \"{coa}\"\nsecret = \"a-secret-of-the-sender\"\n\
         [[policy]]\nname = \"tidy\"\nremove = [\"Filter-Id\"]\n"
    );
    node.documents.write_acme(&more);
    node.documents.change_acme("[customer]", "[customer]\nreply_policy = \"tidy\"");
    let (status, said) = node.reload();
    assert_eq!(status, 200, "{said}");
    for line in [
        "acme: + realm default:default added".to_owned(),
        "acme: policies of all clients changed".to_owned(),
        format!("acme: + dynauth client acme-coa ({coa}) added"),
        "acme: ~ proxy contract acme-proxy-1 changed".to_owned(),
        format!("acme: + server spare ({spare}) added"),
    ] {
        assert!(said.lines().any(|found| found == line), "no {line:?} in\n{said}");
    }
    node.documents.change_acme("a-secret-of-the-sender", "another-secret-of-the-sender");
    node.documents.change_acme("name = \"spare\"", "name = \"spare\"\nstate = \"draining\"");
    // Warnings stand below the changes.
    let changes =
        || node.reload().1.lines().filter(|line| !line.starts_with("warning: ")).collect::<Vec<_>>().join("\n");
    let expected = format!("acme: ~ dynauth client acme-coa ({coa}) changed\nacme: ~ server spare ({spare}) changed");
    assert_eq!(changes(), expected);
    assert_eq!(changes(), "Nothing has changed.");
}

#[test]
fn where_coa_is_taken_and_what_is_learned_is_kept_cannot_change_live() {
    let node = Node::start();
    let text = fs::read_to_string(node.documents.node_file()).unwrap();
    let other = text
        .replace("accounting = 1813", "accounting = 1813\ndynauth = 3799")
        .replace("[node]", "[node]\nstate = \"elsewhere\"");
    fs::write(node.documents.node_file(), other).unwrap();
    let (status, said) = node.reload();
    assert_eq!(status, 422, "{said}");
    for key in ["listener: ", "node.state: "] {
        assert!(said.lines().any(|line| line.starts_with(key) && line.contains("next start")), "no {key} in {said}");
    }
}
