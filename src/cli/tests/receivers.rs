//! Tests of what `ship` and the receivers of `run` read.

use super::*;
use crate::config::value;
use crate::ship::secret::Source;
use crate::ship::{Ack, End, Kind, Login, Plan};
use std::path::Path;

fn plans(line: &str, variables: &[&str]) -> Vec<Plan> {
    match line.starts_with("run") {
        true => run_of(line, variables).unwrap().ship,
        false => ship_of(line, variables).unwrap().plans,
    }
}

#[test]
fn a_receiver_is_read_with_its_defaults() {
    let plans = plans("ship caps/ --splunk https://s.example.test:8088 --splunk-token-file t", &[]);
    let [plan] = plans.as_slice() else { panic!("{plans:?}") };
    assert_eq!((&*plan.captures, &*plan.state, plan.end), (Path::new("caps/"), Path::new("caps/"), End::Delivered));
    assert_eq!(plan.receiver.trust, Trust::System);
    let kind = Kind::Splunk { token: Source::File("t".into()), index: None, ack: Ack::IfOffered };
    assert_eq!(plan.receiver.kind, kind);
}

#[test]
fn the_proxy_takes_the_same_receivers_both_at_once() {
    let line = "run --upstream h --capture c --splunk https://s:8088 --splunk-ack --elastic http://127.0.0.1:9200 --elastic-setup";
    let plans = plans(line, &["FINESSE_TAP_SPLUNK_TOKEN=canary", "FINESSE_TAP_ELASTIC_API_KEY=canary"]);
    let [splunk, elastic] = plans.as_slice() else { panic!("{plans:?}") };
    assert_eq!((splunk.end, &*splunk.captures), (End::Never, Path::new("c")));
    assert!(matches!(splunk.receiver.kind, Kind::Splunk { ack: Ack::Required, token: Source::Variable(_), .. }));
    assert!(matches!(&elastic.receiver.kind, Kind::Elastic { login: Login::ApiKey(_), setup: Some(_), .. }));
    assert!(!format!("{plans:?}").contains("canary"), "a secret in the configuration");
}

#[test]
fn receivers_may_stand_in_the_environment() {
    let variables = ["FINESSE_TAP_ELASTIC=https://es:9200", "FINESSE_TAP_ELASTIC_DATA_STREAM=logs-x-y"];
    assert!(
        matches!(&plans("ship", &variables)[0].receiver.kind, Kind::Elastic { stream, .. } if stream == "logs-x-y")
    );
}

#[test]
fn what_cannot_be_meant_is_refused_with_a_way_out() {
    let token = "--splunk-token-file t";
    for (line, wanted) in [
        ("ship caps", "no receiver is named"),
        ("ship --splunk https://s:8088", "FINESSE_TAP_SPLUNK_TOKEN"),
        (&format!("ship --splunk https://u:canary@s:8088 {token}"), "user name or password"),
        (&format!("ship --splunk http://s.example.test:8088 {token}"), "--allow-plain-http"),
        (&format!("ship --splunk s:8088 {token}"), "https://HOST:8088"),
        (&format!("ship --splunk https://s {token} --splunk-ca a --splunk-pin {PIN}"), "exclude each other"),
        (&format!("ship --splunk https://s {token} --splunk-pin sha256:00"), "not a pin"),
        ("ship --elastic https://e --elastic-data-stream Logs", "no name of a data stream"),
        ("ship --elastic https://e --elastic-user u", "FINESSE_TAP_ELASTIC_PASSWORD"),
        ("ship --elastic https://e --elastic-password-file p", "--elastic-user"),
        ("ship --elastic https://e --splunk-ack", "--splunk-ack: without --splunk"),
        ("ship --elastic https://e --kibana https://k", "add --elastic-setup"),
        (&format!("run --upstream h --no-capture --splunk https://s {token}"), "no capture files"),
        (&format!("run --upstream h --redact off --splunk https://s {token}"), "log with passwords"),
        ("run --upstream h --capture-limit 12", "not a size"),
    ] {
        let problem = refusal(line, &[]);
        assert!(problem.contains(wanted), "{line}: {problem}");
        assert!(!problem.contains("canary"), "{problem}");
    }
}

#[test]
fn sizes_are_read_in_both_systems() {
    for (text, bytes) in
        [("20GB", 20_000_000_000), ("512 MiB", 512 << 20), ("1000000", 1_000_000), ("1TB", 1_000_000_000_000)]
    {
        assert_eq!(value::size(text).unwrap(), bytes, "{text}");
    }
    for text in ["", "GB", "1", "-5GB", "1.5GB", "99999999999TB"] {
        assert!(value::size(text).is_err(), "{text}");
    }
}
