//! DER becomes a certificate as a person compares it: subject, issuer, names, validity, fingerprint.
//!
//! Reads certificates of strangers: control characters are replaced, texts and lists are capped, and what cannot be
//! parsed still has its fingerprint. Judges nothing; that is [`super::upstream`]'s.

use crate::capture::observation::Certificate;
use std::fmt::Write as _;
use std::net::IpAddr;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

/// Most alternative names kept of one certificate.
pub const SANS_MAX: usize = 100;

/// Longest subject, issuer or alternative name kept, characters.
pub const NAME_MAX_CHARS: usize = 512;

/// Reads a certificate's DER form. An unreadable one keeps its fingerprint and says so in `subject`.
#[must_use]
pub fn describe(der: &[u8]) -> Certificate {
    let sha256 = sha256_hex(der);
    let Ok((_, x509)) = X509Certificate::from_der(der) else {
        let unreadable = "(not a readable certificate)".to_owned();
        return Certificate {
            subject: unreadable,
            issuer: String::new(),
            sans: Vec::new(),
            not_before: 0,
            not_after: 0,
            sha256,
        };
    };
    let sans = match x509.subject_alternative_name() {
        Ok(Some(extension)) => {
            extension.value.general_names.iter().filter_map(san).take(SANS_MAX).map(|name| printable(&name)).collect()
        }
        _ => Vec::new(),
    };
    Certificate {
        subject: printable(&x509.subject().to_string()),
        issuer: printable(&x509.issuer().to_string()),
        sans,
        not_before: x509.validity().not_before.timestamp(),
        not_after: x509.validity().not_after.timestamp(),
        sha256,
    }
}

/// Seconds since 1970 as a person reads a date: `2026-01-31 23:59 UTC`.
#[must_use]
pub fn date(seconds: i64) -> String {
    match time::OffsetDateTime::from_unix_timestamp(seconds) {
        Ok(t) => {
            format!("{:04}-{:02}-{:02} {:02}:{:02} UTC", t.year(), u8::from(t.month()), t.day(), t.hour(), t.minute())
        }
        Err(_) => format!("{seconds} s after 1970"),
    }
}

/// SHA-256, 32 bytes.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut sum = [0; 32];
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    sum.copy_from_slice(digest.as_ref());
    sum
}

/// SHA-256 in lower-case hex.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&sha256(bytes))
}

/// SHA-256 of a certificate's SubjectPublicKeyInfo in lower-case hex.
pub(super) fn spki_sha256(der: &[u8]) -> Option<String> {
    let (_, x509) = X509Certificate::from_der(der).ok()?;
    Some(sha256_hex(x509.public_key().raw))
}

/// Lower-case hex.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// An address as X.509 carries it: 4 or 16 bytes.
pub(super) fn address(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(v4) = <[u8; 4]>::try_from(bytes) {
        return Some(IpAddr::from(v4));
    }
    <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from)
}

fn san(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(dns) => Some(format!("DNS:{dns}")),
        GeneralName::IPAddress(bytes) => address(bytes).map(|ip| format!("IP:{ip}")),
        GeneralName::RFC822Name(mail) => Some(format!("email:{mail}")),
        GeneralName::URI(uri) => Some(format!("URI:{uri}")),
        _ => None,
    }
}

fn printable(text: &str) -> String {
    text.chars().take(NAME_MAX_CHARS).map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unreadable_bytes_keep_their_fingerprint() {
        let seen = describe(b"not DER at all");
        assert_eq!(seen.sha256, sha256_hex(b"not DER at all"));
        assert_eq!(seen.subject, "(not a readable certificate)");
    }

    #[test]
    fn control_characters_of_strangers_do_not_reach_the_log() {
        assert_eq!(printable("CN=a\r\nCN=b\u{7}"), "CN=a\u{fffd}\u{fffd}CN=b\u{fffd}");
        assert_eq!(printable(&"x".repeat(10_000)).len(), NAME_MAX_CHARS);
    }

    #[test]
    fn a_date_reads_as_a_date() {
        assert_eq!(date(1_767_225_599), "2025-12-31 23:59 UTC");
        assert_eq!(sha256_hex(b""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }
}
