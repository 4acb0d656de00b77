//! The proxy's own answers: a page to whoever gets nothing else, in the protocol that was agreed on.
//!
//! Reads one request, answers it, and waits a moment for the reader to hang up. Trouble on the way is the reader's own: it
//! gets no page.

use super::Shared;
use super::account::{Account, Ending};
use super::connection::Arrival;
use super::page::{Page, Status};
use super::page2;
use crate::capture::observation::{End, How};
use crate::conn::{Authority, Direction};
use std::io;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Longest request head read before a page answers it, bytes.
pub(crate) const HEAD_MAX_BYTES: usize = 16 * 1024;

/// Most bytes of a request body read and dropped so that a page is not lost to a reset.
const DRAIN_MAX_BYTES: usize = 1024 * 1024;

/// How long a page's reader may take to hang up.
pub(super) const DRAIN_LIMIT: Duration = Duration::from_secs(2);

/// What the reader speaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Spoken {
    Http1,
    Http2,
}

impl Spoken {
    /// The answer, once enough of the request is here.
    fn response(self, page: &Page, status: Status, request: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Http1 => {
                let whole = request.windows(2).any(|pair| pair == b"\n\n")
                    || request.windows(4).any(|four| four == b"\r\n\r\n");
                whole.then(|| page.response(status, request))
            }
            Self::Http2 => page2::response(page, status, request),
        }
    }
}

pub(super) async fn answer_plain_http(mut tcp: TcpStream, arrival: &Arrival, shared: &Shared) -> Ending {
    let address = Authority { host: arrival.gate.first.upstream.host.clone(), port: arrival.gate.address.port() };
    let page = Page {
        why: "This port speaks https only.".to_owned(),
        hint: Some(format!("open https://{address}/")),
        facts: Vec::new(),
    };
    answer(&mut tcp, Spoken::Http1, &page, Status::BadRequest, shared, None).await;
    Ending::new(End::Proxy, How::Refused, "the client spoke plain HTTP on the TLS port")
}

/// Answers with a page in what the reader speaks.
pub(super) async fn answer<S>(
    stream: &mut S,
    spoken: Spoken,
    page: &Page,
    status: Status,
    shared: &Shared,
    mut account: Option<&mut Account>,
) where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut head = Vec::new();
    let mut chunk = vec![0; 4096];
    let read_head = async {
        loop {
            let read = stream.read(&mut chunk).await?;
            let bytes = chunk.get(..read).unwrap_or_default();
            if bytes.is_empty() || head.len() + read > HEAD_MAX_BYTES {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
            }
            if let Some(account) = &mut account {
                account.relayed(Direction::C2s, bytes);
            }
            head.extend_from_slice(bytes);
            if let Some(response) = spoken.response(page, status, &head) {
                return Ok(response);
            }
        }
    };
    let Ok(Ok(response)) = timeout(shared.limits.handshake, read_head).await else { return };
    if let Some(account) = &mut account {
        account.answered();
        account.relayed(Direction::S2c, &response);
    }
    let finish = async {
        stream.write_all(&response).await?;
        stream.flush().await?;
        stream.shutdown().await?;
        // Closing with unread bytes would reset the connection and take the page with it.
        let mut drained = 0;
        while drained < DRAIN_MAX_BYTES {
            let read = stream.read(&mut chunk).await?;
            if read == 0 {
                break;
            }
            drained += read;
        }
        io::Result::Ok(())
    };
    let _ = timeout(DRAIN_LIMIT, finish).await;
}
