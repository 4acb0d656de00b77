//! Streams fed whole and in pieces; what is inside an element never matters to where it ends.

use super::*;
use proptest::prelude::*;

/// Items in words, and the error.
fn read_in(pieces: &[&[u8]], limits: Limits) -> Vec<String> {
    let mut decoder = Decoder::new(limits);
    let mut out = Vec::new();
    for piece in pieces {
        decoder.feed(piece);
        while let Some(item) = decoder.next() {
            out.push(match item {
                Ok(Item::Open(text)) => format!("open {text}"),
                Ok(Item::Element(text)) => text,
                Ok(Item::Close) => String::from("close"),
                Ok(Item::Space) => String::from("space"),
                Ok(Item::Unread { why, bytes }) => format!("unread {bytes}: {why}"),
                Err(error) => format!("error {error}"),
            });
        }
    }
    out
}

fn read(text: &str) -> Vec<String> {
    let limits = Limits { element_bytes: 200 };
    let whole = read_in(&[text.as_bytes()], limits);
    let bytes: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
    assert_eq!(read_in(&bytes, limits), whole, "byte by byte: {text}");
    whole
}

#[test]
fn a_stream_is_header_elements_end() {
    let text = "<?xml version='1.0'?>\n<stream:stream to='h' xmlns:stream='s'><a/><b x='>'>t<c/><![CDATA[</b>]]></b></stream:stream>";
    assert_eq!(
        read(text),
        ["open <stream:stream to='h' xmlns:stream='s'/>", "<a/>", "<b x='>'>t<c/><![CDATA[</b>]]></b>", "close"]
    );
}

#[test]
fn it_begins_anew_inside_itself() {
    let text = "<stream:stream id='1'><success/><?xml version='1.0'?><stream:stream id='2'><iq><bind/></iq> \n<iq/>";
    assert_eq!(
        read(text),
        [
            "open <stream:stream id='1'/>",
            "<success/>",
            "open <stream:stream id='2'/>",
            "<iq><bind/></iq>",
            "space",
            "space",
            "<iq/>"
        ]
    );
}

#[test]
fn comments_quotes_and_instructions_hide_nothing() {
    for (inside, end) in [
        ("<!-- </m> --->", "</m>"),
        ("<?pi </m> ??>", "</m>"),
        ("<a b='</m>' c=\"'/>\"/>", "</m>"),
        ("<![CDATA[ ]] ]]]>", "</m >"),
    ] {
        let element = format!("<m>{inside}{end}");
        assert_eq!(read(&format!("<stream>{element}<n/>"))[1..], [element, "<n/>".into()], "{inside}");
    }
}

#[test]
fn what_is_too_long_is_measured_and_the_next_is_read() {
    let long = format!("<m><b>{}</b></m>", "x".repeat(300));
    assert_eq!(
        read(&format!("<stream:stream>{long}<n/>"))[1..],
        [format!("unread {}: an element is larger than the limit", long.len()), "<n/>".into()]
    );
}

#[test]
fn what_is_no_stream_ends_the_reading() {
    for text in [
        "GET / HTTP/1.1\r\n",
        "\u{16}\u{3}",
        "<html></html>",
        "</stream:stream>",
        "<stream:stream>text",
        "<!DOCTYPE x>",
    ] {
        let items = read(text);
        assert!(items.last().is_some_and(|last| last.starts_with("error")), "{text}: {items:?}");
    }
    let mut decoder = Decoder::new(Limits::default());
    decoder.feed(b"x");
    assert!(decoder.next().is_some_and(|item| item.is_err()));
    decoder.feed(b"<stream:stream>");
    assert!(decoder.next().is_none());
}

#[test]
fn what_is_not_utf_8_is_passed_over() {
    let items = read_in(&[b"<stream><a>\xff</a><b/>"], Limits::default());
    assert_eq!(items[1..], ["unread 8: an element is not UTF-8", "<b/>"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn where_it_is_cut_does_not_matter(
        parts in proptest::collection::vec(
            prop_oneof![
                Just("<stream:stream a='b'>"), Just("</stream:stream>"), Just("<a>"), Just("</a>"), Just("<b c='>'/>"), Just(" "),
                Just("text"), Just("<!--"), Just("-->"), Just("<![CDATA["), Just("]]>"), Just("<?"), Just("?>"), Just("\u{e9}"),
                Just("\""), Just("<")
            ],
            0..24,
        ),
        cuts in proptest::collection::vec(0_usize..200, 0..6),
    ) {
        let text = format!("<stream:stream>{}", parts.concat());
        let limits = Limits { element_bytes: 40 };
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).chain([0, text.len()]).collect();
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|pair| &text.as_bytes()[pair[0]..pair[1]]).collect();
        prop_assert_eq!(read_in(&pieces, limits), read_in(&[text.as_bytes()], limits));
    }
}
