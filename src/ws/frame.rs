//! Frame headers and payload spans (RFC 6455 section 5.2), header bits read with tungstenite's parser.
