//! The words of a bundle: `report.txt` for who hands it over, `README.txt` for its receiver, `manifest.json` for programs.

use super::bundle::Entry;
use super::{Plan, Sums};
use crate::capture::Redactor;
use crate::capture::policy::Class;
use crate::glyph::one_line;
use std::fmt::Write as _;

/// Version of the manifest's shape.
const MANIFEST: &str = "1.0";
/// Version of the redaction rules: another number, other results.
const POLICY: &str = "1";

/// What was removed, what was kept, what is missing.
pub(super) fn report(plan: &Plan, redactor: &Redactor, sums: &Sums) -> String {
    let mut out = String::new();
    let tally = redactor.tally();
    let _ = writeln!(
        out,
        "Redaction level {}, {} events.\n\nRemoved or replaced when this bundle was made, by class:",
        plan.level, sums.events
    );
    for class in Class::ALL {
        let count = tally.removed.get(&class).copied().unwrap_or_default();
        let treatment = plan.level.treatment(class).as_str();
        let _ = writeln!(out, "  {:<15} {count:>9}   {treatment}", class.as_str());
    }
    let _ = writeln!(
        out,
        "\nAlready removed when the captures were made: {} values, as each line's finesse.redaction says.",
        sums.removed_before
    );
    let _ = writeln!(
        out,
        "\nFree texts that were kept, each once with how often it occurs. Read them before handing this on:"
    );
    if tally.texts.is_empty() {
        out.push_str("  none\n");
    }
    for (text, count) in &tally.texts {
        let _ = writeln!(out, "  {count:>6} × {}", one_line(text));
    }
    if tally.more_texts > 0 {
        let _ = writeln!(out, "  and {} more, not listed", tally.more_texts);
    }
    let _ = writeln!(out, "\nGaps in the log:");
    if sums.gaps.is_empty() && sums.gap_events == 0 {
        out.push_str("  none\n");
    }
    for gap in &sums.gaps {
        let _ = writeln!(out, "  {}", one_line(gap));
    }
    let _ = writeln!(
        out,
        "\nLines that were left out: {} torn or foreign, {} not picked.",
        sums.left_out.count(),
        sums.not_picked
    );
    out
}

/// For whoever receives the bundle.
pub(super) fn readme(plan: &Plan) -> String {
    let note = plan.note.as_deref().map(|note| format!("Note: {note}\n\n")).unwrap_or_default();
    format!(
        "{note}This is a capture of finesse-tap {}: what passed between a Cisco Finesse agent desktop and its server, one JSON object\n\
         a line (captures/*.ndjson), redacted at level {}.\n\n\
         Tokens stand for values that were removed; the same value has the same token throughout:\n  \
           u-… login, p-… name of a person, t-… telephone, k-… session, q-… team, queue or certificate, w-… word of a sentence,\n  \
           h-….invalid host, 198.18.0.0/15 and fdf1:7e55:e7a9::/48 IP addresses\n\
         [text:8-15] tells kind and length of what was removed; [cred:…] a credential. Ask the sender about a token by its name:\n\
         only the sender can tell what it stands for.\n\n\
         report.html is what happened, for a browser. `finesse-tap report`, `export` and `scan` take this archive as it is.\n\
         report.txt tells what was removed and what is missing; manifest.json has the SHA-256 of every file.\n\n\
         What happened, in words:\n  \
           jq -r '[.[\"@timestamp\"], .finesse.session.id // \"-\", .message] | @tsv' captures/*.ndjson\n",
        env!("CARGO_PKG_VERSION"),
        plan.level
    )
}

/// For programs.
pub(super) fn manifest(plan: &Plan, redactor: &Redactor, key_id: &str, sums: &Sums, entries: &[Entry]) -> String {
    let stamp =
        |us: Option<i64>| us.and_then(|us| jiff::Timestamp::from_microsecond(us).ok()).map(|at| format!("{at:.6}"));
    let value = serde_json::json!({
        "manifest": MANIFEST,
        "tool": "finesse-tap",
        "version": env!("CARGO_PKG_VERSION"),
        "policy": POLICY,
        "policy_sha256": redactor.policy_sha256(),
        "level": plan.level.as_str(),
        "key_id": key_id,
        "events": sums.events,
        "skipped_lines": sums.left_out.count(),
        "picked": !plan.filter.is_all(),
        "first": stamp(sums.first_us),
        "last": stamp(sums.last_us),
        "files": entries,
    });
    let mut text = serde_json::to_string_pretty(&value).unwrap_or_default();
    text.push('\n');
    text
}
