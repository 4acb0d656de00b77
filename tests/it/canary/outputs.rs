//! Everything that the program writes, at every level: captures, bundles, exports, imports, standard error.
//!
//! What one place lets out in which spelling is told by the tests of the levels; this one holds all places together
//! against all outputs.

use super::class::PLANTED;
use super::place::PLACES;
use super::place::Says::{self, Chunked, Client, Close, Desktop, Gzipped, Request, Response, Server, Upgrade};
use super::{ENCODINGS, Encoding, Haystack, SECRET, fill, is_in, script, table};
use crate::admin::{admin_of, metrics};
use crate::support::program::{Program, Upstream, assert_without_holes, captures, run, tapping, tls_as};
use crate::support::soon;
use aho_corasick::AhoCorasick;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use finesse_tap::capture::policy::Level;
use finesse_tap::conn::Direction::{self, C2s, S2c};
use rustls::pki_types::PrivateKeyDer;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// The real server: its name is the user's own word, so standard error may say it; what is handed on may not.
const UPSTREAM: &str = "zq7upstream.corp-zq.test";
/// What its certificate says.
const OWNER: &str = "Zqcert Holding";
/// What a client asks for in its TLS handshake.
const ASKED: &str = "zq7asked.corp-zq.test";

/// What was written, where, and at which level.
struct Output {
    name: String,
    level: Level,
    bytes: Vec<u8>,
}

#[tokio::test]
async fn nothing_that_a_level_removes_is_in_any_output() {
    for level in [Level::Auth, Level::Share, Level::Minimal] {
        let dir = tempfile::tempdir().unwrap();
        let mut outputs = Outputs { dir: dir.path(), list: Vec::new() };
        outputs.live(level).await;
        outputs.refused(level).await;
        outputs.untrusted(level).await;
        outputs.import(level);
        assert!(outputs.list.len() >= if level == Level::Auth { 40 } else { 20 }, "{} outputs", outputs.list.len());
        for output in &outputs.list {
            assert!(!output.bytes.is_empty(), "{} is empty", output.name);
        }
        let leaks: Vec<String> = outputs.list.iter().flat_map(leaks).collect();
        assert!(leaks.is_empty(), "\n{}", leaks.join("\n"));
    }
}

/// At level `off` the same search finds them in every kind of output.
#[tokio::test]
async fn without_redaction_every_output_holds_canaries() {
    let dir = tempfile::tempdir().unwrap();
    let mut outputs = Outputs { dir: dir.path(), list: Vec::new() };
    outputs.live(Level::Off).await;
    outputs.import(Level::Off);
    let leaked: Vec<String> = outputs.list.iter().filter(|output| output.level > Level::Off).flat_map(leaks).collect();
    assert!(leaked.is_empty(), "\n{}", leaked.join("\n"));
    let holds = |output: &Output| !output.name.ends_with("stderr") && !output.name.ends_with("metrics");
    for mut output in outputs.list.into_iter().filter(|output| output.level == Level::Off && holds(output)) {
        output.level = Level::Minimal;
        let found = leaks(&output).len();
        assert!(found > 30, "{found} canaries in {}", output.name);
    }
}

/// What the door keeps, through the built program, whose other outputs must keep quiet too.
#[tokio::test]
async fn no_canary_comes_out_of_the_program() {
    let (dir, upstream) = (tempfile::tempdir().unwrap(), Upstream::new().await);
    let mut program = tapping(dir.path(), &upstream, &["--log-filter=debug"]);
    for (n, place) in PLACES.iter().enumerate() {
        let (mut client, server) = tokio::join!(program.client(), upstream.accept());
        let mut server = server.unwrap();
        for (direction, bytes) in script(&place.says, ENCODINGS[n % ENCODINGS.len()], SECRET) {
            let mut seen = vec![0; bytes.len()];
            let passed = async {
                match direction {
                    C2s => pass(&mut client, &mut server, &bytes, &mut seen).await,
                    S2c => pass(&mut server, &mut client, &bytes, &mut seen).await,
                }
            };
            soon(place.name, passed).await.unwrap();
            assert_eq!(seen, bytes, "{}: the very bytes", place.name);
        }
    }
    let ended = program.stop();
    assert_eq!(ended.code, Some(0));
    assert!(ended.stderr.lines().count() > PLACES.len(), "debug says something of each connection");
    assert!(!ended.stderr.lines().any(is_in), "{}", ended.stderr);
    let files = captures(&dir.path().join("captures"));
    assert!(files.iter().all(|(path, _)| !is_in(&path.display().to_string())));
    let lines: Vec<_> = files.iter().flat_map(|(_, lines)| lines).collect();
    assert!(lines.len() > 3 * PLACES.len());
    assert!(!lines.iter().any(|line| is_in(&line.to_string())));
    assert_without_holes(lines);
}

async fn pass(
    from: &mut (impl AsyncWrite + Unpin),
    to: &mut (impl AsyncRead + Unpin),
    bytes: &[u8],
    seen: &mut [u8],
) -> std::io::Result<()> {
    from.write_all(bytes).await?;
    from.flush().await?;
    to.read_exact(seen).await?;
    Ok(())
}

/// A server with a certificate that names its owner.
async fn owned() -> Upstream {
    let mut params = rcgen::CertificateParams::new(vec![UPSTREAM.to_owned()]).unwrap();
    params.distinguished_name.push(rcgen::DnType::OrganizationName, OWNER);
    let key = rcgen::KeyPair::generate().unwrap();
    let cert = params.self_signed(&key).unwrap().der().clone();
    Upstream::with(cert, PrivateKeyDer::Pkcs8(key.serialize_der().into())).await
}

struct Outputs<'d> {
    dir: &'d Path,
    list: Vec<Output>,
}

impl Outputs<'_> {
    /// Everything said through the proxy, and what becomes of the capture.
    async fn live(&mut self, level: Level) {
        let upstream = owned().await;
        let live = format!("live-{level}");
        let mut program = self.program(level, &live, upstream.address.port(), &[&upstream.pin()]);
        let (address, roots) = (program.address(), program.roots());
        // Nobody else's name is served; the attempt is in the capture.
        assert!(soon("a foreign name", tls_as(ASKED, address, roots.clone())).await.is_err());
        for Said { name, says, value, encoding } in said(level) {
            let (client, server) = tokio::join!(tls_as(UPSTREAM, address, roots.clone()), upstream.accept());
            let (mut client, mut server) = (client.unwrap(), server.unwrap());
            for (direction, bytes) in script(says, encoding, value) {
                let mut seen = vec![0; bytes.len()];
                let passed = async {
                    match direction {
                        C2s => pass(&mut client, &mut server, &bytes, &mut seen).await,
                        S2c => pass(&mut server, &mut client, &bytes, &mut seen).await,
                    }
                };
                soon(name, passed).await.unwrap();
            }
        }
        let metrics = metrics(admin_of(&mut program));
        self.add(&format!("{live}.metrics"), level, metrics.into_bytes());
        let ended = program.stop();
        assert_eq!(ended.code, Some(0));
        self.add(&format!("{live}.stderr"), level, ended.stderr.into_bytes());
        let capture = self.captured(&live, level);
        self.exported(&live, level, &capture);
        if level <= Level::Auth {
            [Level::Share, Level::Minimal].into_iter().for_each(|strict| self.bundle(&live, strict, &capture));
        }
    }

    /// A bundle of a capture, file by file, and what its receiver may make of it.
    fn bundle(&mut self, of: &str, level: Level, capture: &Path) {
        let name = format!("bundle-of-{of}-{level}");
        let (zip, strict) = (format!("{name}.zip"), level.to_string());
        self.ran(&name, level, &["share", capture.to_str().unwrap(), "-o", &zip, "--level", &strict]);
        let mut archive = zip::ZipArchive::new(fs::File::open(self.dir.join(&zip)).unwrap()).unwrap();
        for at in 0..archive.len() {
            let mut file = archive.by_index(at).unwrap();
            let inside = format!("{name}/{}", file.name().unwrap());
            let mut bytes = Vec::new();
            std::io::copy(&mut file, &mut bytes).unwrap();
            if inside.ends_with(".ndjson") {
                let stored = self.dir.join(format!("{name}.ndjson"));
                fs::write(&stored, &bytes).unwrap();
                self.exported(&name, level, &stored);
            }
            self.add(&inside, level, bytes);
        }
    }

    /// A server that is not there.
    async fn refused(&mut self, level: Level) {
        let name = format!("refused-{level}");
        let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut program = self.program(level, &name, nobody, &[]);
        let (address, roots) = (program.address(), program.roots());
        let mut client = soon("TLS with the program", tls_as(UPSTREAM, address, roots)).await.unwrap();
        let asked = format!("GET /finesse/api/User/zqcanaryov HTTP/1.1\r\nAuthorization: Basic {SECRET}\r\n\r\n");
        tokio::io::AsyncWriteExt::write_all(&mut client, asked.as_bytes()).await.unwrap();
        let mut page = Vec::new();
        let _ = soon("a page", tokio::io::AsyncReadExt::read_to_end(&mut client, &mut page)).await;
        assert!(page.starts_with(b"HTTP/1.1 502"), "{}", String::from_utf8_lossy(&page));
        let ended = program.stop();
        // For the agent in front of the browser, who may see names.
        self.add(&format!("{name}.page"), Level::Auth, page);
        self.add(&format!("{name}.stderr"), level, ended.stderr.into_bytes());
        self.captured(&name, level);
    }

    /// A server whose certificate nobody vouches for, and what becomes of that capture.
    async fn untrusted(&mut self, level: Level) {
        let name = format!("untrusted-{level}");
        let upstream = owned().await;
        let mut program = self.program(level, &name, upstream.address.port(), &[]);
        let (address, roots) = (program.address(), program.roots());
        let (client, server) = tokio::join!(tls_as(UPSTREAM, address, roots), upstream.accept());
        assert!(server.is_err(), "the proxy refuses");
        let mut client = soon("TLS with the program", async { client }).await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut client, b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        let mut page = Vec::new();
        let _ = soon("a page", tokio::io::AsyncReadExt::read_to_end(&mut client, &mut page)).await;
        let ended = program.stop();
        self.add(&format!("{name}.stderr"), level, ended.stderr.into_bytes());
        let capture = self.captured(&name, level);
        if level == Level::Auth {
            let text = fs::read_to_string(&capture).unwrap();
            assert!(text.contains("\"tls-handshake\"") && text.contains("failure"), "{text}");
            for level in [Level::Share, Level::Minimal] {
                let zip = format!("untrusted-bundle-{level}.zip");
                let strict = level.to_string();
                self.ran(&zip, level, &["share", capture.to_str().unwrap(), "-o", &zip, "--level", &strict]);
                let mut archive = zip::ZipArchive::new(fs::File::open(self.dir.join(&zip)).unwrap()).unwrap();
                let mut bytes = Vec::new();
                std::io::copy(&mut archive.by_index(0).unwrap(), &mut bytes).unwrap();
                self.add(&zip, level, bytes);
            }
        }
    }

    /// A HAR of the same.
    fn import(&mut self, level: Level) {
        let name = format!("imported-{level}");
        let har = self.dir.join(format!("{name}.har"));
        let entry = |(n, said): (usize, Said)| entry(n, said.says, said.encoding, said.value);
        let entries: Vec<Value> = said(level).into_iter().enumerate().map(entry).collect();
        let sockets = entries.iter().filter(|entry| entry["_webSocketMessages"].is_array()).count();
        let log = json!({ "log": { "version": "1.2", "creator": { "name": "WebInspector", "version": "537.36" }, "entries": entries } });
        fs::write(&har, log.to_string()).unwrap();
        let (file, redact) = (har.to_str().unwrap(), level.to_string());
        let arguments = ["import", file, "-o", &name, "--redact", &redact, "--max-line-bytes", "1000000"];
        let told = self.ran(&name, level, &arguments);
        assert!(told.contains(&format!("{sockets} WebSockets")), "{told}");
        let capture = self.captured(&name, level);
        self.exported(&name, level, &capture);
    }

    fn program(&self, level: Level, capture: &str, port: u16, more: &[&str]) -> Program {
        let (upstream, resolve) = (format!("--upstream={UPSTREAM}:{port}"), format!("--resolve={UPSTREAM}:127.0.0.1"));
        let (capture, redact) = (format!("--capture={capture}"), format!("--redact={level}"));
        let fixed =
            ["run", "--listen=127.0.0.1:0", "--admin=127.0.0.1:0", "--log-filter=debug", "--max-line-bytes=1000000"];
        let named = [upstream.as_str(), &resolve, &capture, &redact];
        Program::start(self.dir, &[&fixed[..], &named[..], more].concat())
    }

    /// The only capture of a directory.
    fn captured(&mut self, dir: &str, level: Level) -> PathBuf {
        let mut paths = fs::read_dir(self.dir.join(dir)).unwrap().map(|entry| entry.unwrap().path());
        let path = paths.next().unwrap();
        assert!(paths.next().is_none());
        let mut bytes = fs::read(&path).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        let masked: Vec<&str> = text.lines().filter(|line| line.contains("\"masked\":")).collect();
        assert!(masked.is_empty(), "the rules missed something in {dir}: {masked:#?}");
        // A file's name travels with it.
        bytes.extend(path.file_name().unwrap().as_encoded_bytes());
        self.add(&format!("{dir}.ndjson"), level, bytes);
        path
    }

    fn exported(&mut self, name: &str, level: Level, capture: &Path) {
        for form in ["text", "html", "json"] {
            let out = format!("{name}.report.{form}");
            self.ran(&out, level, &["report", capture.to_str().unwrap(), "-o", &out, "--format", form]);
            let bytes = fs::read(self.dir.join(&out)).unwrap();
            self.add(&out, level, bytes);
        }
        for (form, more) in [("har", None), ("pcapng", None), ("text", None), ("text", Some("--xml"))] {
            let out = format!("{name}{}.{form}", more.unwrap_or_default());
            let arguments = ["export", form, capture.to_str().unwrap(), "-o", &out];
            self.ran(&out, level, &[&arguments[..], more.as_slice()].concat());
            let bytes = fs::read(self.dir.join(&out)).unwrap();
            self.add(&out, level, bytes);
        }
    }

    /// A command, which says something on standard error too.
    fn ran(&mut self, name: &str, level: Level, arguments: &[&str]) -> String {
        let ended = run(self.dir, arguments);
        // A secret in the place of a URL's host may leave an import nothing to go by, which it says.
        let is_said = ended.stderr.contains("left out: no HTTP request of HAR's form");
        let expected = if is_said { Some(1) } else { Some(0) };
        assert_eq!(ended.code, expected, "{arguments:?}: {}", ended.stderr);
        self.add(&format!("{name}.stderr"), level, format!("{}\n{}", ended.stderr, ended.stdout).into_bytes());
        ended.stderr
    }

    fn add(&mut self, name: &str, level: Level, bytes: Vec<u8>) {
        self.list.push(Output { name: name.to_owned(), level, bytes });
    }
}

/// Everything that is said, with another value of each place for each level. Where a level keeps a class its values are left out:
/// the same value is a credential in another place, and masked in all of them.
fn said(level: Level) -> Vec<Said> {
    let secrets = PLACES.iter().map(|place| (place.name, &place.says, SECRET));
    let planted = PLANTED
        .iter()
        .filter(|planted| level == Level::Off || planted.is_removed_at(level))
        .map(|planted| (planted.name, &planted.says, planted.values[level as usize % planted.values.len()]));
    let encoded = secrets.chain(planted).enumerate().map(|(n, (name, says, value))| {
        let encoding = ENCODINGS[(n + level as usize) % ENCODINGS.len()];
        Said { name, says, value, encoding }
    });
    encoded.chain(table::said(level)).collect()
}

/// Something said with a canary in it.
pub(super) struct Said {
    pub(super) name: &'static str,
    pub(super) says: &'static Says,
    pub(super) value: &'static str,
    pub(super) encoding: Encoding,
}

/// What is in an output and should not be, each with what stands around it.
fn leaks(output: &Output) -> Vec<String> {
    let Output { name, level, bytes } = output;
    let removed = PLANTED.iter().filter(|planted| planted.is_removed_at(*level));
    let mut values: Vec<&str> = removed.flat_map(|planted| planted.values.iter().copied()).collect();
    values.push(SECRET);
    if *level >= Level::Share {
        values.push(table::WORD);
    }
    if *level >= Level::Share && !name.ends_with("stderr") {
        values.extend([UPSTREAM, "corp-zq.test", "zq7upstream", OWNER, "Zqcert", ASKED]);
    }
    values.sort_unstable();
    values.dedup();
    let raw: Vec<String> = values.iter().map(|value| value.to_lowercase()).collect();
    let base64: Vec<String> = values.iter().flat_map(|value| base64_forms(value)).collect();
    let (raw, base64) = (AhoCorasick::new(raw).unwrap(), AhoCorasick::new(base64).unwrap());
    let text = String::from_utf8_lossy(bytes);
    let mut found = Vec::new();
    for (lower, as_is) in &Haystack::of(&text).0 {
        let hits = raw.find_iter(lower).map(|hit| (lower, hit)).chain(base64.find_iter(as_is).map(|hit| (as_is, hit)));
        for (text, hit) in hits {
            let (from, to) = (hit.start().saturating_sub(300), (hit.end() + 60).min(text.len()));
            let around = &text[text.floor_char_boundary(from)..text.ceil_char_boundary(to)];
            found.push(format!("LEAK {} in {name} ({level}): {around}", &text[hit.start()..hit.end()]));
        }
    }
    found
}

fn base64_forms(value: &str) -> [String; 3] {
    [0, 1, 2].map(|before| {
        let bytes = [&[0, 0][..before], value.as_bytes()].concat();
        let encoded = STANDARD_NO_PAD.encode(&bytes);
        let end = encoded.len() - usize::from(bytes.len() % 3 != 0);
        encoded[[0, 2, 3][before]..end].to_owned()
    })
}

/// What a browser's HAR would hold of it.
fn entry(n: usize, says: &Says, encoding: Encoding, value: &str) -> Value {
    let fill = |text: &str| fill(text, encoding, value);
    let headers = |fields: &[&str]| -> Vec<Value> {
        let field = |field: &&str| {
            let field = fill(field);
            let (name, value) = field.split_once(':').unwrap_or((&field, ""));
            json!({ "name": name, "value": value.trim() })
        };
        fields.iter().map(field).collect()
    };
    let url = |scheme: &str, target: &str| match target.contains("://") && !target.starts_with('/') {
        true => target.to_owned(),
        false => format!("{scheme}://{UPSTREAM}:8445{target}"),
    };
    let start_s = 1_768_468_360 + n as i64;
    let mut entry = json!({
        "startedDateTime": jiff::Timestamp::from_second(start_s).unwrap().to_string(), "time": 5,
        "serverIPAddress": "10.173.91.46", "cache": {}, "timings": { "send": 0, "wait": 1, "receive": 1 },
        "request": { "method": "GET", "url": url("https", "/finesse/api/User/1001"), "httpVersion": "HTTP/1.1", "headers": [] },
        "response": { "status": 200, "headers": [], "content": { "size": 0, "mimeType": "" } },
    });
    let message = |direction: Direction, text: &str| {
        let kind = if direction == C2s { "send" } else { "receive" };
        json!({ "type": kind, "time": start_s as f64 + 0.5, "opcode": 1, "data": fill(text) })
    };
    let mut socket = |target: &str, messages: Vec<Value>| {
        entry["request"]["url"] = json!(url("wss", target));
        entry["response"]["status"] = json!(101);
        entry["_resourceType"] = json!("websocket");
        entry["_webSocketMessages"] = Value::Array(messages);
    };
    match says {
        Request(line, fields, body) | Gzipped(line, fields, body) | Chunked(line, fields, body) => {
            let line = fill(line);
            let (method, rest) = line.split_once(' ').unwrap();
            entry["request"]["method"] = json!(method);
            entry["request"]["url"] = json!(url("https", rest.rsplit_once(' ').unwrap().0));
            entry["request"]["headers"] = json!(headers(fields));
            let mime = fields.iter().find_map(|field| field.strip_prefix("Content-Type: "));
            entry["request"]["postData"] = json!({ "mimeType": mime.unwrap_or_default(), "text": fill(body) });
        }
        Response(line, fields, body) => {
            let status: u16 = line.split(' ').nth(1).unwrap().parse().unwrap();
            entry["response"]["status"] = json!(status);
            entry["response"]["headers"] = json!(headers(fields));
            entry["response"]["content"]["text"] = json!(fill(body));
        }
        Upgrade(target) => socket(&fill(target), Vec::new()),
        Client(text) => socket("/ws/", vec![message(C2s, text)]),
        Server(text) => socket("/ws/", vec![message(S2c, text)]),
        Desktop(messages) => {
            socket("/ws/", messages.iter().map(|(direction, text)| message(*direction, text)).collect());
        }
        Close(reason) => {
            socket("/ws/", Vec::new());
            entry["_webSocketClose"] = json!({ "code": 1008, "reason": fill(reason) });
        }
    }
    entry
}
