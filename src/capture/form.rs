//! The forms a secret may hide in: raw, base64 at any alignment, percent-encoded once and twice, XML entities, JSON
//! escapes.
//!
//! One list for all who search for known secrets: the leak guard in its lines, the scan in any file. Knows nothing of how
//! they search. No form is shorter than [`MIN_SECRET_BYTES`].

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// Shortest secret searched for at all, bytes.
pub const MIN_SECRET_BYTES: usize = 4;
/// From this length on a secret is searched for inside words, bytes.
pub const FREE_SECRET_BYTES: usize = 8;

/// Every spelling of a secret that could stand in a line; the first is the secret itself if it is long enough.
#[must_use]
pub fn forms(secret: &str) -> Vec<Vec<u8>> {
    let mut packed = vec![STANDARD.encode(secret), URL_SAFE_NO_PAD.encode(secret)];
    if secret.len() >= FREE_SECRET_BYTES {
        packed.extend((0..3).map(|pad| inner_base64(secret, pad)));
    }
    // Nearly all tokens: no escape changes them.
    if secret.bytes().all(|b| b.is_ascii_alphanumeric()) {
        packed.push(secret.to_owned());
        packed.retain(|form| form.len() >= MIN_SECRET_BYTES);
        return packed.into_iter().map(String::into_bytes).collect();
    }
    let percent = utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string();
    let twice = utf8_percent_encode(&percent, NON_ALPHANUMERIC).to_string();
    let json =
        |text: &str| serde_json::to_string(text).map(|quoted| quoted.trim_matches('"').to_owned()).unwrap_or_default();
    let mut forms = vec![secret.to_owned(), json(secret), percent.to_lowercase(), percent, twice.to_lowercase(), twice];
    // Writers of XML agree on escaping `&` and `<` in text, and on nothing else. An Update is escaped once more.
    for optional in ["", ">", ">\"", ">\"'"] {
        for text in [secret, &json(secret)] {
            let once: String = text.chars().map(|c| entity(c, optional)).collect();
            forms.push(once.replace('&', "&amp;"));
            forms.push(once);
        }
    }
    forms.append(&mut packed);
    // Whatever the form, the line is JSON: quotes and backslashes in it are escaped once more.
    let escaped: Vec<String> = forms.iter().map(|form| json(form)).collect();
    forms.extend(escaped);
    forms.retain(|form| form.len() >= MIN_SECRET_BYTES);
    forms.into_iter().map(String::into_bytes).collect()
}

fn entity(c: char, optional: &str) -> String {
    let name = match c {
        '&' => "amp",
        '<' => "lt",
        '>' if optional.contains(c) => "gt",
        '"' if optional.contains(c) => "quot",
        '\'' if optional.contains(c) => "apos",
        _ => return c.to_string(),
    };
    format!("&{name};")
}

/// The base64 characters that depend on `secret` alone when it stands behind `pad` unknown bytes (modulo 3).
fn inner_base64(secret: &str, pad: usize) -> String {
    let mut bytes = vec![0; pad];
    bytes.extend_from_slice(secret.as_bytes());
    let whole = bytes.len() / 3 * 4;
    let encoded = STANDARD_NO_PAD.encode(&bytes);
    let start = if pad == 0 { 0 } else { 4 };
    encoded.get(start..whole).unwrap_or_default().to_owned()
}
