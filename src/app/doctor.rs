//! `doctor`: a configuration becomes an examination, printed as it goes or as one document.
//!
//! Reads the password and keeps it from everything that prints. Progress is on standard error, and only on a terminal.

use super::pin::{self, Wanted};
use super::{prepare_process, runtime};
use crate::cli::{DEFAULT_CERTS, DoctorFlags, Format};
use crate::clock;
use crate::config::Problem;
use crate::doctor::{self, Credentials, Question, Step, Verdict, Watch, Way, text};
use crate::tls::upstream::ClientCertificate;
use crate::tls::{ca, upstream};
use anyhow::{Context as _, bail};
use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::path::Path;

/// Longest password, bytes; access tokens are some thousand.
const PASSWORD_MAX_BYTES: usize = 64 * 1024;

/// Examines a server.
///
/// # Errors
/// A step failed, or something kept it from being taken: the password, a file, standard output.
pub fn doctor(config: DoctorFlags) -> anyhow::Result<()> {
    prepare_process();
    // A file that cannot be read is no finding about the server.
    let runtime = runtime()?;
    let mut trust = config.trust.trust();
    if config.trust.asks() {
        let (servers, resolve) = (vec![config.server.clone()], &*config.resolve);
        let wanted = Wanted { servers, resolve, certs: &config.certs, limit: config.timeout, trust: &trust };
        trust = runtime.block_on(pin::settle(&wanted))?;
    }
    let client = config.trust.client_identity();
    let client = client.map(|identity| ClientCertificate { cert: identity.cert, key: identity.key });
    upstream::Upstream::new(&trust, client.as_ref(), None)?;
    let credentials = match config.user {
        Some(user) => Some(Credentials { password: password(&user, config.password_stdin)?, user }),
        None => None,
    };
    let question = Question {
        proxy_ca: ca::certificate_path(&config.certs, &config.server.host, clock::now())?,
        certs: Some(config.certs).filter(|dir| dir.as_path() != Path::new(DEFAULT_CERTS)),
        server: config.server,
        resolve: config.resolve,
        trust,
        client,
        through: config.through,
        credentials,
        limit: config.timeout,
    };
    let mut terminal = Terminal { format: config.format, progress: io::stderr().is_terminal(), lost: None };
    let diagnosis = runtime.block_on(doctor::examine(&question, &mut terminal));
    // The system's resolver cannot be interrupted, but need not be waited for.
    runtime.shutdown_background();
    match config.format {
        Format::Text => terminal.print(&text::ending(&diagnosis)),
        Format::Json => terminal.print(&(serde_json::to_string_pretty(&diagnosis)? + "\n")),
    }
    if let Some(error) = terminal.lost.filter(|error| error.kind() != io::ErrorKind::BrokenPipe) {
        return Err(error).context("write to standard output");
    }
    let failed: Vec<&str> =
        diagnosis.steps().filter(|step| step.verdict == Verdict::Fail).map(|step| step.name).collect();
    if failed.is_empty() {
        return Ok(());
    }
    let advice = match config.format {
        Format::Text => "what to do is said above, behind the arrows and at the end",
        Format::Json => "what to do is in the document, in `advice` and `next`",
    };
    bail!("failed: {}\nhint: {advice}", failed.join(", "))
}

/// Typed unseen on a terminal; else all of standard input, a line end behind it aside.
fn password(user: &str, from_input: bool) -> anyhow::Result<String> {
    if io::stdin().is_terminal() {
        return rpassword::prompt_password(format!("Password of {user}: ")).context("ask for the password");
    }
    if !from_input {
        let problem = Problem::new("--user: standard input is no terminal to type a password at");
        return Err(problem.hint("add --password-stdin to read it from there").into());
    }
    let mut password = String::new();
    let limit = u64::try_from(PASSWORD_MAX_BYTES).unwrap_or(u64::MAX) + 1;
    // The error is left out on purpose: it could only be about the text.
    if io::stdin().lock().take(limit).read_to_string(&mut password).is_err() {
        bail!("the password on standard input cannot be read as UTF-8");
    }
    if password.len() > PASSWORD_MAX_BYTES {
        bail!("what is on standard input is too long for a password");
    }
    // PowerShell may put a byte order mark before what it pipes.
    if password.starts_with('\u{feff}') {
        password.remove(0);
    }
    for end in ['\n', '\r'] {
        if password.ends_with(end) {
            password.pop();
        }
    }
    if password.is_empty() {
        bail!("no password is on standard input\nhint: finesse-tap doctor … --password-stdin < FILE");
    }
    if password.contains('\0') {
        bail!("the password on standard input holds a NUL, which XMPP cannot carry");
    }
    Ok(password)
}

/// Prints steps as they come.
struct Terminal {
    format: Format,
    progress: bool,
    /// Why standard output takes no more.
    lost: Option<io::Error>,
}

impl Terminal {
    fn print(&mut self, text: &str) {
        if self.lost.is_none() {
            let mut output = anstream::stdout().lock();
            self.lost = output.write_all(text.as_bytes()).and_then(|()| output.flush()).err();
        }
    }

    /// Writes over the line of progress.
    fn progress(&self, text: &str) {
        if self.progress {
            let _ = write!(anstream::stderr(), "\r\x1b[K{text}");
        }
    }
}

impl Watch for Terminal {
    fn way(&mut self, server: &str, way: Way) {
        if self.format == Format::Text {
            self.print(&text::way(server, way));
        }
    }

    fn begins(&mut self, step: &'static str) {
        self.progress(&format!("  …       {step}"));
    }

    fn ends(&mut self, step: &Step) {
        self.progress("");
        if self.format == Format::Text {
            self.print(&text::step(step));
        }
    }
}
