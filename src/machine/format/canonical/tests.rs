//! Canonical form: the examples of RFC 8785, and all that serde can hand over.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::{canonical, in_parts};

fn of_text(json: &str) -> String {
    of(&serde_json::from_str::<Value>(json).unwrap())
}

/// Returns the canonical form, which must be the same if it is written part by part.
fn of(value: &impl Serialize) -> String {
    let whole = canonical(value).unwrap();
    let mut parts = Vec::new();
    in_parts(value, |part| parts.extend_from_slice(part)).unwrap();
    assert_eq!(String::from_utf8_lossy(&parts), String::from_utf8_lossy(&whole));
    String::from_utf8(whole).unwrap()
}

#[test]
fn the_examples_of_rfc_8785() {
    let sorted = r#"{"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\ud83d\ude00": 5, "\u0080": 6, "\u00f6": 7}"#;
    assert_eq!(
        of_text(sorted),
        "{\"\\r\":2,\"1\":4,\"\u{80}\":6,\"\u{f6}\":7,\"\u{20ac}\":1,\"\u{1f600}\":5,\"\u{fb33}\":3}"
    );
    let text = r#"{"string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/", "literals": [null, true, false]}"#;
    let wanted = r#"{"literals":[null,true,false],"string":"€$\u000f\nA'B\"\\\\\"/"}"#;
    assert_eq!(of_text(text), wanted);
    assert_eq!(of_text(r#"["\b\t\f\u007f\u2028", {}, []]"#), "[\"\\b\\t\\f\u{7f}\u{2028}\",{},[]]");
}

#[test]
fn numbers_are_written_as_ecmascript_writes_them() {
    let numbers = "[0, -1, 4294967295, 9007199254740992, 9007199254740993, 18446744073709551615]";
    let wanted = "[0,-1,4294967295,9007199254740992,9007199254740992,18446744073709552000]";
    assert_eq!(of_text(numbers), wanted);
    for (number, wanted) in [
        (1000.0, "1000"),
        (-0.0, "0"),
        (4.5, "4.5"),
        (2e-3, "0.002"),
        (1e-6, "0.000001"),
        (-1e-7, "-1e-7"),
        (1e-27, "1e-27"),
        (333_333_333.333_333_3, "333333333.3333333"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (1e30, "1e+30"),
        (f64::MIN, "-1.7976931348623157e+308"),
        (5e-324, "5e-324"),
    ] {
        assert_eq!(of(&number), wanted);
    }
    assert_eq!(of(&[-9_007_199_254_740_993_i64, -9_007_199_254_740_991]), "[-9007199254740992,-9007199254740991]");
    assert_eq!(of(&i64::MIN), "-9223372036854775808".replace("5808", "6000"));
    assert!(canonical(&f64::NAN).is_err());
}

/// All that serde can hand over.
#[derive(Serialize)]
struct All {
    unit: (),
    none: Option<u8>,
    some: Option<u8>,
    character: char,
    numbers: (i8, i16, i32, i64, u8, u16, u32, u64, f64, bool),
    list: Vec<Kind>,
    map: BTreeMap<String, Kind>,
    #[serde(flatten)]
    flat: BTreeMap<String, String>,
    empty: BTreeMap<String, u8>,
    new: New,
    pair: Pair,
}

#[derive(Serialize)]
struct New(&'static str);

#[derive(Serialize)]
struct Pair(u8, u8);

#[derive(Serialize)]
enum Kind {
    Unit,
    New(u64),
    Tuple(u8, &'static str),
    Struct { z: u8, a: u8 },
}

#[test]
fn what_is_serialized_is_written_as_its_tree_is() {
    let kinds = || vec![Kind::Unit, Kind::New(u64::MAX), Kind::Tuple(1, "\"\\\u{1}é"), Kind::Struct { z: 1, a: 2 }];
    let names = ["\u{1f600}", "\u{fb33}", "b", "a\"", "", "é"];
    let all = All {
        unit: (),
        none: None,
        some: Some(1),
        character: '\u{1f600}',
        numbers: (-1, -2, i32::MIN, i64::MAX, 1, 2, 3, (1 << 53) + 1, 1.5, true),
        list: kinds(),
        map: names.into_iter().map(str::to_owned).zip(kinds()).collect(),
        flat: names.into_iter().map(|name| (format!("flat {name}"), name.to_owned())).collect(),
        empty: BTreeMap::new(),
        new: New("x"),
        pair: Pair(1, 2),
    };
    let text = of(&all);
    assert_eq!(text, of(&serde_json::to_value(&all).unwrap()));
    assert!(text.starts_with(r#"{"character":"😀","empty":{},"flat ":"","flat a\"":"a\"","#), "{text}");
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap()["pair"], serde_json::json!([1, 2]));
    assert!(canonical(&BTreeMap::from([(1, 2)])).is_err());
}

#[test]
fn parts_are_one_document() {
    #[derive(Serialize)]
    struct Top<'a> {
        z: &'a [Below],
        one: Option<Below>,
        none: Option<Below>,
        #[serde(skip_serializing_if = "str::is_empty")]
        left_out: &'static str,
        a: Vec<Vec<Vec<Vec<u8>>>>,
        long: String,
    }
    #[derive(Serialize)]
    struct Below {
        b: Vec<Kind>,
        a: New,
        nothing: Empty,
    }
    #[derive(Serialize)]
    struct Empty {}
    let below = || Below { b: vec![Kind::Unit, Kind::New(1)], a: New("a"), nothing: Empty {} };
    let many: Vec<_> = (0..1000).map(|_| below()).collect();
    for z in [&many[..], &many[..1], &[]] {
        let a = vec![vec![], vec![vec![], vec![vec![1, 2], vec![]]]];
        let long = "long ".repeat(10_000);
        let text = of(&Top { z, one: Some(below()), none: None, left_out: "", a, long });
        assert!(text.starts_with(r#"{"a":[[],[[],[[1,2],[]]]],"long":"long "#), "{text}");
    }
    of(&many);
}

#[test]
fn members_are_sorted_whatever_their_number_and_length() {
    /// An object whose members are written in this order.
    struct InOrder(Vec<(String, String)>);
    impl Serialize for InOrder {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_map(self.0.iter().map(|(name, text)| (name, text)))
        }
    }
    // Two of the four members are longer than what is rotated in place.
    let lengths = [0, 10_000, 3, 5_000];
    let member = |at: usize| (format!("name {at}"), "x".repeat(lengths[at % 4]));
    let sorted = |count: usize| of(&(0..count).map(member).collect::<BTreeMap<_, _>>());
    for order in 0..4_usize.pow(4) {
        let order = [order % 4, order / 4 % 4, order / 16 % 4, order / 64];
        if (0..4).all(|at| order.contains(&at)) {
            assert_eq!(of(&[InOrder(order.map(member).into())]), format!("[{}]", sorted(4)), "{order:?}");
        }
    }
    for count in [5, 31, 32, 33, 101] {
        for step in [1, count - 1, 7] {
            let order = (0..count).map(|at| member((at + 1) * step % count)).collect();
            assert_eq!(of(&InOrder(order)), sorted(count), "{count} members, step {step}");
        }
    }
}
