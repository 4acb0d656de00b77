//! The built program as a process, a raw TLS upstream for it, and its capture files.

use super::rig::{provider, self_signed};
use super::{HOST, PATIENCE, soon};
use finesse_tap::tls::certificate::sha256_hex;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use serde_json::Value;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};

/// A run of the program in a directory of its own. Killed when dropped.
pub struct Program {
    child: Child,
    dir: PathBuf,
    stderr: Receiver<String>,
    told: Vec<String>,
    stdout: Option<JoinHandle<Vec<u8>>>,
}

/// How a run ended.
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Program {
    pub fn start(dir: &Path, args: &[&str]) -> Self {
        Self::spawn(dir, args, Stdio::piped())
    }

    pub fn spawn(dir: &Path, args: &[&str], stdout: Stdio) -> Self {
        Self::launch(dir, args, &[], stdout)
    }

    /// With these variables set.
    pub fn start_in(dir: &Path, args: &[&str], variables: &[(&str, &str)]) -> Self {
        Self::launch(dir, args, variables, Stdio::piped())
    }

    fn launch(dir: &Path, args: &[&str], variables: &[(&str, &str)], stdout: Stdio) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_finesse-tap"));
        command.args(args).current_dir(dir).stdin(Stdio::null()).stdout(stdout).stderr(Stdio::piped());
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("FINESSE_TAP_")) {
            command.env_remove(name);
        }
        command.envs(variables.iter().copied());
        let mut child = command.spawn().unwrap();
        let (sender, stderr) = channel();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(|line| drop(sender.send(line))));
        let stdout = child.stdout.take().map(|mut pipe| {
            std::thread::spawn(move || {
                let mut bytes = Vec::new();
                std::io::copy(&mut pipe, &mut bytes).unwrap();
                bytes
            })
        });
        Self { child, dir: dir.to_owned(), stderr, told: Vec::new(), stdout }
    }

    /// Waits for a line on standard error that begins with or, if none does, contains `wanted`; it may have come already.
    pub fn line(&mut self, wanted: &str) -> String {
        if let Some(line) = self.told.iter().find(|line| line.contains(wanted)) {
            return line.clone();
        }
        loop {
            match self.stderr.recv_timeout(PATIENCE) {
                Ok(line) => {
                    self.told.push(line.clone());
                    if line.contains(wanted) {
                        return line;
                    }
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    panic!("no line with `{wanted}` in:\n{}", self.told.join("\n"))
                }
            }
        }
    }

    /// Where it listens.
    pub fn address(&mut self) -> SocketAddr {
        self.line("listening https://").trim_start_matches("listening https://").parse().unwrap()
    }

    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal by its name: `TERM`, `HUP`. Windows has nothing like it that would reach a program from outside its console.
    #[cfg(unix)]
    pub fn signal(&self, name: &str) {
        self.signals(&[name]);
    }

    /// Sends signals by their names, one right after the other.
    pub fn signals(&self, names: &[&str]) {
        let kill: Vec<String> = names.iter().map(|name| format!("kill -{name} {}", self.pid())).collect();
        let kill = kill.join("; ");
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    /// Waits for its end.
    pub fn end(mut self) -> Ended {
        while let Ok(line) = self.stderr.recv_timeout(PATIENCE) {
            self.told.push(line);
        }
        let code = self.child.wait().unwrap().code();
        let stdout = self.stdout.take().map(|thread| thread.join().unwrap()).unwrap_or_default();
        Ended { code, stdout: String::from_utf8(stdout).unwrap(), stderr: self.told.join("\n") }
    }

    /// Tells it to stop and waits for its end.
    #[cfg(unix)]
    pub fn stop(self) -> Ended {
        self.signal("TERM");
        self.end()
    }

    /// A TLS connection to it by a client that trusts its CA.
    pub async fn client(&mut self) -> client::TlsStream<TcpStream> {
        let address = self.address();
        let roots = self.roots();
        soon("TLS with the program", tls(address, roots)).await.unwrap()
    }

    /// The CA it names at start.
    pub fn roots(&mut self) -> Arc<RootCertStore> {
        let line = self.line("ca ");
        let path = line.trim_start_matches("ca ").split(" (to trust").next().unwrap().to_owned();
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(self.dir.join(path)).unwrap()).unwrap();
        Arc::new(roots)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs the program to its end.
pub fn run(dir: &Path, args: &[&str]) -> Ended {
    Program::start(dir, args).end()
}

pub async fn tls(address: SocketAddr, roots: Arc<RootCertStore>) -> std::io::Result<client::TlsStream<TcpStream>> {
    tls_as(HOST, address, roots).await
}

/// A TLS connection to a server that the client knows by this name.
pub async fn tls_as(
    name: &str,
    address: SocketAddr,
    roots: Arc<RootCertStore>,
) -> std::io::Result<client::TlsStream<TcpStream>> {
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let tcp = TcpStream::connect(address).await?;
    tcp.set_nodelay(true)?;
    TlsConnector::from(Arc::new(config)).connect(ServerName::try_from(name.to_owned()).unwrap(), tcp).await
}

/// A scripted upstream.
pub struct Upstream {
    pub address: SocketAddr,
    pub cert: CertificateDer<'static>,
    pub tls: Arc<ServerConfig>,
    listener: TcpListener,
}

impl Upstream {
    pub async fn new() -> Self {
        Self::called(HOST).await
    }

    pub async fn called(name: &str) -> Self {
        let (cert, key) = self_signed(name);
        Self::with(cert, key).await
    }

    /// One that has this certificate.
    pub async fn with(cert: CertificateDer<'static>, key: PrivateKeyDer<'static>) -> Self {
        let tls = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![cert.clone()], key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self { address: listener.local_addr().unwrap(), cert, tls: Arc::new(tls), listener }
    }

    /// The TLS handshake of the next connection.
    pub async fn accept(&self) -> std::io::Result<server::TlsStream<TcpStream>> {
        let (tcp, _) = soon("the program dials", self.listener.accept()).await?;
        tcp.set_nodelay(true)?;
        TlsAcceptor::from(Arc::clone(&self.tls)).accept(tcp).await
    }

    pub fn pin(&self) -> String {
        format!("--upstream-pin=sha256:{}", sha256_hex(&self.cert))
    }
}

/// The options of `run` that lead to an upstream.
pub fn to(address: SocketAddr) -> Vec<String> {
    let (upstream, resolve) = (format!("--upstream={HOST}:{}", address.port()), format!("--resolve={HOST}:127.0.0.1"));
    ["run", "--listen=127.0.0.1:0", &upstream, &resolve].map(str::to_owned).to_vec()
}

/// `run` towards an upstream whose certificate is pinned, with more options.
pub fn tapping(dir: &Path, upstream: &Upstream, more: &[&str]) -> Program {
    let mut args = to(upstream.address);
    args.push(upstream.pin());
    let args: Vec<&str> = args.iter().map(String::as_str).chain(more.iter().copied()).collect();
    Program::start(dir, &args)
}

/// The capture files of a directory in order, each as its lines.
pub fn captures(dir: &Path) -> Vec<(PathBuf, Vec<Value>)> {
    let mut paths: Vec<_> = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let lines = |path: &PathBuf| {
        let text = std::fs::read_to_string(path).unwrap();
        assert!(text.ends_with('\n') || text.is_empty(), "{} is torn", path.display());
        crate::contract::assert_valid(&text);
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    paths.iter().map(|path| (path.clone(), lines(path))).collect()
}

/// The values of `event.action`, of what was seen: not of what was concluded from it (findings, summaries) or lost.
pub fn actions(lines: &[Value]) -> Vec<&str> {
    let actions = lines.iter().map(|line| line["event"]["action"].as_str().unwrap());
    actions.filter(|action| !["finding", "session-summary", "capture-gap"].contains(action)).collect()
}

/// Asserts that the numbered events are whole: 1, 2, 3 …
pub fn assert_without_holes<'l>(lines: impl IntoIterator<Item = &'l Value>) {
    let found: Vec<u64> = lines.into_iter().filter_map(|line| line["event"]["sequence"].as_u64()).collect();
    assert_eq!(found, (1..=found.len() as u64).collect::<Vec<_>>());
    assert!(!found.is_empty());
}
