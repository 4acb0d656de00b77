//! TLS handshakes: ECS's part, and which leg it was.
//!
//! Names and certificates are the peers', redacted; versions are words of this program's own.

use super::Word;
use super::classed::{Classed, DISTINGUISHED_NAME, HOST, LABEL, Text, Treat, WORD, treat_all};
use crate::capture::vocabulary;
use crate::capture::walk::Pass;
use serde::{Deserialize, Serialize};

/// `tls.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Tls<'a> {
    /// Version number.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "vocabulary::some")]
    #[cfg_attr(test, schemars(extend("enum" = vocabulary::TLS_VERSION)))]
    pub(in crate::capture) version: Option<Word>,
    /// Always `tls`, beside a version.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "vocabulary::some")]
    #[cfg_attr(test, schemars(extend("enum" = vocabulary::TLS_PROTOCOL)))]
    pub(in crate::capture) version_protocol: Option<Word>,
    /// Cipher suite by its IANA name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) cipher: Text<'a, WORD>,
    /// What ALPN agreed on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) next_protocol: Text<'a, WORD>,
    /// Whether the handshake succeeded.
    pub(in crate::capture) established: bool,
    /// Whether an earlier session was resumed.
    pub(in crate::capture) resumed: bool,
    /// What the client of this leg said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) client: Option<TlsClient<'a>>,
    /// The certificate shown by the server of this leg.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) server: Option<TlsServer<'a>>,
}

/// `tls.client.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct TlsClient<'a> {
    /// The name it asked for (SNI).
    pub(in crate::capture) server_name: Classed<'a, HOST>,
}

/// `tls.server.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct TlsServer<'a> {
    /// Distinguished name.
    pub(in crate::capture) subject: Classed<'a, DISTINGUISHED_NAME>,
    /// Distinguished name.
    pub(in crate::capture) issuer: Classed<'a, DISTINGUISHED_NAME>,
    /// Start of its validity.
    #[cfg_attr(test, schemars(extend("format" = "date-time")))]
    pub(in crate::capture) not_before: Classed<'a, WORD>,
    /// End of its validity.
    #[cfg_attr(test, schemars(extend("format" = "date-time")))]
    pub(in crate::capture) not_after: Classed<'a, WORD>,
    /// Its fingerprint.
    pub(in crate::capture) hash: Hash<'a>,
    /// From the certificate itself.
    pub(in crate::capture) x509: X509<'a>,
}

/// `tls.server.hash.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Hash<'a> {
    /// Of the DER, hexadecimal, in capitals.
    pub(in crate::capture) sha256: Classed<'a, LABEL>,
}

/// `tls.server.x509.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct X509<'a> {
    /// Names and addresses it is good for, at most 32.
    pub(in crate::capture) alternative_names: Vec<Classed<'a, LABEL>>,
}

/// `finesse.tls.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct TlsLeg {
    /// `client`: browser and proxy; `upstream`: proxy and server.
    #[serde(deserialize_with = "vocabulary::one")]
    #[cfg_attr(test, schemars(extend("enum" = vocabulary::LEG)))]
    pub(in crate::capture) leg: Word,
    /// Who ended the handshake.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "vocabulary::some")]
    #[cfg_attr(test, schemars(extend("enum" = vocabulary::END)))]
    pub(in crate::capture) failed_by: Option<Word>,
    /// The protocols offered in ALPN, in their order: by the client on its leg, to the server on the other. Names that nobody
    /// here speaks are `other`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[serde(deserialize_with = "vocabulary::each")]
    #[cfg_attr(test, schemars(schema_with = "super::schema::offered"))]
    pub(in crate::capture) offered: Vec<Word>,
    /// Why the client's offer was not handed on to the server, which speaks HTTP/1.1 then: `option` (--alpn http1),
    /// `rewriting` (of headers), `certificate` (one of the user's for several servers). Absent where it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "vocabulary::some")]
    #[cfg_attr(test, schemars(extend("enum" = vocabulary::PINNED)))]
    pub(in crate::capture) pinned: Option<Word>,
    /// `true` if the server asked for a certificate; absent otherwise.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(in crate::capture) client_certificate_requested: bool,
}

treat_all! {
    Tls<'_> { version, version_protocol, cipher, next_protocol, established, resumed, client, server }
}

impl Treat for TlsClient<'_> {
    fn treat(&mut self, pass: &mut Pass<'_>) {
        let Self { server_name } = self;
        pass.all(&mut [server_name]);
    }

    fn is_gone(&self) -> bool {
        self.server_name.is_gone()
    }
}

impl Treat for TlsServer<'_> {
    fn treat(&mut self, pass: &mut Pass<'_>) {
        let Self { subject, issuer, not_before, not_after, hash, x509 } = self;
        pass.all(&mut [subject, issuer, not_before, not_after, hash, x509]);
    }

    fn is_gone(&self) -> bool {
        self.subject.is_gone()
    }
}

impl Treat for Hash<'_> {
    fn treat(&mut self, pass: &mut Pass<'_>) {
        let Self { sha256 } = self;
        pass.all(&mut [sha256]);
    }

    fn is_gone(&self) -> bool {
        self.sha256.is_gone()
    }
}

impl Treat for X509<'_> {
    fn treat(&mut self, pass: &mut Pass<'_>) {
        let Self { alternative_names } = self;
        pass.all(&mut [alternative_names]);
    }
}

impl Treat for TlsLeg {
    fn treat(&mut self, pass: &mut Pass<'_>) {
        // What was offered are words of this program's own.
        let Self { leg, failed_by, offered: _, pinned, client_certificate_requested } = self;
        pass.all(&mut [leg, failed_by, pinned, client_certificate_requested]);
    }
}
