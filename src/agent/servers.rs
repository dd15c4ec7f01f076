//! Servers of tools for a run, looked at before it begins: Claude Code would end at once, again and again.

use std::io::Read as _;
use std::path::Path;

use serde_json::{Map, Value};

use crate::domain::fault::{Code, Fault, Result};
use crate::domain::text::shown;

/// The largest file.
const LARGEST: u64 = 1 << 20;

/// What was given, as Claude Code finds it from any folder: the path of a file with JSON, or the JSON itself.
///
/// # Errors
/// [`Code::InvalidValue`]
pub(crate) fn look(start: &Path, given: &str) -> Result<String> {
    let wrong = |why: &dyn std::fmt::Display| {
        let text = format!("`{}`, given with --mcp-config, names no servers of tools: {why}", shown(given));
        Fault::new(Code::InvalidValue, text)
            .hint("it is a file, or text, such as `{\"mcpServers\": {}}`: `claude mcp --help` tells more")
    };
    let parse = |text: &str| serde_json::from_str::<Map<String, Value>>(text);
    if given.trim_start().starts_with('{') {
        return parse(given).map(|_| given.to_owned()).map_err(|error| wrong(&error));
    }
    let path = start.join(given);
    let is_file = std::fs::metadata(&path).map_err(|error| wrong(&error))?.is_file();
    if !is_file {
        return Err(wrong(&"it is no file"));
    }
    let mut text = String::new();
    let file = std::fs::File::open(&path).map_err(|error| wrong(&error))?;
    file.take(LARGEST).read_to_string(&mut text).map_err(|error| wrong(&error))?;
    parse(&text).map_err(|error| wrong(&error))?;
    path.to_str().map(str::to_owned).ok_or_else(|| wrong(&"its path is not UTF-8"))
}
