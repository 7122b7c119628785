//! The workers' ports toward home servers.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use sekisho_abi::{PortKind, Service, ServiceKey, address_bytes, capacity};

use crate::{
    GateError,
    table::{self, Table},
};

pub(crate) type Services = Arc<Mutex<Ports>>;

/// The table of services, and how many ports of workers are in it.
pub(crate) struct Ports {
    pub(crate) table: Table<4>,
    pub(crate) upstream: usize,
}

/// Tells the gate which of our ports take replies from home servers. Cheap to clone; one for each worker.
///
/// A port is opened before its first request is sent, and closed when no reply is awaited any more. Ports are opened
/// now and then, never for a packet, so the clones share a lock.
#[derive(Clone, Default)]
pub struct UpstreamPorts {
    services: Option<Services>,
}

impl UpstreamPorts {
    pub(crate) fn new(services: Services) -> UpstreamPorts {
        UpstreamPorts { services: Some(services) }
    }

    /// From now on, replies from home servers to this port are admitted and everything else to it is dropped.
    ///
    /// Until it is opened a port is like any other of this host: what comes to it passes untouched.
    ///
    /// # Errors
    ///
    /// [`GateError::UnspecifiedAddress`], [`GateError::PortTaken`], or a full table.
    pub fn open(&self, local: SocketAddr) -> Result<(), GateError> {
        let Some(services) = &self.services else { return Ok(()) };
        if local.ip().is_unspecified() {
            return Err(GateError::UnspecifiedAddress { address: local });
        }
        let mut services = services.lock().unwrap_or_else(PoisonError::into_inner);
        let key = key(local).words();
        match services.table.find(&key).map(Service::from_words) {
            Some(service) if service.kind != PortKind::Upstream as u32 => Err(GateError::PortTaken { address: local }),
            Some(_) => Ok(()),
            None => {
                table::fits(table::SERVICES, services.upstream + 1, capacity::SERVICES)?;
                services.table.put(&key, &Service::new(PortKind::Upstream, 0).words())?;
                services.upstream += 1;
                Ok(())
            }
        }
    }

    /// The port is no longer ours.
    ///
    /// # Errors
    ///
    /// [`GateError::PortTaken`] where it takes requests.
    pub fn close(&self, local: SocketAddr) -> Result<(), GateError> {
        let Some(services) = &self.services else { return Ok(()) };
        let mut services = services.lock().unwrap_or_else(PoisonError::into_inner);
        let key = key(local).words();
        match services.table.find(&key).map(Service::from_words) {
            Some(service) if service.kind != PortKind::Upstream as u32 => Err(GateError::PortTaken { address: local }),
            Some(_) => {
                services.table.take_out(&key);
                services.upstream = services.upstream.saturating_sub(1);
                Ok(())
            }
            None => Ok(()),
        }
    }
}

fn key(local: SocketAddr) -> ServiceKey {
    ServiceKey { address: address_bytes(local.ip()), port: u32::from(local.port()) }
}
