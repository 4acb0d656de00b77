//! `share` and `resolve` on a terminal: progress, what was left out, where the bundle lies.

use super::progress::Progress;
use crate::capture::token::is_token;
use crate::cli::ResolveFlags;
use crate::glyph::tame;
use crate::scan::Hit;
use crate::share::{self, Plan, Told, index};
use anyhow::{anyhow, bail};
use std::io::{ErrorKind, Write as _};

/// Makes a bundle, and says how it goes on standard error.
///
/// # Errors
/// There is none; see [`share::share`].
pub fn share(plan: &Plan) -> anyhow::Result<()> {
    if let Some(number) = plan.explain {
        let text = share::explain(plan, number)?;
        return std::io::stdout().write_all(tame(&text).as_bytes()).or_else(|error| match error.kind() {
            ErrorKind::BrokenPipe => Ok(()),
            _ => Err(error.into()),
        });
    }
    let mut progress = Progress::new(format!("sharing into {}", plan.out.display()));
    let mut tell = |told: Told<'_>| match told {
        Told::Progress(done, total) => progress.at(done, total),
        Told::LeftOut(path, line, why) => {
            progress.hide();
            say(&format!("{}:{line} is left out: {why}\n", path.display()));
        }
        Told::Left(path, line, hit) => {
            progress.hide();
            let Hit { kind, shown, why, certainty, .. } = hit;
            say(&format!("{}:{line}: {kind} {shown} is left ({why}; {})\n", path.display(), certainty.as_str()));
        }
    };
    let outcome = share::share(plan, &mut tell);
    drop(progress);
    let outcome = outcome?;
    say(&format!("bundle {}\nevents {}\n", outcome.path.display(), outcome.events));
    if outcome.skipped > 0 {
        say(&format!("left out {} lines that are torn or foreign\n", outcome.skipped));
    }
    if outcome.texts > 0 {
        say(&format!("{} free texts were kept: read report.txt in the bundle before you hand it on\n", outcome.texts));
    }
    if plan.stable_tokens.is_none() {
        say("tokens cannot be resolved later; --stable-tokens FILE keeps their key and index\n");
    }
    Ok(())
}

/// What tokens stand for, a line each.
///
/// # Errors
/// There is no index, or a token is not in it.
pub fn resolve(asked: &ResolveFlags) -> anyhow::Result<Vec<u8>> {
    if let Some(word) = asked.tokens.iter().find(|token| !is_token(token)) {
        bail!("`{word}` is no token\nhint: in a bundle they stand like u-7h2k9m4q1x, h-5j7k9m1n3p.invalid, 198.18.7.9");
    }
    let index = index::read(&asked.key).map_err(|error| {
        let is_missing = error.downcast_ref::<std::io::Error>().is_some_and(|io| io.kind() == ErrorKind::NotFound);
        if !is_missing {
            return error;
        }
        let (index, key) = (index::index_path(&asked.key), asked.key.display());
        anyhow!(
            "what tokens stand for is not known: there is no index {}\nhint: {}",
            index.display(),
            match asked.key.exists() {
                true =>
                    format!("{key} is there: are tokens made with it? An index lies beside the key of --stable-tokens"),
                false => String::from(
                    "--key names the file that --stable-tokens named; tokens made without it cannot be resolved"
                ),
            }
        )
    })?;
    let mut out = String::new();
    for token in &asked.tokens {
        let Some((kind, value)) = index.get(token) else {
            let path = index::index_path(&asked.key);
            let hint = if token.starts_with("k-") {
                "k- stands for a session's identifier, which no index keeps"
            } else {
                "--key names the key it was made with"
            };
            bail!("{token} is not in {}\nhint: {hint}", path.display());
        };
        out.push_str(&format!("{token}\t{kind}\t{value}\n"));
    }
    Ok(out.into_bytes())
}

fn say(text: &str) {
    // Nobody reading standard error is no reason not to work.
    let _ = std::io::stderr().write_all(tame(text).as_bytes());
}
