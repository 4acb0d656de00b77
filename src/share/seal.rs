//! A bundle on its way through the `age` program: what is written goes into its standard input, what it encrypts into the
//! file. Nothing lies on the disk in between.
//!
//! All of the cryptography is age's (<https://age-encryption.org>), so that every kind of recipient that the installed
//! program knows will do. [`Recipient::check`] asks it before any capture is read.

use crate::stored::ReadToEndOf as _;
use anyhow::{Context as _, bail};
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read as _, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::str::FromStr;

/// The program, as `PATH` finds it.
const AGE: &str = "age";

/// Most that is read of what it says, bytes.
const MAX_SAID_BYTES: u64 = 16 << 10;

/// How to get it.
const GET_AGE: &str = "\
install age (`apt install age`, `dnf install age`, `brew install age`, `winget install FiloSottile.age`, \
or https://age-encryption.org), or leave --encrypt-to away and encrypt the bundle by other means";

/// Whoever is to read it: a public key that age takes, `age1…` or `ssh-…`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recipient(String);

impl FromStr for Recipient {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let age = text.strip_prefix("age1").is_some_and(|rest| {
            !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        });
        let ssh = text.starts_with("ssh-") && text.contains(' ') && !text.contains(char::is_control);
        if age || ssh {
            return Ok(Self(text.to_owned()));
        }
        if text.starts_with("AGE-SECRET-KEY-") {
            // Not repeated: it is a secret.
            return Err("this is a secret key; give the public one, which begins with age1".to_owned());
        }
        Err(format!("`{text}` is no public key: one begins with age1, or with ssh-"))
    }
}

impl Recipient {
    /// Lets age encrypt nothing for this recipient.
    ///
    /// # Errors
    /// There is no age, or it does not take the recipient.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        self.check_with(AGE.as_ref())
    }

    fn check_with(&self, program: &OsStr) -> anyhow::Result<()> {
        let mut command = self.command(program);
        let output = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).output();
        let output = found(output)?;
        if !output.status.success() {
            bail!("--encrypt-to: {}", refusal(&output.stderr));
        }
        Ok(())
    }

    fn command(&self, program: &OsStr) -> Command {
        let mut command = Command::new(program);
        command.args(["--encrypt", "--recipient", &self.0]);
        command
    }
}

/// Encrypts what is written to it; [`Sealed::finish`] must end it. Dropped, it ends age, whose output is not whole.
pub(super) struct Sealed {
    age: Child,
    /// Gone when age has got everything.
    input: Option<ChildStdin>,
}

impl Sealed {
    /// Encrypted for a recipient into a file.
    ///
    /// # Errors
    /// There is no age, or it cannot be started.
    pub(super) fn to(recipient: &Recipient, out: File) -> anyhow::Result<Self> {
        let mut command = recipient.command(AGE.as_ref());
        let mut age = found(command.stdin(Stdio::piped()).stdout(out).stderr(Stdio::piped()).spawn())?;
        let input = age.stdin.take();
        Ok(Self { age, input })
    }

    /// Waits for age to write the rest.
    ///
    /// # Errors
    /// age failed.
    pub(super) fn finish(mut self) -> anyhow::Result<()> {
        drop(self.input.take());
        self.verdict()
    }

    /// How age ended, in its own words.
    fn verdict(&mut self) -> anyhow::Result<()> {
        let mut said = Vec::new();
        if let Some(stderr) = self.age.stderr.take() {
            stderr.take(MAX_SAID_BYTES).read_to_end_of(&mut said).context("read what age says")?;
        }
        if !self.age.wait().context("wait for age")?.success() {
            bail!("encrypt the bundle: {}", refusal(&said));
        }
        Ok(())
    }
}

impl Write for Sealed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(input) = &mut self.input else { return Err(io::ErrorKind::BrokenPipe.into()) };
        match input.write(bytes) {
            // It is gone and has said why.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.input = None;
                Err(self.verdict().err().map_or(error, io::Error::other))
            }
            written => written,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.input.as_mut().map_or(Ok(()), Write::flush)
    }
}

impl Drop for Sealed {
    fn drop(&mut self) {
        // Both fail if it has ended, which is as good.
        let _ = self.age.kill();
        let _ = self.age.wait();
    }
}

fn found<T>(started: io::Result<T>) -> anyhow::Result<T> {
    match started {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            bail!("--encrypt-to needs the program `age`, which is not installed\nhint: {GET_AGE}")
        }
        started => started.context("start the program `age`"),
    }
}

/// What age says, without its name and its advice how to report it.
fn refusal(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let mut lines = text.lines().map(|line| line.trim_start_matches("age: ").trim_start_matches("error: "));
    let first = lines.next().unwrap_or_default();
    if first.is_empty() { "age failed and does not say why".to_owned() } else { format!("age says: {first}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recipients_are_read_or_refused() {
        let known = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";
        assert!(known.parse::<Recipient>().is_ok());
        assert!("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA== a@b".parse::<Recipient>().is_ok());
        for wrong in ["", "age1", "--output=x", "age1x -o y", "bob", "ssh-ed25519"] {
            assert!(wrong.parse::<Recipient>().is_err(), "{wrong}");
        }
        let secret = "AGE-SECRET-KEY-1QQQQ".parse::<Recipient>().unwrap_err();
        assert!(!secret.contains("1QQQQ"), "{secret}");
    }

    #[test]
    fn without_age_one_is_told_how_to_get_it() {
        let to: Recipient = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p".parse().unwrap();
        let told = to.check_with("no-such-program-as-age".as_ref()).unwrap_err().to_string();
        assert!(told.contains("not installed\nhint: install age"), "{told}");
    }
}
