use datafusion::arrow::error::ArrowError;
use datafusion::error::DataFusionError;
use datafusion::parquet::errors::ParquetError;

use super::*;
use crate::error::Kind;

/// Numbers of Linux (errno-base.h, errno.h).
const ENOSPC: i32 = 28;
const EDQUOT: i32 = 122;
const EIO: i32 = 5;

fn in_store(source: impl StdError + Send + Sync + 'static) -> object_store::Error {
    object_store::Error::Generic { store: "local disk", source: Box::new(source) }
}

/// The error as it comes up from a disk, through each library that writes to it.
fn told(code: i32) -> Vec<Error> {
    let failure = || io::Error::from_raw_os_error(code);
    vec![
        failure().into(),
        in_store(failure()).into(),
        DataFusionError::from(failure()).context("spilling").into(),
        DataFusionError::from(ArrowError::from(failure())).into(),
        DataFusionError::from(in_store(failure())).into(),
        DataFusionError::from(ParquetError::External(Box::new(failure()))).into(),
    ]
}

#[test]
fn whoever_meets_a_full_disk_learns_what_helps() {
    for error in told(ENOSPC).into_iter().chain(told(EDQUOT)) {
        assert_eq!((error.kind(), error.help()), (Kind::Busy, Some(FREE_SPACE)), "{error}");
        assert!(error.message().starts_with("the disk is full: free space on it"), "{error}");
        let repeated = Error::from(DataFusionError::from(error.repeat().context("writing")));
        assert!(error.tells_full_disk() && repeated.tells_full_disk(), "{error}");
    }
    for error in told(EIO) {
        assert!(!error.tells_full_disk() && error.kind() == Kind::Internal, "{error}");
    }
    assert!(!Error::busy("the disk is full").tells_full_disk());
}

#[test]
fn the_folder_of_a_file_that_was_not_written_is_named() {
    let failure = |code| WriteFailure { path: "/data/shop/part".into(), source: io::Error::from_raw_os_error(code) };
    let error = Error::from(in_store(failure(ENOSPC)));
    let told = "the disk that holds '/data/shop' is full: free space on it, then try again; `convoke vacuum` removes ";
    assert!(error.message().starts_with(told) && error.kind() == Kind::Busy && error.tells_full_disk(), "{error}");
    let other = Error::from(in_store(failure(EIO)));
    assert!(other.message().contains("'/data/shop/part' cannot be written: "), "{other}");
}
