//! `ship`, and the receivers that `run` takes too: their options, what they become, and the help.

use super::record::{CaptureTo, DEFAULT_CAPTURES};
use super::share::expression;
use super::trust::pin;
use crate::config::value::{self, Wrong};
use crate::config::{Environment, Given, Problem, Sources, given};
use crate::filter::Filter;
use crate::ship::secret::Source;
use crate::ship::setup::Setup;
use crate::ship::{self, Ack, End, Kind, Login, Pace, Plan, Receiver, Url};
use crate::tls::upstream::{Pin, Trust};
use clap::builder::NonEmptyStringValueParser;
use clap::{Args, ValueHint};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Variables that hold secrets.
pub(super) const SECRETS: [&str; 4] = [SPLUNK_TOKEN, ELASTIC_API_KEY, ELASTIC_PASSWORD, OTLP_HEADERS];

const SPLUNK_TOKEN: &str = "FINESSE_TAP_SPLUNK_TOKEN";
const ELASTIC_API_KEY: &str = "FINESSE_TAP_ELASTIC_API_KEY";
const ELASTIC_PASSWORD: &str = "FINESSE_TAP_ELASTIC_PASSWORD";
const OTLP_HEADERS: &str = "FINESSE_TAP_OTLP_HEADERS";

pub(super) const MORE: &str = "\
Examples:
  finesse-tap ship captures/ --splunk https://splunk.example.com:8088 \\
    --splunk-token-file hec.token
  finesse-tap ship captures/ --elastic https://es.example.com:9200 \\
    --elastic-api-key-file es.key --elastic-setup
  finesse-tap ship captures/ --follow --splunk https://splunk.example.com:8088 \\
    --splunk-token-file hec.token --splunk-pin sha256:5d0f…
  finesse-tap ship captures/ --otlp http://localhost:4318
  FINESSE_TAP_SPLUNK_TOKEN=… \\
    finesse-tap ship --splunk https://splunk.example.com:8088

`run` takes the same options and delivers while it captures.

What it keeps, beside the captures or in the directory of --state:
  .ship-XXXX.json         how far the receiver has come, by file
  .ship-XXXX.dead.ndjson  what the receiver will never take, with the reason
  .ship-XXXX.lock         keeps a second shipper for the same receiver away
To deliver everything again, remove the first.

Each event is delivered at least once: after a crash some may be sent again. Elasticsearch keeps one of each, by its id; in \
Splunk `| dedup event.id` does; over OTLP it is log.record.uid. An HTTP proxy is taken from HTTPS_PROXY, HTTP_PROXY, ALL_PROXY \
and NO_PROXY. Captures made with --redact off are not delivered.

Exit codes: 0 everything is delivered (with --follow: ended by Ctrl-C), 1 something is not, 2 the command line is wrong, \
130 stopped by a second Ctrl-C.";

/// The options of `ship`.
#[derive(Clone, PartialEq, Eq, Debug, Args)]
pub struct ShipFlags {
    /// The directory of the capture files, or an unpacked bundle of `share`
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath, default_value = DEFAULT_CAPTURES)]
    pub captures: PathBuf,
    /// Whom events go to.
    #[command(flatten)]
    pub receiver: ReceiverFlags,
    /// Only the events that fit, such as 'errors or kind finding'
    ///
    /// The language is that of `finesse-tap report --help`. The first lines of a connection that is opened later belong to
    /// no agent yet.
    // Named otherwise than the option: what a live view leaves out by a variable is delivered all the same.
    #[arg(long = "filter", value_name = "EXPR", value_parser = expression)]
    pub picked: Option<Filter>,
    /// Go on: deliver what is written later, until Ctrl-C
    #[arg(long)]
    pub follow: bool,
    /// Keep checkpoint and dead letters in DIR [default: beside the captures]
    ///
    /// Where the captures cannot be written to. `run --capture-limit` then does not know what has been delivered.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub state: Option<PathBuf>,
    /// Give up when nothing has gone well for so long [default: never]
    ///
    /// Written 5, 5s, 500ms or 1m.
    #[arg(long, value_name = "SECONDS", value_parser = value::some_time)]
    pub give_up: Option<Duration>,
}

/// Whom events go to.
#[derive(Clone, PartialEq, Eq, Debug, Args)]
#[command(next_help_heading = "Delivery")]
pub struct ReceiverFlags {
    /// Deliver to Splunk's HTTP Event Collector: https://HOST:8088
    ///
    /// From the capture files, with a checkpoint: what cannot be delivered now is delivered later, after a restart too.
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url, value_parser = given(splunk))]
    pub splunk: Option<Given<Url>>,
    /// The HEC token is in FILE; or in the variable FINESSE_TAP_SPLUNK_TOKEN
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "splunk")]
    pub splunk_token_file: Option<PathBuf>,
    /// Into this index [default: the token's]
    #[arg(long, value_name = "NAME", requires = "splunk", value_parser = NonEmptyStringValueParser::new())]
    pub splunk_index: Option<String>,
    /// Insist on indexer acknowledgement
    ///
    /// An event counts as delivered when Splunk has indexed it. Acknowledgements are waited for in any case where the token has
    /// them; this makes a token without them an error.
    #[arg(long, requires = "splunk")]
    pub splunk_ack: bool,
    /// Trust Splunk if a certificate in FILE (PEM) vouches for it [default: the system's roots]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    #[arg(requires = "splunk", conflicts_with = "splunk_pin")]
    pub splunk_ca: Option<PathBuf>,
    /// Trust the Splunk that has this certificate and no other
    #[arg(long, value_name = "sha256:HEX", value_parser = pin, requires = "splunk")]
    pub splunk_pin: Option<Pin>,
    /// Deliver to Elasticsearch or OpenSearch: https://HOST:9200
    ///
    /// By _bulk into a data stream, each event under its own id, so that none is there twice.
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url, value_parser = given(elastic))]
    pub elastic: Option<Given<Url>>,
    /// The API key is in FILE, as ID:KEY or in base64; or in the variable FINESSE_TAP_ELASTIC_API_KEY
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "elastic", conflicts_with = "elastic_user")]
    pub elastic_api_key_file: Option<PathBuf>,
    /// User name, where there is no API key
    #[arg(long, value_name = "NAME", requires = "elastic", value_parser = user)]
    pub elastic_user: Option<String>,
    /// Its password is in FILE; or in the variable FINESSE_TAP_ELASTIC_PASSWORD
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "elastic_user")]
    pub elastic_password_file: Option<PathBuf>,
    /// Into this data stream [default: logs-finesse.event-default]
    #[arg(long, value_name = "NAME", requires = "elastic", value_parser = data_stream)]
    pub elastic_data_stream: Option<String>,
    /// First put ingest pipeline and templates there
    ///
    /// Harmless when repeated. The key then needs manage_index_templates and manage_ingest_pipelines.
    #[arg(long, requires = "elastic")]
    pub elastic_setup: bool,
    /// With --elastic-setup, put a data view into this Kibana too
    ///
    /// With the same credentials and the same trust.
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url, value_parser = given(kibana), requires = "elastic_setup")]
    pub kibana: Option<Given<Url>>,
    /// Trust Elasticsearch if a certificate in FILE (PEM) vouches for it [default: the system's roots]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    #[arg(requires = "elastic", conflicts_with = "elastic_pin")]
    pub elastic_ca: Option<PathBuf>,
    /// Trust the Elasticsearch that has this certificate and no other
    #[arg(long, value_name = "sha256:HEX", value_parser = pin, requires = "elastic")]
    pub elastic_pin: Option<Pin>,
    /// Deliver to an OpenTelemetry Collector, Loki, or whatever takes OTLP over HTTP: http://HOST:4318
    ///
    /// As log records in protobuf, to URL/v1/logs. The body of a record is the event as a map.
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url, value_parser = given(otlp))]
    pub otlp: Option<Given<Url>>,
    /// Headers that it asks for are in FILE, `Name: value` in every line; or in the variable FINESSE_TAP_OTLP_HEADERS
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "otlp")]
    pub otlp_headers_file: Option<PathBuf>,
    /// Trust the receiver if a certificate in FILE (PEM) vouches for it [default: the system's roots]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    #[arg(requires = "otlp", conflicts_with = "otlp_pin")]
    pub otlp_ca: Option<PathBuf>,
    /// Trust the receiver that has this certificate and no other
    #[arg(long, value_name = "sha256:HEX", value_parser = pin, requires = "otlp")]
    pub otlp_pin: Option<Pin>,
    /// Speak http:// to a receiver on another machine
    ///
    /// Events and the receiver's secret then cross the network in the clear. To loopback addresses it needs no leave.
    #[arg(long)]
    pub allow_plain_http: bool,
}

/// What `ship` needs to know.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ship {
    /// What goes where; one receiver or two, of the same files.
    pub plans: Vec<Plan>,
}

impl ShipFlags {
    /// The options checked against each other.
    ///
    /// # Errors
    /// They name no receiver, or one without what it needs.
    pub fn check(self, sources: &Sources, environment: &Environment) -> Result<Ship, Problem> {
        let receivers = self.receiver.receivers(sources, environment, self.give_up)?;
        if receivers.is_empty() {
            return Err(Problem::new("no receiver is named").hint("add --splunk URL, --elastic URL or --otlp URL"));
        }
        let end = if self.follow { End::Never } else { End::Delivered };
        let state = self.state.as_deref().unwrap_or(&self.captures);
        let mut plans = plans(receivers, &self.captures, state, end, self.give_up);
        plans.iter_mut().for_each(|plan| plan.filter = self.picked.clone().unwrap_or_default());
        Ok(Ship { plans })
    }
}

fn plans(receivers: Vec<Receiver>, captures: &Path, state: &Path, end: End, give_up: Option<Duration>) -> Vec<Plan> {
    let (captures, state, pace) = (captures.to_owned(), state.to_owned(), Pace::default());
    let plan = |receiver| Plan {
        captures: captures.clone(),
        state: state.clone(),
        filter: Filter::default(),
        receiver,
        end,
        give_up,
        pace,
    };
    receivers.into_iter().map(plan).collect()
}

/// The plans of a `run` that keeps its captures there.
pub(super) fn of_run(
    flags: &ReceiverFlags,
    sources: &Sources,
    environment: &Environment,
    capture: &CaptureTo,
) -> Result<Vec<Plan>, Problem> {
    let receivers = flags.receivers(sources, environment, None)?;
    match (flags.splunk.as_ref().or(flags.elastic.as_ref()).or(flags.otlp.as_ref()), capture) {
        (None, _) => Ok(Vec::new()),
        (Some(_), CaptureTo::Dir(dir)) => Ok(plans(receivers, dir, dir, End::Never, None)),
        (Some(named), CaptureTo::Stdout | CaptureTo::Off) => {
            let problem = sources.problem(named, "there are no capture files to deliver from");
            Err(problem.hint("name a directory with --capture DIR, or omit --capture"))
        }
    }
}

impl ReceiverFlags {
    fn receivers(
        &self,
        sources: &Sources,
        environment: &Environment,
        give_up: Option<Duration>,
    ) -> Result<Vec<Receiver>, Problem> {
        let url = |given: &Given<Url>| {
            if given.is_private() || self.allow_plain_http {
                return Ok((**given).clone());
            }
            let problem = sources.problem(given, "http:// to another machine sends events and the secret in the clear");
            Err(problem.hint("use https://, or add --allow-plain-http if that network is yours"))
        };
        let mut receivers = Vec::new();
        if let Some(named) = &self.splunk {
            let token = secret(self.splunk_token_file.as_ref(), environment, SPLUNK_TOKEN).ok_or_else(|| {
                Problem::new("Splunk's HEC token is missing")
                    .hint(format!("add --splunk-token-file FILE, or set {SPLUNK_TOKEN}"))
            })?;
            let ack = if self.splunk_ack { Ack::Required } else { Ack::IfOffered };
            let kind = Kind::Splunk { token, index: self.splunk_index.clone(), ack };
            let trust = trust(self.splunk_ca.as_ref(), self.splunk_pin.as_ref());
            receivers.push(Receiver { url: url(named)?, trust, kind });
        }
        if let Some(named) = &self.elastic {
            let kibana = self.kibana.as_ref().map(url).transpose()?;
            let stream = self.elastic_data_stream.clone().unwrap_or_else(|| ship::elastic::DATA_STREAM.to_owned());
            let setup = self.elastic_setup.then_some(Setup { kibana, give_up });
            let kind = Kind::Elastic { login: self.login(environment)?, stream, setup };
            let trust = trust(self.elastic_ca.as_ref(), self.elastic_pin.as_ref());
            receivers.push(Receiver { url: url(named)?, trust, kind });
        }
        if let Some(named) = &self.otlp {
            let headers = secret(self.otlp_headers_file.as_ref(), environment, OTLP_HEADERS);
            let trust = trust(self.otlp_ca.as_ref(), self.otlp_pin.as_ref());
            receivers.push(Receiver { url: url(named)?, trust, kind: Kind::Otlp { headers } });
        }
        Ok(receivers)
    }

    fn login(&self, environment: &Environment) -> Result<Login, Problem> {
        let Some(user) = &self.elastic_user else {
            let key = secret(self.elastic_api_key_file.as_ref(), environment, ELASTIC_API_KEY);
            return Ok(key.map_or(Login::None, Login::ApiKey));
        };
        let password = secret(self.elastic_password_file.as_ref(), environment, ELASTIC_PASSWORD).ok_or_else(|| {
            Problem::new("the password of --elastic-user is missing")
                .hint(format!("add --elastic-password-file FILE, or set {ELASTIC_PASSWORD}"))
        })?;
        Ok(Login::Basic { user: user.clone(), password })
    }
}

/// Where a secret is: the file that was named, else the variable if it is set. The secret itself is not looked at.
fn secret(file: Option<&PathBuf>, environment: &Environment, variable: &'static str) -> Option<Source> {
    let is_set = environment.get(OsStr::new(variable)).is_some_and(|value| !value.is_empty());
    file.map(|path| Source::File(path.clone())).or_else(|| is_set.then_some(Source::Variable(variable)))
}

fn trust(ca: Option<&PathBuf>, pin: Option<&Pin>) -> Trust {
    let pins = |pin: &Pin| Trust::Pins(vec![*pin]);
    ca.map(|file| Trust::Ca(file.clone())).or_else(|| pin.map(pins)).unwrap_or(Trust::System)
}

fn splunk(text: &str) -> Result<Url, Wrong> {
    url(text, 8088)
}

fn elastic(text: &str) -> Result<Url, Wrong> {
    url(text, 9200)
}

fn otlp(text: &str) -> Result<Url, Wrong> {
    url(text, 4318)
}

fn kibana(text: &str) -> Result<Url, Wrong> {
    url(text, 5601)
}

/// The text is not quoted: it may hold a password.
fn url(text: &str, usual_port: u16) -> Result<Url, Wrong> {
    Url::parse(text).map_err(|why| Wrong::new(why, format!("https://HOST:{usual_port}")))
}

fn user(text: &str) -> Result<String, Wrong> {
    match text {
        "" => Err(Wrong::new("is empty", None)),
        _ if text.contains(':') => Err(Wrong::new("a user name with a colon cannot be sent", None)),
        _ => Ok(text.to_owned()),
    }
}

fn data_stream(text: &str) -> Result<String, Wrong> {
    ship::elastic::data_stream(text).map_err(Wrong::from)
}
