//! The live view line by line: what is shown, hidden, cut and stripped.

use super::*;
use crate::bus::{Bus, Duty};
use std::sync::{Arc, Mutex};
use std::time::Duration;

fn utc(keepalives: KeepAlives) -> Live {
    Live { zone: TimeZone::UTC, ..Live::new(keepalives, Filter::default()) }
}

fn line(message: &str, width_columns: Option<usize>) -> String {
    let mut text = String::new();
    utc(KeepAlives::Hidden).line(&mut text, &Record::for_test(1, message), width_columns);
    anstream::adapter::strip_str(&text).to_string()
}

#[test]
fn a_line_says_when_who_where_what() {
    assert_eq!(
        line("User 1001 NOT_READY → READY", None),
        "00:00:00.000  s1   ←  xmpp     User 1001 NOT_READY → READY\n"
    );
}

#[test]
fn time_is_local() {
    let zone = TimeZone::fixed(jiff::tz::offset(2));
    let live = Live { zone, ..Live::new(KeepAlives::Hidden, Filter::default()) };
    let mut text = String::new();
    live.line(&mut text, &Record::for_test(1, "x"), None);
    assert!(text.contains("02:00:00.000"), "{text}");
}

#[test]
fn a_terminal_gets_no_more_than_its_width() {
    let columns = |text: &str| text.trim_end_matches('\n').chars().count();
    let message = "m".repeat(300);
    for width in [1, 31, 32, 33, 40, 80, 200] {
        let text = line(&message, Some(width));
        assert!(columns(&text) <= width.max(31), "{width}: {text}");
        assert_eq!(text.matches('\n').count(), 1);
    }
    assert_eq!(columns(&line(&message, Some(80))), 80);
    assert!(line(&message, Some(80)).ends_with("mm…\n"));
    assert!(line("short", Some(80)).ends_with("short\n"));
    let wide = line(&"漢".repeat(100), Some(80));
    assert!(columns(&wide) + wide.matches('漢').count() <= 80, "{wide}");
}

#[test]
fn no_message_moves_the_cursor_or_forges_a_line() {
    let text = line("a\u{1b}[2J\r\nb\u{202e}c\u{2028}d\u{9b}e\u{7}", None);
    assert!(text.ends_with("a[2Jbcde\n"), "{text:?}");
    assert_eq!(text.chars().filter(|c| c.is_control()).count(), 1);
}

#[test]
fn a_finding_is_shown_whole_with_what_to_do() {
    let finding = |columns| {
        let record = Record::for_test(1, &["word"; 30].join(" "));
        let record = record.with_finding("1001", "do this and then do that until it works");
        let mut text = String::new();
        utc(KeepAlives::Hidden).line(&mut text, &record, columns);
        anstream::adapter::strip_str(&text).to_string()
    };
    let text = finding(Some(60));
    assert!(text.lines().all(|line| line.chars().count() <= 60), "{text}");
    assert!(text.starts_with("00:00:00.000  1001 "), "{text}");
    let words: Vec<&str> = text.split_whitespace().collect();
    assert_eq!(words.iter().filter(|word| **word == "word").count(), 30, "{text}");
    assert!(words.join(" ").ends_with("word → do this and then do that until it works"), "{text}");
    assert_eq!(finding(None).lines().count(), 2, "nobody's width is guessed");
    assert!(finding(Some(30)).contains("works"), "too narrow to wrap is whole, too");
}

/// An output the test can read while the sink writes to it.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn what_a_slow_terminal_missed_is_said() {
    let output = Shared::default();
    let mut writer = output.clone();
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let mut bus = Bus::new();
    let one_record = crate::bus::RECORD_COST_BYTES + 10;
    bus.attach("live", Duty::Show, one_record, move |receiver| {
        wait.recv().unwrap();
        let _ = utc(KeepAlives::Hidden).show(&mut writer, || None, receiver);
    })
    .unwrap();
    (1..=3).for_each(|sequence| bus.publish(&Arc::new(Record::for_test(sequence, "message"))));
    go.send(()).unwrap();
    let done = bus.finish(Duration::from_secs(60)).pop().unwrap();
    assert_eq!((done.written.events, done.lost.events), (1, 2));
    let text = String::from_utf8(output.0.lock().unwrap().clone()).unwrap();
    assert!(text.contains("… 2 events not shown"), "{text}");
}

#[test]
fn a_terminal_that_is_gone_ends_the_view() {
    struct Gone;
    impl Write for Gone {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut bus = Bus::new();
    bus.attach("live", Duty::Show, 1 << 20, |receiver| {
        let _ = utc(KeepAlives::Hidden).show(&mut Gone, || None, receiver);
    })
    .unwrap();
    bus.publish(&Arc::new(Record::for_test(1, "message")));
    let done = bus.finish(Duration::from_secs(60)).pop().unwrap();
    assert_eq!((done.written.events, done.lost.events, done.returned), (0, 1, true));
}
