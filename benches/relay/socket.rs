//! One end of a WebSocket over TLS, as cheap as it can be: text out as one frame and one flush, whole messages in.
//!
//! Turns bytes of a TLS stream into heads and messages and back. No fragments, deflate or control frames are made; of
//! those that come in, fragments are joined, pings and pongs skipped, and a close is an error.
//!
//! Limits: a head of [`MAX_HEAD_BYTES`], a message of [`MAX_MESSAGE_BYTES`].

use std::ops::Range;

use anyhow::{Context as _, bail, ensure};
use bytes::{Buf as _, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

const MAX_HEAD_BYTES: usize = 16 * 1024;
const MAX_MESSAGE_BYTES: usize = 1024 * 1024;
const READ_BYTES: usize = 32 * 1024;

/// Who speaks: a client must mask what it sends, a server must not (RFC 6455 section 5.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Role {
    Client,
    Server,
}

/// One end of one WebSocket.
pub(crate) struct Socket<S> {
    stream: S,
    role: Role,
    incoming: BytesMut,
    outgoing: Vec<u8>,
    mask: u32,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Socket<S> {
    pub(crate) fn new(stream: S, role: Role) -> Self {
        Self { stream, role, incoming: BytesMut::new(), outgoing: Vec::new(), mask: 0x9e37_79b9 }
    }

    /// Writes raw bytes: an HTTP head.
    pub(crate) async fn send_head(&mut self, head: &str) -> anyhow::Result<()> {
        self.stream.write_all(head.as_bytes()).await?;
        self.stream.flush().await.context("flush head")
    }

    /// Reads an HTTP head up to and with its empty line.
    pub(crate) async fn head(&mut self) -> anyhow::Result<BytesMut> {
        loop {
            if let Some(end) = memchr::memmem::find(&self.incoming, b"\r\n\r\n") {
                return Ok(self.incoming.split_to(end + 4));
            }
            ensure!(self.incoming.len() < MAX_HEAD_BYTES, "head too long");
            self.read().await?;
        }
    }

    /// Sends `text` as one frame.
    pub(crate) async fn send(&mut self, text: &str) -> anyhow::Result<()> {
        self.encode(text.as_bytes());
        self.stream.write_all(&self.outgoing).await?;
        self.stream.flush().await.context("flush message")
    }

    /// The next whole message, unmasked.
    pub(crate) async fn message(&mut self) -> anyhow::Result<BytesMut> {
        let mut message = BytesMut::new();
        loop {
            let frame = loop {
                if let Some(frame) = self.frame()? {
                    break frame;
                }
                self.read().await?;
            };
            let mut payload = self.incoming.split_to(frame.payload.end);
            payload.advance(frame.payload.start);
            if let Some(mask) = frame.mask {
                apply_mask(&mut payload, mask);
            }
            match frame.opcode {
                8 => bail!("the other end closed the WebSocket"),
                9 | 10 => continue,
                _ => {}
            }
            if message.is_empty() {
                message = payload;
            } else {
                message.extend_from_slice(&payload);
            }
            ensure!(message.len() <= MAX_MESSAGE_BYTES, "message too long");
            if frame.fin {
                return Ok(message);
            }
        }
    }

    /// The first frame in the buffer if it is whole.
    fn frame(&self) -> anyhow::Result<Option<Frame>> {
        let mut head = self.incoming.as_ref();
        let Ok(first) = head.try_get_u8() else { return Ok(None) };
        let Ok(second) = head.try_get_u8() else { return Ok(None) };
        let length = match second & 0x7f {
            126 => head.try_get_u16().map(u64::from),
            127 => head.try_get_u64(),
            short => Ok(u64::from(short)),
        };
        let Ok(length) = length else { return Ok(None) };
        let mask = if second & 0x80 == 0 { Ok(None) } else { head.try_get_u32().map(|mask| Some(mask.to_be_bytes())) };
        let Ok(mask) = mask else { return Ok(None) };
        let length = usize::try_from(length)?;
        ensure!(length <= MAX_MESSAGE_BYTES, "frame too long");
        let start = self.incoming.len() - head.len();
        let whole = head.len() >= length;
        let (opcode, fin) = (first & 0x0f, first & 0x80 != 0);
        Ok(whole.then_some(Frame { payload: start..start + length, opcode, fin, mask }))
    }

    async fn read(&mut self) -> anyhow::Result<()> {
        self.incoming.reserve(READ_BYTES);
        ensure!(self.stream.read_buf(&mut self.incoming).await? > 0, "the connection ended");
        Ok(())
    }

    fn encode(&mut self, payload: &[u8]) {
        let masked = if self.role == Role::Client { 0x80 } else { 0 };
        self.outgoing.clear();
        self.outgoing.push(0x81);
        match payload.len() {
            short @ 0..=125 => self.outgoing.push(masked | short as u8),
            medium @ 126..=0xffff => {
                self.outgoing.push(masked | 126);
                self.outgoing.extend_from_slice(&(medium as u16).to_be_bytes());
            }
            long => {
                self.outgoing.push(masked | 127);
                self.outgoing.extend_from_slice(&(long as u64).to_be_bytes());
            }
        }
        if self.role == Role::Client {
            self.mask = self.mask.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let mask = self.mask.to_be_bytes();
            self.outgoing.extend_from_slice(&mask);
            let start = self.outgoing.len();
            self.outgoing.extend_from_slice(payload);
            if let Some(payload) = self.outgoing.get_mut(start..) {
                apply_mask(payload, mask);
            }
        } else {
            self.outgoing.extend_from_slice(payload);
        }
    }
}

/// A frame in the buffer (RFC 6455 section 5.2).
struct Frame {
    payload: Range<usize>,
    opcode: u8,
    fin: bool,
    mask: Option<[u8; 4]>,
}

fn apply_mask(payload: &mut [u8], mask: [u8; 4]) {
    for block in payload.chunks_mut(4) {
        for (byte, key) in block.iter_mut().zip(mask) {
            *byte ^= key;
        }
    }
}
