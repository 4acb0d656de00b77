//! Reports of small captures, held against goldens, against hostile text, and against their own limits.
//!
//! `UPDATE=1 cargo test --lib report` writes the goldens anew.

use super::ladder::{Login, Stage};
use super::model::{MAX_PINGS, MAX_SESSIONS, Report};
use super::{Filter, Format, Zone, build, render};
use crate::stored::Sources;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn report(captures: &[&str], filter: &Filter) -> Report {
    let captures: Vec<PathBuf> = captures.iter().map(PathBuf::from).collect();
    build(&open(&captures).unwrap(), filter, &mut |_, _| ()).unwrap()
}

fn open(captures: &[PathBuf]) -> anyhow::Result<Sources> {
    Sources::open(captures, &mut |_| unreachable!())
}

fn whole(capture: &str) -> Report {
    report(&[capture], &Filter::default())
}

fn assert_golden(path: &str, found: &str) {
    let found = found.replace('\\', "/");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, &found).unwrap();
    }
    let expected = std::fs::read_to_string(path).unwrap_or_default();
    for (number, (found, expected)) in found.lines().zip(expected.lines()).enumerate() {
        assert_eq!(found, expected, "{path}:{} (found, expected)", number + 1);
    }
    assert_eq!(found.lines().count(), expected.lines().count(), "{path}: lines");
}

#[test]
fn text_and_json_are_as_agreed() {
    for (capture, name) in [
        ("tests/report/troubled.ndjson", "troubled"),
        ("tests/playbook/login.ndjson", "login"),
        ("tests/playbook/refused.ndjson", "refused"),
        ("tests/playbook/odd.ndjson", "odd"),
        ("tests/playbook/rest.ndjson", "rest"),
        ("tests/playbook/bosh.ndjson", "bosh"),
        ("tests/playbook/xmpp.ndjson", "xmpp"),
    ] {
        let report = whole(capture);
        assert_golden(
            &format!("tests/report/{name}.txt"),
            &render(&report, Format::Text, &Zone::default(), 100).unwrap(),
        );
        if name == "troubled" {
            assert_golden("tests/report/troubled.json", &render(&report, Format::Json, &Zone::default(), 100).unwrap());
        }
    }
}

#[test]
fn stages_are_derived_where_the_capture_does_not_name_them() {
    let report = whole("tests/playbook/login.ndjson");
    let ladder = report.sessions[0].login().unwrap();
    assert_eq!(ladder.login, Login::Complete);
    for stage in [Stage::Handshake, Stage::Auth, Stage::Restart, Stage::Bind, Stage::FinessePresence] {
        assert!(ladder.reached(stage).is_some(), "{}", stage.as_str());
    }
    let refused = whole("tests/playbook/refused.ndjson");
    let ladder = refused.sessions[0].login().unwrap();
    assert_eq!((ladder.login, ladder.stopped_at), (Login::Stopped, Some(Stage::Auth)));
    assert_eq!(ladder.why.as_deref(), Some("auth failed: not-authorized"));
}

#[test]
fn every_claim_of_the_page_leads_to_a_line_of_the_page() {
    let page = render(&whole("tests/report/troubled.ndjson"), Format::Html, &Zone::default(), 0).unwrap();
    let mut links = 0;
    for part in page.split("href=\"#").skip(1) {
        let target = part.split('"').next().unwrap();
        assert!(page.contains(&format!("id=\"{target}\"")), "{target} leads nowhere");
        links += 1;
    }
    assert!(links > 50, "{links}");
}

#[test]
fn pages_are_well_formed_and_ask_no_network() {
    for capture in ["tests/report/troubled.ndjson", "tests/report/hostile.ndjson", "tests/playbook/odd.ndjson"] {
        let page = render(&whole(capture), Format::Html, &Zone::default(), 0).unwrap();
        assert_well_formed(&page);
        for word in ["src=", "url(", "@import", "http://", "https://", "javascript:", "<iframe", "<img", "<link"] {
            let policy_free = page.replace("uccxpub", "");
            assert!(!policy_free.contains(word), "{capture}: {word}");
        }
    }
}

#[test]
fn hostile_text_stays_text() {
    let report = whole("tests/report/hostile.ndjson");
    assert!(!report.sessions.is_empty());
    let page = render(&report, Format::Html, &Zone::default(), 0).unwrap();
    assert!(page.contains("&lt;script&gt;alert(1)"), "the text itself is told");
    assert_eq!(page.matches("<script").count(), 1, "our own");
    let markup = page.split("<body>").nth(1).unwrap().split("<script>").next().unwrap();
    assert!(!markup.contains('\u{1b}') && !markup.contains('\u{202e}'));
    for tag in markup.split('<').skip(1).filter_map(|part| part.split('>').next()) {
        assert!(!tag.contains(" on") && !tag.contains(" style="), "{tag}");
    }
    let text = render(&report, Format::Text, &Zone::default(), 100).unwrap();
    let json = render(&report, Format::Json, &Zone::default(), 100).unwrap();
    for out in [text, json] {
        assert!(!out.contains('\u{1b}') && !out.contains('\u{202e}'));
    }
}

#[test]
fn filters_take_one_agent_one_session_and_one_time() {
    let dir = tempfile::tempdir().unwrap();
    let path = sessions(dir.path(), 3);
    let by = |filter: &Filter| report(&[&path], filter).sessions.iter().map(|s| s.id.clone()).collect::<Vec<_>>();
    assert_eq!(by(&Filter::default()), ["s1", "s2", "s3"]);
    assert_eq!(by(&Filter { user: Some("U2@HOST".into()), ..Filter::default() }), ["s2"]);
    assert_eq!(by(&Filter { session: Some("s3".into()), ..Filter::default() }), ["s3"]);
    let since_us = super::words::parse_stamp_us("2026-01-15T09:00:02Z");
    assert_eq!(by(&Filter { since_us, ..Filter::default() }), ["s2", "s3"]);
    assert_eq!(by(&Filter { until_us: since_us, ..Filter::default() }), ["s1"]);
}

#[test]
fn what_is_not_there_is_said_with_what_is() {
    let dir = tempfile::tempdir().unwrap();
    let path = PathBuf::from(sessions(dir.path(), 2));
    let fail = |paths: &[PathBuf], filter: Filter| {
        build(&open(paths).unwrap(), &filter, &mut |_, _| ()).unwrap_err().to_string()
    };
    let user = fail(std::slice::from_ref(&path), Filter { user: Some("1009".into()), ..Filter::default() });
    assert!(user.contains("no session fits --user 1009") && user.contains("hint: there are s1 u1, s2 u2"), "{user}");
    let since = fail(&[path], Filter { since_us: Some(i64::MAX), ..Filter::default() });
    assert!(since.contains("2 lines before or after it") && since.contains("--since"), "{since}");
    let foreign = dir.path().join("foreign.ndjson");
    std::fs::write(&foreign, "{\"a\":1}\nnothing\n").unwrap();
    assert!(fail(&[foreign], Filter::default()).contains("no line of a capture in "));
}

#[test]
fn files_are_read_in_order_of_time_and_repeated_lines_once() {
    let dir = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(sessions(dir.path(), 4)).unwrap();
    let (first, second) = text.split_at(text.match_indices('\n').nth(1).unwrap().0 + 1);
    // The later half has the earlier name; the first half is there twice.
    for (name, text) in [("a.ndjson", second), ("b.ndjson", first), ("c.ndjson", first)] {
        std::fs::write(dir.path().join(name), text).unwrap();
    }
    std::fs::remove_file(dir.path().join("sessions.ndjson")).unwrap();
    let report = report(&[dir.path().to_str().unwrap()], &Filter::default());
    assert_eq!(report.sessions.len(), 4);
    assert_eq!((report.totals.lines, report.totals.lines_repeated, report.totals.lines_missing), (4, 2, 0));
    assert!(report.files[2].path.ends_with("a.ndjson"));
}

#[test]
fn one_session_id_in_two_runs_is_two_sessions() {
    let dir = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(sessions(dir.path(), 1)).unwrap();
    std::fs::write(dir.path().join("other.ndjson"), text.replace("RUN-", "OTHER-")).unwrap();
    let report = report(&[dir.path().to_str().unwrap()], &Filter::default());
    assert_eq!((report.runs.len(), report.sessions.len()), (2, 2));
    assert!(render(&report, Format::Text, &Zone::default(), 100).unwrap().contains("of run OTHER"));
}

#[test]
fn limits_hold_and_are_said() {
    let dir = tempfile::tempdir().unwrap();
    let report = report(&[&sessions(dir.path(), MAX_SESSIONS + 5)], &Filter::default());
    assert_eq!(report.sessions.len(), MAX_SESSIONS);
    let text = render(&report, Format::Text, &Zone::default(), 100).unwrap();
    assert!(text.contains("Limit reached: 5 more sessions are not told"), "{}", &text[..400]);

    let mut pings = super::model::Pings::default();
    for n in 0..100_000_u32 {
        let line = super::model::Mark::default();
        let rtt_us = if n == 77_777 { 9_000_000 } else { 1_000 };
        pings.draw(super::model::Point { at_us: i64::from(n), rtt_us, line });
    }
    assert!(pings.points.len() <= MAX_PINGS && pings.points.len() > MAX_PINGS / 4);
    assert!(pings.points.iter().any(|point| point.rtt_us == 9_000_000), "the slowest survives the thinning");
    assert!(pings.points.is_sorted_by_key(|point| point.at_us));
}

/// A capture of `count` sessions of one line each, a second apart.
fn sessions(dir: &Path, count: usize) -> String {
    let mut text = String::new();
    for n in 1..=count {
        let at = super::words::stamp(1_768_467_600_000_000 + i64::try_from(n).unwrap() * 1_000_000);
        writeln!(
            text,
            r#"{{"@timestamp":"{at}","event":{{"sequence":{n},"id":"RUN-{n}","action":"http-exchange","duration":5000}},"log":{{"level":"info"}},"message":"GET x 200","http":{{"request":{{"method":"GET"}},"response":{{"status_code":200}}}},"url":{{"path":"/x"}},"user":{{"name":"u{n}"}},"finesse":{{"session":{{"id":"s{n}"}},"conn":{{"id":"c{n}"}}}}}}"#
        )
        .unwrap();
    }
    let path = dir.join("sessions.ndjson");
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// The page is written so that it is XML too: every element closed, every attribute quoted, nothing left unescaped.
fn assert_well_formed(page: &str) {
    // Style and script are raw text in HTML, and ours.
    let mut body = page.strip_prefix("<!DOCTYPE html>").unwrap().to_owned();
    for (open, close) in [("<style>", "</style>"), ("<script>", "</script>")] {
        let (from, to) = (body.find(open).unwrap() + open.len(), body.find(close).unwrap());
        body.replace_range(from..to, "");
    }
    let mut reader = quick_xml::Reader::from_str(&body);
    let mut depth = 0_i32;
    loop {
        match reader.read_event().unwrap() {
            quick_xml::events::Event::Start(start) => {
                start.attributes().for_each(|attribute| drop(attribute.unwrap()));
                depth += 1;
            }
            quick_xml::events::Event::End(_) => depth -= 1,
            quick_xml::events::Event::Eof => break,
            _ => {}
        }
    }
    assert_eq!(depth, 0);
}
