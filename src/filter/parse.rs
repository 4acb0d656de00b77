//! An expression becomes terms. What is wrong is told with its place and with what is allowed there.

use super::time::{duration_us, time_us};
use super::{Kind, Term, bare};
use std::fmt;

/// Parentheses and `not` within one another.
const MAX_DEPTH: usize = 64;
/// Longest expression, bytes.
const MAX_BYTES: usize = 16 << 10;
const WORDS: &str =
    "agent, session, run, conn, kind, errors, slow, node, text, since, until, not, ( or a text in quotes";

/// Why an expression is none.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wrong {
    text: String,
    /// Characters before the place.
    column: usize,
    why: String,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { text, column, why } = self;
        write!(f, "{why}, at character {} of: {text}", column + 1)
    }
}

impl std::error::Error for Wrong {}

#[derive(PartialEq, Eq, Clone, Debug)]
enum Token {
    Open,
    Close,
    Word(String),
    Quoted(String),
}

struct Parser<'t> {
    text: &'t str,
    /// With the place of each, in characters.
    tokens: std::iter::Peekable<std::vec::IntoIter<(usize, Token)>>,
    end: usize,
    now_us: i64,
}

/// `None` where nothing is asked.
pub(super) fn parse(text: &str, now_us: i64) -> Result<Option<Term>, Wrong> {
    let wrong = |column, why: &str| Wrong { text: text.to_owned(), column, why: why.to_owned() };
    if text.len() > MAX_BYTES {
        return Err(Wrong { text: "…".into(), column: 0, why: format!("a filter has at most {MAX_BYTES} bytes") });
    }
    let tokens = tokens(text).map_err(|(column, why)| wrong(column, why))?;
    if tokens.is_empty() {
        return Ok(None);
    }
    let mut parser = Parser { text, tokens: tokens.into_iter().peekable(), end: text.chars().count(), now_us };
    let term = parser.any(0)?;
    match parser.tokens.next() {
        None => Ok(Some(term)),
        Some((column, _)) => Err(wrong(column, "this ) closes nothing")),
    }
}

fn tokens(text: &str) -> Result<Vec<(usize, Token)>, (usize, &'static str)> {
    let mut tokens = Vec::new();
    let mut chars = text.chars().enumerate().peekable();
    while let Some((at, c)) = chars.next() {
        let token = match c {
            c if c.is_whitespace() => continue,
            '(' => Token::Open,
            ')' => Token::Close,
            '"' => {
                let mut quoted = String::new();
                loop {
                    match chars.next() {
                        Some((_, '"')) => break Token::Quoted(quoted),
                        Some((_, '\\')) => quoted.extend(chars.next().map(|(_, c)| c)),
                        Some((_, c)) => quoted.push(c),
                        None => return Err((at, "these quotes are not closed")),
                    }
                }
            }
            c => {
                let mut word = String::from(c);
                while let Some((_, c)) = chars.next_if(|(_, c)| !c.is_whitespace() && !matches!(c, '(' | ')' | '"')) {
                    word.push(c);
                }
                Token::Word(word)
            }
        };
        tokens.push((at, token));
    }
    Ok(tokens)
}

impl Parser<'_> {
    fn wrong(&self, column: usize, why: impl Into<String>) -> Wrong {
        Wrong { text: self.text.to_owned(), column, why: why.into() }
    }

    fn next_is(&mut self, word: &str) -> bool {
        self.tokens
            .next_if(|(_, token)| matches!(token, Token::Word(found) if found.eq_ignore_ascii_case(word)))
            .is_some()
    }

    fn any(&mut self, depth: usize) -> Result<Term, Wrong> {
        let mut terms = vec![self.all(depth)?];
        while self.next_is("or") {
            terms.push(self.all(depth)?);
        }
        Ok(one_or(terms, Term::Any))
    }

    fn all(&mut self, depth: usize) -> Result<Term, Wrong> {
        let mut terms = vec![self.one(depth)?];
        loop {
            let is_next = match self.tokens.peek() {
                None | Some((_, Token::Close)) => false,
                Some((_, Token::Word(word))) if word.eq_ignore_ascii_case("or") => false,
                Some(_) => true,
            };
            if !is_next {
                return Ok(one_or(terms, Term::All));
            }
            self.next_is("and");
            terms.push(self.one(depth)?);
        }
    }

    fn one(&mut self, depth: usize) -> Result<Term, Wrong> {
        let Some((column, token)) = self.tokens.next() else {
            return Err(self.wrong(self.end, format!("something is missing: {WORDS}")));
        };
        if depth > MAX_DEPTH {
            return Err(self.wrong(column, "too many parentheses within one another"));
        }
        let word = match token {
            Token::Open => {
                let term = self.any(depth + 1)?;
                return match self.tokens.next() {
                    Some((_, Token::Close)) => Ok(term),
                    _ => Err(self.wrong(column, "this ( is not closed")),
                };
            }
            Token::Close => return Err(self.wrong(column, format!("`)` says nothing here: {WORDS}"))),
            Token::Quoted(text) => return Ok(Term::Text(text.to_lowercase())),
            Token::Word(word) => word.to_lowercase(),
        };
        Ok(match &*word {
            "not" => Term::Not(Box::new(self.one(depth + 1)?)),
            "errors" => Term::Errors,
            "agent" | "user" => Term::Agent(bare(&self.value(column, "agent 1001")?.1)),
            "session" => Term::Session(self.value(column, "session s3")?.1),
            "run" => Term::Run(self.value(column, "run 01KA9S3Q")?.1),
            "conn" => Term::Conn(self.value(column, "conn c7")?.1),
            "node" => Term::Node(self.value(column, "node Team")?.1.to_lowercase()),
            "text" => Term::Text(self.value(column, "text \"NOT_READY\"")?.1.to_lowercase()),
            "kind" => {
                let (at, kind) = self.value(column, "kind update")?;
                Term::Kind(Kind(self.kind(at, &kind)?))
            }
            "slow" => {
                let (at, text) = self.value(column, "slow 500ms")?;
                let limit = duration_us(&text);
                Term::SlowUs(limit.ok_or_else(|| self.wrong(at, format!("`{text}` is no time such as 500ms or 2s")))?)
            }
            "since" | "until" => {
                let (at, text) = self.value(column, &format!("{word} 1h"))?;
                let at_us = time_us(&text, self.now_us).map_err(|why| self.wrong(at, why))?;
                if word == "since" { Term::SinceUs(at_us) } else { Term::UntilUs(at_us) }
            }
            "and" | "or" => return Err(self.wrong(column, format!("`{word}` joins two terms: {WORDS}"))),
            _ => return Err(self.wrong(column, format!("`{word}` is no word of a filter: {WORDS}"))),
        })
    }

    /// A family, or an action as it is written.
    fn kind(&self, at: usize, kind: &str) -> Result<String, Wrong> {
        let kind = kind.to_lowercase();
        if kind.contains('-') || Kind::FAMILIES.iter().any(|(family, _)| *family == kind) {
            return Ok(kind);
        }
        if let Some(one) = kind.strip_suffix('s').filter(|one| Kind::FAMILIES.iter().any(|(family, _)| family == one)) {
            return Ok(one.to_owned());
        }
        let families: Vec<&str> = Kind::FAMILIES.iter().map(|(family, _)| *family).collect();
        let allowed = families.join(", ");
        Err(self.wrong(at, format!("`{kind}` is no kind: {allowed}, or an event.action such as http-exchange")))
    }

    fn value(&mut self, column: usize, example: &str) -> Result<(usize, String), Wrong> {
        match self.tokens.next() {
            Some((at, Token::Word(text) | Token::Quoted(text))) if !text.is_empty() => Ok((at, text)),
            _ => Err(self.wrong(column, format!("something is missing behind this word, as in `{example}`"))),
        }
    }
}

fn one_or(mut terms: Vec<Term>, several: fn(Vec<Term>) -> Term) -> Term {
    match terms.pop() {
        Some(one) if terms.is_empty() => one,
        last => {
            terms.extend(last);
            several(terms)
        }
    }
}
