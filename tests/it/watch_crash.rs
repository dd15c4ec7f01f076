//! Killed, refused by the disk, and started again.
