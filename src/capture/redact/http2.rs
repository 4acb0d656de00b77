//! What only HTTP/2 has as events.

use super::Removes;
use crate::capture::event::{Event, Http2, Http2Count, Http2Settings};
use crate::conn::Direction;
use crate::http2::{Count, Item, Setting, code_name};

pub(super) fn http2(item: &Item, event: &mut Event<'_>) -> Removes {
    event.event.category = &["network"];
    event.event.types = &["protocol"];
    let mut told = Http2::default();
    match item {
        Item::Settings { settings, .. } => {
            event.event.action = "http2-settings";
            let value = |id| settings.iter().rev().find(|setting| setting.id == id).map(|setting| setting.value);
            told.settings = Some(Http2Settings {
                max_concurrent_streams: value(Setting::MAX_CONCURRENT_STREAMS),
                initial_window_bytes: value(Setting::INITIAL_WINDOW_SIZE),
                max_header_list_bytes: value(Setting::MAX_HEADER_LIST_SIZE),
                extended_connect: value(Setting::ENABLE_CONNECT_PROTOCOL).map(|value| value != 0),
            });
        }
        Item::GoAway { last_stream, code, left, .. } => {
            event.event.action = "http2-goaway";
            event.log.level = if *code == 0 && *left == 0 { "info" } else { "warn" };
            told.code = Some(code_name(*code));
            told.last_stream = Some(*last_stream);
            told.left_streams = Some(*left);
        }
        Item::Reset { direction, stream, code, .. } => {
            event.event.action = "http2-reset";
            // Who no longer wants an answer says so with CANCEL; who does not want the rest of a request, with NO_ERROR.
            let is_usual = *code == 0 || (*code == 8 && *direction == Direction::C2s);
            event.log.level = if is_usual { "info" } else { "warn" };
            told.stream = Some(*stream);
            told.code = Some(code_name(*code));
        }
        Item::Ping { rtt_us, .. } => {
            event.event.action = "http2-ping";
            event.finesse.keepalive = true;
            told.rtt_us = Some(*rtt_us);
        }
        Item::Stalled { stream, waited_ms, .. } => {
            event.event.action = "http2-stalled";
            event.log.level = "warn";
            told.stream = *stream;
            told.waited_ms = Some(*waited_ms);
        }
        Item::StreamLimit { limit, .. } => {
            event.event.action = "http2-limit";
            event.log.level = "warn";
            told.limit = Some(*limit);
        }
        Item::OverHeaderLimit { stream, bytes, limit, .. } => {
            event.event.action = "http2-limit";
            event.log.level = "warn";
            told.stream = Some(*stream);
            told.limit = Some(*limit);
            told.header_bytes = Some(*bytes);
        }
        // The tap gives no others.
        _ => {}
    }
    event.finesse.http2 = Some(Box::new(told));
    Removes::Nothing
}

pub(super) fn count(count: Count) -> Http2Count {
    let Count { streams, most_open, resets: [resets_c2s, resets_s2c], go_aways, pings } = count;
    Http2Count { streams, most_open, resets_c2s, resets_s2c, goaways: go_aways, pings }
}
