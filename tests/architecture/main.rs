//! The house of each crate: its top-level modules use each other in one direction, and a type stands
//! in one place.
//!
//! An arrow goes from the module that holds the code to the module that *defines* what the code names,
//! whatever re-exports, renames or globs lie between. Read are imports, paths of all forms, and the
//! tokens of macros; code for tests alone is no part of the library. A method called on a value names
//! nothing, so that it gives no arrow of its own.

mod arrows;
mod catches;
mod graph;
mod names;
mod paths;
mod reports;
mod resolve;
mod sources;
mod tokens;
mod tree;

use std::collections::BTreeSet;
use std::path::Path;

use arrows::{Findings, Inherent};
use graph::Graph;
use sources::Sources;
use tree::Tree;

/// What a crate's sources show.
struct House {
    graph: Graph,
    strays: Vec<String>,
    problems: Vec<String>,
}

impl House {
    fn of(sources: Sources) -> Self {
        let tree = Tree::grow(sources);
        let rooms = tree.rooms();
        let findings = Findings::of(tree);
        Self {
            graph: Graph::new(rooms, findings.arrows),
            strays: strays(&findings.inherent),
            problems: findings.problems,
        }
    }
}

/// The types that have methods outside of the file or the folder of their definition.
fn strays(inherent: &[Inherent]) -> Vec<String> {
    let strays = inherent.iter().filter(|of| !at_home(&of.defined, &of.file));
    let lines: BTreeSet<_> = strays
        .map(|of| {
            let (defined, file) = (of.defined.display(), of.file.display());
            format!("{} of {defined} has methods in {file}:{}", of.name, of.line)
        })
        .collect();
    lines.into_iter().collect()
}

fn at_home(defined: &Path, file: &Path) -> bool {
    let folder = if defined.ends_with("mod.rs") {
        defined.parent().unwrap().to_owned()
    } else {
        defined.with_extension("")
    };
    file == defined || file.starts_with(folder)
}

/// The crates of the workspace.
fn houses() -> Vec<(&'static str, House)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut crates = vec![("puad", "src")];
    if root.join("crates/puad-data").exists() {
        crates.push(("puad_data", "crates/puad-data/src"));
    }
    let house = |(name, folder)| (name, House::of(Sources::read(name, root, folder)));
    crates.into_iter().map(house).collect()
}

#[test]
fn every_name_is_found() {
    for (name, house) in houses() {
        assert!(
            house.problems.is_empty(),
            "{name}:\n{}",
            house.problems.join("\n")
        );
    }
}

/// Prints the modules, each above all that it uses.
#[test]
fn modules_use_each_other_in_one_direction() {
    let mut circles = vec![];
    for (name, house) in houses() {
        println!("{name}\n{}", house.graph.layers());
        circles.extend(house.graph.circles());
    }
    assert!(
        circles.is_empty(),
        "modules in a circle:\n{}",
        circles.join("\n")
    );
}

#[test]
fn a_type_is_implemented_in_its_own_file_or_folder() {
    for (name, house) in houses() {
        assert!(
            house.strays.is_empty(),
            "{name}:\n{}",
            house.strays.join("\n")
        );
    }
}
