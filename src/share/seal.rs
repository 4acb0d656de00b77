//! Bytes become an age file for one recipient, as they come: <https://age-encryption.org/v1>, X25519 recipients only.
//!
//! Header, file key and STREAM chunks as that specification has them, with ring's X25519, HKDF-SHA-256, HMAC-SHA-256 and
//! ChaCha20-Poly1305. Holds one chunk of 64 KiB. Knows no passphrases, no ssh keys, no plugins and no decryption: `age -d`
//! is for that, and what holds this file to the format.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use ring::rand::{SecureRandom as _, SystemRandom};
use ring::{agreement, hkdf, hmac};
use std::io::{self, Write};
use std::str::FromStr;

/// Plain bytes of a chunk.
const CHUNK_BYTES: usize = 64 << 10;

/// Whoever is to read it: the public half of an X25519 pair, `age1…`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recipient([u8; 32]);

impl FromStr for Recipient {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!("`{text}` is no age recipient: it begins with age1 and has 62 characters, as age-keygen prints it")
        };
        let bytes = bech32("age", text).ok_or_else(wrong)?;
        bytes.try_into().map(Self).map_err(|_| wrong())
    }
}

/// Encrypts what is written to it; [`Sealed::finish`] must end it.
pub(super) struct Sealed<W> {
    out: W,
    key: LessSafeKey,
    chunk: Vec<u8>,
    counter: u128,
}

impl<W: Write> Sealed<W> {
    /// Writes the header.
    ///
    /// # Errors
    /// The header cannot be written, the system gives no random bytes, or the recipient's key is none.
    pub(super) fn to(recipient: &Recipient, mut out: W) -> io::Result<Self> {
        let random = SystemRandom::new();
        let (mut file_key, mut nonce) = ([0; 16], [0; 16]);
        random.fill(&mut file_key).map_err(failed)?;
        random.fill(&mut nonce).map_err(failed)?;

        let own = agreement::EphemeralPrivateKey::generate(&agreement::X25519, &random).map_err(failed)?;
        let share = own.compute_public_key().map_err(failed)?;
        let salt = [share.as_ref(), &recipient.0].concat();
        let theirs = agreement::UnparsedPublicKey::new(&agreement::X25519, recipient.0);
        let wrap_key =
            agreement::agree_ephemeral(own, &theirs, |secret| derive(secret, &salt, b"age-encryption.org/v1/X25519"))
                .map_err(failed)??;
        let mut wrapped = file_key.to_vec();
        // The wrap key is used once, so that its nonce may be nothing.
        let nothing = Nonce::assume_unique_for_key([0; 12]);
        cipher(&wrap_key)?.seal_in_place_append_tag(nothing, Aad::empty(), &mut wrapped).map_err(failed)?;

        let base64 = |bytes: &[u8]| STANDARD_NO_PAD.encode(bytes);
        let header = format!("age-encryption.org/v1\n-> X25519 {}\n{}\n---", base64(share.as_ref()), base64(&wrapped));
        let mac_key = hmac::Key::new(hmac::HMAC_SHA256, &derive(&file_key, b"", b"header")?);
        let mac = hmac::sign(&mac_key, header.as_bytes());
        out.write_all(format!("{header} {}\n", base64(mac.as_ref())).as_bytes())?;
        out.write_all(&nonce)?;
        let key = cipher(&derive(&file_key, &nonce, b"payload")?)?;
        Ok(Self { out, key, chunk: Vec::with_capacity(CHUNK_BYTES + 16), counter: 0 })
    }

    /// Writes the last chunk, without which a reader takes the file for cut off.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn finish(mut self) -> io::Result<W> {
        self.seal(1)?;
        Ok(self.out)
    }

    /// The nonce is 11 bytes of counter and one that says whether it is the last chunk.
    fn seal(&mut self, last: u8) -> io::Result<()> {
        let mut nonce = [0; 12];
        if let (Some(counter), Some(count)) = (nonce.get_mut(..11), self.counter.to_be_bytes().get(5..)) {
            counter.copy_from_slice(count);
        }
        if let Some(byte) = nonce.last_mut() {
            *byte = last;
        }
        self.counter += 1;
        let nonce = Nonce::assume_unique_for_key(nonce);
        self.key.seal_in_place_append_tag(nonce, Aad::empty(), &mut self.chunk).map_err(failed)?;
        self.out.write_all(&self.chunk)?;
        self.chunk.clear();
        Ok(())
    }
}

impl<W: Write> Write for Sealed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A full chunk waits for one more byte: the last one is marked, and is empty only if the file is.
        if self.chunk.len() == CHUNK_BYTES && !bytes.is_empty() {
            self.seal(0)?;
        }
        let (taken, _) = bytes.split_at(bytes.len().min(CHUNK_BYTES - self.chunk.len()));
        self.chunk.extend_from_slice(taken);
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn cipher(key: &[u8; 32]) -> io::Result<LessSafeKey> {
    Ok(LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, key).map_err(failed)?))
}

fn derive(secret: &[u8], salt: &[u8], info: &[u8]) -> io::Result<[u8; 32]> {
    let mut key = [0; 32];
    let pseudorandom = hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(secret);
    let info = [info];
    let filled = pseudorandom.expand(&info, hkdf::HKDF_SHA256).and_then(|okm| okm.fill(&mut key));
    filled.map(|()| key).map_err(failed)
}

fn failed(_: ring::error::Unspecified) -> io::Error {
    io::Error::other("encryption failed: the recipient is no X25519 key, or the system gives no random numbers")
}

/// The bytes of a Bech32 text (BIP 173) whose human-readable part is `prefix`.
fn bech32(prefix: &str, text: &str) -> Option<Vec<u8>> {
    const CHARSET: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    const CHECKSUM_CHARS: usize = 6;
    let symbols = text.strip_prefix(prefix)?.strip_prefix('1')?;
    let value = |symbol| CHARSET.iter().position(|known| *known == symbol).and_then(|at| u8::try_from(at).ok());
    let values: Vec<u8> = symbols.bytes().map(value).collect::<Option<_>>()?;
    let expanded = prefix.bytes().map(|b| b >> 5).chain([0]).chain(prefix.bytes().map(|b| b & 31));
    if polymod(expanded.chain(values.iter().copied())) != 1 {
        return None;
    }
    let (mut bits, mut held, mut bytes) = (0_u32, 0_u32, Vec::new());
    for value in values.get(..values.len().checked_sub(CHECKSUM_CHARS)?)? {
        bits = (bits << 5 | u32::from(*value)) & 0xfff;
        held += 5;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held & 0xff) as u8);
        }
    }
    // What is left over pads the last symbol, with zeros.
    (held < 5 && bits & ((1 << held) - 1) == 0).then_some(bytes)
}

fn polymod(values: impl Iterator<Item = u8>) -> u32 {
    const GENERATOR: [u32; 5] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
    values.fold(1, |sum, value| {
        let top = sum >> 25;
        let next = (sum & 0x01ff_ffff) << 5 ^ u32::from(value);
        GENERATOR.iter().enumerate().filter(|(bit, _)| top >> bit & 1 == 1).fold(next, |sum, (_, term)| sum ^ term)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recipients_are_read_or_refused() {
        // From the specification's own examples.
        let known = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";
        assert!(known.parse::<Recipient>().is_ok());
        let swapped = known.replace("ql3z", "ql3q");
        let upper = known.to_uppercase();
        for wrong in ["", "age1", "age1ql3z", &swapped, &upper, "ssh-ed25519 AAAA", &known[..61], &format!("{known}q")]
        {
            assert!(wrong.parse::<Recipient>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn chunks_are_as_long_as_the_format_has_them() {
        let to: Recipient = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p".parse().unwrap();
        let sealed = |bytes: usize| {
            let mut sealed = Sealed::to(&to, Vec::new()).unwrap();
            sealed.write_all(&vec![7; bytes]).unwrap();
            sealed.finish().unwrap().len()
        };
        let empty = sealed(0);
        assert_eq!(sealed(1), empty + 1);
        assert_eq!(sealed(CHUNK_BYTES), empty + CHUNK_BYTES);
        assert_eq!(sealed(CHUNK_BYTES + 1), empty + CHUNK_BYTES + 1 + 16);
    }
}
