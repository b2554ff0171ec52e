//! The custom resources from outside: files in, faults and policy sources out.
#![expect(clippy::arithmetic_side_effects, reason = "a test fails by panicking")]

#[cfg(test)]
mod agreement;
#[cfg(test)]
mod boundary;
#[cfg(test)]
mod budgets;
#[cfg(test)]
mod conversion;
#[cfg(test)]
mod destinations;
#[cfg(test)]
mod models;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod scene;
#[cfg(test)]
mod shipped;
#[cfg(test)]
mod validation;
