//! A browser's words for what went wrong become what the capture says of a connection: who ended it, and how.
//!
//! Chrome's and Edge's `net::ERR_…`, Firefox's `NS_ERROR_…` and `SEC_ERROR_…`, Playwright's and the proxies' sentences. The
//! words themselves are kept beside it. What is not recognised ends the connection by nobody, in an unknown way.

use crate::capture::observation::{End, How};

/// What became of a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Failure {
    pub(super) by: End,
    pub(super) how: How,
    /// TLS failed: the alert that says it (RFC 8446 section 6.2), where it was the certificate.
    pub(super) tls: Option<Option<&'static str>>,
}

impl Failure {
    /// What is made of these words.
    pub(super) fn read(words: &str) -> Self {
        let words = words.to_ascii_uppercase();
        let has = |any: &[&str]| any.iter().any(|part| words.contains(part));
        let ends = |by, how| Self { by, how, tls: None };
        let certificate = |alert| Self { by: End::Client, how: How::TlsAlert, tls: Some(Some(alert)) };
        if has(&["CERT_DATE", "EXPIRED_CERTIFICATE", "EXPIRED_ISSUER"]) {
            certificate("certificate_expired")
        } else if has(&["CERT_REVOKED", "REVOKED_CERTIFICATE"]) {
            certificate("certificate_revoked")
        } else if has(&["CERT_AUTHORITY", "UNKNOWN_ISSUER", "UNTRUSTED_ISSUER", "SELF_SIGNED", "UNKNOWN_CA"]) {
            certificate("unknown_ca")
        } else if has(&["SSL_CLIENT_AUTH"]) {
            Self { by: End::Upstream, how: How::TlsAlert, tls: Some(None) }
        } else if has(&["ERR_CERT", "SEC_ERROR", "BAD_CERT", "CERTIFICATE", "PINNED_KEY"]) {
            certificate("certificate_unknown")
        } else if has(&["ERR_SSL", "SSL_ERROR", "TLS", "HANDSHAKE"]) {
            Self { by: End::Unknown, how: How::TlsAlert, tls: Some(None) }
        } else if has(&["TIMED_OUT", "TIMEOUT", "TIME OUT"]) {
            ends(End::Unknown, How::Timeout)
        } else if has(&["RESET", "EMPTY_RESPONSE", "CONNECTION_CLOSED", "PARTIAL_TRANSFER", "HTTP2", "QUIC"]) {
            ends(End::Upstream, How::Rst)
        } else if has(&[
            "REFUSED",
            "NAME_NOT_RESOLVED",
            "UNKNOWN_HOST",
            "UNREACHABLE",
            "DISCONNECTED",
            "TUNNEL",
            "PROXY",
        ]) || has(&["CONNECTION_FAILED", "ENOTFOUND", "NETWORK_CHANGED"])
        {
            ends(End::Upstream, How::Unreachable)
        } else if has(&["ABORT", "CANCEL", "BLOCKED", "NS_BINDING"]) {
            ends(End::Client, How::Unknown)
        } else {
            ends(End::Unknown, How::Unknown)
        }
    }

    /// What is made of an error that the browser noted among a socket's messages: unless the network failed, the browser
    /// itself fails the connection (RFC 6455 section 7.1.7).
    pub(super) fn of_socket(words: &str) -> Self {
        let failure = Self::read(words);
        match failure.how {
            How::Unknown => Self { by: End::Client, how: How::Error, tls: None },
            _ => failure,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_words_are_understood() {
        let read = |words| {
            let Failure { by, how, tls } = Failure::read(words);
            (by, how, tls.flatten())
        };
        assert_eq!(read("net::ERR_CERT_AUTHORITY_INVALID"), (End::Client, How::TlsAlert, Some("unknown_ca")));
        assert_eq!(read("net::ERR_CERT_DATE_INVALID"), (End::Client, How::TlsAlert, Some("certificate_expired")));
        assert_eq!(read("SEC_ERROR_UNKNOWN_ISSUER"), (End::Client, How::TlsAlert, Some("unknown_ca")));
        assert_eq!(
            read("net::ERR_CERT_COMMON_NAME_INVALID"),
            (End::Client, How::TlsAlert, Some("certificate_unknown"))
        );
        assert_eq!(read("net::ERR_SSL_PROTOCOL_ERROR"), (End::Unknown, How::TlsAlert, None));
        assert_eq!(read("net::ERR_CONNECTION_RESET"), (End::Upstream, How::Rst, None));
        assert_eq!(read("NS_ERROR_CONNECTION_REFUSED"), (End::Upstream, How::Unreachable, None));
        assert_eq!(read("net::ERR_NAME_NOT_RESOLVED"), (End::Upstream, How::Unreachable, None));
        assert_eq!(read("net::ERR_CONNECTION_TIMED_OUT"), (End::Unknown, How::Timeout, None));
        assert_eq!(read("net::ERR_ABORTED"), (End::Client, How::Unknown, None));
        assert_eq!(read("NS_BINDING_ABORTED"), (End::Client, How::Unknown, None));
        assert_eq!(read("something new"), (End::Unknown, How::Unknown, None));
        let socket = |words| (Failure::of_socket(words).by, Failure::of_socket(words).how);
        assert_eq!(socket("Close received after close"), (End::Client, How::Error));
        assert_eq!(socket("net::ERR_CONNECTION_RESET"), (End::Upstream, How::Rst));
    }
}
