//! The command line, and what `--help` teaches.
//!
//! It is also the schema of the environment and of the configuration file: an option's long name, in capitals behind
//! `FINESSE_TAP_` or with underscores, is its name there, and its arity says whether a list, a number or a switch is
//! expected. So values are taken as text here, and [`config`](crate::config) reads all three sources in the same way.

mod admin;
pub mod assets;
mod browse;
mod doctor;
mod hosts;
pub mod manual;
mod report;
pub mod scan;
pub mod share;
mod ship;
mod text;

pub use admin::AdminFlags;
pub use browse::{BrowseFlags, BrowserFlags};
pub use report::ReportFlags;

use crate::capture::rules::Level;
use crate::proxy::Rewriting;
use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand, ValueHint};
use clap_complete::Shell;
use std::ffi::OsString;
use std::path::PathBuf;

pub use doctor::DoctorFlags;
pub use hosts::HostsFlags;
pub use ship::{ReceiverFlags, ShipFlags};

/// Help is no wider, however wide the terminal: columns.
const TEXT_COLUMNS: usize = 100;

/// A transparent debugging proxy between a Cisco Finesse agent desktop and its server
///
/// finesse-tap stands between a Cisco Finesse agent desktop and its server, relays every byte unchanged, and writes what
/// it saw (HTTP, WebSocket, XMPP, Finesse events) as one JSON object a line. Passwords, tokens and session cookies are
/// removed before anything is written.
#[derive(Debug, Parser)]
#[command(name = "finesse-tap", version, after_help = text::ROOT_NEXT, after_long_help = text::ROOT_MORE)]
#[command(arg_required_else_help = true, subcommand_required = true, max_term_width = TEXT_COLUMNS)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Stand between a browser and a Finesse server
    ///
    /// Accepts the browser's connections under the server's own name, passes every byte on to the server and back, and
    /// writes what it saw. Runs until Ctrl-C, which lets connections finish first.
    #[command(after_help = text::RUN_NEXT, after_long_help = text::RUN_MORE)]
    Run(Box<RunFlags>),
    /// Open a browser for which the servers are at the running proxy
    ///
    /// Chrome, Edge or Chromium with a profile of its own, deleted afterwards: exactly the fronted servers lead to the proxy, and
    /// exactly the proxy's certificates are accepted. Nothing on the machine is changed, and no administrator is needed.
    #[command(after_long_help = browse::MORE)]
    Browse(Box<BrowseFlags>),
    /// See it work: a Finesse-like server and a desktop through the proxy
    ///
    /// Starts a small server that behaves like Finesse and desktops that sign in, take a call and sign out, all through the
    /// real proxy over real TLS. Needs no server, no browser and no network, and ends by itself within 15 seconds.
    #[command(after_long_help = text::DEMO_MORE)]
    Demo(DemoFlags),
    /// Find out why a desktop cannot work with a server, or whether it can
    ///
    /// Goes the way of a desktop step by step: name, TCP, TLS, certificate, REST, WebSocket, XMPP, and with credentials a
    /// whole login to the subscription and out again. Says of each step how it went and what to do, and at the end the
    /// `finesse-tap run` that would work. Changes nothing on the server.
    #[command(after_long_help = doctor::MORE)]
    Doctor(Box<DoctorFlags>),
    /// Where the certificate authority is, and how to make a browser trust it
    ///
    /// Lists every CA below the certificates' directory: where it lies, the names it may sign for, how long it lasts, its
    /// SHA-256 fingerprint, and the commands with which Windows, macOS, Linux and Firefox come to trust it, and forget it.
    #[command(after_long_help = text::CA_MORE)]
    Ca(CaFlags),
    /// Look for secrets and personal data left in files
    ///
    /// Captures, HARs, bundles, any text: before it is handed over. Exits with 1 and says where if anything is left, with 0
    /// if nothing is found. It never shows a value, only its first and last characters.
    #[command(after_long_help = text::SCAN_MORE)]
    Scan(scan::ScanFlags),
    /// Make one file of captures that is safe to hand over
    ///
    /// Reads captures, removes what the level says, looks for what may be left, and writes a zip file with the redacted log, a
    /// report of what was removed, a manifest and a README for its receiver. If anything looks secret or personal, it says
    /// where and writes nothing.
    #[command(after_long_help = text::SHARE_MORE)]
    Share(share::ShareFlags),
    /// What tokens of a bundle stand for
    ///
    /// From the index beside the key that they were made with (`share --stable-tokens`), which never leaves this machine.
    #[command(after_long_help = text::RESOLVE_MORE)]
    Resolve(share::ResolveFlags),
    /// Deliver captures to Splunk or Elasticsearch
    ///
    /// Reads the capture files of a directory in order and sends every event, in batches, until all are there; it remembers how
    /// far it has come, so that it can be ended at any time and started again. `run` does the same while it captures.
    #[command(after_long_help = ship::MORE)]
    Ship(Box<ShipFlags>),
    /// Tell what happened, from captures
    ///
    /// Reads captures and tells by agent how each login went, which sockets there were and how they ended, states, calls,
    /// pings, requests with the events they caused, subscriptions and findings, each with the lines it stands on: as text,
    /// as one HTML page that needs no network, or as JSON.
    #[command(after_long_help = report::MORE)]
    Report(ReportFlags),
    /// Read a browser's own HAR through the same decoder and the same redaction
    ///
    /// For when the proxy was not there: somebody pressed "Export HAR" in Chrome, Edge, Playwright or HTTP Toolkit. Requests and
    /// WebSocket messages become the events that a live capture would have, merged by time, with secrets removed on the way. A
    /// HAR holds passwords even where Chrome calls it sanitized: import it, and hand over the capture.
    #[command(after_long_help = text::IMPORT_MORE)]
    Import(ImportFlags),
    /// Make a HAR, a pcapng or a transcript of captures
    ///
    /// From the lines of captures only: what redaction removed is in none of them. Torn and foreign lines are named and left out.
    #[command(after_long_help = text::EXPORT_MORE)]
    Export(ExportFlags),
    /// Lines for the hosts file, so that every program here finds the proxy
    ///
    /// Prints the lines that make the servers' names lead to the proxy, and where the file is; or puts them in, between
    /// markers, and takes them out again.
    #[command(after_long_help = hosts::MORE)]
    Hosts(Box<HostsFlags>),
    /// Have a running `finesse-tap run` read its configuration again
    ///
    /// As SIGHUP does: redaction, capture, log filter, routes, trust and certificates change, a new capture file begins, and
    /// no connection is cut. What is wrong with the configuration is said, and then nothing changes.
    #[command(after_long_help = text::RELOAD_MORE)]
    Reload(ReloadFlags),
    /// Ready-made files for Splunk, the Elastic stack and log collectors
    ///
    /// They are inside this program: an add-on and dashboards for Splunk, templates and saved objects for Elasticsearch and
    /// Kibana, configurations of Filebeat, Vector, Fluent Bit, rsyslog and the OpenTelemetry Collector, ready searches, and the
    /// schema of the events.
    #[command(after_long_help = assets::MORE)]
    Assets(assets::AssetsFlags),
    /// Print a shell's completion script
    ///
    /// It goes to standard output.
    #[command(after_long_help = text::COMPLETIONS_MORE)]
    Completions {
        /// The shell it is for
        shell: Shell,
    },
    /// Print the manual page
    ///
    /// It goes to standard output, in roff; or into a directory, with a page for every command.
    #[command(after_long_help = text::MAN_MORE)]
    Man {
        /// Write finesse-tap.1 and one page a command into DIR
        #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
        out: Option<PathBuf>,
    },
}

/// The options of `run`.
#[derive(Debug, Args)]
pub struct RunFlags {
    /// Read options from a TOML file
    ///
    /// Keys are the options' names with underscores; a key that is no option is an error. Options win over the environment,
    /// the environment over the file. Paths are relative to the working directory.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub config: Option<OsString>,
    /// Where traffic comes from and goes to.
    #[command(flatten)]
    pub traffic: TrafficFlags,
    /// Whom to believe to be the server.
    #[command(flatten)]
    pub trust: TrustFlags,
    /// Who the proxy is to the browser.
    #[command(flatten)]
    pub identity: IdentityFlags,
    /// Where records go.
    #[command(flatten)]
    pub keep: KeepFlags,
    /// What is removed from them.
    #[command(flatten)]
    pub redact: RedactFlags,
    /// What only `run` lets you choose about records.
    #[command(flatten)]
    pub record: RecordFlags,
    /// Whom records go to besides.
    #[command(flatten)]
    pub receiver: ReceiverFlags,
    /// Time and number.
    #[command(flatten)]
    pub limit: LimitFlags,
    /// Where metrics are served.
    #[command(flatten)]
    pub admin: AdminFlags,
    /// Open a browser for which the servers are here
    ///
    /// As `finesse-tap browse` does. When it is closed, the proxy goes on until Ctrl-C, which closes the browser, too.
    #[arg(long, help_heading = "Browser")]
    pub browse: bool,
    /// The browser, and what it opens.
    #[command(flatten)]
    pub browser: BrowserFlags,
    /// Show no live view
    ///
    /// The facts at the start and the operational log stay.
    #[arg(long, help_heading = "Output")]
    pub quiet: bool,
    /// What is shown.
    #[command(flatten)]
    pub show: ShowFlags,
}

/// Where traffic comes from and goes to.
#[derive(Debug, Args)]
#[command(next_help_heading = "Traffic")]
pub struct TrafficFlags {
    /// The Finesse server; port 8445 unless given; repeatable
    ///
    /// By the name that browsers use for it: a host, not a URL. Name both nodes of a cluster: connections are told apart
    /// by the name that the browser asks for, and one that asks for none of them, such as localhost, means the first.
    #[arg(long, value_name = "HOST[:PORT]", value_hint = ValueHint::Hostname)]
    pub upstream: Vec<OsString>,
    /// Accept browsers for every --upstream here; repeatable [default: 127.0.0.1:8445]
    ///
    /// The port should be the server's, as the browser asks for the same name and port; port 0 takes any free one and says
    /// which. Any address but a loopback one lets other machines in.
    #[arg(long, value_name = "ADDR:PORT")]
    pub listen: Vec<OsString>,
    /// Accept at LISTEN for one more server or port; repeatable
    ///
    /// LISTEN is a port of 127.0.0.1, or ADDR:PORT. The server's port is that of LISTEN unless given. SCHEME is https, xmpps
    /// (XMPP behind TLS, 5223) or xmpp (with STARTTLS, 5222). Releases before 12.6 use port 7443 for notifications:
    /// --route 7443=HOST. Several servers may share a listener, as those of --upstream do, which come first on it.
    #[arg(long, value_name = "LISTEN=[SCHEME://]HOST[:PORT]")]
    pub route: Vec<OsString>,
    /// Every connection begins with a PROXY protocol header, version 1 or 2
    ///
    /// Behind a balancer that sends one (HAProxy: send-proxy-v2), so that the log has the browser's address. A connection
    /// without it is refused. Let nobody but the balancer reach the listeners: a header can claim any address.
    #[arg(long)]
    pub accept_proxy_protocol: bool,
    /// Dial ADDR for the name HOST; repeatable
    ///
    /// ADDR is an IP address, IPv6 in brackets. Needed where a hosts file on this machine leads HOST to the proxy, which
    /// would dial itself otherwise.
    #[arg(long, value_name = "HOST:ADDR")]
    pub resolve: Vec<OsString>,
    /// Whose headers to rewrite, for browsers that use another name [default: auto]
    ///
    /// auto: connections that do not ask for a server by its real name, such as those of https://localhost:8445. The server
    /// then finds its own name in Host, Origin and Referer, the browser the one that it used in Location, Set-Cookie,
    /// Access-Control-Allow-Origin and Content-Security-Policy; Strict-Transport-Security is taken back. Every other byte
    /// passes as it is, and the log tells each change. Best effort: names within pages are not touched.
    ///
    /// always: all connections. never: none.
    #[arg(long, value_name = "WHOSE", value_parser = PossibleValuesParser::new(Rewriting::ALL.map(Rewriting::as_str)))]
    pub rewrite: Option<String>,
}

/// Whom to believe to be the server.
#[derive(Debug, Args)]
#[command(next_help_heading = "Trust in the server (default: the system's roots)")]
pub struct TrustFlags {
    /// Trust the server if a certificate in FILE (PEM) vouches for it
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub upstream_ca: Option<OsString>,
    /// Trust the server that has this certificate and no other; repeatable
    ///
    /// Whatever its name, issuer or age: the way for self-signed servers; for several servers, a pin of each. HEX is the
    /// certificate's SHA-256. When a certificate is refused, the error names the pin that would accept it; compare it with
    /// what the server's administrator says.
    #[arg(long, value_name = "sha256:HEX")]
    pub upstream_pin: Vec<OsString>,
    /// Trust any server
    ///
    /// Passwords may go to a stranger: for test networks only.
    #[arg(long)]
    pub upstream_insecure: bool,
    /// Certificate chain (PEM) for a server that asks for one
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub upstream_client_cert: Option<OsString>,
    /// Its private key (PEM)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub upstream_client_key: Option<OsString>,
}

/// Who the proxy is to the browser.
#[derive(Debug, Args)]
#[command(next_help_heading = "Certificates towards the browser")]
pub struct IdentityFlags {
    /// Show browsers this certificate chain (PEM) instead of a minted one
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub cert: Option<OsString>,
    /// Its private key (PEM)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub key: Option<OsString>,
}

/// Where records and certificates go, in `run` and `demo`.
#[derive(Debug, Args)]
#[command(next_help_heading = "Files")]
pub struct KeepFlags {
    /// Keep the CA in DIR [default: certs]
    ///
    /// The certificate authority is made in DIR/HOST on first use. It can sign for the servers named then, localhost and
    /// loopback addresses only, and its key is never exported. A server added later gets its own. `finesse-tap ca`
    /// says how to trust it.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub certs: Option<OsString>,
    /// Write the log into DIR, or to standard output with - [default: captures]
    ///
    /// One JSON object a line. A file is named finesse-HOST-TIME-RUN-NNNN.ndjson; a new one begins at 64 MiB, at one hour,
    /// and on SIGHUP or `finesse-tap reload`.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub capture: Option<OsString>,
}

/// What is removed from the log, in `run`, `demo` and `import`.
#[derive(Debug, Args)]
#[command(next_help_heading = "Redaction")]
pub struct RedactFlags {
    /// What to remove from the log [default: auth]
    ///
    /// It is removed before anything is written or shown.
    ///
    /// auth: passwords, tokens and other credentials; session cookies become tokens that are the same for the same cookie.
    /// Names, telephone numbers and customer data stay.
    ///
    /// share: also customer data; persons, telephones, hosts, teams and queues become tokens. For a vendor.
    ///
    /// minimal: all of those. Only what happened and when stays. For a public tracker.
    ///
    /// off: nothing. The log then holds passwords; every file says so in its first line.
    #[arg(long, value_name = "LEVEL", value_parser = PossibleValuesParser::new(Level::ALL.map(Level::as_str)))]
    pub redact: Option<String>,
    /// Remove this too; repeatable
    ///
    /// RULE is PLACE:NAME[=CLASS]: a place of header, query, form, json, xml, variable (a call variable's value) or
    /// variable-name (its name), and a class of credential, session, person, phone, customer, infrastructure or unknown.
    /// Also `deny` in `[redaction]` of the configuration file.
    #[arg(long, value_name = "RULE")]
    pub deny: Vec<OsString>,
    /// Keep this, though a level would remove it; repeatable
    ///
    /// RULE is PLACE:NAME. What is a credential or session, a person or a telephone by a built-in rule cannot be kept.
    #[arg(long, value_name = "RULE")]
    pub allow: Vec<OsString>,
    /// Make tokens with the key in FILE, which is made if it is not there
    ///
    /// At level share. The same value then has the same token in every capture and bundle made with that key, and
    /// `finesse-tap resolve` tells what one stands for, from FILE.index.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub stable_tokens: Option<OsString>,
}

/// What only `run` lets you choose about records.
#[derive(Debug, Args)]
#[command(next_help_heading = "Files")]
pub struct RecordFlags {
    /// Write no log
    #[arg(long)]
    pub no_capture: bool,
    /// Keep at most so much of the log, such as 20GB [default: everything]
    ///
    /// Beyond that the files in the directory that were written longest ago are removed. What --splunk, --elastic or `ship` had not delivered is then
    /// a gap, and told as one (capture-gap).
    #[arg(long, value_name = "SIZE")]
    pub capture_limit: Option<OsString>,
    /// What this instance is called in the log [default: the machine's host name]
    ///
    /// 1 to 64 letters, digits, dots, hyphens and underscores. Tells several instances apart that write into one index.
    #[arg(long, value_name = "NAME")]
    pub observer_name: Option<OsString>,
    /// Longest line of the log [default: 8000]
    ///
    /// In bytes, from 4000 to 16777216. A longer line loses part of its XML, and says so. Many log collectors cut at 8 KiB
    /// or 10,000 bytes.
    #[arg(long, value_name = "N")]
    pub max_line_bytes: Option<OsString>,
    /// Write TLS secrets to FILE, for Wireshark
    ///
    /// Those of both legs. Without FILE, the environment variable SSLKEYLOGFILE names it, which is ignored otherwise. Whoever
    /// has FILE can read all traffic, passwords included.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, num_args = 0..=1, default_missing_value = "true")]
    pub keylog: Option<OsString>,
}

/// Time and number.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits")]
pub struct LimitFlags {
    /// How long connections may go on after Ctrl-C [default: 5s]
    ///
    /// Or after SIGTERM; then they are cut. Written 5, 5s, 500ms or 1m, as the other times are.
    #[arg(long, value_name = "SECONDS")]
    pub grace: Option<OsString>,
    /// Connections at once; more are turned away [default: 4096]
    #[arg(long, value_name = "N")]
    pub max_connections: Option<OsString>,
    /// For finding and reaching the server [default: 10s]
    #[arg(long, value_name = "SECONDS")]
    pub connect_timeout: Option<OsString>,
    /// For either TLS handshake [default: 10s]
    #[arg(long, value_name = "SECONDS")]
    pub handshake_timeout: Option<OsString>,
}

/// What is shown on standard error, in `run` and `demo`.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct ShowFlags {
    /// Show keep-alives in the live view too
    #[arg(long)]
    pub verbose: bool,
    /// Form of the operational log on standard error [default: text]
    #[arg(long, value_name = "FORMAT", value_parser = PossibleValuesParser::new(["text", "json"]))]
    pub log_format: Option<String>,
    /// What the operational log tells [default: info]
    ///
    /// A level (error, warn, info, debug, off), or levels by module, such as `info,finesse_tap::proxy=debug` (the syntax of
    /// tracing's EnvFilter). Libraries never tell more than info: some would print traffic.
    #[arg(long, value_name = "FILTER")]
    pub log_filter: Option<OsString>,
}

/// The options of `demo`.
#[derive(Debug, Args)]
pub struct DemoFlags {
    /// How many desktops, 1 to 200 [default: 1]
    #[arg(long, value_name = "N")]
    pub agents: Option<OsString>,
    /// Leave server and proxy up afterwards, until Ctrl-C
    #[arg(long)]
    pub keep: bool,
    /// Accept browsers here; repeatable [default: 127.0.0.1 and any free port]
    #[arg(long, value_name = "ADDR:PORT", help_heading = "Traffic")]
    pub listen: Vec<OsString>,
    /// Where records go.
    #[command(flatten)]
    pub files: KeepFlags,
    /// What is removed from them.
    #[command(flatten)]
    pub redact: RedactFlags,
    /// What is shown.
    #[command(flatten)]
    pub show: ShowFlags,
}

/// The options of `ca`.
#[derive(Debug, Args)]
pub struct CaFlags {
    /// Look for CAs below DIR [default: certs]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub certs: Option<OsString>,
    /// Only the CA for HOST, made if there is none yet; repeatable
    ///
    /// Hosts that are named together share one CA, so that there is one to trust: name all nodes that `run` will stand for.
    #[arg(long, value_name = "HOST", value_hint = ValueHint::Hostname)]
    pub upstream: Vec<OsString>,
    /// Copy the certificates into DIR as .pem, .crt and .cer, never the keys
    ///
    /// To be carried to other machines: .pem and .crt are PEM, under the names that different programs expect; .cer is DER
    /// and opens with a double click on Windows.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub export: Option<OsString>,
}

/// The options of `reload`.
#[derive(Debug, Args)]
pub struct ReloadFlags {
    /// Where the run keeps its CA [default: certs]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub certs: Option<OsString>,
    /// The run with this process number, where there are several
    #[arg(long, value_name = "PID")]
    pub pid: Option<u32>,
}

/// The options of `import`.
#[derive(Debug, Args)]
pub struct ImportFlags {
    /// The HAR files
    ///
    /// Uncompressed, and files rather than pipes: they are read twice.
    #[arg(value_name = "HAR", required = true, value_hint = ValueHint::FilePath)]
    pub files: Vec<PathBuf>,
    /// Write the capture into DIR, or to standard output with - [default: captures]
    #[arg(long, short = 'o', value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub capture: Option<OsString>,
    /// Longest line of the capture [default: 8000]
    ///
    /// In bytes, from 4000 to 16777216. A longer line loses part of its XML, and says so.
    #[arg(long, value_name = "N")]
    pub max_line_bytes: Option<OsString>,
    /// What is removed.
    #[command(flatten)]
    pub redact: RedactFlags,
}

/// The options of `export`.
#[derive(Debug, Args)]
pub struct ExportFlags {
    /// What to make
    #[arg(value_enum)]
    pub form: Form,
    /// The capture files, in the order they were written in
    #[arg(value_name = "NDJSON", required = true, value_hint = ValueHint::FilePath)]
    pub files: Vec<PathBuf>,
    /// Write to OUT, or to standard output with -
    ///
    /// OUT appears when it is complete, and replaces what was there.
    #[arg(long, short = 'o', value_name = "OUT", value_hint = ValueHint::FilePath)]
    pub out: PathBuf,
    /// In a transcript, show each stanza's XML too, indented
    #[arg(long)]
    pub xml: bool,
}

/// What `export` makes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum Form {
    /// HAR 1.2 with WebSocket messages, as Chrome DevTools imports it.
    Har,
    /// For Wireshark: HTTP and WebSocket over made-up TCP, XMPP as exported PDUs.
    Pcapng,
    /// A transcript to read.
    Text,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_definition_holds_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn help_names_every_option_and_tells_what_comes_next() {
        let mut root = Cli::command();
        root.build();
        for command in root.get_subcommands_mut().filter(|command| command.get_name() != "help") {
            let short = command.clone().render_help().to_string();
            let long = command.render_long_help().to_string();
            assert!(long.len() > short.len(), "{}: -h and --help are the same", command.get_name());
            for option in command.get_arguments().filter_map(clap::Arg::get_long) {
                for help in [&short, &long] {
                    assert!(help.contains(&format!("--{option}")), "{option} is missing in\n{help}");
                }
            }
            assert!(long.contains("finesse-tap "), "{}: no example", command.get_name());
        }
        let root = root.render_long_help().to_string();
        for wanted in ["First steps:", "captures/", "certs/HOST/", "Exit codes:", "Next:"] {
            assert!(root.contains(wanted), "{wanted} is missing in\n{root}");
        }
    }

    /// What stands below the options is wrapped for the terminal: prose has no line breaks of its own, which would wrap it
    /// twice, and examples fit, as a command that is wrapped cannot be pasted.
    #[test]
    fn help_is_laid_out_for_any_terminal() {
        const NARROW: usize = 80;
        let mut root = Cli::command();
        root.build();
        for command in std::iter::once(&root).chain(root.get_subcommands()).filter(|one| one.get_name() != "help") {
            let more = command.get_after_long_help().map(ToString::to_string).unwrap_or_default();
            let lines: Vec<&str> = more.lines().collect();
            for (line, next) in lines.iter().zip(lines.iter().skip(1).chain([&""])) {
                let is_prose = |line: &str| line.starts_with(|c: char| c.is_ascii_alphabetic());
                let broken = is_prose(line) && line.len() > 60 && is_prose(next);
                assert!(!broken || line.ends_with(['.', ':']), "{}: broken by hand: {line}", command.get_name());
                let is_example = line.trim_start().starts_with("finesse-tap ") && !line.contains('`');
                assert!(!is_example || line.chars().count() <= NARROW, "{}: {line}", command.get_name());
            }
        }
        for name in root.get_subcommands().map(|one| one.get_name().to_owned()).collect::<Vec<_>>() {
            let mut one = root.find_subcommand(&name).unwrap().clone().term_width(NARROW);
            for line in one.render_long_help().to_string().lines() {
                assert!(line.chars().count() <= NARROW, "{name}: {line}");
            }
        }
    }

    #[test]
    fn the_page_of_options_knows_every_option_and_command() {
        let page = include_str!("../../docs/options.md");
        let mut root = Cli::command();
        root.build();
        for command in root.get_subcommands() {
            assert!(page.contains(&format!("finesse-tap {}", command.get_name())) || command.get_name() == "help");
            for option in command.get_arguments().filter_map(clap::Arg::get_long).filter(|name| *name != "help") {
                assert!(page.contains(&format!("--{option}")), "--{option} is not in docs/options.md");
            }
        }
    }
}
