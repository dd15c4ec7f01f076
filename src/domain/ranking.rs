//! What to do next: a number for each ready task, and a reason for each that is not ready.
//!
//! score = priority × (1 + tasks that wait for it) × age × due ÷ effort. Age and due date are counted in whole
//! days up to a date that the caller takes from the queue's own commits, so the same commits give the same list.

use jiff::civil::Date;

use super::task::{Effort, Priority, Task};

/// The factors of one score, each as shown by `--why`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Score {
    /// 1, 2, 4, 8 from low to critical.
    pub(crate) priority: f64,
    /// 1 + the tasks that wait for it, directly or through others.
    pub(crate) unblocks: f64,
    /// 1 for a new task, 2 after 30 days, 4 at most.
    pub(crate) age: f64,
    /// 1 without pressure, 1.5 within a week, 2 within three days, 3 on the day and after it.
    pub(crate) due: f64,
    /// 1, 2, 3, 4 from S to XL; the score is divided by it.
    pub(crate) effort: f64,
}

impl Score {
    /// The factors of a task for which `waiting` others wait, seen on `day`.
    pub(crate) fn of(task: &Task, waiting: usize, day: Date) -> Self {
        Score {
            priority: priority_weight(task.priority),
            unblocks: 1.0 + waiting as f64,
            age: age_factor(task, day),
            due: task.due.map_or(1.0, |due| due_factor(days_between(day, due))),
            effort: effort_weight(task.effort),
        }
    }

    /// The product, rounded to four digits so that it prints and compares the same everywhere.
    pub(crate) fn value(&self) -> f64 {
        let raw = self.priority * self.unblocks * self.age * self.due / self.effort;
        (raw * 10_000.0).round() / 10_000.0
    }
}

fn priority_weight(priority: Priority) -> f64 {
    match priority {
        Priority::Low => 1.0,
        Priority::Medium => 2.0,
        Priority::High => 4.0,
        Priority::Critical => 8.0,
    }
}

fn effort_weight(effort: Effort) -> f64 {
    match effort {
        Effort::S => 1.0,
        Effort::M => 2.0,
        Effort::L => 3.0,
        Effort::Xl => 4.0,
    }
}

fn age_factor(task: &Task, day: Date) -> f64 {
    let created = task.created.map(|at| jiff::tz::Offset::UTC.to_datetime(at).date());
    let days = created.map_or(0, |created| days_between(created, day)).clamp(0, 90);
    1.0 + f64::from(days) / 30.0
}

fn due_factor(days_left: i32) -> f64 {
    match days_left {
        ..=0 => 3.0,
        1..=3 => 2.0,
        4..=7 => 1.5,
        _ => 1.0,
    }
}

fn days_between(from: Date, to: Date) -> i32 {
    from.until(to).map_or(0, |span| span.get_days())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn task() -> Task {
        Task { created: Some("2026-01-01T12:00:00Z".parse().unwrap()), ..Task::titled("x") }
    }

    #[test]
    fn factors_multiply() {
        let task =
            Task { priority: Priority::High, effort: Effort::S, due: Some(day("2026-02-02")), ..task() };
        let score = Score::of(&task, 2, day("2026-01-31"));
        assert_eq!(
            (score.priority, score.unblocks, score.age, score.due, score.effort),
            (4.0, 3.0, 2.0, 2.0, 1.0)
        );
        assert_eq!(score.value(), 48.0);
    }

    #[test]
    fn age_is_bounded_and_never_negative() {
        assert_eq!(Score::of(&task(), 0, day("2036-01-01")).age, 4.0);
        assert_eq!(Score::of(&task(), 0, day("2020-01-01")).age, 1.0);
    }

    #[test]
    fn due_dates_press_in_steps() {
        assert_eq!([-3, 0, 1, 3, 4, 7, 8].map(due_factor), [3.0, 3.0, 2.0, 2.0, 1.5, 1.5, 1.0]);
    }
}
