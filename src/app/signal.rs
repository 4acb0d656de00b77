//! Signals: Ctrl-C and SIGTERM drain, once more they stop at once; SIGHUP is for who watches. On Windows Ctrl-C drains, closing
//! the console, logging off and shutting down stop at once, Ctrl-Break is what SIGHUP is elsewhere.
//!
//! At once means without waiting for connections: the work ends as it always does, so that nothing is left behind. Only if
//! that takes too long the process ends in the middle of it.

use crate::clock::{self, Moment};
use crate::proxy::Orders;
use anyhow::Context as _;
use std::time::Duration;
use tokio_util::task::TaskTracker;

/// Exit code of a program that was stopped at once: 128 + SIGINT, as shells have it.
pub const STOPPED_AT_ONCE: u8 = 130;

/// `timeout` and shells signal a process and then its group: what comes so soon after the first is the same request.
const ONE_REQUEST_MS: u64 = 300;

/// How long stopping at once may take: more than a browser's profile takes to be deleted.
const LAST_RESORT: Duration = Duration::from_secs(8);

/// A program was stopped at once, as it was told. There is nothing to say about that, but the exit code is
/// [`STOPPED_AT_ONCE`].
#[derive(Debug, thiserror::Error)]
#[error("stopped at once")]
pub struct StoppedAtOnce;

/// An error if it was told to stop at once.
pub(super) fn ended(orders: &Orders) -> anyhow::Result<()> {
    if orders.cut.is_cancelled() { Err(StoppedAtOnce.into()) } else { Ok(()) }
}

enum Told {
    Stop,
    /// There is no time: the system is about to end the process.
    #[cfg(windows)]
    StopAtOnce,
    Again,
}

impl Signals {
    /// From here on signals wait to be passed on. Must be called within a runtime.
    pub(super) fn install() -> anyhow::Result<Self> {
        Self::new().context("watch signals")
    }

    /// Turns signals into `orders` until the program ends, the last flush included; `hung_up` is what SIGHUP does.
    pub(super) fn watch(self, orders: Orders, hung_up: impl Fn() + Send + 'static) {
        TaskTracker::new().spawn(pass_on(self, orders, hung_up));
    }
}

async fn pass_on(mut signals: Signals, orders: Orders, hung_up: impl Fn() + Send) {
    let mut first: Option<Moment> = None;
    loop {
        match (signals.next().await, first) {
            (Told::Again, _) => hung_up(),
            (Told::Stop, None) => {
                tracing::info!("stopping; press Ctrl-C again to force");
                first = Some(clock::now());
                orders.drain.cancel();
            }
            (Told::Stop, Some(first)) if clock::now().ms_since(first) < ONE_REQUEST_MS => {}
            (Told::Stop, Some(_)) => break,
            #[cfg(windows)]
            (Told::StopAtOnce, _) => break,
        }
    }
    tracing::warn!("stopping at once");
    orders.drain.cancel();
    orders.cut.cancel();
    tokio::time::sleep(LAST_RESORT).await;
    tracing::warn!("ended in the middle of stopping; the last events may be missing");
    super::echo::end();
    std::process::exit(STOPPED_AT_ONCE.into());
}

/// The signals this program listens to.
#[cfg(unix)]
pub(super) struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hangup: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> Told {
        tokio::select! {
            _ = self.interrupt.recv() => Told::Stop,
            _ = self.terminate.recv() => Told::Stop,
            _ = self.hangup.recv() => Told::Again,
        }
    }
}

/// The signals this program listens to.
#[cfg(windows)]
pub(super) struct Signals {
    interrupt: tokio::signal::windows::CtrlC,
    close: tokio::signal::windows::CtrlClose,
    logoff: tokio::signal::windows::CtrlLogoff,
    shutdown: tokio::signal::windows::CtrlShutdown,
    hangup: tokio::signal::windows::CtrlBreak,
}

#[cfg(windows)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::windows;
        Ok(Self {
            interrupt: windows::ctrl_c()?,
            close: windows::ctrl_close()?,
            logoff: windows::ctrl_logoff()?,
            shutdown: windows::ctrl_shutdown()?,
            hangup: windows::ctrl_break()?,
        })
    }

    async fn next(&mut self) -> Told {
        tokio::select! {
            _ = self.interrupt.recv() => Told::Stop,
            _ = self.close.recv() => Told::StopAtOnce,
            _ = self.logoff.recv() => Told::StopAtOnce,
            _ = self.shutdown.recv() => Told::StopAtOnce,
            _ = self.hangup.recv() => Told::Again,
        }
    }
}
