//! Every port that a process listens on. Whoever has not shown who it is costs next to nothing, and keeps nobody else out.
//!
//! A connection begins in the [`lobby`], which has few places, and fewer for one source: where they are taken, the newcomer gets
//! that of the stranger who is there longest, so that those who only wait are the first to go and a genuine peer needs its place
//! for the length of a handshake. A stranger has a deadline for its first request and one for showing who it is. Both are kept by
//! the connection itself ([`Guarded`]), below TLS and HTTP, so that no protocol can wait around them.
//!
//! [`Incoming`] is what `tonic` serves from; [`serve_http`] is the same for HTTP.

mod address;
mod guarded;
mod http;
mod incoming;
mod lobby;
pub(crate) mod metrics;
mod source;

use std::time::Duration;

pub use guarded::Guarded;
pub use http::serve_http;
pub use incoming::{Connection, Entrance, Incoming};
pub use lobby::Guest;

/// What a listener gives to those who have not shown who they are.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections of strangers.
    pub strangers: usize,
    /// Connections of strangers from one source. Many may share it behind a proxy or a translated address.
    pub per_source: usize,
    /// Connections of those who have.
    pub known: usize,
    /// From the connection to the head of its first request.
    pub first_request: Duration,
    /// From the connection to having shown who it is.
    pub stranger: Duration,
    /// How long a connection without a request under way stays open (HTTP), or one that takes none of our bytes.
    pub idle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            strangers: 256,
            per_source: 128,
            known: 8192,
            first_request: Duration::from_secs(10),
            stranger: Duration::from_secs(30),
            idle: Duration::from_secs(30),
        }
    }
}

const KEEP_ALIVE: Duration = Duration::from_secs(10);
/// Streams that were reset before they were looked at, and streams that we reset for a peer's errors: more end the connection.
const MAX_RESETS: usize = 32;
/// Headers of one request.
const MAX_HEADER_BYTES: u32 = 16 << 10;

/// A gRPC server with the bounds that each of ours has.
pub fn grpc_server() -> tonic::transport::Server {
    tonic::transport::Server::builder()
        .http2_keepalive_interval(Some(KEEP_ALIVE))
        .http2_keepalive_timeout(Some(KEEP_ALIVE))
        .http2_max_pending_accept_reset_streams(Some(MAX_RESETS))
        .http2_max_local_error_reset_streams(Some(MAX_RESETS))
        .http2_max_header_list_size(MAX_HEADER_BYTES)
        .max_concurrent_streams(Some(256))
        .max_frame_size(Some(64 << 10))
}
