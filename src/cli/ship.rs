//! The command line of `ship`, and the receivers that `run` takes too.

use clap::{Args, ValueHint};
use std::ffi::OsString;

/// The options of `ship`.
#[derive(Debug, Args)]
pub struct ShipFlags {
    /// The directory of the capture files, or an unpacked bundle of `share` [default: captures]
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub captures: Option<OsString>,
    /// Whom events go to.
    #[command(flatten)]
    pub receiver: ReceiverFlags,
    /// Go on: deliver what is written later, until Ctrl-C
    #[arg(long)]
    pub follow: bool,
    /// Keep checkpoint and dead letters in DIR [default: beside the captures]
    ///
    /// Where the captures cannot be written to. `run --capture-limit` then does not know what has been delivered.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub state: Option<OsString>,
    /// Give up when nothing has gone well for so long [default: never]
    ///
    /// Written 5, 5s, 500ms or 1m.
    #[arg(long, value_name = "SECONDS")]
    pub give_up: Option<OsString>,
}

/// Whom events go to.
#[derive(Debug, Args)]
#[command(next_help_heading = "Delivery")]
pub struct ReceiverFlags {
    /// Deliver to Splunk's HTTP Event Collector: https://HOST:8088
    ///
    /// From the capture files, with a checkpoint: what cannot be delivered now is delivered later, after a restart too.
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    pub splunk: Option<OsString>,
    /// The HEC token is in FILE; or in the variable FINESSE_TAP_SPLUNK_TOKEN
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub splunk_token_file: Option<OsString>,
    /// Into this index [default: the token's]
    #[arg(long, value_name = "NAME")]
    pub splunk_index: Option<OsString>,
    /// Insist on indexer acknowledgement
    ///
    /// An event counts as delivered when Splunk has indexed it. Acknowledgements are waited for in any case where the token has
    /// them; this makes a token without them an error.
    #[arg(long)]
    pub splunk_ack: bool,
    /// Trust Splunk if a certificate in FILE (PEM) vouches for it [default: the system's roots]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub splunk_ca: Option<OsString>,
    /// Trust the Splunk that has this certificate and no other
    #[arg(long, value_name = "sha256:HEX")]
    pub splunk_pin: Option<OsString>,
    /// Deliver to Elasticsearch or OpenSearch: https://HOST:9200
    ///
    /// By _bulk into a data stream, each event under its own id, so that none is there twice.
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    pub elastic: Option<OsString>,
    /// The API key is in FILE, as ID:KEY or in base64; or in the variable FINESSE_TAP_ELASTIC_API_KEY
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub elastic_api_key_file: Option<OsString>,
    /// User name, where there is no API key
    #[arg(long, value_name = "NAME")]
    pub elastic_user: Option<OsString>,
    /// Its password is in FILE; or in the variable FINESSE_TAP_ELASTIC_PASSWORD
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub elastic_password_file: Option<OsString>,
    /// Into this data stream [default: logs-finesse.event-default]
    #[arg(long, value_name = "NAME")]
    pub elastic_data_stream: Option<OsString>,
    /// First put ingest pipeline and templates there
    ///
    /// Harmless when repeated. The key then needs manage_index_templates and manage_ingest_pipelines.
    #[arg(long)]
    pub elastic_setup: bool,
    /// With --elastic-setup, put a data view into this Kibana too
    ///
    /// With the same credentials and the same trust.
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    pub kibana: Option<OsString>,
    /// Trust Elasticsearch if a certificate in FILE (PEM) vouches for it [default: the system's roots]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub elastic_ca: Option<OsString>,
    /// Trust the Elasticsearch that has this certificate and no other
    #[arg(long, value_name = "sha256:HEX")]
    pub elastic_pin: Option<OsString>,
    /// Speak http:// to a receiver on another machine
    ///
    /// Events and the receiver's secret then cross the network in the clear. To loopback addresses it needs no leave.
    #[arg(long)]
    pub allow_plain_http: bool,
}

pub(super) const MORE: &str = "\
Examples:
  finesse-tap ship captures/ --splunk https://splunk.example.com:8088 \\
    --splunk-token-file hec.token
  finesse-tap ship captures/ --elastic https://es.example.com:9200 \\
    --elastic-api-key-file es.key --elastic-setup
  finesse-tap ship captures/ --follow --splunk https://splunk.example.com:8088 \\
    --splunk-token-file hec.token --splunk-pin sha256:5d0f…
  FINESSE_TAP_SPLUNK_TOKEN=… \\
    finesse-tap ship --splunk https://splunk.example.com:8088

`run` takes the same options and delivers while it captures.

What it keeps, beside the captures unless --state says otherwise:
  .ship-XXXX.json         how far the receiver has come, by file
  .ship-XXXX.dead.ndjson  what the receiver will never take, with the reason
  .ship-XXXX.lock         keeps a second shipper for the same receiver away
To deliver everything once more, remove the first.

Each event is delivered at least once: after a crash some may be sent again. Elasticsearch keeps one of each, by its id; in \
Splunk `| dedup event.id` does. Captures made with --redact off are not delivered.

Exit codes: 0 everything is delivered (with --follow: ended by Ctrl-C), 1 something is not, 2 the command line is wrong, \
130 told to stop twice.";
