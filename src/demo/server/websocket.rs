//! One WebSocket of the demo server: carries a [`Conversation`] and the events for it.
//!
//! Takes over after the `101`. Messages are at most [`MAX_MESSAGE_BYTES`]; a client that does not read is dropped after
//! [`SEND_LIMIT`], one that neither ends its socket after the stream's end after [`LINGER`]. A ping goes out every
//! [`PING_EVERY`], as Openfire does on idle sockets.

use super::center::{Center, Errand, OUTBOX};
use super::conversation::{Conversation, Reaction};
use crate::demo::trouble::Trouble;
use futures_util::{SinkExt, StreamExt};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_util::sync::CancellationToken;

/// Largest message taken from a client.
pub(super) const MAX_MESSAGE_BYTES: usize = 64 * 1024;
const READ_BUFFER_BYTES: usize = 8 * 1024;
const SEND_LIMIT: Duration = Duration::from_secs(10);
const LINGER: Duration = Duration::from_secs(5);
const PING_EVERY: Duration = Duration::from_secs(30);
/// How much later than it should something goes out, where that is the fault that is played.
const LATE: Duration = Duration::from_secs(7);
/// After how much silence the middlebox that is played cuts a socket.
const CUT_AFTER: Duration = Duration::from_secs(7);

type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// Serves the socket until either side ends it or `stop` is cancelled.
pub(super) async fn serve(upgraded: Upgraded, center: Arc<Center>, stop: CancellationToken) {
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER_BYTES)
        .max_message_size(Some(MAX_MESSAGE_BYTES))
        .max_frame_size(Some(MAX_MESSAGE_BYTES));
    let mut socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(config)).await;
    if let Err(error) = converse(&mut socket, center, stop).await {
        tracing::debug!(%error, "demo websocket ended");
    }
    let _ = timeout(SEND_LIMIT, socket.get_mut().shutdown()).await; // TLS wants a word of farewell, too
}

async fn converse(socket: &mut Socket, center: Arc<Center>, stop: CancellationToken) -> Result<(), Error> {
    let (outbox, mut errands) = mpsc::channel(OUTBOX);
    let mut conversation = Conversation::new(Arc::clone(&center), outbox);
    let mut pings = tokio::time::interval(PING_EVERY);
    pings.reset();
    let mut late: VecDeque<(Instant, Vec<String>)> = VecDeque::new();
    loop {
        // Only while it is switched on does silence end anything.
        let silence = tokio::time::sleep(CUT_AFTER);
        let due = late.front().map(|(due, _)| *due);
        let reaction = tokio::select! {
            message = socket.next() => match message {
                None | Some(Ok(Message::Close(_))) => return finish(socket).await,
                Some(Ok(Message::Text(text))) => conversation.hear(&text),
                Some(Ok(Message::Binary(_))) => return refuse(socket).await,
                Some(Ok(_)) => Reaction::default(),
                Some(Err(error)) => return Err(error),
            },
            errand = errands.recv() => match errand {
                Some(Errand::Stanza(stanza)) => Reaction { replies: vec![stanza], end: false, late: false },
                Some(Errand::Late(stanza)) => Reaction { replies: vec![stanza], end: false, late: true },
                Some(Errand::Conflict) => Reaction::stream_error("conflict"),
                Some(Errand::Shutdown) => Reaction::stream_error("system-shutdown"),
                Some(Errand::Leave) => Reaction::leave(),
                None => Reaction::stream_error("resource-constraint"),
            },
            _ = pings.tick() => {
                send(socket, Message::Ping(Vec::new().into())).await?;
                continue;
            }
            () = until(due) => {
                Reaction { replies: late.pop_front().map(|(_, replies)| replies).unwrap_or_default(), end: false, late: false }
            }
            () = silence, if center.troubles().is_on(Trouble::Middlebox) => {
                tracing::debug!("demo middlebox cuts a silent socket");
                return Err(Error::ConnectionClosed);
            }
            () = stop.cancelled() => Reaction::stream_error("system-shutdown"),
        };
        if reaction.late {
            late.push_back((Instant::now() + LATE, reaction.replies));
            continue;
        }
        for reply in reaction.replies {
            send(socket, Message::text(reply)).await?;
        }
        if reaction.end {
            drop(conversation);
            return linger(socket).await;
        }
    }
}

/// The time has come; never, if there is none.
async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

async fn send(socket: &mut Socket, message: Message) -> Result<(), Error> {
    timeout(SEND_LIMIT, socket.send(message))
        .await
        .unwrap_or_else(|_| Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into()))
}

/// RFC 7395 section 3.6: after both `<close/>` the client closes the WebSocket; if it does not, we do.
async fn linger(socket: &mut Socket) -> Result<(), Error> {
    let closed = async {
        while let Some(Ok(message)) = socket.next().await
            && !message.is_close()
        {}
    };
    if timeout(LINGER, closed).await.is_err() {
        let _ = timeout(SEND_LIMIT, socket.close(None)).await;
    }
    finish(socket).await
}

/// RFC 7395 section 3.2: no binary messages.
async fn refuse(socket: &mut Socket) -> Result<(), Error> {
    let frame = CloseFrame { code: CloseCode::Unsupported, reason: "text only".into() };
    send(socket, Message::Close(Some(frame))).await?;
    linger(socket).await
}

/// Lets the answer to a Close frame go out; the end of the TCP connection is the end.
async fn finish(socket: &mut Socket) -> Result<(), Error> {
    let rest = async { while let Some(Ok(_)) = socket.next().await {} };
    let _ = timeout(LINGER, rest).await;
    Ok(())
}
