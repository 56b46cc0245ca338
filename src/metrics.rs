//! What the server counts of itself, in Prometheus text. Passed in code, never global, so that a test has its own.
//!
//! Must not know who counts: each layer above adds to the counters that are its own.

use std::sync::atomic::AtomicU64;
use std::time::{SystemTime, UNIX_EPOCH};

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use crate::error::{Error, Result};

/// All counters of one server. Share it as an `Arc`.
pub struct Metrics {
    registry: Registry,
    pub queries_started: Counter,
    pub queries_finished: Counter,
    /// Ended by an error, a limit or the client.
    pub queries_failed: Counter,
    pub queries_running: Gauge,
    pub rows_sent: Counter,
    pub bytes_sent: Counter,
    pub events_ingested: Counter,
    pub events_rejected: Counter,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("convoke");
        let mut counter = |name: &str, help: &str| {
            let counter = Counter::default();
            registry.register(name, help, counter.clone());
            counter
        };
        let queries_started = counter("queries_started", "Queries that began to run");
        let queries_finished = counter("queries_finished", "Queries that ran to their end");
        let queries_failed = counter("queries_failed", "Queries ended by an error, a limit or the client");
        let rows_sent = counter("rows_sent", "Rows sent to clients");
        let bytes_sent = counter("bytes_sent", "Bytes of Arrow data sent to clients");
        let events_ingested = counter("events_ingested", "Events stored");
        let events_rejected = counter("events_rejected", "Rows refused and kept as dead letters");
        let queries_running = Gauge::default();
        registry.register("queries_running", "Queries that run now", queries_running.clone());
        let start_time: Gauge<f64, AtomicU64> = Gauge::default();
        start_time.set(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64()));
        registry.register("process_start_time_seconds", "Start of the process, seconds since 1970", start_time);
        registry.register("build", "Version of the binary", Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]));
        Self {
            registry,
            queries_started,
            queries_finished,
            queries_failed,
            queries_running,
            rows_sent,
            bytes_sent,
            events_ingested,
            events_rejected,
        }
    }
}

impl Metrics {
    /// All values as OpenMetrics text.
    pub fn render(&self) -> Result<String> {
        let mut text = String::new();
        encode(&mut text, &self.registry)
            .map_err(|error| Error::internal("cannot write the metrics").with_source(error))?;
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_rendered_by_name() {
        let metrics = Metrics::default();
        metrics.rows_sent.inc_by(7);
        metrics.queries_running.inc();
        let text = metrics.render().unwrap();
        assert!(text.contains("convoke_rows_sent_total 7"), "{text}");
        assert!(text.contains("convoke_queries_running 1"), "{text}");
        assert!(text.contains("convoke_process_start_time_seconds"), "{text}");
        assert!(text.contains("convoke_build_info{version="), "{text}");
    }
}
