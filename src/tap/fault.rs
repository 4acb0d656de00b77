//! Where tests make decoding panic in the middle. Nothing of it ships.

use std::cell::Cell;

thread_local! {
    static TRIGGER: Cell<Option<&'static str>> = const { Cell::new(None) };
}

/// From now on, in this thread, what has this in it is more than decoding stands.
pub(super) fn set(trigger: &'static str) {
    TRIGGER.set(Some(trigger));
}

/// A place that panics over the trigger.
pub(super) fn point(text: &str) {
    if TRIGGER.get().is_some_and(|trigger| text.contains(trigger)) {
        std::panic::resume_unwind(Box::new("injected"));
    }
}
