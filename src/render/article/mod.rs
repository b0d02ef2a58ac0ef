//! A spec as an article for people: its subject, the reason, the prerequisites, the changes, and how to undo them.
//!
//! `build` makes an [`Article`] from a spec: sections with paragraphs, lists and `.reg` notation. All output formats
//! are made from the article, so they have the same content.

mod build;
mod hidden;
mod registry;
mod text;
mod conditions;

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    diag::Diagnostic,
    spec::{Spec, document::Document},
};

pub use build::article;
pub use text::{human, markdown};

/// A spec as an article for people, as `kbfix show` prints it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Article {
    /// The spec's id.
    pub id: String,
    /// The article's title.
    pub title: String,
    /// The sections; none of them is empty.
    pub sections: Vec<Section>,
}

/// A section of an article.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Section {
    /// The heading.
    pub heading: &'static str,
    /// The content of the section.
    pub blocks: Vec<Block>,
}

/// A part of a section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Block {
    /// A paragraph.
    Text(String),
    /// A list, whose items can be nested.
    List(Vec<Item>),
    /// Literal lines: `.reg` notation, or commands.
    Code(String),
}

/// An item of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Item {
    /// The nesting depth: 0 for an item of the list itself, 1 for an item below such an item, and so on.
    pub depth: usize,
    /// The name that is shown before the text; empty if there is none.
    pub name: String,
    /// The text of the item.
    pub text: String,
    /// The address of a page with more information; missing if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Whether the statement is an inference, which means that no source contains it directly.
    pub inference: bool,
}

impl Item {
    /// Creates an item at the top level of a list.
    fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    /// Creates an item with a name before its text.
    fn named(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::new(text) }
    }
}

/// The JSON document with the articles of several specs.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "kbfix articles, version 1")]
pub struct Articles<'a> {
    /// The version of the format of this document: 1.
    #[schemars(extend("const" = 1))]
    pub kbfix_articles: u32,
    /// One article for each spec, in the order in which the specs were given.
    pub articles: Vec<WithSpec<'a>>,
    /// The errors that stopped the command, and warnings about the specs.
    pub diagnostics: Vec<Diagnostic>,
}

/// An article, together with its spec.
#[derive(Debug, Serialize, JsonSchema)]
pub struct WithSpec<'a> {
    /// The article.
    #[serde(flatten)]
    pub article: Article,
    /// The spec as its file contains it, except that sensitive data is hidden.
    pub spec: Cow<'a, Document>,
}

/// Formats the articles of these specs as the JSON document [`Articles`], with these diagnostics.
pub fn json(specs: &[Spec], diagnostics: Vec<Diagnostic>) -> String {
    let articles = specs.iter().map(|spec| WithSpec { article: article(spec), spec: hidden::document(spec) });
    crate::render::json(&Articles { kbfix_articles: 1, articles: articles.collect(), diagnostics })
}

#[cfg(test)]
mod tests;
