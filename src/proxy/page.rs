//! The only bytes this program ever writes into traffic: a page that says why there is none.
//!
//! A `502` when Finesse cannot be reached or is refused, a `400` for plain HTTP on the TLS port. Self-contained HTML;
//! everything that came from outside is escaped.

/// A page about one problem.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Page {
    /// What happened, one sentence.
    pub(crate) why: String,
    /// What to do about it.
    pub(crate) hint: Option<String>,
    /// Named facts.
    pub(crate) facts: Vec<(&'static str, String)>,
}

/// A status line's code and phrase.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Status {
    BadRequest,
    BadGateway,
}

impl Status {
    /// The three digits.
    pub(super) fn code(self) -> &'static str {
        self.line().get(..3).unwrap_or_default()
    }

    fn line(self) -> &'static str {
        match self {
            Self::BadRequest => "400 Bad Request",
            Self::BadGateway => "502 Bad Gateway",
        }
    }
}

impl Page {
    /// The whole response to a request with this head (a `HEAD` request gets no body, RFC 9110 section 9.3.2).
    pub(crate) fn response(&self, status: Status, request_head: &[u8]) -> Vec<u8> {
        let body = self.html(status);
        let line = status.line();
        let mut response = format!(
            "HTTP/1.1 {line}\r\nServer: finesse-tap\r\nContent-Type: text/html; charset=utf-8\r\n\
             Content-Length: {}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n",
            body.len()
        );
        if !request_head.starts_with(b"HEAD ") {
            response.push_str(&body);
        }
        response.into_bytes()
    }

    pub(super) fn html(&self, status: Status) -> String {
        let line = status.line();
        let mut html = format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{line} (finesse-tap)</title>\n\
             <style>body{{font:16px/1.5 system-ui,sans-serif;max-width:46em;margin:3em auto;padding:0 1em}}\
             dt{{font-weight:600}}dd{{margin:0 0 .5em;overflow-wrap:anywhere}}</style></head>\n\
             <body><h1>{line}</h1>\n<p>{}</p>\n",
            escape(&self.why)
        );
        if let Some(hint) = &self.hint {
            html.push_str(&format!("<p><strong>What to do:</strong> {}</p>\n", escape(hint)));
        }
        if !self.facts.is_empty() {
            html.push_str("<dl>\n");
            for (name, value) in &self.facts {
                html.push_str(&format!("<dt>{}</dt><dd>{}</dd>\n", escape(name), escape(value)));
            }
            html.push_str("</dl>\n");
        }
        html.push_str("<p>This page comes from finesse-tap, the debugging proxy in between.</p></body></html>\n");
        html
    }
}

fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_write_no_markup() {
        let page = Page {
            why: "<script>alert(1)</script>".into(),
            hint: Some("a & b".into()),
            facts: vec![("subject", "CN=\"><img src=x>".into())],
        };
        let text = String::from_utf8(page.response(Status::BadGateway, b"GET / HTTP/1.1\r\n\r\n")).unwrap();
        assert!(!text.contains("<script>") && !text.contains("<img"), "{text}");
        assert!(text.contains("a &amp; b"));
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("Content-Length: {}", body.len())));
        assert!(head.starts_with("HTTP/1.1 502 Bad Gateway\r\n"));
    }

    #[test]
    fn a_head_request_gets_a_head() {
        let response = Page::default().response(Status::BadGateway, b"HEAD / HTTP/1.1\r\n\r\n");
        assert!(response.ends_with(b"\r\n\r\n"));
    }
}
