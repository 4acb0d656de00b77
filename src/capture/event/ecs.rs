//! What any line may have outside `finesse`: what happened, how bad it is, who and where (ECS names).
//!
//! Words are of our own [`vocabulary`], times and numbers are the proxy's; the rest is redacted.

use super::classed::{
    Classed, HOST, LOGIN, OWN_ID, PAIRS, PATH, SENTENCE, TRANSACTION, Text, Treat, USER_AGENT, WORD, treat_all,
};
use super::{ECS, Word, Words};
use crate::capture::vocabulary;
use crate::capture::walk::Pass;
use serde::{Deserialize, Serialize};

/// `event.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Meta {
    /// Numbers the stream of a run from 1 without holes. Absent for `log-opened`, which stands outside it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) sequence: Option<u64>,
    /// The run's ULID, `-`, and the sequence: the same for the same event, however often it is delivered.
    pub(in crate::capture) id: String,
    /// Whether something happened (`event`), was concluded (`alert`), or is missing from the log (`pipeline_error`).
    #[serde(deserialize_with = "vocabulary::one")]
    #[cfg_attr(test, schemars(extend("enum" = vocabulary::KIND)))]
    pub(in crate::capture) kind: Word,
    /// ECS categories.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[serde(deserialize_with = "vocabulary::words")]
    #[cfg_attr(test, schemars(schema_with = "super::schema::categories"))]
    pub(in crate::capture) category: Words,
    /// ECS types.
    #[serde(rename = "type", skip_serializing_if = "<[_]>::is_empty")]
    #[serde(deserialize_with = "vocabulary::words")]
    #[cfg_attr(test, schemars(schema_with = "super::schema::types"))]
    pub(in crate::capture) types: Words,
    /// What happened: the first field to filter by.
    #[serde(deserialize_with = "vocabulary::one")]
    #[cfg_attr(test, schemars(extend("enum" = vocabulary::ACTION)))]
    pub(in crate::capture) action: Word,
    /// Always the same.
    #[serde(deserialize_with = "vocabulary::one")]
    #[cfg_attr(test, schemars(extend("enum" = vocabulary::DATASET)))]
    pub(in crate::capture) dataset: Word,
    /// How it went; `unknown` for a request without an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "vocabulary::some")]
    #[cfg_attr(test, schemars(extend("enum" = vocabulary::OUTCOME)))]
    pub(in crate::capture) outcome: Option<Word>,
    /// How long it took, from the monotonic clock, nanoseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) duration: Option<u64>,
}

/// `log.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Log {
    /// `error` if it failed for the agent, `warn` if something was lost, refused or unreadable.
    #[serde(deserialize_with = "vocabulary::one")]
    #[cfg_attr(test, schemars(extend("enum" = vocabulary::LEVEL)))]
    pub(in crate::capture) level: Word,
}

/// `trace.id`, `finesse.session.id`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Id<'a> {
    /// The identifier.
    pub(in crate::capture) id: Classed<'a, OWN_ID>,
}

/// `transaction.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Transaction<'a> {
    /// Made of the request's id, by which it cannot be guessed.
    pub(in crate::capture) id: Classed<'a, TRANSACTION>,
}

impl Treat for Transaction<'_> {
    fn treat(&mut self, pass: &mut Pass<'_>) {
        let Self { id } = self;
        pass.all(&mut [id]);
    }

    fn is_gone(&self) -> bool {
        self.id.is_gone()
    }
}

/// `observer.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Observer<'a> {
    /// The instance of finesse-tap, the machine's host name unless it was given another (`--observer-name`).
    pub(in crate::capture) name: Classed<'a, HOST>,
}

/// `network.*`
#[derive(Serialize, Deserialize, Default, Clone, Copy)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Network {
    /// For the life of connections.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "vocabulary::some")]
    #[cfg_attr(test, schemars(extend("enum" = vocabulary::TRANSPORT)))]
    pub(in crate::capture) transport: Option<Word>,
    /// For what travels in them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "vocabulary::some")]
    #[cfg_attr(test, schemars(extend("enum" = vocabulary::PROTOCOL)))]
    pub(in crate::capture) protocol: Option<Word>,
    /// Always the same.
    #[serde(deserialize_with = "vocabulary::one")]
    #[cfg_attr(test, schemars(extend("enum" = vocabulary::APPLICATION)))]
    pub(in crate::capture) application: Word,
}

/// `client.*`, `server.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Endpoint<'a> {
    /// The name it was asked for by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) domain: Text<'a, HOST>,
    /// IP address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) ip: Text<'a, HOST>,
    /// TCP port.
    pub(in crate::capture) port: u16,
}

/// `url.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Url<'a> {
    /// Path, redacted.
    pub(in crate::capture) path: Classed<'a, PATH>,
    /// Query without `?`, redacted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) query: Text<'a, PAIRS>,
}

/// `user.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct User<'a> {
    /// Login id.
    pub(in crate::capture) name: Classed<'a, LOGIN>,
}

/// `user_agent.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct UserAgent<'a> {
    /// The header field as it was sent.
    pub(in crate::capture) original: Classed<'a, USER_AGENT>,
}

/// `error.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Fault<'a> {
    /// TLS alert, XMPP error type, Finesse `errorType`; of `redaction-blocked` the action withheld.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) kind: Text<'a, SENTENCE>,
    /// XMPP condition, Finesse `errorData`, reason of a gap.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) code: Text<'a, WORD>,
    /// In words: ours, or the server's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) message: Text<'a, SENTENCE>,
}

/// `ecs.*`
#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Ecs {
    /// Version of the Elastic Common Schema.
    #[serde(skip_deserializing)]
    #[cfg_attr(test, schemars(extend("const" = ECS)))]
    version: Word,
}

impl Default for Ecs {
    fn default() -> Self {
        Self { version: ECS }
    }
}

treat_all! {
    Log { level }
}

impl Treat for Id<'_> {
    fn treat(&mut self, pass: &mut Pass<'_>) {
        let Self { id } = self;
        pass.all(&mut [id]);
    }

    fn is_gone(&self) -> bool {
        self.id.is_gone()
    }
}

impl Treat for Observer<'_> {
    fn treat(&mut self, pass: &mut Pass<'_>) {
        let Self { name } = self;
        pass.all(&mut [name]);
    }

    fn is_gone(&self) -> bool {
        self.name.is_gone()
    }
}

treat_all! {
    Network { transport, protocol, application }
    Endpoint<'_> { domain, ip, port }
    Url<'_> { path, query }
}

impl Treat for User<'_> {
    fn treat(&mut self, pass: &mut Pass<'_>) {
        let Self { name } = self;
        pass.all(&mut [name]);
    }

    fn is_gone(&self) -> bool {
        self.name.is_gone()
    }
}

impl Treat for UserAgent<'_> {
    fn treat(&mut self, pass: &mut Pass<'_>) {
        let Self { original } = self;
        pass.all(&mut [original]);
    }

    fn is_gone(&self) -> bool {
        self.original.is_gone()
    }
}

treat_all! {
    Fault<'_> { kind, code, message }
}

/// What happened, when and how, in words of this program's own.
impl Treat for Meta {
    fn treat(&mut self, _: &mut Pass<'_>) {}
}
