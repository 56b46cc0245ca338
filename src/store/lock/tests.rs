use super::*;

/// What a process that was killed while it wrote leaves behind is not shown by any list of the store.
#[tokio::test]
async fn a_new_writer_removes_what_a_killed_one_left_staged() {
    let folder = tempfile::tempdir().unwrap();
    let root = Root::open(folder.path().to_str().unwrap()).unwrap();
    let workspace = WorkspaceName::default();
    let deep = folder.path().join(workspace.as_str()).join("identity/checkpoints");
    fs::create_dir_all(&deep).unwrap();
    let names = ["nodes.parquet", "nodes.parquet#22475112", "a#b", "c#"];
    names.iter().for_each(|name| fs::write(deep.join(name), "x").unwrap());
    assert!(!WriterLock::is_held(&root, &workspace).await);
    let lock = WriterLock::acquire(&root, &workspace).await.unwrap();
    assert!(WriterLock::is_held(&root, &workspace).await);
    let kept: Vec<bool> = names.iter().map(|name| deep.join(name).exists()).collect();
    assert_eq!(kept, [true, false, true, true]);
    assert_eq!(WriterLock::acquire(&root, &workspace).await.unwrap_err().kind(), Kind::Conflict);
    drop(lock);
    assert!(!WriterLock::is_held(&root, &workspace).await);
}

#[tokio::test]
async fn who_is_refused_learns_where_the_server_is() {
    let folder = tempfile::tempdir().unwrap();
    let root = Root::open(folder.path().to_str().unwrap()).unwrap();
    let workspace = WorkspaceName::default();
    let refusal = async || WriterLock::acquire(&root, &workspace).await.unwrap_err();
    let server = WriterLock::acquire(&root, &workspace).await.unwrap();
    assert!(refusal().await.message().contains("another process writes"), "it is no server yet");
    server.announce("http://127.0.0.1:18815").await.unwrap();
    server.announce("https://127.0.0.1:8815").await.unwrap();
    let refused = refusal().await;
    assert_eq!(refused.kind(), Kind::Conflict);
    let advice = "served by https://127.0.0.1:8815: use --connect https://127.0.0.1:8815,";
    assert!(refused.message().contains(advice), "{refused}");
    drop(server);
    let _command = WriterLock::acquire(&root, &workspace).await.unwrap();
    assert!(!refusal().await.message().contains("8815"), "that server has ended");
}

#[tokio::test]
async fn a_folder_that_cannot_be_locked_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let root = Root::open(folder.path().to_str().unwrap()).unwrap();
    let workspace = WorkspaceName::default();
    fs::write(folder.path().join(workspace.as_str()), "a file in its place").unwrap();
    let error = WriterLock::acquire(&root, &workspace).await.unwrap_err();
    assert!(error.message().contains(&format!("/{workspace}':")), "{error}");
}
