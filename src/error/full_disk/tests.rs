use super::*;

/// Numbers of Linux (errno-base.h, errno.h).
const ENOSPC: i32 = 28;
const EDQUOT: i32 = 122;
const EIO: i32 = 5;

#[test]
fn a_full_disk_is_found_below_what_was_done() {
    let told = |code| {
        let failure = || io::Error::from_raw_os_error(code);
        let below = object_store::Error::Generic { store: "LocalFileSystem", source: Box::new(failure()) };
        [Error::from(failure()), Error::from(below).context("writing")].map(|error| error.tells_full_disk())
    };
    assert_eq!((told(ENOSPC), told(EDQUOT)), ([true; 2], [true; 2]));
    assert_eq!(told(EIO), [false; 2]);
    assert!(!Error::busy("the disk is full").tells_full_disk());
}
