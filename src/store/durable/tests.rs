use object_store::ObjectStoreExt;

use super::*;

#[tokio::test]
async fn a_file_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("month=2024-05"), "a file in the place of a folder").unwrap();
    let path = Path::from_absolute_path(folder.path()).unwrap().join("month=2024-05").join("part.parquet");
    let error = DurableLocalStore::new().put(&path, "rows".into()).await.unwrap_err();
    let error = crate::error::Error::from(error);
    assert!(error.to_string().contains("month=2024-05/part.parquet' cannot be written: "), "{error}");
}
