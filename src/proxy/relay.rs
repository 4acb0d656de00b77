//! Two streams become one: what is read from either is written to the other, byte for byte, and so are their endings.
//!
//! One future owns both streams. Each [`Flow`] reads only when everything before has reached the other's socket, so no
//! more than [`SCRATCH_BYTES`] a direction is ever held and an idle connection holds nothing. A clean end becomes a clean
//! end, a FIN without close_notify the same, a reset a reset; the other direction lives on where TCP lets it.
//! Knows no protocol, sets no time limit, and never waits for the tap. Where a [`Filter`] is installed, what is written is
//! what it gives for what was read.

use super::account::{Account, Ending};
use super::filter::Filter;
use crate::capture::observation::{End, How};
use crate::conn::Direction;
use crate::tls;
use bytes::{Buf as _, Bytes};
use socket2::SockRef;
use std::cell::RefCell;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Read at once, and held at most, per direction.
pub(crate) const SCRATCH_BYTES: usize = 64 * 1024;

/// A direction that has moved this much lets other connections run.
const BUDGET_BYTES: usize = 8 * SCRATCH_BYTES;

thread_local! {
    /// One read buffer a worker thread: lent for the length of one read and write.
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; SCRATCH_BYTES].into_boxed_slice());
}

/// A stream that can end in every way TCP and TLS know.
pub(crate) trait Side: AsyncRead + AsyncWrite + Unpin {
    /// Bytes were accepted that the socket has not taken yet.
    fn owes(&self) -> bool;

    /// Ends the write half without a close_notify: FIN alone.
    fn poll_fin(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Dropping the stream will reset the connection.
    fn abort(&mut self);
}

impl Side for TcpStream {
    fn owes(&self) -> bool {
        false
    }

    fn poll_fin(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self).poll_shutdown(cx)
    }

    fn abort(&mut self) {
        linger_not(self);
    }
}

impl Side for tokio_rustls::server::TlsStream<TcpStream> {
    fn owes(&self) -> bool {
        self.get_ref().1.wants_write()
    }

    fn poll_fin(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut *self).poll_flush(cx))?;
        Pin::new(self.get_mut().0).poll_shutdown(cx)
    }

    fn abort(&mut self) {
        linger_not(self.get_ref().0);
    }
}

impl Side for tokio_rustls::client::TlsStream<TcpStream> {
    fn owes(&self) -> bool {
        self.get_ref().1.wants_write()
    }

    fn poll_fin(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut *self).poll_flush(cx))?;
        Pin::new(self.get_mut().0).poll_shutdown(cx)
    }

    fn abort(&mut self) {
        linger_not(self.get_ref().0);
    }
}

/// Relays until both directions are over; then says how the connection ended.
pub(crate) struct Duplex<'a, C, U> {
    client: C,
    upstream: U,
    c2s: Flow,
    s2c: Flow,
    filter: Filter,
    account: &'a mut Account,
    /// What ended the connection first.
    ending: Option<Ending>,
    /// The side that was reset: the other will be.
    reset_by: Option<End>,
}

impl<'a, C: Side, U: Side> Duplex<'a, C, U> {
    pub(crate) fn new(client: C, upstream: U, filter: Filter, account: &'a mut Account) -> Self {
        let (c2s, s2c) = (Flow::new(Direction::C2s), Flow::new(Direction::S2c));
        Self { client, upstream, c2s, s2c, filter, account, ending: None, reset_by: None }
    }

    /// Takes note of a direction's end. What a fault of one direction means for both is decided here; true if there
    /// was one.
    fn note(&mut self, direction: Direction, outcome: Result<Rest, Fault>) -> (Rest, bool) {
        let source = source(direction);
        if let Some(unclean) = self.flow(direction).0.eof.take() {
            self.ended(Ending { by: source, how: How::Fin, unclean, why: None });
        }
        match outcome {
            Ok(rest) => (rest, false),
            Err(Fault::Reader(error)) => {
                // All that was read before has been written on: a flow reads only when nothing is owed.
                let next = if self.broken(source, &error) { State::Over } else { State::Ending { unclean: true } };
                if next != State::Over {
                    self.filter.end(direction);
                }
                self.turn(direction, next);
                self.turn(direction.opposite(), State::Over);
                (Rest::Spent, true)
            }
            Err(Fault::Writer(error)) => {
                // The dead side may have spoken before it died (a response, then a reset): hear it out.
                self.broken(self::source(direction.opposite()), &error);
                self.turn(direction, State::Over);
                self.turn(direction.opposite(), State::LastWords);
                (Rest::Spent, true)
            }
        }
    }

    fn turn(&mut self, direction: Direction, next: State) {
        let (flow, account) = self.flow(direction);
        flow.turn(next, account);
    }

    /// A side failed; true if so that the other is to be reset.
    fn broken(&mut self, by: End, error: &io::Error) -> bool {
        let (how, why) = diagnose(by, error);
        let reset = matches!(how, How::Rst | How::Timeout);
        if reset {
            self.reset_by.get_or_insert(by);
        }
        self.ended(Ending { by, how, unclean: how != How::Rst, why });
        reset
    }

    /// The first to end the connection is who ended it; trouble that follows is told in a sentence.
    fn ended(&mut self, next: Ending) {
        match &mut self.ending {
            None => self.ending = Some(next),
            Some(first) if next.how != How::Fin && first.why.is_none() && first.how != next.how => {
                let then = next.why.unwrap_or_else(|| format!("the {} reset the connection", next.by.as_str()));
                first.why = Some(format!("afterwards {then}"));
            }
            Some(_) => {}
        }
    }

    fn flow(&mut self, direction: Direction) -> (&mut Flow, &mut Account) {
        match direction {
            Direction::C2s => (&mut self.c2s, self.account),
            Direction::S2c => (&mut self.s2c, self.account),
        }
    }

    fn finish(&mut self) -> Ending {
        match self.reset_by {
            Some(End::Client) => self.upstream.abort(),
            Some(_) => self.client.abort(),
            None => {}
        }
        self.ending.take().unwrap_or_else(|| Ending::new(End::Proxy, How::Error, "both directions ended unseen"))
    }
}

impl<C: Side, U: Side> Future for Duplex<'_, C, U> {
    type Output = Ending;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Ending> {
        let this = self.get_mut();
        loop {
            let outcome = this.c2s.poll(cx, &mut this.client, &mut this.upstream, &mut this.filter, this.account);
            let (c2s, c2s_fault) = this.note(Direction::C2s, outcome);
            let outcome = this.s2c.poll(cx, &mut this.upstream, &mut this.client, &mut this.filter, this.account);
            let (s2c, s2c_fault) = this.note(Direction::S2c, outcome);
            if c2s_fault || s2c_fault {
                // A fault ends a direction and changes what the other may do: look again, at most once a direction.
                continue;
            }
            if this.c2s.waits_for(&this.filter) {
                // The answer has told what the client's bytes behind its request are.
                continue;
            }
            if this.c2s.state == State::Open && this.upstream.owes() {
                // Reading made it speak (TLS answers key updates by itself), after its writer had its turn. What goes
                // wrong here goes wrong again at the next read or write.
                let _ = Pin::new(&mut this.upstream).poll_flush(cx);
            }
            return match (c2s, s2c) {
                (Rest::Over, Rest::Over) => Poll::Ready(this.finish()),
                (Rest::Spent, _) | (_, Rest::Spent) => {
                    cx.waker().wake_by_ref();
                    Poll::Pending
                }
                _ => Poll::Pending,
            };
        }
    }
}

/// One direction.
struct Flow {
    direction: Direction,
    state: State,
    /// Read and copied to the tap, but not yet accepted by the writer.
    leftover: Bytes,
    /// The reader has just ended; true if without a close_notify.
    eof: Option<bool>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Open,
    /// The reader is dying: read what is there, wait for nothing.
    LastWords,
    /// The reader has ended; the writer is being told.
    Ending {
        unclean: bool,
    },
    Over,
}

/// Why a direction rests.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Rest {
    /// Reader or writer would block, and will wake us.
    Blocked,
    /// It had its share.
    Spent,
    Over,
}

/// Which stream failed.
#[derive(Debug)]
enum Fault {
    Reader(io::Error),
    Writer(io::Error),
}

impl Flow {
    fn new(direction: Direction) -> Self {
        Self { direction, state: State::Open, leftover: Bytes::new(), eof: None }
    }

    fn poll<R: Side, W: Side>(
        &mut self,
        cx: &mut Context<'_>,
        reader: &mut R,
        writer: &mut W,
        filter: &mut Filter,
        account: &mut Account,
    ) -> Result<Rest, Fault> {
        let mut moved = 0;
        while self.state != State::Over {
            match self.settle(cx, writer, filter) {
                Poll::Ready(settled) => settled.map_err(Fault::Writer)?,
                Poll::Pending => return Ok(Rest::Blocked),
            }
            if let State::Ending { unclean } = self.state {
                match tell_end(cx, writer, unclean) {
                    Poll::Ready(told) => told.map_err(Fault::Writer)?,
                    Poll::Pending => return Ok(Rest::Blocked),
                }
                self.state = State::Over;
                break;
            }
            if moved >= BUDGET_BYTES {
                return Ok(Rest::Spent);
            }
            let pumped = SCRATCH.with_borrow_mut(|scratch| self.pump(cx, reader, writer, filter, account, scratch));
            match pumped {
                Poll::Ready(bytes) => moved += bytes?,
                Poll::Pending if self.state == State::LastWords => {
                    filter.end(self.direction);
                    if !self.waits_for(filter) {
                        self.turn(State::Over, account);
                    }
                }
                Poll::Pending => return Ok(Rest::Blocked),
            }
        }
        Ok(Rest::Over)
    }

    /// Writes what is left over and flushes what the writer holds back.
    fn settle<W: Side>(&mut self, cx: &mut Context<'_>, writer: &mut W, filter: &mut Filter) -> Poll<io::Result<()>> {
        loop {
            if self.leftover.is_empty() {
                // An empty slice of a large buffer would keep the buffer.
                self.leftover = filter.take(self.direction);
            }
            if self.leftover.is_empty() {
                break;
            }
            match ready!(Pin::new(&mut *writer).poll_write(cx, &self.leftover))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                n => self.leftover.advance(n),
            }
        }
        if writer.owes() { Pin::new(writer).poll_flush(cx) } else { Poll::Ready(Ok(())) }
    }

    /// Reads once, tells the tap, writes once. Bytes read; 0 at the end, which is noted.
    fn pump<R: Side, W: Side>(
        &mut self,
        cx: &mut Context<'_>,
        reader: &mut R,
        writer: &mut W,
        filter: &mut Filter,
        account: &mut Account,
        scratch: &mut [u8],
    ) -> Poll<Result<usize, Fault>> {
        let mut buffer = ReadBuf::new(scratch);
        let unclean = match ready!(Pin::new(reader).poll_read(cx, &mut buffer)) {
            Ok(()) => false,
            // How rustls reports a FIN without a close_notify (RFC 8446 section 6.1).
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => true,
            Err(error) => return Poll::Ready(Err(Fault::Reader(error))),
        };
        let read = buffer.filled();
        if read.is_empty() || unclean {
            self.eof = Some(unclean);
            filter.end(self.direction);
            self.turn(State::Ending { unclean }, account);
            return Poll::Ready(Ok(0));
        }
        if filter.feed(self.direction, read, account) {
            return Poll::Ready(Ok(read.len()));
        }
        // The tap hears of it before the write, or an answer could overtake its request.
        let copy = account.relayed(self.direction, read);
        let written = match Pin::new(writer).poll_write(cx, read) {
            Poll::Ready(Ok(n)) => n,
            Poll::Ready(Err(error)) => return Poll::Ready(Err(Fault::Writer(error))),
            Poll::Pending => 0,
        };
        let rest = read.get(written..).unwrap_or_default();
        if !rest.is_empty() {
            self.leftover = copy.map_or_else(|| Bytes::copy_from_slice(rest), |copy| copy.slice(written..));
        }
        Poll::Ready(Ok(read.len()))
    }

    /// Whether there is something to write that only this direction can see to, and it can.
    fn waits_for(&self, filter: &Filter) -> bool {
        self.state != State::Over && self.leftover.is_empty() && filter.has(self.direction)
    }

    /// Moves on to a later state, and tells the tap when there is nothing more to come.
    fn turn(&mut self, next: State, account: &Account) {
        let reads = |state| matches!(state, State::Open | State::LastWords);
        let (before, after) = (reads(self.state), reads(next));
        if before && !after {
            account.ended(self.direction);
        }
        if before || !after && self.state != State::Over {
            self.state = next;
        }
        if next == State::Over {
            self.leftover = Bytes::new();
        }
    }
}

/// Passes an end on as it came. A writer that is gone needs not be told, and nothing is lost by it: a server that
/// answered and closed is often told of its client's end by a close_notify that hits a closed socket.
fn tell_end<W: Side>(cx: &mut Context<'_>, writer: &mut W, unclean: bool) -> Poll<io::Result<()>> {
    let told = if unclean { ready!(writer.poll_fin(cx)) } else { ready!(Pin::new(writer).poll_shutdown(cx)) };
    match told {
        Err(error) if error.kind() == io::ErrorKind::NotConnected || is_reset(&error) => Poll::Ready(Ok(())),
        told => Poll::Ready(told),
    }
}

/// Who sends in a direction.
fn source(direction: Direction) -> End {
    match direction {
        Direction::C2s => End::Client,
        Direction::S2c => End::Upstream,
    }
}

/// What an I/O error of one side means for the log.
fn diagnose(by: End, error: &io::Error) -> (How, Option<String>) {
    let who = by.as_str();
    if let Some(cause) = tls::cause(error) {
        let why = match cause {
            rustls::Error::AlertReceived(rustls::AlertDescription::CertificateRequired) => format!(
                "the {who} sent the TLS alert certificate_required: it wants a client certificate (--upstream-client-cert)"
            ),
            rustls::Error::AlertReceived(alert) => format!("the {who} sent the TLS alert {}", tls::alert_name(*alert)),
            other => format!("the {who} sent a TLS record that cannot be read: {other}"),
        };
        return (How::TlsAlert, Some(why));
    }
    match error.kind() {
        _ if is_reset(error) => (How::Rst, None),
        io::ErrorKind::TimedOut => (How::Timeout, Some(format!("the {who} no longer answers"))),
        _ => (How::Error, Some(format!("the {who} failed: {error}"))),
    }
}

/// The other end of the connection is gone.
pub(super) fn is_reset(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
    matches!(error.kind(), ConnectionReset | ConnectionAborted | BrokenPipe)
}

fn linger_not(tcp: &TcpStream) {
    if let Err(error) = SockRef::from(tcp).set_linger(Some(Duration::ZERO)) {
        tracing::debug!(%error, "a reset could not be passed on");
    }
}

#[cfg(test)]
#[path = "relay_tests.rs"]
mod tests;
