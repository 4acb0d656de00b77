//! `share --explain`: what becomes of one line of a capture, and which rule says so.
//!
//! For whoever audits the redaction or wonders where a value is. Shows values that a bundle would not hold.

use super::Plan;
use crate::capture::Redactor;
use crate::capture::redact::Explained;
use crate::capture::token::{Key, Tokens};
use crate::filter::Filter;
use crate::glyph::one_line;
use crate::stored::Sources;
use anyhow::{Context as _, anyhow};
use std::fmt::Write as _;

/// Longest text shown, characters.
const MAX_SHOWN: usize = 200;

/// The changes and judgements of one line, as text.
///
/// # Errors
/// A capture cannot be read, has no such line, or that is none of ours.
pub fn explain(plan: &Plan, sources: &Sources, number: u64) -> anyhow::Result<String> {
    let tokens = Tokens::of(&Key::random().map_err(|_| anyhow!("the system gives no random numbers"))?)
        .map_err(|_| anyhow!("no token key can be derived"))?;
    let mut redactor = Redactor::with(plan.level, tokens, plan.rules.clone());
    let mut found = None;
    sources.each(&Filter::default(), &mut |_, _| (), &mut |seen| {
        if let (0, Ok(read)) = (seen.file, &seen.read)
            && seen.mark.number == number
        {
            let name = seen.source.name();
            let explained = redactor.explain(read.text).with_context(|| format!("{name}:{number}"))?;
            found = Some(format!("{name}:{number} {}", written(plan, &explained)));
        }
        Ok(())
    })?;
    found.ok_or_else(|| {
        anyhow!("the capture has no line {number}\nhint: lines are counted from 1, in the first capture named")
    })
}

fn written(plan: &Plan, explained: &Explained) -> String {
    let mut out = format!("{} at {}\n\nChanged:\n", explained.action, plan.level);
    if explained.changed.is_empty() {
        out.push_str("  nothing\n");
    }
    for (field, before, after) in &explained.changed {
        let after = if after.is_empty() { String::from("gone") } else { shown(after) };
        let _ = writeln!(out, "  {field}\n    {}\n    → {after}", shown(before));
    }
    out.push_str("\nNames:\n");
    if explained.judged.is_empty() {
        out.push_str("  none\n");
    }
    for judged in &explained.judged {
        let class = judged.what.class();
        let (place, name, by) = (judged.place.as_str(), one_line(&judged.name), judged.by.as_str());
        let treatment = plan.level.treatment(class).as_str();
        let _ = writeln!(out, "  {place} {name}: {} ({by}), {treatment}", class.as_str());
    }
    out
}

fn shown(text: &str) -> String {
    let text = one_line(text);
    match text.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}
