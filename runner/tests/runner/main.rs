//! The runner against real servers, real processes and a real stream.

mod dns;
mod gateway;
mod http;
mod http_answers;
mod http_guard;
mod link;
mod sandbox;
mod sandbox_calls;
mod shell;
mod support;
mod upstream;
