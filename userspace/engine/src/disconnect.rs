//! Disconnects of our own (RFC 5176 §3.1): a session that an operator wants elsewhere is ended at its NAS, and comes back by itself.
//!
//! Sent once: whoever wants the session ended sees whether a Stop comes, and may ask again. The answer is counted at the NAS, which is
//! a server of the kind [`HomeKind::DynAuth`].

use std::time::Duration;

use sekisho_abi::Reason;
use sekisho_wire::{build::RequestBuilder, code::Code};

use crate::{
    engine::Engine,
    snapshot::{ClientId, HomeId, HomeKind},
    table::{Fingerprint, FlowKey, Origin, Request, State, Upstream},
    time::Time,
    verdict::may_take,
};

/// How long a NAS may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

impl Engine {
    /// Sends a Disconnect-Request with these attributes, which say which session of this NAS's is meant (RFC 5176 §3), and a
    /// Message-Authenticator. [`Engine::poll_transmit`] afterwards.
    ///
    /// # Errors
    ///
    /// Why none can be sent now: there is no such NAS, no identifier toward it, no room, or the attributes are too long.
    pub fn disconnect(&mut self, now: Time, nas: HomeId, attributes: &[(u8, &[u8])]) -> Result<(), Reason> {
        let snapshot = std::sync::Arc::clone(self.snapshots.current());
        let home = snapshot.home(nas).filter(|home| home.kind == HomeKind::DynAuth).ok_or(Reason::NoServer)?;
        self.supply(now, home);
        if !may_take(&self.identifiers, now, home, home.health()) {
            return Err(Reason::NoIdentifier);
        }
        self.make_room()?;
        let place = self.table.reserve();
        let identifiers = self.identifiers.of_mut(nas).ok_or(Reason::NoIdentifier)?;
        let slot = identifiers.take(now, place).ok_or(Reason::NoIdentifier)?;
        let empty = RequestBuilder::new(Code::DISCONNECT_REQUEST, slot.id, [0; 16]).message_authenticator();
        let request = attributes.iter().fold(empty, |request, (number, value)| request.attribute(*number, value));
        let Ok(packet) = request.build(&home.secret) else {
            identifiers.answered(slot);
            return Err(Reason::TooLong);
        };
        let request = Request {
            // No client's, and in no list that clients' packets are looked up in.
            key: FlowKey { service: 0, domain: 0, peer: home.address, id: slot.id },
            fingerprint: Fingerprint {
                code: Code::DISCONNECT_REQUEST.0,
                authenticator: [0; 16],
                length: packet.len() as u16,
                hash: 0,
            },
            version: snapshot.version,
            client: ClientId(u32::MAX),
            origin: Origin::Copy,
            by_previous: false,
            proven: true,
            whole_name: None,
            realm: None,
            arrived: now,
            deadline: now + PATIENCE,
            bytes: self.store.put(&packet),
            batch: self.batches,
            published: None,
            state: State::InFlight(Upstream::first(now, home, slot, 1)),
        };
        self.launch(now, (&snapshot, home), request).map(|_| ()).ok_or(Reason::TableFull)
    }
}
