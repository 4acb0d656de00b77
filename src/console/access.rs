//! Who may ask: whoever opened the printed address first, from this very page, on this very port.
//!
//! The address holds a token that is good once; it is exchanged for a cookie. Cookies know no ports and other pages of this
//! machine may share the host name, so Host and Origin are compared with the port, and what changes something must carry a
//! header that no other site can send without being asked (CORS). Comparisons of secrets take the same time however they end.

use hyper::header::{COOKIE, HOST, ORIGIN};
use hyper::{HeaderMap, Method};
use ring::rand::{SecureRandom as _, SystemRandom};
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Mutex;

/// The header of every request that changes something.
const OWN_HEADER: &str = "x-finesse-tap";

/// Token, cookie and the names under which the console may be asked.
pub(super) struct Access {
    /// Gone once it was used.
    token: Mutex<Option<String>>,
    cookie: String,
    port: u16,
    hosts: Vec<String>,
}

/// What a request is allowed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Verdict {
    /// Everything.
    Allowed,
    /// It has no cookie, or an old one.
    Unknown,
    /// It comes from another page, or asks under another name.
    Foreign,
}

impl Access {
    /// For a console at `address`.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub(super) fn new(address: SocketAddr) -> anyhow::Result<Self> {
        let port = address.port();
        let hosts = vec![address.to_string(), format!("localhost:{port}")];
        Ok(Self { token: Mutex::new(Some(random()?)), cookie: random()?, port, hosts })
    }

    /// The query that lets the first visitor in.
    pub(super) fn query(&self) -> String {
        let token = self.token.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        token.as_ref().map(|token| format!("?token={token}")).unwrap_or_default()
    }

    /// The `Set-Cookie` value for whoever brings the token; it is good once.
    pub(super) fn exchange(&self, token: &str) -> Option<String> {
        let mut known = self.token.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        known.as_ref().filter(|known| same(known, token))?;
        *known = None;
        Some(format!("{}={}; HttpOnly; SameSite=Strict; Path=/", self.cookie_name(), self.cookie))
    }

    /// Whether the request may be answered at all: under our own name, and not by another page.
    pub(super) fn is_ours(&self, headers: &HeaderMap) -> bool {
        let host = text(headers, HOST.as_str());
        let origin = headers.get(ORIGIN).map(|origin| origin.to_str().unwrap_or("?"));
        let is_own_origin = |origin: &str| origin.strip_prefix("http://").is_some_and(|host| self.is_host(host));
        self.is_host(host) && origin.is_none_or(is_own_origin)
    }

    /// What the request may do.
    pub(super) fn verdict(&self, method: &Method, headers: &HeaderMap) -> Verdict {
        if !self.is_ours(headers) {
            return Verdict::Foreign;
        }
        let cookies = headers.get_all(COOKIE).iter().filter_map(|cookies| cookies.to_str().ok());
        let own = cookies.flat_map(|cookies| cookies.split(';')).any(|cookie| {
            let (name, value) = cookie.trim().split_once('=').unwrap_or_default();
            name == self.cookie_name() && same(&self.cookie, value)
        });
        if !own {
            return Verdict::Unknown;
        }
        let changes = !matches!(*method, Method::GET | Method::HEAD);
        if changes && (text(headers, OWN_HEADER) != "1" || !headers.contains_key(ORIGIN)) {
            return Verdict::Foreign;
        }
        Verdict::Allowed
    }

    fn is_host(&self, host: &str) -> bool {
        self.hosts.iter().any(|known| known.eq_ignore_ascii_case(host))
    }

    fn cookie_name(&self) -> String {
        format!("finesse_tap_{}", self.port)
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> &'h str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn same(known: &str, said: &str) -> bool {
    // By their hashes, so that neither length nor content shows in the time it takes.
    let hash = |text: &str| ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    hash(known).as_ref() == hash(said).as_ref()
}

fn random() -> anyhow::Result<String> {
    let mut bytes = [0_u8; 24];
    SystemRandom::new().fill(&mut bytes).map_err(|_| anyhow::anyhow!("the system gives no random numbers"))?;
    Ok(bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::{HeaderName, HeaderValue};

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap()))
            .collect()
    }

    #[test]
    fn only_the_page_that_brought_the_token_once_may_ask() {
        let access = Access::new("127.0.0.1:4711".parse().unwrap()).unwrap();
        let token = access.query().trim_start_matches("?token=").to_owned();
        assert!(access.exchange("guess").is_none());
        let cookie = access.exchange(&token).unwrap();
        assert!(cookie.ends_with("; HttpOnly; SameSite=Strict; Path=/"));
        assert!(access.exchange(&token).is_none() && access.query().is_empty(), "it is good once");
        let cookie = cookie.split(';').next().unwrap().to_owned();
        let own = "http://127.0.0.1:4711";
        for (method, pairs, expected) in [
            (Method::GET, vec![("host", "127.0.0.1:4711"), ("cookie", &*cookie)], Verdict::Allowed),
            (Method::GET, vec![("host", "localhost:4711"), ("cookie", "a=b; finesse_tap_4711=x")], Verdict::Unknown),
            (Method::GET, vec![("host", "127.0.0.1:4711")], Verdict::Unknown),
            (Method::GET, vec![("host", "evil.example:4711"), ("cookie", &cookie)], Verdict::Foreign),
            (Method::GET, vec![("host", "127.0.0.1:80"), ("cookie", &cookie)], Verdict::Foreign),
            (Method::GET, vec![("cookie", &cookie)], Verdict::Foreign),
            (
                Method::GET,
                vec![("host", "127.0.0.1:4711"), ("origin", "http://127.0.0.1:80"), ("cookie", &cookie)],
                Verdict::Foreign,
            ),
            (Method::GET, vec![("host", "127.0.0.1:4711"), ("origin", "null"), ("cookie", &cookie)], Verdict::Foreign),
            (Method::POST, vec![("host", "127.0.0.1:4711"), ("origin", own), ("cookie", &cookie)], Verdict::Foreign),
            (
                Method::POST,
                vec![("host", "127.0.0.1:4711"), ("cookie", &cookie), ("x-finesse-tap", "1")],
                Verdict::Foreign,
            ),
            (
                Method::POST,
                vec![("host", "127.0.0.1:4711"), ("origin", own), ("cookie", &cookie), ("x-finesse-tap", "1")],
                Verdict::Allowed,
            ),
        ] {
            assert_eq!(access.verdict(&method, &headers(&pairs)), expected, "{method} {pairs:?}");
        }
    }
}
