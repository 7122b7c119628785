//! What most tests begin with: one NAS, one home server, one customer.

use std::net::IpAddr;

use sekisho_tests::documents::{Customer, Documents, Server, client_secret, home_secret};
use sekisho_tests::nas::Nas;
use sekisho_tests::network::{Family, Host, Network};

/// A NAS and a home server on either side of the proxy.
pub struct Scene {
    pub network: Network,
    pub nas: Host,
    pub home: Host,
}

impl Scene {
    pub fn new() -> Scene {
        let mut network = Network::new();
        let (nas, home) = (network.host("nas"), network.host("home1"));
        Scene { network, nas, home }
    }

    /// Documents with the customer `acme`: the NAS as client by both its addresses, the home server over `home`.
    pub fn documents(&self, home: Family) -> Documents {
        self.documents_with(home, "", "")
    }

    /// The same, with further lines for the clients and for the server.
    pub fn documents_with(&self, home: Family, client: &str, server: &str) -> Documents {
        let server = Server::new("home1", self.home.address(home), server);
        let customer = acme(&self.nas, client).proxy(&[server]);
        Documents::new(&[&self.nas, &self.home]).customer(customer)
    }

    /// A scripted NAS with the address of a family.
    pub fn scripted_nas(&self, family: Family) -> Nas {
        Nas::new(&self.nas, self.nas.address(family), &nas_secret(family))
    }
}

/// The customer `acme` with a NAS as client, by IPv4 and by IPv6.
pub fn acme(nas: &Host, more: &str) -> Customer {
    let client = |customer: Customer, family, address: IpAddr| customer.client(contract(family), address, more);
    client(client(Customer::new("acme"), Family::V4, nas.v4), Family::V6, nas.v6)
}

/// The secret of acme's NAS over a family.
pub fn nas_secret(family: Family) -> String {
    client_secret(contract(family))
}

/// The secret of `home1`.
pub fn home1_secret() -> String {
    home_secret("home1")
}

fn contract(family: Family) -> &'static str {
    match family {
        Family::V4 => "acme-nas-4",
        Family::V6 => "acme-nas-6",
    }
}
