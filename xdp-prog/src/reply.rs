//! Turning a frame into the reply to it: addresses and ports swapped, lengths and checksums new, VLAN tags as they are.

use sekisho_abi::cached::{MAX_REPLY, fold};

use crate::{
    frame::Frame,
    ip::{IPV4_LEN, IPV6_LEN, UDP, UDP_LEN},
    scratch::Scratch,
};

/// Hops that a reply may take (RFC 1700's default).
const HOPS: u8 = 64;

/// Writes the reply into a frame that has been resized to it. `false` where the frame is not what it was before.
#[inline(always)]
pub fn write(scratch: &Scratch, frame: &Frame, octets: &[u8; MAX_REPLY], length: usize, sum: u16) -> bool {
    let headers = &scratch.headers;
    if !frame.store(headers.packet(), octets, length) {
        return false;
    }
    let frame = frame.again();
    let datagram = (UDP_LEN + length) as u16;
    let network = match headers.is_v6() {
        false => v4(&frame, headers.network(), datagram),
        true => v6(&frame, headers.network(), datagram),
    };
    let udp = udp(&frame, headers.payload(), scratch.addresses(), datagram, sum);
    link(&frame).is_some() && network.is_some() && udp.is_some()
}

#[inline(always)]
fn link(frame: &Frame) -> Option<()> {
    let ethernet = frame.view_mut::<12>(0)?;
    let [a, b, c, d, e, f, g, h, i, j, k, l] = *ethernet;
    *ethernet = [g, h, i, j, k, l, a, b, c, d, e, f];
    Some(())
}

#[inline(always)]
fn v4(frame: &Frame, offset: usize, datagram: u16) -> Option<()> {
    let ip = frame.view_mut::<IPV4_LEN>(offset)?;
    let [high, low] = (IPV4_LEN as u16 + datagram).to_be_bytes();
    let [a, b, c, d] = [ip[12], ip[13], ip[14], ip[15]];
    let [e, f, g, h] = [ip[16], ip[17], ip[18], ip[19]];
    // The traffic class is the request's; not fragmented, and not to be (RFC 6864 §4.1: the identification then means nothing).
    *ip = [0x45, ip[1], high, low, 0, 0, 0x40, 0, HOPS, UDP, 0, 0, e, f, g, h, a, b, c, d];
    let mut sum = 0;
    let mut at = 0;
    while at < IPV4_LEN {
        sum += u16::from_be_bytes([ip[at], ip[at + 1]]) as u64;
        at += 2;
    }
    let [high, low] = (!fold(sum)).to_be_bytes();
    (ip[10], ip[11]) = (high, low);
    Some(())
}

#[inline(always)]
fn v6(frame: &Frame, offset: usize, datagram: u16) -> Option<()> {
    let ip = frame.view_mut::<IPV6_LEN>(offset)?;
    let [high, low] = datagram.to_be_bytes();
    (ip[4], ip[5], ip[7]) = (high, low, HOPS);
    let mut at = 8;
    while at < 24 {
        (ip[at], ip[at + 16]) = (ip[at + 16], ip[at]);
        at += 1;
    }
    Some(())
}

#[inline(always)]
fn udp(frame: &Frame, offset: usize, addresses: u64, datagram: u16, sum: u16) -> Option<()> {
    let udp = frame.view_mut::<UDP_LEN>(offset)?;
    let [a, b, c, d, ..] = *udp;
    // RFC 768, RFC 8200 §8.1: the pseudo-header, the header, the data. Zero stands for "none", so a sum of zero is all ones.
    let ports = u16::from_be_bytes([a, b]) as u64 + u16::from_be_bytes([c, d]) as u64;
    let pseudo = addresses + UDP as u64 + datagram as u64;
    let checksum = match !fold(pseudo + ports + datagram as u64 + sum as u64) {
        0 => 0xffff,
        checksum => checksum,
    };
    let ([high, low], [third, fourth]) = (datagram.to_be_bytes(), checksum.to_be_bytes());
    *udp = [c, d, a, b, high, low, third, fourth];
    Some(())
}
