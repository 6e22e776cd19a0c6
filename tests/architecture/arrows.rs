//! Every path in the code of the library, as an arrow from where it stands to what it names.

use std::path::PathBuf;

use proc_macro2::TokenStream;
use syn::visit::{self, Visit};
use syn::{Attribute, Block, Item, ItemImpl, ItemMacro, ItemUse, Meta, Path, Stmt, Type};

use crate::names::{Meaning, ModuleId, ROOT};
use crate::paths::{segments, uses};
use crate::resolve::as_item;
use crate::sources::test_only;
use crate::tokens;
use crate::tree::Tree;

/// Code of one top-level module that names an item of another.
pub struct Arrow {
    pub from: String,
    pub to: String,
    /// `file:line (path)`.
    pub place: String,
}

/// An inherent `impl`.
pub struct Inherent {
    pub name: String,
    /// Where the type is defined.
    pub defined: PathBuf,
    pub file: PathBuf,
    pub line: usize,
}

/// What the code of a crate shows.
#[derive(Default)]
pub struct Findings {
    pub arrows: Vec<Arrow>,
    pub inherent: Vec<Inherent>,
    /// Paths that lead into the crate and end there, files that are missing or that nothing declares.
    pub problems: Vec<String>,
}

impl Findings {
    pub fn of(mut tree: Tree) -> Self {
        let mut findings = Self::default();
        while let Some(body) = tree.bodies.pop() {
            let mut walk = Walk {
                scope: body.module,
                file: body.file,
                tree: &mut tree,
                findings: &mut findings,
                hidden: false,
            };
            body.items.iter().for_each(|item| walk.visit_item(item));
        }
        findings.problems.append(&mut tree.problems);
        findings
    }
}

struct Walk<'a> {
    tree: &'a mut Tree,
    findings: &'a mut Findings,
    scope: ModuleId,
    file: PathBuf,
    /// Whether the node that is visited is compiled for tests only.
    hidden: bool,
}

impl Walk<'_> {
    /// What `visit` finds counts unless an attribute of the node itself leaves it to tests.
    fn unless_hidden(&mut self, visit: impl FnOnce(&mut Self)) {
        let outer = std::mem::replace(&mut self.hidden, false);
        let findings = &self.findings;
        let before = (
            findings.arrows.len(),
            findings.inherent.len(),
            findings.problems.len(),
        );
        visit(self);
        if self.hidden {
            self.findings.arrows.truncate(before.0);
            self.findings.inherent.truncate(before.1);
            self.findings.problems.truncate(before.2);
        }
        self.hidden = outer;
    }

    fn place(&self, path: &[String], line: usize) -> String {
        format!("{}:{line} ({})", self.file.display(), path.join("::"))
    }

    /// A path in code that was parsed.
    fn path(&mut self, path: &[String], line: usize) {
        let meanings = self.tree.resolve(self.scope, path);
        if meanings.is_empty() {
            let place = self.place(path, line);
            self.findings
                .problems
                .push(format!("{place}: names nothing of the crate"));
        }
        // A name alone is a type or a value: one that is also a module's is something local.
        let alone = path.len() == 1;
        let local = |meaning: &Meaning| alone && matches!(meaning, Meaning::Module(_));
        self.arrows(meanings.into_iter().filter(|m| !local(m)), path, line);
    }

    fn arrows(
        &mut self,
        meanings: impl IntoIterator<Item = Meaning>,
        path: &[String],
        line: usize,
    ) {
        let place = self.place(path, line);
        let from = &self.tree.modules[self.scope].room;
        for meaning in meanings {
            match self.tree.room(meaning) {
                Some(to) if to != from => self.findings.arrows.push(Arrow {
                    from: from.clone(),
                    to: to.to_owned(),
                    place: place.clone(),
                }),
                _ => {}
            }
        }
    }

    /// Tokens may be anything: only what begins in the crate for certain must be found. In the rules of a
    /// macro `self` and `super` are those of its users.
    fn tokens(&mut self, tokens: TokenStream, certain: &[&str]) {
        for found in tokens::paths(tokens) {
            let is_certain = certain.contains(&found.path[0].as_str()) && found.path != ["self"];
            let known = !self.tree.resolve(self.scope, &found.path).is_empty();
            if is_certain || known {
                self.path(&found.path, found.line);
            }
        }
    }

    fn serde_paths(&mut self, tokens: TokenStream, line: usize) {
        let literals = tokens.into_iter().filter_map(|token| match token {
            proc_macro2::TokenTree::Literal(literal) => {
                syn::parse_str::<syn::LitStr>(&literal.to_string()).ok()
            }
            _ => None,
        });
        for literal in literals {
            let tokens = literal.value().parse::<TokenStream>().unwrap_or_default();
            for found in tokens::paths(tokens) {
                self.path(&found.path, line);
            }
        }
    }

    fn inherent(&mut self, item: &ItemImpl) {
        let path = match &*item.self_ty {
            Type::Path(ty) => Some(&ty.path),
            Type::TraitObject(ty) => ty.bounds.iter().find_map(|bound| match bound {
                syn::TypeParamBound::Trait(bound) => Some(&bound.path),
                _ => None,
            }),
            _ => None,
        };
        let Some(path) = path else { return };
        let meanings = self.tree.resolve(self.scope, &segments(path));
        for item in meanings.into_iter().filter_map(as_item) {
            let Some(item) = self.tree.unaliased(item) else {
                continue;
            };
            let definition = &self.tree.definitions[item];
            self.findings.inherent.push(Inherent {
                name: definition.name.clone(),
                defined: definition.file.clone(),
                file: self.file.clone(),
                line: line_of(path),
            });
        }
    }
}

/// Visits of nodes that may have attributes.
macro_rules! unless_hidden {
    ($($visit:ident $node:ident;)*) => {$(
        fn $visit(&mut self, node: &'ast syn::$node) {
            self.unless_hidden(|walk| visit::$visit(walk, node));
        }
    )*};
}

impl<'ast> Visit<'ast> for Walk<'_> {
    unless_hidden! {
        visit_arm Arm;
        visit_expr Expr;
        visit_field Field;
        visit_field_pat FieldPat;
        visit_field_value FieldValue;
        visit_fn_arg FnArg;
        visit_foreign_item ForeignItem;
        visit_generic_param GenericParam;
        visit_impl_item ImplItem;
        visit_named_arg NamedArg;
        visit_pat Pat;
        visit_stmt Stmt;
        visit_trait_item TraitItem;
        visit_variant Variant;
        visit_where_predicate WherePredicate;
    }

    fn visit_item(&mut self, item: &'ast Item) {
        match item {
            // Has a body of its own.
            Item::Mod(_) => {}
            Item::Verbatim(tokens) => self.tokens(tokens.clone(), &["crate", "self", "super"]),
            _ => self.unless_hidden(|walk| visit::visit_item(walk, item)),
        }
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        self.hidden |= test_only(attribute);
        let path = attribute.path();
        if path.is_ident("doc") || path.is_ident("cfg") {
            return;
        }
        if let Meta::List(list) = &attribute.meta {
            if path.is_ident("serde") {
                self.serde_paths(list.tokens.clone(), line_of(path));
            }
            self.tokens(list.tokens.clone(), &["crate", "self", "super"]);
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        item.attrs.iter().for_each(|a| self.visit_attribute(a));
        for used in uses(item) {
            let meanings = self.tree.resolve(self.scope, &used.path);
            if meanings.is_empty() {
                let place = self.place(&used.path, used.line);
                self.findings
                    .problems
                    .push(format!("{place}: names nothing of the crate"));
            }
            // What the root exports is no part of it.
            if self.scope != ROOT {
                self.arrows(meanings, &used.path, used.line);
            }
        }
    }

    fn visit_item_impl(&mut self, item: &'ast ItemImpl) {
        visit::visit_item_impl(self, item);
        if item.trait_.is_none() {
            self.inherent(item);
        }
    }

    fn visit_item_macro(&mut self, item: &'ast ItemMacro) {
        item.attrs.iter().for_each(|a| self.visit_attribute(a));
        match item.ident {
            Some(_) => self.tokens(item.mac.tokens.clone(), &["crate"]),
            None => self.visit_macro(&item.mac),
        }
    }

    fn visit_block(&mut self, block: &'ast Block) {
        let items = block.stmts.iter().filter_map(|stmt| match stmt {
            Stmt::Item(item) => Some(item),
            _ => None,
        });
        let outer = self.scope;
        if items.clone().next().is_some() {
            self.scope = self.tree.block(outer, items);
        }
        visit::visit_block(self, block);
        self.scope = outer;
    }

    fn visit_macro(&mut self, mac: &'ast syn::Macro) {
        let path = segments(&mac.path);
        match &path[..] {
            [name] => {
                let meanings = self.tree.resolve_macro(self.scope, name);
                self.arrows(meanings, &path, line_of(&mac.path));
            }
            _ => self.path(&path, line_of(&mac.path)),
        }
        self.tokens(mac.tokens.clone(), &["crate", "self", "super"]);
    }

    fn visit_path(&mut self, path: &'ast Path) {
        let names = segments(path);
        if names != ["self"] {
            self.path(&names, line_of(path));
        }
        visit::visit_path(self, path);
    }

    /// `pub(in path)` names what is around.
    fn visit_vis_restricted(&mut self, _: &'ast syn::VisRestricted) {}
}

fn line_of(path: &Path) -> usize {
    path.segments[0].ident.span().start().line
}
