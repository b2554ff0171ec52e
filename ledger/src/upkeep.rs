//! What is tidied up from time to time, over all tables.

pub mod round;
mod sqlite;
mod store;

pub use store::{GRACE, Rows, Swept, UpkeepStore};
