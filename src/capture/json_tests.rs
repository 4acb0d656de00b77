//! The encoder against serde_json: texts, numbers, lists, and every golden line.

use super::*;
use crate::capture::event::Event;
use std::path::Path;

fn written(value: &(impl Serialize + ?Sized)) -> String {
    let mut line = Vec::new();
    value.serialize(&mut Json::new(&mut line)).unwrap();
    String::from_utf8(line).unwrap()
}

/// What serde_json writes, with forgers escaped.
fn expected(value: &(impl Serialize + ?Sized)) -> String {
    let forges = |c: char| c > '\u{1f}' && is_obeyed(c);
    let escape = |c: char| if forges(c) { format!("\\u{:04x}", u32::from(c)) } else { c.to_string() };
    serde_json::to_string(value).unwrap().chars().map(escape).collect()
}

#[test]
fn forgers_are_escaped_and_come_back() {
    let text = "a\u{202e}b\u{2028}c\u{85}d\u{7f}e\nfé ü “quoted” \u{feff}";
    let shown = written(text);
    assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), text);
    assert!(!shown.contains(is_obeyed), "{shown}");
    assert_eq!(shown.len() - 2, text.chars().map(escaped_char_len).sum::<usize>());
}

#[test]
fn texts_are_escaped_as_serde_json_would() {
    let ascii: String = (0..128_u8).map(char::from).collect();
    let texts = [ascii.repeat(3), "é\"".repeat(40), "x".repeat(31) + "\n" + &"y".repeat(65) + "ü", String::new()];
    for text in texts.iter().flat_map(|text| (0..=text.len()).filter_map(|from| text.get(from..))) {
        assert_eq!(written(text), expected(text));
    }
}

#[test]
fn numbers_and_lists_are_written_as_serde_json_would() {
    for number in [0, 7, 10, 99, 100, 65_535, u64::MAX - 1, u64::MAX] {
        let (some, list) = (Some(number), [number.cast_signed(), i64::MIN, -1]);
        assert_eq!((written(&some), written(list.as_slice())), (expected(&some), expected(list.as_slice())));
    }
}

/// Whatever events are made of, the golden lines have.
#[test]
fn events_are_written_as_serde_json_would() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/playbook");
    let mut lines = 0;
    for file in std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()) {
        if file.extension().is_none_or(|extension| extension != "ndjson") {
            continue;
        }
        for text in std::fs::read_to_string(&file).unwrap().lines() {
            let event: Event<'_> = serde_json::from_str(text).unwrap();
            assert_eq!(written(&event), expected(&event), "{}", file.display());
            lines += 1;
        }
    }
    assert!(lines > 100, "{lines} lines");
}
