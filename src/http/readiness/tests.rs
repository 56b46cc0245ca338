use super::*;

#[test]
fn who_asks_learns_why_not() {
    let readiness = Readiness::new(|| "3 workspaces are being read".to_owned());
    assert_eq!(readiness.obstacle().unwrap(), "the server starts: 3 workspaces are being read");
    readiness.begin();
    assert_eq!(readiness.obstacle(), None);
    readiness.end();
    readiness.begin();
    assert_eq!(readiness.obstacle().unwrap(), "the server stops", "what ends late does not begin again");
}
