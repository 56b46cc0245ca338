//! What the log does when it is full, fails, is closed, trimmed, or read beside its writer.

use super::super::simulated_disk::SimulatedDisk;
use super::*;
use crate::error::Kind;

async fn positions(disk: &SimulatedDisk, after: u64) -> Vec<u64> {
    read_all(disk.clone(), after).await.unwrap().into_iter().map(|record| record.position).collect()
}

fn new_disk() -> SimulatedDisk {
    SimulatedDisk::new(1, 1 << 20)
}

#[tokio::test]
async fn segments_are_trimmed_whole_and_the_newest_stays() {
    let disk = new_disk();
    let mut log = open(disk.clone()).await.unwrap();
    for first in (1..=19).step_by(2) {
        assert_eq!(log.append(&[entry([7; 800]), entry([8; 800])]).await.unwrap(), first..first + 2);
    }
    // Four records a segment.
    let firsts: Vec<_> = log.segments.iter().map(|segment| segment.first_position).collect();
    assert_eq!((firsts, log.current.segment.first_position), (vec![1, 5, 9, 13], 17));
    log.trim(7).await.unwrap();
    assert_eq!((log.status().segments, log.status().first_position), (4, 5));
    assert_eq!(positions(&disk, 7).await, (8..=20).collect::<Vec<_>>());
    log.trim(20).await.unwrap();
    assert_eq!((log.status().segments, log.status().first_position), (1, 17));
    assert_eq!(disk.file_names(), [file_name(5)]);
    drop(log);
    // Term and position outlive the records.
    let log = LocalLog::open(Arc::new(disk.clone()), identity(), LIMITS, 20).await.unwrap();
    assert_eq!((log.term(), log.next_position()), (2, 21));
}

#[tokio::test]
async fn trimmed_records_are_told_to_be_missing() {
    let disk = new_disk();
    let mut log = open(disk.clone()).await.unwrap();
    for _ in 0..10 {
        log.append(&[entry([7; 800]), entry([8; 800])]).await.unwrap();
    }
    log.trim(7).await.unwrap();
    let error = log.read(3).await.unwrap_err();
    assert!(error.kind() == Kind::Corrupt && error.message().contains("position 4"), "{error}");
}

#[tokio::test]
async fn the_log_takes_no_more_than_its_limit_until_it_is_trimmed() {
    let disk = new_disk();
    let mut log = open(disk.clone()).await.unwrap();
    let mut last = 0;
    let error = loop {
        match log.append(&[entry([7; 700])]).await {
            Ok(positions) => last = positions.start,
            Err(error) => break error,
        }
        assert!(disk.used_bytes() <= LIMITS.total_bytes);
        assert_eq!(log.status().bytes, disk.used_bytes());
    };
    assert_eq!((error.kind(), log.state()), (Kind::Busy, LogState::Open));
    assert!(last > 60, "{last}");
    log.append(&[entry([7; 700])]).await.unwrap_err();
    log.trim(last).await.unwrap();
    assert_eq!(log.append(&[entry([7; 700])]).await.unwrap(), last + 1..last + 2);
}

#[tokio::test]
async fn the_largest_group_fits_a_trimmed_log() {
    let mut log = open(new_disk()).await.unwrap();
    let largest = LIMITS.group_bytes() as usize - record::FRAME_HEADER_BYTES;
    for position in 1..5 {
        assert_eq!(log.append(&[entry(vec![7; largest])]).await.unwrap(), position..position + 1);
        log.trim(position).await.unwrap();
    }
    let error = log.append(&[entry(vec![7; largest + 1])]).await.unwrap_err();
    assert_eq!((error.kind(), log.state()), (Kind::InvalidInput, LogState::Open));
}

/// What a full disk took of a group must not join up with a later group of the same sizes.
#[tokio::test]
async fn nothing_is_read_of_a_group_that_found_the_disk_full() {
    for seed in 0..200 {
        let disk = SimulatedDisk::new(seed, 1 << 20);
        let mut log = open(disk.clone()).await.unwrap();
        log.append(&[entry([1; 100])]).await.unwrap();
        // The space is reserved first.
        disk.fill_at_write(seed / 2 % 2);
        let refused: Vec<_> = (0..15).map(|_| entry([2; 100])).collect();
        let error = log.append(&refused).await.unwrap_err();
        assert_eq!((error.kind(), log.state()), (Kind::Busy, LogState::Open), "seed {seed}: {error}");
        if seed % 2 == 0 {
            assert_eq!(log.append(&[entry([3; 100])]).await.unwrap(), 2..3, "seed {seed}");
        }
        drop(log);
        if seed % 3 == 0 {
            disk.cut_power()
        } else {
            disk.restart_process()
        }
        let mut log = open(disk.clone()).await.unwrap();
        log.append(&[entry([4; 100])]).await.unwrap();
        let found: Vec<_> = read_all(disk, 0).await.unwrap().iter().map(|record| record.payload[0]).collect();
        assert_eq!(found, if seed % 2 == 0 { vec![1, 3, 4] } else { vec![1, 4] }, "seed {seed}");
    }
}

#[tokio::test]
async fn a_log_that_can_open_no_file_says_what_helps_and_goes_on_later() {
    let disk = new_disk();
    let mut log = open(disk.clone()).await.unwrap();
    log.append(&[entry([1; 3000])]).await.unwrap();
    disk.open_none(true);
    let error = log.append(&[entry([2; 3000])]).await.unwrap_err();
    assert_eq!((error.kind(), log.state()), (Kind::Busy, LogState::Open));
    assert!(error.message().contains("ulimit -n"), "{error}");
    let refused = open(disk.clone()).await.unwrap_err();
    assert!(refused.kind() == Kind::Busy && refused.message().contains("ulimit -n"), "{refused}");
    disk.open_none(false);
    let mut log = open(disk.clone()).await.unwrap();
    assert_eq!(log.append(&[entry([2; 3000])]).await.unwrap(), 2..3);
    assert_eq!(positions(&disk, 0).await, [1, 2]);
}

#[tokio::test]
async fn a_disk_without_space_for_a_segment_refuses_and_recovers() {
    let disk = new_disk();
    let mut log = open(disk.clone()).await.unwrap();
    log.append(&[entry([1; 3000])]).await.unwrap();
    disk.set_capacity(disk.used_bytes());
    let error = log.append(&[entry([2; 3000])]).await.unwrap_err();
    assert_eq!((error.kind(), log.state()), (Kind::Busy, LogState::Open));
    assert!(error.message().contains("full"), "{error}");
    // Reading goes on, and a start is refused in the same way.
    assert_eq!(positions(&disk, 0).await, [1]);
    assert_eq!(open(disk.clone()).await.unwrap_err().kind(), Kind::Busy);
    disk.set_capacity(1 << 20);
    assert_eq!(log.append(&[entry([2; 3000])]).await.unwrap(), 2..3);
    assert_eq!(positions(&disk, 0).await, [1, 2]);
}

#[tokio::test]
async fn a_failed_sync_ends_the_log_and_the_next_start_has_what_was_acknowledged() {
    for seed in 0..200 {
        let disk = SimulatedDisk::new(seed, 1 << 20);
        let mut log = open(disk.clone()).await.unwrap();
        log.append(&[entry([1; 700])]).await.unwrap();
        disk.fail_sync_after(0);
        let error = log.append(&[entry([2; 700]), entry([3; 700])]).await.unwrap_err();
        assert_eq!((error.kind(), log.state()), (Kind::Internal, LogState::Failed), "seed {seed}: {error}");
        for _ in 0..2 {
            assert_eq!(log.append(&[entry([9; 10])]).await.unwrap_err().kind(), Kind::Internal, "seed {seed}");
        }
        log.close().await.unwrap_err();
        let mut log = open(disk.clone()).await.unwrap();
        let found = positions(&disk, 0).await;
        assert!(found.starts_with(&[1]), "seed {seed}");
        // What the start has seen is durable from then on, although the kernel took it for written before.
        disk.cut_power();
        log.append(&[entry([9; 10])]).await.unwrap_err();
        open(disk.clone()).await.unwrap();
        assert_eq!(positions(&disk, 0).await, found, "seed {seed}");
    }
}

#[tokio::test]
async fn an_append_that_is_dropped_half_way_ends_the_log() {
    let disk = new_disk();
    let mut log = open(disk.clone()).await.unwrap();
    {
        let group = [entry("a")];
        let append = std::pin::pin!(log.append(&group));
        assert!(futures::poll!(append).is_pending());
    }
    assert_eq!(log.state(), LogState::Failed);
    assert_eq!(log.append(&[entry("b")]).await.unwrap_err().kind(), Kind::Internal);
    assert!(positions(&disk, 0).await.len() <= 1);
}

#[tokio::test]
async fn an_append_answers_when_its_sync_is_done() {
    let disk = new_disk();
    let mut log = open(disk.clone()).await.unwrap();
    disk.set_sync_time(std::time::Duration::from_millis(5));
    let before = std::time::Instant::now();
    log.append(&[entry("a"), entry("b")]).await.unwrap();
    assert!(before.elapsed().as_millis() >= 5);
}

#[tokio::test]
async fn restarts_leave_no_empty_segments() {
    let disk = new_disk();
    for start in 1..=20 {
        let mut log = open(disk.clone()).await.unwrap();
        assert_eq!((log.term(), log.next_position()), (start, if start == 1 { 1 } else { 2 }));
        if start == 1 {
            log.append(&[entry("a")]).await.unwrap();
        }
        assert!(log.status().segments <= 2);
        if start % 3 == 0 {
            log.close().await.unwrap();
            assert_eq!(log.state(), LogState::Closed);
            assert_eq!(log.append(&[entry("b")]).await.unwrap_err().kind(), Kind::Internal);
        }
    }
    assert_eq!(positions(&disk, 0).await, [1]);
}

#[tokio::test]
async fn after_a_clean_stop_nothing_is_written_again() {
    let disk = new_disk();
    let mut log = open(disk.clone()).await.unwrap();
    log.append(&[entry("a")]).await.unwrap();
    log.close().await.unwrap();
    let log = open(disk.clone()).await.unwrap();
    assert_eq!((log.current.segment.first_position, log.current.end), (2, HEADER_BYTES as u64));
    drop(log);
    // Without one the last group is, since the kernel may have it in memory only.
    let mut log = open(disk.clone()).await.unwrap();
    log.append(&[entry("b")]).await.unwrap();
    drop(log);
    let log = open(disk.clone()).await.unwrap();
    assert_eq!(log.current.segment.first_position, 2);
    assert!(log.current.end > HEADER_BYTES as u64);
    assert_eq!(positions(&disk, 0).await, [1, 2]);
}

/// A log of which all records are in files, in several segments, and the last position.
async fn flushed_log(disk: &SimulatedDisk) -> (LocalLog, u64) {
    let mut log = open(disk.clone()).await.unwrap();
    let mut last = 0;
    for _ in 0..6 {
        last = log.append(&[entry([7; 800])]).await.unwrap().start;
    }
    log.trim(last).await.unwrap();
    assert!(log.current.end > HEADER_BYTES as u64 && disk.used_bytes() > 1000, "the newest segment has records");
    (log, last)
}

#[tokio::test]
async fn a_clean_stop_leaves_no_records_that_are_in_files() {
    let disk = new_disk();
    let (mut log, last) = flushed_log(&disk).await;
    log.close().await.unwrap();
    let left = (HEADER_BYTES + record::FRAME_HEADER_BYTES) as u64;
    assert_eq!((disk.file_names().len(), disk.used_bytes()), (1, left), "a header and the mark");
    assert_eq!((log.status().segments, log.status().bytes, log.status().used), (1, left, left));
    drop(log);
    disk.cut_power();
    let log = LocalLog::open(Arc::new(disk.clone()), identity(), LIMITS, last).await.unwrap();
    assert_eq!((log.term(), log.next_position()), (2, last + 1));
    // Records that are in no file stay.
    let (disk, group) = (new_disk(), [entry("a"), entry("b")]);
    let mut log = open(disk.clone()).await.unwrap();
    log.append(&group).await.unwrap();
    log.trim(1).await.unwrap();
    log.close().await.unwrap();
    assert_eq!(positions(&disk, 1).await, [2]);
}

/// Segments that a crash left are given back, too, where nothing was written since.
#[tokio::test]
async fn a_clean_stop_after_a_crash_gives_back_what_was_flushed_before() {
    let disk = new_disk();
    let (log, last) = flushed_log(&disk).await;
    drop(log);
    disk.restart_process();
    let mut log = LocalLog::open(Arc::new(disk.clone()), identity(), LIMITS, last).await.unwrap();
    log.close().await.unwrap();
    assert_eq!(disk.used_bytes(), (HEADER_BYTES + record::FRAME_HEADER_BYTES) as u64);
}

#[tokio::test]
async fn a_clean_stop_that_breaks_off_anywhere_keeps_term_and_position() {
    for seed in 0..200 {
        let disk = SimulatedDisk::new(seed, 1 << 20);
        let (mut log, last) = flushed_log(&disk).await;
        disk.stop_after(seed / 8);
        log.close().await.ok();
        drop(log);
        if seed % 2 == 0 {
            disk.cut_power()
        } else {
            disk.restart_process()
        }
        let mut log = LocalLog::open(Arc::new(disk.clone()), identity(), LIMITS, last).await.unwrap();
        assert_eq!((log.term(), log.next_position()), (2, last + 1), "seed {seed}");
        log.append(&[entry("a")]).await.unwrap();
        assert_eq!(positions(&disk, last).await, [last + 1], "seed {seed}");
    }
}

#[tokio::test]
async fn a_clean_stop_on_a_full_disk_marks_the_end_where_it_is() {
    let disk = new_disk();
    let (mut log, last) = flushed_log(&disk).await;
    disk.set_capacity(disk.used_bytes());
    log.close().await.unwrap();
    assert_eq!(log.state(), LogState::Closed);
    disk.set_capacity(1 << 20);
    let log = LocalLog::open(Arc::new(disk.clone()), identity(), LIMITS, last).await.unwrap();
    assert_eq!((log.next_position(), log.current.end), (last + 1, HEADER_BYTES as u64), "the mark is there");
}

#[tokio::test]
async fn a_group_may_have_more_records_than_a_lag_counts() {
    let disk = SimulatedDisk::new(1, 64 << 20);
    let limits = LogLimits { total_bytes: 32 << 20, ..LIMITS };
    let open = async || LocalLog::open(Arc::new(disk.clone()), identity(), limits, 0).await.unwrap();
    let group: Vec<_> = (0..70_000).map(|_| entry("x")).collect();
    assert_eq!(open().await.append(&group).await.unwrap(), 1..70_001);
    let mut log = open().await;
    assert_eq!(log.append(&[entry("y")]).await.unwrap(), 70_001..70_002);
    assert_eq!(positions(&disk, 0).await.len(), 70_001);
}

#[tokio::test]
async fn what_is_no_record_is_refused() {
    let mut log = open(new_disk()).await.unwrap();
    let mark = Entry { kind: RecordKind::End, ..entry("") };
    assert_eq!(log.append(&[entry("a"), mark]).await.unwrap_err().kind(), Kind::InvalidInput);
    assert_eq!(log.append(&[]).await.unwrap(), 1..1);
    assert_eq!(log.append(&[entry("")]).await.unwrap(), 1..2);
}

#[tokio::test]
async fn limits_that_cannot_hold_are_refused() {
    for limits in [
        LogLimits { segment_bytes: 0, ..LIMITS },
        LogLimits { reserve_bytes: 0, ..LIMITS },
        LogLimits { reserve_bytes: LIMITS.segment_bytes + 1, ..LIMITS },
        LogLimits { total_bytes: 2 * LIMITS.segment_bytes - 1, ..LIMITS },
        LogLimits { segment_bytes: 64, reserve_bytes: 1, total_bytes: 128 },
    ] {
        let error = LocalLog::open(Arc::new(new_disk()), identity(), limits, 0).await.unwrap_err();
        assert_eq!(error.kind(), Kind::InvalidInput, "{limits:?}");
    }
    LocalLog::open(Arc::new(new_disk()), identity(), LogLimits { total_bytes: 1 << 19, ..LogLimits::default() }, 0)
        .await
        .unwrap_err();
    for total_bytes in [1 << 20, 256 << 20, 8 << 30] {
        LogLimits::within(total_bytes).check().unwrap();
    }
}

#[tokio::test]
async fn a_reader_beside_the_writer_goes_on_where_the_log_grew() {
    let disk = new_disk();
    let mut log = open(disk.clone()).await.unwrap();
    log.append(&[entry([1; 100]), entry([2; 100])]).await.unwrap();
    let mut reader = log.read(1).await.unwrap();
    log.append(&[entry([3; 100])]).await.unwrap();
    let found = reader.next().await.unwrap().unwrap();
    assert_eq!(found.iter().map(|record| record.position).collect::<Vec<_>>(), [2, 3]);
    // In the segment that was read, and in later ones.
    for _ in 0..3 {
        log.append(&[entry([4; 1500]), entry([5; 1500])]).await.unwrap();
    }
    let mut found = Vec::new();
    while let Some(records) = reader.next().await.unwrap() {
        found.extend(records.iter().map(|record| record.position));
    }
    assert_eq!(found, [4, 5, 6, 7, 8, 9]);
    assert!(reader.next().await.unwrap().is_none());
}

/// The segment that it reads as the newest one says that another follows, which is no damage.
#[tokio::test]
async fn a_reader_that_listed_segments_before_one_was_begun_goes_on_in_it() {
    let disk = new_disk();
    let mut log = open(disk.clone()).await.unwrap();
    log.append(&[entry([1; 1500])]).await.unwrap();
    let mut reader = log.read(0).await.unwrap();
    for _ in 0..3 {
        log.append(&[entry([4; 1500]), entry([5; 1500])]).await.unwrap();
    }
    assert!(log.status().segments > 2);
    let mut found = Vec::new();
    while let Some(records) = reader.next().await.unwrap() {
        found.extend(records.iter().map(|record| record.position));
    }
    assert_eq!(found, (1..=7).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_reader_of_a_segment_that_is_trimmed_is_told_to_try_again() {
    let disk = new_disk();
    let mut log = open(disk.clone()).await.unwrap();
    let mut reader = None;
    for _ in 0..6 {
        log.append(&[entry([4; 1500]), entry([5; 1500])]).await.unwrap();
        reader = reader.or(log.read(0).await.ok());
    }
    log.trim(12).await.unwrap();
    assert_eq!(reader.unwrap().next().await.unwrap_err().kind(), Kind::Conflict);
}

#[tokio::test]
async fn a_log_that_was_never_written_is_empty() {
    let disk = new_disk();
    assert_eq!(positions(&disk, 0).await, [0_u64; 0]);
    let log = open(disk.clone()).await.unwrap();
    let status = log.status();
    assert_eq!((status.segments, status.first_position, status.durable_position, status.term), (1, 1, 0, 1));
    assert_eq!((status.state, status.bytes), (LogState::Open, LIMITS.reserve_bytes));
    assert_eq!(status.used, HEADER_BYTES as u64, "what is reserved is not used");
    assert_eq!(positions(&disk, 0).await, [0_u64; 0]);
}
