//! This program's own sentences about connections, in which the names of machines and of certificates' owners stand.
//!
//! By allow-list: words that such sentences are made of stay (ours, the system's, the TLS library's), and so do short numbers;
//! any other word is somebody's, wherever it stands. A name of such words only (`finesse`) is told from them if a machine was
//! called so before, in this event or another; one of words and digits (`proxy-01`) is always somebody's.

use super::Restrictor;
use super::sentence::is_operational;
use crate::capture::rules::Level;
use crate::capture::token::is_token;
use regex::Regex;
use std::collections::HashSet;
use std::sync::LazyLock;

/// Longest number kept, digits: a port.
const MAX_DIGITS: usize = 5;
/// Names of machines remembered at the most; then they are forgotten, but for those of the event at hand.
const MAX_MACHINES: usize = 1_000;

/// In lower case. A word that is missing here costs a reader that word.
const WORDS: &str = "a s t abort aborted accept access acted address addresses after afterwards again alert alerts all already alternative \
    always an and another answer answered answers any anything application are as asked asks at authentication auto available bad be \
    been before began begin begins behind bits both break breaks broken but by byte bytes ca cancel canceled cancelled cannot caused \
    cert certificate certificates change changed chosen cipher ciphers clear client clients clock close closed cn code codes come comes common compression \
    config configuration connect connected connection connections content corrupt could critical current data date day days decode decrypt decryption denied deny descriptor \
    desktop device dh did digits directory disabled dns does down dropped during early eof either email empty encrypt encrypted \
    encryption end ended ends entry error exceeded exchange exist expected expired extension extensions failed fails failure fallback \
    fatal feature features few file files finesse finish finished first fit follow for forcibly form from full get give given go got \
    group groups half handshake has have header hello here hex hexadecimal hint holds host how hrr http https id identity idle if \
    illegal implementation in inappropriate incompatible incorrect inject injection insufficient internal interrupted into invalid io ip is issuer it \
    its itself kept key keyshare keys known kx large later leads least left length lifetime limit line list listen listener listens lives long longer lookup \
    lost mac malformed many match max meant memory message messages minted misbehaved missing mode moment more most must mismatch name \
    named names need needed needs neither network never no nobody node nodename none nor not nothing notify now null number o of off \
    offered old older on once one only open operation option or os other others our ours out over overflow own oversized page parameter \
    parse passed path payload peer pem permission permitted pin pinned pins pipe plain point points port ports premature present presented proceed proof protocol protocols proxy \
    psk public purpose reach reached read readable real reason receive received record refused reject rejected remote renegotiation request \
    requested required reset resolution resolve resolved resolves response resumption retry revocation revoked right root roots route routes run running runs said \
    same san sans scheme schemes second seconds secret security seen self send sends sent server servers service servname session set \
    sha share short should show shown shows shut shuts shutting side signature signed since size small sni so socket software something space speak speaks specified \
    spoke stand stands start started starts starttls state status still stop stopped stops stream subject such suite suites supplied support supported supports \
    system take taken tap tell tells temporarily temporary than that the their then there these they this those through ticket time timed \
    times tls to too took transport try trust trusted turn two type unable unexpected unhandled unix unknown unless unobtainable unreachable unread unrecognised unrecognized \
    unseen unsupported until up update upstream uri url us usable usage use used user using utc v valid value verified verify version \
    versions very vouch vouches wait waited want wants was way we went were what when where which while whose will with within without would write \
    wrong wrote x xmpp yet you your";

static KNOWN: LazyLock<HashSet<&'static str>> = LazyLock::new(|| WORDS.split_ascii_whitespace().collect());

/// What is no machine's though it has letters and digits: versions of TLS, and algorithms.
#[expect(clippy::expect_used, reason = "a constant pattern: it compiles or no test passes")]
static VERSIONED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)^(?:(?:tls|ssl)v?[123](?:[._]?[0-3])?|sha-?(?:1|256|384|512)|x\.?509|x25519|utf-?(?:8|16)|h2)$")
        .expect("constant")
});

impl Restrictor {
    /// Remembers what a machine is called, for the sentences that name it.
    pub(super) fn name_machine(&mut self, name: &str) {
        if self.machines.len() >= MAX_MACHINES {
            self.machines.clear();
        }
        self.machines.insert(name.trim_end_matches('.').to_lowercase());
    }

    /// A sentence of ours without the names in it.
    pub(super) fn ours(&mut self, value: &str) -> String {
        if self.level <= Level::Auth {
            return value.to_owned();
        }
        let value = self.own_text(value);
        let value = self.without_machines(&value);
        let edge = |c: char| c.is_whitespace() || "\"'`<>(),;={}[]|".contains(c);
        let mut out = String::with_capacity(value.len());
        for piece in value.split_inclusive(edge) {
            let word = piece.trim_end_matches(edge);
            let bare = word.trim_end_matches(['.', ':', '!', '?']);
            if is_ours(bare) || self.stands_for_something(bare) {
                out.push_str(piece);
            } else {
                out.push_str(&self.label(bare));
                out.push_str(piece.get(bare.len()..).unwrap_or_default());
            }
        }
        out
    }

    /// A sentence without the machines in it whose names are known, whatever words they are made of.
    fn without_machines(&mut self, value: &str) -> String {
        let edge = |c: char| !c.is_alphanumeric() && !"-_.".contains(c);
        let mut out = String::with_capacity(value.len());
        for piece in value.split_inclusive(edge) {
            let name = piece.trim_end_matches(edge).trim_end_matches('.');
            // Behind a bracket stands a mark of ours.
            if !out.ends_with('[') && self.machines.contains(&name.to_lowercase()) {
                out.push_str(&self.host(name));
                out.push_str(piece.get(name.len()..).unwrap_or_default());
            } else {
                out.push_str(piece);
            }
        }
        out
    }

    /// What the rules have left in a name's place: a token with a port or a service's label, or a mark, whose brackets are off.
    fn stands_for_something(&self, word: &str) -> bool {
        let kept = |part: &str| {
            is_number(part)
                || matches!(
                    part,
                    "host" | "infrastructure" | "person" | "phone" | "session" | "cred" | "text" | "digits"
                )
                || matches!(part, "pubsub" | "conference" | "search" | "proxy" | "localhost" | "-")
                || self.level == Level::Share && is_token(part)
        };
        let host = |part: &str| part.strip_prefix("pubsub.").is_some_and(kept) || kept(part);
        kept(word) || word.split([':', '/', '@']).all(|part| part.is_empty() || host(part) || is_ours(part))
    }
}

/// Whether a word is made of known ones: `close_notify`, `UnknownIssuer`, `TLSv1.2`.
fn is_ours(word: &str) -> bool {
    word.is_ascii() && (is_operational(word) || word.split([':', '/']).all(is_our_name))
}

fn is_our_name(name: &str) -> bool {
    let has = |kind: fn(&u8) -> bool| name.bytes().any(|b| kind(&b));
    let known = |part: &str| part.is_empty() || KNOWN.contains(&*part.to_ascii_lowercase());
    let is_known = |part: &str| known(part) || humps(part).iter().all(|hump| known(hump));
    match (has(u8::is_ascii_alphabetic), has(u8::is_ascii_digit)) {
        (true, true) => humps(name).iter().all(|hump| known(hump) || VERSIONED.is_match(hump)),
        _ => name.split(['_', '-', '.']).all(|part| is_number(part) || is_known(part)),
    }
}

fn is_number(part: &str) -> bool {
    (1..=MAX_DIGITS).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit())
}

/// `UnknownIssuer` as its words.
fn humps(word: &str) -> Vec<&str> {
    let bytes = word.as_bytes();
    let begins = |at: usize| match (at.checked_sub(1).and_then(|before| bytes.get(before)), bytes.get(at)) {
        (Some(before), Some(now)) => now.is_ascii_uppercase() && !before.is_ascii_uppercase(),
        _ => true,
    };
    let starts: Vec<usize> = (0..bytes.len()).filter(|at| begins(*at)).collect();
    let ends = starts.iter().skip(1).copied().chain([bytes.len()]);
    starts.iter().zip(ends).filter_map(|(start, end)| word.get(*start..end)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::UserRules;
    use super::*;
    use crate::capture::token::Tokens;

    fn ours(level: Level, text: &str) -> String {
        let mut restrictor = Restrictor::new(level, Tokens::under(&[9; 32]).unwrap(), UserRules::default());
        let once = restrictor.ours(text);
        assert_eq!(restrictor.ours(&once), once, "the same once more");
        once
    }

    #[test]
    fn names_go_and_the_sentence_stays() {
        for (text, minimal) in [
            (
                "the server's certificate was refused: nobody we trust vouches for its issuer, CN=Zq Root CA 7, O=Zq Holding",
                "the server's certificate was refused: nobody we trust vouches for its issuer, CN=[infrastructure] Root CA 7, O=[infrastructure] [infrastructure]",
            ),
            (
                "the name zqpub cannot be resolved: Name or service not known",
                "the name [infrastructure] cannot be resolved: Name or service not known",
            ),
            (
                "nobody listens at 10.1.2.3:8445 (connection refused)",
                "nobody listens at [host]:8445 (connection refused)",
            ),
            (
                "the name finesse1 cannot be resolved: proxy-01, desktop_4821, node2.ca3 and TLSv1proxy9 refused",
                "the name [infrastructure] cannot be resolved: [infrastructure], [infrastructure], [infrastructure] and [infrastructure] refused",
            ),
            ("it is for DNS:zqpub, not for zqsub.corp.test", "it is for [infrastructure], not for [host]"),
            (
                "the client asked for zqpc; this proxy stands for zqpub, zqsub",
                "the client asked for [infrastructure]; this proxy stands for [infrastructure], [infrastructure]",
            ),
        ] {
            assert_eq!(ours(Level::Minimal, text), minimal);
            let share = ours(Level::Share, text);
            let names = [
                "zqpub", "zqsub", "zqpc", "Zq ", "Holding", "10.1.2.3", "finesse1", "-01", "4821", "node2", "ca3",
                "TLSv1",
            ];
            assert!(!names.iter().any(|name| share.contains(name)), "{share}");
        }
    }

    #[test]
    fn what_names_nobody_is_left_as_it_is() {
        for text in [
            "the client reset the connection before it was answered",
            "received fatal alert: UnknownCA",
            "invalid peer certificate: UnknownIssuer",
            "the TLS handshake failed: peer is incompatible: NoCipherSuitesInCommon",
            "the server refused the TLS handshake with the alert protocol_version",
            "Connection reset by peer (os error 104)",
            "it expired on 2026-01-15",
            "peer is incompatible: Tls12NotOffered; TLSv1.2, TLSv1_3, SHA-256, sha1, X509, x.509, http/1.1, h2",
            "the client left without close_notify",
            "no answer within 7.5 s",
        ] {
            assert_eq!(ours(Level::Minimal, text), text);
        }
    }
}
