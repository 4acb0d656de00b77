//! Names: how two of them compare, and what one says by itself about its value.
//!
//! Names are compared folded: letters and digits in lower case, so that `sessionId`, `session_id` and `SESSIONID` are one
//! name. A name that the table does not know is judged by its words: those of [`LONG`] anywhere in it, those of [`SHORT`]
//! as words of their own (`userPin`, `auth-key`, not `shipping`). Knows no values.

use super::Class;

/// Longest name that is looked at; no protocol's is longer.
pub const MAX_NAME_BYTES: usize = 64;

/// Words that make the value of an unknown name a credential or session wherever they stand in it. Folded.
pub const LONG: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "pwd",
    "token",
    "secret",
    "apikey",
    "credential",
    "authorization",
    "sessionid",
    "sessid",
    "session",
    "cookie",
    "signature",
    "ticket",
    "jwt",
    "assertion",
    "samlre",
    "relaystate",
    "uniqueid",
    "bearer",
];

/// The same, as words of their own.
pub const SHORT: &[&str] = &["auth", "cvc", "cvv", "key", "mfa", "otp", "pass", "pin", "sid", "sig", "previd", "puk"];

/// Words of [`LONG`] and [`SHORT`] that name a session.
const SESSION: [&str; 3] = ["session", "sessid", "cookie"];
const SHORT_SESSION: [&str; 2] = ["sid", "previd"];

/// A name as it is compared: letters and digits alone, in lower case.
#[must_use]
pub fn fold(name: &str) -> String {
    let local = name.rsplit_once(':').map_or(name, |(_, local)| local);
    local.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The words of a name: `newPassword`, `new-password` and `new_password` are two.
pub fn words(name: &str) -> impl Iterator<Item = &str> {
    name.split(|c: char| !c.is_alphanumeric()).flat_map(split_camel_case).filter(|word| !word.is_empty())
}

/// `UnknownIssuer` as its words; of capitals in a row the last begins a word if a small letter follows it.
pub fn split_camel_case(word: &str) -> impl Iterator<Item = &str> {
    let mut rest = word;
    std::iter::from_fn(move || {
        let bytes = rest.as_bytes();
        let is_end = |at: usize| {
            let at_char = |at: usize| bytes.get(at).copied().unwrap_or_default();
            let (before, now, next) = (at_char(at - 1), at_char(at), at_char(at + 1));
            now.is_ascii_uppercase() && (!before.is_ascii_uppercase() || next.is_ascii_lowercase())
        };
        let end = (1..bytes.len()).find(|at| is_end(*at)).unwrap_or(bytes.len());
        let (word, behind) = rest.split_at_checked(end)?;
        rest = behind;
        (!word.is_empty()).then_some(word)
    })
}

/// The class of a value by the words in its name alone, if they say that it opens something or names a session.
#[must_use]
pub fn secret(name: &str) -> Option<Class> {
    let folded = fold(name);
    if let Some(class) = plainly_secret(&folded) {
        return Some(class);
    }
    let class = |is_session| if is_session { Class::Session } else { Class::Credential };
    let is_short = |word: &str| SHORT.iter().find(|short| short.eq_ignore_ascii_case(word));
    let short = words(name).find_map(is_short).or_else(|| {
        // Written in one case without a sign between them: `userpin`.
        let ends = |short: &&&str| folded.ends_with(**short) && is_telling(&folded);
        SHORT.iter().find(ends)
    });
    short.map(|short| class(SHORT_SESSION.contains(short)))
}

/// The same by words of [`LONG`] alone, of a folded name.
#[must_use]
pub fn plainly_secret(folded: &str) -> Option<Class> {
    let word = LONG.iter().find(|word| folded.contains(**word))?;
    let opens = ["token", "secret", "password", "passwd", "key"].iter().any(|word| folded.contains(word));
    let is_session = SESSION.iter().any(|session| word.starts_with(session)) && !opens;
    Some(if is_session { Class::Session } else { Class::Credential })
}

/// Whether the name of a credential or session is made of words for such things and nothing else, so that the name itself
/// tells nothing: `x-csrf-token`, `newPassword`, not `ann.smith.password`.
#[must_use]
pub fn is_telling(name: &str) -> bool {
    const WORDS: &str = "access agent api apikey assertion auth authorization basic bearer call client code confirm cookie credential \
        credentials csrf current cvc cvv device digest expired finesse id j jsessionid jwt key login mfa new number oauth old otp \
        pass passcode passphrase passwd password php pin previd puk pw pwd refresh relaystate request reset rid saml samlrequest \
        samlresponse secret security sess session sid sig signature sso st state ticket token tokens type uniqueid user \
        verification x xsrf";
    if name.len() > MAX_NAME_BYTES {
        return false;
    }
    let known: Vec<&str> = WORDS.split_ascii_whitespace().collect();
    let lower = name.to_lowercase();
    lower.split(['-', '_', '.']).all(|part| {
        // Which beginnings of the part are words put together.
        let mut reached = vec![false; part.len() + 1];
        for end in 0..=part.len() {
            let from = |start: &usize| reached.get(*start) == Some(&true) || *start == 0;
            let word = |start: usize| known.contains(&part.get(start..end).unwrap_or_default());
            let is_reached = end == 0 || (0..end).filter(from).any(word);
            if let Some(place) = reached.get_mut(end) {
                *place = is_reached;
            }
        }
        reached.last() == Some(&true)
    })
}

/// What a credential is masked as, by its name.
#[must_use]
pub fn kind_of(name: &str) -> &'static str {
    const EXACT: [&str; 10] =
        ["basic", "bearer", "digest", "jwt", "negotiate", "ntlm", "pem", "sasl", "splunk", "userinfo"];
    let name = fold(name);
    let has = |part: &str| name.contains(part);
    if let Some(kind) = EXACT.iter().find(|kind| **kind == name) {
        return kind;
    }
    match &*name {
        _ if has("pass") || has("pwd") => "password",
        _ if ["pin", "otp", "cvv", "cvc", "puk", "mfa"].iter().any(|word| name.ends_with(word)) => "password",
        _ if has("token") || name == "st" => "token",
        _ if has("saml") || matches!(&*name, "relaystate" | "uniqueid" | "code" | "assertion" | "ticket") => "sso",
        _ if has("key") => "key",
        _ if name == "headers" || has("authorization") => "authorization",
        _ => "secret",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_name_in_any_spelling() {
        for name in ["sessionId", "session_id", "SESSIONID", "x:session-id"] {
            assert_eq!(fold(name), "sessionid");
        }
        assert_eq!(words("newXMLPassword_4a").collect::<Vec<_>>(), ["new", "XML", "Password", "4a"]);
    }

    #[test]
    fn words_in_a_name_say_secret() {
        for (name, class) in [
            ("userPin", Some(Class::Credential)),
            ("PIN", Some(Class::Credential)),
            ("userpin", Some(Class::Credential)),
            ("x-auth-key", Some(Class::Credential)),
            ("accessToken", Some(Class::Credential)),
            ("session_token", Some(Class::Credential)),
            ("sessionId", Some(Class::Session)),
            ("PHPSESSID", Some(Class::Session)),
            ("user.password", Some(Class::Credential)),
            ("shipping", None),
            ("author", None),
            ("keyboard", None),
            ("state", None),
        ] {
            assert_eq!(secret(name), class, "{name}");
        }
    }

    #[test]
    fn a_name_made_of_other_words_tells_something() {
        for name in ["password", "j_password", "x-csrf-token", "newpassword", "access_token", "idtoken", "jsessionid"] {
            assert!(is_telling(name), "{name}");
        }
        for name in ["annspassword", "x-zebra-token", "4711token", "ann.smith.password", &"token".repeat(20)] {
            assert!(!is_telling(name), "{name}");
        }
    }
}
