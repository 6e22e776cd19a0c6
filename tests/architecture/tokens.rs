//! Paths in the tokens of a macro, which no parser has made sense of.

use std::collections::BTreeSet;

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::ext::IdentExt;

use crate::paths::Segments;

/// A path, and its line.
pub struct Found {
    pub path: Segments,
    pub line: usize,
}

/// The paths in `tokens`. Fields and methods after a dot, lifetimes and a macro's variables are none.
pub fn paths(tokens: TokenStream) -> Vec<Found> {
    let mut found = vec![];
    scan(tokens, &[], &mut found);
    found
}

/// All names in `tokens`.
pub fn words(tokens: TokenStream, found: &mut BTreeSet<String>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => words(group.stream(), found),
            TokenTree::Ident(ident) => _ = found.insert(ident.unraw().to_string()),
            _ => {}
        }
    }
}

/// A `prefix` stands before each path in the braces of a `use`.
fn scan(tokens: TokenStream, prefix: &[String], found: &mut Vec<Found>) {
    let tokens: Vec<_> = tokens.into_iter().collect();
    let mut at = 0;
    while at < tokens.len() {
        match &tokens[at] {
            TokenTree::Group(group) => scan(group.stream(), &[], found),
            TokenTree::Ident(_) => {
                at = path(&tokens, at, prefix, found);
                continue;
            }
            _ => {}
        }
        at += 1;
    }
}

/// Reads the path whose first name stands at `start`; returns what comes after it.
fn path(tokens: &[TokenTree], start: usize, prefix: &[String], found: &mut Vec<Found>) -> usize {
    let name = |at: usize| match tokens.get(at) {
        Some(TokenTree::Ident(ident)) => Some(ident.unraw().to_string()),
        _ => None,
    };
    let mut path = prefix.to_vec();
    if after_colons(tokens, start) {
        path.push(String::new());
    }
    path.extend(name(start));
    let (mut end, mut inside) = (start + 1, None);
    while is(tokens, end, ':') && is(tokens, end + 1, ':') {
        match (name(end + 2), tokens.get(end + 2)) {
            (Some(name), _) => path.push(name),
            (None, Some(TokenTree::Group(group))) if group.delimiter() == Delimiter::Brace => {
                inside = Some(group.stream());
            }
            _ => break,
        }
        end += 3;
    }
    if !counts(tokens, start) {
        return end;
    }
    // `{self}` after a prefix is the prefix.
    if !prefix.is_empty() && path.last().is_some_and(|last| last == "self") {
        path.pop();
    }
    match inside {
        Some(group) => scan(group, &path, found),
        None => {
            let line = tokens[start].span().start().line;
            found.push(Found { path, line });
        }
    }
    end
}

fn is(tokens: &[TokenTree], at: usize, mark: char) -> bool {
    matches!(tokens.get(at), Some(TokenTree::Punct(punct)) if punct.as_char() == mark)
}

fn is_before(tokens: &[TokenTree], at: usize, back: usize, mark: char) -> bool {
    at >= back && is(tokens, at - back, mark)
}

fn after_colons(tokens: &[TokenTree], at: usize) -> bool {
    is_before(tokens, at, 1, ':') && is_before(tokens, at, 2, ':')
}

/// Whether a name at `at` begins a path.
fn counts(tokens: &[TokenTree], at: usize) -> bool {
    let before = |back, mark| is_before(tokens, at, back, mark);
    let is_word =
        |token: &TokenTree, word| matches!(token, TokenTree::Ident(ident) if ident == word);
    let variable = before(1, '$') && !is_word(&tokens[at], "crate");
    let field = before(1, '.') && !before(2, '.');
    let lifetime = before(1, '\'');
    let renamed = tokens[at.saturating_sub(1)..=at]
        .iter()
        .any(|token| is_word(token, "as"));
    !(variable || field || lifetime || renamed)
}
