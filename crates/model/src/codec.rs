//! How messages are carried: gRPC frames whose bodies are JSON.
//!
//! The documents of `wbctl --json` and the messages on the socket are then the same text made from the
//! same types, there is no second set of generated structs to convert, and no `protoc` is needed to build.

use std::marker::PhantomData;

use bytes::{Buf, BufMut};
use serde::{Serialize, de::DeserializeOwned};
use tonic::Status;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};

/// Largest message either side takes, in bytes.
pub const MAX_MESSAGE_BYTES: usize = 256 * 1024 * 1024;

/// Largest request a daemon takes, in bytes: twice what Linux lets a program have of arguments and environment.
pub const MAX_REQUEST_BYTES: usize = 4 * 1024 * 1024;

/// Writes `T` and reads `U` as JSON.
#[derive(Clone, Copy, Debug)]
pub struct JsonCodec<T, U>(PhantomData<(T, U)>);

impl<T, U> Default for JsonCodec<T, U> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T, U> Codec for JsonCodec<T, U>
where
    T: Serialize + Send + 'static,
    U: DeserializeOwned + Send + 'static,
{
    type Encode = T;
    type Decode = U;
    type Encoder = JsonEncoder<T>;
    type Decoder = JsonDecoder<U>;

    fn encoder(&mut self) -> Self::Encoder {
        JsonEncoder(PhantomData)
    }

    fn decoder(&mut self) -> Self::Decoder {
        JsonDecoder(PhantomData)
    }
}

/// Writes messages.
#[derive(Debug)]
pub struct JsonEncoder<T>(PhantomData<T>);

impl<T: Serialize> Encoder for JsonEncoder<T> {
    type Item = T;
    type Error = Status;

    fn encode(&mut self, item: T, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        serde_json::to_writer(buffer.writer(), &item)
            .map_err(|error| Status::internal(format!("cannot write a message: {error}")))
    }
}

/// Reads messages.
#[derive(Debug)]
pub struct JsonDecoder<U>(PhantomData<U>);

impl<U: DeserializeOwned> Decoder for JsonDecoder<U> {
    type Item = U;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<U>, Status> {
        serde_json::from_reader(buffer.reader())
            .map(Some)
            .map_err(|error| Status::invalid_argument(format!("cannot read a message: {error}")))
    }
}
