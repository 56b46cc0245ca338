//! What is asked of the kernel with arbitrary bytes: it must neither panic nor hang nor make something large of them.

use convoke_udfs::kernel::{
    self, BitmapRef, Builder, Expr, Map64, NumericRef, Operator, Split, canonicalise, equals, has_all, join_shards,
    overlap_matrix,
};

/// No result of these targets is larger than this many times the input, plus two containers.
fn assert_small(result: &[u8], input: usize) {
    assert!(result.len() <= 8 * input + 20_000, "{} bytes of {input}", result.len());
}

/// The view, the check of contents, and what a view answers alone.
pub fn view(data: &[u8]) {
    if let Ok(map) = Map64::new(data) {
        let _ = (map.check_contents(), map.count(), map.narrow().is_ok());
    }
    let Ok(view) = BitmapRef::new(data) else { return };
    let sound = view.check_contents().is_ok();
    let ids = [0, 1, 65_535, 65_536, 1 << 31, u32::MAX];
    let answers: Vec<(bool, u64)> = ids.iter().map(|id| (view.contains(*id), view.rank(*id))).collect();
    let (min, max) = (view.min(), view.max());
    let written = view.rewrite(Default::default()).expect("there is no budget");
    assert_small(&written, data.len());
    let again = BitmapRef::new(&written).expect("what is written can be read");
    if sound {
        again.check_contents().expect("what is written of sound contents is sound");
        assert_eq!((again.count(), again.min(), again.max()), (view.count(), min, max));
        assert!(equals(view, again).expect("not deep"));
        let here: Vec<(bool, u64)> = ids.iter().map(|id| (again.contains(*id), again.rank(*id))).collect();
        assert_eq!(here, answers);
    }
}

/// Expressions over the bitmaps found one behind the other in the bytes after a byte that chooses the expression.
pub fn evaluate(data: &[u8]) {
    let Some((choice, mut rest)) = data.split_first() else { return };
    let mut views = Vec::new();
    while let Ok(view) = BitmapRef::prefix(rest) {
        rest = &rest[view.as_bytes().len()..];
        views.push(view);
        if views.len() == 6 {
            break;
        }
    }
    if views.is_empty() {
        return;
    }
    let all = || views.iter().copied();
    let expression = match choice % 8 {
        0 => Expr::and(all()),
        1 => Expr::or(all()),
        2 => Expr::xor(all()),
        3 => Expr::andnot(all()),
        4 => Expr::threshold(2, all()),
        5 => Expr::And(vec![views[0].into(), Expr::or(all().skip(1)), Expr::xor(all())]),
        6 => Expr::AndNot(vec![Expr::or(all().take(2)), Expr::and(all().skip(1)), Expr::threshold(2, all())]),
        _ => Expr::xor(all()).within(7, 200_000).flip(100, 70_000).add(5).remove(9),
    };
    let plan = expression.plan().expect("not deep");
    let count = plan.count();
    let sound = views.iter().all(|view| view.check_contents().is_ok());
    let operators = [
        (Operator::And, Expr::and(all())),
        (Operator::Or, Expr::or(all())),
        (Operator::Xor, Expr::xor(all())),
        (Operator::AndNot, Expr::andnot(all())),
    ];
    for (operator, expression) in operators {
        let counted = (kernel::count(operator, &views), kernel::count(operator, &views[..1]));
        if sound {
            let expected = expression.plan().expect("not deep").to_bytes();
            let expected = BitmapRef::new(&expected).expect("what is written can be read");
            assert_eq!(counted, (expected.count(), views[0].count()), "{operator:?}");
        }
    }
    let bytes = plan.to_bytes();
    assert_small(&bytes, data.len());
    let result = BitmapRef::new(&bytes).expect("what is written can be read");
    let _ = (plan.exists(), plan.more_than(100), plan.min(), plan.max(), plan.rank(70_000), plan.select(3));
    let _ = (plan.page(2, 10), plan.counts_within(&views), overlap_matrix(&views), join_shards(&views).is_ok());
    let _ =
        (has_all(views[0], views[views.len() - 1]), plan.page_bytes(1, 5, u64::MAX), plan.limit_from(9, 5, u64::MAX));
    if count < 200_000 {
        let split = Split::new("salt", &[1.0, 2.0]).expect("weights are right");
        let _ = (plan.sample(3, 1), plan.arm(&split, 1, u64::MAX), plan.ids().take(1000).count());
        let _ = canonicalise(views[0], result, |id| id / 2);
    }
    if sound {
        assert_eq!(result.count(), count);
        result.check_contents().expect("sound sets give a sound result");
    }
    let mut builder = Builder::new();
    for (view, operator) in
        views.iter().zip([Operator::Or, Operator::Xor, Operator::And, Operator::AndNot, Operator::Or])
    {
        builder.combine(operator, *view);
        builder.add(7);
    }
    assert!(builder.size() <= 8 * data.len() + 40_000, "{} bytes of memory for {}", builder.size(), data.len());
    BitmapRef::new(&builder.finish()).expect("what is written can be read");
}

/// Numeric sets.
pub fn numeric(data: &[u8]) {
    let Ok(set) = NumericRef::new(data) else { return };
    let _ = (set.check_contents(), set.count(), set.get(5), set.sum(None), set.nth(3, None));
    for bytes in [set.members(), set.between(-3, 1 << 40), set.top_k(3, None)].into_iter().flatten() {
        assert_small(&bytes, data.len());
        BitmapRef::new(&bytes).expect("what is written can be read");
    }
    let _ = set.quantile(0.5, None);
}
