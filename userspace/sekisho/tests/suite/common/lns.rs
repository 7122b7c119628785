//! An LNS that does as the test says: the control plane of L2TP, as far as a probe meets it.

use std::{
    net::{Ipv4Addr, UdpSocket},
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::Duration,
};

use sekisho_lns::l2tp::packet::{Header, Kind, Message, zlb};

/// What it does with a request for a tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Does {
    /// Opens it.
    Open,
    /// Answers nothing.
    KeepSilent,
    /// Says that we are not authorized.
    Refuse,
}

/// Answers at port 1701 until dropped.
pub struct Lns(Arc<State>);

#[derive(Default)]
struct State {
    does: AtomicU8,
    asked: AtomicU64,
    stop: AtomicU8,
}

impl Lns {
    pub fn start(address: Ipv4Addr) -> Lns {
        let socket = UdpSocket::bind((address, 1701)).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        thread::spawn(move || serve(&socket, &shared));
        Lns(state)
    }

    /// From now on.
    pub fn does(&self, does: Does) {
        self.0.does.store(does as u8, Relaxed);
    }

    /// Requests for a tunnel that it got.
    pub fn asked(&self) -> u64 {
        self.0.asked.load(Relaxed)
    }
}

impl Drop for Lns {
    fn drop(&mut self) {
        self.0.stop.store(1, Relaxed);
    }
}

fn serve(socket: &UdpSocket, state: &State) {
    const OWN: u16 = 7;
    let mut buffer = [0; 2048];
    let mut peer_tunnel = 0;
    while state.stop.load(Relaxed) == 0 {
        let Ok((len, peer)) = socket.recv_from(&mut buffer) else { continue };
        assert_ne!(peer.port(), 1701, "1701 is an LNS's own");
        let message = Message::parse(&buffer[..len]).unwrap();
        let does = state.does.load(Relaxed);
        let answer = match message.kind {
            Kind::Sccrq => {
                state.asked.fetch_add(1, Relaxed);
                peer_tunnel = message.assigned.unwrap();
                if does == Does::Refuse as u8 { stop_ccn(peer_tunnel, OWN, 4) } else { sccrp(peer_tunnel, OWN) }
            }
            Kind::StopCcn => zlb(Header { tunnel: peer_tunnel, ns: 1, nr: message.header.ns.wrapping_add(1) }),
            _ => continue,
        };
        if does != Does::KeepSilent as u8 {
            socket.send_to(&answer, peer).unwrap();
        }
    }
}

fn sccrp(to: u16, own: u16) -> Vec<u8> {
    message(to, &[avp(0, &[0, 2]), avp(2, &[1, 0]), avp(7, b"scripted"), avp(9, &own.to_be_bytes())])
}

fn stop_ccn(to: u16, own: u16, result: u16) -> Vec<u8> {
    message(to, &[avp(0, &[0, 4]), avp(9, &own.to_be_bytes()), avp(1, &result.to_be_bytes())])
}

/// The first message of a tunnel's other side, in answer to the first of ours.
fn message(to: u16, avps: &[Vec<u8>]) -> Vec<u8> {
    let body = avps.concat();
    let length = 12 + body.len() as u16;
    let header = [0xc802, length, to, 0, 0, 1];
    header.iter().flat_map(|field: &u16| field.to_be_bytes()).chain(body).collect()
}

fn avp(kind: u16, value: &[u8]) -> Vec<u8> {
    let head = [0x8000 | (6 + value.len() as u16), 0, kind];
    head.iter().flat_map(|field| field.to_be_bytes()).chain(value.iter().copied()).collect()
}
