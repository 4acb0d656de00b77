//! Finesse notifications: any text, as XML and as JSON; node names and REST calls.
#![no_main]

use finesse_tap::finesse::{Api, Node, Notification, Update};
use finesse_tap::xmpp::parse::parse;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = Notification::of(text);
    let document = parse(text);
    if let Some(update) = Update::read_xml(&document) {
        let _ = update.object.as_str();
    }
    let _ = Update::read_json(text);
    let _ = Node::read(text).map(|node| node.class());
    let _ = Api::read("PUT", text, Some(text));
});
