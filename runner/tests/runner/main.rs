//! The runner against real servers, real processes and a real stream.
#![expect(clippy::arithmetic_side_effects, reason = "a test fails by panicking")]

#[cfg(test)]
mod dns;
#[cfg(test)]
mod gateway;
#[cfg(test)]
mod http;
#[cfg(test)]
mod http_answers;
#[cfg(test)]
mod http_destination;
#[cfg(test)]
mod http_guard;
#[cfg(test)]
mod http_secrets;
#[cfg(test)]
mod http_tls;
#[cfg(test)]
mod link;
#[cfg(test)]
mod proxy;
#[cfg(test)]
mod sandbox;
#[cfg(test)]
mod sandbox_calls;
#[cfg(test)]
mod shell;
#[cfg(test)]
mod support;
#[cfg(test)]
mod upstream;
