//! CAs become what a person needs to trust them, and to forget them again: facts, commands, files to carry away.
//!
//! Knows what Windows, macOS, Linux and Firefox want typed; makes and reads no CA and touches no trust store. A private
//! key is never read here, and an export is written from the decoded certificate, so that nothing else can slip in.

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// What there is to say about a CA.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CaFacts {
    /// Its certificate, PEM, in a directory called after its server.
    pub path: PathBuf,
    /// What it may sign for, as its name constraints say: `DNS:name`, `IP:address/prefix`.
    pub names: Vec<String>,
    /// Start of validity, seconds since 1970.
    pub not_before: i64,
    /// End of validity, seconds since 1970.
    pub not_after: i64,
    /// SHA-256 of the certificate's DER form, hex.
    pub sha256: String,
    /// Its subject, such as `O=finesse-tap, CN=…`.
    pub subject: String,
}

impl CaFacts {
    /// The server it stands in for: the directory it lies in.
    fn host(&self) -> String {
        let folder = self.path.parent().and_then(Path::file_name);
        folder.map_or_else(|| "ca".to_owned(), |name| name.to_string_lossy().into_owned())
    }

    /// The name under which certificate stores list it.
    fn common_name(&self) -> &str {
        let name = self.subject.split(", ").find_map(|part| part.strip_prefix("CN="));
        name.unwrap_or(&self.subject)
    }

    /// Its path as it can be typed from anywhere.
    fn full_path(&self) -> String {
        let path = std::path::absolute(&self.path).unwrap_or_else(|_| self.path.clone());
        let Ok(real) = fs::canonicalize(&path) else { return path.display().to_string() };
        // Windows' canonical form, `\\\\?\\C:\\…`, is none that certutil takes.
        let real = real.display().to_string();
        real.strip_prefix(r"\\?\").map_or(real.clone(), str::to_owned)
    }
}

/// All there is to say about CAs, several paragraphs; `now_s` is seconds since 1970.
#[must_use]
pub fn describe(cas: &[CaFacts], now_s: i64) -> String {
    let mut text = String::new();
    for ca in cas {
        facts(ca, now_s, &mut text);
    }
    text.push_str(concat!(
        "Trust it on the machine where the browser runs; copy the .pem there, never the .key (--export DIR helps).\n",
        "It can sign for the names above and no others. Compare the SHA-256 if it travelled.\n",
    ));
    for way in &WAYS {
        let _ = write!(text, "\n{}\n", way.title);
        for ca in cas {
            for command in way.commands {
                let _ = writeln!(text, "  {}", fill(command, ca, way.quote));
            }
        }
        for note in way.notes {
            let _ = writeln!(text, "  {note}");
        }
    }
    text
}

/// Copies certificates into `dir`, which is made if it is not there: `finesse-tap-HOST.pem` and `.crt` (PEM; Debian's
/// update-ca-certificates reads no other `.crt`) and `.cer` (DER). Returns what was written.
///
/// # Errors
/// A file cannot be read or written, or holds no certificate.
pub fn export(cas: &[CaFacts], dir: &Path) -> anyhow::Result<Vec<PathBuf>> {
    fs::create_dir_all(dir).with_context(|| format!("make the directory {}", dir.display()))?;
    let mut written = Vec::new();
    for ca in cas {
        let der = CertificateDer::from_pem_file(&ca.path)
            .with_context(|| format!("read the certificate {}", ca.path.display()))?;
        let pem = pem(&der);
        for (ending, bytes) in [("pem", pem.as_bytes()), ("crt", pem.as_bytes()), ("cer", &der)] {
            let path = dir.join(format!("finesse-tap-{}.{ending}", ca.host()));
            fs::write(&path, bytes).with_context(|| format!("write {}", path.display()))?;
            written.push(path);
        }
    }
    Ok(written)
}

/// One place where trust is kept.
struct Way {
    title: &'static str,
    quote: Quote,
    /// To be filled in for each CA: `{path}`, `{nick}` (a short name), `{name}` (its common name).
    commands: &'static [&'static str],
    notes: &'static [&'static str],
}

#[derive(Clone, Copy)]
enum Quote {
    /// As sh reads it.
    Single,
    /// As cmd and PowerShell read it.
    Double,
}

const WAYS: [Way; 5] = [
    Way {
        title: "Windows (Edge, Chrome), for this user",
        quote: Quote::Double,
        commands: &["trust:   certutil -addstore -user Root {path}", "forget:  certutil -delstore -user Root {name}"],
        notes: &["For all users: the same as administrator without -user."],
    },
    Way {
        title: "macOS (Safari, Chrome), for this user",
        quote: Quote::Single,
        commands: &[
            "trust:   security add-trusted-cert -r trustRoot -k ~/Library/Keychains/login.keychain-db {path}",
            "forget:  security delete-certificate -t -c {name}",
        ],
        notes: &[
            "For all users: sudo security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain and the path.",
        ],
    },
    Way {
        title: "Linux, Chrome and Chromium, for this user (certutil is in libnss3-tools or nss-tools)",
        quote: Quote::Single,
        commands: &[
            "trust:   certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n {nick} -i {path}",
            "forget:  certutil -d sql:$HOME/.pki/nssdb -D -n {nick}",
        ],
        notes: &[
            "If there is no database yet: mkdir -p ~/.pki/nssdb && certutil -d sql:$HOME/.pki/nssdb -N --empty-password",
            "Chromium as a snap keeps its own: ~/snap/chromium/current/.pki/nssdb",
        ],
    },
    Way {
        title: "Linux, curl and most other programs (not Chrome, not Firefox)",
        quote: Quote::Single,
        commands: &[
            "Debian, Ubuntu:  sudo cp {path} /usr/local/share/ca-certificates/{nick}.crt && sudo update-ca-certificates",
            "Red Hat, Fedora: sudo cp {path} /etc/pki/ca-trust/source/anchors/{nick}.pem && sudo update-ca-trust",
        ],
        notes: &["To forget: remove that copy and run the same update command, on Debian with --fresh."],
    },
    Way {
        title: "Firefox",
        quote: Quote::Single,
        commands: &["import:  {path}"],
        notes: &[
            "Settings, Privacy & Security, View Certificates, Authorities, Import; tick \"identify websites\".",
            "On Windows and macOS Firefox takes over what the system trusts (security.enterprise_roots.enabled in about:config).",
        ],
    },
];

fn facts(ca: &CaFacts, now_s: i64, text: &mut String) {
    let state = if now_s >= ca.not_after {
        " (EXPIRED: move its directory away and a new one is made)"
    } else if now_s < ca.not_before {
        " (NOT YET VALID: is this machine's clock right?)"
    } else {
        ""
    };
    let names = if ca.names.is_empty() { "ANY NAME: it has no constraints".to_owned() } else { ca.names.join(", ") };
    let rows = [
        ("CA for", ca.host()),
        ("file", ca.full_path()),
        ("subject", ca.subject.clone()),
        ("may sign for", names),
        ("valid", format!("{} to {}{state}", date(ca.not_before), date(ca.not_after))),
        ("SHA-256", fingerprint(&ca.sha256)),
    ];
    for (name, value) in rows {
        let _ = writeln!(text, "{name:<14}{value}");
    }
    text.push('\n');
}

fn fill(command: &str, ca: &CaFacts, how: Quote) -> String {
    let nick = format!("finesse-tap-{}", ca.host());
    command
        .replace("{path}", &quoted(&ca.full_path(), how))
        .replace("{nick}", &quoted(&nick, how))
        .replace("{name}", &quoted(ca.common_name(), how))
}

/// A word that a shell takes as it is.
fn quoted(word: &str, how: Quote) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/\\:._-+~".contains(c);
    match how {
        Quote::Single if word.chars().all(|c| plain(c) && c != '\\' && c != '~') => word.to_owned(),
        Quote::Single => format!("'{}'", word.replace('\'', r"'\''")),
        Quote::Double if word.chars().all(plain) => word.to_owned(),
        Quote::Double => format!("\"{word}\""),
    }
}

/// As browsers and openssl show it: `5D:0F:…`.
fn fingerprint(hex: &str) -> String {
    let digits: Vec<char> = hex.to_uppercase().chars().collect();
    digits.chunks(2).map(|pair| pair.iter().collect::<String>()).collect::<Vec<_>>().join(":")
}

fn date(seconds: i64) -> String {
    let instant = jiff::Timestamp::from_second(seconds);
    instant.map_or_else(|_| format!("{seconds} s after 1970"), |at| at.strftime("%Y-%m-%d %H:%M UTC").to_string())
}

/// RFC 7468.
fn pem(der: &[u8]) -> String {
    let mut text = "-----BEGIN CERTIFICATE-----\n".to_owned();
    for (index, c) in STANDARD.encode(der).chars().enumerate() {
        if index > 0 && index % 64 == 0 {
            text.push('\n');
        }
        text.push(c);
    }
    text.push_str("\n-----END CERTIFICATE-----\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts_of(path: &Path) -> CaFacts {
        CaFacts {
            path: path.to_owned(),
            names: vec!["DNS:uccx.example.test".into(), "IP:127.0.0.0/8".into()],
            not_before: 1_767_225_600,
            not_after: 1_798_761_600,
            sha256: "5d0f".repeat(16),
            subject: "O=finesse-tap, CN=finesse-tap CA for uccx.example.test (this machine only)".into(),
        }
    }

    #[test]
    fn facts_and_every_platform_are_told() {
        let ca = facts_of(Path::new("/srv/my certs/uccx.example.test/ca.pem"));
        let text = describe(std::slice::from_ref(&ca), ca.not_before);
        for wanted in [
            "uccx.example.test",
            "DNS:uccx.example.test, IP:127.0.0.0/8",
            "2026-01-01 00:00 UTC to 2027-01-01 00:00 UTC\n",
            "5D:0F:5D:0F",
            "certutil -addstore -user Root \"",
            "certutil -delstore -user Root \"finesse-tap CA for uccx.example.test (this machine only)\"",
            "security add-trusted-cert",
            "update-ca-certificates",
            "update-ca-trust",
            ".pki/nssdb -A -t C,, -n finesse-tap-uccx.example.test",
            "Firefox",
        ] {
            assert!(text.contains(wanted), "{wanted} is missing in\n{text}");
        }
        assert!(!text.contains('{'), "{text}");
        assert!(describe(std::slice::from_ref(&ca), ca.not_after).contains("EXPIRED"));
    }

    #[test]
    fn words_survive_the_shell() {
        assert_eq!(quoted("/a b/it's", Quote::Single), r"'/a b/it'\''s'");
        assert_eq!(quoted(r"C:\certs\ca.pem", Quote::Double), r"C:\certs\ca.pem");
        assert_eq!(quoted("/plain/ca.pem", Quote::Single), "/plain/ca.pem");
    }

    #[test]
    fn an_export_holds_the_certificate_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("uccx.example.test");
        fs::create_dir(&folder).unwrap();
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = rcgen::CertificateParams::default().self_signed(&key).unwrap();
        // Somebody kept the key in the same file.
        fs::write(folder.join("ca.pem"), certificate.pem() + &key.serialize_pem()).unwrap();
        let out = dir.path().join("out");
        let written = export(&[facts_of(&folder.join("ca.pem"))], &out).unwrap();
        assert_eq!(written.len(), 3);
        for ending in ["pem", "crt"] {
            let text = fs::read_to_string(out.join(format!("finesse-tap-uccx.example.test.{ending}"))).unwrap();
            assert_eq!(text.lines().collect::<String>(), certificate.pem().lines().collect::<String>());
            assert!(text.lines().all(|line| line.len() <= 64));
        }
        let der = fs::read(out.join("finesse-tap-uccx.example.test.cer")).unwrap();
        assert_eq!(der, certificate.der().as_ref());
    }
}
