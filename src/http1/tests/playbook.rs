//! What either side sends, and what must come out, one line an item (see [`line`](super::line)).

use super::*;

#[test]
fn keep_alive_and_pipelining() {
    check(&[
        ("one after the other", &[c(GET), s(ok("A")), c(GET_B), s(ok("B"))], &["GET /a -> 200 +A", "GET /b -> 200 +B"]),
        (
            "pipelined, answers in one read",
            &[c([GET, GET_B, GET].concat()), s([&*ok("A"), NO_CONTENT, &*ok("C")].concat())],
            &["GET /a -> 200 +A", "GET /b -> 204", "GET /a -> 200 +C"],
        ),
        (
            "HEAD between: its length is nobody's body",
            &[
                c([GET, "HEAD /h HTTP/1.1\r\n\r\n", GET_B].concat()),
                s(ok("A")),
                s("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"),
                s(ok("B")),
            ],
            &["GET /a -> 200 +A", "HEAD /h -> 200", "GET /b -> 200 +B"],
        ),
        (
            "Connection: close, then nothing",
            &[c(GET), s("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nA"), SEnd, CEnd],
            &["GET /a -> 200 +A"],
        ),
        ("an idle connection", &[SEnd, CEnd], &[]),
        (
            "white space between messages",
            &[
                c(["\r\n", GET, "\n\r\n", GET_B, "\r"].concat()),
                s("\r\n"),
                s(ok("A")),
                s("\r\n\r\n"),
                s(ok("B")),
                CEnd,
                SEnd,
            ],
            &["GET /a -> 200 +A", "GET /b -> 200 +B"],
        ),
    ]);
}

#[test]
fn every_framing() {
    let until_eof = "HTTP/1.1 200 OK\r\n\r\n";
    check(&[
        ("length 0", &[c(GET), s(ok(""))], &["GET /a -> 200"]),
        (
            "duplicate lengths that agree",
            &[c(GET), s("HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\ncontent-length: 02\r\n\r\nhi")],
            &["GET /a -> 200 +hi"],
        ),
        (
            "lengths that differ",
            &[c(GET), s("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi")],
            &["GET /a -> 200!", "error s2c byte 0: two Content-Lengths that differ"],
        ),
        (
            "a length that is no number",
            &[c(GET), s("HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nhi")],
            &["GET /a -> 200!", "error s2c byte 0: a Content-Length that is not a number"],
        ),
        (
            "a length beyond 2^64",
            &[c("PUT /p HTTP/1.1\r\nContent-Length: 18446744073709551616\r\n\r\n")],
            &["PUT /p! -> -", "error c2s byte 0: a Content-Length that is not a number"],
        ),
        (
            "chunked",
            &[c(GET), s(chunked("3\r\nabc\r\n00A\r\n0123456789\r\n0\r\n\r\n")), c(GET_B), s(ok("B"))],
            &["GET /a -> 200 +abc0123456789", "GET /b -> 200 +B"],
        ),
        (
            "chunk extensions and trailers",
            &[
                c(GET),
                s(chunked("1;x=\"y\"\r\na\r\n1 ; z\r\nb\r\n0;last\r\nX-T: 1\r\n\rY: 2\r\n\r\n")),
                c(GET_B),
                s(ok("B")),
            ],
            &["GET /a -> 200 +ab", "GET /b -> 200 +B"],
        ),
        (
            "chunked with bare LF",
            &[c(GET), s(chunked("2\nab\n0\nT: 1\n\n")), c(GET_B), s(ok("B"))],
            &["GET /a -> 200 +ab", "GET /b -> 200 +B"],
        ),
        (
            "chunked, in a list, with a length",
            &[
                c(GET),
                s(
                    "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\nContent-Length: 99\r\nTRANSFER-ENCODING: identity, Chunked \r\n\r\n1\r\na\r\n0\r\n\r\n",
                ),
            ],
            &["GET /a -> 200 +a"],
        ),
        (
            "identity is no transfer coding",
            &[c(GET), s("HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\nContent-Length: 1\r\n\r\na")],
            &["GET /a -> 200 +a"],
        ),
        (
            "chunked request",
            &[
                c("PUT /p HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"),
                c(GET),
                s(NO_CONTENT),
                s(ok("A")),
            ],
            &["PUT /p +hi -> 204", "GET /a -> 200 +A"],
        ),
        (
            "another coding in a request",
            &[c("PUT /p HTTP/1.1\r\nTransfer-Encoding: chunked, gzip\r\n\r\n")],
            &["PUT /p! -> -", "error c2s byte 0: a request whose last transfer coding is not chunked"],
        ),
        (
            "another coding in a response is until EOF",
            &[c(GET), s("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\nContent-Length: 1\r\n\r\nxyz"), SEnd],
            &["GET /a -> 200 +xyz"],
        ),
        ("until EOF", &[c(GET), s(until_eof), s("no "), s("length"), SEnd], &["GET /a -> 200 +no length"]),
        ("until EOF, nothing", &[c(GET), s(until_eof), SEnd, CEnd], &["GET /a -> 200"]),
        (
            "HTTP/1.0",
            &[c("GET /old HTTP/1.0\r\n\r\n"), s("HTTP/1.0 200 OK\r\n\r\nbody\n"), CEnd, SEnd],
            &["GET /old -> 200 +body\n"],
        ),
        (
            "no body by status",
            &[
                c(GET),
                s("HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n"),
                c(GET_B),
                s("HTTP/1.1 204 \r\nTransfer-Encoding: chunked\r\n\r\n"),
            ],
            &["GET /a -> 304", "GET /b -> 204"],
        ),
        (
            "interim responses",
            &[
                c("PUT /p HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"),
                s("HTTP/1.1 100 Continue\r\n\r\n"),
                c("hi"),
                s("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"),
                s(ok("A")),
            ],
            &["PUT /p +hi -> 100 103 200 +A"],
        ),
        (
            "content that nobody wants",
            &[c("PUT /unwanted HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc"), s(chunked("4\r\nabcd\r\n0\r\n\r\n"))],
            &["PUT /unwanted +(3) -> 200 +(4)"],
        ),
    ]);
}

#[test]
fn early_responses() {
    let put = "PUT /p HTTP/1.1\r\nContent-Length: 4\r\n\r\n";
    check(&[
        (
            "the request goes on",
            &[c(put), s(ok("no")), c("body"), c(GET), s(ok("A"))],
            &["PUT /p +body -> 200 +no", "GET /a -> 200 +A"],
        ),
        (
            "the request is cut",
            &[c(put), c("bo"), s("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n"), SEnd, CEnd],
            &["PUT /p +bo! -> 413"],
        ),
        (
            "the response outlives the request",
            &[c(put), c("bo"), s("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab"), c("dy"), s("cd")],
            &["PUT /p +body -> 200 +abcd"],
        ),
        (
            "a second answer",
            &[c(put), s(NO_CONTENT), s(NO_CONTENT)],
            &["PUT /p! -> 204", "error s2c byte 27: a response to no request"],
        ),
    ]);
}

#[test]
fn ends_and_cuts() {
    check(&[
        ("unanswered, told when both ended", &[c([GET, GET_B].concat()), s(ok("A")), SEnd], &["GET /a -> 200 +A"]),
        ("unanswered", &[c([GET, GET_B].concat()), s(ok("A")), SEnd, CEnd], &["GET /a -> 200 +A", "GET /b -> -"]),
        (
            "response cut in its body",
            &[c(GET), s("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"), SEnd],
            &["GET /a -> 200 +abc!"],
        ),
        ("response cut in a chunk", &[c(GET), s(chunked("5\r\nabc")), CEnd, SEnd], &["GET /a -> 200 +abc!"]),
        (
            "response cut in its head",
            &[c(GET), s("HTTP/1.1 200 OK\r\nCont"), SEnd, CEnd],
            &["GET /a -> -", "error s2c byte 0: the end within a head"],
        ),
        (
            "request cut in its head",
            &[c(GET), c("GET /b"), CEnd, s(ok("A")), SEnd],
            &["GET /a -> 200 +A", "error c2s byte 28: the end within a head"],
        ),
        ("half-close by the client", &[c(GET), CEnd, s(ok("A")), SEnd], &["GET /a -> 200 +A"]),
        (
            "request cut in its body, answered",
            &[c("PUT /p HTTP/1.1\r\nContent-Length: 4\r\n\r\nbo"), CEnd, s("HTTP/1.1 400 Bad\r\n\r\n"), SEnd],
            &["PUT /p +bo! -> 400"],
        ),
        ("bytes behind an end", &[c(GET), CEnd, c("?"), s(ok("A")), SEnd, s("?")], &["GET /a -> 200 +A"]),
    ]);
}

#[test]
fn upgrades() {
    let post = "POST /ws HTTP/1.1\r\nUpgrade: x\r\nContent-Length: 4\r\n\r\n";
    let connect = "CONNECT h:443 HTTP/1.1\r\n\r\n";
    let refused = "HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno";
    check(&[
        ("websocket", &[c(WS), s(SWITCHING), s("hello"), c("hi")], &["upgraded GET /ws/ -> 101 | c2s hi | s2c hello"]),
        (
            "server bytes in the same read",
            &[c(WS), s([SWITCHING, "hello"].concat()), c("hi")],
            &["upgraded GET /ws/ -> 101 | c2s hi | s2c hello"],
        ),
        (
            "client bytes before the answer",
            &[c([WS, "hi"].concat()), c(" you"), s([SWITCHING, "hello"].concat())],
            &["upgraded GET /ws/ -> 101 | c2s hi you | s2c hello"],
        ),
        (
            "behind other requests",
            &[c([GET, WS].concat()), c("hi"), s([&*ok("A"), SWITCHING, "yo"].concat())],
            &["GET /a -> 200 +A", "upgraded GET /ws/ -> 101 | c2s hi | s2c yo"],
        ),
        (
            "interim first",
            &[c([WS, "hi"].concat()), s("HTTP/1.1 103 E\r\n\r\n"), s(SWITCHING)],
            &["upgraded GET /ws/ -> 103 101 | c2s hi | s2c "],
        ),
        (
            "with a body",
            &[c([post, "bodyhi"].concat()), s([SWITCHING, "yo"].concat())],
            &["upgraded POST /ws +body -> 101 | c2s hi | s2c yo"],
        ),
        (
            "101 before the body is over",
            &[c([post, "bo"].concat()), s([SWITCHING, "yo"].concat()), c("dyhi"), s("!")],
            &["upgraded POST /ws +body -> 101 | c2s hi | s2c yo!"],
        ),
        (
            "101, the body is cut",
            &[c([post, "bo"].concat()), s([SWITCHING, "yo"].concat()), CEnd, s("!")],
            &["upgraded POST /ws +bo! -> 101 | c2s  | s2c yo!"],
        ),
        (
            "refused, the next request glued behind",
            &[c([WS, GET, GET_B].concat()), s([refused, &*ok("A"), &*ok("B")].concat())],
            &["GET /ws/ -> 403 +no", "GET /a -> 200 +A", "GET /b -> 200 +B"],
        ),
        (
            "refused without a body",
            &[c([WS, GET].concat()), s(NO_CONTENT), s(ok("A"))],
            &["GET /ws/ -> 204", "GET /a -> 200 +A"],
        ),
        (
            "refused twice, then granted",
            &[c([WS, WS].concat()), c([WS, "hi"].concat()), s([refused, refused, SWITCHING].concat())],
            &["GET /ws/ -> 403 +no", "GET /ws/ -> 403 +no", "upgraded GET /ws/ -> 101 | c2s hi | s2c "],
        ),
        (
            "refused after the client's end",
            &[
                c([WS, "PUT /p HTTP/1.1\r\nContent-Length: 4\r\n\r\nbo"].concat()),
                CEnd,
                s(refused),
                s(NO_CONTENT),
                SEnd,
            ],
            &["GET /ws/ -> 403 +no", "PUT /p +bo! -> 204"],
        ),
        (
            "refused early, with a body",
            &[c([post, "bo"].concat()), s(refused), c(["dy", GET].concat()), s(NO_CONTENT)],
            &["POST /ws +body -> 403 +no", "GET /a -> 204"],
        ),
        (
            "refused, glued garbage",
            &[c([WS, "\0\n"].concat()), s(refused)],
            &["GET /ws/ -> 403!", "error c2s byte 62: not a request line"],
        ),
        ("never answered", &[c([WS, "hi"].concat()), SEnd, CEnd], &["GET /ws/ -> -"]),
        (
            "CONNECT",
            &[c([connect, "hi"].concat()), s("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyo")],
            &["upgraded CONNECT h:443 -> 200 | c2s hi | s2c yo"],
        ),
        (
            "CONNECT refused",
            &[c([connect, GET].concat()), s(refused), s(ok("A"))],
            &["CONNECT h:443 -> 403 +no", "GET /a -> 200 +A"],
        ),
        (
            "101 unasked",
            &[c(GET), s(SWITCHING)],
            &["GET /a -> 101!", "error s2c byte 0: a 101 to a request that asks for no upgrade"],
        ),
    ]);
}

#[test]
fn what_is_not_http() {
    check(&[
        ("a TLS record", &[c(b"\x16\x03\x01\x02\0\x01\0\n")], &["error c2s byte 0: not a request line"]),
        (
            "HTTP/2",
            &[c("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")],
            &["error c2s byte 0: not a request line: the version is not HTTP/1"],
        ),
        ("HTTP/0.9", &[c("GET /a\r\n")], &["error c2s byte 0: not a request line: no target"]),
        ("no token", &[c("G(T /a HTTP/1.1\r\n")], &["error c2s byte 0: not a request line: the method is no token"]),
        (
            "the server speaks first",
            &[s("220 mail\r\n")],
            &["error s2c byte 0: not a status line: the version is not HTTP/1"],
        ),
        (
            "no status",
            &[c(GET), s("HTTP/1.1 2OO OK\r\n")],
            &["GET /a -> -", "error s2c byte 0: not a status line: the status is not three digits"],
        ),
        (
            "an answer to nothing",
            &[s("\r\nHTTP/1.1 408 Timeout\r\n\r\n"), CEnd],
            &["error s2c byte 2: a response to no request"],
        ),
        (
            "NUL in a value",
            &[c("GET /a HTTP/1.1\r\nA: \0\r\n\r\n")],
            &["error c2s byte 0: a field line with a NUL or a bare CR"],
        ),
        (
            "bytes behind a body",
            &[c(GET), s([&*ok("A"), "junk\n"].concat())],
            &["GET /a -> 200 +A", "error s2c byte 39: not a status line: the version is not HTTP/1"],
        ),
        (
            "what follows an error",
            &[c("?\n"), c(GET), s(ok("A")), CEnd, SEnd],
            &["error c2s byte 0: not a request line"],
        ),
    ]);
    for (body, offset, why) in [
        ("10000000000000000\r\n", 63, "a chunk size of more than 64 bits"),
        ("FFFFFFFFFFFFFFFFF\r\n", 63, "a chunk size of more than 64 bits"),
        ("\r\n", 47, "a chunk without a size"),
        (";x\r\n", 47, "a chunk without a size"),
        ("-1\r\n", 47, "a chunk size that is not a hexadecimal number"),
        ("1\rx", 49, "a CR without LF behind a chunk size"),
        ("1\r\nab", 51, "a chunk longer than its size"),
        ("1\r\na\rb", 52, "a chunk longer than its size"),
    ] {
        let outcome = play(&[c(GET), s(chunked(body))]);
        assert_eq!(outcome.error, Some(Error { direction: Direction::S2c, offset, why }), "{body:?}");
        assert_eq!(outcome.exchanges.len(), 1, "{body:?}");
    }
    let largest = play(&[c(GET), s(chunked("0FFFFFFFFFFFFFFFF\r\nab")), SEnd]);
    assert_eq!(lines(&largest), ["GET /a -> 200 +ab!"]);
}

#[test]
fn limits_are_kept() {
    let small = Limits { head_bytes: 80, body_bytes: 4, pending: 2, early_bytes: 8 };
    let cases: &[(&str, &[Step], &[&str])] = &[
        ("body", &[c(GET), s(ok("abcdef"))], &["GET /a -> 200 +abcd(6 truncated)"]),
        ("body that just fits", &[c(GET), s(chunked("2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n"))], &["GET /a -> 200 +abcd"]),
        (
            "pending",
            &[c([GET, GET_B, GET].concat())],
            &["GET /a -> -", "GET /b -> -", "error c2s byte 56: more requests in wait of an answer than the limit"],
        ),
        ("head that just fits", &[c(format!("GET /{} HTTP/1.1\r\n\r\n", "v".repeat(62)))], &[]),
        (
            "head",
            &[c([GET, GET].concat()), s(NO_CONTENT), c(format!("GET /{} HTTP/1.1\r\n\r\n", "v".repeat(63)))],
            &["GET /a -> 204", "GET /a -> -", "error c2s byte 56: a head longer than the limit"],
        ),
        ("head without end", &[c("v".repeat(90))], &["error c2s byte 0: a head longer than the limit"]),
        (
            "early bytes that just fit",
            &[c([WS, "12345678"].concat()), s(SWITCHING)],
            &["upgraded GET /ws/ -> 101 | c2s 12345678 | s2c "],
        ),
        (
            "early client bytes",
            &[c([WS, "123456789"].concat())],
            &["GET /ws/ -> -", "error c2s byte 70: more bytes behind an upgrade than the limit"],
        ),
        (
            "early server bytes",
            &[c("PUT / HTTP/1.1\r\nUpgrade: x\r\nContent-Length: 1\r\n\r\n"), s([SWITCHING, "123456789"].concat())],
            &["PUT /! -> 101", "error s2c byte 64: more bytes behind an upgrade than the limit"],
        ),
        (
            "behind an upgrade there is no limit",
            &[c(WS), s([SWITCHING, "123456789"].concat())],
            &["upgraded GET /ws/ -> 101 | c2s  | s2c 123456789"],
        ),
    ];
    for (name, steps, expected) in cases {
        assert_eq!(lines(&play_within(small, steps)), *expected, "{name}");
    }
    let hints = "HTTP/1.1 103 E\r\n\r\n".repeat(exchange::INTERIM + 1);
    let outcome = whole(Limits::default(), &[c(GET), s(hints), s(NO_CONTENT)]);
    assert_eq!(outcome.exchanges[0].interim.len(), exchange::INTERIM);
}
