//! `finesse-tap hosts` as its user meets it, on a file of the test's own.

use crate::support::program::run;

#[test]
fn lines_are_shown_put_in_and_taken_out() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hosts");
    let text = "127.0.0.1\tlocalhost\r\n# mine\r\n192.0.2.1 other";
    std::fs::write(&path, text).unwrap();
    let config = "upstream = ['pub.example.invalid', '192.0.2.8']\nroute = ['7443=pub.example.invalid', \
                  '127.0.0.2:9445=sub.example.invalid:8445']\nresolve = 'sub.example.invalid:192.0.2.7'\nredact = 'share'\n";
    std::fs::write(dir.path().join("tap.toml"), config).unwrap();
    let lines = "127.0.0.1 pub.example.invalid\n127.0.0.2 sub.example.invalid\n";

    let shown = run(dir.path(), &["hosts", "--config=tap.toml"]);
    assert_eq!((shown.code, &*shown.stdout), (Some(0), lines), "{}", shown.stderr);
    let system = if cfg!(windows) { r"\drivers\etc\hosts" } else { "for /etc/hosts" };
    assert!(shown.stderr.contains(&format!("{system} (finesse-tap hosts --apply")), "{}", shown.stderr);
    assert!(shown.stderr.contains("sub.example.invalid:8445 is not reached by it"), "{}", shown.stderr);
    assert!(
        shown.stderr.contains("run … --resolve pub.example.invalid:ADDRESS\n")
            || shown.stderr.ends_with("--resolve pub.example.invalid:ADDRESS"),
        "{}",
        shown.stderr
    );

    let unasked = run(dir.path(), &["hosts", "--config=tap.toml", "--apply", "--file=hosts"]);
    assert_eq!(unasked.code, Some(1));
    assert!(unasked.stderr.contains("hint: add --yes"), "{}", unasked.stderr);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);

    for _ in 0..2 {
        let applied = run(dir.path(), &["hosts", "--config=tap.toml", "--apply", "--file=hosts", "--yes"]);
        assert_eq!((applied.code, &*applied.stdout), (Some(0), lines), "{}", applied.stderr);
        let changed = std::fs::read_to_string(&path).unwrap();
        assert!(changed.starts_with(text) && changed.contains("\r\n127.0.0.1 pub.example.invalid\r\n"), "{changed}");
        assert_eq!(changed.matches("finesse-tap begin").count(), 1);
        assert_eq!(std::fs::read_to_string(dir.path().join("hosts.finesse-tap.bak")).unwrap(), text);
    }
    let undone = run(dir.path(), &["hosts", "--undo", "--file=hosts", "--yes"]);
    assert_eq!(undone.code, Some(0), "{}", undone.stderr);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    let nothing = run(dir.path(), &["hosts", "--undo", "--file=hosts"]);
    assert_eq!(nothing.code, Some(0));
    assert!(nothing.stderr.contains("holds no lines of finesse-tap"), "{}", nothing.stderr);
}

#[test]
fn what_cannot_be_done_is_said_with_a_way_out() {
    let dir = tempfile::tempdir().unwrap();
    let torn = "a\n# finesse-tap begin\nb\n";
    std::fs::write(dir.path().join("torn"), torn).unwrap();
    for (args, code, wanted) in [
        (&["hosts"][..], 2, "no server is named\nhint: add --upstream HOST"),
        (&["hosts", "--apply", "--undo"], 2, "exclude each other"),
        (&["hosts", "--upstream=h.example", "--apply", "--file=none", "--yes"], 1, "find none"),
        (&["hosts", "--upstream=192.0.2.1"], 1, "no server has a name"),
        (&["hosts", "--undo", "--file=torn", "--yes"], 1, "hint: take the lines of finesse-tap out by hand"),
        (&["hosts", "--upstream=h.example", "--apply", "--file=torn", "--yes"], 1, "has no `# finesse-tap end`"),
    ] {
        let ended = run(dir.path(), args);
        assert_eq!(ended.code, Some(code), "{args:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(wanted), "{args:?}: {}", ended.stderr);
    }
    assert_eq!(std::fs::read_to_string(dir.path().join("torn")).unwrap(), torn);
}

/// A file that cannot be written even by its owner's own command: said with the command that could.
// Windows has no mode that would keep an administrator, as tests are run by, from writing.
#[cfg(unix)]
#[test]
fn without_the_right_the_command_that_has_it_is_said() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("etc");
    std::fs::create_dir(&place).unwrap();
    let path = place.join("hosts");
    std::fs::write(&path, "x\n").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o444)).unwrap();
    std::fs::set_permissions(&place, std::fs::Permissions::from_mode(0o555)).unwrap();
    // The superuser may do anything.
    let powerful = std::fs::write(place.join("probe"), "").is_ok();
    if powerful {
        eprintln!("without_the_right_the_command_that_has_it_is_said: skipped, run by the superuser");
    } else {
        let refused = run(dir.path(), &["hosts", "--upstream=h.example", "--apply", "--yes", "--file=etc/hosts"]);
        assert_eq!(refused.code, Some(1));
        assert!(refused.stderr.contains("no right to change"), "{}", refused.stderr);
        assert!(
            refused.stderr.contains("hint: sudo ") && refused.stderr.contains(" hosts --upstream=h.example --apply"),
            "{}",
            refused.stderr
        );
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "x\n");
    }
    std::fs::set_permissions(&place, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_leaves_the_file_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("etc");
    let Some(_mounted) = crate::support::Small::mount(&place) else {
        crate::support::skipped("a_full_disk_leaves_the_file_as_it_is", "the right to mount a file system");
        return;
    };
    // Larger than what is left, so that neither backup nor new file fits.
    let text = format!("127.0.0.1 localhost\n{}", "# mine\n".repeat(2_000));
    std::fs::write(place.join("hosts"), &text).unwrap();
    std::fs::write(place.join("ballast"), vec![0; 40 << 10]).unwrap();
    let args = ["hosts", "--upstream=h.example", "--apply", "--yes", "--file=etc/hosts"];
    let refused = run(dir.path(), &args);
    assert_eq!(refused.code, Some(1), "{}", refused.stderr);
    assert!(refused.stderr.contains("error: ") && refused.stderr.contains("No space left"), "{}", refused.stderr);
    assert_eq!(std::fs::read_to_string(place.join("hosts")).unwrap(), text);
    let left: Vec<_> = std::fs::read_dir(&place).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "{left:?}");
    std::fs::remove_file(place.join("ballast")).unwrap();
    let applied = run(dir.path(), &args);
    assert_eq!(applied.code, Some(0), "{}", applied.stderr);
    assert!(std::fs::read_to_string(place.join("hosts")).unwrap().starts_with(&text));
}
