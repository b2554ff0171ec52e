//! Bounds that both ends hold.

/// The longest text of a message, in bytes: no gateway takes a longer one, so that no channel keeps it.
pub const MAX_TEXT: usize = 128 << 10;
