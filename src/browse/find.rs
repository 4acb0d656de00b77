//! Where browsers lie on Windows, macOS and Linux.
//!
//! Asks the environment and the file system and nothing else: no registry, no desktop database. Any browser that takes
//! Chromium's options will do; Firefox has no such options.

use super::Variable;
use anyhow::{anyhow, bail};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// A browser.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    /// What to start.
    pub program: PathBuf,
    /// Where its profile has to be, if it cannot see other directories.
    pub profiles: Option<PathBuf>,
}

/// The browser to use: the one `wanted` (a path, or a name to be looked for in `PATH`), or the first that is there.
///
/// # Errors
/// There is none. The text says where it was looked for, and what to do.
pub fn find(wanted: Option<&Path>, variable: Variable<'_>) -> anyhow::Result<Found> {
    let system = if cfg!(windows) {
        System::Windows
    } else if cfg!(target_os = "macos") {
        System::Mac
    } else {
        System::Unix
    };
    choose(wanted, system, variable, &Path::is_file)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum System {
    Windows,
    Mac,
    Unix,
}

fn choose(
    wanted: Option<&Path>,
    system: System,
    variable: Variable<'_>,
    is_there: &dyn Fn(&Path) -> bool,
) -> anyhow::Result<Found> {
    let candidates = match wanted {
        Some(path) if path.components().count() > 1 => vec![path.to_owned()],
        Some(name) if system == System::Windows && name.extension().is_none() => {
            in_path(&[&format!("{}.exe", name.display())], system, variable)
        }
        Some(name) => in_path(&[&name.to_string_lossy()], system, variable),
        None => candidates(system, variable),
    };
    let Some(program) = candidates.iter().find(|path| is_there(path)) else {
        if let Some(wanted) = wanted {
            bail!(
                "there is no browser {}\nhint: --browser takes the path of Chrome, Edge or Chromium",
                wanted.display()
            );
        }
        let looked: Vec<String> = folders(&candidates, system);
        return Err(anyhow!(
            "neither Chrome nor Edge nor Chromium was found in {}\nhint: install one, or name it with --browser PATH",
            looked.join(", ")
        ));
    };
    Ok(Found { program: program.clone(), profiles: confined_to(program, variable) })
}

/// Where a browser may be, the likeliest first.
fn candidates(system: System, variable: Variable<'_>) -> Vec<PathBuf> {
    match system {
        System::Windows => {
            let places = ["ProgramFiles", "ProgramFiles(x86)", "ProgramW6432", "LOCALAPPDATA"];
            let places: Vec<PathBuf> = places.into_iter().filter_map(variable).map(PathBuf::from).collect();
            let programs = [
                r"Google\Chrome\Application\chrome.exe",
                r"Microsoft\Edge\Application\msedge.exe",
                r"Chromium\Application\chrome.exe",
            ];
            each(&programs, &places, '\\')
        }
        System::Mac => {
            let mut places = vec![PathBuf::from("/Applications")];
            places.extend(variable("HOME").map(|home| PathBuf::from(home).join("Applications")));
            let programs = [
                "Google Chrome.app/Contents/MacOS/Google Chrome",
                "Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
                "Chromium.app/Contents/MacOS/Chromium",
            ];
            each(&programs, &places, '/')
        }
        System::Unix => {
            let names = [
                "google-chrome-stable",
                "google-chrome",
                "microsoft-edge-stable",
                "microsoft-edge",
                "chromium",
                "chromium-browser",
            ];
            let mut found = in_path(&names, system, variable);
            found.push("/snap/bin/chromium".into());
            let mut places = vec![PathBuf::from("/var/lib/flatpak/exports/bin")];
            places.extend(variable("HOME").map(|home| PathBuf::from(home).join(".local/share/flatpak/exports/bin")));
            found.extend(each(&["com.google.Chrome", "com.microsoft.Edge", "org.chromium.Chromium"], &places, '/'));
            found
        }
    }
}

/// Every program in every place, program by program.
fn each(programs: &[&str], places: &[PathBuf], separator: char) -> Vec<PathBuf> {
    let path = |place: &PathBuf, program: &str| {
        let mut path = place.clone().into_os_string();
        path.push(separator.to_string());
        path.push(program);
        PathBuf::from(path)
    };
    programs.iter().flat_map(|program| places.iter().map(move |place| path(place, program))).collect()
}

fn in_path(names: &[&str], system: System, variable: Variable<'_>) -> Vec<PathBuf> {
    let path = variable("PATH").unwrap_or_default();
    let places: Vec<PathBuf> = std::env::split_paths(&path).filter(|place| place.is_absolute()).collect();
    each(names, &places, if system == System::Windows { '\\' } else { '/' })
}

/// The places of `candidates`, each once.
fn folders(candidates: &[PathBuf], system: System) -> Vec<String> {
    let mut folders: Vec<String> = Vec::new();
    for path in candidates {
        let text = path.display().to_string();
        // Whole paths where they tell something: everywhere but in PATH.
        let folder = match (system, path.parent()) {
            (System::Unix, Some(parent)) => parent.display().to_string(),
            _ => text,
        };
        if !folders.contains(&folder) {
            folders.push(folder);
        }
    }
    folders
}

/// The directory that a browser in a snap or a flatpak shares with the rest of the machine.
fn confined_to(program: &Path, variable: Variable<'_>) -> Option<PathBuf> {
    let home = PathBuf::from(variable("HOME")?);
    let name = program.file_name()?;
    if program.starts_with("/snap") {
        return Some(home.join("snap").join(name).join("common"));
    }
    let is_export = program.parent().is_some_and(|parent| parent.ends_with("flatpak/exports/bin"));
    is_export.then(|| home.join(".var/app").join(OsStr::new(name)).join("cache"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsString;

    fn environment(name: &str) -> Option<OsString> {
        let value = match name {
            "ProgramFiles" | "ProgramW6432" => r"C:\Program Files",
            "ProgramFiles(x86)" => r"C:\Program Files (x86)",
            "LOCALAPPDATA" => r"C:\Users\zoë\AppData\Local",
            "HOME" => "/home/zoë",
            "PATH" => "/usr/local/bin:relative:/usr/bin:/snap/bin",
            _ => return None,
        };
        Some(value.into())
    }

    fn found(system: System, there: &[&str]) -> Found {
        choose(None, system, &environment, &|path| there.iter().any(|one| path == Path::new(one))).unwrap()
    }

    #[test]
    fn chrome_then_edge_then_chromium() {
        let edge = r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe";
        let chrome = r"C:\Users\zoë\AppData\Local\Google\Chrome\Application\chrome.exe";
        assert_eq!(found(System::Windows, &[edge]).program, Path::new(edge));
        assert_eq!(found(System::Windows, &[edge, chrome]).program, Path::new(chrome));
        let chromium = "/home/zoë/Applications/Chromium.app/Contents/MacOS/Chromium";
        let edge = "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge";
        assert_eq!(found(System::Mac, &[chromium]).program, Path::new(chromium));
        assert_eq!(found(System::Mac, &[chromium, edge]).program, Path::new(edge));
    }

    // PATH is taken apart as the system does on which this runs.
    #[cfg(unix)]
    #[test]
    fn on_linux_they_are_found_in_path() {
        let two = ["/usr/bin/chromium", "/usr/bin/google-chrome"];
        assert_eq!(found(System::Unix, &two), Found { program: two[1].into(), profiles: None });
    }

    #[cfg(windows)]
    #[test]
    fn a_wanted_browser_is_found_by_its_name_without_exe() {
        let path = |name: &str| (name == "PATH").then(|| OsString::from(r"relative;C:\Tools;D:\Browsers"));
        for wanted in ["brave", "brave.exe"] {
            let there = Path::new(r"D:\Browsers\brave.exe");
            let found = choose(Some(Path::new(wanted)), System::Windows, &path, &|path| path == there).unwrap();
            assert_eq!(found.program, there);
        }
    }

    #[test]
    fn a_confined_browser_gets_its_profile_where_it_can_see_it() {
        let snap = found(System::Unix, &["/snap/bin/chromium"]);
        assert_eq!(snap.profiles.as_deref(), Some(Path::new("/home/zoë/snap/chromium/common")));
        let flatpak = found(System::Unix, &["/var/lib/flatpak/exports/bin/com.google.Chrome"]);
        assert_eq!(flatpak.profiles.as_deref(), Some(Path::new("/home/zoë/.var/app/com.google.Chrome/cache")));
    }

    #[cfg(unix)]
    #[test]
    fn a_wanted_browser_is_a_path_or_a_name() {
        let choose = |wanted, there: &str| {
            choose(Some(Path::new(wanted)), System::Unix, &environment, &|path| path == Path::new(there))
        };
        assert_eq!(choose("/opt/brave", "/opt/brave").unwrap().program, Path::new("/opt/brave"));
        assert_eq!(choose("brave", "/usr/bin/brave").unwrap().program, Path::new("/usr/bin/brave"));
        let error = choose("brave", "/opt/brave").unwrap_err().to_string();
        assert!(error.starts_with("there is no browser brave\nhint: "), "{error}");
    }

    #[test]
    fn where_it_was_looked_for_is_said() {
        for (system, place) in [
            (System::Windows, r"C:\Program Files\Google\Chrome\Application\chrome.exe"),
            (System::Mac, "/Applications/Chromium.app/Contents/MacOS/Chromium"),
            #[cfg(unix)]
            (System::Unix, "/usr/bin, /snap/bin"),
        ] {
            let error = choose(None, system, &environment, &|_| false).unwrap_err().to_string();
            assert!(error.contains(place) && error.contains("\nhint: install one"), "{error}");
            assert_eq!(error.lines().count(), 2);
        }
    }
}
