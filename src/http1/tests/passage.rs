//! A [`Passage`] that is fed what [`Http1`] is fed: nothing may be lost or added, and both must see the same heads.

use super::*;

/// A passage beside a run of [`Http1`].
pub(super) struct Companion {
    passage: Passage,
    fed: [Vec<u8>; 2],
    came: [Vec<u8>; 2],
    ended: [bool; 2],
    requests: Vec<RequestHead>,
    responses: Vec<(u64, ResponseHead)>,
    error: Option<Error>,
    limits: Limits,
}

impl Companion {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            passage: Passage::new(limits),
            fed: Default::default(),
            came: Default::default(),
            ended: [false; 2],
            requests: Vec::new(),
            responses: Vec::new(),
            error: None,
            limits,
        }
    }

    pub(super) fn feed(&mut self, direction: Direction, bytes: &[u8]) {
        if !self.ended[direction as usize] {
            self.fed[direction as usize].extend_from_slice(bytes);
            self.passage.feed(direction, Bytes::copy_from_slice(bytes));
            self.take();
        }
    }

    pub(super) fn end(&mut self, direction: Direction) {
        self.ended[direction as usize] = true;
        self.passage.end(direction);
        self.take();
        assert_eq!(self.held(direction), 0, "held back behind the end of {direction}");
    }

    /// Both saw the same heads, as far as [`Http1`] has told: exchanges that are not over are still to come.
    pub(super) fn agrees_with(mut self, outcome: &Outcome) {
        let exchanges: Vec<&Exchange> = outcome.exchanges.iter().chain(&outcome.upgrade).collect();
        for (request, exchange) in self.requests.iter().zip(&exchanges) {
            assert_eq!(*request, exchange.request);
        }
        for (exchange, response) in &self.responses {
            match exchanges.get(usize::try_from(*exchange).unwrap()) {
                Some(seen) if response.is_interim() => assert!(seen.interim.contains(&response.status)),
                Some(seen) => assert_eq!(seen.response.as_ref(), Some(response)),
                None => {}
            }
        }
        if self.ended == [false; 2] && self.error.is_none() {
            assert!(exchanges.len() <= self.requests.len());
            if self.passage.is_over() {
                // It passes everything on behind a 101. `Http1` tells the upgrade once its request is over, too: it may
                // still wait for that, or have met a fault in its body or too many bytes held meanwhile.
                let is_waiting = exchanges.len() < self.requests.len();
                assert!(outcome.upgrade.is_some() || outcome.error.is_some() || is_waiting);
            } else {
                assert_eq!((&outcome.upgrade, &outcome.error), (&None, &None));
            }
        }
        for direction in [Direction::C2s, Direction::S2c] {
            if !self.ended[direction as usize] {
                self.end(direction);
            }
        }
        assert!(self.came == self.fed, "what came is not what was fed");
    }

    fn held(&self, direction: Direction) -> usize {
        self.fed[direction as usize].len() - self.came[direction as usize].len()
    }

    fn take(&mut self) {
        while let Some((direction, piece)) = self.passage.next() {
            let bytes = match piece {
                Piece::Request { exchange, head, wire } => {
                    assert_eq!((direction, exchange), (Direction::C2s, self.requests.len() as u64));
                    assert_eq!(wire.len() as u64, head.head_bytes);
                    self.requests.push(head);
                    wire
                }
                Piece::Response { exchange, head, wire } => {
                    assert_eq!((direction, wire.len() as u64), (Direction::S2c, head.head_bytes));
                    self.responses.push((exchange, head));
                    wire
                }
                Piece::Rest(bytes) => bytes,
            };
            self.came[direction as usize].extend_from_slice(&bytes);
        }
        self.error = self.passage.error().or(self.error.take());
        for direction in [Direction::C2s, Direction::S2c] {
            let held = self.held(direction);
            let limit = self.limits.head_bytes.max(self.limits.early_bytes);
            assert!(held <= limit, "{held} bytes held");
            assert!(held == 0 || !self.passage.is_over(), "held back though nothing is looked at");
        }
    }
}

#[test]
fn what_is_no_head_passes_at_once() {
    let mut passage = Passage::new(Limits::default());
    let mut pass = |direction, text: &'static str| {
        passage.feed(direction, Bytes::from_static(text.as_bytes()));
        let mut out = Vec::new();
        while let Some((_, piece)) = passage.next() {
            out.extend(match piece {
                Piece::Request { wire, .. } | Piece::Response { wire, .. } => wire,
                Piece::Rest(bytes) => bytes,
            });
        }
        String::from_utf8(out).unwrap()
    };
    use Direction::{C2s, S2c};
    assert_eq!(pass(C2s, "PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n"), "");
    assert_eq!(pass(C2s, "\r\n5;x"), "PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5;x");
    for part in ["\r\nhe", "llo\r\n0\r\nTrai", "ler: 1\r\n\r\n", "\r\n\r\n"] {
        assert_eq!(pass(C2s, part), part);
    }
    for part in ["HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n", "until", "the", "end"] {
        assert_eq!(pass(S2c, part), part);
    }
}

#[test]
fn early_client_bytes_wait_for_the_answer_to_the_upgrade() {
    let run = |answer: &str, direction_of_next| {
        let mut companion = Companion::new(Limits::default());
        companion.feed(Direction::C2s, [WS, GET].concat().as_bytes());
        assert_eq!(companion.held(Direction::C2s), GET.len());
        companion.feed(Direction::S2c, answer.as_bytes());
        companion.feed(direction_of_next, b"more");
        (companion.held(Direction::C2s), companion.requests.len(), companion.passage.is_over())
    };
    assert_eq!(run(SWITCHING, Direction::C2s), (0, 1, true));
    assert_eq!(run(NO_CONTENT, Direction::C2s), (4, 2, false));
}

/// The answer to an upgrade may come before its request is over: everything passes from then on, while [`Http1`] reads on to
/// the request's end, where it may meet a fault or its limit.
#[test]
fn an_upgrade_may_be_answered_before_its_request_is_over() {
    let put = "PUT /p HTTP/1.1\r\nUpgrade: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    let faulty = play(&[c(put), s(SWITCHING), c("hello")]);
    assert_eq!(faulty.error.map(|error| error.why), Some("a chunk size that is not a hexadecimal number"));
    let waiting = play(&[c(put), s(SWITCHING), s("more")]);
    assert_eq!((waiting.upgrade.is_some(), waiting.error), (false, None));
    let over = play(&[c(put), s(SWITCHING), s("more"), c("5\r\nhello\r\n0\r\n\r\nmine")]);
    assert_eq!(over.rest, [b"mine".to_vec(), b"more".to_vec()]);
}
