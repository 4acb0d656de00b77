//! The browser's leg of TLS.

use super::{Code, Confidence, Fact, Finding};

/// A handshake that the browser ended.
pub(in crate::session) fn refused(alert: Option<&str>, sni: Option<&str>, port: u16, sequence: u64) -> Option<Finding> {
    let alert = alert?;
    let about_certificate = matches!(
        alert,
        "bad_certificate"
            | "unsupported_certificate"
            | "certificate_revoked"
            | "certificate_expired"
            | "certificate_unknown"
            | "unknown_ca"
    );
    // RFC 8446 section 6: other alerts are about versions, ciphers or the record layer.
    if !about_certificate {
        return None;
    }
    let finding = Finding::new(Code::CertificateRefused, Confidence::Certain);
    let finding = finding.about(format!("{} {port}", sni.unwrap_or_default())).seen([sequence]);
    Some(finding.fact(Fact::Alert, alert).maybe(Fact::Sni, sni).fact(Fact::Port, port))
}
