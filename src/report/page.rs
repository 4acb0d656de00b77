//! A report as a page: sections of typed pieces, before anybody decides how they look.
//!
//! [`compose`](super::compose) fills it, [`text`](super::text) and [`html`](super::html) dress it. A piece says what it is (a time, a
//! duration, a line of the capture, somebody's text), so that escaping, time zones and units have one place in each of them.

use super::model::{Evidence, Mark};

/// How good or bad something is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Tone {
    Good,
    Bad,
    Warn,
    Quiet,
}

/// A piece of what is told.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Piece {
    /// Text, ours or somebody else's.
    Text(String),
    /// Text that stands back.
    Quiet(String),
    /// Text with a verdict in it.
    Badge(Tone, String),
    /// A verdict alone.
    Symbol(Tone),
    /// A time of day with milliseconds, microseconds since 1970.
    Time(i64),
    /// A time of day in a sentence, to the second.
    Clock(i64),
    /// From when to when, days included.
    Range(i64, i64),
    /// How long, microseconds.
    Took(u64),
    /// A number of something.
    Count(u64),
    /// A line of the capture.
    Line(Mark),
    /// Text that leads to a section or problem of this name.
    To(String, String),
    /// A share of a whole, from and to between 0 and 1; drawn only.
    Bar(f64, f64),
}

impl From<&str> for Piece {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Piece {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Mark> for Piece {
    fn from(line: Mark) -> Self {
        Self::Line(line)
    }
}

/// Pieces that stand together: a cell, a sentence.
pub(super) type Cell = Vec<Piece>;

/// Makes a [`Cell`] of pieces and of what becomes one.
macro_rules! cell {
    ($($piece:expr),* $(,)?) => { vec![$($crate::report::page::Piece::from($piece)),*] };
}
pub(super) use cell;

/// What a column holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Words,
    /// To the right.
    Number,
    /// [`Piece::Time`] alone.
    Time,
    /// For the eye only.
    Drawn,
}

/// Rows of cells.
#[derive(Default, Debug)]
pub(super) struct Table {
    pub(super) title: String,
    pub(super) columns: Vec<(&'static str, Kind)>,
    pub(super) rows: Vec<Vec<Cell>>,
    /// Every row is told in text too.
    pub(super) is_whole: bool,
    /// Rows that the model left out.
    pub(super) left_out: u64,
}

/// A problem: what it was, how it went, what to do.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) anchor: String,
    pub(super) tone: Tone,
    pub(super) head: Cell,
    /// Its course in time.
    pub(super) course: Table,
    pub(super) advice: String,
    /// Whose lines its course names: a session by its index.
    pub(super) owner: Option<usize>,
    pub(super) notes: Vec<Cell>,
}

/// Whether a section shows what is in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fold {
    Open,
    /// Opens when it is asked for; where nothing opens, `brief` stands for it.
    Folded,
}

/// A part with a heading.
#[derive(Debug)]
pub(super) struct Section {
    pub(super) anchor: String,
    pub(super) title: Cell,
    pub(super) brief: Cell,
    pub(super) fold: Fold,
    /// The session it tells of, by its index.
    pub(super) owner: Option<usize>,
    pub(super) blocks: Vec<Block>,
}

/// How a paragraph is meant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Style {
    Plain,
    /// What a colleague would say.
    Story,
    /// What must be known to read the rest.
    Note,
    /// Numbers and the like.
    Quiet,
}

/// What a page is made of.
#[derive(Debug)]
pub(super) enum Block {
    Paragraph(Style, Cell),
    Facts(Vec<(&'static str, Cell)>),
    Verdict(Tone, Cell),
    Problem(Problem),
    Table(Table),
    /// The timeline of a session, by its index.
    Drawing(usize),
    /// Lines of the capture.
    Lines(Vec<Evidence>),
    Section(Section),
}

/// The page.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) title: Cell,
    /// The same for a window's title.
    pub(super) name: Cell,
    pub(super) blocks: Vec<Block>,
}
