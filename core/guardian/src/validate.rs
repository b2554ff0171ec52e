//! Everything about a resource type and its grants that a structural schema cannot say.

mod budget;
mod grant;
mod resource_type;

pub use budget::validate_budgets;
pub use grant::validate_grants;
pub use resource_type::validate_resource_type;
