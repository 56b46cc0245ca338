//! Damage: `convoke check` and queries name the object.

use convoke::error::Kind;
use convoke::jobs::{Check, Finding};
use convoke::settings::Settings;

use super::*;
use crate::harness::{open, world};

async fn findings(world: &World) -> Vec<Finding> {
    let mut found = Vec::new();
    Check::new(root(world), None).run(|finding| found.push(finding.clone())).await.unwrap();
    found
}

fn faults(findings: &[Finding]) -> Vec<&Finding> {
    findings.iter().filter(|finding| !finding.note).collect()
}

/// A workspace with dead letters, several loads, a compaction, and a token.
async fn sound() -> World {
    let world = world().await;
    load_some(&world, 3, 200).await;
    let bad = InputRow { row: Some(1), reject_reason: Some("bad"), raw: Some("1,2"), ..Default::default() };
    world.load("bad", &[bad]).await;
    compact(&world).await;
    let tokens = convoke::auth::Tokens::new(&root(&world));
    tokens.create(WorkspaceName::default(), convoke::auth::Role::Admin, "t", None).await.unwrap();
    world
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sound_root_has_no_fault() {
    let world = sound().await;
    let mut found = Vec::new();
    let summary = Check::new(root(&world), None).run(|finding| found.push(finding.clone())).await.unwrap();
    assert!(found.is_empty(), "{found:?}");
    // Manifest, token, log of 7 versions (made, 4 loads, 2 months), 2 live files and 6 of older versions, an
    // identity object of each load with events, 1 of dead letters, message ids of 3 loads, the newest segment of the log, whose records are all in files.
    assert_eq!(summary.objects, 1 + 1 + 7 + 2 + 6 + 3 + 1 + 3 + 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_object_that_is_cut_short_changed_or_gone_is_named() {
    let world = sound().await;
    let live: Vec<PathBuf> =
        data_files(&world).into_iter().filter(|path| path.to_str().unwrap().contains("sorted-")).collect();
    assert_eq!(live.len(), 2);
    let others = ["identity", "dead_letters"].map(|name| files(&folder(&world).join(name)).remove(0));
    let token = files(&world.folder.path().join("_tokens")).remove(0);
    let run = files(&folder(&world).join("dedupe")).remove(0);
    let entry = folder(&world).join("events/_delta_log/00000000000000000002.json");
    for path in live.iter().chain(&others).chain([&run, &token, &entry, &folder(&world).join("workspace.json")]) {
        let name = path.strip_prefix(world.folder.path()).unwrap().to_str().unwrap();
        let whole = fs::read(path).unwrap();
        let mut flipped = whole.clone();
        let middle = whole.len() / 2;
        flipped[middle] ^= 0x55;
        let json = name.ends_with(".json");
        let damages: [(&str, Option<&[u8]>); 3] =
            [("cut short", Some(&whole[..whole.len() - 20])), ("changed", Some(&flipped)), ("gone", None)];
        for (damage, bytes) in damages {
            let token_gone = path == &token && damage == "gone";
            // A changed letter may leave JSON valid; a small object without a hash may still decode.
            let may_pass = damage == "changed" && (json || others.contains(path));
            match bytes {
                Some(bytes) => fs::write(path, bytes).unwrap(),
                None => fs::remove_file(path).unwrap(),
            }
            let found = findings(&world).await;
            let named = faults(&found)
                .iter()
                .any(|fault| fault.path == name || damage == "gone" && fault.path.contains("_delta_log"));
            assert!(named || token_gone || may_pass, "{name} {damage}: {found:?}");
            fs::write(path, &whole).unwrap();
        }
    }
    assert!(findings(&world).await.is_empty(), "all is as it was");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn objects_that_nothing_refers_to_are_notes() {
    let world = sound().await;
    let live = data_files(&world).into_iter().find(|path| path.to_str().unwrap().contains("sorted-")).unwrap();
    let orphan = live.with_file_name("part-01890a5d-ac96-774b-bcce-b302099a8057.0123456789abcdef.parquet");
    fs::copy(&live, &orphan).unwrap();
    assert!(findings(&world).await.is_empty(), "it may be of a flush under way: this process holds the workspace");
    age(&orphan, 1);
    let found = findings(&world).await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].note && found[0].help.contains("convoke vacuum"), "{found:?}");
}

/// The commit that refers to a file comes after the check has read the log: here by what is told in between.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_writer_commits_meanwhile_is_no_note() {
    let world = sound().await;
    world.query("CREATE TABLE t AS SELECT 1 AS v").await.unwrap();
    world.query("DROP TABLE t").await.unwrap();
    data_files(&world).iter().for_each(|path| age(path, 1));
    // That of the second month's compaction.
    let commit = folder(&world).join("events/_delta_log/00000000000000000006.json");
    let hidden = world.folder.path().join("hidden.json");
    fs::rename(&commit, &hidden).unwrap();
    let mut found = Vec::new();
    let check = Check::new(root(&world), Some(WorkspaceName::default()));
    let telling = |finding: &Finding| {
        if finding.what.contains("dropped") {
            fs::rename(&hidden, &commit).unwrap();
        }
        found.push(finding.clone());
    };
    check.run(telling).await.unwrap();
    let [dropped] = found.as_slice() else { panic!("{found:?}") };
    assert!(dropped.note && dropped.what.contains("dropped"), "{dropped:?}");
    fs::rename(&commit, &hidden).unwrap();
    let found = findings(&world).await;
    assert!(found.iter().any(|note| note.note && note.what.contains("nothing refers to")), "{found:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_root_of_a_newer_version_is_a_fault() {
    let world = sound().await;
    let path = folder(&world).join("workspace.json");
    let mut manifest: serde_json::Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    manifest["format"] = 99.into();
    fs::write(&path, manifest.to_string()).unwrap();
    let found = findings(&world).await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].what.contains("99") && found[0].help.contains("newer"), "{found:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_names_the_damaged_object() {
    let world = sound().await;
    let path = data_files(&world).into_iter().find(|path| path.to_str().unwrap().contains("sorted-")).unwrap();
    let name = path.strip_prefix(folder(&world)).unwrap().to_str().unwrap().to_owned();
    let whole = fs::read(&path).unwrap();
    let mut pages = whole.clone();
    // The pages, not the footer.
    pages[4..whole.len() / 3].fill(0xAA);
    for bytes in [None, Some(whole[..whole.len() / 2].to_vec()), Some(pages)] {
        match bytes {
            Some(bytes) => fs::write(&path, bytes).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
        // As a new process: nothing is remembered.
        let again = open(Arc::clone(&world.folder), Settings::defaults().unwrap(), "UTC").await;
        for sql in [EVERYTHING, "SELECT count(*) FROM person_timeline('user_id', 'u3')"] {
            let error = match again.query(sql).await {
                Err(error) => error,
                // A timeline need not touch the damaged pages.
                Ok(_) if sql != EVERYTHING => continue,
                Ok(_) => panic!("{sql} went through"),
            };
            assert_eq!(error.kind(), Kind::Corrupt, "{error}");
            let message = error.to_string();
            assert!(message.contains(&name) && message.contains("convoke check"), "{message}");
        }
        fs::write(&path, &whole).unwrap();
    }
}
