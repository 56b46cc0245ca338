//! NaN is in no bounds of a Parquet file: none of DOUBLE and REAL are written, and those of an earlier program count for
//! nothing. `tests/slt/nan_files.slt` has the conditions of all kinds, over files of this program.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use convoke::settings::Settings;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::metadata::ColumnChunkMetaData;

use crate::harness::{World, open, world};

/// (id, f, r, day), a file for each.
const FILES: [&str; 3] = [
    "(1, 9, 9, '2024-01-01'), (2, 8, 8, '2024-01-02')",
    "(3, 5, 5, '2024-02-01'), (4, 'nan', 'nan', '2024-02-02')",
    "(5, 1, 1, '2024-03-01'), (6, 'nan', 'nan', '2024-03-02'), (7, NULL, NULL, '2024-03-03')",
];

async fn three_files(world: &World) {
    world.query("CREATE TABLE t (id BIGINT, f DOUBLE, r REAL, day DATE)").await.unwrap();
    for rows in FILES {
        world.query(&format!("INSERT INTO t VALUES {rows}")).await.unwrap();
    }
}

/// Files of user tables by a pattern below a table's folder.
fn found(world: &World, pattern: &str) -> Vec<PathBuf> {
    let pattern = world.folder.path().join("convoke/tables/*").join(pattern);
    glob::glob(pattern.to_str().unwrap()).unwrap().map(Result::unwrap).collect()
}

/// The footers' entries of a column, of all row groups of all data files.
fn chunks(world: &World, column: usize) -> Vec<ColumnChunkMetaData> {
    let files = found(world, "part-*.parquet");
    let footers = files.iter().map(|path| {
        let bytes = Bytes::from(fs::read(path).unwrap());
        Arc::clone(ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap().metadata())
    });
    footers
        .flat_map(|footer| footer.row_groups().iter().map(|group| group.column(column).clone()).collect::<Vec<_>>())
        .collect()
}

fn is_bounded(chunk: &ColumnChunkMetaData) -> bool {
    chunk.statistics().is_some_and(|held| held.max_bytes_opt().is_some()) || chunk.column_index_offset().is_some()
}

/// Writes each data file as an earlier program did, with bounds of every column; the log says how long it is.
fn write_as_before(world: &World) {
    for path in found(world, "part-*.parquet") {
        let old = Bytes::from(fs::read(&path).unwrap());
        let reader = ParquetRecordBatchReaderBuilder::try_new(old.clone()).unwrap();
        let mut writer = ArrowWriter::try_new(Vec::new(), Arc::clone(reader.schema()), None).unwrap();
        for batch in reader.build().unwrap() {
            writer.write(&batch.unwrap()).unwrap();
        }
        let new = writer.into_inner().unwrap();
        fs::write(&path, &new).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap();
        let (was, is) = (format!("\"size\":{},", old.len()), format!("\"size\":{},", new.len()));
        let mut entries = 0;
        for entry in found(world, "_delta_log/*.json") {
            let text = fs::read_to_string(&entry).unwrap();
            let lines = text.lines().map(|line| match line.contains(name) && line.contains(&was) {
                true => {
                    entries += 1;
                    line.replace(&was, &is)
                }
                false => line.to_owned(),
            });
            let lines: Vec<String> = lines.collect();
            fs::write(&entry, lines.join("\n") + "\n").unwrap();
        }
        assert_eq!(entries, 1, "one entry of the log adds {name}");
    }
}

/// Expected rows are those of DuckDB 2.0.0.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bounds_of_an_earlier_program_hide_no_row() {
    let world = world().await;
    three_files(&world).await;
    write_as_before(&world);
    for column in [1, 2] {
        let chunks = chunks(&world, column);
        assert!(chunks.len() == 3 && chunks.iter().all(is_bounded), "column {column}");
    }
    let folder = Arc::clone(&world.folder);
    drop(world);
    let world = open(folder, Settings::defaults().unwrap(), "UTC").await;
    // Twice: footers are kept.
    for _ in 0..2 {
        for (condition, expected) in [
            ("f > 8.5", "1 4 6"),
            ("f = 'nan'", "4 6"),
            ("f <> 5", "1 2 4 5 6"),
            ("f NOT IN (1, 5)", "1 2 4 6"),
            ("NOT (f <= 8)", "1 4 6"),
            ("f < 7", "3 5"),
            ("f <= 5", "3 5"),
            ("f >= 5", "1 2 3 4 6"),
            ("f = 5", "3"),
            ("f IS NULL", "7"),
            ("r > 8.5", "1 4 6"),
            ("r < 7", "3 5"),
            ("r = 5", "3"),
            ("f > 8.5 AND day >= '2024-02-01'", "4 6"),
            ("f IN (SELECT max(f) FROM t)", "4 6"),
        ] {
            let rows = world.rows(&format!("SELECT id FROM t WHERE {condition} ORDER BY id")).await;
            assert_eq!(rows.join(" "), expected, "{condition}");
        }
        let ordered = world.rows("SELECT id FROM t ORDER BY f DESC NULLS LAST, id LIMIT 3").await;
        assert_eq!(ordered, ["4", "6", "1"]);
        let joined = "SELECT a.id, b.id FROM t AS a JOIN t AS b ON a.f = b.f WHERE a.id = 6 ORDER BY 2";
        assert_eq!(world.rows(joined).await, ["6 4", "6 6"]);
        assert_eq!(world.row("SELECT max(f), min(f), max(r), count(f) FROM t").await, "NaN 1.0 NaN 6");
    }
    assert_eq!(world.row("DELETE FROM t WHERE f > 8.5").await, "3");
    assert_eq!(world.rows("SELECT id FROM t ORDER BY id").await, ["2", "3", "5", "7"]);
}

#[tokio::test]
async fn floating_columns_are_written_without_bounds_and_others_with() {
    let world = world().await;
    three_files(&world).await;
    for (column, bounded) in [(0, true), (1, false), (2, false), (3, true)] {
        let chunks = chunks(&world, column);
        assert_eq!(chunks.len(), 3);
        assert!(chunks.iter().all(|chunk| is_bounded(chunk) == bounded), "column {column}");
    }
}

/// What skips a file by the log: whole numbers and days, also beside a condition that cannot.
#[tokio::test]
async fn files_are_skipped_by_other_columns() {
    let world = world().await;
    three_files(&world).await;
    for (condition, files) in [
        ("id > 4", 1),
        ("id IN (1, 2)", 1),
        ("day BETWEEN '2024-02-01' AND '2024-02-29'", 1),
        ("day >= '2024-02-01' AND f > 8.5", 2),
        ("f > 8.5", 3),
        ("f < 0", 3),
    ] {
        let plan = world.rows(&format!("EXPLAIN SELECT r FROM t WHERE {condition}")).await.join("\n");
        assert_eq!(plan.matches(".parquet").count(), files, "{condition}: {plan}");
    }
}
