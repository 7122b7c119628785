//! Documents of a node with an access network, and with LNSs of customer acme.

use std::net::Ipv4Addr;

use super::{Documents, Network, Node, nas::Nas};

pub const CARRIER_SECRET: &str = "a-secret-of-the-carrier";
/// Whoever logs in.
pub const ALICE: &str = "alice@acme.example";

impl Network {
    /// The access network's equipment.
    pub fn lac(&self) -> Ipv4Addr {
        self.host(20)
    }

    /// The LNS of this number, 1 or 2: `tokyo-1`, `tokyo-2`.
    pub fn lns(&self, number: u8) -> Ipv4Addr {
        self.host(30 + number)
    }
}

impl Documents {
    /// With an access network, two LNSs and a contract that balances.
    pub fn of_vpdn() -> Documents {
        let documents = Documents::new();
        documents.write_carrier("");
        documents.write_lnss("", "");
        documents
    }

    /// The node's document with the access network, and more at its end.
    pub fn write_carrier(&self, more: &str) {
        let lac = self.network.lac();
        let carrier = format!(
            "[[access_network]]\nname = \"carrier\"\ntype = \"D\"\naddresses = [\"{lac}\"]\nsecret = \"{CARRIER_SECRET}\"\n\
             reject_delay = \"0s\"\n{more}"
        );
        self.write_node(&carrier);
    }

    /// The customer's document with two LNSs, of which the first has these keys too, and a contract with these keys of its option
    /// or behind it.
    pub fn write_lnss(&self, first: &str, option: &str) {
        let [one, two] = [1, 2].map(|number| self.network.lns(number));
        let text = format!(
            "[[lns]]\nname = \"tokyo-1\"\naddress = \"{one}\"\n{first}\
             [[lns]]\nname = \"tokyo-2\"\naddress = \"{two}\"\n\
             [[vpdn]]\ncontract = \"acme-vpdn-d\"\ntype = \"D\"\nlns = [\"tokyo-1\", \"tokyo-2\"]\n\
             [vpdn.load_balancing]\nalternatives = 1\n{option}"
        );
        self.write_acme(&text);
    }
}

impl Node {
    /// The access network's equipment, in front of this node.
    pub fn lac(&self) -> Nas {
        Nas::with_secret(self.network().lac(), self.network().node(), CARRIER_SECRET)
    }

    /// A metric of one LNS of acme's.
    pub fn lns_metric(&self, name: &str, lns: &str, more: &str) -> f64 {
        self.metric(&format!("{name}{{customer=\"acme\",lns=\"{lns}\"{more}}}"))
    }

    /// Whether an LNS of acme's is in this state.
    pub fn lns_is(&self, lns: &str, state: &str) -> bool {
        self.lns_metric("sekisho_lns_state", lns, &format!(",state=\"{state}\"")) == 1.0
    }

    /// How often an LNS has been chosen.
    pub fn chosen(&self, lns: &str) -> f64 {
        self.lns_metric("sekisho_lns_chosen_total", lns, "")
    }
}
