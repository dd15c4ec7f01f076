//! Rows that go into the bytes of a cache and come out of them.

use super::*;
use crate::domain::lease::Lease;
use crate::domain::route::Tier;
use crate::domain::task::{Ending, Receipt, Stage, State};
use jiff::Timestamp;

fn full() -> Task {
    let at: Timestamp = "2026-11-21T10:00:00.123Z".parse().unwrap();
    let id = "01kakkkkkkkkkkkkkkkkkkkkkk".parse().unwrap();
    Task {
        id: Some(id),
        from: Some("acme/web".parse().unwrap()),
        to: Some("api".parse().unwrap()),
        labels: vec!["a".to_owned()],
        created: Some(at),
        after: vec!["acme/db#01kakkkkkkkkkkkkkkkkkkkkkk".parse().unwrap()],
        due: Some(jiff::civil::date(2026, 12, 1)),
        tier: Some(Tier::Opus),
        model: Some("m-1".parse().unwrap()),
        lease: Some(Lease { holder: "ann".parse().unwrap(), token: 3, expires_at: at }),
        receipt: Some(Receipt { stage: Stage::Done, at, by: None, note: Some("n".to_owned()) }),
        ending: Some(Ending { state: State::Done, at, by: Some("ann".parse().unwrap()), note: None }),
        ..Task::titled("a title")
    }
}

/// The task of this file.
fn take(rows: &mut Rows<'_>, name: &str, stamp: Stamp) -> Option<Task> {
    let place = Place { path: "a", name, folder: Folder::Tasks, stamp };
    rows.take(place, &mut Words::default(), &Whole).flatten().map(|item| *item.task)
}

const STAMP: Stamp = Stamp { size: 1, modified: 5, changed: 5, inode: 9 };

fn none() -> std::iter::Empty<(&'static str, Stamp)> {
    std::iter::empty()
}

#[test]
fn a_folder_is_known_as_a_whole_while_it_is_as_it_was() {
    let young = Stamp { changed: 2 * STILL_FOR, ..STAMP };
    let (task, now) = (full(), 2 * STILL_FOR);
    let rows = [("a/x", STAMP, &task), ("a/y", STAMP, &task), ("b/x", young, &task)];
    let folders = [("a", STAMP), ("b", STAMP), ("empty", STAMP), ("young", young)];
    let cache = Cache::decode(Cache::encode(rows.into_iter(), folders.into_iter(), now));
    let all = cache.whole("a", STAMP).unwrap().take_all("a", Folder::Done, &Whole).unwrap();
    let all: Vec<_> = all.into_iter().map(|item| (item.path, item.folder, item.stamp, *item.task)).collect();
    let expected = |path: &str| (path.to_owned(), Folder::Done, STAMP, task.clone());
    assert_eq!(all, [expected("a/x"), expected("a/y")]);
    assert!(cache.whole("a", young).is_none());
    assert_eq!(cache.whole("empty", STAMP).unwrap().len(), 0);
    for unknown in ["b", "young", "other"] {
        assert!(cache.whole(unknown, STAMP).is_none() && cache.whole(unknown, young).is_none());
    }
}

#[test]
fn what_goes_in_comes_out() {
    let plain = Task::titled("plain");
    let rows = [("tasks/a", STAMP, &plain), ("tasks/b", STAMP, &plain), ("tasks/00/x.md", STAMP, &full())];
    let cache = Cache::decode(Cache::encode(rows.into_iter(), none(), i64::MAX));
    assert_eq!(cache.rows(), 3);
    let mut rows = cache.folder("tasks");
    assert_eq!(take(&mut rows, "a", STAMP), Some(plain));
    assert_eq!(take(&mut rows, "aa", STAMP), None);
    assert_eq!(take(&mut cache.folder("tasks/00"), "x.md", STAMP), Some(full()));
    assert_eq!(take(&mut cache.folder("tasks/01"), "x.md", STAMP), None);
    assert_eq!(take(&mut rows, "z", STAMP), None);
}

#[test]
fn another_stamp_is_another_file() {
    let cache = Cache::decode(Cache::encode([("a/x", STAMP, &full())].into_iter(), none(), i64::MAX));
    assert_eq!(take(&mut cache.folder("a"), "x", Stamp { size: 2, ..STAMP }), None);
}

#[test]
fn any_damage_empties_the_cache() {
    let bytes = Cache::encode([("a/x", STAMP, &full())].into_iter(), none(), i64::MAX);
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x40;
        assert_eq!(take(&mut Cache::decode(damaged).folder("a"), "x", STAMP), None, "byte {at}");
        assert_eq!(
            take(&mut Cache::decode(bytes[..at].to_vec()).folder("a"), "x", STAMP),
            None,
            "cut at {at}"
        );
    }
}

#[test]
fn files_that_just_changed_are_not_kept() {
    assert_eq!(Cache::decode(Cache::encode([("a/x", STAMP, &full())].into_iter(), none(), 6)).rows(), 0);
}
