//! A timeline through the real proxy: TLS on both sides, and what the tap got of it. Its times are those of the test.

use super::run::{Step, Timeline, Told, told};
use crate::support::rig::{ClientEnd, UpstreamEnd};
use crate::support::{Rig, soon};
use finesse_tap::conn::Direction;
use std::collections::BTreeMap;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

pub async fn relay(day: &Timeline) -> Told {
    let rig = Rig::new().await;
    let mut open: BTreeMap<u64, (ClientEnd, UpstreamEnd)> = BTreeMap::new();
    for event in &day.events {
        match &event.step {
            Step::Open { .. } => drop(open.insert(event.conn, rig.pair().await)),
            Step::Bytes(direction, bytes) => {
                let Some((client, upstream)) = open.get_mut(&event.conn) else { continue };
                match direction {
                    Direction::C2s => pass(client, upstream, bytes).await,
                    Direction::S2c => pass(upstream, client, bytes).await,
                }
            }
            Step::Http2 => panic!("nothing that passes the proxy here agrees on HTTP/2"),
            Step::Close(..) | Step::Tls { .. } | Step::Unreached { .. } => drop(open.remove(&event.conn)),
        }
    }
    drop(open);
    let (_, messages) = rig.finished().await;
    told(messages)
}

/// Bytes from one end arrive at the other as they are.
async fn pass(from: &mut (impl AsyncWrite + Unpin), to: &mut (impl AsyncRead + Unpin), bytes: &[u8]) {
    from.write_all(bytes).await.unwrap();
    from.flush().await.unwrap();
    let mut arrived = vec![0; bytes.len()];
    soon("bytes", to.read_exact(&mut arrived)).await.unwrap();
    assert!(arrived == bytes, "bytes were changed on their way");
}
