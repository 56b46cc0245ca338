//! A server that starts opens the default workspace, then all others, though nobody asks for them.

use std::fs;

use super::http::get;
use super::{until, within};
use crate::program::{Process, command, said};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_opens_all_workspaces_by_itself() {
    within(async {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path();
        for name in ["convoke", "damaged", "shop_cn", "shop_us"] {
            said(data, &["workspace", "create", name]);
        }
        fs::write(data.join("damaged/workspace.json"), "{").unwrap();
        let server = Process::start(data);
        let address = server.address().strip_prefix("http://").unwrap().parse().unwrap();
        until("it is ready", async || get(address, "/readyz").await.starts_with("HTTP/1.1 200")).await;
        until("all are open", async || get(address, "/metrics").await.contains("convoke_workspaces_to_open 0\n")).await;
        for name in ["convoke", "shop_cn", "shop_us"] {
            let refused = command(data, &["workspace", "set", name, "base_currency=EUR"]).output().unwrap();
            let told = String::from_utf8(refused.stderr).unwrap();
            assert!(!refused.status.success() && told.contains("is served by"), "{name}: {told}");
        }
        drop(server);
        said(data, &["workspace", "set", "shop_us", "base_currency=EUR"]);
    })
    .await;
}

/// What holds for a process stands in `/proc/<pid>/limits`: the soft and the hard limit (proc_pid_limits(5)).
#[cfg(target_os = "linux")]
#[test]
fn a_server_raises_its_limit_of_open_files() {
    let folder = tempfile::tempdir().unwrap();
    let server = Process::start_with_few_files(folder.path(), 256);
    let limits = fs::read_to_string(format!("/proc/{}/limits", server.id())).unwrap();
    let files = limits.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap();
    let [soft, hard, ..] = files.split_whitespace().collect::<Vec<_>>()[..] else { panic!("{files}") };
    assert!(soft == hard && soft != "256", "{files}");
}
