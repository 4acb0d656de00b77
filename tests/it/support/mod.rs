//! A proxy between a scripted client and a scripted upstream, all in raw bytes over TLS, and the tap's copy of it.

pub mod bulk;
#[cfg(unix)]
pub mod deadline;
pub mod frames;
pub mod hec;
pub mod program;
pub mod receiver;
pub mod rig;
pub mod stage;
pub mod wire;

#[cfg(unix)]
pub use deadline::Deadline;
pub use rig::{Rig, Setup};

use std::time::Duration;

/// Long enough for any step on a loaded machine; a test that meets it has failed.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The one name that the proxies here stand for.
pub const HOST: &str = "finesse.example.test";

/// Awaits a step that has to come.
pub async fn soon<T>(what: &str, step: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, step).await {
        Ok(done) => done,
        Err(_) => panic!("never happened: {what}"),
    }
}

/// A small deterministic generator: the same numbers on every run.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).unwrap()
    }

    pub fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.next() as u8).collect()
    }
}

/// Writes a file that only its owner may read, as secrets are.
pub fn write_private(path: &std::path::Path, text: &str) {
    // What was there keeps its mode.
    let _ = std::fs::remove_file(path);
    let mut options = std::fs::OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    std::io::Write::write_all(&mut options.write(true).create_new(true).open(path).unwrap(), text.as_bytes()).unwrap();
}

/// Whether the outside programs a test needs are there. Without them it is skipped, and said so past the test harness,
/// which would keep a passing test's print to itself; where everything was asked for (`FINESSE_TAP_REAL`), it fails.
pub fn have(test: &str, programs: &[&str]) -> bool {
    let there = |program: &&&str| {
        let mut command = std::process::Command::new(program);
        command.arg("version").stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
        command.stdin(std::process::Stdio::null()).status().is_ok()
    };
    let missing: Vec<&&str> = programs.iter().filter(|program| !there(program)).collect();
    if missing.is_empty() {
        return true;
    }
    assert!(std::env::var_os("FINESSE_TAP_REAL").is_none(), "{test} needs {missing:?}: run tests/run");
    skipped(test, &format!("{missing:?} (run tests/run)"));
    false
}

/// Whether a file that a test needs is there: a module of a program, or a program of a pip package. As [`have`].
pub fn have_file(test: &str, path: &std::path::Path) -> bool {
    if path.exists() {
        return true;
    }
    assert!(std::env::var_os("FINESSE_TAP_REAL").is_none(), "{test} needs {}: run tests/run", path.display());
    skipped(test, &format!("{} (run tests/run)", path.display()));
    false
}

/// Says past the test harness that a test is skipped.
pub fn skipped(test: &str, needs: &str) {
    let line = format!("skipped: {test} needs {needs}\n");
    std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes()).unwrap();
}

/// A file system of 64 KiB, gone with the test; `None` where the system lets us make none.
#[cfg(target_os = "linux")]
pub struct Small(std::path::PathBuf);

#[cfg(target_os = "linux")]
impl Small {
    pub fn mount(at: &std::path::Path) -> Option<Self> {
        std::fs::create_dir(at).unwrap();
        let mut command = std::process::Command::new("mount");
        command.args(["-t", "tmpfs", "-o", "size=64k", "tmpfs"]).arg(at).stderr(std::process::Stdio::null());
        let is_mounted = command.status().is_ok_and(|status| status.success());
        is_mounted.then(|| Self(at.to_owned()))
    }
}

#[cfg(target_os = "linux")]
impl Drop for Small {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// Whether the long forms of tests are asked for.
pub fn long() -> bool {
    std::env::var_os("FINESSE_TAP_LONG").is_some_and(|value| value == "1")
}
