//! The agents of the demo, and a list of everything about them that must never be found in a capture.
//!
//! Everything is derived from the agent's number, so that both ends and a test agree on it without talking. All of it is
//! invented; the passwords look like secrets only so that looking for them means something.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use std::fmt;

const FIRST_ID: u32 = 1001;
const FIRST_EXTENSION: u32 = 2001;
const FIRST_NAMES: [&str; 10] = ["Alma", "Bruno", "Carla", "Dario", "Edda", "Falk", "Gesa", "Hanno", "Ines", "Jaro"];
const LAST_NAMES: [&str; 7] = ["Example", "Sample", "Muster", "Demosen", "Trial", "Placeholder", "Specimen"];

/// Somebody who can sign in. `Debug` shows the id only.
#[derive(Clone)]
pub struct Agent {
    /// Login id, also the localpart of the JID: `1001`.
    pub id: String,
    /// Password for Basic and SASL PLAIN.
    pub password: String,
    /// The phone to sign in with: `2001`.
    pub extension: String,
    /// First and last name.
    pub name: String,
}

impl Agent {
    /// Bare JID at `host`.
    #[must_use]
    pub fn jid(&self, host: &str) -> String {
        format!("{}@{host}", self.id)
    }

    /// The `Authorization` value of every REST call (RFC 7617).
    #[must_use]
    pub fn basic(&self) -> String {
        format!("Basic {}", STANDARD.encode(format!("{}:{}", self.id, self.password)))
    }

    /// The SASL PLAIN message (RFC 4616) as the desktop sends it: with the bare JID as authorization identity.
    #[must_use]
    pub fn sasl_plain(&self, host: &str) -> String {
        STANDARD.encode(format!("{}\0{}\0{}", self.jid(host), self.id, self.password))
    }

    /// The `JSESSIONID` the server gives this agent: 32 hexadecimal digits, as Tomcat's.
    #[must_use]
    pub fn session_cookie(&self) -> String {
        format!("DE305E551040000{:0>8}0C00C1E5A", self.id)
    }
}

impl fmt::Debug for Agent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Agent").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The first `count` agents: 1001 at extension 2001, 1002 at 2002, and so on.
#[must_use]
pub fn agents(count: u16) -> Vec<Agent> {
    let name = |list: &[&str], n: u32| {
        list.iter().cycle().nth(n as usize % list.len()).copied().unwrap_or_default().to_owned()
    };
    (0..u32::from(count))
        .map(|n| Agent {
            id: (FIRST_ID + n).to_string(),
            password: format!("Demo-Secret-{}!", FIRST_ID + n),
            extension: (FIRST_EXTENSION + n).to_string(),
            name: format!("{} {}", name(&FIRST_NAMES, n), name(&LAST_NAMES, n)),
        })
        .collect()
}

/// A text that goes over the wire and must not come out of a capture. No `Debug`.
#[derive(Clone)]
pub struct Secret {
    /// Whose and what it is, safe to print: `1001 basic`.
    pub what: String,
    /// The text to look for.
    pub text: String,
}

/// Every credential these agents send or receive at `host`, in each form it travels in, and each password also in the
/// forms a decoder might turn it into: base64 at any alignment, percent-encoded once and twice, hexadecimal.
#[must_use]
pub fn secrets(agents: &[Agent], host: &str) -> Vec<Secret> {
    agents
        .iter()
        .flat_map(|agent| {
            let percent = agent.password.replace('!', "%21");
            let basic = agent.basic();
            let mut forms = vec![
                ("password, percent-encoded twice", percent.replace('%', "%25")),
                ("password, percent-encoded", percent),
                ("password, as XML", agent.password.replace('!', "&#33;")),
                ("password, hexadecimal", agent.password.bytes().map(|b| format!("{b:02x}")).collect()),
                ("password", agent.password.clone()),
                ("basic", basic.trim_start_matches("Basic ").trim_end_matches('=').to_owned()),
                ("sasl plain", agent.sasl_plain(host).trim_end_matches('=').to_owned()),
                ("session cookie", agent.session_cookie()),
            ];
            forms.extend((0..3).map(|before| ("password, base64", base64_core(&agent.password, before))));
            forms.into_iter().map(|(what, text)| Secret { what: format!("{} {what}", agent.id), text })
        })
        .collect()
}

/// The part of `text`'s base64 that stays the same whatever surrounds it, if `before` bytes (modulo 3) go before it.
fn base64_core(text: &str, before: usize) -> String {
    let mut bytes = vec![0_u8; before];
    bytes.extend_from_slice(text.as_bytes());
    let shared_at_start = [0, 2, 3].get(before).copied().unwrap_or_default();
    let shared_at_end = usize::from(!bytes.len().is_multiple_of(3));
    let encoded = STANDARD_NO_PAD.encode(&bytes);
    let end = encoded.len().saturating_sub(shared_at_end);
    encoded.get(shared_at_start..end).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_found_in_base64_wherever_it_stands() {
        let agents = agents(1);
        let cores: Vec<Secret> =
            secrets(&agents, "h.test").into_iter().filter(|s| s.what == "1001 password, base64").collect();
        assert_eq!(cores.len(), 3);
        for (before, after) in [("", ""), ("a", "b"), ("ab", "c"), ("abc", "de"), ("abcd", "e"), ("abcde", "")] {
            let whole = STANDARD.encode(format!("{before}{}{after}", agents[0].password));
            assert!(cores.iter().any(|core| whole.contains(&core.text)), "missed after {before:?}");
        }
    }

    #[test]
    fn agents_differ_and_debug_keeps_quiet() {
        let agents = agents(300);
        let ids: std::collections::BTreeSet<_> = agents.iter().map(|a| (&a.id, &a.password, &a.extension)).collect();
        assert_eq!(ids.len(), 300);
        assert_eq!(agents[19].session_cookie().len(), 32);
        assert!(!format!("{:?}", agents[0]).contains("Secret"));
    }
}
