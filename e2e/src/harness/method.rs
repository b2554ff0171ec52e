//! Every method of the contract, called without knowing its messages: a method that is added is tried, too.

use anyhow::Result;
use bytes::{Buf as _, BufMut as _, Bytes};
use http::uri::PathAndQuery;
use monstrum_wire::DESCRIPTORS;
use prost::Message as _;
use prost_types::FileDescriptorSet;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::transport::Channel;
use tonic::{Request, Status};

/// One gRPC method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Method {
    /// For example `monstrum.chat.v1.Chat`.
    pub service: String,
    /// For example `Send`.
    pub name: String,
}

impl Method {
    /// All of them.
    pub fn all() -> Result<Vec<Self>> {
        let set = FileDescriptorSet::decode(DESCRIPTORS)?;
        let mut all = Vec::new();
        for file in &set.file {
            for service in &file.service {
                all.extend(service.method.iter().map(|method| Self {
                    service: format!("{}.{}", file.package(), service.name()),
                    name: method.name().to_owned(),
                }));
            }
        }
        Ok(all)
    }

    /// Sends one empty message, and waits for the first answer. On the wire a single message is a stream of one.
    pub async fn call(&self, channel: Channel) -> Result<Option<Bytes>, Status> {
        let path: PathAndQuery = format!("/{}/{}", self.service, self.name)
            .parse()
            .map_err(|error| Status::internal(format!("{error}")))?;
        let mut grpc = tonic::client::Grpc::new(channel);
        grpc.ready()
            .await
            .map_err(|error| Status::unavailable(error.to_string()))?;
        let request = Request::new(tokio_stream::iter([Bytes::new()]));
        let answer = grpc.streaming(request, path, Plain).await?;
        answer.into_inner().message().await
    }
}

/// Messages as they are on the wire.
#[derive(Debug, Clone, Copy)]
struct Plain;

impl Codec for Plain {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        *self
    }

    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for Plain {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(item);
        Ok(())
    }
}

impl Decoder for Plain {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }
}
