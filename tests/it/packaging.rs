//! What packages hold besides the program is text that names options, files and ports: does the program know them?
//!
//! `packaging/test` builds, installs and starts a package. No container engine is asked: an image's build file is read as text,
//! so that what it copies is there and what it starts is understood.

#![cfg(unix)]

use finesse_tap::cli::{self, CaptureTo, Command, Run};
use finesse_tap::config::{Environment, Stop};
use std::ffi::OsString;
use std::path::Path;

const DOCKERFILE: &str = include_str!("../../packaging/Dockerfile");
const DOCKERIGNORE: &str = include_str!("../../.dockerignore");
const EXAMPLE: &str = include_str!("../../packaging/finesse-tap.toml");
const UNIT: &str = include_str!("../../packaging/finesse-tap.service");
const CHANGELOG: &str = include_str!("../../packaging/changelog");
const CARGO: &str = include_str!("../../Cargo.toml");

/// What the program makes of arguments, its own name first, and variables.
fn run(arguments: &[&str], variables: &[(&str, &str)]) -> Result<Run, String> {
    let environment: Environment = variables.iter().map(|(name, value)| (name.into(), value.into())).collect();
    match cli::read(arguments.iter().map(OsString::from), &environment) {
        Ok(asked) => match asked.command {
            Command::Run(flags) => flags.check(&asked.sources, &environment).map_err(|problem| problem.to_string()),
            other => Err(format!("not a run: {other:?}")),
        },
        Err(Stop::Wrong(problem)) => Err(problem.to_string()),
        Err(Stop::Shown(help)) => Err(help.to_string()),
    }
}

fn with_file(text: &str) -> Result<Run, String> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    run(&["finesse-tap", "run", "--config", file.path().to_str().unwrap()], &[])
}

/// The example's settings, which are commented out.
fn settings() -> Vec<&'static str> {
    EXAMPLE
        .lines()
        .filter_map(|line| line.strip_prefix('#'))
        .filter(|line| line.starts_with(char::is_lowercase))
        .collect()
}

/// The values of a Dockerfile's instruction, in order.
fn instructions(name: &str) -> Vec<&'static str> {
    DOCKERFILE.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(' ')).collect()
}

#[test]
fn the_example_says_nothing_until_a_server_is_named() {
    let problem = with_file(EXAMPLE).unwrap_err();
    assert!(problem.contains("upstream"), "{problem}");
}

#[test]
fn every_setting_of_the_example_can_be_used() {
    let upstream = settings()[0];
    assert!(upstream.starts_with("upstream = "), "{upstream}");
    assert!(settings().len() > 10);
    // These two belong together.
    let pair = |line: &str| line.starts_with("cert =") || line.starts_with("key =");
    for line in settings().iter().skip(1).filter(|line| !pair(line)) {
        with_file(&format!("{upstream}\n{line}\n")).unwrap_or_else(|problem| panic!("{line}: {problem}"));
    }
    let identity: Vec<&str> = settings().into_iter().filter(|line| pair(line)).collect();
    let run = with_file(&format!("{upstream}\n{}\n", identity.join("\n"))).unwrap();
    assert!(run.own_identity.is_some());
}

#[test]
fn what_the_example_calls_a_default_is_one() {
    let upstream = settings()[0];
    let plain = with_file(upstream).unwrap();
    for key in [
        "listen",
        "certs",
        "capture",
        "level",
        "max_line_bytes",
        "grace",
        "max_connections",
        "log_format",
        "log_filter",
    ] {
        let line = settings().into_iter().find(|line| line.starts_with(&format!("{key} = "))).unwrap();
        assert_eq!(with_file(&format!("{upstream}\n{line}")).unwrap(), plain, "{line}");
    }
}

#[test]
fn the_unit_starts_what_the_package_installs() {
    let command = UNIT.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
    let words: Vec<&str> = command.split(' ').collect();
    assert_eq!(words, ["/usr/bin/finesse-tap", "run", "--config", "/etc/finesse-tap/finesse-tap.toml"]);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), settings()[0]).unwrap();
    let words: Vec<&str> = words
        .into_iter()
        .map(|word| if word.ends_with(".toml") { file.path().to_str().unwrap() } else { word })
        .collect();
    run(&words, &[]).unwrap();
    for asset in
        [r#""target/package/stage/finesse-tap", "usr/bin/""#, r#""packaging/finesse-tap.toml", "etc/finesse-tap/""#]
    {
        assert!(CARGO.contains(asset), "{asset}");
    }
}

/// systemd waits for it, so that a configuration that cannot be used fails `systemctl start`, and sends SIGHUP no sooner.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_unit_is_told_when_it_is_up() {
    use crate::support::program::{Program, Upstream, to};
    use crate::support::soon;
    use std::os::linux::net::SocketAddrExt as _;
    use std::os::unix::net::{SocketAddr, UnixDatagram};

    assert!(UNIT.lines().any(|line| line == "Type=notify"));
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("notify").display().to_string();
    let name = format!("finesse-tap-test-{}", std::process::id());
    let sockets = [
        (format!("@{name}"), SocketAddr::from_abstract_name(&name).unwrap()),
        (path.clone(), SocketAddr::from_pathname(&path).unwrap()),
    ];
    let server = Upstream::new().await;
    let mut options = to(server.address);
    options.push(server.pin());
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    for (variable, address) in sockets {
        let manager = UnixDatagram::bind_addr(&address).unwrap();
        manager.set_nonblocking(true).unwrap();
        let manager = tokio::net::UnixDatagram::from_std(manager).unwrap();
        let mut program = Program::start_in(dir.path(), &options, &[("NOTIFY_SOCKET", &variable)]);
        let mut said = [0; 64];
        let length = soon("that it is up", manager.recv(&mut said)).await.unwrap();
        assert_eq!(&said[..length], b"READY=1");
        program.signal("HUP");
        program.line("reloaded");
        assert_eq!(program.stop().code, Some(0));
    }
}

#[test]
fn the_image_copies_what_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut copied = 0;
    for copy in instructions("COPY").into_iter().filter(|copy| !copy.starts_with("--from")) {
        let mut sources: Vec<&str> = copy.split(' ').collect();
        sources.pop();
        for source in sources {
            copied += 1;
            assert!(root.join(source).exists(), "{source} is not there");
            assert!(DOCKERIGNORE.lines().any(|line| line.strip_prefix('!') == Some(source)), "{source} is ignored");
        }
    }
    // What `include_str!` takes from outside `src`.
    for folder in ["assets", "schema"] {
        assert!(DOCKERFILE.contains(&format!("COPY {folder} {folder}\n")), "{folder} is not copied");
    }
    assert!(copied > 5);
    let profile = DOCKERFILE.contains("--profile dist") && CARGO.contains("[profile.dist]");
    assert!(profile && DOCKERFILE.contains("/target/dist/finesse-tap "));
}

#[test]
fn the_image_starts_with_nothing_but_a_server_named() {
    let list = |name| -> Vec<String> { serde_json::from_str(instructions(name)[0]).unwrap() };
    let mut command = list("ENTRYPOINT");
    assert!(instructions("COPY").iter().any(|copy| copy.ends_with(&format!(" {}", command[0]))));
    command.extend(list("CMD"));
    let mut variables: Vec<(&str, &str)> =
        instructions("ENV").iter().map(|pair| pair.split_once('=').unwrap()).collect();
    let words: Vec<&str> = command.iter().map(String::as_str).collect();
    let problem = run(&words, &variables).unwrap_err();
    assert!(problem.starts_with("no server is named\n"), "not of a variable that the image sets: {problem}");
    variables.push(("FINESSE_TAP_UPSTREAM", "uccxpub.example.com"));
    let run = run(&words, &variables).unwrap();
    let [address] = run.traffic.listen[..] else { panic!("{:?}", run.traffic.listen) };
    assert!(address.ip().is_unspecified());
    assert_eq!(instructions("EXPOSE"), [address.port().to_string()]);
    // Where it writes is where the volumes are, and no name of a user has to be looked up.
    let volumes: Vec<String> = list("VOLUME");
    let below = |path: &Path| Path::new(instructions("WORKDIR").last().unwrap()).join(path).display().to_string();
    let CaptureTo::Dir(captures) = &run.record.capture else { panic!("{:?}", run.record.capture) };
    assert_eq!(volumes, [below(&run.certs), below(captures)]);
    assert!(instructions("USER")[0].split(':').all(|id| id.parse::<u32>().is_ok_and(|id| id > 0)));
}

#[test]
fn the_changelog_begins_with_this_version() {
    let version = format!("finesse-tap ({}-1) ", env!("CARGO_PKG_VERSION"));
    assert!(CHANGELOG.starts_with(&version), "packaging/changelog lacks an entry for {version}");
    let maintainer = CARGO.lines().find_map(|line| line.strip_prefix("maintainer = \"")?.strip_suffix('"')).unwrap();
    assert!(CHANGELOG.contains(&format!("\n -- {maintainer}  ")), "packaging/changelog is signed by another");
}
