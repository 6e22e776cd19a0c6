//! Modules, their names, and what a name can mean.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;

use crate::paths::Segments;

pub type ModuleId = usize;
pub type ItemId = usize;
pub type ImportId = usize;

/// The module of `lib.rs`.
pub const ROOT: ModuleId = 0;

/// A module, a block with items of its own, or an enum as the scope of its variants.
pub struct Module {
    /// The top-level module that it stands in; `lib.rs` for what `lib.rs` itself defines.
    pub room: String,
    /// `super`.
    pub parent: Option<ModuleId>,
    /// The scope around a block.
    pub around: Option<ModuleId>,
    pub names: HashMap<String, Vec<Name>>,
    pub globs: Vec<Name>,
    pub made: Vec<Made>,
    pub file: PathBuf,
    /// Where the files of its modules are.
    pub folder: PathBuf,
}

/// What the call of a macro may define: any word in it or in the macro's rules.
pub struct Made {
    pub by: String,
    pub words: BTreeSet<String>,
    /// All of it.
    pub item: ItemId,
}

/// A name in a module.
#[derive(Clone, Copy)]
pub struct Name {
    /// The module in which it can be used, with all that stands in it.
    pub visible: ModuleId,
    pub entry: Entry,
}

#[derive(Clone, Copy)]
pub enum Entry {
    Is(Meaning),
    Import(ImportId),
}

/// What a path can mean.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Meaning {
    Module(ModuleId),
    Item(ItemId),
    /// Something of another crate.
    Outside,
}

#[derive(Clone, Copy, PartialEq)]
pub enum Kind {
    Type,
    Value,
    Macro,
}

/// Something that is defined in this crate.
pub struct Definition {
    pub name: String,
    pub kind: Kind,
    pub home: ModuleId,
    pub file: PathBuf,
    pub variants: Option<ModuleId>,
    /// Of a type alias: the type, where that is a path.
    pub alias: Option<Segments>,
}

pub struct Import {
    pub scope: ModuleId,
    pub path: Segments,
}
