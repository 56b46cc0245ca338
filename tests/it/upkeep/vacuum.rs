//! Vacuum: only what is old and nobody refers to.

use convoke::error::Kind;
use convoke::jobs::{Unneeded, Vacuum};

use super::*;
use crate::harness::world;

async fn vacuum(world: &World) -> Vec<Unneeded> {
    Vacuum::new(workspace(world).await, 7).unwrap().run().await.unwrap()
}

fn none() -> Vec<Unneeded> {
    Vec::new()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_replaced_long_ago_go_and_young_ones_stay() {
    let world = world().await;
    load_some(&world, 3, 40).await;
    let before = world.rows(EVERYTHING).await;
    let old = data_files(&world);
    compact(&world).await;
    assert_eq!(vacuum(&world).await, none(), "nothing is old");
    old.iter().for_each(|path| age(path, 10));
    assert_eq!(vacuum(&world).await, none(), "the compaction that replaced them is young: older versions can be read");
    files(&folder(&world).join("events/_delta_log")).iter().for_each(|path| age(path, 8));
    let listed = Vacuum::new(workspace(&world).await, 7).unwrap().list().await.unwrap();
    assert_eq!(listed.len(), old.len());
    assert!(old.iter().all(|path| path.exists()), "a list removes nothing");
    assert_eq!(vacuum(&world).await, listed);
    assert!(old.iter().all(|path| !path.exists()));
    assert_eq!(world.rows(EVERYTHING).await, before);
    assert_eq!(vacuum(&world).await, none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_no_commit_names_goes_once_it_is_old() {
    let world = world().await;
    load_some(&world, 1, 40).await;
    let id = "01890a5d-ac96-774b-bcce-b302099a8057";
    let orphans = [
        format!("events/month=2024-01/part-{id}.0123456789abcdef.parquet"),
        format!("identity/{id}.parquet"),
        format!("dead_letters/{id}.parquet"),
        format!("dedupe/{id}.run"),
    ];
    let strangers = ["workspace-notes.txt", "identity/checkpoint-1.parquet", "tables/mine/part.parquet"];
    for name in orphans.iter().map(String::as_str).chain(strangers) {
        let path = folder(&world).join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "x").unwrap();
    }
    assert_eq!(vacuum(&world).await, none());
    files(&folder(&world)).iter().filter(|path| !path.ends_with(".writer.lock")).for_each(|path| age(path, 9));
    let mut removed: Vec<String> = vacuum(&world).await.into_iter().map(|object| object.path.to_string()).collect();
    removed.sort();
    let mut expected = orphans.to_vec();
    expected.sort();
    assert_eq!(removed, expected);
    assert!(strangers.iter().all(|name| folder(&world).join(name).exists()));
    assert_eq!(world.row("SELECT count(*) FROM events").await, "40");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_retention_is_refused() {
    let world = world().await;
    let error = Vacuum::new(workspace(&world).await, 0).err().unwrap();
    assert_eq!(error.kind(), Kind::InvalidInput);
}
