//! What stands between reading and writing on one connection: nothing, or a [`Rewriter`] until it has nothing more to do.
//!
//! The tap gets the bytes as they were read, with the edits before them.

use super::account::Account;
use crate::conn::Direction;
use crate::rewrite::Rewriter;
use bytes::Bytes;

/// Which connections have their headers rewritten.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Rewriting {
    /// Those whose browser does not ask for a fronted server by its name (SNI).
    #[default]
    Auto,
    /// All.
    Always,
    /// None.
    Never,
}

impl Rewriting {
    /// Each, as [`as_str`](Self::as_str) writes it.
    pub const ALL: [Self; 3] = [Self::Auto, Self::Always, Self::Never];

    /// `auto`, `always` or `never`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Always => "always",
            Self::Never => "never",
        }
    }
}

/// A rewriter, while it is needed.
#[derive(Default)]
pub(crate) struct Filter(Option<Box<Rewriter>>);

impl Filter {
    /// What `rewriter` does; nothing without one.
    pub(crate) fn new(rewriter: Option<Rewriter>) -> Self {
        Self(rewriter.map(Box::new))
    }

    /// Takes bytes that were read, and tells the account of them; what to write comes from [`take`](Self::take). False if
    /// there is nothing to do for a filter: then they are still the caller's.
    pub(crate) fn feed(&mut self, direction: Direction, read: &[u8], account: &mut Account) -> bool {
        let Some(rewriter) = &mut self.0 else { return false };
        rewriter.feed(direction, Bytes::copy_from_slice(read));
        account.edited(direction, rewriter.edits());
        account.relayed(direction, read);
        if let Some(error) = rewriter.error() {
            account.unedited(error);
        }
        true
    }

    /// That direction has ended: what is held of it may be taken.
    pub(crate) fn end(&mut self, direction: Direction) {
        if let Some(rewriter) = &mut self.0 {
            rewriter.end(direction);
        }
    }

    /// What is to be written; empty for nothing.
    pub(crate) fn take(&mut self, direction: Direction) -> Bytes {
        let Some(rewriter) = &mut self.0 else { return Bytes::new() };
        let bytes = rewriter.take(direction);
        if rewriter.is_over() {
            self.0 = None;
        }
        bytes
    }

    /// Whether there is something to write.
    pub(crate) fn has(&self, direction: Direction) -> bool {
        self.0.as_ref().is_some_and(|rewriter| rewriter.has(direction))
    }
}
