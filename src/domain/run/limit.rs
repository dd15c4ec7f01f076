//! What a text tells of the account's usage limit: that it is reached, and until when.
//!
//! Where there is a structured notice it comes first; this is for accounts and versions that only say it in words.

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _, Zoned};

/// The longest that a told time is believed: a weekly window, and a day.
pub(super) const LONGEST_REST: SignedDuration = SignedDuration::from_hours(8 * 24);

/// The most words in front of "limit reached": `Opus weekly limit reached`.
const MOST_WORDS: usize = 4;

/// Whether an error's text is one of the sentences in which Claude Code tells that a usage limit is reached.
///
/// The sentences are listed in the reports on its wording over the years: `5-hour limit reached ∙ resets 11pm`,
/// `You've hit your session limit · resets 3:50pm (Asia/Tokyo)`, `You're out of extra usage · resets …`.
pub(super) fn is_told(text: &str) -> bool {
    let line = first_line(text);
    let says = |start: &str, then: &str| line.strip_prefix(start).is_some_and(|rest| rest.contains(then));
    says("you've hit your ", "limit")
        || says("you've reached your ", "limit")
        || says("you're out of ", "usage")
        || is_a_named_limit(&line)
}

/// `<what> limit reached`; a limit of the rate of requests is another thing.
fn is_a_named_limit(line: &str) -> bool {
    let Some((before, _)) = line.split_once("limit reached") else { return false };
    let words: Vec<&str> = before.split_whitespace().collect();
    (1..=MOST_WORDS).contains(&words.len()) && !words.iter().any(|word| matches!(*word, "rate" | "error:"))
}

/// The beginning of a text in one form of writing.
fn first_line(text: &str) -> String {
    let line = text.trim_start().lines().next().unwrap_or_default();
    line.chars().take(300).collect::<String>().to_lowercase().replace('’', "'")
}

/// The time that a text tells, if it is one that can be believed.
///
/// Understood are `…|1893456000`, `resets 2030-01-01T00:00:00Z`, `resets 11pm`, `resets 3:50pm (Asia/Tokyo)`,
/// `will reset at 23:15.`, `resets Oct 9, 8am`, `resets Jan 1, 2030, 12am (UTC)` and `resets in 2h 30m`. A time without
/// a zone is in that of `now`, one without a date is the next such time.
pub(super) fn reset_in(text: &str, now: &Zoned) -> Option<Timestamp> {
    let line = first_line(text);
    let told = match line.rsplit_once('|').and_then(|(_, seconds)| seconds.trim().parse::<i64>().ok()) {
        Some(seconds) => Timestamp::from_second(seconds).ok(),
        None => in_words(&line, now),
    };
    believable(told, now)
}

/// A time that lies ahead, and not too far: a clock that goes wrong, or another unit, is no reason to rest for years.
pub(super) fn believable(told: Option<Timestamp>, now: &Zoned) -> Option<Timestamp> {
    let now = now.timestamp();
    told.filter(|told| *told > now && told.duration_since(now) <= LONGEST_REST)
}

fn in_words(line: &str, now: &Zoned) -> Option<Timestamp> {
    let (_, rest) = line.split_once("resets ").or_else(|| line.split_once("will reset "))?;
    let (when, zone) = match rest.split_once('(') {
        Some((when, zone)) => (when, TimeZone::get(zone.split(')').next()?.trim()).ok()?),
        None => (rest, now.time_zone().clone()),
    };
    let mut words = when.split(|c: char| c.is_whitespace() || c == ',').filter(|word| !word.is_empty());
    let first = words.by_ref().find(|word| !matches!(*word, "at" | "on"))?;
    if let Ok(instant) = first.trim_end_matches('.').to_uppercase().parse() {
        return Some(instant);
    }
    let rest: Vec<&str> = words.filter(|word| *word != "at").take(4).collect();
    if first == "in" {
        return after(&rest, now);
    }
    let here = now.with_time_zone(zone);
    match month(first) {
        Some(month) => on_a_day(month, &rest, &here),
        None => next_time(clock(first, rest.first().copied())?, &here),
    }
}

/// `2h 30m`: as many of the words as make a duration.
fn after(words: &[&str], now: &Zoned) -> Option<Timestamp> {
    let spoken =
        |most: usize| words.get(..most)?.join(" ").trim_end_matches('.').parse::<SignedDuration>().ok();
    let wait = (1..=words.len()).rev().find_map(spoken)?;
    now.timestamp().checked_add(wait).ok()
}

/// `Oct 9, 8am`, with or without the year.
fn on_a_day(month: i8, rest: &[&str], here: &Zoned) -> Option<Timestamp> {
    let day: i8 = rest.first()?.parse().ok()?;
    let year = rest.get(1).filter(|word| word.len() == 4).and_then(|word| word.parse::<i16>().ok());
    let times = rest.get(if year.is_some() { 2 } else { 1 }..)?;
    let time = clock(times.first()?, times.get(1).copied())?;
    let on = |year: i16| {
        let date = Date::new(year, month, day).ok()?;
        Some(date.to_datetime(time).to_zoned(here.time_zone().clone()).ok()?.timestamp())
    };
    match year {
        Some(year) => on(year),
        // In December, January is that of the next year.
        None => on(here.year()).filter(|told| *told > here.timestamp()).or_else(|| on(here.year() + 1)),
    }
}

/// The next time that the clock there shows this.
fn next_time(time: Time, here: &Zoned) -> Option<Timestamp> {
    let today = here.with().time(time).build().ok()?;
    let next = if today > *here { today } else { today.checked_add(1.day()).ok()? };
    Some(next.timestamp())
}

/// `jan`, `january`.
fn month(word: &str) -> Option<i8> {
    const MONTHS: [&str; 12] =
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let at = MONTHS.iter().position(|month| word.starts_with(month))?;
    i8::try_from(at + 1).ok()
}

/// `11pm`, `3:50pm`, `8 am`, `15:50`.
fn clock(word: &str, next: Option<&str>) -> Option<Time> {
    let word = word.trim_end_matches('.');
    let half = |word: &str| match word.trim_end_matches('.') {
        "am" => Some(0),
        "pm" => Some(12),
        _ => None,
    };
    let digits = word.trim_end_matches(char::is_alphabetic);
    let half = half(&word[digits.len()..]).or_else(|| half(next?).filter(|_| digits == word));
    let (hour, minute) = digits.split_once(':').unwrap_or((digits, "0"));
    let (hour, minute): (i8, i8) = (hour.parse().ok()?, minute.parse().ok()?);
    match half {
        Some(half) if (1..=12).contains(&hour) => Time::new(hour % 12 + half, minute, 0, 0).ok(),
        None if digits.contains(':') && digits == word => Time::new(hour, minute, 0, 0).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2029-12-30, half past nine in the evening, three hours ahead of Greenwich.
    fn now() -> Zoned {
        let zone = TimeZone::fixed(jiff::tz::offset(3));
        jiff::civil::date(2029, 12, 30).at(21, 30, 0, 0).to_zoned(zone).unwrap()
    }

    fn told(text: &str) -> Option<String> {
        reset_in(text, &now()).map(|at| at.to_string())
    }

    #[test]
    fn the_sentences_of_many_versions_are_known() {
        for text in [
            "You've hit your limit · resets Jan 1, 2030, 12am (UTC)",
            "You’ve hit your session limit · resets 3:50pm (Asia/Tokyo)",
            "You've reached your usage limit for this week.",
            "Claude usage limit reached. It resets 2030-01-01T00:00:00Z.",
            "5-hour limit reached ∙ resets 11pm",
            "Opus weekly limit reached ∙ resets Dec 9, 8am",
            "You're out of extra usage · resets 2am",
            "Claude AI usage limit reached|1893456000",
        ] {
            assert!(is_told(text), "{text}");
        }
        for text in [
            "API Error: Rate limit reached",
            "Rate limit reached for requests",
            "limit reached",
            "I have read all the code in which the limit reached its end",
            "you are out of luck",
            "",
        ] {
            assert!(!is_told(text), "{text}");
        }
    }

    #[test]
    fn times_are_understood_as_they_are_told() {
        let midnight = Some("2030-01-01T00:00:00Z".to_owned());
        assert_eq!(told("Claude AI usage limit reached|1893456000"), midnight);
        assert_eq!(told("Claude usage limit reached. It resets 2030-01-01T00:00:00Z."), midnight);
        assert_eq!(told("You've hit your limit · resets Jan 1, 2030, 12am (UTC)"), midnight);
        assert_eq!(told("weekly limit reached ∙ resets Jan 1, 12am (UTC)"), midnight, "the next January");
        assert_eq!(
            told("weekly limit reached ∙ resets January 1 at 3:00 AM"),
            midnight,
            "here it is three hours later"
        );
        assert_eq!(told("5-hour limit reached ∙ resets 11pm"), Some("2029-12-30T20:00:00Z".to_owned()));
        assert_eq!(
            told("5-hour limit reached ∙ resets 9:30pm"),
            Some("2029-12-31T18:30:00Z".to_owned()),
            "not now"
        );
        assert_eq!(told("limit · resets 2 am\n/upgrade for more"), Some("2029-12-30T23:00:00Z".to_owned()));
        assert_eq!(told("limit · resets 23:15 · /upgrade"), Some("2029-12-30T20:15:00Z".to_owned()));
        assert_eq!(
            told("Claude usage limit reached. Your limit will reset at 3am (Europe/Berlin)."),
            Some("2029-12-31T02:00:00Z".to_owned())
        );
        assert_eq!(
            told("Claude usage limit reached. Your limit will reset at 23:15."),
            Some("2029-12-30T20:15:00Z".to_owned())
        );
        assert_eq!(told("limit · resets in 2h 30m."), Some("2029-12-30T21:00:00Z".to_owned()));
        assert_eq!(told("limit · resets in 45 minutes, try then"), Some("2029-12-30T19:15:00Z".to_owned()));
    }

    #[test]
    fn what_cannot_be_is_not_believed() {
        for text in [
            "limit · resets 13pm",
            "limit · resets 25:00",
            "limit · resets 0am",
            "limit · resets Feb 30, 8am",
            "limit · resets soon",
            "limit · resets ",
            "limit · resets in a while",
            "limit · resets 8am (Nowhere/City)",
            "limit · resets Jan 1, 2031, 12am (UTC)",
            "limit · resets 2020-01-01T00:00:00Z",
            "limit|1000",
            "limit|1893456000000",
            "limit|99999999999999999999",
        ] {
            assert_eq!(told(text), None, "{text}");
        }
    }
}
