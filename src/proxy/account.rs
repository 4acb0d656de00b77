//! One connection's account to the tap: exactly one `opened` first, exactly one `closed` last, whatever happens.
//!
//! Counts bytes both ways and hands copies to the [`Feed`]. If the connection's task is dropped before it has closed its
//! account, dropping the account closes it.

use crate::capture::observation::{Closed, End, How, Opened, TlsHandshake};
use crate::clock;
use crate::conn::{Authority, Direction};
use crate::rewrite::{self, Edit};
use crate::tap::Feed;
use bytes::Bytes;
use std::net::SocketAddr;

/// How a connection ended, without the numbers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Ending {
    pub(crate) by: End,
    pub(crate) how: How,
    pub(crate) unclean: bool,
    pub(crate) why: Option<String>,
}

impl Ending {
    pub(crate) fn new(by: End, how: How, why: impl Into<String>) -> Self {
        Self { by, how, unclean: false, why: Some(why.into()) }
    }
}

/// What the tap learns of one connection.
pub(crate) struct Account {
    feed: Option<Feed>,
    /// Known facts, until they are sent.
    opened: Option<Opened>,
    c2s_bytes: u64,
    s2c_bytes: u64,
}

impl Account {
    pub(crate) fn new(feed: Feed, opened: Opened) -> Self {
        Self { feed: Some(feed), opened: Some(opened), c2s_bytes: 0, s2c_bytes: 0 }
    }

    /// The browser is behind a balancer, at this address. Before [`Account::open`].
    pub(crate) fn came_from(&mut self, client: SocketAddr) {
        if let Some(opened) = &mut self.opened {
            opened.peers.client = client;
        }
    }

    /// The client named the server it wants. Before [`Account::open`].
    pub(crate) fn named(&mut self, sni: Option<String>) {
        if let Some(opened) = &mut self.opened {
            opened.sni = sni;
        }
    }

    /// It is known which server that is. Before [`Account::open`].
    pub(crate) fn routed(&mut self, server: &Authority) {
        if let Some(opened) = &mut self.opened {
            opened.peers.server = server.clone();
        }
    }

    /// The upstream was dialled. Before [`Account::open`].
    pub(crate) fn dialled(&mut self, address: Option<SocketAddr>, connect_us: Option<u64>) {
        if let Some(opened) = &mut self.opened {
            opened.upstream = address;
            opened.connect_us = connect_us;
        }
    }

    /// All is known that will be: tells the tap, once.
    pub(crate) fn open(&mut self) {
        if let (Some(feed), Some(opened)) = (&mut self.feed, self.opened.take()) {
            feed.opened(opened);
        }
    }

    /// A handshake ended.
    pub(crate) fn tls(&mut self, handshake: TlsHandshake) {
        self.open();
        if let Some(feed) = &self.feed {
            feed.tls(handshake);
        }
    }

    /// Header fields of what is read in this direction are passed on with other values. Before [`Account::relayed`].
    pub(crate) fn edited(&mut self, direction: Direction, edits: Vec<Edit>) {
        if let Some(feed) = self.feed.as_mut().filter(|feed| feed.is_on()) {
            feed.edited(direction, clock::now(), edits);
        }
    }

    /// No header field is edited from here on.
    pub(crate) fn unedited(&mut self, error: rewrite::Error) {
        if let Some(feed) = &self.feed {
            feed.unedited(clock::now(), error);
        }
    }

    /// What is sent to the client from here on is the proxy's own answer. Before [`Account::relayed`].
    pub(crate) fn answered(&mut self) {
        if let Some(feed) = &mut self.feed {
            feed.answered();
        }
    }

    /// Bytes were read and are about to be written on. Returns the copy, if the tap took one.
    pub(crate) fn relayed(&mut self, direction: Direction, bytes: &[u8]) -> Option<Bytes> {
        *match direction {
            Direction::C2s => &mut self.c2s_bytes,
            Direction::S2c => &mut self.s2c_bytes,
        } += bytes.len() as u64;
        let feed = self.feed.as_mut().filter(|feed| feed.is_on())?;
        let copy = Bytes::copy_from_slice(bytes);
        feed.bytes(direction, clock::now(), copy.clone());
        Some(copy)
    }

    /// A direction has ended.
    pub(crate) fn ended(&self, direction: Direction) {
        if let Some(feed) = &self.feed {
            feed.ended(direction, clock::now());
        }
    }

    /// The connection is over.
    pub(crate) fn close(mut self, ending: Ending) {
        self.settle(ending);
    }

    fn settle(&mut self, ending: Ending) {
        self.open();
        let Some(feed) = self.feed.take() else { return };
        let Ending { by, how, unclean, why } = ending;
        let (c2s_bytes, s2c_bytes) = (self.c2s_bytes, self.s2c_bytes);
        feed.closed(Closed { at: clock::now(), by, how, unclean, c2s_bytes, s2c_bytes, why });
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        if self.feed.is_some() {
            self.settle(Ending::new(End::Proxy, How::Error, "the proxy dropped the connection"));
        }
    }
}
