//! The words this program itself writes into events: a line read back may hold these and no others in their places.
//!
//! A stored line comes from a file that anybody may have edited. Taking only known words for kinds, actions, outcomes and
//! the like means that nothing can travel in them, and that they stay `&'static str`. A line with an unknown word is not
//! ours; a new word must be added here, which the round trip of every playbook's golden lines holds.

use crate::session::findings::Code;
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;

/// A word, or an error.
pub(super) fn one<'de, D: Deserializer<'de>>(deserializer: D) -> Result<&'static str, D::Error> {
    let text = Cow::<str>::deserialize(deserializer)?;
    known(&text).ok_or_else(|| D::Error::custom("a word this version does not write"))
}

/// A word where one may be.
pub(super) fn some<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'static str>, D::Error> {
    one(deserializer).map(Some)
}

/// One of the lists of `event.category` or `event.type`.
pub(super) fn words<'de, D: Deserializer<'de>>(deserializer: D) -> Result<&'static [&'static str], D::Error> {
    let texts = Vec::<Cow<'_, str>>::deserialize(deserializer)?;
    let same = |list: &&&[&str]| list.len() == texts.len() && list.iter().zip(&texts).all(|(word, text)| word == text);
    LISTS.iter().find(same).copied().ok_or_else(|| D::Error::custom("a list this version does not write"))
}

fn known(text: &str) -> Option<&'static str> {
    let findings = || Code::ALL.into_iter().flat_map(|code| [code.as_str(), code.title(), code.advice()]);
    WORDS.iter().copied().find(|word| *word == text).or_else(|| findings().find(|word| *word == text))
}

const LISTS: &[&[&str]] = &[
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

const WORDS: &[&str] = &[
    env!("CARGO_PKG_VERSION"),
    // event.action
    "log-opened",
    "connection-opened",
    "connection-closed",
    "tls-handshake",
    "http-exchange",
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
    // event.kind, .dataset, .outcome, log.level, network
    "",
    "event",
    "alert",
    "pipeline_error",
    "finesse.event",
    "success",
    "failure",
    "unknown",
    "debug",
    "info",
    "warn",
    "error",
    "tcp",
    "tls",
    "http",
    "websocket",
    "bosh",
    "finesse",
    // versions of HTTP and TLS
    "1.0",
    "1.1",
    "1.2",
    "1.3",
    "2",
    // who, how, which way
    "c2s",
    "s2c",
    "client",
    "upstream",
    "proxy",
    "fin",
    "rst",
    "timeout",
    "tls_alert",
    "shutdown",
    "unreachable",
    "refused",
    "limit",
    "full",
    "half",
    "none",
    "terminate",
    "status",
    "inactive",
    "stream-end",
    // decoding
    "content",
    "xmpp",
    "update",
    "tap",
    // login stages; some stand among the kinds of stanzas
    "handshake",
    "restart",
    "bind",
    "session",
    "finesse-presence",
    "user-subscription",
    "team-subscription",
    "first-event",
    // findings, session summaries; their codes, titles and advice come from `Code`
    "certain",
    "likely",
    "possible",
    "end",
    "hourly",
    // facts of findings
    "logins",
    "within_ms",
    "level",
    "rtt_ms",
    "spacing_ms",
    "silence_ms",
    "offered",
    "selected",
    "sign",
    "state",
    "gone_for_ms",
    "host",
    "resource",
    "operation",
    "node",
    "arrival_ms",
    "skew_ms",
    "layer",
    "why",
    "other_client",
    "by",
    "how",
    "age_ms",
    "idle_ms",
    "times",
    "condition",
    "reason",
    "stage",
    "alert",
    "sni",
    "port",
    "meaning",
    "request",
    "missing",
    "allowed",
    "inactivity_s",
    "type",
    // redaction levels
    "off",
    "auth",
    "share",
    "minimal",
    // xmpp.kind
    "open",
    "close",
    "features",
    "stream-error",
    "challenge",
    "response",
    "abort",
    "iq",
    "message",
    "presence",
    "stream-management",
    "space",
    "other",
    // update.object
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
    "ApiErrors",
    "Other",
    // api.operation
    "read",
    "create",
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
];
