//! A NAS that the test plays.

use std::{
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    time::Duration,
};

use sekisho_wire::{
    attr, buf::Buf, build::RequestBuilder, code::Code, scan::scan, secret::Secret, verify::verify_reply,
};

use super::NAS_SECRET;

pub struct Nas {
    socket: UdpSocket,
    node: Ipv4Addr,
    secret: Secret,
    next: u8,
}

/// A request as it was sent.
pub struct Sent {
    pub packet: Vec<u8>,
    authenticator: [u8; 16],
}

impl Nas {
    pub fn new(address: Ipv4Addr, node: Ipv4Addr) -> Nas {
        Nas::with_secret(address, node, NAS_SECRET)
    }

    pub fn with_secret(address: Ipv4Addr, node: Ipv4Addr, secret: &str) -> Nas {
        let socket = UdpSocket::bind((address, 0)).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        Nas { socket, node, secret: Secret::new(secret).unwrap(), next: 0 }
    }

    pub fn patience(&self, time: Duration) {
        self.socket.set_read_timeout(Some(time)).unwrap();
    }

    /// Sends a login without waiting for the answer.
    pub fn send_login(&mut self, user: &str, password: &str) -> Sent {
        let (id, authenticator) = (self.id(), rand::random());
        let builder = RequestBuilder::new(Code::ACCESS_REQUEST, id, authenticator).message_authenticator();
        let builder = builder.attribute(attr::USER_NAME, user).user_password(password.as_bytes(), &self.secret);
        self.send(builder, 1812)
    }

    /// Sends a login without Message-Authenticator, as old NASes do.
    pub fn send_unsigned_login(&mut self, user: &str, password: &str) -> Sent {
        let (id, authenticator) = (self.id(), rand::random());
        let builder = RequestBuilder::new(Code::ACCESS_REQUEST, id, authenticator);
        let builder = builder.attribute(attr::USER_NAME, user).user_password(password.as_bytes(), &self.secret);
        self.send(builder, 1812)
    }

    /// Asks how the node is (RFC 5997); its verified answer.
    pub fn status(&mut self) -> Option<Code> {
        let builder = RequestBuilder::new(Code::STATUS_SERVER, self.id(), rand::random()).message_authenticator();
        let sent = self.send(builder, 1812);
        self.answer(&sent)
    }

    /// Has a session ended (RFC 5176), as a customer's server does; the verified answer.
    pub fn disconnect(&mut self, user: &str, terminal: Ipv4Addr) -> Option<Code> {
        let builder = RequestBuilder::new(Code::DISCONNECT_REQUEST, self.id(), [0; 16]);
        let builder = builder.attribute(attr::USER_NAME, user).attribute(attr::NAS_IP_ADDRESS, terminal.octets());
        let sent = self.send(builder.attribute(attr::ACCT_SESSION_ID, "session-1"), 3799);
        self.answer(&sent)
    }

    /// A login's verified answer; `None` where none came in time.
    pub fn login(&mut self, user: &str, password: &str) -> Option<Code> {
        let sent = self.send_login(user, password);
        self.answer(&sent)
    }

    /// An accounting record's verified answer.
    pub fn account(&mut self, user: &str, status: u32) -> Option<Code> {
        let builder = RequestBuilder::new(Code::ACCOUNTING_REQUEST, self.id(), [0; 16]);
        let builder = builder.attribute(attr::USER_NAME, user).attribute(attr::ACCT_SESSION_ID, "session-1");
        let sent = self.send(builder.attribute(attr::ACCT_STATUS_TYPE, status.to_be_bytes()), 1813);
        self.answer(&sent)
    }

    /// The login of a device with this number, as an access network asks for it; the verified answer.
    pub fn attach(&mut self, user: &str, number: &str) -> Option<Code> {
        let (id, authenticator) = (self.id(), rand::random());
        let builder = RequestBuilder::new(Code::ACCESS_REQUEST, id, authenticator).message_authenticator();
        let builder = builder.attribute(attr::USER_NAME, user).attribute(attr::CALLING_STATION_ID, number);
        let sent = self.send(builder.user_password(b"chap, most often", &self.secret), 1812);
        self.answer(&sent)
    }

    /// A record of the device's session on the LNS at this address: 1 is a Start, 2 a Stop, 3 an Interim; the verified answer.
    pub fn report(&mut self, user: &str, number: &str, status: u32, lns: Ipv4Addr) -> Option<Code> {
        let builder = RequestBuilder::new(Code::ACCOUNTING_REQUEST, self.id(), [0; 16]);
        let builder = builder.attribute(attr::USER_NAME, user).attribute(attr::CALLING_STATION_ID, number);
        let builder = builder.attribute(attr::ACCT_STATUS_TYPE, status.to_be_bytes());
        let builder = builder.attribute(attr::ACCT_SESSION_ID, format!("session-of-{number}"));
        let sent = self.send(builder.attribute(attr::TUNNEL_SERVER_ENDPOINT, lns.to_string()), 1813);
        self.answer(&sent)
    }

    /// Waits for the answer to a request.
    pub fn answer(&self, sent: &Sent) -> Option<Code> {
        let mut buf = Buf::new();
        loop {
            let len = self.socket.recv(buf.receive_space()).ok()?;
            buf.set_received(len);
            let layout = scan(buf.bytes()).unwrap();
            let signed = [Code::ACCESS_REQUEST, Code::STATUS_SERVER].contains(&Code(sent.packet[0]));
            if verify_reply(&buf, &layout, &sent.authenticator, &self.secret, signed).is_ok() {
                return Some(layout.code);
            }
        }
    }

    /// Sends the same octets again.
    pub fn repeat(&self, sent: &Sent) {
        let port = if sent.packet[0] == Code::ACCESS_REQUEST.0 { 1812 } else { 1813 };
        self.socket.send_to(&sent.packet, SocketAddr::from((self.node, port))).unwrap();
    }

    fn send(&self, builder: RequestBuilder, port: u16) -> Sent {
        let packet = builder.build(&self.secret).unwrap();
        self.socket.send_to(&packet, SocketAddr::from((self.node, port))).unwrap();
        let authenticator = packet[4..20].try_into().unwrap();
        Sent { packet, authenticator }
    }

    fn id(&mut self) -> u8 {
        self.next = self.next.wrapping_add(1);
        self.next
    }
}
