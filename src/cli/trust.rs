//! Whom to believe to be the server, and who we are to either side.

use crate::config::value::Wrong;
use crate::tls::upstream::{Pin, Trust};
use clap::{Args, ValueHint};
use std::path::PathBuf;
use std::str::FromStr as _;

/// Whom to believe to be the server.
#[derive(Clone, PartialEq, Eq, Debug, Args)]
#[command(next_help_heading = "Trust in the server (default: the system's roots)")]
pub struct TrustFlags {
    /// Trust the server if a certificate in FILE (PEM) vouches for it
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    #[arg(conflicts_with_all = ["upstream_pin", "upstream_insecure"])]
    pub upstream_ca: Option<PathBuf>,
    /// Trust the server that has this certificate and no other; repeatable
    ///
    /// Whatever its name, issuer or age: the way for self-signed servers; for several servers, a pin of each. HEX is the
    /// certificate's SHA-256, with or without colons; sha256: may be omitted. When a certificate is refused, the error names the pin that would accept it; compare it with
    /// what the server's administrator says.
    ///
    /// ask: on a terminal, show the certificate of a server that is not known yet and ask; the default is no. What was
    /// accepted is kept in upstream.pins below --certs, said at each start, and changed by nobody but you.
    #[arg(long, value_name = "sha256:HEX", value_parser = pin_or_ask, conflicts_with = "upstream_insecure")]
    pub upstream_pin: Vec<PinFlag>,
    /// Trust any server
    ///
    /// Passwords may go to a stranger: for test networks only.
    #[arg(long)]
    pub upstream_insecure: bool,
    /// Who we are if the server asks.
    #[command(flatten)]
    pub client: ClientFlags,
}

/// Who we are if the server asks.
#[derive(Clone, PartialEq, Eq, Debug, Args)]
#[group(id = "whole-client")]
pub struct ClientFlags {
    /// Certificate chain (PEM) for a server that asks for one
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub upstream_client_cert: Option<PathBuf>,
    /// Its private key (PEM)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub upstream_client_key: Option<PathBuf>,
}

/// Who the proxy is to the browser.
#[derive(Clone, PartialEq, Eq, Debug, Args)]
#[command(next_help_heading = "Certificates towards the browser")]
#[group(id = "whole-own")]
pub struct IdentityFlags {
    /// Show browsers this certificate chain (PEM) instead of a minted one
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub cert: Option<PathBuf>,
    /// Its private key (PEM)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub key: Option<PathBuf>,
}

/// A certificate chain and its key, both PEM files.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Identity {
    /// The chain, end entity first.
    pub cert: PathBuf,
    /// The key.
    pub key: PathBuf,
}

impl TrustFlags {
    /// Whom to believe to be the server.
    #[must_use]
    pub fn trust(&self) -> Trust {
        match &self.upstream_ca {
            Some(file) => Trust::Ca(file.clone()),
            None if self.upstream_insecure => Trust::Insecure,
            None if self.upstream_pin.is_empty() => Trust::System,
            None => Trust::Pins(self.upstream_pin.iter().filter_map(|flag| flag.pin()).collect()),
        }
    }

    /// Whether a person is to be asked about servers that are not known yet.
    #[must_use]
    pub fn asks(&self) -> bool {
        self.upstream_pin.contains(&PinFlag::Ask)
    }

    /// Who we are if the server asks.
    #[must_use]
    pub fn client_identity(self) -> Option<Identity> {
        identity(self.client.upstream_client_cert, self.client.upstream_client_key)
    }
}

/// Both files or neither: the sources see to it.
pub(super) fn identity(cert: Option<PathBuf>, key: Option<PathBuf>) -> Option<Identity> {
    cert.zip(key).map(|(cert, key)| Identity { cert, key })
}

/// A pin, or that one is to be asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PinFlag {
    /// Ask.
    Ask,
    /// This one.
    Pin(Pin),
}

impl PinFlag {
    fn pin(self) -> Option<Pin> {
        match self {
            Self::Ask => None,
            Self::Pin(pin) => Some(pin),
        }
    }
}

fn pin_or_ask(text: &str) -> Result<PinFlag, Wrong> {
    if text.eq_ignore_ascii_case("ask") { Ok(PinFlag::Ask) } else { pin(text).map(PinFlag::Pin) }
}

/// `sha256:HEX`, the digits alone, or what openssl prints: `sha256 Fingerprint=AA:BB…`.
pub(super) fn pin(text: &str) -> Result<Pin, Wrong> {
    let digits = text.rsplit('=').next().unwrap_or(text).trim();
    let bare = digits.chars().all(|c| c.is_ascii_hexdigit() || c == ':') && !digits.is_empty();
    let read = if bare { Pin::from_str(&format!("sha256:{digits}")) } else { Pin::from_str(text) };
    read.map_err(|_| format!("`{text}` is not a pin: write sha256: and 64 hexadecimal digits").into())
}
