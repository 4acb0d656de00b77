//! ejabberd: another server than Prosody for what only it does. It pings WebSockets, offers stream management, words its errors otherwise.
//!
//! Runs without Erlang's distribution: no epmd, no cookie, no name. Users come in through its HTTP API, on loopback.

use super::client::Endpoint;
use super::process::{Process, run};
use super::server::{Server, certificate, free_port};
use super::{AGENTS, HOST, PASSWORD, PORT, curl};
use serde_json::{Value, json};
use std::fs;
use std::process::Command;

impl Server {
    /// ejabberd: SASL PLAIN only, `/ws/`, `/http-bind/`, a WebSocket ping every 3 s, pubsub, agents and `finesse` in each other's roster.
    pub(super) fn ejabberd() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let (certificate, key) = certificate(directory.path());
        let port = free_port();
        let both = [&key, &certificate].map(|file| fs::read_to_string(file).expect("what was just made"));
        fs::write(directory.path().join("both.pem"), both.concat()).expect("write the certificate with its key");
        let configuration = directory.path().join("ejabberd.yml");
        let path = directory.path().display();
        let text = format!(
            r#"
hosts: ["{HOST}"]
certfiles: ["{path}/both.pem"]
auth_method: [internal]
auth_password_format: plain
disable_sasl_mechanisms: ["digest-md5", "scram-sha-1", "scram-sha-256", "scram-sha-512", "x-oauth2", "scram-sha-1-plus",
  "scram-sha-256-plus", "scram-sha-512-plus"]
websocket_ping_interval: 3
listen:
  - port: {port}
    ip: "127.0.0.1"
    module: ejabberd_http
    tls: true
    request_handlers: {{ "/ws": ejabberd_http_ws, "/http-bind": mod_bosh, "/api": mod_http_api }}
api_permissions: {{ "all": {{ who: all, what: "*" }} }}
modules:
  mod_bosh: {{}}
  mod_roster: {{}}
  mod_ping: {{}}
  mod_stream_mgmt: {{}}
  mod_pubsub: {{ host: "pubsub.@HOST@", access_createnode: all, plugins: ["flat"] }}
  mod_admin_extra: {{}}
"#
        );
        fs::write(&configuration, text).expect("write the configuration");
        let script = r#"exec erl -noinput -pa /usr/lib/*/ejabberd-*/ebin -mnesia dir "\"$0/spool\"" -s ejabberd"#;
        let mut command = Command::new("sh");
        command.args(["-c", script]).arg(directory.path());
        command.current_dir(directory.path()).env("EJABBERD_CONFIG_PATH", &configuration);
        command.env("EJABBERD_LOG_PATH", directory.path().join("ejabberd.log"));
        let mut process = Process::start(&mut command);
        process.wait_for("where it listens", |line| line.contains("Start accepting TLS connections").then_some(()));
        let server = Self { port, xmpp: [0; 2], certificate, process, _directory: directory };
        for user in AGENTS.into_iter().chain(["finesse"]) {
            server.call("register", &json!({ "user": user, "host": HOST, "password": PASSWORD }));
        }
        for (one, other) in AGENTS.into_iter().flat_map(|agent| [(agent, "finesse"), ("finesse", agent)]) {
            let item = json!({ "localuser": one, "localhost": HOST, "user": other, "host": HOST, "nick": "", "group": "", "subs": "both" });
            server.call("add_rosteritem", &item);
        }
        server
    }

    /// A command of its HTTP API.
    fn call(&self, command: &str, arguments: &Value) {
        let url = format!("https://{HOST}:{PORT}/api/{command}");
        let data = arguments.to_string();
        run(curl(&Endpoint::direct(self), HOST).args([
            "--fail",
            "-H",
            "Content-Type: application/json",
            "--data",
            &data,
            &url,
        ]));
    }
}
