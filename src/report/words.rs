//! Times, durations and other people's text in words that are safe to show.
//!
//! Times are UTC, and beside them in a [`Zone`] if one is asked for: a report travels between time zones.

use super::model::Mark;
use super::page::Piece;
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

/// Where times are told: UTC, or a zone with UTC beside it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Zone {
    local: Option<TimeZone>,
}

impl Zone {
    /// The zone of this name: `Europe/Berlin`, `UTC`, or `local` for this computer's.
    ///
    /// # Errors
    /// There is none of that name.
    pub fn read(name: &str) -> Result<Self, String> {
        let local = match name {
            "UTC" | "utc" => return Ok(Self::default()),
            "local" => TimeZone::try_system(),
            name => TimeZone::get(name),
        };
        local.map(|local| Self { local: Some(local) }).map_err(|_| {
            format!("`{name}` is no time zone: write one as Europe/Berlin, or `local` for this computer's, or UTC")
        })
    }

    /// Whether nothing but UTC is told.
    pub(super) fn is_utc(&self) -> bool {
        self.local.is_none()
    }

    /// Its name.
    pub(super) fn name(&self) -> String {
        match &self.local {
            None => String::from("UTC"),
            Some(local) => format!("{}, with UTC beside them", local.iana_name().unwrap_or("of this computer")),
        }
    }

    /// `2026-01-15T09:12:40.561300`
    fn stamp(&self, us: i64) -> String {
        let at = Timestamp::from_microsecond(us).unwrap_or_default();
        let at = at.to_zoned(self.local.clone().unwrap_or(TimeZone::UTC)).datetime();
        format!("{at:.6}")
    }

    /// `09:12:40.561`
    pub(super) fn time(&self, us: i64) -> String {
        self.stamp(us).get(11..23).unwrap_or_default().to_owned()
    }

    /// `09:12:40`, with UTC behind it where that is another.
    pub(super) fn clock(&self, us: i64) -> String {
        let clock = |zone: &Self| zone.stamp(us).get(11..19).unwrap_or_default().to_owned();
        if self.is_utc() { clock(self) } else { format!("{} ({} UTC)", clock(self), clock(&Self::default())) }
    }

    /// From when to when, the day said once where it is one: `2026-01-15 09:12:40 – 09:30:01 UTC`.
    pub(super) fn range(&self, from_us: i64, to_us: i64) -> String {
        let day_and_time = |us| self.stamp(us).get(..19).unwrap_or_default().replace('T', " ");
        let (from, to) = (day_and_time(from_us), day_and_time(to_us));
        let range = match (from.get(..10), to.get(..10), to.get(11..)) {
            (Some(a), Some(b), Some(time)) if a == b => format!("{from} – {time}"),
            _ => format!("{from} – {to}"),
        };
        match &self.local {
            None => format!("{range} UTC"),
            Some(local) => {
                let name = local.iana_name().unwrap_or("local time");
                format!("{range} {name} ({})", Self::default().range(from_us, to_us))
            }
        }
    }
}

/// A piece in plain text; `line` says how a line is named.
pub(super) fn say(piece: &Piece, zone: &Zone, line: impl Fn(Mark) -> String) -> String {
    match piece {
        Piece::Text(text) | Piece::Quiet(text) | Piece::Badge(_, text) | Piece::To(_, text) => text.clone(),
        Piece::Symbol(tone) => super::text::symbol(*tone).to_owned(),
        Piece::Time(us) => zone.time(*us),
        Piece::Clock(us) => zone.clock(*us),
        Piece::Range(from, to) => zone.range(*from, *to),
        Piece::Took(us) => duration(*us),
        Piece::Count(n) => n.to_string(),
        Piece::Line(mark) => line(*mark),
        Piece::Bar(..) => String::new(),
    }
}

/// A cell in plain text, in UTC.
pub(super) fn flat(cell: &[Piece]) -> String {
    let line = |mark| super::text::line(mark, false);
    cell.iter().map(|piece| say(piece, &Zone::default(), line)).collect()
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

/// A login without what stands behind it in a JID.
pub(super) fn bare(name: &str) -> String {
    plain(name.split(['@', '/']).next().unwrap_or(name))
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
        assert_eq!(parse_time_us("2026-01-15").map(stamp).as_deref(), Some("2026-01-15T00:00:00.000000Z"));
        for text in ["", "nine", "9:00", "2026-13-01"] {
            assert_eq!(parse_time_us(text), None, "{text}");
        }
    }

    #[test]
    fn local_time_stands_beside_utc() {
        let (winter, later) = (1_768_467_600_000_000, 1_768_467_601_500_000);
        let berlin = Zone::read("Europe/Berlin").unwrap();
        assert_eq!(berlin.time(later), "10:00:01.500");
        assert_eq!(berlin.clock(winter), "10:00:00 (09:00:00 UTC)");
        let both = "2026-01-15 10:00:00 – 10:00:01 Europe/Berlin (2026-01-15 09:00:00 – 09:00:01 UTC)";
        assert_eq!(berlin.range(winter, later), both);
        // A day is another one where the sun has set already.
        assert!(
            Zone::read("Pacific/Auckland")
                .unwrap()
                .range(winter, later + 7_200_000_000)
                .contains("– 2026-01-16 00:00:01")
        );
        assert_eq!(Zone::read("UTC"), Ok(Zone::default()));
        assert_eq!(Zone::default().clock(winter), "09:00:00");
        assert!(Zone::read("Berlin").unwrap_err().contains("Europe/Berlin"));
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
