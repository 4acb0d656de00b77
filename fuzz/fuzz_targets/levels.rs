//! The stricter levels: persons, telephones and customers' data stay out of every line, whatever stands around them, and
//! what was restricted can be read and restricted once more.
#![no_main]

mod stage;

use finesse_tap::capture::Guards;
use finesse_tap::capture::redact::Picked;
use finesse_tap::capture::policy::Level;
use finesse_tap::conn::Direction::{C2s, S2c};
use libfuzzer_sys::fuzz_target;

const PLANTED: [&str; 4] = ["canaryperson", "7391046285", "Canary-Customer-47", "canary-host.corp-zq.test"];

// The input stands beside them: in a REST body, in its answer, and in a stanza.
fuzz_target!(|text: &str| {
    let text = text.replace(|c: char| !c.is_ascii(), "").replace('\0', "");
    let lower = text.to_lowercase();
    if PLANTED.iter().any(|planted| lower.contains(&planted.to_lowercase())) {
        return;
    }
    let [person, phone, customer, host] = PLANTED;
    let body = format!(
        "<User><loginId>{person}</loginId><extension>{phone}</extension><callVariable>{customer}</callVariable>{text}</User>"
    );
    let request = format!(
        "PUT /finesse/api/User/{person} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/xml\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let json = format!("{{\"loginId\":\"{person}\",\"extension\":\"{phone}\",\"note\":{text}}}");
    let response =
        format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{json}", json.len());
    let stanza = format!(
        "<message xmlns='jabber:client' to='{person}@{host}/desktop'><subject>{customer}</subject>{text}<body>{customer} {phone}</body></message>"
    );
    let said = [
        (C2s, request.into_bytes()),
        (S2c, response.into_bytes()),
        (C2s, stage::UPGRADE.to_vec()),
        (S2c, stage::SWITCHED.to_vec()),
        (S2c, stage::frame(&stanza)),
    ];
    for level in [Level::Share, Level::Minimal] {
        let mut again = stage::redactor(level);
        for line in stage::lines(level, &said, usize::MAX) {
            let found = PLANTED.iter().find(|planted| line.to_lowercase().contains(&planted.to_lowercase()));
            assert!(found.is_none(), "{level}: {} is left in {line}", found.unwrap_or(&""));
            let kept = again.line(line.trim_end().as_bytes(), &Picked::default(), &mut Guards::default()).expect("ours").expect("picked");
            assert!(kept.line.ends_with(b"\n"));
        }
    }
});
