//! What the index answers is what the line itself would.

use super::index::{Index, Known};
use super::store::Place;
use crate::filter::{Filter, Owners};
use crate::stored::Read;
use crate::stored::view::Line;

const LINES: [&str; 3] = [
    include_str!("../../tests/playbook/login.ndjson"),
    include_str!("../../tests/playbook/rest.ndjson"),
    include_str!("../../tests/playbook/refused.ndjson"),
];

#[test]
fn the_index_answers_as_the_lines_do() {
    let lines: Vec<&str> = LINES.iter().flat_map(|text| text.lines()).collect();
    let (mut index, mut owners) = (Index::default(), Owners::default());
    for (number, text) in lines.iter().enumerate() {
        index.add(Place { source: 0, offset: number as u64, bytes: 0 }, text.as_bytes());
        owners.learn(&Read { text: text.as_bytes(), line: Line::read(text.as_bytes()).unwrap() });
    }
    assert_eq!(index.entries.len(), lines.len());
    let holds = |place: Place, folded: &str| lines[place.offset as usize].to_lowercase().contains(folded);
    let mut taken = 0;
    for expression in [
        "agent 1001",
        "agent 1001 and not kind connection",
        "session s1",
        "conn c1 or conn w1",
        "errors",
        "slow 3ms",
        "node User",
        "text \"not_ready\" and agent 1001",
        "not (kind update or text presence)",
        "run 01PLAYBOOK",
        "since 2026-01-15T09:12:40Z",
        "kind request errors",
    ] {
        let filter = Filter::parse(expression, 0).unwrap();
        for (text, entry) in lines.iter().zip(&index.entries) {
            let read = Read { text: text.as_bytes(), line: Line::read(text.as_bytes()).unwrap() };
            let known = Known { index: &index, entry, holds };
            let expected = filter.takes(&read, &owners);
            assert_eq!(filter.takes(&known, &index.known_owners), expected, "{expression}: {text}");
            taken += usize::from(expected);
        }
    }
    assert!(taken > lines.len(), "the questions ask for something");
}
