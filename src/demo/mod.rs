//! Both ends of a Finesse conversation, played: a server that behaves like Finesse towards a desktop, and a desktop
//! that signs in, takes a call and signs out.
//!
//! [`Server`] and [`story`] meet over TCP and TLS only, so a proxy fits in between. The two read XML
//! with a small reader of their own instead of [`xmpp`](crate::xmpp): what the decoders get wrong they must not get
//! wrong here in the same way. Knows nothing of proxy, tap or capture.
//!
//! Limits: voice calls between one customer and one agent; no supervisors, no BOSH, no SSO, no permessage-deflate.

mod agent;
pub mod desktop;
pub mod server;
mod trouble;
mod xml;

pub use agent::{Agent, Secret, agents, secrets};
pub use desktop::{Outcome, Story, endure, shows_after, story};
pub use server::{Server, Site};
pub use trouble::Trouble;

/// The name under which the server is addressed unless another is wanted: its TLS name, its Host and its XMPP domain.
pub const HOST: &str = "finesse.demo.test";

/// The pause between two steps that a person can follow.
pub const PACE: std::time::Duration = std::time::Duration::from_millis(400);

/// A random version 4 UUID (RFC 9562 section 5.4). All zero but for version and variant if the system has no randomness:
/// demo ids need to differ, not to be secret.
fn uuid() -> String {
    let mut bytes = [0_u8; 16];
    let _ = ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut bytes);
    let n = (u128::from_be_bytes(bytes) & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
    let hex = format!("{n:032x}");
    let part = |range: std::ops::Range<usize>| hex.get(range).unwrap_or_default().to_owned();
    [part(0..8), part(8..12), part(12..16), part(16..20), part(20..32)].join("-")
}

#[cfg(test)]
mod tests;
