//! Sessions of `vpdn` contracts and the LNSs that they end at: what is shared by the workers, and what is done beside them.

use std::sync::Arc;

use sekisho_config::Node;
use sekisho_lns::{
    Loads,
    sessions::{Sessions, Settings},
};

/// Who is where, and how much each LNS has.
#[derive(Clone)]
pub struct Vpdn {
    /// The numbers behind LNSs, contracts and customers; the same for the life of the process.
    pub loads: Arc<Loads>,
    /// The sessions.
    pub sessions: Arc<Sessions>,
}

impl Vpdn {
    /// Without sessions.
    pub fn new(node: &Node) -> Vpdn {
        let loads = Arc::new(Loads::new());
        let sessions = Arc::new(Sessions::new(settings(node), rand::random(), Arc::clone(&loads)));
        Vpdn { loads, sessions }
    }
}

/// The bounds of the table of sessions, from the document.
pub fn settings(node: &Node) -> Settings {
    let from = &node.sessions;
    Settings {
        max_sessions: from.max_tracked as usize,
        reservation: from.reservation,
        short: from.short,
        ..Settings::default()
    }
}
