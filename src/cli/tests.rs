//! Through the public door: arguments and an environment in, a task or one sentence out.

use super::*;
use crate::capture::policy::Level;
use crate::capture::policy::user::UserRules;
use crate::config::Problem;
use crate::conn::Authority;
use crate::filter::Filter;
use crate::log::Log;
use crate::proxy::{Limits, Preface};
use crate::tls::upstream::{Pin, Trust};
use std::io::Write as _;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

mod help;
mod places;
mod receivers;

const PIN: &str = "sha256:5d0f5d0f5d0f5d0f5d0f5d0f5d0f5d0f5d0f5d0f5d0f5d0f5d0f5d0f5d0f5d0f";

/// What comes of a command line (in words) and variables (`NAME=value`).
fn asked(line: &str, variables: &[&str]) -> Result<Asked, String> {
    let arguments = ["finesse-tap"].into_iter().chain(line.split_whitespace()).map(OsString::from);
    read(arguments, &environment(variables)).map_err(|stop| match stop {
        Stop::Wrong(problem) => problem.to_string(),
        Stop::Shown(help) => format!("shown: {help}"),
    })
}

fn environment(variables: &[&str]) -> Environment {
    variables.iter().filter_map(|pair| pair.split_once('=')).map(|(k, v)| (k.into(), v.into())).collect()
}

/// The command with its options.
fn command(line: &str, variables: &[&str]) -> Command {
    asked(line, variables).unwrap_or_else(|problem| panic!("{line} {variables:?}: {problem}")).command
}

/// What a command's options become once they are checked against each other.
fn checked<T>(
    line: &str,
    variables: &[&str],
    check: impl FnOnce(Command, &Sources) -> Result<T, Problem>,
) -> Result<T, String> {
    let asked = asked(line, variables)?;
    check(asked.command, &asked.sources).map_err(|problem| problem.or_hint(asked.help).to_string())
}

fn run_of(line: &str, variables: &[&str]) -> Result<Run, String> {
    checked(line, variables, |command, sources| match command {
        Command::Run(flags) => flags.check(sources, &environment(variables)),
        other => panic!("{other:?}"),
    })
}

fn browse_of(line: &str, variables: &[&str]) -> Result<Browse, String> {
    checked(line, variables, |command, sources| match command {
        Command::Browse(flags) => flags.check(sources),
        other => panic!("{other:?}"),
    })
}

fn ship_of(line: &str, variables: &[&str]) -> Result<Ship, String> {
    checked(line, variables, |command, sources| match command {
        Command::Ship(flags) => flags.check(sources, &environment(variables)),
        other => panic!("{other:?}"),
    })
}

fn run(line: &str, variables: &[&str]) -> Run {
    run_of(&format!("run {line}"), variables).unwrap_or_else(|why| panic!("{line} {variables:?}: {why}"))
}

fn browse(line: &str, variables: &[&str]) -> Browse {
    browse_of(&format!("browse {line}"), variables).unwrap_or_else(|why| panic!("{line}: {why}"))
}

fn refusal(line: &str, variables: &[&str]) -> String {
    let result = match line.split(' ').next() {
        Some("run") => run_of(line, variables).map(drop),
        Some("browse") => browse_of(line, variables).map(drop),
        Some("ship") => ship_of(line, variables).map(drop),
        _ => asked(line, variables).map(drop),
    };
    result.expect_err("it was accepted")
}

/// A configuration file and the flag that names it.
fn file(text: &str) -> (tempfile::NamedTempFile, String) {
    let mut file = tempfile::Builder::new().prefix("tap").suffix(".toml").tempfile().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    let flag = format!("--config {}", file.path().display());
    (file, flag)
}

#[test]
fn defaults_are_what_the_help_says() {
    let run = run("--upstream UCCX.example.test", &[]);
    let Traffic { upstreams, listen, routes } = run.traffic;
    assert_eq!(upstreams.iter().map(ToString::to_string).collect::<Vec<_>>(), ["uccx.example.test:8445"]);
    assert_eq!((listen, routes), (vec!["127.0.0.1:8445".parse().unwrap()], Vec::new()));
    assert_eq!(run.certs, PathBuf::from("certs"));
    let capture = CaptureTo::Dir("captures".into());
    let expected = Recording {
        capture,
        capture_limit_bytes: None,
        redact: Level::Auth,
        rules: UserRules::default(),
        observer: None,
        session_key: Some(PathBuf::from("certs/session.key")),
        stable_tokens: None,
        max_line_bytes: 30_000,
        live: Live::Messages,
        filter: Filter::default(),
    };
    assert_eq!(run.record, expected);
    assert_eq!((run.trust, run.keylog, run.log), (Trust::System, None, Log::default()));
    assert_eq!(run.limits, Limits::default());
    assert_eq!((run.limits.grace.as_secs(), run.limits.connections), (5, 4_096));
}

#[test]
fn settings_read_back_are_the_same_run() {
    let line = format!(
        "--upstream h --upstream i --route [::1]:2=j --route 0=xmpp://k --listen [::1]:1 --resolve h:[::2] --upstream-pin {PIN} --no-capture --quiet"
    );
    let first = run(&line, &[]);
    let said = first.settings().iter().fold(String::new(), |line, (name, value)| match value.as_str() {
        "true" => format!("{line} --{name}"),
        value => format!("{line} --{name} {value}"),
    });
    assert_eq!(run(&said, &[]), first);
}

#[test]
fn routes_become_listeners() {
    let listeners = |line: &str| -> Vec<String> {
        let text = |listener: Listener| {
            let servers: Vec<_> = listener.servers.iter().map(ToString::to_string).collect();
            format!("{} {} {}", listener.kind.scheme(), listener.address, servers.join(" "))
        };
        run(line, &[]).traffic.listeners().into_iter().map(text).collect()
    };
    assert_eq!(
        listeners("--route 8445=pub --route 127.0.0.1:7443=https://PUB:7444 --upstream sub"),
        ["https 127.0.0.1:8445 sub:8445 pub:8445", "https 127.0.0.1:7443 pub:7444"]
    );
    assert_eq!(
        listeners("--route 0=xmpp://a --route 0=xmpps://[::1]:9 --route [::1]:443=a"),
        ["xmpp 127.0.0.1:0 a:5222", "xmpps 127.0.0.1:0 [::1]:9", "https [::1]:443 a:443"]
    );
    assert_eq!(
        listeners("--upstream a --upstream b:1 --listen 127.0.0.1:0 --listen [::1]:0"),
        ["https 127.0.0.1:0 a:8445 b:1", "https [::1]:0 a:8445 b:1"]
    );
}

#[test]
fn a_server_is_named_as_people_name_it() {
    let named = run("--upstream h.example.test", &[]);
    for line in [
        "H.example.test",
        "https://h.example.test/desktop",
        "http://h.example.test/",
        "--upstream https://h.example.test:8445/desktop/container?x",
        "h.example.test/desktop",
    ] {
        assert_eq!(run(line, &["FINESSE_TAP_UPSTREAM=other"]), named, "{line}");
    }
    assert_eq!(run("a b:7443", &[]).traffic.servers(), run("--upstream a --upstream b:7443", &[]).traffic.servers());
    assert_eq!(run("h --resolve h=fd00::1", &[]).resolve, run("h --resolve h:[fd00::1]", &[]).resolve);
    let Command::Doctor(doctor) = command("doctor https://h:9/desktop", &[]) else { panic!("another command") };
    assert_eq!(doctor.server.to_string(), "h:9");
}

#[test]
fn flags_win_over_variables_and_those_over_the_file() {
    let (_file, flag) = file("upstream = 'file'\ngrace = 1\nlisten = '127.0.0.1:1'\ncerts = 'file'");
    let named = flag.replace("--config ", "FINESSE_TAP_CONFIG=");
    let run =
        run("--upstream flag", &[&named, "FINESSE_TAP_UPSTREAM=variable", "FINESSE_TAP_GRACE=2", "FINESSE_TAP_CERTS="]);
    assert_eq!(run.traffic.hosts(), ["flag"]);
    assert_eq!(run.limits.grace.as_secs(), 2);
    assert_eq!(run.traffic.listen.len(), 1);
    assert_eq!(run.certs, PathBuf::from("file"), "an empty variable counts as unset");
}

#[test]
fn a_higher_layer_replaces_what_excludes_it() {
    let (_file, flag) =
        file("upstream = 'h'\nupstream_insecure = true\nno_capture = true\nquiet = true\ncert = 'a'\nkey = 'b'");
    let replaced = run(&format!("{flag} --upstream-ca roots.pem --capture x --verbose --cert c --key d"), &[]);
    assert_eq!(replaced.trust, Trust::Ca("roots.pem".into()));
    assert_eq!(replaced.record.capture, CaptureTo::Dir("x".into()));
    assert_eq!(replaced.record.live, Live::Everything);
    assert_eq!(replaced.own_identity, Some(Identity { cert: "c".into(), key: "d".into() }));
    let switched_off = run(&flag, &["FINESSE_TAP_UPSTREAM_INSECURE=false", "FINESSE_TAP_NO_CAPTURE=0"]);
    assert_eq!(switched_off.trust, Trust::System);
    assert_eq!(switched_off.record.capture, CaptureTo::Dir("captures".into()));
}

#[test]
fn conflicts_and_halves_are_refused_in_one_place() {
    for (line, wanted) in [
        ("--upstream-ca a --upstream-insecure", "--upstream-ca and --upstream-insecure exclude each other"),
        ("--capture x --no-capture", "--capture and --no-capture exclude"),
        ("--quiet --verbose", "--quiet and --verbose exclude"),
        ("--cert a", "--cert is set without its other half\nhint: add --key FILE"),
        ("--key a", "--key is set without its other half\nhint: add --cert FILE"),
        ("--upstream-client-key a", "hint: add --upstream-client-cert FILE"),
    ] {
        let text = refusal(&format!("run --upstream h {line}"), &[]);
        assert!(text.contains(wanted), "{line}: {text}");
    }
    let text = refusal("run --upstream h --cert a", &["FINESSE_TAP_KEY=b"]);
    assert!(text.contains("--cert is set without"), "a certificate took its key from elsewhere: {text}");
}

#[test]
fn problems_name_the_place_and_what_to_write() {
    let (path, flag) = file("# mine\nupstream = 'h'\n\ngrace = 'soon'\n");
    let name = path.path().display();
    assert!(refusal(&format!("run {flag}"), &[]).starts_with(&format!("{name}:4: grace: `soon` is not a time")));
    for (line, variables, wanted) in [
        ("run", &[][..], "no server is named\nhint: add --upstream HOST"),
        ("run", &["FINESSE_TAP_UPSTREAM="], "no server is named"),
        ("run --listen 127.0.0.1:9", &[], "no server is named\nhint: add --upstream HOST"),
        ("run --upstream http://h:8080/desktop", &[], "\nhint: write --upstream h"),
        ("run wss://h/ws", &[], "`wss://h/ws` is no address of a web server\nhint: write h"),
        ("run", &["FINESSE_TAP_UPSTREAM=wss://h/"], "\nhint: write FINESSE_TAP_UPSTREAM=h"),
        ("run h h:1", &[], "HOST[:PORT]: h is named twice"),
        ("run h --upstream i", &[], "HOST[:PORT] and --upstream exclude each other"),
        ("run --upstream h:0", &[], "--upstream: "),
        ("run --upstream h --listen :9000", &[], "\nhint: write --listen 127.0.0.1:9000"),
        ("run --upstream h --listen localhost:9000", &[], "\nhint: write --listen 127.0.0.1:9000"),
        ("run --upstream h --listen ::1", &[], "\nhint: write --listen [::1]:8445"),
        ("run --upstream h --listen 1.2.3.4:5 --listen 1.2.3.4:5", &[], "named twice"),
        ("run --upstream h --upstream H:7443", &[], "h is named twice\nhint: another port of it needs a listener"),
        ("run --route 1=h --listen 127.0.0.1:9", &[], "--listen: no server is named that would be behind it\nhint: "),
        ("run --upstream h --route h:7443", &[], "\nhint: write --route 7443=h:7443"),
        ("run --upstream h --route h", &[], "\nhint: write --route 8445=h"),
        ("run --upstream h --route :7443=h", &[], "\nhint: write --route 127.0.0.1:7443=h"),
        ("run --upstream h --route localhost:7443=h", &[], "\nhint: write --route 127.0.0.1:7443=h"),
        ("run --upstream h --route 7443=https://h/desktop", &[], "\nhint: write --route 7443=https://h"),
        ("run --upstream h --route 7443=wss://h", &[], "`wss` is none of https, xmpps and xmpp"),
        ("run --upstream h --route 7443=h:0", &[], "\nhint: write --route 7443=h"),
        ("run --upstream h --route 70000=h", &[], "`70000` is neither a port nor ADDR:PORT"),
        ("run --upstream h --route 8445=h:1", &[], "--route: 127.0.0.1:8445 leads to h:8445 already\nhint: "),
        ("run --route 1=h --route 127.0.0.1:1=H", &[], "--route: 127.0.0.1:1 leads to h:1 already"),
        ("run --upstream h --route 8445=xmpps://i", &[], "127.0.0.1:8445 speaks https already, not xmpps\nhint: "),
        ("run", &["FINESSE_TAP_ROUTE=7443"], "\nhint: "),
        ("run --upstream h --resolve h:8445:10.0.0.1", &[], "\nhint: write --resolve h=10.0.0.1"),
        ("run --upstream h --resolve h:10.0.0.1:8445", &[], "\nhint: write --resolve h=10.0.0.1"),
        ("run --upstream h --resolve h:other", &[], "--resolve: `h:other` is not HOST=ADDR"),
        ("run --upstream h --upstream-pin 5d0f", &[], "--upstream-pin: `5d0f` is not a pin"),
        ("run --upstream h --max-line-bytes 100", &[], "`100` is not a size from 4000 to 16777216 bytes"),
        ("run --upstream h --max-connections 0", &[], "--max-connections: "),
        ("run --upstream h --connect-timeout 0", &[], "no time at all"),
        ("run --upstream h --grace 18446744073709551615h", &[], "--grace: "),
        ("run --upstream h --log-filter finesse_tap=loud", &[], "--log-filter: "),
        (
            "run --upstream h",
            &["FINESSE_TAP_REDACT=some"],
            "FINESSE_TAP_REDACT: `some` is none of off, auth, share, minimal",
        ),
        ("run --upstream h", &["FINESSE_TAP_QUIET=maybe"], "FINESSE_TAP_QUIET: `maybe` is neither true nor false"),
        ("run --upstream h --config no-such.toml", &[], "--config: no-such.toml: "),
        ("demo --agents 201", &[], "--agents: `201` is not a whole number from 1 to 200"),
    ] {
        let text = refusal(line, variables);
        assert!(text.contains(wanted), "{line} {variables:?}: {text}");
        assert!(text.matches("hint: ").count() <= 1, "{text}");
    }
}

#[test]
fn unknown_keys_name_their_line_and_the_nearest_option() {
    for (text, wanted) in [
        ("upstream = 'h'\n\nlistn = '127.0.0.1:1'", ":3: `listn` is no option\nhint: did you mean `listen`?"),
        ("max-line-bytes = 9000", ":1: `max-line-bytes` is no option\nhint: did you mean `max_line_bytes`?"),
        ("[run]\nupstream = 'h'", ":1: `run` is no option\nhint: the only section is [redaction]"),
        ("colour = 1", "hint: `finesse-tap run --help` lists the options"),
        ("config = 'other'", "`config` is no option"),
        ("agents = 3", "`agents` is no option"),
        ("listen = [1]", ":1: listen: expected a text in quotes, or a list of them in brackets, found integer"),
        ("quiet = 'yes'", ":1: quiet: expected true or false, found string"),
        ("certs = 3", ":1: certs: expected a text in quotes, found integer"),
        ("certs = ''", ":1: certs: is empty"),
        ("upstream = h", ":1: "),
        ("grace = 1\ngrace = 2", ":2: duplicate key\nhint: write an option once"),
        ("quiet = true\ncapture = \"C:\\captures\"", "hint: in double quotes a backslash begins an escape"),
        ("capture = \"C:\\temp\"", ":1: capture: holds a control character, such as a tab\nhint: in double quotes"),
    ] {
        let (path, flag) = file(text);
        let refusal = refusal(&format!("run {flag}"), &[]);
        assert!(refusal.starts_with(&path.path().display().to_string()), "{text}: {refusal}");
        assert!(refusal.contains(wanted), "{text}: {refusal}");
    }
}

#[test]
fn a_file_as_windows_editors_write_it() {
    let (_file, flag) = file("\u{feff}upstream = 'h'\r\ncapture = 'C:\\captures\\new'\r\n");
    assert_eq!(run(&flag, &[]).record.capture, CaptureTo::Dir(r"C:\captures\new".into()));
    let (utf16, flag) = file("");
    std::fs::write(utf16.path(), b"\xff\xfeu\0").unwrap();
    assert!(refusal(&format!("run {flag}"), &[]).contains("is not UTF-8\nhint: PowerShell's > writes UTF-16"));
}

#[test]
fn a_mistyped_variable_is_found_and_a_strange_one_let_be() {
    let text = refusal("run --upstream h", &["FINESSE_TAP_UPSTRAEM=h"]);
    assert!(text.contains("FINESSE_TAP_UPSTRAEM is unknown\nhint: did you mean FINESSE_TAP_UPSTREAM?"), "{text}");
    let strange = ["FINESSE_TAP_TEAM=x", "FINESSE_TAP_PORT=x", "FINESSE_TAP_ELASTIC_PASSWORD=x", "HOME=/"];
    assert_eq!(asked("run --upstream h", &strange).unwrap().unknown, ["FINESSE_TAP_TEAM"]);
    let kubernetes = ["FINESSE_TAP_PORT=tcp://10.0.0.1:8445", "FINESSE_TAP_SERVICE_HOST=10.0.0.1"];
    assert_eq!(run("--upstream h", &kubernetes), run("--upstream h", &[]));
}

#[test]
fn the_key_log_is_written_only_when_asked_for() {
    let ssl = "SSLKEYLOGFILE=from-environment";
    assert_eq!(run("--upstream h", &[ssl]).keylog, None);
    assert_eq!(run("--upstream h --keylog", &[ssl]).keylog, Some("from-environment".into()));
    assert_eq!(run("--upstream h --keylog mine", &[ssl]).keylog, Some("mine".into()));
    assert_eq!(run("--keylog --upstream h", &[ssl]).keylog, Some("from-environment".into()));
    assert_eq!(run("--upstream h", &[ssl, "FINESSE_TAP_KEYLOG=false"]).keylog, None);
    assert!(
        refusal("run --upstream h --keylog", &[]).contains("SSLKEYLOGFILE is not set\nhint: name one: --keylog FILE")
    );
}

#[test]
fn pins_are_read_as_tools_print_them() {
    let bare = PIN.trim_start_matches("sha256:").to_uppercase();
    let pairs: Vec<String> = bare.as_bytes().chunks(2).map(|pair| String::from_utf8_lossy(pair).into_owned()).collect();
    let openssl = format!("SHA256:{}", pairs.join(":"));
    assert_eq!(openssl.parse::<Pin>().unwrap().to_string(), PIN);
    let by_flag = |pin: &str| run(&format!("h --upstream-pin {pin}"), &[]).trust;
    let pinned = Trust::Pins(vec![PIN.parse().unwrap()]);
    for pin in [&bare, &openssl, &pairs.join(":"), &format!("Fingerprint={}", pairs.join(":"))] {
        assert_eq!(by_flag(pin), pinned, "{pin}");
    }
    let asking = run(&format!("h --upstream-pin ask --upstream-pin {PIN}"), &[]);
    assert_eq!((asking.trust, asking.asks_for_pins), (pinned, true));
    assert_eq!(run("h --upstream-pin ask", &[]).trust, Trust::Pins(Vec::new()), "nobody is believed before the answer");
    for bad in ["sha1:00", "sha256:", "sha256:zz", &PIN[..70], &format!("{PIN}0"), &format!("{PIN}00"), "sha256:é"] {
        assert!(bad.parse::<Pin>().is_err(), "{bad}");
    }
}

#[test]
fn a_browser_is_told_once_for_run_and_browse() {
    let plain = browse("--upstream h", &[]);
    assert_eq!((plain.certs, plain.own_identity), (PathBuf::from("certs"), None));
    let desktop = Browser { program: None, arguments: Vec::new(), page: Page::Path("/desktop/".into()) };
    assert_eq!(plain.browser, desktop);
    assert_eq!(plain.traffic.listeners()[0].address.port(), 8445);
    assert_eq!(run("--upstream h", &["FINESSE_TAP_PATH=/x"]).browser, None);
    assert_eq!(run("--upstream h --browse", &[]).browser, Some(desktop));

    // The file of `run` does for both, whatever else is in it.
    let (_file, flag) = file(
        "upstream = ['h', 'i']\nroute = '7443=h'\ncerts = 'c'\ngrace = 1\nrewrite = 'never'\nbrowser = 'edge'\n\
         browser_arg = ['--a', '--b=c d']\nurl = 'https://i:8445/x?y'\nbrowse = true\n",
    );
    let asked = browse(&flag, &["FINESSE_TAP_CERTS=d"]);
    let url = Page::Url("https://i:8445/x?y".into(), Authority { host: "i".into(), port: 8445 });
    let edge = Browser { program: Some("edge".into()), arguments: vec!["--a".into(), "--b=c d".into()], page: url };
    assert_eq!((asked.traffic.servers().len(), asked.certs, &asked.browser), (3, "d".into(), &edge));
    assert_eq!(run(&flag, &[]).browser, Some(edge));
    assert!(
        matches!(browse("--upstream h --url https://h", &[]).browser.page, Page::Url(_, server) if server.port == 443)
    );
    for (line, expected) in [
        ("browse", "no server is named\nhint: "),
        ("browse --upstream h --listen [::1]:0", "--listen: port 0 is another one at each start\nhint: "),
        ("browse --route 0=h", "--route: port 0 is another one at each start\nhint: "),
        ("browse --upstream h --path x", "--path: `x` is not a path such as /desktop/\nhint: write --path /x"),
        ("browse --upstream h --path //evil/", "--path: `//evil/` is not a path"),
        ("browse --upstream h --url http://h/", "--url: `http://h/` is not a URL that begins with https://"),
        ("browse --upstream h --url https://h --path /", "exclude each other\nhint: "),
        ("browse --upstream h --grace 1", "hint: "),
    ] {
        let said = refusal(line, &[]);
        assert!(said.contains(expected), "{expected} is not in {said}");
    }
}

#[test]
fn the_other_commands_take_what_concerns_them() {
    let variables = ["FINESSE_TAP_CERTS=mine", "FINESSE_TAP_UPSTREAM=h", "FINESSE_TAP_CAPTURE=there"];
    let Command::Demo(demo) = command("demo --agents 3 --keep", &variables) else { panic!() };
    let demo = demo.check(&Sources::default()).unwrap();
    assert_eq!((demo.agents, demo.keep, demo.certs.to_str()), (3, true, Some("mine")));
    assert_eq!(demo.record.capture, CaptureTo::Dir("there".into()));
    assert_eq!(demo.listen, ["127.0.0.1:0".parse().unwrap()]);
    for line in ["ca -o out", "ca --export out"] {
        let Command::Ca(ca) = command(line, &variables) else { panic!("{line}") };
        assert_eq!(ca, CaFlags { certs: "mine".into(), servers: Vec::new(), output: Some("out".into()) });
    }
    assert_eq!(command("completions zsh", &[]), Command::Completions { shell: Shell::Zsh });
    let man = Command::Man(ManFlags { output: Some("dir".into()) });
    assert_eq!((command("man --out dir", &[]), command("man -o dir", &[])), (man.clone(), man));
}

#[test]
fn doctor_reads_what_run_reads_and_nothing_else() {
    let variables = [
        "FINESSE_TAP_RESOLVE=h:10.0.0.1",
        "FINESSE_TAP_UPSTREAM_CA=ca.pem",
        "FINESSE_TAP_CERTS=there",
        "FINESSE_TAP_USER=1001",
        "FINESSE_TAP_FORMAT=json",
        "FINESSE_TAP_SERVER=other",
    ];
    let doctor = |line: &str, variables: &[&str]| match command(line, variables) {
        Command::Doctor(doctor) => doctor,
        other => panic!("{other:?}"),
    };
    let read = doctor("doctor h --timeout 500ms --through 127.0.0.1:1", &variables);
    assert_eq!(read.resolve, [("h".to_owned(), IpAddr::from([10, 0, 0, 1]))]);
    assert_eq!((read.trust.trust(), read.certs), (Trust::Ca("ca.pem".into()), "there".into()));
    assert_eq!((read.user, read.format, read.server.host), (None, Format::Text, "h".to_owned()));
    assert_eq!((read.timeout, read.through), (Duration::from_millis(500), "127.0.0.1:1".parse().ok()));
    let plain = doctor("doctor UCCX.example.test", &[]);
    assert_eq!(
        (plain.server.to_string(), plain.timeout),
        ("uccx.example.test:8445".to_owned(), Duration::from_secs(10))
    );
}

#[test]
fn a_wrong_command_line_gets_one_line_and_one_hint() {
    for (line, wanted) in [
        ("run --upstrem h", "`--upstrem` is no option of `finesse-tap run`\nhint: did you mean --upstream?"),
        ("run --redact some --upstream h", "--level: `some` is none of off, auth, share, minimal\nhint: "),
        ("run --upstream", "--upstream: a value is missing\nhint: `finesse-tap run --help` lists"),
        ("rum", "`rum` is no command\nhint: did you mean `finesse-tap run`?"),
        ("zebra", "`zebra` is no command\nhint: `finesse-tap --help` lists the commands"),
        (
            "run --upstream h --zebra",
            "`--zebra` is no option of `finesse-tap run`\nhint: `finesse-tap run --help` lists",
        ),
        ("run --upstream h --quiet --quiet", "--quiet: is given twice\nhint: keep one of them"),
        ("completions", "\nhint: "),
    ] {
        let text = refusal(line, &[]);
        assert!(text.contains(wanted) && text.lines().count() == 2, "{line}: {text}");
    }
    assert!(refusal("--version", &[]).contains(concat!("finesse-tap ", env!("CARGO_PKG_VERSION"))));
}

#[cfg(unix)]
#[test]
fn paths_need_not_be_text() {
    use std::os::unix::ffi::OsStringExt as _;
    let strange = OsString::from_vec(b"caf\xe9".to_vec());
    let mut arguments: Vec<OsString> = ["finesse-tap", "run", "--upstream", "h", "--certs"].map(OsString::from).into();
    arguments.push(strange.clone());
    let Command::Run(run) = read(arguments, &Environment::new()).unwrap().command else { panic!("another command") };
    assert_eq!(run.keep.certs, PathBuf::from(&strange));
    let mut joined = OsString::from("--upstream=");
    joined.push(&strange);
    for line in [&["--upstream".into(), strange.clone()][..], &[joined]] {
        let arguments = ["finesse-tap".into(), "run".into()].into_iter().chain(line.iter().cloned());
        let Err(Stop::Wrong(problem)) = read(arguments, &Environment::new()) else { panic!("accepted") };
        assert!(problem.what.starts_with("--upstream") && problem.what.ends_with(": is not UTF-8"), "{problem}");
    }
    let variables = Environment::from([("FINESSE_TAP_UPSTREAM".into(), strange)]);
    let Err(Stop::Wrong(problem)) = read(["finesse-tap".into(), "run".into()], &variables) else { panic!("accepted") };
    assert_eq!(problem.what, "FINESSE_TAP_UPSTREAM: is not UTF-8");
}

#[test]
fn import_and_export_are_told_what_and_where_to() {
    let asked_for = |line: &str, variables: &[&str]| match command(line, variables) {
        Command::Import(flags) => flags.check().unwrap(),
        other => panic!("{other:?}"),
    };
    let import = asked_for("import a.har b.har -o out --level off", &["FINESSE_TAP_MAX_LINE_BYTES=16000"]);
    let old = asked_for("import a.har b.har --capture out --redact off --max-line-bytes 16kB", &[]);
    assert_eq!(
        (&old, &import),
        (&import, &asked_for("import a.har b.har --level off --max-line-bytes 16000", &["FINESSE_TAP_CAPTURE=out"]))
    );
    assert_eq!(import.files, [PathBuf::from("a.har"), PathBuf::from("b.har")]);
    let capture = CaptureTo::Dir("out".into());
    assert_eq!(
        import.record,
        Recording {
            capture,
            capture_limit_bytes: None,
            redact: Level::Off,
            rules: UserRules::default(),
            observer: None,
            session_key: None,
            stable_tokens: None,
            max_line_bytes: 16_000,
            live: Live::Off,
            filter: Filter::default(),
        }
    );
    let settings = import.settings();
    for (name, value) in [("source", "har"), ("file", "b.har"), ("capture", "out"), ("redact", "off")] {
        assert!(settings.contains(&(name.into(), value.into())), "{name}={value} is not in {settings:?}");
    }

    let export = |line: &str| match command(&format!("export {line}"), &[]) {
        Command::Export(export) => export,
        other => panic!("{line}: {other:?}"),
    };
    let file = export("pcapng a b --out out");
    assert_eq!((file.form, file.captures.len(), file.file()), (Form::Pcapng, 2, Some(&"out".into())));
    let shown = export("text a -o - --xml");
    assert_eq!((shown.form, shown.file(), shown.xml), (Form::Text, None, true));
    for line in ["import", "export har a", "export pdf a -o x", "export har a -o x --filter agent"] {
        assert!(refusal(line, &[]).contains("hint:"), "{line}");
    }
}

#[test]
fn several_instances_are_told_apart_behind_a_balancer() {
    let alone = run("--upstream h", &[]);
    assert_eq!(alone.preface, Preface::None);
    let run = run("--upstream h --observer-name tap-1.example --accept-proxy-protocol --certs /c", &[]);
    assert_eq!(run.record.observer.as_deref(), Some("tap-1.example"));
    assert_eq!(run.record.session_key, Some(PathBuf::from("/c/session.key")));
    assert_eq!(run.preface, Preface::ProxyProtocol);
    for (name, value) in [("observer-name", "tap-1.example"), ("accept-proxy-protocol", "true")] {
        assert!(run.settings().contains(&(name.into(), value.into())), "{name} is not among the settings");
    }
    let long = format!("run --upstream h --observer-name {}", "x".repeat(65));
    for line in ["run --upstream h --observer-name tap/1", "run --upstream h --observer-name é", &long] {
        assert!(refusal(line, &[]).contains("64 letters"), "{line}");
    }
    assert!(refusal("run --upstream h --observer-name tap/1", &[]).contains("--observer-name tap-1"));
}
