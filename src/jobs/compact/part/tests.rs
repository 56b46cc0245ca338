use super::*;

const SMALL: u64 = 100;
/// UUIDs of version 7, in their order: made up.
const IDS: [&str; 4] = [
    "01890a5d-ac96-774b-bcce-b302099a8051",
    "01890a5d-ac96-774b-bcce-b302099a8052",
    "01890a5d-ac96-774b-bcce-b302099a8053",
    "01890a5d-ac96-774b-bcce-b302099a8054",
];

fn file(path: String, bytes: u64) -> Arc<DataFile> {
    let (null_counts, bounds) = (Vec::new(), Vec::new());
    Arc::new(DataFile { path, bytes, rows: 1, modified: 0, partition: None, null_counts, bounds })
}

/// As a statement writes it.
fn inserted(id: usize, bytes: u64) -> Arc<DataFile> {
    file(format!("part-{}.0123456789abcdef.parquet", IDS[id]), bytes)
}

/// As a compaction writes it.
fn joined(id: usize, number: usize, bytes: u64) -> Arc<DataFile> {
    file(paths::joined_table_file(IDS[id], number, Uuid::nil(), "0123456789abcdef"), bytes)
}

fn lengths(files: &[Arc<DataFile>], need: Need) -> Vec<usize> {
    small_runs(files, SMALL, need).iter().map(Vec::len).collect()
}

#[test]
fn only_small_files_side_by_side_are_joined() {
    let of_sizes = |sizes: &[u64]| {
        let files: Vec<_> = sizes.iter().enumerate().map(|(id, bytes)| inserted(id, *bytes)).collect();
        lengths(&files, Need::All)
    };
    assert_eq!(of_sizes(&[1, 2, 3, 4]), [4]);
    assert_eq!(of_sizes(&[1, 2, 100, 4]), [2]);
    assert_eq!(of_sizes(&[1, 100, 3, 4]), [2]);
    assert_eq!(of_sizes(&[1, 100, 3, 100]), [0; 0]);
    assert_eq!(of_sizes(&[]), [0; 0]);
}

#[test]
fn a_server_waits_until_they_are_many() {
    let files = |count: usize| -> Vec<_> {
        (0..count)
            .map(|number| file(format!("part-{}-{number:05}.0.parquet", Uuid::from_u128(number as u128)), 1))
            .collect()
    };
    assert_eq!(lengths(&files(15), Need::Worthwhile), [0; 0]);
    assert_eq!(lengths(&files(16), Need::Worthwhile), [16]);
}

#[test]
fn what_one_compaction_wrote_is_not_written_again_until_a_neighbour_comes() {
    let files = [joined(1, 0, 200), joined(1, 1, 50), joined(1, 2, 50)];
    assert_eq!(lengths(&files, Need::All), [0; 0]);
    let files = [joined(1, 0, 200), joined(1, 1, 50), inserted(2, 5)];
    assert_eq!(lengths(&files, Need::All), [2]);
}

/// Names between files of one compaction would be in another order after the next.
#[test]
fn a_run_does_not_end_within_what_one_compaction_wrote() {
    let files = [inserted(0, 5), inserted(1, 5), joined(2, 0, 50), joined(2, 1, 200)];
    assert_eq!(lengths(&files, Need::All), [2]);
    let files = [inserted(0, 5), joined(2, 0, 50), joined(2, 1, 200)];
    assert_eq!(lengths(&files, Need::All), [0; 0]);
}

#[test]
fn files_of_other_names_stay() {
    let files = [file("a.parquet".to_owned(), 1), file("b.parquet".to_owned(), 1), inserted(0, 1)];
    assert_eq!(lengths(&files, Need::All), [0; 0]);
}

/// The order of a table's rows is that of the names of their files.
#[test]
fn new_files_stand_where_the_old_ones_stood() {
    let old = [inserted(1, 1), inserted(2, 1)];
    let RunName::Joined { id, run } = Part::UserTable("t".to_owned()).run_name(&old, Uuid::from_u128(9)).unwrap()
    else {
        panic!("a user table is joined")
    };
    let new: Vec<String> =
        (0..2).map(|number| paths::joined_table_file(&id, number, run, "fedcba9876543210")).collect();
    let (before, after) = (inserted(0, 1), inserted(3, 1));
    assert!([&before.path, &new[0], &new[1], &after.path].is_sorted(), "{new:?}");
    assert!(new.iter().all(|name| paths::table_file_id(name) == Some(IDS[2])));
    assert_eq!(paths::hash_in_name(&new[1]), Some("fedcba9876543210"));
}
