//! Frames made by tungstenite and DEFLATE made by zlib, read whole, byte by byte, and cut at every place.

use super::*;
use flate2::{Compress, Compression, FlushCompress};
use proptest::collection::vec;
use proptest::prelude::*;
use tungstenite::protocol::frame::coding::OpCode;
use tungstenite::protocol::frame::{Frame as Encoder, FrameHeader};

const MASK: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D];
const TAKEOVER: Deflate = Deflate {
    server_no_context_takeover: false,
    client_no_context_takeover: false,
    server_max_window_bits: 15,
    client_max_window_bits: 15,
};
const NO_TAKEOVER: Deflate = Deflate { server_no_context_takeover: true, client_no_context_takeover: true, ..TAKEOVER };

type Outcome = Vec<Result<Item, Error>>;

/// The first byte of a header, as RFC 6455 section 5.2 draws it.
const FIN: u8 = 0x80;
const RSV1: u8 = 0x40;
const RSV2: u8 = 0x20;

fn frame(first: u8, mask: Option<[u8; 4]>, payload: &[u8]) -> Vec<u8> {
    let bit = |bit: u8| first & bit != 0;
    let opcode = OpCode::from(first & 0x0F);
    let header = FrameHeader { is_final: bit(FIN), rsv1: bit(RSV1), rsv2: bit(RSV2), rsv3: bit(0x10), opcode, mask };
    let mut bytes = Vec::new();
    Encoder::from_payload(header, Bytes::copy_from_slice(payload)).format(&mut bytes).expect("a Vec takes it all");
    bytes
}

fn from_server(first: u8, payload: &[u8]) -> Vec<u8> {
    frame(first, None, payload)
}

fn deflater(window_bits: u8) -> Compress {
    Compress::new_with_window_bits(Compression::default(), false, window_bits)
}

/// One message as RFC 7692 section 7.2.1 compresses it.
fn deflated(deflater: &mut Compress, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(payload.len() * 2 + 100);
    let taken_before = deflater.total_in();
    deflater.compress_vec(payload, &mut out, FlushCompress::Sync).expect("compresses");
    assert_eq!((deflater.total_in() - taken_before) as usize, payload.len());
    // zlib writes nothing for a flush right after a flush; an empty message is then a single zero (section 7.2.3.6).
    if out.is_empty() {
        return vec![0];
    }
    out.truncate(out.len() - 4);
    out
}

fn read<'p>(mut decoder: Decoder, pieces: impl IntoIterator<Item = &'p [u8]>) -> Outcome {
    let mut outcome = Vec::new();
    for piece in pieces {
        decoder.feed(Bytes::copy_from_slice(piece));
        outcome.extend(std::iter::from_fn(|| decoder.next()));
    }
    decoder.end();
    outcome.extend(std::iter::from_fn(|| decoder.next()));
    outcome
}

/// Reads `stream` whole, byte by byte and in every two parts; all must come to the same.
fn read_every_way(new: impl Fn() -> Decoder, stream: &[u8]) -> Outcome {
    let whole = read(new(), [stream]);
    assert_eq!(read(new(), stream.chunks(1)), whole, "byte by byte");
    for cut in 0..=stream.len() {
        let (head, tail) = stream.split_at(cut);
        assert_eq!(read(new(), [head, tail]), whole, "cut at {cut}");
    }
    let mut decoder = new();
    stream.chunks(3).for_each(|piece| decoder.feed(Bytes::copy_from_slice(piece)));
    decoder.end();
    assert_eq!(
        std::iter::from_fn(|| decoder.next()).collect::<Outcome>(),
        whole,
        "all fed before the first is asked for"
    );
    whole
}

fn server(deflate: Option<Deflate>) -> impl Fn() -> Decoder {
    move || Decoder::new(Direction::S2c, deflate, Limits::default())
}

fn client(deflate: Option<Deflate>) -> impl Fn() -> Decoder {
    move || Decoder::new(Direction::C2s, deflate, Limits::default())
}

fn message(opcode: Opcode, payload: &[u8]) -> Message {
    Message {
        opcode,
        payload: Bytes::copy_from_slice(payload),
        payload_bytes: payload.len() as u64,
        wire_bytes: payload.len() as u64,
        fragments: 1,
        compressed: false,
        truncated: false,
    }
}

fn text(payload: &[u8]) -> Message {
    message(Opcode::Text, payload)
}

fn control(opcode: Opcode, payload: &[u8]) -> Item {
    Item::Control(Control { opcode, payload: Bytes::copy_from_slice(payload) })
}

/// What came out, violations as their sentence up to the RFC and their offset.
fn told(outcome: Outcome) -> Vec<String> {
    let tell = |result| match result {
        Ok(Item::Message(m)) => {
            let cut = if m.truncated { " truncated" } else { "" };
            format!("{:?} {}{cut}", m.opcode, String::from_utf8_lossy(&m.payload))
        }
        Ok(Item::Control(c)) => format!("{:?} {}", c.opcode, String::from_utf8_lossy(&c.payload)),
        Ok(Item::Violation { why, offset }) => format!("{offset}: {}", why.split(" (").next().unwrap_or(why)),
        Err(Error { offset, why }) => format!("{offset}! {}", why.split(" (").next().unwrap_or(why)),
    };
    outcome.into_iter().map(tell).collect()
}

/// RFC 6455 section 5.7.
#[test]
fn examples_of_the_rfc() {
    let hello = Ok(Item::Message(text(b"Hello")));
    assert_eq!(read_every_way(server(None), b"\x81\x05Hello"), std::slice::from_ref(&hello));
    assert_eq!(read_every_way(client(None), b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"), [hello]);
    let fragmented = Ok(Item::Message(Message { fragments: 2, ..text(b"Hello") }));
    assert_eq!(read_every_way(server(None), b"\x01\x03Hel\x80\x02lo"), [fragmented]);
    assert_eq!(read_every_way(server(None), b"\x89\x05Hello"), [Ok(control(Opcode::Ping, b"Hello"))]);
    let pong = b"\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
    assert_eq!(read_every_way(client(None), pong), [Ok(control(Opcode::Pong, b"Hello"))]);
}

/// RFC 7692 section 7.2.3, in frames.
#[test]
fn compressed_examples_of_the_rfc() {
    let hello = |wire_bytes, fragments| {
        Ok(Item::Message(Message { wire_bytes, fragments, compressed: true, ..text(b"Hello") }))
    };
    let stream = [
        &b"\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00"[..],
        b"\x41\x03\xf2\x48\xcd\x80\x04\xc9\xc9\x07\x00",
        b"\xc1\x05\xf2\x00\x11\x00\x00",
        b"\xc1\x0b\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00",
        b"\xc1\x08\xf3\x48\xcd\xc9\xc9\x07\x00\x00",
        b"\xc1\x0d\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00",
    ]
    .concat();
    assert_eq!(
        read_every_way(server(Some(TAKEOVER)), &stream),
        [hello(7, 1), hello(7, 2), hello(5, 1), hello(11, 1), hello(8, 1), hello(13, 1)]
    );
}

#[test]
fn every_length_form_and_header_size() {
    for size in [0, 1, 125, 126, 127, 300] {
        let payload: Vec<u8> = (0..size).map(|i| i as u8).collect();
        let expected = [Ok(Item::Message(message(Opcode::Binary, &payload)))];
        assert_eq!(read_every_way(server(None), &from_server(FIN | 2, &payload)), expected);
        assert_eq!(read_every_way(client(None), &frame(FIN | 2, Some(MASK), &payload)), expected);
    }
    for size in [0xFFFF, 0x1_0000, 0x1_0001] {
        let payload: Vec<u8> = (0..size).map(|i| (i % 251) as u8).collect();
        let stream = frame(FIN | 2, Some(MASK), &payload);
        for piece_bytes in [stream.len(), 1, 1000, 16384] {
            let outcome = read(client(None)(), stream.chunks(piece_bytes));
            assert_eq!(outcome, [Ok(Item::Message(message(Opcode::Binary, &payload)))]);
        }
    }
}

#[test]
fn control_frames_pass_between_fragments() {
    let stream = [
        from_server(1, b"a"),
        from_server(FIN | 9, b"p"),
        from_server(0, b""),
        from_server(FIN | 10, b""),
        from_server(FIN, b"b"),
    ];
    assert_eq!(
        read_every_way(server(None), &stream.concat()),
        [
            Ok(control(Opcode::Ping, b"p")),
            Ok(control(Opcode::Pong, b"")),
            Ok(Item::Message(Message { fragments: 3, ..text(b"ab") }))
        ]
    );
}

#[test]
fn a_close_is_read_and_what_follows_it_too() {
    let close = |payload: &[u8]| Control { opcode: Opcode::Close, payload: Bytes::copy_from_slice(payload) }.close();
    assert_eq!(close(b""), (None, String::new()));
    assert_eq!(close(b"\x03"), (None, String::new()));
    assert_eq!(close(b"\x03\xe8"), (Some(1000), String::new()));
    assert_eq!(close(b"\x03\xe9going\xff"), (Some(1001), "going\u{FFFD}".into()));
    let stream = [from_server(FIN | 8, b"\x03\xe8"), from_server(FIN | 9, b""), from_server(FIN | 1, b"late")].concat();
    assert_eq!(
        told(read_every_way(server(None), &stream)),
        ["Close \u{3}\u{FFFD}", "Ping ", "6: a data frame follows a Close frame", "Text late"]
    );
}

#[test]
fn each_broken_rule_is_told_before_what_breaks_it() {
    let long = [b'x'; 126];
    let cut = format!("Ping {}", "x".repeat(125));
    let cases: Vec<(Vec<u8>, Vec<&str>)> = vec![
        (frame(FIN | 1, Some(MASK), b"a"), vec!["0: a server's frame is masked", "Text a"]),
        (from_server(FIN | RSV2 | 1, b"a"), vec!["0: RSV2 or RSV3 is set though no extension uses it", "Text a"]),
        (from_server(FIN | RSV1 | 1, b"a"), vec!["0: RSV1 is set though no compression was agreed", "Text a"]),
        (from_server(FIN | RSV1 | 9, b"a"), vec!["0: RSV1 is set on a control frame", "Ping a"]),
        (
            [from_server(1, b"a"), from_server(FIN | RSV1, b"b")].concat(),
            vec!["3: RSV1 is set on a continuation frame", "Text ab"],
        ),
        (b"\x81\x7e\x00\x01a".to_vec(), vec!["0: a length is not written in its shortest form", "Text a"]),
        (
            b"\x89\x7f\x00\x00\x00\x00\x00\x00\x00\x01a".to_vec(),
            vec!["0: a length is not written in its shortest form", "Ping a"],
        ),
        (from_server(FIN | 3, b"a"), vec!["0: the opcode is reserved", "Reserved(3) a"]),
        (
            [from_server(7, b"a"), from_server(FIN | 0xF, b"c"), from_server(FIN, b"b")].concat(),
            vec!["0: the opcode is reserved", "3: the opcode is reserved", "Reserved(15) c", "Reserved(7) ab"],
        ),
        (from_server(9, b"a"), vec!["0: a control frame is fragmented", "Ping a"]),
        (
            [from_server(FIN | 9, &long), from_server(FIN | 1, b"a")].concat(),
            vec!["0: a control frame has more than 125 payload bytes", &cut, "Text a"],
        ),
        (from_server(FIN | 8, b"a"), vec!["0: a Close payload is too short for its status code", "Close a"]),
        (
            [from_server(0, b"a"), from_server(FIN, b"b"), from_server(FIN, b"c")].concat(),
            vec![
                "0: a continuation frame has no message to continue",
                "Binary ab",
                "6: a continuation frame has no message to continue",
                "Binary c",
            ],
        ),
        (
            [from_server(1, b"a"), from_server(2, b"b"), from_server(FIN, b"c")].concat(),
            vec!["3: a message begins before the one before it is complete", "Text a truncated", "Binary bc"],
        ),
    ];
    for (stream, expected) in cases {
        assert_eq!(told(read_every_way(server(None), &stream)), expected);
    }
    let stray = told(read_every_way(server(Some(TAKEOVER)), &from_server(FIN | RSV1, b"raw")));
    assert_eq!(
        stray,
        ["0: RSV1 is set on a continuation frame", "0: a continuation frame has no message to continue", "Binary raw"]
    );
    let unmasked = told(read_every_way(client(None), &from_server(FIN | 1, b"a")));
    assert_eq!(unmasked, ["0: a client's frame is not masked", "Text a"]);
}

#[test]
fn rsv1_without_an_agreement_is_told_with_its_raw_bytes() {
    let outcome = read_every_way(server(None), b"\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00");
    let raw = Message { compressed: true, ..text(b"\xf2\x48\xcd\xc9\xc9\x07\x00") };
    assert_eq!(outcome[1..], [Ok(Item::Message(raw))]);
    assert!(matches!(outcome[0], Ok(Item::Violation { offset: 0, .. })));
}

#[test]
fn uncompressed_messages_mix_with_compressed_ones() {
    let mut deflater = deflater(15);
    let stream: Vec<u8> = (0..6)
        .flat_map(|i| match i % 2 {
            0 => from_server(FIN | RSV1 | 1, &deflated(&mut deflater, b"<presence/>")),
            _ => from_server(FIN | 1, b"<presence/>"),
        })
        .collect();
    assert_eq!(told(read_every_way(server(Some(TAKEOVER)), &stream)), ["Text <presence/>"; 6]);
}

#[test]
fn every_window_size_and_takeover_reads_alike() {
    for bits in 9..=15 {
        let mut with_takeover = deflater(bits);
        let payload: Vec<u8> = (0..10_000u32).flat_map(|i| (i * i % 8191).to_le_bytes()).collect();
        for deflate in [TAKEOVER, NO_TAKEOVER] {
            let mut decoder = client(Some(deflate))();
            for _ in 0..3 {
                let body = match deflate == TAKEOVER {
                    true => deflated(&mut with_takeover, &payload),
                    false => deflated(&mut self::deflater(bits), &payload),
                };
                decoder.feed(frame(FIN | RSV1 | 2, Some(MASK), &body).into());
                let Some(Ok(Item::Message(message))) = decoder.next() else { panic!("a message") };
                assert!(message.payload == payload && message.wire_bytes == body.len() as u64);
            }
        }
    }
}

/// A reference behind the window start is an error, so the earlier message must not linger.
#[test]
fn no_context_takeover_forgets_each_message() {
    let stream = b"\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00\xc1\x05\xf2\x00\x11\x00\x00";
    assert_eq!(told(read_every_way(server(Some(TAKEOVER)), stream)), ["Text Hello", "Text Hello"]);
    assert_eq!(
        told(read_every_way(server(Some(NO_TAKEOVER)), stream)),
        ["Text Hello", "9! a compressed message is not valid DEFLATE"]
    );
}

#[test]
fn a_message_cut_off_by_another_takes_the_window_with_it() {
    let hello = b"\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00";
    let stream = [&b"\x41\x03\xf2\x48\xcd"[..], hello, b"\xc1\x05\xf2\x00\x11\x00\x00"].concat();
    assert_eq!(
        told(read_every_way(server(Some(TAKEOVER)), &stream)),
        ["5: a message begins before the one before it is complete", "Text He truncated", "Text Hello", "Text Hello"]
    );
}

#[test]
fn the_end_inside_a_message_tells_what_came() {
    for (stream, expected) in [
        (&b"\x81\x05Hel"[..], vec!["Text Hel truncated"]),
        (b"\x81\x05", vec!["Text  truncated"]),
        (b"\x81\x7e\x00", vec![]),
        (b"\x01\x03Hel", vec!["Text Hel truncated"]),
        (b"\x01\x03Hel\x80", vec!["Text Hel truncated"]),
        (b"\x01\x03Hel\x89\x02p", vec!["Text Hel truncated"]),
        (b"\xc1\x07\xf2\x48\xcd", vec!["Text He truncated"]),
    ] {
        assert_eq!(told(read_every_way(server(Some(TAKEOVER)), stream)), expected);
    }
    let mut decoder = server(None)();
    decoder.end();
    decoder.feed(Bytes::from_static(b"\x81\x05Hello"));
    assert_eq!(decoder.next(), None);
}

/// DEFLATE packs 258 bytes into a bit or two, so the last byte in may leave more to come out than there was room for.
#[test]
fn the_end_inside_a_compressed_run_tells_all_that_came() {
    let stream = from_server(FIN | RSV1 | 1, &deflated(&mut deflater(15), &[b'A'; 20_000]));
    for end in 2..stream.len() {
        let outcome = read_every_way(server(Some(TAKEOVER)), &stream[..end]);
        assert!(matches!(&outcome[..], [Ok(Item::Message(message))] if message.truncated));
    }
}

#[test]
fn a_message_beyond_the_limit_is_cut_and_counted() {
    let limits = Limits { message_bytes: 4, ..Limits::default() };
    let mut deflater = deflater(15);
    let compressed = deflated(&mut deflater, b"Hello");
    let wire_bytes = compressed.len() as u64;
    let stream = [
        from_server(FIN | 1, b"Hello"),
        from_server(FIN | 1, b"Hell"),
        [from_server(1, b"Hel"), from_server(FIN, b"lo")].concat(),
        from_server(FIN | RSV1 | 1, &compressed),
    ];
    let cut = Message { payload: Bytes::from_static(b"Hell"), truncated: true, ..text(b"Hello") };
    let expected = [
        Ok(Item::Message(cut.clone())),
        Ok(Item::Message(text(b"Hell"))),
        Ok(Item::Message(Message { fragments: 2, ..cut.clone() })),
        Ok(Item::Message(Message { wire_bytes, compressed: true, ..cut })),
    ];
    assert_eq!(read_every_way(|| Decoder::new(Direction::S2c, Some(TAKEOVER), limits), &stream.concat()), expected);
}

#[test]
fn a_deflate_bomb_is_dropped_as_it_inflates_and_the_window_stays_in_step() {
    let bomb = vec![b'A'; 8 << 20];
    let mut deflater = deflater(15);
    let first = deflated(&mut deflater, &bomb);
    let second = deflated(&mut deflater, &[b"AAAAAAAAAAAAAAAAAAAA".as_slice(), b"tail"].concat());
    let stream = [from_server(FIN | RSV1 | 2, &first), from_server(FIN | RSV1 | 1, &second)].concat();
    let limits = Limits { message_bytes: 64, inflate_bytes: 8 << 20 };
    for piece_bytes in [stream.len(), 1, 1000] {
        let outcome = read(Decoder::new(Direction::S2c, Some(TAKEOVER), limits), stream.chunks(piece_bytes));
        let cut = Message {
            payload: Bytes::from(vec![b'A'; 64]),
            wire_bytes: first.len() as u64,
            compressed: true,
            truncated: true,
            ..message(Opcode::Binary, &bomb)
        };
        assert_eq!(outcome[0], Ok(Item::Message(cut)));
        assert_eq!(told(outcome)[1..], ["Text AAAAAAAAAAAAAAAAAAAAtail"]);
        let limits = Limits { inflate_bytes: (8 << 20) - 1, ..limits };
        let outcome = read(Decoder::new(Direction::S2c, Some(TAKEOVER), limits), stream.chunks(piece_bytes));
        assert_eq!(told(outcome), ["0! a compressed message inflates beyond the limit"]);
    }
}

#[test]
fn a_frame_that_claims_everything_reserves_nothing() {
    for header in [&b"\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff"[..], b"\x89\x7f\x7f\xff\xff\xff\xff\xff\xff\xff"] {
        let limits = Limits { message_bytes: 1000, ..Limits::default() };
        let mut decoder = Decoder::new(Direction::S2c, None, limits);
        decoder.feed(Bytes::copy_from_slice(header));
        for _ in 0..100 {
            decoder.feed(Bytes::from(vec![b'x'; 100]));
            while decoder.next().is_some() {}
            assert!(decoder.message.as_ref().is_none_or(|message| message.payload.capacity() <= 1000));
            assert!(decoder.control.capacity() <= CONTROL_BYTES);
        }
        decoder.end();
        if let Some(result) = decoder.next() {
            let cut = Message {
                payload: Bytes::from(vec![b'x'; 1000]),
                truncated: true,
                ..message(Opcode::Binary, &[b'x'; 10_000])
            };
            assert_eq!(result, Ok(Item::Message(cut)));
        }
        assert_eq!(decoder.next(), None);
    }
}

#[test]
fn an_error_ends_the_direction() {
    let stream = b"\x81\x01a\x81\x7f\x80\x00\x00\x00\x00\x00\x00\x00rest\x81\x01b";
    assert_eq!(told(read_every_way(server(None), stream)), ["Text a", "3! a frame's length has its top bit set"]);
    let stream = b"\x81\x01a\xc1\x03\xff\xff\xff\x81\x01b";
    assert_eq!(
        told(read_every_way(server(Some(TAKEOVER)), stream)),
        ["Text a", "3! a compressed message is not valid DEFLATE"]
    );
}

#[test]
fn a_whole_unmasked_message_is_a_slice_of_what_was_fed() {
    let stream = Bytes::from([from_server(FIN | 1, b"one"), from_server(FIN | 2, &[7; 500])].concat());
    let mut decoder = server(None)();
    decoder.feed(stream.clone());
    for at in [2, 9] {
        let Some(Ok(Item::Message(message))) = decoder.next() else { panic!("a message") };
        assert_eq!(message.payload.as_ptr(), stream[at..].as_ptr());
    }
}

#[test]
fn between_messages_nothing_is_held() {
    let mut decoder = server(Some(NO_TAKEOVER))();
    let chunk = Bytes::from(
        [from_server(FIN | RSV1 | 1, &deflated(&mut deflater(15), b"x")), from_server(FIN | 1, b"y")].concat(),
    );
    decoder.feed(chunk.clone());
    while decoder.next().is_some() {}
    assert!(decoder.input.is_empty() && decoder.inflater.is_none() && decoder.message.is_none());
    assert_eq!(decoder.control.capacity(), 0);
    drop(decoder.next());
    assert!(chunk.is_unique(), "the fed buffer is let go");
}

#[test]
fn debug_output_shows_no_payload() {
    let mut decoder = server(None)();
    decoder.feed(Bytes::from([from_server(FIN | 1, b"canary"), from_server(FIN | 9, b"canary")].concat()));
    let mut seen = format!("{decoder:?}");
    seen.extend(std::iter::from_fn(|| decoder.next()).map(|item| format!("{item:?}")));
    assert!(!seen.contains("canary") && seen.contains("kept_bytes: 6"), "{seen}");
}

/// One message to be sent: how, and in which fragments.
#[derive(Clone, Debug)]
struct Sent {
    opcode: u8,
    payload: Vec<u8>,
    compress: bool,
    cuts: Vec<prop::sample::Index>,
    ping: Option<Vec<u8>>,
    mask: [u8; 4],
}

fn sent() -> impl Strategy<Value = Sent> {
    let word = prop::sample::select(vec!["<item/>", "agent", "\u{e9}", "NOT_READY", " "]);
    let payload = prop_oneof![
        6 => vec(word, 0..40).prop_map(|words| words.concat().into_bytes()),
        6 => vec(any::<u8>(), 0..300),
        6 => (0..3000usize).prop_map(|size| vec![b'z'; size]),
        1 => (65_000..66_000usize).prop_map(|size| vec![b'z'; size]),
    ];
    (
        1..=2u8,
        payload,
        any::<bool>(),
        vec(any::<prop::sample::Index>(), 0..4),
        prop::option::of(vec(any::<u8>(), 0..=125)),
        any::<[u8; 4]>(),
    )
        .prop_map(|(opcode, payload, compress, cuts, ping, mask)| Sent {
            opcode,
            payload,
            compress,
            cuts,
            ping,
            mask,
        })
}

/// The stream a sender makes of `messages`, and what should be read of it.
fn encode(messages: &[Sent], direction: Direction, deflate: Option<Deflate>) -> (Vec<u8>, Vec<Item>) {
    let (mut stream, mut items) = (Vec::new(), Vec::new());
    let mut deflater = deflater(15);
    for sent in messages {
        let mask = (direction == Direction::C2s).then_some(sent.mask);
        let compressed = sent.compress && deflate.is_some();
        let body = if compressed { deflated(&mut deflater, &sent.payload) } else { sent.payload.clone() };
        if deflate == Some(NO_TAKEOVER) {
            deflater.reset();
        }
        let mut cuts: Vec<usize> = sent.cuts.iter().map(|cut| cut.index(body.len() + 1)).collect();
        cuts.push(0);
        cuts.push(body.len());
        cuts.sort_unstable();
        let fragments = cuts.len() - 1;
        for (index, ends) in cuts.windows(2).enumerate() {
            let first = if index == 0 { sent.opcode | if compressed { RSV1 } else { 0 } } else { 0 };
            let fin = if index + 1 == fragments { FIN } else { 0 };
            stream.extend(frame(first | fin, mask, &body[ends[0]..ends[1]]));
            if let (0, Some(ping)) = (fin, &sent.ping) {
                stream.extend(frame(FIN | 9, mask, ping));
                items.push(control(Opcode::Ping, ping));
            }
        }
        items.push(Item::Message(Message {
            wire_bytes: body.len() as u64,
            fragments: fragments as u64,
            compressed,
            ..message(Opcode::from(sent.opcode), &sent.payload)
        }));
    }
    (stream, items)
}

fn pieces<'s>(stream: &'s [u8], cuts: &[prop::sample::Index]) -> Vec<&'s [u8]> {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
    cuts.extend([0, stream.len()]);
    cuts.sort_unstable();
    cuts.windows(2).map(|ends| &stream[ends[0]..ends[1]]).collect()
}

fn agreement() -> impl Strategy<Value = Option<Deflate>> {
    prop::sample::select(vec![None, Some(TAKEOVER), Some(NO_TAKEOVER)])
}

fn direction() -> impl Strategy<Value = Direction> {
    prop::sample::select(vec![Direction::C2s, Direction::S2c])
}

fn cuts() -> impl Strategy<Value = Vec<prop::sample::Index>> {
    vec(any::<prop::sample::Index>(), 0..30)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_sent_is_read(messages in vec(sent(), 0..6), way in direction(), deflate in agreement(), cuts in cuts()) {
        let (stream, items) = encode(&messages, way, deflate);
        let decoder = Decoder::new(way, deflate, Limits::default());
        prop_assert_eq!(read(decoder, pieces(&stream, &cuts)), items.into_iter().map(Ok).collect::<Outcome>());
    }

    /// Also under limits that bite.
    #[test]
    fn a_damaged_stream_reads_the_same_however_it_is_cut(
        messages in vec(sent(), 1..5), way in direction(), deflate in agreement(), cuts in cuts(),
        damage in vec((any::<prop::sample::Index>(), any::<u8>()), 0..8), small in any::<bool>(),
    ) {
        let (mut stream, _) = encode(&messages, way, deflate);
        for (place, byte) in damage {
            let place = place.index(stream.len());
            stream[place] = byte;
        }
        let limits = if small { Limits { message_bytes: 50, inflate_bytes: 200 } } else { Limits::default() };
        let new = || Decoder::new(way, deflate, limits);
        let whole = read(new(), [&stream[..]]);
        prop_assert_eq!(&read(new(), pieces(&stream, &cuts)), &whole);
        prop_assert_eq!(&read(new(), stream.chunks(1)), &whole);
    }

    #[test]
    fn noise_reads_the_same_however_it_is_cut(
        noise in vec(prop_oneof![any::<u8>(), 0..4u8, Just(FIN | RSV1 | 1)], 0..600), way in direction(), deflate in agreement(), cuts in cuts(),
    ) {
        let new = || Decoder::new(way, deflate, Limits { message_bytes: 100, inflate_bytes: 1000 });
        let whole = read(new(), [&noise[..]]);
        prop_assert_eq!(&read(new(), pieces(&noise, &cuts)), &whole);
        prop_assert_eq!(&read(new(), noise.chunks(1)), &whole);
        prop_assert!(whole.iter().rev().skip(1).all(Result::is_ok), "nothing follows an error");
    }
}
