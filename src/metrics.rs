//! What the server counts of itself, in Prometheus text. Passed in code, never global, so that a test has its own.
//!
//! Must not know who counts: each layer above adds to the counters that are its own.

use std::sync::atomic::AtomicU64;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Metric, Registry};

use crate::error::{Error, Result};

mod logs;

pub use logs::{LogMetrics, LogValues};

/// Upper ends of the buckets of every latency, in seconds: set algebra takes less than a millisecond, a scan minutes.
const SECONDS: [f64; 15] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 20.0, 60.0, 300.0];

type Labels = Vec<(&'static str, String)>;
type Sampler = Box<dyn Fn(&Metrics) + Send + Sync>;

/// All counters of one server. Share it as an `Arc`.
pub struct Metrics {
    registry: Registry,
    /// Called before each rendering, for values that somebody else holds.
    samplers: Mutex<Vec<Sampler>>,
    requests: Family<Labels, Counter>,
    request_seconds: Family<Labels, Histogram>,
    pub queries_started: Counter,
    pub queries_finished: Counter,
    /// Ended by an error, a limit or the client.
    pub queries_failed: Counter,
    /// Ended by a panic.
    pub queries_panicked: Counter,
    pub queries_running: Gauge,
    pub queries_queued: Gauge,
    /// From the beginning to the last row.
    pub query_seconds: Histogram,
    pub rows_sent: Counter,
    pub bytes_sent: Counter,
    pub loads: Counter,
    pub events_ingested: Counter,
    pub events_duplicate: Counter,
    pub events_rejected: Counter,
    pub memory_used: Gauge,
    pub memory_limit: Gauge,
    pub spill_used: Gauge,
    /// States that tickets read, beside the newest ones.
    pub leased_states: Gauge,
    pub leased_bytes: Gauge,
    pub logs: LogMetrics,
    /// By a server that has just started.
    pub workspaces_to_open: Gauge,
    pub connections_open: Gauge,
    pub handshakes_failed: Counter,
    pub sessions_open: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("convoke");
        register_process(&mut registry);
        let registry = &mut registry;
        Self {
            samplers: Mutex::default(),
            requests: add(registry, "requests", "Requests by call and outcome", Family::default()),
            request_seconds: add(
                registry,
                "request_seconds",
                "Time of requests by call, to the last byte of the answer",
                Family::new_with_constructor(latency),
            ),
            queries_started: add(registry, "queries_started", "Queries that began", Counter::default()),
            queries_finished: add(registry, "queries_finished", "Queries that ran to their end", Counter::default()),
            queries_failed: add(
                registry,
                "queries_failed",
                "Queries ended by an error, a limit or the client",
                Counter::default(),
            ),
            queries_panicked: add(registry, "queries_panicked", "Statements ended by a panic", Counter::default()),
            queries_running: add(registry, "queries_running", "Queries begun and not ended", Gauge::default()),
            queries_queued: add(registry, "queries_queued", "Queries of these that wait for a place", Gauge::default()),
            query_seconds: add(registry, "query_seconds", "Time of queries to their last row", latency()),
            rows_sent: add(registry, "rows_sent", "Rows sent to clients", Counter::default()),
            bytes_sent: add(registry, "bytes_sent", "Bytes of Arrow data sent to clients", Counter::default()),
            loads: add(registry, "loads", "Loads that stored events", Counter::default()),
            events_ingested: add(registry, "events_ingested", "Events stored", Counter::default()),
            events_duplicate: add(
                registry,
                "events_duplicate",
                "Rows that were stored before, by their message ids or the key of their batch",
                Counter::default(),
            ),
            events_rejected: add(
                registry,
                "events_rejected",
                "Rows refused and kept as dead letters",
                Counter::default(),
            ),
            memory_used: add(registry, "query_memory_bytes", "Memory that queries hold", Gauge::default()),
            memory_limit: add(registry, "query_memory_limit_bytes", "Memory for all queries", Gauge::default()),
            spill_used: add(registry, "query_spill_bytes", "Disk that queries hold", Gauge::default()),
            leased_states: add(registry, "leased_states", "States kept for tickets", Gauge::default()),
            leased_bytes: add(registry, "leased_bytes", "Memory that these states alone hold", Gauge::default()),
            logs: LogMetrics::new(registry),
            workspaces_to_open: add(
                registry,
                "workspaces_to_open",
                "Workspaces that are still to be opened since the start",
                Gauge::default(),
            ),
            connections_open: add(registry, "connections_open", "Open connections", Gauge::default()),
            handshakes_failed: add(registry, "tls_handshakes_failed", "TLS handshakes that failed", Counter::default()),
            sessions_open: add(registry, "sessions_open", "Sessions with options of their own", Gauge::default()),
            registry: std::mem::take(registry),
        }
    }
}

/// Registers a metric and gives it back.
fn add<M: Metric + Clone>(registry: &mut Registry, name: &str, help: &str, metric: M) -> M {
    registry.register(name, help, metric.clone());
    metric
}

fn latency() -> Histogram {
    Histogram::new(SECONDS)
}

fn register_process(registry: &mut Registry) {
    let start_time: Gauge<f64, AtomicU64> = Gauge::default();
    start_time.set(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64()));
    registry.register("process_start_time_seconds", "Start of the process, seconds since 1970", start_time);
    registry.register("build", "Version of the binary", Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]));
}

impl Metrics {
    /// All values as OpenMetrics text.
    pub fn render(&self) -> Result<String> {
        // Held until the values are written: another rendering would change them.
        let samplers = self.samplers.lock();
        samplers.iter().for_each(|sampler| sampler(self));
        let mut text = String::new();
        encode(&mut text, &self.registry)
            .map_err(|error| Error::internal("cannot write the metrics").with_source(error))?;
        Ok(text)
    }

    /// Has `sampler` set its values before each rendering.
    pub fn sample_with(&self, sampler: impl Fn(&Metrics) + Send + Sync + 'static) {
        self.samplers.lock().push(Box::new(sampler));
    }

    /// Counts one request. `call` and `outcome` must come from short lists: each pair is a series.
    pub fn count_request(&self, call: &str, outcome: &str, took: Duration) {
        let labels = vec![("call", call.to_owned()), ("outcome", outcome.to_owned())];
        self.requests.get_or_create(&labels).inc();
        self.request_seconds.get_or_create(&vec![("call", call.to_owned())]).observe(took.as_secs_f64());
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

    #[test]
    fn a_sampler_sets_its_value_at_each_rendering() {
        let metrics = Metrics::default();
        let calls = AtomicU64::new(0);
        metrics.sample_with(move |metrics| {
            metrics.queries_queued.set(calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed) as i64);
        });
        assert!(metrics.render().unwrap().contains("convoke_queries_queued 0"));
        assert!(metrics.render().unwrap().contains("convoke_queries_queued 1"));
    }

    #[test]
    fn logs_are_told_together() {
        let metrics = Metrics::default();
        let values = LogValues {
            position: 7,
            flushed_position: 5,
            hot_rows: 40,
            hot_bytes: 4_000,
            segments: 1,
            bytes: 1 << 20,
            replay_seconds: 0.25,
        };
        metrics.logs.set([values, values, values]);
        metrics.logs.set([values, LogValues { position: 8, replay_seconds: 0.5, ..values }]);
        let text = metrics.render().unwrap();
        for line in ["log_position 15", "hot_rows 80", "log_bytes 2097152", "replay_seconds 0.5"] {
            assert!(text.contains(&format!("convoke_{line}\n")), "{line}: {text}");
        }
    }

    #[test]
    fn requests_are_counted_by_call_and_outcome() {
        let metrics = Metrics::default();
        metrics.count_request("DoGet", "busy", Duration::from_millis(3));
        let text = metrics.render().unwrap();
        assert!(text.contains(r#"convoke_requests_total{call="DoGet",outcome="busy"} 1"#), "{text}");
        assert!(text.contains(r#"convoke_request_seconds_bucket{le="0.0025",call="DoGet"} 0"#), "{text}");
        assert!(text.contains(r#"convoke_request_seconds_bucket{le="0.005",call="DoGet"} 1"#), "{text}");
    }
}
