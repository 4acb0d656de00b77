//! TLS: what the browser refuses, with and without a word, and what the server shows or does not.

use super::{Code, Confidence, Fact, Finding};

/// A handshake that the browser ended.
pub(in crate::session) fn refused(alert: Option<&str>, sni: Option<&str>, port: u16, sequence: u64) -> Option<Finding> {
    let alert = alert?;
    if !is_about_certificate(alert) {
        return None;
    }
    let finding = Finding::new(Code::CertificateRefused, Confidence::Certain);
    let finding = finding.about(format!("{} {port}", sni.unwrap_or_default())).seen([sequence]);
    Some(finding.fact(Fact::Alert, alert).maybe(Fact::Sni, sni).fact(Fact::Port, port))
}

/// Handshakes that a browser ended without a word before one is too many: it tries again, and connects in advance.
pub(in crate::session) const SILENT: usize = 3;
/// From the first of them to the last, milliseconds.
const SILENT_SPAN_MS: u64 = 5_000;

/// RFC 8446 section 6: other alerts are about versions, ciphers or the record layer.
fn is_about_certificate(alert: &str) -> bool {
    matches!(
        alert,
        "bad_certificate"
            | "unsupported_certificate"
            | "certificate_revoked"
            | "certificate_expired"
            | "certificate_unknown"
            | "unknown_ca"
    )
}

/// Handshakes of one browser for one name and port that it ended without an alert.
pub(in crate::session) fn refused_silently(lines: &[u64], span_ms: u64, sni: &str, port: u16) -> Option<Finding> {
    if lines.len() < SILENT || span_ms < SILENT_SPAN_MS {
        return None;
    }
    let finding = Finding::new(Code::CertificateRefusedSilently, Confidence::Likely).about(format!("{sni} {port}"));
    let finding = finding.seen(lines.iter().copied()).fact(Fact::Sni, sni).fact(Fact::Port, port);
    Some(finding.fact(Fact::Times, lines.len()))
}

/// The proxy could not make its connection to the server.
#[derive(Clone, Copy, Debug)]
pub struct Unreached<'u> {
    /// In a sentence.
    pub why: Option<&'u str>,
    /// The alert that the server sent, or the proxy would have.
    pub alert: Option<&'u str>,
    /// The server had shown its certificate, and the proxy ended the handshake.
    pub shown: bool,
    /// The server's port.
    pub port: u16,
}

/// The server cannot be reached, or is not trusted.
pub(in crate::session) fn unreached(host: &str, told: Unreached<'_>, sequence: u64) -> Finding {
    let Unreached { why, alert, shown, port } = told;
    let is_certificate = shown || alert.is_some_and(is_about_certificate);
    let code = if is_certificate { Code::UpstreamCertificate } else { Code::UpstreamUnreachable };
    let finding = Finding::new(code, Confidence::Certain).about(format!("{host}:{port}")).seen([sequence]);
    let finding = finding.fact(Fact::Host, host).fact(Fact::Port, port).maybe(Fact::Message, why);
    finding.maybe(Fact::Alert, alert.filter(|_| is_certificate))
}
