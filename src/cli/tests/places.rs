//! Every option of every command, in every place that it may stand in, says the same.

use super::*;
use clap::{Arg, ArgAction};

/// Two values that an option takes, by its long name or what stands for its value in the help.
fn samples(arg: &Arg) -> [&'static str; 2] {
    let shown = arg.get_value_names().and_then(<[_]>::first).map_or("", |name| name.as_str());
    match (arg.get_long().unwrap_or_default(), shown) {
        ("path", _) => ["/a,b", "/c"],
        ("level", _) => ["minimal", "share"],
        ("alpn", _) => ["http1", "mirror"],
        ("rewrite", _) => ["always", "never"],
        ("alpn", _) => ["http1", "http1"],
        ("elastic-data-stream", _) => ["logs-a-b", "logs-c-d"],
        ("deny" | "allow", _) => ["header:x-a", "header:x-b"],
        ("max-line-bytes", _) => ["16000", "4_000"],
        ("url", _) => ["https://a/b,c", "https://d/"],
        (_, "RUN") => ["01KA", "last"],
        (_, "FORM,…") => ["har", "pcapng"],
        (_, "HOST[:PORT]") => ["a:1", "b"],
        (_, "ADDR:PORT") => ["127.0.0.1:1", "[::1]:2"],
        (_, "LISTEN=[SCHEME://]HOST[:PORT]") => ["1=a", "[::1]:2=xmpp://b:3"],
        (_, "HOST=ADDR") => ["a:10.0.0.1", "b=fd00::1"],
        ("upstream-pin", _) => [PIN, "ask"],
        (_, "sha256:HEX") => [PIN, "0000000000000000000000000000000000000000000000000000000000000000"],
        ("trouble", _) => ["pings", "all"],
        (_, "DIR" | "FILE" | "PATH" | "NAME") => ["a", "b"],
        (_, "ARG") => ["--size=1,2", "--b=c d"],
        (_, "SIZE") => ["2000000", "20GB"],
        (_, "SECONDS") => ["7", "500ms"],
        (_, "N") => ["7", "8"],
        (_, "FILTER") => ["info,finesse_tap=debug", "warn"],
        (_, "EXPR") => ["agent 1001", "errors or kind update"],
        (_, "ID" | "PID") => ["1001", "1002"],
        (_, "FORMAT") => ["json", "text"],
        (_, "URL") => ["https://a:1/p,q", "https://b"],
        (long, shown) => panic!("--{long} {shown}: add a sample of its values"),
    }
}

/// What an option makes necessary, as typed.
fn companions(long: &str) -> &'static [&'static str] {
    match long {
        "kibana" => &["--elastic=https://e", "--elastic-setup"],
        "elastic-password-file" => &["--elastic=https://e", "--elastic-user=u"],
        "password-stdin" => &["--user=1001"],
        "admin-exposed" => &["--admin=127.0.0.1:1"],
        _ if long.starts_with("splunk-") => &["--splunk=https://s"],
        _ if long.starts_with("elastic-") => &["--elastic=https://e"],
        _ if long.starts_with("otlp-") => &["--otlp=https://o"],
        _ => &[],
    }
}

/// What stands in the same place: an option that is one half of a whole comes with the other.
fn halves(long: &str) -> Option<&'static str> {
    match long {
        "cert" => Some("key"),
        "key" => Some("cert"),
        "upstream-client-cert" => Some("upstream-client-key"),
        "upstream-client-key" => Some("upstream-client-cert"),
        _ => None,
    }
}

/// Arguments that a command cannot do without.
fn needed(command: &str) -> &'static [&'static str] {
    match command {
        "doctor" => &["h"],
        "import" => &["a.har"],
        "scan" | "report" | "open" => &["f"],
        "compare" => &["f", "g"],
        "share" => &["f", "-o", "x.zip"],
        "resolve" => &["t"],
        "export" => &["har", "f", "-o", "x"],
        "completions" => &["zsh"],
        _ => &[],
    }
}

fn read_line(command: &str, arguments: &[String], variables: &[String]) -> Command {
    let line = ["finesse-tap", command].into_iter().map(str::to_owned).chain(arguments.iter().cloned());
    let line = line.chain(needed(command).iter().map(ToString::to_string)).map(OsString::from);
    let variables: Vec<&str> = variables.iter().map(String::as_str).collect();
    match read(line, &environment(&variables)) {
        Ok(asked) => asked.command,
        Err(Stop::Wrong(problem)) => panic!("{command} {arguments:?} {variables:?}: {problem}"),
        Err(Stop::Shown(help)) => panic!("{help}"),
    }
}

/// The same without the name of the file, which is there in one place only.
fn without_file(mut command: Command) -> Command {
    match &mut command {
        Command::Run(flags) => flags.config = None,
        Command::Browse(flags) => flags.config = None,
        Command::Hosts(flags) => flags.config = None,
        _ => {}
    }
    command
}

fn names(arg: &Arg) -> Vec<String> {
    let long = arg.get_long().into_iter().map(str::to_owned);
    long.chain(arg.get_all_aliases().unwrap_or_default().into_iter().map(str::to_owned)).collect()
}

/// Settings of one option, in the three places.
struct Settings {
    typed: Vec<String>,
    variables: Vec<String>,
    keys: String,
}

fn settings(args: &[(&Arg, String, &[&str])]) -> Settings {
    let mut said = Settings { typed: Vec::new(), variables: Vec::new(), keys: String::new() };
    for (arg, name, values) in args {
        let key = name.replace('-', "_");
        let variable = format!("FINESSE_TAP_{}", key.to_uppercase());
        match arg.get_action() {
            ArgAction::SetTrue => {
                said.typed.push(format!("--{name}"));
                said.variables.push(format!("{variable}=yes"));
                said.keys += &format!("{key} = true\n");
            }
            ArgAction::Append => {
                said.typed.extend(values.iter().map(|value| format!("--{name}={value}")));
                // What may hold commas stands in lines of its own.
                let between = if values.iter().any(|value| value.contains(',')) { "\n" } else { ", " };
                said.variables.push(format!("{variable}={}", values.join(between)));
                said.keys += &format!("{key} = ['{}']\n", values.join("', '"));
            }
            _ => {
                let value = values[0];
                said.typed.push(format!("--{name}={value}"));
                said.variables.push(format!("{variable}={value}"));
                said.keys += &format!("{key} = '{value}'\n");
            }
        }
    }
    said
}

#[test]
fn every_option_of_every_command_in_every_place() {
    let mut root = Cli::command();
    root.build();
    let owners: Vec<&clap::Command> = SCOPE.owners.iter().map(|name| root.find_subcommand(name).unwrap()).collect();
    let settable = |arg: &Arg| arg.get_long().is_some_and(|long| long.replace('-', "_") == arg.get_id().as_str());
    let owned = |name: &str| {
        owners
            .iter()
            .flat_map(|owner| owner.get_arguments())
            .any(|arg| settable(arg) && names(arg).iter().any(|own| own == name))
    };
    let (mut in_environment, mut in_file, mut everywhere) = (0, 0, Vec::new());
    for name in SCOPE.readers {
        let command = root.find_subcommand(name).unwrap_or_else(|| panic!("{name} is no command"));
        let find = |long: &str| command.get_arguments().find(|arg| arg.get_long() == Some(long)).unwrap();
        let has_file = command.get_arguments().any(|arg| arg.get_id() == "config");
        let options =
            command.get_arguments().filter(|arg| settable(arg) && !["help", "config"].contains(&arg.get_id().as_str()));
        for arg in options {
            for (option, values) in names(arg).into_iter().flat_map(|name| [(name.clone(), 0), (name, 1)]) {
                let long = arg.get_long().unwrap();
                let own = if arg.get_action().takes_values() { samples(arg) } else { ["", ""] };
                let own = if values == 0 { own } else { [own[1], own[0]] };
                let mut args = vec![(arg, option.clone(), &own[..])];
                args.extend(halves(long).map(|half| (find(half), half.to_owned(), &["k"][..])));
                let said = settings(&args);
                let with: Vec<String> = companions(long).iter().map(ToString::to_string).collect();
                let typed = read_line(name, &[&with[..], &said.typed].concat(), &[]);
                let plain = read_line(name, &with, &[]);
                assert!(
                    typed != plain || ["text", "mirror"].contains(&own[0]),
                    "{name} --{option}={} changes nothing",
                    own[0]
                );
                if !owned(&option) {
                    // It is ignored, or refused where it looks like a slip of the pen.
                    let line = [&[*name], companions(long), needed(name)].concat().join(" ");
                    let variables: Vec<&str> = said.variables.iter().map(String::as_str).collect();
                    match asked(&line, &variables) {
                        Ok(asked) => assert_eq!(asked.command, plain, "{name} read {variables:?}"),
                        Err(why) => assert!(why.contains(" is unknown\nhint: did you mean "), "{name}: {why}"),
                    }
                    continue;
                }
                everywhere.extend(said.variables.clone());
                assert_eq!(read_line(name, &with, &said.variables), typed, "{name} {:?}", said.variables);
                in_environment += 1;
                if has_file {
                    let (_file, flag) = file(&said.keys);
                    let flag = flag.replace("--config ", "--config=");
                    let by_file =
                        without_file(read_line(name, &[&with[..], std::slice::from_ref(&flag)].concat(), &[]));
                    assert_eq!(by_file, typed, "{name} {}", said.keys);
                    in_file += 1;
                    // What is typed wins; so does a variable over the file.
                    let again = without_file(read_line(name, &[&with[..], &said.typed, &[flag]].concat(), &[]));
                    assert_eq!(again, typed, "{name} {}", said.keys);
                }
            }
        }
    }
    assert!(in_environment > 150 && in_file > 100, "{in_environment} {in_file}");
    // The other commands read nothing but their command line.
    for command in root.get_subcommands().map(clap::Command::get_name).filter(|name| *name != "help") {
        if !SCOPE.readers.contains(&command) {
            assert_eq!(read_line(command, &[], &everywhere), read_line(command, &[], &[]), "{command}");
        }
    }
}

#[test]
fn numbers_and_words_are_alike_in_the_file() {
    for (number, word) in [
        ("grace = 5", "--grace 5s"),
        ("grace = 0.5", "--grace 500ms"),
        ("max_line_bytes = 16_000", "--max-line-bytes 16kB"),
        ("capture_limit = 20000000000", "--capture-limit 20GB"),
        ("max_connections = 9", "--max-connections 9"),
        ("connect_timeout = '1m'", "--connect-timeout 60"),
    ] {
        let (_file, flag) = file(number);
        assert_eq!(run(&format!("--upstream h {flag}"), &[]), run(&format!("--upstream h {word}"), &[]), "{number}");
    }
}
