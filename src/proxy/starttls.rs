//! STARTTLS (RFC 6120 section 5): the part of an XMPP connection that is in the clear, until both sides agree to turn to TLS.
//!
//! Relays what it reads and looks only for `<starttls/>`, `<proceed/>` and `<failure/>`. What either side sends in the clear
//! behind its last word before TLS would be taken for part of the secured stream by whoever buffers carelessly: such
//! a connection is closed (RFC 6120 section 5.4.3.3, CVE-2011-0411). The caller bounds the time.

use super::account::{Account, Ending};
use super::relay::is_reset;
use crate::capture::observation::{End, How};
use crate::conn::Direction;
use crate::xmpp::parse::parse;
use crate::xmpp::stream::{Decoder, Item, Limits};
use socket2::SockRef;
use std::io;
use std::mem::MaybeUninit;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Read at once, bytes.
const CHUNK_BYTES: usize = 4096;
/// Longest element looked into; what comes before TLS is short.
const LIMITS: Limits = Limits { element_bytes: 64 * 1024 };

/// How the clear part ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Turn {
    /// TLS begins now, on both sides.
    Tls,
    /// There will be none: what follows is relayed as it is.
    Clear,
}

/// Relays until TLS begins or it is clear that it will not.
///
/// # Errors
/// Somebody spoke in the clear where TLS should begin, or a side failed.
pub(super) async fn negotiate(
    client: &mut TcpStream,
    upstream: &mut TcpStream,
    account: &mut Account,
) -> Result<Turn, Ending> {
    let (mut asks, mut answers) = (Decoder::new(LIMITS), Decoder::new(LIMITS));
    let (mut asked, mut answered) = ([0; CHUNK_BYTES], [0; CHUNK_BYTES]);
    let mut waits = false;
    loop {
        let (direction, read) = tokio::select! {
            biased;
            read = upstream.read(&mut answered) => (Direction::S2c, read),
            // Who asked for TLS has nothing more to say until the answer is there.
            read = client.read(&mut asked), if !waits => (Direction::C2s, read),
        };
        let (by, bytes, decoder) = match direction {
            Direction::C2s => (End::Client, &asked, &mut asks),
            Direction::S2c => (End::Upstream, &answered, &mut answers),
        };
        let bytes = match read {
            // The relay meets the same end again, and knows what to do about it.
            Ok(0) => return Ok(Turn::Clear),
            Ok(read) => bytes.get(..read).unwrap_or_default(),
            Err(error) => return Err(broken(by, &error)),
        };
        let word = listen(decoder, bytes);
        if matches!(word, Word::StartTls | Word::Proceed) && !decoder.is_at_end() {
            return Err(spoke_on(by));
        }
        let turns = waits && word == Word::Proceed && direction == Direction::S2c;
        if turns && has_more(client) {
            return Err(spoke_on(End::Client));
        }
        account.relayed(direction, bytes);
        let to = if direction == Direction::C2s { &mut *upstream } else { &mut *client };
        to.write_all(bytes).await.map_err(|error| broken(other(by), &error))?;
        match (direction, word) {
            _ if turns => return Ok(Turn::Tls),
            (Direction::C2s, Word::StartTls) => waits = true,
            (Direction::S2c, Word::Failure) | (Direction::C2s, Word::Other) | (_, Word::Garbage) => {
                return Ok(Turn::Clear);
            }
            _ => {}
        }
    }
}

/// The last that a chunk says about TLS.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Word {
    /// Nothing, or part of something.
    Nothing,
    StartTls,
    Proceed,
    Failure,
    /// Another element.
    Other,
    /// No XMPP.
    Garbage,
}

/// Looks at a chunk, up to the first word about TLS in it.
fn listen(decoder: &mut Decoder, bytes: &[u8]) -> Word {
    let mut word = Word::Nothing;
    decoder.feed(bytes);
    while let Some(item) = decoder.next() {
        match item {
            Ok(Item::Element(text)) => {
                let document = parse(&text);
                let name = document.roots().next().map_or("", |root| root.name());
                word = match name {
                    "starttls" => return Word::StartTls,
                    "proceed" => return Word::Proceed,
                    "failure" => return Word::Failure,
                    "features" => word,
                    _ => Word::Other,
                };
            }
            Ok(Item::Open(_) | Item::Space) => {}
            Ok(Item::Close | Item::Unread { .. }) => word = Word::Other,
            Err(_) => return Word::Garbage,
        }
    }
    word
}

/// Whether bytes have arrived that nobody has read. The system is asked: tokio hears of them later.
fn has_more(tcp: &TcpStream) -> bool {
    SockRef::from(tcp).peek(&mut [MaybeUninit::uninit()]).is_ok_and(|bytes| bytes > 0)
}

fn other(by: End) -> End {
    if by == End::Client { End::Upstream } else { End::Client }
}

fn spoke_on(by: End) -> Ending {
    let (who, what) = if by == End::Client { ("client", "starttls") } else { ("server", "proceed") };
    let why = format!("the {who} went on in the clear behind <{what}/>: an injection, or a broken XMPP implementation");
    Ending::new(by, How::Refused, why)
}

fn broken(by: End, error: &io::Error) -> Ending {
    let how = if is_reset(error) { How::Rst } else { How::Error };
    Ending::new(by, how, format!("the {} failed before TLS began: {error}", by.as_str()))
}
