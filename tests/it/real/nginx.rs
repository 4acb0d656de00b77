//! nginx as what stands in between: a reverse proxy with one fault.
//!
//! It takes the certificate of the server behind it for its own, so that whoever trusts the one trusts the other.

use super::HOST;
use super::process::Process;
use super::server::{Server, certificate, free_port};
use std::fs;
use std::process::Command;

/// What it does to WebSockets.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fault {
    /// Cuts a socket off on which the server said nothing for 20 s.
    ReadTimeout,
    /// Takes the subprotocol out of the request.
    RequestSubprotocol,
    /// Takes the subprotocol out of the answer.
    AnswerSubprotocol,
    /// Takes the upgrade out of the request, as nginx does unless told otherwise.
    Upgrade,
}

impl Fault {
    fn directives(self) -> &'static str {
        match self {
            Self::ReadTimeout => "proxy_read_timeout 20s;",
            Self::RequestSubprotocol => "proxy_set_header Sec-WebSocket-Protocol \"\";",
            Self::AnswerSubprotocol => "proxy_hide_header Sec-WebSocket-Protocol;",
            Self::Upgrade => "",
        }
    }
}

impl Server {
    /// nginx in front of whatever listens with TLS on `port`.
    pub(super) fn nginx(port: u16, fault: Fault) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let (certificate, _) = certificate(directory.path());
        let own = free_port();
        let path = directory.path().display();
        let upgrade = match fault {
            Fault::Upgrade => "",
            _ => "proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;",
        };
        let configuration = format!(
            r#"
            daemon off; master_process off; pid "{path}/pid"; error_log stderr notice;
            events {{}}
            http {{
              access_log off; client_body_temp_path "{path}/body"; proxy_temp_path "{path}/proxy";
              fastcgi_temp_path "{path}/fastcgi"; uwsgi_temp_path "{path}/uwsgi"; scgi_temp_path "{path}/scgi";
              server {{
                listen 127.0.0.1:{own} ssl; server_name {HOST};
                ssl_certificate "{path}/server.pem"; ssl_certificate_key "{path}/server.key";
                location / {{
                  proxy_pass https://127.0.0.1:{port}; proxy_ssl_server_name on; proxy_ssl_name {HOST};
                  proxy_http_version 1.1; proxy_set_header Host $http_host; {upgrade} {}
                }}
              }}
            }}
            "#,
            fault.directives()
        );
        let file = directory.path().join("nginx.conf");
        fs::write(&file, configuration).expect("write the configuration");
        let mut command = Command::new("nginx");
        command.arg("-p").arg(directory.path()).arg("-c").arg(file).args(["-e", "stderr"]);
        let mut process = Process::start(&mut command);
        // Said after its ports are open.
        process.wait_for("its start", |line| line.contains("event method").then_some(()));
        Self { port: own, xmpp: [0; 2], certificate, process, _directory: directory }
    }
}
