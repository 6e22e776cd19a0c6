//! The module tree: what each module declares and imports.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use syn::ext::IdentExt;
use syn::{
    ForeignItem, Ident, Item, ItemEnum, ItemExternCrate, ItemForeignMod, ItemMacro, ItemMod,
    ItemUse, Visibility,
};

use crate::names::{
    Definition, Entry, Import, ItemId, Kind, Made, Meaning, Module, ModuleId, Name, ROOT,
};
use crate::paths::{alias, uses};
use crate::sources::{Sources, for_tests};
use crate::tokens;

/// The items of one module, as they are written.
pub struct Body {
    pub module: ModuleId,
    pub file: PathBuf,
    pub items: Vec<Item>,
}

pub struct Tree {
    pub crate_name: String,
    pub modules: Vec<Module>,
    pub definitions: Vec<Definition>,
    pub imports: Vec<Import>,
    /// The words in the rules of the macros of a name.
    pub rules: HashMap<String, BTreeSet<String>>,
    pub bodies: Vec<Body>,
    /// What keeps the tree from being whole.
    pub problems: Vec<String>,
    files: BTreeMap<PathBuf, String>,
    seen: BTreeSet<PathBuf>,
}

impl Tree {
    /// The modules that `lib.rs` declares, and theirs.
    pub fn grow(sources: Sources) -> Self {
        let mut tree = Self {
            crate_name: sources.crate_name,
            modules: vec![],
            definitions: vec![],
            imports: vec![],
            rules: HashMap::new(),
            bodies: vec![],
            problems: vec![],
            files: sources.files,
            seen: BTreeSet::new(),
        };
        let file = sources.folder.join("lib.rs");
        let root = tree.module("lib.rs", None, &file, sources.folder);
        tree.read(root, &file);
        for file in tree.files.keys().filter(|file| !tree.seen.contains(*file)) {
            let file = file.display();
            tree.problems
                .push(format!("{file}: no `mod` declares this file"));
        }
        tree
    }

    /// A scope for the items of a block in `around`.
    pub fn block<'a>(
        &mut self,
        around: ModuleId,
        items: impl Iterator<Item = &'a Item>,
    ) -> ModuleId {
        let outer = &self.modules[around];
        let (room, parent) = (outer.room.clone(), outer.parent);
        let (file, folder) = (outer.file.clone(), outer.folder.clone());
        let block = self.module(&room, parent, &file, folder);
        self.modules[block].around = Some(around);
        items.for_each(|item| self.declare(block, item));
        block
    }

    /// The top-level modules of the library.
    pub fn rooms(&self) -> Vec<String> {
        let names = self.modules[ROOT].names.values().flatten();
        let modules = names.filter_map(|name| match name.entry {
            Entry::Is(Meaning::Module(module)) => Some(self.modules[module].room.clone()),
            _ => None,
        });
        modules.collect()
    }

    /// The module around a block.
    pub fn module_of(&self, mut scope: ModuleId) -> ModuleId {
        while let Some(around) = self.modules[scope].around {
            scope = around;
        }
        scope
    }

    fn module(
        &mut self,
        room: &str,
        parent: Option<ModuleId>,
        file: &Path,
        folder: PathBuf,
    ) -> ModuleId {
        self.modules.push(Module {
            room: room.to_owned(),
            parent,
            around: None,
            names: HashMap::new(),
            globs: vec![],
            made: vec![],
            file: file.to_owned(),
            folder,
        });
        self.modules.len() - 1
    }

    fn read(&mut self, module: ModuleId, file: &Path) {
        self.seen.insert(file.to_owned());
        let text = self.files.get(file).map(|text| syn::parse_file(text));
        match text {
            None => self
                .problems
                .push(format!("{}: no such file", file.display())),
            Some(Err(e)) => {
                let (file, line) = (file.display(), e.span().start().line);
                self.problems.push(format!("{file}:{line}: {e}"));
            }
            Some(Ok(parsed)) if for_tests(&parsed.attrs) => self.pass_over(module),
            Some(Ok(parsed)) => self.fill(module, file, parsed.items),
        }
    }

    fn fill(&mut self, module: ModuleId, file: &Path, items: Vec<Item>) {
        items.iter().for_each(|item| self.declare(module, item));
        let file = file.to_owned();
        self.bodies.push(Body {
            module,
            file,
            items,
        });
    }

    /// The files of tests are known, though not looked into.
    fn pass_over(&mut self, module: ModuleId) {
        let folder = &self.modules[module].folder;
        let below = self.files.keys().filter(|file| file.starts_with(folder));
        self.seen.extend(below.cloned());
    }

    fn declare(&mut self, scope: ModuleId, item: &Item) {
        let (attributes, visibility, name, kind) = match item {
            Item::Const(i) => (&i.attrs, &i.vis, &i.ident, Kind::Value),
            Item::Fn(i) => (&i.attrs, &i.vis, &i.sig.ident, Kind::Value),
            Item::Static(i) => (&i.attrs, &i.vis, &i.ident, Kind::Value),
            Item::Struct(i) => (&i.attrs, &i.vis, &i.ident, Kind::Type),
            Item::Enum(i) => (&i.attrs, &i.vis, &i.ident, Kind::Type),
            Item::Trait(i) => (&i.attrs, &i.vis, &i.ident, Kind::Type),
            Item::TraitAlias(i) => (&i.attrs, &i.vis, &i.ident, Kind::Type),
            Item::Type(i) => (&i.attrs, &i.vis, &i.ident, Kind::Type),
            Item::Union(i) => (&i.attrs, &i.vis, &i.ident, Kind::Type),
            Item::Macro(i) if !for_tests(&i.attrs) => return self.macro_rules(scope, i),
            Item::Mod(i) => return self.child(scope, i),
            Item::Use(i) if !for_tests(&i.attrs) => return self.import(scope, i),
            Item::ExternCrate(i) => return self.extern_crate(scope, i),
            Item::ForeignMod(i) if !for_tests(&i.attrs) => return self.foreign(scope, i),
            _ => return,
        };
        if for_tests(attributes) {
            return;
        }
        let definition = self.define(scope, name, kind);
        match item {
            Item::Enum(i) => self.variants(definition, i),
            Item::Type(i) => self.definitions[definition].alias = alias(&i.ty),
            _ => {}
        }
        let entry = Entry::Is(Meaning::Item(definition));
        self.bind(scope, name, visibility, entry);
    }

    fn extern_crate(&mut self, scope: ModuleId, item: &ItemExternCrate) {
        let name = item.rename.as_ref().map_or(&item.ident, |(_, name)| name);
        self.bind(scope, name, &item.vis, Entry::Is(Meaning::Outside));
    }

    fn foreign(&mut self, scope: ModuleId, block: &ItemForeignMod) {
        for item in &block.items {
            let (visibility, name) = match item {
                ForeignItem::Fn(i) => (&i.vis, &i.sig.ident),
                ForeignItem::Static(i) => (&i.vis, &i.ident),
                ForeignItem::Type(i) => (&i.vis, &i.ident),
                _ => continue,
            };
            let definition = self.define(scope, name, Kind::Type);
            let entry = Entry::Is(Meaning::Item(definition));
            self.bind(scope, name, visibility, entry);
        }
    }

    fn define(&mut self, home: ModuleId, name: &Ident, kind: Kind) -> ItemId {
        self.definitions.push(Definition {
            name: name.unraw().to_string(),
            kind,
            home,
            file: self.modules[home].file.clone(),
            variants: None,
            alias: None,
        });
        self.definitions.len() - 1
    }

    fn bind(&mut self, scope: ModuleId, name: &Ident, visibility: &Visibility, entry: Entry) {
        let visible = self.reach(scope, visibility);
        let names = &mut self.modules[scope].names;
        let names = names.entry(name.unraw().to_string()).or_default();
        names.push(Name { visible, entry });
    }

    fn reach(&self, scope: ModuleId, visibility: &Visibility) -> ModuleId {
        match visibility {
            Visibility::Inherited => scope,
            Visibility::Restricted(to) if to.path.is_ident("self") => scope,
            Visibility::Restricted(to) if to.path.is_ident("super") => {
                self.modules[scope].parent.unwrap_or(ROOT)
            }
            _ => ROOT,
        }
    }

    fn variants(&mut self, definition: ItemId, item: &ItemEnum) {
        let home = self.definitions[definition].home;
        let module = &self.modules[home];
        let (room, file, folder) = (
            module.room.clone(),
            module.file.clone(),
            module.folder.clone(),
        );
        let scope = self.module(&room, Some(home), &file, folder);
        let entry = Entry::Is(Meaning::Item(definition));
        for variant in &item.variants {
            self.bind(scope, &variant.ident, &syn::parse_quote!(pub), entry);
        }
        self.definitions[definition].variants = Some(scope);
    }

    /// An exported macro is a name of the root, too.
    fn macro_rules(&mut self, scope: ModuleId, item: &ItemMacro) {
        let mut words = BTreeSet::new();
        tokens::words(item.mac.tokens.clone(), &mut words);
        let Some(name) = &item.ident else {
            return self.call(scope, item, words);
        };
        self.rules
            .entry(name.unraw().to_string())
            .or_default()
            .append(&mut words);
        let definition = self.define(scope, name, Kind::Macro);
        let entry = Entry::Is(Meaning::Item(definition));
        self.bind(scope, name, &Visibility::Inherited, entry);
        if item.attrs.iter().any(|a| a.path().is_ident("macro_export")) {
            self.bind(ROOT, name, &syn::parse_quote!(pub), entry);
        }
    }

    fn call(&mut self, scope: ModuleId, item: &ItemMacro, words: BTreeSet<String>) {
        let Some(name) = item.mac.path.segments.last() else {
            return;
        };
        let by = name.ident.unraw().to_string();
        let item = self.define(scope, &name.ident, Kind::Type);
        self.modules[scope].made.push(Made { by, words, item });
    }

    fn child(&mut self, scope: ModuleId, item: &ItemMod) {
        let name = item.ident.unraw().to_string();
        let parent = self.module_of(scope);
        let outer = &self.modules[parent];
        let room = if parent == ROOT { &name } else { &outer.room }.clone();
        let folder = outer.folder.join(&name);
        let files = [folder.with_extension("rs"), folder.join("mod.rs")];
        let here = outer.file.clone();
        let module = self.module(&room, Some(parent), &here, folder);
        let file = files.iter().find(|file| self.files.contains_key(*file));
        if for_tests(&item.attrs) {
            self.seen.extend(file.cloned());
            return self.pass_over(module);
        }
        self.bind(
            scope,
            &item.ident,
            &item.vis,
            Entry::Is(Meaning::Module(module)),
        );
        if let Some((_, items)) = &item.content {
            self.fill(module, &here, items.clone());
        } else {
            let file = file.unwrap_or(&files[0]);
            self.modules[module].file = file.clone();
            self.read(module, file);
        }
        if item.attrs.iter().any(|a| a.path().is_ident("macro_use")) {
            self.spill_macros(module, scope);
        }
    }

    /// The macros of a `#[macro_use]` module are known around it.
    fn spill_macros(&mut self, module: ModuleId, scope: ModuleId) {
        let is_macro = |name: &Name| match name.entry {
            Entry::Is(Meaning::Item(item)) => self.definitions[item].kind == Kind::Macro,
            _ => false,
        };
        let names = self.modules[module].names.iter();
        let macros =
            names.flat_map(|(text, all)| all.iter().map(move |name| (text.clone(), *name)));
        let macros: Vec<_> = macros.filter(|(_, name)| is_macro(name)).collect();
        for (text, Name { entry, .. }) in macros {
            let names = self.modules[scope].names.entry(text).or_default();
            names.push(Name {
                visible: scope,
                entry,
            });
        }
    }

    fn import(&mut self, scope: ModuleId, item: &ItemUse) {
        for used in uses(item) {
            let id = self.imports.len();
            let path = used.path;
            self.imports.push(Import { scope, path });
            let entry = Entry::Import(id);
            match used.name {
                Some(name) => self.bind(scope, &name, &item.vis, entry),
                None => {
                    let visible = self.reach(scope, &item.vis);
                    self.modules[scope].globs.push(Name { visible, entry });
                }
            }
        }
    }
}
