//! What is edited, what is not, and that undoing the edits gives the bytes as they came, however they are cut.

use super::*;
use proptest::prelude::*;

/// A proxy on 8445 and 7443 in front of one server's two ports, called `localhost`.
fn names() -> Names {
    let server = |port| Authority { host: "fin.example.test".into(), port };
    Names { server: server(8445), ports: vec![(8445, server(8445)), (7443, server(7444))] }
}

#[derive(Clone, Debug)]
enum Step {
    C(Vec<u8>),
    S(Vec<u8>),
    CEnd,
    SEnd,
}

#[derive(PartialEq, Debug, Default)]
struct Outcome {
    came: [Vec<u8>; 2],
    edits: Vec<Edit>,
    error: Option<Error>,
}

/// What comes of it when each step's bytes are cut into pieces of these widths.
fn run(names: Names, steps: &[Step], widths: &[usize]) -> Outcome {
    let mut rewriter = Rewriter::new(names);
    let mut outcome = Outcome::default();
    let mut widths = widths.iter().cycle();
    let mut take = |rewriter: &mut Rewriter| {
        for direction in [Direction::C2s, Direction::S2c] {
            outcome.came[direction as usize].extend_from_slice(&rewriter.take(direction));
            assert!(!rewriter.has(direction));
        }
        outcome.edits.extend(rewriter.edits());
        outcome.error = rewriter.error().or(outcome.error.take());
    };
    let mut ended = [false; 2];
    for step in steps {
        let (direction, mut bytes) = match step {
            Step::C(bytes) => (Direction::C2s, &bytes[..]),
            Step::S(bytes) => (Direction::S2c, &bytes[..]),
            Step::CEnd | Step::SEnd => {
                let direction = if matches!(step, Step::CEnd) { Direction::C2s } else { Direction::S2c };
                if !std::mem::replace(&mut ended[direction as usize], true) {
                    rewriter.end(direction);
                    take(&mut rewriter);
                }
                continue;
            }
        };
        while !bytes.is_empty() && !ended[direction as usize] {
            let (piece, rest) = bytes.split_at((*widths.next().unwrap()).min(bytes.len()));
            let over = rewriter.is_over();
            rewriter.feed(direction, Bytes::copy_from_slice(piece));
            if over {
                let passed = rewriter.take(direction);
                assert_eq!(passed, piece, "it was over");
                rewriter.way(direction).out.push_back(passed);
            }
            take(&mut rewriter);
            bytes = rest;
        }
    }
    for direction in [Direction::C2s, Direction::S2c] {
        if !ended[direction as usize] {
            rewriter.end(direction);
        }
    }
    take(&mut rewriter);
    // Which direction's edits come first is how the steps are cut, not what is edited.
    outcome.edits.sort_by_key(|edit| (edit.direction as u8, edit.splices[0].offset));
    outcome
}

/// What went in, from what came out.
fn undone(outcome: &Outcome, direction: Direction) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = &outcome.came[direction as usize][..];
    let edits = outcome.edits.iter().filter(|edit| edit.direction == direction);
    for splice in edits.flat_map(|edit| &edit.splices) {
        let (before, after) = rest.split_at(usize::try_from(splice.offset).unwrap() - out.len());
        out.extend_from_slice(before);
        rest = after.strip_prefix(&splice.now[..]).expect("what is said to be there");
        out.extend_from_slice(&splice.was);
    }
    out.extend_from_slice(rest);
    out
}

const ALL: &[usize] = &[usize::MAX];

fn text(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).unwrap()
}

/// One request and its response, and what comes of the other side's.
fn exchange(request: &str, response: &str) -> (String, String, Vec<String>) {
    let steps = [Step::C(request.into()), Step::S(response.into())];
    let outcome = run(names(), &steps, ALL);
    assert_eq!(outcome, run(names(), &steps, &[1]), "byte by byte");
    assert_eq!(outcome.error, None);
    let edited = outcome.edits.iter().map(|edit| text(&edit.field.name).to_owned()).collect();
    (text(&outcome.came[0]).to_owned(), text(&outcome.came[1]).to_owned(), edited)
}

/// What comes of one field of a request with `Host: localhost:8445`.
fn to_server(field: &str) -> String {
    let (request, ..) = exchange(&format!("GET / HTTP/1.1\r\nHost: localhost:8445\r\n{field}\r\n\r\n"), "");
    let rest = request.strip_prefix("GET / HTTP/1.1\r\nHost: fin.example.test:8445\r\n").unwrap();
    rest.strip_suffix("\r\n\r\n").unwrap().to_owned()
}

/// What comes of one field of the response.
fn to_browser(field: &str) -> String {
    to_browser_at("localhost:8445", field)
}

fn to_browser_at(host: &str, field: &str) -> String {
    let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n");
    let (_, response, _) = exchange(&request, &format!("HTTP/1.1 204 No\r\n{field}\r\n\r\n"));
    let rest = response.strip_prefix("HTTP/1.1 204 No\r\n").unwrap();
    rest.strip_suffix("\r\n\r\n").unwrap().to_owned()
}

#[test]
fn towards_the_server() {
    for (field, expected) in [
        ("Origin: https://localhost:8445", "Origin: https://fin.example.test:8445"),
        ("oRIGIN:https://LOCALHOST:8445", "oRIGIN:https://fin.example.test:8445"),
        ("Origin: https://localhost:7443", "Origin: https://fin.example.test:7444"),
        (
            "Referer:  https://localhost:8445/desktop/?u=https://localhost:8445/ ",
            "Referer:  https://fin.example.test:8445/desktop/?u=https://localhost:8445/ ",
        ),
        ("Referer : https://localhost:8445", "Referer : https://fin.example.test:8445"),
        ("Referer:\r\n\thttps://localhost:8445/\r\n x", "Referer:\r\n\thttps://fin.example.test:8445/\r\n x"),
        ("Host: localhost:8445", "Host: fin.example.test:8445"),
    ] {
        assert_eq!(to_server(field), expected);
    }
    for untouched in [
        "Origin: null",
        "Origin: https://other.example.test:8445",
        "Origin: https://localhost:9000",
        "Origin: http://localhost:8445",
        "Origin: https://localhost.evil.test:8445",
        "Referer: https://user@localhost:8445/",
        "Referer: /desktop",
        "Origin:",
        "X-Origin: https://localhost:8445",
        "Location: https://localhost:8445/",
        "Cookie: Host=localhost:8445",
        "no field line https://localhost:8445",
    ] {
        assert_eq!(to_server(untouched), untouched);
    }
}

#[test]
fn towards_the_browser() {
    for (field, expected) in [
        ("Location: https://fin.example.test:8445/desktop/x?a#b", "Location: https://localhost:8445/desktop/x?a#b"),
        ("Location: //FIN.example.test:8445/", "Location: //localhost:8445/"),
        ("Location: https://fin.example.test:7444/", "Location: https://localhost:7443/"),
        (
            "Access-Control-Allow-Origin: https://fin.example.test:8445",
            "Access-Control-Allow-Origin: https://localhost:8445",
        ),
        ("Set-Cookie: a=b; Domain=fin.example.test; Path=/; Secure", "Set-Cookie: a=b; Path=/; Secure"),
        ("Set-Cookie: a=b;domain = .Example.test", "Set-Cookie: a=b"),
        ("Set-Cookie: a=b; Domain=example.test; HttpOnly;Domain=fin.example.test", "Set-Cookie: a=b; HttpOnly"),
        ("Set-Cookie: a=b;\r\n Domain=example.test;\r\n Secure", "Set-Cookie: a=b;\r\n Secure"),
        (
            "Strict-Transport-Security: max-age=31536000; includeSubDomains",
            "Strict-Transport-Security: max-age=0; includeSubDomains",
        ),
        (
            "strict-transport-security:includeSubDomains;Max-Age = \"600\"",
            "strict-transport-security:includeSubDomains;Max-Age = \"0\"",
        ),
        (
            "Content-Security-Policy: default-src 'self' https://fin.example.test:8445; connect-src wss://fin.example.test:7444/ws/ fin.example.test:8445, img-src fin.example.test:*",
            "Content-Security-Policy: default-src 'self' https://localhost:8445; connect-src wss://localhost:7443/ws/ localhost:8445, img-src localhost:*",
        ),
        (
            "Content-Security-Policy-Report-Only: frame-ancestors https://*.example.test:8445 https://x.example.test",
            "Content-Security-Policy-Report-Only: frame-ancestors https://*.example.test:8445 https://localhost:8445 https://x.example.test",
        ),
    ] {
        assert_eq!(to_browser(field), expected);
    }
    for untouched in [
        "Location: /desktop",
        "Location: https://fin.example.test/",
        "Location: https://idp.example.test:8445/?back=https://fin.example.test:8445/",
        "Location: http://fin.example.test:8445/",
        "Access-Control-Allow-Origin: *",
        "Access-Control-Allow-Origin: null",
        "Set-Cookie: Domain=fin.example.test",
        "Set-Cookie: a=b; Domain=other.test; Domain=in.example.test; Domain=; Domain",
        "Set-Cookie: a=b; Path=/",
        "Strict-Transport-Security: max-age=0",
        "Strict-Transport-Security: includeSubDomains",
        "Content-Security-Policy: fin.example.test:8445 'self' *; img-src data: https: *.example.test 'nonce-x'",
        "Host: fin.example.test:8445",
        "Origin: https://fin.example.test:8445",
        "Link: <https://fin.example.test:8445/>",
    ] {
        assert_eq!(to_browser(untouched), untouched);
    }
}

#[test]
fn the_name_is_what_the_browser_says() {
    let location = "Location: https://fin.example.test:8445/";
    assert_eq!(to_browser_at("127.0.0.1:1", location), "Location: https://127.0.0.1:1/");
    assert_eq!(to_browser_at("[::1]:1", location), "Location: https://[::1]:1/");
    assert_eq!(to_browser_at("LOCALHOST", location), "Location: https://localhost/");
    // By the real name there is nothing to do, and by none nothing to go by.
    assert_eq!(to_browser_at("fin.example.test:8445", location), location);
    let hsts = "Strict-Transport-Security: max-age=9";
    assert_eq!(to_browser_at("fin.example.test:1", hsts), hsts);
    let cookie = "Set-Cookie: a=b; Domain=fin.example.test";
    assert_eq!(to_browser_at("fin.example.test:1", cookie), cookie);
    for host in ["", "two words", "https://localhost:8445"] {
        assert_eq!(to_browser_at(host, location), location);
        let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\nOrigin: https://localhost:8445\r\n\r\n");
        assert_eq!(exchange(&request, "").0, request);
    }
    let ports = Names { server: Authority { host: "s".into(), port: 443 }, ports: Vec::new() };
    let steps = [
        Step::C(b"GET / HTTP/1.1\r\nHost: localhost:1\r\n\r\n".into()),
        Step::S(b"HTTP/1.1 204 No\r\nLocation: https://s/\r\n\r\n".into()),
    ];
    let outcome = run(ports, &steps, ALL);
    assert_eq!(text(&outcome.came[0]), "GET / HTTP/1.1\r\nHost: s\r\n\r\n");
    assert_eq!(text(&outcome.came[1]), "HTTP/1.1 204 No\r\nLocation: https://localhost:1/\r\n\r\n");
}

#[test]
fn each_response_goes_to_its_request() {
    let request = |host: &str| format!("HEAD / HTTP/1.1\r\nHost: {host}\r\n\r\n");
    let response = "HTTP/1.1 103 Early\r\nLocation: https://fin.example.test:8445/\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 9\r\nLocation: https://fin.example.test:8445/\r\n\r\n";
    let requests = [request("a:1"), request("fin.example.test:8445"), request("b:2")].concat();
    let (_, responses, edited) = exchange(&requests, &response.repeat(3));
    let found: Vec<&str> = responses.lines().filter_map(|line| line.strip_prefix("Location: https://")).collect();
    let real = "fin.example.test:8445/";
    assert_eq!(found, ["a:1/", "a:1/", real, real, "b:2/", "b:2/"]);
    assert_eq!(edited, ["Host", "Host", "Location", "Location", "Location", "Location"]);
}

#[test]
fn bodies_and_upgrades_are_exact() {
    let looks_like_a_head = "Host: localhost:8445\r\nLocation: https://fin.example.test:8445/\r\n\r\n";
    let chunk = format!(
        "{:x};Host: localhost:8445\r\n{looks_like_a_head}\r\n0\r\n{looks_like_a_head}",
        looks_like_a_head.len()
    );
    let request = format!("POST / HTTP/1.1\nTransfer-Encoding: chunked\nHost: localhost:8445\n\n{chunk}");
    let response = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{looks_like_a_head}", looks_like_a_head.len());
    let (came, back, edited) = exchange(&request, &response);
    let (head, body) = request.split_once("\n\n").unwrap();
    assert_eq!(came, format!("{}\n\n{body}", head.replace("localhost", "fin.example.test")));
    assert_eq!(back, response);
    assert_eq!(edited, ["Host"]);

    let upgrade =
        "GET /ws/ HTTP/1.1\r\nHost: localhost:8445\r\nOrigin: https://localhost:8445\r\nUpgrade: websocket\r\n\r\n";
    let frames = format!("\u{1}{looks_like_a_head}GET / HTTP/1.1\r\nHost: localhost:8445\r\n\r\n");
    let switching = format!("HTTP/1.1 101 Switching Protocols\r\n\r\n{frames}");
    let (came, back, edited) = exchange(&format!("{upgrade}{frames}"), &switching);
    let upgraded = upgrade.replace("localhost", "fin.example.test");
    assert_eq!(came, format!("{upgraded}{frames}"));
    assert_eq!(back, switching);
    assert_eq!(edited, ["Host", "Origin"]);
}

#[test]
fn what_cannot_be_read_passes_untouched_from_there_on() {
    let get = "GET / HTTP/1.1\r\nHost: localhost:8445\r\n\r\n";
    let edited = get.replace("localhost", "fin.example.test");
    let long = format!("GET / HTTP/1.1\r\nHost: localhost:8445\r\nX: {}\r\n\r\n", "x".repeat(LIMITS.head_bytes));
    for (bad, why) in [
        ("GET / HTTP/2\r\nHost: localhost:8445\r\n\r\n", "version"),
        ("GET / HTTP/1.1\r\nHost: localhost:8445\r\nX: \0\r\n\r\n", "NUL"),
        ("POST / HTTP/1.1\r\nHost: localhost:8445\r\nContent-Length: x\r\n\r\n", "Content-Length"),
        (&long, "longer than the limit"),
    ] {
        let steps = [Step::C([get, bad, get].concat().into())];
        let outcome = run(names(), &steps, ALL);
        assert_eq!(text(&outcome.came[0]), [&edited, bad, get].concat());
        let error = outcome.error.expect("a reason");
        assert!(error.why.contains(why), "{}", error.why);
        assert_eq!(error.offset, get.len() as u64);
    }
}

#[test]
fn debug_shows_no_value() {
    let mut rewriter = Rewriter::new(names());
    rewriter.feed(
        Direction::C2s,
        Bytes::from_static(b"GET / HTTP/1.1\r\nHost: canary\r\nReferer: https://canary:443/canary\r\n\r\n"),
    );
    let edits = rewriter.edits();
    assert_eq!(edits.len(), 2);
    assert!(!format!("{edits:?} {rewriter:?}").contains("canary"));
}

/// Pieces of HTTP, right and wrong, with much to edit.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    const KNOWN: &[&str] = &[
        "GET / HTTP/1.1\r\nHost: localhost:8445\r\nOrigin: https://localhost:8445\r\n\r\n",
        "HEAD / HTTP/1.1\r\nHOST : localhost\r\nReferer:\r\n https://localhost/\r\n\r\n",
        "GET /ws HTTP/1.1\nHost: localhost:8445\nUpgrade: websocket\n\n",
        "PUT / HTTP/1.1\r\nHost: localhost:8445\r\nTransfer-Encoding: chunked\r\n\r\n",
        "GET / HTTP/1.1\r\n",
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 204 No\r\nSet-Cookie: a=b; Domain=example.test\r\nset-cookie: c\r\nLocation: //fin.example.test:8445\r\n\r\n",
        "HTTP/1.1 103 Early\r\nStrict-Transport-Security: max-age=1\r\n\r\n",
        "HTTP/1.1 101 Switching\r\nLocation: https://fin.example.test:8445\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Security-Policy: x fin.example.test:8445\r\n\r\n",
        "Host: localhost:8445\r\n",
        "Content-Length: 5\r\n",
        "Access-Control-Allow-Origin: https://fin.example.test:7444\r\n",
        "5\r\nhello\r\n",
        "0\r\nHost: localhost\r\n\r\n",
        "hello",
        "\r\n",
    ];
    prop_oneof![
        12 => proptest::sample::select(KNOWN).prop_map(|text| text.as_bytes().to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 1..20),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let bytes = || proptest::collection::vec(piece(), 1..4).prop_map(|pieces| pieces.concat());
    prop_oneof![8 => bytes().prop_map(Step::C), 8 => bytes().prop_map(Step::S), 1 => Just(Step::CEnd), 1 => Just(Step::SEnd)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn undoing_the_edits_gives_the_bytes_as_they_came(
        steps in proptest::collection::vec(step(), 1..12), widths in proptest::collection::vec(1_usize..30, 1..8),
    ) {
        let outcome = run(names(), &steps, ALL);
        let mut fed: [Vec<u8>; 2] = Default::default();
        let mut ended = [false; 2];
        for step in &steps {
            match step {
                Step::C(bytes) if !ended[0] => fed[0].extend(bytes),
                Step::S(bytes) if !ended[1] => fed[1].extend(bytes),
                Step::C(_) | Step::S(_) => {}
                Step::CEnd => ended[0] = true,
                Step::SEnd => ended[1] = true,
            }
        }
        prop_assert_eq!(undone(&outcome, Direction::C2s), &fed[0][..]);
        prop_assert_eq!(undone(&outcome, Direction::S2c), &fed[1][..]);
        prop_assert_eq!(&outcome, &run(names(), &steps, &widths));
        prop_assert_eq!(&outcome, &run(names(), &steps, &[1]));
    }

    #[test]
    fn field_lines_are_those_that_the_codec_reads(lines in proptest::collection::vec(prop_oneof![
        Just("A: b\r\n"), Just("Host :\tx \n"), Just(" fold\r\n"), Just("\t\r\n"), Just("none\r\n"), Just("Empty:\r\n"), Just("B:  c d \r\n"),
    ], 0..8)) {
        let wire = format!("GET / HTTP/1.1\r\n{}\r\n", lines.concat());
        let mut passage = Passage::new(LIMITS);
        passage.feed(Direction::C2s, Bytes::from(wire.clone()));
        if let Some((_, Piece::Request { head, .. })) = passage.next() {
            let text = |range: Range<usize>| String::from_utf8_lossy(&wire.as_bytes()[range]).replace(['\r', '\n'], " ");
            let ours: Vec<_> = field_lines(wire.as_bytes()).into_iter().map(|line| (text(line.name), text(line.value))).collect();
            for field in &head.fields {
                let read = (String::from_utf8_lossy(&field.name).into_owned(), String::from_utf8_lossy(&field.value).into_owned());
                prop_assert!(ours.contains(&read), "{:?} is not in {:?}", read, ours);
            }
        }
    }
}
