//! A configuration becomes the settings that a capture's first line lists. Paths of keys are among them, no secret is.

use super::{CaptureTo, Demo, Import, Live, Recording, Run, value};
use crate::log::Log;
use crate::tls::upstream::Trust;
use std::net::IpAddr;

impl Run {
    /// Every setting in force, as option and value, in the order of the help. Holds no secret.
    #[must_use]
    pub fn settings(&self) -> Vec<(String, String)> {
        let mut rows = Rows::default();
        self.traffic.upstreams.iter().for_each(|server| rows.row("upstream", server));
        self.traffic.listen.iter().for_each(|address| rows.row("listen", address));
        self.traffic.routes.iter().for_each(|route| rows.row("route", route));
        for (host, address) in &self.resolve {
            match address {
                IpAddr::V4(v4) => rows.row("resolve", format!("{host}:{v4}")),
                IpAddr::V6(v6) => rows.row("resolve", format!("{host}:[{v6}]")),
            }
        }
        rows.row("rewrite", self.rewriting.as_str());
        match &self.trust {
            Trust::System => rows.row("upstream-trust", "system"),
            Trust::Ca(path) => rows.row("upstream-ca", path.display()),
            Trust::Pins(pins) => pins.iter().for_each(|pin| rows.row("upstream-pin", pin)),
            Trust::Insecure => rows.row("upstream-insecure", true),
        }
        if let Some(identity) = &self.client_identity {
            rows.row("upstream-client-cert", identity.cert.display());
            rows.row("upstream-client-key", identity.key.display());
        }
        if let Some(identity) = &self.own_identity {
            rows.row("cert", identity.cert.display());
            rows.row("key", identity.key.display());
        }
        rows.row("certs", self.certs.display());
        rows.recording(&self.record);
        if let Some(path) = &self.keylog {
            rows.row("keylog", path.display());
        }
        for plan in &self.ship {
            rows.row("ship", plan.receiver.name());
        }
        rows.row("grace", value::time_text(self.limits.grace));
        rows.row("max-connections", self.limits.connections);
        rows.row("connect-timeout", value::time_text(self.limits.connect));
        rows.row("handshake-timeout", value::time_text(self.limits.handshake));
        if let Some(address) = self.admin {
            rows.row("admin", address);
        }
        if self.browser.is_some() {
            rows.row("browse", true);
        }
        rows.log(&self.log);
        rows.0
    }
}

impl Demo {
    /// Every setting in force, as option and value.
    #[must_use]
    pub fn settings(&self) -> Vec<(String, String)> {
        let mut rows = Rows::default();
        rows.row("agents", self.agents);
        rows.row("keep", self.keep);
        self.listen.iter().for_each(|address| rows.row("listen", address));
        rows.row("certs", self.certs.display());
        rows.recording(&self.record);
        rows.log(&self.log);
        rows.0
    }
}

impl Import {
    /// Every setting in force, as option and value. A file's folder is nobody's business.
    #[must_use]
    pub fn settings(&self) -> Vec<(String, String)> {
        let mut rows = Rows::default();
        rows.row("source", "har");
        for file in &self.files {
            rows.row("file", file.file_name().unwrap_or_default().display());
        }
        rows.recording(&self.record);
        rows.0.retain(|(name, _)| name != "quiet");
        rows.0
    }
}

#[derive(Default)]
struct Rows(Vec<(String, String)>);

impl Rows {
    fn row(&mut self, name: &str, value: impl ToString) {
        self.0.push((name.to_owned(), value.to_string()));
    }

    fn recording(&mut self, record: &Recording) {
        match &record.capture {
            CaptureTo::Dir(path) => self.row("capture", path.display()),
            CaptureTo::Stdout => self.row("capture", "-"),
            CaptureTo::Off => self.row("no-capture", true),
        }
        if let Some(bytes) = record.capture_limit_bytes {
            self.row("capture-limit", bytes);
        }
        self.row("redact", record.redact);
        if !record.rules.is_empty() {
            self.row("redaction-rules", record.rules.text().lines().collect::<Vec<_>>().join(", "));
        }
        if let Some(path) = &record.stable_tokens {
            self.row("stable-tokens", path.display());
        }
        self.row("max-line-bytes", record.max_line_bytes);
        match record.live {
            Live::Off => self.row("quiet", true),
            Live::Messages => {}
            Live::Everything => self.row("verbose", true),
        }
    }

    fn log(&mut self, log: &Log) {
        self.row("log-format", log.format.as_str());
        self.row("log-filter", &log.filter);
    }
}
