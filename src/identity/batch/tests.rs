use proptest::prelude::*;

use super::*;
use crate::identity::IdentifierTypes;
use crate::identity::sets::{Origin, Seen};

fn batches() -> impl Strategy<Value = IdentityBatch> {
    let nodes = prop::collection::vec((any::<u32>(), 0_u8..8, ".{0,6}"), 0..5);
    let set =
        (prop::collection::vec(any::<u32>(), 1..4), -9_i64..9, prop::option::of("[a-c]"), prop::option::of(1_u32..3));
    let births = prop::collection::vec((any::<u32>(), any::<u32>(), any::<u128>(), 0_u64..1 << 60), 0..5);
    (nodes, prop::collection::vec(set, 0..12), births).prop_map(|(nodes, sets, births)| {
        let mut builder = SetBuilder::default();
        for (nodes, ts, source, load) in sets {
            let origin = builder.origin(Origin { source, kind: "identify".into(), load }.by_ref());
            builder.add_event(nodes[0], nodes.into_iter(), Seen { ts, origin }).unwrap();
        }
        let birth = |(node, person, id, position)| Birth {
            node,
            person,
            person_id: Uuid::from_u128(id),
            position,
            cause: BirthCause::Event,
        };
        IdentityBatch { nodes, sets: builder.finish(), births: births.into_iter().map(birth).collect() }
    })
}

proptest! {
    /// In the tables of a record, and in the rows of an object however they are cut.
    #[test]
    fn a_batch_survives_its_stored_forms(batch in batches(), size in 1_usize..5) {
        let types = IdentifierTypes::default();
        let tables = batch.to_tables(&types).unwrap();
        prop_assert_eq!(&IdentityBatch::from_tables(&types, &tables).unwrap(), &batch);
        let rows = arrow::compute::concat_batches(&IdentityBatch::schema(), &batch.to_record_batches(&types).unwrap());
        let rows = rows.unwrap();
        let cut = (0..rows.num_rows()).step_by(size).map(|at| rows.slice(at, size.min(rows.num_rows() - at)));
        let cut: Vec<_> = cut.collect();
        prop_assert_eq!(IdentityBatch::from_record_batches(&types, &cut).unwrap(), batch);
    }
}

#[test]
fn rows_of_no_table_are_refused() {
    let types = IdentifierTypes::default();
    let batch = IdentityBatch { nodes: vec![(0, 0, "a".into())], ..IdentityBatch::default() };
    let rows = batch.to_record_batches(&types).unwrap().swap_remove(0);
    let without = |name: &str| {
        let schema = rows.schema();
        let columns = schema.fields().iter().zip(rows.columns()).map(|(field, column)| {
            let column = match field.name() == name {
                true => arrow::array::new_null_array(field.data_type(), rows.num_rows()),
                false => std::sync::Arc::clone(column),
            };
            (field.name().clone(), column, true)
        });
        arrow::array::RecordBatch::try_from_iter_with_nullable(columns.collect::<Vec<_>>()).unwrap()
    };
    for (name, what) in [("node", "rows"), ("id_value", "rows")] {
        let error = IdentityBatch::from_record_batches(&types, &[without(name)]).unwrap_err();
        assert_eq!(error.kind(), crate::error::Kind::Corrupt);
        assert!(error.message().contains(what), "{error}");
    }
    assert!(IdentityBatch::from_record_batches(&types, &[batch.to_tables(&types).unwrap().swap_remove(0)]).is_err());
}
