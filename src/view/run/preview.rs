//! What a run would be, with everything that it would be given.

use std::fmt::Write as _;

use serde::Serialize;

use crate::domain::text::shown;
use crate::view::View;

/// What a run would be.
#[derive(Debug, Serialize)]
pub(crate) struct RunPlanView {
    pub(crate) title: String,
    pub(crate) task: Option<String>,
    pub(crate) tier: &'static str,
    pub(crate) model: String,
    pub(crate) rule: String,
    pub(crate) route_reasons: Vec<String>,
    pub(crate) program: String,
    pub(crate) arguments: Vec<String>,
    /// Names only: values may be secret.
    pub(crate) environment: Vec<String>,
    pub(crate) branch: Option<String>,
    pub(crate) folder: String,
    pub(crate) base: Option<String>,
    pub(crate) timeout_seconds: u64,
    pub(crate) silence_seconds: u64,
    pub(crate) max_usd: f64,
    pub(crate) max_turns: u32,
    pub(crate) permission: &'static str,
    pub(crate) allow: Vec<String>,
    pub(crate) verify: Vec<Vec<String>>,
    pub(crate) attempts_before: usize,
    pub(crate) prompt_bytes: usize,
    #[serde(rename = "notes")]
    pub(crate) remarks: Vec<String>,
}

impl View for RunPlanView {
    fn text(&self, out: &mut String) {
        let mut line = |name: &str, value: &str| {
            let _ = writeln!(out, "{name:<11} {}", shown(value));
        };
        line("would run", &self.title);
        line("model", &format!("{} ({}: {})", self.model, self.rule, self.route_reasons.join("; ")));
        match &self.branch {
            Some(branch) => line("branch", &format!("{branch}, in {}", self.folder)),
            None => line("folder", &format!("{}, read-only", self.folder)),
        }
        line("permission", &format!("{}; allowed by name: {}", self.permission, or_none(&self.allow)));
        line(
            "limits",
            &format!(
                "{} s, {} s of silence, ${:.2}, {} turns",
                self.timeout_seconds, self.silence_seconds, self.max_usd, self.max_turns
            ),
        );
        let verifiers: Vec<String> = self.verify.iter().map(|command| command.join(" ")).collect();
        line("verify", &or_none(&verifiers));
        line("environment", &self.environment.join(" "));
        line("program", &self.program);
        for argument in &self.arguments {
            line("", argument);
        }
        line("stdin", &format!("the prompt, {} bytes", self.prompt_bytes));
    }

    fn notes(&self) -> Vec<String> {
        let nothing = "nothing was started and nothing was written".to_owned();
        self.remarks.iter().cloned().chain([nothing]).collect()
    }
}

fn or_none(words: &[String]) -> String {
    if words.is_empty() { "none".to_owned() } else { words.join(", ") }
}
