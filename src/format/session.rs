//! temporary
use crate::domain::actor::Actor;
use crate::domain::id::SessionId;
use jiff::Timestamp;
#[derive(Debug, Clone)]
pub(crate) struct Session { pub(crate) id: SessionId, pub(crate) actor: Actor, pub(crate) started_at: Timestamp, pub(crate) finished_at: Timestamp, pub(crate) learned: Vec<String>, pub(crate) counts: Vec<(String,u64)> }
pub(crate) fn render(s: &Session, body: &str) -> String { format!("+++\nschema = 1\nid = \"{}\"\n+++\n{body}", s.id) }
pub(crate) fn parse(_t: &str) -> Result<Session, super::Malformed> { unimplemented!() }
