//! How `finesse-tap reload` finds a run and speaks with it: a file beside the CA, and a port of 127.0.0.1.
//!
//! `CERTS_DIR/run-PID.json`, readable by its owner only, names the port and a token; who does not send the token gets no
//! answer. One line is asked (`reload TOKEN`), text answers up to the end: `ok` or `failed` on the first line. The file goes
//! with the run; one left behind by a run that was killed is removed by whoever finds nobody there.

use crate::tls::ca::{private_dir, write_private};
use anyhow::Context as _;
use ring::rand::SecureRandom as _;
use serde::{Deserialize, Serialize};
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;
use tokio_util::task::TaskTracker;

/// Longest question, bytes.
const QUESTION_MAX_BYTES: u64 = 256;

/// Time to ask; nothing long is asked.
const QUESTION_LIMIT: Duration = Duration::from_secs(5);

/// Where the answer to a reload goes; `None` for a signal, which has none.
pub(super) type Asker = Option<oneshot::Sender<Result<Vec<String>, String>>>;

/// What the file of a run says. No `Debug`: it holds a secret.
#[derive(Serialize, Deserialize)]
pub(super) struct RunFile {
    /// Its process.
    pub(super) pid: u32,
    /// Where it is asked.
    pub(super) control: SocketAddr,
    token: String,
}

/// A run that can be asked. Dropped, it cannot any more, and its file is gone.
pub(super) struct Control {
    path: PathBuf,
    /// The directory, if it was made for the file.
    made: Option<PathBuf>,
    _serving: AbortOnDropHandle<()>,
}

impl Control {
    /// Listens, and says so in a file in `dir`. Without either the program runs, but cannot be asked; that is told.
    pub(super) async fn open(dir: &Path, asking: mpsc::Sender<Asker>) -> Option<Self> {
        match Self::try_open(dir, asking).await {
            Ok(control) => Some(control),
            Err(error) => {
                tracing::warn!(error = format!("{error:#}"), "`finesse-tap reload` will not find this run");
                None
            }
        }
    }

    async fn try_open(dir: &Path, asking: mpsc::Sender<Asker>) -> anyhow::Result<Self> {
        let mut token = [0_u8; 16];
        ring::rand::SystemRandom::new().fill(&mut token).ok().context("the system gives no random numbers")?;
        let token: String = token.iter().map(|byte| format!("{byte:02x}")).collect();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("listen for control")?;
        let run = RunFile { pid: std::process::id(), control: listener.local_addr()?, token };
        let path = dir.join(format!("run-{}.json", run.pid));
        let made = (!dir.exists()).then(|| dir.to_owned());
        private_dir(dir)?;
        // Of an earlier process with this number.
        let _ = fs::remove_file(&path);
        write_private(&path, &serde_json::to_string(&run)?)?;
        let serving = TaskTracker::new().spawn(serve(listener, run.token, asking));
        Ok(Self { path, made, _serving: AbortOnDropHandle::new(serving) })
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
        if let Some(dir) = &self.made {
            // What holds anything else stays.
            let _ = fs::remove_dir(dir);
        }
    }
}

/// Tells the asker, if there is one, how it went.
pub(super) fn answer(asker: Asker, outcome: anyhow::Result<Vec<String>>) {
    if let Some(asker) = asker {
        // Who asked may have gone.
        let _ = asker.send(outcome.map_err(|error| super::explained(&error)));
    }
}

/// One question at a time; nobody is kept from asking for long.
async fn serve(listener: TcpListener, token: String, asking: mpsc::Sender<Asker>) {
    loop {
        let Ok((mut tcp, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let mut question = String::new();
        let mut reader = BufReader::new((&mut tcp).take(QUESTION_MAX_BYTES));
        let asked = timeout(QUESTION_LIMIT, reader.read_line(&mut question)).await;
        if !matches!(asked, Ok(Ok(_))) || question.trim_end() != format!("reload {token}") {
            continue;
        }
        let (asker, answered) = oneshot::channel();
        if asking.send(Some(asker)).await.is_err() {
            return;
        }
        let text = match answered.await {
            Ok(Ok(lines)) => format!("ok\n{}\n", lines.join("\n")),
            Ok(Err(why)) => format!("failed\n{why}\n"),
            Err(_) => continue,
        };
        let told = async {
            tcp.write_all(text.as_bytes()).await?;
            tcp.shutdown().await
        };
        let _ = timeout(QUESTION_LIMIT, told).await;
    }
}

/// The runs that have a file in `dir`. One that was killed could not remove its own; that is done here.
///
/// # Errors
/// The directory cannot be read.
pub(super) async fn runs(dir: &Path) -> anyhow::Result<Vec<(PathBuf, RunFile)>> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.with_context(|| format!("read {}", dir.display()))?,
    };
    let mut runs = Vec::new();
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with("run-") || !name.ends_with(".json") {
            continue;
        }
        let text = fs::read_to_string(entry.path()).with_context(|| format!("read {}", entry.path().display()))?;
        // The parser's error is dropped: it may quote the file.
        let Ok(run) = serde_json::from_str::<RunFile>(&text) else { continue };
        match TcpStream::connect(run.control).await {
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => drop(fs::remove_file(entry.path())),
            _ => runs.push((entry.path(), run)),
        }
    }
    runs.sort_by_key(|(_, run)| run.pid);
    Ok(runs)
}

/// Asks a run to reload: what changed, or why nothing did. `None` if nobody is there.
///
/// # Errors
/// It did not answer.
pub(super) async fn ask(run: &RunFile, limit: Duration) -> anyhow::Result<Option<Result<String, String>>> {
    let Ok(Ok(mut tcp)) = timeout(limit, TcpStream::connect(run.control)).await else { return Ok(None) };
    let mut text = String::new();
    let asked = async {
        tcp.write_all(format!("reload {}\n", run.token).as_bytes()).await?;
        tcp.read_to_string(&mut text).await
    };
    timeout(limit, asked).await.context("it does not answer")?.context("it does not answer")?;
    match text.split_once('\n') {
        Some(("ok", told)) => Ok(Some(Ok(told.to_owned()))),
        Some(("failed", why)) => Ok(Some(Err(why.trim_end().to_owned()))),
        // Another program has the port by now.
        _ => Ok(None),
    }
}
