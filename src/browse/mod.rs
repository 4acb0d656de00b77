//! A browser of its own, for which exactly the fronted servers are at the proxy, and exactly the proxy's certificates are fine.
//!
//! [`find()`] looks for Chrome, Edge or Chromium; [`Browser::start`] runs it with a profile that is made for it and deleted
//! with it. The address bar shows the server's real name and port, whatever port the proxy listens on; nothing on the machine
//! is changed, no other browser and no other profile. Knows no proxy: who listens where is told by a [`Visit`].

mod arguments;
mod find;
mod profile;

pub use arguments::{Visit, reachable};
pub use find::{Found, find};

use anyhow::{Context as _, anyhow, bail};
use profile::Profile;
use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio::time::sleep;

/// What a browser needs to be told on Linux where the superuser starts it.
const NO_SANDBOX: &str = "--no-sandbox";

/// On Linux a browser leaves a directory with a socket among the temporary files, which had better be in its profile. A
/// socket's path has 108 bytes (`unix(7)`), of which this is what Chromium's own names leave.
const TEMPORARY_BYTES: usize = if cfg!(target_os = "linux") { 60 } else { 0 };

/// How long a browser may take to end when it is asked to.
const PATIENCE: Duration = Duration::from_secs(3);
/// The same where there is hurry. Chromium takes most of a second.
const HASTE: Duration = Duration::from_secs(1);

/// A running browser and its profile.
pub struct Browser {
    child: Child,
    profile: Profile,
}

impl Browser {
    /// Starts a browser, which opens what it is to visit. Must be called within a runtime.
    ///
    /// # Errors
    /// It cannot be started, or its profile cannot be made. The text ends in what to do.
    pub fn start(found: &Found, visit: &Visit) -> anyhow::Result<Self> {
        if !may_start(&visit.arguments) {
            bail!(
                "browsers refuse to run for root with their sandbox\nhint: start it as another user, or, if what it will show can be trusted, add --browser-arg={NO_SANDBOX}"
            );
        }
        let profile = Profile::create(found.profiles.as_deref())?;
        let said = profile.said().context("hand over the file for what the browser says")?;
        let mut command = Command::new(&found.program);
        if profile.path().as_os_str().len() <= TEMPORARY_BYTES {
            command.env("TMPDIR", profile.path());
        }
        let child = command
            .args(visit.arguments(profile.path()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(said)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| {
                anyhow!("start {}: {error}\nhint: name another with --browser PATH", found.program.display())
            })?;
        Ok(Self { child, profile })
    }

    /// Where its profile lies.
    #[must_use]
    pub fn profile(&self) -> &Path {
        self.profile.path()
    }

    /// Waits until it is closed. May be dropped and called again.
    ///
    /// # Errors
    /// It ended in a failure; the text holds its last words.
    pub async fn closed(&mut self) -> anyhow::Result<()> {
        let status = self.child.wait().await.context("wait for the browser")?;
        if status.success() {
            return Ok(());
        }
        match self.profile.last_words() {
            Some(words) => bail!("the browser ended with {status}: {words}"),
            None => bail!("the browser ended with {status}"),
        }
    }

    /// Ends it if it still runs, and deletes its profile. When `hurry` comes it has little time.
    ///
    /// # Errors
    /// The profile cannot be deleted; the text says where it is.
    pub async fn end(mut self, hurry: impl Future<Output = ()>) -> anyhow::Result<()> {
        if self.is_asked_to_end() {
            tokio::select! {
                _ = self.child.wait() => {}
                () = sleep(PATIENCE) => {}
                () = async { hurry.await; sleep(HASTE).await; } => {}
            }
        }
        match self.child.kill().await {
            // It is gone already.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => {}
            ended => ended.context("end the browser")?,
        }
        self.profile.delete().await
    }

    /// A browser that is killed leaves things behind outside its profile.
    #[cfg(unix)]
    fn is_asked_to_end(&self) -> bool {
        use rustix::process::{Pid, Signal, kill_process};
        let pid = self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        pid.is_some_and(|pid| kill_process(pid, Signal::TERM).is_ok())
    }

    /// A program without a console of its own cannot be asked.
    #[cfg(not(unix))]
    fn is_asked_to_end(&self) -> bool {
        false
    }
}

/// Whether a browser with these arguments would start for this user.
#[must_use]
pub fn may_start(arguments: &[OsString]) -> bool {
    !is_superuser() || arguments.iter().any(|argument| argument == NO_SANDBOX)
}

/// Whether programs that give up rights for a sandbox will refuse to.
fn is_superuser() -> bool {
    #[cfg(target_os = "linux")]
    {
        rustix::process::geteuid().is_root()
    }
    #[cfg(not(target_os = "linux"))]
    false
}

/// A variable of the environment, such as `PATH`.
pub type Variable<'v> = &'v dyn Fn(&str) -> Option<OsString>;
