//! The import: any file, read as a HAR and played through decoder and door.
#![no_main]

mod stage;

use finesse_tap::capture::policy::Level;
use finesse_tap::import::Har;
use libfuzzer_sys::fuzz_target;
use std::io::Write as _;

const SECRET: &str = "Canary-Secret-9f3a";

// A HAR whose entries the input is behind one entry of ours.
fuzz_target!(|text: &str| {
    let plain = text.replace(SECRET, "");
    let har = format!(
        "{{\"log\":{{\"creator\":{{\"name\":\"x\"}},\"entries\":[{{\"startedDateTime\":\"2026-01-15T09:12:40Z\",\"time\":5,\
         \"request\":{{\"method\":\"PUT\",\"url\":\"https://h.test:8445/finesse/api/User/1001\",\"headers\":[{{\"name\":\"Authorization\",\
         \"value\":\"Basic MTAwMTpDYW5hcnktU2VjcmV0LTlmM2E=\"}},{{\"name\":\"Content-Type\",\"value\":\"application/xml\"}}],\"postData\":{{\"text\":\
         \"<a><password>{SECRET}</password></a>\"}}}},\"response\":{{\"status\":202}}}},{plain}]}}}}"
    );
    let mut file = tempfile::Builder::new().tempfile_in("/dev/shm").expect("file");
    file.write_all(har.as_bytes()).expect("written");
    let har = Har::open(file.path(), &mut |_, _| ()).expect("opened");
    let mut decoder = stage::decoder(Level::Auth);
    let mut events = 0;
    let mut feed = |message| {
        decoder.take(message, &mut |record| {
            events += 1;
            assert!(record.line().len() <= stage::LINE_BYTES);
            assert!(!String::from_utf8_lossy(record.line()).contains(SECRET), "leaked");
        });
    };
    har.play(1, &mut feed, &mut |_, _| ()).expect("played");
    assert!(events > 0);
});
