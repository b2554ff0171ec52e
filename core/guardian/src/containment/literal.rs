//! `Exact` and `Enum`: sets of literals.

use super::{Answer, Pair};

/// The smallest granted literal that the ceiling does not have.
pub(super) fn smallest(pair: &Pair<'_>) -> Answer {
    let literals = pair
        .granted
        .iter()
        .filter_map(crate::matching::Pattern::only_value);
    Answer::least(literals.filter(|literal| pair.tells_apart(literal)))
}
