//! What the codes mean that Finesse, its CTI server and XMPP answer with, and what to do about them.
//!
//! The data are one table, `table.txt`: its head says how a line is read. [`look_up`] finds one code of one list,
//! [`explain`] the best that is known about an error of the API, [`reason`] an agent's reason code, whose meaning depends on
//! the deployment. Sources: Cisco's Finesse developer guide, CTI server message reference and CTI OS manual, the UCCX CTI
//! protocol guide, RFCs 6120 and 6455, XEP-0124; the words are this project's own.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

const TABLE: &str = include_str!("table.txt");

/// A list of codes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum List {
    /// `ErrorType` of the REST API.
    Rest,
    /// Control failures of the CTI server (`CF_…`).
    Cti,
    /// Errors of the peripheral (`PERERR_…`).
    Peripheral,
    /// Task routing (`E_ARM_STAT_…`).
    Task,
    /// The connection to the CTI server (`E_CTI_…`).
    CtiLink,
    /// Reason codes of agent states at UCCE and PCCE.
    ReasonUcce,
    /// Reason codes of agent states at UCCX.
    ReasonUccx,
    /// SASL failures.
    Sasl,
    /// XMPP stream errors.
    Stream,
    /// XMPP stanza errors.
    Stanza,
    /// WebSocket close codes.
    Close,
    /// BOSH terminal conditions.
    Bosh,
}

impl List {
    /// In the order of the table, each with what stands in brackets above it.
    const ALL: [(Self, &'static str); 12] = [
        (Self::Rest, "rest"),
        (Self::Cti, "cti"),
        (Self::Peripheral, "peripheral"),
        (Self::Task, "task"),
        (Self::CtiLink, "ctilink"),
        (Self::ReasonUcce, "reason UCCE"),
        (Self::ReasonUccx, "reason UCCX"),
        (Self::Sasl, "sasl"),
        (Self::Stream, "stream"),
        (Self::Stanza, "stanza"),
        (Self::Close, "close"),
        (Self::Bosh, "bosh"),
    ];
}

/// What is told of an error that no list has.
pub const UNKNOWN: &str = "The server refused it with a code that is not in the dictionary.";

/// One code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry {
    /// What it is called, where that is not the code itself.
    pub name: Option<&'static str>,
    /// What happened: a sentence or two.
    pub meaning: &'static str,
    /// What to check or change, and where.
    pub remedy: Option<&'static str>,
}

static ENTRIES: LazyLock<HashMap<(List, String), Entry>> = LazyLock::new(|| {
    let mut entries = HashMap::new();
    for (list, keys, entry) in rows() {
        let names = entry.name.map(str::to_ascii_lowercase);
        for key in keys.split(' ').map(str::to_owned).chain(names) {
            // The first one that has a name keeps it.
            entries.entry((list, key)).or_insert(entry);
        }
    }
    entries
});

/// List, keys and entry of every line.
fn rows() -> impl Iterator<Item = (List, &'static str, Entry)> {
    let mut list = None;
    TABLE.lines().filter_map(move |line| {
        if let Some(head) = line.strip_prefix('[') {
            let name = head.split(']').next();
            list = List::ALL.iter().find(|(_, known)| Some(*known) == name).map(|(list, _)| *list);
            return None;
        }
        let mut parts = line.split('|').map(str::trim).filter(|_| !line.starts_with('#'));
        let keys = parts.next().filter(|keys| !keys.is_empty())?;
        let mut part = || parts.next().filter(|part| *part != "-");
        let (name, meaning, remedy) = (part(), part()?, part());
        Some((list?, keys, Entry { name, meaning, remedy }))
    })
}

/// Whether a sentence is a meaning or a remedy of an entry, to the letter: then it tells of nobody.
#[must_use]
pub fn says(sentence: &str) -> bool {
    static SENTENCES: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
        let told = |(_, _, entry): (_, _, Entry)| [Some(entry.meaning), entry.remedy];
        rows().flat_map(told).flatten().chain([UNKNOWN]).collect()
    });
    SENTENCES.contains(sentence)
}

/// What a code of a list means. Names are found as well as numbers, in either case.
#[must_use]
pub fn look_up(list: List, key: &str) -> Option<&'static Entry> {
    ENTRIES.get(&(list, key.trim().to_ascii_lowercase()))
}

/// An agent's reason code. The same number means different things at UCCE and UCCX: without knowing the deployment only
/// what one of them has, or both have alike, is told.
#[must_use]
pub fn reason(deployment: Option<&str>, code: &str) -> Option<&'static Entry> {
    let (ucce, uccx) = (look_up(List::ReasonUcce, code), look_up(List::ReasonUccx, code));
    match (deployment, ucce, uccx) {
        (Some("UCCX"), _, entry) | (Some(_), entry, _) => entry,
        (None, Some(one), Some(other)) => Some(one).filter(|_| one.name == other.name),
        (None, one, other) => one.or(other),
    }
}

/// An error as the API tells it, in an answer or an event.
#[derive(Clone, Copy, Debug, Default)]
pub struct ApiErrorTold<'t> {
    /// `errorType`.
    pub error_type: Option<&'t str>,
    /// `errorMessage`.
    pub message: Option<&'t str>,
    /// `errorData`.
    pub data: Option<&'t str>,
    /// `peripheralErrorCode`.
    pub peripheral_code: Option<&'t str>,
    /// Status of the answer.
    pub status: Option<u16>,
    /// First part of the resource: `User`, `Dialog` …
    pub object: Option<&'t str>,
}

/// The best that is known about an error: what is nearest to its cause comes first, the phone system's code before the CTI
/// server's, and that before the type and the status.
#[must_use]
pub fn explain(told: ApiErrorTold<'_>) -> Option<&'static Entry> {
    let peripheral = told.peripheral_code.filter(|code| *code != "-1");
    let message = told.message.unwrap_or_default();
    let by_name = || {
        look_up(List::Cti, message).or_else(|| look_up(List::Task, message)).or_else(|| look_up(List::CtiLink, message))
    };
    let kind: String = told.error_type.unwrap_or_default().to_ascii_lowercase().replace([' ', '_'], "");
    // Elsewhere errorData is what the request lacked, or whom it is about.
    let is_cti =
        matches!(&*kind, "calloperationfailure" | "genericerror" | "invaliddevice" | "devicebusy" | "invalidstate");
    let by_data = || if is_cti { look_up(List::Cti, told.data?) } else { None };
    let by_type = || {
        let object = told.object.and_then(|object| look_up(List::Rest, &format!("{kind}@{object}")));
        object.or_else(|| look_up(List::Rest, &kind))
    };
    let by_status = || match told.status? {
        401 => look_up(List::Rest, "unauthorized"),
        403 => look_up(List::Rest, "forbidden"),
        404 => look_up(List::Rest, "notfound"),
        503 => look_up(List::Rest, "serviceunavailable"),
        500.. => look_up(List::Rest, "internalservererror"),
        _ => None,
    };
    peripheral
        .and_then(|code| look_up(List::Peripheral, code))
        .or_else(by_name)
        .or_else(by_data)
        .or_else(by_type)
        .or_else(by_status)
}

/// The table as Markdown, for `docs/dictionary.md`.
#[must_use]
pub fn markdown() -> String {
    let mut out = String::from(HEAD);
    let mut in_table = false;
    for line in TABLE.lines().skip_while(|line| !line.starts_with('[')) {
        if let Some((_, title)) = line.strip_prefix('[').and_then(|line| line.split_once("] ")) {
            out.push_str(&format!("\n## {title}\n"));
            in_table = false;
        } else if let Some(note) = line.strip_prefix("# ") {
            out.push_str(&format!("\n{note}\n"));
        } else if !line.is_empty() {
            if !in_table {
                out.push_str("\n| code | name | meaning | what to do |\n|---|---|---|---|\n");
            }
            in_table = true;
            let cell = |part: &str| if part.trim() == "-" { String::new() } else { part.trim().to_owned() };
            let cells: Vec<String> = line.split('|').map(cell).collect();
            out.push_str(&format!("| {} |\n", cells.join(" | ").replace("  ", " ")));
        }
    }
    out
}

const HEAD: &str = "# Dictionary of codes\n\n\
    What the codes in findings, events and logs mean, and what to do about them. Made of the program's own table; the words are\n\
    ours, the codes Cisco's and the standards'. Findings and the report say the same by themselves.\n";

#[cfg(test)]
mod tests;
