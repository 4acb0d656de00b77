//! `share` and `resolve`: their options, what they become, and the help.

use super::export::Form;
use super::record::{DEFAULT_CAPTURES, RuleFlags};
use crate::capture::policy::Level;
use crate::clock;
use crate::config::value::{self, Wrong};
use crate::config::{Given, Problem, Sources, given};
use crate::filter::{self, Filter};
use crate::share::{Plan, Recipient};
use clap::{Args, ValueHint};
use std::path::PathBuf;
use std::str::FromStr as _;

/// Where the key of tokens is kept unless said otherwise.
const DEFAULT_TOKEN_KEY: &str = "certs/tokens.key";

pub(super) const MORE: &str = "\
Examples:
  finesse-tap share -o case-1234.zip
  finesse-tap share captures/*.ndjson -o case-1234.zip \\
    --user 1001 --since 2h --with har,pcapng
  finesse-tap share captures/*.ndjson -o case-1234.zip \\
    --stable-tokens certs/tokens.key --note \"login fails\"
  finesse-tap share captures -o issue.zip --level minimal
  finesse-tap share captures -o case-1234.zip \\
    --encrypt-to age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p

Next: unzip -p case-1234.zip report.txt, and read it before you hand the bundle on; `finesse-tap report case-1234.zip` is what \
its receiver sees.";

pub(super) const RESOLVE_MORE: &str = "\
Examples:
  finesse-tap resolve u-7h2k9m4q1x
  finesse-tap resolve t-0s8d6f4g2h h-5j7k9m1n3p.invalid --key certs/tokens.key";

/// The options of `share`.
#[derive(Clone, PartialEq, Eq, Debug, Args)]
pub struct ShareFlags {
    /// Captures: files, directories and those below, .gz, .tar.gz, bundles (.zip), HARs, or - for standard input
    #[arg(value_name = "CAPTURE", default_value = DEFAULT_CAPTURES, value_hint = ValueHint::AnyPath)]
    pub captures: Vec<PathBuf>,
    /// The bundle to write, a zip file
    #[arg(short, long, alias = "out", value_name = "FILE", value_hint = ValueHint::FilePath)]
    #[arg(required_unless_present = "explain")]
    pub output: Option<PathBuf>,
    /// Show what becomes of one line of the capture and why, and write no bundle
    ///
    /// LINE is the number of a line of the first CAPTURE, from 1. Shows each field that changes, before and after, and of every
    /// name in headers, queries, stanzas and bodies which class it has, and what says so. Keep what it shows to yourself.
    #[arg(long, value_name = "LINE", conflicts_with = "output", value_parser = clap::value_parser!(u64).range(1..))]
    pub explain: Option<u64>,
    /// How much to remove
    ///
    /// share: for a vendor; persons, telephones, hosts and teams become tokens. minimal: for a public tracker; only what
    /// happened and when stays.
    #[arg(long, value_name = "LEVEL", default_value = "share")]
    #[arg(value_parser = value::one_of(&[Level::Share, Level::Minimal], Level::as_str))]
    pub level: Level,
    /// Put the capture in these forms beside it too: har, pcapng, text
    ///
    /// What happened is in report.html in any case.
    #[arg(long, value_enum, value_name = "FORM,…", value_delimiter = ',')]
    pub with: Vec<Form>,
    /// Which events of the captures.
    #[command(flatten)]
    pub pick: PickFlags,
    /// A note to the receiver, on top of README.txt
    ///
    /// It is handed over as it is, and refused if it holds what the level removes, names of the same capture included.
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
    /// Make tokens with the key in FILE, which is made if it is not there
    ///
    /// The same value then has the same token in every bundle of a long case, and `finesse-tap resolve` can tell what a token
    /// stands for. Otherwise the key is random and forgotten.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub stable_tokens: Option<PathBuf>,
    /// Encrypt the bundle for this age recipient, into FILE.age
    ///
    /// AGE-KEY is a public key, age1…, as age-keygen prints it, or ssh-…; `age -d -i key.txt FILE.age` decrypts. The program
    /// `age` must be installed: the bundle goes through it on its way to the disk and never lies there as it is.
    #[arg(long, value_name = "AGE-KEY", value_parser = recipient)]
    pub encrypt_to: Option<Recipient>,
    /// The user's own rules.
    #[command(flatten)]
    pub rules: RuleFlags,
}

/// What `share` needs to know.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Share {
    /// Captures, as they were named.
    pub captures: Vec<PathBuf>,
    /// Of one run only.
    pub run: Option<String>,
    /// Other forms to put into the bundle.
    pub with: Vec<Form>,
    /// How.
    pub plan: Plan,
}

/// Which events of captures, in `share`, `report` and `export`.
#[derive(Clone, PartialEq, Eq, Debug, Args)]
#[command(next_help_heading = "What")]
pub struct PickFlags {
    /// Only the run with this id, or the beginning of it; `last` is the newest
    #[arg(long, value_name = "RUN", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub run: Option<String>,
    /// Only the events that fit, such as 'agent 1001 and (errors or slow 500ms)'
    ///
    /// The words are below. --user, --session, --since and --until are short forms of it, and hold beside it.
    #[arg(long, value_name = "EXPR", value_parser = expression)]
    pub filter: Option<Filter>,
    /// Only this agent, by login or token
    #[arg(long, value_name = "LOGIN", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub user: Option<String>,
    /// Only the session with this id, such as s3
    #[arg(long, value_name = "ID", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub session: Option<String>,
    /// Only from this time on
    ///
    /// Such as 1h (ago), 2026-01-15T09:12:40Z, 2026-01-15T10:12:40+01:00, or 2026-01-15; UTC if nothing else is said.
    #[arg(long, value_name = "TIME", value_parser = time_us)]
    pub since: Option<i64>,
    /// Only before this time
    #[arg(long, value_name = "TIME", value_parser = given(time_us))]
    pub until: Option<Given<i64>>,
}

impl PickFlags {
    /// Since and until, microseconds since 1970.
    pub(super) fn range(&self, sources: &Sources) -> Result<(Option<i64>, Option<i64>), Problem> {
        match (self.since, &self.until) {
            (Some(since), Some(until)) if **until <= since => {
                Err(sources.problem(until, format!("`{}` is not later than --since", until.text())))
            }
            (since, until) => Ok((since, until.as_deref().copied())),
        }
    }

    /// The one expression that all of them stand for.
    pub(super) fn filter(&self, sources: &Sources) -> Result<Filter, Problem> {
        let (since_us, until_us) = self.range(sources)?;
        let stamp = |us: Option<i64>| Some(jiff::Timestamp::from_microsecond(us?).ok()?.to_string());
        let (since, until) = (stamp(since_us), stamp(until_us));
        let short = [("agent", &self.user), ("session", &self.session), ("since", &since), ("until", &until)];
        let short = short.iter().filter_map(|(word, value)| Some((*word, value.as_deref()?)));
        let short = Filter::parse(&Filter::spelled(short), 0).map_err(|wrong| Problem::new(wrong.to_string()))?;
        Ok(short.and(self.filter.clone().unwrap_or_default()))
    }
}

fn time_us(text: &str) -> Result<i64, Wrong> {
    filter::time_us(text, clock::now().wall_us).map_err(Wrong::from)
}

/// An expression, as every `--filter` takes it.
pub(super) fn expression(text: &str) -> Result<Filter, Wrong> {
    let filter = Filter::parse(text, clock::now().wall_us).map_err(|wrong| Wrong::from(wrong.to_string()))?;
    if filter.is_all() { Err(Wrong::from(String::from("it is empty; omit it for all events"))) } else { Ok(filter) }
}

fn recipient(text: &str) -> Result<Recipient, Wrong> {
    let how = "age-keygen -o key.txt makes a pair; the receiver keeps key.txt and tells you the public key";
    Recipient::from_str(text).map_err(|why| Wrong::from(format!("{why}; {how}")))
}

impl ShareFlags {
    /// The options checked against each other.
    ///
    /// # Errors
    /// They do not go together.
    pub fn check(self, sources: &Sources) -> Result<Share, Problem> {
        let plan = Plan {
            rules: self.rules.rules()?,
            out: self.output.unwrap_or_default(),
            explain: self.explain,
            level: self.level,
            filter: self.pick.filter(sources)?,
            note: self.note,
            stable_tokens: self.stable_tokens,
            encrypt_to: self.encrypt_to,
        };
        Ok(Share { captures: self.captures, run: self.pick.run, with: self.with, plan })
    }
}

/// The options of `resolve`.
#[derive(Clone, PartialEq, Eq, Debug, Args)]
pub struct ResolveFlags {
    /// Tokens, as they stand in a bundle
    #[arg(required = true, value_name = "TOKEN")]
    pub tokens: Vec<String>,
    /// The key they were made with
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, default_value = DEFAULT_TOKEN_KEY)]
    pub key: PathBuf,
}
