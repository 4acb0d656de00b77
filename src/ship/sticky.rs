//! Cookies by which a balancer keeps a client with one node, and what an answer says of which node it came from. No I/O.
//!
//! Some balancers set the same value in every answer or none at all, others (AWS' `AWSALB`) a new one each time for the
//! same node. So a changed value means another node only where that cookie has been seen to stay. Attributes of cookies
//! (RFC 6265 section 5.2) are not looked at: all requests go to one host, and a cookie of no use does no harm.

use hyper::header::{HeaderMap, HeaderValue, SET_COOKIE};
use std::collections::{BTreeMap, BTreeSet};

/// Longest cookie that is kept, bytes, and how many (RFC 6265 section 6.1).
const MAX_COOKIE_BYTES: usize = 4096;
const MAX_COOKIES: usize = 50;

/// Cookies by name.
#[derive(Clone, PartialEq, Eq, Default)]
pub(super) struct Cookies(BTreeMap<String, String>);

impl Cookies {
    /// Those that an answer sets.
    pub(super) fn set_by(headers: &HeaderMap) -> Self {
        let pair = |value: &HeaderValue| {
            let (name, value) = value.to_str().ok()?.split(';').next()?.split_once('=')?;
            let is_small = name.len() + value.len() <= MAX_COOKIE_BYTES;
            is_small.then(|| (name.trim().to_owned(), value.trim().to_owned()))
        };
        Self(headers.get_all(SET_COOKIE).iter().filter_map(pair).take(MAX_COOKIES).collect())
    }

    /// The `Cookie` field; `None` without cookies.
    pub(super) fn field(&self) -> Option<HeaderValue> {
        let pairs: Vec<String> = self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        HeaderValue::from_str(&pairs.join("; ")).ok().filter(|field| !field.is_empty())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn and(&self, set: &Self) -> Self {
        let mut all = self.clone();
        all.0.extend(set.0.iter().map(|(name, value)| (name.clone(), value.clone())));
        all
    }
}

/// Which node an answer is from, and the cookies that lead there from now on.
#[derive(PartialEq, Eq)]
pub(super) enum Node {
    /// The one that was asked.
    Same(Cookies),
    /// Any: the request named none.
    First(Cookies),
    /// Another than the one that was asked.
    Other(Cookies),
}

/// How a receiver's cookies behave.
#[derive(Default)]
pub(super) struct Habit {
    /// Cookies that have stayed as they were.
    steady: BTreeSet<String>,
}

impl Habit {
    /// Judges the answer to a request with the cookies `sent`.
    pub(super) fn judge(&mut self, sent: &Cookies, set: &Cookies) -> Node {
        let now = sent.and(set);
        if sent.is_empty() {
            return Node::First(now);
        }
        let mut is_other = false;
        for (name, value) in &sent.0 {
            if now.0.get(name) == Some(value) {
                self.steady.insert(name.clone());
            } else {
                is_other |= self.steady.contains(name);
            }
        }
        if is_other { Node::Other(now) } else { Node::Same(now) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cookies(pairs: &[(&str, &str)]) -> Cookies {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(SET_COOKIE, format!("{name}={value}; Path=/; Secure").parse().unwrap());
        }
        Cookies::set_by(&headers)
    }

    #[test]
    fn cookies_go_back_without_their_attributes() {
        assert_eq!(cookies(&[("B", "2"), ("A", "1=x")]).field().unwrap(), "A=1=x; B=2");
        assert!(cookies(&[]).field().is_none());
    }

    #[test]
    fn a_cookie_that_stays_tells_nodes_apart_and_one_that_never_does_tells_nothing() {
        let (none, zero, one) = (cookies(&[]), cookies(&[("N", "0")]), cookies(&[("N", "1")]));
        let mut habit = Habit::default();
        assert!(habit.judge(&none, &zero) == Node::First(zero.clone()));
        // Changed at once: it may always be.
        assert!(habit.judge(&zero, &one) == Node::Same(one.clone()));
        for set in [&one, &none] {
            assert!(habit.judge(&one, set) == Node::Same(one.clone()));
        }
        assert!(habit.judge(&one, &zero) == Node::Other(zero.clone()));
        let beside = cookies(&[("N", "1"), ("COUNT", "7")]);
        assert!(habit.judge(&one, &beside) == Node::Same(beside.clone()));
        let counted = cookies(&[("COUNT", "8")]);
        assert!(matches!(habit.judge(&beside, &counted), Node::Same(_)), "another cookie changes always");
    }
}
