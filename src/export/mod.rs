//! Captures become files of other forms: a HAR, a pcapng, a transcript.
//!
//! Reads finished lines only, so that nothing gets into an export that is not in the capture. Holds one line at a time;
//! [`har()`] also 16 bytes per line, since a HAR wants the messages of a socket together. Torn and foreign lines are counted,
//! named and left out.

mod har;
mod line;
mod packet;
mod pcapng;
mod text;

pub use har::har;
pub use line::{Captures, Told};
pub use pcapng::pcapng;
pub use text::{Show, text};
