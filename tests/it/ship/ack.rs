//! Indexer acknowledgements that come late, not at all, or after Splunk was restarted.

use super::site::Site;
use crate::support::hec::{Acks, Hec};
use crate::support::receiver::{Mishap, Receiver, Step, Wire};
use finesse_tap::filter::Filter;
use finesse_tap::ship::{self, Ack, End, Kind, Orders, Pace, Plan, Status, Summary, Url};
use finesse_tap::tls::upstream::Trust;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The shipper itself, with a shorter patience than the program's.
async fn ship(site: &Path, url: &str) -> anyhow::Result<Summary> {
    ship_with(site, url, Duration::from_secs(60)).await
}

pub async fn ship_with(site: &Path, url: &str, ack: Duration) -> anyhow::Result<Summary> {
    let token = ship::secret::Source::File(site.join("token"));
    let kind = Kind::Splunk { token, index: None, ack: Ack::Required };
    let receiver = ship::Receiver { url: Url::parse(url).unwrap(), trust: Trust::System, kind };
    let pace = Pace {
        batch_events: 100,
        ack,
        ack_poll: Duration::from_millis(10),
        backoff_base: Duration::from_millis(10),
        ..Pace::default()
    };
    let captures = site.join("captures");
    let plan = Plan {
        state: captures.clone(),
        captures,
        filter: Filter::default(),
        receiver,
        end: End::Delivered,
        give_up: None,
        pace,
    };
    let status = Arc::new(Status::new(plan.receiver.name()));
    let summary = ship::run(&plan, &status, &Orders::default()).await?;
    assert_eq!(status.snapshot().lag_bytes, 0);
    Ok(summary)
}

fn start(acks: Acks) -> (Site, Receiver<Hec>) {
    (Site::new(), Receiver::start(Hec { acks: Some(acks), ..Hec::default() }, Wire::Plain))
}

fn questions(splunk: &Receiver<Hec>) -> usize {
    splunk.contract.lock().unwrap().acks.as_ref().unwrap().questions
}

fn assert_each_once(splunk: &Receiver<Hec>) {
    assert!(splunk.contract.lock().unwrap().events.values().all(|(_, times)| *times == 1), "some were sent again");
}

#[tokio::test]
async fn what_is_never_acknowledged_is_sent_again() {
    let (site, splunk) = start(Acks { after_polls: 2, lost_batches: 2, ..Acks::default() });
    site.write(1, 1..=800);
    let summary = ship_with(site.dir(), &splunk.url(), Duration::from_secs(1)).await.unwrap();
    assert_eq!(summary.counts.delivered, 800);
    assert!(summary.counts.errors >= 2, "{:?}", summary.counts);
    site.assert_indexed(&splunk, 1..=800);
}

#[tokio::test]
async fn others_are_sent_while_acknowledgements_are_waited_for() {
    // More than are sent at once, fewer than are kept: indexed when all of them are there.
    let batches = 5 * Pace::default().parallel;
    assert!(batches < Pace::default().unconfirmed);
    let (site, splunk) = start(Acks { until_waiting: batches, ..Acks::default() });
    site.write(1, 1..=100 * batches as u64);
    let summary = ship(site.dir(), &splunk.url()).await.unwrap();
    assert_eq!((summary.counts.batches, summary.counts.errors), (batches as u64, 0));
    site.assert_indexed(&splunk, 1..=100 * batches as u64);
    assert_each_once(&splunk);
}

#[tokio::test]
async fn one_question_asks_for_all_that_wait() {
    let (site, splunk) = start(Acks { after_polls: 3, until_waiting: 20, ..Acks::default() });
    site.write(1, 1..=2_000);
    ship(site.dir(), &splunk.url()).await.unwrap();
    site.assert_indexed(&splunk, 1..=2_000);
    // Each of twenty batches asked for three times over, each by itself, would be sixty.
    assert!(questions(&splunk) < 60, "{}", questions(&splunk));
}

#[tokio::test]
async fn a_restart_of_splunk_loses_nothing_although_its_numbers_begin_anew() {
    for question in [1, 2, 3] {
        let (site, splunk) =
            start(Acks { after_polls: 2, until_waiting: 4, restart_at_question: question, ..Acks::default() });
        site.write(1, 1..=3_000);
        let summary = ship(site.dir(), &splunk.url()).await.unwrap();
        assert_eq!(summary.counts.delivered, 3_000);
        site.assert_indexed(&splunk, 1..=3_000);
    }
}

#[tokio::test]
async fn a_lost_answer_does_not_have_all_sent_again_at_once() {
    let (site, splunk) = start(Acks { after_polls: 1, until_waiting: 20, mute_at_waiting: 20, ..Acks::default() });
    let sent_at_once = Arc::new(Mutex::new((0, 0)));
    let seen = Arc::clone(&sent_at_once);
    splunk.on_step(move |step| {
        let (now, most) = &mut *seen.lock().unwrap();
        match step {
            Step::Begun => *now += 1,
            Step::Answered => *now -= 1,
            Step::Read | Step::Taken => {}
        }
        *most = (*most).max(*now);
    });
    // So slow that what is sent at once is seen at once.
    splunk.suffer(vec![Mishap::Slow(Duration::from_millis(30)); 60]);
    site.write(1, 1..=2_000);
    let summary = ship(site.dir(), &splunk.url()).await.unwrap();
    assert!(summary.counts.errors >= 20, "all that waited are sent again: {:?}", summary.counts);
    site.assert_indexed(&splunk, 1..=2_000);
    assert_eq!(sent_at_once.lock().unwrap().1, Pace::default().parallel);
}

#[tokio::test]
async fn questions_that_are_not_answered_are_asked_again() {
    let faults = [(503, 9), (500, 8), (429, 26)].into();
    let (site, splunk) = start(Acks { faults, ..Acks::default() });
    site.write(1, 1..=300);
    let summary = ship(site.dir(), &splunk.url()).await.unwrap();
    assert_eq!(summary.counts.errors, 0, "the events were taken: {:?}", summary.counts);
    site.assert_indexed(&splunk, 1..=300);
    assert_each_once(&splunk);
}

#[tokio::test]
async fn a_channel_that_is_not_known_or_acknowledgement_that_is_off_ends_it() {
    for (code, hint) in [(10, "channel's header"), (11, "channel's header"), (14, "indexer acknowledgement")] {
        let (site, splunk) = start(Acks { faults: [(400, code)].into(), ..Acks::default() });
        site.write(1, 1..=10);
        let error = ship(site.dir(), &splunk.url()).await.unwrap_err().to_string();
        assert!(error.contains(&format!("code {code}")) && error.contains(hint), "{error}");
        assert!(site.kept(".dead.ndjson").is_empty(), "no event is to blame");
        let summary = ship(site.dir(), &splunk.url()).await.unwrap();
        assert_eq!(summary.counts.delivered, 10, "nothing counts as delivered before it is acknowledged");
    }
}
