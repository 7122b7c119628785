//! A journal whose files are taken away while the node writes them: nothing is acknowledged that nobody can read.

use std::{fs, path::Path, process::Command};

use crate::common::{Documents, Node, vpdn::ALICE};
use rustix::process::Signal;
use sekisho_wire::code::Code;

/// How many records `sekisho journal export` finds.
fn kept(directory: &Path) -> usize {
    let mut export = Command::new(env!("CARGO_BIN_EXE_sekisho"));
    let output = export.args(["journal", "export", "--directory"]).arg(directory).output().unwrap();
    String::from_utf8(output.stdout).unwrap().lines().count().saturating_sub(1)
}

#[test]
fn what_is_acknowledged_after_the_directory_was_taken_away_is_in_the_new_one() {
    let node = Node::with(Documents::of_vpdn());
    let journal = node.documents.path().join("state/journal");
    let mut lac = node.lac();
    let lns = node.network().lns(1);
    assert_eq!(lac.report(ALICE, "09011112222", 1, lns), Some(Code::ACCOUNTING_RESPONSE));
    assert_eq!(kept(&journal), 1);
    fs::remove_dir_all(&journal).unwrap();
    // The first that finds it gone gets no answer; what comes again is taken into a new one.
    let acknowledged = (0..8)
        .filter(|n| lac.report(ALICE, &format!("0902222000{n}"), 1, lns) == Some(Code::ACCOUNTING_RESPONSE))
        .count();
    assert!(acknowledged >= 3, "{acknowledged}: {}", node.log());
    node.signal(Signal::KILL);
    assert_eq!(kept(&journal), acknowledged, "{}", node.log());
    assert!(node.log().contains("accounting is not recorded"), "{}", node.log());
}
