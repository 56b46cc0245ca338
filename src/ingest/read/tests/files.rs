use std::path::Path;

use crate::ingest::read::expand;

fn names(folder: &Path, patterns: &[&str]) -> Result<Vec<String>, String> {
    let patterns: Vec<String> = patterns.iter().map(|pattern| folder.join(pattern).to_string_lossy().into()).collect();
    let files = expand(&patterns).map_err(|error| error.message().to_owned())?.files;
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
    assert!(names(path, &["*.tsv"]).unwrap_err().contains("*.tsv' names no file"));
    assert!(names(path, &["none"]).unwrap_err().contains("none' names no file"));
    assert!(names(path, &["nothing.csv"]).unwrap_err().contains("nothing.csv' names no file"));
    assert!(names(path, &["a***"]).unwrap_err().contains("is not a pattern"));
}

/// A user table and the events themselves are Parquet, too, and `./convoke-data` lies where the files do.
#[test]
fn a_data_folder_of_ours_is_no_source() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    for name in
        ["mine/events/_delta_log/00000000000000000000.json", "mine/tables/t/part.parquet", "theirs/part.parquet"]
    {
        let file = path.join("convoke-data").join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, "x").unwrap();
    }
    let token = path.join("convoke-data/_tokens").join(format!("{}.json", blake3::hash(b"a token")));
    std::fs::create_dir_all(token.parent().unwrap()).unwrap();
    std::fs::write(&token, "{}").unwrap();
    for of in ["mine", "theirs"] {
        std::fs::write(path.join("convoke-data").join(of).join("workspace.json"), "{}").unwrap();
    }
    std::fs::write(path.join("a.csv"), "x").unwrap();
    // A folder with a file of that name alone is anybody's.
    let of_others = ["convoke-data/theirs/part.parquet", "convoke-data/theirs/workspace.json"];
    assert_eq!(names(path, &["."]).unwrap(), [["a.csv"].as_slice(), &of_others].concat());
    for pattern in ["**/*.json", "**/*.parquet", "convoke-data/*/*"] {
        let found = names(path, &[pattern]).unwrap();
        assert!(
            !found.is_empty() && found.iter().all(|name| of_others.contains(&name.as_str())),
            "{pattern}: {found:?}"
        );
    }
    for pattern in ["convoke-data/mine", "convoke-data/mine/tables", "convoke-data/_tokens", "convoke-data/mine/*/*/*"]
    {
        let told = names(path, &[pattern]).unwrap_err();
        assert!(told.ends_with("what Convoke keeps in a data folder is left out, unless each file is named"), "{told}");
    }
    // One that is named is meant: the data are open.
    let named = "convoke-data/mine/tables/t/part.parquet";
    assert_eq!(names(path, &[named]).unwrap(), [named]);
}

/// README.md: of several files one that cannot be read does not keep the others out.
#[test]
fn what_names_no_file_does_not_keep_the_others_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    std::fs::create_dir(path.join("empty")).unwrap();
    for name in ["a.csv", "b.csv", "c.xlsx"] {
        std::fs::write(path.join(name), "x").unwrap();
    }
    let of = |patterns: &[&str]| -> Vec<String> {
        patterns.iter().map(|pattern| path.join(pattern).to_string_lossy().into()).collect()
    };
    let given = ["a.csv", "nothere.csv", "empty", "*.tsv", "*.xlsx", "a***", "b.csv"];
    let found = expand(&of(&given)).unwrap();
    assert_eq!(found.files, [path.join("a.csv"), path.join("b.csv")]);
    let missing: Vec<_> = found.missing.iter().map(|missing| missing.pattern.clone()).collect();
    assert_eq!(missing, ["nothere.csv", "empty", "*.tsv", "*.xlsx", "a***"].map(|pattern| path.join(pattern)));
    let reasons: Vec<_> = found.missing.iter().map(|missing| missing.reason.message()).collect();
    assert!(reasons[0].ends_with("nothere.csv' names no file that can be loaded"), "{reasons:?}");
    assert!(reasons[3].contains("names no file that can be loaded: known are .csv"), "{reasons:?}");
    assert!(reasons[4].contains("is not a pattern"), "{reasons:?}");
    let none = expand(&of(&["nothere.csv", "*.tsv"])).unwrap_err();
    for part in ["nothere.csv' names no file that can be loaded; '", "*.tsv' names no file"] {
        assert!(none.message().contains(part), "{part}: {none}");
    }
}

#[test]
fn files_of_another_kind_are_named_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    std::fs::create_dir(path.join("sub")).unwrap();
    for name in ["a.csv", "b.xlsx", "sub/c.csv.gz", ".DS_Store", "sub/_SUCCESS"] {
        std::fs::write(path.join(name), "x").unwrap();
    }
    let note = |patterns: &[&str]| {
        let patterns: Vec<String> =
            patterns.iter().map(|pattern| path.join(pattern).to_string_lossy().into()).collect();
        expand(&patterns).unwrap().note()
    };
    let said = note(&[".", "*"]).unwrap();
    assert!(said.starts_with("passed over, as files of another kind than .csv, .tsv, "), "{said}");
    assert!(said.contains("b.xlsx, ") && said.ends_with("sub/c.csv.gz"), "{said}");
    assert!(!said.contains("_S") && !said.contains("a.csv"), "{said}");
    assert_eq!(note(&["a.csv"]), None);
    assert_eq!(note(&["*.csv"]), None);
    let only = [path.join("sub").to_string_lossy().into_owned()];
    assert!(expand(&only).unwrap_err().message().contains("names no file that can be loaded: known are .csv, "));
    for number in 0..6 {
        std::fs::write(path.join(format!("{number}.pdf")), "x").unwrap();
    }
    assert!(note(&["*"]).unwrap().ends_with(" and 3 more"));
}
