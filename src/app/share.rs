//! `share` and `resolve` on a terminal: progress, what was left out, where the bundle lies.

use super::progress::Progress;
use crate::config::Resolve;
use crate::scan::Hit;
use crate::share::{self, Plan, Told, index};
use crate::stored::tame;
use anyhow::bail;
use std::io::Write as _;

/// Makes a bundle, and says how it goes on standard error.
///
/// # Errors
/// There is none; see [`share::share`].
pub fn share(plan: &Plan) -> anyhow::Result<()> {
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
pub fn resolve(asked: &Resolve) -> anyhow::Result<Vec<u8>> {
    let index = index::read(&asked.key)?;
    let mut out = String::new();
    for token in &asked.tokens {
        let Some((kind, value)) = index.get(token) else {
            bail!(
                "{token} is not in {}\nhint: --key names the key it was made with",
                index::index_path(&asked.key).display()
            );
        };
        out.push_str(&format!("{token}\t{kind}\t{value}\n"));
    }
    Ok(out.into_bytes())
}

fn say(text: &str) {
    // Nobody reading standard error is no reason not to work.
    let _ = std::io::stderr().write_all(tame(text).as_bytes());
}
