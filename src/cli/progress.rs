//! A progress bar on standard error; nothing where standard error is no terminal.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use tokio::task::JoinHandle;

const REFRESH: Duration = Duration::from_millis(100);

/// Follows a counter until it is finished or dropped.
pub(super) struct Progress {
    bar: ProgressBar,
    follower: JoinHandle<()>,
}

impl Progress {
    /// `total` in the unit of `counter`: bytes of a file, or rows.
    pub(super) fn follow(label: &str, total: u64, counter: Arc<AtomicU64>, bytes: bool) -> Self {
        let template = if bytes {
            "{msg} [{bar:32}] {bytes}/{total_bytes} {bytes_per_sec} {eta}"
        } else {
            "{msg} [{bar:32}] {pos}/{len} events {per_sec} {eta}"
        };
        Self::with_template(template, label, total, counter)
    }

    /// Follows a count of rows of any kind.
    pub(super) fn follow_rows(label: &str, total: u64, counter: Arc<AtomicU64>) -> Self {
        Self::with_template("{msg} [{bar:32}] {pos}/{len} rows {per_sec} {eta}", label, total, counter)
    }

    fn with_template(template: &str, label: &str, total: u64, counter: Arc<AtomicU64>) -> Self {
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::new(total).with_style(style.progress_chars("=> ")).with_message(label.to_owned());
        let follower = tokio::spawn({
            let bar = bar.clone();
            async move {
                loop {
                    bar.set_position(counter.load(Ordering::Relaxed).min(total));
                    tokio::time::sleep(REFRESH).await;
                }
            }
        });
        Self { bar, follower }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.follower.abort();
        self.bar.finish_and_clear();
    }
}
