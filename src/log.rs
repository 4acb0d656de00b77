//! The operational log: what `tracing` is told goes to standard error, as text or JSON.
//!
//! It tells how the program fares, never what passes through it. Libraries are held at info whatever the filter says,
//! because some print traffic below that (hyper its heads, tungstenite its messages): nothing gets around the redactor.

use anstream::{AutoStream, ColorChoice};
use std::io;
use std::sync::OnceLock;
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::filter::{EnvFilter, FilterExt as _, filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, Registry, fmt, registry, reload};

/// How the operational log is written, and how much.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Log {
    /// The form of its lines.
    pub format: Format,
    /// What is told, in the syntax of [`EnvFilter`]; checked by [`check`].
    pub filter: String,
}

impl Default for Log {
    fn default() -> Self {
        Self { format: Format::Text, filter: "info".to_owned() }
    }
}

/// The form of the operational log's lines.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// For people; coloured on a terminal unless `NO_COLOR` is set.
    Text,
    /// One JSON object a line.
    Json,
}

impl Format {
    /// Each, the default first.
    pub const ALL: [Self; 2] = [Self::Text, Self::Json];

    /// As the option takes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
        }
    }
}

/// The filter of the log that was started.
static FILTER: OnceLock<Handle> = OnceLock::new();

/// Changes a filter in use.
type Handle = reload::Handle<EnvFilter, Registry>;

/// Starts the operational log of this process. A second call changes nothing.
pub fn start(log: &Log) {
    let choice = AutoStream::choice(&io::stderr());
    let colour = if choice == ColorChoice::Never { Colour::Off } else { Colour::On };
    // A Windows console takes escape sequences only if it is asked to, and an old one never does.
    let (subscriber, filter) = subscriber(log, colour, move || AutoStream::new(io::stderr(), choice));
    // Only a second call fails.
    if subscriber.try_init().is_ok() {
        let _ = FILTER.set(filter);
    }
}

/// Tells from now on what `filter` says, which [`check`] has found good.
pub fn refilter(filter: &str) {
    if let Some(handle) = FILTER.get() {
        // It fails only if the log is gone.
        let _ = handle.reload(EnvFilter::builder().parse_lossy(filter));
    }
}

/// Whether a filter can be used.
///
/// # Errors
/// Why it cannot.
pub fn check(filter: &str) -> Result<(), String> {
    let wrong = |why: &str| {
        format!(
            "`{filter}` is not a filter ({why}): write a level, or modules with levels as in info,finesse_tap=debug"
        )
    };
    // A word alone would be a module, of which everything is told: of one that is none, nothing, not even errors.
    let words = filter.split(',').map(str::trim).filter(|word| !word.is_empty() && !word.contains(['=', '[', ':']));
    for word in words {
        if word.parse::<tracing::metadata::LevelFilter>().is_err() && word != "finesse_tap" {
            return Err(wrong(&format!("`{word}` is none of error, warn, info, debug, trace and off")));
        }
    }
    EnvFilter::builder().parse(filter).map(drop).map_err(|error| wrong(&error.to_string()))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Colour {
    On,
    Off,
}

fn subscriber<W>(log: &Log, colour: Colour, writer: W) -> (Box<dyn Subscriber + Send + Sync>, Handle)
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let (filter, handle) = reload::Layer::new(EnvFilter::builder().parse_lossy(&log.filter));
    let filter = filter.and(filter_fn(is_ours_or_harmless));
    let layer = fmt::layer().with_writer(writer).with_ansi(colour == Colour::On);
    let subscriber: Box<dyn Subscriber + Send + Sync> = match log.format {
        Format::Text => Box::new(registry().with(layer.with_target(false).with_filter(filter))),
        Format::Json => Box::new(registry().with(layer.json().flatten_event(true).with_filter(filter))),
    };
    (subscriber, handle)
}

/// Lets libraries say nothing below info. (A record of the `log` crate comes under its own target first and under the
/// target `log` then; neither is ours.)
fn is_ours_or_harmless(metadata: &Metadata<'_>) -> bool {
    let target = metadata.target();
    let ours = target == "finesse_tap" || target.starts_with("finesse_tap::");
    ours || *metadata.level() <= Level::INFO
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl Write for Page {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn told(filter: &str, format: Format, tell: impl FnOnce()) -> String {
        let page = Page::default();
        let writer = page.clone();
        let log = Log { format, filter: filter.to_owned() };
        tracing::subscriber::with_default(subscriber(&log, Colour::Off, move || writer.clone()).0, tell);
        let bytes = page.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn libraries_cannot_be_made_to_print_traffic() {
        for filter in ["trace", "hyper=trace", "hyper::proto=trace,tungstenite::protocol=debug,rustls=debug,h2=debug"] {
            let text = told(filter, Format::Text, || {
                tracing::debug!(target: "hyper::proto::h1::io", "payload");
                tracing::trace!(target: "tungstenite::protocol", "payload");
                tracing::debug!(target: "tokio_tungstenite", "payload");
                tracing::debug!(target: "rustls::client::hs", "payload");
                tracing::debug!(target: "h2::codec", "payload");
                tracing::debug!(target: "some_library_of_tomorrow", "payload");
                tracing::debug!(target: "finesse_tapdance", "payload");
            });
            assert_eq!(text, "", "{filter}");
        }
    }

    #[test]
    fn our_own_modules_tell_what_is_asked() {
        let tell = || {
            tracing::info!(port = 8445, "listening");
            tracing::debug!(target: "finesse_tap::proxy", "accepted");
        };
        let text = told("info", Format::Text, tell);
        assert!(text.contains("listening") && text.contains("port=8445") && !text.contains("accepted"), "{text}");
        let text = told("warn,finesse_tap::proxy=debug", Format::Text, tell);
        assert!(!text.contains("listening") && text.contains("accepted"), "{text}");
        let line: serde_json::Value = serde_json::from_str(told("info", Format::Json, tell).trim()).unwrap();
        assert_eq!((&line["message"], &line["port"]), (&"listening".into(), &8445.into()));
    }

    #[test]
    fn a_filter_is_changed_while_in_use() {
        let page = Page::default();
        let writer = page.clone();
        let (subscriber, handle) = subscriber(&Log::default(), Colour::Off, move || writer.clone());
        tracing::subscriber::with_default(subscriber, || {
            let tell = |n: u32| tracing::debug!(target: "finesse_tap::proxy", n, "accepted");
            tell(1);
            handle.reload(EnvFilter::builder().parse_lossy("debug")).unwrap();
            tell(2);
            tracing::debug!(target: "hyper", "payload");
            handle.reload(EnvFilter::builder().parse_lossy("warn")).unwrap();
            tell(3);
        });
        let text = String::from_utf8(page.0.lock().unwrap().clone()).unwrap();
        assert!(text.contains("n=2") && text.lines().count() == 1, "{text}");
    }

    #[test]
    fn filters_are_checked() {
        assert_eq!(check("info,finesse_tap::proxy=debug"), Ok(()));
        assert!(check("finesse_tap=loud").is_err());
    }
}
