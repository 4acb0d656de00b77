//! Inflating permessage-deflate messages (RFC 7692) within a limit.
