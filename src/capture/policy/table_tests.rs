//! That every row is reached, and that the page made of the table is the committed one.

use super::*;

/// A row that another hides would be a promise that nobody keeps.
#[test]
fn every_entry_of_the_table_is_reached() {
    for row in ROWS {
        for name in row.names.split_ascii_whitespace() {
            let mut around: Vec<&str> = row.within.split_ascii_whitespace().collect();
            if around.is_empty() {
                around.push("");
            }
            for within in around {
                assert_eq!(find(row.place, within, name), Some(row.what), "{:?} {within}/{name}", row.place);
            }
        }
    }
}

#[test]
fn names_are_judged_in_any_spelling() {
    for (place, within, name, what) in [
        (Place::Member, "User", "id", What::Login),
        (Place::Member, "Dialog", "id", What::Number),
        (Place::Member, "", "from_address", What::Phone),
        (Place::Member, "CallVariable", "name", What::Variable),
        (Place::Member, "", "SESSIONID", What::Session),
        (Place::Member, "", "userPin", What::Credential),
        (Place::Member, "", "shipping", What::Unknown),
        (Place::Attribute, "resume", "x:previd", What::Session),
        (Place::Attribute, "enabled", "id", What::Session),
        (Place::Header, "", "X-Api-Key", What::Credential),
        (Place::Header, "", "X-Odd", What::Unknown),
        (Place::Pair, "", "access_token", What::Credential),
        (Place::Pair, "", "_", What::Word),
        (Place::Cookie, "", "odd", What::Session),
        (Place::Cookie, "", "finesse_ma_ann", What::Login),
        (Place::Matrix, "", "PHPSESSID", What::Session),
    ] {
        assert_eq!(judge(place, within, name), what, "{place:?} {within}/{name}");
    }
}

/// The page that users and auditors read is made of the table.
#[test]
fn redaction_md_has_this_table() {
    const PAGE: &str = "docs/redaction.md";
    let mut table = String::from("| place | within | class | read as | names |\n|---|---|---|---|---|\n");
    for row in ROWS {
        let within = if row.within.is_empty() { "*" } else { row.within };
        let names: Vec<String> = row.names.split_ascii_whitespace().map(|name| format!("`{name}`")).collect();
        let read = format!("{:?}", row.what).to_lowercase();
        let class = row.what.class().as_str();
        table += &format!("| {} | {within} | {class} | {read} | {} |\n", row.place.as_str(), names.join(" "));
    }
    let page = std::fs::read_to_string(PAGE).unwrap();
    let (before, rest) = page.split_once("redaction_md -->\n").unwrap();
    let (_, behind) = rest.split_once("<!-- end of table -->").unwrap();
    let made = format!("{before}redaction_md -->\n{table}<!-- end of table -->{behind}");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(PAGE, &made).unwrap();
    }
    assert!(
        page == made || std::env::var_os("UPDATE").is_some(),
        "{PAGE} is not made of the table; UPDATE=1 rewrites it"
    );
}
