//! What a row of the [table](super::table) says, and what follows from it: which finding makes another needless, and which
//! is another's symptom.

use super::fact::Fact;
use super::table::Code;

/// How much a person should care (`log.level`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Gravity {
    /// The agent cannot work, or soon will not.
    Error,
    /// Something is not as it should be.
    Warn,
}

/// Whom a finding concerns; repeats are counted for each of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    /// The agent in whose traffic it shows, or the connection while its agent is not known.
    Agent,
    /// Everybody who uses the server.
    Server,
    /// Whoever sits at that computer: it shows before an agent is known.
    Browser,
}

/// What the agent feels of it, the worst first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Trouble {
    /// The desktop lost its connection, or the agent was signed out.
    LostConnection,
    /// The agent cannot sign in, or not completely.
    CannotSignIn,
    /// State or call on the desktop is wrong, or comes not at all.
    WrongState,
    /// The server refused what the agent asked for.
    CallControl,
    /// It works, but slowly.
    Slow,
    /// Nothing that the agent feels.
    Odd,
}

impl Trouble {
    /// In words, as a report groups by it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LostConnection => "lost connection",
            Self::CannotSignIn => "cannot sign in",
            Self::WrongState => "wrong or late state",
            Self::CallControl => "request refused",
            Self::Slow => "slow",
            Self::Odd => "odd",
        }
    }
}

/// A row of the table.
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) gravity: Gravity,
    pub(super) scope: Scope,
    pub(super) trouble: Trouble,
    pub(super) title: &'static str,
    pub(super) advice: &'static str,
    pub(super) looks: &'static str,
    pub(super) facts: &'static [Fact],
    pub(super) silences: &'static [Code],
    pub(super) explains: &'static [Code],
}

impl Code {
    /// As the event stream writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.row().name
    }

    /// One line for a person.
    #[must_use]
    pub fn title(self) -> &'static str {
        self.row().title
    }

    /// What to do.
    #[must_use]
    pub fn advice(self) -> &'static str {
        self.row().advice
    }

    /// What it looks like on the wire.
    #[must_use]
    pub fn looks(self) -> &'static str {
        self.row().looks.trim_ascii()
    }

    /// How much it matters.
    #[must_use]
    pub fn gravity(self) -> Gravity {
        self.row().gravity
    }

    /// Whom it concerns.
    #[must_use]
    pub fn scope(self) -> Scope {
        self.row().scope
    }

    /// What the agent feels of it.
    #[must_use]
    pub fn trouble(self) -> Trouble {
        self.row().trouble
    }

    /// What it may be drawn from.
    #[must_use]
    pub fn facts(self) -> &'static [Fact] {
        self.row().facts
    }

    /// Whether it says why `other` happens, in the same session or, if it is the server's, in any: one story, not two.
    #[must_use]
    pub fn explains(self, other: Self) -> bool {
        self.row().explains.contains(&other)
    }

    /// The finding of this name.
    #[must_use]
    pub fn read(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == name)
    }
}

/// Some of the findings.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(in crate::session) struct Codes(u128);

const _: () = assert!(Code::ALL.len() <= u128::BITS as usize, "`Codes` has a bit for each");

impl Codes {
    /// Adds one.
    pub(in crate::session) fn insert(&mut self, code: Code) {
        self.0 |= 1 << code as u32;
    }

    /// Whether one of them says already what `code` would.
    pub(in crate::session) fn silence(self, code: Code) -> bool {
        Code::ALL.into_iter().any(|said| self.0 & (1 << said as u32) != 0 && said.row().silences.contains(&code))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_relations_no_circles() {
        for (index, code) in Code::ALL.into_iter().enumerate() {
            assert_eq!(Code::read(code.as_str()), Some(code));
            assert_eq!(code as usize, index);
            assert!(!code.explains(code) && !code.row().silences.contains(&code), "{code:?} explains itself");
            for symptom in Code::ALL.into_iter().filter(|symptom| code.explains(*symptom)) {
                assert!(!symptom.explains(code), "{code:?} and {symptom:?} explain each other");
                assert!(
                    symptom.scope() != Scope::Server || code.scope() == Scope::Server,
                    "{code:?} explains {symptom:?}"
                );
            }
        }
    }

    #[test]
    fn a_cause_silences_what_would_say_it_again() {
        let mut said = Codes::default();
        assert!(!said.silence(Code::LoginStopped));
        said.insert(Code::AuthRefused);
        assert!(said.silence(Code::LoginStopped));
        assert!(!said.silence(Code::EndedWithoutClose));
    }
}
