//! HPACK (RFC 7541) read passively: a header block becomes its fields, and the dynamic table follows the encoder's.
//!
//! One [`Decoder`] a direction. It must see every block from the first one on: after a fault, or with a block missing, what
//! follows has no meaning. Allocates only what it keeps in the table, whose size the receiver's setting bounds; what is done
//! with the fields, and how many are kept, is the caller's.

use super::table::{EOS, HUFFMAN, MAX_BITS, STATIC};
use std::collections::VecDeque;

/// What a table holds unless another size is agreed upon, bytes (RFC 9113 section 6.5.2).
const DEFAULT_TABLE_BYTES: usize = 4_096;
/// What an entry counts beside its name and value, bytes (RFC 7541 section 4.1).
const ENTRY_BYTES: usize = 32;
/// The most that a table is followed to, bytes. Browsers ask for 65,536.
pub(super) const MAX_TABLE_BYTES: usize = 1 << 20;

/// A constant sentence; never a byte of the input.
pub(super) type Fault = &'static str;

/// Reads the blocks of one direction.
pub(super) struct Decoder {
    /// The newest first.
    entries: VecDeque<(Vec<u8>, Vec<u8>)>,
    bytes: usize,
    /// What the encoder has said it uses.
    limit_bytes: usize,
    /// What it may say.
    allowed_bytes: usize,
}

impl Decoder {
    pub(super) fn new() -> Self {
        let (limit_bytes, allowed_bytes) = (DEFAULT_TABLE_BYTES, DEFAULT_TABLE_BYTES);
        Self { entries: VecDeque::new(), bytes: 0, limit_bytes, allowed_bytes }
    }

    /// The receiver's setting lets the table grow so far. An earlier, larger one may still be in use until it is acknowledged.
    pub(super) fn allow(&mut self, bytes: usize) {
        self.allowed_bytes = self.allowed_bytes.max(bytes).min(MAX_TABLE_BYTES);
    }

    /// Reads a whole block and gives its fields to `each`, in order.
    pub(super) fn decode(&mut self, block: &[u8], each: &mut dyn FnMut(&[u8], &[u8])) -> Result<(), Fault> {
        let mut input = Input(block);
        let mut has_fields = false;
        while let Some(&first) = input.0.first() {
            match first {
                0x80.. => {
                    let index = input.integer(7)?;
                    let (name, value) = self.entry(index)?;
                    each(name, value);
                }
                0x40..0x80 => {
                    let (name, value) = self.literal(&mut input, 6)?;
                    each(&name, &value);
                    self.insert(name, value);
                }
                0x20..0x40 => {
                    if has_fields {
                        return Err("a table size update behind a header field");
                    }
                    let bytes = input.integer(5)?;
                    if bytes > self.allowed_bytes {
                        return Err("a header table larger than was agreed upon, or than the limit");
                    }
                    self.limit_bytes = bytes;
                    self.evict(0);
                    continue;
                }
                _ => {
                    let (name, value) = self.literal(&mut input, 4)?;
                    each(&name, &value);
                }
            }
            has_fields = true;
        }
        Ok(())
    }

    fn literal(&self, input: &mut Input<'_>, prefix_bits: u8) -> Result<(Vec<u8>, Vec<u8>), Fault> {
        let name = match input.integer(prefix_bits)? {
            0 => input.string()?,
            index => self.entry(index)?.0.to_vec(),
        };
        Ok((name, input.string()?))
    }

    /// RFC 7541 section 2.3.3.
    fn entry(&self, index: usize) -> Result<(&[u8], &[u8]), Fault> {
        let index = index.checked_sub(1).ok_or("index 0 of the header table")?;
        if let Some((name, value)) = STATIC.get(index) {
            return Ok((name.as_bytes(), value.as_bytes()));
        }
        let entry = self.entries.get(index - STATIC.len()).ok_or("an index that the header table does not have")?;
        Ok((&entry.0, &entry.1))
    }

    /// RFC 7541 section 4.4.
    fn insert(&mut self, name: Vec<u8>, value: Vec<u8>) {
        let bytes = name.len() + value.len() + ENTRY_BYTES;
        self.evict(bytes);
        if bytes <= self.limit_bytes {
            self.bytes += bytes;
            self.entries.push_front((name, value));
        }
    }

    /// Makes room for so many bytes.
    fn evict(&mut self, bytes: usize) {
        while self.bytes.saturating_add(bytes) > self.limit_bytes
            && let Some((name, value)) = self.entries.pop_back()
        {
            self.bytes -= name.len() + value.len() + ENTRY_BYTES;
        }
    }
}

/// What is left of a block.
struct Input<'b>(&'b [u8]);

impl Input<'_> {
    fn byte(&mut self) -> Result<u8, Fault> {
        let (&byte, rest) = self.0.split_first().ok_or("a header block that ends within a field")?;
        self.0 = rest;
        Ok(byte)
    }

    /// RFC 7541 section 5.1, at most 32 bits.
    fn integer(&mut self, prefix_bits: u8) -> Result<usize, Fault> {
        let mask = (1_u16 << prefix_bits) - 1;
        let prefix = u16::from(self.byte()?) & mask;
        let mut value = u64::from(prefix);
        if prefix < mask {
            return Ok(usize::from(prefix));
        }
        for shift in [0, 7, 14, 21, 28] {
            let byte = self.byte()?;
            value += u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                let value = u32::try_from(value).map_err(|_| "an integer of more than 32 bits in a header block")?;
                return usize::try_from(value).map_err(|_| "an integer of more than 32 bits in a header block");
            }
        }
        Err("an integer of more than 32 bits in a header block")
    }

    /// RFC 7541 section 5.2.
    fn string(&mut self) -> Result<Vec<u8>, Fault> {
        let is_huffman = self.0.first().is_some_and(|first| *first >= 0x80);
        let length = self.integer(7)?;
        let Some((text, rest)) = self.0.split_at_checked(length) else {
            return Err("a header block that ends within a field");
        };
        self.0 = rest;
        if is_huffman { unhuffman(text) } else { Ok(text.to_vec()) }
    }
}

/// RFC 7541 section 5.2: padded by less than a byte, with the first bits of EOS, which are ones.
fn unhuffman(text: &[u8]) -> Result<Vec<u8>, Fault> {
    let mut out = Vec::with_capacity(text.len() * 8 / 5);
    let (mut code, mut bits) = (0_u32, 0_usize);
    for byte in text {
        for shift in (0..8).rev() {
            code = code << 1 | u32::from(byte >> shift & 1);
            bits += 1;
            let Some(symbol) = symbol(code, bits) else {
                if bits == MAX_BITS {
                    return Err("a Huffman code that does not exist");
                }
                continue;
            };
            if symbol == EOS {
                return Err("a Huffman code that ends within a string");
            }
            out.push(symbol.to_le_bytes()[0]);
            (code, bits) = (0, 0);
        }
    }
    if bits >= 8 || code != (1 << bits) - 1 {
        return Err("a Huffman-coded string with wrong padding");
    }
    Ok(out)
}

fn symbol(code: u32, bits: usize) -> Option<u16> {
    let nth = code.checked_sub(*HUFFMAN.first.get(bits)?)?;
    let begin = *HUFFMAN.begin.get(bits)?;
    if nth >= *HUFFMAN.count.get(bits)? {
        return None;
    }
    HUFFMAN.symbols.get(begin + usize::try_from(nth).ok()?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
        digits.chunks(2).map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
    }

    fn fields(decoder: &mut Decoder, hex: &str) -> Result<String, Fault> {
        let mut out = String::new();
        decoder.decode(&bytes(hex), &mut |name, value| {
            out += &format!("{}: {}\n", str::from_utf8(name).unwrap(), str::from_utf8(value).unwrap());
        })?;
        Ok(out)
    }

    /// RFC 7541 appendix C.3 and C.4: three requests on one connection, plain and with Huffman codes.
    #[test]
    fn the_requests_of_the_rfc() {
        let plain = [
            "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
            "8286 84be 5808 6e6f 2d63 6163 6865",
            "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
        ];
        let coded = [
            "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
            "8286 84be 5886 a8eb 1064 9cbf",
            "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
        ];
        for blocks in [plain, coded] {
            let mut decoder = Decoder::new();
            let mut read = |block| fields(&mut decoder, block).unwrap();
            let [one, two, three] = blocks.map(&mut read);
            assert_eq!(one, ":method: GET\n:scheme: http\n:path: /\n:authority: www.example.com\n");
            assert_eq!(two, format!("{one}cache-control: no-cache\n"));
            assert_eq!(
                three,
                ":method: GET\n:scheme: https\n:path: /index.html\n:authority: www.example.com\ncustom-key: custom-value\n"
            );
            assert_eq!((decoder.entries.len(), decoder.bytes), (3, 164));
        }
    }

    /// RFC 7541 appendix C.5 and C.6: three responses with a table of 256 bytes, so that entries are evicted.
    #[test]
    fn the_responses_of_the_rfc() {
        let plain = [
            "4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120 474d \
             546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
            "4803 3330 37c1 c0bf",
            "88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 7738 666f \
             6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b \
             2076 6572 7369 6f6e 3d31",
        ];
        let coded = [
            "4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 \
             8f0b 97c8 e9ae 82ae 43d3",
            "4883 640e ffc1 c0bf",
            "88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 \
             dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07",
        ];
        for blocks in [plain, coded] {
            let mut decoder = Decoder { limit_bytes: 256, ..Decoder::new() };
            let mut read = |block| fields(&mut decoder, block).unwrap();
            let [one, two, three] = blocks.map(&mut read);
            let rest =
                "cache-control: private\ndate: Mon, 21 Oct 2013 20:13:21 GMT\nlocation: https://www.example.com\n";
            assert_eq!((one, two), (format!(":status: 302\n{rest}"), format!(":status: 307\n{rest}")));
            assert_eq!(
                three,
                ":status: 200\ncache-control: private\ndate: Mon, 21 Oct 2013 20:13:22 GMT\nlocation: https://www.example.com\n\
                 content-encoding: gzip\nset-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1\n"
            );
            assert_eq!((decoder.entries.len(), decoder.bytes), (3, 215));
        }
    }

    #[test]
    fn what_breaks_the_rules_is_a_fault() {
        let fault = |block| fields(&mut Decoder::new(), block).unwrap_err();
        assert_eq!(fault("80"), "index 0 of the header table");
        assert_eq!(fault("be"), "an index that the header table does not have");
        assert_eq!(fault("40 0a 63"), "a header block that ends within a field");
        assert_eq!(fault("ff ff ff ff ff ff ff 01"), "an integer of more than 32 bits in a header block");
        assert_eq!(fault("3f e2 1f"), "a header table larger than was agreed upon, or than the limit");
        assert_eq!(fault("82 20"), "a table size update behind a header field");
        // EOS; eight bits of padding; padding of zeros.
        assert_eq!(fault("40 84 ff ff ff ff 00"), "a Huffman code that ends within a string");
        assert_eq!(fault("40 82 1f ff 00"), "a Huffman-coded string with wrong padding");
        assert_eq!(fault("40 81 18 00"), "a Huffman-coded string with wrong padding");
    }

    #[test]
    fn the_table_keeps_to_its_size() {
        let mut decoder = Decoder::new();
        assert_eq!(fields(&mut decoder, "20 40 01 61 01 62").unwrap(), "a: b\n");
        assert_eq!((decoder.entries.len(), decoder.bytes), (0, 0), "a table of no bytes keeps nothing");
        decoder.allow(usize::MAX);
        assert_eq!(decoder.allowed_bytes, MAX_TABLE_BYTES);
    }
}
