//! Signals: Ctrl-C and SIGTERM drain, SIGHUP reloads and begins a new capture file; on Windows Ctrl-C, closing the console,
//! logging off and shutting down drain, Ctrl-Break does what SIGHUP does elsewhere.

use anyhow::Context as _;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Exit code when a second signal cuts the draining short: 128 + SIGINT, as shells have it.
const IMPATIENT: i32 = 130;

enum Told {
    Stop,
    Again,
}

impl Signals {
    /// From here on signals wait to be passed on. Must be called within a runtime.
    pub(super) fn install() -> anyhow::Result<Self> {
        Self::new().context("watch signals")
    }

    /// Waits until the program is told to stop.
    pub(super) async fn stop(mut self) {
        while !matches!(self.next().await, Told::Stop) {}
    }

    /// Passes signals on until the program ends, the last flush included. A second request to stop ends it at once;
    /// `hung_up` is what SIGHUP does.
    pub(super) fn watch(self, shutdown: CancellationToken, hung_up: impl Fn() + Send + 'static) {
        TaskTracker::new().spawn(pass_on(self, shutdown, hung_up));
    }
}

async fn pass_on(mut signals: Signals, shutdown: CancellationToken, hung_up: impl Fn() + Send) {
    loop {
        match signals.next().await {
            Told::Again => hung_up(),
            Told::Stop if shutdown.is_cancelled() => {
                tracing::warn!("stopped without waiting for connections; the last events may be missing");
                std::process::exit(IMPATIENT);
            }
            Told::Stop => {
                tracing::info!("stopping: connections may finish; once more to stop at once");
                shutdown.cancel();
            }
        }
    }
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
            _ = self.close.recv() => Told::Stop,
            _ = self.logoff.recv() => Told::Stop,
            _ = self.shutdown.recv() => Told::Stop,
            _ = self.hangup.recv() => Told::Again,
        }
    }
}
