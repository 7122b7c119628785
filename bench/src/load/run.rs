//! The loop: send what is due, receive what is there, wait.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use sekisho_udp::{BATCH, Options, Receiver, Sender, bind};
use sekisho_wire::buf::Buf;
use sekisho_wire::scan::scan;
use sekisho_wire::verify::verify_reply;

use super::pool::{Pool, Request};
use super::report::{Report, Tally};
use super::slots::{Expiry, Slot, Slots};
use super::{End, LoadError, Plan};
use crate::process::cpu_time;
use crate::stop::{LOOK, Stop};
use crate::wait::Waiter;

pub(super) struct Run<'p> {
    plan: &'p Plan,
    pool: Pool,
    slots: Slots,
    tally: Tally,
    sockets: Vec<UdpSocket>,
    /// Slots to send now, by port.
    staged: Vec<Vec<Slot>>,
    receiver: Receiver,
    sender: Sender,
    replies: Vec<Buf>,
    begun: Instant,
}

impl<'p> Run<'p> {
    pub(super) fn new(plan: &'p Plan) -> Result<Self, LoadError> {
        let ports = plan.port_count();
        let options = Options {
            receive_buffer: Some(BUFFER),
            send_buffer: Some(BUFFER),
            packet_info: false,
            ..Options::default()
        };
        let sockets = (0..ports).map(|_| bind(plan.source(), &options)).collect::<io::Result<Vec<_>>>()?;
        let pool = Pool::new(plan)?;
        Ok(Self {
            plan,
            slots: Slots::new(ports, pool.variations(), nanoseconds(plan.timeout), plan.retries),
            pool,
            tally: Tally::new()?,
            sockets,
            staged: (0..ports).map(|_| Vec::with_capacity(512)).collect(),
            receiver: Receiver::new(),
            sender: Sender::new(),
            replies: (0..BATCH).map(|_| Buf::new()).collect(),
            begun: Instant::now(),
        })
    }

    pub(super) fn finish(mut self, stop: &Stop) -> Result<Report, LoadError> {
        let own = std::process::id();
        let cpu_before = cpu_time(own)?;
        let sockets = std::mem::take(&mut self.sockets);
        let mut waiter = Waiter::new(sockets.iter().map(AsFd::as_fd));
        self.begun = Instant::now();
        let mut ended = None;
        loop {
            let now = self.now();
            self.expire(now);
            if ended.is_none() {
                self.begin(now);
                if self.is_over(now) || stop.is_set() {
                    ended = Some((Duration::from_nanos(now), self.tally.completed));
                }
            }
            self.flush(&sockets)?;
            if ended.is_some() && self.slots.outstanding() == 0 || stop.is_set() {
                break;
            }
            waiter.wait(self.patience(ended.is_some()))?;
            for (port, socket) in sockets.iter().enumerate() {
                if waiter.is_ready(port) {
                    self.receive(port, socket)?;
                }
            }
        }
        let (mut time, mut completed) = ended.unwrap_or_default();
        if matches!(self.plan.end, End::Requests(_)) {
            // A counted load ends with its last reply, a timed one with its time.
            (time, completed) = (self.begun.elapsed(), self.tally.completed);
        }
        let own_cpu = cpu_time(own)?.saturating_sub(cpu_before);
        Ok(self.tally.report(time, completed, own_cpu))
    }

    fn now(&self) -> u64 {
        nanoseconds(self.begun.elapsed())
    }

    fn is_over(&self, now: u64) -> bool {
        match self.plan.end {
            End::Requests(requests) => self.tally.begun() >= requests,
            End::After(time) => now >= nanoseconds(time),
        }
    }

    /// Begins what is due.
    fn begin(&mut self, now: u64) {
        let window = self.plan.pace.window();
        let limit = match self.plan.end {
            End::Requests(requests) => requests,
            End::After(_) => u64::MAX,
        };
        while self.tally.begun() < limit {
            let due = match self.plan.pace.due(self.tally.begun()) {
                None if self.slots.outstanding() >= window => return,
                None => now,
                Some(due) if nanoseconds(due) > now => return,
                Some(due) => nanoseconds(due),
            };
            match self.slots.begin(now, due) {
                Some(slot) => {
                    self.tally.sent += 1;
                    self.stage(slot);
                    if self.plan.double {
                        self.stage(slot);
                    }
                }
                None if self.plan.pace.due(0).is_some() => self.tally.skipped += 1,
                None => return,
            }
        }
    }

    fn expire(&mut self, now: u64) {
        while let Some(expiry) = self.slots.expire(now) {
            match expiry {
                Expiry::Retransmit(slot) => {
                    self.tally.retransmitted += 1;
                    self.stage(slot);
                }
                Expiry::Lost(_) => self.tally.lost += 1,
            }
        }
    }

    fn stage(&mut self, slot: Slot) {
        if let Some(staged) = self.staged.get_mut(slot as usize / 256) {
            staged.push(slot);
        }
    }

    fn flush(&mut self, sockets: &[UdpSocket]) -> io::Result<()> {
        for (staged, socket) in self.staged.iter_mut().zip(sockets) {
            if staged.is_empty() {
                continue;
            }
            let requests = staged.iter().filter_map(|slot| request(&self.pool, &self.slots, *slot));
            let outcome = self.sender.send(socket, requests.map(|request| (request.octets(), self.plan.target)))?;
            // What did not leave is sent again after the timeout, as if the network had lost it.
            self.tally.unsent += (outcome.failed + outcome.unsent) as u64;
            staged.clear();
        }
        Ok(())
    }

    /// How long to wait for a datagram.
    fn patience(&self, ended: bool) -> Duration {
        let now = self.now();
        let until = |at: u64| Duration::from_nanos(at.saturating_sub(now));
        let mut patience = LOOK;
        if let Some(deadline) = self.slots.next_deadline() {
            patience = patience.min(until(deadline));
        }
        if let (false, Some(due)) = (ended, self.plan.pace.due(self.tally.begun())) {
            patience = patience.min(until(nanoseconds(due)));
        }
        patience
    }

    /// Takes what a socket has.
    fn receive(&mut self, port: usize, socket: &UdpSocket) -> io::Result<()> {
        loop {
            let buffers = self.replies.iter_mut().map(Buf::receive_space);
            let count = match self.receiver.recv(socket, buffers) {
                Ok(count) => count,
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => return Ok(()),
                Err(error) => return Err(error),
            };
            let now = self.now();
            for index in 0..count {
                let meta = self.receiver.meta(index);
                if let Some(reply) = self.replies.get_mut(index) {
                    reply.set_received(meta.len);
                }
                self.judge(now, port, index, meta.peer);
            }
            if count < BATCH {
                return Ok(());
            }
        }
    }

    fn judge(&mut self, now: u64, port: usize, index: usize, peer: SocketAddr) {
        let Some(reply) = self.replies.get(index) else { return };
        let Some(layout) = scan(reply.bytes()).ok().filter(|_| peer == self.plan.target) else {
            self.tally.bad += 1;
            return;
        };
        let slot = port as u32 * 256 + u32::from(layout.id);
        let variation = self.slots.variation(slot);
        let verifies = |variation| {
            self.pool.request(layout.id, variation).is_some_and(|request| {
                let required = self.plan.require_message_authenticator;
                verify_reply(reply, &layout, request.authenticator(), &self.plan.secret, required).is_ok()
            })
        };
        if verifies(variation) {
            match self.slots.complete(now, slot) {
                Some(latency) => self.tally.complete(layout.code, latency),
                None => self.tally.duplicates += 1,
            }
        } else if verifies(variation.wrapping_sub(1)) {
            self.tally.duplicates += 1;
        } else {
            self.tally.bad += 1;
        }
    }
}

fn request<'a>(pool: &'a Pool, slots: &Slots, slot: Slot) -> Option<&'a Request> {
    pool.request((slot % 256) as u8, slots.variation(slot))
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Room for a whole window's replies in each socket.
const BUFFER: usize = 4 << 20;
