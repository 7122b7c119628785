//! What the kernel's tables hold or should hold.

use std::collections::HashMap;

use sekisho_abi::{
    AddressBytes, Entry, Ingress, IngressKey, PortKind, Roles, Service, ServiceKey, gate::GateTable,
    service::AddressFlags,
};

/// Ports, addresses and ways in, but for upstream ports, which workers open and close.
#[derive(Clone, Debug, Default)]
pub(crate) struct Image {
    pub(crate) services: HashMap<ServiceKey, Service>,
    pub(crate) addresses: HashMap<AddressBytes, AddressFlags>,
    pub(crate) ingresses: HashMap<IngressKey, Ingress>,
}

impl From<&GateTable> for Image {
    fn from(table: &GateTable) -> Image {
        let request_ports = table.services.iter().filter(|(_, service)| service.kind != PortKind::Upstream as u32);
        let mut addresses: HashMap<_, _> =
            request_ports.map(|(key, _)| (key.address, AddressFlags::default())).collect();
        addresses.extend(table.dedicated.iter().map(|address| (*address, AddressFlags::DEDICATED)));
        Image { services: table.services.clone(), addresses, ingresses: table.ingresses.clone() }
    }
}

/// A source's entry while old and new configuration both hold: whatever either allows, charged to the new contract.
pub(crate) fn widened(old: Entry, new: Entry) -> Entry {
    Entry {
        roles: old.roles.with(new.roles),
        ingresses: old.ingresses | new.ingresses,
        services: old.services | new.services,
        slot: new.slot,
    }
}

/// A source's entry after the old configuration has gone: the new one, and for a home server whose last replies are
/// still awaited that role besides. `None`: no entry.
pub(crate) fn settled(old: Entry, new: Option<Entry>, retiring: bool) -> Option<Entry> {
    let awaited = retiring && old.roles.meets(Roles::HOME_SERVER);
    match new {
        Some(new) if awaited => {
            Some(Entry { roles: new.roles.with(Roles::HOME_SERVER), ingresses: old.ingresses | new.ingresses, ..new })
        }
        Some(new) => Some(new),
        None if awaited => Some(Entry { roles: Roles::HOME_SERVER, ..old }),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(roles: Roles, ingresses: u64) -> Entry {
        Entry { roles, ingresses, services: u64::MAX, slot: 7 }
    }

    #[test]
    fn between_the_two_steps_everything_of_both_configurations_holds() {
        let between = widened(entry(Roles::CLIENT, 1), Entry { slot: 8, ..entry(Roles::HOME_SERVER, 2) });
        assert_eq!(between.roles, Roles::CLIENT.with(Roles::HOME_SERVER));
        assert_eq!(between.ingresses, 3);
        assert_eq!(between.slot, 8);
    }

    #[test]
    fn a_retiring_home_server_may_answer_but_no_longer_ask() {
        let old = entry(Roles::CLIENT.with(Roles::HOME_SERVER), 1);
        assert_eq!(settled(old, None, true).map(|source| source.roles), Some(Roles::HOME_SERVER));
        assert_eq!(settled(old, None, false), None);
        let new = entry(Roles::CLIENT, 2);
        let settled_new = settled(old, Some(new), true);
        assert_eq!(settled_new.map(|source| (source.roles, source.ingresses)), Some((old.roles, 3)));
        assert_eq!(settled(old, Some(new), false), Some(new));
    }

    #[test]
    fn a_client_is_never_held_back() {
        assert_eq!(settled(entry(Roles::CLIENT, 1), None, true), None);
    }

    #[test]
    fn a_dedicated_address_is_known_as_such_and_an_upstream_port_makes_no_service_address() {
        let mut table = GateTable::default();
        table.services.insert(ServiceKey { address: [1; 16], port: 1812 }, Service::new(PortKind::Auth, 0));
        table.services.insert(ServiceKey { address: [2; 16], port: 1812 }, Service::new(PortKind::Auth, 1));
        table.services.insert(ServiceKey { address: [3; 16], port: 40000 }, Service::new(PortKind::Upstream, 0));
        table.dedicated.push([2; 16]);
        let addresses = Image::from(&table).addresses;
        assert_eq!(addresses.get(&[1; 16]), Some(&AddressFlags::default()));
        assert_eq!(addresses.get(&[2; 16]), Some(&AddressFlags::DEDICATED));
        assert_eq!(addresses.get(&[3; 16]), None);
    }
}
