//! How things stand, as numbers in the text format of Prometheus (0.0.4).

use std::fmt::Write as _;

use jiff::Timestamp;

use crate::domain::task::State;
use crate::ops::status::Status;
use crate::store::gauge::{COMMIT_BOUNDS, Commits};
use crate::store::watcher::{LATENCY_BOUNDS, Record};

/// The states that are worth a curve: those of tasks that are not finished, and dead letters.
const STATES: [State; 7] =
    [State::Inbox, State::Outbox, State::Ready, State::Claimed, State::Blocked, State::Deferred, State::Dead];

/// The whole page.
pub(crate) fn render(status: &Status, record: &Record, commits: &Commits) -> String {
    let mut page = Page(String::new());
    page.queues(status);
    page.watcher(record);
    page.histogram(
        "swift_delivery_seconds",
        "From the change that was noticed to both commits.",
        &LATENCY_BOUNDS,
        &record.latency,
        seconds(record.latency_sum_ms, 1_000),
    );
    page.histogram(
        "swift_commit_seconds",
        "How long commits of the watcher took.",
        &COMMIT_BOUNDS,
        &commits.buckets,
        seconds(commits.microseconds, 1_000_000),
    );
    page.0
}

fn seconds(number: u64, parts: u64) -> f64 {
    number as f64 / parts as f64
}

struct Page(String);

impl Page {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn line(&mut self, name: &str, labels: &[(&str, &str)], value: impl std::fmt::Display) {
        let labels: Vec<String> =
            labels.iter().map(|(key, text)| format!("{key}=\"{}\"", escaped(text))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = writeln!(self.0, "{name}{labels} {value}");
    }

    fn queues(&mut self, status: &Status) {
        self.head("swift_tasks", "gauge", "Tasks in each queue by state.");
        for standing in &status.projects {
            let Ok(depths) = &standing.queue else { continue };
            for state in STATES {
                let labels = [("project", standing.id.as_str()), ("state", state.as_str())];
                self.line("swift_tasks", &labels, depths.of(state));
            }
        }
        self.head("swift_unreadable_files", "gauge", "Files in queue folders that cannot be read.");
        self.each("swift_unreadable_files", status, |standing| {
            standing.queue.as_ref().ok().map(|depths| depths.problems as f64)
        });
        self.head("swift_oldest_waiting_seconds", "gauge", "Age of the task that waits longest.");
        self.each("swift_oldest_waiting_seconds", status, |standing| {
            let oldest = standing.queue.as_ref().ok()?.oldest.as_ref();
            Some(oldest.map_or(0.0, |oldest| status.at.duration_since(oldest.since).as_secs_f64().max(0.0)))
        });
        self.head("swift_project_reachable", "gauge", "Whether the queue of a project can be read.");
        self.each("swift_project_reachable", status, |standing| {
            Some(f64::from(u8::from(standing.queue.is_ok())))
        });
        self.head("swift_project_paused", "gauge", "Whether a person has paused the project.");
        self.each("swift_project_paused", status, |standing| Some(f64::from(u8::from(standing.is_paused))));
    }

    fn each(
        &mut self,
        name: &str,
        status: &Status,
        value: impl Fn(&crate::ops::status::Standing) -> Option<f64>,
    ) {
        for standing in &status.projects {
            if let Some(value) = value(standing) {
                self.line(name, &[("project", &standing.id)], value);
            }
        }
    }

    fn watcher(&mut self, record: &Record) {
        let total = &record.total;
        let counters = [
            ("swift_passes_total", "Passes that did something or looked at everything.", total.passes),
            ("swift_commits_total", "Commits that the watcher made.", total.commits),
            ("swift_deliveries_total", "Tasks that were carried to their receivers.", total.delivered),
            ("swift_receipts_total", "Receipts that were brought back.", total.receipts),
            ("swift_accepted_total", "Tasks that were accepted by rule.", total.accepted),
            ("swift_leases_released_total", "Leases that had run out.", total.released),
            ("swift_quarantined_total", "Files that were put aside.", total.quarantined),
            ("swift_given_up_total", "Tasks that could not be delivered for too long.", total.given_up),
        ];
        for (name, help, value) in counters {
            self.head(name, "counter", help);
            self.line(name, &[], value);
        }
        self.head("swift_failures_total", "counter", "Failures by code.");
        for (code, count) in &record.failures {
            self.line("swift_failures_total", &[("code", code)], count);
        }
        let instants = [
            ("swift_start_time_seconds", "When the watcher started.", Some(record.started_at.as_str())),
            (
                "swift_last_pass_time_seconds",
                "When the last pass was.",
                record.last_pass.as_ref().map(|pass| pass.at.as_str()),
            ),
        ];
        for (name, help, at) in instants {
            self.head(name, "gauge", help);
            if let Some(at) = at.and_then(|at| at.parse::<Timestamp>().ok()) {
                self.line(name, &[], at.as_millisecond() as f64 / 1_000.0);
            }
        }
    }

    /// Counts for each bound and one more; the format wants them added up.
    fn histogram(&mut self, name: &str, help: &str, bounds: &[u64], counts: &[u64], sum: f64) {
        self.head(name, "histogram", help);
        let bucket = format!("{name}_bucket");
        let mut total = 0;
        for (index, count) in counts.iter().enumerate() {
            total += count;
            let bound =
                bounds.get(index).map_or("+Inf".to_owned(), |bound| seconds(*bound, 1_000).to_string());
            self.line(&bucket, &[("le", &bound)], total);
        }
        self.line(&format!("{name}_sum"), &[], sum);
        self.line(&format!("{name}_count"), &[], total);
    }
}

/// What the format asks for in label values.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_add_up_and_labels_are_escaped() {
        let mut page = Page(String::new());
        page.histogram("x", "Help.", &[10, 500], &[1, 2, 3], 1.5);
        page.line("y", &[("z", "a\"b\\c\nd")], 1);
        let expected = "# HELP x Help.\n# TYPE x histogram\nx_bucket{le=\"0.01\"} 1\nx_bucket{le=\"0.5\"} 3\n\
            x_bucket{le=\"+Inf\"} 6\nx_sum 1.5\nx_count 6\ny{z=\"a\\\"b\\\\c\\nd\"} 1\n";
        assert_eq!(page.0, expected);
    }
}
