//! The words this program itself writes into events: a line read back may hold these and no others in their places.
//!
//! A stored line comes from a file that anybody may have edited. Taking only known words for kinds, actions, outcomes and
//! the like means that nothing can travel in them, and that they stay `&'static str`. A line with an unknown word is not
//! ours; a new word must be added here, which the round trip of every playbook's golden lines holds.

use crate::http2::CODES;
use crate::session::Stage;
use crate::session::findings::{Code, Fact};
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;

/// A word, or an error.
pub(super) fn one<'de, D: Deserializer<'de>>(deserializer: D) -> Result<&'static str, D::Error> {
    let text = Cow::<str>::deserialize(deserializer)?;
    known(&text).ok_or_else(|| D::Error::custom("a word this version does not write"))
}

/// This program's own words about a finding, a sentence or a fact's name. Those of another version read as empty: a sentence
/// is replaced by ours, a fact is left out.
pub(super) fn sentence<'de, D: Deserializer<'de>>(deserializer: D) -> Result<&'static str, D::Error> {
    let text = Cow::<str>::deserialize(deserializer)?;
    Ok(known(&text).unwrap_or_default())
}

/// A version of this program, this or another: three numbers, and perhaps a short word.
pub(super) fn version<'de, 'a, D: Deserializer<'de>>(deserializer: D) -> Result<Cow<'a, str>, D::Error> {
    let text = Cow::<str>::deserialize(deserializer)?;
    let mut parts = text.splitn(3, '.');
    let is_number = |part: &str| (1..=4).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    let last = |part: &str| {
        let (number, word) = part.split_once('-').unwrap_or((part, ""));
        is_number(number) && word.len() <= 12 && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.')
    };
    let fine =
        parts.next().is_some_and(is_number) && parts.next().is_some_and(is_number) && parts.next().is_some_and(last);
    if fine || text.is_empty() {
        Ok(Cow::Owned(text.into_owned()))
    } else {
        Err(D::Error::custom("no version of this program"))
    }
}

/// A word where one may be.
pub(super) fn some<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'static str>, D::Error> {
    one(deserializer).map(Some)
}

/// Words, each known.
pub(super) fn each<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<&'static str>, D::Error> {
    let texts = Vec::<Cow<'_, str>>::deserialize(deserializer)?;
    let word = |text: &Cow<'_, str>| known(text).ok_or_else(|| D::Error::custom("a word this version does not write"));
    texts.iter().map(word).collect()
}

/// One of the lists of `event.category` or `event.type`.
pub(super) fn words<'de, D: Deserializer<'de>>(deserializer: D) -> Result<&'static [&'static str], D::Error> {
    let texts = Vec::<Cow<'_, str>>::deserialize(deserializer)?;
    let same = |list: &&&[&str]| list.len() == texts.len() && list.iter().zip(&texts).all(|(word, text)| word == text);
    LISTS.iter().find(same).copied().ok_or_else(|| D::Error::custom("a list this version does not write"))
}

fn known(text: &str) -> Option<&'static str> {
    let words = WORDS.iter().copied().flatten().copied();
    let stages = Stage::ALL.into_iter().map(Stage::as_str);
    let facts = Fact::ALL.into_iter().map(Fact::as_str);
    let findings = Code::ALL.into_iter().flat_map(|code| [code.as_str(), code.title(), code.advice()]);
    words.chain(stages).chain(findings).chain(facts).find(|word| *word == text)
}

pub(super) const LISTS: &[&[&str]] = &[
    &[],
    &["authentication"],
    &["network"],
    &["network", "api"],
    &["network", "session"],
    &["web", "network"],
    &["access"],
    &["change"],
    &["connection"],
    &["connection", "end"],
    &["connection", "start"],
    &["creation"],
    &["deletion"],
    &["end"],
    &["info"],
    &["protocol"],
    &["protocol", "error"],
    &["start"],
];

/// Every word that [`known`] takes by a list.
#[cfg(test)]
pub(super) fn words_known() -> impl Iterator<Item = &'static str> {
    WORDS.iter().copied().flatten().copied()
}

/// Every list of words, one for each place that takes one; where stages and findings stand, their types know the words.
const WORDS: &[&[&str]] = &[
    &[""],
    ACTION,
    KIND,
    DATASET,
    OUTCOME,
    LEVEL,
    TRANSPORT,
    PROTOCOL,
    APPLICATION,
    HTTP_VERSION,
    TLS_VERSION,
    TLS_PROTOCOL,
    DIRECTION,
    LEG,
    ALPN,
    PINNED,
    &CODES,
    END,
    HOW,
    STREAM_HOW,
    CLOSE_HANDSHAKE,
    LAYER,
    CONFIDENCE,
    SUMMARY_REASON,
    REDACTION_LEVEL,
    XMPP_KIND,
    OBJECT,
    OPERATION,
];

/// `event.action`
pub const ACTION: &[&str] = &[
    "log-opened",
    "connection-opened",
    "connection-closed",
    "tls-handshake",
    "http-exchange",
    "http2-settings",
    "http2-goaway",
    "http2-reset",
    "http2-ping",
    "http2-stalled",
    "http2-limit",
    "websocket-opened",
    "websocket-closed",
    "websocket-control",
    "websocket-message",
    "stream-opened",
    "stream-closed",
    "xmpp-stanza",
    "sasl-auth-sent",
    "sasl-auth-result",
    "finesse-update",
    "decode-error",
    "capture-gap",
    "redaction-blocked",
    "finding",
    "session-summary",
    "note",
];
/// `event.kind`
pub(super) const KIND: &[&str] = &["event", "alert", "pipeline_error"];
/// `event.dataset`
pub(super) const DATASET: &[&str] = &["finesse.event"];
/// `event.outcome`
pub(super) const OUTCOME: &[&str] = &["success", "failure", "unknown"];
/// `log.level`
pub(super) const LEVEL: &[&str] = &["info", "warn", "error"];
/// `network.transport`
pub(super) const TRANSPORT: &[&str] = &["tcp"];
/// `network.protocol`
pub(super) const PROTOCOL: &[&str] = &["tls", "http", "websocket", "bosh", "xmpp"];
/// `network.application`
pub(super) const APPLICATION: &[&str] = &["finesse"];
/// `http.version`
pub(super) const HTTP_VERSION: &[&str] = &["1.0", "1.1", "2"];
/// `tls.version`
pub(super) const TLS_VERSION: &[&str] = &["1.2", "1.3"];
/// `tls.version_protocol`
pub(super) const TLS_PROTOCOL: &[&str] = &["tls"];
/// `finesse.direction`
pub(super) const DIRECTION: &[&str] = &["c2s", "s2c"];
/// `finesse.tls.leg`
pub const LEG: &[&str] = &["client", "upstream"];
/// `finesse.tls.offered`
pub(super) const ALPN: &[&str] = &["h2", "http/1.1", "http/1.0", "xmpp-client", "other"];
/// `finesse.tls.pinned`
pub(super) const PINNED: &[&str] = &["option", "rewriting", "certificate"];
/// Who ended or refused something: `finesse.conn.by`, `finesse.tls.failed_by`, `finesse.ws.close.initiator`
pub(super) const END: &[&str] = &["client", "upstream", "proxy", "unknown"];
/// `finesse.conn.how`
pub const HOW: &[&str] =
    &["fin", "rst", "timeout", "tls_alert", "shutdown", "unreachable", "refused", "limit", "error", "unknown"];
/// `finesse.stream.close.how`
pub(super) const STREAM_HOW: &[&str] = &[
    "terminate",
    "status",
    "inactive",
    "stream-end",
    "fin",
    "rst",
    "timeout",
    "tls_alert",
    "shutdown",
    "unreachable",
    "refused",
    "limit",
    "error",
    "unknown",
];
/// `finesse.ws.close.handshake`
pub(super) const CLOSE_HANDSHAKE: &[&str] = &["full", "half", "none"];
/// `finesse.decode.layer`
pub const LAYER: &[&str] = &["http", "content", "websocket", "bosh", "xmpp", "update", "tap", "rewrite"];
/// `finesse.finding.confidence`
pub(super) const CONFIDENCE: &[&str] = &["certain", "likely", "possible"];
/// `finesse.summary.reason`
pub(super) const SUMMARY_REASON: &[&str] = &["end", "hourly", "merged"];
/// `finesse.redaction.level`
pub(super) const REDACTION_LEVEL: &[&str] = &["off", "auth", "share", "minimal"];
/// `finesse.xmpp.kind`
pub const XMPP_KIND: &[&str] = &[
    "open",
    "close",
    "features",
    "stream-error",
    "auth",
    "challenge",
    "response",
    "success",
    "failure",
    "abort",
    "iq",
    "message",
    "presence",
    "stream-management",
    "space",
    "other",
];
/// `finesse.update.object`
pub(super) const OBJECT: &[&str] = &[
    "User",
    "Dialog",
    "Dialogs",
    "Team",
    "Queue",
    "Queues",
    "Media",
    "Devices",
    "TeamMessage",
    "SystemInfo",
    "DesktopConfig",
    "ApiErrors",
    "Other",
];
/// `finesse.api.operation`
pub(super) const OPERATION: &[&str] = &[
    "read",
    "create",
    "update",
    "delete",
    "sign-in",
    "sign-out",
    "change-state",
    "upload-client-log",
    "send-team-message",
    "other-action",
    "make-call",
    "answer",
    "hold",
    "retrieve",
    "drop",
    "drop-participant",
    "consult",
    "conference",
    "transfer",
    "transfer-single-step",
    "update-call-data",
    "send-dtmf",
    "start-recording",
    "silent-monitor",
    "barge-in",
    "accept",
    "reject",
    "start",
    "pause",
    "resume",
    "wrap-up",
    "reclassify",
    "update-callback",
    "cancel-callback",
    "close",
    "get-token",
    "refresh-token",
];
