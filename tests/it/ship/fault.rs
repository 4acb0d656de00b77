//! What may go wrong on the way: with the receiver, with an event, with our own disk.

use super::site::Site;
use crate::support::bulk::Bulk;
use crate::support::hec::Hec;
use crate::support::receiver::{Mishap, Receiver, Wire};
use finesse_tap::filter::Filter;
use finesse_tap::ship::{self, End, Kind, Login, Orders, Pace, Plan, Status, Url};
use finesse_tap::tls::upstream::Trust;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

fn say(status: u16, body: impl ToString) -> Mishap {
    Mishap::Say(status, Vec::new(), body.to_string())
}

fn say_later(status: u16, seconds: &str, body: impl ToString) -> Mishap {
    Mishap::Say(status, vec![("retry-after", seconds.into())], body.to_string())
}

#[test]
fn whatever_befalls_hec_every_event_arrives() {
    let hec = |code: u32| json!({"text": "as it says", "code": code});
    let mishaps = [
        Mishap::CutInBody,
        Mishap::CutBeforeTaking,
        Mishap::CutBeforeAnswer,
        Mishap::Slow(Duration::from_millis(300)),
        say(500, hec(8)),
        say_later(503, "1", hec(9)),
        say(503, hec(18)),
        say(503, hec(20)),
        say(503, hec(23)),
        say(429, hec(26)),
        say(429, hec(27)),
        say(502, "<html>bad gateway</html>"),
        say(200, "<html>log in first</html>"),
        say(200, ""),
    ];
    let (site, splunk) = (Site::new(), Receiver::start(Hec::default(), Wire::Plain));
    for (round, mishaps) in (0..).zip(mishaps.chunks(3)) {
        site.write(1, round * 2_100 + 1..=(round + 1) * 2_100);
        splunk.suffer(mishaps.to_vec());
        let ended = site.ship_to_splunk(&splunk, &[]);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        assert!(!ended.stderr.contains("hint=\"\""), "{}", ended.stderr);
    }
    site.assert_indexed(&splunk, 1..=5 * 2_100);
    assert!(site.kept(".dead.ndjson").is_empty());
}

#[test]
fn whatever_befalls_elasticsearch_every_event_is_there_once() {
    let fault = |kind: &str| json!({"error": {"type": kind, "reason": "as it says"}, "status": 0});
    let mishaps = [
        Mishap::CutInBody,
        Mishap::CutBeforeTaking,
        Mishap::CutBeforeAnswer,
        say_later(429, "1", fault("es_rejected_execution_exception")),
        say(503, fault("master_not_discovered_exception")),
        say(502, ""),
        say(200, "{}"),
        say(200, json!({"errors": false, "items": [{"create": {"status": 201}}]})),
        Mishap::Slow(Duration::from_millis(300)),
        Mishap::CutBeforeAnswer,
    ];
    let contract = Bulk { rejects_one_in: 50, ..Bulk::ready() };
    let (site, elastic) = (Site::new(), Receiver::start(contract, Wire::Plain));
    for (round, mishaps) in (0..).zip(mishaps.chunks(3)) {
        site.write(1, round * 2_100 + 1..=(round + 1) * 2_100);
        elastic.suffer(mishaps.to_vec());
        let ended = site.ship_to_elastic(&elastic, &[]);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    }
    site.assert_stored(&elastic, 1..=4 * 2_100);
    assert!(elastic.contract.lock().unwrap().conflicts > 0, "what was taken and not answered was sent again");
    assert!(site.kept(".dead.ndjson").is_empty());
}

#[test]
fn a_wrong_token_ends_it_with_a_clear_error() {
    let (site, splunk) = (Site::new(), Receiver::start(Hec::default(), Wire::Plain));
    site.write(1, 1..=10);
    site.secret("token", "another-canary");
    let ended = site.ship_to_splunk(&splunk, &[]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("error: HEC answers 403, code 4: Invalid token\nhint: "), "{}", ended.stderr);
    assert!(!ended.stderr.contains("canary"), "{}", ended.stderr);
    site.secret("token", crate::support::hec::TOKEN);
    assert_eq!(site.ship_to_splunk(&splunk, &[]).code, Some(0));
    site.assert_indexed(&splunk, 1..=10);
}

#[test]
fn an_index_that_is_not_allowed_ends_it() {
    let (site, splunk) = (Site::new(), Receiver::start(Hec::default(), Wire::Plain));
    site.write(1, 1..=10);
    let ended = site.ship_to_splunk(&splunk, &["--splunk-index", "secret"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("code 7") && ended.stderr.contains("--splunk-index"), "{}", ended.stderr);
    assert!(site.kept(".dead.ndjson").is_empty(), "no event is to blame");
}

/// The letters kept aside: id or text, and reason.
fn letters(site: &Site) -> Vec<(String, String)> {
    let [path] = &site.kept(".dead.ndjson")[..] else { panic!("no dead letters") };
    let text = std::fs::read_to_string(path).unwrap();
    let read = |line: &str| {
        let letter: Value = serde_json::from_str(line).unwrap();
        let id = letter["event"]["event"]["id"].as_str().or(letter["text"].as_str()).unwrap().to_owned();
        assert!(letter["file"].as_str().unwrap().starts_with("finesse-"));
        (id, letter["reason"].as_str().unwrap().to_owned())
    };
    text.lines().map(read).collect()
}

#[test]
fn events_that_hec_will_never_take_are_kept_aside_and_the_rest_arrives() {
    for names_culprit in [true, false] {
        let contract = Hec { poison: Some("\"sequence\":4"), names_culprit, ..Hec::default() };
        let (site, splunk) = (Site::new(), Receiver::start(contract, Wire::Plain));
        site.write(1, 1..=39);
        site.append(1, "{\"torn\n");
        site.write(1, 50..=60);
        let ended = site.ship_to_splunk(&splunk, &[]);
        assert_eq!(ended.code, Some(1), "{}", ended.stderr);
        assert!(ended.stderr.contains("error: 2 lines were refused for good\nhint: "), "{}", ended.stderr);
        let contract = splunk.contract.lock().unwrap();
        assert_eq!(contract.events.len(), 38 + 11);
        let mut letters = letters(&site);
        letters.sort();
        assert!(letters[0].0.ends_with("-4") && letters[0].1.contains("code 6"), "{letters:?}");
        assert!(letters[1].0 == "{\"torn" && letters[1].1.contains("torn"), "{letters:?}");
        drop(contract);
        let ended = site.ship_to_splunk(&splunk, &[]);
        assert_eq!(ended.code, Some(0), "settled is settled: {}", ended.stderr);
    }
}

#[test]
fn documents_that_elasticsearch_cannot_parse_are_kept_aside() {
    let contract = Bulk { poison: Some("\"sequence\":77,"), rejects_one_in: 5, ..Bulk::ready() };
    let (site, elastic) = (Site::new(), Receiver::start(contract, Wire::Plain));
    site.write(1, 1..=200);
    let ended = site.ship_to_elastic(&elastic, &[]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert_eq!(elastic.contract.lock().unwrap().documents.len(), 199);
    let letters = letters(&site);
    assert!(letters.len() == 1 && letters[0].0.ends_with("-77"), "{letters:?}");
    assert!(letters[0].1.contains("document_parsing_exception"), "{letters:?}");
}

#[test]
fn batches_too_large_for_the_receiver_are_halved() {
    let contract = Hec { max_bytes: 20_000, ..Hec::default() };
    let (site, splunk) = (Site::new(), Receiver::start(contract, Wire::Plain));
    site.write(1, 1..=500);
    let huge = super::site::event(501).replace("№501", &"x".repeat(30_000));
    site.append(1, &(huge + "\n"));
    let ended = site.ship_to_splunk(&splunk, &[]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    site.assert_indexed(&splunk, 1..=500);
    let letters = letters(&site);
    assert!(letters.len() == 1 && letters[0].1.contains("413"), "{letters:?}");
}

// Ended by a signal.
#[cfg(unix)]
#[test]
fn a_receiver_that_is_away_is_waited_for_and_what_is_written_meanwhile_follows() {
    let (site, splunk) = (Site::new(), Receiver::start(Hec::default(), Wire::Plain));
    splunk.away(true);
    site.write(1, 1..=10);
    let mut program = site.start(&Site::splunk(&splunk, &["--follow"]));
    program.line("not delivered yet; trying again");
    site.write(1, 11..=20);
    site.write(2, 21..=30);
    splunk.away(false);
    program.line("delivering again");
    wait_for(&splunk, 30);
    site.write(2, 31..=31);
    wait_for(&splunk, 31);
    let ended = program.stop();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(ended.stderr.matches("not delivered yet").count(), 1, "once an outage: {}", ended.stderr);
    site.assert_indexed(&splunk, 1..=31);
}

/// Waits until so many events are there.
pub(super) fn wait_for(splunk: &Receiver<Hec>, events: usize) {
    let since = finesse_tap::clock::now();
    while splunk.contract.lock().unwrap().events.len() < events {
        assert!(finesse_tap::clock::now().ms_since(since) < 60_000, "{events} events never came");
        std::thread::yield_now();
    }
}

#[test]
fn giving_up_is_an_error_and_the_next_time_goes_on() {
    let (site, splunk) = (Site::new(), Receiver::start(Hec::default(), Wire::Plain));
    splunk.away(true);
    site.write(1, 1..=10);
    let ended = site.ship_to_splunk(&splunk, &["--give-up", "100ms"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("given up after"), "{}", ended.stderr);
    splunk.away(false);
    assert_eq!(site.ship_to_splunk(&splunk, &[]).code, Some(0));
    site.assert_indexed(&splunk, 1..=10);
}

#[test]
fn an_unfinished_last_line_is_left_for_the_next_time() {
    let (site, splunk) = (Site::new(), Receiver::start(Hec::default(), Wire::Plain));
    site.write(1, 1..=2);
    let third = super::site::event(3);
    site.append(1, &third[..30]);
    let ended = site.ship_to_splunk(&splunk, &[]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("delivered 2 events") && ended.stderr.contains("1 file with an unfinished last line")
    );
    site.append(1, &format!("{}\n", &third[30..]));
    assert!(site.ship_to_splunk(&splunk, &[]).stderr.contains("delivered 1 events"));
    site.assert_indexed(&splunk, 1..=3);
}

#[test]
fn two_shippers_of_the_same_captures_to_the_same_receiver_are_one_too_many() {
    let (site, splunk) = (Site::new(), Receiver::start(Hec::default(), Wire::Plain));
    site.write(1, 1..=1);
    let program = site.start(&Site::splunk(&splunk, &["--follow"]));
    wait_for(&splunk, 1);
    let ended = site.ship_to_splunk(&splunk, &[]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("another shipper"), "{}", ended.stderr);
    #[cfg(unix)]
    assert_eq!(program.stop().code, Some(0));
    #[cfg(windows)]
    drop(program);
    assert_eq!(site.ship_to_splunk(&splunk, &[]).code, Some(0), "the lock went with the process");
}

#[test]
fn connections_are_used_again() {
    let (site, splunk) = (Site::new(), Receiver::start(Hec::default(), Wire::Tls));
    let (_, pin) = splunk.certificate.clone().unwrap();
    site.write(1, 1..=12_000);
    assert_eq!(site.ship_to_splunk(&splunk, &["--splunk-pin", &pin]).code, Some(0));
    assert!(splunk.deliveries() >= 6, "{}", splunk.deliveries());
    assert!(splunk.connections() <= Pace::default().parallel, "{}", splunk.connections());
}

/// The shipper itself, which waits hardly at all unless it is told to.
async fn ship(site: &Path, url: &str) -> ship::Summary {
    let plan = plan(site, url);
    let status = Arc::new(Status::new(plan.receiver.name()));
    ship::run(&plan, &status, &Orders::default()).await.unwrap()
}

fn plan(site: &Path, url: &str) -> Plan {
    let kind = Kind::Elastic { login: Login::None, stream: ship::elastic::DATA_STREAM.into(), setup: None };
    let receiver = ship::Receiver { url: Url::parse(url).unwrap(), trust: Trust::System, kind };
    let pace =
        Pace { backoff_base: Duration::from_millis(1), backoff_cap: Duration::from_millis(1), ..Pace::default() };
    let captures = site.join("captures");
    Plan {
        state: captures.clone(),
        captures,
        filter: Filter::default(),
        receiver,
        end: End::Delivered,
        give_up: None,
        pace,
    }
}

#[tokio::test]
async fn the_time_that_a_receiver_asks_for_is_given_to_it() {
    let now_us = finesse_tap::clock::now().wall_us;
    let in_three_s = jiff::Timestamp::from_microsecond(now_us + 3_000_000).unwrap();
    let date = in_three_s.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    for asked in ["1", &date] {
        let (site, elastic) =
            (Site::new(), Receiver::start(Bulk { authorization: None, ..Bulk::ready() }, Wire::Plain));
        site.write(1, 1..=10);
        elastic.suffer([say_later(503, asked, "")]);
        let since = finesse_tap::clock::now();
        assert_eq!(ship(site.dir(), &elastic.url()).await.counts.delivered, 10);
        assert!(finesse_tap::clock::now().ms_since(since) >= 1_000, "came back too soon for {asked}");
        site.assert_stored(&elastic, 1..=10);
    }
}

#[tokio::test]
async fn what_is_the_cluster_s_trouble_is_waited_for_and_blamed_on_no_event() {
    let faults = [
        (429, "es_rejected_execution_exception", "rejected execution of coordinating operation"),
        (
            403,
            "cluster_block_exception",
            "index [x] blocked by: [TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage]",
        ),
        (503, "unavailable_shards_exception", "primary shard is not active"),
        (500, "node_closed_exception", "node closed"),
        (429, "circuit_breaking_exception", "[parent] Data too large"),
    ];
    let contract = Bulk { authorization: None, faults: faults.into(), ..Bulk::ready() };
    let (site, elastic) = (Site::new(), Receiver::start(contract, Wire::Plain));
    site.write(1, 1..=300);
    let summary = ship(site.dir(), &elastic.url()).await;
    assert_eq!((summary.counts.delivered, summary.counts.dead_letters), (300, 0));
    assert!(summary.counts.errors > 0, "{:?}", summary.counts);
    site.assert_stored(&elastic, 1..=300);
    assert_eq!(elastic.contract.lock().unwrap().conflicts, 0, "only those that were put off are sent again");
}

#[tokio::test]
async fn half_an_answer_or_none_of_bulk_s_is_no_delivery() {
    let contract = Bulk { authorization: None, ..Bulk::ready() };
    let (site, elastic) = (Site::new(), Receiver::start(contract, Wire::Plain));
    site.write(1, 1..=300);
    elastic.suffer([
        Mishap::CutInAnswer,
        say(200, r#"{"errors":true,"items":[{"create":{"status":201}},{"crea"#),
        say(429, json!({"error": {"type": "circuit_breaking_exception", "reason": "too large"}, "status": 429})),
        say(503, json!({"error": {"type": "cluster_block_exception", "reason": "no master"}, "status": 503})),
    ]);
    let summary = ship(site.dir(), &elastic.url()).await;
    assert_eq!((summary.counts.delivered, summary.counts.dead_letters), (300, 0));
    assert!(summary.counts.errors >= 4, "{:?}", summary.counts);
    site.assert_stored(&elastic, 1..=300);
    assert!(elastic.contract.lock().unwrap().conflicts > 0, "what was taken and told by half an answer was sent again");
}

#[test]
fn a_receiver_that_refuses_every_event_is_to_blame_and_not_the_events() {
    let contract = Bulk { poison: Some("event"), ..Bulk::ready() };
    let (site, elastic) = (Site::new(), Receiver::start(contract, Wire::Plain));
    site.write(1, 1..=50);
    let ended = site.ship_to_elastic(&elastic, &[]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let told = "error: the last 50 events were all refused, one with 400: document_parsing_exception";
    assert!(ended.stderr.contains(told) && ended.stderr.contains("hint: "), "{}", ended.stderr);
    assert!(site.kept(".dead.ndjson").is_empty());
    elastic.contract.lock().unwrap().poison = None;
    assert_eq!(site.ship_to_elastic(&elastic, &[]).code, Some(0));
    site.assert_stored(&elastic, 1..=50);

    let contract = Hec { poison: Some("event"), names_culprit: false, ..Hec::default() };
    let splunk = Receiver::start(contract, Wire::Plain);
    let ended = site.ship_to_splunk(&splunk, &[]);
    assert!(ended.stderr.contains("error: the last 50 events were all refused"), "{}", ended.stderr);
}

#[tokio::test]
async fn a_receiver_that_refuses_every_event_is_to_blame_however_small_the_batches_are() {
    let contract = Bulk { authorization: None, poison: Some("event"), ..Bulk::ready() };
    let (site, elastic) = (Site::new(), Receiver::start(contract, Wire::Plain));
    site.write(1, 1..=50);
    let mut plan = plan(site.dir(), &elastic.url());
    plan.pace.batch_events = 3;
    let status = Arc::new(Status::new(plan.receiver.name()));
    // As beside a proxy, which tries again and again.
    for _ in 0..5 {
        let error = ship::run(&plan, &status, &Orders::default()).await.unwrap_err().to_string();
        assert!(error.contains("events were all refused, one with 400"), "{error}");
    }
    let given_up = letters(&site).len();
    assert!(given_up < 10, "{given_up}");
    elastic.contract.lock().unwrap().poison = None;
    let summary = ship::run(&plan, &status, &Orders::default()).await.unwrap();
    assert_eq!(summary.counts.delivered, 50 - given_up as u64);

    // One now and then, and others taken in between, are no reason to stop.
    elastic.contract.lock().unwrap().poison = Some("5,\"id\"");
    site.write(1, 51..=250);
    let summary = ship::run(&plan, &status, &Orders::default()).await.unwrap();
    assert_eq!(letters(&site).len(), given_up + 20);
    assert_eq!(summary.counts.delivered, 230 - given_up as u64);
}

#[test]
fn what_only_a_person_can_change_in_the_cluster_ends_it_and_blames_no_event() {
    let faults = [
        (
            400,
            "validation_exception",
            "this action would add [2] shards, but this cluster has [1000]",
            "look at the cluster",
        ),
        (400, "index_closed_exception", "closed", "look at the cluster"),
        (400, "illegal_argument_exception", "pipeline with id [finesse-event] does not exist", "--elastic-setup"),
        (403, "security_exception", "action [indices:data/write/bulk] is unauthorized", "create_doc"),
        (404, "index_not_found_exception", "no such index", "--elastic-setup"),
    ];
    for (status, kind, reason, hint) in faults {
        let contract = Bulk { faults: [(status, kind, reason)].into(), ..Bulk::ready() };
        let (site, elastic) = (Site::new(), Receiver::start(contract, Wire::Plain));
        site.write(1, 1..=20);
        let ended = site.ship_to_elastic(&elastic, &[]);
        assert_eq!(ended.code, Some(1), "{}", ended.stderr);
        let told = ended.stderr.contains(&format!("error: {status}: {kind}: {reason}")) && ended.stderr.contains(hint);
        assert!(told, "{}", ended.stderr);
        assert!(site.kept(".dead.ndjson").is_empty(), "{kind}: no event is to blame");
        assert_eq!(site.ship_to_elastic(&elastic, &[]).code, Some(0), "{kind}");
        site.assert_stored(&elastic, 1..=20);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_holds_delivery_up_and_loses_nothing() {
    let (site, splunk) = (Site::new(), Receiver::start(Hec::default(), Wire::Plain));
    let state = site.path("state");
    let Some(_mounted) = crate::support::Small::mount(&state) else {
        crate::support::skipped("a_full_disk_holds_delivery_up_and_loses_nothing", "the right to mount a file system");
        return;
    };
    // Dead letters that do not fit while the ballast is there.
    let ballast = state.join("ballast");
    site.write(1, 1..=100);
    site.append(1, &format!("{}\n", "no event ".repeat(3_000)));
    site.write(1, 101..=200);
    std::fs::write(&ballast, vec![0; 48 << 10]).unwrap();
    let mut program = site.start(&Site::splunk(&splunk, &["--state", "state", "--follow"]));
    program.line("the checkpoint cannot be written");
    wait_for(&splunk, 200);
    let checkpoint = || {
        let is_checkpoint = |path: &std::path::PathBuf| path.extension().is_some_and(|end| end == "json");
        let path = std::fs::read_dir(&state).unwrap().map(|entry| entry.unwrap().path()).find(is_checkpoint).unwrap();
        std::fs::read_to_string(path).unwrap()
    };
    assert!(!checkpoint().contains("offset"), "what is not on disk is not passed: {}", checkpoint());
    site.write(1, 201..=210);
    std::fs::remove_file(&ballast).unwrap();
    program.line("the checkpoint is written again");
    wait_for(&splunk, 210);
    assert_eq!(program.stop().code, Some(1), "a dead letter was left");
    assert!(checkpoint().contains("offset"));
    let letters = std::fs::read_dir(&state).unwrap().map(|entry| entry.unwrap().path());
    let letters: Vec<_> = letters.filter(|path| path.to_string_lossy().ends_with(".dead.ndjson")).collect();
    let whole = std::fs::read_to_string(&letters[0])
        .unwrap()
        .lines()
        .filter(|line| serde_json::from_str::<Value>(line).is_ok())
        .count();
    assert!(whole >= 1, "the letter is there as a whole");
    site.assert_indexed(&splunk, 1..=210);
}
