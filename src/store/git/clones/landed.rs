//! Files of the queue at the root of the project: what `git merge` makes of a former branch of the queue, on which they
//! lay there. They are in no list and no log, and the project has two folders that nobody wanted.

use std::collections::BTreeSet;
use std::path::Path;

use gix::ObjectId;

use super::elsewhere::has_queue;
use super::moved;
use crate::domain::fault::Result;
use crate::domain::text::as_word;
use crate::store::git::home::create;
use crate::store::git::home::worktree::FOLDER;
use crate::store::git::objects::tree;
use crate::store::git::repo::external::Git;
use crate::store::git::repo::{Repo, refs};
use crate::store::git::{Home, HomeKind};
use crate::store::layout;

/// How many merges are looked at.
const MOST_MERGES: &str = "--max-count=4096";

/// How many names are part of a command.
const MOST_NAMED: usize = 40;

/// So many characters name a commit in a sentence.
const SHORT: usize = 12;

/// What a merge has put at the root, and what helps, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Landed {
    pub(crate) text: String,
    pub(crate) steps: Vec<String>,
    /// The merge is in progress.
    pub(crate) is_open: bool,
}

impl Home {
    /// What lies at the root of the project of a queue in the tree. Costs one look at a folder where it has no log there.
    ///
    /// # Errors
    /// Those of reading commits and of git.
    pub(crate) fn landed(&self) -> Result<Option<Landed>> {
        if self.kind != HomeKind::Tree || !has_log(&self.checkout) {
            return Ok(None);
        }
        let Some(head) = refs::tip(&self.git_dir, &self.common_dir)?.id else { return Ok(None) };
        let repo = Repo::open(&self.common_dir)?;
        for theirs in moved::at_hand(&self.git_dir, &self.common_dir)?.into_iter().skip(1) {
            if is_of_own_branch(&repo, theirs) {
                // What HEAD has there already is no work of this merge, which may be the one that helps.
                let is_new = at_root(&repo, theirs, head)?.is_empty();
                return is_new.then(|| self.in_the_middle(theirs, head)).transpose();
            }
        }
        let told = Git::at(&self.common_dir).run(&[
            "rev-list",
            "--merges",
            "--parents",
            MOST_MERGES,
            &head.to_string(),
        ])?;
        for line in String::from_utf8_lossy(&told).lines() {
            let ids: Vec<ObjectId> =
                line.split(' ').filter_map(|id| ObjectId::from_hex(id.as_bytes()).ok()).collect();
            let [merge, first, others @ ..] = &ids[..] else { continue };
            for theirs in others.iter().filter(|id| is_of_own_branch(&repo, **id)) {
                if !has_queue(&repo, *merge) {
                    continue;
                }
                let before: BTreeSet<String> = at_root(&repo, *theirs, *first)?.into_iter().collect();
                let mut paths = at_root(&repo, *theirs, head)?;
                paths.retain(|path| !before.contains(path));
                if let Some(found) = paths.first().cloned() {
                    return self.since_merge([*merge, *first, *theirs], head, &found, &paths).map(Some);
                }
            }
        }
        Ok(None)
    }

    fn in_the_middle(&self, theirs: ObjectId, head: ObjectId) -> Result<Landed> {
        let short = theirs.to_hex_with_len(SHORT).to_string();
        let text = format!(
            "the merge that is in progress puts tasks at the root of the project: {short} is of a branch on which the \
             queue's files lay there"
        );
        let steps = vec![
            "`git merge --abort` takes it back".to_owned(),
            format!("`{}` merges it into `.swift/`", self.joining(&short, theirs, head)?),
        ];
        Ok(Landed { text, steps, is_open: true })
    }

    fn since_merge(
        &self,
        [merge, first, theirs]: [ObjectId; 3],
        head: ObjectId,
        found: &str,
        paths: &[String],
    ) -> Result<Landed> {
        let more = match paths.len() - 1 {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let merge = merge.to_hex_with_len(SHORT).to_string();
        let text = format!(
            "the merge {merge} has put files of the queue at the root of the project, where they are in no list: `{found}`{more}"
        );
        let mut steps = Vec::new();
        if !self.has_joined_again(found)? {
            let base = moved::base(&self.common_dir, first, theirs)?;
            let parent = base.map(|base| format!(" -p {}", base.to_hex_with_len(SHORT))).unwrap_or_default();
            let again =
                format!("\"$(git commit-tree {}:{parent} -m 'join again')\"", theirs.to_hex_with_len(SHORT));
            steps.push(format!(
                "`{}` brings them into `.swift/`",
                self.joining(&again, base.unwrap_or(theirs), head)?
            ));
        }
        steps.push(format!("{}, with a commit, takes those at the root away", self.taking_out(head, paths)?));
        Ok(Landed { text, steps, is_open: false })
    }

    /// Whether the queue has it, or had it: it may have gone on to another folder since.
    fn has_joined_again(&self, path: &str) -> Result<bool> {
        let path = format!("{FOLDER}/{path}");
        let told = Git::at(&self.checkout).run(&["rev-list", "-1", "HEAD", "--", &path])?;
        Ok(!told.trim_ascii().is_empty())
    }

    /// The command for exactly these files: whole folders where nothing else is in them.
    fn taking_out(&self, head: ObjectId, paths: &[String]) -> Result<String> {
        let repo = Repo::open(&self.common_dir)?;
        let root = repo.commit(head)?.tree;
        let mut words = BTreeSet::new();
        for top in paths.iter().filter_map(|path| path.split('/').next()) {
            let of_it: Vec<&String> =
                paths.iter().filter(|path| path.split('/').next() == Some(top)).collect();
            let mut all = Default::default();
            if let Some(line) = tree::lookup(&repo, root, top)?.filter(tree::Line::is_folder) {
                tree::flatten(&repo, line.id, "", &mut all)?;
            }
            if all.len() == of_it.len() {
                words.insert(as_word(Path::new(top)));
            } else {
                words.extend(of_it.iter().map(|path| as_word(Path::new(path))));
            }
        }
        if words.len() > MOST_NAMED {
            return Ok("`git rm` of those files".to_owned());
        }
        let words: Vec<String> = words.into_iter().collect();
        Ok(format!("`git rm -r --quiet -- {}`", words.join(" ")))
    }
}

/// Whether a folder has the log of a queue in it. Every verb writes there, so every branch of a queue has brought some.
fn has_log(checkout: &Path) -> bool {
    let entries = std::fs::read_dir(checkout.join(layout::AUDIT)).into_iter().flatten().flatten();
    entries.into_iter().any(|entry| is_month(&entry.file_name().to_string_lossy()))
}

fn is_month(name: &str) -> bool {
    name.len() == 7
        && name
            .bytes()
            .enumerate()
            .all(|(at, byte)| if at == 4 { byte == b'-' } else { byte.is_ascii_digit() })
}

/// Whether a commit is one of a branch that has nothing but a queue.
fn is_of_own_branch(repo: &Repo, id: ObjectId) -> bool {
    repo.holds(id) && !has_queue(repo, id) && create::is_queue(repo, id).unwrap_or(false)
}

/// The files of a commit of such a branch that another commit has at the same place.
fn at_root(repo: &Repo, theirs: ObjectId, other: ObjectId) -> Result<Vec<String>> {
    let mut files = Default::default();
    tree::flatten(repo, repo.commit(theirs)?.tree, "", &mut files)?;
    let root = repo.commit(other)?.tree;
    let mut found = Vec::new();
    for path in files.into_keys().filter(|path| path.contains('/')) {
        if tree::lookup(repo, root, &path)?.is_some() {
            found.push(path);
        }
    }
    Ok(found)
}
