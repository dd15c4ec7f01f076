//! Content hashes.

use sha2::{Digest as _, Sha256};

use crate::domain::event::Digest;

/// SHA-256 of the bytes in lower-case hex.
pub(crate) fn of(bytes: &[u8]) -> Digest {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
