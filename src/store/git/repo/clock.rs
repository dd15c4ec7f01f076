//! The time of a commit, with the offset of the machine's time zone.
//!
//! gix asks a library that lists the whole time zone database to find one zone, which costs more than writing the
//! commit. Here the one file that matters is read; whatever is unusual is left to the library.

use std::path::{Component, Path, PathBuf};

use gix::date::Time;
use jiff::Timestamp;
use jiff::tz::TimeZone;

const DATABASE: &str = "/usr/share/zoneinfo";

/// Now, as git writes it.
pub(super) fn now() -> Time {
    let fixed = crate::env::fixed_instant();
    let now = fixed.unwrap_or_else(Timestamp::now);
    match zone() {
        Some(zone) => Time { seconds: now.as_second(), offset: zone.to_offset(now).seconds() },
        None if fixed.is_some() => Time { seconds: now.as_second(), offset: 0 },
        None => Time::now_local_or_utc(),
    }
}

fn zone() -> Option<TimeZone> {
    let file = match std::env::var_os("TZ") {
        None => PathBuf::from("/etc/localtime"),
        Some(name) => named(Path::new(&name))?,
    };
    TimeZone::tzif("local", &std::fs::read(file).ok()?).ok()
}

/// The file of a zone that `TZ` names, if it is a plain name.
fn named(name: &Path) -> Option<PathBuf> {
    let plain = name.components().all(|part| matches!(part, Component::Normal(_)));
    (plain && !name.as_os_str().is_empty()).then(|| Path::new(DATABASE).join(name))
}
