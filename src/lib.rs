//! finesse-tap: a transparent debugging proxy between a Cisco Finesse agent desktop and its server.
//!
//! This page is the map of the house. `finesse-tap --help` and the README are for users; this is for whoever changes it.
//!
//! # The one decision
//!
//! **The relay copies bytes; everything else watches a copy.** After TLS on both sides [`proxy`] has one byte relay for
//! all that comes. The decoders run on the copy: a decoder's mistake can spoil a log line, never the traffic. The one
//! exception, [`rewrite`], edits a few header values on connections of browsers that use another name than the server's.
//! HTTP/2 passes as HTTP/1 does: ALPN is mirrored ([`proxy`]), and the relay does not know which of them it moves.
//!
//! ```text
//! browser ══TLS══▶ proxy::relay ══TLS══▶ Finesse      the very bytes, both ways
//!                     │ tap::Feed: a reference to each chunk, through a queue bounded in bytes
//!                     ▼
//!               tap::Decoder      http1 → ws, bosh → xmpp → finesse      bytes become values, no I/O
//!                     ▼
//!                  session        answers with questions, events with REST calls, sockets with agents
//!                     ▼
//!              capture::Door      Observation → Event → Record: redaction, the one door out
//!                     ▼
//!                    bus ──▶ sinks: file · stdout · live
//!                                  file ──▶ ship: Splunk · Elasticsearch
//! ```
//!
//! Bytes go right, knowledge goes down. Only TCP back-pressure and shutdown travel against the flow.
//!
//! # Layers
//!
//! A module imports from lower layers, sideways only where an arrow is drawn, never upwards. `tests/it/layers.rs` holds
//! the code against this table.
//!
//! | layer | modules |
//! |---|---|
//! | 6 wiring | `main` → [`cli`] (→ [`config`]), [`app`], [`ca_text`], [`log`]; `app` alone knows everybody |
//! | 5 edges | [`proxy`] (→ [`tls`], [`tap`]), [`sinks`], [`doctor`] (→ [`tls`]), [`browse`], [`demo`], [`report`] (→ [`session`] for its stages and findings), [`import`] (→ [`tap`]), [`export`], [`hosts`], [`scan`], [`share`] (→ [`scan`], which judges what it made), [`ship`] (→ [`tls`]), [`admin`] (→ [`tap`]), [`assets`], [`console`] (→ [`session`] for its stages): never import one another |
//! | 4 plumbing | [`tap`] (→ [`session`], [`bus`]), [`bus`], [`stored`] |
//! | 3 the door | [`capture`]: observation, event, policy (what each name means), walk (what a level makes of it), redact, guard |
//! | 2 knowledge | [`session`] (→ [`finesse`], [`xmpp`]), [`finesse`] (→ [`xmpp`]) |
//! | 1 codecs | [`http1`], [`http2`] (→ [`http1`] for its heads), [`ws`] (→ [`http1`] for its handshake), [`xmpp`], [`bosh`] (→ [`xmpp`]): feed bytes, take values; [`rewrite`] (→ [`http1`]): feed bytes, take bytes |
//! | 0 vocabulary | [`conn`], [`clock`], [`filter`], [`glyph`] |
//!
//! # Invariants
//!
//! 1. The relay writes the very bytes it read, in order, flushes, and half-closes; the other direction lives on.
//!    Where [`rewrite`] is installed, undoing its edits gives those bytes. (`tests/it/transparency.rs`, `tests/it/endings.rs`,
//!    `tests/it/rewrite.rs`)
//! 2. The relay never waits for the tap, the tap never for a sink. A full queue costs counted events, and the direction
//!    goes opaque: a decoder with a hole must not pretend. (`tests/it/pressure.rs`)
//! 3. Codecs, session and capture do no I/O and read no clock: time is an argument. (`.clippy.toml`, `tests/it/layers.rs`)
//! 4. Only [`capture::Door`] makes a [`capture::Record`], and sinks take nothing else.
//!    [`capture::observation::Observation`] is neither `Serialize` nor `Debug`. (it does not compile otherwise)
//! 5. Decoding never fails: it yields values and notes. Network input never panics. (lints, property tests, `fuzz/`)
//! 6. Every buffer has a named limit; reaching it is a note, not an error and not a stall. Nothing is reserved by a length
//!    that a peer declared. (`tests/it/bad_input.rs`, `tests/it/pressure.rs`)
//! 7. Every connection ends in exactly one `connection-closed` with bytes each way, who ended it and how.
//!    (`tests/it/endings.rs`)
//! 8. Splitting the input differently never changes the output. (`tests/it/playbook.rs`, property tests of each codec)
//! 9. No idle timeout cuts a live socket; a reload never touches one. (`tests/it/endings.rs`, `tests/it/reload.rs`)
//! 10. Secrets have no `Debug`. (the types; `tests/it/canary.rs` searches every output)

pub mod admin;
pub mod app;
pub mod assets;
pub mod bosh;
pub mod browse;
pub mod bus;
pub mod ca_text;
pub mod capture;
pub mod cli;
pub mod clock;
pub mod config;
pub mod conn;
pub mod console;
pub mod demo;
pub mod doctor;
pub mod export;
pub mod filter;
pub mod finesse;
pub mod glyph;
pub mod hosts;
pub mod http1;
pub mod http2;
pub mod import;
pub mod log;
pub mod proxy;
pub mod report;
pub mod rewrite;
pub mod scan;
pub mod session;
pub mod share;
pub mod ship;
pub mod sinks;
pub mod stored;
pub mod tap;
pub mod tls;
pub mod ws;
pub mod xmpp;
