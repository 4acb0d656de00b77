//! Bytes of an export for Wireshark: pcapng blocks, IP and TCP headers.
//!
//! pcapng as in draft-ietf-opsawg-pcapng; IPv4 RFC 791, IPv6 RFC 8200, TCP RFC 9293, the checksum RFC 1071. Little-endian
//! blocks, times in microseconds, which is the format's default.

use std::io::{self, Write};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// Raw IP packets.
pub(super) const LINKTYPE_RAW: u16 = 101;
/// Wireshark's exported PDUs: tags that name a dissector, then its payload.
pub(super) const LINKTYPE_UPPER_PDU: u16 = 252;

/// TCP flags (RFC 9293 section 3.1).
pub(super) const FIN: u8 = 0x01;
pub(super) const SYN: u8 = 0x02;
pub(super) const RST: u8 = 0x04;
pub(super) const PSH: u8 = 0x08;
pub(super) const ACK: u8 = 0x10;

/// Options common to all blocks.
const END: u16 = 0;
const COMMENT: u16 = 1;

/// Writes pcapng blocks.
pub(super) struct Blocks<'w> {
    out: &'w mut dyn Write,
    block: Vec<u8>,
}

impl<'w> Blocks<'w> {
    /// Begins a section.
    pub(super) fn begin(out: &'w mut dyn Write, program: &str, comment: &str) -> io::Result<Self> {
        let mut blocks = Self { out, block: Vec::new() };
        blocks.block.extend(0x1a2b_3c4d_u32.to_le_bytes());
        blocks.block.extend([1, 0, 0, 0]);
        // The section's length is not known beforehand.
        blocks.block.extend(u64::MAX.to_le_bytes());
        blocks.option(COMMENT, comment);
        blocks.option(4, program);
        blocks.option(END, "");
        blocks.finish(0x0a0d_0d0a)?;
        Ok(blocks)
    }

    /// Describes the next interface, numbered from 0.
    pub(super) fn interface(&mut self, link_type: u16, name: &str) -> io::Result<()> {
        self.block.extend(link_type.to_le_bytes());
        // Reserved, and no snapshot length.
        self.block.extend([0; 6]);
        self.option(2, name);
        self.option(END, "");
        self.finish(1)
    }

    /// A packet that passed an interface at `at_us`, with a comment unless it is empty.
    pub(super) fn packet(&mut self, interface: u32, at_us: i64, comment: &str, packet: &[u8]) -> io::Result<()> {
        let at = u64::try_from(at_us).unwrap_or(0).to_le_bytes();
        let [a, b, c, d, e, f, g, h] = at;
        let length = u32::try_from(packet.len()).unwrap_or(u32::MAX).to_le_bytes();
        self.block.extend(interface.to_le_bytes());
        // The upper half comes first.
        self.block.extend([e, f, g, h, a, b, c, d]);
        self.block.extend(length);
        self.block.extend(length);
        self.block.extend(packet);
        self.pad();
        if !comment.is_empty() {
            self.option(COMMENT, comment);
            self.option(END, "");
        }
        self.finish(6)
    }

    fn option(&mut self, code: u16, value: &str) {
        let value = value.get(..value.floor_char_boundary(60_000)).unwrap_or_default();
        self.block.extend(code.to_le_bytes());
        self.block.extend(u16::try_from(value.len()).unwrap_or(0).to_le_bytes());
        self.block.extend(value.as_bytes());
        self.pad();
    }

    fn pad(&mut self) {
        self.block.resize(self.block.len().next_multiple_of(4), 0);
    }

    fn finish(&mut self, kind: u32) -> io::Result<()> {
        let length = u32::try_from(self.block.len() + 12).map_err(io::Error::other)?.to_le_bytes();
        for part in [&kind.to_le_bytes()[..], &length, &self.block, &length] {
            self.out.write_all(part)?;
        }
        self.block.clear();
        Ok(())
    }
}

/// One TCP segment, as its IP packet.
pub(super) struct Segment<'p> {
    pub(super) from: SocketAddr,
    pub(super) to: SocketAddr,
    pub(super) sequence: u32,
    pub(super) acknowledged: u32,
    pub(super) flags: u8,
    /// At most 60,000 bytes.
    pub(super) payload: &'p [u8],
}

impl Segment<'_> {
    /// The IP packet: IPv4 if both ends are, IPv6 otherwise.
    pub(super) fn packet(&self) -> Vec<u8> {
        let mut tcp = Vec::with_capacity(20 + self.payload.len());
        tcp.extend(self.from.port().to_be_bytes());
        tcp.extend(self.to.port().to_be_bytes());
        tcp.extend(self.sequence.to_be_bytes());
        tcp.extend(self.acknowledged.to_be_bytes());
        // A header of five words; the widest window there is without scaling.
        tcp.extend([0x50, self.flags, 0xff, 0xff]);
        let length = u16::try_from(20 + self.payload.len()).unwrap_or(u16::MAX);
        let sum_of = |tcp: &[u8], pseudo: &[u8]| {
            checksum(pseudo.iter().chain(&[0, 6]).chain(&length.to_be_bytes()).chain(tcp).chain(self.payload))
        };
        let mut packet = Vec::with_capacity(60 + self.payload.len());
        let pseudo: Vec<u8> = match (self.from.ip(), self.to.ip()) {
            (IpAddr::V4(from), IpAddr::V4(to)) => {
                let mut header = [0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 6, 0, 0].to_vec();
                header.splice(2..4, length.saturating_add(20).to_be_bytes());
                header.extend(from.octets());
                header.extend(to.octets());
                let sum = checksum(&header);
                header.splice(10..12, sum);
                packet.extend(header);
                [from.octets(), to.octets()].concat()
            }
            (from, to) => {
                packet.extend([0x60, 0, 0, 0]);
                packet.extend(length.to_be_bytes());
                packet.extend([6, 64]);
                let both = [six(from).octets(), six(to).octets()].concat();
                packet.extend(&both);
                both
            }
        };
        let sum = sum_of(&[&tcp[..], &[0; 4]].concat(), &pseudo);
        packet.extend(tcp);
        packet.extend(sum);
        packet.extend([0, 0]);
        packet.extend(self.payload);
        packet
    }
}

/// A payload for a dissector by its name, as Wireshark exports it (epan/exported_pdu.h).
pub(super) fn pdu(dissector: &str, from: SocketAddr, to: SocketAddr, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(payload.len() + 80);
    let mut tag = |code: u16, value: &[u8]| {
        let length = value.len().next_multiple_of(4);
        out.extend(code.to_be_bytes());
        out.extend(u16::try_from(length).unwrap_or(0).to_be_bytes());
        out.extend(value);
        out.extend(vec![0; length - value.len()]);
    };
    tag(12, dissector.as_bytes());
    match (from.ip(), to.ip()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            tag(20, &from.octets());
            tag(21, &to.octets());
        }
        (from, to) => {
            tag(22, &six(from).octets());
            tag(23, &six(to).octets());
        }
    }
    // The ports are TCP's.
    tag(24, &2_u32.to_be_bytes());
    tag(25, &u32::from(from.port()).to_be_bytes());
    tag(26, &u32::from(to.port()).to_be_bytes());
    tag(0, &[]);
    out.extend(payload);
    out
}

fn six(ip: IpAddr) -> Ipv6Addr {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped(),
        IpAddr::V6(ip) => ip,
    }
}

fn checksum<'b>(bytes: impl IntoIterator<Item = &'b u8>) -> [u8; 2] {
    let mut sum = 0_u32;
    for (byte, is_low) in bytes.into_iter().zip([false, true].into_iter().cycle()) {
        sum += u32::from(*byte) << if is_low { 0 } else { 8 };
        sum = (sum & 0xffff) + (sum >> 16);
    }
    let [_, _, high, low] = (!sum).to_be_bytes();
    [high, low]
}
