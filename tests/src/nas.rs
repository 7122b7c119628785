//! A NAS that sends exactly what a test tells it to, and judges the answers strictly.

use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use sekisho_wire::{
    attr,
    attribute::{attributes, proxy_states},
    buf::Buf,
    build::RequestBuilder,
    code::Code,
    scan::scan,
    secret::Secret,
    verify::verify_reply,
};

use crate::network::Host;
use crate::wait::PATIENCE;

/// A socket in a NAS's namespace, and the secret that it shares with the proxy.
#[derive(Debug)]
pub struct Nas {
    socket: UdpSocket,
    secret: Secret,
}

/// An answer that verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Its octets.
    pub bytes: Vec<u8>,
}

impl Nas {
    /// A NAS on `host`, with its address `address` and a port of its own.
    pub fn new(host: &Host, address: IpAddr, secret: &str) -> Nas {
        let socket = host.namespace.run(move || UdpSocket::bind((address, 0)));
        let socket = socket.unwrap_or_else(|fault| panic!("{address}: {fault}"));
        Nas { socket, secret: Secret::new(secret).expect("a secret") }
    }

    /// An Access-Request with a password and a Message-Authenticator, and an authenticator that no other has.
    pub fn login(&self, id: u8, user: &str, password: &str) -> Vec<u8> {
        self.login_with(id, user, password, &[])
    }

    /// The same with further attributes.
    pub fn login_with(&self, id: u8, user: &str, password: &str, more: &[(u8, &[u8])]) -> Vec<u8> {
        self.login_under(fresh_authenticator(), id, user, password, more)
    }

    /// The same under an authenticator of the test's choice: one that another request has had, for a careless NAS.
    pub fn login_under(
        &self,
        authenticator: [u8; 16],
        id: u8,
        user: &str,
        password: &str,
        more: &[(u8, &[u8])],
    ) -> Vec<u8> {
        let builder = RequestBuilder::new(Code::ACCESS_REQUEST, id, authenticator)
            .message_authenticator()
            .attribute(attr::USER_NAME, user)
            .user_password(password.as_bytes(), &self.secret);
        let builder = more.iter().fold(builder, |builder, (number, value)| builder.attribute(*number, value));
        builder.build(&self.secret).expect("a request")
    }

    /// An Accounting-Request of a session. `status`: 1 Start, 2 Stop, 3 Interim-Update.
    pub fn accounting(&self, id: u8, user: &str, status: u32, session: &str) -> Vec<u8> {
        RequestBuilder::new(Code::ACCOUNTING_REQUEST, id, [0; 16])
            .attribute(attr::USER_NAME, user)
            .attribute(attr::ACCT_STATUS_TYPE, status.to_be_bytes())
            .attribute(attr::ACCT_SESSION_ID, session)
            .build(&self.secret)
            .expect("a request")
    }

    /// A request of any code, with these attributes and nothing else; Access-Requests with a Message-Authenticator.
    pub fn request(&self, code: u8, id: u8, attributes: &[(u8, &[u8])]) -> Vec<u8> {
        let mut builder = RequestBuilder::new(Code(code), id, fresh_authenticator());
        if matches!(Code(code), Code::ACCESS_REQUEST | Code::STATUS_SERVER) {
            builder = builder.message_authenticator();
        }
        let builder = attributes.iter().fold(builder, |builder, (number, value)| builder.attribute(*number, value));
        builder.build(&self.secret).expect("a request")
    }

    /// Sends a datagram.
    pub fn send(&self, to: SocketAddr, datagram: &[u8]) {
        self.socket.send_to(datagram, to).expect("sent");
    }

    /// The next datagram within `limit`.
    pub fn receive(&self, limit: Duration) -> Option<Vec<u8>> {
        self.receive_from(limit).map(|(bytes, _)| bytes)
    }

    /// The same, and where it came from.
    pub fn receive_from(&self, limit: Duration) -> Option<(Vec<u8>, SocketAddr)> {
        let mut buffer = vec![0; 65536];
        let end = Instant::now() + limit.max(Duration::from_millis(1));
        loop {
            let left = end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())?;
            self.socket.set_read_timeout(Some(left)).expect("a timeout");
            match self.socket.recv_from(&mut buffer) {
                Ok((len, from)) => {
                    buffer.truncate(len);
                    return Some((buffer, from));
                }
                // A receive with a timeout is not resumed by the kernel after an interruption, whoever caused it.
                Err(fault) => assert!(
                    matches!(fault.kind(), ErrorKind::Interrupted | ErrorKind::WouldBlock),
                    "cannot receive: {fault}"
                ),
            }
        }
    }

    /// Sends a request and waits for its answer, which has to verify.
    pub fn ask(&self, to: SocketAddr, request: &[u8]) -> Answer {
        self.send(to, request);
        self.answer(request, PATIENCE).expect("an answer")
    }

    /// The answer to a request within `limit`. Anything else that arrives, or one that does not verify, fails the test.
    pub fn answer(&self, request: &[u8], limit: Duration) -> Option<Answer> {
        let bytes = self.receive(limit)?;
        Some(self.judge(request, bytes))
    }

    /// Fails the test if anything arrives within `limit`.
    #[track_caller]
    pub fn expect_silence(&self, limit: Duration) {
        let end = Instant::now() + limit;
        if let Some(bytes) = self.receive(end - Instant::now()) {
            panic!("silence was expected, and this came: {bytes:02x?}");
        }
    }

    /// Holds an answer to what RFC 2865 and the lessons of BlastRADIUS demand of it.
    #[track_caller]
    pub fn judge(&self, request: &[u8], bytes: Vec<u8>) -> Answer {
        let mut buf = Buf::new();
        buf.load(&bytes).expect("an answer of at most 4096 octets");
        let layout = scan(buf.bytes()).expect("a well-formed answer");
        let authenticator = request[4..20].try_into().expect("sixteen octets");
        let access = matches!(Code(request[0]), Code::ACCESS_REQUEST | Code::STATUS_SERVER);
        assert_eq!(layout.id, request[1], "the answer has the request's identifier");
        verify_reply(&buf, &layout, &authenticator, &self.secret, access).expect("an answer that verifies");
        if access {
            assert!(layout.message_authenticator_is_first(), "Message-Authenticator is the first attribute");
        }
        let (asked, answered): (Vec<_>, Vec<_>) =
            (proxy_states(request).collect(), proxy_states(&bytes).map(<[u8]>::to_vec).collect());
        assert_eq!(asked, answered, "the request's Proxy-States come back, and no others");
        Answer { bytes }
    }
}

impl Answer {
    /// Its code.
    pub fn code(&self) -> Code {
        Code(self.bytes[0])
    }

    /// Values of an attribute, in order.
    pub fn values(&self, number: u8) -> Vec<Vec<u8>> {
        attributes(&self.bytes).filter(|it| it.number == number).map(|it| it.value.to_vec()).collect()
    }
}

/// Sixteen octets that no other call has given.
pub fn fresh_authenticator() -> [u8; 16] {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Relaxed).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut octets = [0; 16];
    octets[..8].copy_from_slice(&count.to_be_bytes());
    octets[8..].copy_from_slice(&(count ^ u64::from(std::process::id())).rotate_left(23).to_be_bytes());
    octets
}
