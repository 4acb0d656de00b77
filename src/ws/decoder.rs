//! One direction's bytes joined into messages, control frames apart (RFC 6455 sections 5.4 and 5.5), compression undone.
//!
//! A broken rule is told as [`Item::Violation`] just before what it concerns, and reading goes on as well as it can. Only
//! what leaves no footing ends a direction: a length beyond 63 bits, a message that does not inflate or inflates without
//! end. Knows nothing of what payloads say. Memory follows what has arrived, never what a frame claims, and is bounded
//! by [`Limits`]; an unmasked message that lies whole in one fed piece is a slice of it.

use crate::conn::Direction;
use crate::ws::deflate::Inflater;
use crate::ws::frame::{Header, HeaderReader, unmask};
use crate::ws::{Control, Deflate, Error, Item, Limits, Message, Opcode};
use bytes::Bytes;
use std::collections::VecDeque;
use std::fmt;

/// Longest payload a control frame may have, and what is kept of one (RFC 6455 section 5.5).
const CONTROL_BYTES: usize = 125;

/// Follows one direction of one WebSocket.
pub struct Decoder {
    direction: Direction,
    deflate: Option<Deflate>,
    limits: Limits,
    /// Fed and not yet read, no piece empty.
    input: VecDeque<Bytes>,
    /// Bytes read so far.
    offset: u64,
    header: HeaderReader,
    /// Where the frame being read begins.
    frame_offset: u64,
    /// The frame whose payload is being read.
    frame: Option<Frame>,
    /// The data message being joined; control frames pass it by.
    message: Option<Partial>,
    /// What has arrived of the control frame being read, at most [`CONTROL_BYTES`].
    control: Vec<u8>,
    /// From the first compressed message on, or during each one if no context is taken over.
    inflater: Option<Inflater>,
    /// Found in one header, to be told before its frame.
    found: VecDeque<Item>,
    close_seen: bool,
    phase: Phase,
}

impl Decoder {
    /// `direction` decides which side's deflate parameters apply and whether frames should be masked.
    #[must_use]
    pub fn new(direction: Direction, deflate: Option<Deflate>, limits: Limits) -> Self {
        Self {
            direction,
            deflate,
            limits,
            input: VecDeque::new(),
            offset: 0,
            header: HeaderReader::default(),
            frame_offset: 0,
            frame: None,
            message: None,
            control: Vec::new(),
            inflater: None,
            found: VecDeque::new(),
            close_seen: false,
            phase: Phase::Open,
        }
    }

    /// Takes the next bytes.
    pub fn feed(&mut self, bytes: Bytes) {
        if self.phase == Phase::Open && !bytes.is_empty() {
            self.input.push_back(bytes);
        }
    }

    /// The direction has ended: a message that is not complete comes out truncated. What is fed later is ignored.
    pub fn end(&mut self) {
        if self.phase == Phase::Open {
            self.phase = Phase::Ended;
        }
    }

    /// The next item, `None` for more input. After an `Err` nothing follows.
    ///
    /// # Errors
    /// [`Error`] where the direction cannot be read any further.
    #[expect(clippy::should_implement_trait, reason = "None asks for more input, which is no iterator's end")]
    pub fn next(&mut self) -> Option<Result<Item, Error>> {
        loop {
            if let Some(item) = self.found.pop_front() {
                return Some(Ok(item));
            }
            let step = match self.frame.take() {
                None => self.read_header(),
                Some(frame) => self.read_payload(frame),
            };
            match step {
                Ok(Step::Item(item)) => return Some(Ok(item)),
                Ok(Step::Onward) => {}
                Ok(Step::Starved) => return self.cut_short().map(Ok),
                Err(why) => {
                    let error = Error { offset: self.frame_offset, why };
                    *self = Self::new(self.direction, None, self.limits);
                    self.phase = Phase::Failed;
                    return Some(Err(error));
                }
            }
        }
    }

    /// No input left: behind the end, the message it came too early for.
    fn cut_short(&mut self) -> Option<Item> {
        if self.phase != Phase::Ended {
            return None;
        }
        self.inflater = None;
        self.message.take().map(|message| Item::Message(message.truncated()))
    }

    fn read_header(&mut self) -> Result<Step, &'static str> {
        if self.header.is_empty() {
            self.frame_offset = self.offset;
        }
        while let Some(piece) = self.input.front() {
            let (taken, header) = self.header.feed(piece);
            self.take(taken as u64);
            if let Some(header) = header {
                self.begin(header)?;
                return Ok(Step::Onward);
            }
        }
        Ok(Step::Starved)
    }

    /// A header is complete: tells what is wrong with it and makes ready for its payload.
    fn begin(&mut self, header: Header) -> Result<(), &'static str> {
        if header.payload_bytes >> 63 != 0 {
            return Err("a frame's length has its top bit set (RFC 6455 section 5.2)");
        }
        self.tell_violations(&header);
        if header.opcode == 0x8 {
            self.close_seen = true;
        }
        let continues = header.opcode == 0x0;
        if !header.is_control() {
            if !continues && let Some(message) = self.message.take() {
                // Its sender's window is anyone's guess now; an empty one turns a wrong guess into an error, not garbage.
                self.inflater = None;
                self.found.push_back(Item::Message(message.truncated()));
            }
            let deflate_agreed = self.deflate.is_some();
            let message = self.message.get_or_insert_with(|| {
                let compressed = header.rsv1 && !continues;
                Partial::new(Opcode::from(header.opcode), compressed, compressed && deflate_agreed)
            });
            message.fragments += 1;
        }
        self.frame = Some(Frame { left_bytes: header.payload_bytes, header });
        Ok(())
    }

    /// Each rule of RFC 6455 and RFC 7692 that this header breaks; all can be told before the payload comes.
    fn tell_violations(&mut self, header: &Header) {
        let (control, continues) = (header.is_control(), header.opcode == 0x0);
        let (starts, masked) = (!control && !continues, header.mask.is_some());
        let from_client = self.direction == Direction::C2s;
        let underway = self.message.is_some();
        let rules = [
            (from_client && !masked, "a client's frame is not masked (RFC 6455 section 5.1)"),
            (!from_client && masked, "a server's frame is masked (RFC 6455 section 5.1)"),
            (header.rsv2 || header.rsv3, "RSV2 or RSV3 is set though no extension uses it (RFC 6455 section 5.2)"),
            (header.rsv1 && control, "RSV1 is set on a control frame (RFC 7692 section 6.1)"),
            (header.rsv1 && continues, "RSV1 is set on a continuation frame (RFC 7692 section 6.1)"),
            (
                header.rsv1 && starts && self.deflate.is_none(),
                "RSV1 is set though no compression was agreed (RFC 6455 section 5.2)",
            ),
            (!header.minimal, "a length is not written in its shortest form (RFC 6455 section 5.2)"),
            (matches!(header.opcode, 0x3..=0x7 | 0xB..), "the opcode is reserved (RFC 6455 section 5.2)"),
            (control && !header.fin, "a control frame is fragmented (RFC 6455 section 5.5)"),
            (
                control && header.payload_bytes > CONTROL_BYTES as u64,
                "a control frame has more than 125 payload bytes (RFC 6455 section 5.5)",
            ),
            (
                header.opcode == 0x8 && header.payload_bytes == 1,
                "a Close payload is too short for its status code (RFC 6455 section 5.5.1)",
            ),
            (continues && !underway, "a continuation frame has no message to continue (RFC 6455 section 5.4)"),
            (starts && underway, "a message begins before the one before it is complete (RFC 6455 section 5.4)"),
            (!control && self.close_seen, "a data frame follows a Close frame (RFC 6455 section 5.5.1)"),
        ];
        let offset = self.frame_offset;
        let broken = rules.into_iter().filter(|&(broken, _)| broken);
        self.found.extend(broken.map(|(_, why)| Item::Violation { why, offset }));
    }

    fn read_payload(&mut self, mut frame: Frame) -> Result<Step, &'static str> {
        let read_bytes = frame.header.payload_bytes - frame.left_bytes;
        let piece = self.take(frame.left_bytes);
        if piece.is_empty() && frame.left_bytes > 0 {
            self.frame = Some(frame);
            return Ok(Step::Starved);
        }
        frame.left_bytes -= piece.len() as u64;
        let piece = unmask(piece, frame.header.mask, read_bytes);
        if frame.left_bytes > 0 {
            self.frame = Some(frame);
        }
        if frame.header.is_control() { Ok(self.join_control(frame, &piece)) } else { self.join_data(frame, piece) }
    }

    fn join_control(&mut self, frame: Frame, piece: &[u8]) -> Step {
        keep(&mut self.control, piece, CONTROL_BYTES);
        if frame.left_bytes > 0 {
            return Step::Onward;
        }
        let payload = Bytes::from(std::mem::take(&mut self.control));
        Step::Item(Item::Control(Control { opcode: Opcode::from(frame.header.opcode), payload }))
    }

    fn join_data(&mut self, frame: Frame, piece: Bytes) -> Result<Step, &'static str> {
        let Some(mut message) = self.message.take() else { return Ok(Step::Onward) };
        let complete = frame.left_bytes == 0 && frame.header.fin;
        message.wire_bytes += piece.len() as u64;
        if message.inflates {
            let inflater = self.inflater.get_or_insert_with(|| Inflater::new(self.limits.inflate_bytes));
            let mut add = |inflated: &[u8]| message.add(inflated, self.limits);
            inflater.feed(&piece, &mut add).map_err(|error| error.as_str())?;
            if complete {
                inflater.end_message(&mut add).map_err(|error| error.as_str())?;
                if self.deflate.is_some_and(|deflate| !deflate.takes_context_over(self.direction)) {
                    self.inflater = None;
                }
            }
        } else if complete && message.wire_bytes == piece.len() as u64 {
            return Ok(Step::Item(Item::Message(message.whole(piece, self.limits))));
        } else {
            message.add(&piece, self.limits);
        }
        if complete {
            return Ok(Step::Item(Item::Message(message.joined())));
        }
        self.message = Some(message);
        Ok(Step::Onward)
    }

    /// Up to `most_bytes` of the oldest piece of input, without copying.
    fn take(&mut self, most_bytes: u64) -> Bytes {
        let Some(front) = self.input.front_mut() else { return Bytes::new() };
        let taken = front.split_to(usize::try_from(most_bytes).unwrap_or(usize::MAX).min(front.len()));
        if front.is_empty() {
            self.input.pop_front();
        }
        self.offset += taken.len() as u64;
        taken
    }
}

impl fmt::Debug for Decoder {
    /// How far it has read and never what.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoder")
            .field("direction", &self.direction)
            .field("deflate", &self.deflate)
            .field("offset", &self.offset)
            .finish_non_exhaustive()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Open,
    Ended,
    Failed,
}

/// Where one look at the input leads.
enum Step {
    Item(Item),
    Onward,
    Starved,
}

/// A frame whose header is read.
#[derive(Clone, Copy)]
struct Frame {
    header: Header,
    /// Payload bytes still to come.
    left_bytes: u64,
}

/// A data message being joined.
struct Partial {
    opcode: Opcode,
    compressed: bool,
    /// Compressed in a way that can be undone.
    inflates: bool,
    payload: Vec<u8>,
    payload_bytes: u64,
    wire_bytes: u64,
    fragments: u64,
}

impl Partial {
    fn new(opcode: Opcode, compressed: bool, inflates: bool) -> Self {
        Self { opcode, compressed, inflates, payload: Vec::new(), payload_bytes: 0, wire_bytes: 0, fragments: 0 }
    }

    fn add(&mut self, payload: &[u8], limits: Limits) {
        self.payload_bytes += payload.len() as u64;
        keep(&mut self.payload, payload, limits.message_bytes);
    }

    /// The message, its payload in one piece that nothing came before.
    fn whole(mut self, mut piece: Bytes, limits: Limits) -> Message {
        self.payload_bytes = piece.len() as u64;
        piece.truncate(limits.message_bytes);
        self.with(piece)
    }

    /// The message, its payload as joined so far.
    fn joined(mut self) -> Message {
        let payload = Bytes::from(std::mem::take(&mut self.payload));
        self.with(payload)
    }

    /// The message, though more of it should have come.
    fn truncated(self) -> Message {
        Message { truncated: true, ..self.joined() }
    }

    fn with(self, payload: Bytes) -> Message {
        Message {
            opcode: self.opcode,
            truncated: (payload.len() as u64) < self.payload_bytes,
            payload,
            payload_bytes: self.payload_bytes,
            wire_bytes: self.wire_bytes,
            fragments: self.fragments,
            compressed: self.compressed,
        }
    }
}

/// Appends what fits of `piece`, and never grows `kept` beyond `most_bytes`.
fn keep(kept: &mut Vec<u8>, piece: &[u8], most_bytes: usize) {
    let piece = piece.get(..most_bytes.saturating_sub(kept.len())).unwrap_or(piece);
    if kept.capacity() - kept.len() < piece.len() {
        let wanted_bytes = (kept.len() + piece.len()).max(kept.len().saturating_mul(2)).min(most_bytes);
        kept.reserve_exact(wanted_bytes - kept.len());
    }
    kept.extend_from_slice(piece);
}

#[cfg(test)]
mod tests;
