//! The workers' ports toward home servers.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use sekisho_abi::{PortKind, Service, ServiceKey, address_bytes};

use crate::{GateError, table::Table};

/// Tells the gate which of our ports take replies from home servers. Cheap to clone; one for each worker.
///
/// A port is opened before its first request is sent, and closed when no reply is awaited any more. Ports are opened
/// now and then, never for a packet, so the clones share a lock.
#[derive(Clone, Default)]
pub struct UpstreamPorts {
    services: Option<Arc<Mutex<Table<ServiceKey, Service>>>>,
}

impl UpstreamPorts {
    pub(crate) fn new(services: Arc<Mutex<Table<ServiceKey, Service>>>) -> UpstreamPorts {
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
        let key = key(local);
        match services.find(key)? {
            Some(service) if service.kind != PortKind::Upstream as u32 => Err(GateError::PortTaken { address: local }),
            Some(_) => Ok(()),
            None => services.put(key, Service::new(PortKind::Upstream, 0)),
        }
    }

    /// The port is no longer ours.
    ///
    /// # Errors
    ///
    /// [`GateError::PortTaken`] where it takes requests, or what the kernel says.
    pub fn close(&self, local: SocketAddr) -> Result<(), GateError> {
        let Some(services) = &self.services else { return Ok(()) };
        let mut services = services.lock().unwrap_or_else(PoisonError::into_inner);
        let key = key(local);
        match services.find(key)? {
            Some(service) if service.kind != PortKind::Upstream as u32 => Err(GateError::PortTaken { address: local }),
            Some(_) => services.take_out(key),
            None => Ok(()),
        }
    }
}

fn key(local: SocketAddr) -> ServiceKey {
    ServiceKey { address: address_bytes(local.ip()), port: u32::from(local.port()) }
}
