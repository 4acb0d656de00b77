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

/// The certificate that a server showed.
pub(super) struct Shown<'s> {
    pub(super) certificate: &'s Certificate,
    /// It was believed.
    pub(super) accepted: bool,
    /// What kind of key it has, if no proof by it can be verified.
    pub(super) unusable_key: Option<String>,
}

/// Whether the server asked for a client certificate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Asked {
    /// It did not.
    Nothing,
    /// It did, and got none.
    InVain,
    /// It did, and got the one that is configured.
    Answered,
}

/// What to do where the server wants a client certificate.
const WANTS_CERTIFICATE: &str =
    "it wants a client certificate: --upstream-client-cert FILE and --upstream-client-key FILE";

/// What went wrong with `host`, which showed this certificate and asked for one of ours, and what to do about it.
pub(super) fn judge(
    error: &io::Error,
    host: &str,
    shown: Option<&Shown<'_>>,
    asked: Asked,
) -> (TlsFailure, Option<String>) {
    let by_us = |why: String| TlsFailure { alert: None, by: End::Proxy, why };
    let by_them = |why: String| TlsFailure { alert: None, by: End::Upstream, why };
    let about_ours = match asked {
        Asked::Nothing => None,
        Asked::InVain => Some(WANTS_CERTIFICATE),
        Asked::Answered => {
            Some("it does not take the client certificate of --upstream-client-cert: is its issuer known there?")
        }
    };
    let Some(cause) = super::cause(error) else {
        let why = match error.kind() {
            io::ErrorKind::UnexpectedEof => "the server closed the connection during the TLS handshake".to_owned(),
            io::ErrorKind::ConnectionReset => "the server reset the connection during the TLS handshake".to_owned(),
            _ => format!("the TLS handshake failed: {error}"),
        };
        return (by_them(why), about_ours.map(str::to_owned));
    };
    match (cause, shown) {
        (Error::InvalidCertificate(_), Some(Shown { accepted: true, unusable_key, .. })) => {
            // A pin would be of no help: it is the proof of the key that failed, or cannot be verified.
            let why = "the server's proof that it holds its certificate's key cannot be verified";
            let hint = unusable_key.as_deref().map(no_option);
            (by_us(why.to_owned()), hint)
        }
        (Error::InvalidCertificate(why), Some(shown)) => {
            let reason = certificate_reason(why, host, shown.certificate);
            (by_us(format!("the server's certificate was refused: {reason}")), Some(acceptance(why, shown)))
        }
        (Error::AlertReceived(alert), _) => {
            let name = super::alert_name(*alert);
            let why = format!("the server refused the TLS handshake with the alert {name}");
            (TlsFailure { alert: Some(name), by: End::Upstream, why }, alert_hint(*alert, about_ours))
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
            (by_us(format!("{why} ({incompatible:?})")), old.then(|| OLD_SERVER.to_owned()))
        }
        (other, _) => (by_us(format!("the TLS handshake failed: {other}")), None),
    }
}

/// What to do about a server that is out of date.
const OLD_SERVER: &str = "switch on TLS 1.2 at the server: browsers of today take nothing older either";

/// What the server's alert asks for.
fn alert_hint(alert: AlertDescription, about_ours: Option<&'static str>) -> Option<String> {
    let hint = match alert {
        AlertDescription::UnrecognisedName => "is --upstream the server's own name?",
        AlertDescription::NoApplicationProtocol => {
            "it takes none of the protocols that it was offered in ALPN; with --alpn http1 and where headers are rewritten that is \
             http/1.1 alone, else what the client offers"
        }
        AlertDescription::CertificateRequired => about_ours.unwrap_or(WANTS_CERTIFICATE),
        _ if about_ours.is_some() => return about_ours.map(str::to_owned),
        AlertDescription::BadCertificate => WANTS_CERTIFICATE,
        AlertDescription::ProtocolVersion => OLD_SERVER,
        AlertDescription::HandshakeFailure | AlertDescription::InsufficientSecurity => {
            "the proxy speaks TLS 1.2 with ECDHE and AEAD ciphers, and TLS 1.3; switch one of them on at the server"
        }
        _ => return None,
    };
    Some(hint.to_owned())
}

/// What would make us accept a certificate that was refused, and what should be done about it first.
fn acceptance(error: &CertificateError, shown: &Shown<'_>) -> String {
    use CertificateError as E;
    if let Some(kind) = &shown.unusable_key {
        return no_option(kind);
    }
    let pin = format!("--upstream-pin sha256:{}", shown.certificate.sha256);
    match error {
        E::Expired | E::ExpiredContext { .. } => {
            format!(
                "renew the server's certificate: browsers refuse it, too; until then accept this very one with {pin}"
            )
        }
        E::Revoked => {
            format!("replace the server's certificate; until then, if that is your server, accept it with {pin}")
        }
        _ => format!("if that is your server, accept this very certificate with {pin}"),
    }
}

/// What to do about a key that nothing accepts.
fn no_option(kind: &str) -> String {
    format!(
        "its key is {kind}, which no option accepts: give the server a certificate with RSA of 2048 bits or ECDSA on P-256"
    )
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
            // rustls hands on what it has no name for as text.
            let inner = format!("{inner:?}");
            if inner.contains("CaUsedAsEndEntity") {
                "it is a CA's own certificate used as a server's, which no root can vouch for".to_owned()
            } else if inner.contains("UnsupportedCertVersion") {
                "it is an X.509 version 1 certificate, which browsers refuse, too".to_owned()
            } else if inner.contains("UnsupportedCriticalExtension") {
                "it has a critical extension that is not known, which browsers refuse, too".to_owned()
            } else {
                "it breaks the rules for server certificates".to_owned()
            }
        }
        other => format!("{other}"),
    }
}
