//! Ethernet frames, built from the inside out.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

const ETHERTYPE_IPV4: u16 = 0x0800;
const ETHERTYPE_IPV6: u16 = 0x86dd;
const ETHERTYPE_VLAN: u16 = 0x8100;
const ETHERTYPE_QINQ: u16 = 0x88a8;
const UDP: u8 = 17;

/// A frame with a UDP datagram in it; the defaults are sound, every setter makes it odd in one way.
#[derive(Clone, Debug)]
pub struct Frame {
    from: SocketAddr,
    to: SocketAddr,
    payload: Vec<u8>,
    vlans: Vec<(u16, u16)>,
    options: Vec<u8>,
    extensions: Vec<(u8, Vec<u8>)>,
    fragment: Option<(u16, bool)>,
    protocol: u8,
    udp_len: Option<u16>,
    ip_len: Option<u16>,
    trailer: usize,
}

/// A layer's header, for cutting a frame off in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// Ethernet without tags.
    Ethernet,
    /// VLAN tags.
    Vlan,
    /// IP with options and extension headers.
    Ip,
    /// UDP.
    Udp,
}

impl Frame {
    /// A datagram with this payload. Source and destination must be of one family.
    pub fn udp(from: SocketAddr, to: SocketAddr, payload: impl Into<Vec<u8>>) -> Frame {
        Frame {
            from,
            to,
            payload: payload.into(),
            vlans: Vec::new(),
            options: Vec::new(),
            extensions: Vec::new(),
            fragment: None,
            protocol: UDP,
            udp_len: None,
            ip_len: None,
            trailer: 0,
        }
    }

    /// Adds a VLAN tag (0x8100) inside those that are there. Bits above the identifier's 12 are priority.
    #[must_use]
    pub fn vlan(mut self, tag: u16) -> Frame {
        self.vlans.push((ETHERTYPE_VLAN, tag));
        self
    }

    /// Adds a service tag (0x88a8, IEEE 802.1ad).
    #[must_use]
    pub fn service_vlan(mut self, tag: u16) -> Frame {
        self.vlans.push((ETHERTYPE_QINQ, tag));
        self
    }

    /// IPv4 options; filled up to a multiple of four octets. No more than 40.
    #[must_use]
    pub fn options(mut self, options: &[u8]) -> Frame {
        self.options = options.to_vec();
        self.options.resize(options.len().next_multiple_of(4), 0);
        self
    }

    /// Adds an IPv6 extension header of this number behind those that are there. `body` is what follows its first
    /// two octets; it is filled up to a multiple of eight.
    #[must_use]
    pub fn extension(mut self, number: u8, body: &[u8]) -> Frame {
        self.extensions.push((number, body.to_vec()));
        self
    }

    /// Makes it a fragment: `offset` in units of 8 octets, `more` to follow. With an offset there is no UDP header.
    ///
    /// Over IPv6 the fragment header comes behind the extension headers.
    #[must_use]
    pub fn fragment(mut self, offset: u16, more: bool) -> Frame {
        self.fragment = Some((offset, more));
        self
    }

    /// Another protocol in the IP header; the UDP header stays.
    #[must_use]
    pub fn protocol(mut self, protocol: u8) -> Frame {
        self.protocol = protocol;
        self
    }

    /// What the UDP header says of its length.
    #[must_use]
    pub fn udp_len(mut self, length: u16) -> Frame {
        self.udp_len = Some(length);
        self
    }

    /// What the IP header says of its length: the total over IPv4, the payload over IPv6.
    #[must_use]
    pub fn ip_len(mut self, length: u16) -> Frame {
        self.ip_len = Some(length);
        self
    }

    /// Octets behind the IP packet, as Ethernet pads short frames.
    #[must_use]
    pub fn trailer(mut self, octets: usize) -> Frame {
        self.trailer = octets;
        self
    }

    /// Octets up to the end of this layer's header.
    pub fn end_of(&self, layer: Layer) -> usize {
        let ip = match self.to {
            SocketAddr::V4(_) => 20 + self.options.len(),
            SocketAddr::V6(_) => 40 + self.extension_headers(UDP).1.len(),
        };
        let vlan = 14 + 4 * self.vlans.len();
        match layer {
            Layer::Ethernet => 14,
            Layer::Vlan => vlan,
            Layer::Ip => vlan + ip,
            Layer::Udp => vlan + ip + 8,
        }
    }

    /// The frame's octets.
    pub fn build(&self) -> Vec<u8> {
        let (ethertype, packet) = match (self.from.ip(), self.to.ip()) {
            (IpAddr::V4(from), IpAddr::V4(to)) => (ETHERTYPE_IPV4, self.v4(from, to)),
            (from, to) => (ETHERTYPE_IPV6, self.v6(v6_of(from), v6_of(to))),
        };
        let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
        for (kind, tag) in &self.vlans {
            frame.extend(kind.to_be_bytes());
            frame.extend(tag.to_be_bytes());
        }
        frame.extend(ethertype.to_be_bytes());
        frame.extend(packet);
        frame.resize(frame.len() + self.trailer, 0);
        frame
    }

    fn datagram(&self) -> Vec<u8> {
        if self.fragment.is_some_and(|(offset, _)| offset != 0) {
            return self.payload.clone();
        }
        let length = self.udp_len.unwrap_or((8 + self.payload.len()) as u16);
        let mut datagram = Vec::with_capacity(8 + self.payload.len());
        datagram.extend(self.from.port().to_be_bytes());
        datagram.extend(self.to.port().to_be_bytes());
        datagram.extend(length.to_be_bytes());
        // Over IPv4, zero is "none"; the gate leaves checksums to the network stack.
        datagram.extend([0, 0]);
        datagram.extend(&self.payload);
        datagram
    }

    fn v4(&self, from: Ipv4Addr, to: Ipv4Addr) -> Vec<u8> {
        let datagram = self.datagram();
        let header = 20 + self.options.len();
        let total = self.ip_len.unwrap_or((header + datagram.len()) as u16);
        let (offset, more) = self.fragment.unwrap_or((0, false));
        let mut packet = vec![0x40 | (header / 4) as u8, 0];
        packet.extend(total.to_be_bytes());
        packet.extend([0x12, 0x34]);
        packet.extend((offset & 0x1fff | if more { 0x2000 } else { 0 }).to_be_bytes());
        packet.extend([64, self.protocol, 0, 0]);
        packet.extend(from.octets());
        packet.extend(to.octets());
        packet.extend(&self.options);
        let checksum = internet_checksum(&packet);
        packet.splice(10..12, checksum.to_be_bytes());
        packet.extend(datagram);
        packet
    }

    fn v6(&self, from: Ipv6Addr, to: Ipv6Addr) -> Vec<u8> {
        let datagram = self.datagram();
        let (first, extensions) = self.extension_headers(self.protocol);
        let length = self.ip_len.unwrap_or((extensions.len() + datagram.len()) as u16);
        let mut packet = vec![0x60, 0, 0, 0];
        packet.extend(length.to_be_bytes());
        packet.extend([first, 64]);
        packet.extend(from.octets());
        packet.extend(to.octets());
        packet.extend(extensions);
        packet.extend(datagram);
        packet
    }

    /// Number of the first header behind IPv6's own, and all of them in a row.
    fn extension_headers(&self, upper: u8) -> (u8, Vec<u8>) {
        let mut next = upper;
        let mut headers = Vec::new();
        if let Some((offset, more)) = self.fragment {
            let field = offset << 3 | u16::from(more);
            headers = [&[next, 0], &field.to_be_bytes()[..], &[0, 0, 0, 1]].concat();
            next = 44;
        }
        for (number, body) in self.extensions.iter().rev() {
            let length = (2 + body.len()).next_multiple_of(8);
            let mut header = vec![next, (length / 8 - 1) as u8];
            header.extend(body);
            header.resize(length, 0);
            header.extend(headers);
            headers = header;
            next = *number;
        }
        (next, headers)
    }
}

fn v6_of(address: IpAddr) -> Ipv6Addr {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped(),
        IpAddr::V6(v6) => v6,
    }
}

/// RFC 1071.
fn internet_checksum(octets: &[u8]) -> u16 {
    let words = octets.chunks(2).map(|pair| match pair {
        [high, low] => u32::from(u16::from_be_bytes([*high, *low])),
        _ => u32::from(pair.first().copied().unwrap_or(0)) << 8,
    });
    let mut sum: u32 = words.sum();
    while sum > 0xffff {
        sum = (sum >> 16) + (sum & 0xffff);
    }
    !(sum as u16)
}
