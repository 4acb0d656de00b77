//! Keys that are pressed while the live view is on are not shown between its lines.
//!
//! Only on a terminal, only in the foreground (a background job that changes its terminal is stopped), and only until the run
//! ends, however it ends. Ctrl-C and Ctrl-Z work as ever.

use std::io::{IsTerminal as _, stderr};
use std::sync::{Mutex, PoisonError};

/// How the terminal was before.
static BEFORE: Mutex<Option<platform::Mode>> = Mutex::new(None);

/// Keys are not shown until this is dropped.
pub(super) struct Silence;

impl Silence {
    /// From now on, if what is shown goes to a terminal.
    pub(super) fn begin() -> Self {
        if stderr().is_terminal() {
            *BEFORE.lock().unwrap_or_else(PoisonError::into_inner) = platform::silence();
        }
        Self
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        end();
    }
}

/// Keys are shown again.
pub(super) fn end() {
    if let Some(mode) = BEFORE.lock().unwrap_or_else(PoisonError::into_inner).take() {
        platform::restore(&mode);
    }
}

#[cfg(unix)]
mod platform {
    use rustix::process::getpgrp;
    use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetpgrp, tcsetattr};
    use std::io::stdin;

    pub(super) type Mode = Termios;

    pub(super) fn silence() -> Option<Mode> {
        let before = tcgetattr(stdin()).ok()?;
        if tcgetpgrp(stdin()).ok()? != getpgrp() {
            return None;
        }
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(stdin(), OptionalActions::Now, &silent).ok()?;
        Some(before)
    }

    pub(super) fn restore(mode: &Mode) {
        // What was typed meanwhile was meant for nobody.
        let _ = tcsetattr(stdin(), OptionalActions::Flush, mode);
    }
}

#[cfg(windows)]
mod platform {
    use winapi_util::HandleRef;
    use winapi_util::console::{mode, set_mode};

    pub(super) type Mode = u32;

    const ENABLE_ECHO_INPUT: u32 = 0x4;

    pub(super) fn silence() -> Option<Mode> {
        let before = mode(HandleRef::stdin()).ok()?;
        set_mode(HandleRef::stdin(), before & !ENABLE_ECHO_INPUT).ok()?;
        Some(before)
    }

    pub(super) fn restore(mode: &Mode) {
        let _ = set_mode(HandleRef::stdin(), *mode);
    }
}

#[cfg(not(any(unix, windows)))]
mod platform {
    pub(super) type Mode = ();

    pub(super) fn silence() -> Option<Mode> {
        None
    }

    pub(super) fn restore(_mode: &Mode) {}
}
