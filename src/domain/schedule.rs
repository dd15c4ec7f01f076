//! When something is due again: a cron expression in the time of a wall clock.
//!
//! The expression is computed on the calendar alone and then placed in the time zone. So an hour that a zone skips moves
//! the instant behind the gap, and an hour that clocks show twice counts once.

use std::fmt;
use std::str::FromStr;

use cronexpr::{Crontab, FallbackTimezoneOption, MakeTimestamp, ParseOptions};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::fault::{Code, Fault};
use super::text::shown;

/// How long ago something may have been due to be made up for.
pub(crate) const GRACE: SignedDuration = SignedDuration::from_hours(24);

/// A cron expression: minute, hour, day of the month, month, day of the week.
#[derive(Debug, Clone)]
pub(crate) struct Schedule {
    text: String,
    crontab: Crontab,
}

impl Schedule {
    /// The first instant after this one; `None` if there is none within four years.
    pub(crate) fn next_after(&self, instant: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let mut civil = instant.to_zoned(zone.clone()).datetime();
        loop {
            let start = civil.to_zoned(TimeZone::UTC).ok()?.timestamp();
            let next = self.crontab.find_next(MakeTimestamp(start)).ok()?;
            let at = next.datetime().to_zoned(zone.clone()).ok()?.timestamp();
            if at > instant {
                return Some(at);
            }
            // The clock shows this hour for the second time.
            civil = next.datetime();
        }
    }

    /// The last instant up to now that was not done: after `done`, and no longer ago than [`GRACE`].
    pub(crate) fn missed(&self, done: Timestamp, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let earliest = now.checked_sub(GRACE).unwrap_or(Timestamp::MIN);
        let mut last = None;
        let mut at = self.next_after(done.max(earliest), zone)?;
        while at <= now {
            last = Some(at);
            at = self.next_after(at, zone)?;
        }
        last
    }
}

impl FromStr for Schedule {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        let wrong = |why: &str| {
            Fault::new(Code::InvalidValue, format!("`{}` is not a schedule: {why}", shown(text)))
                .hint("a schedule is written as for cron: `0 8 * * 1-5` is 8 o'clock from Monday to Friday")
        };
        let words: Vec<&str> = text.split_whitespace().collect();
        if words.len() != 5 {
            return Err(wrong("it has to have five fields: minute, hour, day, month, day of the week"));
        }
        let mut options = ParseOptions::default();
        options.fallback_timezone_option = FallbackTimezoneOption::UTC;
        let text = words.join(" ");
        let crontab = cronexpr::parse_crontab_with(&text, options).map_err(|error| {
            wrong(error.to_string().lines().last().unwrap_or_default().trim_start_matches([' ', '^']))
        })?;
        let schedule = Schedule { text: text.clone(), crontab };
        match schedule.next_after(Timestamp::UNIX_EPOCH, &TimeZone::UTC) {
            Some(_) => Ok(schedule),
            None => Err(wrong("no day is ever like that")),
        }
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl PartialEq for Schedule {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Schedule {}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(text: &str) -> Schedule {
        text.parse().unwrap_or_else(|fault| panic!("{fault}"))
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn week(text: &str, zone: &str, start: &str) -> Vec<String> {
        let (schedule, zone) = (schedule(text), TimeZone::get(zone).unwrap());
        let mut now = at(start);
        let mut all = Vec::new();
        while let Some(next) = schedule.next_after(now, &zone).filter(|next| *next < at(start) + GRACE * 7) {
            all.push(next.to_string());
            now = next;
        }
        all
    }

    #[test]
    fn weekdays_at_eight_are_five_instants_a_week() {
        let all = week("0 8 * * 1-5", "Europe/Berlin", "2026-03-01T00:00:00Z");
        let expected = ["02", "03", "04", "05", "06"].map(|day| format!("2026-03-{day}T07:00:00Z"));
        assert_eq!(all, expected);
    }

    #[test]
    fn eight_o_clock_is_eight_o_clock_when_clocks_change() {
        let all = week("0 8 * * *", "Europe/Berlin", "2026-03-27T12:00:00Z");
        assert_eq!(all[0], "2026-03-28T07:00:00Z");
        assert_eq!(all[1], "2026-03-29T06:00:00Z");
    }

    #[test]
    fn a_skipped_hour_comes_after_the_gap_and_a_repeated_one_once() {
        let gap = week("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z");
        assert_eq!(gap[0], "2026-03-29T01:30:00Z");
        assert_eq!(gap[1], "2026-03-30T00:30:00Z");
        let fold = week("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z");
        assert_eq!(&fold[..2], ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]);
        let second = schedule("30 2 * * *")
            .next_after(at("2026-10-25T01:10:00Z"), &TimeZone::get("Europe/Berlin").unwrap());
        assert_eq!(second.unwrap().to_string(), "2026-10-26T01:30:00Z");
    }

    #[test]
    fn what_was_missed_comes_once_and_only_within_a_day() {
        let (every, zone) = (schedule("0 8 * * *"), TimeZone::UTC);
        let now = at("2026-03-10T09:00:00Z");
        let missed = |done: &str| every.missed(at(done), now, &zone).map(|at| at.to_string());
        assert_eq!(missed("2026-03-01T00:00:00Z").as_deref(), Some("2026-03-10T08:00:00Z"));
        assert_eq!(missed("2026-03-10T08:00:00Z"), None);
        assert_eq!(missed("2026-03-12T00:00:00Z"), None);
        let weekly = schedule("0 8 * * 1");
        assert_eq!(weekly.missed(at("2026-03-01T00:00:00Z"), at("2026-03-10T09:00:00Z"), &zone), None);
        let often = schedule("*/5 * * * *");
        assert_eq!(
            often.missed(at("2026-03-01T00:00:00Z"), now, &zone).map(|at| at.to_string()).as_deref(),
            Some("2026-03-10T09:00:00Z")
        );
    }

    #[test]
    fn what_is_no_schedule_is_refused() {
        for text in ["", "8", "0 8 * *", "0 8 * * 1-5 UTC", "60 8 * * *", "0 8 30 2 *", "@daily", "a b c d e"]
        {
            assert!(text.parse::<Schedule>().is_err(), "{text}");
        }
        assert_eq!(schedule(" 0  8 * * 1-5 ").to_string(), "0 8 * * 1-5");
    }
}
