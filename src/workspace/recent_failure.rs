//! What went wrong a moment ago, and would again: repeated for a while where to try costs much. Must not know what it was.

use std::time::Duration;

use tokio::time::Instant;

use crate::error::Error;

/// So long it is not tried again.
const TRIED_AGAIN: Duration = Duration::from_secs(10);

pub(super) struct RecentFailure {
    since: Instant,
    error: Error,
}

impl RecentFailure {
    pub(super) fn new(error: &Error) -> Self {
        Self { since: Instant::now(), error: error.repeat() }
    }

    /// The error for one more who asks; `None` when it is to be tried again.
    pub(super) fn repeat(&self) -> Option<Error> {
        (self.since.elapsed() < TRIED_AGAIN).then(|| self.error.repeat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;

    #[tokio::test(start_paused = true)]
    async fn it_is_repeated_until_it_is_time_to_try_again() {
        let failure = RecentFailure::new(&Error::corrupt("a file is damaged"));
        for _ in 0..2 {
            let repeated = failure.repeat().unwrap();
            assert_eq!((repeated.kind(), repeated.message()), (Kind::Corrupt, "a file is damaged"));
        }
        tokio::time::advance(TRIED_AGAIN).await;
        assert!(failure.repeat().is_none());
    }
}
