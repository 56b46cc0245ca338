use std::sync::Arc;

use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};

use super::super::check::Verdict;
use super::super::clock::Hour;
use super::super::index::{DedupeIndex, DedupeSettings, load};
use super::super::pending::Pending;
use super::super::run::Run;
use super::{at_hour, key, keys, memory_store};
use crate::store::tests::faulty::FaultyStore;

const SETTINGS: DedupeSettings = DedupeSettings { window_hours: 48, exact_bytes: 1 << 20, cache_bytes: 1 << 16 };

/// Ten runs of 2,000 keys, one an hour from hour 1000 on.
async fn ten_runs(store: &Arc<dyn ObjectStore>, settings: DedupeSettings) -> DedupeIndex {
    let mut index = DedupeIndex::new(settings);
    for hour in 0..10 {
        index.add(keys(u64::from(hour) * 2000..u64::from(hour + 1) * 2000), at_hour(1000 + hour));
        let sealed = index.seal(u64::from(hour)).unwrap();
        let run = sealed.write(store, &Path::from(format!("{hour}"))).await.unwrap();
        index.install(&sealed, run).unwrap();
    }
    index
}

/// The hours, from 0 on, whose keys are all new.
async fn unknown_hours(index: &DedupeIndex) -> Vec<u32> {
    let mut unknown = Vec::new();
    for hour in 0..10 {
        let some: Vec<_> = keys(hour * 2000..hour * 2000 + 50);
        let decision = index.check(&some, &Pending::default()).resolve().await.unwrap();
        match decision.new_places().count() {
            0 => {}
            50 => unknown.push(hour as u32),
            other => panic!("{other} of 50 keys of hour {hour} are new"),
        }
    }
    unknown
}

#[tokio::test]
async fn memory_is_that_of_the_parts() {
    let store = memory_store();
    let empty = DedupeIndex::new(SETTINGS).bytes();
    let mut index = DedupeIndex::new(DedupeSettings { exact_bytes: 0, ..SETTINGS });
    index.add(keys(0..20_000), at_hour(1000));
    let exact = index.bytes() - empty;
    assert!((400_000..1_400_000).contains(&exact), "{exact} bytes for 20,000 exact keys");
    let sealed = index.seal(1).unwrap();
    assert!(index.bytes() - empty >= exact, "sealed keys are still there");
    let run = sealed.write(&store, &Path::from("run")).await.unwrap();
    index.install(&sealed, run).unwrap();
    let written = index.bytes() - empty;
    assert!((22_000..28_000).contains(&written), "{written} bytes for 20,000 keys in a run");
    let check = index.check(&keys(0..3), &Pending::default());
    assert_eq!(check.resolve().await.unwrap().new_places().count(), 0);
    let cached = index.bytes() - empty - written;
    assert!(cached > 4000 && cached <= SETTINGS.cache_bytes, "{cached} bytes of blocks");
}

#[tokio::test]
async fn exact_keys_beyond_their_budget_are_left_to_the_runs() {
    let store = memory_store();
    let all = ten_runs(&store, DedupeSettings { exact_bytes: usize::MAX, ..SETTINGS }).await;
    let some = ten_runs(&memory_store(), DedupeSettings { exact_bytes: 300_000, ..SETTINGS }).await;
    let none = ten_runs(&memory_store(), DedupeSettings { exact_bytes: 0, ..SETTINGS }).await;
    assert!(none.bytes() < some.bytes() && some.bytes() < all.bytes() && some.bytes() < none.bytes() + 300_000);
    // What is exact is answered though its run cannot be read.
    for name in 2..10 {
        store.delete(&Path::from(format!("{name}"))).await.unwrap();
    }
    assert_eq!(unknown_hours(&all).await, [] as [u32; 0]);
}

#[tokio::test]
async fn shrinking_drops_the_oldest_runs_and_says_what_is_left() {
    let mut index = ten_runs(&memory_store(), SETTINGS).await;
    let whole = index.shrink_to(usize::MAX);
    assert_eq!((whole.dropped, whole.window_hours), (vec![], 48));
    let runs: usize = index.runs().map(|run| run.bytes()).sum();
    // Exact keys and blocks go before any run.
    let without_extras = index.shrink_to(runs + 5000);
    assert_eq!((without_extras.dropped, without_extras.window_hours), (vec![], 48));
    let cut = index.shrink_to(runs * 3 / 4);
    assert_eq!(cut.dropped, ["0", "1", "2"].map(Path::from));
    assert_eq!(cut.window_hours, 6, "keys of hour 1002 are lost, it is 1009");
    assert!(cut.bytes <= runs * 3 / 4 && cut.bytes == index.bytes());
    assert_eq!(unknown_hours(&index).await, [0, 1, 2]);
    // The window grows back.
    index.add([key(1_000_000)], at_hour(1010));
    assert_eq!(index.window_hours(), 7);
    for hour in [1030, 1050, 1070] {
        index.add([key(1_000_000)], at_hour(hour));
    }
    assert_eq!(index.window_hours(), 48);
}

#[tokio::test]
async fn keys_that_no_run_holds_survive_any_budget() {
    let mut index = DedupeIndex::new(SETTINGS);
    index.add(keys(0..100), at_hour(1000));
    index.seal(1).unwrap();
    index.add(keys(100..200), at_hour(1000));
    let shrinkage = index.shrink_to(0);
    assert!(shrinkage.bytes > 0 && shrinkage.window_hours == 48);
    let decision = index.check(&keys(0..200), &Pending::default()).resolve().await.unwrap();
    assert!(decision.verdicts().iter().all(|verdict| *verdict == Verdict::Duplicate));
}

#[tokio::test]
async fn loading_keeps_to_the_budget_as_shrinking_does() {
    let store = memory_store();
    let written = ten_runs(&store, SETTINGS).await;
    let paths: Vec<Path> = written.runs().map(|run| run.path().clone()).collect();
    let (whole, shrinkage) = load(&store, &paths, SETTINGS, usize::MAX).await.unwrap();
    assert_eq!((shrinkage.dropped, shrinkage.window_hours, whole.now()), (vec![], 48, written.now()));
    assert_eq!(unknown_hours(&whole).await, [] as [u32; 0]);
    let runs: usize = whole.runs().map(|run| run.bytes()).sum();
    let (part, shrinkage) = load(&store, &paths, SETTINGS, runs * 3 / 4).await.unwrap();
    assert_eq!(shrinkage.dropped.len(), 3);
    assert_eq!((shrinkage.window_hours, part.now()), (6, written.now()));
    assert_eq!(unknown_hours(&part).await, [0, 1, 2]);
    let (none, shrinkage) = load(&store, &paths, SETTINGS, 0).await.unwrap();
    assert_eq!((shrinkage.dropped.len(), shrinkage.window_hours, none.now()), (10, 0, Some(Hour(1009))));
}

/// Their tails are among the bytes that are read first: a request tells the size, one more the rest.
#[tokio::test]
async fn small_runs_are_loaded_by_two_requests_each() {
    let counting = Arc::new(FaultyStore::default());
    let store: Arc<dyn ObjectStore> = counting.clone();
    let paths: Vec<Path> = ten_runs(&store, SETTINGS).await.runs().map(|run| run.path().clone()).collect();
    let before = counting.gets.lock().len();
    load(&store, &paths, SETTINGS, usize::MAX).await.unwrap();
    assert_eq!(counting.gets.lock().len() - before, 20);
}

/// Who restarts after runs were dropped for good still knows that the window is cut.
#[tokio::test]
async fn the_next_run_remembers_what_was_lost() {
    let store = memory_store();
    let mut index = ten_runs(&store, SETTINGS).await;
    let runs: usize = index.runs().map(|run| run.bytes()).sum();
    index.shrink_to(runs * 3 / 4);
    index.add([key(1_000_000)], at_hour(1009));
    let sealed = index.seal(10).unwrap();
    let run: Run = sealed.write(&store, &Path::from("10")).await.unwrap();
    index.install(&sealed, run).unwrap();
    let paths: Vec<Path> = index.runs().map(|run| run.path().clone()).collect();
    let (restarted, shrinkage) = load(&store, &paths, SETTINGS, usize::MAX).await.unwrap();
    assert_eq!((shrinkage.dropped, shrinkage.window_hours), (vec![], 6));
    assert_eq!(restarted.window_hours(), 6);
}

/// Their objects are deleted in their time, as those of all others are.
#[tokio::test]
async fn runs_that_do_not_fit_expire_like_the_others() {
    let store = memory_store();
    let mut shrunk = ten_runs(&store, SETTINGS).await;
    let paths: Vec<Path> = shrunk.runs().map(|run| run.path().clone()).collect();
    let runs: usize = shrunk.runs().map(|run| run.bytes()).sum();
    let dropped = shrunk.shrink_to(runs * 3 / 4).dropped;
    assert_eq!(dropped, ["0", "1", "2"].map(Path::from));
    let (loaded, _) = load(&store, &paths, SETTINGS, runs * 3 / 4).await.unwrap();
    for mut index in [shrunk, loaded] {
        assert_eq!(index.expire(), []);
        // The window of 48 hours, with its reserve of 48, begins at hour 1004 then.
        for hour in [1030, 1050, 1070, 1090, 1100] {
            index.add([key(1_000_000)], at_hour(hour));
        }
        let mut expired = index.expire();
        expired.sort();
        assert_eq!(expired, ["0", "1", "2", "3"].map(Path::from));
        assert_eq!(index.expire(), []);
    }
    // One that was too old when it was opened.
    let late = super::write_run(&store, "late", &keys(0..3), 1100).await;
    let (mut opened, _) = load(&store, &[paths[0].clone(), late.path().clone()], SETTINGS, usize::MAX).await.unwrap();
    assert_eq!(opened.expire(), [paths[0].clone()]);
}
