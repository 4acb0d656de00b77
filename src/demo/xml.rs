//! One XML element from text to a small owned tree, and text back into XML.
//!
//! Strict where the tap's reader is lenient: exactly one element, nothing around it, no DOCTYPE, comment or processing
//! instruction (RFC 6120 section 11.1). Namespaces are not resolved, prefixes are dropped. At most [`MAX_DEPTH`] deep;
//! the size is limited by whoever limits the text.

use quick_xml::Reader;
use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};

/// Deepest nesting read.
pub(super) const MAX_DEPTH: usize = 32;

/// The text is not exactly one well-formed element.
#[derive(Debug, thiserror::Error)]
#[error("not one well-formed XML element")]
pub(super) struct Unreadable;

/// An element with all that is in it. No `Debug`: it may hold a password.
pub(super) struct Element {
    /// Local name.
    pub(super) name: String,
    /// Child elements in order.
    pub(super) children: Vec<Element>,
    /// Own character data, entities resolved, white space around it removed.
    pub(super) text: String,
    attributes: Vec<(String, String)>,
}

impl Element {
    /// Reads `text` as one element.
    pub(super) fn read(text: &str) -> Result<Self, Unreadable> {
        let mut reader = Reader::from_str(text);
        let mut open: Vec<Self> = Vec::new();
        let mut root: Option<Self> = None;
        loop {
            let closed = match reader.read_event().map_err(|_| Unreadable)? {
                Event::Start(tag) if root.is_none() && open.len() < MAX_DEPTH => {
                    open.push(Self::begin(&tag)?);
                    continue;
                }
                Event::Empty(tag) if root.is_none() => Self::begin(&tag)?,
                Event::End(_) => open.pop().ok_or(Unreadable)?,
                Event::Text(text) => {
                    append(&mut open, &text.xml_content(XmlVersion::Implicit1_0))?;
                    continue;
                }
                Event::CData(text) => {
                    append(&mut open, &text.xml_content(XmlVersion::Implicit1_0))?;
                    continue;
                }
                Event::GeneralRef(reference) => {
                    let entity = format!("&{};", &*reference);
                    append(&mut open, &quick_xml::escape::unescape(&entity).map_err(|_| Unreadable)?)?;
                    continue;
                }
                Event::Decl(_) if root.is_none() && open.is_empty() => continue,
                Event::Eof => return root.ok_or(Unreadable),
                _ => return Err(Unreadable),
            };
            let closed = Self { text: closed.text.trim().to_owned(), ..closed };
            match open.last_mut() {
                Some(parent) => parent.children.push(closed),
                None => root = Some(closed),
            }
        }
    }

    /// Value of the attribute of this local name.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The first child of this name.
    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The element reached by following first children of these names.
    pub(super) fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |element, name| element.child(name))
    }

    /// Text of the element at `path`; empty counts as absent.
    pub(super) fn text_at(&self, path: &[&str]) -> Option<&str> {
        self.at(path).map(|element| element.text.as_str()).filter(|text| !text.is_empty())
    }

    fn begin(tag: &BytesStart<'_>) -> Result<Self, Unreadable> {
        let attributes = tag
            .attributes()
            .map(|attribute| {
                let attribute = attribute.map_err(|_| Unreadable)?;
                let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|_| Unreadable)?;
                Ok((attribute.key.local_name().as_ref().to_owned(), value.into_owned()))
            })
            .collect::<Result<_, Unreadable>>()?;
        let name = tag.local_name().as_ref().to_owned();
        Ok(Self { name, children: Vec::new(), text: String::new(), attributes })
    }
}

/// Adds character data to the innermost open element; outside of any, only white space may stand.
fn append(open: &mut [Element], text: &str) -> Result<(), Unreadable> {
    match open.last_mut() {
        Some(element) => element.text.push_str(text),
        None if text.trim().is_empty() => {}
        None => return Err(Unreadable),
    }
    Ok(())
}

/// `text` with `& < > " '` as entities: fit for an attribute.
pub(super) fn escape(text: &str) -> String {
    quick_xml::escape::escape(text).into_owned()
}

/// `text` with `& < >` as entities, as Java servers write character data.
pub(super) fn escape_text(text: &str) -> String {
    quick_xml::escape::partial_escape(text).into_owned()
}

/// `<name>text</name>`, the text escaped.
pub(super) fn leaf(name: &str, text: &str) -> String {
    format!("<{name}>{}</{name}>", escape_text(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_wrote() {
        let text = format!("<s:a x='{}'> {} <b/></s:a>", escape("1 'n' <2>"), leaf("c", "M & <S> ]]>"));
        let element = Element::read(&text).ok().unwrap();
        assert_eq!(element.name, "a");
        assert_eq!(element.attribute("x"), Some("1 'n' <2>"));
        assert_eq!(element.text_at(&["c"]), Some("M & <S> ]]>"));
        assert_eq!(element.text_at(&["b"]), None);
        assert_eq!(Element::read("<a>&#x41;<![CDATA[<]]></a>").ok().unwrap().text, "A<");
    }

    #[test]
    fn refuses_what_is_not_one_element() {
        let deep = "<a>".repeat(40) + &"</a>".repeat(40);
        let bad = [
            "",
            " ",
            "x",
            "<a>",
            "</a>",
            "<a></b>",
            "<a/><a/>",
            "<a/>x",
            "<a>&nix;</a>",
            "<a x=1/>",
            "<a x='1' x='2'/>",
        ];
        for text in bad.into_iter().chain([
            "<!DOCTYPE a><a/>",
            "<a><!-- --></a>",
            "<?p?><a/>",
            "<a/><?xml version='1.0'?>",
            &deep,
        ]) {
            assert!(Element::read(text).is_err(), "accepted {text:?}");
        }
    }
}
