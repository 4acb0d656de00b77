//! Whose session it is, and what came before.

use super::*;

#[test]
fn one_agent_on_one_browser_is_one_session() {
    let mut tracker = Tracker::new(7);
    let at = Moment::default();
    let here = IpAddr::from([127, 0, 0, 1]);
    let there = IpAddr::from([192, 0, 2, 9]);
    let first = tracker.session(here, "1001@finesse.test/desktop", at);
    assert_eq!(tracker.session(here, "1001", at), first);
    assert_eq!(tracker.session(here, "1001@FINESSE.test", at), first);
    assert_ne!(tracker.session(there, "1001", at), first);
    assert_ne!(tracker.session(here, "1002", at).trace, first.trace);
}

#[test]
fn a_session_without_life_ends_and_the_next_is_another() {
    let mut tracker = Tracker::new(7);
    let here = IpAddr::from([127, 0, 0, 1]);
    let first = tracker.session(here, "1001", Moment::default());
    tracker.tick(Moment::default().plus(LINGER - Duration::from_secs(1)));
    assert!(tracker.is_alive(first) && tracker.next_told().is_none());
    let later = Moment::default().plus(LINGER);
    tracker.tick(later);
    assert!(matches!(tracker.next_told().map(|told| told.what), Some(Tale::Summary(_))));
    assert!(!tracker.is_alive(first));
    assert_ne!(tracker.session(here, "1001", later), first);
}

#[test]
fn a_cookie_tells_whose_it_is() {
    let mut tracker = Tracker::new(7);
    let session = tracker.session(IpAddr::from([127, 0, 0, 1]), "1001", Moment::default());
    tracker.cookie(b"abc", session, "1001");
    assert_eq!(tracker.cookie_owner(b"abc"), Some((session, "1001")));
    assert_eq!(tracker.cookie_owner(b"abd"), None);
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
