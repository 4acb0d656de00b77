//! The page's own files, in the program: one HTML document, two style sheets, plain modules.
//!
//! Nothing is built and nothing is fetched from elsewhere; [`POLICY`] lets the browser load exactly these.

/// What the page may do: load its own files, ask its own address, nothing else.
pub(super) const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types xml";

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// Every file: path, media type, text.
const FILES: &[(&str, &str, &str)] = &[
    ("/", HTML, include_str!("page/index.html")),
    ("/base.css", CSS, include_str!("page/base.css")),
    ("/panes.css", CSS, include_str!("page/panes.css")),
    ("/main.js", SCRIPT, include_str!("page/main.js")),
    ("/agents.js", SCRIPT, include_str!("page/agents.js")),
    ("/detail.js", SCRIPT, include_str!("page/detail.js")),
    ("/dom.js", SCRIPT, include_str!("page/dom.js")),
    ("/filter.js", SCRIPT, include_str!("page/filter.js")),
    ("/keys.js", SCRIPT, include_str!("page/keys.js")),
    ("/list.js", SCRIPT, include_str!("page/list.js")),
    ("/net.js", SCRIPT, include_str!("page/net.js")),
    ("/problems.js", SCRIPT, include_str!("page/problems.js")),
    ("/store.js", SCRIPT, include_str!("page/store.js")),
    ("/timeline.js", SCRIPT, include_str!("page/timeline.js")),
    ("/words.js", SCRIPT, include_str!("page/words.js")),
    ("/xml.js", SCRIPT, include_str!("page/xml.js")),
];

/// Media type and text of the file at `path`.
pub(super) fn file(path: &str) -> Option<(&'static str, &'static str)> {
    FILES.iter().find(|(known, ..)| *known == path).map(|(_, kind, text)| (*kind, *text))
}
