//! A home server that does what a test's script says: answer late, twice, falsely, or never. It remembers every packet.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use sekisho_wire::{attr, buf::Buf, build::write_reply, code::Code, scan::scan, secret::Secret};

use crate::network::{ACCT, AUTH, Host};

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
        let secret = Secret::new(secret).expect("a secret");
        let (seen, stop) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let script = Arc::new(Mutex::new(script));
        let addresses = [host.v4, host.v6].into_iter().flat_map(|it| [(it, AUTH), (it, ACCT)]);
        let threads = addresses.map(|(address, port)| {
            let socket = bind(host, address, port);
            let (seen, stop, script, secret) = (seen.clone(), stop.clone(), script.clone(), secret.clone());
            std::thread::spawn(move || {
                let play = |asked: &Asked| lock(&script)(asked);
                serve(&socket, &secret, &seen, &stop, play);
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

    /// The answer that says yes: Access-Accept or Accounting-Response.
    pub fn accept(&self) -> Say {
        self.accept_with(&[])
    }

    /// The same with attributes.
    pub fn accept_with(&self, attributes: &[(u8, &[u8])]) -> Say {
        let access = self.code() == Code::ACCESS_REQUEST;
        self.say(if access { Code::ACCESS_ACCEPT } else { Code::ACCOUNTING_RESPONSE }, attributes, &self.secret)
    }

    /// An Access-Reject.
    pub fn reject(&self, why: &str) -> Say {
        self.say(Code::ACCESS_REJECT, &[(attr::REPLY_MESSAGE, why.as_bytes())], &self.secret)
    }

    /// What somebody would send who knows everything but the secret.
    pub fn forged(&self) -> Say {
        let access = self.code() == Code::ACCESS_REQUEST;
        let code = if access { Code::ACCESS_ACCEPT } else { Code::ACCOUNTING_RESPONSE };
        self.say(code, &[], &Secret::new("not the secret at all").expect("a secret"))
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
    secret: &Secret,
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
        let (at, before) = (Instant::now(), seen.len());
        let asked = Asked { at, from, bytes: buffer[..len].to_vec(), before, secret: secret.clone() };
        seen.push(asked.clone());
        drop(seen);
        pending.extend(play(&asked).into_iter().map(|say| (at + say.after, from, say.bytes)));
    }
}

fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
