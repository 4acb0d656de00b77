//! What `share` and `resolve` were asked to do, checked. They take nothing from environment or configuration file.

use super::{DEFAULT_TOKEN_KEY, Problem, Resolve};
use crate::capture::restrict::{Picked, UserRules};
use crate::capture::rules::Level;
use crate::cli::share::{ResolveFlags, ShareFlags};
use crate::report;
use crate::share::{Plan, Recipient};
use std::path::PathBuf;
use std::str::FromStr as _;

pub(super) fn share(flags: &ShareFlags) -> Result<Plan, Problem> {
    let level = flags.level.as_deref().map_or(Ok(Level::Share), Level::from_str).map_err(Problem::new)?;
    let mut rules = UserRules::default();
    for rule in &flags.deny {
        rules.deny(rule).map_err(|why| Problem::new(format!("--deny: {why}")))?;
    }
    for rule in &flags.allow {
        rules.allow(rule).map_err(|why| Problem::new(format!("--allow: {why}")))?;
    }
    let (since_us, until_us) = (time("--since", flags.since.as_deref())?, time("--until", flags.until.as_deref())?);
    if since_us.zip(until_us).is_some_and(|(since, until)| until <= since) {
        let until = flags.until.as_deref().unwrap_or_default();
        return Err(Problem::new(format!("--until: `{until}` is not later than --since")));
    }
    Ok(Plan {
        files: flags.files.clone(),
        out: flags.out.clone(),
        level,
        picked: Picked { since_us, until_us, user: flags.user.clone(), session: flags.session.clone() },
        note: flags.note.clone(),
        stable_tokens: flags.stable_tokens.clone(),
        encrypt_to: flags.encrypt_to.as_deref().map(recipient).transpose()?,
        rules,
    })
}

pub(super) fn resolve(flags: &ResolveFlags) -> Resolve {
    Resolve { tokens: flags.tokens.clone(), key: flags.key.clone().unwrap_or_else(|| PathBuf::from(DEFAULT_TOKEN_KEY)) }
}

fn recipient(text: &str) -> Result<Recipient, Problem> {
    let hint = "age-keygen -o key.txt makes a pair; the receiver keeps key.txt and tells you the public key";
    Recipient::from_str(text).map_err(|why| Problem::new(format!("--encrypt-to: {why}")).hint(hint))
}

fn time(option: &str, text: Option<&str>) -> Result<Option<i64>, Problem> {
    text.map(|text| report::time_us(text).map_err(|why| Problem::new(format!("{option}: {why}")))).transpose()
}
