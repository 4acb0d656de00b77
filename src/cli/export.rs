//! `export`: its options and its help.

use super::record::DEFAULT_CAPTURES;
use super::share::PickFlags;
use crate::config::{Problem, Sources};
use crate::filter::Filter;
use clap::{Args, ValueEnum, ValueHint};
use std::path::PathBuf;

pub(super) const MORE: &str = "\
Examples:
  finesse-tap export har captures/*.ndjson -o case.har
  finesse-tap export pcapng captures/*.ndjson -o case.pcapng
  finesse-tap export text captures/*.ndjson -o - --xml | less

Lines of a capture are at most 30,000 bytes long unless --max-line-bytes said otherwise when it was made: longer stanzas are cut \
in exports too, and their number is said. Where a payload was never kept, a mark with its size stands in for it.

har
  For Chrome DevTools: Network, Import HAR. Requests, and WebSockets with their messages, open ones included. Numbers that \
are not known are -1. What finesse-tap decoded is under _xmpp and _finesse. Keep-alive frames (ping, pong) have no \
place in a HAR.
pcapng
  For Wireshark: filter websocket, or xmpp. Interface http: made-up TCP, one stream a connection, with HTTP and WebSocket \
frames; 443 appears as port 80, since there is no TLS in it. Interface xmpp: each stanza as an exported PDU. A packet's \
comment is its gist.
text
  Time in UTC, session, direction and gist; keep-alives are left out.

Next: open it, or hand it over; what it holds is what the capture's redaction level left.";

/// The options of `export`.
#[derive(Clone, PartialEq, Eq, Debug, Args)]
pub struct ExportFlags {
    /// What to make
    #[arg(value_enum)]
    pub form: Form,
    /// Captures: files, directories and those below, .gz, .tar.gz, bundles (.zip), HARs, or - for standard input
    #[arg(value_name = "CAPTURE", default_value = DEFAULT_CAPTURES, value_hint = ValueHint::AnyPath)]
    pub captures: Vec<PathBuf>,
    /// Which events of them.
    #[command(flatten)]
    pub pick: PickFlags,
    /// Write to OUT, or to standard output with -
    ///
    /// OUT appears when it is complete, and replaces what was there.
    #[arg(long, short, alias = "out", value_name = "OUT", value_hint = ValueHint::FilePath)]
    pub output: PathBuf,
    /// In a transcript, show each stanza's XML too, indented
    #[arg(long)]
    pub xml: bool,
}

/// What `export` makes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Form {
    /// HAR 1.2 with WebSocket messages, as Chrome DevTools imports it.
    Har,
    /// For Wireshark: HTTP and WebSocket over made-up TCP, XMPP as exported PDUs.
    Pcapng,
    /// A transcript to read.
    Text,
}

impl ExportFlags {
    /// Which events.
    ///
    /// # Errors
    /// The options do not go together.
    pub fn filter(&self, sources: &Sources) -> Result<Filter, Problem> {
        self.pick.filter(sources)
    }

    /// The file to write; standard output without one.
    #[must_use]
    pub fn file(&self) -> Option<&PathBuf> {
        Some(&self.output).filter(|out| out.as_os_str() != "-")
    }
}
