//! Whose session it is, and what came before.

use super::*;

#[test]
fn one_agent_on_one_browser_is_one_session() {
    let mut tracker = Tracker::new(7);
    let at = Moment::default();
    let here = IpAddr::from([127, 0, 0, 1]);
    let there = IpAddr::from([192, 0, 2, 9]);
    let first = tracker.session(here, "1001@finesse.test/desktop", None, at);
    assert_eq!(tracker.session(here, "1001", None, at), first);
    assert_eq!(tracker.session(here, "1001@FINESSE.test", None, at), first);
    assert_ne!(tracker.session(there, "1001", None, at), first);
    assert_ne!(tracker.session(here, "1002", None, at).trace, first.trace);
}

#[test]
fn a_session_without_life_ends_and_the_next_is_another() {
    let mut tracker = Tracker::new(7);
    let here = IpAddr::from([127, 0, 0, 1]);
    let first = tracker.session(here, "1001", None, Moment::default());
    tracker.tick(Moment::default().plus(LINGER - Duration::from_secs(1)));
    assert!(tracker.is_alive(first) && tracker.next_told().is_none());
    let later = Moment::default().plus(LINGER);
    tracker.tick(later);
    assert!(matches!(tracker.next_told().map(|told| told.what), Some(Tale::Summary(_))));
    assert!(!tracker.is_alive(first));
    assert_ne!(tracker.session(here, "1001", None, later), first);
}

#[test]
fn a_cookie_tells_whose_it_is() {
    let mut tracker = Tracker::new(7);
    let session = tracker.session(IpAddr::from([127, 0, 0, 1]), "1001", None, Moment::default());
    tracker.cookie(tracker.mark(b"abc"), session, "1001");
    assert_eq!(tracker.cookie_owner(tracker.mark(b"abc")), Some((session, "1001")));
    assert_eq!(tracker.cookie_owner(tracker.mark(b"abd")), None);
}

#[test]
fn the_same_change_seen_twice_has_the_same_past() {
    let mut tracker = Tracker::new(7);
    let mut state = |state: &str, changed| tracker.user_state("1001", state, Some(changed)).0;
    assert_eq!(state("NOT_READY", "t1"), None);
    assert_eq!(state("READY", "t2"), Some("NOT_READY".into()));
    assert_eq!(state("READY", "t2"), Some("NOT_READY".into()));
    assert_eq!(state("NOT_READY", "t3"), Some("READY".into()));
}

#[test]
fn a_transaction_is_known_by_its_request_id() {
    assert_eq!(transaction("a").len(), 16);
    assert_eq!(transaction("a"), transaction("a"));
    assert_ne!(transaction("a"), transaction("b"));
}

#[test]
fn instances_that_share_a_key_agree_on_whose_login_it_is() {
    let here = IpAddr::from([127, 0, 0, 1]);
    let of = |run: u128, key: Option<u8>, user: &str, cookie: Option<&[u8]>| {
        let tracker = Tracker::new(run);
        let mut tracker = match key {
            Some(key) => tracker.sharing(&[key; 32]),
            None => tracker,
        };
        let cookie = cookie.map(|cookie| tracker.mark(cookie));
        tracker.session(here, user, cookie, Moment::default()).trace
    };
    let first = of(1, Some(7), "1001@finesse.test/desktop", Some(b"abc"));
    assert_eq!(of(2, Some(7), "1001", Some(b"abc")), first, "another instance");
    assert_ne!(of(2, Some(7), "1002", Some(b"abc")), first, "another agent");
    assert_ne!(of(2, Some(7), "1001", Some(b"abd")), first, "a later login");
    assert_ne!(of(2, Some(8), "1001", Some(b"abc")), first, "another key");
    assert_ne!(of(2, None, "1001", Some(b"abc")), of(1, None, "1001", Some(b"abc")), "no key");
    assert_ne!(of(2, Some(7), "1001", None), of(1, Some(7), "1001", None), "no cookie");
    // Parts do not run into one another.
    assert_ne!(of(1, Some(7), "1", Some(b"11")), of(1, Some(7), "11", Some(b"1")));
}
