//! Parsing against quick-xml's own reading of well-formed text, against damaged text, and against hostile text.

use super::*;
use crate::xmpp::Element;
use crate::xmpp::element::Node;
use proptest::prelude::*;
use quick_xml::NsReader;
use quick_xml::name::ResolveResult;

const MESSAGE: &str = r#"<message xmlns="jabber:client" from='pubsub.uccx.example.test' to="1001@uccx.example.test" id="a&amp;b">
 <event xmlns="http://jabber.org/protocol/pubsub#event"><items node="/finesse/api/User/1001"><item id="6c1-7">
  <notification xmlns="http://jabber.org/protocol/pubsub">&lt;Update&gt;&lt;data/&gt;&lt;/Update&gt;</notification>
 </item></items></event></message>"#;

#[test]
fn a_message_is_read() {
    let document = parse(MESSAGE);
    assert_eq!(document.malformed(), None);
    let message = document.roots().next().unwrap();
    assert_eq!((message.name(), message.namespace().as_ref()), ("message", "jabber:client"));
    assert_eq!(message.attribute("from").as_deref(), Some("pubsub.uccx.example.test"));
    assert_eq!(message.attribute("id").as_deref(), Some("a&b"));
    assert_eq!(message.attribute("type"), None);
    assert_eq!(message.span(), 0..MESSAGE.len());
    let item = message.child("event").and_then(|e| e.child("items")).and_then(|e| e.child("item")).unwrap();
    assert_eq!(item.namespace(), "http://jabber.org/protocol/pubsub#event");
    let notification = item.child("notification").unwrap();
    assert_eq!(notification.namespace(), "http://jabber.org/protocol/pubsub");
    assert_eq!(notification.text(), "<Update><data/></Update>");
    assert!(MESSAGE[notification.inner_span()].starts_with("&lt;Update"));
    assert_eq!(notification.parent().unwrap().span(), item.span());
}

#[test]
fn lenient_where_it_is_safe() {
    let names = |text| parse(text).roots().map(|root| root.name()).collect::<Vec<_>>();
    let cases: [(&str, &[&str]); 14] = [
        ("", &[]),
        (" ", &[]),
        ("just text & more", &[]),
        ("<a/>", &["a"]),
        ("\u{feff}<?xml version='1.0'?>\n <a/>", &["a"]),
        ("<a/>text<b></b >", &["a", "b"]),
        ("<!-- <x> --><a><?pi <y> ?></a>", &["a"]),
        ("<a\n b = 'c'\t/>", &["a"]),
        ("<a b='>' c=\"/>\"/><d/>", &["a", "d"]),
        ("<stream:features/>", &["features"]),
        ("<a>&unknown; &lt <![CDATA[<b>]]></a>", &["a"]),
        ("<ä b-c.d='1'/>", &["ä"]),
        ("<a b='1'c='2'/>", &["a"]),
        ("<a b='' c='' d='' e='' f='' g='' h='' i='' j=''/>", &["a"]),
    ];
    for (text, expected) in cases {
        assert_eq!(parse(text).malformed(), None, "{text}");
        assert_eq!(names(text), expected, "{text}");
    }
}

#[test]
fn strict_where_it_matters() {
    let cases = [
        ("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", 0),
        ("<!doctype a><a/>", 0),
        ("<a/><!DOCTYPE a", 4),
        ("<a><b></a></b>", 6),
        ("<a></b>", 3),
        ("</a>", 0),
        ("<a/></a>", 4),
        ("<a>", 3),
        ("<a>text", 7),
        ("<a b='<'/>", 0),
        ("<a b='1' b='2'/>", 0),
        ("<a b='' c='' d='' e='' f='' g='' h='' i='' b=''/>", 0),
        ("<a b=1/>", 0),
        ("<a b/>", 0),
        ("<a b='1", 0),
        ("<a 'b'='1'/>", 0),
        ("<a / >", 0),
        ("<a><b\n<c/></a>", 3),
        ("<a>x</a\n<b/>", 4),
        ("< a/>", 0),
        ("<1/>", 0),
        ("<a&b;/>", 0),
        ("<>", 0),
        ("<", 0),
        ("<a><!-- -", 3),
        ("<a><![CDATA[ ]]", 3),
        ("<a><? ?", 3),
        ("<a><!", 3),
        ("<a><!-", 3),
    ];
    for (text, offset) in cases {
        let document = parse(text);
        assert_eq!(document.malformed().map(|malformed| malformed.offset), Some(offset), "{text}");
        check(text);
    }
}

#[test]
fn what_was_read_before_the_break_stays() {
    let text = "<a><b>one</b><c>two</c\n<d/></a>";
    let document = parse(text);
    let root = document.roots().next().unwrap();
    let children: Vec<_> = root.children().map(|child| (child.name(), child.text(), child.is_closed())).collect();
    assert_eq!(children, [("b", "one".into(), true), ("c", "two".into(), false)]);
    assert_eq!((root.is_closed(), root.span()), (false, 0..19));
}

#[test]
fn namespaces_follow_scope() {
    let text = "<a xmlns='u:1' xmlns:p='u:&amp;2'><p:b/><c xmlns=''><d p:e='f'/></c><q:g/><xml:h/><p:i xmlns:p='u:3'/></a>\
                <stream:error><text/></stream:error><stream:x xmlns:stream='u:4'/>";
    let document = parse(text);
    let mut found = Vec::new();
    fn walk(element: Element<'_, '_>, found: &mut Vec<(String, String)>) {
        found.push((element.qname().to_owned(), element.namespace().into_owned()));
        element.children().for_each(|child| walk(child, found));
    }
    document.roots().for_each(|root| walk(root, &mut found));
    let streams = "http://etherx.jabber.org/streams";
    let expected = [
        ("a", "u:1"),
        ("p:b", "u:&2"),
        ("c", ""),
        ("d", ""),
        ("q:g", ""),
        ("xml:h", "http://www.w3.org/XML/1998/namespace"),
        ("p:i", "u:3"),
        ("stream:error", streams),
        ("text", ""),
        ("stream:x", "u:4"),
    ];
    assert_eq!(found, expected.map(|(name, namespace)| (name.to_owned(), namespace.to_owned())));
}

#[test]
fn text_is_joined_and_borrowed_when_it_can_be() {
    let text_of = |text| parse(text).roots().next().unwrap().text();
    assert!(matches!(text_of("<a>plain</a>"), Cow::Borrowed("plain")));
    assert!(matches!(text_of("<a><![CDATA[a &lt; b]]></a>"), Cow::Borrowed("a &lt; b")));
    assert!(matches!(text_of("<a/>"), Cow::Borrowed("")));
    assert_eq!(text_of("<a>x &amp;<b>not this</b> y<!-- --><![CDATA[&amp;]]></a>"), "x & y&amp;");
    assert_eq!(text_of("<a>&amp;lt;</a>"), "&lt;");
}

#[test]
fn references_are_resolved_once() {
    let cases = [
        ("&lt;&gt;&amp;&apos;&quot;", "<>&'\""),
        ("&amp;lt;", "&lt;"),
        ("&#65;&#x42;&#x000000063;&#x1F600;", "ABc\u{1f600}"),
        ("&#10;&#9;", "\n\t"),
        ("&#0;&#x1;&#xD800;&#xFFFF;&#x110000;&#99999999999;", "&#0;&#x1;&#xD800;&#xFFFF;&#x110000;&#99999999999;"),
        ("&;&#;&#x;&#-1;&#x+1;&# 1;&nbsp;&LT;&lt &", "&;&#;&#x;&#-1;&#x+1;&# 1;&nbsp;&LT;&lt &"),
        ("ä&lt;ö&#228;", "ä<öä"),
        ("&&lt;&", "&<&"),
    ];
    for (raw, expected) in cases {
        assert_eq!(unescape(raw), expected);
    }
    assert!(matches!(unescape("a &b; c"), Cow::Borrowed(_)));
    let mut escaped = String::new();
    escape("<a b='\"&amp;'>", &mut escaped);
    assert_eq!(escaped, "&lt;a b=&apos;&quot;&amp;amp;&apos;&gt;");
}

#[test]
fn hostile_text_meets_a_limit() {
    let why = |text: &str| {
        check(text);
        parse(text).malformed().map(|malformed| malformed.why)
    };
    assert_eq!(why(&"<a>".repeat(10_000)), Some("nested too deeply"));
    assert_eq!(why(&format!("{}{}", "<a>".repeat(MAX_DEPTH), "</a>".repeat(MAX_DEPTH))), None);
    assert_eq!(why(&format!("<r>{}</r>", "<a/>".repeat(MAX_ELEMENTS - 1))), None);
    assert_eq!(why(&format!("<r>{}</r>", "<a/>".repeat(MAX_ELEMENTS))), Some("too many elements"));
    assert_eq!(why(&format!("<r>{}</r>", "a<!---->".repeat(MAX_NODES))), Some("too many nodes"));
    let attributes = |count| (0..count).map(|index| format!(" a{index}=''")).collect::<String>();
    assert_eq!(why(&format!("<a{}/>", attributes(MAX_ATTRIBUTES))), None);
    assert_eq!(why(&format!("<a{}/>", attributes(MAX_ATTRIBUTES + 1))), Some("too many attributes"));
    assert_eq!(why(&format!("<a{}/>", attributes(100_000))), Some("too many attributes"));
    for flood in ["<", "<a b='", "&", "&#", "&#x", "&#1", "]]>", "<!", "<!--", "<![CDATA[", "<?", "</", "<a/", "\0"] {
        let flood = flood.repeat(100_000);
        check(&flood);
        check(&format!("<a>{flood}</a>"));
        assert_eq!(unescape(&flood), flood);
    }
    let bomb = "<!DOCTYPE a [<!ENTITY b '&c;&c;'><!ENTITY c '&d;&d;'><!ENTITY d 'ha'>]><a>&b;</a>";
    assert_eq!(why(bomb), Some("document type declarations are refused"));
}

#[test]
fn debug_output_holds_no_content() {
    let document = parse("<secret a='secret'>secret</secret>");
    let root = document.roots().next().unwrap();
    let shown = format!("{document:?} {root:?} {:?}", root.nodes().collect::<Vec<_>>());
    assert!(!shown.contains("secret"), "{shown}");
}

#[test]
fn a_damaged_message_is_read_as_far_as_it_goes() {
    for at in (0..MESSAGE.len()).filter(|at| MESSAGE.is_char_boundary(*at)) {
        check(&MESSAGE[..at]);
        for other in ["<", ">", "&", "'", "\"", "/", "=", "!", "?", " ", "\0", "é"] {
            check(&format!("{}{other}{}", &MESSAGE[..at], &MESSAGE[at + 1..]));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_text_is_read(text in "\\PC*") {
        check(&text);
    }

    #[test]
    fn any_markup_like_text_is_read(text in "([<>/!?&;='\"a: \\[\\]-]|<a>|</a>|<b c='d'>|<!--|-->|<!\\[CDATA\\[|\\]\\]>|&lt;|<\\?){0,40}") {
        check(&text);
    }

    #[test]
    fn unescape_undoes_escape(text in any::<String>()) {
        let mut escaped = String::new();
        escape(&text, &mut escaped);
        prop_assert_eq!(unescape(&escaped), text.as_str());
        let theirs = quick_xml::escape::unescape(&escaped).unwrap();
        prop_assert_eq!(theirs, text);
    }

    #[test]
    fn well_formed_text_reads_as_quick_xml_says(text in element_text()) {
        let document = parse(&text);
        prop_assert_eq!(document.malformed(), None);
        let mut ours = Vec::new();
        document.roots().for_each(|root| outline(root, &mut ours));
        prop_assert_eq!(ours, quick_xml_outline(&text));
    }
}

/// What must hold for any text: spans nest in order and lie before the break, accessors answer.
fn check(text: &str) {
    let document = parse(text);
    let limit = document.malformed().map_or(text.len(), |malformed| malformed.offset);
    assert!(limit <= text.len());
    let mut at = 0;
    for root in document.roots() {
        assert!(at <= root.span().start && root.span().end <= limit);
        assert!(root.parent().is_none());
        at = root.span().end;
        check_element(root, text);
    }
}

fn check_element(element: Element<'_, '_>, text: &str) {
    let (span, inner) = (element.span(), element.inner_span());
    assert!(span.start < inner.start && inner.start <= inner.end && inner.end <= span.end);
    assert!(text[span.clone()].starts_with(&format!("<{}", element.qname())));
    assert!(text[..inner.start].ends_with('>'));
    assert!(element.attributes().count() <= MAX_ATTRIBUTES);
    let _ = (element.namespace(), element.text(), element.attribute("id"));
    let mut at = inner.start;
    for node in element.nodes() {
        let place = match node {
            Node::Element(child) => {
                assert_eq!(child.parent().unwrap().span(), span);
                check_element(child, text);
                child.span()
            }
            Node::Text(piece) | Node::CData(piece) => {
                let start = piece.as_ptr() as usize - text.as_ptr() as usize;
                start..start + piece.len()
            }
        };
        assert!(at <= place.start && place.end <= inner.end);
        at = place.end;
    }
}

/// Local name, namespace, attributes and own text of an element.
type Outline = (String, String, Vec<(String, String)>, String);

fn outline(element: Element<'_, '_>, found: &mut Vec<Outline>) {
    let attributes =
        element.attributes().map(|(name, raw)| (name.to_owned(), unescape(raw).into_owned())).collect::<Vec<_>>();
    for (name, value) in &attributes {
        assert_eq!(element.attribute(name).as_ref(), Some(&Cow::Borrowed(value.as_str())));
    }
    let text = element.text().into_owned();
    found.push((element.name().to_owned(), element.namespace().into_owned(), attributes, text));
    element.children().for_each(|child| outline(child, found));
}

fn quick_xml_outline(text: &str) -> Vec<Outline> {
    let mut reader = NsReader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    let mut found: Vec<Outline> = Vec::new();
    let mut open = Vec::new();
    loop {
        let (namespace, event) = reader.read_resolved_event().unwrap();
        let namespace = match namespace {
            ResolveResult::Bound(namespace) => quick_xml::escape::unescape(namespace.0).unwrap().into_owned(),
            _ => String::new(),
        };
        match event {
            Event::Start(tag) => {
                let attributes = tag.attributes().map(|attribute| {
                    let attribute = attribute.unwrap();
                    let value = quick_xml::escape::unescape(&attribute.value).unwrap().into_owned();
                    (attribute.key.into_inner().to_owned(), value)
                });
                let name = tag.local_name().into_inner().to_owned();
                open.push(found.len());
                found.push((name, namespace, attributes.collect(), String::new()));
            }
            Event::End(_) => {
                open.pop();
            }
            Event::Text(text) => {
                if let Some(index) = open.last() {
                    found[*index].3.push_str(&text);
                }
            }
            Event::GeneralRef(name) => {
                let resolved = quick_xml::escape::unescape(&format!("&{};", &*name)).unwrap().into_owned();
                found[*open.last().unwrap()].3.push_str(&resolved);
            }
            Event::CData(content) => found[*open.last().unwrap()].3.push_str(&content),
            Event::Eof => return found,
            _ => {}
        }
    }
}

/// Well-formed elements in all the ways XML allows to write them.
fn element_text() -> impl Strategy<Value = String> {
    let empty = start_tag().prop_map(|(name, attributes)| format!("<{name}{attributes}/>"));
    empty.prop_recursive(4, 24, 5, |element| {
        let content = prop_oneof![
            3 => element,
            3 => character_data(),
            1 => "[a<&>]{0,3}".prop_map(|text| format!("<![CDATA[{text}]]>")),
            1 => "[a<&> ]{0,3}".prop_map(|text| format!("<!--{text}-->")),
            1 => Just("<?pi <a> ?>".to_owned()),
        ];
        (start_tag(), proptest::collection::vec(content, 0..5))
            .prop_map(|((name, attributes), content)| format!("<{name}{attributes}>{}</{name} >", content.concat()))
    })
}

/// An element's name, and its attributes with the white space around them.
fn start_tag() -> impl Strategy<Value = (String, String)> {
    let attributes = proptest::collection::btree_map("(xmlns|xmlns:p|id|x|p:y)", attribute_value(), 0..4);
    (prop_oneof!["[a-c]{1,3}", "p:[a-c]"], attributes, "[ \n]{0,2}").prop_map(|(name, attributes, space)| {
        // A prefix may not be declared away (Namespaces in XML 1.0 section 5).
        let attributes = attributes.into_iter().filter(|(name, value)| name != "xmlns:p" || value.len() > 2);
        let attributes: String = attributes.map(|(name, value)| format!(" {name}{space}={value}")).collect();
        (name, attributes + &space)
    })
}

fn character_data() -> impl Strategy<Value = String> {
    let piece = prop_oneof!["[a-z é\n'\"]{1,4}", "&(lt|gt|amp|quot|apos);", "&#(6[5-9]|x4[1-9]);"];
    proptest::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

fn attribute_value() -> impl Strategy<Value = String> {
    let piece = prop_oneof!["[a-z:é>/]{1,4}", "&(lt|gt|amp|quot|apos);"];
    (proptest::collection::vec(piece, 0..4), prop_oneof![Just('"'), Just('\'')])
        .prop_map(|(pieces, quote)| format!("{quote}{}{quote}", pieces.concat()))
}
