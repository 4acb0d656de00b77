//! Times as a person writes them: `1h` ago, a date, a date with a time of day, RFC 3339.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// A duration, microseconds: a number with its unit.
pub(super) fn duration_us(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit_us: u64 = match unit.trim() {
        "us" | "µs" => 1,
        "ms" => 1_000,
        "s" => 1_000_000,
        "m" | "min" => 60_000_000,
        "h" => 3_600_000_000,
        "d" => 86_400_000_000,
        "w" => 604_800_000_000,
        _ => return None,
    };
    let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
    let scale = 10_u64.checked_pow(u32::try_from(part.len()).ok()?)?;
    let part = part.parse::<u64>().ok()?.checked_mul(unit_us)? / scale;
    whole.parse::<u64>().ok()?.checked_mul(unit_us)?.checked_add(part)
}

/// A moment in microseconds since 1970: RFC 3339, a date with or without a time of day in UTC, or how long before `now_us`.
///
/// # Errors
/// It is none, with what would be one.
pub fn time_us(text: &str, now_us: i64) -> Result<i64, String> {
    let text = text.trim();
    let ago = || Some(now_us.saturating_sub(i64::try_from(duration_us(text)?).ok()?));
    let stamp = || text.parse::<jiff::Timestamp>().ok();
    let civil = || TimeZone::UTC.to_timestamp(text.parse::<DateTime>().ok()?).ok();
    ago().or_else(|| stamp().or_else(civil).map(jiff::Timestamp::as_microsecond)).ok_or_else(|| {
        format!("`{text}` is no time: write 1h (ago), 2026-01-15T09:12:40Z, or 2026-01-15 for its beginning, in UTC")
    })
}
