//! XMPP: any text becomes a document whose spans nest, and stanzas.
#![no_main]

use finesse_tap::xmpp::element::Node;
use finesse_tap::xmpp::parse::{escape, parse, unescape};
use finesse_tap::xmpp::{Element, Stanza, sasl};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let document = parse(text);
    let mut end = 0;
    for root in document.roots() {
        let span = root.span();
        assert!(span.start >= end && span.end <= text.len() && text.get(span.clone()).is_some());
        end = span.end;
        check(root);
        let stanza = Stanza::read(root);
        let _ = (stanza.is_ping(), stanza.kind.as_str());
        let _ = sasl::plain(&root.text()).is_some();
    }
    let mut escaped = String::new();
    escape(text, &mut escaped);
    assert_eq!(unescape(&escaped), text);
});

fn check(element: Element<'_, '_>) {
    let outer = element.span();
    let inner = element.inner_span();
    assert!(outer.start <= inner.start && inner.start <= inner.end && inner.end <= outer.end);
    let _ = (element.namespace(), element.text(), element.attributes().count());
    for node in element.nodes() {
        if let Node::Element(child) = node {
            let span = child.span();
            assert!(inner.start <= span.start && span.end <= inner.end);
            check(child);
        }
    }
}
