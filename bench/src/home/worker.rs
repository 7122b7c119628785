//! One thread of a home server: its sockets, a batch at a time.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Instant;

use sekisho_udp::{BATCH, Receiver, Sender};
use sekisho_wire::buf::Buf;
use sekisho_wire::code::Code;

use super::Home;
use super::answer::{Answered, Port, Silence, answer};
use super::faults::forge;
use super::outbox::{Delayed, Outbox};
use super::sightings::Sightings;
use super::stats::Counters;
use crate::stop::{LOOK, Stop};
use crate::wait::Waiter;

pub(super) struct Worker {
    home: Arc<Home>,
    sockets: Vec<(Port, UdpSocket)>,
    counters: Arc<Counters>,
    stop: Stop,
    receiver: Receiver,
    sender: Sender,
    requests: Vec<Buf>,
    reply: Buf,
    outbox: Outbox,
    /// By place in `sockets`.
    delayed: Delayed<usize>,
    sightings: Sightings,
    /// Right requests so far.
    right: u64,
}

impl Worker {
    pub(super) fn new(home: Arc<Home>, sockets: Vec<(Port, UdpSocket)>, counters: Arc<Counters>, stop: Stop) -> Self {
        Self {
            delayed: Delayed::new(home.faults.delay),
            home,
            sockets,
            counters,
            stop,
            receiver: Receiver::new(),
            sender: Sender::new(),
            requests: (0..BATCH).map(|_| Buf::new()).collect(),
            reply: Buf::new(),
            outbox: Outbox::default(),
            sightings: Sightings::default(),
            right: 0,
        }
    }

    pub(super) fn run(&mut self) -> io::Result<()> {
        let sockets = std::mem::take(&mut self.sockets);
        let mut waiter = Waiter::new(sockets.iter().map(|(_, socket)| socket.as_fd()));
        while !self.stop.is_set() {
            let wait = self.delayed.wait(Instant::now()).unwrap_or(LOOK).min(LOOK);
            waiter.wait(wait)?;
            for (place, (port, socket)) in sockets.iter().enumerate() {
                if waiter.is_ready(place) {
                    self.serve(place, *port, socket)?;
                }
            }
            while let Some(place) = self.delayed.due(Instant::now(), &mut self.outbox) {
                if let Some((_, socket)) = sockets.get(place) {
                    self.flush(socket)?;
                }
            }
        }
        Ok(())
    }

    /// Takes one batch from a socket and answers it.
    fn serve(&mut self, place: usize, port: Port, socket: &UdpSocket) -> io::Result<()> {
        let buffers = self.requests.iter_mut().map(Buf::receive_space);
        let count = match self.receiver.recv(socket, buffers) {
            Ok(count) => count,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => return Ok(()),
            Err(error) => return Err(error),
        };
        self.counters.received.add(count);
        for index in 0..count {
            let meta = self.receiver.meta(index);
            let Some(request) = self.requests.get_mut(index) else { break };
            request.set_received(meta.len);
            let home = &self.home;
            match answer(request, port, &home.secret, &home.users, &home.extras, &mut self.reply) {
                Ok(answered) => self.dispatch(answered, meta.peer),
                Err(Silence::Malformed) => self.counters.malformed.add(1),
                Err(Silence::Refused) => self.counters.refused.add(1),
                Err(Silence::Misplaced) => self.counters.misplaced.add(1),
            }
        }
        if self.home.faults.delay.is_zero() {
            return self.flush(socket);
        }
        self.delayed.take(Instant::now(), place, &mut self.outbox);
        Ok(())
    }

    /// Counts an answered request and hands its reply to the outbox, spoiled as wanted.
    fn dispatch(&mut self, answered: Answered, peer: SocketAddr) {
        let counters = &self.counters;
        if self.sightings.is_repeated(peer, answered.id, answered.authenticator) {
            counters.retransmits.add(1);
        } else {
            counters.distinct.add(1);
        }
        let faults = &self.home.faults;
        self.right += 1;
        if faults.withholds(self.right) {
            counters.withheld.add(1);
            return;
        }
        match (answered.request, answered.reply) {
            (Code::STATUS_SERVER, _) => counters.status.add(1),
            (_, Code::ACCESS_ACCEPT) => counters.accepts.add(1),
            (_, Code::ACCESS_REJECT) => counters.rejects.add(1),
            _ => counters.accounting.add(1),
        }
        if faults.forge {
            counters.forged.add(1);
            forge(self.outbox.push(self.reply.bytes(), peer));
        }
        self.outbox.push(self.reply.bytes(), peer);
        if faults.duplicate {
            self.outbox.push(self.reply.bytes(), peer);
        }
    }

    fn flush(&mut self, socket: &UdpSocket) -> io::Result<()> {
        let outcome = self.sender.send(socket, self.outbox.packets())?;
        self.counters.unsent.add(outcome.failed + outcome.unsent);
        self.outbox.clear();
        Ok(())
    }
}
