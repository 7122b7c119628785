//! A home server that does what a test's script says: answer late, twice, falsely, or never. It remembers every packet.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use sekisho_wire::{attr, attribute::attributes, buf::Buf, build::write_reply, code::Code, scan::scan, secret::Secret};

use crate::network::{ACCT, AUTH, DYNAUTH, Host};
use crate::packet::{self, Proof};

/// A scripted home server on 1812 and 1813 of a host, IPv4 and IPv6.
#[derive(Debug)]
pub struct ScriptedHome {
    seen: Arc<Mutex<Vec<Asked>>>,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

/// A packet that reached the home server.
#[derive(Clone, Debug)]
pub struct Asked {
    /// When.
    pub at: Instant,
    /// From which address and port of the proxy's.
    pub from: SocketAddr,
    /// All its octets.
    pub bytes: Vec<u8>,
    /// How many packets had come before it.
    pub before: usize,
    secret: Secret,
    secret_text: Arc<str>,
}

/// One packet to be sent in answer, some time after the request came.
#[derive(Clone, Debug)]
pub struct Say {
    after: Duration,
    bytes: Vec<u8>,
}

impl Say {
    /// Says it later.
    #[must_use]
    pub fn after(mut self, delay: Duration) -> Say {
        self.after = delay;
        self
    }

    /// Its octets: for somebody else to send.
    pub fn octets(&self) -> &[u8] {
        &self.bytes
    }
}

impl ScriptedHome {
    /// Starts it. The script is asked for every packet and gives the answers.
    pub fn start(host: &Host, secret: &str, script: impl FnMut(&Asked) -> Vec<Say> + Send + 'static) -> ScriptedHome {
        ScriptedHome::on(host, secret, &[AUTH, ACCT], script)
    }

    /// A NAS in its other part: it takes CoA and Disconnect on 3799 (RFC 5176).
    pub fn terminal(
        host: &Host,
        secret: &str,
        script: impl FnMut(&Asked) -> Vec<Say> + Send + 'static,
    ) -> ScriptedHome {
        ScriptedHome::on(host, secret, &[DYNAUTH], script)
    }

    fn on(
        host: &Host,
        secret: &str,
        ports: &[u16],
        script: impl FnMut(&Asked) -> Vec<Say> + Send + 'static,
    ) -> ScriptedHome {
        let secret_text: Arc<str> = secret.into();
        let secret = Secret::new(secret).expect("a secret");
        let (seen, stop) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let script = Arc::new(Mutex::new(script));
        let addresses = [host.v4, host.v6].into_iter().flat_map(|it| ports.iter().map(move |port| (it, *port)));
        let threads = addresses.map(|(address, port)| {
            let socket = bind(host, address, port);
            let (seen, stop, script) = (seen.clone(), stop.clone(), script.clone());
            let (secret, secret_text) = (secret.clone(), secret_text.clone());
            std::thread::spawn(move || {
                let asked = |at, from, bytes, before| {
                    let (secret, secret_text) = (secret.clone(), secret_text.clone());
                    Asked { at, from, bytes, before, secret, secret_text }
                };
                serve(&socket, asked, &seen, &stop, |asked: &Asked| lock(&script)(asked));
            })
        });
        let threads = threads.collect();
        ScriptedHome { seen, stop, threads }
    }

    /// A home server that answers everything at once: accepted, recorded.
    pub fn willing(host: &Host, secret: &str) -> ScriptedHome {
        ScriptedHome::start(host, secret, |asked| vec![asked.accept()])
    }

    /// A home server that never answers.
    pub fn silent(host: &Host, secret: &str) -> ScriptedHome {
        ScriptedHome::start(host, secret, |_| Vec::new())
    }

    /// Everything that came, in order.
    pub fn seen(&self) -> Vec<Asked> {
        lock(&self.seen).clone()
    }
}

impl Drop for ScriptedHome {
    fn drop(&mut self) {
        self.stop.store(true, Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl Asked {
    /// The code.
    pub fn code(&self) -> Code {
        Code(self.bytes[0])
    }

    /// The Request Authenticator.
    pub fn authenticator(&self) -> [u8; 16] {
        self.bytes[4..20].try_into().expect("sixteen octets")
    }

    /// The User-Name, as text.
    pub fn user(&self) -> String {
        let layout = scan(&self.bytes).expect("a well-formed request");
        layout.user_name.map_or_else(String::new, |span| String::from_utf8_lossy(span.of(&self.bytes)).into_owned())
    }

    /// The password in clear.
    pub fn password(&self) -> Vec<u8> {
        let layout = scan(&self.bytes).expect("a well-formed request");
        let mut hidden = layout.user_password.expect("a User-Password").of(&self.bytes).to_vec();
        sekisho_wire::password::unhide(&mut hidden, &self.secret, &self.authenticator()).expect("whole blocks");
        sekisho_wire::password::without_padding(&hidden).to_vec()
    }

    /// Whether its authenticator is the digest that accounting, CoA and Disconnect have to have (RFC 2866 §3).
    pub fn digest_is_right(&self) -> bool {
        packet::digest_is_right(&self.bytes, &self.secret_text)
    }

    /// Values of an attribute, in order.
    pub fn values(&self, number: u8) -> Vec<Vec<u8>> {
        attributes(&self.bytes).filter(|it| it.number == number).map(|it| it.value.to_vec()).collect()
    }

    /// The answer that says yes: Access-Accept, Accounting-Response, an ACK.
    pub fn accept(&self) -> Say {
        self.accept_with(&[])
    }

    /// The same with attributes.
    pub fn accept_with(&self, attributes: &[(u8, &[u8])]) -> Say {
        self.say(self.yes(), attributes, &self.secret)
    }

    /// An Access-Reject.
    pub fn reject(&self, why: &str) -> Say {
        self.say(Code::ACCESS_REJECT, &[(attr::REPLY_MESSAGE, why.as_bytes())], &self.secret)
    }

    /// What somebody would send who knows everything but the secret.
    pub fn forged(&self) -> Say {
        self.say(self.yes(), &[], &Secret::new("not the secret at all").expect("a secret"))
    }

    /// An Access-Challenge.
    pub fn challenge(&self, attributes: &[(u8, &[u8])]) -> Say {
        self.say(Code::ACCESS_CHALLENGE, attributes, &self.secret)
    }

    /// A NAK with an Error-Cause, for a CoA- or Disconnect-Request.
    pub fn nak(&self, cause: u32) -> Say {
        self.say(Code(self.bytes[0] + 2), &[(attr::ERROR_CAUSE, &cause.to_be_bytes())], &self.secret)
    }

    /// A reply written by other code than sekisho's, with its Message-Authenticator where the test wants it.
    pub fn reply(&self, code: Code, proof: Proof, attributes: &[(u8, Vec<u8>)]) -> Say {
        self.reply_under(&self.secret_text, code, proof, attributes)
    }

    /// The same under another secret.
    pub fn reply_under(&self, secret: &str, code: Code, proof: Proof, attributes: &[(u8, Vec<u8>)]) -> Say {
        Say { after: Duration::ZERO, bytes: packet::reply(code.0, &self.bytes, secret, proof, attributes) }
    }

    fn yes(&self) -> Code {
        match self.code() {
            Code::ACCOUNTING_REQUEST => Code::ACCOUNTING_RESPONSE,
            Code::DISCONNECT_REQUEST | Code::COA_REQUEST => Code(self.bytes[0] + 1),
            _ => Code::ACCESS_ACCEPT,
        }
    }

    fn say(&self, code: Code, attributes: &[(u8, &[u8])], secret: &Secret) -> Say {
        let mut buf = Buf::new();
        let authenticator = self.authenticator();
        write_reply(&mut buf, code, self.bytes[1], &authenticator, secret, &self.bytes, attributes).expect("it fits");
        Say { after: Duration::ZERO, bytes: buf.bytes().to_vec() }
    }
}

fn bind(host: &Host, address: IpAddr, port: u16) -> UdpSocket {
    let socket = host.namespace.run(move || UdpSocket::bind((address, port)));
    socket.unwrap_or_else(|fault| panic!("{address} port {port}: {fault}"))
}

fn serve(
    socket: &UdpSocket,
    asked: impl Fn(Instant, SocketAddr, Vec<u8>, usize) -> Asked,
    seen: &Mutex<Vec<Asked>>,
    stop: &AtomicBool,
    mut play: impl FnMut(&Asked) -> Vec<Say>,
) {
    let mut pending: Vec<(Instant, SocketAddr, Vec<u8>)> = Vec::new();
    let mut buffer = vec![0; 65536];
    while !stop.load(Relaxed) {
        let now = Instant::now();
        pending.retain(|(due, to, bytes)| {
            if *due <= now {
                // The proxy may be gone by now.
                let _ = socket.send_to(bytes, to);
            }
            *due > now
        });
        let next = pending.iter().map(|(due, ..)| *due - now).min();
        let wait = next.unwrap_or(Duration::from_millis(20)).clamp(Duration::from_millis(1), Duration::from_millis(20));
        socket.set_read_timeout(Some(wait)).expect("a timeout");
        let Ok((len, from)) = socket.recv_from(&mut buffer) else { continue };
        let mut seen = lock(seen);
        let at = Instant::now();
        let asked = asked(at, from, buffer[..len].to_vec(), seen.len());
        seen.push(asked.clone());
        drop(seen);
        pending.extend(play(&asked).into_iter().map(|say| (at + say.after, from, say.bytes)));
    }
}

fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
