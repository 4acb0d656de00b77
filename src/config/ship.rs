//! What `ship` needs to know, and the receivers of `run`.

use super::read::{parsed, read_value};
use super::said::{Environment, Said, Value};
use super::value::{self, Wrong};
use super::{DEFAULT_CAPTURES, Problem};
use crate::ship::secret::Source;
use crate::ship::setup::Setup;
use crate::ship::{self, Ack, End, Kind, Login, Pace, Plan, Receiver, Url};
use crate::tls::upstream::{Pin, Trust};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;

/// What `ship` needs to know.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ship {
    /// What goes where; one receiver or two, of the same files.
    pub plans: Vec<Plan>,
}

/// Variables that hold secrets.
pub(super) const SECRETS: [&str; 3] = [SPLUNK_TOKEN, ELASTIC_API_KEY, ELASTIC_PASSWORD];

const SPLUNK_TOKEN: &str = "FINESSE_TAP_SPLUNK_TOKEN";
const ELASTIC_API_KEY: &str = "FINESSE_TAP_ELASTIC_API_KEY";
const ELASTIC_PASSWORD: &str = "FINESSE_TAP_ELASTIC_PASSWORD";

pub(super) fn ship(said: &Said, environment: &Environment) -> Result<Ship, Problem> {
    let captures = said.one("captures").map_or_else(|| PathBuf::from(DEFAULT_CAPTURES), |value| (&value.text).into());
    let state = said.one("state").map_or_else(|| captures.clone(), |value| (&value.text).into());
    let follow = said.one("follow").is_some_and(|value| value.switch == Some(true));
    let end = if follow { End::Never } else { End::Delivered };
    let give_up = parsed(said, "give_up", value::some_time)?;
    let receivers = receivers(said, environment, give_up)?;
    if receivers.is_empty() {
        return Err(Problem::new("no receiver is named").hint("add --splunk URL or --elastic URL"));
    }
    let plan = |receiver| Plan {
        captures: captures.clone(),
        state: state.clone(),
        receiver,
        end,
        give_up,
        pace: Pace::default(),
    };
    Ok(Ship { plans: receivers.into_iter().map(plan).collect() })
}

/// The plans of a `run` that keeps its captures in `captures`.
pub(super) fn plans(said: &Said, environment: &Environment, captures: Option<&Path>) -> Result<Vec<Plan>, Problem> {
    let receivers = receivers(said, environment, None)?;
    let Some(named) = said.one("splunk").or(said.one("elastic")) else { return Ok(Vec::new()) };
    let Some(captures) = captures else {
        let problem = named.problem("there are no capture files to deliver from");
        return Err(problem.hint("name a directory with --capture DIR, or leave --capture away"));
    };
    let plan = |receiver| Plan {
        captures: captures.to_owned(),
        state: captures.to_owned(),
        receiver,
        end: End::Never,
        give_up: None,
        pace: Pace::default(),
    };
    Ok(receivers.into_iter().map(plan).collect())
}

fn receivers(
    said: &Said,
    environment: &Environment,
    give_up: Option<std::time::Duration>,
) -> Result<Vec<Receiver>, Problem> {
    let mut receivers = Vec::new();
    if let Some(url) = url(said, "splunk")? {
        let token = secret(said, environment, "splunk_token_file", SPLUNK_TOKEN).ok_or_else(|| {
            Problem::new("Splunk's HEC token is missing")
                .hint(format!("add --splunk-token-file FILE, or set {SPLUNK_TOKEN}"))
        })?;
        let ack = if is_on(said, "splunk_ack") { Ack::Required } else { Ack::IfOffered };
        let kind = Kind::Splunk { token, index: parsed(said, "splunk_index", plain)?, ack };
        receivers.push(Receiver { url, trust: trust(said, ["splunk_ca", "splunk_pin"])?, kind });
    }
    if let Some(url) = url(said, "elastic")? {
        let stream = parsed(said, "elastic_data_stream", |text| ship::elastic::data_stream(text).map_err(Wrong::from))?;
        let kibana = self::url(said, "kibana")?;
        let setup = is_on(said, "elastic_setup").then_some(Setup { kibana, give_up });
        let login = login(said, environment)?;
        let stream = stream.unwrap_or_else(|| ship::elastic::DATA_STREAM.to_owned());
        let kind = Kind::Elastic { login, stream, setup };
        receivers.push(Receiver { url, trust: trust(said, ["elastic_ca", "elastic_pin"])?, kind });
    }
    alone(said)?;
    Ok(receivers)
}

/// Options that only make sense beside another one.
fn alone(said: &Said) -> Result<(), Problem> {
    let needs = [
        ("splunk", &["splunk_token_file", "splunk_index", "splunk_ack", "splunk_ca", "splunk_pin"][..]),
        (
            "elastic",
            &[
                "elastic_api_key_file",
                "elastic_user",
                "elastic_password_file",
                "elastic_data_stream",
                "elastic_setup",
                "elastic_ca",
                "elastic_pin",
            ],
        ),
        ("elastic_setup", &["kibana"]),
    ];
    for (base, options) in needs {
        if said.one(base).is_some_and(|value| value.switch != Some(false)) {
            continue;
        }
        if let Some(value) = options.iter().find_map(|name| said.one(name)).filter(|value| value.switch != Some(false))
        {
            let option = base.replace('_', "-");
            return Err(value.problem(format!("without --{option} it means nothing")).hint(format!("add --{option}")));
        }
    }
    Ok(())
}

fn login(said: &Said, environment: &Environment) -> Result<Login, Problem> {
    let user = parsed(said, "elastic_user", plain)?;
    if let Some(user) = user {
        if let Some(key) = said.one("elastic_api_key_file") {
            return Err(key.problem("an API key and a user exclude each other").hint("keep one of them"));
        }
        if user.contains(':') {
            return Err(Problem::new("--elastic-user: a user name with a colon cannot be sent"));
        }
        let password = secret(said, environment, "elastic_password_file", ELASTIC_PASSWORD).ok_or_else(|| {
            Problem::new("the password of --elastic-user is missing")
                .hint(format!("add --elastic-password-file FILE, or set {ELASTIC_PASSWORD}"))
        })?;
        return Ok(Login::Basic { user, password });
    }
    if let Some(file) = said.one("elastic_password_file") {
        return Err(file.problem("whose password is it?").hint("add --elastic-user NAME"));
    }
    Ok(secret(said, environment, "elastic_api_key_file", ELASTIC_API_KEY).map_or(Login::None, Login::ApiKey))
}

/// Where a secret is: the file that was named, else the variable if it is set. The secret itself is not looked at.
fn secret(said: &Said, environment: &Environment, option: &str, variable: &'static str) -> Option<Source> {
    let is_set = environment.get(OsStr::new(variable)).is_some_and(|value| !value.is_empty());
    let file = said.one(option).map(|value| Source::File(PathBuf::from(&value.text)));
    file.or_else(|| is_set.then_some(Source::Variable(variable)))
}

fn trust(said: &Said, names: [&str; 2]) -> Result<Trust, Problem> {
    Ok(match said.only(&names)? {
        None => Trust::System,
        Some(value) if value.name.ends_with("_ca") => Trust::Ca(PathBuf::from(&value.text)),
        Some(value) => Trust::Pins(vec![read_value(value, |text| Pin::from_str(text).map_err(Wrong::from))?]),
    })
}

fn url(said: &Said, name: &str) -> Result<Option<Url>, Problem> {
    let Some(value) = said.one(name) else { return Ok(None) };
    // The value is not quoted: it may hold a password.
    let wrong = |why: String| value.problem(why).hint(format!("write {}", example(value)));
    let text = value.text.to_str().ok_or_else(|| wrong("is not UTF-8".to_owned()))?;
    let url = Url::parse(text).map_err(wrong)?;
    if !url.is_private() && !is_on(said, "allow_plain_http") {
        let problem = value.problem("http:// to another machine sends events and the secret in the clear");
        return Err(problem.hint("use https://, or add --allow-plain-http if that network is yours"));
    }
    Ok(Some(url))
}

fn example(value: &Value) -> String {
    let port = match &*value.name {
        "splunk" => "8088",
        "kibana" => "5601",
        _ => "9200",
    };
    value.set_to(&format!("https://HOST:{port}"))
}

#[expect(clippy::unnecessary_wraps, reason = "options are parsed by functions that may fail")]
fn plain(text: &str) -> Result<String, Wrong> {
    Ok(text.to_owned())
}

fn is_on(said: &Said, name: &str) -> bool {
    said.one(name).is_some_and(|value| value.switch == Some(true))
}

#[cfg(test)]
#[path = "ship_tests.rs"]
mod tests;
