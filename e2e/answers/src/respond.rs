//! From what goes over the wire to a response of a server.

use std::io;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use futures::{StreamExt as _, stream};

use crate::form::Wire;

const COMMENT: &[u8] = b": keep-alive\n\n";

impl IntoResponse for Wire {
    fn into_response(self) -> Response {
        let chunks = stream::iter(self.body).map(Bytes::from);
        let comments = stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            Some((Bytes::from_static(COMMENT), ()))
        });
        let comments = comments.take(if self.stays_open { usize::MAX } else { 0 });
        let body = Body::from_stream(chunks.chain(comments).map(Ok::<_, io::Error>));
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, body).into_response();
        for (name, value) in self.headers {
            response
                .headers_mut()
                .insert(name, axum::http::HeaderValue::from_static(value));
        }
        response
    }
}
