//! Real clients: Strophe in Node and in Chromium, ws. They print what they saw; here it becomes values to compare.
//!
//! A client always calls the server by its real name and port; [`Endpoint`] says where that leads and whom it trusts.

use super::process::run;
use super::server::Server;
use super::{AGENT, HOST, PASSWORD, PORT, scripts};
use serde_json::Value;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where `HOST:PORT` leads: to the server itself or to the proxy.
pub(super) struct Endpoint {
    /// The port on 127.0.0.1.
    pub(super) port: u16,
    /// The certificate the client is given to trust.
    pub(super) ca: PathBuf,
}

/// Which Strophe.
#[derive(Clone, Copy, Debug)]
pub(super) enum Library {
    /// 1.2.16, which the Finesse desktop carries.
    Desktop,
    /// Today's.
    Current,
}

/// How a browser is made to trust the certificate.
#[derive(Clone, Copy)]
pub(super) enum Trust {
    /// Its key is named on the command line.
    Pin,
    /// It is put into the user's certificate store: the chain must convince the browser.
    Store,
}

/// What a client saw of one WebSocket.
pub(super) struct Seen {
    /// Negotiated.
    pub(super) extensions: String,
    /// Every message in the client's order.
    pub(super) frames: Vec<Frame>,
    /// The address of the page in a browser, at the end.
    pub(super) url: String,
    /// The cookies for it: each its name and its domain.
    pub(super) cookies: Vec<String>,
    /// What a script of the page fetched from another origin.
    pub(super) crossed: String,
}

/// One message as the client's library gave or took it.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Frame {
    /// `c2s` or `s2c`.
    pub(super) direction: String,
    /// The text.
    pub(super) text: String,
}

impl Endpoint {
    /// The server itself.
    pub(super) fn direct(server: &Server) -> Self {
        Self { port: server.port(), ca: server.certificate().to_owned() }
    }

    /// Node logs in with `library`.
    pub(super) fn login_in_node(&self, server: &Server, library: Library) -> Seen {
        Seen::by(self.command("login.mjs").args(["--user", AGENT, "--library", library.name()]).args(itself(server)))
    }

    /// Node logs in with `library` over BOSH.
    pub(super) fn login_in_node_over_bosh(&self, server: &Server, library: Library) -> Seen {
        let mut command = self.command("login.mjs");
        command.args(["--over", "bosh", "--user", AGENT, "--library", library.name()]);
        Seen::by(command.args(itself(server)))
    }

    /// Chromium logs in with `library` over BOSH.
    pub(super) fn login_in_chromium_over_bosh(&self, server: &Server, library: Library) -> Seen {
        let profile = tempfile::tempdir().expect("a temporary directory");
        let mut command = self.command("browser.mjs");
        command.args(["--what", "login", "--over", "bosh", "--user", AGENT, "--library", library.name()]);
        Seen::by(command.args(["--trust", Trust::Pin.name()]).args(itself(server)).arg("--profile").arg(profile.path()))
    }

    /// slixmpp logs in without HTTP; `tls` is `direct` or `starttls`. What it says, step by step.
    pub(super) fn login_with_slixmpp(&self, server: &Server, tls: &str) -> Vec<String> {
        let mut command = Command::new("node");
        command.arg(scripts().join("stream.mjs")).env("FINESSE_TAP_TEST_PASSWORD", PASSWORD);
        command.args(["--tls", tls, "--host", HOST, "--user", AGENT, "--dial", &self.port.to_string()]);
        let said = run(command.arg("--ca").arg(&self.ca).args(itself(server))).stdout;
        let step = |line: &String| serde_json::from_str::<Value>(line).ok()?["step"].as_str().map(str::to_owned);
        said.iter().filter_map(step).collect()
    }

    /// Chromium logs in with `library`.
    pub(super) fn login_in_chromium(&self, server: &Server, library: Library, trust: Trust) -> Seen {
        let profile = tempfile::tempdir().expect("a temporary directory");
        let mut command = self.command("browser.mjs");
        command.args(["--what", "login", "--user", AGENT, "--library", library.name(), "--trust", trust.name()]);
        Seen::by(command.args(itself(server)).arg("--profile").arg(profile.path()))
    }

    /// Chromium logs in with `library`, and its HAR of that goes to `har`.
    pub(super) fn login_in_chromium_recorded(&self, server: &Server, library: Library, har: &Path) -> Seen {
        let profile = tempfile::tempdir().expect("a temporary directory");
        let mut command = self.command("browser.mjs");
        command.args(["--what", "login", "--user", AGENT, "--library", library.name(), "--trust", Trust::Pin.name()]);
        Seen::by(command.args(itself(server)).arg("--profile").arg(profile.path()).arg("--har").arg(har))
    }

    /// The same, and what its DevTools export of that goes to `har`.
    pub(super) fn login_in_chromium_exported(&self, server: &Server, library: Library, har: &Path) -> Seen {
        let profile = tempfile::tempdir().expect("a temporary directory");
        let mut command = self.command("browser.mjs");
        command.args(["--what", "login", "--user", AGENT, "--library", library.name(), "--trust", Trust::Pin.name()]);
        Seen::by(command.args(itself(server)).arg("--profile").arg(profile.path()).arg("--exported").arg(har))
    }

    /// Chromium opens `page`, logs in there, and fetches `cross` with a script of it.
    pub(super) fn login_in_chromium_at(&self, server: &Server, page: &str, cross: &str) -> Seen {
        let profile = tempfile::tempdir().expect("a temporary directory");
        let mut command = self.command("browser.mjs");
        command.args([
            "--what",
            "login",
            "--user",
            AGENT,
            "--library",
            Library::Desktop.name(),
            "--trust",
            Trust::Pin.name(),
        ]);
        command.args(["--page", page, "--cross", cross]).args(itself(server));
        Seen::by(command.arg("--profile").arg(profile.path()))
    }

    /// A browser that runs already, with a profile below `profiles` and the page open, logs in there, fetches `cross` with a
    /// script of it, and is closed.
    pub(super) fn login_in_running(&self, server: &Server, profiles: &Path, cross: &str) -> Seen {
        let mut command = self.command("browser.mjs");
        command.args(["--what", "login", "--user", AGENT, "--library", Library::Desktop.name()]);
        Seen::by(command.args(itself(server)).args(["--cross", cross]).arg("--attach").arg(profiles))
    }

    /// The same at a node of a cluster, in front of `behind`, until that is stopped (said by `"settled"`); then at the node called
    /// `other`, in front of `beyond`. What comes of it are [`Seen::before_and_after`].
    pub(super) fn failover_in_running(
        &self,
        behind: &Server,
        other: &str,
        beyond: &Server,
        profiles: &Path,
    ) -> Command {
        let mut command = self.command("browser.mjs");
        command.args(["--what", "failover", "--user", AGENT, "--library", Library::Desktop.name()]);
        command.args(itself(behind)).args(["--other", other, "--other-server", &beyond.port().to_string()]);
        command.arg("--other-server-ca").arg(beyond.certificate()).arg("--attach").arg(profiles);
        command
    }

    /// ws exchanges `count` stanzas.
    pub(super) fn talk_in_node(&self, count: usize) -> Seen {
        Seen::by(self.command("deflate.mjs").args(["talk", "--count", &count.to_string()]))
    }

    /// Chromium exchanges `count` stanzas.
    pub(super) fn talk_in_chromium(&self, count: usize) -> Seen {
        let profile = tempfile::tempdir().expect("a temporary directory");
        let mut command = self.command("browser.mjs");
        command.args(["--what", "talk", "--trust", Trust::Pin.name(), "--count", &count.to_string()]);
        Seen::by(command.arg("--profile").arg(profile.path()))
    }

    /// A desktop that logs in, stays and pings, as `options` say (see `agent.mjs`). Its settling is for the caller to wait for.
    pub(super) fn agent(&self, user: &str, options: &[&str]) -> Command {
        let mut command = self.command("agent.mjs");
        command.args(["--user", user]).args(options);
        command
    }

    fn command(&self, script: &str) -> Command {
        let mut command = Command::new("node");
        command.arg(scripts().join(script)).env("FINESSE_TAP_TEST_PASSWORD", PASSWORD);
        command
            .args(["--host", HOST, "--port", &PORT.to_string(), "--dial", &self.port.to_string()])
            .arg("--ca")
            .arg(&self.ca);
        command
    }
}

impl Library {
    fn name(self) -> &'static str {
        match self {
            Self::Desktop => "desktop",
            Self::Current => "current",
        }
    }
}

impl Trust {
    fn name(self) -> &'static str {
        match self {
            Self::Pin => "pin",
            Self::Store => "store",
        }
    }
}

impl Seen {
    /// What the program `command` runs printed.
    fn by(command: &mut Command) -> Self {
        Self::of(&run(command).stdout)
    }

    /// What a desktop saw on either node.
    pub(super) fn before_and_after(lines: &[String]) -> [Self; 2] {
        let moved = lines.iter().position(|line| line.starts_with("{\"seen\":\"moved\""));
        let (before, after) = lines.split_at(moved.expect("a desktop that moved"));
        [before, after].map(Self::of)
    }

    fn of(lines: &[String]) -> Self {
        let mut seen = Self {
            extensions: String::new(),
            frames: Vec::new(),
            url: String::new(),
            cookies: Vec::new(),
            crossed: String::new(),
        };
        for line in lines {
            let thing: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line}"));
            let field = |name: &str| thing[name].as_str().unwrap_or_default().to_owned();
            match field("seen").as_str() {
                "opened" => {
                    assert_eq!(field("protocol"), "xmpp", "the subprotocol");
                    seen.extensions = field("extensions");
                }
                "frame" => seen.frames.push(Frame { direction: field("direction"), text: field("text") }),
                "page" => {
                    seen.url = field("url");
                    let cookies = thing["cookies"].as_array().into_iter().flatten();
                    seen.cookies = cookies.filter_map(|cookie| Some(cookie.as_str()?.to_owned())).collect();
                }
                "crossed" => seen.crossed = field("text"),
                _ => {}
            }
        }
        seen
    }

    /// The frames up to the client's `<close/>`. What follows is a race between the server's farewell and the client's own
    /// closing of the socket, with the same client and server and nothing in between.
    pub(super) fn until_close(&self) -> &[Frame] {
        let close = self.frames.iter().position(|frame| frame.direction == "c2s" && frame.name() == "close");
        &self.frames[..=close.expect("a client that says <close/>")]
    }
}

impl Frame {
    /// The element's name, with its prefix.
    pub(super) fn name(&self) -> &str {
        let start = self.text.trim_start_matches('<');
        start.split([' ', '/', '>']).next().unwrap_or_default()
    }

    /// An attribute of the element itself.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        let tag = self.text.split('>').next()?;
        let (_, value) = tag.split_once(&format!(" {name}="))?;
        value[1..].split(value.chars().next()?).next()
    }

    /// The frame with what the server makes up anew each time (stream and message ids, time stamps) replaced.
    pub(super) fn normalised(&self) -> Self {
        let mut frame = self.clone();
        let made_up = match (self.direction.as_str(), self.name()) {
            ("s2c", "open" | "message") => self.attribute("id"),
            ("s2c", "presence") => self.text.split_once("stamp='").and_then(|(_, rest)| rest.split('\'').next()),
            _ => None,
        };
        if let Some(made_up) = made_up {
            frame.text = self.text.replace(made_up, "…");
        }
        frame
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text: String = self.text.chars().take(2_000).collect();
        write!(f, "{} {text}", self.direction)
    }
}

/// The arguments that lead the server's own client past whatever stands in between.
fn itself(server: &Server) -> [String; 4] {
    ["--server".into(), server.port().to_string(), "--server-ca".into(), server.certificate().display().to_string()]
}
