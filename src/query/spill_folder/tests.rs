//! The limit of the spill folder, and what is said when it is reached.

// A panic is how a test fails.
#![allow(clippy::unwrap_used)]

use arrow::error::ArrowError;
use datafusion::common::DataFusionError;
use futures::TryStreamExt;

use super::*;
use crate::error::Kind;

/// The error as it comes out of a plan: the writer of batches and DataFusion have wrapped it.
fn as_told(error: io::Error) -> Error {
    Error::from(DataFusionError::from(ArrowError::from(error)).context("spilling"))
}

#[tokio::test]
async fn all_files_together_hold_no_more_than_the_limit() {
    let folder = SpillFolder::new(10).unwrap();
    let (one, other) = (folder.create_temp_file("one").unwrap(), folder.create_temp_file("other").unwrap());
    let mut writer = one.open_writer().unwrap();
    writer.write_all(b"12345678").unwrap();
    writer.finish().unwrap();
    assert_eq!((folder.used(), one.size()), (8, Some(8)));

    let told = as_told(other.open_writer().unwrap().write_all(b"abc").unwrap_err());
    assert_eq!(told.kind(), Kind::Busy, "{told}");
    let message = told.message();
    assert!(message.starts_with("the disk for spilled data of 10.0 B is used up (setting query.spill"), "{message}");
    assert_eq!(folder.used(), 8, "what was refused is not counted");
    other.open_writer().unwrap().write_all(b"ab").unwrap();

    let read: Vec<Bytes> = one.read_stream().unwrap().try_collect().await.unwrap();
    assert_eq!(read.concat(), b"12345678");
    drop((writer, one));
    assert_eq!(folder.used(), 2, "a file that is gone leaves its place to others");
    other.open_writer().unwrap().write_all(b"cdefghij").unwrap();
}

/// A full disk is no limit of ours, however deep it is told.
#[test]
fn a_full_disk_is_told_with_its_folder_and_another_fault_stays_what_it_is() {
    let wrap = |kind: io::ErrorKind| explain_full_disk(io::Error::other(DataFusionError::IoError(kind.into())));
    let full = as_told(wrap(io::ErrorKind::StorageFull));
    let folder = std::env::temp_dir();
    let told = format!("the disk for spilled data ('{}') is full: free space on it", folder.display());
    assert!(full.kind() == Kind::Busy && full.message().starts_with(&told), "{full}");
    assert_eq!(as_told(wrap(io::ErrorKind::BrokenPipe)).kind(), Kind::Internal);
}
