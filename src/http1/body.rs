//! Body framing (RFC 9112 section 6): where a body ends, and which of its bytes are content.
