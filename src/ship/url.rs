//! Where a receiver is: `https://host:port/prefix` as a person types it, checked, without credentials.
//!
//! Knows nothing of what is said there. User names and passwords in a URL are refused: process lists and logs would show them.

use crate::conn::Authority;
use hyper::Uri;
use std::fmt;

/// A receiver's base URL.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Url {
    /// Whether TLS is spoken.
    pub scheme: Scheme,
    /// Host and port.
    pub authority: Authority,
    /// Path in front of every request's own, without a slash at its end: empty for most.
    pub prefix: String,
}

/// How a receiver is spoken to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scheme {
    /// In the clear.
    Http,
    /// Over TLS.
    Https,
}

impl Scheme {
    fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    fn port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

impl Url {
    /// Reads a URL.
    ///
    /// # Errors
    /// A sentence about what is wrong with it, which quotes nothing that may be a password.
    pub fn parse(text: &str) -> Result<Self, String> {
        let uri: Uri = text.trim().parse().map_err(|_| "is not a URL such as https://HOST:PORT".to_owned())?;
        let scheme = match uri.scheme_str() {
            Some("https") => Scheme::Https,
            Some("http") => Scheme::Http,
            _ => return Err("does not begin with https:// or http://".to_owned()),
        };
        let authority = uri.authority().ok_or("names no host")?.as_str();
        if authority.contains('@') {
            return Err("holds a user name or password, which process lists would show: put it into a file".to_owned());
        }
        if uri.query().is_some() {
            return Err("has a query; only a path may follow the host".to_owned());
        }
        let authority = Authority::parse(authority, scheme.port())?;
        Ok(Self { scheme, authority, prefix: uri.path().trim_end_matches('/').to_owned() })
    }

    /// The URL of `path`, which begins with a slash.
    #[must_use]
    pub fn path(&self, path: &str) -> String {
        format!("{}{path}", self.prefix)
    }

    /// The same as a proxy is to have it, host and all.
    pub(super) fn whole(&self, path: &str) -> String {
        format!("{self}{path}")
    }

    /// As the Host field names it.
    #[must_use]
    pub fn host_field(&self) -> String {
        let text = self.authority.to_string();
        let usual = format!(":{}", self.scheme.port());
        text.strip_suffix(&usual).map_or(text.clone(), str::to_owned)
    }

    /// Whether nobody but this machine can listen in: TLS, or a loopback address.
    #[must_use]
    pub fn is_private(&self) -> bool {
        self.scheme == Scheme::Https || self.is_loopback()
    }

    /// Whether it is on this machine.
    pub(super) fn is_loopback(&self) -> bool {
        let host = &self.authority.host;
        host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme.as_str(), self.host_field(), self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read_as_they_are_written() {
        let url = Url::parse("https://Splunk.example.test:8088/").unwrap();
        assert_eq!((url.to_string(), url.path("/x")), ("https://splunk.example.test:8088".into(), "/x".into()));
        let url = Url::parse("https://es.example.test/behind/").unwrap();
        assert_eq!(url.authority.port, 443);
        assert_eq!((url.to_string(), url.path("/x")), ("https://es.example.test/behind".into(), "/behind/x".into()));
        assert_eq!(Url::parse("http://[::1]:9200").unwrap().host_field(), "[::1]:9200");
    }

    #[test]
    fn what_is_no_plain_url_is_refused_without_quoting_it() {
        for text in ["splunk:8088", "ftp://h", "https://u:canary@h", "https://h?token=canary", "https://", "h h", ""] {
            let why = Url::parse(text).unwrap_err();
            assert!(!why.contains("canary"), "{why}");
        }
    }

    #[test]
    fn only_tls_and_loopback_are_private() {
        let private = |text| Url::parse(text).unwrap().is_private();
        assert!(
            private("https://h")
                && private("http://127.0.0.2:1")
                && private("http://[::1]")
                && private("http://localhost")
        );
        assert!(!private("http://h") && !private("http://10.0.0.1") && !private("http://localhost.example"));
    }
}
