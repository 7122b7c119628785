//! Too much of everything: what can be spared goes first, and the operator sees it.

use std::{fs, time::Duration};

use crate::common::{Documents, Node, PASSWORD, home::Home, nas::Nas, text, until};
use sekisho_wire::code::Code;

const START: u32 = 1;
const STOP: u32 = 2;
const INTERIM_UPDATE: u32 = 3;
/// Requests that the one worker has room for.
const ROOM: usize = 1024;

fn dropped(node: &Node, reason: &str) -> f64 {
    node.metric(&format!("sekisho_dropped_total{{where=\"userspace\",reason=\"{reason}\"}}"))
}

#[test]
fn interim_updates_are_shed_while_the_table_is_nearly_full_and_stops_never() {
    let documents = Documents::new();
    documents.write_node(&format!("[limits]\nmax_requests = {ROOM}\n"));
    let named = "contract = \"acme-nas-1\"\n";
    documents.change_acme(named, &format!("{named}answer_within = \"5s\"\n"));
    let text_of_node = fs::read_to_string(documents.node_file()).unwrap();
    fs::write(documents.node_file(), text_of_node.replace("workers = 2", "workers = 1")).unwrap();
    let node = Node::with(documents);
    let home = Home::start(node.network().home());
    let mut nas = Nas::new(node.network().nas(), node.network().node());
    nas.patience(Duration::from_secs(1));
    assert_eq!(nas.account("alice@acme.example", INTERIM_UPDATE), Some(Code::ACCOUNTING_RESPONSE));
    assert_eq!(node.metric("sekisho_shedding_level"), 0.0);

    // The home server stops answering; four fifths of the room are taken.
    home.be_silent(true);
    for socket in 0..4 {
        let mut other = Nas::new(node.network().nas(), node.network().node());
        for n in 0..ROOM / 5 {
            other.send_login(&format!("user-{socket}-{n}@acme.example"), PASSWORD);
        }
    }
    until(|| node.metric("sekisho_shedding_level") == 1.0);
    let page = text(&node.command(&["status"]));
    assert!(
        page.contains("shedding Interim-Updates since ") && page.contains("tables of requests 80 % full"),
        "{page}"
    );
    home.be_silent(false);
    nas.patience(Duration::from_millis(200));
    assert_eq!(nas.account("alice@acme.example", INTERIM_UPDATE), None);
    assert_eq!((dropped(&node, "shed_interim"), dropped(&node, "shed_start")), (1.0, 0.0));
    nas.patience(Duration::from_secs(1));
    assert_eq!(nas.account("alice@acme.example", START), Some(Code::ACCOUNTING_RESPONSE));
    assert_eq!(nas.account("alice@acme.example", STOP), Some(Code::ACCOUNTING_RESPONSE));
    assert!(node.log().contains("Interim-Updates are shed from now on"), "{}", node.log());

    // Those that nobody answered are given up, and a second later all is as ever.
    until(|| node.metric("sekisho_shedding_level") == 0.0);
    assert!(node.log().contains("nothing is shed any more"), "{}", node.log());
    assert_eq!(nas.account("alice@acme.example", INTERIM_UPDATE), Some(Code::ACCOUNTING_RESPONSE));
}
