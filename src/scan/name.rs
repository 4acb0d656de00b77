//! What a name says about its value: field, element, attribute, header, cookie and parameter names, in any spelling.
//!
//! Credentials and sessions are asked of the redaction policy, so that both know the same names; persons, telephones,
//! customers and infrastructure are the names of Finesse's REST API and of our own events. Knows no values.

use crate::capture::policy::{Class, Place, What, name, table};

/// Longest name that is looked up, bytes.
pub(super) const MAX_NAME_BYTES: usize = 64;

/// What a value must be by its name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Named {
    /// Its class.
    pub class: Class,
    /// As reports write it.
    pub kind: &'static str,
}

/// How a name and its value are written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    /// An element, an attribute, a JSON member, or a header.
    Member,
    /// `?name=value` or `&name=value`.
    Parameter,
    /// `Cookie: name=value`, a member of a list of cookies.
    Cookie,
}

impl Written {
    /// A member of this name and parent. In a list of cookies it is one, unless it describes one (HAR 1.2).
    pub(super) fn below(parent: &[u8], name: &[u8]) -> Self {
        const DESCRIBE: [&[u8]; 8] =
            [b"name", b"path", b"domain", b"expires", b"httpOnly", b"secure", b"sameSite", b"comment"];
        let is_cookie = parent.eq_ignore_ascii_case(b"cookies") && !DESCRIBE.contains(&name);
        if is_cookie { Self::Cookie } else { Self::Member }
    }
}

/// What `name` below `parent` (or nothing) says.
pub(super) fn named(parent: &[u8], name: &[u8], written: Written) -> Option<Named> {
    if name.is_empty() || name.len() > MAX_NAME_BYTES {
        return None;
    }
    let lower = String::from_utf8_lossy(name).to_ascii_lowercase();
    let place = match written {
        Written::Member => Place::Member,
        Written::Parameter => Place::Pair,
        Written::Cookie => Place::Cookie,
    };
    // A list of cookies is looked at cookie by cookie.
    let class = match &*lower {
        "cookie" | "set-cookie" => return None,
        _ if place == Place::Cookie => table::judge(place, "", &lower).class(),
        _ => match table::find(place, "", &lower).map(What::class) {
            None | Some(Class::Unknown) => name::plainly_secret(&name::fold(&lower)).unwrap_or(Class::Unknown),
            Some(class) => class,
        },
    };
    match class {
        Class::Credential if !is_about_credentials(&lower) => {
            return Some(Named { class, kind: name::kind_of(&lower) });
        }
        Class::Session => return Some(Named { class, kind: "session-id" }),
        _ => {}
    }
    let squeezed: String = lower.chars().filter(char::is_ascii_alphanumeric).collect();
    let (class, kind) = match &*squeezed {
        "firstname" | "lastname" | "fullname" | "displayname" | "nickname" | "agentname" | "customername" => {
            (Class::Person, "person-name")
        }
        "loginid" | "loginname" | "username" | "userid" | "user" | "agentid" | "agentlogin" | "ccusername" => {
            (Class::Person, "login")
        }
        "name" | "id" if parent.eq_ignore_ascii_case(b"user") => (Class::Person, "login"),
        "email" | "emailaddress" | "mail" => (Class::Person, "email"),
        "extension" | "fromaddress" | "toaddress" | "dnis" | "ani" | "dialednumber" | "dialeddigits"
        | "mediaaddress" | "callednumber" | "callingnumber" | "callerid" | "phonenumber" | "phone" | "telephone"
        | "agentextension" | "agentinstrument" | "instrument" | "mobile" | "mobilenumber" | "callbacknumber"
        | "finesseagextension" | "deviceaddress" => (Class::Phone, "phone"),
        // Devices of CTI events: callingDeviceID, calledDeviceID, alertingDeviceID … (the desktop's own id is no telephone).
        _ if squeezed.ends_with("deviceid") && !squeezed.starts_with("active") => (Class::Phone, "phone"),
        "address" if parent.eq_ignore_ascii_case(b"participants") => (Class::Phone, "phone"),
        "teamname" | "queuename" | "skillgroupname" => (Class::Infrastructure, "team-or-queue"),
        "name" if is_any(parent, &[b"thing", b"team", b"queue"]) => (Class::Infrastructure, "team-or-queue"),
        "host" | "hostname" | "domain" | "xmppdomain" | "xmpppubsubdomain" | "servername" | "sni" | "ip"
        | "serveripaddress" | "remoteaddress" | "clientip" => (Class::Infrastructure, "host"),
        "wrapupreason" | "wrapupitem" | "peripheraltext" => (Class::Customer, "customer-data"),
        "value" if parent.eq_ignore_ascii_case(b"callvariable") => (Class::Customer, "customer-data"),
        _ if is_call_variable(&squeezed) => (Class::Customer, "customer-data"),
        _ => return None,
    };
    Some(Named { class, kind })
}

/// Whether the values under this name look random and are known to be harmless: digests, our own identifiers, nonces
/// of the WebSocket handshake (RFC 6455 section 4.1).
pub(super) fn is_random_by_nature(parent: &[u8], name: &[u8]) -> bool {
    const NAMES: [&[u8]; 11] = [
        b"ver",
        b"etag",
        b"integrity",
        b"fingerprint",
        b"request_id",
        b"requestid",
        b"key_id",
        b"run",
        b"sec-websocket-key",
        b"sec-websocket-accept",
        b"cipher",
    ];
    const PARENTS: [&[u8]; 5] = [b"trace", b"transaction", b"span", b"event", b"hash"];
    is_any(name, &NAMES)
        || contains(name, b"sha256")
        || contains(name, b"sha1")
        || is_any(name, &[b"id", b"sha256"]) && is_any(parent, &PARENTS)
}

/// Names that hold a credential's word and tell about credentials instead of being one.
fn is_about_credentials(lower: &str) -> bool {
    const ENDS: [&str; 11] =
        ["type", "expires", "expires_in", "expiry", "uri", "url", "endpoint", "length", "count", "policy", "mode"];
    ENDS.iter().any(|end| lower.ends_with(end))
}

fn is_call_variable(squeezed: &str) -> bool {
    let digits = |prefix| squeezed.strip_prefix(prefix).is_some_and(|rest| rest.parse::<u8>().is_ok());
    digits("callvariable") || digits("cv")
}

fn is_any(name: &[u8], names: &[&[u8]]) -> bool {
    names.iter().any(|other| other.eq_ignore_ascii_case(name))
}

fn contains(name: &[u8], part: &[u8]) -> bool {
    name.windows(part.len()).any(|window| window.eq_ignore_ascii_case(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_classes_in_any_spelling() {
        for (parent, name, expected) in [
            ("", "fromAddress", Some("phone")),
            ("", "from_address", Some("phone")),
            ("", "DNIS", Some("phone")),
            ("participants", "address", Some("phone")),
            ("", "address", None),
            ("user", "name", Some("login")),
            ("", "name", None),
            ("", "j_password", Some("password")),
            ("", "access_token", Some("token")),
            ("", "token_type", None),
            ("", "passwordPolicy", None),
            ("", "JSESSIONID", Some("session-id")),
            ("", "callVariable7", Some("customer-data")),
            ("", "state", None),
            ("", "server_name", Some("host")),
            ("", "callingDeviceID", Some("phone")),
            ("", "agentInstrument", Some("phone")),
            ("", "activeDeviceId", None),
        ] {
            let said = named(parent.as_bytes(), name.as_bytes(), Written::Member).map(|named| named.kind);
            assert_eq!(said, expected, "{parent} {name}");
        }
        assert!(named(b"", b"sig", Written::Parameter).is_some());
        assert!(named(b"", b"sig", Written::Member).is_none());
        assert!(is_random_by_nature(b"", b"policy_sha256") && is_random_by_nature(b"trace", b"id"));
        assert!(!is_random_by_nature(b"", b"id"));
    }
}
