//! Frames of HTTP/2 (RFC 9113) by their names: `get:1:/x`, `200:1`, `goaway:5:11`.

/// The frames that a text names, one after the other.
pub(super) fn frames(text: &str) -> Vec<u8> {
    text.split_ascii_whitespace().flat_map(named).collect()
}

fn named(word: &str) -> Vec<u8> {
    let parts: Vec<&str> = word.split(':').collect();
    let number = |nth: usize| parts[nth].parse::<u32>().unwrap_or_else(|_| panic!("`{word}` lacks a number"));
    let four = |number: u32| number.to_be_bytes().to_vec();
    match parts[0] {
        "preface" => [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), frame(4, 0, 0, &[])].concat(),
        // settings:3=100,8=1
        "settings" => {
            let pairs = parts[1].split(',').filter_map(|pair| pair.split_once('='));
            let setting = |(id, value): (&str, &str)| {
                [id.parse::<u16>().unwrap().to_be_bytes().to_vec(), four(value.parse().unwrap())].concat()
            };
            frame(4, 0, 0, &pairs.flat_map(setting).collect::<Vec<u8>>())
        }
        // get:STREAM:PATH[:BYTES OF A HEADER FIELD]
        "get" => {
            let cookie = "x".repeat(parts.get(3).map_or(0, |bytes| bytes.parse().unwrap()));
            let fields = [(":method", "GET"), (":scheme", "https"), (":path", parts[2]), ("cookie", &cookie)];
            frame(1, 5, number(1), &block(&fields))
        }
        "connect" => {
            let fields = [(":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "https"), (":path", "/ws/")];
            frame(1, 4, number(1), &block(&[&fields[..], &[("sec-websocket-protocol", "xmpp")]].concat()))
        }
        "data" => frame(0, 0, number(1), &vec![b'x'; usize::try_from(number(2)).unwrap()]),
        "end" => frame(0, 1, number(1), &[]),
        "reset" => frame(3, 0, number(1), &four(number(2))),
        "goaway" => frame(7, 0, 0, &[four(number(1)), four(number(2))].concat()),
        "window" => frame(8, 0, number(1), &four(number(2))),
        "ping" => frame(6, 0, 0, &[7; 8]),
        "pong" => frame(6, 1, 0, &[7; 8]),
        // STATUS:STREAM, with `:open` more comes.
        status => {
            let flags = if parts.get(2) == Some(&"open") { 4 } else { 5 };
            frame(1, flags, number(1), &block(&[(":status", status)]))
        }
    }
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// Literals that enter no table (RFC 7541 section 6.2.2).
fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let text = |text: &str| {
        let mut out = Vec::new();
        match u8::try_from(text.len()) {
            Ok(length @ ..127) => out.push(length),
            _ => {
                let mut rest = text.len() - 127;
                out.push(127);
                while rest >= 128 {
                    out.push(u8::try_from(rest % 128).unwrap() | 128);
                    rest /= 128;
                }
                out.push(u8::try_from(rest).unwrap());
            }
        }
        out.extend(text.bytes());
        out
    };
    let shown = fields.iter().filter(|(_, value)| !value.is_empty());
    shown.flat_map(|(name, value)| [vec![0], text(name), text(value)].concat()).collect()
}
