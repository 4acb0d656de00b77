//! The PROXY protocol's header, 1 or 2, in front of a connection: bytes become the browser's address.
//!
//! For listeners behind a balancer, which alone may reach them: whoever else does can claim any address. Takes exactly the
//! header, so that what follows is relayed as it came. Source: PROXY protocol specification (HAProxy, 2020), sections 2.1, 2.2.

use proxy_header::{ParseConfig, ProxyHeader};
use std::io;
use std::net::SocketAddr;
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// Longest header read, bytes. The specification wants 536 at least; extensions (TLVs) take little.
const MAX_BYTES: usize = 4_096;
/// Longest header of version 1, bytes with its CR LF.
const MAX_V1_BYTES: usize = 107;
/// Begins version 2.
const V2: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";
/// Begins version 1. Its shortest header, `PROXY UNKNOWN`, is longer than [`V2`].
const V1: &[u8] = b"PROXY ";

/// Whether connections begin with the header.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Preface {
    /// They do not: whoever connects is the browser.
    #[default]
    None,
    /// Every one must (`--accept-proxy-protocol`).
    ProxyProtocol,
}

/// Why the browser's address is not known.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The connection failed, or ended within the header.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// There is none, or it cannot be read.
    #[error("{0}")]
    NotOne(&'static str),
}

/// Reads the header off `stream`. `None`: the balancer speaks for itself, as for a health check, or does not tell.
pub(crate) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Result<Option<SocketAddr>, Error> {
    let mut header = vec![0; V2.len()];
    stream.read_exact(&mut header).await?;
    if header == V2 {
        read_more(stream, &mut header, 4).await?;
        let length = match header.last_chunk() {
            Some(length) => usize::from(u16::from_be_bytes(*length)),
            None => 0,
        };
        if header.len() + length > MAX_BYTES {
            return Err(Error::NotOne("its PROXY protocol header is longer than the limit"));
        }
        read_more(stream, &mut header, length).await?;
    } else if header.starts_with(V1) {
        while header.last() != Some(&b'\n') {
            if header.len() == MAX_V1_BYTES {
                return Err(Error::NotOne("its PROXY protocol header has no end"));
            }
            header.push(stream.read_u8().await?);
        }
    } else {
        return Err(Error::NotOne(
            "it does not begin with a PROXY protocol header, which --accept-proxy-protocol asks for",
        ));
    }
    match ProxyHeader::parse(&header, ParseConfig::default()) {
        Ok((read, length)) if length == header.len() => Ok(read.proxied_address().map(|proxied| proxied.source)),
        _ => Err(Error::NotOne("its PROXY protocol header cannot be read")),
    }
}

async fn read_more(stream: &mut (impl AsyncRead + Unpin), to: &mut Vec<u8>, bytes: usize) -> io::Result<()> {
    let from = to.len();
    to.resize(from + bytes, 0);
    stream.read_exact(to.get_mut(from..).unwrap_or_default()).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    /// What is read, and what is left behind it.
    fn read_all(mut bytes: &[u8]) -> (Result<Option<SocketAddr>, Error>, &[u8]) {
        let read = {
            let mut reading = pin!(read(&mut bytes));
            match reading.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(read) => read,
                Poll::Pending => unreachable!("a slice never waits"),
            }
        };
        (read, bytes)
    }

    fn v2(command: u8, family: u8, body: &[u8]) -> Vec<u8> {
        let length = u16::try_from(body.len()).unwrap().to_be_bytes();
        [&V2[..], &[0x20 | command, family], &length, body, b"\x16\x03\x01"].concat()
    }

    #[test]
    fn takes_the_browsers_address_and_nothing_behind_the_header() {
        let v4 = [192, 0, 2, 7, 198, 51, 100, 1, 0xc8, 0x55, 0x20, 0xfd];
        let with_extension = [&v4[..], &[4, 0, 3, 0, 0, 0]].concat();
        let v6 = [&[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9][..], &[0; 16], &[0, 80, 1, 187]].concat();
        for (bytes, address) in [
            (v2(1, 0x11, &v4), Some("192.0.2.7:51285")),
            (v2(1, 0x11, &with_extension), Some("192.0.2.7:51285")),
            (v2(1, 0x21, &v6), Some("[2001:db8::9]:80")),
            (v2(0, 0, &[]), None),
            (v2(0, 0x11, &v4), None),
            (v2(1, 0, b"whatever"), None),
            (b"PROXY TCP4 192.0.2.7 198.51.100.1 51285 8445\r\n\x16\x03\x01".to_vec(), Some("192.0.2.7:51285")),
            (b"PROXY TCP6 2001:db8::9 ::1 80 443\r\n\x16\x03\x01".to_vec(), Some("[2001:db8::9]:80")),
            (b"PROXY UNKNOWN\r\n\x16\x03\x01".to_vec(), None),
        ] {
            let (read, rest) = read_all(&bytes);
            assert_eq!(read.unwrap(), address.map(|address| address.parse().unwrap()), "{bytes:?}");
            assert_eq!(rest, b"\x16\x03\x01");
        }
    }

    #[test]
    fn refuses_what_is_no_header() {
        let long = v2(1, 0x11, &[0; MAX_BYTES]);
        for bytes in [
            &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x00\x00"[..],
            b"GET / HTTP/1.1\r\n\r\n",
            b"PROXY TCP4 192.0.2.7 198.51.100.1 51285 99999\r\n",
            b"PROXY TCP4 nobody 198.51.100.1 51285 1\r\n",
            &[b"PROXY ", &[b'x'; 200][..]].concat(),
            &long,
            &v2(7, 0x11, &[0; 12])[..28],
            &v2(1, 0x11, &[0; 5]),
        ] {
            assert!(matches!(read_all(bytes).0, Err(Error::NotOne(_))), "{bytes:?}");
        }
        for bytes in [&b""[..], b"PROXY TC", &V2, b"PROXY TCP4 192.0.2.7"] {
            assert!(matches!(read_all(bytes).0, Err(Error::Io(_))), "{bytes:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..80), kind in 0..3_u8) {
            let bytes = match kind {
                0 => bytes,
                1 => [&V2[..], &bytes].concat(),
                _ => [V1, &bytes].concat(),
            };
            let _ = read_all(&bytes);
        }
    }
}
