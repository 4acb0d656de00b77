//! The relay's end of the tap: a queue bounded in bytes that never makes the relay wait.
//!
//! A [`Feed`] belongs to one connection. Payload that does not fit the [`Budget`] is dropped and counted, and its direction
//! stays closed from then on (a decoder with a hole must not pretend). Life-cycle facts have a limit of their own: beyond it
//! a new connection is not recorded at all, and counted; those of one that is recorded always pass.

use crate::bus::Sink;
use crate::capture::Door;
use crate::capture::observation::{Closed, Opened, TlsHandshake};
use crate::clock::Moment;
use crate::conn::{Authority, ConnId, Direction};
use crate::rewrite::{self, Edit};
use bytes::Bytes;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};

/// Bookkeeping cost of one queued message beside its payload, bytes.
const MESSAGE_COST: usize = 128;

/// Most life-cycle facts that wait, beside a few of each connection that is open already.
pub(super) const MAX_FACTS: usize = if cfg!(test) { 64 } else { 32 << 10 };

/// What a connection tells the tap.
#[derive(Debug)]
pub enum Message {
    /// The connection exists.
    Opened(Box<Opened>),
    /// A TLS handshake ended, well or not.
    Tls(ConnId, Box<TlsHandshake>),
    /// A copy of relayed bytes.
    Bytes {
        /// Whose.
        conn: ConnId,
        /// Which way.
        direction: Direction,
        /// When they were read.
        at: Moment,
        /// The bytes.
        bytes: Bytes,
    },
    /// Header fields were passed on with other values than the bytes say, which are always the sender's.
    Edited(ConnId, Vec<Edit>),
    /// From here on no header field is edited any more.
    Unedited {
        /// Whose.
        conn: ConnId,
        /// When.
        at: Moment,
        /// Why, and where.
        error: rewrite::Error,
    },
    /// What the bytes of the exchange that follows do not tell, because they come from another record than the wire.
    Unknown(ConnId, Box<Unknown>),
    /// What goes to the client from here on is the proxy's own answer.
    Answered(ConnId),
    /// Bytes were relayed that the tap did not get; the direction is opaque from here on.
    Lost {
        /// Whose.
        conn: ConnId,
        /// Which way.
        direction: Direction,
        /// When the first was lost.
        at: Moment,
    },
    /// A direction has ended.
    Ended {
        /// Whose.
        conn: ConnId,
        /// Which way.
        direction: Direction,
        /// When.
        at: Moment,
    },
    /// The connection is over; the last message about it. Bytes lost per direction (`c2s`, `s2c`).
    Closed(ConnId, Box<Closed>, [u64; 2]),
    /// What holds for all connections from here on; those under way live on.
    Change(Box<Change>),
    /// What a person writes down about this moment.
    Note(Moment, Box<str>),
}

/// What the record of an exchange leaves out: nothing may be concluded from its absence.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Unknown {
    /// The request's header fields.
    pub request_head: bool,
    /// The response's header fields, or those of the handshake.
    pub response_head: bool,
    /// The request's content, of so many bytes.
    pub request_bytes: Option<u64>,
    /// The response's content, of so many bytes.
    pub response_bytes: Option<u64>,
    /// Why there was no response, in the words of whoever made the record.
    pub failure: Option<String>,
}

/// Other rules for what is recorded.
pub struct Change {
    /// Redacts from here on.
    pub door: Door,
    /// The servers that the proxy fronts.
    pub fronted: Vec<Authority>,
    /// In the place of all sinks.
    pub sinks: Vec<Sink>,
}

impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Change").field("fronted", &self.fronted).field("sinks", &self.sinks).finish_non_exhaustive()
    }
}

impl Message {
    /// What it takes of the budget, if it does.
    pub(super) fn payload_bytes(&self) -> Option<usize> {
        match self {
            Self::Bytes { bytes, .. } => Some(bytes.len()),
            Self::Edited(_, edits) => Some(edits.iter().map(Edit::bytes).sum()),
            _ => None,
        }
    }

    /// When it was, if it says.
    pub(super) fn at(&self) -> Option<Moment> {
        match self {
            Self::Opened(opened) => Some(opened.at),
            Self::Tls(_, handshake) => Some(handshake.at),
            Self::Bytes { at, .. } | Self::Unedited { at, .. } | Self::Lost { at, .. } | Self::Ended { at, .. } => {
                Some(*at)
            }
            Self::Edited(..) | Self::Unknown(..) | Self::Answered(_) => None,
            Self::Closed(_, closed, _) => Some(closed.at),
            Self::Note(at, _) => Some(*at),
            Self::Change(_) => None,
        }
    }
}

/// The queue's limit in bytes, shared by all feeds and the tap.
#[derive(Debug)]
pub struct Budget {
    used: AtomicUsize,
    limit: usize,
    /// Life-cycle facts queued.
    facts: AtomicUsize,
    /// Connections that are not recorded and that nobody has told.
    unrecorded: AtomicU64,
}

impl Budget {
    fn new(limit: usize) -> Self {
        Self { used: AtomicUsize::new(0), limit, facts: AtomicUsize::new(0), unrecorded: AtomicU64::new(0) }
    }

    /// The connections that were not recorded since this was asked last, as too many facts waited.
    pub(super) fn take_unrecorded(&self) -> u64 {
        self.unrecorded.swap(0, Ordering::Relaxed)
    }

    /// Gives back what a message took that was made by a feed.
    pub(super) fn settle(&self, payload_bytes: Option<usize>) {
        match payload_bytes {
            Some(bytes) => self.give_back(bytes),
            None => drop(self.facts.fetch_sub(1, Ordering::Relaxed)),
        }
    }

    fn take(&self, bytes: usize) -> bool {
        let cost = bytes + MESSAGE_COST;
        if self.used.fetch_add(cost, Ordering::Relaxed) + cost > self.limit {
            self.used.fetch_sub(cost, Ordering::Relaxed);
            return false;
        }
        true
    }

    /// Gives back what a message of `bytes` payload took.
    fn give_back(&self, bytes: usize) {
        self.used.fetch_sub(bytes + MESSAGE_COST, Ordering::Relaxed);
    }

    /// The most that may be queued, bytes.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// Bytes queued now.
    #[must_use]
    pub fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }
}

/// Makes feeds; one a program.
#[derive(Clone, Debug)]
pub struct Intake {
    sender: Option<Sender<Message>>,
    /// Whether connections that begin now are listened to.
    open: Arc<AtomicBool>,
    budget: Arc<Budget>,
}

impl Intake {
    /// A queue of at most `limit_bytes` payload.
    #[must_use]
    pub fn new(limit_bytes: usize) -> (Self, Receiver<Message>, Arc<Budget>) {
        let (sender, receiver) = mpsc::channel();
        let budget = Arc::new(Budget::new(limit_bytes));
        let open = Arc::new(AtomicBool::new(true));
        (Self { sender: Some(sender), open, budget: Arc::clone(&budget) }, receiver, budget)
    }

    /// An intake that takes nothing: the relay copies nothing for it.
    #[must_use]
    pub fn off() -> Self {
        let open = Arc::new(AtomicBool::new(false));
        Self { sender: None, open, budget: Arc::new(Budget::new(0)) }
    }

    /// Whether anybody will look at connections that begin from now on. One that began unseen stays so: a decoder with a
    /// hole must not pretend.
    pub fn listen(&self, attention: Attention) {
        self.open.store(attention == Attention::Pay, Ordering::Relaxed);
    }

    /// Changes what is recorded, behind all that was fed so far.
    pub fn change(&self, change: Change) {
        if let Some(sender) = &self.sender {
            // The tap is gone only if the program is ending.
            let _ = sender.send(Message::Change(Box::new(change)));
        }
    }

    /// Records what a person writes down about this moment, behind all that was fed so far.
    pub fn note(&self, at: Moment, text: &str) {
        if let Some(sender) = &self.sender {
            self.budget.facts.fetch_add(1, Ordering::Relaxed);
            let _ = sender.send(Message::Note(at, text.into()));
        }
    }

    /// The limit that all feeds share.
    #[must_use]
    pub fn budget(&self) -> Arc<Budget> {
        Arc::clone(&self.budget)
    }

    /// The feed of one connection.
    #[must_use]
    pub fn feed(&self, conn: ConnId) -> Feed {
        let sender = self.sender.clone().filter(|_| self.open.load(Ordering::Relaxed));
        Feed { conn, sender, budget: Arc::clone(&self.budget), opaque: [false; 2], lost: [0; 2] }
    }
}

/// Whether connections are listened to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Attention {
    /// They are.
    Pay,
    /// They are not: the relay copies nothing for them.
    Spare,
}

/// One connection's way into the tap. Never blocks, never fails.
#[derive(Debug)]
pub struct Feed {
    conn: ConnId,
    sender: Option<Sender<Message>>,
    budget: Arc<Budget>,
    /// Directions with a hole.
    opaque: [bool; 2],
    lost: [u64; 2],
}

impl Feed {
    /// Whether anybody listens: if not, no copy need be made.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.sender.is_some()
    }

    /// The connection exists. First call, once. Where too much waits already, nothing of it is recorded.
    pub fn opened(&mut self, opened: Opened) {
        if self.is_on() && self.budget.facts.load(Ordering::Relaxed) >= MAX_FACTS {
            self.sender = None;
            self.budget.unrecorded.fetch_add(1, Ordering::Relaxed);
        }
        self.send(Message::Opened(Box::new(opened)));
    }

    /// A TLS handshake ended.
    pub fn tls(&self, handshake: TlsHandshake) {
        self.send(Message::Tls(self.conn, Box::new(handshake)));
    }

    /// Header fields of what is read from `direction`'s sender are passed on with other values. Call before
    /// [`bytes`](Self::bytes).
    pub fn edited(&mut self, direction: Direction, at: Moment, edits: Vec<Edit>) {
        if !edits.is_empty() {
            self.offer(direction, at, Message::Edited(self.conn, edits));
        }
    }

    /// No header field is edited from here on.
    pub fn unedited(&self, at: Moment, error: rewrite::Error) {
        self.send(Message::Unedited { conn: self.conn, at, error });
    }

    /// What is sent to the client from here on is the proxy's own answer. Call before [`bytes`](Self::bytes).
    pub fn answered(&self) {
        self.send(Message::Answered(self.conn));
    }

    /// Bytes were read from `direction`'s sender. Call before writing them on, or answers overtake their requests.
    pub fn bytes(&mut self, direction: Direction, at: Moment, bytes: Bytes) {
        let (conn, len) = (self.conn, bytes.len());
        if self.is_on() && !self.offer(direction, at, Message::Bytes { conn, direction, at, bytes }) {
            let [c2s, s2c] = &mut self.lost;
            *(if direction == Direction::C2s { c2s } else { s2c }) += len as u64;
        }
    }

    /// A direction has ended.
    pub fn ended(&self, direction: Direction, at: Moment) {
        self.send(Message::Ended { conn: self.conn, direction, at });
    }

    /// The connection is over. Last call, once.
    pub fn closed(self, closed: Closed) {
        self.send(Message::Closed(self.conn, Box::new(closed), self.lost));
    }

    /// Sends what takes of the budget, if there is room and no hole in that direction; a message without room makes one.
    fn offer(&mut self, direction: Direction, at: Moment, message: Message) -> bool {
        let [c2s, s2c] = &mut self.opaque;
        let opaque = if direction == Direction::C2s { c2s } else { s2c };
        if *opaque {
            return false;
        }
        if self.budget.take(message.payload_bytes().unwrap_or_default()) {
            self.send(message);
            return true;
        }
        *opaque = true;
        self.send(Message::Lost { conn: self.conn, direction, at });
        false
    }

    fn send(&self, message: Message) {
        if let Some(sender) = &self.sender {
            if message.payload_bytes().is_none() {
                self.budget.facts.fetch_add(1, Ordering::Relaxed);
            }
            // The tap outlives every feed; if it is gone the program is ending and nobody reads any more.
            let _ = sender.send(message);
        }
    }
}
