//! What `--help` and the page of options say.

use super::*;
use clap::CommandFactory as _;

#[test]
fn the_definition_holds_together() {
    Cli::command().debug_assert();
}

#[test]
fn help_names_every_option_and_tells_what_comes_next() {
    let mut root = Cli::command();
    root.build();
    for command in root.get_subcommands_mut().filter(|command| command.get_name() != "help") {
        let short = command.clone().render_help().to_string();
        let long = command.render_long_help().to_string();
        assert!(long.len() > short.len(), "{}: -h and --help are the same", command.get_name());
        for option in command.get_arguments().filter_map(clap::Arg::get_long) {
            for help in [&short, &long] {
                assert!(help.contains(&format!("--{option}")), "{option} is missing in\n{help}");
            }
        }
        assert!(long.contains("finesse-tap "), "{}: no example", command.get_name());
    }
    let root = root.render_long_help().to_string();
    for wanted in ["First steps:", "captures/", "certs/HOST/", "Exit codes:", "Next:"] {
        assert!(root.contains(wanted), "{wanted} is missing in\n{root}");
    }
}

/// What stands below the options is wrapped for the terminal: prose has no line breaks of its own, which would wrap it
/// twice, and examples fit, as a command that is wrapped cannot be pasted.
#[test]
fn help_is_laid_out_for_any_terminal() {
    const NARROW: usize = 80;
    let mut root = Cli::command();
    root.build();
    for command in std::iter::once(&root).chain(root.get_subcommands()).filter(|one| one.get_name() != "help") {
        let more = command.get_after_long_help().map(ToString::to_string).unwrap_or_default();
        let lines: Vec<&str> = more.lines().collect();
        for (line, next) in lines.iter().zip(lines.iter().skip(1).chain([&""])) {
            let is_prose = |line: &str| line.starts_with(|c: char| c.is_ascii_alphabetic());
            let broken = is_prose(line) && line.len() > 60 && is_prose(next);
            assert!(!broken || line.ends_with(['.', ':']), "{}: broken by hand: {line}", command.get_name());
            let is_example = line.trim_start().starts_with("finesse-tap ") && !line.contains('`');
            assert!(!is_example || line.chars().count() <= NARROW, "{}: {line}", command.get_name());
        }
    }
    for name in root.get_subcommands().map(|one| one.get_name().to_owned()).collect::<Vec<_>>() {
        let mut one = root.find_subcommand(&name).unwrap().clone().term_width(NARROW);
        for line in one.render_long_help().to_string().lines() {
            assert!(line.chars().count() <= NARROW, "{name}: {line}");
        }
    }
}

#[test]
fn the_page_of_options_knows_every_option_and_command() {
    let page = include_str!("../../../docs/options.md");
    let mut root = Cli::command();
    root.build();
    for command in root.get_subcommands() {
        assert!(page.contains(&format!("finesse-tap {}", command.get_name())) || command.get_name() == "help");
        for option in command.get_arguments().filter_map(clap::Arg::get_long).filter(|name| *name != "help") {
            assert!(page.contains(&format!("--{option}")), "--{option} is not in docs/options.md");
        }
    }
}
