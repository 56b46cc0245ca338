use std::path::Path;

use crate::ingest::read::expand;

fn names(folder: &Path, patterns: &[&str]) -> Result<Vec<String>, String> {
    let patterns: Vec<String> = patterns.iter().map(|pattern| folder.join(pattern).to_string_lossy().into()).collect();
    let files = expand(&patterns).map_err(|error| error.message().to_owned())?;
    Ok(files.iter().map(|file| file.strip_prefix(folder).unwrap().to_string_lossy().into()).collect())
}

#[test]
fn files_folders_and_globs() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    std::fs::create_dir_all(path.join("sub/deep")).unwrap();
    std::fs::create_dir_all(path.join("none")).unwrap();
    for name in ["b.csv", "a.CSV", "c[1].csv", "notes.md", "sub/e.parquet", "sub/deep/d.jsonl", "sub/deep/_SUCCESS"] {
        std::fs::write(path.join(name), "x").unwrap();
    }
    assert_eq!(names(path, &["b.csv"]).unwrap(), ["b.csv"]);
    assert_eq!(names(path, &["notes.md"]).unwrap(), ["notes.md"]);
    assert_eq!(names(path, &["c[1].csv"]).unwrap(), ["c[1].csv"]);
    assert_eq!(names(path, &["*"]).unwrap(), ["a.CSV", "b.csv", "c[1].csv", "sub/deep/d.jsonl", "sub/e.parquet"]);
    assert_eq!(
        names(path, &["sub", "*.csv", "b.csv"]).unwrap(),
        ["b.csv", "c[1].csv", "sub/deep/d.jsonl", "sub/e.parquet"]
    );
    assert_eq!(names(path, &["**/*.parquet"]).unwrap(), ["sub/e.parquet"]);
    assert!(names(path, &["b.csv", "*.tsv"]).unwrap_err().contains("*.tsv' names no file"));
    assert!(names(path, &["none"]).unwrap_err().contains("none' names no file"));
    assert!(names(path, &["nothing.csv"]).unwrap_err().contains("nothing.csv' names no file"));
    assert!(names(path, &["a***"]).unwrap_err().contains("is not a pattern"));
}
