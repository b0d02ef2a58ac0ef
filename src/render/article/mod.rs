//! A spec as an article for people: what it is about, why, what must be there, what changes, how to undo it.
//!
//! `build` makes an [`Article`] of a spec: sections of texts, facts, lists and `.reg` notation. The renderers know only
//! that, so every format says the same.

mod build;
mod hidden;
mod registry;
mod text;
mod conditions;

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Serialize;

use crate::spec::{Spec, document::Document};

pub use build::article;
pub use text::{human, markdown};

/// A spec as an article.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Article {
    /// The spec's id.
    pub id: String,
    /// The article's title.
    pub title: String,
    /// Its sections, none of them empty.
    pub sections: Vec<Section>,
}

/// A section of an article.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Section {
    /// Its heading.
    pub heading: &'static str,
    /// What stands below it.
    pub blocks: Vec<Block>,
}

/// A part of a section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Block {
    /// A paragraph.
    Text(String),
    /// A list.
    List(Vec<Item>),
    /// Lines as they are: `.reg` notation, or commands.
    Code(String),
}

/// An item of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Item {
    /// How deep it stands: 0 is the list itself, 1 a list below an item.
    pub depth: usize,
    /// What it is about; empty for none.
    pub name: String,
    /// What it says.
    pub text: String,
    /// Where to read more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Whether it follows from the sources, and none of them says it.
    pub inference: bool,
}

impl Item {
    /// An item of the list itself.
    fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    /// One with a name before it.
    fn named(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::new(text) }
    }
}

/// Articles as a document.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "kbfix articles, version 1")]
pub struct Articles<'a> {
    /// The version of this format: 1.
    #[schemars(extend("const" = 1))]
    pub kbfix_articles: u32,
    /// One for each spec, in the order given.
    pub articles: Vec<WithSpec<'a>>,
}

/// An article beside its spec.
#[derive(Debug, Serialize, JsonSchema)]
pub struct WithSpec<'a> {
    /// The article.
    #[serde(flatten)]
    pub article: Article,
    /// The spec as it is written, but for sensitive data.
    pub spec: Cow<'a, Document>,
}

/// The articles of these specs as [`Articles`].
pub fn json(specs: &[Spec]) -> String {
    let articles = specs.iter().map(|spec| WithSpec { article: article(spec), spec: hidden::document(spec) });
    crate::render::json(&Articles { kbfix_articles: 1, articles: articles.collect() })
}

#[cfg(test)]
mod tests;
