//! Buckets: published vectors, shares, order, independence.

use super::*;
use proptest::prelude::*;

const VISITORS: u64 = 100_000;

/// Visitors that are no sequence: a mixing step over a counter.
fn visitor(n: u64) -> VisitorId {
    let mut state = n.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut next = || {
        state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        state ^= state >> 31;
        u128::from(state)
    };
    VisitorId(next() << 64 | next())
}

/// Anyone who computes buckets elsewhere can hold themselves against these rows.
#[test]
fn published_vectors() {
    for (salt, id, bucket) in VECTORS {
        assert_eq!(VisitorId::parse(id).unwrap().bucket(salt), bucket, "{salt} {id}");
    }
}

const VECTORS: [(&str, &str, u64); 6] = [
    ("shop@v2", "00000000000000000000000000000000", 8251),
    ("shop@v2", "00000000000000000000000000000001", 39),
    ("shop@v2", "ffffffffffffffffffffffffffffffff", 1065),
    ("shop@v3", "00000000000000000000000000000001", 6285),
    ("blog@v2", "00000000000000000000000000000001", 219),
    ("catalog@2026-11-21", "0123456789abcdef0123456789abcdef", 5811),
];

#[test]
fn a_share_is_within_three_sigma_of_what_was_asked_for() {
    let buckets: Vec<u64> = (0..VISITORS).map(|n| visitor(n).bucket("shop@v2")).collect();
    for percent in [1, 5, 10, 25, 50, 75, 90, 99] {
        let weight = Weight::new(percent).unwrap();
        let taken = buckets.iter().filter(|bucket| weight.takes(**bucket)).count() as f64;
        let (n, p) = (VISITORS as f64, f64::from(percent) / 100.0);
        let sigma = (n * p * (1.0 - p)).sqrt();
        let off = (taken - n * p) / sigma;
        assert!(off.abs() <= 3.0, "{percent} %: {taken} of {n}, {off:.2} sigma off");
    }
}

#[test]
fn two_salts_have_nothing_to_do_with_each_other() {
    // 10 x 10 cells of visitors; 99 - 9 - 9 = 81 degrees of freedom, and the 99.9th percentile of that is 126.
    let chi = |one: &str, other: &str| {
        let mut cells = [[0_u32; 10]; 10];
        for n in 0..VISITORS {
            let of = |salt| (visitor(n).bucket(salt) / (BUCKETS / 10)) as usize;
            cells[of(one)][of(other)] += 1;
        }
        let expected = VISITORS as f64 / 100.0;
        cells.iter().flatten().map(|count| (f64::from(*count) - expected).powi(2) / expected).sum::<f64>()
    };
    let apart = chi("shop@v2", "shop@v3");
    assert!(apart < 126.0, "chi squared is {apart:.1}");
    // The same measure finds what is not independent.
    assert!(chi("shop@v2", "shop@v2") > 10_000.0);
}

#[test]
fn a_weight_leaves_some_to_either_side() {
    assert_eq!([0, 100, 255].map(Weight::new), [None; 3]);
    assert!(Weight::new(1).unwrap().takes(99) && !Weight::new(1).unwrap().takes(100));
    assert!(Weight::new(99).unwrap().takes(9_899) && !Weight::new(99).unwrap().takes(9_900));
}

#[test]
fn ids_are_read_as_they_are_written() {
    let id = visitor(7);
    assert_eq!(VisitorId::parse(&id.to_string()), Some(id));
    for wrong in
        ["", "1", &"g".repeat(32), &"A".repeat(32), &"0".repeat(33), "+0000000000000000000000000000001"]
    {
        assert_eq!(VisitorId::parse(wrong), None, "{wrong}");
    }
}

proptest! {
    #[test]
    fn nobody_changes_sides_when_the_weight_grows(id in any::<u128>(), less in 1..99_u8, more in 1..99_u8) {
        let (less, more) = (less.min(more), less.max(more));
        let bucket = VisitorId(id).bucket("shop@v2");
        prop_assert!(bucket < BUCKETS);
        let takes = |percent| Weight::new(percent).unwrap().takes(bucket);
        prop_assert!(!takes(less) || takes(more), "the candidate's visitors stay its own");
        prop_assert!(takes(more) || !takes(less), "the live release's visitors come over once, never back");
    }
}
