//! Captures on their way to a receiver: the built program against stand-ins for Splunk and Elasticsearch on loopback.
//!
//! What could be had of real receivers on Debian, crates.io, PyPI and npm: for HEC none; for `_bulk` none of Elastic's or
//! OpenSearch's own, but osmem, a server of others with OpenSearch's behaviour (`opensearch.rs`), and rsyslog's client
//! (`../rsyslog.rs`). The stand-ins enforce what is documented (`support/hec.rs`, `support/bulk.rs`).

mod ack;
mod between;
mod collector;
mod fault;
// These end programs by signals.
#[cfg(unix)]
mod kill;
#[cfg(unix)]
mod live;
mod opensearch;
mod otlp;
pub mod site;
#[cfg(unix)]
mod stop;

use crate::support::bulk::{API_KEY, Bulk};
use crate::support::hec::{Acks, Hec, TOKEN};
use crate::support::receiver::{Receiver, Wire};
use crate::support::write_private;
use site::Site;

#[test]
fn splunk_gets_every_event_as_it_was_and_none_twice() {
    let (site, splunk) = (Site::new(), Receiver::start(Hec::default(), Wire::Plain));
    site.write(1, 1..=700);
    site.write(2, 701..=900);
    site.compress(1);
    let ended = site.ship_to_splunk(&splunk, &[]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stderr.contains("delivered 900 events to splunk http://127.0.0.1:"), "{}", ended.stderr);
    site.assert_indexed(&splunk, 1..=900);
    assert!(splunk.contract.lock().unwrap().events.values().all(|(_, times)| *times == 1));
    let last = splunk.contract.lock().unwrap().last.take().unwrap();
    let last: serde_json::Value = serde_json::from_str(&last).unwrap();
    assert_eq!((last["host"].as_str(), last["time"].as_str()), (Some("lab.example"), Some("1768468360.000900")));

    let ended = site.ship_to_splunk(&splunk, &[]);
    assert!(ended.stderr.contains("delivered 0 events"), "{}", ended.stderr);
    site.write(2, 901..=901);
    let ended = site.ship_to_splunk(&splunk, &["--splunk-index", "main"]);
    assert!(ended.stderr.contains("delivered 901 events"), "another index is another receiver: {}", ended.stderr);
}

#[test]
fn tls_is_believed_by_pin_or_ca_and_by_nothing_else() {
    let (site, splunk) = (Site::new(), Receiver::start(Hec::default(), Wire::Tls));
    let (pem, pin) = splunk.certificate.clone().unwrap();
    std::fs::write(site.path("ca.pem"), pem).unwrap();
    site.write(1, 1..=10);
    let ended = site.ship_to_splunk(&splunk, &["--give-up", "1ms"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains(&format!("--splunk-pin {pin}")), "{}", ended.stderr);
    assert_eq!(splunk.deliveries(), 0, "nothing is sent to a stranger");
    let other = format!("sha256:{}", "00".repeat(32));
    let ended = site.ship_to_splunk(&splunk, &["--give-up", "1ms", "--splunk-pin", &other]);
    assert_eq!((ended.code, splunk.deliveries()), (Some(1), 0), "{}", ended.stderr);

    let ended = site.ship_to_splunk(&splunk, &["--splunk-pin", &pin]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    site.write(1, 11..=20);
    let ended = site.ship_to_splunk(&splunk, &["--splunk-ca", "ca.pem"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    site.assert_indexed(&splunk, 1..=20);
}

#[test]
fn elasticsearch_has_each_event_once_even_when_all_are_sent_again() {
    let (site, elastic) = (Site::new(), Receiver::start(Bulk::ready(), Wire::Plain));
    site.write(1, 1..=1_500);
    let ended = site.ship_to_elastic(&elastic, &[]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    site.forget();
    let ended = site.ship_to_elastic(&elastic, &[]);
    assert!(ended.stderr.contains("1500 events") && ended.stderr.contains("1500 of them were there already"));
    site.assert_stored(&elastic, 1..=1_500);
    assert_eq!(elastic.contract.lock().unwrap().conflicts, 1_500);
}

#[test]
fn setup_puts_everything_once_or_twice_alike() {
    let (site, elastic) = (Site::new(), Receiver::start(Bulk::default(), Wire::Plain));
    site.write(1, 1..=5);
    let ended = site.ship_to_elastic(&elastic, &[]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("hint: make its index template first: --elastic-setup"), "{}", ended.stderr);
    let kibana = elastic.url();
    for _ in 0..2 {
        let ended = site.ship_to_elastic(&elastic, &["--elastic-setup", "--kibana", &kibana]);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    }
    let contract = elastic.contract.lock().unwrap();
    let put: Vec<&str> = contract.put.keys().map(String::as_str).collect();
    let component = "/_component_template/finesse-event-mappings";
    assert_eq!(put, [component, "/_index_template/finesse-event", "/_ingest/pipeline/finesse-event"]);
    assert_eq!(contract.imports.len(), 2);
    assert_eq!(contract.imports[0], contract.imports[1], "the same object again");
    assert_eq!(contract.documents.len(), 5);
}

#[test]
fn a_user_with_a_password_serves_as_well_as_a_key() {
    let mut contract = Bulk::ready();
    let basic = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, "agent:pass-canary");
    contract.authorization = Some(format!("Basic {basic}"));
    let (site, elastic) = (Site::new(), Receiver::start(contract, Wire::Plain));
    site.write(1, 1..=3);
    write_private(&site.path("password"), "pass-canary\n");
    let url = elastic.url();
    let args = ["ship", "--elastic", &url, "--elastic-user", "agent", "--elastic-password-file", "password"];
    let ended = crate::support::program::run(site.dir(), &args);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(!ended.stderr.contains("canary"));
    site.assert_stored(&elastic, 1..=3);
}

#[test]
fn an_acknowledged_event_is_an_indexed_one() {
    let acks = Acks { after_polls: 2, ..Acks::default() };
    let contract = Hec { acks: Some(acks), ..Hec::default() };
    let (site, splunk) = (Site::new(), Receiver::start(contract, Wire::Plain));
    site.write(1, 1..=300);
    let ended = site.ship_to_splunk(&splunk, &["--splunk-ack"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    site.assert_indexed(&splunk, 1..=300);
    assert!(splunk.contract.lock().unwrap().events.values().all(|(_, times)| *times == 1));
}

#[test]
fn an_acknowledgement_that_was_insisted_on_and_is_not_there_is_an_error() {
    let (site, splunk) = (Site::new(), Receiver::start(Hec::default(), Wire::Plain));
    site.write(1, 1..=3);
    let ended = site.ship_to_splunk(&splunk, &["--splunk-ack"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("indexer acknowledgement is off"), "{}", ended.stderr);
}

#[test]
fn secrets_are_nowhere_but_in_the_request() {
    let (site, splunk) = (Site::new(), Receiver::start(Hec::default(), Wire::Plain));
    let elastic = Receiver::start(Bulk::ready(), Wire::Plain);
    site.write(1, 1..=3);
    for ended in [site.ship_to_splunk(&splunk, &[]), site.ship_to_elastic(&elastic, &[])] {
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    }
    for entry in std::fs::read_dir(site.path("captures")).unwrap() {
        let text = std::fs::read(entry.unwrap().path()).unwrap();
        let text = String::from_utf8_lossy(&text);
        assert!(!text.contains(TOKEN) && !text.contains(API_KEY));
    }
}

#[test]
fn what_is_no_directory_of_captures_is_said() {
    let (site, splunk) = (Site::new(), Receiver::start(Hec::default(), Wire::Plain));
    let ended = site.ship_to_splunk(&splunk, &[]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains("error: no capture files are in captures\nhint: "), "{}", ended.stderr);
    let url = splunk.url();
    let ship = |what: &str| {
        crate::support::program::run(site.dir(), &["ship", what, "--splunk", &url, "--splunk-token-file", "token"])
    };
    let ended = ship("token");
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("error: token is a file, not a directory\nhint: "), "{}", ended.stderr);
    site.write(1, 1..=5);
    let https = url.replace("http:", "https:");
    let ended = crate::support::program::run(
        site.dir(),
        &["ship", "captures", "--splunk", &https, "--splunk-token-file", "token", "--give-up", "1ms"],
    );
    assert!(ended.stderr.contains("hint: is TLS off there?"), "{}", ended.stderr);
}

#[test]
fn a_shared_bundle_is_delivered_from_where_it_was_unpacked_to() {
    let (site, elastic) = (Site::new(), Receiver::start(Bulk::ready(), Wire::Plain));
    let capture = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/playbook/login.ndjson");
    let shared = crate::support::program::run(site.dir(), &["share", capture, "-o", "bundle.zip"]);
    assert_eq!(shared.code, Some(0), "{}", shared.stderr);
    let bundle = std::fs::File::open(site.path("bundle.zip")).unwrap();
    zip::ZipArchive::new(bundle).unwrap().extract(site.path("bundle")).unwrap();
    std::fs::write(site.path("bundle").join("notes.ndjson"), "none of ours\n").unwrap();
    let url = elastic.url();
    let ship = |dir| ["ship", dir, "--elastic", &url, "--elastic-api-key-file", "key"].map(str::to_owned);
    let ended = site.run(&ship("bundle"));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let lines = std::fs::read_to_string(site.path("bundle/captures/0001.ndjson")).unwrap();
    let mut lines: Vec<&str> = lines.lines().collect();
    lines.sort_unstable();
    let mut stored: Vec<String> = elastic.contract.lock().unwrap().documents.values().cloned().collect();
    stored.sort_unstable();
    assert_eq!(stored, lines);
    let ended = site.run(&ship("bundle/captures"));
    assert!(ended.stderr.contains("delivered 0 events"), "it is the same directory: {}", ended.stderr);
}
