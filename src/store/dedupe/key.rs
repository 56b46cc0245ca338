//! The keys of the index: hashes of message ids and of idempotency keys.
//!
//! Must not know where keys are kept.

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Bytes of a key.
pub(super) const KEY_BYTES: usize = 16;

/// A key without its purpose: the shape in which both kinds are sorted, stored and looked up.
pub(super) type RawKey = [u8; KEY_BYTES];

/// The first 128 bits of the BLAKE3 hash of a message id. The workspace is no part of it: each has its own index.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageKey([u8; KEY_BYTES]);

/// The first 128 bits of the BLAKE3 hash of an idempotency key, which names a whole batch.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BatchKey([u8; KEY_BYTES]);

impl MessageKey {
    /// The key of a message id.
    pub fn of(message_id: &str) -> Self {
        Self(hash(message_id))
    }

    pub fn from_bytes(bytes: [u8; KEY_BYTES]) -> Self {
        Self(bytes)
    }

    pub fn as_bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }

    pub(super) fn raw(self) -> RawKey {
        self.0
    }
}

impl BatchKey {
    /// The key of an `Idempotency-Key`.
    pub fn of(idempotency_key: &str) -> Self {
        Self(hash(idempotency_key))
    }

    pub fn from_bytes(bytes: [u8; KEY_BYTES]) -> Self {
        Self(bytes)
    }

    pub fn as_bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }

    pub(super) fn raw(self) -> RawKey {
        self.0
    }
}

/// As 32 hexadecimal digits.
impl Serialize for BatchKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format!("{:032x}", u128::from_be_bytes(self.0)))
    }
}

impl<'de> Deserialize<'de> for BatchKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let number = u128::from_str_radix(&text, 16).map_err(D::Error::custom)?;
        Ok(Self(number.to_be_bytes()))
    }
}

impl fmt::Debug for MessageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MessageKey({:032x})", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for BatchKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BatchKey({:032x})", u128::from_be_bytes(self.0))
    }
}

fn hash(text: &str) -> RawKey {
    let mut key = [0; KEY_BYTES];
    key.copy_from_slice(&blake3::hash(text.as_bytes()).as_bytes()[..KEY_BYTES]);
    key
}

/// The first eight bytes as a number that sorts as the key does: what a filter holds of a key.
pub(super) fn prefix(key: &RawKey) -> u64 {
    (u128::from_be_bytes(*key) >> 64) as u64
}
