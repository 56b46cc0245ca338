//! Megabytes a second of `convoke compact` over the large history.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::history::History;
use super::program;

/// Compacts a fresh copy, which the other measurements then use, too.
pub fn measure(history: &History) -> anyhow::Result<()> {
    let Some((seconds, before, after)) = run(history)? else { return Ok(()) };
    println!("| compaction | Parquet before, MB | written, MB | s | MB/s | events/s |\n|---|---|---|---|---|---|");
    println!(
        "| `convoke compact`, {} events | {before:.0} | {after:.0} | {seconds:.1} | {:.0} | {:.0} |\n",
        history.events(),
        before / seconds,
        history.events() as f64 / seconds
    );
    Ok(())
}

/// Makes the compacted copy unless it is there; false where the program cannot compact.
pub fn ensure(history: &History) -> anyhow::Result<bool> {
    Ok(history.compacted().exists() || run(history)?.is_some())
}

/// Seconds, and megabytes of Parquet before and after.
fn run(history: &History) -> anyhow::Result<Option<(f64, f64, f64)>> {
    if !program::has("compact") {
        eprintln!("this convoke has no command `compact`: not measured");
        return Ok(None);
    }
    let (target, making) = (history.compacted(), history.compacted().with_extension("making"));
    for old in [&target, &making] {
        if old.exists() {
            std::fs::remove_dir_all(old)?;
        }
    }
    copy(&history.loaded(), &making)?;
    let before = parquet_files(&making)?;
    let started = Instant::now();
    program::run(["compact".as_ref(), "--data".as_ref(), making.as_os_str()])?;
    let seconds = started.elapsed().as_secs_f64();
    // What was there before may still lie there for those who read it.
    let mut written = parquet_files(&making)?;
    written.retain(|file, _| !before.contains_key(file));
    std::fs::rename(&making, &target)?;
    let megabytes = |files: BTreeMap<_, u64>| files.into_values().sum::<u64>() as f64 / 1e6;
    Ok(Some((seconds, megabytes(before), megabytes(written))))
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        match entry.file_type()?.is_dir() {
            true => copy(&entry.path(), &target)?,
            false => std::fs::copy(entry.path(), target).map(drop)?,
        }
    }
    Ok(())
}

/// The Parquet files of the events and their bytes.
fn parquet_files(data: &Path) -> anyhow::Result<BTreeMap<PathBuf, u64>> {
    let pattern = data.join("convoke/events/**/*.parquet");
    let mut files = BTreeMap::new();
    for file in glob::glob(&pattern.to_string_lossy())? {
        let file = file?;
        if !file.components().any(|part| part.as_os_str() == "_delta_log") {
            files.insert(file.clone(), file.metadata()?.len());
        }
    }
    Ok(files)
}
