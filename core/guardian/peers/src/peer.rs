//! The engines, one file each.

#[cfg(feature = "cedar")]
mod cedar;
#[cfg(not(feature = "cedar"))]
mod cel;
mod guardian;
#[cfg(not(feature = "cedar"))]
mod regorus;
#[cfg(not(feature = "cedar"))]
mod tenuo;

pub use guardian::Guardian;
#[cfg(not(feature = "cedar"))]
use tenuo::Proof;

/// An engine that holds so many policies, ready to be asked.
pub trait Peer {
    /// Whether a call with these arguments, as JSON text, is permitted.
    fn permits(&mut self, arguments: &str) -> bool;
}

/// Makes an engine that holds so many policies.
pub type Prepare = fn(usize) -> Box<dyn Peer>;

/// The five of the comparison, by the name of their package.
pub const ENGINES: [&str; 5] = ["guardian", "cedar-policy", "regorus", "cel", "tenuo"];

/// Other ways to use some of them, for the record.
pub const VARIANTS: [&str; 2] = ["regorus, policies as data", "tenuo, with proof of possession"];

/// Those of this binary, ready to be made.
pub const PREPARED: &[(&str, Prepare)] = &[
    #[cfg(feature = "cedar")]
    ("cedar-policy", |policies| Box::new(cedar::Cedar::new(policies))),
    #[cfg(not(feature = "cedar"))]
    ("guardian", |policies| Box::new(guardian::Guardian::new(policies))),
    #[cfg(not(feature = "cedar"))]
    ("regorus", |policies| Box::new(regorus::Regorus::new(policies))),
    #[cfg(not(feature = "cedar"))]
    ("cel", |policies| Box::new(cel::Cel::new(policies))),
    #[cfg(not(feature = "cedar"))]
    ("tenuo", |policies| {
        Box::new(tenuo::Tenuo::new(policies, Proof::Outside))
    }),
    #[cfg(not(feature = "cedar"))]
    ("regorus, policies as data", |policies| {
        Box::new(regorus::Regorus::over_data(policies))
    }),
    #[cfg(not(feature = "cedar"))]
    ("tenuo, with proof of possession", |policies| {
        Box::new(tenuo::Tenuo::new(policies, Proof::Inside))
    }),
];
