use super::*;

#[test]
fn what_a_dropped_workspace_left_of_its_log_is_removed_and_the_own_log_is_not() {
    let (own, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let kind = |folder: &str, id: Uuid, name: &str| kind_of(&Path::from(format!("{folder}/{id}/{name}")), None, own);
    for (folder, name) in [("wal", "00000000000000000007.log"), ("wal_trim", "00000000000000000002.mark")] {
        assert_eq!(kind(folder, other, name), Some("log object of a dropped workspace"));
        assert_eq!(kind(folder, own, name), None);
    }
    assert_eq!(kind_of(&Path::from("wal/00000000000000000001.log"), None, own), None, "as on a local disk");
}
