//! The options of `run` about metrics.

use clap::Args;
use std::ffi::OsString;

/// Where metrics are served.
#[derive(Debug, Args)]
#[command(next_help_heading = "Metrics")]
pub struct AdminFlags {
    /// Serve /metrics, /healthz and /readyz here
    ///
    /// Over plain HTTP, such as on 127.0.0.1:9445; nothing is served otherwise. /metrics is for Prometheus (its text format or
    /// OpenMetrics, as asked for) and holds numbers only. /readyz says 503 and why when the capture cannot be written.
    #[arg(long, value_name = "ADDR:PORT")]
    pub admin: Option<OsString>,
    /// Let --admin be an address that other machines reach
    #[arg(long)]
    pub admin_exposed: bool,
}
