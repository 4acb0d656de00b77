//! `open`, `run --console` and `demo --browse`: the page that shows captures, and what it can hand out.
//!
//! Exports are made here, as edges do not know one another: the page asks by name and expression.

use super::recorder::Recorder;
use super::signal::{self, Signals};
use super::{block_on, captures, prepare_process, share};
use crate::bus::{Lot, Receiver};
use crate::capture::Opening as FirstLine;
use crate::capture::policy::Level;
use crate::capture::policy::user::UserRules;
use crate::cli::{CaptureTo, Form, OpenFlags, Opening};
use crate::clock;
use crate::console::{Console, Export, Input, Lines, Made, Marks, Pushed};
use crate::export::{self, Captures, Show};
use crate::filter::Filter;
use crate::proxy::Orders;
use crate::report::{self, compare};
use crate::share::Plan;
use crate::stored::Sources;
use anyhow::{Context as _, bail};
use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{IsTerminal as _, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

/// Files that are shown, each with its name; more come while they are written.
type Files = Arc<Mutex<Vec<(String, File)>>>;

/// The captures that an export is made of, opened anew.
type Reopen = Arc<dyn Fn() -> anyhow::Result<Sources> + Send + Sync>;

/// Shows stored captures until Ctrl-C.
///
/// # Errors
/// Something is no capture, or the page cannot be served.
pub fn open(flags: &OpenFlags) -> anyhow::Result<()> {
    prepare_process();
    block_on(async {
        let sources = captures::open(&flags.captures, flags.run.as_deref())?;
        let signals = Signals::install()?;
        let names: Vec<&str> = sources.files().iter().map(|source| source.name()).collect();
        let title = match *names {
            [one] => one.to_owned(),
            _ => flags.captures.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", "),
        };
        let known = sources.files().iter().map(|source| source.origin().to_owned()).collect();
        // Those of one run get no other files later, but for those that bear its id.
        let run = flags.run.is_some().then(|| sources.runs().pop().map(|run| run.id)).flatten();
        let folders = flags.captures.iter().filter(|path| path.is_dir()).cloned().collect();
        let new = move |name: &str| run.as_ref().is_none_or(|run| name.contains(&**run));
        let (input, reopen) = followed(sources.opened()?, known, folders, new);
        let served = Served::start(title, input, reopen, None).await?;
        served.show(flags.show.opening());
        let orders = Orders::default();
        let hung_up = orders.drain.clone();
        signals.watch(orders.clone(), move || hung_up.cancel());
        orders.drain.cancelled().await;
        drop((served, sources));
        signal::ended(&orders)
    })
}

/// The console of a run: reads the capture files of this run, or what is handed over where there are none.
pub(super) async fn live(
    title: String,
    capture: &CaptureTo,
    recorder: &Recorder,
    pushed: Option<Pushed>,
) -> anyhow::Result<Served> {
    let (input, reopen) = match (capture, pushed) {
        (CaptureTo::Dir(dir), _) => {
            let run = recorder.run();
            let is_ours = move |name: &str| name.contains(&*run);
            followed(Vec::new(), HashSet::new(), vec![dir.clone()], is_ours)
        }
        (_, pushed) => {
            let pushed = pushed.unwrap_or_default();
            let held = pushed.clone();
            let reopen: Reopen = Arc::new(move || {
                let mut spool = tempfile::tempfile().context("make a temporary file")?;
                spool.write_all(&held.lines()).context("write a temporary file")?;
                spool.rewind().context("write a temporary file")?;
                Ok(Sources::of_files([(String::from("memory"), spool)])?)
            });
            (Input::Pushed(pushed), reopen)
        }
    };
    Served::start(title, input, reopen, Some(recorder.notes())).await
}

/// What takes records where no file holds them.
pub(super) fn pushing(pushed: Pushed, first: &FirstLine) -> impl FnOnce(&mut Receiver) + use<> {
    pushed.push(first.line(clock::now(), 1));
    move |receiver| {
        while let Some(items) = receiver.take() {
            let mut lines = Vec::new();
            let mut lot = Lot::default();
            for item in items {
                if let Some(record) = item.record() {
                    lines.extend_from_slice(record.line());
                }
                lot.add(item);
            }
            pushed.push(lines);
            receiver.written(&lot);
        }
    }
}

/// Files, and those that come into `folders` under names that are `new` to us.
fn followed(
    files: Vec<(String, File)>,
    known: HashSet<PathBuf>,
    folders: Vec<PathBuf>,
    is_ours: impl Fn(&str) -> bool + Send + 'static,
) -> (Input, Reopen) {
    let shown = files.iter().filter_map(|(name, file)| Some(Lines { path: name.into(), file: file.try_clone().ok()? }));
    let mut shown: Vec<Lines> = shown.collect();
    let files: Files = Arc::new(Mutex::new(files));
    let opened = Arc::clone(&files);
    let mut known = known;
    let mut more = move || {
        let mut found: Vec<PathBuf> = folders.iter().flat_map(|folder| captures_in(folder)).collect();
        found.retain(|path| {
            let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
            !known.contains(path) && is_ours(&name)
        });
        found.sort();
        let mut fresh = Vec::new();
        for path in found {
            let Ok(file) = File::open(&path) else { continue };
            let Ok(again) = file.try_clone() else { continue };
            opened.lock().unwrap_or_else(PoisonError::into_inner).push((path.display().to_string(), again));
            fresh.push(Lines { path: path.clone(), file });
            known.insert(path);
        }
        fresh
    };
    shown.extend(more());
    let reopen: Reopen = Arc::new(move || {
        let files = files.lock().unwrap_or_else(PoisonError::into_inner);
        let again = files.iter().map(|(name, file)| Ok((name.clone(), file.try_clone()?)));
        Ok(Sources::of_files(again.collect::<std::io::Result<Vec<_>>>()?)?)
    });
    (Input::Files { files: shown, more: Box::new(more) }, reopen)
}

fn captures_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|ending| ending == "ndjson")).collect()
}

/// A page that is served until this is dropped.
pub(super) struct Served {
    address: String,
    _serving: AbortOnDropHandle<()>,
}

impl Served {
    async fn start(title: String, input: Input, reopen: Reopen, marks: Option<Marks>) -> anyhow::Result<Self> {
        let mut console =
            Console::open(0, title, input, exports(&reopen), marks).await.context("serve the console on 127.0.0.1")?;
        let address = console.address();
        let serving = TaskTracker::new().spawn(async move { console.serve().await });
        Ok(Self { address, _serving: AbortOnDropHandle::new(serving) })
    }

    /// The address that lets one browser in.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Prints the address, and opens it in the default browser where somebody can see that.
    pub(super) fn show(&self, opening: Opening) {
        say(&format!("console {}\n", self.address));
        self.browse(opening);
    }

    /// Opens the page in the default browser where somebody can see that.
    pub(super) fn browse(&self, opening: Opening) {
        if opening == Opening::Browser && somebody_looks(&|name| std::env::var_os(name).is_some()) {
            // What the opener says goes nowhere; if it cannot be started, the address is there.
            if let Err(error) = start_browser(&self.address) {
                tracing::debug!(%error, "the default browser cannot be opened");
            }
        }
    }
}

/// Whether a browser that is opened here would be seen: by who sits at this machine and is not root.
fn somebody_looks(is_set: &dyn Fn(&str) -> bool) -> bool {
    let is_remote = ["SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY"].iter().any(|name| is_set(name));
    let has_display = cfg!(any(windows, target_os = "macos")) || is_set("DISPLAY") || is_set("WAYLAND_DISPLAY");
    !is_remote && has_display && !is_superuser() && std::io::stderr().is_terminal()
}

#[cfg(unix)]
fn is_superuser() -> bool {
    rustix::process::geteuid().is_root()
}

#[cfg(not(unix))]
fn is_superuser() -> bool {
    false
}

fn start_browser(address: &str) -> std::io::Result<()> {
    let (program, before): (&str, &[&str]) = match () {
        () if cfg!(windows) => ("rundll32", &["url.dll,FileProtocolHandler"]),
        () if cfg!(target_os = "macos") => ("open", &[]),
        () => ("xdg-open", &[]),
    };
    let mut opener = Command::new(program);
    opener.args(before).arg(address).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = opener.spawn()?;
    // Somebody has to wait for it, or it stays as a zombie.
    std::thread::Builder::new().name(String::from("opener")).spawn(move || drop(child.wait()))?;
    Ok(())
}

/// What the page can hand out.
fn exports(reopen: &Reopen) -> Vec<Export> {
    type Make = fn(&Sources, Filter) -> anyhow::Result<Vec<u8>>;
    let forms: [(&str, &str, &str, Make); 5] = [
        ("bundle", "Bundle for a vendor (zip, level share)", "case.zip", bundle),
        ("report", "Report (HTML)", "report.html", |sources, filter| {
            let filter = report::Filter { events: filter, ..report::Filter::default() };
            let report = report::build(sources, &filter, &mut |_, _| ())?;
            Ok(report::render(&report, report::Format::Html, &report::Zone::default(), 0)?.into_bytes())
        }),
        ("har", "HAR, for DevTools", "case.har", |sources, filter| {
            written(sources, filter, |captures, out| export::har(captures, out, &mut |_, _| ()))
        }),
        ("pcapng", "pcapng, for Wireshark", "case.pcapng", |sources, filter| {
            written(sources, filter, |captures, out| export::pcapng(captures, out, &mut |_, _| ()))
        }),
        ("text", "Transcript (text)", "transcript.txt", |sources, filter| {
            written(sources, filter, |captures, out| export::text(captures, Show::Gist, out, &mut |_, _| ()))
        }),
    ];
    let export = |(name, title, file, make): (&'static str, &'static str, &'static str, Make)| {
        let reopen = Arc::clone(reopen);
        let make = move |expression: &str| {
            let filter = Filter::parse(expression, clock::now().wall_us)?;
            let bytes = make(&reopen()?, filter)?;
            Ok(Made { name: file.to_owned(), bytes })
        };
        Export { name, title, make: Box::new(make) }
    };
    forms.into_iter().map(export).chain([comparison(reopen)]).collect()
}

/// Two sessions side by side, `s1 s2`, as `compare` lays them.
fn comparison(reopen: &Reopen) -> Export {
    let reopen = Arc::clone(reopen);
    let make = move |two: &str| {
        let (good, bad) = two.split_once(' ').context("name two sessions")?;
        let wanted = |who: &str| compare::Wanted { capture: PathBuf::new(), who: Some(who.to_owned()) };
        let sources = reopen()?;
        let request =
            compare::Request { good: wanted(good), bad: wanted(bad), format: report::Format::Html, output: None };
        let page = compare::rendered(&request, &sources, &sources, 0)?;
        Ok(Made { name: String::from("compare.html"), bytes: page.into_bytes() })
    };
    Export { name: "compare", title: "Comparison of two sessions (HTML)", make: Box::new(make) }
}

fn written(
    sources: &Sources,
    filter: Filter,
    write: impl FnOnce(Captures<'_>, &mut Vec<u8>) -> anyhow::Result<export::Told>,
) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let told = write(Captures { sources, filter: &filter }, &mut bytes)?;
    if told.asked_for == 0 {
        bail!("nothing fits the filter");
    }
    Ok(bytes)
}

/// As `share` makes it; refused if its scan finds anything left.
fn bundle(sources: &Sources, filter: Filter) -> anyhow::Result<Vec<u8>> {
    let folder = tempfile::tempdir().context("make a temporary directory")?;
    let out = folder.path().join("case.zip");
    let plan = Plan {
        out: out.clone(),
        explain: None,
        level: Level::Share,
        filter,
        note: None,
        stable_tokens: None,
        encrypt_to: None,
        rules: UserRules::default(),
    };
    crate::share::share(&plan, sources, &mut |redacted| share::extras(redacted, &[] as &[Form]), &mut |_| ())?;
    let mut bytes = Vec::new();
    File::open(&out).and_then(|mut file| file.read_to_end(&mut bytes)).context("read the bundle")?;
    Ok(bytes)
}

fn say(text: &str) {
    // Nobody reading standard error is no reason not to work.
    let _ = std::io::stderr().write_all(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_looks_over_ssh() {
        assert!(!somebody_looks(&|name| ["DISPLAY", "SSH_TTY"].contains(&name)));
    }

    #[test]
    fn files_that_come_later_are_shown_and_exported() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str| {
            fs::write(folder.path().join(name), include_bytes!("../../tests/playbook/login.ndjson")).unwrap()
        };
        write("a-RUN-0001.ndjson");
        write("a-OTHER-0001.ndjson");
        let (input, reopen) =
            followed(Vec::new(), HashSet::new(), vec![folder.path().to_owned()], |name| name.contains("-RUN-"));
        let Input::Files { files, mut more } = input else { panic!("no files") };
        write("a-RUN-0002.ndjson");
        assert_eq!((files.len(), more().len(), more().len()), (1, 1, 0));
        assert_eq!(reopen().unwrap().files().len(), 2);
    }
}
