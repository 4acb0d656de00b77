//! The text of a hosts file: our block put at its end, and taken out to the last byte.
//!
//! Works on bytes: a hosts file may hold comments in any encoding. Line ends are those of the file, CRLF or LF.

use super::Line;
use memchr::memmem;

const BEGIN: &[u8] = b"# finesse-tap begin: `finesse-tap hosts --undo` takes these lines out";
/// The same where the line before had no end, which we had to give it.
const BEGIN_AFTER_NO_END: &[u8] =
    b"# finesse-tap begin (a line end was added above): `finesse-tap hosts --undo` takes these lines out";
/// How both begin.
const BEGINS: &[u8] = b"# finesse-tap begin";
const END: &[u8] = b"# finesse-tap end";

/// The markers are not as this program writes them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Torn {
    /// A block begins and does not end.
    #[error("a line `# finesse-tap begin` has no `# finesse-tap end` below it")]
    NoEnd,
    /// A block ends that did not begin.
    #[error("a line `# finesse-tap end` has no `# finesse-tap begin` above it")]
    NoBegin,
}

/// The text with a block of `lines` at its end. The text holds no block of ours.
#[must_use]
pub fn with(text: &[u8], lines: &[Line]) -> Vec<u8> {
    let end: &[u8] = match memchr::memchr(b'\n', text) {
        Some(at) if at > 0 && text.get(at - 1) == Some(&b'\r') => b"\r\n",
        Some(_) => b"\n",
        None if cfg!(windows) => b"\r\n",
        None => b"\n",
    };
    let mut out = text.to_vec();
    let open = !text.is_empty() && !text.ends_with(b"\n");
    if open {
        out.extend_from_slice(end);
    }
    out.extend_from_slice(if open { BEGIN_AFTER_NO_END } else { BEGIN });
    out.extend_from_slice(end);
    for line in lines {
        out.extend_from_slice(line.to_string().as_bytes());
        out.extend_from_slice(end);
    }
    out.extend_from_slice(END);
    out.extend_from_slice(end);
    out
}

/// The text without any block of ours.
///
/// # Errors
/// [`Torn`] markers: then nothing is guessed.
pub fn without(text: &[u8]) -> Result<Vec<u8>, Torn> {
    let mut out: Vec<u8> = Vec::with_capacity(text.len());
    let mut inside = false;
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let bare = line.trim_ascii_end();
        if bare.starts_with(BEGINS) {
            if inside {
                return Err(Torn::NoEnd);
            }
            inside = true;
            if memmem::find(bare, b"(a line end was added above)").is_some() {
                // The one that was added is that of this line.
                let added: &[u8] = if line.ends_with(b"\r\n") { b"\r\n" } else { b"\n" };
                let kept = out.strip_suffix(added).map_or(out.len(), <[u8]>::len);
                out.truncate(kept);
            }
        } else if bare == END {
            if !inside {
                return Err(Torn::NoBegin);
            }
            inside = false;
        } else if !inside {
            out.extend_from_slice(line);
        }
    }
    if inside { Err(Torn::NoEnd) } else { Ok(out) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::net::Ipv4Addr;

    fn lines(names: &[&str]) -> Vec<Line> {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        vec![Line { address: Ipv4Addr::LOCALHOST.into(), names }]
    }

    #[test]
    fn the_block_stands_at_the_end_in_the_files_own_line_ends() {
        let text = |text: &str| String::from_utf8(with(text.as_bytes(), &lines(&["a.test", "b.test"]))).unwrap();
        let unix = text("127.0.0.1 localhost\n");
        assert!(unix.starts_with("127.0.0.1 localhost\n# finesse-tap begin"), "{unix}");
        assert!(unix.ends_with("\n127.0.0.1 a.test b.test\n# finesse-tap end\n"), "{unix}");
        let dos = text("127.0.0.1 localhost\r\n");
        assert_eq!(dos.matches('\n').count(), dos.matches("\r\n").count(), "{dos:?}");
    }

    #[test]
    fn torn_markers_are_not_guessed_at() {
        for (text, torn) in [
            ("a\n# finesse-tap begin\nb\n", Torn::NoEnd),
            ("a\n# finesse-tap end\nb\n", Torn::NoBegin),
            ("# finesse-tap begin\n# finesse-tap begin\n# finesse-tap end\n", Torn::NoEnd),
        ] {
            assert_eq!(without(text.as_bytes()), Err(torn), "{text}");
        }
        let edited = b"a\n# finesse-tap begin: changed by hand \t\r\nb\n# finesse-tap end  \nc";
        assert_eq!(without(edited).unwrap(), b"a\nc");
    }

    #[test]
    fn a_lone_return_at_the_end_is_no_line_end_of_ours() {
        for text in [&b"\n\r"[..], b"a\r\nb\r", b"\r"] {
            assert_eq!(without(&with(text, &lines(&["a.test"]))).unwrap(), text, "{text:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn taking_the_block_out_gives_the_text_as_it_was(text in "([ -~]{0,9}(\r\n|\n|\r)){0,5}[ -~]{0,9}", bytes in prop::collection::vec(any::<u8>(), 0..20)) {
            let text = [text.as_bytes(), &bytes].concat();
            let changed = with(&text, &lines(&["a.test"]));
            prop_assert!(changed.starts_with(&text));
            prop_assert_eq!(without(&changed).unwrap(), text.clone());
            prop_assert_eq!(without(&text).unwrap(), text);
        }
    }
}
