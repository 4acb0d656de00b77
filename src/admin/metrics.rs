//! The counts of a run as a page of metrics.
//!
//! Every label's values come from a list of this program's own words: no host, no agent, no address becomes a label.

use super::page::{Format, Labels, Page, seconds};
use super::{Shipped, Watched};
use crate::bus::{Duty, State};

/// The page, in `format`.
pub(super) fn text(watched: &Watched, format: Format) -> String {
    let mut page = Page::new(format);
    program(watched, &mut page);
    traffic(watched, &mut page);
    trouble(watched, &mut page);
    queues(watched, &mut page);
    ships(&(watched.ships)(), &mut page);
    page.finish()
}

const NONE: Labels<'_> = &[];

fn program(watched: &Watched, page: &mut Page) {
    page.info("finesse_tap_build", "The program.", &[("version", env!("CARGO_PKG_VERSION"))]);
    let start = seconds(u64::try_from(watched.start.wall_us).unwrap_or_default());
    page.gauge("finesse_tap_start_time_seconds", "When the run began, since 1970.", [(NONE, start)]);
    let ready = u8::from(watched.not_ready().is_none());
    page.gauge("finesse_tap_ready", "Whether /readyz says so.", [(NONE, ready)]);
}

fn traffic(watched: &Watched, page: &mut Page) {
    let counts = watched.bus.counts();
    page.gauge("finesse_tap_connections_open", "Connections of browsers now.", [(NONE, counts.connections_open())]);
    page.counter("finesse_tap_connections", "Connections of browsers.", [(NONE, counts.connections())]);
    page.counter_by("finesse_tap_connections_closed", "Connections that ended, by how.", "how", counts.closed.each());
    page.gauge("finesse_tap_websockets_open", "WebSockets now.", [(NONE, counts.sockets_open())]);
    page.counter("finesse_tap_websockets", "WebSockets.", [(NONE, counts.sockets())]);
    page.counter_by(
        "finesse_tap_websockets_closed",
        "WebSockets that ended, by close code; 1006 is an end without a close frame.",
        "code",
        counts.sockets_closed.each(),
    );
    page.counter_by("finesse_tap_events", "Events, by what happened.", "action", counts.events.each());
    let [c2s, s2c] = &counts.stanzas;
    let stanzas: Vec<_> = [("c2s", c2s), ("s2c", s2c)]
        .into_iter()
        .flat_map(|(way, kinds)| kinds.each().map(move |(kind, count)| ([("direction", way), ("kind", kind)], count)))
        .collect();
    page.counter(
        "finesse_tap_stanzas",
        "XMPP stanzas and stream elements, by direction and kind.",
        stanzas.iter().map(|(labels, count)| (&labels[..], *count)),
    );
    page.counter_by("finesse_tap_http_exchanges", "HTTP exchanges, by status.", "status", counts.exchanges.each());
    let [c2s, s2c] = counts.decoded_bytes.each_ref().map(|bytes| bytes.load(std::sync::atomic::Ordering::Relaxed));
    page.counter_by(
        "finesse_tap_relayed_bytes",
        "Payload relayed and read, by direction.",
        "direction",
        [("c2s", c2s), ("s2c", s2c)],
    );
    page.histogram(
        "finesse_tap_round_trip_seconds",
        "From a question to its answer: WebSocket pings, XMPP pings, other iq stanzas.",
        [
            (&[("kind", "websocket-ping")][..], &counts.ping),
            (&[("kind", "xmpp-ping")][..], &counts.xmpp_ping),
            (&[("kind", "iq")][..], &counts.iq),
        ],
    );
    page.histogram(
        "finesse_tap_http_exchange_seconds",
        "From a request's first byte to the end of its exchange.",
        [(NONE, &counts.exchange)],
    );
    page.histogram(
        "finesse_tap_update_latency_seconds",
        "From a REST request to the Finesse event that it caused.",
        [(NONE, &counts.update)],
    );
}

fn trouble(watched: &Watched, page: &mut Page) {
    let counts = watched.bus.counts();
    page.counter_by("finesse_tap_findings", "Findings, by code.", "code", counts.findings.each());
    let about = "Findings that a later one revised, by code: the net is finesse_tap_findings less these.";
    page.counter_by("finesse_tap_findings_revised", about, "code", counts.revised.each());
    page.counter_by(
        "finesse_tap_decode_errors",
        "What could not be read, by layer.",
        "layer",
        counts.decode_errors.each(),
    );
    page.counter_by(
        "finesse_tap_tls_failures",
        "TLS handshakes that failed: with the browser (client), with the server (upstream).",
        "leg",
        counts.tls_failures.each(),
    );
    page.counter(
        "finesse_tap_redaction_masked",
        "Values in which the leak guard masked a secret that was seen elsewhere.",
        [(NONE, counts.masked.load(std::sync::atomic::Ordering::Relaxed))],
    );
    page.counter(
        "finesse_tap_capture_gaps",
        "Gaps in the log that were told in it.",
        [(NONE, counts.events.of_word("capture-gap"))],
    );
    let undecoded = counts.undecoded_bytes.load(std::sync::atomic::Ordering::Relaxed);
    page.counter(
        "finesse_tap_undecoded_bytes",
        "Payload relayed that was not read because the queue was full; counted when its connection ends.",
        [(NONE, undecoded)],
    );
}

fn queues(watched: &Watched, page: &mut Page) {
    let (used, limit) = (watched.queue.used() as u64, watched.queue.limit() as u64);
    let tap = [("queue", "tap")];
    let sinks = watched.bus.states();
    let labels: Vec<_> = sinks.iter().map(|sink| [("queue", sink.sink)]).collect();
    let each = |of: fn(&State) -> u64| labels.iter().zip(&sinks).map(move |(label, sink)| (&label[..], of(sink)));
    page.gauge(
        "finesse_tap_queue_bytes",
        "What waits: for the tap, and for each sink.",
        [(&tap[..], used)].into_iter().chain(each(|sink| sink.queued_bytes)),
    );
    page.gauge(
        "finesse_tap_queue_limit_bytes",
        "The most that may wait.",
        [(&tap[..], limit)].into_iter().chain(each(|sink| sink.limit_bytes)),
    );
    let labels: Vec<_> = sinks.iter().map(|sink| [("sink", sink.sink)]).collect();
    let each = |of: fn(&State) -> u64| labels.iter().zip(&sinks).map(move |(label, sink)| (&label[..], of(sink)));
    page.counter("finesse_tap_sink_written_events", "Events written, by sink.", each(|sink| sink.written.events));
    page.counter("finesse_tap_sink_written_bytes", "Their lines, bytes, by sink.", each(|sink| sink.written.bytes));
    page.counter("finesse_tap_sink_lost_events", "Events lost, by sink.", each(|sink| sink.lost.events));
    let failing = |sink: &State| u64::from(sink.duty == Duty::Keep && sink.trouble.is_some());
    page.gauge("finesse_tap_sink_failing", "1 while a sink cannot write what it keeps.", each(failing));
}

fn ships(ships: &[Shipped], page: &mut Page) {
    if ships.is_empty() {
        return;
    }
    let labels: Vec<_> = ships.iter().map(|ship| [("receiver", ship.receiver)]).collect();
    let each = |of: fn(&Shipped) -> u64| labels.iter().zip(ships).map(move |(label, ship)| (&label[..], of(ship)));
    page.counter("finesse_tap_shipped_events", "Events that a receiver has confirmed.", each(|ship| ship.delivered));
    page.counter("finesse_tap_ship_errors", "Requests that failed and are tried again.", each(|ship| ship.errors));
    page.counter("finesse_tap_ship_dead_letters", "Events that no receiver takes.", each(|ship| ship.dead_letters));
    page.counter("finesse_tap_ship_lost_bytes", "Captures removed before delivery.", each(|ship| ship.lost_bytes));
    page.gauge("finesse_tap_ship_stopped", "1 while only a person can help.", each(|ship| u64::from(ship.stopped)));
    page.gauge("finesse_tap_ship_lag_seconds", "Age of the oldest event not confirmed.", each(|ship| ship.lag_seconds));
    page.gauge("finesse_tap_ship_lag_bytes", "Lines that are not confirmed yet.", each(|ship| ship.lag_bytes));
    page.gauge("finesse_tap_ship_lag_events", "About how many events those are.", each(|ship| ship.lag_events));
}
