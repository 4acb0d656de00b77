//! A server's proof that it holds its certificate's key, whatever else is in that certificate.
//!
//! Who vouches for a certificate is another question, and so is whether a browser would take it: a pinned one may be X.509
//! version 1 or have critical extensions that nobody knows. Reads only the key. (RFC 8446 section 4.4.3, RFC 5246 section 7.4.3)

use rustls::client::danger::HandshakeSignatureValid;
use rustls::pki_types::{CertificateDer, SubjectPublicKeyInfoDer};
use rustls::{CertificateError, DigitallySignedStruct, Error, PeerMisbehaved, ProtocolVersion};
use webpki::RawPublicKeyEntity;
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::public_key::PublicKey;

/// RSA keys that can be verified, bits.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2_048..=8_192;
/// P-256, P-384, P-521.
const CURVE_BITS: [usize; 3] = [256, 384, 521];

/// Verifies what the server signed in the handshake.
pub(super) fn verify(
    version: ProtocolVersion,
    message: &[u8],
    certificate: &CertificateDer<'_>,
    signed: &DigitallySignedStruct,
) -> Result<HandshakeSignatureValid, Error> {
    let algorithms = super::provider().signature_verification_algorithms;
    let found = algorithms.mapping.iter().find(|(scheme, _)| *scheme == signed.scheme);
    let Some((_, candidates)) = found else {
        return Err(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme.into());
    };
    // TLS 1.3 ties a scheme to one curve; 1.2 to a hash only. Keys for RSASSA-PSS alone have two spellings in either.
    let is_pss = u16::from(signed.scheme) & 0xff08 == 0x0808;
    let count = if version == ProtocolVersion::TLSv1_3 && !is_pss { 1 } else { candidates.len() };
    let malformed = || Error::InvalidCertificate(CertificateError::BadEncoding);
    let (_, x509) = X509Certificate::from_der(certificate).map_err(|_| malformed())?;
    let spki = SubjectPublicKeyInfoDer::from(x509.public_key().raw);
    let key = RawPublicKeyEntity::try_from(&spki).map_err(|_| malformed())?;
    let is_proof = candidates.iter().take(count).any(|algorithm| {
        // Another kind of key is refused there, too.
        key.verify_signature(*algorithm, message, signed.signature()).is_ok()
    });
    if is_proof {
        Ok(HandshakeSignatureValid::assertion())
    } else {
        Err(Error::InvalidCertificate(CertificateError::BadSignature))
    }
}

/// Why no proof by this certificate's key can be verified, so that no option accepts it: `RSA of 1024 bits`.
pub(super) fn unusable_key(der: &[u8]) -> Option<String> {
    let Ok((_, x509)) = X509Certificate::from_der(der) else { return Some("unreadable".to_owned()) };
    match x509.public_key().parsed() {
        Ok(PublicKey::RSA(key)) if RSA_BITS.contains(&key.key_size()) => None,
        Ok(PublicKey::RSA(key)) => Some(format!("RSA of {} bits", key.key_size())),
        Ok(PublicKey::EC(point)) if CURVE_BITS.contains(&curve_bits(point.key_size())) => None,
        Ok(PublicKey::EC(point)) => Some(format!("on an elliptic curve of {} bits", point.key_size())),
        Ok(PublicKey::DSA(_)) => Some("DSA".to_owned()),
        // RSASSA-PSS and Edwards curves are not told apart there.
        Ok(_) | Err(_) => None,
    }
}

/// A point's coordinates are whole bytes.
fn curve_bits(coordinate_bits: usize) -> usize {
    if coordinate_bits == 528 { 521 } else { coordinate_bits }
}
