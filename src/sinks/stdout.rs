//! The event stream on standard output: the opening line, then NDJSON, no files and no rotation.
//!
//! A reader that goes away ends the sink, once and for all, and what follows counts as lost; any other failure (standard
//! output may be a file on a full disk) is tried again each second.

use super::pending::{CHUNK_BYTES, Pending};
use super::trouble::{BACK_OFF, Trouble};
use crate::bus::{Abandoned, LINGER, Receiver};
use crate::capture::Opening;
use crate::clock;
use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::path::Path;

/// What the operational log calls it.
const NAME: &str = "standard output";

/// The sink that hands the stream to another program.
#[derive(Debug)]
pub struct StdoutSink<W: Write = File> {
    output: W,
    pending: Pending,
    trouble: Trouble,
}

impl StdoutSink {
    /// On this program's standard output, past the library's own buffer, whose losses could not be counted.
    ///
    /// # Errors
    /// The system gives no second handle of it.
    pub fn new(opening: &Opening) -> io::Result<Self> {
        #[cfg(unix)]
        let handle = std::os::fd::AsFd::as_fd(&io::stdout()).try_clone_to_owned()?;
        #[cfg(windows)]
        let handle = std::os::windows::io::AsHandle::as_handle(&io::stdout()).try_clone_to_owned()?;
        Ok(Self::on(File::from(handle), opening))
    }
}

impl<W: Write> StdoutSink<W> {
    /// On any output.
    pub fn on(output: W, opening: &Opening) -> Self {
        let mut pending = Pending::default();
        pending.push_opening(&opening.line(clock::now(), 1));
        Self { output, pending, trouble: Trouble::default() }
    }

    /// Writes until the bus closes or nobody reads.
    pub fn run(mut self, receiver: &mut Receiver) {
        // Told to give up, or nobody reads: the receiver counts what is left.
        let _: Result<(), Abandoned> = self.write(receiver);
    }

    fn write(&mut self, receiver: &mut Receiver) -> Result<(), Abandoned> {
        self.flush(receiver)?;
        while let Some(items) = receiver.take() {
            for item in items {
                self.pending.push(item);
                if self.pending.len_bytes() >= CHUNK_BYTES {
                    self.flush(receiver)?;
                }
            }
            self.flush(receiver)?;
        }
        Ok(())
    }

    fn flush(&mut self, receiver: &mut Receiver) -> Result<(), Abandoned> {
        loop {
            let (lot, result) = self.pending.send(&mut self.output);
            receiver.written(&lot);
            match result {
                Ok(()) => {
                    self.trouble.end(Path::new(NAME));
                    return Ok(());
                }
                Err(error) if is_gone(&error) => {
                    tracing::warn!("nobody reads standard output any more; the capture ends, traffic flows");
                    receiver.stop();
                    return Err(Abandoned);
                }
                // A pipe set to non-blocking by whoever shares it is merely full.
                Err(error) if error.kind() == ErrorKind::WouldBlock => receiver.pause(LINGER)?,
                Err(error) => {
                    self.trouble.begin(Path::new(NAME), &error);
                    receiver.pause(BACK_OFF)?;
                }
            }
        }
    }
}

fn is_gone(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::{Bus, Done, Duty};
    use crate::capture::Record;
    use std::io::BufRead;
    use std::sync::Arc;
    use std::time::Duration;

    fn bus(output: impl Write + Send + 'static) -> Bus {
        let sink = StdoutSink::on(output, &Opening::for_test());
        let mut bus = Bus::new();
        bus.attach("stdout", Duty::Keep, 1 << 20, |receiver| sink.run(receiver)).unwrap();
        bus
    }

    fn publish(bus: &Bus, sequence: u64) {
        bus.publish(&Arc::new(Record::for_test(sequence, &format!("record {sequence}"))));
    }

    fn finish(bus: &Bus, deadline: Duration) -> Done {
        let done = bus.finish(deadline).pop().unwrap();
        assert!(done.returned);
        done
    }

    #[test]
    fn the_opening_comes_first_and_rotation_changes_nothing() {
        let (reader, writer) = io::pipe().unwrap();
        let bus = bus(writer);
        publish(&bus, 1);
        bus.rotate();
        publish(&bus, 2);
        let done = finish(&bus, Duration::from_secs(60));
        let lines: Vec<String> = io::BufReader::new(reader).lines().map(Result::unwrap).collect();
        assert!(lines[0].contains("log-opened") && lines[0].len() >= 1_023);
        assert_eq!(lines[1..], ["record 1", "record 2"]);
        assert_eq!((done.written.events, done.lost.events, done.files), (2, 0, 0));
    }

    #[test]
    fn a_reader_that_leaves_ends_the_sink_and_the_loss_is_counted() {
        let (reader, writer) = io::pipe().unwrap();
        let bus = bus(writer);
        let mut reader = io::BufReader::new(reader);
        publish(&bus, 1);
        let mut line = String::new();
        while line != "record 1\n" {
            line.clear();
            reader.read_line(&mut line).unwrap();
        }
        drop(reader);
        publish(&bus, 2);
        publish(&bus, 3);
        let done = finish(&bus, Duration::from_secs(60));
        assert_eq!((done.written.events, done.lost.events), (1, 2));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_behind_standard_output_is_tried_until_the_end() {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let bus = bus(full);
        publish(&bus, 1);
        let done = finish(&bus, Duration::ZERO);
        assert_eq!((done.written.events, done.lost.events), (0, 1));
    }
}
