//! Damage of what was durable is told with segment, offset and position; what a crash leaves is not damage.

use super::super::simulated_disk::SimulatedDisk;
use super::*;
use crate::error::Kind;

fn new_disk() -> SimulatedDisk {
    SimulatedDisk::new(7, 1 << 20)
}

/// A disk with the same files.
fn copy(disk: &SimulatedDisk) -> SimulatedDisk {
    let copy = new_disk();
    for name in disk.file_names() {
        copy.put(&name, &disk.contents(&name));
    }
    copy
}

/// Payloads without zeros, so that none looks like a sector that was never written.
fn group(number: u8) -> Vec<Entry> {
    (0..3).map(|place| entry(vec![number * 3 + place + 1; 150])).collect()
}

/// Groups 0 to 14 in several segments, in the end neither closed nor crashed.
async fn write_groups(disk: &SimulatedDisk) -> LocalLog {
    let mut log = open(disk.clone()).await.unwrap();
    for number in 0..15 {
        log.append(&group(number)).await.unwrap();
    }
    assert!(log.status().segments >= 2);
    log
}

/// Opens and reads all.
async fn recover_all(disk: &SimulatedDisk) -> Result<Vec<Record>> {
    open(disk.clone()).await?;
    read_all(disk.clone(), 0).await
}

/// Flips each byte of each file in two ways, and gives how often the start was refused. All but the last `in_doubt`
/// records must be there otherwise.
async fn flip_each_byte(disk: &SimulatedDisk, in_doubt: usize) -> usize {
    let before = recover_all(&copy(disk)).await.unwrap();
    let acknowledged = &before[..before.len() - in_doubt];
    let mut refused = 0;
    for name in disk.file_names() {
        for offset in 0..disk.contents(&name).len() {
            for mask in [1 << (offset % 8), 0xff] {
                let flipped = copy(disk);
                flipped.flip(&name, offset, mask);
                match recover_all(&flipped).await {
                    Ok(records) => {
                        assert!(records.starts_with(acknowledged), "{name}, byte {offset}: {} left", records.len());
                        assert!(before.starts_with(&records), "{name}, byte {offset}");
                    }
                    Err(error) => {
                        refused += 1;
                        assert_eq!(error.kind(), Kind::Corrupt, "{error}");
                        let named = format!("segment 'simulated/{name}', offset ");
                        assert!(error.message().contains(&named), "{name}, byte {offset}: {error}");
                        assert!(error.message().contains("position "), "{error}");
                    }
                }
            }
        }
    }
    refused
}

#[tokio::test]
async fn each_flip_after_a_kill_is_told_or_harmless() {
    let disk = new_disk();
    let log = write_groups(&disk).await;
    let written: u64 = log.segments.iter().map(|segment| segment.bytes - NEXT_MARK_BYTES).sum();
    let written = written + log.current.end;
    drop(log);
    let refused = flip_each_byte(&disk, 0).await;
    // Each byte of a header or a frame, in both ways; a mark is not read where the next segment is there.
    assert!(refused as u64 >= 2 * written, "{refused} of {}", 2 * written);
}

#[tokio::test]
async fn each_flip_after_a_clean_stop_is_told_or_harmless() {
    let disk = new_disk();
    write_groups(&disk).await.close().await.unwrap();
    let names = disk.file_names();
    let bytes: usize = names.iter().map(|name| disk.contents(name).len()).sum();
    // The marks are no records: without them nothing is lost.
    let marks = record::FRAME_HEADER_BYTES + (names.len() - 1) * NEXT_MARK_BYTES as usize;
    assert!(flip_each_byte(&disk, 0).await >= 2 * (bytes - marks));
}

#[tokio::test]
async fn each_flip_after_a_crash_loses_the_unacknowledged_group_at_most() {
    let disk = new_disk();
    let mut log = write_groups(&disk).await;
    // The write is done, the sync is not.
    disk.stop_after(1);
    log.append(&group(15)).await.unwrap_err();
    disk.restart_process();
    flip_each_byte(&disk, 3).await;
}

/// A record of the newest segment, by its offset.
fn offset_of(disk: &SimulatedDisk, name: &str, position: u64) -> usize {
    let bytes = Bytes::from(disk.contents(name));
    let mut offset = HEADER_BYTES;
    loop {
        match record::decode(&bytes, offset) {
            record::Frame::Record { record, .. } if record.position == position => return offset,
            record::Frame::Record { next, .. } => offset = next,
            frame => panic!("no position {position}: {frame:?} at {offset}"),
        }
    }
}

#[tokio::test]
async fn a_sector_that_was_lost_is_damage_if_a_later_group_says_that_it_was_durable() {
    let disk = new_disk();
    let mut log = open(disk.clone()).await.unwrap();
    log.append(&[entry([1; 1500])]).await.unwrap();
    log.append(&[entry([2; 100])]).await.unwrap();
    drop(log);
    let name = disk.file_names().remove(0);
    (512..1024).for_each(|offset| disk.flip(&name, offset, disk.contents(&name)[offset]));
    let error = recover_all(&disk).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Corrupt);
    let expected = format!("segment 'simulated/{name}', offset {HEADER_BYTES}, position 1: ");
    assert!(error.message().contains(&expected), "{error}");
    // It is the same without a writer.
    assert_eq!(read_all(disk, 0).await.unwrap_err().message(), error.message());
}

#[tokio::test]
async fn a_sector_of_the_last_group_that_was_lost_cuts_the_group_there() {
    let disk = new_disk();
    let mut log = open(disk.clone()).await.unwrap();
    log.append(&[entry([1; 100])]).await.unwrap();
    log.append(&[entry([2; 100]), entry([3; 1500]), entry([4; 100])]).await.unwrap();
    drop(log);
    let name = disk.file_names().remove(0);
    (1024..1536).for_each(|offset| disk.flip(&name, offset, disk.contents(&name)[offset]));
    let mut log = open(disk.clone()).await.unwrap();
    assert_eq!(log.append(&[entry("after")]).await.unwrap(), 3..4);
    let payloads: Vec<_> = read_all(disk, 0).await.unwrap().into_iter().map(|record| record.payload).collect();
    assert_eq!(payloads, [Bytes::from(vec![1; 100]), vec![2; 100].into(), "after".into()]);
}

#[tokio::test]
async fn a_length_that_was_damaged_reaches_into_nothing_and_is_told() {
    for (last, byte) in [(true, 1), (true, 2), (false, 1)] {
        let disk = new_disk();
        let mut log = open(disk.clone()).await.unwrap();
        log.append(&[entry([1; 100]), entry([2; 100]), entry([3; 100])]).await.unwrap();
        let name = disk.file_names().remove(0);
        let position = if last { 3 } else { 2 };
        disk.flip(&name, offset_of(&disk, &name, position) + byte, 0x10);
        let error = recover_all(&disk).await.unwrap_err();
        assert!(error.message().contains(&format!("position {position}: ")), "{error}");
    }
}

/// A sector that holds only the first bytes of a frame, those of its length, may be lost alone.
#[tokio::test]
async fn a_sector_with_a_part_of_a_length_that_was_lost_cuts_the_group_there() {
    for in_first_sector in 1..=8 {
        let disk = new_disk();
        let mut log = open(disk.clone()).await.unwrap();
        let first = 1024 - HEADER_BYTES - record::FRAME_HEADER_BYTES - in_first_sector;
        log.append(&[entry(vec![1; first])]).await.unwrap();
        log.append(&[entry([2; 0x0105]), entry([3; 100])]).await.unwrap();
        drop(log);
        let name = disk.file_names().remove(0);
        (1024 - in_first_sector..1024).for_each(|offset| disk.flip(&name, offset, disk.contents(&name)[offset]));
        let found = recover_all(&disk).await.unwrap();
        assert_eq!(found.len(), 1, "{in_first_sector} bytes");
    }
}

#[tokio::test]
async fn files_that_never_got_a_header_do_not_stop_a_start() {
    let disk = new_disk();
    let mut log = open(disk.clone()).await.unwrap();
    log.append(&[entry("kept")]).await.unwrap();
    drop(log);
    disk.put(&file_name(2), &[]);
    disk.put(&file_name(3), &[0; 4096]);
    disk.put(&file_name(4), &[0; 30]);
    disk.put("notes.txt", b"not ours");
    disk.put("7.log", b"not ours");
    let log = open(disk.clone()).await.unwrap();
    assert_eq!((log.term(), log.next_position()), (2, 2));
    assert_eq!(disk.file_names(), [file_name(5), "7.log".to_owned(), "notes.txt".to_owned()]);
    assert_eq!(read_all(disk, 0).await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_missing_is_told() {
    let disk = new_disk();
    let log = write_groups(&disk).await;
    let names = disk.file_names();
    assert!(names.len() >= 2);
    drop(log);
    let without = |name: &str| {
        let disk = copy(&disk);
        let contents: Vec<_> = disk.file_names().into_iter().filter(|other| other != name).collect();
        let less = new_disk();
        contents.iter().for_each(|name| less.put(name, &disk.contents(name)));
        less
    };
    let error = recover_all(&without(&names[0])).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Corrupt);
    assert!(error.message().contains("position 1"), "{error}");
    let error = read_all(without(&names[names.len() - 1]), 45).await.unwrap_err();
    assert!(error.kind() == Kind::Corrupt && error.message().contains("should reach to 45"), "{error}");
    // All.
    for error in [
        LocalLog::open(Arc::new(new_disk()), identity(), LIMITS, 45).await.unwrap_err(),
        LogReader::open(Arc::new(new_disk()), WORKSPACE, 45).await.unwrap_err(),
    ] {
        assert!(error.kind() == Kind::Corrupt && error.message().contains("45"), "{error}");
    }
}

/// Whether the log says that its newest segment, which is gone, is missing: to a writer and to a reader.
async fn check_loss_is_told(disk: &SimulatedDisk, before: &str, lost: &str) {
    for error in [open(copy(disk)).await.unwrap_err(), read_all(copy(disk), 0).await.unwrap_err()] {
        assert_eq!(error.kind(), Kind::Corrupt, "{error}");
        let told = [before, lost, "offset", "position", "missing or empty"];
        assert!(told.iter().all(|part| error.message().contains(part)), "{error}");
    }
}

#[tokio::test]
async fn the_newest_segment_that_is_lost_is_told() {
    for cut in [None, Some(0), Some(10)] {
        let disk = new_disk();
        drop(write_groups(&disk).await);
        // Of a running log, and of one that another writer took over, after a kill and after a clean stop.
        for start in 0..3 {
            if start > 0 {
                let mut log = open(disk.clone()).await.unwrap();
                log.append(&group(15)).await.unwrap();
                if start == 2 {
                    log.close().await.unwrap();
                    drop(log);
                    open(disk.clone()).await.unwrap();
                }
            }
            let names = disk.file_names();
            let [.., before, newest] = &names[..] else { panic!("{names:?}") };
            let without = new_disk();
            names.iter().filter(|name| *name != newest).for_each(|name| without.put(name, &disk.contents(name)));
            if let Some(cut) = cut {
                without.put(newest, &disk.contents(newest)[..cut]);
            }
            check_loss_is_told(&without, before, newest).await;
        }
    }
}

/// As versions before that mark left it; the same as where the disk was full when the segment was begun.
#[tokio::test]
async fn a_log_without_the_mark_of_the_next_segment_is_read() {
    let disk = new_disk();
    let log = write_groups(&disk).await;
    let cut: Vec<_> = log.segments.iter().map(|segment| (segment.name.clone(), segment.bytes)).collect();
    drop(log);
    let before = read_all(disk.clone(), 0).await.unwrap();
    for (name, bytes) in cut {
        disk.put(&name, &disk.contents(&name)[..(bytes - NEXT_MARK_BYTES) as usize]);
    }
    assert_eq!(read_all(disk.clone(), 0).await.unwrap(), before);
    assert_eq!(recover_all(&disk).await.unwrap(), before);
}

#[tokio::test]
async fn a_kind_of_a_newer_version_is_refused_and_not_cut() {
    let disk = new_disk();
    let mut log = open(disk.clone()).await.unwrap();
    log.append(&[entry("a"), entry("b")]).await.unwrap();
    let name = disk.file_names().remove(0);
    let (mut bytes, offset) = (disk.contents(&name), offset_of(&disk, &name, 2));
    bytes[offset + 16] = 99;
    let crc = record::checksum(&bytes[offset + 8..offset + 21], 1);
    bytes[offset + 4..offset + 8].copy_from_slice(&crc.to_le_bytes());
    disk.put(&name, &bytes);
    let error = recover_all(&disk).await.unwrap_err();
    assert!(error.message().contains("position 2") && error.message().contains("kind 99"), "{error}");
}

#[tokio::test]
async fn a_segment_of_another_workspace_or_name_is_refused() {
    let disk = new_disk();
    open(disk.clone()).await.unwrap().append(&[entry("a")]).await.unwrap();
    let other = LogIdentity { workspace: uuid::Uuid::from_u128(1), ..identity() };
    let error = LocalLog::open(Arc::new(disk.clone()), other, LIMITS, 0).await.unwrap_err();
    assert!(error.kind() == Kind::Corrupt && error.message().contains("names workspace"), "{error}");
    disk.put(&file_name(9), &disk.contents(&file_name(1)));
    let error = open(disk).await.unwrap_err();
    assert!(error.kind() == Kind::Corrupt && error.message().contains("number 1"), "{error}");
}
