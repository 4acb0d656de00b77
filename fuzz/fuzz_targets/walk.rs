//! Every walker alone: any text as anything, at every level. Nothing panics, what was treated is not treated again, and what a
//! level removes is not there.
#![no_main]

use finesse_tap::capture::Redactor;
use finesse_tap::capture::policy::{Level, What};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u8, &str)| {
    let (what, text) = input;
    let what = What::ALL[usize::from(what) % What::ALL.len()];
    for level in [Level::Auth, Level::Share, Level::Minimal] {
        let mut redactor = Redactor::with_key(level, &[7; 32]).expect("key");
        let once = redactor.text(what, text);
        if level > Level::Auth && matches!(what, What::Sentence | What::Word | What::Login | What::Phone | What::Host) {
            assert_eq!(redactor.text(what, &once), once, "{what:?} at {level}");
        }
        if matches!(what, What::Credential) && text.trim().len() > 24 {
            assert!(!once.contains(text.trim()), "{level}: {once}");
        }
    }
});
