//! Hosts, IP addresses, JIDs and e-mail addresses in words, apart from those that name nobody: redaction's tokens,
//! loopback, and the public names of protocols and namespaces.
//!
//! A dotted word is a host by what stands before it (`//`, `@`, `DNS:`) or by its last label; field names such as
//! `finesse.session.id` are none.

use super::finding::Finding;
use super::hit::Certainty::{Certain, Likely, Possible};
use super::value::{is_mark, is_token};
use crate::capture::policy::Class;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Who publishes the namespaces, schemas and references that are in traffic and in our own texts.
const PUBLIC: [&[u8]; 18] = [
    b"jabber.org",
    b"igniterealtime.org",
    b"jivesoftware.com",
    b"jivesoftware.org",
    b"w3.org",
    b"xmpp.org",
    b"xmlsoap.org",
    b"opensocial.org",
    b"oasis-open.org",
    b"ietf.org",
    b"rfc-editor.org",
    b"iana.org",
    b"www.cisco.com",
    b"developer.cisco.com",
    b"apache.org",
    b"whatwg.org",
    b"mozilla.org",
    b"elastic.co",
];

/// Last labels that hardly any word of program text ends in; country codes are told apart below.
const TOP_LEVEL: [&[u8]; 26] = [
    b"com",
    b"net",
    b"org",
    b"edu",
    b"gov",
    b"mil",
    b"info",
    b"biz",
    b"local",
    b"lan",
    b"corp",
    b"internal",
    b"intranet",
    b"home",
    b"test",
    b"example",
    b"cloud",
    b"arpa",
    b"eu",
    b"localdomain",
    b"company",
    b"private",
    b"voip",
    b"domain",
    b"online",
    b"systems",
];

/// Country codes that are no field names (`id`, `to`, `in`, `is` and so on are).
const COUNTRIES: [&[u8]; 39] = [
    b"ae", b"at", b"au", b"be", b"br", b"ca", b"ch", b"cl", b"cn", b"co", b"cz", b"de", b"dk", b"es", b"fi", b"fr",
    b"gr", b"hk", b"hu", b"ie", b"il", b"jp", b"kr", b"li", b"lu", b"mx", b"nl", b"nz", b"pl", b"pt", b"ro", b"ru",
    b"se", b"sg", b"sk", b"tr", b"uk", b"us", b"za",
];

/// Hosts and addresses in one word; `at` is its place, `before` the two bytes before it.
pub(super) fn hosts(word: &[u8], at: usize, before: &[u8], found: &mut dyn FnMut(Finding<'_>)) {
    // An underscore is no part of a host, and joins nodes with JIDs in item ids.
    let is_host = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
    let mut from = 0;
    while let Some(start) = word.iter().skip(from).position(is_host).map(|skip| from + skip) {
        let rest = word.get(start..).unwrap_or_default();
        let length = rest.iter().position(|byte| !is_host(byte)).unwrap_or(rest.len());
        from = start + length;
        let stretch = rest.get(..length).unwrap_or_default();
        let (name, start) = match in_file_name(trimmed(stretch)) {
            Some(name) => (name, start + memchr::memmem::find(stretch, name).unwrap_or_default()),
            None => (trimmed(stretch), start),
        };
        let ahead = word.get(..start).filter(|ahead| !ahead.is_empty()).unwrap_or(before);
        if !name.contains(&b'.') {
            continue;
        }
        let (name, start) = match without_service(name) {
            rest if ipv4(rest).is_some() => (rest, start + name.len() - rest.len()),
            _ => (name, start),
        };
        if let Some(address) = ipv4(name) {
            // `Chrome/139.0.0.0`: a product's version (RFC 9110 section 10.1.5).
            let version = ahead.ends_with(b"/") && !ahead.ends_with(b"//") && start > 1;
            if !version && !is_nobody(IpAddr::V4(address)) {
                found(Finding {
                    at: at + start,
                    value: name,
                    kind: "ip-address",
                    class: Class::Infrastructure,
                    certainty: Certain,
                    why: "an IPv4 address outside the token range",
                });
            }
            continue;
        }
        let introduced = ahead.ends_with(b"//") || ahead.ends_with(b"@") || ahead.ends_with(b"DNS:");
        if let Some(certainty) = (!is_nobodys_name(name)).then(|| looks(name, introduced)).flatten() {
            found(Finding {
                at: at + start,
                value: name,
                kind: "host",
                class: Class::Infrastructure,
                certainty,
                why: "a host name that is no token",
            });
        }
    }
}

/// An IPv6 address, if the word is one or holds one.
pub(super) fn ipv6(word: &[u8], at: usize, found: &mut dyn FnMut(Finding<'_>)) {
    let is_part = |byte: &u8| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.');
    let mut from = 0;
    for stretch in word.split(|byte| !is_part(byte)) {
        let start = from;
        from += stretch.len() + 1;
        // `IP:2001:db8::1` begins where the name ends; a trailing colon belongs to the sentence.
        let text = std::str::from_utf8(stretch).unwrap_or_default();
        let text = text.trim_end_matches('.');
        let candidates = [text, text.trim_end_matches(':'), text.trim_start_matches(':')];
        let Some((address, value)) = candidates.iter().find_map(|c| Some((c.parse::<Ipv6Addr>().ok()?, *c))) else {
            continue;
        };
        let groups = value.split(':').filter(|group| !group.is_empty()).count();
        if groups >= 3 && !is_nobody(IpAddr::V6(address)) {
            let at = at + start + text.find(value).unwrap_or_default();
            found(Finding {
                at,
                value: value.as_bytes(),
                kind: "ip-address",
                class: Class::Infrastructure,
                certainty: Likely,
                why: "an IPv6 address outside the token range",
            });
        }
    }
}

/// JIDs (RFC 7622) and e-mail addresses in one word.
pub(super) fn persons(word: &[u8], at: usize, found: &mut dyn FnMut(Finding<'_>)) {
    for sign in memchr::memchr_iter(b'@', word) {
        let (local, domain) = (word.get(..sign).unwrap_or_default(), word.get(sign + 1..).unwrap_or_default());
        let is_local = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'+' | b'%');
        let local_at = local.iter().rposition(|byte| !is_local(byte)).map_or(0, |last| last + 1);
        let local = local.get(local_at..).unwrap_or_default();
        // Item ids join a node and a JID with underscores: `Dialogs__1001@host`.
        let joined = memchr::memmem::rfind(local, b"__").map_or(0, |join| join + 2);
        let (local, local_at) = (local.get(joined..).unwrap_or_default(), local_at + joined);
        let domain_bytes =
            domain.iter().position(|byte| !(byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-')));
        let domain_bytes = domain_bytes.unwrap_or(domain.len());
        let resource = domain.get(domain_bytes) == Some(&b'/');
        let domain = trimmed(domain.get(..domain_bytes).unwrap_or_default());
        // The pubsub service speaks as this user, on every server.
        let service = local == b"finesse" || local == b"pubsub";
        if local.is_empty()
            || domain.len() < 2
            || is_token(local)
            || service
            || !domain.first().is_some_and(u8::is_ascii_alphabetic)
        {
            continue;
        }
        let value = word.get(local_at..sign + 1 + domain.len()).unwrap_or_default();
        let certainty = if domain.contains(&b'.') || resource { Certain } else { Possible };
        let (kind, why) = if resource {
            ("jid", "a JID whose localpart is no token")
        } else {
            ("email", "an e-mail address or a bare JID whose localpart is no token")
        };
        found(Finding { at: at + local_at, value, kind, class: Class::Person, certainty, why });
    }
}

/// Whether a value that must be a host names nobody.
pub(super) fn is_nobodys(value: &[u8]) -> bool {
    let value = without_service(value);
    let text = std::str::from_utf8(value).unwrap_or_default();
    let port = |port: &str| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    let unmarked = text.rsplit_once(':').filter(|(_, last)| port(last)).map_or(text, |(host, _)| host);
    if is_mark(unmarked.as_bytes()) {
        return true;
    }
    let bare = text.trim_matches(['[', ']']);
    let host = text.rsplit_once(':').map_or(text, |(host, _)| host);
    let address = bare.parse::<IpAddr>().ok().or_else(|| host.trim_matches(['[', ']']).parse().ok());
    address.map_or_else(|| is_nobodys_name(trimmed(host.as_bytes())), is_nobody)
}

/// A host without the label of an XMPP service in front, which is the same on every server.
fn without_service(host: &[u8]) -> &[u8] {
    const LABELS: [&[u8]; 4] = [b"pubsub.", b"conference.", b"search.", b"proxy."];
    LABELS.into_iter().find_map(|label| host.strip_prefix(label)).unwrap_or(host)
}

fn is_nobodys_name(name: &[u8]) -> bool {
    let lower = name.to_ascii_lowercase();
    let below = |domain: &[u8]| lower.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with(b"."));
    below(b"invalid")
        || below(b"localhost")
        || below(b"localhost.localdomain")
        || PUBLIC.into_iter().any(below)
        || is_token(&lower)
}

/// Loopback, unspecified, and the ranges that redaction's tokens are from: 198.18.0.0/15 (RFC 2544), fd00::/8 (RFC 4193).
fn is_nobody(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let [first, second, ..] = address.octets();
            address.is_loopback()
                || address.is_unspecified()
                || address.is_broadcast()
                || first == 198 && second & 0xfe == 18
        }
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(mapped) => is_nobody(IpAddr::V4(mapped)),
            None => address.is_loopback() || address.is_unspecified() || address.octets().first() == Some(&0xfd),
        },
    }
}

/// What our own capture files, and those made of them, are named after: `finesse-HOST-TIME-RUN-NUMBER.ndjson`.
fn in_file_name(name: &[u8]) -> Option<&[u8]> {
    const ENDINGS: [&[u8]; 6] = [b".gz", b".zip", b".ndjson", b".har", b".pcapng", b".log"];
    let strip = |name| ENDINGS.into_iter().find_map(|ending| <[u8]>::strip_suffix(name, ending));
    let mut stem = strip(name)?;
    while let Some(shorter) = strip(stem) {
        stem = shorter;
    }
    let stem = stem.strip_prefix(b"finesse-").unwrap_or(stem);
    let is_time = |tail: &[u8]| {
        let digits =
            |from: usize, to: usize| tail.get(from..to).is_some_and(|part| part.iter().all(u8::is_ascii_digit));
        digits(1, 9) && tail.get(9) == Some(&b'T') && digits(10, 16)
    };
    let end = memchr::memchr_iter(b'-', stem).find(|at| stem.get(*at..).is_some_and(is_time));
    stem.get(..end.unwrap_or(stem.len()))
}

fn ipv4(name: &[u8]) -> Option<Ipv4Addr> {
    name.first().filter(|byte| byte.is_ascii_digit())?;
    std::str::from_utf8(name).ok()?.parse().ok()
}

/// How much a dotted name looks like a host's; `introduced`: something before it says so.
fn looks(name: &[u8], introduced: bool) -> Option<super::hit::Certainty> {
    let labels: Vec<&[u8]> = name.split(|byte| *byte == b'.').collect();
    let last = labels.last()?.to_ascii_lowercase();
    let is_label = |label: &&[u8]| !label.is_empty() && label.len() <= 63;
    if !labels.iter().all(is_label) || !last.first()?.is_ascii_alphabetic() {
        return None;
    }
    if introduced {
        return Some(Certain);
    }
    // `client.domain` is a field's name.
    let top_level = TOP_LEVEL.contains(&&*last) && !(labels.len() == 2 && last == b"domain");
    let country = COUNTRIES.contains(&&*last) && labels.len() >= 2;
    (top_level || country).then_some(Likely)
}

fn trimmed(name: &[u8]) -> &[u8] {
    let outer = |byte: &u8| matches!(byte, b'.' | b'-' | b'_');
    let start = name.iter().position(|byte| !outer(byte)).unwrap_or(name.len());
    let end = name.iter().rposition(|byte| !outer(byte)).map_or(start, |last| last + 1);
    name.get(start..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(word: &str) -> Vec<String> {
        let mut all = Vec::new();
        let mut keep = |finding: Finding<'_>| {
            assert_eq!(word.as_bytes().get(finding.at..finding.at + finding.value.len()), Some(finding.value));
            all.push(format!("{} {}", finding.kind, String::from_utf8_lossy(finding.value)));
        };
        hosts(word.as_bytes(), 0, b"", &mut keep);
        ipv6(word.as_bytes(), 0, &mut keep);
        persons(word.as_bytes(), 0, &mut keep);
        all
    }

    #[test]
    fn hosts_and_addresses_are_found() {
        for (word, expected) in [
            ("finesse.demo.test", "host finesse.demo.test"),
            ("https://uccx/x", ""),
            ("https://uccx.anything/x", "host uccx.anything"),
            ("DNS:finesse.lan", "host finesse.lan"),
            ("firma.de:8445", "host firma.de"),
            ("10.1.2.3:8445", "ip-address 10.1.2.3"),
            ("192.0.2.10", "ip-address 192.0.2.10"),
            ("pubsub.192.0.2.10", "ip-address 192.0.2.10"),
            ("2001:db8:0:1::5", "ip-address 2001:db8:0:1::5"),
            ("IP:2001:db8::5", "ip-address 2001:db8::5"),
            ("1001@u.invalid/desktop", "jid 1001@u.invalid"),
            ("Dialogs__1001@u.invalid__1-5", "email 1001@u.invalid"),
            ("1001@uccx/desktop", "jid 1001@uccx"),
            (
                "a/finesse-uccx.demo.test-20261122T162738Z-01M821BAF546QR1F94ZT0JYCBX-0001.ndjson.gz",
                "host uccx.demo.test",
            ),
            ("finesse-10.1.2.3-20261122T162738Z-01M821BAF546QR1F94ZT0JYCBX-0001.ndjson", "ip-address 10.1.2.3"),
            ("uccx.demo.test.har", "host uccx.demo.test"),
        ] {
            assert_eq!(found(word).join(","), expected, "{word}");
        }
        assert_eq!(found("jm+hotline@post.test").len(), 2);
    }

    #[test]
    fn what_names_nobody_is_passed() {
        for word in [
            "h-0123456789.invalid",
            "localhost",
            "127.0.0.1:36574",
            "0.0.0.0",
            "198.18.3.4",
            "198.19.255.1",
            "pubsub.198.18.3.4",
            "::1",
            "fd12:3456::1",
            "http://www.w3.org/XML/1998/namespace",
            "http://jabber.org/protocol/pubsub#event",
            "https://www.igniterealtime.org/projects/openfire/",
            "u-0123456789@h-0123456789.invalid/desktop",
            "finesse.session.id",
            "user.microapp.ToExtVXML",
            "Chrome/139.0.0.0",
            "16:27:38",
            "2026-11-22T16:27:38.341634Z",
            "finesse@h-0123456789.invalid/User",
            "Dialogs__u-0123456789@h-0123456789.invalid__1-5",
            "12.5.1.10000",
            "main.js",
            "en-us",
            "cid:c1",
            "abc::def",
            "case-1234.tar.gz",
            "finesse-h-0123456789.invalid-20261122T162738Z-01M821BAF546QR1F94ZT0JYCBX-0001.ndjson",
        ] {
            assert_eq!(found(word), [""; 0], "{word}");
        }
        assert!(is_nobodys(b"127.0.0.1:80") && is_nobodys(b"[::1]:80") && is_nobodys(b"h-0123456789.invalid:8445"));
        assert!(is_nobodys(b"pubsub.198.18.3.4") && is_nobodys(b"pubsub.198.18.3.4:8445"));
        assert!(!is_nobodys(b"pubsub.10.0.0.1") && !is_nobodys(b"pubsub.uccx"));
        assert!(!is_nobodys(b"uccx") && !is_nobodys(b"10.0.0.1:80") && is_nobodys(b"localhost"));
        assert!(is_nobodys(b"[host]:39311") && is_nobodys(b"pubsub.[host]") && !is_nobodys(b"uccx.[host]"));
    }
}
