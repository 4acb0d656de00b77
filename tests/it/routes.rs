//! Several servers behind one program: told apart by name or by port, and one that is missing.

#![cfg(unix)]

use crate::support::program::{Program, Upstream, actions, captures};
use crate::support::rig::provider;
use crate::support::soon;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

const PUB: &str = "uccxpub.example.test";
const SUB: &str = "uccxsub.example.test";

/// A TLS connection that asks for `name`.
pub async fn ask(name: &str, address: SocketAddr, roots: &Arc<RootCertStore>) -> std::io::Result<TlsStream<TcpStream>> {
    let config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(Arc::clone(roots))
        .with_no_client_auth();
    let tcp = TcpStream::connect(address).await?;
    let name = ServerName::try_from(name.to_owned()).unwrap();
    soon("TLS with the program", TlsConnector::from(Arc::new(config)).connect(name, tcp)).await
}

/// A connection under `name` that arrives at `server`.
async fn arrives(name: &str, address: SocketAddr, roots: &Arc<RootCertStore>, server: &Upstream) {
    let (client, accepted) = tokio::join!(ask(name, address, roots), server.accept());
    exchange(client.unwrap(), accepted.unwrap()).await;
}

pub async fn exchange(
    mut client: impl AsyncRead + AsyncWrite + Unpin,
    mut server: impl AsyncRead + AsyncWrite + Unpin,
) {
    client.write_all(b"GET / HTTP/1.1\r\nHost: f\r\n\r\n").await.unwrap();
    client.flush().await.unwrap();
    let mut head = [0; 27];
    soon("the request", server.read_exact(&mut head)).await.unwrap();
    server.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
    server.flush().await.unwrap();
    let mut answer = [0; 27];
    soon("the answer", client.read_exact(&mut answer)).await.unwrap();
}

/// What a browser is shown instead of a server.
pub async fn page(mut client: TlsStream<TcpStream>) -> String {
    client.write_all(b"GET / HTTP/1.1\r\nHost: f\r\n\r\n").await.unwrap();
    client.flush().await.unwrap();
    let mut page = Vec::new();
    let _ = soon("a page", client.read_to_end(&mut page)).await;
    String::from_utf8(page).unwrap()
}

#[tokio::test]
async fn both_nodes_on_one_listener_and_a_mapped_port_beside_it() {
    let dir = tempfile::tempdir().unwrap();
    let (primary, secondary, other) =
        (Upstream::called(PUB).await, Upstream::called(SUB).await, Upstream::called(SUB).await);
    let [a, b, c] = [&primary, &secondary, &other].map(|server| server.address.port());
    let args = [
        "run".to_owned(),
        "--listen=127.0.0.1:0".into(),
        format!("--upstream={PUB}:{a}"),
        format!("--upstream={SUB}:{b}"),
        format!("--route=0={SUB}:{c}"),
        format!("--resolve={PUB}:127.0.0.1"),
        format!("--resolve={SUB}:127.0.0.1"),
        primary.pin(),
        secondary.pin(),
        other.pin(),
    ];
    let mut program = Program::start(dir.path(), &args.each_ref().map(String::as_str));
    let shared = program.address();
    let roots = program.roots();
    let chrome = program.line("browser chrome ");
    for rule in
        [format!("MAP {PUB}:{a} {shared}"), format!("MAP {SUB}:{b} {shared}"), format!("MAP {SUB}:{c} 127.0.0.1:")]
    {
        assert!(chrome.contains(&rule), "{chrome}");
    }
    let mapped: SocketAddr =
        chrome.split(&format!("MAP {SUB}:{c} ")).nth(1).unwrap().split('"').next().unwrap().parse().unwrap();

    arrives(PUB, shared, &roots, &primary).await;
    arrives(&SUB.to_uppercase(), shared, &roots, &secondary).await;
    arrives("localhost", shared, &roots, &primary).await;
    arrives("127.0.0.1", shared, &roots, &primary).await;
    arrives(SUB, mapped, &roots, &other).await;
    // Who names no server at the other listener means the server there.
    arrives("localhost", mapped, &roots, &other).await;
    // One agent on both nodes, as at failover: one session.
    for (name, server) in [(PUB, &primary), (SUB, &secondary)] {
        let (client, accepted) = tokio::join!(ask(name, shared, &roots), server.accept());
        let (mut client, mut server) = (client.unwrap(), accepted.unwrap());
        let request = "GET /finesse/api/User/1001 HTTP/1.1\r\nHost: f\r\nAuthorization: Basic MTAwMTp4\r\n\r\n";
        client.write_all(request.as_bytes()).await.unwrap();
        client.flush().await.unwrap();
        soon("the request", server.read_exact(&mut vec![0; request.len()])).await.unwrap();
        let response = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
        server.write_all(response).await.unwrap();
        server.flush().await.unwrap();
        soon("the answer", client.read_exact(&mut vec![0; response.len()])).await.unwrap();
    }
    // What is meant for the first node does not reach the second because the port is wrong.
    let page = page(ask(PUB, mapped, &roots).await.unwrap()).await;
    assert!(page.contains("502") && page.contains(&format!("does not stand for {PUB}, only at {shared}")), "{page}");
    assert!(page.contains(&format!("--route {mapped}={PUB}:{}", mapped.port())), "{page}");
    assert!(ask("bank.example", shared, &roots).await.is_err());

    let ended = program.stop();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let facts: Vec<&str> = ended.stderr.lines().take(5).collect();
    assert_eq!(facts[0], format!("listening https://{shared}"));
    assert_eq!(facts[1], format!("upstream {PUB}:{a} (127.0.0.1:{a})"));
    assert_eq!(facts[2], format!("upstream {SUB}:{b} (127.0.0.1:{b})"));
    assert_eq!(facts[3], format!("listening https://{mapped}"));
    assert_eq!(facts[4], format!("upstream {SUB}:{c} (127.0.0.1:{c})"));
    let kept = std::fs::read_dir(dir.path().join("certs")).unwrap();
    assert_eq!(kept.filter(|entry| entry.as_ref().unwrap().path().is_dir()).count(), 1, "one CA to trust");

    let (_, lines) = captures(&dir.path().join("captures")).remove(0);
    let settings = lines[0]["finesse"]["capture"]["settings"].to_string();
    assert!(settings.contains(&format!("127.0.0.1:0=https://{SUB}:{c}")), "{settings}");
    assert_eq!(actions(&lines).iter().filter(|action| **action == "http-exchange").count(), 9);
    let calls: Vec<_> = lines.iter().filter(|line| line["finesse"]["api"]["resource"] == "User").collect();
    assert_eq!(calls.len(), 2);
    assert_ne!(calls[0]["server"]["domain"], calls[1]["server"]["domain"]);
    assert!(calls[0]["trace"]["id"].is_string() && calls[0]["trace"] == calls[1]["trace"], "{calls:#?}");
    let server = |name: &str, port: u16| {
        let opened = |line: &&serde_json::Value| line["event"]["action"] == "connection-opened";
        let to = |line: &&serde_json::Value| line["server"]["domain"] == name && line["server"]["port"] == port;
        lines.iter().filter(opened).filter(to).count()
    };
    // The refused name counts for the first server of its listener.
    assert_eq!((server(PUB, a), server(SUB, b), server(SUB, c)), (5, 2, 3), "{lines:#?}");
}

#[tokio::test]
async fn a_server_that_cannot_be_found_does_not_keep_the_others_from_work() {
    let dir = tempfile::tempdir().unwrap();
    let primary = Upstream::called(PUB).await;
    let looped = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let args = [
        "run".to_owned(),
        "--listen=127.0.0.1:0".into(),
        "--upstream=nobody.invalid".into(),
        format!("--upstream={PUB}:{}", primary.address.port()),
        format!("--route={looped}=loop.example.test"),
        format!("--resolve={PUB}:127.0.0.1"),
        "--resolve=loop.example.test:127.0.0.1".into(),
        primary.pin(),
    ];
    let mut program = Program::start(dir.path(), &args.each_ref().map(String::as_str));
    let (address, roots) = (program.address(), program.roots());
    assert!(program.line("upstream nobody.invalid:8445 (").contains("cannot be resolved"));
    for warning in ["--resolve nobody.invalid:ADDRESS", "--resolve loop.example.test:ADDRESS"] {
        let line = program.line(warning);
        assert!(line.contains("WARN") && line.contains("an upstream cannot be reached"), "{line}");
    }
    arrives(PUB, address, &roots, &primary).await;
    let unknown = page(ask("nobody.invalid", address, &roots).await.unwrap()).await;
    assert!(unknown.contains("502") && unknown.contains("--resolve nobody.invalid:ADDRESS"), "{unknown}");
    let looped = page(ask("loop.example.test", looped, &roots).await.unwrap()).await;
    assert!(looped.contains("leads back to this proxy"), "{looped}");
    assert_eq!(program.stop().code, Some(0));
}
