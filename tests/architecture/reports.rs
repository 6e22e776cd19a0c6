//! What the check tells, on small crates.

use crate::catches::{AROUND, house};

#[test]
fn what_leads_nowhere_is_told() {
    let cases = [
        (
            "use crate::c::Lost;",
            "src/a.rs:1 (crate::c::Lost): names nothing of the crate",
        ),
        (
            "\nfn f() { crate::lost() }",
            "src/a.rs:2 (crate::lost): names nothing of the crate",
        ),
        (
            "fn f() { m!(super::lost) }",
            "src/a.rs:1 (super::lost): names nothing of the crate",
        ),
        (
            "use crate::b::Hidden;",
            "src/a.rs:1 (crate::b::Hidden): names nothing of the crate",
        ),
        (
            "use self::x; use crate::a::x;",
            "src/a.rs:1 (crate::a::x): names nothing of the crate",
        ),
        ("mod lost;", "src/a/lost.rs: no such file"),
        ("fn {}", "src/a.rs:1: expected identifier"),
    ];
    for (code, problem) in cases {
        let house = house(&[&AROUND[..], &[("a.rs", code)]].concat());
        assert!(
            house.problems.iter().any(|told| told.starts_with(problem)),
            "{:?}",
            house.problems
        );
    }
    let files = [
        ("lib.rs", "#[cfg(test)] mod tests;"),
        ("tests.rs", "mod x;"),
        ("tests/x.rs", ""),
        ("y.rs", ""),
    ];
    assert_eq!(
        house(&files).problems,
        ["src/y.rs: no `mod` declares this file"]
    );
}

#[test]
fn the_root_is_a_module_only_for_what_it_defines() {
    let lib = "mod a; mod b; pub use a::f; pub fn own() { b::g() }";
    let found = house(&[
        ("lib.rs", lib),
        ("a.rs", "pub fn f() { crate::own() }"),
        ("b.rs", "pub use crate::f as g;"),
    ]);
    assert_eq!(found.graph.layers(), "b -> a\na -> lib.rs\nlib.rs -> a\n");
    assert_eq!(found.graph.used("lib.rs"), ["a"]);
}

#[test]
fn a_circle_is_named_with_its_places() {
    let found = house(&[
        (
            "lib.rs",
            "mod a; mod b; mod c; mod d; mod x; mod y; mod z; pub use c::C;",
        ),
        ("a.rs", "pub struct A;\nuse crate::b::B;"),
        ("b.rs", "pub struct B;\nmod inner { use super::super::C; }"),
        (
            "c.rs",
            "pub struct C; fn f(d: crate::d::D) { g!(crate::a::A) }",
        ),
        ("d.rs", "pub struct D; use crate::a::A;"),
        ("x/mod.rs", "pub mod deep;"),
        (
            "x/deep.rs",
            "pub struct X;\n\nfn f() { super::super::y::f() }",
        ),
        ("y.rs", "pub fn f() { crate::x::deep::X; }"),
        ("z.rs", "use crate::{C, y};"),
    ]);
    let first = "a -> b -> c -> a (all of a, b, c, d reach each other)
    a -> b: src/a.rs:2 (crate::b::B)
    b -> c: src/b.rs:2 (super::super::C)
    c -> a: src/c.rs:1 (crate::a::A)";
    let second = "x -> y -> x
    x -> y: src/x/deep.rs:3 (super::super::y::f)
    y -> x: src/y.rs:1 (crate::x::deep::X)";
    assert_eq!(found.graph.circles(), [first, second]);
}

#[test]
fn layers_stand_above_what_they_use() {
    let found = house(&[
        (
            "lib.rs",
            "mod a; mod b; mod c; mod d; #[cfg(test)] mod t; pub use a::f;",
        ),
        ("a.rs", "pub fn f() { crate::d::f() }"),
        ("b.rs", "use crate::{a, d};"),
        ("c.rs", ""),
        ("d.rs", "pub fn f() {}"),
        ("t.rs", "use crate::a::f;"),
    ]);
    assert_eq!(found.problems, [""; 0]);
    assert_eq!(found.graph.circles(), [""; 0]);
    assert_eq!(found.graph.layers(), "b -> a, d\na -> d\nc\nd\n");
}

#[test]
fn methods_outside_of_a_types_folder_are_told() {
    let lib = "mod a; mod b; mod c;";
    let a = "mod part; pub mod leaf; pub struct A; impl A {} pub trait T {} pub type Alias<T> = leaf::L<T>;";
    let part =
        "impl super::A { fn f() {} } use super::leaf; impl<T> leaf::L<T> {} impl dyn super::T {}";
    let leaf = "mod inner; pub struct L<T>(T); impl<T> L<T> {} macro_rules! m { () => {}; }";
    let inner = "impl super::L<u8> {} impl Clone for crate::a::A {}";
    let b = "use crate::a::{A as Other, Alias};\nimpl Other {}\nimpl Alias<u8> {} impl dyn crate::a::T {}
             impl Drop for Other {} impl u8 {} #[cfg(test)] impl crate::c::C {}";
    let files = [
        ("lib.rs", lib),
        ("a/mod.rs", a),
        ("a/part.rs", part),
        ("a/leaf.rs", leaf),
    ];
    let more = [
        ("a/leaf/inner.rs", inner),
        ("b.rs", b),
        ("c.rs", "pub struct C;"),
    ];
    let found = house(&[&files[..], &more[..]].concat());
    assert_eq!(found.problems, [""; 0]);
    let strays = [
        "A of src/a/mod.rs has methods in src/b.rs:2",
        "L of src/a/leaf.rs has methods in src/a/part.rs:1",
        "L of src/a/leaf.rs has methods in src/b.rs:3",
        "T of src/a/mod.rs has methods in src/b.rs:3",
    ];
    assert_eq!(found.strays, strays);
}
