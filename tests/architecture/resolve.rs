//! What a path means: imports, re-exports and globs followed to where an item is defined.

use crate::names::{Entry, ImportId, ItemId, Kind, Made, Meaning, ModuleId, Name, ROOT};
use crate::tree::Tree;

impl Tree {
    /// Everything that `path` can mean in `scope`; nothing if it leads into the crate and ends there.
    pub fn resolve(&self, scope: ModuleId, path: &[String]) -> Vec<Meaning> {
        self.follow(scope, path, &mut vec![])
    }

    /// What `name!` can mean in `scope`: macros are known in the modules inside theirs, too.
    pub fn resolve_macro(&self, scope: ModuleId, name: &str) -> Vec<Meaning> {
        let mut next = Some(scope);
        while let Some(scope) = next {
            let mut found = self.lookup(scope, name, scope, &mut vec![]);
            found.retain(|&meaning| match meaning {
                Meaning::Item(item) => self.definitions[item].kind == Kind::Macro,
                Meaning::Outside => true,
                Meaning::Module(_) => false,
            });
            if !found.is_empty() {
                return found;
            }
            let module = &self.modules[scope];
            next = module.around.or(module.parent);
        }
        vec![Meaning::Outside]
    }

    /// The top-level module that holds what `meaning` names; `None` for other crates and for the root.
    pub fn room(&self, meaning: Meaning) -> Option<&str> {
        match meaning {
            Meaning::Outside | Meaning::Module(ROOT) => None,
            Meaning::Module(module) => Some(&self.modules[module].room),
            Meaning::Item(item) => Some(&self.modules[self.definitions[item].home].room),
        }
    }

    /// The type behind a chain of aliases, if it is one of this crate.
    pub fn unaliased(&self, mut item: ItemId) -> Option<ItemId> {
        for _ in 0..self.definitions.len() {
            let definition = &self.definitions[item];
            let Some(alias) = &definition.alias else {
                return Some(item);
            };
            item = self
                .resolve(definition.home, alias)
                .into_iter()
                .find_map(as_item)?;
        }
        None
    }

    fn follow(&self, scope: ModuleId, path: &[String], busy: &mut Vec<ImportId>) -> Vec<Meaning> {
        let mut now = self.first(scope, &path[0], path.get(1), busy);
        let begun = if path[0].is_empty() { 2 } else { 1 };
        for name in path.iter().skip(begun) {
            let mut next = vec![];
            for meaning in now {
                match meaning {
                    Meaning::Outside => next.push(meaning),
                    // Variants and associated items stand with their type.
                    Meaning::Item(item) if self.definitions[item].kind == Kind::Type => {
                        next.push(meaning)
                    }
                    Meaning::Item(_) => {}
                    Meaning::Module(module) if name == "super" => {
                        next.extend(self.modules[module].parent.map(Meaning::Module));
                    }
                    Meaning::Module(module) => next.extend(self.lookup(module, name, scope, busy)),
                }
            }
            now = next;
        }
        now
    }

    /// What a path's first name means; `second` is asked for after `::`.
    fn first(
        &self,
        scope: ModuleId,
        name: &str,
        second: Option<&String>,
        busy: &mut Vec<ImportId>,
    ) -> Vec<Meaning> {
        let here = self.module_of(scope);
        match name {
            "" if second == Some(&self.crate_name) => return vec![Meaning::Module(ROOT)],
            "" | "Self" => return vec![Meaning::Outside],
            "crate" => return vec![Meaning::Module(ROOT)],
            "self" => return vec![Meaning::Module(here)],
            "super" => {
                return self.modules[here]
                    .parent
                    .map(Meaning::Module)
                    .into_iter()
                    .collect();
            }
            _ => {}
        }
        let mut next = Some(scope);
        while let Some(scope) = next {
            let found = self.lookup(scope, name, scope, busy);
            if !found.is_empty() {
                return found;
            }
            next = self.modules[scope].around;
        }
        if name == self.crate_name {
            return vec![Meaning::Module(ROOT)];
        }
        vec![Meaning::Outside]
    }

    /// What `name` means in `module`, seen from `from`.
    fn lookup(
        &self,
        module: ModuleId,
        name: &str,
        from: ModuleId,
        busy: &mut Vec<ImportId>,
    ) -> Vec<Meaning> {
        let mut found = vec![];
        let names = self.modules[module].names.get(name);
        for name in names
            .into_iter()
            .flatten()
            .filter(|name| self.sees(from, name))
        {
            found.extend(self.target(name, busy));
        }
        if found.is_empty() {
            found = self.through_globs(module, name, from, busy);
        }
        if found.is_empty() {
            found.extend(self.made(module, name));
        }
        found
    }

    fn through_globs(
        &self,
        module: ModuleId,
        name: &str,
        from: ModuleId,
        busy: &mut Vec<ImportId>,
    ) -> Vec<Meaning> {
        let mut found = vec![];
        for glob in self.modules[module]
            .globs
            .iter()
            .filter(|glob| self.sees(from, glob))
        {
            // Guarded throughout: two modules may take in each other.
            let Entry::Import(id) = glob.entry else {
                continue;
            };
            if busy.contains(&id) {
                continue;
            }
            let sources = self.target(glob, busy);
            busy.push(id);
            for source in sources {
                match source {
                    Meaning::Module(source) => {
                        found.extend(self.lookup(source, name, module, busy))
                    }
                    Meaning::Item(item) => {
                        let variants = self.definitions[item].variants;
                        found.extend(
                            variants.map_or(vec![], |v| self.lookup(v, name, module, busy)),
                        );
                    }
                    Meaning::Outside => found.push(Meaning::Outside),
                }
            }
            busy.pop();
        }
        found
    }

    fn made(&self, module: ModuleId, name: &str) -> impl Iterator<Item = Meaning> {
        let made = self.modules[module].made.iter();
        let makes = move |made: &&Made| {
            let rules = self.rules.get(&made.by);
            made.words.contains(name) || rules.is_some_and(|words| words.contains(name))
        };
        made.filter(makes).map(|made| Meaning::Item(made.item))
    }

    fn target(&self, name: &Name, busy: &mut Vec<ImportId>) -> Vec<Meaning> {
        match name.entry {
            Entry::Is(meaning) => vec![meaning],
            Entry::Import(id) if busy.contains(&id) => vec![],
            Entry::Import(id) => {
                busy.push(id);
                let import = &self.imports[id];
                let found = self.follow(import.scope, &import.path, busy);
                busy.pop();
                found
            }
        }
    }

    fn sees(&self, from: ModuleId, name: &Name) -> bool {
        let mut next = Some(from);
        while let Some(module) = next {
            if module == name.visible {
                return true;
            }
            next = self.modules[module].around.or(self.modules[module].parent);
        }
        false
    }
}

pub fn as_item(meaning: Meaning) -> Option<ItemId> {
    match meaning {
        Meaning::Item(item) => Some(item),
        _ => None,
    }
}
