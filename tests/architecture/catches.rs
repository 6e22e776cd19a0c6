//! The arrows that the check sees and those that it must not see, on small crates.

use crate::House;
use crate::sources::Sources;

/// A crate of these files in `src`, called `house`.
pub fn house(files: &[(&str, &str)]) -> House {
    let path = |&(name, text): &(&str, &str)| (format!("src/{name}").into(), text.to_owned());
    House::of(Sources {
        crate_name: "house".to_owned(),
        folder: "src".into(),
        files: files.iter().map(path).collect(),
    })
}

/// `b` exports what `c` defines.
pub const AROUND: [(&str, &str); 4] = [
    (
        "lib.rs",
        "pub mod a; pub mod b; mod c; mod d; pub use c::{Type as AtRoot, make as local}; pub use b as renamed; pub use c::Kind::*;",
    ),
    (
        "b.rs",
        "pub use crate::c::*; pub use super::c::Type as Renamed; pub(crate) use self::Renamed as Again;
         use crate::d::Hidden; pub trait Open { fn go(); } impl Open for Hidden { fn go() {} }",
    ),
    (
        "c.rs",
        "pub struct Type; pub fn make() {} pub trait Trait { const N: u8; fn go(); } pub enum Kind { One, Two }
         pub type Alias = Type; pub mod deep { pub const X: u8 = 0; } #[macro_export] macro_rules! shout { () => {} }",
    ),
    ("d.rs", "pub struct Hidden; pub fn make() {} pub mod csv {} #[macro_use] mod loud { macro_rules! whisper { () => {} } }"),
];

/// What the module `a` of these sources uses.
fn used_by(code: &str) -> Vec<String> {
    let files = [&AROUND[..], &[("a.rs", code)]].concat();
    let house = house(&files);
    assert_eq!(house.problems, [""; 0], "{code}");
    house
        .graph
        .used("a")
        .into_iter()
        .map(str::to_owned)
        .collect()
}

fn assert_used(cases: &[&str], modules: &[&str]) {
    for code in cases {
        assert_eq!(used_by(code), modules, "{code}");
    }
}

#[test]
fn a_re_export_hides_nothing() {
    let cases = [
        "use crate::b::Type;",
        "pub use crate::b::Renamed;",
        "use crate::b::{Again as Mine};",
        "use crate::AtRoot;",
        "use crate::{renamed::{Kind::{One, Two}}};",
        "use super::renamed::deep::{self, X};",
        "use crate::Two;",
        "fn f() { crate::b::make() }",
    ];
    assert_used(&cases, &["c"]);
}

#[test]
fn paths_of_all_forms_count() {
    let cases = [
        "fn f(x: &[crate::c::Type]) {}",
        "fn f() -> Option<super::c::Type> { None }",
        "fn f() { let _ = house::c::make; }",
        "fn f() { ::house::c::make() }",
        "fn f(x: u8) { match x { crate::c::deep::X => {} _ => {} } }",
        "fn f() { if let crate::c::Kind::One = g() {} }",
        "fn f() { let super::c::Type {} = super::c::Type {}; }",
        "fn f<T: crate::c::Trait>() {}",
        "fn f<T>() where T: Iterator<Item = crate::c::Type> {}",
        "struct S; impl crate::c::Trait for S {}",
        "mod inner { fn f() { super::super::c::make() } }",
        "mod inner { pub mod deeper { pub(in crate::a) fn f() { self::super::super::super::c::make() } } }",
        "fn f() { use super::c as q; q::make() }",
        "fn f() { g(|| { async { crate::c::make() } }) }",
        "#[derive(Deserialize)] struct S { #[serde(default = \"crate::c::make\")] s: u8 }",
        "#[error(\"{}\", crate::c::make())] struct S;",
        "const _: () = { fn f() { crate::c::make() } };",
    ];
    assert_used(&cases, &["c"]);
}

#[test]
fn a_path_from_an_imported_name_counts() {
    let cases = [
        "use crate::b::{self}; fn f() { b::make() }",
        "use crate::b; fn f() { fn g() {} { fn h() {} b::make() } }",
    ];
    assert_used(&cases, &["b", "c"]);
    // `use` of a module names that module, too.
    assert_used(
        &[
            "use crate::b; fn f() { b::make() }",
            "use crate::b as q; type T = q::Type;",
        ],
        &["b", "c"],
    );
    assert_used(&["fn f() { use crate::b; { b::deep::X; } }"], &["b", "c"]);
    assert_used(&["use crate as all; fn f() { all::c::make() }"], &["c"]);
    assert_used(
        &["mod inner { pub use crate::d::Hidden; } fn f(x: inner::Hidden) {}"],
        &["d"],
    );
}

#[test]
fn a_glob_counts_with_what_it_brings() {
    assert_used(&["use crate::b::*; fn f(x: Type) {}"], &["b", "c"]);
    assert_used(
        &["use crate::b::*;", "use crate::b::*; fn f(x: Hidden) {}"],
        &["b"],
    );
    assert_used(
        &[
            "use super::*; fn f(x: AtRoot) {}",
            "use crate::*; fn f() { c::make() }",
        ],
        &["c"],
    );
    assert_used(&["use crate::c::Kind::*; fn f() { g(One) }"], &["c"]);
    // A module's name is none of a value's.
    assert_used(&["use crate::*; fn f(c: u8) { g(c) }"], &[]);
}

#[test]
fn a_method_of_a_trait_or_an_alias_counts() {
    assert_used(
        &[
            "fn f() { <u8 as crate::c::Trait>::go() }",
            "fn f() { crate::b::Alias::new() }",
        ],
        &["c"],
    );
    assert_used(
        &["fn f() { <crate::d::Hidden as crate::b::Open>::go() }"],
        &["b", "d"],
    );
    assert_used(
        &[
            "fn f() { <crate::d::Hidden>::new() }",
            "use super::*; fn f(x: d::Hidden) { <u8>::local(<u8 as Into>::local()) }",
        ],
        &["d"],
    );
}

#[test]
fn paths_in_macros_count() {
    let cases = [
        "fn f() { println!(\"{}\", crate::b::deep::X) }",
        "fn f() { assert!(matches!(g(), [super::c::Kind::One, ..])) }",
        "fn f() { vec![(0..crate::c::deep::X)] }",
        "fn f() { m!(match x { 1 => ::house::c::make(), _ => {} }) }",
        "macro_rules! m { ($x:expr) => { $crate::b::make($x) }; }",
        "macro_rules! m { () => { use crate::c::{deep::{self, X as Y}, Kind}; }; }",
        "m! { crate::c::make() }",
        "use crate::b::make as go; fn f() { m!(go()) }",
        "fn f() { crate::shout!() }",
    ];
    assert_used(&cases, &["c"]);
    assert_used(&["use crate::shout as cry;"], &["c"]);
    // Fields, methods, variables, lifetimes.
    let cases = [
        "use crate::*; fn f() { m!(x.local().local, 'local) }",
        "use crate::*; macro_rules! m { ($local:ident) => { $local::crate_name() }; }",
        "use crate::*; fn f() { m!(<u8 as Into>::local()) }",
    ];
    assert_used(&cases, &[]);
    assert_used(&["use crate::*; fn f() { m!(local()) }"], &["c"]);
}

#[test]
fn what_a_macro_makes_stands_where_it_is_called() {
    let m = "macro_rules! kinds { ($($k:ident)*) => { pub enum Kind { $($k),* } $(pub struct $k;)* }; }
             kinds! { One } outside::cell! { pub static CELL: u8 } extern \"C\" { pub fn foreign(); }";
    let a = "use crate::m::{CELL, Kind, One, foreign}; fn f() { crate::m::Kind::One }";
    let found = house(&[("lib.rs", "mod a; mod m;"), ("a.rs", a), ("m.rs", m)]);
    assert_eq!(found.problems, [""; 0]);
    assert_eq!(found.graph.used("a"), ["m"]);
    let found = house(&[
        ("lib.rs", "mod a; mod m;"),
        ("a.rs", "use crate::m::Two;"),
        ("m.rs", m),
    ]);
    assert_eq!(found.problems.len(), 1);
}

#[test]
fn a_macro_is_known_inside_its_module() {
    let lib = "#[macro_use] mod m; mod a;";
    let m = "macro_rules! m { () => {}; }";
    let found = house(&[
        ("lib.rs", lib),
        ("m.rs", m),
        ("a.rs", "mod inner { fn f() { m!() } }"),
    ]);
    assert_eq!(found.graph.used("a"), ["m"]);
}

#[test]
fn tests_are_no_part_of_the_library() {
    let cases = [
        "#[cfg(test)] mod tests { use crate::c::make; }",
        "#[cfg(all(test, feature = \"x\"))] use crate::c::make;",
        "#[cfg(all(unix, any(test, doctest)))] fn f() { crate::c::make() }",
        "#[cfg(not(not(test)))] use crate::c::make;",
        "#[cfg(not(any(unix, not(test))))] use crate::c::make;",
        "#[test] fn f() { crate::c::make() }",
        "#![cfg(test)] use crate::c::make;",
        "fn f() { #[cfg(test)] crate::c::make(); }",
        "fn f() { #[cfg(test)] { crate::c::make() } }",
        "fn f() { #[cfg(test)] let x = crate::c::make(); }",
        "fn f() { #[cfg(test)] m!(crate::c::make()); }",
        "fn f() { #[cfg(test)] use crate::c::make; }",
        "fn f() { match x { #[cfg(test)] crate::c::Kind::One => {} _ => {} } }",
        "fn f() { g(#[cfg(test)] crate::c::make()) }",
        "struct S { #[cfg(test)] x: crate::c::Type }",
        "enum E { #[cfg(test)] X(crate::c::Type) }",
        "fn f() { S { #[cfg(test)] x: crate::c::make() } }",
        "struct S; impl S { #[cfg(test)] fn f() { crate::c::make() } }",
        "trait T { #[cfg(test)] fn f() { crate::c::make() } }",
        "fn f(#[cfg(test)] x: crate::c::Type) {}",
        "/// See [`crate::c::make`].\n#[doc = \"crate::c\"] fn f() {}",
    ];
    assert_used(&cases, &[]);
    let cases = [
        "#[cfg(not(test))] use crate::c::make;",
        "#[cfg(any(test, feature = \"x\"))] use crate::c::make;",
        "#[cfg(not(all(test, unix)))] use crate::c::make;",
        "#[cfg(feature = \"x\")] use crate::c::make;",
        "#[cfg(not(feature = \"x\"))] use crate::c::make;",
        "fn f() { #[cfg(test)] g(); crate::c::make() }",
        "mod m { #[cfg(test)] mod tests {} fn f() { crate::c::make() } }",
    ];
    assert_used(&cases, &["c"]);
    let now =
        "#[cfg(test)] use crate::c as x; #[cfg(not(test))] use crate::d as x; fn f() { x::make() }";
    assert_used(&[now], &["d"]);
    let arms =
        "#[cfg(unix)] use crate::c as x; #[cfg(not(unix))] use crate::d as x; fn f() { x::make() }";
    let found = house(&[&AROUND[..], &[("a.rs", arms)]].concat());
    assert_eq!(found.graph.used("a"), ["c", "d"]);
}

#[test]
fn other_crates_give_no_arrow() {
    let cases = [
        "use std::fmt; use serde::de::{self, Error}; fn f(x: fmt::Result) { de::local() }",
        "use ::c::make; fn f() { ::d::Hidden }",
        "fn f() { c::make() }",
        "use c::make; use outside::*; fn f() { make(); local() }",
        "pub mod reader { pub use outside::*; } use reader::Type;",
        "use super::*; use ::c::make as m; fn f() { ::c::make() }",
        "extern crate outside as o; use self::o::c; fn f() { self::c::make() }",
        "fn f<T: Iterator>(self_: T::Item) -> Self { Self::make() }",
    ];
    assert_used(&cases, &[]);
}
