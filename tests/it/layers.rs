//! The architecture as `lib.rs` draws it, held against the code: who imports whom, and who reads a clock or does I/O.

use std::path::{Path, PathBuf};

/// Every top-level module with what it may import besides itself.
const LAYERS: &[(&str, &[&str])] = &[
    ("clock", &[]),
    ("conn", &[]),
    ("glyph", &[]),
    ("filter", &[]),
    ("http1", &["conn", "clock"]),
    ("http2", &["conn", "clock", "http1"]),
    ("ws", &["conn", "clock", "http1"]),
    ("rewrite", &["conn", "http1"]),
    ("xmpp", &["conn", "clock"]),
    ("bosh", &["conn", "clock", "xmpp"]),
    ("finesse", &["conn", "clock", "xmpp"]),
    // Of HTTP/2 the names of its error codes.
    ("session", &["conn", "clock", "http2", "xmpp", "finesse"]),
    ("capture", &["conn", "clock", "glyph", "http1", "http2", "rewrite", "ws", "bosh", "xmpp", "finesse", "session"]),
    ("bus", &["conn", "clock", "capture"]),
    (
        "tap",
        &["conn", "clock", "http1", "http2", "rewrite", "ws", "bosh", "xmpp", "finesse", "session", "capture", "bus"],
    ),
    ("tls", &["conn", "clock", "capture", "stored"]),
    // HTTP for the page it writes itself alone: see `the_relay_knows_no_protocol`.
    ("proxy", &["conn", "clock", "http1", "http2", "rewrite", "xmpp", "capture", "tap", "tls"]),
    ("assets", &[]),
    ("admin", &["conn", "clock", "capture", "bus", "tap"]),
    ("sinks", &["conn", "clock", "filter", "glyph", "capture", "bus", "stored"]),
    // A shipper reads files, never the bus: the relay cannot feel it.
    ("ship", &["conn", "clock", "filter", "capture", "stored", "tls"]),
    ("stored", &["conn", "clock", "filter", "session", "capture"]),
    ("scan", &["conn", "clock", "glyph", "capture", "stored"]),
    ("share", &["conn", "clock", "filter", "glyph", "capture", "stored", "scan"]),
    ("doctor", &["conn", "clock", "glyph", "http1", "ws", "xmpp", "capture", "tls"]),
    ("browse", &["conn"]),
    ("report", &["conn", "clock", "filter", "glyph", "capture", "session", "stored"]),
    ("import", &["conn", "clock", "ws", "capture", "tap", "stored"]),
    // An export reads finished lines: what it cannot import it cannot leak.
    ("export", &["conn", "clock", "filter", "glyph", "ws", "stored"]),
    ("hosts", &[]),
    // A login in it is the ladder that the report shows.
    ("console", &["clock", "filter", "session", "stored"]),
    // The demo's server and desktop speak for themselves: decoding them with our codecs would prove nothing.
    ("demo", &["conn", "clock"]),
];

/// The wiring: may import everything.
const WIRING: &[&str] = &["app", "ca_text", "cli", "config", "lib", "log", "main"];

#[test]
fn nobody_imports_upwards() {
    for (path, module, text) in sources() {
        let Some((_, allowed)) = LAYERS.iter().find(|(name, _)| *name == module) else {
            assert!(WIRING.contains(&&*module), "{}: a module without a layer", path.display());
            continue;
        };
        for import in imports(&text) {
            let fine = import == module || allowed.contains(&&*import);
            assert!(fine, "{} imports crate::{import}, which {module} may not", path.display());
        }
    }
}

/// Bytes are moved by who knows nothing of them.
#[test]
fn the_relay_knows_no_protocol() {
    for (path, _, text) in sources() {
        let codecs = ["http1", "http2", "ws", "bosh", "xmpp", "finesse"];
        if path.ends_with("proxy/relay.rs")
            || path.ends_with("proxy/connection.rs")
            || path.ends_with("proxy/account.rs")
        {
            assert!(!imports(&text).iter().any(|import| codecs.contains(&&**import)), "{}", path.display());
            assert!(!text.contains("hyper"), "{}", path.display());
        }
    }
}

#[test]
fn codecs_knowledge_and_the_door_do_no_io_and_read_no_clock() {
    let pure = ["http1", "http2", "rewrite", "ws", "bosh", "xmpp", "finesse", "session", "capture"];
    let forbidden =
        ["std::fs", "std::net::Tcp", "std::thread", "tokio::", "clock::now", "std::env", "SystemTime", "Instant"];
    for (path, module, text) in sources() {
        if pure.contains(&&*module) && !path.to_string_lossy().contains("test") {
            for word in forbidden {
                assert!(!text.contains(word), "{} uses {word}", path.display());
            }
        }
    }
}

#[test]
fn every_file_is_within_its_limit_and_opens_with_its_purpose() {
    for (path, _, text) in sources() {
        assert!(text.starts_with("//!"), "{} does not open with //!", path.display());
        assert!(text.lines().count() <= 800, "{} has over 800 lines", path.display());
    }
}

fn sources() -> Vec<(PathBuf, String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                found.push((path.clone(), module(&path), text));
            }
        }
    }
    assert!(found.len() > 30, "the sources are gone");
    found
}

fn module(path: &Path) -> String {
    let first = path.components().nth(1).unwrap().as_os_str().to_string_lossy();
    first.trim_end_matches(".rs").to_owned()
}

/// The top-level modules named behind `crate::`.
fn imports(text: &str) -> Vec<String> {
    let code: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let code = code.join("\n");
    let mut found = Vec::new();
    for part in code.split("crate::").skip(1) {
        if let Some(group) = part.strip_prefix('{') {
            let names = group.split('}').next().unwrap().split(',');
            found.extend(names.map(|name| name.trim().split("::").next().unwrap().to_owned()));
        } else {
            found.push(part.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
        }
    }
    found.retain(|name| !name.is_empty());
    found
}
