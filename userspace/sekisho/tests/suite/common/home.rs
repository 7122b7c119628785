//! A home server that does as the test says.

use std::{
    net::{Ipv4Addr, UdpSocket},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::Duration,
};

use sekisho_wire::{attr, buf::Buf, build::write_reply, code::Code, password::unhide, scan::scan, secret::Secret};

use super::{HOME_SECRET, PASSWORD};

/// Answers on two ports of one address until dropped; Status-Server on both (RFC 5997).
pub struct Home(Arc<State>);

#[derive(Default)]
struct State {
    silent: AtomicBool,
    generous: AtomicBool,
    delay: AtomicU64,
    received: AtomicU64,
    asked: AtomicU64,
    stop: AtomicBool,
}

impl Home {
    pub fn start(address: Ipv4Addr) -> Home {
        Home::on([1812, 1813].map(|port| UdpSocket::bind((address, port)).unwrap()))
    }

    /// On sockets that the test has bound.
    pub fn on(sockets: [UdpSocket; 2]) -> Home {
        let state = Arc::new(State::default());
        for socket in sockets {
            socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
            let state = Arc::clone(&state);
            thread::spawn(move || serve(&socket, &state));
        }
        Home(state)
    }

    /// From now on it answers nothing, or answers again.
    pub fn be_silent(&self, silent: bool) {
        self.0.silent.store(silent, Relaxed);
    }

    /// From now on its Accepts let a subscriber administer the NAS.
    pub fn be_generous(&self) {
        self.0.generous.store(true, Relaxed);
    }

    /// From now on it takes so long for each answer.
    pub fn be_slow(&self, delay: Duration) {
        self.0.delay.store(delay.as_millis() as u64, Relaxed);
    }

    /// Status-Server that it got.
    pub fn asked(&self) -> u64 {
        self.0.asked.load(Relaxed)
    }

    /// Requests it got, repetitions included and Status-Server not.
    pub fn received(&self) -> u64 {
        self.0.received.load(Relaxed)
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        self.0.stop.store(true, Relaxed);
    }
}

fn serve(socket: &UdpSocket, state: &State) {
    let secret = Secret::new(HOME_SECRET).unwrap();
    let (mut buf, mut reply) = (Buf::new(), Buf::new());
    while !state.stop.load(Relaxed) {
        let Ok((len, peer)) = socket.recv_from(buf.receive_space()) else { continue };
        buf.set_received(len);
        let layout = scan(buf.bytes()).unwrap();
        let count = if layout.code == Code::STATUS_SERVER { &state.asked } else { &state.received };
        count.fetch_add(1, Relaxed);
        if state.silent.load(Relaxed) {
            continue;
        }
        thread::sleep(Duration::from_millis(state.delay.load(Relaxed)));
        let request = buf.bytes();
        let authenticator = layout.authenticator(request).unwrap();
        let code = match layout.code {
            Code::ACCOUNTING_REQUEST => Code::ACCOUNTING_RESPONSE,
            Code::STATUS_SERVER => Code::ACCESS_ACCEPT,
            _ => {
                let mut hidden = layout.user_password.unwrap().of(request).to_vec();
                unhide(&mut hidden, &secret, &authenticator).unwrap();
                let right = hidden.starts_with(PASSWORD.as_bytes());
                if right { Code::ACCESS_ACCEPT } else { Code::ACCESS_REJECT }
            }
        };
        let message: &[u8] = if code == Code::ACCESS_REJECT { b"not you" } else { b"welcome" };
        let attributes = [(attr::REPLY_MESSAGE, message), (attr::SERVICE_TYPE, &[0, 0, 0, 6][..])];
        let attributes = match code {
            Code::ACCOUNTING_RESPONSE => &[][..],
            Code::ACCESS_ACCEPT if state.generous.load(Relaxed) => &attributes,
            _ => &attributes[..1],
        };
        write_reply(&mut reply, code, layout.id, &authenticator, &secret, request, attributes).unwrap();
        socket.send_to(reply.bytes(), peer).unwrap();
    }
}
