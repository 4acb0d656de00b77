//! Whether a server takes TLS 1.0 or 1.1, which rustls does not speak: a ClientHello by hand, and the first record of the answer.
//!
//! Nothing follows the answer: no key is agreed, nothing is sent under it. (RFC 4346 section 7.4.1, RFC 6066 section 3)
//! Limits: RSA, ECDHE and DHE with AES or 3DES in CBC are offered; a server that wants another suite is taken to refuse.

use super::Question;
use super::reach::connect;
use ring::rand::{SecureRandom as _, SystemRandom};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

/// A version that is out of date (RFC 8996).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Version {
    /// RFC 2246.
    Tls10,
    /// RFC 4346.
    Tls11,
}

impl Version {
    fn minor(self) -> u8 {
        match self {
            Self::Tls10 => 1,
            Self::Tls11 => 2,
        }
    }
}

/// Offered suites: ECDHE-ECDSA, ECDHE-RSA, DHE-RSA and RSA with AES in CBC, RSA with 3DES, and the mark of a client that
/// knows RFC 5746.
const SUITES: [u16; 10] = [0xc00a, 0xc009, 0xc014, 0xc013, 0x0039, 0x0033, 0x0035, 0x002f, 0x000a, 0x00ff];
/// `supported_groups` with P-256, P-384 and P-521, and `ec_point_formats` with uncompressed points (RFC 8422).
const CURVES: [u8; 18] = [0, 10, 0, 8, 0, 6, 0, 23, 0, 24, 0, 25, 0, 11, 0, 2, 1, 0];
/// Record types (RFC 5246 section 6.2.1).
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
/// Handshake type (RFC 5246 section 7.4).
const SERVER_HELLO: u8 = 2;
/// Record header, and what of its content tells: handshake type, length and version.
const HEAD_BYTES: usize = 5;
const TOLD_BYTES: usize = 6;

/// What the server makes of `version` alone: `yes`, or `no` and why.
pub(super) async fn accepted(question: &Question, address: SocketAddr, version: Version, limit: Duration) -> String {
    match timeout(limit, ask(question, address, version, limit)).await {
        Ok(answer) => answer,
        Err(_) => "no answer".to_owned(),
    }
}

async fn ask(question: &Question, address: SocketAddr, version: Version, limit: Duration) -> String {
    let mut tcp = match connect(address, limit).await {
        Ok(tcp) => tcp,
        Err(why) => return format!("no: {why}"),
    };
    let mut answer = Vec::new();
    if let Err(error) = tcp.write_all(&hello(&question.server.host, version)).await {
        return format!("no: {error}");
    }
    let told = u64::try_from(HEAD_BYTES + TOLD_BYTES).unwrap_or_default();
    // What came before an error is read all the same; an alert is shorter than a ServerHello.
    let _ = tcp.take(told).read_to_end(&mut answer).await;
    read(&answer, version)
}

/// The first record of an answer, as far as it tells.
fn read(answer: &[u8], version: Version) -> String {
    match answer {
        [] => "no: the server closed the connection".to_owned(),
        [ALERT, _, _, _, _, _, description, ..] => format!("no: {}", alert(*description)),
        [HANDSHAKE, _, _, _, _, SERVER_HELLO, _, _, _, 3, minor, ..] if *minor == version.minor() => "yes".to_owned(),
        [HANDSHAKE, ..] => "no: the server answers with another version".to_owned(),
        _ => "no: that is not TLS".to_owned(),
    }
}

/// RFC 5246 section 7.2, RFC 8446 section 6.2.
fn alert(description: u8) -> String {
    let name = match description {
        40 => "handshake_failure",
        70 => "protocol_version",
        71 => "insufficient_security",
        80 => "internal_error",
        86 => "inappropriate_fallback",
        112 => "unrecognized_name",
        other => return format!("alert {other}"),
    };
    format!("alert {name}")
}

/// RFC 5246 section 7.4.1.2. A name is at most 253 bytes, so every length fits.
fn hello(host: &str, version: Version) -> Vec<u8> {
    let mut random = [0; 32];
    // It protects nothing here; a server merely expects some.
    let _ = SystemRandom::new().fill(&mut random);
    let mut body = vec![3, version.minor()];
    body.extend(random);
    body.push(0);
    body.extend(short(SUITES.len() * 2));
    body.extend(SUITES.iter().flat_map(|suite| suite.to_be_bytes()));
    body.extend([1, 0]);
    let mut extensions = Vec::new();
    // RFC 6066 section 3: a name, and no address.
    if host.parse::<std::net::IpAddr>().is_err() {
        let name = host.as_bytes();
        extensions.extend([0, 0]);
        extensions.extend(short(name.len() + 5));
        extensions.extend(short(name.len() + 3));
        extensions.push(0);
        extensions.extend(short(name.len()));
        extensions.extend(name);
    }
    extensions.extend(CURVES);
    body.extend(short(extensions.len()));
    body.extend(extensions);

    let mut record = vec![HANDSHAKE, 3, 1];
    record.extend(short(body.len() + 4));
    record.extend([1, 0]);
    record.extend(short(body.len()));
    record.extend(body);
    record
}

fn short(length: usize) -> [u8; 2] {
    u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_told_apart() {
        let read = |answer: &[u8]| read(answer, Version::Tls11);
        assert_eq!(read(&[]), "no: the server closed the connection");
        assert_eq!(read(&[21, 3, 2, 0, 2, 2, 70]), "no: alert protocol_version");
        assert_eq!(read(&[21, 3, 2, 0, 2, 2, 200]), "no: alert 200");
        assert_eq!(read(&[22, 3, 2, 0, 80, 2, 0, 0, 76, 3, 2]), "yes");
        assert_eq!(read(&[22, 3, 1, 0, 80, 2, 0, 0, 76, 3, 1]), "no: the server answers with another version");
        assert_eq!(read(b"220 smtp."), "no: that is not TLS");
    }

    #[test]
    fn lengths_add_up() {
        let hello = hello("uccxpub.example.test", Version::Tls10);
        let number = |at: usize| usize::from(u16::from_be_bytes([hello[at], hello[at + 1]]));
        assert_eq!(number(3), hello.len() - HEAD_BYTES);
        assert_eq!(number(7), hello.len() - HEAD_BYTES - 4);
        let extensions = HEAD_BYTES + 4 + 2 + 32 + 1 + 2 + SUITES.len() * 2 + 2;
        assert_eq!(number(extensions), hello.len() - extensions - 2);
    }
}
