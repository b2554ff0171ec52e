//! What it means that an id is held, not taken. Pure: a database reads the rows, asks here, and writes what it is told.

use super::{Holding, Ticket};

/// A hold is a row of a scope that nobody can ask for: no scope has a control character.
pub(super) fn held(ticket: &Ticket) -> Ticket {
    Ticket {
        scope: format!("\u{1}held/{}", ticket.scope),
        ..ticket.clone()
    }
}

/// What the id is to its asker, whose hold was fresh or found another.
pub(super) fn holding(fresh: bool, renewed: bool) -> Holding {
    if fresh && !renewed {
        Holding::Fresh
    } else {
        Holding::Held
    }
}
