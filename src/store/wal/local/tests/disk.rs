//! The real disk and the simulated one do the same where nothing fails; the simulated one fails as a real one may.

use super::super::disk::DiskEntry;
use super::super::real_disk::RealDisk;
use super::super::simulated_disk::SimulatedDisk;
use super::*;

async fn keep_the_contract(disk: &dyn Disk) {
    assert_eq!(disk.list().await.unwrap(), []);
    disk.create_folder().await.unwrap();
    disk.create_folder().await.unwrap();
    let file = disk.create("a").await.unwrap();
    let again = disk.create("a").await.unwrap_err();
    assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
    file.write_zeros(0, 100_000).await.unwrap();
    file.write(5, Bytes::from_static(b"hello")).await.unwrap();
    disk.sync_folder().await.unwrap();
    assert_eq!(disk.list().await.unwrap(), [DiskEntry { name: "a".to_owned(), len: 100_000 }]);
    assert_eq!(disk.read("a", 3, 9).await.unwrap(), &b"\0\0hello\0\0"[..]);
    assert_eq!(disk.read("a", 99_998, 9).await.unwrap(), &b"\0\0"[..]);
    assert_eq!(disk.read("a", 100_001, u64::MAX).await.unwrap(), Bytes::new());
    assert_eq!(disk.read("a", 0, u64::MAX).await.unwrap().len(), 100_000);
    file.truncate(8).await.unwrap();
    assert_eq!(disk.read("a", 5, 9).await.unwrap(), &b"hel"[..]);
    file.write(8, Bytes::from_static(b"p")).await.unwrap();
    disk.truncate("a", 7).await.unwrap();
    assert_eq!(disk.read("a", 5, u64::MAX).await.unwrap(), &b"he"[..]);
    let opened = disk.open("a").await.unwrap();
    opened.write(6, Bytes::from_static(b"y")).await.unwrap();
    assert_eq!(disk.read("a", 5, u64::MAX).await.unwrap(), &b"hy"[..]);
    disk.remove("a").await.unwrap();
    for error in [
        disk.open("a").await.unwrap_err(),
        disk.remove("a").await.unwrap_err(),
        disk.truncate("a", 0).await.unwrap_err(),
        disk.read("a", 0, 1).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
    assert!(disk.path("a").ends_with("/a"));
    assert_eq!(disk.list().await.unwrap(), []);
}

#[tokio::test]
async fn both_disks_keep_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    keep_the_contract(&RealDisk::new(folder.path().join("new/wal"))).await;
    keep_the_contract(&SimulatedDisk::new(1, 1 << 20)).await;
}

#[tokio::test]
async fn a_real_log_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let disk = || RealDisk::new(folder.path().join("wal"));
    let payload = |number: u64| Bytes::from(format!("record {number} ").repeat(20));
    let mut log = open(disk()).await.unwrap();
    for number in 0..50 {
        log.append(&[entry(payload(2 * number + 1)), entry(payload(2 * number + 2))]).await.unwrap();
    }
    log.trim(40).await.unwrap();
    drop(log);
    let mut log = open(disk()).await.unwrap();
    assert_eq!((log.term(), log.append(&[entry(payload(101))]).await.unwrap()), (2, 101..102));
    log.close().await.unwrap();
    let found = read_all(disk(), 40).await.unwrap();
    assert_eq!(found.len(), 61);
    for (record, position) in found.iter().zip(41..) {
        assert_eq!((record.position, &record.payload), (position, &payload(position)));
    }
}

/// What is left of a file after power cuts with many seeds.
async fn cut_power_often(seeds: u64, write: impl AsyncFn(&SimulatedDisk)) -> Vec<(Vec<String>, Vec<u8>)> {
    let mut outcomes = Vec::new();
    for seed in 0..seeds {
        let disk = SimulatedDisk::new(seed, 1 << 20);
        write(&disk).await;
        disk.cut_power();
        outcomes.push((disk.file_names(), disk.contents("a")));
    }
    outcomes.sort();
    outcomes.dedup();
    outcomes
}

#[tokio::test]
async fn a_power_cut_loses_any_unsynced_sector_and_no_other() {
    let outcomes = cut_power_often(400, async |disk| {
        let file = disk.create("a").await.unwrap();
        file.write(0, Bytes::from(vec![1; 1024])).await.unwrap();
        disk.sync_folder().await.unwrap();
        disk.stop_after(1);
        file.write(512, Bytes::from(vec![2; 1024])).await.unwrap_err();
    })
    .await;
    // Of the second sector the old state or the new one; the third is there, missing, or zero.
    let expected = [[1, 1, 9], [1, 1, 0], [1, 1, 2], [1, 2, 9], [1, 2, 0], [1, 2, 2]];
    let mut expected = expected.map(|sectors| {
        let present = sectors.into_iter().filter(|byte| *byte != 9);
        (vec!["a".to_owned()], present.flat_map(|byte| [byte; 512]).collect::<Vec<u8>>())
    });
    expected.sort();
    assert_eq!(outcomes, expected);
}

#[tokio::test]
async fn a_power_cut_may_lose_a_name_that_was_not_synced() {
    let outcomes = cut_power_often(50, async |disk| {
        disk.create("a").await.unwrap().write(0, Bytes::from_static(b"x")).await.unwrap();
    })
    .await;
    assert_eq!(outcomes, [(vec![], vec![]), (vec!["a".to_owned()], b"x".to_vec())]);
    let outcomes = cut_power_often(50, async |disk| {
        disk.put("a", b"x");
        disk.remove("a").await.unwrap();
    })
    .await;
    assert_eq!(outcomes.len(), 2);
}

#[tokio::test]
async fn what_a_failed_sync_lost_no_later_sync_brings() {
    let outcomes = cut_power_often(50, async |disk| {
        let file = disk.create("a").await.unwrap();
        file.write_zeros(0, 1024).await.unwrap();
        file.write(1023, Bytes::from_static(b"\0")).await.unwrap();
        disk.sync_folder().await.unwrap();
        disk.fail_sync_after(0);
        let fault = file.write(0, Bytes::from(vec![1; 512])).await.unwrap_err();
        assert!(matches!(fault, WriteFault::Sync(_)));
        file.write(512, Bytes::from(vec![2; 512])).await.unwrap();
    })
    .await;
    let firsts: Vec<_> = outcomes.iter().map(|(_, bytes)| (bytes[0], bytes[512])).collect();
    assert_eq!(firsts, [(0, 2), (1, 2)]);
}

#[tokio::test]
async fn a_full_disk_takes_part_of_a_write_and_has_space_again_later() {
    let disk = SimulatedDisk::new(3, 2048);
    let file = disk.create("a").await.unwrap();
    let error = file.write_zeros(0, 4096).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    assert!(disk.used_bytes() <= 2048);
    file.truncate(0).await.unwrap();
    file.write_zeros(0, 2048).await.unwrap();
    disk.set_capacity(4096);
    file.write_zeros(0, 4096).await.unwrap();
    disk.fill_at_write(1);
    file.write(0, Bytes::from_static(b"x")).await.unwrap();
    assert!(file.write(0, Bytes::from_static(b"x")).await.unwrap_err().is_full());
    file.write(0, Bytes::from_static(b"x")).await.unwrap();
}

#[tokio::test]
async fn a_file_of_a_process_that_is_gone_writes_nothing() {
    let disk = SimulatedDisk::new(3, 2048);
    let file = disk.create("a").await.unwrap();
    disk.restart_process();
    file.write(0, Bytes::from_static(b"x")).await.unwrap_err();
    assert_eq!(disk.contents("a"), b"");
}
