//! `share` and `resolve` on a terminal: what people find in a bundle, progress, what was left out, where it lies.

use super::captures;
use super::progress::Progress;
use crate::capture::token::is_token;
use crate::cli::{Form, ResolveFlags, Share};
use crate::export::{self, Captures};
use crate::filter::Filter;
use crate::glyph::tame;
use crate::report;
use crate::scan::Hit;
use crate::share::{self, Extra, Told, index};
use crate::stored::Sources;
use anyhow::{Context as _, anyhow, bail};
use std::io::{BufWriter, ErrorKind, Write as _};

/// Makes a bundle, and says how it goes on standard error.
///
/// # Errors
/// There is none; see [`share::share`].
pub fn share(Share { captures, run, with, plan }: &Share) -> anyhow::Result<()> {
    let sources = captures::open(captures, run.as_deref())?;
    if let Some(number) = plan.explain {
        let text = share::explain(plan, &sources, number)?;
        return std::io::stdout().write_all(tame(&text).as_bytes()).or_else(|error| match error.kind() {
            ErrorKind::BrokenPipe => Ok(()),
            _ => Err(error.into()),
        });
    }
    let mut progress = Progress::new(format!("sharing into {}", plan.out.display()));
    let mut tell = |told: Told<'_>| match told {
        Told::Progress(done, total) => progress.at(done, total),
        Told::Left(source, line, hit) => {
            progress.hide();
            let Hit { kind, shown, why, certainty, .. } = hit;
            say(&format!("{source}:{line}: {kind} {shown} is left ({why}; {})\n", certainty.as_str()));
        }
    };
    let mut make = |redacted: &Sources| extras(redacted, with);
    let outcome = share::share(plan, &sources, &mut make, &mut tell);
    drop(progress);
    let outcome = outcome?;
    say(&format!("{}bundle {}\nevents {}\n", outcome.left_out, outcome.path.display(), outcome.events));
    if outcome.texts > 0 {
        say(&format!("{} free texts were kept: read report.txt in the bundle before you hand it on\n", outcome.texts));
    }
    if plan.stable_tokens.is_none() {
        say("tokens cannot be resolved later; --stable-tokens FILE keeps their key and index\n");
    }
    if plan.encrypt_to.is_none() {
        say(&format!("next finesse-tap report {}\n", outcome.path.display()));
    }
    Ok(())
}

/// What people find in a bundle beside the captures, made of these.
pub(super) fn extras(redacted: &Sources, with: &[Form]) -> anyhow::Result<Vec<Extra>> {
    let mut page = tempfile::tempfile().context("make a temporary file")?;
    let report = report::build(redacted, &report::Filter::default(), &mut |_, _| ())?;
    page.write_all(report::render(&report, report::Format::Html, &report::Zone::default(), 0)?.as_bytes())
        .context("write a temporary file")?;
    let mut extras = vec![Extra { name: String::from("report.html"), file: page, is_text: true }];
    let captures = Captures { sources: redacted, filter: &Filter::default() };
    for form in with {
        let mut file = tempfile::tempfile().context("make a temporary file")?;
        let mut out = BufWriter::new(&mut file);
        let (name, is_text) = match form {
            Form::Har => ("capture.har", true),
            Form::Pcapng => ("capture.pcapng", false),
            Form::Text => ("transcript.txt", true),
        };
        match form {
            Form::Har => export::har(captures, &mut out, &mut |_, _| ())?,
            Form::Pcapng => export::pcapng(captures, &mut out, &mut |_, _| ())?,
            Form::Text => export::text(captures, export::Show::Gist, &mut out, &mut |_, _| ())?,
        };
        out.flush().context("write a temporary file")?;
        drop(out);
        extras.push(Extra { name: name.to_owned(), file, is_text });
    }
    Ok(extras)
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
