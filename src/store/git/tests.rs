//! The engine in every state that a repository can be in, with the real git as judge.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod basics;
mod broken;
mod moves;
mod refusals;
mod sandbox;
mod states;
mod sweep;
