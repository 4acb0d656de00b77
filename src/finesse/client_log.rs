//! A desktop's log as it is uploaded (`POST …/ClientLog`): counted, never told.
//!
//! The log holds the POST bodies and events of a whole shift, passwords among them. What is taken of it are counts and the
//! times of its lines, which stand in front: `2026-11-30T21:10:14.103 +01:00: `.

/// An uploaded log in numbers.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ClientLog {
    /// Lines with text in them.
    pub lines: u64,
    /// The first time stamp.
    pub first: Option<String>,
    /// The last time stamp.
    pub last: Option<String>,
    /// Lines that tell of a lost connection.
    pub disconnects: u64,
    /// Lines that tell of an answer with a status of 400 and above.
    pub failures: u64,
}

impl ClientLog {
    /// Reads an upload's content as it is on the wire, be it XML around the log or the log alone.
    #[must_use]
    pub fn read(content: &str) -> Self {
        let mut log = Self::default();
        for line in content.lines().filter(|line| !line.trim().is_empty()) {
            log.lines += 1;
            if let Some(stamp) = stamp(line) {
                if log.first.is_none() {
                    log.first = Some(stamp.to_owned());
                }
                log.last = Some(stamp.to_owned());
            }
            log.disconnects += u64::from(line.contains("Connection status: disconnected"));
            log.failures += u64::from(is_failure(line));
        }
        log.last = log.last.take().map(|stamp| stamp.replace(' ', ""));
        log.first = log.first.take().map(|stamp| stamp.replace(' ', ""));
        log
    }
}

/// `Returned with status=404`.
fn is_failure(line: &str) -> bool {
    let status = line.split_once("Returned with status=").map(|(_, status)| status);
    status
        .and_then(|status| status.get(..3))
        .and_then(|status| status.parse().ok())
        .is_some_and(|status: u16| status >= 400)
}

/// The time in front of a line, behind the tags that open the document.
fn stamp(line: &str) -> Option<&str> {
    const LENGTH: usize = "2026-11-30T21:10:14.103 +01:00".len();
    let start = line.find(|c: char| c.is_ascii_digit())?;
    let before = line.get(..start)?.trim_end();
    let stamp = line.get(start..start + LENGTH)?;
    let is_stamp = stamp.bytes().zip(b"dddd-dd-ddTdd:dd:dd.ddd +dd:dd").all(|(found, form)| match form {
        b'd' => found.is_ascii_digit(),
        b'+' => matches!(found, b'+' | b'-'),
        form => found == *form,
    });
    (is_stamp && (before.is_empty() || before.ends_with('>'))).then_some(stamp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_counted() {
        let content = "<ClientLog><logData>2026-11-30T21:10:14.103 +01:00: a1B2c3: fin1.example.test: Nov 30 2026 15:10:14.350 \
            -0500: desktop : User: requestId='u', Returned with status=404, content='x'\n\
            2026-11-30T21:10:15.000 -01:00: a1B2c3: fin1: MasterPublisher._connInfoHandler() - Connection status: disconnected\n\
            \n   POST_DATA='&lt;User>' 2026-11-30T21:10:16.000 +01:00\n\
            2026-11-30T21:10:17.000 +01:00: Returned with status=202\n</logData></ClientLog>\n";
        let expected = ClientLog {
            lines: 5,
            first: Some(String::from("2026-11-30T21:10:14.103+01:00")),
            last: Some(String::from("2026-11-30T21:10:17.000+01:00")),
            disconnects: 1,
            failures: 1,
        };
        assert_eq!(ClientLog::read(content), expected);
        assert_eq!(ClientLog::read(""), ClientLog::default());
        assert_eq!(ClientLog::read("2026-11-30T21:10:17.000 +0é"), ClientLog { lines: 1, ..ClientLog::default() });
    }
}
