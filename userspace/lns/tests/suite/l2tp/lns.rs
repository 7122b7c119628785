//! An LNS of the tests' own making: RFC 2661's reliable delivery, and the manners of LNSs that there are.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use sekisho_lns::{
    Time,
    l2tp::{
        TunnelSecret,
        packet::{Header, Kind, Message, zlb},
    },
};

/// §5.8: repeated after 1, 2, 4, 8 and 8 s; another 8 s later it gives up.
const REPEATS: [u64; 6] = [1, 2, 4, 8, 8, 8];
/// How long it remembers a tunnel that has ended, and how long it is content with an idle one.
const CYCLE: Duration = Duration::from_secs(31);
const IDLE: Duration = Duration::from_secs(60);
const CHALLENGE: [u8; 16] = *b"who are you now?";

/// How it behaves.
#[derive(Clone, Debug)]
pub struct Manners {
    /// The port that it answers from.
    pub port: u16,
    pub secret: Option<&'static str>,
    /// It wants us to prove that we know the secret.
    pub challenges: bool,
    /// It answers requests by a StopCCN with this result and error.
    pub refuses: Option<(u16, u16)>,
    pub acknowledges_stop: bool,
    /// So many Hellos are lost on the way to it.
    pub misses_hellos: u32,
    pub silent: bool,
    /// It answers everything by these octets.
    pub garbage: Option<Vec<u8>>,
    /// Its SCCRP is lost on the way, so many times.
    pub loses_replies: u32,
    /// It does not remember tunnels that have ended.
    pub forgets: bool,
}

impl Default for Manners {
    fn default() -> Manners {
        Manners {
            port: 1701,
            secret: None,
            challenges: false,
            refuses: None,
            acknowledges_stop: true,
            misses_hellos: 0,
            silent: false,
            garbage: None,
            loses_replies: 0,
            forgets: false,
        }
    }
}

/// A datagram of the LNS's.
pub struct Sent {
    pub port: u16,
    pub to: SocketAddr,
    pub bytes: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    HalfOpen,
    Open,
    /// Its StopCCN is under way.
    Refusing,
    Ended,
}

#[derive(Debug)]
struct Tunnel {
    peer: SocketAddr,
    theirs: u16,
    state: State,
    ns: u16,
    nr: u16,
    /// Message under way, with its attributes, and how often it was sent.
    pending: Option<(Vec<u8>, usize)>,
    /// When something is to be done about it.
    alarm: Time,
}

pub struct Lns {
    pub manners: Manners,
    tunnels: BTreeMap<u16, Tunnel>,
    last: u16,
    /// What it has heard.
    pub heard: Vec<Kind>,
    /// The requests themselves.
    pub requests: Vec<Vec<u8>>,
    /// Tunnels opened for each number of the other side.
    pub opened: BTreeMap<u16, u32>,
    /// Responses that it has taken for right.
    pub proofs: u32,
}

impl Lns {
    pub fn new(manners: Manners) -> Lns {
        let (heard, requests) = (Vec::new(), Vec::new());
        let (tunnels, opened) = (BTreeMap::new(), BTreeMap::new());
        Lns { manners, tunnels, last: 0x7000, heard, requests, opened, proofs: 0 }
    }

    /// Tunnels that cost it something.
    pub fn open(&self) -> usize {
        self.tunnels.values().filter(|tunnel| tunnel.state != State::Ended).count()
    }

    pub fn timeout(&self) -> Option<Time> {
        self.tunnels.values().map(|tunnel| tunnel.alarm).min()
    }

    pub fn handle_timeout(&mut self, now: Time) -> Vec<Sent> {
        let mut out = Vec::new();
        let due: Vec<u16> = self.tunnels.iter().filter(|(_, tunnel)| tunnel.alarm <= now).map(|(id, _)| *id).collect();
        for id in due {
            let tunnel = self.tunnels.get_mut(&id).unwrap();
            match &tunnel.pending {
                _ if tunnel.state == State::Ended => drop(self.tunnels.remove(&id)),
                Some((_, sent)) if *sent == REPEATS.len() => drop(self.tunnels.remove(&id)),
                Some(_) => out.extend(self.send(now, id)),
                None => {
                    tunnel.pending = Some((attribute(0, &[0, 6]), 0));
                    out.extend(self.send(now, id));
                }
            }
        }
        out
    }

    pub fn handle(&mut self, now: Time, from: SocketAddr, port: u16, bytes: &[u8]) -> Vec<Sent> {
        let message = Message::parse(bytes).unwrap();
        if message.kind == Kind::Hello && self.manners.misses_hellos > 0 {
            self.manners.misses_hellos -= 1;
            return Vec::new();
        }
        self.heard.push(message.kind);
        if message.kind == Kind::Sccrq {
            self.requests.push(bytes.to_vec());
        }
        if self.manners.silent {
            return Vec::new();
        }
        if let Some(garbage) = &self.manners.garbage {
            return vec![Sent { port: 1701, to: from, bytes: garbage.clone() }];
        }
        if message.kind == Kind::Sccrq {
            return self.handle_request(now, from, &message);
        }
        if port != self.manners.port || !self.tunnels.contains_key(&message.header.tunnel) {
            return Vec::new();
        }
        self.handle_tunnel(now, message.header.tunnel, &message)
    }

    fn handle_request(&mut self, now: Time, from: SocketAddr, message: &Message<'_>) -> Vec<Sent> {
        assert_eq!((message.header.tunnel, message.header.ns, message.header.nr), (0, 0, 0));
        let theirs = message.assigned.unwrap();
        let known = self.tunnels.iter().find(|(_, tunnel)| (tunnel.peer, tunnel.theirs) == (from, theirs));
        if let Some((_, tunnel)) = known {
            // Like xl2tpd: no second SCCRP for a second request, only that it has arrived.
            return vec![self.acknowledgement(tunnel)];
        }
        self.last += 1;
        let id = self.last;
        let assigned = attribute(9, &id.to_be_bytes());
        let (state, body) = match self.manners.refuses {
            Some((result, error)) => {
                let codes = [result.to_be_bytes(), error.to_be_bytes()].concat();
                (State::Refusing, [attribute(0, &[0, 4]), assigned, attribute(1, &codes)].concat())
            }
            None => {
                *self.opened.entry(theirs).or_default() += 1;
                let mut body = [attribute(0, &[0, 2]), attribute(2, &[1, 0]), attribute(3, &[0, 0, 0, 3])].concat();
                body.extend([attribute(7, b"lns"), assigned].concat());
                if let (Some(secret), Some(challenge)) = (self.secret(), message.challenge) {
                    body.extend(attribute(13, &secret.response(Kind::Sccrp, challenge).unwrap()));
                }
                if self.manners.challenges {
                    body.extend(attribute(11, &CHALLENGE));
                }
                (State::HalfOpen, body)
            }
        };
        let tunnel = Tunnel { peer: from, theirs, state, ns: 0, nr: 1, pending: Some((body, 0)), alarm: now };
        let mut out = Vec::new();
        if state == State::Refusing {
            out.push(self.acknowledgement(&tunnel));
        }
        self.tunnels.insert(id, tunnel);
        out.extend(self.send(now, id));
        out
    }

    fn handle_tunnel(&mut self, now: Time, id: u16, message: &Message<'_>) -> Vec<Sent> {
        let secret = self.secret();
        let tunnel = self.tunnels.get_mut(&id).unwrap();
        if tunnel.pending.is_some() && message.header.nr == tunnel.ns.wrapping_add(1) {
            tunnel.pending = None;
            tunnel.ns += 1;
            tunnel.alarm = now + IDLE;
            if tunnel.state == State::Refusing {
                tunnel.state = State::Ended;
                tunnel.alarm = now + CYCLE;
            }
        }
        if message.kind == Kind::Zlb || message.header.ns > tunnel.nr {
            return Vec::new();
        }
        if message.header.ns == tunnel.nr {
            match message.kind {
                Kind::StopCcn if !self.manners.acknowledges_stop => return Vec::new(),
                Kind::StopCcn => {
                    assert_eq!((message.assigned, message.result), (Some(tunnel.theirs), Some((1, 0))));
                    (tunnel.state, tunnel.pending, tunnel.alarm) = (State::Ended, None, now + CYCLE);
                }
                Kind::Hello => assert_eq!(tunnel.state, State::Open),
                Kind::Scccn if self.manners.challenges => {
                    let response = message.response.unwrap_or_default();
                    if secret.unwrap().is_proved_by(Kind::Scccn, &CHALLENGE, &response) {
                        self.proofs += 1;
                        tunnel.state = State::Open;
                    } else {
                        let codes = attribute(1, &[0, 4]);
                        let body = [attribute(0, &[0, 4]), attribute(9, &id.to_be_bytes()), codes].concat();
                        (tunnel.state, tunnel.pending) = (State::Refusing, Some((body, 0)));
                        tunnel.nr += 1;
                        return self.send(now, id).into_iter().collect();
                    }
                }
                Kind::Scccn => tunnel.state = State::Open,
                other => panic!("{other:?} in a tunnel"),
            }
            tunnel.nr += 1;
        }
        let answer = self.acknowledgement(&self.tunnels[&id]);
        if self.manners.forgets && self.tunnels[&id].state == State::Ended {
            self.tunnels.remove(&id);
        }
        vec![answer]
    }

    /// Sends the message under way once more.
    fn send(&mut self, now: Time, id: u16) -> Option<Sent> {
        let port = self.manners.port;
        let tunnel = self.tunnels.get_mut(&id)?;
        let (body, sent) = tunnel.pending.as_mut()?;
        let wait = REPEATS[*sent];
        *sent += 1;
        tunnel.alarm = now + Duration::from_secs(wait);
        if tunnel.state == State::HalfOpen && self.manners.loses_replies > 0 {
            self.manners.loses_replies -= 1;
            return None;
        }
        let (theirs, length) = (tunnel.theirs, (12 + body.len()) as u16);
        let fields = [0xc802, length, theirs, 0, tunnel.ns, tunnel.nr].map(u16::to_be_bytes);
        Some(Sent { port, to: tunnel.peer, bytes: [fields.concat(), body.clone()].concat() })
    }

    fn acknowledgement(&self, tunnel: &Tunnel) -> Sent {
        let ns = tunnel.ns + u16::from(tunnel.pending.is_some() && tunnel.state != State::Refusing);
        let bytes = zlb(Header { tunnel: tunnel.theirs, ns, nr: tunnel.nr });
        Sent { port: self.manners.port, to: tunnel.peer, bytes }
    }

    fn secret(&self) -> Option<TunnelSecret> {
        TunnelSecret::new(self.manners.secret?.as_bytes())
    }
}

fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let first = 0x8000 | (6 + value.len()) as u16;
    [&first.to_be_bytes()[..], &[0, 0], &kind.to_be_bytes(), value].concat()
}
