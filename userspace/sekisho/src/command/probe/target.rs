//! Where a probe goes, and the secret that it is signed with.

use std::{
    fs,
    net::{IpAddr, SocketAddr, UdpSocket},
};

use sekisho_config::Client;
use sekisho_wire::secret::Secret;

use super::{Args, request::Kind};
use crate::documents::Documents;

/// Where to, as whom.
pub(super) struct Target {
    /// The server.
    pub(super) server: SocketAddr,
    /// Connected to it.
    pub(super) socket: UdpSocket,
    /// Our own address toward it.
    pub(super) from: IpAddr,
    /// Signs the request and verifies the answer.
    pub(super) secret: Secret,
    /// Whose secret that is, in words.
    pub(super) signed_as: String,
}

impl Target {
    /// Finds the server, then our own address toward it, then the client contract that stands at that address.
    pub(super) fn find(args: &Args, documents: Result<&Documents, &str>) -> Result<Target, String> {
        let server = match args.server {
            Some(server) => server,
            None => listener(args, documents?)?,
        };
        let (socket, from) = connect(server).map_err(|error| format!("cannot reach {server}: {error}"))?;
        let (secret, signed_as) = match &args.secret_file {
            Some(path) => {
                let octets = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
                let octets = octets.strip_suffix(b"\n").unwrap_or(&octets);
                let secret = Secret::new(octets).map_err(|error| format!("{}: {error}", path.display()))?;
                (secret, format!("{} says", path.display()))
            }
            None => {
                let client = clients(documents?).find(|client| client.address == from).ok_or_else(|| {
                    format!(
                        "no client contract has the address {from}, from which this host asks {server}. \
                         Add one to a customer's document, or give the secret with --secret-file."
                    )
                })?;
                (client.secret.clone(), format!("client contract {} ({from})", client.contract))
            }
        };
        Ok(Target { server, socket, from, secret, signed_as })
    }
}

/// A listener of the wanted family and port; best one at whose address a client contract stands, since what this host
/// sends to an address of its own comes from that same address.
fn listener(args: &Args, documents: &Documents) -> Result<SocketAddr, String> {
    let accounting = matches!(args.kind(), Kind::Accounting(_));
    let fits = |address: IpAddr| (!args.ipv4 || address.is_ipv4()) && (!args.ipv6 || address.is_ipv6());
    let listeners = documents.node.listeners.iter().filter(|listener| fits(listener.address)).filter_map(|listener| {
        let port = if accounting { listener.ports.accounting() } else { listener.ports.auth() };
        Some(SocketAddr::new(listener.address, port?))
    });
    let listeners: Vec<SocketAddr> = listeners.collect();
    let registered = |server: &&SocketAddr| clients(documents).any(|client| client.address == server.ip());
    listeners.iter().find(registered).or(listeners.first()).copied().ok_or_else(|| {
        let kind = if accounting { "accounting" } else { "authentication" };
        format!("the documents name no listener for {kind} of that address family. Name one with --server.")
    })
}

fn clients(documents: &Documents) -> impl Iterator<Item = &Client> {
    documents.customers.iter().flat_map(|customer| &customer.clients)
}

fn connect(server: SocketAddr) -> std::io::Result<(UdpSocket, IpAddr)> {
    let any: IpAddr = match server {
        SocketAddr::V4(_) => std::net::Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => std::net::Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0))?;
    socket.connect(server)?;
    let from = socket.local_addr()?.ip();
    Ok((socket, from))
}
