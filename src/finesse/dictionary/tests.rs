//! The table as a whole, what is found in it, and the page that is made of it (`UPDATE=1` writes it anew).

use super::*;
use std::collections::BTreeSet;

#[test]
fn every_line_of_the_table_is_read_once_and_whole() {
    let lines = TABLE.lines().filter(|line| line.contains('|') && !line.starts_with('#')).count();
    assert_eq!(rows().count(), lines);
    assert!(lines > 250, "the table is gone");
    let mut keys = BTreeSet::new();
    for (list, row, entry) in rows() {
        for key in row.split(' ') {
            assert!(keys.insert((format!("{list:?}"), key)), "{list:?} {key} stands twice");
            assert_eq!(key, key.to_ascii_lowercase(), "keys are in lower case");
        }
        for sentence in [Some(entry.meaning), entry.remedy].into_iter().flatten() {
            assert!(sentence.ends_with('.') && sentence.starts_with(|c: char| c.is_uppercase()), "{row}: {sentence}");
        }
    }
    for (list, name) in List::ALL {
        assert!(rows().any(|(known, ..)| known == list), "{name} is empty");
    }
}

#[test]
fn a_number_means_what_it_means_at_its_deployment() {
    let name = |deployment, code| reason(deployment, code).and_then(|entry| entry.name);
    assert_eq!(name(Some("UCCE"), "32767"), Some("Call Not Answered"));
    assert_eq!(name(Some("UCCX"), "32767"), Some("Relogon"));
    assert_eq!(name(None, "32767"), None);
    assert_eq!(name(None, "255"), Some("Connection Failure"));
    assert_eq!(name(None, "50002"), Some("Connection Failure"));
    assert_eq!(name(Some("UCCX"), "50002"), None);
    assert_eq!(name(None, "17"), None);
}

#[test]
fn the_nearest_to_the_cause_is_told() {
    let meaning = |told| explain(told).map_or("", |entry| entry.meaning);
    let error = ApiErrorTold {
        error_type: Some("Invalid Device"),
        message: Some("CF_GENERIC_UNSPECIFIED_REJECTION"),
        data: Some("70"),
        peripheral_code: Some("10125"),
        ..ApiErrorTold::default()
    };
    assert_eq!(meaning(error), "The extension has no device target.");
    let error = ApiErrorTold { peripheral_code: Some("-1"), ..error };
    assert!(meaning(error).contains("mostly the phone"));
    let busy = ApiErrorTold { error_type: Some("Call Operation Failure"), data: Some("34"), ..ApiErrorTold::default() };
    assert!(meaning(busy).contains("out of service"));
    let lacking = ApiErrorTold { error_type: Some("Parameter Missing"), data: Some("34"), ..ApiErrorTold::default() };
    assert!(meaning(lacking).contains("lacks a value"));
    let gone = ApiErrorTold { error_type: Some("Not Found"), object: Some("Dialog"), ..ApiErrorTold::default() };
    assert!(meaning(gone).contains("no such call"));
    let web_proxy = ApiErrorTold { status: Some(503), ..ApiErrorTold::default() };
    assert!(meaning(web_proxy).contains("out of service"));
    assert!(look_up(List::Sasl, "temporary-auth-failure").unwrap().meaning.contains("no wrong password"));
    assert!(look_up(List::Close, "1009").unwrap().meaning.contains("longer than"));
    assert_eq!(explain(ApiErrorTold::default()), None);
}

#[test]
fn the_page_is_made_of_the_table() {
    let path = "docs/dictionary.md";
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, markdown()).unwrap();
    }
    let page = std::fs::read_to_string(path).unwrap_or_default().replace("\r\n", "\n");
    assert!(page == markdown(), "{path} is not what the table says; UPDATE=1 rewrites it");
}
