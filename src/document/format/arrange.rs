//! Canonical words and order: keys of the language are renamed and moved, each with its comments.
//!
//! Nothing is moved where that would put an alias before its anchor, or a key of the user's
//! before another.

use crate::document::format::place::Place;
use crate::ground::read::canonical;
use crate::ground::yaml::written::{Above, Collection, Entry, Form, Piece};

/// Takes the comment at the head of a file from the key that it happens to stand before: all of
/// it, or what a blank line divides from the comment of that key.
pub(super) fn take_head(root: &mut Piece) -> Vec<Above> {
    let Form::Collection(Collection { entries, .. }) = &mut root.form else { return Vec::new() };
    let Some(first) = entries.first_mut() else { return Vec::new() };
    let blank = first.above.iter().rposition(|above| matches!(above, Above::Blank)).filter(|at| *at > 0);
    let rest = first.above.split_off(blank.map_or(first.above.len(), |at| at + 1));
    std::mem::replace(&mut first.above, rest)
}

/// Puts a piece and all below it in the order of its place.
pub(super) fn arrange(piece: &mut Piece, place: &'static Place) {
    let Form::Collection(collection) = &mut piece.form else { return };
    if collection.list {
        for entry in &mut collection.entries {
            arrange(&mut entry.value, place.element());
            lift_comments(entry);
        }
        if place.spaced && !collection.flow {
            set_apart(&mut collection.entries);
        }
        return;
    }
    rename(collection, place);
    for entry in &mut collection.entries {
        let key = entry.key.as_ref().map_or("", |key| &key.text);
        arrange(&mut entry.value, place.below(key));
    }
    sort(collection, place);
}

/// Comments before the first thing in an element stand above its dash.
fn lift_comments(element: &mut Entry) {
    if element.remark.is_some() || element.value.anchor.is_some() {
        return;
    }
    let Form::Collection(Collection { entries, .. }) = &mut element.value.form else { return };
    let Some(first) = entries.first_mut() else { return };
    let above = std::mem::take(&mut first.above).into_iter();
    element.above.extend(above.skip_while(|above| matches!(above, Above::Blank)));
}

/// One blank line between any two, if there is one somewhere.
fn set_apart(entries: &mut [Entry]) {
    let Some((_, others)) = entries.split_first_mut() else { return };
    let is_set_apart = |entry: &Entry| entry.above.iter().any(|above| matches!(above, Above::Blank));
    if others.iter().any(is_set_apart) {
        for entry in others.iter_mut().filter(|entry| !is_set_apart(entry)) {
            entry.above.insert(0, Above::Blank);
        }
    }
}

/// Replaces foreign words, unless ours stands there already.
fn rename(collection: &mut Collection, place: &'static Place) {
    for at in 0..collection.entries.len() {
        let Some(key) = &collection.entries[at].key else { continue };
        let ours = canonical(&key.text, place.keys);
        let Some(ours) = ours.filter(|_| !place.keys.contains(&&*key.text)) else { continue };
        let is_there = |entry: &Entry| entry.key.as_ref().is_some_and(|key| &*key.text == ours);
        if collection.entries.iter().any(is_there) {
            continue;
        }
        if let Some(key) = &mut collection.entries[at].key {
            // Quotes are kept off, since no word of ours needs them; an anchor stays.
            let anchor = key.raw.starts_with('&').then(|| key.raw.split_whitespace().next()).flatten();
            key.raw = anchor.map_or_else(|| ours.to_owned(), |anchor| format!("{anchor} {ours}"));
            key.text = ours.into();
        }
    }
}

/// Sorts by the order of the language. A key that it does not know stays behind the one before it.
fn sort(collection: &mut Collection, place: &'static Place) {
    if place.keys.is_empty() {
        return;
    }
    let mut rank = 0;
    let mut ranked: Vec<(usize, usize)> = Vec::new();
    for (at, entry) in collection.entries.iter().enumerate() {
        let key = entry.key.as_ref().map_or("", |key| &key.text);
        rank = match place.keys.iter().position(|known| *known == key) {
            Some(known) => known + 1,
            None if key == "<<" => 0,
            None => rank,
        };
        ranked.push((rank, at));
    }
    ranked.sort_unstable();
    let order: Vec<usize> = ranked.into_iter().map(|(_, at)| at).collect();
    if order.is_sorted() || tears_apart(&collection.entries, &order) {
        return;
    }
    let mut entries: Vec<Option<Entry>> =
        std::mem::take(&mut collection.entries).into_iter().map(Some).collect();
    collection.entries = order.into_iter().filter_map(|at| entries[at].take()).collect();
}

/// Whether an alias would come to stand before its anchor, or behind another of the same name.
fn tears_apart(entries: &[Entry], order: &[usize]) -> bool {
    let (mut anchors, mut names) = (Vec::new(), Vec::new());
    for (at, entry) in entries.iter().enumerate() {
        if let Some(key) = &entry.key {
            note(&key.raw, at, &mut anchors, &mut names);
        }
        marks(&entry.value, at, &mut anchors, &mut names);
    }
    let new_place = |at: usize| order.iter().position(|old| *old == at);
    anchors.iter().enumerate().any(|(index, (anchor, from))| {
        let twice = anchors[..index].iter().any(|(other, _)| other == anchor);
        twice
            || names.iter().any(|(alias, to)| {
                alias == anchor && from != to && (from < to) != (new_place(*from) < new_place(*to))
            })
    })
}

type Marks = Vec<(String, usize)>;

fn marks(piece: &Piece, at: usize, anchors: &mut Marks, aliases: &mut Marks) {
    if let Some(anchor) = &piece.anchor {
        note(anchor, at, anchors, aliases);
    }
    match &piece.form {
        Form::Alias(alias) => note(alias, at, anchors, aliases),
        Form::Collection(collection) => {
            for entry in &collection.entries {
                if let Some(key) = &entry.key {
                    note(&key.raw, at, anchors, aliases);
                }
                marks(&entry.value, at, anchors, aliases);
            }
        }
        Form::Scalar(_) | Form::Block(..) => {}
    }
}

fn note(raw: &str, at: usize, anchors: &mut Marks, aliases: &mut Marks) {
    let name = raw.split_whitespace().next().unwrap_or_default();
    if let Some(anchor) = name.strip_prefix('&') {
        anchors.push((anchor.to_owned(), at));
    } else if let Some(alias) = name.strip_prefix('*') {
        aliases.push((alias.to_owned(), at));
    }
}
