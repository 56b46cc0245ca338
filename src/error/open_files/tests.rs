use super::*;
use crate::error::Kind;

/// Numbers of Linux (errno-base.h).
const ENFILE: i32 = 23;
const EMFILE: i32 = 24;
const EIO: i32 = 5;

#[test]
fn who_can_open_no_more_files_learns_what_helps() {
    for code in [ENFILE, EMFILE] {
        let failure = || io::Error::from_raw_os_error(code);
        let below = object_store::Error::Generic { store: "LocalFileSystem", source: Box::new(failure()) };
        for error in [Error::from(failure()), Error::from(below)] {
            assert_eq!(error.kind(), Kind::Busy);
            assert!(error.message().contains("ulimit -n"), "{error}");
        }
    }
    let other = Error::from(io::Error::from_raw_os_error(EIO));
    assert!(other.kind() == Kind::Internal && !other.message().contains("ulimit"), "{other}");
}
