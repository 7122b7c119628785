//! Which socket of a group a flow meets: one function, once in Rust and once in classic BPF.
//!
//! The source address is folded into 32 bits and mixed; the source port is added; a multiplication by 2^32/φ spreads
//! the sum, and its upper half is scaled to the number of sockets. Multiples of the golden ratio fill the circle evenly,
//! so ports that follow each other (as one NAS or a load generator uses them) are spread almost perfectly, not
//! merely at random.
//!
//! An attacker could aim at one socket, but only registered addresses come this far, and what they gain is their own
//! queue.

use std::net::{IpAddr, SocketAddr};

use crate::sockopt::Instruction;

/// The index, in bind order, of the socket of a group of `sockets` that receives datagrams from `peer`.
///
/// Exactly what the kernel chooses for a group of [`bind_group`](crate::bind_group), except for IPv6 datagrams with
/// extension headers before UDP, which are chosen by address alone (port 0). Always less than `sockets`; 0 for 0.
pub fn selector_index(peer: SocketAddr, sockets: usize) -> usize {
    let folded = match peer.ip() {
        IpAddr::V4(ip) => mix(u32::from(ip)),
        IpAddr::V6(ip) => {
            let octets = ip.octets();
            octets.as_chunks::<4>().0.iter().fold(0, |folded, word| mix(folded ^ u32::from_be_bytes(*word)))
        }
    };
    let spread = folded.wrapping_add(u32::from(peer.port())).wrapping_mul(GOLDEN);
    let sockets = u32::try_from(sockets).unwrap_or(MAX_SOCKETS).min(MAX_SOCKETS);
    (((spread >> 16) * sockets) >> 16) as usize
}

/// The most sockets that a group can have: the scaling is 16 bits by 16 bits.
pub(crate) const MAX_SOCKETS: u32 = 0xffff;

/// 2^32/φ, odd.
const GOLDEN: u32 = 0x9e37_79b9;

/// An odd multiplier with a good avalanche (from MurmurHash3's finaliser, public domain).
const MIX: u32 = 0x85eb_ca6b;

fn mix(value: u32) -> u32 {
    let value = value.wrapping_mul(MIX);
    value ^ (value >> 15)
}

/// The selector of a group: an address family and a number of sockets.
#[derive(Clone, Copy)]
pub(crate) struct Selector {
    pub(crate) ipv6: bool,
    pub(crate) sockets: u32,
}

impl Selector {
    /// The same function as [`selector_index`] for the kernel. The packet is read from its network header on
    /// (SKF_NET_OFF), since at this point the kernel has already moved past the UDP header.
    pub(crate) fn program(self) -> Vec<Instruction> {
        let mut program = vec![op(LD_IMMEDIATE, 0), op(STORE, 0)];
        if self.ipv6 {
            for at in [8, 12, 16, 20] {
                program.extend(mix_word(at));
            }
            // Next Header is UDP: the port stands right behind the fixed header; else leave it out.
            program.extend([
                op(LD_BYTE_ABS, NET + 6),
                Instruction { code: JUMP_EQUAL, jt: 0, jf: 2, k: libc::IPPROTO_UDP as u32 },
                op(LD_HALF_ABS, NET + 40),
                Instruction { code: JUMP, jt: 0, jf: 0, k: 1 },
                op(LD_IMMEDIATE, 0),
            ]);
        } else {
            program.extend(mix_word(12));
            // X = header length with options, A = the port behind it.
            program.extend([op(LDX_HEADER_LENGTH, NET), op(LD_HALF_IND, NET)]);
        }
        program.extend([
            op(LDX_MEMORY, 0),
            op(ADD_X, 0),
            op(MULTIPLY, GOLDEN),
            op(SHIFT_RIGHT, 16),
            op(MULTIPLY, self.sockets),
            op(SHIFT_RIGHT, 16),
            op(RETURN_A, 0),
        ]);
        program
    }
}

/// `memory = mix(memory ^ word)`, for the word at `at` of the network header.
fn mix_word(at: u32) -> [Instruction; 8] {
    [
        op(LD_WORD_ABS, NET + at),
        op(LDX_MEMORY, 0),
        op(XOR_X, 0),
        op(MULTIPLY, MIX),
        op(TRANSFER_TO_X, 0),
        op(SHIFT_RIGHT, 15),
        op(XOR_X, 0),
        op(STORE, 0),
    ]
}

const fn op(code: u16, k: u32) -> Instruction {
    Instruction { code, jt: 0, jf: 0, k }
}

/// Offsets from here on are into the network header (SKF_NET_OFF, -0x100000).
const NET: u32 = libc::SKF_NET_OFF as u32;

// The instructions used, by what they do: class | size or operation | mode or source.
const LD_IMMEDIATE: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_IMM) as u16;
const LD_WORD_ABS: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
const LD_HALF_ABS: u16 = (libc::BPF_LD | libc::BPF_H | libc::BPF_ABS) as u16;
const LD_BYTE_ABS: u16 = (libc::BPF_LD | libc::BPF_B | libc::BPF_ABS) as u16;
const LD_HALF_IND: u16 = (libc::BPF_LD | libc::BPF_H | libc::BPF_IND) as u16;
const LDX_HEADER_LENGTH: u16 = (libc::BPF_LDX | libc::BPF_B | libc::BPF_MSH) as u16;
const LDX_MEMORY: u16 = (libc::BPF_LDX | libc::BPF_W | libc::BPF_MEM) as u16;
const STORE: u16 = libc::BPF_ST as u16;
const ADD_X: u16 = (libc::BPF_ALU | libc::BPF_ADD | libc::BPF_X) as u16;
const XOR_X: u16 = (libc::BPF_ALU | libc::BPF_XOR | libc::BPF_X) as u16;
const MULTIPLY: u16 = (libc::BPF_ALU | libc::BPF_MUL | libc::BPF_K) as u16;
const SHIFT_RIGHT: u16 = (libc::BPF_ALU | libc::BPF_RSH | libc::BPF_K) as u16;
const TRANSFER_TO_X: u16 = (libc::BPF_MISC | libc::BPF_TAX) as u16;
const JUMP_EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
const JUMP: u16 = (libc::BPF_JMP | libc::BPF_JA) as u16;
const RETURN_A: u16 = (libc::BPF_RET | libc::BPF_A) as u16;

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    /// How many of `ports` consecutive ports of `ip` each of `sockets` sockets gets.
    fn spread(ip: IpAddr, ports: u16, sockets: usize) -> Vec<usize> {
        let mut counts = vec![0; sockets];
        for port in 0..ports {
            counts[selector_index(SocketAddr::new(ip, 40_000 + port), sockets)] += 1;
        }
        counts
    }

    #[test]
    fn sequential_ports_are_spread_evenly_over_any_number_of_sockets() {
        for ip in ["127.0.0.1", "192.0.2.77", "::1", "2001:db8:1:2:3:4:5:6"] {
            let ip: IpAddr = ip.parse().unwrap();
            for sockets in [1, 2, 3, 4, 7, 8, 16, 64] {
                let counts = spread(ip, 1024, sockets);
                let mean = 1024 / sockets;
                assert!(counts.iter().all(|count| count.abs_diff(mean) <= 3), "{ip} {sockets}: {counts:?}");
            }
            assert_eq!(spread(ip, 2, 2), [1, 1], "two ports of {ip} meet two sockets");
        }
    }

    #[test]
    fn many_addresses_with_one_port_are_spread_fairly() {
        let mut counts = [0_usize; 8];
        for last in 0..4096_u32 {
            let ip = Ipv4Addr::from(0x0a00_0000 + last);
            counts[selector_index(SocketAddr::new(ip.into(), 1812), 8)] += 1;
        }
        assert!(counts.iter().all(|count| count.abs_diff(512) < 128), "{counts:?}");
    }

    #[test]
    fn a_group_of_none_or_too_many_is_still_an_index() {
        let peer = "192.0.2.1:1812".parse().unwrap();
        assert_eq!(selector_index(peer, 0), 0);
        assert!(selector_index(peer, usize::MAX) < MAX_SOCKETS as usize);
    }
}
