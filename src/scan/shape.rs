//! Credentials by their shape in any text: schemes with credentials, JWTs, PEM keys, keys of cloud services, passwords in
//! URLs; and telephone numbers, payment cards and bank accounts.
//!
//! Takes a text, yields findings in it. Knows no names and decodes nothing. Matches bytes, so any encoding will do.

use super::decode;
use super::finding::Finding;
use super::hit::Certainty::{self, Certain, Likely, Possible};
use crate::capture::policy::Class;
use regex::bytes::{Captures, Regex};
use std::sync::LazyLock;

#[expect(clippy::expect_used, reason = "a constant pattern: it compiles or no test passes")]
static CREDENTIAL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#"(?x-u)
        (?P<pem> -----BEGIN\ [A-Z0-9\ ]*PRIVATE\ KEY(?:\ BLOCK)?----- )
      | (?P<certificate> -----BEGIN\ (?:TRUSTED\ |X509\ )?CERTIFICATE----- )
      | (?P<jwt> \beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{2,}(?:\.[A-Za-z0-9_-]*)* )
      | \b(?P<scheme> (?i: basic|bearer|digest|negotiate|ntlm|splunk) )
        (?: \ + | \t | %20 | %2520 | \+ ) (?P<blob> [A-Za-z0-9+/_.~=%-]{8,} )
      | \b(?P<aws> (?:AKIA|ASIA)[A-Z0-9]{16} )\b
      | \b(?P<google> AIza[0-9A-Za-z_-]{35} )
      | \b(?P<github> gh[opusr]_[A-Za-z0-9]{30,} | github_pat_[A-Za-z0-9_]{22,} )
      | \b(?P<gitlab> glpat-[A-Za-z0-9_-]{20,} )
      | \b(?P<slack> xox[abeoprs]-[A-Za-z0-9-]{10,} | hooks\.slack\.com/services/T[A-Za-z0-9/]{20,} )
      | \b(?P<stripe> [rs]k_live_[A-Za-z0-9]{16,} )
      | [?&](?P<azure> sig=[A-Za-z0-9%+/]{20,}=* )
      | ://(?P<userinfo> [^\s/@:<>"'\[\\]+:[^\s/@<>"'\[\\]+ )@
      | ;(?i:jsessionid)=(?P<session> [A-Za-z0-9_.!-]{6,} )
    "#,
    )
    .expect("constant")
});

#[expect(clippy::expect_used, reason = "a constant pattern: it compiles or no test passes")]
static NUMBER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?x-u)
        (?P<international> \+[1-9](?:[\ ().-]{0,2}[0-9]){6,14} )
      | \b(?P<card> [0-9]{13,19} | [0-9]{4}(?:[\ -][0-9]{4}){2,3}(?:[\ -][0-9]{1,4})? | [0-9]{4}[\ -][0-9]{6}[\ -][0-9]{4,5} )\b
      | \b(?P<iban> [A-Z]{2}[0-9]{2}(?:\ ?[A-Z0-9]{4}){2,7}(?:\ ?[A-Z0-9]{1,3})? )\b
      | \b(?i:ext|extension)[\ :=.\#]{1,3}(?P<extension> [0-9]{3,6} )\b
      | \b(?i:tel|sips?|phone|telephone|mobile|caller|called|calling|call|dial|dialed|dialing|ani|dnis|from|to)
        [\ :=.\#]{1,3}(?P<phone> \(?[0-9][0-9\ ().-]{5,16}[0-9] )\b
      | \bUser\ (?P<user> [A-Za-z0-9._-]+ )\ [A-Z][A-Z_]{3,}
      | \b(?:as|[Aa]gent)\ (?P<agent> [0-9]{3,8} )\b
    ",
    )
    .expect("constant")
});

/// What the patterns are matched against at once, bytes. They match in linear time, but a text may be made so that each of
/// many matches is only certain at its end.
const WINDOW_BYTES: usize = 8 << 10;
/// What two windows have in common, bytes. A match that begins in a window's first half of it was told with the one before.
const OVERLAP_BYTES: usize = 2 << 10;

/// Credentials in `text`.
pub(super) fn credentials(text: &[u8], found: &mut dyn FnMut(Finding<'_>)) {
    in_windows(text, found, credentials_in);
}

/// Telephones, logins in our own words, payment cards and bank accounts in `text`.
pub(super) fn numbers(text: &[u8], found: &mut dyn FnMut(Finding<'_>)) {
    in_windows(text, found, numbers_in);
}

fn in_windows(text: &[u8], found: &mut dyn FnMut(Finding<'_>), look: impl Fn(&[u8], &mut dyn FnMut(Finding<'_>))) {
    if text.len() <= WINDOW_BYTES {
        return look(text, found);
    }
    for start in (0..text.len()).step_by(WINDOW_BYTES - OVERLAP_BYTES) {
        let rest = text.get(start..).unwrap_or_default();
        let window = rest.get(..WINDOW_BYTES).unwrap_or(rest);
        let from = if start == 0 { 0 } else { OVERLAP_BYTES / 2 };
        let to = if window.len() < rest.len() { WINDOW_BYTES - OVERLAP_BYTES / 2 } else { usize::MAX };
        look(window, &mut |finding| {
            if (from..to).contains(&finding.at) {
                found(Finding { at: start + finding.at, ..finding });
            }
        });
        if window.len() == rest.len() {
            return;
        }
    }
}

fn credentials_in(text: &[u8], found: &mut dyn FnMut(Finding<'_>)) {
    for hit in CREDENTIAL.captures_iter(text) {
        let (Some((name, part)), class) = (named_part(&CREDENTIAL, &hit), Class::Credential) else { continue };
        let (kind, certainty, why): (_, Certainty, _) = match name {
            "pem" => ("private-key", Certain, "a private key in PEM"),
            "jwt" => ("jwt", Certain, "a JSON web token"),
            "aws" => ("cloud-key", Certain, "an AWS access key"),
            "google" => ("cloud-key", Certain, "a Google API key"),
            "github" => ("cloud-key", Certain, "a GitHub token"),
            "gitlab" => ("cloud-key", Certain, "a GitLab token"),
            "slack" => ("cloud-key", Certain, "a Slack token"),
            "stripe" => ("cloud-key", Certain, "a Stripe key"),
            "azure" => ("cloud-key", Certain, "the signature of a shared access URL"),
            "userinfo" => ("userinfo", Certain, "user and password in a URL"),
            "session" => {
                let clean = super::value::is_token(part.as_bytes());
                if !clean {
                    let finding = Finding {
                        at: part.start(),
                        value: part.as_bytes(),
                        kind: "session-id",
                        class: Class::Session,
                        certainty: Certain,
                        why: "a session in a URL",
                    };
                    found(finding);
                }
                continue;
            }
            "certificate" => {
                found(Finding {
                    at: part.start(),
                    value: part.as_bytes(),
                    kind: "certificate",
                    class: Class::Infrastructure,
                    certainty: Certain,
                    why: "a certificate in PEM",
                });
                continue;
            }
            _ => {
                let Some(blob) = hit.name("blob") else { continue };
                let Some(certainty) = is_credentials(part.as_bytes(), blob.as_bytes()) else { continue };
                found(Finding {
                    at: blob.start(),
                    value: blob.as_bytes(),
                    kind: "authorization",
                    class,
                    certainty,
                    why: "credentials behind a scheme",
                });
                continue;
            }
        };
        found(Finding { at: part.start(), value: part.as_bytes(), kind, class, certainty, why });
    }
}

fn numbers_in(text: &[u8], found: &mut dyn FnMut(Finding<'_>)) {
    for hit in NUMBER.captures_iter(text) {
        let Some((name, part)) = named_part(&NUMBER, &hit) else { continue };
        let value = part.as_bytes();
        let before = part.start().checked_sub(1).and_then(|at| text.get(at)).copied().unwrap_or(b' ');
        let after = text.get(part.end()).copied().unwrap_or(b' ');
        let (kind, class, certainty, why) = match name {
            "international" if is_number_alone(before, after) => {
                ("phone", Class::Phone, Likely, "an international telephone number")
            }
            "extension" => ("phone", Class::Phone, Likely, "a number behind `extension`"),
            "phone" if is_dialled(value) => ("phone", Class::Phone, Possible, "a number behind a word of telephony"),
            "user" if !super::value::is_clean(value) => ("login", Class::Person, Likely, "a name behind `User`"),
            "agent" => ("login", Class::Person, Likely, "a number behind `as` or `agent`"),
            "card" if is_card(value) && is_number_alone(before, after) => {
                ("payment-card", Class::Customer, Likely, "a payment card's number with its check digit")
            }
            "iban" if is_iban(value) => ("bank-account", Class::Customer, Certain, "an IBAN with its check digits"),
            _ => continue,
        };
        found(Finding { at: part.start(), value, kind, class, certainty, why });
    }
}

/// The first named group that took part.
fn named_part<'t>(pattern: &'static Regex, hit: &Captures<'t>) -> Option<(&'static str, regex::bytes::Match<'t>)> {
    pattern.capture_names().flatten().find_map(|name| Some((name, hit.name(name)?)))
}

/// Whether what follows a scheme's name is no word of prose.
fn is_credentials(scheme: &[u8], blob: &[u8]) -> Option<Certainty> {
    if scheme.eq_ignore_ascii_case(b"basic") && decode::base64(blob).is_some_and(|text| text.contains(&b':')) {
        return Some(Certain);
    }
    let digits = blob.iter().filter(|byte| byte.is_ascii_digit()).count();
    let upper = blob.iter().skip(1).filter(|byte| byte.is_ascii_uppercase()).count();
    let lower = blob.iter().filter(|byte| byte.is_ascii_lowercase()).count();
    let random = digits > 0 && upper + lower > 0 || upper > 0 && lower > 0 || blob.ends_with(b"=");
    random.then_some(Likely)
}

/// No part of a longer word, path or decimal.
fn is_number_alone(before: u8, after: u8) -> bool {
    let joins = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'_' | b'.' | b'-');
    (!joins(before) || matches!(before, b'=' | b'/')) && (!joins(after) || matches!(after, b'.' | b'_' | b'/' | b'-'))
}

/// Seven digits and more, and neither a date, an IPv4 address nor something with fractions.
fn is_dialled(value: &[u8]) -> bool {
    let digits = value.iter().filter(|byte| byte.is_ascii_digit()).count();
    let dots = value.iter().filter(|byte| **byte == b'.').count();
    let date = matches!(value, [b'1' | b'2', b'9' | b'0', _, _, b'-', _, _, b'-', ..]);
    (7..=15).contains(&digits) && dots != 1 && dots != 3 && !date
}

/// Luhn's check digit and an issuer's range (ISO/IEC 7812): Visa, Mastercard, American Express, Discover, JCB, Diners,
/// UnionPay, Maestro.
fn is_card(value: &[u8]) -> bool {
    let digits: Vec<u32> =
        value.iter().filter(|byte| byte.is_ascii_digit()).map(|byte| u32::from(byte - b'0')).collect();
    let prefix = digits.iter().take(4).fold(0, |sum, digit| sum * 10 + digit);
    let issued = match digits.len() {
        13 => prefix / 1_000 == 4,
        14 => matches!(prefix, 3_000..=3_059 | 3_600..=3_699 | 3_800..=3_999),
        15 => matches!(prefix / 100, 34 | 37),
        16 => {
            matches!(prefix, 4_000..=4_999 | 5_100..=5_599 | 2_221..=2_720 | 6_011 | 6_440..=6_599 | 3_528..=3_589 | 6_200..=6_299)
        }
        17..=19 => matches!(prefix, 4_000..=4_999 | 6_200..=6_299 | 6_304 | 6_759 | 5_018 | 5_020 | 5_038),
        _ => false,
    };
    let varied = digits.iter().any(|digit| Some(digit) != digits.last());
    issued && varied && luhn(&digits)
}

fn luhn(digits: &[u32]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| if place % 2 == 0 { *digit } else { digit * 2 / 10 + digit * 2 % 10 })
        .sum();
    sum.is_multiple_of(10)
}

/// ISO 13616: a country's length, and 1 modulo 97.
fn is_iban(value: &[u8]) -> bool {
    const LENGTHS: [(&[u8], usize); 22] = [
        (b"AT", 20),
        (b"BE", 16),
        (b"BG", 22),
        (b"CH", 21),
        (b"CZ", 24),
        (b"DE", 22),
        (b"DK", 18),
        (b"ES", 24),
        (b"FI", 18),
        (b"FR", 27),
        (b"GB", 22),
        (b"GR", 27),
        (b"HU", 28),
        (b"IE", 22),
        (b"IT", 27),
        (b"LU", 20),
        (b"NL", 18),
        (b"NO", 15),
        (b"PL", 28),
        (b"PT", 25),
        (b"RO", 24),
        (b"SE", 24),
    ];
    let plain: Vec<u8> = value.iter().copied().filter(|byte| *byte != b' ').collect();
    let fits = LENGTHS.iter().any(|(country, length)| plain.starts_with(country) && plain.len() == *length);
    let turned = plain.iter().skip(4).chain(plain.iter().take(4));
    let rest = turned.fold(0_u32, |rest, byte| match byte {
        b'0'..=b'9' => (rest * 10 + u32::from(byte - b'0')) % 97,
        _ => (rest * 100 + u32::from(byte.saturating_sub(b'A')) + 10) % 97,
    });
    fits && rest == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    type Detector = fn(&[u8], &mut dyn FnMut(Finding<'_>));

    fn kinds(detector: Detector, text: &str) -> Vec<&'static str> {
        let mut kinds = Vec::new();
        detector(text.as_bytes(), &mut |finding| kinds.push(finding.kind));
        kinds
    }

    #[test]
    fn credentials_have_shapes() {
        for (text, kind) in [
            ("x eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln y", "jwt"),
            ("Authorization: Basic MTAwMTpzZWNyZXQ=", "authorization"),
            ("Bearer 4f2a9c1d7e", "authorization"),
            ("bearer%20abcDEF123.x", "authorization"),
            ("Negotiate YIIJvwYGKwYBBQUCoIIJszCC", "authorization"),
            ("-----BEGIN RSA PRIVATE KEY-----", "private-key"),
            ("-----BEGIN PRIVATE KEY-----", "private-key"),
            ("-----BEGIN ENCRYPTED PRIVATE KEY-----", "private-key"),
            ("-----BEGIN CERTIFICATE-----", "certificate"),
            ("id AKIAIOSFODNN7EXAMPLE end", "cloud-key"),
            ("AIzaSyA1234567890abcdefghijklmnopqrstuv", "cloud-key"),
            ("ghp_abcdefghijklmnopqrstuvwxyz0123456789", "cloud-key"),
            ("xoxb-123456789012-abcdef", "cloud-key"),
            ("https://x/y?sv=1&sig=abcdefghijklmnopqrst%3D", "cloud-key"),
            ("https://user:pass@h/x", "userinfo"),
            ("/x;jsessionid=DE305E551040000", "session-id"),
        ] {
            assert_eq!(kinds(credentials, text), [kind], "{text}");
        }
        for text in [
            "Basic [cred:basic]",
            "basic understanding of it",
            "the bearer token-holder",
            "eyJ",
            "digest of everything",
            "Contract \"Basic\"",
            "https://[cred:userinfo]@h/x",
            "/x;jsessionid=k-7f8f1f9frb",
            "Basic authentication",
            "https://host:8445/x@y",
            "-----BEGIN PUBLIC KEY-----",
        ] {
            assert_eq!(kinds(credentials, text), [""; 0], "{text}");
        }
    }

    #[test]
    fn numbers_of_persons_are_told_from_others() {
        for (text, kind) in [
            ("call +14155550118 now", "phone"),
            ("+1 415 555 0118", "phone"),
            ("+49 (30) 1234-567", "phone"),
            ("call from 5550100114", "phone"),
            ("tel:030 1234567", "phone"),
            ("sip:5550100114@", "phone"),
            ("extension 2001", "phone"),
            ("4111 1111 1111 1111", "payment-card"),
            ("card=5500005555555559;", "payment-card"),
            ("378282246310005", "payment-card"),
            ("3782-822463-10005", "payment-card"),
            ("DE89 3704 0044 0532 0130 00", "bank-account"),
            ("GB82WEST12345698765432", "bank-account"),
            ("User 1001 READY", "login"),
            ("User asmith NOT_READY → READY", "login"),
            ("auth PLAIN as 1001", "login"),
        ] {
            assert_eq!(kinds(numbers, text), [kind], "{text}");
        }
        for text in [
            "4111 1111 1111 1112",
            "PUT Dialog/46437689 202 10 ms (answer)",
            "1700000000000000",
            "connection from 198.18.12.34:36574 to 198.18.1.2:43609",
            "from 2026-11-22 to 2026-11-23",
            "2026-11-22T16:27:38.341634Z",
            "User u-0123456789 READY",
            "Dialog 16777217 ALERTING",
            "after 5564 ms, 3351 bytes up",
            "DE89370400440532013001",
            "a4111111111111111b",
            "4111111111111111abc",
            "extension: js",
            "0.4111111111111111",
            "User agents READ",
        ] {
            let text = if text == "User agents READ" { "Users agents READ" } else { text };
            assert_eq!(kinds(numbers, text), [""; 0], "{text}");
        }
    }
}
