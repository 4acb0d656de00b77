//! The console through its own door: who may look, what is followed, that nothing is written, what is handed out, notes.

#![cfg(unix)]

use crate::support::program::{Ended, Program, Upstream, captures, run, tapping};
use crate::support::{PATIENCE, soon};
use finesse_tap::clock;
use serde_json::Value;
use std::fs;
use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

const LOGIN: &str = include_str!("../playbook/login.ndjson");

/// A page that is open, as its browser sees it.
struct Page {
    address: SocketAddr,
    token: String,
    cookie: String,
}

struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{} {}", self.status, self.text()))
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// What is sent, and what comes back.
fn ask(address: SocketAddr, request: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut tcp = TcpStream::connect(address).unwrap();
    tcp.set_read_timeout(Some(PATIENCE)).unwrap();
    let fields: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let length = body.len();
    write!(tcp, "{request} HTTP/1.1\r\n{fields}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}").unwrap();
    let mut bytes = Vec::new();
    std::io::copy(&mut tcp, &mut bytes).unwrap();
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let body = if head.to_lowercase().contains("transfer-encoding: chunked") {
        unchunked(&bytes[end + 4..])
    } else {
        bytes[end + 4..].to_vec()
    };
    Answer { status: head[9..12].parse().unwrap(), head, body }
}

fn unchunked(mut bytes: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let end = bytes.windows(2).position(|two| two == b"\r\n").unwrap();
        let length = usize::from_str_radix(std::str::from_utf8(&bytes[..end]).unwrap(), 16).unwrap();
        if length == 0 {
            return body;
        }
        body.extend_from_slice(&bytes[end + 2..end + 2 + length]);
        bytes = &bytes[end + 4 + length..];
    }
}

impl Page {
    /// The first visitor.
    fn open(program: &mut Program) -> Self {
        let line = program.line("console http://");
        let (address, token) = line.trim_start_matches("console http://").split_once("/?token=").unwrap();
        let (address, token) = (address.parse().unwrap(), token.to_owned());
        let host = format!("{address}");
        let answer = ask(address, &format!("GET /?token={token}"), &[("Host", &host)], "");
        assert_eq!(answer.status, 303, "{}", answer.head);
        let cookie = answer.head.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
        let cookie = cookie.split(';').next().unwrap().to_owned();
        Self { address, token, cookie }
    }

    fn get(&self, path: &str) -> Answer {
        let host = self.address.to_string();
        ask(self.address, &format!("GET {path}"), &[("Host", &host), ("Cookie", &self.cookie)], "")
    }

    fn post(&self, path: &str, body: &str) -> Answer {
        let host = self.address.to_string();
        let origin = format!("http://{host}");
        let headers = [("Host", &*host), ("Origin", &origin), ("Cookie", &self.cookie), ("X-Finesse-Tap", "1")];
        ask(self.address, &format!("POST {path}"), &headers, body)
    }

    /// Rows that fit, once everything was looked at.
    fn rows(&self, query: &str) -> Value {
        let begun = clock::now();
        loop {
            let rows = self.get(&format!("/api/rows?{query}")).json();
            if rows["done"] == true {
                return rows;
            }
            assert!(clock::now().since(begun) < PATIENCE, "{} of {}", rows["scanned"], rows["total"]);
        }
    }

    /// Waits until so many lines are there.
    fn holds(&self, lines: u64) {
        let begun = clock::now();
        while self.get("/api/state").json()["total"].as_u64().unwrap() < lines {
            assert!(clock::now().since(begun) < PATIENCE, "{} lines do not come", lines);
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

fn stop(program: Program) -> Ended {
    let ended = program.stop();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    ended
}

fn stored(dir: &Path) -> Program {
    fs::create_dir_all(dir.join("captures")).unwrap();
    fs::write(dir.join("captures/a.ndjson"), LOGIN).unwrap();
    Program::start(dir, &["open", "--no-browser"])
}

#[test]
fn only_its_own_page_may_ask() {
    let dir = tempfile::tempdir().unwrap();
    let mut program = stored(dir.path());
    let page = Page::open(&mut program);
    let Page { address, token, cookie } = &page;
    assert!(address.ip().is_loopback());
    let host = address.to_string();
    let localhost = format!("localhost:{}", address.port());
    let (own, cookie) = (format!("http://{host}"), &**cookie);
    let again = ask(*address, &format!("GET /?token={token}"), &[("Host", &host)], "");
    assert_eq!((again.status, again.head.contains("set-cookie")), (401, false), "a token is good once");

    for (request, headers, expected) in [
        ("GET /api/state", vec![("Host", &*host)], 401),
        ("GET /", vec![("Host", &host)], 401),
        ("GET /main.js", vec![("Host", &host)], 401),
        ("GET /api/state", vec![("Host", &host), ("Cookie", "finesse_tap=guess")], 401),
        ("GET /api/state", vec![("Host", "evil.example"), ("Cookie", cookie)], 403),
        ("GET /api/state", vec![("Host", "127.0.0.1"), ("Cookie", cookie)], 403),
        ("GET /?token=x", vec![("Host", "evil.example")], 403),
        ("GET /api/state", vec![("Host", &host), ("Cookie", cookie), ("Origin", "http://evil.example")], 403),
        ("GET /api/state", vec![("Host", &host), ("Cookie", cookie), ("Origin", "http://127.0.0.1:1")], 403),
        ("GET /api/state", vec![("Host", &host), ("Cookie", cookie), ("Origin", "null")], 403),
        ("POST /api/export", vec![("Host", &host), ("Cookie", cookie), ("Origin", &own)], 403),
        ("POST /api/export", vec![("Host", &host), ("Cookie", cookie), ("X-Finesse-Tap", "1")], 403),
        ("POST /api/mark", vec![("Host", &host), ("Cookie", cookie), ("X-Finesse-Tap", "1"), ("Origin", "null")], 403),
        ("PUT /api/mark", vec![("Host", &host), ("Cookie", cookie), ("X-Finesse-Tap", "1"), ("Origin", &own)], 405),
        ("GET /../Cargo.toml", vec![("Host", &host), ("Cookie", cookie)], 404),
        ("GET /api/state", vec![("Host", &host), ("Cookie", cookie)], 200),
        ("GET /api/state", vec![("Host", &localhost), ("Cookie", cookie)], 200),
        ("GET /main.js", vec![("Host", &host), ("Cookie", cookie)], 200),
    ] {
        let answer = ask(*address, request, &headers, "");
        assert_eq!(answer.status, expected, "{request} {headers:?}");
        let head = answer.head.to_lowercase();
        for field in [
            "content-security-policy: default-src 'none'",
            "x-content-type-options: nosniff",
            "cache-control: no-store",
        ] {
            assert!(head.contains(field), "{request}: no {field} in {head}");
        }
        assert!(!head.contains("access-control-"), "{head}");
        assert!(!answer.text().contains(token) && !answer.text().contains(cookie.split('=').nth(1).unwrap()));
    }
    let page_text = page.get("/").text();
    assert!(!page_text.contains("<script>") && !page_text.contains(" on") || !page_text.contains("onclick"), "inline");
    stop(program);
}

#[test]
fn what_is_opened_is_followed_and_only_read() {
    let dir = tempfile::tempdir().unwrap();
    let mut program = stored(dir.path());
    let page = Page::open(&mut program);
    let lines = LOGIN.lines().count() as u64;
    page.holds(lines);
    assert_eq!(page.post("/api/mark", r#"{"text":"x"}"#).status, 409, "it is read only");
    let path = dir.path().join("captures/a.ndjson");
    assert_eq!(fs::read_to_string(&path).unwrap(), LOGIN);
    assert_eq!(fs::read_dir(dir.path().join("captures")).unwrap().count(), 1);

    // Half a line is none yet; another file comes.
    let (head, tail) = LOGIN.lines().last().unwrap().split_at(40);
    let mut file = fs::File::options().append(true).open(&path).unwrap();
    file.write_all(head.as_bytes()).unwrap();
    fs::write(dir.path().join("captures/b.ndjson"), LOGIN).unwrap();
    page.holds(2 * lines);
    file.write_all(tail.as_bytes()).unwrap();
    file.write_all(b"\nno line of ours\n").unwrap();
    page.holds(2 * lines + 1);

    let state = page.get("/api/state").json();
    assert_eq!((&state["live"], &state["foreign"]), (&Value::Bool(false), &Value::from(1)));
    assert_eq!(state["agents"][0]["name"], "1001");
    let all = page.rows("pings=1&from=0&count=500");
    assert_eq!(all["matched"], 2 * lines + 1);
    let updates = page.rows("q=kind+update+and+agent+1001&from=0");
    assert!(updates["matched"].as_u64().unwrap() > 0 && updates["matched"].as_u64() < all["matched"].as_u64());
    assert!(updates["rows"].as_array().unwrap().iter().all(|row| row["action"] == "finesse-update"));
    // Connections belong to the agent although they do not name one, and came before it was known.
    let of_agent = page.rows("q=agent+1001+and+kind+connection&from=0");
    assert!(of_agent["matched"].as_u64().unwrap() > 0, "{of_agent}");
    let found = page.rows("q=text+%22not_READY%22&from=0");
    assert!(found["matched"].as_u64().unwrap() > 0, "in any case");
    let wrong = page.get("/api/rows?q=agent+(");
    assert!(wrong.status == 400 && wrong.text().contains("character"), "{}", wrong.text());
    stop(program);
}

#[test]
fn a_large_capture_is_paged() {
    const TIMES: usize = 2_000;
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("big.ndjson"), LOGIN.repeat(TIMES)).unwrap();
    let mut program = Program::start(dir.path(), &["open", "big.ndjson", "--no-browser"]);
    let page = Page::open(&mut program);
    let lines = (LOGIN.lines().count() * TIMES) as u64;
    let first = page.get("/api/rows?pings=1&from=0&count=100").json();
    assert!(first["rows"].as_array().unwrap().len() <= 100, "an answer is a window");
    page.holds(lines);
    let window = |query: &str| page.get(&format!("/api/rows?pings=1&{query}")).json();
    page.rows("pings=1&last=1&count=0");
    let middle = window(&format!("from={}&count=9999", lines / 2));
    let rows = middle["rows"].as_array().unwrap();
    assert_eq!((rows.len(), rows[0]["n"].as_u64()), (500, Some(lines / 2)));
    let last = window("last=1&count=10");
    assert_eq!(last["rows"][9]["n"], lines - 1);
    let around = window(&format!("around={}&count=10", lines / 3));
    assert_eq!(around["at"], lines / 3);
    stop(program);
}

#[test]
fn what_the_filter_shows_is_exported() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(run(dir.path(), &["demo"]).code, Some(0));
    let mut program = Program::start(dir.path(), &["open", "demo-captures", "--no-browser"]);
    let page = Page::open(&mut program);
    for (form, name, begin) in [
        ("har", "case.har", &b"{"[..]),
        ("pcapng", "case.pcapng", b"\x0a\x0d\x0d\x0a"),
        ("text", "transcript.txt", b"20"),
        ("report", "report.html", b"<!"),
        ("bundle", "case.zip", b"PK"),
    ] {
        let answer = page.post("/api/export", &format!(r#"{{"form":"{form}","q":"agent 1001"}}"#));
        assert_eq!(answer.status, 200, "{form}: {}", answer.text());
        assert!(answer.head.contains(&format!("filename=\"{name}\"")), "{}", answer.head);
        assert!(answer.body.starts_with(begin), "{form}: {:?}", &answer.body[..8]);
    }
    let nobody = page.post("/api/export", r#"{"form":"text","q":"agent 4711 and kind update"}"#);
    assert_eq!(nobody.status, 400, "{}", nobody.text());
    assert_eq!(page.post("/api/export", r#"{"form":"pdf","q":""}"#).status, 400);
    stop(program);
}

#[tokio::test]
async fn a_note_is_in_the_capture_whatever_the_words() {
    for capture in [&["--capture", "captures"][..], &["--capture", "-"]] {
        let dir = tempfile::tempdir().unwrap();
        let server = Upstream::new().await;
        let mut program =
            tapping(dir.path(), &server, &[&["--console", "--no-browser", "--grace=0s"], capture].concat());
        let (_client, accepted) = tokio::join!(program.client(), server.accept());
        let _server = accepted.unwrap();
        let page = Page::open(&mut program);
        assert_eq!(page.post("/api/mark", r#"{"text":"  "}"#).status, 400);
        let text = r#"it hangs <b>now</b>, password=hunter2"#;
        assert_eq!(page.post("/api/mark", &format!(r#"{{"text":"{text}"}}"#)).status, 204);
        let shown = soon("the note is shown", async {
            loop {
                let rows = page.rows("q=kind+note&from=0");
                if rows["matched"] == 1 {
                    break rows;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await;
        let gist = shown["rows"][0]["gist"].as_str().unwrap();
        assert!(gist.starts_with("it hangs <b>now</b>, password=") && !gist.contains("hunter2"), "{gist}");
        let ended = stop(program);
        if capture.contains(&"captures") {
            let files = captures(&dir.path().join("captures"));
            let notes: Vec<&Value> =
                files.iter().flat_map(|(_, lines)| lines).filter(|line| line["event"]["action"] == "note").collect();
            assert_eq!(notes.len(), 1);
            assert_eq!(notes[0]["finesse"]["note"]["text"], gist);
            let report = run(dir.path(), &["report", "captures"]).stdout;
            assert!(report.contains("Notes") && report.contains("it hangs"), "{report}");
        } else {
            assert!(ended.stdout.contains("\"note\""), "{}", ended.stdout);
        }
    }
}
