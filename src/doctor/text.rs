//! The examination as text for a person, a step as soon as it is done: verdict, name, time, what was seen; then details.
//!
//! Details of steps that went well are shown, too, as they are what one compares. Advice follows an arrow. Colours are
//! ANSI; whoever writes it somewhere else strips them.

use super::{Diagnosis, Step, Verdict, Way};
use anstyle::{AnsiColor, Style};
use std::fmt::Write as _;

const VERDICT_WIDTH: usize = 7;
const NAME_WIDTH: usize = 12;
const TIME_WIDTH: usize = 10;
const FACT_WIDTH: usize = 18;

/// The line that opens a way.
#[must_use]
pub fn way(server: &str, way: Way) -> String {
    let how = match way {
        Way::Direct => "directly".to_owned(),
        Way::Through(address) => format!("through the proxy at {address}"),
    };
    let bold = Style::new().bold();
    let apart = if way == Way::Direct { "" } else { "\n" };
    format!("{apart}{bold}{server} {how}{bold:#}\n")
}

/// A step with its details.
#[must_use]
pub fn step(step: &Step) -> String {
    let style = style(step.verdict);
    let time = if step.took_us == 0 { String::new() } else { format!("{:.1} ms", step.took_us as f64 / 1_000.0) };
    let verdict = step.verdict.as_str();
    let mut text = format!(
        "  {style}{verdict:VERDICT_WIDTH$}{style:#} {:NAME_WIDTH$} {time:>TIME_WIDTH$}  {}\n",
        step.name, step.seen
    );
    let indent = " ".repeat(2 + VERDICT_WIDTH + 1);
    for fact in &step.facts {
        let _ = writeln!(text, "{indent}{:FACT_WIDTH$} {}", fact.name, fact.value);
    }
    if let Some(advice) = &step.advice {
        let _ = writeln!(text, "{indent}{style}→{style:#} {advice}");
    }
    text
}

/// What comes behind the last step.
#[must_use]
pub fn ending(diagnosis: &Diagnosis) -> String {
    let count = |verdict| diagnosis.steps().filter(|step| step.verdict == verdict).count();
    let style = style(diagnosis.verdict);
    let mut text = format!(
        "\n{style}{} ok, {}, {} failed, {} skipped{style:#}\n",
        count(Verdict::Ok),
        match count(Verdict::Warn) {
            1 => "1 warning".to_owned(),
            more => format!("{more} warnings"),
        },
        count(Verdict::Fail),
        count(Verdict::Skipped)
    );
    if !diagnosis.next.is_empty() {
        text.push_str("\nWhat to do next:\n");
        for (number, what) in (1..).zip(&diagnosis.next) {
            let _ = writeln!(text, "  {number}. {what}");
        }
    }
    text
}

fn style(verdict: Verdict) -> Style {
    let colour = match verdict {
        Verdict::Ok => AnsiColor::Green,
        Verdict::Warn => AnsiColor::Yellow,
        Verdict::Fail => AnsiColor::Red,
        Verdict::Skipped => return Style::new().dimmed(),
    };
    colour.on_default()
}

#[cfg(test)]
mod tests {
    use super::super::step::Outcome;
    use super::*;

    #[test]
    fn columns_stand_below_each_other() {
        let strip = |text: String| anstream::adapter::strip_str(&text).to_string();
        let one = Outcome::ok("seen").fact("server", "x").into_step("tcp", 1_234);
        let two = Outcome::fail("seen", "do it").into_step("subscription", 12_345_678);
        assert_eq!(strip(step(&one)), "  ok      tcp              1.2 ms  seen\n          server             x\n");
        assert_eq!(strip(step(&two)), "  fail    subscription 12345.7 ms  seen\n          → do it\n");
    }
}
