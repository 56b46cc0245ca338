//! Another program that makes a table one of a later protocol: nothing is read or written wrongly, and the refusal says
//! what to do.
//!
//! What it commits is by PROTOCOL.md of github.com/delta-io/delta: "Table Features", "JSON Example 3 — Inline" of
//! "Deletion Vectors", and "CHECK Constraints", which delta-rs 1.6.6 writes in the same way.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use convoke::error::{Error, Kind};
use convoke::ids::WorkspaceName;
use convoke::jobs::{Check, Compactor, Finding, Need};
use convoke::settings::Settings;
use convoke::store::Root;
use convoke::workspace::{Workspace, Workspaces};
use serde_json::{Value, json};

use super::other_programs::{commit, events, in_log, newest, removal, versions};
use super::{COUNT, load_one, purchase};
use crate::harness::{World, open, world};

const BUFFER: usize = 64 << 20;

/// A DELETE that leaves the file as it is and marks rows of it.
fn delete_by_vector(table: &Path, protocol: Option<Value>) {
    let mut add = newest(table, "add");
    let removed = removal(&add, true);
    add["deletionVector"] = json!({
        "storageType": "i", "pathOrInlineDv": "wi5b=000010000siXQKl0rr91000f55c8Xg0@@D72lkbi5=-{L", "sizeInBytes": 40,
        "cardinality": 6,
    });
    let actions: Vec<Value> = protocol.into_iter().chain([removed, json!({"add": add})]).collect();
    commit(table, "DELETE", &actions);
}

fn deletion_vectors() -> Value {
    json!({"protocol": {
        "minReaderVersion": 3, "minWriterVersion": 7, "readerFeatures": ["deletionVectors"],
        "writerFeatures": ["deletionVectors", "appendOnly", "invariants"],
    }})
}

fn add_constraint(table: &Path, constraint: &str) {
    let mut metadata = newest(table, "metaData");
    metadata["configuration"]["delta.constraints.mine"] = constraint.into();
    let protocol = json!({"protocol": {"minReaderVersion": 1, "minWriterVersion": 3}});
    commit(table, "ADD CONSTRAINT", &[json!({"metaData": metadata}), protocol]);
}

/// RESTORE of a version before the constraint.
fn take_back(table: &Path) {
    let mut metadata = newest(table, "metaData");
    metadata["configuration"].as_object_mut().unwrap().remove("delta.constraints.mine");
    let protocol = json!({"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}});
    commit(table, "RESTORE", &[json!({"metaData": metadata}), protocol]);
}

fn root(world: &World) -> Root {
    Root::open(world.folder.path().to_str().unwrap()).unwrap()
}

async fn workspace(world: &World) -> Arc<Workspace> {
    world.workspaces.get(&world.caller.workspace).await.unwrap()
}

async fn compact(world: &World) -> Option<Error> {
    let settings = Settings::defaults().unwrap();
    Compactor::new(workspace(world).await, &settings.upkeep).run(Need::All).await.err()
}

async fn faults(world: &World) -> Vec<Finding> {
    let mut found = Vec::new();
    Check::new(root(world), None).run(|finding| found.push(finding.clone())).await.unwrap();
    found.retain(|finding| !finding.note);
    found
}

fn assert_refused(error: Option<Error>, kind: Kind, named: &str) {
    let error = error.expect("refused");
    let says = error.message().contains(named) && error.message().contains("RESTORE of the version before");
    assert!(error.kind() == kind && says, "{:?}: {error}", error.kind());
}

fn data_files(table: &Path) -> usize {
    let folders = fs::read_dir(table).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    folders.filter(|path| !path.ends_with("_delta_log")).map(|month| fs::read_dir(month).unwrap().count()).sum()
}

async fn check_deletion_vector(protocol: Option<Value>, named: &str) {
    let world = world().await;
    load_one(&world, 0).await;
    in_log(&world, "u1").await;
    delete_by_vector(&events(&world), protocol);
    let started = Workspaces::new(root(&world)).get(&WorkspaceName::default()).await;
    assert_refused(started.err(), Kind::Corrupt, named);

    // The writer meets it with its next commit, and goes on with the state of before.
    let held = workspace(&world).await;
    assert_eq!(held.flush(BUFFER).await.err().map(|error| error.kind()), Some(Kind::Conflict));
    assert_eq!(world.row(COUNT).await, "2 2");
    let before = (versions(&events(&world)).len(), data_files(&events(&world)));
    assert_refused(held.flush(BUFFER).await.err(), Kind::Corrupt, named);
    assert_refused(compact(&world).await, Kind::Corrupt, named);
    let mut builder = convoke::ingest::input::InputBuilder::default();
    builder.push(&purchase("u2"));
    assert_refused(world.load_in_log("u2", vec![builder.finish()]).await.err(), Kind::Corrupt, named);
    assert_eq!(world.row(COUNT).await, "2 2");
    assert_eq!((versions(&events(&world)).len(), data_files(&events(&world))), before, "nothing was written");

    let faults = faults(&world).await;
    let says = |fault: &&Finding| fault.what.contains(named) && fault.help.contains("RESTORE of the version before");
    assert_eq!(faults.iter().filter(says).count(), 1, "{faults:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_of_later_readers_is_refused_by_name() {
    check_deletion_vector(Some(deletion_vectors()), "readers of version 3 with deletionVectors").await;
}

/// Against the protocol, and read wrongly all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deletion_vector_is_refused_by_name() {
    check_deletion_vector(None, "has a deletion vector").await;
}

/// The library that reads the log fails at it with an error of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_feature_that_nobody_knows_is_refused_by_name() {
    let world = world().await;
    load_one(&world, 0).await;
    let protocol = json!({"protocol": {
        "minReaderVersion": 3, "minWriterVersion": 7, "readerFeatures": ["ofTomorrow"], "writerFeatures": ["ofTomorrow"],
    }});
    commit(&events(&world), "SET TBLPROPERTIES", &[protocol]);
    let started = Workspaces::new(root(&world)).get(&WorkspaceName::default()).await;
    assert_refused(started.err(), Kind::Corrupt, "readers of version 3 with ofTomorrow");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_of_later_writers_is_read_and_not_written_until_that_is_taken_back() {
    let world = world().await;
    let table = events(&world);
    for number in 0..2 {
        load_one(&world, number).await;
    }
    in_log(&world, "u2").await;
    add_constraint(&table, "brand <> 'a'");
    let held = workspace(&world).await;
    assert_eq!(held.flush(BUFFER).await.err().map(|error| error.kind()), Some(Kind::Conflict));
    let before = (versions(&table).len(), data_files(&table));
    let named = "writers of version 3";
    assert_refused(held.flush(BUFFER).await.err(), Kind::Corrupt, named);
    assert_refused(compact(&world).await, Kind::Corrupt, named);
    in_log(&world, "u3").await;
    assert_eq!(world.row(COUNT).await, "4 4");
    assert_eq!((versions(&table).len(), data_files(&table)), before, "nothing was written");
    let beside = open(Arc::clone(&world.folder), Settings::defaults().unwrap(), "UTC").await;
    assert_eq!(beside.row(COUNT).await, "4 4");
    drop(beside);
    let faults_then = faults(&world).await;
    assert_eq!(faults_then.len(), 1, "{faults_then:?}");
    assert!(faults_then[0].what.contains(named) && faults_then[0].help.contains("RESTORE"), "{faults_then:?}");

    take_back(&table);
    held.flush(BUFFER).await.unwrap();
    assert_eq!(world.row("SELECT hot_rows FROM system.log").await, "0");
    assert_eq!(world.row(COUNT).await, "4 4");
    assert_eq!(faults(&world).await, Vec::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn user_tables_are_refused_likewise() {
    let world = world().await;
    world.query("CREATE TABLE t AS SELECT 1 AS v").await.unwrap();
    let folders = fs::read_dir(world.folder.path().join("convoke/tables")).unwrap();
    let table = folders.map(|entry| entry.unwrap().path()).find(|path| path.join("_delta_log").is_dir()).unwrap();
    add_constraint(&table, "v < 2");
    // That its place is taken tells of the constraint.
    world.query("INSERT INTO t SELECT 2").await.unwrap_err();
    let refusal = world.refusal("INSERT INTO t SELECT 2").await;
    assert!(refusal.contains("writers of version 3") && refusal.contains("RESTORE"), "{refusal}");
    assert_eq!(world.rows("SELECT v FROM t").await, ["1"]);
    let found = faults(&world).await;
    assert!(found.len() == 1 && found[0].what.contains("writers of version 3"), "{found:?}");
    delete_by_vector(&table, Some(deletion_vectors()));
    let started = Workspaces::new(root(&world)).get(&WorkspaceName::default()).await;
    assert_refused(started.err(), Kind::Corrupt, "table 't': user table");
}
