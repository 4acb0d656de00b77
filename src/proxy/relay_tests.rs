//! The relay over streams that trickle, write short, hold back until flushed, and break in every place.

use super::*;
use crate::capture::observation::{Closed, Opened};
use crate::conn::{Authority, ConnId, Kind, Peers};
use crate::tap::Intake;
use crate::tap::feed::Message;
use proptest::prelude::*;
use std::collections::VecDeque;
use std::sync::mpsc::Receiver;

/// What a scripted stream does when it is read.
#[derive(Clone, Debug)]
enum Step {
    Data(Vec<u8>),
    /// Not ready, but soon.
    Later,
    Fails(io::ErrorKind),
    /// Nothing more, and no end.
    Silence,
}

/// One side: reads by script; takes a few bytes a write and keeps them back until it is flushed.
struct Scripted {
    steps: VecDeque<Step>,
    write_max: usize,
    /// Every how many writes one is not taken.
    stall_every: usize,
    writes: usize,
    fail_write: Option<io::ErrorKind>,
    held: Vec<u8>,
    flush_stalls: bool,
    out: Vec<u8>,
    end: Option<&'static str>,
    aborted: bool,
    /// Hears the tap while it is written to.
    tap: Option<Receiver<Message>>,
    heard_bytes: usize,
}

impl Scripted {
    fn new(steps: impl IntoIterator<Item = Step>) -> Self {
        Self {
            steps: steps.into_iter().collect(),
            write_max: usize::MAX,
            stall_every: usize::MAX,
            writes: 0,
            fail_write: None,
            held: Vec::new(),
            flush_stalls: false,
            out: Vec::new(),
            end: None,
            aborted: false,
            tap: None,
            heard_bytes: 0,
        }
    }
}

fn later<T>(cx: &mut Context<'_>) -> Poll<T> {
    cx.waker().wake_by_ref();
    Poll::Pending
}

impl AsyncRead for &mut Scripted {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.steps.pop_front() {
            Some(Step::Data(mut bytes)) => {
                let rest = bytes.split_off(bytes.len().min(buf.remaining()));
                buf.put_slice(&bytes);
                if !rest.is_empty() {
                    self.steps.push_front(Step::Data(rest));
                }
                Poll::Ready(Ok(()))
            }
            Some(Step::Later) => later(cx),
            Some(Step::Fails(kind)) => Poll::Ready(Err(kind.into())),
            Some(Step::Silence) => {
                self.steps.push_front(Step::Silence);
                Poll::Pending
            }
            None => Poll::Ready(Ok(())),
        }
    }
}

impl AsyncWrite for &mut Scripted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        assert!(self.end.is_none(), "written to after its end");
        if let Some(kind) = self.fail_write {
            return Poll::Ready(Err(kind.into()));
        }
        if let Some(tap) = &self.tap {
            let sizes =
                tap.try_iter().map(|message| if let Message::Bytes { bytes, .. } = message { bytes.len() } else { 0 });
            self.heard_bytes += sizes.sum::<usize>();
            assert!(
                self.heard_bytes >= self.out.len() + self.held.len() + buf.len(),
                "written before the tap heard of it"
            );
        }
        self.writes += 1;
        if self.writes.is_multiple_of(self.stall_every) {
            return later(cx);
        }
        let taken = buf.len().min(self.write_max);
        self.held.extend_from_slice(&buf[..taken]);
        assert!(self.held.len() <= SCRATCH_BYTES, "more is held back than one read");
        Poll::Ready(Ok(taken))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.flush_stalls = !self.flush_stalls && self.stall_every != usize::MAX;
        if self.flush_stalls {
            return later(cx);
        }
        let held = std::mem::take(&mut self.held);
        self.out.extend(held);
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        assert!(self.held.is_empty(), "ended before it was flushed");
        if let Some(kind) = self.fail_write {
            return Poll::Ready(Err(kind.into()));
        }
        self.end = Some("clean");
        Poll::Ready(Ok(()))
    }
}

impl Side for &mut Scripted {
    fn owes(&self) -> bool {
        !self.held.is_empty()
    }

    fn poll_fin(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        assert!(self.held.is_empty(), "ended before it was flushed");
        self.end = Some("bare");
        Poll::Ready(Ok(()))
    }

    fn abort(&mut self) {
        self.aborted = true;
    }
}

fn opened() -> Opened {
    let anywhere = "127.0.0.1:1".parse().unwrap();
    let server = Authority { host: "f".into(), port: 1 };
    Opened {
        peers: Peers { conn: ConnId(1), client: anywhere, server },
        at: crate::clock::now(),
        listener: anywhere,
        sni: None,
        upstream: None,
        connect_us: None,
        kind: Kind::Https,
    }
}

/// The tap's copy and the account's last line.
fn heard(messages: &Receiver<Message>) -> ([Vec<u8>; 2], Vec<Direction>, Closed) {
    let (mut copies, mut ended, mut closed) = ([Vec::new(), Vec::new()], Vec::new(), None);
    for message in messages.try_iter() {
        match message {
            Message::Bytes { direction: Direction::C2s, bytes, .. } => copies[0].extend_from_slice(&bytes),
            Message::Bytes { direction: Direction::S2c, bytes, .. } => copies[1].extend_from_slice(&bytes),
            Message::Ended { direction, .. } => ended.push(direction),
            Message::Closed(_, last, _) => assert!(closed.replace(*last).is_none(), "closed twice"),
            Message::Opened(_) => assert!(closed.is_none()),
            other => panic!("unexpected {other:?}"),
        }
    }
    (copies, ended, closed.expect("never closed"))
}

/// Relays until the end; what the tap heard.
fn run(client: &mut Scripted, upstream: &mut Scripted) -> ([Vec<u8>; 2], Vec<Direction>, Closed) {
    let (intake, messages, _) = Intake::new(usize::MAX >> 1);
    let mut account = Account::new(intake.feed(ConnId(1)), opened());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let ending = runtime.block_on(Duplex::new(client, upstream, Filter::default(), &mut account));
    account.close(ending);
    heard(&messages)
}

fn data(text: &str) -> Step {
    Step::Data(text.as_bytes().to_vec())
}

fn side() -> impl Strategy<Value = (Vec<Step>, usize, usize)> {
    let step = prop_oneof![
        3 => proptest::collection::vec(any::<u8>(), 1..300).prop_map(Step::Data),
        1 => (60_000_usize..200_000, any::<u8>()).prop_map(|(len, byte)| Step::Data(vec![byte; len])),
        2 => Just(Step::Later),
    ];
    (proptest::collection::vec(step, 0..12), prop_oneof![Just(usize::MAX), 1_usize..5_000], 2_usize..6)
}

fn sent(steps: &[Step]) -> Vec<u8> {
    let data = |step: &Step| if let Step::Data(bytes) = step { bytes.clone() } else { Vec::new() };
    steps.iter().flat_map(data).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// However reads are cut, writes are short and flushes late: what went in comes out, and the copy is the same.
    #[test]
    fn what_goes_in_comes_out((c_steps, c_max, c_stall) in side(), (u_steps, u_max, u_stall) in side()) {
        let (c2s, s2c) = (sent(&c_steps), sent(&u_steps));
        let mut client = Scripted { write_max: c_max, stall_every: c_stall, ..Scripted::new(c_steps) };
        let mut upstream = Scripted { write_max: u_max, stall_every: u_stall, ..Scripted::new(u_steps) };
        let (copies, ended, closed) = run(&mut client, &mut upstream);
        prop_assert!(upstream.out == c2s && client.out == s2c);
        prop_assert!(copies == [c2s, s2c]);
        prop_assert_eq!((client.end, upstream.end), (Some("clean"), Some("clean")));
        prop_assert_eq!((ended.len(), closed.how, closed.unclean), (2, How::Fin, false));
        prop_assert!(!client.aborted && !upstream.aborted);
    }

    /// The same without a tap: nothing but the leftover is copied, and it is the right one.
    #[test]
    fn the_fast_path_relays_the_same((steps, max, stall) in side()) {
        let c2s = sent(&steps);
        let mut client = Scripted::new(steps);
        let mut upstream = Scripted { write_max: max, stall_every: stall, ..Scripted::new([]) };
        let mut account = Account::new(Intake::off().feed(ConnId(1)), opened());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(Duplex::new(&mut client, &mut upstream, Filter::default(), &mut account));
        prop_assert!(upstream.out == c2s);
    }
}

#[test]
fn what_is_held_back_is_flushed_when_the_read_would_block() {
    let mut client = Scripted::new([data("request"), Step::Silence]);
    let mut upstream = Scripted::new([Step::Silence]);
    let mut account = Account::new(Intake::off().feed(ConnId(1)), opened());
    let mut duplex = Duplex::new(&mut client, &mut upstream, Filter::default(), &mut account);
    let mut cx = Context::from_waker(std::task::Waker::noop());
    assert_eq!(Pin::new(&mut duplex).poll(&mut cx), Poll::Pending);
    drop(duplex);
    assert_eq!(upstream.out, b"request");
}

#[test]
fn what_reading_makes_a_side_say_is_flushed() {
    // TLS answers a key update while it is read; nobody writes to that side.
    let mut client = Scripted::new([Step::Silence]);
    let mut upstream = Scripted::new([Step::Silence]);
    (client.held, upstream.held) = (b"to the client".to_vec(), b"to the server".to_vec());
    let mut account = Account::new(Intake::off().feed(ConnId(1)), opened());
    let mut duplex = Duplex::new(&mut client, &mut upstream, Filter::default(), &mut account);
    let mut cx = Context::from_waker(std::task::Waker::noop());
    assert_eq!(Pin::new(&mut duplex).poll(&mut cx), Poll::Pending);
    drop(duplex);
    assert_eq!((&client.out[..], &upstream.out[..]), (&b"to the client"[..], &b"to the server"[..]));
}

/// Or an answer could overtake its request on the way to the decoders.
#[test]
fn the_tap_hears_of_bytes_before_they_are_written() {
    let (intake, messages, _) = Intake::new(1 << 20);
    let mut client = Scripted::new([data("one"), Step::Later, data("two"), data("three")]);
    let mut upstream = Scripted { tap: Some(messages), write_max: 2, ..Scripted::new([]) };
    let mut account = Account::new(intake.feed(ConnId(1)), opened());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(Duplex::new(&mut client, &mut upstream, Filter::default(), &mut account));
    assert_eq!((&upstream.out[..], upstream.heard_bytes), (&b"onetwothree"[..], 11));
}

#[test]
fn one_direction_lives_on_after_the_other() {
    let mut client = Scripted::new([data("request")]);
    let mut upstream = Scripted::new([Step::Later, Step::Later, data("late"), Step::Later, data("r")]);
    let (_, ended, closed) = run(&mut client, &mut upstream);
    assert_eq!((&client.out[..], &upstream.out[..]), (&b"later"[..], &b"request"[..]));
    assert_eq!(ended, [Direction::C2s, Direction::S2c]);
    assert_eq!((closed.by, closed.how, closed.c2s_bytes, closed.s2c_bytes), (End::Client, How::Fin, 7, 5));
}

#[test]
fn an_end_without_close_notify_is_passed_on_without() {
    let mut client = Scripted::new([Step::Later, Step::Later]);
    let mut upstream = Scripted::new([data("cut"), Step::Fails(io::ErrorKind::UnexpectedEof)]);
    let (_, _, closed) = run(&mut client, &mut upstream);
    assert_eq!((client.end, upstream.end), (Some("bare"), Some("clean")));
    assert_eq!((closed.by, closed.how, closed.unclean), (End::Upstream, How::Fin, true));
}

#[test]
fn a_reset_resets_the_other_side_and_only_that() {
    let mut client = Scripted::new([data("x"), Step::Fails(io::ErrorKind::ConnectionReset)]);
    let mut upstream = Scripted::new([Step::Silence]);
    let (_, ended, closed) = run(&mut client, &mut upstream);
    assert_eq!(upstream.out, b"x");
    assert!(upstream.aborted && !client.aborted);
    assert_eq!((closed.by, closed.how, ended.len()), (End::Client, How::Rst, 2));
    assert_eq!((client.end, upstream.end), (None, None), "a reset is no end in order");
}

/// A server that answers early and then resets: the answer comes through though writing to it failed first.
#[test]
fn last_words_of_a_side_that_cannot_be_written_to() {
    let mut client = Scripted::new([Step::Later, data("a large request"), Step::Silence]);
    let mut upstream = Scripted::new([
        Step::Later,
        Step::Later,
        data("413 "),
        data("too large"),
        Step::Fails(io::ErrorKind::ConnectionReset),
    ]);
    upstream.fail_write = Some(io::ErrorKind::BrokenPipe);
    let (_, _, closed) = run(&mut client, &mut upstream);
    assert!(client.aborted);
    assert_eq!((closed.by, closed.how), (End::Upstream, How::Rst));

    let mut client = Scripted::new([data("a large request"), Step::Silence]);
    let mut upstream = Scripted::new([data("413 "), data("too large"), Step::Silence]);
    upstream.fail_write = Some(io::ErrorKind::BrokenPipe);
    let (_, _, closed) = run(&mut client, &mut upstream);
    assert_eq!(client.out, b"413 too large");
    assert_eq!((closed.by, closed.how), (End::Upstream, How::Rst));
}

/// A server that answers and closes is gone when its client says goodbye.
#[test]
fn an_end_that_cannot_be_told_is_no_fault() {
    let mut client = Scripted::new([Step::Later, Step::Later, Step::Later]);
    let mut upstream = Scripted::new([data("answer")]);
    upstream.fail_write = Some(io::ErrorKind::BrokenPipe);
    let (_, _, closed) = run(&mut client, &mut upstream);
    assert_eq!((&client.out[..], client.end, client.aborted), (&b"answer"[..], Some("clean"), false));
    assert_eq!((closed.by, closed.how, closed.why), (End::Upstream, How::Fin, None));
}

#[test]
fn a_reset_after_an_end_is_told_but_changes_not_who_ended_it() {
    let mut client = Scripted::new([data("GET")]);
    let mut upstream = Scripted::new([Step::Later, data("half"), Step::Fails(io::ErrorKind::ConnectionReset)]);
    let (_, _, closed) = run(&mut client, &mut upstream);
    assert_eq!((closed.by, closed.how), (End::Client, How::Fin));
    assert_eq!(closed.why.as_deref(), Some("afterwards the upstream reset the connection"));
    assert!(client.aborted);
}

#[test]
fn an_account_that_is_dropped_is_closed() {
    let (intake, messages, _) = Intake::new(1 << 20);
    let mut account = Account::new(intake.feed(ConnId(1)), opened());
    account.relayed(Direction::C2s, b"abc");
    drop(account);
    let (_, _, closed) = heard(&messages);
    assert_eq!((closed.by, closed.how, closed.c2s_bytes), (End::Proxy, How::Error, 3));
}

/// A stream that never blocks must not keep its worker to itself.
#[test]
fn a_busy_direction_yields() {
    let mut client = Scripted::new([Step::Data(vec![7; 4 * BUDGET_BYTES])]);
    let mut upstream = Scripted::new([Step::Silence]);
    let mut account = Account::new(Intake::off().feed(ConnId(1)), opened());
    let mut duplex = Duplex::new(&mut client, &mut upstream, Filter::default(), &mut account);
    let mut cx = Context::from_waker(std::task::Waker::noop());
    assert_eq!(Pin::new(&mut duplex).poll(&mut cx), Poll::Pending);
    drop(duplex);
    assert!((1..=BUDGET_BYTES).contains(&upstream.out.len()), "{} bytes in one go", upstream.out.len());
}
