//! A failed upstream handshake becomes plain words: what happened, who did it, what to do about it.
//!
//! Knows rustls' errors and a certificate's description; no payload and no text of the server's but the names in its
//! certificate appears in what it says.

use super::certificate::date;
use super::upstream::Pin;
use crate::capture::observation::{Certificate, End, TlsFailure};
use rustls::{AlertDescription, CertificateError, Error, OtherError, PeerIncompatible};
use std::io;

/// The verdict of pins on another certificate.
#[derive(Debug, thiserror::Error)]
#[error("it is not the pinned certificate ({})", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or "))]
pub(super) struct OtherPin(pub(super) Vec<Pin>);

/// What went wrong with `host`, which showed this certificate, and what to do about it; `accepted` if the certificate
/// itself was found good.
pub(super) fn judge(
    error: &io::Error,
    host: &str,
    shown: Option<&Certificate>,
    accepted: bool,
) -> (TlsFailure, Option<String>) {
    let by_us = |why: String| TlsFailure { alert: None, by: End::Proxy, why };
    let by_them = |why: String| TlsFailure { alert: None, by: End::Upstream, why };
    let Some(cause) = super::cause(error) else {
        let why = match error.kind() {
            io::ErrorKind::UnexpectedEof => "the server closed the connection during the TLS handshake".to_owned(),
            io::ErrorKind::ConnectionReset => "the server reset the connection during the TLS handshake".to_owned(),
            _ => format!("the TLS handshake failed: {error}"),
        };
        return (by_them(why), None);
    };
    match (cause, shown) {
        (Error::InvalidCertificate(_), Some(_)) if accepted => {
            // A pin would be of no help: it is the proof of the key that failed, or cannot be read.
            let why = "the server's proof that it holds its certificate's key cannot be verified";
            (by_us(why.to_owned()), Some("is its key RSA below 2048 bits, or the certificate X.509 v1?".to_owned()))
        }
        (Error::InvalidCertificate(why), Some(shown)) => {
            let reason = certificate_reason(why, host, shown);
            let hint = format!(
                "if that is your server, accept this very certificate with --upstream-pin sha256:{}",
                shown.sha256
            );
            (by_us(format!("the server's certificate was refused: {reason}")), Some(hint))
        }
        (Error::AlertReceived(alert), _) => {
            let name = super::alert_name(*alert);
            let why = format!("the server refused the TLS handshake with the alert {name}");
            let hint = match alert {
                AlertDescription::UnrecognisedName => Some("is --upstream the server's own name?".to_owned()),
                AlertDescription::CertificateRequired | AlertDescription::BadCertificate => {
                    Some("it wants a client certificate: --upstream-client-cert and --upstream-client-key".to_owned())
                }
                AlertDescription::ProtocolVersion | AlertDescription::HandshakeFailure => {
                    Some("the proxy speaks TLS 1.2 with ECDHE and AEAD ciphers, and TLS 1.3; nothing older".to_owned())
                }
                _ => None,
            };
            (TlsFailure { alert: Some(name), by: End::Upstream, why }, hint)
        }
        (Error::InvalidMessage(_), _) => {
            let hint = "is that the HTTPS port? Finesse's desktop is on 8445 unless changed".to_owned();
            (by_them("the server answered something that is not TLS".to_owned()), Some(hint))
        }
        (Error::PeerIncompatible(incompatible), _) => {
            let old = matches!(
                incompatible,
                PeerIncompatible::ServerDoesNotSupportTls12Or13
                    | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
            );
            let why =
                if old { "the server speaks only TLS older than 1.2" } else { "the server's TLS does not fit ours" };
            (by_us(format!("{why} ({incompatible:?})")), None)
        }
        (other, _) => (by_us(format!("the TLS handshake failed: {other}")), None),
    }
}

fn certificate_reason(error: &CertificateError, host: &str, shown: &Certificate) -> String {
    use CertificateError as E;
    match error {
        E::Expired | E::ExpiredContext { .. } => format!("it expired on {}", date(shown.not_after)),
        E::NotValidYet | E::NotValidYetContext { .. } => format!("it is valid only from {}", date(shown.not_before)),
        // A bad signature: we trust one of the same name, such as this server's former certificate.
        E::UnknownIssuer | E::BadSignature if shown.subject == shown.issuer => {
            "it is self-signed, and not one we trust".to_owned()
        }
        E::UnknownIssuer => format!("nobody we trust vouches for its issuer, {}", shown.issuer),
        E::NotValidForName | E::NotValidForNameContext { .. } if shown.sans.is_empty() => {
            format!("it names no server at all (no subject alternative names), so not {host} either")
        }
        E::NotValidForName | E::NotValidForNameContext { .. } => {
            format!("it is for {}, not for {host}", shown.sans.join(", "))
        }
        E::BadSignature => "the signature on it is wrong".to_owned(),
        E::Revoked => "it has been revoked".to_owned(),
        E::InvalidPurpose | E::InvalidPurposeContext { .. } => "it is not meant for servers".to_owned(),
        E::BadEncoding => "it is malformed".to_owned(),
        E::Other(OtherError(inner)) if inner.is::<OtherPin>() => inner.to_string(),
        E::Other(inner) => {
            let inner = format!("{inner:?}");
            if inner.contains("CaUsedAsEndEntity") {
                "it is a CA's own certificate used as a server's, which no root can vouch for".to_owned()
            } else if inner.contains("UnsupportedCertVersion") {
                "it is an X.509 version 1 certificate, which cannot be used".to_owned()
            } else {
                "it breaks the rules for server certificates".to_owned()
            }
        }
        other => format!("{other}"),
    }
}
