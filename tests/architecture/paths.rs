//! The names of a path, and of a `use`.

use syn::ext::IdentExt;
use syn::{Ident, ItemUse, UseTree};

/// The names of a path; the first is empty where it begins with `::`.
pub type Segments = Vec<String>;

/// One import of a `use`.
pub struct Used {
    pub path: Segments,
    /// What it is called here; `None` for a glob.
    pub name: Option<Ident>,
    pub line: usize,
}

/// The imports of a `use`, its groups resolved.
pub fn uses(item: &ItemUse) -> Vec<Used> {
    let prefix = item.leading_colon.iter().map(|_| String::new()).collect();
    let mut all = vec![];
    flatten(&item.tree, prefix, &mut all);
    all
}

fn flatten(tree: &UseTree, mut path: Segments, all: &mut Vec<Used>) {
    let (name, span) = match tree {
        UseTree::Group(group) => {
            return group
                .items
                .iter()
                .for_each(|t| flatten(t, path.clone(), all));
        }
        UseTree::Path(at) => {
            path.push(at.ident.unraw().to_string());
            return flatten(&at.tree, path, all);
        }
        UseTree::Glob(glob) => (None, glob.star_token.span),
        UseTree::Name(name) => (Some((&name.ident, &name.ident)), name.ident.span()),
        UseTree::Rename(to) => (Some((&to.ident, &to.rename)), to.ident.span()),
    };
    let line = span.start().line;
    let Some((item, name)) = name else {
        all.push(Used {
            path,
            name: None,
            line,
        });
        return;
    };
    let mut name = name.clone();
    if item == "self" && !path.is_empty() {
        // `use a::b::{self}` is called `b`.
        if name == "self" {
            name = Ident::new(path.last().unwrap(), span);
        }
    } else {
        path.push(item.unraw().to_string());
    }
    all.push(Used {
        path,
        name: Some(name),
        line,
    });
}

/// The path that an alias is short for.
pub fn alias(ty: &syn::Type) -> Option<Segments> {
    match ty {
        syn::Type::Path(ty) if ty.qself.is_none() => Some(segments(&ty.path)),
        _ => None,
    }
}

/// The names of a path, without generic arguments.
pub fn segments(path: &syn::Path) -> Segments {
    let colon = path.leading_colon.iter().map(|_| String::new());
    let names = path.segments.iter().map(|s| s.ident.unraw().to_string());
    colon.chain(names).collect()
}
