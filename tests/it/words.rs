//! What the program says when it cannot do what was asked: what happened, why, what next, and by which exit code.
//!
//! Every command is given files that are missing, directories in place of files, the other way round, and files of other
//! kinds; and values that no option takes.

use crate::support::write_private;
use finesse_tap::cli::Cli;
use std::path::Path;
use std::process::{Command, Output};

/// A capture of one agent.
const CAPTURE: &str = include_str!("../report/troubled.ndjson");

fn program(dir: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_finesse-tap"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("FINESSE_TAP_")) {
        command.env_remove(name);
    }
    command.args(arguments).current_dir(dir).stdin(std::process::Stdio::null()).envs(variables.iter().copied());
    command.output().unwrap()
}

/// A directory with a file of each kind.
fn files() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("folder")).unwrap();
    for (name, bytes) in [
        ("one.ndjson", CAPTURE.as_bytes()),
        ("empty", b""),
        ("hello.txt", b"hello\n"),
        ("x.json", b"{\"a\":1}\n"),
        ("page.har", b"{\"log\":{\"version\":\"1.2\",\"creator\":{\"name\":\"x\",\"version\":\"1\"},\"entries\":[]}}"),
        ("case.pcapng", b"\x0a\x0d\x0d\x0a\x1c\0\0\0\x4d\x3c\x2b\x1a"),
        ("bundle.zip", b"PK\x03\x04rest"),
        ("binary", b"\0\xff\0\xfe"),
    ] {
        std::fs::write(dir.path().join(name), bytes).unwrap();
    }
    dir
}

/// Asserts how a command ends, and returns what it said.
fn refused(dir: &Path, line: &str, code: i32, words: &[&str]) -> String {
    let output = program(dir, &line.split(' ').collect::<Vec<_>>(), &[]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{line}: {told}");
    let error = told.find("error: ").unwrap_or_else(|| panic!("{line}: {told}"));
    let error = &told[error..];
    assert_eq!(error.matches("error: ").count(), 1, "{line}: {told}");
    assert!(error.lines().count() == 2 && error.contains("\nhint: "), "{line}: {told}");
    for word in words {
        assert!(error.contains(word), "{line}: `{word}` is not in {told}");
    }
    told
}

#[test]
fn a_file_of_the_wrong_kind_is_called_what_it_is() {
    let dir = files();
    for command in ["share FILE -o out.zip", "report FILE", "export text FILE -o out.txt"] {
        for (file, words) in [
            ("empty", ["an empty file", "captures/"]),
            ("hello.txt", ["text of another kind", "captures/"]),
            ("binary", ["a binary file", "captures/"]),
            ("page.har", ["no request in page.har", "DevTools"]),
            ("case.pcapng", ["a packet capture", "TLS in packets cannot be read"]),
            ("bundle.zip", ["a zip archive that cannot be unpacked", "cut off"]),
            ("folder", ["no capture in the directory folder", ".ndjson"]),
            ("missing", ["read missing: ", "is the path right"]),
        ] {
            let told = refused(dir.path(), &command.replace("FILE", file), 1, &words);
            assert!(!told.contains("--since"), "{told}");
        }
    }
    for (file, words) in [
        ("empty", ["an empty file", "Export HAR"]),
        ("hello.txt", ["text of another kind", "Export HAR"]),
        ("x.json", ["no log.entries", "Export HAR"]),
        ("page.har", ["no request in page.har", "DevTools"]),
        ("one.ndjson", ["it is a capture", "finesse-tap report one.ndjson"]),
        ("case.pcapng", ["a packet capture", "TLS in packets cannot be read"]),
        ("bundle.zip", ["a zip archive", "unpack"]),
        ("missing", ["read missing: ", "is the path right"]),
    ] {
        refused(dir.path(), &format!("import {file}"), 1, &words);
    }
    let left: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().starts_with("out")), "{left:?}");
}

#[test]
fn a_path_that_cannot_be_used_comes_with_a_hint() {
    let dir = files();
    write_private(&dir.path().join("empty"), "");
    for (line, words) in [
        ("ca", &["no CA below certs", "finesse-tap ca --upstream HOST"][..]),
        ("ca --certs missing", &["no CA below missing"]),
        ("ca --certs folder --export out", &["no CA below folder"]),
        ("ca --certs hello.txt", &["hello.txt"]),
        ("hosts --undo --file missing", &["find missing"]),
        ("hosts --upstream 10.0.0.1", &["by its address"]),
        ("scan missing", &["1 of 1 files cannot be read"]),
        ("scan folder", &["no file in folder"]),
        ("scan hello.txt --secrets-file missing", &["secrets file missing"]),
        ("share one.ndjson -o missing/out.zip", &["missing"]),
        ("report one.ndjson -o missing/out.html", &["missing"]),
        ("export text one.ndjson -o missing/out", &["missing"]),
        ("resolve u-7h2k9m4q1x", &["certs/tokens.key.index", "--key"]),
        ("resolve hello", &["`hello` is no token", "u-"]),
        ("ship missing --elastic https://127.0.0.1:1", &["missing"]),
        ("ship folder --elastic https://127.0.0.1:1 --state missing", &["a checkpoint in missing"]),
        ("ship folder --splunk https://127.0.0.1:1 --splunk-token-file empty", &["empty", "in one line"]),
        ("run --upstream h --upstream-ca missing", &["missing"]),
        ("run --upstream h --upstream-ca hello.txt", &["hello.txt", "PEM"]),
        ("run --upstream h --cert hello.txt --key hello.txt", &["hello.txt", "PEM"]),
        ("assets splunk missing", &["missing", "finesse-tap assets splunk"]),
        ("man --out hello.txt", &["hello.txt"]),
        ("reload --certs missing", &["missing", "--certs DIR"]),
    ] {
        refused(dir.path(), line, 1, words);
    }
}

#[test]
fn a_value_that_no_option_takes_is_quoted() {
    let dir = files();
    for (line, words) in [
        ("report one.ndjson --since yesterday", ["--since: `yesterday`", "2026-"]),
        ("share one.ndjson -o x.zip --since yesterday", ["--since: `yesterday`", "2026-"]),
        ("report one.ndjson --since 2026-02-01 --until 2026-01-01", ["--until: `2026-01-01`", "--since"]),
        ("share one.ndjson -o x.zip --since 2026-02-01 --until 2026-01-01", ["--until: `2026-01-01`", "--since"]),
        ("run --upstream h --route 7443=", ["`7443=`", "names no server"]),
        ("run --upstream h --log-filter loud", ["`loud`", "debug"]),
        ("run --upstream h --grace soon", ["`soon`", "`finesse-tap run --help`"]),
        ("demo --agents many", ["`many`", "`finesse-tap demo --help`"]),
        ("share one.ndjson", ["--out", "`finesse-tap share --help`"]),
        ("run --upstream h --path /desktop/", ["--path: without --browse", "add --browse"]),
        ("run --upstream h --admin-exposed", ["--admin-exposed: without --admin", "add --admin ADDR:PORT"]),
        ("run --upstream h --deny header:x=nonsense", ["`nonsense`", "infrastructure, unknown"]),
        ("dance", ["dance", "`finesse-tap --help`"]),
    ] {
        refused(dir.path(), line, 2, &words);
    }
}

/// Each option that takes a value, of every command: an empty one is refused in good form, or is one that it takes.
#[test]
fn an_empty_value_is_refused_by_every_option() {
    let dir = files();
    let mut root = <Cli as clap::CommandFactory>::command();
    root.build();
    let mut asked = 0;
    for command in root.get_subcommands() {
        let takes = |arg: &&clap::Arg| arg.get_long().is_some() && arg.get_action().takes_values();
        for option in command.get_arguments().filter(takes) {
            let (name, option) = (command.get_name(), format!("--{}=", option.get_long().unwrap()));
            let arguments: &[&str] = match name {
                "run" | "browse" | "hosts" => &["--upstream=h.invalid"],
                "doctor" => &["h.invalid", "--timeout=1ms", "--user=1", "--password-stdin"],
                "share" => &["one.ndjson", "-o", "x.zip"],
                "export" => &["text", "one.ndjson"],
                "report" | "scan" => &["one.ndjson"],
                "import" => &["page.har"],
                "resolve" => &["u-7h2k9m4q1x"],
                "assets" => &["splunk"],
                "ship" => &["folder"],
                _ => &[],
            };
            let mut line = vec![name, &option];
            line.extend(arguments);
            let output = program(dir.path(), &line, &[]);
            let told = String::from_utf8(output.stderr).unwrap();
            if option == "--note=" {
                assert_eq!(output.status.code(), Some(0), "no note is a note: {told}");
                continue;
            }
            assert!(matches!(output.status.code(), Some(1 | 2)), "{line:?}: {told}");
            assert!(told.contains("error: ") && told.matches("hint: ").count() == 1, "{line:?}: {told}");
            assert!(told.contains(option.trim_end_matches('=')), "{line:?}: {told}");
            asked += 1;
        }
    }
    assert!(asked > 100, "{asked}");
}

#[test]
fn nothing_is_written_over_what_is_read() {
    let dir = files();
    for line in ["share one.ndjson", "report one.ndjson", "export text one.ndjson", "export har folder/../one.ndjson"] {
        refused(dir.path(), &format!("{line} -o one.ndjson"), 1, &["one.ndjson is among what is read"]);
        assert_eq!(std::fs::read_to_string(dir.path().join("one.ndjson")).unwrap(), CAPTURE, "{line}");
    }
}

#[test]
fn only_the_picks_that_were_given_are_named() {
    let dir = files();
    let told =
        refused(dir.path(), "share one.ndjson -o x.zip --user 1009", 1, &["fits agent \"1009\"", "finesse-tap report"]);
    assert!(!told.contains("--session") && !told.contains("--since"), "{told}");
}

#[test]
fn a_scan_sums_up_once() {
    let dir = files();
    std::fs::write(dir.path().join("left.txt"), "Authorization: Basic MTAwMTpDYW5hcnktNzExMQ==\n").unwrap();
    let output = program(dir.path(), &["scan", "left.txt"], &[]);
    let told = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert_eq!(told.matches(" found: ").count(), 1, "{told}");
    let output = program(dir.path(), &["scan", "missing"], &[]);
    assert!(output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn a_ca_is_shown_by_a_path_without_detours() {
    let dir = files();
    assert!(program(dir.path(), &["ca", "--upstream=h.example", "--certs=certs"], &[]).status.success());
    let output = program(&dir.path().join("folder"), &["ca", "--certs=../certs"], &[]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("ca.pem") && !text.contains(".."), "{text}");
}

#[test]
fn a_variable_that_means_nothing_is_warned_about() {
    let dir = files();
    let warned = |variables: &[(&str, &str)]| {
        let output = program(dir.path(), &["import", "missing"], variables);
        let told = String::from_utf8(output.stderr).unwrap();
        let lines: Vec<String> = told.lines().filter(|line| line.starts_with("warning ")).map(str::to_owned).collect();
        (lines, output.status.code())
    };
    assert_eq!(
        warned(&[("FINESSE_TAP_NONSENSE", "1")]),
        (vec!["warning the environment variable FINESSE_TAP_NONSENSE is unknown, and ignored".to_owned()], Some(1))
    );
    for command in [&["hosts", "--upstream=h.invalid"][..], &["ca"], &["reload"]] {
        let told = program(dir.path(), command, &[("FINESSE_TAP_NONSENSE", "1")]).stderr;
        assert!(told.starts_with(b"warning "), "{command:?}");
    }
    // An option's own, a secret's, what Kubernetes makes for a service of that name, and what is as good as unset.
    let fine = [
        ("FINESSE_TAP_REDACT", "share"),
        ("FINESSE_TAP_SPLUNK_TOKEN", "t"),
        ("FINESSE_TAP_PORT", "tcp://10.0.0.1:8445"),
        ("FINESSE_TAP_SERVICE_HOST", "10.0.0.1"),
        ("FINESSE_TAP_PORT_8445_TCP_ADDR", "10.0.0.1"),
        ("FINESSE_TAP_OTHER", ""),
    ];
    assert_eq!(warned(&fine), (Vec::new(), Some(1)));
    assert_eq!(warned(&[("FINESSE_TAP_REDCAT", "share")]), (Vec::new(), Some(2)));
}

#[test]
fn help_is_as_wide_as_it_can_be_read() {
    let dir = files();
    for (columns, widest) in [("80", 80), ("200", 100)] {
        let output = program(dir.path(), &["run", "--help"], &[("COLUMNS", columns)]);
        let text = String::from_utf8(output.stdout).unwrap();
        let width = text.lines().map(|line| line.chars().count()).max();
        assert!(width.is_some_and(|width| width > 70 && width <= widest), "{columns}: {width:?}");
    }
}
