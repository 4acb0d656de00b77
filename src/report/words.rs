//! Times, durations and other people's text in words that are safe to show.
//!
//! Times are UTC throughout: a report travels between time zones.

use crate::glyph::is_obeyed;
use jiff::Timestamp;
use jiff::civil;
use jiff::tz::TimeZone;
use serde::Serializer;

/// Longest text taken over from a capture, bytes.
pub(super) const MAX_TEXT_BYTES: usize = 400;

/// Microseconds since 1970 of an RFC 3339 stamp.
pub(super) fn parse_stamp_us(text: &str) -> Option<i64> {
    text.parse::<Timestamp>().ok().map(Timestamp::as_microsecond)
}

/// Microseconds since 1970 of what a person wrote for a time: RFC 3339, or a date with or without a time of day, UTC.
pub(super) fn parse_time_us(text: &str) -> Option<i64> {
    let utc = |at: civil::DateTime| Some(at.to_zoned(TimeZone::UTC).ok()?.timestamp().as_microsecond());
    let text = text.trim();
    parse_stamp_us(text)
        .or_else(|| text.parse::<civil::DateTime>().ok().and_then(utc))
        .or_else(|| text.parse::<civil::Date>().ok().and_then(|date| utc(date.to_datetime(civil::Time::midnight()))))
}

/// `2026-01-15T09:12:40.561300Z`
pub(super) fn stamp(us: i64) -> String {
    Timestamp::from_microsecond(us).map_or_else(|_| String::from("1970-01-01T00:00:00Z"), |at| format!("{at:.6}"))
}

/// `2026-01-15 09:12:40`
pub(super) fn day_and_time(us: i64) -> String {
    stamp(us).get(..19).unwrap_or_default().replace('T', " ")
}

/// `09:12:40.561`
pub(super) fn time(us: i64) -> String {
    stamp(us).get(11..23).unwrap_or_default().to_owned()
}

/// From when to when, the day said once where it is one: `2026-01-15 09:12:40 – 09:30:01`.
pub(super) fn range(from_us: i64, to_us: i64) -> String {
    let (from, to) = (day_and_time(from_us), day_and_time(to_us));
    match (from.get(..10), to.get(..10), to.get(11..)) {
        (Some(a), Some(b), Some(time)) if a == b => format!("{from} – {time}"),
        _ => format!("{from} – {to}"),
    }
}

/// A length of time as a person says it: `350 µs`, `38 ms`, `2.4 s`, `3 min 12 s`, `2 h 05 min`.
pub(super) fn duration(us: u64) -> String {
    let s = us / 1_000_000;
    match us {
        0..1_000 => format!("{us} µs"),
        1_000..1_000_000 => format!("{} ms", us / 1_000),
        1_000_000..60_000_000 => format!("{}.{} s", s, us % 1_000_000 / 100_000),
        60_000_000..3_600_000_000 => format!("{} min {:02} s", s / 60, s % 60),
        3_600_000_000..172_800_000_000 => format!("{} h {:02} min", s / 3_600, s % 3_600 / 60),
        _ => format!("{} days {} h", s / 86_400, s % 86_400 / 3_600),
    }
}

/// `1 socket`, `2 sockets`, `no sockets`.
pub(super) fn count(n: u64, one: &str) -> String {
    match n {
        0 => format!("no {one}s"),
        1 => format!("1 {one}"),
        _ => format!("{n} {one}s"),
    }
}

/// `512 bytes`, `64 KiB`, `1.2 GiB`.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1_024 {
        return format!("{bytes} bytes");
    }
    let mut tenths = bytes.saturating_mul(10) / 1_024;
    let mut units = UNITS.iter();
    let mut unit = units.next();
    while tenths >= 10_240 {
        let Some(next) = units.next() else { break };
        unit = Some(next);
        tenths /= 1_024;
    }
    let unit = unit.unwrap_or(&"KiB");
    if tenths < 100 { format!("{}.{} {unit}", tenths / 10, tenths % 10) } else { format!("{} {unit}", tenths / 10) }
}

/// Somebody else's text without anything that moves a cursor, breaks a line or reorders what stands beside it, and no
/// longer than [`MAX_TEXT_BYTES`].
pub(super) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(MAX_TEXT_BYTES));
    for c in text.chars() {
        if out.len() + c.len_utf8() > MAX_TEXT_BYTES {
            out.push('…');
            break;
        }
        out.push(if is_obeyed(c) { '\u{fffd}' } else { c });
    }
    out
}

/// A time as an RFC 3339 text in JSON.
pub(super) fn serialize_stamp<S: Serializer>(us: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&stamp(*us))
}

/// The same for a time that may be absent.
pub(super) fn serialize_stamp_if<S: Serializer>(us: &Option<i64>, serializer: S) -> Result<S::Ok, S::Error> {
    match us {
        Some(us) => serialize_stamp(us, serializer),
        None => serializer.serialize_none(),
    }
}

/// Microseconds from one time to another, 0 if it lies before.
pub(super) fn between_us(from_us: i64, to_us: i64) -> u64 {
    u64::try_from(to_us.saturating_sub(from_us)).unwrap_or(0)
}

/// What a socket is, by its id.
pub(super) fn carrier(id: &str) -> &'static str {
    match id.bytes().next() {
        Some(b'b') => "a BOSH session",
        Some(b'x') => "an XMPP stream",
        _ => "a WebSocket",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_well_at_their_borders() {
        let cases = [
            (0, "0 µs"),
            (999, "999 µs"),
            (1_000, "1 ms"),
            (999_999, "999 ms"),
            (1_000_000, "1.0 s"),
            (59_999_999, "59.9 s"),
            (60_000_000, "1 min 00 s"),
            (3_599_000_000, "59 min 59 s"),
            (3_900_000_000, "1 h 05 min"),
            (200_000_000_000, "2 days 7 h"),
        ];
        for (us, text) in cases {
            assert_eq!(duration(us), text);
        }
    }

    #[test]
    fn times_are_taken_as_people_write_them() {
        let nine = Some(1_768_467_600_000_000);
        for text in ["2026-01-15T09:00:00Z", "2026-01-15T10:00:00+01:00", "2026-01-15 09:00", "2026-01-15T09:00:00"] {
            assert_eq!(parse_time_us(text), nine, "{text}");
        }
        assert_eq!(parse_time_us("2026-01-15").map(day_and_time).as_deref(), Some("2026-01-15 00:00:00"));
        for text in ["", "nine", "9:00", "2026-13-01"] {
            assert_eq!(parse_time_us(text), None, "{text}");
        }
    }

    #[test]
    fn foreign_text_loses_its_teeth_and_its_length() {
        assert_eq!(plain("a\u{1b}[31mb\r\n\u{202e}c"), "a\u{fffd}[31mb\u{fffd}\u{fffd}\u{fffd}c");
        assert!(plain(&"ü".repeat(9_000)).len() <= MAX_TEXT_BYTES + 3);
    }

    #[test]
    fn sizes_read_well() {
        let cases = [(12, "12 bytes"), (1_024, "1.0 KiB"), (387_230, "378 KiB"), (5 << 30, "5.0 GiB")];
        for (bytes, text) in cases {
            assert_eq!(size(bytes), text);
        }
    }
}
