//! What `share` and `resolve` were asked to do, checked. They take nothing from environment or configuration file.

use super::{DEFAULT_TOKEN_KEY, Problem, Resolve};
use crate::capture::restrict::{Picked, UserRules};
use crate::capture::rules::Level;
use crate::cli::share::{ResolveFlags, ShareFlags};
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
    Ok(Plan {
        files: flags.files.clone(),
        out: flags.out.clone(),
        level,
        picked: Picked {
            since_us: time("--since", flags.since.as_deref())?,
            until_us: time("--until", flags.until.as_deref())?,
            user: flags.user.clone(),
            session: flags.session.clone(),
        },
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
    let Some(text) = text else { return Ok(None) };
    let whole = text.parse::<jiff::Timestamp>();
    let stamp = whole.or_else(|_| format!("{text}T00:00:00Z").parse()).or_else(|_| format!("{text}Z").parse());
    let stamp = stamp.map_err(|_| {
        Problem::new(format!("{option}: `{text}` is no time")).hint("write 2026-01-15T09:00:00Z or 2026-01-15")
    })?;
    Ok(Some(stamp.as_microsecond()))
}
