//! `ca`: its options and its help.

use super::record::DEFAULT_CERTS;
use crate::config::value;
use crate::conn::Authority;
use clap::{Args, ValueHint};
use std::path::PathBuf;

pub(super) const MORE: &str = "\
Examples:
  finesse-tap ca
  finesse-tap ca --upstream uccxpub.example.com
  finesse-tap ca -o for-the-browser-machine

The variable FINESSE_TAP_CERTS counts here too.

Next: run the command shown for your system, restart the browser, open the desktop.";

/// The options of `ca`.
#[derive(Clone, PartialEq, Eq, Debug, Args)]
pub struct CaFlags {
    /// Look for CAs below DIR
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, default_value = DEFAULT_CERTS)]
    pub certs: PathBuf,
    /// Only the CA for HOST, made if there is none yet; repeatable
    ///
    /// Hosts that are named together share one CA, so that there is one to trust: name all nodes that `run` will stand for.
    // Named otherwise than the option: what makes a CA is not taken from the environment.
    #[arg(long = "upstream", value_name = "HOST", value_hint = ValueHint::Hostname, value_parser = value::upstream)]
    pub servers: Vec<Authority>,
    /// Copy the certificates into DIR as .pem, .crt and .cer, never the keys
    ///
    /// To be carried to other machines: .pem and .crt are PEM, under the names that different programs expect; .cer is DER
    /// and opens with a double click on Windows.
    #[arg(long, short, alias = "export", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub output: Option<PathBuf>,
}
