//! Numbers as text: the Prometheus text format 0.0.4 and OpenMetrics 1.0.0, from the same calls.
//!
//! The two differ in the name of a counter's family (`x_total` against `x`), in `info`, in units, and in the last line.
//! Escapes label values; takes names, helps and labels' names as they are, which are constants.

use crate::bus::{BOUNDS_US, Histogram};
use std::fmt::Write as _;

/// Which text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// `text/plain; version=0.0.4`.
    Prometheus,
    /// `application/openmetrics-text; version=1.0.0`.
    OpenMetrics,
}

impl Format {
    /// The one that an `Accept` field prefers (RFC 9110 section 12.5.1); Prometheus' own where both are as good.
    #[must_use]
    pub fn accepted(accept: &str) -> Self {
        let quality = |wanted: &str| {
            let of = |range: &str| {
                let mut parts = range.split(';').map(str::trim);
                let named = parts.next()?.eq_ignore_ascii_case(wanted);
                let q = parts.find_map(|part| part.strip_prefix("q=")?.parse::<f32>().ok());
                named.then(|| q.unwrap_or(1.0))
            };
            accept.split(',').filter_map(of).fold(0.0, f32::max)
        };
        let plain = ["text/plain", "text/*", "*/*"].into_iter().map(quality).fold(0.0, f32::max);
        if quality("application/openmetrics-text") > plain { Self::OpenMetrics } else { Self::Prometheus }
    }

    /// Its `Content-Type`.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// Labels of one sample: names and values.
pub(super) type Labels<'l> = &'l [(&'static str, &'l str)];

/// A page being written.
pub(super) struct Page {
    format: Format,
    text: String,
}

impl Page {
    pub(super) fn new(format: Format) -> Self {
        Self { format, text: String::with_capacity(32 << 10) }
    }

    /// What is what: a constant 1 whose labels tell. `name` is without `_info`.
    pub(super) fn info(&mut self, name: &str, help: &str, labels: Labels<'_>) {
        match self.format {
            Format::Prometheus => self.head(&format!("{name}_info"), "gauge", help),
            Format::OpenMetrics => self.head(name, "info", help),
        }
        self.sample(&format!("{name}_info"), labels, 1);
    }

    /// What goes up and down.
    pub(super) fn gauge<'l>(
        &mut self,
        name: &str,
        help: &str,
        samples: impl IntoIterator<Item = (Labels<'l>, impl ToString)>,
    ) {
        self.head(name, "gauge", help);
        for (labels, value) in samples {
            self.sample(name, labels, value);
        }
    }

    /// What only goes up. `name` is without `_total`.
    pub(super) fn counter<'l>(&mut self, name: &str, help: &str, samples: impl IntoIterator<Item = (Labels<'l>, u64)>) {
        let total = format!("{name}_total");
        match self.format {
            Format::Prometheus => self.head(&total, "counter", help),
            Format::OpenMetrics => self.head(name, "counter", help),
        }
        for (labels, value) in samples {
            self.sample(&total, labels, value);
        }
    }

    /// A counter for each word of a list.
    pub(super) fn counter_by(
        &mut self,
        name: &str,
        help: &str,
        label: &'static str,
        counts: impl IntoIterator<Item = (&'static str, u64)>,
    ) {
        let counts: Vec<_> = counts.into_iter().map(|(word, count)| ([(label, word)], count)).collect();
        self.counter(name, help, counts.iter().map(|(labels, count)| (&labels[..], *count)));
    }

    /// Times in buckets, in seconds. `name` ends with `_seconds`.
    pub(super) fn histogram<'l>(
        &mut self,
        name: &str,
        help: &str,
        samples: impl IntoIterator<Item = (Labels<'l>, &'l Histogram)>,
    ) {
        self.head(name, "histogram", help);
        for (labels, histogram) in samples {
            let cumulative = histogram.cumulative();
            let bounds = BOUNDS_US.iter().map(|us| seconds(*us)).chain([String::from("+Inf")]);
            for (bound, count) in bounds.zip(cumulative) {
                let labels: Vec<_> = labels.iter().copied().chain([("le", &*bound)]).collect();
                self.sample(&format!("{name}_bucket"), &labels, count);
            }
            self.sample(&format!("{name}_sum"), labels, seconds(histogram.sum_us()));
            self.sample(&format!("{name}_count"), labels, cumulative.last().copied().unwrap_or_default());
        }
    }

    pub(super) fn finish(mut self) -> String {
        if self.format == Format::OpenMetrics {
            self.text.push_str("# EOF\n");
        }
        self.text
    }

    fn head(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a String does not fail.
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}");
        let unit = ["seconds", "bytes"].into_iter().find(|unit| name.ends_with(&format!("_{unit}")));
        if let (Format::OpenMetrics, Some(unit)) = (self.format, unit) {
            let _ = writeln!(self.text, "# UNIT {name} {unit}");
        }
    }

    fn sample(&mut self, name: &str, labels: Labels<'_>, value: impl ToString) {
        self.text.push_str(name);
        for (at, (label, value)) in labels.iter().enumerate() {
            let open = if at == 0 { '{' } else { ',' };
            let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let _ = write!(self.text, "{open}{label}=\"{value}\"");
        }
        if !labels.is_empty() {
            self.text.push('}');
        }
        let _ = writeln!(self.text, " {}", value.to_string());
    }
}

/// Microseconds as seconds, exactly, as a float is written: `0.005`, `1.0`.
pub(super) fn seconds(us: u64) -> String {
    let fraction = format!("{:06}", us % 1_000_000);
    let fraction = fraction.trim_end_matches('0');
    format!("{}.{}", us / 1_000_000, if fraction.is_empty() { "0" } else { fraction })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_preferred_format_is_served() {
        let prometheus = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        for (accept, format) in [
            (prometheus, Format::OpenMetrics),
            ("application/openmetrics-text", Format::OpenMetrics),
            ("text/plain;q=0.5, Application/OpenMetrics-Text;q=0.6", Format::OpenMetrics),
            ("text/plain, application/openmetrics-text;q=0.5", Format::Prometheus),
            ("application/openmetrics-text;q=0", Format::Prometheus),
            ("*/*", Format::Prometheus),
            ("text/html,*/*;q=0.8", Format::Prometheus),
            ("", Format::Prometheus),
            ("application/openmetrics-text;q=x,;;,=", Format::OpenMetrics),
        ] {
            assert_eq!(Format::accepted(accept), format, "{accept}");
        }
    }

    #[test]
    fn seconds_are_exact() {
        for (us, text) in
            [(0, "0.0"), (1_000, "0.001"), (2_500_000, "2.5"), (30_000_000, "30.0"), (1_234_567, "1.234567")]
        {
            assert_eq!(seconds(us), text);
        }
    }

    #[test]
    fn labels_are_escaped() {
        let mut page = Page::new(Format::OpenMetrics);
        page.gauge("x", "What it is.", [(&[("a", "q\"b\\c\nd"), ("b", "e")][..], 1)]);
        assert_eq!(page.finish(), "# HELP x What it is.\n# TYPE x gauge\nx{a=\"q\\\"b\\\\c\\nd\",b=\"e\"} 1\n# EOF\n");
    }
}
