//! The verbs. One file each: request in, outcome out, through one transaction for each repository.
//!
//! A verb neither prints nor asks; the command line, the watcher and other front ends call the same functions.

pub(crate) mod abreast;
pub(crate) mod apart;
pub(crate) mod carrier;
pub(crate) mod carry;
pub(crate) mod claim;
pub(crate) mod clones;
pub(crate) mod create;
pub(crate) mod dependency;
pub(crate) mod doctor;
pub(crate) mod edit;
pub(crate) mod events;
pub(crate) mod finding;
pub(crate) mod footprint;
pub(crate) mod home;
pub(crate) mod inbox;
pub(crate) mod init;
pub(crate) mod integrate;
pub(crate) mod look;
pub(crate) mod members;
pub(crate) mod notify;
pub(crate) mod pause;
pub(crate) mod prime;
pub(crate) mod progress;
pub(crate) mod rank;
pub(crate) mod registration;
pub(crate) mod resolve;
pub(crate) mod route;
pub(crate) mod run;
pub(crate) mod session;
pub(crate) mod sight;
pub(crate) mod status;
pub(crate) mod step;
pub(crate) mod undo;
pub(crate) mod upkeep;
pub(crate) mod verify;
