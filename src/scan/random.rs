//! Runs that look random: keys, tokens and hashes in base64 or hexadecimal, told from words by their Shannon entropy
//! relative to what their length allows.
//!
//! UUIDs, ULIDs and redaction's tokens (by themselves, or behind the beginning of a cookie's name) are random by design and
//! taken out first. Runs of over [`MAX_RUN_BYTES`] are content, not keys.

use super::value::is_token;
use regex::bytes::Regex;
use std::sync::LazyLock;

/// Shortest run that is judged, bytes.
pub(super) const MIN_RUN_BYTES: usize = 20;
/// Longest run that is judged, bytes.
pub(super) const MAX_RUN_BYTES: usize = 512;

/// Entropy over its maximum for that length, from which on a run counts as random. Identifiers made of words stay below
/// 0.85, nineteen in twenty random runs lie above.
const MIN_FULLNESS: f64 = 0.85;
/// The same for hexadecimal runs, whose alphabet is small.
const MIN_HEX_FULLNESS: f64 = 0.8;

#[expect(clippy::expect_used, reason = "a constant pattern: it compiles or no test passes")]
static BY_DESIGN: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?x-u)
        [0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}
      | \b[0-7][0-9A-HJKMNP-TV-Z]{25}(?:\b|_)
      | (?: \b | (?i: activedeviceid | finesse_ma_ ) ) [hkpqtuw]-[0-9a-hjkmnp-tv-z]{10}\b
      | \b[0-9]{8}T[0-9]{6}Z\b
    ",
    )
    .expect("constant")
});

/// Whether `run` (base64 or hexadecimal characters) looks random.
pub(super) fn is_random(run: &[u8]) -> bool {
    if !(MIN_RUN_BYTES..=MAX_RUN_BYTES).contains(&run.len()) || is_token(run) {
        return false;
    }
    if !run.contains(&b'-') {
        return !BY_DESIGN.is_match(run) && is_random_piece(run);
    }
    BY_DESIGN.split(run).any(is_random_piece)
}

fn is_random_piece(run: &[u8]) -> bool {
    let run = match run.iter().position(|byte| *byte == b'=') {
        Some(end) => run.get(..end).unwrap_or_default(),
        None => run,
    };
    if run.len() < MIN_RUN_BYTES {
        return false;
    }
    let digits = run.iter().filter(|byte| byte.is_ascii_digit()).count();
    let upper = run.iter().filter(|byte| byte.is_ascii_uppercase()).count();
    let lower = run.iter().filter(|byte| byte.is_ascii_lowercase()).count();
    if run.iter().all(u8::is_ascii_hexdigit) {
        return digits > 1 && upper + lower > 1 && fullness(run, 16) >= MIN_HEX_FULLNESS;
    }
    digits > 0 && upper > 0 && lower > 0 && is_mixed(run) && !is_path(run) && fullness(run, 64) >= MIN_FULLNESS
}

/// Whether lower case, capitals and digits change places as in random runs (two of three times) and not as in words.
fn is_mixed(run: &[u8]) -> bool {
    let kind = |byte: &u8| (byte.is_ascii_lowercase(), byte.is_ascii_uppercase(), byte.is_ascii_digit());
    let changes = run.iter().zip(run.iter().skip(1)).filter(|(one, next)| kind(one) != kind(next)).count();
    changes * 20 >= run.len() * 7
}

/// Words joined by slashes, underscores and hyphens: most pieces are of letters in one case or of digits.
fn is_path(run: &[u8]) -> bool {
    let pieces: Vec<&[u8]> =
        run.split(|byte| matches!(byte, b'/' | b'_' | b'-' | b'+')).filter(|piece| !piece.is_empty()).collect();
    let is_word = |piece: &&&[u8]| {
        let tail = piece.get(1..).unwrap_or_default();
        piece.iter().all(u8::is_ascii_digit)
            || tail.iter().all(u8::is_ascii_lowercase)
            || piece.iter().all(u8::is_ascii_uppercase)
    };
    pieces.len() > 2 && pieces.iter().filter(is_word).count() * 3 >= pieces.len() * 2
}

/// Shannon entropy over the most that this length and alphabet allow.
#[expect(clippy::cast_precision_loss, reason = "counts below 513")]
fn fullness(run: &[u8], alphabet: usize) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in run {
        if let Some(count) = counts.get_mut(usize::from(*byte)) {
            *count += 1;
        }
    }
    let length = run.len() as f64;
    let entropy: f64 = counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| f64::from(*count) / length)
        .map(|share| -share * share.log2())
        .sum();
    entropy / (run.len().min(alphabet) as f64).log2()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_runs_are_told_from_words() {
        for run in [
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "d41d8cd98f00b204e9800998ecf8427e",
            "4f2a9c1d7eb03a55c6d8",
            "Zx81kq0PzLm3VtY7aB2e",
            "DE305E55104C9000A1B20C00C1E5A1F7",
            "q9-Zk3vL0_xW8rT2mN7bYc4d",
        ] {
            assert!(is_random(run.as_bytes()), "{run}");
        }
        for run in [
            "a6ca891f-40b6-4d40-b9d6-0a3a5a2b1330",
            "634697f0-c5ab-4e10-a0b4-826f271e0e97",
            "01M821BAF546QR1F94ZT0JYCBX-57",
            "subscriptionManagerImplementation",
            "HARDWARE_FAILURE_NOT_READY_2",
            "/finesse/api/User/1001/Dialogs",
            "finesse/api/Dialog/146937347/ParticipantTimerData",
            "TLS_AES_256_GCM_SHA384",
            "16777217167772171677",
            "SICVP01____________0_0_10_________0000",
            "u-0123456789",
            "20261122T162738Z-01M821BAF546QR1F94ZT0JYCBX-0001",
            "X-Requested-With-Header-2",
            "includeSubDomains31536000",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaa1A",
            "activeDeviceIdu-4h7w9xm2t6",
            "finesse_ma_u-4h7w9xm2t6",
        ] {
            assert!(!is_random(run.as_bytes()), "{run}");
        }
    }
}
