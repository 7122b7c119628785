//! A worker's life: batches in, engine, batches out.

use std::{io, os::fd::OwnedFd, sync::Arc, time::Duration};

use sekisho_engine::{
    Engine, Event,
    packet::{Action, BATCH, Batch, Path, Socket},
    snapshot::RoutingSnapshot,
    stats::WorkerStats,
    time::Time,
};
use sekisho_udp::{Receiver, Sender};
use sekisho_wire::code::Code;
use tokio::{
    io::{Interest, unix::AsyncFd},
    sync::{mpsc, oneshot},
};
use tracing::Level;

use super::{Message, send::send, sockets::Sockets};
use crate::{clock::Clock, drops::Sampler, hosted::pool::Entrance, journal::Inlet};

/// Rounds in a row before messages and timers get their turn: some milliseconds at most.
const ROUNDS: usize = 16;
/// A socket is read into what is left of a batch only if it is at least this much; else the batch goes first.
const WORTH_READING: usize = BATCH / 4;
/// How long to sleep when the engine waits for nothing.
const IDLE: Duration = Duration::from_secs(60);

/// One worker's engine and sockets, and the memory that they work in.
pub(super) struct Worker {
    engine: Engine,
    sockets: Sockets,
    stats: Arc<WorkerStats>,
    clock: Clock,
    receiver: Receiver,
    sender: Sender,
    batch: Batch,
    ready: Vec<Socket>,
    finishing: Option<oneshot::Sender<()>>,
    drops: Drops,
    records: Inlet,
    checks: Entrance,
}

/// Who is told of drops, and the routing in force, which knows the senders.
pub(super) struct Drops {
    pub(super) sampler: Sampler,
    pub(super) snapshot: Arc<RoutingSnapshot>,
}

impl Worker {
    pub(super) fn new(
        engine: Engine,
        sockets: Sockets,
        stats: Arc<WorkerStats>,
        clock: Clock,
        drops: Drops,
        (records, checks): (Inlet, Entrance),
    ) -> Worker {
        let (receiver, sender) = (Receiver::new(), Sender::new());
        let (batch, ready) = (Batch::default(), Vec::with_capacity(Sockets::EVENTS));
        Worker {
            engine,
            sockets,
            stats,
            clock,
            receiver,
            sender,
            batch,
            ready,
            finishing: None,
            drops,
            records,
            checks,
        }
    }

    /// Runs until told to stop, or until everybody who could tell has gone.
    pub(super) async fn run(mut self, mut inbox: mpsc::UnboundedReceiver<Message>) -> io::Result<()> {
        let readable = watch(self.sockets.epoll()?)?;
        self.attend(self.clock.now());
        loop {
            tokio::select! {
                biased;
                message = inbox.recv() => match message {
                    None | Some(Message::Stop) => return Ok(()),
                    Some(message) => self.hear(message),
                },
                guard = readable.readable() => {
                    let mut guard = guard?;
                    // Cleared only after a look that found nothing: whatever comes later wakes us again.
                    if self.rounds()? {
                        guard.retain_ready();
                    } else {
                        guard.clear_ready();
                    }
                }
                () = tokio::time::sleep(self.patience()) => {}
            }
            self.attend(self.clock.now());
        }
    }

    fn hear(&mut self, message: Message) {
        match message {
            Message::Snapshot(snapshot, limits, done) => {
                self.drops.snapshot = Arc::clone(&snapshot);
                self.engine.set_snapshot(snapshot);
                self.engine.set_limits(limits);
                // Whoever asked may have stopped waiting.
                let _ = done.send(());
            }
            Message::Recorded(mut block) => {
                block.settle(self.clock.now(), &mut self.engine);
                self.records.give_back(block);
            }
            Message::Checked(token, verdict) => self.engine.handle_verdict(self.clock.now(), token, verdict),
            Message::Disconnect(nas, attributes) => {
                let attributes: Vec<(u8, &[u8])> =
                    attributes.iter().map(|(number, value)| (*number, &value[..])).collect();
                if let Err(reason) = self.engine.disconnect(self.clock.now(), nas, &attributes) {
                    tracing::debug!(reason = reason.name(), "a session could not be ended at its NAS now");
                }
            }
            Message::Draining(draining) => self.engine.set_draining(draining),
            Message::Finish(done) => {
                self.sockets.stop_services();
                self.finishing = Some(done);
            }
            Message::Stop => {}
        }
    }

    fn patience(&self) -> Duration {
        self.engine.poll_timeout().map_or(IDLE, |time| self.clock.until(time))
    }

    /// Goes round while there is something to read, but not for ever; `false` where nothing is left.
    fn rounds(&mut self) -> io::Result<bool> {
        for _ in 0..ROUNDS {
            self.sockets.ready(&mut self.ready)?;
            if self.ready.is_empty() {
                return Ok(false);
            }
            self.round();
        }
        Ok(true)
    }

    /// Reads every ready socket once.
    fn round(&mut self) {
        self.batch.clear();
        for index in 0..self.ready.len() {
            let Some(socket) = self.ready.get(index).copied() else { break };
            if self.batch.len() + WORTH_READING > BATCH {
                self.forward();
            }
            self.receive(socket);
        }
        self.forward();
    }

    fn receive(&mut self, socket: Socket) {
        let Some(fd) = self.sockets.get(socket) else { return };
        let free = self.batch.free_mut();
        let received = match self.receiver.recv(fd, free.iter_mut().map(|packet| packet.buf.receive_space())) {
            Ok(received) => received,
            Err(error) => {
                if error.kind() != io::ErrorKind::WouldBlock {
                    tracing::debug!(?socket, %error, "a socket refuses to receive");
                }
                return;
            }
        };
        for (index, packet) in free.iter_mut().take(received).enumerate() {
            let meta = self.receiver.meta(index);
            // What the kernel cut off lies beyond 4096 octets: padding at best (RFC 2865 §3).
            packet.buf.set_received(meta.len);
            packet.path = Path { socket, peer: meta.peer, ifindex: meta.ifindex };
            packet.action = Action::Hold;
        }
        self.batch.grow(received);
    }

    fn forward(&mut self) {
        if self.batch.is_empty() {
            return;
        }
        let now = self.clock.now();
        self.engine.handle_batch(now, &mut self.batch);
        self.records.collect(now, &mut self.engine);
        self.checks.collect(now, &mut self.engine);
        send(&self.batch, &self.sockets, &mut self.sender, &self.stats);
        tell(&self.batch);
        self.drops.sampler.look(now, &self.batch, &self.drops.snapshot);
        self.attend(now);
    }

    /// Timers, ports that the engine wants, and packets that it makes itself.
    fn attend(&mut self, now: Time) {
        if self.engine.poll_timeout().is_some_and(|time| time <= now) {
            self.engine.handle_timeout(now);
        }
        while let Some(event) = self.engine.poll_event() {
            match event {
                Event::ClosePort(port) => self.sockets.close(port),
                Event::OpenPort(port) => match self.sockets.open(port) {
                    Ok(()) => self.engine.port_opened(port),
                    Err(error) => {
                        tracing::error!(%error, "fewer requests can be outstanding");
                        self.engine.port_failed(now, port);
                    }
                },
            }
        }
        loop {
            self.batch.clear();
            if self.engine.poll_transmit(&mut self.batch) == 0 {
                break;
            }
            send(&self.batch, &self.sockets, &mut self.sender, &self.stats);
            tell(&self.batch);
        }
        if self.finishing.is_some()
            && self.engine.in_flight() == 0
            && let Some(done) = self.finishing.take()
        {
            // Whoever asked may have stopped waiting.
            let _ = done.send(());
        }
    }
}

/// Logs what became of each packet: drops with sender and reason at DEBUG, all else at TRACE. What goes back to where it came
/// from, or is of our own making, is told without its sender.
fn tell(batch: &Batch) {
    if !tracing::enabled!(Level::DEBUG) {
        return;
    }
    for packet in batch.packets() {
        let from = packet.path.peer;
        match packet.action {
            Action::Drop(reason) => tracing::debug!(%from, reason = reason.name(), "dropped"),
            Action::Send(to) => {
                let [code, id] = packet.buf.bytes().first_chunk().copied().unwrap_or_default();
                let from = (from != to.peer).then(|| tracing::field::display(from));
                tracing::trace!(from, to = %to.peer, code = Code(code).name(), id, "sent");
            }
            Action::Hold => tracing::trace!(%from, "held"),
        }
    }
}

#[expect(
    deprecated,
    reason = "its successor is unsafe; an OwnedFd keeps what that asks for: it stays open until dropped"
)]
fn watch(epoll: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    AsyncFd::with_interest(epoll, Interest::READABLE)
}
