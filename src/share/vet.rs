//! The last look at what is about to be handed over: whether anything that looks secret or personal is left in it.

use crate::capture::token::{is_token, is_token_address};
use regex::Regex;
use std::net::IpAddr;
use std::sync::LazyLock;

#[expect(clippy::expect_used, reason = "a constant pattern: it compiles or no test passes")]
static LOOKS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?x)
        (?P<credential> -----BEGIN\ [A-Z] | \beyJ[A-Za-z0-9_-]{10,}\. | \b(?i:basic|bearer)\ +[A-Za-z0-9+/_=-]{12,} )
      | (?P<mail> [A-Za-z0-9._%+-]+ @ [A-Za-z0-9-]+ (?: \.[A-Za-z0-9-]+ )+ )
      | (?: ^ | [^A-Za-z0-9/.] ) (?P<ip> [0-9]{1,3} (?: \.[0-9]{1,3} ){3} ) (?: $ | [^0-9.] )
    ",
    )
    .expect("constant")
});

/// What is left in a text that should not be, in words; `None` if it is fit to be handed over.
pub(super) fn vet(text: &str) -> Option<&'static str> {
    LOOKS.captures_iter(text).find_map(|hit| {
        if hit.name("credential").is_some() {
            return Some("a credential");
        }
        if let Some(mail) = hit.name("mail") {
            let domain = mail.as_str().rsplit('@').next().unwrap_or_default();
            let host = domain.rsplit('.').take(2).collect::<Vec<_>>();
            let token = match host.as_slice() {
                [last, host] => is_token(&format!("{host}.{last}")) || *last == "invalid",
                _ => false,
            };
            return (!token).then_some("an e-mail address or JID");
        }
        let address = hit.name("ip").and_then(|ip| ip.as_str().parse::<IpAddr>().ok())?;
        (!is_token_address(address)).then_some("an IP address")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_pass_and_the_real_thing_does_not() {
        for fit in [
            "u-0123456789@h-0123456789.invalid/desktop",
            "\"ip\":\"198.18.3.4\"",
            "Chrome/120.0.0.0 Safari",
            "Basic [cred:basic]",
        ] {
            assert_eq!(vet(fit), None, "{fit}");
        }
        for unfit in ["ann@example.test", "\"10.1.2.3\"", "eyJhbGciOiJub25lIn0.e30.", "Basic MTAwMTpwYXNzd29yZA=="] {
            assert!(vet(unfit).is_some(), "{unfit}");
        }
    }
}
