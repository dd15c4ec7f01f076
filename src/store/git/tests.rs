//! The engine in every state that a repository can be in, with the real git as judge.

mod basics;
mod broken;
mod ignored;
mod moves;
mod refusals;
mod sandbox;
mod states;
mod sweep;
