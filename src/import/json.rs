//! JSON taken apart by slices: where a value ends is found without reading it, so that a HAR of any size costs one buffer.
//!
//! [`Json`] stands at a place of a stream and steps over values or hands out their bytes whole; what is in them is for
//! `serde_json`. Brackets and strings are matched, nothing else is judged here. Limits: nesting of [`MAX_DEPTH`], and
//! whatever a caller allows a value to take.

use std::io::{self, Read};

/// What is nested deeper is not read: `serde_json` would not read it either.
pub(super) const MAX_DEPTH: u32 = 127;

/// Why a value could not be stepped over.
#[derive(Debug)]
pub(super) enum Fault {
    /// The stream ended in it.
    Eof,
    /// What stands there is no value, or brackets do not match.
    Syntax,
    /// It is larger than allowed.
    Large,
    /// It is not what was wanted.
    Other,
    /// The stream could not be read.
    Io(io::Error),
}

/// A place in a stream of JSON.
pub(super) struct Json<R> {
    reader: R,
    buffer: Vec<u8>,
    /// What of the buffer is still to come.
    at: usize,
    filled: usize,
    /// Where in the stream the buffer begins.
    base: u64,
}

impl<R: Read> Json<R> {
    /// A stream whose first byte is at `offset` of a file, read `buffer_bytes` at a time.
    pub(super) fn new(reader: R, offset: u64, buffer_bytes: usize) -> Self {
        Self { reader, buffer: vec![0; buffer_bytes], at: 0, filled: 0, base: offset }
    }

    /// Where it stands.
    pub(super) fn offset(&self) -> u64 {
        self.base + self.at as u64
    }

    /// The next byte that is no white space; it is not taken.
    pub(super) fn peek(&mut self) -> Result<u8, Fault> {
        loop {
            let rest = self.buffer.get(self.at..self.filled).unwrap_or_default();
            if let Some(skip) = rest.iter().position(|byte| !byte.is_ascii_whitespace()) {
                self.at += skip;
                return rest.get(skip).copied().ok_or(Fault::Eof);
            }
            self.at = self.filled;
            if self.fill()? == 0 {
                return Err(Fault::Eof);
            }
        }
    }

    /// Takes the next byte that is no white space if it is `byte`.
    pub(super) fn takes(&mut self, byte: u8) -> Result<bool, Fault> {
        let found = self.peek()? == byte;
        self.at += usize::from(found);
        Ok(found)
    }

    /// Takes `byte`, which has to come.
    pub(super) fn expect(&mut self, byte: u8) -> Result<(), Fault> {
        if self.takes(byte)? { Ok(()) } else { Err(Fault::Syntax) }
    }

    /// Steps into the next member of an object whose brace or last value is behind it: its name, as it is written with
    /// its quotes; `None` behind the last.
    pub(super) fn member(&mut self, first: &mut bool) -> Result<Option<Vec<u8>>, Fault> {
        if !self.goes_on(first, b'}')? {
            return Ok(None);
        }
        if self.peek()? != b'"' {
            return Err(Fault::Syntax);
        }
        let name = self.value(MAX_NAME_BYTES)?.to_vec();
        self.expect(b':')?;
        Ok(Some(name))
    }

    /// Steps to the next element of a list; `false` behind the last.
    pub(super) fn element(&mut self, first: &mut bool) -> Result<bool, Fault> {
        self.goes_on(first, b']')
    }

    fn goes_on(&mut self, first: &mut bool, end: u8) -> Result<bool, Fault> {
        if self.takes(end)? {
            return Ok(false);
        }
        if !std::mem::take(first) {
            self.expect(b',')?;
        }
        Ok(true)
    }

    /// Takes the value that comes and gives its bytes, of which there may be `limit_bytes`.
    pub(super) fn value(&mut self, limit_bytes: u64) -> Result<&[u8], Fault> {
        self.peek()?;
        let mut extent = Extent::default();
        let mut seen = 0;
        loop {
            let rest = self.buffer.get(self.at + seen..self.filled).unwrap_or_default();
            match extent.end(rest)? {
                Some(more) => {
                    let begin = self.at;
                    self.at += seen + more;
                    return self.buffer.get(begin..self.at).ok_or(Fault::Eof);
                }
                None => seen += rest.len(),
            }
            if seen as u64 > limit_bytes {
                return Err(Fault::Large);
            }
            if self.fill()? == 0 {
                return self.rest_if_scalar(&extent);
            }
        }
    }

    /// Steps over the value that comes, of which there may be `limit_bytes`, holding none of it.
    pub(super) fn skip(&mut self, limit_bytes: u64) -> Result<(), Fault> {
        self.peek()?;
        let mut extent = Extent::default();
        let mut seen = 0_u64;
        loop {
            let rest = self.buffer.get(self.at..self.filled).unwrap_or_default();
            let end = extent.end(rest)?;
            seen += end.unwrap_or(rest.len()) as u64;
            if seen > limit_bytes {
                return Err(Fault::Large);
            }
            if let Some(end) = end {
                self.at += end;
                return Ok(());
            }
            self.at = self.filled;
            if self.fill()? == 0 {
                return self.rest_if_scalar(&extent).map(|_| ());
            }
        }
    }

    /// A number may end with its stream.
    fn rest_if_scalar(&mut self, extent: &Extent) -> Result<&[u8], Fault> {
        if !extent.is_scalar() {
            return Err(Fault::Eof);
        }
        let begin = self.at;
        self.at = self.filled;
        self.buffer.get(begin..self.filled).ok_or(Fault::Eof)
    }

    /// Reads on; what is still to come stays whole in the buffer.
    fn fill(&mut self) -> Result<usize, Fault> {
        if self.at > 0 {
            self.buffer.copy_within(self.at..self.filled, 0);
            self.base += self.at as u64;
            self.filled -= self.at;
            self.at = 0;
        }
        if self.filled == self.buffer.len() {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        let room = self.buffer.get_mut(self.filled..).unwrap_or_default();
        loop {
            match self.reader.read(room) {
                Ok(count) => {
                    self.filled += count;
                    return Ok(count);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Fault::Io(error)),
            }
        }
    }
}

/// Longest name of a member, bytes.
const MAX_NAME_BYTES: u64 = 64 << 10;

/// Finds where one value ends.
#[derive(Default)]
struct Extent {
    state: State,
    /// Open brackets, the innermost lowest; set for a brace.
    braces: u128,
    depth: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum State {
    #[default]
    Begin,
    /// A number or a word.
    Scalar,
    /// Between the brackets of something.
    Inside,
    Text,
    /// Behind a backslash.
    Escape,
}

impl Extent {
    fn is_scalar(&self) -> bool {
        self.state == State::Scalar
    }

    /// How many of these bytes belong to the value, if it ends in them.
    fn end(&mut self, bytes: &[u8]) -> Result<Option<usize>, Fault> {
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            match self.state {
                State::Text => {
                    let rest = bytes.get(at..).unwrap_or_default();
                    let Some(found) = memchr::memchr2(b'"', b'\\', rest) else { return Ok(None) };
                    at += found + 1;
                    if rest.get(found) == Some(&b'\\') {
                        self.state = State::Escape;
                    } else if self.depth == 0 {
                        return Ok(Some(at));
                    } else {
                        self.state = State::Inside;
                    }
                }
                State::Escape => {
                    self.state = State::Text;
                    at += 1;
                }
                State::Scalar => {
                    if byte.is_ascii_whitespace() || matches!(byte, b',' | b']' | b'}') {
                        return Ok(Some(at));
                    }
                    at += 1;
                }
                State::Begin | State::Inside => {
                    at += 1;
                    match byte {
                        b'"' => self.state = State::Text,
                        b'{' | b'[' => self.open(byte == b'{')?,
                        b'}' | b']' => {
                            self.close(byte == b'}')?;
                            if self.depth == 0 {
                                return Ok(Some(at));
                            }
                        }
                        b'-' | b'0'..=b'9' | b'a'..=b'z' if self.state == State::Begin => self.state = State::Scalar,
                        _ if self.state == State::Begin => return Err(Fault::Syntax),
                        _ => {}
                    }
                }
            }
        }
        Ok(None)
    }

    fn open(&mut self, is_brace: bool) -> Result<(), Fault> {
        if self.depth == MAX_DEPTH {
            return Err(Fault::Syntax);
        }
        self.depth += 1;
        self.braces = self.braces << 1 | u128::from(is_brace);
        self.state = State::Inside;
        Ok(())
    }

    fn close(&mut self, is_brace: bool) -> Result<(), Fault> {
        if self.depth == 0 || (self.braces & 1 == 1) != is_brace {
            return Err(Fault::Syntax);
        }
        self.depth -= 1;
        self.braces >>= 1;
        Ok(())
    }
}

/// The same JSON as what `serde_json` reads: bytes that are no Unicode and escapes of lone surrogates become U+FFFD,
/// control characters blanks.
pub(super) fn repaired(json: &[u8]) -> Vec<u8> {
    let mut out = String::from_utf8_lossy(json).into_owned().into_bytes();
    let mut at = 0;
    while let Some(found) = memchr::memchr(b'\\', out.get(at..).unwrap_or_default()) {
        at += found;
        let step = match (unit(&out, at), unit(&out, at + UNIT)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => 2 * UNIT,
            (Some(0xd800..=0xdfff), _) => {
                if let Some(digits) = out.get_mut(at + 2..at + UNIT) {
                    digits.copy_from_slice(b"fffd");
                }
                UNIT
            }
            (Some(_), _) => UNIT,
            (None, _) => 2,
        };
        at += step;
    }
    for byte in &mut out {
        if *byte < b' ' {
            *byte = b' ';
        }
    }
    out
}

/// Bytes of an escaped UTF-16 unit.
const UNIT: usize = 6;

/// The UTF-16 unit whose escape is at `at`.
fn unit(json: &[u8], at: usize) -> Option<u32> {
    let digits = json.get(at..at + UNIT)?.strip_prefix(b"\\u")?;
    u32::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    /// Gives one byte a call.
    struct Trickle<'b>(&'b [u8]);

    impl Read for Trickle<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0.read(buffer.get_mut(..1).unwrap_or_default())
        }
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            ".*".prop_map(Value::from),
            "[\\\\\"{}\\[\\]]*".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::vec((".*", inner), 0..6)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_value_ends_where_serde_says(value in any_json(), pretty: bool) {
            let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
            let stream = format!(" \n{text} , 7");
            let mut whole = Json::new(stream.as_bytes(), 0, 8);
            prop_assert_eq!(whole.value(u64::MAX).unwrap(), text.as_bytes());
            prop_assert_eq!(whole.offset(), 2 + text.len() as u64);
            let mut trickle = Json::new(Trickle(stream.as_bytes()), 0, 8);
            trickle.skip(u64::MAX).unwrap();
            prop_assert_eq!(trickle.offset(), 2 + text.len() as u64);
            prop_assert!(trickle.takes(b',').unwrap());
            prop_assert_eq!(trickle.value(u64::MAX).unwrap(), b"7");
        }

        #[test]
        fn nothing_makes_it_panic(bytes: Vec<u8>) {
            let mut json = Json::new(&bytes[..], 0, 1);
            while json.skip(1_000).is_ok() {}
            let _ = serde_json::from_slice::<Value>(&repaired(&bytes));
        }
    }

    #[test]
    fn limits_and_faults_are_told() {
        let fault = |text: &str, limit| Json::new(text.as_bytes(), 0, 4).value(limit).unwrap_err();
        assert!(matches!(fault("[1,2", 100), Fault::Eof));
        assert!(matches!(fault("{]", 100), Fault::Syntax));
        assert!(matches!(fault("}", 100), Fault::Syntax));
        assert!(matches!(fault(&format!("\"{}\"", "x".repeat(100)), 50), Fault::Large));
        assert!(matches!(fault(&"[".repeat(200), 1_000), Fault::Syntax));
        assert!(matches!(Json::new(&b"[1]   "[..], 0, 4).skip(2), Err(Fault::Large)));
    }

    #[test]
    fn what_is_no_unicode_is_replaced_and_nothing_else() {
        let text = |json: &[u8]| serde_json::from_slice::<String>(&repaired(json)).unwrap();
        assert_eq!(text(b"\"M\xfcller\""), "M\u{fffd}ller");
        assert_eq!(text(br#""M\udcfcller \ud83d\ude00 \ud83d! \\ud83d""#), "M\u{fffd}ller \u{1f600} \u{fffd}! \\ud83d");
        assert_eq!(text(b"\"a\tb\""), "a b");
        assert_eq!(text(br#""\ud83d\ud83d\ude00""#), "\u{fffd}\u{1f600}");
    }
}
