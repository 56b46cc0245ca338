use super::*;
use crate::error::Kind;

#[test]
fn each_role_may_what_the_table_of_roles_says() {
    // SQL.md 9: (role, SQL, user tables, events).
    let table = [
        (Role::Admin, true, true, true),
        (Role::Analyst, true, true, false),
        (Role::Service, false, false, false),
        (Role::Ingest, false, false, true),
    ];
    for (role, query, write, send) in table {
        let caller = Caller::new(WorkspaceName::default(), "a", role);
        let may = [caller.check_can_query(), caller.check_can_write_tables(), caller.check_can_ingest()];
        assert_eq!(may.each_ref().map(|outcome| outcome.is_ok()), [query, write, send], "{role:?}");
        for refusal in may.into_iter().filter_map(Result::err) {
            assert_eq!(refusal.kind(), Kind::Forbidden);
            assert!(refusal.message().contains(role.as_str()), "{refusal}");
            assert!(refusal.message().contains("use a token of role"), "{refusal}");
        }
    }
}
