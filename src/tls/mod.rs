//! TLS on both legs: who we are to the browser, whom we believe to be Finesse.
//!
//! [`ca`] keeps a CA that is good for the fronted names only, [`leaf`] mints what the browser sees, [`front`] and
//! [`upstream`] are the two ready-made rustls configurations, [`certificate`] turns DER into what a person compares.
//! `algorithm` is the cryptography, `proof` what a server has to prove. Versions (TLS 1.2 and 1.3) and ALPN (`h2` and `http/1.1`, or `xmpp-client`) are named here and nowhere else.
//! Nothing here accepts or dials: [`crate::proxy`] does.

mod algorithm;
pub mod ca;
pub mod certificate;
pub mod front;
pub(crate) mod hello;
pub mod keylog;
pub mod leaf;
mod proof;
mod refusal;
pub mod upstream;

pub(crate) use algorithm::provider;

use crate::conn::Kind;
use rustls::AlertDescription;

/// A version of HTTP as ALPN names it (RFC 7301): one that the tap can read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Protocol {
    /// `h2` (RFC 9113).
    Http2,
    /// `http/1.1` (RFC 9112).
    Http1,
}

impl Protocol {
    /// What a browser offers, in its order.
    pub const BROWSER: [Self; 2] = [Self::Http2, Self::Http1];

    /// As ALPN and the event stream name it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http2 => "h2",
            Self::Http1 => "http/1.1",
        }
    }

    /// The one of this name.
    #[must_use]
    pub fn named(name: &[u8]) -> Option<Self> {
        Self::BROWSER.into_iter().find(|protocol| protocol.as_str().as_bytes() == name)
    }
}

/// The names of an ALPN offer as the event stream has them: what nobody here speaks is `other`.
#[must_use]
pub fn offer_names<'n>(offer: impl IntoIterator<Item = &'n [u8]>) -> Vec<&'static str> {
    const KNOWN: [&str; 4] = ["h2", "http/1.1", "http/1.0", "xmpp-client"];
    let name = |name: &[u8]| KNOWN.into_iter().find(|known| known.as_bytes() == name).unwrap_or("other");
    let mut names: Vec<&'static str> = offer.into_iter().map(name).collect();
    names.dedup();
    names.truncate(MAX_OFFER);
    names
}

/// Names of an ALPN offer that are written at the most.
const MAX_OFFER: usize = 8;

/// The protocols offered and accepted in ALPN on both legs (RFC 7301) where nothing is mirrored. Behind STARTTLS it is agreed
/// already what is spoken.
#[must_use]
pub fn alpn(kind: Kind) -> Vec<Vec<u8>> {
    match kind {
        Kind::Https => vec![b"http/1.1".to_vec()],
        // XEP-0368 section 3
        Kind::Xmpps => vec![b"xmpp-client".to_vec()],
        Kind::XmppStartTls => Vec::new(),
    }
}

/// TLS versions on both legs.
pub(crate) const VERSIONS: &[&rustls::SupportedProtocolVersion] = &[&rustls::version::TLS13, &rustls::version::TLS12];

/// An alert by its name in RFC 8446 section 6 (or the RFC that added it); `alert_N` for others.
#[must_use]
pub fn alert_name(alert: AlertDescription) -> String {
    use AlertDescription as A;
    let name = match alert {
        A::CloseNotify => "close_notify",
        A::UnexpectedMessage => "unexpected_message",
        A::BadRecordMac => "bad_record_mac",
        A::RecordOverflow => "record_overflow",
        A::HandshakeFailure => "handshake_failure",
        A::BadCertificate => "bad_certificate",
        A::UnsupportedCertificate => "unsupported_certificate",
        A::CertificateRevoked => "certificate_revoked",
        A::CertificateExpired => "certificate_expired",
        A::CertificateUnknown => "certificate_unknown",
        A::IllegalParameter => "illegal_parameter",
        A::UnknownCA => "unknown_ca",
        A::AccessDenied => "access_denied",
        A::DecodeError => "decode_error",
        A::DecryptError => "decrypt_error",
        A::ProtocolVersion => "protocol_version",
        A::InsufficientSecurity => "insufficient_security",
        A::InternalError => "internal_error",
        A::InappropriateFallback => "inappropriate_fallback",
        A::UserCanceled => "user_canceled",
        A::NoRenegotiation => "no_renegotiation",
        A::MissingExtension => "missing_extension",
        A::UnsupportedExtension => "unsupported_extension",
        A::UnrecognisedName => "unrecognized_name",
        A::BadCertificateStatusResponse => "bad_certificate_status_response",
        A::UnknownPSKIdentity => "unknown_psk_identity",
        A::CertificateRequired => "certificate_required",
        A::NoApplicationProtocol => "no_application_protocol",
        A::EncryptedClientHelloRequired => "ech_required",
        other => return format!("alert_{}", u8::from(other)),
    };
    name.to_owned()
}

/// Why a client's handshake cannot be answered, in plain words, and the alert that it is sent (RFC 8446 section 6.2).
#[must_use]
pub fn unanswerable(cause: &rustls::Error) -> (String, Option<String>) {
    use rustls::PeerIncompatible as P;
    let (why, alert) = match cause {
        rustls::Error::NoApplicationProtocol => (
            "the client offers no protocol in ALPN that it can get here: http/1.1, or h2 where its offer is mirrored".to_owned(),
            Some(AlertDescription::NoApplicationProtocol),
        ),
        rustls::Error::PeerIncompatible(
            P::Tls12NotOffered | P::Tls12NotOfferedOrEnabled | P::SupportedVersionsExtensionRequired,
        ) => (
            "the client speaks only TLS older than 1.2, as browsers before 2014 and switched-back ones do: switch TLS 1.2 on there"
                .to_owned(),
            Some(AlertDescription::ProtocolVersion),
        ),
        rustls::Error::PeerIncompatible(P::NoCipherSuitesInCommon | P::NoKxGroupsInCommon | P::NoSignatureSchemesInCommon) => (
            "the client has no cipher, group or signature in common with TLS 1.2 with ECDHE and AEAD, or TLS 1.3".to_owned(),
            Some(AlertDescription::HandshakeFailure),
        ),
        other => (format!("the client's TLS handshake cannot be answered: {other}"), None),
    };
    (why, alert.map(alert_name))
}

/// The rustls error inside an I/O error, if there is one.
#[must_use]
pub fn cause(error: &std::io::Error) -> Option<&rustls::Error> {
    error.get_ref().and_then(|inner| inner.downcast_ref())
}
