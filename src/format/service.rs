//! The file by which a system starts `swift watch` for a person: a systemd user unit, or a launchd agent.
//!
//! The file says of itself what it should look like, by a hash in its first lines. So one that a person has edited is
//! known without any record elsewhere.

use std::fmt::Write as _;

use super::audit::digest;
use crate::domain::project::ProjectId;

/// What starts things here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manager {
    Systemd,
    Launchd,
}

/// What is to be started, where.
#[derive(Debug, Clone)]
pub(crate) struct Service<'s> {
    pub(crate) project: &'s ProjectId,
    /// Absolute paths, as text without control characters.
    pub(crate) program: &'s str,
    pub(crate) folder: &'s str,
}

/// The line that names the hash of all that stands after it.
const SEAL: &str = "swift-seal: ";

impl Service<'_> {
    /// The name of the file.
    pub(crate) fn file_name(&self, manager: Manager) -> String {
        let stem = self.project.as_str().replace('/', "-");
        match manager {
            Manager::Systemd => format!("swift-watch-{stem}.service"),
            Manager::Launchd => format!("swift.watch.{stem}.plist"),
        }
    }

    /// The file.
    pub(crate) fn render(&self, manager: Manager) -> String {
        match manager {
            Manager::Systemd => self.unit(),
            Manager::Launchd => self.agent(),
        }
    }

    fn unit(&self) -> String {
        let rest = format!(
            "[Unit]\n\
             Description=swift watch for {}\n\
             \n\
             [Service]\n\
             WorkingDirectory={}\n\
             ExecStart={} watch\n\
             Restart=on-failure\n\
             RestartSec=5\n\
             # Another watcher has the place: starting again would not help.\n\
             RestartPreventExitStatus=5\n\
             \n\
             [Install]\n\
             WantedBy=default.target\n",
            self.project,
            self.folder.replace('%', "%%"),
            quoted(self.program),
        );
        let mut text =
            "# Written by `swift watch --install`; `swift watch --uninstall` removes it.\n".to_owned();
        let _ = writeln!(text, "# {SEAL}{}", digest(rest.as_bytes()));
        text + &rest
    }

    fn agent(&self) -> String {
        let label = self.file_name(Manager::Launchd);
        let label = label.trim_end_matches(".plist");
        let rest = format!(
            "<plist version=\"1.0\">\n<dict>\n\
             \t<key>Label</key>\n\t<string>{}</string>\n\
             \t<key>ProgramArguments</key>\n\t<array>\n\t\t<string>{}</string>\n\t\t<string>watch</string>\n\t</array>\n\
             \t<key>WorkingDirectory</key>\n\t<string>{}</string>\n\
             \t<key>RunAtLoad</key>\n\t<true/>\n\
             \t<key>KeepAlive</key>\n\t<dict>\n\t\t<key>SuccessfulExit</key>\n\t\t<false/>\n\t</dict>\n\
             </dict>\n</plist>\n",
            in_xml(label),
            in_xml(self.program),
            in_xml(self.folder),
        );
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n\
             <!-- Written by `swift watch -install`; `swift watch -uninstall` removes it (both with two dashes). -->\n\
             <!-- {SEAL}{} -->\n{rest}",
            digest(rest.as_bytes())
        )
    }
}

/// Whether a file is, to the byte, as it was written.
pub(crate) fn is_as_written(text: &str) -> bool {
    let Some((_, after)) = text.split_once(SEAL) else { return false };
    let Some((line, rest)) = after.split_once('\n') else { return false };
    let seal = line.trim_end_matches(" -->");
    // What stands before the seal is fixed too.
    let before = &text[..text.len() - after.len()];
    let begins =
        ["# Written by `swift watch --install`", "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE"];
    seal == digest(rest.as_bytes()) && begins.iter().any(|begin| before.starts_with(begin))
}

/// Whether a file says that it was written by `swift` at all.
pub(crate) fn is_ours(text: &str) -> bool {
    text.contains(SEAL)
}

/// The folder that a file starts the watcher in.
pub(crate) fn is_for(text: &str, service: &Service<'_>) -> bool {
    let unit = format!("\nWorkingDirectory={}\n", service.folder.replace('%', "%%"));
    let agent = format!("<key>WorkingDirectory</key>\n\t<string>{}</string>", in_xml(service.folder));
    text.contains(&unit) || text.contains(&agent)
}

/// A word of systemd's command line: quoted, and nothing in it is expanded.
fn quoted(word: &str) -> String {
    let escaped = word.replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%").replace('$', "$$");
    format!("\"{escaped}\"")
}

fn in_xml(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_knows_whether_it_was_edited() {
        let project = "acme/hub".parse().unwrap();
        let service =
            Service { project: &project, program: "/opt/a b/$x/swift", folder: "/srv/100%/<hub> & co" };
        for manager in [Manager::Systemd, Manager::Launchd] {
            let text = service.render(manager);
            assert!(is_as_written(&text) && is_ours(&text) && is_for(&text, &service), "{text}");
            let other = Service { folder: "/srv/hub", ..service.clone() };
            assert!(!is_for(&text, &other));
            for edited in [format!("{text}\n"), text.replace("watch", "watch -v"), text.replace("hub", "hut")]
            {
                assert!(!is_as_written(&edited), "{edited}");
            }
        }
        assert!(!is_as_written("[Unit]\n") && !is_ours("[Unit]\n"));
    }

    #[test]
    fn nothing_in_a_path_means_anything_to_the_manager() {
        let project = "acme/hub".parse().unwrap();
        let service = Service { project: &project, program: "/a \"b\"\\$c%d", folder: "/e%f g" };
        let unit = service.render(Manager::Systemd);
        assert!(unit.contains("\nExecStart=\"/a \\\"b\\\"\\\\$$c%%d\" watch\n"), "{unit}");
        assert!(unit.contains("\nWorkingDirectory=/e%%f g\n"), "{unit}");
        assert_eq!(service.file_name(Manager::Systemd), "swift-watch-acme-hub.service");
        let service = Service { folder: "/a&b<c>", ..service };
        assert!(service.render(Manager::Launchd).contains("<string>/a&amp;b&lt;c&gt;</string>"));
    }
}
