//! A packet capture (pcap, pcapng) becomes the text that its packets carry, one text for each flow.
//!
//! Payloads are taken in the order of the packets; what was sent again is looked at again. Limits: [`MAX_FLOWS`] flows are
//! told apart, those beyond are one. TLS and other payload that is no text is a hit: nobody can look at it.

use super::Scanner;
use super::file::{Scanned, blank_controls, unseen};
use super::finding::Finding;
use super::hit::{Certainty, Hit, Place};
use super::lines::{Lines, hit};
use crate::capture::policy::Class;
use etherparse::SlicedPacket;
use pcap_file::DataLink;
use pcap_file::pcap::PcapReader;
use pcap_file::pcapng::{Block, PcapNgReader};
use std::cell::RefCell;
use std::collections::HashMap;
use std::io::{self, Read};

/// Flows whose texts are kept apart.
const MAX_FLOWS: usize = 4_096;

/// Both ends, as the packet has them.
type Flow = (Vec<u8>, u16, Vec<u8>, u16);

pub(super) fn scan(
    scanner: &Scanner,
    input: &mut dyn Read,
    place: &Place,
    tick: &mut dyn FnMut(u64),
    found: &mut dyn FnMut(Hit),
) -> io::Result<Scanned> {
    let found = RefCell::new(found);
    let tell = |hit| (found.borrow_mut())(hit);
    let mut flows =
        Flows { scanner, place, tell: &tell, texts: HashMap::new(), is_told: false, scanned: Scanned::default() };
    let mut magic = [0; 4];
    input.read_exact(&mut magic)?;
    let input = magic.chain(input);
    let whole = if magic == *b"\x0a\x0d\x0d\x0a" { flows.pcapng(input, tick) } else { flows.pcap(input, tick) };
    let mut scanned = flows.scanned;
    for lines in flows.texts.into_values() {
        scanned.lines += lines.finish();
    }
    if whole.is_err() {
        tell(unseen(place.clone(), "a damaged packet capture: what follows in it was not looked at"));
    }
    Ok(scanned)
}

struct Flows<'s> {
    scanner: &'s Scanner,
    place: &'s Place,
    tell: &'s dyn Fn(Hit),
    texts: HashMap<Flow, Lines<'s>>,
    /// It was said that there is payload that nobody can read.
    is_told: bool,
    scanned: Scanned,
}

impl Flows<'_> {
    fn pcap(&mut self, input: impl Read, tick: &mut dyn FnMut(u64)) -> Result<(), pcap_file::PcapError> {
        let mut reader = PcapReader::new(input)?;
        let link = reader.header().datalink;
        while let Some(packet) = reader.next_packet() {
            self.packet(&packet?.data, link, tick);
        }
        Ok(())
    }

    fn pcapng(&mut self, input: impl Read, tick: &mut dyn FnMut(u64)) -> Result<(), pcap_file::PcapError> {
        let mut reader = PcapNgReader::new(input)?;
        let mut links = Vec::new();
        while let Some(block) = reader.next_block() {
            match block? {
                Block::SectionHeader(_) => links.clear(),
                Block::InterfaceDescription(interface) => links.push(interface.linktype),
                Block::EnhancedPacket(packet) => {
                    let link = links.get(packet.interface_id as usize).copied().unwrap_or(DataLink::ETHERNET);
                    self.packet(&packet.data, link, tick);
                }
                Block::SimplePacket(packet) => {
                    self.packet(&packet.data, links.first().copied().unwrap_or(DataLink::ETHERNET), tick);
                }
                // Decryption secrets, which this library does not know by name.
                Block::Unknown(block) if block.type_ == 0x0a => {
                    let why = "the keys of TLS connections (Decryption Secrets Block)";
                    let (class, certainty) = (Class::Credential, Certainty::Certain);
                    let finding = Finding { at: 0, value: &block.value, kind: "tls-keys", class, certainty, why };
                    (self.tell)(hit(self.place.clone(), &finding, "", None));
                }
                // Names, comments and counts.
                other => self.text(Flow::default(), format!("{other:?}").into_bytes()),
            }
        }
        Ok(())
    }

    fn packet(&mut self, data: &[u8], link: DataLink, tick: &mut dyn FnMut(u64)) {
        tick(data.len() as u64);
        let sliced = match link {
            DataLink::ETHERNET => SlicedPacket::from_ethernet(data),
            DataLink::LINUX_SLL => SlicedPacket::from_linux_sll(data),
            DataLink::RAW | DataLink::IPV4 | DataLink::IPV6 => SlicedPacket::from_ip(data),
            // Upper protocols by themselves, and what is not known here.
            _ => return self.text(Flow::default(), data.to_vec()),
        };
        let Ok(packet) = sliced else { return self.text(Flow::default(), data.to_vec()) };
        let (payload, ports) = match &packet.transport {
            Some(etherparse::TransportSlice::Tcp(tcp)) => (tcp.payload(), (tcp.source_port(), tcp.destination_port())),
            Some(etherparse::TransportSlice::Udp(udp)) => (udp.payload(), (udp.source_port(), udp.destination_port())),
            _ => return self.text(Flow::default(), data.to_vec()),
        };
        let ends = match &packet.net {
            Some(etherparse::NetSlice::Ipv4(ip)) => (ip.header().source().to_vec(), ip.header().destination().to_vec()),
            Some(etherparse::NetSlice::Ipv6(ip)) => (ip.header().source().to_vec(), ip.header().destination().to_vec()),
            _ => Default::default(),
        };
        self.text((ends.0, ports.0, ends.1, ports.1), payload.to_vec());
    }

    fn text(&mut self, flow: Flow, mut payload: Vec<u8>) {
        if payload.is_empty() {
            return;
        }
        self.scanned.bytes += payload.len() as u64;
        if blank_controls(&mut payload).is_some() && !std::mem::replace(&mut self.is_told, true) {
            let why = "packets whose payload is no text (TLS, compressed, masked): only the words in it were looked at";
            (self.tell)(unseen(self.place.clone(), why));
        }
        let flow = if self.texts.len() < MAX_FLOWS || self.texts.contains_key(&flow) { flow } else { Flow::default() };
        let (scanner, place, tell) = (self.scanner, self.place, self.tell);
        self.texts.entry(flow).or_insert_with(|| Lines::new(scanner, place, tell)).feed(&payload);
    }
}
