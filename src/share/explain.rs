//! `share --explain`: what becomes of one line of a capture, and which rule says so.
//!
//! For whoever audits the redaction or wonders where a value is. Shows values that a bundle would not hold.

use super::Plan;
use crate::capture::Redactor;
use crate::capture::token::{Key, Tokens};
use crate::glyph::one_line;
use crate::stored::{self, Lines, Piece};
use anyhow::{Context as _, anyhow, bail};
use std::fmt::Write as _;

/// Longest text shown, characters.
const MAX_SHOWN: usize = 200;

/// The changes and judgements of one line, as text.
///
/// # Errors
/// There is not exactly one file, it cannot be read, it has no such line, or that is no line of a capture.
pub fn explain(plan: &Plan, number: u64) -> anyhow::Result<String> {
    let files = stored::paths(&plan.files)?;
    let [path] = files.as_slice() else {
        bail!("--explain wants one capture file, and there are {}\nhint: name the file", files.len());
    };
    let context = || format!("read {}", path.display());
    let mut lines = Lines::open(path).with_context(context)?;
    let tokens = Tokens::of(&Key::random().map_err(|_| anyhow!("the system gives no random numbers"))?)
        .map_err(|_| anyhow!("no token key can be derived"))?;
    let mut redactor = Redactor::with(plan.level, tokens, plan.rules.clone());
    while let Some(piece) = lines.next().with_context(context)? {
        let Piece::Line(line) = piece else { continue };
        let line = line.to_vec();
        if lines.number() != number {
            continue;
        }
        let explained = redactor.explain(&line).with_context(|| format!("{}:{number}", path.display()))?;
        let mut out = format!("{}:{number} {} at {}\n\nChanged:\n", path.display(), explained.action, plan.level);
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
        return Ok(out);
    }
    bail!("{} has no line {number}\nhint: it has {} lines", path.display(), lines.number())
}

fn shown(text: &str) -> String {
    let text = one_line(text);
    match text.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}
