//! The proxy in the middle, and a link to everybody else.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::OwnedFd;

use rustix::net::{AddressFamily, SocketType, netdevice};

use crate::namespace::Namespace;
use crate::passing;

/// Where the proxy takes Access-Requests.
pub const AUTH: u16 = 1812;
/// Where the proxy takes Accounting-Requests.
pub const ACCT: u16 = 1813;

/// Where the proxy, and a NAS, take CoA and Disconnect.
pub const DYNAUTH: u16 = 3799;

/// The proxy's IPv4 service address, on its loopback interface, so that it is the same from every link.
pub const PROXY_V4: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 99, 255, 1));
/// The proxy's IPv6 service address.
pub const PROXY_V6: IpAddr = IpAddr::V6(Ipv6Addr::new(0xfd99, 0xff, 0, 0, 0, 0, 0, 1));

/// The address family that a test runs over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// Both.
    pub const BOTH: [Family; 2] = [Family::V4, Family::V6];

    /// The proxy's service address.
    pub fn proxy(self) -> IpAddr {
        match self {
            Family::V4 => PROXY_V4,
            Family::V6 => PROXY_V6,
        }
    }
}

/// One host beside the proxy, in a namespace of its own.
#[derive(Debug)]
pub struct Host {
    /// Where it lives.
    pub namespace: Namespace,
    /// Its name, and that of the proxy's interface toward it.
    pub name: String,
    /// Its IPv4 address.
    pub v4: IpAddr,
    /// Its IPv6 address.
    pub v6: IpAddr,
    /// Lets it hear what the gate answers.
    _passing: OwnedFd,
}

impl Host {
    /// Its address of a family.
    pub fn address(&self, family: Family) -> IpAddr {
        match family {
            Family::V4 => self.v4,
            Family::V6 => self.v6,
        }
    }

    /// The networks of its link, as documents write them.
    pub fn networks(&self) -> [String; 2] {
        let [.., c, _] = self.octets();
        [format!("{}/24", self.neighbour(0)), format!("fd99:{c:x}::/64")]
    }

    /// Another IPv4 address of its link's.
    pub fn neighbour(&self, last: u8) -> IpAddr {
        let [a, b, c, _] = self.octets();
        IpAddr::from([a, b, c, last])
    }

    fn octets(&self) -> [u8; 4] {
        match self.v4 {
            IpAddr::V4(v4) => v4.octets(),
            IpAddr::V6(_) => unreachable!("v4 is IPv4"),
        }
    }

    /// Takes another's address as well: a host that is misplaced, or spoofs.
    pub fn also_has(&self, address: IpAddr) {
        let (prefix, nodad) = if address.is_ipv4() { (32, "") } else { (128, "nodad") };
        self.namespace.ip(&format!("address add {address}/{prefix} dev eth0 {nodad}"));
    }
}

/// The proxy's namespace, with one veth pair to each host, named like the host on the proxy's side.
#[derive(Debug)]
pub struct Network {
    /// Where the proxy lives.
    pub proxy: Namespace,
    hosts: u16,
}

impl Network {
    /// A proxy without neighbours yet.
    pub fn new() -> Network {
        let proxy = Namespace::new("proxy");
        proxy.ip(&format!("address add {PROXY_V4}/32 dev lo"));
        proxy.ip(&format!("address add {PROXY_V6}/128 dev lo nodad"));
        Network { proxy, hosts: 0 }
    }

    /// Adds a host. `name` is at most 15 octets long: it becomes an interface of the proxy's.
    pub fn host(&mut self, name: &str) -> Host {
        self.hosts += 1;
        let n = self.hosts;
        let (proxy, other) = (&self.proxy, Namespace::new(name));
        proxy.ip(&format!("link add name {name} type veth peer name eth0 netns {}", other.path()));
        for (side, interface, last) in [(proxy, name, 1), (&other, "eth0", 2)] {
            // A frame with an unfinished checksum would reach XDP and the socket behind it as it is.
            side.tool("ethtool", &format!("-K {interface} tx off"));
            side.ip(&format!("address add 10.99.{n}.{last}/24 dev {interface}"));
            side.ip(&format!("address add fd99:{n:x}::{last}/64 dev {interface} nodad"));
            side.ip(&format!("link set dev {interface} up"));
        }
        other.ip(&format!("route add default via 10.99.{n}.1"));
        other.ip(&format!("-6 route add default via fd99:{n:x}::1"));
        let passing = other.run(|| passing::attach(interface_index("eth0"))).expect("an XDP program on eth0");
        Host {
            namespace: other,
            name: name.to_owned(),
            v4: IpAddr::V4(Ipv4Addr::new(10, 99, n as u8, 2)),
            v6: IpAddr::V6(Ipv6Addr::new(0xfd99, n, 0, 0, 0, 0, 0, 2)),
            _passing: passing,
        }
    }
}

impl Default for Network {
    fn default() -> Network {
        Network::new()
    }
}

/// Of an interface in the calling thread's namespace.
fn interface_index(name: &str) -> u32 {
    let socket = rustix::net::socket(AddressFamily::INET, SocketType::DGRAM, None).expect("a socket");
    netdevice::name_to_index(socket, name).unwrap_or_else(|fault| panic!("{name}: {fault}"))
}

/// The proxy's authentication port in a family.
pub fn auth(family: Family) -> SocketAddr {
    SocketAddr::new(family.proxy(), AUTH)
}

/// The proxy's accounting port in a family.
pub fn acct(family: Family) -> SocketAddr {
    SocketAddr::new(family.proxy(), ACCT)
}

/// The proxy's port for CoA and Disconnect in a family.
pub fn dynauth(family: Family) -> SocketAddr {
    SocketAddr::new(family.proxy(), DYNAUTH)
}
