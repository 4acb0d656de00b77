//! The cryptography in use: ring's, and verification of the two kinds of keys that it leaves out and servers have.
//!
//! ECDSA on P-521 (a certificate authority of Cisco's Unified OS makes such `tomcat-ECDSA` certificates) and RSA keys that are
//! for RSASSA-PSS alone (RFC 4055 section 1.2, RFC 8446 section 4.2.3 `rsa_pss_pss_*`). Signatures of others are only
//! verified here, never made.

use p521::ecdsa::signature::Verifier as _;
use p521::ecdsa::{Signature, VerifyingKey};
use ring::signature::{
    RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RsaParameters, UnparsedPublicKey,
};
use rustls::SignatureScheme;
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms};
use rustls::pki_types::{AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm, alg_id};
use std::sync::{Arc, OnceLock};

type Algorithm = &'static dyn SignatureVerificationAlgorithm;

/// ring, named explicitly so that another provider in the dependency graph cannot matter, and what is added here.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    Arc::clone(PROVIDER.get_or_init(|| {
        let mut provider = rustls::crypto::ring::default_provider();
        let known = provider.signature_verification_algorithms;
        let all: Vec<Algorithm> =
            known.all.iter().copied().chain(ADDED.iter().flat_map(|(_, added)| *added).copied()).collect();
        let mapping: Vec<_> = known.mapping.iter().copied().chain(ADDED.iter().copied()).collect();
        // Once a program: rustls wants them for as long as it runs.
        provider.signature_verification_algorithms =
            WebPkiSupportedAlgorithms { all: Vec::leak(all), mapping: Vec::leak(mapping) };
        Arc::new(provider)
    }))
}

/// Behind all others, so that a server with several certificates chooses as it does without them.
const ADDED: &[(SignatureScheme, &[Algorithm])] = &[
    (SignatureScheme::ECDSA_NISTP521_SHA512, &[&P521]),
    (SignatureScheme::Unknown(0x0809), &[&PSS[0], &PSS[1]]),
    (SignatureScheme::Unknown(0x080a), &[&PSS[2], &PSS[3]]),
    (SignatureScheme::Unknown(0x080b), &[&PSS[4], &PSS[5]]),
];

static PSS: [Pss; 6] = [
    Pss { parameters: &RSA_PSS_2048_8192_SHA256, key: PSS_KEY, signature: alg_id::RSA_PSS_SHA256 },
    Pss { parameters: &RSA_PSS_2048_8192_SHA256, key: alg_id::RSA_PSS_SHA256, signature: alg_id::RSA_PSS_SHA256 },
    Pss { parameters: &RSA_PSS_2048_8192_SHA384, key: PSS_KEY, signature: alg_id::RSA_PSS_SHA384 },
    Pss { parameters: &RSA_PSS_2048_8192_SHA384, key: alg_id::RSA_PSS_SHA384, signature: alg_id::RSA_PSS_SHA384 },
    Pss { parameters: &RSA_PSS_2048_8192_SHA512, key: PSS_KEY, signature: alg_id::RSA_PSS_SHA512 },
    Pss { parameters: &RSA_PSS_2048_8192_SHA512, key: alg_id::RSA_PSS_SHA512, signature: alg_id::RSA_PSS_SHA512 },
];

/// `id-RSASSA-PSS` without parameters: a key for any hash (RFC 4055 section 3.1).
const PSS_KEY: AlgorithmIdentifier =
    AlgorithmIdentifier::from_slice(&[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a]);

/// An RSA key that is for RSASSA-PSS alone.
#[derive(Debug)]
struct Pss {
    parameters: &'static RsaParameters,
    key: AlgorithmIdentifier,
    signature: AlgorithmIdentifier,
}

impl SignatureVerificationAlgorithm for Pss {
    fn verify_signature(&self, public_key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        let key = UnparsedPublicKey::new(self.parameters, public_key);
        key.verify(message, signature).map_err(|_| InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.key
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.signature
    }
}

/// ECDSA on P-521 with SHA-512.
#[derive(Debug)]
struct P521;

impl SignatureVerificationAlgorithm for P521 {
    fn verify_signature(&self, public_key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        let key = VerifyingKey::from_sec1_bytes(public_key).map_err(|_| InvalidSignature)?;
        let signature = Signature::from_der(signature).map_err(|_| InvalidSignature)?;
        key.verify(message, &signature).map_err(|_| InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ECDSA_P521
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ECDSA_SHA512
    }
}
