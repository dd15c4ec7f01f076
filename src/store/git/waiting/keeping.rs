//! Files that are written and not committed yet: all of a verb's, or none, wherever it is cut off.
//!
//! A commit on its way is its own journal. Here that are the contents, which are kept below the git folder until they are
//! committed, and the pending record, which says what each file was and what it is to be. Once that is written it will
//! happen: an error puts everything back, a kill leaves the record, and the next verb finishes it.
//!
//! What is neither has been edited meanwhile, and stays. If nothing was in its place by then, the rest stays as it was, too;
//! otherwise the rest is finished, and the edit is no debt: the next verb records it as made by hand.

use std::collections::{BTreeMap, BTreeSet};

use gix::ObjectId;

use super::debt;
use super::owed::Bond;
use super::record::{Kept, Waiting};
use crate::domain::fault::{Fault, Result};
use crate::store::git::commit::arrival::Stop;
use crate::store::git::commit::pending::Planned;
use crate::store::git::disk::folder::{Folder, Staged};
use crate::store::git::disk::path;
use crate::store::git::disk::sync::Barrier;
use crate::store::git::repo::Repo;
use crate::store::git::{Change, Durability, Expect, Guard, Home, commit};

const HEAD_LINE: &str = "swift keeping 1";

/// Files on their way that are not committed with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store::git) struct Keeping {
    /// What they are owed to, as [`Waiting::branch`].
    branch: String,
    /// Why they are not committed, for a person who looks.
    reason: String,
    files: BTreeMap<String, Step>,
}

/// One of these files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Step {
    /// What it was just before.
    old: Option<ObjectId>,
    kept: Kept,
}

/// How far a file of a verb that was cut off is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// As it was.
    Old,
    /// As it is to be.
    New,
    /// It was new, and in its place; somebody has moved or removed it since.
    Moved,
    /// git has put back what is committed.
    Committed,
    /// Somebody has made something else of what was there before.
    Edited,
    /// Of what was put in its place.
    Rewritten,
}

impl Home {
    /// Keep changes without committing them; the next commit includes them. They are written, unless git is in the
    /// middle of something that must not find them.
    pub(crate) fn keep(&self, guard: &Guard, changes: Vec<Change>, reason: &str) -> Result<()> {
        self.keep_with(guard, &changes, reason, Bond::Person)
    }

    /// The same for a commit that would have been made here and now.
    pub(in crate::store::git) fn keep_due(
        &self,
        guard: &Guard,
        changes: Vec<Change>,
        reason: &str,
    ) -> Result<()> {
        self.keep_with(guard, &changes, reason, Bond::Branch)
    }

    fn keep_with(&self, guard: &Guard, changes: &[Change], reason: &str, bond: Bond) -> Result<()> {
        if self.keeps_apart() {
            return self.keep_apart(guard, changes);
        }
        self.check(guard);
        if changes.is_empty() {
            return Ok(());
        }
        changes.iter().try_for_each(|change| path::check(&change.path))?;
        self.free_locks()?;
        let repo = self.repo()?;
        let folder = Folder::open(&self.root)?.shared(repo.sharing()?);
        let owed = self.owed_so_far(&repo, bond)?;
        let before = Before { debts: self.debt_set()?, owed: Waiting::read(&owed.folder)? };
        let files = self.planned(&repo, &folder, (&before.debts, &owed), changes)?;
        let keeping = Keeping { branch: owed.branch.clone(), reason: reason.replace('\0', " "), files };
        self.make_records(repo.sharing()?)?;
        repo.sharing()?.make_folders(&owed.folder)?;
        Work { home: self, folder: &folder, changes, keeping: &keeping, owed, before }.carry_out()
    }

    /// What is to be noted of these changes, with what is a debt already.
    fn planned(
        &self,
        repo: &Repo,
        folder: &Folder,
        (debts, owed): (&BTreeSet<String>, &Waiting),
        changes: &[Change],
    ) -> Result<BTreeMap<String, Step>> {
        let mut files = BTreeMap::new();
        for change in changes {
            let id = |content: &[u8]| commit::blob_id(repo, content);
            let new = change.content.as_deref().map(id).transpose()?;
            let base = match owed.files.get(&change.path) {
                Some(kept) => kept.base,
                None if debts.contains(&change.path) => self.committed_now(repo, &change.path)?,
                None => self.base_of(repo, folder, &change.path, new)?,
            };
            let old = match &change.expect {
                Expect::Bytes(bytes) => Some(id(bytes)?),
                Expect::Absent => None,
                Expect::Any => folder.read(&change.path)?.as_deref().map(id).transpose()?,
            };
            files.insert(change.path.clone(), Step { old, kept: Kept { base, new } });
        }
        Ok(files)
    }

    /// Finish what a killed process has begun; the lock is held, so that process is gone.
    pub(in crate::store::git) fn finish_keeping(&self, keeping: &Keeping) -> Result<()> {
        let repo = self.repo()?;
        let kept = Waiting { folder: self.owed_folder(), branch: String::new(), files: BTreeMap::new() };
        let new = keeping.files.values().filter_map(|step| step.kept.new);
        if !new.into_iter().all(|id| kept.content(id).is_file()) {
            // The power went before the record counted: no file of the queue has been touched.
            return Ok(());
        }
        let folder = Folder::open(&self.root)?.shared(repo.sharing()?);
        let found = self.standing(&repo, &folder, keeping)?;
        let has = |wanted: Standing| found.values().any(|standing| *standing == wanted);
        let is_begun = keeping.files.iter().any(|(path, step)| step.is_put(found[path.as_str()]));
        if !is_begun && (has(Standing::Edited) || has(Standing::Moved)) {
            return Ok(());
        }
        let mut changes = Vec::new();
        let mut theirs = BTreeSet::new();
        for (path, step) in &keeping.files {
            match found[path.as_str()] {
                // What it was to become is not where it was put.
                Standing::Old if step.kept.new.is_none() && has(Standing::Moved) => {
                    theirs.insert(path.clone());
                }
                Standing::Old => {
                    let content = step.kept.new.map(|id| kept.read_content(id)).transpose()?;
                    let expect = folder.read(path)?.map_or(Expect::Absent, Expect::Bytes);
                    changes.push(Change { path: path.clone(), content, expect });
                }
                Standing::Edited | Standing::Rewritten => {
                    theirs.insert(path.clone());
                }
                Standing::New | Standing::Moved | Standing::Committed => {}
            }
        }
        debt::write_all(&folder, &changes)?;
        self.note_kept(keeping, &theirs)
    }

    /// Keep what a commit that was cut off has put in place: it will be in the next one.
    pub(in crate::store::git) fn keep_put(
        &self,
        repo: &Repo,
        folder: &Folder,
        files: &[Planned],
        reason: &str,
    ) -> Result<()> {
        let owed = self.owed_so_far(repo, Bond::Branch)?;
        let mut changes = Vec::new();
        for file in files {
            let content = folder.read(&file.path)?;
            let here = content.as_deref().map(|content| commit::blob_id(repo, content)).transpose()?;
            if here == file.new.map(|leaf| leaf.id) {
                changes.push(Change { path: file.path.clone(), content, expect: Expect::Any });
            }
        }
        if changes.is_empty() {
            return Ok(());
        }
        let files = self.planned(repo, folder, (&self.debt_set()?, &owed), &changes)?;
        let keeping = Keeping { branch: owed.branch.clone(), reason: reason.to_owned(), files };
        self.make_records(repo.sharing()?)?;
        repo.sharing()?.make_folders(&owed.folder)?;
        let mut barrier = Barrier::default();
        self.write_contents(&owed, &keeping, &changes, &mut barrier)?;
        barrier.wait(Durability::Full)?;
        self.note_kept(&keeping, &BTreeSet::new())
    }

    fn write_contents(
        &self,
        owed: &Waiting,
        keeping: &Keeping,
        changes: &[Change],
        barrier: &mut Barrier,
    ) -> Result<()> {
        for change in changes {
            if let (Some(id), Some(content)) = (keeping.files[&change.path].kept.new, &change.content) {
                self.write_waiting(&owed.content(id), content, barrier)?;
            }
        }
        Ok(())
    }

    /// Note as debts what was put in place, but for what somebody has made something else of.
    fn note_kept(&self, keeping: &Keeping, theirs: &BTreeSet<String>) -> Result<()> {
        let repo = self.repo()?;
        self.make_records(repo.sharing()?)?;
        let mut debts = self.debt_set()?;
        let mut owed = self.owed(&debts)?.unwrap_or_else(|| self.nothing_owed());
        owed.branch.clone_from(&keeping.branch);
        debts.extend(keeping.files.keys().cloned());
        debts.retain(|path| !theirs.contains(path));
        owed.files.extend(keeping.kept());
        owed.files.retain(|path, _| !theirs.contains(path));
        self.write_debts_because(&debts, &keeping.reason)?;
        self.write_record_of(&owed)
    }

    /// How far each file is.
    fn standing<'k>(
        &self,
        repo: &Repo,
        folder: &Folder,
        keeping: &'k Keeping,
    ) -> Result<BTreeMap<&'k str, Standing>> {
        let mut staged = None;
        // Without the place where it would wait nothing is known.
        let mut waits = |new: &ObjectId| {
            if staged.is_none() {
                staged = Some(folder.staged_ids(repo)?);
            }
            Ok::<_, Fault>(staged.iter().flatten().all(|staged| staged.contains(new)))
        };
        let mut found = BTreeMap::new();
        for (path, step) in &keeping.files {
            let here = folder.read(path)?.map(|content| commit::blob_id(repo, &content)).transpose()?;
            let new = step.kept.new;
            let standing = match (here, &new) {
                _ if here == new => Standing::New,
                (None, Some(new)) if step.old.is_none() && !waits(new)? => Standing::Moved,
                _ if here == step.old => Standing::Old,
                _ if here == step.kept.base || here == self.committed_now(repo, path)? => Standing::Committed,
                (_, Some(new)) if !waits(new)? => Standing::Rewritten,
                _ => Standing::Edited,
            };
            found.insert(path.as_str(), standing);
        }
        Ok(found)
    }
}

/// What was noted before a change, for taking it back.
struct Before {
    debts: BTreeSet<String>,
    owed: Option<Waiting>,
}

/// What the steps of one change share.
struct Work<'a> {
    home: &'a Home,
    folder: &'a Folder,
    changes: &'a [Change],
    keeping: &'a Keeping,
    owed: Waiting,
    before: Before,
}

impl Work<'_> {
    fn carry_out(mut self) -> Result<()> {
        let mut barrier = Barrier::default();
        let mut staged = Vec::new();
        let prepared = self.prepare(&mut staged, &mut barrier);
        let Err(stop) = prepared.map_err(Stop::from).and_then(|()| self.put_in_place(&staged, barrier))
        else {
            return Ok(());
        };
        // What is half done is finished by the next verb, which has to see what was not put in place.
        if !stop.half {
            self.folder.discard(staged.into_iter().flatten());
            self.home.empty_pending()?;
            self.home.sweep_owed();
        }
        Err(stop.fault)
    }

    /// Write everything where nobody looks for it.
    fn prepare(&self, staged: &mut Vec<Option<Staged>>, barrier: &mut Barrier) -> Result<()> {
        for change in self.changes {
            let content = change.content.as_ref();
            staged.push(content.map(|content| self.folder.stage(content, barrier)).transpose()?);
        }
        self.home.write_contents(&self.owed, self.keeping, self.changes, barrier)?;
        self.home.note_record(&self.keeping.render(), barrier)
    }

    fn put_in_place(&mut self, staged: &[Option<Staged>], barrier: Barrier) -> Result<(), Stop> {
        barrier.wait(Durability::Full)?;
        let mut change = self.folder.change();
        let put = debt::place_all(&mut change, self.changes, staged).and_then(|()| self.note());
        match put {
            Ok(()) => {
                change.complete();
                // A record that stays is of something that is done.
                let _ = self.home.empty_pending();
                Ok(())
            }
            Err(fault) => {
                let half = change.take_back().is_err();
                if !half {
                    self.restore_notes();
                }
                Err(Stop { fault, half })
            }
        }
    }

    /// The last step that can fail.
    fn note(&mut self) -> Result<()> {
        let paths = self.changes.iter().map(|change| change.path.clone());
        self.home.add_debts(paths, &self.keeping.reason)?;
        self.owed.files.extend(self.keeping.kept());
        self.home.write_record_of(&self.owed)
    }

    /// The files are as they were, so the records have to be, too. A longer list of debts would only cost time.
    fn restore_notes(&self) {
        let Before { debts, owed } = &self.before;
        let _ = self.home.write_debts(debts);
        if !debts.is_empty() {
            self.home.restore_record(&self.owed.folder, owed.as_ref());
        }
    }
}

impl Step {
    /// Whether it was put in its place, by whom was cut off.
    fn is_put(&self, standing: Standing) -> bool {
        standing == Standing::Rewritten || standing == Standing::New && self.old != self.kept.new
    }
}

impl Keeping {
    fn kept(&self) -> impl Iterator<Item = (String, Kept)> {
        self.files.iter().map(|(path, step)| (path.clone(), step.kept))
    }

    /// One field a line, fields ended by NUL because a path may contain anything else.
    fn render(&self) -> Vec<u8> {
        let name = |id: Option<ObjectId>| id.map_or_else(|| "-".to_owned(), |id| id.to_string());
        let mut text = format!("{HEAD_LINE}\0{}\0{}\0", self.branch, self.reason);
        for (path, Step { old, kept }) in &self.files {
            text.push_str(&format!("{} {} {} {path}\0", name(*old), name(kept.base), name(kept.new)));
        }
        text.push_str("end\0");
        text.into_bytes()
    }

    pub(in crate::store::git) fn parse(record: &[u8]) -> Option<Keeping> {
        let text = std::str::from_utf8(record).ok()?.strip_suffix("end\0")?;
        let mut fields = text.split_terminator('\0');
        if fields.next()? != HEAD_LINE {
            return None;
        }
        let (branch, reason) = (fields.next()?.to_owned(), fields.next()?.to_owned());
        let id = |text: &str| match text {
            "-" => Some(None),
            hex => ObjectId::from_hex(hex.as_bytes()).ok().map(Some),
        };
        let mut files = BTreeMap::new();
        for field in fields {
            let mut parts = field.splitn(4, ' ');
            let (old, base, new) = (id(parts.next()?)?, id(parts.next()?)?, id(parts.next()?)?);
            files.insert(parts.next()?.to_owned(), Step { old, kept: Kept { base, new } });
        }
        Some(Keeping { branch, reason, files })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_reads_back_and_a_cut_one_counts_for_nothing() {
        let id = ObjectId::from_hex(b"4b825dc642cb6eb9a060e54bf8d69288fbee4904").expect("a hash");
        let step = |old, base, new| Step { old, kept: Kept { base, new } };
        let files = [
            ("tasks/a b\n.md".to_owned(), step(None, None, Some(id))),
            ("x".to_owned(), step(Some(id), Some(id), None)),
        ];
        let (branch, reason) = ("refs/heads/a/b".to_owned(), "it has to wait".to_owned());
        let keeping = Keeping { branch, reason, files: BTreeMap::from(files) };
        let record = keeping.render();
        for cut in 0..record.len() {
            assert_eq!(Keeping::parse(&record[..cut]), None, "cut at {cut}");
        }
        assert_eq!(Keeping::parse(&record), Some(keeping));
    }
}
