use super::*;

const MANIFEST_OF_OURS: &str = r#"{"format":5,"id":"01960000-0000-7000-8000-000000000000","time_zone":"UTC",
    "created_at":"2024-01-01T00:00:00Z","base_currency":"EUR"}"#;

fn write(folder: &Path, name: &str, text: &str) {
    let file = folder.join(name);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
}

#[test]
fn what_others_call_alike_is_not_ours() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let hash = blake3::hash(b"a token");
    write(path, "fresh/workspace.json", MANIFEST_OF_OURS);
    write(path, "fresh/wal/00000000000000000001.log", "x");
    write(path, "editor/workspace.json", r#"{"folders":[],"id":"x"}"#);
    write(path, &format!("data/_tokens/{hash}.json"), "{}");
    write(path, "design/_tokens/colours.json", "{}");
    write(path, &format!("loose/{hash}.json"), "{}");
    let mut own = OwnFolders::default();
    let mut holds = |name: &str| own.hold(&path.join(name));
    for ours in [
        "fresh",
        "fresh/wal",
        "fresh/wal/00000000000000000001.log",
        "data/_tokens",
        &format!("data/_tokens/{hash}.json"),
    ] {
        assert!(holds(ours), "{ours}");
    }
    for other in ["", "data", "editor", "editor/workspace.json", "design/_tokens/colours.json", "loose", "nothing"] {
        assert!(!holds(other), "{other}");
    }
    assert_eq!(own.held, 5);
}
