//! Events as compact JSON, for serde's derived code to drive.
//!
//! What serde_json would write, and beside its escapes what could forge or reorder a line on somebody's screen
//! ([`is_obeyed`]). Takes half its time: names of fields are words of this program's own and
//! written as they are, texts are looked at many bytes at once. Knows what the fields of events are made of (texts,
//! integers, flags, lists and objects); anything else is an error, which no event meets.

use crate::glyph::is_obeyed;
use serde::Serialize;
use serde::ser::{Impossible, SerializeSeq, SerializeStruct, Serializer};
use std::fmt;

/// Appends values to a line.
pub(super) struct Json<'l> {
    line: &'l mut Vec<u8>,
}

impl<'l> Json<'l> {
    pub(super) fn new(line: &'l mut Vec<u8>) -> Self {
        Self { line }
    }

    fn text(&mut self, text: &str) {
        self.line.push(b'"');
        let mut rest = text;
        loop {
            let (plain, behind) = rest.split_at(plain_bytes(rest.as_bytes()));
            self.line.extend_from_slice(plain.as_bytes());
            let Some(odd) = behind.chars().next() else { break };
            self.odd(odd);
            rest = behind.get(odd.len_utf8()..).unwrap_or_default();
        }
        self.line.push(b'"');
    }

    fn odd(&mut self, character: char) {
        let mut utf8 = [0; 4];
        let escape = match character {
            '"' => r#"\""#,
            '\\' => r"\\",
            '\n' => r"\n",
            '\r' => r"\r",
            '\t' => r"\t",
            '\u{8}' => r"\b",
            '\u{c}' => r"\f",
            '\0'..='\u{1f}' => return self.escape(character),
            obeyed if is_obeyed(obeyed) => return self.escape(character),
            other => other.encode_utf8(&mut utf8),
        };
        self.line.extend_from_slice(escape.as_bytes());
    }

    fn escape(&mut self, character: char) {
        self.line.extend_from_slice(format!("\\u{:04x}", u32::from(character)).as_bytes());
    }

    fn number(&mut self, number: u64) {
        let mut digits = [0; 20];
        let mut rest = number;
        let mut count = 0;
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
            count += 1;
            if rest == 0 {
                break;
            }
        }
        self.line.extend_from_slice(digits.get(digits.len() - count..).unwrap_or_default());
    }
}

/// What a text is written as costs, bytes.
pub(super) fn escaped_char_len(c: char) -> usize {
    match c {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        '\0'..='\u{1f}' => 6,
        _ if is_obeyed(c) => 6,
        _ => c.len_utf8(),
    }
}

/// How many bytes from the beginning of `text` on stand for themselves.
fn plain_bytes(text: &[u8]) -> usize {
    /// Looked at in one go, without a branch between them, so that the compiler makes vector instructions of it.
    const BLOCK: usize = 16;
    let blocks = text.as_chunks::<BLOCK>().0;
    let plain =
        blocks.iter().take_while(|block| block.iter().fold(true, |all, byte| all & is_plain(*byte))).count() * BLOCK;
    plain + text.get(plain..).unwrap_or_default().iter().take_while(|byte| is_plain(**byte)).count()
}

fn is_plain(byte: u8) -> bool {
    (0x20..0x7f).contains(&byte) & (byte != b'"') & (byte != b'\\')
}

impl<'j, 'l> Serializer for &'j mut Json<'l> {
    type Ok = ();
    type Error = fmt::Error;
    type SerializeSeq = List<'j, 'l>;
    type SerializeStruct = Object<'j, 'l>;
    type SerializeTuple = Impossible<(), fmt::Error>;
    type SerializeTupleStruct = Impossible<(), fmt::Error>;
    type SerializeTupleVariant = Impossible<(), fmt::Error>;
    type SerializeMap = Impossible<(), fmt::Error>;
    type SerializeStructVariant = Impossible<(), fmt::Error>;

    fn serialize_str(self, text: &str) -> Result<(), fmt::Error> {
        self.text(text);
        Ok(())
    }

    fn serialize_bool(self, flag: bool) -> Result<(), fmt::Error> {
        self.line.extend_from_slice(if flag { b"true" } else { b"false" });
        Ok(())
    }

    fn serialize_u64(self, number: u64) -> Result<(), fmt::Error> {
        self.number(number);
        Ok(())
    }

    fn serialize_i64(self, number: i64) -> Result<(), fmt::Error> {
        if number < 0 {
            self.line.push(b'-');
        }
        self.number(number.unsigned_abs());
        Ok(())
    }

    fn serialize_u8(self, number: u8) -> Result<(), fmt::Error> {
        self.serialize_u64(number.into())
    }

    fn serialize_u16(self, number: u16) -> Result<(), fmt::Error> {
        self.serialize_u64(number.into())
    }

    fn serialize_u32(self, number: u32) -> Result<(), fmt::Error> {
        self.serialize_u64(number.into())
    }

    fn serialize_i8(self, number: i8) -> Result<(), fmt::Error> {
        self.serialize_i64(number.into())
    }

    fn serialize_i16(self, number: i16) -> Result<(), fmt::Error> {
        self.serialize_i64(number.into())
    }

    fn serialize_i32(self, number: i32) -> Result<(), fmt::Error> {
        self.serialize_i64(number.into())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), fmt::Error> {
        value.serialize(self)
    }

    fn serialize_none(self) -> Result<(), fmt::Error> {
        self.line.extend_from_slice(b"null");
        Ok(())
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<List<'j, 'l>, fmt::Error> {
        self.line.push(b'[');
        Ok(List { json: self, is_empty: true })
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Object<'j, 'l>, fmt::Error> {
        self.line.push(b'{');
        Ok(Object { json: self, is_empty: true })
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), fmt::Error> {
        value.serialize(self)
    }

    fn serialize_f32(self, _: f32) -> Result<(), fmt::Error> {
        Err(fmt::Error)
    }

    fn serialize_f64(self, _: f64) -> Result<(), fmt::Error> {
        Err(fmt::Error)
    }

    fn serialize_char(self, _: char) -> Result<(), fmt::Error> {
        Err(fmt::Error)
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<(), fmt::Error> {
        Err(fmt::Error)
    }

    fn serialize_unit(self) -> Result<(), fmt::Error> {
        Err(fmt::Error)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), fmt::Error> {
        Err(fmt::Error)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, _: &'static str) -> Result<(), fmt::Error> {
        Err(fmt::Error)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), fmt::Error> {
        Err(fmt::Error)
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, fmt::Error> {
        Err(fmt::Error)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeTupleStruct, fmt::Error> {
        Err(fmt::Error)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, fmt::Error> {
        Err(fmt::Error)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, fmt::Error> {
        Err(fmt::Error)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, fmt::Error> {
        Err(fmt::Error)
    }
}

/// A list that is being written.
pub(super) struct List<'j, 'l> {
    json: &'j mut Json<'l>,
    is_empty: bool,
}

impl SerializeSeq for List<'_, '_> {
    type Ok = ();
    type Error = fmt::Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), fmt::Error> {
        if !std::mem::take(&mut self.is_empty) {
            self.json.line.push(b',');
        }
        value.serialize(&mut *self.json)
    }

    fn end(self) -> Result<(), fmt::Error> {
        self.json.line.push(b']');
        Ok(())
    }
}

/// An object that is being written.
pub(super) struct Object<'j, 'l> {
    json: &'j mut Json<'l>,
    is_empty: bool,
}

impl SerializeStruct for Object<'_, '_> {
    type Ok = ();
    type Error = fmt::Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), fmt::Error> {
        let Json { line } = &mut *self.json;
        line.extend_from_slice(if std::mem::take(&mut self.is_empty) { b"\"" } else { b",\"" });
        line.extend_from_slice(name.as_bytes());
        line.extend_from_slice(b"\":");
        value.serialize(&mut *self.json)
    }

    fn end(self) -> Result<(), fmt::Error> {
        self.json.line.push(b'}');
        Ok(())
    }
}

#[cfg(test)]
#[path = "json_tests.rs"]
mod tests;
