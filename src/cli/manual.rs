//! `completions` and `man`: the command line's definition becomes completion scripts and manual pages.

use crate::cli::Cli;
use anyhow::Context as _;
use clap::{Args, ValueHint};
use clap::{Command, CommandFactory as _};
use clap_complete::Shell;
use std::path::{Path, PathBuf};

const PROGRAM: &str = "finesse-tap";

pub(super) const COMPLETIONS_MORE: &str = "\
Where shells look for it:
  finesse-tap completions bash \\
    > ~/.local/share/bash-completion/completions/finesse-tap
  finesse-tap completions zsh > DIR/_finesse-tap        # DIR being in $fpath
  finesse-tap completions fish > ~/.config/fish/completions/finesse-tap.fish
  finesse-tap completions powershell >> $PROFILE";

pub(super) const MORE: &str = "\
Examples:
  finesse-tap man | man -l -
  finesse-tap man -o ~/.local/share/man/man1";

/// The options of `man`.
#[derive(Clone, PartialEq, Eq, Debug, Args)]
pub struct ManFlags {
    /// Write finesse-tap.1 and a page for each command into DIR [default: one page to standard output]
    #[arg(long, short, alias = "out", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub output: Option<PathBuf>,
}

/// A shell's completion script.
#[must_use]
pub fn completions(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), PROGRAM, &mut script);
    script
}

/// The manual page, roff.
///
/// # Errors
/// None in practice: it is written into memory.
pub fn page() -> anyhow::Result<Vec<u8>> {
    render(command())
}

/// Writes the manual page and one per command into `dir`, which is made if it is not there.
///
/// # Errors
/// A file cannot be written.
pub fn pages(dir: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(dir).with_context(|| format!("make the directory {}", dir.display()))?;
    let root = command();
    for command in std::iter::once(&root).chain(root.get_subcommands()) {
        let name = command.get_display_name().unwrap_or(PROGRAM);
        let path = dir.join(format!("{name}.1"));
        std::fs::write(&path, render(command.clone())?).with_context(|| format!("write {}", path.display()))?;
    }
    Ok(())
}

/// The command line, with the names that manual pages go by.
fn command() -> Command {
    let mut root = Cli::command().disable_help_subcommand(true);
    root.build();
    root
}

/// Where text that is laid out already is wrapped, columns.
const NOTES_COLUMNS: usize = 80;

/// One page. What stands behind the options is laid out for the eye, which the generator would fill as running text.
fn render(command: Command) -> anyhow::Result<Vec<u8>> {
    let more = command.get_after_long_help().cloned().unwrap_or_default();
    let notes = Command::new(PROGRAM).after_long_help(more).help_template("{after-help}").term_width(NOTES_COLUMNS);
    let more = notes.clone().render_long_help().to_string();
    let command = command.after_help(None::<&str>).after_long_help(None::<&str>);
    let mut page = Vec::new();
    clap_mangen::Man::new(command).manual("finesse-tap").render(&mut page).context("write a manual page")?;
    page.extend_from_slice(b".SH NOTES\n.nf\n");
    for line in more.trim_start().lines() {
        // A dot or an apostrophe in front would be an instruction.
        page.extend_from_slice(format!("\\&{}\n", line.replace('\\', "\\e").replace('-', "\\-")).as_bytes());
    }
    page.extend_from_slice(b".fi\n");
    Ok(page)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::ValueEnum as _;

    #[test]
    fn every_shell_completes_every_option() {
        for shell in Shell::value_variants() {
            let script = String::from_utf8(completions(*shell)).unwrap();
            for word in ["upstream-pin", "max-line-bytes", "demo", "completions", "auth"] {
                assert!(script.contains(word), "{shell}: {word} is missing");
            }
        }
    }

    #[test]
    fn there_is_a_page_for_the_program_and_for_every_command() {
        assert!(String::from_utf8(page().unwrap()).unwrap().contains("finesse\\-tap\\-run(1)"));
        let dir = tempfile::tempdir().unwrap();
        pages(dir.path()).unwrap();
        for name in [
            "finesse-tap",
            "finesse-tap-run",
            "finesse-tap-demo",
            "finesse-tap-doctor",
            "finesse-tap-ca",
            "finesse-tap-man",
        ] {
            let text = std::fs::read_to_string(dir.path().join(format!("{name}.1"))).unwrap();
            assert!(text.contains(".TH"), "{name}");
        }
        let run = std::fs::read_to_string(dir.path().join("finesse-tap-run.1")).unwrap();
        assert!(run.contains("upstream\\-pin"));
        let (_, notes) = run.split_once("\n.SH NOTES\n.nf\n").unwrap();
        let width = |line: &str| line.replace('\\', "").chars().count();
        assert!(
            notes.starts_with("\\&Examples:") && notes.lines().all(|line| width(line) <= NOTES_COLUMNS + 2),
            "{notes}"
        );
    }
}
