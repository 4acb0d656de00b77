//! `reload`: its options and its help.

use super::record::DEFAULT_CERTS;
use clap::{Args, ValueHint};
use std::path::PathBuf;

pub(super) const MORE: &str = "\
Examples:
  finesse-tap reload
  finesse-tap reload --certs /var/lib/finesse-tap/certs --pid 4711

The run's options and environment are those it was started with, so what can change is its --config file, and the files that \
options name (certificates, keys). Routes that go are closed to new connections; those they have live on. Limits, receivers, \
--certs, --admin, --keylog, --log-format, --browse and, while captures are delivered, --capture stay as they are until a restart, \
which is said. Exit code 1 if nothing \
was changed.

The variable FINESSE_TAP_CERTS counts here too.";

/// The options of `reload`.
#[derive(Clone, PartialEq, Eq, Debug, Args)]
pub struct ReloadFlags {
    /// Where the run keeps its CA
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, default_value = DEFAULT_CERTS)]
    pub certs: PathBuf,
    /// The run with this process number, where there are several
    #[arg(long, value_name = "PID")]
    pub pid: Option<u32>,
}
