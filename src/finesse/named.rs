//! The servers that an exchange sends the browser to: cluster nodes, redirects, gadgets.
//!
//! SystemInfo's nodes, URLs in configuration and layout documents, a `Location`, the parameters of a gadget's frame. Only
//! https and wss count: what is plain needs no certificate and is not this proxy's. URLs elsewhere (a call variable, say) are
//! not looked for.

use crate::conn::Authority;
use crate::xmpp::parse::parse;
use memchr::memmem;
use percent_encoding::percent_decode_str;

/// Most servers read from one exchange.
const MAX_NAMED: usize = 32;

/// Longest authority of a URL, bytes.
const MAX_AUTHORITY_BYTES: usize = 260;

/// A server that the browser is sent to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Named {
    /// Lower case.
    pub host: String,
    /// SystemInfo tells none.
    pub port: Option<u16>,
    /// Where it stands: `SystemInfo`, `configuration`, `Location` or `gadget`.
    pub by: &'static str,
}

/// What is looked at of an exchange.
#[derive(Clone, Copy, Debug, Default)]
pub struct Exchange<'e> {
    /// Path and query of the request.
    pub path: &'e str,
    /// The answer's `Location`.
    pub location: Option<&'e str>,
    /// The answer's content.
    pub content: Option<&'e str>,
}

/// Every server that is named, once for each place, at most `MAX_NAMED`.
#[must_use]
pub fn named(exchange: Exchange<'_>) -> Vec<Named> {
    let Exchange { path, location, content } = exchange;
    let mut found = Vec::new();
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let is_about = |what: &str| path.starts_with("/finesse/api/") && path.contains(what);
    if let Some(content) = content {
        if is_about("/SystemInfo") {
            found.extend(system_hosts(content).into_iter().map(|host| Named { host, port: None, by: "SystemInfo" }));
        }
        if is_about("/DesktopConfig") || is_about("LayoutConfig") {
            found.extend(urls(content).map(|server| of(server, "configuration")));
        }
    }
    if path.starts_with("/gadgets/") {
        for (_, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
            let value = percent_decode_str(value).decode_utf8_lossy();
            found.extend(urls(&value).take(MAX_NAMED).map(|server| of(server, "gadget")));
        }
    }
    found.extend(location.into_iter().filter_map(|url| urls(url).next()).map(|server| of(server, "Location")));
    let mut once: Vec<Named> = Vec::new();
    for named in found {
        if once.len() < MAX_NAMED && !once.contains(&named) {
            once.push(named);
        }
    }
    once
}

fn of(server: Authority, by: &'static str) -> Named {
    Named { host: server.host, port: Some(server.port), by }
}

/// The hosts of primary and secondary node in a SystemInfo document, as far as they are given.
fn system_hosts(document: &str) -> Vec<String> {
    let document = parse(document);
    let Some(root) = document.roots().next() else { return Vec::new() };
    let nodes = ["primaryNode", "secondaryNode"].into_iter().filter_map(|node| root.child(node)?.child("host"));
    nodes.map(|host| host.text().trim().to_lowercase()).filter(|host| !host.is_empty()).collect()
}

/// The servers of all https and wss URLs in a text; JSON may write `https:\/\/`.
fn urls(text: &str) -> impl Iterator<Item = Authority> + '_ {
    memmem::find_iter(text.as_bytes(), b":").filter_map(|colon| {
        let (before, after) = (text.get(..colon)?, text.get(colon + 1..)?);
        let after = after.strip_prefix("//").or_else(|| after.strip_prefix("\\/\\/"))?;
        let scheme = before.rsplit(|c: char| !c.is_ascii_alphanumeric()).next()?;
        if !scheme.eq_ignore_ascii_case("https") && !scheme.eq_ignore_ascii_case("wss") {
            return None;
        }
        let part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']');
        let end = after.find(|c| !part(c)).unwrap_or(after.len());
        let authority = after.get(..end).filter(|authority| authority.len() <= MAX_AUTHORITY_BYTES)?;
        // A name in front of `@` is no host.
        let is_whole = !after.get(end..)?.starts_with(['@', '%']);
        Authority::parse(authority, 443).ok().filter(|server| is_whole && server.port != 0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(path: &str, location: Option<&str>, content: Option<&str>) -> Vec<String> {
        let text = |named: Named| format!("{} {:?} {}", named.host, named.port, named.by);
        named(Exchange { path, location, content }).into_iter().map(text).collect()
    }

    #[test]
    fn both_nodes_are_named() {
        let document = "<SystemInfo><primaryNode><host>A.example.test</host></primaryNode><secondaryNode><host>b.example.test\
                        </host></secondaryNode><status>IN_SERVICE</status></SystemInfo>";
        let both = names("/finesse/api/SystemInfo?nocache=1", None, Some(document));
        assert_eq!(both, ["a.example.test None SystemInfo", "b.example.test None SystemInfo"]);
        let empty = "<SystemInfo><primaryNode><host/></primaryNode></SystemInfo>";
        assert!(names("/finesse/api/SystemInfo", None, Some(empty)).is_empty());
        assert!(names("/finesse/api/SystemInfo", None, Some("{}")).is_empty());
    }

    #[test]
    fn layouts_redirects_and_gadgets_name_servers() {
        let layout = "<layoutxml>&lt;gadget&gt;https://CUIC.example.test:8444/cuic/g.xml&lt;/gadget&gt; http://plain.example \
                      https://cuic.example.test:8444/again {\"u\":\"wss:\\/\\/live.example.test\\/x\"}</layoutxml>";
        assert_eq!(
            names("/finesse/api/User/1001/LayoutConfig", None, Some(layout)),
            ["cuic.example.test Some(8444) configuration", "live.example.test Some(443) configuration"]
        );
        assert!(names("/finesse/api/Dialog/1", None, Some(layout)).is_empty(), "a call variable may hold any URL");
        let gadget =
            "/gadgets/ifr?url=https%3A%2F%2Fcuic.example.test%3A8444%2Fg.xml&up_x=https://[fd00::1]:9/&st=a%3Ab";
        assert_eq!(names(gadget, None, None), ["cuic.example.test Some(8444) gadget", "fd00::1 Some(9) gadget"]);
        assert_eq!(
            names("/", Some("https://idp.example.test/saml?r=https://x.test"), None),
            ["idp.example.test Some(443) Location"]
        );
        for nothing in
            ["/desktop", "https://", "https://user@host.test/", "https://a:70000/", "ftp://a/", "https://%41/", ":", ""]
        {
            assert!(names("/", Some(nothing), None).is_empty(), "{nothing}");
        }
    }

    #[test]
    fn many_are_not_all_told() {
        let many: String = (0..1000).map(|n| format!("https://h{n}.test ")).collect();
        assert_eq!(names("/finesse/api/DesktopConfig", None, Some(&many)).len(), MAX_NAMED);
    }
}
